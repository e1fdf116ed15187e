"""显示条件 and 必填条件 of custom fields (X13): what a record is asked for, decided by the server for form and save."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from models.base.custom import CustomFacts
from models.base.entity import Entity, columns_of
from models.base.fields import FieldFacts
from reports.figures.vocabulary import vocabulary
from reports.rules.check import understand
from reports.rules.python import Asked
from reports.rules.tree import RuleError


@dataclass(frozen=True)
class Demand:
    """Whether a field is asked for at all, and whether it must be filled in."""

    is_asked: bool = True
    is_required: bool = False


def conditional(fields: Mapping[str, FieldFacts]) -> list[CustomFacts]:
    """Those that are asked for under conditions, as far as they are to be filled in."""
    return [
        facts
        for facts in fields.values()
        if isinstance(facts, CustomFacts)
        and facts.is_filled_in
        and facts.required_if + facts.visible_if
    ]


def settle(
    session: Session, record: Entity, today: date, fields: list[CustomFacts]
) -> dict[str, Demand]:
    """What the record is asked for; what is not is taken out of it, and with it what rests on that."""
    found: dict[str, Demand] = {}
    for _ in range(len(fields) + 1):
        asked, before = Asked(record, today, session), found
        found = {facts.name: _demand(session, asked, record, facts) for facts in fields}
        for facts in fields:
            if not found[facts.name].is_asked and facts.get(record) is not None:
                facts.set(record, None)
        if found == before:
            break
    return found


def copy_of(model: type[Entity], record: Entity | None) -> Entity:
    """The record as it is now, to be asked of what is typed; nothing of it is ever kept."""
    if record is None:
        return model()
    return model(**{name: getattr(record, name) for name in columns_of(model)})


def _demand(session: Session, asked: Asked, record: Entity, facts: CustomFacts) -> Demand:
    table = str(type(record).__tablename__)
    is_asked = _holds(session, asked, (table, facts.visible_if), unsaid=True)
    is_due = _holds(session, asked, (table, facts.required_if), unsaid=facts.required)
    return Demand(is_asked, is_asked and is_due)


def _holds(session: Session, asked: Asked, rule: tuple[str, str], *, unsaid: bool) -> bool:
    """What makes no sense any more does not hold: such a field is neither asked for nor demanded."""
    table, text = rule
    if not text:
        return unsaid
    known = vocabulary(session)
    try:
        return asked.holds(understand(text, known.subject(table), known))
    except RuleError:
        return False
