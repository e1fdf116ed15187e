"""One asset asked for by several projects at the same moment: as many get it as its value x rate holds."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.collateral.asset import Collateral, CollateralOwner
from models.collateral.pledge import CollateralPledge
from models.guarantee.project import Project, Stage
from models.guarantee.signing import CounterGuarantee, CounterKind
from reports.figures import collateral
from tests.workflows.at_once import DONE, together
from tests.workflows.collateral.test_pledge import kind, valued
from tests.workflows.guarantee.factories import MANAGER, MILLION, Line, prepare
from workflows.base import records
from workflows.collateral import pledge

PEOPLE = 3
# value x rate is 6 million: two of these, never three
AMOUNT = 3 * MILLION


@pytest.fixture(scope="module")
def waiting(engine):
    """A building, and three mortgages of three projects that are to stand on it."""
    prepare(engine)
    with Session(engine, expire_on_commit=False) as session:
        line = Line(session)
        projects = [
            line.project_at(Stage.COUNTER, customer_id=line.customer(f"并押第{n}公司").id)
            for n in range(PEOPLE)
        ]
        asset = _building(line, projects[0])
        items = [
            records.create(
                line.ctx(MANAGER),
                CounterGuarantee,
                {
                    "project_id": project.id,
                    "kind": CounterKind.MORTGAGE,
                    "asset_kind": "PLANT",
                    "name": "厂房",
                    "appraised_value": MILLION,
                },
            ).id
            for project in projects
        ]
        session.commit()
    return asset.id, items


def _building(line: Line, project: Project) -> Collateral:
    values = {
        "name": "共用厂房",
        "type_id": kind(line).id,
        "customer_id": project.customer_id,
        "location": "滨江路",
    }
    asset = records.create(line.ctx(MANAGER), Collateral, values)
    owner = {"collateral_id": asset.id, "name": "李晓明", "share_pct": 100}
    records.create(line.ctx(MANAGER), CollateralOwner, owner)
    valued(line, asset, 10 * MILLION, line.today - timedelta(3))
    return asset


@pytest.fixture
def _slow_readers(monkeypatch):
    """Whoever has read what stands on the asset thinks for a moment: the others would overtake."""
    read = collateral.claims

    def slowly(*args, **kwargs):
        found = read(*args, **kwargs)
        time.sleep(0.02)
        return found

    monkeypatch.setattr(collateral, "claims", slowly)


def play(engine, waiting, rounds):
    asset_id, items = waiting

    def linker(item_id):
        def act(session):
            item = session.get_one(CounterGuarantee, item_id)
            asset = session.get_one(Collateral, asset_id)
            pledge.link(Line(session).ctx(MANAGER), item, asset, AMOUNT)

        return act

    for _ in range(rounds):
        found = together(engine, [linker(item) for item in items])
        assert found == ["FieldErrors", DONE, DONE]
        with Session(engine) as session:
            live = CollateralPledge.released_on.is_(None)
            total = select(func.sum(CollateralPledge.amount)).where(live)
            assert session.scalar(total) == 2 * AMOUNT
            ranks = select(CollateralPledge.rank).where(live).order_by(CollateralPledge.rank)
            assert session.scalars(ranks).all() == [1, 2]
            free = {"released_on": Line(session).today, "released_reason": "再来一次"}
            session.execute(update(CollateralPledge).values(free))
            session.commit()


@pytest.mark.usefixtures("_slow_readers")
def test_three_projects_at_once_take_no_more_than_the_asset_is_worth(engine, waiting):
    play(engine, waiting, rounds=4)


@pytest.mark.long
@pytest.mark.usefixtures("_slow_readers")
def test_three_projects_at_once_take_no_more_than_the_asset_is_worth_many_times(engine, waiting):
    play(engine, waiting, rounds=150)
