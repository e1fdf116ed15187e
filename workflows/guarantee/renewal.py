"""4.12 续保 and 无还本续贷: an application that goes on where a project ends, and the change of one loan for the other.

What is renewed comes along by reference: terms, files, counter-guarantees. On the day of change the new loan settles
the old one in the same transaction, and the release of the old guarantee is drawn up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import Conflict, FieldErrors
from models.base.money import format_money
from models.base.paper import LIVE_PAPERS, PaperState
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import (
    REPLACING,
    UNDER_WAY,
    Project,
    ProjectState,
    RenewalKind,
    Stage,
)
from models.guarantee.repayment import RepaymentSource
from models.guarantee.signing import CounterGuarantee
from workflows.base import attachments, audit, records
from workflows.base.context import Ctx
from workflows.base.transition import permit, verbs
from workflows.guarantee import letters, limits, release, repayment, stages
from workflows.guarantee.repayment import Paid

RENEWED = (ProjectState.IN_FORCE, ProjectState.RELEASED)
ROLES = ("客户经理", "业务部门经理")
ACTS = verbs("counter_guarantee", {"take_over": "带入原项目反担保"}, roles=ROLES)
ZERO = Decimal("0.00")
NOTE_MAX = 100  # beside what the repayment says of the new loan
_COUNTER = (
    "kind",
    "asset_kind",
    "name",
    "guarantor_id",
    "certificate_no",
    "appraised_value",
    "rate_pct",
)


def renew(ctx: Ctx, former: Project, facts: Mapping[str, Any]) -> Project:
    """An application that goes on where a project in force, or released, ends: a draft of its own that names it.

    Raises FieldErrors for another customer or a way of renewal that does not fit, Conflict for a project that never
    came into force.
    """
    former = stages.locked(ctx, former.id)  # of two at once who renew it the second sees the first
    if former.state not in RENEWED:
        raise Conflict(f"项目 {former.number} {former.state.label}，在保或已解保的项目才能续保")
    facts = dict(facts)
    kind = facts.pop("renewal_kind", None)
    _refuse_other_customer(former, facts.get("customer_id"))
    project = records.create(ctx, Project, facts)
    project.renewed_from_id, project.renewal_kind = former.id, _kind(kind)
    if wrong := about(ctx, project):
        raise FieldErrors(wrong)
    ctx.session.flush()
    count = attachments.refer(ctx, former, project, f"引自原项目 {former.number}")
    said = f"，引用其附件 {count} 个" if count else ""
    audit.log(ctx, project, "RENEW", note=f"由项目 {former.number} 复制{said}")
    audit.log(ctx, former, "RENEW", note=f"复制为续保申请 {project.number}")
    return project


def _kind(typed: Any) -> RenewalKind | None:
    if typed in (None, ""):
        return None
    if isinstance(typed, RenewalKind):
        return typed
    if str(typed) not in RenewalKind.__members__:
        raise FieldErrors({"renewal_kind": ["请从列表中选择续保方式"]})
    return RenewalKind[str(typed)]


def _refuse_other_customer(former: Project, customer_id: Any) -> None:
    if str(customer_id) != str(former.customer_id):  # not typed yet
        said = f"续保的客户应为原项目 {former.number} 的客户“{former.customer.name}”"
        raise FieldErrors({"customer_id": [said]})


def about(ctx: Ctx, project: Project) -> dict[str, list[str]]:
    """What is wrong with the way in which an application renews another, by field; asked at each save."""
    former = former_of(ctx.session, project)
    if former is None:
        said = ["从原项目页面“复制为续保”的申请才填写续保方式"]
        return {"renewal_kind": said} if project.renewal_kind is not None else {}
    if project.customer_id != former.customer_id:
        return {
            "customer_id": [f"续保的客户应为原项目 {former.number} 的客户“{former.customer.name}”"]
        }
    if former.state is not ProjectState.IN_FORCE:
        return {}
    if project.renewal_kind is None:
        return {"renewal_kind": [f"原项目 {former.number} 在保，请选择续保方式"]}
    if project.renewal_kind is RenewalKind.ROLLOVER and project.bank_id != former.bank_id:
        return {"bank_id": [f"无还本续贷应由原贷款银行“{former.bank.name}”办理"]}
    return _about_others(ctx, project, former)


def _about_others(ctx: Ctx, project: Project, former: Project) -> dict[str, list[str]]:
    """One application at a time takes the place of a loan: it would be counted once for both."""
    if project.renewal_kind not in REPLACING:
        return {}
    stages.locked(ctx, former.id)
    others = select(Project.number).where(
        Project.renewed_from_id == former.id,
        Project.renewal_kind.in_(REPLACING),
        Project.state.in_((*UNDER_WAY, ProjectState.IN_FORCE)),
        Project.id != project.id,
    )
    if (number := ctx.session.scalar(others.limit(1))) is None:
        return {}
    return {"renewal_kind": [f"原项目 {former.number} 已由项目 {number} 续保，不能重复接续"]}


def former_of(session: Session, project: Project) -> Project | None:
    """The project that an application renews."""
    key = project.renewed_from_id
    return None if key is None else session.get_one(Project, key)


def next_of(session: Session, project: Project) -> Project | None:
    """The latest application that renews a project."""
    query = select(Project).where(Project.renewed_from_id == project.id)
    return session.scalars(query.order_by(Project.id.desc()).limit(1)).first()


# ----------------------------------------------------------------------------------------------- counter-guarantees
def offered(session: Session, project: Project) -> list[CounterGuarantee]:
    """Counter-guarantees of the former project that this one does not name yet.

    Beside a former project that stays (另行新增) what it holds by its value is not offered: it would count for both.
    """
    former = former_of(session, project)
    if former is None:
        return []
    is_beside = former.state is ProjectState.IN_FORCE and project.renewal_kind not in REPLACING
    mine = {(item.kind, item.name, item.certificate_no) for item in _items(session, project.id)}
    return [
        item
        for item in _items(session, former.id)
        if item.state is PaperState.APPROVED
        and not (is_beside and item.kind.needs_value)
        and (item.kind, item.name, item.certificate_no) not in mine
    ]


def _items(session: Session, project_id: int) -> list[CounterGuarantee]:
    query = select(CounterGuarantee).where(
        CounterGuarantee.project_id == project_id, CounterGuarantee.state.in_(LIVE_PAPERS)
    )
    return list(session.scalars(query.order_by(CounterGuarantee.id)))


def may_take_over(ctx: Ctx, project: Project) -> bool:
    """Whether the former project has counter-guarantees that may still be registered here."""
    at_work = project.state is ProjectState.RUNNING and project.stage in (
        Stage.CONTRACT,
        Stage.COUNTER,
    )
    return at_work and bool(offered(ctx.session, project))


Taken = Callable[[Ctx, CounterGuarantee, CounterGuarantee], None]
_TAKEN: list[
    Taken
] = []  # what comes along with a counter-guarantee: later files put themselves here


def on_taken(handler: Taken) -> Taken:
    """Register what is done with a counter-guarantee brought over: (ctx, the former's, the new one); it may refuse."""
    _TAKEN.append(handler)
    return handler


def take_over(ctx: Ctx, project: Project, version: int | None = None) -> list[CounterGuarantee]:
    """Register what the former project was secured by here too, as drafts: contracts and settlement are its own.

    Raises Conflict where nothing is left to bring over; FieldErrors where something does not fit any more.
    """
    permit(ctx, ACTS["take_over"], project)
    limits.hold(ctx)  # before the rows: pledges are taken by limits
    letters.require_visible(ctx, project, version)
    if not may_take_over(ctx, project):
        raise Conflict(f"项目 {project.number} 没有可带入的原项目反担保")
    made = []
    for item in offered(ctx.session, project):
        facts = {name: getattr(item, name) for name in _COUNTER}
        new = records.create(ctx, CounterGuarantee, {"project_id": project.id, **facts})
        for handler in _TAKEN:
            handler(ctx, item, new)
        made.append(new)
    return made


# ------------------------------------------------------------------------------------------------------- the change
def hold_former(ctx: Ctx, project: Project) -> None:
    """Hold the loans that a drawdown may settle, before the project's own row (decision 0015: loans, then projects)."""
    if project.renewal_kind in REPLACING and project.renewed_from_id is not None:
        repayment.all_held(ctx, project.renewed_from_id)


def owed(session: Session, project: Project) -> Decimal:
    """What is still owed of the loan whose place a renewal takes, in 元."""
    if project.renewal_kind not in REPLACING:
        return ZERO
    former = former_of(session, project)
    return ZERO if former is None else former.balance


def planned_interest(session: Session, project: Project, on: date) -> Decimal:
    """What the plans of the former loans ask for as interest by a day, in 元."""
    if project.renewed_from_id is None:
        return ZERO
    return sum(
        (
            repayment.owed_by(repayment.plan_rows(session, loan), on)[1]
            for loan in _running(session, project.renewed_from_id)
        ),
        ZERO,
    )


def _running(session: Session, project_id: int) -> list[Drawdown]:
    query = select(Drawdown).where(Drawdown.project_id == project_id).order_by(Drawdown.id)
    return [loan for loan in session.scalars(query) if loan.is_running]


@dataclass(frozen=True)
class LastInterest:
    """What the customer paid for the last days of the former loans, in 元, and why it is far above their plans."""

    amount: Decimal = ZERO
    note: str = ""


def refuse_unready(ctx: Ctx, project: Project, drawn_on: date, last: LastInterest) -> None:
    """Raise where the former loan keeps the first drawdown from being registered, or cannot be settled by it."""
    former, left = former_of(ctx.session, project), owed(ctx.session, project)
    if (last.amount or last.note) and not (
        former and left and project.renewal_kind is RenewalKind.ROLLOVER
    ):
        raise FieldErrors({"former_interest": ["本次放款不结清原借据，不填"]})
    if former is None or not left:
        return
    if project.renewal_kind is RenewalKind.REPAY_FIRST:
        said = f"原项目 {former.number} 尚有借款余额 {format_money(left)} 元"
        raise Conflict(f"续保方式为“先还后贷”，{said}，还清并登记后才能放款")
    if repayment.is_being_released(ctx, former):
        raise Conflict(f"原项目 {former.number} 正在解保，不能以本次放款结清，请先退回或撤回其解保")
    if len(last.note) > NOTE_MAX:
        raise FieldErrors({"former_note": [f"不超过 {NOTE_MAX} 字"]})
    planned = planned_interest(ctx.session, project, drawn_on)
    if last.amount > repayment.most_interest(ctx, planned) and not last.note:
        extra = format_money(last.amount - planned)
        said = f"原借据至放款日应还利息 {format_money(planned)} 元，超出 {extra} 元，请核对；属实时说明原因"
        raise FieldErrors({"former_note": [said]})


def settle(ctx: Ctx, project: Project, drawn: Drawdown, last: LastInterest) -> None:
    """无还本续贷: the new loan settles the former ones on its day; their release is drawn up for who handles it.

    The customer paid the interest of the last days of the former loans: each takes what its plan asks for, the last
    one the rest. Their principal the bank took out of the new loan; what that falls short of was paid by the customer.
    """
    if not owed(ctx.session, project) or project.renewal_kind is not RenewalKind.ROLLOVER:
        return
    assert project.renewed_from_id is not None, "something is owed of it"
    former = ctx.session.get_one(Project, project.renewed_from_id)
    left, interest = drawn.amount, last.amount
    loans = _running(ctx.session, former.id)
    for loan in loans:
        due = repayment.owed_by(repayment.plan_rows(ctx.session, loan), drawn.drawn_on)[1]
        part = interest if loan is loans[-1] else min(interest, due)
        by_new = min(left, loan.balance)
        rest = loan.balance - by_new
        note = f"无还本续贷，由借据 {drawn.bank_note_no} 结清本金 {format_money(by_new)} 元"
        note += f"，客户自还 {format_money(rest)} 元" if rest else ""
        note += f"；利息说明：{last.note}" if last.note else ""
        paid = Paid(
            drawn.drawn_on,
            loan.balance,
            part,
            is_final=True,
            note=note,
            source=RepaymentSource.RENEWAL,
        )
        repayment.record_held(ctx, loan, former, paid)
        left, interest = left - by_new, interest - part
    release.draw_up(
        ctx, former, f"借款由续贷项目 {project.number} 的借据 {drawn.bank_note_no} 结清"
    )
