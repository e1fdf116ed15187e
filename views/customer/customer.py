"""Customers: the generated screens, and from each customer's page straight to an application."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from models.base.entity import Entity
from models.base.money import format_money
from models.customer.customer import CorporateCustomer, Customer, CustomerStatus, PersonalCustomer
from models.customer.rating import CustomerRating, RatingState
from reports.customer.around import ring_words
from reports.customer.relations import CODE
from reports.figures.completeness import standing
from reports.figures.parameters import number
from reports.figures.relations import amounts_of, group_of, rings_of
from views.customer.rating import place_of
from views.kit.buttons import actions
from views.kit.cells import NONE, rate_text
from views.kit.entity_view import EntityView
from views.kit.pages import Action, Cell, Column, Fact, RecordPage, Row, Section
from views.kit.record import may_change
from workflows.base.context import Ctx


class _CustomerView(EntityView):
    """What both kinds of customers add to the generated record page."""

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """Rating and watch lists, and 申请担保 once the customer has a grade."""
        assert isinstance(record, Customer)
        found = actions(ctx, record)
        if record.status is CustomerStatus.ACTIVE and ctx.actor.may("add", "project"):
            url, why = f"/project/add?customer_id={record.id}", _why_not_apply(record)
            tab = "customer_watch" if record.is_blacklisted else "customer_rating"
            apply = Action(
                "申请担保",
                url,
                style="plain" if why else "primary",
                why_not=why,
                mend_url=f"?tab={tab}#tabs",
            )
            # One next step: who has a grade applies, who has none is rated first.
            found = [*(found if why else [replace(a, style="plain") for a in found]), apply]
        return found

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """资料完整度 until nothing is missing, and who belongs together with the customer."""
        assert isinstance(record, Customer)
        card = _completeness(ctx, record)
        return [*([card] if card.data[2] else []), *_group(ctx, record)]

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """A ring of guarantees is said on top as long as it stands, and the picture is at hand."""
        assert isinstance(record, Customer)
        rings = rings_of(ctx.session, record.id, ctx.today)
        page.notice = page.notice or ring_words(ctx.session, ctx.actor, rings)
        if record.merged_into_id is not None:
            page.notice = page.notice or "本客户已合并，留作存根；业务和资料在保留的客户名下"
            url = f"/{record.__tablename__}/show/{record.merged_into_id}"
            page.notice_action = Action("打开保留的客户", url)
        if ctx.actor.may("list", "customer_relation"):
            page.more = [Action("关系图", f"/report/{CODE}/{record.id}"), *page.more]
        return page


def _group(ctx: Ctx, customer: Customer) -> list[Section]:
    """关联方 with what the company answers for of all of them together; nothing where there are none."""
    group = group_of(ctx.session, customer.id, ctx.today)
    if len(group) == 1:
        return []
    amounts = amounts_of(ctx.session, group)
    in_force, reserved = (sum((one[at] for one in amounts.values()), Decimal(0)) for at in (0, 1))
    facts = [
        Fact("关联方", Cell(str(len(group)), hint="户")),
        Fact("在保合计", Cell(format_money(in_force), hint="元")),
        Fact("决议占用", Cell(format_money(reserved), hint="元")),
    ]
    section = Section("group", "关联方", template="parts/pairs.html", data=facts)
    if ctx.actor.may("list", "customer_relation"):
        section.more_url, section.more_label = f"/report/{CODE}/{customer.id}", "关系图"
    return [section]


def _completeness(ctx: Ctx, customer: Customer) -> Section:
    """The two hurdles of the file as a bar, and what is missing with the place where it is filled in."""
    found = standing(ctx.session, customer)
    least = int(number(ctx.session, "customer.completeness_min_pct", ctx.today))
    may_edit = may_change(ctx, customer, "edit")
    items = sorted(found.missing, key=lambda item: not item.is_required)
    missing = [
        (item.label, place_of(customer, item.source) if may_edit else "", item.is_required)
        for item in items
    ]
    marks = [
        (found.rated_from, "可评级", found.is_ratable),
        (least, "可申请", found.percent >= least),
    ]
    return Section(
        "completeness",
        "资料完整度",
        template="parts/completeness.html",
        data=(found.percent, marks, missing),
    )


def _why_not_apply(customer: Customer) -> str:
    if customer.is_blacklisted:
        return "黑名单客户不能申请担保"
    return "" if customer.grade else "请先完成等级评估"


class PersonalCustomerView(_CustomerView):
    """Screens of 个人客户."""

    model: ClassVar[Any] = PersonalCustomer


class CorporateCustomerView(_CustomerView):
    """Screens of 对公客户."""

    model: ClassVar[Any] = CorporateCustomer


class CustomerRatingView(EntityView):
    """Screens of 等级评估, with the answers that make the total: who gives the second opinion reads them first."""

    model: ClassVar[Any] = CustomerRating

    def extra_sections(self, record: Entity, ctx: Ctx) -> list[Section]:
        """评分明细 as it was frozen at the first rating."""
        assert isinstance(record, CustomerRating)
        return [_scores(record), *super().extra_sections(record, ctx)]

    def default_tab(self, record: Entity) -> str:
        """A rating that waits opens on its answers."""
        assert isinstance(record, CustomerRating)
        return "scores" if record.state is RatingState.DRAFT else "facts"


def _scores(rating: CustomerRating) -> Section:
    columns = [
        Column("group", "类别"),
        Column("label", "指标"),
        Column("answer", "评价"),
        Column("figure", "取值", "rate"),
        Column("score", "得分", "rate"),
        Column("max", "满分", "rate"),
    ]
    rows = []
    for at, one in enumerate(rating.scores):
        figure = NONE if one["figure"] is None else rate_text(Decimal(one["figure"]))
        amounts = (Cell(rate_text(Decimal(one[name])), "rate") for name in ("score", "max"))
        cells = (
            Cell(one["group"]),
            Cell(one["label"]),
            Cell(one["answer"]),
            Cell(figure, "rate"),
            *amounts,
        )
        rows.append(Row(str(at), "", cells))
    sums = [("总分", {"score": rate_text(rating.total)})] if rows else []
    if rating.adjustment:
        sums.insert(0, ("调整分", {"score": rate_text(rating.adjustment)}))
    return Section(
        "scores", "评分明细", columns=columns, rows=rows, sums=sums, empty="没有评分明细"
    )
