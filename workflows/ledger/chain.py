"""The chain over posted vouchers: SHA-256 over business content in the order of posting (architecture rule 6).

No surrogate ids and no clock enter it, so that a restored or rebuilt ledger gives the same head.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger.voucher import Voucher
from workflows.base.context import Ctx
from workflows.base.numbering import next_count

COUNTER = "voucher.posting"
GENESIS = "0" * 64


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
