"""Base data: every csv in models/seeds goes into the table it is named after; what users did with it stays theirs.

A file is called <table>.csv, <table in plural>.csv or <table>.<part>.csv. Its header names columns; a reference is
given by the natural key (Spec.key) of the record it points to, the parts of the key joined by '|'. Rows are inserted
where their own natural key is missing, so loading again adds only what a new release brings. Left out are rows that
users deleted or gave another key, and parts of a whole that is there already.
"""

import csv
import json
from collections.abc import Iterable
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.entity import Entity, entities, entity_of, fields_of, owner_of
from models.base.plain import plain
from models.system.setup import AuditLog
from reports.figures import dictionaries, parameters
from workflows.base.values import coerce

SEEDS: Final = Path(__file__).resolve().parents[2] / "models" / "seeds"
# Parts that a release adds to a whole of an earlier one. Any other whole (a rule and its lines, a flow and its nodes)
# comes complete or not at all: lines of a release among those of the users would not add up.
GROWING: Final = frozenset({"dictionary_item", "statement_account"})


class SeedError(Exception):
    """A seed file of this release is wrong: a mistake of ours, never of a user."""


def load_base_data(session: Session, directory: Path = SEEDS) -> dict[str, int]:
    """Insert the missing rows of all seed files; the number of new rows by table.

    Raises SeedError naming file and line.
    """
    files = _files(directory)
    heads = {
        table: {name for source in sources for name in source.head}
        for table, sources in files.items()
    }
    loaders: dict[str, _Loader] = {}
    # The trail tells of people; the base data of a release is known from the release.
    silent, session.info["no_audit"] = session.info.get("no_audit", False), True
    try:
        for table in _order(heads):
            loaders[table] = _Loader(session, entity_of(table), loaders)
            loaders[table].load(files[table])
    finally:
        session.info["no_audit"] = silent
        dictionaries.forget(session)
        parameters.forget(session)
    return {table: len(loader.made) for table, loader in loaders.items()}


@cache
def _tables() -> dict[str, str]:
    """Table by the names a file may have for it."""
    names: dict[str, str] = {}
    for model in entities():
        table = model.__tablename__
        names[table] = table
        names[f"{table}s"] = table
    return names


class _Source:
    """Rows of one table: a seed file, or what the entities state themselves."""

    def __init__(self, name: str, path: Path | None, stated: list[dict[str, str]]) -> None:
        self.name, self._path, self._stated = name, path, stated

    @property
    def head(self) -> list[str]:
        """The columns that its rows may fill."""
        if self._path is None:
            return list(dict.fromkeys(name for row in self._stated for name in row))
        with self._path.open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file), [])

    def rows(self) -> Iterable[dict[str, str]]:
        """Each row by column."""
        return self._stated if self._path is None else _rows(self._path)


def stated_rows() -> dict[str, list[dict[str, str]]]:
    """What entities bring themselves (`Spec.seeds`, the rules of numbered columns), by table."""
    found: dict[str, list[dict[str, str]]] = {}
    for model in entities():
        rules = (facts.numbering for facts in fields_of(model).values())
        for row in (*model.spec.seeds, *(rule.row for rule in rules if rule)):
            found.setdefault(row.table, []).append(row.values)
    return found


def _files(directory: Path) -> dict[str, list[_Source]]:
    found: dict[str, list[_Source]] = {}
    for path in sorted(directory.glob("*.csv")):
        table = _tables().get(path.name.split(".")[0])
        if table is None:
            raise SeedError(f"{path.name}: no table of this name")
        found.setdefault(table, []).append(_Source(path.name, path, []))
    for table, stated in stated_rows().items() if directory == SEEDS else ():
        found.setdefault(table, []).append(_Source(f"Spec.seeds: {table}", None, stated))
    return found


