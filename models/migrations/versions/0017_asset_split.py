"""资产分级依据: parts of a month's balances with the rule that classes them and the evidence

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
RULES = (
    "MONEY_FUND", "GOVERNMENT_BOND", "AAA_BOND", "SHORT_PRODUCT", "BANK_PRODUCT", "AA_BOND", "GUARANTOR_EQUITY",
    "CLIENT_EQUITY", "CLIENT_LOAN", "OWN_PROPERTY", "OTHER",
)  # fmt: skip


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "asset_split",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Enum(*RULES, name="assetrule", native_enum=False, length=32), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("evidence", sa.String(length=200), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_asset_split_amount"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_asset_split_account_id"), "asset_split", ["account_id"], unique=False)
    op.create_index(op.f("ix_asset_split_customer_id"), "asset_split", ["customer_id"], unique=False)
    op.create_index(op.f("ix_asset_split_month"), "asset_split", ["month"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_table("asset_split")
