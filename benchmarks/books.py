"""The books of the large demo: posting, trial balance, month-end close and day-end beside raw SQL doing the same.

Both sides work on a copy of the same database each and must end with the same figures to the fen. The raw side keeps
no audit trail and no search index, and issues no statements.
"""

import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from app import create_app
from app.demo.load import SIZES, Size, load_demo
from app.demo.stage import Stage
from app.demo.story import book_events, post_vouchers
from app.demo.year import CLOSER
from app.extensions import db
from app.lifecycle import initialise
from benchmarks.data import SCHEMA, SEED, TODAY, digest_of, settings_for
from benchmarks.ledger import Raw, measure
from models.base.money import round_money
from models.system.setup import SystemState
from reports.ledger.trial_balance import trial_balance
from workflows import day_end
from workflows.ledger import closing
from workflows.ledger.chain import ChainHead

PERIOD: Final = "2026-11"
LAST: Final = date(2026, 11, 30)
FIRST_OF_YEAR: Final = "2026-01"
Row = tuple[str, ...]


def dataset(projects: int) -> Path:
    """The demo with this many projects in bulk, made on first use; its code is part of its name."""
    folder = Path(tempfile.gettempdir()) / "guarantee-bench"
    folder.mkdir(exist_ok=True)
    path = folder / f"books-{projects}-{digest_of(*SCHEMA, 'app/demo/*.py')}.db"
    if not path.exists():
        for leftover in folder.glob(f"books-{projects}-*"):
            leftover.unlink()
        draft = path.with_suffix(".draft")
        _build(draft, replace(SIZES["large"], bulk=projects))
        draft.rename(path)
    return path


def _build(path: Path, size: Size) -> None:
    app = create_app(settings_for(path))
    with app.app_context():
        initialise(app)
        load_demo(
            app,
            size=size,
            seed=SEED,
            as_of=TODAY,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )
        _clear_desk(db.session())
        db.session.remove()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()


def _clear_desk(session: Session) -> None:
    """Book and post what the demo leaves to be done by hand, so that the month can be closed on its last day."""
    session.rollback()
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    stage = Stage(session, random.Random(SEED), date(2027, 1, 31), LAST)
    session.get_one(SystemState, 1).business_date = LAST
    book_events(stage, None)
    post_vouchers(stage)
    session.commit()


class Ours:
    """The product's own verbs and reports on one database."""

    def __init__(self, path: Path) -> None:
        self.app = create_app(settings_for(path))
        self.app.app_context().push()

    @contextmanager
    def writing(self) -> Iterator[Stage]:
        """A unit of work on the last day of the month."""
        session: Session = db.session()
        session.rollback()  # what only read ends here
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        yield Stage(session, random.Random(SEED), LAST, LAST)
        session.commit()
        db.session.remove()

    def trial_balance(self) -> dict[str, tuple[int, int, int, int]]:
        """科目余额表 of the year: opening, debit, credit and closing of the accounts that moved, in fen."""
        found = trial_balance(db.session(), FIRST_OF_YEAR, PERIOD)
        return {
            row.code: (
                _fen(row.opening_debit - row.opening_credit),
                _fen(row.debit),
                _fen(row.credit),
                _fen(row.closing_debit - row.closing_credit),
            )
            for row in found.rows
        }

    def close(self) -> None:
        """结账 of the month, with its checks and vouchers."""
        with self.writing() as stage:
            period = closing.prepare(stage.ctx(CLOSER), PERIOD)
            closing.close(stage.ctx(CLOSER), period, period.version)

    def step(self, code: str) -> None:
        """One step of the day-end of the month's last day."""
        with self.writing() as stage:
            next(step for step in day_end.STEPS if step.code == code).run(stage.ctx_of_day(LAST))


