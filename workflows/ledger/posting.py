"""复核管理 (8.1): business events wait here, and become vouchers by 记账规则 when an accountant books them.

An event is booked at most once: it is unique by (event, record, sequence), and `book` holds its row until the commit.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError, Conflict
from models.base.money import MONEY_MAX, format_money, round_money
from models.ledger.account import ZERO, AccountingPeriod, Direction, PeriodState
from models.ledger.event import AMOUNT_LABELS, EVENTS, EventType
from models.ledger.rule import PostingRule, PostingRuleLine
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherState
from models.system.records import IssuedDocument
from workflows.base import plain_papers
from workflows.base.context import Ctx
from workflows.base.numbering import next_count
from workflows.base.transition import Step, check_source, enter, move, steps
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import Line

State = EventState
TRANSITIONS = steps(
    Step(
        "business_event",
        "book",
        "记账",
        column="state",
        sources=(State.PENDING,),
        targets=(State.BOOKED,),
    ),
    Step(
        "business_event",
        "refuse",
        "退回",
        column="state",
        sources=(State.PENDING,),
        targets=(State.REFUSED,),
    ),
    Step(
        "business_event",
        "unbook",
        "撤回复核",
        column="state",
        sources=(State.BOOKED,),
        targets=(State.PENDING,),
    ),
    Step(
        "business_event",
        "raise",
        "再次提交复核",
        column="state",
        sources=(State.REFUSED, State.CANCELLED),
        targets=(State.PENDING,),
        follows=True,
    ),
    Step(
        "business_event",
        "cancel",
        "撤销复核单",
        column="state",
        sources=(State.PENDING, State.REFUSED),
        targets=(State.CANCELLED,),
        follows=True,
    ),
)

Booked = Callable[[Ctx, BusinessEvent, Voucher], None]
Refused = Callable[[Ctx, BusinessEvent], None]
_BOOKED: dict[str, list[Booked]] = {}
_UNBOOKED: dict[str, list[Booked]] = {}
_REFUSED: dict[str, list[Refused]] = {}


@plain_papers.task
def _reviews(ctx: Ctx, document: IssuedDocument) -> bool:
    """An accountant reads the papers of a project while one of its events waits for 复核."""
    if document.project_id is None or not ctx.actor.may("book", "business_event"):
        return False
    waiting = select(BusinessEvent.id).where(BusinessEvent.project_id == document.project_id)
    return (
        ctx.session.scalar(waiting.where(BusinessEvent.state == State.PENDING).limit(1)) is not None
    )


def on_booked(event_code: str) -> Callable[[Booked], Booked]:
    """Register what follows when such an event is booked: (ctx, event, voucher)."""
    return _register(_BOOKED, event_code)


def on_unbooked(event_code: str) -> Callable[[Booked], Booked]:
    """Register what follows when a booked event returns to the queue: (ctx, event, its former voucher)."""
    return _register(_UNBOOKED, event_code)


def on_refused(event_code: str) -> Callable[[Refused], Refused]:
    """Register what follows when such an event is sent back: (ctx, event); the reason stands on the event."""
    return _register(_REFUSED, event_code)


def _register(registry: dict[str, list[Any]], event_code: str) -> Callable[[Any], Any]:
    def register(handler: Any) -> Any:
        registry.setdefault(event_code, []).append(handler)
        return handler

    return register


def raise_event(  # noqa: PLR0913 - the facts of an event
    ctx: Ctx,
    event_code: str,
    *,
    record: Entity,
    amounts: dict[str, Decimal],
    project: Entity | None = None,
    customer: Entity | None = None,
    bank: Entity | None = None,
    sequence: int = 1,
    on: date | None = None,
    memo: str = "",
) -> BusinessEvent:
    """Put an event of `record` into the 复核 queue; customer, bank and department come from the project if not given.

    One that was refused or cancelled before is raised again in place. Raises Conflict while the same event waits or is
    booked, BusinessError for amounts the event does not know, negative ones, or none at all.
    """
    kind = EVENTS.get(event_code)
    if kind is None:
        raise BusinessError(f"没有“{event_code}”这种业务事项，不能记账")
    exact = _exact(kind, amounts)
    total = sum((exact.get(key, ZERO) for key in kind.total), ZERO)
    if not any(exact.values()):
        raise BusinessError(f"“{kind.label}”的金额为零，不需要记账")
    event = _event_for(ctx, event_code, record, sequence)
    event.label = kind.label
    event.project_id = _id(project)
    event.customer_id = _id(customer) or getattr(project, "customer_id", None)
    event.bank_id = _id(bank) or getattr(project, "bank_id", None)
    event.department_id = getattr(project, "department_id", None)
    event.amounts = {key: f"{value:.2f}" for key, value in exact.items()}
    event.total = total
    event.occurred_on = on or ctx.today
    event.memo = (memo.strip() or kind.label)[:200]
    if event.state in TRANSITIONS["raise"].sources:  # a new one waits from the start
        move(TRANSITIONS["raise"], event)
    event.reason = None
    ctx.session.add(event)
    ctx.session.flush()
    return event


def book(
    ctx: Ctx,
    event: BusinessEvent,
    version: int | None = None,
    *,
    on: date | None = None,
    word: str | None = None,
) -> Voucher:
    """Draft the voucher of an event by the rule in force on its day; the accountant is its preparer.

    The date is `on`, else the day of the event, else (where that period is closed) the first day of the first open one.
    Raises Conflict when it is booked already, BusinessError when the rule is missing or does not balance.
    """
    step = _enter(ctx, "book", event, version)
    rule = _rule(ctx, event)
    voucher = vouchers.write_draft(
        ctx,
        date=on or _first_open_day(ctx, event),
        word=word or rule.word,
        memo=_fill_in(ctx, event, rule.memo),
        entries=_lines(ctx, event, rule),
        event=event,
    )
    event.voucher_id, event.booked_by_id, event.booked_at = (
        voucher.id,
        ctx.actor.employee_id,
        ctx.now,
    )
    event.reason = None
    move(step, event)
    ctx.session.flush()
    for handler in _BOOKED.get(event.event_code, []):
        handler(ctx, event, voucher)
    return voucher


def preview(ctx: Ctx, event: BusinessEvent) -> tuple[PostingRule, str, list[Line]]:
    """The rule, memo and entries that `book` would write now; raises what `book` would raise about them."""
    rule = _rule(ctx, event)
    return rule, _fill_in(ctx, event, rule.memo), _lines(ctx, event, rule)


def refuse(
    ctx: Ctx, event: BusinessEvent, reason: str, version: int | None = None
) -> BusinessEvent:
    """Send an event back to its business with a reason; its workflow raises it again when mended."""
    step = _enter(ctx, "refuse", event, version)
    event.reason = _checked_reason(reason)
    move(step, event)
    ctx.session.flush()
    for handler in _REFUSED.get(event.event_code, []):
        handler(ctx, event)
    return event


def cancel(ctx: Ctx, event: BusinessEvent, reason: str) -> BusinessEvent:
    """Withdraw an event that is not booked, because its business was undone; called by that business's workflow."""
    step = TRANSITIONS["cancel"]
    _hold(ctx, event)
    # no permission of its own: whoever may undo the business may withdraw its event
    check_source(step, event)
    event.reason = _checked_reason(reason)
    move(step, event)
    ctx.session.flush()
    return event


