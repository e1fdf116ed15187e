"""What must hold of 资产分级依据: a leaf asset account, within its balance, and what the rule of the law asks for."""

import re
from decimal import Decimal

from sqlalchemy import func, select

from models.base.columns import Money
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.moments import add_months, last_day
from models.base.money import format_money
from models.guarantee.project import Project, ProjectState
from models.ledger.account import ZERO, Account, AccountCategory
from models.ledger.asset_split import AssetRule, AssetSplit
from reports.figures.balances import balance_of
from reports.figures.parameters import number
from reports.figures.provisions import month_before
from reports.ledger.asset_classes import is_claim
from workflows.base import records
from workflows.base.context import Ctx

_MONTH = re.compile(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])")
_OF_CLIENTS = (AssetRule.CLIENT_EQUITY, AssetRule.CLIENT_LOAN)


@records.rule(AssetSplit)
def check_split(ctx: Ctx, split: AssetSplit, is_new: bool) -> None:
    """Raises FieldErrors with all that is wrong."""
    del is_new
    wrong: dict[str, list[str]] = {}
    if not _MONTH.fullmatch(split.month or "") or split.month > f"{ctx.today:%Y-%m}":
        raise FieldErrors({"month": [f"请填写 2025-12 这样的月份，不晚于 {ctx.today:%Y-%m}"]})
    account = ctx.session.get_one(Account, split.account_id)
    if (
        account.category is not AccountCategory.ASSET
        or not account.is_leaf
        or is_claim(account.code)
    ):
        wrong["account_id"] = ["请选择末级资产科目；应收代偿款不参加分级"]
    elif excess := _excess(ctx, split, account):
        wrong["amount"] = [excess]
    if split.rule in _OF_CLIENTS and (said := _about_client(ctx, split)):
        wrong["customer_id"] = [said]
    if split.rule is AssetRule.CLIENT_LOAN:
        wrong |= _about_term(ctx, split)
    if wrong:
        raise FieldErrors(wrong)


def carry_over(ctx: Ctx, month: str) -> tuple[int, list[str]]:
    """Copy the evidence of the month before to a month without any; gives how many rows, and which stay behind and why.

    Raises Conflict where there is nothing to copy or to copy to.
    """
    ctx.require("add", "asset_split", "复制上月分级依据")
    if not _MONTH.fullmatch(month):
        raise BusinessError("没有这个月份", field="period")
    if ctx.session.scalar(select(func.count(AssetSplit.id)).where(AssetSplit.month == month)):
        raise Conflict(f"{month} 已有分级依据，不能再复制上月")
    before = month_before(month, 1)
    names = ("account_id", "rule", "amount", "customer_id", "starts_on", "ends_on", "evidence")
    made, left = 0, []
    for row in ctx.session.scalars(
        select(AssetSplit).where(AssetSplit.month == before).order_by(AssetSplit.id)
    ).all():
        if row.ends_on is not None and row.ends_on <= last_day(month):
            left.append(f"{row.evidence}：合同已到期")
            continue
        attempt = ctx.session.begin_nested()
        try:
            records.create(
                ctx, AssetSplit, {"month": month, **{name: getattr(row, name) for name in names}}
            )
        except FieldErrors as error:
            attempt.rollback()
            left.append(f"{row.evidence}：{error.message}")
            continue
        attempt.commit()
        made += 1
    if not made:
        raise Conflict("；".join([f"{before} 没有可复制的分级依据", *left]))
    return made, left


def _excess(ctx: Ctx, split: AssetSplit, account: Account) -> str:
    """What to say where the parts of a balance come to more than it."""
    query = select(func.sum(AssetSplit.amount, type_=Money())).where(
        AssetSplit.month == split.month,
        AssetSplit.account_id == split.account_id,
        AssetSplit.id != (split.id or 0),
    )
    with ctx.session.no_autoflush:
        others: Decimal = ctx.session.scalar(query) or ZERO
    left = abs(balance_of(ctx.session, account.code, split.month)) - others
    if split.amount <= left:
        return ""
    return f"科目 {account.code} 在 {split.month} 月末未分级的余额只有 {format_money(max(left, ZERO))} 元"


def _about_client(ctx: Ctx, split: AssetSplit) -> str:
    if split.customer_id is None:
        return "这条规则只适用于在保客户，请选择客户"
    query = select(func.count(Project.id)).where(
        Project.customer_id == split.customer_id, Project.state == ProjectState.IN_FORCE
    )
    return "" if ctx.session.scalar(query) else "该客户没有在保项目，只能按Ⅲ级"


def _about_term(ctx: Ctx, split: AssetSplit) -> dict[str, list[str]]:
    missing = {
        name: ["委托贷款须填合同日期"]
        for name in ("starts_on", "ends_on")
        if getattr(split, name) is None
    }
    if missing or split.starts_on is None or split.ends_on is None:
        return missing
    on = last_day(split.month)
    months = int(number(ctx.session, "asset.client_loan_months", on))
    if not split.starts_on <= on or split.ends_on <= split.starts_on:
        return {"starts_on": [f"起始日期应早于到期日期，且不晚于 {on}"]}
    if split.ends_on > add_months(split.starts_on, months):
        return {"ends_on": [f"合同期限超过 {months} 个月，只能按Ⅲ级"]}
    return {}
