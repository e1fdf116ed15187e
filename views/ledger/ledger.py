"""复核管理 and vouchers (8.1, 8.2): events with the voucher each would become, and vouchers on paper."""

from dataclasses import replace
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from sqlalchemy import select

from models.base.entity import Entity
from models.base.errors import BusinessError
from models.base.moments import local
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherState, VoucherWord
from reports.workbench import desktop
from views.kit import bulk, copying, edge, lists, widgets
from views.kit.cells import format_value, record_url
from views.kit.entity_view import EntityView
from views.kit.pages import (
    Action,
    Cell,
    Fact,
    FieldGroup,
    FormPage,
    GateItem,
    ListPage,
    RecordPage,
    Section,
    Stage,
    Tab,
)
from views.ledger.voucher_form import may_copy
from views.ledger.voucher_many import VoucherMany
from views.ledger.voucher_sheet import make_sheet, sheet_of
from views.ledger.voucher_verbs import amounts_of
from workflows.base.context import Ctx
from workflows.ledger import posting
from workflows.ledger import voucher as vouchers

_CHAIN = (
    ("制单", "prepared_by", "created_at"),
    ("审核", "reviewed_by", "reviewed_at"),
    ("出纳签字", "signed_by", "signed_at"),
    ("记账", "posted_by", "posted_at"),
)


class EventView(EntityView):
    """Screens of BusinessEvent."""

    model = BusinessEvent

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """The voucher it would become, or has become, in front of the facts."""
        assert isinstance(record, BusinessEvent)
        page.title = f"{record.number} {record.label}"
        page.crumbs = [("总账管理", ""), ("复核管理", "/review/"), (record.number, "")]
        if record.state in (EventState.PENDING, EventState.BOOKED):
            page.sections.insert(0, self._voucher(record, ctx))
            page.active = request.args.get("tab", "voucher")[:64]
        if record.reason:
            page.notice = page.notice or f"{record.state.label}：{record.reason}"
        return page

    def _voucher(self, event: BusinessEvent, ctx: Ctx) -> Section:
        if event.voucher is not None:
            sheet = sheet_of(ctx, event.voucher)
            actions = [Action("打开凭证", record_url("voucher", event.voucher_id))]
            return Section(
                "voucher", "凭证", template="parts/voucher.html", data=sheet, actions=actions
            )
        try:
            rule, memo, lines = posting.preview(ctx, event)
            lines = [replace(line, memo=line.memo or memo) for line in lines]
        except BusinessError as error:
            return Section("voucher", "凭证预览", empty=f"还不能记账：{error.message}")
        day = posting.booking_date(ctx, event).isoformat()
        sheet = make_sheet(ctx, f"{rule.word.name} 字（记账时编号）", day, "", lines)
        url = record_url("posting_rule", rule.id) if ctx.actor.may("show", "posting_rule") else ""
        return Section(
            "voucher",
            "凭证预览",
            template="parts/voucher.html",
            data=sheet,
            note=f"按记账规则“{rule.label}”：{memo}",
            more_url=url,
            more_label="查看记账规则",
        )

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """Where it came from and what it brings."""
        assert isinstance(record, BusinessEvent)
        return [source_section(ctx, record)]


class ReviewView(EventView):
    """/review/: the queue by state, with several booked at once."""

    route_base = "/review"
    include_route_methods = {"queue", "book_many"}
    default_view = "queue"
    title = "复核单"

    def url(self, tail: str) -> str:
        """The queue is this view's list; everything else is the entity's."""
        return "/review/" if tail == "list/" else super().url(tail)

    @expose("/")
    @edge.screen("list")
    def queue(self) -> ResponseReturnValue:
        """What waits for 复核, and what became of the rest."""
        asked = self.read_list(edge.current_ctx())
        return str(self.render_template("list.html", page=self.list_page(asked)))

    @expose("/book", methods=("POST",))
    @edge.screen("book")
    def book_many(self) -> ResponseReturnValue:
        """Book the ticked events, each by itself."""
        picked = self.picked(edge.current_ctx())

        def book(ctx: Ctx, event: BusinessEvent, _: int) -> None:
            posting.book(ctx, event)

        outcomes = bulk.each(BusinessEvent, picked, "制单", book)
        return bulk.answer(
            self, BusinessEvent, outcomes, bulk.Told("制单", "笔，凭证待审核", "/review/")
        )

    def narrow_list(self, asked: lists.ListQuery) -> None:
        """The tab is the state."""
        asked.fixed.append(BusinessEvent.state == _state_of(asked.args.get("view", "")))

    def enrich_list(self, page: ListPage, asked: lists.ListQuery) -> ListPage:
        """Tabs by state with counts; booking in bulk where things wait."""
        counts = desktop.event_counts(asked.ctx.session, asked.ctx.actor)
        now = _state_of(asked.args.get("view", ""))
        page.title, page.crumbs = "复核管理", [("总账管理", ""), ("复核管理", "")]
        page.tabs = [
            Tab(
                state.label,
                f"/review/?view={state.name}",
                state is now,
                count=counts[state],
                key=state.name,
                most=desktop.MANY,
            )
            for state in EventState
        ]
        page.bulk = []
        if now is EventState.PENDING and asked.ctx.actor.may("book", "business_event"):
            question = "按记账规则为所选 {n} 笔复核单生成凭证，{sum}，由您制单。每笔单独办理，不能记账的列出原因。"
            page.bulk = [Action("批量记账", "/review/book", "POST", "primary", confirm=question)]
        if not asked.is_filtered:
            page.empty = (
                "没有等待复核的业务" if now is EventState.PENDING else f"没有{now.label}的复核单"
            )
        return page


