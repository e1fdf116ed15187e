"""Many records at once: each is decided by itself (right, scope, state, version), and one refused leaves the others.

All of it is one transaction with a savepoint for each record: who is told that something was done finds it done.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView

from models.base.entity import Entity
from models.base.errors import BusinessError, NotFound
from views.kit import edge
from views.kit.buttons import REGISTRY, Button, always
from views.kit.cells import record_url
from views.kit.interface import Titles, shape, valid_id
from views.kit.pages import Action, Cell, Column, ReportPage, Row
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import Step

MOST = 200
Act = Callable[[Ctx, Any, int], Any]


@dataclass(frozen=True)
class Picked:
    """A ticked row: its id, and the version that the reader saw (None where all of a filter were chosen)."""

    key: int
    version: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one record."""

    title: str
    url: str
    words: str
    is_done: bool


def ticked(most: int = MOST) -> list[Picked]:
    """The rows that a form has ticked, without doubles. Raises BusinessError for none, too many, or what is no row."""
    found: dict[int, Picked] = {}
    for text in request.form.getlist("keys"):
        key, _, version = text.partition(".")
        number = valid_id(key)
        if number is None:
            raise BusinessError("只能办理列表中显示并勾选的记录，请刷新后重新勾选")
        found.setdefault(number, Picked(number, valid_id(version)))
    if not found:
        raise BusinessError("没有选中任何记录")
    if len(found) > most:
        raise BusinessError(f"一次最多处理 {most} 条，请缩小筛选范围")
    return list(found.values())


def each(model: type[Entity], picked: Iterable[Picked], label: str, act: Act) -> list[Outcome]:
    """Do it to each record."""
    with edge.writing() as ctx:
        return [_one(ctx, model, one, label, act) for one in picked]


def _one(ctx: Ctx, model: type[Entity], one: Picked, label: str, act: Act) -> Outcome:
    title, url = f"{model.spec.label} {one.key}", ""
    info, kept = ctx.session.info, len(ctx.after_commit)
    waits = {key: list(value) for key, value in info.items() if isinstance(value, list)}
    try:
        with ctx.session.begin_nested():
            record = records.find(ctx, model, one.key)
            title = Titles(ctx.session).of(record)
            url = record_url(str(record.__tablename__), record.id)
            version = one.version or record.version
            records.check_version(ctx, record, version)
            act(ctx, record, version)
        return Outcome(title, url, f"已{label}", is_done=True)
    except NotFound:
        words = "没有这条记录，或不在您的数据范围内"
    except BusinessError as error:
        edge.name_who_may(error)
        words = error.message
    except edge.DATABASE_DECIDED:
        words = "刚被他人修改，或与已有数据冲突，请刷新后重试"
    # What waited for the commit of this record waits no more.
    del ctx.after_commit[kept:]
    for key in [key for key, value in info.items() if isinstance(value, list)]:
        info[key] = waits.get(key, [])
    return Outcome(title, url, words, is_done=False)


@dataclass(frozen=True)
class Told:
    """How it is told what became of many: the deed, what they are counted as, and where one goes on."""

    label: str
    counted: str
    back: str


def answer(
    view: BaseView, model: type[Entity], outcomes: Sequence[Outcome], told: Told
) -> ResponseReturnValue:
    """Back to the list where all is done; else what became of each, those that are not done first."""
    done, back = sum(one.is_done for one in outcomes), told.back
    if done == len(outcomes):
        flash(f"已{told.label} {done} {told.counted}", "success")
        return redirect(back)
    title = f"{told.label}：{done} 条已办，{len(outcomes) - done} 条未办"
    page = ReportPage(
        title,
        [
            Column("title", model.spec.label),
            Column("result", "结果", "enum"),
            Column("words", "说明", "long_text"),
        ],
        [_row(one) for one in sorted(outcomes, key=lambda one: one.is_done)],
        note="每条单独办理，未办的没有改动",
        actions=[Action("返回列表", back)],
        crumbs=[(model.spec.module.label, ""), (model.spec.label, back), (title, "")],
        help_key=shape(model).table,
    )
    return view.render_template("report.html", page=page), (200 if done else 409)


def _row(one: Outcome) -> Row:
    result = Cell("已办", "enum", tone="ok") if one.is_done else Cell("未办", "enum", tone="bad")
    return Row(one.title, one.url, (Cell(one.title, "link"), result, Cell(one.words)))


def buttons_of(model: type[Entity], ctx: Ctx, rows: Sequence[Entity]) -> list[Button]:
    """The steps that may be taken with several rows of a list: those that ask for no form, from a state in sight."""
    state = model.spec.state
    states = {getattr(row, state) for row in rows} if state else set()
    return [
        button
        for button in sorted(REGISTRY.values(), key=lambda one: one.rank)
        if is_for_many(model, button)
        and states & set(getattr(button.step, "sources", ()))
        and ctx.actor.may(*button.permission)
    ]


def is_for_many(model: type[Entity], button: Button) -> bool:
    """Whether a button asks for nothing but a reason and moves the state that the list shows."""
    step = button.step
    is_plain = not button.has_form and button.preview is None and button.when is always
    table = shape(model).table
    if not (is_plain and isinstance(step, Step) and button.on == step.table == table):
        return False
    return step.column == model.spec.state


def actions(model: type[Entity], ctx: Ctx, rows: Sequence[Entity]) -> list[Action]:
    """The buttons over ticked rows."""
    return [_action(model, button) for button in buttons_of(model, ctx, rows)]


def _action(model: type[Entity], button: Button) -> Action:
    words = f"{button.label}所选 {{n}} 条{model.spec.label}，{{sum}}。每条单独办理，不能办理的列出原因。"
    return Action(
        button.label,
        f"/{shape(model).table}/bulk/{button.name}",
        "POST",
        button.style,
        confirm=words,
        ask=button.ask,
        ask_required=bool(button.ask),
    )


def require(ctx: Ctx, model: type[Entity], name: str) -> Button:
    """The button of a step that may be taken with many. Raises NotFound, NotAllowed."""
    button = REGISTRY.get((shape(model).table, name))
    if button is None or not is_for_many(model, button):
        raise NotFound("没有这个操作")
    ctx.require(*button.permission, button.label)
    return button


def back_to(model: type[Entity]) -> str:
    """The list as the reader left it: its address came along."""
    asked = request.query_string.decode("ascii", "ignore")
    return f"/{shape(model).table}/list/{'?' if asked else ''}{asked}"


def press(view: BaseView, ctx: Ctx, name: str, picked: Sequence[Picked]) -> ResponseReturnValue:
    """Take the step of a button with each of these. Raises NotFound, NotAllowed, BusinessError."""
    model: type[Entity] = view.model
    button = require(ctx, model, name)
    answers = {}
    if button.ask:
        answers["reason"] = request.form.get("reason", "").strip()
        if not answers["reason"]:
            raise BusinessError(f"请填写{button.ask}")

    def act(ctx: Ctx, record: Any, version: int) -> None:
        button.press(ctx, record, answers, version)

    outcomes = each(model, picked, button.label, act)
    return answer(
        view, model, outcomes, Told(button.label, f"条{model.spec.label}", back_to(model))
    )
