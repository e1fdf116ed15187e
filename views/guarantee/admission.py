"""准入: the exception asked for on the project's page, and the answers on the investigation report and its approval."""

from sqlalchemy import select

from models.base import columns as c
from models.base.entity import Entity
from models.guarantee.admission import AdmissionAnswer, Occasion
from models.guarantee.appraisal import InvestigationReport
from models.guarantee.project import Project
from views.guarantee.gate import answers_of
from views.kit import hooks
from views.kit.buttons import Button, Questions, register, to_result
from views.kit.pages import Cell, Column, Row, Section
from workflows.base.context import Ctx
from workflows.guarantee import admission


def _form(_: Ctx, __: Project) -> Questions:
    return {"reason": c.long_text("例外理由", required=True, help="说明为什么仍可办理，有什么措施")}


register(
    Button(
        admission.PAPER.steps["submit"],
        admission.ask,
        on="project",
        name="admission_exception",
        label="申请准入例外",
        when=lambda ctx, project: admission.may_ask(ctx, project, answers_of(ctx, project)),
        questions=_form,
        rank=9,
        done="已提交准入例外审批",
        after=to_result,
    )
)


def answers_section(record: Entity, ctx: Ctx) -> Section | None:
    """What each rule came to when the project was applied for, with the values of that day."""
    if not isinstance(record, InvestigationReport):
        return None
    query = select(AdmissionAnswer).where(
        AdmissionAnswer.project_id == record.project_id, AdmissionAnswer.occasion == Occasion.APPLY
    )
    found = ctx.session.scalars(query.order_by(AdmissionAnswer.id)).all()
    if not found:
        return None
    heads = [Column("name", "准入规则"), Column("outcome", "结果"), Column("reason", "依据的数值")]
    section = Section("admission", "准入规则核对", columns=heads)
    section.rows = [
        Row(str(one.id), "", (Cell(one.name), Cell(one.outcome.label), Cell(one.reason)))
        for one in found
    ]
    return section


hooks.TEXTS.append(answers_section)
