"""What somebody opens is noted beside the page; when they come back, the page says what others changed meanwhile."""

from datetime import datetime
from functools import partial

from flask import current_app, g
from sqlalchemy import func, or_, select

from models.base.entity import Entity
from models.base.moments import local
from models.system.setup import AuditLog, LogKind
from reports.base.looks import recent
from views.kit.cells import record_url
from views.kit.interface import Titles, model_of
from views.kit.pages import Action, RecordPage
from workflows.base.audit import PROOFS
from workflows.base.context import Ctx
from workflows.system import looks

_TELLS = (LogKind.CHANGE, LogKind.VERB)


def since(ctx: Ctx, record: Entity) -> datetime | None:
    """When this reader looked at the record before this visit; asked once per request."""
    if "looked_at" not in g:
        g.looked_at = looks.since(ctx.session, ctx.actor.employee_id, record, ctx.now)
    found: datetime | None = g.looked_at
    return found


def say_changes(ctx: Ctx, page: RecordPage, record: Entity) -> RecordPage:
    """The page says how much others changed since its reader looked last, unless it has something else to say."""
    at = since(ctx, record)
    if at is None or page.notice:
        return page
    query = select(func.count(AuditLog.id)).where(
        AuditLog.table_name == record.__tablename__,
        AuditLog.record_id == record.id,
        AuditLog.at > at,
        AuditLog.action.not_in(PROOFS),
        AuditLog.log_kind.in_(_TELLS),
        or_(AuditLog.employee_id.is_(None), AuditLog.employee_id != ctx.actor.employee_id),
    )
    if count := ctx.session.scalar(query):
        page.notice = f"您上次（{local(at):%m-%d %H:%M}）查看后，他人有 {count} 处变更"
        page.notice_action = Action("查看变更", "?tab=timeline#tabs")
    return page


def note(ctx: Ctx, record: Entity) -> None:
    """Note that the reader opens a record; left out where others are writing just now."""
    beside = current_app.extensions.get("note_beside")
    if beside is not None and ctx.actor.employee_id is not None:
        place = (str(record.__tablename__), record.id)
        beside(partial(looks.note, employee_id=ctx.actor.employee_id, record=place, now=ctx.now))


def recents(ctx: Ctx) -> list[dict[str, str]]:
    """What the reader opened last, as the search box shows it."""
    found, titles = recent(ctx.session, ctx.actor), Titles(ctx.session)
    for table in {one.table for one in found}:
        keys = [one.record_id for one in found if one.table == table]
        titles.load(table, keys)
        titles.load_beside(table, keys)
    shown = []
    for table, key in found:
        model = model_of(table)
        assert model is not None
        place = {"id": f"{table}-{key}", "url": record_url(table, key)}
        hint = " · ".join(filter(None, (titles.beside(table, key), model.spec.label)))
        shown.append({**place, "text": titles.text(table, key), "hint": hint})
    return shown
