"""Roles: what a change of them brings about, and that nobody widens their own or locks everybody out."""

import functools

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import delete, func, select
from werkzeug.security import generate_password_hash

from models.base.errors import BusinessError, Conflict, NotAllowed, NotFound, StaleRecord
from models.system.organization import Employee, Operator
from models.system.role import RoleProfile, ScopeKind
from models.system.setup import AuditLog
from models.system.sign_in import SessionEnd, SignInKind, SignInSession
from workflows.system import operators, passwords, roles, sessions

LIST, EDIT = ("can_list", "project"), ("can_edit", "joint_group")


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    """A real hash, made in a moment: the price of the product's own is not what is tested."""
    cheap = functools.partial(generate_password_hash, method="pbkdf2:sha256:1")
    monkeypatch.setattr(passwords, "generate_password_hash", cheap)


@pytest.fixture
def keeper(ctx, office):
    """Somebody who holds 维护角色权限."""
    return hire(ctx, office, "丙", "keeper", "安全管理员")


def hire(ctx, office, who, username, *names):
    person = ctx.session.get(Employee, office.people[who])
    return operators.create_operator(ctx, person, username, "Huoche-2026-A", list(names))


def opened(ctx, operator):
    word = sessions.begin(ctx, operator.id, SignInKind.BROWSER, "")
    return sessions.find(ctx.session, word, ctx.now)[0].id


def role_named(ctx, name):
    return ctx.session.scalars(select(Role).where(Role.name == name)).one()


def save(ctx, role, pairs, **more):
    facts = {
        "scope": ScopeKind.SELF,
        "note": "",
        "version": roles.profile_of(ctx, role).version,
        **more,
    }
    return roles.save_role(ctx, role.id, pairs=pairs, **facts)


def granted(ctx, role):
    return roles.permissions_by_role(ctx.session, role.id)[0]


# --------------------------------------------------------------------------------------------------------- new roles


def test_a_new_role_is_empty_or_like_another(ctx):
    empty = roles.create_role(ctx, " 助理 ", ScopeKind.DEPARTMENT, " 帮忙 ")
    profile = roles.profile_of(ctx, empty)
    assert (empty.name, profile.scope, profile.note, profile.is_builtin) == (
        "助理",
        ScopeKind.DEPARTMENT,
        "帮忙",
        False,
    )
    assert granted(ctx, empty) == frozenset()
    source = role_named(ctx, "客户经理")
    like = roles.create_role(ctx, "客户经理二", ScopeKind.SELF, like=source.id)
    assert granted(ctx, like) == granted(ctx, source) != frozenset()
    assert roles.profile_of(ctx, like).note is None
    line = ctx.session.scalars(select(AuditLog).order_by(AuditLog.id.desc()).limit(1)).one()
    assert line.changes["like"] == [None, "客户经理"]


@pytest.mark.parametrize(
    ("name", "note", "field", "message"),
    [
        ("  ", "", "name", "请填写角色名称"),
        ("名" * 65, "", "name", "最多 64 个字"),
        ("客户经理", "", "name", "已有同名角色"),
        ("新角色", "长" * 201, "note", "最多 200 个字"),
    ],
)
def test_what_is_wrong_with_a_new_role_is_said_at_its_field(ctx, name, note, field, message):
    with pytest.raises(BusinessError, match=message) as caught:
        roles.create_role(ctx, name, ScopeKind.SELF, note)
    assert caught.value.field == field


def test_a_role_like_one_that_is_not_there(ctx):
    with pytest.raises(NotFound, match="没有这个角色"):
        roles.create_role(ctx, "新角色", ScopeKind.SELF, like=2_000_000_000)


@pytest.mark.parametrize(
    "act",
    [
        lambda ctx, role: roles.create_role(ctx, "新", ScopeKind.SELF),
        lambda ctx, role: roles.save_role(
            ctx, role.id, scope=ScopeKind.ALL, note="", pairs=[], version=1
        ),
        lambda ctx, role: roles.delete_role(ctx, role.id, 1),
    ],
    ids=["create", "save", "delete"],
)
def test_roles_are_kept_by_whoever_may(session, office, act):
    ctx = office.ctx(session, permissions=frozenset({("can_list", "ab_role")}))
    with pytest.raises(NotAllowed, match="维护角色权限"):
        act(ctx, role_named(ctx, "客户经理"))


# ------------------------------------------------------------------------------------------------------------ saving


def test_a_save_gives_exactly_these_permissions_and_ends_its_holders_sessions(ctx, office):
    role = roles.create_role(ctx, "助理", ScopeKind.SELF)
    holder, other = hire(ctx, office, "乙", "yi", "助理"), hire(ctx, office, "丙", "bing", "法务")
    theirs, others = opened(ctx, holder), opened(ctx, other)
    save(ctx, role, [LIST, EDIT, LIST], scope=ScopeKind.ALL, note="看")
    assert granted(ctx, role) == {LIST, EDIT}
    save(ctx, role, [EDIT])
    assert granted(ctx, role) == {EDIT}
    reason = {row.id: row.end_reason for row in ctx.session.scalars(select(SignInSession))}
    assert (reason[theirs], reason[others]) == (SessionEnd.ROLES, None)
    line = ctx.session.scalars(
        select(AuditLog)
        .where(AuditLog.note.like("修改角色%"))
        .order_by(AuditLog.id.desc())
        .limit(1)
    ).one()
    assert line.changes["permissions"] == [["project.list"], []]
    assert line.changes["scope"] == ["ALL", "SELF"]


