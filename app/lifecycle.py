"""From an empty directory to a running product: tables, base data, permissions, demo data, scheduler."""

import threading
from datetime import UTC, datetime

from flask import Flask
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    ViewMenu,
    assoc_permissionview_role,
)
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.clock import local_today
from app.demo_accounts import why_exposed
from app.extensions import bind_migrations, db
from app.jobs import make_scheduler
from app.readiness import (
    Standing,
    fingerprint,
    in_words,
    is_complete,
    newest_migration,
    require_fitting,
    require_known,
    require_upgradable,
    standing,
)
from app.role_changes import EDITION, bring_up
from app.roles import ROLES, RoleSpec, all_permissions, permissions_of
from models.base.actor import SYSTEM
from models.base.trouble import Unfit
from models.system import search
from models.system.role import RoleProfile
from models.system.setup import SystemState
from reports.base.search import renew
from workflows.base import audit, seal
from workflows.base.context import Ctx
from workflows.base.documents import load_templates
from workflows.base.seeds import load_base_data
from workflows.ledger import guards
from workflows.system import proofs

# By then a browser has its first page, for which nothing that can wait should be done.
SCHEDULER_DELAY_SECONDS = 5
NOT_YET = "数据库尚未就绪，或需要升级：请先执行 flask --app run init"
Pair = tuple[str, str]


def ensure_ready(app: Flask) -> None:
    """Bring the database up to date and load what is missing; costs a few queries when nothing is to do.

    Raises Unfit where the database cannot be reached, or is not one that this release can bring up to date.
    """
    with app.app_context(), in_words():
        found = standing(app)
        if is_complete(app, found):
            require_fitting(app, found)
        else:
            initialise(app)
        refuse_exposed_demo()
        if app.config["SETTINGS"].demo and not _has_demo():
            from app.demo import load_demo  # noqa: PLC0415 - needed on the very first start only

            load_demo(app, size="small")


def require_ready(app: Flask) -> None:
    """For servers that bring nothing up to date: raise Unfit unless `init` has been run on a fitting database."""
    with app.app_context(), in_words():
        require_complete(app)
        refuse_exposed_demo()


def require_complete(app: Flask) -> None:
    """Raise Unfit unless `init` has gone through: with tables alone the trail is not taken into its chain yet."""
    if not is_complete(app, require_current(app)):
        raise Unfit(NOT_YET)


def require_current(app: Flask) -> Standing:
    """How the database stands; raises Unfit unless it has all migrations of this release, and what they make."""
    with in_words():
        found = standing(app)
        if found.revision is not None:
            require_known(app, found.revision)
        if found.revision != newest_migration(app):
            raise Unfit(NOT_YET)
        require_fitting(app, found)
    return found


def refuse_exposed_demo() -> None:
    """Raise Unfit where demo people, whose passwords everybody knows, could sign in to a real installation."""
    if why := why_exposed():
        raise Unfit(why)


def _has_demo() -> bool:
    state = db.session.get(SystemState, 1)
    return bool(state and state.demo_marker)


def initialise(app: Flask) -> None:
    """Migrate, load base data, permissions and roles; may be run any number of times.

    Raises Unfit, before anything is changed, for a database of a later release or of none.
    """
    from alembic.util.exc import CommandError
    from flask_migrate import upgrade

    with in_words():
        require_upgradable(app)
        bind_migrations(app)
        try:
            upgrade()
        except CommandError as error:
            raise Unfit(f"数据库升级失败：{error}") from error
        require_fitting(app, standing(app))
        with db.engine.begin() as connection:
            search.install_search(connection)
            guards.install_guards(connection)
        # last: it notes that all is done, and schedulers wait for that
        prepare_database(db.session())


def prepare_database(session: Session) -> None:
    """Base data, permissions and roles in one transaction (also for tests on a database made without migrations)."""
    session.rollback()
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    state = session.get(SystemState, 1)
    if state is None:
        state = SystemState(
            id=1,
            business_date=local_today(),
            is_demo=False,
            base_data_version=0,
            search_edition=search.EDITION,
            role_edition=EDITION,
        )
        session.add(state)
        session.flush()
    ctx = Ctx(
        session=session,
        actor=SYSTEM,
        today=state.business_date,
        now=datetime.now(UTC),
        source="cli",
    )
    session.info["no_audit"] = True
    try:
        seal.take_in(session.connection())  # before anything is written behind it
        load_base_data(session)
        load_templates(session)
        sync_permissions(session)
        state.role_edition = bring_up(ctx, state.role_edition)
        state.search_edition = renew(session, state.search_edition)
        session.flush()
        proofs.seal_untold(ctx)
        proofs.adopt(ctx)
        state.base_data_version = fingerprint()
        session.commit()
    finally:
        session.info.pop("no_audit", None)


