"""Exposure of the company: 责任余额, leverage, concentration, bank lines (融资担保公司监督管理条例, domain.md 2).

All amounts in 元. The legal figure counts what is in force; a limit is decided by it together with what valid
resolutions have reserved and the project in question (办理后).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from models.base.columns import Money
from models.base.money import FEN, format_money, round_money
from models.guarantee.bank import PartnerBank
from models.guarantee.product import FINANCING, GuaranteeKind
from models.guarantee.project import REPLACING, IssuerGrade, Project, SmallKind
from models.guarantee.scheme import SharingScheme
from reports.figures import maximums, quotas, relations, replaced, sharing
from reports.figures.net_assets import net_assets
from reports.figures.parameters import flag, number, value

HUNDRED = Decimal(100)


# What decides the weight of a project, beside the total on its customer.
KEYS: Final = (
    Project.guarantee_kind,
    Project.small_kind,
    Project.is_farmer,
    Project.is_housing,
    Project.issuer_grade,
    Project.bank_share_pct,
)
SMALL_CEILING, FARMER_CEILING = "weight.small_loan_ceiling", "weight.farmer_loan_ceiling"
# 元; more than any customer's total, and what every database can compare
_TOTAL_MAX = Decimal(10) ** 15


@dataclass(frozen=True)
class Slice:
    """A sum of guarantees that weigh alike; `party_total` is all the 融资担保 that stands on the customer.

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
        """Whether it is 融资担保 for a small company or a farmer."""
        return self.guarantee_kind.is_financing and (
            self.small_kind is not SmallKind.NONE or self.is_farmer
        )


Slices = tuple[Slice, ...]


def _slice(keys: Sequence[Any], amount: Decimal, party_total: Decimal) -> Slice:
    """A slice of a row that begins with KEYS."""
    named = dict(zip((key.key for key in KEYS), keys, strict=False))
    return Slice(**named, amount=amount, party_total=party_total)


@dataclass(frozen=True)
class Portfolio:
    """What the company answers for: its slices, its customers of 融资担保, and those of them with a favoured slice."""

    slices: Slices
    parties: int
    favoured: int

    @property
    def total(self) -> Decimal:
        """担保余额 of all kinds, the bank's share included."""
        return sum((part.amount for part in self.slices), Decimal(0))

    def with_party(self, parts: Sequence[Slice]) -> "Portfolio":
        """The portfolio and the slices of one more customer, which know their total."""
        financing = any(part.guarantee_kind.is_financing for part in parts)
        favoured = any(part.is_favoured for part in parts)
        return Portfolio((*self.slices, *parts), self.parties + financing, self.favoured + favoured)


@dataclass(frozen=True)
class Standing:
    """What the company answers for: in force, and with what valid resolutions have reserved."""

    in_force: Portfolio
    committed: Portfolio


# With no or negative net assets nothing may be guaranteed: the figure is then beyond every limit.
BEYOND = Decimal(9999)
WHERE_ASSETS = "请在“期初余额”导入期初余额，或在“系统参数”的“净资产（留空取总账）”填写后再办理"


@dataclass(frozen=True)
class Check:
    """One figure against its limit: as it is in force now, and after the project with all that is reserved.

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
    def lacks_assets(self) -> bool:
        """Whether there are no net assets to measure by."""
        return self.unit in {"倍", "%"} and self.after == BEYOND

    @property
    def advice(self) -> str:
        """What it was measured from, and what to enter where that is missing."""
        return f"{self.note}。{WHERE_ASSETS}" if self.lacks_assets else self.note

    @property
    def figure(self) -> str:
        """The figure after the project against its limit, short."""
        if self.lacks_assets:
            return "净资产未录入"
        limit = "不限" if self.limit is None else f"{format_money(self.limit)} {self.unit}"
        return f"{format_money(self.after)} / {limit}"

    @property
    def text(self) -> str:
        """Why it is refused, or how it stands, in one line."""
        if self.lacks_assets:
            return f"{self.label}无法计算：{self.advice}"
        limit = "不限" if self.limit is None else f"{format_money(self.limit)}{self.unit}"
        return f"{self.label}办理后为 {format_money(self.after)}{self.unit}，限额 {limit}（{self.note}）"


@dataclass(frozen=True)
class Replacing:
    """That a project which is asked about takes the place of another one's loan, up to an amount in 元 (4.12)."""

    project_id: int
    former_id: int
    amount: Decimal


