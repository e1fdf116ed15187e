"""The edge: one request becomes one unit of work: one actor, one business date, one clock reading, one commit."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, TypeVar, cast

from flask import Response, current_app, flash, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_jwt_extended import verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from jwt import PyJWTError
from markupsafe import Markup
from sqlalchemy import select, true
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NoResultFound, OperationalError
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.orm.exc import StaleDataError

from models.base import trouble
from models.base.actor import SYSTEM, Actor
from models.base.errors import BusinessError, Conflict, NotAllowed
from models.base.moments import SHANGHAI
from models.base.text import visible
from models.system.configuration import ConfigProposal
from models.system.organization import Operator
from models.system.setup import SystemState
from reports.base.scope import was_asked
from reports.figures import custom_fields, rights
from views.kit import drafts, once
from workflows.base import once as keys
from workflows.base import transition
from workflows.base.context import Ctx
from workflows.system import proposals

F = TypeVar("F", bound=Callable[..., Any])
BUSY = "系统正忙，没有保存，请稍后重试"
UNKNOWN = "保存时数据库连接中断，结果未知：请先查看是否已保存。用同一张表单重新提交不会重复办理。"
ID_MAX = 2_147_483_647
# Why somebody changes the configuration, in a form or an address.
CHANGE_REASON = "change_reason"
REASON_MAX = 200
# How the database tells that somebody else was first; the last one: a row gone between two of our reads.
DATABASE_DECIDED = (StaleDataError, IntegrityError, NoResultFound)
TITLES = {
    400: "提交的内容有误",
    401: "请先登录",
    403: "没有权限",
    404: "没有找到",
    405: "不能这样访问",
    409: "现在不能这样做",
    429: "操作过于频繁",
    503: "系统正忙",
}
VERBS = {
    "list": "查看",
    "show": "查看",
    "add": "新增",
    "edit": "修改",
    "delete": "删除",
    "export": "导出",
    "import": "导入",
    "reveal": "查看原值",
}


class NotSignedIn(BusinessError):
    """Nobody is signed in, or the account is disabled."""

    status = 401


class Proposed(Exception):
    """The work changes configuration that a second person must publish: it is kept as a proposal and holds not yet."""

    def __init__(self, made: Sequence[ConfigProposal]) -> None:
        """`made` are the proposals, at least one."""
        super().__init__()
        names = "、".join(f"“{one.title}”" for one in made)
        self.message = f"{names}的变更已提交，待另一人发布后生效；在此之前现行内容不变"
        self.url = f"/config_proposal/show/{made[0].id}"


class ResultUnknown(BusinessError):
    """The connection broke while the database was saving: it may have saved all or nothing."""

    status = 503


def session() -> Session:
    """The database session of this request."""
    found = current_app.appbuilder.session  # type: ignore[attr-defined]
    return cast(Session, found() if isinstance(found, scoped_session) else found)


def current_ctx(source: str = "screen") -> Ctx:
    """The unit of work of this request, made on first use. Raises NotSignedIn."""
    found = g.get("ctx")
    if found is None:
        found = g.ctx = _new_ctx(source)
    return cast(Ctx, found)


def _new_ctx(source: str) -> Ctx:
    user = _signed_in_user()
    if user is None:
        raise NotSignedIn("请先登录")
    actor: Actor = current_app.extensions["actor_loader"](user)
    now = datetime.now(UTC)
    return Ctx(session=session(), actor=actor, today=business_date(), now=now, source=source)


def system_ctx(source: str) -> Ctx:
    """A unit of work of the system inside a request, e.g. for checking a sign-in; kept apart from the actor's."""
    actor = replace(SYSTEM, ip=request.remote_addr or "")
    return Ctx(
        session=session(), actor=actor, today=business_date(), now=datetime.now(UTC), source=source
    )


