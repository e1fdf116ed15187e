"""Commands of `flask --app run`: each ends with status 0 only when it did what it says."""

import functools
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from flask import Flask, current_app
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import backup as archives
from app.clock import local_today
from app.demo_accounts import why_exposed
from app.extensions import bind_migrations, db
from app.jobs import job_edge, make_scheduler, run_backup, run_day_end, run_month_end
from app.lifecycle import initialise, require_complete
from app.readiness import in_words, is_ready
from app.security import actor_of_username, build_actor
from models.base.actor import SYSTEM, Actor
from models.base.errors import BusinessError
from models.base.trouble import Unfit
from models.ledger.account import PeriodState
from models.system.organization import Department, Employee, Operator
from models.system.setup import SystemState
from reports.base.documents import missing_system_parts
from reports.figures import rights
from views.kit import edge
from workflows import day_end as day_end_
from workflows import verify as checks
from workflows.base.context import Ctx
from workflows.ledger import closing, heads
from workflows.system import operators

ADMINISTRATOR = "系统管理员"
SECURITY_KEEPER = "安全管理员"
FRAMEWORK_READS = ("list-users", "list-views", "export-roles", "version")
F = TypeVar("F", bound=Callable[..., None])


def bind(app: Flask) -> None:
    """Add the commands to the application."""
    for command in (
        init,
        demo,
        create_admin,
        verify,
        scheduler,
        day_end,
        month_end,
        backup,
        restore,
    ):
        app.cli.add_command(command)
    context = click.get_current_context(silent=True)
    if context is not None:  # on the command line alone: a server has no use for `flask db`
        refuse_framework(context)
        bind_migrations(app)


def refuse_framework(context: click.Context | None) -> None:
    """End a command of the framework that writes users and roles: it leaves no line, so `verify` calls it tampering."""
    while context is not None:
        if context.parent is not None and context.parent.info_name == "fab":
            if context.info_name in FRAMEWORK_READS:
                return
            fail(
                f"flask fab {context.info_name} 不留操作日志，已停用。操作员、密码与角色请由安全管理员在页面办理；"
                "没有人能登录时，用 flask --app run create-admin 另建管理员"
            )
        context = context.parent


def fail(message: str) -> None:
    """Say why on standard error and end with status 1."""
    click.echo(message, err=True)
    sys.exit(1)


def refusing(command: F) -> F:
    """A refusal that the command itself does not tell ends it in words, never in a traceback."""

    @functools.wraps(command)
    def told(*args: Any, **kwargs: Any) -> None:
        try:
            with in_words():
                command(*args, **kwargs)
        except BusinessError as error:
            db.session.rollback()
            fail(f"未完成：{error.message}")

    return cast(F, told)


def writing_ctx(session: Session) -> Ctx:
    """A unit of work of the system, begun for writing."""
    edge.begin_write(session)
    state = session.get_one(SystemState, 1)
    return Ctx(
        session=session,
        actor=SYSTEM,
        today=state.business_date,
        now=datetime.now(UTC),
        source="cli",
    )


@click.command()
@refusing
def init() -> None:
    """建立或升级数据库，装入基础数据、权限与内置角色；可重复执行。"""
    initialise(current_app)
    if why := why_exposed():
        fail(why)
    click.echo("数据库已就绪。")
    for part in missing_system_parts():
        click.echo(f"提示：{part}")


@click.command()
@click.option(
    "--size", type=click.Choice(["small", "medium", "large"]), default="small", help="演示数据规模"
)
@click.option("--seed", type=int, default=20261123, help="随机种子，相同种子得到相同数据")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), default=None, help="演示截止的营业日期，默认今天"
)
@refusing
def demo(size: str, seed: int, as_of: datetime | None) -> None:
    """装入演示数据（通过业务流程办理而成）；已有演示数据时不做任何事。"""
    from app.demo import load_demo  # noqa: PLC0415 - only this command and the first start need it

    settings = current_app.config["SETTINGS"]
    if settings.is_production and not settings.demo:
        fail(
            "生产环境（APP_ENV=production）不装演示数据：演示账号的密码人人皆知。确为演示时设置 DEMO=1。"
        )
    if not is_ready(current_app):
        initialise(current_app)
    on: date | None = as_of.date() if as_of else None
    try:
        done = load_demo(current_app, size=size, seed=seed, as_of=on, say=click.echo)
    except BusinessError as error:
        fail(f"演示数据未装入：{error.message}")
        return
    click.echo("演示数据已装入。" if done else "数据库中已有数据，未装入演示数据。")


