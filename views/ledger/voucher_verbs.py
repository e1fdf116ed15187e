"""Buttons of vouchers and of the 复核 queue (8.1, 8.2)."""

from decimal import Decimal
from typing import Any

from models.base import columns as c
from models.base.money import format_money
from models.ledger.event import EVENTS
from models.ledger.voucher import BusinessEvent, Voucher, VoucherState
from views.kit.buttons import Button, Questions, Values, register, to_result
from views.ledger.voucher_form import may_copy
from workflows.base.context import Ctx
from workflows.ledger import posting, voucher_templates
from workflows.ledger import voucher as vouchers

State = VoucherState


def _own_part(verb: str) -> Any:
    """Why somebody who had an earlier part in the voucher cannot do this one."""

    def why(ctx: Ctx, voucher: Voucher) -> str:
        for name, what in vouchers.SEPARATION.get(verb, {}).items():
            if (
                ctx.actor.employee_id is not None
                and getattr(voucher, name) == ctx.actor.employee_id
            ):
                return f"您已办理{what}，须由其他人办理"
        return ""

    return why


def _not_mine(name: str) -> Any:
    """Why only the one who did a thing may undo it, while they are there."""

    def why(ctx: Ctx, voucher: Voucher) -> str:
        return "" if vouchers.may_undo(ctx, getattr(voucher, name)) else "须由原办理人办理"

    return why


def _unsigned(ctx: Ctx, voucher: Voucher) -> str:
    if voucher.is_cash and voucher.state is State.REVIEWED:
        return "含现金银行科目，出纳签字后才能记账"
    return str(_own_part("post")(ctx, voucher))


def _is_cash(_: Ctx, voucher: Voucher) -> bool:
    return voucher.is_cash


def _is_manual(_: Ctx, voucher: Voucher) -> bool:
    return voucher.event_id is None


def _is_by_hand(_: Ctx, voucher: Voucher) -> bool:
    return may_copy(voucher)


def _can_reverse(_: Ctx, voucher: Voucher) -> bool:
    return voucher.event_id is None and voucher.reverses_id is None


def _book_on_given(ctx: Ctx, event: BusinessEvent) -> Values:
    return {"on": posting.booking_date(ctx, event)}


def _book_on(_: Ctx, __: BusinessEvent) -> Questions:
    words = "须在未结账的会计期间内，且不晚于营业日期"
    return {"on": c.day("凭证日期", required=True, help=words)}


register(
    Button(
        vouchers.TRANSITIONS["review"],
        vouchers.review,
        why_not=_own_part("review"),
        style="primary",
        rank=10,
        done="已审核",
    ),
    Button(
        vouchers.TRANSITIONS["sign"],
        vouchers.sign,
        when=_is_cash,
        why_not=_own_part("sign"),
        style="primary",
        rank=11,
        done="已签字",
    ),
    Button(
        vouchers.TRANSITIONS["post"],
        vouchers.post,
        why_not=_unsigned,
        style="primary",
        rank=12,
        done="已记账",
        confirm="记账后凭证不能再修改或删除，只能红字冲销。",
    ),
    Button(
        vouchers.TRANSITIONS["unreview"],
        vouchers.unreview,
        why_not=_not_mine("reviewed_by_id"),
        rank=20,
        done="已取消审核",
    ),
    Button(
        vouchers.TRANSITIONS["unsign"],
        vouchers.unsign,
        why_not=_not_mine("signed_by_id"),
        rank=21,
        done="已取消签字",
    ),
    Button(
        vouchers.TRANSITIONS["void"],
        vouchers.void,
        when=_is_manual,
        style="danger",
        rank=30,
        ask="作废原因",
        confirm="作废后凭证号保留，不能恢复。",
        done="凭证已作废",
    ),
    Button(
        voucher_templates.ACTS["keep_template"],
        voucher_templates.keep_template,
        when=_is_by_hand,
        rank=40,
        ask="模板名称",
        after=to_result,
        done="已存为凭证模板",
    ),
    Button(
        vouchers.TRANSITIONS["reverse"],
        vouchers.reverse,
        when=_can_reverse,
        style="danger",
        rank=31,
        confirm="将生成一张金额相反的红字凭证草稿，审核记账后生效。",
        done="已生成红字冲销凭证",
        after=to_result,
    ),
    Button(
        posting.TRANSITIONS["book"],
        posting.book,
        style="primary",
        rank=10,
        after=to_result,
        confirm="按记账规则生成凭证，由您制单，再由他人审核。",
        done="已生成凭证",
    ),
    Button(
        posting.TRANSITIONS["book"],
        posting.book,
        name="book_on",
        label="选择日期记账",
        questions=_book_on,
        given=_book_on_given,
        rank=11,
        after=to_result,
        done="已生成凭证",
    ),
    Button(
        posting.TRANSITIONS["refuse"],
        posting.refuse,
        style="danger",
        rank=20,
        ask="退回原因",
        done="已退回业务办理",
        confirm="退回后由业务人员更正并重新提交复核。",
    ),
    Button(
        posting.TRANSITIONS["unbook"],
        posting.unbook,
        style="danger",
        rank=21,
        ask="撤回原因",
        done="已撤回，复核单回到待复核",
        confirm="草稿凭证将作废；已记账的凭证将生成红字冲销凭证。",
    ),
)


def amounts_of(event: BusinessEvent) -> list[tuple[str, str]]:
    """The amounts of an event by their Chinese names."""
    kind = EVENTS.get(event.event_code)
    labels = kind.amounts if kind else {}
    return [
        (labels.get(key, key), format_money(Decimal(value))) for key, value in event.amounts.items()
    ]
