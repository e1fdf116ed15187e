"""One receipt over several fees: its number stands once a fee, and it says into which account the money came.

Revision ID: 0012
Revises: 0011
Created: 2026-11-28
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NAMES = {"uq": "%(table_name)s_%(column_0_name)s_key"}  # as PostgreSQL names what 0001 left without a name


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("receipt", naming_convention=_NAMES) as batch:
        batch.add_column(sa.Column("bank_account", sa.String(length=100), nullable=True))
        batch.drop_constraint("receipt_number_key", type_="unique")
        batch.create_unique_constraint("uq_receipt_line", ["number", "fee_id"])


def downgrade() -> None:
    """Undo; only while no receipt has several lines."""
    with op.batch_alter_table("receipt") as batch:
        batch.drop_constraint("uq_receipt_line", type_="unique")
        batch.create_unique_constraint("receipt_number_key", ["number"])
        batch.drop_column("bank_account")
