"""Vouchers on paper (8.2): the data of their template, and one PDF of as many as were asked for."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.base.errors import BusinessError
from models.ledger.account import ZERO
from models.ledger.voucher import Voucher, VoucherEntry
from models.system.organization import Company
from models.system.records import DocumentTemplate, PaperSize
from reports.base.documents import PageSize, render_letter, sheets_pdf
from reports.base.documents_table import Orientation

TEMPLATE = "voucher"
MOST = 40  # a page takes about a third of a second
_PAPER: dict[PaperSize, tuple[PageSize, Orientation]] = {
    PaperSize.A4: ("A4", "portrait"),
    PaperSize.A4_LANDSCAPE: ("A4", "landscape"),
    PaperSize.A5: ("A5", "landscape"),
}
_PARTS = (VoucherEntry.customer, VoucherEntry.project, VoucherEntry.bank, VoucherEntry.department)


def vouchers_pdf(session: Session, ids: Sequence[int]) -> bytes:
    """These vouchers in their order, each on a sheet of its own, after the administrators' template.

    Raises BusinessError for too many, or for a template that is missing or cannot be filled.
    """
    if len(ids) > MOST:
        raise BusinessError(f"一次最多打印 {MOST} 张凭证，现选了 {len(ids)} 张，请分批打印")
    template = session.scalars(
        select(DocumentTemplate).where(DocumentTemplate.code == TEMPLATE)
    ).one_or_none()
    if template is None or not template.is_active:
        raise BusinessError("文书模板“记账凭证”不存在或已停用，请在“文书模板”中设置")
    people = (Voucher.prepared_by, Voucher.reviewed_by, Voucher.signed_by, Voucher.posted_by)
    entries = selectinload(Voucher.entries)
    query = (
        select(Voucher)
        .where(Voucher.id.in_(ids))
        .options(*(joinedload(person) for person in people), joinedload(Voucher.reverses))
        .options(
            entries.joinedload(VoucherEntry.account), *(entries.joinedload(part) for part in _PARTS)
        )
    )
    found = {voucher.id: voucher for voucher in session.scalars(query)}
    company = session.scalars(select(Company.full_name)).first() or ""
    bodies = [render_letter(template.body, voucher_data(found[key], company)) for key in ids]
    size, orientation = _PAPER[template.paper]
    return sheets_pdf(bodies, title="记账凭证", page_size=size, orientation=orientation)


def voucher_data(voucher: Voucher, company: str) -> dict[str, Any]:
    """What the template of a voucher may name."""
    people = {
        name: person.name if (person := getattr(voucher, name)) is not None else ""
        for name in ("prepared_by", "reviewed_by", "signed_by", "posted_by")
    }
    return {
        "company": {"name": company},
        "voucher": {
            "word": voucher.word.name,
            "number": f"{voucher.number:04d}",
            "date": voucher.date,
            "period": f"{voucher.period.year}年{voucher.period.month}期",
            "attachments": voucher.attachments,
            "lines": [_line(entry) for entry in voucher.entries],
            "debit_total": sum((entry.debit for entry in voucher.entries), ZERO),
            "credit_total": sum((entry.credit for entry in voucher.entries), ZERO),
            "reversal_of": voucher.reverses.code if voucher.reverses is not None else None,
            **people,
        },
    }


def _line(entry: VoucherEntry) -> dict[str, Any]:
    parts = (entry.customer, entry.project, entry.bank, entry.department)
    return {
        "summary": entry.memo,
        "account_code": entry.account.code,
        "account_name": entry.account.full_name or entry.account.name,
        "aux": "　".join(str(part) for part in parts if part is not None),
        "debit": entry.debit or None,
        "credit": entry.credit or None,
    }
