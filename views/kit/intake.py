"""Requests as the screens may take them: every text of an address, a form or a file's name is visible text."""

from collections.abc import Iterable
from typing import Any

import flask
from werkzeug.datastructures import FileStorage, ImmutableMultiDict

from models.base.text import visible


class _Fields(ImmutableMultiDict[str, Any]):
    """Arguments, fields or files, cleaned as they come in."""

    def __init__(self, mapping: Iterable[tuple[str, Any]] | None = None) -> None:
        """Werkzeug hands over pairs of name and value."""
        super().__init__([(visible(name), _cleaned(value)) for name, value in mapping or ()])


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, FileStorage) and value.filename:
        value.filename = visible(value.filename)
    return value


class Request(flask.Request):
    """The request class of the application."""

    parameter_storage_class = _Fields
