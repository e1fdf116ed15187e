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
from stdnum.cn import uscc

from app import create_app
from app.extensions import db
from app.lifecycle import initialise
from benchmarks import PASSWORD, ROOT, USERNAME
from config import Settings
from models.bank import PartnerBank
from models.base.actor import SYSTEM
from models.customer import CorporateCustomer, Customer, CustomerStatus, EnterpriseScale, Grade
from models.organization import Department, Employee
from models.product import Product, RepaymentMethod
from models.project import Project, ProjectState, Stage
from models.rating_model import CustomerKind
from reports.search import reindex
from workflows import operators
from workflows.base.context import Ctx

SEED: Final = 20261123
TODAY: Final = date(2026, 11, 23)
CHUNK: Final = 5_000
DEPARTMENTS: Final = 12
EMPLOYEES: Final = 60
ROLES: Final = ["系统管理员", "客户经理"]  # reads everything, and may add projects and customers

CITIES: Final = ("杭州", "宁波", "温州", "嘉兴", "湖州", "绍兴", "金华", "台州", "丽水", "衢州", "苏州", "无锡")
FIRST: Final = "宏恒鼎瑞金德华盛永泰中万新东海嘉凯明天博汇通和广安顺隆源信达兴远佳润益康丰利诚正"
SECOND: Final = "远达盛源泰昌隆祥瑞丰华鑫诚信业腾飞宇航阳光辉煌杰俊凯立创联邦捷锐智科力通顺康"
TRADES: Final = (
    "机械制造", "电子科技", "纺织", "农业开发", "食品", "建筑工程", "国际贸易", "物流", "新材料", "五金制品", "塑料",
    "环保设备", "信息技术", "服饰", "医疗器械", "汽车配件", "化工", "家具", "印刷包装", "装饰工程",
)  # fmt: skip
SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志文海燕晓东雪梅春生"
BANKS: Final = (
    "工商银行", "农业银行", "中国银行", "建设银行", "交通银行", "邮储银行", "招商银行", "浦发银行", "农商银行",
    "城商银行",
)  # fmt: skip
BRANCHES: Final = ("城东支行", "城西支行", "开发区支行")
PURPOSES: Final = (
    ("WORKING", "补充流动资金"), ("PURCHASE", "采购原材料和辅料"), ("EQUIPMENT", "购置生产设备"), ("PLANT", "新建厂房"),
    ("PROJECT", "项目建设投入"), ("REFINANCE", "归还到期贷款"), ("TENDER", "工程投标保证"), ("TRADE", "支付进口货款"),
    ("FARMING", "春耕备耕"), ("BUSINESS", "门店经营周转"),
)  # fmt: skip


def dataset(rows: int) -> Path:
    """The database of this size, made on first use by a process of its own; the schema's code is part of its name."""
    folder = Path(tempfile.gettempdir()) / "guarantee-bench"
    folder.mkdir(exist_ok=True)
    path = folder / f"rows-{rows}-{_code_digest()}.db"
    if not path.exists():
        draft = path.with_suffix(".draft")
        for leftover in folder.glob(f"rows-{rows}-*"):  # of an older schema, or of an attempt that was broken off
            leftover.unlink()
        build(rows, draft)
        draft.rename(path)
    return path


