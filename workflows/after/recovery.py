"""6.3 追偿: a case begins with the first booked 代偿; plan, measures and letters, costs, and what comes in.

A receipt is split by the order that was agreed, and of each part among who bears the risk (domain.md 1, 3).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, select

from models.after.case_money import (
    LIVE_MONEY,
    CostKind,
    RecoveryCost,
    RecoveryPart,
    RecoveryReceipt,
    RecoverySource,
    ShareSettlement,
)
from models.after.compensation import Compensation, CompensationShare
from models.after.recovery import (
    ActionKind,
    CaseState,
    RecoveryAction,
    RecoveryCase,
    RecoveryPlan,
)
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.money import format_money
from models.base.paper import OPEN_PAPERS, PaperState
from models.guarantee.project import Project
from models.guarantee.release import Release
from models.guarantee.scheme import SharingParty
from models.ledger.voucher import BusinessEvent, Voucher
from models.system.records import IssuedDocument
from reports.figures import compensation as claims
from reports.figures import recovery as figures
from reports.figures.compensation import Amounts
from reports.figures.fees import deposit_held
from workflows.after import compensation
from workflows.after.case_money import Money, about_money, held, refuse, restate, take, words
from workflows.base import documents, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import enter, verbs
from workflows.guarantee import contract_data, letters, release
from workflows.guarantee.paper import Paper
from workflows.ledger import posting

ZERO = Decimal(0)
ROLES = ("客户经理", "业务部门经理")
EXCESS = "recovery.excess_returned"


def _target(plan: RecoveryPlan) -> Decimal:
    """The flow is chosen by what is to be recovered."""
    return plan.target_amount


PLAN = Paper(
    RecoveryPlan,
    "提交追偿审批",
    number="recovery_plan",
    approval_type="recovery",
    what="追偿",
    amount=_target,
    lapses_from=OPEN_PAPERS,
    roles=ROLES,
)
ACTS = {
    **verbs("recovery_case", {"issue_letter": "出具催收函"}, roles=ROLES),
    **verbs("recovery_case", {"receive": "登记回款", "pay_cost": "登记垫付费用"}, roles=("出纳",)),
    **verbs("recovery_receipt", {"return_excess": "退还多收款"}, roles=("出纳",)),
}
_GOES_ON = (CaseState.OPEN, CaseState.WRITTEN_OFF)


# ------------------------------------------------------------------------------------------------------------ the case
@compensation.PAPER.booked
def opened(ctx: Ctx, paper: Compensation, event: BusinessEvent) -> None:
    """What the company has paid is claimed back: a case begins, or the one that runs grows."""
    del event
    case = _case_for(ctx, paper)
    held(ctx, case)
    for portion, part in claims.shares(ctx.session, paper):
        ctx.session.add(
            CompensationShare(
                project_id=paper.project_id,
                recovery_case=case,
                compensation=paper,
                party=portion.party,
                company=portion.company,
                share_pct=portion.share_pct,
                amount=part.total,
                open_amount=part.total,
                **part.by_part,
                **{f"{name}_open": amount for name, amount in part.by_part.items()},
            )
        )
    restate(ctx, case)


def _case_for(ctx: Ctx, paper: Compensation) -> RecoveryCase:
    """The project's case that is not written off, or a new one."""
    query = select(RecoveryCase).where(
        RecoveryCase.project_id == paper.project_id, RecoveryCase.state != CaseState.WRITTEN_OFF
    )
    found = ctx.session.scalars(query.order_by(RecoveryCase.id.desc()).limit(1)).first()
    if found is not None:
        return found
    assert paper.paid_on is not None, "it is booked"
    made = RecoveryCase(
        number=next_number(ctx, "recovery_case"),
        project=paper.project,
        opened_on=paper.paid_on,
        state=CaseState.OPEN,
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made


@compensation.PAPER.unbooked
def closed(ctx: Ctx, paper: Compensation, event: BusinessEvent) -> None:
    """Back in the queue nothing is claimed; Conflict where money has moved on what was claimed."""
    del event
    query = select(CompensationShare).where(CompensationShare.compensation_id == paper.id)
    shares = list(ctx.session.scalars(query))
    for share in shares[:1]:
        held(ctx, share.recovery_case)
    if any(_has_moved(ctx, share) for share in shares):
        raise Conflict(f"代偿“{paper}”已有追偿回款、分担结算或核销，不能撤回其复核")
    for share in shares:
        case = share.recovery_case
        ctx.session.delete(share)
        restate(ctx, case)


def _has_moved(ctx: Ctx, share: CompensationShare) -> bool:
    received = exists().where(
        RecoveryPart.share_id == share.id,
        RecoveryReceipt.id == RecoveryPart.receipt_id,
    )
    settled = exists().where(ShareSettlement.share_id == share.id)
    is_off_book = share.recovery_case.state is CaseState.WRITTEN_OFF
    return is_off_book or bool(ctx.session.scalar(select(received | settled)))


@release.PAPER.obstacles
def nothing_is_claimed(ctx: Ctx, paper: Release) -> list[str]:
    """A guarantee is not released while a customer owes what was paid in its place."""
    query = select(RecoveryCase.number).where(
        RecoveryCase.project_id == paper.project_id, RecoveryCase.state == CaseState.OPEN
    )
    return [f"追偿案件 {number} 尚未收回" for number in ctx.session.scalars(query)]


# ------------------------------------------------------------------------------------------------- plans and measures
@PLAN.check
def check_plan(ctx: Ctx, plan: RecoveryPlan, is_new: bool) -> None:
    """A plan is about a case of the project on which something is owed, and has a day ahead of it."""
    del is_new
    case = ctx.session.get_one(RecoveryCase, plan.recovery_case_id)
    wrong: dict[str, list[str]] = {}
    if case.project_id != plan.project_id:
        wrong["recovery_case_id"] = [f"请选择项目 {plan.project.number} 的追偿案件"]
    elif case.state not in _GOES_ON:
        wrong["recovery_case_id"] = [f"案件 {case.number} {case.state.label}，不需要追偿"]
    elif plan.state is PaperState.DRAFT:
        most = figures.owed(ctx.session, case, max(plan.due_on, ctx.today)).total
        if plan.target_amount > most:
            said = f"至完成期限债权合计 {format_money(most)} 元，追偿目标不能超过"
            wrong["target_amount"] = [said]
        if plan.due_on < ctx.today:
            wrong["due_on"] = ["完成期限不能早于营业日期"]
    refuse(wrong)
    plan.recovery_case = case


@PLAN.approved
def plan_approved(ctx: Ctx, plan: RecoveryPlan) -> None:
    """From now on courts may be called."""
    plan.approved_on = ctx.today


@records.rule(RecoveryAction)
def check_action(ctx: Ctx, action: RecoveryAction, is_new: bool) -> None:
    """A measure is of a day that has come; what goes to court has its number there and an approved plan behind it."""
    case = ctx.session.get_one(RecoveryCase, action.recovery_case_id)
    wrong: dict[str, list[str]] = {}
    if not case.opened_on <= action.done_on <= ctx.today:
        said = f"日期应在立案日期 {case.opened_on} 与营业日期 {ctx.today} 之间"
        wrong["done_on"] = [said]
    if action.kind is ActionKind.LETTER and action.document_id is None:
        wrong["kind"] = ["催收函请用“出具催收函”办理"]
    for name in ("court", "case_no"):
        if action.kind.is_in_court and not words(getattr(action, name)):
            wrong[name] = [f"“{action.kind.label}”须填写"]
    if action.kind is ActionKind.PRESERVATION and action.valid_until is None:
        wrong["valid_until"] = ["请填写查封、冻结的到期日"]
    if action.valid_until is not None and action.valid_until < action.done_on:
        wrong["valid_until"] = ["有效期不能早于日期"]
    if is_new and action.kind.is_legal and not has_plan(ctx, case):
        wrong["kind"] = [f"追偿申请通过后才能登记“{action.kind.label}”"]
    refuse(wrong)


def has_plan(ctx: Ctx, case: RecoveryCase) -> bool:
    """Whether a plan of the case was approved."""
    query = select(RecoveryPlan.id).where(
        RecoveryPlan.recovery_case_id == case.id, RecoveryPlan.state == PaperState.APPROVED
    )
    return ctx.session.scalar(query.limit(1)) is not None


@records.delete_rule(RecoveryAction)
def keep_letter(ctx: Ctx, action: RecoveryAction) -> None:
    """A letter that was issued stays."""
    del ctx
    if action.document_id is not None:
        raise Conflict("催收函已出具，不能删除")


def is_owed(_: Ctx, case: RecoveryCase) -> bool:
    """Whether the customer still owes something, in the books or out of them."""
    return case.state in _GOES_ON


def issue_letter(
    ctx: Ctx,
    case: RecoveryCase,
    party: str,
    days: int,
    version: int | None = None,
) -> IssuedDocument:
    """催收函 to the customer or a counter-guarantor on all that is owed today, to be paid within so many days."""
    enter(ctx, ACTS["issue_letter"], case, version)
    if not is_owed(ctx, case):
        raise Conflict(f"追偿案件“{case}”没有未收回的款项，不需要催收")
    wrong: dict[str, list[str]] = {}
    if not 0 < len(party.strip()) <= 100:
        wrong["party"] = ["请填写催收对象，不超过 100 字"]
    if not 1 <= days <= 90:
        wrong["days"] = ["还款期限应为 1 至 90 天"]
    refuse(wrong)
    action = RecoveryAction(
        recovery_case=case, kind=ActionKind.LETTER, done_on=ctx.today, party=party.strip()
    )
    owed = figures.owed(ctx.session, case, ctx.today)
    action.amount = owed.total
    ctx.session.add(action)
    ctx.session.flush()
    action.document = documents.issue(
        ctx,
        "collection_letter",
        action,
        project=case.project,
        number_rule="collection_letter",
        title=f"催收函 {case.number}",
        data=_letter_data(ctx, case, owed, action.party, ctx.today + timedelta(days=days)),
    )
    ctx.session.flush()
    return action.document


def _letter_data(
    ctx: Ctx, case: RecoveryCase, owed: figures.Claims, party: str, due_on: date
) -> dict[str, Any]:
    project = case.project
    return {
        **letters.data_for(ctx, project),
        "contract": contract_data.numbers(ctx.session, project),
        "recovery": {
            "number": case.number,
            "party": party,
            "as_of": ctx.today,
            "opened_on": case.opened_on,
            "paid": case.paid_amount,
            "recovered": case.recovered_amount,
            "principal": owed.principal,
            "interest": owed.interest + owed.penalty,
            "cost": owed.cost + owed.other,
            "surcharge": owed.surcharge,
            "total": owed.total,
            "due_on": due_on,
            "handler": project.manager.name if project.manager else "",
        },
    }


# --------------------------------------------------------------------------------------------------- costs and receipts
def _count_cost(ctx: Ctx, cost: RecoveryCost, sign: int) -> None:
    case = cost.recovery_case
    if sign < 0 and cost.amount > case.cost_open:
        raise Conflict(f"费用 {cost.number} 已由回款抵充或核销，请先退回该回款或核销")
    case.cost_open += sign * cost.amount
    ctx.session.flush()


def _count_receipt(ctx: Ctx, receipt: RecoveryReceipt, sign: int) -> None:
    case = receipt.recovery_case
    if sign < 0 and receipt.is_off_book != (case.state is CaseState.WRITTEN_OFF):
        raise Conflict(f"回款 {receipt.number} 之后案件已核销，请先退回核销")
    query = select(RecoveryPart).where(RecoveryPart.receipt_id == receipt.id)
    for part in ctx.session.scalars(query):
        take(part.share, claims.amounts_of(part), sign)
        if part.share.party is not SharingParty.OWN:
            if sign < 0 and part.share.due_back - part.amount < part.share.returned_amount:
                raise Conflict(f"回款 {receipt.number} 中他方的部分已返还，不能退回")
            part.share.due_back += sign * part.amount
    case.cost_open -= sign * receipt.cost
    case.recovered_amount += sign * claims.amounts_of(receipt).total
    ctx.session.flush()


COSTS = Money(RecoveryCost, _count_cost)
RECEIPTS = Money(RecoveryReceipt, _count_receipt)
_MONEY: dict[str, Money[Any]] = {one.table: one for one in (COSTS, RECEIPTS)}
_CODES = {
    "cost": "recovery.cost_paid",
    "received": "recovery.received",
    "deposit": "deposit.used",
    "off_book": "writeoff.recovered",
}


def _hand_over(
    ctx: Ctx,
    made: RecoveryCost | RecoveryReceipt,
    kind: str,
    amounts: dict[str, Decimal],
    memo: str,
) -> BusinessEvent:
    return posting.raise_event(
        ctx,
        _CODES[kind],
        record=made,
        project=made.project,
        amounts=amounts,
        on=made.moved_on,
        memo=f"{memo} {made.number}",
    )


def booked(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """A cost or a receipt stands in the books; other records may raise the same events."""
    del voucher
    if (money := _MONEY.get(event.record_table)) is not None:
        money.book(ctx, event, "book")


def unbooked(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue it counts until it is refused."""
    del former
    if (money := _MONEY.get(event.record_table)) is not None:
        money.book(ctx, event, "unbook")


def refused(ctx: Ctx, event: BusinessEvent) -> None:
    """It stands for nothing: it is noted anew."""
    if (money := _MONEY.get(event.record_table)) is not None:
        money.refuse(ctx, event)


for _code in _CODES.values():
    posting.on_booked(_code)(booked)
    posting.on_unbooked(_code)(unbooked)
    posting.on_refused(_code)(refused)


def pay_cost(
    ctx: Ctx,
    case: RecoveryCase,
    *,
    kind: CostKind,
    amount: Decimal,
    moved_on: date,
    note: str | None = None,
    version: int | None = None,
) -> RecoveryCost:
    """Note what the company has advanced to pursue the case. Raises Conflict once it is recovered or written off."""
    enter(ctx, ACTS["pay_cost"], case, version)
    held(ctx, case)
    if case.state is not CaseState.OPEN:
        raise Conflict(f"追偿案件“{case}”{case.state.label}，不能登记垫付费用")
    refuse(about_money(ctx, case, amount, moved_on, note))
    made = RecoveryCost(
        number=next_number(ctx, "recovery_cost"),
        project=case.project,
        recovery_case=case,
        kind=kind,
        amount=amount,
        moved_on=moved_on,
        note=words(note),
    )
    COSTS.note(ctx, made)
    _hand_over(ctx, made, "cost", {"amount": amount}, f"垫付{kind.label}")
    return made


@dataclass(frozen=True)
class Received:
    """What came in: from whom or what, how much in 元, when, and under which reference of the bank."""

    source: RecoverySource
    amount: Decimal
    moved_on: date
    payer: str
    bank_reference: str | None = None
    note: str | None = None


def receive(
    ctx: Ctx, case: RecoveryCase, money: Received, version: int | None = None
) -> RecoveryReceipt:
    """Note what came in on a case, split by the order that was agreed, and hand it to 复核.

    A customer's deposit settles no more than is owed. Raises Conflict where nothing is owed, FieldErrors.
    """
    enter(ctx, ACTS["receive"], case, version)
    held(ctx, case)
    if not is_owed(ctx, case):
        raise Conflict(f"追偿案件“{case}”{case.state.label}，不能登记回款")
    wrong = about_money(ctx, case, money.amount, money.moved_on, money.note)
    if not 0 < len(money.payer.strip()) <= 100:
        wrong["payer"] = ["请填写付款人，不超过 100 字"]
    if len((money.bank_reference or "").strip()) > 60:
        wrong["bank_reference"] = ["银行流水号不超过 60 字"]
    refuse(wrong)
    split = figures.split(ctx.session, case, money.amount, money.moved_on)
    if money.source is RecoverySource.DEPOSIT:
        _require_deposit(ctx, case, money.amount, split)
    made = RecoveryReceipt(
        number=next_number(ctx, "recovery_receipt"),
        project=case.project,
        recovery_case=case,
        source=money.source,
        amount=money.amount,
        moved_on=money.moved_on,
        payer=money.payer.strip(),
        bank_reference=words(money.bank_reference),
        note=words(money.note),
        shared=split.shared,
        is_off_book=case.state is CaseState.WRITTEN_OFF,
        **vars(split.claims),
    )
    _note_parts(ctx, made, split)
    RECEIPTS.note(ctx, made)
    kind, amounts = _booking(made, split)
    _hand_over(ctx, made, kind, amounts, money.source.label)
    return made


def _require_deposit(ctx: Ctx, case: RecoveryCase, amount: Decimal, split: figures.Split) -> None:
    if case.state is CaseState.WRITTEN_OFF:
        raise FieldErrors({"source": ["案件已核销，保证金应在核销前抵扣"]})
    most = min(deposit_held(ctx.session, case.project), amount - split.claims.excess)
    if amount > most:
        said = f"保证金和债权以内可抵扣 {format_money(most)} 元"
        raise FieldErrors({"amount": [said]})


def _note_parts(ctx: Ctx, made: RecoveryReceipt, split: figures.Split) -> None:
    """What of it belongs to each share; written with the receipt, counted with it."""
    ctx.session.add_all(
        RecoveryPart(receipt=made, share=share, amount=part.total, **part.by_part)
        for share, part in split.shares
        if part.total
    )


def _booking(made: RecoveryReceipt, split: figures.Split) -> tuple[str, dict[str, Decimal]]:
    """Which event a receipt is, with its amounts: out of the books everything of the company's own is income."""
    own: Amounts = split.own
    beside = {"shared": made.shared, "excess": made.excess, "surcharge": made.surcharge}
    if made.is_off_book:
        return "off_book", {"amount": own.total + made.cost, **beside}
    amounts = {"amount": made.amount, "cost": made.cost, **own.by_part, **beside}
    if made.source is RecoverySource.DEPOSIT:
        del amounts["excess"]
        return "deposit", amounts
    return "received", amounts


# --------------------------------------------------------------------------------------------------------------- excess
def has_excess(_: Ctx, receipt: RecoveryReceipt) -> bool:
    """Whether more came in than was owed and has not gone back."""
    is_live = receipt.state in LIVE_MONEY
    return is_live and bool(receipt.excess) and receipt.excess_returned_on is None


def return_excess(
    ctx: Ctx, receipt: RecoveryReceipt, moved_on: date, version: int | None = None
) -> BusinessEvent:
    """Pay back to the payer what exceeded all claims, and hand that to 复核."""
    enter(ctx, ACTS["return_excess"], receipt, version)
    ctx.session.refresh(receipt, with_for_update={"of": RecoveryReceipt})
    if not has_excess(ctx, receipt):
        raise Conflict(f"回款“{receipt}”没有待退还的多收款")
    if not receipt.moved_on <= moved_on <= ctx.today:
        said = f"退还日期应在回款日期 {receipt.moved_on} 与营业日期 {ctx.today} 之间"
        raise FieldErrors({"moved_on": [said]})
    receipt.excess_returned_on = moved_on
    return posting.raise_event(
        ctx,
        EXCESS,
        record=receipt,
        project=receipt.project,
        amounts={"amount": receipt.excess},
        on=moved_on,
        memo=f"退还多收款 {receipt.number}",
    )


@posting.on_booked(EXCESS)
def excess_booked(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """The books hold what went back."""
    del voucher
    if event.record_table != RECEIPTS.table:
        return
    receipt = ctx.session.get_one(RecoveryReceipt, event.record_id)
    if receipt.excess_returned_on is None:
        raise BusinessError(f"回款“{receipt}”的多收款没有登记退还")


@posting.on_unbooked(EXCESS)
def excess_unbooked(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue it counts as paid back until it is refused."""
    del ctx, event, former


@posting.on_refused(EXCESS)
def excess_refused(ctx: Ctx, event: BusinessEvent) -> None:
    """It has not gone back: it is noted anew."""
    if event.record_table != RECEIPTS.table:
        return
    receipt = ctx.session.get_one(RecoveryReceipt, event.record_id)
    receipt.excess_returned_on = None
    ctx.session.flush()


def latest_case(ctx: Ctx, project: Project) -> RecoveryCase | None:
    """The case of a project that is worked on, or the last one."""
    query = select(RecoveryCase).where(RecoveryCase.project_id == project.id)
    return ctx.session.scalars(query.order_by(RecoveryCase.id.desc()).limit(1)).first()
