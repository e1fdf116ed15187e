"""Where an approval stands still (A8): who cannot decide any more, who can help, and 改派 by an administrator."""

from flask import request

from models.approval.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.base.errors import BusinessError, NotFound
from models.system.organization import Employee
from reports.figures import duties
from views.kit import edge, widgets
from views.kit.interface import valid_id
from views.kit.pages import Action, FieldGroup, FormPage
from views.system.duties import reassign_url
from workflows.approval import reassign as approval_help
from workflows.base.context import Ctx


def stuck(ctx: Ctx, instance: ApprovalInstance) -> str:
    """Which of the people who are asked cannot decide any more, and who can help; empty while all can."""
    if instance.state is not ApprovalState.RUNNING:
        return ""
    if approval_help.is_lost(ctx, instance):
        return (
            f"业务记录已不存在，无法办理；{_helpers(ctx, 'end', 'approval_instance')}可以终止该审批"
        )
    waiting = {task.assignee for task in instance.tasks if task.state is TaskState.PENDING}
    why = [
        (one.name, duties.unable(ctx.session, one))
        for one in sorted(waiting, key=lambda one: one.number)
    ]
    said = "；".join(f"审批人{name}{words}，无法办理" for name, words in why if words)
    return f"{said}；{_helpers(ctx, 'reassign', 'approval_task')}可以改派" if said else ""


def _helpers(ctx: Ctx, verb: str, table: str) -> str:
    names = [one.name for one in duties.holders_of_right(ctx.session, verb, table)]
    return f"系统管理员（{'、'.join(names[:3])}）" if names else "系统管理员"


def actions(ctx: Ctx, instance: ApprovalInstance) -> list[Action]:
    """What an administrator may do with an approval that runs."""
    if instance.state is not ApprovalState.RUNNING:
        return []
    found = []
    is_own = instance.applicant_id == ctx.actor.employee_id
    if ctx.actor.may("end", "approval_instance") and not is_own:
        url = f"/approvals/instance/{instance.id}/end"
        about = f"终止“{instance.title}”的审批：已作出的决定作废，业务退回申请人。"
        found.append(
            Action(
                "终止审批",
                url,
                "POST",
                "danger",
                confirm=about,
                ask="终止的原因",
                ask_required=True,
            )
        )
    if ctx.actor.may("reassign", "approval_task"):
        back = f"/approvals/instance/{instance.id}"
        waiting = [task for task in instance.tasks if task.state is TaskState.PENDING]
        found += [
            Action(f"改派（{task.assignee.name}）", reassign_url(task, back)) for task in waiting
        ]
    return found


def pending_task(ctx: Ctx, key: int | None) -> ApprovalTask:
    """The task itself: an administrator gives it on without reading the business."""
    found = ctx.session.get(ApprovalTask, key) if key is not None else None
    if found is None:
        raise NotFound
    return found


def hand_over(ctx: Ctx, task: ApprovalTask) -> str:
    """Do what the form asks; returns what was done."""
    to, reason = valid_id(request.form.get("employee_id", "")), request.form.get("opinion", "")
    if to is None:
        raise BusinessError("请选择接手的人员", field="employee_id")
    holder = task.assignee_id
    approval_help.reassign(
        ctx, task, to, reason, version=valid_id(request.form.get("version", "")) or 0
    )
    count = 1 + (
        approval_help.reassign_all(ctx, holder, to, reason) if request.form.get("all") else 0
    )
    return f"已改派 {count} 项审批任务"


def page(ctx: Ctx, task: ApprovalTask, error: BusinessError | None) -> FormPage:
    """The form of 改派."""
    chosen, errors = (
        valid_id(request.form.get("employee_id", "")),
        error.field_errors if error else None,
    )
    person = ctx.session.get(Employee, chosen) if chosen else None
    back = edge.safe_next(request.values.get("next"), "/approvals/")
    rest = len(duties.open_tasks(ctx.session, task.assignee_id)) - 1
    fields = [
        widgets.lookup(
            "employee_id",
            "接手人",
            "/approvals/colleagues",
            str(person.id) if person else "",
            person.name if person else "",
            errors=errors,
            required=True,
        ),
        widgets.long_text(
            "opinion",
            "改派原因",
            request.form.get("opinion", ""),
            errors=errors,
            required=True,
            maxlength=2000,
        ),
    ]
    if rest > 0:
        label = f"同时改派{task.assignee.name}的其余 {rest} 项待办审批"
        ticked = bool(request.form.get("all"))
        fields.append(
            widgets.choice(
                "all", label, [("", "否"), ("1", "是")], "1" if ticked else "", errors=errors
            )
        )
    version = request.form.get("version") or str(task.version)
    hidden = [edge.csrf_input(), widgets.hidden("version", version), widgets.hidden("next", back)]
    title = f"改派：{task.instance.business_type.label}（{task.node.name}，{task.assignee.name}）"
    return FormPage(
        title,
        [FieldGroup("", fields)],
        f"/approvals/{task.id}/reassign",
        cancel_url=back,
        hidden=hidden,
        submit_label="改派",
        errors=widgets.summary(fields, error),
        crumbs=[("待办事项", "/approvals/"), ("改派", "")],
        help_key="approval_task",
    )
