"""Who may do what: sign-in on top of the framework, actors, and the way from a user to an actor."""

from typing import Any

from flask import Flask, current_app, flash, g, jsonify, redirect, request
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
from flask_jwt_extended import JWTManager, create_access_token, create_refresh_token, get_jwt_identity
from flask_login import login_user, user_logged_in
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.base.errors import BusinessError
from models.base.text import visible
from models.organization import Company, Department, Employee, Operator
from models.security import RoleProfile
from views import edge, rest_args
from workflows import operators

# Endpoints open to somebody who must change the password first.
_FREE = ("static", "AuthDBView.logout", "PasswordView.form", "appbuilder.static")


class SignInView(AuthDBView):
    """The login page: the framework's route, our rules."""

    login_template = "appbuilder/general/security/login_db.html"

    @expose("/login/", methods=["GET", "POST"])
    def login(self) -> ResponseReturnValue:
        """Show the form, or check the name and password and go to where the person wanted."""
        if g.user is not None and g.user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_index)
        message, name = "", ""
        if request.method == "POST":
            name = request.form.get("username", "")[:64].strip()
            user, message = self.appbuilder.sm.try_sign_in(name, request.form.get("password", "")[:256])
            if user is not None:
                cookie.clear()
                login_user(user, remember=False)
                return redirect(edge.safe_next(request.args.get("next"), self.appbuilder.get_url_for_index))
        accounts = current_app.extensions["demo_accounts"]()
        brand = edge.session().execute(select(Company.display_name, Company.seal_character)).first()
        page = self.render_template(
            self.login_template, title="登录", message=message, username=name, demo_accounts=accounts,
            appbuilder=self.appbuilder, brand_name=brand and brand[0], brand_seal=brand and brand[1],
        )  # fmt: skip
        return page, (401 if message else 200)


class SecurityApi(BaseSecurityApi):
    """Signing in for programs: the framework's routes, our rules and words."""

    @expose("/login", methods=["POST"])
    def login(self) -> ResponseReturnValue:
        """A token for a name and password, good until the password, the roles or the account change.
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
        user, message = self.appbuilder.sm.try_sign_in(visible(name)[:64].strip(), visible(password)[:256])
        if user is None:
            raise edge.NotSignedIn(message)
        tokens = {"access_token": create_access_token(identity=str(user.id), fresh=True)}
        if sent["refresh"]:
            tokens["refresh_token"] = create_refresh_token(identity=str(user.id))
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
        return jsonify({"access_token": create_access_token(identity=get_jwt_identity(), fresh=False)})


class SecurityManager(BaseManager):
    """Operators are employees; sessions end with the password; permissions are read once per request."""

    authdbview = SignInView
    security_api = SecurityApi

    def register_views(self) -> None:
        """Only sign-in and the token endpoint are the framework's; roles and operators have screens of our own."""
        self.auth_view = self.authdbview()
        self.appbuilder.add_view_no_menu(self.auth_view)
        doors = (self.auth_view, self.appbuilder.add_api(self.security_api))
        # One budget of an address for both doors; who signs in rightly uses up none of it.
        limit = self.limiter.shared_limit(
            self.auth_rate_limit, "sign-in", methods=["POST"], deduct_when=lambda answer: answer.status_code == 401
        )
        for door in doors:
            limit(door.blueprint)

    def create_jwt_manager(self, app: Flask) -> JWTManager:
        """Tokens name the epoch of the operator, as sessions do."""
        manager = super().create_jwt_manager(app)
        manager.additional_claims_loader(lambda user_id: {"epoch": _epoch_of(self.session, user_id)})
        return manager

    def try_sign_in(self, username: str, password: str) -> tuple[User | None, str]:
        """Check name and password; counters are committed on their own, whatever the request does afterwards."""
        ctx = edge.system_ctx("login")
        edge.begin_write(ctx.session)
        user, reason = operators.sign_in(ctx, username, password)
        ctx.session.commit()
        return user, reason

    def auth_user_db(self, username: str, password: str) -> User | None:
        """The REST sign-in goes the same way as the page."""
        return self.try_sign_in(username or "", password or "")[0]

    def load_user(self, pk: Any) -> User | None:
        """The user of a session, unless disabled or signed in before the last change of password or roles."""
        return self._user_at(pk, cookie.get("epoch"))

    def load_user_jwt(self, _header: dict[str, Any], claims: dict[str, Any]) -> User | None:
        """The user of a token, under the same conditions."""
        user = self._user_at(claims["sub"], claims.get("epoch", -1))
        if user is not None:
            g.user = user
        return user

    def _user_at(self, pk: Any, epoch: int | None) -> User | None:
        user = self.session.get(User, int(pk)) if str(pk).isdecimal() else None
        if user is None or not user.active:
            return None
        operator = self.session.scalars(select(Operator).where(Operator.user_id == user.id)).one_or_none()
        if operator is None or operator.is_disabled:
            return None
        if epoch is not None and epoch != operator.session_epoch:
            return None
        g.operator = operator
        return user

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Answer from the actor's permissions, read once per request."""
        try:
            actor = edge.current_ctx().actor
        except edge.NotSignedIn:
            return False
        return (permission_name, view_name) in actor.permissions


