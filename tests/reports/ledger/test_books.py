"""The books (8.4) on a year of made-up vouchers: every figure is worked out once more here, from entries alone."""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

import reports.registry  # noqa: F401 - every report registers itself
from models.base.actor import SYSTEM
from models.base.errors import FieldErrors
from models.ledger.account import Account
from models.ledger.closing import OpeningImport
from models.ledger.voucher import Voucher, VoucherState
from reports.base.asked import Asked
from reports.base.report import REPORTS, table
from reports.figures.movements import Moved, Wanted, course, figures_by
from reports.ledger.auxiliaries import AUXILIARIES
from reports.ledger.auxiliary_ledger import auxiliary_ledger
from reports.ledger.cash_journal import cash_journal
from reports.ledger.column_ledger import column_ledger
from reports.ledger.detail_ledger import LedgerFilter, detail_ledger
from reports.ledger.general_ledger import general_ledger
from reports.ledger.trial_balance import trial_balance
from tests import plans
from tests.workflows.ledger.books import TODAY, Books, open_books, yuan
from workflows.ledger import voucher as vouchers

BEGINS_WITH = "installed"
FIRST_DAY, LAST_DAY = date(2025, 11, 3), date(2026, 11, 20)
FIRST, LAST = "2026-02", "2026-11"


def write(books: Books, chance: random.Random, day: date):
    """A voucher of any kind: fees received, wages, a margin at a bank, interest, money carried to the till."""
    amount = Decimal(chance.randint(1, 900_000)) / 100
    kind = chance.randrange(5)
    if kind == 0:
        return books.draft(books.line("1002", amount), books.receivable(0, amount), day=day)
    of = {"department_id": books.department.id}
    if kind == 1:
        half = (amount / 2).quantize(Decimal("0.01"))
        return books.draft(
            books.line("6601.01", half, **of),
            books.line("6601.02", amount - half + 1, **of),
            books.line("1002", 0, amount + 1),
            day=day,
        )
    if kind == 2:
        margin = books.line("1031", amount, bank_id=books.bank.id)
        return books.draft(margin, books.line("1002", 0, amount), day=day)
    if kind == 3:
        return books.transfer(-amount if chance.random() < 0.3 else amount, day=day)
    return books.draft(books.line("1001", amount), books.line("1002", 0, amount), day=day)


@pytest.fixture
def books(session) -> Books:
    """Some sixty vouchers over thirteen months, posted in order, and five that are not posted yet."""
    books, chance = open_books(session), random.Random(15)
    capital = books.line("1002", 1_000_000), books.line("4001", 0, 1_000_000)
    books.post(books.draft(*capital, day=FIRST_DAY))
    days = (LAST_DAY - FIRST_DAY).days
    for day in sorted(chance.randrange(days) for _ in range(60)):
        books.post(write(books, chance, FIRST_DAY + timedelta(days=day)))
    for _ in range(5):
        write(books, chance, LAST_DAY)
    vouchers.void(books.ctx("accountant"), books.transfer(1, day=LAST_DAY), "填错")
    return books


def told(session, *, with_unposted=False):
    """Every entry that counts, as plain facts, in the order of dates."""
    query = select(Voucher).options(selectinload(Voucher.entries)).order_by(Voucher.date)
    codes = dict(session.execute(select(Account.id, Account.code)).all())
    states = {VoucherState.POSTED}
    if with_unposted:
        states |= set(VoucherState) - {VoucherState.VOID}
    return [
        (codes[entry.account_id], voucher, entry)
        for voucher in session.scalars(query)
        if voucher.state in states
        for entry in voucher.entries
    ]


def lies_at(code, top):
    return code == top or code.startswith(f"{top}.")


def net(entries):
    return sum((entry.debit - entry.credit for _, _, entry in entries), Decimal(0))


def sides(entries):
    return (
        sum((entry.debit for _, _, entry in entries), Decimal(0)),
        sum((entry.credit for _, _, entry in entries), Decimal(0)),
    )


def within(entries, first, last):
    return [one for one in entries if first <= f"{one[1].date:%Y-%m}" <= last]


def before(entries, first):
    return [one for one in entries if f"{one[1].date:%Y-%m}" < first]


def shown(session, code, **values):
    """A report as the screen and its files take it."""
    report = REPORTS[code]
    asked = Asked(session, SYSTEM, TODAY, {}, 0, report.page_size)
    asked.values.update({name: param.default(asked) for name, param in report.params.items()})
    asked.values.update(values)
    found = report.lines(asked)
    return found, table(report, found)


def account(session, code) -> Account:
    return session.scalars(select(Account).where(Account.code == code)).one()


