"""Ratings of customers: 初评 by one person, 复评 by another, then a grade for a term (3.1, 3.2, 10.2)."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.customer.customer import Customer, Grade
from models.customer.rating_model import RatingModel
from models.system.organization import Employee

_WAITING = text("state = 'DRAFT'")


class RatingState(Kind):
    """Life of a rating."""

    DRAFT = "待复评"
    APPROVED = "已生效"
    REFUSED = "复评未通过"
    EXPIRED = "已失效"


class CustomerRating(Entity):
    """One rating: the answers as scored then, their total, the grade and the credit line that follow."""

    spec = Spec(
        "等级评估",
        Module.CUSTOMER,
        SpecKind.DOCUMENT,
        title="grade",
        listed=(
            "customer",
            "rating_model",
            "total",
            "grade",
            "credit_line",
            "state",
            "rated_by",
            "rated_on",
            "confirmed_by",
            "valid_until",
        ),
        filtered=("customer_id", "grade", "state", "rated_on", "valid_until"),
        scope=Scope(through="customer"),
        state="state",
        drafts=(RatingState.DRAFT,),
        saved_by=(),
        rank=25,
    )
    __table_args__ = (
        CheckConstraint("total >= 0", name="ck_customer_rating_total"),
        CheckConstraint(
            "state NOT IN ('APPROVED', 'EXPIRED') OR (confirmed_by_id IS NOT NULL AND confirmed_on IS NOT NULL"
            " AND valid_until IS NOT NULL)",
            name="ck_customer_rating_confirmed",
        ),
        CheckConstraint("confirmed_by_id <> rated_by_id", name="ck_customer_rating_two_people"),
        Index("ix_customer_rating_valid_until", "state", "valid_until"),
        # Two people who rate at the same moment: the second one is refused.
        Index(
            "uq_customer_rating_waiting",
            "customer_id",
            unique=True,
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
    )

    customer_id: Mapped[int] = c.owned_by("客户", "customer", part=c.Part(110))
    customer: Mapped[Customer] = c.related(customer_id)
    rating_model_id: Mapped[int] = c.reference("评分模型", "rating_model", required=True)
    rating_model: Mapped[RatingModel] = c.related(rating_model_id)
    # [{"indicator", "group", "label", "max", "option", "answer", "score"}]: frozen, whatever becomes of the model.
    scores: Mapped[list[dict[str, Any]]] = c.computed(
        c.json("评分明细", default=list, required=True)
    )
    adjustment: Mapped[Decimal] = c.computed(
        c.rate("调整分", unit="分", scale=2, required=True, default=Decimal(0), signed=True)
    )
    adjustment_reason: Mapped[str | None] = c.computed(c.text("调整原因", 300))
    total: Mapped[Decimal] = c.computed(c.rate("总分", unit="分", scale=2, required=True))
    grade: Mapped[Grade] = c.computed(c.enum("信用等级", Grade, required=True, index=True))
    credit_line: Mapped[Decimal | None] = c.computed(c.money("建议授信额度"))
    opinion: Mapped[str | None] = c.computed(c.long_text("初评意见"))
    state: Mapped[RatingState] = c.state("状态", RatingState, RatingState.DRAFT)
    rated_by_id: Mapped[int] = c.computed(c.reference("初评人", "employee", required=True))
    rated_by: Mapped[Employee] = c.related(rated_by_id)
    rated_on: Mapped[date] = c.computed(c.day("初评日期", required=True, index=True))
    confirmed_by_id: Mapped[int | None] = c.computed(c.reference("复评人", "employee"))
    confirmed_by: Mapped[Employee | None] = c.related(confirmed_by_id)
    confirmed_on: Mapped[date | None] = c.computed(c.day("复评日期"))
    confirm_opinion: Mapped[str | None] = c.computed(c.long_text("复评意见"))
    valid_until: Mapped[date | None] = c.computed(c.day("有效期至"))

    def __str__(self) -> str:
        """Whose rating it is, and which."""
        return f"{self.customer} {self.grade} 级"
