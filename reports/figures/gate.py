"""The gate before 放款通知 (4.5b): what must hold before the bank is told to pay, on what evidence, mended where."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.money import format_money
from models.base.paper import LIVE_PAPERS, PaperState
from models.guarantee.maximum import MaximumContract
from models.guarantee.project import Project
from models.guarantee.resolution import Resolution, ResolutionCondition, ResolutionState
from models.guarantee.signing import Contract, CounterGuarantee
from reports.figures import exposure, maximums
from reports.figures.admission import Answer, answers
from reports.figures.fees import first_dues
from reports.figures.line import REQUIRED, live_counters, shared_of
from reports.figures.project_documents import expired


@dataclass(frozen=True)
class GateCheck:
    """One item of the gate; `table` and `record_id` lead to where it is mended (record_id None: the project's list)."""

    key: str
    label: str
    is_met: bool
    evidence: str
    table: str
    record_id: int | None
    mend_label: str


def valid_resolution(session: Session, project_id: int, on: date) -> Resolution | None:
    """The project's resolution that holds on a day."""
    query = select(Resolution).where(
        Resolution.project_id == project_id,
        Resolution.state == ResolutionState.VALID,
        Resolution.valid_until >= on,
    )
    return session.scalars(query.order_by(Resolution.id.desc())).first()


@dataclass(frozen=True)
class Standing:
    """A project's resolution in force and its limits, counted with the resolved amount or else the one applied for."""

    resolution: Resolution | None
    limits: list[exposure.Check]


def standing(session: Session, project: Project, on: date) -> Standing:
    """Where a project stands on a day; screens ask once and show it in several places."""
    resolution = valid_resolution(session, project.id, on)
    amount = resolution.amount if resolution else None
    return Standing(resolution, exposure.checks(session, project, on, amount=amount))


def gate(
    session: Session,
    project: Project,
    on: date,
    known: Standing | None = None,
    answered: list[Answer] | None = None,
) -> list[GateCheck]:
    """Every item of the gate as it stands on a day, in the order in which people work on them."""
    known = known or standing(session, project, on)
    answered = answers(session, project, on) if answered is None else answered
    counters = live_counters(session, project.id)
    under = maximums.of_project(session, project.id)
    return [
        _resolution(project, known.resolution),
        _conditions(session, project),
        _contracts(session, project, [item for item, is_bare in counters if is_bare], under),
        *_maximums(project, under, on, known.limits),
        *_counters(project, [item for item, _ in counters], shared_of(under)),
        *_documents(session, project, on),
        _fees(session, project),
        *_limits(project, known.limits),
        *_admission(answered),
    ]


def _admission(answered: list[Answer]) -> Iterable[GateCheck]:
    """The rules of the product, asked again with the values of the day (4.7)."""
    for one in answered:
        label = f"准入：{one.rule.name}"
        place = ("admission_exception", one.exception.id if one.exception else None)
        yield GateCheck("admission", label, one.is_met, one.told, *place, "查看例外")


def _resolution(project: Project, resolution: Resolution | None) -> GateCheck:
    evidence = (
        f"{resolution.number}，{format_money(resolution.amount)} 元，有效期至 {resolution.valid_until}"
        if resolution
        else "没有总裁签字且在有效期内的公司决议"
    )
    place = ("resolution", resolution.id) if resolution else ("project", project.id)
    return GateCheck(
        "resolution", "公司决议有效", resolution is not None, evidence, *place, "查看决议"
    )


def _conditions(session: Session, project: Project) -> GateCheck:
    query = (
        select(ResolutionCondition)
        .join(Resolution)
        .where(
            Resolution.project_id == project.id,
            Resolution.state.in_(
                (ResolutionState.SIGNING, ResolutionState.VALID, ResolutionState.USED)
            ),
        )
    )
    conditions = list(session.scalars(query.order_by(ResolutionCondition.id)))
    missing = [condition for condition in conditions if not condition.is_met]
    evidence = "决议没有附加条件"
    if conditions:
        evidence = f"{len(conditions)} 项均已落实"
    if missing:
        evidence = "未落实：" + "；".join(condition.text for condition in missing)
    place = ("resolution_condition", missing[0].id) if missing else ("project", project.id)
    return GateCheck("conditions", "决议条件已落实", not missing, evidence, *place, "落实条件")


def _contracts(
    session: Session,
    project: Project,
    bare: list[CounterGuarantee],
    under: list[MaximumContract],
) -> GateCheck:
    query = select(Contract).where(
        Contract.project_id == project.id, Contract.state.in_(LIVE_PAPERS)
    )
    contracts = list(session.scalars(query.order_by(Contract.id)))
    approved = {contract.kind for contract in contracts if contract.state is PaperState.APPROVED}
    replaced = maximums.replaced_kinds(under)
    wrong = [f"缺{k.label}" for k in REQUIRED if k not in approved | replaced]
    is_open = [contract for contract in contracts if contract.state is not PaperState.APPROVED]
    wrong += [f"{contract.number} {contract.state.label}" for contract in is_open]
    wrong += [f"“{item}”没有反担保合同" for item in bare]
    numbers = "、".join(contract.number for contract in contracts)
    place = ("contract", is_open[0].id if is_open else None)
    return GateCheck(
        "contracts", "合同已审核", not wrong, "；".join(wrong) or numbers, *place, "查看合同"
    )


def _maximums(
    project: Project, found: list[MaximumContract], on: date, limits: Iterable[exposure.Check]
) -> Iterable[GateCheck]:
    """The 最高额合同 that the project is under: its own, in force, within their period and their limit."""
    if not found:
        return
    checks = [check for check in limits if check.key.startswith("maximum")]
    wrong = [why for one in found if (why := maximums.why_barred(one, on))]
    wrong += [why for one in found for why in maximums.misfits(one, project).values()]
    wrong += [check.text for check in checks if check.is_over]
    said = "；".join(wrong) or "；".join(f"{one.label} {one.figure}" for one in checks)
    place = ("maximum_contract", found[0].id)
    yield GateCheck("maximum", "最高额合同可用", not wrong, said, *place, "查看最高额合同")


def _counters(
    project: Project, items: list[CounterGuarantee], shared: list[MaximumContract]
) -> Iterable[GateCheck]:
    """Its own counter-guarantees and those that it shares; none where the product asks for none."""
    if not project.has_counter:
        return
    told = [(item.name, item.is_settled, item.settled_evidence) for item in items]
    told += [
        (f"{one.name}（{one.number}）", one.is_settled, one.settled_evidence) for one in shared
    ]
    missing = [name for name, is_settled, _ in told if not is_settled]
    evidence = "；".join(f"{name}：{why}" for name, is_settled, why in told if is_settled)
    if missing:
        evidence = "未落实：" + "、".join(missing)
    elif not told:
        evidence = "没有登记反担保"
    own = [item.id for item in items if not item.is_settled]
    place = ("counter_guarantee", own[0] if own else None)
    if missing and not own:
        place = ("maximum_contract", next(one.id for one in shared if not one.is_settled))
    is_met = bool(told) and not missing
    yield GateCheck("counters", "反担保已落实", is_met, evidence, *place, "落实反担保")


def _documents(session: Session, project: Project, on: date) -> Iterable[GateCheck]:
    """Documents with a date still hold on the day on which the bank is told to pay."""
    found = expired(session, project, on)
    if found is not None:
        place = ("project", project.id)
        said = "；".join(found) or "有有效期的要件均在有效期内"
        yield GateCheck("documents", "要件在有效期内", not found, said, *place, "更新要件登记")


def _fees(session: Session, project: Project) -> GateCheck:
    dues = first_dues(session, project.id)
    missing = [due for due in dues if due.settled_amount < due.amount]
    evidence = "没有放款前应收的费用"
    if dues:
        total = sum((due.settled_amount for due in dues), type(project.amount)(0))
        evidence = f"放款前应收费用已收清，共 {format_money(total)} 元"
    if missing:
        evidence = "；".join(
            f"{due.fee}尚差 {format_money(due.amount - due.settled_amount)} 元" for due in missing
        )
    place = ("fee", missing[0].fee_id if missing else None)
    return GateCheck("fees", "费用已收取或减免", not missing, evidence, *place, "收取费用")


def _limits(project: Project, limits: Iterable[exposure.Check]) -> Iterable[GateCheck]:
    checks = {check.key: check for check in limits}
    groups = (
        (
            "bank",
            "银行额度可用",
            ("bank_single", "bank_line"),
            "partner_bank",
            project.bank_id,
            "查看银行额度",
        ),
        (
            "concentration",
            "集中度符合规定",
            exposure.CONCENTRATION,
            "customer",
            project.customer_id,
            "查看客户",
        ),
        ("leverage", "放大倍数符合规定", ("leverage",), "project", project.id, "查看项目"),
        (
            "department",
            "部门额度可用",
            ("department",),
            "department",
            project.department_id,
            "查看部门",
        ),
        (
            "scheme",
            "分险方案单户上限",
            ("scheme_cap",),
            "sharing_scheme",
            project.scheme_id,
            "查看分险方案",
        ),
    )
    for key, label, keys, table, record_id, mend in groups:
        found = [checks[k] for k in keys if k in checks]
        if key in {"scheme", "department"} and not found:
            continue  # only some projects come under a scheme with a cap, and some departments under a quota
        over = [check for check in found if check.is_over]
        said = [check.text for check in over] or [check.figure for check in found]
        evidence, is_met = "；".join(said) or "不适用限额", not over
        yield GateCheck(
            key, label, is_met, evidence=evidence, table=table, record_id=record_id, mend_label=mend
        )
