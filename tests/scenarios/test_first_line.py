"""The whole line as a business story: two companies, two banks' own plan files, fourteen people, to posted vouchers.

Story: 江南精密机械 needs five million for a year, 东方装备 twelve million for three years. Everybody does the part of
their own role, nobody does two parts of one thing, and in the end the books and everything kept agree.
"""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.demo import books, people, story
from app.demo.stage import Stage as Director
from models.customer.customer import Customer
from models.guarantee.appraisal import BankLetter, InvestigationReport, LetterKind, RiskAssessment
from models.guarantee.bank import PartnerBank
from models.guarantee.drawdown import Drawdown, Instalment, PlanSource, RepaymentPlan
from models.guarantee.product import Product, RepaymentMethod
from models.guarantee.project import Project, ProjectStage, ProjectState, Stage
from models.guarantee.resolution import (
    MeetingItem,
    MeetingMember,
    Resolution,
    ResolutionState,
    ReviewMeeting,
    VoteChoice,
)
from models.guarantee.signing import CounterGuarantee, Fee, FeeState, Receipt, ReceiptState
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherState
from reports.figures.balances import balance_of
from reports.figures.exposure import checks
from reports.figures.gate import gate
from tests.scenarios.company import DATA, founded, one, registered_customer
from workflows.base import documents, records
from workflows.guarantee import (
    application,
    appraisal,
    collection,
    contracts,
    counters,
    disbursement,
    fees,
    resolution,
)
from workflows.verify import CHECKS

BEGINS_WITH = "installed"

YUAN = Decimal


@pytest.fixture
def company(session, tmp_path):
    """江州华衡融资担保 on a Monday morning: people, banks, paid-in capital, no customers yet."""
    director = founded(session, tmp_path, date(2026, 12, 31))
    books.pay_in_capital(director)
    return director


def applied(company: Director, customer: Customer, product: str, bank: str, **facts) -> Project:
    """周敏 fills in the application; it stays hers until she submits it."""
    values = {
        "customer_id": customer.id,
        "product_id": one(company, Product, code=product).id,
        "bank_id": one(company, PartnerBank, code=bank).id,
        "purpose": "WORKING",
        "bank_share_pct": YUAN(20),
        "counter_offer": "厂房抵押、实际控制人连带责任保证",
        "assistant_id": company.actor("sunhao").employee_id,
        **facts,
    }
    project = records.create(company.ctx("zhoumin"), Project, values)
    assert (project.stage, project.state) == (Stage.APPLY, ProjectState.DRAFT)
    return project


def decided(company: Director, project: Project) -> None:
    """Each person whom the flow asks agrees, by their own hand."""
    story.decide_all(company, project)


def to_resolution(company: Director, project: Project) -> None:
    """申请 → 受理评估 → 意向函 → 评审 → 风控 → 审保会 → 总裁 → 确认函, each at its own place in the line."""
    application.submit(company.ctx("zhoumin"), project, project.version)
    assert project.stage is Stage.EVALUATE, "submitting moves on by itself"

    report = records.create(
        company.ctx("zhoumin"),
        InvestigationReport,
        {
            "project_id": project.id,
            "visited_on": company.today,
            "visit_place": "厂区",
            "operation": "正常",
            "finance": "稳健",
            "repayment_source": "销售回款",
            "security": "足值",
            "risks": "可控",
            "advice": "SUPPORT",
            "advised_amount": project.amount,
            "advised_months": project.term_months,
        },
    )
    appraisal.submit_report(company.ctx("zhoumin"), report, report.version)
    decided(company, project)
    assert project.stage is Stage.INTENT

    intent = appraisal.issue_intent(company.ctx("zhoumin"), project, project.version)
    assert documents.pdf(company.ctx("zhoumin"), intent.document).read_bytes().startswith(b"%PDF")

    appraisal.submit_review(company.ctx("zhoumin"), project, project.version)
    decided(company, project)
    assert project.stage is Stage.RISK

    paper = records.create(
        company.ctx("zhenglan"),
        RiskAssessment,
        {
            "project_id": project.id,
            "score_customer": 27,
            "score_repayment": 26,
            "score_security": 21,
            "score_compliance": 14,
            "findings": "下游集中",
            "measures": "按季检查",
            "opinion": "同意提交审保会",
        },
    )
    assert paper.score == 88
    appraisal.submit_risk(company.ctx("zhenglan"), paper, paper.version)
    decided(company, project)
    assert project.stage is Stage.RESOLVE
    assert project.risk_officer_id == company.actor("zhenglan").employee_id

    resolved(company, project)
    decided(company, project)  # 总裁签字
    found = one(company, Resolution, project_id=project.id)
    assert found.state is ResolutionState.VALID
    assert project.reserved_amount == found.amount, "the signed resolution reserves the limits"
    resolution.issue_confirmation(company.ctx("zhoumin"), project, project.version)
    assert project.stage is Stage.FEE_PLAN


