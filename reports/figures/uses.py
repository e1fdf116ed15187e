"""Everything that uses a record (X15): what is asked before it is deleted, renamed or switched off.

References are found from the model: foreign keys, references and dictionary codes of custom fields, and the texts of
rules. What else a table is used by is said once by a finder beside it (`finds`).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, inspect, select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalFlow, ApprovalNode, FlowState, NodeChooser
from models.base.custom import CustomFacts
from models.base.entity import STAMPS, Entity, entities, entity_of
from models.base.fields import FieldFacts
from models.base.kinds import SpecKind
from models.ledger.statement import StatementRow
from models.system.custom_field import CustomField
from models.system.role import RoleProfile
from models.system.setup import DictionaryItem, DictionaryType, NumberRule, Parameter
from reports.figures.custom_fields import fields_now
from reports.figures.rule_texts import RuleText, rule_texts


@dataclass(frozen=True)
class Use:
    """One place that uses a record, in words; `count` rows of `table`, which a list shows under `condition`.

    A place that is no row (a column of the product, a rule) has no count. `record_id` is the only row, where it is one.
    What does not stand in the way of a deletion is only worth knowing.
    """

    what: str
    count: int = 0
    table: str = ""
    condition: str = ""
    record_id: int | None = None
    is_in_the_way: bool = True

    def __str__(self) -> str:
        """As messages name it."""
        return f"{self.count} 条{self.what}" if self.count else self.what


Finder = Callable[[Session, Any], Iterable[Use]]
_FINDERS: dict[type[Entity], list[Finder]] = {}


def finds(model: type[Entity]) -> Callable[[Finder], Finder]:
    """Register what else may use rows of `model`: (session, record) -> uses."""

    def register(finder: Finder) -> Finder:
        _FINDERS.setdefault(model, []).append(finder)
        return finder

    return register


def uses(session: Session, record: Entity) -> list[Use]:
    """What uses this record, by what it is called; its own parts, files and remarks apart. Asks a few queries."""
    found = [*_counted(session, list(_places(session, record)))]
    for finder in _FINDERS.get(type(record), ()):
        found += finder(session, record)
    return found


def in_words(found: Iterable[Use]) -> str:
    """The uses in one line, each named once."""
    return "、".join(dict.fromkeys(str(one) for one in found))


@dataclass(frozen=True)
class _Place:
    model: type[Entity]
    facts: FieldFacts
    where: ColumnElement[bool]
    value: object


def _places(session: Session, record: Entity) -> Iterator[_Place]:
    """Where rows may refer to a record: keys of tables, and references that administrators have defined."""
    tables = {str(table.name) for table in inspect(type(record)).tables}
    for model in entities():
        for name, facts in fields_now(session, model).items():
            if facts.target in tables and name not in STAMPS and not _lets_go(model, name):
                yield _Place(model, facts, facts.sql(model) == record.id, record.id)


def _lets_go(model: type[Entity], name: str) -> bool:
    """Whether the database takes the row along, or goes on without the key; a parent's columns are asked there."""
    column = inspect(model).columns.get(name)
    if column is None:
        return False
    is_inherited = column.table is not inspect(model).local_table
    acts = {(key.ondelete or "").upper() for key in column.foreign_keys}
    return is_inherited or not acts.isdisjoint(("CASCADE", "SET NULL"))


def _counted(session: Session, places: list[_Place]) -> Iterator[Use]:
    """The places with rows, counted in one query."""
    if not places:
        return
    counts = session.execute(select(*(_count(one) for one in places))).one()
    for one, count in zip(places, counts, strict=True):
        if count:
            condition = f"{one.facts.name}:eq:{one.value}" if _is_shown(one) else ""
            yield Use(one.model.spec.label, count, str(one.model.__tablename__), condition)


def _count(one: _Place) -> Any:
    query: Select[Any] = select(func.count()).select_from(one.model).where(one.where)
    return query.scalar_subquery()


def _is_shown(one: _Place) -> bool:
    """Whether the list of the table can be narrowed by the field."""
    return one.model.spec.kind.has_screen and (
        one.facts.is_filtered or one.facts.name in one.model.spec.filtered
    )


