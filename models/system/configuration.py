"""配置版本与四眼发布 (X15): each change of a piece of configuration, and changes that wait for a second person."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.system.organization import Employee


class VersionAct(Kind):
    """How a version came about."""

    BEFORE = "原有"
    CREATE = "新增"
    UPDATE = "修改"
    DELETE = "删除"
    RESTORE = "恢复"


class ProposalState(Kind):
    """What became of a change that needs a second person."""

    PENDING = "待发布"
    DONE = "已发布"
    REFUSED = "已拒绝"
    WITHDRAWN = "已撤回"


_OWNERS = Scope(hangs_on=("table_name", "record_id"))


class ConfigVersion(Entity):
    """One piece of configuration as it was after a change; never rewritten.

    `content` is what `reports.figures.configuration` makes of it, without anything that holds in this installation
    alone. What was there before the first change is kept with it as 原有.
    """

    spec = Spec(
        "配置变更",
        Module.SYSTEM,
        SpecKind.LOG,
        group=MenuGroup.RUNNING,
        title="title",
        listed=(
            "at",
            "table_name",
            "title",
            "number",
            "act",
            "summary",
            "author",
            "published_by",
            "reason",
            "effective_on",
        ),
        searched=("title", "summary"),
        filtered=("table_name", "at", "author_id", "act", "object_key"),
        order="-id",
        scope=_OWNERS,
        rank=118,
        help="参数、字典、流程、模板、记账规则、角色等每次修改都留下一个版本，可以比较、恢复；恢复也是一个新版本。",
    )
    __table_args__ = (
        UniqueConstraint("table_name", "object_key", "number", name="uq_config_version_number"),
        Index("ix_config_version_record", "table_name", "record_id"),
        CheckConstraint("number >= 1", name="ck_config_version_number"),
    )

    table_name: Mapped[str] = c.text("配置", 64, required=True, index=True)
    record_id: Mapped[int | None] = c.hidden(c.whole("记录序号"))
    object_key: Mapped[str] = c.text("编码", 300, required=True, index=True)
    title: Mapped[str] = c.text("名称", 200, required=True)
    number: Mapped[int] = c.whole("版本", required=True, minimum=1)
    act: Mapped[VersionAct] = c.enum("方式", VersionAct, required=True, index=True)
    summary: Mapped[str | None] = c.text("变更内容", 500)
    at: Mapped[datetime] = c.moment("时间", required=True, index=True)
    author_id: Mapped[int | None] = c.reference("修改人", "employee", use_alter=True)
    author: Mapped[Employee | None] = c.related(author_id)
    published_by_id: Mapped[int | None] = c.reference(
        "发布人", "employee", index=False, use_alter=True
    )
    published_by: Mapped[Employee | None] = c.related(published_by_id)
    reason: Mapped[str | None] = c.text("变更原因", 200)
    effective_on: Mapped[date | None] = c.day("生效日期")
    content: Mapped[list[Any]] = c.hidden(c.json("内容", required=True, default=list))

    def __str__(self) -> str:
        """What it is a version of, and which."""
        return f"{self.title} 第 {self.number} 版"


class ConfigProposal(Entity):
    """A change that somebody has made and somebody else must publish (四眼); until then nothing of it holds."""

    spec = Spec(
        "配置发布",
        Module.SYSTEM,
        SpecKind.LEDGER,
        group=MenuGroup.RUNNING,
        title="title",
        listed=(
            "proposed_at",
            "table_name",
            "title",
            "act",
            "summary",
            "reason",
            "proposed_by",
            "state",
            "decided_by",
            "decided_at",
        ),
        searched=("title", "summary"),
        filtered=("state", "table_name", "proposed_by_id"),
        order="-id",
        scope=_OWNERS,
        state="state",
        rank=119,
        help="哪些配置须由另一人发布，由系统参数“须由第二人发布的配置”决定；提交人不能发布自己的变更。",
    )
    __table_args__ = (
        CheckConstraint(
            "(state = 'PENDING') = (decided_at IS NULL)", name="ck_config_proposal_decided"
        ),
        Index("ix_config_proposal_object", "table_name", "object_key"),
    )

    table_name: Mapped[str] = c.text("配置", 64, required=True, index=True)
    record_id: Mapped[int | None] = c.hidden(c.whole("记录序号"))
    object_key: Mapped[str] = c.text("编码", 300, required=True)
    title: Mapped[str] = c.text("名称", 200, required=True)
    act: Mapped[VersionAct] = c.enum("方式", VersionAct, required=True)
    summary: Mapped[str | None] = c.text("变更内容", 500)
    state: Mapped[ProposalState] = c.state("状态", ProposalState, ProposalState.PENDING)
    proposed_by_id: Mapped[int] = c.reference("提交人", "employee", required=True)
    proposed_by: Mapped[Employee] = c.related(proposed_by_id)
    proposed_at: Mapped[datetime] = c.moment("提交时间", required=True)
    reason: Mapped[str | None] = c.text("变更原因", 200)
    before: Mapped[list[Any]] = c.hidden(c.json("现行内容", required=True, default=list))
    content: Mapped[list[Any]] = c.hidden(c.json("新的内容", required=True, default=list))
    decided_by_id: Mapped[int | None] = c.reference("办理人", "employee", use_alter=True)
    decided_by: Mapped[Employee | None] = c.related(decided_by_id)
    decided_at: Mapped[datetime | None] = c.moment("办理时间")
    refusal: Mapped[str | None] = c.text("拒绝原因", 200)


class RuleExample(Entity):
    """What a rule must say of an input: it stands with the piece of configuration and is asked at each save (X15).

    `facts` are values by the labels of the rule, as people typed them, references by natural key.
    """

    spec = Spec("规则样例", Module.SYSTEM, SpecKind.INTERNAL, title="title", in_menu=False)
    __table_args__ = (
        UniqueConstraint(
            "table_name", "object_key", "field", "title", name="uq_rule_example_title"
        ),
    )

    table_name: Mapped[str] = c.text("配置", 64, required=True)
    object_key: Mapped[str] = c.text("编码", 300, required=True)
    field: Mapped[str] = c.text("规则", 64, required=True)
    title: Mapped[str] = c.text("样例名称", 60, required=True)
    facts: Mapped[dict[str, Any]] = c.json("输入", required=True)
    is_met: Mapped[bool] = c.flag("应当符合", default=True)
