"""Grids of child rows in the form of their owner: read from prefixed names, shown again as typed, saved with the owner.

A cell is named `<table>-<row>-<column>`; the controls, the reading and the checks are those of the child's own form.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict
from wtforms import Form

from models.base.entity import Entity, PartOf, parts_of
from models.base.errors import BusinessError
from models.base.fields import FieldFacts
from reports.base.scope import may_act, scoped
from views.kit import copying, grid_cells
from views.kit.cells import Cells
from views.kit.forms import EntityForm, form_columns, is_asked
from views.kit.interface import Titles, model_of, shape, sorting, valid_id
from views.kit.pages import Column, GridOffer, GridPage, GridRow
from views.kit.record import may_save, offers, why_frozen
from views.kit.small import OWN
from workflows.base import child_rows
from workflows.base.child_rows import RowChange, RowErrors
from workflows.base.context import Ctx

ROWS_MAX = 200  # more are changed one by one, or imported
COLUMNS_MAX = 16  # a wider row is filled in on its own form
MARK = "grid"  # sent for each grid that was open, also for one without rows
BLANK = "__n__"  # stands for the number of a row in what the page's script copies
_CELL = re.compile(r"([a-z_]+)-(\d{1,6})-(.+)")
GONE = "这一行已被他人删除；再次保存将作为新行登记"


def offered(ctx: Ctx, model: type[Entity]) -> dict[str, PartOf]:
    """The parts of such records that this reader may fill in as a grid, by table."""
    return {
        table: one
        for table, one in parts_of(model).items()
        if shape(one.model).facts(one.link).is_owner and is_grid(ctx, one)
    }


def is_grid(ctx: Ctx, one: PartOf) -> bool:
    """Whether rows of this part may be written as a grid by this reader, in what the generator knows of their form."""
    table, child = str(one.model.__tablename__), one.model
    if model_of(table) is None or not child.spec.kind.has_screen or table in OWN:
        return False
    if not ctx.actor.may("list", table) or len(columns(child)) > COLUMNS_MAX:
        return False
    return any(offers(child, verb) and ctx.actor.may(verb, table) for verb in ("add", "edit"))


def columns(child: type[Entity]) -> list[str]:
    """What a row of the grid asks for; the rest of a wide one is filled in on its own form."""
    names, few = form_columns(child), child.spec.in_grid
    return [name for name in names if name in few] if few else names


def rows_of(posted: "MultiDict[str, str]") -> dict[str, dict[int, "MultiDict[str, str]"]]:
    """What a form sent for its grids: by table and number of the row, under the names of the child's form."""
    found: dict[str, dict[int, MultiDict[str, str]]] = {table: {} for table in posted.getlist(MARK)}
    for name, text in posted.items(multi=True):
        match = _CELL.fullmatch(name)
        if match is not None and match[1] in found:
            rows = found[match[1]]
            rows.setdefault(int(match[2]), MultiDict()).add(match[3], text)
    return found


def _is_typed(facts: FieldFacts, text: str) -> bool:
    """Whether a reference is given by words instead of being chosen."""
    return bool(facts.target) & text.startswith(grid_cells.TYPED)


