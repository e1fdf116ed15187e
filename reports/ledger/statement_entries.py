"""What stands behind a row of 现金流量表 or 所有者权益变动表 (8.5): its entries or vouchers."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select

from models.base.kinds import Module
from models.ledger.account import ZERO, AccountingPeriod, Direction
from models.ledger.statement import RowSource, StatementKind, StatementRow
from models.ledger.voucher import Voucher, VoucherEntry
from reports.base.asked import Asked, report_url
from reports.base.report import Found, Line, additive, drill, words
from reports.figures import cash_flows, equity
from reports.ledger.entries import entries, ledger_rows, links
from reports.ledger.statements import equity_parts

STATEMENTS = {
    StatementKind.BALANCE_SHEET: "balance-sheet",
    StatementKind.INCOME: "income-statement",
    StatementKind.CASH_FLOW: "cash-flow-statement",
    StatementKind.EQUITY: "equity-statement",
}
ENTRIES_MAX = 2000
_FLOW_COLUMNS = (
    words("date", "日期", kind="date"),
    words("voucher_code", "凭证字号"),
    words("memo", "摘要", is_long=True),
    words("opposite", "对方科目", is_long=True),
    additive("now", "本月金额"),
    additive("then", "本年累计"),
    words("source", "业务单据"),
)
_VOUCHER_COLUMNS = (
    words("date", "日期", kind="date"),
    words("voucher_code", "凭证字号"),
    words("memo", "摘要", is_long=True),
)


def behind(asked: Asked, lines: Sequence[Line]) -> Found:
    """The page of a row: what it is called, where it stands, and the way back."""
    row, month = asked["row"], asked["period"]
    url = report_url(STATEMENTS[row.statement], period=month)
    return Found(
        lines,
        title=row.label.lstrip("　"),
        heading=f"{row.statement.label} 第 {row.row_no} 行",
        span=month,
        note=month,
        crumbs=[(Module.LEDGER.label, ""), (row.statement.label, url)],
    )


def flows_behind(asked: Asked) -> Found:
    """The entries of the year that a row of 现金流量表 takes in, those of the month in a column of their own."""
    row: StatementRow = asked["row"]
    month: str = asked["period"]
    taken = VoucherEntry.cash_flow == row.cash_flow
    if row.cash_flow is None:
        taken = cash_flows.untold(is_in=row.takes is RowSource.UNTOLD_IN)
    wanted = (*cash_flows.conditions(f"{month[:4]}-01", month), taken)
    page = asked.session.execute(entries(*wanted).limit(ENTRIES_MAX + 1)).all()
    sign = 1 if row.side is Direction.DEBIT else -1
    lines = []
    for one in ledger_rows(asked.session, page[:ENTRIES_MAX], ZERO):
        amount = sign * (one.debit - one.credit)
        told = {column.key: getattr(one, column.key, None) for column in _FLOW_COLUMNS}
        told |= {"then": amount, "now": amount if one.period == month else ZERO}
        url = asked.record("voucher", one.voucher_id)
        lines.append(Line(told, url=url, urls={"source": links(asked, one)["source"]}, main=1))
    found = behind(asked, lines)
    found.columns = _FLOW_COLUMNS
    found.totals = _flow_totals(asked, row, month, sign)
    if len(page) > ENTRIES_MAX:
        found.foot = f"只列出前 {ENTRIES_MAX:,} 笔，合计为全部"
    return found


def _flow_totals(asked: Asked, row: StatementRow, month: str, sign: int) -> dict[str, Decimal]:
    """Of all entries, those that are not shown among them."""
    key = (row.cash_flow, row.takes is RowSource.UNTOLD_IN)
    flow = cash_flows.flows(asked.session, month).get(key, cash_flows.Flow())
    return {"now": sign * flow.month, "then": sign * flow.year}


def changes_behind(asked: Asked) -> Found:
    """The vouchers of the year that a row of 所有者权益变动表 takes in; of profit, its own statement."""
    row, month = asked["row"], asked["period"]
    parts, labels = equity_parts(asked.session)
    known = equity.by_voucher(asked.session, parts, month)
    mine = {
        key: {part: amount for (source, part), amount in what.items() if source is row.takes}
        for key, what in known.items()
    }
    query = (
        select(Voucher.id, Voucher.date, Voucher.code, Voucher.memo)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(Voucher.id.in_([key for key, what in mine.items() if any(what.values())]))
        .order_by(Voucher.date, Voucher.id)
    )
    lines = []
    for key, day, code, memo in asked.session.execute(query):
        amounts = {f"part_{at}": mine[key].get(part, ZERO) for at, part in enumerate(labels)}
        told = {"date": day, "voucher_code": code, "memo": memo, **amounts}
        total = sum(amounts.values(), ZERO)
        lines.append(Line({**told, "now": total}, url=asked.record("voucher", key), main=1))
    if row.takes is RowSource.NET_PROFIT:
        lines.append(_profit(asked, parts, list(labels)))
    found = behind(asked, lines)
    labelled = [additive(f"part_{at}", label) for at, label in enumerate(labels.values())]
    found.columns = (*_VOUCHER_COLUMNS, *labelled, additive("now", "合计"))
    return found


def _profit(asked: Asked, parts: equity.Parts, labels: list[int]) -> Line:
    """Profit as 利润表 tells it."""
    month = asked["period"]
    amount = equity.changes(asked.session, parts, month)[RowSource.NET_PROFIT, parts.retained]
    url = drill(asked, STATEMENTS[StatementKind.INCOME], period=month)
    at = f"part_{labels.index(parts.retained)}"
    line = Line({"memo": "本年净利润，见利润表", at: amount, "now": amount}, url=url, main=2)
    return replace(line, urls={at: url, "now": url})
