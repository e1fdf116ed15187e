"""The seal: lines are chained in the order of sealing, and the first one that was touched is named."""

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from models.customer.partner import JointGroup
from models.system.organization import Employee, Theme
from models.system.setup import AuditLog
from tests.workflows.accounts import sign_on
from tests.workflows.office import audited
from workflows.base import seal

BEGINS_WITH = "tables"


def write(ctx, count, start=1):
    for number in range(start, start + count):
        ctx.session.add(JointGroup(code=f"LB{number}", name=f"联保体{number}", credit_line=1))
        ctx.session.flush()


def lines(session):
    session.expire_all()
    return session.scalars(select(AuditLog).order_by(AuditLog.id)).all()


def wrong(session):
    connection = session.connection()
    return [problem for _, problem in seal.check(connection, seal.read(connection)) if problem]


def test_each_line_is_chained_on_top_of_the_one_before_as_it_is_written(ctx):
    write(ctx, 3)
    first = [line.seal_hash for line in lines(ctx.session)]
    write(ctx, 2, start=4)
    rows = lines(ctx.session)
    assert [row.seal_hash for row in rows[:3]] == first
    assert [row.seal_no for row in rows] == [1, 2, 3, 4, 5]
    assert len({row.seal_hash for row in rows}) == 5
    assert wrong(ctx.session) == []
    (head,) = seal.heads(ctx.session.connection())
    assert (head.length, head.hash) == (5, rows[-1].seal_hash)


def test_what_a_savepoint_takes_back_leaves_no_trace_in_the_chain(ctx):
    write(ctx, 1)
    part = ctx.session.begin_nested()
    write(ctx, 3, start=2)
    part.rollback()
    write(ctx, 1, start=7)
    assert [line.seal_no for line in lines(ctx.session)] == [1, 2]
    assert wrong(ctx.session) == []


def test_lines_that_an_earlier_release_left_are_taken_in_at_the_end_of_its_chain(ctx, monkeypatch):
    monkeypatch.setattr(seal, "_BATCH", 2)
    write(ctx, 5)
    ctx.session.execute(
        text("UPDATE audit_log SET seal_no = NULL, seal_hash = NULL WHERE seal_no > 1")
    )
    ctx.session.execute(text("UPDATE audit_log SET lane = 0"))  # as the migration puts them
    ctx.session.execute(text("DELETE FROM chain_lane"))
    assert seal.take_in(ctx.session.connection()) == 4
    assert seal.take_in(ctx.session.connection()) == 0
    assert wrong(ctx.session) == []
    write(ctx, 1, start=9)
    assert [line.seal_no for line in lines(ctx.session)] == [1, 2, 3, 4, 5, 6]
    assert wrong(ctx.session) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_log SET actor_name = '别人' WHERE seal_no = 2",
        "UPDATE audit_log SET note = '补记' WHERE seal_no = 2",
        "UPDATE audit_log SET changes = '{}' WHERE seal_no = 2",
        "UPDATE audit_log SET action = 'UPDATE' WHERE seal_no = 2",
        "UPDATE audit_log SET log_kind = 'SYSTEM' WHERE seal_no = 2",
        "UPDATE audit_log SET employee_id = NULL WHERE seal_no = 2",
        "UPDATE audit_log SET project_id = 7 WHERE seal_no = 2",
        "UPDATE audit_log SET ip = '10.9.9.9' WHERE seal_no = 2",
        "UPDATE audit_log SET seal_hash = 'x' WHERE seal_no = 2",
        "UPDATE audit_log SET record_id = record_id + 1 WHERE seal_no = 2",
    ],
)
def test_a_touched_line_is_named(ctx, tampering):
    write(ctx, 3)
    second = lines(ctx.session)[1]
    ctx.session.execute(text(tampering))
    ctx.session.expire_all()
    assert wrong(ctx.session)[:1] == [f"操作日志第 {second.id} 行与封存摘要不符（联保体2）"]


