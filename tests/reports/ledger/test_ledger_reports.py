"""科目余额表 and 明细账 (8.4): the figures, the drill-down keys, and the paging."""

from datetime import date

import pytest

from models.base.errors import BusinessError, NotFound
from reports.figures.balances import Figures, balance_of, of_accounts, of_auxiliaries
from reports.ledger.detail_ledger import LedgerFilter, detail_ledger
from reports.ledger.trial_balance import trial_balance
from tests.workflows.ledger.books import open_books, yuan

BEGINS_WITH = "installed"

SEPTEMBER, OCTOBER = date(2026, 9, 30), date(2026, 10, 31)


@pytest.fixture
def books(session):
    """Receipts in three months, an advance in the first, and a draft that no ledger shows."""
    books = open_books(session)
    books.post(books.receipt(100, day=SEPTEMBER))
    books.post(books.receipt(40, day=OCTOBER))
    books.post(books.draft(books.line("6603", 7), books.line("2241.02", 0, 7), day=OCTOBER))
    books.post(books.receipt(2))
    books.receipt(9999)
    return books


def rows(report):
    return {
        row.code: tuple(
            int(a)
            for a in (
                row.opening_debit,
                row.opening_credit,
                row.debit,
                row.credit,
                row.closing_debit,
                row.closing_credit,
            )
        )
        for row in report.rows
    }


def test_the_trial_balance_opens_with_what_was_before(books):
    report = trial_balance(books.session, "2026-10", "2026-11")
    assert rows(report) == {
        "1002": (100, 0, 42, 0, 142, 0),
        "1122": (0, 100, 0, 42, 0, 142),
        "2241": (0, 0, 0, 7, 0, 7),
        "2241.02": (0, 0, 0, 7, 0, 7),
        "6603": (0, 0, 7, 0, 7, 0),
    }
    assert report.is_balanced
    assert (report.totals.closing_debit, report.totals.closing_credit) == (yuan(149), yuan(149))
    assert report.rows[0].account_id == books.accounts["1002"]


def test_levels_and_idle_accounts(books):
    report = trial_balance(books.session, "2026-09", "2026-09", level=1, with_idle=True)
    assert {row.level for row in report.rows} == {1}
    assert rows(report)["1001"] == (0, 0, 0, 0, 0, 0)
    assert rows(trial_balance(books.session, "2026-09", "2026-09")) == {
        "1002": (0, 0, 100, 0, 100, 0),
        "1122": (0, 0, 0, 100, 0, 100),
    }
    assert rows(trial_balance(books.session, "2026-12", "2026-12"))["1002"] == (
        142,
        0,
        0,
        0,
        142,
        0,
    )


def test_empty_ranges_are_refused(books):
    with pytest.raises(BusinessError, match="不能晚于"):
        trial_balance(books.session, "2026-11", "2026-10")
    with pytest.raises(BusinessError, match="不能晚于"):
        detail_ledger(books.session, LedgerFilter("1002"), "2026-11", "2026-10")


def test_the_detail_ledger_runs_on_from_the_opening(books):
    ledger = detail_ledger(books.session, LedgerFilter("1122"), "2026-10", "2026-11")
    assert ledger.title == "1122 应收担保费"
    assert (ledger.opening.memo, ledger.opening.balance, ledger.opening.side) == (
        "期初余额",
        100,
        "贷",
    )
    assert [(row.date, row.credit, row.balance, row.side) for row in ledger.rows] == [
        (OCTOBER, 40, 140, "贷"),
        (date(2026, 11, 23), 2, 142, "贷"),
    ]
    row = ledger.rows[0]
    assert (row.customer, row.project, row.project_id) == (
        books.customer.name,
        "DB2026-T387",
        books.project.id,
    )
    assert (row.voucher_code, row.account_code) == ("2026-10-记-0001", "1122")
    assert ledger.totals == Figures(yuan(-100), yuan(0), yuan(42))
    assert ledger.totals.closing == ledger.rows[-1].signed
    assert ledger.count == 2


