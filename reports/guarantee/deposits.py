"""4.4 保证金台账: what each customer has paid as a deposit, what went back or was used, and what the company holds."""

from typing import Any, Final

from sqlalchemy import Row, func, literal, select

from models.base.columns import Money
from models.base.kinds import MenuGroup, Module
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.product import FeeKind
from models.guarantee.project import Project
from models.guarantee.signing import Fee
from models.ledger.account import ZERO
from models.ledger.voucher import BusinessEvent, EventState
from models.system.organization import Employee
from reports.base.asked import Asked
from reports.base.params import tick
from reports.base.report import Found, Line, Report, balance, register, words
from reports.base.rows import page
from reports.base.scope import scoped
from reports.guarantee.asked_projects import WHOSE, whose

RETURNED: Final = "deposit.returned"
USED: Final = "deposit.used"
_FIGURES: Final = ("due", "received", "returned", "used", "held")
_TOLD: Final = ("project", "customer", "bank", "end_on", *_FIGURES, "manager")


def _gone(code: str) -> Any:
    """What went out of a project's deposit by events of this kind, sent to 复核 or booked."""
    of_project = select(func.sum(BusinessEvent.total, type_=Money())).where(
        BusinessEvent.project_id == Fee.project_id,
        BusinessEvent.event_code == code,
        BusinessEvent.state.in_((EventState.PENDING, EventState.BOOKED)),
    )
    nothing = literal(ZERO, Money())
    return func.coalesce(of_project.correlate(Fee).scalar_subquery(), nothing, type_=Money())


def lines(asked: Asked) -> Found:
    """The projects that end first come first; those that have no end yet last."""
    returned, used = _gone(RETURNED), _gone(USED)
    held = Fee.collected_amount - returned - used
    query = (
        select(
            Fee.id,
            Fee.amount.label("due"),
            Fee.collected_amount.label("received"),
            returned.label("returned"),
            used.label("used"),
            held.label("held"),
            Project.id.label("project_id"),
            Project.number.label("project"),
            Project.state,
            Project.end_on,
            Customer.name.label("customer"),
            PartnerBank.name.label("bank"),
            Employee.name.label("manager"),
        )
        .join(Project, Project.id == Fee.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .join(PartnerBank, PartnerBank.id == Project.bank_id)
        .outerjoin(Employee, Employee.id == Project.manager_id)
        .where(Fee.kind == FeeKind.DEPOSIT, *whose(asked))
        .order_by(Project.end_on.is_(None), Project.end_on, Fee.id)
    )
    if asked["held"]:
        query = query.where(held > ZERO)
    found = page(asked, scoped(query, Fee, asked.actor, as_set=True), *_FIGURES)
    return Found(
        [_line(asked, row) for row in found.rows],
        totals=found.sums,
        count=found.count,
        heading=f"{found.count:,} 笔保证金",
        note=asked.as_of,
    )


def _line(asked: Asked, row: Row[Any]) -> Line:
    return Line(
        {**{key: getattr(row, key) for key in _TOLD}, "state": row.state.label},
        url=asked.record("fee", row.id),
        urls={"project": asked.record("project", row.project_id)},
        tones={"state": row.state.tone},
    )


register(
    Report(
        "deposit-ledger",
        "保证金台账",
        Module.GUARANTEE,
        permission=("list", "fee"),
        columns=(
            words("project", "担保项目"),
            words("customer", "客户"),
            words("bank", "合作银行"),
            words("state", "项目状态"),
            words("end_on", "担保到期日", kind="date"),
            balance("due", "应收保证金"),
            balance("received", "已收"),
            balance("returned", "已退还"),
            balance("used", "已抵用"),
            balance("held", "结存"),
            words("manager", "A角"),
        ),
        lines=lines,
        params={"held": tick("结存", no="全部", yes="只看有结存的"), **WHOSE},
        menu=MenuGroup.LENDING,
        rank=115,
        help="退还和抵用以已送复核的为准；合计与科目“存入保证金”的差额是尚未复核的部分，见“核对”",
        page_size=200,
    )
)
