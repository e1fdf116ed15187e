"""备份 as a job: once per business date by the clock, and whenever somebody asks; what is copied how is the edge's."""

from collections.abc import Callable

from sqlalchemy import select

from models.base.actor import Actor
from models.system.setup import JobRun, SystemState
from reports.figures.parameters import flag, whole
from workflows.base import jobs
from workflows.base.jobs import Edge
from workflows.base.transition import verbs

JOB = "backup"
LABEL = "备份"
verbs("job_run", {JOB: LABEL})
# Writes the archive, thins out older ones to so many, and says what it made.
Copy = Callable[[int], str]


def run(edge: Edge, copy: Copy, *, actor: Actor, by_clock: bool = False) -> JobRun | None:
    """Take a backup; None when the day's has been taken by the clock already, or is not wanted.

    Raises NotAllowed without the permission, and the BusinessError of a copy that failed.
    """
    actor.require(JOB, "job_run", LABEL)
    now = edge.now()
    with edge.reader() as session:
        today = session.scalars(select(SystemState.business_date)).one()
        if by_clock and not flag(session, "backup.is_daily", today):
            return None
        keep = whole(session, "backup.keep_count", today)
    name = JOB if by_clock else f"{JOB}:{now:%Y%m%d%H%M%S%f}"
    return jobs.run_outside(edge, name, today, LABEL, lambda: copy(keep), actor=actor)
