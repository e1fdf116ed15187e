"""10.3 更正、撤销、清理: a paper names the record and what becomes of it; approved, the server applies it.

Which fields may be corrected is said at the column (`c.correctable`): none by which anything is booked. What was booked
goes back through 复核 first; nothing here writes to the books.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.entity import STAMPS, Entity, entity_of, fields_of
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.fields import FieldFacts
from models.base.kinds import Kind
from models.base.paper import OPEN_PAPERS, PaperState
from models.base.plain import plain
from models.customer.customer import (
    CorporateCustomer,
    Customer,
    CustomerStatus,
    PersonalCustomer,
)
from models.guarantee.correction import Correction, CorrectionKind
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import Contract
from reports.figures import approvals, dictionaries, exposure
from workflows.approval import approval
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, outcome_of
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.base.values import coerce
from workflows.guarantee import contracts, limits, repayment, revoking, stages

ROLES = ("客户经理", "业务部门经理")
STEPS = steps(
    Step(
        "correction",
        "ask_again",
        "再次提交",
        column="state",
        sources=(PaperState.DRAFT,),
        targets=(PaperState.IN_APPROVAL,),
        roles=ROLES,
    ),
    outcome_of("correction"),
    Step(
        "correction",
        "drop",
        "放弃",
        column="state",
        sources=(PaperState.DRAFT,),
        targets=(PaperState.VOID,),
        roles=ROLES,
    ),
)
ACTS = verbs(
    "correction",
    {"correct": "申请更正", "revoke": "申请撤销放款", "purge": "申请清理"},
    roles=ROLES,
)
TYPES = {
    CorrectionKind.CORRECT: "correction",
    CorrectionKind.REVOKE: "revocation",
    CorrectionKind.PURGE: "purge",
}
# What may be cleared away: never submitted, withdrawn, refused, void or closed, and nothing hangs on it.
PURGED: dict[type[Entity], tuple[Kind, ...]] = {
    Project: (ProjectState.DRAFT, ProjectState.CANCELLED),
    Contract: (PaperState.REJECTED, PaperState.VOID),
    PersonalCustomer: (CustomerStatus.CLOSED,),
    CorporateCustomer: (CustomerStatus.CLOSED,),
}


def correctable(record: Entity) -> dict[str, FieldFacts]:
    """The fields of a record that a correction may change."""
    return {name: facts for name, facts in fields_of(type(record)).items() if facts.is_correctable}


def why_not(ctx: Ctx, record: Entity) -> str:
    """Why nothing of this kind can be asked for now; '' where it can."""
    if (running := approvals.running(ctx.session, record)) is not None:
        return f"审批单“{running.title}”正在办理，办结后才能申请"
    query = select(Correction.number).where(
        Correction.source == record.__tablename__,
        Correction.record_id == record.id,
        Correction.state.in_(OPEN_PAPERS),
    )
    number = ctx.session.scalar(query.limit(1))
    return f"已有业务更正 {number} 尚未办结，不能重复申请" if number else ""


def may_correct(_: Ctx, record: Entity) -> bool:
    """Whether a record is past being edited, so that a slip in it takes a correction."""
    spec = record.spec
    return not (spec.state and getattr(record, spec.state) in spec.drafts)


def correct(
    ctx: Ctx, record: Entity, reason: str, version: int | None = None, **values: Any
) -> Correction:
    """Ask for fields to be set right. Raises FieldErrors, BusinessError where nothing would change, Conflict."""
    enter(ctx, ACTS["correct"], record, version)
    _refuse(may_correct(ctx, record), record, "草稿可以直接修改")
    return _ask(ctx, CorrectionKind.CORRECT, record, reason, changes=_changes(ctx, record, values))


def _changes(ctx: Ctx, record: Entity, values: dict[str, Any]) -> list[dict[str, Any]]:
    found, wrong = [], {}
    for name, facts in correctable(record).items():
        if name not in values:
            continue
        try:
            value = coerce(facts, values[name])
            records.check_choice(ctx, facts, value)
        except ValueError as error:
            wrong[name] = [str(error)]
            continue
        before = facts.get(record)
        if value == before:
            continue
        if is_taken(ctx.session, record, name, value):
            wrong[name] = [f"{facts.label} {value} 已登记，不能重复"]
        if said := _about(ctx, record, name, value):
            wrong[name] = said
        texts = {"old": words(ctx.session, facts, before), "new": words(ctx.session, facts, value)}
        keys = {"field": name, "label": facts.label}
        found.append({**keys, "before": plain(before), "after": plain(value), **texts})
    if wrong:
        raise FieldErrors(wrong)
    if not found:
        raise BusinessError("没有改动：请至少更正一项")
    return found


def _about(ctx: Ctx, record: Entity, name: str, value: Any) -> list[str]:
    """What the record's own checks have against a value."""
    if isinstance(record, Contract) and name == "signed_on":
        return contracts.about_signing(ctx, value)
    return []


