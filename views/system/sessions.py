"""Where somebody is signed in: the card on 个人设置 and on an operator's page, with a button to end each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.system.sign_in import SignInKind, SignInSession
from views.kit.cells import format_value
from views.kit.pages import Action, Section

_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


@dataclass(frozen=True)
class OpenSession:
    """One row of the card."""

    device: str
    address: str
    seen: str
    began: str
    is_own: bool
    end: Action | None


def device(agent: str | None, kind: SignInKind) -> str:
    """What people call a browser: Chrome · Windows; whatever else there is by its first words."""
    if kind is SignInKind.PROGRAM:
        return kind.label
    text = agent or ""
    browser = next((label for word, label in _BROWSERS if f"{word}/" in text), "")
    system = next((word for word in _SYSTEMS if word in text), "").replace("Mac OS X", "macOS")
    return (
        " · ".join(filter(None, (browser, system)))
        or re.sub(r"[\s(].*", "", text)[:40]
        or "未知设备"
    )


def sessions_section(
    opened: Sequence[SignInSession], end_url: str, own_id: int | None = None
) -> Section:
    """The card; the session that asks is marked and has no button: 退出 ends it."""
    rows = [_row(found, end_url, is_own=found.id == own_id) for found in opened]
    others = [row for row in rows if row.end is not None]
    question = f"结束这 {len(others)} 个登录会话？相应的浏览器和程序须重新登录。"
    every = Action(
        "全部结束" if own_id is None else "结束其他登录", end_url, "POST", confirm=question
    )
    return Section(
        "sessions",
        "登录会话",
        template="parts/sessions.html",
        data=rows,
        count=len(rows),
        empty="没有正在使用的登录",
        actions=[every] if others else [],
    )


def _row(found: SignInSession, end_url: str, *, is_own: bool) -> OpenSession:
    end = Action("结束", end_url, "POST", fields=(("session", str(found.id)),))
    return OpenSession(
        device(found.user_agent, found.kind),
        found.ip or "地址不明",
        str(format_value(found.seen_at, "datetime")),
        began=str(format_value(found.began_at, "datetime")),
        is_own=is_own,
        end=None if is_own else end,
    )
