"""which counter-guarantee a 反担保合同 is about

Revision ID: 0014
Revises: 0013
Created: 2026-11-28
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_INDEX = "ix_contract_counter_guarantee_id"


def upgrade() -> None:
    # Not in a batch: that would drop a table on whose rows others depend. SQLite reads no more of a key than this.
    op.execute(
        "ALTER TABLE contract ADD COLUMN counter_guarantee_id INTEGER"
        " REFERENCES counter_guarantee (id)"
    )
    op.create_index(_INDEX, "contract", ["counter_guarantee_id"])


def downgrade() -> None:
    op.drop_index(_INDEX, "contract")
    op.drop_column("contract", "counter_guarantee_id")
