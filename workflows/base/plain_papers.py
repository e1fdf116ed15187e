"""Papers that print personal data in full (X9): which ones, who may open them, and the line that each look leaves."""

import html
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import select

from models.base.entity import Entity, entity_of
from models.base.errors import NotAllowed
from models.base.masks import Plain, mask
from models.system.organization import Employee
from models.system.records import IssuedDocument
from reports.base.scope import may_act, was_asked
from workflows.base import audit
from workflows.base.context import Ctx

Task = Callable[[Ctx, IssuedDocument], bool]
_BETWEEN: Final = ","
_TASKS: list[Task] = []


def task(condition: Task) -> Task:
    """Register a kind of work for which a document must be read: whoever has it needs no right to open it."""
    _TASKS.append(condition)
    return condition


def owners_of_plain_text(data: Mapping[str, Any], body: str) -> str:
    """The tables whose masked columns a rendered text prints, as `masked_of` keeps them; '' for none."""
    text = html.unescape(body)
    return _BETWEEN.join(
        sorted({part.table for part in _plain_parts(data) if part and part in text})
    )


def masked(value: Any) -> Any:
    """The same data with personal data as screens show them."""
    if isinstance(value, Plain):
        return mask(value, value.how) if value else ""
    if isinstance(value, Mapping):
        return {key: masked(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [masked(part) for part in value]
    return value


def _plain_parts(value: Any) -> Iterator[Plain]:
    if isinstance(value, Plain):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _plain_parts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _plain_parts(part)


def why_closed(ctx: Ctx, document: IssuedDocument) -> str:
    """Why the actor may not open a document that prints personal data, and who can help; '' where it opens."""
    if not document.masked_of or _may_reveal(ctx, document) or _has_task(ctx, document):
        return ""
    people = select(Employee.name).where(
        Employee.id.in_(_people(ctx, document)), Employee.is_active
    )
    names = "、".join(ctx.session.scalars(people.order_by(Employee.number)))
    helps = f"可联系承办人或出具人 {names}" if names else "如需办理请联系系统管理员"
    return (
        f"文书“{document.number}”印有客户的证件号码、电话、住址等个人信息，"
        f"有“查看原值”权限的人员、承办人员和正在审批的人员才能打开，{helps}"
    )


def require_open(ctx: Ctx, document: IssuedDocument) -> None:
    """Raise NotAllowed, naming who can help, unless the actor may see what the document prints."""
    if why := why_closed(ctx, document):
        raise NotAllowed(why)


def log_opening(ctx: Ctx, document: IssuedDocument) -> None:
    """Note that somebody opened a document that prints personal data; others leave no line."""
    if document.masked_of:
        audit.log(
            ctx,
            document,
            "OPEN",
            note=f"打开含个人信息的文书：{document.title}（{document.number}）",
        )


def _may_reveal(ctx: Ctx, document: IssuedDocument) -> bool:
    tables = (document.masked_of or "").split(_BETWEEN)
    return all(
        ctx.actor.may("reveal", table)
        and may_act(ctx.session, ctx.actor, ("reveal", table), document)
        for table in tables
    )


def _has_task(ctx: Ctx, document: IssuedDocument) -> bool:
    return ctx.actor.employee_id in _people(ctx, document) or any(
        condition(ctx, document) for condition in _TASKS
    )


def _people(ctx: Ctx, document: IssuedDocument) -> set[int]:
    """Who issued it, and who holds what it was issued for: A角, B角, 风控 and 法务 of a project."""
    table, key = document.owner_table, document.owner_id
    if document.project_id is not None:
        table, key = "project", document.project_id
    holder: Entity | None = ctx.session.get(entity_of(table), key)
    while holder is not None and holder.spec.scope.through:
        holder = getattr(holder, holder.spec.scope.through)
    scope = holder.spec.scope if holder is not None else None
    held = (
        [getattr(holder, name) for name in (scope.owner, *scope.members) if name] if scope else []
    )
    return {person for person in (document.issued_by_id, *held) if person is not None}


@task
def _decides(ctx: Ctx, document: IssuedDocument) -> bool:
    """Whoever is asked to decide now, on what the document was issued for or on its project."""
    places = [(document.owner_table, document.owner_id), ("project", document.project_id)]
    about = [ctx.session.get(entity_of(table), key) for table, key in places if key is not None]
    return any(
        was_asked(ctx.session, ctx.actor, one, is_pending=True) for one in about if one is not None
    )
