"""What waits for a person (X18): decisions, and whatever the sources of 待办 find for their post.

Counted in one query for the bell on every page; the rows are asked for where they are shown. What a record's page says
of who is next comes from the same sources (`steps_of`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, joinedload

from models.approval.approval import ApprovalTask, TaskOrigin, TaskState
from models.approval.asked import copied, is_asked
from models.approval.copies import ApprovalCopy
from models.base.actor import Actor
from models.base.entity import Entity
from models.guarantee.product import FeeKind
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.signing import Fee, Receipt
from models.ledger.voucher import BusinessEvent
from models.system.configuration import ConfigProposal
from reports.base.scope import readers_among, scoped
from reports.figures import approvals
from reports.figures.configuration import right_to_change
from reports.figures.rights import Person, who_may
from reports.workbench.todo_source import Source, TodoKind
from reports.workbench.todo_sources import NEXT_STEPS, sources, unplanned

MANY = 1000  # so many of a kind are counted; nobody does more in a day


@dataclass(frozen=True)
class Todo:
    """One thing that waits: what, about whom, for how much (元), from whom, since when, until when, on which record."""

    kind: TodoKind
    table: str
    record_id: int
    what: str
    about: str
    number: str
    amount: Decimal | None
    by: str
    since: date | datetime | None
    due_at: datetime | None = None


@dataclass(frozen=True)
class Waiting:
    """How many things of each kind wait on a day, and how many approvals are past their time limit."""

    counts: Mapping[TodoKind, int]
    late: int
    today: date
    copies: int = 0  # 抄送 that nobody needs to act on, unread: told apart

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    def of(self, *kinds: TodoKind) -> int:
        """Those of some kinds."""
        return sum(self.counts.get(kind, 0) for kind in kinds)


def waiting(session: Session, actor: Actor, now: datetime, today: date) -> Waiting:
    """What waits for the actor, in one query."""
    offered = _offered(actor)
    counts = [_count(source.rows_for(_acting(actor, source), today)) for source in offered]
    late = _tasks(actor).where(ApprovalTask.due_at < now)
    asked = (_tasks(actor), late, _unread(actor), *counts)
    row = session.execute(select(*(q.scalar_subquery() for q in asked))).one()
    found = {TodoKind.TASK: row[0]}
    for source, count in zip(offered, row[3:], strict=True):
        found[source.kind] = found.get(source.kind, 0) + count
    return Waiting(found, row[1], today, row[2])


def todos(session: Session, actor: Actor, known: Waiting, limit: int = 200) -> list[Todo]:
    """The things themselves: approvals by their time limit, then the rest by kind and age."""
    tasks = approvals.my_tasks(session, actor, limit) if known.counts[TodoKind.TASK] else []
    found = [_of_task(task, actor) for task in tasks]
    for source in _offered(actor):
        if known.counts.get(source.kind) and len(found) < limit:
            rows = source.rows_for(_acting(actor, source), known.today)
            query = rows.limit(limit - len(found))
            found += [_of_row(source, row) for row in session.execute(query)]
    return found


def _acting(actor: Actor, source: Source) -> Actor:
    """As far as the actor may do what waits there."""
    return actor.acting(*source.permission)


def awaits_agenda(session: Session, project: Project) -> bool:
    """Whether a project before the board is on no agenda yet."""
    is_before = project.state is ProjectState.RUNNING and project.stage is Stage.RESOLVE
    return is_before and bool(
        session.scalar(select(Project.id).where(Project.id == project.id, *unplanned()))
    )


def waiting_for_agenda(session: Session, actor: Actor) -> list[Project]:
    """Projects before the board that are on no agenda yet, longest waiting first."""
    query = select(Project).where(
        Project.state == ProjectState.RUNNING, Project.stage == Stage.RESOLVE, *unplanned()
    )
    query = query.order_by(Project.stage_since, Project.id).options(joinedload(Project.customer))
    return list(session.scalars(scoped(query, Project, actor)).unique())


def _count(query: Select[Any]) -> Select[int]:
    return select(func.count()).select_from(query.order_by(None).limit(MANY).subquery())


def _of_row(source: Source, row: Any) -> Todo:
    record_id, about, number, amount, by, since = row
    what, table = source.kind.label, str(source.model.__tablename__)
    if source.kind is TodoKind.NEXT:
        what, by = NEXT_STEPS[by], ""
    elif source.kind is TodoKind.COLLECT:
        what, by = f"{by.label}{source.kind.label}", ""
    elif source.kind in (TodoKind.UNSENT, TodoKind.RETURNED):
        what, by = f"{by}{source.kind.label}", ""
    return Todo(
        source.kind,
        table,
        record_id,
        what=what,
        about=about,
        number=number,
        amount=amount,
        by=by or "",
        since=since,
    )


def _tasks(actor: Actor) -> Select[int]:
    where = is_asked(actor), ApprovalTask.state == TaskState.PENDING
    return select(func.count()).select_from(ApprovalTask).where(*where)


def _unread(actor: Actor) -> Select[int]:
    where = copied(actor), ApprovalCopy.read_at.is_(None)
    return select(func.count()).select_from(ApprovalCopy).where(*where)


def _of_task(task: ApprovalTask, actor: Actor) -> Todo:
    one = task.instance
    what, mark, about = one.title.partition("：")
    if not mark:
        what, about = one.business_type.label, one.title
    if task.assignee_id != actor.employee_id:
        what += f"（代{task.assignee.name}）"
    if task.origin is TaskOrigin.ENTRUST and task.asked_by is not None:
        what += f"（{task.asked_by.name}委派，请回复意见）"
    if task.urged_at is not None:
        what += "（已催办）"
    project = one.project
    number = project.number if project is not None else ""
    about = about.removesuffix(number).strip()
    return Todo(
        TodoKind.TASK,
        "approval_task",
        task.id,
        what=what,
        about=about,
        number=number,
        amount=one.amount,
        by=one.applicant.name,
        since=one.submitted_at,
        due_at=task.due_at,
    )


def _offered(actor: Actor) -> list[Source]:
    """What concerns this person; nobody's post is to do what only the system may."""
    return [source for source in sources() if actor.employee_id and actor.may(*source.permission)]


