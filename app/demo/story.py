"""Projects lived through: each story takes one from application as far as the demo's date allows, part by part."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy import ColumnElement, select

from app.demo import sharing
from app.demo.people import BOARD
from app.demo.stage import Stage
from models.approval.approval import ApprovalInstance, ApprovalTask, SignatureRule, TaskState
from models.base.entity import Entity
from models.base.moments import add_months
from models.customer.customer import Customer
from models.customer.rating_model import CustomerKind
from models.guarantee.appraisal import InvestigationReport, RiskAssessment
from models.guarantee.benchmark import Benchmark
from models.guarantee.product import FeeKind, RepaymentMethod
from models.guarantee.project import Project
from models.guarantee.resolution import MeetingItem, VoteChoice
from models.guarantee.signing import CounterGuarantee, Fee, FeeWaiver
from models.guarantee.termination import Termination
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherState
from models.system.organization import Operator
from reports.figures.benchmarks import spread_over_benchmark
from workflows.approval import approval
from workflows.approval.at_node import Given
from workflows.base import records
from workflows.guarantee import (
    admission,
    application,
    appraisal,
    collection,
    contracts,
    convening,
    counters,
    disbursement,
    fees,
    resolution,
    resubmission,
    termination,
    waivers,
)
from workflows.ledger import posting, voucher

CASHIER, ACCOUNTANT, CHIEF, POSTER = "luona", "wujie", "shihui", "tangxia"
RISK, KEEPER, SECRETARY = "zhenglan", "fangyuan", "yangfan"
ACCOUNT = "江州银行营业部 3200 0158 0000 1188"
# A name as a pen draws it.
_STROKES = (
    [(120, 190), (190, 110), (180, 270)],
    [(210, 130), (330, 120)],
    [(240, 170), (300, 165), (295, 215), (240, 220), (240, 170)],
    [(325, 125), (330, 250), (300, 265)],
    [(420, 120), (560, 105), (440, 170), (580, 160), (430, 215)],
    [(500, 80), (495, 270)],
    [(400, 240), (470, 300), (600, 285)],
    [(650, 130), (660, 280)],
    [(650, 130), (790, 120), (800, 285), (660, 280)],
    [(690, 175), (760, 170), (725, 230), (770, 245)],
)


@dataclass
class Plot:
    """What a story is about."""

    customer: Customer
    manager: str
    assistant: str
    product_id: int
    bank_id: int
    amount: Decimal
    months: int
    method: RepaymentMethod
    parts: int  # how many parts of the line are played; the project then stands there
    refused_at: str = ""
    stops_at: int = 0  # the instalment from which on the customer pays nothing; 0: pays all
    is_claimed: bool = False  # whether the bank then claims from the company
    appeals: bool = False  # whether the board reconsiders its refusal
    renews_after: str = ""  # the part after which the customer lets the resolution run out
    waives: bool = False  # whether part of the fee is waived where the line stands
    changes: str = ""  # the 存续变更 of its loan; with a question mark it waits for its decision
    ends: bool = False  # whether the project is ended after its parts


def play(
    stage: Stage, plot: Plot, after: Callable[[Stage, Plot, Project], Iterator[int]]
) -> Iterator[int]:
    """The line, each yield being the days until the next part; `after` is the life of a guarantee in force."""
    project = apply(stage, plot)
    for number, part in enumerate(PARTS, start=1):
        if number > plot.parts:
            if plot.waives:
                yield from _waive(stage, plot, project)
            if plot.ends:
                yield from _end(stage, plot, project)
            return
        yield stage.random.randrange(1, 4)
        part(stage, plot, project)
        if plot.refused_at == part.__name__:
            if not plot.appeals:
                return
            yield from _appeal(stage, plot, project)
        if plot.renews_after == part.__name__:
            yield from _renew(stage, plot, project)
    if plot.parts >= len(PARTS):
        yield from after(stage, plot, project)


def login_of(stage: Stage, employee_id: int) -> str:
    """Sign-in name of an employee."""
    return str(
        stage.session.scalar(select(Operator.username).where(Operator.employee_id == employee_id))
    )


def decide_all(stage: Stage, project: Project, *, refuse: bool = False) -> None:
    """Everybody whom the project's running approval asks decides in turn, by their own hands."""
    _decide_all(stage, ApprovalInstance.project_id == project.id, refuse=refuse)


