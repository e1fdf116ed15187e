"""A report says what it asks, what it shows, what of it adds up and where each figure leads; one screen serves all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from models.base.kinds import Kind, MenuGroup, Module
from models.base.money import round_to
from reports.base.asked import Asked, report_url
from reports.base.export import ExportColumn
from reports.base.export import Kind as ValueKind
from reports.base.params import Compare, Param

Value = Any  # of a cell: an amount, a number, a text, a day, a set of those that are counted
Values = Mapping[str, Value]
_FIGURES = ("money", "rate", "int")
_OF_TABLES = ("list", "show", "export")
_HUNDRED = Decimal(100)


class Measure(Kind):
    """How a figure adds up."""

    ADDITIVE = "可加"  # what has moved: summed over everything
    BALANCE = "余额"  # how things stand: summed over whose they are, never over time
    RATIO = "比率"  # of its parts; in a total, of the totals of its parts
    DISTINCT = "去重计数"  # how many different ones: a set in each line, their union in a total
    STATED = "单列"  # adds up with nothing: a limit, a line number, amounts that overlap


@dataclass(frozen=True)
class ReportColumn(ExportColumn):
    """A column; a figure says how it adds up. `part` and `whole` are the columns of a ratio (no whole: the total).

    A long one may wrap; one that is a tree is indented by the level of its line in files as well.
    """

    measure: Measure | None = None
    part: str = ""
    whole: str = ""
    is_long: bool = False
    is_tree: bool = False

    def __post_init__(self) -> None:
        """A figure that does not say how it adds up would be summed by somebody sooner or later."""
        if (self.kind in _FIGURES) != (self.measure is not None):
            raise ValueError(f"column {self.key}: a figure, and no other, says how it adds up")


def words(
    key: str,
    label: str,
    *,
    kind: ValueKind = "text",
    is_long: bool = False,
    is_tree: bool = False,
) -> ReportColumn:
    """A text, a date or a tick."""
    return ReportColumn(key, label, kind, is_long=is_long, is_tree=is_tree)


def additive(key: str, label: str, unit: str = "元", *, kind: ValueKind = "money") -> ReportColumn:
    """What has moved: amounts of a period."""
    return ReportColumn(key, label, kind, unit, Measure.ADDITIVE)


def count(key: str, label: str, unit: str = "笔") -> ReportColumn:
    """How many; each is in one line alone."""
    return ReportColumn(key, label, "int", unit, Measure.ADDITIVE)


def balance(key: str, label: str, unit: str = "元", *, kind: ValueKind = "money") -> ReportColumn:
    """How things stand on a day."""
    return ReportColumn(key, label, kind, unit, Measure.BALANCE)


def ratio(key: str, label: str, part: str, whole: str = "", unit: str = "%") -> ReportColumn:
    """`part` in % of `whole`, both columns; without a whole in % of the total of `part`."""
    return ReportColumn(key, label, "rate", unit, Measure.RATIO, part, whole)


def average(key: str, label: str, part: str, whole: str, unit: str = "元") -> ReportColumn:
    """`part` for each of `whole`, both columns."""
    return ReportColumn(key, label, "money", unit, Measure.RATIO, part, whole)


def distinct(key: str, label: str, unit: str = "户") -> ReportColumn:
    """How many different ones: each line gives the set of them, or the report states the total."""
    return ReportColumn(key, label, "int", unit, Measure.DISTINCT)


def stated(key: str, label: str, kind: ValueKind = "money", unit: str = "元") -> ReportColumn:
    """A figure that adds up with nothing."""
    return ReportColumn(key, label, kind, unit, Measure.STATED)


@dataclass(frozen=True)
class Line:
    """One row: values by column, the address of what it stands for, and of single figures (`urls`).

    Lines that do not count are shown and added to nothing (a part of a line above, 本月合计); one that is brought
    forward stands at the head of a page for what went before. `tone` is '', total, head, warn or bad, `tones` those of
    single cells, `main` the cell that opens the address, `key` what it is known by in a comparison (its first value).
    `carried` are the figures of a ledger as they stand after it: on paper a page that ends here hands them on.
    """

    values: Values
    url: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    level: int = 0
    tone: str = ""
    tones: Mapping[str, str] = field(default_factory=dict)
    main: int = 0
    counts: bool = True
    is_brought: bool = False
    key: str = ""
    carried: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """A word on the whole report (借贷平衡, 2 项超限): tone is ok, warn, bad or draft."""

    text: str
    tone: str
    title: str = ""


@dataclass
class Found:
    """What a report answers; all but the lines has a good default.

    `totals` are those that the lines do not give (of a range of which a page is shown), `appendix` lines that files
    carry below the totals, `count` how many rows there are where the report is paged, `source` what parts of the page
    that the screen adds are made of. Nothing is asked yet where `is_asked` is false: no file is made of it.
    """

    lines: Sequence[Line]
    totals: Values = field(default_factory=dict)
    title: str = ""
    heading: str = ""
    span: str = ""
    note: str = ""
    marks: Sequence[Mark] = ()
    foot: str = ""
    foot_link: tuple[str, str] = ("", "")
    empty: str = ""
    appendix: Sequence[Line] = ()
    count: int | None = None
    is_asked: bool = True
    crumbs: Sequence[tuple[str, str]] = ()
    columns: Sequence[ReportColumn] = ()
    source: Any = None


@dataclass(frozen=True)
class Chart:
    """A bar for each of the first names: the column that holds them, and the figure; lines of one name are one bar."""

    label: str
    value: str
    limit: int = 12


@dataclass(frozen=True)
class Report:
    """A report, in one place; `register` gives it screen, menu entry, permission, files and tests.

    `permission` is (verb, table): one that the table has, or one of the report's own, which the built-in roles of
    `given_to` hold. A rank of None keeps it out of the menu. `group_by` is the column
    whose equal values stand together with a subtotal, `over_time` says that lines follow each other in time, `compared`
    the columns that may be set beside the period before and the year before, `page_size` that it is long and told by
    pages, `about` the parameter that stands in the address itself.
    """

    code: str
    label: str
    module: Module
    permission: tuple[str, str]
    columns: Sequence[ReportColumn]
    lines: Callable[[Asked], Found]
    params: Mapping[str, Param] = field(default_factory=dict)
    given_to: tuple[str, ...] = ()
    menu: MenuGroup | None = None
    rank: int | None = 100
    help: str = ""
    empty: str = "所选条件下没有数据"
    has_totals: bool = True
    total_label: str = "合计"
    total_at: str = ""
    group_by: str = ""
    has_subtotals: bool = True
    over_time: bool = False
    compared: tuple[str, ...] = ()
    chart: Chart | None = None
    page_size: int = 0
    about: str = ""
    orientation: Literal["portrait", "landscape"] = "landscape"
    is_statement: bool = False  # headed on the screen as on paper: whose it is, of when, its unit

    def __post_init__(self) -> None:
        """Names of columns and parameters are checked when the module loads, not when somebody opens the report."""
        keys = {column.key for column in self.columns}
        named = {self.group_by, self.total_at, *self.compared, ""}
        named |= {c.part for c in self.columns} | {c.whole for c in self.columns}
        named |= {self.chart.label, self.chart.value} if self.chart else set()
        if missing := named - keys - {""}:
            raise ValueError(f"report {self.code}: no column {sorted(missing)}")
        params = {param.not_after for param in self.params.values()} | {self.about}
        if params - {""} - self.params.keys():
            raise ValueError(f"report {self.code}: no parameter {sorted(params)}")
        for name, param in self.params.items():
            param.column.column.name = name

    @property
    def has_own_right(self) -> bool:
        """Whether its permission is no table's but its own."""
        return self.permission[0] not in _OF_TABLES

    @property
    def url(self) -> str:
        """Where it stands; of one record, its key follows."""
        return f"/report/{self.code}"

    @property
    def has_choice(self) -> bool:
        """Whether there are parameters to choose and to keep."""
        return bool(self.params) and not self.about

    @property
    def in_menu(self) -> bool:
        """Whether it is opened from the menu, not from a figure of another one."""
        return self.rank is not None and not self.about


