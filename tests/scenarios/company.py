"""The company of the stories: 江州华衡融资担保 on a Monday morning, and short ways to its customers and records."""

import random
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo import customers, people
from app.demo.stage import Stage as Director
from models.customer.customer import Customer
from models.customer.rating import CustomerRating
from models.system.setup import Parameter, SystemState
from workflows.base import audit, records

DATA = Path(__file__).parent.parent / "data"
MONDAY = date(2026, 1, 5)


def founded(session: Session, folder: Path, until: date) -> Director:
    """People and banks on the first Monday of the year; no customers and empty books yet."""
    audit.install(session)  # as in the product: `verify` asks what the trail tells
    session.info["data_dir"] = str(folder)
    director = Director(session, random.Random(7), until, MONDAY)
    director.ctx()  # what is changed by nobody at no time is a change behind the trail
    session.get_one(SystemState, 1).business_date = MONDAY
    # Most fees of these stories bear VAT whatever the customer's size; the exempt one says so by hand.
    for row in session.scalars(select(Parameter).where(Parameter.code == "vat.guarantee_exempt")):
        row.value = "否"
    people.make_company(director)
    return director


def registered_customer(company: Director, name: str, index: int = 0) -> Customer:
    """周敏 registers the customer with all it takes; she rates it and 郑岚 of 风控 confirms."""
    customer = customers.make_customer(company, index, "zhoumin")
    records.update(company.ctx("zhoumin"), customer, {"name": name}, customer.version)
    rating = customers.rate_customer(company, customer, "zhoumin", "zhenglan")
    assert isinstance(rating, CustomerRating)
    assert customer.grade is not None
    assert customer.grade_valid_until > company.today
    return customer


def one(company: Director, model, **facts):
    """The only record with these facts."""
    return company.session.scalars(select(model).filter_by(**facts)).one()
