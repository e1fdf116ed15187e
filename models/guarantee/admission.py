"""准入规则表 (4.7): what a product demands of a project, what each project came to, exceptions with approval."""

from datetime import date
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import PaperState
from models.base.rows import MANAGER, decided, numbered
from models.guarantee.paper import ProjectPaper
from models.guarantee.product import Product
from models.guarantee.project import Project, Stage


class Failing(Kind):
    """What follows where a rule is not met."""

    REFUSED = "不得办理"
    EXCEPTION = "可例外审批"


class Outcome(Kind):
    """What a rule came to for a project."""

    MET = "符合"
    UNMET = "不符合"
    EXCEPTION = "例外已批准"


class Occasion(Kind):
    """When the rules are asked."""

    APPLY = "申请"
    NOTICE = "放款"


def _rule(product: str, name: str, condition: str, failing: str) -> dict[str, str]:
    return {"product_id": product, "name": name, "condition": condition, "failing": failing}


class AdmissionRule(Entity):
    """What must hold of each project of a product, from the application on."""

    spec = Spec(
        "准入规则",
        Module.GUARANTEE_SETUP,
        listed=("name", "condition", "failing", "basis", "is_active"),
        key=("product_id", "name"),
        scope=Scope(through="product"),
        in_menu=False,
        help="按项目逐条核对：提交申请时、开具放款通知单时。“可例外审批”的不符合时，可申请准入例外。",
        demo=(
            _rule("流动资金贷款担保", "期限不超过一年半", "期限 <= 18", "EXCEPTION"),
            _rule("流动资金贷款担保", "贷款利率不过高", "贷款年利率 <= 8", "REFUSED"),
            _rule("小微快保", "有实物或保证反担保", "拟提供反担保 不为空", "EXCEPTION"),
        ),
    )
    __table_args__ = (UniqueConstraint("product_id", "name", name="uq_admission_rule"),)
    product_id: Mapped[int] = c.owned_by("产品", "product", part=c.Part(30))
    product: Mapped[Product] = c.related(product_id)
    name: Mapped[str] = c.text("规则名称", 60, required=True)
    condition: Mapped[str] = c.condition("须满足的条件", of="project", required=True)
    failing: Mapped[Failing] = c.enum("不符合时", Failing, required=True, default=Failing.EXCEPTION)
    basis: Mapped[str | None] = c.text("依据", 200)
    is_active: Mapped[bool] = c.flag("启用", default=True)


class AdmissionException(ProjectPaper):
    """准入例外: the rules that a project does not meet and may be excused from, approved as they stood."""

    spec = Spec(
        "准入例外",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.INTAKE,
        title="number",
        rank=25,
        listed=("number", "project", "items", "state"),
        searched=("number",),
        filtered=("project_id", "state"),
        on_sheet=("items", "reason"),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        seeds=(
            *numbered("admission_exception", "准入例外编号", "LW{yyyy}-{no:04d}"),
            *decided(
                "admission_exception", "准入例外", ("部门经理审核", MANAGER), ("风控审批", "risk")
            ),
        ),
        news=News(made=("申请准入例外，", "{reason}")),
    )
    number_label = "例外编号"
    part = c.Part(56, is_rare=True)
    reason: Mapped[str] = c.long_text("例外理由", required=True)
    items: Mapped[str | None] = c.computed(c.long_text("例外事项"))
    covers: Mapped[dict[str, Any]] = c.hidden(c.json("例外的规则"))


class AdmissionAnswer(Entity):
    """What one rule came to for a project on one occasion, with the values of that day."""

    spec = Spec(
        "准入核对",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.INTAKE,
        title="name",
        rank=26,
        listed=("project", "answered_on", "occasion", "name", "outcome", "reason"),
        filtered=("project_id", "outcome", "answered_on"),
        scope=Scope(through="project"),
        news=News(900, made=("核对准入规则：", "{name} {outcome}")),
    )
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(55, since=Stage.EVALUATE)
    )
    project: Mapped[Project] = c.related(project_id)
    occasion: Mapped[Occasion] = c.enum("核对时点", Occasion, required=True)
    answered_on: Mapped[date] = c.day("核对日期", required=True, index=True)
    name: Mapped[str] = c.text("规则名称", 60, required=True)
    condition: Mapped[str] = c.long_text("条件", required=True)
    outcome: Mapped[Outcome] = c.enum("结果", Outcome, required=True, index=True)
    reason: Mapped[str] = c.long_text("依据的数值", required=True)
    exception_id: Mapped[int | None] = c.reference("准入例外", "admission_exception")
    exception: Mapped[AdmissionException | None] = c.related(exception_id)