def resolved(company: Director, project: Project) -> None:
    """杨帆 calls five members; one agrees on a condition; the result is announced."""
    members = {name: company.actor(name).employee_id for name in people.BOARD}
    meeting = records.create(
        company.ctx("yangfan"),
        ReviewMeeting,
        {
            "held_on": company.today,
            "place": "第一会议室",
            "chair_id": members["lujun"],
        },
    )
    for employee_id in members.values():
        records.create(
            company.ctx("yangfan"),
            MeetingMember,
            {"meeting_id": meeting.id, "employee_id": employee_id},
        )
    item = records.create(
        company.ctx("yangfan"),
        MeetingItem,
        {
            "meeting_id": meeting.id,
            "project_id": project.id,
            "advised_amount": project.amount,
            "advised_months": project.term_months,
        },
    )
    resolution.open_meeting(company.ctx("yangfan"), meeting, meeting.version)
    for name in people.BOARD[:4]:
        resolution.cast(company.ctx(name), item, VoteChoice.AGREE)
    resolution.cast(
        company.ctx(people.BOARD[4]), item, VoteChoice.CONDITIONAL, "追加配偶连带责任保证"
    )
    resolution.close_meeting(company.ctx("yangfan"), meeting, meeting.version)


def booked(company: Director, project: Project) -> None:
    """吴洁 books what waits in 复核; 石慧 reviews, 罗娜 signs cash vouchers, 唐霞 posts."""
    story.book_events(company, project)
    story.post_vouchers(company)


def drawn_up(company: Director, project: Project) -> None:
    """The contracts that are missing, with the bank's number, reviewed one by one."""
    for contract in contracts.propose_contracts(company.ctx("zhoumin"), project):
        records.update(
            company.ctx("zhoumin"), contract, {"main_number": "JK2026-0115"}, contract.version
        )
        contracts.submit(company.ctx("zhoumin"), contract, contract.version)
        decided(company, project)


def to_notice(company: Director, project: Project) -> None:
    """费用登记 → 费用记账 → 合同 → 反担保 → 费用收取 → 放款通知."""
    fees.propose_fees(company.ctx("zhoumin"), project)
    fees.submit_fees(company.ctx("zhoumin"), project, project.version)
    assert project.stage is Stage.FEE_BOOK
    booked(company, project)
    assert project.stage is Stage.CONTRACT, "booking the last fee moves on by itself"

    drawn_up(company, project)
    assert project.stage is Stage.COUNTER
    assert project.legal_officer_id == company.actor("liuwen").employee_id

    for values in (
        {
            "kind": "MORTGAGE",
            "asset_kind": "PLANT",
            "name": "创业路 18 号厂房",
            "certificate_no": "苏（2026）第 1 号",
            "appraised_value": project.amount * 2,
            "rate_pct": YUAN(60),
        },
        {"kind": "SURETY", "name": "实际控制人夫妇"},
    ):
        records.create(
            company.ctx("zhoumin"), CounterGuarantee, {"project_id": project.id, **values}
        )
    drawn_up(company, project)
    counters.submit(company.ctx("zhoumin"), project, project.version)
    decided(company, project)
    assert project.stage is Stage.FEE_COLLECT

    for fee in company.session.scalars(
        select(Fee).where(Fee.project_id == project.id, Fee.amount > 0)
    ).all():
        collection.collect(
            company.ctx("luona"),
            fee,
            amount=fee.open_amount,
            received_on=company.today,
            payer=project.customer.name,
        )
    booked(company, project)
    assert project.stage is Stage.NOTICE
    receipts = company.session.scalars(
        select(Receipt).where(Receipt.project_id == project.id)
    ).all()
    assert receipts
    assert {r.state for r in receipts} == {ReceiptState.BOOKED}


def to_in_force(company: Director, project: Project, plan_file: str, **facts) -> Drawdown:
    """The gate opens only with everything in place; the bank pays, its own file gives the plan."""
    shut = {
        check.key for check in gate(company.session, project, company.today) if not check.is_met
    }
    assert shut, "the counter-guarantees are not settled and the board's condition is not met yet"
    for item in company.session.scalars(
        select(CounterGuarantee).filter_by(project_id=project.id)
    ).all():
        counters.settle(
            company.ctx("fangyuan"), item, "登记证明已取得", company.today, item.version
        )
    for condition in one(company, Resolution, project_id=project.id).conditions:
        disbursement.meet_condition(company.ctx("zhoumin"), condition, "保证合同已补签")
    assert all(check.is_met for check in gate(company.session, project, company.today))
    disbursement.issue_notice(company.ctx("zhoumin"), project, project.version)
    assert (
        one(company, BankLetter, project_id=project.id, kind=LetterKind.DISBURSEMENT).amount
        == project.amount
    )

    company.today = facts["drawn_on"]
    loan = disbursement.confirm_from_file(
        company.ctx("zhoumin"),
        project,
        (DATA / plan_file).read_bytes(),
        plan_file,
        version=project.version,
        amount=project.amount,
        rate_annual_pct=project.rate_annual_pct,
        repayment_method=project.repayment_method,
        **facts,
    )
    booked(company, project)
    assert (project.stage, project.state) == (Stage.IN_FORCE, ProjectState.IN_FORCE)
    assert (project.balance, project.reserved_amount) == (loan.amount, 0)
    return loan


