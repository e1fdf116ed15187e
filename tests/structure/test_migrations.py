"""Migrations and models agree: what `init` makes of an empty database is what the models say."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select, text

from app import create_app
from app.extensions import bind_migrations, db
from app.readiness import newest_migration, require_fitting, standing
from models.approval.approval import ApprovalTask
from models.base.actor import SYSTEM
from models.base.entity import entities
from models.ledger.account import Account
from models.ledger.rule import PostingRule, PostingRuleLine
from models.ledger.voucher import Voucher, VoucherState
from models.registry import metadata
from models.system.organization import Department, Employee, Operator, PasswordHistory
from models.system.proof import EDITIONS, SEALED
from tests.template import settings_of
from workflows.base.context import Ctx
from workflows.ledger import chain
from workflows.ledger.guards import wrong_guards
from workflows.system import operators

BEGINS_WITH = "installed"
on_sqlite = pytest.mark.parametrize("db_kind", ["sqlite"], indirect=True, scope="module")
# Undoes 0006, as far as it is about what was there before.
SIGN_IN_BACK = (
    "DROP TABLE sign_in_session",
    "DROP TABLE known_place",
    "DROP TABLE sign_in_count",
    "ALTER TABLE operator ADD COLUMN session_epoch INTEGER NOT NULL DEFAULT 1",
    "UPDATE alembic_version SET version_num = '0005'",
)


def _hire(session):
    ctx = Ctx(session, SYSTEM, date(2026, 11, 28), datetime(2026, 11, 28, tzinfo=UTC), "cli")
    place = Department(code="01", name="部门", path="/1/")
    session.add(place)
    session.flush()
    person = Employee(number="E1", name="员工", department_id=place.id)
    session.add(person)
    session.flush()
    operators.create_operator(ctx, person, "yi", "Huoche-2026-A", [])


def _operators(session):
    """What there is of operators: themselves and the passwords they have had."""
    people = select(
        Operator.id, Operator.username, Operator.failed_count, Operator.must_change_password
    )
    return session.execute(people).all(), session.execute(
        select(PasswordHistory.id, PasswordHistory.operator_id)
    ).all()


# The search engine's own tables, as in models/migrations/env.py, which runs when imported.
NOT_OURS = ("search_index", "alembic_version", "ix_search_text_words")


def is_ours(_found, name, kind, _reflected, _compare_to):
    return not (kind in {"table", "index"} and (name or "").startswith(NOT_OURS))


def test_nothing_is_left_to_migrate(engine):
    with engine.connect() as connection:
        options = {"compare_type": True, "include_object": is_ours, "render_as_batch": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_newest_file_is_the_newest_migration():
    """A start compares the database with the names of the files; alembic would take longer to say the same."""
    app = SimpleNamespace(config={"PROJECT_DIR": "."})
    assert newest_migration(app) == ScriptDirectory("models/migrations").get_current_head()


def test_a_migration_that_writes_a_sealed_table_has_it_taken_in_anew():
    """Else `verify` takes what an upgrade wrote for tampering; 0009 brought the seals."""
    for path in sorted(Path("models/migrations/versions").glob("[0-9]*.py")):
        does = path.read_text(encoding="utf-8").partition("def downgrade")[0]
        words = r"\b(?:update|insert into|delete from)\s+(\w+)"
        written = set(re.findall(words, does, re.IGNORECASE)) & set(SEALED)
        assert path.name[:4] <= "0009" or written <= EDITIONS.keys(), path.name


def test_every_table_is_there_with_its_checks(engine):
    found = inspect(engine)
    names = set(found.get_table_names())
    for model in entities():
        table = model.__table__
        assert table.name in names
        wanted = {
            c.name
            for c in table.constraints
            if c.__class__.__name__ == "CheckConstraint" and c.name
        }
        assert wanted <= {check["name"] for check in found.get_check_constraints(table.name)}, (
            table.name
        )


def test_an_installation_guards_its_posted_vouchers(engine):
    with engine.connect() as connection:
        assert not wrong_guards(connection)


def test_the_end_of_epochs_takes_nothing_of_an_operator_along(db_kind, database_at, tmp_path):
    """An installation of before, with people in it: what belongs to an operator is still there."""
    with database_at("installed") as url:
        app = create_app(settings_of(url, tmp_path))
        with app.app_context():
            bind_migrations(app)
            connection = db.session.connection()
            for statement in SIGN_IN_BACK:
                connection.exec_driver_sql(statement)
            _hire(db.session())
            db.session.commit()
            before = _operators(db.session())
            db.session.commit()
            upgrade(revision="0006")  # what came later is there already
            assert _operators(db.session()) == before
            assert len(before[0]) == len(before[1]) == 1
            db.session.remove()
            db.engine.dispose()


def test_tasks_come_through_the_change_of_their_key(database_at, tmp_path):
    """SQLite makes their table anew: rows, checks and indexes are there afterwards."""
    script = ScriptDirectory("models/migrations").get_revision("0016").module
    with database_at("demo") as url:
        app = create_app(settings_of(url, tmp_path))
        with app.app_context():
            tasks = select(*ApprovalTask.__table__.c).order_by(ApprovalTask.id)
            with (
                db.engine.begin() as connection,
                Operations.context(MigrationContext.configure(connection)),
            ):
                before = connection.execute(tasks).all()
                script.downgrade()
                script.upgrade()
                assert connection.execute(tasks).all() == before
                assert len(before) > 100
            require_fitting(app, standing(app))
            db.session.remove()
            db.engine.dispose()


@on_sqlite
def test_a_migration_leaves_no_key_without_its_row(db_kind, database_at, tmp_path, caplog):
    """SQLite does not watch keys while it makes tables anew: each migration is asked for what it lost, and undone."""
    with database_at("installed") as url:
        app = create_app(settings_of(url, tmp_path))
        with app.app_context():
            bind_migrations(app)
            newest = newest_migration(app)
            downgrade(revision="-1")
            before = db.session.scalar(text("select version_num from alembic_version"))
            db.session.commit()
            raw = db.engine.raw_connection()
            raw.driver_connection.execute("PRAGMA foreign_keys = OFF")
            raw.driver_connection.execute("update dictionary_item set created_by_id = 999999")
            raw.driver_connection.execute("PRAGMA foreign_keys = ON")
            raw.close()
            with pytest.raises(SystemExit):
                upgrade()
            assert f"迁移 {newest} 后有引用没有对应的行" in caplog.text
            assert db.session.scalar(text("select version_num from alembic_version")) == before
            assert db.session.scalar(text("PRAGMA foreign_keys")) == 1
            db.session.remove()
            db.engine.dispose()


@pytest.mark.parametrize("name", ["待转销项税额", "应交房产税"])
def test_rules_of_an_installation_learn_of_vat_that_is_not_due(database_at, tmp_path, name):
    """Every rule that books VAT gets its line, on an account of its own, also where the code is taken by another."""
    script = ScriptDirectory("models/migrations").get_revision("0019").module
    with database_at("installed") as url:
        app = create_app(settings_of(url, tmp_path))
        with app.app_context():
            named = Account.__table__.update().where(Account.code == "2221.09").values(name=name)
            with (
                db.engine.begin() as connection,
                Operations.context(MigrationContext.configure(connection)),
            ):
                script.downgrade()
                connection.execute(named)
                script.upgrade()
            lines = select(PostingRuleLine).where(PostingRuleLine.amount_key == "tax_pending")
            found = {line.posting_rule.event_code: line for line in db.session.scalars(lines)}
            assert set(found) == {"fee.registered", "fee.waived", "fee.reversed", "fee.refunded"}
            assert {line.account.name for line in found.values()} == {"待转销项税额"}
            assert (found["fee.registered"].is_red, found["fee.waived"].is_red) == (False, True)
            moving = db.session.scalars(
                select(PostingRule).where(PostingRule.event_code == "vat.due")
            ).one()
            assert [(line.side.name, line.account.code) for line in moving.lines] == [
                ("DEBIT", "2221.09" if name == "待转销项税额" else "2221.10"),
                ("CREDIT", "2221.01.02"),
            ]
            db.session.remove()
            db.engine.dispose()


def test_what_waits_for_posting_is_as_reviewed_after_the_upgrade(database_at, tmp_path):
    """The migration works out what a review keeps today."""
    script = ScriptDirectory("models/migrations").get_revision("0022").module
    with database_at("demo") as url:
        app = create_app(settings_of(url, tmp_path))
        with app.app_context():
            drafts = select(Voucher).where(Voucher.state == VoucherState.DRAFT)
            draft = db.session.scalars(drafts.order_by(Voucher.id)).first()
            by = select(Employee.id).where(Employee.id != draft.prepared_by_id).limit(1)
            draft.reviewed_by_id, draft.reviewed_at = db.session.scalar(by), datetime.now(UTC)
            draft.state = VoucherState.REVIEWED
            db.session.flush()
            wanted = select(Voucher.id, Voucher.reviewed_hash).where(
                Voucher.state.in_((VoucherState.REVIEWED, VoucherState.SIGNED))
            )
            draft.reviewed_hash = chain.seen(draft)
            db.session.commit()
            before = db.session.execute(wanted.order_by(Voucher.id)).all()
            db.session.commit()
            with (
                db.engine.begin() as connection,
                Operations.context(MigrationContext.configure(connection)),
            ):
                script.downgrade()
                script.upgrade()
            assert db.session.execute(wanted.order_by(Voucher.id)).all() == before
            assert before
            require_fitting(app, standing(app))
            db.session.remove()
            db.engine.dispose()
