"""Operators: made from employees, with first password and roles; reset, roles and unlocking from the record page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import flash, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.sqla.models import Role, User, assoc_user_role
from markupsafe import Markup
from sqlalchemy import select

from models.base.entity import Entity
from models.base.errors import BusinessError, NotFound
from models.system.organization import Employee, Operator
from views.kit import edge, lists, widgets
from views.kit.cells import format_value
from views.kit.entity_view import EntityView
from views.kit.interface import valid_id
from views.kit.pages import (
    Action,
    Cell,
    Column,
    Fact,
    Field,
    FieldGroup,
    FormPage,
    ListPage,
    Section,
)
from views.system import hand_over as hand_over_page
from views.system.duties import duties_section
from views.system.roles import role_choices
from views.system.sessions import sessions_section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.system import operators, passwords, sessions, sign_in
from workflows.system.passwords import Secret

_FIRST = ("password", "roles")


class OperatorView(EntityView):
    """Screens of Operator."""

    model = Operator

    def enrich_list(self, page: ListPage, asked: lists.ListQuery) -> ListPage:
        """What each may do and whether each may sign in, of all rows with one query."""
        ids = [int(row.key) for row in page.rows]
        query = (
            select(Operator.id, Operator.is_disabled, Operator.locked_until, Role.name)
            .outerjoin(assoc_user_role, assoc_user_role.c.user_id == Operator.user_id)
            .outerjoin(Role, Role.id == assoc_user_role.c.role_id)
            .where(Operator.id.in_(ids))
            .order_by(Role.id)
        )
        held: dict[str, list[str]] = {row.key: [] for row in page.rows}
        states: dict[str, Cell] = {}
        for key, is_disabled, locked_until, role in asked.ctx.session.execute(query):
            held[str(key)] += [role] if role else []
            states[str(key)] = _state(asked.ctx, locked_until, is_disabled=is_disabled)
        page.columns += [Column("roles", "角色"), Column("status", "状态")]
        page.rows = [
            replace(row, cells=(*row.cells, Cell("、".join(held[row.key]) or "—"), states[row.key]))
            for row in page.rows
        ]
        return page

    def form_names(self, record: Entity | None, ctx: Ctx) -> list[str]:
        """A new operator is an employee with a name; later only what the person sees changes here."""
        return (
            ["employee_id", "username"]
            if record is None
            else ["is_disabled", "rows_per_page", "theme"]
        )

    def enrich_form(self, page: FormPage, record: Entity | None, ctx: Ctx) -> FormPage:
        """First password and roles beside the columns."""
        if record is None:
            errors: dict[str, list[str]] = g.get("operator_errors", {})
            page.groups.append(FieldGroup("首次登录", [_password(errors)]))
            page.groups.append(
                FieldGroup("", [role_choices(ctx, request.form.getlist("roles"), errors)])
            )
        return page

    def save(
        self, ctx: Ctx, record: Entity | None, values: Mapping[str, Any], version: int | None
    ) -> Entity:
        """A new operator gets its sign-in with it."""
        if record is not None:
            return records.update(ctx, record, values, version)
        try:
            return operators.create_operator(
                ctx,
                _employee(ctx, values.get("employee_id")),
                str(values.get("username") or "")[:64],
                _hashed(),
                request.form.getlist("roles")[:100],
            )
        except BusinessError as error:
            # these two are no columns, so the form itself cannot show their messages
            if error.field in _FIRST:
                g.operator_errors = error.field_errors
                error.field = None
            raise

    def _save_form(self, ctx: Ctx, found: Entity | None) -> ResponseReturnValue:
        """The first password is hashed before the transaction begins; what is wrong with it is said with the rest."""
        if found is None:
            try:
                password = request.form.get("password", "")[:256]
                passwords.check_password(
                    ctx, request.form.get("username", "")[:64].strip(), password
                )
                ctx.session.rollback()
                g.first_password = passwords.Asked().secret(password)
            except BusinessError as error:
                g.first_password = error
        return super()._save_form(ctx, found)

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """Reset, roles, unlock, sessions."""
        assert isinstance(record, Operator)
        is_own = record.employee_id == ctx.actor.employee_id
        found = []
        if ctx.actor.may("grant", "operator"):
            why = "不能给自己分配角色" if is_own else ""
            found.append(
                Action("分配角色", self.url(f"{record.id}/roles"), icon="shield", why_not=why)
            )
        if ctx.actor.may("reset", "operator"):
            why = "请使用“修改密码”更改自己的密码" if is_own else ""
            found.append(
                Action("重置密码", self.url(f"{record.id}/password"), icon="edit", why_not=why)
            )
        if ctx.actor.may("unlock", "operator"):
            why = (
                ""
                if sign_in.is_held(ctx.session, record, ctx.now)
                else "账号没有被锁定，近期也没有登录失败"
            )
            found.append(Action("解除锁定", self.url(f"{record.id}/unlock"), "POST", why_not=why))
        return found

    def delete_actions(self, found: Entity, ctx: Ctx) -> list[Action]:
        """Operators are disabled, never deleted."""
        return []

    def bulk_actions(self, ctx: Ctx) -> list[Action]:
        """Likewise in the list."""
        return []

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """The roles of the operator, and where the person is signed in for whoever may end that."""
        assert isinstance(record, Operator)
        user = ctx.session.get(User, record.user_id)
        may_open = ctx.actor.may("list", "ab_role")
        facts = [
            Fact(f"角色 {n}", Cell(role.name, "link", url=f"/roles/{role.id}" if may_open else ""))
            for n, role in enumerate(sorted(user.roles if user else [], key=lambda r: r.id), 1)
        ]
        roles = Section(
            "roles",
            "角色",
            template="parts/pairs.html",
            data=facts,
            count=len(facts),
            empty="尚未分配角色",
        )
        waiting = duties_section(ctx, record.employee, f"/operator/show/{record.id}")
        if not ctx.actor.may("end_session", "operator"):
            return [roles, waiting]
        opened = sessions.open_of(ctx.session, record.id, ctx.now)
        return [roles, waiting, sessions_section(opened, self.url(f"{record.id}/sessions/end"))]

    @expose("/<pk>/password", methods=("GET", "POST"))
    @edge.screen("reset")
    def password(self, pk: str) -> ResponseReturnValue:
        """Set a new first password for somebody else."""
        found, prepared = self._find(pk), list[Secret]()

        def prepare(ctx: Ctx) -> None:
            password = request.form.get("password", "")[:256]
            operators.require_reset(ctx, found)
            passwords.check_password(ctx, found.username, password)
            asked = passwords.ask(ctx, found)
            ctx.session.rollback()
            prepared.append(asked.secret(password))

        def act(ctx: Ctx) -> str:
            operators.reset_password(ctx, self._hold(ctx, pk), prepared[0])
            return "密码已重置，该操作员下次登录须修改密码"

        return self._act(found, "重置密码", lambda errors: [_password(errors)], act, prepare)

    @expose("/<pk>/roles", methods=("GET", "POST"))
    @edge.screen("grant")
    def roles(self, pk: str) -> ResponseReturnValue:
        """Give an operator exactly the ticked roles."""
        found, ctx = self._find(pk), edge.current_ctx()
        user = ctx.session.get(User, found.user_id)
        held = [role.name for role in user.roles] if user else []
        is_sent = request.method == "POST"
        ticked = request.form.getlist("roles")[:100] if is_sent else held
        seen = request.form.get("seen", "") if is_sent else "\n".join(held)

        def act(ctx: Ctx) -> str:
            was = seen.replace("\r", "").splitlines()
            operators.grant_roles(ctx, self._hold(ctx, pk), ticked, seen=was)
            return "角色已分配，该操作员需重新登录"

        return self._act(
            found,
            "分配角色",
            lambda errors: [role_choices(edge.current_ctx(), ticked, errors)],
            act,
            hidden=[widgets.hidden("seen", seen)],
        )

    @expose("/<pk>/unlock", methods=("POST",))
    @edge.screen("unlock")
    def unlock(self, pk: str) -> ResponseReturnValue:
        """End a lock before its time."""
        with edge.writing() as ctx:
            operators.unlock(ctx, self._hold(ctx, pk))
        flash("已解除锁定", "success")
        return redirect(self.url(f"show/{valid_id(pk)}"))

    @expose("/<pk>/sessions/end", methods=("POST",))
    @edge.screen("end_session")
    def end_session(self, pk: str) -> ResponseReturnValue:
        """End one session of this operator, or all where none is named."""
        named = request.form.get("session", "")
        if named and valid_id(named) is None:
            raise NotFound("没有这个登录会话，或已结束")
        with edge.writing() as ctx:
            ended = sessions.end_by_administrator(
                ctx, self._hold(ctx, pk), valid_id(named) if named else None
            )
        flash(f"已结束 {ended} 个登录会话", "success")
        return redirect(self.url(f"show/{valid_id(pk)}"))

    def _act(
        self,
        found: Operator,
        verb: str,
        fields_of: Any,
        act: Any,
        prepare: Callable[[Ctx], None] | None = None,
        hidden: Sequence[Markup] = (),
    ) -> ResponseReturnValue:
        """A form with fields and an act; `prepare` does before the transaction what takes long."""
        error: BusinessError | None = None
        title, back = f"{verb}：{found.username}", self.url(f"show/{found.id}")
        if request.method == "POST":
            try:
                if prepare is not None:
                    prepare(edge.current_ctx())
                with edge.writing() as ctx:
                    message = act(ctx)
                flash(message, "success")
                return redirect(back)
            except BusinessError as refusal:
                if refusal.status == 404:
                    raise
                error = refusal
        fields: list[Field] = fields_of(error.field_errors if error else None)
        page = FormPage(
            title,
            [FieldGroup("", fields)],
            request.path,
            cancel_url=back,
            hidden=[edge.csrf_input(), *hidden],
            submit_label=verb,
            errors=widgets.summary(fields, error),
            crumbs=[("系统设置", ""), ("操作员", self.url("list/")), (verb, "")],
            help_key="operator",
        )
        return self.render_template("form.html", page=page), (error.status if error else 200)

    def _find(self, pk: str) -> Operator:
        found = self.datamodel.find(pk)
        assert isinstance(found, Operator)
        return found

    def _hold(self, ctx: Ctx, pk: str) -> Operator:
        return records.find(ctx, Operator, pk, lock=True)


class EmployeeView(EntityView):
    """Screens of Employee; whoever keeps them sees what must be handed over before somebody leaves."""

    model = Employee

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """待办审批与岗位."""
        assert isinstance(record, Employee)
        may = ctx.actor.may("edit", "employee")
        return [duties_section(ctx, record, f"/employee/show/{record.id}")] if may else []

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """移交 of what this person holds."""
        return (
            [Action("移交", self.url(f"{record.id}/hand-over"))]
            if hand_over_page.is_offered(ctx)
            else []
        )

    @expose("/<pk>/hand-over", methods=("GET", "POST"))
    @edge.screen()
    def hand_over(self, pk: str) -> ResponseReturnValue:
        """Give the ticked customers and projects of a person to somebody else."""
        hand_over_page.require(edge.current_ctx())
        person = self.datamodel.find(pk)
        assert isinstance(person, Employee)
        error: BusinessError | None = None
        if request.method == "POST":
            try:
                with edge.writing() as ctx:
                    message = hand_over_page.act(ctx, records.find(ctx, Employee, pk))
                flash(message, "success")
                return redirect(request.path)
            except BusinessError as refusal:
                if refusal.status == 404:
                    raise
                error = refusal
        page = hand_over_page.page(edge.current_ctx(), person, error)
        return self.render_template("form.html", page=page), (error.status if error else 200)


def _state(ctx: Ctx, locked_until: datetime | None, *, is_disabled: bool) -> Cell:
    if is_disabled:
        return Cell("停用", "enum", tone="draft")
    if locked_until is not None and locked_until > ctx.now:
        return Cell(
            "已锁定", "enum", tone="warn", title=f"锁定至 {format_value(locked_until, 'datetime')}"
        )
    return Cell("正常", "enum", tone="ok")


def _password(errors: widgets.Errors | None) -> Field:
    note = (
        "至少含大写字母、小写字母、数字、符号中的三种；请当面或通过其他渠道告知本人，首次登录须修改"
    )
    return widgets.password(
        "password", "初始密码", errors=errors, autocomplete="new-password", help=note
    )


def _hashed() -> Secret:
    """The first password as prepared before the transaction."""
    prepared: Secret | BusinessError = g.first_password
    if isinstance(prepared, BusinessError):
        raise prepared
    return prepared


def _employee(ctx: Ctx, text: Any) -> Employee:
    if not text:
        raise BusinessError("请选择员工", field="employee_id")
    try:
        found = records.find(ctx, Employee, text)
    except NotFound as error:
        raise BusinessError("所选员工不存在", field="employee_id") from error
    if not found.is_active:
        raise BusinessError("该员工已离职，不能新增操作员", field="employee_id")
    return found
