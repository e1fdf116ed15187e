"""Indexes of custom fields: on the expression that lists ask, made once, taken away with the flag."""

import re
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from models.base.custom import CustomFacts, kept
from models.customer.customer import CorporateCustomer
from models.system.custom_field import CustomField
from reports.figures import custom_fields
from tests.workflows.customer_world import CustomerWorld
from workflows.base import records
from workflows.system import field_indexes

KINDS = ("TEXT", "INT", "MONEY", "RATE", "DATE", "BOOL", "REFERENCE")


@pytest.fixture
def ctx(session):
    custom_fields._KNOWN.clear()
    return CustomerWorld(session).system()


def carry_out(session):
    """Run what is due, here inside the test's transaction."""
    due = field_indexes.due(session)
    for statement in due:
        session.execute(text(statement.replace(" CONCURRENTLY", "")))
    return due


def test_each_field_that_lists_filter_by_has_an_index_of_its_own(ctx):
    made = []
    carry_out(ctx.session)  # what an installation begins with
    for kind in KINDS:
        values = {"table_name": "corporate_customer", "code": f"f_{kind.lower()}", "kind": kind}
        more = {"target": "guarantee_company"} if kind == "REFERENCE" else {}
        made.append(records.create(ctx, CustomField, {**values, "label": f"自设{kind}", **more}))
    assert len(carry_out(ctx.session)) == 2 * len(KINDS)
    assert carry_out(ctx.session) == []
    facts = custom_fields.fields_now(ctx.session, CorporateCustomer)["f_money"]
    query = select(CorporateCustomer.id).where(facts.sql(CorporateCustomer) >= Decimal(1))
    assert "ix_extra_" in plan(ctx.session, query)
    assert "ix_extra_" in plan(ctx.session, query.order_by(facts.sql(CorporateCustomer)))
    records.update(ctx, made[0], {"is_filtered": "false"}, made[0].version)
    records.update(ctx, made[1], {"is_active": "false"}, made[1].version)
    assert [statement.startswith("DROP") for statement in carry_out(ctx.session)] == [True, True]


def test_of_two_at_once_one_makes_them(engine):
    """On PostgreSQL the second leaves at once; on SQLite it waits for the writer, and finds them there."""
    with engine.connect() as one, engine.connect() as other:
        first, second = (c.execution_options(isolation_level="AUTOCOMMIT") for c in (one, other))
        with field_indexes.alone(first) as is_mine, field_indexes.alone(second) as is_too:
            assert (is_mine, is_too) == (True, engine.dialect.name == "sqlite")
        with field_indexes.alone(second) as is_mine:
            assert is_mine, "the first has let go"


def plan(session, query):
    """How the database would look for it, with nothing but indexes to go by."""
    dialect = session.get_bind().dialect
    if dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_seqscan = off"))
    words = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    how = {"postgresql": "EXPLAIN", "sqlite": "EXPLAIN QUERY PLAN"}[dialect.name]
    return str(session.execute(text(f"{how} {words}")).all())


def test_nothing_but_a_code_is_written_into_sql():
    for code in ("x'", "a b", "", "a" * 33, "A"):
        with pytest.raises(ValueError, match=re.escape(code) + "$"):
            kept(CorporateCustomer.extra, code)
        with pytest.raises(ValueError, match=re.escape(code) + "$"):
            CustomFacts(code).sql(CorporateCustomer)
