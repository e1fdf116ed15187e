"""Buttons of an accounting period (8.3): 收入确认与计提, 反结账; 结账 itself is a job that 期末处理 starts."""

from models.ledger.account import AccountingPeriod, PeriodState
from views.kit.verbs import ScreenVerb, all_of, in_state, register
from workflows.base.context import Ctx
from workflows.ledger import closing


def closing_url(period: AccountingPeriod) -> str:
    """期末处理 of a period."""
    return f"/closing/?period={period.code}"


def _is_over(ctx: Ctx, period: AccountingPeriod) -> bool:
    return ctx.today >= period.ends_on


register(
    ScreenVerb(
        "accounting_period",
        "provide",
        "收入确认与计提",
        run=lambda ctx, period, _, __: closing.provide_now(ctx, period),
        permission=("provide", "accounting_period"),
        is_offered=all_of(in_state("state", PeriodState.OPEN), _is_over),
        rank=10,
        confirm="按参数确认担保费收入、计提准备金，生成的凭证直接记账。",
        done="收入确认与计提已完成",
        after=lambda period, _: closing_url(period),
    ),
    ScreenVerb(
        "accounting_period",
        "reopen",
        "反结账",
        run=lambda ctx, period, values, version: closing.reopen(
            ctx, period, values["reason"], version
        ),
        permission=("reopen", "accounting_period"),
        is_offered=in_state("state", PeriodState.CLOSED),
        style="danger",
        rank=20,
        ask="反结账原因",
        confirm="结转损益和年结的凭证将红字冲销，已出报表失效；只能对最近结账的期间办理。",
        done="已反结账",
        after=lambda period, _: closing_url(period),
    ),
)
