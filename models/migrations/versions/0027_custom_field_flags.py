"""For whom a custom field is, and where it stands.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
_NAMES = ("is_listed", "is_exported", "visible_to", "editable_by")


def upgrade() -> None:
    """Apply."""
    for name, given in (("is_listed", sa.false()), ("is_exported", sa.true())):
        column = sa.Column(name, sa.Boolean(), nullable=False, server_default=given)
        op.add_column("custom_field", column)
    for name in ("visible_to", "editable_by"):
        op.add_column("custom_field", sa.Column(name, sa.String(length=200), nullable=True))


def downgrade() -> None:
    """Undo."""
    for name in _NAMES:
        op.execute(f"ALTER TABLE custom_field DROP COLUMN {name}")
