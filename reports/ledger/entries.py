"""Entries as the ledgers show them (8.4): with their voucher, its other accounts, auxiliaries and business document."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session

from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project
from models.ledger.account import ZERO, Account, AccountingPeriod
from models.ledger.voucher import BusinessEvent, Voucher, VoucherEntry, VoucherState
from models.system.organization import Department
from reports.base.asked import Asked

OPPOSITE_MOST = 3  # accounts named; a voucher of month-end has dozens
BROUGHT = ("期初余额", "承前页")
# As they were booked; those that are not yet stand below the others of their day.
BOOKED = (Voucher.date, Voucher.posting_no.nulls_last(), Voucher.id, VoucherEntry.line_no)


@dataclass(frozen=True)
class LedgerRow:
    """One entry, or a line of sums (no ids); `voucher_id`, `project_id` and the source lead to their pages."""

    date: dt.date | None
    voucher_id: int | None
    voucher_code: str
    account_id: int | None
    account_code: str
    memo: str
    customer: str
    project_id: int | None
    project: str
    debit: Decimal
    credit: Decimal
    signed: Decimal
    period: str = ""
    opposite: str = ""
    bank: str = ""
    department: str = ""
    source: str = ""
    source_table: str = ""
    source_id: int | None = None
    is_posted: bool = True
    debit_so_far: Decimal = ZERO  # up to and with this entry: what a printed page hands on
    credit_so_far: Decimal = ZERO

    @property
    def side(self) -> str:
        """借, 贷 or 平."""
        return "平" if self.signed == 0 else "借" if self.signed > 0 else "贷"

    @property
    def balance(self) -> Decimal:
        """Balance without its sign; `side` says which it is."""
        return abs(self.signed)

    @property
    def is_entry(self) -> bool:
        """Whether it is an entry, not a sum."""
        return self.voucher_id is not None

    @property
    def is_brought(self) -> bool:
        """Whether it stands at the head of a page for what went before."""
        return not self.is_entry and self.memo in BROUGHT

    @property
    def auxiliaries(self) -> str:
        """All auxiliaries in one cell."""
        parts = (self.customer, self.project, self.bank, self.department)
        return "　".join(filter(None, parts))


def entries(*conditions: ColumnElement[bool], with_unposted: bool = False) -> Select[Any]:
    """Entries of posted vouchers, and of those that may still be, in the order in which they were booked."""
    query: Any = (
        select(
            Voucher.date,
            Voucher.id.label("voucher_id"),
            Voucher.code.label("voucher_code"),
            Voucher.state.label("state"),
            Voucher.event_id,
            AccountingPeriod.code.label("period"),
            VoucherEntry.account_id,
            VoucherEntry.memo,
            VoucherEntry.customer_id,
            VoucherEntry.project_id,
            VoucherEntry.bank_id,
            VoucherEntry.department_id,
            VoucherEntry.debit,
            VoucherEntry.credit,
        )
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(*conditions)
    )
    posted = Voucher.state == VoucherState.POSTED
    if not with_unposted:
        order = (Voucher.date, Voucher.posting_no, VoucherEntry.line_no)
        return ordered(query.where(posted), *order)
    return ordered(query.where(Voucher.state != VoucherState.VOID), *BOOKED)


def ordered(query: Any, *order: Any) -> Select[Any]:
    """The query in this order alone."""
    found: Select[Any] = query.order_by(None).order_by(*order)
    return found


def ledger_rows(session: Session, found: Sequence[Row[Any]], brought: Decimal) -> list[LedgerRow]:
    """The rows of a ledger with a running balance from what was brought forward; names are asked for once for all."""
    shown = Names(session, found)
    rows = []
    for row in found:
        brought += row.debit - row.credit
        rows.append(shown.row(row, brought))
    return rows


class Names:
    """What the ids of some entries are called."""

    def __init__(self, session: Session, found: Sequence[Row[Any]]) -> None:
        """Ask once for each table that is named at all."""

        def ids(name: str) -> set[int]:
            return {value for row in found if (value := getattr(row, name)) is not None}

        self.accounts = _names(session, Account.id, Account.code, ids("account_id"))
        self.customers = _names(session, Customer.id, Customer.name, ids("customer_id"))
        self.projects = _names(session, Project.id, Project.number, ids("project_id"))
        self.banks = _names(session, PartnerBank.id, PartnerBank.name, ids("bank_id"))
        self.departments = _names(session, Department.id, Department.name, ids("department_id"))
        self.events = _events(session, ids("event_id"))
        self.opposites = opposites(session, ids("voucher_id"))

    def row(self, row: Row[Any], signed: Decimal) -> LedgerRow:
        """An entry with the balance after it."""
        label, table, key = self.events.get(row.event_id, ("", "", None))
        return LedgerRow(
            row.date,
            row.voucher_id,
            row.voucher_code,
            account_id=row.account_id,
            account_code=self.accounts[row.account_id],
            memo=row.memo,
            customer=self.customers.get(row.customer_id, ""),
            project_id=row.project_id,
            project=self.projects.get(row.project_id, ""),
            debit=row.debit,
            credit=row.credit,
            signed=signed,
            period=row.period,
            opposite=opposite_of(self.opposites[row.voucher_id], is_debit=row.debit != 0),
            bank=self.banks.get(row.bank_id, ""),
            department=self.departments.get(row.department_id, ""),
            source=label,
            source_table=table,
            source_id=key,
            is_posted=row.state is VoucherState.POSTED,
        )


def sum_row(memo: str, debit: Decimal, credit: Decimal, signed: Decimal) -> LedgerRow:
    """A row that is no entry: what was brought forward, a month, a year so far."""
    return LedgerRow(
        None,
        None,
        "",
        account_id=None,
        account_code="",
        memo=memo,
        customer="",
        project_id=None,
        project="",
        debit=debit,
        credit=credit,
        signed=signed,
    )


def opposites(
    session: Session, vouchers: Collection[int]
) -> dict[int, tuple[list[str], list[str]]]:
    """The accounts on the debit and on the credit side of each voucher, each once."""
    found: dict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    if not vouchers:
        return found
    is_debit = (VoucherEntry.debit != 0).label("is_debit")
    query = (
        select(VoucherEntry.voucher_id, is_debit, Account.code, Account.name)
        .join(Account, Account.id == VoucherEntry.account_id)
        .where(VoucherEntry.voucher_id.in_(vouchers))
        .distinct()
        .order_by(VoucherEntry.voucher_id, Account.code)
    )
    for voucher_id, of_debit, code, name in session.execute(query):
        found[voucher_id][0 if of_debit else 1].append(f"{code} {name}")
    return found


def opposite_of(sides: tuple[list[str], list[str]], *, is_debit: bool) -> str:
    """对方科目 of an entry: what stands on the other side of its voucher, a few by name."""
    names = sides[1 if is_debit else 0]
    more = f" 等 {len(names)} 个" if len(names) > OPPOSITE_MOST else ""
    return "、".join(names[:OPPOSITE_MOST]) + more


def links(asked: Asked, row: LedgerRow) -> dict[str, str]:
    """Where the cells of an entry lead: its project, and the business document that it came from."""
    return {
        "project": asked.record("project", row.project_id),
        "source": asked.record(row.source_table, row.source_id),
    }


def _events(session: Session, ids: Collection[int]) -> dict[int, tuple[str, str, int | None]]:
    if not ids:
        return {}
    event = BusinessEvent
    query = select(event.id, event.label, event.record_table, event.record_id)
    return {
        row[0]: (row[1], row[2], row[3]) for row in session.execute(query.where(event.id.in_(ids)))
    }


def _names(session: Session, key: Any, name: Any, ids: Iterable[int]) -> dict[int, str]:
    wanted = set(ids)
    if not wanted:
        return {}
    return {row[0]: row[1] for row in session.execute(select(key, name).where(key.in_(wanted)))}
