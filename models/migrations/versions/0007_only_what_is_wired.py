"""approval types that nothing starts are offered no more, and number rules that nothing draws are gone

Revision ID: 0007
Revises: 0006
Created: 2026-11-28

What was decided, or drawn up by administrators, for such a type stays; the module that starts it makes it active again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TYPES = (
    "drawdown", "extension", "early_repayment", "rate_change", "compensation", "recovery", "write_off", "debt_asset",
    "history", "rating", "credit_line", "classification", "collateral.move", "handover", "merge", "correction", "purge",
    "leave", "loan", "expense", "quota",
)  # fmt: skip
RULES = ("joint_group", "fee", "event", "collateral", "loan", "document")


def upgrade() -> None:
    """Apply."""
    kind = sa.table("approval_type", sa.column("code", sa.String), sa.column("is_active", sa.Boolean))
    op.execute(kind.update().where(kind.c.code.in_(TYPES)).values(is_active=sa.false()))
    rule = sa.table("number_rule", sa.column("code", sa.String))
    op.execute(rule.delete().where(rule.c.code.in_(RULES)))


def downgrade() -> None:
    """Undo; the rules come back with the base data of the release that knew them."""
    kind = sa.table("approval_type", sa.column("code", sa.String), sa.column("is_active", sa.Boolean))
    op.execute(kind.update().where(kind.c.code.in_(TYPES)).values(is_active=sa.true()))
