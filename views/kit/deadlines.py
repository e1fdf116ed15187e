"""How far a day or a deadline is, in words and colour: inbox, approvals and cards of the workbench say it alike."""

from datetime import datetime

from models.base.moments import local
from views.kit.pages import Cell


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
    return Cell(
        "今天" if days == 0 else f"剩 {days} 天", "enum", tone="warn" if days <= 7 else "doing"
    )
