"""额度与集中度 (4.4): the whole company against its limits: leverage, largest customers and groups, bank lines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bank import PartnerBank
from models.base.actor import Actor
from models.base.money import round_to
from models.customer import Customer, CustomerRelation
from reports.export import ExportColumn
from reports.figures import exposure
from reports.figures.net_assets import net_assets
from reports.figures.parameters import number
from reports.scope import scoped

TOP = 10
HIDDEN = "其他部门客户"

COLUMNS = (
    ExportColumn("kind", "类别"),
    ExportColumn("name", "名称"),
    ExportColumn("amount", "责任余额", "money", "元"),
    ExportColumn("share", "占净资产", "rate", "%"),
    ExportColumn("limit", "上限", "rate", "%"),
    ExportColumn("state", "状态"),
)
BANK_COLUMNS = (
    ExportColumn("name", "银行"),
    ExportColumn("line", "授信额度", "money", "元"),
    ExportColumn("used", "已用", "money", "元"),
    ExportColumn("free", "剩余", "money", "元"),
    ExportColumn("share", "使用率", "rate", "%"),
)


@dataclass(frozen=True)
class Party:
    """A customer or a group with what the company answers for; `share` is % of net assets (None: no net assets)."""

    name: str
    customer_id: int | None
    members: int
    amount: Decimal
    share: Decimal | None
    limit: Decimal
    warning: Decimal

    @property
    def state(self) -> str:
        """超限, 预警 or 正常."""
        if self.share is None or self.share > self.limit:
            return "超限"
        return "预警" if self.share > self.warning else "正常"


@dataclass(frozen=True)
class Line:
    """A bank's line; `share` is % used."""

    bank_id: int
    name: str
    line: Decimal
    used: Decimal
    share: Decimal

    @property
    def free(self) -> Decimal:
        """What is left, negative when overdrawn."""
        return self.line - self.used


@dataclass(frozen=True)
class Exposure:
    """The report on one day; `leverage` is None without positive net assets."""

    on: date
    net_assets: Decimal
    total: Decimal
    liability: Decimal
    leverage: Decimal | None
    leverage_limit: Decimal
    leverage_warning: Decimal
    customers: list[Party]
    groups: list[Party]
    lines: list[Line]

    @property
    def is_over(self) -> bool:
        """Whether the leverage breaks its limit."""
        if self.leverage is None:
            return self.liability > 0
        return self.leverage > self.leverage_limit


def exposure_report(session: Session, actor: Actor, on: date) -> Exposure:
    """The figures of the whole company; names of customers outside the reader's scope are left out."""
    whole = exposure.portfolio(session, on)
    assets = net_assets(session, on)
    liability = exposure.liability(session, whole.slices, on)
    parties = exposure.by_customer(session).items()
    amounts = {key: exposure.concentration(session, parts, on) for key, parts in parties}
    name_of = _names(session, actor, amounts)
    return Exposure(
        on=on,
        net_assets=assets,
        total=sum((part.amount for part in whole.slices), Decimal(0)),
        liability=liability,
        leverage=_ratio(liability, assets),
        leverage_limit=exposure.leverage_limit(session, whole, on),
        leverage_warning=number(session, "exposure.leverage_warning", on),
        customers=_customers(session, on, amounts, assets, name_of),
        groups=_groups(session, on, amounts, assets, name_of),
        lines=_lines(session),
    )


Names = Callable[[int], tuple[str, int | None]]


def _names(session: Session, actor: Actor, ids: Iterable[int]) -> Names:
    query = scoped(select(Customer.id, Customer.name).where(Customer.id.in_(ids)), Customer, actor)
    known = {row[0]: row[1] for row in session.execute(query)}
    return lambda key: (known[key], key) if key in known else (HIDDEN, None)


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    if whole > 0:
        return round_to(part / whole, 2)
    return None if part else Decimal(0)


def _customers(session: Session, on: date, amounts: dict[int, Decimal], assets: Decimal, name_of: Names) -> list[Party]:
    limit, warning = (number(session, f"exposure.single_{word}_pct", on) for word in ("limit", "warning"))
    largest = sorted(amounts.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP]
    return [
        Party(*name_of(key), 1, amount, _ratio(amount * 100, assets), limit, warning)
        for key, amount in largest
        if amount
    ]


def _groups(session: Session, on: date, amounts: dict[int, Decimal], assets: Decimal, name_of: Names) -> list[Party]:
    """Groups of two and more parties; one is called by its member with the largest amount."""
    limit, warning = (number(session, f"exposure.group_{word}_pct", on) for word in ("limit", "warning"))
    found = []
    for members in _clusters(session):
        own = {key: amounts[key] for key in members if key in amounts}
        total = sum(own.values(), Decimal(0))
        if not total:
            continue
        first = max(own, key=lambda key: (own[key], -key))
        name, customer_id = name_of(first)
        label = f"{name} 等 {len(members)} 户"
        found.append(Party(label, customer_id, len(members), total, _ratio(total * 100, assets), limit, warning))
    return sorted(found, key=lambda party: -party.amount)[:TOP]


def _clusters(session: Session) -> list[set[int]]:
    """Customers tied together by control or kinship, from one reading of all such relations."""
    ends = (CustomerRelation.customer_id, CustomerRelation.to_customer_id)
    rows = session.execute(select(*ends).where(CustomerRelation.kind.in_(exposure.GROUP_KINDS)))
    cluster_of: dict[int, set[int]] = {}
    for a, b in rows:
        merged = cluster_of.get(a, {a}) | cluster_of.get(b, {b})
        for key in merged:
            cluster_of[key] = merged
    return list({id(cluster): cluster for cluster in cluster_of.values()}.values())


def _lines(session: Session) -> list[Line]:
    query = select(PartnerBank).where(PartnerBank.credit_line.is_not(None)).order_by(PartnerBank.id)
    found = []
    for bank in session.scalars(query):
        line, used = bank.credit_line or Decimal(0), exposure.line_used(session, bank)
        share = round_to(used * 100 / line, 2) if line else Decimal(100 if used else 0)
        found.append(Line(bank.id, bank.name, line, used, share))
    return sorted(found, key=lambda one: -one.share)