def cancel_refused(ctx: Ctx, record: Entity, reason: str) -> None:
    """Withdraw what was sent back of a record that is given up."""
    query = select(BusinessEvent).where(
        BusinessEvent.record_table == record.__tablename__,
        BusinessEvent.record_id == record.id,
        BusinessEvent.state == State.REFUSED,
    )
    for event in ctx.session.scalars(query.order_by(BusinessEvent.id)).all():
        cancel(ctx, event, reason)


def unbook(ctx: Ctx, event: BusinessEvent, reason: str, version: int | None = None) -> Voucher:
    """Take an event back into the queue: its draft voucher is made void, its posted one reversed in red letters.

    Returns the void or the reversing voucher. Raises Conflict while the voucher is reviewed or signed.
    """
    step = _enter(ctx, "unbook", event, version)
    reason = _checked_reason(reason)
    former = ctx.session.get_one(
        Voucher, event.voucher_id, with_for_update=True, populate_existing=True
    )
    if former.state is VoucherState.POSTED:
        result = vouchers.write_reversal(ctx, former, event=event)
    elif former.state is VoucherState.DRAFT:
        result = vouchers.withdraw_draft(ctx, former, reason, vouchers.TRANSITIONS["void"])
    else:
        raise Conflict(f"凭证“{former}”现为“{former.state.label}”，请先取消签字和审核")
    event.voucher_id = event.booked_by_id = event.booked_at = None
    event.reason = reason
    move(step, event)
    ctx.session.flush()
    for handler in _UNBOOKED.get(event.event_code, []):
        handler(ctx, event, former)
    return result


def _enter(ctx: Ctx, verb: str, event: BusinessEvent, version: int | None) -> Step:
    """Hold the row, so that two clicks book once, and check what `enter` checks."""
    step = TRANSITIONS[verb]
    _hold(ctx, event)
    enter(ctx, step, event, version)
    return step


def _hold(ctx: Ctx, event: BusinessEvent) -> None:
    ctx.session.flush()
    ctx.session.refresh(event, with_for_update={"of": BusinessEvent})


def _event_for(ctx: Ctx, event_code: str, record: Entity, sequence: int) -> BusinessEvent:
    ctx.session.flush()  # the record may be new: its id is part of the key
    key = {
        "event_code": event_code,
        "record_table": record.__tablename__,
        "record_id": record.id,
        "sequence": sequence,
    }
    query = select(BusinessEvent).filter_by(**key).with_for_update(of=BusinessEvent)
    found = ctx.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        number = next_count(ctx, "business_event", f"{ctx.today:%Y}")
        return BusinessEvent(**key, number=f"FH{ctx.today:%Y}-{number:05d}")
    if found.state in (State.PENDING, State.BOOKED):
        raise Conflict(
            f"“{found.label}”已提交复核（{found.number}，{found.state.label}），不能重复提交"
        )
    return found


