"""The application class: its requests, its routes, and what it makes of an address."""

from collections.abc import Callable
from typing import Any

import flask
from werkzeug.exceptions import BadRequest
from werkzeug.routing import MapAdapter, Rule

from views.kit import intake


class LazyRule(Rule):
    """A rule whose `url_for` side is compiled at its first use; with a thousand of them it is most of a start."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = super()._compile_builder
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](rule, **values)

        return build


class Application(flask.Flask):
    """Flask with the requests and the routes of this product."""

    request_class = intake.Request
    url_rule_class = LazyRule

    def create_url_adapter(self, request: flask.Request | None) -> MapAdapter | None:
        """A host that cannot be one is the asker's mistake."""
        try:
            return super().create_url_adapter(request)
        except UnicodeError as error:
            raise BadRequest from error