def decide_all_of(stage: Stage, record: Entity) -> None:
    """The same for the approval of a record that no project stands behind."""
    mine = ApprovalInstance.table_name == record.__tablename__
    _decide_all(stage, mine, ApprovalInstance.record_id == record.id)


def _decide_all(stage: Stage, *where: ColumnElement[bool], refuse: bool = False) -> None:
    while True:
        task = stage.session.scalars(
            select(ApprovalTask)
            .join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
            .where(ApprovalTask.state == TaskState.PENDING, *where)
            .order_by(ApprovalTask.id)
        ).first()
        if task is None:
            return
        ctx = stage.ctx(login_of(stage, task.assignee_id))
        decision = approval.Decision.REJECT if refuse else approval.Decision.APPROVE
        signs = task.node.signature is not SignatureRule.NONE
        approval.decide(
            ctx,
            task,
            decision,
            "负债偏高且还款来源不足，不同意。" if refuse else "同意，按制度办理。",
            given=Given(signature=_signature() if signs else b""),
        )


@cache
def _signature() -> bytes:
    """Strokes of a pen, as a phone sends them."""
    sheet = Image.new("RGB", (900, 360), "white")
    pen = ImageDraw.Draw(sheet)
    for stroke in _STROKES:
        pen.line(stroke, "black", 9, joint="curve")
    target = io.BytesIO()
    sheet.save(target, "PNG")
    return target.getvalue()


def apply(stage: Stage, plot: Plot) -> Project:
    assistant = stage.actor(plot.assistant).employee_id
    share = Decimal(20)
    return records.create(
        stage.ctx(plot.manager),
        Project,
        {
            "customer_id": plot.customer.id,
            "product_id": plot.product_id,
            "bank_id": plot.bank_id,
            "amount": plot.amount,
            "term_months": plot.months,
            "purpose": "WORKING",
            "purpose_note": "采购原材料及日常周转",
            "rate_annual_pct": Decimal("4.35"),
            "repayment_method": plot.method,
            "fee_rate_pct": Decimal("1.5"),
            "bank_share_pct": share,
            "scheme_id": sharing.scheme_for(stage, plot.product_id),
            "counter_offer": "厂房抵押、实际控制人连带责任保证",
            "assistant_id": assistant,
            "small_kind": None if plot.customer.kind is CustomerKind.CORPORATE else "OWNER",
        },
    )


def _submit(stage: Stage, plot: Plot, project: Project) -> None:
    if admission.may_ask(stage.ctx(plot.manager), project):
        reason = "新购设备回款较慢，按项目现金流安排期限，已落实抵押和保证。"
        admission.ask(stage.ctx(plot.manager), project, reason, project.version)
        decide_all(stage, project)
    application.submit(stage.ctx(plot.manager), project, project.version)


def _report(stage: Stage, plot: Plot, project: Project) -> None:
    records.create(
        stage.ctx(plot.manager),
        InvestigationReport,
        {
            "project_id": project.id,
            "visited_on": stage.today,
            "visit_place": "企业经营场所",
            "interviewed": "法定代表人、财务负责人",
            "operation": "经营正常，订单饱满，上下游稳定；现场查看设备运转与库存，与申报资料一致。",
            "finance": "近三年收入与利润稳步增长，资产负债率处于行业合理水平，应收账款账龄以半年内为主。",
            "repayment_source": "以主营业务回款为第一还款来源，预计可覆盖本息。",
            "security": "拟提供厂房抵押及实际控制人连带责任保证，价值充足、权属清晰。",
            "risks": "下游客户集中度较高，建议按季跟踪回款。",
            "advice": "SUPPORT",
            "advised_amount": plot.amount,
            "advised_months": plot.months,
        },
    )


