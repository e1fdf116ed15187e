"""Cells of a file as a form would send them: dates, amounts, yes and no, words of dictionaries, names (X3)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from models.base.entity import Entity, entities, entity_of, fields_of
from models.base.fields import FieldFacts
from models.base.kinds import SpecKind
from models.base.masks import has_stars
from models.base.money import EXCEL_DIGITS
from models.base.text import visible
from reports.base.scope import is_offered, scoped
from reports.figures import dictionaries
from workflows.base.context import Ctx
from workflows.base.sheet_cells import NOTHING, YUAN, plain, read_date, read_money
from workflows.base.values import YEARS, coerce
from workflows.base.workbook import Cell
from workflows.system.import_columns import ImportColumn

_YES: Final = {"√": True, "✓": True, "✔": True, "有": True, "×": False, "✗": False, "无": False}
_KEYS: Final = ("code", "number")  # people write these in place of a name
_SEEN_MOST: Final = 20_000
Word = tuple[str, str]  # dictionary, what the file says


class Unknown(ValueError):
    """A word that its dictionary does not know; somebody may say what it means."""

    def __init__(self, dictionary: str, word: str, message: str = "") -> None:
        """Keep which, so that it is asked once for all rows."""
        said = message or f"没有“{word[:40]}”这个选项"
        super().__init__(f"{said}，请在上方对应，或改为已有的选项")
        self.word: Word = (dictionary, word)


def shown(cell: Cell) -> str:
    """A cell in words, as it is shown and given back."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return {True: "是", False: "否"}[cell]
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return str(cell)


class Reader:
    """Reads the cells of one file for one person."""

    def __init__(self, ctx: Ctx, units: Mapping[str, Decimal], words: Mapping[Word, str]) -> None:
        """`units` are those that heads state, by column; `words` what somebody has said that words mean."""
        self.ctx = ctx
        self._units = units
        self.words = words

    def read(self, column: ImportColumn, cell: Cell) -> Any:
        """What goes to the verb; None for an empty cell. Raises ValueError in Chinese, Unknown for unknown words."""
        text = visible(shown(cell)).strip()
        kind = column.facts.kind
        if text == "" or (kind not in {"text", "long_text"} and plain(text) in NOTHING):
            return None
        if isinstance(cell, Decimal) and kind in {"text", "dictionary", "reference"}:
            self._refuse_lost_digits(cell)
        value = self._READERS.get(kind, Reader._text)(self, column, cell, text)
        is_masked = bool(column.facts.mask) and has_stars(
            text
        )  # the verb knows whether it is its own
        if kind != "reference" and not is_masked:
            coerce(column.facts, value)  # says what is wrong with it, as the form would
        return value

    @staticmethod
    def _refuse_lost_digits(cell: Decimal) -> None:
        if abs(cell) >= 10**EXCEL_DIGITS:
            raise ValueError("数字超过 15 位，Excel 已丢失尾数，请把单元格改为文本后重新填写")

    def _text(self, _: ImportColumn, __: Cell, text: str) -> str:
        return text

    def _money(self, column: ImportColumn, cell: Cell, _: str) -> str:
        unit = self._units.get(column.key, YUAN)
        return str(read_money(cell, unit))

    def _rate(self, column: ImportColumn, _: Cell, text: str) -> str:
        return text.removesuffix(column.facts.unit).strip()

    def _whole(self, column: ImportColumn, cell: Cell, text: str) -> str:
        if isinstance(cell, Decimal) and cell == cell.to_integral_value():
            return str(int(cell))
        return text.removesuffix(column.facts.unit).strip()

    def _date(self, _: ImportColumn, cell: Cell, __: str) -> str:
        return read_date(cell, YEARS).isoformat()

    def _flag(self, _: ImportColumn, cell: Cell, text: str) -> bool:
        if isinstance(cell, bool):
            return cell
        if text in _YES:
            return _YES[text]
        return bool(coerce(FieldFacts(kind="bool"), text))

    def _enum(self, column: ImportColumn, _: Cell, text: str) -> str:
        found = coerce(column.facts, text)
        return str(found.name)

    def _dictionary(self, column: ImportColumn, _: Cell, text: str) -> str:
        code = column.facts.dictionary
        found = dictionaries.code_of(self.ctx.session, code, text)
        if found is None:
            found = self.words.get((code, text))
        if found is None:
            raise Unknown(code, text)
        return found

    _READERS: Final[dict[str, Callable[..., Any]]] = {
        "money": _money,
        "rate": _rate,
        "int": _whole,
        "date": _date,
        "bool": _flag,
        "enum": _enum,
        "dictionary": _dictionary,
    }


