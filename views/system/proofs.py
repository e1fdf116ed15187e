"""核对: when all was last recomputed and what it covered; 文档核验: whether a printed document is ours and holds."""

from datetime import datetime
from typing import Any

from flask import current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors
from models.system.proof import ChainHead
from models.system.setup import JobRun, JobStatus
from views.kit import edge, progress, widgets
from views.kit.cells import format_value
from views.kit.pages import Action, Cell, Column, Fact, Job, ReportPage, Row, Section
from workflows import verify
from workflows.base import jobs
from workflows.base.context import Ctx
from workflows.system import document_check

HEADS = 8
_SHORT = 16


class VerifyView(BaseView):
    """/verify/: the last run, check by check, and the heads of the chains."""

    route_base = "/verify"
    class_permission_name = "job_run"
    default_view = "page"
    title = verify.LABEL

    @expose("/")
    @edge.screen("verify")
    def page(self) -> ResponseReturnValue:
        """What was covered, what was found, and a button."""
        return self.render_template("report.html", page=_page(edge.current_ctx()))

    @expose("/run", methods=("POST",))
    @edge.screen("verify")
    def run(self) -> ResponseReturnValue:
        """Begin beside this request; one at a time."""
        ctx = edge.current_ctx()
        runs = verify.last_runs(ctx.session)
        if runs and jobs.is_live(runs[0], ctx.now):
            flash("正在核对，请等待其完成", "warning")
        else:
            current_app.extensions["start_verify"](ctx.actor)
            flash("核对已开始", "success")
        return redirect("/verify/")


def _page(ctx: Ctx) -> ReportPage:
    runs = verify.last_runs(ctx.session, 2)
    run = runs[0] if runs else None
    is_live = run is not None and jobs.is_live(run, ctx.now)
    shown = next((r for r in runs if r.result.get("checks") and not (is_live and r is run)), None)
    columns = [
        Column("check", "核对内容"),
        Column("state", "结果"),
        Column("problem", "第一处不符"),
        Column("rows", "行数", "int"),
        Column("seconds", "用时", "int", "秒"),
    ]
    action = Action(
        "立即核对", "/verify/run", "POST", "primary", why_not="正在核对" if is_live else ""
    )
    when = format_value(shown.finished_at or shown.started_at, "datetime") if shown else ""
    return ReportPage(
        verify.LABEL,
        columns,
        [_check(n, each) for n, each in enumerate(shown.result["checks"] if shown else ())],
        note="每日夜间自动核对；数据库被绕过系统改动时，这里指出第一处",
        heading=f"{when} 的核对" if shown else "核对",
        states=[_state(run, ctx.now)],
        above=[_progress(run)] if is_live and run is not None else [],
        below=[_heads(ctx)],
        actions=[action],
        empty="还没有核对过",
        crumbs=[("系统设置", ""), (verify.LABEL, "")],
        foot_url="/job_run/list/?f=job:startswith:verify"
        if ctx.actor.may("list", "job_run")
        else "",
        foot_label="全部核对",
        help_key="verify",
    )


def _check(number: int, found: dict[str, Any]) -> Row:
    problem = str(found["problem"])
    return Row(
        str(number),
        "",
        (
            Cell(str(found["label"])),
            Cell("不符" if problem else "相符", "enum", tone="bad" if problem else "ok"),
            Cell(problem),
            Cell(f"{found['rows']:,}", "int"),
            Cell(f"{found['seconds']:.1f}", "int"),
        ),
        tone="bad" if problem else "",
    )


def _state(run: JobRun | None, now: datetime) -> Cell:
    if run is None:
        return Cell("还没有核对过", "enum", tone="warn")
    if jobs.is_live(run, now):
        return Cell("正在核对", "enum", tone="doing")
    if run.status is JobStatus.SUCCEEDED:
        return Cell("全部相符", "enum", tone="ok")
    return Cell(
        "已中断" if jobs.is_stopped(run, now) else "有不符",
        "enum",
        tone="bad",
        title=run.message or "",
    )


def _progress(run: JobRun) -> Section:
    job = Job(progress.words_of(run), f"/jobs/{run.id}", "/verify/", run.progress_pct)
    return Section("progress", "正在核对", template="parts/progress.html", data=job)


