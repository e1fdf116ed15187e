"""日终处理 (12): start it, watch it, read what each day did; and the state of any job for a progress bar."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from flask import current_app, flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from models.base.entity import Entity
from models.base.errors import Conflict, NotAllowed, NotFound
from models.base.moments import SHANGHAI
from models.system.setup import JobRun, JobStatus
from views.kit import edge, progress
from views.kit.cells import format_value
from views.kit.entity_view import EntityView
from views.kit.interface import valid_id
from views.kit.pages import Action, Cell, Column, RecordPage, ReportPage, Row
from workflows import day_end
from workflows.after import warning as warnings
from workflows.base import jobs
from workflows.base.context import Ctx
from workflows.base.jobs import JobStep
from workflows.ledger import closing
from workflows.system import backup

ROWS = 30


class JobsView(BaseView):
    """/jobs/<id>: how far a job is, for who started it or may read the log of jobs."""

    route_base = "/jobs"
    class_permission_name = "job_run"
    default_view = "state"
    title = "作业"

    @expose("/<pk>")
    @edge.screen()
    def state(self, pk: str) -> ResponseReturnValue:
        """The job as the progress bar reads it."""
        ctx = edge.current_ctx()
        key = valid_id(pk)
        run = None if key is None else ctx.session.get(JobRun, key)
        is_mine = (
            run is not None
            and run.requested_by_id is not None
            and run.requested_by_id == ctx.actor.employee_id
        )
        if not is_mine and not ctx.actor.may("list", "job_run"):
            raise NotAllowed("您没有查看这个作业的权限", needed=("list", "job_run"))
        if run is None:
            raise NotFound
        state = progress.state_of(run, ctx.now)
        state = "failed" if state == "stopped" else state
        url = progress.url_of(run)
        return jsonify(
            {
                "percent": run.progress_pct,
                "label": progress.words_of(run),
                "state": state,
                "url": url,
            }
        )


class DayEndView(BaseView):
    """/day-end/: what is due, what runs, and 系统日终日志."""

    route_base = "/day-end"
    class_permission_name = "job_run"
    default_view = "page"
    title = "日终处理"

    @expose("/")
    @edge.screen("list")
    def page(self) -> ResponseReturnValue:
        """Business date, button, progress and log."""
        return self.render_template("report.html", page=_page(edge.current_ctx()))

    @expose("/run", methods=("POST",))
    @edge.screen("day_end")
    def run(self) -> ResponseReturnValue:
        """Start what is due, or go on with it; a second click is told who is at it."""
        ctx = edge.current_ctx()
        try:
            current_app.extensions["start_day_end"](ctx.actor)
        except Conflict as error:
            flash(error.message, "warning")
        else:
            flash("日终处理已开始", "success")
        return redirect("/day-end/")

    @expose("/backup", methods=("POST",))
    @edge.screen("backup")
    def backup(self) -> ResponseReturnValue:
        """Take a backup beside this request."""
        current_app.extensions["start_backup"](edge.current_ctx().actor)
        flash("备份已开始", "success")
        return redirect("/day-end/")

    @expose("/warnings", methods=("POST",))
    @edge.screen("day_end")
    def evaluate(self) -> ResponseReturnValue:
        """Look at the warning rules now, without waiting for the night."""
        with edge.writing() as ctx:
            raised = warnings.evaluate(ctx)
        flash(f"预警检查完成，新增 {raised} 条", "success")
        return redirect("/risk_warning/list/")


class JobRunView(EntityView):
    """Screens of JobRun: what each step did."""

    model = JobRun

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """The steps before the facts."""
        assert isinstance(record, JobRun)
        if steps := _known_steps(record):
            section = progress.follow(record, steps, ctx.now)
            page.sections.insert(0, section)
            page.active = request.args.get("tab", section.key)[:64]
        return page


def _known_steps(run: JobRun) -> Sequence[JobStep]:
    """The steps of the job that a run is one of; none for jobs of one piece."""
    period = closing.period_of(run.job)
    if period:
        return closing.month_end_steps(period)
    return day_end.STEPS if run.job == day_end.JOB else ()


def _calendar_day(ctx: Ctx) -> date:
    return ctx.now.astimezone(SHANGHAI).date()


def _page(ctx: Ctx) -> ReportPage:
    query = select(JobRun).where(JobRun.job == day_end.JOB).order_by(JobRun.business_date.desc())
    runs = list(ctx.session.scalars(query.limit(ROWS)))
    today, calendar = ctx.today, _calendar_day(ctx)
    due = max((calendar - today).days, 0)
    last = runs[0] if runs else None
    is_open = last is not None and progress.state_of(last, ctx.now) != "done"
    columns = [
        Column("date", "营业日期", "date"),
        Column("status", "状态"),
        Column("started", "开始时间"),
        Column("finished", "结束时间"),
        Column("attempts", "运行次数", "int"),
        Column("result", "结果"),
    ]
    return ReportPage(
        day_end.LABEL,
        columns,
        [_row(run, ctx.now) for run in runs],
        note=f"营业日期 {today} · 日历日期 {calendar}",
        heading="系统日终日志",
        above=[progress.follow(last, day_end.STEPS, ctx.now)] if is_open else [],
        states=[
            Cell(
                f"待办理 {due} 天" if due else "没有待办理的日终",
                "enum",
                tone="warn" if due else "ok",
            ),
            _last_backup(ctx),
        ],
        actions=_actions(ctx, due, last),
        empty="还没有办理过日终",
        crumbs=[("系统设置", ""), (day_end.LABEL, "")],
        foot_url="/job_run/list/?f=job:eq:day_end",
        foot_label="全部日志",
        help_key="day_end",
    )


def _last_backup(ctx: Ctx) -> Cell:
    run = ctx.session.scalars(
        select(JobRun).where(JobRun.job.startswith(backup.JOB)).order_by(JobRun.id.desc()).limit(1)
    ).first()
    if run is None:
        return Cell("还没有备份", "enum", tone="warn")
    if jobs.is_live(run, ctx.now):
        return Cell("正在备份", "enum", tone="doing", url=f"/job_run/show/{run.id}")
    when, is_done = (
        format_value(run.finished_at or run.started_at, "datetime"),
        run.status is JobStatus.SUCCEEDED,
    )
    word = f"最近备份 {when}" if is_done else f"{when} 备份失败"
    return Cell(word, "enum", tone="ok" if is_done else "bad", url=f"/job_run/show/{run.id}")


def _actions(ctx: Ctx, due: int, run: JobRun | None) -> list[Action]:
    more = (
        [Action("立即备份", "/day-end/backup", "POST")]
        if ctx.actor.may(backup.JOB, "job_run")
        else []
    )
    if not ctx.actor.may(day_end.JOB, "job_run"):
        return more
    last = ctx.today + timedelta(days=due - 1)
    words = f"逐日办理 {ctx.today} 至 {last} 的日终，营业日期将切换到 {last + timedelta(days=1)}。"
    why = "" if due else f"营业日期 {ctx.today} 尚未结束"
    if run is not None and jobs.is_live(run, ctx.now):
        why = "正在办理"
    label = "继续日终" if progress.is_broken(run, ctx.now) else "开始日终"
    found = [Action(label, "/day-end/run", "POST", "primary", confirm=words, why_not=why)]
    if ctx.actor.may("evaluate", "risk_warning"):
        found.append(Action("立即检查预警", "/day-end/warnings", "POST"))
    return [*found, *more]


def _row(run: JobRun, now: datetime) -> Row:
    notes = "；".join(note for note in run.result.get("done", {}).values() if note)
    status = Cell(run.status.label, "enum", tone=run.status.tone)
    if jobs.is_stopped(run, now):
        status, notes = (
            Cell("已中断", "enum", tone="bad"),
            f"在“{run.step}”中断，继续办理时从这一步接着做",
        )
    return Row(
        str(run.id),
        f"/job_run/show/{run.id}",
        (
            Cell(run.business_date.isoformat(), "date"),
            status,
            Cell(format_value(run.started_at, "datetime")),
            Cell(format_value(run.finished_at, "datetime")),
            Cell(str(run.attempts), "int"),
            Cell(f"{run.step}：{run.message}" if run.message else notes),
        ),
    )
