"""Buttons of the line from fees to drawdown (4.4a-4.5c)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from models.base import columns as c
from models.base.errors import FieldErrors
from models.base.moments import add_months
from models.base.money import format_money
from models.base.paper import PaperState
from models.guarantee.benchmark import Benchmark
from models.guarantee.drawdown import Drawdown, RepaymentPlan
from models.guarantee.product import DayCount, FeeKind, RepaymentMethod
from models.guarantee.project import Project, ProjectState, RenewalKind, Stage
from models.guarantee.resolution import ResolutionCondition, ResolutionState
from models.guarantee.signing import Contract, CounterGuarantee, Fee, FeeDue, FeeState
from reports.figures import products
from reports.figures.fees import RECEIVABLE, free_amount
from reports.figures.line import lacking_kinds, uncontracted
from reports.figures.schedules import Instalment
from views.guarantee.appraisal import at, in_approval, is_running, running_url, to_project
from views.guarantee.gate import gate_of
from views.kit.buttons import (
    Button,
    Questions,
    Upload,
    Values,
    all_of,
    on_tab,
    register,
)
from views.kit.pages import Cell, Column, Row, Section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import (
    backdating,
    collection,
    contracts,
    counters,
    disbursement,
    fees,
    plans,
    renewal,
    resolution,
)
from workflows.guarantee.plan_layout import PLAN

_TOGETHER = "一笔到账收几项费用，开一张收据；每项费用各自复核记账"


def has(model: Any, *conditions: Any) -> Any:
    """Offered while the project has such rows."""

    def test(ctx: Ctx, project: Project) -> bool:
        query = (
            select(func.count())
            .select_from(model)
            .where(model.project_id == project.id, *conditions)
        )
        return bool(ctx.session.scalar(query))

    return test


def lacks(model: Any, *conditions: Any) -> Any:
    """Offered while the project has no such rows."""
    test = has(model, *conditions)
    return lambda ctx, project: not test(ctx, project)


def _lacks_contracts(ctx: Ctx, project: Project) -> bool:
    """Offered at 合同处理 while the contract with the customer or the bank is missing, never drawn up or void."""
    return project.stage is Stage.CONTRACT and bool(lacking_kinds(ctx.session, project))


def _lacks_counter_contracts(ctx: Ctx, project: Project) -> bool:
    """Offered up to the drawdown while a registered guarantor or asset has no contract of its own."""
    is_signing = Stage.CONTRACT.rank <= project.stage.rank <= Stage.NOTICE.rank
    is_open = (
        project.state is ProjectState.RUNNING and is_signing and not _lacks_contracts(ctx, project)
    )
    return is_open and bool(uncontracted(ctx.session, project.id))


def _is_before_drawdown(_: Ctx, paper: Any) -> bool:
    """A paper of a project between 合同处理 and the drawdown."""
    project = paper.project
    is_signing = Stage.CONTRACT.rank <= project.stage.rank <= Stage.CONFIRM.rank
    return project.state is ProjectState.RUNNING and is_signing


def _why_no_notice(ctx: Ctx, project: Project) -> str:
    missing = [check for check in gate_of(ctx, project) if not check.is_met]
    return "；".join(f"{check.label}：{check.evidence}" for check in missing)


def _mend_notice(ctx: Ctx, project: Project) -> str:
    """Where the first unmet condition is mended."""
    missing = next(check for check in gate_of(ctx, project) if not check.is_met)
    return (
        f"/{missing.table}/show/{missing.record_id}"
        if missing.record_id
        else f"?tab={missing.table}#tabs"
    )


def _mend_contract(_: Ctx, contract: Contract) -> str:
    return f"/contract/edit/{contract.id}"


def _mend_counters(ctx: Ctx, project: Project) -> str:
    return running_url(ctx, project) or "?tab=counter_guarantee#tabs"


def _why_no_counters(ctx: Ctx, project: Project) -> str:
    drafts = has(CounterGuarantee, CounterGuarantee.state == PaperState.DRAFT)
    return in_approval(ctx, project) or ("" if drafts(ctx, project) else "请先登记反担保")


def _receipt(ctx: Ctx, about: Fee | Project) -> Questions:
    del ctx, about
    return {
        "amount": c.money("收款金额", required=True, positive=True),
        "received_on": c.day("收款日期", required=True),
        "payer": c.text("付款人", 100, required=True),
        "bank_account": c.text("收款账户", 100, help="开户行和账号，印在收据上"),
        "bank_reference": c.text("银行流水号", 60),
    }


def _may_collect(ctx: Ctx, fee: Fee) -> bool:
    """While something is left that no receipt before 复核 stands for."""
    is_booked = fee.state is FeeState.BOOKED or fee.kind is FeeKind.DEPOSIT
    return is_booked and fee.open_amount > 0 and free_amount(ctx.session, fee) > 0


def _receipt_given(ctx: Ctx, fee: Fee) -> Values:
    return {"amount": free_amount(ctx.session, fee), **_money_given(ctx, fee.project)}


def _money_given(ctx: Ctx, project: Project) -> Values:
    account = collection.last_account(ctx)
    return {"received_on": ctx.today, "payer": project.customer.name, "bank_account": account}


def _receipts(ctx: Ctx, project: Project) -> Questions:
    """A line of each booked fee, and the transfer that pays them."""
    lines = {
        collection.line_key(fee): c.money(
            fee.kind.label,
            help=f"应收 {format_money(fee.amount)} 元，待收 {format_money(free)} 元；本次不收则留空",
        )
        for fee, free in collection.open_fees(ctx, project).items()
    }
    transfer = {name: asked for name, asked in _receipt(ctx, project).items() if name != "amount"}
    return {**lines, **transfer}


def _receipts_given(ctx: Ctx, project: Project) -> Values:
    found = {
        collection.line_key(fee): free or None
        for fee, free in collection.open_fees(ctx, project).items()
    }
    return {**found, **_money_given(ctx, project)}


def _collect_many(ctx: Ctx, project: Project, version: int | None, **answers: Any) -> Any:
    lines = {fee.id: collection.line_key(fee) for fee in collection.open_fees(ctx, project)}
    amounts = {key: answers[line] for key, line in lines.items() if answers[line] is not None}
    money = {name: answers[name] for name in _receipt(ctx, project) if name != "amount"}
    return collection.collect_many(ctx, project, amounts, collection.Money(**money), version)


def _may_collect_many(ctx: Ctx, project: Project) -> bool:
    """Offered while the project has come to 费用收取 and something is to be had."""
    has_come = project.state in (ProjectState.RUNNING, ProjectState.IN_FORCE)
    if not has_come or project.stage.rank < Stage.FEE_COLLECT.rank:
        return False
    return any(collection.open_fees(ctx, project).values())


def _with_the_others(ctx: Ctx, fee: Fee, version: int | None, **answers: Any) -> Any:
    if version is not None:
        records.check_version(ctx, fee, version)
    return _collect_many(ctx, fee.project, None, **answers)


def _receipts_of_fee(ctx: Ctx, fee: Fee) -> Questions:
    return _receipts(ctx, fee.project)


def _receipts_of_fee_given(ctx: Ctx, fee: Fee) -> Values:
    return _receipts_given(ctx, fee.project)


def _is_one_of_several(ctx: Ctx, fee: Fee) -> bool:
    return (
        _may_collect(ctx, fee)
        and sum(free > 0 for free in collection.open_fees(ctx, fee.project).values()) > 1
    )


def _invoice(_: Ctx, __: FeeDue) -> Questions:
    return {
        "invoiced_on": c.day("开票日期", required=True),
        "invoice_number": c.text("发票号码", 40, required=True),
    }


def _unfiled(ctx: Ctx, project: Project) -> Fee | None:
    """A draft that is free of VAT and names no filing yet."""
    query = select(Fee).where(
        Fee.project_id == project.id,
        Fee.state == FeeState.DRAFT,
        Fee.vat_exemption.is_not(None),
        Fee.vat_filing.is_(None),
    )
    return ctx.session.scalars(query.limit(1)).first()


def _why_not_submitted(ctx: Ctx, project: Project) -> str:
    fee = _unfiled(ctx, project)
    return f"{fee.kind.label}免征增值税，尚未填写免税备案或资料编号" if fee else ""


def _mend_fees(ctx: Ctx, project: Project) -> str:
    fee = _unfiled(ctx, project)
    return f"/fee/edit/{fee.id}" if fee else "?tab=fee#tabs"


def _former(ctx: Ctx, project: Project) -> Questions:
    """What is asked beside the new loan where it settles the former one."""
    if project.renewal_kind is not RenewalKind.ROLLOVER or not renewal.owed(ctx.session, project):
        return {}
    left = format_money(renewal.owed(ctx.session, project))
    said = f"客户结清原借据最后一期的利息；原借款本金 {left} 元由本次放款结清"
    return {
        "former_interest": c.money("原借据结清利息", help=said),
        "former_note": c.text("结清利息说明", renewal.NOTE_MAX, help="利息明显高于还款计划的填写"),
    }


def _loan(ctx: Ctx, project: Project) -> Questions:
    return {
        "bank_note_no": c.text("银行借据号", 60, required=True),
        "drawn_on": c.day("放款日期", required=True),
        "due_on": c.day("到期日期", required=True),
        "amount": c.money("放款金额", required=True, positive=True),
        "rate_annual_pct": c.rate(
            "年利率", unit="%/年", required=True, scale=6, maximum=Decimal(36)
        ),
        "benchmark": c.enum("基准利率", Benchmark, help="按 LPR 加点定价的填写"),
        "spread_bp": c.rate("加点", unit="BP", scale=2, signed=True, maximum=Decimal(3600)),
        "repayment_method": c.enum("还款方式", RepaymentMethod, required=True),
        "day_count": c.enum("计息天数", DayCount, required=True, help="按银行借据"),
        "pay_day": c.whole(
            "每月还款日",
            unit="日",
            minimum=1,
            maximum=31,
            help="不填则按放款日；月末不足的为当月最后一日",
        ),
        "lines": c.long_text("各期还款", help=f"还款方式为“按约定分期”时填写。{plans.LINES}"),
        **_former(ctx, project),
        "plan": Upload("银行还款计划表", "Excel 文件；不上传则按还款方式由系统生成", sheet=PLAN),
    }


def _loan_given(ctx: Ctx, project: Project) -> Values:
    found = resolution.valid_resolution(ctx, project)
    months = found.term_months if found else project.term_months
    product = project.product
    given = {
        "drawn_on": ctx.today,
        "due_on": add_months(ctx.today, months),
        "amount": found.amount if found else project.amount,
        "rate_annual_pct": project.rate_annual_pct,
        "repayment_method": project.repayment_method,
        "day_count": product.day_count,
        **{
            name: renewal.planned_interest(ctx.session, project, ctx.today)
            for name in _former(ctx, project)
            if name == "former_interest"
        },
    }
    if products.rate_of(ctx.session, product, ctx.today) == project.rate_annual_pct:
        given |= {"benchmark": product.benchmark, "spread_bp": product.spread_bp}
    return given


def _next_given(ctx: Ctx, project: Project) -> Values:
    """A further part: what the bank has not paid yet, to the end of what is in force."""
    rest = disbursement.undrawn(ctx.session, project, ctx.today)
    return {**_loan_given(ctx, project), "amount": rest, "due_on": project.end_on}


def _may_draw_again(ctx: Ctx, project: Project) -> bool:
    return bool(disbursement.undrawn(ctx.session, project, ctx.today))


def _confirm_loan(
    ctx: Ctx, project: Project, plan: tuple[str, bytes] | None, **facts: Any
) -> Drawdown:
    if plan:
        return disbursement.confirm_from_file(ctx, project, plan[1], plan[0], **facts)
    return disbursement.confirm(ctx, project, **facts)


def _plan_preview(ctx: Ctx, project: Project, values: Values) -> Section:
    """The plan that will count: the bank's, or one made from the terms."""
    terms = {
        name: value
        for name, value in values.items()
        if name not in ("plan", "former_interest", "former_note")
    }
    if values["due_on"] <= values["drawn_on"]:
        raise FieldErrors({"due_on": ["到期日期应晚于放款日期"]})
    if values["plan"]:
        name, data = values["plan"]
        found = plans.plan_of_file(
            ctx, data, name, values["amount"], values["drawn_on"], values["due_on"]
        )
        told = _what_follows(ctx, project, values, found.instalments)
        return plan_section(found.instalments, f"银行文件“{name}”", [*found.warnings, *told])
    is_agreed = values["repayment_method"] is RepaymentMethod.CUSTOM
    source = (
        "按填写的各期" if is_agreed else f"由系统按还款方式生成，计息 {values['day_count'].label}"
    )
    rows = plans.planned(plans.Loan(**terms))
    return plan_section(rows, source, _what_follows(ctx, project, values, rows))


