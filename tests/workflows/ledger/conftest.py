"""The ledger's stories start with an empty ledger and a finance department of four."""

import pytest

from tests.workflows.ledger.books import Books, open_books, seed


@pytest.fixture(scope="module")
def chart(engine, tmp_path_factory) -> None:
    """The base data of the ledger in this module's database."""
    seed(engine, tmp_path_factory.mktemp("seeds"))


@pytest.fixture
def books(chart, session) -> Books:
    return open_books(session)
