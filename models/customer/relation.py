"""Relations between customers: entered by people, or found by the system and confirmed by somebody (3.3)."""

from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module
from models.base.rows import dictionary
from models.customer.customer import Customer
from models.system.organization import Employee

# Codes of the dictionary `relation_kind` that the product itself knows; users add others.
CONTROLLER: Final = "CONTROLLER"
CONTROL: Final = "CONTROL"
SHARE: Final = "SHARE"
EXECUTIVE: Final = "EXECUTIVE"
KINSHIP: Final = "KINSHIP"
COMMON_CONTROLLER: Final = "COMMON_CONTROLLER"
COMMON_SHAREHOLDER: Final = "COMMON_SHAREHOLDER"
GUARANTEE: Final = "GUARANTEE"
SUPPLY_CHAIN: Final = "SUPPLY_CHAIN"
SUSPECTED: Final = "SUSPECTED"
# Ties that read alike from either side: entered once.
MUTUAL: Final = (KINSHIP, COMMON_CONTROLLER, COMMON_SHAREHOLDER, SUSPECTED)
# The code of `relation_source` that the search of the system alone gives.
FOUND: Final = "SYSTEM"


class RelationState(Kind):
    """Whether a relation counts: what the system has found counts once somebody has confirmed it."""

    PROPOSED = "待确认"
    CONFIRMED = "已确认"
    REFUSED = "不成立"


class CustomerRelation(Entity):
    """A tie between two customers; ties that bind a group make their guarantees count together (3.3)."""

    spec = Spec(
        "关联关系",
        Module.CUSTOMER,
        title="kind",
        listed=(
            "customer",
            "kind",
            "to_customer",
            "share_pct",
            "valid_until",
            "source",
            "evidence",
            "confirmed_by",
            "state",
        ),
        filtered=("customer_id", "to_customer_id", "kind", "state", "valid_until"),
        key=("customer_id", "to_customer_id", "kind"),
        scope=Scope(through="customer"),
        rank=30,
        help=(
            "按“客户是关联客户的……”填写，如：张三 · 实际控制人 · 甲公司；"
            "计入关联方集中度的种类见系统参数“计入关联方的关系种类”"
        ),
        seeds=(
            *dictionary(
                "relation_kind",
                "客户关系",
                CONTROLLER="实际控制人",
                CONTROL="控股",
                SHARE="参股",
                EXECUTIVE="法定代表人或高管",
                KINSHIP="亲属",
                COMMON_CONTROLLER="同一实际控制人",
                COMMON_SHAREHOLDER="同一股东",
                GUARANTEE="担保",
                SUPPLY_CHAIN="上下游",
                SUSPECTED="疑似关联",
            ),
            *dictionary(
                "relation_source",
                "关系来源",
                DECLARED="客户申报",
                REGISTRY="工商登记",
                CREDIT_REPORT="征信报告",
                INVESTIGATION="尽职调查",
                SYSTEM="系统发现",
            ),
        ),
    )
    __table_args__ = (
        UniqueConstraint("customer_id", "to_customer_id", "kind", name="uq_customer_relation_pair"),
        CheckConstraint("customer_id <> to_customer_id", name="ck_customer_relation_not_itself"),
        CheckConstraint(
            "valid_from IS NULL OR valid_until IS NULL OR valid_until >= valid_from",
            name="ck_customer_relation_dates",
        ),
    )

    named_with = ("customer", "to_customer")

    customer_id: Mapped[int] = c.owned_by("客户", "customer", part=c.Part(130))
    customer: Mapped[Customer] = c.related(customer_id)
    kind: Mapped[str] = c.dictionary("关系", "relation_kind", required=True, index=True)
    to_customer_id: Mapped[int] = c.reference("关联客户", "customer", required=True)
    to_customer: Mapped[Customer] = c.related(to_customer_id)
    share_pct: Mapped[Decimal | None] = c.rate("持股比例", scale=4)
    valid_from: Mapped[date | None] = c.day("起始日期", help="一直如此的留空")
    valid_until: Mapped[date | None] = c.day("截止日期", index=True, help="仍然有效的留空")
    source: Mapped[str | None] = c.dictionary("来源", "relation_source")
    note: Mapped[str | None] = c.text("说明", 200)
    evidence: Mapped[str | None] = c.computed(c.text("系统发现的依据", 300))
    confirmed_by_id: Mapped[int | None] = c.computed(c.reference("确认人", "employee"))
    confirmed_by: Mapped[Employee | None] = c.related(confirmed_by_id)
    confirmed_on: Mapped[date | None] = c.computed(c.day("确认日期"))
    state: Mapped[RelationState] = c.state("状态", RelationState, RelationState.PROPOSED)

    def __str__(self) -> str:
        """Both customers; the kind is a code of the users' dictionary."""
        return f"{self.customer} · {self.to_customer}"