def _signed_in_user() -> Any:
    for user in (g.get("user"), current_user):
        if (
            user is not None
            and getattr(user, "is_authenticated", False)
            and getattr(user, "is_active", False)
        ):
            return user
    return None


def business_date(*, is_held: bool = False) -> date:
    """The business date (系统营业日期) of the installation; a held one is not rolled before the commit."""
    now = custom_fields.edition()
    query = select(SystemState.business_date, now.c.fields, now.c.saves, now.c.last)
    query = query.join(now, true())
    query = query.with_for_update(read=True, of=SystemState) if is_held else query
    found = session().execute(query).one_or_none()
    if found is None:
        return datetime.now(SHANGHAI).date()
    custom_fields.hold(session(), (int(found.fields), int(found.saves), int(found.last)))
    return found[0]


@contextmanager
def writing(source: str = "screen") -> Iterator[Ctx]:
    """Run verbs in one transaction: all is committed at the end, or nothing; a key (X17) is used up with it.

    Raises the BusinessError of the verb, Repeated where the key was used before, ResultUnknown, Conflict where the
    database decided between two savers, or BusinessError where a value does not fit into its column.
    """
    ctx = current_ctx(source)
    try:
        _begin(ctx)
        yield ctx
        _commit_or_propose(ctx)
    except BusinessError as error:
        ctx.session.rollback()
        name_who_may(error)
        raise
    except DATABASE_DECIDED as error:
        ctx.session.rollback()
        raise Conflict("数据刚被他人修改，或与已有数据冲突，请刷新后重试") from error
    except OperationalError as error:
        ctx.session.rollback()
        if trouble.is_full(error):
            raise Conflict(trouble.FULL) from error
        if not trouble.is_passing(error):
            raise
        raise Conflict(BUSY) from error
    except DataError as error:
        ctx.session.rollback()
        raise BusinessError(
            "有内容过长、数字过大或含有无法保存的字符，没有保存，请修改后重试"
        ) from error
    except BaseException:
        ctx.session.rollback()
        raise


def _begin(ctx: Ctx) -> None:
    begin_write(ctx.session)
    ctx.today = business_date(is_held=True)  # it may have been rolled since the request began
    ctx.reason = visible(request.values.get(CHANGE_REASON, "")).strip()[:REASON_MAX]
    once.claim(ctx)
    drafts.saved(ctx)


def _commit_or_propose(ctx: Ctx) -> None:
    """Save what was done; or where a second person must publish it, take it back and keep it as a proposal (X15)."""
    try:
        proposals.hold(ctx)
    except proposals.Held as held:
        ctx.session.rollback()
        ctx.after_commit.clear()
        _begin(ctx)
        made = proposals.propose(ctx, held.found)
        answer = Proposed(made)
        commit(ctx)
        raise answer from None
    commit(ctx)


def name_who_may(error: BusinessError) -> None:
    """Tell in the message of a refusal who holds the permission that is lacking; once, whoever asks."""
    if isinstance(error, NotAllowed) and error.needed is not None:
        needed, error.needed = error.needed, None
        error.message += f"。{rights.whom_to_ask(session(), *needed)}"


def begin_write(database: Session) -> None:
    """Start a transaction that may write: on SQLite it locks before its first read, for turning into a writer fails.

    What the request has read so far (who is signed in) ends with a rollback; nothing of it was changed. Raises
    Conflict where another writer, e.g. a long step of a job, does not let go in time.
    """
    if database.in_transaction():
        database.rollback()
    try:
        database.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    except OperationalError as error:
        database.rollback()
        if not trouble.is_passing(error):
            raise
        raise Conflict(BUSY) from error


def commit(ctx: Ctx) -> None:
    """The one commit of the request; what waits for it (mails, jobs) follows."""
    ctx.session.flush()  # what the database refuses is refused here: from here on only the connection can fail
    try:
        ctx.session.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            g.is_result_unknown = True
            raise ResultUnknown(UNKNOWN) from error
        raise
    once.carried_out(ctx)
    waiting, ctx.after_commit = list(ctx.after_commit), []
    for act in waiting:
        act()


