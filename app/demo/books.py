"""Plain vouchers of the demo company: the shareholders pay in, salaries and rent go out."""

from decimal import Decimal

from sqlalchemy import select

from app.demo.stage import Stage
from app.demo.story import ACCOUNTANT, CASHIER, CHIEF, POSTER
from models.ledger import Account
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
    """A voucher written, reviewed, signed and posted by four people; debits are positive, credits negative."""
    ensure_period(stage.ctx(), stage.today)
    codes = select(Account.code, Account.id).where(Account.code.in_([code for code, _ in lines]))
    ids = dict(stage.session.execute(codes).all())
    entries = [
        Line(account_id=ids[code], memo=memo, debit=max(value, Decimal(0)), credit=max(-value, Decimal(0)),
             department_id=stage.actor(ACCOUNTANT).department_id if code.startswith("6601") else None)
        for code, value in lines
    ]  # fmt: skip
    draft = voucher.create_draft(stage.ctx(ACCOUNTANT), date=stage.today, word=word, memo=memo, entries=entries)
    voucher.review(stage.ctx(CHIEF), draft, draft.version)
    voucher.sign(stage.ctx(CASHIER), draft, draft.version)
    voucher.post(stage.ctx(POSTER), draft, draft.version)
