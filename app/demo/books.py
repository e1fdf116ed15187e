"""Plain vouchers of the demo company: the shareholders pay in, salaries and rent go out."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from app.demo.stage import Stage
from app.demo.story import ACCOUNTANT, CASHIER, CHIEF, POSTER
from models.customer import Customer
from models.ledger import Account, Voucher
from workflows.ledger import voucher
from workflows.ledger.entries import Line
from workflows.ledger.period import ensure_period

CAPITAL = Decimal("500000000.00")


def pay_in_capital(stage: Stage) -> None:
    """The shareholders pay in: without net assets no limit would allow any guarantee."""
    _write(stage, "receipt", "收到股东出资", ("1002", CAPITAL), ("4001", -CAPITAL))


def pay_expenses(stage: Stage, amount: Decimal) -> None:
    """Salaries and rent of a month."""
    _write(stage, "payment", "支付工资及房租", ("6601.01", amount), ("1002", -amount))


def _write(stage: Stage, word: str, memo: str, *lines: tuple[str, Decimal]) -> None:
    """A voucher written, reviewed, signed and posted by four people."""
    made = draft(stage, word, memo, *lines)
    voucher.review(stage.ctx(CHIEF), made, made.version)
    voucher.sign(stage.ctx(CASHIER), made, made.version)
    voucher.post(stage.ctx(POSTER), made, made.version)


def draft(
    stage: Stage, word: str, memo: str, *lines: tuple[str, Decimal], on: date | None = None,
    customer: Customer | None = None,
) -> Voucher:  # fmt: skip
    """A voucher as the accountant writes it; debits are positive, credits negative.

    `customer` stands on the lines of accounts that ask for one, the accountant's department on those that ask for that.
    """
    on = on or stage.today
    ensure_period(stage.ctx(), on)
    query = select(Account).where(Account.code.in_([code for code, _ in lines]))
    accounts = {account.code: account for account in stage.session.scalars(query)}
    department = stage.actor(ACCOUNTANT).department_id
    entries = [
        Line(account_id=accounts[code].id, memo=memo, debit=max(value, Decimal(0)), credit=max(-value, Decimal(0)),
             customer_id=customer.id if customer is not None and accounts[code].needs_customer else None,
             department_id=department if accounts[code].needs_department else None)
        for code, value in lines
    ]  # fmt: skip
    return voucher.create_draft(stage.ctx(ACCOUNTANT), date=on, word=word, memo=memo, entries=entries)
