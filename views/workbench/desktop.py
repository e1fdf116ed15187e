"""我的工作台 (2.1): the quick modules a person has chosen, in their order, and the figures above them."""

from datetime import datetime

from flask import flash, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from models.base.errors import BusinessError, NotAllowed, NotFound
from models.base.moments import local
from models.base.money import format_money
from models.system.organization import DesktopModule, Operator
from reports.system.preparation import is_prepared
from views.kit import edge, todo, widgets
from views.kit.pages import Action, FieldGroup, FormPage, HomePage, Stat
from views.statistics.shares import IN_FORCE
from views.workbench.cards import CARDS, card, card_of_page
from views.workbench.desk_figures import PROJECTS, WARNINGS, Desk
from workflows.base.context import Ctx
from workflows.workbench.desktop import arrange_modules, choose_modules, chosen_modules

MOST_ROWS = 500


class HomeView(BaseView):
    """The first page after signing in."""

    route_base = ""
    default_view = "index"

    @expose("/")
    @edge.screen()
    def index(self) -> ResponseReturnValue:
        """The workbench."""
        return self.render_template("home.html", page=home_page(edge.current_ctx()))


class DesktopView(BaseView):
    """自定义桌面: which quick modules stand on the workbench, their order, and each in full."""

    route_base = "/desktop"
    default_view = "choose"

    @expose("/", methods=("GET", "POST"))
    @edge.screen()
    def choose(self) -> ResponseReturnValue:
        """Tick the modules to see; order is changed by dragging on the workbench itself."""
        if request.method == "GET":
            return self.render_template("form.html", page=_chooser(edge.current_ctx(), None))
        try:
            with edge.writing() as ctx:
                choose_modules(ctx, request.form.getlist("modules"))
        except BusinessError as error:
            return self.render_template(
                "form.html", page=_chooser(edge.current_ctx(), error)
            ), error.status
        flash("桌面已保存", "success")
        return redirect("/")

    @expose("/arrange", methods=("POST",))
    @edge.screen()
    def arrange(self) -> ResponseReturnValue:
        """Keep the order in which the cards were dragged."""
        sent = request.get_json(silent=True)
        keys = sent.get("keys") if isinstance(sent, dict) else None
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise BusinessError("没有收到模块的顺序，请刷新页面后重试")
        with edge.writing() as ctx:
            kept = arrange_modules(ctx, keys)
        return {"keys": [module.name for module in kept]}

    @expose("/card/<name>")
    @edge.screen()
    def card(self, name: str) -> ResponseReturnValue:
        """One card of the workbench, filled: what its place on the page asks for."""
        section = card(Desk(edge.current_ctx()), _module(name))
        g.shell = None  # a part of a page that has menu and bell: nothing is counted for them again
        template, width = "parts/section.html", f"w{section.width}"
        return self.render_template(template, section=section, width_class=width, movable=True)

    @expose("/<name>")
    @edge.screen()
    def module(self, name: str) -> ResponseReturnValue:
        """All rows of a module that no list shows with the same filter."""
        ctx, found = edge.current_ctx(), _module(name)
        if not CARDS[found].is_listed:
            raise NotFound
        section = card(Desk(ctx), found, MOST_ROWS)
        section.width, section.more_url = 12, ""
        note = f"营业日期 {ctx.today.isoformat()} · 数据范围：{ctx.actor.scope.label}"
        if section.count and section.count > MOST_ROWS:
            note += f" · 显示前 {MOST_ROWS} 行"
        page = HomePage(
            found.label, note, [Action("返回桌面", "/")], [], [section], help_key="home"
        )
        return self.render_template("home.html", page=page)


def _module(name: str) -> DesktopModule:
    """A quick module by its name in an address. Raises NotFound, or NotAllowed to whom it is not offered."""
    found = DesktopModule.__members__.get(name.upper())
    if found is None:
        raise NotFound
    if not CARDS[found].is_for(edge.current_ctx()):
        raise NotAllowed(f"没有权限：查看{found.label}")
    return found


def home_page(ctx: Ctx) -> HomePage:
    """Cards by what the person has chosen and may do; each has its own words for having nothing."""
    actor, desk = ctx.actor, Desk(ctx)
    shown = [module for module in chosen_modules(_operator(ctx)) if CARDS[module].is_for(ctx)]
    return HomePage(
        f"{greeting(ctx.now)}，{actor.name}",
        todo.headline(todo.waiting(ctx)),
        _actions(ctx),
        _stats(desk),
        [card_of_page(desk, module) for module in shown],
        arrange_url="/desktop/arrange",
        help_key="home",
    )


def _operator(ctx: Ctx) -> Operator:
    operator: Operator | None = g.get("operator")
    return (
        operator
        or ctx.session.scalars(select(Operator).where(Operator.user_id == ctx.actor.user_id)).one()
    )


def greeting(now: datetime) -> str:
    """Good morning, as the clock in Shanghai says."""
    hour = local(now).hour
    words = (
        (5, "夜深了"),
        (9, "早上好"),
        (12, "上午好"),
        (14, "中午好"),
        (18, "下午好"),
        (24, "晚上好"),
    )
    return next(word for until, word in words if hour < until)


def _actions(ctx: Ctx) -> list[Action]:
    found = [Action("自定义桌面", "/desktop/", icon="sliders")]
    prepares = ctx.actor.may("edit", "company") or ctx.actor.may("grant", "operator")
    if prepares and not is_prepared(ctx.session, ctx.today):
        found.append(Action("开业准备", "/preparation/", style="primary", icon="check"))
    if ctx.actor.may("add", "project"):
        found.append(Action("新建担保申请", "/project/add", style="primary", icon="plus"))
    return found


def _stats(desk: Desk) -> list[Stat]:
    """The line above the cards: each figure opens the rows it counts."""
    waiting = todo.waiting(desk.ctx)
    late = f"{waiting.late} 项超时" if waiting.late else ""
    found = [
        Stat(
            "待办事项",
            str(waiting.total),
            "项",
            figure=late,
            figure_unit="",
            url="/approvals/",
            tone="bad" if late else "",
        )
    ]
    if desk.actor.may("list", "project"):
        running, force = desk.running, desk.force
        found.append(
            Stat(
                "办理中项目",
                str(running.count),
                "个",
                figure=format_money(running.amount),
                figure_unit="元",
                url=PROJECTS,
            )
        )
        found.append(
            Stat(
                "在保项目",
                str(force.count),
                "个",
                figure=format_money(force.amount),
                figure_unit="元",
                url=IN_FORCE,
            )
        )
    if desk.actor.may("list", "risk_warning"):
        tone = "warn" if desk.warnings else ""
        found.append(Stat("待处理预警", str(desk.warnings), "条", url=WARNINGS, tone=tone))
    return found


def _chooser(ctx: Ctx, error: BusinessError | None) -> FormPage:
    offered = [
        (module.name, module.label, "") for module in DesktopModule if CARDS[module].is_for(ctx)
    ]
    chosen = (
        request.form.getlist("modules")
        if error
        else [m.name for m in chosen_modules(_operator(ctx))]
    )
    field = widgets.many(
        "modules", "快捷模块", offered, chosen, errors=error.field_errors if error else None
    )
    field.help = "勾选要显示的模块；在桌面上拖动卡片标题前的手柄可调整顺序"
    return FormPage(
        "自定义桌面",
        [FieldGroup("", [field])],
        "/desktop/",
        cancel_url="/",
        hidden=[edge.csrf_input()],
        submit_label="保存桌面",
        errors=widgets.summary([field], error),
        crumbs=[("我的工作台", "/"), ("自定义桌面", "")],
        help_key="home",
    )
