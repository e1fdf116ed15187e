"""Flows branch by condition or in parallel and meet again; who has agreed may be spared; nodes skip by a rule.

Revision ID: 0048
Revises: 0047
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_KIND = sa.Enum("CONDITION", "PARALLEL", name="branchkind", native_enum=False, length=32)
_REPEATS = sa.Enum("ASK", "SPARE", name="repeats", native_enum=False, length=32)


def upgrade() -> None:
    """Apply; flows of before have no branch, and ask at each node as they did."""
    op.create_table(
        "approval_branch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.Integer(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("fork_no", sa.Integer(), nullable=False),
        sa.Column("kind", _KIND, nullable=False),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("inside_no", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "inside_no IS NULL OR inside_no <> no", name="ck_approval_branch_inside"
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["flow_id"], ["approval_flow.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("flow_id", "no", name="uq_approval_branch_flow_no"),
    )
    op.create_index("ix_approval_branch_flow_id", "approval_branch", ["flow_id"])
    op.add_column("approval_flow", sa.Column("repeats", _REPEATS, nullable=False, server_default="ASK"))
    op.add_column("approval_node", sa.Column("skip_when", sa.Text(), nullable=True))
    op.add_column("approval_node", sa.Column("branch_no", sa.Integer(), nullable=True))
    op.add_column("approval_instance", sa.Column("passed", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Undo; nor does SQLite build the tables anew for it, to which others refer."""
    op.execute("ALTER TABLE approval_instance DROP COLUMN passed")
    op.execute("ALTER TABLE approval_node DROP COLUMN branch_no")
    op.execute("ALTER TABLE approval_node DROP COLUMN skip_when")
    op.execute("ALTER TABLE approval_flow DROP COLUMN repeats")
    op.drop_table("approval_branch")
