"""试算 (A5): what a submission would meet before anybody makes it, and where a business has no way through."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.approval.approval import (
    ApprovalFlow,
    ApprovalNode,
    ApprovalPositionMember,
    FlowCustomerKind,
    FlowState,
    NodeChooser,
    NodeMode,
    Repeats,
)
from models.base.entity import entity_of
from models.base.errors import BusinessError
from models.base.money import format_money
from models.system.organization import Department, Employee
from reports.figures import approvals, dictionaries, flow_graph
from reports.figures.approvals import Facts
from reports.figures.flow_graph import Way
from reports.figures.rights import role_names
from reports.figures.vocabulary import vocabulary
from reports.rules.check import understand
from reports.rules.explain import Explainer
from reports.rules.tree import Node, RuleError
from reports.rules.typed import Fixed

FEN: Final = Decimal("0.01")
CASES_MAX: Final = (
    400  # kinds of submission that are gone through; who has more conditions writes fewer flows
)


@dataclass(frozen=True)
class PreviewStep:
    """A step of the dry run with the people who would be asked, and what is wrong or nearly so."""

    step: approvals.Step
    people: tuple[str, ...]
    problem: str = ""
    warning: str = ""


@dataclass(frozen=True)
class Preview:
    """The dry run of a submission: the flow that fits, its steps on their way, and what would refuse it."""

    flow: ApprovalFlow | None
    steps: tuple[PreviewStep, ...] = ()
    problem: str = ""
    way: Way = field(default_factory=Way)


@dataclass(frozen=True)
class Candidate:
    """A flow of the business: whether it takes the submission, else why not; each condition with its outcome."""

    flow: ApprovalFlow
    is_chosen: bool
    why: str
    conditions: tuple[tuple[str, bool | None], ...] = ()


@dataclass(frozen=True)
class Gap:
    """Something that a business cannot go through: where, and what is missing; `is_hard` refuses submissions."""

    where: str
    what: str
    flow_id: int | None = None
    is_hard: bool = True
    seq: int | None = None  # the node at which to say it
    branch_no: int | None = None


# ------------------------------------------------------------------------------------------------------------ dry run
def flows_tried(session: Session, type_code: str, *, with_drafts: bool) -> list[ApprovalFlow]:
    """The flows in force; with drafts, as they would be once each draft had taken the place of its older version."""
    if not with_drafts:
        return approvals.flows_of(session, type_code)
    found = approvals.flows_of(session, type_code, FlowState.PUBLISHED, FlowState.DRAFT)
    drafted = {flow.code for flow in found if flow.state is FlowState.DRAFT}
    return [flow for flow in found if flow.state is FlowState.DRAFT or flow.code not in drafted]


def candidates(session: Session, flows: Sequence[ApprovalFlow], facts: Facts) -> list[Candidate]:
    """Each flow with its reasons, the chosen one first, then those that fit, then the rest."""
    above = approvals.department_ids_above(session, facts.department_id)
    taken, broken = _taken(session, flows, facts)
    found = []
    for flow in flows:
        conditions = tuple(_conditions(session, flow, facts, above))
        failed = [words for words, is_met in conditions if not is_met]
        why = "适用" if flow is taken else "不符合：" + "；".join(failed)
        if flow is not taken and not failed:
            why = broken or f"也适用，但“{taken.name if taken else ''}”{_ahead(taken, flow)}"
        found.append(Candidate(flow, flow is taken, why, conditions))
    return sorted(
        found, key=lambda one: (not one.is_chosen, not one.why.startswith("也"), one.flow.id)
    )


def _taken(
    session: Session, flows: Iterable[ApprovalFlow], facts: Facts
) -> tuple[ApprovalFlow | None, str]:
    """The flow that takes a submission, and where a rule that makes no sense refuses all of them the reason."""
    try:
        return approvals.chosen(session, flows, facts), ""
    except BusinessError as error:
        return None, error.message


def _ahead(taken: ApprovalFlow | None, flow: ApprovalFlow) -> str:
    """By what the chosen flow goes before another that fits as well."""
    first, second = (approvals.rank(one) if one else (0, 0, 0) for one in (taken, flow))
    if first[0] != second[0]:
        return f"优先级更高（{first[0]} 对 {second[0]}）"
    return f"条件更具体（{first[1]} 项对 {second[1]} 项）" if first[1] != second[1] else "建立较晚"


def _conditions(
    session: Session, flow: ApprovalFlow, facts: Facts, above: frozenset[int]
) -> Iterator[tuple[str, bool | None]]:
    for name, is_met in approvals.plain_conditions(flow, facts, above).items():
        yield _words(session, flow, name), is_met
    if flow.condition:
        words = vocabulary(session)
        try:
            rule = understand(flow.condition, words.subject("approval_request"), words)
        except RuleError as problem:
            yield f"适用规则已失效（{problem}）", None
            return
        reason = Explainer(approvals.request_of(session, facts), facts.today, words).reason(rule)
        yield from (
            [("规则：" + part.text, part.held) for part in reason.parts]
            if reason.text == "全部满足"
            else [("规则：" + "，".join(reason.lines()), reason.held)]
        )


def _words(session: Session, flow: ApprovalFlow, name: str) -> str:
    value: Any = getattr(flow, name)
    match name:
        case "amount_from":
            return f"金额不低于 {format_money(value)} 元"
        case "amount_to":
            return f"金额低于 {format_money(value)} 元"
        case "product_id":
            return f"产品为“{flow.product}”"
        case "customer_kind":
            return f"客户类型为{value.label}"
        case "risk_grade":
            return f"风险等级为{dictionaries.label(session, 'risk_grade', value)}"
    return f"申请部门为“{flow.department}”或其下级"


def preview(
    session: Session,
    flow: ApprovalFlow | None,
    facts: Facts,
    *,
    applicant_id: int | None = None,
) -> Preview:
    """Who would be asked at each step of the flow that these facts have chosen, and what would refuse it."""
    if flow is None:
        return Preview(None, problem="没有适用的已发布流程")
    excluded = () if applicant_id is None else (applicant_id,)
    try:
        way = approvals.way_of(session, flow, facts)
    except BusinessError as error:
        return Preview(flow, problem=error.message)
    found: list[PreviewStep] = []
    before: set[int] = set()  # who has been asked on the way
    for step in approvals.path(flow, facts.amount, way):
        ids = approvals.eligible(
            session, step.node, department_id=facts.department_id, excluded=excluded
        )
        made = _step(session, step, facts, ids, excluded)
        if (
            flow.repeats is Repeats.SPARE
            and step.node.mode is not NodeMode.VOTE
            and not made.warning
        ):
            again = [one for one in ids if one in before] if not step.is_skipped else []
            names = "、".join(made.people[ids.index(one)] for one in again)
            made = replace(made, warning=f"{names}在前面的节点同意过则自动通过" if names else "")
        before |= set() if step.is_skipped else set(ids)
        found.append(made)
    problem = approvals.refusal(flow, facts.amount, way) or next(
        (step.problem for step in found if step.problem), ""
    )
    return Preview(flow, tuple(found), problem, way)


def way_in_words(session: Session, flow: ApprovalFlow, facts: Facts) -> str:
    """The nodes that a submission would meet in a flow, or that the flow is not for it."""
    try:
        if approvals.chosen(session, [flow], facts) is None:
            return "不适用"
        nodes = approvals.asked(flow, facts.amount, approvals.way_of(session, flow, facts))
    except BusinessError as error:
        return error.message
    return " → ".join(node.name for node in nodes)


def _step(
    session: Session,
    step: approvals.Step,
    facts: Facts,
    ids: Sequence[int],
    excluded: Iterable[int],
) -> PreviewStep:
    known = select(Employee.id, Employee.name).where(Employee.id.in_(ids))
    by_id = {row.id: row.name for row in session.execute(known)}
    names = [by_id[key] for key in ids]
    if step.is_skipped:
        return PreviewStep(step, tuple(names))
    if not ids and step.node.chooser is NodeChooser.MANAGER and facts.department_id is None:
        return PreviewStep(step, (), warning="填写申请部门或申请人后才能确定")
    if not ids:
        said = approvals.nobody(session, step.node, facts.department_id)
        return PreviewStep(step, (), said + _missing_role(session, step.node))
    everybody = approvals.eligible(session, step.node, department_id=facts.department_id)
    left_out = set(everybody) & set(excluded)
    warning = "提交人也是本节点的审批人，不参加审批" if left_out else ""
    return PreviewStep(step, tuple(names), warning=warning)


def _missing_role(session: Session, node: ApprovalNode) -> str:
    is_missing = node.chooser is NodeChooser.ROLE and node.role_name not in role_names(session)
    return "；没有这个角色" if is_missing else ""


# --------------------------------------------------------------------------------------------------------------- gaps
@dataclass(frozen=True)
class _Case:
    """A kind of submission that conditions tell apart, in words."""

    facts: Facts
    words: str
    above: frozenset[int]


def gaps(session: Session, flows: Sequence[ApprovalFlow]) -> list[Gap]:
    """What the flows of a business leave open: amounts that none covers, then nodes that could ask nobody."""
    return [
        *amount_gaps(session, flows),
        *(gap for flow in flows for gap in flow_gaps(session, flow)),
    ]


def amount_gaps(session: Session, flows: Sequence[ApprovalFlow]) -> list[Gap]:
    """Amounts without a flow or above its last limit, for every kind of submission that conditions tell apart.

    Flows with a rule of their own count as taking nothing: what they take is told by trying.
    """
    plain = [flow for flow in flows if not flow.condition]
    found: dict[tuple[str, str], list[str]] = {}
    for case in _cases(session, plain):
        for span, problem in _open_spans(session, plain, case):
            found.setdefault((span, problem), []).append(case.words)
    every = len(_cases(session, plain))
    return [
        Gap(f"{_listed(words, every)}金额{span}", problem)
        for (span, problem), words in found.items()
    ]


def _listed(words: Sequence[str], every: int) -> str:
    if len(words) == every:
        return ""
    shown = "、".join(words[:3])
    return f"{shown}{f' 等 {len(words)} 种情形' if len(words) > 3 else ''}，"


def _cases(session: Session, flows: Sequence[ApprovalFlow]) -> list[_Case]:
    def named(name: str) -> list[Any]:
        return sorted({getattr(flow, name) for flow in flows} - {None}, key=str)

    kinds = list(FlowCustomerKind) if named("customer_kind") else [None]
    found = []
    for one, kind, department, grade in product(
        [None, *named("product_id")],
        kinds,
        [None, *named("department_id")],
        [None, *named("risk_grade")],
    ):
        facts = Facts(None, one, kind, department, grade)
        words = [
            f"产品“{session.get(entity_of('product'), one)}”" if one else "",
            kind.label if kind else "",
            f"部门“{session.get(Department, department)}”" if department else "",
            f"风险等级{dictionaries.label(session, 'risk_grade', grade)}" if grade else "",
        ]
        told = "、".join(filter(None, words)) or "其他申请"
        found.append(_Case(facts, told, approvals.department_ids_above(session, department)))
        if len(found) == CASES_MAX:
            break
    return found


def _open_spans(
    session: Session, flows: Sequence[ApprovalFlow], case: _Case
) -> Iterator[tuple[str, str]]:
    """Runs of amounts with the same problem: between two borders every amount fares alike."""
    borders = sorted(_borders(session, flows))
    previous: tuple[str, Decimal] | None = None  # problem and where it begins
    for low in borders:
        problem = _problem(session, flows, case, low)
        if previous and problem != previous[0]:
            yield _span(previous[1], low), previous[0]
            previous = None
        if problem and previous is None:
            previous = problem, low
    if previous:
        yield _span(previous[1], None), previous[0]


def _borders(session: Session, flows: Sequence[ApprovalFlow]) -> set[Decimal]:
    found = {FEN}
    for flow in flows:
        found |= {b for b in (flow.amount_from, flow.amount_to) if b}
        for node in flow.nodes:
            found |= {node.skip_below} if node.skip_below else set()
            # the limit itself is within
            found |= {node.approve_limit + FEN} if node.approve_limit is not None else set()
        rules = [*(node.skip_when for node in flow.nodes), *(b.condition for b in flow.branches)]
        for text in filter(None, rules):
            found |= _amounts_in(session, text)
    return found


def _amounts_in(session: Session, text: str) -> set[Decimal]:
    """The amounts that a rule names: whichever way it compares, its answer changes at them or a fen beyond."""
    words = vocabulary(session)
    try:
        rule = understand(text, words.subject("approval_request"), words)
    except RuleError:
        return set()
    found, left = set(), [rule]
    while left:
        part: Any = left.pop()
        if isinstance(part, Fixed) and isinstance(part.value, Fraction):
            amount = Decimal(part.value.numerator) / Decimal(part.value.denominator)
            found |= {one for one in (amount, amount + FEN) if one >= FEN}
        elif isinstance(part, tuple):
            left += part
        elif is_dataclass(part) and not isinstance(part, Node):
            left += vars(part).values()
    return found


def _problem(session: Session, flows: Sequence[ApprovalFlow], case: _Case, amount: Decimal) -> str:
    facts = replace(case.facts, amount=amount)
    fitting = [flow for flow in flows if approvals.fits(flow, facts, case.above)]
    flow = max(fitting, key=approvals.rank, default=None)
    if flow is None:
        return "没有适用的流程"
    try:
        way = approvals.way_of(session, flow, facts)
    except BusinessError as error:
        return error.message
    if not approvals.refusal(flow, amount, way):
        return ""
    is_asked = bool(approvals.asked(flow, amount, way))
    return (
        f"超过流程“{flow.name}”末节点的审批限额" if is_asked else f"流程“{flow.name}”没有审批节点"
    )


def _span(low: Decimal, high: Decimal | None) -> str:
    if high is None:
        return "不限" if low == FEN else f" {format_money(low)} 元及以上"
    until = f"低于 {format_money(high)} 元"
    return until if low == FEN else f" {format_money(low)} 元及以上、{until}"


@dataclass(frozen=True)
class Passage:
    """How submissions of a product pass a business: the flows that take them, and the amounts that none takes."""

    flows: tuple[ApprovalFlow, ...]
    gaps: tuple[str, ...]


def passage(
    session: Session,
    type_code: str,
    product_id: int,
    amounts: tuple[Decimal, Decimal],
    kinds: Sequence[FlowCustomerKind],
) -> Passage:
    """Tried at every border of amounts within the product's limits, for each kind of customer and, where it matters,
    each department.
    """
    flows, (low, high) = approvals.flows_of(session, type_code), amounts
    tried = sorted({low, high, *(one for one in _borders(session, flows) if low < one < high)})
    departments: list[int | None] = [None]
    if any(flow.department_id for flow in flows):
        departments = [one.id for one in _departments(session)] or [None]
    taken, gaps = dict[int, ApprovalFlow](), dict[str, None]()
    for kind, amount, department in product(kinds, tried, departments):
        facts = Facts(amount, product_id, kind, department)
        flow, why = _taken(session, flows, facts)
        if flow is not None:
            taken[flow.id] = flow
            why = _refusal(session, flow, facts)
        elif not why:
            why = "没有适用的流程"
        if why:
            gaps[f"{kind.label} {format_money(amount)} 元：{why}"] = None
    return Passage(tuple(taken.values()), tuple(gaps))


def _refusal(session: Session, flow: ApprovalFlow, facts: Facts) -> str:
    """Why a flow would refuse a submission that it takes."""
    try:
        return approvals.refusal(flow, facts.amount, approvals.way_of(session, flow, facts))
    except BusinessError as error:
        return error.message


def flow_gaps(session: Session, flow: ApprovalFlow) -> list[Gap]:
    """What is wrong with a flow by itself: branches that make no graph, nodes that could ask nobody."""
    nodes = {node.seq: node.name for node in flow.nodes}
    branches = {one.no: one.name for one in flow.branches}
    head, found = f"{flow.name} 第 {flow.version_no} 版", []
    for one in flow_graph.defects(flow):
        place = f"分支“{branches[one.branch_no]}”" if one.branch_no in branches else ""
        place = nodes.get(one.seq or 0, place)
        found.append(
            Gap(f"{head} · {place}", one.what, flow.id, seq=one.seq, branch_no=one.branch_no)
        )
    if said := _broken_rule(session, flow):
        found.append(Gap(f"{head} · 适用规则", said, flow.id))
    return [*found, *node_gaps(session, flow)]


def _broken_rule(session: Session, flow: ApprovalFlow) -> str:
    """What is wrong with the rule by which a flow is chosen: it refuses every submission that gets as far."""
    words = vocabulary(session)
    try:
        if flow.condition:
            understand(flow.condition, words.subject("approval_request"), words)
    except RuleError as problem:
        return f"适用规则已失效（{problem}）"
    return ""


def node_gaps(session: Session, flow: ApprovalFlow) -> list[Gap]:
    """Nodes of a flow that could ask nobody in some department that applies, or one person alone."""
    within = [one for one in _departments(session) if _is_within(flow, one)]
    found = []
    for node in flow.nodes:
        where = f"{flow.name} 第 {flow.version_no} 版 · {node.name}"
        asked = _asked(session, node, within)
        empty = [one.name for one in within if not asked[one.id]]
        if empty:
            whole = len(empty) == len(within)
            who = "" if whole else f"{'、'.join(empty[:5])}{'等' if len(empty) > 5 else ''}提交时，"
            words = f"{who}{approvals.asked_at(node)}没有在职且账号可用的人员"
            words += _missing_role(session, node)
            found.append(Gap(where, words, flow.id, seq=node.seq))
        elif {len(set(ids)) for ids in asked.values()} == {
            1
        } and node.chooser is not NodeChooser.MANAGER:
            words = f"{approvals.asked_at(node)}只有一人，其本人提交时无人可审批"
            found.append(Gap(where, words, flow.id, is_hard=False, seq=node.seq))
    return found


def _asked(
    session: Session, node: ApprovalNode, departments: Sequence[Department]
) -> dict[int, list[int]]:
    """Whom the node asks, by department; asked once where it is the same for all."""
    if _differs(session, node):
        return {
            one.id: approvals.eligible(session, node, department_id=one.id) for one in departments
        }
    everybody = approvals.eligible(session, node, department_id=None)
    return {one.id: everybody for one in departments}


def _differs(session: Session, node: ApprovalNode) -> bool:
    """Whether it depends on the department whom the node asks."""
    if node.chooser is not NodeChooser.POSITION:
        return node.chooser is NodeChooser.MANAGER
    member = ApprovalPositionMember
    bound = select(member.id).where(
        member.position_id == node.position_id, member.department_id.is_not(None)
    )
    return session.scalar(bound.limit(1)) is not None


def _departments(session: Session) -> list[Department]:
    query = select(Department).where(Department.is_active).order_by(Department.code)
    return list(session.scalars(query))


def _is_within(flow: ApprovalFlow, one: Department) -> bool:
    return flow.department is None or one.path.startswith(flow.department.path)
