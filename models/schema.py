"""Whether the tables of a database are those of the models: one question to the database, compared as a set of facts.

Asked at every start, so it takes milliseconds: alembic's own comparison reflects table by table and takes seconds.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from sqlalchemy import CheckConstraint, Connection, Dialect, MetaData, Table, UniqueConstraint, text

from models.base import fields
from models.base.entity import entities

COLUMN, NEEDED, INDEX, UNIQUE, KEY, CHECK = "column", "needed", "index", "unique", "key", "check"
_SOURCE: Final = "source"  # the CREATE TABLE that SQLite keeps: the only place where it tells the names of checks
SHOWN: Final = 5
WORDS: Final = {INDEX: "索引", UNIQUE: "唯一约束", KEY: "外键", CHECK: "检查约束"}


class Fact(NamedTuple):
    """One thing that a database has: a column with its type, an index, a constraint."""

    table: str
    kind: str
    name: str
    detail: str = ""


_SQLITE: Final = """
SELECT m.name, 'column', p.name, upper(p.type) || CASE WHEN p."notnull" THEN ' NOT NULL' ELSE '' END
  FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'
UNION ALL SELECT m.name, 'needed', p.name, ''
  FROM sqlite_master m JOIN pragma_table_info(m.name) p
 WHERE m.type = 'table' AND p."notnull" AND NOT p.pk AND p.dflt_value IS NULL
UNION ALL SELECT m.name, 'key', f."from", f."table"
  FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
UNION ALL SELECT tbl_name, 'index', name, '' FROM sqlite_master WHERE type = 'index'
UNION ALL SELECT m.name, 'unique', (SELECT group_concat(x.name) FROM pragma_index_info(i.name) x), ''
  FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i."unique" AND NOT i.partial
UNION ALL SELECT name, 'source', sql, '' FROM sqlite_master WHERE type = 'table'
"""
_POSTGRESQL: Final = """
WITH mine AS (SELECT oid, relname FROM pg_class
               WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace)
SELECT m.relname, 'column', a.attname::text,  -- a name would cut the lists of names below
       format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
  FROM mine m JOIN pg_attribute a ON a.attrelid = m.oid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT m.relname, 'needed', a.attname, ''
  FROM mine m JOIN pg_attribute a ON a.attrelid = m.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
   AND NOT EXISTS (SELECT 1 FROM pg_index p WHERE p.indrelid = m.oid AND p.indisprimary AND a.attnum = ANY (p.indkey))
UNION ALL SELECT m.relname, 'key', a.attname, t.relname
  FROM mine m JOIN pg_constraint c ON c.conrelid = m.oid AND c.contype = 'f'
  JOIN pg_class t ON t.oid = c.confrelid JOIN pg_attribute a ON a.attrelid = m.oid AND a.attnum = ANY (c.conkey)
UNION ALL SELECT m.relname, 'check', c.conname, ''
  FROM mine m JOIN pg_constraint c ON c.conrelid = m.oid AND c.contype = 'c'
UNION ALL SELECT m.relname, 'index', i.relname, ''
  FROM mine m JOIN pg_index x ON x.indrelid = m.oid AND x.indisvalid JOIN pg_class i ON i.oid = x.indexrelid
UNION ALL SELECT m.relname, 'unique', (SELECT string_agg(a.attname, ',') FROM pg_attribute a
                                        WHERE a.attrelid = m.oid AND a.attnum = ANY (x.indkey)), ''
  FROM mine m JOIN pg_index x ON x.indrelid = m.oid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL
