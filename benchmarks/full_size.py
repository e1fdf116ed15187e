"""The desk, lists of parts and posting at full size: beside plain SQL, and beside the same on the small demo.

`python -m benchmarks.full_size SMALL_URL LARGE_URL` measures two databases of one kind, each with the demo of its size
loaded (`flask --app run demo`), and writes its section of docs/benchmarks.md. Times are of processors: of this process,
and of the PostgreSQL backends that work for it.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from app import create_app
from app.demo_accounts import DEMO_PASSWORD
from app.extensions import db
from benchmarks import ROOT, plain_desk, report
from benchmarks.data import settings_for
from models.base.actor import SYSTEM
from models.ledger.voucher import Voucher, VoucherWord
from workflows.base.context import Ctx
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import Line
from workflows.ledger.period import ensure_period

ROUNDS: Final = 8
READERS: Final = (("heping", "负责人"), ("zhoumin", "客户经理"))
LISTS: Final = ("instalment", "fee_due", "fee", "receipt", "repayment")
MOST_OF_SQL, MOST_OF_SMALL, MOST_OF_EARLY = 5.0, 3.0, 1.1
EARLY: Final = 100
TURN, TURNS = 40, 3
DAY: Final = date(2026, 11, 28)
NEXT_MONTH: Final = date(2026, 12, 1)
DOCUMENT: Final = ROOT / "docs" / "benchmarks.md"
Figures = dict[str, float]


class Clock:
    """Processor time of this process and of the database's backends."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_server = engine.dialect.name == "postgresql"

    def now(self) -> float:
        """Seconds so far."""
        return time.process_time() + (self._backends() if self.is_server else 0.0)

    def _backends(self) -> float:
        query = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        with self.engine.connect() as connection:
            found = [Path(f"/proc/{pid}/stat") for pid in connection.scalars(query)]
        ticks = (stat.read_text().rpartition(") ")[2].split() for stat in found)
        return sum(int(part[11]) + int(part[12]) for part in ticks) / os.sysconf("SC_CLK_TCK")

    def ms(self, work: Callable[[], Any], rounds: int = ROUNDS) -> float:
        """Milliseconds of one round; the first one is not counted."""
        work()
        begun = self.now()
        for _ in range(rounds):
            work()
        return (self.now() - begun) * 1000 / rounds


