"""What the page says after a decision."""

from types import SimpleNamespace as Row

import pytest

from models.approval.approval import ApprovalState, TaskState
from views.approval.approvals import _message
from workflows.approval.approval import Decision


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([(7, TaskState.PENDING), (7, TaskState.APPROVED)], "等待 何平 审批"),
        ([(8, TaskState.PENDING)], "已转到下一步"),
    ],
)
def test_a_consent_among_several_names_whom_it_waits_for(others, words):
    tasks = [Row(node_id=node, state=state, assignee=Row(name="何平")) for node, state in others]
    instance = Row(title="评审：江州", state=ApprovalState.RUNNING, tasks=tasks)
    said = _message(instance, Row(node_id=7), Decision.APPROVE)
    assert said == f"已同意：评审：江州。{words}"
