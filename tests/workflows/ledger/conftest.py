"""The ledger's stories start with an empty ledger and a finance department of four."""

import pytest

from tests.workflows.ledger.books import Books, open_books


@pytest.fixture
def books(session) -> Books:
    return open_books(session)
