"""indexes for what desk, scope and posting ask of a hundred thousand projects

Revision ID: 0008
Revises: 0007
Created: 2026-11-28 18:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# (name, table, columns, of which rows): plain CREATE INDEX, no table is rebuilt, so no trigger is lost.
INDEXES = (
    ("ix_voucher_unfinished", "voucher", ["period_id", "word_id", "number"], "state NOT IN ('POSTED', 'VOID')"),
    ("ix_risk_warning_urgent", "risk_warning", ["level", "deadline"], "state <> 'LIFTED'"),
    ("ix_fee_due_open", "fee_due", ["due_on"], "settled_amount < amount"),
    ("ix_fee_due_seq", "fee_due", ["seq"], ""),
    ("ix_instalment_seq", "instalment", ["seq"], ""),
    ("ix_project_snapshot_balance", "project_snapshot", ["project_id", "taken_on", "balance"], ""),
    ("ix_customer_touched", "customer", ["manager_id", "updated_at"], ""),
    (
        "ix_project_desk", "project",
        ["state", "product_id", "balance", "manager_id", "assistant_id", "risk_officer_id", "legal_officer_id",
         "department_id"],
        "",
    ),
)  # fmt: skip


def upgrade() -> None:
    """The indexes come."""
    for name, table, columns, of in INDEXES:
        where = sa.text(of) if of else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where, if_not_exists=True)


def downgrade() -> None:
    """The indexes go."""
    for name, table, *_ in INDEXES:
        op.drop_index(name, table)
