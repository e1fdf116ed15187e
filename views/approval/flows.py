"""审批流程 drawn (A5): who is asked at each step, how their decisions add up, and when a step is passed over."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from models.approval.approval import (
    ApprovalFlow,
    ApprovalNode,
    ApprovalPositionMember,
    FlowState,
    NodeChooser,
    NodeMode,
)
from models.base.entity import Entity
from models.base.money import format_money
from models.system.organization import Department, Employee
from reports.figures import flow_trial
from views.kit.entity_view import EntityView
from views.kit.pages import RecordPage, Section
from workflows.base.context import Ctx

NAMES = 5


@dataclass(frozen=True)
class FlowStep:
    """A box of the drawing: name, who is asked, and what else to know; `is_end` marks the two ends."""

    label: str
    who: str = ""
    url: str = ""
    people: str = ""
    facts: tuple[str, ...] = ()
    is_end: bool = False
    is_missing: bool = False  # nobody could be asked


class ApprovalFlowView(EntityView):
    """Screens of ApprovalFlow."""

    model = ApprovalFlow

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """The drawing over the tabs."""
        assert isinstance(record, ApprovalFlow)
        drawing = Section("drawing", "流程图", template="parts/flow.html", data=drawn(ctx, record))
        drawing.note = _meant_for(record)
        page.above = [drawing]
        page.notice = _warning(ctx, record)
        return page


def _warning(ctx: Ctx, flow: ApprovalFlow) -> str:
    """Said before a draft is published: how much of the business could then not be put up."""
    if flow.state is not FlowState.DRAFT:
        return ""
    found = flow_trial.flow_gaps(ctx.session, flow)
    flows = flow_trial.flows_tried(ctx.session, flow.business_type.code, with_drafts=True)
    hard = [
        gap.what for gap in (*found, *flow_trial.amount_gaps(ctx.session, flows)) if gap.is_hard
    ]
    return f"发布前请留意：{hard[0]}；共 {len(hard)} 处缺口，见页签“发布检查”" if hard else ""


def drawn(ctx: Ctx, flow: ApprovalFlow) -> list[FlowStep]:
    """From the applicant to the end, with the people that the positions have today."""
    people = _people(ctx, [node.position_id for node in flow.nodes if node.position_id is not None])
    middle = [_step(node, people.get(node.position_id or 0, [])) for node in flow.nodes]
    return [
        FlowStep("提交", "申请人", is_end=True),
        *middle,
        FlowStep("办结", "通知申请人", is_end=True),
    ]


def _people(ctx: Ctx, positions: list[int]) -> dict[int, list[str]]:
    member = ApprovalPositionMember
    query = (
        select(member.position_id, Employee.name, Department.name)
        .join(Employee, Employee.id == member.employee_id)
        .outerjoin(Department, Department.id == member.department_id)
        .where(member.position_id.in_(positions), Employee.is_active)
        .order_by(Employee.number)
    )
    found: dict[int, list[str]] = {}
    for position, name, department in ctx.session.execute(query):
        found.setdefault(position, []).append(f"{name}（{department}）" if department else name)
    return found


def _step(node: ApprovalNode, names: list[str]) -> FlowStep:
    who, url = "申请人部门负责人", ""
    if node.chooser is NodeChooser.POSITION and node.position is not None:
        who, url = (
            node.position.label,
            f"/approval_position/show/{node.position_id}?tab=approval_position_member",
        )
    elif node.chooser is NodeChooser.ROLE:
        who = f"角色 {node.role_name}"
    shown = "、".join(names[:NAMES]) + (f" 等 {len(names)} 人" if len(names) > NAMES else "")
    is_missing = node.chooser is NodeChooser.POSITION and not names
    return FlowStep(
        node.name,
        who,
        url,
        "未设置人员" if is_missing else shown,
        _facts(node),
        is_missing=is_missing,
    )


def _facts(node: ApprovalNode) -> tuple[str, ...]:
    how = node.mode.label
    if node.mode is NodeMode.VOTE:
        how += f"，参与 ≥ {_pct(node.quorum_pct)}%，同意 ≥ {_pct(node.pass_pct)}%"
    found = [how + (f" · {node.hours_limit} 工作小时" if node.hours_limit else "")]
    if node.skip_below is not None:
        found.append(f"低于 {format_money(node.skip_below)} 元跳过")
    if node.approve_limit is not None:
        found.append(f"不超过 {format_money(node.approve_limit)} 元到此为止")
    return tuple(found)


def _pct(value: Decimal | None) -> str:
    return f"{value.normalize():f}" if value is not None else "—"


def _meant_for(flow: ApprovalFlow) -> str:
    """For whom the flow is chosen, in words."""
    low, high = flow.amount_from, flow.amount_to
    amount = [
        f"{format_money(low)} 元及以上" if low is not None else "",
        f"低于 {format_money(high)} 元" if high else "",
    ]
    parts = [
        flow.product.name if flow.product else "",
        flow.customer_kind.label if flow.customer_kind else "",
        *amount,
        f"{flow.department.name}及下级部门" if flow.department else "",
    ]
    if flow.condition:
        parts.append(f"规则（{flow.condition}）")
    return f"适用：{'、'.join(filter(None, parts)) or '该业务的全部申请'}"
