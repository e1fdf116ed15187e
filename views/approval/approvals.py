"""待办事项 (2.2-2.5): one list of what waits, and one page for the approvals of every kind of business."""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import Response, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from models.approval.approval import (
    ApprovalInstance,
    ApprovalState,
    ApprovalTask,
    NodeMode,
    TaskState,
)
from models.approval.copies import ApprovalCopy
from models.base.errors import BusinessError
from models.system.organization import Employee
from views.approval import copies, inbox, node_form
from views.approval import reassign as help_page
from views.approval.page import approval_page
from views.kit import bulk, edge, lookup, todo, widgets
from views.kit.entity_view import EntityView
from views.kit.interface import EntityInterface, valid_id
from views.kit.pages import FieldGroup, FormPage
from workflows.approval import approval, consult, signatures
from workflows.approval import reassign as approval_help
from workflows.approval.copies import take_note
from workflows.base import records
from workflows.base.context import Ctx


def _withdraw(ctx: Ctx, found: ApprovalInstance) -> str:
    approval.withdraw(ctx, found)
    return "已撤回，可修改后重新提交"


class ApprovalsView(BaseView):
    """The inbox, the decision page, and what else may be done with a task."""

    route_base = "/approvals"
    class_permission_name = "approval_task"
    title = "审批任务"

    @expose("/")
    @edge.screen()
    def list(self) -> ResponseReturnValue:
        """What waits for me, what I have put up, what I have decided."""
        ctx = edge.current_ctx()
        asked = request.args.get("tab", "todo")
        page = inbox.page(
            ctx, asked if asked in inbox.TABS else "todo", request.args.get("page", "")
        )
        return self.render_template("list.html", page=page)

    @expose("/bulk/<name>", methods=("POST",))
    @edge.screen()
    def bulk(self, name: str) -> ResponseReturnValue:
        """Decide each of the ticked tasks with one opinion: what cannot be, leaves the others and says why."""
        ctx, choice = edge.current_ctx(), _decision(name.upper())
        if choice is approval.Decision.ANSWER:
            raise BusinessError("受委派的意见须逐项回复")
        picked = inbox.all_mine(ctx) if request.form.get("all") else bulk.ticked()
        if any(one.version is None for one in picked):
            raise BusinessError("只能办理列表中显示并勾选的记录，请刷新后重新勾选")
        opinion = request.form.get("reason", "")

        def act(ctx: Ctx, task: ApprovalTask, version: int) -> None:
            if task.node.mode is NodeMode.VOTE:
                raise BusinessError("票决须逐项表决，不能批量办理")
            approval.decide(ctx, task, choice, opinion, version=version)

        outcomes = bulk.each(ApprovalTask, picked, choice.label, act)
        told = bulk.Told(choice.label, "项审批", "/approvals/?tab=many")
        return bulk.answer(self, ApprovalTask, outcomes, told)

    @expose("/<pk>")
    @edge.screen()
    def show(self, pk: str) -> ResponseReturnValue:
        """One task: the decision page, or the approval as it stands."""
        task = _task(pk)
        return self.render_template(
            "approval.html", page=approval_page(edge.current_ctx(), task.instance, task)
        )

    @expose("/instance/<pk>")
    @edge.screen()
    def instance(self, pk: str) -> ResponseReturnValue:
        """One approval as whoever started it sees it."""
        found = _instance(pk)
        return self.render_template(
            "approval.html", page=approval_page(edge.current_ctx(), found, None)
        )

    @expose("/<pk>/decide", methods=("POST",))
    @edge.screen()
    def decide(self, pk: str) -> ResponseReturnValue:
        """Agree, refuse or return; what was typed stays when it is refused, and a second click changes nothing."""
        _task(pk)
        opinion = request.form.get("opinion", "")
        try:
            with edge.writing() as ctx:
                task = records.find(ctx, ApprovalTask, pk)
                choice = _decision(request.form.get("decision", ""))
                target = request.form.get("return_to", "")
                given = node_form.given(ctx, task)
                if choice is approval.Decision.APPROVE:
                    node_form.take_files(ctx, task.instance, task)
                instance = approval.decide(
                    ctx,
                    task,
                    choice,
                    opinion,
                    version=valid_id(request.form.get("version", "")) or 0,
                    to_seq=_sequence(target) if choice is approval.Decision.RETURN else None,
                    is_direct=bool(request.form.get("direct")),
                    given=given,
                )
                message = _message(instance, task, choice)
        except BusinessError as error:
            return self._refused(pk, error, opinion)
        flash(message, "success")
        return redirect(todo.next_url(edge.current_ctx()))

    @expose("/<pk>/transfer", methods=("GET", "POST"))
    @edge.screen()
    def transfer(self, pk: str) -> ResponseReturnValue:
        """Hand a task on to a colleague, saying why."""

        def act(ctx: Ctx, task: ApprovalTask, employee_id: int, version: int) -> None:
            approval.transfer(
                ctx, task, employee_id, request.form.get("opinion", ""), version=version
            )

        return self._hand_on(pk, "转办", act, with_opinion=True)

    @expose("/<pk>/add-signer", methods=("GET", "POST"))
    @edge.screen()
    def add_signer(self, pk: str) -> ResponseReturnValue:
        """Ask one more colleague, whose consent is then needed too."""

        def act(ctx: Ctx, task: ApprovalTask, employee_id: int, version: int) -> None:
            approval.add_signer(ctx, task, employee_id, version=version)

        return self._hand_on(pk, "加签", act, with_opinion=False)

    @expose("/<pk>/entrust", methods=("GET", "POST"))
    @edge.screen()
    def entrust(self, pk: str) -> ResponseReturnValue:
        """Have a colleague look into it; the task comes back with that person's opinion."""

        def act(ctx: Ctx, task: ApprovalTask, employee_id: int, version: int) -> None:
            opinion = request.form.get("opinion", "")
            consult.entrust(ctx, task, employee_id, opinion, version=version)

        return self._hand_on(pk, "委派", act, with_opinion=True)

    @expose("/<pk>/take-back", methods=("POST",))
    @edge.screen()
    def take_back(self, pk: str) -> ResponseReturnValue:
        """Do without a signer that one has added, or an opinion that one has asked for."""

        def act(ctx: Ctx, _: ApprovalInstance) -> str:
            task = records.find(ctx, ApprovalTask, pk)
            consult.take_back(ctx, task, request.form.get("reason", ""))
            return f"已收回，不再等待{task.assignee.name}"

        return self._as_applicant(str(_task(pk).instance_id), act)

    @expose("/<pk>/reassign", methods=("GET", "POST"))
    @edge.screen("reassign")
    def reassign(self, pk: str) -> ResponseReturnValue:
        """An administrator gives a task to somebody else (改派), and with it all that waits for the same person."""
        error: BusinessError | None = None
        key = valid_id(pk)
        if request.method == "POST":
            try:
                with edge.writing() as ctx:
                    message = help_page.hand_over(ctx, help_page.pending_task(ctx, key))
                flash(message, "success")
                return redirect(edge.safe_next(request.form.get("next"), "/approvals/"))
            except BusinessError as refusal:
                if refusal.status in {403, 404} and refusal.field is None:
                    raise
                error = refusal
        ctx = edge.current_ctx()
        page = help_page.page(ctx, help_page.pending_task(ctx, key), error)
        return self.render_template("form.html", page=page), (error.status if error else 200)

    @expose("/instance/<pk>/copy", methods=("GET", "POST"))
    @edge.screen()
    def copy(self, pk: str) -> ResponseReturnValue:
        """Tell colleagues of an approval (抄送)."""
        error: BusinessError | None = None
        found = _instance(pk)
        if request.method == "POST":
            try:
                with edge.writing() as ctx:
                    message = copies.act(ctx, records.find(ctx, ApprovalInstance, pk))
                flash(message, "success")
                return redirect(f"/approvals/instance/{found.id}")
            except BusinessError as refusal:
                if refusal.status in {403, 404}:
                    raise
                error = refusal
        page = copies.page(edge.current_ctx(), _instance(pk), error)
        return self.render_template("form.html", page=page), (error.status if error else 200)

    @expose("/copies/<pk>/read", methods=("POST",))
    @edge.screen()
    def read(self, pk: str) -> ResponseReturnValue:
        """Take note of what one was told of."""
        with edge.writing() as ctx:
            take_note(ctx, records.find(ctx, ApprovalCopy, pk))
        flash("已阅", "success")
        return redirect("/approvals/?tab=copies")

    @expose("/copies/read", methods=("POST",))
    @edge.screen()
    def read_many(self) -> ResponseReturnValue:
        """Take note of each of the ticked ones."""
        picked = copies.all_unread(edge.current_ctx()) if request.form.get("all") else bulk.ticked()

        def act(ctx: Ctx, copy: ApprovalCopy, _: int) -> None:
            take_note(ctx, copy)

        outcomes = bulk.each(ApprovalCopy, picked, "阅", act)
        return bulk.answer(
            self, ApprovalCopy, outcomes, bulk.Told("阅", "项抄送", "/approvals/?tab=copies")
        )

    @expose("/<pk>/signature")
    @edge.screen()
    def signature(self, pk: str) -> ResponseReturnValue:
        """The signature of a decision, as a picture."""
        answer = Response(
            signatures.picture_of(edge.current_ctx(), _task(pk)), mimetype="image/png"
        )
        answer.headers["Cache-Control"] = "private, max-age=3600"
        return answer

    @expose("/instance/<pk>/end", methods=("POST",))
    @edge.screen()
    def end(self, pk: str) -> ResponseReturnValue:
        """An administrator ends an approval that goes nowhere."""
        edge.current_ctx().require("end", "approval_instance", "终止审批")

        def act(ctx: Ctx, found: ApprovalInstance) -> str:
            approval_help.end(ctx, found, request.form.get("reason", ""))
            return "已终止该审批，业务退回申请人"

        return self._as_applicant(pk, act)

    @expose("/colleagues")
    @edge.screen()
    def colleagues(self) -> ResponseReturnValue:
        """Candidates for 转办 and 加签."""
        ctx = edge.current_ctx()
        text = request.args.get("q", "").replace("\x00", "").strip()[: lookup.MAX_TEXT]
        return lookup.candidates(ctx, Employee, text, 1, Employee.id != ctx.actor.employee_id)

    @expose("/instance/<pk>/withdraw", methods=("POST",))
    @edge.screen()
    def withdraw(self, pk: str) -> ResponseReturnValue:
        """The applicant takes the submission back."""
        return self._as_applicant(pk, _withdraw)

    @expose("/instance/<pk>/urge", methods=("POST",))
    @edge.screen()
    def urge(self, pk: str) -> ResponseReturnValue:
        """Remind everybody the approval waits for."""
        return self._as_applicant(
            pk, lambda ctx, found: f"已催办 {approval.urge(ctx, found)} 位审批人"
        )

    def _as_applicant(
        self, pk: str, act: Callable[[Ctx, ApprovalInstance], str]
    ) -> ResponseReturnValue:
        try:
            with edge.writing() as ctx:
                message = act(ctx, records.find(ctx, ApprovalInstance, pk))
        except BusinessError as error:
            if error.status not in {400, 409}:
                raise
            page = approval_page(edge.current_ctx(), _instance(pk), None, error)
            return self.render_template("approval.html", page=page), error.status
        flash(message, "success")
        return redirect(f"/approvals/instance/{valid_id(pk)}")

    def _refused(self, pk: str, error: BusinessError, opinion: str) -> ResponseReturnValue:
        if error.status == 404:
            raise error
        task = _task(pk)
        page = approval_page(edge.current_ctx(), task.instance, task, error, opinion)
        return self.render_template("approval.html", page=page), error.status

    def _hand_on(
        self,
        pk: str,
        verb: str,
        act: Callable[[Ctx, ApprovalTask, int, int], None],
        *,
        with_opinion: bool,
    ) -> ResponseReturnValue:
        error: BusinessError | None = None
        if request.method == "POST":
            try:
                with edge.writing() as ctx:
                    employee_id = valid_id(request.form.get("employee_id", ""))
                    if employee_id is None:
                        raise BusinessError("请选择同事", field="employee_id")
                    task = records.find(ctx, ApprovalTask, pk)
                    act(ctx, task, employee_id, valid_id(request.form.get("version", "")) or 0)
                flash(f"已{verb}", "success")
                return redirect("/approvals/")
            except BusinessError as refusal:
                if refusal.status == 404 and refusal.field is None:
                    raise
                error = refusal
        return self._hand_on_page(_task(pk), verb, error, with_opinion=with_opinion), (
            error.status if error else 200
        )

    def _hand_on_page(
        self, task: ApprovalTask, verb: str, error: BusinessError | None, *, with_opinion: bool
    ) -> str:
        chosen, errors = (
            valid_id(request.form.get("employee_id", "")),
            error.field_errors if error else None,
        )
        person = edge.session().get(Employee, chosen) if chosen else None
        fields = [
            widgets.lookup(
                "employee_id",
                "同事",
                "/approvals/colleagues",
                str(person.id) if person else "",
                person.name if person else "",
                errors=errors,
                required=True,
            )
        ]
        if with_opinion:
            typed = request.form.get("opinion", "")
            fields.append(
                widgets.long_text(
                    "opinion", f"{verb}说明", typed, errors=errors, required=True, maxlength=2000
                )
            )
        version = request.form.get("version") or str(task.version)
        hidden = [edge.csrf_input(), widgets.hidden("version", version)]
        crumbs = [
            ("我的工作台", ""),
            ("待办事项", "/approvals/"),
            (task.instance.title, f"/approvals/{task.id}"),
            (verb, ""),
        ]
        page = FormPage(
            f"{verb}：{task.instance.title}",
            [FieldGroup("", fields)],
            request.path,
            cancel_url=f"/approvals/{task.id}",
            hidden=hidden,
            submit_label=verb,
            errors=widgets.summary(fields, error),
            crumbs=crumbs,
            help_key="approval_task",
        )
        return str(self.render_template("form.html", page=page))


