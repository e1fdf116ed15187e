"""Operators: passwords that hold, roles that are given, and sessions that end with what opened them."""

import functools
from datetime import timedelta

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select, update
from werkzeug.security import generate_password_hash

import workflows.registry  # noqa: F401 - every rule is in force
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.system.organization import Employee, Operator
from models.system.setup import AuditLog, Parameter
from models.system.sign_in import KnownPlace, SessionEnd, SignInKind, SignInSession
from reports.figures import parameters
from tests.workflows.door import enter
from tests.workflows.office import NOW
from workflows.base import records
from workflows.system import operators, passwords, sessions

FIRST, SECOND = "Huoche-2026-A", "Huoche-2026-B"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    """A real hash, made in a moment: the price of the product's own is not what is tested."""
    cheap = functools.partial(generate_password_hash, method="pbkdf2:sha256:1")
    monkeypatch.setattr(passwords, "generate_password_hash", cheap)


def hire(ctx, office, who="乙", username="yi", roles=(), **more):
    employee = ctx.session.get(Employee, office.people[who])
    return operators.create_operator(ctx, employee, username, FIRST, list(roles), **more)


def user_of(ctx, operator):
    return ctx.session.get(User, operator.user_id)


def opened(ctx, operator):
    """A session of the operator, opened now."""
    word = sessions.begin(ctx, operator.id, SignInKind.BROWSER, "Firefox/1 Linux")
    return sessions.find(ctx.session, word, ctx.now)[0].id


def ends(ctx, operator):
    """Why each session of the operator has ended, None for those that last, in the order of their beginning."""
    query = select(SignInSession.end_reason).where(SignInSession.operator_id == operator.id)
    return list(ctx.session.scalars(query.order_by(SignInSession.id)))


def change(ctx, old, new):
    """What the page does: compare, hash, write."""
    asked = passwords.ask(ctx, operators.own(ctx))
    assert asked.proves(old)
    passwords.check_password(ctx, operators.own(ctx).username, new)
    return operators.change_own_password(ctx, asked, asked.secret(new))


def set_parameter(session, code, value):
    session.execute(update(Parameter).where(Parameter.code == code).values(value=value))
    parameters.forget(session)


# --------------------------------------------------------------------------------------------------------- passwords


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Ab1-short", "密码至少 10 位"),
        ("A1-" + "x" * 126, "密码最多 128 位"),
        ("onlyletters-x", "至少三种"),
        ("1234567890ab", "至少三种"),
        ("Longer-YI-2026", "密码不能包含登录名"),
    ],
)
def test_a_weak_password_is_refused_at_its_field(ctx, password, message):
    with pytest.raises(BusinessError, match=message) as caught:
        passwords.check_password(ctx, "yi", password)
    assert caught.value.field == "password"


@pytest.mark.parametrize(
    "password", [FIRST, "abcdefg1-2", "ABCDEFG1-2", "密码Abcdefg1", "A1-" + "x" * 125]
)
def test_a_strong_password_passes(ctx, password):
    passwords.check_password(ctx, "yi", password)


def test_the_shortest_length_is_a_parameter(ctx):
    set_parameter(ctx.session, "password.min_length", "14")
    with pytest.raises(BusinessError, match="密码至少 14 位"):
        passwords.check_password(ctx, "", FIRST)


# ------------------------------------------------------------------------------------------------------ new operators


def test_a_new_operator_signs_in_with_the_first_password_and_must_change_it(ctx, office):
    made = hire(ctx, office, roles=["客户经理"])
    user = user_of(ctx, made)
    assert (made.must_change_password, made.password_changed_at) == (True, NOW)
    assert [role.name for role in user.roles] == ["客户经理"]
    assert user.password != FIRST
    assert passwords.matches(user.password, FIRST)
    assert enter(ctx, "yi", FIRST).user_id == user.id
    ctx.session.refresh(made)
    assert (made.last_login_at, made.last_login_ip) == (NOW, "10.0.0.8")


