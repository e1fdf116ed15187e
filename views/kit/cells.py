"""How values look: one formatter from a record's column to a cell, with masks, times and titles of references."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from models.base.entity import Entity
from models.base.kinds import Kind
from models.base.masks import mask
from models.base.moments import local
from models.base.money import format_money
from models.system.setup import PARAMETER_CHOICES, job_label, number_sample
from reports.base.scope import may_act
from reports.figures import dictionaries
from reports.rules import formula
from views.kit.interface import Titles, model_of, shape
from views.kit.pages import Cell
from workflows.base.context import Ctx

NONE = "—"
NUMBERS = ("money", "rate", "int")


# What the system's own notes call things: codes that only programs write, in the words of readers.
ACTIONS = {
    "CREATE": "新增",
    "UPDATE": "修改",
    "DELETE": "删除",
    "REVEAL": "查看原值",
    "OPEN": "打开文书",
    "EXPORT": "导出",
    "IMPORT": "导入",
    "ATTACH": "上传附件",
    "DETACH": "删除附件",
    "RECLASS": "附件改类",
    "RENEW": "续保",
    "ISSUE": "出具文书",
    "RESOLUTION": "公司决议",
    "EXPIRE": "到期失效",
    "CANCEL": "撤回",
    "VOID": "作废",
    "AGENDA": "撤下议题",
    "RESUBMIT": "重新上会",
    "TERMINATE": "终止办理",
    "GRANT": "授予角色",
    "PASSWORD": "密码变更",
    "UNLOCK": "解除锁定",
    "END_SESSION": "结束登录会话",
    "SEAL": "封存记录",
    "ADOPT": "封存起点",
    "VERIFY": "文档核验",
    "CORRECT": "更正",
    "REVOKE": "撤销",
    "PURGE": "清理",
}
DOORS = {
    "screen": "页面",
    "rest": "接口",
    "import": "导入",
    "job": "作业",
    "cli": "命令行",
    "demo": "演示",
    "login": "登录",
}


_CHOICES = {code: label for words in PARAMETER_CHOICES.values() for code, label in words.items()}


def table_label(table: str) -> str:
    """What readers call the records of a table."""
    model = model_of(table)
    return model.spec.label if model is not None else table


# Text columns that hold such codes: (table, column) -> what to show.
WORDS: dict[tuple[str, str], Callable[[str], str]] = {
    ("audit_log", "action"): lambda code: ACTIONS.get(code, "业务操作"),
    ("audit_log", "source"): lambda code: DOORS.get(code, code),
    ("audit_log", "table_name"): table_label,
    ("job_run", "job"): job_label,
    ("number_rule", "pattern"): number_sample,
    # The codes of different parameters differ, so the code alone says what it means.
    ("parameter", "value"): lambda text: _CHOICES.get(text, text),
}


def size_text(size_bytes: int) -> str:
    """How big a file is: 0.3 KB, 12.0 KB, 3.4 MB."""
    size = size_bytes / 1024
    return f"{size / 1024:,.1f} MB" if size >= 1024 else f"{max(size, 0.1):.1f} KB"


def rate_text(value: Decimal) -> str:
    """A rate without trailing zeros, but never with fewer than two places: 4.35, 12.00, 0.012."""
    whole, _, places = f"{value:f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def format_value(value: Any, kind: str) -> str:
    """A plain value as people read it; — for none."""
    if value is None or value == "":
        return NONE
    if isinstance(value, bool) or kind == "bool":
        return "是" if value else "否"
    if isinstance(value, Enum):
        return str(value.value)
    if kind == "money":
        return format_money(Decimal(value))
    if kind == "rate":
        return rate_text(Decimal(value))
    if isinstance(value, datetime):
        return local(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


class Cells:
    """Formats the columns of one model for one reader."""

    def __init__(self, ctx: Ctx, model: type[Entity], titles: Titles | None = None) -> None:
        """`titles` may be shared by several formatters of one page."""
        self.ctx = ctx
        self.shape = shape(model)
        self.titles = titles or Titles(ctx.session)
        self.may_reveal = ctx.actor.may("reveal", self.shape.table)

    def reveals(self, record: Entity) -> bool:
        """Whether the reader may look behind the masks of this record."""
        permission = ("reveal", self.shape.table)
        return self.may_reveal and may_act(self.ctx.session, self.ctx.actor, permission, record)

    def prepare(self, records: Sequence[Entity], names: Iterable[str]) -> None:
        """Learn the titles of everything these records refer to in these columns: one query per target table."""
        wanted: dict[str, set[int]] = {}
        shown = [self.shape.facts(name) for name in names]
        formula.prepare(self.ctx.session, self.shape.model, records, shown)
        for facts in shown:
            if facts.target:
                wanted.setdefault(facts.target, set()).update(map(facts.get, records))
        for target, ids in wanted.items():
            self.titles.load(target, ids)
            self.titles.load_beside(target, ids)

    def text(self, name: str, value: Any, *, plain: bool = False) -> str:
        """A value of a column in words; masked unless `plain`."""
        facts = self.shape.facts(name)
        kind = facts.kind
        if value is None or value == "":
            return NONE
        if kind == "dictionary":
            return str(dictionaries.label(self.ctx.session, facts.dictionary, value) or value)
        if kind == "reference":
            return self.titles.text(facts.target, value) or NONE
        if words := WORDS.get((self.shape.table, name)):
            return words(str(value))
        if facts.mask and not plain:
            return mask(str(value), facts.mask)
        return format_value(value, kind)

    def cell(self, record: Entity, name: str) -> Cell:
        """One value of a record as its cell."""
        key = self.shape.key(name)
        if key is None:
            return _free_cell(getattr(record, name, None))
        facts = self.shape.fields[key]
        value = facts.get(record)
        text, kind = self.text(key, value), facts.kind
        if value is None or value == "":
            return Cell(NONE, kind if kind in NUMBERS else "text")
        if kind == "enum":
            tone = value.tone if isinstance(value, Kind) else ""
            return Cell(text, "enum", tone=tone) if facts.is_state else Cell(text)
        if kind == "reference":
            return self._reference(facts.target, value, text)
        if facts.mask:
            reveal = f"/{self.shape.table}/reveal/{record.id}/{key}" if self.reveals(record) else ""
            return Cell(text, "text", reveal_url=reveal)
        return Cell(text, kind if kind in (*NUMBERS, "date", "datetime", "bool") else "text")

    def _reference(self, target: str, record_id: Any, text: str) -> Cell:
        url = record_url(target, record_id) if self.ctx.actor.may("show", target) else ""
        return Cell(
            text, "link" if url else "text", url=url, hint=self.titles.beside(target, record_id)
        )


def _free_cell(value: Any) -> Cell:
    """A property of the model: no column says what it is, so its type does."""
    if isinstance(value, Kind):
        return Cell(str(value), "enum", tone=value.tone)
    kinds = (
        (bool, "bool"),
        (Decimal, "money"),
        (int, "int"),
        (datetime, "datetime"),
        (date, "date"),
    )
    kind = next((name for type_, name in kinds if isinstance(value, type_)), "text")
    return Cell(format_value(value, kind), kind)


def record_url(table: str, record_id: Any) -> str:
    """Address of a record's page; empty where its table has none."""
    model = model_of(table)
    if model is None or record_id is None or not model.spec.kind.has_screen:
        return ""
    return f"/{table}/show/{record_id}"