REPORTS: dict[str, Report] = {}


def register(report: Report) -> Report:
    """Put a report into the menu, among the permissions and onto the one screen."""
    if REPORTS.setdefault(report.code, report) is not report:
        raise ValueError(f"two reports named {report.code}")
    return report


def drill(asked: Asked, code: str, key: Value = "", **params: Value) -> str:
    """The address of another report with its parameters; empty for who may not open it.

    Raises ValueError for a parameter that it does not have, which its screen would leave out without a word.
    """
    known = REPORTS[code]
    if missing := params.keys() - known.params.keys():
        raise ValueError(f"report {code}: no parameter {sorted(missing)}")
    return report_url(code, key, **params) if asked.actor.may(*known.permission) else ""


@dataclass(frozen=True)
class Table:
    """A report ready to be shown: ratios worked out, subtotals between the lines, totals by column (or none)."""

    columns: Sequence[ReportColumn]
    lines: Sequence[Line]
    totals: Values | None


def table(report: Report, found: Found) -> Table:
    """Lines and totals of what was found, each figure added up as its measure allows."""
    shown = _worked_out(report, found)
    lines = _in_groups(report, shown, [(line, None) for line in shown.lines])
    return Table(shown.columns, lines, shown.totals if report.has_totals else None)


def _worked_out(report: Report, found: Found) -> Table:
    """Totals and ratios, and nothing between the lines yet."""
    columns = found.columns or report.columns
    sums = {**totals(columns, found.lines, over_time=report.over_time), **found.totals}
    lines = [replace(line, values=_with_ratios(columns, line.values, sums)) for line in found.lines]
    return Table(columns, lines, sums)


