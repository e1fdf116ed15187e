"""What a rule may speak of: the fields, relations and child rows of a table by their Chinese labels.

The only module that knows where labels stand; `Subject` is a thing that is no table but has fields all the same.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final

from sqlalchemy import inspect
from sqlalchemy.orm import Session, object_session

from models.base.entity import Entity, entity_of, fields_of, parts_of
from models.base.fields import FieldFacts
from models.base.kinds import FIXED

ROWS_MAX: Final = 10_000  # as many child rows are added up exactly at their columns' largest values


class K(Enum):
    """What kind of value a part of a rule has."""

    NUMBER = "数字"
    MONEY = "金额"
    PERCENT = "百分比"
    DATE = "日期"
    TEXT = "文字"
    CODE = "选项"
    FLAG = "是否"
    RECORD = "关联记录"
    TRUTH = "条件"
    SPAN = "时间长度"


NUMBERS: Final = (K.NUMBER, K.MONEY, K.PERCENT)
_KINDS: Final = {
    "money": K.MONEY,
    "rate": K.NUMBER,
    "int": K.NUMBER,
    "date": K.DATE,
    "datetime": K.DATE,
    "text": K.TEXT,
    "long_text": K.TEXT,
    "enum": K.CODE,
    "dictionary": K.CODE,
    "bool": K.FLAG,
    "reference": K.RECORD,
}


@dataclass
class Formula:
    """What a field is worked out from, or a condition on it: understood once all fields are known.

    None where it makes no sense any more: then nothing is known of it. `used` are table and name of what it reads.
    """

    value: Any = None
    used: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Fact:
    """One field: its label, the attribute that holds it, and what is needed to compare it.

    `scale` are the decimal places kept, two more for a rate in %; `most` the largest value in units of the last
    place; `choices` the label of each stored code, or `dictionary` where users edit them; `target` what a reference
    leads to, over the attribute `link`; `custom` is the field where it is no column, `formula` what works it out.
    """

    label: str
    key: str
    kind: K
    scale: int = 0
    most: int = 0
    is_moment: bool = False
    mask: str = ""
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)
    members: type[Enum] | None = None
    dictionary: str = ""
    target: str = ""
    link: str = ""
    custom: FieldFacts | None = None
    formula: Formula | None = field(default=None, compare=False)

    def of(self, owner: Any) -> Any:
        """The value as a record keeps it, or a mapping of values by labels (an example) holds it."""
        if isinstance(owner, Mapping):
            return owner.get(self.label)
        return getattr(owner, self.key) if self.custom is None else self.custom.get(owner)

    def follow(self, owner: Any, session: Session | None = None) -> Any:
        """The record that a reference leads to, if any; `session` is that of a record not yet kept."""
        if isinstance(owner, Mapping):
            return self.of(owner)
        if not isinstance(owner, Entity):
            return getattr(owner, self.link)
        key = self.of(owner)
        if key is None:
            return getattr(owner, self.link) if self.link else None
        found = object_session(owner) or session
        assert found is not None, "a rule is asked of a record in a session"
        return found.get(entity_of(self.target), key)

    @property
    def working(self) -> Any:
        """What works the value out; None for a field that is filled in, or where it makes no sense any more."""
        return None if self.formula is None else self.formula.value

    @property
    def places(self) -> int:
        """Decimal places as they are kept and shown."""
        return self.scale - 2 * (self.kind is K.PERCENT)

    @property
    def hundred(self) -> int:
        """What a rate in % is divided by to be the number that it means."""
        return 100 if self.kind is K.PERCENT else 1


@dataclass(frozen=True)
class Child:
    """Rows of another table that point here by their column `link`."""

    label: str
    model: type[Entity]
    link: str


@dataclass(frozen=True)
class Subject:
    """What a rule is about: a table, or where `model` is None an object with these attributes."""

    label: str
    facts: Mapping[str, Fact] = field(hash=False)
    children: Mapping[str, Child] = field(default_factory=dict, hash=False)
    model: type[Entity] | None = None
    title: str = ""


# Subjects that are no table, by the name that columns of rules about them give.
SUBJECTS: Final[dict[str, Subject]] = {}
_NOTHING: Final[Mapping[str, FieldFacts]] = {}
# Tables with fields that administrators have defined, by what was defined when they were worked out.
_DEFINED: Final[dict[str, tuple[Mapping[str, FieldFacts], Subject]]] = {}


def _none_defined(_: type[Entity]) -> Mapping[str, FieldFacts]:
    return _NOTHING


@dataclass(frozen=True)
class Vocabulary:
    """What rules may name that stands in no code: the users' dictionaries and their own fields, as they are now.

    `items` gives (code, label) of a dictionary, `defined` the custom fields of an entity.
    """

    items: Callable[[str], Iterable[tuple[str, str]]]
    defined: Callable[[type[Entity]], Mapping[str, FieldFacts]] = _none_defined

    def subject(self, table: str) -> Subject:
        """The subject of a table's name, or one that is no table; KeyError where there is none."""
        found = SUBJECTS.get(table) or _built_in(table)
        extra = _NOTHING if found.model is None else self.defined(found.model)
        if not extra:
            return found
        known = _DEFINED.get(table)
        if known is None or (known[0] is not extra and known[0] != extra):
            known = _DEFINED[table] = extra, _with(found, extra)
        return known[1]

    def labels(self, fact: Fact) -> dict[str, str]:
        """Label by code of a field of fixed values."""
        if not fact.dictionary:
            return dict(fact.choices)
        fixed = FIXED.get(fact.dictionary)
        if fixed is not None:
            return dict(fixed() if callable(fixed) else fixed)
        return dict(self.items(fact.dictionary))

    def title(self, table: str) -> Fact | None:
        """The text by which records of a table are called, where it is a field of theirs."""
        found = self.subject(table)
        wanted = (found.title, K.TEXT)
        return next((one for one in found.facts.values() if (one.key, one.kind) == wanted), None)


