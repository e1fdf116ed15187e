"""What happens by the calendar: customers repay, guarantees end, months close, days roll over."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.demo import books, failing
from app.demo.changing import change
from app.demo.stage import Stage, workday
from app.demo.story import Plot, book_events, decide_all, post_vouchers
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Project
from models.guarantee.release import Release
from models.system.setup import SystemState
from workflows import day_end
from workflows.base import records
from workflows.guarantee import release, repayment
from workflows.ledger import closing

CLOSER = "shihui"
# Full day-ends are played for the latest weeks; before that a day only rolls over, and a month's last day is kept.
FULL_DAYS = 35
CHANGED_BEFORE = 3  # the instalment before which a loan is changed


def repay(stage: Stage, plot: Plot, project: Project) -> Iterator[int]:
    """The customer repays on each due date, or stops; who has repaid all is released."""
    loan = stage.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    number = 0
    while rows := [row for row in repayment.plan_rows(stage.session, loan) if row.is_open]:
        row, number = rows[0], number + 1
        if plot.stops_at and number >= plot.stops_at:
            if plot.is_claimed:
                yield from failing.play(stage, plot, project, loan)
            return
        if plot.changes and number == CHANGED_BEFORE:
            yield 10
            yield from change(stage, plot, project, loan)
            continue
        yield max((row.due_on - stage.today).days, 0)
        principal, interest = row.principal - row.principal_paid, row.interest - row.interest_paid
        paid = repayment.Paid(paid_on=stage.today, principal=principal, interest=interest)
        repayment.register(stage.ctx(plot.manager), loan, paid, loan.version)
    yield 2
    paper = records.create(
        stage.ctx(plot.manager), Release, {"project_id": project.id, "basis": "REPAID"}
    )
    release.submit(stage.ctx(plot.manager), paper, paper.version)
    yield 2
    decide_all(stage, project)
    yield 1
    book_events(stage, project)
    post_vouchers(stage)


def months(stage: Stage, first: date) -> Iterator[int]:
    """石慧 closes each month in the first days of the next, once 吴洁 has cleared 复核 and all vouchers are posted."""
    month = first.replace(day=1)
    while True:
        following = (month + timedelta(days=32)).replace(day=1)
        yield max((workday(following + timedelta(days=3)) - stage.today).days, 0)
        book_events(stage, None)
        post_vouchers(stage)
        period = closing.prepare(stage.ctx(CLOSER), f"{month:%Y-%m}")
        closing.close(stage.ctx(CLOSER), period, period.version)
        month = following


def roll(
    stage: Stage,
    until: date,
    full_days: int = FULL_DAYS,
    evening: Callable[[date], None] = lambda _: None,
) -> None:
    """Close every business date before `until`, as the scheduler would each night; `evening` is what comes first.

    Where fewer full days are asked for, months end with their snapshot alone: thousands of warnings are for the last.
    """
    state = stage.session.get_one(SystemState, 1)
    at_month_end = (
        {"snapshot", "roll"} if full_days < FULL_DAYS else {step.code for step in day_end.STEPS}
    )
    while state.business_date < until:
        on = state.business_date
        evening(on)
        is_full = (stage.as_of - on).days <= full_days
        wanted = at_month_end if (on + timedelta(days=1)).day == 1 else {"roll"}
        for step in day_end.STEPS:
            if is_full or step.code in wanted:
                step.run(stage.ctx_of_day(on))


def expenses(stage: Stage) -> Iterator[int]:
    """Salaries and rent on the 25th of each month, paid from the bank, so that the income statement has costs."""
    while True:
        day = stage.today.replace(day=25)
        if day <= stage.today:
            day = (stage.today.replace(day=1) + timedelta(days=32)).replace(day=25)
        yield (workday(day) - stage.today).days
        books.pay_expenses(stage, Decimal(stage.random.randrange(180, 260)) * 1000)
