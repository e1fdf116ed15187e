"""A slip that was set right, and one that waits for its approval (10.3)."""

from sqlalchemy import select

from app.demo.stage import Stage
from app.demo.story import decide_all
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Project, ProjectState
from models.system.organization import Operator
from workflows.guarantee import correction


def play(stage: Stage) -> None:
    """The bank's note of the last loan is corrected, its use of money waits for a decision."""
    query = (
        select(Drawdown)
        .join(Project, Project.id == Drawdown.project_id)
        .where(Project.state == ProjectState.IN_FORCE)
        .order_by(Drawdown.id.desc())
        .limit(1)
    )
    for loan in stage.session.scalars(query).all():
        project = loan.project
        login = stage.session.scalars(
            select(Operator.username).where(Operator.employee_id == project.manager_id)
        ).one()
        note = f"{loan.bank_note_no}-1"
        correction.correct(stage.ctx(login), loan, "银行借据号录入时少了后缀。", bank_note_no=note)
        decide_all(stage, project)
        words = "采购原材料及支付加工费"
        correction.correct(
            stage.ctx(login), project, "用途说明按借款合同更正。", purpose_note=words
        )
