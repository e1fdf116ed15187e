"""Gap-free numbers: a counter row raised in the transaction that uses the number."""

from datetime import date

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from models.base.errors import BusinessError
from models.system.setup import NumberCounter, NumberReset, NumberRule
from workflows.base.context import Ctx


def next_count(ctx: Ctx, rule_code: str, scope: str = "") -> int:
    """The next whole number of a counter; a rolled-back transaction gives it back, so there are no gaps."""
    raise_by_one = (
        update(NumberCounter)
        .where(NumberCounter.rule_code == rule_code, NumberCounter.scope == scope)
        .values(last_no=NumberCounter.last_no + 1)
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
    rule = ctx.session.scalar(select(NumberRule).where(NumberRule.code == rule_code))
    if rule is None:
        raise BusinessError(f"编号规则“{rule_code}”未设置，请在“编号规则”中补充")
    on = on or ctx.today
    period = {NumberReset.YEAR: f"{on:%Y}", NumberReset.MONTH: f"{on:%Y%m}"}.get(rule.reset, "")
    no = next_count(ctx, rule_code, f"{scope}|{period}" if scope else period)
    places = {"yyyy": f"{on:%Y}", "mm": f"{on:%m}", "dd": f"{on:%d}", "no": no, **parts}
    try:
        return str(rule.pattern.format_map(places))
    except (KeyError, ValueError, IndexError) as error:
        raise BusinessError(f"编号规则“{rule.label}”的格式“{rule.pattern}”有误") from error
