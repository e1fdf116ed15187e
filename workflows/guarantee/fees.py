"""4.4a 费用登记 and 4.4b 费用记账: what the customer owes, its plan, and its way into the books."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import inspect, select

from models.base.errors import Conflict, FieldErrors
from models.base.money import format_money
from models.guarantee.product import FeeKind, FeePayment, ProductFee
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import Resolution
from models.guarantee.signing import Fee, FeeDue, FeeState, Receipt, ReceiptState
from models.ledger.voucher import BusinessEvent, EventState, Voucher
from reports.figures.fees import RECEIVABLE, due_date, fee_dues, vat_inside
from reports.figures.gate import valid_resolution
from reports.figures.line import Agreed, due_amount, stage_due
from reports.figures.overdue import spread
from reports.figures.parameters import flag, number
from reports.figures.vat import EXEMPT, SIGNS, exemption, is_free_product, not_due, pending, split
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import Step, Verb, enter, move, permit, steps, verbs
from workflows.guarantee import letters, stages
from workflows.ledger import posting

STEPS = steps(
    Step(
        "project",
        "submit_fees",
        "提交费用记账",
        column="stage",
        sources=(Stage.FEE_PLAN,),
        targets=(Stage.FEE_BOOK,),
    )
)
_IN_BOOKS = (FeeState.SUBMITTED, FeeState.BOOKED)
FEE = steps(
    Step(
        "fee",
        "register",
        "提交复核",
        column="state",
        sources=(FeeState.DRAFT,),
        targets=_IN_BOOKS,
        follows=True,
    ),
    Step(
        "fee",
        "book",
        "复核记账",
        column="state",
        sources=(FeeState.SUBMITTED,),
        targets=_IN_BOOKS,
        follows=True,
    ),
    Step(
        "fee",
        "unbook",
        "撤回复核",
        column="state",
        sources=_IN_BOOKS,
        targets=(FeeState.SUBMITTED,),
        follows=True,
    ),
    Step(
        "fee",
        "reopen",
        "退回登记",
        column="state",
        sources=_IN_BOOKS,
        targets=(FeeState.DRAFT,),
        follows=True,
    ),
)
PROPOSE = Verb("fee", "add", "按产品带出费用")
ACTS = verbs("fee_due", {"invoice": "登记开票"})
NOT_EXEMPT = (
    "客户不是农户、小型微型企业或个体工商户，或不是借款、发行债券担保，担保费不免征增值税，请填税率"
)
NO_RESOLUTION = "没有总裁签字且在有效期内的公司决议"
_ZERO, _ONE = Decimal(0), Decimal(1)


def require_resolution(ctx: Ctx, project: Project, verb: str) -> Resolution:
    """The resolution in force; Conflict when there is none."""
    found = valid_resolution(ctx.session, project.id, ctx.today)
    if found is None:
        raise Conflict(f"{NO_RESOLUTION}，不能{verb}")
    return found


@records.rule(Fee)
def check_fee(ctx: Ctx, fee: Fee, is_new: bool) -> None:
    """Amount, VAT and plan of a fee follow from its terms and the resolution; 担保费 follows the resolved rate."""
    project = ctx.session.get_one(Project, fee.project_id)
    stages.require_running(project, Stage.FEE_PLAN, "登记费用")
    resolution = require_resolution(ctx, project, "登记费用")
    wrong = {**_about_terms(fee, resolution), **_about_vat(ctx, fee, project, resolution)}
    if wrong or (wrong := lacks_filing(fee)):
        raise FieldErrors(wrong)
    _compute(fee, resolution)
    _require_what_is_settled(ctx, fee, is_new)
    if is_new:
        fee.project = project
    _plan(ctx, fee, resolution, is_new=is_new)


def _require_what_is_settled(ctx: Ctx, fee: Fee, is_new: bool) -> None:
    least = (
        max(_registered(ctx, fee)["gross"], fee.collected_amount + fee.waived_amount)
        if not is_new
        else _ZERO
    )
    if fee.amount < least:
        said = f"{fee.kind.label}已记账或收取 {format_money(least)} 元，不能少于；需要减收时请办理费用减免"
        raise FieldErrors({"fixed_amount" if fee.fixed_amount is not None else "rate_pct": [said]})


@records.delete_rule(Fee)
def check_delete(ctx: Ctx, fee: Fee) -> None:
    """What stands in the books is not deleted; what was sent back from 复核 is withdrawn there too."""
    if _registered(ctx, fee)["gross"] or fee.collected_amount:
        raise Conflict(f"{fee.kind.label}已记账或收取，不能删除；需要减收时请办理费用减免")
    posting.cancel_refused(ctx, fee, f"{fee.kind.label}登记已删除")


def _about_terms(fee: Fee, resolution: Resolution | Agreed) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if fee.kind is FeeKind.GUARANTEE:
        if fee.rate_pct != resolution.fee_rate_pct or not fee.is_rate_annual:
            found["rate_pct"] = [
                f"担保费按决议年费率 {resolution.fee_rate_pct.normalize():f}% 计收"
            ]
        if fee.fixed_amount is not None:
            found["fixed_amount"] = [
                "担保费按决议费率计收，不另行约定金额；需要减收时请办理费用减免"
            ]
    if fee.kind in (FeeKind.DEPOSIT, FeeKind.PENALTY) and fee.vat_rate_pct:
        found["vat_rate_pct"] = [f"{fee.kind.label}不计增值税，请填 0"]
    if fee.kind is FeeKind.DEPOSIT and fee.payment is not FeePayment.ONE_OFF:
        found["payment"] = ["客户保证金应一次性收取"]
    if fee.kind is FeeKind.PENALTY and fee.fixed_amount is not None:
        found["fixed_amount"] = ["违约金只登记费率，违约发生时再计算金额"]
    return found


def _about_vat(
    ctx: Ctx, fee: Fee, project: Project, resolution: Resolution | Agreed
) -> dict[str, list[str]]:
    """担保费 that the law frees of VAT has the rate 0 and says why; what the books hold keeps its rate."""
    state: Any = inspect(fee)
    if state.persistent and _registered(ctx, fee)["gross"]:
        has_changed = state.attrs.vat_rate_pct.history.has_changes()
        return {"vat_rate_pct": ["已记账的费用不能改增值税率"]} if has_changed else {}
    fee.vat_exemption = None
    if fee.kind is not FeeKind.GUARANTEE:
        return {}
    last = due_date(
        fee.payment, ctx.today, len(fee_dues(_ONE, fee.payment, ctx.today, resolution.term_months))
    )
    if reason := exemption(ctx.session, project, ctx.today, last):
        fee.vat_rate_pct, fee.vat_exemption = _ZERO, reason
    elif not fee.vat_rate_pct and not is_free_product(ctx.session, project, fee.kind):
        if flag(ctx.session, EXEMPT, ctx.today):
            return {"vat_rate_pct": [NOT_EXEMPT]}
        fee.vat_exemption = "按登记的免税资料免征增值税"
    return {}


def lacks_filing(fee: Fee) -> dict[str, list[str]]:
    """What is wrong with a fee that is free of VAT and does not say by which filing."""
    fee.vat_filing = (fee.vat_filing or "").strip() or None
    if fee.vat_exemption and not fee.vat_filing:
        return {
            "vat_filing": [
                f"{fee.vat_exemption}：请填写免税备案号或留存备查资料的编号，未登记的不能免税"
            ]
        }
    return {}


def _compute(fee: Fee, resolution: Resolution | Agreed) -> None:
    fee.amount = due_amount(fee, resolution)
    fee.vat_amount = vat_inside(fee.amount, fee.vat_rate_pct)


def _plan(ctx: Ctx, fee: Fee, resolution: Resolution | Agreed, *, is_new: bool) -> None:
    """Bring the kept plan in line; rows are reused, because the database sees new ones before it loses old ones."""
    wanted = fee_dues(fee.amount, fee.payment, ctx.today, resolution.term_months)
    query = select(FeeDue).where(FeeDue.fee_id == fee.id).order_by(FeeDue.seq)
    present = [] if is_new else list(ctx.session.scalars(query))
    settled = spread(
        [due.amount for due in wanted],
        _ZERO if is_new else fee.collected_amount + fee.waived_amount,
    )
    for at, due in enumerate(wanted):
        if at < len(present):
            row = present[at]
            row.due_on, row.amount, row.settled_amount = due.due_on, due.amount, settled[at]
        else:
            row = FeeDue(
                fee=fee,
                seq=due.seq,
                due_on=due.due_on,
                amount=due.amount,
                settled_amount=settled[at],
            )
            ctx.session.add(row)
    for surplus in present[len(wanted) :]:
        ctx.session.delete(surplus)


def reopen_short(ctx: Ctx, project: Project, resolution: Resolution) -> None:
    """Fees that come to more under a new resolution are drafts again; what is booked of them stays booked.

    A fee that comes to less stays as it is: what the customer is let off goes through 费用减免.
    """
    for fee in _fees(ctx, project, FeeState.BOOKED):
        if due_amount(fee, resolution) <= fee.amount:
            continue
        with ctx.session.no_autoflush:  # amount and plan change as one
            move(FEE["reopen"], fee)
            if fee.kind is FeeKind.GUARANTEE:
                fee.rate_pct = resolution.fee_rate_pct
            _compute(fee, resolution)
            _plan(ctx, fee, resolution, is_new=False)
        ctx.session.flush()


def propose_fees(ctx: Ctx, project: Project, version: int | None = None) -> list[Fee]:
    """Register the fees that the product charges and the project lacks, and the rate of 违约金; returns new ones."""
    letters.require_visible(ctx, project, version)
    stages.require_running(project, Stage.FEE_PLAN, "登记费用")
    resolution = require_resolution(ctx, project, "登记费用")
    present = set(ctx.session.scalars(select(Fee.kind).where(Fee.project_id == project.id)))
    terms = _terms_of(ctx, project, resolution.fee_rate_pct)
    daily = number(ctx.session, "fee.penalty_rate_daily_pct", ctx.today)
    terms.setdefault(
        FeeKind.PENALTY,
        {
            "payment": FeePayment.ONE_OFF,
            "rate_pct": daily,
            "is_rate_annual": False,
            "vat_rate_pct": _ZERO,
            "note": "日利率，按逾期金额逐日计收",
        },
    )
    ctx.require("add", "fee", "登记费用")
    return [
        _propose(ctx, project, resolution, kind, facts)
        for kind, facts in terms.items()
        if kind not in present
    ]


def _terms_of(ctx: Ctx, project: Project, rate_pct: Decimal) -> dict[FeeKind, dict[str, Any]]:
    """What the product charges, 担保费 at the agreed rate of a year."""
    query = (
        select(ProductFee)
        .where(ProductFee.product_id == project.product_id)
        .order_by(ProductFee.id)
    )
    terms: dict[FeeKind, dict[str, Any]] = {
        row.kind: {
            "payment": row.payment,
            "rate_pct": row.rate_pct,
            "is_rate_annual": row.is_rate_annual,
            "vat_rate_pct": row.vat_rate_pct,
        }
        for row in ctx.session.scalars(query)
    }
    if FeeKind.GUARANTEE in terms:
        terms[FeeKind.GUARANTEE].update(rate_pct=rate_pct, is_rate_annual=True)
    return terms


def charge(ctx: Ctx, project: Project, filing: str | None) -> Fee | None:
    """Register the 担保费 of a project on the short line and hand it to 复核; None where the product charges none.

    Raises FieldErrors, and Conflict where it is free of VAT and no filing says so.
    """
    agreed = Agreed(project.amount, project.term_months, project.fee_rate_pct)
    terms = _terms_of(ctx, project, agreed.fee_rate_pct).get(FeeKind.GUARANTEE)
    if terms is None:
        return None
    fee = _propose(ctx, project, agreed, FeeKind.GUARANTEE, {**terms, "vat_filing": filing})
    if wrong := lacks_filing(fee):
        raise Conflict(f"“{project.customer.name}”{wrong['vat_filing'][0]}")
    register(ctx, project, fee)
    return fee


def _propose(
    ctx: Ctx,
    project: Project,
    resolution: Resolution | Agreed,
    kind: FeeKind,
    facts: dict[str, Any],
) -> Fee:
    """A draft by the product's terms; one that is free of VAT still lacks its filing, which 提交费用记账 asks for."""
    fee = Fee(project=project, project_id=project.id, kind=kind, **facts)
    with ctx.session.no_autoflush:
        if wrong := {**_about_terms(fee, resolution), **_about_vat(ctx, fee, project, resolution)}:
            raise FieldErrors(wrong)
        _compute(fee, resolution)
        ctx.session.add(fee)
        _plan(ctx, fee, resolution, is_new=True)
    ctx.session.flush()
    return fee