def _what_follows(ctx: Ctx, project: Project, values: Values, rows: list[Instalment]) -> list[str]:
    """What a drawdown of an earlier day brings at once (4.13), and the former loan that it settles (4.12)."""
    found = backdating.of_drawdown(ctx, values["drawn_on"], rows)
    settled = ["原借款由本次放款结清，并起草原项目解保"] if _former(ctx, project) else []
    return settled + [
        f"{one.what}：{one.before}，{one.after}".replace("：—，", "：") for one in found
    ]


def plan_section(rows: list[Instalment], source: str, warnings: Sequence[str] = ()) -> Section:
    """A repayment plan to look at."""
    columns = [
        Column("seq", "期次", "int"),
        Column("due_on", "应还日期", "date"),
        Column("principal", "本金", "money", "元"),
        Column("interest", "利息", "money", "元"),
    ]
    cells = [
        Row(
            str(row.seq),
            "",
            (
                Cell(str(row.seq), "int"),
                Cell(row.due_on.isoformat(), "date"),
                Cell(format_money(row.principal), "money"),
                Cell(format_money(row.interest), "money"),
            ),
        )
        for row in rows
    ]
    principal, interest = (
        sum((getattr(r, part) for r in rows), Decimal(0)) for part in ("principal", "interest")
    )
    sums = [("合计", {"principal": format_money(principal), "interest": format_money(interest)})]
    note = "；".join([f"{source}，共 {len(rows)} 期，请与银行核对后确认", *warnings])
    return Section("plan", "还款计划预览", columns=columns, rows=cells, sums=sums, note=note)


