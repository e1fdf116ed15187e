"""Data scope (X5): which rows an actor may read, for lists, look-ups, exports, REST and pages alike.

A row is somebody's own (owner, department, members), or belongs to what it is part of, or to the record that it hangs
on; beside that, whoever has or had an approval task on a record reads it, and a board its papers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    event,
    exists,
    false,
    inspect,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from models.approval import asked
from models.approval.approval import ApprovalInstance, ApprovalTask
from models.approval.copies import ApprovalCopy
from models.base.actor import Actor, ScopeLevel
from models.base.entity import Entity, entities, entity_of
from models.base.kinds import SpecKind
from models.customer.customer import Customer
from models.customer.relation import CustomerRelation, RelationState
from models.guarantee.project import Project
from models.guarantee.resolution import (
    ItemState,
    MeetingItem,
    MeetingMember,
    MeetingVote,
    ReviewMeeting,
)
from models.open_tables import OPEN
from models.system.configuration import ConfigProposal, ConfigVersion
from models.system.setup import AuditLog

Columns = TypeVarTuple("Columns")
Condition = Callable[[Actor], ColumnElement[bool]]
# Further readers of a table beside owner and department, e.g. the members of a board.
_READERS: dict[type[Entity], list[Condition]] = {}
# What nobody reads yet, whatever the scope of the role.
_SECRETS: dict[type[Entity], Condition] = {}
_PROJECT: Final = "project_id"  # rows that hang on a paper of a project name it here
_ACTING: Final = "may_act"
ANNOUNCED: Final = (ItemState.PASSED, ItemState.REFUSED)


def reader(model: type[Entity]) -> Callable[[Condition], Condition]:
    """Register a condition under which an actor may read rows of `model` whatever the role's scope says."""

    def register(condition: Condition) -> Condition:
        _READERS.setdefault(model, []).append(condition)
        return condition

    return register


def secret(model: type[Entity]) -> Callable[[Condition], Condition]:
    """Register what must hold before anybody may read a row of `model`, whatever the role's scope says."""

    def register(condition: Condition) -> Condition:
        _SECRETS[model] = condition
        return condition

    return register


# ============================================================================================================ the hook
def condition(
    model: type[Entity], actor: Actor, *, as_set: bool = False
) -> ColumnElement[bool] | None:
    """The WHERE that limits rows to those the actor may read; None when all are.

    Parts of other records are asked about row by row, as suits the first rows of an order; `as_set` works out the
    readable records once, as suits a count or a sum over all rows.
    """
    return None if actor.is_system else _condition(str(model.__tablename__), actor, as_set)


# one page asks for the same table again and again, and that of the trail names every table
@lru_cache(maxsize=2048)
def _condition(table: str, actor: Actor, as_set: bool) -> ColumnElement[bool] | None:
    model = entity_of(table)
    parts = [
        _reach(model, actor, as_set=as_set),
        *(_SECRETS[cls](actor) for cls in model.__mro__ if cls in _SECRETS),
    ]
    limits = [part for part in parts if part is not None]
    return and_(*limits) if limits else None


def _through(
    model: type[Entity], inner: ColumnElement[bool], *, as_set: bool
) -> ColumnElement[bool]:
    relation = getattr(model, model.spec.scope.through)
    if not as_set:
        return relation.has(inner)  # type: ignore[no-any-return]
    (here,) = relation.property.local_columns
    return here.in_(select(relation.property.mapper.class_.id).where(inner))  # type: ignore[no-any-return]


def scoped(
    query: Select[*Columns], model: type[Entity], actor: Actor, *, as_set: bool = False
) -> Select[*Columns]:
    """The query limited to the rows the actor may read."""
    where = condition(model, actor, as_set=as_set)
    return query if where is None else query.where(where)


def scoped_by_join(query: Select[*Columns], model: type[Entity], actor: Actor) -> Select[*Columns]:
    """The same rows found from their owners on, as suits the first ones in any order: a count that ends early.

    Each level is a table of its own in FROM, so that conditions of the query never meet its names; both databases
    take the levels for one join, and begin it where the actor's records are few.
    """
    if (
        not model.spec.scope.through
        or model in _SECRETS
        or _further(model, actor)
        or actor.is_system
    ):
        return scoped(query, model, actor, as_set=True)
    relation = getattr(model, model.spec.scope.through)
    (here,), owner = relation.property.local_columns, relation.property.mapper.class_
    seen = scoped_by_join(select(owner.id), owner, actor).subquery()
    return query.join(seen, seen.c.id == here)