class RowForm(EntityForm):
    """One row of a grid."""

    def __init__(self, grid: "Grid", number: int | str, record: Entity | None) -> None:
        """`number` is what the row is called in the form."""
        self.grid, self.number = grid, number
        self.place = f"{grid.table}-{number}-"
        self.is_dropped = False
        self.problem = ""
        super().__init__(grid.ctx, grid.model, record, grid.names)
        self.cells = grid.cells

    def _make(self) -> Form:
        return self.grid.form_class(prefix=self.place)

    def read(self, posted: "MultiDict[str, str]") -> "RowForm":
        """Take what was typed; words that name a choice become the choice, a cell that was not sent stays as it is."""
        self._version = posted.get("_version", "")
        self.is_dropped = posted.get("_drop") == "1"
        for name in self.names:
            facts = self.known.fields[name]
            stored = grid_cells.text_of(facts, self._stored(facts))
            text = posted.get(name, stored).strip()
            if text != stored:
                text = self.grid.meant(facts, text)
            self._put(name, text)
        return self

    def show(self, values: Mapping[str, Any] | None = None) -> "RowForm":
        """Fill the cells with the row that stands, or with the defaults."""
        super().show(values)
        return self

    def _current_text(self, name: str, text: str) -> str:
        if text.startswith(grid_cells.TYPED):
            return text.removeprefix(grid_cells.TYPED)
        return super()._current_text(name, text)

    @property
    def is_blank(self) -> bool:
        """Whether nobody has typed into this new row."""
        if self.record is not None:
            return False
        untouched = (
            grid_cells.text_of(facts, facts.default)
            for facts in map(self.known.fields.__getitem__, self.names)
        )
        typed = (self._form[name].data for name in self.names)
        return all(text in {"", usual} for text, usual in zip(typed, untouched, strict=True))

    def refuse_row(self, messages: Mapping[str, Sequence[str]]) -> None:
        """Put messages at the cells; those of the whole row, and of columns that the grid has not, before it."""
        rest = []
        for name, said in messages.items():
            if name in self._form:
                field = self._form[name]
                field.errors = [
                    *field.errors,
                    *(self.grid.worded(name, m, str(field.data)) for m in said),
                ]
            else:
                label = f"{self.known.label(name)}：" * bool(name)
                rest += [label + message for message in said]
        said_once = dict.fromkeys(filter(None, (self.problem, *rest)))
        self.problem = "；".join(said_once)

    def row(self) -> GridRow:
        """The row as the template takes it."""
        stands = self.record
        if stands is not None and not self.grid.may("edit", stands):
            return GridRow("", texts=[self.cells.cell(stands, name) for name in self.names])
        return GridRow(
            str(self.number),
            key=str(getattr(stands, "id", "")),
            version=self._version,
            fields=[grid_cells.field(self, name) for name in self.names],
            may_drop=stands is None or self.grid.may("delete", stands),
            is_dropped=self.is_dropped,
            problem=self.problem,
        )

    def _is_untouched(self, name: str, text: str) -> bool:
        """An amount is the same with and without its commas."""
        if super()._is_untouched(name, text):
            return True
        facts = self.known.fields[name]
        if self.record is None or facts.kind not in {"money", "rate", "int"}:
            return False
        stored = grid_cells.text_of(facts, facts.get(self.record))
        return text.replace(",", "") == stored.replace(",", "")

    def control(self, name: str) -> Any:
        """The bound control of a cell."""
        return self._form[name]

    def errors(self) -> list[tuple[str, str, str]]:
        """Place, label and message of all that is wrong in this row."""
        at = self.grid.rows.index(self) + 1
        head = f"{self.grid.model.spec.label}第 {at} 行"
        found = [(f"{self.place}row", head, self.problem)] * bool(self.problem)
        for name in self.names:
            label, said = f"{head}{self.known.label(name)}", self._form[name].errors
            found += [(self.place + name, label, message) for message in said]
        return found


