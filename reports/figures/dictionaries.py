"""The users' own dictionaries: codes and labels, read once per transaction."""

from typing import Any, Final

from sqlalchemy import event, select
from sqlalchemy.orm import Session, object_session

from models.system import DictionaryItem, DictionaryType

_CACHE: Final = "dictionaries"

_Rows = list[tuple[str, str, bool, str | None]]


def items(session: Session, code: str) -> list[tuple[str, str]]:
    """(code, label) of the items in use of dictionary `code`, in their order; empty for an unknown dictionary."""
    return [(item, text) for item, text, is_active, _ in _rows(session, code) if is_active]


def label(session: Session, code: str, value: str | None) -> str:
    """What readers see for an item's code, items out of use included; the code itself where it is unknown."""
    if not value:
        return ""
    return labels(session, code).get(value, value)


def labels(session: Session, code: str) -> dict[str, str]:
    """Label by code of all items of a dictionary, items out of use included."""
    return {item: text for item, text, _, _ in _rows(session, code)}


def code_of(session: Session, code: str, text: str) -> str | None:
    """Code of the item in use that has this code or label: what an import cell names; None where there is none."""
    wanted = text.strip()
    in_use = items(session, code)
    return next((item for item, _ in in_use if item == wanted), None) or next(
        (item for item, shown in in_use if shown == wanted), None
    )


def parents(session: Session, code: str) -> dict[str, str | None]:
    """Code of the item above, by code: for distributions by 门类 or province."""
    return {item: parent for item, _, _, parent in _rows(session, code)}


def forget(session: Session) -> None:
    """Read the dictionaries anew at the next question."""
    session.info.pop(_CACHE, None)


def _rows(session: Session, code: str) -> _Rows:
    cache: dict[str, _Rows] = session.info.setdefault(_CACHE, {})
    if code not in cache:
        query = (
            select(DictionaryItem.code, DictionaryItem.label, DictionaryItem.is_active, DictionaryItem.parent_code)
            .join(DictionaryType, DictionaryType.id == DictionaryItem.dictionary_type_id)
            .where(DictionaryType.code == code)
            .order_by(DictionaryItem.rank, DictionaryItem.code)
        )
        # The query may flush pending items, which drops the cache: fetch first, keep after.
        found: _Rows = [(item, text, is_active, parent) for item, text, is_active, parent in session.execute(query)]
        cache = session.info.setdefault(_CACHE, {})
        cache[code] = found
    return cache[code]


def _on_write(_mapper: Any, _connection: Any, target: DictionaryItem | DictionaryType) -> None:
    session = object_session(target)
    if session is not None:
        forget(session)


for _model in (DictionaryItem, DictionaryType):
    for _name in ("after_insert", "after_update", "after_delete"):
        event.listen(_model, _name, _on_write)
event.listen(Session, "after_commit", forget)
event.listen(Session, "after_rollback", forget)