def _order(heads: dict[str, set[str]]) -> Iterable[str]:
    """Tables after those that their rows refer to; a table may refer to its own earlier rows."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for table in sorted(heads):
        known = fields_of(entity_of(table))
        targets = {known[name].target for name in heads[table] if name in known}
        sorter.add(
            table, *sorted(target for target in targets if target in heads and target != table)
        )
    return sorter.static_order()


class _Loader:
    """Loads the files of one table, remembering the ids behind the natural keys it refers to."""

    def __init__(self, session: Session, model: type[Entity], others: dict[str, "_Loader"]) -> None:
        self.session = session
        self.model = model
        self.others = others
        self.fields = fields_of(model)
        self.owner = owner_of(model)
        self.ids: dict[str, dict[str, int]] = {}
        self.made: dict[str, Entity] = {}
        self.left_out: dict[str, dict[str, str]] = {}
        if not model.spec.key:
            raise SeedError(f"{model.__tablename__}: no natural key in its Spec")

    def load(self, sources: list[_Source]) -> None:
        """Insert the missing rows of these sources."""
        own = self._known(self.model.__tablename__)
        for source in sources:
            for line, row in enumerate(source.rows(), 2):
                try:
                    key = "|".join(
                        self._part(name, row.get(name, "")) for name in self.model.spec.key
                    )
                    if key in own or key in self.made:
                        continue
                    if self._is_of_users(row) or key in self._given_up:
                        self.left_out[key] = row
                    else:
                        self._insert(key, row)
                except (KeyError, ValueError) as error:
                    raise SeedError(f"{source.name}:{line}: {error}") from error
        self.session.flush()

    def _insert(self, key: str, row: dict[str, str]) -> None:
        made = self.model(**self._values(row))
        self.made[key] = made
        self.session.add(made)
        if any(facts.target == self.model.__tablename__ for facts in self.fields.values()):
            self.session.flush()
            self._known(self.model.__tablename__)[key] = made.id

    def _values(self, row: dict[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, text in row.items():
            facts = self.fields[name]
            if text == "":
                continue  # the column's own default holds
            if facts.kind == "reference":
                values[name] = self._id(facts.target, text)
            elif facts.kind == "json":
                values[name] = json.loads(text)
            else:
                values[name] = coerce(facts, text)
        return values

    def _id(self, table: str, key: str) -> int:
        """The id behind a natural key; a row that was left out comes back when something new needs it."""
        known, other = self._known(table), self.others.get(table)
        if key not in known and other is not None:
            if key in other.left_out:
                other._insert(key, other.left_out.pop(key))  # noqa: SLF001 - of the same class
                self.session.flush()
            known[key] = other.made[key].id
        return known[key]

    def _known(self, table: str) -> dict[str, int]:
        if table not in self.ids:
            self.ids[table] = ids_by_key(self.session, entity_of(table))
        return self.ids[table]

    def _part(self, name: str, text: str) -> str:
        """One part of a natural key as the seed files write it."""
        facts = self.fields[name]
        if text == "":
            return str(plain(facts.default)) if facts.default is not None else ""
        return text if facts.target else str(plain(coerce(facts, text)))

    def _is_of_users(self, row: dict[str, str]) -> bool:
        """Whether the row belongs to a whole that users have had before, or do without."""
        place, whole = (
            (f"{self.owner[0]}_id", self.owner[1].__tablename__) if self.owner else ("", "")
        )
        for name in {*self.model.spec.key, place} & row.keys():
            other = self.others.get(self.fields[name].target)
            if other is not None and row[name] in other.left_out:
                return True
        if (
            not whole
            or self.model.__tablename__ in GROWING
            or row[place] in self.others[whole].made
        ):
            return False
        return row[place] in self._known(whole)

    @cached_property
    def _given_up(self) -> set[str]:
        """Natural keys of records that users deleted or gave another key, as the trail tells from today backwards."""
        told = select(AuditLog.record_id, AuditLog.changes).where(
            AuditLog.table_name == self.model.__tablename__,
            AuditLog.action.in_(("UPDATE", "DELETE")),
        )
        held: dict[int, dict[str, Any]] = {}
        found = set()
        for record_id, changes in self.session.execute(told.order_by(AuditLog.id.desc())):
            if not changes.keys().isdisjoint(self.model.spec.key):
                values = held.setdefault(record_id, self._present(record_id))
                values |= {name: before for name, (before, _) in changes.items()}
                found.add(
                    "|".join(self._told(name, values.get(name)) for name in self.model.spec.key)
                )
        return found

    def _present(self, record_id: int) -> dict[str, Any]:
        record = self.session.get(self.model, record_id)
        return (
            {name: plain(getattr(record, name)) for name in self.model.spec.key} if record else {}
        )

    def _told(self, name: str, value: Any) -> str:
        """One part of a natural key as the trail writes it: a reference by its id."""
        target = self.fields[name].target
        if not target:
            return self._part(name, "") if value is None else str(value)
        return next((key for key, found in self._known(target).items() if found == value), "")


def ids_by_key(session: Session, model: type[Entity]) -> dict[str, int]:
    """Id of each record by its natural key."""
    names = model.spec.key
    known = fields_of(model)
    behind: dict[str, dict[int, str]] = {}
    for name in names:
        target = known[name].target
        if target:
            behind[name] = {
                found: key for key, found in ids_by_key(session, entity_of(target)).items()
            }
    query = select(model.id, *(getattr(model, name) for name in names)).order_by(model.id.desc())
    return {
        "|".join(
            behind[name].get(value, "")
            if name in behind
            else ("" if value is None else str(plain(value)))
            for name, value in zip(names, values, strict=True)
        ): record_id
        for record_id, *values in session.execute(query)
    }


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            if None in row or None in row.values():
                raise SeedError(f"{path.name}: a row has more or fewer cells than the header")
            yield {name: text.strip() for name, text in row.items()}
