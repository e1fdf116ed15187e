"""A flow keeps submissions with the way that they must take: they are tried when it is published.

Revision ID: 0055
Revises: 0054
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_KIND = sa.Enum("PERSONAL", "CORPORATE", name="flowcustomerkind", native_enum=False, length=32)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "approval_example",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("amount", columns.Money(), nullable=True),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("customer_kind", _KIND, nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("risk_grade", sa.String(length=32), nullable=True),
        sa.Column("expected", sa.String(length=500), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["flow_id"], ["approval_flow.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("flow_id", "title", name="uq_approval_example_flow_title"),
    )
    for name in ("flow_id", "product_id", "department_id"):
        op.create_index(f"ix_approval_example_{name}", "approval_example", [name])


def downgrade() -> None:
    """Undo."""
    op.drop_table("approval_example")
