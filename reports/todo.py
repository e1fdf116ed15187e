"""What waits for a person: approvals, open votes of the board, second ratings, and the next steps of their post.

Counted in one query for the bell on every page; the rows are asked for where they are shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, exists, func, literal, null, or_, select
from sqlalchemy.orm import Session, aliased

from models.appraisal import PaperState, RiskAssessment
from models.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.base.actor import Actor
from models.base.kinds import Kind
from models.customer import Customer
from models.customer_rating import CustomerRating, RatingState
from models.organization import Employee
from models.project import UNDER_WAY, Project, ProjectState, Stage
from models.resolution import (
    ItemState,
    MeetingItem,
    MeetingMember,
    MeetingState,
    MeetingVote,
    Resolution,
    ResolutionState,
    ReviewMeeting,
)
from models.signing import CounterGuarantee
from reports.figures import approvals
from reports.scope import scoped

Rows: TypeAlias = Select[*tuple[Any, ...]]


class TodoKind(Kind):
    """Kinds of things that wait, in the order in which they are shown."""

    TASK = "审批"
    NEXT = "项目下一步"
    BALLOT = "审保会表决"
    ANNOUNCE = "宣布表决结果"
    AGENDA = "列入审保会议题"
    RATING = "等级复评"
    RISK = "风险评估报告"
    SETTLE = "反担保落实"


@dataclass(frozen=True)
class Todo:
    """One thing that waits: what, about whom, for how much (元), from whom, since when, until when, on which record."""

    kind: TodoKind
    record_id: int
    what: str
    about: str
    number: str
    amount: Decimal | None
    by: str
    since: date | datetime | None
    due_at: datetime | None = None


@dataclass(frozen=True)
class Waiting:
    """How many things of each kind wait, and how many approvals are past their time limit."""

    counts: Mapping[TodoKind, int]
    late: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


def waiting(session: Session, actor: Actor, now: datetime) -> Waiting:
    """What waits for the actor, in one query."""
    kinds = _offered(actor)
    counts = [select(func.count()).select_from(_OTHERS[kind].rows(actor).subquery()) for kind in kinds]
    late = _tasks(actor).where(ApprovalTask.due_at < now)
    row = session.execute(select(*(q.scalar_subquery() for q in (_tasks(actor), late, *counts)))).one()
    return Waiting({TodoKind.TASK: row[0], **dict(zip(kinds, row[2:], strict=True))}, row[1])


def todos(session: Session, actor: Actor, known: Waiting, limit: int = 200) -> list[Todo]:
    """The things themselves: approvals by their time limit, then the rest by kind and age."""
    tasks = approvals.my_tasks(session, actor, limit) if known.counts[TodoKind.TASK] else []
    found = [_of_task(task) for task in tasks]
    for kind in _offered(actor):
        if known.counts.get(kind) and len(found) < limit:
            query = _OTHERS[kind].rows(actor).limit(limit - len(found))
            found += [_of_row(kind, row) for row in session.execute(query)]
    return found


def _of_row(kind: TodoKind, row: Any) -> Todo:
    record_id, about, number, amount, by, since = row
    what = NEXT_STEPS[by] if kind is TodoKind.NEXT else kind.label
    return Todo(kind, record_id, what, about, number, amount, "" if kind is TodoKind.NEXT else by or "", since)


def _tasks(actor: Actor) -> Select[int]:
    mine = [i for i in (actor.employee_id, actor.on_behalf_of_id) if i is not None]
    where = ApprovalTask.assignee_id.in_(mine), ApprovalTask.state == TaskState.PENDING
    return select(func.count()).select_from(ApprovalTask).where(*where)


def _of_task(task: ApprovalTask) -> Todo:
    one = task.instance
    what, mark, about = one.title.partition("：")
    if not mark:
        what, about = one.business_type.label, one.title
    project = one.project
    number = project.number if project is not None else ""
    about = about.removesuffix(number).strip()
    return Todo(
        TodoKind.TASK, task.id, what, about, number, one.amount, one.applicant.name, one.submitted_at, task.due_at
    )


# Each row: id, about whom, number, amount, from whom, since when.
def _ballots(actor: Actor) -> Rows:
    me = actor.employee_id
    return (
        select(
            MeetingItem.id, Customer.name, Project.number, MeetingItem.advised_amount, literal("审保会"),
            ReviewMeeting.held_on,
        )
        .join(ReviewMeeting, ReviewMeeting.id == MeetingItem.meeting_id)
        .join(Project, Project.id == MeetingItem.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .join(MeetingMember, MeetingMember.meeting_id == MeetingItem.meeting_id)
        .where(
            ReviewMeeting.state == MeetingState.OPEN, MeetingItem.result == ItemState.PENDING,
            MeetingMember.employee_id == me, MeetingMember.is_present,
            ~exists().where(MeetingVote.item_id == MeetingItem.id, MeetingVote.employee_id == me),
        )
        .order_by(ReviewMeeting.held_on, MeetingItem.seq, MeetingItem.id)
    )  # fmt: skip


def _announcements(_: Actor) -> Rows:
    """Open meetings on which every present member has voted on every item."""
    silent = (
        select(MeetingItem.id)
        .join(MeetingMember, MeetingMember.meeting_id == MeetingItem.meeting_id)
        .where(
            MeetingItem.meeting_id == ReviewMeeting.id,
            MeetingItem.result == ItemState.PENDING,
            MeetingMember.is_present,
            ~exists().where(
                MeetingVote.item_id == MeetingItem.id, MeetingVote.employee_id == MeetingMember.employee_id
            ),
        )
    )
    return (
        select(
            ReviewMeeting.id, literal("到会委员已全部表决"), ReviewMeeting.number, null(), literal("审保会"),
            ReviewMeeting.held_on,
        )
        .where(ReviewMeeting.state == MeetingState.OPEN, ~silent.exists())
        .order_by(ReviewMeeting.id)
    )  # fmt: skip


def _of_project(actor: Actor, stage: Stage, *where: ColumnElement[bool]) -> Rows:
    query = (
        select(Project.id, Customer.name, Project.number, Project.amount, Employee.name, Project.stage_since)
        .join(Customer, Customer.id == Project.customer_id)
        .join(Employee, Employee.id == Project.manager_id, isouter=True)
        .where(Project.state == ProjectState.RUNNING, Project.stage == stage, *where)
        .order_by(Project.stage_since, Project.id)
    )
    return scoped(query, Project, actor)


# What the A角 does next at a stage, when nothing runs that others have to decide.
NEXT_STEPS: Mapping[Stage, str] = {
    Stage.APPLY: "提交申请", Stage.EVALUATE: "填写调查报告", Stage.INTENT: "出具意向函", Stage.REVIEW: "提交评审",
    Stage.RESOLVE: "出具确认函", Stage.FEE_PLAN: "登记费用", Stage.CONTRACT: "办理合同", Stage.COUNTER: "登记反担保",
    Stage.NOTICE: "开具放款通知", Stage.CONFIRM: "放款确认",
}  # fmt: skip


def _next_steps(actor: Actor) -> Rows:
    """Projects of this A角 that wait for nobody else; the stage stands where others name who asks."""
    running = exists().where(ApprovalInstance.project_id == Project.id, ApprovalInstance.state == ApprovalState.RUNNING)
    signed = exists().where(Resolution.project_id == Project.id, Resolution.state == ResolutionState.VALID)
    return (
        select(Project.id, Customer.name, Project.number, Project.amount, Project.stage, Project.stage_since)
        .join(Customer, Customer.id == Project.customer_id)
        .where(
            Project.manager_id == actor.employee_id,
            Project.state.in_(UNDER_WAY),
            Project.stage.in_(tuple(NEXT_STEPS)),
            or_(Project.stage != Stage.RESOLVE, signed),
            ~running,
        )
        .order_by(Project.stage_since, Project.id)
    )


def _agenda(actor: Actor) -> Rows:
    return _of_project(actor, Stage.RESOLVE, *_unplanned())


def _unplanned() -> tuple[ColumnElement[bool], ...]:
    """On no agenda of a meeting to come, and without a resolution."""
    planned = (
        select(MeetingItem.id)
        .join(ReviewMeeting, ReviewMeeting.id == MeetingItem.meeting_id)
        .where(
            MeetingItem.project_id == Project.id,
            MeetingItem.result == ItemState.PENDING,
            ReviewMeeting.state != MeetingState.CLOSED,
        )
    )
    standing = (ResolutionState.SIGNING, ResolutionState.VALID)
    resolved = exists().where(Resolution.project_id == Project.id, Resolution.state.in_(standing))
    return ~planned.exists(), ~resolved


def awaits_agenda(session: Session, project: Project) -> bool:
    """Whether a project before the board is on no agenda yet."""
    is_before = project.state is ProjectState.RUNNING and project.stage is Stage.RESOLVE
    return is_before and bool(session.scalar(select(Project.id).where(Project.id == project.id, *_unplanned())))


def _assessments(actor: Actor) -> Rows:
    """Projects whose risk nobody has assessed, or whose report went back to its writer."""
    sent = (PaperState.IN_APPROVAL, PaperState.APPROVED)
    done = exists().where(RiskAssessment.project_id == Project.id, RiskAssessment.state.in_(sent))
    return _of_project(actor, Stage.RISK, ~done)


def _ratings(actor: Actor) -> Rows:
    """First ratings of others that wait for a second opinion."""
    rater = aliased(Employee)
    query = (
        select(
            CustomerRating.id, Customer.name, Customer.number, CustomerRating.credit_line, rater.name,
            CustomerRating.rated_on,
        )
        .join(Customer, Customer.id == CustomerRating.customer_id)
        .join(rater, rater.id == CustomerRating.rated_by_id)
        .where(CustomerRating.state == RatingState.DRAFT, CustomerRating.rated_by_id != actor.employee_id)
        .order_by(CustomerRating.rated_on, CustomerRating.id)
    )  # fmt: skip
    return scoped(query, CustomerRating, actor)


def _settlements(actor: Actor) -> Rows:
    """Approved counter-guarantees of projects under way that nobody has settled."""
    stages = (Stage.COUNTER, Stage.FEE_COLLECT, Stage.NOTICE)
    query = (
        select(
            CounterGuarantee.id, Customer.name + " · " + CounterGuarantee.name, Project.number,
            CounterGuarantee.recognised_value, Employee.name, Project.stage_since,
        )
        .join(Project, Project.id == CounterGuarantee.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .join(Employee, Employee.id == Project.manager_id, isouter=True)
        .where(
            Project.state == ProjectState.RUNNING, Project.stage.in_(stages),
            CounterGuarantee.state == PaperState.APPROVED, CounterGuarantee.is_settled.is_(False),
        )
        .order_by(Project.stage_since, CounterGuarantee.id)
    )  # fmt: skip
    return scoped(query, CounterGuarantee, actor)


@dataclass(frozen=True)
class _Source:
    """Whom a kind concerns, and its rows."""

    permission: tuple[str, str]
    rows: Callable[[Actor], Rows]


_OTHERS: dict[TodoKind, _Source] = {
    TodoKind.NEXT: _Source(("submit", "project"), _next_steps),
    TodoKind.BALLOT: _Source(("cast", "meeting_vote"), _ballots),
    TodoKind.ANNOUNCE: _Source(("close", "review_meeting"), _announcements),
    TodoKind.AGENDA: _Source(("open", "review_meeting"), _agenda),
    TodoKind.RATING: _Source(("confirm", "customer_rating"), _ratings),
    TodoKind.RISK: _Source(("submit", "risk_assessment"), _assessments),
    TodoKind.SETTLE: _Source(("settle", "counter_guarantee"), _settlements),
}


def _offered(actor: Actor) -> list[TodoKind]:
    """Kinds that concern this person; nobody's post is to do what only the system may."""
    return [kind for kind, source in _OTHERS.items() if actor.employee_id and actor.may(*source.permission)]