def replacing(project: Project, amount: Decimal | None = None) -> Replacing | None:
    """Whose loan a renewal takes the place of; None where both stand side by side, or the former is repaid."""
    if project.renewal_kind not in REPLACING or project.renewed_from_id is None:
        return None
    own = project.amount if amount is None else amount
    return Replacing(project.id, project.renewed_from_id, own)


def _replaced(taken: Replacing | None) -> Any:
    """By former project, what reserved renewals take over of it; they will never stand beside its loan."""
    query = select(
        Project.renewed_from_id.label("former_id"), func.sum(Project.reserved_amount).label("total")
    ).where(Project.renewal_kind.in_(REPLACING), Project.reserved_amount > 0)
    if taken is not None:
        query = query.where(Project.id != taken.project_id)
    return query.group_by(Project.renewed_from_id).subquery()


def _standing(
    *where: ColumnElement[bool], taken: Replacing | None = None
) -> Select[*tuple[Any, ...]]:
    """(customer, KEYS..., in force, with what is reserved) of each project that the company answers for.

    Of a loan whose place a renewal will take only what the renewal leaves over counts as committed.
    """
    over = _replaced(taken)
    total: Any = func.coalesce(over.c.total, literal(Decimal(0), Money()), type_=Money())
    if taken is not None:
        mine = literal(taken.amount, Money())
        total = case((Project.id == taken.former_id, mine), else_=total)
    left = case(
        (Project.balance > total, Project.balance - total), else_=literal(Decimal(0), Money())
    )
    committed = (left + Project.reserved_amount).label("committed")
    counts = or_(Project.balance > 0, Project.reserved_amount > 0)
    query = select(Project.customer_id, *KEYS, Project.balance.label("in_force"), committed)
    return query.outerjoin(over, over.c.former_id == Project.id).where(counts, *where)


def by_customer(
    session: Session, on: date, *where: ColumnElement[bool], taken: Replacing | None = None
) -> tuple[dict[int, Slices], dict[int, Slices]]:
    """The slices of each customer, in force and committed; `where` limits the projects."""
    row = _standing(*where, taken=taken).subquery()
    keys = [row.c[key.key] for key in (Project.customer_id, *KEYS)]
    measures = [func.sum(row.c[name]) for name in ("in_force", "committed")]
    found: tuple[dict[int, list[Slice]], ...] = (defaultdict(list), defaultdict(list))
    for customer_id, *values in session.execute(select(*keys, *measures).group_by(*keys)):
        for parties, amount in zip(found, values[-2:], strict=True):
            if amount:
                parties[customer_id].append(_slice(values, amount, amount))
    in_force, committed = (
        {key: totalled(session, parts, on) for key, parts in one.items()} for one in found
    )
    return in_force, committed


def totalled(session: Session, parts: Iterable[Slice], on: date) -> Slices:
    """The slices of one customer, each knowing what stands on the customer for the ceilings of the weights."""
    parts = tuple(parts)
    financing = [part for part in parts if part.guarantee_kind.is_financing]
    after_share = _is_after_share(session, on)
    total = sum((part.own_part if after_share else part.amount for part in financing), Decimal(0))
    return tuple(replace(part, party_total=total) for part in parts)


def _is_after_share(session: Session, on: date) -> bool:
    """Whether 单户在保余额 is what is left to the company after the bank's share."""
    return value(session, "weight.ceiling_basis", on) == "AFTER_SHARE"


