"""较上次提交的变化 (A10): beside a decision on what was put up before, so that nobody reads all of it again."""

from models.approval.approval import ApprovalInstance
from reports.figures import resubmissions
from views.kit.cells import format_value
from views.kit.pages import Cell, Column, Row, Section
from workflows.base.context import Ctx

_COLUMNS = [Column("field", "项目"), Column("before", "上次"), Column("now", "本次")]


def changed(ctx: Ctx, instance: ApprovalInstance) -> list[Section]:
    """One section where the record was put up before."""
    before = resubmissions.earlier(ctx.session, instance)
    if before is None:
        return []
    found = resubmissions.changes(ctx.session, ctx.actor, before, instance)
    section = Section("changed", "较上次提交的变化", columns=_COLUMNS, count=len(found))
    when = format_value(before.submitted_at, "datetime")
    section.note = f"上次 {when} 提交，{before.state.label}"
    section.rows = [
        Row(
            str(n), "", (Cell(one.label), Cell(one.before, "long_text"), Cell(one.now, "long_text"))
        )
        for n, one in enumerate(found)
    ]
    section.empty = "填写的内容与上次提交时相同；附件和子表的变化见业务单据的变更记录"
    section.more_url, section.more_label = f"/approvals/instance/{before.id}", "查看上次审批"
    return [section]
