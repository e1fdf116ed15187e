"""抄送 on the screen (A9, X18): whom to tell of an approval, and the tab of what one was told of."""

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.approval.approval import ApprovalInstance, ApprovalPosition
from models.approval.copies import ApprovalCopy
from models.base.errors import BusinessError
from models.system.organization import Employee
from views.kit import bulk, edge, widgets
from views.kit.cells import NONE, format_value
from views.kit.interface import valid_id
from views.kit.pages import Action, Cell, Column, Field, FieldGroup, FormPage, Row
from workflows.approval import copies
from workflows.base.context import Ctx

PEOPLE = ("employee_1", "employee_2", "employee_3")
READ = Action("标为已阅", "/approvals/copies/read", "POST")


def all_unread(ctx: Ctx) -> list[bulk.Picked]:
    """Every copy of the reader's that is unread."""
    query = select(ApprovalCopy.id, ApprovalCopy.version).where(
        ApprovalCopy.employee_id == ctx.actor.employee_id, ApprovalCopy.read_at.is_(None)
    )
    return [bulk.Picked(*row) for row in ctx.session.execute(query.limit(bulk.MOST))]


def tab(ctx: Ctx, most: int) -> tuple[list[Column], list[Row]]:
    """What was copied to the reader: what is unread first, then the latest."""
    columns = [
        Column("title", "业务"),
        Column("type", "类型"),
        Column("amount", "金额", "money", "元"),
        Column("from", "抄送人"),
        Column("note", "说明"),
        Column("sent", "抄送时间", "datetime"),
        Column("state", "审批状态"),
        Column("read", "阅知"),
    ]
    query = (
        select(ApprovalCopy)
        .where(ApprovalCopy.employee_id == ctx.actor.employee_id)
        .order_by(ApprovalCopy.read_at.is_not(None), ApprovalCopy.id.desc())
        .limit(most)
        .options(
            joinedload(ApprovalCopy.sent_by),
            joinedload(ApprovalCopy.node),
            joinedload(ApprovalCopy.instance).joinedload(ApprovalInstance.business_type),
        )
    )
    return columns, [_row(one) for one in ctx.session.scalars(query)]


def _row(one: ApprovalCopy) -> Row:
    instance, is_new = one.instance, one.read_at is None
    read = Cell(f"已阅 {format_value(one.read_at, 'datetime')}")
    if is_new:
        read = Cell("未阅", "enum", tone="warn")
    cells = (
        Cell(instance.title, "link"),
        Cell(instance.business_type.label),
        Cell(format_value(instance.amount, "money") or NONE, "money"),
        Cell(_sender(one)),
        Cell(one.note or NONE),
        Cell(format_value(one.sent_at, "datetime"), "datetime"),
        Cell(instance.state.label, "enum", tone=instance.state.tone),
        read,
    )
    return Row(str(one.id), f"/approvals/instance/{instance.id}", cells, seen=f".{one.version}")


def _sender(one: ApprovalCopy) -> str:
    if one.sent_by is not None:
        return one.sent_by.name
    return "流程" if one.node is None else f"流程（{one.node.name}）"


def mine(ctx: Ctx, instance: ApprovalInstance) -> ApprovalCopy | None:
    """The copy that the reader has of an approval."""
    query = select(ApprovalCopy).where(
        ApprovalCopy.instance_id == instance.id,
        ApprovalCopy.employee_id == ctx.actor.employee_id,
    )
    return ctx.session.scalars(query).one_or_none()


def to_note(ctx: Ctx, instance: ApprovalInstance) -> list[Action]:
    """已阅, for whom it was copied to."""
    copy = mine(ctx, instance)
    if copy is None or copy.read_at is not None:
        return []
    return [Action("已阅", f"/approvals/copies/{copy.id}/read", "POST", "primary")]


def actions(ctx: Ctx, instance: ApprovalInstance) -> list[Action]:
    """抄送, for who has to do with it."""
    if not copies.may_send(ctx, instance):
        return []
    return [Action("抄送", f"/approvals/instance/{instance.id}/copy")]


def told(ctx: Ctx, instance: ApprovalInstance) -> str:
    """Who was told of an approval, and who has taken note."""
    query = (
        select(ApprovalCopy)
        .where(ApprovalCopy.instance_id == instance.id)
        .order_by(ApprovalCopy.id)
        .options(joinedload(ApprovalCopy.employee))
    )
    return "、".join(
        one.employee.name + ("（已阅）" if one.read_at else "（未阅）")
        for one in ctx.session.scalars(query)
    )


def act(ctx: Ctx, instance: ApprovalInstance) -> str:
    """Do what the form asks; what to say of it."""
    people = [key for name in PEOPLE if (key := valid_id(request.form.get(name, "")))]
    positions = [key for text in request.form.getlist("positions") if (key := valid_id(text))]
    names = copies.send(ctx, instance, people, positions, request.form.get("note", ""))
    return f"已抄送 {'、'.join(names)}"


def page(ctx: Ctx, instance: ApprovalInstance, error: BusinessError | None) -> FormPage:
    """The form of 抄送."""
    errors = error.field_errors if error else None
    fields = [_person(ctx, name, number, errors) for number, name in enumerate(PEOPLE, 1)]
    query = select(ApprovalPosition).where(ApprovalPosition.is_active)
    options = [
        (str(one.id), one.label, one.remark or "")
        for one in ctx.session.scalars(query.order_by(ApprovalPosition.code))
    ]
    fields.append(
        widgets.many("positions", "岗位", options, request.form.getlist("positions"), errors=errors)
    )
    note = request.form.get("note", "")
    fields.append(widgets.text("note", "说明", note, errors=errors, maxlength=200, wide=True))
    back = f"/approvals/instance/{instance.id}"
    return FormPage(
        f"抄送：{instance.title}",
        [FieldGroup("", fields)],
        request.path,
        cancel_url=back,
        hidden=[edge.csrf_input()],
        submit_label="抄送",
        errors=widgets.summary(fields, error),
        crumbs=[("待办事项", "/approvals/"), (instance.title, back), ("抄送", "")],
        help_key="approval_task",
    )


def _person(ctx: Ctx, name: str, number: int, errors: widgets.Errors | None) -> Field:
    chosen = valid_id(request.form.get(name, ""))
    person = ctx.session.get(Employee, chosen) if chosen else None
    return widgets.lookup(
        name,
        f"人员 {number}",
        "/approvals/colleagues",
        str(person.id) if person else "",
        person.name if person else "",
        errors=errors,
    )