def keep_answer(response: Response) -> Response:
    """After each request: keep the answer beside the key that was used up, for whoever sends the same again (X17)."""
    kept = once.to_keep(response)
    if kept is not None:
        # The work is saved: whoever sends it again is told so, even where its answer could not be kept.
        with suppress(DBAPIError, Conflict):
            begin_write(session())
            keys.keep(session(), *kept)
            session().commit()
    return response


def wants_json() -> bool:
    """Whether the asker is a program: REST, a look-up, or a script of the page."""
    return request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json"


def handle(error: BusinessError) -> ResponseReturnValue:
    """The answer to a business error that no form shows: JSON for programs, a page for people."""
    name_who_may(error)
    record = error.record if isinstance(error, Conflict) else None
    if wants_json():
        told = {"message": error.message, "errors": error.field_errors}
        return jsonify(told | ({"record": list(record)} if record else {})), error.status
    if error.status == 401:
        return to_login()
    title = TITLES.get(error.status, TITLES[400])
    builder = current_app.appbuilder  # type: ignore[attr-defined]
    page = render_template(
        "error.html",
        code=error.status,
        title=title,
        message=error.message,
        url=f"/{record[0]}/show/{record[1]}" if record else "",
        link_label="打开正在办理的" if record else "",
        appbuilder=builder,
    )
    return page, error.status


def to_login() -> ResponseReturnValue:
    """Send to the sign-in page and back here afterwards."""
    target = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(current_app.appbuilder.get_url_for_login_with(target))  # type: ignore[attr-defined]


def screen(*verbs: str, or_asked: bool = False) -> Callable[[F], F]:
    """Guard a route of a view: signed in, and holding `can_<verb>` of one of the verbs (if any) on the view's table.

    `or_asked` opens the page of one record to whoever has or had an approval task on it, without the permission.

    Business errors become a page (or JSON) in one place, so a route raises and never renders refusals itself.
    """

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def guarded(self: Any, *args: Any, **kwargs: Any) -> ResponseReturnValue:
            try:
                ctx = current_ctx()
                if not (or_asked and _was_asked(self, kwargs)):
                    require_any(ctx, verbs, self.class_permission_name, getattr(self, "title", ""))
                return answer_once(
                    ctx, lambda: cast(ResponseReturnValue, method(self, *args, **kwargs))
                )
            except Proposed as answer:
                return _proposed(answer)
            except BusinessError as error:
                session().rollback()
                return handle(error)

        return cast(F, _marked(guarded, verbs))

    return decorate


def _proposed(answer: Proposed) -> ResponseReturnValue:
    """To whom a change was proposed instead of saved: the page of the proposal, or for programs 202."""
    if wants_json():
        return jsonify({"message": answer.message, "url": answer.url}), 202
    flash(answer.message, "success")
    return redirect(answer.url)


def _marked(guarded: Any, verbs: tuple[str, ...]) -> Any:
    """Note on a guarded route what it asks for, as the framework and the structure tests read it."""
    guarded.asks_for = verbs
    if verbs:
        guarded._permission_name = verbs[0]  # noqa: SLF001 - how the framework collects permissions
    guarded.answers_once = True
    return guarded


def _was_asked(view: Any, places: Mapping[str, Any]) -> bool:
    """Whether the reader lacks the permission of the record's page, but is or was to decide on the record."""
    ctx, key = current_ctx(), str(places.get("pk", ""))
    if ctx.actor.may("show", view.class_permission_name) or not (
        key.isascii() and key.isdecimal() and len(key) < 10
    ):
        return False
    record = ctx.session.get(view.model, int(key))
    return record is not None and was_asked(ctx.session, ctx.actor, record)


