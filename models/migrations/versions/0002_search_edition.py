"""which edition the search index is of: an older one is built anew at the next start

Revision ID: 0002
Revises: 0001
Created: 2026-11-28
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("system_state", sa.Column("search_edition", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("system_state", "search_edition")
