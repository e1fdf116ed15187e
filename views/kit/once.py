"""Once (X17): the key that each form carries, and the first answer for whoever sends it again."""

import hashlib
import hmac
import io
import json
import re
import secrets
import time
from functools import cache
from typing import Any, cast

from flask import Response, current_app, flash, g, jsonify, make_response, redirect, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from models.base.actor import Actor
from models.base.entity import Entity, entities, entity_of
from models.base.errors import BusinessError, Conflict
from reports.base.scope import may_read
from workflows.base import once
from workflows.base.context import Ctx

FIELD, HEADER = "form_key", "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{8,64}")
_BODY_MAX = 20_000
# A record in an address: table and id, perhaps with a word between, as in /fee/show/7, /comment/fee/7, /do/fee/7/book.
_PLACE = re.compile(r"/(?=([a-z_]+)/(?:([a-z_-]+)/)?([0-9]{1,9})(?:[/?#]|$))")
_DELETION = re.compile(r"/delete(/|$)")
_WAIT_SECONDS, _LOOKS = 0.1, 30
DONE = "这次提交此前已经保存，没有重复办理。请在列表或记录页中查看结果。"


def key_input() -> Markup:
    """The hidden key of a form; a form that is shown again after a refusal keeps the one it was sent with."""
    sent = (
        request.form.get(FIELD, "") if request.method == "POST" and not g.get("once_spent") else ""
    )
    key = sent if _KEY.fullmatch(sent) else secrets.token_urlsafe(18)
    return Markup('<input type="hidden" name="form_key" value="%s">') % key


def claim(ctx: Ctx) -> None:
    """Claim the key of this request, if it has one, in the transaction that its work is done in."""
    asked = _asked(ctx)
    if asked is None or g.get("once_place"):
        return
    try:
        once.claim(ctx, *asked)
    except Conflict:
        g.once_spent = True
        raise


def carried_out(ctx: Ctx) -> None:
    """The work of this request is saved: its key is used up, and its answer will be kept."""
    asked = _asked(ctx)
    if asked is not None:
        g.once_place, g.once_spent = asked[0], True
        g.once_rights = _rights(ctx.actor)


def about(record: Entity) -> None:
    """The answer of this request names a record that neither its address nor where it leads to says."""
    g.once_about = (record.__tablename__, record.id)


def never_keep() -> None:
    """The answer of this request is for no second look; whoever sends it again asks anew."""
    g.once_never = True


def answered(ctx: Ctx) -> str:
    """Where the first answer to this very submission is found; '' where it comes for the first time."""
    asked = _asked(ctx)
    return (
        asked[0] if asked is not None and once.content_of(ctx.session, asked[0]) == asked[1] else ""
    )


def first_answer(ctx: Ctx, place: str) -> ResponseReturnValue:
    """What was answered the first time; the first request may still be at it, in another process.

    Raises Conflict where the asker has other rights by now, or may no longer read a record that the answer is about.
    """
    for _ in range(_LOOKS):
        kept = once.answer_of(ctx.session, place)
        ctx.session.rollback()  # the next look must see what others have saved meanwhile
        if kept:
            if not _may_still_read(ctx, kept):
                break
            return _again(kept)
        time.sleep(_WAIT_SECONDS)
    raise Conflict(DONE)


def _may_still_read(ctx: Ctx, kept: dict[str, Any]) -> bool:
    """Whether the asker may be told now what was told then: with the rights of then, records that are still open."""
    if kept.get("rights") != _rights(ctx.actor):
        return False
    is_deletion = request.method == "DELETE" or _DELETION.search(request.path) is not None
    for table, key in kept["about"]:
        record = ctx.session.get(entity_of(table), key)
        # What a deletion has taken away nobody can have been kept from since.
        if not is_deletion if record is None else not may_read(ctx.session, ctx.actor, record):
            return False
    return True


def _rights(actor: Actor) -> str:
    """A digest of all that decides what somebody reads, beside the rows themselves."""
    facts = (*actor.reach, sorted(actor.permissions), sorted(actor.narrower))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _about(*addresses: str) -> list[tuple[str, int]]:
    """Table and id of each record that addresses name, and of one that the request named itself."""
    named: set[tuple[str, int]] = {g.once_about} if "once_about" in g else set()
    for found in (found for address in addresses for found in _PLACE.finditer(address)):
        table = found[2] if found[2] in _tables() else found[1]
        named |= {(table, int(found[3]))} if table in _tables() else set()
    return sorted(named)


@cache
def _tables() -> frozenset[str]:
    return frozenset(str(model.__tablename__) for model in entities())


def to_keep(response: Response) -> tuple[str, dict[str, Any]] | None:
    """After a request that used its key up: where its answer is kept, and which."""
    place = g.pop("once_place", None)
    return (place, _kept(response)) if place else None


def _asked(ctx: Ctx) -> tuple[str, str] | None:
    """(place, content) digests of a submission with a key; None for one without. Raises BusinessError for a bad key."""
    if request.method not in {"POST", "PUT", "DELETE"}:
        return None
    key = request.headers.get(HEADER) or request.form.get(FIELD)
    if not key:
        return None
    if not _KEY.fullmatch(key):
        raise BusinessError(f"{HEADER} 应为 8 至 64 个可见的英文字符")
    found = g.get("once_asked")
    if found is None:
        place = f"{ctx.actor.user_id}\n{request.method}\n{request.full_path}\n{key}"
        found = g.once_asked = (hashlib.sha256(place.encode()).hexdigest(), _content())
    return found[0], found[1]


def _content() -> str:
    """A digest of what was sent, the tokens of the page aside; keyed, for there are passwords among it."""
    digest = hmac.new(str(current_app.secret_key).encode(), digestmod="sha256")
    fields = [(k, v) for k, v in request.form.items(multi=True) if k not in {FIELD, "csrf_token"}]
    digest.update(json.dumps(fields).encode())
    for name, sent in request.files.items(multi=True):
        digest.update(json.dumps([name, sent.filename]).encode())
        digest.update(hashlib.file_digest(cast(io.BytesIO, sent.stream), "sha256").digest())
        sent.stream.seek(0)
    if not request.form and not request.files:
        digest.update(request.get_data(cache=True))
    return digest.hexdigest()


def _kept(response: Response) -> dict[str, Any]:
    if g.get("once_never"):
        return {}
    if (
        response.is_json
        and response.status_code < 400
        and len(body := response.get_data(as_text=True)) <= _BODY_MAX
    ):
        key = told.get("id") if isinstance(told := response.get_json(), dict) else None
        return _answer(response, f"{request.path.rstrip('/')}/{key}", body=body)
    if 300 <= response.status_code < 400:
        notices = [list(notice) for notice in cookie.get("_flashes", ())]
        return _answer(response, location=response.headers["Location"], notices=notices)
    return {}


def _answer(response: Response, made: str = "", **told: Any) -> dict[str, Any]:
    places = _about(request.path, made, told.get("location", ""))
    return {"status": response.status_code, "rights": g.once_rights, "about": places, **told}


def _again(kept: dict[str, Any]) -> ResponseReturnValue:
    if "location" in kept:
        for category, message in kept["notices"]:
            flash(message, category)
        return redirect(kept["location"], kept["status"])
    if not kept["body"]:
        return jsonify({}), kept["status"]
    return make_response(kept["body"], kept["status"], {"Content-Type": "application/json"})
