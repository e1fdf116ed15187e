"""4.9: the rows of a bank's list, by form or from a file: into which list they go, and what is wrong with them."""

from sqlalchemy import select

from models.base.errors import FieldErrors
from models.guarantee.bank_batch import BankBatch, BatchLoan
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import bank_batch
from workflows.guarantee.bank_batch_checks import problems


@records.rule(BatchLoan)
def check_row(ctx: Ctx, row: BatchLoan, is_new: bool) -> None:
    """A row belongs to a draft of a list and is what the scheme, the product, the bank and the register allow."""
    with ctx.session.no_autoflush:
        if not row.batch_id:
            row.batch_id = bank_batch.draft_of(ctx).id
        batch = bank_batch.held(ctx, row.batch_id)
        former = _left(ctx, row)
        row.uscc, row.id_number = _upper(row.uscc), _upper(row.id_number)
        row.bank_note_no = row.bank_note_no.strip()
        wrong: dict[str, list[str]] = {}
        for column, message in problems(ctx, batch, row, is_new=is_new):
            wrong.setdefault(column, []).append(message)
        if wrong:
            raise FieldErrors(wrong)
        row.batch = batch
    ctx.session.add(row)
    ctx.session.flush()
    for one in (batch, former) if former is not None else (batch,):
        bank_batch.count(ctx, one)


@records.delete_rule(BatchLoan)
def leave_batch(ctx: Ctx, row: BatchLoan) -> None:
    """A row leaves a draft alone, which then counts without it."""
    batch = bank_batch.held(ctx, row.batch_id)
    batch.row_count -= 1
    batch.amount -= row.amount


def _upper(text: str | None) -> str | None:
    return (text or "").upper() or None


def _left(ctx: Ctx, row: BatchLoan) -> BankBatch | None:
    """The batch that a row is moved out of; a draft too."""
    kept = select(BatchLoan.batch_id).where(BatchLoan.id == (row.id or 0))
    former = ctx.session.scalar(kept)
    return None if former in (None, row.batch_id) else bank_batch.held(ctx, former)
