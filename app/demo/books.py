"""Plain vouchers of the demo company: the shareholders pay in, salaries and rent go out."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from app.demo.stage import Stage
from app.demo.story import ACCOUNTANT, CASHIER, CHIEF, POSTER
from models.customer.customer import Customer
from models.ledger.account import Account
from models.ledger.asset_split import AssetRule, AssetSplit
from models.ledger.voucher import CashFlow, Voucher
from reports.figures.provisions import month_before
from workflows.base import records
from workflows.ledger import voucher
from workflows.ledger.entries import Line
from workflows.ledger.period import ensure_period

CAPITAL = Decimal("500000000.00")
FUND, BONDS = Decimal("30000000.00"), Decimal("50000000.00")


def pay_in_capital(stage: Stage) -> None:
    """The shareholders pay in: without net assets no limit would allow any guarantee."""
    lines = ("1002", CAPITAL), ("4001", -CAPITAL)
    _write(stage, "receipt", "收到股东出资", *lines, flow=CashFlow.CAPITAL_RECEIVED)


def invest(stage: Stage) -> None:
    """What is not needed for a while goes into a money fund and 国债."""
    for code, amount, memo in (("1101", FUND, "申购货币市场基金"), ("1501", BONDS, "购入国债")):
        lines = (code, amount), ("1002", -amount)
        _write(stage, "payment", memo, *lines, flow=CashFlow.INVESTMENT_PAID)


def class_assets(stage: Stage) -> None:
    """The evidence of classes for the last month that is closed and the present one."""
    present = f"{stage.today:%Y-%m}"
    ids = dict(stage.session.execute(select(Account.code, Account.id)).all())
    rows = (
        ("1101", AssetRule.MONEY_FUND, FUND, "江州货币市场基金 A 类，月末份额对账单"),
        ("1501", AssetRule.GOVERNMENT_BOND, BONDS, "2026 年记账式附息国债，中债登托管明细"),
    )
    for month in (month_before(present, 1), present):
        for code, rule, amount, evidence in rows:
            values = {
                "month": month,
                "account_id": ids[code],
                "rule": rule,
                "amount": amount,
                "evidence": evidence,
            }
            records.create(stage.ctx(CHIEF), AssetSplit, values)


def pay_expenses(stage: Stage, amount: Decimal) -> None:
    """Salaries and rent of a month."""
    lines = ("6601.01", amount), ("1002", -amount)
    _write(stage, "payment", "支付工资及房租", *lines, flow=CashFlow.STAFF_PAID)


def _write(stage: Stage, word: str, memo: str, *lines: tuple[str, Decimal], flow: CashFlow) -> None:
    """A voucher written, reviewed, signed and posted by four people."""
    made = draft(stage, word, memo, *lines, flow=flow)
    voucher.review(stage.ctx(CHIEF), made, made.version)
    voucher.sign(stage.ctx(CASHIER), made, made.version)
    voucher.post(stage.ctx(POSTER), made, made.version)


def draft(
    stage: Stage,
    word: str,
    memo: str,
    *lines: tuple[str, Decimal],
    on: date | None = None,
    customer: Customer | None = None,
    flow: CashFlow | None = None,
) -> Voucher:
    """A voucher as the accountant writes it; debits are positive, credits negative, `flow` says what cash is for.

    `customer` stands on the lines of accounts that ask for one, the accountant's department on those that ask for that.
    """
    on = on or stage.today
    ensure_period(stage.ctx(), on)
    query = select(Account).where(Account.code.in_([code for code, _ in lines]))
    accounts = {account.code: account for account in stage.session.scalars(query)}
    department = stage.actor(ACCOUNTANT).department_id
    entries = [
        Line(
            account_id=accounts[code].id,
            memo=memo,
            debit=max(value, Decimal(0)),
            credit=max(-value, Decimal(0)),
            customer_id=customer.id
            if customer is not None and accounts[code].needs_customer
            else None,
            department_id=department if accounts[code].needs_department else None,
            cash_flow=flow if accounts[code].is_cash_bank else None,
        )
        for code, value in lines
    ]
    return voucher.create_draft(
        stage.ctx(ACCOUNTANT), date=on, word=word, memo=memo, entries=entries
    )
