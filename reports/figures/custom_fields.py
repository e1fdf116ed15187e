"""Fields of now: what the columns of an entity and the definitions of administrators say, in force at each request.

Definitions are kept per database by an edition that any change of them moves. A request reads it with the business
date, so that it costs no query of its own; where nothing is defined nothing else is read.
"""

import re
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Select, Subquery, event, func, select
from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.base.custom import CustomFacts
from models.base.entity import Entity, editable_columns, fields_of
from models.base.fields import FieldFacts, FieldKind
from models.base.money import MONEY_MAX
from models.system.custom_field import CustomField, CustomKind
from models.system.setup import DictionaryType

Edition = tuple[int, int, int]
_KEY: Final = "field_edition"
_OWN: Final = "field_writes"
_SEEN: Final = "fields_seen"
_NOTHING: Final[Edition] = (0, 0, 0)
_Defined = dict[str, dict[str, FieldFacts]]
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
_MOST: Final = {"money": MONEY_MAX, "rate": MONEY_MAX}
_UNITS: Final = {"money": "元"}


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


def defined(session: Session, model: type[Entity]) -> dict[str, FieldFacts]:
    """The custom fields in use of an entity by their codes, in their order."""
    now = _edition(session)
    if now == _NOTHING:
        return {}
    table = str(model.__tablename__)
    if _OWN in session.info:  # what is not committed is nobody else's yet
        return _read(session).get(table, {})
    engine = session.get_bind().engine
    known = _KNOWN.get(engine)
    if known is None or known[0] != now:
        known = _KNOWN[engine] = now, _read(session)
    return known[1].get(table, {})


def seen(session: Session, model: type[Entity], actor: Actor | None) -> dict[str, FieldFacts]:
    """Those of them that are for the roles of somebody: others hear of them at no door, some only read them."""
    every = defined(session, model)
    if not any(_is_limited(facts) for facts in every.values()):
        return every
    kept: dict[Any, tuple[dict[str, FieldFacts], dict[str, FieldFacts]]]
    kept = session.info.setdefault(_SEEN, {})
    who = None if actor is None else (actor.is_system, actor.roles)
    known = kept.get((model, who))
    if known is None or known[0] is not every:
        mine = {name: for_actor(facts, actor) for name, facts in every.items()}
        found = {name: facts for name, facts in mine.items() if facts is not None}
        known = kept[model, who] = every, found
    return known[1]


def for_actor(facts: FieldFacts, actor: Actor | None) -> FieldFacts | None:
    """A field as somebody meets it; None where it is not for the own roles."""
    return facts.for_actor(actor) if isinstance(facts, CustomFacts) else facts


def _is_limited(facts: FieldFacts) -> bool:
    return isinstance(facts, CustomFacts) and bool(facts.visible_to or facts.editable_by)


def roles_in(text: str | None) -> frozenset[str]:
    """The names of roles in a text that lists them."""
    return frozenset(filter(None, map(str.strip, re.split("[、,，;；]", text or ""))))


def fields_now(session: Session, model: type[Entity]) -> dict[str, FieldFacts]:
    """All fields of an entity: its columns, then what was defined."""
    return fields_of(model) | defined(session, model)


def fields_seen(session: Session, model: type[Entity], actor: Actor) -> dict[str, FieldFacts]:
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
        found.setdefault(field.table_name, {})[field.code] = _facts(field, dictionary or "")
    return found


def _facts(field: CustomField, dictionary: str) -> CustomFacts:
    kind = _KINDS[field.kind]
    return CustomFacts(
        name=field.code,
        label=field.label,
        kind=kind,
        required=field.is_required and kind != "bool",
        is_filtered=field.is_filtered,
        is_listed=field.is_listed,
        is_exported=field.is_exported,
        visible_to=roles_in(field.visible_to),
        editable_by=roles_in(field.editable_by),
        help=field.help or "",
        group=field.group or "",
        unit=field.unit or _UNITS.get(kind, ""),
        mask=field.mask.name.lower() if field.mask else "",
        length={"text": field.length, "dictionary": 32}.get(kind, 0),
        dictionary=dictionary,
        scale={"rate": field.scale}.get(kind, 2),
        signed=kind in {"money", "rate"},
        minimum=-_INT_MOST,
        maximum=_MOST.get(kind, _INT_MOST),
        target=field.target or "",
    )


def _forget(session: Session, *_: object) -> None:
    for key in (_KEY, _OWN, _SEEN):
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
