"""why a project's 小微属性 differs from its customer's size, and a correction that waits for a second person

Revision ID: 0015
Revises: 0014
Created: 2026-11-28
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_INDEX = "ix_project_small_asked"


def upgrade() -> None:
    op.add_column("project", sa.Column("small_reason", sa.String(200), nullable=True))
    op.add_column("project", sa.Column("small_asked", sa.String(32), nullable=True))
    op.add_column("project", sa.Column("small_asked_reason", sa.String(200), nullable=True))
    # Not in a batch: that would drop a table on whose rows others depend. SQLite reads no more of a key than this.
    op.execute(
        "ALTER TABLE project ADD COLUMN small_asked_by_id INTEGER"
        " REFERENCES employee (id)"
    )
    asked = sa.text("small_asked is not null")
    op.create_index(_INDEX, "project", ["small_asked_by_id"], sqlite_where=asked, postgresql_where=asked)


def downgrade() -> None:
    op.drop_index(_INDEX, "project")
    for name in ("small_asked_by_id", "small_asked_reason", "small_asked", "small_reason"):
        op.drop_column("project", name)
