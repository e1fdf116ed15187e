"""Grades: 初评 by one person, 复评 by another, then a grade and a credit line for a term (3.1, 3.2, 10.2)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.base.moments import add_months
from models.base.money import format_money, round_money
from models.customer.customer import Customer, CustomerStatus, Grade, PersonalCustomer
from models.customer.rating import CustomerRating, RatingState
from models.customer.rating_model import RatingIndicator, RatingModel, RatingOption
from reports.figures import parameters
from reports.figures.completeness import missing_for_rating
from reports.figures.ratios import Figures, rating_figures
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, permit, steps, verbs

STEPS = steps(
    Step(
        "customer_rating",
        "confirm",
        "复评",
        column="state",
        sources=(RatingState.DRAFT,),
        targets=(RatingState.APPROVED, RatingState.REFUSED),
    ),
)
ACTS = verbs("customer_rating", {"rate": "等级评估"})
# The system's own move when the term is over or a later rating takes effect.
EXPIRE = steps(
    Step(
        "customer_rating",
        "expire",
        "失效",
        column="state",
        sources=(RatingState.APPROVED,),
        targets=(RatingState.EXPIRED,),
        follows=True,
    ),
)["expire"]

_ZERO, _HUNDRED = Decimal(0), Decimal(100)


def rate(
    ctx: Ctx,
    customer: Customer,
    scores: Mapping[str, str],
    *,
    model: RatingModel | None = None,
    adjustment: Decimal = _ZERO,
    adjustment_reason: str = "",
    credit_line: Decimal | None = None,
    opinion: str = "",
) -> CustomerRating:
    """初评: score the customer by the model; `scores` gives the chosen option's code by indicator code.

    Indicators with 自动取值 are scored from the customer's data; what is sent for them is not used. Without a credit
    line the suggestion by the parameters is taken.
    Raises Conflict when a rating waits for 复评, BusinessError for an incomplete file, FieldErrors by indicator code.
    """
    permit(ctx, ACTS["rate"], customer)
    customer = records.find(ctx, Customer, customer.id)
    if ctx.actor.employee_id is None:
        raise NotAllowed("等级评估须由员工办理")
    _check_may_be_rated(ctx, customer)
    model = model or _model_for(ctx, customer)
    if model.customer_kind is not customer.kind:
        raise BusinessError(f"评分模型“{model}”不适用于{customer.kind}")
    figures = rating_figures(ctx.session, customer, ctx.today)
    answers = _answers(ctx, model, scores, figures)
    adjustment = _checked_adjustment(ctx, adjustment, adjustment_reason)
    total = min(
        max(sum((Decimal(a["score"]) for a in answers), _ZERO) + adjustment, _ZERO), _HUNDRED
    )
    if credit_line is not None and credit_line < 0:
        raise FieldErrors({"credit_line": ["授信额度不能为负数"]})
    rating = CustomerRating(
        customer_id=customer.id,
        rating_model_id=model.id,
        scores=answers,
        adjustment=adjustment,
        adjustment_reason=adjustment_reason.strip() or None,
        total=total,
        grade=grade_of(ctx, total),
        credit_line=suggested_line(ctx, customer, figures) if credit_line is None else credit_line,
        opinion=opinion.strip() or None,
        state=RatingState.DRAFT,
        rated_by_id=ctx.actor.employee_id,
        rated_on=ctx.today,
    )
    ctx.session.add(rating)
    ctx.session.flush()
    return rating


def open_indicators(ctx: Ctx, customer: Customer) -> list[RatingIndicator]:
    """The indicators of the customer's model that its data does not answer: what a rater must judge."""
    figures = rating_figures(ctx.session, customer, ctx.today)
    query = select(RatingIndicator).where(
        RatingIndicator.rating_model_id == _model_for(ctx, customer).id
    )
    rows = ctx.session.scalars(query.order_by(RatingIndicator.rank, RatingIndicator.id))
    return [row for row in rows if not row.figure or figures.get(row.figure) is None]


def confirm_rating(
    ctx: Ctx,
    rating: CustomerRating,
    *,
    agree: bool = True,
    opinion: str = "",
    version: int | None = None,
) -> CustomerRating:
    """复评 by another person: grade and credit line go to the customer for the term, an earlier rating ends.

    Raises NotAllowed for the rater's own rating, IllegalTransition when it is decided already, BusinessError when a
    refusal says no reason.
    """
    step = STEPS["confirm"]
    enter(ctx, step, rating, version)
    if ctx.actor.employee_id is None or ctx.actor.employee_id == rating.rated_by_id:
        raise NotAllowed("复评人不能与初评人相同，请由其他人复评")
    if not agree and not opinion.strip():
        raise BusinessError("复评不通过时请填写意见", field="opinion")
    rating.confirmed_by_id = ctx.actor.employee_id
    rating.confirmed_on = ctx.today
    rating.confirm_opinion = opinion.strip() or None
    if not agree:
        move(step, rating, RatingState.REFUSED)
        ctx.session.flush()
        return rating
    for earlier in _in_force(ctx, rating.customer_id):
        move(EXPIRE, earlier)
    months = parameters.whole(ctx.session, "rating.valid_months", ctx.today)
    rating.valid_until = add_months(ctx.today, months)
    move(step, rating, RatingState.APPROVED)
    customer = rating.customer
    customer.grade, customer.grade_valid_until = rating.grade, rating.valid_until
    customer.credit_line = rating.credit_line
    ctx.session.flush()
    return rating


