"""代偿 on its page and before who decides: the claim beside our plan; its payment by the cashier (6.2, 6.8)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import select

from models.after.compensation import PARTS, Compensation
from models.base import columns as c
from models.base.entity import Entity
from models.base.money import format_money
from models.guarantee.drawdown import Drawdown, DrawdownState
from reports.figures import compensation as figures
from reports.figures.business_ledger import margin_at
from views.kit import hooks
from views.kit.buttons import Button, Questions, Values, register
from views.kit.entity_view import EntityView
from views.kit.pages import Cell, Column, Row, Section
from workflows.after import compensation
from workflows.base.context import Ctx

_COLUMNS = (
    Column("part", "项目"),
    Column("claim", "银行主张", "money", "元"),
    Column("plan", "按计划", "money", "元"),
    Column("difference", "差额", "money", "元"),
    Column("accepted", "核定", "money", "元"),
    Column("pay", "公司代偿", "money", "元"),
)


class CompensationView(EntityView):
    """Screens of 代偿: a new one begins with what is known of the project's loan."""

    model: ClassVar[Any] = Compensation

    def proposed(self, ctx: Ctx, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The one loan of the project that runs, and today's dates."""
        project_id = chosen.get("project_id")
        query = select(Drawdown).where(
            Drawdown.project_id == project_id,
            Drawdown.state.in_((DrawdownState.OVERDUE, DrawdownState.ACTIVE)),
        )
        loans = ctx.session.scalars(query.limit(2)).all() if project_id else []
        dates = {"received_on": ctx.today, "counted_on": ctx.today}
        return {**dates, "drawdown_id": loans[0].id} if len(loans) == 1 else dates


def claim_section(record: Entity, ctx: Ctx) -> Section | None:
    """The claim part by part beside what our plan says, what was accepted and what the company pays of it."""
    if not isinstance(record, Compensation):
        return None
    prefixes = ("claim_", "accepted_", "pay_")
    claim, accepted, ours = (figures.amounts_of(record, one) for one in prefixes)
    plan = figures.Amounts(record.plan_principal, record.plan_interest, record.plan_penalty)
    lines = zip(PARTS, claim, plan, accepted, ours, strict=True)
    rows = [_row(compensation.LABELS[part], *amounts) for part, *amounts in lines]
    rows.append(_row("合计", claim.total, plan.total, accepted.total, ours.total))
    return Section(
        "claim",
        "代偿金额核对",
        columns=list(_COLUMNS),
        rows=rows,
        count=len(rows),
        foot="；".join(_said(ctx, record, accepted)),
    )


def _row(label: str, claim: Any, plan: Any, accepted: Any, pay: Any) -> Row:
    amounts = (claim, plan, claim - plan, accepted, pay)
    cells = [Cell(format_money(one), "money") for one in amounts]
    if claim != plan:
        cells[2] = Cell(format_money(claim - plan), "money", tone="warn")
    return Row(label, "", (Cell(label), *cells))


def _said(ctx: Ctx, paper: Compensation, accepted: figures.Amounts) -> list[str]:
    """On which day the plan was asked, who bears what of the payment, and what is outside the guarantee."""
    how = "全部提前到期" if paper.is_accelerated else "到期未还部分"
    words = [f"计划按 {paper.counted_on} {how}计算"]
    if paper.pay_amount:
        words += [
            f"{portion.name} {format_money(part.total)} 元"
            for portion, part in figures.shares(ctx.session, paper)
        ]
    asked = figures.payable(
        ctx.session, paper.project, accepted, paper.received_on, without=paper.id
    )
    return [*words, *asked.outside]


def _payment(ctx: Ctx, paper: Compensation) -> Questions:
    asked = {
        "paid_on": c.day("付款日期", required=True),
        "payment_no": c.text("付款凭据号", 60, required=True),
    }
    if placed := margin_at(ctx.session, paper.project.bank_id):
        asked["margin_amount"] = c.money(
            "其中存出保证金支付",
            required=True,
            help=f"存出保证金余额 {format_money(placed)} 元",
        )
    return asked


def _given(ctx: Ctx, paper: Compensation) -> Values:
    del paper
    return {"paid_on": ctx.today, "margin_amount": 0}


hooks.TEXTS.append(claim_section)
register(
    Button(
        compensation.ACTS["pay"],
        compensation.pay,
        when=compensation.waits,
        questions=_payment,
        given=_given,
        style="primary",
        rank=1,
        confirm="登记后借据、在保余额和额度随之变动，并送复核记账。",
        done="已登记代偿付款，送复核记账",
    ),
    Button(
        compensation.PAPER.steps["cancel"],
        compensation.cancel,
        when=compensation.waits,
        style="danger",
        rank=20,
        ask="作废原因",
        confirm="作废后不再代偿；再要办理须重新申请。",
        done="已作废",
    ),
)
