"""`flask verify` of the ledger: whatever is tampered with is named, and random books agree with their entries."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from models.ledger.account import AccountBalance, AuxiliaryBalance
from models.ledger.voucher import BusinessEvent, Voucher, VoucherEntry
from reports.ledger.trial_balance import trial_balance
from tests.workflows.ledger.books import TODAY, yuan
from tests.workflows.ledger.year import set_parameter
from workflows.ledger import chain, posting
from workflows.ledger import voucher as vouchers
from workflows.ledger.balances import CHUNK, Movement, apply
from workflows.ledger.guards import install_guards, wrong_guards
from workflows.ledger.verify import verify_ledger

MONTHS = ("2026-09-30", "2026-10-31", "2026-11-20")


def unguarded(books, statement):
    """Change a row as somebody with the database's password would."""
    connection = books.session.connection()
    names = ("guard_voucher_update", "guard_voucher_delete", "guard_voucher_insert")
    entries = ("guard_entry_update", "guard_entry_delete", "guard_entry_insert")
    for table, triggers in (("voucher", names), ("voucher_entry", entries)):
        for name in triggers:
            on = f" ON {table}" if connection.dialect.name == "postgresql" else ""
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}{on}"))
    books.session.execute(statement.execution_options(synchronize_session=False))
    assert wrong_guards(connection)
    assert verify_ledger(books.session)[0] == "已记账凭证的数据库保护触发器缺失"
    install_guards(connection)
    assert not wrong_guards(connection)
    books.session.expire_all()


@pytest.fixture
def posted(books):
    """Three posted vouchers."""
    return [books.post(books.receipt(amount)) for amount in (100, 200, 300)]


@pytest.mark.parametrize(
    ("table", "change", "named"),
    [
        (Voucher, {"memo": "改过"}, "2026-11-记-0002 的校验链不符"),
        (Voucher, {"attachments": 9}, "2026-11-记-0002 的校验链不符"),
        (Voucher, {"hash": "f" * 64}, "2026-11-记-0002 的校验链不符"),
        (Voucher, {"previous_hash": "f" * 64}, "2026-11-记-0002 的校验链不符"),
        (Voucher, {"posting_no": 9}, "记账序号 2 缺失"),
        (Voucher, {"number": 9}, "2026-11 记字凭证缺号 2"),
        (Voucher, {"total": Decimal(7)}, "2026-11-记-0002 的合计金额与分录不符"),
    ],
)
def test_tampering_with_a_voucher_is_named(books, posted, table, change, named):
    unguarded(books, update(table).where(table.id == posted[1].id).values(change))
    assert any(named in error for error in verify_ledger(books.session))


def test_tampering_with_an_entry_is_named_by_chain_and_balances(books, posted):
    entry = posted[1].entries[1]
    unguarded(
        books, update(VoucherEntry).where(VoucherEntry.id == entry.id).values(credit=Decimal(201))
    )
    errors = verify_ledger(books.session)
    assert errors[0] == "凭证 2026-11-记-0002 借贷不平：借方 200.00，贷方 201.00"
    assert errors[1] == "凭证 2026-11-记-0002 的校验链不符，内容可能被改动"
    assert errors[2].startswith(
        "科目余额与凭证不符：2026-11 1122 应收担保费，账上 0.00/0.00/600.00/-600.00，凭证 0.00/0.00/601.00"
    )
    assert errors[3].startswith("辅助余额与凭证不符：2026-11 1122 应收担保费 客户（序号")
    assert len(errors) == 4


def test_moving_an_entry_to_another_account_breaks_the_chain(books, posted):
    entry = posted[0].entries[0]
    other = (
        update(VoucherEntry)
        .where(VoucherEntry.id == entry.id)
        .values(account_id=books.accounts["1012"])
    )
    unguarded(books, other)
    assert any("2026-11-记-0001 的校验链不符" in error for error in verify_ledger(books.session))


def test_a_kept_balance_that_drifted_is_named(books, posted):
    account = books.accounts["1002"]
    books.session.execute(
        update(AccountBalance)
        .where(AccountBalance.account_id == account)
        .values(
            debit=AccountBalance.debit + yuan("0.01"), closing=AccountBalance.closing + yuan("0.01")
        )
    )
    books.session.execute(text("DELETE FROM auxiliary_balance"))
    errors = verify_ledger(books.session)
    assert errors[0].startswith(
        "科目余额与凭证不符：2026-11 1002 银行存款，账上 0.00/600.01/0.00/600.01，凭证"
    )
    assert "账上 无，凭证 0.00/0.00/600.00/-600.00" in errors[1]


