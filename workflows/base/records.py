"""The one verb pair behind every screen, REST call and import that saves or deletes a record (architecture rule 3)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Table, UniqueConstraint, func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import set_attribute

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.custom import CustomFacts
from models.base.entity import (
    STAMPS,
    Entity,
    editable_columns,
    entities,
    entity_of,
    fields_of,
    owner_of,
)
from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.base.fields import FieldFacts
from models.base.kinds import Kind, SpecKind
from models.base.masks import is_own_mask
from models.base.money import format_money
from models.base.plain import plain
from models.customer.customer import Customer
from models.system.errand import Errand
from models.system.records import Attachment, Comment, IssuedDocument
from models.system.setup import AuditLog
from reports.base.scope import is_visible, may_act, scoped
from reports.figures import dictionaries, field_conditions, uses
from reports.figures.configuration import way_up
from reports.figures.custom_fields import editable_now, fields_seen, seen
from reports.figures.vocabulary import vocabulary
from reports.rules.check import understand
from reports.rules.tree import RuleError
from workflows.base import audit, file_store
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.values import coerce

E = TypeVar("E", bound=Entity)
Rule = Callable[[Ctx, Any, bool], None]
DeleteRule = Callable[[Ctx, Any], None]

_RULES: dict[type[Entity], list[Rule]] = {}
# Entities whose rules look at one row at a time and write nothing: many are checked without saving any.
_ALONE: set[type[Entity]] = set()
_DELETE_RULES: dict[type[Entity], list[DeleteRule]] = {}
_ID_MAX = 2_147_483_647
_CUSTOMERS = ("customer", "personal_customer", "corporate_customer")


def rule(model: type[Entity]) -> Callable[[Rule], Rule]:
    """Register a check that runs on each save of `model` (and its subclasses): (ctx, record, is_new)."""

    def register(check: Rule) -> Rule:
        _RULES.setdefault(model, []).append(check)
        return check

    return register


def stand_alone(*models: type[Entity]) -> None:
    """State that the rules of these entities look at their row alone and write nothing (numbers aside)."""
    _ALONE.update(models)


def is_alone(model: type[Entity]) -> bool:
    """Whether rows of a table say nothing about each other, so that many are saved at once."""
    has_rules = any(_RULES.get(cls) for cls in model.__mro__)
    refers_to_itself = any(
        facts.target == model.__tablename__ and facts.is_filled_in
        for facts in fields_of(model).values()
    )
    return model in _ALONE or not (has_rules or refers_to_itself)


def delete_rule(model: type[Entity]) -> Callable[[DeleteRule], DeleteRule]:
    """Register a check that runs before a delete of `model`: (ctx, record)."""

    def register(check: DeleteRule) -> DeleteRule:
        _DELETE_RULES.setdefault(model, []).append(check)
        return check

    return register


def find(ctx: Ctx, model: type[E], record_id: Any, *, lock: bool = False) -> E:
    """The record if it exists and the actor may read it; else NotFound. `lock` holds its row until the commit."""
    text = str(record_id)
    if (
        not text.isdecimal()
        or not text.isascii()
        or not 0 < int(text[:12]) <= _ID_MAX
        or len(text) > 10
    ):
        raise NotFound
    query = scoped(
        select(model).where(inspect(model).primary_key[0] == int(text)), model, ctx.actor
    )
    if lock:
        query = query.with_for_update(of=model).execution_options(populate_existing=True)
    found: E | None = ctx.session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def create(ctx: Ctx, model: type[E], values: Mapping[str, Any]) -> E:
    """Make a record of `model` from the values of its editable columns.

    Raises NotAllowed, FieldErrors (all wrong fields at once), Conflict for duplicates.
    """
    record = prepare(ctx, model, values)
    with ctx.session.no_autoflush:
        ctx.session.add(record)
    _flush(ctx, record)
    return record


def prepare(
    ctx: Ctx, model: type[E], values: Mapping[str, Any], owner: tuple[str, Entity] | None = None
) -> E:
    """The record that `create` would make, with all its checks, and not saved yet.

    `owner` is (relationship, record) for a part of a record that is being made too. Raises what `create` raises.
    """
    _require_kind(model, "add")
    ctx.require("add", model.__tablename__, f"新增{model.spec.label}")
    _refuse_foreign_keys_of_code(ctx, model, values)
    link = f"{owner[0]}_id" if owner else ""
    names = [name for name in editable_now(ctx.session, model, ctx.actor) if name != link]
    typed = _typed(ctx, model, values, names)
    record = model()
    _put(ctx, record, typed)
    _check_papers(ctx, record, typed)
    _fill_defaults(record)
    _meet_demands(ctx, record)
    _default_scope(ctx, record)
    if owner is None:
        _check_owner(ctx, record, "add")
    _check(ctx, record, is_new=True)
    _draw_numbers(ctx, record)
    if owner is not None:
        with ctx.session.no_autoflush:
            set_attribute(record, *owner)
    return record


def update(ctx: Ctx, record: Entity, values: Mapping[str, Any], version: int | None) -> Entity:
    """Save new values of some editable columns; `version` is the one the person had on the screen.

    Raises StaleRecord with what changed meanwhile, and what `create` raises.
    """
    amend(ctx, record, values, version)
    _flush(ctx, record)
    return record


def amend(ctx: Ctx, record: Entity, values: Mapping[str, Any], version: int | None) -> None:
    """What `update` does, with all its checks, before anything is sent to the database."""
    model = type(record)
    _require_kind(model, "edit")
    ctx.require("edit", model.__tablename__, f"修改{model.spec.label}")
    if not is_visible(ctx.session, ctx.actor, record):
        raise NotFound
    require_reach(ctx, ("edit", str(model.__tablename__)), record, "修改")
    check_version(ctx, record, version)
    require_draft(record, "修改")
    _refuse_foreign_keys_of_code(ctx, model, values)
    _check_owner(ctx, record, "edit")
    typed = _typed(ctx, model, values, _changed(ctx, record, values))
    _check_papers(ctx, record, typed)
    with ctx.session.no_autoflush:
        _put(ctx, record, typed)
        _meet_demands(ctx, record)
        _check_owner(ctx, record, "edit")
        _check(ctx, record, is_new=False)


def fill_in(
    rule: Ctx,
    ctx: Ctx,
    record: Entity,
    facts: Mapping[str, FieldFacts],
    values: Mapping[str, Any],
) -> dict[str, list[Any]]:
    """Put what a decision says into fields of a record that is no draft any more, with the record's own checks.

    `rule` is the unit of work under which these checks ask; the trail names the actor of `ctx`. The caller has checked
    who may fill in which fields. Returns [before, after] of each as they are kept. Raises FieldErrors.
    """
    typed: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, value in values.items():
        try:
            typed[name] = coerce(facts[name], value)
            check_choice(ctx, facts[name], typed[name])
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise FieldErrors(errors)
    told = {name: [plain(facts[name].get(record)), plain(value)] for name, value in typed.items()}
    if any(before != after for before, after in told.values()):
        try:
            ctx.session.info["ctx"] = rule
            with ctx.session.no_autoflush:
                for name, value in typed.items():
                    facts[name].set(record, value)
                _check(rule, record, is_new=False)
        finally:
            ctx.session.info["ctx"] = ctx
        _flush(ctx, record)
    return told


def save_all(ctx: Ctx, made: Sequence[Entity]) -> None:
    """Save records that were prepared, and what was amended, in one go. Raises Conflict."""
    with ctx.session.no_autoflush:
        ctx.session.add_all(made)
    try:
        ctx.session.flush()
    except IntegrityError as error:
        raise Conflict("有记录与已有数据冲突，请刷新后重试") from error


def problems(ctx: Ctx, model: type[Entity], values: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with single values by themselves; rules of the whole record are not asked."""
    given = [name for name in editable_now(ctx.session, model, ctx.actor) if name in values]
    try:
        _typed(ctx, model, values, given)
    except FieldErrors as error:
        return error.field_errors
    return {}


