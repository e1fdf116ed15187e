"""明细账 (8.4): the entries of an account or an auxiliary with a running balance, from the kept balances on."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.base.errors import BusinessError, NotFound
from models.base.kinds import MenuGroup, Module
from models.ledger.account import ZERO, Account, AccountingPeriod
from models.ledger.voucher import VoucherEntry
from reports.base.asked import Asked, report_url
from reports.base.params import period_range, pick, span, tick
from reports.base.report import Found, Line, Report, additive, balance, register, words
from reports.figures.balances import Figures, leaves_of
from reports.figures.movements import Course, Moved, Wanted, course
from reports.ledger.entries import BROUGHT, LedgerRow, entries, ledger_rows, links, sum_row

PAGE_MAX = 200

COLUMNS = (
    words("date", "日期", kind="date"),
    words("voucher_code", "凭证字号"),
    words("account_code", "科目编码"),
    words("memo", "摘要", is_long=True),
    words("opposite", "对方科目", is_long=True),
    additive("debit", "借方"),
    additive("credit", "贷方"),
    words("side", "方向"),
    balance("balance", "余额"),
    words("customer", "客户"),
    words("project", "项目"),
    words("bank", "银行"),
    words("department", "部门"),
    words("source", "业务单据"),
)
CARRIED = ("side", "balance")


@dataclass(frozen=True)
class LedgerFilter:
    """What the ledger is of: an account code (with all below it), auxiliaries, or both."""

    account: str = ""
    customer_id: int | None = None
    project_id: int | None = None
    bank_id: int | None = None
    department_id: int | None = None
    with_unposted: bool = False

    @property
    def auxiliaries(self) -> dict[str, int]:
        """The auxiliaries asked for, by column name."""
        names = ("customer_id", "project_id", "bank_id", "department_id")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


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
    leaves = leaves_of(session, wanted.account) if account else None
    moved = course(
        session,
        Wanted(leaves, wanted.auxiliaries, with_unposted=wanted.with_unposted),
        first,
        last,
    )
    query = _entries(wanted, leaves, first, last)
    count = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    offset = max(offset, 0)
    before = moved_before(session, query, offset)
    brought = moved.opening + sum((month.net for month in before.values()), ZERO)
    size = min(max(limit, 1), PAGE_MAX)
    # one more: does its month go on?
    found = ledger_rows(
        session, session.execute(query.offset(offset).limit(size + 1)).all(), brought
    )
    found = so_far(found, before)
    rows = found[:size]
    total = moved.between(first, last)
    return DetailLedger(
        str(account) if account else "全部科目",
        sum_row(BROUGHT[0] if offset == 0 else BROUGHT[1], ZERO, ZERO, brought),
        rows=rows,
        totals=Figures(moved.opening, total.debit, total.credit),
        count=count,
        lines=with_sums(moved, found, size),
    )


def _account(session: Session, code: str) -> Account | None:
    if not code:
        return None
    found = session.scalars(select(Account).where(Account.code == code)).one_or_none()
    if found is None:
        raise NotFound(f"没有科目“{code}”", field="account")
    return found


def _entries(wanted: LedgerFilter, leaves: list[int] | None, first: str, last: str) -> Select[Any]:
    parts = (getattr(VoucherEntry, name) == value for name, value in wanted.auxiliaries.items())
    query = entries(
        AccountingPeriod.code.between(first, last), *parts, with_unposted=wanted.with_unposted
    )
    return query if leaves is None else query.where(VoucherEntry.account_id.in_(leaves))


def moved_before(session: Session, query: Select[Any], offset: int) -> dict[str, Moved]:
    """What the rows before a page moved, by period."""
    if offset == 0:
        return {}
    earlier = query.limit(offset).subquery()
    sums = (func.sum(earlier.c[side], type_=Money()) for side in ("debit", "credit"))
    asked = select(earlier.c.period, *sums).group_by(earlier.c.period)
    return {row[0]: Moved(row[1], row[2]) for row in session.execute(asked)}


def so_far(found: list[LedgerRow], before: dict[str, Moved]) -> list[LedgerRow]:
    """The rows, each with what its month moved up to it: what a printed page hands on."""
    months = dict(before)
    rows = []
    for row in found:
        now = months.get(row.period, Moved()) + Moved(row.debit, row.credit)
        months[row.period] = now
        rows.append(replace(row, debit_so_far=now.debit, credit_so_far=now.credit))
    return rows


def with_sums(moved: Course, found: list[LedgerRow], size: int) -> list[LedgerRow]:
    """The rows of a page, and below the last row of each month what the month and the year up to it have moved."""
    lines = []
    for at, row in enumerate(found[:size]):
        lines.append(row)
        month = row.period
        if at + 1 < len(found) and found[at + 1].period == month:
            continue
        for memo, sums in (
            ("本月合计", moved.between(month, month)),
            ("本年累计", moved.year_to(month)),
        ):
            lines.append(
                replace(
                    sum_row(memo, sums.debit, sums.credit, row.signed),
                    debit_so_far=row.debit_so_far,
                    credit_so_far=row.credit_so_far,
                )
            )
    return lines


# ======================================================================================================== the report
AUXILIARIES = {
    "customer_id": pick("客户", "customer"),
    "project_id": pick("项目", "project"),
    "bank_id": pick("银行", "partner_bank"),
    "department_id": pick("部门", "department"),
}


def unposted() -> dict[str, Any]:
    """`unposted`: whether vouchers that are not posted yet are told as well."""
    return {"unposted": tick("未记账凭证", no="不含", yes="包含")}


def _lines(asked: Asked) -> Found:
    first, last, account = asked["first"], asked["last"], asked["account"]
    parts = {name: asked[name].id for name in AUXILIARIES if asked[name] is not None}
    crumbs = [(Module.LEDGER.label, ""), ("科目余额表", report_url("trial-balance"))]
    if account is None and not parts:
        words_ = "请选择会计科目、客户、项目、银行或部门后查询"
        return Found([], is_asked=False, empty=words_, crumbs=crumbs)
    code = account.code if account else ""
    wanted = LedgerFilter(code, **parts, with_unposted=asked["unposted"])
    found = detail_ledger(
        asked.session, wanted, first, last, offset=asked.offset, limit=asked.limit
    )
    sums = found.totals
    return Found(
        [ledger_line(asked, row, COLUMNS) for row in (found.opening, *found.lines)],
        totals={"debit": sums.debit, "credit": sums.credit, "balance": abs(sums.closing)},
        heading="　".join((found.title, *(str(asked[name]) for name in parts))),
        span=span(first, last),
        note=f"共 {found.count} 笔" + ("，含未记账凭证" if wanted.with_unposted else ""),
        count=found.count,
        crumbs=crumbs,
        columns=_columns(asked.session, code, parts),
    )


def _columns(session: Session, code: str, parts: dict[str, int]) -> list[Any]:
    """Banks and departments stand in a ledger whose accounts ask for them."""
    asks = (Account.needs_bank, Account.needs_department)
    below = or_(Account.code == code, Account.code.startswith(f"{code}."))
    found = session.execute(select(*asks).where(below, or_(*asks)).distinct()).all()
    left_out = {
        name
        for at, name in enumerate(("bank", "department"))
        if f"{name}_id" not in parts and not any(row[at] for row in found)
    }
    return [column for column in COLUMNS if column.key not in left_out]


def ledger_line(asked: Asked, row: LedgerRow, columns: Any) -> Line:
    """A row of a ledger on the screen; a sum stands out, an entry that is not posted yet too."""
    keys = [column.key for column in columns]
    after = {"debit": row.debit_so_far, "credit": row.credit_so_far}
    return Line(
        {key: getattr(row, key) for key in keys},
        url=asked.record("voucher", row.voucher_id),
        urls=links(asked, row),
        tone="" if row.is_entry else "head",
        tones={} if row.is_posted else {"voucher_code": "draft"},
        main=1 if row.is_entry else keys.index("memo"),
        counts=row.is_entry,
        is_brought=row.is_brought,
        carried={**after, **{key: getattr(row, key) for key in CARRIED}},
    )


register(
    Report(
        "detail-ledger",
        "明细账",
        Module.LEDGER,
        permission=("list", "account_balance"),
        columns=COLUMNS,
        lines=_lines,
        params={
            **period_range(),
            "account": pick("会计科目", "account"),
            **AUXILIARIES,
            **unposted(),
        },
        menu=MenuGroup.BOOKS,
        rank=70,
        empty="所选期间没有发生额",
        total_label="本期合计",
        total_at="memo",
        over_time=True,
        page_size=PAGE_MAX,
    )
)