def test_a_line_taken_out_is_found_at_the_next_one(ctx):
    write(ctx, 3)
    _, second, third = lines(ctx.session)
    ctx.session.execute(text("DELETE FROM audit_log WHERE id = :id"), {"id": second.id})
    assert wrong(ctx.session)[:1] == [f"操作日志第 {third.id} 行与封存摘要不符（联保体3）"]


@pytest.mark.parametrize(
    ("tampering", "left"),
    [("seal_no = 3", 2), ("seal_no > 1", 1), ("seal_no > 0", 0)],
    ids=["last", "tail", "all"],
)
def test_lines_taken_off_the_end_are_missed(ctx, tampering, left):
    write(ctx, 3)
    (head,) = seal.heads(ctx.session.connection())
    ctx.session.execute(text(f"DELETE FROM audit_log WHERE {tampering}"))
    assert wrong(ctx.session) == [
        f"操作日志第 {head.lane} 链应有 3 行，现有 {left} 行，末尾的日志被删除或改动"
    ]


def test_a_line_put_in_beside_the_chain_is_named(ctx):
    write(ctx, 2)
    first, _ = lines(ctx.session)
    columns = "at, actor_name, source, table_name, record_title, action, changes, log_kind, version, extra"
    ctx.session.execute(
        text(
            f"INSERT INTO audit_log ({columns}, lane) SELECT {columns}, 0 FROM audit_log WHERE id = :id"
        ),
        {"id": first.id},
    )
    *_, made = lines(ctx.session)
    assert wrong(ctx.session) == [
        f"操作日志第 {made.id} 行（联保体1）不在封存链内，可能是绕过系统写入的"
    ]


def test_a_lane_that_nobody_registered_is_named(ctx):
    write(ctx, 2)
    (head,) = seal.heads(ctx.session.connection())
    ctx.session.execute(text("DELETE FROM chain_lane"))
    assert wrong(ctx.session) == [f"操作日志第 {head.lane} 链没有登记，可能是绕过系统写入的"]


def test_a_line_without_title_is_named_by_its_table(ctx):
    write(ctx, 1)
    ctx.session.execute(text("UPDATE audit_log SET record_title = ''"))
    (only,) = lines(ctx.session)
    assert wrong(ctx.session) == [f"操作日志第 {only.id} 行与封存摘要不符（joint_group）"]


def cost_of(session, act):
    """How many statements a save takes."""
    session.flush()
    connection, told = session.connection(), []
    event.listen(connection, "before_cursor_execute", lambda *args: told.append(args[2]))
    act()
    session.flush()
    return len(told)


def test_a_sealed_row_costs_one_statement_more_to_save_and_a_counter_none(ctx, office):
    """The row is read once more for its digest; columns that promise nothing are not looked at."""
    operator = sign_on(ctx.session, ctx.session.scalars(select(Employee).limit(1)).one())
    plain = cost_of(ctx.session, lambda: setattr(operator, "rows_per_page", 77))
    assert (
        cost_of(ctx.session, lambda: setattr(operator, "must_change_password", False)) == plain + 1
    )
    assert cost_of(ctx.session, lambda: setattr(operator, "theme", Theme.DARK)) == plain
    assert plain <= 5  # the row, the search index, and the line of the trail in its lane


def clear(session):
    for table in ("audit_log", "joint_group", "chain_lane"):
        session.execute(text(f"DELETE FROM {table}"))
    session.commit()


def test_the_seal_holds_after_a_commit_and_on_another_connection(engine, office):
    """Times and JSON come back from the database as they were hashed."""
    with Session(engine) as session:
        ctx = office.ctx(audited(session))
        write(ctx, 2, start=100)
        session.commit()
    with Session(engine) as session:
        assert wrong(session) == []
        clear(session)


@pytest.mark.postgres
def test_two_who_write_at_once_take_a_lane_each(engine, office):
    with Session(engine) as one, Session(engine) as other:
        for number, session in enumerate((one, other)):
            write(office.ctx(audited(session)), 2, start=200 + 10 * number)
        other.commit()
        one.commit()
        assert sorted(head.length for head in seal.heads(one.connection())) == [2, 2]
        assert wrong(one) == []
        clear(one)