@pytest.mark.parametrize("with_unposted", [False, True])
def test_balances_and_years_are_those_of_the_entries(books, with_unposted):
    session = books.session
    everything = told(session, with_unposted=with_unposted)
    report = trial_balance(session, FIRST, LAST, with_unposted=with_unposted)
    assert report.is_balanced
    for row in report.rows:
        mine = [one for one in everything if lies_at(one[0], row.code)]
        assert (row.debit, row.credit) == sides(within(mine, FIRST, LAST)), row.code
        assert row.opening_debit - row.opening_credit == net(before(mine, FIRST)), row.code
        assert row.closing_debit - row.closing_credit == net(mine), row.code
        year = sides(within(mine, "2026-01", LAST))
        assert (row.year_debit, row.year_credit) == year, row.code
    moved = {one[0] for one in everything}
    assert moved <= {row.code for row in report.rows}


@pytest.mark.parametrize("with_unposted", [False, True])
def test_the_general_ledger_runs_month_by_month_across_years(books, with_unposted):
    session = books.session
    everything = told(session, with_unposted=with_unposted)
    first, last = "2025-11", "2026-11"
    found = general_ledger(session, first, last, with_unposted=with_unposted)
    assert len(found) > 8
    for one, course_ in found:
        mine = [entry for entry in everything if lies_at(entry[0], one.code)]
        assert course_.opening == 0
        months = {f"{voucher.date:%Y-%m}" for _, voucher, _ in mine}
        assert set(course_.months) == months, one.code
        for month in months:
            assert course_.months[month] == sides(within(mine, month, month))
            year = within(mine, f"{month[:4]}-01", month)
            assert course_.year_to(month) == sides(year), (one.code, month)
    balances = trial_balance(session, first, last, with_unposted=with_unposted)
    _, screen = shown(
        session, "general-ledger", first=first, last=last, unposted=with_unposted, level="6"
    )
    assert screen.totals["debit"] == balances.totals.debit
    assert screen.totals["credit"] == balances.totals.credit
    ends = {}
    for line in screen.lines:
        ends[line.values["account"].split()[0]] = (line.values["side"], line.values["balance"])
    for row in balances.rows:
        signed = row.closing_debit - row.closing_credit
        side = "平" if signed == 0 else "借" if signed > 0 else "贷"
        assert ends[row.code] == (side, abs(signed)), row.code


def test_the_summary_of_accounts_is_what_they_moved(books):
    session = books.session
    found, screen = shown(session, "account-summary", first=FIRST, last=LAST, level="6")
    mine = within(told(session), FIRST, LAST)
    wanted = {
        row.code: sides([one for one in mine if lies_at(one[0], row.code)])
        for row in trial_balance(session, FIRST, LAST).rows
    }
    rows = [line.values for line in screen.lines]
    got = {row["code"]: (row["debit"], row["credit"]) for row in rows}
    assert got == {code: pair for code, pair in wanted.items() if any(pair)}
    assert (screen.totals["debit"], screen.totals["credit"]) == sides(mine)
    assert f"记字 {len({voucher.id for _, voucher, _ in mine})} 张" in found.note
    with_all, _ = shown(session, "account-summary", first=LAST, last=LAST, unposted=True)
    posted, _ = shown(session, "account-summary", first=LAST, last=LAST)
    assert with_all.note != posted.note


def test_the_detail_ledger_names_the_other_side_and_tells_what_is_not_posted(books):
    session = books.session
    wage = books.draft(
        books.line("6601.01", 5, department_id=books.department.id),
        books.line("6603", 2),
        books.line("1002", 0, 7),
        day=LAST_DAY,
    )
    wanted = LedgerFilter("1002", with_unposted=True)
    ledger = detail_ledger(session, wanted, LAST, LAST, limit=200)
    row = next(row for row in ledger.rows if row.voucher_id == wage.id)
    assert row.opposite == "6601.01 职工薪酬、6603 财务费用"
    assert not row.is_posted
    mine = [one for one in told(session, with_unposted=True) if one[0] == "1002"]
    assert ledger.totals.closing == net(mine)
    assert ledger.rows[-1].signed == net(mine)
    assert {row.voucher_id for row in ledger.rows} == {
        voucher.id for _, voucher, _ in within(mine, LAST, LAST)
    }
    opposite = detail_ledger(session, LedgerFilter("6603", with_unposted=True), LAST, LAST)
    assert {row.opposite for row in opposite.rows if row.voucher_id == wage.id} == {"1002 银行存款"}


def test_a_ledger_of_a_department_is_found_like_any_auxiliary(books):
    wanted = LedgerFilter(department_id=books.department.id)
    ledger = detail_ledger(books.session, wanted, "2025-11", "2026-11", limit=200)
    mine = [one for one in told(books.session) if one[2].department_id == books.department.id]
    assert (ledger.count, ledger.totals.closing) == (len(mine), net(mine))
    assert {row.department for row in ledger.rows} == {books.department.name}
    found, _ = shown(books.session, "detail-ledger", account=account(books.session, "1031"))
    keys = {column.key for column in found.columns}
    assert ("bank" in keys, "department" in keys) == (True, False)


