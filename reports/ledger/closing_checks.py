"""The checks before 结账 (domain.md 3): small questions in a list, each with its evidence and where to mend it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from models.base.money import format_money
from models.guarantee.signing import Receipt
from models.ledger.account import ZERO, Account, AccountingPeriod, PeriodState
from models.ledger.closing import OpeningImport
from models.ledger.voucher import (
    BusinessEvent,
    EventState,
    Voucher,
    VoucherEntry,
    VoucherKind,
    VoucherState,
    VoucherWord,
)
from models.system.setup import JobRun, JobStatus
from reports.figures import cash_flows, provisions, recognition, vat
from reports.figures.agreement import AUXILIARIES, disagreeing
from reports.figures.balances import Figures, balance_of, figures_of, number_gaps, of_accounts
from reports.figures.business_ledger import pairs
from reports.figures.parameters import flag
from reports.figures.profit import unclosed
from reports.ledger.statements import balance_sheet, unmapped

MOST = 3  # names shown as evidence
POSTED = Voucher.state == VoucherState.POSTED


@dataclass(frozen=True)
class ClosingCheck:
    """One condition with its evidence; `url` leads to where it can be mended."""

    key: str
    label: str
    is_met: bool
    evidence: str
    url: str = ""
    mend_label: str = ""


@dataclass(frozen=True)
class Finding:
    """What a check has found: nothing wrong, or what is wrong and where to mend it."""

    is_met: bool
    evidence: str
    url: str = ""
    mend_label: str = ""


@dataclass(frozen=True)
class Check:
    """A question to a period; one that `waits` can only hold once the month-end has made its vouchers."""

    key: str
    label: str
    ask: Callable[[Session, AccountingPeriod], Finding]
    waits: bool = False


def _names(found: list[Any]) -> str:
    more = f"等 {len(found)} 项" if len(found) > MOST else ""
    return "、".join(str(name) for name in found[:MOST]) + more


def _vouchers_url(period: AccountingPeriod, *filters: str) -> str:
    tail = "".join(f"&f={text}" for text in filters)
    return f"/voucher/list/?f=period_id:eq:{period.id}{tail}"


def previous_closed(session: Session, period: AccountingPeriod) -> Finding:
    """Every earlier period is closed; months before the opening hold nothing."""
    query = (
        select(AccountingPeriod)
        .where(
            AccountingPeriod.code < period.code,
            AccountingPeriod.state == PeriodState.OPEN,
            AccountingPeriod.code > _opening_code(session),
        )
        .order_by(AccountingPeriod.code)
    )
    open_ones = [p.code for p in session.scalars(query)]
    if open_ones:
        return Finding(
            False, f"{_names(open_ones)} 尚未结账", f"/closing/?period={open_ones[0]}", "先结上期"
        )
    return Finding(True, "以前期间均已结账")


def _opening_code(session: Session) -> str:
    """The period of the opening; '' where the books began empty."""
    query = select(AccountingPeriod.code).join(
        OpeningImport, OpeningImport.period_id == AccountingPeriod.id
    )
    return session.scalar(query) or ""


def _in_states(session: Session, period: AccountingPeriod, *conditions: Any) -> list[str]:
    query = (
        select(Voucher.code)
        .where(Voucher.period_id == period.id, *conditions)
        .order_by(Voucher.code)
    )
    return list(session.scalars(query))


def reviewed(session: Session, period: AccountingPeriod) -> Finding:
    """No voucher is a draft."""
    found = _in_states(session, period, Voucher.state == VoucherState.DRAFT)
    if found:
        return Finding(
            False,
            f"{len(found)} 张未审核：{_names(found)}",
            _vouchers_url(period, "state:eq:DRAFT"),
            "去审核",
        )
    return Finding(True, "凭证均已审核")


def signed(session: Session, period: AccountingPeriod) -> Finding:
    """Every voucher with cash or bank lines is signed."""
    found = _in_states(session, period, Voucher.state == VoucherState.REVIEWED, Voucher.is_cash)
    if found:
        url = _vouchers_url(period, "state:eq:REVIEWED")
        return Finding(False, f"{len(found)} 张收付款凭证未签字：{_names(found)}", url, "去签字")
    return Finding(True, "收付款凭证均已签字")


def posted(session: Session, period: AccountingPeriod) -> Finding:
    """Every reviewed voucher is posted."""
    waiting = or_(
        Voucher.state == VoucherState.SIGNED,
        and_(Voucher.state == VoucherState.REVIEWED, Voucher.is_cash.is_(False)),
    )
    found = _in_states(session, period, waiting)
    if found:
        return Finding(
            False, f"{len(found)} 张未记账：{_names(found)}", _vouchers_url(period), "去记账"
        )
    return Finding(True, "凭证均已记账")


def without_gaps(session: Session, period: AccountingPeriod) -> Finding:
    """No number is missing in any series."""
    found = []
    for word in session.scalars(select(VoucherWord).order_by(VoucherWord.rank)):
        gaps = number_gaps(session, period.id, word.id)
        found += [f"{word.name}字第 {number} 号" for number in gaps]
    if found:
        return Finding(False, f"缺号：{_names(found)}", _vouchers_url(period), "断号整理")
    return Finding(True, "凭证编号连续")


def _unequal(period: AccountingPeriod) -> Select[Any]:
    debit, credit = func.sum(VoucherEntry.debit), func.sum(VoucherEntry.credit)
    return (
        select(Voucher.code)
        .join(VoucherEntry, VoucherEntry.voucher_id == Voucher.id)
        .where(Voucher.period_id == period.id, Voucher.state != VoucherState.VOID)
        .group_by(Voucher.id, Voucher.code)
        .having(debit != credit)
        .order_by(Voucher.code)
    )


def balanced(session: Session, period: AccountingPeriod) -> Finding:
    """Each voucher and the trial balance balance."""
    found = list(session.scalars(_unequal(period)))
    if found:
        return Finding(False, f"借贷不平的凭证：{_names(found)}", _vouchers_url(period), "查看凭证")
    total = sum(of_accounts(session, period.code, period.code).values(), Figures())
    url = f"/report/trial-balance?first={period.code}&last={period.code}"
    if total.opening or total.closing or total.debit != total.credit:
        words = f"期初差额 {format_money(total.opening)}，期末差额 {format_money(total.closing)}"
        return Finding(False, f"试算不平衡：{words}", url, "科目余额表")
    return Finding(True, f"试算平衡，本期发生额 {format_money(total.debit)}", url)


def ledgers_agree(session: Session, period: AccountingPeriod) -> Finding:
    """总账 = 明细 = 辅助: kept balances equal the posted entries, and auxiliaries sum to their account."""
    wrong = list(_codes(session, disagreeing(session, period)))
    url = f"/report/trial-balance?first={period.code}&last={period.code}"
    if wrong:
        return Finding(False, f"不符的科目：{_names(wrong)}", url, "科目余额表")
    return Finding(True, "总账、明细账、辅助账相符", url)


def _codes(session: Session, ids: set[int]) -> Iterator[str]:
    for account in session.scalars(
        select(Account).where(Account.id.in_(ids)).order_by(Account.code)
    ):
        yield f"{account.code} {account.name}"


def queue_empty(session: Session, period: AccountingPeriod) -> Finding:
    """Nothing that happened by the period's end waits for 复核."""
    query = select(BusinessEvent).where(
        BusinessEvent.state == EventState.PENDING, BusinessEvent.occurred_on <= period.ends_on
    )
    found = [event.number for event in session.scalars(query.order_by(BusinessEvent.id))]
    if found:
        return Finding(False, f"{len(found)} 笔待复核：{_names(found)}", "/review/", "去复核")
    return Finding(True, "没有待复核的业务")


