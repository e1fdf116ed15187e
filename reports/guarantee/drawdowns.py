"""5.3 借据查询: the banks' loans by state, customer, bank, manager and dates."""

from typing import Any

from sqlalchemy import Row, select

from models.base.kinds import Module
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.project import Project
from models.system.organization import Employee
from reports.base.asked import Asked
from reports.base.params import one_of
from reports.base.report import Found, Line, Report, additive, balance, register, stated, words
from reports.base.rows import page
from reports.base.scope import scoped
from reports.guarantee.asked_projects import WHOSE, between, days, whose

_RUNNING = (DrawdownState.ACTIVE, DrawdownState.OVERDUE)


_COLUMNS: tuple[Any, ...] = (
    Drawdown.id,
    Drawdown.number,
    Drawdown.bank_note_no,
    Drawdown.drawn_on,
    Drawdown.due_on,
    Drawdown.closed_on,
    Drawdown.amount.label("amount"),
    Drawdown.balance.label("balance"),
    Drawdown.rate_annual_pct.label("rate"),
    Drawdown.repayment_method,
    Drawdown.state,
    Project.id.label("project_id"),
    Project.number.label("project"),
    Customer.name.label("customer"),
    PartnerBank.name.label("bank"),
    Employee.name.label("manager"),
)


def lines(asked: Asked) -> Found:
    """The last drawn first."""
    query = (
        select(*_COLUMNS)
        .join(Project, Project.id == Drawdown.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .join(PartnerBank, PartnerBank.id == Project.bank_id)
        .outerjoin(Employee, Employee.id == Project.manager_id)
        .where(*whose(asked))
        .where(*between(asked, Drawdown.drawn_on, "drawn"))
        .where(*between(asked, Drawdown.due_on, "due"))
        .order_by(Drawdown.drawn_on.desc(), Drawdown.id.desc())
    )
    if asked["state"] is not None:
        query = query.where(Drawdown.state == asked["state"])
    found = page(asked, scoped(query, Drawdown, asked.actor, as_set=True), "amount", "balance")
    return Found(
        [_line(asked, row) for row in found.rows],
        totals=found.sums,
        count=found.count,
        heading=f"{found.count:,} 笔借据",
        note=asked.as_of,
    )


def _line(asked: Asked, row: Row[Any]) -> Line:
    runs = row.state in _RUNNING
    values = {
        **{key: getattr(row, key) for key in _TOLD},
        "method": row.repayment_method.label,
        "state": row.state.label,
        "left": (row.due_on - asked.today).days if runs else None,
    }
    return Line(
        values,
        url=asked.record("drawdown", row.id),
        urls={"project": asked.record("project", row.project_id)},
        tones={"state": row.state.tone},
    )


_TOLD = (
    "number",
    "bank_note_no",
    "project",
    "customer",
    "bank",
    "drawn_on",
    "due_on",
    "closed_on",
    "amount",
    "balance",
    "rate",
    "manager",
)

register(
    Report(
        "drawdown-query",
        "借据查询",
        Module.QUERY,
        permission=("list", "drawdown"),
        columns=(
            words("number", "借据编号"),
            words("bank_note_no", "银行借据号"),
            words("project", "担保项目"),
            words("customer", "客户"),
            words("bank", "合作银行"),
            words("drawn_on", "放款日期", kind="date"),
            words("due_on", "到期日期", kind="date"),
            stated("left", "距到期", kind="int", unit="天"),
            additive("amount", "放款金额"),
            balance("balance", "借款余额"),
            stated("rate", "年利率", kind="rate", unit="%"),
            words("method", "还款方式"),
            words("state", "状态"),
            words("closed_on", "结清日期", kind="date"),
            words("manager", "A角"),
        ),
        lines=lines,
        params={
            "state": one_of("状态", DrawdownState),
            **WHOSE,
            **days("放款日期", "drawn"),
            **days("到期日期", "due"),
        },
        rank=35,
        help="只含您数据范围内的项目；已解保的借据，余额是解除担保责任时尚欠的借款",
        page_size=200,
    )
)