def _evaluate(stage: Stage, plot: Plot, project: Project) -> None:
    report = stage.session.scalars(
        select(InvestigationReport).where(InvestigationReport.project_id == project.id)
    ).one()
    appraisal.submit_report(stage.ctx(plot.manager), report, report.version)


def _decide_report(stage: Stage, plot: Plot, project: Project) -> None:
    decide_all(stage, project, refuse=plot.refused_at == "_decide_report")


def _intent(stage: Stage, plot: Plot, project: Project) -> None:
    appraisal.issue_intent(stage.ctx(plot.manager), project, project.version)


def _review(stage: Stage, plot: Plot, project: Project) -> None:
    appraisal.submit_review(stage.ctx(plot.manager), project, project.version)


def _decide(stage: Stage, plot: Plot, project: Project) -> None:
    del plot
    decide_all(stage, project)


def _assess(stage: Stage, plot: Plot, project: Project) -> None:
    del plot
    records.create(
        stage.ctx(RISK),
        RiskAssessment,
        {
            "project_id": project.id,
            "score_customer": stage.random.randrange(22, 29),
            "score_repayment": stage.random.randrange(21, 28),
            "score_security": stage.random.randrange(17, 24),
            "score_compliance": stage.random.randrange(11, 15),
            "findings": "行业竞争加剧，原材料价格波动。",
            "measures": "落实抵押登记，按季检查资金用途与回款。",
            "opinion": "风险可控，建议提交审保会。",
        },
    )


def _approve_risk(stage: Stage, plot: Plot, project: Project) -> None:
    del plot
    paper = stage.session.scalars(
        select(RiskAssessment).where(RiskAssessment.project_id == project.id)
    ).one()
    appraisal.submit_risk(stage.ctx(RISK), paper, paper.version)


def _decide_risk(stage: Stage, plot: Plot, project: Project) -> None:
    decide_all(stage, project, refuse=plot.refused_at == "_decide_risk")


def _meet(stage: Stage, plot: Plot, project: Project) -> None:
    people = {name: stage.actor(name).employee_id or 0 for name in BOARD}
    facts = {
        "held_on": stage.today,
        "place": "公司第一会议室",
        "chair_id": people["lujun"],
        "secretary_id": stage.actor(SECRETARY).employee_id,
    }
    meeting = convening.convene(
        stage.ctx(SECRETARY), facts, [convening.Put(project.id)], list(people.values())
    )
    item = stage.session.scalars(
        select(MeetingItem).where(MeetingItem.meeting_id == meeting.id)
    ).one()
    resolution.open_meeting(stage.ctx(SECRETARY), meeting, meeting.version)
    for order, name in enumerate(BOARD):
        choice, opinion = VoteChoice.AGREE, "同意"
        if plot.refused_at == "_meet" and order < 3:
            choice, opinion = VoteChoice.OPPOSE, "反担保不足"
        elif order == 4 and stage.random.random() < 0.3:
            choice, opinion = VoteChoice.CONDITIONAL, "放款前追加实际控制人配偶连带责任保证"
        resolution.cast(stage.ctx(name), item, choice, opinion)
    resolution.close_meeting(stage.ctx(SECRETARY), meeting, meeting.version)


def _confirm(stage: Stage, plot: Plot, project: Project) -> None:
    resolution.issue_confirmation(stage.ctx(plot.manager), project, project.version)


def _fees(stage: Stage, plot: Plot, project: Project) -> None:
    for fee in fees.propose_fees(stage.ctx(plot.manager), project):
        if fee.vat_exemption:
            facts = {"vat_filing": f"免税备查-{project.number}"}
            records.update(stage.ctx(plot.manager), fee, facts, fee.version)
    fees.submit_fees(stage.ctx(plot.manager), project, project.version)


def _book(stage: Stage, plot: Plot, project: Project) -> None:
    del plot
    book_events(stage, project)


