"""A new release on the database of an earlier one: what it brings arrives by itself, what administrators did stays."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    ViewMenu,
    assoc_permissionview_role,
)
from sqlalchemy import delete, func, insert, select, text

from app import create_app, lifecycle, readiness
from app.extensions import db
from app.lifecycle import initialise, sync_permissions
from app.readiness import fingerprint, is_ready
from app.roles import all_permissions
from models.base.actor import SYSTEM
from models.system.role import RoleProfile
from models.system.search import EDITION, key_base, search_text
from models.system.setup import SystemState
from tests.template import settings_of
from workflows.base.audit import seal_rows
from workflows.base.context import Ctx
from workflows.base.seeds import SEEDS
from workflows.ledger.guards import wrong_guards
from workflows.system.proofs import verify_trail

BEGINS_WITH = "installed"
_BOARD = ("review_meeting", "meeting_item", "meeting_member")
BOARD = [(f"can_{verb}", table) for table in _BOARD for verb in ("list", "show")]
BANK = ("can_add", "partner_bank")
VERB = ("can_unbook", "business_event")  # of 会计 and 财务主管


def test_a_forgotten_migration_is_named_as_such(app, monkeypatch):
    """Whoever added a column is told to write its migration, not to look for a backup."""
    with app.app_context():
        found = readiness.standing(app)
        made = readiness._columns_at(app, found.revision) - {("release", "note")}
        monkeypatch.setattr(readiness, "_columns_at", lambda *_: made)
        less = {fact for fact in found.facts if (fact.table, fact.name) != ("release", "note")}
        with pytest.raises(
            readiness.Unfit, match="模型比迁移多：数据表 release 缺少字段 note。请先执行 make mig"
        ):
            readiness.require_fitting(app, replace(found, facts=less))


def pair_id(session, permission, table):
    query = (
        select(PermissionView.id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(Permission.name == permission, ViewMenu.name == table)
    )
    return session.scalar(query)


def take_away(session, pair, *roles):
    """What an administrator does on the page of a role."""
    links = assoc_permissionview_role.c
    ids = select(Role.id).where(Role.name.in_(roles)) if roles else select(Role.id)
    session.execute(
        delete(assoc_permissionview_role).where(
            links.permission_view_id == pair_id(session, *pair), links.role_id.in_(ids)
        )
    )


def forget(session, pair):
    """The database of a release that did not have this permission yet."""
    take_away(session, pair)
    session.execute(delete(PermissionView).where(PermissionView.id == pair_id(session, *pair)))
    session.expire_all()


def holders(session, pair):
    links = assoc_permissionview_role.c
    query = select(Role.name).join(assoc_permissionview_role, links.role_id == Role.id)
    return set(session.scalars(query.where(links.permission_view_id == pair_id(session, *pair))))


def test_a_new_verb_reaches_the_roles_it_is_meant_for(session):
    meant = holders(session, VERB)
    assert meant == {"会计", "财务主管"}
    forget(session, VERB)
    assert holders(session, VERB) == set()
    sync_permissions(session)
    assert holders(session, VERB) == meant


def test_what_an_administrator_took_away_stays_away(session):
    take_away(session, VERB, "会计")
    sync_permissions(session)
    assert holders(session, VERB) == {"财务主管"}


def test_a_role_that_somebody_made_gets_nothing_by_itself(session):
    """Neither for its rights nor for its name: a release may call a role of its own as somebody has called theirs."""
    session.add(Role(name="我们的会计"))
    theirs = session.scalars(select(RoleProfile).where(RoleProfile.name == "会计")).one()
    theirs.is_builtin = False
    forget(session, VERB)
    sync_permissions(session)
    assert holders(session, VERB) == {"财务主管"}


def test_a_new_role_comes_with_all_its_rights(session):
    role = session.scalars(select(Role).where(Role.name == "出纳")).one()
    links = assoc_permissionview_role.c
    rights = set(session.scalars(select(links.permission_view_id).where(links.role_id == role.id)))
    session.execute(delete(assoc_permissionview_role).where(links.role_id == role.id))
    session.execute(delete(RoleProfile).where(RoleProfile.role_id == role.id))
    session.execute(delete(Role).where(Role.id == role.id))
    session.expunge_all()
    sync_permissions(session)
    again = session.scalars(select(RoleProfile).where(RoleProfile.name == "出纳")).one()
    assert again.is_builtin
    assert (
        set(session.scalars(select(links.permission_view_id).where(links.role_id == again.role_id)))
        == rights
    )


@pytest.fixture
def app(db_url, tmp_path):
    app = create_app(settings_of(db_url, tmp_path))
    yield app
    with app.app_context():
        lifecycle.db.session.remove()
        lifecycle.db.engine.dispose()


def ready(app):
    with app.app_context():
        return is_ready(app)


def test_an_installation_is_ready(app):
    assert ready(app)


def test_an_empty_database_is_not_ready(tmp_path):
    assert not ready(create_app(settings_of(f"sqlite:///{tmp_path}/empty.db", tmp_path)))


def test_a_new_migration_is_noticed(app, monkeypatch):
    monkeypatch.setattr(readiness, "newest_migration", lambda _app: "9999")
    assert not ready(app)


def test_a_new_verb_is_noticed_and_loaded(app, monkeypatch):
    more = all_permissions() | {"voucher": all_permissions()["voucher"] | {"frame"}}
    for module in (lifecycle, readiness):
        monkeypatch.setattr(module, "all_permissions", lambda: more)
    assert not ready(app)
    with app.app_context():
        initialise(app)
    assert ready(app)


def test_an_index_of_an_older_release_is_built_anew_at_the_start(app):
    """It held the parts of masked values, by which they could be guessed."""
    with app.app_context():
        session = lifecycle.db.session()
        session.execute(
            insert(search_text).values(id=key_base("personal_customer") + 1, words="y3201")
        )
        state = session.get_one(SystemState, 1)
        state.search_edition, state.base_data_version = 1, 0
        session.commit()
        initialise(app)
        assert session.get_one(SystemState, 1).search_edition == EDITION
        assert (
            session.scalar(
                select(func.count()).where(search_text.c.id == key_base("personal_customer") + 1)
            )
            == 0
        )
        assert session.scalar(select(func.count()).select_from(search_text)) > 0
    assert ready(app)


def _older(session):
    """An installation whose security administrator reads meetings, and whose system administrator adds no bank."""
    role = session.scalars(
        select(RoleProfile.role_id).where(RoleProfile.name == "安全管理员")
    ).one()
    for pair in BOARD:
        values = {"role_id": role, "permission_view_id": pair_id(session, *pair)}
        session.execute(insert(assoc_permissionview_role).values(values))
    take_away(session, BANK, "系统管理员")
    manager = session.scalars(select(Role.id).where(Role.name == "客户经理")).one()
    values = {"role_id": manager, "permission_view_id": pair_id(session, *BANK)}
    session.execute(insert(assoc_permissionview_role).values(values))
    state = session.get_one(SystemState, 1)
    state.role_edition, state.base_data_version = 0, 0
    ctx = Ctx(session, SYSTEM, state.business_date, datetime.now(UTC), "cli")
    seal_rows(ctx, "ab_role", session.scalars(select(Role.id)))
    session.commit()


def test_built_in_roles_of_an_installation_are_brought_up_once(app):
    with app.app_context():
        session = lifecycle.db.session()
        meant = [holders(session, pair) for pair in (*BOARD, BANK)]
        _older(session)
        assert holders(session, BOARD[0]) == meant[0] | {"安全管理员"}
        assert "客户经理" in holders(session, BANK)
        initialise(app)
        assert [holders(session, pair) for pair in (*BOARD, BANK)] == meant
        assert "系统管理员" in meant[-1]
        assert verify_trail(session) == []  # the trail tells of it
        take_away(session, BANK, "系统管理员")
        session.get_one(SystemState, 1).base_data_version = 0
        session.commit()
        initialise(app)
        assert "系统管理员" not in holders(session, BANK)
    assert ready(app)


def test_new_base_data_is_noticed(app, tmp_path, monkeypatch):
    seeds = tmp_path / "seeds"
    shutil.copytree(SEEDS, seeds)
    monkeypatch.setattr(readiness, "SEEDS", seeds)
    before = fingerprint()
    with (seeds / "number_rule.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert fingerprint() != before
    (seeds / "templates" / "pledge.html").write_text("<p>新的文书</p>", encoding="utf-8")
    assert not ready(app)


def test_a_start_that_dies_on_the_way_is_taken_up_again(tmp_path, monkeypatch):
    """Nothing says that all is done before the guards of the vouchers are there."""
    app = create_app(settings_of(f"sqlite:///{tmp_path}/half.db", tmp_path))

    def die(_connection):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, app.app_context():
        patch.setattr(lifecycle.guards, "install_guards", die)
        with pytest.raises(KeyboardInterrupt):
            initialise(app)
        assert not is_ready(app)
    with app.app_context():
        initialise(app)
        assert is_ready(app)
        with lifecycle.db.engine.connect() as connection:
            assert not wrong_guards(connection)


@pytest.fixture
def empty(tmp_path):
    """The application over a database in which nothing is yet."""
    app = create_app(settings_of(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize(
    "args", [["day-end"], ["month-end", "--period", "2026-01"], ["backup"], ["verify"]]
)
def test_a_command_before_init_says_what_to_do_first(empty, args):
    answer = empty.test_cli_runner().invoke(args=args)
    assert answer.exit_code == 1
    assert "请先执行 flask --app run init" in answer.output
    assert "Traceback" not in answer.output


def test_the_demo_makes_its_database_ready_first(empty, monkeypatch):
    monkeypatch.setattr("app.demo.load_demo", lambda app, **_: is_ready(app))
    answer = empty.test_cli_runner().invoke(args=["demo"])
    assert answer.exit_code == 0, answer.output
    assert "演示数据已装入" in answer.output


def test_an_upgrade_that_died_before_the_trail_was_taken_in_is_no_tampering(empty):
    """The tables are there and the lines of before are not in a lane yet: `init` first, then `verify`."""
    initialise(empty)
    for statement in ("DELETE FROM chain_lane", "UPDATE system_state SET base_data_version = 0"):
        db.session.execute(text(statement))
    db.session.commit()
    answer = empty.test_cli_runner().invoke(args=["verify"])
    assert answer.exit_code == 1
    assert "请先执行 flask --app run init" in answer.output
    assert "没有登记" not in answer.output
    initialise(empty)
    answer = empty.test_cli_runner().invoke(args=["verify"])
    assert answer.exit_code == 0, answer.output
