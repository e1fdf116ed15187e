"""历史补录: a batch with its file of rows, and the buttons that put it up and take it up again."""

from dataclasses import replace
from typing import Any, ClassVar

from models.base.entity import Entity
from models.base.paper import PaperState
from models.guarantee.history import HistoryBatch, HistoryGuarantee
from views.kit import importing, progress
from views.kit.buttons import Button, register
from views.kit.entity_view import EntityView
from views.kit.pages import Action, RecordPage
from workflows.base.context import Ctx
from workflows.guarantee import history, history_jobs


def _is_broken_off(ctx: Ctx, batch: HistoryBatch) -> bool:
    """Whether its projects are not all made and nobody is at them."""
    if not history_jobs.left(ctx.session, batch):
        return False
    return progress.is_broken(history_jobs.run_of(ctx.session, batch), ctx.now)


register(
    Button(
        history.STEPS["submit"],
        history.submit,
        why_not=history.why_not_submit,
        style="primary",
        rank=1,
        done="已提交补录审批",
    ),
    Button(
        history.STEPS["redraft"],
        history.redraft,
        style="primary",
        rank=2,
        done="已重新起草，改正后再提交",
    ),
    Button(
        history_jobs.ACTS["go_on"],
        history_jobs.go_on,
        when=_is_broken_off,
        why_not=history_jobs.why_not_go_on,
        style="primary",
        rank=3,
        done="已继续建立项目，请稍后刷新",
    ),
)


class HistoryBatchView(EntityView):
    """Screens of 历史补录: rows come from a file straight from the page of their draft."""

    model: ClassVar[Any] = HistoryBatch

    def default_tab(self, record: Entity) -> str:
        """Whoever opens a batch looks at its rows."""
        return str(HistoryGuarantee.__tablename__)

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """The file of rows is the next step of a batch that has none."""
        assert isinstance(record, HistoryBatch)
        found = super().verbs(record, ctx)
        if record.state is not PaperState.DRAFT or not ctx.actor.may("import", "history_guarantee"):
            return found
        upload = Action("从 Excel 导入明细", f"{importing.URL}of/history_guarantee", icon="up")
        if record.row_count:
            return [*found, upload]
        return [replace(upload, style="primary"), *(replace(one, style="plain") for one in found)]

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """How far the projects of an approved batch are, until all are made."""
        assert isinstance(record, HistoryBatch)
        if left := history_jobs.left(ctx.session, record):
            run, steps = (
                history_jobs.run_of(ctx.session, record),
                history_jobs.steps_of(ctx.session, record),
            )
            page.above.append(progress.follow(run, steps, ctx.now))
            page.notice = f"还有 {left} 笔待建立项目，系统在后台逐批办理"
        return page
