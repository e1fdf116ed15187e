"""Buttons of an accounting period (8.3): 收入确认与计提, 反结账; 结账 itself is a job that 期末处理 starts."""

from typing import Any

from models.ledger.account import AccountingPeriod, PeriodState
from views.kit.buttons import Button, all_of, in_state, register
from workflows.base.context import Ctx
from workflows.ledger import closing


def closing_url(period: AccountingPeriod) -> str:
    """期末处理 of a period."""
    return f"/closing/?period={period.code}"


def _to_closing(period: AccountingPeriod, _: Any) -> str:
    return closing_url(period)


def _is_over(ctx: Ctx, period: AccountingPeriod) -> bool:
    return ctx.today >= period.ends_on


register(
    Button(
        closing.ACTS["provide"],
        closing.provide_now,
        when=all_of(in_state("state", PeriodState.OPEN), _is_over),
        rank=10,
        confirm="按参数确认担保费收入、计提准备金，生成的凭证直接记账。",
        done="收入确认与计提已完成",
        after=_to_closing,
    ),
    Button(
        closing.TRANSITIONS["reopen"],
        closing.reopen,
        style="danger",
        rank=20,
        ask="反结账原因",
        confirm="结转损益和年结的凭证将红字冲销，已出报表失效；只能对最近结账的期间办理。",
        done="已反结账",
        after=_to_closing,
    ),
)
