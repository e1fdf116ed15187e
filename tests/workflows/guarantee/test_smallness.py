"""小微属性 of a project: from the customer's 企业规模, otherwise with a reason; corrected by two persons."""

import pytest
from sqlalchemy import select

from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
)
from models.customer.customer import EnterpriseScale
from models.guarantee.project import SmallKind, Stage
from models.system.setup import AuditLog
from reports.figures import exposure
from tests.workflows.guarantee.factories import CASHIER, MANAGER, OUTSIDER, RISK, RISK_HEAD
from workflows.base import records
from workflows.guarantee import application, smallness

STAGES = (Stage.EVALUATE,)
REASON = "按 2025 年报重新划型"


@pytest.mark.parametrize(
    ("scale", "kind"),
    [
        (EnterpriseScale.LARGE, SmallKind.NONE),
        (EnterpriseScale.MEDIUM, SmallKind.NONE),
        (None, SmallKind.NONE),
        (EnterpriseScale.SMALL, SmallKind.SMALL),
        (EnterpriseScale.MICRO, SmallKind.MICRO),
    ],
)
def test_it_is_what_the_customers_size_says(line, scale, kind):
    customer = line.customer(scale=scale)
    project = line.apply(customer_id=customer.id, small_kind=None, small_reason=None)
    assert project.small_kind is kind


@pytest.mark.parametrize(
    ("scale", "kind"),
    [(EnterpriseScale.LARGE, "SMALL"), (EnterpriseScale.SMALL, "NONE"), (None, "MICRO")],
)
def test_a_difference_needs_a_reason(line, scale, kind):
    customer = line.customer(scale=scale)
    with pytest.raises(FieldErrors) as caught:
        line.apply(customer_id=customer.id, small_kind=kind, small_reason=" ")
    assert set(caught.value.field_errors) == {"small_reason"}
    project = line.apply(
        customer_id=customer.id, small_kind=kind, small_reason="分支机构按总部划型"
    )
    assert project.small_kind.name == kind


def test_a_size_that_changed_before_the_submission_is_said(line):
    customer = line.customer()
    project = line.apply(customer_id=customer.id, small_kind=None, small_reason=None)
    customer.scale = EnterpriseScale.LARGE
    with pytest.raises(FieldErrors, match="企业规模为“大型企业”"):
        application.submit(line.ctx(MANAGER), project)
    records.update(line.ctx(MANAGER), project, {"small_kind": None}, project.version)
    assert project.small_kind is SmallKind.NONE


def test_a_correction_counts_when_a_second_person_has_agreed(line):
    project = line.at(Stage.EVALUATE)
    assert exposure.weight_pct(line.session, exposure.of_project(project), line.today) == 100
    smallness.correct(line.ctx(MANAGER), project, SmallKind.SMALL, REASON, project.version)
    assert (project.small_kind, project.small_asked) == (SmallKind.NONE, SmallKind.SMALL)
    with pytest.raises(Conflict, match="待复核"):
        smallness.correct(line.ctx(RISK), project, SmallKind.MICRO, REASON)
    with pytest.raises(NotAllowed):
        smallness.decide(line.ctx(MANAGER), project, agrees=True)
    smallness.decide(line.ctx(RISK), project, agrees=True, version=project.version)
    assert (project.small_kind, project.small_reason, project.small_asked) == (
        SmallKind.SMALL,
        REASON,
        None,
    )
    note = line.session.scalar(select(AuditLog.note).where(AuditLog.action == "CORRECT"))
    assert note == f"小微属性非小微更正为小型企业：{REASON}；同意"
    assert exposure.weight_pct(line.session, exposure.of_project(project), line.today) == 75


def test_who_asked_does_not_agree_and_a_refusal_says_why(line):
    project = line.at(Stage.EVALUATE)
    smallness.correct(line.ctx(RISK), project, SmallKind.MICRO, REASON)
    with pytest.raises(NotAllowed, match="提出人以外"):
        smallness.decide(line.ctx(RISK), project, agrees=True)
    with pytest.raises(BusinessError, match="请填写不同意更正的原因"):
        smallness.decide(line.ctx(RISK_HEAD), project, agrees=False)
    smallness.decide(line.ctx(RISK_HEAD), project, agrees=False, note="年报未审计")
    assert (project.small_kind, project.small_asked) == (SmallKind.NONE, None)
    with pytest.raises(IllegalTransition, match="没有待复核"):
        smallness.decide(line.ctx(RISK_HEAD), project, agrees=True)


def test_a_correction_needs_a_project_under_way_a_reason_and_the_right(line):
    draft, project = line.apply(), line.at(Stage.EVALUATE)
    with pytest.raises(IllegalTransition, match="不能更正"):
        smallness.correct(line.ctx(MANAGER), draft, SmallKind.SMALL, REASON)
    for who, error in ((CASHIER, NotAllowed), (OUTSIDER, NotFound)):
        with pytest.raises(error):
            smallness.correct(line.ctx(who), project, SmallKind.SMALL, REASON)
    with pytest.raises(FieldErrors):
        smallness.correct(line.ctx(MANAGER), project, SmallKind.NONE, REASON)
    with pytest.raises(BusinessError, match="原因"):
        smallness.correct(line.ctx(MANAGER), project, SmallKind.SMALL, " ")
