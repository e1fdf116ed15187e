"""What the contracts, notices and vouchers of a project print beyond `letters.data_for`."""

from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.appraisal import LIVE_PAPERS
from models.base.masks import for_paper
from models.customer import Customer
from models.customer_detail import BankAccount
from models.product import FeeKind, FeePayment
from models.project import Project
from models.signing import Contract, ContractKind, CounterGuarantee, CounterKind, Fee
from reports.figures import dictionaries
from reports.figures.parameters import number, value
from workflows.base.context import Ctx
from workflows.guarantee import letters

TEMPLATES = {
    ContractKind.ENTRUSTMENT: "entrusted_contract",
    ContractKind.GUARANTEE: "guarantee_contract",
    ContractKind.COUNTER: "counter_contract",
}
_SCHEDULES = {
    FeePayment.ONE_OFF: "放款前一次缴清",
    FeePayment.YEARLY: "按年缴纳，首期于放款前缴清，以后各期于每一担保年度开始前缴清",
    FeePayment.MONTHLY: "按月缴纳，首期于放款前缴清，以后各期于每月放款对应日前缴清",
}


def numbers(session: Session, project: Project) -> dict[str, str]:
    """Numbers of the project's contracts as papers name them; '' for what is not drawn up."""
    query = select(Contract).where(Contract.project_id == project.id, Contract.state.in_(LIVE_PAPERS))
    found = {"main_number": "", "guarantee_number": "", "entrusted_number": ""}
    for contract in session.scalars(query.order_by(Contract.id)):
        found["main_number"] = contract.main_number or found["main_number"]
        if contract.kind is ContractKind.GUARANTEE:
            found["guarantee_number"] = contract.number
        elif contract.kind is ContractKind.ENTRUSTMENT:
            found["entrusted_number"] = contract.number
    return found


def for_contract(ctx: Ctx, contract: Contract) -> dict[str, Any]:
    """All variables of a contract's template; the project is printed with the terms that this contract agrees."""
    data = letters.data_for(ctx, contract.project)
    data["project"].update(start=contract.starts_on, end=contract.ends_on, amount=contract.amount)
    data["contract"] = {**_terms(ctx, contract.project), "special_terms": contract.terms or ""}
    if contract.kind is ContractKind.COUNTER:
        data.update(_counter(ctx, contract))
    return data


def _terms(ctx: Ctx, project: Project) -> dict[str, Any]:
    session, on = ctx.session, ctx.today
    fees = {fee.kind: fee for fee in session.scalars(select(Fee).where(Fee.project_id == project.id))}
    guarantee, deposit, penalty = (fees.get(k) for k in (FeeKind.GUARANTEE, FeeKind.DEPOSIT, FeeKind.PENALTY))
    return {
        **numbers(session, project),
        "fee_amount": guarantee.amount if guarantee else Decimal(0),
        "fee_schedule": _SCHEDULES[guarantee.payment if guarantee else FeePayment.ONE_OFF],
        "deposit_amount": deposit.amount if deposit else None,
        "penalty_rate_daily_pct": penalty.rate_pct if penalty else number(session, "fee.penalty_rate_daily_pct", on),
        "occupation_rate_pct": number(session, "compensation.occupancy_rate_pct", on),
        "grace_days": project.bank.compensation_days,
        "notice_days": number(session, "contract.notice_days", on),
        "sign_place": value(session, "contract.sign_place", on),
        "court": value(session, "contract.court", on),
        "copies": number(session, "contract.copies", on),
    }


def _counter(ctx: Ctx, contract: Contract) -> dict[str, Any]:
    query = select(CounterGuarantee).where(
        CounterGuarantee.project_id == contract.project_id, CounterGuarantee.state.in_(LIVE_PAPERS)
    )
    items = list(ctx.session.scalars(query.order_by(CounterGuarantee.id)))
    assets = [item for item in items if item.kind.needs_value]
    kind = assets[0].kind if assets else CounterKind.SURETY
    methods = dict.fromkeys(_method(ctx.session, item) for item in items)
    return {
        "counter": {
            "kind": kind.label, "method": "、".join(methods) or "连带责任保证", "amount": contract.amount,
        },
        "provider": _provider(contract, items),
        "collateral": [
            {
                "name": item.name, "certificate": item.certificate_no or "", "location": "", "quantity": "",
                "value": item.appraised_value, "rate": item.rate_pct,
            }
            for item in assets
        ],
    }  # fmt: skip


def _method(session: Session, item: CounterGuarantee) -> str:
    if item.kind.needs_value and item.asset_kind:
        return dictionaries.label(session, "collateral_kind", item.asset_kind) + item.kind.label
    return "连带责任保证" if item.kind is CounterKind.SURETY else item.kind.label


def _provider(contract: Contract, items: list[CounterGuarantee]) -> dict[str, Any]:
    """The counter-guarantor: a customer of that name where there is one, else the name alone."""
    known: dict[str, Customer] = {item.guarantor.name: item.guarantor for item in items if item.guarantor}
    known[contract.project.customer.name] = contract.project.customer
    customer = known.get(contract.counterparty)
    found = letters.customer_data(customer) if customer else {"id_number": "", "address": "", "phone": ""}
    return {**found, "name": contract.counterparty, "spouse": None}


def account(session: Session, customer: Customer) -> dict[str, str]:
    """The customer's account that the bank pays into: the first active one on file; blanks where there is none."""
    query = select(BankAccount).where(BankAccount.customer_id == customer.id, BankAccount.is_active)
    found = session.scalars(query.order_by(BankAccount.id)).first()
    if found is None:
        return {"name": customer.name, "number": "", "bank": ""}
    return {"name": found.account_name, "number": for_paper(found, "account_no"), "bank": found.bank_name}