def _state_of(code: str) -> EventState:
    return EventState.__members__.get(code, EventState.PENDING)


class VoucherView(VoucherMany):
    """Screens of Voucher: paper instead of a list of fields, and a form with entry lines."""

    model = Voucher

    @expose("/renumber", methods=("GET", "POST"))
    @edge.screen("renumber")
    def renumber(self) -> ResponseReturnValue:
        """断号整理 of one word in one period."""
        error: BusinessError | None = None
        if request.method == "POST":
            try:
                with edge.writing() as ctx:
                    moved = vouchers.renumber(ctx, *_series(ctx))
                words = "、".join(f"{old} → {new}" for old, new in moved[:5])
                flash(
                    f"已整理 {len(moved)} 张凭证：{words}" if moved else "凭证号连续，不需要整理",
                    "success",
                )
                return redirect("/voucher/list/")
            except BusinessError as refusal:
                error = refusal
        page = _renumber_page(edge.current_ctx(), error)
        return self.render_template("form.html", page=page), (error.status if error else 200)

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """The sheet takes the place of facts and entries."""
        assert isinstance(record, Voucher)
        sheet = Section("sheet", "凭证", template="parts/voucher.html", data=sheet_of(ctx, record))
        page.sections = [sheet, *(s for s in page.sections if s.key != "voucher_entry")]
        page.active = request.args.get("tab", "sheet")[:64]
        page.title, page.facts = f"{record.code}", []
        page.crumbs = [("总账管理", ""), ("凭证", "/voucher/list/"), (record.code, "")]
        if ctx.actor.may("add", "voucher") and may_copy(record):
            page.more.insert(0, Action("复制", f"/voucher/add?{copying.PARAM}={record.id}"))
        if record.void_reason:
            page.notice = page.notice or f"作废原因：{record.void_reason}"
        return page

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """Where it came from, how far it is, and what still keeps it from the books."""
        assert isinstance(record, Voucher)
        found = []
        event = record.event
        if event is not None:
            found.append(source_section(ctx, event))
        links = _links(ctx, record)
        if links:
            found.append(Section("links", "关联凭证", template="parts/pairs.html", data=links))
        found.append(Section("flow", "流程", template="parts/stages.html", data=_flow(record)))
        if record.state not in (VoucherState.POSTED, VoucherState.VOID):
            found.append(
                Section("checks", "记账前检查", template="parts/gate.html", data=_checks(record))
            )
        return found


# The generator offers no forms for the books; vouchers are written through their own.
VoucherView.exclude_route_methods = VoucherView.exclude_route_methods - {"add", "edit"}


def source_section(ctx: Ctx, event: BusinessEvent) -> Section:
    """来源单据: event, record, project, customer and amounts, each with its link."""
    facts = [
        Fact("复核单", _link(ctx, "business_event", event.id, event.number)),
        Fact("事项", Cell(event.label)),
    ]
    source = record_url(event.record_table, event.record_id)
    if source and event.record_table != "project" and ctx.actor.may("show", event.record_table):
        facts.append(Fact("来源单据", Cell("打开单据", "link", url=source)))
    if event.project is not None:
        facts.append(Fact("项目", _link(ctx, "project", event.project_id, event.project.number)))
    if event.customer is not None:
        facts.append(Fact("客户", _link(ctx, "customer", event.customer_id, event.customer.name)))
    if event.bank is not None:
        facts.append(Fact("银行", _link(ctx, "partner_bank", event.bank_id, str(event.bank))))
    facts.append(Fact("发生日期", Cell(event.occurred_on.isoformat(), "date")))
    facts += [Fact(label, Cell(amount, "money")) for label, amount in amounts_of(event)]
    facts.append(Fact("摘要", Cell(event.memo)))
    return Section("source", "来源单据", template="parts/pairs.html", data=facts)


