"""The routes of grids: an empty or filled one for a form that opens it, and many rows of one record at once."""

from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from models.base.entity import Entity, PartOf, parts_of
from models.base.errors import BusinessError, NotFound
from views.kit import drafts, edge, parts
from views.kit.grids import Grid, Grids
from views.kit.hooks import EntityHooks
from views.kit.interface import EntityInterface, Titles, shape
from views.kit.pages import FormPage
from workflows.base import records
from workflows.base.context import Ctx


def without_grids(model: type[Entity], writes: tuple[str, ...]) -> set[str]:
    """Routes that a view need not have: nobody fills in rows of its records by hand, or its form."""
    if not any(one.model.spec.kind.is_writable for one in parts_of(model).values()):
        return {"grid", "rows"}
    return set() if {"add", "edit"} & {*writes} else {"grid"}


class GridRoutes(EntityHooks):
    """grid/<part>, what a form opens; rows/<id>/<part>, the page that edits many rows at once."""

    datamodel: EntityInterface
    render_template: Any

    @expose("/grid/<part>")
    @edge.screen("add", "edit")
    def grid(self, part: str) -> ResponseReturnValue:
        """A grid for the form of a new record, or of `record`: a piece of HTML."""
        ctx, key = edge.current_ctx(), request.args.get("record")
        owner = self.datamodel.find(key) if key else None
        one = self.gridded(owner, ctx).get(part)
        if one is None:
            raise NotFound("没有这个子表，或您没有权限")
        page = Grid(ctx, one, owner).load().page()
        return self.render_template("grid.html", grid=page)

    @expose("/rows/<pk>/<part>", methods=("GET", "POST"))
    @edge.screen("show")
    def rows(self, pk: str, part: str) -> ResponseReturnValue:
        """Many rows of one part of a record: its rows ask for their own rights."""
        ctx, owner = edge.current_ctx(), self.datamodel.find(pk)
        if type(owner) is not self.model:
            raise NotFound
        one = parts.grid_of(ctx, owner, part)
        if request.method == "POST":
            return self._save_rows(ctx, owner, one)
        sheets = Grids(ctx, {part: one}, owner)
        if (typed := drafts.typed(ctx)) is not None:
            sheets.read(typed)
        sheets.open.setdefault(part, Grid(ctx, one, owner).load())
        return self.render_template("form.html", page=self._rows_page(ctx, owner, sheets))

    def _save_rows(self, ctx: Ctx, owner: Entity, one: PartOf) -> ResponseReturnValue:
        part, key = str(one.model.__tablename__), owner.id
        sheets = Grids(ctx, {part: one}, owner).read(request.form)
        try:
            with edge.writing():
                sheets.save(records.find(ctx, self.model, key))
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            again = self.datamodel.find(key)
            sheets = Grids(ctx, {part: one}, again).read(request.form)
            sheets.open.setdefault(part, Grid(ctx, one, again).load())
            page = self._rows_page(ctx, again, sheets, sheets.refuse(error))
            return self.render_template("form.html", page=page), error.status
        flash(f"已保存{one.model.spec.label}", "success")
        return redirect(_tab(self.model, key, part))

    def _rows_page(
        self, ctx: Ctx, owner: Entity, sheets: Grids, error: BusinessError | None = None
    ) -> FormPage:
        (part, one), table = next(iter(sheets.parts.items())), shape(self.model).table
        title, back = Titles(ctx.session).of(owner), _tab(self.model, owner.id, part)
        label = one.model.spec.label
        return FormPage(
            f"{label}：{title}",
            [],
            drafts.place(),
            back,
            hidden=[edge.csrf_input()],
            errors=[("", "", error.message)] if error else sheets.errors(),
            crumbs=[
                (self.model.spec.module.label, ""),
                (self.model.spec.label, f"/{table}/list/"),
                (title, back),
                (label, ""),
            ],
            help_key=part,
            draft=drafts.of_form(ctx),
            grids=sheets.offers(table),
        )


def _tab(model: type[Entity], key: int, part: str) -> str:
    return f"/{shape(model).table}/show/{key}?tab={part}#tabs"
