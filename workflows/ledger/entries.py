"""Entries as people type them, and every check they must pass before a voucher keeps them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select

from models.base.entity import Entity, entity_of
from models.base.errors import FieldErrors
from models.base.money import MONEY_MAX, format_money, round_money
from models.ledger.account import ZERO, Account
from models.ledger.voucher import CashFlow, Voucher, VoucherEntry, VoucherKind
from reports.figures.balances import is_at
from reports.figures.profit import PROFIT
from workflows.base.context import Ctx

LINES_MAX = 999
OPENING_LINES_MAX = 20_000  # an opening holds every customer's balance at once
MEMO_MAX = 200
# attribute of the entry -> (table, flag of the account that asks for it, Chinese name)
AUXILIARIES = {
    "customer_id": ("customer", "needs_customer", "客户"),
    "project_id": ("project", "needs_project", "项目"),
    "bank_id": ("partner_bank", "needs_bank", "银行"),
    "department_id": ("department", "needs_department", "部门"),
}


@dataclass(frozen=True)
class Line:
    """One entry to be written; amounts in 元, one of the two, negative for red letters."""

    account_id: int
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    memo: str = ""
    customer_id: int | None = None
    project_id: int | None = None
    bank_id: int | None = None
    department_id: int | None = None
    cash_flow: CashFlow | None = None


def line_of(entry: VoucherEntry) -> Line:
    """An entry as it could be typed again."""
    return Line(
        entry.account_id,
        entry.debit,
        entry.credit,
        entry.memo,
        entry.customer_id,
        entry.project_id,
        entry.bank_id,
        entry.department_id,
        entry.cash_flow,
    )


def red(line: Line) -> Line:
    """The same line in red letters."""
    return replace(line, debit=-line.debit, credit=-line.credit)


def checked(
    ctx: Ctx,
    lines: Sequence[Line],
    memo: str,
    *,
    is_reversal: bool = False,
    kind: VoucherKind = VoucherKind.ORDINARY,
) -> list[VoucherEntry]:
    """The entries of a voucher, not yet in the session; `memo` stands in where a line has none.

    A reversal repeats what was once right, so accounts that were closed since, or ask for more now, do not stop it.
    An opening names the customer where an account asks for one, and may lack the rest: the old books knew no projects.
    Raises FieldErrors naming every wrong line.
    """
    wrong: list[str] = []
    entries: list[VoucherEntry] = []
    accounts = accounts_of(ctx, lines)
    for number, line in enumerate(lines, 1):
        entry, errors = _entry(ctx, line, number, memo)
        errors += _account_errors(
            ctx, accounts.get(line.account_id), line, is_reversal=is_reversal, kind=kind
        )
        wrong += [f"第{number}行：{error}" for error in errors]
        entries.append(entry)
    most = OPENING_LINES_MAX if kind is VoucherKind.OPENING else LINES_MAX
    if not 2 <= len(lines) <= most:
        wrong.insert(0, f"凭证至少要有两条分录，最多{most}条")
    if not wrong:
        wrong = _unbalanced(entries)
    if wrong:
        raise FieldErrors({"entries": wrong})
    return entries


def recheck(ctx: Ctx, voucher: Voucher) -> dict[int, Account]:
    """Look again at a kept draft, because accounts may have been closed or split since; returns its accounts.

    Raises FieldErrors naming every wrong line.
    """
    accounts = accounts_of(ctx, voucher.entries)
    is_reversal = voucher.reverses_id is not None
    wrong = [
        f"第{entry.line_no}行：{error}"
        for entry in voucher.entries
        for error in _account_errors(
            ctx, accounts.get(entry.account_id), entry, is_reversal=is_reversal, kind=voucher.kind
        )
    ]
    wrong += _unbalanced(voucher.entries)
    if wrong:
        raise FieldErrors({"entries": wrong})
    return accounts


def accounts_of(ctx: Ctx, lines: Iterable[Line | VoucherEntry]) -> dict[int, Account]:
    """The accounts of some lines by id, read at once."""
    query = select(Account).where(Account.id.in_({line.account_id for line in lines}))
    return {account.id: account for account in ctx.session.scalars(query)}


def total_of(entries: Iterable[VoucherEntry]) -> Decimal:
    """Sum of the debit side."""
    return sum((entry.debit for entry in entries), ZERO)


def by_account(entries: Iterable[VoucherEntry]) -> dict[int, tuple[Decimal, Decimal]]:
    """Debit and credit of each account."""
    found: dict[int, tuple[Decimal, Decimal]] = {}
    for entry in entries:
        debit, credit = found.get(entry.account_id, (ZERO, ZERO))
        found[entry.account_id] = debit + entry.debit, credit + entry.credit
    return found


def _unbalanced(entries: Sequence[VoucherEntry]) -> list[str]:
    debit, credit = total_of(entries), sum((entry.credit for entry in entries), ZERO)
    if debit == credit:
        return []
    difference = f"借方合计 {format_money(debit)}，贷方合计 {format_money(credit)}，相差 {format_money(debit - credit)}"
    return [f"借贷不平：{difference}"]


def _entry(ctx: Ctx, line: Line, number: int, memo: str) -> tuple[VoucherEntry, list[str]]:
    errors = _amount_errors(line)
    keys, unknown = _auxiliary_keys(ctx, line)
    errors += unknown
    text = (line.memo or memo).strip()
    if len(text) > MEMO_MAX:
        errors.append(f"摘要超过{MEMO_MAX}个字")
    entry = VoucherEntry(
        line_no=number,
        account_id=line.account_id,
        memo=text,
        debit=line.debit,
        credit=line.credit,
        customer_id=line.customer_id,
        project_id=line.project_id,
        bank_id=line.bank_id,
        department_id=line.department_id,
        cash_flow=line.cash_flow,
        auxiliary_keys=keys,
    )
    return entry, errors


def _amount_errors(line: Line) -> list[str]:
    errors = []
    for side, amount in (("借方", line.debit), ("贷方", line.credit)):
        if not amount.is_finite() or abs(amount) > MONEY_MAX:
            errors.append(f"{side}金额超过上限 {format_money(MONEY_MAX)}")
        elif round_money(amount) != amount:
            errors.append(f"{side}金额最多两位小数")
    if not errors and (line.debit == 0) == (line.credit == 0):
        errors.append("借方和贷方金额须填且只填一个")
    return errors


def _account_errors(
    ctx: Ctx,
    account: Account | None,
    line: Line | VoucherEntry,
    *,
    is_reversal: bool,
    kind: VoucherKind,
) -> list[str]:
    if account is None:
        return ["会计科目不存在"]
    if not account.is_leaf:
        return [f"科目“{account}”不是末级科目，请选择它的下级"]
    if is_reversal:
        return []
    if not account.is_active:
        return [f"科目“{account}”已停用"]
    if kind is VoucherKind.ORDINARY and is_at(account.code, PROFIT):
        return [
            f"科目“{account}”由月末结转损益和年结登记，不能填制凭证；以前年度损益请记入利润分配"
        ]
    lax = kind is VoucherKind.OPENING
    return [
        f"科目“{account}”须填写{label}"
        for name, (_, flag, label) in AUXILIARIES.items()
        if getattr(account, flag)
        and getattr(line, name) is None
        and not (_may_lack(name, lax=lax) or _stands_without(ctx, line, name))
    ]


def _may_lack(name: str, *, lax: bool) -> bool:
    return lax and name != "customer_id"


def _stands_without(ctx: Ctx, line: Line | VoucherEntry, name: str) -> bool:
    """Whether an opening balance (of this customer) stands on the account without this auxiliary: it moves so, too."""
    query = (
        select(VoucherEntry.id)
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .where(
            Voucher.kind == VoucherKind.OPENING,
            VoucherEntry.account_id == line.account_id,
            VoucherEntry.customer_id == line.customer_id
            if line.customer_id
            else VoucherEntry.customer_id.is_(None),
            getattr(VoucherEntry, name).is_(None),
        )
    )
    return ctx.session.scalar(query.limit(1)) is not None


def _auxiliary_keys(ctx: Ctx, line: Line) -> tuple[str, list[str]]:
    """Natural keys of a line's auxiliaries ('客户=KH0001;项目=DB2026-0001'), and errors for those that do not exist."""
    parts, errors = [], []
    for name, (table, _, label) in AUXILIARIES.items():
        value = getattr(line, name)
        if value is None:
            continue
        record = ctx.session.get(entity_of(table), value)
        if record is None:
            errors.append(f"所选{label}不存在")
        else:
            parts.append(f"{label}={natural_key(record)}")
    return ";".join(parts), errors


def natural_key(record: Entity) -> str:
    """What people call a record by for good: its number or code, else its title."""
    return str(getattr(record, "number", None) or getattr(record, "code", None) or record)
