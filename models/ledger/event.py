"""The business events that the ledger understands: their names and the amounts each one brings.

What belongs to one paper alone is stated beside it, with its first 记账规则 (`entered`); the events here have several
origins, or none yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from models.base.rows import SeedRow


@dataclass(frozen=True)
class EventType:
    """A kind of business event; `amounts` are key -> Chinese label, `total` the keys whose sum is its amount."""

    label: str
    amounts: dict[str, str]
    total: tuple[str, ...]


_AMOUNT = {"amount": "金额"}
_PARTS = {"principal": "本金", "interest": "利息", "penalty": "罚息", "other": "其他"}
# What a recovery brings beside the company's own part of what was paid: costs advanced, surcharges, others' parts.
_BESIDE = {"cost": "垫付费用", "surcharge": "违约金及资金占用费", "shared": "他方分担"}
_FEE = {
    "gross": "含税金额",
    "deferred": "担保费（不含税）",
    "earned": "其他费用（不含税）",
    "tax": "销项税额",
    "tax_pending": "待转销项税额",
}
FEE_BACK = {**_FEE, "recognised": "其中已确认的担保费收入"}


def _plain(label: str) -> EventType:
    return EventType(label, _AMOUNT, ("amount",))


EVENTS: dict[str, EventType] = {
    "fee.registered": EventType("费用登记", _FEE, ("gross",)),
    "fee.collected": _plain("费用收取"),
    "fee.reversed": EventType("冲回费用", FEE_BACK, ("gross",)),
    "fee.refunded": EventType("退费", FEE_BACK, ("gross",)),
    "vat.due": _plain("转出待转销项税额"),
    "income.recognised": _plain("担保费收入确认"),
    "deposit.received": _plain("收取客户保证金"),
    "deposit.returned": _plain("退还客户保证金"),
    "deposit.used": EventType(
        "以客户保证金抵偿代偿款", {**_AMOUNT, **_PARTS, **_BESIDE}, ("amount",)
    ),
    "margin.placed": _plain("存出保证金"),
    "margin.returned": _plain("收回存出保证金"),
    "compensation.paid": EventType(
        "代偿",
        {
            **_PARTS,
            "shared": "他方分担",
            "bank_paid": "银行存款支付",
            "margin_paid": "存出保证金支付",
        },
        ("bank_paid", "margin_paid"),
    ),
    "recovery.received": EventType(
        "追偿回款",
        {**_AMOUNT, **_PARTS, **_BESIDE, "excess": "多收款"},
        ("amount",),
    ),
    "recovery.excess_returned": _plain("退还多收追偿款"),
    "impairment.booked": _plain("计提应收代偿款减值"),
    "impairment.released": _plain("转回应收代偿款减值"),
    "writeoff.booked": EventType(
        "代偿损失核销",
        {
            **_PARTS,
            "cost": "垫付费用",
            "provision": "冲减担保赔偿准备金",
            "loss": "计入担保赔付支出",
        },
        ("provision", "loss"),
    ),
    "writeoff.recovered": EventType(
        "已核销代偿款收回",
        {**_AMOUNT, "surcharge": "违约金及资金占用费", "shared": "他方分担", "excess": "多收款"},
        ("amount", "surcharge", "shared", "excess"),
    ),
    "asset.taken": EventType(
        "取得抵债资产",
        {**_PARTS, "fair_value": "公允价值", "shortfall": "冲减担保赔偿准备金"},
        ("fair_value", "shortfall"),
    ),
    "asset.disposed": EventType(
        "处置抵债资产",
        {
            "proceeds": "处置收入",
            "impairment": "已提跌价准备",
            "disposal_loss": "处置损失",
            "cost": "账面原值",
            "gain": "处置利得",
        },
        ("proceeds",),
    ),
    "asset.impaired": _plain("计提抵债资产跌价准备"),
    "provision.unearned": _plain("提取未到期责任准备金"),
    "provision.unearned_released": _plain("转回未到期责任准备金"),
    "provision.compensation": _plain("提取担保赔偿准备金"),
    "provision.compensation_released": _plain("转回担保赔偿准备金"),
    "provision.general_risk": _plain("提取一般风险准备"),
}

EVENT_LABELS: dict[str, str] = {code: kind.label for code, kind in EVENTS.items()}
# One key means one thing, whichever event brings it: accountants choose amounts by these words.
AMOUNT_LABELS: dict[str, str] = {
    key: label for kind in EVENTS.values() for key, label in kind.amounts.items()
}
_SINCE = "2000-01-01"
_ABOUT = ("customer", "project", "bank", "department")


class Entry(NamedTuple):
    """A line of a 记账规则: an amount of the event on a side of an account, with what the entry is about.

    `cash_flow` names the row of the cash-flow statement, which cash and bank accounts need; `is_red` takes away from
    its side instead of adding to the other.
    """

    side: str
    account: str
    amount: str
    about: tuple[str, ...]
    cash_flow: str
    is_red: bool


def debit(
    account: str,
    amount: str = "amount",
    *,
    about: tuple[str, ...] = ("customer", "project"),
    cash_flow: str = "",
    is_red: bool = False,
) -> Entry:
    """A debit line; cash is nobody's."""
    return Entry("DEBIT", account, amount, () if cash_flow else about, cash_flow, is_red)


def credit(
    account: str,
    amount: str = "amount",
    *,
    about: tuple[str, ...] = ("customer", "project"),
    cash_flow: str = "",
    is_red: bool = False,
) -> Entry:
    """A credit line."""
    return Entry("CREDIT", account, amount, () if cash_flow else about, cash_flow, is_red)


def entered(
    code: str,
    label: str,
    *entries: Entry,
    word: str,
    memo: str,
    amounts: Mapping[str, str] = _AMOUNT,
    total: tuple[str, ...] = ("amount",),
) -> tuple[SeedRow, ...]:
    """Make an event known, and bring its first rule (8.6) as base data, from which on accountants change it.

    `amounts` are key -> Chinese label, `total` the keys whose sum is the event's amount; `word` is a voucher word
    (receipt, payment, transfer), `memo` may name {事项} {客户} {项目} {银行}. Raises ValueError for an event that is
    known already, or an amount that is called otherwise elsewhere.
    """
    if code in EVENTS:
        raise ValueError(f"event {code} is stated twice")
    for key, words in amounts.items():
        if AMOUNT_LABELS.setdefault(key, words) != words:
            raise ValueError(f"{code}: the amount {key} is called {AMOUNT_LABELS[key]} elsewhere")
    EVENTS[code], EVENT_LABELS[code] = EventType(label, dict(amounts), total), label
    rule = {"event_code": code, "label": label, "word_id": word, "memo": memo}
    lines = (
        {
            "posting_rule_id": f"{code}|{_SINCE}",
            "line_no": str(number),
            "side": entry.side,
            "account_id": entry.account,
            "amount_key": entry.amount,
            "cash_flow": entry.cash_flow,
            "is_red": str(entry.is_red).lower(),
            **{f"with_{name}": str(name in entry.about).lower() for name in _ABOUT},
        }
        for number, entry in enumerate(entries, 1)
    )
    return (
        SeedRow("posting_rule", {**rule, "effective_on": _SINCE}),
        *(SeedRow("posting_rule_line", line) for line in lines),
    )
