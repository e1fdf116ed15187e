"""Entity, the base of every table, and Spec, what an entity says about itself.

Adding an entity = one model class: screens, REST, permissions, menu entry, audit and tests follow from its Spec
and columns.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple

from flask_appbuilder import Model
from sqlalchemy import Column, PrimaryKeyConstraint, Table, UniqueConstraint, event, inspect
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from models.base import columns as c
from models.base.fields import FieldFacts, facts_of, said, say
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.rows import SeedRow


@dataclass(frozen=True)
class Scope:
    """Which columns decide who may read a row (X5).

    `owner` and `department` are column names on this model; `through` is a relationship whose own scope holds (child
    tables); `members` are further employee columns that let their holder read; `hangs_on` are the columns that name
    table and id of the record that a row belongs to (a file, a remark, a line of the trail): its readers are those of
    that record, whatever their own scope says. All empty: everybody with the permission reads every row, which is
    refused unless the table stands in `models.open_tables`.
    """

    owner: str = ""
    department: str = ""
    through: str = ""
    members: tuple[str, ...] = ()
    hangs_on: tuple[str, str] | None = None

    @property
    def is_open(self) -> bool:
        """No row of this table is anybody's own."""
        return not (self.owner or self.department or self.through or self.members or self.hangs_on)


@dataclass(frozen=True)
class Config:
    """What the table of a piece of configuration says: each change of it is kept as a version (X15).

    Rows that share the columns `of` are one thing (the values of a parameter, the versions of a flow); of nothing else
    they are each their own by `Spec.key`. Rows that are its parts belong to it. `since` is the column with the day
    from which a row holds; with `is_dated` rows of days gone by are history and stay. Only rows in a state of
    `in_force` count. `label` is the kind of configuration where the label of the entity does not name it.
    """

    of: tuple[str, ...] = ()
    since: str = ""
    is_dated: bool = False
    in_force: tuple[Kind, ...] = ()
    label: str = ""


@dataclass(frozen=True)
class Decides:
    """What who decides on a record may be let fill in at a node (A10): any of `free`; of `lowered` less, never more.

    Custom fields of the record may be asked for as well. Both are empty where only those are.
    """

    free: tuple[str, ...] = ()
    lowered: tuple[str, ...] = ()


@dataclass(frozen=True)
class News:
    """What the news of a project (最近动态) say of such rows.

    `made` is a head and what each new row adds to it, `moved` are (column, new value as the trail keeps it or None for
    any, words); `{column}` in the words stands for the row's value. Of all that one click wrote the lowest `rank` is
    told.
    """

    rank: int = 1000
    made: tuple[str, str] | None = None
    moved: tuple[tuple[str, Any, str], ...] = ()


@dataclass(frozen=True)
class Found:
    """How the global search finds rows by any part of their searched columns, and what it says of each.

    `words` puts a row into words, `loads` are the relations (dotted) that it needs, `rank` its place among the kinds.
    """

    rank: int = 100
    words: Callable[[Any], str] = str
    loads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spec:
    """What an entity says about itself.

    `listed` are list columns in order (relationship names allowed), `searched` the columns of the bigram search,
    `filtered` those offered as filters (all indexed), `order` the default sort ('-created_at', 'statement,row_no'),
    `line` the column that says how far a record has come and `runs` the states in which it goes on, `key` the natural
    key for imports, `sums` the money columns summed under lists, `drafts` the (state column, states) in which a
    document may still be edited or deleted, `saved_by` the permission verbs (add/edit/delete) that the generated
    screens offer, `tree` the column that says how deep a row stands (a level, or a path such as '/1/4/'): the list in
    its own order is indented by it, `group` where the menu folds it away with others, `rank` its place among them,
    `news` what the news of a project say of it, `seeds` the base data that it brings (its number rule, its approval),
    `demo` rows of the demonstration as a form would send them, a reference as the title of its record or * for any,
    `config` what makes it configuration,
    `on_sheet` further columns, also long texts, that the 审批单 prints beside the listed ones, `found` how the global
    search finds it, `roles` what built-in roles may do with it instead of what their level for its module says
    (models/base/rights.py), `reveals` the roles that see its masked values,
    `in_grid` the columns of its rows in the grid of their owner where there are too many for one,
    `approvals` the business types under which its records are put up, with what may be filled in by who decides,
    `aliases` further names that files give columns, `is_imported` whether rows may come from files at all,
    `is_partial` whether those of a file that are right may come in without the others.
    """

    label: str
    module: Module
    kind: SpecKind = SpecKind.MASTER
    title: str = "name"
    listed: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    filtered: tuple[str, ...] = ()
    order: str = "-id"
    line: str = ""
    runs: tuple[Kind, ...] = ()
    key: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    scope: Scope = field(default_factory=Scope)
    tree: str = ""
    state: str = ""
    drafts: tuple[Kind, ...] = ()
    saved_by: tuple[str, ...] = ("add", "edit", "delete")
    rank: int = 100
    group: MenuGroup | None = None
    in_menu: bool = True
    help: str = ""
    news: News = field(default_factory=News)
    seeds: tuple[SeedRow, ...] = ()
    on_sheet: tuple[str, ...] = ()
    found: Found | None = None
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reveals: tuple[str, ...] = ()
    demo: tuple[Mapping[str, str], ...] = ()
    config: Config | None = None
    approvals: Mapping[str, Decides] = field(default_factory=dict)
    in_grid: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_imported: bool = True
    is_partial: bool = False

    @property
    def takes_files(self) -> bool:
        """Whether rows may be brought in from files: master data that people add by a form (X3)."""
        return self.is_imported and self.kind is SpecKind.MASTER and "add" in self.saved_by


