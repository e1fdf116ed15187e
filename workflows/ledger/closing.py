"""期末处理 (8.3): 收入确认, 计提, 结转损益, 年结 and 结账 as steps of one job; 反结账.

Each step books only what is missing, so a run that was broken off, or one after 反结账, ends like an undisturbed one.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.base.actor import Actor
from models.base.errors import BusinessError, Conflict, NotFound
from models.base.money import format_money
from models.ledger.account import ZERO, Account, AccountingPeriod, AuxiliaryBalance, PeriodState
from models.ledger.closing import MonthEndLog, OpeningImport
from models.ledger.statement import IssuedStatement, StatementKind
from models.ledger.voucher import Voucher, VoucherKind, VoucherState
from models.system.setup import JobRun
from reports.figures import profit
from reports.figures.balances import balance_of
from reports.figures.provisions import RETAINED, on_side
from reports.ledger.closing_checks import as_kept
from reports.ledger.statements import frozen, statement
from workflows.base import audit, jobs
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, permit, steps, verbs
from workflows.ledger import heads, provisions, recognition, vat, voucher
from workflows.ledger.closing_checks import require_checks
from workflows.ledger.entries import AUXILIARIES, LINES_MAX, Line, line_of, red
from workflows.ledger.period import ensure_period

TRANSITIONS = steps(
    Step(
        "accounting_period",
        "close",
        "结账",
        column="state",
        sources=(PeriodState.OPEN,),
        targets=(PeriodState.CLOSED,),
    ),
    Step(
        "accounting_period",
        "reopen",
        "反结账",
        column="state",
        sources=(PeriodState.CLOSED,),
        targets=(PeriodState.OPEN,),
    ),
)
ACTS = verbs("accounting_period", {"provide": "收入确认与计提"})
JOB, LABEL = "month_end", "月末处理"
DECEMBER = 12
PROFIT, MOVING = profit.PROFIT, profit.MOVING


# ------------------------------------------------------------------------------------------------------------- steps
def recognise_income(ctx: Ctx, period: AccountingPeriod) -> str:
    """收入确认, and the VAT of instalments that have become due; both in words."""
    made = recognition.recognise(ctx, period)
    total, tax = sum((v.total for v in made), ZERO), vat.transfer(ctx, period)
    words = f"确认收入 {format_money(total)} 元" if made else "没有需要确认的收入"
    return f"{words}；转出销项税额 {format_money(tax)} 元" if tax else words


def provide(ctx: Ctx, period: AccountingPeriod) -> str:
    """The two provisions of a month."""
    found = (provisions.provide_unearned(ctx, period), provisions.provide_compensation(ctx, period))
    return "；".join(f"{item.kind.label} {format_money(item.amount)}" for item in found)


def transfer_profit(ctx: Ctx, period: AccountingPeriod) -> str:
    """结转损益: every P&L account to zero against 4103, with the auxiliaries that it asks for."""
    lines = _transfer_lines(ctx, period)
    total = ZERO
    size = LINES_MAX - 1
    for start in range(0, len(lines), size):
        part = lines[start : start + size]
        # what goes to 4103's other side
        net = sum((line.debit - line.credit for line in part), ZERO)
        total += net
        if net:
            debit, credit = (ZERO, net) if net > 0 else (-net, ZERO)
            part = [*part, Line(_leaf(ctx, PROFIT), debit=debit, credit=credit)]
        voucher.write_posted(
            ctx,
            kind=VoucherKind.TRANSFER,
            date=period.ends_on,
            memo=f"结转 {period.code} 损益",
            entries=part,
        )
    return f"结转净利润 {format_money(total)} 元" if lines else "损益类科目没有余额"


def end_year(ctx: Ctx, period: AccountingPeriod) -> str:
    """年结, in December only: 4103 to 4104, then 盈余公积 and 一般风险准备."""
    if period.month != DECEMBER:
        return "非年末，不需要年结"
    amount = balance_of(ctx.session, PROFIT, period.code)
    if amount:
        debit, credit = (amount, ZERO) if amount > 0 else (ZERO, -amount)
        lines = [Line(_leaf(ctx, PROFIT), debit, credit), Line(_leaf(ctx, RETAINED), credit, debit)]
        voucher.write_posted(
            ctx,
            kind=VoucherKind.YEAR_END,
            date=period.ends_on,
            memo=f"结转 {period.year} 年净利润",
            entries=lines,
        )
    provisions.appropriate(ctx, period)
    return f"本年利润 {format_money(amount)} 元转入利润分配"


def close(ctx: Ctx, period: AccountingPeriod, version: int | None = None) -> MonthEndLog:
    """结账: what came in since the earlier steps is booked, all checks hold, statements are issued, the period closes.

    Raises ClosingRefused naming the checks that are not met.
    """
    ctx.session.refresh(period, with_for_update=True)
    step = TRANSITIONS["close"]
    enter(ctx, step, period, version)
    for make in (recognise_income, provide, transfer_profit, end_year):
        make(ctx, period)
    checks = require_checks(ctx, period)
    if ctx.actor.employee_id is None:
        raise BusinessError("结账须由具体人员办理")
    statements = [statement(ctx.session, kind, period.code) for kind in StatementKind]
    head = heads.note(ctx, f"月终 {period.code}")
    log = MonthEndLog(
        period=period,
        round=round_of(ctx.session, period),
        closed_at=ctx.now,
        closed_by_id=ctx.actor.employee_id,
        net_profit=profit.net_profit(ctx.session, period.code, period.code),
        total_assets=statements[0].total,
        posting_no=head.voucher_count,
        chain_hash=head.voucher_hash,
        head_no=head.number,
        checks=as_kept(checks),
    )
    ctx.session.add(log)
    for found in statements:
        kept = IssuedStatement(
            period=period,
            statement=found.kind,
            round=log.round,
            total=found.total,
            lines=frozen(found),
        )
        ctx.session.add(kept)
    period.closed_at, period.closed_by_id = ctx.now, ctx.actor.employee_id
    move(step, period)
    ctx.session.flush()
    _note(
        ctx,
        period,
        "CLOSE",
        f"第 {log.round} 次结账，凭证链 {head.voucher_count} 号 {head.voucher_hash[:16]}",
    )
    return log


def reopen(
    ctx: Ctx, period: AccountingPeriod, reason: str, version: int | None = None
) -> MonthEndLog:
    """反结账 of the latest closed period: the vouchers that moved profit are reversed in red, statements lapse.

    Raises Conflict for an earlier period or the opening's, BusinessError without a reason.
    """
    ctx.session.refresh(period, with_for_update=True)
    step = TRANSITIONS["reopen"]
    enter(ctx, step, period, version)
    if not reason.strip() or len(reason.strip()) > 200:
        raise BusinessError("请填写反结账原因，不超过200个字", field="reason")
    later = select(func.max(AccountingPeriod.code)).where(
        AccountingPeriod.state == PeriodState.CLOSED
    )
    if (latest := ctx.session.scalar(later)) != period.code:
        raise Conflict(f"只能对最近结账的期间 {latest} 反结账")
    if (
        ctx.session.scalar(select(OpeningImport.id).where(OpeningImport.period_id == period.id))
        is not None
    ):
        raise Conflict(f"{period.code} 是期初期间，不能反结账")
    period.closed_at = period.closed_by_id = None
    move(step, period)
    ctx.session.flush()
    for original in reversed(_in_force(ctx.session, period)):
        _reverse(ctx, period, original)
    log = ctx.session.scalars(
        select(MonthEndLog)
        .where(MonthEndLog.period_id == period.id)
        .order_by(MonthEndLog.round.desc())
        .limit(1)
    ).one()
    log.reopened_at, log.reopened_by_id, log.reopen_reason = (
        ctx.now,
        ctx.actor.employee_id,
        reason.strip(),
    )
    for kept in ctx.session.scalars(
        select(IssuedStatement).where(
            IssuedStatement.period_id == period.id, IssuedStatement.is_current
        )
    ):
        kept.is_current = False
    ctx.session.flush()
    _note(ctx, period, "REOPEN", reason.strip())
    return log


# --------------------------------------------------------------------------------------------------------------- job
def month_end_steps(period_code: str) -> list[jobs.JobStep]:
    """The steps of 月末处理 of a period for the job runner."""

    def on_period(verb: Callable[[Ctx, AccountingPeriod], str]) -> Callable[[Ctx], str]:
        return lambda ctx: verb(ctx, _alone(ctx, find_period(ctx.session, period_code)))

    return [
        jobs.JobStep("check", "结账前检查", on_period(_check)),
        jobs.JobStep("income", "确认担保费收入", on_period(recognise_income)),
        jobs.JobStep("provisions", "计提准备金", on_period(provide)),
        jobs.JobStep("transfer", "结转损益", on_period(transfer_profit)),
        jobs.JobStep("year", "年结", on_period(end_year)),
        jobs.JobStep("close", "检查并结账", on_period(_close)),
    ]


def run_month_end(edge: jobs.Edge, period_code: str, actor: Actor) -> JobRun:
    """Run 月末处理 of a period to its end; raises what `start_month_end` and the steps raise."""
    return jobs.work(start_month_end(edge, period_code, actor), month_end_steps(period_code))


def start_month_end(edge: jobs.Edge, period_code: str, actor: Actor) -> jobs.Lease:
    """Take the lease of 月末处理 for somebody who waits for an answer; `jobs.work` does the steps.

    Raises NotAllowed without the permission, NotFound for an unknown period, Taken saying who is at it or that the
    period is closed already.
    """
    actor.require("close", "accounting_period", "结账")
    with edge.reader() as session:
        period = find_period(session, period_code)
        is_closed, name, on = (
            period.state is PeriodState.CLOSED,
            job_name(session, period),
            period.ends_on,
        )
    if is_closed:
        raise jobs.Taken(f"{period_code} 已结账")
    return jobs.start(edge, name, on, month_end_steps(period_code), actor, f"{period_code} {LABEL}")


def require_idle(session: Session, period_code: str, now: datetime) -> None:
    """Raise Taken naming who is at the month-end of a period; asked before waiting for that work's own locks."""
    query = select(AccountingPeriod).where(AccountingPeriod.code == period_code)
    period = session.scalars(query).one_or_none()
    run = period and jobs.find(session, job_name(session, period), period.ends_on)
    if run and jobs.is_live(run, now):
        raise jobs.Taken(jobs.holder_of(session, run, f"{period_code} {LABEL}"))


