"""Loans that are changed while they run: extended, paid early, priced anew; one change waits for its decision."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from app.demo.stage import Stage
from app.demo.story import Plot, book_events, decide_all
from models.base.moments import add_months
from models.guarantee.drawdown import Drawdown
from models.guarantee.loan_change import LoanChange
from models.guarantee.project import Project
from reports.figures.overdue import overdue_lines
from workflows.base import records
from workflows.guarantee import loan_change

EARLY = Decimal(100_000)


def _facts(stage: Stage, loan: Drawdown, kind: str) -> dict[str, Any]:
    if kind == "EXTENSION":
        return {
            "new_due_on": add_months(loan.due_on, 3),
            "counter_consent_on": stage.today,
            "reason": "下游回款推迟一个季度，银行同意展期，反担保人已书面同意。",
        }
    if kind == "PREPAYMENT":
        way = "SHORTEN" if loan.repayment_method.name == "EQUAL_PRINCIPAL" else "LEVEL"
        reason = "收到政府补助，申请提前归还部分本金。"
        return {"prepaid_amount": EARLY, "way": way, "reason": reason}
    return {
        "new_rate_pct": loan.rate_annual_pct - Decimal("0.3"),
        "reason": "银行按最近一期 LPR 和重新约定的加点调整利率。",
    }


def change(stage: Stage, plot: Plot, project: Project, loan: Drawdown) -> Iterator[int]:
    """Apply for the change that the plot says; decided and carried out, unless it is left to be decided."""
    kind, is_decided = plot.changes.removesuffix("?"), not plot.changes.endswith("?")
    if overdue_lines(stage.session, loan, stage.today):
        return
    known = {"project_id": project.id, "drawdown_id": loan.id, "kind": kind}
    facts = {**known, "effective_on": stage.today, **_facts(stage, loan, kind)}
    ctx = stage.ctx(plot.manager)
    paper = records.create(ctx, LoanChange, facts)
    loan_change.PAPER.submit(ctx, paper, paper.version)
    if not is_decided:
        return
    yield 1
    decide_all(stage, project)
    book_events(stage, project)
    if loan_change.waits(ctx, paper):
        yield 1
        day = stage.today
        interest = loan_change.interest_due(stage.ctx(plot.manager), paper, day)
        loan_change.pay(stage.ctx(plot.manager), paper, paid_on=day, interest=interest)
