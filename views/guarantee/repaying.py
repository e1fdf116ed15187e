"""Buttons after the drawdown: repayments, notices of what is overdue, release, warnings (4.5e, 6.4, 6.6)."""

from datetime import date
from typing import Any

from sqlalchemy import select

from models.after.warning import RiskWarning
from models.base import columns as c
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.release import Release, ReleaseBasis
from models.guarantee.repayment import Repayment, RepaymentSource
from reports.figures.overdue import overdue_lines
from views.guarantee.appraisal import in_approval, running_url
from views.kit.buttons import (
    Button,
    Questions,
    Upload,
    Values,
    register,
    to_result,
)
from views.kit.pages import GateItem, Section
from workflows.after import warning
from workflows.base import attachments, records
from workflows.base.context import Ctx
from workflows.guarantee import backdating, release, repayment
from workflows.guarantee.repayment import Paid


def _running_loan(ctx: Ctx, project: Project) -> Drawdown | None:
    """The one loan of a project that still runs; None when there are several or none."""
    query = select(Drawdown).where(
        Drawdown.project_id == project.id,
        Drawdown.state.in_((DrawdownState.ACTIVE, DrawdownState.OVERDUE)),
    )
    found = ctx.session.scalars(query.limit(2)).all()
    return found[0] if len(found) == 1 else None


_SETTLING = "凭银行结清确认办理：本金为全部借款余额，利息按银行实收；与计划不同的在备注中说明"


def _repayment_form(ctx: Ctx, record: Any) -> Questions:
    del ctx, record
    return {
        "paid_on": c.day("还款日期", required=True),
        "principal": c.money("还本金额", required=True),
        "interest": c.money(
            "还息金额", required=True, help="按银行实收填写；超出还款计划的部分单独列示"
        ),
        "is_final": c.flag("结清", help="银行确认本息已全部结清；计划利息与实收利息的差额不再收取"),
        "note": c.text("备注", 200),
    }


def _repayment_given(ctx: Ctx, loan: Drawdown) -> Values:
    """What falls due now, which is what most customers pay."""
    principal, interest = repayment.owed_by(repayment.plan_rows(ctx.session, loan), ctx.today)
    return {"paid_on": ctx.today, "principal": principal, "interest": interest}


def _settlement_given(ctx: Ctx, loan: Drawdown) -> Values:
    """All principal; interest as the plan has it by today, until the bank says otherwise."""
    _, interest = repayment.owed_by(repayment.plan_rows(ctx.session, loan), ctx.today)
    return {"paid_on": ctx.today, "principal": loan.balance, "interest": interest, "is_final": True}


def _is_before_its_dates(ctx: Ctx, loan: Drawdown) -> bool:
    """Whether more principal is open than has fallen due."""
    if not _is_running(ctx, loan):
        return False
    due, _ = repayment.owed_by(repayment.plan_rows(ctx.session, loan), ctx.today)
    return loan.balance > due


def _register(ctx: Ctx, loan: Drawdown, version: int | None, **paid: Any) -> Repayment:
    return repayment.register(ctx, loan, Paid(**paid), version)


def _register_of_project(ctx: Ctx, project: Project, version: int | None, **paid: Any) -> Repayment:
    records.check_version(ctx, project, version)
    loan = _running_loan(ctx, project)
    assert loan is not None, "offered only with one running loan"
    return _register(ctx, loan, None, **paid)


def _given_of_project(ctx: Ctx, project: Project) -> Values:
    loan = _running_loan(ctx, project)
    return {} if loan is None else _repayment_given(ctx, loan)


def _is_ahead_of_its_plan(ctx: Ctx, project: Project) -> bool:
    loan = _running_loan(ctx, project) if project.state is ProjectState.IN_FORCE else None
    return loan is not None and _is_before_its_dates(ctx, loan)


def _settlement_of_project(ctx: Ctx, project: Project) -> Values:
    loan = _running_loan(ctx, project)
    return {} if loan is None else _settlement_given(ctx, loan)


def _backdated(ctx: Ctx, loan: Drawdown, values: Values) -> Section | None:
    """What an earlier day changes, where it changes more than a repayment of today would (4.13)."""
    effects = backdating.of_repayment(ctx, loan, Paid(**values))
    return effects_section(effects, values["paid_on"]) if effects else None


def _backdated_of_project(ctx: Ctx, project: Project, values: Values) -> Section | None:
    loan = _running_loan(ctx, project)
    return None if loan is None else _backdated(ctx, loan, values)


def effects_section(effects: list[backdating.Effect], on: date) -> Section:
    """Each thing that an event of an earlier day changes, before and after."""
    items = [
        GateItem(one.what, True, f"{one.before} → {one.after}", is_warning=not one.stays)
        for one in effects
    ]
    title, note = f"补登 {on} 的影响", "现在 → 登记后；只重算该日以后的部分，请核对后再次提交"
    return Section("effects", title, template="parts/gate.html", data=items, note=note)


def _is_running(_: Ctx, loan: Drawdown) -> bool:
    return loan.is_running and loan.project.state is ProjectState.IN_FORCE


def _has_one_loan(ctx: Ctx, project: Project) -> bool:
    return project.state is ProjectState.IN_FORCE and _running_loan(ctx, project) is not None


