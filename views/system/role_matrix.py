"""The permission matrix of a role: rows are entities under their menu module, columns what one may do with them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from models.base.entity import Entity, entities, owner_of
from models.base.kinds import Module
from views.kit.pages import Action, Field
from workflows.base.transition import VERBS

Pairs = frozenset[tuple[str, str]]
# Column -> label; `read` stands for list and record page together.
COLUMNS = {
    "read": "查看",
    "add": "新增",
    "edit": "修改",
    "delete": "删除",
    "import": "导入",
    "export": "导出",
    "reveal": "查看原值",
}
_GENERAL = ("list", "show", *tuple(COLUMNS)[1:])
# Resources without an entity of their own.
_OTHERS = {"ab_role": ("角色权限", Module.SYSTEM)}


@dataclass(frozen=True)
class Box:
    """One check box; `value` is table.verb."""

    value: str
    label: str
    is_on: bool


@dataclass
class MatrixRow:
    """One entity: a box per column (None where there is no such permission), and its named verbs."""

    label: str
    table: str
    level: int
    boxes: list[Box | None]
    verbs: list[Box]


@dataclass
class MatrixPage:
    """What role.html draws."""

    title: str
    action_url: str
    fields: list[Field]
    groups: list[tuple[str, list[MatrixRow]]]
    version: int
    may_edit: bool = True
    notice: str = ""
    facts: str = ""
    errors: list[tuple[str, str, str]] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    columns: tuple[str, ...] = tuple(COLUMNS.values())


def matrix(granted: Pairs, known: Pairs) -> list[tuple[str, list[MatrixRow]]]:
    """The rows by module in the order of the menu; only permissions that exist get a box."""
    by_module: dict[Module, list[MatrixRow]] = {}
    tables = {table for _, table in known}
    for label, table, module, level in _resources():
        if table in tables:
            by_module.setdefault(module, []).append(_row(label, table, level, granted, known))
    return [(module.label, by_module[module]) for module in Module if module in by_module]


def _resources() -> Iterator[tuple[str, str, Module, int]]:
    """(label, table, module, level): parts of a record follow their owner."""
    models = entities()
    children: dict[type[Entity], list[type[Entity]]] = {}
    tops: list[type[Entity]] = []
    for model in models:
        owner = owner_of(model)
        if owner is None:
            tops.append(model)
        else:
            children.setdefault(owner[1], []).append(model)
    for top in sorted(tops, key=lambda m: (m.spec.rank, m.__tablename__)):
        yield from _with_parts(top, children, top.spec.module, 0)
    for table, (label, module) in _OTHERS.items():
        yield label, table, module, 0


def _with_parts(
    model: type[Entity],
    children: dict[type[Entity], list[type[Entity]]],
    module: Module,
    level: int,
) -> Iterator[tuple[str, str, Module, int]]:
    yield model.spec.label, str(model.__tablename__), module, level
    for child in sorted(children.get(model, []), key=lambda m: (m.spec.rank, m.__tablename__)):
        yield from _with_parts(child, children, module, min(level + 1, 3))


def _row(label: str, table: str, level: int, granted: Pairs, known: Pairs) -> MatrixRow:
    boxes: list[Box | None] = []
    for verb, name in COLUMNS.items():
        real = (
            next((v for v in ("list", "show") if (f"can_{v}", table) in known), "list")
            if verb == "read"
            else verb
        )
        has = (f"can_{real}", table) in known
        boxes.append(
            Box(f"{table}.{verb}", name, (f"can_{real}", table) in granted) if has else None
        )
    own = sorted(
        permission.removeprefix("can_")
        for permission, resource in known
        if resource == table and permission.removeprefix("can_") not in _GENERAL
    )
    verbs = [
        Box(f"{table}.{verb}", _label(table, verb), (f"can_{verb}", table) in granted)
        for verb in own
    ]
    return MatrixRow(label, table, level, boxes, verbs)


def _label(table: str, verb: str) -> str:
    declared = VERBS.get((table, verb))
    return declared.label if declared else verb