def summed(session: Session, amounts: Select[*tuple[Any, ...]], on: date) -> list[Slices]:
    """Rows of (customer, KEYS..., measures...) summed over all customers whose totals weigh alike, by measure.

    A few slices in one query, however many projects: the database sums and compares, weights are for Python.
    """
    row = amounts.subquery()
    measures = [
        column for column in row.c if column.key not in {"customer_id", *(key.key for key in KEYS)}
    ]
    if _is_after_share(session, on):
        return [_by_own_part(session, row, measure, on) for measure in measures]
    totals = [_party_total(row, measure).label(f"{measure.key}_total") for measure in measures]
    part = select(row, *totals).subquery()
    keys = [part.c[key.key] for key in KEYS]
    ceilings = [_ceiling(session, code, on) for code in (SMALL_CEILING, FARMER_CEILING)]
    bands = [part.c[total.key] <= ceiling for total in totals for ceiling in ceilings]
    figures = [
        figure
        for measure, total in zip(measures, totals, strict=True)
        for figure in (func.sum(part.c[measure.key]), func.max(part.c[total.key]))
    ]
    rows = session.execute(select(*keys, *figures).group_by(*keys, *bands)).all()
    return [tuple(_slices(rows, len(keys) + 2 * position)) for position in range(len(measures))]


def _party_total(row: Any, measure: Any) -> Any:
    financing = case(
        (row.c.guarantee_kind.in_(FINANCING), measure), else_=literal(Decimal(0), Money())
    )
    return func.sum(financing).over(partition_by=row.c.customer_id)


def _slices(rows: Sequence[Any], place: int) -> Iterator[Slice]:
    """Slices of the amount at a place of the rows, with the total behind it."""
    for values in rows:
        if values[place]:
            yield _slice(values, values[place], values[place + 1])


def _by_own_part(session: Session, row: Any, measure: Any, on: date) -> Slices:
    """The same in Python: the database cannot multiply by the share exactly."""
    keys = [row.c.customer_id, *(row.c[key.key] for key in KEYS)]
    parties: dict[int, list[Slice]] = defaultdict(list)
    for customer_id, *values in session.execute(select(*keys, func.sum(measure)).group_by(*keys)):
        if values[-1]:
            parties[customer_id].append(_slice(values, values[-1], values[-1]))
    return tuple(part for parts in parties.values() for part in totalled(session, parts, on))


def _ceiling(session: Session, code: str, on: date) -> Decimal:
    """A ceiling as the database can compare it with totals, which have no fraction of a fen."""
    return max(min(number(session, code, on), _TOTAL_MAX), -FEN).quantize(FEN, ROUND_FLOOR)


def portfolio(session: Session, on: date, *where: ColumnElement[bool]) -> Standing:
    """What the company answers for now; `where` limits the projects."""
    row = _standing(Project.guarantee_kind.in_(FINANCING), *where).subquery()
    is_favoured = or_(row.c.small_kind != SmallKind.NONE, row.c.is_farmer)
    in_force = case((row.c.in_force > 0, row.c.customer_id))
    favoured = case((is_favoured, row.c.customer_id))
    both = case((is_favoured, in_force))
    counts = (func.count(who.distinct()) for who in (in_force, both, row.c.customer_id, favoured))
    parties = session.execute(select(*counts)).one()
    now, committed = summed(session, _standing(*where), on)
    return Standing(
        Portfolio(now, parties[0], parties[1]), Portfolio(committed, parties[2], parties[3])
    )


def of_project(project: Project, amount: Decimal | None = None) -> Slice:
    """The project itself as a slice, with its applied amount unless another is given."""
    own = project.amount if amount is None else amount
    return Slice(
        **{key.key: getattr(project, key.key) for key in KEYS}, amount=own, party_total=own
    )


