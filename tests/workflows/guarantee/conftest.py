"""Stories of the line start in a company with base data and people, and no project yet."""

import pytest

from tests.workflows.guarantee.factories import Line, prepare


@pytest.fixture(scope="module")
def company(engine) -> None:
    """Base data and people in this module's database."""
    prepare(engine)


@pytest.fixture
def line(company, session) -> Line:
    """The company at work, in this test's own session."""
    return Line(session)
