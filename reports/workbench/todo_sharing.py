"""What waits in 分险: batches to send or to correct, statements to put up, to hand in again or to pay (4.10)."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, literal, select

from models.base.paper import PaperState
from models.customer.customer import Customer
from models.customer.partner import GuaranteeCompany
from models.guarantee.bank import PartnerBank
from models.guarantee.bank_batch import BankBatch, CheckState, SampleCheck
from models.guarantee.ceding import CessionStatement
from models.guarantee.project import Project
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


def _lists(_: date) -> Rows:
    """Banks' lists that are drawn up, or were refused and wait to be taken up again."""
    return (
        select(
            BankBatch.id,
            PartnerBank.name,
            BankBatch.number,
            BankBatch.amount,
            literal("批量业务"),
            BankBatch.updated_at,
        )
        .join(PartnerBank, PartnerBank.id == BankBatch.bank_id)
        .where(BankBatch.state == PaperState.DRAFT)
        .order_by(BankBatch.id)
    )


def _samples(_: date) -> Rows:
    return (
        select(
            SampleCheck.id,
            Customer.name,
            Project.number,
            Project.amount,
            BankBatch.number,
            SampleCheck.due_on,
        )
        .join(BankBatch, BankBatch.id == SampleCheck.batch_id)
        .join(Project, Project.id == SampleCheck.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .where(SampleCheck.state == CheckState.PENDING)
        .order_by(SampleCheck.due_on, SampleCheck.id)
    )


SHARING: tuple[Source, ...] = (
    Source(
        TodoKind.UNSENT,
        BankBatch,
        ("submit", "bank_batch"),
        _lists,
        holder=BankBatch.handler_id,
        numbered=BankBatch.number,
    ),
    Source(
        TodoKind.SAMPLE,
        SampleCheck,
        ("inspect", "sample_check"),
        _samples,
        lambda pk: SampleCheck.project_id == pk,
        barred=(BankBatch.handler_id, Project.manager_id),
        is_scoped=True,
        numbered=BankBatch.number,
    ),
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
