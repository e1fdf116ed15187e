"""The board over the table of 项目看板: a lane for each stage with the projects that have stood there longest."""

from typing import Any

from sqlalchemy import Row

from models.base.money import format_money
from reports.base.report import Found
from reports.figures.parameters import whole
from reports.guarantee.handling import SLOW
from reports.guarantee.project_board import BoardStage, is_slow
from views.kit.pages import Cell, FeedItem, Lane, ReportPage, Section
from views.kit.report import decorate
from workflows.base.context import Ctx

_WAN = 10_000


@decorate("project-board")
def _draw(ctx: Ctx, page: ReportPage, found: Found) -> None:
    board: list[BoardStage] = found.source
    slow = whole(ctx.session, SLOW, ctx.today)
    lanes = [_lane(ctx, one, slow) for one in board]
    if lanes:
        note = f"每个阶段列出停留最久的项目；停留 {slow} 天以上的标出"
        page.above = [Section("board", "看板", template="parts/lanes.html", data=lanes, note=note)]


def _lane(ctx: Ctx, one: BoardStage, slow: int) -> Lane:
    spread = one.spread
    amount, days = format_money(one.amount / _WAN), f"{spread.median.normalize():f}"
    left = spread.count - len(one.rows)
    return Lane(
        one.stage.label,
        f"{amount} 万元 · 中位 {days} 天",
        spread.count,
        one.url,
        tuple(_card(ctx, one, row, slow) for row in one.rows),
        f"另有 {left} 个" if left > 0 else "",
    )


def _card(ctx: Ctx, one: BoardStage, row: Row[Any], slow: int) -> FeedItem:
    days = (ctx.today - row.stage_since).days
    mark = Cell("停留过久", tone="warn") if is_slow(one.stage, days, slow) else None
    sub = f"{format_money(row.amount / _WAN)} 万元 · {row.manager or '未指定'} · {row.number}"
    return FeedItem(row.customer, sub, mark, f"{days} 天", f"/project/show/{row.id}")
