"""The general ledger's nouns, by their one name for importers: accounts, periods, vouchers, events, rules."""

from models.ledger_account import (
    ZERO,
    Account,
    AccountBalance,
    AccountCategory,
    AccountingPeriod,
    AssetClass,
    AuxiliaryBalance,
    Direction,
    PeriodState,
)
from models.ledger_rule import PostingRule, PostingRuleLine
from models.ledger_voucher import (
    UNFINISHED_VOUCHER,
    BusinessEvent,
    CashFlow,
    EventState,
    Voucher,
    VoucherEntry,
    VoucherKind,
    VoucherState,
    VoucherWord,
)

__all__ = [
    "UNFINISHED_VOUCHER",
    "ZERO",
    "Account",
    "AccountBalance",
    "AccountCategory",
    "AccountingPeriod",
    "AssetClass",
    "AuxiliaryBalance",
    "BusinessEvent",
    "CashFlow",
    "Direction",
    "EventState",
    "PeriodState",
    "PostingRule",
    "PostingRuleLine",
    "Voucher",
    "VoucherEntry",
    "VoucherKind",
    "VoucherState",
    "VoucherWord",
]
