"""Dictionaries, the users' own and the fixed ones: codes and labels, read once per transaction."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import event, select
from sqlalchemy.orm import Session, object_session

from models.base.kinds import FIXED
from models.system.setup import DictionaryItem, DictionaryType

_CACHE: Final = "dictionaries"
_LABELS: Final = "dictionary_labels"


@dataclass(frozen=True, slots=True)
class _Row:
    code: str
    label: str
    is_active: bool
    parent_code: str | None
    aliases: frozenset[str]


def items(session: Session, code: str) -> list[tuple[str, str]]:
    """(code, label) of the items in use of dictionary `code`, in their order; empty for an unknown dictionary."""
    return [(row.code, row.label) for row in _rows(session, code) if row.is_active]


def label(session: Session, code: str, value: str | None) -> str:
    """What readers see for an item's code, items out of use included; the code itself where it is unknown."""
    if not value:
        return ""
    return _labels(session, code).get(value, value)


def labels(session: Session, code: str) -> dict[str, str]:
    """Label by code of all items of a dictionary, items out of use included."""
    return dict(_labels(session, code))


def code_of(session: Session, code: str, text: str) -> str | None:
    """Code of the item in use that has this code, label or alias: what an import cell names; None where none has."""
    wanted = text.strip()
    in_use = [row for row in _rows(session, code) if row.is_active]
    by_code = next((row.code for row in in_use if row.code == wanted), None)
    by_label = next((row.code for row in in_use if row.label == wanted), None)
    return by_code or by_label or next((row.code for row in in_use if wanted in row.aliases), None)


def parents(session: Session, code: str) -> dict[str, str | None]:
    """Code of the item above, by code: for distributions by 门类 or province."""
    return {row.code: row.parent_code for row in _rows(session, code)}


def forget(session: Session) -> None:
    """Read the dictionaries anew at the next question."""
    session.info.pop(_CACHE, None)
    session.info.pop(_LABELS, None)


def _labels(session: Session, code: str) -> dict[str, str]:
    """As `labels`, made once: a list asks for every cell."""
    rows = _rows(session, code)
    cached: dict[str, dict[str, str]] = session.info.setdefault(_LABELS, {})
    if code not in cached:
        cached[code] = {row.code: row.label for row in rows}
    return cached[code]


def _rows(session: Session, code: str) -> list[_Row]:
    cached: list[_Row] | None = session.info.setdefault(_CACHE, {}).get(code)
    if cached is None and (fixed := FIXED.get(code)) is not None:
        words = fixed() if callable(fixed) else fixed
        cached = [_Row(found, text, True, None, frozenset()) for found, text in words.items()]
        session.info.setdefault(_CACHE, {})[code] = cached
    if cached is None:
        item = DictionaryItem
        query = (
            select(item.code, item.label, item.is_active, item.parent_code, item.aliases)
            .join(DictionaryType, DictionaryType.id == item.dictionary_type_id)
            .where(DictionaryType.code == code)
            .order_by(item.rank, item.code)
        )
        cached = [
            _Row(found, text, is_active, parent, frozenset((aliases or "").split("|")) - {""})
            for found, text, is_active, parent, aliases in session.execute(query)
        ]
        # The query may have flushed pending items, which drops the cache: keep only now.
        session.info.setdefault(_CACHE, {})[code] = cached
    return cached


def _on_write(_mapper: Any, _connection: Any, target: DictionaryItem | DictionaryType) -> None:
    session = object_session(target)
    if session is not None:
        forget(session)


for _model in (DictionaryItem, DictionaryType):
    for _name in ("after_insert", "after_update", "after_delete"):
        event.listen(_model, _name, _on_write)
event.listen(Session, "after_commit", forget)
event.listen(Session, "after_rollback", forget)
