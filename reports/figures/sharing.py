"""分险 (4.10): who bears what of a project, which schemes admit it, and how a bank's batches have fared under one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from models.base.columns import Money
from models.base.money import apportion, format_money, round_to
from models.customer.partner import GuaranteeCompany
from models.guarantee.bank import PartnerBank
from models.guarantee.project import REPLACING, Project
from models.guarantee.scheme import (
    BreakerBasis,
    RuleUse,
    SchemeBank,
    SchemeProduct,
    SchemeRule,
    SchemeState,
    SharingParty,
    SharingScheme,
)
from models.guarantee.sharing import ProjectShare
from reports.figures import replaced, turnover
from reports.figures.admission import weigh

HUNDRED, ZERO = Decimal(100), Decimal(0)
_EVER = date(1900, 1, 1)


@dataclass(frozen=True)
class Portion:
    """What a party bears of the risk and gets of the fee, in %."""

    party: SharingParty
    company: GuaranteeCompany | None
    share_pct: Decimal
    fee_share_pct: Decimal

    @property
    def name(self) -> str:
        """The party, with the company that it is."""
        return f"{self.party.label} {self.company.name}" if self.company else self.party.label


def portions(session: Session, project: Project) -> list[Portion]:
    """Who bears what: as fixed at the drawdown; until then as its scheme says; without one the bank and the company."""
    fixed = select(ProjectShare).where(ProjectShare.project_id == (project.id or 0))
    query = fixed.options(joinedload(ProjectShare.company)).order_by(ProjectShare.id)
    if rows := session.scalars(query).all():
        return in_order(rows)
    return agreed(session, project.scheme_id, project.bank_share_pct)


def agreed(session: Session, scheme_id: int | None, bank_share_pct: Decimal) -> list[Portion]:
    """Who bears what by a scheme, or between the bank and the company alone."""
    if scheme_id is not None:
        return in_order(session.get_one(SharingScheme, scheme_id).shares)
    own = HUNDRED - bank_share_pct
    return [
        Portion(SharingParty.BANK, None, bank_share_pct, ZERO),
        Portion(SharingParty.OWN, None, own, HUNDRED),
    ]


def in_order(rows: Sequence[Any]) -> list[Portion]:
    """Rows of shares as portions, in the order of the parties."""
    places = list(SharingParty)
    found = [Portion(row.party, row.company, row.share_pct, row.fee_share_pct) for row in rows]
    return sorted(found, key=lambda one: places.index(one.party))


def split(shared: Sequence[Portion], amount: Decimal) -> list[Decimal]:
    """What each party bears of an amount of risk, exact to the fen."""
    return apportion(amount, [one.share_pct for one in shared])


def split_fee(shared: Sequence[Portion], amount: Decimal) -> list[Decimal]:
    """What each party gets of a fee, exact to the fen."""
    return apportion(amount, [one.fee_share_pct for one in shared])


# -------------------------------------------------------------------------------------------------------- admission
def entry_of(session: Session, scheme: SharingScheme, bank: PartnerBank) -> SchemeBank | None:
    """The line of a scheme for a bank: its own, or that of the first parent which has one."""
    by_bank = {entry.bank_id: entry for entry in scheme.banks}
    now: PartnerBank | None = bank
    while now is not None and now.id not in by_bank:
        now = session.get(PartnerBank, now.parent_id) if now.parent_id else None
    return by_bank[now.id] if now is not None else None


def is_valid_on(scheme: SharingScheme, on: date) -> bool:
    """Whether applications may come under it on a day."""
    is_begun = scheme.valid_from <= on <= (scheme.valid_to or on)
    return scheme.state is SchemeState.ACTIVE and is_begun


def offered(session: Session, product_id: int, bank: PartnerBank, on: date) -> list[SharingScheme]:
    """The schemes that admit a product and a bank on a day."""
    query = (
        select(SharingScheme)
        .join(SchemeProduct, SchemeProduct.scheme_id == SharingScheme.id)
        .where(
            SharingScheme.state == SchemeState.ACTIVE,
            SharingScheme.valid_from <= on,
            or_(SharingScheme.valid_to.is_(None), SharingScheme.valid_to >= on),
            SchemeProduct.product_id == product_id,
        )
    )
    found = session.scalars(query.order_by(SharingScheme.code)).all()
    return [scheme for scheme in found if entry_of(session, scheme, bank) is not None]


def now_valid(session: Session, scheme_id: int | None, on: date) -> int | None:
    """The version of a scheme under which applications come on a day; None where there is none."""
    if scheme_id is None:
        return None
    code = session.get_one(SharingScheme, scheme_id).code
    query = select(SharingScheme).where(
        SharingScheme.code == code, SharingScheme.state == SchemeState.ACTIVE
    )
    found = session.scalars(query).first()
    return found.id if found is not None and is_valid_on(found, on) else None


@dataclass(frozen=True)
class RuleAnswer:
    """What a condition of a scheme came to, with the values in words."""

    rule: SchemeRule
    is_met: bool
    told: str


def rule_answers(
    session: Session, project: Project, scheme: SharingScheme, use: RuleUse, on: date
) -> list[RuleAnswer]:
    """Every condition of a scheme of that use, asked of a project; what cannot be known is not met."""
    rules = [rule for rule in scheme.rules if rule.use is use]
    if not rules:
        return []
    weighed = weigh(session, project, on, [rule.condition for rule in rules])
    return [
        RuleAnswer(rule, bool(held), told)
        for rule, (held, told) in zip(rules, weighed, strict=True)
    ]


def on_customer(
    session: Session, scheme: SharingScheme, project: Project, amount: Decimal
) -> tuple[Decimal, Decimal, Decimal]:
    """(in force, with what is reserved, and with this project) on its customer under a scheme's versions, in 元.

    A renewal counts only with what it goes beyond the loan whose place it takes; side by side both count.
    """
    versions = select(SharingScheme.id).where(SharingScheme.code == scheme.code)
    former = aliased(Project)
    figures = (
        func.sum(Project.balance),
        func.sum(Project.reserved_amount),
        func.sum(replaced.kept(former), type_=Money()),
    )
    query = (
        select(*figures)
        .outerjoin(former, replaced.is_former(former, Project.scheme_id, versions))
        .where(
            Project.customer_id == project.customer_id,
            Project.scheme_id.in_(versions),
            Project.id != (project.id or 0),
        )
    )
    in_force, reserved, twice = (found or ZERO for found in session.execute(query).one())
    before = in_force + reserved - twice
    return in_force, before, before + amount - _replaced(session, scheme, project, amount)


def _replaced(
    session: Session, scheme: SharingScheme, project: Project, amount: Decimal
) -> Decimal:
    """What of an amount takes the place of a loan that counts under the same scheme, in 元."""
    if project.renewal_kind not in REPLACING or project.renewed_from_id is None:
        return ZERO
    former = session.get_one(Project, project.renewed_from_id)
    if former.scheme_id is None:
        return ZERO
    is_under = session.get_one(SharingScheme, former.scheme_id).code == scheme.code
    return min(former.balance, amount) if is_under else ZERO


def over_cap(session: Session, entry: SchemeBank, project: Project, others: Decimal = ZERO) -> str:
    """What is wrong where a customer would have more under a scheme than its cap at a bank; '' where nothing is.

    `others` is what else is on its way to the customer, in 元.
    """
    if entry.customer_cap is None:
        return ""
    _, before, after = on_customer(session, entry.scheme, project, project.amount)
    before, after = before + others, after + others
    if after <= entry.customer_cap:
        return ""
    figures = [format_money(one) for one in (after, before, entry.customer_cap)]
    return f"在“{entry.scheme.name}”下合计 {figures[0]} 元（已有 {figures[1]} 元），单户上限 {figures[2]} 元"


# ------------------------------------------------------------------------------------------- 代偿率
@dataclass(frozen=True)
class Breaker:
    """代偿率 of a bank under a scheme against its cap, with the figures in 元."""

    entry: SchemeBank
    basis: BreakerBasis
    compensated: Decimal
    released: Decimal

    @property
    def rate_pct(self) -> Decimal:
        """代偿 / 解除 in %, 解除 with 代偿; nothing where nothing was released."""
        return round_to(self.compensated * HUNDRED / self.released, 4) if self.released else ZERO

    @property
    def is_broken(self) -> bool:
        """Whether the bank's next batch must wait: at the cap or over it."""
        return self.compensated > 0 and self.rate_pct >= self.entry.breaker_pct

    @property
    def text(self) -> str:
        """The figures in one line."""
        rate, cap = (f"{one.normalize():f}%" for one in (self.rate_pct, self.entry.breaker_pct))
        return (
            f"{self.entry.bank.name}在“{self.entry.scheme.name}”下{self.basis.label}代偿率 {rate}"
            f"（代偿 {format_money(self.compensated)} 元 / 解除 {format_money(self.released)} 元），上限 {cap}"
        )