def test_pages_carry_the_balance_forward(books):
    page = detail_ledger(
        books.session, LedgerFilter("1002"), "2026-09", "2026-11", offset=2, limit=1
    )
    assert (page.opening.memo, page.opening.signed) == ("承前页", 140)
    assert [row.signed for row in page.rows] == [142]
    beyond = detail_ledger(
        books.session, LedgerFilter("1002"), "2026-09", "2026-11", offset=-5, limit=0
    )
    assert len(beyond.rows) == 1
    past = detail_ledger(books.session, LedgerFilter("1002"), "2026-09", "2026-11", offset=50)
    assert (past.rows, past.opening.signed) == ([], 142)


def test_each_month_ends_with_its_sum_and_the_years(books):
    ledger = detail_ledger(books.session, LedgerFilter("1002"), "2026-09", "2026-11")
    assert [(line.memo, line.debit, line.signed) for line in ledger.lines] == [
        ("计提利息", 100, 100),
        ("本月合计", 100, 100),
        ("本年累计", 100, 100),
        ("计提利息", 40, 140),
        ("本月合计", 40, 140),
        ("本年累计", 140, 140),
        ("计提利息", 2, 142),
        ("本月合计", 2, 142),
        ("本年累计", 142, 142),
    ]
    books.post(books.receipt(5, day=OCTOBER))
    ask = books.session, LedgerFilter("1002"), "2026-10", "2026-11"
    pages = [detail_ledger(*ask, offset=n, limit=1) for n in (0, 1)]
    assert [len(page.lines) for page in pages] == [1, 3], (
        "the month goes on, on the next page it ends"
    )
    year = detail_ledger(books.session, LedgerFilter("1002"), "2026-10", "2026-11").lines[3]
    assert (year.memo, year.debit) == ("本年累计", 145), "from January on, whatever the range"


def test_a_heading_shows_what_is_below_it(books):
    ledger = detail_ledger(books.session, LedgerFilter("2241"), "2026-09", "2026-11")
    assert [row.account_code for row in ledger.rows] == ["2241.02"]
    assert balance_of(books.session, "2241", "2026-11") == 7
    assert balance_of(books.session, "9999", "2026-11") == 0


def test_the_auxiliary_ledger_is_of_a_customer_or_a_project(books):
    everything = detail_ledger(
        books.session, LedgerFilter(customer_id=books.customer.id), "2026-10", "2026-11"
    )
    assert (everything.title, everything.count, everything.opening.signed) == ("全部科目", 2, -100)
    one = LedgerFilter("1122", project_id=books.project.id)
    assert detail_ledger(books.session, one, "2026-10", "2026-11").totals.closing == -142
    other = LedgerFilter("2002", customer_id=books.customer.id)
    assert detail_ledger(books.session, other, "2026-09", "2026-11").count == 0


def test_what_the_ledger_is_of_must_be_said(books):
    with pytest.raises(BusinessError, match="请选择科目"):
        detail_ledger(books.session, LedgerFilter(), "2026-09", "2026-11")
    with pytest.raises(NotFound, match="没有科目“9999”"):
        detail_ledger(books.session, LedgerFilter("9999"), "2026-09", "2026-11")


def test_a_settled_account_stands_even(books):
    books.post(books.draft(books.line("2241.02", 7), books.line("6603", 0, 7), word="transfer"))
    assert (
        detail_ledger(books.session, LedgerFilter("2241.02"), "2026-11", "2026-11").rows[-1].side
        == "平"
    )


def test_figures_add_up(books):
    sums = of_accounts(books.session, "2026-09", "2026-11")
    assert sum(sums.values(), Figures()).closing == 0
    assert not Figures()
    assert set(of_auxiliaries(books.session, "2026-09", "2026-11")) == {
        (books.accounts["1122"], books.customer.id, books.project.id, 0, 0)
    }
    with pytest.raises(TypeError):
        Figures() + 1
