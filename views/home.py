"""我的工作台 (2.1): what waits for this person, with the figures behind it and one click to act."""

from datetime import datetime

from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from models.approval import ApprovalTask
from models.base.entity import Entity
from models.base.money import format_money
from models.ledger import Voucher, VoucherState
from reports import workbench
from reports.figures.approvals import my_task_count, my_tasks
from views import edge
from views.cells import local, record_url
from views.pages import Action, Cell, Column, FeedItem, HomePage, MenuItem, Row, Section, Stat
from workflows.base.context import Ctx

ROWS = 6
_WAITS = {"review": "待审核", "sign": "待签字", "post": "待记账"}
# What people begin with: label, address, verb, table.
_SHORTCUTS = (
    ("新增个人客户", "/personal_customer/add", "add", "personal_customer"),
    ("新增企业客户", "/corporate_customer/add", "add", "corporate_customer"),
    ("新增担保项目", "/project/add", "add", "project"),
    ("填制凭证", "/voucher/add", "add", "voucher"),
    ("复核管理", "/review/", "book", "business_event"),
    ("额度与集中度", "/report/exposure", "list", "project"),
    ("科目余额表", "/report/trial-balance", "list", "account_balance"),
    ("合作银行", "/partner_bank/list/", "list", "partner_bank"),
    ("系统参数", "/parameter/list/", "edit", "parameter"),
    ("操作员", "/operator/list/", "edit", "operator"),
    ("角色权限", "/roles/", "edit", "ab_role"),
)


class HomeView(BaseView):
    """The first page after signing in."""

    route_base = ""
    default_view = "index"

    @expose("/")
    @edge.screen()
    def index(self) -> ResponseReturnValue:
        """The workbench."""
        return self.render_template("home.html", page=home_page(edge.current_ctx()))


def home_page(ctx: Ctx) -> HomePage:
    """Cards by what the person may do; each has its own words for having nothing."""
    actor = ctx.actor
    sections, stats = [_tasks(ctx)], []
    if actor.may("book", "business_event"):
        sections.append(_events(ctx))
    if any(actor.may(verb, "voucher") for verb in _WAITS):
        sections.append(_vouchers(ctx))
    if actor.may("list", "project"):
        found, figures = _projects(ctx)
        sections += found
        stats += figures
    if actor.may("list", "risk_warning"):
        found, figures = warning_section(ctx)
        sections += found
        stats += figures
    if actor.may("add", "personal_customer") or actor.may("add", "corporate_customer"):
        sections.append(_customers(ctx))
    sections.append(_shortcuts(ctx))
    waiting = my_task_count(ctx.session, actor)
    stats.insert(0, Stat("待办审批", str(waiting), "件", url="/approvals/", tone="warn" if waiting else ""))
    return HomePage(
        f"{greeting(ctx.now)}，{actor.name}",
        f"营业日期 {ctx.today.isoformat()} · 数据范围：{actor.scope.label}",
        _actions(ctx),
        stats,
        sections,
        help_key="home",
    )


def greeting(now: datetime) -> str:
    """Good morning, as the clock in Shanghai says."""
    hour = local(now).hour
    words = ((5, "夜深了"), (9, "早上好"), (12, "上午好"), (14, "中午好"), (18, "下午好"), (24, "晚上好"))
    return next(word for until, word in words if hour < until)


def lateness(due: datetime | None, now: datetime) -> Cell | None:
    """How a deadline stands: 超时 2 天, 剩 5 小时; None without one."""
    if due is None:
        return None
    seconds = int((due - now).total_seconds())
    minutes = abs(seconds) // 60
    if minutes >= 2 * 1440:
        words = f"{minutes // 1440} 天"
    else:
        words = f"{minutes // 60} 小时" if minutes >= 60 else f"{minutes} 分钟"
    title = f"办理期限 {local(due):%Y-%m-%d %H:%M}"
    if seconds < 0:
        return Cell(f"超时 {words}", "enum", tone="bad", title=title)
    return Cell(f"剩 {words}", "enum", tone="warn" if minutes < 8 * 60 else "doing", title=title)


