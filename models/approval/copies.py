"""抄送 (A9): who is told of an approval without being asked, and whether that person has taken note of it (X18)."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.approval.approval import ApprovalInstance, ApprovalNode
from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Module, SpecKind
from models.system.organization import Employee


class ApprovalCopy(Entity):
    """One person to whom an approval was copied, once: by the flow (at a node, or at submission) or by a colleague.

    It gives the right to read, as having been asked does (A7), and nothing else.
    """

    spec = Spec(
        "审批抄送",
        Module.WORKBENCH,
        kind=SpecKind.LEDGER,
        title="instance",
        listed=("instance", "employee", "node", "sent_by", "sent_at", "read_at"),
        filtered=("instance_id", "employee_id"),
        scope=Scope(through="instance"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("instance_id", "employee_id", name="uq_approval_copy"),
        CheckConstraint("read_at IS NULL OR read_at >= sent_at", name="ck_approval_copy_read"),
        Index("ix_approval_copy_inbox", "employee_id", "read_at"),
    )
    instance_id: Mapped[int] = c.owned_by("审批单", "approval_instance")
    instance: Mapped[ApprovalInstance] = c.related(instance_id)
    employee_id: Mapped[int] = c.reference("抄送给", "employee", required=True, index=False)
    employee: Mapped[Employee] = c.related(employee_id)
    node_id: Mapped[int | None] = c.reference("抄送节点", "approval_node")
    node: Mapped[ApprovalNode | None] = c.related(node_id)
    sent_by_id: Mapped[int | None] = c.reference("抄送人", "employee", help="留空为流程设置")
    sent_by: Mapped[Employee | None] = c.related(sent_by_id)
    note: Mapped[str | None] = c.text("抄送说明", 200)
    sent_at: Mapped[datetime] = c.moment("抄送时间", required=True)
    read_at: Mapped[datetime | None] = c.moment("已阅时间")
