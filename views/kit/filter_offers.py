"""The filters that a list offers: its own fields, those of records that it refers to, and rows that hang on them.

Asked for when somebody opens the choice, so that no page carries them.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from models.base.entity import Entity, indexed
from models.base.fields import FieldFacts
from reports.base.periods import counted, offered
from views.kit import filters
from views.kit.filter_places import HAS, children_of, links_of
from views.kit.interface import shape
from views.kit.pages import FilterChoice
from workflows.base.context import Ctx

USUAL: Final = "常用"
MORE: Final = "其他字段"
CHILDREN: Final = "明细"
_CHOSEN: Final = ("enum", "dictionary", "bool")


def offers(ctx: Ctx, model: type[Entity]) -> dict[str, Any]:
    """What the choice of filters of a list is made of, as JSON; lists of options stand once each, by their key."""
    known: dict[str, tuple[tuple[str, str], ...]] = {}
    found = [asdict(one) for one in (*_own(ctx, model, known), *_beyond(ctx, model, known))]
    return {"fields": found, "options": known, "periods": offered(), "counted": counted()}


_Known = dict[str, tuple[tuple[str, str], ...]]


def _own(ctx: Ctx, model: type[Entity], known: _Known) -> Iterator[FilterChoice]:
    usual = [name for name in _usual(model) if filters.operators(shape(model).fields[name])]
    fields, quick = shape(model).fields, indexed(model)
    rest = [
        name
        for name in shape(model).visible()
        if name in quick and name not in usual and filters.operators(fields[name])
    ]
    for group, names in ((USUAL, usual), (MORE, rest)):
        for name in names:
            yield _choice(ctx, model, name, known, FilterChoice(name, "", "", group))


def _beyond(ctx: Ctx, model: type[Entity], known: _Known) -> Iterator[FilterChoice]:
    for link, facts, target in links_of(ctx, model):
        for name in _usual(target):
            told = FilterChoice(f"{link}.{name}", f"{facts.label} · ", "", facts.label)
            if filters.operators(shape(target).fields[name]):
                yield _choice(ctx, target, name, known, told)
    for part in children_of(ctx, model):
        child, label = part.model, part.model.spec.label
        table = str(child.__tablename__)
        asked = tuple(filters.ROWS.items())
        yield FilterChoice(f"{HAS}.{table}", label, "rows", CHILDREN, operators=asked)
        for name in _usual(child):
            told = FilterChoice(f"{HAS}.{table}.{name}", f"有{label} · ", "", CHILDREN)
            if name != part.link and filters.operators(shape(child).fields[name]):
                yield _choice(ctx, child, name, known, told)


def _usual(model: type[Entity]) -> list[str]:
    """Those that the Spec names, or the columns of the list; and what administrators want asked."""
    known = shape(model)
    keys = [k for k in (known.key(n) for n in model.spec.filtered or known.listed()) if k]
    keys += [name for name, facts in known.fields.items() if facts.is_filtered]
    return list(dict.fromkeys(keys))


def _choice(
    ctx: Ctx, model: type[Entity], name: str, known: _Known, told: FilterChoice
) -> FilterChoice:
    """A field as a filter: how it is compared, and what it is chosen from."""
    facts = shape(model).fields[name]
    operators = tuple((code, filters.OPERATORS[code]) for code in filters.operators(facts))
    options, lookup = "", ""
    if facts.kind in _CHOSEN:
        options = _options_of(facts)
        if options not in known:
            known[options] = filters.options(ctx, facts)
    if facts.kind == "reference" or len(known.get(options, ())) > filters.MAX_OPTIONS:
        options, lookup = "", f"/{model.__tablename__}/lookup?field={name}"
    return FilterChoice(
        told.key,
        told.label + facts.label,
        facts.kind,
        told.group,
        operators=operators,
        options=options,
        lookup_url=lookup,
    )


def _options_of(facts: FieldFacts) -> str:
    if facts.choices is not None:
        return f"enum:{facts.choices.__name__}"
    return f"dictionary:{facts.dictionary}" if facts.dictionary else facts.kind