def day_of(moment: datetime | None) -> str:
    """The date of a moment in Shanghai."""
    return f"{local(moment):%Y-%m-%d}" if moment else ""


def task_item(task: ApprovalTask, now: datetime) -> FeedItem:
    """One waiting approval as a line."""
    instance = task.instance
    amount = f"{format_money(instance.amount)} 元" if instance.amount is not None else ""
    parts = [instance.business_type.label, task.node.name, amount, f"{instance.applicant.name} 提交"]
    mark = lateness(task.due_at, now) or Cell("待办", "enum", tone="doing")
    title = instance.title.removeprefix(f"{instance.business_type.label}：")
    return FeedItem(
        title,
        " · ".join(dict.fromkeys(filter(None, parts))),
        mark,
        day_of(instance.submitted_at),
        f"/approvals/{task.id}",
    )


def _actions(ctx: Ctx) -> list[Action]:
    if ctx.actor.may("add", "project"):
        return [Action("新增担保项目", "/project/add", style="primary", icon="plus")]
    return []


def _tasks(ctx: Ctx) -> Section:
    count = my_task_count(ctx.session, ctx.actor)
    items = [task_item(task, ctx.now) for task in my_tasks(ctx.session, ctx.actor, ROWS)]
    return Section(
        "tasks",
        "待办审批",
        template="parts/feed.html",
        data=items,
        count=count,
        more_url="/approvals/",
        empty="没有等您审批的业务",
        width=6,
    )


def _projects(ctx: Ctx) -> tuple[list[Section], list[Stat]]:
    stages = workbench.project_stages(ctx.session, ctx.actor)
    force = workbench.in_force(ctx.session, ctx.actor)
    due_count, due = workbench.due_soon(ctx.session, ctx.actor, ctx.today, ROWS)
    running = sum(line.count for line in stages)
    total = sum((line.amount for line in stages), force.amount * 0)
    filtered = "/project/list/?f=state:in:DRAFT,RUNNING"
    rows = [
        Row(
            line.stage.name,
            f"{filtered}&f=stage:eq:{line.stage.name}",
            (Cell(line.stage.label), Cell(str(line.count), "int"), Cell(format_money(line.amount), "money")),
        )
        for line in stages
    ]
    columns = [
        Column("stage", "环节"),
        Column("count", "项目", "int", "个"),
        Column("amount", "担保金额", "money", "元"),
    ]
    sums = [("合计", {"count": str(running), "amount": format_money(total)})] if rows else []
    by_stage = Section(
        "projects",
        "我的项目",
        columns=columns,
        rows=rows,
        sums=sums,
        count=running,
        more_url=filtered,
        empty="没有办理中的项目",
        note=f"数据范围：{ctx.actor.scope.label}",
        width=6,
        actions=[]
        if rows or not ctx.actor.may("add", "project")
        else [Action("新增担保项目", "/project/add", icon="plus")],
    )
    items = [
        FeedItem(
            project.customer.name,
            f"{project.number} · 在保余额 {format_money(project.balance)} 元",
            _days_left((project.end_on - ctx.today).days) if project.end_on else None,
            project.end_on.isoformat() if project.end_on else "",
            record_url("project", project.id),
        )
        for project in due
    ]
    soon = Section(
        "due",
        "即将到期",
        template="parts/feed.html",
        data=items,
        count=due_count,
        width=6,
        empty=f"{workbench.DUE_DAYS} 天内没有到期的项目",
        more_url="/project/list/?f=state:eq:IN_FORCE&order=end_on",
    )
    stats = [
        Stat("办理中项目", str(running), "个", format_money(total), "元", filtered),
        Stat(
            "在保项目", str(force.count), "个", format_money(force.amount), "元", "/project/list/?f=state:eq:IN_FORCE"
        ),
    ]
    return [by_stage, soon], stats


