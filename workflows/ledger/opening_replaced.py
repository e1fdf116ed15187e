"""An opening may be replaced until another voucher exists: the former one is taken back in red letters."""

from sqlalchemy import select

from models.base.errors import Conflict
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.closing import IncomeHistory, IncomeSchedule, OpeningImport, ScheduleSource
from models.ledger.voucher import Voucher, VoucherKind, VoucherState
from workflows.base.context import Ctx
from workflows.base.transition import Step, move, steps
from workflows.ledger import voucher
from workflows.ledger.entries import line_of, red

ESTIMATE = "按期初未到期责任准备金推算，请按实际收入更正"
STEPS = steps(
    Step(
        "accounting_period",
        "replace_opening",
        "更换期初余额",
        column="state",
        sources=(PeriodState.CLOSED,),
        targets=(PeriodState.OPEN,),
        follows=True,
    ),
)


def why_not_replaced(ctx: Ctx, known: OpeningImport) -> str:
    """What keeps an opening as it is; empty while it may be replaced."""
    other = select(Voucher).where(
        Voucher.kind != VoucherKind.OPENING, Voucher.state != VoucherState.VOID
    )
    if (found := ctx.session.scalars(other.order_by(Voucher.id).limit(1)).first()) is not None:
        return f"已有凭证 {found.code}，差错请另填凭证调整"
    closed = select(AccountingPeriod.code).where(
        AccountingPeriod.state == PeriodState.CLOSED, AccountingPeriod.code > known.period.code
    )
    if (
        code := ctx.session.scalar(closed.order_by(AccountingPeriod.code.desc()).limit(1))
    ) is not None:
        return f"会计期间 {code} 已结账，请先反结账"
    return ""


def take_back(ctx: Ctx, known: OpeningImport) -> None:
    """Reverse the opening voucher and take what followed from it. Raises Conflict once other vouchers exist."""
    ctx.session.refresh(known, with_for_update=True)
    if why := why_not_replaced(ctx, known):
        raise Conflict(f"期初余额已由“{known.file_name}”装入 {known.period.code}，{why}")
    up_to = select(AccountingPeriod).where(
        AccountingPeriod.code <= known.period.code, AccountingPeriod.state == PeriodState.CLOSED
    )
    for period in ctx.session.scalars(up_to.with_for_update()).all():
        move(STEPS["replace_opening"], period)
        period.closed_at = period.closed_by_id = None
    ctx.session.flush()
    former = known.voucher
    voucher.write_posted(
        ctx,
        kind=VoucherKind.OPENING,
        date=former.date,
        memo=f"更换期初余额，冲销 {former.code}",
        entries=[red(line_of(entry)) for entry in former.entries],
        word=former.word.code,
        reverses=former,
    )
    openings = select(IncomeSchedule).where(IncomeSchedule.source == ScheduleSource.OPENING)
    for row in (
        *ctx.session.scalars(openings),
        *ctx.session.scalars(select(IncomeHistory).where(IncomeHistory.note == ESTIMATE)),
    ):
        ctx.session.delete(row)
    ctx.session.flush()
