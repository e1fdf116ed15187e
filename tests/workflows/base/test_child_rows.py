"""Rows of a grid: right together or not at all, each wrong one by its place, and nobody's change goes unseen."""

import pytest
from sqlalchemy import select

from models.base.errors import NotAllowed
from models.customer.detail import BankAccount, Shareholder
from tests.workflows.customer_world import CustomerWorld
from workflows.base import child_rows
from workflows.base.child_rows import RowChange, RowErrors


@pytest.fixture
def world(session):
    return CustomerWorld(session)


@pytest.fixture
def held(world):
    """A company of which one holds 60 and another 40 %."""
    company = world.company()
    shares = (("甲", "60"), ("乙", "40"))
    rows = [world.add(Shareholder, company, name=name, share_pct=pct) for name, pct in shares]
    return company, rows


def edit(place, row, version=None, **values):
    return RowChange(place, type(row), values, row, version or row.version)


def holders(world):
    return {row.name: row.share_pct for row in world.session.scalars(select(Shareholder))}


def test_shares_that_change_places_are_right_together(world, held):
    company, (first, second) = held
    new = {"corporate_customer_id": company.id, "name": "丙", "share_pct": "5"}
    child_rows.save(
        world.system(),
        [
            RowChange("n-", Shareholder, new),
            edit("b-", second, share_pct="60"),
            edit("a-", first, share_pct="35"),
        ],
    )
    assert holders(world) == {"甲": 35, "乙": 60, "丙": 5}


def test_a_row_goes_before_its_successor_comes(world):
    company = world.company()
    account = {"bank_name": "工行", "account_name": "户", "account_no": "6222020200112233"}
    old = world.add(BankAccount, company, **account)
    again = {"customer_id": company.id, **account}
    child_rows.save(
        world.system(),
        [
            RowChange("n-", BankAccount, again),
            RowChange("o-", BankAccount, {}, old, old.version, is_dropped=True),
        ],
    )
    (left,) = world.session.scalars(select(BankAccount))
    assert left.id != old.id


def test_all_wrong_rows_are_named_and_a_stale_one_says_who_was_first(world, held):
    company, (first, second) = held
    new = {"corporate_customer_id": company.id, "name": "", "share_pct": "很多"}
    changes = [
        RowChange("n-", Shareholder, new),
        edit("a-", first, version=first.version + 5, name="甲甲"),
        edit("b-", second, share_pct="41", subscribed="1", paid_in="2"),
    ]
    with pytest.raises(RowErrors) as error:
        child_rows.save(world.system(), changes)
    said = error.value.field_errors
    assert set(said) == {"n-name", "n-share_pct", "a-", "b-share_pct"}
    assert "“甲”已被他人修改" in said["a-"][0]
    assert error.value.status == 409
    assert set(child_rows.check(world.system(), changes)) == {"n-name", "n-share_pct"}


def test_each_row_asks_for_its_own_right(world, held):
    _, (first, _) = held
    ctx = world.ctx(permissions={("can_edit", "corporate_customer")})
    with pytest.raises(NotAllowed):
        child_rows.save(ctx, [edit("a-", first, name="丁")])
