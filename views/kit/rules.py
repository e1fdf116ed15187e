"""A rule while it is being written (X13): what is wrong where, how it reads, how many rows it holds for, and why."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import func, select

from models.base.actor import ScopeLevel
from models.base.entity import Entity
from models.base.errors import NotFound
from models.system.custom_field import extensible
from reports.base.scope import scoped
from reports.figures.vocabulary import vocabulary
from reports.rules import sql
from reports.rules.check import understand, understand_formula
from reports.rules.explain import Explainer
from reports.rules.names import Fact, K, Subject, Vocabulary
from reports.rules.parse import parse
from reports.rules.tree import RuleError
from reports.rules.typed import Truth, Value
from reports.rules.words import name, sentence
from views.kit.filters import Filter
from views.kit.interface import shape
from workflows.base import records
from workflows.base.context import Ctx

MAX_CHOICES: Final = 60  # a longer dictionary is typed
_OPERATORS: Final[dict[K, tuple[str, ...]]] = {
    K.TEXT: ("=", "≠", "包含", "不包含", "为空", "不为空"),
    K.CODE: ("=", "≠", "为空", "不为空"),
    K.FLAG: ("=",),
    K.DATE: ("=", "≠", ">", "≥", "<", "≤", "在", "不在", "为空", "不为空"),
    K.RECORD: ("=", "≠", "为空", "不为空"),
}
_ORDERED: Final = ("=", "≠", ">", "≥", "<", "≤", "为空", "不为空")


def subject(ctx: Ctx, model: type[Entity], field: str, named: str = "") -> Subject:
    """What a rule is about: what the column of rules says, or without one the table itself. Raises NotFound.

    `named` is the table that the row of rules is about, where the column leaves that to the row.
    """
    if not field:
        return known(ctx).subject(str(model.__tablename__))
    facts = shape(model).fields.get(field)
    if facts is None or not facts.rule_of + facts.rule_by:
        raise NotFound("没有这个字段")
    if facts.rule_of:
        return known(ctx).subject(facts.rule_of)
    if named not in extensible():
        raise NotFound("请先选择业务对象")
    return known(ctx).subject(named)


def is_formula(model: type[Entity], field: str) -> bool:
    """Whether a column of rules takes values too."""
    return bool(field) and shape(model).fields[field].is_formula


def check_formula(ctx: Ctx, about: Subject, text: str) -> dict[str, Any]:
    """A formula as a sentence with what it comes to, or its fault and place."""
    try:
        found = understand_formula(text, about, known(ctx))
    except RuleError as problem:
        return {"error": str(problem), "at": problem.at}
    kind = found.kind if isinstance(found, Value) else K.FLAG
    return {"sentence": f"{sentence(parse(text))}（{kind.value}）"}


def known(ctx: Ctx) -> Vocabulary:
    """What rules may name now, as far as the reader may know of it."""
    return vocabulary(ctx.session, ctx.actor)


def check(ctx: Ctx, about: Subject, asked: Mapping[str, str]) -> dict[str, Any]:
    """`text` as a sentence with the number of rows, or its fault and place; with `record` why it holds there or not."""
    text, beyond = asked.get("text", ""), set[str]()
    try:
        rule = understand(text, about, known(ctx), beyond)
    except RuleError as problem:
        return {"error": str(problem), "at": problem.at}
    found: dict[str, Any] = {"sentence": sentence(parse(text))}
    if about.model is not None and _may_count(ctx, about.model, beyond):
        found |= {"rows": _count(ctx, about.model, rule), "label": about.label}
        if asked.get("record"):
            record = records.find(ctx, about.model, asked["record"])
            found["why"] = Explainer(record, ctx.today, known(ctx)).reason(rule).lines()
    return found


def as_filter(ctx: Ctx, model: type[Entity], text: str) -> Filter:
    """A rule as a condition of a list. Raises RuleError, also where it reads what the reader may not count."""
    about, beyond = subject(ctx, model, ""), set[str]()
    rule = understand(text, about, known(ctx), beyond)
    if not _may_count(ctx, model, beyond):
        raise RuleError("涉及其他业务对象的条件，只有数据范围为“全部”并能查看这些对象的人可以使用")
    words = sentence(parse(text))
    where = sql.where(rule, model, ctx.today)
    return Filter(text, "rule", "rule", condition=where, label="高级条件", value=words)


def _may_count(ctx: Ctx, model: type[Entity], beyond: set[str]) -> bool:
    """Nobody learns by counting what he may not read: other tables are counted by for who reads all of their rows."""
    if beyond and ctx.actor.scope is not ScopeLevel.ALL:
        return False
    return all(ctx.actor.may("list", table) for table in {str(model.__tablename__), *beyond})


def _count(ctx: Ctx, model: type[Entity], rule: Truth) -> int:
    query = select(func.count()).select_from(model).where(sql.where(rule, model, ctx.today))
    return ctx.session.scalar(scoped(query, model, ctx.actor, as_set=True)) or 0


def offered(ctx: Ctx, about: Subject) -> dict[str, Any]:
    """The fields that a rule may name, those one relation away too, with operators and choices; and the child rows."""
    fields = [_field(ctx, fact, ()) for fact in about.facts.values()]
    for fact in about.facts.values():
        if fact.target:
            there = known(ctx).subject(fact.target).facts.values()
            fields += [_field(ctx, one, (fact.label,)) for one in there if one.kind is not K.RECORD]
    return {"fields": fields, "children": [name((label,)) for label in about.children]}


def _field(ctx: Ctx, fact: Fact, over: tuple[str, ...]) -> dict[str, Any]:
    choices = list(known(ctx).labels(fact).values()) if fact.kind is K.CODE else []
    return {
        "label": name((*over, fact.label)),
        "kind": fact.kind.name,
        "operators": _OPERATORS.get(fact.kind, _ORDERED),
        "choices": choices if len(choices) <= MAX_CHOICES else [],
    }