def _id(record: Entity | None) -> int | None:
    return None if record is None else record.id


def _exact(kind: EventType, amounts: dict[str, Decimal]) -> dict[str, Decimal]:
    for key, amount in amounts.items():
        if key not in kind.amounts:
            raise BusinessError(f"“{kind.label}”没有“{key}”这项金额")
        if not amount.is_finite() or not 0 <= amount <= MONEY_MAX:
            raise BusinessError(
                f"“{kind.label}”的{kind.amounts[key]}应在0到{format_money(MONEY_MAX)}之间"
            )
    return {key: round_money(amount) for key, amount in amounts.items()}


def _rule(ctx: Ctx, event: BusinessEvent) -> PostingRule:
    query = (
        select(PostingRule)
        .where(
            PostingRule.event_code == event.event_code,
            PostingRule.is_active,
            PostingRule.effective_on <= event.occurred_on,
        )
        .order_by(PostingRule.effective_on.desc())
        .limit(1)
    )
    found = ctx.session.scalars(query).one_or_none()
    if found is None:
        raise BusinessError(
            f"没有在 {event.occurred_on} 生效的“{event.label}”记账规则，请在“记账规则”中补充"
        )
    return found


def booking_date(ctx: Ctx, event: BusinessEvent) -> date:
    """The day of the event, or where its month is closed the first day that is not, so that no month comes too late."""
    until = _closed_until(ctx)
    first = (
        event.occurred_on if until is None else max(event.occurred_on, until + timedelta(days=1))
    )
    return min(first, ctx.today)


def _first_open_day(ctx: Ctx, event: BusinessEvent) -> date:
    """`booking_date`; raises Conflict that says when, where the month of the business date is closed already."""
    day, until = booking_date(ctx, event), _closed_until(ctx)
    if until is not None and day <= until:
        raise Conflict(
            f"会计期间 {day:%Y-%m} 已结账：请自营业日期 {until + timedelta(days=1)} 起记账，或先反结账"
        )
    return day


def _closed_until(ctx: Ctx) -> date | None:
    closed = select(func.max(AccountingPeriod.ends_on)).where(
        AccountingPeriod.state == PeriodState.CLOSED
    )
    return ctx.session.scalar(closed)


def _lines(ctx: Ctx, event: BusinessEvent, rule: PostingRule) -> list[Line]:
    lines = [line for part in rule.lines if (line := _line(ctx, event, rule, part)) is not None]
    debit = sum((line.debit for line in lines), ZERO)
    credit = sum((line.credit for line in lines), ZERO)
    if debit != credit:
        raise BusinessError(
            f"按记账规则“{rule.label}”生成的分录借贷不平：借方 {format_money(debit)}，贷方 {format_money(credit)}，"
            "请核对业务金额和记账规则"
        )
    return lines


def _line(ctx: Ctx, event: BusinessEvent, rule: PostingRule, part: PostingRuleLine) -> Line | None:
    if part.amount_key not in EVENTS[event.event_code].amounts:
        word = AMOUNT_LABELS.get(part.amount_key, part.amount_key)
        raise BusinessError(
            f"记账规则“{rule.label}”第{part.line_no}行的金额取数“{word}”不属于这种业务事项"
        )
    amount = Decimal(event.amounts.get(part.amount_key, "0"))
    if amount == 0:
        return None
    amount = -amount if part.is_red else amount
    is_debit = part.side is Direction.DEBIT
    return Line(
        part.account_id,
        debit=amount if is_debit else ZERO,
        credit=ZERO if is_debit else amount,
        memo=_fill_in(ctx, event, part.memo or ""),
        customer_id=event.customer_id if part.with_customer else None,
        project_id=event.project_id if part.with_project else None,
        bank_id=event.bank_id if part.with_bank else None,
        department_id=event.department_id if part.with_department else None,
        cash_flow=part.cash_flow,
    )


def _fill_in(ctx: Ctx, event: BusinessEvent, template: str) -> str:
    """Replace {事项} {客户} {项目} {银行}; the template is users' text and is never evaluated."""
    names = {"{事项}": event.memo}
    for place, table, record_id in (
        ("{客户}", "customer", event.customer_id),
        ("{项目}", "project", event.project_id),
        ("{银行}", "partner_bank", event.bank_id),
    ):
        record = ctx.session.get(entity_of(table), record_id) if record_id is not None else None
        names[place] = str(record) if record is not None else ""
    for place, name in names.items():
        template = template.replace(place, name)
    return template[:200]


def _checked_reason(reason: str) -> str:
    if not reason.strip() or len(reason.strip()) > 200:
        raise BusinessError("请填写原因，不超过200个字", field="reason")
    return reason.strip()
