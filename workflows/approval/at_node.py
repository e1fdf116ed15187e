"""What comes with a decision besides the opinion: fields filled in at a node (A10), a signature by hand (A11)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from models.approval.approval import (
    ApprovalInstance,
    ApprovalTask,
    SignatureRule,
    TaskOrigin,
    TaskState,
)
from models.base.actor import ScopeLevel
from models.base.entity import Decides, Entity
from models.base.errors import BusinessError, FieldErrors, StaleRecord
from models.base.fields import FieldFacts
from models.base.plain import plain
from reports.figures import node_fields
from reports.figures.approval_sheet import words_of
from reports.figures.custom_fields import fields_now, fields_seen
from workflows.approval import signatures, steps
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.values import coerce


@dataclass(frozen=True)
class Given:
    """Values of fields of the record by name, as they were typed, and the picture of a signature.

    `shown` marks what stood in the fields when who decides looked at them (`stands`).
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    signature: bytes = b""
    shown: Mapping[str, str] = field(default_factory=dict)


NOTHING: Final = Given()
_SIGNED = (TaskState.APPROVED, TaskState.REJECTED)


def take(
    ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask, outcome: TaskState, given: Given
) -> dict[str, Any]:
    """Check what the node asks for and write it; the columns of the task that keep it.

    Who agrees fills in; who refuses or returns changes nothing of the record. Raises FieldErrors, BusinessError.
    """
    found: dict[str, Any] = {}
    if outcome is TaskState.APPROVED and task.origin is not TaskOrigin.ADDED:
        found["filled"] = _fill_in(ctx, instance, task, given)
    if outcome in _SIGNED:
        found["signature_id"] = _sign(ctx, instance, task, given.signature)
    return found


def is_asked(task: ApprovalTask) -> bool:
    """Whether who holds the task fills in what its node asks for: an added signer only consents, others advise."""
    return task.origin not in (TaskOrigin.ADDED, TaskOrigin.ENTRUST)


def is_plain(task: ApprovalTask) -> bool:
    """Whether an opinion is all that the node demands, so that many are decided at once."""
    is_signed = task.node.signature is SignatureRule.REQUIRED
    return not is_signed and not (is_asked(task) and node_fields.asks_more(task.node))


def _fill_in(
    ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask, given: Given
) -> dict[str, list[Any]]:
    node, values = task.node, given.values
    if not (node.filled_fields or node.required_fields or node.required_files):
        if values:
            raise FieldErrors({name: ["本节点不填写这个字段"] for name in values})
        return {}
    asked = node_fields.asked(ctx.session, instance, node)
    if asked.missing:
        words = "、".join(label for _, label in asked.missing)
        raise BusinessError(f"同意前请上传：{words}", field=f"file_{asked.missing[0][0]}")
    record = steps.record_of(ctx, instance)
    ctx.session.refresh(record)  # read before the approval was locked, perhaps
    facts = fields_now(ctx.session, type(record))
    seen = fields_seen(ctx.session, type(record), ctx.actor)
    if unseen := [
        facts[name].label for name in asked.filled if name in asked.required and name not in seen
    ]:
        words = "、".join(unseen)
        raise BusinessError(f"本节点须填写{words}，您无权查看；请转办，或联系系统管理员调整")
    names = [name for name in asked.filled if name in seen]
    if strange := [name for name in values if name not in names]:
        raise FieldErrors({name: ["本节点不填写这个字段"] for name in strange})
    must = {
        name: replace(facts[name], required=name in asked.required or facts[name].required)
        for name in names
    }
    if left := [name for name in names if name in asked.required and name not in values]:
        said = {name: [f"本节点须由审批人填写{facts[name].label}，请逐项办理"] for name in left}
        raise FieldErrors(said)
    _refuse_stale(ctx, record, given)
    _refuse_more(ctx, instance, record, values)
    return records.fill_in(_by_rule(ctx), ctx, record, must, values)


def stands(facts: FieldFacts, record: Entity) -> str:
    """A mark of what stands in a field, to be compared with what stood there on the page of the decision."""
    return sha256(str(plain(facts.get(record))).encode()).hexdigest()[:16]


def _refuse_stale(ctx: Ctx, record: Entity, given: Given) -> None:
    """What somebody else has filled in meanwhile is not undone by who has not seen it."""
    facts = fields_now(ctx.session, type(record))
    changes = []
    for name in given.values:
        if given.shown.get(name, now := stands(facts[name], record)) != now:
            value = plain(facts[name].get(record))
            words = "空" if value in (None, "") else words_of(ctx.session, facts[name], value)
            changes.append(f"{facts[name].label}已改为 {words}")
    if changes:
        raise StaleRecord(f"您打开页面后，{'，'.join(changes)}；请核对后再办理")


def _refuse_more(
    ctx: Ctx, instance: ApprovalInstance, record: Entity, values: Mapping[str, Any]
) -> None:
    """An amount, a term may be less than was asked for, never more: of what stood there at submission."""
    said = record.spec.approvals.get(instance.business_type.code, Decides())
    facts, frozen = fields_now(ctx.session, type(record)), instance.facts.get("record", {})
    errors: dict[str, list[str]] = {}
    for name in said.lowered:
        asked_for = frozen.get(name)
        if name not in values or asked_for is None:
            continue
        try:
            now, most = (coerce(facts[name], one) for one in (values[name], asked_for))
        except ValueError:
            continue  # said at the field when it is filled in
        if now is not None and now > most:
            words = words_of(ctx.session, facts[name], plain(most))
            errors[name] = [f"{facts[name].label}不能超过提交时的 {words}"]
    if errors:
        raise FieldErrors(errors)


def _by_rule(ctx: Ctx) -> Ctx:
    """The checks of the record ask who may write it: the flow has said so."""
    return replace(ctx, actor=replace(ctx.actor, is_system=True, scope=ScopeLevel.ALL))


def _sign(ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask, picture: bytes) -> int | None:
    rule = task.node.signature
    if not picture:
        if rule is SignatureRule.REQUIRED:
            raise BusinessError("本节点须手写签名，请打开该审批签名后再办理", field="signature")
        return None
    if rule is SignatureRule.NONE:
        raise BusinessError("本节点不需要手写签名", field="signature")
    return signatures.keep(ctx, instance, picture).id
