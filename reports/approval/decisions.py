"""5.2 担保审批查询: who has decided what, with which words, and how long each node took."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import InstrumentedAttribute

from models.approval.approval import (
    ApprovalFlow,
    ApprovalInstance,
    ApprovalNode,
    ApprovalTask,
    ApprovalType,
    TaskState,
)
from models.base import columns as c
from models.base.kinds import MenuGroup, Module
from models.base.moments import SHANGHAI, local
from models.base.money import round_to
from models.guarantee.project import Project
from models.system.organization import Employee
from reports.base.asked import Asked
from reports.base.params import Param, choice, date_range, one_of, pick, span, tick
from reports.base.report import (
    Chart,
    Found,
    Line,
    Report,
    additive,
    count,
    drill,
    register,
    stated,
    words,
)
from reports.base.rows import page
from reports.base.scope import scoped
from reports.figures.spreads import Spread, spreads
from reports.rules.sql import minutes_between

_DECIDED = (TaskState.APPROVED, TaskState.REJECTED, TaskState.RETURNED, TaskState.TRANSFERRED)
# What was settled without this person is no decision: it is shown to who asks for it by name alone.
_SHOWN = (TaskState.PENDING, *_DECIDED)
_TIMED = (ApprovalTask.state.in_(_DECIDED), ApprovalTask.is_automatic.is_(False))
_HOUR = Decimal(60)
_MINUTES = minutes_between(ApprovalTask.decided_at, ApprovalTask.created_at)

_COLUMNS: tuple[Any, ...] = (
    ApprovalTask.state,
    ApprovalTask.opinion,
    ApprovalTask.created_at,
    ApprovalTask.decided_at,
    ApprovalTask.due_at,
    ApprovalTask.is_automatic,
    _MINUTES.label("minutes"),
    ApprovalInstance.id.label("instance_id"),
    ApprovalInstance.title,
    ApprovalType.label.label("type"),
    ApprovalNode.name.label("node"),
    Employee.name.label("person"),
    Project.id.label("project_id"),
    Project.number.label("project"),
)


READERS = ("客户经理", "业务部门经理", "风控总监", "分管副总", "总裁", "审计管理员")

PARAMS = {
    "type": pick("业务类型", "approval_type"),
    "node": pick("流程节点", "approval_node"),
    "person": pick("审批人", "employee"),
    "project": pick("担保项目", "project"),
    "state": one_of("办理结果", TaskState),
    "timed": tick("审批用时", no="全部", yes="只看计入统计的"),
    "first": Param(c.day("送达日期起"), not_after="last"),
    "last": Param(c.day("送达日期止")),
}


def _asked_for(asked: Asked, query: Select[Any]) -> Select[Any]:
    """Tasks that came in the days asked for, of the business, node, person and project chosen, within scope."""
    chosen = (
        ("type", ApprovalInstance.business_type_id),
        ("project", ApprovalInstance.project_id),
        ("node", ApprovalTask.node_id),
        ("person", ApprovalTask.assignee_id),
    )
    found: list[ColumnElement[bool]] = [
        column == record.id for name, column in chosen if (record := asked[name]) is not None
    ]
    if asked["first"] is not None:
        found.append(ApprovalTask.created_at >= _midnight(asked["first"]))
    if asked["last"] is not None:
        found.append(ApprovalTask.created_at < _midnight(asked["last"] + timedelta(days=1)))
    return scoped(query.where(*found), ApprovalTask, asked.actor, as_set=True)


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def hours(minutes: Decimal | int) -> Decimal:
    """Minutes as hours, to one place."""
    return round_to(Decimal(minutes) / _HOUR, 1)


def lines(asked: Asked) -> Found:
    """The last that came first."""
    query = (
        select(*_COLUMNS)
        .join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
        .join(ApprovalType, ApprovalType.id == ApprovalInstance.business_type_id)
        .join(ApprovalNode, ApprovalNode.id == ApprovalTask.node_id)
        .join(Employee, Employee.id == ApprovalTask.assignee_id)
        .outerjoin(Project, Project.id == ApprovalInstance.project_id)
        .order_by(ApprovalTask.created_at.desc(), ApprovalTask.id.desc())
    )
    states = _SHOWN if asked["state"] is None else (asked["state"],)
    query = _asked_for(asked, query.where(ApprovalTask.state.in_(states)))
    if asked["timed"]:
        query = query.where(*_TIMED)
    found = page(asked, query, "minutes")
    return Found(
        [_line(asked, row) for row in found.rows],
        count=found.count,
        heading=f"{found.count:,} 项审批任务，用时合计 {hours(found.sums['minutes']):,} 小时",
        note=asked.as_of,
    )


def _line(asked: Asked, row: Row[Any]) -> Line:
    is_open = row.state is TaskState.PENDING
    waited = (asked.today - local(row.created_at).date()).days
    is_late = row.due_at is not None and row.due_at < (row.decided_at or _midnight(asked.today))
    values = {
        "type": row.type,
        "title": row.title,
        "project": row.project,
        "node": row.node,
        "person": row.person,
        "state": "系统办理" if row.is_automatic else row.state.label,
        "opinion": row.opinion,
        "asked": row.created_at,
        "decided": row.decided_at,
        "hours": None if row.minutes is None else hours(row.minutes),
        "waited": waited if is_open else None,
    }
    return Line(
        values,
        url=asked.record("approval_instance", row.instance_id),
        urls={"project": asked.record("project", row.project_id)},
        tones={"state": row.state.tone, **({"waited": "bad", "hours": "bad"} if is_late else {})},
        main=1,
    )


register(
    Report(
        "approval-decisions",
        "担保审批查询",
        Module.QUERY,
        permission=("by_decision", "approval_instance"),
        given_to=READERS,
        columns=(
            words("type", "业务类型"),
            words("title", "审批单", is_long=True),
            words("project", "担保项目"),
            words("node", "节点"),
            words("person", "审批人"),
            words("state", "办理结果"),
            words("opinion", "意见", is_long=True),
            words("asked", "送达时间", kind="datetime"),
            words("decided", "办理时间", kind="datetime"),
            stated("hours", "用时", kind="rate", unit="小时"),
            stated("waited", "已等", kind="int", unit="天"),
        ),
        lines=lines,
        params=PARAMS,
        menu=MenuGroup.DECIDED,
        rank=20,
        help="只含您可以查看的审批；用时为送达至办理的时间，超过办理时限的标红；他人已办、已撤回的任务选“办理结果”查看",
        page_size=200,
    )
)


# ============================================================================================ where approvals wait long
_BY: dict[str, tuple[str, InstrumentedAttribute[Any], InstrumentedAttribute[Any]]] = {
    "node": ("流程节点", ApprovalTask.node_id, ApprovalNode.id),
    "type": ("业务类型", ApprovalInstance.business_type_id, ApprovalType.id),
    "person": ("审批人", ApprovalTask.assignee_id, Employee.id),
}


def times(asked: Asked) -> Found:
    """Nodes, kinds of business or people, those who take longest first."""
    by = asked["by"]
    query = (
        select(_BY[by][1].label("key"), _MINUTES.label("value"))
        .join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
        .where(*_TIMED)
    )
    found = spreads(asked.session, _asked_for(asked, query))
    names = _names(asked, by, list(found))
    ranked = sorted(found.items(), key=lambda one: (-one[1].median, one[0]))
    return Found(
        [_time(asked, by, key, names[key], spread) for key, spread in ranked],
        span=span(asked["first"].isoformat(), asked["last"].isoformat()),
        note=asked.as_of,
    )


def _names(asked: Asked, by: str, keys: list[int]) -> dict[int, str]:
    if by == "node":
        query = (
            select(ApprovalNode.id, ApprovalType.label + " · " + ApprovalNode.name)
            .join(ApprovalFlow, ApprovalFlow.id == ApprovalNode.flow_id)
            .join(ApprovalType, ApprovalType.id == ApprovalFlow.business_type_id)
        )
    elif by == "type":
        query = select(ApprovalType.id, ApprovalType.label)
    else:
        query = select(Employee.id, Employee.name)
    found = asked.session.execute(query.where(_BY[by][2].in_(keys)))
    return {row[0]: row[1] for row in found}


def _time(asked: Asked, by: str, key: int, name: str, spread: Spread) -> Line:
    given = {by: key, "first": asked["first"], "last": asked["last"], "timed": 1}
    url = drill(asked, "approval-decisions", **given)
    values = {
        "name": name,
        "count": spread.count,
        "median": hours(spread.median),
        "mean": hours(Decimal(spread.total) / spread.count),
        "longest": hours(spread.largest),
        "hours": hours(spread.total),
    }
    return Line(values, url=url, urls=dict.fromkeys(("count", "hours"), url))


register(
    Report(
        "approval-time",
        "审批用时",
        Module.QUERY,
        permission=("by_decision", "approval_instance"),
        given_to=READERS,
        columns=(
            words("name", "节点 / 业务 / 审批人"),
            count("count", "已办", "项"),
            stated("median", "用时中位数", unit="小时"),
            stated("mean", "平均用时", unit="小时"),
            stated("longest", "最长", unit="小时"),
            additive("hours", "合计用时", "小时"),
        ),
        lines=times,
        params={
            "by": choice("按", [(name, one[0]) for name, one in _BY.items()], "node"),
            **date_range(of_year=True),
        },
        menu=MenuGroup.DECIDED,
        rank=25,
        help="按送达日期统计已办的审批任务，系统办理的不计；中位数大的在前，点数字看每一项",
        chart=Chart("name", "median"),
    )
)
