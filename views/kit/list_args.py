"""What the address of a list asks for, read once; whatever makes no sense is left out and named."""

from collections.abc import Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from models.base.entity import STAMPS, Entity
from reports.base import search
from reports.rules.tree import RuleError
from views.kit import edge, filters, groups, rules
from views.kit.cells import Cells
from views.kit.interface import shape, valid_id
from views.kit.lists import MAX_COLUMNS, MAX_SIZE, MAX_TEXT, UNSORTED, ListQuery
from workflows.base.context import Ctx

MAX_RULE = 300  # a longer one does not fit into an address


@dataclass(frozen=True)
class Habits:
    """What a reader has chosen before, for an address that says nothing about it."""

    size: int = 20
    columns: Sequence[str] = ()
    order: str = ""


def read_list(
    ctx: Ctx,
    model: type[Entity],
    args: "MultiDict[str, str]",
    path: str,
    habits: Habits = Habits(),
) -> ListQuery:
    """Understand the arguments of a list's address; whatever makes no sense is left out and named."""
    asked = ListQuery(ctx, model, Cells(ctx, model), args, path, size=habits.size)
    asked.filters, problems = filters.parse(ctx, model, args.getlist("f"), asked.cells)
    asked.unread = problems
    _read_rule(asked)
    asked.problems = [*asked.unread]
    asked.names = _names(asked, habits.columns)
    asked.order = _order(asked, habits.order)
    groups.read(asked)
    asked.text = _text(asked)
    asked.size = _number(asked, "size", asked.size, MAX_SIZE, "每页行数")
    asked.page = _number(asked, "page", 1, edge.ID_MAX // MAX_SIZE, "页码")
    return asked


def _names(asked: ListQuery, chosen: Sequence[str]) -> list[str]:
    known, allowed = shape(asked.model), set(available(asked.model))
    listed = known.listed() or [n for n in known.visible() if n not in STAMPS][:8]
    wanted = [
        name for part in asked.args.getlist("cols")[:5] for name in part[:2000].split(",") if name
    ]
    if not wanted:
        return [name for name in chosen if name in allowed] or listed
    names = [name for name in dict.fromkeys(wanted) if name in allowed]
    if len(names) < len(set(wanted)):
        asked.problems.append("部分列不存在，已忽略")
    return names[:MAX_COLUMNS] or listed


def available(model: type[Entity]) -> list[str]:
    """Columns that the column chooser offers: the listed ones first, then the rest of the model."""
    known = shape(model)
    listed = known.listed()
    taken = {known.key(name) for name in listed}
    rest = [n for n in known.visible() if n not in taken and known.facts(n).kind != "long_text"]
    return listed + rest


def chooser(asked: ListQuery) -> list[tuple[str, str, bool]]:
    """Columns with their labels, the shown ones first in their order."""
    rest = [name for name in available(asked.model) if name not in asked.names]
    known = shape(asked.model)
    return [(name, known.label(name), name in asked.names) for name in (*asked.names, *rest)]


def search_hint(model: type[Entity]) -> str:
    """What the search box looks through; empty where there is no box."""
    known = shape(model)
    words = ((known.label(name), search.is_whole(model, name)) for name in model.spec.searched)
    return "、".join(f"{label}（须完整）" if is_whole else label for label, is_whole in words)


def can_order(model: type[Entity], order: str) -> bool:
    """Whether a list can be sorted so: by its order from the start, or by one column of its own."""
    known, name = shape(model), order.removeprefix("-")
    key = known.key(name) if name else None
    if order and order == model.spec.order:
        return True
    return key is not None and known.fields[key].kind not in UNSORTED and not known.facts(name).mask


def _order(asked: ListQuery, habit: str) -> str:
    order = asked.args.get("order", "")
    if order and can_order(asked.model, order):
        return order
    if order:
        asked.problems.append("不能按这一列排序，已按默认顺序显示")
    elif can_order(asked.model, habit):
        return habit
    return asked.model.spec.order


def _read_rule(asked: ListQuery) -> None:
    """高级条件: a rule in words (X13), as one more condition."""
    text = asked.args.get("rule", "").strip()
    if not text:
        return
    try:
        if len(text) > MAX_RULE:
            raise RuleError(f"高级条件最长 {MAX_RULE} 个字")
        asked.rule = rules.as_filter(asked.ctx, asked.model, text)
    except RuleError as problem:
        asked.unread.append(f"高级条件无法识别（{problem}）")


def _text(asked: ListQuery) -> str:
    text = asked.args.get("q", "").replace("\x00", "").strip()
    if len(text) > MAX_TEXT:
        asked.problems.append(f"搜索内容最多 {MAX_TEXT} 个字，已截断")
    if text and not asked.model.spec.searched:
        asked.problems.append("此列表不支持全文搜索，请使用筛选条件")
        return ""
    return text[:MAX_TEXT]


def _number(asked: ListQuery, name: str, default: int, maximum: int, label: str) -> int:
    text = asked.args.get(name, "")
    if not text:
        return default
    number = valid_id(text)
    if number is None:
        asked.problems.append(f"{label}无效，已使用 {default}")
        return default
    if number > maximum:
        asked.problems.append(f"{label}最大为 {maximum}")
    return min(number, maximum)
