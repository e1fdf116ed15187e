"""What a role says beyond its permissions: how far it sees (X5)."""

from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Spec
from models.base.kinds import Kind, Module, SpecKind


class ScopeKind(Kind):
    """Data scope of a role; names agree with models.base.actor.ScopeLevel."""

    SELF = "本人"
    DEPARTMENT = "本部门"
    SUBTREE = "本部门及下级"
    ALL = "全部"


class RoleProfile(Entity):
    """Data scope and description of a role; permissions themselves are the framework's rows."""

    spec = Spec(
        "角色数据范围",
        Module.SYSTEM,
        SpecKind.INTERNAL,
        title="name",
        in_menu=False,
        key=("name",),
        config=Config(label="角色权限"),
    )
    role_id: Mapped[int] = c.reference(
        "角色", "ab_role", required=True, unique=True, index=False, ondelete="CASCADE"
    )
    name: Mapped[str] = c.text("角色名称", 64, required=True)
    scope: Mapped[ScopeKind] = c.enum("数据范围", ScopeKind, required=True, default=ScopeKind.SELF)
    note: Mapped[str | None] = c.text("职责", 200)
    is_builtin: Mapped[bool] = c.flag("内置角色")
