"""4.1b-4.2: investigation report, letters, review and risk assessment, each approved through the engine."""

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import BusinessError
from models.base.moments import add_months
from models.base.paper import OPEN_PAPERS
from models.guarantee.appraisal import (
    BankLetter,
    InvestigationReport,
    LetterKind,
    RiskAssessment,
    RiskLevel,
)
from models.guarantee.project import Project, ProjectState, Stage
from reports.figures.parameters import number
from workflows.approval import approval
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, steps, verbs
from workflows.guarantee import letters, stages
from workflows.guarantee.paper import Paper, project_amount

REPORT = Paper(
    InvestigationReport,
    "提交评估审批",
    number="investigation",
    approval_type="project.evaluation",
    what="评估审批",
    amount=project_amount,
    stage=Stage.EVALUATE,
    lapses_from=OPEN_PAPERS,
)
RISK = Paper(
    RiskAssessment,
    "提交风控审批",
    number="risk_assessment",
    approval_type="project.risk",
    what="风控审批",
    amount=project_amount,
    stage=Stage.RISK,
    lapses_from=OPEN_PAPERS,
)
submit_report, submit_risk = REPORT.submit, RISK.submit
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


@REPORT.check
def check_report(ctx: Ctx, report: InvestigationReport, is_new: bool) -> None:
    """A report advises no more than was applied for."""
    del is_new
    project = ctx.session.get_one(Project, report.project_id)
    if report.advised_amount > project.amount:
        raise BusinessError("建议担保金额不能超过申请金额", field="advised_amount")
    if report.visited_on > ctx.today:
        raise BusinessError("实地调查日期不能晚于营业日期", field="visited_on")


@REPORT.approved
def evaluated(ctx: Ctx, report: InvestigationReport) -> None:
    """The bank may have its 意向函, where the product has one."""
    following = Stage.INTENT if report.project.has_intent else Stage.REVIEW
    stages.advance(ctx, report.project, following, "评估通过")


@REPORT.rejected
def not_evaluated(ctx: Ctx, report: InvestigationReport) -> None:
    """The project ends here."""
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


@RISK.check
def check_risk(ctx: Ctx, paper: RiskAssessment, is_new: bool) -> None:
    """Total and level follow from the scores; the first 风控 to write it becomes the project's 风控复核人."""
    project = ctx.session.get_one(Project, paper.project_id)
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
        _name_officer(ctx, project)


def _name_officer(ctx: Ctx, project: Project) -> None:
    if project.risk_officer_id is None and ctx.actor.employee_id is not None:
        project.risk_officer_id = ctx.actor.employee_id
        stages.hold(ctx, project, "风控复核人", ctx.actor.employee_id)


@RISK.approved
def risk_passed(ctx: Ctx, paper: RiskAssessment) -> None:
    """公司决议 is next: the review board, or the president alone where the product needs no board."""
    level = paper.level.label if paper.level else ""
    stages.advance(ctx, paper.project, Stage.RESOLVE, f"风控通过（{level}）")


@RISK.rejected
def risk_refused(ctx: Ctx, paper: RiskAssessment) -> None:
    """The project ends here."""
    stages.stop(ctx, paper.project, ProjectState.REFUSED, "风控否决")
