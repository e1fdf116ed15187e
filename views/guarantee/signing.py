"""Buttons of the line from fees to drawdown (4.4a-4.5c)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from models.base import columns as c
from models.base.errors import FieldErrors
from models.base.money import format_money
from models.guarantee.appraisal import PaperState
from models.guarantee.drawdown import Drawdown, RepaymentPlan
from models.guarantee.product import FeeKind, RepaymentMethod
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import ResolutionState
from models.guarantee.signing import Contract, CounterGuarantee, Fee, FeeDue, FeeState
from reports.figures.fees import RECEIVABLE, free_amount
from reports.figures.line import lacking_kinds, uncontracted
from reports.figures.schedules import Instalment, add_months
from views.guarantee.appraisal import at, in_approval, running_url
from views.guarantee.gate import gate_of
from views.kit.pages import Cell, Column, Row, Section
from views.kit.verbs import (
    Questions,
    ScreenVerb,
    Upload,
    Values,
    all_of,
    in_state,
    record_url,
    register,
)
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import (
    collection,
    contracts,
    counters,
    disbursement,
    fees,
    resolution,
    waivers,
)
from workflows.guarantee.plan_layout import PLAN

_TOGETHER = "一笔到账收几项费用，开一张收据；每项费用各自复核记账"


def to_project(tab: str = "") -> Any:
    """Back to the project, on one of its tabs."""
    tail = f"?tab={tab}#tabs" if tab else ""
    return lambda record, _: f"/project/show/{record.project_id}{tail}"


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


def on_tab(tab: str) -> Any:
    """Stay on the project, at one of its tabs."""
    return lambda record, _: f"{record_url(record)}?tab={tab}#tabs"


def _may_void(_: Ctx, paper: Any) -> bool:
    """An approved paper of a project between 合同处理 and the drawdown."""
    project = paper.project
    is_signing = Stage.CONTRACT.rank <= project.stage.rank <= Stage.CONFIRM.rank
    return (
        paper.state is PaperState.APPROVED and project.state is ProjectState.RUNNING and is_signing
    )


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


def _collect_many(ctx: Ctx, project: Project, values: Values, version: int | None) -> Any:
    given = {fee.id: values[collection.line_key(fee)] for fee in collection.open_fees(ctx, project)}
    amounts = {key: amount for key, amount in given.items() if amount is not None}
    money = collection.Money(
        values["received_on"], values["payer"], values["bank_account"], values["bank_reference"]
    )
    return collection.collect_many(ctx, project, amounts, money, version)


def _may_collect_many(ctx: Ctx, project: Project) -> bool:
    """Offered while the project has come to 费用收取 and something is to be had."""
    has_come = project.state in (ProjectState.RUNNING, ProjectState.IN_FORCE)
    if not has_come or project.stage.rank < Stage.FEE_COLLECT.rank:
        return False
    return any(collection.open_fees(ctx, project).values())


def _with_the_others(ctx: Ctx, fee: Fee, values: Values, version: int | None) -> Any:
    if version is not None:
        records.check_version(ctx, fee, version)
    return _collect_many(ctx, fee.project, values, None)


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


def _loan(ctx: Ctx, project: Project) -> Questions:
    del ctx, project
    return {
        "bank_note_no": c.text("银行借据号", 60, required=True),
        "drawn_on": c.day("放款日期", required=True),
        "due_on": c.day("到期日期", required=True),
        "amount": c.money("放款金额", required=True, positive=True),
        "rate_annual_pct": c.rate(
            "年利率", unit="%/年", required=True, scale=6, maximum=Decimal(36)
        ),
        "repayment_method": c.enum("还款方式", RepaymentMethod, required=True),
        "plan": Upload("银行还款计划表", "Excel 文件；不上传则按还款方式由系统生成", sheet=PLAN),
    }


def _loan_given(ctx: Ctx, project: Project) -> Values:
    found = resolution.valid_resolution(ctx, project)
    months = found.term_months if found else project.term_months
    return {
        "drawn_on": ctx.today,
        "due_on": add_months(ctx.today, months),
        "amount": found.amount if found else project.amount,
        "rate_annual_pct": project.rate_annual_pct,
        "repayment_method": project.repayment_method,
    }


def _confirm_loan(ctx: Ctx, project: Project, values: Values, version: int | None) -> Drawdown:
    facts = {k: v for k, v in values.items() if k not in ("plan", "reason")}
    if values["plan"]:
        name, data = values["plan"]
        return disbursement.confirm_from_file(ctx, project, data, name, version=version, **facts)
    return disbursement.confirm(ctx, project, version=version, **facts)


def _plan_preview(ctx: Ctx, __: Project, values: Values) -> Section:
    """The plan that will count: the bank's, or one made from the terms."""
    terms = {k: v for k, v in values.items() if k not in ("plan", "reason")}
    if values["due_on"] <= values["drawn_on"]:
        raise FieldErrors({"due_on": ["到期日期应晚于放款日期"]})
    if values["plan"]:
        name, data = values["plan"]
        found = disbursement.plan_of(
            ctx, data, name, values["amount"], values["drawn_on"], values["due_on"]
        )
        return plan_section(found.instalments, f"银行文件“{name}”", found.warnings)
    return plan_section(
        disbursement.generate_plan(disbursement.Loan(**terms)), "由系统按还款方式生成"
    )


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
        "why": c.text("更换原因", 200, required=True),
    }


