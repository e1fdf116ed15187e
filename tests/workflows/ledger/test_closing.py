"""期末处理: golden figures of a quarter, 年结, 反结账, runs that break off, and balances that always hold."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from models.base.actor import SYSTEM
from models.base.errors import BusinessError, Conflict, IllegalTransition, NotAllowed, NotFound
from models.guarantee.signing import Fee
from models.ledger.account import Account, AccountingPeriod, PeriodState
from models.ledger.closing import MonthEndLog, ProvisionCalculation
from models.ledger.statement import IssuedStatement, StatementKind
from models.ledger.voucher import Voucher, VoucherKind, VoucherState
from models.system.organization import Department
from models.system.setup import AuditLog, JobRun, JobStatus
from reports.figures import provisions
from reports.figures.balances import balance_of
from reports.figures.profit import net_profit
from reports.ledger.statements import balance_sheet, income_statement, issued
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import (
    NOW,
    TODAY,
    begin,
    edge_of,
    last,
    ordinary_month,
    quarter,
    repay,
    set_parameter,
)
from workflows.base import jobs
from workflows.ledger import closing
from workflows.ledger import voucher as vouchers
from workflows.ledger.chain import head
from workflows.ledger.verify import verify_ledger

CODE = "2026-01"


def closed_quarter(session):
    year = quarter(session)
    set_parameter(session, "income.recognition_mode", "EVENLY")
    for month in (1, 2, 3):
        ordinary_month(year, month)
        if month == 2:
            repay(session, 1_000_000, date(2026, 2, 20))
        year.close(month)
    return year


# ------------------------------------------------------------------------------------------------------ golden figures
def test_a_quarter_comes_out_as_computed_by_hand(session):
    closed_quarter(session)
    # 60,000 over 365 days: 17, 45 and 76 of them are gone at the month-ends; the rest is deferred, not reserved;
    # 1 % of 400, 320, 320 万 a year; salaries 10,000 and interest 500 a month.
    for period, income, unearned, compensation, profit in (
        ("2026-01", "2794.52", "0.00", "3333.33", "-10038.81"),
        ("2026-02", "4602.74", "0.00", "2000.00", "-6897.26"),
        ("2026-03", "5095.89", "0.00", "2666.67", "-7070.78"),
    ):
        found = income_statement(session, period)
        rows = [found.line(number).current for number in (2, 8, 9, 11, 13, 40)]
        assert rows == [
            Decimal(x) for x in (income, unearned, compensation, "500.00", "10000.00", profit)
        ]
    year_to_date = [
        income_statement(session, "2026-03").line(number).prior for number in (2, 8, 9, 40)
    ]
    assert year_to_date == [Decimal(x) for x in ("12493.15", "0.00", "8000.00", "-24006.85")]
    sheet = balance_sheet(session, "2026-03")
    rows = {n: sheet.line(n).current for n in (1, 3, 30, 32, 35, 37, 38, 50, 51, 55, 60, 70)}
    assert rows == {
        1: yuan("99971500"),
        3: yuan(63600),
        30: yuan("100035100"),
        32: yuan("47506.85"),
        35: yuan(3600),
        37: yuan(0),
        38: yuan(8000),
        50: yuan("59106.85"),
        51: yuan(100_000_000),
        55: yuan("-24006.85"),
        60: yuan("99975993.15"),
        70: yuan("100035100"),
    }
    assert sheet.is_balanced
    assert not sheet.unmapped
    assert not verify_ledger(session)


def test_closing_keeps_statements_computations_and_a_log(session):
    year = closed_quarter(session)
    log = session.scalars(select(MonthEndLog).order_by(MonthEndLog.id.desc()).limit(1)).one()
    assert (log.period.code, log.round, log.net_profit) == ("2026-03", 1, yuan("-7070.78"))
    assert (log.posting_no, log.chain_hash) == head(session)
    assert all(check["is_met"] for check in log.checks)
    kept = issued(session, StatementKind.INCOME, "2026-03")
    assert kept.is_issued
    assert kept.lines == income_statement(session, "2026-03").lines
    assert issued(session, StatementKind.INCOME, "2026-03", 1).lines == kept.lines
    assert issued(session, StatementKind.INCOME, "2026-04") is None
    formulas = {c.formula for c in session.scalars(select(ProvisionCalculation))}
    assert (
        "担保责任余额 3,200,000.00 × 1% × 3/12 = 8,000.00；本年已提 5,333.33；差额 2,666.67"
        in formulas
    )
    made = session.scalars(select(Voucher).where(Voucher.kind != VoucherKind.ORDINARY)).all()
    assert {v.state for v in made} == {VoucherState.POSTED}
    assert {v.prepared_by_id for v in made} == {None}
    assert {v.reviewed_by_id for v in made} == {year.books.people["bookkeeper"].id}
    with pytest.raises(Conflict, match="已结账"):
        year.draft(date(2026, 3, 5), year.line("6603", 1), year.line("2241.02", 0, 1))


# ---------------------------------------------------------------------------------------------------------------- 年结
def whole_year(session, *, loss: bool = False):
    year = begin(session)
    set_parameter(session, "closing.depreciation_required", "否")
    cost = "20000000" if loss else "1"
    year.post(date(2026, 5, 5), year.line("6603", cost), year.line("2241.02", 0, cost))
    for month in range(1, 13):
        year.close(month)
    return year


def test_the_year_ends_with_profit_distributed(session):
    whole_year(session)
    profit = net_profit(session, "2026-01", "2026-12")
    assert profit == yuan("8349999.00")  # 6,420,000 of income + 1,930,000 of released reserve - 1
    assert balance_of(session, "4103", "2026-12") == 0
    assert balance_of(session, "4101", "2026-12") == yuan("3120000") + yuan("834999.90")
    assert balance_of(session, "4102", "2026-12") == yuan("3120000") + yuan("834999.90")
    assert balance_of(session, "4104", "2026-12") == yuan("9924545.92") + profit - yuan(
        "1669999.80"
    )
    sheet = balance_sheet(session, "2026-12")
    assert sheet.is_balanced
    assert sheet.line(55).current == balance_of(session, "4104", "2026-12")
    kinds = {
        c.kind.name: c.amount
        for c in session.scalars(select(ProvisionCalculation))
        if c.period.month == 12
    }
    assert kinds["SURPLUS"] == kinds["GENERAL"] == yuan("834999.90")
    assert not verify_ledger(session)


def test_a_year_of_loss_sets_nothing_aside(session):
    whole_year(session, loss=True)
    assert net_profit(session, "2026-01", "2026-12") < 0
    assert balance_of(session, "4103", "2026-12") == 0
    assert balance_of(session, "4101", "2026-12") == yuan("3120000")


def test_earlier_losses_are_covered_before_the_surplus_reserve(session):
    year = quarter(session)
    session.delete(session.scalars(select(Fee)).one())
    # A loss of 1,000,000 that an earlier year left behind.
    year.period(12, year=2025)
    year.post(date(2025, 12, 31), year.line("4104", 1_000_000), year.line("2241.02", 0, 1_000_000))
    december = year.period(12)
    year.post(TODAY, year.line("1221", 700_000), year.line("6301", 0, 700_000))
    assert provisions.surplus(session, december).base == 0
    year.post(TODAY, year.line("1221", 500_000), year.line("6301", 0, 500_000))
    found = provisions.surplus(session, december)
    assert (found.base, found.amount) == (yuan(200_000), yuan(20_000))
    assert "弥补以前年度亏损 1,000,000.00" in found.formula
    assert provisions.general(session, december).amount == yuan(20_000)


def test_december_may_be_opened_and_closed_again(session):
    year = whole_year(session)
    before = [balance_sheet(session, "2026-12").lines, income_statement(session, "2026-12").lines]
    closing.reopen(year.ctx(), year.period(12), "补记费用")
    assert balance_of(session, "4103", "2026-12") != 0
    assert balance_of(session, "4101", "2026-12") == yuan("3120000")
    year.close(12)
    assert [
        balance_sheet(session, "2026-12").lines,
        income_statement(session, "2026-12").lines,
    ] == before
    assert balance_of(session, "4103", "2026-12") == 0
    assert not verify_ledger(session)


# --------------------------------------------------------------------------------------------------------------- 反结账
def test_opening_a_period_again_reverses_in_red_and_closing_gives_the_same(session):
    year = closed_quarter(session)
    march = year.period(3)
    before = [balance_sheet(session, "2026-03").lines, income_statement(session, "2026-03").lines]
    log = closing.reopen(year.ctx(), march, " 补记费用 ")
    assert (log.reopen_reason, log.reopened_by_id) == (
        "补记费用",
        year.books.people["bookkeeper"].id,
    )
    assert march.state is PeriodState.OPEN
    assert issued(session, StatementKind.BALANCE_SHEET, "2026-03") is None
    red = session.scalars(select(Voucher).where(Voucher.reverses_id.is_not(None))).all()
    assert [v.kind for v in red] == [VoucherKind.TRANSFER]
    assert red[0].total < 0
    # Profit waits in the P&L accounts again, so that the sheet balances before the transfer, too.
    assert [
        balance_sheet(session, "2026-03").lines,
        income_statement(session, "2026-03").lines,
    ] == before
    again = year.close(3)
    assert again.round == 2
    assert [
        balance_sheet(session, "2026-03").lines,
        income_statement(session, "2026-03").lines,
    ] == before
    kept = session.scalars(select(IssuedStatement).where(IssuedStatement.period_id == march.id))
    assert sorted((k.round, k.is_current) for k in kept) == [
        *[(1, False)] * len(StatementKind),
        *[(2, True)] * len(StatementKind),
    ]
    assert issued(session, StatementKind.INCOME, "2026-03", 1).lines == before[1]
    assert not verify_ledger(session)


def test_what_came_in_between_is_the_only_difference(session):
    year = closed_quarter(session)
    closing.reopen(year.ctx(), year.period(3), "补记利息")
    year.post(date(2026, 3, 31), year.line("6603", 100), year.line("2241.02", 0, 100))
    assert year.close(3).net_profit == yuan("-7170.78")


def test_only_the_latest_closed_period_opens_again_and_only_with_a_reason(session):
    year = closed_quarter(session)
    with pytest.raises(Conflict, match="最近结账的期间 2026-03"):
        closing.reopen(year.ctx(), year.period(2), "补记")
    for reason in ("", "  ", "长" * 201):
        with pytest.raises(BusinessError, match="原因"):
            closing.reopen(year.ctx(), year.period(3), reason)
    with pytest.raises(NotAllowed, match="反结账"):
        closing.reopen(year.ctx(without=("reopen", "accounting_period")), year.period(3), "补记")
    closing.reopen(year.ctx(), year.period(3), "补记")
    with pytest.raises(IllegalTransition):
        closing.reopen(year.ctx(), year.period(3), "补记")


def test_the_opening_period_stays_closed(session):
    year = begin(session)
    december = session.scalars(
        select(AccountingPeriod).where(AccountingPeriod.code == "2025-12")
    ).one()
    with pytest.raises(Conflict, match="期初期间"):
        closing.reopen(year.ctx(), december, "重装")


@pytest.mark.parametrize("kind", [VoucherKind.TRANSFER, VoucherKind.RECOGNITION])
def test_vouchers_of_a_month_end_are_not_reversed_by_hand(session, kind):
    year = closed_quarter(session)
    made = session.scalars(select(Voucher).where(Voucher.kind == kind).limit(1)).one()
    with pytest.raises(Conflict, match=r"反结账|调整"):
        vouchers.reverse(year.ctx(), made, date=TODAY)


# ------------------------------------------------------------------------------------------------------- runs and locks
def reference(session, prepare: Callable) -> tuple[int, str]:
    """Chain head after an uninterrupted run; everything is taken back."""
    with session.begin_nested() as point:
        year = prepare(session)
        assert (
            closing.run_month_end(edge_of(session), CODE, year.ctx().actor).status
            is JobStatus.SUCCEEDED
        )
        found = head(session)
        point.rollback()
    session.expire_all()
    return found


def first_month(session):
    year = quarter(session)
    ordinary_month(year, 1)
    return year


@pytest.mark.parametrize("broken", [step.code for step in closing.month_end_steps(CODE)])
def test_a_run_that_dies_in_a_step_ends_like_an_undisturbed_one(session, monkeypatch, broken):
    wanted = reference(session, first_month)
    year = first_month(session)
    actor, whole = year.ctx().actor, closing.month_end_steps

    def breaking(code: str) -> list[jobs.JobStep]:
        def die(ctx) -> str:
            next(s for s in whole(code) if s.code == broken).run(ctx)
            raise MemoryError("the machine is gone")

        return [jobs.JobStep(s.code, s.label, die) if s.code == broken else s for s in whole(code)]

    monkeypatch.setattr(closing, "month_end_steps", breaking)
    with pytest.raises(MemoryError):
        closing.run_month_end(edge_of(session), CODE, actor)
    monkeypatch.setattr(closing, "month_end_steps", whole)
    session.expire_all()
    assert year.period(1).state is PeriodState.OPEN
    run = closing.run_month_end(edge_of(session), CODE, actor)
    assert (run.status, run.attempts, run.progress_pct) == (JobStatus.SUCCEEDED, 2, 100)
    session.expire_all()
    assert year.period(1).state is PeriodState.CLOSED
    assert head(session) == wanted
    assert not verify_ledger(session)


def test_what_is_mended_after_a_refusal_is_taken_along(session):
    year = first_month(session)
    actor = year.ctx().actor
    draft = year.draft(last(1), year.line("6603", 100), year.line("2241.02", 0, 100))
    with pytest.raises(Conflict, match="凭证已审核未通过：1 张未审核：2026-01-记-0005"):
        closing.run_month_end(edge_of(session), CODE, actor)
    failed = session.scalars(select(JobRun)).one()
    assert (failed.status, failed.step) == (JobStatus.FAILED, "结账前检查")
    vouchers.review(year.ctx("reviewer"), draft)
    vouchers.post(year.ctx(), draft)
    session.flush()
    assert closing.run_month_end(edge_of(session), CODE, actor).status is JobStatus.SUCCEEDED
    with pytest.raises(jobs.Taken, match="2026-01 已结账"):
        closing.run_month_end(edge_of(session), CODE, actor)
    session.expire_all()
    closing.reopen(year.ctx(), year.period(1), "再结一次")
    session.flush()
    again = closing.run_month_end(edge_of(session), CODE, actor)
    assert again.job == "month_end:2026-01#2"


def test_late_postings_after_the_transfer_are_transferred_by_the_close(session):
    year = first_month(session)
    period = year.period(1)
    for step in closing.month_end_steps(CODE)[:4]:
        step.run(year.ctx())
    year.post(last(1), year.line("6603", 100), year.line("2241.02", 0, 100))
    log = closing.close(year.ctx(), period)
    transfers = session.scalar(
        select(func.count()).where(
            Voucher.kind == VoucherKind.TRANSFER, Voucher.period_id == period.id
        )
    )
    assert transfers == 2
    assert log.net_profit == net_profit(session, CODE, CODE)


def test_two_at_once_close_once(session):
    year = first_month(session)
    actor, edge = year.ctx().actor, edge_of(session)
    steps = closing.month_end_steps(CODE)

    def meanwhile(ctx) -> str:
        with pytest.raises(jobs.Taken, match=r"正由.+办理"):
            closing.run_month_end(edge_of(ctx.session), CODE, actor)
        with pytest.raises(jobs.Taken, match="当前步骤：x"):
            closing.require_idle(ctx.session, CODE, NOW)
        return ""

    run = jobs.run(
        edge,
        "month_end:2026-01",
        last(1),
        [steps[0], jobs.JobStep("x", "x", meanwhile), *steps[1:]],
        actor=actor,
    )
    assert run.status is JobStatus.SUCCEEDED
    closing.require_idle(session, CODE, NOW)
    closing.require_idle(session, "2031-01", NOW)
    assert session.scalar(select(func.count()).select_from(MonthEndLog)) == 1


# ------------------------------------------------------------------------------------------------------------ refusals
def test_periods_that_cannot_be_closed_are_refused_in_words(session):
    year = first_month(session)
    with pytest.raises(BusinessError, match="YYYY-MM"):
        closing.prepare(year.ctx(), "2026-13")
    with pytest.raises(BusinessError, match="未到期间 2027-01"):
        closing.prepare(year.ctx(), "2027-01")
    with pytest.raises(BusinessError, match="未到 2026-01 期末"):
        closing.prepare(year.ctx(today=date(2026, 1, 30)), CODE)
    with pytest.raises(NotFound, match="1999-01"):
        closing.run_month_end(edge_of(session), "1999-01", year.ctx().actor)
    for verb in (
        lambda ctx: closing.prepare(ctx, CODE),
        lambda ctx: closing.close(ctx, year.period(1)),
    ):
        with pytest.raises(NotAllowed):
            verb(year.ctx(without=("close", "accounting_period")))
    with pytest.raises(NotAllowed):
        closing.run_month_end(
            edge_of(session), CODE, year.ctx(without=("close", "accounting_period")).actor
        )


def test_nobody_is_not_a_person_who_closes(session):
    year = quarter(session)
    set_parameter(session, "income.recognition_mode", "EVENLY")
    ctx = year.ctx()
    ctx.actor = SYSTEM
    with pytest.raises(NotAllowed, match="具体人员"):
        closing.close(ctx, year.period(1))
    year.close(1)
    closing.reopen(year.ctx(), year.period(1), "试")
    # All vouchers stand, so it is the closing itself that asks for a person.
    closing.transfer_profit(year.ctx(), year.period(1))
    with pytest.raises(BusinessError, match="结账须由具体人员"):
        closing.close(ctx, year.period(1))


def test_provisions_may_be_made_ahead_of_the_closing(session):
    year = first_month(session)
    period = year.period(1)
    with pytest.raises(BusinessError, match="未到"):
        closing.provide_now(year.ctx(today=date(2026, 1, 30)), period)
    with pytest.raises(NotAllowed):
        closing.provide_now(year.ctx(without=("provide", "accounting_period")), period)
    words = closing.provide_now(year.ctx(), period)
    assert "确认收入 60,000.00 元" in words
    assert "未到期责任准备金 30,000.00" in words
    assert "没有需要确认的收入" in closing.provide_now(year.ctx(), period)
    # nothing new to keep
    assert session.scalar(select(func.count()).select_from(ProvisionCalculation)) == 2
    closing.provide_now(year.ctx(), period)
    assert session.scalar(select(func.count()).select_from(ProvisionCalculation)) == 2
    assert (
        not session.scalars(select(AuditLog).where(AuditLog.action == "PROVIDE")).all()[0].changes
    )


def test_a_period_without_business_closes(session):
    year = quarter(session)
    set_parameter(session, "income.recognition_mode", "EVENLY")
    session.delete(session.scalars(select(Fee)).one())
    set_parameter(session, "closing.business_required", "否")  # the fee's voucher stays
    year.close(1)
    assert closing.transfer_profit(year.ctx(), year.period(2)) == "损益类科目没有余额"
    assert closing.end_year(year.ctx(), year.period(2)) == "非年末，不需要年结"


def test_a_year_without_profit_ends_without_vouchers_of_its_own(session):
    year = quarter(session)
    session.delete(session.scalars(select(Fee)).one())
    repay(session, 5_000_000, date(2026, 1, 20))
    december = year.period(12)
    year.post(TODAY, year.line("6711", 100), year.line("6301", 0, 100))
    assert closing.transfer_profit(year.ctx(), december) == "结转净利润 0.00 元"
    transfer = session.scalars(select(Voucher).where(Voucher.kind == VoucherKind.TRANSFER)).one()
    assert {e.account.code for e in transfer.entries} == {"6301", "6711"}
    assert closing.end_year(year.ctx(), december) == "本年利润 0.00 元转入利润分配"
    assert not session.scalars(select(Voucher).where(Voucher.kind == VoucherKind.YEAR_END)).all()


def test_departments_are_transferred_one_by_one(session):
    year = quarter(session)
    other = Department(code="TOPS", name="业务部")
    session.add(other)
    session.flush()
    for department, debit in ((year.books.department, 30), (other, 50), (other, -50)):
        of = {"department_id": department.id}
        year.post(last(1), year.line("6601.01", debit, **of), year.line("2241.02", 0, debit))
    year.post(
        last(1), year.line("6601.01", 20, department_id=other.id), year.line("2241.02", 0, 20)
    )
    year.post(
        last(1), year.line("6601.01", -20, department_id=other.id), year.line("2241.02", 0, -20)
    )
    closing.transfer_profit(year.ctx(), year.period(1))
    transfer = session.scalars(select(Voucher).where(Voucher.kind == VoucherKind.TRANSFER)).one()
    found = [(e.account.code, e.department_id, e.debit, e.credit) for e in transfer.entries]
    assert found == [
        ("6601.01", year.books.department.id, yuan(0), yuan(30)),
        ("4103", None, yuan(30), yuan(0)),
    ]


def test_a_chart_without_its_profit_account_says_so(session):
    year = first_month(session)
    session.scalars(select(Account).where(Account.code == "4103")).one().is_leaf = False
    with pytest.raises(BusinessError, match="4103"):
        closing.transfer_profit(year.ctx(), year.period(1))


# ---------------------------------------------------------------------------------------------------------- properties
PAIRS = st.tuples(
    st.sampled_from(["1002", "1221", "6603", "6711", "2401", "4001", "6301", "6601.01", "6111"]),
    st.sampled_from(["1221", "6301", "6051.03", "2501", "6011", "4002", "6601.01", "6603"]),
    st.integers(min_value=-10_000_000, max_value=10_000_000).filter(bool),
)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(pairs=st.lists(PAIRS, min_size=1, max_size=8))
def test_assets_equal_claims_after_any_close(session, pairs):
    with session.begin_nested() as point:
        year = quarter(session)
        department = {"department_id": year.books.department.id}
        year.post(date(2026, 1, 3), year.line("1002", 10**9), year.line("4001", 0, 10**9))
        for left, right, fen in pairs:
            amount = Decimal(fen).scaleb(-2)
            lines = [
                year.line(
                    code, **{side: str(amount)}, **(department if code.startswith("6601") else {})
                )
                for code, side in ((left, "debit"), (right, "credit"))
            ]
            year.post(date(2026, 1, 20), *lines)
        log = year.close(1)
        sheet = balance_sheet(session, CODE)
        assert sheet.is_balanced
        assert sheet.line(30).current == sheet.line(70).current == log.total_assets
        assert income_statement(session, CODE).line(40).current == log.net_profit
        assert balance_of(session, "4103", CODE) == log.net_profit
        assert not verify_ledger(session)
        point.rollback()
    session.expire_all()
