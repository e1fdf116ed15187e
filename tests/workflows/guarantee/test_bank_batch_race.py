"""Two lists accepted, two filings filled at the same moment: no limit is passed, no project filed twice (4.9)."""

import time
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalTask, TaskState
from models.guarantee.bank_batch import BankBatch, BatchLoan
from models.guarantee.product import ProductAudience
from models.guarantee.project import Project
from models.guarantee.reguarantee import Filing, FilingRow
from reports.figures import exposure
from tests.workflows.at_once import DONE, together
from tests.workflows.guarantee.factories import ASSISTANT, MANAGER, MILLION, RISK, Line, prepare
from tests.workflows.guarantee.sharing_world import company, in_use
from tests.workflows.guarantee.test_bank_batch import GOOD
from workflows.approval import approval
from workflows.base import records
from workflows.guarantee import bank_batch, reguarantee

FIELDS = ("customer_name", "uscc", "bank_note_no", "amount", "drawn_on", "due_on", "small_kind")


def test_of_two_at_once_one_finds_the_line_taken_and_the_project_filed(engine, monkeypatch):
    read = exposure.checks

    def slowly(*args, **facts):
        found = read(*args, **facts)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(exposure, "checks", slowly)
    prepare(engine)
    with Session(engine) as session:
        line = Line(session)
        product = line.product()
        product.is_bulk, product.audience = True, ProductAudience.ANY
        scheme = in_use(line)
        lists = [_put_up(line, scheme, number) for number in range(2)]
        for made in lists:
            line.decide(made)  # the head of the department; 风控 is asked next
        line.bank().credit_line = Decimal(1500000)
        keys = [made.id for made in lists]
        session.commit()

    def accept(key):
        def act(session):
            line = Line(session)
            running = line.running(session.get_one(BankBatch, key))
            query = select(ApprovalTask).where(
                ApprovalTask.instance_id == running.id, ApprovalTask.state == TaskState.PENDING
            )
            task = session.scalars(query).one()
            ctx = line.ctx(task.assignee.name)
            approval.decide(ctx, task, approval.Decision.APPROVE, "")

        return act

    assert together(engine, [accept(key) for key in keys]) == ["BusinessError", DONE]
    with Session(engine) as session:
        line = Line(session)
        assert session.scalar(select(func.sum(Project.balance))) == MILLION
        filings = [
            records.create(line.ctx(RISK), Filing, {"company_id": company(line).id}).id
            for _ in range(2)
        ]
        session.commit()

    def collect(key):
        def act(session):
            ctx = Line(session).ctx(RISK)
            reguarantee.collect(ctx, session.get_one(Filing, key))

        return act

    first, second = together(engine, [collect(key) for key in filings])
    assert (first != DONE, second) == (True, DONE)
    with Session(engine) as session:
        assert session.scalar(select(func.count(FilingRow.id))) == 1


def _put_up(line, scheme, number):
    values = {
        "scheme_id": scheme.id,
        "bank_id": line.bank().id,
        "product_id": line.product().id,
        "assistant_id": line.id(ASSISTANT),
        "fee_rate_pct": "1",
    }
    made = records.create(line.ctx(MANAGER), BankBatch, values)
    name, code = GOOD[number][:2]
    facts = (
        name,
        code,
        f"R-{number}",
        MILLION,
        "2026-02-10",
        "2027-02-10",
        ("SMALL", "MICRO")[number],
    )
    row = dict(zip(FIELDS, facts, strict=True)) | {"batch_id": made.id, "rate_annual_pct": "4"}
    records.create(line.ctx(MANAGER), BatchLoan, row)
    bank_batch.submit(line.ctx(MANAGER), made)
    return made
