"""Saved views (X14): kept, changed, shared, opened by themselves, and put onto the desktop."""

from typing import Final, NamedTuple

from sqlalchemy import delete, func, select

from models.base.actor import Actor
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed, NotFound
from models.base.text import visible
from models.system.role import RoleProfile
from models.system.saved_view import (
    NAME_MAX,
    ListDefault,
    PinnedView,
    SavedView,
    ViewSharing,
)
from models.system.setup import LogKind
from reports.figures import saved_views
from workflows.base import audit
from workflows.base.context import Ctx
from workflows.base.records import check_version
from workflows.base.transition import Verb, verbs

KEPT_MAX: Final = 50  # of one person and list
QUERY_MAX: Final = 3500  # a longer address is refused by servers before anybody reads it
PINNED_MAX: Final = 12  # as many counts as a card of the desktop is worth
_TABLE: Final = "saved_view"
_CHIEFS: Final = ("业务部门经理", "风控总监", "分管副总", "总裁", "财务主管", "系统管理员")
_COMPANY: Final = ("分管副总", "总裁", "财务主管", "系统管理员")
VERBS: Final[dict[str, Verb]] = {
    **verbs(_TABLE, {"share_department": "共享视图给本部门"}, is_work=False, roles=_CHIEFS),
    **verbs(_TABLE, {"share_all": "共享视图给全公司"}, is_work=False, roles=_COMPANY),
    **verbs(_TABLE, {"assign": "为角色设默认视图"}, is_work=False, roles=("系统管理员",)),
}
_NEEDED: Final = {ViewSharing.DEPARTMENT: "share_department", ViewSharing.ALL: "share_all"}


class Named(NamedTuple):
    """What a view is called, and for whom it is."""

    name: str
    sharing: str = ViewSharing.PERSONAL.name


def keep(ctx: Ctx, table: str, query: str, named: Named) -> SavedView:
    """Keep what a list shows as a new view. Raises FieldErrors, Conflict, NotAllowed.

    Whoever calls knows the list and has understood the query.
    """
    mine = SavedView.owner_id == ctx.actor.employee_id
    kept = select(func.count()).select_from(SavedView).where(mine, SavedView.table_name == table)
    if (ctx.session.scalar(kept) or 0) >= KEPT_MAX:
        raise Conflict(f"每个列表最多保存 {KEPT_MAX} 个视图，请先删除不用的")
    _require_short(query)
    view = SavedView(
        table_name=table,
        owner_id=ctx.actor.employee_id,
        query=query,
        sharing=ViewSharing.PERSONAL,
    )
    _name(ctx, view, named)
    ctx.session.add(view)
    ctx.session.flush()
    return view


def overwrite(ctx: Ctx, key: int, query: str, version: int | None) -> SavedView:
    """Let a view be what its list shows now. Raises NotFound, NotAllowed, StaleRecord."""
    view = _own(ctx, key, version)
    _require_short(query)
    view.query = query
    _tell(ctx, view, "修改")
    return view


def change(ctx: Ctx, key: int, named: Named, version: int | None) -> SavedView:
    """Rename a view, or share it with others than before. Raises FieldErrors and as `overwrite`."""
    view = _own(ctx, key, version)
    _name(ctx, view, named)
    return view


def copy(ctx: Ctx, key: int) -> SavedView:
    """A view of one's own that begins as this one is."""
    found = find(ctx, key)
    taken = set(
        ctx.session.scalars(
            select(SavedView.name).where(
                SavedView.owner_id == ctx.actor.employee_id,
                SavedView.table_name == found.table_name,
            )
        )
    )
    names = (f"{found.name[: NAME_MAX - 6]} 副本{n or ''}" for n in range(KEPT_MAX + 1))
    name = next(name for name in names if name not in taken)
    return keep(ctx, found.table_name, found.query, Named(name))


def drop(ctx: Ctx, key: int, version: int | None) -> SavedView:
    """Delete a view; it leaves every desktop and is nobody's default any more. Raises as `overwrite`."""
    view = _own(ctx, key, version)
    _tell(ctx, view, "删除")
    ctx.session.delete(view)
    return view


def pin(ctx: Ctx, key: int) -> SavedView:
    """Put a view onto one's own desktop; there already, it stays. Raises NotFound, Conflict."""
    view, mine = find(ctx, key), PinnedView.employee_id == ctx.actor.employee_id
    pins = ctx.session.scalars(select(PinnedView.view_id).where(mine)).all()
    if key in pins:
        return view
    if len(pins) >= PINNED_MAX:
        raise Conflict(f"桌面上最多固定 {PINNED_MAX} 个视图，请先取消不用的")
    ctx.session.add(PinnedView(employee_id=ctx.actor.employee_id, view_id=key))
    return view


def unpin(ctx: Ctx, key: int) -> None:
    """Take a view from one's own desktop."""
    mine = PinnedView.employee_id == ctx.actor.employee_id
    ctx.session.execute(delete(PinnedView).where(mine, PinnedView.view_id == key))


