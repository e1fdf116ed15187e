"""What must hold of custom fields (10.1): names of their own, and nothing taken away from rows that use them."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import parse_qs

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalFlow, FlowState
from models.base.custom import CustomFacts, is_code
from models.base.entity import Entity, entity_of, fields_of
from models.base.errors import Conflict, FieldErrors
from models.system.custom_field import CustomField, CustomKind
from models.system.saved_view import SavedView
from models.system.setup import DictionaryType
from reports.figures import custom_fields, rights
from reports.figures.custom_fields import roles_in
from reports.rules.check import understand, understand_formula
from reports.rules.formula import FormulaFacts, circle, misfit
from reports.rules.names import Subject, Vocabulary, alike, fact_of
from reports.rules.tree import RuleError
from workflows.base import records
from workflows.base.context import Ctx

Every = dict[str, dict[str, CustomFacts]]  # definitions by table and code
_VIEWS: Final = select(SavedView.table_name, SavedView.name, SavedView.query).order_by(SavedView.id)
_TEXTS: Final = {"text": "公式", "visible_if": "显示条件", "required_if": "必填条件"}
_FIXED_WHEN_USED: Final = ("table_name", "code", "kind", "scale", "dictionary_id", "target")


@records.rule(CustomField)
def check_custom_field(ctx: Ctx, field: CustomField, is_new: bool) -> None:
    """A code and a label of its own, all that its kind needs, and no other kind once rows use it."""
    errors = _name_errors(field) | _kind_errors(field) | _role_errors(ctx, field)
    errors |= _formula_errors(field) | _rule_errors(ctx, field)
    if not is_new:
        errors |= _changed_in_use(ctx, field) | _renamed_in_use(ctx, field)
    if errors:
        raise FieldErrors({name: [message] for name, message in errors.items()})
    if field.kind is not CustomKind.DICTIONARY:
        field.dictionary_id = None
    if field.kind is not CustomKind.REFERENCE:
        field.target = None


@records.delete_rule(CustomField)
def refuse_delete_of_used_field(ctx: Ctx, field: CustomField) -> None:
    """Values that people have typed do not vanish with a definition."""
    if count := uses(ctx, field.table_name, field.code):
        raise Conflict(f"“{field.label}”已有 {count} 条记录填写，不能删除；可以改为停用")
    named = named_in(ctx.session, field, field.label) + shown_in(ctx.session, field)
    if named:
        raise Conflict(f"“{field.label}”用在{'、'.join(named)}，不能删除；请先修改这些地方")


def uses(ctx: Ctx, table: str, code: str) -> int:
    """In how many rows a custom field is filled in."""
    model: type[Entity] = entity_of(table)
    kept = CustomFacts(code).sql(model)
    query = select(func.count()).select_from(model).where(kept.is_not(None))
    return ctx.session.scalar(query) or 0


def _name_errors(field: CustomField) -> dict[str, str]:
    model = entity_of(field.table_name)
    known = fields_of(model)
    taken = {*known, *inspect(model).all_orm_descriptors.keys(), *dir(model)}
    found = {}
    if not is_code(field.code):
        found["code"] = "应以小写字母开头，由小写字母、数字和下划线组成，2 至 32 位"
    elif field.code in taken or f"{field.code}_id" in taken or field.code.endswith("_label"):
        found["code"] = f"“{model.spec.label}”已经有“{field.code}”，请换一个编码"
    if field.label in {facts.label for facts in known.values()}:
        found["label"] = f"“{model.spec.label}”已经有“{field.label}”这个字段"
    return found


def _kind_errors(field: CustomField) -> dict[str, str]:
    found = {}
    if field.kind is CustomKind.DICTIONARY and field.dictionary_id is None:
        found["dictionary_id"] = "类型为字典时请选择字典"
    if field.kind is CustomKind.REFERENCE and not field.target:
        found["target"] = "类型为引用时请选择引用的对象"
    if field.mask is not None and field.kind is not CustomKind.TEXT:
        found["mask"] = "只有文字可以脱敏"
    elif field.mask is not None and not _can_be_revealed(field.table_name):
        found["mask"] = "这个对象没有“查看原值”的权限，脱敏后谁也看不到，请留空"
    return found


def _role_errors(ctx: Ctx, field: CustomField) -> dict[str, str]:
    """Roles are named as they are called; whoever may fill in a field may also see it."""
    known, found = rights.role_names(ctx.session), {}
    for name in ("visible_to", "editable_by"):
        roles = roles_in(getattr(field, name))
        if unknown := sorted(roles - known):
            found[name] = f"没有叫“{unknown[0]}”的角色{alike(unknown[0], known)}"
    may_see, may_edit = roles_in(field.visible_to), roles_in(field.editable_by)
    if not found and may_see and (blind := sorted(may_edit - may_see)):
        found["editable_by"] = f"“{blind[0]}”不在可查看的角色中"
    return found


def roles_named(session: Session, role: str) -> list[str]:
    """Labels of the fields that name a role."""
    query = select(CustomField).where(
        CustomField.visible_to.contains(role, autoescape=True)
        | CustomField.editable_by.contains(role, autoescape=True)
    )
    found = session.scalars(query.order_by(CustomField.label))
    return [
        one.label for one in found if role in roles_in(one.visible_to) | roles_in(one.editable_by)
    ]


def _formula_errors(field: CustomField) -> dict[str, str]:
    """What nobody fills in is not demanded, asked for or hidden."""
    if not field.formula:
        return {}
    given = {
        "is_required": field.is_required,
        "required_if": field.required_if,
        "visible_if": field.visible_if,
        "editable_by": field.editable_by,
        "mask": field.mask,
    }
    return {name: "有公式的字段由系统计算，这里请留空" for name, value in given.items() if value}


def _rule_errors(ctx: Ctx, field: CustomField) -> dict[str, str]:
    """Formula and conditions make sense, fit the kind, and no formula needs itself."""
    if not any((field.formula, field.required_if, field.visible_if)):
        return {}
    own = (field.table_name, field.code)
    known, every = _with(ctx, field)
    subject, found = known.subject(field.table_name), dict[str, str]()
    for name in ("required_if", "visible_if"):
        if text := getattr(field, name):
            found |= _said(name, partial(_condition, text, subject, known, own))
    facts = every[field.table_name][field.code]
    if isinstance(facts, FormulaFacts):
        found |= _said("formula", partial(_formula, facts, subject, known, every))
    return found


def _said(name: str, check: Callable[[], None]) -> dict[str, str]:
    try:
        check()
    except RuleError as problem:
        return {name: str(problem) if problem.text else problem.message}
    return {}


def _condition(text: str, subject: Subject, known: Vocabulary, own: tuple[str, str]) -> None:
    used: set[tuple[str, str]] = set()
    understand(text, subject, known, used=used)
    if own in used:
        raise RuleError("条件不能用到这个字段自己")


def _formula(facts: FormulaFacts, subject: Subject, known: Vocabulary, every: Every) -> None:
    facts.formula.used.clear()
    part = understand_formula(facts.text, subject, known, facts.formula.used)
    assert subject.model is not None
    if way := circle(every, (str(subject.model.__tablename__), facts.name)):
        raise RuleError(f"公式用到了它自己：{way}")
    if why := misfit(part, facts, fact_of(subject.model, facts)):
        raise RuleError(why)
    facts.formula.value = part


def _with(ctx: Ctx, field: CustomField) -> tuple[Vocabulary, Every]:
    """All definitions as they would be with this one."""
    with ctx.session.no_autoflush:
        every = custom_fields.every(ctx.session)
        query = select(DictionaryType.code).where(DictionaryType.id == field.dictionary_id)
        dictionary = ctx.session.scalar(query) or ""
    facts = custom_fields.facts_of(field, dictionary)
    every.setdefault(field.table_name, {})[field.code] = facts
    return custom_fields.words_of(ctx.session, every), every


def _can_be_revealed(table: str) -> bool:
    """The right to look behind masks goes with columns of the entity's own."""
    return any(facts.mask for facts in fields_of(entity_of(table)).values())


