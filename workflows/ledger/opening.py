"""期初余额 (8.6): the old books' balances become one posted voucher in the month before the first, or nothing does.

A preview says for every row what is wrong; loading the same content again changes nothing.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import or_, select, update

from models.base.actor import SYSTEM
from models.base.errors import Conflict, FieldErrors
from models.base.moments import add_months, last_day
from models.base.money import format_money
from models.customer.customer import CorporateCustomer, PersonalCustomer
from models.ledger.account import ZERO, Account, AccountingPeriod, Direction, PeriodState
from models.ledger.closing import IncomeSchedule, OpeningImport, ScheduleSource
from models.ledger.rule import PostingRuleLine
from models.ledger.voucher import Voucher, VoucherKind
from reports.figures.parameters import value
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.sheet_mapping import remembered
from workflows.base.transition import Step, move, steps, verbs
from workflows.ledger import voucher
from workflows.ledger.entries import Line
from workflows.ledger.income_history import estimate
from workflows.ledger.opening_replaced import take_back, why_not_replaced
from workflows.ledger.opening_sheets import (
    AUXILIARIES,
    BALANCES,
    AuxiliaryLine,
    BalanceLine,
    BalanceSheet,
    RowError,
    read_auxiliaries,
    read_balances,
)
from workflows.ledger.opening_year import ASKED, YearFigures
from workflows.ledger.period import ensure_period

CLOSE = steps(
    Step(
        "accounting_period",
        "load",
        "装入期初余额",
        column="state",
        sources=(PeriodState.OPEN,),
        targets=(PeriodState.CLOSED,),
        follows=True,
    ),
)
verbs("opening_import", {"load": "装入期初余额"})
DEFERRED = "2203"
SHOWN = 20  # errors in one message
File = tuple[str, bytes]


@dataclass
class OpeningPlan:
    """What loading would do: shown before, done after."""

    file_name: str
    auxiliary_file_name: str
    sheet: BalanceSheet
    parts: list[AuxiliaryLine]
    errors: list[RowError] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    new_accounts: list[BalanceLine] = field(default_factory=list)
    # file's code -> its line, code loaded to
    leaves: dict[str, tuple[BalanceLine, str]] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)  # 统一社会信用代码 -> id
    new_customers: dict[str, str] = field(default_factory=dict)  # 统一社会信用代码 -> name

    @property
    def digest(self) -> str:
        """Of the rows as read."""
        rows: list[object] = [self.sheet.period]
        rows += [
            [astuple(line) for line in self.sheet.lines],
            [astuple(part) for part in self.parts],
        ]
        if self.sheet.years:
            rows.append({code: astuple(year) for code, year in self.sheet.years.items()})
        return hashlib.sha256(
            json.dumps(rows, ensure_ascii=False, default=str).encode()
        ).hexdigest()

    @property
    def total(self) -> Decimal:
        """Debit side of the leaves, in 元."""
        return sum((max(line.amount, ZERO) for line, _ in self.leaves.values()), ZERO)

    @property
    def years(self) -> dict[str, YearFigures]:
        """What the old books did this year, by the code that is loaded to."""
        found: dict[str, YearFigures] = {}
        for code, (_, target) in self.leaves.items():
            if (year := self.sheet.years.get(code)) is not None:
                found[target] = found[target] + year if target in found else year
        return found

    def wrong(self, row: int, message: str, *, in_auxiliaries: bool = False) -> None:
        """Note an error of a row (0: of the file)."""
        name = self.auxiliary_file_name if in_auxiliaries else self.file_name
        self.errors.append(RowError(name, row, message))


def preview_opening(
    ctx: Ctx, balances: File, auxiliaries: File | None = None, *, create_customers: bool = False
) -> OpeningPlan:
    """Read both files and check everything; nothing is written. Raises WorkbookError for files that are none."""
    ctx.require("load", "opening_import", "装入期初余额")
    accounts = {a.code: a for a in ctx.session.scalars(select(Account))}
    sheet, errors = read_balances(balances[1], balances[0], remembered(ctx.session, BALANCES))
    parts: list[AuxiliaryLine] = []
    if auxiliaries is not None:
        parts, more = read_auxiliaries(
            auxiliaries[1],
            auxiliaries[0],
            remembered(ctx.session, AUXILIARIES),
            lambda code: _is_debit(accounts, code),
        )
        errors += more
    plan = OpeningPlan(
        balances[0][:200], auxiliaries[0][:200] if auxiliaries else "", sheet, parts, errors
    )
    plan.notices += sheet.notices
    if sheet.is_opening and sheet.stated:
        plan.notices.append(f"文件是 {sheet.stated} 的期初余额，按 {sheet.period} 的期末余额装入")
    _check_period(ctx, plan)
    _check_accounts(ctx, plan, accounts)
    _check_tree(plan)
    _check_totals(plan)
    _check_customers(ctx, plan, create_customers)
    _check_parts(plan, accounts)
    return plan


def load_opening(
    ctx: Ctx, balances: File, auxiliaries: File | None = None, *, create_customers: bool = False
) -> OpeningImport:
    """Load the opening, all or nothing; the same content a second time gives the first import back.

    Raises FieldErrors with every wrong row, Conflict when other balances are loaded or the books have moved.
    """
    ctx.require("load", "opening_import", "装入期初余额")
    known = ctx.session.scalars(select(OpeningImport)).one_or_none()
    plan = preview_opening(ctx, balances, auxiliaries, create_customers=create_customers)
    if known is not None:
        if known.digest == plan.digest:
            return known
        if why := why_not_replaced(ctx, known):
            raise Conflict(f"期初余额已由“{known.file_name}”装入 {known.period.code}，{why}")
    if plan.errors:
        more = [f"……共 {len(plan.errors)} 处错误"] if len(plan.errors) > SHOWN else []
        raise FieldErrors({"": [error.text for error in plan.errors[:SHOWN]] + more})
    if known is not None:
        take_back(ctx, known)
    return _apply(ctx, plan, known)


# ------------------------------------------------------------------------------------------------------------ checks
def _check_period(ctx: Ctx, plan: OpeningPlan) -> None:
    code = plan.sheet.period
    if not code:
        plan.wrong(0, "没有写明期间，请在表头上方注明，如“期间:2025年12月”")
        return
    if last_day(code) > ctx.today:
        plan.wrong(0, f"期间 {code} 晚于营业日期 {ctx.today}")
    known = ctx.session.scalars(select(OpeningImport)).one_or_none()
    if known is not None:
        if known.digest != plan.digest and not why_not_replaced(ctx, known):
            plan.notices.append(
                f"替换已装入的“{known.file_name}”（{known.period.code}），原期初凭证红字冲销"
            )
        return  # the same file again, a replacement, or a conflict that loading names
    moved = (
        select(AccountingPeriod.code)
        .where(
            or_(
                AccountingPeriod.state == PeriodState.CLOSED,
                AccountingPeriod.id.in_(select(Voucher.period_id)),
            ),
            AccountingPeriod.code <= code,
        )
        .order_by(AccountingPeriod.code)
    )
    if (found := ctx.session.scalar(moved.limit(1))) is not None:
        plan.wrong(0, f"期间 {found} 已有凭证或已结账，期初余额只能装入第一个期间之前")


def _check_accounts(  # noqa: C901 - one look at each row, in the order of precedence
    ctx: Ctx, plan: OpeningPlan, accounts: dict[str, Account]
) -> None:
    """Which account each row loads to, and which accounts are to be made."""
    wanted = dict(
        pair.strip().split("=", 1)
        for pair in value(ctx.session, "opening.leaf_codes", ctx.today)
        .replace("，", ",")
        .split(",")
        if "=" in pair
    )
    lines: dict[str, BalanceLine] = {}
    for line in plan.sheet.lines:
        if line.code in lines:
            plan.wrong(line.row, f"科目 {line.code} 重复，第 {lines[line.code].row} 行已有")
            continue
        lines[line.code] = line
    above = {code.rpartition(".")[0] for code in lines}
    made: set[str] = set()
    for code in sorted(lines):
        line, parent = lines[code], code.rpartition(".")[0]
        if code not in accounts:
            if not parent:
                plan.wrong(line.row, f"会计科目中没有一级科目 {code}，请先增加")
                continue
            if parent not in accounts and parent not in made:
                plan.wrong(line.row, f"科目 {code} 的上级 {parent} 不存在")
                continue
            if not line.name:
                plan.wrong(line.row, f"科目 {code} 要新增，但没有科目名称")
            made.add(code)
            plan.new_accounts.append(line)
        if code in above:
            continue  # its lower accounts carry the amount
        target = code
        if code in accounts and not accounts[code].is_leaf:
            target = wanted.get(code, "")
            if target not in accounts or not accounts[target].is_leaf:
                own = "、".join(c for c in sorted(accounts) if c.startswith(f"{code}."))
                plan.wrong(line.row, f"科目 {code} 有下级科目，请按下级给出余额：{own}")
                continue
            plan.notices.append(f"{code} {line.name} 的余额记到 {target} {accounts[target].name}")
        elif code in accounts and not accounts[code].is_active:
            plan.wrong(line.row, f"科目 {code} 已停用")
        plan.leaves[code] = (line, target)


def _check_tree(plan: OpeningPlan) -> None:
    """A row with rows below it states their sum."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in plan.sheet.lines:
        parent = line.code.rpartition(".")[0]
        if parent:
            sums[parent] += line.amount
    for line in plan.sheet.lines:
        if line.code in sums and sums[line.code] != line.amount:
            plan.wrong(
                line.row,
                f"科目 {line.code} 余额 {format_money(line.amount)} 与下级合计 {format_money(sums[line.code])} 不符，"
                f"相差 {format_money(line.amount - sums[line.code])}",
            )


