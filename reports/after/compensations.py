"""代偿台账: what banks claimed, what of it was paid in the customer's place, and who bears that (6.2)."""

from typing import Any, Final

from sqlalchemy import Row, Select, func, literal, select

from models.after.compensation import Compensation, CompensationShare
from models.base.columns import Money
from models.base.kinds import MenuGroup, Module
from models.base.paper import PaperState
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project
from models.guarantee.scheme import SharingParty
from models.system.organization import Employee
from reports.base.asked import Asked
from reports.base.params import tick
from reports.base.report import Found, Line, Report, additive, register, words
from reports.base.rows import page
from reports.base.scope import scoped
from reports.figures.compensation import ZERO
from reports.guarantee.asked_projects import WHOSE, between, days, whose

_FIGURES: Final = (
    "claimed",
    "pay_principal",
    "pay_interest",
    "pay_penalty",
    "pay_other",
    "paid",
    "others",
    "bank_part",
)
_TOLD: Final = ("number", "project", "customer", "bank", "received_on", "pay_by", "paid_on")


def lines(asked: Asked) -> Found:
    """The latest notice first; drafts and what was refused are no business of the register."""
    query = _query().where(
        Compensation.state.in_((PaperState.IN_APPROVAL, PaperState.APPROVED)),
        *between(asked, Compensation.received_on, "received"),
        *between(asked, Compensation.paid_on, "paid"),
        *whose(asked),
    )
    if asked["paid"]:
        query = query.where(Compensation.paid_on.is_not(None))
    found = page(asked, scoped(query, Compensation, asked.actor), *_FIGURES)
    return Found(
        [_line(asked, row) for row in found.rows],
        totals=found.sums,
        count=found.count,
        heading=f"{found.count:,} 笔代偿",
        note=asked.as_of,
    )


def _query() -> Select[*tuple[Any, ...]]:
    theirs = select(func.sum(CompensationShare.amount, type_=Money())).where(
        CompensationShare.compensation_id == Compensation.id,
        CompensationShare.party != SharingParty.OWN,
    )
    others = func.coalesce(
        theirs.correlate(Compensation).scalar_subquery(), literal(ZERO, Money()), type_=Money()
    )
    return (
        select(
            Compensation.id,
            Compensation.number.label("number"),
            Compensation.received_on,
            Compensation.pay_by,
            Compensation.paid_on,
            Compensation.claim_amount.label("claimed"),
            Compensation.pay_principal,
            Compensation.pay_interest,
            Compensation.pay_penalty,
            Compensation.pay_other,
            Compensation.pay_amount.label("paid"),
            others.label("others"),
            Compensation.bank_amount.label("bank_part"),
            Compensation.state,
            Project.id.label("project_id"),
            Project.number.label("project"),
            Customer.name.label("customer"),
            PartnerBank.name.label("bank"),
            Employee.name.label("manager"),
        )
        .join(Project, Project.id == Compensation.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .join(PartnerBank, PartnerBank.id == Project.bank_id)
        .outerjoin(Employee, Employee.id == Project.manager_id)
        .order_by(Compensation.received_on.desc(), Compensation.id.desc())
    )


def _line(asked: Asked, row: Row[Any]) -> Line:
    told = {key: getattr(row, key) for key in (*_TOLD, *_FIGURES, "manager")}
    state = "已付款" if row.paid_on else row.state.label
    return Line(
        {**told, "state": state},
        url=asked.record("compensation", row.id),
        urls={"project": asked.record("project", row.project_id)},
    )


register(
    Report(
        "compensation-ledger",
        "代偿台账",
        Module.AFTER,
        permission=("list", "compensation"),
        columns=(
            words("number", "代偿编号"),
            words("project", "担保项目"),
            words("customer", "客户"),
            words("bank", "合作银行"),
            words("received_on", "收到通知", kind="date"),
            words("pay_by", "最迟代偿日", kind="date"),
            words("paid_on", "付款日期", kind="date"),
            additive("claimed", "银行主张"),
            additive("pay_principal", "代偿本金"),
            additive("pay_interest", "代偿利息"),
            additive("pay_penalty", "代偿罚息"),
            additive("pay_other", "代偿其他"),
            additive("paid", "代偿金额"),
            additive("others", "其中他方分担"),
            additive("bank_part", "银行分担"),
            words("state", "状态"),
            words("manager", "A角"),
        ),
        lines=lines,
        params={
            "paid": tick("付款", no="全部", yes="只看已付款的"),
            **days("收到日", "received"),
            **days("付款日", "paid"),
            **WHOSE,
        },
        menu=MenuGroup.COMPENSATION,
        rank=54,
        help="审批中、已通过和已付款的代偿；他方分担以复核记账后的为准",
        page_size=200,
    )
)