def warning_section(ctx: Ctx) -> tuple[list[Section], list[Stat]]:
    """预警: the open warnings of this reader's projects, the gravest first, and their number."""
    count, warnings = workbench.open_warnings(ctx.session, ctx.actor, ROWS)
    filtered = "/risk_warning/list/?f=state:in:PENDING,HANDLING"
    items = [
        FeedItem(
            f"{warning.rule.label} · {warning.project.customer.name}",
            f"{warning.project.number} · {warning.message}",
            Cell(warning.level.label, "enum", tone=warning.level.tone),
            warning.deadline.isoformat(),
            record_url("risk_warning", warning.id),
        )
        for warning in warnings
    ]
    section = Section(
        "warnings",
        "预警",
        template="parts/feed.html",
        data=items,
        count=count,
        width=6,
        more_url=filtered,
        empty="没有待处理的预警",
    )
    return [section], [Stat("待处理预警", str(count), "条", url=filtered, tone="warn" if count else "")]


def _days_left(days: int) -> Cell:
    if days < 0:
        return Cell(f"超 {-days} 天", "enum", tone="bad")
    return Cell("今天" if days == 0 else f"剩 {days} 天", "enum", tone="warn" if days <= 7 else "doing")


def _events(ctx: Ctx) -> Section:
    total, events = workbench.waiting_events(ctx.session, ctx.actor, ROWS)
    items = [
        FeedItem(
            f"{event.label} {format_money(event.total)} 元",
            " · ".join(filter(None, [event.number, event.customer.name if event.customer else "", event.memo])),
            Cell("待复核", "enum", tone="doing"),
            event.occurred_on.isoformat(),
            record_url("business_event", event.id),
        )
        for event in events
    ]
    return Section(
        "events",
        "复核管理",
        template="parts/feed.html",
        data=items,
        count=total.count,
        more_url="/review/",
        empty="没有等待复核的业务",
        width=6,
        foot="待复核金额" if total.count else "",
        foot_figure=f"{format_money(total.amount)} 元" if total.count else "",
    )


def _vouchers(ctx: Ctx) -> Section:
    counts, vouchers = workbench.waiting_vouchers(ctx.session, ctx.actor, ROWS)
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
    note = " · ".join(f"{_WAITS[verb]} {count}" for verb, count in counts.items())
    return Section(
        "vouchers",
        "凭证待办",
        template="parts/feed.html",
        data=items,
        count=sum(counts.values()),
        note=note,
        width=6,
        empty="没有等您办理的凭证",
        more_url="/voucher/list/?f=state:in:DRAFT,REVIEWED,SIGNED",
    )


def _waits_for(voucher: Voucher) -> str:
    if voucher.state is VoucherState.DRAFT:
        return _WAITS["review"]
    return _WAITS["sign" if voucher.is_cash and voucher.state is VoucherState.REVIEWED else "post"]


def _customers(ctx: Ctx) -> Section:
    count, customers = workbench.my_customers(ctx.session, ctx.actor, ROWS)
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
    return Section(
        "customers",
        "我的客户",
        template="parts/feed.html",
        data=items,
        count=count,
        width=6,
        more_url=f"/customer/list/?f=manager_id:eq:{ctx.actor.employee_id}",
        empty="名下还没有客户",
        actions=[] if customers else [Action("新增企业客户", "/corporate_customer/add", icon="plus")],
    )


def _url(record: Entity) -> str:
    return record_url(str(record.__tablename__), record.id)


def _shortcuts(ctx: Ctx) -> Section:
    items = [MenuItem(label, url) for label, url, verb, table in _SHORTCUTS if ctx.actor.may(verb, table)]
    items.append(MenuItem("修改密码", "/password/"))
    return Section("shortcuts", "快捷入口", template="parts/shortcuts.html", data=items, width=6)
