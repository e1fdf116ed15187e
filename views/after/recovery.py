"""追偿 on the pages of cases, shares, receipts and projects: what is owed today, and the buttons that move it (6.3)."""

from decimal import Decimal
from typing import Any, ClassVar

from models.after.case_money import CostKind, RecoveryReceipt, RecoverySource
from models.after.compensation import CompensationShare
from models.after.recovery import CaseState, RecoveryCase, RecoveryPlan, RecoveryWay
from models.after.write_off import LossCause, WriteOff
from models.base import columns as c
from models.base.entity import Entity
from models.base.errors import FieldErrors
from models.base.money import format_money
from models.guarantee.project import Project
from reports.figures import recovery as figures
from reports.figures.fees import deposit_held
from views.kit import hooks
from views.kit.buttons import (
    Button,
    Questions,
    Upload,
    Values,
    in_state,
    on_tab,
    register,
    to_result,
)
from views.kit.entity_view import EntityView
from views.kit.pages import Cell, Column, Fact, Row, Section
from workflows.after import recovery, settlement, write_off
from workflows.after.recovery import Received
from workflows.base import attachments, records
from workflows.base.context import Ctx

_KINDS = (
    ("cost", "垫付费用"),
    ("other", "银行主张的其他费用"),
    ("surcharge", "资金占用费"),
    ("interest", "利息"),
    ("penalty", "罚息"),
    ("principal", "本金"),
)
_SPLIT = (
    Column("kind", "抵充"),
    Column("owed", "尚欠", "money", "元"),
    Column("settled", "本次", "money", "元"),
)


class CaseView(EntityView):
    """Screens of 追偿案件."""

    model: ClassVar[Any] = RecoveryCase

    def default_tab(self, record: Entity) -> str:
        """What came in."""
        return str(RecoveryReceipt.__tablename__)

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """What the customer owes today, by kind."""
        assert isinstance(record, RecoveryCase)
        return [owed_section(ctx, record)]


def _money(amount: Decimal) -> Cell:
    return Cell(format_money(amount), "text", hint="元")


def owed_section(ctx: Ctx, case: RecoveryCase) -> Section:
    """What is owed on a case today, by kind, and where it stands in the books."""
    owed = figures.owed(ctx.session, case, ctx.today)
    facts = [Fact(label, _money(getattr(owed, key))) for key, label in _KINDS]
    facts += [Fact("合计", _money(owed.total)), Fact("账面余额", _money(case.balance))]
    if case.other_open:
        facts.append(Fact("其中他方承担", _money(case.other_open)))
    if deposit := deposit_held(ctx.session, case.project):
        facts.append(Fact("可抵扣保证金", _money(deposit)))
    note = f"截至 {ctx.today}" + ("，账销案存" if case.state is CaseState.WRITTEN_OFF else "")
    return Section("owed", "尚欠", template="parts/pairs.html", data=facts, note=note)


def project_section(record: Entity, ctx: Ctx) -> Section | None:
    """On the page of a project what is owed since banks were paid in its place."""
    if not isinstance(record, Project) or not ctx.actor.may("show", "recovery_case"):
        return None
    case = recovery.latest_case(ctx, record)
    if case is None:
        return None
    found = owed_section(ctx, case)
    found.key, found.label = "owed", "追偿余额"
    found.more_url, found.more_label = f"/recovery_case/show/{case.id}", f"追偿案件 {case.number}"
    return found


# ------------------------------------------------------------------------------------------------------------- receipts
def _receipt_form(ctx: Ctx, case: RecoveryCase) -> Questions:
    deposit = deposit_held(ctx.session, case.project)
    said = f"保证金抵扣不超过 {format_money(deposit)} 元" if deposit else "没有可抵扣的保证金"
    return {
        "source": c.enum("来源", RecoverySource, required=True, help=said),
        "amount": c.money("金额", required=True, positive=True),
        "moved_on": c.day("到账日期", required=True),
        "payer": c.text("付款人", 100, required=True),
        "bank_reference": c.text("银行流水号", 60),
        "note": c.text("备注", 200),
    }


