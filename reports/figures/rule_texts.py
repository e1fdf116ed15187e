"""The rules that administrators have written: which fields they read and which codes they name."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from models.base.entity import Entity, entities, fields_of
from models.base.fields import FieldFacts
from reports.figures.vocabulary import vocabulary
from reports.rules import typed
from reports.rules.check import understand, understand_formula
from reports.rules.names import Fact, Subject, Vocabulary
from reports.rules.tree import RuleError


@dataclass(frozen=True)
class RuleText:
    """A rule of a record, with the (table, field) that it reads and the (dictionary, code) that it names."""

    table: str
    record_id: int
    label: str
    title: str
    field: str
    fields: frozenset[tuple[str, str]]
    codes: frozenset[tuple[str, str]]


def rule_texts(session: Session) -> Iterator[RuleText]:
    """Every rule and formula that makes sense; what no longer does names nothing."""
    words = vocabulary(session)
    for model in entities():
        for facts in fields_of(model).values():
            if facts.rule_of + facts.rule_by:
                yield from _of_column(session, model, facts, words)


def _of_column(
    session: Session, model: type[Entity], facts: FieldFacts, words: Vocabulary
) -> Iterator[RuleText]:
    """The rules of a column; what they are about may stand in another column of the row."""
    column, title = facts.sql(model), getattr(model, model.spec.title)
    place = getattr(model, facts.rule_by) if facts.rule_by else None
    about = literal(facts.rule_of) if place is None else place
    query = select(model.id, title, column, about).where(column.is_not(None))
    for key, name, text, subject in session.execute(query):
        found = _read(text, facts, words.subject(subject), words)
        label, table = model.spec.label, str(model.__tablename__)
        yield RuleText(table, key, label, str(name), facts.label, *found)


def _read(
    text: str, facts: FieldFacts, about: Subject, words: Vocabulary
) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """What a rule reads and which codes it names."""
    try:
        rule = (understand_formula if facts.is_formula else understand)(text, about, words)
    except RuleError:
        return frozenset(), frozenset()
    walk = _Walk(words)
    walk.part(rule, about)
    return frozenset(walk.fields), frozenset(walk.codes)


def labels_in(rule: typed.Truth, about: Subject, words: Vocabulary) -> set[str]:
    """The fields of the subject itself that a rule asks for, also those whose record it looks at."""
    walk = _Walk(words)
    walk.part(rule, about)
    return {fact.label for subject, fact in walk.first if subject == about.label}


class _Walk:
    """Goes through the parts of a rule, with the subject that each is about."""

    def __init__(self, words: Vocabulary) -> None:
        self.words = words
        self.fields: set[tuple[str, str]] = set()
        self.codes: set[tuple[str, str]] = set()
        self.first: set[tuple[str, Fact]] = set()

    def part(self, part: object, about: Subject) -> None:
        """One part, and all that it is made of."""
        if isinstance(part, typed.Field):
            self._field(part, about)
        elif isinstance(part, typed.RowsOf):
            inner = self._subject(part.child.model)
            self.part(part.where, inner)
        elif isinstance(part, typed.Figure):
            self.part(part.rows, about)
            self.part(part.of, self._subject(part.rows.child.model))
        elif isinstance(part, tuple):
            for one in part:
                self.part(one, about)
        elif isinstance(part, typed.Part) or is_dataclass(part):
            self._parts(part, about)

    def _subject(self, model: type[Entity]) -> Subject:
        return self.words.subject(str(model.__tablename__))

    def _parts(self, part: object, about: Subject) -> None:
        if isinstance(part, typed.Test):
            self._named(part.left, part.right)
        elif isinstance(part, typed.Choice):
            self._named(part.one, *part.values)
        for field in fields(part):  # type: ignore[arg-type]
            if field.name != "source":
                self.part(getattr(part, field.name), about)

    def _named(self, one: object, *others: object) -> None:
        if isinstance(one, typed.Field) and one.fact.dictionary:
            found = (other.value for other in others if isinstance(other, typed.Fixed))
            self.codes |= {(one.fact.dictionary, str(value)) for value in found}

    def _field(self, part: typed.Field, about: Subject) -> None:
        self.first.add((about.label, (*part.links, part.fact)[0]))
        for link in part.links:
            about = self.words.subject(link.target)
        if about.model is not None:
            self.fields.add((str(about.model.__tablename__), part.fact.key))
