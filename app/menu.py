"""The shell of every page: menu from the entities' Specs, business date, person, what waits for me."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flask import Flask, g, request
from sqlalchemy import select

from models.base.actor import Actor
from models.base.entity import entities, owner_of
from models.base.kinds import MenuGroup, Module
from models.system.organization import Company, Operator
from reports.base.report import REPORTS
from reports.workbench.todo import Waiting
from reports.workbench.todo_source import TodoKind
from views.kit import edge, exports, importing, progress, todo
from views.kit.interface import model_of
from views.kit.pages import Job, MenuFold, MenuItem, MenuModule, Shell
from workflows.base.context import Ctx

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
ICONS = {
    Module.WORKBENCH: "home",
    Module.CUSTOMER: "users",
    Module.GUARANTEE: "shield",
    Module.QUERY: "search",
    Module.AFTER: "activity",
    Module.COLLATERAL: "box",
    Module.LEDGER: "book",
    Module.STATISTICS: "chart",
    Module.SYSTEM: "gear",
    Module.CUSTOMER_SETUP: "idcard",
    Module.GUARANTEE_SETUP: "sliders",
    Module.COLLATERAL_SETUP: "tag",
    Module.HELP: "help",
}


class Page(NamedTuple):
    """A screen that no entity stands behind, and who finds it in the menu: verb '' = everybody."""

    module: Module
    rank: int
    label: str
    url: str
    verb: str
    table: str
    group: MenuGroup | None = None


PAGES = (
    Page(Module.WORKBENCH, 1, "快捷桌面", url="/", verb="", table=""),
    Page(Module.WORKBENCH, 2, "待办事项", url="/approvals/", verb="", table=""),
    Page(Module.WORKBENCH, 3, "我的报表", url="/reports/", verb="", table=""),
    Page(Module.WORKBENCH, 5, "我的视图", url="/views/", verb="", table=""),
    Page(Module.WORKBENCH, 4, "我的草稿", url="/drafts/", verb="", table=""),
    Page(Module.WORKBENCH, 8, "个人设置", url="/settings/", verb="", table=""),
    Page(Module.WORKBENCH, 9, "修改密码", url="/password/", verb="", table=""),
    Page(Module.LEDGER, 5, "复核管理", url="/review/", verb="list", table="business_event"),
    Page(
        Module.GUARANTEE_SETUP,
        31,
        "审批试算",
        url="/approval-trial/",
        verb="list",
        table="approval_flow",
    ),
    Page(
        Module.LEDGER,
        20,
        "期末处理",
        url="/closing/",
        verb="list",
        table="accounting_period",
        group=MenuGroup.CLOSING,
    ),
    Page(
        Module.LEDGER,
        605,
        "期初余额",
        url="/opening/",
        verb="load",
        table="opening_import",
        group=MenuGroup.BOOK_SETUP,
    ),
    Page(Module.AFTER, 15, "导入还款", url="/repayment_import/", verb="import", table="repayment"),
    Page(Module.SYSTEM, 1, "开业准备", url="/preparation/", verb="export", table="company"),
    Page(
        Module.SYSTEM,
        35,
        "角色权限",
        url="/roles/",
        verb="list",
        table="ab_role",
        group=MenuGroup.PEOPLE,
    ),
    Page(
        Module.SYSTEM,
        105,
        "日终处理",
        url="/day-end/",
        verb="list",
        table="job_run",
        group=MenuGroup.RUNNING,
    ),
    Page(
        Module.SYSTEM,
        106,
        "核对",
        url="/verify/",
        verb="verify",
        table="job_run",
        group=MenuGroup.RUNNING,
    ),
    Page(
        Module.QUERY, 95, "文档核验", url="/document-check/", verb="verify", table="issued_document"
    ),
)


def _reports() -> Iterator[Page]:
    """Every report that says where it stands in the menu."""
    for report in REPORTS.values():
        if report.in_menu:
            verb, table = report.permission
            place = (report.module, report.rank or 0, report.label)
            yield Page(*place, url=report.url, verb=verb, table=table, group=report.menu)


# Where the menu needs another word than the entity: the list of all beside its parts.
NAMES = {"customer": "全部客户"}


def bind(app: Flask) -> None:
    """Give every template its shell."""
    app.context_processor(lambda: {"shell": shell()})


def shell() -> Shell | None:
    """The shell for the signed-in person; None on the login page and before `init`."""
    if "shell" not in g:
        try:
            g.shell = _build()
        except edge.NotSignedIn:
            g.shell = None
    found: Shell | None = g.shell
    return found


def _build() -> Shell:
    ctx = edge.current_ctx()
    session = ctx.session
    company = session.scalars(select(Company)).first()
    operator: Operator | None = g.get("operator")
    waiting = todo.waiting(ctx)
    return Shell(
        company=company.display_name if company else "融资担保业务系统",
        seal=(company.seal_character if company and company.seal_character else "担"),
        sections=_sections(ctx.actor, _counts(waiting)),
        business_date=ctx.today.isoformat(),
        weekday=WEEKDAYS[ctx.today.weekday()],
        user_name=ctx.actor.name,
        user_role="、".join(sorted(ctx.actor.roles)[:2]),
        unread=waiting.total,
        theme=operator.theme.name.lower() if operator else "",
        inbox_url="/approvals/",
        # The page that follows a job says more of it than the top bar could.
        jobs=tuple(job for job in _jobs(ctx) if job.url.partition("?")[0] != request.path),
        search_url="/search",
        user_links=(
            MenuItem("我的下载", "/downloads/"),
            MenuItem("我的导入", "/import/"),
            MenuItem("个人设置", "/settings/"),
            MenuItem("自定义桌面", "/desktop/"),
            MenuItem("修改密码", "/password/"),
        ),
    )


def _jobs(ctx: Ctx) -> Iterator[Job]:
    """What the reader waits for; one question tells which kinds of it there are, mostly none."""
    if ctx.actor.employee_id is None:
        return
    kinds = (progress, exports, importing)
    found = ctx.session.execute(select(*(kind.waited_for(ctx).exists() for kind in kinds))).one()
    for kind, is_there in zip(kinds, found, strict=True):
        if is_there:
            yield from kind.shown_everywhere(ctx)


def _counts(waiting: Waiting) -> dict[str, int]:
    """What waits behind the entries of the menu: all of it, and of the books what has a page of its own."""
    return {
        "/approvals/": waiting.total,
        "/review/": waiting.of(TodoKind.BOOK),
        "/voucher/list/": waiting.of(TodoKind.REVIEW, TodoKind.SIGN, TodoKind.POST),
    }


def _tables_here() -> tuple[str, ...]:
    """The table of this page and those that own its rows, nearest first: a form of a part lights up its owner."""
    parts = request.path.split("/")
    table = (parts[2:3] if parts[1] == "do" else parts[1:2]) or [""]
    found, model = [table[0]], model_of(table[0])
    while model is not None and (owner := owner_of(model)) is not None:
        model = owner[1]
        found.append(str(model.__tablename__))
    return tuple(found)


class Entry(NamedTuple):
    """An entry of a module on its way into the menu."""

    rank: int
    group: MenuGroup | None
    item: MenuItem


def _sections(
    actor: Actor, counts: dict[str, int]
) -> tuple[tuple[str, tuple[MenuModule, ...]], ...]:
    entries: dict[Module, list[Entry]] = {}
    here = _tables_here()
    lit = next((name for name in here if (known := model_of(name)) and known.spec.in_menu), "")
    for model in entities():
        spec, table = model.spec, model.__tablename__
        # Everybody may look master data up; the menu offers its lists to those who work with them.
        needed = "export" if spec.module.is_back_office else "list"
        if spec.in_menu and spec.kind.has_screen and actor.may(needed, table):
            url = f"/{table}/list/"
            item = MenuItem(
                NAMES.get(table, spec.label), url, table == lit, counts.get(url) or None
            )
            entries.setdefault(spec.module, []).append(Entry(spec.rank, spec.group, item))
    for page in (*PAGES, *_reports()):
        if not page.verb or actor.may(page.verb, page.table):
            is_home = not lit and page.table in here  # records that no list of their own leads to
            item = MenuItem(page.label, page.url, _is_here(page) or is_home, counts.get(page.url))
            entries.setdefault(page.module, []).append(Entry(page.rank, page.group, item))
    front = _modules(entries, (m for m in Module if not m.is_back_office))
    back = _modules(entries, (m for m in Module if m.is_back_office))
    return (("", front), ("后台设置", back)) if back else (("", front),)


def _is_here(page: Page) -> bool:
    if page.url == "/":
        return request.path in ("/", "/desktop/")
    return request.path == page.url or request.path.startswith(f"{page.url.rstrip('/')}/")


def _modules(
    entries: dict[Module, list[Entry]], modules: Iterable[Module]
) -> tuple[MenuModule, ...]:
    found = []
    for module in modules:
        ranked = sorted(entries.get(module, []), key=lambda entry: entry.rank)
        if ranked:
            items = [entry.item for entry in ranked]
            active = any(item.is_active for item in items)
            count = sum(item.count or 0 for item in items) or None
            found.append(
                MenuModule(
                    module.label,
                    ICONS[module],
                    _folded(ranked),
                    is_active=active,
                    count=count,
                    url=items[0].url,
                )
            )
    return tuple(found)


def _folded(ranked: list[Entry]) -> tuple[MenuItem | MenuFold, ...]:
    """A group stands where its first entry would; one that offers this person a single entry is that entry."""
    found: list[MenuItem | MenuFold] = []
    done: set[MenuGroup] = set()
    for _, group, item in ranked:
        inside = tuple(entry.item for entry in ranked if group is not None and entry.group is group)
        if group is None or len(inside) == 1:
            found.append(item)
        elif group not in done:
            done.add(group)
            active, count = (
                any(i.is_active for i in inside),
                sum(i.count or 0 for i in inside) or None,
            )
            found.append(MenuFold(group.label, inside, active, count))
    return tuple(found)
