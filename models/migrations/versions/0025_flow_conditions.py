"""A flow may be chosen by a rule in words, beside its amounts, product, customer and department.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("approval_flow", sa.Column("condition", sa.Text(), nullable=True))


def downgrade() -> None:
    """Undo; nor does SQLite build the table anew for it, to which others refer."""
    op.execute("ALTER TABLE approval_flow DROP COLUMN condition")
