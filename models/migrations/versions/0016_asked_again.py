"""who handed a task on may be asked again; how far the built-in roles of an installation have been brought up

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = ["instance_id", "node_id", "round_no", "assignee_id"]
COUNTED = sa.text("state IN ('PENDING', 'APPROVED', 'REJECTED', 'RETURNED')")
# SQLite makes the table anew, and no reflection tells of these. Nothing refers to a task, so nothing goes with it.
CHECKS = (
    sa.CheckConstraint("(state = 'PENDING') = (decided_at IS NULL)", name="ck_approval_task_decided_at"),
    sa.CheckConstraint(
        "state IN ('PENDING', 'CANCELLED', 'WITHDRAWN') OR decided_by_id IS NOT NULL OR is_automatic",
        name="ck_approval_task_decided_by",
    ),
    sa.CheckConstraint(
        "state NOT IN ('REJECTED', 'RETURNED') OR (opinion IS NOT NULL AND opinion <> '')",
        name="ck_approval_task_opinion",
    ),
)


def upgrade() -> None:
    """Apply."""
    op.add_column("system_state", sa.Column("role_edition", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("approval_task", table_args=CHECKS) as batch:
        batch.drop_constraint("uq_approval_task_person", type_="unique")
    op.create_index(
        "uq_approval_task_counted", "approval_task", KEY, unique=True, sqlite_where=COUNTED, postgresql_where=COUNTED
    )


def downgrade() -> None:
    """Undo; fails where somebody has been asked again."""
    op.drop_index("uq_approval_task_counted", "approval_task")
    with op.batch_alter_table("approval_task", table_args=CHECKS) as batch:
        batch.create_unique_constraint("uq_approval_task_person", KEY)
    op.drop_column("system_state", "role_edition")