def _link(ctx: Ctx, table: str, record_id: Any, text: str) -> Cell:
    return Cell(
        text, "link", url=record_url(table, record_id) if ctx.actor.may("show", table) else ""
    )


def _links(ctx: Ctx, voucher: Voucher) -> list[Fact]:
    found = []
    if voucher.reverses is not None:
        found.append(
            Fact("冲销", _link(ctx, "voucher", voucher.reverses_id, voucher.reverses.code))
        )
    query = select(Voucher).where(
        Voucher.reverses_id == voucher.id, Voucher.state != VoucherState.VOID
    )
    found += [
        Fact("被冲销", _link(ctx, "voucher", v.id, v.code)) for v in ctx.session.scalars(query)
    ]
    if voucher.posting_no is not None:
        found.append(Fact("记账序号", Cell(str(voucher.posting_no), "int")))
    return found


def _flow(voucher: Voucher) -> list[Stage]:
    """制单, 审核, 出纳签字 (where money moves), 记账: done with name and time, the next one current."""
    found: list[Stage] = []
    is_open = voucher.state is not VoucherState.VOID
    for label, who, when in _CHAIN:
        if who == "signed_by" and not voucher.is_cash:
            continue
        person, moment = getattr(voucher, who), getattr(voucher, when)
        if person is not None:
            found.append(
                Stage(label, "done", f"{local(moment):%m-%d}" if moment else "", person.name)
            )
        elif is_open:
            found.append(Stage(label, "current"))
            is_open = False
        else:
            found.append(Stage(label, "todo"))
    if voucher.state is VoucherState.VOID:
        found.append(Stage("作废", "stopped"))
    return found


def _checks(voucher: Voucher) -> list[GateItem]:
    debit = sum((entry.debit for entry in voucher.entries), voucher.total * 0)
    credit = sum((entry.credit for entry in voucher.entries), voucher.total * 0)
    gap = format_value(debit - credit, "money")
    found = [
        GateItem("借贷平衡", debit == credit, f"差额 {gap}"),
        GateItem("会计期间已打开", voucher.period.state.name == "OPEN", voucher.period.code),
        _by("审核", voucher.reviewed_by),
    ]
    if voucher.is_cash:
        found.append(_by("出纳签字", voucher.signed_by))
    if voucher.event is not None:
        same = debit == voucher.total
        found.append(GateItem("与来源金额一致", same, format_value(voucher.total, "money")))
    return found


def _by(label: str, person: Any) -> GateItem:
    return GateItem(label, True, person.name if person else f"待{label}", is_waiting=person is None)


# ---------------------------------------------------------------------------------------------------------- 断号整理
def _series(ctx: Ctx) -> tuple[AccountingPeriod, VoucherWord]:
    code, word = request.form.get("period", "")[:7], request.form.get("word", "")[:20]
    period = ctx.session.scalars(
        select(AccountingPeriod).where(AccountingPeriod.code == code)
    ).one_or_none()
    if period is None:
        raise BusinessError("请选择会计期间", field="period")
    found = ctx.session.scalars(select(VoucherWord).where(VoucherWord.code == word)).one_or_none()
    if found is None:
        raise BusinessError("请选择凭证字", field="word")
    return period, found


def _renumber_page(ctx: Ctx, error: BusinessError | None) -> FormPage:
    query = select(AccountingPeriod.code).where(AccountingPeriod.state == PeriodState.OPEN)
    periods = [
        (code, code) for code in ctx.session.scalars(query.order_by(AccountingPeriod.code.desc()))
    ]
    words = [
        (w.code, w.name)
        for w in ctx.session.scalars(select(VoucherWord).order_by(VoucherWord.rank))
    ]
    errors = error.field_errors if error else None
    fields = [
        widgets.choice(
            "period",
            "会计期间",
            periods,
            request.form.get("period", ""),
            errors=errors,
            required=True,
        ),
        widgets.choice(
            "word", "凭证字", words, request.form.get("word", ""), errors=errors, required=True
        ),
    ]
    return FormPage(
        "断号整理",
        [FieldGroup("", fields)],
        "/voucher/renumber",
        cancel_url="/voucher/list/",
        hidden=[edge.csrf_input()],
        submit_label="整理凭证号",
        note="未记账的凭证依次前移补齐缺号；已记账和作废的凭证号不变",
        errors=widgets.summary(fields, error),
        crumbs=[("总账管理", ""), ("凭证", "/voucher/list/"), ("断号整理", "")],
        help_key="voucher",
    )
