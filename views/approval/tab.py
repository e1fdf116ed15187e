"""审批 as a tab of every record that is decided upon: what was put up, by whom, and how it ended."""

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import joinedload

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.entity import Entity
from reports.base.scope import scoped
from views.kit import hooks
from views.kit.cells import format_value
from views.kit.pages import Cell, Column, Row, Section
from workflows.base.context import Ctx
from workflows.base.transition import STEPS

_WAITS = "IN_APPROVAL"  # the state of every paper while it is decided
_COLUMNS = [
    Column("kind", "业务"),
    Column("applicant", "提交人"),
    Column("at", "提交时间"),
    Column("state", "结果"),
    Column("done", "办结时间"),
]


def is_decided_on(record: Entity) -> bool:
    """Whether records of this kind are ever put up for approval, themselves or by their papers."""
    waits = {step.table for step in STEPS.values() for to in step.targets if to.name == _WAITS}
    return record.__tablename__ in waits | {"project"}


def approvals_tab(record: Entity, ctx: Ctx) -> Section | None:
    """Each approval of the record, and of a project those of its papers too, the first one first."""
    if not is_decided_on(record):
        return None
    found = ApprovalInstance
    mine: ColumnElement[bool] = and_(
        found.table_name == record.__tablename__, found.record_id == record.id
    )
    if record.__tablename__ == "project":
        mine = or_(mine, found.project_id == record.id)
    query = scoped(select(found).where(mine), found, ctx.actor).order_by(found.id)
    known = joinedload(found.applicant), joinedload(found.business_type)
    rows = [_row(one) for one in ctx.session.scalars(query.options(*known))]
    return Section(
        "approvals", "审批", columns=_COLUMNS, rows=rows, count=len(rows), empty="还没有审批记录"
    )


def _row(one: ApprovalInstance) -> Row:
    state: ApprovalState = one.state
    cells = (
        Cell(one.title.partition("：")[0]),
        Cell(one.applicant.name),
        Cell(format_value(one.submitted_at, "datetime")),
        Cell(state.label, "enum", tone=state.tone),
        Cell(format_value(one.finished_at, "datetime")),
    )
    return Row(str(one.id), f"/approvals/instance/{one.id}", cells)


hooks.SECTIONS.append(approvals_tab)
