"""转出待转销项税额 at a month-end: VAT of instalments that fell due or were invoiced, by 记账规则 vat.due."""

from decimal import Decimal

from models.guarantee.project import Project
from models.guarantee.signing import Fee
from models.ledger.account import ZERO, AccountingPeriod
from models.ledger.voucher import VoucherKind
from reports.figures import vat
from workflows.base.context import Ctx
from workflows.ledger import voucher
from workflows.ledger.entries import LINES_MAX, Line
from workflows.ledger.recognition import rule_lines

EVENT = "vat.due"
FEES = LINES_MAX // 3  # of one voucher: a rule may have more than two lines


def transfer(ctx: Ctx, period: AccountingPeriod) -> Decimal:
    """Book what has become due by the period's end and was not moved yet; the amount.

    Raises BusinessError where the rule for vat.due is missing or does not balance.
    """
    found = vat.due_for_transfer(ctx.session, period.ends_on)
    for start in range(0, len(found), FEES):
        part = found[start : start + FEES]
        lines: list[Line] = []
        for fee, amount in part:
            project = ctx.session.get_one(Project, fee.project_id)
            lines += rule_lines(
                ctx,
                EVENT,
                period,
                amount=amount,
                customer_id=project.customer_id,
                project_id=project.id,
            )
        memo = f"转出 {period.code} 到期费用销项税额"
        voucher.write_posted(
            ctx, kind=VoucherKind.RECOGNITION, date=period.ends_on, memo=memo, entries=lines
        )
        for fee, amount in part:
            count(fee, -amount)
    ctx.session.flush()
    return sum((amount for _, amount in found), ZERO)


def count(fee: Fee, amount: Decimal) -> None:
    """The books hold so much more of a fee in 待转销项税额."""
    fee.vat_pending_amount += amount
