"""Who may do what: sign-in on top of the framework, actors, and the way from a user to an actor."""

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, current_app, flash, g, jsonify, redirect, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.api import SecurityApi as BaseSecurityApi
from flask_appbuilder.security.sqla.manager import SecurityManager as BaseManager
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    User,
    ViewMenu,
    assoc_permissionview_role,
    assoc_user_role,
)
from flask_appbuilder.security.views import AuthDBView
from flask_jwt_extended import create_access_token, create_refresh_token, get_jwt, get_jwt_identity
from flask_login import LoginManager
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import extensions
from app.demo_accounts import why_exposed
from models.base.actor import SYSTEM, Actor, ScopeLevel
from models.base.errors import BusinessError, NotFound
from models.base.text import visible
from models.system.organization import Company, Department, Employee, Operator
from models.system.role import RoleProfile
from models.system.setup import SystemState
from models.system.sign_in import SessionEnd, SignInKind
from reports.figures.delegations import lent, mandated
from views.kit import edge, rest_args
from workflows.base.context import Ctx
from workflows.system import sessions, sign_in

# Endpoints open to somebody who must change the password first.
_FREE = ("static", "AuthDBView.logout", "PasswordView.form", "appbuilder.static")
# Where a token names its session.
SESSION_CLAIM = "sid"
DEVICE_COOKIE = "guarantee_device"
# the longest that browsers keep; a parameter says how long it counts
DEVICE_SECONDS = 400 * 24 * 3600


class SignInView(AuthDBView):
    """The login page: the framework's route, our rules."""

    login_template = "appbuilder/general/security/login_db.html"

    @expose("/login/", methods=["GET", "POST"])
    def login(self) -> ResponseReturnValue:
        """Show the form, or check the name and password and go to where the person wanted."""
        if g.user is not None and g.user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_index)
        message, name, status = "", "", 200
        if request.method == "POST":
            name = request.form.get("username", "")[:64].strip()
            try:
                entered = self.appbuilder.sm.try_sign_in(
                    name, request.form.get("password", "")[:256]
                )
                return _let_in(entered, self.appbuilder.get_url_for_index)
            except (edge.NotSignedIn, sign_in.TooManyTries) as error:
                message, status = error.message, error.status
        accounts = current_app.extensions["demo_accounts"]()
        brand = edge.session().execute(select(Company.display_name, Company.seal_character)).first()
        page = self.render_template(
            self.login_template,
            title="登录",
            message=message,
            username=name,
            demo_accounts=accounts,
            appbuilder=self.appbuilder,
            brand_name=brand and brand[0],
            brand_seal=brand and brand[1],
        )
        return page, status

    @expose("/logout/")
    def logout(self) -> ResponseReturnValue:
        """End the session itself: a copy of its cookie opens nothing any more."""
        found: sessions.Found | None = g.get("sign_in")
        if found is not None:
            # ended from elsewhere at this moment
            with (
                edge.writing() as ctx,
                contextlib.suppress(NotFound),
            ):
                sessions.end(
                    ctx,
                    ctx.session.get_one(Operator, found.operator_id),
                    found.id,
                    SessionEnd.SIGNED_OUT,
                )
        cookie.clear()
        return redirect(self.appbuilder.get_url_for_index)


