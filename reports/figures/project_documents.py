"""要件 of a project by its product: what is handed in, what is missing, in which part (10.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.guarantee.product import ProductDocument
from models.guarantee.project import Project, ProjectDocument
from models.system.records import Attachment
from reports.figures import dictionaries

HUNDRED = 100


@dataclass(frozen=True)
class Demand:
    """One document that the product names, and what it still lacks ('' where it is there)."""

    label: str
    is_required: bool
    lack: str

    @property
    def told(self) -> str:
        """The document and its lack in words."""
        return f"{self.label}（{self.lack}）" if self.lack and self.lack != MISSING else self.label


MISSING = "未上传"


def on_file(project: Project) -> ColumnElement[bool]:
    """Files of the project and of its customer."""
    on_project = (Attachment.owner_table == "project") & (Attachment.owner_id == project.id)
    on_customer = Attachment.owner_table.in_(
        ("customer", "personal_customer", "corporate_customer")
    ) & (Attachment.owner_id == project.customer_id)
    return on_project | on_customer


def demands(session: Session, project: Project, on: date) -> list[Demand]:
    """Every document that the product names, as it stands on a day."""
    query = select(ProductDocument).where(ProductDocument.product_id == project.product_id)
    wanted = session.scalars(query.order_by(ProductDocument.id)).all()
    if not wanted:
        return []
    files = set(session.scalars(select(Attachment.category).where(on_file(project))))
    noted = _noted(session, project)
    labels = dict(dictionaries.items(session, "document_category"))
    return [
        Demand(
            labels.get(one.category, one.category),
            one.is_required,
            MISSING if one.category not in files else _lack(one, noted.get(one.category), on),
        )
        for one in wanted
    ]


def _noted(session: Session, project: Project) -> dict[str, ProjectDocument]:
    query = select(ProjectDocument).where(ProjectDocument.project_id == project.id)
    return {one.category: one for one in session.scalars(query)}


def _lack(wanted: ProductDocument, noted: ProjectDocument | None, on: date) -> str:
    """What a document that is on file lacks of what the product asks beside the file."""
    if not wanted.is_noted:
        return ""
    if noted is None:
        return "未做要件登记"
    found = []
    if noted.copies < wanted.copies:
        found.append(f"需 {wanted.copies} 份，登记 {noted.copies} 份")
    if wanted.needs_original and not noted.is_original:
        found.append("未核对原件")
    if wanted.has_expiry and noted.valid_until is None:
        found.append("未登记有效期")
    elif wanted.has_expiry and noted.valid_until is not None and noted.valid_until < on:
        found.append(f"已于 {noted.valid_until} 过期")
    return "，".join(found)


def percent(found: Sequence[Demand]) -> int:
    """How many of the required documents are complete, in whole %; 100 where none is required."""
    required = [one for one in found if one.is_required]
    met = sum(not one.lack for one in required)
    return HUNDRED * met // len(required) if required else HUNDRED


def expired(session: Session, project: Project, on: date) -> list[str] | None:
    """Documents with a date that are out of date on a day; None where the product asks for no date."""
    query = select(ProductDocument).where(
        ProductDocument.product_id == project.product_id, ProductDocument.has_expiry
    )
    dated = session.scalars(query.order_by(ProductDocument.id)).all()
    if not dated:
        return None
    noted = _noted(session, project)
    labels = dict(dictionaries.items(session, "document_category"))
    found = []
    for one in dated:
        until = noted[one.category].valid_until if one.category in noted else None
        if until is not None and until < on:
            found.append(f"{labels.get(one.category, one.category)}已于 {until} 过期")
    return found
