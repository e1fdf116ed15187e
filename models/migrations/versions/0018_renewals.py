"""A project that renews another says which.

Revision ID: 0018
Revises: 0017
Created: 2026-11-28
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; in words that both databases take, so that SQLite need not build the table anew."""
    op.execute("ALTER TABLE project ADD COLUMN renewed_from_id INTEGER REFERENCES project (id)")
    op.create_index("ix_project_renewed_from_id", "project", ["renewed_from_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_project_renewed_from_id", "project")
    op.execute("ALTER TABLE project DROP COLUMN renewed_from_id")
