"""导入 (X3): a file for a table: looked through row by row, confirmed by who sent it, then all rows or none.

Each row goes through the verb of its form; what it would do is tried and taken back. Files of many rows are looked
through and taken beside the page (`import_jobs`). docs/decisions/0034-imports.md says why.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from models.base.entity import entity_of
from models.base.errors import BusinessError, Conflict, NotAllowed, NotFound
from models.system.imports import ImportMode, ImportRow, ImportState, ImportTask, Verdict
from reports.figures import dictionaries
from reports.figures.parameters import whole
from workflows.base import jobs, records
from workflows.base.context import Ctx
from workflows.base.file_store import write_whole
from workflows.base.sheets import Kind
from workflows.base.transition import Step, move, steps
from workflows.system.import_cells import Reader, table_of, told_words
from workflows.system.import_columns import ImportColumn, columns_of, example_of, kind_of
from workflows.system.import_files import Opened, chunks, keep_words, mapped_by, open_file, words_of
from workflows.system.import_rows import Checker, Door, Line

LABEL = "导入"
CHUNK = 200  # rows that are tried in one go
_UNREAD, _READY = (ImportState.UNREAD,), (ImportState.READY,)
AT_WORK = (ImportState.CHECKING, ImportState.LOADING)
_OPEN = (*_UNREAD, *_READY, *AT_WORK)
TAKEN = (Verdict.NEW, Verdict.CHANGED)


def _step(verb: str, label: str, sources: Sequence[ImportState], target: ImportState) -> Step:
    return Step(
        "import_task",
        verb,
        label,
        column="status",
        sources=tuple(sources),
        targets=(target,),
        follows=True,
    )


STEPS = steps(
    _step("check", "核对", (*_UNREAD, *_READY, ImportState.CHECKING), ImportState.CHECKING),
    _step("map", "待对应列", (ImportState.CHECKING,), ImportState.UNREAD),
    _step("ready", "核对完成", (*AT_WORK,), ImportState.READY),
    _step("load", "导入", (*_READY, ImportState.LOADING), ImportState.LOADING),
    _step("finish", "导入完成", (ImportState.LOADING,), ImportState.SUCCEEDED),
    _step("fail", "导入失败", AT_WORK, ImportState.FAILED),
    _step("cancel", "放弃导入", _OPEN, ImportState.CANCELLED),
)


# ----------------------------------------------------------------------------------------------------- asking
def permit(ctx: Ctx, door: Door) -> None:
    """Raise NotAllowed unless the actor may bring rows of this table in."""
    ctx.require("import", str(door.model.__tablename__), f"导入{door.model.spec.label}")
    if ctx.actor.employee_id is None:
        raise NotAllowed("系统本身不导入文件")


def ask(ctx: Ctx, door: Door, file: tuple[str, bytes], mode: ImportMode) -> ImportTask:
    """Take a file in. Raises NotAllowed, BusinessError for a file that is too big."""
    permit(ctx, door)
    name, data = file
    most = whole(ctx.session, "import.max_mb", ctx.today)
    if len(data) > most * 1024 * 1024:
        raise BusinessError(f"文件超过 {most} MB，请拆分后再上传", field="file")
    days = whole(ctx.session, "import.keep_days", ctx.today)
    task = ImportTask(
        employee_id=ctx.actor.employee_id,
        source=str(door.model.__tablename__),
        title=door.model.spec.label,
        file_name=name[-200:],
        digest=_keep(ctx.session, data),
        mode=mode,
        business_date=ctx.today,
        asked_at=ctx.now,
        expires_at=ctx.now + timedelta(days=days),
        counts={},
        words={},
    )
    ctx.session.add(task)
    ctx.session.flush()
    return task


def own(ctx: Ctx, key: int, *, is_held: bool = False) -> ImportTask:
    """A file that the actor has sent; NotFound for anybody else's."""
    return jobs.own_task(ctx, ImportTask, key, is_held=is_held)


