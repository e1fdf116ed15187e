"""Where each kind of 待办 comes from: its rows, whose they are, and the project that they hold up.

The inbox and the record's page both ask here, so that a page cannot name somebody in whose inbox nothing stands.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from models.after.warning import RiskWarning, WarningState
from models.approval.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.base.actor import Actor
from models.base.paper import LIVE_PAPERS, PaperState
from models.customer.customer import Customer
from models.customer.rating import CustomerRating, RatingState
from models.guarantee.appraisal import RiskAssessment
from models.guarantee.product import FeeKind
from models.guarantee.project import UNDER_WAY, Project, ProjectState, Stage
from models.guarantee.release import Release
from models.guarantee.resolution import (
    ItemState,
    MeetingItem,
    MeetingMember,
    MeetingState,
    MeetingVote,
    Resolution,
    ResolutionState,
    ReviewMeeting,
)
from models.guarantee.signing import (
    CounterGuarantee,
    Fee,
    FeeDue,
    FeeState,
    FeeWaiver,
    Receipt,
    ReceiptState,
)
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherState
from models.system.configuration import ConfigProposal, ProposalState
from models.system.organization import Employee
from reports.figures.configuration import kinds, right_to_change
from reports.workbench.todo_collateral import COLLATERAL
from reports.workbench.todo_errands import ERRANDS
from reports.workbench.todo_filing import FILING
from reports.workbench.todo_papers import paper_sources
from reports.workbench.todo_sharing import SHARING
from reports.workbench.todo_source import Rows, Source, TodoKind

_EVER = date(1900, 1, 1)  # a day with both ends is what SQLite takes for few rows, and begins with


# Each row: id, about whom, number, amount, from whom, since when.
def _ballots(_: date) -> Rows:
    return (
        select(
            MeetingItem.id,
            Customer.name,
            Project.number,
            MeetingItem.advised_amount,
            literal("审保会"),
            ReviewMeeting.held_on,
        )
        .join(ReviewMeeting, ReviewMeeting.id == MeetingItem.meeting_id)
        .join(Project, Project.id == MeetingItem.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .join(MeetingMember, MeetingMember.meeting_id == MeetingItem.meeting_id)
        .where(
            ReviewMeeting.state == MeetingState.OPEN,
            MeetingItem.result == ItemState.PENDING,
            MeetingMember.is_present,
            ~exists().where(
                MeetingVote.item_id == MeetingItem.id,
                MeetingVote.employee_id == MeetingMember.employee_id,
            ),
        )
        .order_by(ReviewMeeting.held_on, MeetingItem.seq, MeetingItem.id)
    )


def _announcements(_: date) -> Rows:
    """Open meetings on which every present member has voted on every item."""
    silent = (
        select(MeetingItem.id)
        .join(MeetingMember, MeetingMember.meeting_id == MeetingItem.meeting_id)
        .where(
            MeetingItem.meeting_id == ReviewMeeting.id,
            MeetingItem.result == ItemState.PENDING,
            MeetingMember.is_present,
            ~exists().where(
                MeetingVote.item_id == MeetingItem.id,
                MeetingVote.employee_id == MeetingMember.employee_id,
            ),
        )
    )
    return (
        select(
            ReviewMeeting.id,
            literal("到会委员已全部表决"),
            ReviewMeeting.number,
            null(),
            literal("审保会"),
            ReviewMeeting.held_on,
        )
        .where(ReviewMeeting.state == MeetingState.OPEN, ~silent.exists())
        .order_by(ReviewMeeting.id)
    )


def _of_stage(stage: Stage, *where: ColumnElement[bool]) -> Rows:
    return (
        select(
            Project.id,
            Customer.name,
            Project.number,
            Project.amount,
            Employee.name,
            Project.stage_since,
        )
        .join(Customer, Customer.id == Project.customer_id)
        .join(Employee, Employee.id == Project.manager_id, isouter=True)
        .where(Project.state == ProjectState.RUNNING, Project.stage == stage, *where)
        .order_by(Project.stage_since, Project.id)
    )


# What the A角 does next at a stage, when nothing runs that others have to decide.
NEXT_STEPS: Mapping[Stage, str] = {
    Stage.APPLY: "提交申请",
    Stage.EVALUATE: "填写调查报告",
    Stage.INTENT: "出具意向函",
    Stage.REVIEW: "提交评审",
    Stage.RESOLVE: "出具确认函",
    Stage.FEE_PLAN: "登记费用",
    Stage.CONTRACT: "办理合同",
    Stage.COUNTER: "登记反担保",
    Stage.NOTICE: "开具放款通知",
    Stage.CONFIRM: "放款确认",
    Stage.IN_FORCE: "申请解保",
}


def _next_steps(_: date) -> Rows:
    """Projects of an A角 that wait for nobody else; the stage stands where others name who asks."""
    running = exists().where(
        ApprovalInstance.project_id == Project.id, ApprovalInstance.state == ApprovalState.RUNNING
    )
    live = exists().where(Release.project_id == Project.id, Release.state.in_(LIVE_PAPERS))
    is_repaid = and_(
        Project.state == ProjectState.IN_FORCE,
        Project.stage == Stage.IN_FORCE,
        Project.balance == 0,
        ~live,
    )
    signed = exists().where(
        Resolution.project_id == Project.id, Resolution.state == ResolutionState.VALID
    )
    return (
        select(
            Project.id,
            Customer.name,
            Project.number,
            Project.amount,
            Project.stage,
            Project.stage_since,
        )
        .join(Customer, Customer.id == Project.customer_id)
        .where(
            or_(
                and_(Project.state.in_(UNDER_WAY), Project.stage.in_(tuple(NEXT_STEPS))), is_repaid
            ),
            or_(Project.stage != Stage.RESOLVE, signed),
            ~running,
        )
        .order_by(Project.stage_since, Project.id)
    )


def _overdue(_: date) -> Rows:
    """Overdue approvals that somebody must see done: the superior of who is asked."""
    asked = aliased(Employee)
    return (
        select(
            ApprovalInstance.id,
            ApprovalInstance.title,
            Project.number,
            ApprovalInstance.amount,
            asked.name,
            ApprovalTask.due_at,
        )
        .join(ApprovalTask, ApprovalTask.instance_id == ApprovalInstance.id)
        .join(asked, asked.id == ApprovalTask.assignee_id)
        .join(Project, Project.id == ApprovalInstance.project_id, isouter=True)
        .where(ApprovalTask.state == TaskState.PENDING)
        .order_by(ApprovalTask.due_at, ApprovalTask.id)
    )


def _agenda(_: date) -> Rows:
    return _of_stage(Stage.RESOLVE, *unplanned())


def unplanned() -> tuple[ColumnElement[bool], ...]:
    """A project that the board resolves on, on no agenda of a meeting to come, and without a resolution."""
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
    return Project.has_board.is_(True), ~planned.exists(), ~resolved


def _assessments(_: date) -> Rows:
    """Projects whose risk nobody has assessed, or whose report went back to its writer."""
    sent = (PaperState.IN_APPROVAL, PaperState.APPROVED)
    done = exists().where(RiskAssessment.project_id == Project.id, RiskAssessment.state.in_(sent))
    return _of_stage(Stage.RISK, ~done)


def _corrections(_: date) -> Rows:
    """Projects whose 小微属性 somebody wants corrected."""
    asker = aliased(Employee)
    return (
        select(Project.id, Customer.name, Project.number, Project.amount, asker.name, null())
        .join(Customer, Customer.id == Project.customer_id)
        .join(asker, asker.id == Project.small_asked_by_id, isouter=True)
        .where(Project.small_asked.is_not(None))
        .order_by(Project.id)
    )


def _ratings(_: date) -> Rows:
    """First ratings of others that wait for a second opinion."""
    rater = aliased(Employee)
    return (
        select(
            CustomerRating.id,
            Customer.name,
            Customer.number,
            CustomerRating.credit_line,
            rater.name,
            CustomerRating.rated_on,
        )
        .join(Customer, Customer.id == CustomerRating.customer_id)
        .join(rater, rater.id == CustomerRating.rated_by_id)
        .where(CustomerRating.state == RatingState.DRAFT)
        .order_by(CustomerRating.rated_on, CustomerRating.id)
    )


def _settlements(_: date) -> Rows:
    """Approved counter-guarantees of projects under way that nobody has settled."""
    stages = (Stage.COUNTER, Stage.FEE_COLLECT, Stage.NOTICE)
    return (
        select(
            CounterGuarantee.id,
            Customer.name + " · " + CounterGuarantee.name,
            Project.number,
            CounterGuarantee.recognised_value,
            Employee.name,
            Project.stage_since,
        )
        .join(Project, Project.id == CounterGuarantee.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .join(Employee, Employee.id == Project.manager_id, isouter=True)
        .where(
            Project.state == ProjectState.RUNNING,
            Project.stage.in_(stages),
            CounterGuarantee.state == PaperState.APPROVED,
            CounterGuarantee.is_settled.is_(False),
        )
        .order_by(Project.stage_since, CounterGuarantee.id)
    )


def _meetings(_: date) -> Rows:
    """Meetings with an agenda that nobody has opened yet."""
    planned = exists().where(
        MeetingItem.meeting_id == ReviewMeeting.id, MeetingItem.result == ItemState.PENDING
    )
    return (
        select(
            ReviewMeeting.id,
            literal("议题已列入，待召开"),
            ReviewMeeting.number,
            null(),
            literal("审保会"),
            ReviewMeeting.held_on,
        )
        .where(ReviewMeeting.state == MeetingState.DRAFT, planned)
        .order_by(ReviewMeeting.held_on, ReviewMeeting.id)
    )


def _collections(today: date) -> Rows:
    """Fees of which something is due that no receipt and no waiver before 复核 stands for; one row a fee."""
    other = aliased(FeeDue)
    is_open = other.settled_amount < other.amount
    earlier = exists().where(other.fee_id == FeeDue.fee_id, other.seq < FeeDue.seq, is_open)
    owed = select(func.sum(other.amount - other.settled_amount)).where(
        other.fee_id == Fee.id, other.due_on <= today, is_open
    )
    waits = _sum(
        Receipt.amount, Receipt.fee_id == Fee.id, Receipt.state == ReceiptState.SUBMITTED
    ) + _sum(
        FeeWaiver.amount,
        FeeWaiver.fee_id == Fee.id,
        FeeWaiver.is_booked.is_(False),
        FeeWaiver.state.in_((PaperState.IN_APPROVAL, PaperState.APPROVED)),
    )
    stages = (Stage.FEE_COLLECT, Stage.NOTICE, Stage.CONFIRM)
    return (
        select(
            Fee.id,
            Customer.name,
            Project.number,
            FeeDue.amount - FeeDue.settled_amount,
            Fee.kind,
            FeeDue.due_on,
        )
        .join(Fee, Fee.id == FeeDue.fee_id)
        .join(Project, Project.id == Fee.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .where(
            FeeDue.settled_amount < FeeDue.amount,  # as the index of them says it
            FeeDue.due_on.between(_EVER, today),
            or_(
                and_(Project.state == ProjectState.RUNNING, Project.stage.in_(stages)),
                Project.state.in_((ProjectState.IN_FORCE, ProjectState.COMPENSATED)),
            ),
            or_(
                func.coalesce(Fee.state, literal("")) == FeeState.BOOKED,
                Fee.kind == FeeKind.DEPOSIT,
            ),
            ~earlier,
            owed.scalar_subquery() > waits,
        )
        .order_by(FeeDue.due_on, FeeDue.id)
    )


def _sum(
    amount: InstrumentedAttribute[Decimal], *where: ColumnElement[bool]
) -> ColumnElement[Decimal]:
    return func.coalesce(select(func.sum(amount)).where(*where).scalar_subquery(), Decimal(0))


def _events(_: date) -> Rows:
    about = func.coalesce(Customer.name + " · ", "") + BusinessEvent.label
    raiser = aliased(Employee)
    return (
        select(
            BusinessEvent.id,
            about,
            BusinessEvent.number,
            BusinessEvent.total,
            raiser.name,
            BusinessEvent.occurred_on,
        )
        .join(Customer, Customer.id == BusinessEvent.customer_id, isouter=True)
        .join(raiser, raiser.id == BusinessEvent.created_by_id, isouter=True)
        .where(BusinessEvent.state == EventState.PENDING)
        .order_by(BusinessEvent.occurred_on, BusinessEvent.id)
    )


def _vouchers(*where: Any) -> Callable[[date], Rows]:
    maker = aliased(Employee)
    return lambda _: (
        select(Voucher.id, Voucher.memo, Voucher.code, Voucher.total, maker.name, Voucher.date)
        .join(maker, maker.id == Voucher.prepared_by_id, isouter=True)
        .where(*where)
        .order_by(Voucher.date, Voucher.id)
    )


def _warnings(_: date) -> Rows:
    return (
        select(
            RiskWarning.id,
            Customer.name,
            Project.number,
            null(),
            literal(""),
            RiskWarning.raised_on,
        )
        .join(Project, Project.id == RiskWarning.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .where(RiskWarning.state == WarningState.PENDING)
        .order_by(RiskWarning.deadline, RiskWarning.id)
    )


def _proposals(_: date) -> Rows:
    """Changes of the configuration that a second person must publish."""
    proposer = aliased(Employee)
    return (
        select(
            ConfigProposal.id,
            ConfigProposal.title,
            literal(""),
            null(),
            proposer.name,
            ConfigProposal.proposed_at,
        )
        .join(proposer, proposer.id == ConfigProposal.proposed_by_id)
        .where(ConfigProposal.state == ProposalState.PENDING)
        .order_by(ConfigProposal.id)
    )


def _may_change(actor: Actor) -> ColumnElement[bool]:
    """The kinds of configuration that somebody may change."""
    mine = [table for table in kinds() if actor.may(*right_to_change(table))]
    return ConfigProposal.table_name.in_(mine)


def _is_project(project_id: int) -> ColumnElement[bool]:
    return Project.id == project_id


def _on_agenda(project_id: int) -> ColumnElement[bool]:
    return exists().where(
        MeetingItem.meeting_id == ReviewMeeting.id,
        MeetingItem.project_id == project_id,
        MeetingItem.result == ItemState.PENDING,
    )


_MANAGER: Any = Project.manager_id
_TO_POST = or_(
    Voucher.state == VoucherState.SIGNED,
    and_(Voucher.state == VoucherState.REVIEWED, Voucher.is_cash.is_(False)),
)
_PARTS: tuple[Any, ...] = (Voucher.prepared_by_id, Voucher.reviewed_by_id, Voucher.signed_by_id)
_K = TodoKind
_SOURCES: tuple[Source, ...] = (
    Source(
        _K.NEXT,
        Project,
        ("submit", "project"),
        rows=_next_steps,
        of_project=_is_project,
        holder=_MANAGER,
    ),
    Source(
        _K.LATE,
        ApprovalInstance,
        ("list", "approval_instance"),
        rows=_overdue,
        holder=ApprovalTask.escalated_to_id,
    ),
    Source(
        _K.BALLOT,
        MeetingItem,
        ("cast", "meeting_vote"),
        rows=_ballots,
        of_project=lambda pk: MeetingItem.project_id == pk,
        holder=MeetingMember.employee_id,
    ),
    Source(
        _K.CONVENE,
        ReviewMeeting,
        ("open", "review_meeting"),
        _meetings,
        _on_agenda,
        numbered=ReviewMeeting.number,
    ),
    Source(
        _K.ANNOUNCE,
        ReviewMeeting,
        ("close", "review_meeting"),
        _announcements,
        _on_agenda,
        numbered=ReviewMeeting.number,
    ),
    Source(_K.AGENDA, Project, ("open", "review_meeting"), _agenda, _is_project, is_scoped=True),
    Source(
        _K.RATING,
        CustomerRating,
        ("confirm", "customer_rating"),
        _ratings,
        barred=(CustomerRating.rated_by_id,),
        is_scoped=True,
        numbered=Customer.number,
    ),
    Source(
        _K.RISK, Project, ("submit", "risk_assessment"), _assessments, _is_project, is_scoped=True
    ),
    Source(
        _K.SMALL,
        Project,
        ("confirm_small", "project"),
        _corrections,
        _is_project,
        barred=(Project.small_asked_by_id,),
        is_scoped=True,
    ),
    Source(
        _K.SETTLE,
        CounterGuarantee,
        ("settle", "counter_guarantee"),
        _settlements,
        _is_project,
        is_scoped=True,
        numbered=CounterGuarantee.name,
    ),
    Source(_K.COLLECT, Fee, ("collect", "receipt"), _collections, _is_project, is_scoped=True),
    Source(
        _K.BOOK,
        BusinessEvent,
        ("book", "business_event"),
        _events,
        lambda pk: BusinessEvent.project_id == pk,
        is_scoped=True,
        numbered=BusinessEvent.number,
    ),
    Source(
        _K.REVIEW,
        Voucher,
        ("review", "voucher"),
        _vouchers(Voucher.state == VoucherState.DRAFT),
        barred=_PARTS[:1],
        numbered=Voucher.code,
    ),
    Source(
        _K.SIGN,
        Voucher,
        ("sign", "voucher"),
        _vouchers(Voucher.state == VoucherState.REVIEWED, Voucher.is_cash),
        barred=_PARTS[:2],
        numbered=Voucher.code,
    ),
    Source(
        _K.POST,
        Voucher,
        ("post", "voucher"),
        _vouchers(_TO_POST),
        barred=_PARTS,
        numbered=Voucher.code,
    ),
    Source(
        _K.WARNING,
        RiskWarning,
        ("handle", "risk_warning"),
        rows=_warnings,
        of_project=_is_project,
        holder=RiskWarning.owner_id,
        numbered=RiskWarning.number,
    ),
    Source(
        _K.CONFIG,
        ConfigProposal,
        ("publish", "config_proposal"),
        rows=_proposals,
        barred=(ConfigProposal.proposed_by_id,),
        reach=_may_change,
        numbered=ConfigProposal.title,
    ),
)


@cache
def sources() -> tuple[Source, ...]:
    """Every source: the next step of a project, its papers as they say themselves, and the rest."""
    every = (*FILING, *ERRANDS, *SHARING, *COLLATERAL)
    return (_SOURCES[0], *paper_sources(), *_SOURCES[1:], *every)
