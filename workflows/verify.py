"""`flask verify`: everything that is kept is recomputed from what it was kept from; the first wrong row is named.

Sums and comparisons are the database's, what streams through Python is not kept: memory does not grow with the books.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from time import perf_counter, sleep
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from models.after.case_money import LIVE_MONEY, RecoveryPart, RecoveryReceipt
from models.after.compensation import CompensationShare
from models.after.recovery import CaseState, RecoveryCase
from models.approval.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.base.actor import Actor
from models.base.columns import Money
from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError
from models.base.money import format_money
from models.guarantee.drawdown import Drawdown, DrawdownState, Instalment, RepaymentPlan
from models.guarantee.project import ENDED, Project, ProjectStage, ProjectState
from models.guarantee.repayment import Repayment, RepaymentState
from models.guarantee.resolution import Resolution, ResolutionState
from models.guarantee.scheme import SharingParty
from models.guarantee.signing import Fee, FeeDue, Receipt, ReceiptState
from models.ledger.account import Account, AccountBalance, AuxiliaryBalance
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherEntry
from models.system.proof import SEALED, ChainHead
from models.system.records import Attachment, IssuedDocument
from models.system.setup import AuditLog, JobRun, SystemState
from workflows.base import jobs
from workflows.base.attachments import damaged
from workflows.base.documents import damaged_documents
from workflows.base.transition import verbs
from workflows.ledger.heads import verify_heads
from workflows.ledger.verify import verify_ledger
from workflows.system.proofs import verify_trail

ZERO = Decimal("0.00")
AGAIN = 3
JOB, LABEL = "verify", "核对"
verbs("job_run", {JOB: LABEL})


class Result(NamedTuple):
    """What a check found: the first wrong row, or nothing."""

    label: str
    rows: int
    seconds: float
    problem: str


class Check(NamedTuple):
    """One part of `verify`: what it looks at, how, and which tables it covers."""

    label: str
    run: Callable[[Session], list[str]]
    covers: tuple[type[Entity], ...]

    def rows(self, session: Session) -> int:
        """How many rows it covers."""
        counts = (
            session.scalar(select(func.count()).select_from(model)) or 0 for model in self.covers
        )
        return sum(counts)


def verify_exposures(session: Session) -> list[str]:
    """在保余额 equals the loans' balances; what is reserved equals the valid resolution."""
    loans = _sums(Drawdown.project_id, Drawdown.balance, Drawdown.state != DrawdownState.RELEASED)
    valid = _sums(
        Resolution.project_id, Resolution.amount, Resolution.state == ResolutionState.VALID
    )
    owed = func.coalesce(loans.c.total, ZERO, type_=Money())
    reserved = case(
        (Project.state == ProjectState.RUNNING, func.coalesce(valid.c.total, ZERO)), else_=ZERO
    )
    query = (
        select(Project.number, Project.balance, owed, Project.reserved_amount)
        .outerjoin(loans, loans.c.owner == Project.id)
        .outerjoin(valid, valid.c.owner == Project.id)
        .where(or_(Project.balance != owed, Project.reserved_amount != reserved))
        .order_by(Project.id)
    )
    row = _first_row(session, query)
    if row is None:
        return []
    number, kept, found, amount = row
    if kept != found:
        return [
            f"项目 {number} 在保余额 {format_money(kept)} 与借据余额 {format_money(found)} 不符"
        ]
    return [f"项目 {number} 决议占用额 {format_money(amount)} 与有效决议不符"]


def verify_plans(session: Session) -> list[str]:
    """The current plan's principal equals the loan, and what is unpaid of it equals the balance: none once released."""
    principal, paid = func.sum(Instalment.principal), func.sum(Instalment.principal_paid)
    is_free = Drawdown.state == DrawdownState.RELEASED
    query = (
        select(Drawdown.number)
        .join(RepaymentPlan, RepaymentPlan.drawdown_id == Drawdown.id)
        .join(Instalment, Instalment.repayment_plan_id == RepaymentPlan.id)
        .where(RepaymentPlan.is_current)
        .group_by(Drawdown.id, Drawdown.number, Drawdown.amount, Drawdown.balance, Drawdown.state)
        .having(
            or_(
                principal != Drawdown.amount,
                and_(~is_free, Drawdown.amount - paid != Drawdown.balance),
                and_(is_free, Drawdown.balance != Decimal(0)),
            )
        )
        .order_by(Drawdown.id)
    )
    return _first(session, query, "借据 {} 的还款计划本金与放款金额或余额不符")