def submit_fees(ctx: Ctx, project: Project, version: int | None = None) -> Project:
    """Hand the registered fees to 复核: one event per receivable; with nothing to book the project passes straight on.

    Fees that wait or are booked already are left alone, so nothing is booked twice.
    """
    enter(ctx, STEPS["submit_fees"], project, version)
    stages.require_running(project, Stage.FEE_PLAN, "提交费用记账")
    require_resolution(ctx, project, "提交费用记账")
    drafts = _fees(ctx, project, FeeState.DRAFT)
    if fee := next((fee for fee in drafts if lacks_filing(fee)), None):
        raise Conflict(f"{fee.kind.label}{fee.vat_exemption}，请先填写该费用的“免税备案或资料编号”")
    for fee in drafts:
        register(ctx, project, fee)
    stages.advance(ctx, project, Stage.FEE_BOOK, "已提交复核")
    _pass_on(ctx, project)
    ctx.session.flush()
    return project


def register(ctx: Ctx, project: Project, fee: Fee) -> None:
    """Hand to 复核 what the books do not hold of a fee yet; after a new resolution that is the difference."""
    fee.returned_reason = None
    known = _registered(ctx, fee)
    gross, tax = fee.amount - known["gross"], fee.vat_amount - known["tax"]
    if fee.kind not in RECEIVABLE or not gross:
        move(FEE["register"], fee, FeeState.BOOKED)
        return
    key = "deferred" if fee.kind is FeeKind.GUARANTEE else "earned"
    move(FEE["register"], fee, FeeState.SUBMITTED)
    later = min(max(not_due(ctx.session, fee, ctx.today) - pending(ctx.session, fee), _ZERO), tax)
    posting.raise_event(
        ctx,
        "fee.registered",
        record=fee,
        project=project,
        memo=f"登记{fee.kind.label}",
        amounts={"gross": gross, key: gross - tax, **split(tax, later, _ZERO)},
        sequence=len(_events(ctx, fee, *_KNOWN)) + 1,
    )


