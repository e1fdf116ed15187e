"""个人设置 (2.6): how many rows a page has, light or dark, and where the person is signed in."""

from flask import flash, g, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from models.base.entity import Entity
from models.base.errors import BusinessError, NotFound
from models.system.organization import Operator, Theme
from models.system.sign_in import SessionEnd
from views.kit import edge, widgets
from views.kit.interface import model_of, valid_id
from views.kit.list_args import available, can_order
from views.kit.lists import MAX_COLUMNS, SIZES
from views.kit.pages import Action, FieldGroup, FormPage
from views.system.sessions import sessions_section
from workflows.base.context import Ctx
from workflows.system import operators, sessions
from workflows.workbench import desktop

TITLE = "个人设置"


class SettingsView(BaseView):
    """/settings/: one's own preferences; /settings/theme is what the button in the top bar calls."""

    route_base = "/settings"
    default_view = "page"
    title = TITLE

    @expose("/", methods=("GET", "POST"))
    @edge.screen()
    def page(self) -> ResponseReturnValue:
        """Show them, and save them."""
        error: BusinessError | None = None
        if request.method == "POST":
            try:
                with edge.writing() as ctx:
                    desktop.save_preferences(
                        ctx, request.form.get("look", ""), request.form.get("rows", "")
                    )
                flash("个人设置已保存", "success")
                return redirect("/settings/")
            except BusinessError as refusal:
                error = refusal
        page = _page(edge.current_ctx(), error)
        return self.render_template("form.html", page=page), (error.status if error else 200)

    @expose("/sessions/end", methods=("POST",))
    @edge.screen()
    def end_session(self) -> ResponseReturnValue:
        """End one of one's other sessions, or all of them; the one that asks stays."""
        named = request.form.get("session", "")
        if named and (valid_id(named) is None or valid_id(named) == g.sign_in.id):
            raise NotFound("没有这个登录会话，或已结束")
        with edge.writing() as ctx:
            mine = operators.own(ctx)
            if named:
                sessions.end(ctx, mine, valid_id(named) or 0, SessionEnd.OWNER)
            else:
                sessions.end_of(ctx, [mine.id], SessionEnd.OWNER, g.sign_in.id)
        flash("已结束，相应的浏览器或程序须重新登录", "success")
        return redirect("/settings/")

    @expose("/columns/<table>", methods=("POST",))
    @edge.screen()
    def columns(self, table: str) -> ResponseReturnValue:
        """Remember the columns that the reader wants in a list, or go back to those that everybody begins with."""
        model = _listed(table)
        names = [] if "reset" in request.form else list(dict.fromkeys(request.form.getlist("cols")))
        if "reset" not in request.form and not names:
            raise BusinessError("至少保留一列")
        if len(names) > MAX_COLUMNS or not set(names) <= set(available(model)):
            raise BusinessError(f"列表中没有这样的列，或超过 {MAX_COLUMNS} 列，请刷新页面后重试")
        with edge.writing() as ctx:
            desktop.choose_columns(ctx, table, names)
            if "reset" in request.form:
                desktop.choose_order(ctx, table, "")
        target = request.form.get("next_reset" if "reset" in request.form else "next")
        return redirect(edge.safe_next(target, f"/{table}/list/"))

    @expose("/order/<table>", methods=("POST",))
    @edge.screen()
    def order(self, table: str) -> ResponseReturnValue:
        """Remember how the reader has sorted a list: what the head of a column calls when it is pressed."""
        model, order = _listed(table), request.form.get("order", "")
        if not can_order(model, order):
            raise BusinessError("不能按这一列排序")
        with edge.writing() as ctx:
            desktop.choose_order(ctx, table, order)
        return jsonify({"order": order})

    @expose("/theme", methods=("POST",))
    @edge.screen()
    def theme(self) -> ResponseReturnValue:
        """Keep the theme that the button has switched to."""
        with edge.writing() as ctx:
            kept = desktop.save_preferences(ctx, request.form.get("theme", ""))
        return jsonify({"theme": kept.theme.name.lower()})


def _listed(table: str) -> type[Entity]:
    """The entity whose list the reader may see. Raises NotFound, NotAllowed."""
    model = model_of(table)
    if model is None or not model.spec.kind.has_screen:
        raise NotFound("没有这个列表")
    edge.current_ctx().require("list", table, f"查看{model.spec.label}")
    return model


def _page(ctx: Ctx, error: BusinessError | None) -> FormPage:
    mine = ctx.session.scalars(select(Operator).where(Operator.user_id == ctx.actor.user_id)).one()
    errors, typed = (error.field_errors if error else None), (request.form if error else {})
    own_id = g.sign_in.id if "sign_in" in g else 0
    sizes = sorted({*SIZES, mine.rows_per_page})
    fields = [
        widgets.choice(
            "rows",
            "每页行数",
            [(str(n), f"{n} 行") for n in sizes],
            typed.get("rows", str(mine.rows_per_page)),
            errors=errors,
            help="列表每页显示的行数；在列表下方也可临时更改",
        ),
        widgets.choice(
            "look",
            "界面主题",
            [(theme.name, theme.label) for theme in Theme],
            typed.get("look", mine.theme.name),
            errors=errors,
            help="右上角的月亮图标可随时切换明暗",
        ),
    ]
    return FormPage(
        TITLE,
        [FieldGroup("", fields)],
        "/settings/",
        cancel_url="/",
        hidden=[edge.csrf_input()],
        submit_label="保存设置",
        errors=widgets.summary(fields, error),
        crumbs=[("我的工作台", "/"), (TITLE, "")],
        help_key="settings",
        actions=[
            Action("修改密码", "/password/"),
            Action("自定义桌面", "/desktop/"),
            Action("工作托管", "/delegation/list/"),
        ],
        side=[
            sessions_section(
                sessions.open_of(ctx.session, mine.id, ctx.now), "/settings/sessions/end", own_id
            )
        ],
    )
