"""Ratios of a statement: by hand, and at the edges where a divisor is missing."""

from datetime import date
from decimal import Decimal

import pytest

from models.customer.customer import CorporateCustomer, Customer
from models.customer.financial_statement import FinancialStatement
from reports.figures.ratios import RATIOS, rating_figures, ratios

BASE = {
    "period_end": date(2025, 12, 31),
    "receivables": 2000,
    "prepayments": 500,
    "inventory": 1000,
    "current_assets": 6000,
    "total_assets": 10000,
    "current_liabilities": 3000,
    "total_liabilities": 4000,
    "net_assets": 6000,
    "revenue": 12000,
    "cost_of_sales": 9000,
    "interest_expense": 200,
    "total_profit": 1300,
    "net_profit": 1000,
}


def statement(**changes) -> FinancialStatement:
    values = {k: Decimal(v) if isinstance(v, int) else v for k, v in (BASE | changes).items()}
    return FinancialStatement(**values)


def test_ratios_of_a_year():
    assert ratios(statement()) == {
        "asset_liability_pct": Decimal("40.00"),
        "current_ratio": Decimal("2.00"),
        "quick_ratio": Decimal("1.50"),
        "receivable_turnover": Decimal("6.00"),
        "inventory_turnover": Decimal("9.00"),
        "gross_margin_pct": Decimal("25.00"),
        "net_margin_pct": Decimal("8.33"),
        "return_on_equity_pct": Decimal("16.67"),
        "interest_cover": Decimal("7.50"),
    }
    assert set(ratios(statement())) == set(RATIOS)


def test_half_a_year_is_scaled_up_to_a_year():
    found = ratios(statement(period_end=date(2025, 6, 30)))
    assert found["receivable_turnover"] == Decimal("12.00")
    assert found["return_on_equity_pct"] == Decimal("33.33")
    assert found["net_margin_pct"] == Decimal("8.33")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"current_liabilities": 0}, "current_ratio"),
        ({"receivables": None}, "receivable_turnover"),
        ({"inventory": 0}, "inventory_turnover"),
        ({"cost_of_sales": None}, "gross_margin_pct"),
        ({"cost_of_sales": None}, "inventory_turnover"),
        ({"revenue": 0}, "net_margin_pct"),
        ({"net_assets": -1}, "return_on_equity_pct"),
        ({"total_profit": None}, "interest_cover"),
        ({"interest_expense": 0}, "interest_cover"),
    ],
)
def test_a_missing_divisor_gives_no_ratio(changes, name):
    assert ratios(statement(**changes))[name] is None


def test_an_absurd_ratio_still_fits_its_column():
    assert (
        ratios(statement(total_assets=Decimal("0.01"), total_liabilities=9999999999))[
            "asset_liability_pct"
        ]
        == 10**9
    )


class Answers:
    """A session that finds this statement."""

    def __init__(self, found) -> None:
        self.found = found

    def scalar(self, _query):
        return self.found


def figures(**changes):
    company = CorporateCustomer(id=1, registered_capital=Decimal(0), paid_in_capital=Decimal(1))
    return rating_figures(Answers(statement(**changes)), company, date(2026, 3, 2))


def test_no_debt_is_the_best_case_and_lost_equity_the_worst():
    free = figures(current_liabilities=0, interest_expense=None, receivables=0, inventory=0)
    assert (
        min(
            free[n]
            for n in (
                "current_ratio",
                "interest_cover",
                "receivable_turnover",
                "inventory_turnover",
            )
        )
        > 10**6
    )
    ruined = figures(net_assets=-5, revenue=0, net_profit=-1, total_profit=-1, interest_expense=0)
    assert ruined["return_on_equity_pct"] == ruined["net_margin_pct"] == -100
    assert ruined["interest_cover"] == 0
    assert figures(revenue=0, net_profit=0)["net_margin_pct"] == 0
    assert figures()["paid_in_pct"] is None
    assert figures()["operating_years"] is None


def test_a_company_without_statement_has_no_financial_figures():
    company = CorporateCustomer(id=1, established_on=date(2020, 3, 3))
    assert rating_figures(Answers(None), company, date(2026, 3, 2)) == {
        "operating_years": Decimal(5),
        "paid_in_pct": None,
        "net_assets": None,
    }
    assert rating_figures(Answers(None), Customer(id=1), date(2026, 3, 2)) == {}
