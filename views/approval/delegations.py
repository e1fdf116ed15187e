"""工作托管 (A4): everybody's own agreements, an administrator's for others; how each stands, and revoking it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from models.approval.delegation import Delegation
from models.base.entity import Entity
from reports.figures.delegations import state_of
from views.kit import forms, lists
from views.kit.buttons import Button, register
from views.kit.entity_view import EntityView
from views.kit.pages import Cell, Column, ListPage, RecordPage
from workflows.approval import delegation
from workflows.base import records
from workflows.base.context import Ctx

_TONES = {"生效中": "ok", "未开始": "doing", "已撤销": "draft", "已到期": "draft"}


class DelegationView(EntityView):
    """Screens of Delegation."""

    model = Delegation

    def form_names(self, record: Entity | None, ctx: Ctx) -> list[str]:
        """Whose work it is, is asked of administrators alone."""
        names = forms.form_columns(self.model)
        may_appoint = ctx.actor.may("appoint", "delegation")
        return names if may_appoint else [name for name in names if name != "employee_id"]

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """One's own work, from today on."""
        return {"employee_id": ctx.actor.employee_id, "starts_on": ctx.today}

    def save(
        self, ctx: Ctx, record: Entity | None, values: Mapping[str, Any], version: int | None
    ) -> Entity:
        """What a form without the person says is about who fills it in."""
        return records.create(ctx, Delegation, {"employee_id": ctx.actor.employee_id, **values})

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """How it stands today."""
        assert isinstance(record, Delegation)
        return replace(page, state=_state(record, ctx))

    def enrich_list(self, page: ListPage, asked: lists.ListQuery) -> ListPage:
        """The same in the list."""
        keys = [int(row.key) for row in page.rows]
        rows = asked.ctx.session.scalars(select(Delegation).where(Delegation.id.in_(keys)))
        known = {one.id: one for one in rows}
        page.columns += [Column("standing", "状态")]
        page.rows = [
            replace(row, cells=(*row.cells, _state(known[int(row.key)], asked.ctx)))
            for row in page.rows
        ]
        return page


def _state(one: Delegation, ctx: Ctx) -> Cell:
    words = state_of(one, ctx.today)
    return Cell(words, "enum", tone=_TONES[words])


def _is_revocable(ctx: Ctx, one: Delegation) -> bool:
    is_own = one.employee_id == ctx.actor.employee_id or ctx.actor.may("appoint", "delegation")
    return is_own and state_of(one, ctx.today) in ("生效中", "未开始")


register(
    Button(
        delegation.REVOKE,
        delegation.revoke,
        when=_is_revocable,
        ask="撤销原因",
        style="danger",
        done="已撤销，受托人不再能代办",
    )
)
