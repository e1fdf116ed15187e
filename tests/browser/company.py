"""An installation with a company and its people: what the browser tests begin with.

`DATA_DIR=... python -m tests.browser.company [busy] [reviewed] [many]`. A process of its own: it keeps facts.
There are no customers, unless the company is to be busy: then five projects wait for the board, one for its fees to be
collected, and ten vouchers for three people; or reviewed: then one project is about to be put up for 评审.
With `many` twenty approvals wait for one person, and one for a signature.
"""

import random
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from app import create_app
from app.demo import customers, people, story
from app.demo.books import draft, pay_in_capital
from app.demo.stage import Stage
from app.demo.year import repay
from app.extensions import db
from app.lifecycle import initialise
from models.customer.customer import WatchKind
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product, RepaymentMethod
from models.system.setup import SystemState
from workflows.customer import customer as watching

# The day on which the bank pays out in the bank's own plan file.
TODAY = date(2026, 1, 15)


def main() -> None:
    """Make the company; the installation counts as a demo, so that its login page lists the accounts."""
    app = create_app()
    with app.app_context():
        initialise(app)
        session = db.session()
        session.rollback()
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        director = Stage(session, random.Random(7), TODAY, TODAY)
        people.make_company(director)
        pay_in_capital(director)
        if "busy" in sys.argv:
            be_busy(director)
        if "reviewed" in sys.argv:
            for _ in story.play(director, plot_of(director, 0, "_review"), repay):
                pass
        if "many" in sys.argv:
            wait_for_many(director)
        state = session.get_one(SystemState, 1)
        state.business_date, state.is_demo, state.demo_marker = TODAY, True, "browser"
        session.commit()


def be_busy(director: Stage) -> None:
    """Five projects before the board, one whose fees are booked, and ten vouchers in draft."""
    for number in range(6):
        stage_of_the_line = "_meet" if number else "_collect"
        for _ in story.play(director, plot_of(director, number, stage_of_the_line), repay):
            pass  # all on one day
    story.post_vouchers(replace(director, as_of=TODAY + timedelta(days=7)))
    for number in range(10):
        draft(
            director,
            "payment",
            f"支付办公费 {number}",
            ("6601.01", Decimal(1000)),
            ("1002", Decimal(-1000)),
        )


def wait_for_many(director: Stage) -> None:
    """Twenty customers are to be put on the black list, and the president is to sign a resolution."""
    for number in range(20):
        manager = people.ACCOUNT_MANAGERS[number % 6]
        customer = customers.make_customer(director, 3 * number + 1, manager)
        reason = "虚构贸易背景，经核实。"
        watching.watch(director.ctx(manager), customer, WatchKind.BLACKLIST, reason)
    plot = plot_of(director, 0, "_meet")
    for _ in story.play(director, replace(plot, parts=plot.parts + 1), repay):
        pass


def plot_of(director: Stage, number: int, until: str) -> story.Plot:
    """A rated customer whose project stands before a part of the line."""
    manager = people.ACCOUNT_MANAGERS[0]
    customer = customers.make_customer(director, number * 3, manager)  # every third is a person
    customers.rate_customer(director, customer, manager, "zhenglan")
    product = director.session.scalars(select(Product).where(Product.code == "LDZJ")).one()
    bank = director.session.scalars(select(PartnerBank).order_by(PartnerBank.id)).first()
    assert bank is not None
    parts = [part.__name__ for part in story.PARTS].index(until)
    return story.Plot(
        customer=customer,
        manager=manager,
        assistant=people.ACCOUNT_MANAGERS[1],
        months=12,
        product_id=product.id,
        bank_id=bank.id,
        amount=Decimal(2_000_000),
        parts=parts,
        method=RepaymentMethod.EQUAL_INSTALMENT,
    )


if __name__ == "__main__":
    main()
