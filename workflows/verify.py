"""`flask verify`: everything that is kept is recomputed from what it was kept from; the first wrong row is named."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.base.entity import entity_of
from models.base.money import format_money
from models.drawdown import Drawdown, DrawdownState, Instalment, RepaymentPlan
from models.project import ENDED, Project, ProjectStage, ProjectState
from models.repayment import Repayment, RepaymentState
from models.resolution import Resolution, ResolutionState
from models.signing import Fee, FeeDue, Receipt, ReceiptState
from workflows.base.seal import verify_seal
from workflows.ledger.verify import verify_ledger

Check = Callable[[Session], list[str]]


def verify_exposures(session: Session) -> list[str]:
    """在保余额 equals the loans' balances; what is reserved equals the valid resolution."""
    loans: dict[int, Decimal] = defaultdict(Decimal)
    running = select(Drawdown.project_id, Drawdown.balance).where(Drawdown.state != DrawdownState.RELEASED)
    for project_id, balance in session.execute(running):
        loans[project_id] += balance
    valid = dict(
        session.execute(
            select(Resolution.project_id, func.sum(Resolution.amount))
            .where(Resolution.state == ResolutionState.VALID)
            .group_by(Resolution.project_id)
        ).all()
    )
    columns = (Project.id, Project.number, Project.balance, Project.reserved_amount, Project.state)
    for row in session.execute(select(*columns).order_by(Project.id)):
        if row.balance != loans[row.id]:
            kept, found = format_money(row.balance), format_money(loans[row.id])
            return [f"项目 {row.number} 在保余额 {kept} 与借据余额 {found} 不符"]
        wanted = valid.get(row.id, Decimal(0)) if row.state is ProjectState.RUNNING else Decimal(0)
        if row.reserved_amount != wanted:
            return [f"项目 {row.number} 决议占用额 {format_money(row.reserved_amount)} 与有效决议不符"]
    return []


def verify_plans(session: Session) -> list[str]:
    """The current plan's principal equals the loan, and what is unpaid of it equals the balance."""
    query = (
        select(Drawdown.number, Drawdown.amount, Drawdown.balance, func.sum(Instalment.principal),
               func.sum(Instalment.principal_paid))
        .join(RepaymentPlan, RepaymentPlan.drawdown_id == Drawdown.id)
        .join(Instalment, Instalment.repayment_plan_id == RepaymentPlan.id)
        .where(RepaymentPlan.is_current)
        .group_by(Drawdown.id, Drawdown.number, Drawdown.amount, Drawdown.balance)
        .order_by(Drawdown.id)
    )  # fmt: skip
    for number, amount, balance, principal, paid in session.execute(query):
        if principal != amount or amount - paid != balance:
            return [f"借据 {number} 的还款计划本金与放款金额或余额不符"]
    return []


def verify_repayments(session: Session) -> list[str]:
    """What the plan says was repaid is what was registered, without interest beyond the plan."""
    query = (
        select(RepaymentPlan.drawdown_id, func.sum(Instalment.principal_paid), func.sum(Instalment.interest_paid))
        .join(Instalment, Instalment.repayment_plan_id == RepaymentPlan.id)
        .where(RepaymentPlan.is_current)
        .group_by(RepaymentPlan.drawdown_id)
    )
    planned = {row[0]: (row[1], row[2]) for row in session.execute(query)}
    registered = (
        select(Repayment.drawdown_id, func.sum(Repayment.principal), func.sum(Repayment.interest),
               func.sum(Repayment.extra_interest))
        .where(Repayment.state == RepaymentState.BOOKED)
        .group_by(Repayment.drawdown_id)
    )  # fmt: skip
    found = {row[0]: (row[1], row[2] - row[3]) for row in session.execute(registered)}
    for drawdown_id, number in session.execute(select(Drawdown.id, Drawdown.number).order_by(Drawdown.id)):
        none = (Decimal(0), Decimal(0))
        if planned.get(drawdown_id, none) != found.get(drawdown_id, none):
            return [f"借据 {number} 还款计划的已还本息与还款登记不符"]
    return []


def verify_fees(session: Session) -> list[str]:
    """A fee's plan sums to the fee; what is collected equals its booked receipts."""
    due = dict(session.execute(select(FeeDue.fee_id, func.sum(FeeDue.amount)).group_by(FeeDue.fee_id)).all())
    booked = select(Receipt.fee_id, func.sum(Receipt.amount)).where(Receipt.state == ReceiptState.BOOKED)
    received = dict(session.execute(booked.group_by(Receipt.fee_id)).all())
    for fee in session.scalars(select(Fee).order_by(Fee.id)):
        if fee.amount and due.get(fee.id, Decimal(0)) != fee.amount:
            return [f"费用 {fee.id}（{fee.kind.label}）的应收计划与金额不符"]
        if received.get(fee.id, Decimal(0)) != fee.collected_amount:
            return [f"费用 {fee.id}（{fee.kind.label}）的已收金额与收据不符"]
    return []


def verify_stages(session: Session) -> list[str]:
    """Each project under way has exactly one open stage, the one it stands at."""
    open_rows = select(ProjectStage.project_id, ProjectStage.stage).where(ProjectStage.left_on.is_(None))
    stages: dict[int, list[object]] = defaultdict(list)
    for project_id, stage in session.execute(open_rows):
        stages[project_id].append(stage)
    for row in session.execute(select(Project.id, Project.number, Project.stage, Project.state).order_by(Project.id)):
        wanted = [] if row.state in ENDED else [row.stage]
        if stages[row.id] != wanted:
            return [f"项目 {row.number} 的阶段记录与当前阶段不符"]
    return []


def verify_approvals(session: Session) -> list[str]:
    """What is or was approved is still there, and nobody is asked about what has ended."""
    wanted = ApprovalInstance.state.in_((ApprovalState.RUNNING, ApprovalState.APPROVED))
    for name in session.scalars(select(ApprovalInstance.table_name).where(wanted).distinct().order_by("table_name")):
        model = entity_of(name)
        record = select(model.id).where(model.id == ApprovalInstance.record_id)
        lost = wanted & (ApprovalInstance.table_name == name) & ~record.exists()
        title = session.scalar(select(ApprovalInstance.title).where(lost).order_by(ApprovalInstance.id).limit(1))
        if title is not None:
            return [f"审批单“{title}”的{model.spec.label}已不存在，请由系统管理员结束该审批"]
    idle = select(ApprovalInstance.title).join(ApprovalInstance.tasks)
    idle = idle.where(ApprovalTask.state == TaskState.PENDING, ApprovalInstance.state != ApprovalState.RUNNING)
    title = session.scalar(idle.order_by(ApprovalInstance.id).limit(1))
    return [] if title is None else [f"审批单“{title}”已办结，仍有待办的审批任务"]


CHECKS: tuple[tuple[str, Check], ...] = (
    ("总账：凭证、编号、余额、凭证链、记账事项", verify_ledger),
    ("操作日志封存链", verify_seal),
    ("在保余额与决议占用", verify_exposures),
    ("借据与还款计划", verify_plans),
    ("还款登记与还款计划", verify_repayments),
    ("费用、应收计划与收款", verify_fees),
    ("项目阶段", verify_stages),
    ("审批单与业务记录", verify_approvals),
)
