"""凭证模板 (8.2): a voucher is kept as one, and its lines make sense before anybody begins a voucher with them."""

from sqlalchemy import select

from models.base.errors import BusinessError, FieldErrors
from models.ledger.account import Account
from models.ledger.voucher import Voucher
from models.ledger.voucher_template import VoucherTemplate, VoucherTemplateLine
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import enter, verbs
from workflows.ledger.entries import AUXILIARIES

ACTS = verbs("voucher", {"keep_template": "存为模板"})
NAME_MAX = 60


def keep_template(
    ctx: Ctx, voucher: Voucher, reason: str, version: int | None = None
) -> VoucherTemplate:
    """Keep a voucher as the template of that name; papers, day and number stay its own.

    Raises BusinessError for a name that is missing, too long or taken.
    """
    enter(ctx, ACTS["keep_template"], voucher, version)
    name = reason.strip()
    if not 0 < len(name) <= NAME_MAX:
        raise BusinessError(f"请填写模板名称，不超过{NAME_MAX}个字", field="reason")
    taken = select(VoucherTemplate.id).where(VoucherTemplate.name == name)
    if ctx.session.scalar(taken) is not None:
        raise BusinessError(f"已有名为“{name}”的凭证模板", field="reason")
    made = VoucherTemplate(name=name, word_id=voucher.word_id, memo=voucher.memo)
    made.lines = [
        VoucherTemplateLine(
            line_no=entry.line_no,
            account_id=entry.account_id,
            memo=entry.memo,
            debit=entry.debit or None,
            credit=entry.credit or None,
            cash_flow=entry.cash_flow,
            **{column: getattr(entry, column) for column in AUXILIARIES},
        )
        for entry in voucher.entries
    ]
    ctx.session.add(made)
    ctx.session.flush()
    return made


@records.rule(VoucherTemplateLine)
def check_line(ctx: Ctx, line: VoucherTemplateLine, is_new: bool) -> None:
    """A line is of a leaf account, on one side of it at most."""
    del is_new
    wrong: dict[str, list[str]] = {}
    account = ctx.session.get_one(Account, line.account_id)
    if not account.is_leaf:
        wrong["account_id"] = [f"科目“{account}”不是末级科目，请选择它的下级"]
    if line.debit and line.credit:
        wrong["credit"] = ["借方和贷方金额只能填一个"]
    if wrong:
        raise FieldErrors(wrong)
