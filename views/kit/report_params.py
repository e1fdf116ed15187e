"""The parameters of a report on the screen: read from the address like a verb's form, kept as typed when refused."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Column, select

from models.base import columns as c
from models.base.entity import Entity, columns_of, entity_of
from models.base.errors import BusinessError, FieldErrors, NotFound
from models.base.text import visible
from reports.base.asked import Asked
from reports.base.params import Compare, Param
from reports.base.report import Report
from reports.base.scope import scoped
from views.kit import filters, lookup, widgets
from views.kit.cells import format_value
from views.kit.fields import typed_text
from views.kit.interface import Titles, valid_id
from views.kit.pages import Field
from workflows.base.context import Ctx
from workflows.base.values import coerce

COMPARE = "compare"
_COMPARED = Param(
    c.enum("比较", Compare),
    options=lambda _: [("", "不比较"), *((one.name, one.label) for one in Compare)],
)
_MAX = 100
_KEYS = ("code", "number")  # people write these in place of a choice


class ParamForm:
    """What one request asks of a report."""

    def __init__(self, ctx: Ctx, report: Report, given: Mapping[str, str], asked: Asked) -> None:
        """`given` are the arguments of the address, and the record that the address itself names."""
        self.ctx, self.report, self.asked, self.given = ctx, report, asked, given
        self._titles = Titles(ctx.session)
        self._params = {**report.params, **({COMPARE: _COMPARED} if report.compared else {})}

    def read(self) -> None:
        """Give the report its typed values. Raises FieldErrors, and NotFound for what it is about."""
        wrong: dict[str, list[str]] = {}
        for name, param in self._params.items():
            try:
                self.asked.values[name] = self._value(name, param)
            except ValueError as error:
                if name == self.report.about:
                    raise NotFound(f"没有这个{param.label}") from None
                wrong[name] = [str(error)]
        for name, param in self._params.items():
            if param.not_after and not wrong and self._is_after(name, param.not_after):
                than = "晚于" if param.is_time or param.facts.kind == "date" else "大于"
                wrong[name] = [f"{param.label}不能{than}{self._params[param.not_after].label}"]
        if wrong:
            raise FieldErrors(wrong)

    def _is_after(self, name: str, limit: str) -> bool:
        value, end = self.asked[name], self.asked[limit]
        return value is not None and end is not None and value > end

    def raw(self, name: str) -> str:
        """What was typed, without what no text may hold."""
        return visible(self.given.get(name, "")).strip()[:_MAX]

    def _value(self, name: str, param: Param) -> Any:
        raw, kind = self.raw(name), param.facts.kind
        if not raw and name == self.report.about:
            raise ValueError(param.missing)
        if not raw:
            return param.default(self.asked)
        if kind == "reference":
            return self._record(param, raw)
        if param.options and kind != "bool" and raw not in dict(param.options(self.asked)):
            raise ValueError(param.missing)
        return coerce(param.facts, raw)

    def _record(self, param: Param, raw: str) -> Entity:
        """A record by its id, or by its code; never one that the reader may not read."""
        model = entity_of(param.facts.target)
        query = scoped(select(model), model, self.ctx.actor)
        known = columns_of(model)
        ways: list[tuple[Column[Any], str | int | None]] = [(known["id"], valid_id(raw))]
        ways += [(known[name], raw) for name in _KEYS if model.spec.key == (name,)]
        for column, value in ways:
            found = self.ctx.session.scalars(query.where(column == value)).one_or_none()
            if found is not None:
                return found
        raise ValueError(f"所选{param.label}不存在，或不在您的数据范围内")

    # ------------------------------------------------------------------------------------------------ what is shown
    def fields(self, error: BusinessError | None) -> list[Field]:
        """The controls, each with what was typed or is proposed, and what is wrong with it."""
        errors = error.field_errors if error else None
        return [self._field(name, param, errors) for name, param in self._chosen()]

    def _chosen(self) -> list[tuple[str, Param]]:
        """All parameters but what the report is about, which its address names."""
        return [pair for pair in self._params.items() if pair[0] != self.report.about]

    def _field(self, name: str, param: Param, errors: Mapping[str, Sequence[str]] | None) -> Field:
        raw = self.raw(name)
        kind, value = param.facts.kind, self.asked[name]
        facts: dict[str, Any] = {"errors": errors, "help": param.facts.help}
        if kind == "reference":
            text, shown = (
                (str(value.id), self._titles.of(value)) if value is not None else (raw, "")
            )
            url = f"{self.report.url}/lookup?field={name}"
            return widgets.lookup(name, param.label, url, text, shown, **facts)
        proposed = self.asked.values.get(name, param.default(self.asked))
        text = raw or typed_text(param.facts, proposed)
        if kind == "bool":
            text = {"true": "1", "false": ""}.get(text, text)
        if kind == "date":
            return widgets.day(name, param.label, text, **facts)
        options = self.options(param)
        if options is None:
            return widgets.text(name, param.label, text, **facts)
        if text not in dict(options):
            options = [*options, (text, text)]
        return widgets.choice(name, param.label, options, text, **facts)

    def options(self, param: Param) -> list[tuple[str, str]] | None:
        """What a parameter offers; None where it is typed."""
        if param.options is not None:
            return list(param.options(self.asked))
        if param.facts.kind in {"enum", "dictionary"}:
            return [("", "全部"), *filters.options(self.ctx, param.facts)]
        return None

    def changed(self) -> str:
        """The parameters that are not as proposed, as an address carries them: a choice that follows the calendar."""
        typed = {}
        for name, param in self._params.items():
            raw = self.raw(name)
            default = typed_text(param.facts, param.default(self.asked))
            if raw and raw != default and self.asked[name] != param.default(self.asked):
                typed[name] = raw
        return urlencode(typed)

    def words(self) -> list[tuple[str, str]]:
        """The parameters as paper and files note them: label and choice; what was left empty is not told."""
        found = []
        for name, param in self._chosen():
            value = self.asked[name]
            if value is None:
                continue
            if param.facts.kind == "reference":
                text = self._titles.of(value)
            else:
                code = typed_text(param.facts, value)
                code = {"true": "1", "false": ""}.get(code, code)
                text = dict(self.options(param) or []).get(code) or format_value(value, "text")
            found.append((param.label, text))
        return found


def candidates(ctx: Ctx, report: Report, name: str, text: str) -> dict[str, Any]:
    """What may be chosen for a parameter, within the reader's rights and scope. Raises NotFound."""
    param = report.params.get(name)
    target = param.facts.target if param else None
    if not target:
        raise NotFound("没有这个字段")
    model = entity_of(target)
    lookup.require_offered(ctx, model)
    text = visible(text).strip()[: lookup.MAX_TEXT]
    order = lookup.by_code(model.code, text) if model.spec.key == ("code",) else ()
    return lookup.candidates(ctx, model, text, order=order)