class Grid:
    """The rows of one part of a record in one form of one request."""

    def __init__(
        self, ctx: Ctx, one: PartOf, owner: Entity | None, *, is_whole: bool = False
    ) -> None:
        """`owner` is None while it is being made; `is_whole` asks for all that the own form of a row asks."""
        self.ctx, self.model, self.link, self.owner = ctx, one.model, one.link, owner
        known = shape(one.model)
        self.table = known.table
        asked = form_columns(one.model) if is_whole else columns(one.model)
        self.names = [name for name in asked if name != one.link]
        self.cells = Cells(ctx, one.model, Titles(ctx.session))
        controls = {n: grid_cells.make(ctx, self.table, n, known.fields[n]) for n in self.names}
        self.form_class: type[Form] = type("RowOfGrid", (Form,), controls)
        self.rows: list[RowForm] = []
        self.count = 0
        self._named: dict[tuple[str, str], set[int]] = {}

    def may(self, verb: str, row: Entity) -> bool:
        """Whether this reader may edit or delete this very row."""
        permission = (verb, self.table)
        if not may_save(self.ctx, self.model, verb) or why_frozen(row):
            return False
        return may_act(self.ctx.session, self.ctx.actor, permission, row)

    def load(self) -> "Grid":
        """The rows that stand."""
        stored = self._stored()
        self.cells.prepare(stored, self.names)
        self.rows = [RowForm(self, number, row).show() for number, row in enumerate(stored)]
        return self

    def copy(self, owner: Entity) -> "Grid":
        """New rows that say what those of another owner say."""
        stored = self._rows_of(owner)
        self.count = 0  # of the record that is being made there are none yet
        self.cells.prepare(stored, self.names)
        for number, row in enumerate(stored):
            new = RowForm(self, number, None)
            self.rows.append(new.show(copying.row_values(row, self.names)))
        return self

    def read(self, sent: Mapping[int, "MultiDict[str, str]"]) -> "Grid":
        """What was typed over the rows that stand, and new rows; rows that nobody sent stay as they are."""
        if len(sent) > ROWS_MAX + 50:
            raise BusinessError(f"{self.model.spec.label}一次最多保存 {ROWS_MAX} 行")
        stored = {row.id: row for row in self._stored()}
        self.cells.prepare([*stored.values()], self.names)
        self._learn(sent.values())
        of: dict[int, tuple[int, MultiDict[str, str]]] = {}
        rest = []
        for number, typed in sorted(sent.items()):
            key = valid_id(typed.get("_id", "")) or 0
            if key in stored and key not in of:
                of[key] = (number, typed)
            else:
                rest.append((number, typed))
        free = max(sent, default=-1) + 1
        for key, row in stored.items():
            if key in of:
                self.rows.append(RowForm(self, of[key][0], row).read(of[key][1]))
            else:
                self.rows.append(RowForm(self, free, row).show())
                free += 1
        for number, typed in rest:
            new = RowForm(self, number, None).read(typed)
            if typed.get("_id"):
                new.problem = GONE
            if not (new.is_dropped or new.is_blank):
                self.rows.append(new)
        return self

    def _stored(self) -> Sequence[Entity]:
        return [] if self.owner is None else self._rows_of(self.owner)

    def _rows_of(self, owner: Entity) -> Sequence[Entity]:
        order = self.model.spec.order
        at_owner = getattr(self.model, self.link) == owner.id
        query = scoped(select(self.model).where(at_owner), self.model, self.ctx.actor)
        query = query.order_by(*sorting(self.model, order, after=["id"])).limit(ROWS_MAX + 1)
        found = self.ctx.session.scalars(query).all()
        self.count = len(found)
        return found if self.count <= ROWS_MAX else []

    def _learn(self, sent: Iterable["MultiDict[str, str]"]) -> None:
        """Find the records that pasted words name: one query for each table that is referred to."""
        wanted: dict[str, set[str]] = {}
        for typed in sent:
            for name in self.names:
                text = typed.get(name, "").strip()
                facts = shape(self.model).fields[name]
                if _is_typed(facts, text):
                    wanted.setdefault(facts.target, set()).add(text[1:].strip())
        for target, texts in wanted.items():
            for text, keys in grid_cells.named(self.ctx, target, texts).items():
                self._named[target, text] = keys

    def meant(self, facts: FieldFacts, text: str) -> str:
        """What a cell holds where its words name a choice or a record; the words themselves where they do not."""
        if not _is_typed(facts, text):
            return grid_cells.meant(self.ctx, facts, text)
        found = self._records_called(facts, text)
        return str(next(iter(found))) if len(found) == 1 else text

    def _records_called(self, facts: FieldFacts, text: str) -> set[int]:
        return self._named.get((facts.target, text[1:].strip()), set())

    def worded(self, name: str, message: str, text: str) -> str:
        """Of words that name no record, or several, say so."""
        facts = shape(self.model).fields[name]
        if not _is_typed(facts, text):
            return message
        count = len(self._records_called(facts, text))
        how = f"有 {count} 条" if count else "没有找到"
        return f"{how}“{text[1:].strip()}”，请从列表中选择"

    def changes(self) -> list[RowChange]:
        """What has to be saved."""
        found = []
        for form in self.rows:
            row, version = form.record, form.version
            if row is None:
                found.append(RowChange(form.place, self.model, form.values()))
            elif form.is_dropped:
                found.append(RowChange(form.place, self.model, {}, row, version, is_dropped=True))
            elif values := form.values():
                found.append(RowChange(form.place, self.model, values, row, version))
        return found

    def refuse(self, errors: Mapping[str, Sequence[str]]) -> None:
        """Put messages at their cells."""
        for form in self.rows:
            mine = {name: said for name, said in errors.items() if name.startswith(form.place)}
            form.refuse_row({name.removeprefix(form.place): said for name, said in mine.items()})

    def page(self) -> GridPage:
        """The grid as the template takes it."""
        known, spec = shape(self.model), self.model.spec
        may_add = may_save(self.ctx, self.model, "add")
        full = ""
        if self.count > ROWS_MAX:
            full = f"已有 {ROWS_MAX} 行以上，请在列表中逐行修改；这里只登记新行"
        return GridPage(
            self.table,
            spec.label,
            [
                Column(n, known.label(n), known.fields[n].kind, known.fields[n].unit)
                for n in self.names
            ],
            [form.row() for form in self.rows],
            blank=RowForm(self, BLANK, None).show().row() if may_add else None,
            required=frozenset(n for n in self.names if is_asked(known.fields[n])),
            note=full,
            rows_max=ROWS_MAX,
        )


