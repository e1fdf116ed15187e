"""The list screens of an entity: the list, its filters and views, its files, and what is done with ticked rows."""

from typing import TypeAlias

from flask import flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import ModelView, expose
from werkzeug.datastructures import MultiDict

from models.base.errors import BusinessError
from reports.base.scope import scope_note
from views.kit import (
    bulk,
    edge,
    exports,
    files,
    groups,
    importing,
    list_args,
    list_views,
    lists,
    record,
)
from views.kit.filter_offers import offers
from views.kit.hooks import EntityHooks
from views.kit.interface import shape
from views.kit.pages import Action, ListPage
from workflows.base.context import Ctx

# Within the class `list` is the route, so lists are named here.
Actions: TypeAlias = list[Action]
Picks: TypeAlias = list[bulk.Picked]


class ListScreens(EntityHooks, ModelView):
    """What an EntityView has for many rows.

    Routes: /<table>/list/, sums, filters, keep_view (POST), bulk/<verb> (POST), bulk_delete (POST), export,
    export_later (POST).
    """

    @expose("/list/")
    @edge.screen("list")
    def list(self) -> ResponseReturnValue:
        """The list, or on to the view that the address names or the list opens with."""
        ctx = edge.current_ctx()
        if (target := list_views.to_open(ctx, self.model, request.args)) is not None:
            return redirect(target)
        asked = self.read_list(ctx)
        page = self.render_template("list.html", page=self.list_page(asked))
        return page, (400 if asked.unread else 200)

    @expose("/filters")
    @edge.screen("list")
    def filters(self) -> ResponseReturnValue:
        """What the list can be filtered by: JSON, asked for when somebody opens the choice."""
        return jsonify(offers(edge.current_ctx(), self.model))

    @expose("/keep_view", methods=("POST",))
    @edge.screen("list")
    def keep_view(self) -> ResponseReturnValue:
        """Keep what the list shows as a view, or as what a view of one's own is from now on: JSON."""
        asked = self.read_list(edge.current_ctx(), list_views.sent(request.form))
        return jsonify(url=list_views.keep(asked, request.form))

    @expose("/sums")
    @edge.screen("list")
    def sums(self) -> ResponseReturnValue:
        """Number and sums of all rows of a list: what the page of a long one asks for when it stands."""
        asked = self.read_list(edge.current_ctx())
        asked.require_understood()
        count, sums = asked.count_and_sums()
        return jsonify(count=count, sums=sums)

    def read_list(self, ctx: Ctx, args: MultiDict[str, str] | None = None) -> lists.ListQuery:
        """What the address asks for, in the columns that the reader has chosen."""
        args = request.args if args is None else args
        table = shape(self.model).table
        habits = list_args.Habits(
            edge.rows_per_page(ctx), edge.chosen_columns(ctx, table), edge.chosen_order(ctx, table)
        )
        asked = list_args.read_list(ctx, self.model, args, self.url("list/"), habits)
        self.narrow_list(asked)
        return asked

    def list_page(self, asked: lists.ListQuery) -> ListPage:
        """The list as the template takes it."""
        (total, rows), spec = asked.page_of(), self.model.spec
        add = self.list_actions(asked.ctx)
        is_filtered = asked.is_filtered
        page = ListPage(
            title=spec.label,
            note=scope_note(self.model, asked.ctx.actor),
            columns=asked.columns(),
            rows=asked.rows(rows),
            paging=asked.paging(total),
            actions=add,
            exports=self._exports(asked, total),
            bulk=[*bulk.actions(self.model, asked.ctx, rows), *self.bulk_actions(asked.ctx)],
            chips=asked.chips(),
            clear_url=asked.url(f=None, q=None, rule=None, page=None) if is_filtered else "",
            filters_url=f"/{shape(self.model).table}/filters",
            rule=asked.args.get("rule", ""),
            views=list_views.bar(asked),
            search=asked.text,
            search_hint=list_args.search_hint(self.model),
            url=self.url("list/"),
            kept_args=asked.kept_args(),
            sums=asked.sums(rows, total),
            later_sums=asked.later_sums(total) if rows else None,
            all_columns=list_args.chooser(asked),
            columns_url=f"/settings/columns/{shape(self.model).table}",
            columns_next=asked.url(cols=None, page=None),
            columns_reset=asked.url(cols=None, order=None, page=None),
            order_url=f"/settings/order/{shape(self.model).table}",
            empty=self._why_empty(asked),
            empty_action=None if is_filtered else self._where_added(asked.ctx, add),
            crumbs=[(spec.module.label, ""), (spec.label, "")],
            problems=asked.problems,
            groupings=groups.offered(asked),
            help_key=shape(self.model).table,
        )
        if asked.group is not None and not asked.unread:
            groups.put(page, asked)
        return self.enrich_list(page, asked)

    def _why_empty(self, asked: lists.ListQuery) -> str:
        """Where the rows come from, for whoever looks at an empty list; or that a condition makes no sense."""
        if asked.unread:
            return "有条件无法识别，所以没有显示记录，请去掉或改正后再看"
        if asked.is_filtered:
            return ""
        spec, owner = self.model.spec, shape(self.model).owner
        if owner is not None and record.offers(self.model, "add"):
            return f"还没有{spec.label}，在{owner[1].spec.label}页面的“{spec.label}”中登记"
        return (
            f"还没有{spec.label}"
            if record.offers(self.model, "add")
            else f"还没有{spec.label}，办理业务时自动形成"
        )

    def _where_added(self, ctx: Ctx, actions: Actions) -> Action | None:
        """The button by which rows are added; those of a child table are added at their owner."""
        owner = shape(self.model).owner
        if owner is None:
            return next(iter(actions), None)
        if not record.may_save(ctx, self.model, "add"):
            return None
        return Action(f"打开{owner[1].spec.label}列表", f"/{owner[1].__tablename__}/list/")

    def list_actions(self, ctx: Ctx) -> Actions:
        """Buttons at the head of the list; rows of a child table are added at their owner."""
        label, found = f"新增{self.model.spec.label}", importing.offered(ctx, self.model)
        if shape(self.model).owner is not None or not record.may_save(ctx, self.model, "add"):
            return found
        return [Action(label, self.url("add"), style="primary", icon="plus"), *found]

    def bulk_actions(self, ctx: Ctx) -> Actions:
        """Actions on the rows that are ticked, beside the steps that their states allow."""
        if not record.may_save(ctx, self.model, "delete"):
            return []
        what = f"删除所选 {{n}} 条{self.model.spec.label}，{{sum}}。"
        question = f"{what}删除后不能恢复；每条单独办理，不能删除的列出原因。"
        return [Action("删除", self.url("bulk_delete"), "POST", "danger", confirm=question)]

    def picked(self, ctx: Ctx, most: int = bulk.MOST) -> Picks:
        """The ticked rows, or all of the filter, within scope. Raises BusinessError for none or too many."""
        if request.form.get("all") != "1":
            return bulk.ticked(most)
        asked = self.read_list(ctx)
        asked.require_understood()
        keys = ctx.session.scalars(asked.ordered(asked.select(self.model.id)).limit(most + 1)).all()
        if not keys:
            raise BusinessError("没有选中任何记录")
        if len(keys) > most:
            raise BusinessError(f"一次最多处理 {most} 条，请缩小筛选范围")
        seen = {one.key: one for one in bulk.ticked(most)} if request.form.get("keys") else {}
        return [seen.get(key, bulk.Picked(key)) for key in keys]

    @expose("/bulk/<name>", methods=("POST",))
    @edge.screen("list")
    def bulk_step(self, name: str) -> ResponseReturnValue:
        """Take a step with each of the ticked records: what is refused leaves the others, and says why."""
        ctx = edge.current_ctx()
        bulk.require(ctx, self.model, name)
        return bulk.press(self, ctx, name, self.picked(ctx))

    @expose("/bulk_delete", methods=("POST",))
    @edge.screen("delete")
    def bulk_delete(self) -> ResponseReturnValue:
        """Delete the ticked records as they were shown, each by itself."""
        picked = self.picked(edge.current_ctx())
        if any(one.version is None for one in picked):
            raise BusinessError("只能删除列表中显示并勾选的记录，请翻页或加大每页行数后逐条勾选")
        outcomes = bulk.each(self.model, picked, "删除", self.remove)
        told = bulk.Told("删除", f"条{self.model.spec.label}", bulk.back_to(self.model))
        return bulk.answer(self, self.model, outcomes, told)

    def _exports(self, asked: lists.ListQuery, total: int) -> Actions:
        if not total or not asked.ctx.actor.may("export", shape(self.model).table):
            return []
        base, number = (
            asked.url(page=None, size=None).partition("?")[2],
            f"{total:,}{'+' if asked.is_cut else ''}",
        )
        is_long = total > files.at_once(asked.ctx)
        tail, method = ("export_later", "POST") if is_long else ("export", "GET")
        return [
            Action(
                f"{label}（{number} 行）",
                f"{self.url(tail)}?{base}{'&' if base else ''}format={code}",
                method,
            )
            for code, label, most in files.FORMATS
            if total <= most
        ]

    @expose("/export")
    @edge.screen("export")
    def export(self) -> ResponseReturnValue:
        """The current filter, sort and columns as a file."""
        return files.send(self.read_list(edge.current_ctx()), request.args.get("format", "xlsx"))

    @expose("/export_later", methods=("POST",))
    @edge.screen("export")
    def export_later(self) -> ResponseReturnValue:
        """The same in the background; the file is found in 我的下载."""
        exports.begin(self.read_list(edge.current_ctx()), request.args.get("format", "xlsx"))
        flash("已开始在后台导出，完成后在本页下载", "success")
        return redirect(exports.URL)

    # ========================================================================================================== helpers
    def url(self, tail: str) -> str:
        """An address of this view."""
        return f"/{shape(self.model).table}/{tail}"
