"""A paper of a project, from its draft to its end; what all of them have in common is said here once.

A workflow states the table, the number, the approval type and the events of its paper, and what is its own: when it may
be written, what stands in the way of its submission, what follows when it is approved, refused, booked, sent back.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Generic, TypeVar

from sqlalchemy import select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.entity import entity_of
from models.base.errors import BusinessError
from models.base.paper import Booked, PaperState
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Project, Stage
from models.ledger.event import EVENTS
from models.ledger.voucher import BusinessEvent, Voucher
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, lapse, life
from workflows.base.transition import STEPS, Step, enter, move, steps
from workflows.guarantee import stages
from workflows.ledger import posting

P = TypeVar("P", bound=ProjectPaper)
Check = Callable[[Ctx, P, bool], None]
Obstacles = Callable[[Ctx, P], list[str]]
Follow = Callable[[Ctx, P], None]
FollowEvent = Callable[[Ctx, P, BusinessEvent], None]
Hook = TypeVar("Hook", bound=Callable[..., Any])


class Paper(Generic[P]):
    """One kind of paper. Making it registers its steps, its number, its approval and its place in 复核.

    `number` is the rule of its numbers and `approval_type` that of its approval, or one by its kind; `stage` the only
    stage at which it is written and put up, if there is one; `events` those that book it, one at a time. Functions of
    a workflow are hung on it as decorators: `check` (each save and again at submission), `obstacles`, `submitted`,
    `approved`, `rejected`, `booked`, `unbooked`, `sent_back`.
    """

    def __init__(  # noqa: PLR0913 - what a paper states
        self,
        model: type[P],
        submit: str,
        *,
        number: str | Mapping[Any, str],
        approval_type: str | Mapping[Any, str],
        what: str | Callable[[P], str],
        amount: Callable[[P], Decimal],
        stage: Stage | None = None,
        events: tuple[str, ...] = (),
        lapses_from: tuple[PaperState, ...] = (),
        more_steps: tuple[Step, ...] = (),
        roles: tuple[str, ...] = (),
    ) -> None:
        """`submit` is the label of its submission, `what` names it in the title of its approval.

        `roles` are built-in roles that submit it, beside what app/roles.py says.
        """
        self.model, self.table = model, str(model.__tablename__)
        self.number, self.approval_type = number, approval_type
        self.what, self.amount = what, amount
        self.stage, self.events = stage, events
        self.steps = steps(
            *life(self.table, submit, lapses_from=lapses_from, roles=roles), *more_steps
        )
        self.hooks: dict[str, list[Callable[..., Any]]] = {}
        records.rule(model)(self._save)
        types = (approval_type,) if isinstance(approval_type, str) else approval_type.values()
        for code in types:
            approval.on_finish(code)(self._decided)
        if unknown := set(events) - EVENTS.keys():
            raise ValueError(f"{self.table}: no event {sorted(unknown)} in models/ledger/event.py")
        for code in events:
            posting.on_booked(code)(self._booked)
            posting.on_unbooked(code)(self._unbooked)
            posting.on_refused(code)(self._refused)
        PAPERS[self.table] = self

    # --- what a workflow hangs on it --------------------------------------------------------------------------------

    def _on(self, what: str, hook: Hook) -> Hook:
        self.hooks.setdefault(what, []).append(hook)
        return hook

    def check(self, hook: Check[P]) -> Check[P]:
        """(ctx, paper, is_new) raises where the paper may not be saved so, nor put up."""
        return self._on("check", hook)

    def obstacles(self, hook: Obstacles[P]) -> Obstacles[P]:
        """(ctx, paper) names all that stands in the way of its submission; buttons show it as well."""
        return self._on("obstacles", hook)

    def submitted(self, hook: Follow[P]) -> Follow[P]:
        """(ctx, paper) as it is put up: what its approval is to say is written on it."""
        return self._on("submitted", hook)

    def approved(self, hook: Follow[P]) -> Follow[P]:
        """(ctx, paper) once it is approved; the actor is the system for who decided."""
        return self._on("approved", hook)

    def rejected(self, hook: Follow[P]) -> Follow[P]:
        """(ctx, paper) once it is refused."""
        return self._on("rejected", hook)

    def booked(self, hook: FollowEvent[P]) -> FollowEvent[P]:
        """(ctx, paper, event) once 复核 has booked it."""
        return self._on("booked", hook)

    def unbooked(self, hook: FollowEvent[P]) -> FollowEvent[P]:
        """(ctx, paper, event) once it is back in the queue of 复核."""
        return self._on("unbooked", hook)

    def sent_back(self, hook: FollowEvent[P]) -> FollowEvent[P]:
        """(ctx, paper, event) once 复核 has sent it back."""
        return self._on("sent_back", hook)

    def _run(self, what: str, *facts: Any) -> None:
        for hook in self.hooks.get(what, ()):
            hook(*facts)

    # --- its life ---------------------------------------------------------------------------------------------------

    def missing(self, ctx: Ctx, paper: P) -> list[str]:
        """What still stands in the way of its submission, each in words."""
        return [words for hook in self.hooks.get("obstacles", ()) for words in hook(ctx, paper)]

    def why_not(self, ctx: Ctx, paper: P) -> str:
        """`missing` as a button says it."""
        return "；".join(self.missing(ctx, paper))

    def submit(self, ctx: Ctx, paper: P, version: int | None = None) -> ApprovalInstance:
        """Put it up for approval. Raises what `check` raises, BusinessError naming all that stands in the way."""
        step = self.steps["submit"]
        enter(ctx, step, paper, version)
        project = records.find(ctx, Project, paper.project_id, lock=True)
        if self.stage is not None:
            stages.require_running(project, self.stage, step.label)
        self._run("check", ctx, paper, False)
        if missing := self.missing(ctx, paper):
            raise BusinessError(f"还不能{step.label}：" + "；".join(missing))
        move(step, paper)
        _hand_back(paper, None)
        self._run("submitted", ctx, paper)
        what = self.what if isinstance(self.what, str) else self.what(paper)
        kind = self.approval_type
        code = kind if isinstance(kind, str) else kind[getattr(paper, "kind")]  # noqa: B009
        return stages.put_up(ctx, code, paper, project, what, amount=self.amount(paper))

    def hand_over(
        self, ctx: Ctx, paper: P, amounts: dict[str, Decimal], **facts: Any
    ) -> BusinessEvent:
        """Hand the paper to 复核 as its (first) event, also what was sent back once more; `facts` as `raise_event`."""
        _hand_back(paper, None)
        return posting.raise_event(
            ctx, self.events[0], record=paper, project=paper.project, amounts=amounts, **facts
        )

    def _save(self, ctx: Ctx, paper: Any, is_new: bool) -> None:
        with ctx.session.no_autoflush:
            project = paper.project = ctx.session.get_one(Project, paper.project_id)
        if self.stage is not None:
            stages.require_running(project, self.stage, f"填写{self.model.spec.label}")
        self._run("check", ctx, paper, is_new)
        if is_new:
            rule = self.number if isinstance(self.number, str) else self.number[paper.kind]
            paper.number = next_number(ctx, rule)

    def _decided(
        self, ctx: Ctx, instance: ApprovalInstance, paper: Any, outcome: ApprovalState
    ) -> None:
        del instance
        conclude(paper, outcome)
        if outcome is ApprovalState.APPROVED:
            self._run("approved", ctx, paper)
        elif outcome is ApprovalState.REJECTED:
            self._run("rejected", ctx, paper)

    def _booked(self, ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
        del voucher
        if (paper := self._of(ctx, event)) is not None:
            _book(paper, is_booked=True)
            self._run("booked", ctx, paper, event)
            ctx.session.flush()

    def _unbooked(self, ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
        del former
        if (paper := self._of(ctx, event)) is not None:
            _book(paper, is_booked=False)
            self._run("unbooked", ctx, paper, event)
            ctx.session.flush()

    def _refused(self, ctx: Ctx, event: BusinessEvent) -> None:
        if (paper := self._of(ctx, event)) is not None:
            _hand_back(paper, event.reason)
            self._run("sent_back", ctx, paper, event)
            ctx.session.flush()

    def _of(self, ctx: Ctx, event: BusinessEvent) -> P | None:
        """The paper that an event books; others may raise the same event."""
        if event.record_table != self.table:
            return None
        return ctx.session.get_one(self.model, event.record_id)


PAPERS: dict[str, Paper[Any]] = {}


def project_amount(paper: ProjectPaper) -> Decimal:
    """The flow is chosen by what the project is about."""
    return paper.project.amount


def own_amount(paper: Any) -> Decimal:
    """The flow is chosen by the amount that stands on the paper."""
    amount: Decimal = paper.amount
    return amount


def _hand_back(paper: ProjectPaper, reason: str | None) -> None:
    """Why 复核 sent it back stands on a paper that goes there."""
    if isinstance(paper, Booked):
        paper.returned_reason = reason


def _book(paper: ProjectPaper, *, is_booked: bool) -> None:
    """Whether the books hold it stands on a paper that goes there."""
    if isinstance(paper, Booked):
        paper.is_booked = is_booked


def lapse_all(ctx: Ctx, project: Project) -> None:
    """The project has ended: its papers that end with it are void."""
    for step in list(STEPS.values()):
        if step.verb == "lapse" and isinstance(step.targets[0], PaperState):
            model: Any = entity_of(step.table)
            for paper in ctx.session.scalars(select(model).where(model.project_id == project.id)):
                lapse(paper)
