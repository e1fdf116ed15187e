"""How the template database of the tests comes to its tables and base data."""

import contextlib
import importlib
import pkgutil

from flask_appbuilder import Model
from sqlalchemy import Table, create_engine

import models


def prepare(url: str) -> None:
    """Give the empty database at `url` all tables."""
    for module in pkgutil.walk_packages(models.__path__, "models.", onerror=lambda _name: None):
        if ".migrations" not in module.name:
            with contextlib.suppress(ImportError):  # an area that waits for a neighbour; its own tests will say so
                importlib.import_module(module.name)
    importlib.import_module("flask_appbuilder.security.sqla.models")
    engine = create_engine(url)
    Model.metadata.create_all(engine, tables=_complete_tables())
    engine.dispose()


def _complete_tables() -> list[Table]:
    """Return the tables whose foreign keys all lead to known tables: areas appear one after the other."""
    tables = dict(Model.metadata.tables)
    while dangling := [name for name, table in tables.items() if not _targets(table) <= tables.keys()]:
        for name in dangling:
            del tables[name]
    return list(tables.values())


def _targets(table: Table) -> set[str]:
    return {key.target_fullname.rpartition(".")[0] for key in table.foreign_keys}
