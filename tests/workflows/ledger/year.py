"""A company's books with the sample opening, for the stories of month-ends."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.ledger import Account, AccountingPeriod, Voucher
from models.system import SystemState
from tests.workflows.ledger.books import Books, open_books, yuan
from workflows.base import jobs
from workflows.base.context import Ctx
from workflows.ledger import closing, opening
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import Line

DATA = Path(__file__).resolve().parents[2] / "data"
NOW = datetime(2026, 12, 31, 9, 0, tzinfo=UTC)
TODAY = date(2026, 12, 31)
PERMISSIONS = {
    "voucher": ("add", "edit", "review", "sign", "post", "reverse", "void", "renumber", "unreview"),
    "accounting_period": ("close", "reopen", "provide"),
    "opening_import": ("load",),
    "business_event": ("book", "refuse", "unbook"),
}


def sample(name: str) -> tuple[str, bytes]:
    return name, (DATA / name).read_bytes()


BALANCES, AUXILIARIES = sample("opening_balances.xlsx"), sample("opening_auxiliaries.xlsx")


@dataclass
class Year:
    """The books of a year: `ctx` of a person, vouchers posted by the right people, month-ends."""

    books: Books
    session: Session

    def ctx(self, who: str = "bookkeeper", today: date = TODAY, *, without: tuple[str, str] | None = None) -> Ctx:
        person = self.books.people[who]
        permissions = {(f"can_{verb}", table) for table, verbs in PERMISSIONS.items() for verb in verbs}
        if without:
            permissions.discard((f"can_{without[0]}", without[1]))
        actor = Actor(person.id, person.name, scope=ScopeLevel.ALL, permissions=frozenset(permissions))
        return Ctx(self.session, actor, today, NOW)

    def account(self, code: str) -> int:
        return self.session.scalars(select(Account.id).where(Account.code == code)).one()

    def line(self, code: str, debit: str | int = 0, credit: str | int = 0, **more) -> Line:
        return Line(self.account(code), yuan(debit), yuan(credit), **more)

    def draft(self, day: date, *lines: Line, word: str = "journal") -> Voucher:
        return vouchers.create_draft(self.ctx("accountant"), date=day, word=word, memo="业务凭证", entries=lines)

    def post(self, day: date, *lines: Line, word: str = "journal") -> Voucher:
        made = self.draft(day, *lines, word=word)
        vouchers.review(self.ctx("reviewer"), made)
        if made.is_cash:
            vouchers.sign(self.ctx("cashier"), made)
        return vouchers.post(self.ctx("bookkeeper"), made)

    def wear(self, month: int, amount: str = "50000.00") -> Voucher:
        """The month's depreciation."""
        return self.post(
            last(month), self.line("6601.06", amount, department_id=self.books.department.id), self.line("1602", 0, amount)
        )

    def period(self, month: int, year: int = 2026) -> AccountingPeriod:
        return closing.prepare(self.ctx(), f"{year}-{month:02d}")

    def close(self, month: int):
        return closing.close(self.ctx(), self.period(month))


def last(month: int, year: int = 2026) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def begin(session: Session, *, with_opening: bool = True) -> Year:
    """The finance department with the sample opening loaded."""
    year = Year(open_books(session), session)
    if with_opening:
        opening.load_opening(year.ctx(), BALANCES, AUXILIARIES, create_customers=True)
    return year


def job_edge(engine: Engine) -> jobs.Edge:
    """Sessions of their own for a job, as the edge lends them."""
    return jobs.Edge(lambda: Session(engine, expire_on_commit=False), lambda: NOW)


def total(amounts) -> Decimal:
    return sum(amounts, Decimal(0))


def with_business_date(session: Session, on: date = TODAY) -> None:
    if session.get(SystemState, 1) is None:
        session.add(SystemState(id=1, business_date=on))
        session.flush()
