"""Rules asked of an input that is typed, instead of a record: examples that stand with a rule, and trying it (X15)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from models.base.entity import entity_of
from models.base.errors import FieldErrors
from models.base.money import parse_amount
from reports.figures.rule_texts import labels_in
from reports.figures.vocabulary import vocabulary
from reports.rules.check import understand
from reports.rules.explain import Explainer, Reason
from reports.rules.names import Fact, K, Subject

CHOICES_MAX: Final = 300
_YES: Final = {"是": True, "否": False}


@dataclass(frozen=True)
class Input:
    """One thing that a rule asks for: its label, what may be typed, and what may be chosen (value, words)."""

    label: str
    kind: K
    choices: tuple[tuple[str, str], ...] = ()


def inputs(session: Session, about: str, text: str) -> list[Input]:
    """What a rule asks for, in the order of its subject. Raises RuleError where it makes no sense."""
    words = vocabulary(session)
    subject = words.subject(about)
    named = labels_in(understand(text, subject, words), subject, words)
    return [
        Input(label, fact.kind, _choices(session, fact))
        for label, fact in subject.facts.items()
        if label in named
    ]


def _choices(session: Session, fact: Fact) -> tuple[tuple[str, str], ...]:
    if fact.kind is K.CODE:
        return tuple((label, label) for label in vocabulary(session).labels(fact).values())
    if fact.kind is K.FLAG:
        return tuple((word, word) for word in _YES)
    if fact.kind is K.RECORD and fact.target:
        model = entity_of(fact.target)
        key, title = (getattr(model, name) for name in (model.spec.key[0], model.spec.title))
        rows = session.execute(select(key, title).order_by(key).limit(CHOICES_MAX))
        return tuple((str(value), str(name)) for value, name in rows)
    return ()


def ask(session: Session, about: str, text: str, typed: Mapping[str, str], today: date) -> Reason:
    """Whether a rule holds of what was typed, and why. Raises RuleError, and FieldErrors by label."""
    words = vocabulary(session)
    subject = words.subject(about)
    rule = understand(text, subject, words)
    return Explainer(values(session, subject, typed), today, words).reason(rule)


def values(session: Session, subject: Subject, typed: Mapping[str, str]) -> dict[str, Any]:
    """Values by label of what was typed; what is blank is left out. Raises FieldErrors by label."""
    found, wrong = dict[str, Any](), dict[str, list[str]]()
    for label, text in typed.items():
        fact = subject.facts.get(label)
        if fact is None:
            wrong[label] = [f"规则中没有“{label}”这一项"]
        elif text.strip():
            try:
                found[label] = _READERS[fact.kind](session, fact, text.strip())
            except ValueError as error:
                wrong[label] = [str(error)]
    if wrong:
        raise FieldErrors(wrong)
    return found


def _money(_: Session, __: Fact, text: str) -> Decimal:
    return parse_amount(text)


def _number(_: Session, __: Fact, text: str) -> Decimal:
    try:
        found = Decimal(text.removesuffix("%").replace(",", ""))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found.adjusted() > 18:
        raise ValueError("请填写数字，例如 4.35")
    return found


def _date(_: Session, __: Fact, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("日期格式应为 2026-11-23") from None


def _text(_: Session, __: Fact, text: str) -> str:
    return text


def _code(session: Session, fact: Fact, text: str) -> str:
    for code, label in vocabulary(session).labels(fact).items():
        if label == text:
            return code
    raise ValueError("没有这个选项，请从列表中选择")


def _flag(_: Session, __: Fact, text: str) -> bool:
    if text not in _YES:
        raise ValueError("请填写是或否")
    return _YES[text]


def _record(session: Session, fact: Fact, text: str) -> Any:
    model = entity_of(fact.target) if fact.target else None
    found = None
    if model is not None:
        key = cast(getattr(model, model.spec.key[0]), String)
        found = session.scalars(select(model).where(key == text).limit(1)).first()
    if found is None:
        raise ValueError("没有这条记录，请从列表中选择")
    return found


_READERS: Final[dict[K, Callable[[Session, Fact, str], Any]]] = {
    K.MONEY: _money,
    K.NUMBER: _number,
    K.PERCENT: _number,
    K.DATE: _date,
    K.TEXT: _text,
    K.CODE: _code,
    K.FLAG: _flag,
    K.RECORD: _record,
}


def typed_of(session: Session, fact: Fact, value: Any) -> str:
    """What one would type for a value as the trail keeps it: of what an approval was asked about, say."""
    if value is None or value == "":
        return ""
    if fact.kind is K.CODE:
        return vocabulary(session).labels(fact).get(str(value), "")
    if fact.kind is K.FLAG:
        return "是" if value else "否"
    if fact.kind is K.RECORD:
        model = entity_of(fact.target)
        record = session.get(model, int(value))
        return "" if record is None else str(getattr(record, model.spec.key[0]))
    return str(value)
