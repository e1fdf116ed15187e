"""Letters to the bank and what every paper of a project says about it."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, NotFound
from models.base.masks import for_paper
from models.base.paper import LIVE_PAPERS
from models.customer.customer import CorporateCustomer, Customer, PersonalCustomer
from models.guarantee.appraisal import BankLetter, InvestigationReport, LetterKind, RiskAssessment
from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project
from models.guarantee.resolution import Resolution
from models.guarantee.signing import CounterGuarantee
from models.system.organization import Company
from reports.base.scope import is_visible
from reports.figures import dictionaries
from workflows.base import documents
from workflows.base.context import Ctx
from workflows.base.records import check_version

TEMPLATES = {
    LetterKind.INTENT: ("intent_letter", "intent_letter"),
    LetterKind.CONFIRMATION: ("confirmation_letter", "confirmation_letter"),
    LetterKind.DISBURSEMENT: ("disbursement_notice", "disbursement_notice"),
}
HUNDRED = Decimal(100)
NO_RESOLUTION: Final[dict[str, Any]] = {
    "number": "",
    "date": None,
    "result": "",
    "valid_until": None,
    "conditions": [],
}


def require_visible(ctx: Ctx, project: Project, version: int | None) -> None:
    """Raise NotFound outside the actor's scope and StaleRecord when the project was changed meanwhile."""
    if not is_visible(ctx.session, ctx.actor, project):
        raise NotFound
    if version is not None:
        check_version(ctx, project, version)


def issue(
    ctx: Ctx,
    project: Project,
    kind: LetterKind,
    amount: Decimal,
    valid_until: date | None,
    **more: Any,
) -> BankLetter:
    """Issue a numbered letter to the project's bank with its text frozen; `more` are further template variables."""
    template, rule = TEMPLATES[kind]
    data = {**data_for(ctx, project), "intent": {"valid_until": valid_until}, **more}
    document = documents.issue(
        ctx,
        template,
        project,
        project=project,
        number_rule=rule,
        title=f"{kind.label} {project.number}",
        data=data,
    )
    letter = BankLetter(
        number=document.number,
        kind=kind,
        project=project,
        issued_on=ctx.today,
        valid_until=valid_until,
        amount=amount,
        document=document,
    )
    ctx.session.add(letter)
    return letter


def company_data(session: Session) -> dict[str, Any]:
    """The company as papers print it; BusinessError until somebody has filled it in."""
    company = session.scalars(select(Company)).first()
    if company is None:
        raise BusinessError("请先在“公司信息”中填写公司资料，再出具文件")
    return {
        "name": company.full_name,
        "address": company.address or "",
        "phone": company.phone or "",
        "legal_person": company.legal_person or "",
    }


def customer_data(customer: Customer) -> dict[str, Any]:
    """The customer as papers print it."""
    address = for_paper(customer, "address")
    found = {
        "name": customer.name,
        "address": address,
        "legal_person": "",
        "id_number": "",
        "phone": "",
    }
    if isinstance(customer, CorporateCustomer):
        found.update(
            id_number=customer.uscc,
            legal_person=customer.legal_person or "",
            phone=for_paper(customer, "phone"),
            address=customer.registered_address or address,
        )
    elif isinstance(customer, PersonalCustomer):
        found.update(
            id_number=for_paper(customer, "id_number"), phone=for_paper(customer, "mobile")
        )
    return found


def bank_data(bank: PartnerBank) -> dict[str, Any]:
    """A lending bank: head office and branch."""
    name, branch = (bank.parent.name, bank.name) if bank.parent else (bank.name, "")
    return {
        "name": name,
        "branch": branch,
        "address": bank.address or "",
        "principal": bank.contact or "",
    }


def data_for(ctx: Ctx, project: Project) -> dict[str, Any]:
    """company, customer, bank, project and resolution as the document templates name them."""
    session = ctx.session
    resolution = session.scalars(
        select(Resolution).where(Resolution.project_id == project.id).order_by(Resolution.id.desc())
    ).first()
    return {
        "company": company_data(session),
        "customer": customer_data(project.customer),
        "bank": bank_data(project.bank),
        "project": _project_data(session, project, resolution),
        "resolution": _resolution_data(resolution),
    }


def _project_data(
    session: Session, project: Project, resolution: Resolution | None
) -> dict[str, Any]:
    report = session.scalars(
        select(InvestigationReport).where(InvestigationReport.project_id == project.id)
    ).first()
    risk = session.scalars(
        select(RiskAssessment).where(RiskAssessment.project_id == project.id)
    ).first()
    mine = select(CounterGuarantee).where(CounterGuarantee.project_id == project.id)
    items = session.scalars(
        mine.where(CounterGuarantee.state.in_(LIVE_PAPERS)).order_by(CounterGuarantee.id)
    ).all()
    purpose = dictionaries.label(session, "loan_purpose", project.purpose)
    return {
        "number": project.number,
        "product": project.product.name,
        "amount": resolution.amount if resolution else project.amount,
        "term_months": resolution.term_months if resolution else project.term_months,
        "purpose": f"{purpose}（{project.purpose_note}）" if project.purpose_note else purpose,
        "rate": project.rate_annual_pct,
        "repayment": project.repayment_method.label,
        "fee_rate": resolution.fee_rate_pct if resolution else project.fee_rate_pct,
        "start": project.start_on,
        "end": project.end_on,
        "share_pct": HUNDRED - project.bank_share_pct,
        "counter_guarantee": "；".join(f"{i.kind.label}：{i.name}" for i in items)
        or project.counter_offer
        or "",
        "report": report.operation if report else "",
        "risk_opinion": risk.opinion if risk else "",
    }


def _resolution_data(resolution: Resolution | None) -> dict[str, Any]:
    if resolution is None:
        return dict(NO_RESOLUTION)
    return {
        "number": resolution.number,
        "date": resolution.resolved_on,
        "result": resolution.state.label,
        "valid_until": resolution.valid_until,
        "conditions": [condition.text for condition in resolution.conditions],
    }