def is_visible(session: Session, actor: Actor, record: Entity) -> bool:
    """Whether this one record lies within the actor's scope; the permission on its table is another question."""
    model = type(record)
    where = condition(model, actor)
    if where is None:
        return True
    # The mapped attribute joins the tables of an inherited model; the bare column would multiply them.
    return session.scalar(select(model.id).where(and_(model.id == record.id, where))) is not None


def may_act(session: Session, actor: Actor, permission: tuple[str, str], record: Entity) -> bool:
    """Whether a record lies within the scope of the roles that give this permission.

    What one reads for having been asked about it does not (A7). Asked once until something is written: the buttons of a
    page ask for each of them.
    """
    own = replace(actor.acting(*permission), reads_as_asked=False)
    if condition(type(record), own) is None:
        return True
    known: dict[object, bool] = session.info.setdefault(_ACTING, {})
    key = own, type(record), record.id
    if key not in known:
        known[key] = is_visible(session, own, record)
    return known[key]


def _forget(session: Session, *_: object) -> None:
    session.info.pop(_ACTING, None)


for _moment in ("after_flush", "after_commit", "after_rollback"):
    event.listen(Session, _moment, _forget)


def may_read(session: Session, actor: Actor, record: Entity) -> bool:
    """Whether the actor may read this record: by right and scope, or for having been asked about it."""
    if actor.may("show", str(record.__tablename__)) and is_visible(session, actor, record):
        return True
    return was_asked(session, actor, record)


def was_asked(session: Session, actor: Actor, record: Entity, *, is_pending: bool = False) -> bool:
    """Whether the actor has or had an approval task on this record, or was told of it (抄送).

    With `is_pending` only who has a task now.
    """
    if actor.employee_id is None:
        return False
    names = [str(table.name) for table in inspect(type(record)).tables]
    about = and_(ApprovalInstance.table_name.in_(names), ApprovalInstance.record_id == record.id)
    if isinstance(record, Project):
        about = or_(about, ApprovalInstance.project_id == record.id)
    query = select(ApprovalTask.id).join(ApprovalTask.instance).where(about)
    if is_pending:
        query = query.where(asked.is_asked(actor), ApprovalTask.decided_at.is_(None))
        return session.scalar(query.limit(1)) is not None
    told = select(ApprovalCopy.id).join(ApprovalCopy.instance).where(about, asked.copied(actor))
    either = or_(query.where(asked.was_asked(actor)).exists(), told.exists())
    return bool(session.scalar(select(either)))


def is_offered(actor: Actor, target: type[Entity]) -> bool:
    """Whether records of a table may be chosen: settings by whoever fills in a form, business by who may look at it."""
    spec, table = target.spec, str(target.__tablename__)
    is_setting = spec.scope.is_open and spec.kind is SpecKind.MASTER
    if is_setting or spec.scope.hangs_on is not None:
        return True
    return actor.may("list", table) or actor.may("show", table)


def scope_note(model: type[Entity], actor: Actor) -> str:
    """What a list's head says about its rows, e.g. 数据范围：本部门."""
    is_whole = actor.scope is ScopeLevel.ALL or condition(model, actor) is None
    return "" if is_whole else f"数据范围：{actor.scope.label}"


def _reach(model: type[Entity], actor: Actor, *, as_set: bool) -> ColumnElement[bool] | None:
    scope = model.spec.scope
    if scope.hangs_on is not None:
        # The trail hangs on every table: record by record its question would be longer than SQLite takes.
        where = _on_owners(model, actor, as_set=as_set or model is AuditLog)
        return None if where is None else or_(where, *_further(model, actor))
    if scope.through:
        inner = condition(
            getattr(model, scope.through).property.mapper.class_, actor, as_set=as_set
        )
        return (
            None
            if inner is None
            else or_(_through(model, inner, as_set=as_set), *_further(model, actor))
        )
    if scope.is_open:
        return None if model.__tablename__ in OPEN else false()
    if actor.scope is ScopeLevel.ALL:
        return None
    parts = _further(model, actor)
    if scope.department and actor.scope >= ScopeLevel.DEPARTMENT:
        allowed = (
            actor.department_ids if actor.scope is ScopeLevel.SUBTREE else {actor.department_id}
        )
        parts.append(getattr(model, scope.department).in_([i for i in allowed if i is not None]))
    return or_(false(), *parts)


