"""Balances per period, kept in the transaction of each posting (architecture rule 6).

Callers hold the posting counter (chain.next_link), so no two postings change balances at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, and_, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.ledger.account import ZERO, AccountBalance, AccountingPeriod, AuxiliaryBalance
from models.ledger.voucher import VoucherEntry

AUXILIARIES = ("customer_id", "project_id", "bank_id", "department_id")
Key = tuple[int, ...]
CHUNK = 100  # keys per statement: SQLite limits the depth of an expression


@dataclass
class Movement:
    """Debit and credit to be added, by account and by account with its auxiliaries (0 for none)."""

    accounts: dict[Key, list[Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: [ZERO, ZERO])
    )
    auxiliaries: dict[Key, list[Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: [ZERO, ZERO])
    )

    def add(self, entries: Iterable[VoucherEntry]) -> "Movement":
        """Count entries in; one without any auxiliary moves the account alone."""
        for entry in entries:
            names = tuple(int(getattr(entry, name) or 0) for name in AUXILIARIES)
            targets = [self.accounts[entry.account_id,]]
            if any(names):
                targets.append(self.auxiliaries[entry.account_id, *names])
            for sums in targets:
                sums[0] += entry.debit
                sums[1] += entry.credit
        return self


def apply(session: Session, period: AccountingPeriod, movement: Movement) -> None:
    """Add a movement to the balances of `period` and carry it into the openings of later periods."""
    _apply(session, period, AccountBalance.__table__, ("account_id",), movement.accounts)
    _apply(
        session,
        period,
        AuxiliaryBalance.__table__,
        ("account_id", *AUXILIARIES),
        movement.auxiliaries,
    )


def _apply(
    session: Session,
    period: AccountingPeriod,
    table: Table,
    names: Sequence[str],
    sums: dict[Key, list[Decimal]],
) -> None:
    columns = [table.c[name] for name in names]
    items = list(sums.items())
    for start in range(0, len(items), CHUNK):
        _apply_chunk(session, period, table, columns, dict(items[start : start + CHUNK]))


def _apply_chunk(
    session: Session,
    period: AccountingPeriod,
    table: Table,
    columns: list[Any],
    sums: dict[Key, list[Decimal]],
) -> None:
    names = [column.name for column in columns]
    wanted = or_(*(and_(*(c == v for c, v in zip(columns, key, strict=True))) for key in sums))
    present = {
        tuple(row)
        for row in session.execute(select(*columns).where(table.c.period_id == period.id, wanted))
    }
    known = [_change(names, key, sums[key]) for key in sums if key in present]
    if known:
        _add(session, table, names, known, period.id)
    missing = [key for key in sums if key not in present]
    if missing:
        openings = _openings(session, period, table, columns, wanted)
        rows = [
            _new_row(period.id, names, key, openings.get(key, ZERO), sums[key]) for key in missing
        ]
        session.execute(insert(table), rows)
    _carry(session, period, table, names, [_change(names, key, s) for key, s in sums.items()])


def _change(names: Sequence[str], key: Key, sums: Sequence[Decimal]) -> dict[str, Any]:
    change: dict[str, Any] = {f"of_{name}": value for name, value in zip(names, key, strict=True)}
    return {**change, "more_debit": sums[0], "more_credit": sums[1], "net": sums[0] - sums[1]}


def _new_row(
    period_id: int, names: Sequence[str], key: Key, opening: Decimal, sums: Sequence[Decimal]
) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(names, key, strict=True))
    amounts = {
        "opening": opening,
        "debit": sums[0],
        "credit": sums[1],
        "closing": opening + sums[0] - sums[1],
    }
    return {**row, **amounts, "period_id": period_id}


def _add(
    session: Session,
    table: Table,
    names: Sequence[str],
    changes: list[dict[str, Any]],
    period_id: int,
) -> None:
    statement = (
        update(table)
        .where(
            table.c.period_id == period_id,
            *(table.c[name] == bindparam(f"of_{name}") for name in names),
        )
        .values(
            debit=table.c.debit + bindparam("more_debit", type_=Money()),
            credit=table.c.credit + bindparam("more_credit", type_=Money()),
            closing=table.c.closing + bindparam("net", type_=Money()),
        )
    )
    session.connection().execute(statement, changes)


def _openings(
    session: Session, period: AccountingPeriod, table: Table, columns: Sequence[Any], wanted: Any
) -> dict[Key, Decimal]:
    """The closing balance of the last earlier period in which each key moved."""
    rows = session.execute(
        select(*columns, table.c.closing)
        .join(AccountingPeriod, AccountingPeriod.id == table.c.period_id)
        .where(AccountingPeriod.code < period.code, wanted)
        .order_by(AccountingPeriod.code)
    )
    return {tuple(row[:-1]): row[-1] for row in rows}


def _carry(
    session: Session,
    period: AccountingPeriod,
    table: Table,
    names: Sequence[str],
    changes: list[dict[str, Any]],
) -> None:
    later = select(AccountingPeriod.id).where(AccountingPeriod.code > period.code)
    if session.scalar(later.limit(1)) is None:
        return
    statement = (
        update(table)
        .where(
            table.c.period_id.in_(later),
            *(table.c[name] == bindparam(f"of_{name}") for name in names),
        )
        .values(
            opening=table.c.opening + bindparam("net", type_=Money()),
            closing=table.c.closing + bindparam("net", type_=Money()),
        )
    )
    session.connection().execute(statement, changes)
