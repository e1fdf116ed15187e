"""What the cards of the workbench share: the figures of one page, addresses of lists, and how far a day is."""

from datetime import datetime
from decimal import Decimal
from functools import cached_property

from models.after.warning import OPEN_WARNING
from models.guarantee.project import UNDER_WAY
from reports.workbench import desktop
from views.kit.cells import local
from views.kit.filters import among
from views.kit.pages import Cell
from workflows.base.context import Ctx

PROJECTS = f"/project/list/?f={among('state', UNDER_WAY)}"
IN_FORCE = "/project/list/?f=state:eq:IN_FORCE"
WARNINGS = f"/risk_warning/list/?f={among('state', OPEN_WARNING)}"


class Desk:
    """What one page of the workbench asks: figures that stand in the line above and in a card are read once."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.session, self.actor, self.today = ctx.session, ctx.actor, ctx.today

    @cached_property
    def stages(self) -> list[desktop.StageCount]:
        """Projects under way by stage."""
        return desktop.project_stages(self.session, self.actor)

    @cached_property
    def running(self) -> desktop.Total:
        """Projects under way in all."""
        amount = sum((line.amount for line in self.stages), Decimal(0))
        return desktop.Total(sum(line.count for line in self.stages), amount)

    @cached_property
    def force(self) -> desktop.Total:
        """Projects in force."""
        return desktop.in_force(self.session, self.actor)

    @cached_property
    def warnings(self) -> int:
        """Warnings that are not lifted."""
        return desktop.open_warning_count(self.session, self.actor)


def lateness(due: datetime | None, now: datetime) -> Cell | None:
    """How a deadline stands: 超时 2 天, 剩 5 小时; None without one."""
    if due is None:
        return None
    seconds = int((due - now).total_seconds())
    minutes = abs(seconds) // 60
    if minutes >= 2 * 1440:
        words = f"{minutes // 1440} 天"
    else:
        words = f"{minutes // 60} 小时" if minutes >= 60 else f"{minutes} 分钟"
    title = f"办理期限 {local(due):%Y-%m-%d %H:%M}"
    if seconds < 0:
        return Cell(f"超时 {words}", "enum", tone="bad", title=title)
    return Cell(f"剩 {words}", "enum", tone="warn" if minutes < 8 * 60 else "doing", title=title)


def day_of(moment: datetime | None) -> str:
    """The date of a moment in Shanghai."""
    return f"{local(moment):%Y-%m-%d}" if moment else ""


def days_left(days: int) -> Cell:
    """How far a day is: 超 3 天, 今天, 剩 5 天."""
    if days < 0:
        return Cell(f"超 {-days} 天", "enum", tone="bad")
    return Cell("今天" if days == 0 else f"剩 {days} 天", "enum", tone="warn" if days <= 7 else "doing")
