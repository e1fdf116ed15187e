"""Heads of the chains, kept outside the database as well: a file that is only appended to, a line each time.

Whoever may write SQL can recompute a chain; the file says what its heads were. It may lie on another machine's mount
(CHAIN_HEADS_FILE). Each line is chained to the one before; the database keeps the same lines, so that a file that was
shortened is found too (docs/decisions/0017-proofs.md).
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import event, select, tuple_
from sqlalchemy.orm import Session

from models.ledger.voucher import Voucher
from models.system.proof import ChainHead
from workflows.base import seal
from workflows.base.context import Ctx
from workflows.ledger import chain

CHUNK = 500
RESTORED = "恢复备份"
_PENDING, _BEFORE = "heads_to_write", "head_before_them"


def note(ctx: Ctx, reason: str) -> ChainHead:
    """Keep the heads as they are now; the line goes to the file once the transaction stands."""
    session = ctx.session
    session.flush()
    last = session.scalars(select(ChainHead).order_by(ChainHead.number.desc()).limit(1)).first()
    lanes = [list(head) for head in seal.heads(session.connection())]
    count, digest = chain.head(session)
    made = ChainHead(
        number=last.number + 1 if last else 1,
        noted_at=ctx.now,
        reason=reason[:60],
        business_date=ctx.today,
        voucher_count=count,
        voucher_hash=digest,
        audit_count=sum(lane[1] for lane in lanes),
        lanes=lanes,
        hash="",
    )
    made.hash = _hash(last.hash if last else "", line_of(made))
    session.add(made)
    session.flush()
    _write_later(session, made, last)
    return made


def note_news(ctx: Ctx, reason: str) -> ChainHead | None:
    """The same, if anything was written since the last time."""
    last = ctx.session.scalars(select(ChainHead).order_by(ChainHead.number.desc()).limit(1)).first()
    count = sum(head.length for head in seal.heads(ctx.session.connection()))
    return None if last is not None and last.audit_count == count else note(ctx, reason)


def line_of(head: ChainHead) -> dict[str, Any]:
    """A head as its line in the file says it, without the hash."""
    return {
        "number": head.number,
        "noted_at": head.noted_at.isoformat(timespec="seconds"),
        "reason": head.reason,
        "business_date": head.business_date.isoformat(),
        "vouchers": [head.voucher_count, head.voucher_hash],
        "audit": head.lanes,
    }


def _hash(previous: str, line: dict[str, Any]) -> str:
    text = json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


# -------------------------------------------------------------------------------------------------------------- file
def _write_later(session: Session, made: ChainHead, last: ChainHead | None) -> None:
    path = session.info.get("chain_heads")
    if not path:
        return
    if _PENDING not in session.info:
        session.info[_BEFORE] = {**line_of(last), "hash": last.hash} if last is not None else None
    session.info.setdefault(_PENDING, []).append({**line_of(made), "hash": made.hash})
    if not event.contains(session, "after_commit", _write):
        event.listen(session, "after_commit", _write)
        event.listen(session, "after_rollback", _forget)


def _forget(session: Session) -> None:
    session.info.pop(_PENDING, None)


def _write(session: Session) -> None:
    """Append what the commit has made true; a line that a crash kept from the file goes before the next one.

    A file that cannot be written takes nothing back: `verify` says that it is short.
    """
    lines = session.info.pop(_PENDING, None)
    if not lines:
        return
    with contextlib.suppress(OSError, ValueError):
        path = Path(session.info["chain_heads"])
        before = session.info.pop(_BEFORE, None)
        is_lost = before is not None and last_number(path) == before["number"] - 1
        append(path, [before, *lines] if is_lost else lines)


def append(path: Path, lines: list[dict[str, Any]]) -> None:
    """Add lines to the file, whole and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def last_number(path: Path) -> int | None:
    """The number of the last line of the file, None without one."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 100_000))
        lines = stream.read().splitlines()
    return int(json.loads(lines[-1])["number"]) if lines else None


def resume(ctx: Ctx) -> None:
    """After a backup was restored: what the file tells of later times belongs to a history that was given up.

    A machine without the file gets it from the lines that the backup holds.
    """
    path = ctx.session.info.get("chain_heads")
    if path and not Path(path).is_file():
        kept = ctx.session.scalars(select(ChainHead).order_by(ChainHead.number))
        append(Path(path), [{**line_of(head), "hash": head.hash} for head in kept])
    note(ctx, RESTORED)


# ------------------------------------------------------------------------------------------------------------- check
def verify_heads(session: Session) -> list[str]:
    """Every line of the file is the database's own line, and the chains still pass through what it says."""
    kept = {head.number: {**line_of(head), "hash": head.hash} for head in _kept(session)}
    wrong = next(_differences(session, kept), None) or next(
        _breaks(session, list(kept.values())), None
    )
    return [wrong] if wrong else []