def book_events(stage: Stage, project: Project | None) -> None:
    """复核 by the accountant, then 审核, 签字 and 记账 by the others."""
    query = select(BusinessEvent).where(BusinessEvent.state == EventState.PENDING)
    if project is not None:
        query = query.where(BusinessEvent.project_id == project.id)
    for event in stage.session.scalars(query.order_by(BusinessEvent.id)).all():
        posting.book(stage.ctx(ACCOUNTANT), event)


def post_vouchers(stage: Stage) -> None:
    """Review, sign and post what waits, oldest first; that of the last two days stays for somebody to do by hand."""
    if (stage.as_of - stage.today).days <= 2:
        return
    post_drafts(stage)


def post_drafts(stage: Stage) -> None:
    """Review, sign and post what waits, oldest first."""
    query = select(Voucher).where(Voucher.state == VoucherState.DRAFT)
    for draft in stage.session.scalars(query.order_by(Voucher.id)).all():
        voucher.review(stage.ctx(CHIEF), draft, draft.version)
        if draft.is_cash:
            voucher.sign(stage.ctx(CASHIER), draft, draft.version)
        voucher.post(stage.ctx(POSTER), draft, draft.version)


def _contracts(stage: Stage, plot: Plot, project: Project) -> None:
    _draw_up(stage, plot, project)


def _draw_up(stage: Stage, plot: Plot, project: Project) -> None:
    """Draw up the contracts that are missing, enter the bank's number and put them up for review."""
    ctx = stage.ctx(plot.manager)
    for contract in contracts.propose_contracts(ctx, project):
        if contract.main_number is None:
            records.update(
                ctx,
                contract,
                {"main_number": f"JK{stage.today:%Y}-{project.id:04d}"},
                contract.version,
            )
        contracts.submit(ctx, contract, contract.version)


def _counters(stage: Stage, plot: Plot, project: Project) -> None:
    kinds: tuple[dict[str, object], ...] = (
        {
            "kind": "MORTGAGE",
            "asset_kind": "PLANT",
            "name": f"工业厂房 · 创业路 {stage.random.randrange(1, 99)} 号",
            "certificate_no": f"苏（2024）江州市不动产权第{stage.random.randrange(10**7):07d}号",
            "appraised_value": (plot.amount * Decimal("1.8")).quantize(Decimal("0.01")),
            "rate_pct": Decimal(60),
        },
        {"kind": "SURETY", "name": "实际控制人夫妇 · 个人连带责任"},
    )
    for values in kinds:
        records.create(
            stage.ctx(plot.manager), CounterGuarantee, {"project_id": project.id, **values}
        )
    _draw_up(stage, plot, project)
    counters.submit(stage.ctx(plot.manager), project, project.version)


def _settle(stage: Stage, plot: Plot, project: Project) -> None:
    del plot
    items = (
        select(CounterGuarantee)
        .where(CounterGuarantee.project_id == project.id)
        .order_by(CounterGuarantee.id)
    )
    for item in stage.session.scalars(items).all():
        evidence = "不动产登记证明已取得" if item.kind.needs_value else "保证合同已面签"
        counters.settle(stage.ctx(KEEPER), item, evidence, stage.today, item.version)


def _collect(stage: Stage, plot: Plot, project: Project) -> None:
    ctx = stage.ctx(CASHIER)
    amounts = {fee.id: free for fee, free in collection.open_fees(ctx, project).items() if free > 0}
    reference = f"{stage.today:%Y%m%d}{project.id:06d}"
    collection.collect_many(
        ctx, project, amounts, collection.Money(stage.today, plot.customer.name, ACCOUNT, reference)
    )


def _book_receipts(stage: Stage, plot: Plot, project: Project) -> None:
    del plot
    book_events(stage, project)
    post_vouchers(stage)


def _notice(stage: Stage, plot: Plot, project: Project) -> None:
    valid = resolution.valid_resolution(stage.ctx(), project)
    for condition in valid.conditions if valid else []:
        if not condition.is_met:
            disbursement.meet_condition(
                stage.ctx(plot.manager), condition, "已补签配偶连带责任保证合同"
            )
    disbursement.issue_notice(stage.ctx(plot.manager), project, project.version)


