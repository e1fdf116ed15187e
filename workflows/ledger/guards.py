"""Database triggers that keep posted vouchers as they are, whoever writes SQL (architecture rule 6).

Migrations that rebuild a table drop its triggers: `install_guards` puts them back, `wrong_guards` finds what is wrong.
"""

from sqlalchemy import Connection, text

from models.system.search import SQLITE_TRIGGERS

_MESSAGE = "已记账凭证不可修改或删除"
_REPLACED_ENTRY = (
    "EXISTS (SELECT 1 FROM voucher_entry e JOIN voucher v ON v.id = e.voucher_id "
    "WHERE e.id = NEW.id AND v.state = 'POSTED')"
)
# Asked by the primary key alone: with the state in the WHERE, PostgreSQL without statistics reads all posted vouchers.
_OLD_POSTED = "coalesce((SELECT state FROM voucher WHERE id = OLD.voucher_id), '') = 'POSTED'"
_NEW_POSTED = _OLD_POSTED.replace("OLD.", "NEW.")
# One question for each unique key: a single one with OR reads all posted vouchers at every insert.
_REPLACED_VOUCHER = " OR ".join(
    f"EXISTS (SELECT 1 FROM voucher WHERE {same} AND +state = 'POSTED')"  # noqa: S608 - no value of anybody's
    for same in (
        "id = NEW.id",
        "posting_no = NEW.posting_no",
        "code = NEW.code",
        "word_id = NEW.word_id AND period_id = NEW.period_id AND number = NEW.number",
    )
)


# name -> (table, event, condition). The inserts catch INSERT OR REPLACE, which deletes without asking a delete trigger.
_SQLITE = {
    "guard_voucher_update": ("voucher", "UPDATE", "OLD.state = 'POSTED'"),
    "guard_voucher_delete": ("voucher", "DELETE", "OLD.state = 'POSTED'"),
    "guard_voucher_insert": (
        "voucher",
        "INSERT",
        _REPLACED_VOUCHER,
    ),
    "guard_entry_update": ("voucher_entry", "UPDATE", f"{_OLD_POSTED} OR {_NEW_POSTED}"),
    "guard_entry_delete": ("voucher_entry", "DELETE", _OLD_POSTED),
    "guard_entry_insert": (
        "voucher_entry",
        "INSERT",
        f"{_NEW_POSTED} OR {_REPLACED_ENTRY}",
    ),
}
_POSTGRESQL = {name: facts for name, facts in _SQLITE.items() if name != "guard_voucher_insert"}
_FUNCTIONS = {
    "voucher": f"""
CREATE OR REPLACE FUNCTION guard_voucher() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF OLD.state = 'POSTED' THEN RAISE EXCEPTION '{_MESSAGE}'; END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $body$""",
    "voucher_entry": f"""
CREATE OR REPLACE FUNCTION guard_voucher_entry() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    IF {_OLD_POSTED} THEN RAISE EXCEPTION '{_MESSAGE}'; END IF;
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  IF {_NEW_POSTED} THEN RAISE EXCEPTION '{_MESSAGE}'; END IF;
  RETURN NEW;
END $body$""",
}


def install_guards(connection: Connection) -> None:
    """Make the triggers, anew where they exist; the caller commits."""
    if connection.dialect.name == "sqlite":
        for name in _SQLITE:
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
            connection.exec_driver_sql(_sqlite_trigger(name))
        return
    for function in _FUNCTIONS.values():
        connection.exec_driver_sql(function)
    for name, (table, _, _) in _POSTGRESQL.items():
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name} ON {table}"))
        connection.execute(text(_postgresql_trigger(name)))


def wrong_guards(connection: Connection) -> list[str]:
    """What is wrong with the triggers: missing, switched off, no longer saying what ours say, or not ours."""
    if connection.dialect.name == "sqlite":
        return _wrong_on_sqlite(connection)
    return _wrong_on_postgresql(connection)


def _wrong_on_sqlite(connection: Connection) -> list[str]:
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    found = {str(name): str(sql) for name, sql in connection.execute(query)}
    wrong = [
        _wrong(name, name in found) for name in _SQLITE if found.get(name) != _sqlite_trigger(name)
    ]
    known = {name for name, words in SQLITE_TRIGGERS.items() if found.get(name) == words}
    return wrong + _strangers(found.keys() - _SQLITE.keys() - known)


def _wrong_on_postgresql(connection: Connection) -> list[str]:
    sources = text("SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'guard%'")
    bodies = {str(name): str(body) for name, body in connection.execute(sources)}
    wanted = {name: function.split("$body$")[1] for name, function in _FUNCTIONS.items()}
    query = text(
        "SELECT t.tgname, t.tgenabled, pg_get_triggerdef(t.oid, true) FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid AND c.relnamespace = current_schema()::regnamespace "
        "WHERE NOT t.tgisinternal"
    )
    present = {
        name: (_enabled(enabled), definition)
        for name, enabled, definition in connection.execute(query)
    }
    wrong = [
        _wrong(name, name in present)
        for name, (table, _, _) in _POSTGRESQL.items()
        if present.get(name) != (True, _postgresql_trigger(name))
        or bodies.get(f"guard_{table}") != wanted[table]
    ]
    return wrong + _strangers(present.keys() - _POSTGRESQL.keys())


def _strangers(names: set[str]) -> list[str]:
    """Triggers of somebody else's: they could write whatever they like with each row that the product saves."""
    return [f"数据库中有不属于本系统的触发器 {name}" for name in sorted(names)]


def _wrong(name: str, is_there: bool) -> str:
    return (
        f"已记账凭证的数据库保护触发器 {name} 被停用或改写"
        if is_there
        else "已记账凭证的数据库保护触发器缺失"
    )


def _sqlite_trigger(name: str) -> str:
    table, event, condition = _SQLITE[name]
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
    )


def _postgresql_trigger(name: str) -> str:
    table, event, _ = _POSTGRESQL[name]
    return f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION guard_{table}()"


def _enabled(how: str | bytes) -> bool:
    """Active for ordinary sessions ('O') or always ('A')."""
    return (how.decode() if isinstance(how, bytes) else how) in ("O", "A")