def delete(ctx: Ctx, record: Entity, version: int | None) -> None:
    """Delete a record that nothing refers to; what it owns goes with it, files and remarks too.

    `version` is the one the person had on the screen. Raises Conflict naming who refers to it, NotAllowed, StaleRecord.
    """
    model = type(record)
    _require_kind(model, "delete")
    ctx.require("delete", model.__tablename__, f"删除{model.spec.label}")
    if not is_visible(ctx.session, ctx.actor, record):
        raise NotFound
    require_reach(ctx, ("delete", str(model.__tablename__)), record, "删除")
    check_version(ctx, record, version)
    parts = list(_parts(ctx, record))
    _refuse_if_approved(ctx, record, parts)
    require_draft(record, "删除")
    _check_owner(ctx, record, "delete")
    for cls in model.__mro__:
        for check in _DELETE_RULES.get(cls, []):
            check(ctx, record)
    _refuse_if_used(ctx, record)
    for part in parts:
        _refuse_with_history(record, part)
    _drop(ctx, record, parts)


def why_not_remove(ctx: Ctx, record: Entity) -> str:
    """What hangs on a record and would be left without it, named; '' where nothing does."""
    parts = list(_parts(ctx, record))
    try:
        _refuse_if_approved(ctx, record, parts)
        _refuse_if_used(ctx, record)
        for part in parts:
            _refuse_with_history(record, part)
    except Conflict as error:
        return error.message
    return ""