def _let_in(entered: sign_in.SignedIn, home: str) -> ResponseReturnValue:
    """Give the browser its session, and the words by which this device is known from now on."""
    cookie.clear()
    cookie["_user_id"] = entered.word  # where the framework looks; `load_user` knows what it is
    cookie.permanent = True
    answer = redirect(edge.safe_next(request.args.get("next"), home))
    answer.set_cookie(
        DEVICE_COOKIE,
        ".".join(entered.devices),
        max_age=DEVICE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return answer


class SecurityApi(BaseSecurityApi):
    """Signing in for programs: the framework's routes, our rules and words."""

    @expose("/login", methods=["POST"])
    def login(self) -> ResponseReturnValue:
        """A token for a name and password, good while its session lasts: password, roles, account or a person end it.
        ---
        post:
          summary: Sign in
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  required: [username, password]
                  properties:
                    username: {type: string}
                    password: {type: string}
                    provider: {type: string, enum: [db]}
                    refresh: {type: boolean, description: "true: a refresh token is given too"}
          responses:
            200:
              description: Signed in
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token: {type: string}
                      refresh_token: {type: string}
            400:
              $ref: '#/components/responses/400'
            401:
              $ref: '#/components/responses/401'
        """
        sent = {"provider": "db", "refresh": False, **rest_args.body()}
        name, password = sent.get("username"), sent.get("password")
        if not (isinstance(name, str) and isinstance(password, str) and name and password):
            raise BusinessError("请提供文字形式的 username 和 password")
        if sent["provider"] != "db" or not isinstance(sent["refresh"], bool):
            raise BusinessError("provider 只能是 db，refresh 只能是 true 或 false")
        entered = self.appbuilder.sm.try_sign_in(
            visible(name)[:64].strip(), visible(password)[:256], SignInKind.PROGRAM
        )
        identity, claims = str(entered.user_id), {SESSION_CLAIM: entered.word}
        tokens = {
            "access_token": create_access_token(identity, fresh=True, additional_claims=claims)
        }
        if sent["refresh"]:
            tokens["refresh_token"] = create_refresh_token(identity, additional_claims=claims)
        return jsonify(tokens)

    @expose("/refresh", methods=["POST"])
    def refresh(self) -> ResponseReturnValue:
        """A new token for a refresh token.
        ---
        post:
          summary: New access token
          responses:
            200:
              description: The new token
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token: {type: string}
            401:
              $ref: '#/components/responses/401'
          security:
            - jwt_refresh: []
        """
        edge.verify_token(refresh=True)
        claims = {SESSION_CLAIM: get_jwt()[SESSION_CLAIM]}
        token = create_access_token(get_jwt_identity(), fresh=False, additional_claims=claims)
        return jsonify({"access_token": token})


class SecurityManager(BaseManager):
    """Operators are employees; sessions end with the password; permissions are read once per request."""

    authdbview = SignInView
    security_api = SecurityApi

    def register_views(self) -> None:
        """Only sign-in and the token endpoint are the framework's; roles and operators have screens of our own."""
        self.auth_view = self.authdbview()
        self.appbuilder.add_view_no_menu(self.auth_view)
        self.appbuilder.add_api(self.security_api)

    def create_login_manager(self, app: Flask) -> LoginManager:
        """The session's row says all: no second opinion from address and browser."""
        manager = super().create_login_manager(app)
        manager.session_protection = None
        return manager

    def try_sign_in(
        self, username: str, password: str, kind: SignInKind = SignInKind.BROWSER
    ) -> sign_in.SignedIn:
        """Check name and password; what is counted or opened is committed on its own, whatever the request does then.

        Nothing is held of the database while the password is compared. Raises NotSignedIn with the one answer for
        every refusal, TooManyTries for an address.
        """
        if why := why_exposed():
            raise edge.NotSignedIn(why)
        tried = sign_in.Try(
            username,
            request.remote_addr or "",
            _devices(),
            request.headers.get("User-Agent", "")[:200],
            kind,
        )
        ctx = edge.system_ctx("login")
        seen = sign_in.look(ctx, tried)
        ctx.session.rollback()
        right = sign_in.is_right(seen, password)
        edge.begin_write(ctx.session)
        ctx = edge.system_ctx("login")  # comparing may have waited its turn
        entered = sign_in.settle(ctx, tried, seen, right=right)
        ctx.session.commit()
        if entered is None:
            raise edge.NotSignedIn(sign_in.REFUSED)
        return entered

    def auth_user_db(self, username: str, password: str) -> User | None:
        """Nobody comes in by the framework's own doors."""
        del username, password
        return None

    def load_user(self, pk: Any) -> User | None:
        """The user of a browser's session, while it lasts; `pk` is the word in its cookie."""
        return self._user_of(pk)

    def load_user_jwt(self, _header: dict[str, Any], claims: dict[str, Any]) -> User | None:
        """The user of a token, while its session lasts."""
        user = self._user_of(claims.get(SESSION_CLAIM))
        if user is None or str(user.id) != claims["sub"]:
            return None
        g.user = user
        return user

    def _user_of(self, word: Any) -> User | None:
        found = (
            sessions.find(self.session, word, datetime.now(UTC)) if isinstance(word, str) else None
        )
        if found is None:
            return None
        g.sign_in, g.operator, user = found
        return user

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Answer from the actor's permissions, read once per request."""
        try:
            actor = edge.current_ctx().actor
        except edge.NotSignedIn:
            return False
        return (permission_name, view_name) in actor.permissions


def _devices() -> tuple[str, ...]:
    """The words by which accounts know this browser."""
    return tuple(word for word in request.cookies.get(DEVICE_COOKIE, "")[:500].split(".") if word)


def bind_sessions(app: Any) -> None:
    """First passwords are changed before anything else; a session in use is noted now and then."""

    @app.after_request
    def note_use(response: Response) -> Response:
        found: sessions.Found | None = g.get("sign_in")
        if found is not None and datetime.now(UTC) - found.seen_at > sessions.TOUCH_AFTER:
            extensions.note_beside(lambda session: _touch(session, found.id))
        return response

    @app.before_request
    def must_change_password() -> ResponseReturnValue | None:
        operator = g.get("operator") if getattr(g.get("user"), "is_authenticated", False) else None
        if operator is None or not operator.must_change_password or request.endpoint in _FREE:
            return None
        if edge.wants_json():
            return {"message": "请先修改初始密码"}, 403
        flash("请先修改初始密码", "warning")
        return redirect("/password/")


def _touch(session: Session, session_id: int) -> None:
    today = session.scalars(select(SystemState.business_date)).one()
    sessions.touch(Ctx(session, SYSTEM, today, datetime.now(UTC)), session_id)


def actor_for(user: User) -> Actor:
    """The actor behind the signed-in user of this request."""
    return build_actor(edge.session(), user, ip=request.remote_addr or "")


def build_actor(session: Session, user: User, ip: str = "") -> Actor:
    """The actor behind a user: employee, department subtree, widest scope of the roles, permissions."""
    row = session.execute(
        select(
            Employee.id,
            Employee.name,
            Employee.department_id,
            Department.path,
            mandated(Employee.id).label("is_lent"),
        )
        .join(Operator, Operator.employee_id == Employee.id)
        .join(Department, Department.id == Employee.department_id)
        .where(Operator.user_id == user.id)
    ).one_or_none()
    if row is None:
        raise edge.NotSignedIn("账号没有对应的员工，请联系安全管理员")
    roles = session.execute(
        select(Role.id, Role.name, RoleProfile.scope)
        .join(assoc_user_role, assoc_user_role.c.role_id == Role.id)
        .outerjoin(RoleProfile, RoleProfile.role_id == Role.id)
        .where(assoc_user_role.c.user_id == user.id)
    ).all()
    roles_of = {r.id: ScopeLevel.of(r.scope) for r in roles}
    scope = max(roles_of.values(), default=ScopeLevel.SELF)
    granted = grants(session, roles_of)
    inside = select(Department.id).where(Department.path.like(f"{row.path}%"))
    return Actor(
        employee_id=row.id,
        lent=lent(session, row.id) if row.is_lent else frozenset(),
        name=row.name,
        user_id=user.id,
        department_id=row.department_id,
        department_ids=frozenset(session.scalars(inside))
        if ScopeLevel.SUBTREE in roles_of.values()
        else frozenset(),
        scope=scope,
        roles=frozenset(r.name for r in roles),
        permissions=frozenset(granted),
        narrower=frozenset((*pair, level) for pair, level in granted.items() if level is not scope),
        ip=ip,
    )


def grants(session: Session, roles: Mapping[int, ScopeLevel]) -> dict[tuple[str, str], ScopeLevel]:
    """(permission, resource) pairs of the roles, each with the widest scope of those that give it, in one query."""
    rows = session.execute(
        select(Permission.name, ViewMenu.name, assoc_permissionview_role.c.role_id)
        .select_from(assoc_permissionview_role)
        .join(PermissionView, PermissionView.id == assoc_permissionview_role.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(assoc_permissionview_role.c.role_id.in_(roles))
    )
    found: dict[tuple[str, str], ScopeLevel] = {}
    for name, resource, role_id in rows:
        pair = (name, resource)
        found[pair] = max(found.get(pair, ScopeLevel.SELF), roles[role_id])
    return found


def actor_of_username(session: Session, username: str) -> Actor:
    """The actor of a sign-in name outside any request (demo, tests): the same rights as when signed in."""
    return build_actor(
        session, session.scalars(select(User).where(User.username == username)).one()
    )
