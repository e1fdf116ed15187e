"""Drafts of forms (X19): kept while one types, gone with the save, found again after log-out and crash."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select

from models.base.errors import BusinessError
from models.base.text import visible
from models.system.draft import PLACE_MAX, FormDraft
from reports.figures import parameters
from workflows.base.context import Ctx

# Forms of records and of verbs; nothing else is opened from a draft.
_FORM = re.compile(
    r"/(?:[a-z_]+/(?:add|edit/[0-9]{1,9}|rows/[0-9]{1,9}/[a-z_]+)|do/[a-z_]+/[0-9]{1,9}/[a-z_]+)(?:\?|$)"
)
FIELDS_MAX = 3000  # a voucher of a thousand lines is imported, not typed
LENGTH_MAX = 300_000
KEPT_MAX = 50  # of one person; the oldest go


def keep(ctx: Ctx, place: str, title: str, fields: Sequence[tuple[str, str]]) -> None:
    """Keep what stands in a form now, in place of what was kept of it before. Raises BusinessError."""
    if not _FORM.match(place) or len(place) > PLACE_MAX:
        raise BusinessError("这个页面的内容不能存为草稿")
    if len(fields) > FIELDS_MAX or sum(len(n) + len(t) for n, t in fields) > LENGTH_MAX:
        raise BusinessError("内容过长，不能存为草稿，请及时保存")
    drop(ctx, place)
    row: dict[str, Any] = {
        "employee_id": ctx.actor.employee_id,
        "place": place,
        "title": visible(title)[:200] or "表单",
        "fields": [list(pair) for pair in fields],
        "at": ctx.now,
        "version": 1,
        "extra": {},
    }
    ctx.session.execute(insert(FormDraft).values(row))
    beyond = select(FormDraft.id).where(_own(ctx)).order_by(FormDraft.at.desc()).offset(KEPT_MAX)
    ctx.session.execute(delete(FormDraft).where(FormDraft.id.in_(beyond.subquery().select())))


def drop(ctx: Ctx, place: str) -> None:
    """Forget what was typed into a form; nothing happens where nothing was kept."""
    ctx.session.execute(delete(FormDraft).where(_own(ctx), FormDraft.place == place))


def find(ctx: Ctx, place: str) -> FormDraft | None:
    """What the actor has typed into this form and not saved."""
    return ctx.session.scalars(
        select(FormDraft).where(_own(ctx), FormDraft.place == place)
    ).one_or_none()


def mine(ctx: Ctx) -> Sequence[FormDraft]:
    """All drafts of the actor, the latest first."""
    return ctx.session.scalars(
        select(FormDraft).where(_own(ctx)).order_by(FormDraft.at.desc())
    ).all()


def forget(ctx: Ctx, now: datetime) -> int:
    """Delete the drafts that nobody came back to in the days that the parameter gives; how many."""
    kept = timedelta(days=parameters.whole(ctx.session, "form.draft_days", ctx.today))
    old = delete(FormDraft).where(FormDraft.at < now - kept)
    return int(ctx.session.execute(old).rowcount)  # type: ignore[attr-defined]


def _own(ctx: Ctx) -> ColumnElement[bool]:
    return FormDraft.employee_id == ctx.actor.employee_id
