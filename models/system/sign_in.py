"""Signing in: sessions that begin and end, places a person is known from, and tries that went wrong."""

from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.system.organization import Operator


class SignInKind(Kind):
    """By which door somebody came in."""

    BROWSER = "浏览器"
    PROGRAM = "程序接口"


class SessionEnd(Kind):
    """Why a session is over before its time."""

    SIGNED_OUT = "本人退出"
    OWNER = "本人从其他设备结束"
    PASSWORD = "密码已修改"  # noqa: S105 - a reason
    ROLES = "角色或权限已变更"
    DISABLED = "账号已停用"
    ADMINISTRATOR = "管理员结束"


class SignInSession(Entity):
    """One signed-in browser or program: the cookie or token holds a random word, this row its digest and its end."""

    spec = Spec(
        "登录会话",
        Module.SYSTEM,
        SpecKind.INTERNAL,
        title="id",
        scope=Scope(through="operator"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("token_hash", name="uq_sign_in_session_token_hash"),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ck_sign_in_session_end"),
    )

    operator_id: Mapped[int] = c.owned_by("操作员", "operator", part=None)
    operator: Mapped[Operator] = c.related(operator_id)
    token_hash: Mapped[str] = c.hidden(c.text("令牌摘要", 64, required=True))
    kind: Mapped[SignInKind] = c.enum("方式", SignInKind, required=True)
    began_at: Mapped[datetime] = c.moment("登录时间", required=True)
    seen_at: Mapped[datetime] = c.moment("最近使用", required=True)
    # Moments rather than minutes: a request compares them without reading parameters.
    idle_until: Mapped[datetime] = c.hidden(c.moment("闲置到期", required=True))
    expires_at: Mapped[datetime] = c.moment("最迟到期", required=True, index=True)
    ip: Mapped[str | None] = c.text("地址", 45)
    user_agent: Mapped[str | None] = c.text("设备", 200)
    ended_at: Mapped[datetime | None] = c.moment("结束时间", index=True)
    end_reason: Mapped[SessionEnd | None] = c.enum("结束原因", SessionEnd)


class KnownPlace(Entity):
    """A device (by the digest of its cookie) or an address from which an operator has signed in."""

    spec = Spec(
        "常用登录地点",
        Module.SYSTEM,
        SpecKind.INTERNAL,
        title="place",
        scope=Scope(through="operator"),
        in_menu=False,
    )
    __table_args__ = (UniqueConstraint("operator_id", "place", name="uq_known_place_place"),)

    operator_id: Mapped[int] = c.owned_by("操作员", "operator", part=None)
    operator: Mapped[Operator] = c.related(operator_id)
    place: Mapped[str] = c.text("地点", 80, required=True)
    used_at: Mapped[datetime] = c.moment("最近登录", required=True, index=True)


class SignInCount(Entity):
    """Tries that went wrong: by name and place, or by address alone (empty `who`); `who` is a digest.

    What people type as their name may be their password, and a name that nobody has is counted like any other.
    """

    spec = Spec("登录失败计数", Module.SYSTEM, SpecKind.INTERNAL, title="place", in_menu=False)
    __table_args__ = (
        UniqueConstraint("who", "place", name="uq_sign_in_count_who"),
        CheckConstraint("failures > 0", name="ck_sign_in_count_failures"),
    )

    who: Mapped[str] = c.text("登录名摘要", 64, required=True, default="")
    place: Mapped[str] = c.text("地点", 80, required=True)
    failures: Mapped[int] = c.whole("失败次数", required=True, default=1)
    until: Mapped[datetime] = c.moment("计至", required=True, index=True)