def _receipt_given(ctx: Ctx, case: RecoveryCase) -> Values:
    return {
        "source": RecoverySource.CUSTOMER,
        "moved_on": ctx.today,
        "payer": case.project.customer.name,
    }


def _receive(ctx: Ctx, case: RecoveryCase, version: int | None, **facts: Any) -> RecoveryReceipt:
    return recovery.receive(ctx, case, Received(**facts), version)


def _receipt_preview(ctx: Ctx, case: RecoveryCase, values: Values) -> Section:
    """How the amount would be split, before it is saved; nothing is written."""
    amount, on = values["amount"], values["moved_on"]
    if on > ctx.today:
        raise FieldErrors({"moved_on": ["到账日期不能晚于营业日期"]})
    owed = figures.owed(ctx.session, case, on)
    split = figures.split(ctx.session, case, amount, on)
    rows = []
    for key, label in _KINDS:
        was, now = getattr(owed, key), getattr(split.claims, key)
        cells = [Cell(format_money(one), "money") for one in (was, now)]
        rows.append(Row(key, "", (Cell(label), *cells)))
    words = [f"其中应返还他方 {format_money(split.shared)} 元"] if split.shared else []
    if split.claims.excess:
        words.append(f"多收 {format_money(split.claims.excess)} 元，应退还付款人")
    return Section("split", "回款抵充", columns=list(_SPLIT), rows=rows, note="；".join(words))


def parts_section(record: Entity, ctx: Ctx) -> Section | None:
    """What of a receipt settles which kind, before whoever looks at it."""
    del ctx
    if not isinstance(record, RecoveryReceipt):
        return None
    facts = [Fact(label, _money(getattr(record, key))) for key, label in _KINDS]
    facts.append(Fact("其中应返还他方", _money(record.shared)))
    if record.excess:
        facts.append(Fact("多收款", _money(record.excess)))
    return Section("settled", "回款抵充", template="parts/pairs.html", data=facts)


def _cost_form(_: Ctx, __: RecoveryCase) -> Questions:
    return {
        "kind": c.enum("费用种类", CostKind, required=True),
        "amount": c.money("金额", required=True, positive=True),
        "moved_on": c.day("付款日期", required=True),
        "note": c.text("备注", 200),
    }


def _today(ctx: Ctx, _: Any) -> Values:
    return {"moved_on": ctx.today}


def _letter_form(_: Ctx, __: RecoveryCase) -> Questions:
    return {
        "party": c.text("催收对象", 100, required=True, help="债务人或反担保人"),
        "days": c.whole("还款期限", unit="天", required=True, minimum=1, maximum=90),
    }


def _letter_given(_: Ctx, case: RecoveryCase) -> Values:
    return {"party": case.project.customer.name, "days": 15}


# ------------------------------------------------------------------------------------------------- plans and write-offs
def _plan_form(_: Ctx, __: RecoveryCase) -> Questions:
    return {
        "way": c.enum("追偿方式", RecoveryWay, required=True),
        "target_amount": c.money("追偿目标", required=True, positive=True),
        "due_on": c.day("完成期限", required=True),
        "leader_id": c.reference("责任人", "employee", required=True),
        "measures": c.long_text("追偿措施", required=True),
    }


def _plan_given(ctx: Ctx, case: RecoveryCase) -> Values:
    owed = figures.owed(ctx.session, case, ctx.today)
    return {"target_amount": owed.total, "leader_id": case.project.manager_id}


def _apply(ctx: Ctx, case: RecoveryCase, version: int | None, **facts: Any) -> RecoveryPlan:
    """Draw up the plan and put it up for approval, all or nothing."""
    records.check_version(ctx, case, version)
    known = {"project_id": case.project_id, "recovery_case_id": case.id}
    made = records.create(ctx, RecoveryPlan, {**known, **facts})
    recovery.PLAN.submit(ctx, made, made.version)
    return made


def _loss_form(_: Ctx, __: RecoveryCase) -> Questions:
    return {
        "cause": c.enum("核销原因", LossCause, required=True),
        "reason": c.long_text("情况说明", required=True, help="追偿过程、证据和结论"),
        "evidence": Upload("证据", "终结执行裁定、破产文书等，PDF 或图片", required=True),
    }


