"""4.1b-4.2: report, letters, review and risk assessment; approved they move on, refused they end the project."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select

from models.base.errors import (
    BusinessError,
    Conflict,
    IllegalTransition,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.base.paper import PaperState
from models.guarantee.appraisal import BankLetter, LetterKind, RiskLevel
from models.guarantee.project import ProjectHolder, ProjectState, Stage
from models.system.organization import Company
from tests.workflows.guarantee.factories import CASHIER, MANAGER, MILLION, OUTSIDER, RISK, RISK_HEAD
from workflows.base import records
from workflows.guarantee import appraisal, letters

STAGES = (Stage.EVALUATE, Stage.INTENT, Stage.REVIEW, Stage.RISK)


def test_the_report_is_approved_and_the_project_goes_on_to_the_letter(line):
    project = line.at(Stage.EVALUATE)
    report = line.report(project)
    assert report.number.startswith("DC2026-")
    appraisal.submit_report(line.ctx(MANAGER), report, report.version)
    assert report.state is PaperState.IN_APPROVAL
    with pytest.raises(Conflict, match="审批中"):
        records.update(line.ctx(MANAGER), report, {"risks": "改"}, report.version)
    line.approve(report)
    assert (report.state, project.stage) == (PaperState.APPROVED, Stage.INTENT)


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"advised_amount": 6 * MILLION}, "advised_amount"), ({"visited_on": 1}, "visited_on")],
)
def test_a_report_advises_no_more_than_asked_and_no_visit_to_come(line, facts, field):
    if field == "visited_on":
        facts = {"visited_on": line.today + timedelta(days=1)}
    with pytest.raises(BusinessError) as caught:
        line.report(line.at(Stage.EVALUATE), **facts)
    assert caught.value.field == field


def test_a_returned_report_is_mended_and_submitted_again(line):
    project = line.at(Stage.EVALUATE)
    report = line.report(project)
    number = report.number
    appraisal.submit_report(line.ctx(MANAGER), report)
    line.give_back(report)
    assert (report.state, project.stage) == (PaperState.DRAFT, Stage.EVALUATE)
    records.update(line.ctx(MANAGER), report, {"risks": "已补充"}, report.version)
    appraisal.submit_report(line.ctx(MANAGER), report)
    line.withdraw(report)
    assert (report.state, report.number) == (PaperState.DRAFT, number)


def test_a_refused_report_ends_the_project(line):
    project = line.at(Stage.EVALUATE)
    report = line.report(project)
    appraisal.submit_report(line.ctx(MANAGER), report)
    line.reject(report)
    assert (report.state, project.state) == (PaperState.REJECTED, ProjectState.REFUSED)
    with pytest.raises(IllegalTransition):
        appraisal.submit_report(line.ctx(MANAGER), report)


def test_reports_belong_to_their_stage_and_their_people(line):
    with pytest.raises(IllegalTransition, match="填写保前调查报告"):
        line.report(line.apply())
    report = line.report(line.at(Stage.EVALUATE))
    with pytest.raises(NotAllowed):
        appraisal.submit_report(line.ctx(CASHIER), report)
    with pytest.raises(NotFound):
        appraisal.submit_report(line.ctx(OUTSIDER), report)
    with pytest.raises(StaleRecord):
        appraisal.submit_report(line.ctx(MANAGER), report, report.version - 1)


def test_the_intent_letter_goes_to_the_bank_and_holds_three_months(line):
    project = line.at(Stage.INTENT)
    letter = appraisal.issue_intent(line.ctx(MANAGER), project, project.version)
    assert (letter.kind, letter.amount, project.stage) == (
        LetterKind.INTENT,
        project.amount,
        Stage.REVIEW,
    )
    assert (letter.issued_on, letter.valid_until) == (line.today, line.today.replace(month=6))
    assert project.customer.name in letter.document.body


def test_letters_need_right_scope_version_stage_and_the_companys_data(line):
    project = line.at(Stage.INTENT)
    with pytest.raises(NotAllowed):
        appraisal.issue_intent(line.ctx(CASHIER), project)
    with pytest.raises(NotFound):
        appraisal.issue_intent(line.ctx(OUTSIDER), project)
    with pytest.raises(StaleRecord):
        appraisal.issue_intent(line.ctx(MANAGER), project, project.version - 1)
    with pytest.raises(IllegalTransition):
        appraisal.issue_intent(line.ctx(MANAGER), line.at(Stage.RISK))
    line.session.execute(delete(Company))
    with pytest.raises(BusinessError, match="请先在“公司信息”中填写"):
        appraisal.issue_intent(line.ctx(MANAGER), project)
    letters_of = select(BankLetter).where(BankLetter.project_id == project.id)
    assert line.session.scalars(letters_of).all() == []


def test_letters_name_branch_and_head_office_and_persons_too(line):
    project = line.at(Stage.INTENT)
    head = line.bank("测试银行总行")
    project.bank.parent = head
    assert letters.bank_data(project.bank)["name"] == "测试银行总行"
    project.purpose_note = "采购钢材"
    assert letters.data_for(line.ctx(), project)["project"]["purpose"].endswith("（采购钢材）")
    facts = {
        "name": "王建国",
        "id_number": "110101199003074514",
        "mobile": "13800138000",
        "address": "杭州",
    }
    person = letters.PersonalCustomer(**facts)
    assert letters.customer_data(person) == {
        "name": "王建国",
        "address": "杭州",
        "legal_person": "",
        "id_number": "110101199003074514",
        "phone": "13800138000",
    }
    assert letters.customer_data(letters.Customer(name="某某"))["id_number"] == ""


@pytest.mark.parametrize(
    ("decision", "reached", "state"),
    [
        ("approve", Stage.RISK, ProjectState.RUNNING),
        ("reject", Stage.REVIEW, ProjectState.REFUSED),
        ("give_back", Stage.REVIEW, ProjectState.RUNNING),
        ("withdraw", Stage.REVIEW, ProjectState.RUNNING),
    ],
)
def test_the_review_decides_on_the_project(line, decision, reached, state):
    project = line.at(Stage.REVIEW)
    appraisal.submit_review(line.ctx(MANAGER), project, project.version)
    with pytest.raises(Conflict, match="正在审批中"):
        appraisal.submit_review(line.ctx(MANAGER), project)
    getattr(line, decision)(project)
    assert (project.stage, project.state) == (reached, state)


def test_the_review_belongs_to_its_stage(line):
    with pytest.raises(IllegalTransition):
        appraisal.submit_review(line.ctx(MANAGER), line.at(Stage.RISK))


@pytest.mark.parametrize(
    ("scores", "total", "level"),
    [
        ((30, 25, 15, 10), 80, RiskLevel.LOW),
        ((30, 25, 15, 9), 79, RiskLevel.MEDIUM),
        ((20, 20, 15, 5), 60, RiskLevel.MEDIUM),
        ((20, 20, 15, 4), 59, RiskLevel.HIGH),
    ],
)
def test_total_and_level_follow_from_the_scores(line, scores, total, level):
    names = ("score_customer", "score_repayment", "score_security", "score_compliance")
    paper = line.assessment(line.at(Stage.RISK), **dict(zip(names, scores, strict=True)))
    assert (paper.score, paper.level) == (total, level)


def test_the_first_to_assess_becomes_the_projects_risk_officer(line):
    project = line.at(Stage.RISK)
    paper = line.assessment(project)
    assert (project.risk_officer_id, paper.number[:2]) == (line.id(RISK), "FX")
    records.update(line.ctx(RISK), paper, {"score_customer": 20}, paper.version)
    held = select(ProjectHolder).where(
        ProjectHolder.project_id == project.id, ProjectHolder.role == "风控复核人"
    )
    assert len(line.session.scalars(held).all()) == 1


def test_a_risk_officer_in_place_stays(line):
    project = line.at(Stage.RISK)
    project.risk_officer_id = line.id(RISK_HEAD)
    line.assessment(project)
    assert project.risk_officer_id == line.id(RISK_HEAD)


@pytest.mark.parametrize(
    ("decision", "paper_state", "reached", "state"),
    [
        ("approve", PaperState.APPROVED, Stage.RESOLVE, ProjectState.RUNNING),
        ("reject", PaperState.REJECTED, Stage.RISK, ProjectState.REFUSED),
        ("give_back", PaperState.DRAFT, Stage.RISK, ProjectState.RUNNING),
    ],
)
def test_the_risk_approval_decides_on_the_project(line, decision, paper_state, reached, state):
    project = line.at(Stage.RISK)
    paper = line.assessment(project)
    appraisal.submit_risk(line.ctx(RISK), paper, paper.version)
    getattr(line, decision)(paper)
    assert (paper.state, project.stage, project.state) == (paper_state, reached, state)


def test_the_risk_assessment_belongs_to_its_stage_and_to_risk_control(line):
    with pytest.raises(IllegalTransition, match="填写风险评估报告"):
        line.assessment(line.at(Stage.REVIEW))
    paper = line.assessment(line.at(Stage.RISK))
    with pytest.raises(NotAllowed):
        appraisal.submit_risk(line.ctx(MANAGER), paper)
    assert paper.score == Decimal(84)