def verify_repayments(session: Session) -> list[str]:
    """What the plan says was repaid is what was registered, without interest beyond the plan."""
    planned = (
        select(
            RepaymentPlan.drawdown_id.label("owner"),
            func.sum(Instalment.principal_paid).label("principal"),
            func.sum(Instalment.interest_paid).label("interest"),
        )
        .join(Instalment, Instalment.repayment_plan_id == RepaymentPlan.id)
        .where(RepaymentPlan.is_current)
        .group_by(RepaymentPlan.drawdown_id)
        .subquery()
    )
    inside = Repayment.interest - Repayment.extra_interest
    registered = (
        select(
            Repayment.drawdown_id.label("owner"),
            func.sum(Repayment.principal).label("principal"),
            func.sum(inside).label("interest"),
        )
        .where(Repayment.state == RepaymentState.BOOKED)
        .group_by(Repayment.drawdown_id)
        .subquery()
    )
    differ = [
        func.coalesce(planned.c[name], ZERO, type_=Money())
        != func.coalesce(registered.c[name], ZERO, type_=Money())
        for name in ("principal", "interest")
    ]
    query = (
        select(Drawdown.number)
        .outerjoin(planned, planned.c.owner == Drawdown.id)
        .outerjoin(registered, registered.c.owner == Drawdown.id)
        .where(or_(*differ))
        .order_by(Drawdown.id)
    )
    return _first(session, query, "借据 {} 还款计划的已还本息与还款登记不符")


def verify_cases(session: Session) -> list[str]:
    """What is still owed on a share is what was paid less what came in, and a case shows the sums of its shares."""
    live = RecoveryReceipt.state.in_(LIVE_MONEY)
    back = (
        select(RecoveryPart.share_id.label("owner"), func.sum(RecoveryPart.amount).label("total"))
        .join(RecoveryReceipt, RecoveryReceipt.id == RecoveryPart.receipt_id)
        .where(live)
        .group_by(RecoveryPart.share_id)
        .subquery()
    )
    came = func.coalesce(back.c.total, ZERO, type_=Money())
    share = (
        select(CompensationShare.id)
        .outerjoin(back, back.c.owner == CompensationShare.id)
        .where(CompensationShare.amount - came != CompensationShare.open_amount)
        .order_by(CompensationShare.id)
    )
    if found := _first(session, share, "代偿分担 {} 的未收回金额与回款分配不符"):
        return found
    paid = _sums(CompensationShare.recovery_case_id, CompensationShare.amount)
    is_own = CompensationShare.party == SharingParty.OWN
    own = _sums(CompensationShare.recovery_case_id, CompensationShare.open_amount, is_own)
    on_book = func.coalesce(own.c.total, ZERO, type_=Money())
    kept = case((RecoveryCase.state == CaseState.WRITTEN_OFF, ZERO), else_=on_book)
    query = (
        select(RecoveryCase.number)
        .outerjoin(paid, paid.c.owner == RecoveryCase.id)
        .outerjoin(own, own.c.owner == RecoveryCase.id)
        .where(
            or_(
                RecoveryCase.paid_amount != func.coalesce(paid.c.total, ZERO, type_=Money()),
                RecoveryCase.balance != kept,
            )
        )
        .order_by(RecoveryCase.id)
    )
    return _first(session, query, "追偿案件 {} 的代偿金额或账面余额与代偿分担不符")