def _write_off(
    ctx: Ctx,
    case: RecoveryCase,
    evidence: tuple[str, bytes] | None,
    version: int | None,
    **facts: Any,
) -> WriteOff:
    """Draw up the write-off with its evidence and put it up for approval, all or nothing."""
    records.check_version(ctx, case, version)
    known = {"project_id": case.project_id, "recovery_case_id": case.id}
    made = records.create(ctx, WriteOff, {**known, **facts})
    if evidence:
        attachments.store(ctx, made, filename=evidence[0], data=evidence[1])
    write_off.PAPER.submit(ctx, made, made.version)
    return made


def _is_open(_: Ctx, case: RecoveryCase) -> bool:
    return case.state is CaseState.OPEN


# ---------------------------------------------------------------------------------------------------------- settlements
def _share_form(label: str) -> Any:
    def form(_: Ctx, __: CompensationShare) -> Questions:
        return {
            "amount": c.money(label, required=True, positive=True),
            "moved_on": c.day("日期", required=True),
            "note": c.text("备注", 200),
        }

    return form


def _collect_given(ctx: Ctx, share: CompensationShare) -> Values:
    return {"amount": settlement.unpaid(share), "moved_on": ctx.today}


def _back_given(ctx: Ctx, share: CompensationShare) -> Values:
    return {"amount": settlement.due_back(share), "moved_on": ctx.today}


hooks.SECTIONS.append(project_section)
hooks.TEXTS.append(parts_section)
register(
    Button(
        recovery.ACTS["receive"],
        _receive,
        when=recovery.is_owed,
        questions=_receipt_form,
        given=_receipt_given,
        preview=_receipt_preview,
        style="primary",
        rank=1,
        done="已登记回款，送复核记账",
        after=on_tab("recovery_receipt"),
        note="按约定的顺序抵充，先看抵充结果再保存",
    ),
    Button(
        recovery.ACTS["pay_cost"],
        recovery.pay_cost,
        when=_is_open,
        questions=_cost_form,
        given=_today,
        rank=5,
        done="已登记垫付费用，送复核记账",
        after=on_tab("recovery_cost"),
    ),
    Button(
        recovery.PLAN.steps["submit"],
        _apply,
        on="recovery_case",
        name="plan",
        label="申请追偿",
        when=recovery.is_owed,
        questions=_plan_form,
        given=_plan_given,
        rank=2,
        done="已提交追偿审批",
        after=to_result,
    ),
    Button(
        recovery.ACTS["issue_letter"],
        recovery.issue_letter,
        when=recovery.is_owed,
        questions=_letter_form,
        given=_letter_given,
        rank=3,
        done="已出具催收函",
        after=to_result,
    ),
    Button(
        write_off.PAPER.steps["submit"],
        _write_off,
        on="recovery_case",
        name="write_off",
        label="申请核销",
        when=in_state("state", CaseState.OPEN),
        questions=_loss_form,
        rank=9,
        done="已提交核销审批",
        after=to_result,
        note="核销全部账面余额和垫付费用；核销后账销案存，仍可登记回款",
    ),
    Button(
        write_off.ACTS["hand_in"],
        write_off.hand_in,
        when=write_off.waits,
        style="primary",
        rank=1,
        done="已再次送复核",
    ),
    Button(
        recovery.ACTS["return_excess"],
        recovery.return_excess,
        when=recovery.has_excess,
        questions=lambda _, __: {"moved_on": c.day("退还日期", required=True)},
        given=_today,
        style="primary",
        rank=1,
        done="已登记退还，送复核记账",
    ),
    Button(
        settlement.ACTS["collect"],
        settlement.collect,
        when=settlement.owes,
        questions=_share_form("收到金额"),
        given=_collect_given,
        style="primary",
        rank=1,
        done="已登记收到分担款，送复核记账",
    ),
    Button(
        settlement.ACTS["give_back"],
        settlement.give_back,
        when=settlement.is_due_back,
        questions=_share_form("返还金额"),
        given=_back_given,
        rank=2,
        done="已登记返还，送复核记账",
    ),
)
