"""客户合并: two records of one customer become one; the other stays as a tombstone (10.2)."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Scope, Spec
from models.base.kinds import Module, SpecKind
from models.base.paper import Paper
from models.base.rights import READ
from models.base.rows import MANAGER, decided, numbered
from models.customer.customer import Customer
from models.system.organization import Department, Employee

_GOING = text("state IN ('DRAFT', 'IN_APPROVAL')")


class CustomerMerge(Paper):
    """That one customer is merged into another; `moved` holds what went over, so that the day may take it back.

    `moved` lists [table, field, ids]; `was_status` is what the merged customer was before.
    """

    spec = Spec(
        "客户合并",
        Module.CUSTOMER_SETUP,
        SpecKind.LEDGER,
        title="number",
        rank=50,
        listed=("number", "merged", "kept", "reason", "handler", "done_on", "undone_on", "state"),
        searched=("number", "reason"),
        filtered=("merged_id", "kept_id", "handler_id", "done_on", "state"),
        scope=Scope(owner="handler_id", department="department_id"),
        state="state",
        help=(
            "在被合并客户的页面上申请；审批通过后，指向它的业务、资料、附件、备注全部转到保留的客户，"
            "它自己留作存根；已记账的分录、已出具的文书和操作记录仍记在原客户名下。当日可以撤销。"
        ),
        seeds=(
            *numbered("customer_merge", "客户合并编号", "HB{yyyy}-{no:04d}"),
            *decided(
                "customer_merge",
                "客户合并",
                ("部门经理审核", MANAGER),
                ("风控审核", "risk"),
                sort_no=204,
            ),
        ),
        on_sheet=("reason",),
        roles=dict.fromkeys(("客户经理", "业务部门经理", "风控专员", "风控总监"), READ),
    )
    __table_args__ = (
        CheckConstraint("merged_id <> kept_id", name="ck_customer_merge_two"),
        CheckConstraint(
            "state <> 'APPROVED' OR done_on IS NOT NULL", name="ck_customer_merge_done"
        ),
        CheckConstraint(
            "undone_on IS NULL OR (undone_on = done_on AND state = 'VOID')",
            name="ck_customer_merge_undone",
        ),
        # Of two who ask at once for the same customer the database takes one.
        Index(
            "uq_customer_merge_going",
            "merged_id",
            unique=True,
            sqlite_where=_GOING,
            postgresql_where=_GOING,
        ),
    )
    number_label = "合并编号"
    merged_id: Mapped[int] = c.reference("被合并客户", "customer", required=True)
    merged: Mapped[Customer] = c.related(merged_id)
    kept_id: Mapped[int] = c.reference("保留客户", "customer", required=True)
    kept: Mapped[Customer] = c.related(kept_id)
    reason: Mapped[str] = c.long_text("合并原因", required=True)
    moved: Mapped[list[Any]] = c.hidden(c.json("转移的记录", required=True, default=list))
    was_status: Mapped[str | None] = c.hidden(c.text("合并前状态", 32))
    handler_id: Mapped[int | None] = c.reference("经办人", "employee")
    handler: Mapped[Employee | None] = c.related(handler_id)
    department_id: Mapped[int | None] = c.reference("经办部门", "department")
    department: Mapped[Department | None] = c.related(department_id)
    done_on: Mapped[date | None] = c.day("合并日期", index=True)
    undone_on: Mapped[date | None] = c.day("撤销日期")
    undo_reason: Mapped[str | None] = c.text("撤销原因", 200)