def rest(*verbs: str, or_asked: bool = False) -> Callable[[F], F]:
    """Guard a REST route: a bearer token, or the browser's session with its CSRF token; then the permission."""

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def guarded(self: Any, *args: Any, **kwargs: Any) -> ResponseReturnValue:
            try:
                _authenticate()
                ctx = current_ctx("rest")
                if not (or_asked and _was_asked(self, kwargs)):
                    require_any(ctx, verbs, self.class_permission_name, self.title)
                return answer_once(
                    ctx, lambda: cast(ResponseReturnValue, method(self, *args, **kwargs))
                )
            except Proposed as answer:
                return _proposed(answer)
            except BusinessError as error:
                session().rollback()
                return handle(error)

        return cast(F, _marked(guarded, verbs))

    return decorate


def answer_once(ctx: Ctx, act: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """The answer of a route; for a submission that was carried out before, the answer it was given then (X17)."""
    if place := once.answered(ctx):
        return once.first_answer(ctx, place)
    try:
        return act()
    except keys.Repeated as repeated:  # the other one was saved while this one waited
        return once.first_answer(ctx, repeated.place)


def _authenticate() -> None:
    """Take the token's user where there is a token; the CSRF token of a session was checked before any route."""
    if "Authorization" in request.headers:
        verify_token()


def verify_token(*, refresh: bool = False) -> None:
    """Take the token's user. Raises NotSignedIn for a token that holds no more, NotAllowed before a first password."""
    try:
        verify_jwt_in_request(refresh=refresh)
    except (JWTExtendedException, PyJWTError) as error:
        raise NotSignedIn("令牌无效或已过期，请重新登录") from error
    if g.operator.must_change_password:
        raise NotAllowed("请先登录页面修改初始密码")


def require_any(ctx: Ctx, verbs: Sequence[str], table: str, label: str = "") -> None:
    """Raise NotAllowed unless the actor holds one of the verbs."""
    if verbs and not any(ctx.actor.may(verb, table) for verb in verbs):
        known = transition.VERBS.get((table, verbs[0]))
        ctx.require(
            verbs[0], table, known.label if known else f"{VERBS.get(verbs[0], verbs[0])}{label}"
        )


def rows_per_page(ctx: Ctx) -> int:
    """How many rows this reader wants on a list page (2.6)."""
    operator = _operator(ctx)
    return 20 if operator is None else operator.rows_per_page


def chosen_columns(ctx: Ctx, table: str) -> Sequence[str]:
    """The columns that this reader has chosen for the list of a table; empty where the choice was never made."""
    operator = _operator(ctx)
    return () if operator is None else (operator.list_columns or {}).get(table, ())


def chosen_order(ctx: Ctx, table: str) -> str:
    """The order in which this reader has last sorted the list of a table; empty where never."""
    operator = _operator(ctx)
    return "" if operator is None else str((operator.list_orders or {}).get(table, ""))


def saved_reports(ctx: Ctx, code: str) -> Mapping[str, str]:
    """The choices of a report that this reader has kept, by name."""
    operator = _operator(ctx)
    return {} if operator is None else (operator.saved_reports or {}).get(code, {})


def _operator(ctx: Ctx) -> Operator | None:
    found: Operator | None = g.get("operator")
    return (
        found
        or ctx.session.scalars(
            select(Operator).where(Operator.user_id == ctx.actor.user_id)
        ).first()
    )


def csrf_input() -> Markup:
    """The hidden token and key that every form of ours sends along."""
    return (
        Markup('<input type="hidden" name="csrf_token" value="%s">') % generate_csrf()
        + once.key_input()
    )


def safe_next(target: str | None, fallback: str) -> str:
    """An address of this application to go to next; anything else gives the fallback."""
    if (
        not target
        or not target.startswith("/")
        or target.startswith(("//", "/\\"))
        or "\\" in target
    ):
        return fallback
    return fallback if any(ord(char) < 32 for char in target) else target