def is_taken(session: Session, record: Entity, name: str, value: Any) -> bool:
    """Whether another record has a value that stands once."""
    model: Any = type(record)
    if not model.__table__.c[name].unique:
        return False
    others = select(model.id).where(getattr(model, name) == value, model.id != record.id)
    return session.scalar(others.limit(1)) is not None


def words(session: Session, facts: FieldFacts, value: Any) -> str:
    """A value as people read it."""
    if value in (None, ""):
        return "（空）"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Kind):
        return value.label
    if facts.dictionary:
        return dictionaries.labels(session, facts.dictionary).get(value, str(value))
    return str(value)


def may_revoke(_: Ctx, loan: Drawdown) -> bool:
    """Whether nothing of a drawdown was repaid yet."""
    return loan.is_running and loan.balance == loan.amount


def revoke(ctx: Ctx, loan: Drawdown, reason: str, version: int | None = None) -> Correction:
    """Ask for a drawdown to be taken back that was registered by mistake; Conflict naming what hangs on it."""
    enter(ctx, ACTS["revoke"], loan, version)
    if why := revoking.why_not(ctx, loan):
        raise Conflict(why)
    return _ask(ctx, CorrectionKind.REVOKE, loan, reason)


def may_purge(_: Ctx, record: Entity) -> bool:
    """Whether a record has come to nothing."""
    return _state(record) in PURGED[type(record)]


def _state(record: Entity) -> Kind:
    """Where a record stands; a customer, which is no paper, has a status."""
    found: Kind = (
        record.status if isinstance(record, Customer) else getattr(record, record.spec.state)
    )
    return found


def why_not_purge(ctx: Ctx, record: Entity) -> str:
    """What hangs on a record that came to nothing, named; '' where it may go."""
    return why_not(ctx, record) or records.why_not_remove(ctx, record)


def purge(ctx: Ctx, record: Entity, reason: str, version: int | None = None) -> Correction:
    """Ask for a record that came to nothing to be cleared away; Conflict naming what hangs on it."""
    enter(ctx, ACTS["purge"], record, version)
    why = "先停用才能清理" if isinstance(record, Customer) else "没有撤回、否决或作废，不能清理"
    _refuse(may_purge(ctx, record), record, why)
    if why := records.why_not_remove(ctx, record):
        raise Conflict(why)
    return _ask(ctx, CorrectionKind.PURGE, record, reason)


def _refuse(is_fit: bool, record: Entity, why: str) -> None:
    if not is_fit:
        raise Conflict(f"{record.spec.label}“{record}”{_state(record).label}，{why}")


def _ask(
    ctx: Ctx,
    kind: CorrectionKind,
    record: Entity,
    reason: str,
    changes: list[dict[str, Any]] | None = None,
) -> Correction:
    if why := why_not(ctx, record):
        raise Conflict(why)
    project = record if isinstance(record, Project) else getattr(record, "project", None)
    if kind is CorrectionKind.PURGE and project is record:
        project = None  # the paper stands by itself, for the project goes
    paper = Correction(
        number=next_number(ctx, "correction"),
        kind=kind,
        source=str(record.__tablename__),
        record_id=record.id,
        subject=f"{record.spec.label} {record}"[:120],
        project=project,
        reason=stages.checked_reason(reason, kind.label),
        changes=changes or [],
        content={},
        handler_id=ctx.actor.employee_id,
        department_id=ctx.actor.department_id,
        state=PaperState.DRAFT,
    )
    ctx.session.add(paper)
    ctx.session.flush()
    _put_up(ctx, paper)
    return paper


def ask_again(ctx: Ctx, paper: Correction, version: int | None = None) -> ApprovalInstance:
    """Put up once more what was sent back. Raises Conflict where the record has changed, or what hangs on it."""
    enter(ctx, STEPS["ask_again"], paper, version)
    record = target(ctx.session, paper)
    if why := _obstacle(ctx, paper, record):
        raise Conflict(why)
    return _put_up(ctx, paper)


def drop(ctx: Ctx, paper: Correction, version: int | None = None) -> Correction:
    """Give up what was sent back: nothing has happened."""
    enter(ctx, STEPS["drop"], paper, version)
    move(STEPS["drop"], paper)
    ctx.session.flush()
    return paper


def _put_up(ctx: Ctx, paper: Correction) -> ApprovalInstance:
    move(STEPS["ask_again"], paper)
    return approval.start(
        ctx,
        TYPES[paper.kind],
        paper,
        title=f"{paper.kind.label}：{paper.subject}",
        amount=None,
        project=paper.project,
        department_id=paper.department_id,
    )


def target(session: Session, paper: Correction) -> Entity | None:
    """The record that a paper is about; None once it is gone."""
    return session.get(entity_of(paper.source), paper.record_id)


