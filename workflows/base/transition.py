"""Transition tables: who may take which record from which states to which, written once per workflow as data.

Conformance tests walk `STEPS` and `VERBS`; `flask init` makes a permission of each verb.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from models.base.entity import Entity, entity_of
from models.base.errors import IllegalTransition, NotFound
from models.base.kinds import Kind
from reports.base.scope import is_visible
from workflows.base.context import Ctx
from workflows.base.records import check_version, require_reach


@dataclass(frozen=True)
class Verb:
    """What may be done with records of a table: a permission, and the label of its button.

    Who only hands business over or agrees to what others ask does not work on it, nor does who starts a job over all
    rows: with `is_work` False the permission brings no right to add files and remarks. `roles` are the built-in roles
    that have it from the start, beside what app/roles.py says role by role.
    """

    table: str
    verb: str
    label: str
    is_work: bool = field(default=True, kw_only=True)
    roles: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def permission(self) -> tuple[str, str]:
        """(verb, table), as actors hold it."""
        return self.verb, self.table


@dataclass(frozen=True)
class Step(Verb):
    """One allowed move of a state column by one verb; `targets` are where it may end (several when facts decide).

    `follows` marks a move that other verbs bring about: it has no permission of its own.
    """

    column: str
    sources: tuple[Kind, ...]
    targets: tuple[Kind, ...] = field(default_factory=tuple)
    follows: bool = False


STEPS: dict[tuple[str, str], Step] = {}
# Every permission beyond the generated screens' own; `flask init` and the role matrix read it.
VERBS: dict[tuple[str, str], Verb] = {}


def steps(*table: Step) -> dict[str, Step]:
    """Register a workflow's transition table; returned by verb."""
    for step in table:
        STEPS[step.table, step.verb] = step
        if not step.follows:
            VERBS[step.table, step.verb] = step
    return {step.verb: step for step in table}


def verbs(
    table: str, labels: dict[str, str], *, is_work: bool = True, roles: tuple[str, ...] = ()
) -> dict[str, Verb]:
    """Register permissions of verbs that move no state column; returned by verb."""
    made = {
        verb: Verb(table, verb, label, is_work=is_work, roles=roles)
        for verb, label in labels.items()
    }
    VERBS.update({(table, name): verb for name, verb in made.items()})
    return made


def permit(ctx: Ctx, verb: Verb, record: Entity | None = None) -> None:
    """Raise NotAllowed unless the actor may, this far; for verbs that find or lock their record themselves."""
    ctx.require(*verb.permission, verb.label)
    if record is not None:
        require_reach(ctx, verb.permission, record, verb.label)


def acting(ctx: Ctx, verb: Verb) -> Ctx:
    """The same work as far as the verb's permission reaches; for verbs that look for their records themselves."""
    return replace(ctx, actor=ctx.actor.acting(*verb.permission))


def enter(ctx: Ctx, verb: Verb, record: Entity, version: int | None = None) -> None:
    """Check permission, scope, version and state before a verb acts (architecture rule 3), in that order.

    `version` None means the record was read in this very transaction (a job or a follow-up), so it cannot be stale.
    """
    permit(ctx, verb)
    if not is_visible(ctx.session, ctx.actor, record):
        raise NotFound
    require_reach(ctx, verb.permission, record, verb.label)
    if version is not None:
        check_version(ctx, record, version)
    if isinstance(verb, Step):
        check_source(verb, record)


def check_source(step: Step, record: Entity) -> None:
    """Raise IllegalTransition unless the record stands in one of the step's sources."""
    now = getattr(record, step.column)
    if now not in step.sources:
        words = "、".join(s.label for s in step.sources)
        raise IllegalTransition(
            f"{record.spec.label}“{record}”现为“{now.label}”，“{words}”时才能{step.label}"
        )


def move(step: Step, record: Entity, target: Kind | None = None) -> None:
    """Write the state column, as nothing else may: source and target must be ones that the table allows."""
    check_source(step, record)
    setattr(record, step.column, _goal(step, target))


def move_all(
    session: Session,
    step: Step,
    *where: ColumnElement[bool],
    target: Kind | None = None,
    facts: Mapping[str, Any],
) -> int:
    """Move the rows that stand in one of the step's sources in one statement, and set facts of theirs; how many.

    The database compares and sets, so of two at once only the first moves a row. The caller notes it in the trail and
    refreshes what the session holds.
    """
    goal, model = _goal(step, target), entity_of(step.table)
    moved = session.execute(
        update(model)
        .where(getattr(model, step.column).in_(step.sources), *where)
        .values({step.column: goal, "version": model.version + 1, **facts})
        .execution_options(synchronize_session=False)
    )
    return int(moved.rowcount)  # type: ignore[attr-defined]


def _goal(step: Step, target: Kind | None) -> Kind:
    goal = target or step.targets[0]
    if goal not in step.targets:
        raise IllegalTransition(f"“{step.label}”不能到“{goal.label}”")
    return goal
