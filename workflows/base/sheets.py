"""Find the tables in a clerk's workbook, whatever program wrote it.

One core for repayment plans, repayments and opening balances: a head over one or two rows, columns by the names in
use or as somebody has mapped them, every table of every visible sheet, so that none is left unread in silence.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from models.base.money import UNITS
from workflows.base.sheet_cells import (
    UNIT_IN_NAME,
    YUAN,
    Span,
    is_money,
    name_of,
    plain,
    total_span,
    unit_above,
)
from workflows.base.workbook import Cell, Sheet

HEAD_ROWS: Final = 200
IGNORED: Final = ""  # a column that somebody has mapped to nothing
Places = dict[str, list[tuple[int, int]]]

_OTHER_GROUP = re.compile("实还|已还|实际|逾期|罚息|复利")
_OTHER_TABLE = re.compile(
    "^(?:借据[^:]{0,3}|会计期间|期间|月份|借款人[^:]{0,3}|户名|客户名称|账号):"
)
NOTE: Final = re.compile(
    r"备注|说明|注:|注意|提示|温馨提示|本表|\*|※|制表|打印|复核|经办|审核|记账|会计主管|单位负责人|签字|签章|盖章"
    r"|借款人|贷款人|第?[0-9]+页|共[0-9]+[页条笔]|第[0-9]+/[0-9]+页|以下空白|此页以下"
)


@dataclass(frozen=True, slots=True)
class Field:
    """A column that a reader knows; `names` are those in use, the plainer a name the later.

    Cells of one that `spans` may be merged over the rows that they stand for; those of amounts never count twice.
    One that is only checked explains another column and is read as nothing.
    """

    key: str
    names: tuple[str, ...]
    label: str = ""
    spans: bool = False
    is_only_checked: bool = False

    @property
    def title(self) -> str:
        """What people call it."""
        return self.label or self.names[0]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of table: it is one when all columns of any of `needs` are there and none of `without`."""

    key: str
    label: str
    fields: tuple[Field, ...]
    needs: tuple[frozenset[str], ...]
    without: frozenset[str] = frozenset()
    has_figures: bool = (
        True  # rows below the head hold amounts, by which an unknown head is guessed
    )
    only_first_group: bool = False  # under a merged head 实还 the columns of a plan are not read

    def fits(self, found: Iterable[str]) -> bool:
        """Tell whether these columns make a table of this kind."""
        names = set(found)
        return any(need <= names for need in self.needs) and not self.without & names

    def field(self, key: str) -> Field:
        """Give a column by its key."""
        return next(field for field in self.fields if field.key == key)