def job_name(session: Session, period: AccountingPeriod) -> str:
    """The job of a period: month_end:2026-01, and with #2 after it was re-opened once."""
    number = round_of(session, period)
    return f"{JOB}:{period.code}" + (f"#{number}" if number > 1 else "")


def period_of(job: str) -> str:
    """The period that a month-end job is about; empty for other jobs."""
    name, _, rest = job.partition(":")
    return rest.partition("#")[0] if name == JOB else ""


def round_of(session: Session, period: AccountingPeriod) -> int:
    """Which closing of the period comes next."""
    query = select(func.count()).select_from(MonthEndLog).where(MonthEndLog.period_id == period.id)
    return (session.scalar(query) or 0) + 1


def find_period(session: Session, code: str) -> AccountingPeriod:
    """The period of a code. Raises NotFound."""
    found = session.scalars(
        select(AccountingPeriod).where(AccountingPeriod.code == code)
    ).one_or_none()
    if found is None:
        raise NotFound(f"没有会计期间 {code[:10]}")
    return found


def require_over(period: AccountingPeriod, today: date) -> None:
    """Raise BusinessError before the last day of a period."""
    if today < period.ends_on:
        raise BusinessError(
            f"营业日期 {today} 未到 {period.code} 期末（{period.ends_on}），不能月末处理"
        )


