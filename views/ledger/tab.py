"""凭证 as a tab of every record that brings money into the books: what its events were booked with."""

from sqlalchemy import ColumnElement, func, select

from models.base.entity import Entity
from models.base.kinds import SpecKind
from models.ledger.voucher import BusinessEvent, Voucher, VoucherEntry
from views.kit import hooks
from views.kit.cells import format_value
from views.kit.pages import Cell, Column, Row, Section
from workflows.base.context import Ctx

ROWS = 50
_COLUMNS = [
    Column("number", "凭证"),
    Column("date", "日期", "date"),
    Column("memo", "摘要"),
    Column("total", "金额", "money", "元"),
    Column("state", "状态"),
]


def vouchers_tab(record: Entity, ctx: Ctx) -> Section | None:
    """The newest vouchers of a project, or of the events of a paper; a paper that raised none has no tab."""
    if record.spec.kind is not SpecKind.DOCUMENT:
        return None
    if isinstance(record, Voucher):
        return None
    mine, is_project = _mine(record), record.__tablename__ == "project"
    count = ctx.session.execute(select(func.count(Voucher.id)).where(mine)).scalar_one()
    if not count and not is_project:
        return None
    section = Section("vouchers", "凭证", columns=_COLUMNS, empty="还没有凭证")
    if not ctx.actor.may("list", "voucher"):
        section.empty = "您没有查看凭证的权限"
        return section
    query = select(Voucher).where(mine).order_by(Voucher.id.desc()).limit(ROWS)
    section.rows, section.count = [_row(one) for one in ctx.session.scalars(query)], count
    return section


def _mine(record: Entity) -> ColumnElement[bool]:
    """Vouchers with the project on a line, or those that the paper's events were booked with."""
    if record.__tablename__ == "project":
        lines = select(VoucherEntry.voucher_id).where(VoucherEntry.project_id == record.id)
        return Voucher.id.in_(lines)
    events = select(BusinessEvent.voucher_id).where(
        BusinessEvent.record_table == record.__tablename__, BusinessEvent.record_id == record.id
    )
    return Voucher.id.in_(events)


def _row(one: Voucher) -> Row:
    cells = (
        Cell(str(one)),
        Cell(format_value(one.date, "date"), "date"),
        Cell(one.memo),
        Cell(format_value(one.total, "money"), "money"),
        Cell(one.state.label, "enum", tone=one.state.tone),
    )
    return Row(str(one.id), f"/voucher/show/{one.id}", cells)


hooks.SECTIONS.append(vouchers_tab)
