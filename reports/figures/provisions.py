"""The provisions of a guarantee company (融资担保公司监督管理条例 配套制度, domain.md 2): what must stand in the books.

Every figure comes with the sentence that shows how it was reached. Amounts in 元; a release is negative.
"""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.base.money import format_money, round_money
from models.ledger.account import ZERO, Account, AccountingPeriod, Direction
from models.ledger.closing import IncomeHistory, OpeningImport, ProvisionKind
from models.ledger.voucher import Voucher, VoucherEntry, VoucherKind, VoucherState
from reports.figures.balances import balance_of, leaves_of
from reports.figures.liability import liability_on
from reports.figures.opening_year import charged
from reports.figures.parameters import flag, number, value
from reports.figures.profit import PROFIT, earned_on, net_profit
from reports.figures.recognition import DEFERRING, mode_on

HUNDRED = Decimal(100)
MONTHS = 12
INCOME, DEFERRED = "6031", "2203"
UNEARNED, UNEARNED_COST = "2601", "6501"
COMPENSATION, COMPENSATION_COST = "2602", "6502"
SURPLUS, GENERAL, RETAINED = "4101", "4102", "4104"
_APPROPRIATIONS = {
    ProvisionKind.SURPLUS: ("provision.surplus_pct", SURPLUS),
    ProvisionKind.GENERAL: ("provision.general_pct", GENERAL),
}


@dataclass(frozen=True)
class Provision:
    """One computation: `amount` is what is still to be booked, `formula` how it was reached."""

    kind: ProvisionKind
    base: Decimal
    rate_pct: Decimal
    required: Decimal
    booked: Decimal
    amount: Decimal
    formula: str


def month_before(code: str, months: int) -> str:
    """The period code some months before: ('2026-01', 1) is '2025-12'."""
    index = int(code[:4]) * MONTHS + int(code[5:]) - 1 - months
    return f"{index // MONTHS:04d}-{index % MONTHS + 1:02d}"


def income_of_year(session: Session, period: str) -> Decimal:
    """担保费收入 of the twelve months that end with a period; months before the books come from 期初前担保费收入.

    What an opening brings to the account (表结法) is of months that stand there.
    """
    first = month_before(period, MONTHS - 1)
    booked = -earned_on(session, INCOME, first, period) + _opened(session, INCOME, first, period)
    history = select(func.sum(IncomeHistory.amount)).where(
        IncomeHistory.month.between(first, period)
    )
    return booked + (session.scalar(history) or ZERO)


def _opened(session: Session, code: str, first: str, last: str) -> Decimal:
    """What an opening brought to an account, debit positive."""
    query = (
        select(
            func.sum(VoucherEntry.debit, type_=Money()),
            func.sum(VoucherEntry.credit, type_=Money()),
        )
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(
            Voucher.kind == VoucherKind.OPENING,
            Voucher.state == VoucherState.POSTED,
            AccountingPeriod.code.between(first, last),
            VoucherEntry.account_id.in_(leaves_of(session, code)),
        )
    )
    debit, credit = session.execute(query).one()
    return (debit or ZERO) - (credit or ZERO)


def unearned(session: Session, period: AccountingPeriod) -> Provision:
    """未到期责任准备金: 50 % of the last twelve months' 担保费收入; the difference to the books is booked.

    Nothing where income is spread over the term: what is not earned then stands in 2203 already.
    """
    rate = number(session, "provision.unearned_pct", period.ends_on)
    base = income_of_year(session, period.code)
    booked = balance_of(session, UNEARNED, period.code)
    if mode_on(session, period.ends_on) in DEFERRING:
        required = ZERO
        deferred = balance_of(session, DEFERRED, period.code)
        words = f"担保费收入按期限均摊，未赚取的 {format_money(deferred)} 已在预收担保费，不再提取"
    else:
        required = round_money(base * rate / HUNDRED)
        words = f"最近十二个月担保费收入 {format_money(base)} × {rate.normalize():f}% = {format_money(required)}"
    amount = required - booked
    formula = f"{words}；账面余额 {format_money(booked)}；差额 {format_money(amount)}"
    return Provision(
        ProvisionKind.UNEARNED,
        base,
        rate,
        required=required,
        booked=booked,
        amount=amount,
        formula=formula,
    )


