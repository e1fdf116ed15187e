"""WTForms controls for the kinds of columns: they show and pass on what was typed; typing and checks are the verb's.

A control never turns text into a value: records.create and records.update do, for screens, REST and import alike. So
what was typed stays on the form, character by character, when something about it is wrong.
"""

from typing import Any

from markupsafe import Markup
from wtforms import BooleanField, Field, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from models.base.fields import FieldFacts
from models.base.masks import mask
from models.base.money import format_money
from reports.figures import dictionaries
from views.kit import filters
from views.kit.cells import Cells, format_value, rate_text
from views.kit.interface import valid_id
from views.kit.small import quick_url
from workflows.base.context import Ctx

CHOOSE = SelectChoice("", "请选择")


class TypedText(StringField):
    """A line of text whose value is the text itself."""

    def __init__(
        self, label: str = "", kind: str = "text", limit: int | None = None, **kwargs: Any
    ) -> None:
        """`kind` is the column's kind, `limit` the most characters the column holds."""
        super().__init__(label, **kwargs)
        self.kind = kind
        self.limit = limit

    def __call__(self, **kwargs: Any) -> Any:
        """Render with the attributes of the kind."""
        kwargs.setdefault(
            "class_",
            "form-control num" if self.kind in {"money", "rate", "int"} else "form-control",
        )
        if self.kind in {"money", "rate"}:
            kwargs.setdefault("inputmode", "decimal")
            kwargs.setdefault("data-kind", self.kind)
        elif self.kind == "int":
            kwargs.setdefault("inputmode", "numeric")
        elif self.kind == "date":
            kwargs.setdefault("type", "date")
            kwargs.setdefault("max", "2200-12-31")
        if self.limit and self.kind == "text":
            kwargs.setdefault("maxlength", self.limit)
        kwargs.setdefault("autocomplete", "off")
        return super().__call__(**kwargs)


class LookupField(HiddenField):
    """A reference (or a long dictionary) chosen by typing: the id travels hidden, the text box finds it."""

    def __init__(self, label: str = "", url: str = "", create_url: str = "", **kwargs: Any) -> None:
        """`url` answers what is typed with up to 20 candidates; at `create_url` a missing one is made."""
        super().__init__(label, **kwargs)
        self.url = url
        self.create_url = create_url
        self.current_text = ""

    def __call__(self, **kwargs: Any) -> Any:
        """Render the hidden id; the page's script puts the text box beside it."""
        kwargs |= {"data-lookup-url": self.url, "data-text": self.current_text}
        if self.create_url:
            kwargs["data-create-url"] = self.create_url
        return super().__call__(**kwargs)


class FixedField(HiddenField):
    """A value that is given and cannot be changed here: the owner of a child row."""

    def __init__(self, label: str = "", shown: str = "", **kwargs: Any) -> None:
        """`shown` is what readers see."""
        super().__init__(label, **kwargs)
        self.shown = shown

    def __call__(self, **kwargs: Any) -> Markup:
        """Render the hidden value and its text."""
        return super().__call__() + Markup('<p class="form-control-static">%s</p>') % self.shown


class Tick(BooleanField):
    """A checkbox; what a browser does not send is a no."""

    def __call__(self, **kwargs: Any) -> Any:
        """Render it."""
        return super().__call__(**kwargs)


def make(ctx: Ctx, table: str, name: str, facts: FieldFacts) -> Field:
    """The unbound control of a field."""
    kind, label = facts.kind, facts.label
    if kind in {"enum", "dictionary"}:
        return _choice(ctx, table, name, facts)
    if kind == "reference":
        url = f"/{table}/lookup?field={name}"
        return LookupField(label, url=url, create_url=quick_url(ctx, facts))
    if kind == "bool":
        return Tick(label, false_values=("false", "", "0", "否"))
    if facts.rule_of or facts.rule_by:
        asks = {"data-rule-url": f"/{table}/rule", "data-rule-field": name}
        if facts.rule_by:
            asks["data-rule-about"] = facts.rule_by
        if facts.is_formula:
            asks["data-rule-empty"] = "留空表示由人填写"
        return TextAreaField(label, render_kw={"class_": "form-control", "rows": 2, **asks})
    if kind == "long_text":
        return TextAreaField(label, render_kw={"class_": "form-control", "rows": 3})
    return TypedText(label, kind=kind, limit=facts.length)


def _choice(ctx: Ctx, table: str, name: str, facts: FieldFacts) -> Field:
    options = filters.options(ctx, facts)
    if len(options) > filters.MAX_OPTIONS:
        return LookupField(facts.label, url=f"/{table}/lookup?field={name}")
    shown = {"render_kw": {"class_": "form-control"}, "validate_choice": False}
    return SelectField(
        facts.label,
        choices=[CHOOSE, *(SelectChoice(code, label) for code, label in options)],
        **shown,
    )


def typed_text(facts: FieldFacts, value: Any) -> str:
    """A stored value as a person would have typed it into its control."""
    kind = facts.kind
    if value is None:
        return ""
    if kind == "money":
        return format_money(value)
    if kind == "rate":
        return rate_text(value)
    if kind == "enum":
        return str(value.name)
    if kind == "bool":
        return "true" if value else "false"
    if kind == "date":
        return str(value.isoformat())
    if kind in {"int", "reference", "text", "long_text", "dictionary"}:
        return mask(str(value), facts.mask) if facts.mask else str(value)
    return format_value(value, kind)


def current_text(ctx: Ctx, facts: FieldFacts, value: Any, cells: Cells) -> str:
    """What a look-up shows beside the id (or code) it holds."""
    if not value:
        return ""
    if facts.kind == "dictionary":
        return str(dictionaries.label(ctx.session, facts.dictionary, str(value)) or value)
    if facts.kind == "reference":
        record_id = valid_id(value)
        return cells.titles.text(facts.target, record_id) if record_id else ""
    return str(value)