def _new_plan(_: Ctx, __: Drawdown) -> Questions:
    return {
        "plan": Upload("银行还款计划表", "Excel 文件", required=True, sheet=PLAN),
        "reason": c.text("更换原因", 200, required=True),
    }


def _new_plan_preview(ctx: Ctx, loan: Drawdown, values: Values) -> Section:
    name, data = values["plan"]
    found = plans.plan_of_file(ctx, data, name, loan.amount, loan.drawn_on, loan.due_on)
    return plan_section(found.instalments, f"银行文件“{name}”", found.warnings)


def _replan(ctx: Ctx, loan: Drawdown, plan: tuple[str, bytes], **why: Any) -> RepaymentPlan:
    return disbursement.replan(ctx, loan, plan[1], plan[0], **why)


def _evidence(_: Ctx, __: Any) -> Questions:
    return {"evidence": c.text("落实依据", 200, required=True)}


def _settlement(_: Ctx, __: Any) -> Questions:
    return {
        "evidence": c.text(
            "落实依据", 200, required=True, help="如：不动产登记证明编号、保证合同面签日期"
        ),
        "on": c.day("落实日期", required=True),
    }


def _settlement_given(ctx: Ctx, _: CounterGuarantee) -> Values:
    return {"on": ctx.today}


def _may_settle(_: Ctx, item: CounterGuarantee) -> bool:
    return item.state is PaperState.APPROVED and not item.is_settled


