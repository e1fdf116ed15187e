"""科目汇总表 (8.4): what each account moved in a range of periods, and how many vouchers it sums up."""

from sqlalchemy import func, select

from models.base.kinds import MenuGroup, Module
from models.ledger.account import AccountingPeriod
from models.ledger.voucher import Voucher, VoucherState, VoucherWord
from reports.base.asked import Asked
from reports.base.params import choice, period_range, span
from reports.base.report import Found, Line, Mark, Report, additive, drill, register, words
from reports.ledger.detail_ledger import unposted
from reports.ledger.trial_balance import LEVELS, BalanceRow, trial_balance

COLUMNS = (
    words("code", "科目编码"),
    words("name", "科目名称"),
    additive("debit", "借方发生额"),
    additive("credit", "贷方发生额"),
)


def _lines(asked: Asked) -> Found:
    found = trial_balance(
        asked.session,
        asked["first"],
        asked["last"],
        level=int(asked["level"]),
        with_unposted=asked["unposted"],
    )
    totals = found.totals
    even = totals.debit == totals.credit
    return Found(
        [_line(asked, row) for row in found.rows if row.debit or row.credit],
        span=span(asked["first"], asked["last"]),
        note=_vouchers(asked),
        marks=[Mark("借贷平衡", "ok") if even else Mark("借贷不平", "bad")],
    )


def _line(asked: Asked, row: BalanceRow) -> Line:
    more = {"unposted": "1"} if asked["unposted"] else {}
    url = drill(
        asked,
        "detail-ledger",
        account=row.account_id,
        first=asked["first"],
        last=asked["last"],
        **more,
    )
    return Line(
        {column.key: getattr(row, column.key) for column in COLUMNS},
        url=url,
        urls={"debit": url, "credit": url},
        level=row.level - 1,
        tone="total" if row.level == 1 else "",
        counts=row.level == 1,
    )


def _vouchers(asked: Asked) -> str:
    """How many vouchers of each word it sums up, from which number to which."""
    posted = Voucher.state == VoucherState.POSTED
    counted = Voucher.state != VoucherState.VOID if asked["unposted"] else posted
    query = (
        select(VoucherWord.name, func.count(Voucher.id), func.sum(Voucher.attachments))
        .join(Voucher, Voucher.word_id == VoucherWord.id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(AccountingPeriod.code.between(asked["first"], asked["last"]), counted)
        .group_by(VoucherWord.id, VoucherWord.name, VoucherWord.rank)
        .order_by(VoucherWord.rank)
    )
    found = asked.session.execute(query).all()
    count = "、".join(f"{name}字 {number} 张" for name, number, _ in found)
    return f"凭证：{count}；附单据 {sum(row[2] for row in found)} 张" if found else ""


register(
    Report(
        "account-summary",
        "科目汇总表",
        Module.LEDGER,
        permission=("list", "account_balance"),
        columns=COLUMNS,
        lines=_lines,
        params={
            **period_range(),
            "level": choice("科目级次", LEVELS, default="1"),
            **unposted(),
        },
        menu=MenuGroup.BOOKS,
        rank=61,
        help="所选期间全部凭证按科目汇总的发生额；合计为一级科目之和",
        empty="所选期间没有发生额",
        total_at="name",
        orientation="portrait",
    )
)
