"""The test databases themselves: both kinds are there, empty of one another's writes, and strict."""

import pytest
from sqlalchemy import inspect, text


def test_tables_come_from_the_template(engine, db_kind):
    assert engine.dialect.name == db_kind
    assert "ab_user" in inspect(engine).get_table_names()


@pytest.mark.parametrize("turn", [1, 2])
def test_even_committed_writes_are_undone(session, turn):
    assert session.scalar(text("SELECT count(*) FROM ab_role WHERE name = 'probe'")) == 0
    session.execute(text("INSERT INTO ab_role (id, name) VALUES (9001, 'probe')"))
    session.commit()
    assert session.scalar(text("SELECT count(*) FROM ab_role WHERE name = 'probe'")) == 1


@pytest.mark.postgres
def test_marked_tests_run_on_postgresql_alone(session, db_kind):
    assert db_kind == "postgresql"
    assert session.scalar(text("SHOW fsync")) == "off"