def sync_permissions(session: Session) -> None:
    """Write every permission in bulk; a new one goes to its built-in roles once, from then on administrators decide."""
    permissions = {p.name: p for p in session.scalars(select(Permission))}
    menus = {m.name: m for m in session.scalars(select(ViewMenu))}
    pairs = {(p.permission_id, p.view_menu_id): p for p in session.scalars(select(PermissionView))}
    wanted = [
        (f"can_{verb}", table)
        for table, verbs in all_permissions().items()
        for verb in sorted(verbs)
    ]
    for name in sorted({n for n, _ in wanted} - permissions.keys()):
        session.add(permissions.setdefault(name, Permission(name=name)))
    for table in sorted({t for _, t in wanted} - menus.keys()):
        session.add(menus.setdefault(table, ViewMenu(name=table)))
    session.flush()
    by_name: dict[Pair, PermissionView] = {}
    fresh: set[Pair] = set()
    for name, table in wanted:
        permission, menu = permissions[name], menus[table]
        pair = pairs.get((permission.id, menu.id))
        if pair is None:
            pair = PermissionView(permission_id=permission.id, view_menu_id=menu.id)
            session.add(pair)
            fresh.add((name, table))
        by_name[name, table] = pair
    session.flush()
    _grant_roles(session, by_name, fresh)


def _grant_roles(session: Session, pairs: dict[Pair, PermissionView], fresh: set[Pair]) -> None:
    """New roles get all of theirs, built-in ones what no release had before: what was taken away stays away."""
    taken = set(session.scalars(select(Role.name)))
    query = select(Role.name, Role.id).join(RoleProfile, RoleProfile.role_id == Role.id)
    builtin = {row.name: row.id for row in session.execute(query.where(RoleProfile.is_builtin))}
    known = all_permissions()
    granted = []
    for spec in ROLES:
        theirs = {(f"can_{verb}", table) for verb, table in permissions_of(spec, known)}
        if spec.name not in taken:
            builtin[spec.name] = _make_role(session, spec)
        else:
            theirs &= fresh
        if role_id := builtin.get(spec.name):  # else somebody has made a role of this name
            granted += [
                {"role_id": role_id, "permission_view_id": pairs[pair].id}
                for pair in sorted(theirs)
            ]
    granted += _as_adders(session, pairs, fresh)
    if granted:
        session.execute(insert(assoc_permissionview_role), granted)
        if ctx := session.info.get("ctx"):
            audit.seal_rows(ctx, "ab_role", {grant["role_id"] for grant in granted})


def _as_adders(
    session: Session, pairs: dict[Pair, PermissionView], fresh: set[Pair]
) -> list[dict[str, int]]:
    """导入 came after 新增: roles that administrators have made get it where they add by the form."""
    links, found = assoc_permissionview_role, []
    for _, table in sorted(pair for pair in fresh if pair[0] == "can_import"):
        add = pairs.get(("can_add", table))
        if add is not None and ("can_add", table) not in fresh:
            query = select(links.c.role_id).where(links.c.permission_view_id == add.id)
            query = query.where(
                links.c.role_id.in_(
                    select(RoleProfile.role_id).where(RoleProfile.is_builtin.is_(False))
                )
            )
            found += [
                {"role_id": key, "permission_view_id": pairs["can_import", table].id}
                for key in session.scalars(query)
            ]
    return found


def _make_role(session: Session, spec: RoleSpec) -> int:
    role = Role(name=spec.name)
    session.add(role)
    session.flush()
    session.add(
        RoleProfile(
            role_id=role.id, name=spec.name, scope=spec.scope, note=spec.note, is_builtin=True
        )
    )
    return int(role.id)


def start_scheduler(app: Flask) -> None:
    """Run the jobs of app.jobs in this process, from a little later on; a job's row keeps other processes out."""
    timer = threading.Timer(SCHEDULER_DELAY_SECONDS, lambda: make_scheduler(app).start())
    timer.daemon = True
    timer.start()
