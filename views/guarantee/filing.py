"""Buttons after the contract is signed: conditions met, seals set, pieces of the file in and out (4.11)."""

from typing import Any

from models.base import columns as c
from models.system.organization import Employee
from views.kit.buttons import Button, Questions, Values, register
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import archive, follow_up, seal


def _evidence(_: Ctx, __: Any) -> Questions:
    return {"evidence": c.text("落实依据", 300, required=True)}


def _taker(_: Ctx, __: Any) -> Questions:
    return {"taken_by": c.text("领取人", 60, required=True)}


def _place(_: Ctx, __: Any) -> Questions:
    return {"place": c.text("存放位置", 60, required=True, help="库房、柜号、盒号")}


def _slip(_: Ctx, __: Any) -> Questions:
    return {
        "borrower_id": c.reference("借阅人", "employee", required=True),
        "purpose": c.text("用途", 120, required=True),
        "due_on": c.day("应还日期", required=True),
    }


def _lend(ctx: Ctx, item: Any, borrower_id: Any, version: int | None, **slip: Any) -> Any:
    borrower = records.find(ctx, Employee, borrower_id)
    return archive.lend(ctx, item, borrower, version=version, **slip)


def _myself(ctx: Ctx, __: Any) -> Values:
    return {"taken_by": ctx.actor.name}


register(
    Button(
        follow_up.STEPS["meet"],
        follow_up.meet,
        questions=_evidence,
        style="primary",
        rank=1,
        done="已登记落实",
    ),
    Button(
        seal.ACTS["stamp"],
        seal.stamp,
        when=seal.waits,
        questions=_taker,
        given=_myself,
        style="primary",
        rank=1,
        done="已用印，登记簿已记",
    ),
    Button(
        archive.STEPS["file"],
        archive.file,
        questions=_place,
        style="primary",
        rank=1,
        done="已归档",
    ),
    Button(archive.STEPS["lend"], _lend, questions=_slip, rank=2, done="已借出"),
    Button(archive.STEPS["give_back"], archive.give_back, style="primary", rank=1, done="已归还"),
)