def cancel(ctx: Ctx, task: ImportTask) -> None:
    """Let a file go; nothing of it is kept."""
    move(STEPS["cancel"], task)
    task.finished_at = ctx.now
    drop_rows(ctx.session, task)


def drop_rows(session: Session, task: ImportTask) -> None:
    """Rows that nobody waits for are not kept: they are full of personal data."""
    session.execute(delete(ImportRow).where(ImportRow.import_task_id == task.id))


# -------------------------------------------------------------------------------------------------------- files
def room(session: Session) -> Path:
    """Where files wait."""
    return Path(session.info["data_dir"]) / "import_files"


def _keep(session: Session, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    write_whole(room(session) / digest, data)
    return digest


def file_of(session: Session, task: ImportTask) -> tuple[str, bytes]:
    """Name and bytes of the file. Raises NotFound where it is gone."""
    path = room(session) / task.digest
    if not path.is_file():
        raise NotFound("上传的文件已不在，请重新上传")
    return task.file_name, path.read_bytes()


# ----------------------------------------------------------------------------------------------------- checking
def layout(ctx: Ctx, door: Door) -> tuple[tuple[ImportColumn, ...], Kind]:
    """The columns that files for this form may have, and the head by which their table is known."""
    columns = columns_of(ctx, door.model, door.names)
    return columns, kind_of(door.model, columns)


def opened(ctx: Ctx, task: ImportTask, door: Door) -> Opened | None:
    """The file as it is read now; None where its head is not found. Raises BusinessError."""
    columns, kind = layout(ctx, door)
    mapped = mapped_by(ctx.session, kind, task.employee_id)
    most = whole(ctx.session, "import.max_rows", ctx.today)
    return open_file(
        kind,
        columns,
        file_of(ctx.session, task),
        mapped=mapped,
        examples={column.key: example_of(ctx.session, column) for column in columns},
        max_rows=most,
    )


def check(ctx: Ctx, task: ImportTask, door: Door, found: Opened) -> None:
    """Look through all rows in this transaction, and keep what each will do."""
    begin_check(ctx, task, found)
    checker, reader = Checker(door, found.columns, task.mode), reader_of(ctx, task, found)
    tally: Counter[str] = Counter()
    for chunk in chunks(found.rows(), CHUNK):
        keep_lines(ctx, task, checker.check(reader, chunk), tally)
    end_check(ctx, task, tally)


def begin_check(ctx: Ctx, task: ImportTask, found: Opened) -> None:
    """Begin anew: what was kept of an earlier look goes."""
    move(STEPS["check"], task)
    drop_rows(ctx.session, task)
    task.columns = [
        {"key": column.key, "head": head}
        for column, head in zip(found.columns, found.heads, strict=True)
    ]
    task.notices, task.message = list(found.notices), None
    task.counts, task.words = {}, {}
    ctx.session.flush()


def leave_unread(task: ImportTask) -> None:
    """Nobody knows its head: whoever sent it says what its columns are."""
    if task.status is not ImportState.UNREAD:
        move(STEPS["check"], task)
        move(STEPS["map"], task)


def say_words(ctx: Ctx, task: ImportTask, said: Sequence[tuple[str, str, str]]) -> None:
    """Remember (dictionary, word, code) as this person says it. Raises BusinessError for what is no choice."""
    by_dictionary: dict[str, dict[str, str]] = {}
    for code, word, choice in said:
        if choice and not (word in task.words.get(code, {}) and _is_choice(ctx, code, choice)):
            raise BusinessError("没有这个选项，请从列表中选择")
        if choice:
            by_dictionary.setdefault(code, {})[word] = choice
    if not by_dictionary:
        raise BusinessError("请至少选择一项")
    for code, words in by_dictionary.items():
        keep_words(ctx, code, words)


def _is_choice(ctx: Ctx, code: str, choice: str) -> bool:
    """Whether a word of a dictionary, or a name of a setting, may mean this."""
    if table := table_of(code):
        try:
            records.find(ctx, entity_of(table), choice)
        except NotFound:
            return False
        return True
    return choice in dict(dictionaries.items(ctx.session, code))


def reader_of(ctx: Ctx, task: ImportTask, found: Opened) -> Reader:
    """Reads the cells of the file."""
    return Reader(ctx, found.units, words_of(ctx.session, task.employee_id))


def keep_lines(ctx: Ctx, task: ImportTask, lines: Sequence[Line], tally: Counter[str]) -> None:
    """Keep rows that were looked through."""
    ctx.session.execute(insert(ImportRow), [_kept(task, line) for line in lines])
    for line in lines:
        tally[line.verdict.name] += 1
        tally["alike"] += bool(line.alike)
    unknown = told_words(word for line in lines for word in line.unknown)
    words = {code: dict(known) for code, known in task.words.items()}
    for code, counted in unknown.items():
        for word, number in counted.items():
            words.setdefault(code, {})[word] = words.get(code, {}).get(word, 0) + number
    task.words = words
    ctx.session.flush()  # the next rows are tried and taken back


def _kept(task: ImportTask, line: Line) -> dict[str, Any]:
    return {
        "import_task_id": task.id,
        "row_no": line.row_no,
        "verdict": line.verdict,
        "cells": line.cells,
        "given": line.given,
        "errors": line.errors,
        "changes": line.changes,
        "alike": line.alike or None,
        "record_id": line.record_id,
        "seen": line.seen,
        "version": 1,
        "extra": {},
    }


def end_check(ctx: Ctx, task: ImportTask, tally: Counter[str]) -> None:
    """All rows were looked through."""
    task.counts = dict(tally)
    move(STEPS["ready"], task)
    ctx.session.flush()


def number_of(task: ImportTask, *verdicts: Verdict) -> int:
    """How many rows do one of these."""
    return sum(int(task.counts.get(verdict.name, 0)) for verdict in verdicts or Verdict)


def leave_wrong_out(ctx: Ctx, task: ImportTask) -> int:
    """Let the wrong rows of a file be, where its table takes the others alone; how many. Raises Conflict."""
    wrong = number_of(task, Verdict.WRONG)
    if not may_leave_out(task):
        raise Conflict(f"导入现为“{task.status.label}”，有误的行不能略过")
    query = update(ImportRow).where(
        ImportRow.import_task_id == task.id, ImportRow.verdict == Verdict.WRONG
    )
    ctx.session.execute(query.values(verdict=Verdict.SKIPPED))
    counts = dict(task.counts)
    counts[Verdict.SKIPPED.name] = counts.get(Verdict.SKIPPED.name, 0) + wrong
    counts[Verdict.WRONG.name] = 0
    task.counts = counts
    ctx.session.flush()
    return wrong


def may_leave_out(task: ImportTask) -> bool:
    """Whether a file has right rows beside wrong ones, and its table takes them without the others."""
    is_partial = entity_of(task.source).spec.is_partial and task.status is ImportState.READY
    return is_partial and bool(number_of(task, Verdict.WRONG)) and bool(number_of(task, *TAKEN))


def choose(ctx: Ctx, task: ImportTask, key: int) -> None:
    """Leave a row out that is like a record that is there, or take it after all. Raises NotFound, Conflict."""
    row = ctx.session.get(ImportRow, key)
    if row is None or row.import_task_id != task.id or not row.alike:
        raise NotFound("没有这一行")
    turned = {Verdict.NEW: Verdict.SKIPPED, Verdict.SKIPPED: Verdict.NEW}
    if task.status is not ImportState.READY or row.verdict not in turned:
        raise Conflict(f"导入现为“{task.status.label}”，这一行不能改")
    counts, before = dict(task.counts), row.verdict
    row.verdict = turned[before]
    counts[before.name] = counts.get(before.name, 0) - 1
    counts[row.verdict.name] = counts.get(row.verdict.name, 0) + 1
    task.counts = counts
    ctx.session.flush()