def remove(ctx: Ctx, record: Entity) -> None:
    """Take away a record, whatever its state, that an approved paper says is to go, with its parts, files and remarks.

    Raises Conflict naming what hangs on it. The caller has checked the permission of its own verb.
    """
    if why := why_not_remove(ctx, record):
        raise Conflict(why)
    _drop(ctx, record, list(_parts(ctx, record)))


def _drop(ctx: Ctx, record: Entity, parts: list[Entity]) -> None:
    for one in (*reversed(parts), record):
        _delete_papers(ctx, one)
        ctx.session.delete(one)
    _flush(ctx, record)


def require_reach(ctx: Ctx, permission: tuple[str, str], record: Entity, label: str) -> None:
    """Raise NotAllowed for a record beyond the scope of the roles that give the permission, though others read it."""
    if not may_act(ctx.session, ctx.actor, permission, record):
        if not is_visible(ctx.session, ctx.actor, record):
            raise NotFound
        reach = ctx.actor.acting(*permission).scope.label
        raise NotAllowed(f"您“{label}”的权限只及{reach}，不含{record.spec.label}“{record}”")


def check_version(ctx: Ctx, record: Entity, version: int | None) -> None:
    """Raise StaleRecord unless `version` is the record's present one."""
    if version is None:
        raise BusinessError("缺少版本号（version），请重新打开后再办理")
    if int(version) != record.version:
        raise StaleRecord(
            "这条记录已被他人修改，请核对后重新保存", _changes_since(ctx, record, int(version))
        )


def require_draft(record: Entity, verb: str) -> None:
    """Raise Conflict unless the document is still in one of its draft states."""
    spec = record.spec
    if spec.state and spec.drafts:
        now = getattr(record, spec.state)
        if now not in spec.drafts:
            raise Conflict(f"{spec.label}“{record}”{now.label}，不能{verb}")


def _require_kind(model: type[Entity], verb: str) -> None:
    if not model.spec.kind.is_writable or verb not in model.spec.saved_by:
        word = {"add": "新增", "edit": "修改"}.get(verb, "删除")
        raise NotAllowed(f"{model.spec.label}由业务流程生成，不能直接{word}")


def _put(ctx: Ctx, record: Entity, typed: Mapping[str, Any]) -> None:
    known = fields_seen(ctx.session, type(record), ctx.actor)
    for name, value in typed.items():
        known[name].set(record, value)


def _meet_demands(ctx: Ctx, record: Entity) -> None:
    """Custom fields that their conditions do not ask for are left empty, those that they demand are filled in."""
    fields = field_conditions.conditional(seen(ctx.session, type(record), ctx.actor))
    if not fields:
        return
    demands = field_conditions.settle(ctx.session, record, ctx.today, fields)
    missing = {
        facts.name: [f"请填写{facts.label}（{facts.required_if}）"]
        for facts in fields
        if demands[facts.name].is_required and facts.get(record) is None
    }
    if missing:
        raise FieldErrors(missing)