def totals(
    columns: Iterable[ReportColumn], lines: Iterable[Line], *, over_time: bool = False
) -> dict[str, Value]:
    """The totals of lines by column: what does not add up has none."""
    columns, counting = tuple(columns), [line.values for line in lines if line.counts]
    found: dict[str, Value] = {}
    for column in columns:
        given = [v for values in counting if (v := values.get(column.key)) is not None]
        if column.measure is Measure.ADDITIVE:
            found[column.key] = _sum(column, given)
        elif column.measure is Measure.BALANCE:
            found[column.key] = (given[-1] if given else None) if over_time else _sum(column, given)
        elif column.measure is Measure.DISTINCT and all(isinstance(v, frozenset) for v in given):
            found[column.key] = frozenset[Any]().union(*given)
    return _with_ratios(columns, found, found)


def _sum(column: ReportColumn, given: Sequence[Value]) -> Value:
    return sum(given, 0 if column.kind == "int" else Decimal(0))


def _with_ratios(columns: Iterable[ReportColumn], values: Values, sums: Values) -> dict[str, Value]:
    found = dict(values)
    for column in columns:
        if column.measure is Measure.RATIO:
            whole = found.get(column.whole) if column.whole else sums.get(column.part)
            times = _HUNDRED if column.kind == "rate" else Decimal(1)
            found[column.key] = quotient(found.get(column.part), whole, times)
    return found


def quotient(part: Value, whole: Value, times: Decimal = _HUNDRED) -> Decimal | None:
    """% (or as many `times`) to two places; None where there is nothing to take it of."""
    return None if part is None or not whole else round_to(part * times / whole, 2)


# A line as it is now and as it was: the latter is missing where nothing is compared, either where it was not there.
_Pair = tuple[Line | None, Line | None]


def beside(report: Report, found: Found, earlier: Found | None, by: Compare) -> Table:
    """The table with what each compared column was before (None: the books know nothing of it), and what changed.

    What was there then and is no more stands below the lines of its group, or the totals would be of lines that nobody
    sees.
    """
    shown = _worked_out(report, found)
    before = None if earlier is None else _worked_out(report, earlier)
    known = {_key(before, line): line for line in before.lines} if before else {}
    pairs: list[_Pair] = [(line, known.pop(_key(shown, line), None)) for line in shown.lines]
    pairs += [(None, line) for line in known.values()]
    sums = None
    if shown.totals is not None and report.has_totals:
        sums = _beside(report, shown.totals, before.totals if before else None, before)
    return Table(_compared(report, shown, by), _in_groups(report, shown, pairs, before), sums)


def _compared(report: Report, shown: Table, by: Compare) -> list[ReportColumn]:
    columns: list[ReportColumn] = []
    for column in shown.columns:
        columns.append(column)
        if column.key in report.compared:
            name, kind = f"{column.label}（{by.label}）", column.kind
            columns.append(
                ReportColumn(f"{column.key}_then", name, kind, column.unit, column.measure)
            )
            columns.append(stated(f"{column.key}_change", "增减", kind, column.unit))
    return columns


def _key(shown: Table, line: Line) -> Value:
    return line.key or line.values.get(shown.columns[0].key)


