"""What the administrator sets up and what the system notes: dictionaries, parameters, numbers, jobs, audit."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind


class ValueKind(Kind):
    """How the text of a parameter is read."""

    NUMBER = "数值"
    PERCENT = "百分比"
    DAYS = "天数"
    TEXT = "文本"
    CHOICE = "选项"
    FLAG = "是否"
    DATE = "日期"


class NumberReset(Kind):
    """When a number series starts again at one."""

    NEVER = "不重置"
    YEAR = "每年"
    MONTH = "每月"


class JobStatus(Kind):
    """State of a job run."""

    PENDING = "等待中"
    RUNNING = "运行中"
    SUCCEEDED = "已完成"
    FAILED = "失败"


class LogKind(Kind):
    """What an audit row tells of."""

    CHANGE = "数据变更"
    VERB = "业务操作"
    ACCESS = "查看敏感信息"
    EXPORT = "导出"
    IMPORT = "导入"
    LOGIN = "登录"
    SECURITY = "安全设置"
    SYSTEM = "系统"


class DictionaryType(Entity):
    """A dictionary that users edit: 证件类别, 行业, 地区 …"""

    spec = Spec(
        "数据字典",
        Module.SYSTEM,
        group=MenuGroup.BASICS,
        title="label",
        listed=("label", "is_tree", "note", "code"),
        searched=("code", "label"),
        order="code",
        key=("code",),
        rank=50,
        config=Config(),
    )
    __table_args__ = (UniqueConstraint("code", name="uq_dictionary_type_code"),)

    code: Mapped[str] = c.text("字典编码", 32, required=True, check="code")
    label: Mapped[str] = c.text("字典名称", 60, required=True)
    is_tree: Mapped[bool] = c.flag("分级", help="条目有上级，如行业、地区")
    note: Mapped[str | None] = c.text("备注", 200)


class DictionaryItem(Entity):
    """One code of a dictionary; records store the code, readers see the label."""

    spec = Spec(
        "字典条目",
        Module.SYSTEM,
        title="label",
        listed=("dictionary_type", "label", "parent_code", "rank", "is_active", "code"),
        searched=("code", "label"),
        filtered=("dictionary_type_id", "parent_code", "is_active"),
        order="rank",
        key=("dictionary_type_id", "code"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("dictionary_type_id", "code", name="uq_dictionary_item_code"),
        CheckConstraint(
            "parent_code IS NULL OR parent_code <> code", name="ck_dictionary_item_not_own_parent"
        ),
    )

    dictionary_type_id: Mapped[int] = c.owned_by("所属字典", "dictionary_type")
    dictionary_type: Mapped[DictionaryType] = c.related(dictionary_type_id)
    code: Mapped[str] = c.text("条目编码", 32, required=True, check="code")
    label: Mapped[str] = c.text("条目名称", 100, required=True)
    parent_code: Mapped[str | None] = c.text("上级编码", 32, index=True)
    aliases: Mapped[str | None] = c.text("别名", 200, help="导入时也认可的写法，用 | 分隔")
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100)
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)


# Parameters that say which part of a whole is needed, written 2/3 or 0.75.
SHARES = frozenset({"meeting.quorum_ratio", "meeting.pass_ratio"})
# Parameters whose value is one of a few codes that programs know: label by code.
PARAMETER_CHOICES: dict[str, dict[str, str]] = {
    "income.recognition_mode": {
        "AT_DRAWDOWN": "放款时确认当年保费",
        "MONTHLY": "按月均摊",
        "EVENLY": "按日均摊",
    },
    "extension.fee_rule": {"NONE": "不收取", "PRO_RATA": "按担保费率、余额和展期月数"},
    "release.refund_rule": {"NONE": "不退还", "MONTHS": "按未担保月数退还"},
    "provision.compensation_base": {"ALL": "全部担保责任余额", "FINANCING": "融资担保责任余额"},
    "recovery.order": {"LEGAL": "费用、利息、本金", "PRINCIPAL": "本金、费用、利息"},
    "weight.ceiling_basis": {"BEFORE_SHARE": "银行分担前", "AFTER_SHARE": "银行分担后"},
}


class Parameter(Entity):
    """A threshold, rate, weight or number of days, with the day from which it holds."""

    spec = Spec(
        "系统参数",
        Module.SYSTEM,
        group=MenuGroup.BASICS,
        title="label",
        listed=("label", "value", "unit", "effective_on", "module", "note", "code"),
        searched=("code", "label", "note"),
        filtered=("module", "code", "effective_on"),
        order="code",
        key=("code", "effective_on"),
        rank=60,
        help="同一参数可有多行：营业日期不早于生效日期的最近一行有效。修改历史数据口径时请新增一行，不要改旧行。",
        config=Config(of=("code",), since="effective_on", is_dated=True),
    )
    __table_args__ = (UniqueConstraint("code", "effective_on", name="uq_parameter_code"),)

    code: Mapped[str] = c.text("参数编码", 64, required=True, check="code", index=True)
    label: Mapped[str] = c.text("参数名称", 100, required=True)
    value: Mapped[str | None] = c.text("参数值", 500)
    value_kind: Mapped[ValueKind] = c.enum(
        "值类型", ValueKind, required=True, default=ValueKind.NUMBER
    )
    unit: Mapped[str | None] = c.text("单位", 16)
    effective_on: Mapped[date] = c.day("生效日期", required=True, index=True)
    module: Mapped[Module] = c.enum(
        "所属模块", Module, required=True, default=Module.SYSTEM, index=True
    )
    note: Mapped[str | None] = c.text("说明", 300)


class NumberRule(Entity):
    """How numbers of one kind of document look, e.g. DB{yyyy}-{no:04d}."""

    spec = Spec(
        "编号规则",
        Module.SYSTEM,
        group=MenuGroup.BASICS,
        title="label",
        listed=("label", "pattern", "reset", "code"),
        searched=("code", "label"),
        order="code",
        key=("code",),
        rank=70,
        config=Config(),
    )
    __table_args__ = (UniqueConstraint("code", name="uq_number_rule_code"),)

    code: Mapped[str] = c.text("规则编码", 40, required=True, check="code")
    label: Mapped[str] = c.text("规则名称", 60, required=True)
    pattern: Mapped[str] = c.text(
        "编号格式",
        80,
        required=True,
        help="可用 {yyyy} 年、{mm} 月、{dd} 日、{no:04d} 四位流水号，及业务给出的变量",
    )
    reset: Mapped[NumberReset] = c.enum(
        "流水号重置", NumberReset, required=True, default=NumberReset.YEAR
    )


class _Blanks(dict[str, Any]):
    """Places of a pattern that only the business fills (凭证字, 部门 …)."""

    def __missing__(self, key: str) -> str:
        return "□"


def number_sample(pattern: str) -> str:
    """A pattern with the number it makes: DB{yyyy}-{no:04d}，如 DB2026-0001."""
    try:
        sample = pattern.format_map(_Blanks(yyyy="2026", mm="01", dd="01", no=1))
    except (ValueError, IndexError, AttributeError):
        return pattern
    return f"{sample}（{pattern}）"


class NumberCounter(Entity):
    """The last number given in one series; raised in the transaction that uses the number, so no gap arises."""

    spec = Spec("编号计数器", Module.SYSTEM, SpecKind.INTERNAL, title="rule_code", in_menu=False)
    __table_args__ = (
        UniqueConstraint("rule_code", "scope", name="uq_number_counter_scope"),
        CheckConstraint("last_no >= 0", name="ck_number_counter_last_no"),
    )

    rule_code: Mapped[str] = c.text("规则编码", 40, required=True)
    scope: Mapped[str] = c.text("范围", 80, required=True, default="")
    last_no: Mapped[int] = c.whole("当前流水号", required=True, default=0)


class SubmissionKey(Entity):
    """One submission that was carried out: the same key again is answered with the first result (X17).

    `place` is a digest of who sent it, where to, and the key of the form; `content` one of what was sent. `answer` is
    empty until the first answer has been made.
    """

    spec = Spec("提交标识", Module.SYSTEM, SpecKind.INTERNAL, title="place", in_menu=False)
    __table_args__ = (UniqueConstraint("place", name="uq_submission_key_place"),)

    place: Mapped[str] = c.text("提交处", 64, required=True)
    content: Mapped[str] = c.text("内容摘要", 64, required=True)
    at: Mapped[datetime] = c.moment("时间", required=True, index=True)
    answer: Mapped[dict[str, Any]] = c.json("答复", required=True)


class SheetMapping(Entity):
    """How somebody has mapped the columns of a source's files by hand: name in the head -> field, or nothing.

    `kind` is the kind of table (repayment, opening_balances ...), `source` the bank or product that writes it.
    """

    spec = Spec("列对应", Module.SYSTEM, SpecKind.INTERNAL, title="source", in_menu=False)
    __table_args__ = (UniqueConstraint("kind", "source", name="uq_sheet_mapping_kind"),)

    kind: Mapped[str] = c.text("表", 40, required=True)
    source: Mapped[str] = c.text("来源", 60, required=True)
    columns: Mapped[dict[str, Any]] = c.json("列对应", required=True)


class SystemState(Entity):
    """The single row that says where the system stands: business date, base data, demonstration data."""

    spec = Spec(
        "系统时间",
        Module.SYSTEM,
        SpecKind.INTERNAL,
        title="business_date",
        listed=("business_date",),
        in_menu=False,
    )
    __table_args__ = (CheckConstraint("id = 1", name="ck_system_state_single_row"),)

    business_date: Mapped[date] = c.computed(c.day("系统营业日期", required=True))
    is_demo: Mapped[bool] = c.computed(c.flag("演示数据"))
    base_data_version: Mapped[int] = c.hidden(c.whole("基础数据版本", required=True, default=0))
    search_edition: Mapped[int] = c.hidden(c.whole("检索索引版本", required=True, default=1))
    role_edition: Mapped[int] = c.hidden(c.whole("内置角色版本", required=True, default=0))
    demo_marker: Mapped[str | None] = c.hidden(c.text("演示数据标记", 64))


JOBS = {
    "day_end": "日终处理",
    "month_end": "月末处理",
    "backup": "备份",
    "verify": "核对",
    "export": "导出",
    "import": "导入",
}


def job_label(job: str) -> str:
    """What people call a job: 月末处理 2026-10 for month_end:2026-10."""
    name, _, key = job.partition(":")
    return f"{JOBS.get(name, name)} {key}".strip()


class JobRun(Entity):
    """One run of a job for one business date; the row is the lease, so no two processes run it."""

    spec = Spec(
        "作业日志",
        Module.SYSTEM,
        SpecKind.LOG,
        group=MenuGroup.RUNNING,
        title="job",
        listed=(
            "job",
            "business_date",
            "status",
            "progress_pct",
            "step",
            "started_at",
            "finished_at",
            "message",
        ),
        filtered=("job", "business_date", "status"),
        order="-id",
        state="status",
        rank=110,
        help="日终、月终、导入导出等作业的每一次运行及其步骤。",
    )
    __table_args__ = (
        UniqueConstraint("job", "business_date", name="uq_job_run_job"),
        CheckConstraint("progress_pct BETWEEN 0 AND 100", name="ck_job_run_progress_pct"),
        CheckConstraint(
            "status <> 'SUCCEEDED' OR finished_at IS NOT NULL", name="ck_job_run_finished_at"
        ),
    )

    # Jobs that may run many times a day (imports, exports) carry their own key behind the name: export:42.
    job: Mapped[str] = c.text("作业", 100, required=True)
    business_date: Mapped[date] = c.day("营业日期", required=True, index=True)
    status: Mapped[JobStatus] = c.state("状态", JobStatus, JobStatus.PENDING)
    progress_pct: Mapped[int] = c.whole("进度", unit="%", maximum=100, required=True, default=0)
    step: Mapped[str | None] = c.text("当前步骤", 100)
    started_at: Mapped[datetime | None] = c.moment("开始时间")
    finished_at: Mapped[datetime | None] = c.moment("结束时间")
    heartbeat_at: Mapped[datetime | None] = c.hidden(c.moment("心跳时间"))
    lease_until: Mapped[datetime | None] = c.hidden(c.moment("租约到期"))
    owner: Mapped[str | None] = c.hidden(c.text("运行进程", 100))
    requested_by_id: Mapped[int | None] = c.reference("发起人", "employee", use_alter=True)
    attempts: Mapped[int] = c.whole("运行次数", required=True, default=0)
    message: Mapped[str | None] = c.long_text("说明")
    result: Mapped[dict[str, Any]] = c.hidden(c.json("结果", required=True))

    def __str__(self) -> str:
        """Which work, for which day."""
        return f"{job_label(self.job)} {self.business_date}"


class AuditLog(Entity):
    """Who did what to which record, when and from where, old → new; append-only, each line chained as it is written."""

    spec = Spec(
        "系统操作日志",
        Module.SYSTEM,
        SpecKind.LOG,
        group=MenuGroup.RUNNING,
        title="record_title",
        listed=(
            "at",
            "actor_name",
            "log_kind",
            "action",
            "table_name",
            "record_title",
            "note",
            "ip",
            "source",
        ),
        filtered=("at", "employee_id", "log_kind", "table_name"),
        order="-id",
        scope=Scope(hangs_on=("table_name", "record_id")),
        rank=120,
    )
    __table_args__ = (
        Index("ix_audit_log_record", "table_name", "record_id"),
        Index("ix_audit_log_chain", "lane", "seal_no", unique=True),
    )

    log_kind: Mapped[LogKind] = c.enum(
        "日志类别", LogKind, required=True, default=LogKind.CHANGE, index=True
    )
    at: Mapped[datetime] = c.moment("时间", required=True, index=True)
    employee_id: Mapped[int | None] = c.reference("操作人", "employee", use_alter=True)
    actor_name: Mapped[str] = c.text("操作人姓名", 60, required=True)
    on_behalf_of_id: Mapped[int | None] = c.reference(
        "代何人", "employee", index=False, use_alter=True
    )
    ip: Mapped[str | None] = c.text("来源地址", 45)
    source: Mapped[str] = c.text("入口", 16, required=True, default="screen")
    table_name: Mapped[str | None] = c.text("对象", 64)
    record_id: Mapped[int | None] = c.whole("记录序号")
    record_title: Mapped[str | None] = c.text("记录", 200)
    action: Mapped[str] = c.text("动作", 60, required=True)
    changes: Mapped[dict[str, Any]] = c.json("变更内容", required=True)
    note: Mapped[str | None] = c.text("说明", 500)
    # No foreign key: the log outlives what it tells of.
    project_id: Mapped[int | None] = c.hidden(c.whole("项目序号", index=True))
    seal_hash: Mapped[str | None] = c.hidden(c.text("封存摘要", 64))
    # Place in the chain: the lane that was free when the line was written, and the number within it.
    seal_no: Mapped[int | None] = c.hidden(c.whole("封存序号"))
    lane: Mapped[int] = c.hidden(c.whole("链", required=True, default=0))
    # What the record holds after the change, for tables in models.system.proof.SEALED; "-" once it is gone.
    digest: Mapped[str | None] = c.hidden(c.text("记录摘要", 32))
