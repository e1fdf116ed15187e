"""What moved equity in a year (8.5): by the accounts that stand against each other in its vouchers.

Amounts are 元, credit positive, by part of equity: a row of 资产负债表. Of each voucher, what 利润分配 gave to another
part is an appropriation of that part; what it gave to anybody else is 对所有者的分配及其他; what other parts gave to
each other stays within; what came to them from outside is 所有者投入和减少资本.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.base.columns import Money
from models.ledger.account import ZERO, Account, AccountCategory, AccountingPeriod
from models.ledger.statement import RowSource
from models.ledger.voucher import Voucher, VoucherEntry, VoucherKind, VoucherState
from reports.figures.opening_year import earned_before, of_year
from reports.figures.profit import earned

_OWN = {"4101": RowSource.SURPLUS, "4102": RowSource.RISK_RESERVE}

Changes = dict[tuple[RowSource, int], Decimal]


@dataclass(frozen=True)
class Parts:
    """The parts of equity: which one each account belongs to, and which of them holds profit."""

    of_account: dict[int, int]
    retained: int


@dataclass
class Moving:
    """A voucher that moved equity, as parts of it see it; or the sum of many, of which no more is known."""

    key: int
    is_reversal: bool = False
    moves_profit: bool = False
    is_sum: bool = False
    others: dict[int, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    retained: Decimal = ZERO
    profit: Decimal = ZERO
    grows: dict[int, RowSource] = field(default_factory=dict)

    def changes(self, retained_part: int) -> Changes:
        """Its amounts by what they are."""
        # 结转 carries profit into 本年利润, which is the year's profit as earned and no change of its own.
        rest = self.retained + (self.profit if self.moves_profit else ZERO)
        found: Changes = defaultdict(lambda: ZERO)
        others = {part: amount for part, amount in self.others.items() if amount}
        if not rest:
            outside = sum(others.values(), ZERO)
            source = RowSource.CAPITAL if outside else RowSource.WITHIN
            return {(source, part): amount for part, amount in others.items()}
        for part, amount in others.items():
            if self.is_sum and part not in self.grows:
                found[RowSource.CAPITAL, part] += amount
                continue
            source = self._source(part, amount)
            found[source, part] += amount
            found[source, retained_part] -= amount
            rest += amount
        if rest:
            found[RowSource.DISTRIBUTION, retained_part] += rest
        return found

    def _source(self, part: int, amount: Decimal) -> RowSource:
        """An appropriation makes its part grow, unless it is taken back in red; anything else stays within equity."""
        own = self.grows.get(part, RowSource.WITHIN)
        return own if amount > 0 or self.is_reversal else RowSource.WITHIN


def changes(session: Session, parts: Parts, period: str) -> Changes:
    """What moved each part of equity from January up to a period."""
    found: Changes = defaultdict(lambda: ZERO)
    found[RowSource.NET_PROFIT, parts.retained] = -_earned(session, period)
    moving = _vouchers(session, parts, period)
    if (old := _old_books(session, parts, period)) is not None:
        moving.append(old)
    for one in moving:
        for key, amount in one.changes(parts.retained).items():
            found[key] += amount
    return found


def by_voucher(session: Session, parts: Parts, period: str) -> dict[int, Changes]:
    """The same by the vouchers that did it; profit and old books have none."""
    found = {one.key: one.changes(parts.retained) for one in _vouchers(session, parts, period)}
    return {key: what for key, what in found.items() if any(what.values())}


def _earned(session: Session, period: str) -> Decimal:
    """Profit of the year as its statement tells it, a loss positive."""
    own = sum(earned(session, f"{period[:4]}-01", period).values(), ZERO)
    return own + sum(earned_before(session, int(period[:4]), period).values(), ZERO)


def _vouchers(session: Session, parts: Parts, period: str) -> list[Moving]:
    """The vouchers of the year with an entry on equity, each with what it did to equity and to profit."""
    entry, account = aliased(VoucherEntry), aliased(Account)
    touching = (
        select(entry.voucher_id)
        .join(account, account.id == entry.account_id)
        .where(account.category == AccountCategory.EQUITY)
    )
    net = func.sum(VoucherEntry.credit - VoucherEntry.debit, type_=Money())
    query = (
        select(Voucher.id, Voucher.kind, Voucher.reverses_id, Account.id, Account.code, net)
        .join(VoucherEntry, VoucherEntry.voucher_id == Voucher.id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .join(Account, Account.id == VoucherEntry.account_id)
        .where(
            AccountingPeriod.code.between(f"{period[:4]}-01", period),
            Voucher.state == VoucherState.POSTED,
            Voucher.kind != VoucherKind.OPENING,
            Account.category.in_((AccountCategory.EQUITY, AccountCategory.PROFIT)),
            Voucher.id.in_(touching),
        )
        .group_by(Voucher.id, Voucher.kind, Voucher.reverses_id, Account.id, Account.code)
        .order_by(Voucher.id)
    )
    found: dict[int, Moving] = {}
    for key, kind, reverses_id, account_id, code, amount in session.execute(query):
        one = found.setdefault(key, Moving(key, reverses_id is not None, kind.moves_profit))
        _add(one, parts, account_id, code, amount)
    return list(found.values())


def _add(one: Moving, parts: Parts, account_id: int, code: str, amount: Decimal) -> None:
    part = parts.of_account.get(account_id)
    if part is None:
        one.profit += amount
    elif part == parts.retained:
        one.retained += amount
    else:
        one.others[part] += amount
        if (own := _OWN.get(code.partition(".")[0])) is not None:
            one.grows[part] = own


def _old_books(session: Session, parts: Parts, period: str) -> Moving | None:
    """What old books that ended within the year did to equity: known by account alone, so taken as one voucher."""
    kept = of_year(session, int(period[:4]), period)
    if not kept:
        return None
    one = Moving(0, moves_profit=True, is_sum=True)
    query = select(Account.id, Account.code).where(
        Account.code.in_(kept), Account.is_leaf, Account.category == AccountCategory.EQUITY
    )
    for account_id, code in session.execute(query):
        _, debit, credit = kept[code]
        _add(one, parts, account_id, code, credit - debit)
    # The profit that they had carried into 本年利润 is told as profit.
    one.profit = sum(earned_before(session, int(period[:4]), period).values(), ZERO)
    return one