def test_a_save_counts_even_when_only_permissions_changed(ctx):
    role = roles.create_role(ctx, "助理", ScopeKind.SELF)
    seen = roles.profile_of(ctx, role).version
    later = type(ctx)(ctx.session, ctx.actor, ctx.today, ctx.now.replace(hour=2))
    save(later, role, [LIST])
    assert roles.profile_of(ctx, role).version > seen
    with pytest.raises(StaleRecord, match="已被他人修改"):
        save(later, role, [], version=seen)
    assert granted(ctx, role) == {LIST}


@pytest.mark.parametrize("version", [None, 0, 99])
def test_a_save_without_the_present_version_is_stale(ctx, version):
    with pytest.raises(StaleRecord):
        save(ctx, role_named(ctx, "法务"), [], version=version)


def test_permissions_that_nobody_knows_are_refused(ctx):
    role = roles.create_role(ctx, "助理", ScopeKind.SELF)
    with pytest.raises(BusinessError, match="系统不认识的项"):
        save(ctx, role, [LIST, ("can_fly", "project")])
    assert granted(ctx, role) == frozenset()


def test_nobody_changes_a_role_of_their_own(session, office):
    ctx = office.ctx(session, roles=frozenset({"法务"}))
    with pytest.raises(NotAllowed, match="您本人持有角色“法务”"):
        save(ctx, role_named(ctx, "法务"), [])


def test_somebody_always_keeps_the_roles(ctx, office, keeper):
    role = role_named(ctx, "安全管理员")
    others = granted(ctx, role) - {roles.KEEPER}
    with pytest.raises(Conflict, match="没有人能维护角色权限"):
        save(ctx, role, others)
    second = roles.create_role(ctx, "备份管理员", ScopeKind.ALL)
    save(ctx, second, [roles.KEEPER])
    # a role that nobody holds helps nobody
    with pytest.raises(Conflict, match="没有人能维护角色权限"):
        save(ctx, role, others)
    backup = hire(ctx, office, "乙", "backup", "备份管理员")
    backup.is_disabled = True
    ctx.session.flush()
    # nor does somebody who cannot sign in
    with pytest.raises(Conflict, match="没有人能维护角色权限"):
        save(ctx, role, others)
    backup.is_disabled = False
    ctx.session.flush()
    save(ctx, role, others)
    assert roles.KEEPER not in granted(ctx, role)
    assert keeper.id != backup.id


def test_a_role_of_the_framework_gets_its_profile_when_first_asked(ctx):
    role = Role(name="Public2")
    ctx.session.add(role)
    ctx.session.flush()
    made = roles.profile_of(ctx, role)
    assert (made.name, made.scope, made.is_builtin) == ("Public2", ScopeKind.SELF, False)
    assert roles.profile_of(ctx, role) is made


# ----------------------------------------------------------------------------------------------------------- deleting


def test_a_role_that_nobody_holds_goes_with_its_permissions(ctx):
    role = roles.create_role(ctx, "助理", ScopeKind.SELF, like=role_named(ctx, "法务").id)
    role_id = role.id
    version = roles.profile_of(ctx, role).version
    for wrong in (None, version - 1):
        with pytest.raises(StaleRecord):
            roles.delete_role(ctx, role_id, wrong)
    assert roles.delete_role(ctx, role_id, version) == "助理"
    assert ctx.session.get(Role, role_id) is None
    assert ctx.session.scalar(select(func.count()).where(RoleProfile.role_id == role_id)) == 0
    with pytest.raises(NotFound):
        roles.delete_role(ctx, role_id, version)


def test_built_in_and_held_roles_stay(ctx, office):
    builtin = role_named(ctx, "法务")
    with pytest.raises(Conflict, match="“法务”是内置角色"):
        roles.delete_role(ctx, builtin.id, roles.profile_of(ctx, builtin).version)
    role = roles.create_role(ctx, "助理", ScopeKind.SELF)
    hire(ctx, office, "乙", "yi", "助理")
    with pytest.raises(Conflict, match="仍有 1 名操作员"):
        roles.delete_role(ctx, role.id, roles.profile_of(ctx, role).version)
    assert roles.holders(ctx.session, role.id) == 1


def test_the_matrix_shows_all_there_is(ctx):
    mine, everything = roles.permissions_by_role(ctx.session, role_named(ctx, "法务").id)
    assert mine < everything
    assert {LIST, EDIT, roles.KEEPER} <= everything
    assert ctx.session.execute(delete(Operator)).rowcount == 0