@cache
def _by_table() -> dict[str, type["Entity"]]:
    found: dict[str, type[Entity]] = {}
    queue: list[type[Entity]] = list(Entity.__subclasses__())
    while queue:
        model = queue.pop()
        queue.extend(model.__subclasses__())
        if "spec" in model.__dict__ and not model.__dict__.get("__abstract__", False):
            found[model.__tablename__] = model
    return {name: found[name] for name in sorted(found)}


def snake(name: str) -> str:
    """CamelCase to snake_case, the table name of a class."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


@event.listens_for(Table, "before_create")
def _never_give_an_id_twice(table: Table, _connection: Any, **_options: Any) -> None:
    """SQLite would hand the id of the last deleted row on, and with it that record's trail."""
    if table.autoincrement_column is not None and len(table.primary_key.columns) == 1:
        table.dialect_options["sqlite"]["autoincrement"] = True


# The key of a row, wherever a table declares it.
SERIAL: Final = FieldFacts(label="序号", kind="int", is_hidden=True, is_nullable=False)


class Entity(Model):
    """Base of every table: id, version for the optimistic lock, stamps, and `extra` for custom fields."""

    __abstract__ = True
    # extend_existing of the framework's base would hide a table declared twice.
    __table_args__: Any = {}
    spec: ClassVar[Spec]
    # Relations that the words of a row (`__str__`) are made of, read with it where many are named.
    named_with: ClassVar[tuple[str, ...]] = ()

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 - SQLAlchemy calls it on the class
        return snake(cls.__name__)

    @declared_attr
    def id(cls) -> Mapped[int]:  # noqa: N805
        """Surrogate key."""
        return mapped_column(primary_key=True, sort_order=-100, info=said(SERIAL))

    @declared_attr
    def version(cls) -> Mapped[int]:  # noqa: N805
        """Counts saves; travels in forms and REST."""
        return mapped_column(
            default=1,
            nullable=False,
            sort_order=900,
            info=said(
                FieldFacts(
                    label="版本",
                    kind="int",
                    is_hidden=True,
                    is_nullable=False,
                    default=1,
                    has_default=True,
                )
            ),
        )

    @declared_attr
    def extra(cls) -> Mapped[dict[str, Any]]:  # noqa: N805
        """Values of custom fields by their code."""
        column = c.hidden(c.json("自定义字段"))
        column.column.nullable = False
        say(column.column, is_nullable=False)
        column._sort_order = 901  # noqa: SLF001 - keeps stamps behind the business columns in the table
        return column

    @declared_attr
    def created_at(cls) -> Mapped[datetime | None]:  # noqa: N805
        """When the row was made."""
        return c.computed(c.moment("创建时间"))

    @declared_attr
    def created_by_id(cls) -> Mapped[int | None]:  # noqa: N805
        """Employee who made the row; None for the system."""
        return c.computed(c.reference("创建人", "employee", index=False, use_alter=True))

    @declared_attr
    def updated_at(cls) -> Mapped[datetime | None]:  # noqa: N805
        """When the row was last saved."""
        return c.computed(c.moment("更新时间"))

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        # The lock is checked by the database in the same UPDATE: two savers cannot both win.
        return {"version_id_col": cls.__dict__.get("version") or cls.version}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """A new entity makes the list of entities out of date."""
        super().__init_subclass__(**kwargs)
        _by_table.cache_clear()
        _parts.cache_clear()

    def __str__(self) -> str:
        """What look-ups, titles and messages call this record."""
        return str(getattr(self, self.spec.title, None) or f"{self.spec.label} {self.id}")


