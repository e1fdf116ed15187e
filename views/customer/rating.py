"""Buttons of customers: rating by the model, its confirmation, and the watch lists (3.1-3.4)."""

from typing import Any

from sqlalchemy import select

from models.base import columns as c
from models.base.entity import parts_of
from models.base.kinds import Kind
from models.customer.customer import Customer, CustomerStatus, WatchKind
from models.customer.rating import CustomerRating
from models.customer.rating_model import RatingIndicator, RatingOption
from reports.figures.completeness import first_missing, missing_for_rating
from views.kit.buttons import (
    Button,
    Questions,
    on_tab,
    page_of,
    register,
)
from workflows.base.context import Ctx
from workflows.customer import customer as watching
from workflows.customer import rating as customer_rating

# An enumeration made while the form is asked for, as one model's options differ from another's.
make_kind: Any = Kind


def _indicators(ctx: Ctx, customer: Customer) -> Questions:
    """One choice for each indicator that the customer's data does not answer by itself."""
    found: dict[str, Any] = {}
    for indicator in customer_rating.open_indicators(ctx, customer):
        options = ctx.session.scalars(
            select(RatingOption)
            .where(RatingOption.rating_indicator_id == indicator.id)
            .order_by(RatingOption.rank)
        )
        labels = {o.code: f"{o.label}（{o.score.normalize():f} 分）" for o in options}
        choices = make_kind(f"Options{indicator.id}", labels)
        found[indicator.code] = c.enum(_label(indicator), choices, required=True)
    found["opinion"] = c.long_text("初评意见", required=True)
    return found


def _label(indicator: RatingIndicator) -> str:
    return f"{indicator.group_label} · {indicator.label}"


def _rate(ctx: Ctx, customer: Customer, opinion: str | None, version: int, **chosen: Kind) -> Any:
    del version  # a rating changes nothing of the customer until it is confirmed
    scores = {code: choice.name for code, choice in chosen.items()}
    return customer_rating.rate(ctx, customer, scores, opinion=opinion or "")


def _why_not_rate(ctx: Ctx, customer: Customer) -> str:
    missing = missing_for_rating(ctx.session, customer)
    return "资料不完整，缺：" + "、".join(missing) if missing else ""


def _mend_rate(ctx: Ctx, customer: Customer) -> str:
    """The field or the tab of the first thing that is missing."""
    return place_of(customer, first_missing(ctx.session, customer))


def place_of(customer: Customer, source: str) -> str:
    """Where an item of the customer's file is filled in: its tab, or its field of the form."""
    if source in parts_of(type(customer)):
        return f"{page_of(customer)}?tab={source}#tabs"
    return f"/{customer.__tablename__}/edit/{customer.id}#{source}-g"


def _is_active(_: Ctx, customer: Customer) -> bool:
    return customer.status is CustomerStatus.ACTIVE


def _watch(_: Ctx, __: Any) -> Questions:
    return {
        "kind": c.enum("关注类别", WatchKind, required=True),
        "reason": c.text("列入原因", 300, required=True),
    }


for table in ("personal_customer", "corporate_customer"):
    register(
        Button(
            customer_rating.ACTS["rate"],
            _rate,
            on=table,
            label="等级评估",
            when=_is_active,
            why_not=_why_not_rate,
            mend=_mend_rate,
            questions=_indicators,
            style="primary",
            rank=1,
            done="初评已提交，待他人复评",
            after=on_tab("customer_rating"),
        ),
        Button(
            watching.WATCH,
            watching.watch,
            on=table,
            name="watch",
            when=_is_active,
            questions=_watch,
            rank=30,
            note="黑名单的列入须经审批",
            after=on_tab("customer_watch"),
        ),
        Button(
            watching.CUSTOMER["close"],
            watching.close,
            on=table,
            why_not=watching.why_not_close,
            ask="停用原因",
            rank=80,
            note="停用后不能申请担保、评级和列入关注名单",
        ),
        Button(
            watching.CUSTOMER["reopen"],
            watching.reopen,
            on=table,
            ask="启用原因",
            rank=80,
        ),
    )


def _own_rating(ctx: Ctx, rating: CustomerRating) -> str:
    return "初评与复评须由不同的人办理" if rating.rated_by_id == ctx.actor.employee_id else ""


def _agree(ctx: Ctx, rating: CustomerRating, version: int | None) -> CustomerRating:
    return customer_rating.confirm_rating(ctx, rating, version=version)


def _disagree(ctx: Ctx, rating: CustomerRating, reason: str, version: int | None) -> CustomerRating:
    return customer_rating.confirm_rating(ctx, rating, agree=False, opinion=reason, version=version)


register(
    Button(
        customer_rating.STEPS["confirm"],
        _agree,
        label="复评同意",
        why_not=_own_rating,
        style="primary",
        rank=1,
    ),
    Button(
        customer_rating.STEPS["confirm"],
        _disagree,
        name="refuse",
        label="复评不同意",
        why_not=_own_rating,
        ask="不同意的原因",
        rank=2,
    ),
    Button(
        watching.STEPS["submit"],
        watching.submit_watch,
        style="primary",
        rank=1,
    ),
    Button(
        watching.STEPS["remove"],
        watching.end_watch,
        ask="移出原因",
        rank=2,
    ),
)