@click.command("create-admin")
@click.option("--username", default="admin", show_default=True, help="登录名")
@click.option("--name", default=ADMINISTRATOR, show_default=True, help="员工姓名")
@click.option(
    "--password",
    envvar="ADMIN_PASSWORD",
    help="初始密码；也可用环境变量 ADMIN_PASSWORD，不给则询问",
)
@click.option("--role", default=ADMINISTRATOR, show_default=True, help="角色")
@click.option(
    "--security/--no-security",
    default=None,
    help="同时兼任安全管理员（新增操作员、分配角色）；不给时，还没有安全管理员则询问，不能询问则兼任",
)
@refusing
def create_admin(
    username: str, name: str, password: str | None, role: str, security: bool | None
) -> None:
    """建立管理员：员工与操作员一并建立，首次登录须修改密码；还没有安全管理员时由其兼任，否则没有人能新增操作员。"""
    password = password or click.prompt(
        "初始密码", hide_input=True, confirmation_prompt="再输入一次"
    )
    if not is_ready(current_app):
        initialise(current_app)
    session = db.session()
    ctx = writing_ctx(session)
    try:
        roles = _admin_roles(session, role, security)
        operators.create_operator(ctx, _employee(ctx, username, name), username, password, roles)
        session.commit()
    except BusinessError as error:
        session.rollback()
        fail(f"未建立：{error.message}")
        return
    click.echo(f"已建立操作员 {username}（{name}，{'、'.join(roles)}）。")
    click.echo(_next_step(session))


def _admin_roles(session: Session, role: str, security: bool | None) -> list[str]:
    """The role asked for; 安全管理员 as well where that is wanted, or nobody else could give anybody rights."""
    if security is None:
        security = not rights.holders(session, *rights.KEEPERS) and (
            not sys.stdin.isatty()
            or click.confirm(
                "还没有安全管理员（新增操作员、分配角色的人）。由同一人兼任？", default=True
            )
        )
    return [role, *((SECURITY_KEEPER,) if security and role != SECURITY_KEEPER else ())]


def _next_step(session: Session) -> str:
    if keepers := rights.holders(session, *rights.KEEPERS):
        return f"操作员与角色由 {'、'.join(keepers)} 维护；登录后请打开“开业准备”，逐项办理。"
    return (
        "还没有安全管理员，没有人能新增操作员：请为另一人再执行一次，加上 "
        f"--username 登录名 --name 姓名 --role {SECURITY_KEEPER}"
    )


def _employee(ctx: Ctx, username: str, name: str) -> Employee:
    session = ctx.session
    root = session.scalars(select(Department).order_by(Department.id)).first()
    if root is None:
        root = Department(code="00", name="公司本部", path="/")
        session.add(root)
        session.flush()
        root.path = f"/{root.id}/"
    employee = session.scalars(select(Employee).where(Employee.number == username)).one_or_none()
    if employee is None:
        employee = Employee(number=username, name=name, department_id=root.id)
        session.add(employee)
        session.flush()
    return employee


@click.command()
@refusing
def verify() -> None:
    """从明细重算余额、编号、凭证链、操作日志、额度与记账，发现第一处不符即报告并以状态 1 退出。"""
    _verify()


def _verify() -> None:
    try:
        require_complete(current_app)
    except Unfit as error:
        fail(f"✗ 数据库结构：{error.message}")
    click.echo("✓ 数据库结构")
    session = db.session()
    settings = current_app.config["SETTINGS"]
    session.info.update(data_dir=str(settings.data_dir), chain_heads=str(settings.chain_heads))
    for result in checks.run(session):
        if result.problem:
            fail(f"✗ {result.label}：{result.problem}")
        click.echo(f"✓ {result.label}（{result.rows:,} 行，{result.seconds:.1f} 秒）")


def _resume() -> None:
    """Let the file of chain heads go on from the backup."""
    session = db.session()
    session.info["chain_heads"] = str(current_app.config["SETTINGS"].chain_heads)
    ctx = writing_ctx(session)
    heads.resume(ctx)
    session.commit()


