"""Rows of a file through the verb of their form: what each will do, tried and taken back, or done (X3)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from models.base.entity import Entity, fields_of, label_of, parts_of
from models.base.errors import BusinessError, FieldErrors
from models.base.fields import FieldFacts
from models.base.masks import is_own_mask, mask
from models.base.money import format_money
from models.base.text import visible
from models.system.imports import ImportMode, Verdict
from models.system.organization import Employee
from reports.figures.custom_fields import fields_seen
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import Untaken
from workflows.base.values import coerce
from workflows.base.workbook import Cell
from workflows.system.import_cells import Names, Reader, Unknown, Word, shown
from workflows.system.import_columns import ImportColumn
from workflows.system.import_keys import Known, key_of, known_by_key, likeness, matching

DOT_OF_PART: Final = "."  # between the table of a part and its column
WHOLE: Final = ""  # messages of a row that belong to none of its cells


@dataclass(frozen=True)
class Door:
    """The form whose rows come from a file: its fields, and what its button calls."""

    model: type[Entity]
    names: Sequence[str]
    save: Callable[[Ctx, Entity | None, Mapping[str, Any], int | None], Entity]
    is_plain: bool = False  # its button saves the record, and does nothing else

    def saves_many(self, columns: Iterable[ImportColumn]) -> bool:
        """Whether its rows, and those of the parts in the same file, say nothing about each other."""
        models = {self.model, *(column.model for column in columns)}
        return self.is_plain and all(records.is_alone(model) for model in models)


@dataclass
class Line:
    """A row on its way, see `ImportRow`; `sent` is `given` with the ids of the records that it names."""

    row_no: int
    cells: dict[str, str] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    sent: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    unknown: list[Word] = field(default_factory=list)
    verdict: Verdict = Verdict.NEW
    changes: dict[str, list[str]] = field(default_factory=dict)
    alike: str = ""
    record_id: int | None = None
    seen: int | None = None

    def refuse(self, errors: Mapping[str, Sequence[str]]) -> "Line":
        """Note what is wrong with it, at its cells."""
        for name, messages in errors.items():
            known = self.errors.setdefault(name, [])
            known += [message for message in messages if message not in known]
        self.verdict = Verdict.WRONG
        return self


class Checker:
    """Looks through the rows of one file: what each will do, and what is wrong with it."""

    def __init__(self, door: Door, columns: Sequence[ImportColumn], mode: ImportMode) -> None:
        """Begin with the first row."""
        self._door = door
        self._columns = columns
        self._mode = mode
        self._saves_many = door.saves_many(columns)
        self._rows_by_key: dict[tuple[Any, ...], int] = {}

    def _read(self, reader: Reader, row_no: int, cells: Mapping[str, Cell]) -> Line:
        """The cells of a row as a form would send them, with what is wrong with each."""
        line = Line(row_no, {key: visible(shown(cell)) for key, cell in cells.items()})
        for column in self._columns:
            if column.key not in cells:
                continue
            try:
                value = reader.read(column, cells[column.key])
            except Unknown as error:
                line.unknown.append(error.word)
                line.refuse({column.key: [str(error)]})
            except ValueError as error:
                line.refuse({column.key: [str(error)]})
            else:
                if value not in (None, ""):
                    line.given[column.key] = value
        return line

    def check(self, reader: Reader, rows: Iterable[tuple[int, Mapping[str, Cell]]]) -> list[Line]:
        """Try these rows, one on top of the other, and take all of it back; what came of each."""
        ctx, names = reader.ctx, Names(reader.ctx, reader.words)
        lines = [self._read(reader, row_no, cells) for row_no, cells in rows]
        if self._saves_many:
            self._check_each(ctx, lines, names)
        else:
            self._check_on_top(ctx, lines, names)
        likeness(ctx, self._door.model, [line for line in lines if line.verdict is Verdict.NEW])
        return lines

    def _check_each(self, ctx: Ctx, lines: Sequence[Line], names: Names) -> None:
        """Each row by itself, as it is before it is saved: nothing is written."""
        ctx.numbers = Untaken()
        mine = ctx.session.get(Employee, ctx.actor.employee_id or 0)  # held: each row asks for it
        try:
            with ctx.session.no_autoflush:
                for line in lines:
                    resolve(line, self._columns, names)
                known = known_by_key(ctx, self._door.model, [line.sent for line in lines])
                for line in lines:
                    self._examine(ctx, line, known)
        finally:
            del mine
            ctx.numbers = None
            ctx.session.expire_all()  # what was amended is as it was

    def _check_on_top(self, ctx: Ctx, lines: Sequence[Line], names: Names) -> None:
        """One row on top of the other: a row may name, or contradict, what an earlier one has made."""
        trial = ctx.session.begin_nested()
        try:
            for line in lines:
                resolve(line, self._columns, names)
                self._examine(ctx, line, None)
        finally:
            trial.rollback()
            ctx.session.expire_all()

    def _examine(self, ctx: Ctx, line: Line, known: "Known | None") -> None:
        found = self._find(ctx, line, known)
        if line.errors:
            line.refuse(self._of_form(line, is_new=found is None))
            return
        if found is not None:
            line.record_id, line.seen = found.id, found.version
            if self._mode is ImportMode.SKIP:
                line.verdict = Verdict.SKIPPED
                return
        try:
            if self._saves_many:
                draft(ctx, self._door, line, found)
            else:
                carry(ctx, self._door, line, found)
        except BusinessError as error:
            line.refuse(self._at_cells(error.field_errors))

    def _of_form(self, line: Line, *, is_new: bool) -> dict[str, list[str]]:
        """What the form would say of the other cells of a row that is wrong already: all is said at once."""
        wrong: dict[str, list[str]] = {}
        for column in self._columns:
            is_asked = column.is_required and is_new and not column.part
            if is_asked and column.key not in line.given and column.key not in line.errors:
                wrong[column.key] = [f"请填写{column.label}"]
        return wrong

    def _at_cells(self, errors: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """Messages at their cells; those of a column that the file has not are told with its name."""
        here = {column.key for column in self._columns}
        fields = fields_of(self._door.model)
        placed: dict[str, list[str]] = {}
        for name, messages in errors.items():
            if name in here or name == WHOLE:
                placed.setdefault(name, []).extend(messages)
                continue
            told = list(messages)
            if name in fields:
                label = label_of(self._door.model, name)
                told = [f"{label}：{message}" for message in messages]
            placed.setdefault(WHOLE, []).extend(told)
        return placed

    def _find(self, ctx: Ctx, line: Line, known: "Known | None") -> Entity | None:
        """The record that a row is about by its key; a key that stands in the file before is refused."""
        key = key_of(ctx, self._door.model, line.sent)
        if key is None:
            return None
        place = tuple(key.values())
        first = self._rows_by_key.setdefault(place, line.row_no)
        names = list(key)
        if first != line.row_no:
            line.refuse({names[-1]: [f"与第 {first} 行重复"]})
        if known is None:
            known = {place: matching(ctx, self._door.model, key)}
        found = known.get(place, [])
        if len(found) > 1:
            line.refuse({names[-1]: [f"有 {len(found)} 条相同的{self._door.model.spec.label}"]})
        return next(iter(found), None)


def resolve(line: Line, columns: Iterable[ImportColumn], names: Names) -> None:
    """Find the records that a row names; what is not found is refused at its cell."""
    line.sent = dict(line.given)
    for column in columns:
        if column.facts.kind == "reference" and column.key in line.given:
            try:
                line.sent[column.key] = names.find(column.facts.target, line.given[column.key])
            except Unknown as error:
                line.unknown.append(error.word)
                line.refuse({column.key: [str(error)]})
            except ValueError as error:
                line.refuse({column.key: [str(error)]})


def carry(ctx: Ctx, door: Door, line: Line, found: Entity | None) -> None:
    """Save a row through the form's verb, its parts behind it, all or nothing; the line says what came of it.

    Raises what the verb raises, messages of parts under their own columns.
    """
    attempt = ctx.session.begin_nested()
    try:
        if found is None:
            line.verdict = Verdict.NEW
            found = door.save(ctx, None, own_values(line), None)
        else:
            with _telling(ctx, line, found) as unlike:
                if unlike:
                    door.save(ctx, found, unlike, line.seen)
        for model, values, link in _parts(ctx, found, line):
            with _at_part(model):
                records.create(ctx, model, {**values, link: found.id})
    except BaseException:
        attempt.rollback()
        raise
    attempt.commit()


def draft(ctx: Ctx, door: Door, line: Line, found: Entity | None) -> list[Entity]:
    """The records that a row makes, checked and not saved yet, for `records.save_all`; one that is there is amended.

    For forms whose rows say nothing about each other. Raises as `carry` does.
    """
    made: list[Entity] = []
    if found is None:
        line.verdict = Verdict.NEW
        record = records.prepare(ctx, door.model, own_values(line))
        made.append(record)
    else:
        record = found
        with _telling(ctx, line, found) as unlike:
            if unlike:
                records.amend(ctx, found, unlike, line.seen)
    for model, values, link in _parts(ctx, record, line):
        with _at_part(model):
            if found is None:
                owner = (link.removesuffix("_id"), record)
                made.append(records.prepare(ctx, model, values, owner))
            else:
                made.append(records.prepare(ctx, model, {**values, link: record.id}))
    return made


def own_values(line: Line) -> dict[str, Any]:
    """What goes to the form itself."""
    return {name: value for name, value in line.sent.items() if DOT_OF_PART not in name}


@contextmanager
def _telling(ctx: Ctx, line: Line, found: Entity) -> Iterator[dict[str, Any]]:
    """What a row says otherwise than its record; when it is saved, the line tells old and new."""
    known = fields_seen(ctx.session, type(found), ctx.actor)
    before = {name: known[name].get(found) for name in known if known[name].is_filled_in}
    yield {
        name: value
        for name, value in own_values(line).items()
        if not _is_same(known[name], before.get(name), value)
    }
    for name, old in before.items():
        new = known[name].get(found)
        if new != old:
            line.changes[name] = [_word(ctx, known[name], old), _word(ctx, known[name], new)]
    line.verdict = Verdict.SAME
    if line.changes:
        line.verdict = Verdict.CHANGED


@contextmanager
def _at_part(model: type[Entity]) -> Iterator[None]:
    """Messages about a part stand at its own columns."""
    try:
        yield
    except BusinessError as error:
        table = model.__tablename__
        at = {f"{table}{DOT_OF_PART}{n}" if n else n: m for n, m in error.field_errors.items()}
        raise FieldErrors(at) from error


def _is_same(facts: FieldFacts, old: Any, value: Any) -> bool:
    if is_own_mask(facts, old, value):
        return True
    try:
        new = coerce(facts, value)
    except ValueError:
        return False
    if isinstance(old, str) and isinstance(new, str):
        return new.replace("\r\n", "\n") == old.strip().replace("\r\n", "\n")
    return bool(new == old)


def _word(ctx: Ctx, facts: FieldFacts, value: Any) -> str:
    """A value in the words of the screens, masked where they mask it."""
    if value is None or value == "":
        return ""
    if facts.mask:
        return mask(str(value), facts.mask)
    if isinstance(value, Enum):
        value = value.name
    if isinstance(value, date):
        return value.isoformat()
    if facts.kind == "money":
        return format_money(Decimal(value))
    return records.word(ctx, facts, value)


def _parts(
    ctx: Ctx, record: Entity, line: Line
) -> Iterator[tuple[type[Entity], dict[str, Any], str]]:
    """(model, values, link to the owner) of a row of each part that the file tells of, unless it is there already."""
    by_part: dict[str, dict[str, Any]] = {}
    for name, value in line.sent.items():
        part, dot, own = name.partition(DOT_OF_PART)
        if dot:
            by_part.setdefault(part, {})[own] = value
    for part, values in by_part.items():
        model, link, _ = parts_of(type(record))[part]
        known = fields_seen(ctx.session, model, ctx.actor)
        if line.record_id is not None:
            given = {**values, link: record.id}
            typed = {name: coerce(known[name], value) for name, value in given.items()}
            if matching(ctx, model, typed):
                continue
            line.changes[part] = ["", f"新增{model.spec.label}"]
            line.verdict = Verdict.CHANGED
        yield model, values, link
