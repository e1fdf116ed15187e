"""明细账 (8.4): the posted entries of an account or an auxiliary with a running balance, from the kept balances on."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.base.errors import BusinessError, NotFound
from models.base.kinds import MenuGroup, Module
from models.customer.customer import Customer
from models.guarantee.project import Project
from models.ledger.account import ZERO, Account, AccountingPeriod, AuxiliaryBalance
from models.ledger.voucher import Voucher, VoucherEntry, VoucherState
from reports.base.asked import Asked, report_url
from reports.base.params import period_range, pick, span
from reports.base.report import Found, Line, Report, additive, balance, register, words
from reports.figures.balances import Figures, figures_of, leaves_of, of_auxiliaries

PAGE_MAX = 200
_BROUGHT = ("期初余额", "承前页")

COLUMNS = (
    words("date", "日期", kind="date"),
    words("voucher_code", "凭证字号"),
    words("account_code", "科目编码"),
    words("memo", "摘要"),
    words("customer", "客户"),
    words("project", "项目"),
    additive("debit", "借方"),
    additive("credit", "贷方"),
    words("side", "方向"),
    balance("balance", "余额"),
)


@dataclass(frozen=True)
class LedgerFilter:
    """What the ledger is of: an account code (with all below it), auxiliaries, or both."""

    account: str = ""
    customer_id: int | None = None
    project_id: int | None = None
    bank_id: int | None = None
    department_id: int | None = None

    @property
    def auxiliaries(self) -> dict[str, int]:
        """The auxiliaries asked for, by column name."""
        names = ("customer_id", "project_id", "bank_id", "department_id")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class LedgerRow:
    """One entry, or the opening line (no ids); `voucher_id` and `project_id` lead to their pages."""

    date: dt.date | None
    voucher_id: int | None
    voucher_code: str
    account_id: int | None
    account_code: str
    memo: str
    customer: str
    project_id: int | None
    project: str
    debit: Decimal
    credit: Decimal
    signed: Decimal

    @property
    def side(self) -> str:
        """借, 贷 or 平."""
        return "平" if self.signed == 0 else "借" if self.signed > 0 else "贷"

    @property
    def balance(self) -> Decimal:
        """Balance without its sign; `side` says which it is."""
        return abs(self.signed)


@dataclass(frozen=True)
class DetailLedger:
    """A page of the report: the balance brought forward to it, its rows, and the figures of the whole range.

    `lines` are the rows with 本月合计 and 本年累计 below the last row of each month.
    """

    title: str
    opening: LedgerRow
    rows: list[LedgerRow]
    totals: Figures
    count: int
    lines: list[LedgerRow]


def detail_ledger(
    session: Session,
    wanted: LedgerFilter,
    first: str,
    last: str,
    *,
    offset: int = 0,
    limit: int = 50,
) -> DetailLedger:
    """明细账 for periods `first` to `last` ('2026-01'); rows from `offset` on, at most 200.

    Raises NotFound for an unknown account, BusinessError for an empty filter or periods in the wrong order.
    """
    if first > last:
        raise BusinessError("开始期间不能晚于结束期间", field="first")
    if not wanted.account and not wanted.auxiliaries:
        raise BusinessError("请选择科目或辅助核算项", field="account")
    account = _account(session, wanted.account)
    totals = _figures(session, wanted, first, last)
    query = _entries(session, wanted, first, last)
    count = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    offset = max(offset, 0)
    brought = totals.opening + _moved_before(session, query, offset)
    size = min(max(limit, 1), PAGE_MAX)
    # one more: does its month go on?
    found = _rows(session, query.offset(offset).limit(size + 1), brought)
    rows, lines = found[:size], _with_sums(session, wanted, found, size)
    title = str(account) if account else "全部科目"
    return DetailLedger(
        title,
        _sum(_BROUGHT[0] if offset == 0 else _BROUGHT[1], ZERO, ZERO, brought),
        rows=rows,
        totals=totals,
        count=count,
        lines=lines,
    )


def _account(session: Session, code: str) -> Account | None:
    if not code:
        return None
    found = session.scalars(select(Account).where(Account.code == code)).one_or_none()
    if found is None:
        raise NotFound(f"没有科目“{code}”", field="account")
    return found


def _figures(session: Session, wanted: LedgerFilter, first: str, last: str) -> Figures:
    if not wanted.auxiliaries:
        return figures_of(session, wanted.account, first, last)
    conditions: list[ColumnElement[bool]] = [
        getattr(AuxiliaryBalance, name) == value for name, value in wanted.auxiliaries.items()
    ]
    if wanted.account:
        conditions.append(AuxiliaryBalance.account_id.in_(leaves_of(session, wanted.account)))
    return sum(of_auxiliaries(session, first, last, *conditions).values(), Figures())


def _entries(session: Session, wanted: LedgerFilter, first: str, last: str) -> Select[Any]:
    columns: tuple[Any, ...] = (
        Voucher.date,
        Voucher.id.label("voucher_id"),
        Voucher.code.label("voucher_code"),
        VoucherEntry.account_id,
        VoucherEntry.memo,
        VoucherEntry.customer_id,
        VoucherEntry.project_id,
        VoucherEntry.debit,
        VoucherEntry.credit,
    )
    query = (
        select(*columns)
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(Voucher.state == VoucherState.POSTED, AccountingPeriod.code.between(first, last))
        .where(
            *(getattr(VoucherEntry, name) == value for name, value in wanted.auxiliaries.items())
        )
        .order_by(Voucher.date, Voucher.posting_no, VoucherEntry.line_no)
    )
    if wanted.account:
        query = query.where(VoucherEntry.account_id.in_(leaves_of(session, wanted.account)))
    return query


def _moved_before(session: Session, query: Select[Any], offset: int) -> Decimal:
    if offset == 0:
        return ZERO
    earlier = query.limit(offset).subquery()
    return (
        session.scalar(select(func.sum(earlier.c.debit - earlier.c.credit, type_=Money()))) or ZERO
    )


def _rows(session: Session, page: Select[Any], brought: Decimal) -> list[LedgerRow]:
    found = session.execute(page).all()
    accounts = _names(session, Account.id, Account.code, {row.account_id for row in found})
    customers = _names(session, Customer.id, Customer.name, {row.customer_id for row in found})
    projects = _names(session, Project.id, Project.number, {row.project_id for row in found})
    rows = []
    for row in found:
        brought += row.debit - row.credit
        rows.append(
            LedgerRow(
                row.date,
                row.voucher_id,
                row.voucher_code,
                account_id=row.account_id,
                account_code=accounts[row.account_id],
                memo=row.memo,
                customer=customers.get(row.customer_id, ""),
                project_id=row.project_id,
                project=projects.get(row.project_id, ""),
                debit=row.debit,
                credit=row.credit,
                signed=brought,
            )
        )
    return rows


def _with_sums(
    session: Session, wanted: LedgerFilter, found: list[LedgerRow], size: int
) -> list[LedgerRow]:
    """The rows of a page, and below the last row of each month what the month and the year up to it have moved."""
    lines = []
    for at, row in enumerate(found[:size]):
        lines.append(row)
        month = f"{row.date:%Y-%m}"
        if at + 1 < len(found) and f"{found[at + 1].date:%Y-%m}" == month:
            continue
        for memo, first in (("本月合计", month), ("本年累计", f"{month[:4]}-01")):
            sums = _figures(session, wanted, first, month)
            lines.append(_sum(memo, sums.debit, sums.credit, row.signed))
    return lines


def _sum(memo: str, debit: Decimal, credit: Decimal, signed: Decimal) -> LedgerRow:
    """A row that is no entry: what was brought forward, a month, a year so far."""
    return LedgerRow(
        None,
        None,
        "",
        account_id=None,
        account_code="",
        memo=memo,
        customer="",
        project_id=None,
        project="",
        debit=debit,
        credit=credit,
        signed=signed,
    )


def _names(session: Session, key: Any, name: Any, ids: set[Any]) -> dict[int, str]:
    return {
        row[0]: row[1] for row in session.execute(select(key, name).where(key.in_(ids - {None})))
    }


# ======================================================================================================== the report
_AUXILIARIES = {
    "customer_id": pick("客户", "customer"),
    "project_id": pick("项目", "project"),
    "bank_id": pick("银行", "partner_bank"),
}


def _lines(asked: Asked) -> Found:
    first, last, account = asked["first"], asked["last"], asked["account"]
    parts = {name: asked[name].id for name in _AUXILIARIES if asked[name] is not None}
    crumbs = [(Module.LEDGER.label, ""), ("科目余额表", report_url("trial-balance"))]
    if account is None and not parts:
        words_ = "请选择会计科目、客户、项目或银行后查询"
        return Found([], is_asked=False, empty=words_, crumbs=crumbs)
    wanted = LedgerFilter(account.code if account else "", **parts)
    found = detail_ledger(
        asked.session, wanted, first, last, offset=asked.offset, limit=asked.limit
    )
    sums = found.totals
    return Found(
        [_line(asked, row) for row in (found.opening, *found.lines)],
        totals={"debit": sums.debit, "credit": sums.credit, "balance": abs(sums.closing)},
        heading=found.title,
        span=span(first, last),
        note=f"共 {found.count} 笔",
        count=found.count,
        crumbs=crumbs,
    )


def _line(asked: Asked, row: LedgerRow) -> Line:
    is_entry = row.voucher_id is not None
    return Line(
        {column.key: getattr(row, column.key) for column in COLUMNS},
        url=asked.record("voucher", row.voucher_id),
        urls={"project": asked.record("project", row.project_id)},
        tone="" if is_entry else "head",
        main=1 if is_entry else 3,
        counts=is_entry,
        is_brought=row.memo in _BROUGHT and not is_entry,
    )


register(
    Report(
        "detail-ledger",
        "明细账",
        Module.LEDGER,
        permission=("list", "account_balance"),
        columns=COLUMNS,
        lines=_lines,
        params={**period_range(), "account": pick("会计科目", "account"), **_AUXILIARIES},
        menu=MenuGroup.BOOKS,
        rank=70,
        empty="所选期间没有发生额",
        total_label="本期合计",
        total_at="memo",
        over_time=True,
        page_size=PAGE_MAX,
    )
)
