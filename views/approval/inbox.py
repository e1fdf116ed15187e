"""The tabs of 待办事项 (2.2-2.5): what waits, several at once, what is late, what I have put up and decided."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.approval.approval import (
    ApprovalInstance,
    ApprovalTask,
    NodeMode,
    TaskOrigin,
    TaskState,
)
from models.base.money import format_money
from reports.base.scope import scoped
from reports.figures import approvals as figures
from reports.workbench import desktop
from views.approval import copies
from views.kit import bulk, edge, todo
from views.kit.cells import NONE, format_value
from views.kit.deadlines import lateness
from views.kit.interface import valid_id
from views.kit.pages import Action, Cell, Column, ListPage, Paging, Row, Tab
from workflows.approval import at_node
from workflows.base.context import Ctx

MOST = 200
TABS = {
    "todo": "待办",
    "many": "批量审批",
    "late": "超时审批",
    "copies": "抄送",
    "mine": "我发起的",
    "done": "我已办",
}
_NONE = {
    "todo": "没有等您办理的事项",
    "many": "没有等您审批的事项",
    "late": "您能查看的业务没有超时的审批",
    "copies": "没有抄送给您的审批",
    "mine": "您还没有提交过审批",
    "done": "您还没有审批过业务",
}
_SAID = "{n} 项审批用同一意见办理，每项单独决定，不能办的列出原因。"
_BULK = (
    Action(
        "同意",
        "/approvals/bulk/approve",
        "POST",
        "primary",
        confirm=f"同意所选 {_SAID}",
        ask="审批意见",
    ),
    Action(
        "退回",
        "/approvals/bulk/return",
        "POST",
        confirm=f"退回申请人：所选 {_SAID}",
        ask="退回原因",
        ask_required=True,
    ),
    Action(
        "否决",
        "/approvals/bulk/reject",
        "POST",
        "danger",
        confirm=f"否决所选 {_SAID}",
        ask="否决原因",
        ask_required=True,
    ),
)


def page(ctx: Ctx, tab: str, asked_page: str) -> ListPage:
    """One tab."""
    columns, rows = _BUILDERS[tab](ctx)
    size = edge.rows_per_page(ctx)
    pages = max(-(-len(rows) // size), 1)
    page_no = min(valid_id(asked_page) or 1, pages)
    shown = rows[(page_no - 1) * size : page_no * size]
    links = tuple(
        (str(n), f"/approvals/?tab={tab}&page={n}", n == page_no) for n in range(1, pages + 1)
    )
    first = (page_no - 1) * size + 1 if rows else 0
    paging = Paging(
        first,
        first + len(shown) - 1 if rows else 0,
        len(rows),
        page=page_no,
        pages=pages,
        size=size,
        sizes=(),
        links=links,
    )
    waiting = todo.waiting(ctx)
    counts = {"todo": waiting.total, "copies": waiting.copies}
    together = {"many": list(_BULK), "copies": [copies.READ]}
    return ListPage(
        "待办事项",
        f"最近 {MOST} 条" if len(rows) == MOST else "",
        columns,
        shown,
        paging,
        tabs=[
            Tab(
                label,
                f"/approvals/?tab={key}",
                key == tab,
                counts.get(key) or (0 if key == "todo" else None),
                key,
            )
            for key, label in TABS.items()
        ],
        actions=todo.together(ctx),
        bulk=together.get(tab, []) if rows else [],
        url="/approvals/",
        empty=_NONE[tab],
        crumbs=[("我的工作台", ""), ("待办事项", "")],
        help_key="approval_task",
    )


def all_mine(ctx: Ctx) -> list[bulk.Picked]:
    """Every task that the reader may decide together with others."""
    return [bulk.Picked(task.id, task.version) for task in _to_decide(ctx)]


def _to_decide(ctx: Ctx) -> list[ApprovalTask]:
    """Opinions are asked for one by one, and so are votes, and what asks for more than an opinion."""
    return [
        task
        for task in figures.my_tasks(ctx.session, ctx.actor, MOST)
        if task.origin is not TaskOrigin.ENTRUST
        and task.node.mode is not NodeMode.VOTE
        and at_node.is_plain(task)
    ]


def _many(ctx: Ctx) -> tuple[list[Column], list[Row]]:
    columns = [
        Column("title", "业务"),
        Column("type", "类型"),
        Column("amount", "金额", "money", "元"),
        Column("by", "提交人"),
        Column("node", "节点"),
        Column("since", "提交时间", "datetime"),
        Column("due", "时限"),
    ]
    rows = []
    for task in _to_decide(ctx):
        one, is_own = task.instance, task.assignee_id == ctx.actor.employee_id
        cells = (
            *_what(one),
            Cell(one.applicant.name),
            Cell(task.node.name if is_own else f"{task.node.name}（代{task.assignee.name}）"),
            _moment(one.submitted_at),
            lateness(task.due_at, ctx.now) or Cell(NONE),
        )
        rows.append(Row(str(task.id), f"/approvals/{task.id}", cells, seen=f".{task.version}"))
    return columns, rows


def _late(ctx: Ctx) -> tuple[list[Column], list[Row]]:
    """Pending tasks past their time limit on what the reader may read, the longest overdue first."""
    columns = [
        Column("title", "业务"),
        Column("type", "类型"),
        Column("amount", "金额", "money", "元"),
        Column("node", "节点"),
        Column("person", "审批人"),
        Column("due", "时限"),
        Column("chief", "督办人"),
    ]
    query = select(ApprovalTask).where(
        ApprovalTask.state == TaskState.PENDING, ApprovalTask.due_at < ctx.now
    )
    query = scoped(query, ApprovalTask, ctx.actor, as_set=True).options(
        joinedload(ApprovalTask.node),
        joinedload(ApprovalTask.assignee),
        joinedload(ApprovalTask.escalated_to),
        joinedload(ApprovalTask.instance).joinedload(ApprovalInstance.business_type),
    )
    rows = []
    for task in ctx.session.scalars(query.order_by(ApprovalTask.due_at).limit(MOST)):
        cells = (
            *_what(task.instance),
            Cell(task.node.name),
            Cell(task.assignee.name),
            lateness(task.due_at, ctx.now) or Cell(NONE),
            Cell(task.escalated_to.name if task.escalated_to else NONE),
        )
        rows.append(Row(str(task.id), f"/approvals/instance/{task.instance_id}", cells))
    return columns, rows


def _todo(ctx: Ctx) -> tuple[list[Column], list[Row]]:
    return todo.columns(dated=True), todo.rows(ctx, MOST, dated=True)


def _mine(ctx: Ctx) -> tuple[list[Column], list[Row]]:
    columns = [
        Column("title", "业务"),
        Column("type", "类型"),
        Column("amount", "金额", "money", "元"),
        Column("state", "状态"),
        Column("submitted", "提交时间", "datetime"),
        Column("finished", "办结时间", "datetime"),
    ]
    rows = [
        Row(
            str(one.id),
            f"/approvals/instance/{one.id}",
            (
                *_what(one),
                Cell(one.state.label, "enum", tone=one.state.tone),
                _moment(one.submitted_at),
                _moment(one.finished_at),
            ),
        )
        for one in desktop.my_submissions(ctx.session, ctx.actor, MOST)
    ]
    return columns, rows


def _done(ctx: Ctx) -> tuple[list[Column], list[Row]]:
    columns = [
        Column("title", "业务"),
        Column("type", "类型"),
        Column("amount", "金额", "money", "元"),
        Column("node", "节点"),
        Column("result", "我的决定"),
        Column("opinion", "意见"),
        Column("decided", "办理时间", "datetime"),
        Column("state", "审批状态"),
    ]
    rows = []
    for task in figures.my_decisions(ctx.session, ctx.actor, MOST):
        one = task.instance
        cells = (
            *_what(one),
            Cell(
                f"{task.node.name}（代{task.on_behalf_of.name}）"
                if task.on_behalf_of
                else task.node.name
            ),
            Cell(task.state.label, "enum", tone=task.state.tone),
            Cell(task.opinion or "—"),
            _moment(task.decided_at),
            Cell(one.state.label, "enum", tone=one.state.tone),
        )
        rows.append(Row(str(task.id), f"/approvals/{task.id}", cells))
    return columns, rows


def _what(one: ApprovalInstance) -> tuple[Cell, Cell, Cell]:
    amount = Cell(format_money(one.amount) if one.amount is not None else "—", "money")
    return Cell(one.title, "link"), Cell(one.business_type.label), amount


def _moment(value: object) -> Cell:
    return Cell(format_value(value, "datetime"), "datetime")


_BUILDERS: dict[str, Callable[[Ctx], tuple[list[Column], list[Row]]]] = {
    "todo": _todo,
    "many": _many,
    "late": _late,
    "copies": lambda ctx: copies.tab(ctx, MOST),
    "mine": _mine,
    "done": _done,
}