@dataclass(frozen=True, slots=True)
class Mapped:
    """How the columns of one source are to be read: name in the head -> key of a field, or IGNORED."""

    source: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Where a table stands; rows are counted from 0, `names` and `units` are those of its columns."""

    kind: Kind
    sheet: Sheet
    header_row: int
    first_row: int
    columns: dict[str, int]
    names: dict[str, str]
    units: dict[str, Decimal]
    unit: Decimal = YUAN
    doubled: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    source: str = ""
    unseen: tuple[str, ...] = ()  # hidden sheets that hold such tables

    @property
    def place(self) -> str:
        """Where it stands, as people find it."""
        first, last = min(self.columns.values()), max(self.columns.values())
        return f"“{self.sheet.name}”第 {self.header_row + 1} 行 {letter(first)}—{letter(last)} 列"

    @property
    def above(self) -> list[list[Cell]]:
        """The rows above the head."""
        return self.sheet.rows[: self.header_row]

    def rows(self) -> list[tuple[int, list[Cell]]]:
        """The rows below the head by their number in Excel, a total that stands above its rows after them."""
        found = [(at + 1, self._filled(at)) for at in range(self.first_row, len(self.sheet.rows))]
        first = next(
            (n for n, (_, row) in enumerate(found) if any(cell is not None for cell in row)), 0
        )
        if found and total_span(found[first][1]) is Span.WHOLE and len(found) > first + 1:
            found.append(found.pop(first))
        return found

    def _filled(self, at: int) -> list[Cell]:
        """A row with what is merged over it from above."""
        row = self.sheet.rows[at]
        spans = {
            self.columns[field.key]
            for field in self.kind.fields
            if field.spans and field.key in self.columns
        }
        for (top, left), (bottom, right) in (
            self.sheet.merges if any(cell is not None for cell in row) else ()
        ):
            if left == right in spans and self.first_row <= top < at <= bottom:
                row = [*row[:left], self.sheet.rows[top][left], *row[left + 1 :]]
        return row

    def notices(self, harmless: Iterable[str] = ()) -> list[str]:
        """What of the file was not read, or read although nobody sees it, and by whose columns."""
        unread = [name for name in self.unread() if name not in harmless]
        hidden = [at for at in self.sheet.hidden if self.first_row <= at < len(self.sheet.rows)]
        said = {
            f"未读取的列：{'、'.join(unread)}": unread,
            f"未读取隐藏的工作表：{'、'.join(self.unseen)}": self.unseen,
            f"工作表中隐藏的 {len(hidden)} 行（第 {min(hidden, default=0) + 1} 行起）也已读取": hidden,
            f"按“{self.source}”的列对应读取": self.source,
        }
        return [text for text, holds in said.items() if holds]

    def cell(self, row: Sequence[Cell], key: str) -> Cell:
        """A cell by the key of its column; None where there is no such column."""
        return row[self.columns[key]] if key in self.columns else None

    def unit_of(self, key: str) -> Decimal:
        """What a bare number in this column is worth in 元."""
        return self.units.get(key, self.unit)

    def is_head_again(self, row: Sequence[Cell]) -> bool:
        """Tell whether a row of the head is repeated here, as at the top of a printed page."""
        texts = {at: plain(cell) for at, cell in enumerate(row) if plain(cell)}
        heads = [
            [plain(cell) for cell in head]
            for head in self.sheet.rows[self.header_row : self.first_row]
        ]
        if texts and all(any(head[at] == text for head in heads) for at, text in texts.items()):
            return True
        names = {name_of(cell) for cell in row if cell is not None}
        known = {name for field in self.kind.fields for name in field.names}
        return len(names & known) >= 2 and names <= known | {
            name for head in heads for name in map(name_of, head)
        }

    def is_around(self, row: Sequence[Cell]) -> bool:
        """Tell whether a row is none of the table: a head or a title repeated, a note or a signature."""
        return self.is_page_top(row) or bool(
            NOTE.match(next(plain(cell) for cell in row if plain(cell)))
        )

    def is_page_top(self, row: Sequence[Cell]) -> bool:
        """Tell whether a row is empty or repeats the head or the words above it."""
        filled = {plain(cell) for cell in row if plain(cell)}
        titles = {plain(cell) for above in self.above for cell in above if plain(cell)}
        return filled <= titles or self.is_head_again(row)

    def unread(self) -> tuple[str, ...]:
        """Names of the columns that hold something and are read as nothing."""
        used = {
            self.columns[f.key]
            for f in self.kind.fields
            if f.key in self.columns and not f.is_only_checked
        }
        return tuple(
            head
            for at, head in enumerate(self.heads)
            if head
            and at not in used
            and any(
                at < len(row) and row[at] is not None for row in self.sheet.rows[self.first_row :]
            )
        )


def letter(at: int) -> str:
    """Excel's letters for a column counted from 0."""
    text = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        text = chr(65 + rest) + text
    return text


def find_tables(kind: Kind, sheets: Iterable[Sheet], mapped: Sequence[Mapped] = ()) -> list[Table]:
    """All tables of this kind in the visible sheets, side by side and below each other, in the order of the file."""
    every = list(sheets)
    found = [table for sheet in every if sheet.visible for table in _of_sheet(kind, sheet, mapped)]
    unseen = tuple(
        sheet.name for sheet in every if not sheet.visible and _of_sheet(kind, sheet, mapped)
    )
    return [replace(table, unseen=unseen) for table in found]


def too_many(tables: Sequence[Table]) -> str:
    """What to say where there is more than one table and only one can be meant."""
    label = tables[0].kind.label
    names = list(dict.fromkeys(table.sheet.name for table in tables))
    if len(names) == len(tables):
        return f"工作表 {'、'.join(names)} 中都有{label}，请只保留一张"
    places = "、".join(table.place for table in tables[:4])
    return f"一张工作表上有 {len(tables)} 张{label}（{places}），请分成单独的文件，只保留一张"


def _of_sheet(kind: Kind, sheet: Sheet, mapped: Sequence[Mapped]) -> list[Table]:
    found: list[Table] = []
    at = 0
    while at < (len(sheet.rows) if found else min(len(sheet.rows), HEAD_ROWS)):
        if found and _is_page_head(found[0], at):
            at += 1
            continue
        here = _head_at(kind, sheet, at, mapped)
        found += here
        at = here[0].first_row if here else at + 1
    return found


def _is_page_head(table: Table, at: int) -> bool:
    """Tell whether the head is only repeated by the printing: no other period or loan is named above it."""
    rows = table.sheet.rows
    head = [plain(cell) for cell in rows[table.header_row]]
    if [plain(cell) for cell in rows[at]] != head:
        return False
    titles = {plain(cell) for above in table.above for cell in above if plain(cell)}
    for row in reversed(rows[table.first_row : at]):
        texts = {plain(cell) for cell in row if plain(cell)}
        if texts <= titles or table.is_head_again(row):
            continue
        if total_span(row) or any(is_money(table.cell(row, key)) for key in table.columns):
            return True
        if any(_OTHER_TABLE.search(text) for text in texts - titles):
            return False
    return True


