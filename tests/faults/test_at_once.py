"""Two processes on one database: each date is worked on by one of them; the other is told who, and does nothing."""

import signal
import socket

import pytest

from tests.faults.company import DAYS
from tests.faults.conftest import WORKS, assert_left

LEASE = 10  # minutes

both_works = pytest.mark.parametrize("name", sorted(WORKS))
one_quickly = pytest.mark.parametrize(
    "name", ["day-end", pytest.param("month-end", marks=pytest.mark.long)]
)


def step_in_work(run) -> int:
    """A moment in the middle of a step that writes."""
    return run.inside(5)


@both_works
def test_started_together_one_does_the_work(machine_at, undisturbed, name):
    with machine_at(WORKS[name].stage) as machine:
        started = [machine.start(*WORKS[name].args) for _ in range(2)]
        said = [command.wait().said for command in started]
        done = sorted(line for words in said for line in words.splitlines() if line.startswith("✓"))
        wanted = len(DAYS) if name == "day-end" else 6
        assert len(done) == wanted, said
        for command in started:
            assert (
                command.status == 0 or "正由" in command.said or "刚由他人办理" in command.said
            ), command.said
        assert_left(machine, undisturbed[name], "together")


@both_works
def test_a_second_one_is_told_who_is_at_it(machine_at, undisturbed, name):
    """The first stands still inside a step, with all the locks that it has."""
    work = WORKS[name]
    with machine_at(work.stage) as machine:
        first = machine.start(*work.args, at=step_in_work(undisturbed[name]), sent=signal.SIGSTOP)
        first.wait_until_it_stands()
        second = machine.run(*work.args)
        assert second.status == 1
        assert f"办理（进程 {socket.gethostname()}:{first.process.pid}，当前步骤：" in second.said
        assert "✓" not in second.said
        assert first.go_on().status == 0, first.said
        assert_left(machine, undisturbed[name], "after a second click")


@one_quickly
def test_who_stands_still_past_the_lease_loses_the_run_and_does_nothing_more(
    machine_at, undisturbed, name
):
    """It stands between two steps, so the database keeps nobody out: the lease does, then no longer."""
    work = WORKS[name]
    with machine_at(work.stage) as machine:
        first = machine.start(
            *work.args, at=undisturbed[name].commits("committed")[4], sent=signal.SIGSTOP
        )
        first.wait_until_it_stands()
        machine.minutes = LEASE - 1
        early = machine.run(*work.args)
        assert (early.status, "正由" in early.said) == (1, True), early.said
        machine.minutes = LEASE + 1
        second = machine.run(*work.args)
        assert second.status == 0, second.said
        assert first.go_on().status == 1
        assert "作业已由另一进程接手" in first.said
        assert_left(machine, undisturbed[name], "taken over")


@pytest.mark.long
@both_works
def test_a_step_that_outlasts_its_lease_is_left_to_end(machine_at, undisturbed, name):
    """The database holds the run for as long as a step works: SQLite's one writer, PostgreSQL's row."""
    work = WORKS[name]
    with machine_at(work.stage) as machine:
        first = machine.start(*work.args, at=step_in_work(undisturbed[name]), sent=signal.SIGSTOP)
        first.wait_until_it_stands()
        machine.minutes = LEASE + 1
        second = machine.run(*work.args)
        assert (second.status, "✓" in second.said) == (1, False), second.said
        assert first.go_on().status == 0, first.said
        assert_left(machine, undisturbed[name], "outlasted")
