"""工作托管 (A4): somebody hands the own approvals to a colleague for some days, wholly or within bounds."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from models.approval.approval import ApprovalType
from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Module
from models.system.organization import Employee


class Delegation(Entity):
    """From the first day to the last the delegate decides what the employee is asked, in that person's name (代).

    Never changed once made: an agreement that no longer suits is revoked and another one is made.
    """

    spec = Spec(
        "工作托管",
        Module.WORKBENCH,
        title="reason",
        listed=(
            "employee",
            "delegate",
            "starts_on",
            "ends_on",
            "business_type",
            "amount_to",
            "reason",
            "revoked_at",
        ),
        searched=("reason",),
        filtered=("employee_id", "delegate_id", "business_type_id", "starts_on", "ends_on"),
        scope=Scope(owner="employee_id", members=("delegate_id",)),
        saved_by=("add",),
        is_imported=False,  # a right to decide is given by a person, one by one
        rank=7,
        help="期间内您的审批待办也出现在受托人的待办中，办理时注明“代”；撤销或到期后立即失效。",
        demo=(
            {
                "employee_id": "陈立",
                "delegate_id": "何平",
                "starts_on": "+315",  # around the day on which the demonstration ends
                "ends_on": "+345",
                "amount_to": "50000000",
                "reason": "参加省担保协会培训",
            },
        ),
    )
    __table_args__ = (
        CheckConstraint("starts_on <= ends_on", name="ck_delegation_days"),
        CheckConstraint("employee_id <> delegate_id", name="ck_delegation_people"),
        CheckConstraint("amount_to IS NULL OR amount_to > 0", name="ck_delegation_amount"),
        CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by_id IS NULL)", name="ck_delegation_revoked"
        ),
        Index("ix_delegation_delegate", "delegate_id", "ends_on"),
        Index("ix_delegation_employee", "employee_id", "ends_on"),
    )

    employee_id: Mapped[int] = c.reference("委托人", "employee", required=True, index=False)
    employee: Mapped[Employee] = c.related(employee_id)
    delegate_id: Mapped[int] = c.reference("受托人", "employee", required=True, index=False)
    delegate: Mapped[Employee] = c.related(delegate_id)
    starts_on: Mapped[date] = c.day("起始日期", required=True, index=True)
    ends_on: Mapped[date] = c.day("截止日期", required=True, index=True, help="含当日")
    business_type_id: Mapped[int | None] = c.reference(
        "业务类型", "approval_type", help="留空表示全部审批；几类业务分别托管时各设一条"
    )
    business_type: Mapped[ApprovalType | None] = c.related(business_type_id)
    amount_to: Mapped[Decimal | None] = c.money(
        "金额上限（含）", help="只代办金额不超过此数的审批，没有金额的审批不在其内；留空表示不限"
    )
    reason: Mapped[str] = c.text("托管原因", 200, required=True)
    revoked_at: Mapped[datetime | None] = c.computed(c.moment("撤销时间"))
    revoked_by_id: Mapped[int | None] = c.computed(c.reference("撤销人", "employee"))
    revoked_by: Mapped[Employee | None] = c.related(revoked_by_id)
