"""which issued documents print masked columns in full: kept at issue, worked out here for what is issued already

Revision ID: 0004
Revises: 0003
Created: 2026-11-28
"""

import html
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from models.base.checks import check_value

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHUNK = 500
SHORTEST = 8  # digits of an account; without one the name of its holder stands alone
DOCUMENT = sa.table("issued_document", *map(sa.column, ("id", "data", "body", "masked_of")))


def upgrade() -> None:
    op.add_column("issued_document", sa.Column("masked_of", sa.String(length=200), nullable=True))
    connection, last = op.get_bind(), 0
    query = sa.select(DOCUMENT.c.id, sa.cast(DOCUMENT.c.data, sa.Text), DOCUMENT.c.body).order_by(DOCUMENT.c.id)
    while rows := connection.execute(query.where(DOCUMENT.c.id > last).limit(CHUNK)).all():
        for key, data, body in rows:
            text = html.unescape(body)
            tables = sorted({table for table, value in _plain(json.loads(data)) if value and value in text})
            if tables:
                change = sa.update(DOCUMENT).where(DOCUMENT.c.id == key).values(masked_of=",".join(tables))
                connection.execute(change)
        last = rows[-1].id


def _plain(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(table, value) of what the data took from masked columns, as the letters of that release filled them in."""
    for name in ("customer", "provider"):
        found = data.get(name)
        if not isinstance(found, dict):
            continue
        number = str(found.get("id_number") or "")
        is_person = not found.get("legal_person") and (len(number) != 18 or check_value("id_number", number) is None)
        table = "personal_customer" if is_person else "corporate_customer"
        parts = ("id_number", "phone", "address") if is_person else ("phone",)
        yield from ((table, str(found.get(part) or "")) for part in parts)
    for name, part in (("account", "number"), ("drawdown", "account")):
        found = data.get(name)
        place = str(found.get(part) or "") if isinstance(found, dict) else ""
        if sum(sign.isdigit() for sign in place) >= SHORTEST:
            yield "bank_account", place


def downgrade() -> None:
    op.drop_column("issued_document", "masked_of")
