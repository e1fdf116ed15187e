"""Buttons of the set-up: versions of approval flows (10.2)."""

from models.approval.approval import FlowState
from views.kit.verbs import ScreenVerb, in_state, record_url, register
from workflows.approval import flows

register(
    ScreenVerb(
        "approval_flow",
        "publish",
        "发布",
        run=lambda ctx, flow, _, v: flows.publish(ctx, flow, v),
        permission=("publish", "approval_flow"),
        is_offered=in_state("state", FlowState.DRAFT),
        style="primary",
        rank=1,
        confirm="发布后这个版本不能再修改；原在用的版本同时停用，已在办的审批仍按原版本办完。",
    ),
    ScreenVerb(
        "approval_flow",
        "new_version",
        "建立新版本",
        run=lambda ctx, flow, _, __: flows.new_version(ctx, flow),
        permission=("add", "approval_flow"),
        is_offered=in_state("state", FlowState.PUBLISHED),
        rank=10,
        done="已复制为新版本的草稿，修改后发布",
        after=lambda _, copy: record_url(copy),
    ),
    ScreenVerb(
        "approval_flow",
        "retire",
        "停用",
        run=lambda ctx, flow, _, v: flows.retire(ctx, flow, v),
        permission=("retire", "approval_flow"),
        is_offered=in_state("state", FlowState.PUBLISHED),
        rank=50,
        confirm="停用后，新提交的业务不再按这个流程审批；已在办的审批不受影响。",
    ),
)
