"""Everything that points to a customer, found from the model: what goes over when two are merged (10.2).

A foreign key to customers goes over unless it stands in `KEPT` with its reason; so do custom fields that refer to
customers, and what hangs on a customer by table and number.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Table, UniqueConstraint, func, inspect, select
from sqlalchemy.orm import Session

from models.base.entity import STAMPS, Entity, entities, fields_of
from models.base.fields import FieldFacts
from models.customer.customer import Customer
from models.system.errand import Errand
from models.system.records import Attachment, Comment
from reports.figures.custom_fields import fields_now

TABLES: Final = frozenset({"customer", "personal_customer", "corporate_customer"})
# (table, field) that stays with the merged customer, each with why.
KEPT: Final[Mapping[tuple[str, str], str]] = {
    ("voucher_entry", "customer_id"): "已记账的分录不改",
    ("business_event", "customer_id"): "已办结的复核事项随分录",
    ("asset_split", "customer_id"): "已留存的月末资产分级依据不改",
    ("customer_merge", "merged_id"): "合并单自己",
    ("customer_merge", "kept_id"): "合并单自己",
}
# What hangs on records by table and number, and is no history of what was: it goes over as well.
HANGING: Final[tuple[type[Entity], ...]] = (Attachment, Comment, Errand)


class Place(NamedTuple):
    """A field of a table that points to a customer."""

    model: type[Entity]
    facts: FieldFacts

    @property
    def key(self) -> tuple[str, str]:
        """Table and field."""
        return str(self.model.__tablename__), self.facts.name

    def points_to(self, customer_id: int) -> ColumnElement[bool]:
        """That a row points to this customer."""
        return self.facts.sql(self.model) == customer_id


def places(session: Session) -> Iterator[Place]:
    """Every field that goes over with a merged customer."""
    for model in entities():
        columns = inspect(model).columns
        for name, facts in fields_now(session, model).items():
            if facts.target not in TABLES or name in STAMPS:
                continue
            column = columns.get(name)
            is_inherited = column is not None and column.table is not inspect(model).local_table
            place = Place(model, facts)
            if not is_inherited and place.key not in KEPT:
                yield place


def rows_of(session: Session, place: Place, customer_id: int) -> list[Entity]:
    """The rows of a place that point to a customer, in the order of their ids."""
    query = select(place.model).where(place.points_to(customer_id))
    return list(session.scalars(query.order_by(place.model.id)))


def counts(session: Session, customer_id: int) -> list[tuple[Place, int]]:
    """The places with rows of a customer and how many, counted in one query."""
    found = list(places(session))
    numbers = [
        select(func.count())
        .select_from(one.model)
        .where(one.points_to(customer_id))
        .scalar_subquery()
        for one in found
    ]
    row = session.execute(select(*numbers)).one()
    return [(place, int(count)) for place, count in zip(found, row, strict=True) if count]


def hanging(session: Session, model: type[Entity], customer_id: int) -> list[Any]:
    """Files, remarks or errands of a customer."""
    owned: Any = model
    query = select(owned).where(owned.owner_table.in_(TABLES), owned.owner_id == customer_id)
    return list(session.scalars(query.order_by(owned.id)))


def clashes(session: Session, merged: Customer, kept: Customer) -> list[str]:
    """What both customers have and one may have only once, in words."""
    found = []
    for place in places(session):
        for names, where in _once(place):
            if both := _values(session, place, names, where, merged.id) & _values(
                session, place, names, where, kept.id
            ):
                found.append(f"{place.model.spec.label}（{len(both)} 条相同）")
    return list(dict.fromkeys(found))


def _once(place: Place) -> Iterator[tuple[list[str], Any]]:
    """The other columns, and the condition, of each rule by which a customer has something once."""
    name = place.facts.name
    known = fields_of(place.model)
    if name not in known:  # a custom field: no rule of the database
        return
    for table in inspect(place.model).tables:
        assert isinstance(table, Table)
        for names, where in _unique(table):
            if name in names and all(one in known for one in names):
                yield [one for one in names if one != name], where


def _unique(table: Table) -> Iterator[tuple[list[str], Any]]:
    for column in table.columns:
        if column.unique:
            yield [column.name], None
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield [column.name for column in constraint.columns], None
    for index in table.indexes:
        if index.unique:
            yield (
                [column.name for column in index.columns],
                index.dialect_options["sqlite"]["where"],
            )


def _values(
    session: Session, place: Place, names: list[str], where: Any, customer_id: int
) -> set[tuple[Any, ...]]:
    known = fields_of(place.model)
    columns = [known[name].sql(place.model) for name in names] or [func.count()]
    query = select(*columns).where(place.points_to(customer_id))
    if where is not None:
        query = query.where(where)
    if names:
        return {tuple(row) for row in session.execute(query) if None not in tuple(row)}
    return {("one",)} if session.scalar(query) else set()
