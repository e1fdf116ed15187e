"""Examples of rules (X15): input and what the rule must say of it, asked whenever the rule is saved or published."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from models.base.entity import Entity, entities, fields_of
from models.base.errors import Conflict, FieldErrors, NotFound
from models.base.fields import FieldFacts
from models.system.configuration import RuleExample
from reports.figures.configuration import Thing, key_columns, name_of
from reports.figures.rule_examples import ask
from reports.rules.tree import RuleError
from workflows.base import audit, records
from workflows.base.context import Ctx

MOST = 50
_WORDS = {True: "符合", False: "不符合"}


def of_record(ctx: Ctx, record: Entity, field: str) -> Sequence[RuleExample]:
    """The examples of a rule, of all versions of the thing that it stands in."""
    query = select(RuleExample).where(
        RuleExample.table_name == str(record.__tablename__),
        RuleExample.object_key == _name(ctx, record),
        RuleExample.field == field,
    )
    return ctx.session.scalars(query.order_by(RuleExample.id)).all()


def conditions(model: type[Entity]) -> dict[str, FieldFacts]:
    """The fields of a piece of configuration that hold a condition; a formula has no examples."""
    known = fields_of(model).items()
    return {
        name: facts
        for name, facts in known
        if facts.rule_of + facts.rule_by and not facts.is_formula
    }


def rule_field(record: Entity, field: str) -> FieldFacts:
    """A field of a record that holds a condition. Raises NotFound."""
    facts = conditions(type(record)).get(field)
    if facts is None:
        raise NotFound("没有这个字段")
    return facts


def about_of(record: Entity, facts: FieldFacts) -> str:
    """What the rules of a field are about; a row may say it itself."""
    if facts.rule_by:
        return str(getattr(record, facts.rule_by))
    return facts.rule_of


def add(
    ctx: Ctx, record: Entity, field: str, *, title: str, facts: Mapping[str, str], is_met: bool
) -> RuleExample:
    """Let an example stand with a rule that agrees with it.

    Raises NotAllowed, FieldErrors by label, Conflict where the rule says otherwise now.
    """
    _require(ctx, record)
    about = rule_field(record, field)
    title = title.strip()
    known = of_record(ctx, record, field)
    if not title or len(title) > 60:
        raise FieldErrors({"title": ["请填写样例名称，最多 60 个字"]})
    if title in {one.title for one in known}:
        raise FieldErrors({"title": ["已有同名的样例"]})
    if len(known) >= MOST:
        raise Conflict(f"一条规则最多 {MOST} 个样例")
    text = str(about.get(record) or "")
    if not text:
        raise Conflict("规则还没有填写")
    example = RuleExample(
        table_name=str(record.__tablename__),
        object_key=_name(ctx, record),
        field=field,
        title=title,
        facts={label: word for label, word in facts.items() if word.strip()},
        is_met=is_met,
    )
    if said := disagreement(ctx, about_of(record, about), text, example):
        raise Conflict(said)
    ctx.session.add(example)
    audit.log(ctx, record, "EXAMPLE", note=f"新增规则样例“{title}”")
    return example


def remove(ctx: Ctx, record: Entity, field: str, example_id: int) -> None:
    """Take an example away."""
    _require(ctx, record)
    found = {one.id: one for one in of_record(ctx, record, field)}.get(example_id)
    if found is None:
        raise NotFound("没有这个样例")
    audit.log(ctx, record, "EXAMPLE", note=f"删除规则样例“{found.title}”")
    ctx.session.delete(found)


def disagreement(ctx: Ctx, about: str, text: str, example: RuleExample) -> str:
    """In words, where a rule does not say of an example what it must; else empty."""
    try:
        found = ask(ctx.session, about, text, example.facts, ctx.today).held
    except (RuleError, FieldErrors) as error:
        return f"样例“{example.title}”的输入与规则对不上：{error}"
    if (found is True) is example.is_met:
        return ""
    now = "未知，按不符合" if found is None else _WORDS[found]
    return f"样例“{example.title}”应为{_WORDS[example.is_met]}，按这条规则为{now}"


def require(ctx: Ctx, record: Entity) -> None:
    """Raise FieldErrors, at the rule, with every example that it contradicts."""
    wrong: dict[str, list[str]] = {}
    for name, facts in conditions(type(record)).items():
        if text := facts.get(record):
            about = about_of(record, facts)
            told = (disagreement(ctx, about, text, one) for one in of_record(ctx, record, name))
            if found := [one for one in told if one]:
                wrong[name] = found
    if wrong:
        raise FieldErrors(wrong)


def _require(ctx: Ctx, record: Entity) -> None:
    ctx.require("edit", str(record.__tablename__), f"修改{record.spec.label}")
    records.require_reach(ctx, ("edit", str(record.__tablename__)), record, "修改")


def _name(ctx: Ctx, record: Entity) -> str:
    key = tuple(getattr(record, name) for name in key_columns(type(record)))
    return name_of(ctx.session, Thing(str(record.__tablename__), key))


def _check(ctx: Ctx, record: Entity, is_new: bool) -> None:
    del is_new
    require(ctx, record)


for _model in entities():
    if _model.spec.config and conditions(_model):
        records.rule(_model)(_check)
