"""The chain over posted vouchers: SHA-256 over business content in the order of posting (architecture rule 6).

No surrogate ids and no clock enter it, so that a restored or rebuilt ledger gives the same head.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger.voucher import Voucher
from workflows.base.context import Ctx
from workflows.base.numbering import next_count

COUNTER = "voucher.posting"
GENESIS = "0" * 64
# What the reviewer has seen of a voucher and of its entries; its number may still move into a gap.
SEEN: Final = (
    "word_id",
    "period_id",
    "date",
    "memo",
    "attachments",
    "total",
    "is_cash",
    "kind",
    "reverses_id",
    "event_id",
    "prepared_by_id",
)
SEEN_LINE: Final = (
    "line_no",
    "account_id",
    "memo",
    "debit",
    "credit",
    "customer_id",
    "project_id",
    "bank_id",
    "department_id",
    "cash_flow",
    "auxiliary_keys",
)


class ChainLine(NamedTuple):
    """What the chain covers of one entry; amounts as '12.30', auxiliaries as '客户=KH0001'."""

    line_no: int
    account: str
    memo: str
    debit: str
    credit: str
    auxiliaries: str
    cash_flow: str


class ChainHead(NamedTuple):
    """What the chain covers of one voucher; `code` holds period, word and number."""

    code: str
    date: str
    memo: str
    attachments: int
    reverses: str


def link(previous: str, head: ChainHead, lines: Iterable[ChainLine]) -> str:
    """The hash of a voucher that follows the one whose hash is `previous`."""
    content = json.dumps([previous, head, sorted(lines)], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def content_of(voucher: Voucher) -> tuple[ChainHead, list[ChainLine]]:
    """The part of a voucher that the chain covers."""
    head = ChainHead(
        voucher.code,
        voucher.date.isoformat(),
        voucher.memo,
        voucher.attachments,
        voucher.reverses.code if voucher.reverses else "",
    )
    lines = [
        ChainLine(
            entry.line_no,
            entry.account.code,
            entry.memo,
            debit=f"{entry.debit:.2f}",
            credit=f"{entry.credit:.2f}",
            auxiliaries=entry.auxiliary_keys,
            cash_flow=entry.cash_flow.name if entry.cash_flow else "",
        )
        for entry in voucher.entries
    ]
    return head, lines


def head(session: Session) -> tuple[int, str]:
    """Number and hash of the last posted voucher; (0, GENESIS) for empty books."""
    row = session.execute(
        select(Voucher.posting_no, Voucher.hash)
        .where(Voucher.posting_no.is_not(None))
        .order_by(Voucher.posting_no.desc())
        .limit(1)
    ).one_or_none()
    return (0, GENESIS) if row is None else (int(row[0] or 0), str(row[1]))


def next_link(ctx: Ctx, voucher: Voucher) -> tuple[int, str, str]:
    """Posting number, previous hash and hash for a voucher about to be posted.

    Raising the counter row makes all posting of the company wait in one line until the commit: balances and chain
    rely on that.
    """
    number = next_count(ctx, COUNTER)
    _, previous = head(ctx.session)
    return number, previous, link(previous, *content_of(voucher))


# ---------------------------------------------------------------------------------------------- from review to posting
def seen(voucher: Voucher) -> str:
    """The hash of what somebody sees who reviews a voucher: kept with the review, until the chain covers it."""
    return hash_of_seen(
        [getattr(voucher, name) for name in SEEN],
        [[getattr(entry, name) for name in SEEN_LINE] for entry in voucher.entries],
    )


def hash_of_seen(head: Sequence[object], lines: Iterable[Sequence[object]]) -> str:
    """The same of values in the order of `SEEN`, and of lines in that of `SEEN_LINE` by their numbers."""
    content = json.dumps([list(head), [list(line) for line in lines]], default=_plain)
    return hashlib.sha256(content.encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    assert isinstance(value, date)
    return value.isoformat()
