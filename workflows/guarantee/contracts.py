"""4.4c 合同处理: 委托担保合同, 保证合同 and 反担保合同, their review and their text."""

from datetime import date

from sqlalchemy import func, select

from models.appraisal import LIVE_PAPERS, PaperState
from models.approval import ApprovalInstance, ApprovalState
from models.base.errors import FieldErrors
from models.base.money import format_money
from models.project import Project, ProjectState, Stage
from models.resolution import Resolution
from models.signing import Contract, ContractKind
from reports.figures.line import REQUIRED, contract_stands, stage_due
from reports.figures.schedules import add_months
from workflows.base import approval, audit, documents, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import OPEN_PAPERS, conclude, life
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import contract_data, letters, stages
from workflows.guarantee.fees import require_resolution

STEPS = steps(
    *life("contract", "提交合同审核", lapses_from=(*OPEN_PAPERS, PaperState.APPROVED)),
    Step("contract", "void", "作废合同", "state", (PaperState.APPROVED,), (PaperState.VOID,)),
)
RULES = {
    ContractKind.ENTRUSTMENT: "entrusted_contract",
    ContractKind.GUARANTEE: "guarantee_contract",
    ContractKind.COUNTER: "counter_contract",
}


@records.rule(Contract)
def check_contract(ctx: Ctx, contract: Contract, is_new: bool) -> None:
    """A contract stays within the resolution; a new one is numbered by its kind."""
    project = stages.locked(ctx, contract.project_id)
    stages.require_running(project, Stage.CONTRACT, "登记合同")
    resolution = require_resolution(ctx, project, "登记合同")
    found: dict[str, list[str]] = {}
    if contract.amount > resolution.amount:
        found["amount"] = [f"合同金额不能超过决议金额 {format_money(resolution.amount)} 元"]
    if contract.signed_on > ctx.today:
        found["signed_on"] = ["签约日期不能晚于营业日期"]
    if contract.ends_on < contract.starts_on:
        found["ends_on"] = ["到期日期不能早于起始日期"]
    elif contract.kind in REQUIRED and contract.ends_on > _latest(contract.starts_on, resolution.term_months):
        found["ends_on"] = [f"合同期限不能超过决议期限 {resolution.term_months} 个月"]
    if contract.kind in REQUIRED and _others(ctx, contract):
        found["kind"] = [f"项目已有一份{contract.kind.label}"]
    if found:
        raise FieldErrors(found)
    if is_new:
        contract.number = next_number(ctx, RULES[contract.kind])
        contract.project = project


def _latest(starts_on: date, months: int) -> date:
    return add_months(starts_on, months)


def _others(ctx: Ctx, contract: Contract) -> int:
    query = select(func.count()).where(
        Contract.project_id == contract.project_id, Contract.kind == contract.kind, Contract.state.in_(LIVE_PAPERS),
    )  # fmt: skip
    if contract.id is not None:
        query = query.where(Contract.id != contract.id)
    return int(ctx.session.scalar(query) or 0)


@records.delete_rule(Contract)
def check_delete(ctx: Ctx, contract: Contract) -> None:
    """Where a draft was all that the project waited for, it moves on without it."""
    _pass_on(ctx, contract.project, without=contract.id)


def propose_contracts(ctx: Ctx, project: Project, version: int | None = None) -> list[Contract]:
    """Draw up the three contracts that the project lacks, with the terms of the resolution; returns the new ones."""
    letters.require_visible(ctx, project, version)
    stages.require_running(project, Stage.CONTRACT, "登记合同")
    resolution = require_resolution(ctx, project, "登记合同")
    live = select(Contract.kind).where(Contract.project_id == project.id, Contract.state.in_(LIVE_PAPERS))
    present = set(ctx.session.scalars(live))
    parties = {
        ContractKind.ENTRUSTMENT: project.customer.name,
        ContractKind.GUARANTEE: project.bank.name,
        ContractKind.COUNTER: project.customer.name,
    }
    terms = {
        "project_id": project.id, "amount": resolution.amount, "signed_on": ctx.today, "starts_on": ctx.today,
        "ends_on": _latest(ctx.today, resolution.term_months),
    }  # fmt: skip
    return [
        records.create(ctx, Contract, {**terms, "kind": kind, "counterparty": party})
        for kind, party in parties.items()
        if kind not in present
    ]