@pytest.mark.parametrize("with_unposted", [False, True])
def test_the_journal_runs_from_day_to_day(books, with_unposted):
    session, first, last = books.session, date(2026, 3, 9), date(2026, 11, 20)
    bank = account(session, "1002")
    ask = {"with_unposted": with_unposted}
    whole = cash_journal(session, bank, first, last, **ask)
    mine = [one for one in told(session, **ask) if one[0] == "1002"]
    inside = [one for one in mine if first <= one[1].date <= last]
    assert len(inside) == whole.count == len(whole.rows) > 20
    assert whole.opening.signed == net([one for one in mine if one[1].date < first])
    assert (whole.total, whole.closing) == (sides(inside), net(mine))
    running = whole.opening.signed
    for row in whole.rows:
        running += row.debit - row.credit
        assert row.signed == running
    day = month = None
    for line in whole.lines:
        if line.is_entry:
            day, month = line.date, line.period
            continue
        until = min(last, date.fromisoformat(f"{month}-28") + timedelta(days=3))
        wanted = {
            "本日合计": [one for one in inside if one[1].date == day],
            "本月合计": [one for one in within(mine, month, month) if one[1].date <= until],
            "本年累计": within(mine, f"{month[:4]}-01", month),
        }[line.memo]
        assert (line.debit, line.credit) == sides(wanted), (line.memo, day)
    days = {one[1].date for one in inside}
    assert sum(line.memo == "本日合计" for line in whole.lines) == len(days)


def test_pages_of_the_journal_say_what_one_page_says(books):
    session, first, last = books.session, date(2026, 3, 9), date(2026, 11, 20)
    bank = account(session, "1002")
    whole = cash_journal(session, bank, first, last)
    pages = [
        cash_journal(session, bank, first, last, offset=at, limit=4)
        for at in range(0, whole.count, 4)
    ]
    assert [line for page in pages for line in page.lines] == whole.lines
    assert [page.opening.memo for page in pages[:2]] == ["期初余额", "承前页"]
    assert pages[1].opening.signed == whole.rows[3].signed


def test_a_journal_is_of_money_alone(books):
    with pytest.raises(FieldErrors, match="不是现金银行科目"):
        cash_journal(books.session, account(books.session, "6603"), FIRST_DAY, LAST_DAY)


@pytest.mark.parametrize("with_unposted", [False, True])
def test_columns_split_an_account_among_those_below_it(books, with_unposted):
    session, ask = books.session, {"with_unposted": with_unposted}
    costs = account(session, "6601")
    ledger = column_ledger(session, costs, FIRST, LAST, **ask)
    everything = told(session, **ask)
    for child in ledger.children:
        mine = within([one for one in everything if lies_at(one[0], child.code)], FIRST, LAST)
        assert ledger.totals.get(child.id, 0) == net(mine), child.code
        rows = [
            split[child.id] for row, split in ledger.lines if row.is_entry and child.id in split
        ]
        assert sum(rows, Decimal(0)) == net(mine)
    whole = detail_ledger(session, LedgerFilter("6601", **ask), FIRST, LAST, limit=200)
    assert ledger.count == whole.count
    assert [row for row, _ in ledger.lines] == whole.lines
    assert sum(ledger.totals.values()) == whole.totals.debit - whole.totals.credit
    for row, split in ledger.lines:
        assert sum(split.values(), Decimal(0)) == row.debit - row.credit, row
    _, screen = shown(session, "column-ledger", first=FIRST, last=LAST, account=costs)
    assert [column.label for column in screen.columns[-10:]] == [c.name for c in ledger.children]


def test_an_account_without_children_has_no_columns(books):
    with pytest.raises(FieldErrors, match="没有下级科目"):
        column_ledger(books.session, account(books.session, "1002"), FIRST, LAST)


def of_member(entries, column):
    found = defaultdict(list)
    for one in entries:
        if getattr(one[2], column) is not None:
            found[getattr(one[2], column)].append(one)
    return found