def _disburse(stage: Stage, plot: Plot, project: Project) -> None:
    disburse(stage, plot, project, stage.today)
    book_events(stage, project)
    post_vouchers(stage)


def disburse(stage: Stage, plot: Plot, project: Project, drawn_on: date) -> None:
    """The manager registers that the bank paid on a day; one loan is priced by LPR."""
    rate = Decimal("4.35")
    priced: dict[str, Any] = {}
    if plot.changes == "RATE":
        spread = spread_over_benchmark(stage.session, Benchmark.LPR_1Y, rate, drawn_on)
        priced = {"benchmark": Benchmark.LPR_1Y, "spread_bp": spread}
    disbursement.confirm(
        stage.ctx(plot.manager),
        project,
        bank_note_no=f"JJ{drawn_on:%Y%m%d}{project.id:04d}",
        drawn_on=drawn_on,
        amount=plot.amount,
        rate_annual_pct=rate,
        repayment_method=plot.method,
        due_on=add_months(drawn_on, plot.months),
        plan=None,
        version=project.version,
        **priced,
    )


def _appeal(stage: Stage, plot: Plot, project: Project) -> Iterator[int]:
    """The board reconsiders its refusal for new reasons and now agrees."""
    yield 6
    reason = "客户追加住宅抵押，反担保覆盖率由 108% 提高到 150%，并补充了两份在手订单。"
    material = (
        "追加抵押物清单.txt",
        "江州市滨河路 6 号住宅，评估值 180 万元，无其他抵押。".encode(),
    )
    resubmission.reconsider(stage.ctx(plot.manager), project, reason, material, project.version)
    plot.refused_at = ""
    yield 3
    _meet(stage, plot, project)


def _renew(stage: Stage, plot: Plot, project: Project) -> Iterator[int]:
    """The customer's own capital came late: half a year later the board is asked again."""
    yield 190
    reason = "客户自有资金现已到位，原决议到期，经营情况无不利变化，申请按原条件重新决议。"
    resubmission.resubmit(stage.ctx(plot.manager), project, reason, project.version)
    for part in (_meet, _decide, _confirm):
        yield 2
        part(stage, plot, project)


def _waive(stage: Stage, plot: Plot, project: Project) -> Iterator[int]:
    """A part of the fee that waits for the customer is waived, and booked as such."""
    yield 1
    fee = stage.session.scalars(
        select(Fee).where(Fee.project_id == project.id, Fee.kind == FeeKind.GUARANTEE).limit(1)
    ).one()
    paper = records.create(
        stage.ctx(plot.manager),
        FeeWaiver,
        {
            "project_id": project.id,
            "fee_id": fee.id,
            "amount": Decimal("1000.00"),
            "reason": "首次合作小微企业，按政策减收担保费。",
        },
    )
    waivers.submit(stage.ctx(plot.manager), paper, paper.version)
    yield 1
    decide_all(stage, project)
    yield 1
    book_events(stage, project)
    post_vouchers(stage)


def _end(stage: Stage, plot: Plot, project: Project) -> Iterator[int]:
    """The customer gives up: the end is approved where money is in the books, and the money goes back."""
    yield 2
    paper = records.create(
        stage.ctx(plot.manager),
        Termination,
        {
            "project_id": project.id,
            "cause": "CUSTOMER",
            "reason": "客户改以自有资金周转，书面申请不再办理。",
        },
    )
    termination.submit(stage.ctx(plot.manager), paper, paper.version)
    yield 2
    decide_all(stage, project)
    yield 1
    book_events(stage, project)
    post_vouchers(stage)


# The parts of the line in order; a project of the demo has lived through the first few or all of them.
PARTS = (
    _submit,
    _report,
    _evaluate,
    _decide_report,
    _intent,
    _review,
    _decide,
    _assess,
    _approve_risk,
    _decide_risk,
    _meet,
    _decide,
    _confirm,
    _fees,
    _book,
    _contracts,
    _decide,
    _counters,
    _decide,
    _settle,
    _collect,
    _book_receipts,
    _notice,
    _disburse,
)
