"""5 项目看板: what is under way, stage by stage: how many, how much, how long it has stood there."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, Row, Select, func, literal, select

from models.base.kinds import Module
from models.base.money import round_to
from models.customer.customer import Customer
from models.guarantee.project import UNDER_WAY, Project, ProjectState, Stage
from models.system.organization import Employee
from reports.base.asked import Asked
from reports.base.report import (
    Found,
    Line,
    Report,
    additive,
    count,
    register,
    stated,
    words,
)
from reports.base.scope import scoped
from reports.figures.parameters import whole
from reports.figures.spreads import Spread, spreads
from reports.guarantee.asked_projects import WHOSE, conditions, whose
from reports.guarantee.handling import SLOW
from reports.rules.sql import days_between

SHOWN = 4  # projects of each stage that the board shows by name, those that have stood longest
# After the drawdown a stage lasts as long as the loan: told, and added to nothing.
_AFTER = (Stage.IN_FORCE, Stage.RELEASE)
_STATES = (*UNDER_WAY, ProjectState.IN_FORCE)


_CARD: tuple[Any, ...] = (
    Project.id,
    Project.number,
    Project.stage,
    Project.stage_since,
    Project.amount,
    Customer.name.label("customer"),
    Employee.name.label("manager"),
)


@dataclass(frozen=True)
class BoardStage:
    """A stage with what stands there; `rows` are those that have stood longest, `url` opens all of them."""

    stage: Stage
    spread: Spread
    amount: Decimal
    rows: Sequence[Row[Any]]
    url: str


def stages(asked: Asked) -> list[BoardStage]:
    """The stages at which something stands, in the order of the line: three queries, however many projects."""
    stood = days_between(literal(asked.today, Date()), Project.stage_since)
    spread = spreads(
        asked.session,
        _standing(asked, Project.stage.label("key"), stood.label("value")),
    )
    query = _standing(asked, Project.stage, func.sum(Project.amount)).group_by(Project.stage)
    amounts: dict[Stage, Decimal] = {row[0]: row[1] for row in asked.session.execute(query)}
    longest: dict[Stage, list[Row[Any]]] = {}
    for row in asked.session.execute(_longest(asked)):
        longest.setdefault(row.stage, []).append(row)
    return [
        BoardStage(one, spread[one], amounts[one], longest[one], _list(asked, one))
        for one in Stage
        if one in spread
    ]


def _standing(asked: Asked, *columns: Any) -> Select[Any]:
    found = select(*columns).where(Project.state.in_(_STATES), Project.stage_since.is_not(None))
    return scoped(found.where(*whose(asked)), Project, asked.actor)


def _longest(asked: Asked) -> Select[Any]:
    place = func.row_number().over(
        partition_by=Project.stage, order_by=(Project.stage_since, Project.id)
    )
    ranked = _standing(asked, Project.id, place.label("place")).subquery()
    return (
        select(*_CARD)
        .join(ranked, ranked.c.id == Project.id)
        .join(Customer, Customer.id == Project.customer_id)
        .outerjoin(Employee, Employee.id == Project.manager_id)
        .where(ranked.c.place <= SHOWN)
        .order_by(Project.stage_since, Project.id)
    )


def _list(asked: Asked, stage: Stage) -> str:
    states = ",".join(state.name for state in _STATES)
    return asked.rows("project", f"stage:eq:{stage.name}", f"state:in:{states}", *conditions(asked))


def lines(asked: Asked) -> Found:
    """A line for each stage at which something stands; what is in force is told and added to nothing."""
    board = stages(asked)
    slow = whole(asked.session, SLOW, asked.today)
    return Found([_line(one, slow) for one in board], note=asked.as_of, source=board)


def _line(one: BoardStage, slow: int) -> Line:
    spread, since = one.spread, one.rows[0].stage_since
    values = {
        "stage": one.stage.label,
        "count": spread.count,
        "amount": one.amount,
        "median": spread.median,
        "mean": round_to(Decimal(spread.total) / spread.count, 1),
        "longest": spread.largest,
        "since": since,
    }
    return Line(
        values,
        url=one.url,
        urls=dict.fromkeys(("count", "amount"), one.url),
        tones={"longest": "warn"} if is_slow(one.stage, spread.largest, slow) else {},
        counts=one.stage not in _AFTER,
    )


def is_slow(stage: Stage, days: int, slow: int) -> bool:
    """Whether a project has stood at a stage for as long as the parameter says, or longer."""
    return stage not in _AFTER and days >= slow


register(
    Report(
        "project-board",
        "项目看板",
        Module.QUERY,
        permission=("list", "project"),
        columns=(
            words("stage", "阶段"),
            count("count", "项目", "个"),
            additive("amount", "担保金额"),
            stated("median", "已停留中位数", kind="rate", unit="天"),
            stated("mean", "平均", kind="rate", unit="天"),
            stated("longest", "最长", kind="int", unit="天"),
            words("since", "最早进入", kind="date"),
        ),
        lines=lines,
        params=WHOSE,
        rank=5,
        help="只含您数据范围内草稿、办理中和在保的项目；合计不含放款之后的阶段",
        empty="没有办理中的项目",
    )
)