def breaker(session: Session, scheme: SharingScheme, entry: SchemeBank, on: date) -> Breaker:
    """How a bank has fared under all versions of a scheme, what was there before the system included."""
    is_year = scheme.breaker_basis is BreakerBasis.YEAR
    after = date(on.year - 1, 12, 31) if is_year else _EVER
    opening, opening_released = entry.opening_compensated, entry.opening_released
    if is_year and (entry.opening_on is None or entry.opening_on.year != on.year):
        opening = opening_released = ZERO
    banks = _banks_of(session, scheme, entry)
    versions = select(SharingScheme.id).where(SharingScheme.code == scheme.code)

    def total(queries: list[Select[Any]]) -> Decimal:
        mine = [Project.scheme_id.in_(versions), Project.bank_id.in_(banks)]
        return sum((session.scalar(query.where(*mine)) or ZERO for query in queries), ZERO)

    compensated = opening + total(turnover.compensated(after, on))
    # 代偿 of the system's own is no repayment and no release yet; the opening figure holds it already.
    released = opening_released + total(turnover.released(after, on)) + compensated - opening
    return Breaker(entry, scheme.breaker_basis, compensated, released)


def _banks_of(session: Session, scheme: SharingScheme, entry: SchemeBank) -> set[int]:
    """The bank of a line and its branches that have no line of their own."""
    others = {one.bank_id for one in scheme.banks} - {entry.bank_id}
    found, edge = {entry.bank_id}, {entry.bank_id}
    while edge:
        below = select(PartnerBank.id).where(PartnerBank.parent_id.in_(edge))
        edge = set(session.scalars(below)) - found - others
        found |= edge
    return found


