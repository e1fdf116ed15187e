"""Fields of now: what the columns of an entity and the definitions of administrators say, in force at each request.

Definitions are kept per database by an edition that any change of them moves. A request reads it with the business
date, so that it costs no query of its own; where nothing is defined nothing else is read.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Select, Subquery, event, func, select
from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.base.custom import CustomFacts
from models.base.entity import Entity, editable_columns, fields_of
from models.base.fields import FieldFacts, FieldKind
from models.base.moments import SHANGHAI
from models.base.money import MONEY_MAX
from models.system.custom_field import CustomField, CustomKind
from models.system.setup import DictionaryType, SystemState
from reports.figures import dictionaries
from reports.rules.check import understand_formula
from reports.rules.formula import FormulaFacts, circle
from reports.rules.names import Subject, Vocabulary
from reports.rules.tree import RuleError

Edition = tuple[int, int, int]
_KEY: Final = "field_edition"
_OWN: Final = "field_writes"
_NOTHING: Final[Edition] = (0, 0, 0)
_Fields = dict[str, CustomFacts]
_Defined = dict[str, _Fields]
# Definitions by the engine that they were read from.
_KNOWN: WeakKeyDictionary[Engine, tuple[Edition, _Defined]] = WeakKeyDictionary()
_KINDS: Final[dict[CustomKind, FieldKind]] = {
    CustomKind.TEXT: "text",
    CustomKind.LONG_TEXT: "long_text",
    CustomKind.INT: "int",
    CustomKind.MONEY: "money",
    CustomKind.RATE: "rate",
    CustomKind.DATE: "date",
    CustomKind.BOOL: "bool",
    CustomKind.DICTIONARY: "dictionary",
    CustomKind.REFERENCE: "reference",
}
_INT_MOST: Final = 2_000_000_000
# A rate in % stays small enough to be multiplied exactly with amounts.
_MOST: Final[dict[str, Decimal | int]] = {"money": MONEY_MAX, "rate": MONEY_MAX, "%": 10_000}
_UNITS: Final = {"money": "元"}
_MADE: Final = "fields_made"


def edition() -> Subquery:
    """One row that differs after each change: how many there are, how often they were saved, the last id given."""
    return select(
        func.count(CustomField.id).label("fields"),
        func.coalesce(func.sum(CustomField.version), 0).label("saves"),
        func.coalesce(func.max(CustomField.id), 0).label("last"),
    ).subquery()


def hold(session: Session, found: Edition) -> None:
    """Take an edition that was read along with something else for that of the transaction."""
    session.info[_KEY] = found


def defined(session: Session, model: type[Entity]) -> _Fields:
    """The custom fields in use of an entity by their codes, in their order."""
    now = _edition(session)
    if now == _NOTHING:
        return {}
    table = str(model.__tablename__)
    if _OWN in session.info:  # what is not committed is nobody else's yet
        return _as_of_today(session, table, _read(session).get(table, {}))
    engine = session.get_bind().engine
    known = _KNOWN.get(engine)
    if known is None or known[0] != now:
        known = _KNOWN[engine] = now, _read(session)
    return _as_of_today(session, table, known[1].get(table, {}))


def _as_of_today(session: Session, table: str, every: _Fields) -> _Fields:
    """Formulas count relative dates from the business date of the unit of work."""
    if not any(isinstance(facts, FormulaFacts) for facts in every.values()):
        return every
    today = _today(session)

    def dated() -> _Fields:
        return {name: facts.as_of(today) for name, facts in every.items()}

    return _worked_once(session, (table, today), every, dated)


def _worked_once(
    session: Session, key: object, every: _Fields, make: Callable[[], _Fields]
) -> _Fields:
    """What was made of these very fields in this unit of work, the same object each time."""
    kept: dict[object, tuple[_Fields, _Fields]] = session.info.setdefault(_MADE, {})
    if key not in kept or kept[key][0] is not every:
        kept[key] = every, make()
    return kept[key][1]


def _today(session: Session) -> date:
    """The business date of the unit of work, else of the installation."""
    if (ctx := session.info.get("ctx")) is not None:
        found: date = ctx.today
        return found
    with session.no_autoflush:
        kept = session.scalar(select(SystemState.business_date))
    return kept or datetime.now(SHANGHAI).date()


def seen(session: Session, model: type[Entity], actor: Actor | None) -> _Fields:
    """Those of them that are for the roles of somebody: others hear of them at no door, some only read them."""
    every = defined(session, model)
    if not any(facts.is_limited for facts in every.values()):
        return every

    def mine() -> _Fields:
        met = {name: facts.for_actor(actor) for name, facts in every.items()}
        return {name: facts for name, facts in met.items() if facts is not None}

    who = None if actor is None else (actor.is_system, actor.roles)
    return _worked_once(session, (model, who), every, mine)


def roles_in(text: str | None) -> frozenset[str]:
    """The names of roles in a text that lists them."""
    return frozenset(filter(None, map(str.strip, re.split("[、,，;；]", text or ""))))


def fields_now(session: Session, model: type[Entity]) -> dict[str, FieldFacts]:
    """All fields of an entity: its columns, then what was defined."""
    return fields_of(model) | defined(session, model)


def fields_seen(
    session: Session, model: type[Entity], actor: Actor | None
) -> dict[str, FieldFacts]:
    """All fields of an entity that somebody may know of."""
    return fields_of(model) | seen(session, model, actor)


def editable_now(session: Session, model: type[Entity], actor: Actor) -> list[str]:
    """The fields that somebody may fill in."""
    mine = seen(session, model, actor).items()
    return [*editable_columns(model), *(name for name, facts in mine if facts.is_filled_in)]


def _edition(session: Session) -> Edition:
    found: Edition | None = session.info.get(_KEY)
    if found is None:
        fields, saves, last = session.execute(select(edition())).one()
        found = session.info[_KEY] = int(fields), int(saves), int(last)
    return found


def _query() -> Select[CustomField, str]:
    return (
        select(CustomField, DictionaryType.code)
        .outerjoin(DictionaryType, DictionaryType.id == CustomField.dictionary_id)
        .where(CustomField.is_active)
        .order_by(CustomField.rank, CustomField.code)
    )


def _read(session: Session) -> _Defined:
    found: _Defined = {}
    with session.no_autoflush:
        rows = session.execute(_query()).all()
    for field, dictionary in rows:
        found.setdefault(field.table_name, {})[field.code] = facts_of(field, dictionary or "")
    _understand(session, found)
    return found


def every(session: Session) -> _Defined:
    """The custom fields in use of all entities, read anew: by table and code."""
    return _read(session)


def words_of(session: Session, found: _Defined) -> Vocabulary:
    """What rules may name where these fields are defined."""
    return Vocabulary(
        lambda code: dictionaries.items(session, code),
        lambda model: found.get(str(model.__tablename__), {}),
    )


def _understand(session: Session, found: _Defined) -> None:
    """Formulas, once all the fields that they may name are known; one that makes no sense any more is empty."""
    known = words_of(session, found)
    for table, known_here in found.items():
        for facts in known_here.values():
            if isinstance(facts, FormulaFacts):
                _work_out(facts, known.subject(table), known)
    for table, known_here in found.items():
        for name, facts in known_here.items():
            if isinstance(facts, FormulaFacts) and circle(found, (table, name)):
                facts.formula.value = None  # two were saved at once


def _work_out(facts: FormulaFacts, subject: Subject, known: Vocabulary) -> None:
    with suppress(RuleError):
        used = facts.formula.used
        facts.formula.value = understand_formula(facts.text, subject, known, used)


def facts_of(field: CustomField, dictionary: str) -> CustomFacts:
    """What a definition says of its field."""
    kind = _KINDS[field.kind]
    names = ("help", "group", "target", "required_if", "visible_if")
    texts: dict[str, Any] = {name: getattr(field, name) or "" for name in names}
    facts = CustomFacts(
        **texts,
        name=field.code,
        label=field.label,
        kind=kind,
        required=field.is_required and kind != "bool",
        is_filtered=field.is_filtered,
        is_listed=field.is_listed,
        is_exported=field.is_exported,
        visible_to=roles_in(field.visible_to),
        editable_by=roles_in(field.editable_by),
        unit=field.unit or _UNITS.get(kind, ""),
        mask=field.mask.name.lower() if field.mask else "",
        length={"text": field.length, "dictionary": 32}.get(kind, 0),
        dictionary=dictionary,
        scale={"rate": field.scale}.get(kind, 2),
        signed=kind in {"money", "rate"},
        minimum=-_INT_MOST,
        maximum=_MOST.get(field.unit or kind, _MOST.get(kind, _INT_MOST)),
    )
    if not field.formula:
        return facts
    said = {one.name: getattr(facts, one.name) for one in fields(facts)}
    return FormulaFacts(**{**said, "is_computed": True, "required": False}, text=field.formula)


def _forget(session: Session, *_: object) -> None:
    for key in (_KEY, _OWN, _MADE):
        session.info.pop(key, None)


def _on_write(session: Session, *_: object) -> None:
    if any(
        isinstance(one, CustomField) for one in (*session.new, *session.dirty, *session.deleted)
    ):
        session.info.pop(_KEY, None)
        session.info[_OWN] = True


event.listen(Session, "after_commit", _forget)
event.listen(Session, "after_rollback", _forget)
event.listen(Session, "after_flush", _on_write)
