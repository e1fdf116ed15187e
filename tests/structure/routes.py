"""What the structure tests know about the routes: which are open, and how to fill their places."""

import inspect
from collections.abc import Callable, Iterator

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from models.base.entity import Entity, entities

# Open to everybody: files of the shell, and signing in or out.
PUBLIC = {
    "static",
    "appbuilder.static",
    "SignInView.login",
    "SignInView.logout",
    "SecurityApi.login",
    "SecurityApi.refresh",
    "LocaleView.index",
    "UtilView.back",
}
# Open to everybody who is signed in: they show a person's own things, or check the record that they name.
SIGNED_IN = {
    "HomeView.index",
    "PasswordView.form",
    "SearchView.search",
    "DescriptionApi.get",
    "ApprovalsView.list",
    "ApprovalsView.show",
    "ApprovalsView.instance",
    "ApprovalsView.decide",
    "ApprovalsView.transfer",
    "ApprovalsView.add_signer",
    "ApprovalsView.entrust",
    "ApprovalsView.take_back",
    "ApprovalsView.bulk",  # each ticked task is asked for by itself
    "ApprovalsView.end",
    "AttachmentView.delete",
    "ApprovalsView.colleagues",
    "ApprovalsView.urge",
    "ApprovalsView.withdraw",
    "ApprovalsView.copy",  # whoever submitted it, is asked or has decided
    "ApprovalsView.read",  # what was copied to oneself
    "ApprovalsView.read_many",
    "ApprovalsView.signature",  # whoever reads the approval
    "DesktopView.choose",
    "DesktopView.arrange",
    "DesktopView.module",
    "DesktopView.card",
    "EmployeeView.hand_over",  # asks for either of two permissions, and both row by row
    "SettingsView.page",
    "DraftsView.page",
    "DraftsView.keep",
    "DraftsView.drop",
    "DownloadsView.page",  # a person's own files; each asks for the right on its list
    "DownloadsView.state",
    "DownloadsView.file",
    "DownloadsView.cancel",
    "DownloadsView.again",
    "ImportsView.page",  # a person's own files; each asks for the right to import on its list
    "ImportsView.task",
    "ImportsView.columns",
    "ImportsView.words",
    "ImportsView.mode",
    "ImportsView.choose",
    "ImportsView.confirm",
    "ImportsView.good",
    "ImportsView.cancel",
    "ImportsView.wrong",
    "ImportsView.state",
    "MyReportsView.page",  # names the reports that the reader may open
    "SettingsView.theme",
    "SettingsView.end_session",
    "SettingsView.columns",
    "SettingsView.order",  # asks for the right on the list
    "ViewsView.page",  # a person's own views and those shared with it; each asks for the right on its list
    "ViewsView.open",
    "ViewsView.change",
    "ViewsView.copy",
    "ViewsView.drop",
    "ViewsView.pin",
    "ViewsView.unpin",
    "ViewsView.default",
    "AttachmentView.classify",
}


def rules(app: Flask, method: str) -> list[Rule]:
    """Rules that answer to a method, in the order of their addresses."""
    return sorted(
        (r for r in app.url_map.iter_rules() if method in (r.methods or ())), key=lambda r: r.rule
    )


def function_of(app: Flask, rule: Rule) -> str:
    """What answers a rule: routes that are generated for every table share their functions."""
    function = inspect.unwrap(app.view_functions[rule.endpoint])
    function = getattr(function, "__func__", function)
    return f"{function.__module__}.{function.__qualname__}"


def by_function(app: Flask, method: str) -> dict[str, list[Rule]]:
    """The rules that answer to a method, by what answers them."""
    found: dict[str, list[Rule]] = {}
    for rule in rules(app, method):
        found.setdefault(function_of(app, rule), []).append(rule)
    return found


def representatives(app: Flask, method: str, todays: Callable[..., list[str]]) -> list[Rule]:
    """Every route that is written by hand, and of those that share a function some of today."""
    found: list[Rule] = []
    for of in by_function(app, method).values():
        known = {rule.rule: rule for rule in of}
        found += [known[name] for name in todays(known, 3)]
    return found


def table_of(rule: Rule) -> str:
    """The table whose screens or REST a rule belongs to; '' where there is none."""
    parts = rule.rule.removeprefix("/api/v1").split("/")
    known = {m.__tablename__ for m in entities()}
    return parts[1] if len(parts) > 1 and parts[1] in known else ""


def address(rule: Rule, values: dict[str, str]) -> str:
    """The rule's address with its places filled."""
    path = rule.rule
    for name in rule.arguments:
        for place in (f"<{name}>", f"<path:{name}>", f"<string:{name}>", f"<int:{name}>"):
            path = path.replace(place, values.get(name, "1"))
    return path


def records(session: Session) -> Iterator[tuple[type[Entity], int]]:
    """One record of every entity that has a screen and rows."""
    for model in entities():
        found = (
            session.scalar(select(model.id).order_by(model.id.desc()))
            if model.spec.kind.has_screen
            else None
        )
        if found is not None:
            yield model, found
