"""The ledger's side of the bulk: vouchers with numbers, balances and chain as the verbs would have left them.

Rows go in the way the database demands of everybody: reviewed first, then their entries, then posted.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.demo.bulk_write import in_words, write
from app.demo.stage import Stage
from app.demo.story import ACCOUNTANT, CASHIER, CHIEF, POSTER
from models.base.entity import Entity
from models.ledger.account import ZERO, Account, AccountingPeriod, AuxiliaryBalance
from models.ledger.event import EVENTS
from models.ledger.voucher import (
    BusinessEvent,
    CashFlow,
    EventState,
    Voucher,
    VoucherEntry,
    VoucherKind,
    VoucherState,
    VoucherWord,
)
from models.system.setup import NumberCounter
from workflows.ledger import balances, chain
from workflows.ledger.chain import ChainHead, ChainLine, link
from workflows.ledger.period import ensure_period

Row = dict[str, Any]
Key = tuple[int, ...]


class Rows:
    """Rows by table on their way into the database, with ids given here so that they can refer to each other.

    `now` is when they are made; the system makes them.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.now = dt.datetime.now(dt.UTC)
        self._next: dict[type[Entity], int] = {}
        self._waiting: dict[Any, list[Row]] = defaultdict(list)

    def new_id(self, model: type[Entity]) -> int:
        """The next id of a table."""
        if model not in self._next:
            self._next[model] = int(
                self.session.scalar(select(func.max(model.__table__.c.id))) or 0
            )
        self._next[model] += 1
        return self._next[model]

    def add(self, model: type[Entity], row: Row) -> None:
        """Let a row wait for `write`."""
        self._waiting[model.__table__].append(row)

    def write(self, *models: type[Entity]) -> None:
        """Insert what waits, in the order of these tables."""
        for model in models:
            table = model.__table__
            if rows := self._waiting.pop(table, None):
                same = {"version": 1, "created_at": self.now, "updated_at": self.now, "extra": {}}
                write(self.session, table, rows, same)

    def release_ids(self) -> None:
        """Let the database's own sequences go on behind the ids given here."""
        if self.session.get_bind().dialect.name == "postgresql":
            for model, last in self._next.items():
                name = model.__tablename__
                query = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")
                self.session.execute(query, {"name": name, "last": last})
        self._next.clear()


