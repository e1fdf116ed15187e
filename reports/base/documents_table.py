"""Tabular lists as PDF through Typst: repeated head, 第 x / y 页, money at the right, up to 20,000 rows.

Rows travel as JSON strings into a fixed layout and are never read as markup.
"""

import io
import json
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from models.base import money
from reports.base.documents_template import DocumentError
from reports.base.export import ExportColumn, Kind, clean_text, typed

MAX_TABLE_ROWS = 20_000
MAX_TABLE_COLUMNS = 30
MAX_TABLE_CELL_CHARS = 300
Orientation = Literal["portrait", "landscape"]
Carried = tuple[
    Sequence[Any], Sequence[Any]
]  # below a row: what the next page takes over, what this one hands on

_LAYOUT = """
#let d = json(bytes(sys.inputs.data))
#set text(font: d.fonts, size: d.size * 1pt, lang: "zh", region: "cn")
#set par(leading: 0.5em)
#set page(paper: "a4", flipped: d.flipped, margin: (x: 12mm, top: 14mm, bottom: 16mm))
#set table.cell(breakable: false)
#if d.title != "" [
  #align(center, text(size: 15pt, weight: "bold", d.title))
  #if d.subtitle != "" { align(center, text(size: 9pt, fill: luma(60), d.subtitle)) }
  #v(2pt)
]
#let marked(row) = {
  let texts = if row.strong { row.cells.map(cell => text(weight: "bold", cell)) } else { row.cells }
  ([#metadata(row.carried)<row>#texts.first()], ..texts.slice(1))
}
// What a page takes over from the one before (承前页) and hands on (过次页): no height where there is nothing.
#let over(cells, number) = if cells != none {
  block(width: 100%, inset: (x: 3pt, y: 3.2pt), text(weight: "bold", cells.at(number)))
}
#let taken(number) = context {
  let rows = query(<row>).filter(row => row.location().page() < here().page())
  over(if rows.len() > 0 { rows.last().value.at(0) } else { d.taken }, number)
}
#let handed(number) = context {
  let rows = query(<row>)
  let mine = rows.filter(row => row.location().page() == here().page())
  let is_end = d.last and rows.len() > 0 and mine.len() > 0 and mine.last().location() == rows.last().location()
  if mine.len() > 0 and not is_end { over(mine.last().value.at(1), number) }
}
#let bare(cell) = table.cell(inset: 0pt, cell)
#table(
  columns: d.widths.map(width => width * 1fr),
  align: d.sides.map(side => if side == "r" { right + horizon } else if side == "c" { center + horizon }
    else { left + horizon }),
  stroke: 0.4pt + luma(140),
  inset: (x: 3pt, y: 3.2pt),
  table.header(
    ..d.heads.map(head => table.cell(fill: luma(236), align: center + horizon, text(weight: "bold", head))),
    ..if d.carries { range(d.heads.len()).map(number => bare(taken(number))) },
  ),
  ..d.rows.map(marked).flatten(),
  ..d.totals.map(total => table.cell(fill: luma(246), text(weight: "bold", total))),
  ..if d.carries { (table.footer(..range(d.heads.len()).map(number => bare(handed(number)))),) },
)
#if d.empty { align(center, text(fill: luma(90), "没有符合条件的数据")) }
#if d.signs.len() > 0 {
  v(8pt)
  grid(columns: d.signs.map(_ => 1fr), ..d.signs)
}
"""
_ROW_PAGES = "query(<row>).map(row => row.location().page())"
_FEET = """
#let d = json(bytes(sys.inputs.data))
#set document(title: d.title)
#set text(font: d.fonts, size: 8pt, fill: luma(90), lang: "zh", region: "cn")
#set page(
  paper: "a4", flipped: d.flipped, margin: (x: 12mm, top: 14mm, bottom: 16mm),
  footer: context {
    let is_long = d.foot.clusters().len() > 28
    if is_long { block(below: 3pt, d.foot) }
    grid(
      columns: (1fr, auto, 1fr),
      align(left, if is_long { "" } else { d.foot }),
      [第 #counter(page).display() / #d.pages 页],
      align(right, d.title),
    )
  },
)
#for number in range(d.pages) { if number > 0 { pagebreak() } }
"""
# Typst holds a whole layout in memory (2 GB for 20,000 rows); in slices it takes a quarter of that, and less time.
_SLICE_ROWS = 200

_SIDES: dict[Kind, str] = {
    "money": "r",
    "rate": "r",
    "int": "r",
    "date": "c",
    "datetime": "c",
    "bool": "c",
    "text": "l",
}
_LONG_WORD = re.compile(r"[!-~]{19,}")


def cell_text(value: Any, kind: Kind) -> str:
    """A value as people read it in a printed list: money with separators, dates as 2026-11-23, nothing for None."""
    value = typed(value, kind)
    if value is None:
        return ""
    if isinstance(value, str):
        indent = value[: len(value) - len(value.lstrip("\u3000"))]  # of a row below another one
        flat = indent + " ".join(value.split())
        return flat if len(flat) <= MAX_TABLE_CELL_CHARS else flat[: MAX_TABLE_CELL_CHARS - 1] + "…"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if kind == "money":
        return money.format_money(value)
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def _display_width(text: str) -> int:
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)


def _breakable(text: str) -> str:
    """Let very long words (links, hashes) break inside their cell."""
    return _LONG_WORD.sub(lambda word: "\u200b".join(re.findall(".{1,12}", word.group())), text)


