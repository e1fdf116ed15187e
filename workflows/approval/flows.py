"""Versions of flows: a published version never changes, a new one starts as its copy (A2)."""

from datetime import date
from typing import Any, Final

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import InstanceState

from models.approval.approval import (
    ApprovalBranch,
    ApprovalExample,
    ApprovalFlow,
    ApprovalNode,
    ApprovalType,
    FlowState,
    NodeChooser,
    NodeMode,
)
from models.base.entity import STAMPS, Entity, columns_of
from models.base.errors import BusinessError, Conflict, FieldErrors
from reports.figures import flow_graph, flow_trial, node_fields
from reports.figures.approvals import Facts
from reports.figures.configuration import Content, unnumbered
from reports.figures.rights import role_names
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import Step, Verb, enter, move, permit, steps
from workflows.system import configuration, examples

FLOW: Final = steps(
    Step(
        "approval_flow",
        "publish",
        "发布",
        column="state",
        sources=(FlowState.DRAFT,),
        targets=(FlowState.PUBLISHED,),
    ),
    Step(
        "approval_flow",
        "retire",
        "停用",
        column="state",
        sources=(FlowState.PUBLISHED,),
        targets=(FlowState.RETIRED,),
    ),
)
NEW_VERSION: Final = Verb("approval_flow", "add", "建立新版本")
_OWN = (*STAMPS, "state", "published_on", "version_no", "flow_id")


def publish(ctx: Ctx, flow: ApprovalFlow, version: int | None = None) -> ApprovalFlow:
    """Put a draft into use; the version in use before it retires, its running approvals go on with it."""
    enter(ctx, FLOW["publish"], flow, version)
    if not flow.nodes:
        raise BusinessError(f"审批流程“{flow.name}”还没有节点，不能发布")
    if missing := [*_unknown(ctx, flow), *_no_graph(flow)]:
        raise BusinessError(f"审批流程“{flow.name}”不能发布：" + "；".join(missing))
    examples.require(ctx, flow)
    if wrong := [said for one in flow.examples if (said := _disagreement(ctx, one))]:
        raise BusinessError(f"审批流程“{flow.name}”不能发布：" + "；".join(wrong))
    for other in _versions(ctx, flow, FlowState.PUBLISHED):
        move(FLOW["retire"], other)
    ctx.session.flush()
    move(FLOW["publish"], flow)
    flow.published_on = ctx.today
    ctx.session.flush()
    return flow


def _unknown(ctx: Ctx, flow: ApprovalFlow) -> list[str]:
    """Nodes that would ask a role or a position that is not there, or for fields and files that there are not."""
    roles = role_names(ctx.session)
    found = []
    for node in flow.nodes:
        wrong = wrong_names(ctx, node, flow.business_type_id).values()
        found += [f"节点“{node.name}”：{said}" for messages in wrong for said in messages]
        if node.chooser is NodeChooser.ROLE and node.role_name not in roles:
            found.append(f"节点“{node.name}”的角色“{node.role_name or ''}”不存在")
        if node.chooser is NodeChooser.POSITION and (
            node.position is None or not node.position.is_active
        ):
            found.append(f"节点“{node.name}”的审批岗位不存在或已停用")
    return found


def _disagreement(ctx: Ctx, example: ApprovalExample) -> str:
    """Where a submission would not take the way that an example wants, in words."""
    now = flow_trial.way_in_words(ctx.session, example.flow, facts_of(example, ctx.today))
    wanted = " → ".join(part.strip() for part in example.expected.split("→"))
    return "" if now == wanted else f"样例“{example.title}”应为“{wanted}”，按现在的设置为“{now}”"


def facts_of(example: ApprovalExample, today: date) -> Facts:
    """The submission that an example is about."""
    return Facts(
        example.amount,
        example.product_id,
        example.customer_kind,
        example.department_id,
        example.risk_grade,
        today,
    )


def _no_graph(flow: ApprovalFlow) -> list[str]:
    """What keeps the branches from meeting again, each with its place."""
    nodes = {node.seq: f"节点“{node.name}”" for node in flow.nodes}
    branches = {one.no: f"分支“{one.name}”" for one in flow.branches}
    return [
        (nodes.get(one.seq or 0) or branches.get(one.branch_no or 0, "")) + one.what
        for one in flow_graph.defects(flow)
    ]


def retire(ctx: Ctx, flow: ApprovalFlow, version: int | None = None) -> ApprovalFlow:
    """Take a version out of use; what is running goes on with it."""
    enter(ctx, FLOW["retire"], flow, version)
    move(FLOW["retire"], flow)
    ctx.session.flush()
    return flow


def new_version(ctx: Ctx, flow: ApprovalFlow) -> ApprovalFlow:
    """Copy a version with its nodes into a draft to be changed and published."""
    permit(ctx, NEW_VERSION)
    if drafts := _versions(ctx, flow, FlowState.DRAFT):
        raise Conflict(f"审批流程“{flow.name}”已有草稿版本 {drafts[0].version_no}，请先发布或删除")
    newest = ctx.session.scalar(
        select(func.max(ApprovalFlow.version_no)).where(ApprovalFlow.code == flow.code)
    )
    copy = ApprovalFlow(**_content(flow), version_no=(newest or 0) + 1, state=FlowState.DRAFT)
    copy.nodes = [ApprovalNode(**_content(node)) for node in flow.nodes]
    copy.branches = [ApprovalBranch(**_content(one)) for one in flow.branches]
    copy.examples = [ApprovalExample(**_content(one)) for one in flow.examples]
    ctx.session.add(copy)
    ctx.session.flush()
    return copy


