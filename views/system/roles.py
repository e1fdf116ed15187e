"""Passwords, roles and operators (10.1): who may sign in, how far they see and what they may do."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flask import flash, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.sqla.models import Role, assoc_user_role
from sqlalchemy import func, select

from models.base.errors import BusinessError, NotFound
from models.system.role import RoleProfile, ScopeKind
from reports.figures.parameters import number
from views.kit import edge, forms, widgets
from views.kit.interface import valid_id
from views.kit.pages import Action, Cell, Column, Field, FieldGroup, FormPage, ListPage, Paging, Row
from views.system.role_matrix import MatrixPage, matrix
from workflows.base.context import Ctx
from workflows.base.transition import VERBS
from workflows.system import operators, passwords, roles, sign_in


class PasswordView(BaseView):
    """修改密码: everybody changes their own."""

    route_base = "/password"
    default_view = "form"

    @expose("/", methods=("GET", "POST"))
    @edge.screen()
    def form(self) -> ResponseReturnValue:
        """Ask for the old password and twice for the new one; other sessions of the person end."""
        if request.method == "GET":
            return self.render_template("form.html", page=self._page(None))
        old, new, again = (
            request.form.get(name, "")[:256] for name in ("old_password", "password", "again")
        )
        try:
            self._change(old, new, again)
        except BusinessError as error:
            return self.render_template("form.html", page=self._page(error)), error.status
        flash("密码已修改，其他设备上的登录已失效", "success")
        return redirect("/")

    def _change(self, old: str, new: str, again: str) -> None:
        """Read, compare and hash without a transaction, then write."""
        ctx = edge.current_ctx()
        operator = operators.own(ctx)
        username, asked = operator.username, passwords.ask(ctx, operator)
        sign_in.require_old_password_tries(ctx, operator)
        ctx.session.rollback()
        if not asked.proves(old):
            with edge.writing() as ctx:
                sign_in.count_old_password(ctx, operators.own(ctx))
            raise BusinessError("原密码不正确", field="old_password")
        if new != again:
            raise BusinessError("两次输入的新密码不一致", field="again")
        passwords.check_password(ctx, username, new)
        ctx.session.rollback()
        secret = asked.secret(new)
        with edge.writing() as ctx:
            operators.change_own_password(ctx, asked, secret, keep_session=g.sign_in.id)

    def _page(self, error: BusinessError | None) -> FormPage:
        ctx = edge.current_ctx()
        shortest = int(number(ctx.session, "password.min_length", ctx.today))
        rule = f"至少 {shortest} 位，含大写字母、小写字母、数字、符号中的至少三种，不含登录名"
        errors = error.field_errors if error else None
        fields = [
            widgets.password(
                "old_password", "原密码", errors=errors, autocomplete="current-password"
            ),
            widgets.password(
                "password", "新密码", errors=errors, autocomplete="new-password", help=rule
            ),
            widgets.password("again", "再次输入新密码", errors=errors, autocomplete="new-password"),
        ]
        return FormPage(
            "修改密码",
            [FieldGroup("", fields)],
            "/password/",
            cancel_url="/",
            hidden=[edge.csrf_input()],
            submit_label="修改密码",
            errors=widgets.summary(fields, error),
            crumbs=[("我的工作台", ""), ("修改密码", "")],
            help_key="password",
        )


class RolesView(BaseView):
    """角色权限: the roles, and for each the matrix of what it may do."""

    route_base = "/roles"
    class_permission_name = "ab_role"
    title = "角色"

    @expose("/")
    @edge.screen("list")
    def list(self) -> ResponseReturnValue:
        """All roles with their data scope and the number of their holders."""
        ctx = edge.current_ctx()
        rows = [_row(role, profile, holders) for role, profile, holders in _roles(ctx)]
        add = (
            [Action("新增角色", "/roles/add", style="primary", icon="plus")]
            if _may_edit(ctx)
            else []
        )
        columns = [
            Column("name", "角色"),
            Column("scope", "数据范围"),
            Column("holders", "操作员", "int", "人"),
            Column("kind", "来源"),
            Column("note", "职责"),
        ]
        page = ListPage(
            "角色权限",
            "",
            columns,
            rows,
            Paging(
                1 if rows else 0,
                len(rows),
                len(rows),
                page=1,
                pages=1,
                size=len(rows),
                sizes=(),
                links=(),
            ),
            actions=add,
            url="/roles/",
            crumbs=[("系统设置", ""), ("角色权限", "")],
            help_key="ab_role",
        )
        return self.render_template("list.html", page=page)

    @expose("/<pk>")
    @edge.screen("list")
    def show(self, pk: str) -> ResponseReturnValue:
        """The matrix of one role."""
        return self.render_template("role.html", page=self._matrix(_find(pk), None))

    @expose("/<pk>", methods=("POST",))
    @edge.screen("edit")
    def save(self, pk: str) -> ResponseReturnValue:
        """Save matrix, data scope and note; what was ticked stays when it is refused."""
        role = _find(pk)
        try:
            with edge.writing() as ctx:
                saved = roles.save_role(
                    ctx,
                    role.id,
                    scope=_scope(request.form.get("scope", "")),
                    note=request.form.get("note", ""),
                    pairs=_posted(),
                    version=valid_id(request.form.get("version", "")) or 0,
                )
        except BusinessError as error:
            if error.status == 404:
                raise
            return self.render_template(
                "role.html", page=self._matrix(_find(pk), error)
            ), error.status
        flash(f"已保存角色“{saved.name}”，持有人需重新登录", "success")
        return redirect(f"/roles/{saved.id}")

    @expose("/add", methods=("GET", "POST"))
    @edge.screen("edit")
    def add(self) -> ResponseReturnValue:
        """A new role, empty or like another one."""
        if request.method == "GET":
            return self.render_template("form.html", page=self._add_page(None))
        like = request.form.get("like", "")
        try:
            with edge.writing() as ctx:
                if like and valid_id(like) is None:
                    raise BusinessError("没有这个角色", field="like")
                role = roles.create_role(
                    ctx,
                    request.form.get("name", ""),
                    _scope(request.form.get("scope", "")),
                    request.form.get("note", ""),
                    like=valid_id(like) if like else None,
                )
        except BusinessError as error:
            if error.status == 403:
                raise
            return self.render_template("form.html", page=self._add_page(error)), error.status
        flash(f"已新增角色“{role.name}”，请勾选其权限", "success")
        return redirect(f"/roles/{role.id}")

    @expose("/<pk>/delete", methods=("POST",))
    @edge.screen("edit")
    def delete(self, pk: str) -> ResponseReturnValue:
        """Delete a role that nobody holds."""
        role = _find(pk)
        try:
            with edge.writing() as ctx:
                name = roles.delete_role(ctx, role.id, valid_id(request.form.get("version", "")))
        except BusinessError as error:
            if error.status != 409:
                raise
            return self.render_template(
                "role.html", page=self._matrix(_find(pk), error)
            ), error.status
        flash(f"已删除角色“{name}”", "success")
        return redirect("/roles/")

    def _matrix(self, role: Role, error: BusinessError | None) -> MatrixPage:
        ctx = edge.current_ctx()
        profile = ctx.session.scalars(
            select(RoleProfile).where(RoleProfile.role_id == role.id)
        ).one_or_none()
        granted, known = roles.permissions_by_role(ctx.session, role.id)
        is_own = role.name in ctx.actor.roles
        why = "您本人持有这个角色，其权限须由另一位管理员修改" if is_own else ""
        version = profile.version if profile else 1
        is_refused = error is not None and "scope" in request.form
        chosen = frozenset(_posted()) if is_refused else granted
        fields = _fields(request.form if is_refused else _stored(profile), error)
        held = roles.holders(ctx.session, role.id)
        delete = Action(
            "删除角色",
            f"/roles/{role.id}/delete",
            "POST",
            "danger",
            confirm=f"删除角色“{role.name}”及其全部权限设置？",
            fields=(("version", str(version)),),
            why_not="内置角色不能删除"
            if profile and profile.is_builtin
            else (f"仍有 {held} 名操作员" if held else ""),
        )
        return MatrixPage(
            role.name,
            f"/roles/{role.id}",
            fields,
            matrix(chosen, known),
            version,
            may_edit=_may_edit(ctx) and not is_own,
            notice=why,
            errors=widgets.summary(fields, error),
            facts=f"{held} 名操作员持有 · {len(granted)} 项权限",
            actions=[*_history(ctx, role), *([delete] if _may_edit(ctx) else [])],
        )

    def _add_page(self, error: BusinessError | None) -> FormPage:
        ctx = edge.current_ctx()
        errors, typed = (error.field_errors if error else None), request.form
        others = [
            ("", "不复制，从空白开始"),
            *((str(role.id), role.name) for role, _, _ in _roles(ctx)),
        ]
        fields = [
            widgets.text(
                "name",
                "角色名称",
                typed.get("name", ""),
                errors=errors,
                required=True,
                maxlength=64,
            ),
            widgets.choice(
                "scope",
                "数据范围",
                [(k.name, k.label) for k in ScopeKind],
                typed.get("scope", "SELF"),
                errors=errors,
                help="本人：自己承办的客户和项目；全部：公司所有数据",
            ),
            widgets.choice("like", "复制权限自", others, typed.get("like", ""), errors=errors),
            widgets.text("note", "职责说明", typed.get("note", ""), errors=errors, maxlength=200),
        ]
        return FormPage(
            "新增角色",
            [FieldGroup("", fields)],
            "/roles/add",
            cancel_url="/roles/",
            hidden=[edge.csrf_input()],
            submit_label="新增角色",
            errors=widgets.summary(fields, error),
            crumbs=[("系统设置", ""), ("角色权限", "/roles/"), ("新增", "")],
            help_key="ab_role",
        )


def role_choices(ctx: Ctx, chosen: list[str], errors: widgets.Errors | None = None) -> Field:
    """Check boxes of all roles."""
    options = [
        (role.name, role.name, (profile.note or "") if profile else "")
        for role, profile, _ in _roles(ctx)
    ]
    return widgets.many("roles", "角色", options, chosen, errors=errors)


def _roles(ctx: Ctx) -> list[Any]:
    count = (
        select(func.count())
        .select_from(assoc_user_role)
        .where(assoc_user_role.c.role_id == Role.id)
        .correlate(Role)
        .scalar_subquery()
    )
    query = (
        select(Role, RoleProfile, count)
        .outerjoin(RoleProfile, RoleProfile.role_id == Role.id)
        .order_by(Role.id)
    )
    return list(ctx.session.execute(query))


def _row(role: Role, profile: RoleProfile | None, holders: int) -> Row:
    cells = (
        Cell(role.name, "link"),
        Cell(profile.scope.label if profile else "本人"),
        Cell(str(holders), "int"),
        Cell("内置" if profile and profile.is_builtin else "自定义"),
        Cell((profile.note if profile else "") or "—"),
    )
    return Row(str(role.id), f"/roles/{role.id}", cells)


def _find(pk: str) -> Role:
    key = valid_id(pk)
    found = edge.session().get(Role, key) if key is not None else None
    if found is None:
        raise NotFound("没有这个角色")
    return found


def _stored(profile: RoleProfile | None) -> dict[str, str]:
    """What a role says, as its form would send it."""
    if profile is None:
        return {"scope": ScopeKind.SELF.name, "note": ""}
    return {"scope": profile.scope.name, "note": profile.note or ""}


def _fields(said: Mapping[str, str], error: BusinessError | None) -> list[Field]:
    """What is asked of a role beside its permissions."""
    errors = error.field_errors if error else None
    scopes = [(kind.name, kind.label) for kind in ScopeKind]
    note = said.get("note", "")
    return [
        widgets.choice("scope", "数据范围", scopes, said.get("scope", "")[:20], errors=errors),
        widgets.text("note", "职责说明", note, errors=errors, maxlength=roles.NOTE_MAX, wide=True),
        forms.reason_field(help=""),
    ]


def _history(ctx: Ctx, role: Role) -> list[Action]:
    """Where the versions of a role stand."""
    where = urlencode(
        [("f", "table_name:eq:role_profile"), ("f", f"object_key:eq:{role.name}")], quote_via=quote
    )
    is_read = ctx.actor.may("list", "config_version")
    return [Action("版本", f"/config_version/list/?{where}")] if is_read else []


def _may_edit(ctx: Ctx) -> bool:
    return ctx.actor.may("edit", "ab_role")


def _scope(code: str) -> ScopeKind:
    if code not in ScopeKind.__members__:
        raise BusinessError("请选择数据范围", field="scope")
    return ScopeKind[code]


def _posted() -> set[tuple[str, str]]:
    """The ticked permissions; 查看 is list and record page together."""
    found: set[tuple[str, str]] = set()
    for value in request.form.getlist("p")[:5000]:
        table, _, verb = value.partition(".")
        reading = [v for v in ("list", "show") if (table, v) in VERBS] or ["list", "show"]
        found |= {(f"can_{one}", table) for one in (reading if verb == "read" else [verb])}
    return found
