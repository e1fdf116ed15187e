"""Files of rows and the forms that they come through: which form, its template, how a row looks (X3)."""

import difflib
import io
from collections.abc import Sequence
from typing import Any, Final, cast

from flask import current_app
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from wtforms import Field as Control
from wtforms import Form

from models.base.entity import Entity, entity_of, label_of
from models.base.errors import NotFound
from models.base.fields import FieldFacts
from models.system.imports import ImportRow, ImportState, ImportTask, Verdict
from reports.base.import_template import TemplateColumn, write_template
from reports.base.scope import scoped
from reports.figures import dictionaries
from views.kit import fields, filters
from views.kit.cells import record_url
from views.kit.hooks import EntityHooks
from views.kit.interface import model_of, reading
from views.kit.pages import Action, Cell, Column, Field, Job, Row
from workflows.base.context import Ctx
from workflows.system import import_jobs, imports
from workflows.system.import_cells import names_of, ways_of
from workflows.system.import_columns import DOT, ImportColumn, example_of
from workflows.system.import_rows import WHOLE, Door

URL: Final = "/import/"
_EMPTY: Final = "（空）"
_TONES: Final = {
    Verdict.NEW: "ok",
    Verdict.CHANGED: "warn",
    Verdict.SAME: "draft",
    Verdict.SKIPPED: "draft",
    Verdict.WRONG: "bad",
}
_FEW: Final = 500  # records of a setting among which the nearest is looked for
_CLOSE: Final = 0.5  # how alike a word and a choice are for the one to be proposed


def door_of(ctx: Ctx, table: str) -> Door:
    """The form of a table whose rows may come from files. Raises NotFound."""
    model = model_of(table)
    views = current_app.appbuilder.baseviews  # type: ignore[attr-defined]
    view: Any = next((v for v in views if getattr(v, "route_base", "") == f"/{table}"), None)
    if model is None or view is None or not model.spec.takes_files:
        raise NotFound("没有可以导入的列表")
    is_plain = type(view).save is EntityHooks.save
    return Door(model, view.form_names(None, ctx), view.save, is_plain)


def door_beside(ctx: Ctx, table: str) -> Door:
    """The same for a job, which sees the fields that administrators have defined as a request does."""
    with reading(ctx.session):
        return door_of(ctx, table)


def offered(ctx: Ctx, model: type[Entity]) -> list[Action]:
    """The button of a list whose rows this person may bring in."""
    table = str(model.__tablename__)
    if not (model.spec.takes_files and ctx.actor.may("import", table)):
        return []
    return [Action("导入", f"{URL}of/{table}", icon="up")]


def list_url(table: str) -> str:
    """Where the rows are found once they are in."""
    return f"/{table}/list/"


# ----------------------------------------------------------------------------------------------------- template
def template(ctx: Ctx, door: Door) -> bytes:
    """The workbook to fill in."""
    columns, _ = imports.layout(ctx, door)
    told = [_told(ctx, column) for column in columns]
    target = io.BytesIO()
    write_template(door.model.spec.label, told, target)
    return target.getvalue()


def _told(ctx: Ctx, column: ImportColumn) -> TemplateColumn:
    facts = column.facts
    choices = tuple(choices_of(ctx, facts))
    return TemplateColumn(
        column.label,
        facts.unit,
        column.is_required and not column.part,
        _explained(column, choices),
        example_of(ctx.session, column),
        choices=choices,
        is_listed=not column.part,
    )


def choices_of(ctx: Ctx, facts: FieldFacts) -> list[str]:
    """What may stand in a cell of a field that is chosen from."""
    if facts.kind == "bool":
        return ["是", "否"]
    if facts.kind in {"enum", "dictionary"}:
        return [label for _, label in filters.options(ctx, facts)]
    return []


def _explained(column: ImportColumn, choices: Sequence[str]) -> str:
    facts = column.facts
    words = {
        "money": f"金额，默认单位{facts.unit}；列名中可另注单位，如“{facts.label}（万元）”",
        "rate": f"数字，单位 {facts.unit}，如 5.5",
        "int": "整数",
        "date": "日期，如 2026-01-15、2026/1/15、20260115",
        "text": f"文字，最多 {facts.length} 字",
        "long_text": "文字",
    }.get(facts.kind, "")
    if facts.target:
        words = _names_told(facts)
    if choices:
        shown = "、".join(choices[:12])
        words = f"从可选值中选择：{shown}{f' 等 {len(choices)} 项' if len(choices) > 12 else ''}"
    head, dot, _ = column.label.partition(DOT)
    if dot:
        words = f"{head}的列，每行一条；{words}"
    return "；".join(filter(None, (words, facts.help)))


def _names_told(facts: FieldFacts) -> str:
    target = entity_of(facts.target)
    known = dict.fromkeys(label_of(model, name) for model, name in ways_of(target))
    return f"填写{target.spec.label}的{'、'.join(known)}"


# ------------------------------------------------------------------------------------------------------ preview
def columns_of(task: ImportTask, layout: Sequence[ImportColumn]) -> list[ImportColumn]:
    """The columns that the file has, in its order."""
    by_key = {column.key: column for column in layout}
    return [by_key[one["key"]] for one in task.columns if one["key"] in by_key]


def heads(columns: Sequence[ImportColumn], task: ImportTask) -> list[Column]:
    """Heads of the preview: as the file writes them."""
    written = {one["key"]: one["head"] for one in task.columns}
    return [
        Column("row", "行", "int"),
        Column("verdict", "结果", "enum"),
        Column("told", "说明", "long_text"),
        *(Column(column.key, written.get(column.key, column.label)) for column in columns),
    ]


