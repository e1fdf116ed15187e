"""5.1 担保办理查询: the projects by stage, customer, product, bank, manager, date and amount, with milestones."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select

from models.base.kinds import Module
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product
from models.guarantee.project import UNDER_WAY, Project, ProjectStage, ProjectState, Stage
from models.system.organization import Employee
from reports.base.asked import Asked
from reports.base.params import one_of
from reports.base.report import Found, Line, Report, additive, balance, register, stated, words
from reports.base.rows import page
from reports.base.scope import scoped
from reports.figures.parameters import whole
from reports.guarantee.asked_projects import WHOSE, amounts, between, days, of_amount, whose

# The stages whose first day is told beside each project; the loan's own day is when it is in force.
MILESTONES = {
    Stage.REVIEW: "评审日期",
    Stage.RESOLVE: "决议日期",
    Stage.CONTRACT: "签约日期",
    Stage.IN_FORCE: "放款日期",
    Stage.RELEASE: "解保日期",
}
SLOW = "stage.slow_days"


_COLUMNS: tuple[Any, ...] = (
    Project.id,
    Project.number,
    Project.amount.label("amount"),
    Project.balance.label("balance"),
    Project.stage,
    Project.state,
    Project.stage_since,
    Project.applied_on,
    Customer.id.label("customer_id"),
    Customer.name.label("customer"),
    Product.name.label("product"),
    PartnerBank.name.label("bank"),
    Employee.name.label("manager"),
)


def lines(asked: Asked) -> Found:
    """The newest first."""
    query = (
        select(*_COLUMNS)
        .join(Customer, Customer.id == Project.customer_id)
        .join(Product, Product.id == Project.product_id)
        .join(PartnerBank, PartnerBank.id == Project.bank_id)
        .outerjoin(Employee, Employee.id == Project.manager_id)
        .where(*whose(asked), *between(asked, Project.applied_on, "applied"))
        .where(*of_amount(asked, Project.amount))
        .order_by(Project.id.desc())
    )
    for name, column in (("stage", Project.stage), ("state", Project.state)):
        if asked[name] is not None:
            query = query.where(column == asked[name])
    found = page(asked, scoped(query, Project, asked.actor), "amount", "balance")
    slow = whole(asked.session, SLOW, asked.today)
    # A project may have been handed over without its customer.
    customers = asked.readable("customer", {row.customer_id for row in found.rows})
    passed = _milestones(asked, [row.id for row in found.rows])
    return Found(
        [
            _line(asked, row, passed.get(row.id, {}), slow, known=row.customer_id in customers)
            for row in found.rows
        ],
        totals=found.sums,
        count=found.count,
        heading=f"{found.count:,} 个项目",
        note=asked.as_of,
    )


def _milestones(asked: Asked, ids: Sequence[int]) -> dict[int, dict[Stage, date]]:
    """When each of these projects first came to which stage."""
    first = func.min(ProjectStage.entered_on)
    query = (
        select(ProjectStage.project_id, ProjectStage.stage, first)
        .where(ProjectStage.project_id.in_(ids), ProjectStage.stage.in_(list(MILESTONES)))
        .group_by(ProjectStage.project_id, ProjectStage.stage)
    )
    found: dict[int, dict[Stage, date]] = {}
    for key, stage, on in asked.session.execute(query):
        found.setdefault(key, {})[stage] = on
    return found


def _line(
    asked: Asked, row: Row[Any], passed: dict[Stage, date], slow: int, *, known: bool
) -> Line:
    waits = row.state in UNDER_WAY and row.stage_since is not None
    stood = (asked.today - row.stage_since).days if waits else None
    values = {
        **{key: getattr(row, key) for key in _TOLD},
        "stage": row.stage.label,
        "state": row.state.label,
        "days": stood,
        **{stage.name: passed.get(stage) for stage in MILESTONES},
    }
    tones = {"state": row.state.tone, **({"days": "warn"} if (stood or 0) >= slow else {})}
    url = asked.record("project", row.id)
    return Line(
        values,
        url=url,
        urls={"customer": asked.record("customer", row.customer_id)} if known else {},
        tones=tones,
    )


_TOLD = ("number", "customer", "product", "bank", "manager", "amount", "balance", "applied_on")

register(
    Report(
        "guarantee-handling",
        "担保办理查询",
        Module.QUERY,
        permission=("list", "project"),
        columns=(
            words("number", "项目编号"),
            words("customer", "客户"),
            words("product", "产品"),
            words("bank", "合作银行"),
            words("manager", "A角"),
            additive("amount", "担保金额"),
            balance("balance", "在保余额"),
            words("stage", "阶段"),
            words("state", "状态"),
            stated("days", "本阶段已", kind="int", unit="天"),
            words("applied_on", "申请日期", kind="date"),
            *(words(stage.name, label, kind="date") for stage, label in MILESTONES.items()),
        ),
        lines=lines,
        params={
            "stage": one_of("阶段", Stage),
            "state": one_of("状态", ProjectState),
            **WHOSE,
            **days("申请日期", "applied"),
            **amounts("担保金额"),
        },
        rank=10,
        help="只含您数据范围内的项目；各日期为首次进入该阶段之日，“本阶段已”只算办理中的项目",
        page_size=200,
    )
)