# --------------------------------------------------------------------------------------------------------- exposure
@dataclass(frozen=True)
class Borne:
    """在保余额 of projects that are shared alike, and what each party bears of it."""

    scheme: SharingScheme | None
    count: int
    total: Decimal
    parts: tuple[tuple[Portion, Decimal], ...]

    def of(self, party: SharingParty) -> Decimal:
        """What a party bears of it."""
        return sum((amount for one, amount in self.parts if one.party is party), ZERO)


def borne(session: Session, query: Select[*tuple[Any, ...]]) -> list[Borne]:
    """What stands in force among the projects of a query over `Project`, by who bears it; exact in each group."""
    keys = (Project.scheme_id, Project.bank_share_pct)
    figures = (func.count(Project.id), func.sum(Project.balance))
    rows = session.execute(
        query.with_only_columns(*keys, *figures).where(Project.balance > 0).group_by(*keys)
    )
    found = []
    for scheme_id, bank_pct, count, total in rows:
        scheme = session.get(SharingScheme, scheme_id) if scheme_id else None
        shared = agreed(session, scheme_id, bank_pct)  # a version in use never changes
        parts = tuple(zip(shared, split(shared, total), strict=True))
        found.append(Borne(scheme, count, total, parts))
    return sorted(found, key=lambda one: -one.total)
