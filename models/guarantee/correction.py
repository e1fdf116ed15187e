"""更正、撤销、清理 (10.3): what was registered wrongly is set right by an approved paper of its own."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import Paper
from models.base.rows import MANAGER, decided, numbered
from models.guarantee.project import Project
from models.system.organization import Department, Employee


class CorrectionKind(Kind):
    """What is asked for."""

    CORRECT = "更正"
    REVOKE = "撤销"
    PURGE = "清理"


class Correction(Paper):
    """One record that is to be set right: fields before and after, a drawdown taken back, or a row that goes.

    `changes` holds {field, label, before, after, old, new} of each field, the last two in words; `content` what a
    record that went away said, by label.
    """

    spec = Spec(
        "业务更正",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.ENDING,
        title="number",
        rank=300,
        listed=("number", "kind", "subject", "project", "reason", "handler", "done_on", "state"),
        searched=("number", "subject"),
        filtered=("kind", "project_id", "handler_id", "done_on", "state"),
        scope=Scope(owner="handler_id", department="department_id"),
        state="state",
        help="更正、撤销、清理在各记录的页面上申请，审批通过后由系统办理；已记账的金额只能由冲回的凭证更正。",
        seeds=(
            *numbered("correction", "业务更正编号", "GZ{yyyy}-{no:04d}"),
            *decided(
                "correction",
                "业务更正",
                ("部门经理审核", MANAGER),
                ("风控审核", "risk"),
                sort_no=192,
            ),
            *decided(
                "revocation",
                "业务撤销",
                ("部门经理审核", MANAGER),
                ("风控审核", "risk"),
                ("财务核对", "finance"),
                sort_no=194,
            ),
            *decided(
                "purge", "业务清理", ("部门经理审核", MANAGER), ("风控审核", "risk"), sort_no=196
            ),
        ),
        on_sheet=("reason",),
        news=News(
            made=("申请{kind}：", "{subject}"), moved=(("done_on", None, "办结业务更正 {title}"),)
        ),
    )
    __table_args__ = (
        CheckConstraint("(state = 'APPROVED') = (done_on is not null)", name="ck_correction_done"),
        Index("ix_correction_record", "source", "record_id"),
    )
    number_label = "更正编号"
    kind: Mapped[CorrectionKind] = c.enum("种类", CorrectionKind, required=True, index=True)
    source: Mapped[str] = c.hidden(c.text("对象", 64, required=True))
    record_id: Mapped[int] = c.hidden(c.whole("记录号", required=True))
    subject: Mapped[str] = c.text("记录", 120, required=True)
    project_id: Mapped[int | None] = c.reference(
        "担保项目", "project", ondelete="SET NULL", part=c.Part(960)
    )
    project: Mapped[Project | None] = c.related(project_id)
    reason: Mapped[str] = c.long_text("原因", required=True)
    changes: Mapped[list[Any]] = c.hidden(c.json("更正内容", required=True, default=list))
    content: Mapped[dict[str, Any]] = c.hidden(c.json("原内容", required=True, default=dict))
    handler_id: Mapped[int | None] = c.reference("经办人", "employee")
    handler: Mapped[Employee | None] = c.related(handler_id)
    department_id: Mapped[int | None] = c.reference("经办部门", "department")
    department: Mapped[Department | None] = c.related(department_id)
    done_on: Mapped[date | None] = c.day("办结日期", index=True)