def _refuse_foreign_keys_of_code(ctx: Ctx, model: type[Entity], values: Mapping[str, Any]) -> None:
    allowed = set(editable_now(ctx.session, model, ctx.actor))
    known = fields_seen(ctx.session, model, ctx.actor)
    wrong = {
        name: [
            f"“{known[name].label}”由系统维护，不能直接修改"
            if name in known
            else f"没有“{name}”这个字段"
        ]
        for name in values
        if name not in allowed
    }
    if wrong:
        raise FieldErrors(wrong)


def _changed(ctx: Ctx, record: Entity, values: Mapping[str, Any]) -> list[str]:
    """The editable columns that are given anew: a mask that comes back as it was shown changes nothing (X9)."""
    known = fields_seen(ctx.session, type(record), ctx.actor)
    editable = set(editable_now(ctx.session, type(record), ctx.actor))
    given = [name for name in values if name in editable]
    return [
        name
        for name in given
        if not is_own_mask(known[name], known[name].get(record), values[name])
    ]


def _typed(
    ctx: Ctx, model: type[Entity], values: Mapping[str, Any], names: list[str]
) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    known = fields_seen(ctx.session, model, ctx.actor)
    for name in names:
        facts = known[name]
        if name not in values and facts.has_default:
            continue  # `_fill_defaults` or the flush
        try:
            typed[name] = coerce(_as_asked(facts), values.get(name))
            check_choice(ctx, facts, typed[name])
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise FieldErrors(errors)
    return typed


def _as_asked(facts: FieldFacts) -> FieldFacts:
    """What is asked for under a condition is demanded only where that holds."""
    is_open = isinstance(facts, CustomFacts) and bool(facts.visible_if)
    return replace(facts, required=False) if is_open else facts


def check_choice(ctx: Ctx, facts: FieldFacts, value: Any) -> None:
    """Raise ValueError for a value that is none of its dictionary, no rule, or a record beyond the actor's scope."""
    if value is None:
        return
    if facts.kind == "dictionary" and value not in dict(
        dictionaries.items(ctx.session, facts.dictionary)
    ):
        raise ValueError("没有这个选项，请从列表中选择")
    if facts.rule_of:
        _check_rule(ctx, facts.rule_of, value)
    if facts.kind == "reference":
        target = entity_of(facts.target)
        query = select(target.id).where(target.id == value)
        if ctx.session.scalar(scoped(query, target, ctx.actor)) is None:
            raise ValueError("所选记录不存在，或不在您的数据范围内")


def _check_rule(ctx: Ctx, about: str, text: str) -> None:
    """A rule that is saved is one that can be asked."""
    try:
        known = vocabulary(ctx.session)
        understand(text, known.subject(about), known)
    except RuleError as problem:
        raise ValueError(str(problem)) from None


def _check_papers(ctx: Ctx, record: Entity, typed: Mapping[str, Any]) -> None:
    """A record refers to files and documents of its own alone."""
    known = fields_seen(ctx.session, type(record), ctx.actor)
    for name, value in typed.items():
        target = entity_of(known[name].target) if known[name].target else None
        if value is None or target is None or not issubclass(target, Attachment | IssuedDocument):
            continue
        paper = ctx.session.get_one(target, value)
        if (paper.owner_table, paper.owner_id) != (record.__tablename__, record.id):
            raise FieldErrors({name: ["只能选择这条记录自己的附件或文书"]})


def _fill_defaults(record: Entity) -> None:
    """Rules see the record as it will be stored: the database layer would fill plain defaults in only later."""
    for facts in fields_of(type(record)).values():
        if facts.default is not None and facts.get(record) is None:
            facts.set(record, facts.default)


def _draw_numbers(ctx: Ctx, record: Entity) -> None:
    """After all checks: the counter's row is locked until the transaction ends."""
    for facts in fields_of(type(record)).values():
        if facts.numbering and facts.get(record) is None:
            with ctx.session.no_autoflush:
                facts.set(record, next_number(ctx, facts.numbering.code))


def _default_scope(ctx: Ctx, record: Entity) -> None:
    scope = record.spec.scope
    if scope.owner and getattr(record, scope.owner) is None:
        setattr(record, scope.owner, ctx.actor.employee_id)
    if scope.department and getattr(record, scope.department) is None:
        setattr(record, scope.department, ctx.actor.department_id)