def row_of(task: ImportTask, row: ImportRow, columns: Sequence[ImportColumn]) -> Row:
    """A row of the file with what it will do, and each message at its cell."""
    shown = {column.key for column in columns}
    told = [*row.errors.get(WHOLE, ())]
    told += [f"{c.label}：{'，'.join(row.errors[c.key])}" for c in columns if c.key in row.errors]
    told += [new for key, (old, new) in row.changes.items() if not old and key not in shown]
    if row.alike:
        told.append(f"可能重复：{row.alike}")
    cells = [
        Cell(str(row.row_no), "int"),
        Cell(row.verdict.label, "enum", tone=_TONES[row.verdict]),
        Cell("；".join(told), "long_text", tone={True: "warn"}.get(bool(row.alike), "")),
        *(_cell(row, column) for column in columns),
    ]
    url = record_url(task.source, row.record_id)
    tone = {Verdict.WRONG: "bad"}.get(row.verdict, "")
    return Row(str(row.id), url, tuple(cells), actions=_choices(task, row), tone=tone, main=1)


def _choices(task: ImportTask, row: ImportRow) -> tuple[Action, ...]:
    """A row that is like a record that is there may be left out, or taken after all."""
    labels = {Verdict.NEW: "不导入此行", Verdict.SKIPPED: "仍然导入"}
    if not row.alike or row.verdict not in labels:
        return ()
    return (Action(labels[row.verdict], f"{URL}choose/{task.id}/{row.id}", "POST"),)


def _cell(row: ImportRow, column: ImportColumn) -> Cell:
    text = str(row.cells.get(column.key, ""))
    if messages := row.errors.get(column.key):
        return Cell(text or _EMPTY, "text", tone="bad", title="；".join(messages))
    if change := row.changes.get(column.key):
        old, new = (words or _EMPTY for words in change)
        return Cell(f"{old} → {new}", "text", tone="warn")
    return Cell(text)


# -------------------------------------------------------------------------------------------------------- words
def word_fields(ctx: Ctx, task: ImportTask, columns: Sequence[ImportColumn]) -> list[Field]:
    """A choice for each word or name that nobody knows, with the nearest one proposed; named w0, w1 ..."""
    found: list[Field] = []
    if task.status is not ImportState.READY:
        return found
    for code, word, number in words_in(task):
        column = next((c for c in columns if asked_of(c) == code), None)
        if column is None:
            continue
        name = f"w{len(found)}"
        made = _word_control(ctx, column, name, word)
        label = f"{column.label}“{word}”"
        found.append(Field(name, label, made, "enum", False, "", f"{number} 行"))
    return found


def asked_of(column: ImportColumn) -> str:
    """Under what the words of a column are asked: its dictionary, or the table whose records its names mean."""
    facts = column.facts
    return names_of(facts.target) if facts.target else facts.dictionary


def words_in(task: ImportTask) -> list[tuple[str, str, int]]:
    """(dictionary, word, rows) of what no dictionary knows, in a steady order."""
    return [
        (code, word, int(number))
        for code, words in sorted(task.words.items())
        for word, number in sorted(words.items())
    ]


def _word_control(ctx: Ctx, column: ImportColumn, name: str, word: str) -> Control:
    facts, table = column.facts, str(column.model.__tablename__)
    control = fields.make(ctx, table, facts.name, facts)
    form = type("WordForm", (Form,), {name: control})()
    bound = cast(Any, form)[name]
    if facts.target:
        bound.data, bound.current_text = nearest_record(ctx, facts.target, word)
        return bound
    code = nearest(ctx.session, facts.dictionary, word)
    bound.data = code
    if isinstance(bound, fields.LookupField):
        bound.current_text = dictionaries.label(ctx.session, facts.dictionary, code)
    return bound


def nearest_record(ctx: Ctx, table: str, word: str) -> tuple[str, str]:
    """Id and name of the only record whose name holds a word, or stands in it; nothing where there are several."""
    model = entity_of(table)
    query = scoped(select(model), model, ctx.actor).limit(_FEW)
    named = [(str(record.id), str(record)) for record in ctx.session.scalars(query)]
    inside = [one for one in named if word in one[1] or one[1] in word]
    return inside[0] if len(inside) == 1 else ("", "")


def nearest(session: Session, dictionary: str, word: str) -> str:
    """The code of the item that reads most like a word; '' where none does."""
    labels = {label: code for code, label in dictionaries.items(session, dictionary)}
    inside = [label for label in labels if word in label or label in word]
    close = inside or difflib.get_close_matches(word, list(labels), 1, _CLOSE)
    return labels.get(min(close, key=len, default=""), "")


# ----------------------------------------------------------------------------------------------------- progress
def state_of(task: ImportTask) -> str:
    """running, done or failed, as the progress bar knows them."""
    known = dict.fromkeys(imports.AT_WORK, "running")
    known |= {ImportState.FAILED: "failed", ImportState.CANCELLED: "failed"}
    return known.get(task.status, "done")


def job_of(task: ImportTask, percent: int) -> Job:
    """A task as a progress bar shows it."""
    words = f"导入{task.title}：{task.status.label}"
    return Job(words, f"{URL}state/{task.id}", f"{URL}task/{task.id}", percent, state_of(task))


def waited_for(ctx: Ctx) -> Select[ImportTask]:
    """What this person waits for."""
    return select(ImportTask).where(
        ImportTask.employee_id == ctx.actor.employee_id, ImportTask.status.in_(imports.AT_WORK)
    )


def shown_everywhere(ctx: Ctx) -> list[Job]:
    """The newest of them, for the top of every page."""
    found = ctx.session.scalars(waited_for(ctx).order_by(ImportTask.id.desc()).limit(2))
    return [job_of(task, import_jobs.percent_of(ctx, task)) for task in found]