# --------------------------------------------------------------------------------------------------- the record's page
@dataclass(frozen=True)
class Next:
    """What a record waits for, and the people in whose inbox it stands."""

    kind: TodoKind
    table: str
    record_id: int
    what: str
    number: str
    people: tuple[Person, ...]
    is_numbered: bool = False  # by a number of its own, not the project's


def steps_of(session: Session, record: Entity, today: date) -> list[Next]:
    """Whatever the sources find about a record, with everybody who has it in their inbox; approvals apart."""
    parts = [
        _about(source, seq, today).where(where)
        for seq, source in enumerate(sources())
        if (where := _concerns(source, record)) is not None
    ]
    if not parts:
        return []
    # who holds a right is asked once a page
    found, able = (
        [],
        dict[tuple[str, str], Sequence[Person]](),
    )
    for seq, record_id, number, by, holder, *barred in session.execute(union_all(*parts)):
        source = sources()[seq]
        if source.permission not in able:
            able[source.permission] = _able(session, source, record)
        people = _people(session, source, able[source.permission], record_id, holder, barred)
        found.append(
            Next(
                source.kind,
                source.model.__tablename__,
                record_id,
                what=_words(source, by),
                number=number or "",
                people=people,
                is_numbered=source.numbered is not None,
            )
        )
    return sorted(found, key=lambda one: list(TodoKind).index(one.kind))


def _words(source: Source, by: str | None) -> str:
    """What is to be done; the second part of the union tells which stage or fee by its name."""
    if source.kind is TodoKind.NEXT:
        return NEXT_STEPS[Stage[by or ""]]
    if source.kind is TodoKind.COLLECT:
        return f"{FeeKind[by or ''].label}{source.kind.label}"
    if source.kind in (TodoKind.UNSENT, TodoKind.RETURNED):
        return f"{source.model.spec.label}{source.kind.label}"
    return source.kind.label


# What a step is named by, beside its kind.
_TOLD: Mapping[TodoKind, Any] = {TodoKind.NEXT: Project.stage, TodoKind.COLLECT: Fee.kind}


def _about(source: Source, seq: int, today: date) -> Select[Any]:
    nobody = cast(null(), Integer)
    barred = [*source.barred, *(nobody for _ in range(3 - len(source.barred)))]
    by = cast(_TOLD.get(source.kind, null()), String)
    holder = nobody if source.holder is None else source.holder
    number = cast(Project.number if source.numbered is None else source.numbered, String)
    rows = source.rows(today).order_by(None)
    return rows.with_only_columns(
        literal(seq), source.model.id, number, by, holder, *barred, maintain_column_froms=True
    )


def _concerns(source: Source, record: Entity) -> ColumnElement[bool] | None:
    if isinstance(record, Project):
        return source.of_project(record.id)
    if (
        source.model is BusinessEvent
        and hasattr(record, "project_id")
        and not isinstance(record, BusinessEvent)
    ):
        return _events_of(record)
    if source.model is ConfigProposal and record.spec.config is not None:
        mine = ConfigProposal.table_name == str(record.__tablename__)
        return mine & (ConfigProposal.record_id == record.id)
    if isinstance(record, source.model):
        return source.model.id == record.id  # type: ignore[no-any-return]
    return None


def _events_of(record: Entity) -> ColumnElement[bool]:
    """Events that a paper has raised; a fee also through its receipts."""
    own = (BusinessEvent.record_table == record.__tablename__) & (
        BusinessEvent.record_id == record.id
    )
    if not isinstance(record, Fee):
        return own
    receipts = select(Receipt.id).where(Receipt.fee_id == record.id)
    return or_(
        own, (BusinessEvent.record_table == "receipt") & BusinessEvent.record_id.in_(receipts)
    )


def _able(session: Session, source: Source, record: Entity) -> Sequence[Person]:
    """Who may do it; a change of the configuration is published by who may make it, too."""
    found = who_may(session, *source.permission)
    if source.model is not ConfigProposal:
        return found
    is_own = isinstance(record, ConfigProposal)
    table = record.table_name if is_own else str(record.__tablename__)
    changing = who_may(session, *right_to_change(table))
    keys = {one.actor.employee_id for one in changing}
    return [one for one in found if one.actor.employee_id in keys]


def _people(
    session: Session,
    source: Source,
    able: Sequence[Person],
    record_id: int,
    holder: int | None,
    barred: Sequence[int | None],
) -> tuple[Person, ...]:
    found = [one for one in able if one.actor.employee_id not in barred]
    if source.holder is not None:
        found = [one for one in found if one.actor.employee_id == holder]
    # What hangs on a record is read by the right on that record's table, which these actors do not carry.
    if source.is_scoped and source.model.spec.scope.hangs_on is None:
        seen = readers_among(session, [one.actor for one in found], source.model, record_id)
        found = [one for one in found if one.actor.employee_id in seen]
    return tuple(found)
