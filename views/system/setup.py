"""Screens of the set-up that the generator cannot guess: values chosen from a list, and how a parameter came to be."""

from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from sqlalchemy import select

from models.base.entity import Entity
from models.ledger.event import EVENTS
from models.ledger.rule import PostingRule, PostingRuleLine
from models.system.organization import Company
from models.system.setup import PARAMETER_CHOICES, Parameter, ValueKind
from reports.figures import parameters
from views.kit import edge, widgets
from views.kit.entity_view import EntityView
from views.kit.interface import valid_id
from views.kit.pages import Action, Cell, Column, Field, FormPage, Row, Section
from workflows.base import records
from workflows.base.context import Ctx

_FLAGS = {"是": "是", "否": "否"}


def field_of(page: FormPage, name: str) -> Field | None:
    """The field of a form by its name."""
    return next(
        (field for group in page.groups for field in group.fields if field.key == name), None
    )


def offer(field: Field | None, words: dict[str, str]) -> None:
    """Let a field of a form be chosen from these, label by code, instead of from all or by typing."""
    if field is None:
        return
    typed = str(field.html.data or "")
    codes = [*words, *([typed] if typed and typed not in words else [])]
    options = [("", "请选择"), *((code, words.get(code, code)) for code in codes)]
    field.html = widgets.choice(
        field.key, field.label, options, typed, errors={field.key: field.errors}
    ).html


class CompanyView(EntityView):
    """Screens of Company: there is one, so its list is its page."""

    model = Company

    @expose("/list/")
    @edge.screen("list")
    def list(self) -> ResponseReturnValue:
        """The company itself; the list where somebody asks for more of it."""
        found = edge.session().scalars(select(Company.id).limit(2)).all()
        if len(found) == 1 and not request.args:
            return redirect(self.url(f"show/{found[0]}"))
        return super().list()


class PostingRuleLineView(EntityView):
    """Screens of PostingRuleLine: the amounts offered are those that the rule's event brings."""

    model = PostingRuleLine

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """The next line."""
        rule = valid_id(request.args.get("owner", ""))
        query = select(PostingRuleLine.line_no).where(PostingRuleLine.posting_rule_id == rule)
        return {"line_no": max(ctx.session.scalars(query), default=0) + 1}

    def enrich_form(self, page: FormPage, record: Entity | None, ctx: Ctx) -> FormPage:
        """The amounts of the event, in its own words."""
        owner = field_of(page, "posting_rule_id")
        rule = (
            ctx.session.get(PostingRule, valid_id(owner.html.data) or 0)
            if owner is not None
            else None
        )
        if rule is not None:
            offer(field_of(page, "amount_key"), EVENTS[rule.event_code].amounts)
        return page


class ParameterView(EntityView):
    """Screens of Parameter: a new value takes effect on a day and leaves the earlier ones as they are."""

    model = Parameter

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """A further value of a parameter begins with what it was so far, from today on."""
        key = valid_id(request.args.get("of", ""))
        if key is None:
            return {}
        known = records.find(ctx, Parameter, key)
        names = ("code", "label", "value", "value_kind", "unit", "module", "note")
        return {name: getattr(known, name) for name in names} | {"effective_on": ctx.today}

    def enrich_form(self, page: FormPage, record: Entity | None, ctx: Ctx) -> FormPage:
        """The value is chosen where there are only a few, and carries its unit."""
        since = field_of(page, "effective_on")
        if request.method == "GET" and isinstance(record, Parameter) and since is not None:
            # a change leaves the past alone
            since.html.data = max(record.effective_on, ctx.today).isoformat()
        kind, code, value = (field_of(page, name) for name in ("value_kind", "code", "value"))
        if kind is None or code is None or value is None:
            return page
        words = PARAMETER_CHOICES.get(str(code.html.data))
        if words or kind.html.data == ValueKind.FLAG.name:
            offer(value, words or _FLAGS)
        unit = field_of(page, "unit")
        value.unit = str(unit.html.data or "") if unit is not None else ""
        return page

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """A change from a day on, which leaves the past alone."""
        found = super().verbs(record, ctx)
        if ctx.actor.may("add", "parameter"):
            found.append(
                Action("调整参数值", f"/parameter/add?of={record.id}", style="primary", icon="plus")
            )
        return found

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """Every value it had, has and will have, with the one in force today."""
        assert isinstance(record, Parameter)
        query = (
            select(Parameter)
            .where(Parameter.code == record.code)
            .order_by(Parameter.effective_on.desc())
        )
        rows = ctx.session.scalars(query).all()
        now = next((row.id for row in rows if row.effective_on <= ctx.today), None)
        return [
            Section(
                "values",
                "各生效日期的值",
                columns=[
                    Column("on", "生效日期", "date"),
                    Column("value", "参数值"),
                    Column("state", "状态"),
                ],
                rows=[_value_row(row, now, ctx) for row in rows],
            )
        ]


def _value_row(row: Parameter, now: int | None, ctx: Ctx) -> Row:
    later = ("未生效", "doing") if row.effective_on > ctx.today else ("", "")
    words, tone = ("现行", "ok") if row.id == now else later
    shown = " ".join(filter(None, (parameters.words(row.code, row.value), row.unit)))
    cells = (
        Cell(row.effective_on.isoformat(), "date"),
        Cell(shown or "—"),
        Cell(words, "enum", tone=tone),
    )
    return Row(str(row.id), f"/parameter/show/{row.id}", cells)