_KNOWN = (EventState.PENDING, EventState.BOOKED)


def _events(ctx: Ctx, fee: Fee, *states: EventState) -> list[BusinessEvent]:
    """Registrations of a fee in these states."""
    query = select(BusinessEvent).where(
        BusinessEvent.event_code == "fee.registered",
        BusinessEvent.record_table == Fee.__tablename__,
        BusinessEvent.record_id == fee.id,
        BusinessEvent.state.in_(states),
    )
    return list(ctx.session.scalars(query.order_by(BusinessEvent.sequence)))


def _registered(ctx: Ctx, fee: Fee) -> dict[str, Decimal]:
    """What the books hold, or are about to, of a fee: amount and VAT in 元."""
    found = {"gross": _ZERO, "tax": _ZERO}
    for event in _events(ctx, fee, *_KNOWN):
        found = {
            "gross": found["gross"] + Decimal(event.amounts["gross"]),
            "tax": found["tax"] + tax_of(event),
        }
    return found


def _fees(ctx: Ctx, project: Project, *states: FeeState) -> list[Fee]:
    query = select(Fee).where(Fee.project_id == project.id, Fee.state.in_(states)).order_by(Fee.id)
    return list(ctx.session.scalars(query))


def _pass_on(ctx: Ctx, project: Project) -> None:
    is_open = project.state is not ProjectState.RUNNING or project.stage is not Stage.FEE_BOOK
    if not is_open and not _fees(ctx, project, FeeState.DRAFT, FeeState.SUBMITTED):
        stages.advance(ctx, project, stage_due(ctx.session, project, Stage.FEE_BOOK), "费用已记账")


