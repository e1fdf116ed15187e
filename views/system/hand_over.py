"""移交: what a person holds as a list with boxes, who takes it over, and why (10.2)."""

from flask import request

from models.base.errors import BusinessError, NotAllowed
from models.customer.customer import Customer
from models.guarantee.project import Project
from models.system.organization import Employee
from reports.figures import holdings
from reports.figures.holdings import Held
from views.kit import edge, widgets
from views.kit.interface import valid_id
from views.kit.pages import Field, FieldGroup, FormPage
from workflows.base.context import Ctx
from workflows.system import hand_over
from workflows.system.hand_over import MOST, Piece

# A list of boxes for each kind: its field and its name.
_LISTS = {
    "": ("customers", "客户"),
    "A角": ("manager", "A角的项目"),
    "B角": ("assistant", "B角的项目"),
    "风控复核人": ("risk", "风控复核的项目"),
    "法务": ("legal", "法务的项目"),
}


def is_offered(ctx: Ctx) -> bool:
    """Whether the actor may hand over customers or projects."""
    return ctx.actor.may("hand_over", "customer") or ctx.actor.may("hand_over", "project")


def require(ctx: Ctx) -> None:
    """Raise NotAllowed unless it is offered."""
    if not is_offered(ctx):
        raise NotAllowed("您没有“移交”的权限，请联系部门经理或系统管理员")


def act(ctx: Ctx, person: Employee) -> str:
    """Do what the form asks; returns what was done."""
    to = valid_id(request.form.get("employee_id", ""))
    if to is None:
        raise BusinessError("请选择接手的人员", field="employee_id")
    pieces = [_piece(word) for word in _ticked()[: MOST + 1]]
    return (
        f"已移交 {hand_over.hand_over(ctx, person, to, pieces, request.form.get('reason', ''))} 项"
    )


def page(ctx: Ctx, person: Employee, error: BusinessError | None) -> FormPage:
    """The form; after a refusal with what was chosen."""
    errors = error.field_errors if error else None
    found = holdings.holdings(ctx.session, person.id, MOST)
    mine = [one for one in found if not hand_over.why_not(ctx, one.record)]
    roles = {one.role for one in mine} or {""}
    others = sorted({hand_over.why_not(ctx, one.record) for one in found} - {""})
    people = [
        ("", "请选择"),
        *((str(one.id), _who(one)) for one in hand_over.successors(ctx, person, roles)),
    ]
    form = request.form
    fields = [
        widgets.choice(
            "employee_id",
            "接手人",
            people,
            form.get("employee_id", ""),
            errors=errors,
            required=True,
            help="列出账号可用、能承担下列事项之一的人员",
        ),
        widgets.text(
            "reason",
            "移交原因",
            form.get("reason", ""),
            errors=errors,
            required=True,
            maxlength=hand_over.REASON_MAX,
        ),
    ]
    rows = _rows(mine, _ticked(), errors)
    title, back = f"移交：{person.name}", f"/employee/show/{person.id}"
    return FormPage(
        title,
        [FieldGroup("", fields), FieldGroup("客户与项目", rows)],
        f"/employee/{person.id}/hand-over",
        cancel_url=back,
        hidden=[edge.csrf_input()],
        submit_label="移交",
        note=_note(found, mine, others),
        errors=widgets.summary([*fields, *rows], error),
        crumbs=[("系统设置", ""), ("员工", "/employee/list/"), (person.name, back), ("移交", "")],
        help_key="employee",
    )


def _who(person: Employee) -> str:
    return f"{person.name}（{person.department.name}）"


def _note(found: list[Held], mine: list[Held], others: list[str]) -> str:
    """What stands here and what does not."""
    if not found:
        return "没有客户和未结束的担保项目需要移交"
    said = ["勾选要移交的客户和项目；移交后由接手人办理，原承办人保留在承办记录中"]
    if len(found) == MOST:
        said.append(f"一次最多 {MOST} 项，其余的在这些移交后列出")
    if len(mine) < len(found):
        said.append(f"另有 {len(found) - len(mine)} 项未列出：{'；'.join(others)}")
    return "。".join(said)


def _rows(mine: list[Held], chosen: list[str], errors: widgets.Errors | None) -> list[Field]:
    """A list of boxes for each kind: customers, then the roles on projects."""
    found, told = list[Field](), (errors or {}).get("rows", [])
    for role, (key, label) in _LISTS.items():
        options = [(_word(one), _label(one), "") for one in mine if one.role == role]
        if options:
            wrong, told = {key: told}, []  # the message stands once
            found.append(
                widgets.many(key, label, options, chosen, errors=wrong, is_list=True, with_all=True)
            )
    return found


def _ticked() -> list[str]:
    """The boxes that were ticked, of every list."""
    return [word for key, _ in _LISTS.values() for word in request.form.getlist(key)]


def _label(held: Held) -> str:
    record = held.record
    if isinstance(record, Customer):
        return f"{record.number} {record.name}"
    where = (
        record.stage.label
        if record.stage.label == record.state.label
        else f"{record.stage} · {record.state}"
    )
    return f"{record.number} {record.customer.name} · {record.amount:,.2f} 元 · {where}"


def _word(held: Held) -> str:
    """A row as its box carries it: what it is, and as which version it was seen."""
    table = "project" if isinstance(held.record, Project) else "customer"
    return f"{table}.{held.record.id}.{held.role}.{held.record.version}"


def _piece(word: str) -> Piece:
    table, key, role, version = (word.split(".") + [""] * 4)[:4]
    record, seen = valid_id(key), valid_id(version)
    if table not in {"customer", "project"} or record is None or seen is None:
        raise BusinessError("勾选的内容无法识别，请刷新后重新勾选", field="rows")
    return Piece(table, record, role, seen)
