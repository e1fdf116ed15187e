"""Filling in a form the way a person does: what the page shows already is sent along, what is typed replaces it."""

from html.parser import HTMLParser
from typing import Any


class _Fields(HTMLParser):
    """Names and values of the fields of the form that is posted."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.offered: dict[str, list[str]] = {}
        self._form = self._select = self._area = ""
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {key: value or "" for key, value in attrs}
        if tag == "form":
            self._form = facts.get("method", "get").lower()
        if self._form != "post":
            return
        name = facts.get("name", "")
        if tag == "input" and name and facts.get("type") not in {"file", "submit"}:
            if facts.get("type") not in {"checkbox", "radio"} or "checked" in facts:
                self.values.setdefault(name, []).append(facts.get("value", ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self.offered.setdefault(self._select, []).append(facts.get("value", ""))
            if "selected" in facts:
                self.values.setdefault(self._select, []).append(facts.get("value", ""))
        elif tag == "textarea":
            self._area, self._text = name, []

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = ""
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area:
            self.values[self._area] = ["".join(self._text).strip()]
            self._area = ""


def options(client: Any, path: str, name: str) -> list[str]:
    """What a select of a form offers, without 请选择."""
    return [value for value in _fields(client, path).offered.get(name, []) if value]


def selects(client: Any, path: str) -> list[str]:
    """The names of the selects of a form."""
    return list(_fields(client, path).offered)


def _fields(client: Any, path: str) -> _Fields:
    page = client.get(path)
    assert page.status_code == 200, page.get_data(as_text=True)
    fields = _Fields()
    fields.feed(page.get_data(as_text=True))
    return fields


def fill(client: Any, path: str, **typed: Any) -> Any:
    """Open a form, type into it and send it; the answer."""
    return client.post(path, data={**_fields(client, path).values, **typed})