def _further(model: type[Entity], actor: Actor) -> list[ColumnElement[bool]]:
    """Owner, members, and whoever reads for another reason than the department."""
    scope = model.spec.scope
    found = [
        getattr(model, name) == actor.employee_id for name in (scope.owner, *scope.members) if name
    ]
    found += [extra(actor) for cls in model.__mro__ for extra in _READERS.get(cls, ())]
    return [*found, *_asked(model, actor)]


# ====================================================================================================== what hangs on
def _on_owners(model: type[Entity], actor: Actor, *, as_set: bool) -> ColumnElement[bool] | None:
    """Rows on records of the tables that the actor may look at, within the scope of each; None when all are."""
    assert model.spec.scope.hangs_on is not None
    table, key = (getattr(model, name) for name in model.spec.scope.hangs_on)
    free, limited, owners = [], dict[type[Entity], list[str]](), list(_owners(model))
    for owner in owners:
        name = str(owner.__tablename__)
        if not actor.may("show", name):
            continue
        if owner is model or condition(owner, actor) is None:
            free.append(name)
        else:
            limited.setdefault(_asks_of(model, owner), []).append(name)
    if len(free) == len(owners):
        return None
    parts = []
    for top, names in limited.items():
        papers = [
            name for name in names if inspect(entity_of(name)).base_mapper is not inspect(top)
        ]
        kinds = [name for name in names if name not in papers]
        for found, column in ((kinds, key), (papers, getattr(model, _PROJECT, None))):
            parts += (
                [and_(table.in_(found), _among(top, column, model, actor, as_set=as_set))]
                if found
                else []
            )
    return or_(table.in_(free), *parts)


def _among(
    top: type[Entity], key: Any, model: type[Entity], actor: Actor, *, as_set: bool
) -> ColumnElement[bool]:
    """Whether this column of `model` names a readable record of `top`; the outer query may join the same table."""
    # An approval hangs on every table itself: record by record within a record is deeper than SQLite's parser goes.
    if as_set or top.spec.scope.hangs_on is not None:
        return key.in_(scoped(select(top.id).correlate(None), top, actor, as_set=True))  # type: ignore[no-any-return]
    return scoped(select(top.id).where(top.id == key), top, actor).correlate(model).exists()


def _asks_of(model: type[Entity], owner: type[Entity]) -> type[Entity]:
    """The table that is asked for many: the project for its papers, which the row names, a customer for its kinds."""
    is_plain = not any(cls in _READERS for cls in owner.__mro__) and owner not in _SECRETS
    if is_plain and hasattr(model, _PROJECT) and _root(owner) is Project:
        return Project
    top: type[Entity] = inspect(owner).base_mapper.class_
    return top


def _owners(model: type[Entity]) -> Iterator[type[Entity]]:
    """The tables on whose records rows of `model` may hang; the trail alone tells of logs and of what is secret."""
    for owner in entities():
        spec = owner.spec
        if not (_tells_of_business(owner) if model is AuditLog else spec.kind.has_screen):
            continue
        if model is AuditLog or (owner is ApprovalInstance and model is not ApprovalInstance):
            yield owner  # 审批单 is a document, and people remark on it
        elif spec.kind is SpecKind.LOG or owner in _SECRETS or _root(owner).spec.scope.hangs_on:
            continue
        elif not (hasattr(model, _PROJECT) and spec.kind is SpecKind.MASTER and spec.scope.through):
            yield owner  # what a customer's file is made of is neither put up for approval nor issued


# ===================================================================================================== being asked
def _put_before(actor: Actor) -> tuple[type[ApprovalInstance], ColumnElement[bool]]:
    """Approvals under a name that no outer query bears, and whether the actor is or was asked, or told (抄送)."""
    instance, task = aliased(ApprovalInstance), aliased(ApprovalTask)
    copy = aliased(ApprovalCopy)
    mine = union_all(
        select(task.instance_id).where(asked.was_asked(actor, task)),
        select(copy.instance_id).where(asked.copied(actor, copy)),
    )
    return instance, instance.id.in_(mine)


