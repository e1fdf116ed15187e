"""Saved views of lists, with which a list opens, which stand on a desktop, and how a person has last sorted a list.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_SHARING = sa.Enum(
    "PERSONAL", "DEPARTMENT", "ALL", name="viewsharing", native_enum=False, length=32
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("sharing", _SHARING, nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("query", sa.Text(), nullable=False),
        *_stamps(),
        sa.CheckConstraint(
            "sharing <> 'DEPARTMENT' OR department_id IS NOT NULL", name="ck_saved_view_department"
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["employee.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("owner_id", "table_name", "name", name="uq_saved_view_name"),
    )
    op.create_index("ix_saved_view_department_id", "saved_view", ["department_id"])
    op.create_index("ix_saved_view_table_name", "saved_view", ["table_name"])
    op.create_table(
        "list_default",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=64), nullable=False),
        sa.Column("view_id", sa.Integer(), nullable=True),
        sa.Column("employee_id", sa.Integer(), nullable=True),
        sa.Column("role_id", sa.Integer(), nullable=True),
        *_stamps(),
        sa.CheckConstraint(
            "(employee_id IS NULL) <> (role_id IS NULL)", name="ck_list_default_whose"
        ),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["role_id"], ["ab_role.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["view_id"], ["saved_view.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("employee_id", "table_name", name="uq_list_default_employee_id"),
        sa.UniqueConstraint("role_id", "table_name", name="uq_list_default_role_id"),
    )
    op.create_index("ix_list_default_view_id", "list_default", ["view_id"])
    op.create_table(
        "pinned_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("view_id", sa.Integer(), nullable=False),
        *_stamps(),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["view_id"], ["saved_view.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("employee_id", "view_id", name="uq_pinned_view_view_id"),
    )
    op.create_index("ix_pinned_view_view_id", "pinned_view", ["view_id"])
    op.add_column("operator", sa.Column("list_orders", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Undo; SQLite does not build the table of operators anew for it, to which others refer."""
    op.execute("ALTER TABLE operator DROP COLUMN list_orders")
    for table in ("pinned_view", "list_default", "saved_view"):
        op.drop_table(table)


def _stamps() -> list[sa.schema.SchemaItem]:
    """What every table has."""
    return [
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    ]