def prepare(ctx: Ctx, period_code: str) -> AccountingPeriod:
    """What the edge asks before it runs the job: the period is over; one without any voucher is made now."""
    permit(ctx, TRANSITIONS["close"])
    year, _, month = period_code.partition("-")
    if not (
        len(year) == 4
        and len(month) == 2
        and (year + month).isdecimal()
        and 1 <= int(month) <= DECEMBER
    ):
        raise BusinessError("期间应为 YYYY-MM，如 2026-01", field="period")
    first = date(int(year), int(month), 1)
    if first > ctx.today:
        raise BusinessError(
            f"营业日期 {ctx.today} 未到期间 {period_code}，不能月末处理", field="period"
        )
    # Months before the books would be made and then all have to be closed: a slip of the keyboard, not a month-end.
    earliest = ctx.session.scalar(select(func.min(AccountingPeriod.code)))
    if earliest is not None and period_code < earliest:
        raise BusinessError(
            f"账上最早的会计期间是 {earliest}，没有 {period_code} 可以结账", field="period"
        )
    period = ensure_period(ctx, first)
    require_over(period, ctx.today)
    return period


def provide_now(ctx: Ctx, period: AccountingPeriod) -> str:
    """收入确认与计提 by itself, ahead of the closing, e.g. to look at the month's profit."""
    permit(ctx, ACTS["provide"])
    require_over(period, ctx.today)
    _check(ctx, _alone(ctx, period))
    words = f"{recognise_income(ctx, period)}；{provide(ctx, period)}"
    _note(ctx, period, "PROVIDE", words)
    return words


