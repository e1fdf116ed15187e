"""Add and edit forms, built per request from the columns of a model: nothing about them is written by hand."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from flask import request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import Form, SelectField
from wtforms.fields.choices import SelectChoice

from models.base.entity import Entity
from models.base.errors import BusinessError, StaleRecord
from models.base.fields import FieldFacts
from reports.figures import field_conditions
from views.kit import edge, fields, widgets
from views.kit.cells import Cells
from views.kit.interface import shape, valid_id, visible_title
from views.kit.pages import Field, FieldGroup, FormPage
from workflows.base.context import Ctx
from workflows.base.values import coerce

WIDE = ("long_text",)


def form_columns(model: type[Entity]) -> list[str]:
    """Columns that a generated form offers; single files are handled by the attachment section."""
    known = shape(model)
    return [name for name in known.editable() if _fits_form(known.fields[name])]


def reason_field(help: str = "与修改人、时间一起记入版本") -> Field:  # noqa: A002 - as fields call it
    """Why the configuration is changed (X15): it stands with the version."""
    return widgets.text(
        edge.CHANGE_REASON,
        "变更原因",
        request.form.get(edge.CHANGE_REASON, ""),
        maxlength=edge.REASON_MAX,
        wide=True,
        help=help,
    )


def _fits_form(facts: FieldFacts) -> bool:
    return facts.kind not in {"json", "datetime"} and not facts.is_attachment


def is_asked(facts: FieldFacts) -> bool:
    """Whether a record cannot be made before somebody fills this in."""
    return facts.required and not facts.has_default


class EntityForm:
    """One form of one request: the controls, what was typed, and the messages at the fields."""

    def __init__(
        self,
        ctx: Ctx,
        model: type[Entity],
        record: Entity | None = None,
        names: Iterable[str] | None = None,
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        """`fixed` are values that the form shows and does not let change (the owner of a child row)."""
        self.ctx = ctx
        self.model = model
        self.record = record
        self.fixed = dict(fixed or {})
        self.names = list(names if names is not None else form_columns(model))
        self.known = shape(model)
        self.cells = Cells(ctx, model)
        self.top: list[tuple[str, str]] = []  # field that the view adds, or ''; message
        self.stale: list[tuple[str, str, str]] = []
        self._demands: dict[str, field_conditions.Demand] = {}
        self._form = self._make()
        self._version = "" if record is None else str(record.version)

    def _make(self) -> Form:
        controls = {name: self._control(name) for name in self.names}
        return type("GeneratedForm", (Form,), controls)()

    def _control(self, name: str) -> Any:
        if name in self.fixed:
            shown = self.cells.text(name, self.fixed[name])
            return fields.FixedField(self.known.label(name), shown=shown)
        return fields.make(self.ctx, self.known.table, name, self.known.fields[name])

    # ------------------------------------------------------------------------------------------------- what is shown
    def show(self, values: Mapping[str, Any] | None = None) -> "EntityForm":
        """Fill the controls with the record's values, or with defaults and given values on an add form."""
        given = dict(values or {})
        for name in self.names:
            facts = self.known.fields[name]
            value = self.fixed.get(name, given.get(name, self._stored(facts)))
            self._put(name, fields.typed_text(facts, value))
        return self

    def _stored(self, facts: FieldFacts) -> Any:
        return facts.default if self.record is None else facts.get(self.record)

    def _put(self, name: str, text: str) -> None:
        control = self._form[name]
        control.data = text == "true" if isinstance(control, fields.Tick) else text
        if (
            isinstance(control, SelectField)
            and text
            and text not in {choice.value for choice in control.choices}
        ):
            shown = fields.current_text(self.ctx, self.known.fields[name], text, self.cells)
            control.choices = [*control.choices, SelectChoice(text, shown[:100])]
        if isinstance(control, fields.LookupField):
            control.current_text = self._current_text(name, text)

    def _current_text(self, name: str, text: str) -> str:
        """A stored reference shows its title; one that was typed or posted only if this reader may see the record."""
        facts = self.known.fields[name]
        stored = None if self.record is None else facts.get(self.record)
        if facts.kind == "reference" and text != str(stored):
            return visible_title(self.cells.titles, facts.target, text)
        return fields.current_text(self.ctx, facts, text, self.cells)

    # --------------------------------------------------------------------------------------------------- what came in
    def read(self, posted: "MultiDict[str, str]") -> "EntityForm":
        """Take what was typed, exactly as it was."""
        self._version = posted.get("version", "")
        for name in self.names:
            if name in self.fixed:
                self._put(name, fields.typed_text(self.known.fields[name], self.fixed[name]))
                continue
            text = posted.get(name, "")
            if self.known.fields[name].kind == "bool":
                text = (
                    "true" if text and text.lower() not in {"false", "0", "否", "off"} else "false"
                )
            self._put(name, text)
        return self

    @property
    def version(self) -> int | None:
        """The version that the person had on the screen."""
        return valid_id(self._version)

    def values(self) -> dict[str, Any]:
        """What goes to the verb: all of an add form, of an edit form what was changed; a mask left alone is not."""
        found: dict[str, Any] = {}
        for name in self.names:
            text = self._text_of(name)
            if not self._is_untouched(name, text):
                found[name] = text
        return found

    def _text_of(self, name: str) -> str:
        """What stands in a control."""
        data = self._form[name].data
        if isinstance(data, bool):
            return str(data).lower()
        return data or ""

    def _is_untouched(self, name: str, text: str) -> bool:
        """Also keeps a code that is out of use by now: nobody chose it anew."""
        if self.record is None or name in self.fixed:
            return self.record is not None
        facts = self.known.fields[name]
        stored = fields.typed_text(facts, facts.get(self.record))
        return text.replace("\r\n", "\n") == stored.replace("\r\n", "\n")

    # -------------------------------------------------------------------------------------------------------- messages
    def refuse(self, error: BusinessError) -> "EntityForm":
        """Put the messages of a refused save at their fields; a stale save shows what changed meanwhile."""
        for name, messages in error.field_errors.items():
            if name in self._form:
                self._form[name].errors = [*self._form[name].errors, *messages]
            else:
                self.top += [self._elsewhere(name, message) for message in messages]
        if isinstance(error, StaleRecord):
            self.stale = list(error.changes)
            if self.record is not None:
                self._version = str(self.record.version)
        return self

    def _elsewhere(self, name: str, message: str) -> tuple[str, str]:
        """Where to say it: a column that the form does not ask is named, a field that the view adds is linked."""
        key = self.known.key(name) if name else None
        return ("", f"{self.known.label(key)}：{message}") if key else (name, message)

    # ------------------------------------------------------------------------------------------------------------ page
    def page(self, title: str, action_url: str, cancel_url: str, **facts: Any) -> FormPage:
        """The form as the template takes it."""
        groups = self.groups()
        errors = [(name, "", message) for name, message in self.top]
        errors += [(c.name, c.label.text, m) for c in self._form for m in c.errors]
        hidden = [edge.csrf_input()]
        if self.record is not None:
            hidden.append(Markup('<input type="hidden" name="version" value="%s">') % self._version)
        return FormPage(
            title,
            groups,
            action_url,
            cancel_url,
            hidden=hidden,
            errors=errors,
            stale=self.stale,
            asked_url=self._asked_url(),
            **facts,
        )

    def _asked_url(self) -> str:
        """Where the form asks, while it is filled in, what conditions ask for."""
        if not self._demands:
            return ""
        return f"/{self.known.table}/asked" + (f"/{self.record.id}" if self.record else "")

    def groups(self) -> list[FieldGroup]:
        """Fields under the headings that the columns name, in the order of the model."""
        found: dict[str, list[Field]] = {}
        self._demands = self.demands()
        for name in self.names:
            found.setdefault(str(self.known.facts(name).group or ""), []).append(self._field(name))
        return [FieldGroup(label, items) for label, items in found.items()]

    def demands(self) -> dict[str, field_conditions.Demand]:
        """What conditions ask for, of what stands on the form now: as the save will ask it."""
        fields_ = field_conditions.conditional(
            {name: self.known.fields[name] for name in self.names if name not in self.fixed}
        )
        if not fields_:
            return {}
        session, copy = self.ctx.session, field_conditions.copy_of(self.model, self.record)
        with session.no_autoflush:
            for name, value in self.typed():
                self.known.fields[name].set(copy, value)
            return field_conditions.settle(session, copy, self.ctx.today, fields_)

    def typed(self) -> Iterator[tuple[str, Any]]:
        """The values of the controls; nothing for what makes no sense, and masks that nobody has touched left out."""
        for name in self.names:
            facts, text = self.known.fields[name], self._text_of(name)
            if facts.mask and self._is_untouched(name, text):
                continue
            try:
                yield name, coerce(replace(facts, required=False), text)
            except ValueError:
                yield name, None

    def _field(self, name: str) -> Field:
        facts, control = self.known.fields[name], self._form[name]
        demand = self._demands.get(name)
        reveal = ""
        if (
            facts.mask
            and self.record is not None
            and self.cells.reveals(self.record)
            and facts.get(self.record)
        ):
            reveal = f"/{self.known.table}/reveal/{self.record.id}/{name}"
        return Field(
            name,
            facts.label,
            control,
            facts.kind,
            (demand.is_required if demand else facts.required) and facts.kind != "bool",
            facts.unit,
            facts.help,
            tuple(control.errors),
            facts.kind in WIDE,
            reveal,
            is_out=demand is not None and not demand.is_asked,
        )
