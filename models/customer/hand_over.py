"""客户移交: customers of one manager go to another on a day, with approval (10.2)."""

from datetime import date

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Module, SpecKind
from models.base.paper import Paper, PaperState
from models.base.rights import READ, WRITE
from models.base.rows import MANAGER, decided, numbered
from models.customer.customer import Customer
from models.system.organization import Department, Employee


class CustomerHandOver(Paper):
    """That customers go from one manager to another, those listed or all of them, with what hangs on them."""

    spec = Spec(
        "客户移交",
        Module.CUSTOMER_SETUP,
        SpecKind.DOCUMENT,
        title="number",
        rank=60,
        listed=(
            "number",
            "giver",
            "taker",
            "effective_on",
            "with_business",
            "reason",
            "handler",
            "done_on",
            "state",
        ),
        searched=("number", "reason"),
        filtered=("giver_id", "taker_id", "effective_on", "done_on", "state"),
        scope=Scope(owner="handler_id", department="department_id"),
        state="state",
        drafts=(PaperState.DRAFT,),
        help=(
            "在“移交的客户”中列出要移交的客户，可从 Excel 粘贴；一户也不列的，移交人名下的客户全部移交。"
            "审批通过后在生效日期由系统办理，原承办人保留在承办记录中。"
        ),
        seeds=(
            *numbered("customer_hand_over", "客户移交编号", "YJ{yyyy}-{no:04d}"),
            *decided(
                "customer_hand_over",
                "客户移交",
                ("部门经理审核", MANAGER),
                ("风控审核", "risk"),
                sort_no=202,
            ),
        ),
        on_sheet=("reason",),
        roles={
            **dict.fromkeys(("客户经理", "业务部门经理"), WRITE),
            **dict.fromkeys(("风控专员", "风控总监"), READ),
        },
        demo=({"giver_id": "*", "taker_id": "陈立", "effective_on": "+30", "reason": "岗位调整"},),
    )
    __table_args__ = (
        CheckConstraint("giver_id <> taker_id", name="ck_customer_hand_over_two"),
        CheckConstraint("done_on IS NULL OR state = 'APPROVED'", name="ck_customer_hand_over_done"),
    )
    number_label = "移交编号"
    giver_id: Mapped[int] = c.reference("移交人", "employee", required=True)
    giver: Mapped[Employee] = c.related(giver_id)
    taker_id: Mapped[int] = c.reference("接手人", "employee", required=True)
    taker: Mapped[Employee] = c.related(taker_id)
    effective_on: Mapped[date] = c.day("生效日期", required=True, index=True)
    with_business: Mapped[bool] = c.flag(
        "连同项目与待办",
        default=True,
        help="这些客户未结束的项目中移交人担任的角色，以及移交人未办结的预警、交办一并移交",
    )
    reason: Mapped[str] = c.text("移交原因", 200, required=True)
    handler_id: Mapped[int | None] = c.computed(c.reference("经办人", "employee"))
    handler: Mapped[Employee | None] = c.related(handler_id)
    department_id: Mapped[int | None] = c.computed(c.reference("经办部门", "department"))
    department: Mapped[Department | None] = c.related(department_id)
    done_on: Mapped[date | None] = c.computed(c.day("移交日期", index=True))
    problem: Mapped[str | None] = c.computed(c.text("未能移交的原因", 500))


class HandedCustomer(Entity):
    """A customer that goes over."""

    spec = Spec(
        "移交的客户",
        Module.CUSTOMER_SETUP,
        title="customer_id",
        listed=("customer_hand_over", "customer"),
        key=("customer_hand_over_id", "customer_id"),
        scope=Scope(through="customer_hand_over"),
        in_menu=False,
        roles={
            **dict.fromkeys(("客户经理", "业务部门经理"), WRITE),
            **dict.fromkeys(("风控专员", "风控总监"), READ),
        },
    )
    __table_args__ = (
        UniqueConstraint("customer_hand_over_id", "customer_id", name="uq_handed_customer"),
    )

    customer_hand_over_id: Mapped[int] = c.owned_by("客户移交", "customer_hand_over")
    customer_hand_over: Mapped[CustomerHandOver] = c.related(customer_hand_over_id)
    customer_id: Mapped[int] = c.reference("客户", "customer", required=True)
    customer: Mapped[Customer] = c.related(customer_id)
