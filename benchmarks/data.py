"""The rows that all systems are measured on: made by bulk inserts into the product's own schema, then kept by size.

`python -m benchmarks.data 100000 target.db` makes one; the same size always gives the same rows.
"""

import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app import create_app
from app.demo.bulk_rows import PURPOSES, TRADES, company, person
from app.extensions import db
from app.lifecycle import initialise
from benchmarks import PASSWORD, ROOT, USERNAME
from config import Settings
from models.base.actor import SYSTEM
from models.customer.customer import CorporateCustomer, Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product, RepaymentMethod
from models.guarantee.project import Project, ProjectState, SmallKind, Stage
from models.system.organization import Department, Employee
from reports.base.search import reindex
from workflows.base.context import Ctx
from workflows.system import operators

SEED: Final = 20261123
TODAY: Final = date(2026, 11, 23)
CHUNK: Final = 5_000
SCHEMA: Final = ("models/migrations/versions/*.py", "models/seeds/*.csv", "reports/base/search.py")
DEPARTMENTS: Final = 12
EMPLOYEES: Final = 60
ROLES: Final = ["系统管理员", "客户经理"]  # reads everything, and may add projects and customers

BANKS: Final = (
    "工商银行",
    "农业银行",
    "中国银行",
    "建设银行",
    "交通银行",
    "邮储银行",
    "招商银行",
    "浦发银行",
    "农商银行",
    "城商银行",
)
BRANCHES: Final = ("城东支行", "城西支行", "开发区支行")


def dataset(rows: int) -> Path:
    """The database of this size, made on first use by a process of its own; the schema's code is part of its name."""
    folder = Path(tempfile.gettempdir()) / "guarantee-bench"
    folder.mkdir(exist_ok=True)
    path = (
        folder
        / f"rows-{rows}-{digest_of(*SCHEMA, 'app/demo/bulk_rows.py', 'benchmarks/data.py')}.db"
    )
    if not path.exists():
        draft = path.with_suffix(".draft")
        # of an older schema, or of an attempt that was broken off
        for leftover in folder.glob(f"rows-{rows}-*"):
            leftover.unlink()
        build(rows, draft)
        draft.rename(path)
    return path


def digest_of(*patterns: str) -> str:
    """Changes with whatever files decide how the tables and their rows look."""
    found = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def settings_for(path: Path) -> Settings:
    """Settings of the product on a database file."""
    return Settings(
        secret_key="k7Qx" * 12,
        database_url=f"sqlite:///{path}",
        data_dir=path.parent,
        demo=False,
        log_level="ERROR",
    )


def build(rows: int, path: Path) -> None:
    """Make the database: base data as `flask init` makes them, one operator, `rows` customers and projects."""
    app = create_app(settings_for(path))
    with app.app_context():
        initialise(app)
        session = db.session()
        session.info["no_audit"] = True
        _people(app, session)
        _fill(session, rows)
        session.commit()
        db.session.remove()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()


def _people(app: Flask, session: Session) -> None:
    rng = random.Random(SEED)
    for number in range(1, DEPARTMENTS + 1):
        session.add(
            Department(id=number, code=f"D{number:02d}", name=f"业务{number}部", path=f"/{number}/")
        )
    session.flush()
    people = [
        Employee(number=f"E{number:03d}", name=person(rng), department_id=number % DEPARTMENTS + 1)
        for number in range(1, EMPLOYEES + 1)
    ]
    session.add_all(people)
    session.flush()
    ctx = Ctx(session=session, actor=SYSTEM, today=TODAY, now=datetime.now(UTC), source="cli")
    operators.create_operator(ctx, people[0], USERNAME, PASSWORD, ROLES, must_change=False)
    for index, (bank, branch) in enumerate((b, s) for b in BANKS for s in BRANCHES):
        session.add(PartnerBank(code=f"B{index:03d}", name=f"{bank}{branch}", short_name=bank))
    session.commit()