def _epoch_of(session: Session, user_id: Any) -> int | None:
    return session.scalar(select(Operator.session_epoch).where(Operator.user_id == int(user_id)))


def bind_sessions(app: Any) -> None:
    """Remember at sign-in which epoch of the password the session belongs to."""

    def remember(_: Any, user: User, **__: Any) -> None:
        cookie["epoch"] = _epoch_of(edge.session(), user.id)
        cookie.permanent = True

    user_logged_in.connect(remember, app, weak=False)

    @app.before_request
    def must_change_password() -> ResponseReturnValue | None:
        operator = g.get("operator") if getattr(g.get("user"), "is_authenticated", False) else None
        if operator is None or not operator.must_change_password or request.endpoint in _FREE:
            return None
        if edge.wants_json():
            return {"message": "请先修改初始密码"}, 403
        flash("请先修改初始密码", "warning")
        return redirect("/password/")


def actor_for(user: User) -> Actor:
    """The actor behind the signed-in user of this request."""
    return build_actor(edge.session(), user, ip=request.remote_addr or "")


def build_actor(session: Session, user: User, ip: str = "") -> Actor:
    """The actor behind a user: employee, department subtree, widest scope of the roles, permissions."""
    row = session.execute(
        select(Employee.id, Employee.name, Employee.department_id, Department.path)
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
    scope = max((ScopeLevel[r.scope.name] for r in roles if r.scope), default=ScopeLevel.SELF)
    inside = select(Department.id).where(Department.path.like(f"{row.path}%"))
    return Actor(
        employee_id=row.id,
        name=row.name,
        user_id=user.id,
        department_id=row.department_id,
        department_ids=frozenset(session.scalars(inside)) if scope is ScopeLevel.SUBTREE else frozenset(),
        scope=scope,
        roles=frozenset(r.name for r in roles),
        permissions=permissions_of(session, [r.id for r in roles]),
        ip=ip,
    )


def permissions_of(session: Session, role_ids: list[int]) -> frozenset[tuple[str, str]]:
    """(permission, resource) pairs of the roles, in one query."""
    rows = session.execute(
        select(Permission.name, ViewMenu.name)
        .select_from(assoc_permissionview_role)
        .join(PermissionView, PermissionView.id == assoc_permissionview_role.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(assoc_permissionview_role.c.role_id.in_(role_ids))
    )
    return frozenset((name, resource) for name, resource in rows)


def actor_of_username(session: Session, username: str) -> Actor:
    """The actor of a sign-in name outside any request (demo, tests): the same rights as when signed in."""
    return build_actor(session, session.scalars(select(User).where(User.username == username)).one())
