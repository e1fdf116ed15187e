"""期初前担保费收入 is of months that the books do not hold."""

import re

from sqlalchemy import func, select

from models.base.errors import FieldErrors
from models.closing import IncomeHistory, OpeningImport
from models.ledger import AccountingPeriod, Voucher, VoucherKind, VoucherState
from workflows.base import records
from workflows.base.context import Ctx

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@records.rule(IncomeHistory)
def check_month(ctx: Ctx, row: IncomeHistory, is_new: bool) -> None:
    """A month after the opening, or from the first voucher on, has its income in the books: it would count twice."""
    del is_new
    if not _MONTH.fullmatch(row.month or ""):
        raise FieldErrors({"month": ["月份应写作 2025-12"]})
    opened = select(AccountingPeriod.code).join(OpeningImport, OpeningImport.period_id == AccountingPeriod.id)
    own = select(func.min(AccountingPeriod.code)).join(Voucher, Voucher.period_id == AccountingPeriod.id)
    own = own.where(Voucher.kind != VoucherKind.OPENING, Voucher.state == VoucherState.POSTED)
    opening, first = ctx.session.scalar(opened), ctx.session.scalar(own)
    if (opening is not None and row.month > opening) or (first is not None and row.month >= first):
        since = f"期初余额是 {opening} 的" if opening is not None else f"账上自 {first} 起有凭证"
        raise FieldErrors({"month": [f"{since}，{row.month} 的担保费收入在账上，不能再登记"]})