def _check_owner(ctx: Ctx, record: Entity, verb: str) -> None:
    """A part may change only while its owner may: a drawn-up document is frozen with all its rows."""
    for facts in fields_of(type(record)).values():
        if facts.is_owner and facts.get(record) is not None:
            owner = find(ctx, entity_of(facts.target), facts.get(record))
            require_reach(ctx, (verb, str(record.__tablename__)), owner, "修改")
            require_draft(owner, "修改")


def _check(ctx: Ctx, record: Entity, *, is_new: bool) -> None:
    with ctx.session.no_autoflush:
        _check_unique(ctx, record)
        _refuse_merged(ctx, record)
        for cls in type(record).__mro__:
            for check in _RULES.get(cls, []):
                check(ctx, record, is_new)


def _refuse_merged(ctx: Ctx, record: Entity) -> None:
    """Nothing new points to a customer that was merged; one who is being merged is waited for."""
    changed = audit.changes_of(record)
    wanted = {
        name: facts.get(record)
        for name, facts in fields_of(type(record)).items()
        if facts.target in _CUSTOMERS and name in changed and name != "merged_into_id"
    }
    keys = {key for key in wanted.values() if key is not None}
    if not keys:
        return
    query = select(Customer.id, Customer.merged_into_id).where(Customer.id.in_(keys))
    found = ctx.session.execute(
        query.order_by(Customer.id).with_for_update(read=True, key_share=True)
    )
    into = {key: other for key, other in found if other is not None}
    wrong = {
        name: [f"该客户已并入“{ctx.session.get_one(Customer, into[key])}”，请选择后者"]
        for name, key in wanted.items()
        if key in into
    }
    if wrong:
        raise FieldErrors(wrong)


def _unique_sets(table: Table) -> list[list[str]]:
    found = [[c.name] for c in table.columns if c.unique]
    found += [list(c.columns.keys()) for c in table.constraints if isinstance(c, UniqueConstraint)]
    return found


def _check_unique(ctx: Ctx, record: Entity) -> None:
    model = type(record)
    known = fields_of(model)
    identity = inspect(model).primary_key[0]
    for names in [s for table in inspect(model).tables for s in _unique_sets(table)]:
        if not all(n in known for n in names) or any(getattr(record, n) is None for n in names):
            continue
        query = (
            select(func.count())
            .select_from(model)
            .where(*(getattr(model, n) == getattr(record, n) for n in names))
        )
        if record.id is not None:
            query = query.where(identity != record.id)
        if ctx.session.scalar(query):
            # What the server fills in, e.g. the number of a version, nobody could enter differently.
            filled = [n for n in names if n in editable_columns(model)] or names
            words = "、".join(known[n].label for n in filled)
            raise FieldErrors({filled[-1]: [f"{words}已存在，不能重复"]})


def _flush(ctx: Ctx, record: Entity) -> None:
    try:
        ctx.session.flush()
    except IntegrityError as error:
        # Two savers at once pass the look-ups above; the database decides between them.
        raise Conflict(f"{record.spec.label}与已有数据冲突，请刷新后重试") from error


def _refuse_if_used(ctx: Ctx, record: Entity) -> None:
    """Raise Conflict with everything that uses a record."""
    found = sorted({str(one) for one in uses.uses(ctx.session, record) if one.is_in_the_way})
    if found:
        what, words = f"{record.spec.label}“{record}”", "、".join(found)
        if way_up(type(record)) is None:
            raise Conflict(f"{what}下有 {words}，不能删除")
        instead = "；可以改为停用" if "is_active" in fields_of(type(record)) else ""
        raise Conflict(f"{what}正在使用中：{words}，不能删除{instead}")


def _parts(ctx: Ctx, record: Entity) -> Iterator[Entity]:
    """The rows that are part of a record, each before its own parts.

    They are deleted one by one: the database would take them without a word in the trail. What the system itself
    noted about it (logs, internal rows) goes with the foreign key.
    """
    for model in entities():
        owner = owner_of(model)
        if (
            owner is None
            or not isinstance(record, owner[1])
            or model.spec.kind in (SpecKind.LOG, SpecKind.INTERNAL)
        ):
            continue
        key = getattr(model, f"{owner[0]}_id")
        for part in ctx.session.scalars(
            select(model).where(key == record.id).order_by(model.id)
        ).all():
            yield part
            yield from _parts(ctx, part)