@click.command("day-end")
@click.option(
    "--date",
    "last",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="办到哪一天（含），默认到昨天",
)
@refusing
def day_end(last: datetime | None) -> None:
    """办理日终：逐日补办到指定日期，不超过今天的日历日期；同一日期只办一次。"""
    until = last.date() + timedelta(days=1) if last else local_today()
    if until > local_today():
        fail(f"{until - timedelta(days=1)} 尚未结束，不能办理日终")
    try:
        runs = run_day_end(current_app._get_current_object(), until=until, source="cli")  # type: ignore[attr-defined]  # noqa: SLF001
    except BusinessError as error:
        fail(f"日终未完成：{error.message}")
        return
    for run in runs:
        notes = "；".join(note for note in run.result["done"].values() if note)
        click.echo(f"✓ {run.business_date} 日终完成：{notes}")
    today = db.session.get_one(SystemState, 1).business_date
    if today < until:
        fail(day_end_.why_taken(job_edge("cli")))
    click.echo(f"系统营业日期：{today}")


@click.command("month-end")
@click.option("--period", required=True, help="会计期间，如 2026-01")
@click.option(
    "--by", "username", default=None, help="办理人的登录名；默认为第一个有结账权限的操作员"
)
@refusing
def month_end(period: str, username: str | None) -> None:
    """月末处理：确认收入、计提准备金、结转损益并结账；检查未通过时说明原因并以状态 1 退出。"""
    session = db.session()
    try:
        actor = actor_of_username(session, username) if username else _closer(session)
        closing.require_idle(session, period, datetime.now(UTC))
        ctx = writing_ctx(session)
        ctx.actor = actor
        state = closing.prepare(ctx, period).state
        session.commit()
        if state is PeriodState.CLOSED:
            click.echo(f"{period} 已结账，没有变化。")
            return
        run = run_month_end(current_app._get_current_object(), actor, period, source="cli")  # type: ignore[attr-defined]  # noqa: SLF001
    except BusinessError as error:
        session.rollback()
        fail(f"月末处理未完成：{error.message}")
        return
    for step in closing.month_end_steps(period):
        click.echo(f"✓ {step.label}：{run.result['done'].get(step.code, '')}")


def _closer(session: Session) -> Actor:
    """The first operator who may close: closing is a person's act, whoever starts the command."""
    query = (
        select(User)
        .join(Operator, Operator.user_id == User.id)
        .where(Operator.is_disabled.is_(False), User.active)
    )
    for user in session.scalars(query.order_by(User.id)):
        actor = build_actor(session, user)
        if actor.may("close", "accounting_period"):
            return actor
    raise BusinessError("没有操作员有结账权限，请先授权或用 --by 指定办理人")


@click.command()
@refusing
def scheduler() -> None:
    """单独运行定时作业（多进程部署时用，同一作业每个营业日期只执行一次）。"""
    scheduler_ = make_scheduler(current_app._get_current_object(), blocking=True)  # type: ignore[attr-defined]  # noqa: SLF001
    click.echo("定时作业已启动，按 Ctrl+C 停止。")
    if not is_ready(current_app):
        click.echo("数据库尚未就绪：flask init 完成之前不执行任何作业。")
    scheduler_.start()


@click.command()
@click.option(
    "--to",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="存放目录，默认数据目录下",
)
@refusing
def backup(directory: Path | None) -> None:
    """备份数据库、附件与已出具的文件为一个压缩包，并逐一核对；系统运行时也可执行。"""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        run = run_backup(app, source="cli", directory=directory)
    except (BusinessError, OSError) as error:
        fail(f"备份未完成：{getattr(error, 'message', error)}")
        return
    click.echo("备份完成：" + (run.result["done"]["work"] if run else ""))


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="覆盖数据库中已有的数据")
@refusing
def restore(archive: Path, replace: bool) -> None:
    """用备份恢复：先停止系统；核对备份后整体替换数据库，再升级并核对全部账务。"""
    try:
        found = archives.restore(current_app, archive, replace=replace)
        initialise(current_app)
        _resume()
    except BusinessError as error:
        fail(f"未恢复：{error.message}")
        return
    click.echo(f"已恢复到 {found['made_at']} 的备份，营业日期 {found['business_date']}。")
    _verify()
