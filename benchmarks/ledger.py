"""The ledger's verbs beside raw SQL that leaves the same vouchers, balances, numbers and chain behind.

Both write one voucher after the other, each in three transactions (制单, 审核, 记账), into a database of its own made
from the same rows, in turns of 100. The raw side checks nothing and writes no audit trail and no search index.
"""

import json
import random
import shutil
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from app import create_app
from app.extensions import db
from benchmarks.data import SEED, settings_for
from models.base.actor import SYSTEM, Actor
from models.base.entity import Entity
from models.ledger.account import Account
from models.ledger.voucher import Voucher, VoucherEntry
from workflows.base.context import Ctx
from workflows.ledger import voucher as vouchers
from workflows.ledger.chain import GENESIS, ChainHead, ChainLine, link
from workflows.ledger.entries import Line
from workflows.ledger.period import ensure_period

DAY: Final = date(2026, 11, 2)
TURN: Final = 100
RECEIVABLE, INCOME, TAX = "1122", "6031", "2221.01.02"
WORD: Final = "transfer"
PEOPLE: Final = (2, 3, 4)  # whoever wrote it may not review it, and neither may post it


@dataclass
class Figures:
    """Milliseconds of each voucher."""

    label: str
    ms: list[float] = field(default_factory=list)

    def row(self, base: float) -> tuple[str, ...]:
        """Cells of the table: median, vouchers a second, ratio to the raw median, first and last hundred."""
        median = statistics.median(self.ms)
        first, last = statistics.median(self.ms[:TURN]), statistics.median(self.ms[-TURN:])
        per_second = len(self.ms) / sum(self.ms) * 1000
        return (
            self.label,
            f"{median:.2f} ms",
            f"{per_second:,.0f}",
            f"{median / base:.1f}",
            f"{first:.2f} → {last:.2f} ms",
        )


@dataclass(frozen=True)
class Job:
    """What one voucher says; amounts in fen."""

    number: int
    project_id: int
    project_number: str
    customer_id: int
    customer_number: str
    fen: int
    tax: int


