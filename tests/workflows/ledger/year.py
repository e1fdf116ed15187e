"""A company's books with the sample opening, for the stories of month-ends."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.base.moments import add_months
from models.guarantee.drawdown import Drawdown
from models.guarantee.product import FeeKind
from models.guarantee.project import ProjectState, Stage
from models.guarantee.repayment import Repayment, RepaymentSource
from models.guarantee.signing import Fee, FeeState
from models.ledger.account import Account, AccountingPeriod
from models.ledger.voucher import Voucher
from models.system.setup import Parameter
from reports.figures import parameters
from tests.workflows.ledger.books import Books, open_books, yuan
from workflows.base import audit, jobs
from workflows.base.context import Ctx
from workflows.ledger import closing, opening
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import Line
from workflows.ledger.period import ensure_period

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
    today: date = TODAY

    def ctx(
        self,
        who: str = "bookkeeper",
        today: date | None = None,
        *,
        without: tuple[str, str] | None = None,
    ) -> Ctx:
        person = self.books.people[who]
        permissions = {
            (f"can_{verb}", table) for table, verbs in PERMISSIONS.items() for verb in verbs
        }
        if without:
            permissions.discard((f"can_{without[0]}", without[1]))
        actor = Actor(
            person.id, person.name, scope=ScopeLevel.ALL, permissions=frozenset(permissions)
        )
        return Ctx(self.session, actor, today or self.today, NOW)

    def account(self, code: str) -> int:
        return self.session.scalars(select(Account.id).where(Account.code == code)).one()

    def line(self, code: str, debit: str | int = 0, credit: str | int = 0, **more) -> Line:
        return Line(self.account(code), yuan(debit), yuan(credit), **more)

    def draft(self, day: date, *lines: Line, word: str = "journal") -> Voucher:
        return vouchers.create_draft(
            self.ctx("accountant"), date=day, word=word, memo="业务凭证", entries=lines
        )

    def post(self, day: date, *lines: Line, word: str = "journal") -> Voucher:
        made = self.draft(day, *lines, word=word)
        vouchers.review(self.ctx("reviewer"), made)
        if made.is_cash:
            vouchers.sign(self.ctx("cashier"), made)
        return vouchers.post(self.ctx("bookkeeper"), made)

    def wear(self, month: int, amount: str = "50000.00") -> Voucher:
        """The month's depreciation."""
        return self.post(
            last(month),
            self.line("6601.06", amount, department_id=self.books.department.id),
            self.line("1602", 0, amount),
        )

    def period(self, month: int, year: int = 2026) -> AccountingPeriod:
        return ensure_period(self.ctx(), date(year, month, 1))

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


def edge_of(session: Session, now: datetime = NOW) -> jobs.Edge:
    """Sessions of their own for a job, on the connection of the test, which takes everything back at its end."""
    connection = session.connection()
    # the trail follows a job like anybody's work
    is_told = event.contains(session, "before_flush", audit._stamp)

    def open_session() -> Session:
        made = Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        if is_told:
            audit.install(made)
        return made

    return jobs.Edge(open_session, lambda: now)


def quarter(session: Session, first: date = date(2026, 1, 15), today: date = TODAY) -> Year:
    """A young company: capital 1 亿, and on its first day a loan of 500 万 for a year with a fee of 6 万 net."""
    year = Year(open_books(session), session, today)
    books, due_on = year.books, add_months(first, 12)
    year.post(
        first.replace(day=2), year.line("1002", "100000000"), year.line("4001", 0, "100000000")
    )
    project = books.project
    project.state, project.stage, project.balance = (
        ProjectState.IN_FORCE,
        Stage.IN_FORCE,
        yuan(5_000_000),
    )
    project.start_on, project.end_on = first, due_on
    fee = Fee(
        project_id=project.id,
        kind=FeeKind.GUARANTEE,
        rate_pct=Decimal("1.2"),
        vat_rate_pct=Decimal(6),
        amount=yuan(63600),
        vat_amount=yuan(3600),
        state=FeeState.BOOKED,
    )
    loan = Drawdown(
        number="JJ-T1",
        project_id=project.id,
        bank_note_no="B-T1",
        drawn_on=first,
        due_on=due_on,
        amount=yuan(5_000_000),
        balance=yuan(5_000_000),
        rate_annual_pct=Decimal("4.35"),
        repayment_method=project.repayment_method,
    )
    session.add_all([fee, loan])
    session.flush()
    of = {"customer_id": books.customer.id, "project_id": project.id}
    year.post(
        first,
        year.line("1122", 63600, **of),
        year.line("2203", 0, 60000, **of),
        year.line("2221.01.02", 0, 3600),
    )
    return year


def ordinary_month(year: Year, month: int) -> None:
    """Salaries of 10,000 and interest of 500."""
    year.post(
        last(month),
        year.line("6601.01", 10000, department_id=year.books.department.id),
        year.line("1002", 0, 10000),
    )
    year.post(last(month), year.line("1002", 500), year.line("6011", 0, 500))


def repay(session: Session, amount: int, on: date) -> None:
    """The borrower pays a part of the loan."""
    loan = session.scalars(select(Drawdown)).one()
    loan.balance -= yuan(amount)
    session.add(
        Repayment(
            number=f"HK-T{on:%m%d}",
            project_id=loan.project_id,
            drawdown_id=loan.id,
            paid_on=on,
            principal=yuan(amount),
            interest=yuan(0),
            balance_after=loan.balance,
            source=RepaymentSource.MANUAL,
        )
    )
    session.flush()


def set_parameter(session: Session, code: str, value: str) -> None:
    """The parameter from the first day on."""
    session.execute(update(Parameter).where(Parameter.code == code).values(value=value))
    parameters.forget(session)
