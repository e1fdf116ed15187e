"""Drafts of forms (X19) on the pages of forms: what was typed before, and the address that it belongs to.

The browser keeps what is typed every few seconds; the form goes on with it where its address says so, and the save of
the form takes it away in the same transaction.
"""

from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict

from models.base.moments import local
from views.kit.pages import Draft
from workflows.base.context import Ctx
from workflows.system import drafts

PARAM = "draft"


def place() -> str:
    """The address of the form that is asked for or sent, without the wish to go on with its draft."""
    asked = [(name, text) for name, text in request.args.items(multi=True) if name != PARAM]
    return f"{request.path}?{urlencode(asked)}" if asked else request.path


def typed(ctx: Ctx) -> "MultiDict[str, str] | None":
    """What was typed into this form before, where its address says so."""
    if request.args.get(PARAM) != "1":
        return None
    found = drafts.find(ctx, place())
    return None if found is None else MultiDict([(name, text) for name, text in found.fields])


def of_form(ctx: Ctx) -> Draft:
    """The draft of the form that is being drawn."""
    if request.method == "POST":
        return Draft(place(), is_open=request.form.get(PARAM) == "1")
    found = drafts.find(ctx, place())
    if found is None or request.args.get(PARAM) == "1":
        return Draft(place(), is_open=found is not None)
    return Draft(place(), kept_at=f"{local(found.at):%m-%d %H:%M}")


def saved(ctx: Ctx) -> None:
    """The form of this request is being saved: its draft goes, in the same transaction."""
    if request.form.get(PARAM) == "1":
        drafts.drop(ctx, place())