def expire_ratings(ctx: Ctx) -> int:
    """End the ratings whose term is over before the business date (day-end); how many."""
    query = select(CustomerRating).where(
        CustomerRating.state == RatingState.APPROVED, CustomerRating.valid_until < ctx.today
    )
    ended = ctx.session.scalars(query).all()
    for rating in ended:
        move(EXPIRE, rating)
        rating.customer.grade = rating.customer.grade_valid_until = rating.customer.credit_line = (
            None
        )
    ctx.session.flush()
    return len(ended)


def grade_of(ctx: Ctx, total: Decimal) -> Grade:
    """The best grade whose lowest score is reached."""
    for grade in Grade:
        if total >= parameters.number(ctx.session, f"rating.grade_min.{grade.name}", ctx.today):
            return grade
    return Grade.D


def suggested_line(ctx: Ctx, customer: Customer, figures: Figures) -> Decimal:
    """Credit line by the parameters: a share of a company's 净资产, or a number of a person's monthly incomes."""
    if isinstance(customer, PersonalCustomer):
        factor = parameters.number(ctx.session, "rating.line_income_months", ctx.today)
        base = figures.get("monthly_income")
    else:
        factor = parameters.number(ctx.session, "rating.line_net_assets_pct", ctx.today) / _HUNDRED
        base = figures.get("net_assets")
    return round_money(max(base or _ZERO, _ZERO) * factor)


def _check_may_be_rated(ctx: Ctx, customer: Customer) -> None:
    if customer.status is not CustomerStatus.ACTIVE:
        raise Conflict(f"客户“{customer}”{customer.status}，不能评级")
    if missing := missing_for_rating(ctx.session, customer):
        raise BusinessError(f"客户资料不完整，不能评级；请先补充：{'、'.join(missing)}")
    waiting = select(func.count()).where(
        CustomerRating.customer_id == customer.id, CustomerRating.state == RatingState.DRAFT
    )
    if ctx.session.scalar(waiting):
        raise Conflict(f"客户“{customer}”已有待复评的等级评估，请先完成复评")


def _in_force(ctx: Ctx, customer_id: int) -> list[CustomerRating]:
    query = select(CustomerRating).where(
        CustomerRating.customer_id == customer_id, CustomerRating.state == RatingState.APPROVED
    )
    return list(ctx.session.scalars(query))


def _model_for(ctx: Ctx, customer: Customer) -> RatingModel:
    if customer.rating_model is not None:
        return customer.rating_model
    query = select(RatingModel).where(
        RatingModel.customer_kind == customer.kind, RatingModel.is_active
    )
    found = ctx.session.scalars(query.order_by(RatingModel.code)).all()
    if len(found) != 1:
        what = "没有启用的评分模型" if not found else "有多个启用的评分模型，请在客户资料中选择一个"
        raise BusinessError(f"{customer.kind}{what}", field="rating_model_id")
    return found[0]


def _answers(
    ctx: Ctx, model: RatingModel, scores: Mapping[str, str], figures: Figures
) -> list[dict[str, Any]]:
    """The frozen answers in the model's order; FieldErrors names each indicator without one."""
    indicators = ctx.session.scalars(
        select(RatingIndicator)
        .where(RatingIndicator.rating_model_id == model.id)
        .order_by(RatingIndicator.rank, RatingIndicator.id)
    ).all()
    options: dict[int, list[RatingOption]] = {}
    for option in ctx.session.scalars(
        select(RatingOption)
        .where(RatingOption.rating_indicator_id.in_([i.id for i in indicators]))
        .order_by(RatingOption.rank, RatingOption.id)
    ):
        options.setdefault(option.rating_indicator_id, []).append(option)
    errors: dict[str, list[str]] = {}
    answers = []
    for indicator in indicators:
        try:
            chosen, figure = _chosen(indicator, options.get(indicator.id, []), scores, figures)
        except ValueError as error:
            errors[indicator.code] = [f"{indicator.label}：{error}"]
        else:
            answers.append(_frozen(indicator, chosen, figure))
    if errors:
        raise FieldErrors(errors)
    if not answers:
        raise BusinessError(f"评分模型“{model}”没有指标，请在“评分模型”中补充")
    return answers


def _chosen(
    indicator: RatingIndicator,
    options: list[RatingOption],
    scores: Mapping[str, str],
    figures: Figures,
) -> tuple[RatingOption, Decimal | None]:
    figure = figures.get(indicator.figure) if indicator.figure else None
    if figure is not None:
        for option in options:
            if (option.lower is None or option.lower <= figure) and (
                option.upper is None or figure < option.upper
            ):
                return option, figure
        raise ValueError(f"取值 {format_money(figure)} 不在任何选项范围内，请检查评分模型")
    # A figure that the data does not give is judged by the rater like any other indicator.
    code = scores.get(indicator.code)
    if not code:
        raise ValueError("请选择")
    for option in options:
        if option.code == code:
            return option, None
    raise ValueError("没有这个选项，请从列表中选择")


def _frozen(
    indicator: RatingIndicator, option: RatingOption, figure: Decimal | None
) -> dict[str, Any]:
    return {
        "indicator": indicator.code,
        "group": indicator.group_label,
        "label": indicator.label,
        "max": str(indicator.max_score),
        "option": option.code,
        "answer": option.label,
        "score": str(option.score),
        "figure": None if figure is None else str(figure),
    }


def _checked_adjustment(ctx: Ctx, adjustment: Decimal, reason: str) -> Decimal:
    most = parameters.number(ctx.session, "rating.adjustment_max", ctx.today)
    if abs(adjustment) > most:
        raise FieldErrors(
            {"adjustment": [f"调整分应在 -{most.normalize():f} 至 {most.normalize():f} 分之间"]}
        )
    if adjustment and not reason.strip():
        raise FieldErrors({"adjustment_reason": ["有调整分时请填写调整原因"]})
    return adjustment
