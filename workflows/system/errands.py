"""交办事项: given to a colleague who may read the record, done with an answer, taken back or handed on."""

from datetime import date
from typing import Final

from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError, FieldErrors, NotAllowed, NotFound
from models.system.errand import Errand, ErrandState
from models.system.organization import Employee
from reports.base.scope import readers_among
from reports.figures.rights import who_may
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.papers import require_writer
from workflows.base.transition import Step, enter, move, steps

ABOUT_MAX: Final = 200
ANSWER_MAX: Final = 300
STEPS: Final = steps(
    Step(
        "errand",
        "finish",
        "办结",
        column="state",
        sources=(ErrandState.PENDING,),
        targets=(ErrandState.DONE,),
    ),
    Step(
        "errand",
        "withdraw",
        "撤回",
        column="state",
        sources=(ErrandState.PENDING,),
        targets=(ErrandState.WITHDRAWN,),
    ),
    Step(
        "errand",
        "hand_on",
        "转交",
        column="state",
        sources=(ErrandState.PENDING,),
        targets=(ErrandState.PENDING,),
    ),
)


@records.rule(Errand)
def check_errand(ctx: Ctx, made: Errand, is_new: bool) -> None:
    """About a record that its giver may work on, for a colleague who may read it, for today or later."""
    del is_new  # never edited
    record = about(ctx, made.owner_table, made.owner_id)
    require_writer(ctx, record)
    made.giver_id = ctx.actor.employee_id
    made.about = f"{record.spec.label} {record}"[:ABOUT_MAX]
    errors: dict[str, list[str]] = {}
    if made.due_on < ctx.today:
        errors["due_on"] = ["办理期限不能早于营业日期"]
    if said := _unfit(ctx, record, made.doer_id):
        errors["doer_id"] = [said]
    if errors:
        raise FieldErrors(errors)


def about(ctx: Ctx, table: str, key: int) -> Entity:
    """The record that an errand is about. Raises NotFound where there is none that has a page."""
    try:
        model = entity_of(table)
    except LookupError:
        raise NotFound from None
    is_one = model is not Errand and model.spec.kind.has_screen
    record = ctx.session.get(model, key) if is_one else None
    if record is None:
        raise NotFound
    return record


def able(ctx: Ctx, record: Entity) -> set[int | None]:
    """Who may finish an errand about a record: they may read it, and sign in."""
    table = str(record.__tablename__)
    finishing = {one.actor.employee_id for one in who_may(ctx.session, *STEPS["finish"].permission)}
    reading = [one.actor for one in who_may(ctx.session, "show", table)]
    return finishing & readers_among(ctx.session, reading, type(record), record.id)


def _unfit(ctx: Ctx, record: Entity, employee_id: int) -> str:
    if employee_id == ctx.actor.employee_id:
        return "交办给同事；自己要办的请写备注"
    fit = employee_id in able(ctx, record)
    return "" if fit else f"该员工不能查看这条{record.spec.label}，请换一位，或先办理移交"


def finish(ctx: Ctx, one: Errand, result: str, version: int | None = None) -> Errand:
    """Say what was done. Raises NotAllowed for anybody but who was asked."""
    enter(ctx, STEPS["finish"], one, version)
    if one.doer_id != ctx.actor.employee_id:
        raise NotAllowed("只有承办人可以办结；交办人可以撤回或转交")
    one.answer, one.done_on = _said(result, "办理结果", "result"), ctx.today
    move(STEPS["finish"], one)
    ctx.session.flush()
    return one


def withdraw(ctx: Ctx, one: Errand, reason: str, version: int | None = None) -> Errand:
    """Take it back, with the reason as its result. Raises NotAllowed for anybody but who gave it."""
    enter(ctx, STEPS["withdraw"], one, version)
    if one.giver_id != ctx.actor.employee_id:
        raise NotAllowed("只有交办人可以撤回")
    one.answer = _said(reason, "撤回原因", "reason")
    move(STEPS["withdraw"], one)
    ctx.session.flush()
    return one


def hand_on(
    ctx: Ctx, one: Errand, doer_id: int, due_on: date, version: int | None = None
) -> Errand:
    """Let another colleague do it; by who gave it or who was asked. Raises NotAllowed, FieldErrors."""
    enter(ctx, STEPS["hand_on"], one, version)
    if ctx.actor.employee_id not in (one.giver_id, one.doer_id):
        raise NotAllowed("只有交办人和承办人可以转交")
    errors: dict[str, list[str]] = {}
    if doer_id == one.doer_id:
        errors["doer_id"] = ["已由该员工承办"]
    elif doer_id == one.giver_id == ctx.actor.employee_id:
        errors["doer_id"] = ["自己办理的，请撤回交办"]
    elif doer_id not in able(ctx, about(ctx, one.owner_table, one.owner_id)):
        errors["doer_id"] = ["该员工不能查看所关联的记录，请换一位"]
    if due_on < ctx.today:
        errors["due_on"] = ["办理期限不能早于营业日期"]
    if errors:
        raise FieldErrors(errors)
    one.doer, one.due_on = ctx.session.get_one(Employee, doer_id), due_on
    move(STEPS["hand_on"], one)
    ctx.session.flush()
    return one


def _said(text: str, label: str, field: str) -> str:
    said = text.strip()
    if not 0 < len(said) <= ANSWER_MAX:
        raise BusinessError(f"请填写{label}，不超过 {ANSWER_MAX} 个字", field=field)
    return said