def test_a_balance_without_entries_is_named(books, posted):
    books.session.add(
        AccountBalance(
            period_id=posted[0].period_id,
            account_id=books.accounts["1001"],
            debit=yuan(5),
            closing=yuan(5),
        )
    )
    books.session.flush()
    assert verify_ledger(books.session) == [
        "科目余额与凭证不符：2026-11 1001 库存现金，账上 0.00/5.00/0.00/5.00，凭证 无"
    ]


def test_an_event_with_two_vouchers_or_none_is_named(books, monkeypatch):
    monkeypatch.setattr(posting, "_BOOKED", {})
    event = posting.raise_event(
        books.ctx("cashier"),
        "fee.collected",
        record=books.project,
        project=books.project,
        amounts={"amount": yuan(5)},
    )
    voucher = posting.book(books.ctx("accountant"), event)
    assert verify_ledger(books.session) == []
    other = books.transfer()
    other.event_id = event.id
    books.session.flush()
    assert verify_ledger(books.session) == [f"复核单 {event.number}（已制单）有 2 张有效凭证"]
    other.event_id = voucher.event_id = None
    books.session.flush()
    assert verify_ledger(books.session) == [f"复核单 {event.number}（已制单）有 0 张有效凭证"]
    assert books.session.scalars(select(BusinessEvent)).one() is event


def test_the_chain_reads_no_ids_and_no_clock(books, posted):
    head, lines = chain.content_of(posted[2])
    assert chain.head(books.session) == (3, posted[2].hash)
    assert posted[2].hash == chain.link(posted[1].hash, head, reversed(lines))
    assert head == ("2026-11-记-0003", "2026-11-23", "计提利息", 0, "")
    assert lines[1] == (2, "1122", "计提利息", "0.00", "300.00", "客户=KH-T1;项目=DB2026-T387", "")


def test_the_chain_covers_what_is_reversed(books, posted):
    red = books.post(vouchers.reverse(books.ctx("accountant"), posted[0]))
    assert chain.content_of(red)[0].reverses == "2026-11-记-0001"
    assert verify_ledger(books.session) == []


def test_the_chain_is_read_in_chunks(books, posted, monkeypatch):
    monkeypatch.setattr("workflows.ledger.verify.CHUNK", 2)
    assert verify_ledger(books.session) == []


def test_a_movement_of_many_accounts_is_applied_in_chunks(books):
    movement = Movement()
    codes = list(books.accounts.values())
    for customer in range(1, CHUNK + 5):
        movement.auxiliaries[codes[0], customer, 0, 0, 0] = [yuan(customer), yuan(0)]
    voucher = books.transfer()
    apply(books.session, voucher.period, movement)
    apply(books.session, voucher.period, movement)
    found = books.session.scalars(
        select(AuxiliaryBalance).order_by(AuxiliaryBalance.customer_id)
    ).all()
    assert [row.closing for row in found] == [2 * customer for customer in range(1, CHUNK + 5)]


def entries():
    account = st.sampled_from(["1001", "6603", "2241.02", "6011", "1122", "2002", "1031"])
    amount = st.decimals("-9999.99", "9999.99", places=2).filter(bool)
    return st.tuples(account, amount, st.booleans())


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(MONTHS), st.lists(entries(), min_size=1, max_size=4)), max_size=5
    )
)
def test_random_books_agree_with_their_entries(books, vouchers_wanted):
    with books.session.begin_nested() as savepoint:
        set_parameter(books.session, "voucher.no_overdraft", "否")
        for day, lines in vouchers_wanted:
            _post_random(books, day, lines)
        assert verify_ledger(books.session) == []
        report = trial_balance(books.session, "2026-10", "2026-11")
        assert report.is_balanced
        savepoint.rollback()
    books.session.expire_all()


def _post_random(books, day, wanted):
    lines, rest = [], yuan(0)
    for code, amount, is_debit in wanted:
        more = {"customer_id": books.customer.id} if code in ("1122", "2002") else {}
        more |= {"project_id": books.project.id} if code == "1122" else {}
        more |= {"bank_id": books.bank.id} if code == "1031" else {}
        lines.append(
            books.line(code, *((str(amount), 0) if is_debit else (0, str(amount))), **more)
        )
        rest += amount if is_debit else -amount
    if rest:
        lines.append(books.line("6711", 0, str(rest)))
    elif len(lines) == 1:
        return
    books.post(books.draft(*lines, day=TODAY.fromisoformat(day)))
