"""A paper that is approved as a whole: what the outcome of its approval makes of it, and its end with its project."""

from models.approval.approval import ApprovalState
from models.base.entity import Entity
from models.base.paper import PaperState
from workflows.base.transition import STEPS, Step, move

OUTCOMES = {
    ApprovalState.APPROVED: PaperState.APPROVED,
    ApprovalState.REJECTED: PaperState.REJECTED,
    ApprovalState.RETURNED: PaperState.DRAFT,
    ApprovalState.WITHDRAWN: PaperState.DRAFT,
}


def life(
    table: str,
    label: str,
    *,
    lapses_from: tuple[PaperState, ...] = (),
    roles: tuple[str, ...] = (),
) -> tuple[Step, ...]:
    """The steps of a paper: `submit` with its label and roles, its outcome, and whence its project's end voids it."""
    submit = Step(
        table,
        "submit",
        label,
        column="state",
        sources=(PaperState.DRAFT,),
        targets=(PaperState.IN_APPROVAL,),
        roles=roles,
    )
    lapse = Step(
        table,
        "lapse",
        "随项目终止作废",
        column="state",
        sources=lapses_from,
        targets=(PaperState.VOID,),
        follows=True,
    )
    return (submit, outcome_of(table), lapse) if lapses_from else (submit, outcome_of(table))


def outcome_of(table: str) -> Step:
    """The step that `conclude` takes."""
    decided = tuple(dict.fromkeys(OUTCOMES.values()))
    return Step(
        table,
        "conclude",
        "办结审批",
        column="state",
        sources=(PaperState.IN_APPROVAL,),
        targets=decided,
        follows=True,
    )


def conclude(record: Entity, outcome: ApprovalState) -> None:
    """What the approval decided is the paper's state: approved, refused, or a draft again."""
    move(STEPS[record.__tablename__, "conclude"], record, OUTCOMES[outcome])


def lapse(record: Entity) -> bool:
    """Make the paper void with its project where it is one of those that end so; whether it was."""
    step = STEPS[record.__tablename__, "lapse"]
    if getattr(record, step.column) not in step.sources:
        return False
    move(step, record)
    return True
