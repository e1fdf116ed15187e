"""who may see masked values, for the built-in roles of installations that are there already

A permission that is not new goes to no role by itself at an upgrade, so that what an administrator took away stays
away; these roles never had it.

Revision ID: 0005
Revises: 0004
Created: 2026-11-28
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CUSTOMERS = (
    "customer", "personal_customer", "corporate_customer", "family_member", "shop", "shareholder", "executive",
    "bank_account",
)  # fmt: skip
ACCOUNTS = ("bank_account", "partner_bank")
GRANTED = {
    "客户经理": CUSTOMERS, "业务部门经理": CUSTOMERS, "风控总监": CUSTOMERS, "法务": CUSTOMERS,
    "出纳": ACCOUNTS, "财务主管": ACCOUNTS, "系统管理员": ("employee", "partner_bank"),
}  # fmt: skip
GRANT = sa.text(
    "INSERT INTO ab_permission_view_role (permission_view_id, role_id)"
    " SELECT pv.id, profile.role_id FROM ab_permission_view AS pv"
    " JOIN ab_permission AS p ON p.id = pv.permission_id AND p.name = 'can_reveal'"
    " JOIN ab_view_menu AS m ON m.id = pv.view_menu_id AND m.name = :resource"
    " JOIN role_profile AS profile ON profile.name = :role AND profile.is_builtin"
    " WHERE NOT EXISTS (SELECT 1 FROM ab_permission_view_role AS held"
    " WHERE held.permission_view_id = pv.id AND held.role_id = profile.role_id)"
)


def upgrade() -> None:
    connection = op.get_bind()
    for role, tables in GRANTED.items():
        for name in tables:
            connection.execute(GRANT, {"role": role, "resource": name})


def downgrade() -> None:
    """Rights stay: administrators may have decided on them since."""
