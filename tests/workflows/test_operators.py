"""Who may sign in: passwords that hold, locks that count every guess, and sessions that end with what opened them."""

import functools
from datetime import timedelta

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

import workflows.registry  # noqa: F401 - every rule is in force
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.organization import Employee, Operator
from models.system import AuditLog, Parameter
from reports.figures import parameters
from tests.workflows.office import NOW, together
from workflows import operators
from workflows.base import records

FIRST, SECOND = "Huoche-2026-A", "Huoche-2026-B"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    """A real hash, made in a moment: the price of the product's own is not what is tested."""
    cheap = functools.partial(generate_password_hash, method="pbkdf2:sha256:1")
    monkeypatch.setattr(operators, "generate_password_hash", cheap)


def hire(ctx, office, who="乙", username="yi", roles=(), **more):
    employee = ctx.session.get(Employee, office.people[who])
    return operators.create_operator(ctx, employee, username, FIRST, list(roles), **more)


def user_of(ctx, operator):
    return ctx.session.get(User, operator.user_id)


def set_parameter(session, code, value):
    session.execute(update(Parameter).where(Parameter.code == code).values(value=value))
    parameters.forget(session)


# --------------------------------------------------------------------------------------------------------- passwords


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Ab1-short", "密码至少 10 位"), ("A1-" + "x" * 126, "密码最多 128 位"), ("onlyletters-x", "至少三种"),
        ("1234567890ab", "至少三种"), ("Longer-YI-2026", "密码不能包含登录名"),
    ],
)  # fmt: skip
def test_a_weak_password_is_refused_at_its_field(ctx, password, message):
    with pytest.raises(BusinessError, match=message) as caught:
        operators.check_password(ctx, "yi", password)
    assert caught.value.field == "password"


@pytest.mark.parametrize("password", [FIRST, "abcdefg1-2", "ABCDEFG1-2", "密码Abcdefg1", "A1-" + "x" * 125])
def test_a_strong_password_passes(ctx, password):
    operators.check_password(ctx, "yi", password)


def test_the_shortest_length_is_a_parameter(ctx):
    set_parameter(ctx.session, "password.min_length", "14")
    with pytest.raises(BusinessError, match="密码至少 14 位"):
        operators.check_password(ctx, "", FIRST)


# ------------------------------------------------------------------------------------------------------ new operators


def test_a_new_operator_signs_in_with_the_first_password_and_must_change_it(ctx, office):
    made = hire(ctx, office, roles=["客户经理"])
    user = user_of(ctx, made)
    assert (made.must_change_password, made.password_changed_at, made.session_epoch) == (True, NOW, 1)
    assert [role.name for role in user.roles] == ["客户经理"]
    assert user.password != FIRST
    assert operators.sign_in(ctx, "yi", FIRST) == (user, "")
    ctx.session.refresh(made)
    assert (made.last_login_at, made.last_login_ip) == (NOW, "10.0.0.8")


