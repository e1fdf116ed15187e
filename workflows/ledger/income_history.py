"""期初前担保费收入 is of months that the books do not hold."""

import re
from datetime import date

from sqlalchemy import func, select

from models.base.errors import FieldErrors
from models.base.money import round_money
from models.ledger.account import ZERO, AccountingPeriod
from models.ledger.closing import IncomeHistory, OpeningImport
from models.ledger.voucher import Voucher, VoucherKind, VoucherState
from reports.figures.balances import is_at
from reports.figures.parameters import number
from reports.figures.provisions import INCOME, MONTHS, UNEARNED, month_before
from workflows.base import records
from workflows.base.context import Ctx
from workflows.ledger.opening_replaced import ESTIMATE
from workflows.ledger.opening_sheets import BalanceLine
from workflows.ledger.opening_year import YearFigures

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@records.rule(IncomeHistory)
def check_month(ctx: Ctx, row: IncomeHistory, is_new: bool) -> None:
    """A month after the opening, or from the first voucher on, has its income in the books: it would count twice."""
    del is_new
    if not _MONTH.fullmatch(row.month or ""):
        raise FieldErrors({"month": ["月份应写作 2025-12"]})
    opened = select(AccountingPeriod.code).join(
        OpeningImport, OpeningImport.period_id == AccountingPeriod.id
    )
    own = select(func.min(AccountingPeriod.code)).join(
        Voucher, Voucher.period_id == AccountingPeriod.id
    )
    own = own.where(Voucher.kind != VoucherKind.OPENING, Voucher.state == VoucherState.POSTED)
    opening, first = ctx.session.scalar(opened), ctx.session.scalar(own)
    if (opening is not None and row.month > opening) or (first is not None and row.month >= first):
        since = f"期初余额是 {opening} 的" if opening is not None else f"账上自 {first} 起有凭证"
        raise FieldErrors({"month": [f"{since}，{row.month} 的担保费收入在账上，不能再登记"]})


def estimate(
    ctx: Ctx,
    leaves: list[tuple[BalanceLine, str]],
    years: dict[str, YearFigures],
    period: str,
    day: date,
) -> None:
    """担保费收入 of the twelve months before, as 未到期责任准备金 implies it; accountants put in the true months.

    Income that the old books have not transferred yet (表结法), or that 本年累计 states, is of the months of its year.
    """
    reserve = sum((-line.amount for line, target in leaves if target.startswith(UNEARNED)), ZERO)
    earned = sum((-line.amount for line, target in leaves if is_at(target, INCOME)), ZERO)
    if not earned:
        earned = sum((year.credit for code, year in years.items() if is_at(code, INCOME)), ZERO)
    if max(reserve, earned) <= 0 or ctx.session.scalar(
        select(func.count()).select_from(IncomeHistory)
    ):
        return
    rate = number(ctx.session, "provision.unearned_pct", day)
    year = round_money(reserve * 100 / rate) if rate else ZERO
    own = day.month if earned > 0 else 0
    for total, count, end in (
        (max(year - max(earned, ZERO), ZERO), MONTHS - own, own),
        (earned, own, 0),
    ):
        before = ZERO
        for month in range(count):
            until = round_money(total * (month + 1) / count)
            code = month_before(period, end + count - 1 - month)
            ctx.session.add(IncomeHistory(month=code, amount=until - before, note=ESTIMATE))
            before = until
