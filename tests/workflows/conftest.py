"""Verbs are tested in an installation, most of them in an office of a few people."""

import pytest

from tests.workflows.office import audited, found


@pytest.fixture(scope="module")
def stage(request):
    """An installation; a module that wants nothing but tables says so with BEGINS_WITH."""
    return getattr(request.module, "BEGINS_WITH", "installed")


@pytest.fixture(scope="module")
def office(engine):
    return found(engine)


@pytest.fixture
def ctx(session, office):
    return office.ctx(audited(session))
