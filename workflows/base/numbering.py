"""Gap-free numbers: a counter row raised in the transaction that uses the number."""

from datetime import date

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from models.base.errors import BusinessError
from models.system.setup import NumberCounter, NumberReset, NumberRule
from workflows.base.context import Ctx


class Untaken:
    """For rows that are only tried: numbers that nobody gets."""

    def __init__(self) -> None:
        """No rule was read yet."""
        self.rules: dict[str, NumberRule] = {}

    def next_count(self, ctx: Ctx, rule_code: str, scope: str) -> int:
        """Any number."""
        del ctx, rule_code, scope
        return 0


class Block:
    """For many rows of one transaction: counters are raised by the rows to come at once; `give_back` leaves no gap."""

    def __init__(self, size: int) -> None:
        """`size` rows are to come at most."""
        self.rules: dict[str, NumberRule] = {}
        self._size = size
        self._next: dict[tuple[str, str], tuple[int, int]] = {}

    def next_count(self, ctx: Ctx, rule_code: str, scope: str) -> int:
        """The next whole number of a counter."""
        first, last = self._next.get((rule_code, scope), (1, 0))
        if first > last:
            last = next_count(ctx, rule_code, scope, self._size)
            first = last - self._size + 1
        self._next[rule_code, scope] = first + 1, last
        return first

    def give_back(self, ctx: Ctx) -> None:
        """Lower the counters by what was not needed: nobody else had them meanwhile."""
        for (rule_code, scope), (first, last) in self._next.items():
            if first <= last:
                next_count(ctx, rule_code, scope, first - 1 - last)
        self._next.clear()


def next_count(ctx: Ctx, rule_code: str, scope: str = "", by: int = 1) -> int:
    """The next whole number of a counter; a rolled-back transaction gives it back, so there are no gaps."""
    raise_by_one = (
        update(NumberCounter)
        .where(NumberCounter.rule_code == rule_code, NumberCounter.scope == scope)
        .values(last_no=NumberCounter.last_no + by)
        .returning(NumberCounter.last_no)
        .execution_options(synchronize_session=False)
    )
    found = ctx.session.scalar(raise_by_one)
    if found is not None:
        return int(found)
    try:
        # Two first users at once: the loser of the unique key goes on with the winner's row.
        with ctx.session.begin_nested():
            ctx.session.execute(
                insert(NumberCounter).values(
                    rule_code=rule_code, scope=scope, last_no=0, version=1, extra={}
                )
            )
    except IntegrityError:
        pass
    return int(ctx.session.scalar(raise_by_one) or 0)


def next_number(
    ctx: Ctx, rule_code: str, *, on: date | None = None, scope: str = "", **parts: str
) -> str:
    """The next number by its rule (编号规则), e.g. DB2026-0001; `parts` fill further places of the pattern.

    Raises BusinessError when the rule is missing or its pattern cannot be filled.
    """
    rule = _rule(ctx, rule_code)
    on = on or ctx.today
    period = {NumberReset.YEAR: f"{on:%Y}", NumberReset.MONTH: f"{on:%Y%m}"}.get(rule.reset, "")
    place = f"{scope}|{period}" if scope else period
    source = ctx.numbers
    no = (
        next_count(ctx, rule_code, place)
        if source is None
        else source.next_count(ctx, rule_code, place)
    )
    places = {"yyyy": f"{on:%Y}", "mm": f"{on:%m}", "dd": f"{on:%d}", "no": no, **parts}
    try:
        return str(rule.pattern.format_map(places))
    except (KeyError, ValueError, IndexError) as error:
        raise BusinessError(f"编号规则“{rule.label}”的格式“{rule.pattern}”有误") from error


def _rule(ctx: Ctx, code: str) -> NumberRule:
    known: dict[str, NumberRule] = {} if ctx.numbers is None else ctx.numbers.rules
    rule = known.get(code) or ctx.session.scalar(select(NumberRule).where(NumberRule.code == code))
    if rule is None:
        raise BusinessError(f"编号规则“{code}”未设置，请在“编号规则”中补充")
    known[code] = rule
    return rule