def _invoice_given(ctx: Ctx, _: FeeDue) -> Values:
    return {"invoiced_on": ctx.today}


def _may_invoice(_: Ctx, due: FeeDue) -> bool:
    is_owed = due.fee.state is FeeState.BOOKED and due.fee.kind in RECEIVABLE
    return due.invoiced_on is None and is_owed


def _to_fee(due: FeeDue, _: Any) -> str:
    return f"/fee/show/{due.fee_id}?tab=fee_due#tabs"


def _is_unmet(_: Ctx, condition: ResolutionCondition) -> bool:
    return not condition.is_met and condition.resolution.state is ResolutionState.VALID


def _to_project_of_condition(condition: ResolutionCondition, _: Any) -> str:
    return f"/project/show/{condition.resolution.project_id}"


def _has_run_out(ctx: Ctx, project: Project) -> bool:
    return (
        at(Stage.CONFIRM)(ctx, project) or _may_draw_again(ctx, project)
    ) and disbursement.is_run_out(ctx, project)


register(
    Button(
        fees.PROPOSE,
        fees.propose_fees,
        on="project",
        name="propose_fees",
        when=all_of(at(Stage.FEE_PLAN), lacks(Fee)),
        style="primary",
        rank=1,
        done="已带出产品费用，请核对",
        after=on_tab("fee"),
    ),
    Button(
        fees.STEPS["submit_fees"],
        fees.submit_fees,
        when=all_of(is_running, has(Fee)),
        style="primary",
        rank=2,
        why_not=_why_not_submitted,
        mend=_mend_fees,
        done="费用已送复核记账",
    ),
    Button(
        contracts.PROPOSE,
        contracts.propose_contracts,
        on="project",
        name="propose_contracts",
        when=all_of(at(Stage.CONTRACT), _lacks_contracts),
        style="primary",
        rank=1,
        done="已生成合同，请核对后逐份提交审核",
        after=on_tab("contract"),
    ),
    Button(
        contracts.PROPOSE,
        contracts.propose_contracts,
        on="project",
        name="propose_counter_contracts",
        label="生成反担保合同",
        when=_lacks_counter_contracts,
        style="primary",
        rank=0,
        done="已按登记的反担保逐项生成合同，请核对后逐份提交审核",
        after=on_tab("contract"),
    ),
    Button(
        contracts.STEPS["submit"],
        contracts.submit,
        why_not=contracts.PAPER.why_not,
        mend=_mend_contract,
        style="primary",
        rank=1,
        after=to_project("contract"),
    ),
    Button(
        contracts.STEPS["void"],
        contracts.void,
        when=_is_before_drawdown,
        ask="作废原因",
        style="danger",
        rank=60,
        done="合同已作废",
        confirm="作废后项目退回“合同处理”，重新签订并审核后继续办理；其他已办妥的环节不受影响。",
        after=to_project("contract"),
    ),
    Button(
        counters.STEPS["submit"],
        counters.submit,
        on="project",
        name="submit_counters",
        when=at(Stage.COUNTER),
        why_not=_why_no_counters,
        mend=_mend_counters,
        style="primary",
        rank=1,
        after=on_tab("counter_guarantee"),
    ),
    Button(
        counters.ACTS["settle"],
        counters.settle,
        when=_may_settle,
        why_not=counters.why_not_settle,
        questions=_settlement,
        given=_settlement_given,
        style="primary",
        rank=1,
        after=to_project("counter_guarantee"),
    ),
    Button(
        counters.STEPS["void"],
        counters.void,
        when=_is_before_drawdown,
        ask="撤销原因",
        style="danger",
        rank=60,
        done="反担保已撤销",
        confirm="撤销后如反担保覆盖率不足，项目退回“反担保”补充办理。",
        after=to_project("counter_guarantee"),
    ),
    Button(
        collection.ACTS["collect"],
        collection.collect,
        on="fee",
        when=_may_collect,
        questions=_receipt,
        given=_receipt_given,
        style="primary",
        rank=1,
        done="已登记收款，送复核记账",
        after=to_project("receipt"),
    ),
    Button(
        collection.ACTS["collect"],
        _with_the_others,
        on="fee",
        name="collect_all",
        label="连同其他费用收款",
        when=_is_one_of_several,
        questions=_receipts_of_fee,
        style="primary",
        rank=0,
        given=_receipts_of_fee_given,
        done="已登记收款，送复核记账",
        note=_TOGETHER,
        after=to_project("receipt"),
    ),
    Button(
        collection.ACTS["collect"],
        _collect_many,
        on="project",
        when=_may_collect_many,
        questions=_receipts,
        given=_receipts_given,
        style="primary",
        rank=1,
        done="已登记收款，送复核记账",
        note=_TOGETHER,
        after=on_tab("receipt"),
    ),
    Button(
        collection.ACTS["drop"],
        collection.drop,
        when=collection.is_sent_back,
        ask="撤销原因",
        style="danger",
        rank=60,
        done="已撤销",
        confirm="款项确未收到时撤销；已收到的请在费用上重新登记收款。",
    ),
    Button(
        fees.ACTS["invoice"],
        fees.invoice,
        when=_may_invoice,
        questions=_invoice,
        given=_invoice_given,
        rank=10,
        done="已登记开票，增值税自开票之日起计",
        after=_to_fee,
    ),
    Button(
        disbursement.ACTS["meet"],
        disbursement.meet_condition,
        when=_is_unmet,
        questions=_evidence,
        style="primary",
        rank=1,
        after=_to_project_of_condition,
    ),
    Button(
        disbursement.ACTS["issue_notice"],
        disbursement.issue_notice,
        on="project",
        when=at(Stage.NOTICE),
        why_not=_why_no_notice,
        mend=_mend_notice,
        style="primary",
        rank=1,
    ),
    Button(
        disbursement.ACTS["confirm"],
        _confirm_loan,
        on="project",
        when=at(Stage.CONFIRM),
        questions=_loan,
        given=_loan_given,
        style="primary",
        rank=1,
        done="已放款，项目进入在保",
        preview=_plan_preview,
        after=on_tab("drawdown"),
    ),
    Button(
        disbursement.ACTS["confirm"],
        _confirm_loan,
        on="project",
        name="confirm_again",
        label="再次放款",
        when=_may_draw_again,
        questions=_loan,
        given=_next_given,
        rank=4,
        done="已登记放款，在保余额随之增加",
        preview=_plan_preview,
        after=on_tab("drawdown"),
        note="银行分次放款时逐笔登记，每笔一份还款计划；各笔合计不超过决议和合同金额",
    ),
    Button(
        disbursement.ACTS["replan"],
        _replan,
        when=disbursement.may_replan,
        questions=_new_plan,
        preview=_new_plan_preview,
        rank=20,
        done="已更换还款计划，原计划保留备查",
        note="首次还款之前可以更换；原计划保留",
    ),
    Button(
        disbursement.ACTS["issue_notice"],
        disbursement.issue_notice,
        on="project",
        name="reissue_notice",
        label="重新开具放款通知单",
        when=_has_run_out,
        rank=5,
    ),
)
