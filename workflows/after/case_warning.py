"""Warnings of 代偿 and 追偿 (6.6, domain.md 4): the last day of a payment, a case left lying, a seizure that ends."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased, joinedload

from models.after.compensation import Compensation
from models.after.recovery import (
    ActionKind,
    CaseState,
    RecoveryAction,
    RecoveryCase,
    RecoveryPlan,
)
from models.base.money import format_money
from models.base.paper import LIVE_PAPERS, PaperState
from workflows.after.warning import Hit, check


def _left(last: date, on: date, days: Sequence[int]) -> tuple[str, str]:
    """(which threshold was passed, how many days are left in words)."""
    left = (last - on).days
    if left < 0:
        return "late", f"已逾期 {-left} 天"
    return str(min(limit for limit in days if limit >= left)), f"剩余 {left} 天"


@check("compensation_due")
def compensation_due(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Claims of banks that are not paid and whose last day is so near or gone."""
    query = (
        select(Compensation)
        .options(joinedload(Compensation.project))
        .where(
            Compensation.state.in_(LIVE_PAPERS),
            Compensation.paid_on.is_(None),
            Compensation.pay_by <= on + timedelta(days=max(days)),
        )
    )
    for paper in session.scalars(query.order_by(Compensation.id)):
        step, told = _left(paper.pay_by, on, days)
        amount = format_money(paper.claim_amount)
        message = (
            f"银行代偿通知 {paper.notice_no} 主张 {amount} 元，最迟 {paper.pay_by} 代偿，{told}"
        )
        yield Hit(paper.project, paper, f"{paper.pay_by}/{step}", message)


@check("recovery_idle")
def recovery_idle(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Cases of which nobody has put up a plan so many days after the bank was paid."""
    planned = exists().where(
        RecoveryPlan.recovery_case_id == RecoveryCase.id,
        RecoveryPlan.state.in_((PaperState.IN_APPROVAL, PaperState.APPROVED)),
    )
    query = (
        select(RecoveryCase)
        .options(joinedload(RecoveryCase.project))
        .where(
            RecoveryCase.state == CaseState.OPEN,
            RecoveryCase.opened_on <= on - timedelta(days=min(days)),
            ~planned,
        )
    )
    for case in session.scalars(query.order_by(RecoveryCase.id)):
        passed = (on - case.opened_on).days
        step = max(limit for limit in days if limit <= passed)
        message = f"代偿已 {passed} 天尚未申请追偿，账面余额 {format_money(case.balance)} 元"
        yield Hit(case.project, case, f"{case.opened_on}/{step}", message)


@check("preservation_due")
def preservation_due(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Seizures that end so soon and were not prolonged, on cases that go on."""
    later = aliased(RecoveryAction)
    prolonged = exists().where(
        later.recovery_case_id == RecoveryAction.recovery_case_id,
        later.kind == ActionKind.PRESERVATION,
        later.party == RecoveryAction.party,
        later.valid_until > RecoveryAction.valid_until,
    )
    query = (
        select(RecoveryAction)
        .join(RecoveryCase, RecoveryCase.id == RecoveryAction.recovery_case_id)
        .options(joinedload(RecoveryAction.recovery_case).joinedload(RecoveryCase.project))
        .where(
            RecoveryAction.kind == ActionKind.PRESERVATION,
            RecoveryAction.valid_until <= on + timedelta(days=max(days)),
            RecoveryCase.state != CaseState.RECOVERED,
            ~prolonged,
        )
    )
    for action in session.scalars(query.order_by(RecoveryAction.id)):
        assert action.valid_until is not None, "the query asks for it"
        step, told = _left(action.valid_until, on, days)
        message = f"对{action.party}的财产保全 {action.case_no} 于 {action.valid_until} 到期，{told}，请续封"
        yield Hit(action.recovery_case.project, action, f"{action.valid_until}/{step}", message)
