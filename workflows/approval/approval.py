"""The one approval engine: every approval of the product starts here (A1-A6).

`start` chooses the flow and asks the first people; `decide` and its kin settle tasks; `on_finish` says what follows.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models.approval.approval import (
    ApprovalFlow,
    ApprovalInstance,
    ApprovalNode,
    ApprovalState,
    ApprovalTask,
    ApprovalType,
    FlowCustomerKind,
    TaskState,
)
from models.base.entity import STAMPS, Decides, Entity, entity_of
from models.base.errors import BusinessError, Conflict
from models.base.fields import FieldFacts
from models.base.money import format_money
from models.base.plain import plain
from models.system.organization import Department, Employee
from reports.figures import approvals, flow_graph
from reports.figures.custom_fields import fields_now
from reports.figures.flow_graph import Way
from workflows.approval import steps, told
from workflows.approval.decide import (
    Decision,
    add_signer,
    call_off,
    decide,
    escalate_overdue,
    transfer,
    urge,
    withdraw,
)
from workflows.approval.flows import new_version, publish, retire
from workflows.approval.steps import lapse, on_finish
from workflows.base.context import Ctx
from workflows.base.values import coerce

__all__ = [
    "Decision",
    "add_signer",
    "call_off",
    "decide",
    "escalate_overdue",
    "lapse",
    "new_version",
    "on_finish",
    "publish",
    "retire",
    "start",
    "transfer",
    "urge",
    "withdraw",
]

TITLE_MAX: Final = 200


def _refuse_second(ctx: Ctx, record: Entity, flow: ApprovalFlow) -> None:
    """The same thing is put up once at a time (A9)."""
    other = approvals.running(ctx.session, record)
    if other is not None and other.business_type_id == flow.business_type_id:
        raise Conflict(
            f"“{other.title}”正在审批中，不能重复提交", record=("approval_instance", other.id)
        )


def _agreed_before(ctx: Ctx, instance: ApprovalInstance) -> list[int]:
    """The nodes that need not be asked anew: this submission mends what was sent back to come straight again.

    Whatever the flow was chosen by must be as it was: another amount may need other people's consent.
    """
    query = select(ApprovalInstance).where(
        ApprovalInstance.table_name == instance.table_name,
        ApprovalInstance.record_id == instance.record_id,
        ApprovalInstance.business_type_id == instance.business_type.id,
    )
    last = ctx.session.scalars(query.order_by(ApprovalInstance.id.desc()).limit(1)).first()
    if last is None or last.state is not ApprovalState.RETURNED or last.flow_id != instance.flow.id:
        return []
    if last.resume_seq is None:
        return []
    record = steps.record_of(ctx, last)
    said = _filled_in(ctx, last, record)
    chosen_by = {*vars(approvals.Facts()), "excluded", "way"}
    if any(one.is_amount_of(last, instance) for one in said):
        chosen_by.remove("amount")  # less because a node has said so
    if any(last.facts.get(k) != instance.facts.get(k) for k in chosen_by):
        return []
    undone = set[int]()
    for one in said:
        undone |= set() if one.stands else flow_graph.after(instance.flow, one.node)
    return sorted(approvals.passed(last) - undone)


@dataclass(frozen=True)
class _Filled:
    """What a node has filled in: at submission, by it, whether the record says so now, whether it may only lower."""

    node: ApprovalNode
    before: Any
    after: Any
    stands: bool
    is_lowered: bool

    def is_amount_of(self, last: ApprovalInstance, instance: ApprovalInstance) -> bool:
        """Whether the submissions differ in amount by what was filled in here and by nothing else."""
        if not (self.is_lowered and self.stands) or None in (last.amount, instance.amount):
            return False
        return (self.before, self.after) == (last.amount, instance.amount)


def _filled_in(ctx: Ctx, last: ApprovalInstance, record: Entity) -> list[_Filled]:
    """Of each field who filled it in last, in this approval and in those that it went straight on from."""
    known = fields_now(ctx.session, type(record))
    lowered = record.spec.approvals.get(last.business_type.code, Decides()).lowered
    query = (
        select(ApprovalTask)
        .join(ApprovalTask.instance)
        .where(
            ApprovalInstance.table_name == last.table_name,
            ApprovalInstance.record_id == last.record_id,
            ApprovalInstance.flow_id == last.flow_id,
            ApprovalInstance.resume_seq.is_not(None),
            ApprovalTask.state == TaskState.APPROVED,
        )
        .order_by(ApprovalTask.decided_at, ApprovalTask.id)
    )
    agreed, found = approvals.passed(last), dict[str, _Filled]()
    for task in ctx.session.scalars(query):
        if task.node.seq not in agreed:
            continue
        for name, (_, after) in (task.filled or {}).items():
            if name not in known:
                continue
            value = _value(known[name], after)
            now = _value(known[name], plain(known[name].get(record)))
            at_first = _value(known[name], last.facts.get("record", {}).get(name))
            found[name] = _Filled(task.node, at_first, value, value == now, name in lowered)
    return list(found.values())


def _value(facts: FieldFacts, kept: Any) -> Any:
    """A kept value to be compared: 800 and 800.00 are the same."""
    try:
        return coerce(replace(facts, required=False), kept)
    except ValueError:
        return kept


def start(  # noqa: PLR0913 - one keyword per fact a flow may be chosen by
    ctx: Ctx,
    type_code: str,
    record: Entity,
    *,
    title: str,
    amount: Decimal | None,
    project: Entity | None = None,
    product_id: int | None = None,
    customer_kind: FlowCustomerKind | str | None = None,
    department_id: int | None = None,
    risk_grade: str | None = None,
    applicant_id: int | None = None,
) -> ApprovalInstance:
    """Put a record up for approval: choose the published flow by the facts, freeze them, ask the first node.

    The applicant is the actor; where the system acts, `applicant_id` or else the owner of the record (its Scope).
    Raises BusinessError when no flow fits, the amount is above the last limit or a node has nobody to ask; Conflict
    when the record is in approval already. The caller has checked the permission of its own verb.
    """
    kind = FlowCustomerKind[customer_kind] if isinstance(customer_kind, str) else customer_kind
    applicant = _applicant(ctx, record, applicant_id)
    department_id = department_id or applicant.department_id
    facts = approvals.Facts(amount, product_id, kind, department_id, risk_grade, ctx.today)
    flow, way = _flow(ctx, type_code, facts)
    ctx.session.flush()
    _refuse_second(ctx, record, flow)
    instance = ApprovalInstance(
        business_type=flow.business_type,
        flow=flow,
        title=title[:TITLE_MAX],
        amount=amount,
        state=ApprovalState.RUNNING,
        current_node_seq=0,
        round_no=1,
        applicant_id=applicant.id,
        department_id=department_id,
        project_id=_project_id(record, project),
        submitted_at=ctx.now,
        table_name=record.__tablename__,
        record_id=record.id,
        facts=_frozen(ctx, facts, applicant.id, record) | way.frozen(),
    )
    for node in approvals.asked(flow, amount, way):
        steps.people_at(ctx, instance, node)
    _save(ctx, instance)
    steps.advance(ctx, instance)
    ctx.session.flush()
    return instance


def _applicant(ctx: Ctx, record: Entity, applicant_id: int | None) -> Employee:
    if ctx.actor.is_system:
        owner = record.spec.scope.owner
        applicant_id = applicant_id or (getattr(record, owner) if owner else None)
    else:
        applicant_id = ctx.actor.employee_id
    found = None if applicant_id is None else ctx.session.get(Employee, applicant_id)
    if found is None:
        raise BusinessError("提交审批需要申请人：当前用户没有对应的员工档案")
    return found


def _flow(ctx: Ctx, type_code: str, facts: approvals.Facts) -> tuple[ApprovalFlow, Way]:
    flow = approvals.matching(ctx.session, type_code, facts)
    if flow is None:
        raise BusinessError(_no_flow(ctx, type_code, facts))
    way = approvals.way_of(ctx.session, flow, facts)
    if problem := approvals.refusal(flow, facts.amount, way):
        raise BusinessError(problem)
    return flow, way


def _no_flow(ctx: Ctx, type_code: str, facts: approvals.Facts) -> str:
    session = ctx.session
    label = (
        session.scalar(select(ApprovalType.label).where(ApprovalType.code == type_code))
        or type_code
    )
    parts = [f"业务类型“{label}”"]
    if facts.product_id is not None:
        parts.append(f"产品“{session.get(entity_of('product'), facts.product_id)}”")
    if facts.amount is not None:
        parts.append(f"金额 {format_money(facts.amount)} 元")
    if facts.customer_kind is not None:
        parts.append(facts.customer_kind.label)
    if facts.department_id is not None:
        parts.append(f"部门“{session.get(Department, facts.department_id)}”")
    return f"没有适用的审批流程：{'，'.join(parts)}；请联系系统管理员在“审批流程”中设置并发布"


def _project_id(record: Entity, project: Entity | None) -> int | None:
    if project is not None:
        return project.id
    return record.id if record.__tablename__ == "project" else getattr(record, "project_id", None)


def _frozen(ctx: Ctx, facts: approvals.Facts, applicant_id: int, record: Entity) -> dict[str, Any]:
    """The facts as submitted: what the flow was chosen by, who may not decide, and the record's own columns."""
    excluded = {applicant_id, ctx.actor.employee_id}
    if ctx.actor.is_system:
        # follow-ups keep who decided the stage before, who may well decide the next
        excluded = {applicant_id}
    columns = {
        name: plain(field.get(record))
        for name, field in fields_now(ctx.session, type(record)).items()
        if name not in STAMPS and not field.mask
    }
    chosen = {name: plain(value) for name, value in vars(facts).items() if name != "today"}
    return {**chosen, "excluded": sorted(i for i in excluded if i is not None), "record": columns}


def _save(ctx: Ctx, instance: ApprovalInstance) -> None:
    """Write the instance and tell of it; of two submissions at once the partial unique index lets one through."""
    instance.passed = _agreed_before(ctx, instance)
    ctx.session.add(instance)
    try:
        ctx.session.flush()
    except IntegrityError as error:
        raise Conflict(f"“{instance.title}”正在审批中，不能重复提交") from error
    told.of_flow(ctx, instance)
