"""追偿台账: what each case was about, what came in of it, what is left in the books and what was lost (6.3)."""

from typing import Any, Final

from sqlalchemy import Row, Select, func, literal, select

from models.after.case_money import LIVE_MONEY, RecoveryReceipt
from models.after.recovery import CaseState, RecoveryCase
from models.base.columns import Money
from models.base.kinds import MenuGroup, Module
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project
from models.system.organization import Employee
from reports.base.asked import Asked
from reports.base.params import one_of
from reports.base.report import Found, Line, Report, balance, ratio, register, words
from reports.base.rows import page
from reports.base.scope import scoped
from reports.figures.recovery import ZERO
from reports.guarantee.asked_projects import WHOSE, between, days, whose

_FIGURES: Final = (
    "paid",
    "recovered",
    "surcharge",
    "balance",
    "others",
    "costs",
    "written_off",
)
_TOLD: Final = ("number", "project", "customer", "bank", "opened_on", *_FIGURES, "manager")


def lines(asked: Asked) -> Found:
    """The case that began last comes first."""
    received = select(func.sum(RecoveryReceipt.surcharge, type_=Money())).where(
        RecoveryReceipt.recovery_case_id == RecoveryCase.id,
        RecoveryReceipt.state.in_(LIVE_MONEY),
    )
    surcharge = func.coalesce(
        received.correlate(RecoveryCase).scalar_subquery(), literal(ZERO, Money()), type_=Money()
    )
    query: Select[*tuple[Any, ...]] = (
        select(
            RecoveryCase.id,
            RecoveryCase.number.label("number"),
            RecoveryCase.opened_on,
            RecoveryCase.paid_amount.label("paid"),
            RecoveryCase.recovered_amount.label("recovered"),
            surcharge.label("surcharge"),
            RecoveryCase.balance.label("balance"),
            RecoveryCase.other_open.label("others"),
            RecoveryCase.cost_open.label("costs"),
            RecoveryCase.written_off_amount.label("written_off"),
            RecoveryCase.state,
            Project.id.label("project_id"),
            Project.number.label("project"),
            Customer.name.label("customer"),
            PartnerBank.name.label("bank"),
            Employee.name.label("manager"),
        )
        .join(Project, Project.id == RecoveryCase.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .join(PartnerBank, PartnerBank.id == Project.bank_id)
        .outerjoin(Employee, Employee.id == Project.manager_id)
        .where(*between(asked, RecoveryCase.opened_on, "opened"), *whose(asked))
        .order_by(RecoveryCase.opened_on.desc(), RecoveryCase.id.desc())
    )
    if asked["state"] is not None:
        query = query.where(RecoveryCase.state == asked["state"])
    found = page(asked, scoped(query, RecoveryCase, asked.actor), *_FIGURES)
    return Found(
        [_line(asked, row) for row in found.rows],
        totals=found.sums,
        count=found.count,
        heading=f"{found.count:,} 件追偿案件",
        note=asked.as_of,
    )


def _line(asked: Asked, row: Row[Any]) -> Line:
    mine = f"recovery_case_id:eq:{row.id}"
    return Line(
        {**{key: getattr(row, key) for key in _TOLD}, "state": row.state.label},
        url=asked.record("recovery_case", row.id),
        urls={
            "project": asked.record("project", row.project_id),
            "recovered": asked.rows("recovery_receipt", mine),
            "written_off": asked.rows("write_off", mine),
        },
        tones={"state": row.state.tone},
    )


register(
    Report(
        "recovery-ledger",
        "追偿台账",
        Module.AFTER,
        permission=("list", "recovery_case"),
        columns=(
            words("number", "案件编号"),
            words("project", "担保项目"),
            words("customer", "客户"),
            words("bank", "合作银行"),
            words("opened_on", "立案日期", kind="date"),
            balance("paid", "代偿金额"),
            balance("recovered", "已收回"),
            ratio("share", "回收率", "recovered", "paid"),
            balance("surcharge", "资金占用费收入"),
            balance("balance", "账面余额"),
            balance("others", "他方未收回"),
            balance("costs", "垫付费用未收回"),
            balance("written_off", "已核销"),
            words("state", "状态"),
            words("manager", "A角"),
        ),
        lines=lines,
        params={"state": one_of("状态", CaseState), **days("立案日", "opened"), **WHOSE},
        menu=MenuGroup.RECOVERY,
        rank=74,
        help="账面余额与科目“应收代位追偿款”相符（待复核的回款除外），见“核对”",
        page_size=200,
    )
)
