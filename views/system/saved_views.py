"""我的视图 (X14): every saved view that one finds, and what is done with it: renamed, shared, pinned, made default."""

from collections.abc import Iterator

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from models.base.errors import NotFound
from models.base.kinds import Module
from models.system.organization import DesktopModule
from models.system.saved_view import SavedView
from reports.figures import saved_views as found_views
from views.kit import edge
from views.kit.cells import table_label
from views.kit.interface import valid_id
from views.kit.list_views import drop_action, pin_action, url_of
from views.kit.pages import Action, Cell, Column, ReportPage, Row
from workflows.base.context import Ctx
from workflows.system import saved_views
from workflows.system.saved_views import Named
from workflows.workbench import desktop

TITLE = "我的视图"


class ViewsView(BaseView):
    """/views/: the saved views of the reader; /views/<id> opens one, the rest is done from above its list."""

    route_base = "/views"
    default_view = "page"
    title = TITLE

    @expose("/")
    @edge.screen()
    def page(self) -> ResponseReturnValue:
        """Own views and shared ones, list by list."""
        rows = list(_rows(edge.current_ctx()))
        columns = [
            Column("name", "视图"),
            Column("list", "列表"),
            Column("owner", "建立人"),
            Column("sharing", "共享范围"),
        ]
        page = ReportPage(
            TITLE,
            columns,
            rows,
            note=f"{len(rows)} 个",
            empty="还没有视图：在任一列表中添加条件后点“保存为视图”",
            foot="视图保存条件、列和排序，不保存记录：每个人看到的仍是自己数据范围内的记录",
            crumbs=[(Module.WORKBENCH.label, ""), (TITLE, "")],
            help_key="views",
        )
        return self.render_template("report.html", page=page)

    @expose("/<pk>")
    @edge.screen()
    def open(self, pk: str) -> ResponseReturnValue:
        """The list that a view stands for: an address short enough to be sent."""
        return redirect(url_of(saved_views.find(edge.current_ctx(), _key(pk))))

    @expose("/<pk>/change", methods=("POST",))
    @edge.screen()
    def change(self, pk: str) -> ResponseReturnValue:
        """Rename it, or share it with others than before."""
        named = Named(request.form.get("name", ""), request.form.get("sharing", ""))
        with edge.writing() as ctx:
            view = saved_views.change(ctx, _key(pk), named, _version())
        flash(f"已保存视图“{view.name}”", "success")
        return redirect(url_of(view))

    @expose("/<pk>/copy", methods=("POST",))
    @edge.screen()
    def copy(self, pk: str) -> ResponseReturnValue:
        """One of one's own that begins as it is."""
        with edge.writing() as ctx:
            view = saved_views.copy(ctx, _key(pk))
        flash(f"已复制为“{view.name}”，可以改名和修改", "success")
        return redirect(url_of(view))

    @expose("/<pk>/drop", methods=("POST",))
    @edge.screen()
    def drop(self, pk: str) -> ResponseReturnValue:
        """Delete it."""
        with edge.writing() as ctx:
            view = saved_views.drop(ctx, _key(pk), _version())
        flash(f"已删除视图“{view.name}”", "success")
        return redirect(f"/{view.table_name}/list/?v=0")

    @expose("/<pk>/pin", methods=("POST",))
    @edge.screen()
    def pin(self, pk: str) -> ResponseReturnValue:
        """Put it onto one's own desktop."""
        with edge.writing() as ctx:
            view = saved_views.pin(ctx, _key(pk))
            desktop.show_module(ctx, DesktopModule.VIEWS)
        flash(f"已把“{view.name}”固定到桌面", "success")
        return redirect(url_of(view))

    @expose("/<pk>/unpin", methods=("POST",))
    @edge.screen()
    def unpin(self, pk: str) -> ResponseReturnValue:
        """Take it from one's own desktop."""
        with edge.writing() as ctx:
            saved_views.unpin(ctx, _key(pk))
        flash("已从桌面取下", "success")
        return redirect(f"/views/{_key(pk)}")

    @expose("/default", methods=("POST",))
    @edge.screen()
    def default(self) -> ResponseReturnValue:
        """Let a list open with a view for oneself, or without any."""
        table, key = request.form.get("table", "")[:64], _chosen()
        with edge.writing() as ctx:
            ctx.require("list", table, f"查看{table_label(table)}")
            saved_views.open_with(ctx, table, key)
        flash("已记住，下次打开这个列表时生效", "success")
        return redirect(_list_of(table, key))

    @expose("/role", methods=("POST",))
    @edge.screen("assign")
    def role(self) -> ResponseReturnValue:
        """Let a list open with a view for everybody in a role who has not chosen otherwise."""
        table, key, role = (
            request.form.get("table", "")[:64],
            _chosen(),
            request.form.get("role", ""),
        )
        with edge.writing() as ctx:
            ctx.require("list", table, f"查看{table_label(table)}")
            saved_views.open_role_with(ctx, table, key, role[:64])
        flash(f"已设为角色“{role[:64]}”的默认视图", "success")
        return redirect(_list_of(table, key))

    class_permission_name = "saved_view"


def _rows(ctx: Ctx) -> Iterator[Row]:
    pins = {view.id for view in found_views.pinned(ctx.session, ctx.actor)}
    for view in found_views.readable(ctx.session, ctx.actor):
        cells = (
            Cell(view.name, "link"),
            Cell(table_label(view.table_name)),
            Cell(view.owner.name),
            Cell(view.sharing.label),
        )
        actions = tuple(_actions(ctx, view, is_pinned=view.id in pins))
        yield Row(str(view.id), url_of(view), cells, actions=actions)


def _actions(ctx: Ctx, view: SavedView, *, is_pinned: bool) -> Iterator[Action]:
    yield pin_action(view, is_pinned=is_pinned)
    if saved_views.may_change(ctx.actor, view):
        yield drop_action(view)


def _key(text: str) -> int:
    found = valid_id(text)
    if found is None:
        raise NotFound("没有这个视图，或没有共享给您")
    return found


def _list_of(table: str, key: int | None) -> str:
    if key is None:
        return f"/{table}/list/?v=0"
    return f"/views/{key}"


def _version() -> int | None:
    return valid_id(request.form.get("version", ""))


def _chosen() -> int | None:
    text = request.form.get("view", "")
    return _key(text) if text else None
