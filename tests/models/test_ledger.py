"""The facts that the database holds the ledger's tables to, whoever writes them."""

from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from models.ledger.account import AccountingPeriod
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherEntry
from tests.workflows.ledger.books import NOW, open_books, yuan

BEGINS_WITH = "installed"


@pytest.fixture
def books(session):
    return open_books(session)


UNSIGNED_CASH = (
    "state = 'POSTED', reviewed_by_id = :other, reviewed_at = :now, posting_no = 1, previous_hash = '0', "
    "hash = '1', posted_by_id = :other, posted_at = :now"
)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'REVIEWED'", "ck_voucher_reviewed"),
        ("reviewed_by_id = prepared_by_id", "ck_voucher_"),
        ("state = 'SIGNED', reviewed_by_id = :other, reviewed_at = :now", "ck_voucher_signed"),
        (
            "state = 'REVIEWED', reviewed_by_id = prepared_by_id, reviewed_at = :now",
            "ck_voucher_own_review",
        ),
        ("state = 'POSTED', reviewed_by_id = :other, reviewed_at = :now", "ck_voucher_posted"),
        ("posting_no = 1", "ck_voucher_posted"),
        (UNSIGNED_CASH, "ck_voucher_posted"),
        ("state = 'VOID'", "ck_voucher_void"),
        ("reverses_id = id", "ck_voucher_not_own_reversal"),
        ("number = 0", "ck_voucher_number"),
        ("attachments = -1", "ck_voucher_attachments"),
    ],
)
def test_a_state_without_its_facts_is_refused(books, change, constraint):
    voucher = books.receipt()
    values = {"id": voucher.id, "other": books.people["reviewer"].id, "now": "2026-11-23 02:00:00"}
    used = {name: value for name, value in values.items() if f":{name}" in f"{change} :id"}
    with pytest.raises(IntegrityError, match=constraint), books.session.begin_nested():
        books.session.execute(text(f"UPDATE voucher SET {change} WHERE id = :id"), used)


@pytest.mark.parametrize(("debit", "credit"), [(0, 0), (1, 1)])
def test_an_entry_stands_on_one_side(books, debit, credit):
    voucher = books.transfer()
    entry = VoucherEntry(
        voucher_id=voucher.id,
        line_no=9,
        memo="x",
        account_id=books.accounts["6603"],
        debit=yuan(debit),
        credit=yuan(credit),
    )
    with (
        pytest.raises(IntegrityError, match="ck_voucher_entry_one_side"),
        books.session.begin_nested(),
    ):
        books.session.add(entry)


def test_numbers_are_unique_in_word_and_period(books):
    first, second = books.transfer(), books.transfer()
    with pytest.raises(IntegrityError), books.session.begin_nested():
        books.session.execute(
            text("UPDATE voucher SET number = 1 WHERE id = :id"), {"id": second.id}
        )
    assert (first.number, second.number) == (1, 2)


def test_a_voucher_is_reversed_once(books):
    target, one, two = books.transfer(), books.transfer(), books.transfer()
    one.reverses_id = target.id
    books.session.flush()
    with pytest.raises(IntegrityError), books.session.begin_nested():
        books.session.execute(
            text("UPDATE voucher SET reverses_id = :t WHERE id = :id"),
            {"t": target.id, "id": two.id},
        )


def test_a_closed_period_says_who_and_when(books):
    books.transfer()
    period = books.session.scalars(select(AccountingPeriod)).one()
    assert (str(period), period.starts_on, period.ends_on) == (
        "2026-11",
        date(2026, 11, 1),
        date(2026, 11, 30),
    )
    with (
        pytest.raises(IntegrityError, match="ck_accounting_period_closed"),
        books.session.begin_nested(),
    ):
        books.session.execute(text("UPDATE accounting_period SET state = 'CLOSED'"))


def test_an_event_is_unique_and_booked_with_its_voucher(books):
    facts = {
        "event_code": "fee.collected",
        "label": "费用收取",
        "record_table": "fee",
        "record_id": 1,
        "amounts": {"amount": "1.00"},
        "total": yuan(1),
        "occurred_on": date(2026, 11, 23),
        "memo": "x",
    }
    books.session.add(BusinessEvent(number="FH-1", **facts))
    books.session.flush()
    with pytest.raises(IntegrityError), books.session.begin_nested():
        books.session.add(BusinessEvent(number="FH-2", **facts))
    for wrong, constraint in (
        ({"state": EventState.BOOKED, "booked_at": NOW}, "ck_business_event_booked"),
        ({"state": EventState.REFUSED}, "ck_business_event_reason"),
    ):
        with pytest.raises(IntegrityError, match=constraint), books.session.begin_nested():
            books.session.add(BusinessEvent(number="FH-3", sequence=2, **facts, **wrong))


def test_a_voucher_is_called_by_its_number(books):
    voucher = books.transfer()
    assert str(voucher) == "2026-11-记-0001"
    assert books.session.scalars(select(Voucher)).one() is voucher
