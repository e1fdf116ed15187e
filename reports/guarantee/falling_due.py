"""5 到期日历: what falls due in a range of days: instalments, guarantees, contracts, resolutions, fees."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, literal, select, type_coerce, union_all

from models.base.columns import Money
from models.base.entity import Entity
from models.base.kinds import Kind, Module
from models.base.paper import PaperState
from models.customer.customer import Customer
from models.guarantee.drawdown import Drawdown, DrawdownState, Instalment, RepaymentPlan
from models.guarantee.project import Project, ProjectState
from models.guarantee.resolution import Resolution, ResolutionState
from models.guarantee.signing import Contract, Fee, FeeDue, FeeState
from models.system.organization import Employee
from reports.base.asked import Asked
from reports.base.params import date_range, one_of, span
from reports.base.report import Found, Line, Report, register, stated, words
from reports.base.rows import page
from reports.base.scope import scoped
from reports.guarantee.asked_projects import WHOSE, whose

AHEAD = 30  # days that are looked ahead at first


class Due(Kind):
    """What falls due."""

    INSTALMENT = "还款期次"
    GUARANTEE = "担保到期"
    CONTRACT = "合同到期"
    RESOLUTION = "决议失效"
    FEE = "费用应收"


# What leads to the page of the row's own record.
_TABLES = {
    Due.INSTALMENT: "drawdown",
    Due.GUARANTEE: "project",
    Due.CONTRACT: "contract",
    Due.RESOLUTION: "resolution",
    Due.FEE: "fee",
}
_IN_FORCE = Project.state == ProjectState.IN_FORCE
_OPEN = (Instalment.principal_paid < Instalment.principal) | (
    Instalment.interest_paid < Instalment.interest
)


def _instalments() -> tuple[Select[Any], type[Entity], Any]:
    owed = Instalment.principal + Instalment.interest
    left = owed - Instalment.principal_paid - Instalment.interest_paid
    query = (
        _selected(Due.INSTALMENT, Instalment.due_on, Drawdown.id, Drawdown.bank_note_no, left)
        .select_from(Instalment)
        .join(RepaymentPlan, RepaymentPlan.id == Instalment.repayment_plan_id)
        .join(Drawdown, Drawdown.id == RepaymentPlan.drawdown_id)
        .join(Project, Project.id == Drawdown.project_id)
        .where(RepaymentPlan.is_current, _OPEN)
        .where(Drawdown.state.in_((DrawdownState.ACTIVE, DrawdownState.OVERDUE)))
    )
    return query, Drawdown, Instalment.due_on


def _guarantees() -> tuple[Select[Any], type[Entity], Any]:
    query = _selected(
        Due.GUARANTEE, Project.end_on, Project.id, Project.number, Project.balance
    ).where(_IN_FORCE)
    return query, Project, Project.end_on


def _contracts() -> tuple[Select[Any], type[Entity], Any]:
    query = (
        _selected(Due.CONTRACT, Contract.ends_on, Contract.id, Contract.number, Contract.amount)
        .join(Project, Project.id == Contract.project_id)
        .where(Contract.state == PaperState.APPROVED, _IN_FORCE)
    )
    return query, Contract, Contract.ends_on


def _resolutions() -> tuple[Select[Any], type[Entity], Any]:
    until = Resolution.valid_until
    query = (
        _selected(Due.RESOLUTION, until, Resolution.id, Resolution.number, Resolution.amount)
        .join(Project, Project.id == Resolution.project_id)
        .where(Resolution.state == ResolutionState.VALID)
    )
    return query, Resolution, until


def _fees() -> tuple[Select[Any], type[Entity], Any]:
    left = FeeDue.amount - FeeDue.settled_amount
    query = (
        _selected(Due.FEE, FeeDue.due_on, Fee.id, Fee.kind, left)
        .select_from(FeeDue)
        .join(Fee, Fee.id == FeeDue.fee_id)
        .join(Project, Project.id == Fee.project_id)
        .where(FeeDue.settled_amount < FeeDue.amount, Fee.state == FeeState.BOOKED)
    )
    return query, Fee, FeeDue.due_on


def _selected(due: Due, on: Any, key: Any, name: Any, amount: Any) -> Select[Any]:
    told = literal("") if due is Due.FEE else name
    columns: tuple[Any, ...] = (
        literal(due.name).label("due"),
        on.label("on_day"),
        key.label("record_id"),
        told.label("name"),
        _as_money(amount).label("amount"),
        Project.id.label("project_id"),
    )
    return select(*columns)


def _as_money(amount: ColumnElement[Any]) -> ColumnElement[Any]:
    """A difference of amounts is an amount, whichever database works it out."""
    return type_coerce(amount, Money())


_SOURCES = {
    Due.INSTALMENT: _instalments,
    Due.GUARANTEE: _guarantees,
    Due.CONTRACT: _contracts,
    Due.RESOLUTION: _resolutions,
    Due.FEE: _fees,
}


def lines(asked: Asked) -> Found:
    """By day, the first to come first."""
    wanted = [asked["due"]] if asked["due"] is not None else list(Due)
    parts = [_part(asked, due) for due in wanted if asked.actor.may("list", _TABLES[due])]
    if not parts:
        return Found([], count=0)
    every = union_all(*parts).subquery()
    columns: tuple[Any, ...] = (
        every,
        Project.number.label("project"),
        Customer.name.label("customer"),
        Employee.name.label("manager"),
    )
    query = (
        select(*columns)
        .join(Project, Project.id == every.c.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .outerjoin(Employee, Employee.id == Project.manager_id)
        .order_by(every.c.on_day, every.c.due, every.c.record_id)
    )
    found = page(asked, query)
    return Found(
        [_line(asked, row) for row in found.rows],
        count=found.count,
        heading=f"{found.count:,} 项",
        span=span(asked["first"].isoformat(), asked["last"].isoformat()),
        note=asked.as_of,
    )


def _part(asked: Asked, due: Due) -> Select[Any]:
    query, model, on = _SOURCES[due]()
    query = query.where(on.between(asked["first"], asked["last"]), *whose(asked))
    return scoped(query, model, asked.actor, as_set=True)


def _line(asked: Asked, row: Row[Any]) -> Line:
    due = Due[row.due]
    left = (row.on_day - asked.today).days
    values = {
        "on": row.on_day,
        "due": due.label,
        "name": row.name or due.label,
        "project": row.project,
        "customer": row.customer,
        "amount": row.amount,
        "left": left,
        "manager": row.manager,
    }
    return Line(
        values,
        url=asked.record(_TABLES[due], row.record_id),
        urls={"project": asked.record("project", row.project_id)},
        tones={"left": "bad"} if left < 0 else {},
        main=2,
    )


_RANGE = date_range()
_AHEAD = {
    "first": replace(_RANGE["first"], default=lambda asked: asked.today),
    "last": replace(_RANGE["last"], default=lambda asked: asked.today + timedelta(days=AHEAD)),
}

register(
    Report(
        "falling-due",
        "到期日历",
        Module.QUERY,
        permission=("list", "project"),
        columns=(
            words("on", "日期", kind="date"),
            words("due", "事项"),
            words("name", "编号"),
            words("project", "担保项目"),
            words("customer", "客户"),
            stated("amount", "金额"),
            stated("left", "距今", kind="int", unit="天"),
            words("manager", "A角"),
        ),
        lines=lines,
        params={**_AHEAD, "due": one_of("事项", Due), **WHOSE},
        has_totals=False,
        rank=45,
        help="未还清的期次、在保项目和合同的到期日、有效决议的失效日、未收齐的费用；只含您数据范围内的项目",
        empty="这段时间没有到期事项",
        page_size=200,
    )
)