def _widths(columns: Sequence[ExportColumn], cells: Sequence[Sequence[str]]) -> list[int]:
    """Relative widths of the columns: the widest value, within bounds; numbers and dates must not wrap."""
    widths = []
    for index, column in enumerate(columns):
        longest = max((_display_width(row[index]) for row in cells), default=0)
        head = min(_display_width(column.heading), 12)
        cap = 36 if column.kind == "text" else 22
        widths.append(max(4, head, min(cap, longest)) + 2)
    return widths


@lru_cache(maxsize=1)
def _fonts() -> Any:
    """The fonts of the machine, scanned once per process."""
    import typst

    return typst.Fonts()


def typst_table(  # noqa: PLR0913 - what stands on a printed page
    title: str,
    columns: Sequence[ExportColumn],
    rows: Iterable[Sequence[Any]],
    *,
    orientation: Orientation,
    subtitle: str,
    totals: Sequence[Any] | None,
    foot: str,
    fonts: Sequence[str],
    strong: Collection[int] = (),
    signs: Sequence[str] = (),
    carried: Sequence[Carried] = (),
) -> bytes:
    """Print a list as PDF; see `reports.base.documents.table_pdf`, which knows the fonts."""
    if not 0 < len(columns) <= MAX_TABLE_COLUMNS:
        raise DocumentError(f"PDF 列表应有 1 至 {MAX_TABLE_COLUMNS} 列，请减少显示的列或改用 Excel")
    cells = _collect(columns, rows)
    total_cells = [] if totals is None else _row_texts(columns, totals)
    widths = _widths(columns, [*cells, total_cells] if total_cells else cells)
    page = {"flipped": orientation == "landscape", "fonts": list(fonts) or ["New Computer Modern"]}
    table = {
        **page,
        "size": _font_size(sum(widths), orientation),
        "widths": widths,
        "sides": [_SIDES[column.kind] for column in columns],
        "heads": [clean_text(column.heading) for column in columns],
        "title": clean_text(title),
        "subtitle": clean_text(subtitle),
        "empty": not cells,
        "carries": bool(carried),
        "taken": None,
    }
    over = [[_row_texts(columns, row) for row in pair] for pair in carried]
    marked = [
        {"cells": row, "strong": number in strong, "carried": over[number] if over else None}
        for number, row in enumerate(cells)
    ]
    pages = _pages(table, marked, total_cells, [clean_text(sign) for sign in signs])
    return _with_feet(pages, {**page, "title": clean_text(title), "foot": clean_text(foot)})


def _compiler(source: str, data: dict[str, Any]) -> Any:
    import typst

    return typst.Compiler(
        source.encode(),
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )


def _compile(compiler: Any) -> bytes:
    import typst

    try:
        pdf: bytes = compiler.compile(format="pdf", pdf_tags=False)
    except typst.TypstError as error:
        raise DocumentError("PDF 列表生成失败，请减少列数或改用 Excel 导出") from error
    return pdf


def _pages(
    table: dict[str, Any], cells: list[dict[str, Any]], totals: list[str], signs: list[str]
) -> Any:
    """Lay the rows out slice by slice and return the pages in one writer.

    The last, half-filled page of a slice is laid out again at the head of the next one, so no page ends early.
    """
    import pypdf  # noqa: PLC0415 - loads when first used, like the engines

    writer = pypdf.PdfWriter()
    start = 0
    while True:
        rows = cells[start : start + _SLICE_ROWS]
        last = start + len(rows) >= len(cells)
        data = {
            **table,
            "rows": rows,
            "totals": totals if last else [],
            "signs": signs if last else [],
            "last": last,
        }
        part = pypdf.PdfReader(io.BytesIO(_compile(_compiler(_LAYOUT, data))))
        if last:
            writer.append(part)
            return writer
        # A compiler works once; the layout itself is remembered, so asking again costs little.
        numbers: list[int] = json.loads(_compiler(_LAYOUT, data).eval(_ROW_PAGES))
        kept = sum(number < numbers[-1] for number in numbers)
        writer.append(part, pages=(0, len(part.pages) - 1) if kept else None)
        start += kept or len(rows)
        before = cells[start - 1]["carried"]
        table = {**table, "title": "", "subtitle": "", "taken": before and before[0]}


def _with_feet(writer: Any, feet: dict[str, Any]) -> bytes:
    """Lay the feet with 第 x / y 页 over the pages, whose number is known only now."""
    import pypdf  # noqa: PLC0415 - loads when first used, like the engines

    overlay = pypdf.PdfReader(
        io.BytesIO(_compile(_compiler(_FEET, {**feet, "pages": len(writer.pages)})))
    )
    for page, foot in zip(writer.pages, overlay.pages, strict=True):
        page.merge_page(foot)
        page.compress_content_streams()
    writer.compress_identical_objects()
    writer.add_metadata({"/Title": feet["title"]})
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def _row_texts(columns: Sequence[ExportColumn], row: Sequence[Any]) -> list[str]:
    """The texts of a row; a label such as 合计 may stand in a column of any kind."""
    return [cell_text(value, column.kind) for value, column in zip(row, columns, strict=True)]


def _collect(columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]]) -> list[list[str]]:
    cells: list[list[str]] = []
    for row in rows:
        if len(cells) == MAX_TABLE_ROWS:
            raise DocumentError(
                f"PDF 一次最多输出 {MAX_TABLE_ROWS:,} 行，请缩小筛选范围或改用 Excel 导出"
            )
        cells.append([_breakable(text) for text in _row_texts(columns, row)])
    return cells


def _font_size(total_width: int, orientation: Orientation) -> float:
    """Size in points at which the columns fit the paper side by side, between 6 and 9."""
    usable = 273 if orientation == "landscape" else 186
    # A half-width character takes about half its size: 0.5 em = 0.176 mm per point.
    return round(min(9.0, max(6.0, usable / (total_width * 0.176))), 1)
