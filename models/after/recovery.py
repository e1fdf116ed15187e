"""追偿 (6.3): the case of a project for which banks were paid, the plan that was approved, and what was done."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Decides, Entity, Found, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import PaperState
from models.base.rows import MANAGER, Numbering, SeedRow, decided, numbered
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Project, Stage
from models.system.organization import Employee
from models.system.records import IssuedDocument


def _warning(code: str, label: str, days: str, rank: int, note: str) -> SeedRow:
    facts = {"level": "SERIOUS", "owner_role": "MANAGER", "handle_days": "3", "rank": str(rank)}
    return SeedRow(
        "warning_rule", {"code": code, "label": label, "days": days, "note": note, **facts}
    )


_WARNINGS = (
    _warning("compensation_due", "代偿期限临近", "15,5,1", 82, "距最迟代偿日的天数，逾期另行预警"),
    _warning("recovery_idle", "代偿后未追偿", "30", 84, "代偿付款后的天数"),
    _warning("preservation_due", "财产保全到期", "60,30", 86, "距查封、冻结到期日的天数"),
)


class CaseState(Kind):
    """A case is worked on until all is recovered, or what is left leaves the books and stays owed."""

    OPEN = "追偿中"
    RECOVERED = "已收回"
    WRITTEN_OFF = "已核销"


class RecoveryCase(Entity):
    """追偿案件: what the customer of a project owes since banks were paid in its place."""

    spec = Spec(
        "追偿案件",
        Module.AFTER,
        SpecKind.LEDGER,
        found=Found(
            60, lambda one: f"{one.project.customer.name} · 追偿", loads=("project.customer",)
        ),
        group=MenuGroup.RECOVERY,
        title="number",
        rank=60,
        listed=(
            "number",
            "project",
            "opened_on",
            "paid_amount",
            "recovered_amount",
            "balance",
            "other_open",
            "cost_open",
            "written_off_amount",
            "state",
        ),
        searched=("number",),
        filtered=("project_id", "opened_on", "state"),
        sums=(
            "paid_amount",
            "recovered_amount",
            "balance",
            "other_open",
            "cost_open",
            "written_off_amount",
        ),
        scope=Scope(through="project"),
        state="state",
        seeds=(
            Numbering("recovery_case", "追偿案件编号", "ZC{yyyy}-{no:04d}").row,
            *_WARNINGS,
        ),
        news=News(
            24,
            made=("立案追偿 ", "{number}"),
            moved=(
                ("state", "RECOVERED", "代偿款全部收回 {title}"),
                ("state", "WRITTEN_OFF", "代偿损失核销 {title}"),
            ),
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "paid_amount >= 0 and recovered_amount >= 0 and written_off_amount >= 0",
            name="ck_recovery_case_amounts",
        ),
        CheckConstraint(
            "balance >= 0 and other_open >= 0 and cost_open >= 0", name="ck_recovery_case_open"
        ),
        CheckConstraint("state <> 'WRITTEN_OFF' or balance = 0", name="ck_recovery_case_off_book"),
    )
    number: Mapped[str] = c.text("案件编号", 40, required=True, unique=True)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(131, since=Stage.IN_FORCE)
    )
    project: Mapped[Project] = c.related(project_id)
    opened_on: Mapped[date] = c.day("立案日期", required=True, index=True, help="首次代偿付款之日")
    paid_amount: Mapped[Decimal] = c.money("代偿金额", required=True, default=Decimal(0))
    recovered_amount: Mapped[Decimal] = c.money(
        "已收回",
        required=True,
        default=Decimal(0),
        help="收回的代偿款，不含费用、资金占用费和多收款",
    )
    balance: Mapped[Decimal] = c.money(
        "账面余额", required=True, default=Decimal(0), help="本公司承担部分尚未收回的，与1201相符"
    )
    other_open: Mapped[Decimal] = c.money(
        "他方未收回", required=True, default=Decimal(0), help="再担保等分担方承担部分尚未收回的"
    )
    cost_open: Mapped[Decimal] = c.money(
        "垫付费用未收回", required=True, default=Decimal(0), help="诉讼费、律师费等实现债权的费用"
    )
    written_off_amount: Mapped[Decimal] = c.money(
        "已核销", required=True, default=Decimal(0), help="账销案存，仍向债务人追偿"
    )
    state: Mapped[CaseState] = c.state("状态", CaseState, CaseState.OPEN)


class RecoveryWay(Kind):
    """By which way a claim is pursued above all."""

    NEGOTIATE = "协商还款"
    LITIGATE = "诉讼"
    PRESERVE = "诉前保全"
    ENFORCE = "申请执行（公证债权文书、调解书）"
    DISPOSE = "处置反担保财产"


class RecoveryPlan(ProjectPaper):
    """追偿申请: how a case shall be pursued, by whom and until when; approved before anything is brought to court."""

    spec = Spec(
        "追偿申请",
        Module.AFTER,
        SpecKind.DOCUMENT,
        group=MenuGroup.RECOVERY,
        title="number",
        rank=62,
        listed=(
            "number",
            "project",
            "recovery_case",
            "way",
            "target_amount",
            "due_on",
            "leader",
            "approved_on",
            "state",
        ),
        searched=("number",),
        filtered=("project_id", "recovery_case_id", "way", "due_on", "leader_id", "state"),
        sums=("target_amount",),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        on_sheet=("measures",),
        approvals={"recovery": Decides()},
        seeds=(
            *numbered("recovery_plan", "追偿申请编号", "ZF{yyyy}-{no:04d}"),
            *decided(
                "recovery",
                "追偿",
                ("部门经理审核", MANAGER),
                ("资产保全审批", "asset"),
                remark="追偿方案的审批",
                sort_no=132,
            ),
        ),
        news=News(26, made=("申请追偿：", "{way}，目标 {target_amount} 元")),
        help="通过后才能登记起诉、保全、执行和处置；可以按进展再申请。",
    )
    __table_args__ = (
        CheckConstraint("target_amount > 0", name="ck_recovery_plan_target"),
        CheckConstraint(
            "(state = 'APPROVED') = (approved_on is not null)", name="ck_recovery_plan_approved"
        ),
    )
    number_label = "申请编号"
    part = c.Part(132, since=Stage.IN_FORCE)
    recovery_case_id: Mapped[int] = c.reference(
        "追偿案件", "recovery_case", required=True, part=c.Part(20)
    )
    recovery_case: Mapped[RecoveryCase] = c.related(recovery_case_id)
    way: Mapped[RecoveryWay] = c.enum("追偿方式", RecoveryWay, required=True, index=True)
    target_amount: Mapped[Decimal] = c.money("追偿目标", required=True, positive=True)
    due_on: Mapped[date] = c.day("完成期限", required=True, index=True)
    leader_id: Mapped[int] = c.reference("责任人", "employee", required=True)
    leader: Mapped[Employee] = c.related(leader_id)
    measures: Mapped[str] = c.long_text(
        "追偿措施", required=True, help="债务人和反担保人的财产线索，各步骤和时间"
    )
    approved_on: Mapped[date | None] = c.computed(c.day("批准日期"))


class ActionKind(Kind):
    """What is done to recover; the later ones go by way of a court and need an approved plan."""

    CALL = "电话催收"
    LETTER = "催收函"
    VISIT = "上门催收"
    NEGOTIATE = "协商"
    LAWSUIT = "起诉"
    PRESERVATION = "财产保全"
    JUDGMENT = "判决或调解"
    EXECUTION = "申请执行"
    DISPOSAL = "处置财产"

    @property
    def is_legal(self) -> bool:
        """Whether it goes by way of a court or takes property: only as an approved plan has it."""
        return self in (self.LAWSUIT, self.PRESERVATION, self.EXECUTION, self.DISPOSAL)

    @property
    def is_in_court(self) -> bool:
        """Whether it stands under a number of a court."""
        return self in (self.LAWSUIT, self.PRESERVATION, self.JUDGMENT, self.EXECUTION)


class RecoveryAction(Entity):
    """追偿措施: one thing that was done on a case: a letter, a lawsuit, a preservation, an execution, a disposal."""

    spec = Spec(
        "追偿措施",
        Module.AFTER,
        group=MenuGroup.RECOVERY,
        title="kind",
        rank=64,
        order="-done_on",
        listed=(
            "recovery_case",
            "done_on",
            "kind",
            "party",
            "court",
            "case_no",
            "amount",
            "valid_until",
            "result",
        ),
        searched=("party", "case_no"),
        filtered=("recovery_case_id", "kind", "done_on", "valid_until"),
        scope=Scope(through="recovery_case"),
        is_imported=False,
        seeds=numbered("collection_letter", "催收函编号", "CSH{yyyy}-{no:05d}"),
        news=News(44, made=("登记追偿措施：", "{kind}，{party}")),
    )
    __table_args__ = (
        CheckConstraint("amount is null or amount > 0", name="ck_recovery_action_amount"),
        CheckConstraint(
            "valid_until is null or valid_until >= done_on", name="ck_recovery_action_dates"
        ),
    )
    recovery_case_id: Mapped[int] = c.owned_by("追偿案件", "recovery_case", part=c.Part(30))
    recovery_case: Mapped[RecoveryCase] = c.related(recovery_case_id)
    kind: Mapped[ActionKind] = c.enum("措施", ActionKind, required=True, index=True)
    done_on: Mapped[date] = c.day("日期", required=True, index=True)
    party: Mapped[str] = c.text("对象", 100, required=True, help="债务人、反担保人或被执行人")
    court: Mapped[str | None] = c.text("法院或仲裁机构", 100, help="起诉、保全、判决、执行填写")
    case_no: Mapped[str | None] = c.text("案号", 60, help="起诉、保全、判决、执行填写")
    amount: Mapped[Decimal | None] = c.money(
        "涉及金额", help="请求、保全、判决、执行或处置的金额", positive=True
    )
    valid_until: Mapped[date | None] = c.day(
        "有效期至", index=True, help="财产保全必填：查封、冻结到期前须续封"
    )
    result: Mapped[str | None] = c.long_text("结果")
    document_id: Mapped[int | None] = c.computed(c.reference("催收函", "issued_document"))
    document: Mapped[IssuedDocument | None] = c.related(document_id)
