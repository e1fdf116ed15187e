"""4.4c 合同处理: 委托担保合同, 保证合同 and 反担保合同, their review and their text."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select

from models.base.errors import Conflict, FieldErrors, NotAllowed
from models.base.masks import whole
from models.base.moments import add_months
from models.base.money import format_money
from models.base.paper import LIVE_PAPERS, OPEN_PAPERS, PaperState
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import Resolution
from models.guarantee.signing import (
    Contract,
    ContractKind,
    CounterGuarantee,
    CounterKind,
    CoveredParts,
    Liability,
)
from models.system.records import IssuedDocument
from reports.base.documents import long_pdf
from reports.figures.coverage import MONTHS
from reports.figures.line import (
    REQUIRED,
    contract_stands,
    lacking_kinds,
    required_kinds,
    stage_due,
    uncontracted,
)
from reports.figures.parameters import number
from workflows.base import audit, documents, plain_papers, records
from workflows.base.context import Ctx
from workflows.base.paper import lapse
from workflows.base.transition import Step, Verb, enter, move
from workflows.guarantee import contract_data, letters, stages
from workflows.guarantee.fees import require_resolution
from workflows.guarantee.paper import Paper, own_amount

RULES = {
    ContractKind.ENTRUSTMENT: "entrusted_contract",
    ContractKind.GUARANTEE: "guarantee_contract",
    ContractKind.COUNTER: "counter_contract",
}


def _what(contract: Contract) -> str:
    item = contract.counter_guarantee
    return f"{contract.kind.label}（{item}）" if item else contract.kind.label


PAPER = Paper(
    Contract,
    "提交合同审核",
    number=RULES,
    approval_type="contract",
    what=_what,
    amount=own_amount,
    lapses_from=(*OPEN_PAPERS, PaperState.APPROVED),
    more_steps=(
        Step(
            "contract",
            "void",
            "作废合同",
            column="state",
            sources=(PaperState.APPROVED,),
            targets=(PaperState.VOID,),
        ),
    ),
)
STEPS, submit = PAPER.steps, PAPER.submit
PROPOSE = Verb("contract", "add", "生成合同")


@dataclass(frozen=True)
class Draft:
    """A contract's text before it is issued: as screens show it, in full for who may see that, and what it lacks."""

    shown: str
    plain: str
    why_closed: str
    missing: list[str]


@PAPER.check
def check_contract(ctx: Ctx, contract: Contract, is_new: bool) -> None:
    """A contract stays within the resolution."""
    del is_new
    project = stages.locked(ctx, contract.project_id)
    # once what it is about has been registered, at whatever stage that is
    if contract.kind is ContractKind.COUNTER:
        stages.require_before_drawdown(project, Stage.CONTRACT, "登记反担保合同")
    else:
        stages.require_running(project, Stage.CONTRACT, "登记合同")
    resolution = require_resolution(ctx, project, "登记合同")
    found = _about_counter(ctx, contract, project)
    if contract.amount > resolution.amount:
        found["amount"] = [f"合同金额不能超过决议金额 {format_money(resolution.amount)} 元"]
    if said := about_signing(ctx, contract.signed_on):
        found["signed_on"] = said
    if contract.ends_on < contract.starts_on:
        found["ends_on"] = ["到期日期不能早于起始日期"]
    elif contract.kind in REQUIRED and contract.ends_on > _latest(
        contract.starts_on, resolution.term_months
    ):
        found["ends_on"] = [f"合同期限不能超过决议期限 {resolution.term_months} 个月"]
    if contract.kind in REQUIRED and _other(ctx, contract, Contract.kind == contract.kind):
        found["kind"] = [f"项目已有一份{contract.kind.label}"]
    elif contract.kind in REQUIRED and contract.kind not in required_kinds(ctx.session, project.id):
        found["kind"] = [f"项目已纳入最高额合同，不另签{contract.kind.label}"]
    found |= _about_scope(ctx, contract, project)
    if found:
        raise FieldErrors(found)


def about_signing(ctx: Ctx, signed_on: date) -> list[str]:
    """What is wrong with the day on which a contract is said to have been signed."""
    return ["签约日期不能晚于营业日期"] if signed_on > ctx.today else []


_SCOPE = ("liability", "share_pct", "covered_parts", "cap_amount", "period_months")


def _about_scope(ctx: Ctx, contract: Contract, project: Project) -> dict[str, list[str]]:
    """The contract with the bank says what it covers (4.8): what is not filled in is what the project and we agree."""
    if contract.kind is not ContractKind.GUARANTEE:
        return {
            name: ["只有保证合同约定担保范围与期间，请留空"]
            for name in _SCOPE
            if getattr(contract, name) is not None
        }
    most = 100 - project.bank_share_pct
    contract.liability = contract.liability or Liability.JOINT
    contract.covered_parts = contract.covered_parts or CoveredParts.ALL
    if contract.share_pct is None:
        contract.share_pct = most
    if contract.period_months is None:
        contract.period_months = int(number(ctx.session, MONTHS, ctx.today))
    found: dict[str, list[str]] = {}
    if contract.share_pct > most:
        found["share_pct"] = [
            f"银行分担 {project.bank_share_pct.normalize():f}%，承担比例不超过 {most.normalize():f}%"
        ]
    return found


