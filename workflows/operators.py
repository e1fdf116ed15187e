"""Operators: who may sign in, password rules, locking, and the end of sessions (10.1)."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import inspect, or_, select, update
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from models.base.checks import check_value
from models.base.errors import BusinessError, Conflict, NotAllowed
from models.organization import Employee, Operator, PasswordHistory
from reports.figures.parameters import whole
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import verbs

verbs("operator", {"reset": "重置密码", "grant": "分配角色", "unlock": "解除锁定"})
verbs("ab_role", {"list": "查看角色", "edit": "维护角色权限"})


@records.rule(Operator)
def _keep_sign_in(ctx: Ctx, operator: Operator, is_new: bool) -> None:
    """A sign-in is made with its password by `create_operator`; afterwards name and person stay."""
    if is_new:
        raise BusinessError("新增操作员须同时设置初始密码，请在操作员页面办理")
    for name in ("username", "employee_id"):
        if inspect(operator).attrs[name].history.has_changes():
            raise BusinessError("操作员的登录名和员工不能修改，请停用后另行新增", field=name)
    if operator.is_disabled and operator.employee_id == ctx.actor.employee_id:
        raise NotAllowed("不能停用自己的账号")


@records.delete_rule(Operator)
def _never_delete(_: Ctx, operator: Operator) -> None:
    """What the operator did stays theirs; who leaves is disabled."""
    raise Conflict(f"操作员“{operator.username}”不能删除，请改为停用")


ADMIN_ROLES = ("系统管理员", "安全管理员", "审计管理员")


def check_password(ctx: Ctx, username: str, password: str) -> None:
    """Refuse a password that breaks the rules (length, kinds of characters, the user name in it)."""
    shortest = whole(ctx.session, "password.min_length", ctx.today)
    if len(password) < shortest:
        raise BusinessError(f"密码至少 {shortest} 位", field="password")
    if len(password) > 128:
        raise BusinessError("密码最多 128 位", field="password")
    kinds = [any(test(ch) for ch in password) for test in (str.islower, str.isupper, str.isdigit)]
    kinds.append(any(not ch.isalnum() for ch in password))
    if sum(kinds) < 3:
        raise BusinessError("密码应包含大写字母、小写字母、数字、符号中的至少三种", field="password")
    if username and username.lower() in password.lower():
        raise BusinessError("密码不能包含登录名", field="password")


def create_operator(
    ctx: Ctx, employee: Employee, username: str, password: str, roles: list[str], *, must_change: bool = True
) -> Operator:
    """Make the sign-in of an existing employee with its first password.

    Raises NotAllowed, Conflict when the employee or the name has one already, BusinessError for a weak password or
    an unknown role.
    """
    ctx.require("add", "operator", "新增操作员")
    if roles:
        ctx.require("grant", "operator", "分配角色")
    username = username.strip()
    if wrong := check_value("code", username) if username else "请填写登录名":
        raise BusinessError(wrong, field="username")
    taken = select(Operator.id).where((Operator.username == username) | (Operator.employee_id == employee.id))
    if ctx.session.scalar(taken) is not None:
        raise Conflict("该员工已有操作员，或登录名已被使用", field="username")
    check_password(ctx, username, password)
    hashed = generate_password_hash(password)
    user = User(
        username=username, first_name=employee.name, last_name="", active=True, password=hashed,
        email=employee.email or f"{username}@local.invalid", roles=_roles(ctx, roles),
    )  # fmt: skip
    ctx.session.add(user)
    ctx.session.flush()
    operator = Operator(
        username=username, employee_id=employee.id, user_id=user.id, must_change_password=must_change,
        password_changed_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(operator)
    ctx.session.flush()
    _remember(ctx, operator, hashed)
    return operator


def _roles(ctx: Ctx, names: list[str]) -> list[Role]:
    found = list(ctx.session.scalars(select(Role).where(Role.name.in_(names))))
    if missing := set(names) - {role.name for role in found}:
        raise BusinessError("没有这些角色：" + "、".join(sorted(missing)), field="roles")
    return found


def grant_roles(ctx: Ctx, operator: Operator, names: list[str]) -> None:
    """Give an operator exactly these roles; the person's sessions end so that nothing old remains in force."""
    ctx.require("grant", "operator", "分配角色")
    if operator.employee_id == ctx.actor.employee_id:
        raise NotAllowed("不能给自己分配角色，请由另一位安全管理员办理")
    user = _user(ctx.session, operator)
    before = sorted(role.name for role in user.roles)
    user.roles = _roles(ctx, names)
    operator.session_epoch += 1
    audit.log(ctx, operator, "GRANT", {"roles": [before, sorted(names)]})


def _user(session: Session, operator: Operator) -> User:
    return session.get_one(User, operator.user_id)


def _remember(ctx: Ctx, operator: Operator, hashed: str) -> None:
    ctx.session.add(PasswordHistory(operator_id=operator.id, password_hash=hashed, set_at=ctx.now))


