"""保后预警: rules with their levels, thresholds and owners, and the warnings they have raised (6.6, domain.md 4)."""

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, News, Scope, Spec, columns_of, entities
from models.base.kinds import Kind, Module, SpecKind
from models.base.rows import numbered
from models.guarantee.project import Project, Stage
from models.system.organization import Employee


class WarningLevel(Kind):
    """How much attention a warning asks for."""

    NOTICE = "提示"
    ATTENTION = "关注"
    SERIOUS = "严重"


class WarningOwner(Kind):
    """Who has to deal with a warning."""

    MANAGER = "A角"
    DEPARTMENT = "部门负责人"
    RISK = "风控复核人"


def warned_tables() -> dict[str, str]:
    """Label by table of what own rules may be about: projects, and what names its project."""
    found = {}
    for model in entities():
        spec, column = model.spec, columns_of(model).get("project_id")
        is_part = column is not None and not column.nullable
        is_open = spec.kind in (SpecKind.DOCUMENT, SpecKind.MASTER, SpecKind.LEDGER)
        if model is Project or (is_part and is_open and model is not RiskWarning):
            found[str(model.__tablename__)] = spec.label
    return found


class WarningRule(Entity):
    """When a warning is raised, how serious it is, who handles it and within how many days.

    What a built-in rule looks for stands in the program, by its code; what an own rule looks for is its condition.
    """

    spec = Spec(
        "预警规则",
        Module.GUARANTEE_SETUP,
        title="label",
        rank=80,
        order="rank",
        key=("code",),
        saved_by=("add", "edit"),
        is_imported=False,  # a rule is written and tried one by one
        listed=(
            "label",
            "level",
            "days",
            "about",
            "condition",
            "owner_role",
            "handle_days",
            "is_active",
            "problem",
            "note",
        ),
        searched=("label",),
        filtered=("level", "is_active"),
        help="内置规则按天数阈值预警，多个用逗号分隔，每到一个阈值预警一次；自拟规则按条件预警，条件一直满足时不重复预警。",
        config=Config(),
        seeds=(*numbered("warning_rule", "自拟预警规则编码", "ZD{no:03d}", reset="NEVER"),),
        demo=(
            {
                "label": "大额长期限项目",
                "about": "project",
                "condition": "在保余额 > 4000000 且 期限 >= 24",
                "level": "NOTICE",
                "owner_role": "MANAGER",
                "handle_days": "10",
                "note": "金额大、期限长的项目加强保后检查",
            },
        ),
    )
    code: Mapped[str] = c.computed(c.text("规则编码", 40, required=True, unique=True))
    label: Mapped[str] = c.text("规则名称", 60, required=True)
    level: Mapped[WarningLevel] = c.enum("级别", WarningLevel, required=True, index=True)
    days: Mapped[str | None] = c.text("阈值", 60, help="天数，如 30,15,7")
    about: Mapped[str | None] = c.coded(
        "预警对象", "warned_table", warned_tables, 64, help="条件说的是哪一种记录"
    )
    condition: Mapped[str | None] = c.row_rule(
        "预警条件", by="about", help="如 在保余额 > 5000000 且 客户的资产负债率 > 70%"
    )
    owner_role: Mapped[WarningOwner] = c.enum(
        "责任人", WarningOwner, required=True, default=WarningOwner.MANAGER
    )
    handle_days: Mapped[int] = c.whole(
        "处理期限", unit="天", required=True, minimum=1, maximum=365, default=5
    )
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100)
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    note: Mapped[str | None] = c.text("说明", 200)
    problem: Mapped[str | None] = c.computed(
        c.text("失效原因", 200, help="条件提到的字段已改名或删除时，日终写明原因")
    )

    @property
    def is_own(self) -> bool:
        """Whether users have written it."""
        return self.condition is not None


class WarningState(Kind):
    """Handling of a warning."""

    PENDING = "待处理"
    HANDLING = "处理中"
    LIFTED = "已解除"


OPEN_WARNING = (WarningState.PENDING, WarningState.HANDLING)


_OPEN = text("state <> 'LIFTED'")


class RiskWarning(Entity):
    """One warning about a record of a project; raised once for one trigger, however often the rules are looked at."""

    spec = Spec(
        "预警信息",
        Module.AFTER,
        SpecKind.LEDGER,
        title="number",
        rank=30,
        listed=(
            "number",
            "level",
            "rule",
            "project",
            "message",
            "raised_on",
            "deadline",
            "owner",
            "state",
        ),
        searched=("number", "message"),
        filtered=("project_id", "rule_id", "level", "owner_id", "raised_on", "deadline", "state"),
        scope=Scope(through="project"),
        state="state",
        news=News(
            160,
            made=("预警：", "{message}"),
            moved=(
                ("handling", None, "处理预警：{handling}"),
                ("state", "LIFTED", "解除预警：{reason}"),
            ),
        ),
    )
    __table_args__ = (
        UniqueConstraint("rule_id", "record_table", "record_id", "trigger", name="uq_risk_warning"),
        CheckConstraint("deadline >= raised_on", name="ck_risk_warning_dates"),
        CheckConstraint(
            "state <> 'LIFTED' or (lifted_on is not null and reason is not null)",
            name="ck_risk_warning_lifted",
        ),
        Index("ix_risk_warning_open", "state", "deadline"),
        # The desk's first rows: of each level the most urgent.
        Index(
            "ix_risk_warning_urgent",
            "level",
            "deadline",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )
    number: Mapped[str] = c.text("预警编号", 40, required=True, unique=True)
    rule_id: Mapped[int] = c.reference("预警规则", "warning_rule", required=True)
    rule: Mapped[WarningRule] = c.related(rule_id)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(150, since=Stage.IN_FORCE)
    )
    project: Mapped[Project] = c.related(project_id)
    record_table: Mapped[str] = c.hidden(c.text("预警对象", 64, required=True))
    record_id: Mapped[int] = c.hidden(c.whole("对象序号", required=True))
    trigger: Mapped[str] = c.hidden(c.text("触发条件", 60, required=True))
    level: Mapped[WarningLevel] = c.enum("级别", WarningLevel, required=True, index=True)
    message: Mapped[str] = c.text("预警内容", 300, required=True)
    raised_on: Mapped[date] = c.day("预警日期", required=True, index=True)
    deadline: Mapped[date] = c.day("处理期限", required=True, index=True)
    owner_id: Mapped[int | None] = c.reference("责任人", "employee")
    owner: Mapped[Employee | None] = c.related(owner_id)
    handling: Mapped[str | None] = c.long_text("处理措施")
    lifted_on: Mapped[date | None] = c.day("解除日期")
    lifted_by_id: Mapped[int | None] = c.reference("解除人", "employee")
    lifted_by: Mapped[Employee | None] = c.related(lifted_by_id)
    reason: Mapped[str | None] = c.text("解除原因", 200)
    # Of an own rule: until then the same record is not warned about again, whoever has lifted the warning.
    passed_on: Mapped[date | None] = c.day("情形消失日期")
    state: Mapped[WarningState] = c.state("状态", WarningState, WarningState.PENDING)
