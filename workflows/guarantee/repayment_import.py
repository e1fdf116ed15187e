"""Repayments from the bank's Excel (4.5e, X3): columns found by name, every row's fault named, all rows or none.

The trial runs the very verb that registers a repayment and is taken back, so the preview says what the import will do.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import or_, select

from models.base.actor import ScopeLevel
from models.base.errors import BusinessError, Conflict
from models.base.money import format_money
from models.guarantee.drawdown import Drawdown
from models.guarantee.repayment import Repayment, RepaymentSource, RepaymentState
from reports.base.scope import scoped
from workflows.base.context import Ctx
from workflows.base.sheet_mapping import remembered
from workflows.base.transition import acting, permit
from workflows.guarantee.plan_import import PlanError, RowError
from workflows.guarantee.repayment import ACTS, Paid, record, reverse
from workflows.guarantee.repayment_sheets import COLUMNS, KIND, ImportRow, Statement, read_statement

Key = tuple[int, date, Decimal, Decimal]
_REVERSED_BY_BANK: Final = "银行冲正"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a row: registered, known already, left out, or refused with `problem`."""

    row: ImportRow
    label: str
    customer: str = ""
    balance_after: Decimal | None = None
    problem: RowError | None = None
    extra_interest: Decimal = Decimal(0)
    bank: str = ""


class Outcomes(list[Outcome]):
    """All rows of a file, with what was not read of it."""

    notices: Sequence[str] = ()

    @property
    def banks(self) -> dict[str, int]:
        """How many rows belong to the loans of each bank."""
        return dict(Counter(outcome.bank for outcome in self if outcome.bank))

    @property
    def unknown(self) -> int:
        """How many rows name a loan that nobody knows here."""
        return sum(outcome.label == "有误" and not outcome.bank for outcome in self)

    @property
    def questions(self) -> list[str]:
        """What must be answered before an import: rows of another bank, rows of loans that are not ours."""
        found = []
        if len(self.banks) > 1:
            found.append(
                "文件中有几家银行的借据："
                + "、".join(f"{name} {n} 行" for name, n in self.banks.items())
            )
        if self.unknown and self.banks:
            found.append(f"{self.unknown} 行的借据号系统中没有，可能属于别的担保机构或别的银行")
        return found


def preview(ctx: Ctx, data: bytes, filename: str) -> Outcomes:
    """What an import of the file would do, row by row in the order of the file; nothing is kept.

    Raises WorkbookError for a file that cannot be opened, PlanError naming the rows that cannot be read.
    """
    permit(ctx, ACTS["import"])
    ctx = acting(ctx, ACTS["import"])
    statement = read_statement(data, filename, remembered(ctx.session, KIND))
    trial = ctx.session.begin_nested()
    try:
        found = Outcomes(
            sorted(_apply(ctx, statement, filename), key=lambda outcome: outcome.row.row_no)
        )
    finally:
        trial.rollback()
        ctx.session.expire_all()
    found.notices = statement.notices
    return found


def import_file(ctx: Ctx, data: bytes, filename: str, *, answered: bool = False) -> Outcomes:
    """Register every repayment of the file that is not registered yet; `answered` when its questions were put.

    Raises PlanError naming all rows that are refused; then none is registered (the edge rolls back). Rows beyond the
    actor's scope are left out, and once it was asked those whose loan nobody knows here.
    """
    permit(ctx, ACTS["import"])
    ctx = acting(ctx, ACTS["import"])
    statement = read_statement(data, filename, remembered(ctx.session, KIND))
    found = Outcomes(_apply(ctx, statement, filename))
    wrong = [
        o.problem
        for o in found
        if o.problem and o.label == "有误" and not (answered and not o.bank)
    ]
    if wrong:
        raise PlanError(wrong)
    if found.questions and not answered:
        raise Conflict("；".join(found.questions) + "。请重新上传，在预览中确认后再导入")
    return found


def parse(data: bytes, filename: str) -> list[ImportRow]:
    """The rows of the one table of repayments; raises PlanError with every fault of the file."""
    return read_statement(data, filename).rows