def _alone(ctx: Ctx, period: AccountingPeriod) -> AccountingPeriod:
    """The period held until the commit: what is missing is worked out and booked by one at a time."""
    ctx.session.refresh(period, with_for_update=True)
    return period


def _check(ctx: Ctx, period: AccountingPeriod) -> str:
    found = require_checks(ctx, period, only_ready=True)
    return f"{len(found)} 项检查通过"


def _close(ctx: Ctx, period: AccountingPeriod) -> str:
    log = close(ctx, period)
    return f"已结账，净利润 {format_money(log.net_profit)} 元，资产总计 {format_money(log.total_assets)} 元"


# ------------------------------------------------------------------------------------------------------------- parts
def _leaf(ctx: Ctx, code: str) -> int:
    found = ctx.session.scalars(select(Account).where(Account.code == code)).one_or_none()
    if found is None or not found.is_leaf:
        raise BusinessError(f"结转需要末级科目 {code}，请在“会计科目”中核对")
    return found.id


def _transfer_lines(ctx: Ctx, period: AccountingPeriod) -> list[Line]:
    lines: list[Line] = []
    balances = profit.unclosed(ctx.session, period.code)
    query = select(Account).where(Account.id.in_(balances)).order_by(Account.code)
    for account in ctx.session.scalars(query):
        needed = [name for name, (_, flag, _label) in AUXILIARIES.items() if getattr(account, flag)]
        parts = (
            _by_auxiliary(ctx, period, account, needed) if needed else {(): balances[account.id]}
        )
        for key, amount in sorted(parts.items()):
            if amount:
                side = account.direction
                # Written on the other side than it stands on; `on_side` turns abnormal balances over.
                debit, credit = on_side(amount if side.name == "DEBIT" else -amount, side)
                of = {name: one or None for name, one in zip(needed, key, strict=True)}
                line = Line(
                    account.id, debit=credit, credit=debit, customer_id=of.get("customer_id")
                )
                lines.append(
                    replace(
                        line,
                        project_id=of.get("project_id"),
                        bank_id=of.get("bank_id"),
                        department_id=of.get("department_id"),
                    )
                )
    return lines


def _by_auxiliary(
    ctx: Ctx, period: AccountingPeriod, account: Account, needed: list[str]
) -> dict[tuple[int, ...], Decimal]:
    columns = [getattr(AuxiliaryBalance, name) for name in needed]
    query = (
        select(*columns, func.sum(AuxiliaryBalance.debit), func.sum(AuxiliaryBalance.credit))
        .join(AccountingPeriod, AccountingPeriod.id == AuxiliaryBalance.period_id)
        .where(AccountingPeriod.code <= period.code, AuxiliaryBalance.account_id == account.id)
        .group_by(*columns)
    )
    found: dict[tuple[int, ...], Decimal] = defaultdict(lambda: ZERO)
    for *key, debit, credit in ctx.session.execute(query):
        found[tuple(key)] += debit - credit
    return found


def _in_force(session: Session, period: AccountingPeriod) -> list[Voucher]:
    """Vouchers of the period that moved profit and are not reversed, in the order of posting."""
    reversal = aliased(Voucher)
    query = (
        select(Voucher)
        .outerjoin(
            reversal, (reversal.reverses_id == Voucher.id) & (reversal.state != VoucherState.VOID)
        )
        .where(
            Voucher.period_id == period.id,
            Voucher.kind.in_(MOVING),
            Voucher.state == VoucherState.POSTED,
            Voucher.reverses_id.is_(None),
            reversal.id.is_(None),
        )
        .order_by(Voucher.posting_no)
    )
    return list(session.scalars(query))


def _reverse(ctx: Ctx, period: AccountingPeriod, original: Voucher) -> None:
    voucher.write_posted(
        ctx,
        kind=original.kind,
        date=period.ends_on,
        memo=f"反结账冲销 {original.code}：{original.memo}"[:200],
        entries=[red(line_of(entry)) for entry in original.entries],
        word=original.word.code,
        reverses=original,
    )


def _note(ctx: Ctx, period: AccountingPeriod, action: str, note: str) -> None:
    audit.log(ctx, period, action, note=note[:500])
