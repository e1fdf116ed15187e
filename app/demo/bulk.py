"""The large demos: month by month thousands of plain guarantees join the story, written in bulk.

They are as the verbs leave them in every figure that is kept or checked (`flask verify`), without papers and
approvals: applied for, booked, paid for, drawn. Repaying is for bulk_repaying.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, text

from app.demo.bulk_books import Books, Numbers, Of, Rows
from app.demo.bulk_repaying import OWN, Repaying
from app.demo.bulk_rows import PURPOSES, TRADES, company
from app.demo.people import ACCOUNT_MANAGERS
from app.demo.stage import Stage, workday
from app.demo.story import post_vouchers
from models.base.entity import Entity
from models.base.moments import add_months
from models.base.money import round_money
from models.customer.customer import CorporateCustomer, Customer
from models.guarantee.bank import BankStatus, PartnerBank
from models.guarantee.drawdown import Drawdown, DrawdownState, Instalment, PlanSource, RepaymentPlan
from models.guarantee.product import (
    DayCount,
    FeeKind,
    FeePayment,
    GuaranteeKind,
    Product,
    ProductAudience,
    RepaymentMethod,
)
from models.guarantee.project import Project, ProjectStage, ProjectState, SmallKind
from models.guarantee.project import Stage as Place
from models.guarantee.signing import Fee, FeeDue, FeeState, Receipt, ReceiptState
from models.ledger.account import ZERO, AccountingPeriod
from models.ledger.closing import IncomeRecognition, IncomeSchedule, ScheduleSource
from models.ledger.voucher import CashFlow, VoucherKind
from reports.figures.fees import vat_inside

CHUNK = 1_000  # projects whose rows are in memory at once
SHARES = 333  # of one recognition voucher, as the month-end writes them
BOOKED_SHARE = 0.84  # of all applications; twelve entries each
VAT, FEE_PCT, RATE_PCT, HANDLING = Decimal(6), Decimal("1.5"), Decimal("4.35"), Decimal("2000.00")
NO_LONGER_PAID = 0.012
CAPITAL_FOR = 10_000  # guarantees that another round of capital carries within the legal multiple
BANKS = ("江州银行", "东海银行", "华江银行", "通达银行", "长河银行", "九州银行")
MASTERS: tuple[type[Entity], ...] = (
    Customer,
    CorporateCustomer,
    Project,
    ProjectStage,
    Fee,
    FeeDue,
    Receipt,
    Drawdown,
    RepaymentPlan,
    Instalment,
)


def load_days(start: date, as_of: date) -> list[date]:
    """The days on which the story is joined: late in each month, the last one some days before the demo's date."""
    found, month = [], start.replace(day=1)
    while month <= as_of:
        day = min(workday(month.replace(day=24)), _workday_before(as_of - timedelta(days=4)))
        if day > max(month, start):
            found.append(day)
        month = (month + timedelta(days=32)).replace(day=1)
    return found


def _workday_before(day: date) -> date:
    return day - timedelta(days=max(day.weekday() - 4, 0))


@dataclass(frozen=True)
class Deal:
    """One guarantee in short."""

    of: Of
    amount: Decimal
    months: int
    begin: date
    customer: str


