"""担保费收入确认 at a month-end: what has become income moves from 2203 to 6031 by 记账规则 income.recognised."""

from decimal import Decimal

from models.ledger.account import ZERO, AccountingPeriod
from models.ledger.closing import IncomeRecognition, IncomeSchedule, ScheduleSource
from models.ledger.event import EVENTS
from models.ledger.voucher import BusinessEvent, Voucher, VoucherKind
from reports.figures import recognition
from reports.figures.recognition import Share
from workflows.base.context import Ctx
from workflows.ledger import posting, voucher
from workflows.ledger.entries import LINES_MAX, Line

EVENT = "income.recognised"
SHARES = LINES_MAX // 3  # of one voucher: a rule may have more than two lines


def recognise(ctx: Ctx, period: AccountingPeriod) -> list[Voucher]:
    """Book what is due by the period's end and not yet recognised; nothing when all is.

    Raises BusinessError where the rule for income.recognised is missing or does not balance.
    """
    shares = recognition.due(ctx.session, period.ends_on)
    return [
        _book(ctx, period, shares[start : start + SHARES])
        for start in range(0, len(shares), SHARES)
    ]


def _book(ctx: Ctx, period: AccountingPeriod, shares: list[Share]) -> Voucher:
    lines: list[Line] = []
    for share in shares:
        lines += rule_lines(
            ctx,
            EVENT,
            period,
            amount=share.amount,
            customer_id=share.customer_id,
            project_id=share.project_id,
        )
    made = voucher.write_posted(
        ctx,
        kind=VoucherKind.RECOGNITION,
        date=period.ends_on,
        memo=f"确认 {period.code} 担保费收入",
        entries=lines,
    )
    for share in shares:
        schedule = share.schedule or _schedule(ctx, share)
        if share.deferred is not None:  # a waiver may have made the fee smaller since
            schedule.amount = max(
                share.deferred.amount - share.deferred.by_event, schedule.recognised + share.amount
            )
        schedule.recognised += share.amount
        ctx.session.add(
            IncomeRecognition(
                income_schedule=schedule, period=period, amount=share.amount, voucher=made
            )
        )
    ctx.session.flush()
    return made


def rule_lines(
    ctx: Ctx,
    event_code: str,
    period: AccountingPeriod,
    amount: Decimal,
    customer_id: int | None = None,
    project_id: int | None = None,
) -> list[Line]:
    """The entries that 记账规则 makes of an amount on the period's last day, without putting an event in the queue."""
    event = BusinessEvent(
        event_code=event_code,
        label=EVENTS[event_code].label,
        memo=f"{period.code} 月末",
        customer_id=customer_id,
        project_id=project_id,
        amounts={"amount": f"{amount:.2f}"},
        occurred_on=period.ends_on,
    )
    return posting.preview(ctx, event)[2]


def _schedule(ctx: Ctx, share: Share) -> IncomeSchedule:
    fee = share.deferred
    assert fee is not None
    made = IncomeSchedule(
        source=ScheduleSource.FEE,
        customer_id=fee.customer_id,
        project_id=fee.project_id,
        fee_id=fee.fee_id,
        starts_on=fee.term.starts_on,
        ends_on=fee.term.ends_on,
        spread_from=fee.term.spread_from,
        amount=fee.amount - fee.by_event,
        recognised=ZERO,
    )
    ctx.session.add(made)
    return made
