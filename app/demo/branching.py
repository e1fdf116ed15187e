"""The company lets its 评审 branch: large projects are looked at by law and finance side by side (A9)."""

from typing import Final

from sqlalchemy import select

from app.demo.stage import Stage
from models.approval.approval import (
    ApprovalBranch,
    ApprovalExample,
    ApprovalFlow,
    ApprovalNode,
    ApprovalPosition,
    BranchKind,
    FlowState,
)
from workflows.approval import flows
from workflows.base import records

_ADMINISTRATOR: Final = "admin"
_BRANCHES: Final = (
    (1, "大额项目", 1, BranchKind.CONDITION, "金额 > 1000万", None),
    (2, "其余项目", 1, BranchKind.CONDITION, None, None),
    (3, "法务", 2, BranchKind.PARALLEL, None, 1),
    (4, "财务", 2, BranchKind.PARALLEL, None, 1),
)
_NODES: Final = ((20, "法务意见", "legal", 3), (30, "财务意见", "finance", 4))
_EXAMPLES: Final = (
    ("一千万元的项目", "10000000", "评审"),
    ("三千万元的项目", "30000000", "评审 → 法务意见 → 财务意见"),
)


def play(stage: Stage) -> None:
    """A new version of the flow, published; what runs goes on by the one before."""
    ctx, session = stage.ctx(_ADMINISTRATOR), stage.session
    mine = ApprovalFlow.code == "project.review", ApprovalFlow.state == FlowState.PUBLISHED
    draft = flows.new_version(ctx, session.scalars(select(ApprovalFlow).where(*mine)).one())
    names = ("no", "name", "fork_no", "kind", "condition", "inside_no")
    for values in _BRANCHES:
        row = {"flow_id": draft.id, **dict(zip(names, values, strict=True))}
        records.create(ctx, ApprovalBranch, row)
    for seq, name, code, branch_no in _NODES:
        position = select(ApprovalPosition.id).where(ApprovalPosition.code == code)
        node = {
            "seq": seq,
            "name": name,
            "position_id": session.scalar(position),
            "branch_no": branch_no,
            "hours_limit": 16,
        }
        records.create(ctx, ApprovalNode, {"flow_id": draft.id, **node})
    for title, amount, expected in _EXAMPLES:
        example = {"title": title, "amount": amount, "expected": expected}
        records.create(ctx, ApprovalExample, {"flow_id": draft.id, **example})
    session.expire(draft)
    flows.publish(ctx, draft)
