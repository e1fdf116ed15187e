"""Columns of clerks' files mapped by hand, and remembered for the source that writes them so."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import FieldErrors
from models.system.setup import SheetMapping
from workflows.base.context import Ctx
from workflows.base.sheet_cells import is_date, is_money, name_of, plain
from workflows.base.sheets import (
    IGNORED,
    Kind,
    Mapped,
    find_tables,
    match,
    merged_names,
    only_sides,
)
from workflows.base.workbook import Cell, Sheet, read_sheets

_HEADS = 40  # a head stands near the top
_SAMPLES = 3
_SOURCE_MAX = 60
_MOST = 200_000  # rows of a file whose columns are asked for; what may be taken of it is asked elsewhere


@dataclass(frozen=True, slots=True)
class Guess:
    """Where the head of a file seems to be, its columns with a few of their cells, and what they seem to hold."""

    sheet: str
    row_no: int
    heads: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]
    keys: tuple[str, ...]


def remembered(session: Session, kind: Kind) -> list[Mapped]:
    """What was mapped for this kind of table, the newest first."""
    rows = session.scalars(
        select(SheetMapping).where(SheetMapping.kind == kind.key).order_by(SheetMapping.id.desc())
    )
    return [Mapped(row.source, row.columns) for row in rows]


def is_unknown(kind: Kind, data: bytes, filename: str, session: Session) -> bool:
    """Whether a file can be opened and no table of this kind is found in it. Raises WorkbookError."""
    return not find_tables(kind, read_sheets(data, filename), remembered(session, kind))


def guess(
    kind: Kind,
    data: bytes,
    filename: str,
    session: Session,
    mapped: Sequence[Mapped] | None = None,
) -> Guess | None:
    """Where the head of a file seems to be; None where nothing looks like one. Raises WorkbookError.

    `mapped` are mappings to go by in place of all that is remembered.
    """
    sheets = [sheet for sheet in read_sheets(data, filename, max_rows=_MOST) if sheet.visible]
    known = remembered(session, kind) if mapped is None else mapped
    for table in find_tables(kind, sheets, known):
        return _guess(
            kind, table.sheet, table.header_row, {at: key for key, at in table.columns.items()}
        )
    rows = [(sheet, at) for sheet in sheets for at in range(min(len(sheet.rows), _HEADS))]
    best = max(rows, key=lambda place: (_looks_like_head(kind, *place), -place[1]), default=None)
    if best is None or _looks_like_head(kind, *best) < 2:
        return None
    return _guess(kind, *best, {})


def remember(
    ctx: Ctx,
    kind: Kind,
    data: bytes,
    filename: str,
    *,
    source: str,
    keys: Sequence[str],
    mapped: Sequence[Mapped] | None = None,
) -> Mapped:
    """Keep how the columns of a file are to be read, in their order; the source's earlier mapping is replaced.

    `mapped` are mappings to go by in place of all that is remembered. Raises FieldErrors by the number of the column
    (c0, c1 ...) and for a mapping that makes no table.
    """
    found = guess(kind, data, filename, ctx.session, mapped)
    source = source.strip()
    if found is None or len(keys) != len(found.heads):
        raise FieldErrors({"": ["文件中没有找到可以对应的表头"]})
    _check(kind, found, source, keys)
    columns = {head: key for head, key in zip(found.heads, keys, strict=True) if key}
    known = {name: field.key for field in kind.fields for name in field.names}
    columns |= {
        head: IGNORED
        for head, key in zip(found.heads, keys, strict=True)
        if not key and head in known
    }
    made = Mapped(source, columns)
    if not find_tables(kind, read_sheets(data, filename, max_rows=_MOST), [made]):
        raise FieldErrors({"": [f"按这样的对应仍找不到{kind.label}，请核对"]})
    query = select(SheetMapping).where(SheetMapping.kind == kind.key, SheetMapping.source == source)
    row = ctx.session.scalars(query).one_or_none()
    if row is None:
        ctx.session.add(SheetMapping(kind=kind.key, source=source, columns=columns))
    else:
        row.columns = columns
    ctx.session.flush()
    return made


def _check(kind: Kind, found: Guess, source: str, keys: Sequence[str]) -> None:
    wrong: dict[str, list[str]] = {}
    if not 0 < len(source) <= _SOURCE_MAX:
        wrong["source"] = [f"请填写来源（银行或财务软件），不超过 {_SOURCE_MAX} 字"]
    titles = {field.key: field.title for field in kind.fields}
    uses, names = Counter(key for key in keys if key), Counter(found.heads)
    for at, (head, key) in enumerate(zip(found.heads, keys, strict=True)):
        if key and key not in titles:
            wrong[f"c{at}"] = ["请从列表中选择"]
        elif key and not head:
            wrong[f"c{at}"] = ["这一列没有列名，请先在文件中写上"]
        elif key and names[head] > 1:
            wrong[f"c{at}"] = [f"文件中有两列“{head}”，请先改名"]
        elif key and uses[key] > 1:
            wrong[f"c{at}"] = [f"“{titles[key]}”对应了两列"]
    if not wrong and not kind.fits(uses):
        ways = "；或".join(
            "、".join(titles[key] for key in titles if key in need) for need in kind.needs
        )
        wrong[""] = [f"{kind.label}须有：{ways}"]
    if wrong:
        raise FieldErrors(wrong)


def _looks_like_head(kind: Kind, sheet: Sheet, at: int) -> int:
    """How many names a row holds; those that are known count more, and figures below it tell that it is a head."""
    row = sheet.rows[at]
    words = [
        name_of(cell)
        for cell in row
        if isinstance(cell, str) and not is_money(cell) and not is_date(cell)
    ]
    if len([cell for cell in row if cell is not None]) > len(words):
        return 0
    below = sheet.rows[at + 1 : at + 3]
    figures = not kind.has_figures or any(is_money(cell) for each in below for cell in each)
    return (
        (len(words) + 3 * len(match(kind, [[word] for word in words])))
        if figures and len(words) > 1
        else 0
    )


def _guess(kind: Kind, sheet: Sheet, at: int, used: Mapping[int, str]) -> Guess:
    upper, below = sheet.rows[at], sheet.rows[at + 1] if at + 1 < len(sheet.rows) else []
    names = [[name_of(cell)] for cell in upper]
    first = at + 1
    if only_sides([name_of(cell) for cell in below]):
        names = merged_names([name_of(cell) for cell in upper], [name_of(cell) for cell in below])
        first = at + 2
    by_name = {places[0][1]: key for key, places in match(kind, names).items()}
    keys = [(used or by_name).get(column, "") for column in range(len(names))]
    samples = [_samples(sheet.rows[first:], column) for column in range(len(names))]
    return Guess(
        sheet.name, at + 1, tuple(n[0] if n else "" for n in names), tuple(samples), tuple(keys)
    )


def _samples(rows: Sequence[Sequence[Cell]], column: int) -> tuple[str, ...]:
    texts = (plain(row[column]) for row in rows)
    return tuple([text[:20] for text in texts if text][:_SAMPLES])
