"""责任余额, 放大倍数 and concentration of a portfolio of every kind, beside the rules written out by the project."""

import random
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.money import round_money
from models.customer import CustomerRelation, RelationKind
from models.product import GuaranteeKind, Product, RepaymentMethod
from models.project import IssuerGrade, Project, ProjectState, SmallKind, Stage
from models.system import Parameter
from reports.figures import exposure, parameters
from tests.workflows.guarantee.factories import MANAGER, Line, prepare

BEGINS_WITH = "installed"

ON = date(2026, 3, 2)
PARTIES = 8
# 75 % for small companies to this total of a customer, for farmers to that: some customers stand on either side.
CEILINGS = {"weight.small_loan_ceiling": 5_000_000, "weight.farmer_loan_ceiling": 2_000_000}
ASSETS = Decimal(100_000_000)


@pytest.fixture(scope="module")
def standing(engine):
    return prepare(engine)


@pytest.fixture
def line(standing, session):
    return Line(session, standing=standing)


@pytest.fixture
def portfolio(line):
    """Some sixty projects of eight customers, two of whom are kin; a few reserved, a few over."""
    rng = random.Random(6)
    bank = line.bank().id
    customers = [line.customer(f"江州第{number}公司").id for number in range(PARTIES)]
    line.session.add(CustomerRelation(customer_id=customers[1], to_customer_id=customers[2], kind=RelationKind.KINSHIP))
    product = line.session.scalars(select(Product.id).limit(1)).one()
    for number in range(60):
        customer = rng.choice(customers)
        amount = Decimal(rng.randrange(1, 90)) * rng.choice((1_000, 10_000, 30_000)) + Decimal("0.37")
        state = rng.choice((ProjectState.IN_FORCE, ProjectState.IN_FORCE, ProjectState.RUNNING, ProjectState.RELEASED))
        line.session.add(Project(
            number=f"DB-{number}", customer_id=customer, product_id=product, bank_id=bank, amount=amount,
            term_months=12, purpose="WORKING", rate_annual_pct=4, fee_rate_pct=1,
            repayment_method=RepaymentMethod.BULLET, counter_offer="保证", small_kind=rng.choice(list(SmallKind)),
            bank_share_pct=rng.choice((Decimal(0), Decimal(20), Decimal("33.33"))),
            guarantee_kind=rng.choice(list(GuaranteeKind)),
            is_farmer=rng.random() < 0.3, is_housing=rng.random() < 0.2, issuer_grade=rng.choice(list(IssuerGrade)),
            assistant_id=line.id(MANAGER), stage=Stage.IN_FORCE, state=state, start_on=ON,
            balance=amount if state is ProjectState.IN_FORCE else 0,
            reserved_amount=amount if state is ProjectState.RUNNING else 0,
        ))  # fmt: skip
    line.session.flush()
    return list(line.session.scalars(select(Project).order_by(Project.id)))


def weight(project, total):
    """The weight in %, read off 配套制度二."""
    kind = project.guarantee_kind
    if kind is GuaranteeKind.BOND:
        return 80 if project.issuer_grade is IssuerGrade.AA_OR_ABOVE else 100
    if kind is GuaranteeKind.OTHER_FINANCING:
        return 100
    if project.is_housing:
        return 30
    small = project.small_kind is not SmallKind.NONE and total <= CEILINGS["weight.small_loan_ceiling"]
    farmer = project.is_farmer and total <= CEILINGS["weight.farmer_loan_ceiling"]
    return 75 if small or farmer else 100


def own(project, amount):
    return amount * (100 - project.bank_share_pct) / 100