@pytest.mark.parametrize(
    ("username", "roles", "field", "message"),
    [
        ("  ", [], "username", "请填写登录名"),
        ("-x", [], "username", "编码只能由"),
        ("yi", ["没有", "也没有"], "roles", "没有这些角色：也没有、没有"),
    ],
)
def test_what_is_wrong_with_a_new_operator_is_said_at_its_field(
    ctx, office, username, roles, field, message
):
    with pytest.raises(BusinessError, match=message) as caught:
        hire(ctx, office, username=username, roles=roles)
    assert caught.value.field == field


def test_a_person_or_a_name_has_one_sign_in(ctx, office):
    hire(ctx, office)
    for who, username in (("乙", "other"), ("丙", "yi")):
        with pytest.raises(Conflict, match="该员工已有操作员，或登录名已被使用"):
            hire(ctx, office, who, username)


def test_making_and_granting_are_two_permissions(session, office):
    maker = office.ctx(session, permissions=frozenset({("can_add", "operator")}))
    with pytest.raises(NotAllowed, match="分配角色"):
        hire(maker, office, roles=["客户经理"])
    assert hire(maker, office).username == "yi"
    with pytest.raises(NotAllowed, match="新增操作员"):
        hire(office.ctx(session, permissions=frozenset()), office, "丙", "bing")


def test_the_form_of_operators_makes_none_and_changes_neither_name_nor_person(ctx, office):
    made = hire(ctx, office)
    with pytest.raises(BusinessError, match="须同时设置初始密码"):
        records.create(ctx, Operator, {"username": "x", "employee_id": office.people["丙"]})
    for name, value in (("username", "zz"), ("employee_id", office.people["丙"])):
        with pytest.raises(BusinessError, match="登录名和员工不能修改") as caught:
            records.update(ctx, made, {name: value}, made.version)
        assert caught.value.field == name
        ctx.session.refresh(made)
    records.update(ctx, made, {"is_disabled": "是"}, made.version)
    assert made.is_disabled
    with pytest.raises(Conflict, match="不能删除，请改为停用"):
        records.delete(ctx, made, made.version)
    with pytest.raises(FieldErrors, match="由系统维护"):
        records.update(ctx, made, {"failed_count": 1}, made.version)


def test_nobody_disables_themselves(ctx, office):
    made = hire(ctx, office, "甲", "jia")
    with pytest.raises(NotAllowed, match="不能停用自己的账号"):
        records.update(ctx, made, {"is_disabled": "是"}, made.version)


# ---------------------------------------------------------------------------------------------------------- changing


def test_a_change_of_ones_own_password_ends_the_other_sessions(ctx, office):
    made = hire(ctx, office, "甲", "jia")
    here, _ = opened(ctx, made), opened(ctx, made)
    asked = passwords.ask(ctx, made)
    assert not asked.proves("wrong")
    operators.change_own_password(ctx, asked, asked.secret(SECOND), here)
    assert ends(ctx, made) == [None, SessionEnd.PASSWORD]
    assert not made.must_change_password
    assert passwords.matches(user_of(ctx, made).password, SECOND)
    last = ctx.session.scalars(select(AuditLog).where(AuditLog.action == "PASSWORD")).one()
    assert last.note == "本人修改密码"
    assert SECOND not in str(last.changes)


def test_of_two_changes_at_once_the_second_is_told(ctx, office):
    """Both have compared and hashed before either wrote."""
    made = hire(ctx, office, "甲", "jia")
    asked = passwords.ask(ctx, made)
    first, second = asked.secret(SECOND), asked.secret("Huoche-2026-C")
    operators.change_own_password(ctx, asked, first)
    with pytest.raises(Conflict, match="密码刚被修改"):
        operators.change_own_password(ctx, asked, second)
    assert passwords.matches(user_of(ctx, made).password, SECOND)