def weight_pct(session: Session, part: Slice, on: date) -> Decimal:
    """Weight of a slice in % (融资担保责任余额计量办法): by kind, size of the customer and total on the customer."""
    code = "weight.loan_pct"
    if not part.guarantee_kind.is_financing:
        code = "weight.non_financing_pct"
    elif part.guarantee_kind is GuaranteeKind.BOND:
        code = (
            "weight.bond_aa_pct"
            if part.issuer_grade is IssuerGrade.AA_OR_ABOVE
            else "weight.bond_pct"
        )
    elif part.guarantee_kind is GuaranteeKind.OTHER_FINANCING:
        code = "weight.other_financing_pct"
    elif part.is_housing:
        code = "weight.housing_pct"
    elif part.small_kind is not SmallKind.NONE and part.party_total <= number(
        session, SMALL_CEILING, on
    ):
        code = "weight.small_loan_pct"
    elif part.is_farmer and part.party_total <= number(session, FARMER_CEILING, on):
        code = "weight.farmer_loan_pct"
    return number(session, code, on)


def liability(
    session: Session, parts: Iterable[Slice], on: date, *, of_all_kinds: bool = False
) -> Decimal:
    """担保责任余额: balance x own share x weight; of 融资担保 alone unless all kinds are asked for."""
    found = Decimal(0)
    for part in parts:
        if of_all_kinds or part.guarantee_kind.is_financing:
            found += part.own_part * weight_pct(session, part, on) / HUNDRED
    return round_money(found)


def concentration(session: Session, parts: Iterable[Slice], on: date) -> Decimal:
    """融资担保责任余额 of a party or group for 第十六条: bonds of issuers rated AA or above weigh less there."""
    found = Decimal(0)
    for part in parts:
        is_top = (
            part.guarantee_kind is GuaranteeKind.BOND
            and part.issuer_grade is IssuerGrade.AA_OR_ABOVE
        )
        weight = (
            number(session, "weight.bond_aa_concentration_pct", on)
            if is_top
            else weight_pct(session, part, on)
        )
        if part.guarantee_kind.is_financing:
            found += part.own_part * weight / HUNDRED
    return round_money(found)


def unweighted(parts: Iterable[Slice]) -> Decimal:
    """The company's part of the 融资担保 of a party or group, without weights: what its own rule may limit."""
    return round_money(
        sum((part.own_part for part in parts if part.guarantee_kind.is_financing), Decimal(0))
    )


def leverage_limit(session: Session, whole: Portfolio, on: date) -> Decimal:
    """10 times, or 15 where small companies and farmers make half of the 融资担保 and 80 % of its customers."""
    total = sum((p.amount for p in whole.slices if p.guarantee_kind.is_financing), Decimal(0))
    share = sum((p.amount for p in whole.slices if p.is_favoured), Decimal(0))
    by_amount = share * HUNDRED >= total * number(session, "exposure.small_balance_min_pct", on)
    by_count = whole.favoured * HUNDRED >= whole.parties * number(
        session, "exposure.small_count_min_pct", on
    )
    is_small = total > 0 and by_amount and by_count
    return number(
        session, "exposure.leverage_limit_small" if is_small else "exposure.leverage_limit", on
    )


def checks(
    session: Session, project: Project, on: date, *, amount: Decimal | None = None
) -> list[Check]:
    """Leverage, parties, bank line, department, scheme and 最高额: in force now, and after this project."""
    mine = of_project(project, amount)
    key = project.customer_id
    group = relations.group_of(session, key, on)
    in_force, committed = by_customer(
        session,
        on,
        Project.customer_id.in_(group),
        Project.id != project.id,
        taken=replacing(project, mine.amount),
    )
    with_mine = {**committed, key: totalled(session, [*committed.get(key, ()), mine], on)}
    assets = net_assets(session, on)
    found = []
    if mine.guarantee_kind.is_financing:
        others = portfolio(session, on, Project.customer_id != key)
        now, after = (
            others.in_force.with_party(in_force.get(key, ())),
            others.committed.with_party(with_mine[key]),
        )
        found.append(_leverage(session, now, after, assets, on))
    found += _concentrations(
        session,
        "single",
        (in_force.get(key, ()), with_mine[key]),
        assets=assets,
        on=on,
        words="本户",
    )
    related = tuple(
        tuple(part for parts in one.values() for part in parts) for one in (in_force, with_mine)
    )
    found += _concentrations(
        session, "group", related, assets=assets, on=on, words=f"{len(group)} 户"
    )
    found += _bank_checks(session, project, mine.amount)
    found += _department_checks(session, project, mine.amount, on)
    found += _scheme_checks(session, project, mine.amount)
    return [*found, *_maximum_checks(session, project, mine.amount)]


