"""What the workbench shows each person (2.1): counts and the few rows that wait, within their data scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import String, case, cast, func, or_, select
from sqlalchemy.orm import Session, joinedload

from models.approval import ApprovalInstance
from models.base.actor import Actor
from models.customer import Customer
from models.ledger import BusinessEvent, EventState, Voucher, VoucherState
from models.project import Project, ProjectState, Stage
from models.warning import RiskWarning, WarningLevel, WarningState
from reports.scope import scoped

RUNNING = (ProjectState.DRAFT, ProjectState.RUNNING)
DUE_DAYS = 30


@dataclass(frozen=True)
class StageCount:
    """How many projects stand at a stage, and their amount in 元."""

    stage: Stage
    count: int
    amount: Decimal


@dataclass(frozen=True)
class Total:
    """Number of rows and their sum in 元."""

    count: int
    amount: Decimal


def project_stages(session: Session, actor: Actor) -> list[StageCount]:
    """Projects under way by stage, in the order of the stages."""
    query = select(Project.stage, func.count(Project.id), func.sum(Project.amount)).where(Project.state.in_(RUNNING))
    rows = session.execute(scoped(query, Project, actor).group_by(Project.stage))
    found = {stage: StageCount(stage, count, amount) for stage, count, amount in rows}
    return [found[stage] for stage in Stage if stage in found]


def in_force(session: Session, actor: Actor) -> Total:
    """Projects in force with their balance."""
    query = select(func.count(Project.id), func.sum(Project.balance)).where(Project.state == ProjectState.IN_FORCE)
    count, amount = session.execute(scoped(query, Project, actor)).one()
    return Total(count, amount or Decimal(0))


def due_soon(session: Session, actor: Actor, on: date, limit: int = 6) -> tuple[int, Sequence[Project]]:
    """Projects in force that end within 30 days or should have ended, the earliest first."""
    where = (Project.state == ProjectState.IN_FORCE, Project.end_on <= on + timedelta(days=DUE_DAYS))
    count = session.scalar(scoped(select(func.count(Project.id)).where(*where), Project, actor)) or 0
    query = scoped(select(Project).where(*where), Project, actor).options(joinedload(Project.customer))
    return count, session.scalars(query.order_by(Project.end_on, Project.id).limit(limit)).all()


def open_warnings(session: Session, actor: Actor, limit: int = 6) -> tuple[int, Sequence[RiskWarning]]:
    """Warnings that are not lifted, the most serious and then the most urgent first."""
    where = RiskWarning.state != WarningState.LIFTED
    count = session.scalar(scoped(select(func.count(RiskWarning.id)).where(where), RiskWarning, actor)) or 0
    gravity = case({level.name: rank for rank, level in enumerate(WarningLevel)}, value=cast(RiskWarning.level, String))
    query = scoped(select(RiskWarning).where(where), RiskWarning, actor).options(
        joinedload(RiskWarning.project).joinedload(Project.customer), joinedload(RiskWarning.rule)
    )
    query = query.order_by(gravity.desc(), RiskWarning.deadline, RiskWarning.id).limit(limit)
    return count, session.scalars(query).all()


def my_customers(session: Session, actor: Actor, limit: int = 6) -> tuple[int, Sequence[Customer]]:
    """Customers that the actor looks after, the latest touched first."""
    where = Customer.manager_id == actor.employee_id
    count = session.scalar(select(func.count(Customer.id)).where(where)) or 0
    query = select(Customer).where(where).order_by(Customer.updated_at.desc(), Customer.id.desc())
    return count, session.scalars(query.limit(limit)).all()


def waiting_events(session: Session, actor: Actor, limit: int = 6) -> tuple[Total, Sequence[BusinessEvent]]:
    """The 复核 queue, the oldest first."""
    where = BusinessEvent.state == EventState.PENDING
    totals = select(func.count(BusinessEvent.id), func.sum(BusinessEvent.total)).where(where)
    count, amount = session.execute(scoped(totals, BusinessEvent, actor)).one()
    query = scoped(select(BusinessEvent).where(where), BusinessEvent, actor).options(joinedload(BusinessEvent.customer))
    query = query.order_by(BusinessEvent.occurred_on, BusinessEvent.id).limit(limit)
    return Total(count, amount or Decimal(0)), session.scalars(query).all()


def event_counts(session: Session, actor: Actor) -> dict[EventState, int]:
    """Business events by state."""
    query = select(BusinessEvent.state, func.count(BusinessEvent.id)).group_by(BusinessEvent.state)
    return {row[0]: row[1] for row in session.execute(scoped(query, BusinessEvent, actor))}


def waiting_vouchers(session: Session, actor: Actor, limit: int = 6) -> tuple[dict[str, int], Sequence[Voucher]]:
    """Vouchers by what they wait for (review, sign, post), and those that this person may bring on, oldest first."""
    unsigned = Voucher.is_cash & (Voucher.state == VoucherState.REVIEWED)
    ready = or_(
        Voucher.state == VoucherState.SIGNED, (Voucher.state == VoucherState.REVIEWED) & Voucher.is_cash.is_(False)
    )
    me = actor.employee_id
    waits = {
        "review": (Voucher.state == VoucherState.DRAFT) & Voucher.prepared_by_id.is_distinct_from(me),
        "sign": unsigned & Voucher.prepared_by_id.is_distinct_from(me) & Voucher.reviewed_by_id.is_distinct_from(me),
        "post": ready
        & Voucher.prepared_by_id.is_distinct_from(me)
        & Voucher.reviewed_by_id.is_distinct_from(me)
        & Voucher.signed_by_id.is_distinct_from(me),
    }
    mine = {verb: where for verb, where in waits.items() if actor.may(verb, "voucher")}
    if not mine:
        return {}, []
    counts = {v: session.scalar(select(func.count(Voucher.id)).where(where)) or 0 for v, where in mine.items()}
    query = select(Voucher).where(or_(*mine.values())).order_by(Voucher.date, Voucher.id).limit(limit)
    return counts, session.scalars(query).all()


def my_submissions(session: Session, actor: Actor, limit: int = 200) -> list[ApprovalInstance]:
    """What the actor has put up for approval, the newest first (2.3)."""
    query = (
        select(ApprovalInstance)
        .where(ApprovalInstance.applicant_id == actor.employee_id)
        .order_by(ApprovalInstance.id.desc())
        .limit(limit)
        .options(
            joinedload(ApprovalInstance.business_type),
            joinedload(ApprovalInstance.department),
            joinedload(ApprovalInstance.flow),
        )
    )
    return list(session.scalars(query))
