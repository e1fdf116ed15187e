"""What the logs keep in words: old and new values of a change, and the checks of a closing."""

from typing import Any

from flask import request

from models.base.entity import Entity
from models.ledger.closing import MonthEndLog
from models.system.setup import AuditLog
from views.kit import record as records_page
from views.kit.cells import Cells
from views.kit.entity_view import EntityView
from views.kit.interface import Titles, model_of
from views.kit.pages import Cell, Column, GateItem, RecordPage, Row, Section
from workflows.base.audit import PROOFS
from workflows.base.context import Ctx


class AuditLogView(EntityView):
    """Screens of AuditLog: what was changed, field by field, before the facts."""

    model = AuditLog

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """Old and new values; what is masked stays masked."""
        assert isinstance(record, AuditLog)
        changes = changes_of(ctx, record)
        if changes:
            columns = [
                Column("field", "字段"),
                Column("old", "原值", "long_text"),
                Column("new", "新值", "long_text"),
            ]
            rows = [Row(str(n), "", tuple(map(Cell, change))) for n, change in enumerate(changes)]
            page.sections.insert(
                0, Section("changes", "变更内容", columns=columns, rows=rows, count=len(rows))
            )
            page.active = request.args.get("tab", "changes")[:64]
        return page


def changes_of(ctx: Ctx, log: AuditLog) -> list[tuple[str, str, str]]:
    """(field, old, new) of a row of the trail in words."""
    model = model_of(log.table_name or "")
    if model is None or not log.changes or log.action in PROOFS:
        return []
    return records_page.changes_in_words(Cells(ctx, model, Titles(ctx.session)), log.changes)


class MonthEndLogView(EntityView):
    """Screens of MonthEndLog: the checks as they were when the period was closed."""

    model = MonthEndLog

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """The checks before the facts."""
        assert isinstance(record, MonthEndLog)
        page.title = str(record)
        kept: list[dict[str, Any]] = record.checks
        if kept:
            items = [GateItem(str(c["label"]), bool(c["is_met"]), str(c["evidence"])) for c in kept]
            checks = Section(
                "checks", "结账检查", template="parts/gate.html", data=items, count=len(items)
            )
            page.sections.insert(0, checks)
            page.active = request.args.get("tab", "checks")[:64]
        return page
