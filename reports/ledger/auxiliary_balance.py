"""辅助余额表 (8.4): opening, movement and closing of each customer, project, bank or department, account by account."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, case, literal, or_, select

from models.base.columns import Money
from models.base.kinds import MenuGroup, Module
from models.ledger.account import ZERO, Account
from reports.base.asked import Asked
from reports.base.params import period_range, pick, span
from reports.base.report import Found, Line, Report, additive, balance, drill, register, words
from reports.base.rows import page
from reports.figures.balances import leaves_of
from reports.figures.movements import Wanted, figures_query
from reports.ledger.auxiliaries import Auxiliary, asked_for, by_auxiliary
from reports.ledger.detail_ledger import unposted

ROWS_MAX = 1000

COLUMNS = (
    words("number", "编号"),
    words("name", "名称"),
    words("code", "科目编码"),
    words("account", "科目名称"),
    balance("opening_debit", "期初借方"),
    balance("opening_credit", "期初贷方"),
    additive("debit", "本期借方"),
    additive("credit", "本期贷方"),
    balance("closing_debit", "期末借方"),
    balance("closing_credit", "期末贷方"),
)
AMOUNTS = tuple(column.key for column in COLUMNS if column.measure)


def auxiliary_balances(of: Auxiliary, wanted: Wanted, first: str, last: str) -> Select[Any]:
    """A row for each auxiliary and account that stands or moved in periods `first` to `last`, by their codes."""
    known = figures_query(wanted, first, last, of.column, "account_id").subquery()
    closing = known.c.opening + known.c.debit - known.c.credit
    nothing = literal(ZERO, Money())
    sides: list[Any] = []
    for name, amount in (("opening", known.c.opening), ("closing", closing)):
        sides.append(case((amount > 0, amount), else_=nothing).label(f"{name}_debit"))
        sides.append(case((amount < 0, -amount), else_=nothing).label(f"{name}_credit"))
    return (
        select(
            of.model.id.label("id"),
            of.code.label("number"),
            of.name.label("name"),
            Account.id.label("account_id"),
            Account.code.label("code"),
            Account.full_name.label("account"),
            known.c.debit,
            known.c.credit,
            *sides,
        )
        .join_from(known, of.model, of.model.id == known.c[of.column])
        .join(Account, Account.id == known.c.account_id)
        .where(or_(known.c.opening != 0, known.c.debit != 0, known.c.credit != 0))
        .order_by(of.code, Account.code)
    )


def _lines(asked: Asked) -> Found:
    of, account = asked_for(asked), asked["account"]
    leaves = leaves_of(asked.session, account.code) if account is not None else None
    wanted = Wanted(leaves, with_unposted=asked["unposted"])
    query = auxiliary_balances(of, wanted, asked["first"], asked["last"])
    found = page(asked, query, *AMOUNTS)
    return Found(
        [_line(asked, of, row) for row in found.rows],
        totals=found.sums,
        heading="　".join(filter(None, (of.label, str(account) if account is not None else ""))),
        span=span(asked["first"], asked["last"]),
        note=f"共 {found.count} 行" + ("，含未记账凭证" if asked["unposted"] else ""),
        count=found.count,
    )


def _line(asked: Asked, of: Auxiliary, row: Row[Any]) -> Line:
    more: dict[str, Any] = {of.column: row.id, "account": row.account_id}
    more |= {"unposted": "1"} if asked["unposted"] else {}
    url = drill(asked, "detail-ledger", first=asked["first"], last=asked["last"], **more)
    values: dict[str, str | Decimal] = {column.key: getattr(row, column.key) for column in COLUMNS}
    here = asked.record(of.table, row.id)
    return Line(values, url=url, urls={**dict.fromkeys(AMOUNTS, url), "number": here}, main=1)


register(
    Report(
        "auxiliary-balance",
        "辅助余额表",
        Module.LEDGER,
        permission=("list", "account_balance"),
        columns=COLUMNS,
        lines=_lines,
        params={
            **period_range(),
            "by": by_auxiliary(),
            "account": pick("会计科目", "account"),
            **unposted(),
        },
        menu=MenuGroup.BOOKS,
        rank=74,
        help="同一笔分录的客户、项目、银行、部门各自汇总；科目留空时列出全部有该辅助核算的科目",
        empty="所选期间没有发生额和余额",
        total_at="name",
        page_size=ROWS_MAX,
    )
)
