"""Accounting periods: made when first needed, locked against closing while a voucher is being written."""

import calendar
from datetime import date

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from models.base.errors import BusinessError, Conflict
from models.ledger.account import AccountingPeriod, PeriodState
from workflows.base.context import Ctx

# A date further from the books than this is a slip of the keyboard, not a period to be opened.
MONTHS_AWAY_MAX = 120


def code_of(day: date) -> str:
    """The period code of a date: 2026-11."""
    return f"{day:%Y-%m}"


def ensure_period(ctx: Ctx, day: date) -> AccountingPeriod:
    """The period of a date; it and the months between it and the existing ones are made if they are missing.

    Raises Conflict where the date lies before a closed period, BusinessError where it is years away from the books.
    """
    found = ctx.session.scalars(
        select(AccountingPeriod).where(AccountingPeriod.code == code_of(day))
    ).one_or_none()
    if found is not None:
        return found
    closed = ctx.session.scalar(
        select(func.max(AccountingPeriod.code)).where(AccountingPeriod.state == PeriodState.CLOSED)
    )
    if closed is not None and closed > code_of(day):
        raise Conflict(f"日期 {day} 早于已结账的期间 {closed}，不能再记账", field="date")
    known = {_index(code) for code in ctx.session.scalars(select(AccountingPeriod.code))}
    wanted = _index(code_of(day))
    if known and min(abs(wanted - month) for month in known) > MONTHS_AWAY_MAX:
        raise BusinessError(f"日期 {day} 距现有会计期间过远，请核对", field="date")
    for month in range(min(known | {wanted}), max(known | {wanted}) + 1):
        if month not in known:
            _make(ctx, month)
    return ctx.session.scalars(
        select(AccountingPeriod).where(AccountingPeriod.code == code_of(day))
    ).one()


def open_period(ctx: Ctx, day: date) -> AccountingPeriod:
    """The period of a date, held open until the commit.

    Raises Conflict when it is closed, BusinessError when the date lies after the business date.
    """
    if day > ctx.today:
        raise BusinessError(f"凭证日期 {day} 不能晚于营业日期 {ctx.today}", field="date")
    period = ensure_period(ctx, day)
    return hold_open(ctx, period.id)


def hold_open(ctx: Ctx, period_id: int) -> AccountingPeriod:
    """Keep a period from being closed until the commit; raises Conflict when it is closed already."""
    query = (
        select(AccountingPeriod).where(AccountingPeriod.id == period_id).with_for_update(read=True)
    )
    period = ctx.session.scalars(query.execution_options(populate_existing=True)).one()
    if period.state is PeriodState.CLOSED:
        raise Conflict(f"会计期间 {period.code} 已结账，不能再办理凭证业务", field="date")
    return period


def _index(code: str) -> int:
    return int(code[:4]) * 12 + int(code[5:]) - 1


def _code(index: int) -> str:
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def _make(ctx: Ctx, index: int) -> None:
    year, month = index // 12, index % 12 + 1
    values = {
        "code": _code(index),
        "year": year,
        "month": month,
        "starts_on": date(year, month, 1),
        "ends_on": date(year, month, calendar.monthrange(year, month)[1]),
        "state": PeriodState.OPEN,
        "created_at": ctx.now,
        "created_by_id": ctx.actor.employee_id,
    }
    try:
        # Two first users of a month at once: the loser of the unique key goes on with the winner's row.
        with ctx.session.begin_nested():
            ctx.session.execute(insert(AccountingPeriod).values(values))
    except IntegrityError:
        pass
