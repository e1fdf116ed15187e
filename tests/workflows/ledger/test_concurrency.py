"""Several people at once: no number twice, none missing, balances whole, an event booked once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, event, func, select
from sqlalchemy.orm import Session

from models.base.errors import Conflict
from models.ledger.account import AccountBalance
from models.ledger.voucher import BusinessEvent, Voucher, VoucherState
from tests.workflows.ledger.books import Books, open_books, yuan
from workflows.ledger import posting
from workflows.ledger.verify import verify_ledger

THREADS = 8


@pytest.fixture(scope="module")
def many(db_url) -> Iterator[tuple]:
    """An engine that waits for other writers, and committed books."""
    waits = {"timeout": 60} if db_url.startswith("sqlite") else {}
    engine = create_engine(db_url, connect_args=waits, pool_size=THREADS)
    if engine.dialect.name == "sqlite":
        event.listen(
            engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None)
        )
        event.listen(
            engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE")
        )
    with Session(engine, expire_on_commit=False) as session:
        books = open_books(session)
        session.commit()
    yield engine, books
    engine.dispose()


def write_and_post(engine, books: Books, times: int) -> None:
    for turn in range(times):
        with Session(engine) as session:
            mine = replace(books, session=session)
            mine.post(mine.receipt(turn + 1))
            session.commit()


def run(engine, books: Books, times: int) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(write_and_post, engine, books, times) for _ in range(THREADS)]:
            done.result()
    with Session(engine) as session:
        numbers = sorted(session.scalars(select(Voucher.number)))
        order = list(session.scalars(select(Voucher.posting_no).order_by(Voucher.posting_no)))
        assert numbers == order == list(range(1, len(numbers) + 1))
        assert verify_ledger(session) == []
        kept = session.scalars(
            select(AccountBalance).where(AccountBalance.account_id == books.accounts["1002"])
        ).one()
        assert kept.debit == session.scalar(select(func.sum(Voucher.total)))


def test_eight_people_post_without_duplicates_or_gaps(many):
    run(*many, times=3)


@pytest.mark.long
def test_eight_people_post_many(many):
    run(*many, times=100)


def test_two_clicks_at_once_book_once(many, monkeypatch):
    monkeypatch.setattr(posting, "_BOOKED", {})
    engine, books = many
    with Session(engine) as session:
        mine = replace(books, session=session)
        raised = posting.raise_event(
            mine.ctx("cashier"),
            "fee.collected",
            record=mine.project,
            project=mine.project,
            amounts={"amount": yuan(5)},
        )
        session.commit()
        wanted = raised.id

    def click(_) -> bool:
        with Session(engine) as session:
            mine = replace(books, session=session)
            try:
                posting.book(mine.ctx("accountant"), session.get_one(BusinessEvent, wanted))
            except Conflict:
                return False
            session.commit()
            return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert sorted(pool.map(click, range(THREADS))) == [False] * (THREADS - 1) + [True]
    with Session(engine) as session:
        booked = session.scalars(select(Voucher).where(Voucher.event_id == wanted)).one()
        assert booked.state is VoucherState.DRAFT
