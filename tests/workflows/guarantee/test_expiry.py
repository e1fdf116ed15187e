"""A resolution that runs out frees what it reserved, once."""

from decimal import Decimal

from models.guarantee.project import ProjectState, Stage
from models.guarantee.resolution import ResolutionState
from reports.figures.exposure import line_used
from workflows.guarantee.expiry import expire_reservations

STAGES = (Stage.FEE_PLAN, Stage.IN_FORCE)


def test_a_resolution_past_its_day_frees_its_reservation(line):
    project = line.at(Stage.FEE_PLAN)
    resolution = line.resolution(project)
    used = sum(line_used(line.session, project.bank))
    line.today = resolution.valid_until
    assert expire_reservations(line.ctx()) == 0
    line.later(days=1)
    assert expire_reservations(line.ctx()) == 1
    assert (resolution.state, project.reserved_amount) == (ResolutionState.EXPIRED, 0)
    assert sum(line_used(line.session, project.bank)) == used - project.amount
    assert expire_reservations(line.ctx()) == 0


def test_a_guarantee_in_force_keeps_its_exposure(line):
    project = line.at(Stage.IN_FORCE)
    line.later(days=400)
    expire_reservations(line.ctx())
    assert (line.resolution(project).state, project.balance) == (
        ResolutionState.USED,
        project.amount,
    )


def test_a_project_that_has_ended_keeps_what_it_says(line):
    project = line.at(Stage.FEE_PLAN)
    project.state, project.reserved_amount = ProjectState.CANCELLED, Decimal(1)
    line.later(days=400)
    assert expire_reservations(line.ctx()) == 1
    assert project.reserved_amount == 1
