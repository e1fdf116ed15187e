"""报表公式 and months before the books: what makes no sense is refused at the field."""

import pytest
from sqlalchemy import select

from models.base.actor import SYSTEM
from models.base.errors import FieldErrors
from models.ledger.account import Account, Direction
from models.ledger.closing import IncomeHistory
from models.ledger.statement import RowSource, StatementAccount, StatementKind, StatementRow
from models.ledger.voucher import CashFlow
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import begin
from workflows.base import records


@pytest.fixture
def ctx(session):
    made = begin(session, with_opening=False).ctx()
    made.actor = SYSTEM
    return made


def row_of(session, number: int, kind=StatementKind.INCOME) -> StatementRow:
    query = select(StatementRow).where(
        StatementRow.statement == kind, StatementRow.row_no == number
    )
    return session.scalars(query).one()


def new_row(ctx, **more):
    values = {
        "statement": StatementKind.INCOME,
        "row_no": 41,
        "label": "每股收益",
        "side": Direction.CREDIT,
        "level": 0,
    }
    return records.create(ctx, StatementRow, {**values, **more})


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("40/2", "R行次"),
        ("R40R30", "R行次"),
        ("R40 R30", "R行次"),
        ("R40+R98+R99", "没有第 98、99 行"),
        ("R41", "引用本行"),
        ("R40-R41", "引用本行"),
    ],
)
def test_a_formula_that_makes_no_sense_is_refused(ctx, formula, wanted):
    with pytest.raises(FieldErrors, match=wanted) as refused:
        new_row(ctx, formula=formula)
    assert list(refused.value.field_errors) == ["formula"]


def test_a_formula_may_not_lead_back_over_other_rows(ctx, session):
    new_row(ctx, formula="R40 - R31")
    revenue = row_of(session, 1)
    with pytest.raises(FieldErrors, match="间接引用"):
        records.update(ctx, revenue, {"formula": "R2+R41"}, revenue.version)


def test_a_row_has_accounts_or_a_formula(ctx, session):
    premium = row_of(session, 2)
    with pytest.raises(FieldErrors, match="已对应科目"):
        records.update(ctx, premium, {"formula": "R3"}, premium.version)
    plain = new_row(ctx)
    records.update(ctx, plain, {"formula": "R40"}, plain.version)
    records.update(ctx, plain, {"label": "其他"}, plain.version)


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"cash_flow": CashFlow.TAX_PAID}, "cash_flow", "只用于现金流量表"),
        ({"takes": RowSource.UNTOLD_IN}, "takes", "只用于现金流量表"),
        ({"takes": RowSource.CAPITAL}, "takes", "只用于所有者权益变动表"),
        (
            {"statement": StatementKind.CASH_FLOW, "cash_flow": CashFlow.TAX_PAID},
            "cash_flow",
            "已由第 16 行“支付的各项税费”取数",
        ),
        (
            {"statement": StatementKind.EQUITY, "takes": RowSource.CAPITAL, "formula": "R1"},
            "formula",
            "不能再填公式",
        ),
        (
            {
                "statement": StatementKind.CASH_FLOW,
                "cash_flow": CashFlow.TAX_PAID,
                "takes": RowSource.UNTOLD_IN,
            },
            "takes",
            "只能选一个",
        ),
    ],
)
def test_a_source_belongs_to_one_row_of_its_statement(ctx, more, field, words):
    with pytest.raises(FieldErrors) as refused:
        new_row(ctx, **more)
    assert words in "".join(refused.value.field_errors[field])


def test_an_item_may_move_to_another_row(ctx, session):
    taxes = row_of(session, 16, StatementKind.CASH_FLOW)
    records.update(ctx, taxes, {"cash_flow": None}, taxes.version)
    made = new_row(ctx, statement=StatementKind.CASH_FLOW, cash_flow=CashFlow.TAX_PAID)
    assert made.cash_flow is CashFlow.TAX_PAID


def test_accounts_go_to_their_own_statement(ctx, session):
    claim = session.scalars(select(Account).where(Account.code == "1201.01")).one()
    profit = session.scalars(select(Account).where(Account.code == "6601.01")).one()
    with pytest.raises(FieldErrors, match="属于资产负债表"):
        records.create(
            ctx,
            StatementAccount,
            {"statement_row_id": row_of(session, 2).id, "account_id": claim.id},
        )
    total = {"statement_row_id": row_of(session, 40).id, "account_id": profit.id}
    with pytest.raises(FieldErrors, match="由公式计算"):
        records.create(ctx, StatementAccount, total)
    records.create(ctx, StatementAccount, {**total, "statement_row_id": row_of(session, 7).id})


def test_history_ends_where_the_books_begin(ctx, session):
    for month in ("2025-13", "2025年1月", "25-01"):
        with pytest.raises(FieldErrors, match="月份应写作 2025-12"):
            records.create(ctx, IncomeHistory, {"month": month, "amount": yuan(5)})
    records.create(ctx, IncomeHistory, {"month": "2026-02", "amount": yuan(5)})


def test_months_of_the_books_have_no_history(session):
    ctx = begin(session).ctx()
    ctx.actor = SYSTEM
    with pytest.raises(FieldErrors, match="2026-01 的担保费收入在账上"):
        records.create(ctx, IncomeHistory, {"month": "2026-01", "amount": yuan(5)})
    records.create(ctx, IncomeHistory, {"month": "2024-12", "amount": yuan(5)})
