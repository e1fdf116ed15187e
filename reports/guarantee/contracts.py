"""5.3 合同查询: contracts by how they stand: drawn up, signed, running, past their end, over."""

from typing import Any

from sqlalchemy import ColumnElement, Row, case, literal, select

from models.base.kinds import Kind, Module
from models.base.paper import PaperState
from models.customer.customer import Customer
from models.guarantee.project import ENDED, Project, ProjectState
from models.guarantee.signing import Contract, ContractKind
from models.system.organization import Employee
from reports.base.asked import Asked
from reports.base.params import one_of
from reports.base.report import Found, Line, Report, additive, register, words
from reports.base.rows import page
from reports.base.scope import scoped
from reports.guarantee.asked_projects import WHOSE, between, days, whose


class ContractStanding(Kind):
    """合同状态: the state of the paper and of its project together."""

    DRAFT = "起草中"
    IN_APPROVAL = "审批中"
    SIGNED = "已签订未放款"
    RUNNING = "履行中"
    OVERDUE = "已到期未解保"
    CLOSED = "已终结"
    REJECTED = "已否决"
    VOID = "已作废"


_TONES = {"RUNNING": "ok", "SIGNED": "doing"}
_APPROVED = Contract.state == PaperState.APPROVED
_IN_FORCE = Project.state == ProjectState.IN_FORCE


_COLUMNS: tuple[Any, ...] = (
    Contract.id,
    Contract.number,
    Contract.kind,
    Contract.counterparty,
    Contract.main_number,
    Contract.amount.label("amount"),
    Contract.signed_on,
    Contract.starts_on,
    Contract.ends_on,
    Project.id.label("project_id"),
    Project.number.label("project"),
    Customer.name.label("customer"),
    Employee.name.label("manager"),
)


def standing(asked: Asked) -> ColumnElement[str]:
    """The name of a contract's standing, as SQL."""
    is_over = Contract.ends_on < asked.today
    return case(
        *((Contract.state == state, literal(state.name)) for state in _AS_PAPERS),
        (_APPROVED & Project.state.in_(ENDED), literal(ContractStanding.CLOSED.name)),
        (_APPROVED & _IN_FORCE & is_over, literal(ContractStanding.OVERDUE.name)),
        (_APPROVED & _IN_FORCE, literal(ContractStanding.RUNNING.name)),
        else_=literal(ContractStanding.SIGNED.name),
    )


_AS_PAPERS = (
    PaperState.DRAFT,
    PaperState.IN_APPROVAL,
    PaperState.REJECTED,
    PaperState.VOID,
)


def lines(asked: Asked) -> Found:
    """The last signed first."""
    stands = standing(asked)
    query = (
        select(*_COLUMNS, stands.label("standing"))
        .join(Project, Project.id == Contract.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .outerjoin(Employee, Employee.id == Project.manager_id)
        .where(*whose(asked))
        .where(*between(asked, Contract.signed_on, "signed"))
        .where(*between(asked, Contract.ends_on, "ends"))
        .order_by(Contract.signed_on.desc(), Contract.id.desc())
    )
    if asked["standing"] is not None:
        query = query.where(stands == asked["standing"].name)
    if asked["kind"] is not None:
        query = query.where(Contract.kind == asked["kind"])
    found = page(asked, scoped(query, Contract, asked.actor, as_set=True), "amount")
    return Found(
        [_line(asked, row) for row in found.rows],
        totals=found.sums,
        count=found.count,
        heading=f"{found.count:,} 份合同",
        note=asked.as_of,
    )


def _line(asked: Asked, row: Row[Any]) -> Line:
    stands = ContractStanding[row.standing]
    values = {
        **{key: getattr(row, key) for key in _TOLD},
        "kind": row.kind.label,
        "standing": stands.label,
    }
    return Line(
        values,
        url=asked.record("contract", row.id),
        urls={"project": asked.record("project", row.project_id)},
        tones={"standing": _TONES.get(stands.name, stands.tone)},
    )


_TOLD = (
    "number",
    "project",
    "customer",
    "counterparty",
    "main_number",
    "amount",
    "signed_on",
    "starts_on",
    "ends_on",
    "manager",
)

register(
    Report(
        "contract-query",
        "合同查询",
        Module.QUERY,
        permission=("list", "contract"),
        columns=(
            words("number", "合同编号"),
            words("kind", "合同种类"),
            words("standing", "合同状态"),
            words("project", "担保项目"),
            words("customer", "客户"),
            words("counterparty", "对方当事人"),
            words("main_number", "主合同编号"),
            additive("amount", "合同金额"),
            words("signed_on", "签约日期", kind="date"),
            words("starts_on", "起始日期", kind="date"),
            words("ends_on", "到期日期", kind="date"),
            words("manager", "A角"),
        ),
        lines=lines,
        params={
            "standing": one_of("合同状态", ContractStanding),
            "kind": one_of("合同种类", ContractKind),
            **WHOSE,
            **days("签约日期", "signed"),
            **days("到期日期", "ends"),
        },
        rank=30,
        help="只含您数据范围内的项目；委托担保合同与保证合同是同一笔担保，求合计时请选定合同种类",
        page_size=200,
    )
)
