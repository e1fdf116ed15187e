"""Each check before 结账 fails for its own reason, says so, and leads to where it is mended."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import delete, select, update

from models.guarantee.signing import Fee, Receipt
from models.ledger.account import Account, AccountBalance, AccountingPeriod, AuxiliaryBalance
from models.ledger.statement import StatementAccount
from models.ledger.voucher import Voucher, VoucherEntry
from models.system.setup import JobRun, JobStatus
from reports.ledger.closing_checks import CHECKS, ClosingCheck, closing_checks, waits
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import Year, begin, last, ordinary_month, quarter, set_parameter
from workflows.ledger import closing, posting
from workflows.ledger import voucher as vouchers
from workflows.ledger.closing_checks import ClosingRefused, require_checks

DAY = date(2026, 1, 20)


def ready(session) -> Year:
    """A month that could be closed."""
    year = quarter(session)
    ordinary_month(year, 1)
    return year


def results(year: Year) -> dict[str, ClosingCheck]:
    year.session.flush()
    year.session.expire_all()
    return {check.key: check for check in closing_checks(year.session, year.period(1))}


def earlier(year: Year) -> None:
    year.period(12, year=2025)


def unreviewed(year: Year) -> None:
    year.draft(DAY, year.line("6603", 1), year.line("2241.02", 0, 1))


def unsigned(year: Year) -> None:
    vouchers.review(
        year.ctx("reviewer"), year.draft(DAY, year.line("6603", 1), year.line("1002", 0, 1))
    )


def unposted(year: Year) -> None:
    vouchers.review(
        year.ctx("reviewer"), year.draft(DAY, year.line("6603", 1), year.line("2241.02", 0, 1))
    )


def gap(year: Year) -> None:
    made = year.draft(DAY, year.line("6603", 1), year.line("2241.02", 0, 1))
    year.session.execute(
        update(Voucher).where(Voucher.id == made.id).values(number=made.number + 2)
    )


def unbalanced_voucher(year: Year) -> None:
    made = year.draft(DAY, year.line("6603", 1), year.line("2241.02", 0, 1))
    year.session.execute(
        update(VoucherEntry).where(VoucherEntry.id == made.entries[0].id).values(debit=yuan(2))
    )


def unbalanced_trial(year: Year) -> None:
    of_cash = AccountBalance.account_id == year.account("1002")
    year.session.execute(
        update(AccountBalance)
        .where(of_cash)
        .values(debit=AccountBalance.debit + 1, closing=AccountBalance.closing + 1)
    )


def wrong_auxiliary(year: Year) -> None:
    of_fee = AuxiliaryBalance.account_id == year.account("1122")
    more = {"debit": AuxiliaryBalance.debit + 1, "closing": AuxiliaryBalance.closing + 1}
    year.session.execute(update(AuxiliaryBalance).where(of_fee).values(more))


def waiting_event(year: Year) -> None:
    posting.raise_event(
        year.ctx(),
        "deposit.received",
        record=year.books.project,
        project=year.books.project,
        amounts={"amount": yuan(5)},
        on=DAY,
    )


def receipt_sent_back(year: Year) -> None:
    project, fee = year.books.project, year.session.scalars(select(Fee)).one()
    receipt = Receipt(
        number="SJ-T1", project=project, fee=fee, received_on=DAY, amount=yuan(600), payer="明达"
    )
    year.session.add(receipt)
    event = posting.raise_event(
        year.ctx(),
        "fee.collected",
        record=receipt,
        project=project,
        amounts={"amount": yuan(600)},
        on=DAY,
    )
    posting.refuse(year.ctx(), event, "流水号不符")


def date_outside(year: Year) -> None:
    made = year.draft(DAY, year.line("6603", 1), year.line("2241.02", 0, 1))
    year.session.execute(update(Voucher).where(Voucher.id == made.id).values(date=date(2026, 2, 1)))


def bank_asked_for(year: Year) -> None:
    year.session.execute(update(Account).where(Account.code == "6011").values(needs_bank=True))


def overdrawn(year: Year) -> None:
    set_parameter(year.session, "voucher.no_overdraft", "否")
    year.post(DAY, year.line("1221", 9), year.line("1001", 0, 9))


def purposes_asked_for(year: Year) -> None:
    set_parameter(year.session, "voucher.cash_flow_required", "是")


def worn(year: Year, asset: str) -> None:
    year.period(12, year=2025)
    year.post(date(2025, 12, 15), year.line(asset, 1000), year.line("2241.02", 0, 1000))


def unmapped(year: Year) -> None:
    year.session.execute(
        delete(StatementAccount).where(StatementAccount.account_id == year.account("1303"))
    )


def missing_in_sheet(year: Year) -> None:
    year.session.execute(
        delete(StatementAccount).where(StatementAccount.account_id == year.account("1002"))
    )


def no_backup(year: Year) -> None:
    set_parameter(year.session, "closing.backup_required", "是")


def of_project(year: Year) -> dict[str, int]:
    return {"customer_id": year.books.customer.id, "project_id": year.books.project.id}


def collected_by_hand(year: Year) -> None:
    year.post(DAY, year.line("1002", 600), year.line("1122", 0, 600, **of_project(year)))


def deposit_by_hand(year: Year) -> None:
    year.post(DAY, year.line("1002", 5), year.line("2002", 0, 5, **of_project(year)))


def income_by_hand(year: Year) -> None:
    year.draft(DAY, year.line("2203", 7, **of_project(year)), year.line("6031", 0, 7))


def vat_not_moved(year: Year) -> None:
    """Of a fee that is due the books hold 3,600.00 as not due yet."""
    year.session.scalars(select(Fee)).one().vat_pending_amount = yuan(3_600)


CASES: list[tuple[str, Callable[[Year], None], str, str]] = [
    ("previous", earlier, "2025-12 尚未结账", "/closing/?period=2025-12"),
    ("reviewed", unreviewed, "1 张未审核：2026-01-记-0005", "/voucher/list/?f=period_id:eq:"),
    ("signed", unsigned, "1 张收付款凭证未签字：2026-01-记-0005", "f=state:eq:REVIEWED"),
    ("posted", unposted, "1 张未记账：2026-01-记-0005", "/voucher/list/"),
    ("gaps", gap, "缺号：记字第 5 号、记字第 6 号", "/voucher/list/"),
    ("balanced", unbalanced_voucher, "借贷不平的凭证：2026-01-记-0005", "/voucher/list/"),
    (
        "balanced",
        unbalanced_trial,
        "试算不平衡：期初差额 0.00，期末差额 1.00",
        "/report/trial-balance?first=2026-01",
    ),
    ("ledgers", unbalanced_trial, "不符的科目：1002 银行存款", "/report/trial-balance"),
    ("ledgers", wrong_auxiliary, "不符的科目：1122 应收担保费", "/report/trial-balance"),
    ("queue", waiting_event, "1 笔待复核：FH2026-00001", "/review/"),
    (
        "receipts",
        receipt_sent_back,
        "1 笔收款复核退回后未处理：SJ-T1",
        "/receipt/list/?f=state:eq:RETURNED",
    ),
    ("dates", date_outside, "日期不在期间内：2026-01-记-0005", "/voucher/list/"),
    ("auxiliaries", bank_asked_for, "缺辅助核算：2026-01-记-0004", "/voucher/list/"),
    ("cash", overdrawn, "贷方余额：1001 库存现金", "/report/trial-balance"),
    (
        "cash_flows",
        purposes_asked_for,
        "未指定现金流量项目：2026-01-记-0001",
        "cash-flow-statement",
    ),
    (
        "depreciation",
        lambda year: worn(year, "1601"),
        "1601 净值 1,000.00，本期未计提折旧",
        "/voucher/add",
    ),
    (
        "amortisation",
        lambda year: worn(year, "1701"),
        "1701 净值 1,000.00，本期未摊销",
        "/voucher/add",
    ),
    (
        "business",
        collected_by_hand,
        "1122 未收费用业务 63,600.00，账面 63,000.00，相差 600.00",
        "/fee/list/",
    ),
    (
        "business",
        deposit_by_hand,
        "2002 客户保证金业务 0.00，账面 5.00，相差 -5.00",
        "/fee/list/?f=kind:eq:DEPOSIT",
    ),
    (
        "business",
        income_by_hand,
        "2203 未确认担保费业务 60,000.00，账面 59,993.00，相差 7.00",
        "/income_schedule/",
    ),
    ("mapped", unmapped, "未对应报表行：1303 委托贷款", "/statement_row/list/"),
    ("backup", no_backup, "2026-01-31 之后没有完成的备份", "/day-end/"),
    ("income", lambda year: None, "还有 60,000.00 元应确认未确认", "/closing/?period=2026-01"),
    ("vat", vat_not_moved, "还有 3,600.00 元待转销项税额已到期未转出", "/closing/?period=2026-01"),
    ("provisions", lambda year: None, "担保赔偿准备金差额 3,333.33", "/closing/?period=2026-01"),
    (
        "profit",
        lambda year: None,
        "未结转：6011 利息收入、6601.01 职工薪酬",
        "/closing/?period=2026-01",
    ),
    (
        "equation",
        missing_in_sheet,
        "期末差额 -99,990,500.00，年初差额 0.00",
        "/report/balance-sheet?period=2026-01",
    ),
]


@pytest.mark.parametrize(
    ("key", "break_it", "evidence", "url"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_a_check_that_is_not_met_says_why_and_where(session, key, break_it, evidence, url):
    year = ready(session)
    if key not in ("income", "provisions", "profit"):
        assert results(year)[key].is_met
    break_it(year)
    found = results(year)[key]
    assert not found.is_met
    assert evidence in found.evidence
    assert url in found.url
    assert found.mend_label
    with pytest.raises(ClosingRefused) as refused:
        require_checks(year.ctx(), year.period(1))
    assert f"{found.label}未通过：{found.evidence}" in refused.value.message
    assert key in {check.key for check in refused.value.checks}


def test_every_check_is_proved(session):
    assert {case[0] for case in CASES} == {check.key for check in CHECKS}


def test_all_checks_hold_after_the_steps(session):
    year = ready(session)
    assert {check.key for check in results(year).values() if waits(check)} == {
        "income",
        "vat",
        "provisions",
        "profit",
    }
    for step in closing.month_end_steps("2026-01")[:5]:
        step.run(year.ctx())
    found = results(year)
    assert all(check.is_met for check in found.values())
    assert all(check.evidence for check in found.values())
    assert len(require_checks(year.ctx(), year.period(1))) == len(CHECKS)


def test_wear_that_is_booked_or_not_asked_for_is_enough(session):
    year = ready(session)
    worn(year, "1601")
    department = {"department_id": year.books.department.id}
    year.post(DAY, year.line("6601.06", 10, **department), year.line("1602", 0, 10))
    assert results(year)["depreciation"].evidence == "本期已计提 10.00"
    worn(year, "1701")
    set_parameter(session, "closing.depreciation_required", "否")
    assert results(year)["amortisation"].is_met


def test_a_backup_after_the_period_is_enough(session):
    year = ready(session)
    no_backup(year)
    session.add(
        JobRun(
            job="backup",
            business_date=last(1),
            status=JobStatus.SUCCEEDED,
            finished_at=year.ctx().now,
            progress_pct=100,
            attempts=1,
            result={},
        )
    )
    assert results(year)["backup"].evidence == "已于 2026-01-31 备份"


def test_many_names_are_cut_with_their_number(session):
    year = ready(session)
    for _ in range(5):
        unreviewed(year)
    assert results(year)["reviewed"].evidence.endswith("等 5 项")


def test_an_undivided_opening_balance_does_not_stop_the_closing(session):
    year = begin(session)
    year.wear(1)
    assert year.close(1).round == 1
    opening_period = session.scalars(
        select(AccountingPeriod).where(AccountingPeriod.code == "2025-12")
    ).one()
    found = {check.key: check for check in closing_checks(session, opening_period)}
    assert found["auxiliaries"].is_met
    assert found["ledgers"].is_met
