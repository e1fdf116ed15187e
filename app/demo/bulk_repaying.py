"""What becomes of the loans of the large demos: day by day whoever is due repays, and who has repaid all is released.

So every snapshot and provision is that of a company that lived through its year.
"""

from datetime import date
from typing import Any

from sqlalchemy import Select, bindparam, select, text, update

from app.demo.bulk_books import Numbers, Rows
from app.demo.stage import Stage
from models.guarantee.drawdown import OPEN, Drawdown, DrawdownState, Instalment, RepaymentPlan
from models.guarantee.project import Project, ProjectStage, ProjectState
from models.guarantee.project import Stage as Place
from models.guarantee.repayment import Repayment, RepaymentSource, RepaymentState

OWN = (
    "PL"  # what the bank's numbers of these loans begin with: the story repays its loans by itself
)


class Repaying:
    """Closes each day of these loans; `stops` is the instalment from which on a loan is no longer paid."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.rows, self.numbers = Rows(stage.session), Numbers(stage.session)
        self.stops: dict[int, int] = {}

    def close(self, on: date) -> None:
        """Repay what falls due on a day."""
        session = self.stage.session
        session.flush()
        due = [
            row
            for row in session.execute(_due_on(on)).all()
            if row.seq < self.stops.get(row.drawdown_id, row.seq + 1)
        ]
        if not due:
            return
        self.rows.now = self.stage.ctx_of_day(on).now
        self._repay(due, on)
        self.numbers.keep()
        session.expire_all()  # what was read before does not know of rows changed beside the session

    def _repay(self, due: list[Any], on: date) -> None:
        for row in due:
            left = row.balance - row.principal
            self.rows.add(
                Repayment,
                {
                    "number": f"HKHZ{on:%Y}-{self.numbers.next('repayment_receipt', f'{on:%Y}'):05d}",
                    "project_id": row.project_id,
                    "drawdown_id": row.drawdown_id,
                    "paid_on": on,
                    "principal": row.principal,
                    "interest": row.interest,
                    "balance_after": left,
                    "is_final": left == 0,
                    "source": RepaymentSource.IMPORTED,
                    "state": RepaymentState.BOOKED,
                },
            )
        self.rows.write(Repayment)
        session, rows = self.stage.session, Instalment.__table__
        paid = {"principal_paid": rows.c.principal, "interest_paid": rows.c.interest}
        session.execute(update(rows).where(rows.c.id.in_([row.id for row in due])).values(paid))
        for table, key in ((Drawdown.__table__, "drawdown_id"), (Project.__table__, "project_id")):
            lower = (
                update(table)
                .where(table.c.id == bindparam("of_id"))
                .values(balance=bindparam("left"))
            )
            left = [
                {"of_id": getattr(row, key), "left": row.balance - row.principal} for row in due
            ]
            session.connection().execute(lower, left)
        if ended := [row for row in due if row.balance == row.principal]:
            self._release(ended, on)

    def _release(self, ended: list[Any], on: date) -> None:
        session, loan, project, line = (
            self.stage.session,
            Drawdown.__table__,
            Project.__table__,
            ProjectStage.__table__,
        )
        ids = [row.project_id for row in ended]
        settled = update(loan).where(loan.c.id.in_([row.drawdown_id for row in ended]))
        session.execute(settled.values(state=DrawdownState.SETTLED, closed_on=on))
        over = {"state": ProjectState.RELEASED, "stage": Place.RELEASE, "stage_since": on}
        session.execute(update(project).where(project.c.id.in_(ids)).values(over))
        manager = (
            select(project.c.manager_id).where(project.c.id == line.c.project_id).scalar_subquery()
        )
        left = {"left_on": on, "done_by_id": manager, "outcome": DrawdownState.SETTLED.label}
        session.execute(update(line).where(line.c.project_id.in_(ids)).values(left))
        for row in ended:
            self.rows.add(
                ProjectStage,
                {
                    "project_id": row.project_id,
                    "stage": Place.RELEASE,
                    "entered_on": on,
                    "left_on": on,
                    "done_by_id": row.manager_id,
                    "outcome": ProjectState.RELEASED.label,
                },
            )
        self.rows.write(ProjectStage)


def _due_on(day: date) -> Select[*tuple[Any, ...]]:
    """What falls due of these loans on a day, in the order of their numbers."""
    return (
        select(
            Instalment.id,
            Instalment.seq,
            Instalment.principal,
            Instalment.interest,
            RepaymentPlan.drawdown_id,
            Drawdown.balance,
            Drawdown.project_id,
            Project.manager_id,
        )
        .join(RepaymentPlan, RepaymentPlan.id == Instalment.repayment_plan_id)
        .join(Drawdown, Drawdown.id == RepaymentPlan.drawdown_id)
        .join(Project, Project.id == Drawdown.project_id)
        .where(
            text(f"({OPEN})"),
            Instalment.due_on == day,
            RepaymentPlan.is_current,
            Drawdown.bank_note_no.startswith(OWN),
        )
        .order_by(Instalment.id)
    )
