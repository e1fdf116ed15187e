"""What the contracts, notices and vouchers of a project print beyond `letters.data_for`."""

from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.masks import for_paper
from models.base.paper import LIVE_PAPERS
from models.customer.customer import Customer
from models.customer.detail import BankAccount
from models.guarantee.maximum import MaximumKind
from models.guarantee.product import FeeKind, FeePayment
from models.guarantee.project import Project
from models.guarantee.signing import (
    Contract,
    ContractKind,
    CounterGuarantee,
    CounterKind,
    CoveredParts,
    Fee,
    Liability,
)
from reports.figures import dictionaries, maximums
from reports.figures.coverage import MONTHS
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
BLANK = "＿＿＿＿＿＿＿＿"  # to be filled in by hand
_COMPANY = ("address", "phone", "legal_person")
# What each text prints of whom, beside names; and the numbers without which it says of which contract it is.
_PARTIES: dict[ContractKind, dict[str, tuple[str, ...]]] = {
    ContractKind.ENTRUSTMENT: {"customer": ("id_number", "address", "phone"), "company": _COMPANY},
    ContractKind.GUARANTEE: {
        "bank": ("address", "principal"),
        "customer": ("id_number", "address"),
        "company": _COMPANY,
    },
    ContractKind.COUNTER: {
        "provider": ("id_number", "address", "phone"),
        "customer": ("id_number",),
        "company": _COMPANY,
    },
}
_NUMBERS: dict[ContractKind, tuple[str, ...]] = {
    ContractKind.ENTRUSTMENT: ("main_number",),
    ContractKind.GUARANTEE: ("main_number",),
    ContractKind.COUNTER: ("main_number", "entrusted_number", "guarantee_number"),
}
_WHO = {"customer": "客户", "provider": "反担保人", "company": "本公司", "bank": "合作银行"}
_WHAT = {
    "id_number": "证件号码",
    "address": "住所",
    "phone": "电话",
    "legal_person": "法定代表人",
    "principal": "负责人",
}
NUMBER_LABELS = {
    "main_number": "主合同编号（银行借款合同的编号）",
    "entrusted_number": "委托担保合同",
    "guarantee_number": "保证合同",
}


def numbers(session: Session, project: Project) -> dict[str, str]:
    """Numbers of the project's contracts as papers name them; '' for what is not drawn up."""
    query = select(Contract).where(
        Contract.project_id == project.id, Contract.state.in_(LIVE_PAPERS)
    )
    found = {"main_number": "", "guarantee_number": "", "entrusted_number": ""}
    for maximum in maximums.of_project(session, project.id):
        if maximum.kind is MaximumKind.GUARANTEE:
            found["guarantee_number"] = maximum.number
        elif maximum.kind is MaximumKind.ENTRUSTMENT:
            found["entrusted_number"] = maximum.number
    for contract in session.scalars(query.order_by(Contract.id)):
        found["main_number"] = contract.main_number or found["main_number"]
        if contract.kind is ContractKind.GUARANTEE:
            found["guarantee_number"] = contract.number
        elif contract.kind is ContractKind.ENTRUSTMENT:
            found["entrusted_number"] = contract.number
    return found


def missing_numbers(session: Session, contract: Contract) -> list[str]:
    """The names of those numbers that the contract's text has to say and that are not there yet."""
    found = numbers(session, contract.project)
    return [name for name in _NUMBERS[contract.kind] if not found[name]]


def for_contract(ctx: Ctx, contract: Contract) -> dict[str, Any]:
    """All variables of a contract's template; the project is printed with the terms that this contract agrees."""
    data = letters.data_for(ctx, contract.project)
    data["project"].update(start=contract.starts_on, end=contract.ends_on, amount=contract.amount)
    data["contract"] = {**_terms(ctx, contract.project), "special_terms": contract.terms or ""}
    if contract.kind is ContractKind.COUNTER:
        data.update(_counter(ctx, contract))
    elif contract.kind is ContractKind.GUARANTEE:
        data["scope"] = _scope(ctx, contract)
    return data


def _scope(ctx: Ctx, contract: Contract) -> dict[str, Any]:
    """What the contract with the bank covers; one of earlier days goes by project and parameter."""
    share = contract.share_pct
    parts = contract.covered_parts or CoveredParts.ALL
    return {
        "liability": (contract.liability or Liability.JOINT).label,
        "share_pct": 100 - contract.project.bank_share_pct if share is None else share,
        "interest": parts is not CoveredParts.PRINCIPAL,
        "costs": parts is CoveredParts.ALL,
        "cap": contract.cap_amount,
        "months": contract.period_months or int(number(ctx.session, MONTHS, ctx.today)),
    }


