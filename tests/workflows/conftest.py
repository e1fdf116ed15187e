"""Verbs are tested in an installation, most of them in an office of a few people."""

import pytest

from models.guarantee.project import Stage
from tests.workflows.guarantee.factories import Line, prepare
from tests.workflows.office import audited, found


@pytest.fixture(scope="module")
def usual_stage():
    return "installed"


@pytest.fixture(scope="module")
def office(engine):
    return found(engine)


@pytest.fixture
def ctx(session, office):
    return office.ctx(audited(session))


@pytest.fixture(scope="module")
def standing(engine, request) -> dict[Stage, int]:
    """Base data, people and projects in this module's database."""
    return prepare(engine, getattr(request.module, "STAGES", ()))


@pytest.fixture
def line(standing, session) -> Line:
    """The company at work, in this test's own session."""
    return Line(session, standing=standing)
