"""Custom fields that are worked out, and such as are asked for under conditions.

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None
_NAMES = ("formula", "visible_if", "required_if")


def upgrade() -> None:
    """Apply."""
    for name in _NAMES:
        op.add_column("custom_field", sa.Column(name, sa.Text(), nullable=True))


def downgrade() -> None:
    """Undo."""
    for name in _NAMES:
        op.execute(f"ALTER TABLE custom_field DROP COLUMN {name}")