def _leverage(
    session: Session, now: Portfolio, after: Portfolio, assets: Decimal, on: date
) -> Check:
    standing, later = (liability(session, whole.slices, on) for whole in (now, after))
    return Check(
        "leverage",
        "放大倍数",
        _times(standing, assets),
        _times(later, assets),
        leverage_limit(session, after, on),
        number(session, "exposure.leverage_warning", on),
        "倍",
        f"责任余额 在保 {format_money(standing)} 元，办理后 {format_money(later)} 元；净资产 {format_money(assets)} 元",
    )


CONCENTRATION: Final = ("single", "single_own", "group", "group_own")
_LABELS: Final = {"single": "单户集中度", "group": "关联方集中度"}


def _concentrations(
    session: Session,
    key: str,
    views: Sequence[Sequence[Slice]],
    assets: Decimal,
    on: date,
    words: str,
) -> Iterator[Check]:
    """Of the party itself (`key` single) or of its group, by law and, where the company has one, by its own rule."""
    before, after = (concentration(session, parts, on) for parts in views)
    plain_before, plain = (unweighted(parts) for parts in views)
    limit, warning = (
        number(session, f"exposure.{key}_{word}_pct", on) for word in ("limit", "warning")
    )
    note = (
        f"{words}责任余额 在保 {format_money(before)} 元，办理后 {format_money(after)} 元，"
        f"未加权 {format_money(plain)} 元；净资产 {format_money(assets)} 元"
    )
    yield Check(
        key,
        _LABELS[key],
        _percent(before, assets),
        _percent(after, assets),
        limit,
        warning,
        "%",
        note,
    )
    own = f"exposure.{key}_own_limit_pct"
    if value(session, own, on):
        note = (
            f"{words}未加权 在保 {format_money(plain_before)} 元，办理后 {format_money(plain)} 元"
        )
        figures = (_percent(plain_before, assets), _percent(plain, assets))
        yield Check(
            f"{key}_own",
            f"{_LABELS[key]}（未加权）",
            *figures,
            number(session, own, on),
            None,
            "%",
            note,
        )


def _times(amount: Decimal, assets: Decimal) -> Decimal:
    return round_money(amount / assets) if assets > 0 else (BEYOND if amount else Decimal(0))


def _percent(amount: Decimal, assets: Decimal) -> Decimal:
    return _times(amount * HUNDRED, assets)


def line_holder(session: Session, bank: PartnerBank) -> PartnerBank | None:
    """The bank whose line this one draws on: itself, or the first parent that has one; None without any line."""
    now: PartnerBank | None = bank
    while now is not None and now.credit_line is None:
        now = session.get(PartnerBank, now.parent_id) if now.parent_id else None
    return now


def line_used(
    session: Session, bank: PartnerBank, *, without: int | None = None
) -> tuple[Decimal, Decimal]:
    """(in force, reserved beyond it) under a bank's line, branches without a line of their own included, in 元."""
    line = select(PartnerBank.id).where(PartnerBank.id == bank.id).cte("line", recursive=True)
    below = select(PartnerBank.id).join(line, PartnerBank.parent_id == line.c.id)
    line = line.union(below.where(PartnerBank.credit_line.is_(None)))
    former = aliased(Project)
    query = (
        select(
            func.sum(Project.balance),
            func.sum(Project.reserved_amount),
            func.sum(replaced.kept(former), type_=Money()),
        )
        .outerjoin(former, replaced.is_former(former, Project.bank_id, select(line.c.id)))
        .where(Project.bank_id.in_(select(line.c.id)))
    )
    if without is not None:
        query = query.where(Project.id != without)
    in_force, reserved, twice = (found or Decimal(0) for found in session.execute(query).one())
    return in_force, reserved - twice


