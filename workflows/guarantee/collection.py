"""4.5a 费用收取: money received for fees and deposits, its receipt, and its way into the books."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, NotFound
from models.base.money import format_money, round_money
from models.guarantee.product import FeeKind
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.signing import Fee, FeeState, Receipt, ReceiptState
from models.ledger.voucher import BusinessEvent, EventState, Voucher
from models.system.records import IssuedDocument
from reports.figures.fees import first_dues, free_amount
from workflows.base import documents, records
from workflows.base.context import Ctx
from workflows.base.transition import Step, move, permit, steps, verbs
from workflows.guarantee import letters, stages
from workflows.guarantee.fees import require_booked, settle_dues
from workflows.ledger import posting

_WAITS, _BOOKED = (ReceiptState.SUBMITTED,), (ReceiptState.BOOKED,)
STEPS = steps(
    Step(
        "receipt", "book", "复核记账", column="state", sources=_WAITS, targets=_BOOKED, follows=True
    ),
    Step(
        "receipt",
        "unbook",
        "撤回复核",
        column="state",
        sources=_BOOKED,
        targets=_WAITS,
        follows=True,
    ),
    Step(
        "receipt",
        "return",
        "复核退回",
        column="state",
        sources=_WAITS,
        targets=(ReceiptState.RETURNED,),
        follows=True,
    ),
)
ACTS = verbs("receipt", {"collect": "收款", "drop": "撤销退回的收款"})
_OPEN = (ProjectState.RUNNING, ProjectState.IN_FORCE, ProjectState.COMPENSATED)


def require_collecting(project: Project, verb: str) -> None:
    """Raise Conflict unless the project has come to 费用收取 and has not ended."""
    if project.state not in _OPEN or project.stage.rank < Stage.FEE_COLLECT.rank:
        place = (
            project.stage.label if project.state is ProjectState.RUNNING else project.state.label
        )
        raise Conflict(f"项目 {project.number} 现处“{place}”，不能{verb}")


@dataclass(frozen=True)
class Money:
    """What came in: when, from whom, into which account and under which reference of the bank."""

    received_on: date
    payer: str
    bank_account: str | None = None
    bank_reference: str | None = None

    @property
    def trimmed(self) -> "Money":
        """Without blanks around what was typed."""
        account, reference = (
            (text or "").strip() or None for text in (self.bank_account, self.bank_reference)
        )
        return Money(self.received_on, self.payer.strip(), account, reference)


def line_key(fee: Fee) -> str:
    """The field under which the amount for a fee is asked, and refused."""
    return f"fee_{fee.id}"


def collect(
    ctx: Ctx,
    fee: Fee,
    *,
    amount: Decimal,
    received_on: date,
    payer: str,
    bank_account: str | None = None,
    bank_reference: str | None = None,
    version: int | None = None,
) -> Receipt:
    """Register money received for one fee. Raises FieldErrors above what is open."""
    permit(ctx, ACTS["collect"], fee)
    fee = records.find(ctx, Fee, fee.id, lock=True)
    if version is not None:
        records.check_version(ctx, fee, version)
    money = Money(received_on, payer, bank_account, bank_reference)
    try:
        return collect_many(ctx, fee.project, {fee.id: amount}, money)[0]
    except FieldErrors as error:
        at = line_key(fee)
        raise FieldErrors(
            {"amount" if k == at else k: said for k, said in error.field_errors.items()}
        ) from error


def collect_many(
    ctx: Ctx,
    project: Project,
    amounts: Mapping[int, Decimal],
    money: Money,
    version: int | None = None,
) -> list[Receipt]:
    """Register one transfer for several fees of a project: one printed receipt, a line and an event of each fee.

    Each fee is booked by its own rule (a deposit is a debt, not income), so 复核 can send one line back. Raises
    FieldErrors at the line above what is open; receipts and waivers that wait for 复核 count as gone.
    """
    permit(ctx, ACTS["collect"], project)
    letters.require_visible(ctx, project, version)
    require_collecting(project, "收取费用")
    stages.refuse_while_ending(ctx, project, "收取费用")
    if not amounts:
        raise BusinessError("请至少填写一项收款金额")
    chosen = [records.find(ctx, Fee, key, lock=True) for key in sorted(amounts)]
    for fee in chosen:
        if fee.project_id != project.id:
            raise NotFound
        require_booked(fee, "收取")
    money = money.trimmed
    if wrong := _about_money(ctx, money) | _about_lines(ctx, chosen, amounts):
        raise FieldErrors(wrong)
    document = documents.issue(
        ctx,
        "fee_receipt",
        chosen[0],
        project=project,
        number_rule="receipt",
        title=f"收费收据 {project.number}",
        data=_receipt_data(ctx, project, [(fee, amounts[fee.id]) for fee in chosen], money),
    )
    return [_line(ctx, fee, amounts[fee.id], money, document) for fee in chosen]


def _line(ctx: Ctx, fee: Fee, amount: Decimal, money: Money, document: IssuedDocument) -> Receipt:
    receipt = Receipt(
        number=document.number,
        project=fee.project,
        fee=fee,
        received_on=money.received_on,
        amount=amount,
        payer=money.payer,
        bank_account=money.bank_account,
        bank_reference=money.bank_reference,
        document=document,
        state=ReceiptState.SUBMITTED,
    )
    ctx.session.add(receipt)
    code = "deposit.received" if fee.kind is FeeKind.DEPOSIT else "fee.collected"
    posting.raise_event(
        ctx,
        code,
        record=receipt,
        project=fee.project,
        amounts={"amount": amount},
        on=money.received_on,
        memo=f"收{fee.kind.label}，收据 {receipt.number}",
    )
    for event in _sent_back(ctx, fee):
        posting.cancel(ctx, event, f"已重新登记为收据 {receipt.number}")
    return receipt


def drop(ctx: Ctx, receipt: Receipt, reason: str, version: int | None = None) -> Receipt:
    """A receipt that 复核 sent back stands for no money; until this is said, or it is registered anew, its month waits.

    Raises Conflict where nothing waits.
    """
    permit(ctx, ACTS["drop"], receipt)
    receipt = records.find(ctx, Receipt, receipt.id, lock=True)
    if version is not None:
        records.check_version(ctx, receipt, version)
    events = [event for event in _sent_back(ctx, receipt.fee) if event.record_id == receipt.id]
    if not events:
        raise Conflict(f"收据 {receipt.number} 没有退回待处理的复核单")
    for event in events:
        posting.cancel(ctx, event, reason)
    return receipt


def is_sent_back(ctx: Ctx, receipt: Receipt) -> bool:
    """Whether 复核 sent a receipt back and nobody has dealt with it yet."""
    return any(event.record_id == receipt.id for event in _sent_back(ctx, receipt.fee))


def _sent_back(ctx: Ctx, fee: Fee) -> list[BusinessEvent]:
    receipts = select(Receipt.id).where(
        Receipt.fee_id == fee.id, Receipt.state == ReceiptState.RETURNED
    )
    query = select(BusinessEvent).where(
        BusinessEvent.record_table == Receipt.__tablename__,
        BusinessEvent.record_id.in_(receipts),
        BusinessEvent.state == EventState.REFUSED,
    )
    return list(ctx.session.scalars(query.order_by(BusinessEvent.id)))


def _about_lines(
    ctx: Ctx, chosen: list[Fee], amounts: Mapping[int, Decimal]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fee in chosen:
        amount, free = amounts[fee.id], free_amount(ctx.session, fee)
        if not amount.is_finite() or amount <= 0 or round_money(amount) != amount:
            found[line_key(fee)] = ["收款金额应大于 0，最多两位小数"]
        elif amount > free:
            said = f"{fee.kind.label}待收 {format_money(free)} 元（已扣除待复核的收款和减免），不能多收"
            found[line_key(fee)] = [said]
    return found


def _about_money(ctx: Ctx, money: Money) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if money.received_on > ctx.today:
        found["received_on"] = ["收款日期不能晚于营业日期"]
    if not 0 < len(money.payer) <= 100:
        found["payer"] = ["请填写付款人，不超过 100 字"]
    if len(money.bank_account or "") > 100:
        found["bank_account"] = ["收款账户不超过 100 字"]
    if len(money.bank_reference or "") > 60:
        found["bank_reference"] = ["银行流水号不超过 60 字"]
    return found


def open_fees(ctx: Ctx, project: Project) -> dict[Fee, Decimal]:
    """The booked fees of a project and what may still be collected of each; one that is paid stands with 0."""
    query = select(Fee).where(
        Fee.project_id == project.id, Fee.state == FeeState.BOOKED, Fee.amount > 0
    )
    return {
        fee: free_amount(ctx.session, fee) for fee in ctx.session.scalars(query.order_by(Fee.id))
    }


def last_account(ctx: Ctx) -> str | None:
    """The account into which money came last."""
    query = (
        select(Receipt.bank_account)
        .where(Receipt.bank_account.is_not(None))
        .order_by(Receipt.id.desc())
    )
    return ctx.session.scalar(query.limit(1))


def _receipt_data(
    ctx: Ctx, project: Project, lines: list[tuple[Fee, Decimal]], money: Money
) -> dict[str, Any]:
    data = letters.data_for(ctx, project)
    period = (
        f"{project.start_on} 至 {project.end_on}"
        if project.start_on
        else f"{project.term_months} 个月"
    )
    items = [
        {
            "name": fee.kind.label,
            "base": data["project"]["amount"],
            "amount": amount,
            "rate": None if fee.fixed_amount is not None else fee.rate_pct,
            "period": "" if fee.kind is FeeKind.DEPOSIT else period,
        }
        for fee, amount in lines
    ]
    data["doc"] = {"date": money.received_on}
    data["receipt"] = {
        "payer": money.payer,
        "method": "银行转账",
        "account": money.bank_account or "",
        "items": items,
        "total": sum((amount for _, amount in lines), Decimal(0)),
        "cashier": ctx.actor.name,
        "handler": project.manager.name if project.manager else "",
        "remark": f"银行流水号 {money.bank_reference}" if money.bank_reference else None,
    }
    return data


def _receipt(ctx: Ctx, event: BusinessEvent) -> Receipt | None:
    """The receipt behind an event; the same events may also come from other records."""
    return (
        ctx.session.get(Receipt, event.record_id)
        if event.record_table == Receipt.__tablename__
        else None
    )


def booked(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """The money stands in the books: the fee and its plan show it, and the project may move on."""
    del voucher
    if (receipt := _receipt(ctx, event)) is not None:
        move(STEPS["book"], receipt)
        _count(ctx, receipt, receipt.amount)
        pass_on(ctx, receipt.project)


def unbooked(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue the money is not counted as received."""
    del former
    if (receipt := _receipt(ctx, event)) is not None:
        stages.refuse_when_ended(receipt.project)
        move(STEPS["unbook"], receipt)
        _count(ctx, receipt, -receipt.amount)


def refused(ctx: Ctx, event: BusinessEvent) -> None:
    """The receipt is sent back; the cashier registers the money anew."""
    if (receipt := _receipt(ctx, event)) is not None:
        move(STEPS["return"], receipt)
        ctx.session.flush()


for _code in ("fee.collected", "deposit.received"):
    posting.on_booked(_code)(booked)
    posting.on_unbooked(_code)(unbooked)
    posting.on_refused(_code)(refused)


def _count(ctx: Ctx, receipt: Receipt, amount: Decimal) -> None:
    fee = receipt.fee
    fee.collected_amount += amount
    settle_dues(ctx, fee)
    ctx.session.flush()


def pass_on(ctx: Ctx, project: Project) -> None:
    """Everything that falls due before the drawdown is in or waived: on to 放款通知."""
    if project.stage is not Stage.FEE_COLLECT or project.state is not ProjectState.RUNNING:
        return
    if all(due.settled_amount == due.amount for due in first_dues(ctx.session, project.id)):
        stages.advance(ctx, project, Stage.NOTICE, "费用已收取")
