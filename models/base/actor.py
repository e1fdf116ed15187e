"""Who acts or reads: the answer to permission and data-scope questions, free of any web framework."""

from dataclasses import dataclass, field
from enum import IntEnum

from models.base.errors import NotAllowed


class ScopeLevel(IntEnum):
    """How far a role sees (X5); the widest of a person's roles holds."""

    SELF = 1
    DEPARTMENT = 2
    SUBTREE = 3
    ALL = 4

    @property
    def label(self) -> str:
        """Chinese name of the level."""
        return {1: "本人", 2: "本部门", 3: "本部门及下级", 4: "全部"}[self.value]


@dataclass(frozen=True)
class Actor:
    """A signed-in employee, or the system itself (jobs, demo set-up)."""

    employee_id: int | None
    name: str
    user_id: int | None = None
    department_id: int | None = None
    department_ids: frozenset[int] = frozenset()
    scope: ScopeLevel = ScopeLevel.SELF
    roles: frozenset[str] = frozenset()
    permissions: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    on_behalf_of_id: int | None = None
    ip: str = ""
    is_system: bool = False

    def may(self, verb: str, resource: str) -> bool:
        """Whether this actor holds the permission `can_<verb>` on a resource (a table name)."""
        return self.is_system or (f"can_{verb}", resource) in self.permissions

    def require(self, verb: str, resource: str, label: str = "") -> None:
        """Raise NotAllowed unless `may`."""
        if not self.may(verb, resource):
            raise NotAllowed(f"您没有“{label or verb}”的权限", needed=(verb, resource))


SYSTEM = Actor(employee_id=None, name="系统", scope=ScopeLevel.ALL, is_system=True)