class Grids:
    """All grids that one form has open."""

    def __init__(
        self,
        ctx: Ctx,
        parts: Mapping[str, PartOf],
        owner: Entity | None,
        *,
        is_whole: bool = False,
    ) -> None:
        """`parts` are those that the form offers; `is_whole` has all columns of their rows."""
        self.ctx, self.parts, self.owner, self.is_whole = ctx, parts, owner, is_whole
        self.open: dict[str, Grid] = {}
        self._changes: list[tuple[int, RowChange]] = []

    def grid(self, table: str) -> Grid:
        """The grid of a part, with nothing in it yet."""
        return Grid(self.ctx, self.parts[table], self.owner, is_whole=self.is_whole)

    def read(self, posted: "MultiDict[str, str]") -> "Grids":
        """Take what was typed into the grids that were open; what it changes is worked out before anything is saved."""
        for table, sent in rows_of(posted).items():
            if table in self.parts:
                self.open[table] = self.grid(table).read(sent)
        for grid in self.open.values():
            self._changes += [(getattr(one.record, "id", 0), one) for one in grid.changes()]
        return self

    def copy(self, owner: Entity) -> "Grids":
        """Open the grids in which another record has rows, with these rows as new ones."""
        for table, one in self.parts.items():
            grid = Grid(self.ctx, one, None).copy(owner)
            if grid.rows:
                self.open[table] = grid
        return self

    def save(self, owner: Entity) -> None:
        """Save all rows with their owner, in its transaction. Raises RowErrors."""
        stand, changes = self._as_they_stand(), []
        for key, change in self._changes:
            link = self.open[str(change.model.__tablename__)].link
            if not key:
                changes.append(replace(change, values={**change.values, link: owner.id}))
            elif (change.model, key) in stand:
                changes.append(replace(change, record=stand[change.model, key]))
            else:
                raise RowErrors({change.place: [GONE]}, 409)
        child_rows.save(self.ctx, changes)

    def _as_they_stand(self) -> dict[tuple[type[Entity], int], Entity]:
        """The rows to be changed, read again in the transaction that changes them: one query for each table."""
        found = {}
        for model in {change.model for _, change in self._changes}:
            keys = [key for key, change in self._changes if change.model is model and key]
            query = scoped(select(model).where(model.id.in_(keys)), model, self.ctx.actor)
            query = query.execution_options(populate_existing=True)
            for row in self.ctx.session.scalars(query):
                found[model, row.id] = row
        return found

    def problems(self) -> dict[str, list[str]]:
        """What is wrong with single cells, where the owner is not saved."""
        return child_rows.check(self.ctx, [change for _, change in self._changes])

    def refuse(self, error: BusinessError) -> BusinessError | None:
        """Put the messages at their cells; gives back an error that is not about rows at all."""
        is_ours = isinstance(error, RowErrors)
        errors = error.field_errors if is_ours else self.problems()
        for grid in self.open.values():
            grid.refuse(errors)
        return None if is_ours else error

    def refuse_into(self, form: EntityForm, error: BusinessError) -> None:
        """Messages of rows at their cells, all others at the fields of the owner."""
        if (rest := self.refuse(error)) is not None:
            form.refuse(rest)

    def errors(self) -> list[tuple[str, str, str]]:
        """All messages with their places, for the summary over the form."""
        return [one for grid in self.open.values() for form in grid.rows for one in form.errors()]

    def offers(self, table: str) -> list[GridOffer]:
        """Every grid of the form of `table`: the open ones with their rows, of the others how many rows stand."""
        counts = self._counts()
        key = "" if self.owner is None else f"?record={self.owner.id}"
        found = []
        for part, one in self.parts.items():
            label, url, grid = (
                one.model.spec.label,
                f"/{table}/grid/{part}{key}",
                self.open.get(part),
            )
            page = None if grid is None else grid.page()
            found.append(GridOffer(part, label, url, counts.get(part, 0), page))
        return found

    def _counts(self) -> dict[str, int]:
        if self.owner is None or not self.parts:
            return {}
        queries = [
            scoped(
                select(func.count(one.model.id)).where(
                    getattr(one.model, one.link) == self.owner.id
                ),
                one.model,
                self.ctx.actor,
            ).scalar_subquery()
            for one in self.parts.values()
        ]
        return dict(zip(self.parts, self.ctx.session.execute(select(*queries)).one(), strict=True))
