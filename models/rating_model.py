"""How customers are measured: rating models with indicators and options, completeness; users edit all of it (10.2)."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Spec
from models.base.kinds import Kind, Module

_BOUND_MAX = Decimal(1_000_000_000)


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
        listed=("code", "label", "customer_kind", "is_active", "note"),
        searched=("code", "label"),
        filtered=("customer_kind", "is_active"),
        order="code",
        tabs=("rating_indicator",),
        key=("code",),
        rank=20,
        icon="speedometer2",
    )
    __table_args__ = (UniqueConstraint("code", name="uq_rating_model_code"),)

    code: Mapped[str] = c.text("模型编码", 40, required=True, check="code")
    label: Mapped[str] = c.text("模型名称", 60, required=True)
    customer_kind: Mapped[CustomerKind] = c.enum("适用客户", CustomerKind, required=True, index=True)
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    note: Mapped[str | None] = c.text("说明", 300)


class RatingIndicator(Entity):
    """One thing that a model looks at; with a `figure` the system picks the option by its bounds."""

    spec = Spec(
        "评级指标",
        Module.CUSTOMER_SETUP,
        title="label",
        listed=("rank", "group_label", "code", "label", "max_score", "figure"),
        filtered=("rating_model_id",),
        order="rank",
        tabs=("rating_option",),
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
    figure: Mapped[str | None] = c.text(
        "自动取值", 40, check="code", help="财务比率或客户信息的代码；填写后由系统按选项的上下限自动给分"
    )
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100)
    note: Mapped[str | None] = c.text("评分说明", 300)


class RatingOption(Entity):
    """One answer to an indicator and its score; `lower` ≤ figure < `upper` where the system answers by itself."""

    spec = Spec(
        "评级选项",
        Module.CUSTOMER_SETUP,
        title="label",
        listed=("rank", "code", "label", "score", "lower", "upper"),
        filtered=("rating_indicator_id",),
        order="rank",
        key=("rating_indicator_id", "code"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("rating_indicator_id", "code", name="uq_rating_option_code"),
        CheckConstraint("score >= 0", name="ck_rating_option_score"),
        CheckConstraint("lower IS NULL OR upper IS NULL OR lower < upper", name="ck_rating_option_bounds"),
    )

    rating_indicator_id: Mapped[int] = c.owned_by("评级指标", "rating_indicator")
    rating_indicator: Mapped[RatingIndicator] = c.related(rating_indicator_id)
    code: Mapped[str] = c.text("选项编码", 20, required=True, check="code")
    label: Mapped[str] = c.text("选项名称", 100, required=True)
    score: Mapped[Decimal] = c.rate("得分", unit="分", scale=2, required=True)
    lower: Mapped[Decimal | None] = c.rate("下限（含）", unit="", scale=4, maximum=Decimal(1_000_000_000), signed=True)
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
        icon="check2-square",
        help="完整度 = 已填项目权重之和 ÷ 全部项目权重之和；“评级必备”的项目齐全后方可进行等级评估。",
    )
    __table_args__ = (
        UniqueConstraint("customer_kind", "source", name="uq_completeness_item_source"),
        CheckConstraint("weight > 0", name="ck_completeness_item_weight"),
    )

    customer_kind: Mapped[CustomerKind] = c.enum("适用客户", CustomerKind, required=True, index=True)
    section: Mapped[str] = c.text("资料类别", 40, required=True)
    label: Mapped[str] = c.text("项目名称", 60, required=True)
    source: Mapped[str] = c.text("取值", 64, required=True, check="code", help="客户字段代码，或子表代码（至少一行）")
    weight: Mapped[int] = c.whole("权重", minimum=1, maximum=100, required=True, default=1)
    is_required: Mapped[bool] = c.flag("评级必备")
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100)