def open_with(ctx: Ctx, table: str, key: int | None) -> None:
    """Let a list open with this view for oneself; None: without any, whatever the role says. Raises NotFound."""
    _require_of(ctx, table, key)
    mine = ListDefault.employee_id == ctx.actor.employee_id
    ctx.session.execute(delete(ListDefault).where(mine, ListDefault.table_name == table))
    if key is not None or saved_views.default_of(ctx.session, ctx.actor, table) is not None:
        ctx.session.add(
            ListDefault(table_name=table, view_id=key, employee_id=ctx.actor.employee_id)
        )


def open_role_with(ctx: Ctx, table: str, key: int | None, role: str) -> None:
    """Let a list open with this view for everybody in a role. Raises NotFound, NotAllowed, FieldErrors."""
    ctx.require("assign", _TABLE, VERBS["assign"].label)
    view = _require_of(ctx, table, key)
    role_id = ctx.session.scalar(select(RoleProfile.role_id).where(RoleProfile.name == role))
    if role_id is None:
        raise FieldErrors({"role": ["没有这个角色，请从列表中选择"]})
    if view is not None and view.sharing is not ViewSharing.ALL:
        raise Conflict("只有共享给全部的视图才能作为角色的默认视图")
    ctx.session.execute(
        delete(ListDefault).where(ListDefault.role_id == role_id, ListDefault.table_name == table)
    )
    if view is not None:
        ctx.session.add(ListDefault(table_name=table, view_id=view.id, role_id=role_id))
    words = f"“{view.name}”" if view is not None else "不设"
    note = f"角色“{role}”打开列表 {table} 的默认视图：{words}"
    audit.log_event(ctx, _TABLE, "UPDATE", LogKind.CHANGE, note)


def find(ctx: Ctx, key: int) -> SavedView:
    """A view that the actor finds. Raises NotFound."""
    found = saved_views.one(ctx.session, ctx.actor, key)
    if found is None:
        raise NotFound("没有这个视图，或没有共享给您")
    return found


def may_change(actor: Actor, view: SavedView) -> bool:
    """Its author, or who may share as far as it is shared: a view outlives the person who made it."""
    if view.owner_id == actor.employee_id:
        return True
    if view.sharing is ViewSharing.DEPARTMENT and view.department_id == actor.department_id:
        return actor.may(_NEEDED[ViewSharing.DEPARTMENT], _TABLE)
    return view.sharing is not ViewSharing.PERSONAL and actor.may("share_all", _TABLE)


def _own(ctx: Ctx, key: int, version: int | None) -> SavedView:
    view = find(ctx, key)
    if not may_change(ctx.actor, view):
        raise NotAllowed("这个视图由他人建立，您可以复制后修改自己的那一份")
    check_version(ctx, view, version)
    return view


def _require_short(query: str) -> None:
    if len(query) > QUERY_MAX:
        raise BusinessError("条件或列过多，地址放不下，请减少后再保存")


def _name(ctx: Ctx, view: SavedView, named: Named) -> None:
    name = " ".join(visible(named.name).split())
    if not 0 < len(name) <= NAME_MAX:
        raise FieldErrors({"name": [f"请填写视图名称，最多 {NAME_MAX} 个字"]})
    if named.sharing not in ViewSharing.__members__:
        raise FieldErrors({"sharing": ["没有这个选项，请从列表中选择"]})
    sharing = ViewSharing[named.sharing]
    same = select(SavedView.id).where(
        SavedView.owner_id == view.owner_id,
        SavedView.table_name == view.table_name,
        SavedView.name == name,
        SavedView.id != (view.id or 0),
    )
    if ctx.session.scalar(same) is not None:
        raise FieldErrors({"name": ["已有同名的视图，请换一个名称，或打开它后“保存修改”"]})
    if sharing is not view.sharing:
        _share(ctx, view, sharing)
    view.name = name
    _tell(ctx, view, "保存")


def _share(ctx: Ctx, view: SavedView, sharing: ViewSharing) -> None:
    if sharing is not ViewSharing.PERSONAL:
        ctx.require(_NEEDED[sharing], _TABLE, VERBS[_NEEDED[sharing]].label)
    if sharing is ViewSharing.DEPARTMENT and ctx.actor.department_id is None:
        raise FieldErrors({"sharing": ["您没有所属部门，不能共享给部门"]})
    is_own = sharing is ViewSharing.DEPARTMENT
    view.sharing, view.department_id = sharing, ctx.actor.department_id if is_own else None


def _tell(ctx: Ctx, view: SavedView, verb: str) -> None:
    """What concerns others stands in the trail."""
    if view.sharing is not ViewSharing.PERSONAL:
        note = f"{verb}列表视图“{view.name}”（{view.table_name}，共享：{view.sharing.label}）"
        audit.log_event(ctx, _TABLE, "UPDATE", LogKind.CHANGE, note)


def _require_of(ctx: Ctx, table: str, key: int | None) -> SavedView | None:
    if key is None:
        return None
    view = find(ctx, key)
    if view.table_name != table:
        raise NotFound("这个列表没有这个视图")
    return view