@posting.on_booked("fee.registered")
def registered(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """The receivable stands in the books; with the last one the project moves on to 合同处理."""
    del voucher
    fee = ctx.session.get_one(Fee, event.record_id)
    count_vat(fee, event, 1)
    # a draft again, it waits for the difference that a new resolution brought
    if fee.state is not FeeState.DRAFT:
        move(
            FEE["book"],
            fee,
            FeeState.SUBMITTED if _events(ctx, fee, EventState.PENDING) else FeeState.BOOKED,
        )
    ctx.session.flush()
    _pass_on(ctx, fee.project)


@posting.on_refused("fee.registered")
def refused(ctx: Ctx, event: BusinessEvent) -> None:
    """The fee is a draft again with the reason on it, and the project is back at 费用登记."""
    fee = ctx.session.get_one(Fee, event.record_id)
    project = fee.project
    if project.stage not in (Stage.FEE_PLAN, Stage.FEE_BOOK, Stage.RESOLVE):
        raise Conflict(
            f"项目 {project.number} 已到“{project.stage.label}”，费用不能退回重新登记，请更正后记账"
        )
    fee.returned_reason = event.reason
    if fee.state is not FeeState.DRAFT:
        move(FEE["reopen"], fee)
    if project.stage is Stage.FEE_BOOK:
        # What needs no booking may be mended together with what was sent back.
        for other in _fees(ctx, project, FeeState.BOOKED):
            if other.kind not in RECEIVABLE or other.amount == 0:
                move(FEE["reopen"], other)
        stages.advance(ctx, project, Stage.FEE_PLAN, f"{fee.kind.label}复核退回：{event.reason}")
    ctx.session.flush()


@posting.on_unbooked("fee.registered")
def unregistered(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue the receivable does not stand any more; nothing may have been collected of it."""
    del former
    fee = ctx.session.get_one(Fee, event.record_id)
    stages.refuse_when_ended(fee.project)
    query = select(Receipt.number).where(
        Receipt.fee_id == fee.id, Receipt.state != ReceiptState.RETURNED
    )
    if (receipt := ctx.session.scalars(query).first()) or fee.waived_amount:
        raise Conflict(f"{fee.kind.label}已有收款或减免（{receipt or '费用减免'}），请先撤回其复核")
    count_vat(fee, event, -1)
    if fee.state is not FeeState.DRAFT:
        move(FEE["unbook"], fee)
    ctx.session.flush()


def tax_of(event: BusinessEvent) -> Decimal:
    """The VAT of a fee's event, due or not."""
    return sum((Decimal(event.amounts.get(key, "0")) for key in ("tax", "tax_pending")), _ZERO)


def count_vat(fee: Fee, event: BusinessEvent, sign: int) -> None:
    """What an event that is booked (or back in the queue: -1) does to 待转销项税额 of the fee."""
    fee.vat_pending_amount += (
        sign * SIGNS[event.event_code] * Decimal(event.amounts.get("tax_pending", "0"))
    )


def settle_dues(ctx: Ctx, fee: Fee) -> None:
    """Spread what was collected and waived over the plan, in the order of the due dates."""
    left = fee.collected_amount + fee.waived_amount
    for due in ctx.session.scalars(
        select(FeeDue).where(FeeDue.fee_id == fee.id).order_by(FeeDue.due_on, FeeDue.seq)
    ):
        due.settled_amount = min(left, due.amount)
        left -= due.settled_amount


def require_booked(fee: Fee, verb: str) -> None:
    """Raise Conflict unless the fee stands in the books."""
    if fee.state is not FeeState.BOOKED:
        raise Conflict(f"{fee.kind.label}{fee.state.label}，记账后才能{verb}")


def invoice(
    ctx: Ctx, due: FeeDue, invoiced_on: date, invoice_number: str, version: int | None = None
) -> FeeDue:
    """Note that an instalment was invoiced: its VAT is due from that day on, whenever the money is."""
    permit(ctx, ACTS["invoice"], due)
    due = records.find(ctx, FeeDue, due.id, lock=True)
    if version is not None:
        records.check_version(ctx, due, version)
    require_booked(due.fee, "开票")
    number = invoice_number.strip()
    wrong: dict[str, list[str]] = {}
    if due.invoiced_on is not None:
        raise Conflict(f"第 {due.seq} 期已于 {due.invoiced_on} 开票（{due.invoice_number}）")
    if invoiced_on > ctx.today:
        wrong["invoiced_on"] = ["开票日期不能晚于营业日期"]
    if not 0 < len(number) <= 40:
        wrong["invoice_number"] = ["请填写发票号码，不超过 40 字"]
    if wrong:
        raise FieldErrors(wrong)
    due.invoiced_on, due.invoice_number = invoiced_on, number
    ctx.session.flush()
    return due
