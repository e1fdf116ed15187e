"""what the reviewer of a voucher saw, as a hash beside the review; those that wait for posting get theirs

Revision ID: 0022
Revises: 0021
"""

import hashlib
import json
from datetime import date

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

META = sa.MetaData()
_NUMBER, _WORD = sa.Integer(), sa.String()
# In the order in which the hash takes them (workflows/ledger/chain.py as it was with this migration).
HEAD = {
    "word_id": _NUMBER,
    "period_id": _NUMBER,
    "date": sa.Date(),
    "memo": _WORD,
    "attachments": _NUMBER,
    "total": columns.Money(),
    "is_cash": sa.Boolean(),
    "kind": _WORD,
    "reverses_id": _NUMBER,
    "event_id": _NUMBER,
    "prepared_by_id": _NUMBER,
}
LINES = {
    "line_no": _NUMBER,
    "account_id": _NUMBER,
    "memo": _WORD,
    "debit": columns.Money(),
    "credit": columns.Money(),
    "customer_id": _NUMBER,
    "project_id": _NUMBER,
    "bank_id": _NUMBER,
    "department_id": _NUMBER,
    "cash_flow": _WORD,
    "auxiliary_keys": _WORD,
}
VOUCHER = sa.Table(
    "voucher",
    META,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("state", _WORD),
    sa.Column("reviewed_hash", _WORD),
    *(sa.Column(name, kind) for name, kind in HEAD.items()),
)
ENTRY = sa.Table(
    "voucher_entry",
    META,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("voucher_id", _NUMBER),
    *(sa.Column(name, kind) for name, kind in LINES.items()),
)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else f"{value:.2f}"


def upgrade() -> None:
    """Apply."""
    op.add_column("voucher", sa.Column("reviewed_hash", sa.String(length=64), nullable=True))
    connection = op.get_bind()
    waiting = sa.select(VOUCHER.c.id, *(VOUCHER.c[name] for name in HEAD)).where(
        VOUCHER.c.state.in_(["REVIEWED", "SIGNED"])
    )
    for key, *head in connection.execute(waiting).all():
        lines = sa.select(*(ENTRY.c[name] for name in LINES)).where(ENTRY.c.voucher_id == key)
        found = [list(row) for row in connection.execute(lines.order_by(ENTRY.c.line_no))]
        digest = hashlib.sha256(json.dumps([head, found], default=_plain).encode()).hexdigest()
        own = sa.update(VOUCHER).where(VOUCHER.c.id == key)
        connection.execute(own.values(reviewed_hash=digest))


def downgrade() -> None:
    """Undo."""
    op.drop_column("voucher", "reviewed_hash")
