"""Files that people have asked for and that are written beside their pages (X2)."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind


class ExportState(Kind):
    """How far a file is."""

    PENDING = "排队"
    RUNNING = "进行"
    SUCCEEDED = "完成"
    FAILED = "失败"
    CANCELLED = "已取消"


class ExportTask(Entity):
    """One file asked for: what, by whom, with the address of the list frozen; the asker alone reads it.

    How far a running one is stands on its run (`job_run`, export:<id>). `reach` is a digest of how far the reader saw
    when the file was written: who sees otherwise now does not get it.
    """

    spec = Spec(
        "导出任务",
        Module.SYSTEM,
        SpecKind.INTERNAL,
        title="title",
        scope=Scope(owner="employee_id"),
        in_menu=False,
    )
    __table_args__ = (
        Index("ix_export_task_mine", "employee_id", "status"),
        CheckConstraint(
            "status <> 'SUCCEEDED' OR (sha256 IS NOT NULL AND expires_at IS NOT NULL)",
            name="ck_export_task_whole",
        ),
    )

    employee_id: Mapped[int] = c.reference("导出人", "employee", required=True, index=False)
    # The table of the list.
    source: Mapped[str] = c.hidden(c.text("对象", 64, required=True))
    query: Mapped[str] = c.hidden(c.long_text("筛选、排序与列", required=True))
    title: Mapped[str] = c.text("内容", 100, required=True)
    conditions: Mapped[str | None] = c.long_text("筛选条件")
    file_format: Mapped[str] = c.text("格式", 8, required=True)
    status: Mapped[ExportState] = c.state("状态", ExportState, ExportState.PENDING)
    business_date: Mapped[date] = c.day("营业日期", required=True)
    asked_at: Mapped[datetime] = c.moment("申请时间", required=True)
    finished_at: Mapped[datetime | None] = c.moment("结束时间")
    expires_at: Mapped[datetime | None] = c.moment("保留至", index=True)
    downloaded_at: Mapped[datetime | None] = c.moment("最近下载")
    rows: Mapped[int | None] = c.whole("行数")
    size_bytes: Mapped[int | None] = c.whole("大小", unit="字节")
    sha256: Mapped[str | None] = c.text("摘要", 64)
    # Below exports/ of the data directory; each try writes into one of its own.
    folder: Mapped[str | None] = c.hidden(c.text("存放位置", 40))
    message: Mapped[str | None] = c.text("说明", 500)
    reach: Mapped[str | None] = c.hidden(c.text("数据范围摘要", 64))
    is_plain: Mapped[bool] = c.hidden(c.flag("含原值"))