def _new_plan_preview(ctx: Ctx, loan: Drawdown, values: Values) -> Section:
    name, data = values["plan"]
    found = disbursement.plan_of(ctx, data, name, loan.amount, loan.drawn_on, loan.due_on)
    return plan_section(found.instalments, f"银行文件“{name}”", found.warnings)


def _replan(ctx: Ctx, loan: Drawdown, values: Values, version: int | None) -> RepaymentPlan:
    name, data = values["plan"]
    return disbursement.replan(
        ctx, loan, data, filename=name, reason=values["why"], version=version
    )


def _evidence(label: str) -> Any:
    return lambda _ctx, _record: {"evidence": c.text(label, 200, required=True)}


def _settlement(_: Ctx, __: Any) -> Questions:
    return {
        "evidence": c.text(
            "落实依据", 200, required=True, help="如：不动产登记证明编号、保证合同面签日期"
        ),
        "on": c.day("落实日期", required=True),
    }


register(
    ScreenVerb(
        "project",
        "propose_fees",
        "按产品带出费用",
        run=lambda ctx, p, _, v: fees.propose_fees(ctx, p, v),
        permission=("add", "fee"),
        is_offered=all_of(at(Stage.FEE_PLAN), lacks(Fee)),
        style="primary",
        rank=1,
        done="已带出产品费用，请核对",
        after=on_tab("fee"),
    ),
    ScreenVerb(
        "project",
        "submit_fees",
        "提交费用记账",
        run=lambda ctx, p, _, v: fees.submit_fees(ctx, p, v),
        permission=("submit_fees", "project"),
        is_offered=all_of(at(Stage.FEE_PLAN), has(Fee)),
        style="primary",
        rank=2,
        why_not=_why_not_submitted,
        mend=_mend_fees,
        done="费用已送复核记账",
    ),
    ScreenVerb(
        "project",
        "propose_contracts",
        "生成合同",
        run=lambda ctx, p, _, v: contracts.propose_contracts(ctx, p, v),
        permission=("add", "contract"),
        is_offered=all_of(at(Stage.CONTRACT), _lacks_contracts),
        style="primary",
        rank=1,
        done="已生成合同，请核对后逐份提交审核",
        after=on_tab("contract"),
    ),
    ScreenVerb(
        "project",
        "propose_counter_contracts",
        "生成反担保合同",
        run=lambda ctx, p, _, v: contracts.propose_contracts(ctx, p, v),
        permission=("add", "contract"),
        is_offered=_lacks_counter_contracts,
        style="primary",
        rank=0,
        done="已按登记的反担保逐项生成合同，请核对后逐份提交审核",
        after=on_tab("contract"),
    ),
    ScreenVerb(
        "contract",
        "submit",
        "提交合同审核",
        run=lambda ctx, r, _, v: contracts.submit(ctx, r, v),
        permission=("submit", "contract"),
        is_offered=in_state("state", PaperState.DRAFT),
        why_not=contracts.why_incomplete,
        mend=_mend_contract,
        style="primary",
        rank=1,
        after=to_project("contract"),
    ),
    ScreenVerb(
        "contract",
        "void",
        "作废合同",
        run=lambda ctx, r, v, n: contracts.void(ctx, r, v["reason"], n),
        permission=("void", "contract"),
        is_offered=_may_void,
        ask="作废原因",
        style="danger",
        rank=60,
        done="合同已作废",
        confirm="作废后项目退回“合同处理”，重新签订并审核后继续办理；其他已办妥的环节不受影响。",
        after=to_project("contract"),
    ),
    ScreenVerb(
        "project",
        "submit_counters",
        "提交反担保审核",
        run=lambda ctx, p, _, v: counters.submit(ctx, p, v),
        permission=("submit", "counter_guarantee"),
        is_offered=at(Stage.COUNTER),
        why_not=_why_no_counters,
        mend=_mend_counters,
        style="primary",
        rank=1,
        after=on_tab("counter_guarantee"),
    ),
    ScreenVerb(
        "counter_guarantee",
        "settle",
        "登记落实",
        run=lambda ctx, r, v, n: counters.settle(ctx, r, v["evidence"], v["on"], n),
        permission=("settle", "counter_guarantee"),
        is_offered=lambda _, r: r.state is PaperState.APPROVED and not r.is_settled,
        questions=_settlement,
        given=lambda ctx, _: {"on": ctx.today},
        has_form=True,
        style="primary",
        rank=1,
        after=to_project("counter_guarantee"),
    ),
    ScreenVerb(
        "counter_guarantee",
        "void",
        "撤销反担保",
        run=lambda ctx, r, v, n: counters.void(ctx, r, v["reason"], n),
        permission=("void", "counter_guarantee"),
        is_offered=_may_void,
        ask="撤销原因",
        style="danger",
        rank=60,
        done="反担保已撤销",
        confirm="撤销后如反担保覆盖率不足，项目退回“反担保”补充办理。",
        after=to_project("counter_guarantee"),
    ),
    ScreenVerb(
        "fee",
        "collect",
        "收款",
        run=lambda ctx, f, v, n: collection.collect(
            ctx,
            f,
            amount=v["amount"],
            received_on=v["received_on"],
            payer=v["payer"],
            bank_account=v["bank_account"],
            bank_reference=v["bank_reference"],
            version=n,
        ),
        permission=("collect", "receipt"),
        is_offered=_may_collect,
        questions=_receipt,
        given=_receipt_given,
        has_form=True,
        style="primary",
        rank=1,
        done="已登记收款，送复核记账",
        after=to_project("receipt"),
    ),
    ScreenVerb(
        "fee",
        "collect_all",
        "连同其他费用收款",
        run=_with_the_others,
        permission=("collect", "receipt"),
        is_offered=_is_one_of_several,
        questions=lambda ctx, fee: _receipts(ctx, fee.project),
        has_form=True,
        style="primary",
        rank=0,
        given=lambda ctx, fee: _receipts_given(ctx, fee.project),
        done="已登记收款，送复核记账",
        note=_TOGETHER,
        after=to_project("receipt"),
    ),
    ScreenVerb(
        "project",
        "collect",
        "收款",
        run=_collect_many,
        permission=("collect", "receipt"),
        is_offered=_may_collect_many,
        questions=_receipts,
        given=_receipts_given,
        has_form=True,
        style="primary",
        rank=1,
        done="已登记收款，送复核记账",
        note=_TOGETHER,
        after=on_tab("receipt"),
    ),
    ScreenVerb(
        "receipt",
        "drop",
        "撤销退回的收款",
        run=lambda ctx, r, v, n: collection.drop(ctx, r, v["reason"], n),
        permission=("drop", "receipt"),
        is_offered=collection.is_sent_back,
        ask="撤销原因",
        style="danger",
        rank=60,
        done="已撤销",
        confirm="款项确未收到时撤销；已收到的请在费用上重新登记收款。",
    ),
    ScreenVerb(
        "fee_due",
        "invoice",
        "登记开票",
        run=lambda ctx, d, v, n: fees.invoice(ctx, d, v["invoiced_on"], v["invoice_number"], n),
        permission=("invoice", "fee_due"),
        is_offered=lambda _, due: (
            due.invoiced_on is None
            and due.fee.state is FeeState.BOOKED
            and due.fee.kind in RECEIVABLE
        ),
        questions=_invoice,
        given=lambda ctx, _: {"invoiced_on": ctx.today},
        has_form=True,
        rank=10,
        done="已登记开票，增值税自开票之日起计",
        after=lambda due, _: f"/fee/show/{due.fee_id}?tab=fee_due#tabs",
    ),
    ScreenVerb(
        "fee_waiver",
        "submit",
        "提交减免审批",
        run=lambda ctx, w, _, v: waivers.submit(ctx, w, v),
        permission=("submit", "fee_waiver"),
        is_offered=in_state("state", PaperState.DRAFT),
        style="primary",
        rank=1,
        after=to_project("fee_waiver"),
    ),
    ScreenVerb(
        "resolution_condition",
        "meet",
        "登记落实",
        run=lambda ctx, r, v, n: disbursement.meet_condition(ctx, r, v["evidence"], n),
        permission=("meet", "resolution_condition"),
        is_offered=lambda _, r: not r.is_met and r.resolution.state is ResolutionState.VALID,
        questions=_evidence("落实依据"),
        has_form=True,
        style="primary",
        rank=1,
        after=lambda r, _: f"/project/show/{r.resolution.project_id}",
    ),
    ScreenVerb(
        "project",
        "issue_notice",
        "开具放款通知单",
        run=lambda ctx, p, _, v: disbursement.issue_notice(ctx, p, v),
        permission=("issue_notice", "bank_letter"),
        is_offered=at(Stage.NOTICE),
        why_not=_why_no_notice,
        mend=_mend_notice,
        style="primary",
        rank=1,
    ),
    ScreenVerb(
        "project",
        "confirm",
        "放款确认",
        run=_confirm_loan,
        permission=("confirm", "drawdown"),
        is_offered=at(Stage.CONFIRM),
        questions=_loan,
        given=_loan_given,
        has_form=True,
        style="primary",
        rank=1,
        done="已放款，项目进入在保",
        preview=_plan_preview,
        after=on_tab("drawdown"),
    ),
    ScreenVerb(
        "drawdown",
        "replan",
        "更换还款计划",
        run=_replan,
        permission=("replan", "drawdown"),
        is_offered=disbursement.may_replan,
        questions=_new_plan,
        preview=_new_plan_preview,
        has_form=True,
        rank=20,
        done="已更换还款计划，原计划保留备查",
        note="首次还款之前可以更换；原计划保留",
    ),
    ScreenVerb(
        "project",
        "reissue_notice",
        "重新开具放款通知单",
        run=lambda ctx, p, _, v: disbursement.issue_notice(ctx, p, v),
        permission=("issue_notice", "bank_letter"),
        is_offered=lambda ctx, p: (
            p.state is ProjectState.RUNNING
            and p.stage is Stage.CONFIRM
            and disbursement.is_run_out(ctx, p)
        ),
        rank=5,
    ),
)
