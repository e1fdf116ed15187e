"""计提准备金 (domain.md 2): each difference is booked by 记账规则, and its computation is kept beside the voucher."""

from sqlalchemy import select

from models.ledger.account import ZERO, Account, AccountingPeriod
from models.ledger.closing import ProvisionCalculation, ProvisionKind
from models.ledger.voucher import Voucher, VoucherKind
from reports.figures import provisions
from reports.figures.provisions import RETAINED, SURPLUS, Provision
from workflows.base.context import Ctx
from workflows.ledger import voucher
from workflows.ledger.entries import Line
from workflows.ledger.recognition import rule_lines

# (charge, release) as the posting rules know them; the surplus reserve has no event and follows the chart.
EVENTS = {
    ProvisionKind.UNEARNED: ("provision.unearned", "provision.unearned_released"),
    ProvisionKind.COMPENSATION: ("provision.compensation", "provision.compensation_released"),
}
GENERAL_EVENT = "provision.general_risk"


def provide_unearned(ctx: Ctx, period: AccountingPeriod) -> ProvisionCalculation:
    """未到期责任准备金 of a month."""
    return _provide(ctx, period, provisions.unearned(ctx.session, period))


def provide_compensation(ctx: Ctx, period: AccountingPeriod) -> ProvisionCalculation:
    """担保赔偿准备金 of a month."""
    return _provide(ctx, period, provisions.compensation(ctx.session, period))


def _provide(ctx: Ctx, period: AccountingPeriod, found: Provision) -> ProvisionCalculation:
    made: Voucher | None = None
    if found.amount:
        charge, release = EVENTS[found.kind]
        lines = rule_lines(ctx, charge if found.amount > 0 else release, period, abs(found.amount))
        word = "提取" if found.amount > 0 else "转回"
        made = voucher.write_posted(
            ctx,
            kind=VoucherKind.PROVISION,
            date=period.ends_on,
            memo=f"{word} {period.code} {found.kind.label}",
            entries=lines,
        )
    return keep(ctx, period, found, made)


def appropriate(ctx: Ctx, period: AccountingPeriod) -> Voucher | None:
    """盈余公积 and 一般风险准备 of the year, from 4104; None when nothing is to be set aside."""
    surplus, general = provisions.yearly(ctx.session, period)
    lines: list[Line] = []
    if surplus.amount:
        retained, reserve = _account(ctx, RETAINED), _account(ctx, SURPLUS)
        lines += [
            Line(retained, debit=max(surplus.amount, ZERO), credit=max(-surplus.amount, ZERO)),
            Line(reserve, debit=max(-surplus.amount, ZERO), credit=max(surplus.amount, ZERO)),
        ]
    if general.amount:
        own = rule_lines(ctx, GENERAL_EVENT, period, abs(general.amount))
        lines += own if general.amount > 0 else [_turned(line) for line in own]
    made = None
    if lines:
        made = voucher.write_posted(
            ctx,
            kind=VoucherKind.YEAR_END,
            date=period.ends_on,
            memo=f"{period.year} 年提取盈余公积和一般风险准备",
            entries=lines,
        )
    keep(ctx, period, surplus, made if surplus.amount else None)
    keep(ctx, period, general, made if general.amount else None)
    return made


def _turned(line: Line) -> Line:
    return Line(line.account_id, debit=line.credit, credit=line.debit, memo=line.memo)


def _account(ctx: Ctx, code: str) -> int:
    return ctx.session.scalars(select(Account.id).where(Account.code == code)).one()


def keep(
    ctx: Ctx, period: AccountingPeriod, found: Provision, made: Voucher | None
) -> ProvisionCalculation:
    """Keep a computation with its inputs; one that changes nothing is kept once per period and kind."""
    latest = ctx.session.scalars(
        select(ProvisionCalculation)
        .where(ProvisionCalculation.period_id == period.id, ProvisionCalculation.kind == found.kind)
        .order_by(ProvisionCalculation.id.desc())
        .limit(1)
    ).one_or_none()
    if (
        made is None
        and latest is not None
        and (latest.base, latest.required) == (found.base, found.required)
    ):
        return latest
    kept = ProvisionCalculation(
        period=period,
        kind=found.kind,
        base=found.base,
        rate_pct=found.rate_pct,
        required=found.required,
        booked=found.booked,
        amount=found.amount,
        formula=found.formula,
        voucher=made,
    )
    ctx.session.add(kept)
    ctx.session.flush()
    return kept