class Plain(Raw):
    """The same by hand in SQL."""

    def trial_balance(self) -> dict[str, tuple[int, int, int, int]]:
        """One statement over the kept balances; parents sum what lies below them by their code."""
        rows = self.connection.execute(
            """
            WITH leaf AS (
              SELECT account_id, sum(CASE WHEN p.code < :first THEN b.debit - b.credit ELSE 0 END) AS opening,
                     sum(CASE WHEN p.code < :first THEN 0 ELSE b.debit END) AS debit,
                     sum(CASE WHEN p.code < :first THEN 0 ELSE b.credit END) AS credit
              FROM account_balance b JOIN accounting_period p ON p.id = b.period_id WHERE p.code <= :last
              GROUP BY account_id)
            SELECT a.code, sum(opening), sum(debit), sum(credit), sum(opening + debit - credit)
            FROM account a JOIN account l ON l.code = a.code OR l.code LIKE a.code || '.%'
            JOIN leaf ON leaf.account_id = l.id GROUP BY a.id
            HAVING sum(opening) <> 0 OR sum(debit) <> 0 OR sum(credit) <> 0 ORDER BY a.code
            """,
            {"first": FIRST_OF_YEAR, "last": PERIOD},
        )
        return {row[0]: tuple(row[1:]) for row in rows}

    def close(self) -> None:
        """The checks, the provisions, 结转损益 and the closed period."""
        with self._writing():
            self._check()
            self._provide()
            self._transfer()
            self.connection.execute(
                "UPDATE accounting_period SET state = 'CLOSED', closed_at = ?, closed_by_id = 1, "
                "version = version + 1 WHERE id = ?",
                (_now(), self.period),
            )

    def _check(self) -> None:
        """What must return nothing before a month is closed."""
        wrong = [
            query
            for query in CHECKS
            if self.connection.execute(query, {"period": self.period}).fetchone()
        ]
        if wrong:
            raise SystemExit(f"结账检查未通过：{wrong[0]}")

    def _parameter(self, code: str) -> Decimal:
        query = "SELECT value FROM parameter WHERE code = ? ORDER BY effective_on DESC LIMIT 1"
        return Decimal(self.connection.execute(query, (code,)).fetchone()[0])

    def _closing(self, code: str, since: str = "0000-00") -> int:
        """Debit less credit of an account up to the month, in fen."""
        query = (
            "SELECT coalesce(sum(b.debit - b.credit), 0) FROM account_balance b JOIN accounting_period p "
            "ON p.id = b.period_id JOIN account a ON a.id = b.account_id "
            "WHERE a.code = ? AND p.code BETWEEN ? AND ?"
        )
        return int(self.connection.execute(query, (code, since, PERIOD)).fetchone()[0])

    def _earned(self, code: str, since: str) -> int:
        """The same from entries of vouchers that do not move profit."""
        query = (
            "SELECT coalesce(sum(e.debit - e.credit), 0) FROM voucher_entry e JOIN voucher v ON v.id = e.voucher_id "
            "JOIN accounting_period p ON p.id = v.period_id JOIN account a ON a.id = e.account_id "
            "WHERE a.code = ? AND p.code BETWEEN ? AND ? AND v.state = 'POSTED' "
            "AND v.kind NOT IN ('TRANSFER', 'YEAR_END')"
        )
        return int(self.connection.execute(query, (code, since, PERIOD)).fetchone()[0])

    def _liability(self) -> int:
        """担保责任余额 in fen."""
        weights = {
            kind: self._parameter(f"weight.{kind}_pct")
            for kind in ("loan", "small_loan", "other_financing")
        }
        ceiling = self._parameter("weight.small_loan_ceiling") * 100
        total = Decimal(0)
        for kind, small, share, party, balance in self.connection.execute(
            LIABILITY, {"on": LAST.isoformat()}
        ):
            weight = weights["other_financing"]
            if kind == "LOAN":
                weight = weights["small_loan" if small != "NONE" and party <= ceiling else "loan"]
            total += Decimal(balance) * (100 - Decimal(share) / 100) * weight / 10_000
        return _fen(round_money(total / 100))

    def _provide(self) -> None:
        base = Decimal(-self._earned("6031", "2025-12")) / 100
        unearned = _fen(
            round_money(base * self._parameter("provision.unearned_pct") / 100)
        ) + self._closing("2601")
        self._voucher(f"提取 {PERIOD} 未到期责任准备金", [("6501", unearned), ("2601", -unearned)])
        yuan = Decimal(self._liability()) / 100
        rate = self._parameter("provision.compensation_pct")
        more = _fen(round_money(yuan * rate * LAST.month / 1200)) - self._earned(
            "6502", FIRST_OF_YEAR
        )
        cap = _fen(round_money(yuan * self._parameter("provision.compensation_cap_pct") / 100))
        more = min(more, cap + self._closing("2602"))
        self._voucher(f"提取 {PERIOD} 担保赔偿准备金", [("6502", more), ("2602", -more)])

    def _transfer(self) -> None:
        lines = self.connection.execute(
            "SELECT a.code, sum(b.debit - b.credit) FROM account_balance b JOIN account a ON a.id = b.account_id "
            "WHERE a.category = 'PROFIT' AND NOT a.needs_department GROUP BY a.id HAVING sum(b.debit - b.credit) <> 0"
        ).fetchall()
        by_department = self.connection.execute(
            "SELECT a.code, b.department_id, sum(b.debit - b.credit) FROM auxiliary_balance b JOIN account a "
            "ON a.id = b.account_id WHERE a.category = 'PROFIT' AND a.needs_department "
            "GROUP BY a.id, b.department_id HAVING sum(b.debit - b.credit) <> 0"
        ).fetchall()
        entries: list[tuple[Any, ...]] = [(code, -amount) for code, amount in lines]
        entries += [(code, -amount, department) for code, department, amount in by_department]
        self._voucher(
            f"结转 {PERIOD} 损益", [*entries, ("4103", -sum(entry[1] for entry in entries))]
        )

    def _voucher(self, memo: str, entries: list[Any]) -> None:
        """A posted voucher of the month's last day; amounts in fen, debit positive; None where nothing is to do."""
        if not any(entry[1] for entry in entries):
            return
        lines = [
            (no, code, max(amount, 0), max(-amount, 0), "", *rest)
            for no, (code, amount, *rest) in enumerate(entries, 1)
        ]
        number, now = self._count("voucher", f"{PERIOD}|transfer"), _now()
        code, stamps = f"{self.prefix}{number:04d}", {"created_at": now, "updated_at": now}
        key = self.insert_voucher(
            code, number, LAST, memo=memo, total=sum(line[2] for line in lines), stamps=stamps
        )
        departments = dict(self.connection.execute("SELECT id, code FROM department").fetchall())
        chained = []
        for no, account, debit, credit, _, *rest in lines:
            words = f"部门={departments[rest[0]]}" if rest else ""
            own = {"department_id": rest[0] if rest else None}
            self.insert_entry(key, (no, account, debit, credit, words), memo, own, stamps)
            chained.append((no, account, debit, credit, words))
            self._balance("account_balance", "", (self.accounts[account],), debit, credit)
            if rest:
                names = ", customer_id, project_id, bank_id, department_id"
                self._balance(
                    "auxiliary_balance",
                    names,
                    (self.accounts[account], 0, 0, 0, rest[0]),
                    debit,
                    credit,
                )
        self.connection.execute(
            "UPDATE voucher SET state = 'REVIEWED', reviewed_by_id = 1, reviewed_at = ? WHERE id = ?",
            (now, key),
        )
        self.mark_posted(key, ChainHead(code, LAST.isoformat(), memo, 0, ""), chained)

    def step(self, code: str) -> None:
        """One step of the day-end."""
        with self._writing():
            for statement in STEPS[code]:
                self.connection.execute(
                    statement, {"on": "2026-11-30", "next": "2026-12-01", "now": _now()}
                )


