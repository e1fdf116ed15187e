"""How customers are measured: rating models with indicators and options, completeness; users edit all of it (10.2)."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import (
    Config,
    Entity,
    Spec,
    editable_columns,
    entity_of,
    fields_of,
    parts_of,
)
from models.base.kinds import Kind, Module

_BOUND_MAX = Decimal(1_000_000_000)
# What the system works out for an indicator by itself (reports/figures/ratios.py).
RATING_FIGURES = {
    "operating_years": "经营年限（年）",
    "paid_in_pct": "实收资本到位率（%）",
    "net_assets": "净资产（元）",
    "asset_liability_pct": "资产负债率（%）",
    "current_ratio": "流动比率",
    "quick_ratio": "速动比率",
    "interest_cover": "利息保障倍数",
    "receivable_turnover": "应收账款周转率（次/年）",
    "inventory_turnover": "存货周转率（次/年）",
    "gross_margin_pct": "销售毛利率（%）",
    "net_margin_pct": "销售净利率（%）",
    "return_on_equity_pct": "净资产收益率（%/年）",
    "age_years": "年龄（岁）",
    "tenure_years": "现单位工作年限（年）",
    "monthly_income": "个人月收入（元）",
    "debt_income_pct": "债务收入比（%）",
    "household_net_assets": "家庭净资产（元）",
}


def customer_facts() -> dict[str, str]:
    """Label by code of what a customer's file consists of: fields of both kinds of customers, and tabs."""
    found: dict[str, str] = {}
    for table in ("personal_customer", "corporate_customer"):
        model = entity_of(table)
        fields = fields_of(model)
        columns = {name: fields[name].label for name in editable_columns(model)}
        for code, label in (
            columns | {table: one.model.spec.label for table, one in parts_of(model).items()}
        ).items():
            known = found.setdefault(code, label)
            found[code] = known if label in known.split(" / ") else f"{known} / {label}"
    return found


class CustomerKind(Kind):
    """What a customer is in law."""

    PERSONAL = "个人客户"
    CORPORATE = "对公客户"


class RatingModel(Entity):
    """A rating model for one kind of customer; its maximum scores make 100."""

    spec = Spec(
        "评分模型",
        Module.CUSTOMER_SETUP,
        title="label",
        listed=("label", "customer_kind", "is_active", "note", "code"),
        searched=("code", "label"),
        filtered=("customer_kind", "is_active"),
        order="code",
        key=("code",),
        rank=20,
        config=Config(),
    )
    __table_args__ = (UniqueConstraint("code", name="uq_rating_model_code"),)

    code: Mapped[str] = c.text("模型编码", 40, required=True, check="code")
    label: Mapped[str] = c.text("模型名称", 60, required=True)
    customer_kind: Mapped[CustomerKind] = c.enum(
        "适用客户", CustomerKind, required=True, index=True
    )
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    note: Mapped[str | None] = c.text("说明", 300)


class RatingIndicator(Entity):
    """One thing that a model looks at; with a `figure` the system picks the option by its bounds."""

    spec = Spec(
        "评级指标",
        Module.CUSTOMER_SETUP,
        title="label",
        listed=("rank", "group_label", "label", "max_score", "figure", "code"),
        filtered=("rating_model_id",),
        order="rank",
        key=("rating_model_id", "code"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("rating_model_id", "code", name="uq_rating_indicator_code"),
        CheckConstraint("max_score > 0", name="ck_rating_indicator_max_score"),
    )

    rating_model_id: Mapped[int] = c.owned_by("评分模型", "rating_model")
    rating_model: Mapped[RatingModel] = c.related(rating_model_id)
    code: Mapped[str] = c.text("指标编码", 40, required=True, check="code")
    group_label: Mapped[str] = c.text("指标类别", 40, required=True)
    label: Mapped[str] = c.text("指标名称", 60, required=True)
    max_score: Mapped[Decimal] = c.rate("满分", unit="分", scale=2, required=True)
    figure: Mapped[str | None] = c.coded(
        "自动取值", "rating_figure", RATING_FIGURES, 40, help="选择后由系统按选项的上下限自动给分"
    )
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100)
    note: Mapped[str | None] = c.text("评分说明", 300)


class RatingOption(Entity):
    """One answer to an indicator and its score; `lower` ≤ figure < `upper` where the system answers by itself."""

    spec = Spec(
        "评级选项",
        Module.CUSTOMER_SETUP,
        title="label",
        listed=("rank", "label", "score", "lower", "upper", "code"),
        filtered=("rating_indicator_id",),
        order="rank",
        key=("rating_indicator_id", "code"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("rating_indicator_id", "code", name="uq_rating_option_code"),
        CheckConstraint("score >= 0", name="ck_rating_option_score"),
        CheckConstraint(
            "lower IS NULL OR upper IS NULL OR lower < upper", name="ck_rating_option_bounds"
        ),
    )

    rating_indicator_id: Mapped[int] = c.owned_by("评级指标", "rating_indicator")
    rating_indicator: Mapped[RatingIndicator] = c.related(rating_indicator_id)
    code: Mapped[str] = c.text("选项编码", 20, required=True, check="code")
    label: Mapped[str] = c.text("选项名称", 100, required=True)
    score: Mapped[Decimal] = c.rate("得分", unit="分", scale=2, required=True)
    lower: Mapped[Decimal | None] = c.rate(
        "下限（含）", unit="", scale=4, maximum=Decimal(1_000_000_000), signed=True
    )
    upper: Mapped[Decimal | None] = c.rate(
        "上限（不含）", unit="", scale=4, maximum=Decimal(1_000_000_000), signed=True
    )
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100)


class CompletenessItem(Entity):
    """One thing that belongs to a complete customer file: a field of the customer or at least one row of a tab."""

    spec = Spec(
        "资料完整度",
        Module.CUSTOMER_SETUP,
        title="label",
        listed=("customer_kind", "section", "label", "source", "weight", "is_required"),
        filtered=("customer_kind",),
        order="rank",
        key=("customer_kind", "source"),
        rank=10,
        help="完整度 = 已填项目权重之和 ÷ 全部项目权重之和；“评级必备”的项目齐全后方可进行等级评估。",
        config=Config(),
    )
    __table_args__ = (
        UniqueConstraint("customer_kind", "source", name="uq_completeness_item_source"),
        CheckConstraint("weight > 0", name="ck_completeness_item_weight"),
    )

    customer_kind: Mapped[CustomerKind] = c.enum(
        "适用客户", CustomerKind, required=True, index=True
    )
    section: Mapped[str] = c.text("资料类别", 40, required=True)
    label: Mapped[str] = c.text("项目名称", 60, required=True)
    source: Mapped[str] = c.coded(
        "取值",
        "customer_fact",
        customer_facts,
        64,
        required=True,
        help="客户的一个字段，或一个页签（至少一行）",
    )
    weight: Mapped[int] = c.whole("权重", minimum=1, maximum=100, required=True, default=1)
    is_required: Mapped[bool] = c.flag("评级必备")
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100)
