"""What holds at a hundred thousand projects, said in plans and numbers of questions: seconds are for benchmarks/."""

import pytest
from sqlalchemy import select

from app.security import actor_of_username
from models.base.entity import entities
from models.system import SystemState
from reports import workbench
from reports.scope import condition, scoped
from tests import plans

READERS = ("heping", "zhoumin", "zhenglan", "xujing")


@pytest.fixture
def world(demo):
    with demo.session() as session:
        yield session, session.get_one(SystemState, 1).business_date


def test_a_set_of_readable_records_is_the_same_scope_as_one_asked_about_each(world):
    session, _ = world
    wrong = []
    for reader in READERS:
        actor = actor_of_username(session, reader)
        for model in entities():
            if not model.spec.scope.through or condition(model, actor) is None:
                continue
            one_by_one = set(session.scalars(scoped(select(model.id), model, actor)))
            as_set = set(session.scalars(scoped(select(model.id), model, actor, as_set=True)))
            if one_by_one != as_set:
                wrong.append((reader, model.__tablename__))
    assert wrong == []


@pytest.mark.parametrize("reader", ["heping", "zhoumin"])
def test_the_desk_begins_with_an_index_and_sums_without_looking_at_rows(demo_app, reader):
    """SQLite plans without statistics, so here it does what it does at full size."""
    with demo_app.session() as session:
        actor, today = actor_of_username(session, reader), session.get_one(SystemState, 1).business_date
        connection = session.connection()
        for ask, begins in (
            (lambda: workbench.in_force(session, actor), "SEARCH project USING COVERING INDEX ix_project_desk"),
            (lambda: workbench.in_force_by_product(session, actor), "project USING COVERING INDEX ix_project_desk"),
            (lambda: workbench.instalments_due(session, actor, today, today), "ix_instalment_open (due_on>? AND"),
            (lambda: workbench.instalments_due(session, actor, None, today), "ix_instalment_open (due_on>? AND"),
            (lambda: workbench.fees_due(session, actor, today), "ix_fee_due_open (due_on>? AND"),
            (lambda: workbench.open_warnings(session, actor), "ix_risk_warning_urgent (level=?)"),
        ):
            with plans.asked(connection) as sent:
                ask()
            first = next(one for one in sent if begins.split("ix_")[1].split("_")[0] in one[0])
            assert begins in plans.plan(connection, *first), plans.plan(connection, *first)


def test_a_card_counts_so_far_and_says_that_there_are_more(demo, monkeypatch):
    client = demo.client_of("heping")
    exact = client.get("/desktop/due").text.split('data-key="DUE"')[1].split("</section>")[0]
    whole = client.get("/desktop/card/due").text
    assert "+</b>" not in whole
    monkeypatch.setattr(workbench, "MANY", 3)
    some = client.get("/desktop/card/due").text
    assert '<b class="n">3+</b>' in some
    assert "超过 3 笔" in some
    assert "push num strong\"></b>" in some, "no sum that is not the whole"
    assert exact in client.get("/desktop/due").text, "the page behind is exact"


@pytest.mark.parametrize("table", ["instalment", "fee_due", "fee", "receipt", "repayment"])
def test_a_list_of_parts_counts_and_sums_in_one_question(demo, table):
    client = demo.client_of("zhoumin")
    client.get(f"/{table}/list/")
    with demo.statements() as sent:
        assert client.get(f"/{table}/list/").status_code == 200
    whole = [words for words in sent if f"FROM {table} " in words and ("count(*)" in words or "sum(" in words)]
    assert len(whole) == 1, whole
    assert " IN (SELECT" in whole[0], "the readable records are worked out once"
