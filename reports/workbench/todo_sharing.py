"""What waits in 分险: batches to send or to correct, statements to put up, to hand in again or to pay (4.10)."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, literal, select

from models.base.paper import PaperState
from models.customer.partner import GuaranteeCompany
from models.guarantee.ceding import CessionStatement
from models.guarantee.reguarantee import Filing, FilingState
from models.ledger.voucher import BusinessEvent, EventState
from reports.workbench.todo_source import Rows, Source, TodoKind


def _rows(model: Any, word: str, since: Any, *where: ColumnElement[bool]) -> Rows:
    return (
        select(model.id, GuaranteeCompany.name, model.number, model.amount, literal(word), since)
        .join(GuaranteeCompany, GuaranteeCompany.id == model.company_id)
        .where(*where)
        .order_by(model.id)
    )


def _event(code: str) -> ColumnElement[bool]:
    return exists().where(
        BusinessEvent.event_code == code,
        BusinessEvent.record_table == "cession_statement",
        BusinessEvent.record_id == CessionStatement.id,
        BusinessEvent.state.in_((EventState.PENDING, EventState.BOOKED)),
    )


def _to_send(_: date) -> Rows:
    is_open = Filing.state.in_((FilingState.DRAFT, FilingState.RETURNED))
    return _rows(Filing, "再担保备案", Filing.updated_at, is_open)


def _drafts(_: date) -> Rows:
    return _rows(
        CessionStatement,
        "分保账单",
        CessionStatement.updated_at,
        CessionStatement.state == PaperState.DRAFT,
    )


def _sent_back(_: date) -> Rows:
    return _rows(
        CessionStatement,
        "分保账单",
        CessionStatement.approved_on,
        CessionStatement.state == PaperState.APPROVED,
        ~CessionStatement.is_booked,
        ~_event("cession.settled"),
    )


def _to_pay(_: date) -> Rows:
    return _rows(
        CessionStatement,
        "登记付款",
        CessionStatement.approved_on,
        CessionStatement.is_booked.is_(True),
        ~_event("cession.paid"),
    )


SHARING: tuple[Source, ...] = (
    Source(
        TodoKind.REPORT,
        Filing,
        ("send", "filing"),
        _to_send,
        holder=Filing.handler_id,
        numbered=Filing.number,
    ),
    Source(
        TodoKind.UNSENT,
        CessionStatement,
        ("submit", "cession_statement"),
        _drafts,
        holder=CessionStatement.handler_id,
        numbered=CessionStatement.number,
    ),
    Source(
        TodoKind.RETURNED,
        CessionStatement,
        ("settle", "cession_statement"),
        _sent_back,
        holder=CessionStatement.handler_id,
        numbered=CessionStatement.number,
    ),
    Source(
        TodoKind.CEDE,
        CessionStatement,
        ("pay", "cession_statement"),
        _to_pay,
        is_scoped=True,
        numbered=CessionStatement.number,
    ),
)