def _gone(report: Report, line: Line) -> Values:
    figures = {column.key for column in report.columns if column.measure}
    return {key: value for key, value in line.values.items() if key not in figures}


def _beside(report: Report, now: Values, then: Values | None, before: Table | None) -> Values:
    found = dict(now)
    for key in report.compared if before is not None else ():
        old = cell((then or {}).get(key)) or 0
        found |= {f"{key}_then": old, f"{key}_change": (cell(now.get(key)) or 0) - old}
    return found


def _in_groups(
    report: Report, shown: Table, pairs: Iterable[_Pair], before: Table | None = None
) -> list[Line]:
    """The lines, and below each group of several what they come to, where there is more than one group."""
    groups: dict[Value, list[_Pair]] = {}
    for pair in pairs:
        line = pair[0] or pair[1]
        name = line.values.get(report.group_by) if line and report.group_by else None
        groups.setdefault(name, []).append(pair)
    found: list[Line] = []
    for name, group in groups.items():
        found += [_merged(report, *pair, before) for pair in group]
        if report.has_subtotals and len(groups) > 1 and len(group) > 1:
            found.append(_subtotal(report, shown, name, group, before))
    return found


def _merged(report: Report, now: Line | None, then: Line | None, before: Table | None) -> Line:
    if now is not None:
        return replace(
            now, values=_beside(report, now.values, then.values if then else None, before)
        )
    gone = then or Line({})
    return replace(gone, values=_beside(report, _gone(report, gone), gone.values, before))


def _subtotal(
    report: Report, shown: Table, name: Value, group: Sequence[_Pair], before: Table | None
) -> Line:
    """What a group comes to now and, of the lines that it had then, came to then."""
    values = _sums_of(report, shown, [now for now, _ in group if now])
    if before is not None:
        then = _sums_of(report, before, [then for _, then in group if then])
        values = _beside(report, values, then, before)
    label = report.total_at or next(c.key for c in shown.columns if c.key != report.group_by)
    named = {**values, report.group_by: name, label: "小计"}
    return Line(named, tone="total", counts=False)


def _sums_of(report: Report, shown: Table, lines: Sequence[Line]) -> Values:
    found = totals(shown.columns, lines, over_time=report.over_time)
    return _with_ratios(shown.columns, found, shown.totals or {})


def by_label(report: Report, shown: Table, label: str) -> dict[str, tuple[Values, Line | None]]:
    """Figures by what a column says, in the order of the lines: of several lines their sums, of one the line itself."""
    groups: dict[str, list[Line]] = {}
    for line in shown.lines:
        if line.counts:
            groups.setdefault(str(line.values[label]), []).append(line)
    return {
        name: (lines[0].values, lines[0])
        if len(lines) == 1
        else (_sums_of(report, shown, lines), None)
        for name, lines in groups.items()
    }


def carried_rows(
    report: Report, shown: Table, labels: tuple[str, str]
) -> list[tuple[list[Value], list[Value]]]:
    """What a printed page takes over and hands on with each line between, under two labels; most reports have none."""
    if not any(line.carried for line in shown.lines):
        return []
    at = report.total_at or shown.columns[0].key
    named = [
        [{**line.carried, at: label if line.carried else None} for label in labels]
        for line in shown.lines
    ]
    return [
        ([taken.get(c.key) for c in shown.columns], [handed.get(c.key) for c in shown.columns])
        for taken, handed in named
    ]


def cell(value: Value) -> Value:
    """A value as files and screens take it: of a set, how many it holds."""
    return len(value) if isinstance(value, frozenset) else value


def file_rows(report: Report, shown: Table, appendix: Iterable[Line] = ()) -> list[list[Value]]:
    """Lines, totals and appendix as rows of the columns."""
    rows = [_file_row(shown, line) for line in shown.lines]
    rows += [total] if (total := total_row(report, shown)) else []
    return rows + [_file_row(shown, line) for line in appendix]


def _file_row(shown: Table, line: Line) -> list[Value]:
    return [
        f"{'　' * line.level}{line.values[c.key]}" if c.is_tree else cell(line.values.get(c.key))
        for c in shown.columns
    ]


def total_row(report: Report, shown: Table) -> list[Value] | None:
    """The totals as a row of the columns."""
    if shown.totals is None:
        return None
    label = report.total_at or shown.columns[0].key
    named = {**shown.totals, label: report.total_label}
    return [cell(named.get(column.key)) for column in shown.columns]
