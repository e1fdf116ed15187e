"""审批流程 drawn (A5): who is asked at each step, how their decisions add up, and when a step is passed over."""

from models.approval.approval import ApprovalFlow, FlowState
from models.base.entity import Entity
from models.base.money import format_money
from reports.figures import flow_trial
from views.approval import drawing
from views.approval.editor import EditorRoutes
from views.kit.entity_view import EntityView
from views.kit.pages import Action, RecordPage, Section
from views.kit.record import may_change
from workflows.base.context import Ctx


class ApprovalFlowView(EditorRoutes, EntityView):
    """Screens of ApprovalFlow."""

    model = ApprovalFlow

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """The drawing over the tabs."""
        assert isinstance(record, ApprovalFlow)
        shown = Section(
            "drawing", "流程图", template="parts/flow.html", data=drawing.defined(ctx, record)
        )
        shown.note = meant_for(record)
        page.above = [shown]
        page.notice = _warning(ctx, record)
        if record.state is FlowState.DRAFT and may_change(ctx, record, "edit"):
            page.actions.insert(0, Action("编辑流程", self.url(f"editor/{record.id}"), icon="edit"))
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


def meant_for(flow: ApprovalFlow) -> str:
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
