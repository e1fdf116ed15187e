"""Exposure of the company: 责任余额, leverage, concentration, bank lines (融资担保公司监督管理条例, domain.md 2).

All amounts in 元. A project counts with its balance in force plus what its resolution has reserved.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from models.bank import PartnerBank
from models.base.money import FEN, format_money, round_money
from models.customer import CustomerRelation, RelationKind
from models.product import GuaranteeKind
from models.project import IssuerGrade, Project, SmallKind
from reports.figures.net_assets import net_assets
from reports.figures.parameters import number

HUNDRED = Decimal(100)
# Relations that make two customers 关联方; guaranteeing or trading with each other does not.
GROUP_KINDS = tuple(kind for kind in RelationKind if kind.binds_group)


# What decides the weight of a project, beside the total on its customer.
KEYS: Final = (
    Project.guarantee_kind, Project.small_kind, Project.is_farmer, Project.is_housing, Project.issuer_grade,
    Project.bank_share_pct,
)  # fmt: skip
SMALL_CEILING, FARMER_CEILING = "weight.small_loan_ceiling", "weight.farmer_loan_ceiling"
_TOTAL_MAX = Decimal(10) ** 15  # 元; more than any customer's total, and what every database can compare


@dataclass(frozen=True)
class Slice:
    """A sum of guarantees that weigh alike; `party_total` is all that stands on the customer.

    Where several customers are summed it is the largest of their totals: all lie on the same side of each ceiling.
    """

    guarantee_kind: GuaranteeKind
    small_kind: SmallKind
    is_farmer: bool
    is_housing: bool
    issuer_grade: IssuerGrade
    bank_share_pct: Decimal
    amount: Decimal
    party_total: Decimal

    @property
    def own_part(self) -> Decimal:
        """The company's share of the amount after the bank's."""
        return self.amount * (HUNDRED - self.bank_share_pct) / HUNDRED

    @property
    def is_favoured(self) -> bool:
        """Whether it is for a small company or a farmer."""
        return self.small_kind is not SmallKind.NONE or self.is_farmer


@dataclass(frozen=True)
class Portfolio:
    """What the company answers for: its slices, the number of customers, and of those with a favoured slice."""

    slices: tuple[Slice, ...]
    parties: int
    favoured: int

    def with_party(self, parts: Sequence[Slice]) -> "Portfolio":
        """The portfolio and the slices of one more customer."""
        total = sum((part.amount for part in parts), Decimal(0))
        more = tuple(replace(part, party_total=total) for part in parts)
        favoured = any(part.is_favoured for part in parts)
        return Portfolio(self.slices + more, self.parties + bool(parts), self.favoured + favoured)


@dataclass(frozen=True)
class Check:
    """One figure against its limit, before and after the project in question.

    `before`, `after`, `limit` and `warning` are in the same unit: times for leverage, % for concentration, 元 for
    lines.
    """

    key: str
    label: str
    before: Decimal
    after: Decimal
    limit: Decimal | None
    warning: Decimal | None
    unit: str
    note: str

    @property
    def is_over(self) -> bool:
        """Whether the figure after the project breaks its limit."""
        return self.limit is not None and self.after > self.limit

    @property
    def figure(self) -> str:
        """The figure after the project against its limit, short."""
        limit = "不限" if self.limit is None else f"{format_money(self.limit)} {self.unit}"
        return f"{format_money(self.after)} / {limit}"

    @property
    def text(self) -> str:
        """Why it is refused, or how it stands, in one line."""
        limit = "不限" if self.limit is None else f"{format_money(self.limit)}{self.unit}"
        return f"{self.label}办理后为 {format_money(self.after)}{self.unit}，限额 {limit}（{self.note}）"


def _standing(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """(customer, KEYS..., amount) of each project that the company answers for."""
    amount = (Project.balance + Project.reserved_amount).label("amount")
    counts = or_(Project.balance > 0, Project.reserved_amount > 0)
    return select(Project.customer_id, *KEYS, amount).where(counts, *where)


def by_customer(session: Session, *where: ColumnElement[bool]) -> dict[int, list[Slice]]:
    """The slices of each customer; `where` limits the projects."""
    row = _standing(*where).subquery()
    keys = [row.c[key.key] for key in (Project.customer_id, *KEYS)]
    amount = func.sum(row.c.amount)
    party_total = func.sum(amount).over(partition_by=row.c.customer_id)
    found: dict[int, list[Slice]] = defaultdict(list)
    for customer_id, *values in session.execute(select(*keys, amount, party_total).group_by(*keys)):
        found[customer_id].append(Slice(*values))
    return dict(found)


def summed(session: Session, amounts: Select[*tuple[Any, ...]], on: date) -> tuple[Slice, ...]:
    """Rows of (customer, KEYS..., amount) summed over all customers whose totals weigh alike.

    A few slices in one query, however many projects: the database sums and compares, weights are for Python.
    """
    row = amounts.subquery()
    total = func.sum(row.c.amount).over(partition_by=row.c.customer_id).label("party_total")
    part = select(row, total).subquery()
    keys = [part.c[key.key] for key in KEYS]
    bands = [part.c.party_total <= _ceiling(session, code, on) for code in (SMALL_CEILING, FARMER_CEILING)]
    query = select(*keys, func.sum(part.c.amount), func.max(part.c.party_total)).group_by(*keys, *bands)
    rows: Iterable[Any] = session.execute(query)
    return tuple(Slice(*values) for values in rows)


def _ceiling(session: Session, code: str, on: date) -> Decimal:
    """A ceiling as the database can compare it with totals, which have no fraction of a fen."""
    return max(min(number(session, code, on), _TOTAL_MAX), -FEN).quantize(FEN, ROUND_FLOOR)


def portfolio(session: Session, on: date, *where: ColumnElement[bool]) -> Portfolio:
    """What the company answers for now; `where` limits the projects."""
    row = _standing(*where).subquery()
    is_favoured = or_(row.c.small_kind != SmallKind.NONE, row.c.is_farmer)
    favoured = case((is_favoured, row.c.customer_id))
    counts = select(func.count(row.c.customer_id.distinct()), func.count(favoured.distinct()))
    return Portfolio(summed(session, _standing(*where), on), *session.execute(counts).one())


def of_project(project: Project, amount: Decimal | None = None) -> Slice:
    """The project itself as a slice, with its applied amount unless another is given."""
    own = project.amount if amount is None else amount
    return Slice(**{key.key: getattr(project, key.key) for key in KEYS}, amount=own, party_total=own)


def weight_pct(session: Session, part: Slice, on: date) -> Decimal:
    """Weight of a slice in % (国令683 配套制度二): by kind, size of the customer and total on the customer."""
    code = "weight.loan_pct"
    if part.guarantee_kind is GuaranteeKind.BOND:
        code = "weight.bond_aa_pct" if part.issuer_grade is IssuerGrade.AA_OR_ABOVE else "weight.bond_pct"
    elif part.guarantee_kind is GuaranteeKind.OTHER_FINANCING:
        code = "weight.other_financing_pct"
    elif part.is_housing:
        code = "weight.housing_pct"
    elif part.small_kind is not SmallKind.NONE and part.party_total <= number(session, SMALL_CEILING, on):
        code = "weight.small_loan_pct"
    elif part.is_farmer and part.party_total <= number(session, FARMER_CEILING, on):
        code = "weight.farmer_loan_pct"
    return number(session, code, on)


def liability(session: Session, parts: Iterable[Slice], on: date) -> Decimal:
    """融资担保责任余额: balance x own share x weight, financing kinds only."""
    found = Decimal(0)
    for part in parts:
        if part.guarantee_kind.is_financing:
            found += part.own_part * weight_pct(session, part, on) / HUNDRED
    return round_money(found)


def concentration(session: Session, parts: Iterable[Slice], on: date) -> Decimal:
    """What counts for a single party or group: own part, bonds of issuers rated AA or above at their lower weight."""
    found = Decimal(0)
    for part in parts:
        is_top = part.guarantee_kind is GuaranteeKind.BOND and part.issuer_grade is IssuerGrade.AA_OR_ABOVE
        share = number(session, "weight.bond_aa_concentration_pct", on) if is_top else HUNDRED
        if part.guarantee_kind.is_financing:
            found += part.own_part * share / HUNDRED
    return round_money(found)


def leverage_limit(session: Session, whole: Portfolio, on: date) -> Decimal:
    """10 times, or 15 where small companies and farmers make half of the balance and 80 % of the customers."""
    total = sum((p.amount for p in whole.slices), Decimal(0))
    share = sum((p.amount for p in whole.slices if p.is_favoured), Decimal(0))
    by_amount = share * HUNDRED >= total * number(session, "exposure.small_balance_min_pct", on)
    by_count = whole.favoured * HUNDRED >= whole.parties * number(session, "exposure.small_count_min_pct", on)
    is_small = total > 0 and by_amount and by_count
    return number(session, "exposure.leverage_limit_small" if is_small else "exposure.leverage_limit", on)


def group_of(session: Session, customer_id: int) -> set[int]:
    """The customer and its 关联方, followed through all relations of control and kinship."""
    found, edge = {customer_id}, {customer_id}
    while edge:
        a, b = CustomerRelation.customer_id, CustomerRelation.to_customer_id
        rows = session.execute(
            select(a, b).where(CustomerRelation.kind.in_(GROUP_KINDS), or_(a.in_(edge), b.in_(edge)))
        )
        edge = {i for pair in rows for i in pair} - found
        found |= edge
    return found


def checks(session: Session, project: Project, on: date, *, amount: Decimal | None = None) -> list[Check]:
    """Leverage, single party, related parties and bank line before and after this project, in that order."""
    mine = of_project(project, amount)
    group = group_of(session, project.customer_id)
    kin = by_customer(session, Project.customer_id.in_(group), Project.id != project.id)
    own = kin.get(project.customer_id, [])
    assets = net_assets(session, on)
    found = []
    if mine.guarantee_kind.is_financing:
        others = portfolio(session, on, Project.customer_id != project.customer_id)
        found.append(_leverage(session, others.with_party(own), others.with_party([*own, mine]), assets, on))
    related = [part for parts in kin.values() for part in parts]
    found.append(_concentration(session, "single", own, mine, assets, on))
    found.append(_concentration(session, "group", related, mine, assets, on, parties=len(group)))
    return [*found, *_bank_checks(session, project, mine.amount)]


def _leverage(session: Session, before: Portfolio, after: Portfolio, assets: Decimal, on: date) -> Check:
    earlier, later = (liability(session, whole.slices, on) for whole in (before, after))
    return Check(
        "leverage", "放大倍数", _times(earlier, assets), _times(later, assets), leverage_limit(session, after, on),
        number(session, "exposure.leverage_warning", on), "倍",
        f"责任余额 {format_money(later)} 元，净资产 {format_money(assets)} 元",
    )  # fmt: skip


def _concentration(
    session: Session, key: str, others: list[Slice], mine: Slice, assets: Decimal, on: date, *, parties: int = 1
) -> Check:
    """Of the party itself (`key` single), or of its group of so many."""
    label, words = ("单户集中度", "本户") if key == "single" else ("关联方集中度", f"{parties} 户")
    before, after = (concentration(session, parts, on) for parts in (others, [*others, mine]))
    limit, warning = (number(session, f"exposure.{key}_{word}_pct", on) for word in ("limit", "warning"))
    note = f"{words}合计 {format_money(after)} 元，净资产 {format_money(assets)} 元"
    return Check(key, label, _percent(before, assets), _percent(after, assets), limit, warning, "%", note)


# With no or negative net assets nothing may be guaranteed: the figure is then beyond every limit.
_BEYOND = Decimal(9999)


def _times(amount: Decimal, assets: Decimal) -> Decimal:
    return round_money(amount / assets) if assets > 0 else (_BEYOND if amount else Decimal(0))


def _percent(amount: Decimal, assets: Decimal) -> Decimal:
    return _times(amount * HUNDRED, assets)


def line_holder(session: Session, bank: PartnerBank) -> PartnerBank | None:
    """The bank whose line this one draws on: itself, or the first parent that has one; None without any line."""
    now: PartnerBank | None = bank
    while now is not None and now.credit_line is None:
        now = session.get(PartnerBank, now.parent_id) if now.parent_id else None
    return now


def line_used(session: Session, bank: PartnerBank, *, without: int | None = None) -> Decimal:
    """What is in force or reserved under a bank's line, branches without a line of their own included, in 元."""
    line = select(PartnerBank.id).where(PartnerBank.id == bank.id).cte("line", recursive=True)
    below = select(PartnerBank.id).join(line, PartnerBank.parent_id == line.c.id)
    line = line.union(below.where(PartnerBank.credit_line.is_(None)))
    query = select(func.sum(Project.balance), func.sum(Project.reserved_amount))
    query = query.where(Project.bank_id.in_(select(line.c.id)))
    if without is not None:
        query = query.where(Project.id != without)
    in_force, reserved = session.execute(query).one()
    return (in_force or Decimal(0)) + (reserved or Decimal(0))


def _bank_checks(session: Session, project: Project, amount: Decimal) -> list[Check]:
    bank = session.get_one(PartnerBank, project.bank_id)
    found = []
    if bank.single_limit is not None:
        note = f"{bank.name}单笔上限"
        found.append(Check("bank_single", "银行单笔", Decimal(0), amount, bank.single_limit, None, "元", note))
    holder = line_holder(session, bank)
    if holder is not None:
        used = line_used(session, holder, without=project.id)
        free = (holder.credit_line or Decimal(0)) - used
        note = f"{holder.name}授信余额 {format_money(free)} 元"
        found.append(Check("bank_line", "银行授信", used, used + amount, holder.credit_line, None, "元", note))
    return found
