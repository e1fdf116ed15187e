"""Saved views of lists (X14): conditions, columns and order under a name, and where they open by themselves."""

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.system.organization import Department, Employee

NAME_MAX = 30


class ViewSharing(Kind):
    """Who finds a view beside its author; what rows each of them sees in it is another question."""

    PERSONAL = "本人"
    DEPARTMENT = "本部门及下级"
    ALL = "全部"


class SavedView(Entity):
    """One list under a name: `query` is what its address asks for, relative days kept as such.

    A view shares no rows: whoever opens it sees the own scope, and masks hold as in any list.
    """

    spec = Spec(
        "列表视图",
        Module.WORKBENCH,
        SpecKind.INTERNAL,
        in_menu=False,
        scope=Scope(owner="owner_id", department="department_id"),
    )
    __table_args__ = (
        UniqueConstraint("owner_id", "table_name", "name", name="uq_saved_view_name"),
        CheckConstraint(
            "sharing <> 'DEPARTMENT' OR department_id IS NOT NULL", name="ck_saved_view_department"
        ),
    )

    table_name: Mapped[str] = c.text("列表", 64, required=True, index=True)
    name: Mapped[str] = c.text("名称", NAME_MAX, required=True)
    owner_id: Mapped[int] = c.reference(
        "建立人", "employee", required=True, index=False, ondelete="CASCADE"
    )
    owner: Mapped[Employee] = c.related(owner_id)
    sharing: Mapped[ViewSharing] = c.enum(
        "共享范围", ViewSharing, required=True, default=ViewSharing.PERSONAL
    )
    department_id: Mapped[int | None] = c.reference("共享部门", "department", ondelete="CASCADE")
    department: Mapped[Department | None] = c.related(department_id)
    query: Mapped[str] = c.hidden(c.long_text("条件、列与排序", required=True))


class ListDefault(Entity):
    """The view with which a list opens for one person, or for everybody in a role; without a view: as it always was."""

    spec = Spec(
        "默认视图",
        Module.WORKBENCH,
        SpecKind.INTERNAL,
        title="table_name",
        in_menu=False,
        scope=Scope(owner="employee_id"),
    )
    __table_args__ = (
        UniqueConstraint("employee_id", "table_name", name="uq_list_default_employee_id"),
        UniqueConstraint("role_id", "table_name", name="uq_list_default_role_id"),
        CheckConstraint("(employee_id IS NULL) <> (role_id IS NULL)", name="ck_list_default_whose"),
    )

    table_name: Mapped[str] = c.text("列表", 64, required=True)
    view_id: Mapped[int | None] = c.reference("视图", "saved_view", ondelete="CASCADE")
    view: Mapped[SavedView | None] = c.related(view_id)
    employee_id: Mapped[int | None] = c.reference(
        "员工", "employee", index=False, ondelete="CASCADE"
    )
    role_id: Mapped[int | None] = c.reference("角色", "ab_role", index=False, ondelete="CASCADE")


class PinnedView(Entity):
    """A view that somebody has put onto the own desktop, with its number of rows."""

    spec = Spec(
        "桌面视图",
        Module.WORKBENCH,
        SpecKind.INTERNAL,
        title="id",
        in_menu=False,
        scope=Scope(owner="employee_id"),
    )
    __table_args__ = (UniqueConstraint("employee_id", "view_id", name="uq_pinned_view_view_id"),)

    employee_id: Mapped[int] = c.reference(
        "员工", "employee", required=True, index=False, ondelete="CASCADE"
    )
    view_id: Mapped[int] = c.reference("视图", "saved_view", required=True, ondelete="CASCADE")
    view: Mapped[SavedView] = c.related(view_id)