def _renamed_in_use(ctx: Ctx, field: CustomField) -> dict[str, str]:
    """Rules name a field by its label: neither that nor the field itself is taken from them unseen."""
    label: Sequence[str] = inspect(field).attrs.label.history.deleted
    is_off = bool(inspect(field).attrs.is_active.history.deleted) and not field.is_active
    if not (label or is_off):
        return {}
    named = named_in(ctx.session, field, [*label, field.label][0])
    if is_off:
        named += shown_in(ctx.session, field)
    if not named:
        return {}
    where = "label" if label else "is_active"
    return {where: f"用在{'、'.join(named)}，请先修改这些地方"}


def named_in(session: Session, field: CustomField, label: str) -> list[str]:
    """Where formulas, conditions of fields and flows name a field that is called so."""
    with session.no_autoflush:
        every = custom_fields.every(session)
        flows = session.execute(
            select(ApprovalFlow.name, ApprovalFlow.condition).where(
                ApprovalFlow.condition.is_not(None), ApprovalFlow.state != FlowState.RETIRED
            )
        ).all()
    here = every.setdefault(field.table_name, {})
    here[field.code] = replace(custom_fields.facts_of(field, ""), label=label)
    known = custom_fields.words_of(session, every)
    texts = [
        (table, getattr(facts, name, ""), f"{entity_of(table).spec.label}“{facts.label}”的{word}")
        for table, fields in every.items()
        for facts in fields.values()
        for name, word in _TEXTS.items()
    ]
    texts += [("approval_request", text, f"审批流程“{name}”的适用规则") for name, text in flows]
    for table, name, query in session.execute(_VIEWS):
        rules = parse_qs(query).get("rule", ())
        texts += [(table, text, f"列表视图“{name}”的高级条件") for text in rules]
    place = (field.table_name, field.code)
    return [
        where
        for table, text, where in texts
        if text and place in _read_by(text, known.subject(table), known)
    ]