def verify_fees(session: Session) -> list[str]:
    """A fee's plan sums to the fee; what is collected equals its booked receipts less what 解保 refunded."""
    due = _sums(FeeDue.fee_id, FeeDue.amount)
    booked = _sums(Receipt.fee_id, Receipt.amount, Receipt.state == ReceiptState.BOOKED)
    is_planned = or_(Fee.amount == ZERO, Fee.amount == func.coalesce(due.c.total, ZERO))
    refunded = (
        select(
            BusinessEvent.record_id.label("owner"),
            func.sum(BusinessEvent.total, type_=Money()).label("total"),
        )
        .where(
            BusinessEvent.event_code == "fee.refunded",
            BusinessEvent.record_table == Fee.__tablename__,
            BusinessEvent.state == EventState.BOOKED,
        )
        .group_by(BusinessEvent.record_id)
        .subquery()
    )
    received = func.coalesce(booked.c.total, ZERO, type_=Money()) - func.coalesce(
        refunded.c.total, ZERO, type_=Money()
    )
    is_collected = Fee.collected_amount == received
    query = (
        select(Fee.id, Fee.kind, is_planned)
        .outerjoin(due, due.c.owner == Fee.id)
        .outerjoin(booked, booked.c.owner == Fee.id)
        .outerjoin(refunded, refunded.c.owner == Fee.id)
        .where(or_(~is_planned, ~is_collected))
        .order_by(Fee.id)
    )
    row = _first_row(session, query)
    if row is None:
        return []
    what = "已收金额与收据不符" if row[2] else "应收计划与金额不符"
    return [f"费用 {row[0]}（{row[1].label}）的{what}"]


def verify_stages(session: Session) -> list[str]:
    """Each project under way has exactly one open stage, the one it stands at."""
    is_here = case((ProjectStage.stage == Project.stage, 1), else_=0)
    wanted = case((Project.state.in_(ENDED), 0), else_=1)
    query = (
        select(Project.number)
        .outerjoin(
            ProjectStage, (ProjectStage.project_id == Project.id) & ProjectStage.left_on.is_(None)
        )
        .group_by(Project.id, Project.number, Project.state)
        .having(
            or_(
                func.count(ProjectStage.id) != wanted, func.coalesce(func.sum(is_here), 0) != wanted
            )
        )
        .order_by(Project.id)
    )
    return _first(session, query, "项目 {} 的阶段记录与当前阶段不符")


def verify_approvals(session: Session) -> list[str]:
    """What is or was approved is still there, and nobody is asked about what has ended."""
    wanted = ApprovalInstance.state.in_((ApprovalState.RUNNING, ApprovalState.APPROVED))
    for name in session.scalars(
        select(ApprovalInstance.table_name).where(wanted).distinct().order_by("table_name")
    ):
        model = entity_of(name)
        record = select(model.id).where(model.id == ApprovalInstance.record_id)
        lost = wanted & (ApprovalInstance.table_name == name) & ~record.exists()
        title = session.scalar(
            select(ApprovalInstance.title).where(lost).order_by(ApprovalInstance.id).limit(1)
        )
        if title is not None:
            return [f"审批单“{title}”的{model.spec.label}已不存在，请由系统管理员结束该审批"]
    idle = select(ApprovalInstance.title).join(ApprovalInstance.tasks)
    idle = idle.where(
        ApprovalTask.state == TaskState.PENDING, ApprovalInstance.state != ApprovalState.RUNNING
    )
    title = session.scalar(idle.order_by(ApprovalInstance.id).limit(1))
    return [] if title is None else [f"审批单“{title}”已办结，仍有待办的审批任务"]


def verify_files(session: Session) -> list[str]:
    """Attachments and printed documents are, byte by byte, what was uploaded and printed; so are the words."""
    if "data_dir" not in session.info:
        return []
    return [
        first for check in (damaged, damaged_documents) if (first := next(check(session), None))
    ]


def _sums(owner: Any, amount: Any, *only: Any) -> Any:
    """(owner, total) as a subquery."""
    query = select(owner.label("owner"), func.sum(amount, type_=Money()).label("total")).where(
        *only
    )
    return query.group_by(owner).subquery()


def _first_row(session: Session, query: Select[*tuple[Any, ...]]) -> Any:
    """The first row, mostly none: for a limit PostgreSQL would hope for an early one, and choose the slow plan."""
    every = query.cte("wrong").prefix_with("MATERIALIZED", dialect="postgresql")
    return session.execute(select(every).limit(1)).first()


def _first(session: Session, query: Select[Any], words: str) -> list[str]:
    row = _first_row(session, query)
    return [] if row is None else [words.format(row[0])]


