"""Lists as files: the filter, sort and columns of the screen, typed; plain personal data only for who may reveal."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from flask import Response, send_file
from flask.typing import ResponseReturnValue

from models.base.errors import BusinessError, Conflict
from models.base.fields import FieldFacts
from models.base.masks import mask
from reports.base.documents import table_pdf
from reports.base.documents_table import MAX_TABLE_ROWS
from reports.base.export import (
    MAX_ROWS,
    PROGRESS_EVERY,
    ExportColumn,
    write_csv,
    write_xlsx,
)
from reports.figures import dictionaries
from reports.figures.parameters import whole
from views.kit import edge, groups
from views.kit.cells import WORDS, format_value
from views.kit.interface import shape
from views.kit.lists import Grouping, ListQuery
from workflows.base import audit
from workflows.base.context import Ctx

FORMATS = (
    ("xlsx", "导出 Excel", MAX_ROWS),
    ("csv", "导出 CSV", MAX_ROWS),
    ("pdf", "导出 PDF", MAX_TABLE_ROWS),
)
# Where the parameter says nothing sensible: a list must not fall over it.
AT_ONCE = 2_000
TITLES_KEPT = 20_000
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}
PLAIN_KINDS = {"money", "rate", "int", "date", "datetime", "bool"}


def send(asked: ListQuery, kind: str) -> ResponseReturnValue:
    """The list as a file to download. Raises BusinessError for an unknown format, a filter or too many rows."""
    total = admit(asked, kind)
    if total > at_once(asked.ctx):
        raise Conflict(f"共 {total:,} 行，须在后台导出：请回到列表刷新后，从“导出”菜单再点一次")
    plain = plain_columns(asked)
    if plain:
        note = f"导出{asked.model.spec.label} {total} 行，含原值：{plain}"
        with edge.writing() as ctx:
            audit.log(ctx, asked.model(), "EXPORT", note=note)
    target = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the response when it is sent
    write(asked, kind, target, plain=bool(plain))
    target.seek(0)
    name = file_name(asked.model.spec.label, asked.ctx.today, kind)
    return named(send_file(target, mimetype=TYPES[kind]), name)


def named(response: Response, name: str) -> Response:
    """A download under a Chinese name."""
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


def file_name(label: str, on: date, kind: str) -> str:
    """What the file is called."""
    return f"{label}_{on:%Y%m%d}.{kind}"


def admit(asked: ListQuery, kind: str) -> int:
    """How many rows the file has. Raises BusinessError for an unknown format, a filter or too many rows."""
    limits = {code: most for code, _, most in FORMATS}
    if kind not in limits:
        raise BusinessError("没有这种导出格式，可选 xlsx、csv、pdf")
    asked.require_understood()
    known = shape(asked.model)
    asked.names = [n for n in asked.names if known.key(n) and known.facts(n).is_exported]
    if not asked.names:
        raise BusinessError("所选的列都不能导出，请在列表中另选")
    total = asked.total()
    if total > limits[kind]:
        other = "，或改为导出 Excel" if kind == "pdf" else ""
        raise BusinessError(
            f"共 {total:,} 行，{kind.upper()} 一次最多导出 {limits[kind]:,} 行，请缩小筛选范围{other}"
        )
    return total


def at_once(ctx: Ctx) -> int:
    """Up to how many rows a file is written while the page waits."""
    try:
        return whole(ctx.session, "export.background_rows", ctx.today)
    except BusinessError:
        return AT_ONCE


@dataclass(frozen=True)
class Beside:
    """What a file that is written beside its page has more: who hears of it, a place for its parts, notes in a CSV."""

    progress: Callable[[int], None]
    scratch: Path


def write(
    asked: ListQuery,
    kind: str,
    target: IO[bytes],
    *,
    plain: bool = False,
    beside: Beside | None = None,
) -> int:
    """Write the list's rows, their totals and what the file is of to an open binary file; how many rows it has."""
    heads, title = columns(asked), asked.model.spec.label
    number, sums = asked.totals()
    rows, facts = _rows(asked, plain=plain), _notes(asked, number)
    progress = None if beside is None else beside.progress
    totals = _total_row(asked, sums) if sums and number else None
    if asked.group is not None:  # the file is what the list shows
        heads, rows = _group_heads(asked, asked.group), groups.lines(asked, asked.group)
        totals = ["合计", number, *sums.values()]
    if kind == "xlsx":
        return write_xlsx(
            heads,
            rows,
            target,  # type: ignore[arg-type]
            title=title,
            progress=progress,
            notes=facts,
            totals=totals,
            scratch=None if beside is None else beside.scratch,
        )
    if kind == "pdf":
        note = f"{asked.ctx.actor.name}　{asked.ctx.today.isoformat()}　共 {number:,} 行"
        heard = _heard(rows, progress)
        target.write(
            table_pdf(title, heads, heard, subtitle=conditions(asked), totals=totals, foot=note)
        )
        return number
    # What programs read at once has rows alone; who comes back for a big file days later is told what it is.
    more: dict[str, Any] = {} if beside is None else {"notes": facts, "totals": totals}
    for chunk in write_csv(heads, rows, progress=progress, **more):
        target.write(chunk)
    return number


