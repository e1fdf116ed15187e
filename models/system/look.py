"""What somebody has opened, and when they opened it before: the way back, and what changed meanwhile."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Module, SpecKind


class RecordLook(Entity):
    """One person's last look at one record; nobody else reads it, and it says nothing of what they may read now."""

    spec = Spec(
        "最近打开",
        Module.WORKBENCH,
        SpecKind.INTERNAL,
        title="table_name",
        in_menu=False,
        scope=Scope(owner="employee_id"),
    )
    __table_args__ = (
        UniqueConstraint("employee_id", "table_name", "record_id", name="uq_record_look_record"),
        Index("ix_record_look_latest", "employee_id", "at"),
    )

    employee_id: Mapped[int] = c.reference(
        "打开人", "employee", required=True, index=False, ondelete="CASCADE"
    )
    table_name: Mapped[str] = c.text("对象", 64, required=True)
    record_id: Mapped[int] = c.whole("记录序号", required=True)
    at: Mapped[datetime] = c.moment("打开时间", required=True)
    before_at: Mapped[datetime | None] = c.moment("上次打开时间")
