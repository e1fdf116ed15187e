"""What the workbench shows each person (2.1): counts and the few rows that wait, within their data scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from models.after.warning import RiskWarning, WarningLevel, WarningState
from models.approval.approval import ApprovalInstance
from models.base.actor import Actor
from models.base.entity import Entity
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.drawdown import Drawdown, DrawdownState, Instalment, RepaymentPlan
from models.guarantee.product import Product
from models.guarantee.project import UNDER_WAY, Project, ProjectState, Stage
from models.guarantee.signing import Fee, FeeDue, FeeState
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherState
from reports.base.scope import scoped

_EVER = date(1900, 1, 1)  # a day with both ends is what SQLite takes for few rows, and begins with
MANY = 1000  # so many rows a card or a tab counts; of more it says that there are more
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class StageCount:
    """How many projects stand at a stage, and their amount in 元."""

    stage: Stage
    count: int
    amount: Decimal


@dataclass(frozen=True)
class Total:
    """Number of rows and their sum in 元; where not all were looked at there are more than `count`."""

    count: int
    amount: Decimal
    is_whole: bool = True


def project_stages(session: Session, actor: Actor) -> list[StageCount]:
    """Projects under way by stage, in the order of the stages."""
    query = select(Project.stage, func.count(Project.id), func.sum(Project.amount)).where(
        Project.state.in_(UNDER_WAY)
    )
    rows = session.execute(scoped(query, Project, actor).group_by(Project.stage))
    found = {stage: StageCount(stage, count, amount) for stage, count, amount in rows}
    return [found[stage] for stage in Stage if stage in found]


def in_force(session: Session, actor: Actor) -> Total:
    """Projects in force with their balance."""
    query = select(func.count(Project.id), func.sum(Project.balance)).where(
        Project.state == ProjectState.IN_FORCE
    )
    count, amount = session.execute(scoped(query, Project, actor)).one()
    return Total(count, amount or Decimal(0))


@dataclass(frozen=True)
class DueRow:
    """An instalment of a loan with something still owed, or a fee's part still to be collected; amounts in 元."""

    due_on: date
    customer: str
    project_id: int
    project: str
    what: str
    amount: Decimal


