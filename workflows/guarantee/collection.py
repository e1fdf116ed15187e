"""4.5a 费用收取: money received for fees and deposits, its receipt, and its way into the books."""

from datetime import date
from decimal import Decimal
from typing import Any

from models.base.errors import Conflict, FieldErrors
from models.base.money import format_money, round_money
from models.ledger import BusinessEvent, Voucher
from models.product import FeeKind
from models.project import Project, ProjectState, Stage
from models.signing import Fee, Receipt, ReceiptState
from reports.figures.fees import first_dues, free_amount
from workflows.base import documents, records
from workflows.base.context import Ctx
from workflows.base.transition import Step, move, steps, verbs
from workflows.guarantee import letters, stages
from workflows.guarantee.fees import require_booked, settle_dues
from workflows.ledger import posting

_WAITS, _BOOKED = (ReceiptState.SUBMITTED,), (ReceiptState.BOOKED,)
STEPS = steps(
    Step("receipt", "book", "复核记账", "state", _WAITS, _BOOKED, follows=True),
    Step("receipt", "unbook", "撤回复核", "state", _BOOKED, _WAITS, follows=True),
    Step("receipt", "return", "复核退回", "state", _WAITS, (ReceiptState.RETURNED,), follows=True),
)
verbs("receipt", {"collect": "费用收取"})
_OPEN = (ProjectState.RUNNING, ProjectState.IN_FORCE)


def require_collecting(project: Project, verb: str) -> None:
    """Raise Conflict unless the project has come to 费用收取 and has not ended."""
    if project.state not in _OPEN or project.stage.rank < Stage.FEE_COLLECT.rank:
        place = project.stage.label if project.state is ProjectState.RUNNING else project.state.label
        raise Conflict(f"项目 {project.number} 现处“{place}”，不能{verb}")


def collect(
    ctx: Ctx,
    fee: Fee,
    *,
    amount: Decimal,
    received_on: date,
    payer: str,
    bank_reference: str | None = None,
    version: int | None = None,
) -> Receipt:
    """Register money received for a fee, print its receipt and hand it to 复核.

    Raises FieldErrors above what is open; receipts and waivers that wait for 复核 count as gone.
    """
    ctx.require("collect", "receipt", "费用收取")
    fee = records.find(ctx, Fee, fee.id, lock=True)
    if version is not None:
        records.check_version(ctx, fee, version)
    project = fee.project
    require_collecting(project, "收取费用")
    stages.refuse_while_ending(ctx, project, "收取费用")
    require_booked(fee, "收取")
    payer, bank_reference = payer.strip(), (bank_reference or "").strip() or None
    if wrong := _about_receipt(ctx, fee, amount, received_on, payer, bank_reference):
        raise FieldErrors(wrong)
    document = documents.issue(
        ctx, "fee_receipt", fee, project=project, number_rule="receipt", title=f"收费收据 {project.number}",
        data=_receipt_data(ctx, fee, amount, received_on, payer, bank_reference),
    )  # fmt: skip
    receipt = Receipt(
        number=document.number, project=project, fee=fee, received_on=received_on, amount=amount, payer=payer,
        bank_reference=bank_reference, document=document, state=ReceiptState.SUBMITTED,
    )  # fmt: skip
    ctx.session.add(receipt)
    code = "deposit.received" if fee.kind is FeeKind.DEPOSIT else "fee.collected"
    posting.raise_event(
        ctx, code, record=receipt, project=project, amounts={"amount": amount}, on=received_on,
        memo=f"收{fee.kind.label}，收据 {receipt.number}",
    )  # fmt: skip
    return receipt


def _about_receipt(
    ctx: Ctx, fee: Fee, amount: Decimal, received_on: date, payer: str, bank_reference: str | None
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    free = free_amount(ctx.session, fee)
    if not amount.is_finite() or amount <= 0 or round_money(amount) != amount:
        found["amount"] = ["收款金额应大于 0，最多两位小数"]
    elif amount > free:
        found["amount"] = [f"{fee.kind.label}待收 {format_money(free)} 元（已扣除待复核的收款和减免），不能多收"]
    if received_on > ctx.today:
        found["received_on"] = ["收款日期不能晚于营业日期"]
    if not 0 < len(payer) <= 100:
        found["payer"] = ["请填写付款人，不超过 100 字"]
    if len(bank_reference or "") > 60:
        found["bank_reference"] = ["银行流水号不超过 60 字"]
    return found


def _receipt_data(
    ctx: Ctx, fee: Fee, amount: Decimal, received_on: date, payer: str, bank_reference: str | None
) -> dict[str, Any]:
    project = fee.project
    data = letters.data_for(ctx, project)
    period = f"{project.start_on} 至 {project.end_on}" if project.start_on else f"{project.term_months} 个月"
    item = {
        "name": fee.kind.label, "base": data["project"]["amount"], "amount": amount,
        "rate": None if fee.fixed_amount is not None else fee.rate_pct,
        "period": "" if fee.kind is FeeKind.DEPOSIT else period,
    }  # fmt: skip
    data["doc"] = {"date": received_on}
    data["receipt"] = {
        "payer": payer, "method": "银行转账", "account": "", "total": amount, "items": [item],
        "cashier": ctx.actor.name, "handler": project.manager.name if project.manager else "",
        "remark": f"银行流水号 {bank_reference}" if bank_reference else None,
    }  # fmt: skip
    return data


def _receipt(ctx: Ctx, event: BusinessEvent) -> Receipt | None:
    """The receipt behind an event; the same events may also come from other records."""
    return ctx.session.get(Receipt, event.record_id) if event.record_table == Receipt.__tablename__ else None


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
