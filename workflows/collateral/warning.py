"""押品预警 (7.2, domain.md 4): what is looked at of assets that stand behind projects in force, each by its rule.

Days are thresholds of the rules; of a fall in value and of the cover they are per cent.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from models.base.money import format_money
from models.collateral.asset import (
    IN_CUSTODY,
    Collateral,
    CollateralCertificate,
    CustodyState,
)
from models.collateral.kind import CollateralType
from models.collateral.pledge import CollateralPledge
from models.collateral.registration import (
    CollateralInsurance,
    PledgeRegistration,
    RegistrationState,
)
from models.collateral.watch import CollateralWatch, WatchState
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import CounterGuarantee
from reports.figures import collateral
from workflows.after.warning import Hit, check

HUNDRED = Decimal(100)


def _pledges() -> Select[CollateralPledge]:
    """What stands behind projects in force."""
    return (
        select(CollateralPledge)
        .join(CounterGuarantee)
        .join(Project, Project.id == CollateralPledge.project_id)
        .where(collateral.live(), Project.state == ProjectState.IN_FORCE)
        .order_by(CollateralPledge.id)
    )


def _certificates(
    session: Session, *where: ColumnElement[bool]
) -> Iterator[tuple[CollateralCertificate, Project]]:
    """Originals of assets behind projects in force, each once, with the first of these projects."""
    query = (
        select(CollateralCertificate, Project)
        .join(
            CollateralPledge, CollateralPledge.collateral_id == CollateralCertificate.collateral_id
        )
        .join(CounterGuarantee, CounterGuarantee.id == CollateralPledge.counter_guarantee_id)
        .join(Project, Project.id == CollateralPledge.project_id)
        .where(collateral.live(), Project.state == ProjectState.IN_FORCE, *where)
        .order_by(CollateralCertificate.id, CollateralPledge.id)
    )
    last = 0
    for paper, project in session.execute(query).all():
        if paper.id != last:
            last = paper.id
            yield paper, project


def _ahead(days: Sequence[int], left: int) -> int:
    """The threshold that a day so many days ahead has come under; 0 once it is past."""
    return 0 if left < 0 else min((limit for limit in days if limit >= left), default=0)


def _when(day: date, on: date) -> str:
    left = (day - on).days
    return f"将于 {day} 到期，剩余 {left} 天" if left >= 0 else f"已于 {day} 到期"


@check("collateral_drop")
def value_drop(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """押品现值 against the value that the counter-guarantee was approved with, in per cent."""
    del on
    for pledge in session.scalars(_pledges()):
        then, asset = pledge.counter_guarantee.appraised_value, pledge.collateral
        if not then or asset.value is None or asset.value >= then:
            continue
        fall = (then - asset.value) * HUNDRED / then
        passed = [limit for limit in days if limit <= fall]
        if passed:
            message = (
                f"押品 {asset.name} 现值 {format_money(asset.value)} 元（{asset.valued_on}），"
                f"比设押时下降 {fall:.1f}%"
            )
            yield Hit(pledge.project, pledge, f"{asset.valued_on}/{max(passed)}", message)


@check("collateral_short")
def over_rate(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """What stands on an asset is more than its value x rate: 抵押率 over its cap."""
    del on, days
    found = list(session.scalars(_pledges()))
    assets = {pledge.collateral_id: pledge.collateral for pledge in found}
    every = collateral.claims(session, assets)
    for pledge in found:
        asset = pledge.collateral
        part = collateral.covered(asset, every[asset.id]).get(pledge.id, Decimal(0))
        if part < pledge.amount:
            missing = format_money(pledge.amount - part)
            message = (
                f"押品 {asset.name} 可担保价值 {format_money(collateral.lendable(asset))} 元，"
                f"第 {pledge.rank} 顺位占用的价值中 {missing} 元没有着落"
            )
            yield Hit(pledge.project, pledge, f"{asset.valued_on}/{pledge.amount - part}", message)


@check("collateral_cover")
def low_cover(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """覆盖率 of a project with linked assets below the threshold or below what its product asks for."""
    del on
    projects = {pledge.project_id: pledge.project for pledge in session.scalars(_pledges())}
    for project in projects.values():
        cover = collateral.cover(session, project)
        least = min(Decimal(max(days)), cover.least_pct) if cover.least_pct else Decimal(max(days))
        if cover.pct < least:
            message = (
                f"反担保覆盖率 {cover.pct.normalize():f}%，低于 {least.normalize():f}%；"
                f"认定价值 {format_money(cover.worth)} 元，在保余额 {format_money(cover.owed)} 元"
            )
            yield Hit(project, project, f"{least.normalize():f}/{cover.worth}", message)


@check("certificate_due")
def certificate_due(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """权证 that end soon or have ended."""
    soon = CollateralCertificate.expires_on <= on + timedelta(days=max(days))
    for paper, project in _certificates(session, soon):
        assert paper.expires_on is not None
        left = _ahead(days, (paper.expires_on - on).days)
        name = paper.collateral.name
        message = f"押品 {name} 的权证 {paper.number} {_when(paper.expires_on, on)}"
        yield Hit(project, paper, f"{paper.expires_on}/{left}", message)


@check("registration_due")
def registration_due(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """登记 that end soon or have ended: what is not renewed holds against nobody."""
    query = (
        select(PledgeRegistration, CollateralPledge)
        .join(CollateralPledge, CollateralPledge.id == PledgeRegistration.pledge_id)
        .join(CounterGuarantee)
        .join(Project, Project.id == CollateralPledge.project_id)
        .where(
            collateral.live(),
            Project.state == ProjectState.IN_FORCE,
            PledgeRegistration.state == RegistrationState.VALID,
            PledgeRegistration.expires_on <= on + timedelta(days=max(days)),
        )
    )
    for paper, pledge in session.execute(query.order_by(PledgeRegistration.id)).all():
        assert paper.expires_on is not None
        left = _ahead(days, (paper.expires_on - on).days)
        name = pledge.collateral.name
        message = f"押品 {name} 的登记 {paper.number} {_when(paper.expires_on, on)}"
        yield Hit(pledge.project, paper, f"{paper.expires_on}/{left}", message)


@check("insurance_due")
def insurance_due(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Assets that are to be insured whose last policy in our favour ends soon, has ended, or is not there."""
    query = (
        _pledges()
        .join(Collateral, Collateral.id == CollateralPledge.collateral_id)
        .join(CollateralType, CollateralType.id == Collateral.type_id)
        .where(CollateralType.needs_insurance)
    )
    for pledge in session.scalars(query):
        last = session.scalar(
            select(CollateralInsurance.ends_on)
            .where(
                CollateralInsurance.collateral_id == pledge.collateral_id,
                CollateralInsurance.is_first,
            )
            .order_by(CollateralInsurance.ends_on.desc())
            .limit(1)
        )
        name = pledge.collateral.name
        if last is None:
            words = f"押品 {name} 没有以本公司为第一受益人的保险"
            yield Hit(pledge.project, pledge, "none", words)
        elif last <= on + timedelta(days=max(days)):
            left = _ahead(days, (last - on).days)
            words = f"押品 {name} 的保险{_when(last, on)}"
            yield Hit(pledge.project, pledge, f"{last}/{left}", words)


