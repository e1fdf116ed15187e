"""6.4 解保: approved, the counter-guarantees are free and the deposit goes back; then the project has ended.

A project ends only when all of it is done (domain.md 1): approval, deposit, counter-guarantees. The notice is issued
at the end.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from models.base.errors import Conflict, FieldErrors, IllegalTransition
from models.base.money import format_money
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.loan_change import LoanChange
from models.guarantee.project import Project, ProjectStage, ProjectState, Stage
from models.guarantee.release import Release, ReleaseBasis
from models.guarantee.signing import CounterGuarantee, Fee, FeeDue, Receipt, ReceiptState
from models.ledger.voucher import BusinessEvent, EventState, Voucher
from reports.figures.fees import RECEIVABLE, deposit_held
from workflows.base import attachments, documents
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.guarantee import contract_data, letters, release_fees, repayment, stages
from workflows.guarantee.paper import Paper, project_amount
from workflows.ledger import posting

PAPER = Paper(
    Release,
    "提交解保审批",
    number="release",
    approval_type="release",
    what="解保",
    amount=project_amount,
)
STEPS, submit = PAPER.steps, PAPER.submit
PROJECT = steps(
    Step(
        "project",
        "release",
        "解保",
        column="state",
        sources=(ProjectState.IN_FORCE,),
        targets=(ProjectState.RELEASED,),
        follows=True,
    ),
    Step(
        "project",
        "reopen",
        "撤回解保",
        column="state",
        sources=(ProjectState.RELEASED,),
        targets=(ProjectState.IN_FORCE,),
        follows=True,
    ),
)
LOAN = steps(
    Step(
        "drawdown",
        "release",
        "随项目解保",
        column="state",
        sources=(DrawdownState.ACTIVE, DrawdownState.OVERDUE),
        targets=(DrawdownState.RELEASED,),
        follows=True,
    ),
)
ACTS = verbs("release", {"return_deposit": "重新提交退还款项"})
_OPEN = (PaperState.DRAFT, PaperState.IN_APPROVAL, PaperState.APPROVED)
Hold = Callable[[Ctx, Release], list[str]]
# What else keeps a project open after its release is approved, in words: later wings put themselves here.
_HOLDS: list[Hold] = []


def on_hold(hold: Hold) -> Hold:
    """Register what a project waits for after its release is approved; whoever ends it calls `finish_when_settled`."""
    _HOLDS.append(hold)
    return hold


def waits_for(ctx: Ctx, release: Release) -> list[str]:
    """What an approved release still waits for beside money, in words."""
    return [words for hold in _HOLDS for words in hold(ctx, release)]


@PAPER.check
def check_release(ctx: Ctx, release: Release, is_new: bool) -> None:
    """A release concerns a project in force that has no other one; a letter of the bank as its basis is named."""
    del is_new
    project = stages.locked(ctx, release.project_id)
    _require_in_force(project)
    others = select(func.count(Release.id)).where(
        Release.project_id == project.id, Release.state.in_(_OPEN)
    )
    if release.id is not None:
        others = others.where(Release.id != release.id)
    if ctx.session.scalar(others):
        raise FieldErrors({"project_id": [f"项目 {project.number} 已有解保申请，不能重复登记"]})
    if release.basis is ReleaseBasis.BANK_LETTER:
        found: dict[str, list[str]] = {}
        if not (release.letter_no or "").strip():
            found["letter_no"] = ["请填写银行函号"]
        if release.letter_on is None or release.letter_on > ctx.today:
            found["letter_on"] = ["请填写银行函日期，不能晚于营业日期"]
        elif (drawn_on := _last_drawn(ctx, project)) and release.letter_on < drawn_on:
            found["letter_on"] = [f"银行函日期不能早于放款日期 {drawn_on}"]
        if not (release.note or "").strip():
            found["note"] = ["请说明银行解除担保责任的原因"]
        if found:
            raise FieldErrors(found)


def draw_up(ctx: Ctx, project: Project, note: str) -> Release | None:
    """The draft of the release of a project whose loans are all repaid; None where there is one already."""
    running = select(Drawdown.id).where(
        Drawdown.project_id == project.id, Drawdown.state != DrawdownState.SETTLED
    )
    others = select(Release.id).where(Release.project_id == project.id, Release.state.in_(_OPEN))
    if any(ctx.session.scalar(query.limit(1)) is not None for query in (running, others)):
        return None
    made = Release(
        number=next_number(ctx, "release"),
        project=project,
        basis=ReleaseBasis.REPAID,
        note=note,
        state=PaperState.DRAFT,
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made


def _last_drawn(ctx: Ctx, project: Project) -> date | None:
    return ctx.session.scalar(
        select(func.max(Drawdown.drawn_on)).where(Drawdown.project_id == project.id)
    )


def _require_in_force(project: Project) -> None:
    if project.state is not ProjectState.IN_FORCE or project.stage is not Stage.IN_FORCE:
        place = (
            project.stage.label if project.state is ProjectState.IN_FORCE else project.state.label
        )
        raise IllegalTransition(f"项目 {project.number} 现为“{place}”，在保时才能申请解保")


@PAPER.obstacles
def obstacles(ctx: Ctx, release: Release) -> list[str]:
    """What still stands in the way of putting a release up for approval, each in words."""
    session, project = ctx.session, release.project
    found = []
    if release.basis is ReleaseBasis.REPAID:
        query = select(Drawdown).where(
            Drawdown.project_id == project.id, Drawdown.state != DrawdownState.SETTLED
        )
        found += [
            f"借据 {loan.bank_note_no} 尚未结清，借款余额 {format_money(loan.balance)} 元"
            for loan in session.scalars(query.order_by(Drawdown.id))
        ]
    elif not attachments.attachments_of(session, release):
        found.append("请上传银行解除担保函的扫描件")
    changes = select(LoanChange.number).where(
        LoanChange.project_id == project.id, LoanChange.state == PaperState.IN_APPROVAL
    )
    found += [f"存续变更 {number} 正在审批" for number in session.scalars(changes)]
    due = (
        select(func.sum(FeeDue.amount), func.sum(FeeDue.settled_amount))
        .join(Fee)
        .where(Fee.project_id == project.id, Fee.kind.in_(RECEIVABLE), FeeDue.due_on <= ctx.today)
    )
    owed, settled = (total or Decimal(0) for total in session.execute(due).one())
    if owed > settled:
        found.append(f"尚有到期未收的费用 {format_money(owed - settled)} 元")
    waiting = select(func.count(Receipt.id)).where(
        Receipt.project_id == project.id, Receipt.state == ReceiptState.SUBMITTED
    )
    if session.scalar(waiting):
        found.append("尚有待复核的收款")
    return found


@PAPER.approved
def approved(ctx: Ctx, release: Release) -> None:
    """The company is free; the deposit goes back through 复核, and then the project ends."""
    loans, project = repayment.all_held(ctx, release.project_id)
    release.approved_on, release.released_amount = ctx.today, project.balance
    release.deposit_amount = deposit_held(ctx.session, project)
    for loan in loans:
        if loan.is_running:  # the bank lets the company go while the customer still owes it
            move(LOAN["release"], loan)
            # The guarantee ends when the bank says so, not when its letter has been approved here.
            loan.closed_on = (
                release.letter_on if release.basis is ReleaseBasis.BANK_LETTER else ctx.today
            )
            loan.balance = Decimal(0)  # what is left of it is the bank's alone
    project.balance = Decimal(0)
    for item in ctx.session.scalars(_counters(project)):
        item.released_on = ctx.today
    stages.advance(ctx, project, Stage.RELEASE, f"解保 {release.number}")
    ctx.session.flush()
    release_fees.give_back(ctx, release)
    if release.deposit_amount:
        _raise_deposit(ctx, release)
    finish_when_settled(ctx, release)


def return_deposit(ctx: Ctx, release: Release, version: int | None = None) -> BusinessEvent:
    """Hand the return of the deposit, or of a fee, to 复核 once more, after the accountant sent it back."""
    enter(ctx, ACTS["return_deposit"], release, version)
    again = release_fees.raise_again(ctx, release) if release.state is PaperState.APPROVED else []
    if again and not any(
        event.state is EventState.REFUSED for event in _deposit_events(ctx, release)
    ):
        release.returned_reason = None
        ctx.session.flush()
        return again[-1]
    if (
        release.state is not PaperState.APPROVED
        or not release.deposit_amount
        or release.is_deposit_returned
    ):
        raise Conflict(f"解保“{release}”没有待退还的保证金")
    return _raise_deposit(ctx, release)


def _raise_deposit(ctx: Ctx, release: Release) -> BusinessEvent:
    release.returned_reason = None
    return posting.raise_event(
        ctx,
        "deposit.returned",
        record=release,
        project=release.project,
        amounts={"amount": release.deposit_amount},
        memo=f"解保退还保证金 {release.number}",
    )


def _deposit_events(ctx: Ctx, release: Release) -> list[BusinessEvent]:
    query = select(BusinessEvent).where(
        BusinessEvent.record_table == Release.__tablename__, BusinessEvent.record_id == release.id
    )
    return list(ctx.session.scalars(query))


def finish_when_settled(ctx: Ctx, release: Release) -> None:
    """The project ends when deposit and fees have gone back as they must, and collateral is out."""
    if release.deposit_amount and not release.is_deposit_returned:
        return
    if waits_for(ctx, release):
        return
    if release.released_on is None and not release_fees.waiting(ctx, release):
        _finish(ctx, release)


def _open_again(ctx: Ctx, release: Release) -> None:
    """With something back in the queue the project is open again; the notice stays as issued."""
    if release.released_on is None:
        return
    release.released_on = None
    project = release.project
    move(PROJECT["reopen"], project)
    last = (
        select(ProjectStage)
        .where(ProjectStage.project_id == project.id)
        .order_by(ProjectStage.id.desc())
        .limit(1)
    )
    row = ctx.session.scalars(last).one()
    row.left_on = row.done_by_id = None
    ctx.session.flush()


def _counters(project: Project) -> Any:
    return (
        select(CounterGuarantee)
        .where(
            CounterGuarantee.project_id == project.id, CounterGuarantee.state == PaperState.APPROVED
        )
        .order_by(CounterGuarantee.id)
    )


def _release_of(ctx: Ctx, event: BusinessEvent) -> Release | None:
    """The release that an event settles, if any; fees and deposits also go back by termination."""
    if event.record_table == Release.__tablename__:
        return ctx.session.get(Release, event.record_id)
    if event.event_code not in release_fees.CODES or event.record_table != Fee.__tablename__:
        return None
    approved = select(Release).where(
        Release.project_id == event.project_id, Release.state == PaperState.APPROVED
    )
    return ctx.session.scalars(approved).one_or_none()


@posting.on_booked("deposit.returned")
def deposit_booked(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """The deposit has gone back: nothing keeps the project open any more."""
    del voucher
    if (release := _release_of(ctx, event)) is not None:
        release.is_deposit_returned = True
        finish_when_settled(ctx, release)


@posting.on_unbooked("deposit.returned")
def deposit_unbooked(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """The deposit is not back."""
    del former
    if (release := _release_of(ctx, event)) is not None:
        release.is_deposit_returned = False
        _open_again(ctx, release)


@posting.on_refused("deposit.returned")
def deposit_refused(ctx: Ctx, event: BusinessEvent) -> None:
    """The reason stands on the release until the return is handed in again."""
    if (release := _release_of(ctx, event)) is not None:
        release.returned_reason = event.reason
        ctx.session.flush()


def fee_booked(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """A later instalment has left the books, or a part of the fee has gone back."""
    del voucher
    if (release := _release_of(ctx, event)) is not None:
        release_fees.count(ctx, event, 1)
        finish_when_settled(ctx, release)


def fee_unbooked(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue, the fee is as large as before."""
    del former
    if (release := _release_of(ctx, event)) is not None:
        release_fees.count(ctx, event, -1)
        _open_again(ctx, release)


