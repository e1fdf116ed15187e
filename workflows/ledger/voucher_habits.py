"""What good book-keeping asks of a voucher written by hand beyond its balance; each rule by a parameter of its own."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select

from models.base.errors import Conflict, FieldErrors
from models.base.moments import add_months
from models.base.money import format_money
from models.ledger.account import ZERO
from models.ledger.voucher import Voucher, VoucherEntry, VoucherKind, VoucherState, VoucherWord
from reports.figures.balances import balance_of
from reports.figures.parameters import flag
from workflows.base.context import Ctx
from workflows.ledger.entries import Line, accounts_of, by_account

WORD_FITS, IN_ORDER = "voucher.word_fits", "voucher.dates_in_order"
CASH_FLOW, NO_OVERDRAFT = "voucher.cash_flow_required", "voucher.no_overdraft"


def check_written(
    ctx: Ctx,
    word: VoucherWord,
    day: date,
    lines: Sequence[Line | VoucherEntry],
    known: Voucher | None = None,
) -> None:
    """收 and 付 move cash their own way and 转 moves none, cash lines say why, dates follow the numbers.

    `known` is the draft that is changed. Raises FieldErrors at the field.
    """
    cash = {key for key, account in accounts_of(ctx, lines).items() if account.is_cash_bank}
    wrong: dict[str, list[str]] = {}
    if flag(ctx.session, WORD_FITS, ctx.today) and (said := _about_word(word, lines, cash)):
        wrong["word"] = [said]
    is_within = all(line.account_id in cash for line in lines)
    if flag(ctx.session, CASH_FLOW, ctx.today) and not is_within:
        bare = [
            at
            for at, line in enumerate(lines, 1)
            if line.account_id in cash and line.cash_flow is None
        ]
        if bare:
            wrong["entries"] = [f"第{number}行：现金银行科目须选择现金流量项目" for number in bare]
    if flag(ctx.session, IN_ORDER, ctx.today) and (said := _about_date(ctx, word, day, known)):
        wrong["date"] = [said]
    if wrong:
        raise FieldErrors(wrong)


def _about_word(word: VoucherWord, entries: Sequence[Line | VoucherEntry], cash: set[int]) -> str:
    moved = [entry.debit - entry.credit for entry in entries if entry.account_id in cash]
    if word.code == "receipt" and not any(amount > 0 for amount in moved):
        return "“收”字凭证须有现金银行科目的借方，没有收款的请用“转”字"
    if word.code == "payment" and not any(amount < 0 for amount in moved):
        return "“付”字凭证须有现金银行科目的贷方，没有付款的请用“转”字"
    if word.code == "transfer" and moved:
        return "“转”字凭证不能有现金银行科目，请用“收”字或“付”字"
    return ""


def _about_date(ctx: Ctx, word: VoucherWord, day: date, known: Voucher | None) -> str:
    first = day.replace(day=1)
    lower = select(func.max(Voucher.date)).where(
        Voucher.word_id == word.id,
        Voucher.date >= first,
        Voucher.date < add_months(first, 1),
        Voucher.state != VoucherState.VOID,
    )
    if known is not None and (known.word_id, known.date.replace(day=1)) == (word.id, first):
        lower = lower.where(Voucher.number < known.number)
    latest = ctx.session.scalar(lower)
    return f"编号在前的凭证日期是 {latest}，日期不能更早" if latest and day < latest else ""


def check_cash_left(ctx: Ctx, voucher: Voucher) -> None:
    """No voucher by hand takes more out of a cash or bank account than is there; Conflict naming the account."""
    by_hand = (
        voucher.kind is VoucherKind.ORDINARY
        and voucher.event_id is None
        and voucher.reverses_id is None
    )
    if not (by_hand and voucher.is_cash and flag(ctx.session, NO_OVERDRAFT, ctx.today)):
        return
    accounts = accounts_of(ctx, voucher.entries)
    for key, (debit, credit) in by_account(voucher.entries).items():
        account, net = accounts[key], debit - credit
        if account.is_cash_bank and net < ZERO:
            left = balance_of(ctx.session, account.code, voucher.period.code) + net
            if left < ZERO:
                raise Conflict(
                    f"记账后科目“{account}”透支 {format_money(-left)} 元，请核对金额或先记收款"
                )