def _with(subject: Subject, extra: Mapping[str, FieldFacts]) -> Subject:
    """A table with what was defined; a column of the same label counts first."""
    assert subject.model is not None
    model, facts = subject.model, dict(subject.facts)
    for said in extra.values():
        if said.kind in _KINDS:
            facts.setdefault(said.label, fact_of(model, said))
    return replace(subject, facts=facts)


@cache
def _built_in(table: str) -> Subject:
    """A table by its columns; of two fields of one label the first counts."""
    model = entity_of(table)
    facts: dict[str, Fact] = {}
    for said in fields_of(model).values():
        is_unsaid = said.is_hidden or said.is_attachment
        if not is_unsaid and said.kind in _KINDS:
            facts.setdefault(said.label, _fact(model, said))
    children = {
        str(one.model.spec.label): Child(str(one.model.spec.label), one.model, one.link)
        for one in reversed(parts_of(model).values())
    }
    return Subject(model.spec.label, facts, children, model, model.spec.title)


def fact_of(model: type[Entity], said: FieldFacts) -> Fact:
    """A field that is no column, as rules see it."""
    worked = getattr(said, "formula", None)
    return replace(_fact(model, said), custom=said, formula=worked, link="")


def _fact(model: type[Entity], said: FieldFacts) -> Fact:
    if said.kind in {"money", "rate", "int"}:
        return _number(said)
    found = Fact(
        said.label,
        said.name,
        _KINDS[said.kind],
        is_moment=said.kind == "datetime",
        mask=said.mask,
        dictionary=said.dictionary,
    )
    if said.choices is not None:
        choices = {one.name: str(one.value) for one in said.choices}
        return replace(found, members=said.choices, choices=choices)
    link = said.name.removesuffix("_id")
    is_own = said.kept_in != said.name
    if said.kind == "reference" and (is_own or link in inspect(model).relationships):
        return replace(found, target=said.target, link=link)
    return found


def _number(said: FieldFacts) -> Fact:
    places = {"money": 2, "int": 0}.get(said.kind, said.scale)
    most = int(Decimal(said.maximum).scaleb(places)) + 1
    if said.kind == "rate" and said.unit == "%":
        return Fact(said.label, said.name, K.PERCENT, scale=places + 2, most=most)
    return Fact(said.label, said.name, _KINDS[said.kind], scale=places, most=most)


def alike(wanted: str, known: Iterable[str]) -> str:
    """'，是不是‘…’？' with the label that comes nearest, else ''."""
    found = difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.4)
    return f"，是不是‘{found[0]}’？" if found else ""
