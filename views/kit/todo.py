"""待办: what waits for the reader, as rows that open where it is done; counted once per request."""

from collections.abc import Sequence
from datetime import date, datetime

from flask import g

from models.base.moments import local
from models.base.money import format_money
from reports.workbench import todo
from reports.workbench.todo import Todo, Waiting
from reports.workbench.todo_source import TodoKind
from views.kit.cells import NONE, format_value, record_url
from views.kit.deadlines import lateness
from views.kit.pages import Action, Cell, Column, Row
from workflows.base.context import Ctx

# Where each kind is done, when it is not the record's own page.
_PLACES = {TodoKind.TASK: "/approvals/{}", TodoKind.BALLOT: "/approvals/ballots/{}"}
# Where several of a kind are done at once.
_TOGETHER = {
    TodoKind.BOOK: ("/review/", "笔"),
    TodoKind.REVIEW: ("/voucher/list/?view=review", "张"),
    TodoKind.SIGN: ("/voucher/list/?view=sign", "张"),
    TodoKind.POST: ("/voucher/list/?view=post", "张"),
}


def waiting(ctx: Ctx) -> Waiting:
    """What waits for the reader: the bell, the menu and the page itself say the same."""
    if "waiting" not in g:
        g.waiting = todo.waiting(ctx.session, ctx.actor, ctx.now, ctx.today)
    found: Waiting = g.waiting
    return found


def rows(ctx: Ctx, limit: int, *, dated: bool = False) -> list[Row]:
    """The things that wait, at most so many; `dated` adds when they came."""
    return [
        _row(ctx, one, dated=dated)
        for one in todo.todos(ctx.session, ctx.actor, waiting(ctx), limit)
    ]


def together(ctx: Ctx) -> list[Action]:
    """凭证审核 10 张, for what need not be opened one by one."""
    counts = waiting(ctx).counts
    found = ((kind.label, counts.get(kind, 0), *where) for kind, where in _TOGETHER.items())
    return [Action(f"{label} {n} {unit}", url) for label, n, url, unit in found if n > 1]


def columns(*, dated: bool = False) -> list[Column]:
    """Heads of the rows."""
    found = [Column("what", "事项"), Column("about", "客户 / 说明"), Column("number", "编号")]
    found += [Column("amount", "金额", "money", "元"), Column("by", "提交人")]
    return [
        *found,
        *([Column("since", "提交时间", "datetime")] if dated else []),
        Column("due", "时限"),
    ]


def headline(found: Waiting) -> str:
    """今天有 7 项待办，其中 1 项超时."""
    told = f"；另有 {found.copies} 项抄送未阅" if found.copies else ""
    if not found.total:
        return f"今天没有待办{told}"
    late = f"，其中 {found.late} 项超时" if found.late else ""
    return f"今天有 {found.total} 项待办{late}{told}"


def next_url(ctx: Ctx) -> str:
    """The next decision after one is taken; the list where none is left."""
    g.pop("waiting", None)
    following = todo.todos(ctx.session, ctx.actor, waiting(ctx))
    return next((address(one) for one in following if one.kind in _PLACES), "/approvals/")


def position(ctx: Ctx, kind: TodoKind, record_id: int) -> str:
    """待办 2 / 7, for the head of a decision page."""
    found: Sequence[Todo] = todo.todos(ctx.session, ctx.actor, waiting(ctx))
    at = [
        number
        for number, one in enumerate(found, 1)
        if (one.kind, one.record_id) == (kind, record_id)
    ]
    return f"待办 {at[0]} / {len(found)}" if at else ""


def address(one: Todo) -> str:
    """Where it is done."""
    return place(one.kind, one.table, one.record_id)


def place(kind: TodoKind, table: str, record_id: int) -> str:
    """Where a thing of this kind is done."""
    found = _PLACES.get(kind)
    return found.format(record_id) if found else record_url(table, record_id)


def _row(ctx: Ctx, one: Todo, *, dated: bool) -> Row:
    url = address(one)
    amount = NONE if one.amount is None else format_money(one.amount)
    cells = [
        Cell(one.what),
        Cell(one.about, "link", url=url),
        Cell(one.number or NONE),
        Cell(amount, "money"),
        Cell(one.by or NONE),
    ]
    if dated:
        cells.append(Cell(format_value(one.since, "datetime"), "datetime"))
    cells.append(lateness(one.due_at, ctx.now) or _age(one.since, ctx.today))
    return Row(f"{one.kind.name}-{one.table}-{one.record_id}", url, tuple(cells))


def _age(since: date | datetime | None, today: date) -> Cell:
    """已等 3 天, for what has no time limit."""
    if since is None:
        return Cell(NONE)
    day = local(since).date() if isinstance(since, datetime) else since
    days = (today - day).days
    return Cell(f"已等 {days} 天" if days > 0 else "今天", title=f"自 {day}")
