"""6.6: a payment that is nearly late, a case that nobody pursues, a seizure that ends are warned of, once each."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.after.recovery import RecoveryAction
from models.after.warning import RiskWarning
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import Stage
from tests.workflows.after.test_compensation import approved, overdue
from tests.workflows.after.test_recovery import planned
from tests.workflows.guarantee.factories import CASHIER, MANAGER
from workflows.after import compensation, recovery, warning
from workflows.base import records

STAGES = (Stage.CONFIRM,)


@pytest.fixture
def paper(line):
    """Claimed on 12 May, to be paid by 11 July."""
    found = line.at(Stage.CONFIRM)
    line.confirm(found, repayment_method=RepaymentMethod.INTEREST_FIRST)
    return approved(line, overdue(line, found))


def warned(line, code, **delta):
    """What the rule raises when so much time has passed."""
    line.later(**delta)
    warning.evaluate(line.ctx())
    query = select(RiskWarning).where(RiskWarning.raised_on == line.today)
    return [one.message for one in line.session.scalars(query) if one.rule.code == code]


def paid_for(line, paper):
    compensation.pay(line.ctx(CASHIER), paper, line.today, "HK0001")
    line.book(paper.project)
    return recovery.latest_case(line.ctx(), paper.project)


def test_the_last_day_of_a_payment_comes_near_and_passes(line, paper):
    assert warned(line, "compensation_due", days=44) == []
    (said,) = warned(line, "compensation_due", days=1)
    assert said.endswith("主张 5,042,455.93 元，最迟 2026-07-11 代偿，剩余 15 天")
    assert warned(line, "compensation_due", days=1) == [], "never the same twice"
    (late,) = warned(line, "compensation_due", days=15)
    assert late.endswith("已逾期 1 天")
    paid_for(line, paper)
    assert warned(line, "compensation_due", days=1) == []


def test_a_case_that_nobody_pursues_is_warned_of_after_a_month(line, paper):
    case = paid_for(line, paper)
    assert warned(line, "recovery_idle", days=29) == []
    (said,) = warned(line, "recovery_idle", days=1)
    assert said == "代偿已 30 天尚未申请追偿，账面余额 4,033,964.74 元"
    planned(line, case)
    assert warned(line, "recovery_idle", days=30) == []


def test_a_seizure_is_prolonged_before_it_ends(line, paper):
    case = paid_for(line, paper)
    planned(line, case)

    def seized(days):
        facts = {
            "recovery_case_id": case.id,
            "kind": "PRESERVATION",
            "done_on": line.today,
            "party": "明达",
            "court": "江州市中级人民法院",
            "case_no": "（2026）江民保 8 号",
            "valid_until": line.today + timedelta(days=days),
        }
        return records.create(line.ctx(MANAGER), RecoveryAction, facts)

    seized(90)
    assert warned(line, "preservation_due", days=29) == []
    (said,) = warned(line, "preservation_due", days=1)
    assert said.startswith("对明达的财产保全 （2026）江民保 8 号 于 2026-08-10 到期，剩余 60 天")
    seized(365)
    assert warned(line, "preservation_due", days=31) == []
