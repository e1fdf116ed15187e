"""4.7 准入: rules of the product asked at the application and again before the bank is told to pay; exceptions."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.paper import PaperState
from models.guarantee.admission import (
    AdmissionAnswer,
    AdmissionException,
    AdmissionRule,
    Failing,
    Occasion,
    Outcome,
)
from models.guarantee.project import ProjectState, Stage
from reports.figures.admission import answers
from reports.figures.gate import gate
from tests.workflows.guarantee.factories import MANAGER
from workflows.base import records
from workflows.guarantee import admission, application, disbursement

STAGES = (Stage.APPLY, Stage.NOTICE)


def demanded(line, condition, failing=Failing.EXCEPTION, name="期限"):
    """A rule of the product of these stories."""
    facts = {"product_id": line.product().id, "name": name, "condition": condition}
    return records.create(line.ctx(), AdmissionRule, {**facts, "failing": failing})


def kept(line, project):
    query = select(AdmissionAnswer).where(AdmissionAnswer.project_id == project.id)
    return list(line.session.scalars(query.order_by(AdmissionAnswer.id)))


def test_a_rule_that_makes_no_sense_is_not_kept(line):
    with pytest.raises(FieldErrors):
        demanded(line, "担保金而 > 3")


def test_what_is_met_is_kept_with_its_values_at_the_application(line):
    demanded(line, "期限 <= 24 且 担保金额 <= 600万")
    project = application.submit(line.ctx(MANAGER), line.at(Stage.APPLY))
    (answer,) = kept(line, project)
    assert (answer.occasion, answer.outcome) == (Occasion.APPLY, Outcome.MET)
    assert answer.reason == "期限 12 ≤ 24：是；担保金额 5,000,000.00 ≤ 6,000,000.00：是"


def test_what_must_be_met_stops_the_application_and_is_not_excused(line):
    demanded(line, "期限 <= 6", Failing.REFUSED)
    project = line.at(Stage.APPLY)
    with pytest.raises(BusinessError, match="期限 12 ≤ 6：否，不得办理"):
        application.submit(line.ctx(MANAGER), project)
    assert not admission.may_ask(line.ctx(MANAGER), project)
    paper = records.create(
        line.ctx(MANAGER), AdmissionException, {"project_id": project.id, "reason": "已落实抵押"}
    )
    with pytest.raises(BusinessError, match="没有可例外审批而不符合的准入规则"):
        admission.PAPER.submit(line.ctx(MANAGER), paper)


def test_an_exception_lets_the_application_go_on_with_the_values_that_were_approved(line):
    rule, project = demanded(line, "期限 <= 6"), line.at(Stage.APPLY)
    assert admission.may_ask(line.ctx(MANAGER), project)
    paper = admission.ask(line.ctx(MANAGER), project, "按现金流安排", project.version)
    assert paper.items == "期限：期限 12 ≤ 6：否"
    assert not admission.may_ask(line.ctx(MANAGER), project), "one at a time"
    with pytest.raises(Conflict, match="已有准入例外申请 LW"):
        admission.ask(line.ctx(MANAGER), project, "再来一次", project.version)
    with pytest.raises(BusinessError, match="期限 12 ≤ 6：否，可例外审批"):
        application.submit(line.ctx(MANAGER), project)
    line.approve(paper)
    application.submit(line.ctx(MANAGER), project)
    (answer,) = kept(line, project)
    assert (answer.outcome, answer.exception_id) == (Outcome.EXCEPTION, paper.id)
    assert answer.reason.endswith(f"例外 {paper.number} 已批准")
    project.term_months = 24
    (now,) = answers(line.session, project, line.today)
    assert now.outcome is Outcome.UNMET, "another value than the one that was excused"
    project.term_months = 12
    rule.condition = "期限 <= 3"
    line.session.flush()
    (now,) = answers(line.session, project, line.today)
    assert now.outcome is Outcome.UNMET, "another condition than the one that was excused"


def test_the_rules_are_asked_again_before_the_bank_is_told_to_pay(line):
    rule, project = demanded(line, "期限 <= 6"), line.at(Stage.NOTICE)
    with pytest.raises(BusinessError, match=r"准入：期限（期限 12 ≤ 6：否，可例外审批）"):
        disbursement.issue_notice(line.ctx(MANAGER), project, project.version)
    with pytest.raises(BusinessError, match="不符合准入规则：期限"):
        admission.note(line.ctx(MANAGER), project, Occasion.NOTICE)
    line.approve(admission.ask(line.ctx(MANAGER), project, "按现金流安排", project.version))
    checks = gate(line.session, project, line.today)
    assert [check.is_met for check in checks if check.key == "admission"] == [True]
    rule.failing = Failing.REFUSED
    line.session.flush()
    (answer,) = answers(line.session, project, line.today)
    assert answer.outcome is Outcome.UNMET, "what is not to be excused any more"
    rule.is_active = False
    line.session.flush()
    assert answers(line.session, project, line.today) == []


def test_a_rule_whose_words_are_gone_lets_nobody_past(line):
    rule, project = demanded(line, "期限 <= 24"), line.at(Stage.APPLY)
    rule.condition = "没有的字段 > 1"
    line.session.flush()
    (answer,) = answers(line.session, project, line.today)
    assert not answer.is_met
    assert answer.reason.startswith("规则已失效")


def test_what_has_ended_is_excused_from_nothing_and_takes_its_papers_along(line):
    demanded(line, "期限 <= 6")
    project = line.at(Stage.APPLY)
    paper = admission.ask(line.ctx(MANAGER), project, "按现金流安排", project.version)
    line.give_back(paper)
    assert paper.state is PaperState.DRAFT
    application.cancel(line.ctx(MANAGER), project, "客户放弃")
    assert project.state is ProjectState.CANCELLED
    assert not admission.may_ask(line.ctx(MANAGER), project)
    with pytest.raises(Conflict, match="不能申请准入例外"):
        records.create(
            line.ctx(MANAGER), AdmissionException, {"project_id": project.id, "reason": "再试"}
        )
    assert project.amount > Decimal(0)
