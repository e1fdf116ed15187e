"""loans that the bank let the company go from have no balance here

Revision ID: 0010
Revises: 0009
Created: 2026-11-28 19:10:00
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is left of a released loan is the bank's alone."""
    op.execute("update drawdown set balance = 0 where state = 'RELEASED'")


def downgrade() -> None:
    """The balance follows from the amount and what was repaid."""
    op.execute(
        "update drawdown set balance = amount - coalesce((select sum(principal) from repayment"
        " where repayment.drawdown_id = drawdown.id and repayment.state = 'BOOKED'), 0) where state = 'RELEASED'"
    )
