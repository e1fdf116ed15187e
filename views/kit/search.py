"""Global search (X3): customers, projects, contracts, vouchers, and every paper by its number, from one box."""

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from reports.base.search import Hit, global_search
from views.kit import edge
from views.kit.cells import record_url
from views.kit.looks import recents
from views.kit.pages import Cell, Column, ListPage, Paging, Row

MOST = 50
SUGGESTED = 20
TEXT_MAX = 64


class SearchView(BaseView):
    """GET /search?q=…: a page for people, suggestions for the top bar; of nothing typed, what was opened last."""

    route_base = ""
    default_view = "search"

    @expose("/search")
    @edge.screen()
    def search(self) -> ResponseReturnValue:
        """What contains the text, within the reader's permissions and data scope."""
        ctx = edge.current_ctx()
        text = request.args.get("q", "").replace("\x00", "").strip()[:TEXT_MAX]
        wants_json = edge.wants_json()
        found = (
            global_search(ctx.session, ctx.actor, text, SUGGESTED if wants_json else MOST)
            if text
            else []
        )
        if wants_json:
            suggested = [_suggestion(hit) for hit in found] if text else recents(ctx)
            return jsonify({"result": suggested})
        rows = [_row(hit) for hit in found]
        count = len(rows)
        page = ListPage(
            f"搜索“{text}”" if text else "搜索",
            f"最多显示 {MOST} 条，请补充关键字" if count == MOST else "",
            [Column("title", "名称"), Column("number", "编号"), Column("kind", "类别")],
            rows,
            Paging(1 if rows else 0, count, count, page=1, pages=1, size=MOST, sizes=(), links=()),
            search=text,
            search_hint="客户、项目、合同、凭证、单据编号，或拼音首字母",
            url="/search",
            empty="没有找到包含这些文字的业务" if text else "请输入要查找的内容",
            help_key="search",
        )
        return self.render_template("list.html", page=page)


def _suggestion(hit: Hit) -> dict[str, str]:
    hint = " · ".join(part for part in (hit.label, hit.number) if part)
    return {"id": f"{hit.table}-{hit.record_id}", "text": hit.title, "hint": hint, "url": _url(hit)}


def _row(hit: Hit) -> Row:
    cells = (Cell(hit.title, "link"), Cell(hit.number or "—"), Cell(hit.label))
    return Row(f"{hit.table}-{hit.record_id}", _url(hit), cells)


def _url(hit: Hit) -> str:
    return record_url(hit.table, hit.record_id)