def _check_totals(plan: OpeningPlan) -> None:
    """借方 = 贷方; what the file states as totals its reader has held against the rows."""
    net = sum((line.amount for line in plan.sheet.tops), ZERO)
    if net:
        plan.wrong(0, f"借贷不平：借方减贷方相差 {format_money(net)} 元，未装入")
    if not plan.sheet.years:
        if plan.sheet.period and not plan.sheet.period.endswith("-12"):
            plan.notices.append(ASKED)
        return
    start = sum(
        (
            plan.sheet.years[line.code].start
            for line in plan.sheet.tops
            if line.code in plan.sheet.years
        ),
        ZERO,
    )
    if start and not plan.errors:
        plan.wrong(0, f"年初余额借贷不平：借方减贷方相差 {format_money(start)} 元，未装入")


def _check_customers(ctx: Ctx, plan: OpeningPlan, create_customers: bool) -> None:
    names = {part.uscc: part.customer for part in plan.parts}
    corporate = select(CorporateCustomer.uscc, CorporateCustomer.id).where(
        CorporateCustomer.uscc.in_(names)
    )
    personal = select(PersonalCustomer.id_number, PersonalCustomer.id).where(
        PersonalCustomer.id_number.in_(names)
    )
    for query in (corporate, personal):
        plan.customers |= dict(ctx.session.execute(query).all())
    unknown = {uscc: name for uscc, name in names.items() if uscc not in plan.customers}
    if create_customers:
        plan.new_customers = unknown
        return
    for part in plan.parts:
        if part.uscc in unknown:
            plan.wrong(
                part.row,
                f"客户“{part.customer}”（{part.uscc}）不存在，请先登记客户，或选择自动建立客户",
                in_auxiliaries=True,
            )


