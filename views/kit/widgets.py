"""Controls of hand-written forms, as fields that templates place; entities' own forms come from views/kit/fields.py."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup
from wtforms.widgets import html_params

from models.base.errors import BusinessError
from views.kit.pages import Field

Errors = Mapping[str, Sequence[str]]


def attributes(**facts: Any) -> Markup:
    """HTML attributes, escaped; None and False are left out."""
    told = {k: v for k, v in facts.items() if v is not None and v is not False}
    return Markup(html_params(**told))  # noqa: S704 - html_params escapes


def text(
    key: str, label: str, value: str = "", *, errors: Errors | None = None, **facts: Any
) -> Field:
    """A line of text; `type`, `maxlength`, `kind`, `required`, `help`, `unit` and `wide` as facts."""
    kind = facts.pop("kind", "text")
    field = _field(key, label, kind, errors, facts)
    look = "form-control num" if kind in ("money", "rate", "int") else "form-control"
    known: dict[str, Any] = {"type": "text", "autocomplete": "off", **facts}
    field.html = Markup("<input %s>") % attributes(
        id=key, name=key, value=value, class_=look, **known
    )
    return field


def day(
    key: str, label: str, value: str = "", *, errors: Errors | None = None, **facts: Any
) -> Field:
    """A date."""
    return text(
        key, label, value, errors=errors, type="date", max="2200-12-31", kind="date", **facts
    )


def password(
    key: str, label: str, *, errors: Errors | None = None, autocomplete: str, **facts: Any
) -> Field:
    """A password: never shown again after a refusal."""
    return text(
        key,
        label,
        errors=errors,
        type="password",
        maxlength=128,
        required=True,
        autocomplete=autocomplete,
        **facts,
    )


def long_text(
    key: str, label: str, value: str = "", *, errors: Errors | None = None, **facts: Any
) -> Field:
    """Several lines of text."""
    field = _field(key, label, "long_text", errors, facts)
    field.wide = True
    known: dict[str, Any] = {"rows": 3, **facts}
    field.html = Markup("<textarea %s>%s</textarea>") % (
        attributes(id=key, name=key, class_="form-control", **known),
        value,
    )
    return field


def choice(
    key: str,
    label: str,
    options: Iterable[tuple[str, str]],
    value: str = "",
    *,
    errors: Errors | None = None,
    **facts: Any,
) -> Field:
    """One of a few."""
    field = _field(key, label, "enum", errors, facts)
    field.html = Markup("<select %s>%s</select>") % (
        attributes(id=key, name=key, class_="form-control", **facts),
        options_html(options, value),
    )
    return field


def options_html(options: Iterable[tuple[str, str]], value: str = "") -> Markup:
    """The options of a select."""
    return Markup("").join(
        Markup("<option %s>%s</option>") % (attributes(value=code, selected=code == value), name)
        for code, name in options
    )


def many(
    key: str,
    label: str,
    options: Iterable[tuple[str, str, str]],
    chosen: Iterable[str],
    *,
    errors: Errors | None = None,
    is_list: bool = False,
    with_all: bool = False,
) -> Field:
    """Any number of some: (value, label, note) as check boxes, side by side or as a list, with one for all."""
    taken = set(chosen)
    field = _field(key, label, "many", errors, {})
    field.wide = True
    boxes = Markup("").join(
        Markup('<label title="%s"><input %s> %s</label>')
        % (note, attributes(type="checkbox", name=key, value=value, checked=value in taken), name)
        for value, name, note in options
    )
    field.html = Markup('<div class="%s" role="group" aria-label="%s" id="%s"%s>%s</div>') % (
        "choices" if is_list else "checks",
        label,
        key,
        Markup(" data-all") if with_all else "",
        boxes,
    )
    return field


def lookup(
    key: str,
    label: str,
    url: str,
    value: str = "",
    shown: str = "",
    *,
    errors: Errors | None = None,
    **facts: Any,
) -> Field:
    """A record chosen by typing."""
    field = _field(key, label, "reference", errors, facts)
    field.html = lookup_html(key, url, value, shown, id_=key, **facts)
    return field


def lookup_html(
    name: str, url: str, value: str = "", shown: str = "", *, id_: str, **facts: Any
) -> Markup:
    """The hidden id whose text box the page's script adds."""
    return Markup("<input %s>") % attributes(
        type="hidden", name=name, id=id_, value=value, data_lookup_url=url, data_text=shown, **facts
    )


def _field(key: str, label: str, kind: str, errors: Errors | None, facts: dict[str, Any]) -> Field:
    mine = tuple((errors or {}).get(key, ()))
    required = bool(facts.pop("required", False))
    if mine:
        facts["aria_invalid"], facts["aria_describedby"] = "true", f"{key}-e"
    if required:
        facts["aria_required"] = "true"
    return Field(
        key,
        label,
        "",
        kind,
        required=required,
        unit=facts.pop("unit", ""),
        help=facts.pop("help", ""),
        errors=mine,
        wide=bool(facts.pop("wide", False)),
    )


def summary(fields: Iterable[Field], error: BusinessError | None) -> list[tuple[str, str, str]]:
    """The list of errors over a form: those at its fields by their labels, the rest in words."""
    if error is None:
        return []
    labels = {field.key: field.label for field in fields}
    return [
        (name if name in labels else "", labels.get(name, ""), message)
        for name, messages in error.field_errors.items()
        for message in messages
    ]


def hidden(name: str, value: str) -> Markup:
    """A value that travels along."""
    return Markup("<input %s>") % attributes(type="hidden", name=name, value=value)
