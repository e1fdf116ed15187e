"""额度与集中度 (4.4): the whole company against its limits: leverage, largest customers and groups, bank lines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.base.kinds import MenuGroup, Module
from models.base.money import round_to
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from reports.base.asked import Asked
from reports.base.report import Found, Mark, Report, register, stated, words
from reports.base.report import Line as Row
from reports.base.scope import scoped
from reports.figures import exposure, relations
from reports.figures.net_assets import net_assets
from reports.figures.parameters import number

TOP = 10
HIDDEN = "其他部门客户"

_COLUMNS = (
    words("kind", "类别"),
    words("name", "名称"),
    stated("amount", "责任余额"),  # a customer stands among the largest, and in a group
    stated("share", "占比", "rate", "%"),
    stated("committed", "办理后"),
    stated("share_after", "办理后占比", "rate", "%"),
    stated("share_plain", "未加权", "rate", "%"),
    stated("limit", "上限", "rate", "%"),
    words("state", "状态"),
)
_TONES = {"超限": "bad", "办理后超限": "bad", "预警": "warn"}


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
    for members in _clusters(session, on):
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


def _clusters(session: Session, on: date) -> list[set[int]]:
    """Customers tied together by control or kinship, from one reading of all such relations."""
    rows = session.execute(relations.binding(session, on))
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


# ======================================================================================================== the report
def _told(asked: Asked) -> Found:
    found = exposure_report(asked.session, asked.actor, asked.today)
    parties = (*found.customers, *found.groups)
    over = sum(p.state in {"超限", "办理后超限"} for p in parties) + found.committed.is_over
    near = sum(p.state == "预警" for p in parties)
    marks = [Mark(f"{over} 项超限", "bad")] if over else []
    return Found(
        [_row(asked, "单户", party) for party in found.customers]
        + [_row(asked, "关联方", party) for party in found.groups],
        heading=f"最大的 {TOP} 户与关联方",
        note=f"截至营业日期 {found.on.isoformat()}",
        marks=[*marks, *([Mark(f"{near} 项预警", "warn")] if near else [])],
        source=found,
    )


def _row(asked: Asked, kind: str, party: Party) -> Row:
    share, after, plain = ("无净资产" if one is None else one for one in party.shares)
    tone, key, amounts = _TONES.get(party.state, ""), party.customer_id, party.amounts
    projects = asked.rows("project", f"customer_id:eq:{key}") if key and amounts.in_force else ""
    return Row(
        {
            "kind": kind,
            "name": party.name,
            "amount": amounts.in_force,
            "share": share,
            "committed": amounts.committed,
            "share_after": after,
            "share_plain": plain,
            "limit": party.limit,
            "state": party.state,
        },
        url=asked.record("customer", key),
        urls={"amount": projects},
        tone=tone,
        tones={
            "share": "bad" if party.state == "超限" else "",
            "share_after": tone,
            "state": tone or "ok",
        },
    )


register(
    Report(
        "exposure",
        "额度与集中度",
        Module.GUARANTEE,
        permission=("list", "project"),
        columns=_COLUMNS,
        lines=_told,
        menu=MenuGroup.RISK,
        rank=45,
        help=(
            "责任余额 = 在保余额 × 公司承担比例 × 权重（融资担保责任余额计量办法）；办理后另加有效决议的占用额；"
            "占比为占净资产，未加权为办理后不乘权重的占比；集中度见监督管理条例第十六条"
        ),
        empty="没有在保或已决议的项目",
        group_by="kind",
        has_totals=False,
        has_subtotals=False,
    )
)
