"""Taking the rows of a file that was looked through (X3): all of them in one transaction, or none."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.entity import Entity
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.system.imports import ImportRow, ImportState, ImportTask, Verdict
from models.system.organization import Employee
from models.system.setup import LogKind
from reports.base.scope import scoped
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.numbering import Block
from workflows.base.transition import move
from workflows.system import imports
from workflows.system.import_cells import Names
from workflows.system.import_columns import ImportColumn
from workflows.system.import_files import words_of
from workflows.system.import_rows import Door, Line, carry, draft, resolve

_PAGE = 500


class RowsRefused(BusinessError):
    """Rows that were right when they were looked through are refused now; nothing was taken."""

    def __init__(self, errors: dict[int, dict[str, list[str]]]) -> None:
        """Keep the messages by row and column."""
        super().__init__(f"有 {len(errors)} 行不能导入，没有导入任何一行，请核对后再试")
        self.errors = errors


def why_not_taken(task: ImportTask) -> str:
    """What keeps the rows from being taken; '' where nothing does."""
    if task.status is not ImportState.READY:
        return f"导入现为“{task.status.label}”"
    if wrong := imports.number_of(task, Verdict.WRONG):
        return f"有 {wrong} 行有误，全部改正后才能导入"
    if not imports.number_of(task, *imports.TAKEN):
        return "文件中的内容都已登记，没有要导入的"
    return ""


def begin_load(ctx: Ctx, task: ImportTask, door: Door) -> None:
    """Let the rows be taken. Raises NotAllowed, Conflict where they are not to be."""
    imports.permit(ctx, door)
    if why := why_not_taken(task):
        raise Conflict(why)
    move(imports.STEPS["load"], task)


def load(ctx: Ctx, task: ImportTask, door: Door) -> str:
    """Take all rows in this transaction, or none; says what came of it.

    Raises NotAllowed, Conflict where it is not to be taken, RowsRefused with what is wrong by now.
    """
    imports.permit(ctx, door)
    if task.status is not ImportState.LOADING:
        begin_load(ctx, task, door)
    columns, _ = imports.layout(ctx, door)
    here = [column for column in columns if column.key in {one["key"] for one in task.columns}]
    taker = Taker(ctx, door, here)
    for lines in pages_of(ctx.session, task, *imports.TAKEN):
        taker.take(lines)
    if taker.wrong:
        raise RowsRefused(taker.wrong)
    return finish(ctx, task)


class Taker:
    """Saves rows, a page at a time, and keeps what is wrong with any."""

    def __init__(self, ctx: Ctx, door: Door, columns: Sequence[ImportColumn]) -> None:
        """Begin with the first page."""
        self.wrong: dict[int, dict[str, list[str]]] = {}
        self._ctx, self._door, self._columns = ctx, door, columns
        self._names = Names(ctx, words_of(ctx.session, ctx.actor.employee_id or 0))
        self._saves_many = door.saves_many(columns)
        self._mine = ctx.session.get(Employee, ctx.actor.employee_id or 0)  # each row asks for it

    def take(self, lines: Sequence[Line]) -> None:
        """Save these rows; Conflict where the database decides between two."""
        found = self._records(lines)
        session, made = self._ctx.session, list[Entity]()
        block = Block(sum(line.record_id is None for line in lines))
        self._ctx.numbers = block if self._saves_many else None
        with session.no_autoflush if self._saves_many else nullcontext():
            for line in lines:
                made += self._take(line, found)
        self._ctx.numbers = None
        if self.wrong or not self._saves_many:
            return
        block.give_back(self._ctx)
        records.save_all(self._ctx, made)
        for record in (*made, *found.values()):
            session.expunge(record)  # a hundred thousand of them are not kept in memory

    def _records(self, lines: Sequence[Line]) -> dict[int, Entity]:
        model = self._door.model
        keys = {line.record_id for line in lines} - {None}
        query = scoped(select(model).where(model.id.in_(keys)), model, self._ctx.actor)
        return {record.id: record for record in self._ctx.session.scalars(query)}

    def _take(self, line: Line, found: Mapping[int, Entity]) -> list[Entity]:
        """One row; the records that it makes where they are saved later."""
        resolve(line, self._columns, self._names)
        try:
            if line.errors:
                raise FieldErrors(line.errors)
            record = None if line.record_id is None else found.get(line.record_id)
            if record is None and line.record_id is not None:
                raise Conflict("这条记录已被删除，或已不在您的数据范围内")
            if self._saves_many:
                return draft(self._ctx, self._door, line, record)
            carry(self._ctx, self._door, line, record)
        except BusinessError as error:
            self.wrong[line.row_no] = dict(error.field_errors)
        return []


def pages_of(session: Session, task: ImportTask, *verdicts: Verdict) -> Iterator[list[Line]]:
    """Rows that were kept, in the order of the file, a page at a time."""
    last, kept = 0, ImportRow
    columns = (kept.row_no, kept.given, kept.record_id, kept.seen)
    while True:
        query = select(*columns).where(
            kept.import_task_id == task.id, kept.row_no > last, kept.verdict.in_(verdicts)
        )
        rows = session.execute(query.order_by(kept.row_no).limit(_PAGE)).all()
        if not rows:
            return
        yield [Line(no, given=given, record_id=key, seen=seen) for no, given, key, seen in rows]
        last = rows[-1].row_no


def finish(ctx: Ctx, task: ImportTask) -> str:
    """All rows are in: what was kept of them goes, with the same commit."""
    new, changed = imports.number_of(task, Verdict.NEW), imports.number_of(task, Verdict.CHANGED)
    words = [
        f"{verb} {number:,} 条" for verb, number in (("新增", new), ("更新", changed)) if number
    ]
    task.message = "，".join(words)
    task.finished_at = ctx.now
    move(imports.STEPS["finish"], task)
    imports.drop_rows(ctx.session, task)
    note = f"从文件“{task.file_name}”导入{task.title}：{task.message}（第 {task.id} 号）"
    audit.log_event(ctx, task.source, "IMPORT", LogKind.IMPORT, note=note[:500])
    return task.message


def note_refused(ctx: Ctx, task: ImportTask, refused: RowsRefused) -> None:
    """After all was taken back: what is wrong by now stands at the rows."""
    query = select(ImportRow).where(
        ImportRow.import_task_id == task.id, ImportRow.row_no.in_(list(refused.errors)[:_PAGE])
    )
    for row in ctx.session.scalars(query):
        row.errors, row.verdict = refused.errors[row.row_no], Verdict.WRONG
    ctx.session.flush()
    query_counts = (
        select(ImportRow.verdict, func.count())
        .where(ImportRow.import_task_id == task.id)
        .group_by(ImportRow.verdict)
    )
    counted = {verdict.name: n for verdict, n in ctx.session.execute(query_counts)}
    task.counts = {**counted, "alike": task.counts.get("alike", 0)}
    task.message = refused.message[:500]
    if task.status is ImportState.LOADING:
        move(imports.STEPS["ready"], task)
