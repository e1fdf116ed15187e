"""Stories of the line start in a company with base data, people, and a project at each of the module's STAGES."""

import pytest

from models.guarantee.project import Stage
from tests.workflows.guarantee.factories import Line, prepare


@pytest.fixture(scope="module")
def standing(engine, request) -> dict[Stage, int]:
    """Base data, people and projects in this module's database."""
    return prepare(engine, getattr(request.module, "STAGES", ()))


@pytest.fixture
def line(standing, session) -> Line:
    """The company at work, in this test's own session."""
    return Line(session, standing=standing)