class Bulk:
    """Makes the rows of a month."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.random = random.Random(stage.random.random())  # noqa: S311 - repeatable data, no secret
        self.rows, self.numbers = Rows(stage.session), Numbers(stage.session)
        self.repaying = Repaying(stage)
        self.known: list[tuple[int, str, str]] = []
        self.staff: list[tuple[int, int]] = []
        self.chunks = 0

    def months(self, count: int) -> Iterator[int]:
        """The scene: `count` projects in equal parts over the months; the days until the next part."""
        stage, start = self.stage, self.stage.today
        days = load_days(start, stage.as_of)
        for number, day in enumerate(days):
            yield (day - stage.today).days
            post_vouchers(stage)  # whoever came first is posted first
            part = count * (number + 1) // len(days) - count * number // len(days)
            self.load(max(day.replace(day=1), start), day, part)
            stage.say(f"{day:%Y-%m}：批量装入项目 {part:,} 个（{number + 1}/{len(days)}）")

    def _prepare(self) -> None:
        session = self.stage.session
        session.flush()
        actors = [self.stage.actor(name) for name in ACCOUNT_MANAGERS]
        self.staff = [(actor.employee_id or 0, actor.department_id or 0) for actor in actors]
        self.products = list(
            session.execute(
                select(Product.id, Product.guarantee_kind)
                .where(
                    Product.guarantee_kind == GuaranteeKind.LOAN,
                    Product.audience != ProductAudience.PERSONAL,
                )
                .order_by(Product.id)
            )
        )
        self.banks = []
        for index, name in enumerate(BANKS):
            key = self.rows.new_id(PartnerBank)
            row = {
                "id": key,
                "code": f"P{index + 1:02d}",
                "name": f"{name}江州分行",
                "short_name": name,
                "status": BankStatus.ACTIVE,
                "share_pct": Decimal(20),
            }
            session.execute(insert(PartnerBank.__table__), [row])
            self.banks.append(key)

    def load(self, first: date, last: date, count: int) -> None:
        """Write `count` projects whose guarantees begin within these days of one month."""
        if not self.staff:
            self._prepare()
        self.stage.session.flush()
        books = Books(self.stage, self.rows, self.numbers, last)
        for start in range(0, count, CHUNK):
            recognised: list[tuple[Deal, int, Decimal]] = []
            for _ in range(min(CHUNK, count - start)):
                self._project(books, first, last, recognised)
            self.rows.write(*MASTERS)
            self._recognise(books, last, recognised)
            books.write()
            self.rows.write(IncomeSchedule, IncomeRecognition)
            self._learn()
        books.close()
        self.numbers.keep()
        self.rows.release_ids()
        # What was read before does not know of rows and counters written beside the session.
        self.stage.session.expire_all()

    def _learn(self) -> None:
        """Let PostgreSQL count the tables whenever they have doubled: nobody else sees the rows of this transaction."""
        self.chunks += 1
        is_doubled = self.chunks & (self.chunks - 1) == 0
        if is_doubled and self.stage.session.get_bind().dialect.name == "postgresql":
            self.stage.session.execute(text("ANALYZE"))

    def _customer(self) -> tuple[int, str, str]:
        """Every second guarantee is for a customer who is known already."""
        if self.known and self.random.random() < 0.5:
            return self.random.choice(self.known)
        key, number = self.rows.new_id(Customer), f"KH{self.numbers.next('customer'):06d}"
        base, own = company(
            self.random, key, number, self.staff, self.stage.as_of + timedelta(days=1)
        )
        self.rows.add(Customer, base)
        self.rows.add(CorporateCustomer, own)
        self.known.append((key, number, base["name"]))
        return self.known[-1]

    def _project(
        self, books: Books, first: date, last: date, recognised: list[tuple[Deal, int, Decimal]]
    ) -> None:
        rng, key = self.random, self.rows.new_id(Project)
        begin = first + timedelta(days=rng.randrange((last - first).days + 1))
        applied = begin - timedelta(days=rng.randrange(10, 40))
        number = f"DB{applied:%Y}-{self.numbers.next('project', f'{applied:%Y}'):04d}"
        customer_id, customer_number, name = self._customer()
        manager, department = rng.choice(self.staff)
        of = Of(
            customer_id,
            customer_number,
            key,
            project_number=number,
            bank_id=rng.choice(self.banks),
            department_id=department,
        )
        amount, term = Decimal(rng.randrange(5, 60)) * 10_000, rng.choice((3, 6, 6, 12, 12, 12))
        deal = Deal(of, amount, term, begin, name)
        facts = self._facts(deal, manager, applied)
        if rng.random() < BOOKED_SHARE:
            self._loan(deal)
            state, place, since = ProjectState.IN_FORCE, Place.IN_FORCE, begin
            facts |= {"start_on": begin, "end_on": add_months(begin, term), "balance": amount}
            recognised.append((deal, *self._fees(books, deal)))
        else:
            waits = (self.stage.as_of - applied).days < 60
            state, place = (
                (ProjectState.RUNNING, Place.EVALUATE)
                if waits
                else (ProjectState.REFUSED, Place.REVIEW)
            )
            since = begin
            facts |= {"start_on": None, "end_on": None, "balance": ZERO}
        self.rows.add(Project, {**facts, "state": state, "stage": place, "stage_since": since})
        is_live = state is not ProjectState.REFUSED
        self.rows.add(
            ProjectStage,
            {
                "project_id": key,
                "stage": place,
                "entered_on": since,
                "left_on": None if is_live else since,
                "done_by_id": None if is_live else manager,
                "outcome": "" if is_live else state.label,
            },
        )

    def _facts(self, deal: Deal, manager: int, applied: date) -> dict[str, Any]:
        rng = self.random
        product, kind = rng.choice(self.products)
        code, purpose = rng.choice(PURPOSES)
        return {
            "id": deal.of.project_id,
            "number": deal.of.project_number,
            "customer_id": deal.of.customer_id,
            "product_id": product,
            "guarantee_kind": kind,
            "bank_id": deal.of.bank_id,
            "amount": deal.amount,
            "term_months": deal.months,
            "purpose": code,
            "purpose_note": f"{purpose}，{rng.choice(TRADES)}业务",
            "rate_annual_pct": RATE_PCT,
            "repayment_method": self._method(deal),
            "fee_rate_pct": FEE_PCT,
            "bank_share_pct": Decimal(20),
            "small_kind": SmallKind.SMALL,
            "manager_id": manager,
            "counter_offer": "厂房抵押及法定代表人个人连带责任保证",
            "assistant_id": rng.choice(self.staff)[0],
            "department_id": deal.of.department_id,
            "applied_on": applied,
        }

    @staticmethod
    def _method(deal: Deal) -> RepaymentMethod:
        return RepaymentMethod.BULLET if deal.months == 3 else RepaymentMethod.EQUAL_PRINCIPAL

    def _fees(self, books: Books, deal: Deal) -> tuple[int, Decimal]:
        """担保费 and 手续费, registered and collected on the day the guarantee begins; the first one's id and net."""
        fee = round_money(deal.amount * FEE_PCT * deal.months / 1200)
        found = [
            self._fee(books, deal, FeeKind.GUARANTEE, fee, "2203"),
            self._fee(books, deal, FeeKind.HANDLING, HANDLING, "6021"),
        ]
        return found[0]

    def _fee(
        self, books: Books, deal: Deal, kind: FeeKind, gross: Decimal, account: str
    ) -> tuple[int, Decimal]:
        key, receipt, on, of = self.rows.new_id(Fee), self.rows.new_id(Receipt), deal.begin, deal.of
        tax = vat_inside(gross, VAT)
        is_rated = kind is FeeKind.GUARANTEE
        self.rows.add(
            Fee,
            {
                "id": key,
                "project_id": of.project_id,
                "kind": kind,
                "payment": FeePayment.ONE_OFF,
                "rate_pct": FEE_PCT if is_rated else ZERO,
                "is_rate_annual": is_rated,
                "vat_rate_pct": VAT,
                "fixed_amount": None if is_rated else gross,
                "amount": gross,
                "vat_amount": tax,
                "collected_amount": gross,
                "waived_amount": ZERO,
                "state": FeeState.BOOKED,
            },
        )
        self.rows.add(
            FeeDue,
            {"fee_id": key, "seq": 1, "due_on": on, "amount": gross, "settled_amount": gross},
        )
        number = f"SJ{on:%Y}-{self.numbers.next('receipt', f'{on:%Y}'):06d}"
        self.rows.add(
            Receipt,
            {
                "id": receipt,
                "number": number,
                "project_id": of.project_id,
                "fee_id": key,
                "received_on": on,
                "amount": gross,
                "payer": deal.customer,
                "bank_reference": f"{on:%Y%m%d}{receipt:08d}",
                "state": ReceiptState.BOOKED,
            },
        )
        amounts = {"gross": gross, "deferred" if is_rated else "earned": gross - tax, "tax": tax}
        self._book_fee(books, deal, (key, kind, account), (receipt, number), amounts)
        return key, gross - tax

    def _book_fee(
        self,
        books: Books,
        deal: Deal,
        fee: tuple[int, FeeKind, str],
        receipt: tuple[int, str],
        amounts: dict[str, Decimal],
    ) -> None:
        """The receivable and what came in for it: two events, two vouchers."""
        on, of, gross, tax = deal.begin, deal.of, amounts["gross"], amounts["tax"]
        (key, kind, account), (receipt_id, number) = fee, receipt
        name = f"{deal.customer}{of.project_number}"
        event = books.event("fee.registered", ("fee", key), of, amounts, on, f"登记{kind.label}")
        books.voucher(
            "transfer",
            on,
            f"登记{name}应收费用",
            [
                ("1122", gross, of, None),
                (account, tax - gross, of, None),
                ("2221.01.02", -tax, of, None),
            ],
            event_id=event,
        )
        memo = f"收{kind.label}，收据 {number}"
        event = books.event(
            "fee.collected", ("receipt", receipt_id), of, {"amount": gross}, on, memo
        )
        books.voucher(
            "receipt",
            on,
            f"收{name}费用",
            [
                ("1002", gross, None, CashFlow.FEE_RECEIVED),
                ("1122", -gross, of, None),
            ],
            event_id=event,
        )

    def _recognise(self, books: Books, on: date, shares: list[tuple[Deal, int, Decimal]]) -> None:
        """The first year's fee is income once the guarantee has begun; none of these runs for longer."""
        period: AccountingPeriod = books.period
        for start in range(0, len(shares), SHARES):
            part = shares[start : start + SHARES]
            entries: list[Any] = []
            for deal, _, net in part:
                entries += [("2203", net, deal.of, None), ("6031", -net, deal.of, None)]
            memo = f"确认 {period.code} 担保费收入"
            voucher = books.voucher("transfer", on, memo, entries, kind=VoucherKind.RECOGNITION)
            for deal, fee_id, net in part:
                key = self.rows.new_id(IncomeSchedule)
                self.rows.add(
                    IncomeSchedule,
                    {
                        "id": key,
                        "source": ScheduleSource.FEE,
                        "customer_id": deal.of.customer_id,
                        "project_id": deal.of.project_id,
                        "fee_id": fee_id,
                        "starts_on": deal.begin,
                        "ends_on": add_months(deal.begin, deal.months),
                        "spread_from": deal.begin,
                        "amount": net,
                        "recognised": net,
                    },
                )
                self.rows.add(
                    IncomeRecognition,
                    {
                        "income_schedule_id": key,
                        "period_id": period.id,
                        "amount": net,
                        "voucher_id": voucher,
                    },
                )

    def _loan(self, deal: Deal) -> None:
        """The loan with its plan by the quarter; what becomes of it is for `Repaying`."""
        key, plan = self.rows.new_id(Drawdown), self.rows.new_id(RepaymentPlan)
        parts = deal.months // 3
        share = round_money(deal.amount / parts)
        for seq in range(1, parts + 1):
            self.rows.add(
                Instalment,
                {
                    "repayment_plan_id": plan,
                    "seq": seq,
                    "due_on": add_months(deal.begin, 3 * seq),
                    "principal": share if seq < parts else deal.amount - share * (parts - 1),
                    "interest": round_money((deal.amount - share * (seq - 1)) * RATE_PCT / 400),
                },
            )
        self.rows.add(
            Drawdown,
            {
                "id": key,
                "number": f"JJ{deal.begin:%Y}-{self.numbers.next('drawdown', f'{deal.begin:%Y}'):05d}",
                "project_id": deal.of.project_id,
                "bank_note_no": f"{OWN}{deal.begin:%Y%m%d}{key:07d}",
                "drawn_on": deal.begin,
                "due_on": add_months(deal.begin, deal.months),
                "amount": deal.amount,
                "balance": deal.amount,
                "rate_annual_pct": RATE_PCT,
                "repayment_method": self._method(deal),
                "day_count": DayCount.THIRTY_360,
                "state": DrawdownState.ACTIVE,
            },
        )
        self.rows.add(
            RepaymentPlan,
            {
                "id": plan,
                "drawdown_id": key,
                "plan_no": 1,
                "source": PlanSource.IMPORTED,
                "is_current": True,
                "made_on": deal.begin,
            },
        )
        if self.random.random() < NO_LONGER_PAID:
            self.repaying.stops[key] = self.random.randrange(1, 3)