def _check_parts(plan: OpeningPlan, accounts: dict[str, Account]) -> None:
    """The split of each account sums to it, and accounts that ask for customers have one."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for part in plan.parts:
        sums[part.code] += part.amount
        if part.code not in plan.leaves:
            plan.wrong(part.row, f"科目 {part.code} 不在余额表中，或不是末级", in_auxiliaries=True)
        if part.code.startswith(DEFERRED) and not _has_term(part):
            plan.wrong(
                part.row, "预收担保费须有起始日期和到期日期，且起始不晚于到期", in_auxiliaries=True
            )
    for code, (line, target) in plan.leaves.items():
        account = _nearest(accounts, target)
        own = line.amount if account.direction is Direction.DEBIT else -line.amount
        if code in sums and sums[code] != own:
            plan.wrong(
                0,
                f"科目 {code} 辅助余额合计 {format_money(sums[code])} 与科目余额 {format_money(own)} 不符，"
                f"相差 {format_money(sums[code] - own)}",
                in_auxiliaries=True,
            )
        elif code not in sums and account.needs_customer and own:
            plan.wrong(line.row, f"科目 {code} 要求客户核算，辅助余额表中没有它的客户明细")
        elif code not in sums and own and (account.needs_bank or account.needs_department):
            plan.notices.append(f"{code} {line.name} 没有辅助明细，按科目总额装入")


def _has_term(part: AuxiliaryLine) -> bool:
    return (
        part.starts_on is not None and part.ends_on is not None and part.starts_on <= part.ends_on
    )


def _is_debit(accounts: dict[str, Account], code: str) -> bool:
    """The own side of an account, or of the first level above it; of an unknown one nothing is loaded."""
    top = code.partition(".")[0]
    account = accounts.get(code) or accounts.get(top)
    return account is None or account.direction is Direction.DEBIT


def _nearest(accounts: dict[str, Account], code: str) -> Account:
    """The account itself, or for one to be made the account above it, whose facts it takes over."""
    while code not in accounts:
        code = code.rpartition(".")[0]
    return accounts[code]


# ------------------------------------------------------------------------------------------------------------- apply
def _apply(ctx: Ctx, plan: OpeningPlan, replaced: OpeningImport | None = None) -> OpeningImport:
    day = last_day(plan.sheet.period)
    with _as_system(ctx) as system:
        for line in plan.new_accounts:
            _make_account(system, line)
        for uscc, name in plan.new_customers.items():
            # Whoever loads looks after them until they are handed to their managers.
            known = {"name": name, "uscc": uscc, "manager_id": ctx.actor.employee_id}
            made = records.create(system, CorporateCustomer, known)
            plan.customers[uscc] = made.id
    accounts = {a.code: a for a in ctx.session.scalars(select(Account))}
    posted = voucher.write_posted(
        ctx,
        kind=VoucherKind.OPENING,
        date=day,
        memo=f"{plan.sheet.period} 期初余额",
        entries=_lines(plan, accounts),
    )
    period = ensure_period(ctx, day)
    _close_up_to(ctx, period)
    ensure_period(ctx, add_months(day.replace(day=1), 1))
    _make_schedules(ctx, plan, day)
    years = plan.years
    estimate(
        ctx,
        [(line, target) for line, target in plan.leaves.values()],
        years,
        plan.sheet.period,
        day,
    )
    kept = replaced or OpeningImport()
    kept.period, kept.voucher, kept.total, kept.digest = period, posted, posted.total, plan.digest
    kept.year_figures = {
        code: [f"{part:.2f}" for part in astuple(year)] for code, year in years.items()
    }
    kept.file_name, kept.auxiliary_file_name = plan.file_name, plan.auxiliary_file_name
    ctx.session.add(kept)
    ctx.session.flush()
    return kept


def _close_up_to(ctx: Ctx, period: AccountingPeriod) -> None:
    """The opening's month and all before it take no voucher: what happened there stands in the opening."""
    query = select(AccountingPeriod).where(
        AccountingPeriod.code <= period.code, AccountingPeriod.state == PeriodState.OPEN
    )
    for each in ctx.session.scalars(query.with_for_update()).all():
        move(CLOSE["load"], each)
        each.closed_at, each.closed_by_id = ctx.now, ctx.actor.employee_id


