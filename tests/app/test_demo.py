"""The demonstration: loaded once, the same again for the same seed and date, and sound at every size."""

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app import create_app
from app.demo import bulk
from app.demo.load import SIZES, Size, load_demo
from app.extensions import db
from app.lifecycle import initialise
from models.base.actor import SYSTEM
from models.guarantee.bank_batch import BatchLoan
from models.guarantee.drawdown import Drawdown, DrawdownState, Instalment
from models.guarantee.product import FeeKind
from models.guarantee.project import Project, ProjectState
from models.guarantee.repayment import Repayment
from models.guarantee.signing import Fee
from models.ledger.account import AccountBalance, AccountingPeriod, AuxiliaryBalance, PeriodState
from models.ledger.closing import MonthEndLog
from models.ledger.voucher import Voucher
from models.statistics.snapshot import CompanySnapshot, ProjectSnapshot
from models.system.setup import SystemState
from reports.base.search import condition
from tests.template import settings_of
from workflows.base.context import Ctx
from workflows.base.numbering import next_count
from workflows.verify import CHECKS

BEGINS_WITH = "installed"

AS_OF = date(2026, 11, 23)
SEED = 20261123
BULK = 36
LITTLE = Size(old_customers=2, new_customers=3, guarantees=1, line=2, bulk=BULK, full_days=2)


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the loading has reported."""
    return []


@pytest.fixture(scope="module")
def loaded(
    db_url: str, said: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """A short story with some projects in bulk, on either kind of database."""
    app = create_app(settings_of(db_url, tmp_path_factory.mktemp("files")))
    said.clear()
    with app.app_context():
        assert load_demo(app, size=LITTLE, seed=SEED, as_of=AS_OF, say=said.append)
        yield app
        db.session.remove()
        db.engine.dispose()


def _digest(session: Session) -> str:
    """What the demo is about, without clocks."""
    queries = (
        select(
            Project.number,
            Project.amount,
            Project.balance,
            Project.stage,
            Project.state,
            Project.end_on,
        ),
        select(
            Voucher.code, Voucher.date, Voucher.memo, Voucher.total, Voucher.state, Voucher.hash
        ),
        select(
            AccountBalance.period_id,
            AccountBalance.account_id,
            AccountBalance.debit,
            AccountBalance.credit,
        ),
        select(AuxiliaryBalance.account_id, AuxiliaryBalance.project_id, AuxiliaryBalance.closing),
    )
    found = hashlib.sha256()
    for query in queries:
        rows = sorted(str(tuple(row)) for row in session.execute(query))
        assert rows
        found.update("\n".join(rows).encode())
    return found.hexdigest()


def _chain(session: Session) -> str:
    """The vouchers with their hashes, which say what stands in their entries; keys may differ between databases."""
    rows = session.execute(
        select(Voucher.code, Voucher.date, Voucher.total, Voucher.hash).order_by(Voucher.code)
    ).all()
    return "\n".join(str(tuple(row)) for row in rows)


def _fresh(folder: Path, seed: int = SEED) -> tuple[str, str]:
    """What is told of the little demo in a new SQLite database: its digest and its chain of vouchers."""
    app = create_app(settings_of(f"sqlite:///{folder / str(seed)}.db", folder))
    with app.app_context():
        initialise(app)
        assert load_demo(app, size=LITTLE, seed=seed, as_of=AS_OF)
        found = _digest(db.session()), _chain(db.session())
        db.session.remove()
        db.engine.dispose()
    return found


@pytest.fixture(scope="session")
def again(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Digest and chain of a second loading with the same seed and date."""
    return _fresh(tmp_path_factory.mktemp("again"))


def test_same_seed_and_date_give_the_same_company(loaded: Flask, again: tuple[str, str]) -> None:
    """Also on the other database: the bulk reaches PostgreSQL by COPY, SQLite by INSERT."""
    assert again[1] == _chain(db.session())
    if db.engine.dialect.name == "sqlite":  # ids are in the digest
        assert again[0] == _digest(db.session())


def test_another_seed_gives_another_company(again: tuple[str, str], tmp_path: Path) -> None:
    assert _fresh(tmp_path, SEED + 1)[0] != again[0]


def test_verify_is_clean(loaded: Flask) -> None:
    assert [problem for check in CHECKS for problem in check.run(db.session())] == []


def test_a_second_loading_does_nothing_and_says_so(loaded: Flask) -> None:
    before = _digest(db.session())
    answer = loaded.test_cli_runner().invoke(args=["demo", "--size", "medium"])
    assert answer.exit_code == 0
    assert answer.output.strip() == "数据库中已有数据，未装入演示数据。"
    assert _digest(db.session()) == before


def test_progress_is_told_month_by_month(loaded: Flask, said: list[str]) -> None:
    parts = [line for line in said if "批量装入项目" in line]
    assert parts[0].startswith("2025-12")
    assert parts[-1].startswith("2026-11：批量装入项目")
    assert parts[-1].endswith(f"（{len(parts)}/{len(parts)}）")


