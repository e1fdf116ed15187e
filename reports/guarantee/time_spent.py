"""5 时间花在哪里: how many days projects stood at a stage, with a person or a bank (median, mean, longest)."""

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select

from models.base.entity import Entity
from models.base.kinds import Module
from models.base.money import round_to
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product
from models.guarantee.project import Project, ProjectStage, Stage
from models.system.organization import Department, Employee
from reports.base.asked import Asked
from reports.base.params import Param, choice, date_range, one_of, pick, span
from reports.base.report import (
    Chart,
    Found,
    Line,
    Report,
    additive,
    count,
    drill,
    ratio,
    register,
    stated,
    words,
)
from reports.base.rows import page
from reports.base.scope import scoped
from reports.figures.spreads import Spread, spreads
from reports.guarantee.asked_projects import WHOSE, chosen, whose
from reports.rules.sql import days_between

# What a loan runs is no time lost; what comes before it and what ends it is.
_COUNTED = tuple(stage for stage in Stage if stage is not Stage.IN_FORCE)
_DAYS = days_between(ProjectStage.left_on, ProjectStage.entered_on)
_BY: dict[str, tuple[str, Any, type[Entity] | None]] = {
    "stage": ("阶段", ProjectStage.stage, None),
    "done_by": ("办理人", ProjectStage.done_by_id, Employee),
    "bank": ("合作银行", Project.bank_id, PartnerBank),
    "product": ("产品", Project.product_id, Product),
    "manager": ("A角", Project.manager_id, Employee),
    "department": ("承办部门", Project.department_id, Department),
}
PARAMS: dict[str, Param] = {
    **date_range(of_year=True),
    "stage": one_of("阶段", Stage),
    "done_by": pick("办理人", "employee"),
    **WHOSE,
}


_COLUMNS: tuple[Any, ...] = (
    ProjectStage.stage,
    ProjectStage.entered_on,
    ProjectStage.left_on,
    ProjectStage.outcome,
    _DAYS.label("days"),
    Project.id.label("project_id"),
    Project.number.label("project"),
    Customer.name.label("customer"),
    PartnerBank.name.label("bank"),
    Employee.name.label("done_by"),
)


def _passes(asked: Asked, query: Select[Any]) -> Select[Any]:
    """Stages that were left in the days asked for, of the projects chosen, within the reader's scope."""
    stages = _COUNTED if asked["stage"] is None else (asked["stage"],)
    found: list[ColumnElement[bool]] = [
        ProjectStage.left_on.between(asked["first"], asked["last"]),
        ProjectStage.stage.in_(stages),
        *whose(asked),
    ]
    if asked["done_by"] is not None:
        found.append(ProjectStage.done_by_id == asked["done_by"].id)
    query = query.join(Project, Project.id == ProjectStage.project_id).where(*found)
    return scoped(query, ProjectStage, asked.actor, as_set=True)


def lines(asked: Asked) -> Found:
    """Stages in the order of the line; anything else by its median, the largest first."""
    by = asked["by"]
    _, key, model = _BY[by]
    query = _passes(asked, select(key.label("key"), _DAYS.label("value")).select_from(ProjectStage))
    found = {k: v for k, v in spreads(asked.session, query).items() if k is not None}
    if model is None:
        ranked = [(one, one.label, found[one]) for one in Stage if one in found]
    else:
        names = _names(asked, model, list(found))
        ranked = [(key, names[key], spread) for key, spread in found.items()]
        ranked.sort(key=lambda one: (-one[2].median, one[1]))
    return Found(
        [_line(asked, by, key, name=name, spread=spread) for key, name, spread in ranked],
        span=span(asked["first"].isoformat(), asked["last"].isoformat()),
        note=asked.as_of,
    )


def _names(asked: Asked, model: Any, keys: list[int]) -> dict[int, str]:
    query = select(model.id, model.name).where(model.id.in_(keys))
    return {row[0]: row[1] for row in asked.session.execute(query)}


def _line(asked: Asked, by: str, key: Any, *, name: str, spread: Spread) -> Line:
    given: dict[str, Any] = {"first": asked["first"], "last": asked["last"], **chosen(asked)}
    if asked["stage"] is not None:
        given["stage"] = asked["stage"].name
    if asked["done_by"] is not None:
        given["done_by"] = asked["done_by"].id
    given[by] = key.name if isinstance(key, Stage) else key
    url = drill(asked, "time-spent-passes", **given)
    values = {
        "name": name,
        "count": spread.count,
        "median": spread.median,
        "mean": round_to(Decimal(spread.total) / spread.count, 1),
        "longest": spread.largest,
        "days": spread.total,
    }
    return Line(values, url=url, urls=dict.fromkeys(("count", "days", "longest"), url))


def passes(asked: Asked) -> Found:
    """Each stage that was passed, the longest first."""
    query = select(*_COLUMNS).select_from(ProjectStage)
    query = (
        _passes(asked, query)
        .join(Customer, Customer.id == Project.customer_id)
        .join(PartnerBank, PartnerBank.id == Project.bank_id)
        .outerjoin(Employee, Employee.id == ProjectStage.done_by_id)
        .order_by(_DAYS.desc(), ProjectStage.id)
    )
    found = page(asked, query, "days")
    return Found(
        [_pass(asked, row) for row in found.rows],
        totals={"days": int(found.sums["days"])},
        count=found.count,
        span=span(asked["first"].isoformat(), asked["last"].isoformat()),
        note=asked.as_of,
        crumbs=[
            (Module.QUERY.label, ""),
            ("时间花在哪里", drill(asked, "time-spent", first=asked["first"], last=asked["last"])),
        ],
    )


def _pass(asked: Asked, row: Row[Any]) -> Line:
    told = ("project", "customer", "bank", "entered_on", "left_on", "done_by", "outcome")
    values = {key: getattr(row, key) for key in told}
    values |= {"stage": row.stage.label, "days": int(row.days)}
    return Line(values, url=asked.record("project", row.project_id))


register(
    Report(
        "time-spent",
        "时间花在哪里",
        Module.QUERY,
        permission=("list", "project"),
        columns=(
            words("name", "阶段 / 人 / 银行"),
            count("count", "经过次数", "次"),
            stated("median", "天数中位数", kind="rate", unit="天"),
            stated("mean", "平均天数", kind="rate", unit="天"),
            stated("longest", "最长", kind="int", unit="天"),
            additive("days", "合计天数", "天", kind="int"),
            ratio("share", "占比", "days"),
        ),
        lines=lines,
        params={
            "by": choice("按", [(name, one[0]) for name, one in _BY.items()], "stage"),
            **PARAMS,
        },
        rank=60,
        help="按离开日期统计已办结的阶段，在保期间不计；只含您数据范围内的项目，点数字看每一次经过",
        chart=Chart("name", "median", limit=15),
    )
)
register(
    Report(
        "time-spent-passes",
        "阶段用时明细",
        Module.QUERY,
        permission=("list", "project"),
        columns=(
            words("project", "担保项目"),
            words("customer", "客户"),
            words("bank", "合作银行"),
            words("stage", "阶段"),
            words("entered_on", "进入日期", kind="date"),
            words("left_on", "离开日期", kind="date"),
            additive("days", "天数", "天", kind="int"),
            words("done_by", "办理人"),
            words("outcome", "结果"),
        ),
        lines=passes,
        params=PARAMS,
        rank=None,
        help="每次经过一个阶段一行，天数大的在前",
        page_size=200,
    )
)