def _apply(ctx: Ctx, statement: Statement, filename: str) -> list[Outcome]:
    """Register row by row in the order of payment; a refused row is named and the next is tried."""
    return _Import(_reaching(ctx), statement, filename).run()


def _reaching(ctx: Ctx) -> Ctx:
    """Who may import a bank's whole file registers for every loan in it, whatever else they see."""
    if not ctx.actor.may("import_bank", "repayment"):
        return ctx
    return replace(ctx, actor=replace(ctx.actor, scope=ScopeLevel.ALL))


class _Import:
    """Takes the rows of one file to the loans."""

    def __init__(self, ctx: Ctx, statement: Statement, filename: str) -> None:
        self.ctx, self.names, self.filename = ctx, statement.names, filename
        self.rows = sorted(statement.rows, key=lambda row: (row.paid_on, row.row_no))
        self.loans, self.visible = _loans(ctx, {row.note_no for row in self.rows})
        self.pairs = _pairs(self.rows)
        self.seen: Counter[Key] = Counter()
        self.undone: Counter[Key] = Counter()

    def run(self) -> list[Outcome]:
        """All rows; what the bank took back in the same file after what stands, so that nothing is taken twice."""
        stands = [
            row
            for row in self.rows
            if row.row_no not in self.pairs and row not in self.pairs.values()
        ]
        taken_back = [row for row in self.rows if row.row_no in self.pairs]
        found = [self._one(row) for row in stands]
        for row in taken_back:
            found += self._pair(row, self.pairs[row.row_no])
        return found

    def _one(self, row: ImportRow) -> Outcome:
        loan = self.loans.get(row.note_no)
        if loan is None:
            return self._refused(row, "note_no", "没有这个借据号，请核对；也可能是别的银行的借据")
        if loan.id not in self.visible:
            return self._refused(row, "note_no", "不在您的数据范围内，未导入", label="不在范围")
        if row.is_reversal:
            return self._reversal(row, loan)
        key = (loan.id, row.paid_on, row.principal, row.interest)
        if key not in self.seen:
            self.seen[key] = -len(_known(self.ctx, *key))
        self.seen[key] += 1
        # as many such payments as the file has so far are registered already
        if self.seen[key] <= 0:
            return self._outcome(row, "已登记", loan)
        return self._register(row, loan)

    def _pair(self, paid: ImportRow, back: ImportRow) -> list[Outcome]:
        """A repayment and its 冲正 in one file: what is registered of it is taken back, else neither counts."""
        loan = self.loans.get(paid.note_no)
        if loan is None or loan.id not in self.visible:
            return [self._one(paid), self._one(back)]
        key = (loan.id, paid.paid_on, paid.principal, paid.interest)
        if key not in self.seen:
            self.seen[key] = -len(_known(self.ctx, *key))
        if self.seen[key] < 0:
            self.seen[key] += 1
            return [
                self._outcome(paid, "已登记", loan),
                self._take_back(back, loan, _known(self.ctx, *key)[-1]),
            ]
        return [self._outcome(row, "对冲", loan) for row in (paid, back)]

    def _reversal(self, row: ImportRow, loan: Drawdown) -> Outcome:
        """冲正 of what an earlier file brought."""
        if row.principal > 0 or row.interest > 0:
            return self._refused(row, "principal", "本金与利息一正一负，请分行", loan=loan)
        query = select(Repayment).where(
            Repayment.drawdown_id == loan.id,
            Repayment.principal == -row.principal,
            Repayment.interest == -row.interest,
            Repayment.paid_on <= row.paid_on,
        )
        same = list(self.ctx.session.scalars(query.order_by(Repayment.paid_on, Repayment.id)))
        key = (loan.id, row.paid_on, row.principal, row.interest)
        reason = f"{_REVERSED_BY_BANK} {row.paid_on}"
        if key not in self.undone:
            self.undone[key] = -sum(
                (paid.reversal_reason or "").startswith(reason) for paid in same
            )
        self.undone[key] += 1
        if self.undone[key] <= 0:
            return self._outcome(row, "已登记", loan)
        standing = [paid for paid in same if paid.state is RepaymentState.BOOKED]
        if not standing:
            message = "要冲正的还款没有登记过（借据、本金、利息须与原还款一致）"
            return self._refused(row, "principal", message, loan=loan)
        return self._take_back(row, loan, standing[-1])

    def _take_back(self, row: ImportRow, loan: Drawdown, paid: Repayment) -> Outcome:
        attempt = self.ctx.session.begin_nested()
        try:
            reverse(self.ctx, paid, f"{_REVERSED_BY_BANK} {row.paid_on}（{self.filename[-100:]}）")
        except BusinessError as error:
            attempt.rollback()
            return self._refused(row, "principal", error.message, loan=loan)
        attempt.commit()
        return self._outcome(row, "冲正", loan, balance_after=loan.balance)

    def _register(self, row: ImportRow, loan: Drawdown) -> Outcome:
        paid = Paid(
            row.paid_on,
            row.principal,
            row.interest,
            source=RepaymentSource.IMPORTED,
            file_name=self.filename[-200:],
            note=f"含罚息 {format_money(row.penalty)} 元" if row.penalty else None,
        )
        attempt = self.ctx.session.begin_nested()
        try:
            made = record(self.ctx, loan, paid)
        except BusinessError as error:
            attempt.rollback()
            field = next((name for name in error.field_errors if name in COLUMNS), "note_no")
            return self._refused(row, field, error.message, loan=loan)
        attempt.commit()
        extra, balance = made.extra_interest, made.balance_after
        return self._outcome(row, "新增", loan, balance_after=balance, extra_interest=extra)

    def _outcome(self, row: ImportRow, label: str, loan: Drawdown, **more: Any) -> Outcome:
        return Outcome(row, label, loan.project.customer.name, bank=loan.project.bank.name, **more)

    def _refused(
        self,
        row: ImportRow,
        field: str,
        message: str,
        *,
        label: str = "有误",
        loan: Drawdown | None = None,
    ) -> Outcome:
        problem = RowError(row.row_no, self.names.get(field, COLUMNS[field][0]), message)
        if loan is None:  # what is beyond the scope is not told
            return Outcome(row, label, problem=problem)
        return Outcome(
            row, label, loan.project.customer.name, problem=problem, bank=loan.project.bank.name
        )


