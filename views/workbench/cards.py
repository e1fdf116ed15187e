"""The cards of the workbench (2.1): what waits in each quick module, with figures that open their rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from models.base.entity import Entity
from models.base.money import format_money
from models.ledger.voucher import Voucher, VoucherState
from models.system.organization import DesktopModule
from models.system.saved_view import SavedView
from reports.figures import saved_views
from reports.workbench import desktop
from views.kit import todo
from views.kit.cells import record_url, table_label
from views.kit.deadlines import day_of, days_left
from views.kit.exports import asked_of
from views.kit.list_views import url_of
from views.kit.pages import Action, Cell, Column, FeedItem, MenuItem, Row, Section
from views.workbench.card_charts import balance_card, structure_card
from views.workbench.desk_figures import PROJECTS, WARNINGS, Desk
from workflows.base.context import Ctx

ROWS = 6
WIDE, NARROW = 8, 4
DUE_DAYS = 30
_WAITS = {"review": "待审核", "sign": "待签字", "post": "待记账"}
_FEED = "parts/feed.html"
# What people begin with: label, address, verb, table.
_SHORTCUTS = (
    ("新增个人客户", "/personal_customer/add", "add", "personal_customer"),
    ("新增对公客户", "/corporate_customer/add", "add", "corporate_customer"),
    ("新建担保申请", "/project/add", "add", "project"),
    ("填制凭证", "/voucher/add", "add", "voucher"),
    ("复核管理", "/review/", "book", "business_event"),
    ("额度与集中度", "/report/exposure", "list", "project"),
    ("科目余额表", "/report/trial-balance", "list", "account_balance"),
    ("合作银行", "/partner_bank/list/", "list", "partner_bank"),
    ("系统参数", "/parameter/list/", "edit", "parameter"),
    ("操作员", "/operator/list/", "edit", "operator"),
    ("角色权限", "/roles/", "edit", "ab_role"),
)


def _tasks(desk: Desk, limit: int) -> Section:
    found = todo.waiting(desk.ctx)
    return Section(
        "",
        DesktopModule.TASKS.label,
        columns=todo.columns(),
        rows=todo.rows(desk.ctx, limit),
        count=found.total,
        more_url="/approvals/",
        empty="没有等您办理的事项",
        actions=todo.together(desk.ctx),
    )


def _projects(desk: Desk, _: int) -> Section:
    rows = [
        Row(
            line.stage.name,
            f"{PROJECTS}&f=stage:eq:{line.stage.name}",
            (
                Cell(line.stage.label),
                Cell(str(line.count), "int"),
                Cell(format_money(line.amount), "money"),
            ),
        )
        for line in desk.stages
    ]
    columns = [
        Column("stage", "环节"),
        Column("count", "个数", "int"),
        Column("amount", "担保金额", "money", "元"),
    ]
    offered = [] if rows or not desk.actor.may("add", "project") else [_NEW_PROJECT]
    return Section(
        "",
        "我的项目",
        columns=columns,
        rows=rows,
        sums=[
            (
                "合计",
                {"count": str(desk.running.count), "amount": format_money(desk.running.amount)},
            )
        ]
        if rows
        else [],
        count=desk.running.count,
        more_url=PROJECTS,
        empty="没有办理中的项目",
        note=f"办理中 · {desk.actor.scope.label}",
        actions=offered,
    )


_NEW_PROJECT = Action("新建担保申请", "/project/add", icon="plus")


def _due(desk: Desk, limit: int) -> Section:
    until = desk.today + timedelta(days=DUE_DAYS)
    total, rows = desktop.instalments_due(
        desk.session, desk.actor, desk.today, until, limit, is_whole=limit > ROWS
    )
    empty = f"{DUE_DAYS} 天内没有到期的还款"
    return _table(
        desk,
        DesktopModule.DUE,
        ("到期日", "应还", "借据"),
        total,
        rows,
        empty=empty,
        note=f"{DUE_DAYS} 天内",
    )


def _overdue(desk: Desk, limit: int) -> Section:
    before = desk.today - timedelta(days=1)
    total, rows = desktop.instalments_due(
        desk.session, desk.actor, None, before, limit, is_whole=limit > ROWS
    )
    return _table(
        desk,
        DesktopModule.OVERDUE,
        ("应还日", "逾期", "借据"),
        total,
        rows,
        empty="没有逾期的借据",
        note="按期次",
    )


def _fees(desk: Desk, limit: int) -> Section:
    until = desk.today + timedelta(days=DUE_DAYS)
    total, rows = desktop.fees_due(desk.session, desk.actor, until, limit, is_whole=limit > ROWS)
    empty = f"{DUE_DAYS} 天内没有待收的费用"
    return _table(
        desk,
        DesktopModule.FEES,
        ("应收日", "待收", "费用"),
        total,
        rows,
        empty=empty,
        note=f"{DUE_DAYS} 天内及已到期",
    )


def _table(
    desk: Desk,
    module: DesktopModule,
    heads: tuple[str, str, str],
    total: desktop.Total,
    due: list[desktop.DueRow],
    *,
    empty: str,
    note: str,
) -> Section:
    """What falls due, row by row; the whole of it is one click away and is counted and summed by the same query."""
    when, amount, what = heads
    columns = [
        Column("due_on", when, "date"),
        Column("left", "剩余", "enum"),
        Column("customer", "客户"),
        Column("what", what),
        Column("amount", amount, "money", "元"),
    ]
    rows = [
        Row(
            f"{row.project_id}-{number}",
            record_url("project", row.project_id),
            (
                Cell(row.due_on.isoformat(), "date"),
                days_left((row.due_on - desk.today).days),
                Cell(row.customer, title=f"{row.customer}　{row.project}"),
                Cell(row.what),
                Cell(format_money(row.amount), "money"),
            ),
            main=2,
        )
        for number, row in enumerate(due)
    ]
    return Section(
        "",
        module.label,
        columns=columns,
        rows=rows,
        count=total.count,
        is_count_whole=total.is_whole,
        empty=empty,
        note=note,
        more_url=f"/desktop/{module.name.lower()}" if rows else "",
        foot=_sum_words(total) if rows else "",
        foot_figure=f"{format_money(total.amount)} 元" if rows and total.is_whole else "",
    )


def _sum_words(total: desktop.Total) -> str:
    return (
        f"合计 {total.count} 笔" if total.is_whole else f"超过 {total.count} 笔，合计见“查看全部”"
    )


def _warnings(desk: Desk, limit: int) -> Section:
    warnings = desktop.open_warnings(desk.session, desk.actor, limit)
    items = [
        FeedItem(
            f"{warning.rule.label} · {warning.project.customer.name}",
            f"{warning.project.number} · {warning.message}",
            Cell(warning.level.label, "enum", tone=warning.level.tone),
            f"限 {warning.deadline.isoformat()}",
            record_url("risk_warning", warning.id),
        )
        for warning in warnings
    ]
    return _feed("预警信息", items, "没有待处理的预警", desk.warnings, WARNINGS)


def _events(desk: Desk, limit: int) -> Section:
    total, events = desktop.waiting_events(desk.session, desk.actor, limit)
    items = [
        FeedItem(
            f"{event.label} {format_money(event.total)} 元",
            " · ".join(
                filter(
                    None, [event.number, event.customer.name if event.customer else "", event.memo]
                )
            ),
            Cell("待复核", "enum", tone="doing"),
            event.occurred_on.isoformat(),
            record_url("business_event", event.id),
        )
        for event in events
    ]
    section = _feed("复核管理", items, "没有等待复核的业务", total.count, "/review/")
    if total.count:
        section.foot, section.foot_figure = "待复核金额", f"{format_money(total.amount)} 元"
    return section


def _vouchers(desk: Desk, limit: int) -> Section:
    counts, vouchers = desktop.waiting_vouchers(desk.session, desk.actor, limit)
    items = [
        FeedItem(
            f"{voucher.code} {format_money(voucher.total)} 元",
            voucher.memo,
            Cell(_waits_for(voucher), "enum", tone="doing"),
            voucher.date.isoformat(),
            record_url("voucher", voucher.id),
        )
        for voucher in vouchers
    ]
    section = _feed(
        "凭证待办",
        items,
        "没有等您办理的凭证",
        sum(counts.values()),
        "/desktop/vouchers" if items else "",
    )
    section.note = " · ".join(f"{_WAITS[verb]} {count}" for verb, count in counts.items())
    return section


def _waits_for(voucher: Voucher) -> str:
    if voucher.state is VoucherState.DRAFT:
        return _WAITS["review"]
    return _WAITS["sign" if voucher.is_cash and voucher.state is VoucherState.REVIEWED else "post"]


def _customers(desk: Desk, limit: int) -> Section:
    count, customers = desktop.my_customers(desk.session, desk.actor, limit)
    items = [
        FeedItem(
            customer.name,
            f"{customer.number} · {customer.kind.label}",
            None,
            day_of(customer.updated_at),
            _url(customer),
        )
        for customer in customers
    ]
    more = f"/customer/list/?f=manager_id:eq:{desk.actor.employee_id}"
    section = _feed("我的客户", items, "名下还没有客户", count, more)
    section.actions = (
        [] if customers else [Action("新增对公客户", "/corporate_customer/add", icon="plus")]
    )
    return section


def _url(record: Entity) -> str:
    return record_url(str(record.__tablename__), record.id)


def _submissions(desk: Desk, limit: int) -> Section:
    items = [
        FeedItem(
            one.title,
            one.business_type.label,
            Cell(one.state.label, "enum", tone=one.state.tone),
            day_of(one.submitted_at),
            f"/approvals/instance/{one.id}",
        )
        for one in desktop.my_submissions(desk.session, desk.actor, limit)
    ]
    return _feed("我的申请", items, "您还没有提交过审批", None, "/approvals/?tab=mine")


def _shortcuts(desk: Desk, _: int) -> Section:
    items = [
        MenuItem(label, url)
        for label, url, verb, table in _SHORTCUTS
        if desk.actor.may(verb, table)
    ]
    items.append(MenuItem("修改密码", "/password/"))
    return Section("", "快捷入口", template="parts/shortcuts.html", data=items)


def _views(desk: Desk, _: int) -> Section:
    """Each with how many rows it has now, counted no further than a list is."""
    rows = [_view_row(desk.ctx, view) for view in saved_views.pinned(desk.session, desk.actor)]
    return Section(
        "",
        DesktopModule.VIEWS.label,
        columns=[Column("name", "视图"), Column("list", "列表"), Column("count", "条数", "int")],
        rows=rows,
        more_url="/views/",
        empty="还没有固定的视图：打开列表上的视图，在“视图操作”中固定到桌面",
    )


def _view_row(ctx: Ctx, view: SavedView) -> Row:
    asked = asked_of(ctx, view.table_name, view.query)
    count = Cell("条件已失效", "enum", tone="warn", title="；".join(asked.unread))
    if not asked.unread:
        count = Cell(asked.count_words(), "int")
    cells = (Cell(view.name, "link"), Cell(table_label(view.table_name)), count)
    return Row(str(view.id), url_of(view), cells)


def _feed(
    label: str, items: list[FeedItem], empty: str, count: int | None, more_url: str
) -> Section:
    return Section(
        "", label, template=_FEED, data=items, count=count, more_url=more_url, empty=empty
    )


def _holds(*pairs: tuple[str, str]) -> Callable[[Ctx], bool]:
    return lambda ctx: any(ctx.actor.may(verb, table) for verb, table in pairs)


@dataclass(frozen=True)
class Card:
    """A quick module: who may have it on the desktop, and how it is filled with at most so many rows."""

    is_for: Callable[[Ctx], bool]
    fill: Callable[[Desk, int], Section]
    width: int = WIDE
    is_listed: bool = (
        False  # all its rows stand on a page of its own, for no list has this very filter
    )
    is_at_hand: bool = (
        False  # says what the page around it has read anyway: filled with the page, not after it
    )


_ANYBODY: Callable[[Ctx], bool] = lambda _: True  # noqa: E731 - one of a table of conditions
_CUSTOMERS = _holds(("add", "personal_customer"), ("add", "corporate_customer"))
CARDS: dict[DesktopModule, Card] = {
    DesktopModule.TASKS: Card(_ANYBODY, _tasks, is_at_hand=True),
    DesktopModule.BALANCE: Card(_holds(("list", "project")), balance_card, NARROW),
    DesktopModule.PROJECTS: Card(_holds(("list", "project")), _projects, NARROW, is_at_hand=True),
    DesktopModule.DUE: Card(_holds(("list", "drawdown")), _due, is_listed=True),
    DesktopModule.WARNINGS: Card(_holds(("list", "risk_warning")), _warnings),
    DesktopModule.OVERDUE: Card(_holds(("list", "drawdown")), _overdue, is_listed=True),
    DesktopModule.FEES: Card(_holds(("list", "fee")), _fees, is_listed=True),
    DesktopModule.EVENTS: Card(_holds(("book", "business_event")), _events),
    DesktopModule.VOUCHERS: Card(
        _holds(*((verb, "voucher") for verb in _WAITS)), _vouchers, is_listed=True
    ),
    DesktopModule.CUSTOMERS: Card(_CUSTOMERS, _customers, NARROW),
    DesktopModule.SUBMISSIONS: Card(_ANYBODY, _submissions, NARROW),
    DesktopModule.STRUCTURE: Card(_holds(("list", "project")), structure_card, NARROW),
    DesktopModule.SHORTCUTS: Card(_ANYBODY, _shortcuts, NARROW, is_at_hand=True),
    DesktopModule.VIEWS: Card(_ANYBODY, _views, NARROW),
}


def card(desk: Desk, module: DesktopModule, limit: int = ROWS) -> Section:
    """The filled card of a module; its key is the module's name."""
    section = CARDS[module].fill(desk, limit)
    section.key, section.width = module.name, CARDS[module].width
    return section


def card_of_page(desk: Desk, module: DesktopModule) -> Section:
    """The card as the page brings it: filled, or a place that fills itself by a request of its own.

    So no card waits for another, and one that fails leaves the rest standing.
    """
    if CARDS[module].is_at_hand:
        return card(desk, module)
    width, url = CARDS[module].width, f"/desktop/card/{module.name.lower()}"
    return Section(module.name, module.label, width=width, later_url=url)
