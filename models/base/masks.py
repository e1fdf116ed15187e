"""Personal data (X9): how it is shown, known again, compared, and followed onto paper."""

import re
import unicodedata
from typing import Any, Final

from models.base.entity import Entity, fields_of
from models.base.fields import FieldFacts
from models.base.text import visible

_STAR: Final = "*"
MASKS: Final = ("id_number", "mobile", "account", "address")
_MOBILE: Final = 11
_SIGNS: Final = re.compile(r"[\W_]+")


def mask(text: str, how: str) -> str:
    """Personal data with its middle hidden; `how` is id_number, mobile, account or address."""
    # a landline: what is shown must not be nearly all of it
    if how == "mobile" and len(text) < _MOBILE:
        return f"****{text[-2:]}" if len(text) >= 8 else "****"
    if how == "mobile":
        return f"{text[:3]}****{text[-4:]}"
    if how == "id_number":
        return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}" if len(text) >= 12 else "****"
    if how == "account":
        return f"**** {text[-4:]}" if len(text) >= 8 else "****"
    return f"{text[:6]}****" if len(text) > 8 else "****"


def has_stars(text: str) -> bool:
    """Whether a value holds what only masks hold, in whatever width it was typed."""
    return _STAR in unicodedata.normalize("NFKC", text)


def is_own_mask(facts: FieldFacts, stored: Any, value: Any) -> bool:
    """Whether what came in is the stored value as its reader saw it: nobody has changed it."""
    how = facts.mask
    if not how or not stored or not isinstance(value, str):
        return False
    return visible(value).strip() == mask(str(stored), how)


class Plain(str):
    """The plain value of a masked column on its way onto paper: it knows the table whose value it is."""

    __slots__ = ("how", "table")
    table: str
    how: str


def for_paper(record: Entity, name: str) -> str:
    """A column of a record as papers print it: '' for nothing; of a masked column the paper will know what it holds."""
    facts = fields_of(type(record))[name]
    text, how = str(facts.get(record) or ""), facts.mask
    if not how:
        return text
    found = Plain(text)
    found.table, found.how = str(record.__tablename__), how
    return found


def whole(text: str) -> str:
    """A value as it is compared: the same number, however it was spaced, hyphenated or cased; '' for signs alone."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).casefold())