@pytest.mark.parametrize("with_unposted", [False, True])
@pytest.mark.parametrize("column", list(AUXILIARIES))
def test_auxiliaries_add_up_to_their_accounts(books, column, with_unposted):
    session = books.session
    everything = told(session, with_unposted=with_unposted)
    _, screen = shown(
        session, "auxiliary-balance", first=FIRST, last=LAST, by=column, unposted=with_unposted
    )
    wanted = set()
    for mine in of_member(everything, column).values():
        for code in {one[0] for one in mine}:
            own = [one for one in mine if one[0] == code]
            opening, moved = net(before(own, FIRST)), sides(within(own, FIRST, LAST))
            if opening or any(moved):
                wanted.add((code, opening, *moved, net(own)))
    assert wanted
    got = {
        (
            v["code"],
            v["opening_debit"] - v["opening_credit"],
            v["debit"],
            v["credit"],
            v["closing_debit"] - v["closing_credit"],
        )
        for v in (line.values for line in screen.lines)
    }
    assert got == wanted
    balances = {
        row.code: row
        for row in trial_balance(session, FIRST, LAST, with_unposted=with_unposted).rows
    }
    for code in {row[0] for row in wanted}:
        row = balances[code]
        mine = [values for values in got if values[0] == code]
        assert sum(values[4] for values in mine) == row.closing_debit - row.closing_credit
        assert sum(values[2] for values in mine) == row.debit


@pytest.mark.parametrize("column", list(AUXILIARIES))
def test_the_auxiliary_ledger_runs_on_for_each_member(books, column):
    session = books.session
    other = books.draft(
        books.line("6601.02", 3, department_id=books.people["accountant"].department_id),
        books.line("1002", 0, 3),
        day=LAST_DAY,
    )
    assert other.id
    of = AUXILIARIES[column]
    whole = auxiliary_ledger(session, of, FIRST, LAST, with_unposted=True)
    mine = of_member(told(session, with_unposted=True), column)
    inside = [one for own in mine.values() for one in within(own, FIRST, LAST)]
    assert (whole.count, whole.debit, whole.credit) == (len(inside), *sides(inside))
    running: dict[str, Decimal] = {}
    for member, row in whole.lines:
        if row.is_brought:
            running[member] = row.signed
        elif row.is_entry:
            running[member] += row.debit - row.credit
            assert row.signed == running[member]
        else:
            assert row.signed == running[member]
    assert sorted(running.values()) == sorted(net(own) for own in mine.values())
    pages = [
        auxiliary_ledger(session, of, FIRST, LAST, offset=at, limit=3, with_unposted=True)
        for at in range(0, whole.count, 3)
    ]
    lines = [line for page in pages for line in page.lines if line[1].memo != "承前页"]
    assert lines == whole.lines


def test_old_books_that_ended_within_a_year_count_for_its_sums(books):
    """The opening stands in March: what it brings is no movement, what the old books say of the year is."""
    session = books.session
    opened = books.session.scalars(
        select(Voucher).where(Voucher.code.startswith("2026-03"))
    ).first()
    session.add(
        OpeningImport(
            period_id=opened.period_id,
            file_name="期初.xlsx",
            digest="0" * 64,
            total=yuan(1),
            voucher_id=opened.id,
            year_figures={"1002": ["10.00", "700.00", "30.00"], "6601": ["0", "999", "999"]},
        )
    )
    session.flush()
    mine = [one for one in told(session) if one[0] == "1002"]
    leaf = account(session, "1002").id
    debit, credit = sides(within(mine, "2026-04", "2026-06"))
    known = course(session, Wanted([leaf]), "2026-05", "2026-06")
    assert known.year_to("2026-06") == Moved(yuan(700) + debit, yuan(30) + credit)
    assert known.year_to("2026-02") == sides(within(mine, "2026-01", "2026-02"))
    row = next(r for r in trial_balance(session, "2026-05", "2026-06").rows if r.code == "1002")
    assert (row.year_debit, row.year_credit) == (yuan(700) + debit, yuan(30) + credit)


def test_the_length_of_a_range_asks_no_more_questions(books):
    session = books.session
    bank, costs = account(session, "1002"), account(session, "6601")
    most = {
        "trial-balance": ({}, 3),
        "account-summary": ({}, 4),
        "general-ledger": ({}, 3),
        "detail-ledger": ({"account": bank}, 9),
        "cash-journal": ({"account": bank, "first": FIRST_DAY, "last": LAST_DAY}, 13),
        "column-ledger": ({"account": costs}, 9),
        "auxiliary-balance": ({"by": "department_id"}, 2),
        "auxiliary-ledger": ({"by": "department_id"}, 7),
    }
    for code, (values, limit) in most.items():
        counts = []
        for first in (LAST, "2025-11"):
            begin = {} if code == "cash-journal" else {"first": first, "last": LAST}
            with plans.asked(session.connection()) as sent:
                shown(session, code, **begin, **values)
            counts.append(len(sent))
        periods = sum("accounting_period.code DESC" in statement for statement, _ in sent)
        assert counts[1] - periods <= limit, (code, counts)


def test_figures_are_kept_by_what_balances_are_kept_by(books):
    with pytest.raises(ValueError, match="memo"):
        figures_by(books.session, Wanted(), FIRST, LAST, "memo")
