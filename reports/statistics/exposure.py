"""额度与集中度 (4.4): the whole company against its limits: leverage, largest customers and groups, bank lines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.base.money import round_to
from models.customer.customer import Customer, CustomerRelation
from models.guarantee.bank import PartnerBank
from reports.base.export import ExportColumn
from reports.base.scope import scoped
from reports.figures import exposure
from reports.figures.net_assets import net_assets
from reports.figures.parameters import number

TOP = 10
HIDDEN = "其他部门客户"

COLUMNS = (
    ExportColumn("kind", "类别"),
    ExportColumn("name", "名称"),
    ExportColumn("amount", "责任余额", "money", "元"),
    ExportColumn("share", "占比", "rate", "%"),
    ExportColumn("committed", "办理后", "money", "元"),
    ExportColumn("share_after", "办理后占比", "rate", "%"),
    ExportColumn("share_plain", "未加权", "rate", "%"),
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
class Figures:
    """责任余额 of a party in 元: in force, with what is reserved (办理后), and of both without weights."""

    in_force: Decimal
    committed: Decimal
    unweighted: Decimal

    def __add__(self, other: "Figures") -> "Figures":
        """Of two parties together."""
        return Figures(
            self.in_force + other.in_force,
            self.committed + other.committed,
            self.unweighted + other.unweighted,
        )


@dataclass(frozen=True)
class Party:
    """A customer or a group with what the company answers for, and % of net assets (None: no net assets)."""

    name: str
    customer_id: int | None
    members: int
    amounts: Figures
    assets: Decimal
    limit: Decimal
    warning: Decimal

    @property
    def shares(self) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """% of net assets: in force (by law), with what is reserved, and that without weights."""
        own = self.amounts
        amounts = (own.in_force, own.committed, own.unweighted)
        first, after, plain = (_ratio(amount * 100, self.assets) for amount in amounts)
        return first, after, plain

    @property
    def state(self) -> str:
        """超限, 办理后超限, 预警 or 正常."""
        share, after, _ = self.shares
        if share is None or after is None or share > self.limit:
            return "超限"
        if after > self.limit:
            return "办理后超限"
        return "预警" if after > self.warning else "正常"


@dataclass(frozen=True)
class Line:
    """A bank's line in 元: in force under it and reserved; `share` is % used by both."""

    bank_id: int
    name: str
    line: Decimal
    in_force: Decimal
    reserved: Decimal
    share: Decimal

    @property
    def used(self) -> Decimal:
        """What is in force or reserved."""
        return self.in_force + self.reserved

    @property
    def free(self) -> Decimal:
        """What is left, negative when overdrawn."""
        return self.line - self.used


@dataclass(frozen=True)
class Leverage:
    """责任余额 in 元 and times net assets (None without positive net assets), against its limit."""

    liability: Decimal
    total: Decimal
    times: Decimal | None
    limit: Decimal

    @property
    def is_over(self) -> bool:
        """Whether it breaks its limit."""
        return self.liability > 0 if self.times is None else self.times > self.limit


@dataclass(frozen=True)
class Exposure:
    """The report on one day: leverage by law (in force) and with what is reserved."""

    on: date
    net_assets: Decimal
    in_force: Leverage
    committed: Leverage
    leverage_warning: Decimal
    customers: list[Party]
    groups: list[Party]
    lines: list[Line]


def exposure_report(session: Session, actor: Actor, on: date) -> Exposure:
    """The figures of the whole company; names of customers outside the reader's scope are left out."""
    whole = exposure.portfolio(session, on)
    assets = net_assets(session, on)
    amounts = _amounts(session, on)
    name_of = _names(session, actor, amounts)
    return Exposure(
        on=on,
        net_assets=assets,
        in_force=_leverage(session, whole.in_force, assets, on),
        committed=_leverage(session, whole.committed, assets, on),
        leverage_warning=number(session, "exposure.leverage_warning", on),
        customers=_customers(session, on, amounts, assets, name_of),
        groups=_groups(session, on, amounts, assets, name_of),
        lines=_lines(session),
    )


def _leverage(session: Session, whole: exposure.Portfolio, assets: Decimal, on: date) -> Leverage:
    found = exposure.liability(session, whole.slices, on)
    return Leverage(
        found, whole.total, _ratio(found, assets), exposure.leverage_limit(session, whole, on)
    )


def _amounts(session: Session, on: date) -> dict[int, Figures]:
    in_force, committed = exposure.by_customer(session, on)
    return {
        key: Figures(
            exposure.concentration(session, in_force.get(key, ()), on),
            exposure.concentration(session, parts, on),
            exposure.unweighted(parts),
        )
        for key, parts in committed.items()
    }


_NOTHING = Figures(Decimal(0), Decimal(0), Decimal(0))
Names = Callable[[int], tuple[str, int | None]]


def _names(session: Session, actor: Actor, ids: Iterable[int]) -> Names:
    query = scoped(select(Customer.id, Customer.name).where(Customer.id.in_(ids)), Customer, actor)
    known = {row[0]: row[1] for row in session.execute(query)}
    return lambda key: (known[key], key) if key in known else (HIDDEN, None)


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    if whole > 0:
        return round_to(part / whole, 2)
    return None if part else Decimal(0)


def _customers(
    session: Session, on: date, amounts: dict[int, Figures], assets: Decimal, name_of: Names
) -> list[Party]:
    limit, warning = (
        number(session, f"exposure.single_{word}_pct", on) for word in ("limit", "warning")
    )
    largest = sorted(amounts.items(), key=lambda pair: (-pair[1].committed, pair[0]))[:TOP]
    return [
        Party(*name_of(key), 1, own, assets, limit, warning)
        for key, own in largest
        if own.committed
    ]


def _groups(
    session: Session, on: date, amounts: dict[int, Figures], assets: Decimal, name_of: Names
) -> list[Party]:
    """Groups of two and more parties; one is called by its member with the largest amount."""
    limit, warning = (
        number(session, f"exposure.group_{word}_pct", on) for word in ("limit", "warning")
    )
    found = []
    for members in _clusters(session):
        own = {key: amounts[key] for key in members if key in amounts}
        total = sum(own.values(), _NOTHING)
        if not total.committed:
            continue
        first = max(own, key=lambda key: (own[key].committed, -key))
        name, customer_id = name_of(first)
        label = f"{name} 等 {len(members)} 户"
        found.append(
            Party(
                label,
                customer_id,
                len(members),
                amounts=total,
                assets=assets,
                limit=limit,
                warning=warning,
            )
        )
    return sorted(found, key=lambda party: -party.amounts.committed)[:TOP]


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
        line, (in_force, reserved) = (
            bank.credit_line or Decimal(0),
            exposure.line_used(session, bank),
        )
        used = in_force + reserved
        share = round_to(used * 100 / line, 2) if line else Decimal(100 if used else 0)
        found.append(Line(bank.id, bank.name, line, in_force, reserved, share))
    return sorted(found, key=lambda one: -one.share)
