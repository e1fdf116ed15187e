"""Candidates for references: searched, paged by 20, within the reader's data scope."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, false, select
from werkzeug.datastructures import MultiDict

from models.approval.approval import ApprovalInstance
from models.base.entity import Entity
from models.base.errors import NotFound
from models.base.fields import FieldFacts
from reports.base import search
from reports.base.scope import is_offered, scoped
from reports.figures import dictionaries
from views.kit import filters
from views.kit.cells import NONE, Cells
from views.kit.filter_values import value
from views.kit.interface import model_of, shape, valid_id
from workflows.base.context import Ctx

PAGE = 20
MAX_TEXT = 100
NOTES = 2
MAX_DEPTH = 2  # titles of titles, as screens write them
# What a wing keeps out of choices of its records, beside those that are out of use.
CHOSEN: dict[type[Entity], Callable[[], ColumnElement[bool]]] = {}


def answer(ctx: Ctx, model: type[Entity], args: "MultiDict[str, str]") -> dict[str, Any]:
    """{"result": [{"id", "text", "hint"}], "more": bool} for `field`, `q` and `page`. Raises NotFound."""
    key = shape(model).key(args.get("field", "")[:64])
    facts = shape(model).fields.get(key or "", FieldFacts())
    text = args.get("q", "").replace("\x00", "").strip()[:MAX_TEXT]
    page = min(valid_id(args.get("page", "1")) or 1, 500)
    if facts.dictionary:
        return _from_dictionary(ctx, facts.dictionary, text, page)
    target = model_of(facts.target)
    if target is None:
        raise NotFound("没有这个字段")
    require_offered(ctx, target)
    return candidates(ctx, target, text, page, *_own_papers(ctx, model, target, args))


def require_offered(ctx: Ctx, target: type[Entity]) -> None:
    """Settings and partners are chosen by whoever fills in a form; what tells of business, by who may look at it."""
    if not is_offered(ctx.actor, target):
        ctx.require("show", str(target.__tablename__), f"查看{target.spec.label}")


def _own_papers(
    ctx: Ctx, model: type[Entity], target: type[Entity], args: "MultiDict[str, str]"
) -> list[ColumnElement[bool]]:
    """A record refers to its own files and documents alone; `record` says which one it is."""
    if target.spec.scope.hangs_on is None or target is ApprovalInstance:
        return []
    key = valid_id(args.get("record", ""))
    if key is None:
        return [false()]
    table, owner = (getattr(target, name) for name in target.spec.scope.hangs_on)
    own = scoped(select(model.id).where(model.id == key), model, ctx.actor)
    return [table == model.__tablename__, owner.in_(own)]


def _from_dictionary(ctx: Ctx, code: str, text: str, page: int) -> dict[str, Any]:
    known = dictionaries.items(ctx.session, code)
    found = [
        (c, label)
        for c, label in known
        if text in label or c.startswith(text) or _is_short_for(text, label)
    ]
    shown = found[(page - 1) * PAGE : page * PAGE]
    return {
        "result": [{"id": c, "text": label, "hint": c} for c, label in shown],
        "more": len(found) > page * PAGE,
    }


def _is_short_for(text: str, label: str) -> bool:
    """njs is 南京市."""
    return text.isascii() and text.isalpha() and text.lower() in search.initials(label)


def by_code(code: Any, text: str) -> tuple[ColumnElement[Any], ...]:
    """An order for what people know by its code: those that begin as typed first, then by code."""
    begins = code.startswith(text, autoescape=True)
    return (case((begins, 0), else_=1), code) if text else (code,)


def candidates(
    ctx: Ctx,
    target: type[Entity],
    text: str,
    page: int = 1,
    *where: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]] = (),
) -> dict[str, Any]:
    """Records of a table that match a text, the newest first; a hand-written view may narrow or order them itself."""
    known = shape(target)
    query = scoped(select(target).where(*where), target, ctx.actor)
    if text:
        query = query.where(_matches(ctx, target, text))
    if "is_active" in known.fields:
        query = query.where(target.is_active)
    if target in CHOSEN:
        query = query.where(CHOSEN[target]())
    query = query.order_by(*order, target.id.desc()).offset((page - 1) * PAGE).limit(PAGE + 1)
    found = ctx.session.scalars(query).all()
    names = _note_names(target)
    cells = Cells(ctx, target)
    cells.prepare(found, [*names, target.spec.title])
    items = [
        {"id": r.id, "text": _title(cells, r), "hint": _note(cells, r, names)} for r in found[:PAGE]
    ]
    return {"result": items, "more": len(found) > PAGE}


def _matches(ctx: Ctx, target: type[Entity], text: str, depth: int = 0) -> ColumnElement[bool]:
    """What people see as the title contains the text; a number, an amount or a day is that very one."""
    if target.spec.searched:
        return search.condition(target, text, ctx.session)
    key = shape(target).key(target.spec.title)
    if key is None or depth > MAX_DEPTH:
        return false()
    facts = shape(target).fields[key]
    attribute = facts.sql(target)
    beyond = model_of(facts.target)
    if beyond is not None:
        return attribute.in_(select(beyond.id).where(_matches(ctx, beyond, text, depth + 1)))
    labels = filters.options(ctx, facts)
    if labels:
        return attribute.in_([value(ctx, facts, code) for code, label in labels if text in label])
    if facts.kind in {"text", "long_text"} and not facts.mask:
        return attribute.like(f"%{filters.escape_like(text)}%", escape="/")
    try:
        return attribute == value(ctx, facts, text)
    except (ValueError, ArithmeticError):
        return false()


def _note_names(target: type[Entity]) -> list[str]:
    known, spec = shape(target), target.spec
    usable = [
        n
        for n in spec.listed
        if known.key(n) not in {None, known.key(spec.title), spec.state or None}
    ]
    return [n for n in usable if not known.facts(n).mask and known.facts(n).kind != "bool"][:NOTES]


def _title(cells: Cells, record: Entity) -> str:
    facts = cells.shape.facts(record.spec.title)
    return cells.text(facts.name, facts.get(record)) if facts.target else str(record)


def _note(cells: Cells, record: Entity, names: list[str]) -> str:
    known = [cells.shape.facts(n) for n in names]
    texts = (cells.text(facts.name, facts.get(record)) for facts in known)
    return " · ".join(t for t in texts if t != NONE)
