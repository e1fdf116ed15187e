"""An office of a few people, as most tests of verbs need it."""

import pytest

from tests.workflows.office import audited, found


@pytest.fixture(scope="module")
def office(engine):
    return found(engine)


@pytest.fixture
def ctx(session, office):
    return office.ctx(audited(session))
