"""再担保备案 (4.10): which projects qualify with which re-guarantor, until when, and what is ceded of fees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from models.customer.partner import GuaranteeCompany, PartnerStatus
from models.guarantee.ceding import CededFee
from models.guarantee.drawdown import Drawdown
from models.guarantee.product import FeeKind
from models.guarantee.project import Project, ProjectState
from models.guarantee.reguarantee import FilingRow
from models.guarantee.scheme import RuleUse
from models.guarantee.sharing import ProjectShare
from models.guarantee.signing import Fee
from reports.figures import sharing, turnover
from reports.figures.fees import dues_of, taken_back, waived_total

ZERO = Decimal(0)
_EVER = date(1900, 1, 1)


@dataclass(frozen=True)
class Reason:
    """Something that must hold before a project is filed, and how it stands in words."""

    label: str
    is_met: bool
    told: str


def share_of(session: Session, project: Project, company_id: int) -> Decimal:
    """What a re-guarantor bears of a project, in %."""
    shared = sharing.portions(session, project)
    return sum((one.share_pct for one in shared if _is(one.company, company_id)), ZERO)


def _is(company: GuaranteeCompany | None, company_id: int) -> bool:
    return company is not None and company.id == company_id


def compensated(session: Session, project: Project) -> Decimal:
    """What was paid in the customer's place of a project so far, in 元; with a claim the base data stands still."""
    return sum(
        (
            session.scalar(query.where(Project.id == project.id)) or ZERO
            for query in turnover.compensated(_EVER, date.max)
        ),
        ZERO,
    )


def due_on(project: Project) -> date | None:
    """The last day for the filing of a project in force, by its scheme."""
    if project.start_on is None or project.scheme is None:
        return None
    return project.start_on + timedelta(days=project.scheme.filing_days)


def reasons(
    session: Session, project: Project, company: GuaranteeCompany, on: date
) -> list[Reason]:
    """Everything that decides whether a project may be filed with a re-guarantor now."""
    share = share_of(session, project, company.id)
    filed = session.scalar(_rows(project.id, company.id))
    paid = compensated(session, project)
    in_force = project.state is ProjectState.IN_FORCE
    told = f"已列入 {filed.filing.number}（{filed.state.label}）" if filed else "未列入"
    found = [
        Reason(
            "由该公司再担保",
            share > 0,
            f"分担 {share.normalize():f}%" if share else "分险方案中没有该公司",
        ),
        Reason("在保", in_force, f"项目{project.state.label}"),
        Reason("没有代偿", not paid, f"已代偿 {paid:,.2f} 元" if paid else "无"),
        Reason("没有列入其他批次", filed is None, told),
        Reason("再担保合作中", company.status is PartnerStatus.ACTIVE, f"{company.status.label}"),
    ]
    if project.scheme is not None:
        answers = sharing.rule_answers(session, project, project.scheme, RuleUse.FILING, on)
        found += [Reason(one.rule.name, one.is_met, one.told) for one in answers]
    return found


def why_not(found: Sequence[Reason]) -> str:
    """What does not hold, in words; '' where the project qualifies."""
    return "；".join(f"{one.label}：{one.told}" for one in found if not one.is_met)


def _rows(project_id: int, company_id: int) -> Select[FilingRow]:
    return select(FilingRow).where(
        FilingRow.project_id == project_id, FilingRow.company_id == company_id
    )


def unfiled(company_id: int) -> Select[Project]:
    """Projects in force that a re-guarantor shares and no batch holds yet."""
    shared = exists().where(
        ProjectShare.project_id == Project.id,
        ProjectShare.company_id == company_id,
        ProjectShare.share_pct > 0,
    )
    filed = exists().where(FilingRow.project_id == Project.id, FilingRow.company_id == company_id)
    return (
        select(Project)
        .where(Project.state == ProjectState.IN_FORCE, shared, ~filed)
        .order_by(Project.start_on, Project.id)
    )


def notes_of(session: Session, project: Project) -> list[Drawdown]:
    """The loans of a project in the order in which they were drawn."""
    query = select(Drawdown).where(Drawdown.project_id == project.id)
    return list(session.scalars(query.order_by(Drawdown.drawn_on, Drawdown.id)))


@dataclass(frozen=True)
class Ceded:
    """What goes to a re-guarantor of one instalment of 担保费, in 元."""

    fee: Fee
    seq: int
    due_on: date
    base: Decimal
    share_pct: Decimal
    amount: Decimal


def ceding(session: Session, project: Project, company_id: int) -> list[Ceded]:
    """The plan of what a project cedes: each instalment after waivers, split by the shares of the fee to the fen."""
    shared = sharing.portions(session, project)
    share = sum((one.fee_share_pct for one in shared if _is(one.company, company_id)), ZERO)
    query = select(Fee).where(Fee.project_id == project.id, Fee.kind == FeeKind.GUARANTEE)
    fee = session.scalars(query).first()
    if fee is None or not share:
        return []
    off = waived_total(session, fee) + taken_back(session, (fee.id,)).get(fee.id, ZERO)
    found = []
    for due in reversed(dues_of(session, fee)):  # what was let off was let off from the end
        base = max(due.amount - off, ZERO)
        off -= due.amount - base
        parts = zip(shared, sharing.split_fee(shared, base), strict=True)
        amount = sum((part for one, part in parts if _is(one.company, company_id)), ZERO)
        found.append(Ceded(fee, due.seq, due.due_on, base, share, amount))
    return found[::-1]


def uncollected(company_id: int, until: date) -> Select[CededFee]:
    """What is due to a re-guarantor by a day and stands on no statement."""
    return (
        select(CededFee)
        .where(
            CededFee.company_id == company_id,
            CededFee.due_on <= until,
            CededFee.statement_id.is_(None),
        )
        .order_by(CededFee.due_on, CededFee.id)
    )
