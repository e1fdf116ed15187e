"""凭证汇总 (8.2): the vouchers of some days summed up by account, of one word and one stage or of all."""

from typing import Any

from sqlalchemy import func, select

from models.base.columns import Money
from models.base.kinds import Module
from models.ledger.account import ZERO, Account
from models.ledger.voucher import Voucher, VoucherEntry, VoucherState
from reports.base.asked import Asked, report_url
from reports.base.params import choice, date_range, pick
from reports.base.report import (
    Found,
    Line,
    Mark,
    Report,
    additive,
    count,
    drill,
    register,
    stated,
    words,
)
from reports.base.rows import page
from reports.figures.balances import leaves_of
from reports.ledger.detail_ledger import PAGE_MAX
from reports.ledger.entries import LedgerRow, entries, ledger_rows, links

_STAGES = [
    ("", "除作废外全部"),
    (VoucherState.POSTED.name, "已记账"),
    ("UNPOSTED", "未记账"),
]
COLUMNS = (
    words("code", "科目编码"),
    words("account", "科目名称"),
    count("entries", "分录数"),
    stated("vouchers", "凭证数", "int", "张"),
    additive("debit", "借方合计"),
    additive("credit", "贷方合计"),
)


def _lines(asked: Asked) -> Found:
    wanted = _wanted(asked)
    sums = (
        func.sum(VoucherEntry.debit, type_=Money()),
        func.sum(VoucherEntry.credit, type_=Money()),
    )
    query = (
        select(
            Account.id,
            Account.code,
            Account.full_name,
            func.count(VoucherEntry.id),
            func.count(VoucherEntry.voucher_id.distinct()),
            *sums,
        )
        .join(VoucherEntry, VoucherEntry.account_id == Account.id)
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .where(*wanted)
        .group_by(Account.id, Account.code, Account.full_name)
        .order_by(Account.code)
    )
    rows = asked.session.execute(query).all()
    vouchers, papers = asked.session.execute(
        select(func.count(), func.sum(Voucher.attachments)).where(*wanted)
    ).one()
    is_even = sum(row[5] for row in rows) == sum(row[6] for row in rows)
    return Found(
        [_line(asked, row) for row in rows],
        span=f"{asked['first']} 至 {asked['last']}",
        note=f"凭证 {vouchers} 张，附单据 {papers or 0} 张",
        marks=[Mark("借贷平衡", "ok") if is_even else Mark("借贷不平", "bad")],
    )


def _wanted(asked: Asked) -> list[Any]:
    """Which vouchers are summed up."""
    stages = {
        "": Voucher.state != VoucherState.VOID,
        VoucherState.POSTED.name: Voucher.state == VoucherState.POSTED,
        "UNPOSTED": Voucher.state.not_in((VoucherState.POSTED, VoucherState.VOID)),
    }
    found = [Voucher.date.between(asked["first"], asked["last"]), stages[asked["stage"]]]
    if asked["word"] is not None:
        found.append(Voucher.word_id == asked["word"].id)
    return found


def _line(asked: Asked, row: Any) -> Line:
    """An account; its figures lead to the entries that make them."""
    keys = ("code", "account", "entries", "vouchers", "debit", "credit")
    more = {"word": asked["word"].id} if asked["word"] is not None else {}
    more |= {"stage": asked["stage"]} if asked["stage"] else {}
    url = drill(
        asked,
        "voucher-summary-entries",
        account=row[0],
        first=asked["first"],
        last=asked["last"],
        **more,
    )
    return Line(dict(zip(keys, row[1:], strict=True)), url=url, urls=dict.fromkeys(keys[2:], url))


# --------------------------------------------------------------------------------------------- what stands behind it
_ENTRY_COLUMNS = (
    words("date", "日期", kind="date"),
    words("voucher_code", "凭证字号"),
    words("memo", "摘要", is_long=True),
    words("opposite", "对方科目", is_long=True),
    additive("debit", "借方"),
    additive("credit", "贷方"),
    words("source", "业务单据"),
)


def _entries(asked: Asked) -> Found:
    """The entries of one account in the vouchers that are summed up."""
    account = asked["account"]
    crumbs = [(Module.LEDGER.label, ""), ("凭证汇总", report_url("voucher-summary"))]
    if account is None:
        return Found([], is_asked=False, empty="请选择会计科目", crumbs=crumbs)
    wanted = (*_wanted(asked), VoucherEntry.account_id.in_(leaves_of(asked.session, account.code)))
    found = page(asked, entries(*wanted, with_unposted=True), "debit", "credit")
    return Found(
        [_entry(asked, row) for row in ledger_rows(asked.session, found.rows, ZERO)],
        totals=found.sums,
        heading=str(account),
        span=f"{asked['first']} 至 {asked['last']}",
        note=f"共 {found.count} 笔",
        count=found.count,
        crumbs=crumbs,
    )


def _entry(asked: Asked, row: LedgerRow) -> Line:
    return Line(
        {column.key: getattr(row, column.key) for column in _ENTRY_COLUMNS},
        url=asked.record("voucher", row.voucher_id),
        urls={"source": links(asked, row)["source"]},
        tones={} if row.is_posted else {"voucher_code": "draft"},
        main=1,
    )


PARAMS = {
    **date_range(),
    "word": pick("凭证字", "voucher_word"),
    "stage": choice("凭证状态", _STAGES),
}
register(
    Report(
        "voucher-summary-entries",
        "凭证汇总分录",
        Module.LEDGER,
        permission=("list", "voucher"),
        columns=_ENTRY_COLUMNS,
        lines=_entries,
        params={**PARAMS, "account": pick("会计科目", "account")},
        rank=None,
        empty="所选日期没有分录",
        total_at="memo",
        page_size=PAGE_MAX,
    )
)
register(
    Report(
        "voucher-summary",
        "凭证汇总",
        Module.LEDGER,
        permission=("list", "voucher"),
        columns=COLUMNS,
        lines=_lines,
        params=PARAMS,
        rank=9,
        help="所选日期的凭证按末级科目汇总，可只含未记账的",
        empty="所选日期没有凭证",
        total_at="account",
        orientation="portrait",
    )
)