def receipts_settled(session: Session, period: AccountingPeriod) -> Finding:
    """No money received by the period's end was sent back by 复核 and then left lying."""
    query = (
        select(Receipt.number)
        .join(BusinessEvent, BusinessEvent.record_id == Receipt.id)
        .where(
            BusinessEvent.record_table == Receipt.__tablename__,
            BusinessEvent.state == EventState.REFUSED,
            BusinessEvent.occurred_on <= period.ends_on,
        )
    )
    if found := list(session.scalars(query.order_by(Receipt.id))):
        words = f"{len(found)} 笔收款复核退回后未处理：{_names(found)}"
        return Finding(False, words, "/receipt/list/?f=state:eq:RETURNED", "重新登记或撤销")
    return Finding(True, "没有退回未处理的收款")


def business_agrees(session: Session, period: AccountingPeriod) -> Finding:
    """What the business knows of fees, deposits and margins is what the accounts say, to the fen."""
    if not flag(session, "closing.business_required", period.ends_on):
        return Finding(True, "系统参数规定不检查")
    found = pairs(session)
    words = "；".join(
        f"{p.code} {p.label}业务 {format_money(p.business)}，账面 {format_money(p.ledger)}"
        for p in found
    )
    if wrong := [pair for pair in found if pair.differs]:
        apart = "；".join(
            f"{p.code} {p.label}业务 {format_money(p.business)}，账面 {format_money(p.ledger)}，"
            f"相差 {format_money(p.business - p.ledger)}"
            for p in wrong
        )
        return Finding(False, apart, wrong[0].url, "查看业务")
    return Finding(True, words, f"/report/trial-balance?first={period.code}&last={period.code}")