def jobs(path: Path, count: int) -> list[Job]:
    """The same vouchers for both sides."""
    rng = random.Random(SEED)
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT p.id, p.number, c.id, c.number FROM project p JOIN customer c ON c.id = p.customer_id "
            "ORDER BY p.id LIMIT ?",
            (count,),
        ).fetchall()
    amounts = [rng.randrange(100_000, 90_000_000) for _ in range(count)]
    return [Job(n + 1, *rows[n % len(rows)], fen, fen * 6 // 106) for n, fen in enumerate(amounts)]


class Ours:
    """The verbs, each in a transaction of its own as a request has it."""

    def __init__(self, path: Path) -> None:
        self.app = create_app(settings_for(path))
        self.app.app_context().push()
        with self._writing(PEOPLE[0]) as ctx:
            ensure_period(ctx, DAY)
            self.accounts = dict(ctx.session.execute(select(Account.code, Account.id)).all())

    @contextmanager
    def _writing(self, employee: int) -> Iterator[Ctx]:
        session: Session = db.session()
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        actor: Actor = replace(SYSTEM, employee_id=employee)
        yield Ctx(session=session, actor=actor, today=date(2026, 11, 23), now=datetime.now(UTC))
        session.commit()
        db.session.remove()

    def __call__(self, job: Job) -> None:
        own = {"customer_id": job.customer_id, "project_id": job.project_id}
        lines = [
            Line(self.accounts[RECEIVABLE], debit=_yuan(job.fen), **own),
            Line(self.accounts[INCOME], credit=_yuan(job.fen - job.tax)),
            Line(self.accounts[TAX], credit=_yuan(job.tax)),
        ]
        with self._writing(PEOPLE[0]) as ctx:
            memo = f"计提担保费 {job.project_number}"
            key = vouchers.create_draft(ctx, date=DAY, word=WORD, memo=memo, entries=lines).id
        with self._writing(PEOPLE[1]) as ctx:
            vouchers.review(ctx, ctx.session.get_one(Voucher, key))
        with self._writing(PEOPLE[2]) as ctx:
            vouchers.post(ctx, ctx.session.get_one(Voucher, key))


class Raw:
    """The same by hand on the database's own driver, with the product's own settings of SQLite."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in (
            "foreign_keys=ON",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "cache_size=-32000",
        ):
            self.connection.execute(f"PRAGMA {pragma}")
        self.accounts = dict(self.connection.execute("SELECT code, id FROM account").fetchall())
        self.word, name = self.connection.execute(
            "SELECT id, name FROM voucher_word WHERE code = ?", (WORD,)
        ).fetchone()
        self.prefix = f"{DAY:%Y-%m}-{name}-"
        self.connection.execute(
            "INSERT OR IGNORE INTO accounting_period (code, year, month, starts_on, ends_on, state, version, extra) "
            "VALUES ('2026-11', 2026, 11, '2026-11-01', '2026-11-30', 'OPEN', 1, '{}')"
        )
        self.period = self.connection.execute(
            "SELECT id FROM accounting_period WHERE code = '2026-11'"
        ).fetchone()[0]
        for rule, scope in (("voucher", f"{DAY:%Y-%m}|{WORD}"), ("voucher.posting", "")):
            self.connection.execute(
                "INSERT OR IGNORE INTO number_counter (rule_code, scope, last_no, version, extra) "
                "VALUES (?, ?, 0, 1, '{}')",
                (rule, scope),
            )

    def __call__(self, job: Job) -> None:
        memo = f"计提担保费 {job.project_number}"
        keys = f"客户={job.customer_number};项目={job.project_number}"
        lines = [
            (1, RECEIVABLE, job.fen, 0, keys),
            (2, INCOME, 0, job.fen - job.tax, ""),
            (3, TAX, 0, job.tax, ""),
        ]
        with self._writing():
            code, key = self._draft(job, memo, lines)
        with self._writing():
            self.connection.execute(
                "UPDATE voucher SET state = 'REVIEWED', reviewed_by_id = ?, reviewed_at = ?, version = version + 1 "
                "WHERE id = ? AND state = 'DRAFT'",
                (PEOPLE[1], _now(), key),
            )
        with self._writing():
            self._post(job, key, ChainHead(code, DAY.isoformat(), memo, 0, ""), lines)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        yield
        self.connection.execute("COMMIT")

    def _count(self, rule: str, scope: str) -> int:
        query = "UPDATE number_counter SET last_no = last_no + 1 WHERE rule_code = ? AND scope = ? RETURNING last_no"
        return int(self.connection.execute(query, (rule, scope)).fetchone()[0])

    def _draft(self, job: Job, memo: str, lines: list[Any]) -> tuple[str, int]:
        number, now = self._count("voucher", f"{DAY:%Y-%m}|{WORD}"), _now()
        code = f"{self.prefix}{number:04d}"
        stamps = {"created_by_id": PEOPLE[0], "created_at": now, "updated_at": now}
        own = {"customer_id": job.customer_id, "project_id": job.project_id}
        key = self.insert_voucher(
            code,
            number,
            DAY,
            memo=memo,
            total=job.fen,
            stamps={"prepared_by_id": PEOPLE[0], **stamps},
        )
        for line in lines:
            self.insert_entry(key, line, memo, own if line[-1] else {}, stamps)
        return code, key

    def insert_voucher(
        self, code: str, number: int, on: date, memo: str, total: int, stamps: dict[str, Any]
    ) -> int:
        """A draft voucher; its id."""
        return self._insert(
            Voucher,
            {
                "code": code,
                "word_id": self.word,
                "number": number,
                "period_id": self.period,
                "date": on.isoformat(),
                "memo": memo,
                "total": total,
                "is_cash": 0,
                "state": "DRAFT",
                **stamps,
            },
        )

    def insert_entry(
        self,
        key: int,
        line: tuple[Any, ...],
        memo: str,
        own: dict[str, Any],
        stamps: dict[str, Any],
    ) -> None:
        """One line (number, account, debit, credit, auxiliaries in words) of a draft."""
        number, account, debit, credit, auxiliary = line
        self._insert(
            VoucherEntry,
            {
                "voucher_id": key,
                "line_no": number,
                "memo": memo,
                "account_id": self.accounts[account],
                "debit": debit,
                "credit": credit,
                "auxiliary_keys": auxiliary,
                **own,
                **stamps,
            },
        )

    def _insert(self, model: type[Entity], values: dict[str, Any]) -> int:
        row = {**_constants(model), **values}
        names, places = ", ".join(row), ", ".join("?" * len(row))
        done = self.connection.execute(
            f"INSERT INTO {model.__tablename__} ({names}) VALUES ({places})", tuple(row.values())
        )
        assert done.lastrowid is not None
        return done.lastrowid

    def _post(self, job: Job, key: int, head: ChainHead, lines: list[Any]) -> None:
        for _, account, debit, credit, auxiliary in lines:
            self._balance("account_balance", "", (self.accounts[account],), debit, credit)
            if auxiliary:
                keys = (self.accounts[account], job.customer_id, job.project_id, 0, 0)
                names = ", customer_id, project_id, bank_id, department_id"
                self._balance("auxiliary_balance", names, keys, debit, credit)
        self.mark_posted(key, head, lines)

    def mark_posted(self, key: int, head: ChainHead, lines: list[Any]) -> None:
        """Link a reviewed voucher into the chain."""
        number = self._count("voucher.posting", "")
        found = self.connection.execute(
            "SELECT hash FROM voucher WHERE posting_no = ?", (number - 1,)
        ).fetchone()
        previous = found[0] if found else GENESIS
        content = [
            ChainLine(
                n, a, head.memo, debit=_text(d), credit=_text(c), auxiliaries=aux, cash_flow=""
            )
            for n, a, d, c, aux in lines
        ]
        self.connection.execute(
            "UPDATE voucher SET state = 'POSTED', posting_no = ?, previous_hash = ?, hash = ?, posted_by_id = ?, "
            "posted_at = ?, version = version + 1 WHERE id = ? AND state = 'REVIEWED'",
            (number, previous, link(previous, head, content), PEOPLE[2], _now(), key),
        )

    def _balance(
        self, table: str, names: str, keys: tuple[int, ...], debit: int, credit: int
    ) -> None:
        places, same = (
            ", ".join("?" * len(keys)),
            " AND ".join(f"b.{n} = ?" for n in f"account_id{names}".split(", ")),
        )
        # What stood on the account at the end of the last earlier month in which it moved.
        opening = (
            f"coalesce((SELECT b.closing FROM {table} b JOIN accounting_period p ON p.id = b.period_id "
            f"WHERE {same} AND p.code < '2026-11' ORDER BY p.code DESC LIMIT 1), 0)"
        )
        self.connection.execute(
            f"INSERT INTO {table} (period_id, account_id{names}, opening, debit, credit, closing, version, extra) "
            f"SELECT ?, {places}, o, ?, ?, o + ?, 1, '{{}}' FROM (SELECT {opening} AS o) WHERE true "
            f"ON CONFLICT (account_id, period_id{names}) DO UPDATE SET debit = debit + excluded.debit, "
            "credit = credit + excluded.credit, closing = closing + excluded.debit - excluded.credit",
            (self.period, *keys, debit, credit, debit - credit, *keys),
        )


@cache
def _constants(model: type[Entity]) -> dict[str, Any]:
    """What a row holds where nobody says otherwise: the scalar defaults of the model, as SQLite keeps them."""
    columns = [
        column
        for column in model.__table__.columns
        if isinstance(column.default, ScalarElementColumnDefault)
    ]
    found = {column.name: column.default.arg for column in columns}
    plain = {
        name: value.name if isinstance(value, Enum) else int(value)
        for name, value in found.items()
        if isinstance(value, Enum | int | Decimal)
    }
    return {**plain, "extra": "{}"}


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _text(fen: int) -> str:
    return f"{_yuan(fen):.2f}"


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(" ")


def _same(ours: Path, raw: Path) -> bool:
    """Both sides end with the same vouchers, entries, balances and chain."""
    queries = (
        "SELECT code, total, state, posting_no, hash FROM voucher WHERE date = '2026-11-02' ORDER BY posting_no",
        (
            "SELECT e.line_no, account_id, debit, credit, auxiliary_keys FROM voucher v JOIN voucher_entry e "
            "ON e.voucher_id = v.id WHERE v.date = '2026-11-02' ORDER BY v.id, e.line_no"
        ),
        "SELECT account_id, period_id, opening, debit, credit, closing FROM account_balance ORDER BY 1, 2",
        (
            "SELECT account_id, customer_id, project_id, opening, debit, credit, closing FROM auxiliary_balance b JOIN "
            "accounting_period p ON p.id = b.period_id WHERE p.code = '2026-11' ORDER BY 1, 2, 3, b.department_id"
        ),
    )
    with sqlite3.connect(ours) as left, sqlite3.connect(raw) as right:
        return all(left.execute(q).fetchall() == right.execute(q).fetchall() for q in queries)


def measure(source: Path, count: int) -> list[tuple[str, ...]]:
    """Rows of the table; raises where the two sides do not agree to the last fen and hash."""
    paths = [source.with_name("ledger-ours.db"), source.with_name("ledger-raw.db")]
    for path in paths:
        shutil.copy(source, path)
    todo = jobs(source, count)
    sides: list[tuple[Callable[[Job], None], Figures]] = [
        (Ours(paths[0]), Figures("本系统（含校验、操作日志、搜索索引）")),
        (Raw(paths[1]), Figures("直接写 SQL")),
    ]
    for start in range(0, count, TURN):
        for side, figures in sides:
            for job in todo[start : start + TURN]:
                started = time.process_time()
                side(job)
                figures.ms.append((time.process_time() - started) * 1000)
    if not _same(*paths):
        raise SystemExit("本系统与直接写 SQL 的结果不一致")
    base = statistics.median(sides[1][1].ms)
    return [figures.row(base) for _, figures in sides]


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2])), ensure_ascii=False))
