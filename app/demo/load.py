"""Load the demonstration: company, people, customers, capital, then all projects side by side by date."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.demo import (
    books,
    bulk,
    bulk_lists,
    customers,
    filing,
    maximums,
    people,
    pledging,
    righting,
    sharing,
    stated,
    story,
    sundry,
    year,
)
from app.demo.stage import Stage, workday
from app.extensions import db
from models.customer.customer import Customer
from models.customer.rating_model import CustomerKind
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product, ProductAudience, RepaymentMethod
from models.system.organization import Employee
from models.system.setup import SystemState
from reports.base.search import reindex
from workflows.ledger import heads
from workflows.system import proofs


@dataclass(frozen=True)
class Size:
    """How much of everything: customers known for a year and lately, guarantees of the year, projects on the line.

    `bulk` projects join the story from month to month; `full_days` is how many last days get their whole day-end.
    """

    old_customers: int
    new_customers: int
    guarantees: int
    line: int
    bulk: int = 0
    full_days: int = year.FULL_DAYS


SIZES = {
    "small": Size(20, 40, 16, 40),
    "medium": Size(20, 40, 16, 40, bulk=950),
    "large": Size(20, 40, 16, 40, bulk=100_000, full_days=1),
}
YEAR = (
    362  # days; a rating holds for a year, so the first customers' grades hold to the demo's date
)
LATELY = 95
# Guarantees whose loans are changed, by their number; the last one waits for its decision.
CHANGES = {11: "PREPAYMENT", 12: "EXTENSION", 14: "RATE", 13: "PREPAYMENT?"}
CLAIMED = 10  # the guarantee that its customer stops to pay and the bank claims
SETTLED = 30  # days after which the company has time for more than its first business


def load_demo(
    app: Flask,
    *,
    size: str | Size = "small",
    seed: int = 20261123,
    as_of: date | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> bool:
    """Load the demonstration into an empty installation; False (and nothing done) when there are people already.

    `size` is one of SIZES by its name, or a size of one's own.
    """
    name, wanted = (size, SIZES[size]) if isinstance(size, str) else ("custom", size)
    session = db.session()
    session.rollback()
    if session.scalar(select(func.count()).select_from(Employee)):
        return False
    session.rollback()
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    settings = app.config["SETTINGS"]
    session.info.update(
        data_dir=str(settings.data_dir),
        chain_heads=str(settings.chain_heads),
        no_seal=wanted.bulk > 0,
    )
    state = session.get_one(SystemState, 1)
    as_of = as_of or state.business_date
    try:
        _play(session, random.Random(seed), as_of, wanted, say)  # noqa: S311 - repeatable data, no secret
        state.business_date, state.is_demo = as_of, True
        state.demo_marker = f"{name}-{seed}-{as_of}"
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("ctx", None)
        session.info.pop("no_seal", None)
    return True


def _play(
    session: Session, dice: random.Random, as_of: date, wanted: Size, say: Callable[[str], None]
) -> None:
    start = workday(as_of - timedelta(days=YEAR))
    session.get_one(SystemState, 1).business_date = start
    stage = Stage(session, dice, as_of, start, say=say)
    people.make_company(stage)
    for _ in range(1 + wanted.bulk // bulk.CAPITAL_FOR):
        books.pay_in_capital(stage)
    books.invest(stage)
    customers_of_the_year = list(_customers(stage, 0, wanted.old_customers))
    scenes = [(start, year.months(stage, start)), (start, year.expenses(stage))]
    scenes += list(_guarantees(stage, customers_of_the_year, wanted.guarantees))
    scenes.append((workday(as_of - timedelta(days=LATELY)), _line(stage, wanted)))
    scenes.append(
        (workday(start + timedelta(days=SETTLED)), sundry.play(stage, customers_of_the_year))
    )
    joined = bulk.Bulk(stage)
    if wanted.bulk:
        scenes.append((start, joined.months(wanted.bulk)))
    stage.run(scenes, lambda day: year.roll(stage, day, wanted.full_days, joined.repaying.close))
    stage.today = as_of
    year.roll(stage, as_of, wanted.full_days, joined.repaying.close)
    books.class_assets(stage)
    stated.play(stage, is_late=True)
    filing.play(stage)
    sharing.play(stage)
    pledging.play(stage)
    righting.play(stage)
    bulk_lists.play(stage)
    maximums.play(stage)
    if wanted.bulk:
        say("重建搜索索引 ……")
        session.flush()
        reindex(session)
        say("封存业务记录 ……")
        proofs.take_in_all(stage.ctx())
    heads.note(stage.ctx(), "演示数据")


def _customers(stage: Stage, first: int, count: int) -> Iterator[tuple[Customer, str]]:
    """Customers of the account managers in turn; one in twelve is not rated yet and cannot apply."""
    for index in range(first, first + count):
        manager = people.ACCOUNT_MANAGERS[index % len(people.ACCOUNT_MANAGERS)]
        customer = customers.make_customer(stage, index, manager)
        if index % 12 != 11:
            customers.rate_customer(stage, customer, manager, "zhenglan")
            yield customer, manager


def _guarantees(
    stage: Stage, owned: list[tuple[Customer, str]], count: int
) -> Iterator[tuple[date, Iterator[int]]]:
    """Guarantees begun over the year: some repaid and released by now, most running, a few no longer paid."""
    span = YEAR - LATELY
    for number in range(count):
        plot = _plot(stage, owned, number, months=6 if number % 3 == 0 else 12)
        plot.parts = len(story.PARTS)
        plot.method = (
            RepaymentMethod.EQUAL_PRINCIPAL if number % 2 else RepaymentMethod.INTEREST_FIRST
        )
        plot.stops_at = {5: 4, 10: 3}.get(number % 20, 0)
        plot.is_claimed = number == CLAIMED
        plot.changes = CHANGES.get(number % 20, "")
        plot.renews_after = "_settle" if number == 1 else ""
        begin = stage.today + timedelta(days=number * span // count)
        yield workday(begin), story.play(stage, plot, year.repay)


def _line(stage: Stage, wanted: Size) -> Iterator[int]:
    """The latest customers come in, and each stage of the line comes to be stood at by somebody."""
    owned = list(_customers(stage, wanted.old_customers, wanted.new_customers))
    begun = []
    for number in range(wanted.line):
        plot = _plot(stage, owned, number, months=stage.pick([6, 12, 12, 24]))
        every = len(story.PARTS) + 1
        plot.parts = number % every if number < every + 12 else len(story.PARTS)
        plot.refused_at = {28: "_decide_report", 35: "_decide_risk", 36: "_meet", 37: "_meet"}.get(
            number, ""
        )
        plot.appeals, plot.ends = number == 37, number in (38, 39)
        plot.waives = number == 20
        if plot.ends:
            plot.parts = 22 if number == 38 else 5
        # Whoever stands at a stage came there lately: a part of the line takes some three days on average.
        lately = plot.parts * 5 // 2 + stage.random.randrange(2, 9) + (20 if plot.ends else 0)
        begun.append((workday(stage.as_of - timedelta(days=min(lately, LATELY - 5))), number, plot))
    playing: list[tuple[date, int, Iterator[int]]] = [
        (day, number, story.play(stage, plot, year.repay)) for day, number, plot in begun
    ]
    heapq.heapify(playing)
    while playing:
        day, number, scene = heapq.heappop(playing)
        yield max((day - stage.today).days, 0)
        wait = next(scene, None)
        if wait is not None:
            heapq.heappush(playing, (workday(stage.today + timedelta(days=wait)), number, scene))


def _plot(
    stage: Stage, owned: list[tuple[Customer, str]], number: int, *, months: int
) -> story.Plot:
    customer, manager = owned[number % len(owned)]
    products = list(
        stage.session.scalars(select(Product).where(Product.is_active).order_by(Product.id))
    )
    banks = list(stage.session.scalars(select(PartnerBank).order_by(PartnerBank.id)))
    return story.Plot(
        customer=customer,
        manager=manager,
        assistant=_colleague(manager),
        months=months,
        product_id=_product_for(customer, products, number).id,
        bank_id=banks[number % len(banks)].id,
        amount=Decimal(stage.random.randrange(20, 120)) * 25000,
        parts=0,
        method=stage.pick([way for way in RepaymentMethod if way is not RepaymentMethod.CUSTOM]),
    )


def _colleague(manager: str) -> str:
    names = people.ACCOUNT_MANAGERS
    group = names[:3] if manager in names[:3] else names[3:]
    return group[(group.index(manager) + 1) % len(group)]


def _product_for(customer: Customer, products: list[Product], number: int) -> Product:
    wanted = (
        ProductAudience.PERSONAL
        if customer.kind is CustomerKind.PERSONAL
        else ProductAudience.CORPORATE
    )
    fitting = [
        p
        for p in products
        if p.audience in (wanted, ProductAudience.ANY)
        and p.code in ("LDZJ", "XWKB", "KCDB", "GRJY", "SNDB")
    ]
    return fitting[number % len(fitting)]