def _obstacle(ctx: Ctx, paper: Correction, record: Entity | None) -> str:
    """Why a paper cannot be applied now; '' where it can."""
    if record is None:
        return f"{paper.subject}已不存在"
    if paper.kind is CorrectionKind.PURGE:
        if not may_purge(ctx, record):
            return f"{paper.subject}已不是可清理的状态"
        return records.why_not_remove(ctx, record)
    if paper.kind is CorrectionKind.REVOKE:
        assert isinstance(record, Drawdown)
        return revoking.why_not(ctx, record)
    known = fields_of(type(record))
    moved = [
        one["label"]
        for one in paper.changes
        if plain(known[one["field"]].get(record)) != one["before"]
    ]
    return f"{paper.subject}的{'、'.join(moved)}在申请之后已变化，请重新申请" if moved else ""


@approval.on_finish("correction")
@approval.on_finish("revocation")
@approval.on_finish("purge")
def decided(
    ctx: Ctx, instance: ApprovalInstance, paper: Correction, outcome: ApprovalState
) -> None:
    """Approved, it is applied at once and said in the record's trail; refused or sent back, nothing has happened."""
    del instance
    if outcome is not ApprovalState.APPROVED:
        conclude(paper, outcome)
        return
    limits.hold(ctx)  # what is set right or taken back may count in a limit
    record = target(ctx.session, paper)
    if isinstance(record, Drawdown) and paper.kind is CorrectionKind.REVOKE:
        repayment.all_held(
            ctx, record.project_id
        )  # a project's loans in their order, decision 0015
    elif record is not None:
        ctx.session.refresh(record, with_for_update={"of": type(record)})
    if why := _obstacle(ctx, paper, record):
        raise Conflict(f"{why}；请退回经办人")
    assert record is not None, "it is an obstacle"
    with ctx.session.no_autoflush:
        paper.done_on = ctx.today
        conclude(paper, outcome)
    _APPLY[paper.kind](ctx, paper, record)
    ctx.session.flush()


def _apply_changes(ctx: Ctx, paper: Correction, record: Entity) -> None:
    known = fields_of(type(record))
    before = _weighed(ctx, record, paper)
    for one in paper.changes:
        facts = known[one["field"]]
        value = coerce(facts, one["after"])
        if is_taken(ctx.session, record, facts.name, value):
            raise Conflict(f"{facts.label} {value} 已登记，不能重复；请退回经办人")
        facts.set(record, value)
    _refuse_breach(before, _weighed(ctx, record, paper))
    said = "；".join(f"{one['label']}由“{one['old']}”更正为“{one['new']}”" for one in paper.changes)
    _note(ctx, record, paper, said)


_WEIGHTS = frozenset(key.key for key in exposure.KEYS)


def _weighed(ctx: Ctx, record: Entity, paper: Correction) -> list[exposure.Check]:
    """The limits a project stands under, where a correction changes what it weighs in them."""
    if not isinstance(record, Project) or _WEIGHTS.isdisjoint(
        one["field"] for one in paper.changes
    ):
        return []
    amount = record.balance + record.reserved_amount
    return limits.checks(ctx, record, amount) if amount else []


def _refuse_breach(before: list[exposure.Check], after: list[exposure.Check]) -> None:
    """Raise Conflict for a limit that a correction breaks, or breaks further."""
    over = {check.key: check.after for check in before if check.is_over}
    found = [
        check.text
        for check in after
        if check.is_over and not (check.key in over and check.after <= over[check.key])
    ]
    if found:
        raise Conflict(f"更正后超过限额：{'；'.join(found)}；请退回经办人")


def _take_back(ctx: Ctx, paper: Correction, record: Entity) -> None:
    assert isinstance(record, Drawdown)
    project = record.project
    paper.content = content(ctx.session, record)
    revoking.apply(ctx, record, f"{paper.number}：{paper.reason}")
    _note(ctx, project, paper, f"撤销放款 {paper.subject}")


def _clear_away(ctx: Ctx, paper: Correction, record: Entity) -> None:
    project = getattr(record, "project", None)
    paper.content = content(ctx.session, record)
    if isinstance(
        record, Project
    ):  # the papers about it go on without it, each with a line in the trail
        mine = select(Correction).where(Correction.project_id == record.id)
        for one in ctx.session.scalars(mine.order_by(Correction.id)):
            one.project = None
        ctx.session.flush()
    records.remove(ctx, record)
    if project is not None:
        _note(ctx, project, paper, f"清理 {paper.subject}")


_APPLY = {
    CorrectionKind.CORRECT: _apply_changes,
    CorrectionKind.REVOKE: _take_back,
    CorrectionKind.PURGE: _clear_away,
}


def content(session: Session, record: Entity) -> dict[str, str]:
    """What a record said before it went, by label; personal data and what only code reads stay out."""
    return {
        facts.label: words(session, facts, facts.get(record))
        for name, facts in fields_of(type(record)).items()
        if name not in STAMPS
        and not (facts.mask or facts.is_hidden or facts.target)
        and facts.get(record) is not None
    }


def _note(ctx: Ctx, record: Entity, paper: Correction, said: str) -> None:
    note = f"{paper.kind.label} {paper.number}：{said}（{paper.reason}）"
    audit.log(ctx, record, paper.kind.name, note=note[:500])