STAMPS: Final = ("id", "version", "extra", "created_at", "created_by_id", "updated_at")


def entities() -> list[type[Entity]]:
    """Every mapped entity class, in the order of their table names."""
    return list(_by_table().values())


def entity_of(table: str) -> type[Entity]:
    """The entity class of a table name; KeyError if there is none."""
    return _by_table()[table]


def columns_of(model: type[Entity]) -> dict[str, Column[Any]]:
    """Columns by attribute name, joined-inheritance parents included, stamps last."""
    mapper = inspect(model)
    named = {attr.key: attr.columns[0] for attr in mapper.column_attrs}
    ordered = [k for k in named if k not in STAMPS] + [k for k in STAMPS if k in named]
    return {k: named[k] for k in ordered}


def fields_of(model: type[Entity]) -> dict[str, FieldFacts]:
    """What each column says about itself, in the same order."""
    return {name: facts_of(column) for name, column in columns_of(model).items()}


def indexed(model: type[Entity]) -> frozenset[str]:
    """The columns that an index finds rows by: it begins with them, or with a state before them, which are few."""
    return _indexed(str(model.__tablename__))


@cache
def _indexed(name: str) -> frozenset[str]:
    found: set[str] = set()
    model = entity_of(name)
    for table in inspect(model).tables:
        assert isinstance(table, Table)
        sets = [[column.name] for column in table.columns if column.unique or column.index]
        sets += [[column.name for column in index.columns] for index in table.indexes]
        sets += [
            [column.name for column in one.columns]
            for one in table.constraints
            if isinstance(one, UniqueConstraint | PrimaryKeyConstraint)
        ]
        for names in sets:
            found |= set(names[:2] if names[:1] == ["state"] else names[:1])
    columns = columns_of(model)
    return frozenset(name for name, column in columns.items() if column.name in found)


def label_of(model: type[Entity], name: str) -> str:
    """Chinese label of a column or relationship."""
    found = fields_of(model)
    known = found.get(name) or found.get(f"{name}_id")
    return known.label if known else name


def owner_of(model: type[Entity]) -> tuple[str, type[Entity]] | None:
    """(relationship name, owning entity) if rows of this model are part of another record, else None."""
    for name, facts in fields_of(model).items():
        if facts.is_owner:
            return name.removesuffix("_id"), entity_of(facts.target)
    return None


class PartOf(NamedTuple):
    """Rows of `model` that belong on the page of the record that their column `link` names."""

    model: type[Entity]
    link: str
    part: c.Part


@cache
def _parts(owner: str) -> tuple[PartOf, ...]:
    tables = {str(table.name) for table in inspect(entity_of(owner)).tables}
    found = [
        PartOf(model, name, facts.part)
        for model in entities()
        for name, facts in fields_of(model).items()
        if facts.part is not None and facts.target in tables
    ]
    for one in found:
        _require_line(entity_of(owner), one)
    return tuple(sorted(found, key=lambda one: one.part.rank))


def _require_line(owner: type[Entity], one: PartOf) -> None:
    """Raise ValueError for a part that waits for places which its owner never reaches: its tab would stay silent."""
    spec, asked = owner.spec, (*one.part.adds, *one.part.opens, *filter(None, [one.part.since]))
    known = fields_of(owner)[spec.line].choices if spec.line else None
    strange = [kind for kind in asked if known is None or not isinstance(kind, known)]
    if strange:
        raise ValueError(
            f"{one.model.__name__}: {strange} is no place on the line of {owner.__name__} (Spec.line)"
        )
    if one.part.adds and not spec.runs:
        raise ValueError(f"{one.model.__name__}: adds, but {owner.__name__} never runs (Spec.runs)")


def parts_of(owner: type[Entity]) -> dict[str, PartOf]:
    """What stands on the page of such a record, by table, in the order of its tabs: the parts say so themselves."""
    return {str(one.model.__tablename__): one for one in _parts(str(owner.__tablename__))}


def editable_columns(model: type[Entity]) -> list[str]:
    """Columns that a person may fill in: no stamps, states, computed or hidden ones."""
    return [
        name
        for name, col in columns_of(model).items()
        if name not in STAMPS and not col.primary_key and facts_of(col).is_filled_in
    ]