def _code_digest() -> str:
    """Changes with whatever decides how the tables and their rows look: migrations, base data, search index."""
    found = hashlib.sha256()
    patterns = ("models/migrations/versions/*.py", "models/seeds/*.csv", "reports/search.py", "benchmarks/data.py")
    for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def settings_for(path: Path) -> Settings:
    """Settings of the product on a database file."""
    return Settings(
        secret_key="k7Qx" * 12, database_url=f"sqlite:///{path}", data_dir=path.parent, demo=False, log_level="ERROR"
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
        session.add(Department(id=number, code=f"D{number:02d}", name=f"业务{number}部", path=f"/{number}/"))
    session.flush()
    people = [
        Employee(number=f"E{number:03d}", name=_person(rng), department_id=number % DEPARTMENTS + 1)
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
    products = [tuple(row) for row in session.execute(select(Product.id, Product.guarantee_kind).order_by(Product.id))]
    banks = list(session.scalars(select(PartnerBank.id).order_by(PartnerBank.id)))
    staff = [tuple(row) for row in session.execute(select(Employee.id, Employee.department_id).order_by(Employee.id))]
    first = int(session.scalar(select(func.coalesce(func.max(Customer.id), 0))) or 0) + 1
    for start in range(0, rows, CHUNK):
        numbers = range(start, min(start + CHUNK, rows))
        made = [_customer(rng, first + n, staff) for n in numbers]
        session.execute(insert(Customer.__table__), [base for base, _ in made])
        session.execute(insert(CorporateCustomer.__table__), [own for _, own in made])
        known = first, first + numbers.stop
        projects = [_project(rng, n + 1, rng.randrange(*known), products, banks, staff) for n in numbers]
        session.execute(insert(Project.__table__), projects)
    for model in (CorporateCustomer, Project):
        reindex(session, model)


def _person(rng: random.Random) -> str:
    return rng.choice(SURNAMES) + rng.choice(GIVEN) + rng.choice(GIVEN)


def _customer(rng: random.Random, key: int, staff: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    city, trade = rng.choice(CITIES), rng.choice(TRADES)
    short = f"{rng.choice(FIRST)}{rng.choice(SECOND)}{trade}"
    manager, department = rng.choice(staff)
    code = f"91330{rng.randrange(100, 199)}MA{key:07d}"
    base = {
        "id": key, "kind": CustomerKind.CORPORATE, "number": f"KH{key:08d}", "name": f"{city}{short}有限公司",
        "region": "330100", "manager_id": manager, "department_id": department, "grade": rng.choice(list(Grade)[:6]),
        "grade_valid_until": TODAY + timedelta(days=rng.randrange(365)), "status": CustomerStatus.ACTIVE,
        "contact_phone": f"138{rng.randrange(10**8):08d}", "address": f"{city}市工业园区{rng.randrange(1, 300)}号",
    }  # fmt: skip
    own = {
        "id": key, "uscc": code + uscc.calc_check_digit(code), "short_name": short, "legal_person": _person(rng),
        "registered_capital": Decimal(rng.randrange(50, 20_000)) * 10_000, "industry": "C",
        "established_on": date(2000, 1, 1) + timedelta(days=rng.randrange(9000)),
        "scale": rng.choice(list(EnterpriseScale)), "employee_count": rng.randrange(3, 900),
        "phone": base["contact_phone"],
    }  # fmt: skip
    return base, own


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
    rng: random.Random, number: int, customer: int, products: list[Any], banks: list[int], staff: list[Any]
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
        "number": f"DB{applied:%Y}-{number:06d}", "customer_id": customer, "product_id": product,
        "guarantee_kind": kind, "bank_id": rng.choice(banks), "amount": amount, "term_months": months, "purpose": code,
        "purpose_note": f"{purpose}，{rng.choice(TRADES)}业务", "rate_annual_pct": Decimal("4.35"),
        "repayment_method": rng.choice(list(RepaymentMethod)), "fee_rate_pct": Decimal("1.5"),
        "bank_share_pct": Decimal(20), "counter_offer": "厂房抵押及法定代表人个人连带责任保证", "manager_id": manager,
        "assistant_id": rng.choice(staff)[0], "department_id": department, "state": state, "stage": stage,
        "stage_since": applied + timedelta(days=15), "applied_on": applied, "start_on": start,
        "end_on": start + timedelta(days=30 * months) if start else None,
        "balance": amount if state is ProjectState.IN_FORCE else Decimal(0),
    }  # fmt: skip


_BOOKED: Final = (ProjectState.IN_FORCE, ProjectState.RELEASED)


def word_counts(rows: int) -> Iterator[str]:
    """What was made, for the terminal."""
    started = time.perf_counter()
    path = dataset(rows)
    yield f"{path}：{path.stat().st_size / 1_048_576:.0f} MiB，{time.perf_counter() - started:.1f} 秒"


if __name__ == "__main__":
    for line in word_counts(int(sys.argv[1])):
        print(line)