def _set_password(ctx: Ctx, operator: Operator, password: str, *, must_change: bool) -> None:
    check_password(ctx, operator.username, password)
    count = whole(ctx.session, "password.history_count", ctx.today)
    recent = ctx.session.scalars(
        select(PasswordHistory.password_hash)
        .where(PasswordHistory.operator_id == operator.id)
        .order_by(PasswordHistory.set_at.desc(), PasswordHistory.id.desc())
        .limit(count)
    )
    if any(check_password_hash(old, password) for old in recent):
        raise BusinessError(f"不能使用最近 {count} 次用过的密码", field="password")
    hashed = generate_password_hash(password)
    _user(ctx.session, operator).password = hashed
    operator.must_change_password = must_change
    operator.password_changed_at = ctx.now
    # Every session opened with the old password ends.
    operator.session_epoch += 1
    _remember(ctx, operator, hashed)


def change_own_password(ctx: Ctx, old: str, new: str, again: str) -> Operator:
    """Change one's own password, proving the old one."""
    operator = ctx.session.scalars(select(Operator).where(Operator.employee_id == ctx.actor.employee_id)).one()
    if not check_password_hash(_user(ctx.session, operator).password, old):
        raise BusinessError("原密码不正确", field="old_password")
    if new != again:
        raise BusinessError("两次输入的新密码不一致", field="again")
    _set_password(ctx, operator, new, must_change=False)
    audit.log(ctx, operator, "PASSWORD", note="本人修改密码")
    return operator


def reset_password(ctx: Ctx, operator: Operator, password: str) -> None:
    """Set another person's password; it must be changed at the next sign-in."""
    ctx.require("reset", "operator", "重置密码")
    if operator.employee_id == ctx.actor.employee_id:
        raise NotAllowed("请使用“修改密码”更改自己的密码")
    _set_password(ctx, operator, password, must_change=True)
    operator.failed_count = 0
    operator.locked_until = None
    audit.log(ctx, operator, "PASSWORD", note="管理员重置密码")


def unlock(ctx: Ctx, operator: Operator) -> None:
    """End a lock before its time."""
    ctx.require("unlock", "operator", "解除锁定")
    operator.failed_count = 0
    operator.locked_until = None
    audit.log(ctx, operator, "UNLOCK", note="解除锁定")


def sign_in(ctx: Ctx, username: str, password: str) -> tuple[User | None, str]:
    """The user if the name and password are right and nothing forbids it; else None and the Chinese reason.

    The reason never tells whether the name exists. Counters are written here; the caller commits them on their own.
    """
    operator = ctx.session.scalars(select(Operator).where(Operator.username == username)).one_or_none()
    if operator is None:
        # The same work as for a known name, so that time tells nothing.
        check_password_hash(_nobodys_hash(), password)
        return None, "登录名或密码不正确"
    user = _user(ctx.session, operator)
    if operator.locked_until and operator.locked_until > ctx.now:
        return None, _locked(ctx, operator.locked_until)
    if not check_password_hash(user.password, password):
        return None, _count_failure(ctx, operator)
    if operator.is_disabled or not user.active or not _employee_active(ctx, operator):
        return None, "账号已停用，请联系安全管理员"
    values: dict[str, Any] = {
        "failed_count": 0, "locked_until": None, "last_login_at": ctx.now, "last_login_ip": ctx.actor.ip or None,
    }  # fmt: skip
    is_free = or_(Operator.locked_until.is_(None), Operator.locked_until <= ctx.now)
    entered = update(Operator).where(Operator.id == operator.id, is_free).values(**values).returning(Operator.id)
    if ctx.session.scalar(entered) is None:
        # Parallel guesses have locked the account since it was read above: the right one among them comes too late.
        ctx.session.refresh(operator)
        return None, _locked(ctx, operator.locked_until or ctx.now)
    return user, ""


def _locked(ctx: Ctx, until: datetime) -> str:
    minutes = max(int((until - ctx.now).total_seconds() // 60), 1)
    return f"登录失败次数过多，账号已锁定，请 {minutes} 分钟后再试或联系安全管理员"


@cache
def _nobodys_hash() -> str:
    """Made when first needed: a hash is slow on purpose."""
    return generate_password_hash("not a password of anybody")


def _employee_active(ctx: Ctx, operator: Operator) -> bool:
    return bool(ctx.session.scalar(select(Employee.is_active).where(Employee.id == operator.employee_id)))


def _count_failure(ctx: Ctx, operator: Operator) -> str:
    # One UPDATE, so that parallel guesses all count.
    tries = ctx.session.scalar(
        update(Operator)
        .where(Operator.id == operator.id)
        .values(failed_count=Operator.failed_count + 1)
        .returning(Operator.failed_count)
    )
    most = whole(ctx.session, "login.max_failures", ctx.today)
    if int(tries or 0) < most:
        return "登录名或密码不正确"
    minutes = whole(ctx.session, "login.lock_minutes", ctx.today)
    ctx.session.execute(
        update(Operator)
        .where(Operator.id == operator.id)
        .values(failed_count=0, locked_until=ctx.now + timedelta(minutes=minutes))
    )
    return f"登录失败次数过多，账号已锁定 {minutes} 分钟"
