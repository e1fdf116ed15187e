"""Sessions, known places and counts of failed tries; the epoch of sessions goes.

Revision ID: 0006
Revises: 0005
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ENDS = ("SIGNED_OUT", "OWNER", "PASSWORD", "ROLES", "DISABLED", "ADMINISTRATOR")


def upgrade() -> None:
    """Make the tables; whoever is signed in signs in again."""
    op.create_table(
        "sign_in_session",
        *_owned(),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.Enum("BROWSER", "PROGRAM", name="signinkind", native_enum=False, length=32), nullable=False),
        sa.Column("began_at", columns.UtcDateTime(), nullable=False),
        sa.Column("seen_at", columns.UtcDateTime(), nullable=False),
        sa.Column("idle_until", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.Column("ended_at", columns.UtcDateTime(), nullable=True),
        sa.Column("end_reason", sa.Enum(*ENDS, name="sessionend", native_enum=False, length=32), nullable=True),
        *_stamps(),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ck_sign_in_session_end"),
        sa.UniqueConstraint("token_hash", name="uq_sign_in_session_token_hash"),
    )
    for name in ("operator_id", "expires_at", "ended_at"):
        op.create_index(f"ix_sign_in_session_{name}", "sign_in_session", [name])
    op.create_table(
        "known_place",
        *_owned(),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("used_at", columns.UtcDateTime(), nullable=False),
        *_stamps(),
        sa.UniqueConstraint("operator_id", "place", name="uq_known_place_place"),
    )
    for name in ("operator_id", "used_at"):
        op.create_index(f"ix_known_place_{name}", "known_place", [name])
    op.create_table(
        "sign_in_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", columns.UtcDateTime(), nullable=False),
        *_stamps(),
        sa.CheckConstraint("failures > 0", name="ck_sign_in_count_failures"),
        sa.UniqueConstraint("who", "place", name="uq_sign_in_count_who"),
    )
    op.create_index("ix_sign_in_count_until", "sign_in_count", ["until"])
    # In place on SQLite too: a table that is rebuilt is dropped first, and what belongs to its rows goes with them.
    op.drop_column("operator", "session_epoch")


def _owned() -> tuple[Any, ...]:
    return (
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], ondelete="CASCADE"),
    )


def _stamps() -> tuple[Any, ...]:
    return (
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
