"""交办事项: given from the page of a record, done, taken back or handed on from its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import request
from markupsafe import Markup

from models.base import columns as c
from models.base.entity import Entity
from models.base.errors import NotFound
from models.system.errand import Errand
from views.kit import forms, lists
from views.kit.buttons import Button, Questions, Values, register
from views.kit.cells import record_url
from views.kit.entity_view import EntityView
from views.kit.interface import valid_id
from views.kit.pages import Action, FormPage, ListPage, RecordPage
from views.kit.record import about
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.papers import require_reader
from workflows.system import errands

_OWNER = ("owner_table", "owner_id")


class ErrandView(EntityView):
    """Screens of Errand: what it is about comes with the address, and is shown instead of asked."""

    model = Errand

    def form_names(self, record: Entity | None, ctx: Ctx) -> list[str]:
        """What, who and until when."""
        return [name for name in forms.form_columns(self.model) if name not in _OWNER]

    def list_actions(self, ctx: Ctx) -> list[Action]:
        """None: an errand is given where its record is."""
        return []

    def enrich_list(self, page: ListPage, asked: lists.ListQuery) -> ListPage:
        """Say where errands are given."""
        if not page.rows and not page.chips:
            page.empty = "没有交办事项；在任何记录的“备注与交办”中点“交办给同事”"
        return page

    def enrich_form(self, page: FormPage, record: Entity | None, ctx: Ctx) -> FormPage:
        """Say what it is about, and send it along."""
        owner = _owner(ctx)
        fields = [
            Markup('<input type="hidden" name="%s" value="%s">') % (name, value)
            for name, value in zip(_OWNER, (owner.__tablename__, owner.id), strict=True)
        ]
        return replace(
            page,
            note=f"关于{owner.spec.label} {owner}",
            hidden=[*page.hidden, *fields],
            cancel_url=_back(str(owner.__tablename__), owner.id),
            can_go_on=False,
            side=[*page.side, *about(ctx, owner)],
        )

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """Until today at the latest, if nobody says otherwise."""
        return {"due_on": ctx.today}

    def save(
        self, ctx: Ctx, record: Entity | None, values: Mapping[str, Any], version: int | None
    ) -> Entity:
        """With the record that the form was opened for."""
        owner = _owner(ctx)
        about = {"owner_table": str(owner.__tablename__), "owner_id": owner.id}
        return records.create(ctx, Errand, {**values, **about})

    def after_save_url(self, record: Entity, ctx: Ctx) -> str:
        """Back to where it was given."""
        assert isinstance(record, Errand)
        return _back(record.owner_table, record.owner_id)

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """Its record is named by `about`, and opened by a button: table and number say nothing to anybody."""
        for section in page.sections:
            section.facts = [
                (label, [fact for fact in facts if fact.key not in _OWNER])
                for label, facts in section.facts
            ]
        return page

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """What may be done with it, and where it belongs."""
        assert isinstance(record, Errand)
        owner = Action("打开所属记录", record_url(record.owner_table, record.owner_id))
        return [*super().verbs(record, ctx), owner]


def _owner(ctx: Ctx) -> Entity:
    """The record that the form is about, if its reader may read it."""
    key = valid_id(request.values.get("owner_id", ""))
    if key is None:
        raise NotFound("请在要交办的记录的“备注与交办”中点“交办给同事”")
    owner = errands.about(ctx, request.values.get("owner_table", "")[:64], key)
    require_reader(ctx, owner)
    return owner


def _back(table: str, key: int) -> str:
    return f"{record_url(table, key)}?tab=comments#tabs"


def _is_doer(ctx: Ctx, one: Any) -> bool:
    return bool(one.doer_id == ctx.actor.employee_id)


def _is_giver(ctx: Ctx, one: Any) -> bool:
    return bool(one.giver_id == ctx.actor.employee_id)


def _answer(_: Ctx, __: Any) -> Questions:
    return {"result": c.text("办理结果", errands.ANSWER_MAX, required=True)}


def _whom(_: Ctx, __: Any) -> Questions:
    return {
        "doer_id": c.reference("承办人", "employee", required=True),
        "due_on": c.day("办理期限", required=True),
    }


def _as_now(_: Ctx, one: Any) -> Values:
    return {"due_on": one.due_on}


register(
    Button(
        errands.STEPS["finish"],
        errands.finish,
        when=_is_doer,
        questions=_answer,
        style="primary",
        rank=1,
        done="已办结，交办人在该记录上可见结果",
    ),
    Button(
        errands.STEPS["hand_on"],
        errands.hand_on,
        when=lambda ctx, one: _is_doer(ctx, one) or _is_giver(ctx, one),
        questions=_whom,
        given=_as_now,
        rank=2,
        done="已转交",
    ),
    Button(
        errands.STEPS["withdraw"],
        errands.withdraw,
        when=_is_giver,
        ask="撤回原因",
        style="danger",
        rank=3,
        done="已撤回",
    ),
)
