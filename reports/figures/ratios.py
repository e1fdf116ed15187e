"""Financial ratios of a statement, and the figures that ratings take by themselves (3.2, 10.2)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.money import round_to
from models.customer.customer import CorporateCustomer, Customer, PersonalCustomer
from models.customer.detail import IncomeExpense, Occupation
from models.customer.financial_statement import FinancialStatement

RATIOS: Final = (
    "asset_liability_pct",
    "current_ratio",
    "quick_ratio",
    "receivable_turnover",
    "inventory_turnover",
    "gross_margin_pct",
    "net_margin_pct",
    "return_on_equity_pct",
    "interest_cover",
)
"""Columns of a statement that hold its ratios."""

_HUNDRED = Decimal(100)
_MONTHS = Decimal(12)
_LIMIT = Decimal(1_000_000_000)

Figures = dict[str, Decimal | None]


def ratios(statement: FinancialStatement) -> Figures:
    """Ratios by column name, two places; None where a part is not stated or the divisor is zero.

    Turnovers and 净资产收益率 are per year (a part-year period is scaled up) and on balances at the period's end.
    """
    s = statement
    year = _MONTHS / s.period_end.month
    gross = None if s.cost_of_sales is None else s.revenue - s.cost_of_sales
    before_interest = None if s.total_profit is None else s.total_profit + (s.interest_expense or 0)
    return {
        "asset_liability_pct": _divide(s.total_liabilities * _HUNDRED, s.total_assets),
        "current_ratio": _divide(s.current_assets, s.current_liabilities),
        "quick_ratio": _divide(
            s.current_assets - (s.inventory or 0) - (s.prepayments or 0), s.current_liabilities
        ),
        "receivable_turnover": _divide(s.revenue * year, s.receivables),
        "inventory_turnover": None
        if s.cost_of_sales is None
        else _divide(s.cost_of_sales * year, s.inventory),
        "gross_margin_pct": None if gross is None else _divide(gross * _HUNDRED, s.revenue),
        "net_margin_pct": _divide(s.net_profit * _HUNDRED, s.revenue),
        # A profit on negative equity is no return.
        "return_on_equity_pct": _divide(s.net_profit * year * _HUNDRED, s.net_assets)
        if s.net_assets > 0
        else None,
        "interest_cover": None
        if before_interest is None
        else _divide(before_interest, s.interest_expense),
    }


def latest_statement(session: Session, customer_id: int, on: date) -> FinancialStatement | None:
    """The statement of the last period that ended by `on`."""
    query = (
        select(FinancialStatement)
        .where(
            FinancialStatement.corporate_customer_id == customer_id,
            FinancialStatement.period_end <= on,
        )
        .order_by(FinancialStatement.period_end.desc(), FinancialStatement.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def rating_figures(session: Session, customer: Customer, on: date) -> Figures:
    """What indicators with 自动取值 look at, by code; None where it is not known."""
    if isinstance(customer, CorporateCustomer):
        return _corporate(customer, latest_statement(session, customer.id, on), on)
    if isinstance(customer, PersonalCustomer):
        return _personal(session, customer, on)
    return {}


def _corporate(
    customer: CorporateCustomer, statement: FinancialStatement | None, on: date
) -> Figures:
    paid, registered = customer.paid_in_capital, customer.registered_capital
    figures: Figures = {
        "operating_years": _years(customer.established_on, on),
        "paid_in_pct": None if paid is None else _divide(paid * _HUNDRED, registered),
        "net_assets": None if statement is None else statement.net_assets,
    }
    if statement is not None:
        figures |= _without_debt(statement, ratios(statement))
    return figures


def _without_debt(statement: FinancialStatement, found: Mapping[str, Decimal | None]) -> Figures:
    """Nothing owed and nothing to wait for is the best case, not an unknown one; loss-making equity is the worst."""
    figures = dict(found)
    if not statement.current_liabilities:
        figures["current_ratio"] = figures["quick_ratio"] = _LIMIT
    if statement.total_profit is not None and (statement.interest_expense or 0) <= 0:
        figures["interest_cover"] = _LIMIT if statement.total_profit > 0 else Decimal(0)
    for name, balance in (
        ("receivable_turnover", statement.receivables),
        ("inventory_turnover", statement.inventory),
    ):
        if balance == 0:
            figures[name] = _LIMIT
    if statement.revenue == 0:
        figures["net_margin_pct"] = Decimal(0) if statement.net_profit >= 0 else -_HUNDRED
    if statement.net_assets <= 0:
        figures["return_on_equity_pct"] = -_HUNDRED
    return figures


def _personal(session: Session, customer: PersonalCustomer, on: date) -> Figures:
    job = session.scalar(
        select(Occupation)
        .where(Occupation.personal_customer_id == customer.id)
        .order_by(Occupation.id.desc())
        .limit(1)
    )
    money = session.scalar(
        select(IncomeExpense)
        .where(IncomeExpense.personal_customer_id == customer.id)
        .order_by(IncomeExpense.id.desc())
        .limit(1)
    )
    figures: Figures = {
        "age_years": _years(customer.born_on, on),
        "tenure_years": None
        if job is None or job.since_year is None
        else Decimal(max(on.year - job.since_year, 0)),
    }
    if money is not None:
        income = money.household_monthly_income
        assets = money.household_assets
        figures |= {
            "monthly_income": money.monthly_income,
            "debt_income_pct": _divide(
                (money.monthly_debt_service or Decimal(0)) * _HUNDRED, income
            ),
            "household_net_assets": None
            if assets is None
            else assets - (money.household_debts or 0),
        }
    return figures


def _years(since: date | None, on: date) -> Decimal | None:
    """Whole years between two days."""
    if since is None:
        return None
    before_the_day = (on.month, on.day) < (since.month, since.day)
    return Decimal(max(on.year - since.year - before_the_day, 0))


def _divide(part: Decimal, whole: Decimal | None) -> Decimal | None:
    if not whole:
        return None
    return max(min(round_to(part / whole, 2), _LIMIT), -_LIMIT)
