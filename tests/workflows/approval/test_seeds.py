"""The seeded flows: every business type can be submitted once its positions have people."""

import shutil
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.approval.approval import (
    ApprovalFlow,
    ApprovalInstance,
    ApprovalNode,
    ApprovalPosition,
    ApprovalType,
    FlowState,
)
from reports.figures import approvals
from tests.workflows.approval_world import World
from workflows.approval import approval, steps
from workflows.base.seeds import SEEDS, load_base_data


@pytest.fixture(autouse=True)
def only_flows(monkeypatch):
    """The flows are proved here on any record; what a business does afterwards is its own tests' to prove."""
    monkeypatch.setattr(steps, "_HANDLERS", {})


@pytest.fixture
def world(session, tmp_path):
    for path in SEEDS.glob("approval_*.csv"):
        shutil.copy(path, tmp_path)
    load_base_data(session, tmp_path)
    return World(session)


def test_every_type_has_a_published_flow_whose_people_are_asked(world):
    session = world.session
    for position in session.scalars(
        select(ApprovalPosition).where(ApprovalPosition.label.is_not(None))
    ):
        world.positions[position.code] = position
        world.position(position.code, "甲")
    seeded = session.scalars(select(ApprovalType).where(ApprovalType.code != "loan.test")).all()
    assert seeded
    for kind in seeded:
        for amount in (Decimal("0.01"), Decimal("9999999999.99"), None):
            made = approval.start(
                world.ctx(), kind.code, world.branch, title=kind.label, amount=amount
            )
            assert made.flow.state is FlowState.PUBLISHED
            approval.withdraw(world.ctx(), made)
    assert (
        session.scalar(select(ApprovalNode.id).where(ApprovalNode.name == "分管副总审批"))
        is not None
    )
    assert len(session.scalars(select(ApprovalFlow)).all()) == len(seeded)


def test_the_evaluation_of_large_amounts_goes_to_the_vice_president(world):
    for code, name in (("evaluation", "甲"), ("vice_president", "乙")):
        found = world.session.scalars(
            select(ApprovalPosition).where(ApprovalPosition.code == code)
        ).one()
        world.positions[code] = found
        world.position(code, name)
    ways = {}
    for amount in ("4999999.99", "5000000.00"):
        made: ApprovalInstance = approval.start(
            world.ctx(), "project.evaluation", world.branch, title="评估", amount=Decimal(amount)
        )
        ways[amount] = [
            s.node.name for s in approvals.path(made.flow, made.amount) if not s.is_skipped
        ]
        approval.withdraw(world.ctx(), made)
    assert ways == {
        "4999999.99": ["部门经理审核", "评估审批"],
        "5000000.00": ["部门经理审核", "评估审批", "分管副总审批"],
    }
