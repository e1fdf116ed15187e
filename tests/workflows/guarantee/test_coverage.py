"""4.8 担保范围与期间: the contract says what is covered and until when; claims are held against it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.after.warning import RiskWarning
from models.base.errors import FieldErrors
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Stage
from models.guarantee.signing import CoveredParts, Liability
from reports.figures.coverage import Claim, Scope, covered, scope_of, standing
from tests.workflows.guarantee.factories import MANAGER, MILLION
from workflows.after import warning
from workflows.base import records
from workflows.guarantee import contracts

STAGES = (Stage.CONTRACT, Stage.IN_FORCE)
DUE = date(2027, 3, 2)
CLAIM = Claim(MILLION, Decimal(20000), Decimal(3000))


@pytest.fixture
def contract(line):
    """The draft of the contract with the bank."""
    project = line.at(Stage.CONTRACT)
    line.draw_up(project)
    return line.contract(project, "GUARANTEE")


def agree(line, contract, **facts):
    return records.update(line.ctx(MANAGER), contract, facts, contract.version)


def test_a_contract_with_the_bank_says_what_it_covers_from_the_start(line, contract):
    assert (contract.liability, contract.covered_parts) == (Liability.JOINT, CoveredParts.ALL)
    assert (contract.share_pct, contract.period_months, contract.cap_amount) == (80, 36, None)
    for words in ("连带责任保证", "80% 的保证责任", "36 个月", "实现债权的合理费用"):
        assert words in contracts.draft(line.ctx(MANAGER), contract).shown
    agree(
        line,
        contract,
        liability=Liability.GENERAL,
        covered_parts=CoveredParts.PRINCIPAL,
        share_pct=Decimal(70),
        cap_amount=3 * MILLION,
        period_months=24,
    )
    text = contracts.draft(line.ctx(MANAGER), contract).shown
    for words in ("一般保证", "70% 的保证责任", "3,000,000.00 元为限", "24 个月"):
        assert words in text
    assert "罚息" not in text.split("第三条")[1].split("第四条")[0]


def test_it_goes_no_further_than_the_project_and_other_contracts_say_nothing(line, contract):
    with pytest.raises(FieldErrors, match="银行分担 20%，承担比例不超过 80%"):
        agree(line, contract, share_pct=Decimal("80.01"))
    other = line.contract(contract.project, "ENTRUSTMENT")
    with pytest.raises(FieldErrors, match="只有保证合同约定"):
        agree(line, other, period_months=12)


def scope(contract, **facts):
    known = {
        "share_pct": Decimal(80),
        "parts": CoveredParts.ALL,
        "cap": None,
        "liability": Liability.JOINT,
        "months": 36,
    }
    return Scope(contract, **{**known, **facts})


@pytest.mark.parametrize(
    ("facts", "amount", "said"),
    [
        ({}, "818400.00", ["银行分担 20%，计 204,600.00 元"]),
        ({"share_pct": Decimal(100)}, "1023000.00", []),
        (
            {"parts": CoveredParts.PRINCIPAL},
            "800000.00",
            ["利息 20,000.00 元不在约定的担保范围内（民法典第691条）", "费用 3,000.00", "银行分担"],
        ),
        (
            {"parts": CoveredParts.INTEREST, "share_pct": Decimal(100)},
            "1020000.00",
            ["费用 3,000.00"],
        ),
        ({"cap": Decimal(500000)}, "500000.00", ["银行分担", "超过最高担保额的 318,400.00 元"]),
    ],
)
def test_a_claim_is_held_against_the_scope(contract, facts, amount, said):
    found = covered(scope(contract, **facts), CLAIM, DUE, DUE + timedelta(days=30))
    assert found.amount == Decimal(amount)
    assert len(found.outside) == len(said)
    for words, wanted in zip(found.outside, said, strict=True):
        assert wanted in words
    assert found.notes == []


def test_after_the_period_nothing_is_covered_and_a_general_guarantee_may_wait(contract):
    agreed = scope(contract, months=6, liability=Liability.GENERAL)
    assert agreed.period(date(2026, 8, 31)) == (date(2026, 9, 1), date(2027, 2, 28))
    last = agreed.period(DUE)[1]
    assert (last, covered(agreed, CLAIM, DUE, last).amount) == (
        date(2027, 9, 2),
        Decimal("818400.00"),
    )
    assert "民法典第687条" in covered(agreed, CLAIM, DUE, last).notes[0]
    late = covered(agreed, CLAIM, DUE, last + timedelta(days=1))
    assert late.amount == 0
    assert "保证期间已于 2027-09-02 届满" in late.outside[0]


def test_a_guarantee_in_force_shows_what_is_covered_today(line):
    project = line.at(Stage.IN_FORCE)
    found = standing(line.session, project, line.today)
    assert (found.covered.amount, found.first, found.last) == (
        4 * MILLION,
        date(2027, 3, 3),
        date(2030, 3, 2),
    )
    line.today = date(2026, 4, 5)  # an instalment was missed: its interest is owed as well
    assert standing(line.session, project, line.today).claim == Claim(
        5 * MILLION, Decimal("18125.00")
    )
    contract = line.contract(project, "GUARANTEE")
    for name in ("share_pct", "covered_parts", "liability", "period_months"):
        setattr(contract, name, None)  # as contracts of earlier days are
    assert standing(line.session, project, line.today).covered.amount == Decimal("4014500.00")
    contract.state = PaperState.VOID
    assert scope_of(line.session, project) is None
    assert standing(line.session, project, line.today) is None


def test_the_end_of_the_period_is_announced(line):
    project = line.at(Stage.IN_FORCE)
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    line.contract(project, "GUARANTEE").period_months = 6
    said = []
    for day in (date(2027, 6, 1), date(2027, 6, 4), date(2027, 9, 2), date(2027, 9, 3)):
        line.today = day
        warning.evaluate(line.ctx())
        query = select(RiskWarning).where(RiskWarning.raised_on == day)
        said.append(
            [w.message for w in line.session.scalars(query) if w.rule.code == "guarantee_period"]
        )
    assert [len(each) for each in said] == [0, 1, 1, 0]
    assert "保证期间至 2027-09-02 届满，剩余 90 天" in said[1][0]
    assert loan.due_on == DUE