def test_as_many_old_passwords_are_refused_as_the_parameter_says(ctx, office):
    hire(ctx, office, "甲", "jia")
    set_parameter(ctx.session, "password.history_count", "2")
    change(ctx, FIRST, SECOND)
    for used in (FIRST, SECOND):
        with pytest.raises(BusinessError, match="不能使用最近 2 次用过的密码"):
            change(ctx, SECOND, used)
    third = "Huoche-2026-C"
    change(ctx, SECOND, third)
    change(ctx, third, FIRST)  # two are between
    set_parameter(ctx.session, "password.history_count", "0")
    change(ctx, FIRST, third)


def test_a_reset_ends_sessions_and_lock_and_asks_for_a_new_password(ctx, office):
    made = hire(ctx, office)
    assert enter(ctx, "yi", FIRST)
    made.failed_count, made.locked_until = 3, NOW + timedelta(minutes=5)
    operators.reset_password(ctx, made, SECOND)
    assert (made.must_change_password, made.failed_count, made.locked_until) == (True, 0, None)
    assert ends(ctx, made) == [SessionEnd.PASSWORD]
    assert (
        ctx.session.scalars(select(KnownPlace).where(KnownPlace.operator_id == made.id)).all() == []
    )
    assert enter(ctx, "yi", FIRST) is None
    assert enter(ctx, "yi", SECOND).user_id == made.user_id
    with pytest.raises(BusinessError, match="最近 5 次"):
        operators.reset_password(ctx, made, FIRST)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda ctx, own: operators.reset_password(ctx, own, SECOND), "请使用“修改密码”"),
        (lambda ctx, own: operators.grant_roles(ctx, own, ["总裁"]), "不能给自己分配角色"),
    ],
    ids=["reset", "grant"],
)
def test_ones_own_account_is_anothers_to_reset_and_to_grant(ctx, office, act, message):
    own = hire(ctx, office, "甲", "jia")
    opened(ctx, own)
    with pytest.raises(NotAllowed, match=message):
        act(ctx, own)
    assert ends(ctx, own) == [None]


@pytest.mark.parametrize(
    "act",
    [
        lambda ctx, made: operators.reset_password(ctx, made, SECOND),
        lambda ctx, made: operators.grant_roles(ctx, made, []),
        operators.unlock,
        lambda ctx, made: sessions.end_by_administrator(ctx, made, None),
    ],
    ids=["reset", "grant", "unlock", "sessions"],
)
def test_each_of_them_asks_for_a_permission(ctx, office, act):
    made = hire(ctx, office)
    with pytest.raises(NotAllowed, match="权限"):
        act(office.ctx(ctx.session, permissions=frozenset({("can_edit", "operator")})), made)


def test_a_grant_gives_exactly_these_roles_ends_sessions_and_is_told(ctx, office):
    made = hire(ctx, office, roles=["客户经理"])
    opened(ctx, made)
    operators.grant_roles(ctx, made, ["风控专员", "法务"])
    assert {role.name for role in user_of(ctx, made).roles} == {"风控专员", "法务"}
    assert ends(ctx, made) == [SessionEnd.ROLES]
    line = ctx.session.scalars(select(AuditLog).where(AuditLog.action == "GRANT")).one()
    assert line.changes == {"roles": [["客户经理"], ["法务", "风控专员"]]}
    with pytest.raises(BusinessError, match="没有这些角色：皇帝"):
        operators.grant_roles(ctx, made, ["皇帝"])


# ------------------------------------------------------------------------------------------------------------- leaving


def test_whoever_leaves_the_company_can_no_longer_sign_in(ctx, office):
    made, person = hire(ctx, office), ctx.session.get(Employee, office.people["乙"])
    opened(ctx, made)
    records.update(ctx, person, {"is_active": "否"}, person.version)
    ctx.session.flush()
    assert made.is_disabled
    assert ends(ctx, made) == [SessionEnd.DISABLED]


def test_a_role_that_exists_is_found(ctx):
    assert ctx.session.scalar(select(Role.id).where(Role.name == "客户经理")) is not None
