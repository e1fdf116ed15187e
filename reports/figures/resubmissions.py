"""What changed since a thing was put up before (A10): of what it said then and says now, as it was frozen each time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalInstance
from models.base.actor import Actor
from models.base.entity import entity_of
from models.base.fields import FieldFacts
from models.base.money import format_money
from reports.figures.approval_sheet import words_of
from reports.figures.custom_fields import fields_seen

_EMPTY = "—"


@dataclass(frozen=True)
class Change:
    """One field before and now, in words."""

    label: str
    before: str
    now: str


def earlier(session: Session, instance: ApprovalInstance) -> ApprovalInstance | None:
    """The last time that the same record was put up for the same business before this one."""
    query = select(ApprovalInstance).where(
        ApprovalInstance.table_name == instance.table_name,
        ApprovalInstance.record_id == instance.record_id,
        ApprovalInstance.business_type_id == instance.business_type_id,
        ApprovalInstance.id < instance.id,
    )
    return session.scalars(query.order_by(ApprovalInstance.id.desc()).limit(1)).first()


def changes(
    session: Session, actor: Actor, before: ApprovalInstance, now: ApprovalInstance
) -> list[Change]:
    """What this reader may see of the difference, in the order of the record's fields."""
    found = list(_fields(session, actor, before, now))
    if before.amount != now.amount:
        amounts = [_EMPTY if v is None else format_money(v) for v in (before.amount, now.amount)]
        found.insert(0, Change("审批金额（元）", *amounts))
    return found


def _fields(
    session: Session, actor: Actor, before: ApprovalInstance, now: ApprovalInstance
) -> Iterator[Change]:
    old: dict[str, Any] = before.facts.get("record", {})
    new: dict[str, Any] = now.facts.get("record", {})
    for name, facts in fields_seen(session, entity_of(now.table_name), actor).items():
        # states and what the system keeps tell of the way, not of the thing
        if old.get(name) == new.get(name) or not facts.is_filled_in:
            continue
        yield Change(facts.label, *(_words(session, facts, one.get(name)) for one in (old, new)))


def _words(session: Session, facts: FieldFacts, value: Any) -> str:
    if value in (None, ""):
        return _EMPTY
    if facts.kind == "reference" and facts.target:
        record = session.get(entity_of(facts.target), int(value))
        return str(record) if record is not None else _EMPTY
    return words_of(session, facts, value) or "（有变化）"
