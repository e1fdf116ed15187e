"""No deletion takes along what is in approval or was approved, whatever can be deleted and whatever goes with it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalFlow, ApprovalInstance, ApprovalState, FlowState
from models.base.actor import SYSTEM
from models.base.entity import entities, owner_of
from models.base.errors import Conflict
from models.base.kinds import SpecKind
from models.system.organization import Employee
from workflows.base import records
from workflows.base.context import Ctx

NOW = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
DELETABLE = [
    m
    for m in entities()
    if m.spec.kind.has_screen and m.spec.kind.is_writable and "delete" in m.spec.saved_by
]
# (what is deleted, what is approved): the record itself, or a part of it, or a part's part.
PAIRS = [(m, m) for m in DELETABLE] + [
    (model, part)
    for part in entities()
    if part.spec.kind not in (SpecKind.LOG, SpecKind.INTERNAL) and (owner := owner_of(part))
    for model in DELETABLE
    if issubclass(model, owner[1])
]


@pytest.fixture
def ctx(demo_app):
    with Session(demo_app.engine, expire_on_commit=False) as session:
        yield Ctx(session, SYSTEM, NOW.date(), NOW, "test")
        session.rollback()


def put_up(ctx, record, state):
    flow = ctx.session.scalars(
        select(ApprovalFlow).where(ApprovalFlow.state == FlowState.PUBLISHED)
    ).first()
    is_running = state is ApprovalState.RUNNING
    ctx.session.add(
        ApprovalInstance(
            business_type_id=flow.business_type_id,
            flow_id=flow.id,
            title="试一试",
            state=state,
            submitted_at=NOW,
            current_node_seq=10 if is_running else None,
            finished_at=None if is_running else NOW,
            applicant_id=ctx.session.scalars(select(Employee.id)).first(),
            table_name=record.__tablename__,
            record_id=record.id,
            facts={},
        )
    )
    ctx.session.flush()


def some(ctx, model, part):
    """A record of the demonstration with a part of it; None where there is none."""
    if model is part:
        found = ctx.session.scalars(select(model).limit(1)).first()
        return found, found
    name = f"{owner_of(part)[0]}_id"
    query = select(part).join(model, getattr(part, name) == model.id)
    row = ctx.session.scalars(query.limit(1)).first()
    return (None, None) if row is None else (ctx.session.get(model, getattr(row, name)), row)


@pytest.mark.parametrize(
    "state", [ApprovalState.RUNNING, ApprovalState.APPROVED], ids=lambda s: s.name
)
def test_what_is_in_approval_or_approved_keeps_its_record(ctx, state):
    tried = 0
    for model, part in PAIRS:
        record, approved = some(ctx, model, part)
        if record is None:  # nothing of it in the demonstration
            continue
        tried += 1
        trial = ctx.session.begin_nested()
        put_up(ctx, approved, state)
        with pytest.raises(Conflict, match=rf"不能删除：.*审批单“试一试”{state.label}"):
            records.delete(ctx, record, record.version)
        trial.rollback()
    assert tried > len(PAIRS) / 2