@configuration.applies(ApprovalFlow)
def _apply(ctx: Ctx, record_id: int | None, content: Content) -> None:
    """Put into use what a version of the configuration says: the draft that says it, or one made for it."""
    now = None if record_id is None else ctx.session.get(ApprovalFlow, record_id)
    code = content[0]["values"]["code"] if content else getattr(now, "code", "")
    mine = select(ApprovalFlow).where(ApprovalFlow.code == code)
    in_use = ctx.session.scalars(mine.where(ApprovalFlow.state == FlowState.PUBLISHED)).first()
    if not content:
        assert in_use is not None, "what is not in force says nothing already"
        retire(ctx, in_use)
        return
    draft = ctx.session.scalars(mine.where(ApprovalFlow.state == FlowState.DRAFT)).first()
    if draft is None or configuration.rows_of(ctx, draft) != unnumbered(ApprovalFlow, content):
        if draft is not None:
            raise Conflict(f"审批流程“{draft.name}”有草稿版本 {draft.version_no}，请先发布或删除")
        draft = _drawn_up(ctx, in_use, content)
    publish(ctx, draft)


def _drawn_up(ctx: Ctx, in_use: ApprovalFlow | None, content: Content) -> ApprovalFlow:
    """A draft with this content."""
    if in_use is None:
        newest = ctx.session.scalars(
            select(ApprovalFlow)
            .where(ApprovalFlow.code == content[0]["values"]["code"])
            .order_by(ApprovalFlow.version_no.desc())
        ).first()
        if newest is None:
            raise Conflict("这个审批流程已全部删除，不能恢复；请新建流程")
        in_use = newest
    draft = new_version(ctx, in_use)
    configuration.bring(ctx, draft, content[0])
    return draft


def _content(record: Entity) -> dict[str, Any]:
    return {name: getattr(record, name) for name in columns_of(type(record)) if name not in _OWN}


def _versions(ctx: Ctx, flow: ApprovalFlow, state: FlowState) -> list[ApprovalFlow]:
    query = select(ApprovalFlow).where(
        ApprovalFlow.code == flow.code, ApprovalFlow.state == state, ApprovalFlow.id != flow.id
    )
    return list(ctx.session.scalars(query))


@records.rule(ApprovalFlow)
def _check_code(ctx: Ctx, flow: ApprovalFlow, is_new: bool) -> None:
    """A code names one flow: another one that came under it would retire it as its new version."""
    state: InstanceState[ApprovalFlow] = inspect(flow)
    if not (is_new or state.attrs.code.history.has_changes()):
        return
    same = select(ApprovalFlow.id).where(
        ApprovalFlow.code == flow.code, ApprovalFlow.id != (flow.id or 0)
    )
    if ctx.session.scalar(same.limit(1)) is not None:
        raise FieldErrors({"code": ["流程编码已存在；修改已有流程请用“建立新版本”"]})


@records.rule(ApprovalFlow)
def _check_amounts(ctx: Ctx, flow: ApprovalFlow, is_new: bool) -> None:
    del ctx, is_new
    if (
        flow.amount_from is not None
        and flow.amount_to is not None
        and flow.amount_from >= flow.amount_to
    ):
        raise BusinessError("金额上限必须大于金额下限", field="amount_to")


@records.rule(ApprovalNode)
def _check_node(ctx: Ctx, node: ApprovalNode, is_new: bool) -> None:
    del is_new
    errors = _wrong_names(ctx, node)
    if node.chooser is NodeChooser.POSITION and node.position_id is None:
        errors["position_id"] = ["审批人来源为“审批岗位”时必须选择岗位"]
    if node.chooser is NodeChooser.ROLE and not node.role_name:
        errors["role_name"] = ["审批人来源为“角色”时必须填写角色"]
    if node.mode is NodeMode.VOTE:
        for name in ("filled_fields", "required_fields"):
            if getattr(node, name):
                errors[name] = ["票决节点由多人表决，不能填写字段；请放在票决之前或之后的节点"]
        for name, label in (("quorum_pct", "最低参与率"), ("pass_pct", "通过率")):
            if not getattr(node, name):
                errors[name] = [f"票决时必须填写大于 0 的{label}"]
    if errors:
        raise FieldErrors(errors)


def _wrong_names(ctx: Ctx, node: ApprovalNode) -> dict[str, list[str]]:
    """What a node asks for must be there to be asked for."""
    with ctx.session.no_autoflush:
        flow = ctx.session.get(ApprovalFlow, node.flow_id or 0)
    # made together with its flow, whose business is not chosen yet: publishing asks again
    if flow is None:
        return {}
    return wrong_names(ctx, node, flow.business_type_id)


def wrong_names(ctx: Ctx, node: ApprovalNode, business_type_id: int) -> dict[str, list[str]]:
    """What is wrong with the fields and files that a node of this business asks for, by column."""
    code = ctx.session.get_one(ApprovalType, business_type_id).code
    model, found = node_fields.subject(code), dict[str, list[str]]()
    offered = {} if model is None else node_fields.offered(ctx.session, model, code)
    shown = {} if model is None else node_fields.showable(ctx.session, model)
    files = {label for _, label in node_fields.categories(ctx.session)}
    for name, known in (
        ("shown_fields", [one.label for one in shown.values()]),
        ("filled_fields", [one.label for one in offered.values()]),
        ("required_fields", [one.label for one in offered.values()]),
        ("required_files", sorted(files)),
    ):
        wrong = [one for one in node_fields.names_in(getattr(node, name)) if one not in known]
        if wrong:
            there = f"可用：{'、'.join(known)}" if known else "这类业务没有可用的"
            found[name] = [f"没有“{'”、“'.join(wrong)}”；{there}"]
    return found