def listed(session) -> list[int]:
    """Projects that came by banks' lists (见贷即保)."""
    query = select(BatchLoan.project_id).where(BatchLoan.project_id.is_not(None))
    return list(session.scalars(query))


def test_projects_of_the_bulk_stand_where_their_loans_stand(loaded: Flask) -> None:
    session = db.session()
    counts = dict(
        session.execute(select(Project.state, func.count()).group_by(Project.state)).all()
    )
    assert sum(counts.values()) == BULK + LITTLE.guarantees + LITTLE.line + len(listed(session))
    assert counts[ProjectState.RELEASED] > 0
    assert counts[ProjectState.IN_FORCE] > 0
    kinds = select(Fee.kind, func.count()).group_by(Fee.kind)
    assert dict(session.execute(kinds).all())[FeeKind.HANDLING] > BULK // 2


def test_each_snapshot_tells_how_the_company_stood_on_that_day(loaded: Flask) -> None:
    session = db.session()
    taken = session.execute(
        select(CompanySnapshot.taken_on, CompanySnapshot.in_force_balance)
    ).all()
    assert len(taken) >= 12
    for on, balance in taken:
        # What banks' lists brought in was drawn before, and known only after the last of these days.
        drawn = session.scalar(
            select(func.sum(Drawdown.amount)).where(
                Drawdown.drawn_on <= on, Drawdown.project_id.not_in(listed(session))
            )
        )
        repaid = session.scalar(
            select(func.sum(Repayment.principal)).where(Repayment.paid_on <= on)
        )
        assert (on, balance) == (on, (drawn or 0) - (repaid or 0))
    held = select(func.sum(ProjectSnapshot.balance)).where(
        ProjectSnapshot.taken_on == taken[0].taken_on
    )
    assert session.scalar(held) == taken[0].in_force_balance


def test_who_no_longer_pays_is_marked_overdue(loaded: Flask) -> None:
    session = db.session()
    late = Instalment.overdue_since.is_not(None)
    missed = or_(
        Instalment.principal_paid < Instalment.principal,
        Instalment.interest_paid < Instalment.interest,
    )
    query = select(Instalment.id).order_by(Instalment.id)
    wanted = session.scalars(query.where(missed, Instalment.due_on < AS_OF)).all()
    assert session.scalars(query.where(late)).all() == wanted
    states = dict(
        session.execute(select(Drawdown.state, func.count()).group_by(Drawdown.state)).all()
    )
    assert states[DrawdownState.SETTLED] > 0
    assert states[DrawdownState.ACTIVE] > states.get(DrawdownState.OVERDUE, 0)


def test_months_are_closed_with_what_came_in_bulk(loaded: Flask) -> None:
    session = db.session()
    states = dict(session.execute(select(AccountingPeriod.code, AccountingPeriod.state)).all())
    assert {code for code, state in states.items() if state is PeriodState.OPEN} == {"2026-11"}
    logs = session.scalars(select(MonthEndLog.net_profit).order_by(MonthEndLog.period_id)).all()
    assert len(logs) == len(states) - 1
    assert any(profit > -100_000 for profit in logs)


def test_numbers_and_keys_go_on_behind_the_bulk(loaded: Flask) -> None:
    session = db.session()
    ctx = Ctx(
        session=session, actor=SYSTEM, today=AS_OF, now=session.get_one(SystemState, 1).updated_at
    )
    given = session.scalars(
        select(Project.number).where(Project.number.startswith("DB2026-"))
    ).all()
    assert (
        next_count(ctx, "project", "2026")
        == len(given) + 1
        == max(int(number[7:]) for number in given) + 1
    )
    fee = Fee(
        project_id=session.scalars(select(Project.id).order_by(Project.id.desc())).first(),
        kind=FeeKind.OTHER,
        rate_pct=0,
        vat_rate_pct=6,
    )
    session.add(fee)
    session.flush()
    assert fee.id == session.scalar(select(func.max(Fee.id)))
    session.rollback()


def test_projects_of_the_bulk_are_found(loaded: Flask) -> None:
    session = db.session()
    last = session.scalars(select(Project).order_by(Project.id.desc())).first()
    assert last is not None
    assert session.scalars(
        select(Project.id).where(condition(Project, last.number, session))
    ).all() == [last.id]


def test_load_days_lie_within_their_month_before_the_date() -> None:
    days = bulk.load_days(date(2025, 11, 26), AS_OF)
    assert [day.strftime("%Y-%m") for day in days] == [
        "2025-12",
        *(f"2026-{month:02d}" for month in range(1, 12)),
    ]
    assert all(day.weekday() < 5 for day in days)
    assert (AS_OF - days[-1]).days > 2  # vouchers of the last two days wait for somebody's hand
    assert bulk.load_days(date(2025, 11, 26), date(2026, 11, 3))[-1].strftime("%Y-%m") == "2026-10"


def test_the_sizes_are_what_they_are_called() -> None:
    totals = {name: size.bulk + size.guarantees + size.line for name, size in SIZES.items()}
    assert SIZES["small"].bulk == 0
    assert 950 <= totals["medium"] <= 1_050
    assert totals["large"] >= 100_000