def measure(url: str) -> Figures:
    """Milliseconds by what was done, on one database."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(settings_for(Path(folder) / "none.db"), database_url=url)
        app = create_app(settings)
        with app.app_context():
            clock = Clock(db.engine)
        found: Figures = {}
        for username, label in READERS:  # outside: a request has a context of its own
            found |= _pages(app, clock, username, label)
        if found["count"] > EARLY * EARLY:
            with app.app_context():
                found |= posting(db.session(), clock)
        return found


def _pages(app: Any, clock: Clock, username: str, label: str) -> Figures:
    client = app.test_client()
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/login/").text)
    answer = client.post(
        "/login/",
        data={
            "csrf_token": token[1] if token else "",
            "username": username,
            "password": DEMO_PASSWORD,
        },
    )
    assert answer.status_code == 302, answer.text[:300]

    def desk() -> None:
        page = client.get("/").text
        for card in re.findall(r'data-later-url="([^"]+)"', page):
            assert client.get(card).status_code == 200, card

    found = {f"{label}的工作台": clock.ms(desk)}
    with clock.engine.connect() as connection:
        me = plain_desk.reader(connection, username)
        found["count"] = float(connection.scalar(text("SELECT count(*) FROM project")) or 0)
        if not me.sees_all:
            own = text(f"SELECT count(*) FROM project WHERE {me.own}")
            found[f"{label}的项目"] = float(connection.scalar(own) or 0)
        found[f"{label}的工作台 SQL"] = clock.ms(
            lambda: plain_desk.ask(connection, plain_desk.desk(me))
        )
        for table in LISTS if not me.sees_all else ():
            path = f"/{table}/list/"
            found[f"{label} {path}"] = clock.ms(lambda path=path: client.get(path).text)
            queries = plain_desk.part(table, me)
            found[f"{label} {path} SQL"] = clock.ms(
                lambda queries=queries: plain_desk.ask(connection, queries)
            )
    return found


def posting(session: Session, clock: Clock) -> Figures:
    """记账 of one voucher in the month with the most, and behind the first hundred of the next; undone at the end."""
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    session.execute(text(_FINISH))
    rows = session.execute(text("SELECT code, id FROM account"))
    accounts = {code: key for code, key in rows}  # noqa: C416 - a result looks like a mapping
    _posted(session, clock, accounts, DAY, TURN)  # the first ones warm up
    _posted(session, clock, accounts, NEXT_MONTH, EARLY)
    turns = [_posted(session, clock, accounts, day, TURN) for day in (NEXT_MONTH, DAY) * TURNS]
    early, late = (sum(turns[start::2]) / TURNS for start in (0, 1))
    period = ensure_period(_ctx(session, 2), DAY)
    of_word = Voucher.word.has(VoucherWord.code == "transfer")
    count = session.query(Voucher).filter(of_word, Voucher.period_id == period.id).count()
    session.rollback()
    return {"记账": late, "记账 early": early, "记账 count": float(count)}


# Drafts of the demo that would keep what comes after them from being posted.
_FINISH: Final = (
    "UPDATE voucher SET state = 'VOID', void_reason = 'x', reviewed_by_id = NULL, reviewed_at = NULL, "
    "signed_by_id = NULL, signed_at = NULL WHERE state NOT IN ('POSTED', 'VOID')"
)


def _ctx(session: Session, employee: int) -> Ctx:
    return Ctx(session, replace(SYSTEM, employee_id=employee), NEXT_MONTH, datetime.now(UTC))


def _posted(
    session: Session, clock: Clock, accounts: dict[str, int], day: date, count: int
) -> float:
    made: list[Voucher] = []
    for number in range(count):
        amount = Decimal(100 + number)
        lines = [Line(accounts["6603"], debit=amount), Line(accounts["2241.02"], credit=amount)]
        made.append(
            vouchers.create_draft(
                _ctx(session, 2), date=day, word="transfer", memo="利息", entries=lines
            )
        )
        vouchers.review(_ctx(session, 3), made[-1])
    begun = clock.now()
    for one in made:
        vouchers.post(_ctx(session, 4), one)
    return (clock.now() - begun) * 1000 / count


def table(small: Figures, large: Figures) -> list[report.Row]:
    """Rows of the document: each page beside plain SQL and beside itself on the small demo."""
    rows: list[report.Row] = []
    for name in (name for name in large if f"{name} SQL" in large):
        ms, sql, before = large[name], large[f"{name} SQL"], small[name]
        holds = ms <= MOST_OF_SQL * sql and ms <= MOST_OF_SMALL * before
        figures = (
            f"{ms:,.1f} ms",
            f"{sql:,.1f} ms",
            f"{ms / sql:.1f}",
            f"{before:,.1f} ms",
            f"{ms / before:.1f}",
        )
        rows.append((name, *figures, "达到" if holds else "未达到"))
    return rows


def words(small: Figures, large: Figures) -> str:
    """What was measured, and posting."""
    late, early = large["记账"], large["记账 early"]
    return (
        f"演示数据 {large['count']:,.0f} 个项目（其中客户经理可见 {large['客户经理的项目']:,.0f} 个），"
        f"小规模 {small['count']:,.0f} 个。记账：当月该凭证字已有 {large['记账 count']:,.0f} 张时每张 {late:.2f} ms，"
        f"{EARLY} 张时 {early:.2f} ms，为其 {late / early:.2f} 倍（目标不超过 {MOST_OF_EARLY}）。"
    )


def main() -> int:
    """Measure both databases, each in a process of its own, and write it down; status 1 where a goal is missed."""
    if sys.argv[1] == "--of":
        print(json.dumps(measure(sys.argv[2]), ensure_ascii=False))
        return 0
    small, large = (_of(url) for url in sys.argv[1:3])
    rows, dialect = table(small, large), make_url(sys.argv[2]).get_backend_name()
    print("\n".join(report.plain(report.FULL_SIZE_HEAD, rows)), words(small, large), sep="\n")
    parts = [report.FULL_SIZE[dialect], "", report.FULL_SIZE_TEXT, "", words(small, large), ""]
    section = "\n".join([*parts, *report.markdown(report.FULL_SIZE_HEAD, rows), ""])
    DOCUMENT.write_text(
        report.with_section(DOCUMENT.read_text(encoding="utf-8"), section), encoding="utf-8"
    )
    is_missed = (
        any(row[-1] != "达到" for row in rows)
        or large["记账"] > MOST_OF_EARLY * large["记账 early"]
    )
    return int(is_missed)


def _of(url: str) -> Figures:
    command = [sys.executable, "-m", "benchmarks.full_size", "--of", url]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT
    )
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