def _kept(session: Session) -> Iterator[ChainHead]:
    yield from session.scalars(
        select(ChainHead).order_by(ChainHead.number).execution_options(yield_per=CHUNK)
    )


def _differences(session: Session, kept: dict[int, dict[str, Any]]) -> Iterator[str]:
    previous = ""
    for expected, (number, line) in enumerate(kept.items(), 1):
        body = {name: value for name, value in line.items() if name != "hash"}
        if number != expected or line["hash"] != _hash(previous, body):
            yield f"链头登记第 {expected} 号缺失或被改动"
        previous = line["hash"]
    path = session.info.get("chain_heads")
    if not path:
        return
    if not Path(path).is_file():
        if kept:
            yield f"链头文件 {Path(path).name} 不存在，库中已登记 {len(kept)} 行"
        return
    found = read(Path(path))
    for number in range(1, max([*found, *kept], default=0) + 1):
        if number not in found:
            yield f"链头文件缺第 {number} 行"
        elif number not in kept:
            yield f"链头文件第 {number} 行在库中没有登记，库中的记录被回退"
        elif found[number] != kept[number]:
            yield f"链头文件第 {number} 行与库中的登记不符"


def read(path: Path) -> dict[int, dict[str, Any]]:
    """The file's lines by number; lines of a history that a restored backup ended are left out."""
    found: dict[int, dict[str, Any]] = {}
    with path.open(encoding="utf-8") as stream:
        for text in stream:
            try:
                line = json.loads(text)
                number = int(line["number"])
            except (ValueError, KeyError, TypeError):
                continue  # a line that was cut off: its number is missing then
            if line.get("reason") == RESTORED:
                found = {no: kept for no, kept in found.items() if no < number}
            found[number] = line
    return found


def _breaks(session: Session, lines: list[dict[str, Any]]) -> Iterator[str]:
    """Heads that the chains do not pass through any more."""
    for start in range(0, len(lines), CHUNK):
        part = lines[start : start + CHUNK]
        vouchers = _vouchers(session, [line["vouchers"][0] for line in part])
        places = {(lane, length) for line in part for lane, length, _ in line["audit"] if length}
        audit = _audit(session, sorted(places))
        for line in part:
            count, digest = line["vouchers"]
            if count and vouchers.get(count) != digest:
                yield f"凭证链在记账序号 {count} 处与链头登记第 {line['number']} 号（{line['noted_at']}）不符"
            for lane, length, digest in line["audit"]:
                if length and audit.get((lane, length)) != digest:
                    yield f"操作日志链第 {length} 行与链头登记第 {line['number']} 号（{line['noted_at']}）不符"


def _vouchers(session: Session, numbers: list[int]) -> dict[int, str]:
    rows = session.execute(
        select(Voucher.posting_no, Voucher.hash).where(Voucher.posting_no.in_(numbers))
    )
    return {int(number): str(digest) for number, digest in rows if number is not None}


def _audit(session: Session, places: list[tuple[int, int]]) -> dict[tuple[int, int], str]:
    found = {}
    for start in range(0, len(places), CHUNK):
        where = tuple_(seal.LINES.c.lane, seal.LINES.c.seal_no).in_(places[start : start + CHUNK])
        for lane, number, digest in session.execute(
            select(seal.LINES.c.lane, seal.LINES.c.seal_no, seal.LINES.c.seal_hash).where(where)
        ):
            found[lane, number] = str(digest)
    return found