def _latest(starts_on: date, months: int) -> date:
    return add_months(starts_on, months)


def _other(ctx: Ctx, contract: Contract, *alike: ColumnElement[bool]) -> str | None:
    """The number of another live contract of the project that is like this one."""
    query = select(Contract.number).where(
        Contract.project_id == contract.project_id, Contract.state.in_(LIVE_PAPERS), *alike
    )
    if contract.id is not None:
        query = query.where(Contract.id != contract.id)
    return ctx.session.scalars(query.limit(1)).first()


def _about_counter(ctx: Ctx, contract: Contract, project: Project) -> dict[str, list[str]]:
    """A counter-guarantee contract is about one registered guarantor or asset and is signed by who gives it."""
    key = contract.counter_guarantee_id
    if contract.kind is not ContractKind.COUNTER:
        return (
            {"counter_guarantee_id": ["只有反担保合同才对应一项反担保，请留空"]}
            if key is not None
            else {}
        )
    item = None if key is None else ctx.session.get(CounterGuarantee, key)
    if item is None:
        return {
            "counter_guarantee_id": ["请选择已登记的反担保；还没有的，请先在项目的“反担保”页签登记"]
        }
    if why := _why_no_contract(ctx, contract, item):
        return {"counter_guarantee_id": [why]}
    if item.guarantor is not None and contract.counterparty != item.guarantor.name:
        return {"counterparty": [f"“{item}”的反担保人是“{item.guarantor.name}”"]}
    if item.kind is CounterKind.SURETY and whole(contract.counterparty) == whole(
        project.customer.name
    ):
        return {"counterparty": ["保证人不能是被担保客户本人"]}
    return {}


def _why_no_contract(ctx: Ctx, contract: Contract, item: CounterGuarantee) -> str:
    if item.project_id != contract.project_id:
        return "这项反担保不属于本项目"
    if item.state not in LIVE_PAPERS:
        return f"反担保“{item}”{item.state.label}"
    if item.kind is CounterKind.DEPOSIT:
        return "保证金由委托担保合同约定，不另签反担保合同"
    other = _other(ctx, contract, Contract.counter_guarantee_id == item.id)
    return f"“{item}”已有反担保合同 {other}" if other else ""


@records.delete_rule(Contract)
def check_delete(ctx: Ctx, contract: Contract) -> None:
    """Where a draft was all that the project waited for, it moves on without it."""
    pass_on(ctx, contract.project, without=contract.id)


def propose_contracts(ctx: Ctx, project: Project, version: int | None = None) -> list[Contract]:
    """Draw up what the project lacks: both required contracts at 合同处理, one for each registered counter-guarantee.

    They have the terms of the resolution and the bank's number where an earlier one said it; returns the new ones.
    """
    letters.require_visible(ctx, project, version)
    stages.require_before_drawdown(project, Stage.CONTRACT, "登记合同")
    resolution = require_resolution(ctx, project, "登记合同")
    terms = {
        "project_id": project.id,
        "amount": resolution.amount,
        "signed_on": ctx.today,
        "starts_on": ctx.today,
        "ends_on": _latest(ctx.today, resolution.term_months),
        "main_number": _bank_number(ctx, project),
    }
    parties = {
        ContractKind.ENTRUSTMENT: project.customer.name,
        ContractKind.GUARANTEE: project.bank.name,
    }
    made = [
        records.create(ctx, Contract, {**terms, "kind": kind, "counterparty": parties[kind]})
        for kind in lacking_kinds(ctx.session, project)
        if project.stage is Stage.CONTRACT
    ]
    return made + [
        records.create(
            ctx,
            Contract,
            {
                **terms,
                "kind": ContractKind.COUNTER,
                "counterparty": contract_data.provider_of(item),
                "counter_guarantee_id": item.id,
            },
        )
        for item in uncontracted(ctx.session, project.id)
    ]


def _bank_number(ctx: Ctx, project: Project) -> str | None:
    """The number of the bank's loan contract as an earlier contract of the project says it, also one that is void."""
    query = select(Contract.main_number).where(
        Contract.project_id == project.id, Contract.main_number.is_not(None)
    )
    return ctx.session.scalars(query.order_by(Contract.id.desc()).limit(1)).first()


@PAPER.obstacles
def lacking_numbers(ctx: Ctx, contract: Contract) -> list[str]:
    """Which numbers the text of a contract cannot do without and does not have yet."""
    missing = contract_data.missing_numbers(ctx.session, contract)
    lacking = [contract_data.NUMBER_LABELS[name] for name in missing if name != "main_number"]
    if lacking:
        return [f"请先生成{'、'.join(lacking)}，反担保合同要写明其编号"]
    label = contract_data.NUMBER_LABELS["main_number"]
    return [f"请先填写{label}，合同文本要写明"] if missing else []


