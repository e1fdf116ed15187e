"""Base data: every csv in models/seeds goes into the table it is named after; what users changed stays theirs.

A file is called <table>.csv, <table in plural>.csv or <table>.<part>.csv. Its header names columns; a reference is
given by the natural key (Spec.key) of the record it points to, the parts of the key joined by '|'. Rows are inserted
where their own natural key is missing, so loading again adds only what a new release brings.
"""

import csv
import json
from collections.abc import Iterable
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnDefault, select
from sqlalchemy.orm import Session

from models.base.entity import Entity, columns_of, entities, entity_of
from reports.figures import dictionaries, parameters
from workflows.base.audit import plain
from workflows.base.values import coerce

SEEDS: Final = Path(__file__).resolve().parents[2] / "models" / "seeds"


class SeedError(Exception):
    """A seed file of this release is wrong: a mistake of ours, never of a user."""


def load_base_data(session: Session, directory: Path = SEEDS) -> dict[str, int]:
    """Insert the missing rows of all seed files; the number of new rows by table.

    Raises SeedError naming file and line.
    """
    files = _files(directory)
    heads = {table: {name for path in paths for name in _head(path)} for table, paths in files.items()}
    added: dict[str, int] = {}
    # The trail tells of people; the base data of a release is known from the release.
    silent, session.info["no_audit"] = session.info.get("no_audit", False), True
    try:
        for table in _order(heads):
            added[table] = _Loader(session, entity_of(table)).load(files[table])
    finally:
        session.info["no_audit"] = silent
        dictionaries.forget(session)
        parameters.forget(session)
    return added


@cache
def _tables() -> dict[str, str]:
    """Table by the names a file may have for it."""
    names: dict[str, str] = {}
    for model in entities():
        table = model.__tablename__
        names[table] = table
        names[f"{table}s"] = table
    return names


def _files(directory: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(directory.glob("*.csv")):
        table = _tables().get(path.name.split(".")[0])
        if table is None:
            raise SeedError(f"{path.name}: no table of this name")
        found.setdefault(table, []).append(path)
    return found


def _head(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _order(heads: dict[str, set[str]]) -> Iterable[str]:
    """Tables after those that their rows refer to; a table may refer to its own earlier rows."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for table in sorted(heads):
        known = columns_of(entity_of(table))
        targets = {known[name].info.get("target") for name in heads[table] if name in known}
        sorter.add(table, *sorted(target for target in targets if target in heads and target != table))
    return sorter.static_order()


class _Loader:
    """Loads the files of one table, remembering the ids behind the natural keys it refers to."""

    def __init__(self, session: Session, model: type[Entity]) -> None:
        self.session = session
        self.model = model
        self.columns = columns_of(model)
        self.ids: dict[str, dict[str, int]] = {}
        if not model.spec.key:
            raise SeedError(f"{model.__tablename__}: no natural key in its Spec")

    def load(self, paths: list[Path]) -> int:
        """Insert the missing rows of these files."""
        own = self._known(self.model.__tablename__)
        refers_to_itself = any(
            column.info.get("target") == self.model.__tablename__ for column in self.columns.values()
        )
        fresh: dict[str, Entity] = {}
        for path in paths:
            for line, row in enumerate(_rows(path), 2):
                try:
                    values = self._values(row)
                    key = "|".join(self._part(name, values.get(name)) for name in self.model.spec.key)
                except (KeyError, ValueError) as error:
                    raise SeedError(f"{path.name}:{line}: {error}") from error
                if key in own or key in fresh:
                    continue
                fresh[key] = self.model(**values)
                self.session.add(fresh[key])
                if refers_to_itself:
                    self.session.flush()
                    own[key] = fresh[key].id
        self.session.flush()
        return len(fresh)

    def _values(self, row: dict[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, text in row.items():
            column = self.columns[name]
            if text == "":
                continue  # the column's own default holds
            if column.info["kind"] == "reference":
                values[name] = self._known(column.info["target"])[text]
            elif column.info["kind"] == "json":
                values[name] = json.loads(text)
            else:
                values[name] = coerce(column, text)
        return values

    def _known(self, table: str) -> dict[str, int]:
        if table not in self.ids:
            self.ids[table] = _ids_by_key(self.session, entity_of(table))
        return self.ids[table]

    def _part(self, name: str, value: Any) -> str:
        """One part of a natural key as the seed files write it."""
        default = self.columns[name].default
        if value is None and isinstance(default, ColumnDefault):
            value = default.arg
        target = self.columns[name].info.get("target")
        if target is None or value is None:
            return "" if value is None else str(plain(value))
        return next(key for key, found in self._known(target).items() if found == value)


def _ids_by_key(session: Session, model: type[Entity]) -> dict[str, int]:
    """Id of each record by its natural key."""
    names = model.spec.key
    known = columns_of(model)
    behind: dict[str, dict[int, str]] = {}
    for name in names:
        target = known[name].info.get("target")
        if target:
            behind[name] = {found: key for key, found in _ids_by_key(session, entity_of(target)).items()}
    query = select(model.id, *(getattr(model, name) for name in names)).order_by(model.id.desc())
    return {
        "|".join(
            behind[name].get(value, "") if name in behind else ("" if value is None else str(plain(value)))
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
