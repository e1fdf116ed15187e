"""A customer who pays no more: the bank claims, the company pays, goes to court, gets a part of it back (6.2, 6.3)."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final

from app.demo.stage import Stage
from app.demo.story import Plot, book_events, decide_all, post_vouchers
from models.after.case_money import CostKind, RecoverySource
from models.after.compensation import Compensation
from models.after.recovery import RecoveryAction, RecoveryCase, RecoveryPlan
from models.after.write_off import WriteOff
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Project
from models.guarantee.scheme import SharingParty
from reports.figures import compensation as claims
from reports.figures import recovery as figures
from reports.figures.fees import deposit_held
from workflows.after import compensation, recovery, settlement
from workflows.after.recovery import Received
from workflows.base import attachments, records
from workflows.guarantee import repayment

CASHIER: Final = "luona"
COURT: Final = {"court": "江州市中级人民法院", "case_no": "（2026）江01民初218号"}
NOTICE: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    b"xref\n0 4\n0000000000 65535 f \ntrailer<</Size 4/Root 1 0 R>>\n%%EOF\n"
)


def play(stage: Stage, plot: Plot, project: Project, loan: Drawdown) -> Iterator[int]:
    """From the last instalment that was paid to what is still pursued by the demo's date."""
    yield 50
    repayment.mark_overdue(stage.ctx_of_day(stage.today))
    paper = _claim(stage, plot, project, loan)
    compensation.PAPER.submit(stage.ctx(plot.manager), paper, paper.version)
    yield 3
    decide_all(stage, project)
    yield 2
    compensation.pay(stage.ctx(CASHIER), paper, stage.today, "HK20260018", version=paper.version)
    yield 1
    book_events(stage, project)
    post_vouchers(stage)
    case = recovery.latest_case(stage.ctx(), project)
    assert case is not None, "the payment is booked"
    yield 2
    recovery.issue_letter(stage.ctx(plot.manager), case, plot.customer.name, 15)
    yield from _pursue(stage, plot, project, case)
    _settle(stage, case)
    book_events(stage, project)
    post_vouchers(stage)
    facts = {
        "project_id": project.id,
        "recovery_case_id": case.id,
        "cause": "OTHER",
        "reason": "拟在执行终结后核销剩余部分，先行整理证据。",
    }
    records.create(stage.ctx(plot.manager), WriteOff, facts)


def _claim(stage: Stage, plot: Plot, project: Project, loan: Drawdown) -> Compensation:
    """The bank has called the loan in; of penalty it asks 88.00 more than our plan bears out."""
    due = claims.by_plan(stage.session, loan, stage.today, is_accelerated=True)
    facts = {
        "project_id": project.id,
        "drawdown_id": loan.id,
        "notice_no": "代偿通知〔2026〕18 号",
        "notice_on": stage.today - timedelta(days=1),
        "received_on": stage.today,
        "counted_on": stage.today,
        "is_accelerated": True,
        "claim_principal": due.principal,
        "claim_interest": due.interest,
        "claim_penalty": due.penalty + Decimal(88),
        "reason": "银行罚息多计 88.00 元，已与经办支行核对，按计划核定。",
        "note": "下游客户停产，应收账款不能收回，借款人自行还款无望。",
    }
    ctx = stage.ctx(plot.manager)
    made = records.create(ctx, Compensation, facts)
    attachments.store(ctx, made, filename="代偿通知书.pdf", data=NOTICE)
    return made


def _pursue(stage: Stage, plot: Plot, project: Project, case: RecoveryCase) -> Iterator[int]:
    """The deposit first, then a plan, a lawsuit with its costs, and a part of it back."""
    if deposit := deposit_held(stage.session, project):
        _receive(stage, case, RecoverySource.DEPOSIT, deposit)
    facts = {
        "project_id": project.id,
        "recovery_case_id": case.id,
        "way": "LITIGATE",
        "target_amount": Decimal(300_000),
        "due_on": stage.today + timedelta(days=180),
        "leader_id": project.manager_id,
        "measures": "起诉债务人和反担保人，保全抵押厂房，判决后申请执行。",
    }
    ctx = stage.ctx(plot.manager)
    plan = records.create(ctx, RecoveryPlan, facts)
    recovery.PLAN.submit(ctx, plan, plan.version)
    yield 3
    decide_all(stage, project)
    book_events(stage, project)
    for kind, more in (
        ("LAWSUIT", {"amount": case.balance}),
        ("PRESERVATION", {"valid_until": stage.today + timedelta(days=365)}),
    ):
        action = {
            "recovery_case_id": case.id,
            "kind": kind,
            "done_on": stage.today,
            "party": plot.customer.name,
            **COURT,
            **more,
        }
        records.create(stage.ctx(plot.manager), RecoveryAction, action)
    recovery.pay_cost(
        stage.ctx(CASHIER),
        case,
        kind=CostKind.COURT,
        amount=Decimal(8600),
        moved_on=stage.today,
    )
    yield 12
    _receive(stage, case, RecoverySource.COURT, Decimal(120_000))
    book_events(stage, project)
    yield 1


def _receive(stage: Stage, case: RecoveryCase, source: RecoverySource, amount: Decimal) -> None:
    owed = figures.owed(stage.session, case, stage.today).total
    name = case.project.customer.name
    money = Received(source, min(amount, owed), stage.today, name)
    recovery.receive(stage.ctx(CASHIER), case, money)


def _settle(stage: Stage, case: RecoveryCase) -> None:
    """The first of the others pays its part; what was recovered for it goes back."""
    shares = figures.shares_of(stage.session, case)
    others = [one for one in shares if one.party is not SharingParty.OWN]
    for share in others[:1]:
        settlement.collect(
            stage.ctx(CASHIER), share, settlement.unpaid(share), stage.today, "代偿补偿到账"
        )
