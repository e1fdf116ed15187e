"""Several people at the same month-end: what it books is booked once, whoever clicks what at the same moment."""

import threading
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.ledger.closing import ProvisionCalculation, ProvisionKind
from models.ledger.voucher import Voucher, VoucherKind
from tests.workflows.ledger.year import Year, ordinary_month, quarter
from workflows.ledger import closing
from workflows.ledger.verify import verify_ledger

CODE = "2026-01"


@pytest.fixture
def year(engine):
    """A company after its first month; committed, because several sessions work on it."""
    with Session(engine, expire_on_commit=False) as session:
        found = quarter(session)
        ordinary_month(found, 1)
        session.commit()
    return found


def at_once(engine, year, *verbs):
    """Each verb by its own person in its own transaction, all beginning together; what they raised."""
    gate, troubles = threading.Barrier(len(verbs)), []

    def work(verb):
        with Session(engine) as session:
            mine = Year(replace(year.books, session=session), session)
            if engine.dialect.name == "postgresql":
                closing.find_period(session, CODE)  # both have begun to read before either writes
            gate.wait()
            try:
                verb(mine.ctx(), closing.find_period(session, CODE))
                session.commit()
            except Exception as error:  # noqa: BLE001 - a thread must hand its trouble over
                troubles.append(error)

    threads = [threading.Thread(target=work, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return troubles


def test_income_and_provisions_are_booked_once(engine, year):
    """收入确认与计提 clicked twice while the month-end is at the same step."""
    step = next(step for step in closing.month_end_steps(CODE) if step.code == "provisions")
    assert (
        at_once(
            engine,
            year,
            closing.provide_now,
            closing.provide_now,
            lambda ctx, _: step.run(ctx),
            closing.provide_now,
        )
        == []
    )
    with Session(engine) as session:
        kinds = (
            select(Voucher.kind, func.count())
            .where(Voucher.kind != VoucherKind.ORDINARY)
            .group_by(Voucher.kind)
        )
        assert dict(session.execute(kinds).all()) == {
            VoucherKind.RECOGNITION: 1,
            VoucherKind.PROVISION: 2,
        }
        # Where the step comes before any income, its finding that nothing is unearned yet is kept as well.
        booked = select(ProvisionCalculation.kind).where(
            ProvisionCalculation.voucher_id.is_not(None)
        )
        assert Counter(session.scalars(booked)) == {
            ProvisionKind.UNEARNED: 1,
            ProvisionKind.COMPENSATION: 1,
        }
        assert not verify_ledger(session)
