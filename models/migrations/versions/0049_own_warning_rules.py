"""Users write warning rules of their own: what they are about and when they warn stands in the row.

Revision ID: 0049
Revises: 0048
Created: 2026-11-30 14:12:04.332646
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


_REQUIRED, _FREE = "days VARCHAR(60) NOT NULL", "days VARCHAR(60)"


def upgrade() -> None:
    """Apply. Not in batches: those would drop a table on whose rows warnings depend."""
    op.add_column("risk_warning", sa.Column("passed_on", sa.Date(), nullable=True))
    op.add_column("warning_rule", sa.Column("about", sa.String(length=64), nullable=True))
    op.add_column("warning_rule", sa.Column("condition", sa.Text(), nullable=True))
    op.add_column("warning_rule", sa.Column("problem", sa.String(length=200), nullable=True))
    _require_days(_REQUIRED, _FREE, nullable=True)


def _require_days(was: str, to_be: str, *, nullable: bool) -> None:
    """An own rule has a condition in place of thresholds; SQLite changes that in the text of the table alone."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.alter_column("warning_rule", "days", existing_type=sa.String(60), nullable=nullable)
        return
    text = connection.exec_driver_sql("select sql from sqlite_master where name = 'warning_rule'").scalar_one()
    assert text.count(was) == 1, text
    edition = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "update sqlite_master set sql = ? where type = 'table' and name = 'warning_rule'",
        (text.replace(was, to_be),),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {edition + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def downgrade() -> None:
    """Undo."""
    _require_days(_FREE, _REQUIRED, nullable=False)
    for name in ("problem", "condition", "about"):
        op.drop_column("warning_rule", name)
    op.drop_column("risk_warning", "passed_on")