def _fill(session: Session, rows: int) -> None:
    rng = random.Random(SEED)
    products = [
        tuple(row)
        for row in session.execute(select(Product.id, Product.guarantee_kind).order_by(Product.id))
    ]
    banks = list(session.scalars(select(PartnerBank.id).order_by(PartnerBank.id)))
    people = select(Employee.id, Employee.department_id).order_by(Employee.id)
    staff = [(row[0], row[1]) for row in session.execute(people)]
    first = int(session.scalar(select(func.coalesce(func.max(Customer.id), 0))) or 0) + 1
    for start in range(0, rows, CHUNK):
        numbers = range(start, min(start + CHUNK, rows))
        made = [company(rng, first + n, f"KH{first + n:08d}", staff, TODAY) for n in numbers]
        session.execute(insert(Customer.__table__), [base for base, _ in made])
        session.execute(insert(CorporateCustomer.__table__), [own for _, own in made])
        known = first, first + numbers.stop
        projects = [
            _project(rng, n + 1, rng.randrange(*known), products, banks, staff) for n in numbers
        ]
        session.execute(insert(Project.__table__), projects)
    for model in (CorporateCustomer, Project):
        reindex(session, model)


def _standing(rng: random.Random) -> tuple[ProjectState, Stage]:
    """Half of the projects are over, a third in force, the rest somewhere on the way."""
    chance = rng.random()
    if chance < 0.5:
        return ProjectState.RELEASED, Stage.RELEASE
    if chance < 0.82:
        return ProjectState.IN_FORCE, Stage.IN_FORCE
    if chance < 0.97:
        return ProjectState.RUNNING, rng.choice(list(Stage)[:13])
    return ProjectState.REFUSED, Stage.REVIEW


def _project(
    rng: random.Random,
    number: int,
    customer: int,
    products: list[Any],
    banks: list[int],
    staff: list[Any],
) -> dict[str, Any]:
    product, kind = rng.choice(products)
    manager, department = rng.choice(staff)
    state, stage = _standing(rng)
    code, purpose = rng.choice(PURPOSES)
    months = rng.choice((6, 12, 12, 12, 24, 36))
    applied = TODAY - timedelta(days=rng.randrange(30, 1500))
    amount = Decimal(rng.randrange(5, 2_000)) * 10_000
    start = applied + timedelta(days=rng.randrange(15, 60)) if state in _BOOKED else None
    return {
        "number": f"DB{applied:%Y}-{number:06d}",
        "customer_id": customer,
        "product_id": product,
        "guarantee_kind": kind,
        "small_kind": SmallKind.NONE,
        "bank_id": rng.choice(banks),
        "amount": amount,
        "term_months": months,
        "purpose": code,
        "purpose_note": f"{purpose}，{rng.choice(TRADES)}业务",
        "rate_annual_pct": Decimal("4.35"),
        "repayment_method": rng.choice(list(RepaymentMethod)),
        "fee_rate_pct": Decimal("1.5"),
        "bank_share_pct": Decimal(20),
        "counter_offer": "厂房抵押及法定代表人个人连带责任保证",
        "manager_id": manager,
        "assistant_id": rng.choice(staff)[0],
        "department_id": department,
        "state": state,
        "stage": stage,
        "stage_since": applied + timedelta(days=15),
        "applied_on": applied,
        "start_on": start,
        "end_on": start + timedelta(days=30 * months) if start else None,
        "balance": amount if state is ProjectState.IN_FORCE else Decimal(0),
    }


_BOOKED: Final = (ProjectState.IN_FORCE, ProjectState.RELEASED)


def word_counts(rows: int) -> Iterator[str]:
    """What was made, for the terminal."""
    started = time.perf_counter()
    path = dataset(rows)
    yield f"{path}：{path.stat().st_size / 1_048_576:.0f} MiB，{time.perf_counter() - started:.1f} 秒"


if __name__ == "__main__":
    for line in word_counts(int(sys.argv[1])):
        print(line)