for _code in release_fees.CODES:
    posting.on_booked(_code)(fee_booked)
    posting.on_unbooked(_code)(fee_unbooked)
    posting.on_refused(_code)(deposit_refused)


def _finish(ctx: Ctx, release: Release) -> None:
    project = release.project
    release.released_on = ctx.today
    if release.document is None:
        release.document = documents.issue(
            ctx,
            "release_notice",
            release,
            project=project,
            number=release.number,
            title=f"解保通知 {project.number}",
            data=_notice_data(ctx, release),
        )
    stages.leave(ctx, project, "已解保")
    move(PROJECT["release"], project)
    stages.ended(ctx, project, f"项目已解保（{release.number}）")
    ctx.session.flush()


def _notice_data(ctx: Ctx, release: Release) -> dict[str, Any]:
    project = release.project
    loans = ctx.session.scalars(
        select(Drawdown).where(Drawdown.project_id == project.id).order_by(Drawdown.id)
    ).all()
    items = ctx.session.scalars(_counters(project)).all()
    return {
        **letters.data_for(ctx, project),
        "contract": contract_data.numbers(ctx.session, project),
        "release": {
            "date": release.approved_on,
            "basis": release.basis.label,
            "letter_no": release.letter_no or "",
            "letter_date": release.letter_on,
            "amount": release.released_amount,
            "deposit": release.deposit_amount,
            "settled_on": max(
                (loan.closed_on for loan in loans if loan.closed_on), default=release.approved_on
            ),
            "notes": "、".join(loan.bank_note_no for loan in loans),
            "items": [
                {
                    "kind": item.kind.label,
                    "name": item.name,
                    "certificate": item.certificate_no or "",
                }
                for item in items
            ],
        },
    }