class ApprovalInstanceView(EntityView):
    """The list of 审批单; one of them is shown by the page of every approval."""

    model: ClassVar[Any] = ApprovalInstance

    @expose("/show/<pk>")
    @edge.screen("show")
    def show(self, pk: str) -> ResponseReturnValue:
        """The page of this approval."""
        return redirect(f"/approvals/instance/{_instance(pk).id}")


def _task(pk: str) -> ApprovalTask:
    found = EntityInterface(ApprovalTask).find(pk)
    assert isinstance(found, ApprovalTask)
    return found


def _instance(pk: str) -> ApprovalInstance:
    found = EntityInterface(ApprovalInstance).find(pk)
    assert isinstance(found, ApprovalInstance)
    return found


def _decision(code: str) -> approval.Decision:
    if code not in approval.Decision.__members__:
        raise BusinessError("请选择同意、退回、否决或回复", field="decision")
    return approval.Decision[code]


def _sequence(text: str) -> int | None:
    if not text:
        return None
    found = valid_id(text)
    if found is None:
        raise BusinessError("没有这个退回节点", field="return_to")
    return found


def _message(instance: ApprovalInstance, task: ApprovalTask, choice: approval.Decision) -> str:
    others = [
        t.assignee.name
        for t in instance.tasks
        if t.node_id == task.node_id and t.state is TaskState.PENDING
    ]
    running = f"等待 {'、'.join(others)} 审批" if others else "已转到下一步"
    ends = {
        ApprovalState.APPROVED: "审批已全部通过",
        ApprovalState.REJECTED: "业务已否决",
        ApprovalState.RETURNED: "已退回申请人",
    }
    return f"已{choice.label}：{instance.title}。{ends.get(instance.state, running)}"
