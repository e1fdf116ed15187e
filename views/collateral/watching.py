"""Buttons of supervision, and of a revaluation by index."""

from typing import Any

from models.base import columns as c
from models.collateral.kind import CollateralType
from models.collateral.watch import AssetCondition
from views.kit.buttons import Button, Questions, Values, register
from workflows.base.context import Ctx
from workflows.collateral import revaluation, watch


def _seen(_: Ctx, __: Any) -> Questions:
    return {
        "condition": c.enum("押品状况", AssetCondition, required=True),
        "findings": c.long_text("监管情况", required=True),
        "on": c.day("监管日期", required=True),
    }


def _today(ctx: Ctx, __: Any) -> Values:
    return {"on": ctx.today}


def _index(_: Ctx, __: Any) -> Questions:
    return {
        "change_pct": c.rate(
            "涨跌幅", unit="%", scale=2, required=True, signed=True, help="下跌填负数，如 -12.5"
        ),
        "basis": c.text("指数及依据", 120, required=True),
    }


def _to_shortfall(_: CollateralType, __: Any) -> str:
    return "/report/collateral-shortfall"


register(
    Button(
        watch.STEPS["report"],
        watch.report,
        why_not=watch.why_not,
        questions=_seen,
        given=_today,
        style="primary",
        rank=1,
        done="已提交监管报告",
    ),
    Button(
        revaluation.ACT,
        revaluation.by_index,
        questions=_index,
        rank=2,
        done="已按指数重估，以下是价值缺口",
        after=_to_shortfall,
    ),
)
