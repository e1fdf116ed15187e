"""总账 = 明细 = 辅助: the accounts whose books do not tell the same."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.ledger.account import ZERO, Account, AccountBalance, AccountingPeriod, AuxiliaryBalance
from models.ledger.voucher import Voucher, VoucherEntry, VoucherState
from reports.figures.balances import Figures, of_accounts

AUXILIARIES = {
    "customer": VoucherEntry.customer_id,
    "project": VoucherEntry.project_id,
    "bank": VoucherEntry.bank_id,
    "department": VoucherEntry.department_id,
}
_SUMS = (func.sum(VoucherEntry.debit, type_=Money()), func.sum(VoucherEntry.credit, type_=Money()))
_POSTED = (
    select(VoucherEntry.account_id, *_SUMS)
    .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
    .where(Voucher.state == VoucherState.POSTED)
    .group_by(VoucherEntry.account_id)
)


def disagreeing(session: Session, period: AccountingPeriod) -> set[int]:
    """Ids of accounts whose kept balance is not that of the posted entries, or not the sum of its auxiliaries."""
    return _against_entries(session, period) | _against_auxiliaries(session, period)


def _against_entries(session: Session, period: AccountingPeriod) -> set[int]:
    balances = select(AccountBalance.account_id, AccountBalance.debit, AccountBalance.credit)
    kept = {
        key: (debit, credit)
        for key, debit, credit in session.execute(balances.filter_by(period_id=period.id))
    }
    entries = session.execute(_POSTED.where(Voucher.period_id == period.id))
    found = {key: (debit, credit) for key, debit, credit in entries}
    nothing = (ZERO, ZERO)
    return {
        key
        for key in kept.keys() | found.keys()
        if kept.get(key, nothing) != found.get(key, nothing)
    }


def _against_auxiliaries(session: Session, period: AccountingPeriod) -> set[int]:
    needing = or_(
        Account.needs_customer, Account.needs_project, Account.needs_bank, Account.needs_department
    )
    wanted = set(session.scalars(select(Account.id).where(Account.is_leaf, needing)))
    general = of_accounts(session, period.code, period.code)
    query = (
        select(
            AuxiliaryBalance.account_id,
            func.sum(AuxiliaryBalance.debit),
            func.sum(AuxiliaryBalance.credit),
        )
        .join(AccountingPeriod, AccountingPeriod.id == AuxiliaryBalance.period_id)
        .where(AccountingPeriod.code <= period.code, AuxiliaryBalance.account_id.in_(wanted))
        .group_by(AuxiliaryBalance.account_id)
    )
    parts = {key: debit - credit for key, debit, credit in session.execute(query)}
    # An opening balance may stand undivided.
    bare = _POSTED.join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id).where(
        AccountingPeriod.code <= period.code,
        VoucherEntry.account_id.in_(wanted),
        *(column.is_(None) for column in AUXILIARIES.values()),
    )
    for key, debit, credit in session.execute(bare):
        parts[key] = parts.get(key, ZERO) + debit - credit
    return {key for key in wanted if general.get(key, Figures()).closing != parts.get(key, ZERO)}