# Each returns a row where the month may not be closed.
CHECKS: Final = (
    "SELECT 1 FROM voucher WHERE period_id = :period AND state NOT IN ('POSTED', 'VOID')",
    "SELECT 1 FROM business_event WHERE state = 'PENDING' AND occurred_on <= '2026-11-30'",
    "SELECT word_id FROM voucher WHERE period_id = :period GROUP BY word_id HAVING count(*) <> max(number)",
    (
        "SELECT v.id FROM voucher v JOIN voucher_entry e ON e.voucher_id = v.id WHERE v.period_id = :period "
        "AND v.state <> 'VOID' GROUP BY v.id HAVING sum(e.debit) <> sum(e.credit)"
    ),
    (
        "SELECT k.account_id FROM account_balance k LEFT JOIN (SELECT e.account_id, sum(e.debit) AS debit, "
        "sum(e.credit) AS credit FROM voucher_entry e JOIN voucher v ON v.id = e.voucher_id "
        "WHERE v.period_id = :period AND v.state = 'POSTED' GROUP BY e.account_id) f "
        "ON f.account_id = k.account_id WHERE k.period_id = :period "
        "AND (k.debit IS NOT f.debit OR k.credit IS NOT f.credit)"
    ),
    (
        "SELECT a.id FROM account a JOIN (SELECT account_id, sum(debit - credit) AS closing FROM account_balance "
        "GROUP BY account_id) g ON g.account_id = a.id LEFT JOIN (SELECT account_id, sum(debit - credit) AS closing "
        "FROM auxiliary_balance GROUP BY account_id) x ON x.account_id = a.id WHERE a.is_leaf AND (a.needs_customer "
        "OR a.needs_project OR a.needs_bank OR a.needs_department) AND g.closing <> coalesce(x.closing, 0)"
    ),
    (
        "SELECT e.id FROM voucher_entry e JOIN voucher v ON v.id = e.voucher_id JOIN account a ON a.id = e.account_id "
        "WHERE v.period_id = :period AND ((a.needs_customer AND e.customer_id IS NULL) OR (a.needs_project "
        "AND e.project_id IS NULL) OR (a.needs_bank AND e.bank_id IS NULL) OR (a.needs_department "
        "AND e.department_id IS NULL))"
    ),
    "SELECT id FROM income_schedule WHERE recognised < amount AND ends_on <= '2026-11-30'",
)

