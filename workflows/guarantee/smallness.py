"""小微属性 of a project: by the customer's 企业规模, else with a reason; corrected by two persons (decision 0024)."""

from typing import cast

from models.base.errors import Conflict, FieldErrors, IllegalTransition, NotAllowed
from models.customer.customer import CorporateCustomer, Customer, EnterpriseScale
from models.guarantee.project import Project, ProjectState, SmallKind
from workflows.base import audit
from workflows.base.context import Ctx
from workflows.base.transition import enter, verbs
from workflows.guarantee import stages

ACTS = {
    **verbs("project", {"correct_small": "更正小微属性"}),
    **verbs("project", {"confirm_small": "复核小微属性更正"}, is_work=False),
}
_BY_SCALE = {EnterpriseScale.SMALL: SmallKind.SMALL, EnterpriseScale.MICRO: SmallKind.MICRO}
CORRECTED_IN = (ProjectState.RUNNING, ProjectState.IN_FORCE)


def usual(customer: Customer) -> tuple[SmallKind, ...]:
    """What a project of this customer may be called without a reason; the first is meant where nothing is said."""
    if isinstance(customer, CorporateCustomer):
        return (
            SmallKind.NONE
            if customer.scale is None
            else _BY_SCALE.get(customer.scale, SmallKind.NONE),
        )
    return (SmallKind.NONE, SmallKind.OWNER)


def check(project: Project, customer: Customer) -> list[str]:
    """Fill in what the customer's size says; what is wrong with a different one."""
    expected, chosen = usual(customer), cast("SmallKind | None", project.small_kind)
    project.small_kind = kind = chosen or expected[0]
    if kind in expected or project.small_reason:
        return []
    return [
        f"{_because(customer)}，小微属性应为“{expected[0].label}”；选择“{kind.label}”请填写原因"
    ]


def _because(customer: Customer) -> str:
    if not isinstance(customer, CorporateCustomer):
        return "客户是个人"
    return (
        f"客户的企业规模为“{customer.scale.label}”"
        if customer.scale
        else "客户资料没有填写企业规模"
    )


def correct(
    ctx: Ctx, project: Project, kind: SmallKind, reason: str, version: int | None = None
) -> Project:
    """Ask for another 小微属性 of a project under way or in force; it counts once somebody else has agreed."""
    label = ACTS["correct_small"].label
    enter(ctx, ACTS["correct_small"], project, version)
    project = stages.locked(ctx, project.id)
    if project.state not in CORRECTED_IN:
        raise IllegalTransition(f"项目 {project.number} {project.state.label}，不能{label}")
    if project.small_asked is not None:
        raise Conflict(f"项目 {project.number} 已有小微属性更正待复核")
    if kind is project.small_kind:
        raise FieldErrors({"kind": [f"小微属性现在就是“{kind.label}”"]})
    project.small_asked, project.small_asked_by_id = kind, ctx.actor.employee_id
    project.small_asked_reason = stages.checked_reason(reason, label)
    ctx.session.flush()
    return project


def decide(
    ctx: Ctx, project: Project, *, agrees: bool, note: str = "", version: int | None = None
) -> Project:
    """Somebody else agrees to a correction or does not; agreed, the exposures count with it from then on."""
    enter(ctx, ACTS["confirm_small"], project, version)
    project = stages.locked(ctx, project.id)
    asked, reason = project.small_asked, project.small_asked_reason
    if asked is None:
        raise IllegalTransition(f"项目 {project.number} 没有待复核的小微属性更正")
    if project.small_asked_by_id == ctx.actor.employee_id:
        raise NotAllowed("小微属性的更正须由提出人以外的人复核")
    if not agrees:
        note = stages.checked_reason(note, "不同意更正")
    words = f"{project.small_kind.label}更正为{asked.label}：{reason}"
    if agrees:
        project.small_kind, project.small_reason = asked, reason
    project.small_asked = project.small_asked_reason = project.small_asked_by_id = None
    verdict = "同意" if agrees else f"不同意（{note}）"
    audit.log(ctx, project, "CORRECT", note=f"小微属性{words}；{verdict}")
    ctx.session.flush()
    return project
