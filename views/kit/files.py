"""Lists as files: the filter, sort and columns of the screen, typed; plain personal data only for who may reveal."""

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any
from urllib.parse import quote

from flask import send_file
from flask.typing import ResponseReturnValue

from models.base.errors import BusinessError
from models.base.fields import FieldFacts
from models.base.masks import mask
from reports.base.documents import table_pdf
from reports.base.export import MAX_ROWS, ExportColumn, write_csv, write_xlsx
from reports.figures import dictionaries
from views.kit import edge
from views.kit.cells import WORDS
from views.kit.interface import shape
from views.kit.lists import ListQuery
from workflows.base import audit

# A page waits for its PDF, which takes some 2 ms a row (docs/decisions/0007-pdf-lists.md).
PDF_ROWS = 5_000
FORMATS = (
    ("xlsx", "导出 Excel", MAX_ROWS),
    ("csv", "导出 CSV", MAX_ROWS),
    ("pdf", "导出 PDF", PDF_ROWS),
)
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}
PLAIN_KINDS = {"money", "rate", "int", "date", "datetime", "bool"}


def send(asked: ListQuery, kind: str) -> ResponseReturnValue:
    """The list as a file to download. Raises BusinessError for an unknown format, a filter or too many rows."""
    limits = {code: most for code, _, most in FORMATS}
    if kind not in limits:
        raise BusinessError("没有这种导出格式，可选 xlsx、csv、pdf")
    asked.require_understood()
    asked.names = [name for name in asked.names if shape(asked.model).key(name)]
    total = asked.total()
    if total > limits[kind]:
        other = "，或改为导出 Excel" if kind == "pdf" else ""
        raise BusinessError(
            f"共 {total:,} 行，{kind.upper()} 一次最多导出 {limits[kind]:,} 行，请缩小筛选范围{other}"
        )
    plain = _may_show_plain(asked, total)
    target = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the response when it is sent
    write(asked, kind, target, plain=plain)
    target.seek(0)
    name = f"{asked.model.spec.label}_{asked.ctx.today:%Y%m%d}.{kind}"
    response = send_file(target, mimetype=TYPES[kind])
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


def write(asked: ListQuery, kind: str, target: IO[bytes], *, plain: bool = False) -> int:
    """Write the list's rows to an open binary file; for jobs too. Returns how many were written."""
    heads, rows, title = columns(asked), _rows(asked, plain=plain), asked.model.spec.label
    if kind == "xlsx":
        return write_xlsx(heads, rows, target, title=title)  # type: ignore[arg-type]
    if kind == "pdf":
        note = f"{asked.ctx.actor.name}　{asked.ctx.today.isoformat()}"
        return target.write(table_pdf(title, heads, rows, subtitle=_conditions(asked), foot=note))
    return sum(target.write(chunk) for chunk in write_csv(heads, rows))


def _conditions(asked: ListQuery) -> str:
    words = [f"{chip.label}{chip.operator}{chip.value}" for chip in asked.chips()]
    return "；".join([*words, *([f"搜索：{asked.text}"] if asked.text else [])])


def _may_show_plain(asked: ListQuery, total: int) -> bool:
    """Plain personal data only for who may reveal it, and noted before the file is written (X9)."""
    known = shape(asked.model)
    masked = [name for name in asked.names if known.facts(name).mask]
    actor = asked.ctx.actor
    # Whose right reaches less far than what they read would be shown others' values.
    reaches_all = actor.acting("reveal", known.table) is actor
    if not masked or not actor.may("reveal", known.table) or not reaches_all:
        return False
    labels = "、".join(known.label(name) for name in masked)
    with edge.writing() as ctx:
        audit.log(
            ctx,
            asked.model(),
            "EXPORT",
            note=f"导出{asked.model.spec.label} {total} 行，含原值：{labels}",
        )
    return True


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
