"""Money of a recovery case on its way through 复核 (6.3): it counts from the day on which it is noted.

Sent back it stands for nothing: what it has counted is taken off again, and it is noted anew.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from models.after.case_money import CaseMoney, MoneyState
from models.after.compensation import CompensationShare
from models.after.recovery import CaseState, RecoveryCase
from models.base.errors import FieldErrors
from models.base.money import MONEY_MAX, round_money
from models.guarantee.scheme import SharingParty
from models.ledger.voucher import BusinessEvent
from reports.figures.compensation import Amounts
from reports.figures.recovery import shares_of
from workflows.base.context import Ctx
from workflows.base.transition import Step, move, steps

ZERO = Decimal(0)
M = TypeVar("M", bound=CaseMoney)
Count = Callable[[Ctx, M, int], None]
_WAITS, _BOOKED = (MoneyState.SUBMITTED,), (MoneyState.BOOKED,)
CASE = steps(
    Step(
        "recovery_case",
        "restate",
        "追偿进展",
        column="state",
        sources=(CaseState.OPEN, CaseState.RECOVERED),
        targets=(CaseState.OPEN, CaseState.RECOVERED),
        follows=True,
    ),
)


class Money(Generic[M]):
    """One kind of money with its steps; the workflow that raises its events tells it what 复核 made of them.

    `count` adds what it does to the case and to the shares (1), or takes that off again (-1); it may refuse.
    """

    def __init__(self, model: type[M], count: Count[M]) -> None:
        """Register its steps."""
        self.model, self.table, self.count = model, str(model.__tablename__), count
        self.steps = steps(
            self._step("book", "复核记账", _WAITS, _BOOKED),
            self._step("unbook", "撤回复核", _BOOKED, _WAITS),
            self._step("return", "复核退回", _WAITS, (MoneyState.RETURNED,)),
        )

    def _step(
        self, verb: str, label: str, sources: tuple[MoneyState, ...], to: tuple[MoneyState, ...]
    ) -> Step:
        return Step(
            self.table, verb, label, column="state", sources=sources, targets=to, follows=True
        )

    def note(self, ctx: Ctx, made: M) -> None:
        """Write the row and count it; the caller holds the case, has numbered the row and hands it to 复核."""
        ctx.session.add(made)
        ctx.session.flush()
        self.count(ctx, made, 1)
        restate(ctx, made.recovery_case)

    def book(self, ctx: Ctx, event: BusinessEvent, verb: str) -> None:
        """The row behind an event is in the books (`book`), or back in the queue (`unbook`)."""
        move(self.steps[verb], ctx.session.get_one(self.model, event.record_id))
        ctx.session.flush()

    def refuse(self, ctx: Ctx, event: BusinessEvent) -> None:
        """The row behind an event stands for nothing any more."""
        made = ctx.session.get_one(self.model, event.record_id)
        held(ctx, made.recovery_case)
        self.count(ctx, made, -1)
        move(self.steps["return"], made)
        made.returned_reason = event.reason
        restate(ctx, made.recovery_case)


def held(ctx: Ctx, case: RecoveryCase) -> list[CompensationShare]:
    """Hold a case until the commit, so that of two at once the second sees what the first took; its shares."""
    ctx.session.flush()
    ctx.session.refresh(case, with_for_update={"of": RecoveryCase})
    shares = shares_of(ctx.session, case)
    for share in shares:
        ctx.session.refresh(share)
    return shares


def restate(ctx: Ctx, case: RecoveryCase) -> None:
    """Bring what stands on the case in line with its shares, and its state with what is still owed."""
    ctx.session.flush()
    shares = shares_of(ctx.session, case)
    mine = [one for one in shares if one.party is SharingParty.OWN]
    own = sum((one.open_amount for one in mine), ZERO)
    case.paid_amount = sum((one.amount for one in shares), ZERO)
    case.other_open = sum((one.open_amount for one in shares), ZERO) - own
    if case.state is not CaseState.WRITTEN_OFF:
        case.balance = own
        is_done = bool(shares) and not (own or case.other_open or case.cost_open)
        move(CASE["restate"], case, CaseState.RECOVERED if is_done else CaseState.OPEN)
    ctx.session.flush()


def take(share: CompensationShare, amounts: Amounts, sign: int) -> None:
    """Less is owed on a share by what came in of each part, or more again."""
    share.principal_open -= sign * amounts.principal
    share.interest_open -= sign * amounts.interest
    share.penalty_open -= sign * amounts.penalty
    share.other_open -= sign * amounts.other
    share.open_amount -= sign * amounts.total


def about_money(
    ctx: Ctx, case: RecoveryCase, amount: Decimal, moved_on: date, note: str | None
) -> dict[str, list[str]]:
    """What is wrong with an amount and its day, by field."""
    found: dict[str, list[str]] = {}
    if not amount.is_finite() or not 0 < amount <= MONEY_MAX or round_money(amount) != amount:
        found["amount"] = ["金额应大于 0，最多两位小数"]
    if not case.opened_on <= moved_on <= ctx.today:
        said = f"日期应在立案日期 {case.opened_on} 与营业日期 {ctx.today} 之间"
        found["moved_on"] = [said]
    if len((note or "").strip()) > 200:
        found["note"] = ["备注不超过 200 字"]
    return found


def refuse(found: dict[str, list[str]]) -> None:
    """Raise FieldErrors where anything is wrong."""
    if found:
        raise FieldErrors(found)


def words(text: Any) -> str | None:
    """What was typed without blanks around it; None for nothing."""
    return (text or "").strip() or None
