"""Killed anywhere, day-end and month-end end as one uninterrupted run.

The kill is SIGKILL to a process of its own; the restart is the same command, by the same clock: a process that is gone
is not waited for. Commits of a day: the claim, then one a step; of a month-end: the period, the claim, one a step.
"""

import random

import pytest

from tests.conftest import FAULT_SEED
from tests.faults.company import DAYS
from tests.faults.conftest import WORKS, assert_left, assert_sound
from workflows import day_end
from workflows.ledger import closing

POINTS = 100
MONTH_END = closing.month_end_steps("")
A_DAY, A_MONTH = 1 + len(day_end.STEPS), 2 + len(MONTH_END)
WARNINGS = 2 + [step.code for step in day_end.STEPS].index("warnings")
PROVISIONS = 3 + [step.code for step in MONTH_END].index("provisions")


def end(machine_at, undisturbed, name: str, at: int) -> None:
    """Kill at a moment, start again, compare."""
    work, wanted = WORKS[name], undisturbed[name]
    where = f"{name} killed at moment {at} of {len(wanted.moments)} (seed {FAULT_SEED}), {wanted.moments[at - 1]!r}"
    with machine_at(work.stage) as machine:
        machine.killed(*work.args, at=at)
        assert_sound(machine)
        again = machine.run(*work.args)
        assert again.status == 0, f"{where}: {again.said}"
        assert_left(machine, wanted, where)


def test_a_step_commits_once_at_its_end(undisturbed):
    """Nothing commits in the midst of a step; the last one's commit is the end of the run, too."""
    assert len(undisturbed["day-end"].commits("commit")) == A_DAY * len(DAYS)
    assert len(undisturbed["month-end"].commits("commit")) == A_MONTH


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        pytest.param(
            "day-end",
            lambda run: run.inside(A_DAY + WARNINGS),
            id="among the warnings of the second day",
        ),
        pytest.param(
            "day-end",
            lambda run: run.commits("commit")[A_DAY - 1],
            id="before the first day is rolled",
        ),
        pytest.param(
            "day-end",
            lambda run: run.commits("committed")[2 * A_DAY - 1],
            id="after the second is rolled",
        ),
        pytest.param("month-end", lambda run: run.inside(PROVISIONS), id="among the provisions"),
        pytest.param(
            "month-end", lambda run: run.commits("commit")[-1], id="before the period is closed"
        ),
    ],
)
def test_killed_it_ends_as_one_uninterrupted_run(machine_at, undisturbed, name, moment):
    end(machine_at, undisturbed, name, moment(undisturbed[name]))


@pytest.mark.long
@pytest.mark.parametrize("point", range(1, POINTS + 1))
def test_killed_anywhere_it_ends_as_one_uninterrupted_run(machine_at, undisturbed, point):
    """One point in three lies beside a commit, the others at any statement."""
    dice = random.Random(f"{FAULT_SEED}-{point}")
    name = dice.choice(sorted(WORKS))
    run = undisturbed[name]
    beside = run.commits("commit") + run.commits("committed")
    end(
        machine_at,
        undisturbed,
        name,
        dice.choice(beside) if point % 3 == 0 else dice.randint(1, len(run.moments)),
    )
