"""A voucher as it looks on paper: lines with their auxiliaries, digits in cells, sum in capitals, who did what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from models.base.money import capital, format_money, to_fen
from models.ledger.account import ZERO, Account
from models.ledger.voucher import Voucher
from models.system.organization import Company
from views.kit.interface import Titles
from workflows.base.context import Ctx
from workflows.ledger.entries import AUXILIARIES, Line, line_of

CELLS = 11
LEAST_LINES = 5


@dataclass(frozen=True)
class Amount:
    """An amount as text and as digits in cells from 亿 to 分; no digits where it does not fit or is nothing."""

    text: str = ""
    digits: tuple[str, ...] = ("",) * CELLS
    is_red: bool = False


@dataclass(frozen=True)
class SheetLine:
    """One entry."""

    memo: str = ""
    code: str = ""
    account: str = ""
    account_url: str = ""
    auxiliaries: tuple[tuple[str, str, str], ...] = ()  # label, text, address
    debit: Amount = Amount()
    credit: Amount = Amount()


@dataclass(frozen=True)
class VoucherSheet:
    """What parts/voucher.html draws."""

    company: str
    title: str
    date: str
    attachments: str
    lines: tuple[SheetLine, ...]
    debit: Amount
    credit: Amount
    capital: str
    signs: tuple[tuple[str, str], ...] = ()
    is_wide: bool = False  # an amount has more digits than there are cells


def sheet_of(ctx: Ctx, voucher: Voucher) -> VoucherSheet:
    """A stored voucher."""
    people = (
        ("记账", voucher.posted_by),
        ("审核", voucher.reviewed_by),
        ("出纳", voucher.signed_by),
        ("制单", voucher.prepared_by),
    )
    return make_sheet(
        ctx,
        f"{voucher.word.name} 字 {voucher.number:04d} 号",
        voucher.date.isoformat(),
        str(voucher.attachments),
        [line_of(entry) for entry in voucher.entries],
        signs=[(label, who.name if who else "") for label, who in people],
        period=voucher.period.code,
    )


def make_sheet(
    ctx: Ctx,
    title: str,
    date: str,
    attachments: str,
    lines: Sequence[Line],
    *,
    signs: Iterable[tuple[str, str]] = (),
    period: str = "",
) -> VoucherSheet:
    """Entries on paper; `period` makes accounts lead to their detail ledger."""
    titles, accounts = _names(ctx, lines)
    drawn = [_line(ctx, line, titles, accounts, period) for line in lines]
    drawn += [SheetLine()] * (LEAST_LINES - len(drawn))
    debit = sum((line.debit for line in lines), ZERO)
    credit = sum((line.credit for line in lines), ZERO)
    company = ctx.session.scalars(select(Company.full_name)).first() or ""
    amounts = [_amount(debit, sign="¥"), _amount(credit, sign="¥")]
    is_wide = any(not a.digits for line in drawn for a in (line.debit, line.credit)) or any(
        not a.digits for a in amounts
    )
    return VoucherSheet(
        company,
        title,
        date,
        attachments=attachments,
        lines=tuple(drawn),
        debit=amounts[0],
        credit=amounts[1],
        capital=f"人民币{capital(debit)}" if lines else "",
        signs=tuple(signs),
        is_wide=is_wide,
    )


def _names(ctx: Ctx, lines: Sequence[Line]) -> tuple[Titles, dict[int, Account]]:
    titles = Titles(ctx.session)
    for name, (table, _, _) in AUXILIARIES.items():
        titles.load(table, (getattr(line, name) for line in lines))
    query = select(Account).where(Account.id.in_({line.account_id for line in lines}))
    return titles, {account.id: account for account in ctx.session.scalars(query)}


def _line(
    ctx: Ctx, line: Line, titles: Titles, accounts: dict[int, Account], period: str
) -> SheetLine:
    account = accounts.get(line.account_id)
    found = []
    for name, (table, _, label) in AUXILIARIES.items():
        value = getattr(line, name)
        if value is not None:
            url = f"/{table}/show/{value}" if ctx.actor.may("show", table) else ""
            found.append((label, titles.text(table, value), url))
    if line.cash_flow is not None:
        found.append(("现金流量", line.cash_flow.label, ""))
    url = ""
    if account is not None and period and ctx.actor.may("list", "account_balance"):
        url = f"/report/detail-ledger?account={account.id}&first={period}&last={period}"
    return SheetLine(
        line.memo,
        account.code if account else "",
        (account.full_name or account.name) if account else "科目不存在",
        account_url=url,
        auxiliaries=tuple(found),
        debit=_amount(line.debit),
        credit=_amount(line.credit),
    )


def _amount(value: Decimal, sign: str = "") -> Amount:
    if value == 0 and not sign:
        return Amount()
    text = str(abs(to_fen(value)))
    if len(text) < CELLS:
        text = sign + text
    digits = tuple(text.rjust(CELLS)) if len(text) <= CELLS else ()
    return Amount(format_money(value), tuple(d.strip() for d in digits), value < 0)