@check("custody_late")
def custody_late(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Originals that were lent and are not back."""
    due = CollateralCertificate.due_on <= on - timedelta(days=min(days))
    for paper, project in _certificates(
        session, CollateralCertificate.state == CustodyState.LENT, due
    ):
        assert paper.due_on is not None
        late = (on - paper.due_on).days
        passed = max(limit for limit in days if limit <= late)
        holder = paper.holder.name if paper.holder is not None else "—"
        message = f"权证 {paper.number} 由{holder}借出，应于 {paper.due_on} 归还，已逾期 {late} 天"
        yield Hit(project, paper, f"{paper.due_on}/{passed}", message)


@check("watch_late")
def watch_late(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Visits that were planned and not reported in time, told of the first project that the asset stands behind."""
    query = (
        select(CollateralWatch, Project)
        .join(CollateralPledge, CollateralPledge.collateral_id == CollateralWatch.collateral_id)
        .join(CounterGuarantee, CounterGuarantee.id == CollateralPledge.counter_guarantee_id)
        .join(Project, Project.id == CollateralPledge.project_id)
        .where(
            collateral.live(),
            Project.state == ProjectState.IN_FORCE,
            CollateralWatch.state == WatchState.PLANNED,
            CollateralWatch.due_on <= on - timedelta(days=min(days)),
        )
        .order_by(CollateralWatch.id, CollateralPledge.id)
    )
    last = 0
    for watch, project in session.execute(query).all():
        if watch.id != last:
            last, late = watch.id, (on - watch.due_on).days
            passed = max(limit for limit in days if limit <= late)
            message = f"押品 {watch.collateral.name} 应于 {watch.due_on} 前监管，已逾期 {late} 天"
            yield Hit(project, watch, f"{watch.due_on}/{passed}", message)


@check("valuation_old")
def valuation_old(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Values older than the cycle of their kind; the threshold is how long before they are due."""
    query = _pledges().join(Collateral, Collateral.id == CollateralPledge.collateral_id)
    query = query.where(Collateral.next_value_on <= on + timedelta(days=max(days)))
    for pledge in session.scalars(query):
        asset = pledge.collateral
        assert asset.next_value_on is not None
        left = _ahead(days, (asset.next_value_on - on).days)
        message = f"押品 {asset.name} 于 {asset.valued_on} 评估，应于 {asset.next_value_on} 前重估"
        yield Hit(pledge.project, pledge, f"{asset.next_value_on}/{left}", message)


@check("collateral_seized")
def seized(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """查封 or a dispute about an asset that stands behind a project."""
    del on, days
    query = _pledges().join(Collateral, Collateral.id == CollateralPledge.collateral_id)
    for pledge in session.scalars(query.where(Collateral.seizure.is_not(None))):
        words = pledge.collateral.seizure or ""
        yield Hit(
            pledge.project, pledge, words[:60], f"押品 {pledge.collateral.name}：{words}"[:300]
        )


@check("certificate_out")
def not_stored(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Originals of a project in force that have not come into custody so many days after the drawdown."""
    outside = CollateralCertificate.state.not_in(IN_CUSTODY)
    long_ago = Project.start_on <= on - timedelta(days=min(days))
    for paper, project in _certificates(session, outside, long_ago):
        assert project.start_on is not None
        late = (on - project.start_on).days
        passed = max(limit for limit in days if limit <= late)
        message = f"放款 {late} 天后权证 {paper.number} 仍{paper.state.label}"
        yield Hit(project, paper, f"{project.start_on}/{passed}", message)
