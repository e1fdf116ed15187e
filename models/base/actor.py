"""Who acts or reads: the answer to permission and data-scope questions, free of any web framework."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum, IntEnum

from models.base.errors import NotAllowed


class ScopeLevel(IntEnum):
    """How far a role sees (X5): the widest of a person's roles for reading, for acting those that give the right."""

    SELF = 1
    DEPARTMENT = 2
    SUBTREE = 3
    ALL = 4

    @classmethod
    def of(cls, kind: Enum | None) -> "ScopeLevel":
        """The level that a role keeps; one that keeps none sees its own."""
        return cls[kind.name] if kind else cls.SELF

    @property
    def label(self) -> str:
        """Chinese name of the level."""
        return {1: "本人", 2: "本部门", 3: "本部门及下级", 4: "全部"}[self.value]


@dataclass(frozen=True)
class Mandate:
    """Whose approvals an actor decides (工作托管): of one business type or all, up to an amount (元) or any."""

    employee_id: int
    business_type_id: int | None = None
    amount_to: Decimal | None = None


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
    # Permissions that no role of the widest scope gives, with the widest of those that give them.
    narrower: frozenset[tuple[str, str, ScopeLevel]] = field(default=frozenset(), repr=False)
    # Whom this very deed is done for (代), and the waiting tasks that others have handed over (工作托管).
    on_behalf_of_id: int | None = None
    lent: frozenset[int] = frozenset()
    ip: str = ""
    is_system: bool = False
    # Being asked about a record opens it to be read, and to nothing else (A7).
    reads_as_asked: bool = True

    def may(self, verb: str, resource: str) -> bool:
        """Whether this actor holds the permission `can_<verb>` on a resource (a table name)."""
        return self.is_system or (f"can_{verb}", resource) in self.permissions

    @property
    def reach(self) -> tuple[object, ...]:
        """All that decides which rows this actor reads, beside the rows themselves: to be compared with what it was."""
        return (
            self.employee_id,
            tuple(sorted(self.lent)),
            self.scope.name,
            self.department_id,
            tuple(sorted(self.department_ids)),
        )

    def acting(self, verb: str, resource: str) -> "Actor":
        """As far as the roles go that give this permission: who sees all to vote still manages the own alone."""
        for level in ScopeLevel:
            if (f"can_{verb}", resource, level) in self.narrower:
                return replace(self, scope=level)
        return self

    def require(self, verb: str, resource: str, label: str = "") -> None:
        """Raise NotAllowed unless `may`."""
        if not self.may(verb, resource):
            raise NotAllowed(f"您没有“{label or verb}”的权限", needed=(verb, resource))


SYSTEM = Actor(employee_id=None, name="系统", scope=ScopeLevel.ALL, is_system=True)
