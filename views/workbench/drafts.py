"""我的草稿 (X19): what one has typed into forms and not saved, and the way back to each."""

import json

from flask import flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from models.base.errors import BusinessError
from models.base.kinds import Module
from models.base.moments import local
from models.system.draft import FormDraft
from views.kit import edge
from views.kit.pages import Action, Cell, Column, Draft, ReportPage, Row
from workflows.system import drafts

TITLE = "我的草稿"


class DraftsView(BaseView):
    """/drafts/: the drafts of the reader; keeping and dropping one."""

    route_base = "/drafts"
    default_view = "page"
    title = TITLE

    @expose("/")
    @edge.screen()
    def page(self) -> ResponseReturnValue:
        """All drafts of the reader, the latest first."""
        rows = [_row(found) for found in drafts.mine(edge.current_ctx())]
        page = ReportPage(
            TITLE,
            [Column("title", "表单"), Column("at", "填写时间", "datetime")],
            rows,
            note=f"{len(rows)} 份",
            empty="没有填了一半的表单",
            foot="表单填写时自动存为草稿，保存后即清除；久未处理的草稿到期清除",
            crumbs=[(Module.WORKBENCH.label, ""), (TITLE, "")],
            help_key="drafts",
        )
        return self.render_template("report.html", page=page)

    @expose("/keep", methods=("POST",))
    @edge.screen()
    def keep(self) -> ResponseReturnValue:
        """Keep what stands in a form now."""
        fields = _pairs(request.form.get("fields", ""))
        with edge.writing() as ctx:
            drafts.keep(ctx, request.form.get("place", ""), request.form.get("title", ""), fields)
        return jsonify(at=f"{local(ctx.now):%H:%M}")

    @expose("/drop", methods=("POST",))
    @edge.screen()
    def drop(self) -> ResponseReturnValue:
        """Forget a draft: asked by its form, or by the list of all."""
        with edge.writing() as ctx:
            drafts.drop(ctx, request.form.get("place", ""))
        if request.form.get("from") == "form":
            return jsonify(dropped=True)
        flash("已丢弃草稿", "success")
        return redirect("/drafts/")


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return [(str(name), str(value)) for name, value in json.loads(text)]
    except (ValueError, TypeError, RecursionError) as error:
        raise BusinessError("草稿内容无法识别") from error


def _row(found: FormDraft) -> Row:
    drop = Action("丢弃", "/drafts/drop", "POST", "danger", fields=(("place", found.place),))
    cells = (Cell(found.title, "link"), Cell(f"{local(found.at):%Y-%m-%d %H:%M}"))
    return Row(str(found.id), Draft(found.place).url, cells, actions=(drop,))
