"""Buttons of the set-up: versions of approval flows (10.2)."""

from typing import Any

from models.approval.approval import FlowState
from views.kit.buttons import Button, in_state, register
from workflows.approval import flows


def to_editor(_: Any, result: Any) -> str:
    """A new version opens where it is changed."""
    return f"/approval_flow/editor/{result.id}"


register(
    Button(
        flows.FLOW["publish"],
        flows.publish,
        style="primary",
        rank=1,
        confirm="发布后这个版本不能再修改；原在用的版本同时停用，已在办的审批仍按原版本办完。",
    ),
    Button(
        flows.NEW_VERSION,
        flows.new_version,
        name="new_version",
        when=in_state("state", FlowState.PUBLISHED),
        rank=10,
        done="已复制为新版本的草稿，修改后发布",
        after=to_editor,
    ),
    Button(
        flows.FLOW["retire"],
        flows.retire,
        rank=50,
        confirm="停用后，新提交的业务不再按这个流程审批；已在办的审批不受影响。",
    ),
)
