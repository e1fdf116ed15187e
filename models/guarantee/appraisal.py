"""What is written about a project before the company decides: report, bank letters, risk assessment (4.1b-4.2)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Decides, Entity, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import PaperState
from models.base.rights import SEE, WRITE
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Project, Stage
from models.system.records import IssuedDocument


class Advice(Kind):
    """What the investigators advise."""

    SUPPORT = "建议担保"
    SUPPORT_REDUCED = "建议调减后担保"
    OPPOSE = "建议不予担保"


class InvestigationReport(ProjectPaper):
    """保前调查报告: what A角 and B角 saw and advise; approved under 评估审批, then read by everybody after them."""

    spec = Spec(
        "保前调查报告",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.INTAKE,
        title="number",
        rank=20,
        key=("project_id",),
        listed=("number", "project", "visited_on", "advice", "advised_amount", "state"),
        searched=("number",),
        filtered=("state", "visited_on", "project_id"),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        saved_by=("add", "edit"),
        approvals={"project.evaluation": Decides(lowered=("advised_amount", "advised_months"))},
        news=News(100, made=("填写保前调查报告：", "{advice}，{advised_amount} 元")),
    )
    __table_args__ = (CheckConstraint("advised_amount > 0", name="ck_investigation_amount"),)
    is_step = True
    number_label = "报告编号"
    is_single = True
    part = c.Part(60, since=Stage.EVALUATE, adds=(Stage.EVALUATE,), asks="填写保前调查报告")
    visited_on: Mapped[date] = c.day("实地调查日期", required=True, index=True, group="调查")
    visit_place: Mapped[str] = c.text("调查地点", 100, required=True, group="调查")
    interviewed: Mapped[str | None] = c.text("访谈对象", 100, group="调查")
    operation: Mapped[str] = c.long_text("经营情况", required=True, group="分析")
    finance: Mapped[str] = c.long_text("财务分析", required=True, group="分析")
    repayment_source: Mapped[str] = c.long_text("还款来源", required=True, group="分析")
    security: Mapped[str] = c.long_text("反担保评价", required=True, group="分析")
    risks: Mapped[str] = c.long_text("风险及防范", required=True, group="分析")
    advice: Mapped[Advice] = c.enum("调查结论", Advice, required=True, group="结论")
    advised_amount: Mapped[Decimal] = c.money(
        "建议担保金额", required=True, positive=True, group="结论"
    )
    advised_months: Mapped[int] = c.whole(
        "建议期限", required=True, unit="个月", minimum=1, maximum=360, group="结论"
    )


class RiskLevel(Kind):
    """Result of a risk assessment."""

    LOW = "低风险"
    MEDIUM = "中等风险"
    HIGH = "高风险"


class RiskAssessment(ProjectPaper):
    """风险评估报告: the scorecard and opinion of 风控; the total and the level follow from the scores."""

    spec = Spec(
        "风险评估报告",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.RISK,
        title="number",
        rank=40,
        key=("project_id",),
        listed=("number", "project", "score", "level", "state"),
        searched=("number",),
        filtered=("state", "level", "project_id"),
        roles={"客户经理": SEE, "业务部门经理": SEE, "风控专员": WRITE},
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        saved_by=("add", "edit"),
        approvals={"project.risk": Decides(free=("measures",))},
        news=News(90, made=("填写风险评估报告：", "{score} 分，{level}")),
    )
    is_step = True
    number_label = "报告编号"
    is_single = True
    part = c.Part(70, since=Stage.RISK, adds=(Stage.RISK,), asks="填写风险评估报告")
    score_customer: Mapped[int] = c.whole(
        "客户资信", required=True, unit="分，满分 30", maximum=30, group="评分"
    )
    score_repayment: Mapped[int] = c.whole(
        "第一还款来源", required=True, unit="分，满分 30", maximum=30, group="评分"
    )
    score_security: Mapped[int] = c.whole(
        "反担保措施", required=True, unit="分，满分 25", maximum=25, group="评分"
    )
    score_compliance: Mapped[int] = c.whole(
        "合规与用途", required=True, unit="分，满分 15", maximum=15, group="评分"
    )
    findings: Mapped[str] = c.long_text("主要风险", required=True, group="意见")
    measures: Mapped[str] = c.long_text("控制措施", required=True, group="意见")
    opinion: Mapped[str] = c.long_text("风控意见", required=True, group="意见")
    score: Mapped[int] = c.computed(
        c.whole("总分", required=True, unit="分", maximum=100, default=0)
    )
    level: Mapped[RiskLevel | None] = c.computed(c.enum("风险等级", RiskLevel, index=True))


class LetterKind(Kind):
    """Letters to the lending bank."""

    INTENT = "担保意向函"
    CONFIRMATION = "担保确认函"
    DISBURSEMENT = "放款通知单"


class BankLetter(Entity):
    """A letter to the lending bank; the issued document holds its frozen text and PDF."""

    spec = Spec(
        "银行函件",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.INTAKE,
        title="number",
        rank=30,
        listed=("number", "kind", "project", "issued_on", "valid_until", "amount"),
        searched=("number",),
        filtered=("kind", "issued_on", "project_id"),
        scope=Scope(through="project"),
        sums=("amount",),
        news=News(50, made=("出具", "{kind} {number}")),
    )
    __table_args__ = (
        CheckConstraint(
            "valid_until is null or valid_until >= issued_on", name="ck_bank_letter_dates"
        ),
    )
    number: Mapped[str] = c.text("函件编号", 40, required=True, unique=True)
    kind: Mapped[LetterKind] = c.enum("函件种类", LetterKind, required=True, index=True)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(100, since=Stage.INTENT)
    )
    project: Mapped[Project] = c.related(project_id)
    issued_on: Mapped[date] = c.day("出具日期", required=True, index=True)
    valid_until: Mapped[date | None] = c.day("有效期至")
    amount: Mapped[Decimal] = c.money("金额", required=True, positive=True)
    document_id: Mapped[int] = c.reference("文件", "issued_document", required=True)
    document: Mapped[IssuedDocument] = c.related(document_id)
