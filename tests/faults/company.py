"""A small company whose machine was off for three days over a month-end, with something due on each of them."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import create_app
from app.demo.load import Size, load_demo
from app.demo.stage import Stage
from app.demo.story import post_drafts
from app.extensions import db
from app.jobs import job_edge
from models.base.actor import SYSTEM
from models.customer.customer import Customer
from models.customer.rating import CustomerRating, RatingState
from models.guarantee.drawdown import Drawdown, Instalment, RepaymentPlan
from models.guarantee.project import Project, ProjectState
from models.guarantee.resolution import Resolution, ResolutionState
from models.system.setup import Parameter
from tests.template import settings_of
from workflows import day_end
from workflows.base.context import Ctx

START = date(2026, 3, 30)  # a Monday; the machine comes back on Thursday
DAYS = [START + timedelta(days=n) for n in range(3)]
TODAY = DAYS[-1] + timedelta(days=1)
PERIOD = "2026-03"
LITTLE = Size(old_customers=2, new_customers=2, guarantees=5, line=3, bulk=8, full_days=1)


def play(url: str, data_dir: Path) -> None:
    """Let the company in the installation at `url` live until START."""
    app: Flask = create_app(settings_of(url, data_dir))
    with app.app_context():
        session = db.session()
        # Income over the term, so that the month-end has some to recognise.
        mode = update(Parameter).where(Parameter.code == "income.recognition_mode")
        session.execute(mode.values(value="EVENLY"))
        session.commit()
        assert load_demo(app, size=LITTLE, as_of=START)
        # The demonstration leaves the vouchers of its last days to somebody; a month with them cannot be closed.
        post_drafts(Stage(session, random.Random(START.year), START, START))
        # Whose session it is: the trail follows what is set.
        Ctx(session=session, actor=SYSTEM, today=START, now=datetime.now(UTC), source="demo")
        _fall_due(session)
        session.commit()
        db.session.remove()
        db.engine.dispose()


def close_days(url: str, data_dir: Path) -> None:
    """Catch up on the days, so that the month may be closed."""
    app: Flask = create_app(settings_of(url, data_dir))
    with app.app_context():
        runs = day_end.run_due(job_edge("cli"), TODAY)
        assert [run.business_date for run in runs] == DAYS
        db.engine.dispose()


def open_instalments(session: Session) -> list[Instalment]:
    """The next unpaid instalment of each running loan, in the order of the loans."""
    query = (
        select(Instalment)
        .join(RepaymentPlan, RepaymentPlan.id == Instalment.repayment_plan_id)
        .join(Drawdown, Drawdown.id == RepaymentPlan.drawdown_id)
        .where(RepaymentPlan.is_current, Instalment.principal_paid < Instalment.principal)
        .order_by(Drawdown.id, Instalment.due_on)
    )
    found: dict[int, Instalment] = {}
    for row in session.scalars(query):
        found.setdefault(row.repayment_plan_id, row)
    return list(found.values())


def _fall_due(session: Session) -> None:
    """An instalment on each of the days; on the second also a resolution that reserves, and a rating."""
    for row, day in zip(open_instalments(session), DAYS, strict=False):
        session.execute(update(Instalment).where(Instalment.id == row.id).values(due_on=day))
    told_of = Resolution.state == ResolutionState.EXPIRED  # its warning stands already
    paper = session.scalars(
        select(Resolution).where(~told_of).order_by(Resolution.id.desc())
    ).first()
    project = session.scalars(select(Project).where(Project.state == ProjectState.RUNNING)).first()
    rating = session.scalars(
        select(CustomerRating).where(CustomerRating.state == RatingState.APPROVED)
    ).first()
    assert paper
    assert project
    assert rating
    standing = {"project_id": project.id, "state": ResolutionState.VALID, "valid_until": DAYS[1]}
    session.execute(update(Resolution).where(Resolution.id == paper.id).values(standing))
    session.execute(
        update(Project).where(Project.id == project.id).values(reserved_amount=paper.amount)
    )
    session.execute(
        update(CustomerRating).where(CustomerRating.id == rating.id).values(valid_until=DAYS[1])
    )
    rated = update(Customer).where(Customer.id == rating.customer_id)
    session.execute(rated.values(grade_valid_until=DAYS[1]))
