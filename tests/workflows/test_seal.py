"""The seal: lines are chained in the order of sealing, and the first one that was touched is named."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.partner import JointGroup
from models.system import AuditLog
from tests.workflows.office import audited
from workflows.base import seal
from workflows.base.seal import seal_audit_trail, verify_seal


def write(ctx, count, start=1):
    for number in range(start, start + count):
        ctx.session.add(JointGroup(code=f"LB{number}", name=f"联保体{number}", credit_line=1))
        ctx.session.flush()


def lines(session):
    session.expire_all()
    return session.scalars(select(AuditLog).order_by(AuditLog.id)).all()


def test_nothing_written_nothing_sealed(ctx):
    assert seal_audit_trail(ctx) == 0
    assert verify_seal(ctx.session) == []


def test_each_line_is_sealed_once_on_top_of_the_one_before(ctx):
    write(ctx, 3)
    assert (seal_audit_trail(ctx), seal_audit_trail(ctx)) == (3, 0)
    first = [line.seal_hash for line in lines(ctx.session)]
    write(ctx, 2, start=4)
    assert seal_audit_trail(ctx) == 2
    rows = lines(ctx.session)
    assert [row.seal_hash for row in rows[:3]] == first
    assert [row.seal_no for row in rows] == [1, 2, 3, 4, 5]
    assert len({row.seal_hash for row in rows}) == 5
    assert rows[3].seal_hash == seal.link(rows[2].seal_hash, rows[3])
    assert verify_seal(ctx.session) == []


def test_a_long_trail_is_sealed_batch_by_batch(ctx, monkeypatch):
    monkeypatch.setattr(seal, "_BATCH", 2)
    write(ctx, 5)
    assert [seal_audit_trail(ctx) for _ in range(4)] == [2, 2, 1, 0]
    assert verify_seal(ctx.session) == []


def test_lines_not_sealed_yet_are_no_finding(ctx):
    write(ctx, 2)
    seal_audit_trail(ctx)
    write(ctx, 1, start=3)
    assert verify_seal(ctx.session) == []


def test_a_line_of_a_transaction_that_ended_late_takes_its_place_at_the_end(ctx):
    """On PostgreSQL ids are given before the commit: a smaller one may come to light after larger ones are sealed."""
    write(ctx, 3)
    late, *_ = lines(ctx.session)
    ctx.session.execute(text("UPDATE audit_log SET seal_hash = 'not yet committed' WHERE id = :id"), {"id": late.id})
    assert seal_audit_trail(ctx) == 2
    ctx.session.execute(text("UPDATE audit_log SET seal_hash = NULL WHERE id = :id"), {"id": late.id})
    assert seal_audit_trail(ctx) == 1
    assert [line.seal_no for line in lines(ctx.session)] == [3, 1, 2]
    assert verify_seal(ctx.session) == []


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
    seal_audit_trail(ctx)
    second = lines(ctx.session)[1]
    ctx.session.execute(text(tampering))
    ctx.session.expire_all()
    assert verify_seal(ctx.session) == [f"操作日志第 {second.id} 行与封存摘要不符（联保体2）"]


def test_a_line_taken_out_is_found_at_the_next_one(ctx):
    write(ctx, 3)
    seal_audit_trail(ctx)
    _, second, third = lines(ctx.session)
    ctx.session.execute(text("DELETE FROM audit_log WHERE id = :id"), {"id": second.id})
    assert verify_seal(ctx.session) == [f"操作日志第 {third.id} 行与封存摘要不符（联保体3）"]


def test_a_line_without_title_is_named_by_its_table(ctx):
    write(ctx, 1)
    ctx.session.execute(text("UPDATE audit_log SET record_title = ''"))
    seal_audit_trail(ctx)
    (only,) = lines(ctx.session)
    ctx.session.execute(text("UPDATE audit_log SET seal_no = 2"))
    ctx.session.expire_all()
    assert verify_seal(ctx.session) == [f"操作日志第 {only.id} 行与封存摘要不符（joint_group）"]


def test_the_seal_holds_after_a_commit_and_on_another_connection(engine, office):
    """Times and JSON come back from the database as they were hashed."""
    with Session(engine) as session:
        ctx = office.ctx(audited(session))
        write(ctx, 2, start=100)
        session.commit()
    with Session(engine) as session:
        assert seal_audit_trail(office.system(session)) == 2
        session.commit()
    with Session(engine) as session:
        assert verify_seal(session) == []
        session.execute(text("DELETE FROM audit_log"))
        session.execute(text("DELETE FROM joint_group"))
        session.commit()
