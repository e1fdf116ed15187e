"""The table of a file: where its head is, how its columns are read, and its rows one after another (X3)."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError
from models.system.setup import SheetMapping
from reports.base.import_template import CHOICES, EXPLAINED
from workflows.base.context import Ctx
from workflows.base.sheet_cells import name_of, plain
from workflows.base.sheets import Kind, Mapped, Table, find_tables, too_many
from workflows.base.workbook import Cell, read_sheets
from workflows.system.import_cells import Word, shown
from workflows.system.import_columns import ImportColumn

PROBLEMS: Final = (
    "错误说明"  # the column that we write beside wrong rows: no answer to it is expected
)
_WORDS: Final = "words."
_HEADS: Final = 200  # a head stands in one of the first rows
_UNPACKED: Final = 256 * 1024 * 1024
Cells = Mapping[str, Cell]


@dataclass(frozen=True)
class Opened:
    """A file that can be read: its columns in their order, the units of amounts, and what is to be said about it."""

    columns: tuple[ImportColumn, ...]
    heads: tuple[str, ...]
    units: dict[str, Decimal]
    notices: tuple[str, ...]
    number: int  # of rows at most: empty ones are counted
    rows: Callable[[], Iterator[tuple[int, Cells]]]


def open_file(
    kind: Kind,
    columns: Sequence[ImportColumn],
    file: tuple[str, bytes],
    *,
    mapped: Sequence[Mapped],
    examples: Mapping[str, str],
    max_rows: int,
) -> Opened | None:
    """Read a file (name, bytes); None where its head is not found. Raises WorkbookError, BusinessError."""
    name, data = file
    sheets = [
        sheet
        for sheet in read_sheets(
            data, name, max_rows=max_rows + _HEADS, max_unpacked=_UNPACKED, first_rows=_HEADS
        )
        if sheet.name not in (EXPLAINED, CHOICES)
    ]
    tables = find_tables(kind, sheets, mapped)
    if not tables:
        return None
    if len(tables) > 1:
        raise BusinessError(too_many(tables))
    table = tables[0]
    if table.doubled:
        raise BusinessError(f"列“{'、'.join(table.doubled)}”出现了两次，请删去一列或改名后再上传")
    here = (column for column in columns if column.key in table.columns)
    found = tuple(sorted(here, key=lambda column: table.columns[column.key]))
    number = table.sheet.height - table.first_row
    if number > max_rows:
        raise BusinessError(f"文件有 {number:,} 行，一次最多导入 {max_rows:,} 行，请拆分后再上传")

    def rows() -> Iterator[tuple[int, Cells]]:
        return (row for row in _rows(table) if not _is_example(row[1], examples))

    if next(rows(), None) is None:
        raise BusinessError("表头下面没有数据")
    heads = tuple(_head(table, column.key) for column in found)
    units = {column.key: table.unit_of(column.key) for column in found}
    return Opened(found, heads, units, tuple(_notices(table, columns, found)), number, rows)


def chunks(rows: Iterator[tuple[int, Cells]], size: int) -> Iterator[list[tuple[int, Cells]]]:
    """The rows, so many at a time."""
    return iter(lambda: list(islice(rows, size)), [])


def _rows(table: Table) -> Iterator[tuple[int, Cells]]:
    """The rows below the head that hold anything; a head that is repeated is none."""
    first = min(table.columns, key=lambda key: table.columns[key])
    stream = table.sheet.stream
    assert stream is not None, "all rows but the first are streamed"
    below = islice(stream(), table.first_row, None)
    for row_no, row in enumerate(below, table.first_row + 1):
        if all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row):
            continue
        top = table.columns[first]
        if top < len(row) and name_of(row[top]) == table.names[first] and table.is_head_again(row):
            continue
        width = len(row)
        yield row_no, {key: row[at] for key, at in table.columns.items() if at < width}


def _is_example(cells: Cells, examples: Mapping[str, str]) -> bool:
    """Whether a row is the one that our own template gives as an example."""
    told = {key: shown(cell) for key, cell in cells.items() if shown(cell)}
    return len(told) > 1 and all(examples.get(key) == text for key, text in told.items())


def _head(table: Table, key: str) -> str:
    """A column's head as the file writes it, with its unit."""
    rows = table.sheet.rows[table.header_row : table.first_row]
    texts = [plain(row[table.columns[key]]) for row in rows]
    return next((text for text in reversed(texts) if text), table.names[key])


def _notices(
    table: Table, columns: Sequence[ImportColumn], found: Sequence[ImportColumn]
) -> Iterator[str]:
    yield from table.notices(harmless=(PROBLEMS,))
    missing = [c.label for c in columns if c.is_required and not c.part and c not in found]
    if missing:
        yield f"文件中没有必填列：{'、'.join(missing)}，只能更新已有的记录"
    below = [m for m in table.sheet.merges if m[1][0] >= table.first_row]
    if below:
        yield f"有 {len(below)} 处合并的单元格，只有左上角的内容被读取"


# ------------------------------------------------------------------------------------------- what somebody said before
def shape_of(heads: Sequence[str]) -> str:
    """A digest of the heads of a file: files of the same shape are read alike."""
    return hashlib.sha256("\n".join(sorted(heads)).encode()).hexdigest()[:16]


def own_source(ctx: Ctx, heads: Sequence[str]) -> str:
    """Under what a person's way of reading files of this shape is kept."""
    return f"{ctx.actor.employee_id}:{shape_of(heads)}"


def mapped_by(session: Session, kind: Kind, employee_id: int) -> list[Mapped]:
    """How this person has had files of this kind read, the newest first."""
    query = select(SheetMapping).where(
        SheetMapping.kind == kind.key, SheetMapping.source.startswith(f"{employee_id}:")
    )
    rows = session.scalars(query.order_by(SheetMapping.id.desc()))
    return [Mapped("上次", row.columns) for row in rows]


def words_of(session: Session, employee_id: int) -> dict[Word, str]:
    """What this person has said that words mean which no dictionary knows."""
    query = select(SheetMapping).where(
        SheetMapping.kind.startswith(_WORDS, autoescape=True),
        SheetMapping.source == str(employee_id),
    )
    return {
        (row.kind.removeprefix(_WORDS), word): code
        for row in session.scalars(query)
        for word, code in row.columns.items()
    }


def keep_words(ctx: Ctx, dictionary: str, words: Mapping[str, str]) -> None:
    """Remember what words mean, for this person."""
    kind, source = f"{_WORDS}{dictionary}"[:40], str(ctx.actor.employee_id)
    query = select(SheetMapping).where(SheetMapping.kind == kind, SheetMapping.source == source)
    row = ctx.session.scalars(query).one_or_none()
    if row is None:
        ctx.session.add(SheetMapping(kind=kind, source=source, columns=dict(words)))
    else:
        row.columns = {**row.columns, **words}
    ctx.session.flush()
