"""Files that people bring rows in from (X3): what was sent, how it is read, each row until it is taken or let go."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind


class ImportState(Kind):
    """How far a file is."""

    UNREAD = "待对应列"
    CHECKING = "正在核对"
    READY = "待确认"
    LOADING = "正在导入"
    SUCCEEDED = "已导入"
    FAILED = "失败"
    CANCELLED = "已放弃"


class ImportMode(Kind):
    """What becomes of rows whose key is registered already."""

    UPDATE = "更新已有记录"
    SKIP = "跳过已有记录"


class Verdict(Kind):
    """What a row will do."""

    NEW = "新增"
    CHANGED = "更新"
    SAME = "无变化"
    SKIPPED = "跳过"
    WRONG = "有误"


class ImportTask(Entity):
    """One file for one table: by whom, read how, with what result; its sender alone sees it.

    `columns` is how its columns are read ({key, head, unit} each), `counts` the rows by verdict, `words` those that no
    dictionary knows, by dictionary. `round` counts how often it was checked or loaded: each has a run (`job_run`,
    import:<id>-<round>).
    """

    spec = Spec(
        "导入任务",
        Module.SYSTEM,
        SpecKind.INTERNAL,
        title="title",
        scope=Scope(owner="employee_id"),
        in_menu=False,
    )
    __table_args__ = (
        Index("ix_import_task_mine", "employee_id", "status"),
        CheckConstraint(
            "status <> 'SUCCEEDED' OR finished_at IS NOT NULL", name="ck_import_task_finished_at"
        ),
    )

    employee_id: Mapped[int] = c.reference("导入人", "employee", required=True, index=False)
    # The table that the rows are for.
    source: Mapped[str] = c.hidden(c.text("对象", 64, required=True))
    title: Mapped[str] = c.text("内容", 100, required=True)
    file_name: Mapped[str] = c.text("文件", 200, required=True)
    digest: Mapped[str] = c.hidden(c.text("文件摘要", 64, required=True))
    status: Mapped[ImportState] = c.state("状态", ImportState, ImportState.UNREAD)
    mode: Mapped[ImportMode] = c.enum(
        "已有记录", ImportMode, required=True, default=ImportMode.UPDATE
    )
    round: Mapped[int] = c.hidden(c.whole("办理次数", required=True, default=0))
    business_date: Mapped[date] = c.day("营业日期", required=True)
    asked_at: Mapped[datetime] = c.moment("上传时间", required=True)
    finished_at: Mapped[datetime | None] = c.moment("结束时间")
    expires_at: Mapped[datetime] = c.moment("保留至", required=True, index=True)
    columns: Mapped[list[Any]] = c.hidden(c.json("列", required=True, default=list))
    counts: Mapped[dict[str, Any]] = c.hidden(c.json("行数", required=True))
    words: Mapped[dict[str, Any]] = c.hidden(c.json("待对应的词", required=True))
    notices: Mapped[list[Any]] = c.hidden(c.json("提示", required=True, default=list))
    message: Mapped[str | None] = c.text("说明", 500)


class ImportRow(Entity):
    """A row of a file as it was read: gone once its file is taken or let go.

    `cells` are its words as they stand in the file, `given` what goes to the verb, `errors` the messages, `changes` old
    and new in words; all by column. `record_id` and `seen` name the record that it is about and the version looked at.
    """

    spec = Spec(
        "导入行",
        Module.SYSTEM,
        SpecKind.INTERNAL,
        title="row_no",
        scope=Scope(through="import_task"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("import_task_id", "row_no", name="uq_import_row_row_no"),
        Index("ix_import_row_verdict", "import_task_id", "verdict", "row_no"),
    )

    import_task_id: Mapped[int] = c.owned_by("导入任务", "import_task", part=None, index=False)
    import_task: Mapped[ImportTask] = c.related(import_task_id)
    row_no: Mapped[int] = c.whole("行", required=True)
    verdict: Mapped[Verdict] = c.enum("结果", Verdict, required=True)
    cells: Mapped[dict[str, Any]] = c.json("原文", required=True)
    given: Mapped[dict[str, Any]] = c.json("内容", required=True)
    errors: Mapped[dict[str, Any]] = c.json("错误", required=True)
    changes: Mapped[dict[str, Any]] = c.json("变化", required=True)
    alike: Mapped[str | None] = c.text("可能重复", 300)
    record_id: Mapped[int | None] = c.whole("记录")
    seen: Mapped[int | None] = c.whole("版本")
