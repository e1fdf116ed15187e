"""Rows of 现金流量表 and 所有者权益变动表 say which cash-flow item or source they take in.

Revision ID: 0063
Revises: 0062
"""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
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
_SOURCE = sa.Enum(
    "CASH_AT_START",
    "UNTOLD_IN",
    "UNTOLD_OUT",
    "EQUITY_AT_START",
    "NET_PROFIT",
    "CAPITAL",
    "SURPLUS",
    "RISK_RESERVE",
    "DISTRIBUTION",
    "WITHIN",
    name="rowsource",
    native_enum=False,
    length=32,
)


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("statement_row", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cash_flow", _CASH_FLOW, nullable=True))
        batch_op.add_column(sa.Column("takes", _SOURCE, nullable=True))
        batch_op.create_unique_constraint("uq_statement_row_cash_flow", ["cash_flow"])
        batch_op.create_unique_constraint("uq_statement_row_takes", ["takes"])


def downgrade() -> None:
    """Undo."""
    op.execute("DELETE FROM statement_row WHERE statement IN ('CASH_FLOW', 'EQUITY')")
    op.execute("DELETE FROM issued_statement WHERE statement IN ('CASH_FLOW', 'EQUITY')")
    with op.batch_alter_table("statement_row", schema=None) as batch_op:
        batch_op.drop_constraint("uq_statement_row_takes", type_="unique")
        batch_op.drop_constraint("uq_statement_row_cash_flow", type_="unique")
        batch_op.drop_column("takes")
        batch_op.drop_column("cash_flow")
