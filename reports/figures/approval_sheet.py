"""What the printed 审批单 says of an approval: business, facts as submitted, each decision with its time (A6)."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.approval.approval import (
    ApprovalInstance,
    ApprovalNode,
    ApprovalTask,
    NodeChooser,
    TaskState,
)
from models.approval.copies import ApprovalCopy
from models.base.actor import Actor
from models.base.entity import entity_of
from models.base.fields import FieldFacts
from models.base.moments import SHANGHAI
from models.base.money import format_money
from models.system.organization import Company
from reports.figures import dictionaries
from reports.figures.custom_fields import fields_seen

_SILENT: Final = (TaskState.PENDING, TaskState.CANCELLED, TaskState.WITHDRAWN)


def sheet(session: Session, instance: ApprovalInstance) -> dict[str, Any]:
    """The data of template approval_sheet for one approval."""
    company = session.scalars(select(Company).order_by(Company.id).limit(1)).first()
    decided = [task for task in instance.tasks if task.state not in _SILENT]
    told = select(ApprovalCopy).where(ApprovalCopy.instance_id == instance.id)
    return {
        "company": {"name": company.full_name if company else ""},
        "approval": {
            "business_type": instance.business_type.label,
            "subject": instance.title,
            "applicant": instance.applicant.name,
            "department": instance.department.name if instance.department else "",
            "submitted_at": _local(instance.submitted_at),
            "finished_at": _local(instance.finished_at),
            "status": instance.state.label,
            "flow": f"{instance.flow.name}（第 {instance.flow.version_no} 版）",
        },
        "fields": _fields(session, instance),
        "nodes": [
            _line(session, task)
            for task in sorted(decided, key=lambda task: (task.decided_at, task.id))
        ],
        "copies": [
            {
                "name": one.employee.name,
                "sent_at": _local(one.sent_at),
                "read_at": _local(one.read_at),
            }
            for one in session.scalars(told.order_by(ApprovalCopy.id))
        ],
    }


def _line(session: Session, task: ApprovalTask) -> dict[str, Any]:
    person = "系统" if task.decided_by is None else task.decided_by.name
    return {
        "name": task.node.name,
        "position": _position(task.node),
        "approver": person,
        "on_behalf_of": task.on_behalf_of.name if task.on_behalf_of else None,
        "action": task.state.label,
        "opinion": task.opinion or "",
        "at": _local(task.decided_at),
        "filled": [
            f"{label}：{now}" + (f"（原 {before}）" if before else "")
            for label, before, now in filled_words(session, task, None)
        ],
        "signature": task.signature.sha256 if task.signature else None,
    }


def filled_words(
    session: Session, task: ApprovalTask, reader: Actor | None
) -> list[tuple[str, str, str]]:
    """What was filled in with a decision, in words: label, what stood there before where it differs, and now.

    Fields for some roles alone are told to a reader of these; on paper, which anybody may be handed, they are not.
    """
    known = fields_seen(session, entity_of(task.instance.table_name), reader)
    found = []
    for name, (before, now) in (task.filled or {}).items():
        if (facts := known.get(name)) is None:
            continue
        old, new = (
            "—" if one in (None, "") else words_of(session, facts, one) for one in (before, now)
        )
        if facts.kind == "int" and facts.unit:
            old, new = (f"{one} {facts.unit}" for one in (old, new))
        found.append((facts.label, old if before != now else "", new))
    return found


def _position(node: ApprovalNode) -> str:
    if node.chooser is NodeChooser.MANAGER:
        return "部门负责人"
    return (node.position.label if node.position else node.role_name) or ""


def _local(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _fields(session: Session, instance: ApprovalInstance) -> list[dict[str, str]]:
    """The listed columns of the record, and those of `on_sheet`, as they were at submission, in words."""
    found = (
        []
        if instance.amount is None
        else [{"label": "审批金额（元）", "value": format_money(instance.amount)}]
    )
    model = entity_of(instance.table_name)
    known = fields_seen(session, model, None)
    frozen: dict[str, Any] = instance.facts.get("record", {})
    added = (name for name, facts in known.items() if facts.is_listed)
    for name in dict.fromkeys((*model.spec.listed, *model.spec.on_sheet, *added)):
        value = frozen.get(name)
        if name in known and value not in (None, "", instance.title):
            words = words_of(session, known[name], value)
            if words:
                found.append({"label": known[name].label, "value": words})
    return found


def words_of(session: Session, facts: FieldFacts, value: Any) -> str:
    """A frozen value as people read it; '' for what is not for reading (references, structures)."""
    kind = facts.kind
    if facts.choices is not None:
        return str(facts.choices[value].value)
    if kind == "dictionary":
        return dictionaries.label(session, facts.dictionary, value)
    if kind == "money":
        return f"{format_money(Decimal(value))} 元"
    if kind == "rate":
        return f"{Decimal(value).normalize():f}{facts.unit}"
    if kind == "bool":
        return "是" if value else "否"
    return str(value) if kind in ("text", "long_text", "int", "date") else ""