@contextmanager
def _as_system(ctx: Ctx) -> Iterator[Ctx]:
    """Make what the opening needs, whoever may load it: its own permission covers accounts and customers."""
    try:
        yield Ctx(session=ctx.session, actor=SYSTEM, today=ctx.today, now=ctx.now, source="import")
    finally:
        ctx.session.info["ctx"] = ctx


def _make_account(ctx: Ctx, line: BalanceLine) -> None:
    """A lower account with the facts of the one above; what 记账规则 wrote to that one goes to its first child."""
    parent = ctx.session.scalars(
        select(Account).where(Account.code == line.code.rpartition(".")[0])
    ).one()
    was_leaf = parent.is_leaf
    taken = (
        "category",
        "needs_customer",
        "needs_project",
        "needs_bank",
        "needs_department",
        "is_cash_bank",
        "asset_class",
        "asset_ratio_pct",
    )
    values = {name: getattr(parent, name) for name in taken}
    side = Direction.DEBIT if line.is_debit else Direction.CREDIT
    made = records.create(
        ctx,
        Account,
        {**values, "code": line.code, "name": line.name, "parent_id": parent.id, "direction": side},
    )
    if was_leaf:
        ctx.session.execute(
            update(PostingRuleLine)
            .where(PostingRuleLine.account_id == parent.id)
            .values(account_id=made.id)
        )


def _lines(plan: OpeningPlan, accounts: dict[str, Account]) -> list[Line]:
    lines: list[Line] = []
    split: dict[str, list[AuxiliaryLine]] = defaultdict(list)
    for part in plan.parts:
        split[part.code].append(part)
    for code, (line, target) in plan.leaves.items():
        account = accounts[target]
        sign = 1 if account.direction is Direction.DEBIT else -1
        if code in split:
            lines += [
                _line(account, sign * p.amount, plan.customers[p.uscc])
                for p in split[code]
                if p.amount
            ]
        elif line.amount:
            lines.append(_line(account, line.amount, None))
    return lines


def _line(account: Account, net: Decimal, customer_id: int | None) -> Line:
    """An entry on the account's own side; a balance on the wrong side goes there in red."""
    if account.direction is Direction.DEBIT:
        return Line(account.id, debit=net, customer_id=customer_id)
    return Line(account.id, credit=-net, customer_id=customer_id)


def _make_schedules(ctx: Ctx, plan: OpeningPlan, day: date) -> None:
    first = add_months(day.replace(day=1), 1)
    for part in plan.parts:
        if part.code.startswith(DEFERRED) and part.amount > 0:
            assert part.starts_on is not None
            assert part.ends_on is not None
            ctx.session.add(
                IncomeSchedule(
                    source=ScheduleSource.OPENING,
                    customer_id=plan.customers[part.uscc],
                    starts_on=part.starts_on,
                    ends_on=part.ends_on,
                    spread_from=max(first, part.starts_on),
                    amount=part.amount,
                    recognised=ZERO,
                )
            )
