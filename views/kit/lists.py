"""A generated list: what the address asks for, read once; then the rows, the sums and the page around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, false, func, select
from werkzeug.datastructures import MultiDict

from models.base.entity import Entity
from models.base.errors import BusinessError
from models.base.fields import FieldFacts
from models.base.money import format_money
from reports.base import search
from reports.base.scope import condition, scoped, scoped_by_join
from views.kit.cells import NUMBERS, Cells, record_url
from views.kit.filters import Filter
from views.kit.interface import narrow, shape, sorting
from views.kit.pages import Chip, Column, LaterSums, Paging, Row
from workflows.base.context import Ctx

SIZES = (10, 20, 50, 100, 200)
MAX_SIZE = 200
MAX_TEXT = 100
MAX_COLUMNS = 40
UNSORTED = ("json", "long_text", "reference")
KNOWN_ARGS = ("f", "q", "order", "cols", "size", "page", "view", "rule", "group", "v")
NO_VIEW = "0"  # as `v` of an address: the list itself, whatever view it opens with
ZERO = Decimal(0)
LONG = 5_000  # rows whose sums come with the page; those of more are asked for when the page stands
MANY = 10_000  # rows that a page counts; of more it says so, and the exact number is asked for like the sums
WITH_SUMS = (
    "sums"  # asks for count and sums with the page, however long the list: the way without scripts
)


@dataclass(frozen=True)
class Grouping:
    """What a list is grouped by: a field, or the month of one that holds a day."""

    key: str
    facts: FieldFacts
    is_month: bool = False


@dataclass
class ListQuery:
    """What the address of a list asks for, with everything that made no sense taken out and named in `problems`."""

    ctx: Ctx
    model: type[Entity]
    cells: Cells
    args: "MultiDict[str, str]"
    path: str
    names: list[str] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    text: str = ""
    rule: Filter | None = None
    group: Grouping | None = None
    order: str = ""
    size: int = 20
    page: int = 1
    problems: list[str] = field(default_factory=list)
    # those of filters: without them there are more rows than asked for
    unread: list[str] = field(default_factory=list)
    fixed: list[ColumnElement[bool]] = field(default_factory=list)
    of_all: Sequence[Any] = ()  # sums that came with the total
    is_cut: bool = False  # the count ended at MANY: there are more rows than it says
    is_followed: bool = False  # there are rows behind those of the page

    # ---------------------------------------------------------------------------------------------------- reading
    def require_understood(self) -> None:
        """Raise BusinessError where a filter made no sense: a file, or an act on all rows, must not take more."""
        if self.unread:
            raise BusinessError(
                f"{'；'.join(self.unread)}；没有按全部记录办理，请改正筛选条件后再试"
            )

    def where(self) -> list[ColumnElement[bool]]:
        """Conditions of the filters and of the search box; without one that made no sense no row is shown."""
        if self.unread:
            return [false()]
        found = [*self.fixed, *(f.condition for f in self.filters)]
        if self.rule is not None:
            found.append(self.rule.condition)
        if self.text:
            found.append(search.condition(self.model, self.text, self.ctx.session))
        return found

    def select(self, *entities: Any, as_set: bool = False) -> Select[Any]:
        """A query of these columns over the filtered rows that the actor may read; `as_set` where it reads them all."""
        return scoped(
            select(*entities).where(*self.where()), self.model, self.ctx.actor, as_set=as_set
        )

    def ordered(self, query: Select[Any]) -> Select[Any]:
        """Sorted as asked, ties broken by the primary key, so that paging never shows a row twice."""
        last = "-id" if self.order.startswith("-") else "id"
        return query.order_by(*sorting(self.model, self.order, after=[last]))

    def total(self) -> int:
        """Number of filtered rows; counted without naming a column, which SQLite answers from the table's own count."""
        query = self.select(func.count(), as_set=True).select_from(self.model)
        # every row: an inherited model needs no look at the table above its own
        if query.whereclause is None:
            query = select(func.count()).select_from(self.model.__table__)
        return int(self.ctx.session.scalar(query) or 0)

    def counted(self) -> int:
        """Number of filtered rows as far as a page waits for it: beyond MANY it ends, unless the address asks for all.

        One look at what a limited reader sees answers `sums` too, where the list is sure to be short.
        """
        session, is_limited = self.ctx.session, condition(self.model, self.ctx.actor) is not None
        if self.summed() and is_limited and self._is_small():
            found, *self.of_all = session.execute(self._count_and_sums()).one()
            return int(found)
        if WITH_SUMS in self.args:
            return self.total()
        some = (
            session.scalar(select(func.count()).select_from(self._first(MANY + 1).subquery())) or 0
        )
        self.is_cut = some > MANY
        return min(some, MANY)

    def count_words(self) -> str:
        """How many rows there are, in figures, and by one question: "10,000+" where counting ended."""
        first = self._first(MANY + 1).subquery()
        some = int(self.ctx.session.scalar(select(func.count()).select_from(first)) or 0)
        return f"{MANY:,}+" if some > MANY else f"{some:,}"

    def _first(self, most: int) -> Select[Any]:
        """Keys of any rows of the list, at most so many; conditions of its own are left to the indexes they have."""
        if condition(self.model, self.ctx.actor) is None and not self.where():
            return select(self.model.__table__.c.id).limit(most)
        # fewer rows than records that they may hang on
        if self.model.spec.scope.hangs_on and self._is_small():
            return self.select(self.model.id).limit(most)
        if self.where():
            return self.select(self.model.id, as_set=True).limit(most)
        return scoped_by_join(select(self.model.id), self.model, self.ctx.actor).limit(most)

    def page_of(self) -> tuple[int, Sequence[Entity]]:
        """How many rows there are, and those of the page; a page beyond the last shows the last, and says so."""
        total = self.counted()
        # whether there is such a page its rows tell
        if self.is_cut and self.page * self.size > total:
            if (rows := self.records()) and self.is_followed:
                return total, rows
            self.is_cut, total = (
                False,
                (self.page - 1) * self.size + len(rows) if rows else self.total(),
            )
            if rows:
                return total, rows
        pages = max(-(-total // self.size), 1)
        if self.page > pages:
            self.problems.append(f"共 {pages} 页，已显示最后一页")
            self.page = pages
        return total, self.records()

    def records(self) -> Sequence[Entity]:
        """The rows of the page: first their ids (an index does it), then only the shown columns of those."""
        offset = (self.page - 1) * self.size
        wanted = self.ordered(self.select(self.model.id)).offset(offset).limit(self.size + 1)
        *ids, more = [*self.ctx.session.scalars(wanted), None][: self.size + 1]
        self.is_followed = more is not None
        query = (
            select(self.model).where(self.model.id.in_(ids)).options(narrow(self.model, self.names))
        )
        found = {record.id: record for record in self.ctx.session.scalars(query)}
        records = [found[i] for i in ids if i in found]
        self.cells.prepare(records, self.names)
        return records

    def chunks(self, size: int = 1000) -> Iterator[Sequence[Any]]:
        """All filtered rows in order, as tuples of the shown columns' values, in constant memory."""
        known = shape(self.model)
        keys = [known.key(name) for name in self.names]
        columns = [known.fields[key].read(self.model) for key in keys if key]
        query = self.ordered(self.select(self.model.id, *columns, as_set=True)).execution_options(
            yield_per=size
        )
        yield from self.ctx.session.execute(query).partitions(size)

    # ---------------------------------------------------------------------------------------------------- addresses
    def url(self, **changes: Any) -> str:
        """This list's address with some arguments changed; None takes an argument away."""
        kept = [
            (k, v)
            for k, values in self.args.lists()
            for v in values
            if k not in changes and k in KNOWN_ARGS
        ]
        for key, value in changes.items():
            values = value if isinstance(value, list) else [value]
            kept += [(key, str(v)) for v in values if v is not None]
        if "v" in self.args and not [key for key, _ in kept if key not in ("v", "page", "size")]:
            return f"{self.path}?v={NO_VIEW}"  # a view alone would mean what is kept under it
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def kept_args(self, *without: str) -> list[tuple[str, str]]:
        """Arguments that a form of this list sends along."""
        drop = {"page", *without}
        return [
            (k, v)
            for k, values in self.args.lists()
            for v in values
            if k in KNOWN_ARGS and k not in drop
        ]

    # ---------------------------------------------------------------------------------------------------- parts
    def columns(self) -> list[Column]:
        """Heads of the shown columns."""
        known = shape(self.model)
        return [self._column(name, known.key(name), known.facts(name)) for name in self.names]

    def _column(self, name: str, key: str | None, facts: FieldFacts) -> Column:
        kind = facts.kind
        label, unit = facts.label, facts.unit
        if key is None or kind in UNSORTED or facts.mask:
            return Column(name, label, kind, unit)
        now = {name: "asc", f"-{name}": "desc"}.get(self.order, "")
        next_order = (
            name
            if now == "desc"
            else f"-{name}"
            if now == "asc" or kind in (*NUMBERS, "date")
            else name
        )
        return Column(name, label, kind, unit, now, self.url(order=next_order, page=None))

    def rows(self, records: Sequence[Entity]) -> list[Row]:
        """Rows with formatted cells; the title cell opens the record."""
        table, title = shape(self.model).table, self.model.spec.title
        main = self.names.index(title) if title in self.names else 0
        is_tree = bool(self.model.spec.tree) and self.order == self.model.spec.order
        return [
            Row(
                str(r.id),
                record_url(table, r.id),
                tuple(self.cells.cell(r, n) for n in self.names),
                main=main,
                seen=f".{r.version}",
                level=_depth(getattr(r, self.model.spec.tree)) if is_tree else 0,
            )
            for r in records
        ]

    def chips(self) -> list[Chip]:
        """The filters of the address in words, those that make no sense too: each can be taken away."""
        known, raws = {f.raw: f for f in self.filters}, list(dict.fromkeys(self.args.getlist("f")))
        found = []
        for raw in raws:
            url = self.url(f=[other for other in raws if other != raw], page=None)
            if (f := known.get(raw)) is not None:
                found.append(Chip(f.label, f.words, f.value, url))
            else:
                found.append(Chip("无法识别", "", raw[:40], url))
        if text := self.args.get("rule"):
            words = text[:40] if self.rule is None else self.rule.value
            found.append(Chip("高级条件", "", words, self.url(rule=None, page=None)))
        return found

    @property
    def is_filtered(self) -> bool:
        """Whether something keeps rows away."""
        return bool(self.filters or self.text or self.rule or self.unread)

    def sums(self, records: Sequence[Entity], total: int) -> list[tuple[str, dict[str, str]]]:
        """本页合计 and 全部合计 of the money columns that the model sums and the list shows; "…" if it comes later."""
        names = self.summed()
        if not names or not records:
            return []
        known = shape(self.model)
        page = {
            n: format_money(sum((known.facts(n).get(r) or ZERO for r in records), ZERO))
            for n in names
        }
        whole = (
            dict.fromkeys(names, "…") if self.is_summed_later(total) else self.sums_of_all(total)
        )
        return [("本页合计", page), ("全部合计", whole)]

    def is_summed_later(self, total: int) -> bool:
        """Whether the sums over all rows are not for the page to wait for."""
        return (self.is_cut or total > LONG) and WITH_SUMS not in self.args and bool(self.summed())

    def later_sums(self, total: int) -> LaterSums | None:
        """Where the page asks for the sums of a long list: by a request of its own, or without scripts by a link."""
        if not self.is_summed_later(total):
            return None
        query = self.url(page=None, size=None).partition("?")[2]
        url = self.path.removesuffix("list/") + "sums"
        return LaterSums(f"{url}?{query}" if query else url, self._in_full())

    def _in_full(self) -> str:
        """This page with the exact count and sums in it, however long that takes."""
        here = self.url()
        return f"{here}{'&' if '?' in here else '?'}{WITH_SUMS}=1"

    def sums_of_all(self, total: int) -> dict[str, str]:
        """全部合计: money by column, over all filtered rows, of which there are `total`."""
        if not self.summed():
            return {}
        found = (
            self.of_all
            or self.ctx.session.execute(self.select(*self.sum_columns(), as_set=total > LONG)).one()
        )
        return self._as_money(found)

    def totals(self) -> tuple[int, dict[str, Decimal]]:
        """The exact number of rows and the sums of all of them, for a file: by one question."""
        if not self.summed():
            return self.total(), {}
        number, *found = self.ctx.session.execute(self._count_and_sums()).one()
        return int(number), {
            name: ZERO if value is None else Decimal(value)
            for name, value in zip(self.summed(), found, strict=True)
        }

    def count_and_sums(self) -> tuple[int, dict[str, str]]:
        """What the page of a long list did not wait for: the exact number of rows and 全部合计, by one question."""
        if not self.summed():
            return self.total(), {}
        number, *found = self.ctx.session.execute(self._count_and_sums()).one()
        return int(number), self._as_money(found)

    def _count_and_sums(self) -> Select[Any]:
        return self.select(func.count(), *self.sum_columns(), as_set=True).select_from(self.model)

    def _as_money(self, found: Sequence[Any]) -> dict[str, str]:
        named = zip(self.summed(), found, strict=True)
        return {name: format_money(ZERO if value is None else value) for name, value in named}

    def _is_small(self) -> bool:
        """Whether the whole table is no long list, by its last id, which costs next to nothing."""
        return (
            int(self.ctx.session.scalar(select(func.max(self.model.__table__.c.id))) or 0) <= LONG
        )

    def summed(self) -> list[str]:
        """The shown columns that are summed."""
        return [n for n in self.model.spec.sums if n in self.names and shape(self.model).key(n)]

    def sum_columns(self) -> Iterator[ColumnElement[Any]]:
        """Their sums, as a query asks for them."""
        known = shape(self.model)
        return (func.sum(known.facts(n).sql(self.model)) for n in self.summed())

    def paging(self, total: int) -> Paging:
        """Where the reader is, with links to the pages around."""
        pages = max(-(-total // self.size), 1)
        first = (self.page - 1) * self.size + 1 if total else 0
        sizes = tuple((n, self.url(size=n, page=None)) for n in sorted({*SIZES, self.size}))
        last = self.page * self.size if self.is_cut else min(self.page * self.size, total)
        links, exact = tuple(self._links(pages)), self._in_full() if self.is_cut else ""
        return Paging(
            first,
            last,
            total,
            page=self.page,
            pages=pages,
            size=self.size,
            sizes=sizes,
            links=links,
            exact_url=exact,
        )

    def _links(self, pages: int) -> Iterator[tuple[str, str, bool]]:
        """Pages near this one and the ends; a list that is not counted to its end has no last page, only a next."""
        end = max(pages, self.page + self.is_followed) if self.is_cut else pages
        shown = sorted(n for n in {1, pages, *range(self.page - 2, self.page + 3)} if 1 <= n <= end)
        previous = 0
        for number in shown:
            if number - previous > 1:
                yield "…", "", False
            yield str(number), self.url(page=number), number == self.page
            previous = number
        if self.is_cut and previous == pages:
            yield "…", "", False


def _depth(place: Any) -> int:
    """How deep a row of a tree is indented: by its level (from 1), or by the parts of its path ('/1/4/')."""
    return min(place.count("/") - 2 if isinstance(place, str) else place - 1, 3)
