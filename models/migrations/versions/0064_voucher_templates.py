"""Vouchers that come again each month are kept as templates.

Revision ID: 0064
Revises: 0063
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

_CASH_FLOW = sa.Enum(
    "FEE_RECEIVED",
    "DEPOSIT_RECEIVED",
    "RECOVERY_RECEIVED",
    "INTEREST_RECEIVED",
    "OTHER_OPERATING_RECEIVED",
    "COMPENSATION_PAID",
    "REGUARANTEE_PAID",
    "DEPOSIT_RETURNED",
    "MARGIN_PAID",
    "COMMISSION_PAID",
    "STAFF_PAID",
    "TAX_PAID",
    "OTHER_OPERATING_PAID",
    "INVESTMENT_RECOVERED",
    "INVESTMENT_INCOME",
    "ASSET_DISPOSED",
    "INVESTMENT_PAID",
    "ASSET_BOUGHT",
    "CAPITAL_RECEIVED",
    "LOAN_RECEIVED",
    "LOAN_REPAID",
    "DIVIDEND_PAID",
    name="cashflow",
    native_enum=False,
    length=32,
)


def _kept() -> list[sa.Column]:
    """What every table has."""
    return [
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
    ]


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "voucher_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("word_id", sa.Integer(), nullable=False),
        sa.Column("memo", sa.String(length=200), nullable=False),
        *_kept(),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["word_id"], ["voucher_word.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_voucher_template_name"),
    )
    op.create_index("ix_voucher_template_word_id", "voucher_template", ["word_id"])
    parts = {
        "account_id": "account",
        "customer_id": "customer",
        "project_id": "project",
        "bank_id": "partner_bank",
        "department_id": "department",
    }
    op.create_table(
        "voucher_template_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voucher_template_id", sa.Integer(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("memo", sa.String(length=200), nullable=True),
        sa.Column("debit", columns.Money(), nullable=True),
        sa.Column("credit", columns.Money(), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("bank_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("cash_flow", _CASH_FLOW, nullable=True),
        *_kept(),
        sa.CheckConstraint(
            "debit IS NULL OR credit IS NULL", name="ck_voucher_template_line_one_side"
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["voucher_template_id"], ["voucher_template.id"], ondelete="CASCADE"
        ),
        *(
            sa.ForeignKeyConstraint([name], [f"{target}.id"], ondelete="RESTRICT")
            for name, target in parts.items()
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "voucher_template_id", "line_no", name="uq_voucher_template_line_no"
        ),
    )
    for name in ("voucher_template_id", *parts):
        op.create_index(f"ix_voucher_template_line_{name}", "voucher_template_line", [name])


def downgrade() -> None:
    """Undo."""
    op.drop_table("voucher_template_line")
    op.drop_table("voucher_template")