def income_recognised(session: Session, period: AccountingPeriod) -> Finding:
    """担保费收入 is recognised up to the period's end."""
    amount = recognition.due_total(session, period.ends_on)
    if amount:
        words = f"还有 {format_money(amount)} 元应确认未确认"
        return Finding(False, words, f"/closing/?period={period.code}", "月末处理")
    return Finding(True, "担保费收入已确认到期末", "/income_schedule/list/")


def vat_transferred(session: Session, period: AccountingPeriod) -> Finding:
    """VAT of what fell due or was invoiced by the period's end stands in 销项税额."""
    amount = sum((amount for _, amount in vat.due_for_transfer(session, period.ends_on)), ZERO)
    if amount:
        words = f"还有 {format_money(amount)} 元待转销项税额已到期未转出"
        return Finding(False, words, f"/closing/?period={period.code}", "月末处理")
    return Finding(True, "到期费用的销项税额已转出")


def provided(session: Session, period: AccountingPeriod) -> Finding:
    """Both provisions stand at what the rules ask for."""
    found = [p for p in provisions.monthly(session, period) if p.amount]
    if found:
        words = "；".join(f"{p.kind.label}差额 {format_money(p.amount)}" for p in found)
        return Finding(False, words, f"/closing/?period={period.code}", "月末处理")
    return Finding(True, "准备金已提足", f"/provision_calculation/list/?f=period_id:eq:{period.id}")


def _worn(session: Session, period: AccountingPeriod, asset: str, wear: str, label: str) -> Finding:
    if not flag(session, "closing.depreciation_required", period.ends_on):
        return Finding(True, "系统参数规定不检查")
    net = balance_of(session, asset, period.code) - balance_of(session, wear, period.code)
    booked = figures_of(session, wear, period.code, period.code)
    opening = figures_of(session, asset, period.code, period.code).opening
    # What was bought this month wears from the next one on.
    if booked.credit or net <= 0 or not opening:
        return Finding(
            True, f"本期已计提 {format_money(booked.credit)}" if booked.credit else f"不需要{label}"
        )
    return Finding(
        False, f"{asset} 净值 {format_money(net)}，本期未{label}", "/voucher/add", "填制凭证"
    )


def depreciated(session: Session, period: AccountingPeriod) -> Finding:
    """Fixed assets of net value have been depreciated."""
    return _worn(session, period, "1601", "1602", "计提折旧")


