"""The one door between screens and tables: every read, the framework's too, passes the data scope here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NoReturn

from flask import g, has_request_context
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import Select, UnaryExpression, func, inspect, select
from sqlalchemy.orm import InstanceState, Session, joinedload, load_only
from sqlalchemy.orm.util import identity_key

from models.base.actor import Actor
from models.base.entity import Entity, editable_columns, entities, fields_of, owner_of
from models.base.errors import NotFound
from models.base.fields import FieldFacts
from models.customer.customer import Customer
from models.guarantee.project import Project
from reports.base.scope import scoped
from reports.figures import custom_fields, dictionaries
from views.kit import edge
from workflows.base.context import Ctx


@dataclass(frozen=True)
class Shape:
    """What the generator asks about a model again and again, worked out once."""

    model: type[Entity]
    fields: dict[str, FieldFacts]
    owner: tuple[str, type[Entity]] | None

    @property
    def table(self) -> str:
        """Table name: the name of the routes and of the permissions."""
        return str(self.model.__tablename__)

    def key(self, name: str) -> str | None:
        """The column behind a listed name: the column itself, or the foreign key of a relationship; None if neither."""
        if name in self.fields:
            return name
        if f"{name}_id" in self.fields:
            return f"{name}_id"
        relations = inspect(self.model).relationships
        if name in relations:
            local = [c.key for c in relations[name].local_columns]
            return next((k for k in local if k in self.fields and k != "id"), None)
        return None

    def facts(self, name: str) -> FieldFacts:
        """What the field behind a listed name says; a plain text called by that name where there is none."""
        key = self.key(name)
        return self.fields[key] if key else FieldFacts(name, name)

    def editable(self) -> list[str]:
        """Fields that a person may fill in, in their order."""
        return [
            *editable_columns(self.model),
            *(n for n, facts in self.fields.items() if facts.kept_in != n and facts.is_filled_in),
        ]

    def label(self, name: str) -> str:
        """Chinese label of a column, relationship or property."""
        return self.facts(name).label or name

    def listed(self) -> list[str]:
        """Columns of a list: those of the Spec, then those that administrators add to it."""
        own = (n for n, facts in self.fields.items() if facts.is_listed)
        return list(dict.fromkeys((*self.model.spec.listed, *own)))

    def visible(self) -> list[str]:
        """Columns that screens show, in the order of the model."""
        return [
            name
            for name, facts in self.fields.items()
            if facts.label and not facts.is_hidden and facts.kind != "json"
        ]


# By what was defined when they were worked out, mostly nothing.
_SHAPES: dict[type[Entity], tuple[Mapping[str, FieldFacts], Shape]] = {}
_TABLES: dict[str, type[Entity]] = {}


# Whose fields are asked for where no request is being answered: a job's.
_READER: ContextVar[Session | None] = ContextVar("reader", default=None)


@contextmanager
def reading(session: Session) -> Iterator[None]:
    """Let a job see the fields that administrators have defined, as a request does."""
    before = _READER.set(session)
    try:
        yield
    finally:
        _READER.reset(before)


def shape(model: type[Entity]) -> Shape:
    """The shape of a model now: its columns, and in a request or a job what administrators have defined."""
    session = edge.session() if has_request_context() else _READER.get()
    extra: Mapping[str, FieldFacts] = (
        {} if session is None else custom_fields.seen(session, model, _reader(session))
    )
    known = _SHAPES.get(model)
    if known is None or (known[0] is not extra and known[0] != extra):
        made = Shape(model, {**fields_of(model), **extra}, owner_of(model))
        known = _SHAPES[model] = extra, made
    return known[1]


def _reader(session: Session) -> Actor | None:
    """For whom fields are asked: nobody in a request that has not found out yet who it is."""
    ctx: Ctx | None = g.get("ctx") if has_request_context() else session.info.get("ctx")
    return None if ctx is None else ctx.actor


def model_of(table: str) -> type[Entity] | None:
    """The entity of a table name; None for tables of the framework."""
    if not _TABLES:
        _TABLES.update({str(m.__tablename__): m for m in entities()})
    return _TABLES.get(table)


def valid_id(text: Any) -> int | None:
    """A record id from outside, or None where it cannot be one."""
    word = str(text)
    if not (word.isascii() and word.isdecimal()) or len(word) > 10:
        return None
    return int(word) if 0 < int(word) <= edge.ID_MAX else None


class EntityInterface(SQLAInterface):
    """The framework's data model with the data scope built in and its own writing taken out.

    `base_filters` of the framework are not row security; this is: whichever method reads, it reads through `scoped`.
    """

    def select(self, *entities_: Any) -> Select[Any]:
        """A query of the model (or of the given columns) limited to the rows the actor may read."""
        query = select(*entities_) if entities_ else select(self.obj)
        return scoped(query, self.obj, edge.current_ctx().actor)

    def find(self, record_id: Any, *options: Any) -> Entity:
        """The record if it exists and the actor may read it. Raises NotFound."""
        key = valid_id(record_id)
        query = self.select().where(self.obj.id == key).options(*options)
        found = edge.session().scalars(query).unique().one_or_none() if key is not None else None
        if found is None:
            raise NotFound
        return found

    def get(self, id: Any, *args: Any, **kwargs: Any) -> Entity | None:  # noqa: A002 - the framework's word
        """What the framework calls to load one record."""
        try:
            return self.find(id)
        except NotFound:
            return None

    def query(
        self,
        filters: Any = None,
        order_column: str = "",
        order_direction: str = "",
        page: int | None = None,
        page_size: int | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[int, Sequence[Entity]]:
        """What the framework calls to load rows; the generator has its own list, so this one is plain and bounded."""
        size = min(page_size or 20, 200)
        query = (
            self.select().order_by(self.obj.id.desc()).limit(size).offset(max(page or 0, 0) * size)
        )
        total = edge.session().scalar(self.select(func.count(self.obj.id))) or 0
        return total, edge.session().scalars(query).all()

    def get_related_obj(self, col_name: str, value: Any) -> Entity | None:
        """A posted foreign key is looked up through the scope of its own table."""
        return EntityInterface(self.get_related_model(col_name)).get(value)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        message = "records are written by workflows.base.records alone, and grouped by reports"
        raise NotImplementedError(message)

    add = edit = delete = delete_all = _refuse
    query_simple_group = query_month_group = query_year_group = query_model_group = _refuse


class Titles:
    """What referenced records are called, fetched once per table and page instead of once per row."""

    def __init__(self, session: Session) -> None:
        """Start with nothing known."""
        self._session = session
        self._known: dict[tuple[str, int], str] = {}
        self._beside: dict[tuple[str, int], str] = {}

    def forget_many(self, most: int) -> None:
        """Begin anew once there are more than so many: a file of a million rows must not keep them all."""
        if len(self._known) > most:
            self._known.clear()

    def load(self, table: str, ids: Iterable[Any], depth: int = 0) -> None:
        """Learn the titles of these ids of a table with one query."""
        wanted = sorted(
            {int(i) for i in ids if i is not None} - {i for t, i in self._known if t == table}
        )
        model = model_of(table)
        if not wanted or model is None:
            return
        for start in range(0, len(wanted), 500):
            self._load_some(model, wanted[start : start + 500], depth)

    def _load_some(self, model: type[Entity], ids: list[int], depth: int) -> None:
        named = shape(model)
        key = named.key(model.spec.title)
        if key is None or "__str__" in model.__dict__ or depth > 2:
            ids = [one for one in ids if not self._is_read(model, one)]
            beside = [joinedload(getattr(model, name)) for name in model.named_with]
            query = select(model).where(model.id.in_(ids)).options(*beside)
            for record in self._session.scalars(query) if ids else ():
                self._known[named.table, record.id] = str(record)
            return
        facts = named.fields[key]
        if not facts.target:
            ids = [one for one in ids if not self._at_hand(model, key, one)]
            if not ids:
                return
        rows = self._session.execute(
            select(model.id, facts.sql(model)).where(model.id.in_(ids))
        ).all()
        if facts.target:
            self.load(facts.target, (value for _, value in rows), depth + 1)
        for record_id, value in rows:
            self._known[named.table, record_id] = (
                self._words(facts, value) or f"{model.spec.label} {record_id}"
            )

    def _is_read(self, model: type[Entity], record_id: int) -> bool:
        """Take the words of a record that this page has read whole already; false if it has not."""
        record = self._session.identity_map.get(identity_key(model, record_id))
        if record is None:
            return False
        state: InstanceState[Entity] = inspect(record)
        asked = {*inspect(model).column_attrs.keys(), *model.named_with}
        if state.expired or asked & state.unloaded:
            return False
        self._known[shape(model).table, record_id] = str(record)
        return True

    def _at_hand(self, model: type[Entity], key: str, record_id: int) -> bool:
        """Take the title of a record that this page has read already; false if it has not."""
        record = self._session.identity_map.get(identity_key(model, record_id))
        values: dict[str, Any] = inspect(record).dict if record is not None else {}
        words = self._words(shape(model).fields[key], values[key]) if key in values else ""
        if words:
            self._known[shape(model).table, record_id] = words
        return bool(words)

    def _words(self, facts: FieldFacts, value: Any) -> str:
        if facts.target:
            return self.text(facts.target, value)
        if facts.dictionary:
            return dictionaries.label(self._session, facts.dictionary, value)
        return str(value if value is not None else "")

    def load_beside(self, table: str, ids: Iterable[Any]) -> None:
        """Learn what stands beside these references, for tables whose titles are numbers."""
        wanted = sorted(
            {int(i) for i in ids if i is not None} - {i for t, i in self._beside if t == table}
        )
        if wanted and table == "project":
            query = select(Project.id, Customer.name).join(
                Customer, Customer.id == Project.customer_id
            )
            for key, name in self._session.execute(query.where(Project.id.in_(wanted))):
                self._beside[table, key] = name

    def beside(self, table: str, record_id: Any) -> str:
        """Whose project a number is; empty for what speaks for itself."""
        return self._beside.get((table, record_id), "")

    def of(self, record: Entity) -> str:
        """The title of a record at hand: a reference or a code of a dictionary in words."""
        facts = shape(type(record)).facts(record.spec.title)
        if "__str__" in type(record).__dict__ or not (facts.target or facts.dictionary):
            return str(record)
        return self._words(facts, facts.get(record)) or f"{record.spec.label} {record.id}"

    def text(self, table: str, record_id: Any) -> str:
        """The title of one record; loads it alone if it was not loaded with the page."""
        if record_id is None:
            return ""
        if (table, record_id) not in self._known:
            self.load(table, [record_id])
        return self._known.get((table, record_id), "")


def visible_title(titles: Titles, table: str, record_id: Any) -> str:
    """The title of a record that somebody named from outside, if the reader may read it; else nothing."""
    model, key = model_of(table), valid_id(record_id)
    if model is None or key is None or EntityInterface(model).get(key) is None:
        return ""
    return titles.text(table, key)


def narrow(model: type[Entity], names: Iterable[str]) -> Any:
    """Loader option: only the columns that are shown, and what every row needs."""
    known = shape(model)
    always = {
        "id",
        "version",
        known.key(model.spec.title),
        model.spec.state or None,
        model.spec.tree or None,
    }
    keys = {known.key(name) for name in names} | always
    mapped = inspect(model).column_attrs
    kept = {known.fields[key].kept_in for key in keys if key and key in known.fields}
    return load_only(*(getattr(model, name) for name in sorted(kept & {*mapped.keys()})))


def sorting(
    model: type[Entity], order: str, *, after: Sequence[str] = ()
) -> list[UnaryExpression[Any]]:
    """ORDER BY of `column`, `-column` or several of them with commas; empty values come last on every database.

    `after` are columns that break ties. SQLite takes NULL for the smallest value and PostgreSQL for the largest, so
    columns that may be empty say where they go; the others keep the plain form that an index answers.
    """
    known, found = shape(model), {}
    for part in (*order.split(","), *after):
        key = known.key(part.removeprefix("-"))
        if key is None or key in found:
            continue
        facts = known.fields[key]
        field = facts.sql(model)
        sort = field.desc() if part.startswith("-") else field.asc()
        found[key] = sort.nulls_last() if facts.is_nullable else sort
    return list(found.values())
