"""Operators: who may sign in, their passwords and roles, and the end of a lock (10.1)."""

from collections.abc import Sequence

from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from models.base.checks import check_value
from models.base.errors import BusinessError, Conflict, NotAllowed, StaleRecord
from models.system.organization import Employee, Operator
from models.system.sign_in import SessionEnd
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import verbs
from workflows.system import duties, passwords, sessions, sign_in
from workflows.system.passwords import Asked, Secret, check_password

verbs(
    "operator",
    {"reset": "重置密码", "grant": "分配角色", "unlock": "解除锁定", "end_session": "结束登录会话"},
)
verbs("ab_role", {"list": "查看角色", "edit": "维护角色权限"})


@records.rule(Operator)
def _keep_sign_in(ctx: Ctx, operator: Operator, is_new: bool) -> None:
    """A sign-in is made with its password by `create_operator`; afterwards name and person stay."""
    if is_new:
        raise BusinessError("新增操作员须同时设置初始密码，请在“操作员”页面办理")
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


def create_operator(
    ctx: Ctx,
    employee: Employee,
    username: str,
    password: str | Secret,
    roles: list[str],
    *,
    must_change: bool = True,
) -> Operator:
    """Make the sign-in of an existing employee with its first password; a `Secret` was checked and hashed before.

    Raises NotAllowed, Conflict when the employee or the name has one already, BusinessError for a weak password or
    an unknown role.
    """
    ctx.require("add", "operator", "新增操作员")
    if roles:
        ctx.require("grant", "operator", "分配角色")
    username = username.strip()
    if wrong := check_value("code", username) if username else "请填写登录名":
        raise BusinessError(wrong, field="username")
    taken = select(Operator.id).where(
        (Operator.username == username) | (Operator.employee_id == employee.id)
    )
    if ctx.session.scalar(taken) is not None:
        raise Conflict("该员工已有操作员，或登录名已被使用", field="username")
    secret = password if isinstance(password, Secret) else first_secret(ctx, username, password)
    user = User(
        username=username,
        first_name=employee.name,
        last_name="",
        active=True,
        password=secret.hashed,
        email=employee.email or f"{username}@local.invalid",
        roles=_roles(ctx, roles),
    )
    ctx.session.add(user)
    ctx.session.flush()
    operator = Operator(
        username=username,
        employee_id=employee.id,
        user_id=user.id,
        must_change_password=must_change,
    )
    ctx.session.add(operator)
    ctx.session.flush()
    passwords.keep(ctx, operator, secret)
    return operator


def first_secret(ctx: Ctx, username: str, password: str) -> Secret:
    """A first password, checked and hashed: a screen asks for it before the transaction that makes the operator."""
    check_password(ctx, username, password)
    return Asked().secret(password)


def _roles(ctx: Ctx, names: list[str]) -> list[Role]:
    found = list(ctx.session.scalars(select(Role).where(Role.name.in_(names))))
    if missing := set(names) - {role.name for role in found}:
        raise BusinessError("没有这些角色：" + "、".join(sorted(missing)), field="roles")
    return found


def grant_roles(
    ctx: Ctx, operator: Operator, names: list[str], *, seen: Sequence[str] | None = None
) -> None:
    """Give an operator exactly these roles; the person's sessions end so that nothing old remains in force.

    `seen` are the roles that whoever ticked these had before their eyes. Raises StaleRecord where others are held now:
    what somebody else has given or taken meanwhile is not undone unseen.
    """
    ctx.require("grant", "operator", "分配角色")
    if operator.employee_id == ctx.actor.employee_id:
        raise NotAllowed("不能给自己分配角色，请由另一位安全管理员办理")
    user = _user(ctx.session, operator)
    before = sorted(role.name for role in user.roles)
    if seen is not None and sorted(seen) != before:
        now = "、".join(before) or "没有角色"
        raise StaleRecord(f"角色已被他人修改，现在是：{now}。请刷新后重新勾选")
    if lost := set(before) - set(names):
        duties.refuse_without_roles(ctx, ctx.session.get_one(Employee, operator.employee_id), lost)
    user.roles = _roles(ctx, names)
    sessions.end_of(ctx, [operator.id], SessionEnd.ROLES)
    audit.log(ctx, operator, "GRANT", {"roles": [before, sorted(names)]})
    audit.seal_rows(ctx, "ab_user", [user.id])


def _user(session: Session, operator: Operator) -> User:
    return session.get_one(User, operator.user_id)


def own(ctx: Ctx) -> Operator:
    """The operator who acts."""
    return ctx.session.scalars(
        select(Operator).where(Operator.employee_id == ctx.actor.employee_id)
    ).one()


def change_own_password(
    ctx: Ctx, asked: Asked, secret: Secret, keep_session: int | None = None
) -> Operator:
    """Set one's own password, the old one of `asked` proved and the new one hashed before; other sessions end."""
    operator = own(ctx)
    if _user(ctx.session, operator).password != asked.current:
        raise Conflict("密码刚被修改，请重新办理")
    passwords.keep(ctx, operator, secret)
    operator.must_change_password = False
    sessions.end_of(ctx, [operator.id], SessionEnd.PASSWORD, keep_session)
    audit.log(ctx, operator, "PASSWORD", note="本人修改密码")
    return operator


def reset_password(ctx: Ctx, operator: Operator, password: str | Secret) -> None:
    """Set another person's password; it must be changed at the next sign-in, and no place is known any more."""
    require_reset(ctx, operator)
    secret = password if isinstance(password, Secret) else next_secret(ctx, operator, password)
    passwords.keep(ctx, operator, secret)
    operator.must_change_password = True
    sessions.end_of(ctx, [operator.id], SessionEnd.PASSWORD)
    sign_in.forget_failures(ctx, operator)
    sign_in.forget_places(ctx, operator)
    audit.log(ctx, operator, "PASSWORD", note="管理员重置密码")


def require_reset(ctx: Ctx, operator: Operator) -> None:
    """Raise NotAllowed unless the actor may set this person's password."""
    ctx.require("reset", "operator", "重置密码")
    if operator.employee_id == ctx.actor.employee_id:
        raise NotAllowed("请使用“修改密码”更改自己的密码")


def next_secret(ctx: Ctx, operator: Operator, password: str) -> Secret:
    """A further password, checked and hashed within the transaction: for commands, which nobody waits for."""
    check_password(ctx, operator.username, password)
    return passwords.ask(ctx, operator).secret(password)


def unlock(ctx: Ctx, operator: Operator) -> None:
    """End a lock before its time, from every place."""
    ctx.require("unlock", "operator", "解除锁定")
    sign_in.forget_failures(ctx, operator)
    audit.log(ctx, operator, "UNLOCK", note="解除锁定")