def shown_in(session: Session, field: CustomField) -> list[str]:
    """Views of its list that show a field, filter, sort or group by it."""
    found = session.execute(_VIEWS.where(SavedView.table_name == field.table_name))
    return [f"列表视图“{name}”" for _, name, query in found if field.code in _codes_in(query)]


def _codes_in(query: str) -> set[str]:
    asked = parse_qs(query)
    filters = {text.partition(":")[0] for text in asked.get("f", ())}
    columns = {code for text in asked.get("cols", ()) for code in text.split(",")}
    others = {code.removeprefix("-") for word in ("order", "group") for code in asked.get(word, ())}
    return filters | columns | others


def _read_by(text: str, subject: Subject, known: Vocabulary) -> set[tuple[str, str]]:
    """Table and name of what a rule reads; nothing where it makes no sense any more."""
    used: set[tuple[str, str]] = set()
    with suppress(RuleError):
        understand_formula(text, subject, known, used)
    return used


def _changed_in_use(ctx: Ctx, field: CustomField) -> dict[str, str]:
    """What may not change any more, and how many rows forbid it."""
    changed: dict[str, object] = {}
    for name in _FIXED_WHEN_USED:
        old: Sequence[object] = inspect(field).attrs[name].history.deleted
        if old and old[0] != getattr(field, name):
            changed[name] = old[0]
    if not changed:
        return {}
    table = str(changed.get("table_name", field.table_name))
    code = str(changed.get("code", field.code))
    count = uses(ctx, table, code)
    return dict.fromkeys(changed, f"已有 {count} 条记录填写，不能修改") if count else {}
