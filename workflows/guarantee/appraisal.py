"""4.1b-4.2: investigation report, letters, review and risk assessment, each approved through the engine."""

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import BusinessError
from models.guarantee.appraisal import (
    BankLetter,
    InvestigationReport,
    LetterKind,
    RiskAssessment,
    RiskLevel,
)
from models.guarantee.project import Project, ProjectState, Stage
from reports.figures.parameters import number
from reports.figures.schedules import add_months
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import OPEN_PAPERS, conclude, life
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.guarantee import letters, stages

REPORT = steps(*life("investigation_report", "提交评估审批", lapses_from=OPEN_PAPERS))
RISK = steps(*life("risk_assessment", "提交风控审批", lapses_from=OPEN_PAPERS))
REVIEW = steps(
    Step(
        "project",
        "submit_review",
        "提交评审审批",
        column="stage",
        sources=(Stage.REVIEW,),
        targets=(Stage.RISK,),
    )
)
ACTS = verbs("bank_letter", {"issue_intent": "出具担保意向函"})


@records.rule(InvestigationReport)
def check_report(ctx: Ctx, report: InvestigationReport, is_new: bool) -> None:
    """A report belongs to a project under evaluation and advises no more than was applied for."""
    project = ctx.session.get_one(Project, report.project_id)
    stages.require_running(project, Stage.EVALUATE, "填写保前调查报告")
    if report.advised_amount > project.amount:
        raise BusinessError("建议担保金额不能超过申请金额", field="advised_amount")
    if report.visited_on > ctx.today:
        raise BusinessError("实地调查日期不能晚于营业日期", field="visited_on")
    if is_new:
        report.number = next_number(ctx, "investigation")


def submit_report(
    ctx: Ctx, report: InvestigationReport, version: int | None = None
) -> ApprovalInstance:
    """Put the report up for 评估审批; the flow is matched by product and amount."""
    enter(ctx, REPORT["submit"], report, version)
    project = report.project
    stages.require_running(project, Stage.EVALUATE, "提交评估审批")
    move(REPORT["submit"], report)
    return stages.put_up(
        ctx, "project.evaluation", report, project, "评估审批", amount=project.amount
    )


@approval.on_finish("project.evaluation")
def evaluated(
    ctx: Ctx, instance: ApprovalInstance, report: InvestigationReport, outcome: ApprovalState
) -> None:
    """Approved goes on to 意向函; refused ends the project; returned is a draft again."""
    del instance
    conclude(report, outcome)
    if outcome is ApprovalState.APPROVED:
        stages.advance(ctx, report.project, Stage.INTENT, "评估通过")
    elif outcome is ApprovalState.REJECTED:
        stages.stop(ctx, report.project, ProjectState.REFUSED, "评估否决")


def issue_intent(ctx: Ctx, project: Project, version: int | None = None) -> BankLetter:
    """Issue the 担保意向函 to the lending bank; the project moves on to 评审审批."""
    enter(ctx, ACTS["issue_intent"], project, version)
    stages.require_running(project, Stage.INTENT, "出具意向函")
    months = int(number(ctx.session, "intent.valid_months", ctx.today))
    letter = letters.issue(
        ctx, project, LetterKind.INTENT, project.amount, add_months(ctx.today, months)
    )
    stages.advance(ctx, project, Stage.REVIEW, "已出具")
    ctx.session.flush()
    return letter


def submit_review(ctx: Ctx, project: Project, version: int | None = None) -> ApprovalInstance:
    """Put application and report up for 评审审批."""
    enter(ctx, REVIEW["submit_review"], project, version)
    stages.require_running(project, Stage.REVIEW, "提交评审")
    return stages.put_up(ctx, "project.review", project, project, "评审审批", amount=project.amount)


@approval.on_finish("project.review")
def reviewed(
    ctx: Ctx, instance: ApprovalInstance, project: Project, outcome: ApprovalState
) -> None:
    """Approved goes on to 风险控制, refused ends the project, returned stays until it is submitted anew."""
    del instance
    if outcome is ApprovalState.APPROVED:
        stages.advance(ctx, project, Stage.RISK, "评审通过")
    elif outcome is ApprovalState.REJECTED:
        stages.stop(ctx, project, ProjectState.REFUSED, "评审否决")


@records.rule(RiskAssessment)
def check_risk(ctx: Ctx, paper: RiskAssessment, is_new: bool) -> None:
    """Total and level follow from the scores; the first 风控 to write it becomes the project's 风控复核人."""
    project = ctx.session.get_one(Project, paper.project_id)
    stages.require_running(project, Stage.RISK, "填写风险评估报告")
    paper.score = (
        paper.score_customer + paper.score_repayment + paper.score_security + paper.score_compliance
    )
    low, medium = (
        int(number(ctx.session, code, ctx.today))
        for code in ("risk.low_score", "risk.medium_score")
    )
    paper.level = (
        RiskLevel.LOW
        if paper.score >= low
        else RiskLevel.MEDIUM
        if paper.score >= medium
        else RiskLevel.HIGH
    )
    if is_new:
        paper.number = next_number(ctx, "risk_assessment")
        if project.risk_officer_id is None and ctx.actor.employee_id is not None:
            project.risk_officer_id = ctx.actor.employee_id
            stages.hold(ctx, project, "风控复核人", ctx.actor.employee_id)


def submit_risk(ctx: Ctx, paper: RiskAssessment, version: int | None = None) -> ApprovalInstance:
    """Put the risk assessment up for approval."""
    enter(ctx, RISK["submit"], paper, version)
    project = paper.project
    stages.require_running(project, Stage.RISK, "提交风控审批")
    move(RISK["submit"], paper)
    return stages.put_up(ctx, "project.risk", paper, project, "风控审批", amount=project.amount)


@approval.on_finish("project.risk")
def risk_assessed(
    ctx: Ctx, instance: ApprovalInstance, paper: RiskAssessment, outcome: ApprovalState
) -> None:
    """Approved goes on to the review board, refused ends the project, returned is a draft again."""
    del instance
    conclude(paper, outcome)
    if outcome is ApprovalState.APPROVED:
        stages.advance(
            ctx,
            paper.project,
            Stage.RESOLVE,
            f"风控通过（{paper.level.label if paper.level else ''}）",
        )
    elif outcome is ApprovalState.REJECTED:
        stages.stop(ctx, paper.project, ProjectState.REFUSED, "风控否决")
