"""Users write warning rules of their own: what they are about and when they warn stands in the row.

Revision ID: 0049
Revises: 0048
Created: 2026-11-30 14:12:04.332646
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. An own rule has a condition in place of thresholds."""
    op.add_column("risk_warning", sa.Column("passed_on", sa.Date(), nullable=True))
    op.add_column("warning_rule", sa.Column("about", sa.String(length=64), nullable=True))
    op.add_column("warning_rule", sa.Column("condition", sa.Text(), nullable=True))
    op.add_column("warning_rule", sa.Column("problem", sa.String(length=200), nullable=True))
    with op.batch_alter_table("warning_rule", schema=None) as batch_op:
        batch_op.alter_column("days", existing_type=sa.String(60), nullable=True)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("warning_rule", schema=None) as batch_op:
        batch_op.alter_column("days", existing_type=sa.String(60), nullable=False)
    for name in ("problem", "condition", "about"):
        op.drop_column("warning_rule", name)
    op.drop_column("risk_warning", "passed_on")