"""
# How PostgreSQL calls the types that SQLAlchemy asks it for.
_POSTGRESQL_TYPES: Final = {"varchar": "character varying", "float": "double precision"}


def facts_of(connection: Connection) -> set[Fact]:
    """What the database has."""
    rows = connection.execute(text(_SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL))
    return {fact for row in rows if row[2] for fact in _told(*row)}


def _told(table: str, kind: str, name: str, detail: str) -> Iterator[Fact]:
    if kind == _SOURCE:
        for found in re.findall(r'CONSTRAINT "?(\w+)"? CHECK', name):
            yield Fact(table, CHECK, found)
    elif kind == UNIQUE:
        yield Fact(table, kind, _names(name.split(",")))
    else:
        yield Fact(table, kind, name, detail)


def facts_wanted(metadata: MetaData, dialect: Dialect) -> set[Fact]:
    """What the models say that the database has."""
    return {fact for table in metadata.tables.values() for fact in _wanted(table, dialect)}


def _wanted(table: Table, dialect: Dialect) -> Iterator[Fact]:
    for column in table.columns:
        type_ = column.type.compile(dialect=dialect)
        if dialect.name == "postgresql":
            head, bracket, rest = type_.lower().partition("(")
            type_ = _POSTGRESQL_TYPES.get(head, head) + bracket + rest.replace(" ", "")
        yield Fact(
            table.name, COLUMN, column.name, type_ + ("" if column.nullable else " NOT NULL")
        )
        for key in column.foreign_keys:
            yield Fact(table.name, KEY, column.name, key.target_fullname.partition(".")[0])
    for index in table.indexes:
        yield Fact(table.name, INDEX, dialect.identifier_preparer.format_index(index).strip('"'))
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint) and constraint.name:
            yield Fact(table.name, CHECK, str(constraint.name))
        elif isinstance(constraint, UniqueConstraint):
            yield Fact(table.name, UNIQUE, _names(column.name for column in constraint.columns))


def _names(columns: Iterable[str]) -> str:
    return ",".join(sorted(columns))


def columns_in(facts: Iterable[Fact]) -> set[tuple[str, str]]:
    """(table, column) of each column, without the tables of SQLite itself."""
    return {
        (f.table, f.name) for f in facts if f.kind == COLUMN and not f.table.startswith("sqlite_")
    }


def differences(found: set[Fact], metadata: MetaData, dialect: Dialect) -> list[str]:
    """What a database with these facts lacks of the models, or demands beyond them, in words; empty when they agree."""
    wanted = facts_wanted(metadata, dialect)
    present = {fact.table for fact in found}
    known = columns_in(wanted)
    as_is = {(fact.table, fact.name): fact.detail for fact in found if fact.kind == COLUMN}
    told = [f"缺少数据表{_table(name)}" for name in sorted(metadata.tables.keys() - present)]
    for fact in sorted(wanted - found):
        if fact.table not in present:
            continue
        told.append(
            f"数据表{_table(fact.table)}{_lacking(metadata.tables[fact.table], fact, as_is)}"
        )
    told += [
        f"数据表{_table(fact.table)}多出必填字段 {fact.name}"
        for fact in sorted(found)
        if fact.kind == NEEDED
        and fact.table in metadata.tables
        and (fact.table, fact.name) not in known
    ]
    return told


def _lacking(table: Table, fact: Fact, as_is: dict[tuple[str, str], str]) -> str:
    if fact.kind != COLUMN:
        return f"缺少{WORDS[fact.kind]} {fact.name}"
    label = fields.facts_of(table.columns[fact.name]).label
    name = f"“{label}”（{fact.name}）" if label else f" {fact.name}"
    present = as_is.get((fact.table, fact.name))
    return f"缺少字段{name}" if present is None else f"字段{name}应为 {fact.detail}，实为 {present}"


def _table(name: str) -> str:
    label = {model.__tablename__: model.spec.label for model in entities()}.get(name)
    return f"“{label}”（{name}）" if label else f" {name} "


def lacking_columns(found: set[tuple[str, str]], wanted: set[tuple[str, str]]) -> list[str]:
    """The columns that are wanted and not found, as words."""
    tables = {table for table, _ in found}
    gone = sorted({table for table, _ in wanted} - tables)
    return [f"缺少数据表 {table}" for table in gone] + [
        f"数据表 {table} 缺少字段 {name}"
        for table, name in sorted(wanted - found)
        if table in tables
    ]


def summary(told: list[str]) -> str:
    """The first few of these differences and how many more there are."""
    rest = f"；……共 {len(told)} 处" if len(told) > SHOWN else ""
    return "；".join(told[:SHOWN]) + rest