LIABILITY: Final = """
WITH since AS (SELECT drawdown_id, sum(principal) AS paid FROM repayment WHERE paid_on > :on AND state = 'BOOKED'
               GROUP BY drawdown_id),
     stood AS (SELECT d.project_id, sum(d.balance + coalesce(s.paid, 0)) AS balance FROM drawdown d
               LEFT JOIN since s ON s.drawdown_id = d.id WHERE d.drawn_on <= :on GROUP BY d.project_id)
SELECT p.guarantee_kind, p.small_kind, p.bank_share_pct, sum(sum(s.balance)) OVER (PARTITION BY p.customer_id),
       sum(s.balance)
FROM stood s JOIN project p ON p.id = s.project_id
WHERE s.balance > 0 AND p.guarantee_kind IN ('LOAN', 'OTHER_FINANCING')
GROUP BY p.customer_id, p.guarantee_kind, p.small_kind, p.bank_share_pct
"""

_OWED = (
    "SELECT d.project_id, sum(i.principal - i.principal_paid) AS principal, sum(i.interest - i.interest_paid) "
    "AS interest, min(i.due_on) AS since FROM instalment i JOIN repayment_plan r ON r.id = i.repayment_plan_id "
    "JOIN drawdown d ON d.id = r.drawdown_id WHERE r.is_current AND i.due_on < :on "
    "AND d.state IN ('ACTIVE', 'OVERDUE') AND (i.principal_paid < i.principal OR i.interest_paid < i.interest) "
    "GROUP BY d.project_id"
)
_NEWEST = (
    "SELECT s.* FROM project_snapshot s JOIN (SELECT project_id, max(taken_on) AS taken_on FROM project_snapshot "
    "GROUP BY project_id) n ON n.project_id = s.project_id AND n.taken_on = s.taken_on"
)
STEPS: Final = {
    "overdue": (
        (
            "UPDATE drawdown SET state = 'OVERDUE', version = version + 1 WHERE state = 'ACTIVE' AND id IN (SELECT "
            "r.drawdown_id FROM instalment i JOIN repayment_plan r ON r.id = i.repayment_plan_id WHERE r.is_current "
            "AND i.due_on < :next AND (i.principal_paid < i.principal OR i.interest_paid < i.interest))"
        ),
        (
            "UPDATE instalment SET overdue_since = date(due_on, '+1 day'), version = version + 1 WHERE due_on < :next "
            "AND overdue_since IS NULL AND (principal_paid < principal OR interest_paid < interest)"
        ),
    ),
    "snapshot": (
        "DELETE FROM project_snapshot WHERE taken_on = :on",
        "DELETE FROM company_snapshot WHERE taken_on = :on",
        (
            f"WITH owed AS ({_OWED}), newest AS ({_NEWEST}) INSERT INTO project_snapshot (project_id, taken_on, stage, "
            "state, balance, overdue_principal, overdue_interest, overdue_since, version, extra, "
            "created_at, updated_at) "
            "SELECT p.id, :on, p.stage, p.state, p.balance, coalesce(o.principal, 0), "
            "coalesce(o.interest, 0), o.since, 1, "
            "'{}', :now, :now FROM project p LEFT JOIN owed o ON o.project_id = p.id LEFT JOIN newest n "
            "ON n.project_id = p.id WHERE p.state <> 'DRAFT' "
            "AND (n.id IS NULL OR n.stage <> p.stage OR n.state <> p.state "
            "OR n.balance <> p.balance OR n.overdue_principal <> coalesce(o.principal, 0) "
            "OR n.overdue_interest <> coalesce(o.interest, 0) OR n.overdue_since IS NOT o.since)"
        ),
        (
            f"WITH owed AS ({_OWED}) INSERT INTO company_snapshot (taken_on, running_count, in_force_count, "
            "in_force_balance, overdue_count, overdue_principal, overdue_interest, repaid_principal, version, extra) "
            "SELECT :on, sum(p.state = 'RUNNING'), sum(p.state = 'IN_FORCE'), "
            "sum(CASE WHEN p.state = 'IN_FORCE' THEN p.balance ELSE 0 END), count(o.project_id), "
            "coalesce(sum(o.principal), 0), coalesce(sum(o.interest), 0), (SELECT coalesce(sum(principal), 0) "
            "FROM repayment WHERE paid_on = :on AND state = 'BOOKED'), 1, '{}' FROM project p LEFT JOIN owed o "
            "ON o.project_id = p.id"
        ),
    ),
}
SAME: Final = (
    (
        "SELECT b.account_id, b.opening, b.debit, b.credit, b.closing FROM account_balance b JOIN accounting_period p "
        f"ON p.id = b.period_id WHERE p.code = '{PERIOD}' ORDER BY 1"
    ),
    (
        "SELECT project_id, stage, state, balance, overdue_principal, overdue_interest, overdue_since "
        "FROM project_snapshot WHERE taken_on = '2026-11-30' ORDER BY 1"
    ),
    (
        "SELECT running_count, in_force_count, in_force_balance, overdue_count, overdue_principal, overdue_interest, "
        "repaid_principal FROM company_snapshot WHERE taken_on = '2026-11-30'"
    ),
    "SELECT id, overdue_since FROM instalment WHERE overdue_since IS NOT NULL ORDER BY id",
)


