"""凭证 as a tab of every record that brings money into the books: what its events were booked with."""

from sqlalchemy import exists, select

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
    """The vouchers of a project, or of the events that a paper has raised; a paper that raised none has no tab."""
    if record.spec.kind is not SpecKind.DOCUMENT or isinstance(record, Voucher):
        return None
    is_project = record.__tablename__ == "project"
    if is_project:
        mine = Voucher.id.in_(
            select(VoucherEntry.voucher_id).where(VoucherEntry.project_id == record.id)
        )
    else:
        mine = Voucher.id.in_(
            select(BusinessEvent.voucher_id).where(
                BusinessEvent.record_table == record.__tablename__,
                BusinessEvent.record_id == record.id,
            )
        )
    if not ctx.actor.may("list", "voucher"):
        is_any = is_project or ctx.session.scalar(select(exists().where(mine)))
        closed = Section("vouchers", "凭证", columns=_COLUMNS, empty="您没有查看凭证的权限")
        return closed if is_any else None
    query = select(Voucher).where(mine).order_by(Voucher.id).limit(ROWS)
    rows = [_row(one) for one in ctx.session.scalars(query)]
    if not rows and not is_project:
        return None
    return Section(
        "vouchers", "凭证", columns=_COLUMNS, rows=rows, count=len(rows), empty="还没有凭证"
    )


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
