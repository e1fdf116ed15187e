"""Repayment plans of a loan: made from its terms, read from the bank's file or typed in, and kept version by version.

What a preview shows is what is stored: both ask `planned`.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, FieldErrors
from models.base.money import parse_amount
from models.guarantee.benchmark import Benchmark
from models.guarantee.drawdown import Drawdown, Instalment, PlanSource, RepaymentPlan
from models.guarantee.product import DayCount, RepaymentMethod
from reports.figures import schedules
from reports.figures.schedules import Accrual, build_schedule
from workflows.base.context import Ctx
from workflows.base.sheet_mapping import remembered
from workflows.guarantee.plan_import import ParsedPlan, check_plan, parse_plan
from workflows.guarantee.plan_layout import PLAN

LINES = "每行一期：应还日期 本金 利息（可从 Excel 粘贴）；利息不填的按余额、利率和计息天数计算"
_GAP = re.compile(r"[\s;；]+")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
LINES_MAX = 600


@dataclass(frozen=True)
class Loan:
    """What the bank's note says: dates, amount in 元, rate in % per year, how it is repaid and its days are counted.

    `pay_day` is the day of the month on which it is repaid, that of the drawdown if None; `lines` are the instalments
    of a loan that is repaid by agreement, one a line; `spread_bp` lies above the `benchmark` that prices it.
    """

    bank_note_no: str
    drawn_on: date
    due_on: date
    amount: Decimal
    rate_annual_pct: Decimal
    repayment_method: RepaymentMethod
    day_count: DayCount = DayCount.THIRTY_360
    pay_day: int | None = None
    lines: str | None = None
    benchmark: Benchmark | None = None
    spread_bp: Decimal | None = None

    @property
    def accrual(self) -> Accrual:
        """How its interest runs."""
        rates = ((self.drawn_on, self.rate_annual_pct),)
        return Accrual(rates, self.day_count, self.pay_day or self.drawn_on.day)


def planned(loan: Loan) -> list[schedules.Instalment]:
    """The plan that follows from the terms of a loan, or from the lines agreed on.

    Raises FieldErrors at `lines`, PlanError where they do not make up the loan, BusinessError where the terms make no
    plan.
    """
    if loan.repayment_method is RepaymentMethod.CUSTOM:
        rows = typed(loan.lines, loan.drawn_on, loan.accrual)
        check_plan(
            ParsedPlan(rows), loan_amount=loan.amount, start_on=loan.drawn_on, end_on=loan.due_on
        )
        return rows
    if (loan.lines or "").strip():
        said = f"还款方式为“{loan.repayment_method.label}”时由系统生成，不填各期；逐期约定的请选“按约定分期”"
        raise FieldErrors({"lines": [said]})
    try:
        return build_schedule(
            loan.repayment_method,
            loan.amount,
            loan.rate_annual_pct,
            loan.drawn_on,
            loan.due_on,
            pay_day=loan.pay_day,
            day_count=loan.day_count,
        )
    except ValueError as error:
        raise BusinessError(str(error)) from error


def typed(
    lines: str | None, after: date, accrual: Accrual, start_on: date | None = None
) -> list[schedules.Instalment]:
    """Instalments typed in or pasted, one a line: day, principal in 元 and, where agreed, interest.

    The first falls due after a day, from which interest runs unless `start_on` says otherwise. Raises FieldErrors at
    `lines` naming the line that cannot be read.
    """
    found: list[tuple[date, Decimal, Decimal | None]] = []
    given = [line.strip() for line in (lines or "").splitlines()]
    for number, line in enumerate(given, start=1):
        if line:
            found.append(_read(number, line))
    if not 0 < len(found) <= LINES_MAX:
        raise FieldErrors({"lines": [f"请填写各期还款，最多 {LINES_MAX} 期。{LINES}"]})
    if any(later[0] <= earlier[0] for earlier, later in pairwise(found)):
        raise FieldErrors({"lines": ["各期应还日期应依次递增"]})
    if found[0][0] <= after:
        raise FieldErrors({"lines": [f"首期应还日期应晚于 {after}"]})
    return schedules.with_interest(found, start_on or after, accrual)


def _read(number: int, line: str) -> tuple[date, Decimal, Decimal | None]:
    parts = [part for part in _GAP.split(line) if part]
    try:
        if not 2 <= len(parts) <= 3 or (day := _DAY.fullmatch(parts[0])) is None:
            raise ValueError
        amounts = [parse_amount(part) for part in parts[1:]]
        due_on = date(*(int(part) for part in day.groups()))
    except ValueError as error:
        said = f"第 {number} 行“{line[:40]}”不是“日期 本金 利息”，如 2026-06-20 500000 10875"
        raise FieldErrors({"lines": [said]}) from error
    if any(amount < 0 for amount in amounts):
        raise FieldErrors({"lines": [f"第 {number} 行的金额不能为负数"]})
    return due_on, amounts[0], amounts[1] if len(amounts) > 1 else None


def plan_of_file(
    ctx: Ctx, data: bytes, filename: str, amount: Decimal, start: date, end: date
) -> ParsedPlan:
    """The bank's plan for a loan, its columns as known or mapped; raises WorkbookError and PlanError naming rows."""
    parsed = parse_plan(data, filename, remembered(ctx.session, PLAN))
    check_plan(parsed, loan_amount=amount, start_on=start, end_on=end)
    return parsed


def keep(
    ctx: Ctx,
    drawdown: Drawdown,
    rows: list[schedules.Instalment],
    source: PlanSource,
    file_name: str | None = None,
) -> RepaymentPlan:
    """Store a plan as the loan's current one; what was current before is kept as an earlier version."""
    last = 0
    for plan in versions(ctx.session, drawdown):
        plan.is_current, last = False, plan.plan_no
    made = RepaymentPlan(
        drawdown=drawdown,
        plan_no=last + 1,
        source=source,
        file_name=file_name,
        is_current=True,
        made_on=ctx.today,
    )
    ctx.session.add(made)
    for row in rows:
        ctx.session.add(
            Instalment(
                repayment_plan=made,
                seq=row.seq,
                due_on=row.due_on,
                principal=row.principal,
                interest=row.interest,
            )
        )
    return made


def versions(session: Session, drawdown: Drawdown) -> list[RepaymentPlan]:
    """The plans of a loan from the first to the current one."""
    query = select(RepaymentPlan).where(RepaymentPlan.drawdown_id == drawdown.id)
    return list(session.scalars(query.order_by(RepaymentPlan.plan_no)))


def drawn_total(session: Session, project_id: int) -> Decimal:
    """What the bank has paid out under a guarantee so far, in 元, whatever is repaid of it."""
    query = select(func.sum(Drawdown.amount)).where(Drawdown.project_id == project_id)
    return session.scalar(query) or Decimal(0)
