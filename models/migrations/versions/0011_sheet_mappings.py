"""columns of clerks' files that somebody has mapped by hand; the cashier's rights to import what a bank lists

The built-in cashier of installations that are there already gets the rights once, so that what an administrator takes
away later stays away.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

GRANT = sa.text(
    "INSERT INTO ab_permission_view_role (permission_view_id, role_id)"
    " SELECT pv.id, profile.role_id FROM ab_permission_view AS pv"
    " JOIN ab_permission AS p ON p.id = pv.permission_id AND p.name IN ('can_import', 'can_reverse')"
    " JOIN ab_view_menu AS m ON m.id = pv.view_menu_id AND m.name = 'repayment'"
    " JOIN role_profile AS profile ON profile.name = '出纳' AND profile.is_builtin"
    " WHERE NOT EXISTS (SELECT 1 FROM ab_permission_view_role AS held"
    " WHERE held.permission_view_id = pv.id AND held.role_id = profile.role_id)"
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sheet_mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "source", name="uq_sheet_mapping_kind"),
    )
    op.get_bind().execute(GRANT)


def downgrade() -> None:
    """Undo; rights stay, administrators may have decided on them since."""
    op.drop_table("sheet_mapping")
