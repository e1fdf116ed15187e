"""Buttons of vouchers and of the 复核 queue (8.1, 8.2)."""

from decimal import Decimal
from typing import Any

from models.base import columns as c
from models.base.money import format_money
from models.ledger.event import EVENTS
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherState
from views.kit.verbs import ScreenVerb, all_of, in_state, record_url, register
from workflows.base.context import Ctx
from workflows.ledger import posting
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
    """Why only the one who did a thing may undo it."""

    def why(ctx: Ctx, voucher: Voucher) -> str:
        return "" if getattr(voucher, name) == ctx.actor.employee_id else "须由原办理人办理"

    return why


def _unsigned(ctx: Ctx, voucher: Voucher) -> str:
    if voucher.is_cash and voucher.state is State.REVIEWED:
        return "含现金银行科目，出纳签字后才能记账"
    return str(_own_part("post")(ctx, voucher))


def _is_cash(_: Ctx, voucher: Voucher) -> bool:
    return voucher.is_cash


def _is_manual(_: Ctx, voucher: Voucher) -> bool:
    return voucher.event_id is None


def _can_reverse(_: Ctx, voucher: Voucher) -> bool:
    return voucher.event_id is None and voucher.reverses_id is None


def _voucher_verb(name: str, label: str, run: Any, offered: Any, **facts: Any) -> ScreenVerb:
    return ScreenVerb(
        "voucher", name, label, run=run, permission=(name, "voucher"), is_offered=offered, **facts
    )


register(
    _voucher_verb(
        "review",
        "审核",
        lambda ctx, v, _, version: vouchers.review(ctx, v, version),
        in_state("state", State.DRAFT),
        why_not=_own_part("review"),
        style="primary",
        rank=10,
        done="已审核",
    ),
    _voucher_verb(
        "sign",
        "出纳签字",
        lambda ctx, v, _, version: vouchers.sign(ctx, v, version),
        all_of(in_state("state", State.REVIEWED), _is_cash),
        why_not=_own_part("sign"),
        style="primary",
        rank=11,
        done="已签字",
    ),
    _voucher_verb(
        "post",
        "记账",
        lambda ctx, v, _, version: vouchers.post(ctx, v, version),
        in_state("state", State.REVIEWED, State.SIGNED),
        why_not=_unsigned,
        style="primary",
        rank=12,
        done="已记账",
        confirm="记账后凭证不能再修改或删除，只能红字冲销。",
    ),
    _voucher_verb(
        "unreview",
        "取消审核",
        lambda ctx, v, _, version: vouchers.unreview(ctx, v, version),
        in_state("state", State.REVIEWED),
        why_not=_not_mine("reviewed_by_id"),
        rank=20,
        done="已取消审核",
    ),
    _voucher_verb(
        "unsign",
        "取消签字",
        lambda ctx, v, _, version: vouchers.unsign(ctx, v, version),
        in_state("state", State.SIGNED),
        why_not=_not_mine("signed_by_id"),
        rank=21,
        done="已取消签字",
    ),
    _voucher_verb(
        "void",
        "作废",
        lambda ctx, v, values, version: vouchers.void(ctx, v, values["reason"], version),
        all_of(in_state("state", State.DRAFT), _is_manual),
        style="danger",
        rank=30,
        ask="作废原因",
        confirm="作废后凭证号保留，不能恢复。",
        done="凭证已作废",
    ),
    _voucher_verb(
        "reverse",
        "红字冲销",
        lambda ctx, v, _, version: vouchers.reverse(ctx, v, version),
        all_of(in_state("state", State.POSTED), _can_reverse),
        style="danger",
        rank=31,
        confirm="将生成一张金额相反的红字凭证草稿，审核记账后生效。",
        done="已生成红字冲销凭证",
        after=lambda _record, result: record_url(result),
    ),
)


def _event_verb(name: str, label: str, run: Any, *states: EventState, **facts: Any) -> ScreenVerb:
    return ScreenVerb(
        "business_event",
        name,
        label,
        run=run,
        permission=(name, "business_event"),
        is_offered=in_state("state", *states),
        **facts,
    )


def _book(ctx: Ctx, event: BusinessEvent, _: Any, version: int | None) -> Voucher:
    return posting.book(ctx, event, version)


def _after_booking(_: BusinessEvent, voucher: Voucher) -> str:
    return record_url(voucher)


register(
    _event_verb(
        "book",
        "记账",
        _book,
        EventState.PENDING,
        style="primary",
        rank=10,
        after=_after_booking,
        confirm="按记账规则生成凭证，由您制单，再由他人审核。",
        done="已生成凭证",
    ),
    ScreenVerb(
        "business_event",
        "book_on",
        "选择日期记账",
        run=lambda ctx, e, values, version: posting.book(ctx, e, version, on=values["on"]),
        permission=("book", "business_event"),
        is_offered=in_state("state", EventState.PENDING),
        questions=lambda _ctx, _event: {
            "on": c.day("凭证日期", required=True, help="须在未结账的会计期间内，且不晚于营业日期")
        },
        given=lambda ctx, event: {"on": posting.booking_date(ctx, event)},
        has_form=True,
        rank=11,
        after=_after_booking,
        done="已生成凭证",
    ),
    _event_verb(
        "refuse",
        "退回",
        lambda ctx, e, values, version: posting.refuse(ctx, e, values["reason"], version),
        EventState.PENDING,
        style="danger",
        rank=20,
        ask="退回原因",
        done="已退回业务办理",
        confirm="退回后由业务人员更正并重新提交复核。",
    ),
    _event_verb(
        "unbook",
        "撤回复核",
        lambda ctx, e, values, version: posting.unbook(ctx, e, values["reason"], version),
        EventState.BOOKED,
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