def _replaced_on_line(
    session: Session, project: Project, holder: PartnerBank, amount: Decimal
) -> Decimal:
    """What of an amount takes the place of a loan that draws on the same line, in 元."""
    taken = replacing(project, amount)
    former = None if taken is None else session.get_one(Project, taken.former_id)
    if former is None or line_holder(session, former.bank) is not holder:
        return Decimal(0)
    return min(former.balance, amount)


def _bank_checks(session: Session, project: Project, amount: Decimal) -> list[Check]:
    bank = session.get_one(PartnerBank, project.bank_id)
    found = []
    if bank.single_limit is not None:
        note = f"{bank.name}单笔上限"
        found.append(
            Check(
                "bank_single", "银行单笔", Decimal(0), amount, bank.single_limit, None, "元", note
            )
        )
    holder = line_holder(session, bank)
    if holder is not None:
        in_force, reserved = line_used(session, holder, without=project.id)
        used = in_force + reserved
        free = (holder.credit_line or Decimal(0)) - used
        note = f"{holder.name}授信余额 {format_money(free)} 元，其中决议已占用 {format_money(reserved)} 元"
        found.append(
            Check(
                "bank_line",
                "银行授信",
                in_force,
                used + amount - _replaced_on_line(session, project, holder, amount),
                holder.credit_line,
                None,
                "元",
                note,
            )
        )
    return found


def _department_checks(
    session: Session, project: Project, amount: Decimal, on: date
) -> Iterator[Check]:
    """What the department that handles the project may have (2.6)."""
    if project.department_id is None:
        return
    quota = quotas.of_department(session, project.department_id, on)
    if quota is None:
        if flag(session, "quota.is_required", on):
            note = "承办部门及其上级部门没有有效的部门额度"
            yield Check("department", "部门额度", Decimal(0), amount, Decimal(0), None, "元", note)
        return
    taken = quotas.used(session, quota.department_id, on, without=project.id)
    renewed = replacing(project, amount)
    former = None if renewed is None else session.get_one(Project, renewed.former_id)
    if former is not None and former.department_id in quotas.drawing_on(
        session, quota.department_id, on
    ):
        amount -= min(former.balance, amount)
    left = format_money(quota.amount - taken.total)
    note = f"{quota.department.name}额度 {quota.number} 余 {left} 元，其中决议已占用 {format_money(taken.reserved)} 元"
    yield Check(
        "department",
        "部门额度",
        taken.in_force,
        taken.total + amount,
        quota.amount,
        None,
        "元",
        note,
    )


def _scheme_checks(session: Session, project: Project, amount: Decimal) -> Iterator[Check]:
    """What a customer may have under the project's scheme (4.10)."""
    if project.scheme_id is None:
        return
    scheme = session.get_one(SharingScheme, project.scheme_id)
    entry = sharing.entry_of(session, scheme, session.get_one(PartnerBank, project.bank_id))
    if entry is None or entry.customer_cap is None:
        return
    in_force, before, after = sharing.on_customer(session, scheme, project, amount)
    note = f"“{scheme.name}”下该客户其他项目占用 {format_money(before)} 元"
    yield Check("scheme_cap", "分险方案单户", in_force, after, entry.customer_cap, None, "元", note)


def _maximum_checks(session: Session, project: Project, amount: Decimal) -> Iterator[Check]:
    """The limits of the 最高额合同 that the project is under; what it has repaid counts where they do not revolve."""
    for maximum in maximums.of_project(session, project.id):
        uses = maximums.uses_of(session, maximum)
        in_force, used = maximums.taken(uses, without=project.id)
        own = amount - maximums.replaced(uses, project, amount)
        for use in uses:
            if use.project_id == project.id and not maximum.is_revolving:
                own += use.drawn - use.balance
        way = "循环" if maximum.is_revolving else "不循环"
        left = format_money(maximum.limit_amount - used)
        yield Check(
            f"maximum_{maximum.id}",
            maximum.kind.label,
            in_force,
            used + own,
            maximum.limit_amount,
            None,
            "元",
            f"{maximum.number}（{way}）其他项目占用 {format_money(used)} 元，余 {left} 元",
        )
