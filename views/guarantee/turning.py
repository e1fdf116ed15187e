"""Buttons where the line turns: before the board again, and the end of a project before its drawdown (4.3, 4)."""

from typing import Any

from sqlalchemy import select

from models.base import columns as c
from models.base.paper import PaperState
from models.guarantee.project import Project, ProjectState, SmallKind, Stage
from models.guarantee.termination import Termination, TerminationCause
from reports.figures import approvals
from views.guarantee.gate import standing_of
from views.kit.buttons import (
    Button,
    Questions,
    Upload,
    Values,
    register,
    to_result,
)
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import refunds, resubmission, smallness, termination


def _ran_out(ctx: Ctx, project: Project) -> bool:
    return project.state is ProjectState.RUNNING and standing_of(ctx, project).resolution is None


def _why_not_resubmit(ctx: Ctx, project: Project) -> str:
    return (
        "有审批正在办理，请待办结后再重新上会"
        if approvals.running_of_project(ctx.session, project.id)
        else ""
    )


def _may_reconsider(ctx: Ctx, project: Project) -> bool:
    return project.stage is Stage.RESOLVE and not resubmission.is_reconsidered(ctx, project)


def _appeal(_: Ctx, __: Any) -> Questions:
    return {
        "reason": c.long_text(
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
        "reason": c.long_text("情况说明", required=True),
    }


def _end(ctx: Ctx, project: Project, version: int | None, **facts: Any) -> Termination:
    """Draw up the end of the project and submit it, all or nothing."""
    records.check_version(ctx, project, version)
    made = records.create(ctx, Termination, {"project_id": project.id, **facts})
    return termination.submit(ctx, made, made.version)


def _corrected(_: Ctx, __: Any) -> Questions:
    return {
        "kind": c.enum("更正为", SmallKind, required=True),
        "reason": c.text(
            "更正原因", 200, required=True, help="如：按最近年报营业收入、从业人员重新划型"
        ),
    }


def _may_correct(_: Ctx, project: Project) -> bool:
    return project.state in smallness.CORRECTED_IN and project.small_asked is None


def _may_decide(ctx: Ctx, project: Project) -> bool:
    return project.small_asked is not None and project.small_asked_by_id != ctx.actor.employee_id


def _kind_now(_: Ctx, project: Project) -> Values:
    return {"kind": project.small_kind}


def _agree(ctx: Ctx, project: Project, version: int | None) -> Project:
    return smallness.decide(ctx, project, agrees=True, version=version)


def _disagree(ctx: Ctx, project: Project, reason: str, version: int | None) -> Project:
    return smallness.decide(ctx, project, agrees=False, note=reason, version=version)


def _was_sent_back(_: Ctx, paper: Termination) -> bool:
    return paper.returned_reason is not None and paper.settled_on is None


register(
    Button(
        smallness.ACTS["correct_small"],
        smallness.correct,
        when=_may_correct,
        questions=_corrected,
        given=_kind_now,
        rank=85,
        done="已提出更正，等待他人复核",
        note="由他人复核同意后生效，责任余额、放大倍数随之按新的属性计算",
    ),
    Button(
        smallness.ACTS["confirm_small"],
        _agree,
        label="同意小微属性更正",
        when=_may_decide,
        style="primary",
        rank=0,
        done="小微属性已更正",
    ),
    Button(
        smallness.ACTS["confirm_small"],
        _disagree,
        name="refuse_small",
        label="不同意小微属性更正",
        when=_may_decide,
        ask="不同意的原因",
        rank=1,
        done="已退回小微属性的更正",
    ),
    Button(
        resubmission.STEPS["resubmit"],
        resubmission.resubmit,
        when=_ran_out,
        why_not=_why_not_resubmit,
        ask="重新上会的原因",
        style="primary",
        rank=0,
        done="已重新提交审保会",
        confirm="项目回到“公司决议”等待新的决议；已登记的费用、合同和反担保在新决议范围内的继续有效。",
    ),
    Button(
        resubmission.STEPS["reconsider"],
        resubmission.reconsider,
        when=_may_reconsider,
        questions=_appeal,
        style="primary",
        rank=1,
        done="已提交复议，等待审保会审议",
        note="每个项目只能复议一次",
    ),
    Button(
        termination.STEPS["submit"],
        _end,
        on="project",
        name="terminate",
        label="终止办理",
        when=_may_end,
        questions=_ending,
        style="danger",
        rank=95,
        done="已提交终止办理",
        after=to_result,
        note="没有费用入账的项目立即终止；已有费用入账或收款的须经审批，批准后冲回应收、退还已收费用和保证金",
    ),
    Button(
        termination.STEPS["submit"],
        termination.submit,
        style="primary",
        rank=1,
    ),
    Button(
        refunds.ACTS["settle"],
        refunds.settle_again,
        when=_was_sent_back,
        style="primary",
        rank=1,
        done="已重新送复核",
    ),
)
