"""What a node of a flow asks of who decides besides the opinion (A10): fields of the record, and files beside it.

Administrators write the names that people know; here they become fields of the record that the business is about.
"""

import re
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalInstance, ApprovalNode, SignatureRule
from models.base.entity import Decides, Entity, entities, entity_of
from models.base.fields import FieldFacts
from models.system.records import Attachment
from reports.figures import dictionaries
from reports.figures.custom_fields import defined, fields_now

# What the page of a decision sends of its own: no field of a record can have these names there.
TAKEN = frozenset(
    ("decision", "direct", "form_key", "csrf_token", "opinion", "return_to", "signature", "version")
)
_UNASKED = ("reference", "json", "datetime")
_UNSHOWN = ("json", "reference")


@dataclass(frozen=True)
class Asked:
    """What one node asks for: fields by name, the categories of files that must be there; `missing` of them are not."""

    shown: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    missing: tuple[tuple[str, str], ...] = ()


def names_in(text: str | None) -> list[str]:
    """The names in a list that people write."""
    parts = (one.strip() for one in re.split("[、,，;；\n]", text or ""))
    return list(dict.fromkeys(one for one in parts if one))


def asks_more(node: ApprovalNode) -> bool:
    """Whether nobody can agree at a node by an opinion alone."""
    is_signed = node.signature is SignatureRule.REQUIRED
    return is_signed or bool(node.required_fields or node.required_files)


def subject(code: str) -> type[Entity] | None:
    """What kind of record is put up under a business type; None where the product does not know it."""
    for model in entities():
        mine = {row.values["code"] for row in model.spec.seeds if row.table == "approval_type"}
        if code in model.spec.approvals or code in mine:
            return model
    return None


def offered(session: Session, model: type[Entity], code: str) -> dict[str, FieldFacts]:
    """The fields that who decides may be let fill in: what the record declares, and custom fields of it."""
    said = model.spec.approvals.get(code, Decides())
    known = fields_now(session, model)
    own = {name: known[name] for name in (*said.lowered, *said.free)}
    custom = {
        name: facts
        for name, facts in defined(session, model).items()
        if facts.is_filled_in and not facts.mask and facts.kind not in _UNASKED
    }
    return {name: facts for name, facts in (own | custom).items() if name not in TAKEN}


def showable(session: Session, model: type[Entity]) -> dict[str, FieldFacts]:
    """The fields that may stand over the opinion once more."""
    return {
        name: facts
        for name, facts in fields_now(session, model).items()
        if facts.label and not (facts.is_hidden or facts.mask) and facts.kind not in _UNSHOWN
    }


def asked(session: Session, instance: ApprovalInstance, node: ApprovalNode) -> Asked:
    """What a node asks for on the record of this approval; a field that is no longer there is not asked for."""
    model = entity_of(instance.table_name)
    may = offered(session, model, instance.business_type.code)
    filled, required = (_of(may, text) for text in (node.filled_fields, node.required_fields))
    return Asked(
        _of(showable(session, model), node.shown_fields),
        tuple(dict.fromkeys((*filled, *required))),
        frozenset(required),
        missing_files(session, instance, node),
    )


def _of(known: dict[str, FieldFacts], text: str | None) -> tuple[str, ...]:
    by_label = {facts.label: name for name, facts in reversed(known.items())}
    return tuple(by_label[one] for one in names_in(text) if one in by_label)


def missing_files(
    session: Session, instance: ApprovalInstance, node: ApprovalNode
) -> tuple[tuple[str, str], ...]:
    """(code, label) of the files that the node demands and that neither the record nor its project has."""
    wanted = names_in(node.required_files)
    if not wanted:
        return ()
    owner = Attachment.owner_table == instance.table_name, Attachment.owner_id == instance.record_id
    query = select(Attachment.category).where(*owner)
    if instance.project_id is not None:
        of_project = Attachment.owner_table == "project", Attachment.owner_id == instance.project_id
        here = or_(and_(*owner), and_(*of_project))
        query = select(Attachment.category).where(here)
    present = set(session.scalars(query))
    codes = {label: code for code, label in categories(session)}
    found = ((codes[one], one) for one in wanted if one in codes)
    return tuple((code, label) for code, label in found if code not in present)


def categories(session: Session) -> list[tuple[str, str]]:
    """The kinds of files that may be demanded."""
    return list(dictionaries.items(session, "document_category"))