def _fen(amount: Decimal) -> int:
    return int(amount * 100)


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(" ")


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time in seconds, and what came out."""
    started = time.process_time()
    found = act()
    return time.process_time() - started, found


def _row(label: str, ours: float, raw: float) -> Row:
    return label, f"{ours * 1000:,.1f} ms", f"{raw * 1000:,.1f} ms", f"{ours / max(raw, 1e-6):,.1f}"


def run(source: Path) -> list[Row]:
    """Trial balance, close and day-end; raises where the two sides do not agree."""
    paths = [source.with_name("books-ours.db"), source.with_name("books-raw.db")]
    for path in paths:
        shutil.copy(source, path)
    ours, raw = Ours(paths[0]), Plain(paths[1])
    ours.trial_balance(), raw.trial_balance()  # the first use of either compiles and reads in
    (left, found), (right, wanted) = _timed(ours.trial_balance), _timed(raw.trial_balance)
    if found != wanted:
        raise SystemExit("科目余额表与直接写 SQL 的结果不一致")
    rows = [_row("科目余额表", left, right)]
    rows.append(_row("月末结账", _timed(ours.close)[0], _timed(raw.close)[0]))
    for code, label in (("overdue", "日终：标记逾期"), ("snapshot", "日终：快照")):
        left, right = (
            _timed(lambda side=side, code=code: side.step(code))[0] for side in (ours, raw)
        )  # type: ignore[misc]
        rows.append(_row(label, left, right))
    for code, label in (("expire", "日终：到期处理"), ("warnings", "日终：预警检查")):
        left = _timed(lambda code=code: ours.step(code))[0]  # type: ignore[misc]
        rows.append((label, f"{left * 1000:,.1f} ms", "—", "—"))
    _compare(*paths)
    return rows


def _compare(ours: Path, raw: Path) -> None:
    with sqlite3.connect(ours) as left, sqlite3.connect(raw) as right:
        for query in SAME:
            if left.execute(query).fetchall() != right.execute(query).fetchall():
                raise SystemExit(f"本系统与直接写 SQL 的结果不一致：{query}")


def count_rows(source: Path) -> tuple[int, int, int]:
    """Projects, vouchers and entries of the database."""
    with sqlite3.connect(source) as connection:
        tables = ("project", "voucher", "voucher_entry")
        projects, vouchers, entries = (
            connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables
        )
    return projects, vouchers, entries


def main(projects: int, vouchers: int) -> dict[str, Any]:
    """Everything of this part, as the report needs it."""
    source = dataset(projects)
    rows = run(source)
    ledger = measure(source, vouchers) if vouchers else []
    return {"counts": count_rows(source), "books": rows, "vouchers": vouchers, "ledger": ledger}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2])), ensure_ascii=False))