class Names:
    """Whom names of records mean, for one person in one transaction: an earlier row may have made the record."""

    def __init__(self, ctx: Ctx, words: Mapping[Word, str]) -> None:
        """`words` are what this person has said that names mean which no record of a setting bears."""
        self._ctx, self._words = ctx, words
        self._seen: dict[tuple[str, str], int] = {}

    def find(self, table: str, text: str) -> int:
        """The id of the record of a table that a text names. Raises ValueError, Unknown where somebody may say."""
        if (table, text) not in self._seen:
            if len(self._seen) >= _SEEN_MOST:
                self._seen.clear()
            self._seen[table, text] = self._find(entity_of(table), text)
        return self._seen[table, text]

    def _find(self, target: type[Entity], text: str) -> int:
        try:
            return named(self._ctx, target, text)
        except ValueError as error:
            if not is_told(target) or not is_offered(self._ctx.actor, target):
                raise
            word = (names_of(str(target.__tablename__)), text)
            said = self._words.get(word, "")
            if said.isdecimal() and (found := _one(self._ctx, target, target.id == int(said))):
                return found
            raise Unknown(*word, f"没有“{text[:40]}”这个{target.spec.label}") from error


def is_told(target: type[Entity]) -> bool:
    """Whether somebody may say once which record a name means: of settings, banks and people there are few."""
    return target.spec.scope.is_open and target.spec.kind is SpecKind.MASTER


def names_of(table: str) -> str:
    """Under what the names of a table are asked and remembered, among the words of dictionaries."""
    return f"@{table}"


def table_of(dictionary: str) -> str:
    """The table whose names these are; '' for the words of a dictionary."""
    return dictionary.removeprefix("@") if dictionary.startswith("@") else ""


def ways_of(target: type[Entity]) -> list[tuple[type[Entity], str]]:
    """By which columns people name a record of a table, of a customer those of its kinds too; the surest first."""
    kinds = [model for model in entities() if issubclass(model, target)]
    found: list[tuple[type[Entity], str]] = []
    for model in kinds:
        known = fields_of(model)
        texts = {name for name, facts in known.items() if facts.kind == "text"}
        names = (*model.spec.key, *_KEYS, model.spec.title)
        found += [(model, name) for name in names if name in texts]
    surest = sorted(set(found), key=lambda way: (way[1] == way[0].spec.title, found.index(way)))
    return [way for way in surest if way[0] is target or way[1] not in fields_of(target)]


def named(ctx: Ctx, target: type[Entity], text: str) -> int:
    """The id of the record that a text names by key, number or title, within the reader's scope.

    What is part of another record may be told by both: 上级/本条. Raises ValueError.
    """
    if not is_offered(ctx.actor, target):
        raise ValueError(f"您没有查看{target.spec.label}的权限，不能引用")
    for model, name in ways_of(target):
        if found := _one(ctx, model, fields_of(model)[name].sql(model) == text):
            return found
    above, slash, own = text.partition("/")
    if slash and (found := _below(ctx, target, above.strip(), own.strip())):
        return found
    raise ValueError(f"没有“{text[:40]}”这个{target.spec.label}，或不在您的数据范围内")


def _below(ctx: Ctx, target: type[Entity], above: str, own: str) -> int:
    known = fields_of(target)
    for name, facts in known.items():
        if not (facts.target and (facts.is_owner or name in target.spec.key)):
            continue
        above_id = named(ctx, entity_of(facts.target), above)
        for way in dict.fromkeys((*target.spec.key, target.spec.title)):
            if way in known and known[way].kind == "text":
                here = (facts.sql(target) == above_id, known[way].sql(target) == own)
                if found := _one(ctx, target, *here):
                    return found
    return 0


def _one(ctx: Ctx, model: type[Entity], *where: ColumnElement[bool]) -> int:
    query = scoped(select(model.id).where(*where), model, ctx.actor).limit(2)
    found = ctx.session.scalars(query).all()
    if len(found) > 1:
        raise ValueError(f"有几个同名的{model.spec.label}，请改填其编号或编码")
    return next(iter(found), 0)


def told_words(unknown: Iterator[Word]) -> dict[str, dict[str, int]]:
    """Unknown words by dictionary, with how often each stands there."""
    found: dict[str, dict[str, int]] = {}
    for dictionary, word in unknown:
        words = found.setdefault(dictionary, {})
        words[word] = words.get(word, 0) + 1
    return found