def _head_at(kind: Kind, sheet: Sheet, at: int, mapped: Sequence[Mapped]) -> list[Table]:
    row = sheet.rows[at]
    if sum(cell is not None for cell in row) < 2:
        return []
    below = sheet.rows[at + 1] if at + 1 < len(sheet.rows) else []
    upper, under = [name_of(cell) for cell in row], [name_of(cell) for cell in below]
    single = [[name] for name in upper]
    merged = merged_names(upper, under, strict=kind.only_first_group)
    for each in (*mapped, None):
        if only_sides(under) and set(match(kind, merged, each)) - set(match(kind, single, each)):
            pass  # 期末余额 over 借方 and 贷方 is no column of its own
        elif kind.fits(match(kind, single, each)):
            return _tables(kind, sheet, at, 2 if _only_brackets(below) else 1, single, each)
        lower = [[name] for name in under]
        is_second = bool(match(kind, lower, each)) or only_sides(under)
        if is_second and (each or match(kind, single)) and kind.fits(match(kind, merged, each)):
            return _tables(kind, sheet, at, 2, merged, each)
    return []


def only_sides(under: list[str]) -> bool:
    """Tell whether a row holds nothing but the words under a merged head."""
    words = set(filter(None, under))
    return bool(words) and words <= {
        "借方",
        "贷方",
        "方向",
        "余额",
        "金额",
        "借",
        "贷",
        "借方金额",
        "贷方金额",
    }


def match(kind: Kind, candidates: Sequence[Sequence[str]], mapped: Mapped | None = None) -> Places:
    """For each field the columns that could be it, best name first, as (rank of the name, index)."""
    if mapped and not set(mapped.columns) <= {names[0] for names in candidates if names}:
        return {}
    found: Places = {}
    for at, names in enumerate(candidates):
        if mapped and names and names[0] in mapped.columns:
            if key := mapped.columns[names[0]]:
                found.setdefault(key, []).append((-1, at))
            continue
        for field in kind.fields:
            ranks = [field.names.index(name) for name in names if name in field.names]
            if ranks:
                found.setdefault(field.key, []).append((min(ranks), at))
                break
    return {key: sorted(places) for key, places in found.items()}


def merged_names(upper: list[str], below: list[str], *, strict: bool = False) -> list[list[str]]:
    """Names of a two-row head; a merged cell keeps its text in its first column alone."""
    names: list[list[str]] = []
    group = ""
    for over, under in zip(upper, below, strict=False):
        group = over or (group if under else "")
        if strict and _OTHER_GROUP.search(group):
            names.append([])
        else:
            names.append([group + under, under] if under else [over])
    return names


def _only_brackets(row: list[Cell]) -> bool:
    """Tell whether the row under a head only adds units: 本金 over (元)."""
    texts = [plain(cell) for cell in row if cell is not None]
    return bool(texts) and all(re.fullmatch(r"\([^()]*\)", text) for text in texts)


def _halves(names: Sequence[Sequence[str]], middle: int) -> list[list[Sequence[str]]]:
    """The names left and right of a column, each at its place."""
    return [
        [name if (at < middle) is is_left else [] for at, name in enumerate(names)]
        for is_left in (True, False)
    ]


def _tables(
    kind: Kind,
    sheet: Sheet,
    at: int,
    rows: int,
    names: Sequence[Sequence[str]],
    mapped: Mapped | None,
) -> list[Table]:
    """The table with this head; two where the names that make one stand there twice, side by side."""
    found = match(kind, names, mapped)
    twice = {
        key: places[1][1]
        for key, places in found.items()
        if len(places) > 1 and places[0][0] == places[1][0]
    }
    if len(twice) > 1:
        halves = _halves(names, min(twice.values()))
        if all(kind.fits(match(kind, half)) for half in halves):
            return [
                table for half in halves for table in _tables(kind, sheet, at, rows, half, None)
            ]
    header = sheet.rows[at : at + rows]
    columns = {key: places[0][1] for key, places in found.items()}
    texts = {key: "".join(plain(row[column]) for row in header) for key, column in columns.items()}
    stated = {
        key: UNITS[unit[1]] for key, text in texts.items() if (unit := UNIT_IN_NAME.search(text))
    }
    shown = {
        key: next((name for row in reversed(header) if (name := name_of(row[column]))), texts[key])
        for key, column in columns.items()
    }
    doubled = tuple(shown[key] for key in twice)
    heads = tuple(each[0] if each else "" for each in names)
    return [
        Table(
            kind,
            sheet,
            at,
            first_row=at + rows,
            columns=columns,
            names=shown,
            units=stated,
            unit=unit_above(sheet.rows[:at]),
            doubled=doubled,
            heads=heads,
            source=mapped.source if mapped else "",
        )
    ]
