"""what the old books did this year, where an opening in its middle states it

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("opening_import") as batch:
        batch.add_column(sa.Column("year_figures", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("opening_import") as batch:
        batch.drop_column("year_figures")