def _pairs(rows: Sequence[ImportRow]) -> dict[int, ImportRow]:
    """For each repayment that the same file takes back the row that does, by the number of its row."""
    found: dict[int, ImportRow] = {}
    for at, row in enumerate(rows):
        if not row.is_reversal:
            continue
        before = [
            paid
            for paid in rows[:at]
            if paid.note_no == row.note_no
            and paid.row_no not in found
            and not paid.is_reversal
            and (paid.principal, paid.interest) == (-row.principal, -row.interest)
        ]
        if before:
            found[before[-1].row_no] = row
    return found


def _loans(ctx: Ctx, note_numbers: set[str]) -> tuple[dict[str, Drawdown], set[int]]:
    """Loans by the bank's number or ours, as the file names them, and which of them the actor may import for."""
    found: dict[str, Drawdown] = {}
    visible: set[int] = set()
    ordered = sorted(note_numbers)
    for first in range(0, len(ordered), 500):
        part = ordered[first : first + 500]
        query = select(Drawdown).where(
            or_(Drawdown.bank_note_no.in_(part), Drawdown.number.in_(part))
        )
        for loan in ctx.session.scalars(query.order_by(Drawdown.id)):
            found[loan.number] = found[loan.bank_note_no] = loan
        own = scoped(query, Drawdown, ctx.actor)
        visible |= {loan.id for loan in ctx.session.scalars(own)}
    return found, visible


def _known(
    ctx: Ctx, drawdown_id: int, paid_on: date, principal: Decimal, interest: Decimal
) -> list[Repayment]:
    """Such repayments that are registered and not taken back, oldest first."""
    query = select(Repayment).where(
        Repayment.drawdown_id == drawdown_id,
        Repayment.paid_on == paid_on,
        Repayment.principal == principal,
        Repayment.interest == interest,
        Repayment.state == RepaymentState.BOOKED,
    )
    return list(ctx.session.scalars(query.order_by(Repayment.id)))