class Numbers:
    """Numbers of the product's own counters, raised in memory and kept once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._last: dict[tuple[str, str], int] = {}

    def next(self, rule: str, scope: str = "") -> int:
        """The next number of a counter."""
        key = (rule, scope)
        if key not in self._last:
            query = select(NumberCounter.last_no).where(
                NumberCounter.rule_code == rule, NumberCounter.scope == scope
            )
            self._last[key] = self.session.scalar(query) or 0
        self._last[key] += 1
        return self._last[key]

    def keep(self) -> None:
        """Raise the counters to what was given here."""
        for (rule, scope), last in self._last.items():
            where = (NumberCounter.rule_code == rule, NumberCounter.scope == scope)
            kept = self.session.scalar(select(NumberCounter.id).where(*where))
            values: Row = {"last_no": last}
            if kept is None:
                values |= {"rule_code": rule, "scope": scope, "version": 1, "extra": {}}
                self.session.execute(insert(NumberCounter.__table__), [values])
            else:
                self.session.execute(
                    update(NumberCounter.__table__).where(NumberCounter.id == kept).values(values)
                )
        self._last.clear()


@dataclass(frozen=True)
class Of:
    """Whom entries are about."""

    customer_id: int
    customer_number: str
    project_id: int
    project_number: str
    bank_id: int
    department_id: int

    @property
    def keys(self) -> str:
        """The auxiliaries as the chain covers them."""
        return f"客户={self.customer_number};项目={self.project_number}"


# account, amount (debit positive, credit negative), whom it is about, row of the cash-flow statement
Entry = tuple[str, Decimal, Of | None, CashFlow | None]


@dataclass
class Books:
    """Writes posted vouchers of one month in bulk."""

    stage: Stage
    rows: Rows
    numbers: Numbers
    day: dt.date
    period: AccountingPeriod = field(init=False)
    posted: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        session, ctx = self.stage.session, self.stage.ctx()
        self.now = self.rows.now = ctx.now
        self.period = ensure_period(ctx, self.day)
        self.accounts: dict[str, int] = dict(
            session.execute(select(Account.code, Account.id)).all()
        )
        self.words: dict[str, tuple[int, str]] = {
            code: (key, name)
            for code, key, name in session.execute(
                select(VoucherWord.code, VoucherWord.id, VoucherWord.name)
            )
        }
        self.people = {
            name: self.stage.actor(name).employee_id
            for name in (ACCOUNTANT, CASHIER, CHIEF, POSTER)
        }
        self.movement = balances.Movement()
        _, self.head = chain.head(session)

    def event(
        self,
        code: str,
        record: tuple[str, int],
        of: Of,
        amounts: dict[str, Decimal],
        on: dt.date,
        memo: str,
    ) -> int:
        """A business event of a record, still without its voucher; its id."""
        key, kind = self.rows.new_id(BusinessEvent), EVENTS[code]
        number = f"FH{on:%Y}-{self.numbers.next('business_event', f'{on:%Y}'):05d}"
        self.rows.add(
            BusinessEvent,
            {
                "id": key,
                "number": number,
                "event_code": code,
                "label": kind.label,
                "record_table": record[0],
                "record_id": record[1],
                "sequence": 1,
                "project_id": of.project_id,
                "customer_id": of.customer_id,
                "bank_id": of.bank_id,
                "department_id": of.department_id,
                "amounts": {name: f"{amount:.2f}" for name, amount in amounts.items()},
                "total": sum((amounts[name] for name in kind.total), ZERO),
                "occurred_on": on,
                "memo": memo,
                "state": EventState.PENDING,
            },
        )
        return key

    def voucher(
        self,
        word: str,
        on: dt.date,
        memo: str,
        entries: list[Entry],
        *,
        event_id: int | None = None,
        kind: VoucherKind = VoucherKind.ORDINARY,
    ) -> int:
        """A voucher, its entries and its link of the chain; its id."""
        key = self.rows.new_id(Voucher)
        word_id, name = self.words[word]
        number = self.numbers.next("voucher", f"{self.period.code}|{word}")
        code = f"{self.period.code}-{name}-{number:04d}"
        is_cash = any(account.startswith("1002") for account, *_ in entries)
        total = sum((max(amount, ZERO) for _, amount, _, _ in entries), ZERO)
        self.rows.add(
            Voucher,
            {
                "id": key,
                "code": code,
                "kind": kind,
                "word_id": word_id,
                "number": number,
                "period_id": self.period.id,
                "date": on,
                "memo": memo,
                "attachments": 0,
                "total": total,
                "is_cash": is_cash,
                "state": VoucherState.REVIEWED,
                "prepared_by_id": self.people[ACCOUNTANT] if event_id else None,
                "reviewed_by_id": self.people[CHIEF],
                "reviewed_at": self.now,
                "event_id": event_id,
                "signed_by_id": self.people[CASHIER] if is_cash else None,
                "signed_at": self.now if is_cash else None,
            },
        )
        lines = [self._entry(key, no, memo, entry) for no, entry in enumerate(entries, 1)]
        posting_no, previous = self.numbers.next(chain.COUNTER), self.head
        self.head = link(previous, ChainHead(code, on.isoformat(), memo, 0, ""), lines)
        self.posted.append(
            {"of_id": key, "new_no": posting_no, "new_previous": previous, "new_hash": self.head}
        )
        return key

    def _entry(self, voucher_id: int, no: int, memo: str, entry: Entry) -> ChainLine:
        code, amount, of, cash_flow = entry
        account_id, debit, credit = self.accounts[code], max(amount, ZERO), max(-amount, ZERO)
        self.rows.add(
            VoucherEntry,
            {
                "id": self.rows.new_id(VoucherEntry),
                "voucher_id": voucher_id,
                "line_no": no,
                "memo": memo,
                "account_id": account_id,
                "debit": debit,
                "credit": credit,
                "customer_id": of.customer_id if of else None,
                "project_id": of.project_id if of else None,
                "cash_flow": cash_flow,
                "auxiliary_keys": of.keys if of else "",
            },
        )
        targets = [self.movement.accounts[account_id,]]
        if of:
            targets.append(
                self.movement.auxiliaries[account_id, of.customer_id, of.project_id, 0, 0]
            )
        for sums in targets:
            sums[0] += debit
            sums[1] += credit
        return ChainLine(
            no,
            code,
            memo,
            debit=f"{debit:.2f}",
            credit=f"{credit:.2f}",
            auxiliaries=of.keys if of else "",
            cash_flow=cash_flow.name if cash_flow else "",
        )

    def write(self) -> None:
        """Put the waiting events, vouchers and entries into the books, posted."""
        session, poster = self.stage.session, self.people[POSTER]
        self.rows.write(BusinessEvent, Voucher, VoucherEntry)
        posted = self.posted
        if not posted:
            return
        vouchers = Voucher.__table__
        same = {"state": VoucherState.POSTED, "posted_by_id": poster, "posted_at": self.now}
        statement = (
            update(vouchers)
            .where(vouchers.c.id == bindparam("of_id"))
            .values(
                posting_no=bindparam("new_no"),
                previous_hash=bindparam("new_previous"),
                hash=bindparam("new_hash"),
                **in_words(session.connection().dialect, vouchers, same),
            )
        )
        session.connection().execute(statement, posted)
        of_event = select(Voucher.__table__.c.id).where(
            Voucher.__table__.c.event_id == BusinessEvent.__table__.c.id
        )
        first, last = posted[0]["of_id"], posted[-1]["of_id"]
        events = select(Voucher.__table__.c.event_id).where(
            Voucher.__table__.c.id.between(first, last), Voucher.__table__.c.event_id.is_not(None)
        )
        session.execute(
            update(BusinessEvent.__table__)
            .where(BusinessEvent.__table__.c.id.in_(events))
            .values(
                state=EventState.BOOKED,
                voucher_id=of_event.scalar_subquery(),
                booked_at=self.now,
                booked_by_id=self.people[ACCOUNTANT],
            )
        )
        self._write_auxiliaries()
        self.posted = []

    def _write_auxiliaries(self) -> None:
        """Balances by customer and project: these projects are new, so nothing stood there before."""
        for key, (debit, credit) in self.movement.auxiliaries.items():
            self.rows.add(
                AuxiliaryBalance,
                {
                    "period_id": self.period.id,
                    "account_id": key[0],
                    "customer_id": key[1],
                    "project_id": key[2],
                    "bank_id": 0,
                    "department_id": 0,
                    "opening": ZERO,
                    "debit": debit,
                    "credit": credit,
                    "closing": debit - credit,
                },
            )
        self.rows.write(AuxiliaryBalance)
        self.movement.auxiliaries.clear()

    def close(self) -> None:
        """Carry the month's movement into the kept balances of the accounts."""
        balances.apply(self.stage.session, self.period, self.movement)
