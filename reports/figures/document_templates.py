"""Which text a document has: that of the project's product where there is one, else the general one (10.3)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.system.records import DocumentTemplate


def template_for(
    session: Session, code: str, product_id: int | None = None
) -> DocumentTemplate | None:
    """The template in use of a document for a product; None where there is none."""
    general = select(DocumentTemplate).where(DocumentTemplate.code == code)
    if product_id is not None:
        key = select(DocumentTemplate.id).where(DocumentTemplate.code == code).scalar_subquery()
        own = select(DocumentTemplate).where(
            DocumentTemplate.general_id == key,
            DocumentTemplate.product_id == product_id,
            DocumentTemplate.is_active,
        )
        if (found := session.scalars(own).one_or_none()) is not None:
            return found
    return session.scalars(general.where(DocumentTemplate.is_active)).one_or_none()