def stood(amounts):
    """责任余额 and the limit of 放大倍数 of {project: amount}."""
    totals = {}
    for project, amount in amounts.items():
        totals[project.customer_id] = totals.get(project.customer_id, 0) + amount
    found = sum(
        own(project, amount) * weight(project, totals[project.customer_id]) / 100
        for project, amount in amounts.items()
        if project.guarantee_kind.is_financing
    )
    favoured = {p: a for p, a in amounts.items() if p.small_kind is not SmallKind.NONE or p.is_farmer}
    by_amount = sum(favoured.values()) * 2 >= sum(amounts.values())
    by_count = len({p.customer_id for p in favoured}) * 100 >= 80 * len(totals)
    return round_money(Decimal(found)), 15 if amounts and by_amount and by_count else 10


def concentrated(amounts, parties):
    found = Decimal(0)
    for project, amount in amounts.items():
        if project.customer_id in parties and project.guarantee_kind.is_financing:
            is_top = project.guarantee_kind is GuaranteeKind.BOND and project.issuer_grade is IssuerGrade.AA_OR_ABOVE
            found += own(project, amount) * (60 if is_top else 100) / 100
    return round_money(found)


def test_every_project_is_checked_as_the_rules_say(line, portfolio):
    all_amounts = {p: p.balance + p.reserved_amount for p in portfolio if p.balance + p.reserved_amount}
    kin = {p.customer_id: exposure.group_of(line.session, p.customer_id) for p in portfolio}
    assert {len(group) for group in kin.values()} == {1, 2}
    for project in portfolio:
        others = {p: amount for p, amount in all_amounts.items() if p is not project}
        with_it = {**others, project: project.amount}
        found = {check.key: check for check in exposure.checks(line.session, project, ON)}
        if project.guarantee_kind.is_financing:
            (before, _), (after, limit) = stood(others), stood(with_it)
            check = found["leverage"]
            assert (check.before, check.after) == (round_money(before / ASSETS), round_money(after / ASSETS))
            assert check.limit == limit
            assert f"责任余额 {after:,} 元" in check.note
        else:
            assert "leverage" not in found
        for key, parties in (("single", {project.customer_id}), ("group", kin[project.customer_id])):
            before, after = (concentrated(amounts, parties) for amounts in (others, with_it))
            assert found[key].before == round_money(before * 100 / ASSETS)
            assert found[key].after == round_money(after * 100 / ASSETS)
            assert f"合计 {after:,} 元" in found[key].note


@pytest.mark.parametrize(("small", "limit"), [(SmallKind.NONE, 10), (SmallKind.SMALL, 15)])
def test_small_companies_raise_the_limit(line, portfolio, small, limit):
    for project in portfolio:
        project.small_kind, project.is_farmer = small, False
    line.session.flush()
    project = next(p for p in portfolio if p.guarantee_kind.is_financing)
    (leverage,) = (c for c in exposure.checks(line.session, project, ON) if c.key == "leverage")
    assert leverage.limit == limit


def test_a_first_project_stands_alone(line):
    for amount, expected in ((5_000_000, "3000000.00"), (5_000_001, "4000000.80")):
        project = line.apply(amount=Decimal(amount), small_kind="SMALL")
        found = {check.key: check for check in exposure.checks(line.session, project, ON)}
        assert found["leverage"].before == 0
        assert f"责任余额 {Decimal(expected):,} 元" in found["leverage"].note


@pytest.mark.parametrize("ceiling", [0, 3_000_000, 10**9])
def test_ceilings_are_parameters(line, portfolio, ceiling, monkeypatch):
    row = line.session.scalars(select(Parameter).where(Parameter.code == "weight.small_loan_ceiling")).one()
    row.value = str(ceiling)
    line.session.flush()
    parameters.forget(line.session)
    monkeypatch.setitem(CEILINGS, "weight.small_loan_ceiling", ceiling)
    amounts = {p: p.balance + p.reserved_amount for p in portfolio if p.balance + p.reserved_amount}
    project = next(p for p in portfolio if p.guarantee_kind is GuaranteeKind.LOAN)
    (leverage,) = (c for c in exposure.checks(line.session, project, ON) if c.key == "leverage")
    assert f"责任余额 {stood({**amounts, project: project.amount})[0]:,} 元" in leverage.note