def _heard(
    rows: Iterator[list[Any]], progress: Callable[[int], None] | None
) -> Iterator[list[Any]]:
    for number, row in enumerate(rows, 1):
        if progress is not None and number % PROGRESS_EVERY == 0:
            progress(number)
        yield row
    if progress is not None:
        progress(0)  # laying out takes longer than reading


def _notes(asked: ListQuery, number: int) -> list[tuple[str, str]]:
    """What a file says of itself."""
    ctx = asked.ctx
    return [
        ("列表", asked.model.spec.label),
        ("筛选条件", conditions(asked) or "全部"),
        ("行数", f"{number:,}"),
        ("营业日期", ctx.today.isoformat()),
        ("导出人", ctx.actor.name),
        ("导出时间", str(format_value(ctx.now, "datetime"))),
    ]


def _total_row(asked: ListQuery, sums: Mapping[str, Any]) -> list[Any]:
    """Sums below their columns; the word stands in the first column that has none."""
    cells = [sums.get(name) for name in asked.names]
    place = next((at for at, name in enumerate(asked.names) if name not in sums), None)
    if place is not None:
        cells[place] = "合计"
    return cells


def conditions(asked: ListQuery) -> str:
    """The filters in words."""
    words = [f"{chip.label}{chip.operator}{chip.value}" for chip in asked.chips()]
    return "；".join([*words, *([f"搜索：{asked.text}"] if asked.text else [])])


def plain_columns(asked: ListQuery) -> str:
    """The masked columns that the file shows in full, for who may reveal them (X9)."""
    known = shape(asked.model)
    masked = [name for name in asked.names if known.facts(name).mask]
    actor = asked.ctx.actor
    # Whose right reaches less far than what they read would be shown others' values.
    reaches_all = actor.acting("reveal", known.table) is actor
    if not actor.may("reveal", known.table) or not reaches_all:
        return ""
    return "、".join(known.label(name) for name in masked)


def _group_heads(asked: ListQuery, group: Grouping) -> list[ExportColumn]:
    kinds: dict[str, Any] = {"int": "int", "money": "money"}
    heads = groups.columns(asked, group)
    return [ExportColumn(c.key, c.label, kinds.get(c.kind, "text"), c.unit) for c in heads]


def columns(asked: ListQuery) -> list[ExportColumn]:
    """Typed heads of the file."""
    known = shape(asked.model)
    found = []
    for name in asked.names:
        facts = known.facts(name)
        kind: Any = facts.kind if facts.kind in PLAIN_KINDS else "text"
        found.append(ExportColumn(name, facts.label, kind, facts.unit))
    return found


def _rows(asked: ListQuery, *, plain: bool) -> Iterator[list[Any]]:
    known = shape(asked.model)
    facts = [known.facts(name) for name in asked.names]
    for chunk in asked.chunks():
        _learn_titles(asked, facts, chunk)
        for row in chunk:
            yield [
                _value(asked, one, value, plain=plain)
                for one, value in zip(facts, row[1:], strict=True)
            ]


def _learn_titles(asked: ListQuery, facts: Sequence[FieldFacts], chunk: Sequence[Any]) -> None:
    asked.cells.titles.forget_many(TITLES_KEPT)
    for position, one in enumerate(facts, start=1):
        if one.target:
            asked.cells.titles.load(one.target, {row[position] for row in chunk})


def _value(asked: ListQuery, facts: FieldFacts, value: Any, *, plain: bool) -> Any:
    kind = facts.kind
    if value is None or kind in PLAIN_KINDS:
        return value
    if kind == "enum":
        return str(value.value)
    if kind == "dictionary":
        return dictionaries.label(asked.ctx.session, facts.dictionary, value)
    if kind == "reference":
        return asked.cells.titles.text(facts.target, value)
    if words := WORDS.get((shape(asked.model).table, facts.name)):
        return words(str(value))
    return mask(str(value), facts.mask) if facts.mask and not plain else str(value)