@pytest.mark.parametrize(
    ("username", "roles", "field", "message"),
    [
        ("  ", [], "username", "请填写登录名"), ("-x", [], "username", "编码只能由"),
        ("yi", ["没有", "也没有"], "roles", "没有这些角色：也没有、没有"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_new_operator_is_said_at_its_field(ctx, office, username, roles, field, message):
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
        records.update(ctx, made, {"session_epoch": 1}, made.version)


def test_nobody_disables_themselves(ctx, office):
    made = hire(ctx, office, "甲", "jia")
    with pytest.raises(NotAllowed, match="不能停用自己的账号"):
        records.update(ctx, made, {"is_disabled": "是"}, made.version)


# ---------------------------------------------------------------------------------------------------------- changing


def test_a_change_of_ones_own_password_proves_the_old_one_and_ends_sessions(ctx, office):
    made = hire(ctx, office, "甲", "jia")
    for old, new, again, field in (("wrong", SECOND, SECOND, "old_password"), (FIRST, SECOND, "other", "again")):
        with pytest.raises(BusinessError) as caught:
            operators.change_own_password(ctx, old, new, again)
        assert caught.value.field == field
    assert made.session_epoch == 1
    operators.change_own_password(ctx, FIRST, SECOND, SECOND)
    assert (made.must_change_password, made.session_epoch) == (False, 2)
    assert check_password_hash(user_of(ctx, made).password, SECOND)
    last = ctx.session.scalars(select(AuditLog).where(AuditLog.action == "PASSWORD")).one()
    assert last.note == "本人修改密码"
    assert SECOND not in str(last.changes)


def test_as_many_old_passwords_are_refused_as_the_parameter_says(ctx, office):
    hire(ctx, office, "甲", "jia")
    set_parameter(ctx.session, "password.history_count", "2")
    operators.change_own_password(ctx, FIRST, SECOND, SECOND)
    for used in (FIRST, SECOND):
        with pytest.raises(BusinessError, match="不能使用最近 2 次用过的密码"):
            operators.change_own_password(ctx, SECOND, used, used)
    third = "Huoche-2026-C"
    operators.change_own_password(ctx, SECOND, third, third)
    operators.change_own_password(ctx, third, FIRST, FIRST)  # two are between
    set_parameter(ctx.session, "password.history_count", "0")
    operators.change_own_password(ctx, FIRST, third, third)


def test_a_reset_ends_sessions_and_lock_and_asks_for_a_new_password(ctx, office):
    made = hire(ctx, office)
    made.failed_count, made.locked_until = 3, NOW + timedelta(minutes=5)
    operators.reset_password(ctx, made, SECOND)
    assert (made.must_change_password, made.session_epoch, made.failed_count, made.locked_until) == (True, 2, 0, None)
    assert operators.sign_in(ctx, "yi", FIRST)[0] is None
    assert operators.sign_in(ctx, "yi", SECOND)[0] is user_of(ctx, made)
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
    with pytest.raises(NotAllowed, match=message):
        act(ctx, own)
    assert own.session_epoch == 1


@pytest.mark.parametrize(
    "act",
    [
        lambda ctx, made: operators.reset_password(ctx, made, SECOND),
        lambda ctx, made: operators.grant_roles(ctx, made, []),
        operators.unlock,
    ],
    ids=["reset", "grant", "unlock"],
)
def test_each_of_them_asks_for_a_permission(ctx, office, act):
    made = hire(ctx, office)
    with pytest.raises(NotAllowed, match="权限"):
        act(office.ctx(ctx.session, permissions=frozenset({("can_edit", "operator")})), made)


def test_a_grant_gives_exactly_these_roles_ends_sessions_and_is_told(ctx, office):
    made = hire(ctx, office, roles=["客户经理"])
    operators.grant_roles(ctx, made, ["风控专员", "法务"])
    assert {role.name for role in user_of(ctx, made).roles} == {"风控专员", "法务"}
    assert made.session_epoch == 2
    line = ctx.session.scalars(select(AuditLog).where(AuditLog.action == "GRANT")).one()
    assert line.changes == {"roles": [["客户经理"], ["法务", "风控专员"]]}
    with pytest.raises(BusinessError, match="没有这些角色：皇帝"):
        operators.grant_roles(ctx, made, ["皇帝"])


# ---------------------------------------------------------------------------------------------------------- signing in


def guess(ctx, times, username="yi"):
    return [operators.sign_in(ctx, username, "wrong")[1] for _ in range(times)]


def test_after_so_many_failures_even_the_right_password_waits(ctx, office):
    made = hire(ctx, office)
    assert guess(ctx, 5) == ["登录名或密码不正确"] * 4 + ["登录失败次数过多，账号已锁定 30 分钟"]
    ctx.session.refresh(made)
    assert (made.failed_count, made.locked_until) == (0, NOW + timedelta(minutes=30))
    user, message = operators.sign_in(ctx, "yi", FIRST)
    assert user is None
    assert "请 30 分钟后再试" in message
    later = office.ctx(ctx.session, now=NOW + timedelta(minutes=29, seconds=59))
    assert "请 1 分钟后再试" in operators.sign_in(later, "yi", FIRST)[1]


def test_the_lock_ends_by_itself_and_by_hand(ctx, office):
    made = hire(ctx, office)
    guess(ctx, 5)
    ctx.session.refresh(made)
    operators.unlock(ctx, made)
    ctx.session.flush()
    assert operators.sign_in(ctx, "yi", FIRST)[0] is not None
    guess(ctx, 5)
    ctx.session.refresh(made)
    over = office.ctx(ctx.session, now=NOW + timedelta(minutes=30))
    assert operators.sign_in(over, "yi", FIRST)[0] is not None
    ctx.session.refresh(made)
    assert (made.locked_until, made.failed_count) == (None, 0)


def test_the_limit_and_the_time_are_parameters(ctx, office):
    hire(ctx, office)
    set_parameter(ctx.session, "login.max_failures", "2")
    set_parameter(ctx.session, "login.lock_minutes", "7")
    assert guess(ctx, 2)[1] == "登录失败次数过多，账号已锁定 7 分钟"


def test_a_success_forgets_the_failures_before_it(ctx, office):
    hire(ctx, office)
    for _ in range(2):
        guess(ctx, 4)
        assert operators.sign_in(ctx, "yi", FIRST)[0] is not None


def test_an_unknown_name_is_answered_like_a_wrong_password(ctx, office):
    hire(ctx, office)
    assert guess(ctx, 1, "nobody") == guess(ctx, 1, "yi") == ["登录名或密码不正确"]
    assert operators.sign_in(ctx, "YI", FIRST)[0] is None  # names differ by case


@pytest.mark.parametrize("reason", ["disabled", "user", "left"])
def test_who_may_not_enter_any_more_learns_it_with_the_right_password_alone(ctx, office, reason):
    made = hire(ctx, office)
    if reason == "disabled":
        made.is_disabled = True
    elif reason == "user":
        user_of(ctx, made).active = False
    else:
        ctx.session.get(Employee, office.people["乙"]).is_active = False
    ctx.session.flush()
    assert guess(ctx, 1) == ["登录名或密码不正确"]
    assert operators.sign_in(ctx, "yi", FIRST) == (None, "账号已停用，请联系安全管理员")
    assert made.last_login_at is None


def test_whoever_leaves_the_company_can_no_longer_sign_in(ctx, office):
    made, person = hire(ctx, office), ctx.session.get(Employee, office.people["乙"])
    records.update(ctx, person, {"is_active": "否"}, person.version)
    ctx.session.flush()
    assert (made.is_disabled, made.session_epoch) == (True, 2)


@pytest.fixture
def guessed(engine, office):
    """An account that other connections see, and no longer after the test."""
    with Session(engine, expire_on_commit=False) as session:
        made = hire(office.ctx(session), office, "丙", "bing")
        session.commit()
    yield made.id
    with Session(engine) as session:
        row = session.get(Operator, made.id)
        user = session.get(User, row.user_id)
        session.delete(row)
        session.flush()
        session.delete(user)
        session.commit()


def test_guesses_at_the_same_moment_all_count(engine, office, guessed, monkeypatch):
    monkeypatch.setattr(operators, "check_password_hash", lambda hashed, password: False)  # so that they really meet
    answers = together(engine, [lambda session: guess(office.ctx(session), 1, "bing")[0]] * 5)
    assert sorted(answers) == ["登录名或密码不正确"] * 4 + ["登录失败次数过多，账号已锁定 30 分钟"]
    with Session(engine) as session:
        assert session.get(Operator, guessed).locked_until == NOW + timedelta(minutes=30)


def test_the_right_one_of_too_many_guesses_comes_too_late(ctx, office, monkeypatch):
    """It has read the account before the lock: the last look is the one that counts."""
    hire(ctx, office)
    real = operators.check_password_hash

    def slow(hashed, password):
        locked = update(Operator).values(locked_until=NOW + timedelta(minutes=30))
        ctx.session.execute(locked.execution_options(synchronize_session=False))
        return real(hashed, password)

    monkeypatch.setattr(operators, "check_password_hash", slow)
    user, message = operators.sign_in(ctx, "yi", FIRST)
    assert user is None
    assert "账号已锁定，请 30 分钟后再试" in message


def test_a_role_that_exists_is_found(ctx):
    assert ctx.session.scalar(select(Role.id).where(Role.name == "客户经理")) is not None