def compensation(session: Session, period: AccountingPeriod) -> Provision:
    """担保赔偿准备金: 1 % x 责任余额 x months / 12 this year, less what is booked; at 10 % only the difference."""
    rate = number(session, "provision.compensation_pct", period.ends_on)
    cap_rate = number(session, "provision.compensation_cap_pct", period.ends_on)
    is_of_all = value(session, "provision.compensation_base", period.ends_on) == "ALL"
    base = liability_on(session, period.ends_on, of_all_kinds=is_of_all)
    label = "担保责任余额" if is_of_all else "融资担保责任余额"
    year = f"{period.year}-01"
    required = round_money(base * rate * period.month / (HUNDRED * MONTHS))
    before = charged_before(session, period, base * rate / (HUNDRED * MONTHS))
    booked = earned_on(session, COMPENSATION_COST, year, period.code) + before
    total = balance_of(session, COMPENSATION, period.code)
    cap = round_money(base * cap_rate / HUNDRED)
    amount = required - booked
    words = (
        f"{label} {format_money(base)} × {rate.normalize():f}% × {period.month}/12 = {format_money(required)}；"
        f"本年已提 {format_money(booked)}"
        + (f"（含期初前 {format_money(before)}）" if before else "")
        + f"；差额 {format_money(amount)}"
    )
    if total + amount > cap:
        amount = cap - total
        words += (
            f"；累计上限 {format_money(base)} × {cap_rate.normalize():f}% = {format_money(cap)}，"
            f"账面余额 {format_money(total)}，按差额 {format_money(amount)}"
        )
        if amount < 0 and not flag(session, "provision.compensation_release", period.ends_on):
            # A smaller charge of this year may be taken back, what earlier years set aside may not.
            amount = max(amount, min(required - booked, ZERO))
            words += f"；参数规定超过上限的部分不转回，本次 {format_money(amount)}"
    return Provision(
        ProvisionKind.COMPENSATION,
        base,
        rate,
        required=required,
        booked=booked,
        amount=amount,
        formula=words,
    )


def charged_before(session: Session, period: AccountingPeriod, monthly: Decimal) -> Decimal:
    """What the old books charged this year before an opening in its middle: as 本年累计 says, else as it was due.

    Where the opening itself brings the charge (表结法) it counts as charged there.
    """
    opened = (
        select(AccountingPeriod)
        .join(OpeningImport, OpeningImport.period_id == AccountingPeriod.id)
        .where(AccountingPeriod.year == period.year, AccountingPeriod.code < period.code)
    )
    opening = session.scalars(opened).one_or_none()
    if opening is None or _opened(session, COMPENSATION_COST, opening.code, opening.code):
        return ZERO
    stated = charged(session, period.year, period.code, COMPENSATION_COST, COMPENSATION)
    if stated is not None:
        return stated
    return max(
        min(balance_of(session, COMPENSATION, opening.code), round_money(monthly * opening.month)),
        ZERO,
    )


def surplus(session: Session, period: AccountingPeriod) -> Provision:
    """法定盈余公积: 10 % of the year's net profit after what earlier losses take (公司法), at 年结."""
    return _appropriation(session, period, ProvisionKind.SURPLUS)


def general(session: Session, period: AccountingPeriod) -> Provision:
    """一般风险准备: 10 % of the year's net profit after what earlier losses take, at 年结 only."""
    return _appropriation(session, period, ProvisionKind.GENERAL)


def to_distribute(session: Session, period: AccountingPeriod) -> tuple[Decimal, str]:
    """Net profit of the year that is left when earlier losses are made up, and how it was reached."""
    before = -_opened(session, PROFIT, f"{period.year}-01", period.code)
    profit = net_profit(session, f"{period.year}-01", period.code) + before
    earlier = balance_of(session, RETAINED, month_before(f"{period.year}-01", 1))
    base = max(profit + min(earlier, ZERO), ZERO)
    words = f"本年净利润 {format_money(profit)}" + (
        f"（含期初本年利润 {format_money(before)}）" if before else ""
    )
    if earlier < 0:
        words += f"，弥补以前年度亏损 {format_money(-earlier)} 后 {format_money(base)}"
    return base, words


def _appropriation(session: Session, period: AccountingPeriod, kind: ProvisionKind) -> Provision:
    base, words = to_distribute(session, period)
    parameter, code = _APPROPRIATIONS[kind]
    rate = number(session, parameter, period.ends_on)
    required = round_money(base * rate / HUNDRED)
    booked = appropriated(session, code, period.year)
    amount = required - booked
    formula = (
        f"{words} × {rate.normalize():f}% = {format_money(required)}；本年已提 {format_money(booked)}；"
        f"差额 {format_money(amount)}"
    )
    return Provision(
        kind, base, rate, required=required, booked=booked, amount=amount, formula=formula
    )


def appropriated(session: Session, code: str, year: int) -> Decimal:
    """What 年结 vouchers of a year have put on an equity account."""
    query = (
        select(
            func.sum(VoucherEntry.credit, type_=Money()),
            func.sum(VoucherEntry.debit, type_=Money()),
        )
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .join(Account, Account.id == VoucherEntry.account_id)
        .where(
            Voucher.kind == VoucherKind.YEAR_END,
            Voucher.state == VoucherState.POSTED,
            AccountingPeriod.year == year,
            Account.code == code,
        )
    )
    credit, debit = session.execute(query).one()
    return (credit or ZERO) - (debit or ZERO)


def monthly(session: Session, period: AccountingPeriod) -> list[Provision]:
    """The two provisions of every month, in the order they are booked."""
    return [unearned(session, period), compensation(session, period)]


def yearly(session: Session, period: AccountingPeriod) -> list[Provision]:
    """The appropriations of a year's end."""
    return [surplus(session, period), general(session, period)]


def on_side(amount: Decimal, side: Direction) -> tuple[Decimal, Decimal]:
    """(debit, credit) of an amount written on one side, turned over where it is negative."""
    if amount < 0:
        return on_side(-amount, Direction.CREDIT if side is Direction.DEBIT else Direction.DEBIT)
    return (amount, ZERO) if side is Direction.DEBIT else (ZERO, amount)