def _asked(model: type[Entity], actor: Actor) -> Iterator[ColumnElement[bool]]:
    """Whoever has or had an approval task on a record, or was told of it (抄送), reads it with all on it (rule 9)."""
    if not actor.reads_as_asked:
        return
    scope, (instance, is_mine) = model.spec.scope, _put_before(actor)
    projects = select(instance.project_id).where(instance.project_id.is_not(None), is_mine)
    if scope.hangs_on is not None:
        table, key = (getattr(model, name) for name in scope.hangs_on)
        yield exists().where(instance.table_name == table, instance.record_id == key, is_mine)
        yield and_(table == Project.__tablename__, key.in_(projects))
    elif scope.owner or scope.department or (model.spec.state and _root(model) is not Project):
        # A kind of record has its parent's key: its own beside the parent's would keep indexes from being used.
        top = inspect(model).base_mapper
        names = [str(mapper.local_table.name) for mapper in top.self_and_descendants]
        yield top.local_table.c.id.in_(
            select(instance.record_id).where(instance.table_name.in_(names), is_mine)
        )
        if model is Project:
            yield top.local_table.c.id.in_(projects)


def _root(model: type[Entity]) -> type[Entity]:
    """The table whose scope is, in the end, that of this one."""
    while model.spec.scope.through:
        model = getattr(model, model.spec.scope.through).property.mapper.class_
    return model


# ======================================================================================================== the board
def _is_on_board(actor: Actor) -> ColumnElement[bool]:
    me, member = actor.employee_id, aliased(MeetingMember)
    called = ReviewMeeting.id.in_(select(member.meeting_id).where(member.employee_id == me))
    return or_(ReviewMeeting.chair_id == me, ReviewMeeting.secretary_id == me, called)


@reader(MeetingItem)
def _of_their_meeting(actor: Actor) -> ColumnElement[bool]:
    """Chair, secretary and members read the whole agenda of their meeting."""
    return MeetingItem.meeting.has(_is_on_board(actor))


@reader(ReviewMeeting)
def _with_their_project(actor: Actor) -> ColumnElement[bool]:
    """A meeting is read by its board, and by whoever may read a project on its agenda."""
    item = aliased(MeetingItem)
    projects = scoped(select(Project.id).correlate(None), Project, actor)
    items = select(item.meeting_id).where(item.project_id.in_(projects))
    return or_(_is_on_board(actor), ReviewMeeting.id.in_(items))


@secret(MeetingVote)
def _announced_or_own(actor: Actor) -> ColumnElement[bool]:
    """Nobody reads a vote before the result is announced, except one's own."""
    own = MeetingVote.employee_id == actor.employee_id
    return or_(own, MeetingVote.item.has(MeetingItem.result.in_(ANNOUNCED)))


@secret(CustomerRelation)
def _known_on_both_sides(actor: Actor) -> ColumnElement[bool]:
    """What the system has found says nothing of a customer that one may not read, until somebody confirms it."""
    other = condition(Customer, actor, as_set=True)
    if other is None:
        return true()
    there = CustomerRelation.to_customer_id.in_(select(Customer.id).where(other))
    return or_(CustomerRelation.state == RelationState.CONFIRMED, there)


# ======================================================================================================== the trail
def _tells_of_business(model: type[Entity]) -> bool:
    """Whether lines of the trail about this table are read with its records: files without a page too."""
    return model.spec.kind.has_screen or model.spec.scope.hangs_on is not None


@reader(AuditLog)
def _about_no_record(_: Actor) -> ColumnElement[bool]:
    """Signing in, roles and the like are about nobody's record."""
    records = [str(model.__tablename__) for model in entities() if _tells_of_business(model)]
    return or_(AuditLog.table_name.is_(None), AuditLog.table_name.not_in(records))


def _of_roles(model: Any) -> Condition:
    """Versions of roles are read by who reads roles, which have a screen of their own."""

    def read_by(actor: Actor) -> ColumnElement[bool]:
        return model.table_name == "role_profile" if actor.may("list", "ab_role") else false()

    return read_by


for _model in (ConfigVersion, ConfigProposal):
    reader(_model)(_of_roles(_model))


def readers_among(
    session: Session, actors: Sequence[Actor], model: type[Entity], record_id: int
) -> set[int | None]:
    """Which of these people may read a record, by the numbers of their employees, in one query."""
    found: set[int | None] = set()
    asked: list[tuple[int | None, ColumnElement[bool]]] = []
    for actor in actors:
        where = condition(model, actor)
        if where is None:
            found.add(actor.employee_id)
        else:
            asked.append(
                (actor.employee_id, select(model.id).where(model.id == record_id, where).exists())
            )
    if asked:
        row = session.execute(select(*(one for _, one in asked))).one()
        found |= {key for (key, _), is_seen in zip(asked, row, strict=True) if is_seen}
    return found
