"""Classes of assets by rule and evidence, and the four ratios (融资担保公司资产比例管理办法, articles 5 to 11)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from models.base.money import round_money, round_to
from models.ledger.account import ZERO, AssetClass
from models.ledger.asset_split import AssetRule

ONE, TWO, THREE = AssetClass.ONE, AssetClass.TWO, AssetClass.THREE
HUNDRED = Decimal(100)
CLASS_OF: Final[Mapping[AssetRule, AssetClass]] = {
    AssetRule.MONEY_FUND: ONE,
    AssetRule.GOVERNMENT_BOND: ONE,
    AssetRule.AAA_BOND: ONE,
    AssetRule.SHORT_PRODUCT: ONE,
    AssetRule.BANK_PRODUCT: TWO,
    AssetRule.AA_BOND: TWO,
    AssetRule.GUARANTOR_EQUITY: TWO,
    AssetRule.CLIENT_EQUITY: TWO,
    AssetRule.CLIENT_LOAN: TWO,
    AssetRule.OWN_PROPERTY: TWO,
    AssetRule.OTHER: THREE,
}
"""The class of each rule; of those with a cap the rest is Ⅲ."""


@dataclass(frozen=True)
class Caps:
    """Percentages of a part that are Ⅱ, and of 净资产 up to which self-used property is."""

    own_property: Decimal
    client_equity: Decimal
    client_loan: Decimal

    def share(self, rule: AssetRule) -> Decimal:
        """What % of a part goes to the class of its rule."""
        return {
            AssetRule.CLIENT_EQUITY: self.client_equity,
            AssetRule.CLIENT_LOAN: self.client_loan,
        }.get(rule, HUNDRED)


@dataclass(frozen=True)
class Part:
    """A part of an account's balance, credit below zero, with the rule and the evidence."""

    rule: AssetRule
    amount: Decimal
    evidence: str = ""


@dataclass(frozen=True)
class Holding:
    """An account's balance (debit positive), the class and share of what has no evidence, and the parts that have."""

    code: str
    name: str
    balance: Decimal
    default: AssetClass | None
    ratio: Decimal = HUNDRED
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Line:
    """A part of the assets with the classes that it falls into."""

    code: str
    name: str
    basis: str
    evidence: str
    amount: Decimal
    classes: Mapping[AssetClass, Decimal] = field(default_factory=dict)


def lines_of(holdings: Iterable[Holding], caps: Caps, net_assets: Decimal) -> list[Line]:
    """Every balance by class; self-used property is Ⅱ up to its share of 净资产 over all accounts together."""
    found = list(holdings)
    property_room = _property(
        found, max(round_money(net_assets * caps.own_property / HUNDRED), ZERO)
    )
    lines: list[Line] = []
    for holding in found:
        for at, part in enumerate(holding.parts):
            two = property_room.get((holding.code, at))
            if two is None:
                classes = _shared(CLASS_OF[part.rule], part.amount, caps.share(part.rule))
            else:
                classes = {TWO: two, THREE: part.amount - two}
            lines.append(
                Line(
                    holding.code, holding.name, part.rule.label, part.evidence, part.amount, classes
                )
            )
        rest = holding.balance - sum((part.amount for part in holding.parts), ZERO)
        if rest:
            classes = _shared(
                holding.default or THREE, rest, holding.ratio if holding.default else HUNDRED
            )
            basis = f"科目 {holding.default.label}" if holding.default else "科目未分级，按Ⅲ级"
            lines.append(Line(holding.code, holding.name, basis, "", rest, classes))
    return lines


def totals(lines: Iterable[Line]) -> dict[AssetClass, Decimal]:
    """Sum of each class."""
    sums: dict[AssetClass, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        for each, amount in line.classes.items():
            sums[each] += amount
    return {each: sums[each] for each in AssetClass}


def _shared(target: AssetClass, amount: Decimal, share: Decimal) -> dict[AssetClass, Decimal]:
    own = round_money(amount * share / HUNDRED)
    return {target: amount} if target is THREE else {target: own, THREE: amount - own}


def _property(holdings: list[Holding], cap: Decimal) -> dict[tuple[str, int], Decimal]:
    """What of each part of self-used property is Ⅱ; depreciation first, so that the net amount meets the cap."""
    parts = [
        (holding.code, at, part.amount)
        for holding in holdings
        for at, part in enumerate(holding.parts)
        if part.rule is AssetRule.OWN_PROPERTY
    ]
    found: dict[tuple[str, int], Decimal] = {}
    for code, at, amount in sorted(parts, key=lambda each: each[2]):
        found[code, at] = min(amount, cap)
        cap -= found[code, at]
    return found


@dataclass(frozen=True)
class Ratio:
    """One of the law's ratios: at least or at most `limit` %."""

    label: str
    article: str
    numerator: Decimal
    denominator: Decimal
    limit: Decimal
    is_least: bool = True

    @property
    def share(self) -> Decimal | None:
        """% to two places; None where there is nothing to divide by."""
        return (
            round_to(self.numerator * HUNDRED / self.denominator, 2)
            if self.denominator > 0
            else None
        )

    @property
    def is_met(self) -> bool:
        """Whether the ratio keeps to its limit, on the exact amounts."""
        if self.denominator <= 0:
            return self.numerator == 0
        due = self.denominator * self.limit
        own = self.numerator * HUNDRED
        return own >= due if self.is_least else own <= due
