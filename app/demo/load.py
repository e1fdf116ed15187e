"""Load the demonstration: company, people, customers, capital, then all projects side by side by date."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.demo import customers, people, story
from app.demo.stage import Stage, workday
from app.extensions import db
from models.bank import PartnerBank
from models.customer import Customer
from models.ledger import Account
from models.organization import Employee
from models.product import Product, ProductAudience, RepaymentMethod
from models.rating_model import CustomerKind
from models.system import SystemState
from workflows.base.seal import seal_audit_trail
from workflows.ledger import voucher
from workflows.ledger.entries import Line
from workflows.ledger.period import ensure_period

# Customers and projects of each size.
SIZES = {"small": (60, 44), "medium": (300, 1000), "large": (300, 1000)}
DAYS = 75
CAPITAL = Decimal("500000000.00")


def load_demo(
    app: Flask, *, size: str = "small", seed: int = 20261123, as_of: date | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> bool:  # fmt: skip
    """Load the demonstration into an empty installation; False (and nothing done) when there are people already."""
    session = db.session()
    session.rollback()
    if session.scalar(select(func.count()).select_from(Employee)):
        return False
    session.rollback()
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    session.info["data_dir"] = str(app.config["SETTINGS"].data_dir)
    state = session.get_one(SystemState, 1)
    as_of = as_of or state.business_date
    try:
        _play(session, random.Random(seed), as_of, size, say)  # noqa: S311 - repeatable data, no secret
        state.business_date, state.is_demo = as_of, True
        state.demo_marker = f"{size}-{seed}-{as_of}"
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("ctx", None)
    return True


def _play(session: Session, dice: random.Random, as_of: date, size: str, say: Callable[[str], None]) -> None:
    start = workday(as_of - timedelta(days=DAYS))
    stage = Stage(session, dice, as_of, start, say=say)
    people.make_company(stage)
    pay_in_capital(stage)
    customer_count, project_count = SIZES[size]
    owned: list[tuple[Customer, str]] = []
    for index in range(customer_count):
        manager = people.ACCOUNT_MANAGERS[index % len(people.ACCOUNT_MANAGERS)]
        customer = customers.make_customer(stage, index, manager)
        if index % 12 != 11:  # some are not rated yet
            customers.rate_customer(stage, customer, manager, "zhenglan")
            owned.append((customer, manager))
    stage.run(list(_stories(stage, owned, project_count, start)))
    stage.today = as_of
    seal_audit_trail(stage.ctx())
    session.flush()


def pay_in_capital(stage: Stage) -> None:
    """The shareholders pay in: without net assets no limit would allow any guarantee."""
    session = stage.session
    ensure_period(stage.ctx(), stage.today)
    accounts = {a.code: a.id for a in session.scalars(select(Account).where(Account.code.in_(("1002", "4001"))))}
    draft = voucher.create_draft(
        stage.ctx(story.ACCOUNTANT), date=stage.today, word="receipt", memo="收到股东出资",
        entries=[
            Line(accounts["1002"], debit=CAPITAL, memo="收到股东出资"),
            Line(accounts["4001"], credit=CAPITAL, memo="收到股东出资"),
        ],
    )  # fmt: skip
    voucher.review(stage.ctx(story.CHIEF), draft, draft.version)
    voucher.sign(stage.ctx(story.CASHIER), draft, draft.version)
    voucher.post(stage.ctx(story.POSTER), draft, draft.version)


def _stories(
    stage: Stage, owned: list[tuple[Customer, str]], count: int, start: date
) -> Iterator[tuple[date, Iterator[int]]]:
    products = list(stage.session.scalars(select(Product).where(Product.is_active).order_by(Product.id)))
    banks = list(stage.session.scalars(select(PartnerBank).order_by(PartnerBank.id)))
    for number in range(count):
        customer, manager = owned[number % len(owned)]
        # Every stage of the line is stood at by somebody; the rest go all the way.
        every = len(story.PARTS) + 1
        parts = number % every if number < every + 12 else every
        plot = story.Plot(
            customer=customer, manager=manager, assistant=_colleague(manager), months=stage.pick([6, 12, 12, 24]),
            product_id=_product_for(customer, products, number).id, bank_id=banks[number % len(banks)].id,
            amount=Decimal(stage.random.randrange(20, 120)) * 25000, parts=parts,
            method=stage.pick(list(RepaymentMethod)),
            refused_at={28: "_decide_report", 35: "_decide_risk", 36: "_meet"}.get(number, ""),
        )  # fmt: skip
        # Whoever stands at a stage came there lately: a part of the line takes some three days on average.
        lately = stage.as_of - timedelta(days=parts * 5 // 2 + stage.random.randrange(2, 9))
        yield workday(max(lately, start)), story.play(stage, plot)


def _colleague(manager: str) -> str:
    names = people.ACCOUNT_MANAGERS
    group = names[:3] if manager in names[:3] else names[3:]
    return group[(group.index(manager) + 1) % len(group)]


def _product_for(customer: Customer, products: list[Product], number: int) -> Product:
    wanted = ProductAudience.PERSONAL if customer.kind is CustomerKind.PERSONAL else ProductAudience.CORPORATE
    fitting = [
        p for p in products
        if p.audience in (wanted, ProductAudience.ANY) and p.code in ("LDZJ", "XWKB", "KCDB", "GRJY", "SNDB")
    ]  # fmt: skip
    return fitting[number % len(fitting)]
