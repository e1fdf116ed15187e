"""What people have typed into forms and not saved is kept as their draft.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "form_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=500), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("employee_id", "place", name="uq_form_draft_employee_id"),
    )
    op.create_index(op.f("ix_form_draft_at"), "form_draft", ["at"])
    op.create_index(op.f("ix_form_draft_employee_id"), "form_draft", ["employee_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("form_draft")