def submit(ctx: Ctx, contract: Contract, version: int | None = None) -> ApprovalInstance:
    """Put the contract up for review by 法务."""
    enter(ctx, STEPS["submit"], contract, version)
    check_contract(ctx, contract, False)
    move(STEPS["submit"], contract)
    return stages.put_up(ctx, "contract", contract, contract.project, contract.kind.label, amount=contract.amount)


@approval.on_finish("contract")
def reviewed(ctx: Ctx, instance: ApprovalInstance, contract: Contract, outcome: ApprovalState) -> None:
    """Approved, its text is issued and the reviewer is the project's 法务; a rejected one may be redrawn."""
    del instance
    conclude(contract, outcome)
    if outcome is not ApprovalState.APPROVED:
        return
    project = contract.project
    contract.document = documents.issue(
        ctx, contract_data.TEMPLATES[contract.kind], contract, project=project, number=contract.number,
        title=f"{contract.kind.label} {contract.number}", data=contract_data.for_contract(ctx, contract),
    )  # fmt: skip
    if project.legal_officer_id is None and ctx.actor.employee_id is not None:
        project.legal_officer_id = ctx.actor.employee_id
        stages.hold(ctx, project, "法务", ctx.actor.employee_id)
    ctx.session.flush()
    _pass_on(ctx, project)


def void(ctx: Ctx, contract: Contract, reason: str, version: int | None = None) -> Contract:
    """Take an approved contract out of force before the drawdown; at 合同处理 it is then drawn up anew."""
    step = STEPS["void"]
    enter(ctx, step, contract, version)
    project = records.find(ctx, Project, contract.project_id, lock=True)
    stages.require_before_drawdown(project, Stage.CONTRACT, step.label)
    _void(ctx, contract, stages.checked_reason(reason, step.label))
    if project.stage is not Stage.CONTRACT:
        stages.advance(ctx, project, Stage.CONTRACT, f"作废{contract.kind.label} {contract.number}")
    ctx.session.flush()
    return contract


def void_exceeding(ctx: Ctx, project: Project, resolution: Resolution) -> None:
    """Approved contracts that go beyond a new resolution are out of force and have to be drawn up anew."""
    query = select(Contract).where(Contract.project_id == project.id, Contract.state == PaperState.APPROVED)
    for contract in ctx.session.scalars(query.order_by(Contract.id)):
        if not contract_stands(contract, resolution):
            _void(ctx, contract, f"超出决议 {resolution.number} 的金额或期限")


def _void(ctx: Ctx, contract: Contract, reason: str) -> None:
    move(STEPS["void"], contract)
    audit.log(ctx, contract, "VOID", note=f"作废合同：{reason}")


def _pass_on(ctx: Ctx, project: Project, *, without: int | None = None) -> None:
    """Both required contracts approved and none open: on to 反担保, or further where that is done already."""
    if project.stage is not Stage.CONTRACT or project.state is not ProjectState.RUNNING:
        return
    query = select(Contract.kind, Contract.state).where(Contract.project_id == project.id)
    rows = [(kind, state) for kind, state in ctx.session.execute(query.where(Contract.id != (without or 0)))]
    approved = {kind for kind, state in rows if state is PaperState.APPROVED}
    is_open = any(state in (PaperState.DRAFT, PaperState.IN_APPROVAL) for _, state in rows)
    if approved.issuperset(REQUIRED) and not is_open:
        stages.advance(ctx, project, stage_due(ctx.session, project, Stage.CONTRACT), "合同已审核")
