"""Lanes of the trail's chain, digests of records, heads of chains, digests of printed documents.

Revision ID: 0009
Revises: 0008
Created: 2026-11-28 18:00:00
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _stamps() -> list[sa.Column]:
    return [
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT"),
    ]


def upgrade() -> None:
    """Lines sealed so far stay the beginning of lane 0; `init` takes in what is there (workflows/proofs.py)."""
    op.create_table(
        "chain_lane",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        *_stamps(),
        sa.UniqueConstraint("lane", name="uq_chain_lane_lane"),
    )
    op.create_table(
        "chain_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("noted_at", columns.UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("voucher_count", sa.Integer(), nullable=False),
        sa.Column("voucher_hash", sa.String(length=64), nullable=False),
        sa.Column("audit_count", sa.Integer(), nullable=False),
        sa.Column("lanes", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        *_stamps(),
        sa.UniqueConstraint("number", name="uq_chain_head_number"),
    )
    op.create_index("ix_chain_head_noted_at", "chain_head", ["noted_at"])
    op.create_index("ix_chain_head_business_date", "chain_head", ["business_date"])
    op.add_column("audit_log", sa.Column("lane", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("audit_log", sa.Column("digest", sa.String(length=32), nullable=True))
    op.drop_index("ix_audit_log_seal_no", table_name="audit_log")
    op.drop_index("ix_audit_log_unsealed", table_name="audit_log")
    op.create_index("ix_audit_log_chain", "audit_log", ["lane", "seal_no"], unique=True)
    op.add_column("issued_document", sa.Column("pdf_sha256", sa.String(length=64), nullable=True))
    op.add_column("month_end_log", sa.Column("head_no", sa.Integer(), nullable=True))


def downgrade() -> None:
    """A record that proves is never taken back."""
    raise NotImplementedError