CHECKS: tuple[Check, ...] = (
    Check(
        "总账：凭证、编号、余额、凭证链、记账事项",
        verify_ledger,
        (Voucher, VoucherEntry, Account, AccountBalance, AuxiliaryBalance, BusinessEvent),
    ),
    Check("操作日志链与受保护的记录", verify_trail, (AuditLog, *map(entity_of, SEALED))),
    Check("链头登记与链头文件", verify_heads, (ChainHead,)),
    Check("附件与已出具文书", verify_files, (Attachment, IssuedDocument)),
    Check("在保余额与决议占用", verify_exposures, (Project, Drawdown, Resolution)),
    Check("借据与还款计划", verify_plans, (Drawdown, RepaymentPlan, Instalment)),
    Check("还款登记与还款计划", verify_repayments, (Repayment,)),
    Check("代偿、回款与追偿案件", verify_cases, (RecoveryCase, CompensationShare, RecoveryPart)),
    Check("费用、应收计划与收款", verify_fees, (Fee, FeeDue, Receipt)),
    Check("项目阶段", verify_stages, (ProjectStage,)),
    Check("审批单与业务记录", verify_approvals, (ApprovalInstance, ApprovalTask)),
)


def run(session: Session) -> Iterator[Result]:
    """Every check in turn over one state of the database, whoever goes on writing meanwhile."""
    _begin(session)
    try:
        for check in CHECKS:
            began = perf_counter()
            problems = _settled(session, check)
            yield Result(
                check.label,
                check.rows(session),
                perf_counter() - began,
                problems[0] if problems else "",
            )
            session.expunge_all()
    finally:
        session.rollback()


def _begin(session: Session) -> None:
    session.rollback()
    is_shared = session.get_bind().dialect.name == "postgresql"
    session.connection(
        execution_options={"isolation_level": "REPEATABLE READ"} if is_shared else {}
    )


def _settled(session: Session, check: Check) -> list[str]:
    """What a check finds; the file outside the database is of another moment, so what it tells is looked at again."""
    for _ in range(AGAIN):
        problems = check.run(session)
        if not problems or check.run is not verify_heads:
            break
        sleep(1)
        _begin(session)
    return problems


# ----------------------------------------------------------------------------------------------------------- as a job
def run_job(edge: jobs.Edge, *, actor: Actor, by_clock: bool = False) -> JobRun | None:
    """核对 as a job: what each check covered and found is on its run; None when the day's own is done already.

    Raises BusinessError naming the first wrong row, which is also the message of the run.
    """
    lease = start(edge, actor, by_clock=by_clock)
    return None if lease is None else work(lease)


def start(edge: jobs.Edge, actor: Actor, *, by_clock: bool = False) -> jobs.Lease | None:
    """Take the lease for somebody who waits for an answer; `work` does the rest."""
    actor.require(JOB, "job_run", LABEL)
    with edge.reader() as session:
        today = session.scalars(select(SystemState.business_date)).one()
    name = JOB if by_clock else f"{JOB}:{edge.now():%Y%m%d%H%M%S%f}"
    return jobs.claim(edge, name, today, [jobs.JobStep("work", LABEL, lambda _: "")], actor)


def work(lease: jobs.Lease) -> JobRun:
    """Every check, told as it is done. Raises BusinessError naming the first wrong row."""
    return jobs.watch(lease, LABEL, lambda tell: _work(lease.edge, tell))


def _work(edge: jobs.Edge, tell: jobs.Tell) -> str:
    found: list[Result] = []
    with edge.reader() as session:
        for result in run(session):
            found.append(result)
            following = CHECKS[len(found)].label if len(found) < len(CHECKS) else LABEL
            tell(
                len(found) * 99 // len(CHECKS),
                following,
                {"checks": [each._asdict() for each in found]},
            )
    wrong = next((each for each in found if each.problem), None)
    if wrong is not None:
        raise BusinessError(f"{wrong.label}：{wrong.problem}")
    return f"{len(found)} 项核对全部相符，共 {sum(each.rows for each in found):,} 行"


def last_runs(session: Session, limit: int = 1) -> list[JobRun]:
    """The latest runs of 核对, by the clock or by hand."""
    wanted = or_(JobRun.job == JOB, JobRun.job.startswith(f"{JOB}:"))
    return list(
        session.scalars(select(JobRun).where(wanted).order_by(JobRun.id.desc()).limit(limit))
    )
