"""Exposure of the company: 责任余额, leverage, concentration, bank lines (融资担保公司监督管理条例, domain.md 2).

All amounts in 元. A project counts with its balance in force plus what its resolution has reserved.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models.bank import PartnerBank
from models.base.money import format_money, round_money
from models.customer import CustomerRelation, RelationKind
from models.product import GuaranteeKind
from models.project import IssuerGrade, Project, SmallKind
from reports.figures.net_assets import net_assets
from reports.figures.parameters import number

HUNDRED = Decimal(100)
# Relations that make two customers 关联方; guaranteeing or trading with each other does not.
GROUP_KINDS = tuple(kind for kind in RelationKind if kind.binds_group)


@dataclass(frozen=True)
class Slice:
    """Sums of projects that weigh alike."""

    customer_id: int
    guarantee_kind: GuaranteeKind
    small_kind: SmallKind
    is_farmer: bool
    is_housing: bool
    issuer_grade: IssuerGrade
    bank_share_pct: Decimal
    amount: Decimal

    @property
    def own_part(self) -> Decimal:
        """The company's share of the amount after the bank's."""
        return self.amount * (HUNDRED - self.bank_share_pct) / HUNDRED


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


def slices(session: Session, *, without: int | None = None) -> list[Slice]:
    """What the company answers for, summed by customer and by all that decides the weight."""
    keys = (
        Project.customer_id, Project.guarantee_kind, Project.small_kind, Project.is_farmer, Project.is_housing,
        Project.issuer_grade, Project.bank_share_pct,
    )  # fmt: skip
    query = select(*keys, func.sum(Project.balance), func.sum(Project.reserved_amount)).group_by(*keys)
    query = query.where(or_(Project.balance > 0, Project.reserved_amount > 0))
    if without is not None:
        query = query.where(Project.id != without)
    return [Slice(*row[:-2], amount=row[-2] + row[-1]) for row in session.execute(query)]


def of_project(project: Project, amount: Decimal | None = None) -> Slice:
    """The project itself as a slice, with its applied amount unless another is given."""
    return Slice(
        project.customer_id, project.guarantee_kind, project.small_kind, project.is_farmer, project.is_housing,
        project.issuer_grade, project.bank_share_pct, project.amount if amount is None else amount,
    )  # fmt: skip


def weight_pct(session: Session, part: Slice, party_total: Decimal, on: date) -> Decimal:
    """Weight of a slice in % (国令683 配套制度二): by kind, size of the customer and total on the customer."""
    code = "weight.loan_pct"
    if part.guarantee_kind is GuaranteeKind.BOND:
        code = "weight.bond_aa_pct" if part.issuer_grade is IssuerGrade.AA_OR_ABOVE else "weight.bond_pct"
    elif part.guarantee_kind is GuaranteeKind.OTHER_FINANCING:
        code = "weight.other_financing_pct"
    elif part.is_housing:
        code = "weight.housing_pct"
    elif part.small_kind is not SmallKind.NONE and party_total <= number(session, "weight.small_loan_ceiling", on):
        code = "weight.small_loan_pct"
    elif part.is_farmer and party_total <= number(session, "weight.farmer_loan_ceiling", on):
        code = "weight.farmer_loan_pct"
    return number(session, code, on)


def liability(session: Session, parts: Iterable[Slice], on: date) -> Decimal:
    """融资担保责任余额: balance x own share x weight, financing kinds only."""
    parts = list(parts)
    totals: dict[int, Decimal] = defaultdict(Decimal)
    for part in parts:
        totals[part.customer_id] += part.amount
    found = Decimal(0)
    for part in parts:
        if part.guarantee_kind.is_financing:
            found += part.own_part * weight_pct(session, part, totals[part.customer_id], on) / HUNDRED
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


def leverage_limit(session: Session, parts: list[Slice], on: date) -> Decimal:
    """10 times, or 15 where small companies and farmers make half of the balance and 80 % of the customers."""
    total = sum((p.amount for p in parts), Decimal(0))
    favoured = [p for p in parts if p.small_kind is not SmallKind.NONE or p.is_farmer]
    share = sum((p.amount for p in favoured), Decimal(0))
    parties, small = {p.customer_id for p in parts}, {p.customer_id for p in favoured}
    by_amount = number(session, "exposure.small_balance_min_pct", on)
    by_count = number(session, "exposure.small_count_min_pct", on)
    is_small = total > 0 and share * HUNDRED >= total * by_amount and len(small) * HUNDRED >= len(parties) * by_count
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
    others = slices(session, without=project.id)
    assets = net_assets(session, on)
    found = [_leverage(session, others, mine, assets, on)] if mine.guarantee_kind.is_financing else []
    found += _concentrations(session, others, mine, assets, on)
    return [*found, *_bank_checks(session, project, mine.amount)]


def _leverage(session: Session, others: list[Slice], mine: Slice, assets: Decimal, on: date) -> Check:
    before, after = (liability(session, parts, on) for parts in (others, [*others, mine]))
    return Check(
        "leverage", "放大倍数", _times(before, assets), _times(after, assets),
        leverage_limit(session, [*others, mine], on), number(session, "exposure.leverage_warning", on), "倍",
        f"责任余额 {format_money(after)} 元，净资产 {format_money(assets)} 元",
    )  # fmt: skip


def _concentrations(
    session: Session, others: list[Slice], mine: Slice, assets: Decimal, on: date
) -> list[Check]:
    group = group_of(session, mine.customer_id)
    sets = (
        (
            "single",
            "单户集中度",
            {mine.customer_id},
            "exposure.single_limit_pct",
            "exposure.single_warning_pct",
            "本户",
        ),
        ("group", "关联方集中度", group, "exposure.group_limit_pct", "exposure.group_warning_pct", f"{len(group)} 户"),
    )
    found = []
    for key, label, parties, limit, warning, words in sets:
        parts = [p for p in others if p.customer_id in parties]
        before, after = (concentration(session, x, on) for x in (parts, [*parts, mine]))
        note = f"{words}合计 {format_money(after)} 元，净资产 {format_money(assets)} 元"
        found.append(
            Check(key, label, _percent(before, assets), _percent(after, assets), number(session, limit, on),
                  number(session, warning, on), "%", note)
        )  # fmt: skip
    return found


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