def _heads(ctx: Ctx) -> Section:
    """The latest heads, as they stand in the file outside the database."""
    heads = ctx.session.scalars(
        select(ChainHead).order_by(ChainHead.number.desc()).limit(HEADS)
    ).all()
    columns = [
        Column("number", "序号", "int"),
        Column("at", "登记时间"),
        Column("reason", "缘由"),
        Column("vouchers", "凭证数", "int"),
        Column("hash", "凭证链头"),
        Column("lines", "操作日志行数", "int"),
        Column("line", "本行校验码"),
    ]
    rows = [
        Row(
            str(head.id),
            f"/chain_head/show/{head.id}" if ctx.actor.may("show", "chain_head") else "",
            (
                Cell(str(head.number), "int"),
                Cell(format_value(head.noted_at, "datetime")),
                Cell(head.reason),
                Cell(f"{head.voucher_count:,}", "int"),
                Cell(head.voucher_hash[:_SHORT], title=head.voucher_hash),
                Cell(f"{head.audit_count:,}", "int"),
                Cell(head.hash[:_SHORT], title=head.hash),
            ),
        )
        for head in heads
    ]
    name = current_app.config["SETTINGS"].chain_heads.name
    return Section(
        "heads",
        "链头登记",
        columns=columns,
        rows=rows,
        width=12,
        empty="日终、月终、备份时登记",
        note=f"同时写入数据库之外的文件 {name}",
        more_url="/chain_head/list/" if rows else "",
    )


class DocumentCheckView(BaseView):
    """/document-check/: number and code of a paper, and what the system says of it."""

    route_base = "/document-check"
    class_permission_name = "issued_document"
    default_view = "page"
    title = document_check.LABEL

    @expose("/")
    @edge.screen("verify")
    def page(self) -> ResponseReturnValue:
        """The question, and the answer once it was asked."""
        number, code = (request.args.get(name, "")[:40] for name in ("number", "code"))
        answer, error = None, None
        is_asked = "number" in request.args
        if is_asked:
            try:
                with edge.writing() as ctx:
                    answer = document_check.check(ctx, number, code)
            except (FieldErrors, Conflict) as refused:
                error = refused
        page = _question(number, code, error)
        if is_asked and error is None:
            page.above = [_answer(answer)]
            page.empty = "核验另一份文件，请重新输入编号和校验码"
        return self.render_template("report.html", page=page), error.status if error else 200


def _question(number: str, code: str, error: BusinessError | None) -> ReportPage:
    errors = error.field_errors if error else None
    fields = [
        widgets.text("number", "文件编号", number, errors=errors, required=True, maxlength=40),
        widgets.text("code", "校验码", code, errors=errors, required=True, maxlength=40),
    ]
    return ReportPage(
        document_check.LABEL,
        [],
        [],
        params=fields,
        url="/document-check/",
        errors=widgets.summary(fields, error),
        note="按文件末尾印的编号和校验码核对",
        empty="输入文件末尾印的编号和校验码（如 1A2B-3C4D-5E6F-7A8B）后查询",
        crumbs=[("业务查询", ""), (document_check.LABEL, "")],
        help_key="document_check",
    )


def _answer(answer: document_check.Answer | None) -> Section:
    if answer is None:
        said = [
            Fact("结果", Cell("不符", "enum", tone="bad")),
            Fact("说明", Cell("系统中没有这个编号和校验码的文件，或文件内容已被改动")),
        ]
        return Section("answer", "核验结果", facts=[("", said)])
    said = [
        Fact(
            "结果",
            Cell(
                "有效" if answer.is_valid else "已失效",
                "enum",
                tone="ok" if answer.is_valid else "warn",
            ),
        ),
        Fact("文件编号", Cell(answer.number)),
        Fact("文件种类", Cell(answer.kind)),
        Fact("客户", Cell(answer.party)),
        Fact("出具日期", Cell(answer.issued_on.isoformat(), "date")),
    ]
    if not answer.is_valid:
        said.append(Fact("原因", Cell(answer.standing)))
    return Section("answer", "核验结果", facts=[("", said)])
