"""Verbs are tested in an installation, most of them in an office of a few people."""

import pytest

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