def with_blanks(contract: Contract, data: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The data with a line to write on where a fact is missing, and the missing facts in words."""
    missing, filled = [], dict(data)
    for part, names in _PARTIES[contract.kind].items():
        lacking = [name for name in names if not data[part][name]]
        missing += [f"{_WHO[part]}{_WHAT[name]}" for name in lacking]
        filled[part] = {**data[part], **dict.fromkeys(lacking, BLANK)}
    lacking = [name for name in _NUMBERS[contract.kind] if not data["contract"][name]]
    missing += [NUMBER_LABELS[name] for name in lacking]
    filled["contract"] = {**data["contract"], **dict.fromkeys(lacking, BLANK)}
    missing += [
        f"{item['name']}的权证号码"
        for item in data.get("collateral", [])
        if not item["certificate"]
    ]
    return filled, missing


def _terms(ctx: Ctx, project: Project) -> dict[str, Any]:
    session, on = ctx.session, ctx.today
    fees = {
        fee.kind: fee for fee in session.scalars(select(Fee).where(Fee.project_id == project.id))
    }
    guarantee, deposit, penalty = (
        fees.get(k) for k in (FeeKind.GUARANTEE, FeeKind.DEPOSIT, FeeKind.PENALTY)
    )
    return {
        **numbers(session, project),
        "fee_amount": guarantee.amount if guarantee else Decimal(0),
        "fee_schedule": _SCHEDULES[guarantee.payment if guarantee else FeePayment.ONE_OFF],
        "deposit_amount": deposit.amount if deposit else None,
        "penalty_rate_daily_pct": penalty.rate_pct
        if penalty
        else number(session, "fee.penalty_rate_daily_pct", on),
        "occupation_rate_pct": number(session, "compensation.occupancy_rate_pct", on),
        "grace_days": project.bank.compensation_days,
        "notice_days": number(session, "contract.notice_days", on),
        "sign_place": value(session, "contract.sign_place", on),
        "court": value(session, "contract.court", on),
        "copies": number(session, "contract.copies", on),
    }


def _counter(ctx: Ctx, contract: Contract) -> dict[str, Any]:
    """The one guarantor or the one asset of a counter-guarantee contract."""
    item = contract.counter_guarantee
    kind = item.kind if item else CounterKind.SURETY
    assets = [item] if item and kind.needs_value else []
    return {
        "counter": {
            "kind": kind.label,
            "method": _method(ctx.session, item) if item else BLANK,
            "amount": contract.amount,
        },
        "provider": _provider(contract, item),
        "collateral": [
            {
                "name": asset.name,
                "certificate": asset.certificate_no or "",
                "location": "",
                "quantity": "",
                "value": asset.appraised_value,
                "rate": asset.rate_pct,
            }
            for asset in assets
        ],
    }


def _method(session: Session, item: CounterGuarantee) -> str:
    if item.kind.needs_value and item.asset_kind:
        return dictionaries.label(session, "collateral_kind", item.asset_kind) + item.kind.label
    return "连带责任保证" if item.kind is CounterKind.SURETY else item.kind.label


def provider_of(item: CounterGuarantee) -> str:
    """Who signs: the guarantor on file, a surety by his name, else the customer with an asset of his own."""
    if item.guarantor is not None:
        return item.guarantor.name
    return item.name if item.kind is CounterKind.SURETY else item.project.customer.name


def _provider(contract: Contract, item: CounterGuarantee | None) -> dict[str, Any]:
    """The counter-guarantor: a customer of that name where there is one, else the name alone."""
    on_file = (contract.project.customer, item.guarantor if item else None)
    known: dict[str, Customer] = {
        customer.name: customer for customer in on_file if customer is not None
    }
    customer = known.get(contract.counterparty)
    found = (
        letters.customer_data(customer)
        if customer
        else {"id_number": "", "address": "", "phone": ""}
    )
    return {**found, "name": contract.counterparty, "spouse": None}


def account(session: Session, customer: Customer) -> dict[str, str]:
    """The customer's account that the bank pays into: the first active one on file; blanks where there is none."""
    query = select(BankAccount).where(BankAccount.customer_id == customer.id, BankAccount.is_active)
    found = session.scalars(query.order_by(BankAccount.id)).first()
    if found is None:
        return {"name": customer.name, "number": "", "bank": ""}
    return {
        "name": found.account_name,
        "number": for_paper(found, "account_no"),
        "bank": found.bank_name,
    }
