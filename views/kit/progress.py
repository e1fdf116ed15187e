"""How far long work is (X10): its name, its steps, and where it stopped, for every page that shows a run."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeGuard

from sqlalchemy import Select, select

from models.system.setup import JobRun, JobStatus
from views.kit.pages import GateItem, Job, Section
from workflows import day_end, verify
from workflows.base import jobs
from workflows.base.context import Ctx
from workflows.base.jobs import JobStep
from workflows.guarantee import history_jobs
from workflows.ledger import closing
from workflows.system import backup

_DAILY = {day_end.JOB: day_end.LABEL, backup.JOB: backup.LABEL, verify.JOB: verify.LABEL}
_BATCH = history_jobs.JOB
STOPPED = "办理到此中断，这一步没有生效；继续办理时从这一步接着做，已完成的步骤不会重做"


def label_of(run: JobRun) -> str:
    """The name of a run as people say it."""
    period = closing.period_of(run.job)
    if period:
        return f"{period} {closing.LABEL}"
    if _kind(run) == _BATCH:
        return history_jobs.LABEL
    return f"{run.business_date} {_DAILY[_kind(run)]}" if _kind(run) in _DAILY else run.job


def url_of(run: JobRun) -> str:
    """The page on which one follows a run and goes on with it."""
    period = closing.period_of(run.job)
    if period:
        return f"/closing/?period={period}"
    if _kind(run) == verify.JOB:
        return "/verify/"
    if _kind(run) == _BATCH:
        return f"/history_batch/show/{run.job.partition(':')[2]}"
    return "/day-end/" if _kind(run) in _DAILY else f"/job_run/show/{run.id}"


def _kind(run: JobRun) -> str:
    return run.job.partition(":")[0]


def words_of(run: JobRun) -> str:
    """Name and present step."""
    return f"{label_of(run)}：{run.step}" if run.step else label_of(run)


def state_of(run: JobRun, now: datetime) -> str:
    """running, done, failed, or stopped where whoever was at it is gone."""
    if run.status is JobStatus.SUCCEEDED:
        return "done"
    if run.status is JobStatus.FAILED:
        return "failed"
    return "stopped" if jobs.is_stopped(run, now) else "running"


def is_broken(run: JobRun | None, now: datetime) -> TypeGuard[JobRun]:
    """Whether a run waits for somebody to go on with it."""
    return run is not None and state_of(run, now) in ("failed", "stopped")


def follow(run: JobRun | None, steps: Sequence[JobStep], now: datetime) -> Section:
    """The steps of a run: with a bar while somebody is at it, else what is done and where it stopped."""
    found = _steps(run, steps, now)
    if run is not None and state_of(run, now) == "running":
        job = Job(
            words_of(run), f"/jobs/{run.id}", url_of(run), run.progress_pct, "running", tuple(found)
        )
        return Section("progress", "正在办理", template="parts/progress.html", data=job)
    # What is not done yet is no failure: a triangle waits, a cross is where it stopped.
    items = [
        GateItem(
            label,
            state != "failed",
            note or ("未办理" if state == "todo" else ""),
            is_warning=state == "todo",
        )
        for label, state, note in found
    ]
    title, note = ("没有办完", label_of(run)) if is_broken(run, now) else ("办理步骤", "")
    return Section("steps", title, template="parts/gate.html", data=items, note=note)


def waited_for(ctx: Ctx) -> Select[JobRun]:
    """Long work of this person that has not ended."""
    return select(JobRun).where(
        JobRun.status == JobStatus.RUNNING, JobRun.requested_by_id == ctx.actor.employee_id
    )


def shown_everywhere(ctx: Ctx) -> list[Job]:
    """Those that somebody is at, for the top of every page."""
    return [
        Job(words_of(run), f"/jobs/{run.id}", url_of(run), run.progress_pct)
        for run in ctx.session.scalars(waited_for(ctx).order_by(JobRun.id.desc()))
        if jobs.is_live(run, ctx.now)
    ]


def _steps(
    run: JobRun | None, steps: Sequence[JobStep], now: datetime
) -> list[tuple[str, str, str]]:
    """Label, state (done, now, todo, failed) and note of each step."""
    done = run.result.get("done", {}) if run else {}
    left = [step.code for step in steps if step.code not in done]
    found = []
    for step in steps:
        state, note = ("todo", "") if step.code not in done else ("done", str(done[step.code]))
        if run is not None and step.code in left[:1]:
            state = "failed" if is_broken(run, now) else "now"
            note = (run.message or STOPPED) if state == "failed" else ""
        found.append((step.label, state, note))
    return found