def amortised(session: Session, period: AccountingPeriod) -> Finding:
    """Intangible assets of net value have been amortised."""
    return _worn(session, period, "1701", "1702", "摊销")


def profit_transferred(session: Session, period: AccountingPeriod) -> Finding:
    """P&L accounts stand at zero."""
    found = unclosed(session, period.code)
    if found:
        names = list(_codes(session, set(found)))
        return Finding(
            False, f"未结转：{_names(names)}", f"/closing/?period={period.code}", "月末处理"
        )
    return Finding(True, "损益类科目余额为零")


def cash_in_debit(session: Session, period: AccountingPeriod) -> Finding:
    """No cash or bank account is overdrawn."""
    cash = set(session.scalars(select(Account.id).where(Account.is_leaf, Account.is_cash_bank)))
    figures = of_accounts(session, period.code, period.code)
    found = list(_codes(session, {key for key in cash if figures.get(key, Figures()).closing < 0}))
    if found:
        url = f"/report/trial-balance?first={period.code}&last={period.code}"
        return Finding(False, f"贷方余额：{_names(found)}", url, "科目余额表")
    return Finding(True, "现金银行科目没有贷方余额")


def cash_flows_told(session: Session, period: AccountingPeriod) -> Finding:
    """Money that came in or went out says what for, where the parameter asks for it."""
    if not flag(session, "voucher.cash_flow_required", period.ends_on):
        return Finding(True, "系统参数规定不检查")
    query = (
        select(Voucher.code)
        .join(VoucherEntry, VoucherEntry.voucher_id == Voucher.id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(*cash_flows.conditions(period.code, period.code), VoucherEntry.cash_flow.is_(None))
        .distinct()
        .order_by(Voucher.code)
    )
    url = f"/report/cash-flow-statement?period={period.code}"
    if found := list(session.scalars(query)):
        return Finding(False, f"未指定现金流量项目：{_names(found)}", url, "现金流量表")
    return Finding(True, "现金银行收支均有现金流量项目", url)


def dates_inside(session: Session, period: AccountingPeriod) -> Finding:
    """Each voucher's date lies in its period."""
    outside = or_(Voucher.date < period.starts_on, Voucher.date > period.ends_on)
    found = _in_states(session, period, outside, Voucher.state != VoucherState.VOID)
    if found:
        return Finding(False, f"日期不在期间内：{_names(found)}", _vouchers_url(period), "查看凭证")
    return Finding(True, "凭证日期均在期间内")


def auxiliaries_present(session: Session, period: AccountingPeriod) -> Finding:
    """Entries carry what their account asks for; what goes on from an opening balance may lack the project."""
    needs = or_(
        *(
            and_(getattr(Account, f"needs_{name}"), column.is_(None), ~_opened_without(column))
            for name, column in AUXILIARIES.items()
        )
    )
    query = (
        select(Voucher.code)
        .join(VoucherEntry, VoucherEntry.voucher_id == Voucher.id)
        .join(Account, Account.id == VoucherEntry.account_id)
        # A reversal repeats its original, whatever the account asks for by now.
        .where(Voucher.period_id == period.id, POSTED, Voucher.reverses_id.is_(None), needs)
        .distinct()
        .order_by(Voucher.code)
    )
    found = list(session.scalars(query))
    if found:
        return Finding(False, f"缺辅助核算：{_names(found)}", _vouchers_url(period), "查看凭证")
    return Finding(True, "辅助核算齐全")


def _opened_without(column: Any) -> Any:
    """Whether an opening balance of the same customer stands on the entry's account without this auxiliary."""
    entry, head = aliased(VoucherEntry), aliased(Voucher)
    return (
        select(entry.id)
        .join(head, head.id == entry.voucher_id)
        .where(
            head.kind == VoucherKind.OPENING,
            entry.account_id == VoucherEntry.account_id,
            func.coalesce(entry.customer_id, 0) == func.coalesce(VoucherEntry.customer_id, 0),
            getattr(entry, column.key).is_(None),
        )
        .exists()
    )


def accounts_mapped(session: Session, period: AccountingPeriod) -> Finding:
    """Every leaf account belongs to one row of its statement."""
    del period
    found = [f"{a.code} {a.name}" for a in unmapped(session)]
    if found:
        return Finding(False, f"未对应报表行：{_names(found)}", "/statement_row/list/", "报表公式")
    return Finding(True, "科目均已对应报表行")


def equation_holds(session: Session, period: AccountingPeriod) -> Finding:
    """资产 = 负债 + 所有者权益."""
    sheet = balance_sheet(session, period.code)
    url = f"/report/balance-sheet?period={period.code}"
    if not sheet.is_balanced:
        now, then = sheet.differences
        return Finding(
            False, f"期末差额 {format_money(now)}，年初差额 {format_money(then)}", url, "资产负债表"
        )
    return Finding(True, f"资产总计 {format_money(sheet.total)}", url)


def backed_up(session: Session, period: AccountingPeriod) -> Finding:
    """A backup was taken after the period's end, where the parameter asks for one."""
    if not flag(session, "closing.backup_required", period.ends_on):
        return Finding(True, "系统参数规定不检查")
    query = select(func.max(JobRun.business_date)).where(
        JobRun.job.startswith("backup"),
        JobRun.status == JobStatus.SUCCEEDED,
        JobRun.business_date >= period.ends_on,
    )
    on = session.scalar(query)
    if on is None:
        return Finding(False, f"{period.ends_on} 之后没有完成的备份", "/day-end/", "去备份")
    return Finding(True, f"已于 {on} 备份")


CHECKS: tuple[Check, ...] = (
    Check("previous", "上期已结账", previous_closed),
    Check("reviewed", "凭证已审核", reviewed),
    Check("signed", "凭证已签字", signed),
    Check("posted", "凭证已记账", posted),
    Check("gaps", "凭证无断号", without_gaps),
    Check("balanced", "凭证与试算平衡", balanced),
    Check("ledgers", "总账、明细、辅助相符", ledgers_agree),
    Check("queue", "复核队列已清空", queue_empty),
    Check("receipts", "退回的收款已处理", receipts_settled),
    Check("dates", "凭证日期在期间内", dates_inside),
    Check("auxiliaries", "辅助核算齐全", auxiliaries_present),
    Check("cash", "现金银行无贷方余额", cash_in_debit),
    Check("cash_flows", "现金流量项目齐全", cash_flows_told),
    Check("depreciation", "固定资产已计提折旧", depreciated),
    Check("amortisation", "无形资产已摊销", amortised),
    Check("mapped", "科目均对应报表行", accounts_mapped),
    Check("backup", "已备份", backed_up),
    Check("business", "业务与账面相符", business_agrees),
    Check("income", "担保费收入已确认", income_recognised, waits=True),
    Check("vat", "到期销项税额已转出", vat_transferred, waits=True),
    Check("provisions", "准备金已计提", provided, waits=True),
    Check("profit", "损益已结转", profit_transferred, waits=True),
    Check("equation", "资产 = 负债 + 所有者权益", equation_holds),
)


def closing_checks(
    session: Session, period: AccountingPeriod, *, only_ready: bool = False
) -> list[ClosingCheck]:
    """All checks of a period; `only_ready` leaves out those that the month-end's own steps bring about."""
    found = []
    for check in CHECKS:
        if not (only_ready and check.waits):
            finding = check.ask(session, period)
            found.append(
                ClosingCheck(
                    check.key,
                    check.label,
                    finding.is_met,
                    evidence=finding.evidence,
                    url=finding.url,
                    mend_label=finding.mend_label,
                )
            )
    return found


def waits(check: ClosingCheck) -> bool:
    """Whether the month-end itself brings this about."""
    return any(c.key == check.key and c.waits for c in CHECKS)


def as_kept(checks: list[ClosingCheck]) -> list[dict[str, Any]]:
    """Results for the 月终日志."""
    return [{"label": c.label, "is_met": c.is_met, "evidence": c.evidence} for c in checks]