def instalments_due(
    session: Session,
    actor: Actor,
    first: date | None,
    until: date,
    limit: int = 6,
    *,
    is_whole: bool = False,
) -> tuple[Total, list[DueRow]]:
    """Open instalments of running loans due from `first` (None: ever) up to `until`, the earliest first, in one query.

    The amount is what is still owed, principal and interest. Counted and summed up to MANY, or all with `is_whole`.
    """
    owed = (
        Instalment.principal
        - Instalment.principal_paid
        + Instalment.interest
        - Instalment.interest_paid
    )
    query = (
        select(
            Instalment.id,
            Instalment.due_on,
            Customer.name,
            Project.id,
            Project.number,
            Drawdown.number,
            owed,
        )
        .join(RepaymentPlan, RepaymentPlan.id == Instalment.repayment_plan_id)
        .join(Drawdown, Drawdown.id == RepaymentPlan.drawdown_id)
        .join(Project, Project.id == Drawdown.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .where(
            or_(
                Instalment.principal_paid < Instalment.principal,
                Instalment.interest_paid < Instalment.interest,
            ),  # as the index of open instalments says it
            Instalment.due_on.between(first or _EVER, until),
            RepaymentPlan.is_current,
            # A bare state would let SQLite begin with all running loans and sort what it finds.
            func.coalesce(Drawdown.state, literal("")).in_(
                (DrawdownState.ACTIVE, DrawdownState.OVERDUE)
            ),
        )
        .order_by(Instalment.due_on, Instalment.id)
    )
    return _due(session, scoped(query, Project, actor), limit, is_whole=is_whole)


def fees_due(
    session: Session, actor: Actor, until: date, limit: int = 6, *, is_whole: bool = False
) -> tuple[Total, list[DueRow]]:
    """Booked fees with something to collect that falls due up to `until`, the earliest first, in one query."""
    open_amount = FeeDue.amount - FeeDue.settled_amount
    query = (
        select(
            FeeDue.id,
            FeeDue.due_on,
            Customer.name,
            Project.id,
            Project.number,
            Fee.kind,
            open_amount,
        )
        .join(Fee, Fee.id == FeeDue.fee_id)
        .join(Project, Project.id == Fee.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .where(
            FeeDue.settled_amount < FeeDue.amount,  # as the index of them says it
            FeeDue.due_on.between(_EVER, until),
            func.coalesce(Fee.state, literal(""))
            == FeeState.BOOKED,  # as above: not all booked fees first
        )
        .order_by(FeeDue.due_on, FeeDue.id)
    )
    return _due(session, scoped(query, Project, actor), limit, is_whole=is_whole)


DueSelect = Select[int, date, str, int, str, Any, Decimal]


def _due(
    session: Session, query: DueSelect, limit: int, *, is_whole: bool
) -> tuple[Total, list[DueRow]]:
    """The first rows, each beside number and sum of all that were looked at: an index ends the look after MANY."""
    seen = (query if is_whole else query.limit(MANY + 1)).subquery()
    _, due_on, *_, amount = seen.c
    columns = (*seen.c, func.count().over(), func.sum(amount).over())
    rows = session.execute(select(*columns).order_by(due_on, seen.c[0]).limit(limit)).all()
    found = [
        DueRow(
            due_on,
            name,
            project_id,
            project=number,
            what=str(getattr(what, "label", what)),
            amount=amount,
        )
        for _, due_on, name, project_id, number, what, amount, _, _ in rows
    ]
    count, total = rows[0][-2:] if rows else (0, Decimal(0))
    is_whole = is_whole or count <= MANY
    return Total(count if is_whole else MANY, total, is_whole), found


@dataclass(frozen=True)
class Share:
    """What the company stands behind for one product or bank: number of projects and balance in 元."""

    id: int
    name: str
    count: int
    amount: Decimal


def in_force_by_product(session: Session, actor: Actor) -> list[Share]:
    """在保余额 by product, the largest first."""
    return _shares(session, actor, Product, Project.product_id)


def in_force_by_bank(session: Session, actor: Actor) -> list[Share]:
    """在保余额 by bank, the largest first."""
    return _shares(session, actor, PartnerBank, Project.bank_id)


def _shares(
    session: Session,
    actor: Actor,
    party: type[Product] | type[PartnerBank],
    key: InstrumentedAttribute[int],
) -> list[Share]:
    parts = select(
        key.label("key"), func.count().label("count"), func.sum(Project.balance).label("amount")
    )
    parts = scoped(parts.where(Project.state == ProjectState.IN_FORCE), Project, actor).group_by(
        key
    )
    part = parts.subquery()
    query = select(party.id, party.name, part.c["count"], part.c.amount).join(
        part, party.id == part.c.key
    )
    found = [Share(*row) for row in session.execute(query)]
    return sorted(found, key=lambda share: (-share.amount, share.id))


# As the index of them says it: a bound state would not let SQLite use that index.
_OPEN_WARNING = RiskWarning.state != literal(
    WarningState.LIFTED, RiskWarning.state.type, literal_execute=True
)


def open_warning_count(session: Session, actor: Actor) -> int:
    """How many warnings are not lifted."""
    query = select(func.count(RiskWarning.id)).where(_OPEN_WARNING)
    return session.scalar(scoped(query, RiskWarning, actor, as_set=True)) or 0


def open_warnings(session: Session, actor: Actor, limit: int = 6) -> list[RiskWarning]:
    """Warnings that are not lifted, the most serious and then the most urgent first: one question to an index each."""
    found: list[RiskWarning] = []
    for level in reversed(WarningLevel):
        query = scoped(
            select(RiskWarning).where(_OPEN_WARNING, RiskWarning.level == level), RiskWarning, actor
        )
        query = query.order_by(RiskWarning.deadline, RiskWarning.id).limit(limit - len(found))
        found += session.scalars(
            query.options(
                joinedload(RiskWarning.project).joinedload(Project.customer),
                joinedload(RiskWarning.rule),
            )
        )
        if len(found) == limit:
            break
    return found


def my_customers(session: Session, actor: Actor, limit: int = 6) -> tuple[int, Sequence[Customer]]:
    """Customers that the actor looks after, the latest touched first."""
    where = Customer.manager_id == actor.employee_id
    count = session.scalar(select(func.count(Customer.id)).where(where)) or 0
    query = select(Customer).where(where).order_by(Customer.updated_at.desc(), Customer.id.desc())
    return count, session.scalars(query.limit(limit)).all()


def waiting_events(
    session: Session, actor: Actor, limit: int = 6
) -> tuple[Total, Sequence[BusinessEvent]]:
    """The 复核 queue, the oldest first."""
    where = BusinessEvent.state == EventState.PENDING
    totals = select(func.count(BusinessEvent.id), func.sum(BusinessEvent.total)).where(where)
    count, amount = session.execute(scoped(totals, BusinessEvent, actor)).one()
    query = scoped(select(BusinessEvent).where(where), BusinessEvent, actor).options(
        joinedload(BusinessEvent.customer)
    )
    query = query.order_by(BusinessEvent.occurred_on, BusinessEvent.id).limit(limit)
    return Total(count, amount or Decimal(0)), session.scalars(query).all()


def event_counts(session: Session, actor: Actor) -> dict[EventState, int]:
    """Business events by state, none counted further than one beyond MANY."""
    return _counts(
        session, actor, BusinessEvent, {state: BusinessEvent.state == state for state in EventState}
    )


def _counts(
    session: Session, actor: Actor, model: type[Entity], views: dict[_Key, ColumnElement[bool]]
) -> dict[_Key, int]:
    """Rows of each view in one question, which looks at no more of them than it says."""
    some = (
        scoped(select(model.id).where(where), model, actor).limit(MANY + 1).subquery()
        for where in views.values()
    )
    counts = (select(func.count()).select_from(rows).scalar_subquery() for rows in some)
    return dict(zip(views, session.execute(select(*counts)).one(), strict=True))


def voucher_views(actor: Actor) -> dict[str, ColumnElement[bool]]:
    """Vouchers by what they wait for (review, sign, post), posted and void.

    Who may do a verb sees under it what is left for them: nothing that they had an earlier part in.
    """
    unsigned = Voucher.is_cash & (Voucher.state == VoucherState.REVIEWED)
    ready = or_(
        Voucher.state == VoucherState.SIGNED,
        (Voucher.state == VoucherState.REVIEWED) & Voucher.is_cash.is_(False),
    )
    states = {"review": Voucher.state == VoucherState.DRAFT, "sign": unsigned, "post": ready}
    parts = (Voucher.prepared_by_id, Voucher.reviewed_by_id, Voucher.signed_by_id)
    for count, verb in enumerate(states, 1):
        if actor.may(verb, "voucher"):
            mine = (part.is_distinct_from(actor.employee_id) for part in parts[:count])
            states[verb] = and_(states[verb], *mine)
    return states | {
        "posted": Voucher.state == VoucherState.POSTED,
        "void": Voucher.state == VoucherState.VOID,
    }


def voucher_counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many vouchers each of the views holds, and '' for all, none counted further than one beyond MANY."""
    return _counts(session, actor, Voucher, {"": true(), **voucher_views(actor)})


def _mine(actor: Actor) -> dict[str, ColumnElement[bool]]:
    views = voucher_views(actor)
    return {verb: views[verb] for verb in ("review", "sign", "post") if actor.may(verb, "voucher")}


def waiting_vouchers(
    session: Session, actor: Actor, limit: int = 6
) -> tuple[dict[str, int], Sequence[Voucher]]:
    """How many vouchers this person may bring on by each verb, and the oldest of them."""
    mine = _mine(actor)
    if not mine:
        return {}, []
    numbers = select(*(func.count(case((where, 1))) for where in mine.values())).where(
        or_(*mine.values())
    )
    counts = dict(zip(mine, session.execute(numbers).one(), strict=True))
    query = (
        select(Voucher).where(or_(*mine.values())).order_by(Voucher.date, Voucher.id).limit(limit)
    )
    return counts, session.scalars(query).all()


def my_submissions(session: Session, actor: Actor, limit: int = 200) -> list[ApprovalInstance]:
    """What the actor has put up for approval, the newest first (2.1)."""
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
