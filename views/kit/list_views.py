"""Saved views over a list (X14): the row of chips, what is kept under a name, and the address that opens it.

A view opens as the address that it stands for, so that export, sums, REST and whoever is sent the address ask for the
same; its number travels along to say which view it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from models.base.actor import Actor
from models.base.entity import Entity
from models.system.role import RoleProfile
from models.system.saved_view import SavedView, ViewSharing
from reports.figures import saved_views as found_views
from views.kit import edge
from views.kit.interface import shape, valid_id
from views.kit.lists import NO_VIEW, ListQuery
from views.kit.pages import Action, ViewBar, ViewChip, ViewOpen
from workflows.base.context import Ctx
from workflows.system import saved_views
from workflows.system.saved_views import Named

KEPT = ("f", "q", "rule", "view", "group", "order", "cols")
SHOWN = 6  # chips beside the list itself; further views are folded away
_PAGING = {"v", "page", "size"}


def query_of(asked: ListQuery) -> str:
    """What a list shows, as a view keeps it: order and columns too where the address leaves them to habit."""
    pairs = [
        (key, value) for key in ("f", "q", "rule", "view", "group") for value in _given(asked, key)
    ]
    return urlencode([*pairs, ("order", asked.order), ("cols", ",".join(asked.names))])


def _given(asked: ListQuery, key: str) -> list[str]:
    return [value for value in asked.args.getlist(key) if value]


def url_of(view: SavedView) -> str:
    """The address that a view stands for."""
    return f"/{view.table_name}/list/?v={view.id}&{view.query}"


def to_open(ctx: Ctx, model: type[Entity], args: "MultiDict[str, str]") -> str | None:
    """Where an address of a list alone leads to: the view that it names, or with which the list opens for the reader.

    Raises NotFound for a view that the reader does not find.
    """
    if args.get("v") == NO_VIEW or set(args) - _PAGING:
        return None
    key = valid_id(args.get("v", ""))
    if key is not None:
        return url_of(saved_views.find(ctx, key))
    if args:
        return None
    found = found_views.default_of(ctx.session, ctx.actor, shape(model).table)
    return None if found is None else url_of(found)


def sent(form: "MultiDict[str, str]") -> "MultiDict[str, str]":
    """The arguments of a list as a form sends them."""
    return MultiDict([(k, v) for k, v in form.items(multi=True) if k in KEPT and v])


def keep(asked: ListQuery, form: Mapping[str, str]) -> str:
    """Keep what a list shows; the address of the view. Raises BusinessError."""
    asked.require_understood()
    query, key = query_of(asked), valid_id(form.get("key", ""))
    with edge.writing() as ctx:
        if key is not None:
            view = saved_views.overwrite(ctx, key, query, valid_id(form.get("version", "")))
        else:
            named = Named(form.get("name", ""), form.get("sharing", ViewSharing.PERSONAL.name))
            view = saved_views.keep(ctx, shape(asked.model).table, query, named)
    return url_of(view)


def bar(asked: ListQuery) -> ViewBar | None:
    """The views above a list that has an address of its own."""
    ctx, table = asked.ctx, shape(asked.model).table
    if asked.path != f"/{table}/list/":
        return None
    known = found_views.readable(ctx.session, ctx.actor, table)
    now = valid_id(asked.args.get("v", ""))
    shown = next((view for view in known if view.id == now), None)
    args = [(k, v) for k in ("q", "rule", "view", "group") for v in _given(asked, k)]
    args += [("order", asked.order), ("cols", ",".join(asked.names))]
    chips = [ViewChip("全部", f"{asked.path}?v={NO_VIEW}", shown is None and not asked.is_filtered)]
    chips += [_chip(view, shown) for view in known]
    at = next((n for n, chip in enumerate(chips) if chip.is_active), 0)
    if at > SHOWN:  # what is open stands in sight
        chips.insert(SHOWN, chips.pop(at))
    return ViewBar(
        f"/{table}/keep_view",
        args=tuple(args),
        raws=tuple(dict.fromkeys(_given(asked, "f"))),
        sharings=tuple((one.name, one.label) for one in _sharings(ctx.actor)),
        chips=tuple(chips[: SHOWN + 1]) if known else (),
        rest=tuple(chips[SHOWN + 1 :]),
        opened=None if shown is None else _opened(asked, shown),
    )


def _sharings(actor: Actor) -> list[ViewSharing]:
    """How far the reader may share a view."""
    found = [ViewSharing.PERSONAL]
    if actor.may("share_department", "saved_view"):
        found.append(ViewSharing.DEPARTMENT)
    if actor.may("share_all", "saved_view"):
        found.append(ViewSharing.ALL)
    return found


def _chip(view: SavedView, shown: SavedView | None) -> ViewChip:
    title = f"{view.owner.name}建立，共享范围：{view.sharing.label}"
    return ViewChip(view.name, url_of(view), view is shown, title)


def _opened(asked: ListQuery, view: SavedView) -> ViewOpen:
    ctx = asked.ctx
    may_change = saved_views.may_change(ctx.actor, view)
    found = ViewOpen(
        view.name,
        view.version,
        view.sharing.name,
        is_changed=_parts(query_of(asked)) != _parts(view.query),
        key=view.id,
        actions=tuple(_actions(ctx, view, may_change=may_change)),
    )
    if may_change:
        found = replace(found, change_url=f"/views/{view.id}/change")
    if view.sharing is ViewSharing.ALL and ctx.actor.may("assign", "saved_view"):
        names = ctx.session.scalars(select(RoleProfile.name).order_by(RoleProfile.id))
        found = replace(found, role_url="/views/role", roles=tuple(names))
    return found


def pin_action(view: SavedView, *, is_pinned: bool) -> Action:
    """Onto one's own desktop, or from it."""
    if is_pinned:
        return Action("从桌面取下", f"/views/{view.id}/unpin", "POST")
    return Action("固定到桌面", f"/views/{view.id}/pin", "POST")


def drop_action(view: SavedView) -> Action:
    """Its deletion, which leaves the rows alone."""
    question = (
        f"确定删除视图“{view.name}”？记录不受影响；共享给他人的，他人的列表和桌面上也不再有它。"
    )
    seen = (("version", str(view.version)),)
    url = f"/views/{view.id}/drop"
    return Action("删除视图", url, "POST", "danger", confirm=question, fields=seen)


def _parts(query: str) -> dict[str, list[str]]:
    """A query without the order of its filters, which says nothing."""
    found: dict[str, list[str]] = {}
    for key, value in parse_qsl(query):
        found.setdefault(key, []).append(value)
    return {key: sorted(values) for key, values in found.items()}


def _actions(ctx: Ctx, view: SavedView, *, may_change: bool) -> Iterator[Action]:
    own, table = f"/views/{view.id}", view.table_name
    is_pinned = view.id in {one.id for one in found_views.pinned(ctx.session, ctx.actor)}
    yield pin_action(view, is_pinned=is_pinned)
    opens = found_views.default_of(ctx.session, ctx.actor, table)
    if opens is not None and opens.id == view.id:
        fields = (("table", table), ("view", ""))
        yield Action("打开列表时不再用它", "/views/default", "POST", fields=fields)
    else:
        fields = (("table", table), ("view", str(view.id)))
        yield Action("设为我的默认视图", "/views/default", "POST", fields=fields)
    yield Action("复制为我的视图", f"{own}/copy", "POST")
    if may_change:
        yield drop_action(view)