# ------------------------------------------------------------------------------------------------------- dictionaries
@finds(DictionaryItem)
def of_item(session: Session, item: DictionaryItem) -> Iterator[Use]:
    """Rows that hold the code, items below it, and rules that name it."""
    code = item.dictionary_type.code
    yield from holding(session, code, item.code)
    below = select(func.count()).where(
        DictionaryItem.dictionary_type_id == item.dictionary_type_id,
        DictionaryItem.parent_code == item.code,
    )
    if count := session.scalar(below):
        yield Use("下级条目", count, "dictionary_item", f"parent_code:eq:{item.code}")
    yield from _of_rules(session, lambda text: (code, item.code) in text.codes)


def holding(session: Session, dictionary: str, code: str) -> Iterator[Use]:
    """Rows that hold a code of a dictionary."""
    drawing = list(_drawing_on(session, dictionary))
    places = [_Place(model, facts, facts.sql(model) == code, code) for model, facts in drawing]
    yield from _counted(session, places)


@finds(DictionaryType)
def of_dictionary(session: Session, dictionary: DictionaryType) -> Iterator[Use]:
    """The fields that draw on it."""
    for model, facts in _drawing_on(session, dictionary.code):
        yield Use(f"“{model.spec.label}”的字段“{facts.label}”", table=str(model.__tablename__))


def _drawing_on(session: Session, code: str) -> Iterator[tuple[type[Entity], FieldFacts]]:
    """Fields of a dictionary; what a log holds is history, and a parent's columns are counted with its heirs."""
    for model in entities():
        if model.spec.kind is SpecKind.LOG or model.__subclasses__():
            continue
        for facts in fields_now(session, model).values():
            if facts.dictionary == code:
                yield model, facts


# ------------------------------------------------------------------------------------------------------ custom fields
@finds(CustomField)
def of_field(session: Session, field: CustomField) -> Iterator[Use]:
    """Rows in which it is filled in, and rules that name it."""
    model, facts = entity_of(field.table_name), CustomFacts(field.code)
    yield from _counted(session, [_Place(model, facts, facts.sql(model).is_not(None), "")])
    place = (field.table_name, field.code)
    yield from _of_rules(session, lambda text: place in text.fields)


def _of_rules(session: Session, concerns: Callable[[RuleText], bool]) -> Iterator[Use]:
    for text in rule_texts(session):
        if concerns(text):
            yield Use(
                f"{text.label}“{text.title}”的{text.field}",
                table=text.table,
                record_id=text.record_id,
            )


# ---------------------------------------------------------------------------------------------- named, not referred to
@finds(StatementRow)
def of_row(session: Session, row: StatementRow) -> Iterator[Use]:
    """Rows of the same statement whose formula adds it up."""
    query = select(StatementRow.id, StatementRow.label, StatementRow.formula).where(
        StatementRow.statement == row.statement,
        StatementRow.formula.is_not(None),
        StatementRow.id != row.id,
    )
    for key, label, formula in session.execute(query.order_by(StatementRow.row_no)):
        if re.search(rf"R{row.row_no}(?!\d)", formula or ""):
            yield Use(f"“{label}”的公式", table="statement_row", record_id=key)


@finds(RoleProfile)
def of_role(session: Session, role: RoleProfile) -> Iterator[Use]:
    """Steps of flows that ask whoever holds the role."""
    node = ApprovalNode
    query = select(ApprovalFlow.id, ApprovalFlow.name, ApprovalFlow.version_no, node.name)
    query = query.join(ApprovalFlow, ApprovalFlow.id == node.flow_id).where(
        node.chooser == NodeChooser.ROLE,
        node.role_name == role.name,
        ApprovalFlow.state != FlowState.RETIRED,
    )
    for key, flow, number, step in session.execute(query.order_by(ApprovalFlow.name, node.seq)):
        what = f"审批流程“{flow}”第 {number} 版的节点“{step}”"
        yield Use(what, table="approval_flow", record_id=key)


@finds(Parameter)
@finds(NumberRule)
def of_code(_: Session, record: Parameter | NumberRule) -> Iterator[Use]:
    """What the product asks for by its code; rules beside it say what may be deleted."""
    yield Use(f"业务功能按编码“{record.code}”取用", is_in_the_way=False)
