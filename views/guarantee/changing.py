"""存续变更 (4.5d): applied for on the loan with its new plan beside the old one; the paper and who decides see both."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import columns as c
from models.base.entity import Entity
from models.base.errors import BusinessError
from models.base.money import format_money
from models.guarantee import drawdown as loans
from models.guarantee.drawdown import Drawdown
from models.guarantee.loan_change import ChangeKind, LoanChange, ReplanWay
from models.guarantee.project import ProjectState
from reports.figures import benchmarks
from reports.figures.schedules import Instalment
from views.kit import hooks
from views.kit.buttons import Button, Questions, Values, register, to_result
from views.kit.pages import Cell, Column, Row, Section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import extension_fees, loan_change, plans, repayment
from workflows.guarantee.replanning import Terms, open_change, replanned

_WAYS = {
    "way": c.enum("剩余部分的计划", ReplanWay, required=True),
    "lines": c.long_text("约定的各期", help=f"选“按约定的各期”时填写。{plans.LINES}"),
    "reason": c.long_text("变更原因", required=True),
}
_TITLE = "还款计划：新旧对照"
_ZERO = Decimal(0)
_NOTE = "与银行商定后申请；审批通过后新的还款计划生效，原计划保留备查"


def _may_change(ctx: Ctx, loan: Drawdown) -> bool:
    is_open = loan.is_running and loan.project.state is ProjectState.IN_FORCE
    return is_open and open_change(ctx.session, loan.id) is None


def _why_not(ctx: Ctx, loan: Drawdown) -> str:
    return "；".join(loan_change.overdue_words(ctx, loan))


def _extension(_: Ctx, __: Drawdown) -> Questions:
    return {
        "new_due_on": c.day("展期后到期日", required=True),
        **_WAYS,
        "counter_consent_on": c.day("反担保人书面同意日期", help="有反担保的必填（民法典第695条）"),
    }


def _prepayment(_: Ctx, __: Drawdown) -> Questions:
    return {
        "effective_on": c.day("约定还款日", required=True),
        "prepaid_amount": c.money("提前归还本金", required=True, positive=True),
        **_WAYS,
    }


def _rate(ctx: Ctx, loan: Drawdown) -> Questions:
    said = f"现行 {loan.rate_annual_pct.normalize():f}%"
    if loan.benchmark is not None and loan.spread_bp is not None:
        said += "；" + benchmarks.in_words(ctx.session, loan.benchmark, loan.spread_bp, ctx.today)
    return {
        "effective_on": c.day("新利率起算日", required=True),
        "new_rate_pct": c.rate(
            "调整后年利率", unit="%/年", required=True, scale=6, maximum=Decimal(36), help=said
        ),
        **_WAYS,
    }


def _given(ctx: Ctx, loan: Drawdown) -> Values:
    return {
        "effective_on": ctx.today,
        "way": ReplanWay.LEVEL,
        "new_rate_pct": benchmarks.proposed(ctx.session, loan, ctx.today),
    }


def _facts(ctx: Ctx, loan: Drawdown, kind: ChangeKind, values: Values) -> dict[str, Any]:
    known = {"project_id": loan.project_id, "drawdown_id": loan.id, "effective_on": ctx.today}
    return {**known, **values, "kind": kind}


class _Applying:
    """One kind of change: how it is previewed and applied for from the page of its loan."""

    def __init__(self, kind: ChangeKind) -> None:
        self.kind = kind

    def preview(self, ctx: Ctx, loan: Drawdown, values: Values) -> Section:
        """The new plan beside the old one, checked as the paper will be; nothing is written."""
        paper = LoanChange(**_facts(ctx, loan, self.kind, values))
        with ctx.session.no_autoflush:
            loan_change.examine(ctx, paper, loan)
        rows = replanned(ctx.session, loan, Terms.of(paper))
        note = ""
        if paper.new_due_on is not None:
            fee = extension_fees.quote(ctx, loan, paper.new_due_on)
            note = f"展期担保费 {format_money(fee)} 元" if fee else "不收展期担保费"
        return beside(repayment.plan_rows(ctx.session, loan), rows, note)

    def apply(self, ctx: Ctx, loan: Drawdown, version: int | None, **values: Any) -> LoanChange:
        """Draw up the paper and put it up for approval, all or nothing."""
        records.check_version(ctx, loan, version)
        made = records.create(ctx, LoanChange, _facts(ctx, loan, self.kind, values))
        loan_change.PAPER.submit(ctx, made, made.version)
        return made


Plan = Sequence[loans.Instalment | Instalment]
_PARTS = ("principal", "interest")
_WORDS = {
    "old_principal": "原本金",
    "old_interest": "原利息",
    "new_principal": "新本金",
    "new_interest": "新利息",
}


def _by_day(old: Plan, new: Plan) -> dict[date, dict[str, Decimal]]:
    """What falls due on each day by either plan."""
    found: dict[date, dict[str, Decimal]] = {}
    for prefix, rows in (("old", old), ("new", new)):
        for row in rows:
            day = found.setdefault(row.due_on, {})
            for part in _PARTS:
                key = f"{prefix}_{part}"
                day[key] = day.get(key, _ZERO) + getattr(row, part)
    return dict(sorted(found.items()))


def _said(old: Plan, new: Plan) -> str:
    """What the change does to the interest."""
    before, after = (sum((row.interest for row in rows), _ZERO) for rows in (old, new))
    return f"利息合计{'增加' if after >= before else '减少'} {format_money(abs(after - before))} 元"


def compared(old: Plan, new: Plan, note: str = "") -> Section:
    """Two plans side by side, by the days on which their instalments fall due."""
    columns = [
        Column("due_on", "应还日期", "date"),
        *(Column(key, label, "money", "元") for key, label in _WORDS.items()),
    ]
    sums: dict[str, Decimal] = {}
    shown = []
    for due_on, amounts in _by_day(old, new).items():
        cells = [Cell(due_on.isoformat(), "date")]
        for key in _WORDS:
            amount = amounts.get(key)
            cells.append(Cell("" if amount is None else format_money(amount), "money"))
            sums[key] = sums.get(key, _ZERO) + (amount or _ZERO)
        shown.append(Row(due_on.isoformat(), "", tuple(cells)))
    foot = [("合计", {key: format_money(amount) for key, amount in sums.items()})]
    words = "；".join(part for part in (_said(old, new), note) if part)
    return Section("plan", _TITLE, columns=columns, rows=shown, sums=foot, note=words)


def beside(old: Plan, new: Plan, note: str = "") -> Section:
    """What changes, narrow enough to stand beside a form: principal and interest together, day by day."""
    columns = [
        Column("due_on", "应还日期", "date"),
        Column("old", "原本息", "money", "元"),
        Column("new", "新本息", "money", "元"),
    ]
    shown = []
    for due_on, amounts in _by_day(old, new).items():
        pair = [[amounts.get(f"{prefix}_{part}") for part in _PARTS] for prefix in ("old", "new")]
        if pair[0] == pair[1]:
            continue
        totals = [None if p is None else p + (i or _ZERO) for p, i in pair]
        cells = [Cell(format_money(x) if x is not None else "", "money") for x in totals]
        shown.append(Row(due_on.isoformat(), "", (Cell(due_on.isoformat(), "date"), *cells)))
    same = len(_by_day(old, new)) - len(shown)
    words = [_said(old, new), note, f"其余 {same} 期不变" if same else ""]
    text = "；".join(part for part in words if part)
    return Section("plan", "还款计划的变化", columns=columns, rows=shown, note=text)


def _rows_of(session: Session, plan_id: int | None) -> list[loans.Instalment]:
    query = select(loans.Instalment).where(loans.Instalment.repayment_plan_id == plan_id)
    return list(session.scalars(query.order_by(loans.Instalment.seq)))


def plan_section(record: Entity, ctx: Ctx) -> Section | None:
    """Both plans on the paper and before whoever decides: as it would come today, or as it came."""
    if not isinstance(record, LoanChange):
        return None
    if record.plan_id is not None:
        section = compared(
            _rows_of(ctx.session, record.old_plan_id), _rows_of(ctx.session, record.plan_id)
        )
        section.note += f"；{record.done_on} 起执行"
        return section
    section = Section("plan", _TITLE, columns=[], rows=[])
    if not record.drawdown.is_running:
        return None
    try:
        rows = replanned(ctx.session, record.drawdown, Terms.of(record))
    except BusinessError as error:
        section.empty = f"按现在的还款情况不能生成新计划：{error.message}"
        return section
    return compared(repayment.plan_rows(ctx.session, record.drawdown), rows, "按今天的还款情况预览")


def _payment(_: Ctx, __: LoanChange) -> Questions:
    return {
        "paid_on": c.day("还款日期", required=True),
        "interest": c.money("还息金额", required=True, help="按银行实收；本金为批准的提前归还金额"),
        "note": c.text("备注", 200),
    }


def _payment_given(ctx: Ctx, change: LoanChange) -> Values:
    """The interest that the new plan asks for on the day."""
    return {"paid_on": ctx.today, "interest": loan_change.interest_due(ctx, change, ctx.today)}


def _payment_preview(ctx: Ctx, change: LoanChange, values: Values) -> Section:
    rows = replanned(ctx.session, change.drawdown, Terms.of(change, values["paid_on"]))
    return beside(repayment.plan_rows(ctx.session, change.drawdown), rows)


hooks.TEXTS.append(plan_section)
_FORMS = {
    ChangeKind.EXTENSION: ("extend", "申请展期", _extension, 10),
    ChangeKind.PREPAYMENT: ("prepay", "申请提前还款", _prepayment, 11),
    ChangeKind.RATE: ("reprice", "申请利率调整", _rate, 12),
}
register(
    *(
        Button(
            loan_change.PAPER.steps["submit"],
            _Applying(kind).apply,
            on="drawdown",
            name=name,
            label=label,
            when=_may_change,
            why_not=_why_not,
            questions=questions,
            given=_given,
            preview=_Applying(kind).preview,
            rank=rank,
            done=f"已提交{kind.label}审批",
            after=to_result,
            note=_NOTE,
        )
        for kind, (name, label, questions, rank) in _FORMS.items()
    ),
    Button(
        loan_change.ACTS["pay"],
        loan_change.pay,
        when=loan_change.waits,
        questions=_payment,
        given=_payment_given,
        preview=_payment_preview,
        style="primary",
        rank=1,
        done="已登记提前还款，新还款计划生效",
    ),
    Button(
        loan_change.PAPER.steps["cancel"],
        loan_change.cancel,
        when=loan_change.waits,
        style="danger",
        rank=20,
        ask="作废原因",
        confirm="作废后该笔提前还款不再办理；再要办理须重新申请。",
        done="已作废",
    ),
)