def _refuse_if_approved(ctx: Ctx, record: Entity, parts: list[Entity]) -> None:
    """Raise Conflict naming the first of these that is in approval or was approved: no approval loses its record."""
    for one in (record, *parts):
        tables = [table.name for table in inspect(type(one)).tables]
        query = select(ApprovalInstance).where(
            ApprovalInstance.table_name.in_(tables),
            ApprovalInstance.record_id == one.id,
            ApprovalInstance.state.in_((ApprovalState.RUNNING, ApprovalState.APPROVED)),
        )
        if (
            found := ctx.session.scalars(
                query.order_by(ApprovalInstance.id.desc()).limit(1)
            ).first()
        ) is not None:
            of_part = "" if one is record else f"{one.spec.label}“{one}”的"
            said = f"{of_part}审批单“{found.title}”{found.state.label}"
            raise Conflict(f"{record.spec.label}“{record}”不能删除：{said}")


def _refuse_with_history(record: Entity, part: Entity) -> None:
    """A part that could not be deleted by itself, being more than a draft, is not taken along either."""
    spec = part.spec
    if not spec.state or not spec.drafts:
        return
    now = getattr(part, spec.state)
    if now not in spec.drafts or "delete" not in spec.saved_by:
        raise Conflict(f"{record.spec.label}“{record}”不能删除：{spec.label}“{part}”{now.label}")


def _delete_papers(ctx: Ctx, record: Entity) -> None:
    """Files, remarks and errands hang on a record by its table and number: no foreign key takes them along."""
    tables = [t.name for t in inspect(type(record)).tables]
    files, remarks, errands = (
        ctx.session.scalars(
            select(kind).where(kind.owner_table.in_(tables), kind.owner_id == record.id)
        ).all()
        for kind in (Attachment, Comment, Errand)
    )
    if not (files or remarks or errands):
        return
    names = "、".join(file.original_name for file in files)
    note = f"随记录删除备注 {len(remarks)} 条、附件 {len(files)} 个"
    if errands:
        note += f"、交办 {len(errands)} 项"
    audit.log(ctx, record, "DETACH", note=f"{note}：{names}" if files else note)
    file_store.let_go(ctx, files)
    for one in (*remarks, *errands):
        ctx.session.delete(one)


def _changes_since(ctx: Ctx, record: Entity, version: int) -> list[tuple[str, str, str]]:
    """What others saved after `version`: each save of a record leaves one line in the trail."""
    behind = max(record.version - max(version, 0), 1)
    mine = (AuditLog.table_name == record.__tablename__, AuditLog.record_id == record.id)
    query = (
        select(AuditLog.changes)
        .where(*mine, AuditLog.action == "UPDATE")
        .order_by(AuditLog.id.desc())
        .limit(behind)
    )
    known = fields_seen(ctx.session, type(record), ctx.actor)
    return [
        (facts.label, word(ctx, facts, old), word(ctx, facts, new))
        for changes in ctx.session.scalars(query).all()
        for name, (old, new) in changes.items()
        if (facts := known.get(name)) is not None
        and name not in STAMPS
        and not (facts.mask or facts.is_hidden)  # no message shows those
    ]


def word(ctx: Ctx, facts: FieldFacts, value: Any) -> str:
    """A value of the trail as people read it."""
    if value is None:
        return "—"
    if facts.kind == "bool":
        return "是" if value else "否"
    if facts.choices is not None:
        members: Mapping[str, Kind] = facts.choices.__members__
        return members[value].label if value in members else str(value)
    if facts.kind == "dictionary":
        return dictionaries.label(ctx.session, facts.dictionary, value)
    if facts.kind == "reference":
        return str(ctx.session.get(entity_of(facts.target), value) or f"已删除的记录 {value}")
    return format_money(Decimal(value)) if facts.kind == "money" else str(value)