def test_two_companies_from_application_to_posted_vouchers(company):
    small = applied(
        company,
        registered_customer(company, "杭州江南精密机械有限公司"),
        "LDZJ",
        "ICBC",
        amount=YUAN(5_000_000),
        term_months=12,
        rate_annual_pct=YUAN("4.35"),
        repayment_method=RepaymentMethod.EQUAL_INSTALMENT,
        fee_rate_pct=YUAN("1.5"),
    )
    large = applied(
        company,
        registered_customer(company, "东方𠮷祥装备有限公司"),
        "GDZC",
        "CCB",
        amount=YUAN(12_000_000),
        term_months=36,
        rate_annual_pct=YUAN("3.85"),
        repayment_method=RepaymentMethod.EQUAL_INSTALMENT,
        fee_rate_pct=YUAN("1.8"),
    )
    for project in (small, large):
        to_resolution(company, project)
        to_notice(company, project)

    loan_a = to_in_force(
        company,
        small,
        "bank_repayment_plan_a.xlsx",
        bank_note_no="JJ2026791514",
        drawn_on=date(2026, 1, 15),
        due_on=date(2027, 1, 15),
    )
    loan_b = to_in_force(
        company,
        large,
        "bank_repayment_plan_b.xlsx",
        bank_note_no="JJ-B-1",
        drawn_on=date(2026, 1, 31),
        due_on=date(2029, 1, 31),
    )

    assert plan_of(company, loan_a) == (
        12,
        YUAN("5000000.00"),
        YUAN("118594.03"),
        PlanSource.IMPORTED,
    )
    assert plan_of(company, loan_b) == (
        36,
        YUAN("12000000.00"),
        YUAN("725555.66"),
        PlanSource.IMPORTED,
    )
    the_books_say_so(company)
    the_line_is_told(company, small)
    the_limits_count_both(company, small)
    problems = {check.label: check.run(company.session) for check in CHECKS}
    assert not {label: found for label, found in problems.items() if found}


def plan_of(company: Director, loan: Drawdown):
    """Instalments, principal, interest and origin of the loan's current plan."""
    plan = one(company, RepaymentPlan, drawdown_id=loan.id, is_current=True)
    rows = company.session.scalars(select(Instalment).filter_by(repayment_plan_id=plan.id)).all()
    return len(rows), sum(r.principal for r in rows), sum(r.interest for r in rows), plan.source


def the_books_say_so(company: Director) -> None:
    """Hand-checked: 担保费 75,000 + 648,000, 服务费 10,000 + 24,000, 保证金 250,000 + 600,000, all at 6 % VAT inside.

    担保费 of the first year is income (75,000/1.06 and 648,000/3/1.06), the second and third year stay in 2203.
    """
    session = company.session
    vouchers = session.scalars(select(Voucher)).all()
    assert {v.state for v in vouchers} == {VoucherState.POSTED}
    assert session.scalar(select(func.count()).where(BusinessEvent.state != EventState.BOOKED)) == 0
    assert {f.state for f in session.scalars(select(Fee)).all()} == {FeeState.BOOKED}

    def balance(code: str) -> Decimal:
        return balance_of(session, code, "2026-01")

    received = YUAN("75000") + YUAN("648000") + YUAN("10000") + YUAN("24000") + YUAN("850000")
    assert balance("1002") == YUAN("500000000.00") + received
    assert balance("1122") == 0, "every receivable was collected"
    assert balance("2002") == YUAN("850000.00")
    first_year_small, first_year_large = YUAN("70754.72"), YUAN("203773.58")
    assert balance("6031") == first_year_small + first_year_large
    assert balance("2203") == YUAN("611320.75") - first_year_large
    assert balance("6021") == YUAN("9433.96") + YUAN("22641.51")
    vat = (YUAN("75000") - YUAN("70754.72")) + (YUAN("648000") - YUAN("611320.75"))
    assert balance("2221") == vat + (YUAN("10000") - YUAN("9433.96")) + (
        YUAN("24000") - YUAN("22641.51")
    )


def the_line_is_told(company: Director, project: Project) -> None:
    """The history names every stage once, in the seed's order, each with its day."""
    rows = company.session.scalars(
        select(ProjectStage).where(ProjectStage.project_id == project.id).order_by(ProjectStage.id)
    ).all()
    assert [row.stage for row in rows] == list(Stage)[:-1]
    assert [row.left_on is None for row in rows] == [False] * 13 + [True]


def the_limits_count_both(company: Director, project: Project) -> None:
    """责任余额: 80 % of 12 million for the large one; the small one, asked about with nothing more, counts nothing."""
    leverage = next(
        c
        for c in checks(company.session, project, company.today, amount=YUAN(0))
        if c.key == "leverage"
    )
    assert "9,600,000.00" in leverage.note
