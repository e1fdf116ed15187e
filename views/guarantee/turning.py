"""Buttons where the line turns: before the board again, and the end of a project before its drawdown (4.3, 4)."""

from typing import Any

from sqlalchemy import select

from models.base import columns as c
from models.guarantee.appraisal import PaperState
from models.guarantee.project import Project, ProjectState, SmallKind, Stage
from models.guarantee.termination import Termination, TerminationCause
from reports.figures import approvals
from views.guarantee.gate import standing_of
from views.kit.verbs import Questions, ScreenVerb, Upload, Values, in_state, record_url, register
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import refunds, resubmission, smallness, termination


def _ran_out(ctx: Ctx, project: Project) -> bool:
    is_on_the_way = (
        project.state is ProjectState.RUNNING and project.stage in resubmission.RENEWABLE
    )
    return is_on_the_way and standing_of(ctx, project).resolution is None


def _why_not_resubmit(ctx: Ctx, project: Project) -> str:
    return (
        "有审批正在办理，请待办结后再重新上会"
        if approvals.running_of_project(ctx.session, project.id)
        else ""
    )


def _may_reconsider(ctx: Ctx, project: Project) -> bool:
    is_refused = project.state is ProjectState.REFUSED and project.stage is Stage.RESOLVE
    return is_refused and not resubmission.is_reconsidered(ctx, project)


def _appeal(_: Ctx, __: Any) -> Questions:
    return {
        "why": c.long_text(
            "复议理由", required=True, help="与上次审议相比有何新的情况、新的材料；不超过 500 字"
        ),
        "material": Upload("补充材料", "PDF、Excel 或图片；审保会委员可在项目的“重新上会”中查看"),
    }


def _may_end(ctx: Ctx, project: Project) -> bool:
    if project.state is ProjectState.REFUSED:
        return termination.has_money(ctx, project)
    if project.state is not ProjectState.RUNNING:
        return False
    query = select(Termination.id).where(
        Termination.project_id == project.id,
        Termination.state.in_((PaperState.DRAFT, PaperState.IN_APPROVAL)),
    )
    return ctx.session.scalar(query.limit(1)) is None


def _ending(_: Ctx, __: Any) -> Questions:
    return {
        "cause": c.enum("终止原因", TerminationCause, required=True),
        "words": c.long_text("情况说明", required=True),
    }


def _end(ctx: Ctx, project: Project, values: Values, version: int | None) -> Termination:
    """Draw up the end of the project and submit it, all or nothing."""
    records.check_version(ctx, project, version)
    facts = {"project_id": project.id, "cause": values["cause"], "reason": values["words"]}
    made = records.create(ctx, Termination, facts)
    return termination.submit(ctx, made, made.version)


def _corrected(_: Ctx, __: Any) -> Questions:
    return {
        "kind": c.enum("更正为", SmallKind, required=True),
        "why": c.text(
            "更正原因", 200, required=True, help="如：按最近年报营业收入、从业人员重新划型"
        ),
    }


def _may_correct(_: Ctx, project: Project) -> bool:
    return project.state in smallness.CORRECTED_IN and project.small_asked is None


def _may_decide(ctx: Ctx, project: Project) -> bool:
    return project.small_asked is not None and project.small_asked_by_id != ctx.actor.employee_id


register(
    ScreenVerb(
        "project",
        "correct_small",
        "更正小微属性",
        run=lambda ctx, p, v, n: smallness.correct(ctx, p, v["kind"], v["why"], n),
        permission=("correct_small", "project"),
        is_offered=_may_correct,
        questions=_corrected,
        given=lambda _, p: {"kind": p.small_kind},
        has_form=True,
        rank=85,
        done="已提出更正，等待他人复核",
        note="由他人复核同意后生效，责任余额、放大倍数随之按新的属性计算",
    ),
    ScreenVerb(
        "project",
        "confirm_small",
        "同意小微属性更正",
        run=lambda ctx, p, _, n: smallness.decide(ctx, p, agrees=True, version=n),
        permission=("confirm_small", "project"),
        is_offered=_may_decide,
        style="primary",
        rank=0,
        done="小微属性已更正",
    ),
    ScreenVerb(
        "project",
        "refuse_small",
        "不同意小微属性更正",
        run=lambda ctx, p, v, n: smallness.decide(
            ctx, p, agrees=False, note=v["reason"], version=n
        ),
        permission=("confirm_small", "project"),
        is_offered=_may_decide,
        ask="不同意的原因",
        rank=1,
        done="已退回小微属性的更正",
    ),
    ScreenVerb(
        "project",
        "resubmit",
        "重新提交审保会",
        run=lambda ctx, p, v, n: resubmission.resubmit(ctx, p, v["reason"], n),
        permission=("resubmit", "project"),
        is_offered=_ran_out,
        why_not=_why_not_resubmit,
        ask="重新上会的原因",
        style="primary",
        rank=0,
        done="已重新提交审保会",
        confirm="项目回到“公司决议”等待新的决议；已登记的费用、合同和反担保在新决议范围内的继续有效。",
    ),
    ScreenVerb(
        "project",
        "reconsider",
        "申请复议",
        run=lambda ctx, p, v, n: resubmission.reconsider(ctx, p, v["why"], v["material"], n),
        permission=("reconsider", "project"),
        is_offered=_may_reconsider,
        questions=_appeal,
        has_form=True,
        style="primary",
        rank=1,
        done="已提交复议，等待审保会审议",
        note="每个项目只能复议一次",
    ),
    ScreenVerb(
        "project",
        "terminate",
        "终止办理",
        run=_end,
        permission=("submit", "termination"),
        is_offered=_may_end,
        questions=_ending,
        has_form=True,
        style="danger",
        rank=95,
        done="已提交终止办理",
        after=lambda _, made: record_url(made),
        note="没有费用入账的项目立即终止；已有费用入账或收款的须经审批，批准后冲回应收、退还已收费用和保证金",
    ),
    ScreenVerb(
        "termination",
        "submit",
        "提交终止办理",
        run=lambda ctx, r, _, v: termination.submit(ctx, r, v),
        permission=("submit", "termination"),
        is_offered=in_state("state", PaperState.DRAFT),
        style="primary",
        rank=1,
    ),
    ScreenVerb(
        "termination",
        "settle",
        "重新提交冲账退费",
        run=lambda ctx, r, _, v: refunds.settle_again(ctx, r, v),
        permission=("settle", "termination"),
        is_offered=lambda _, r: r.returned_reason is not None and r.settled_on is None,
        style="primary",
        rank=1,
        done="已重新送复核",
    ),
)