def _is_overdue(ctx: Ctx, loan: Drawdown) -> bool:
    return _is_running(ctx, loan) and bool(overdue_lines(ctx.session, loan, ctx.today))


def _release_form(ctx: Ctx, project: Project) -> Questions:
    del ctx, project
    return {
        "basis": c.enum("解保依据", ReleaseBasis, required=True),
        "letter_no": c.text("银行函号", 60, help="依据为银行函件时填写"),
        "letter_on": c.day("银行函日期"),
        "note": c.long_text("说明"),
        "letter": Upload("银行函件", "PDF 或图片；依据为银行函件时上传"),
    }


def _release_given(ctx: Ctx, project: Project) -> Values:
    del ctx
    return {"basis": ReleaseBasis.REPAID if project.balance == 0 else ReleaseBasis.BANK_LETTER}


def _apply_for_release(
    ctx: Ctx, project: Project, letter: tuple[str, bytes] | None, version: int | None, **facts: Any
) -> Release:
    """Draw up the release with its letter and put it up for approval, all or nothing."""
    records.check_version(ctx, project, version)
    made = records.create(ctx, Release, {"project_id": project.id, **facts})
    if letter:
        attachments.store(ctx, made, filename=letter[0], data=letter[1])
    release.submit(ctx, made, made.version)
    return made


def _may_release(ctx: Ctx, project: Project) -> bool:
    if project.state is not ProjectState.IN_FORCE or project.stage is not Stage.IN_FORCE:
        return False
    query = select(Release.id).where(
        Release.project_id == project.id,
        Release.state.in_((PaperState.DRAFT, PaperState.IN_APPROVAL)),
    )
    return ctx.session.scalar(query.limit(1)) is None


def _waits_for_deposit(_: Ctx, record: Release) -> bool:
    return record.returned_reason is not None and record.released_on is None


def _measure(_: Ctx, __: Any) -> Questions:
    return {"handling": c.long_text("处理措施", required=True)}


def _measure_given(_: Ctx, warning: RiskWarning) -> Values:
    return {"handling": warning.handling}


def _why_not_release(ctx: Ctx, record: Release) -> str:
    return in_approval(ctx, record) or release.PAPER.why_not(ctx, record)


register(
    Button(
        repayment.ACTS["register"],
        _register,
        on="drawdown",
        when=_is_running,
        questions=_repayment_form,
        given=_repayment_given,
        preview=_backdated,
        looks_seldom=True,
        style="primary",
        rank=1,
        done="已登记还款，还款回执已出具",
        after=to_result,
    ),
    Button(
        repayment.ACTS["register"],
        _register,
        on="drawdown",
        name="settle_early",
        label="提前结清",
        when=_is_before_its_dates,
        questions=_repayment_form,
        given=_settlement_given,
        preview=_backdated,
        looks_seldom=True,
        rank=4,
        done="已登记提前结清，还款回执已出具",
        after=to_result,
        note=_SETTLING,
    ),
    Button(
        repayment.ACTS["register"],
        _register_of_project,
        on="project",
        name="register_repayment",
        when=_has_one_loan,
        questions=_repayment_form,
        given=_given_of_project,
        preview=_backdated_of_project,
        looks_seldom=True,
        style="primary",
        rank=3,
        done="已登记还款，还款回执已出具",
        after=to_result,
    ),
    Button(
        repayment.ACTS["register"],
        _register_of_project,
        on="project",
        name="settle_early",
        label="提前结清",
        when=_is_ahead_of_its_plan,
        questions=_repayment_form,
        given=_settlement_of_project,
        preview=_backdated_of_project,
        looks_seldom=True,
        rank=6,
        done="已登记提前结清，还款回执已出具",
        after=to_result,
        note=_SETTLING,
    ),
    Button(
        repayment.ACTS["issue_overdue"],
        repayment.issue_overdue_notice,
        when=_is_overdue,
        rank=5,
        done="已开具欠款通知单",
        after=to_result,
    ),
    Button(
        repayment.STEPS["reverse"],
        repayment.reverse,
        when=lambda _, paid: paid.source is not RepaymentSource.HISTORY,
        style="danger",
        rank=30,
        ask="冲正原因",
        confirm="冲正后借款余额、还款计划和在保余额恢复到登记之前。",
        done="还款已冲正",
    ),
    Button(
        release.STEPS["submit"],
        _apply_for_release,
        on="project",
        name="release",
        label="申请解保",
        when=_may_release,
        questions=_release_form,
        given=_release_given,
        rank=8,
        done="已提交解保审批",
        after=to_result,
    ),
    Button(
        release.STEPS["submit"],
        release.submit,
        why_not=_why_not_release,
        mend=running_url,
        style="primary",
        rank=1,
    ),
    Button(
        release.ACTS["return_deposit"],
        release.return_deposit,
        when=_waits_for_deposit,
        style="primary",
        rank=2,
        done="已重新送复核",
    ),
    Button(
        warning.STEPS["handle"],
        warning.handle,
        questions=_measure,
        given=_measure_given,
        style="primary",
        rank=1,
        done="已登记处理措施",
    ),
    Button(
        warning.STEPS["lift"],
        warning.lift,
        rank=2,
        ask="解除原因",
        done="预警已解除",
    ),
)
