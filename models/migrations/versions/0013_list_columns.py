"""Columns that a person has chosen for a list are remembered with the account.

Revision ID: 0013
Revises: 0012
Created: 2026-11-28
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("operator", sa.Column("list_columns", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Undo; nor does SQLite build the table anew for it, to which others refer."""
    op.execute("ALTER TABLE operator DROP COLUMN list_columns")
