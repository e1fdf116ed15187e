"""fields that administrators add to entities

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "custom_field",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("scale", sa.Integer(), nullable=False),
        sa.Column("dictionary_id", sa.Integer(), nullable=True),
        sa.Column("target", sa.String(length=64), nullable=True),
        sa.Column("unit", sa.String(length=16), nullable=True),
        sa.Column("mask", sa.String(length=32), nullable=True),
        sa.Column("group", sa.String(length=30), nullable=True),
        sa.Column("help", sa.String(length=200), nullable=True),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("is_filtered", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("scale BETWEEN 0 AND 6", name="ck_custom_field_scale"),
        sa.ForeignKeyConstraint(["dictionary_id"], ["dictionary_type.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("table_name", "code", name="uq_custom_field_code"),
        sa.UniqueConstraint("table_name", "label", name="uq_custom_field_label"),
    )
    for name in ("dictionary_id", "is_active", "table_name"):
        op.create_index(f"ix_custom_field_{name}", "custom_field", [name])


def downgrade() -> None:
    """Undo."""
    op.drop_table("custom_field")