def draft(ctx: Ctx, contract: Contract) -> Draft:
    """The text of a contract before it is issued, as the template gives it today; a missing fact is a line to fill."""
    data, missing = contract_data.with_blanks(contract, contract_data.for_contract(ctx, contract))

    def text(values: dict[str, Any]) -> str:
        code, title = contract_data.TEMPLATES[contract.kind], _title(contract)
        return documents.draft(
            ctx, code, contract, title=title, number=contract.number, data=values
        )

    body = text(data)
    paper = IssuedDocument(
        number=contract.number,
        owner_table="contract",
        owner_id=contract.id,
        project_id=contract.project_id,
        masked_of=plain_papers.owners_of_plain_text(data, body) or None,
    )
    why = plain_papers.why_closed(ctx, paper)
    shown = text(plain_papers.masked(data)) if paper.masked_of else body
    return Draft(shown, "" if why else body, why, missing)


def draft_pdf(ctx: Ctx, contract: Contract) -> bytes:
    """The draft as PDF with 样稿 across each page, for who may see what it prints; each look leaves a line."""
    ctx.require("show", "contract", "查看合同")
    found = draft(ctx, records.find(ctx, Contract, contract.id))
    if contract.state not in OPEN_PAPERS:
        raise Conflict(f"合同 {contract.number} {contract.state.label}，样稿只在审核通过之前提供")
    if found.why_closed:
        raise NotAllowed(found.why_closed)
    audit.log(ctx, contract, "OPEN", note=f"打开合同样稿：{contract.number}")
    return long_pdf(found.plain, title=f"{_title(contract)}（样稿）", mark="样稿")


def _title(contract: Contract) -> str:
    return f"{contract.kind.label} {contract.number}"


@PAPER.approved
def reviewed(ctx: Ctx, contract: Contract) -> None:
    """Its text is issued and the reviewer is the project's 法务."""
    project = contract.project
    data, _ = contract_data.with_blanks(contract, contract_data.for_contract(ctx, contract))
    contract.document = documents.issue(
        ctx,
        contract_data.TEMPLATES[contract.kind],
        contract,
        project=project,
        number=contract.number,
        title=_title(contract),
        data=data,
    )
    if project.legal_officer_id is None and ctx.actor.employee_id is not None:
        project.legal_officer_id = ctx.actor.employee_id
        stages.hold(ctx, project, "法务", ctx.actor.employee_id)
    ctx.session.flush()
    pass_on(ctx, project)


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
    query = select(Contract).where(
        Contract.project_id == project.id, Contract.state == PaperState.APPROVED
    )
    for contract in ctx.session.scalars(query.order_by(Contract.id)):
        if not contract_stands(contract, resolution):
            _void(ctx, contract, f"超出决议 {resolution.number} 的金额或期限")


def _void(ctx: Ctx, contract: Contract, reason: str) -> None:
    move(STEPS["void"], contract)
    audit.log(ctx, contract, "VOID", note=f"作废合同：{reason}")


def lapse_of(ctx: Ctx, item: CounterGuarantee, *, is_decided: bool = False) -> None:
    """A counter-guarantee that is given up, or was refused (`is_decided`), takes its contract along.

    Raises Conflict for one that is given up while its contract is under review: that is decided or withdrawn first.
    """
    query = select(Contract).where(
        Contract.counter_guarantee_id == item.id, Contract.state.in_(LIVE_PAPERS)
    )
    for contract in ctx.session.scalars(query.order_by(Contract.id)):
        if contract.state is PaperState.IN_APPROVAL and not is_decided:
            raise Conflict(f"“{item}”的反担保合同 {contract.number} 正在审核，请先撤回或办结")
        if contract.state is not PaperState.IN_APPROVAL and lapse(contract):
            audit.log(ctx, contract, "VOID", note=f"随反担保“{item}”作废")


def pass_on(ctx: Ctx, project: Project, *, without: int | None = None) -> None:
    """Both required contracts approved and none open: on to 反担保, or further where that is done already."""
    if project.stage is not Stage.CONTRACT or project.state is not ProjectState.RUNNING:
        return
    query = select(Contract.kind, Contract.state).where(Contract.project_id == project.id)
    rows = [
        (kind, state)
        for kind, state in ctx.session.execute(query.where(Contract.id != (without or 0)))
    ]
    approved = {kind for kind, state in rows if state is PaperState.APPROVED}
    is_open = any(state in (PaperState.DRAFT, PaperState.IN_APPROVAL) for _, state in rows)
    if approved.issuperset(required_kinds(ctx.session, project.id)) and not is_open:
        stages.advance(ctx, project, stage_due(ctx.session, project, Stage.CONTRACT), "合同已审核")
