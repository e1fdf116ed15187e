"""Choices of a report that a person has kept by name are remembered with the account.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("operator", sa.Column("saved_reports", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Undo; nor does SQLite build the table anew for it, to which others refer."""
    op.execute("ALTER TABLE operator DROP COLUMN saved_reports")
