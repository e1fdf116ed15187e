"""责任余额, 放大倍数 and concentration of a portfolio of every kind, beside the rules written out by the project."""

import random
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.money import round_money
from models.customer import relation
from models.customer.relation import CustomerRelation, RelationState
from models.guarantee.product import GuaranteeKind, Product, RepaymentMethod
from models.guarantee.project import IssuerGrade, Project, ProjectState, SmallKind, Stage
from models.system.setup import Parameter
from reports.figures import exposure, parameters, relations
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
    line.session.add(
        CustomerRelation(
            customer_id=customers[1],
            to_customer_id=customers[2],
            kind=relation.KINSHIP,
            state=RelationState.CONFIRMED,
        )
    )
    product = line.session.scalars(select(Product.id).limit(1)).one()
    for number in range(60):
        customer = rng.choice(customers)
        amount = Decimal(rng.randrange(1, 90)) * rng.choice((1_000, 10_000, 30_000)) + Decimal(
            "0.37"
        )
        state = rng.choice(
            (
                ProjectState.IN_FORCE,
                ProjectState.IN_FORCE,
                ProjectState.RUNNING,
                ProjectState.RELEASED,
            )
        )
        line.session.add(
            Project(
                number=f"DB-{number}",
                customer_id=customer,
                product_id=product,
                bank_id=bank,
                amount=amount,
                term_months=12,
                purpose="WORKING",
                rate_annual_pct=4,
                fee_rate_pct=1,
                repayment_method=RepaymentMethod.BULLET,
                counter_offer="保证",
                small_kind=rng.choice(list(SmallKind)),
                bank_share_pct=rng.choice((Decimal(0), Decimal(20), Decimal("33.33"))),
                guarantee_kind=rng.choice(list(GuaranteeKind)),
                is_farmer=rng.random() < 0.3,
                is_housing=rng.random() < 0.2,
                issuer_grade=rng.choice(list(IssuerGrade)),
                assistant_id=line.id(MANAGER),
                stage=Stage.IN_FORCE,
                state=state,
                start_on=ON,
                balance=amount if state is ProjectState.IN_FORCE else 0,
                reserved_amount=amount if state is ProjectState.RUNNING else 0,
            )
        )
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
    small = (
        project.small_kind is not SmallKind.NONE and total <= CEILINGS["weight.small_loan_ceiling"]
    )
    farmer = project.is_farmer and total <= CEILINGS["weight.farmer_loan_ceiling"]
    return 75 if small or farmer else 100


def own(project, amount):
    return amount * (100 - project.bank_share_pct) / 100


def financing_totals(amounts):
    """{customer: all its 融资担保}, which the ceilings of the weights are held against."""
    totals = {}
    for project, amount in amounts.items():
        counted = amount if project.guarantee_kind.is_financing else 0
        totals[project.customer_id] = totals.get(project.customer_id, 0) + counted
    return totals


def stood(amounts):
    """责任余额 and the limit of 放大倍数 of {project: amount}."""
    financing = {p: a for p, a in amounts.items() if p.guarantee_kind.is_financing and a}
    totals = financing_totals(amounts)
    found = sum(
        own(project, amount) * weight(project, totals[project.customer_id]) / 100
        for project, amount in financing.items()
    )
    favoured = {
        p: a for p, a in financing.items() if p.small_kind is not SmallKind.NONE or p.is_farmer
    }
    by_amount = sum(favoured.values()) * 2 >= sum(financing.values())
    by_count = len({p.customer_id for p in favoured}) * 100 >= 80 * len(
        {p.customer_id for p in financing}
    )
    return round_money(Decimal(found)), 15 if financing and by_amount and by_count else 10


def concentrated(amounts, parties):
    """(责任余额, the same without weights) of some parties."""
    law, plain, totals = Decimal(0), Decimal(0), financing_totals(amounts)
    for project, amount in amounts.items():
        if project.customer_id in parties and project.guarantee_kind.is_financing:
            is_top = (
                project.guarantee_kind is GuaranteeKind.BOND
                and project.issuer_grade is IssuerGrade.AA_OR_ABOVE
            )
            law += (
                own(project, amount)
                * (60 if is_top else weight(project, totals[project.customer_id]))
                / 100
            )
            plain += own(project, amount)
    return round_money(law), round_money(plain)


def test_every_project_is_checked_as_the_rules_say(line, portfolio):
    kin = {
        p.customer_id: relations.group_of(line.session, p.customer_id, line.today)
        for p in portfolio
    }
    assert {len(group) for group in kin.values()} == {1, 2}
    for project in portfolio:
        in_force = {p: p.balance for p in portfolio if p.balance and p is not project}
        committed = {p: p.balance + p.reserved_amount for p in portfolio if p is not project}
        with_it = {**committed, project: project.amount}
        found = {check.key: check for check in exposure.checks(line.session, project, ON)}
        if project.guarantee_kind.is_financing:
            (before, _), (after, limit) = stood(in_force), stood(with_it)
            check = found["leverage"]
            assert (check.before, check.after) == (
                round_money(before / ASSETS),
                round_money(after / ASSETS),
            )
            assert check.limit == limit
            assert f"责任余额 在保 {before:,} 元，办理后 {after:,} 元" in check.note
        else:
            assert "leverage" not in found
        for key, parties in (
            ("single", {project.customer_id}),
            ("group", kin[project.customer_id]),
        ):
            (before, _), (after, plain) = (
                concentrated(amounts, parties) for amounts in (in_force, with_it)
            )
            assert found[key].before == round_money(before * 100 / ASSETS)
            assert found[key].after == round_money(after * 100 / ASSETS)
            assert (
                f"在保 {before:,} 元，办理后 {after:,} 元，未加权 {plain:,} 元" in found[key].note
            )


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
        assert f"办理后 {Decimal(expected):,} 元" in found["leverage"].note


@pytest.mark.parametrize("ceiling", [0, 3_000_000, 10**9])
def test_ceilings_are_parameters(line, portfolio, ceiling, monkeypatch):
    row = line.session.scalars(
        select(Parameter).where(Parameter.code == "weight.small_loan_ceiling")
    ).one()
    row.value = str(ceiling)
    line.session.flush()
    parameters.forget(line.session)
    monkeypatch.setitem(CEILINGS, "weight.small_loan_ceiling", ceiling)
    amounts = {p: p.balance + p.reserved_amount for p in portfolio}
    project = next(p for p in portfolio if p.guarantee_kind is GuaranteeKind.LOAN)
    (leverage,) = (c for c in exposure.checks(line.session, project, ON) if c.key == "leverage")
    assert f"办理后 {stood({**amounts, project: project.amount})[0]:,} 元" in leverage.note


def _state(line, code, text):
    line.session.scalars(select(Parameter).where(Parameter.code == code)).one().value = text
    line.session.flush()
    parameters.forget(line.session)


@pytest.mark.parametrize(
    ("small", "is_farmer", "amount", "weighted"),
    [
        (SmallKind.SMALL, False, "5000000.00", "3750000.00"),  # 500 万（含）: 75 %
        (SmallKind.SMALL, False, "5000000.01", "5000000.01"),
        (SmallKind.NONE, True, "2000000.00", "1500000.00"),  # 200 万（含）: 75 %
        (SmallKind.NONE, True, "2000000.01", "2000000.01"),
        (SmallKind.NONE, False, "100000.00", "100000.00"),
    ],
)
def test_the_ceilings_include_their_own_figure(line, small, is_farmer, amount, weighted):
    project = line.apply(amount=Decimal(amount), small_kind=small.name, is_farmer=is_farmer)
    project.bank_share_pct = Decimal(0)
    (single,) = (c for c in exposure.checks(line.session, project, ON) if c.key == "single")
    assert f"办理后 {Decimal(weighted):,} 元，未加权 {Decimal(amount):,} 元" in single.note


def _two(line, first, second, **facts):
    """Two projects of one small company with no share of the bank: the first in force, the second applied for."""
    projects = [
        line.apply(amount=Decimal(amount), small_kind="SMALL") for amount in (first, second)
    ]
    for project in projects:
        project.bank_share_pct = Decimal(0)
    for name, value in facts.items():
        setattr(projects[0], name, value)
    projects[1].customer_id = projects[0].customer_id
    projects[0].balance, projects[0].start_on, projects[0].state = (
        Decimal(first),
        ON,
        ProjectState.IN_FORCE,
    )
    line.session.flush()
    return {check.key: check for check in exposure.checks(line.session, projects[1], ON)}


def test_the_ceiling_is_the_customers_and_moves_all_its_projects(line):
    # 300 万 in force weigh 75 % = 2,250,000; with 200.01 万 more the customer stands above 500 万: 5,000,100 at 100 %.
    below = _two(line, 3_000_000, 2_000_000)["single"].note
    assert "在保 2,250,000.00 元，办理后 3,750,000.00 元" in below
    line.session.rollback()
    above = _two(line, 3_000_000, 2_000_100)["single"].note
    assert "在保 2,250,000.00 元，办理后 5,000,100.00 元" in above


def test_what_is_no_financing_does_not_fill_the_ceiling(line):
    found = _two(line, 3_000_000, 5_000_000, guarantee_kind=GuaranteeKind.PERFORMANCE)
    assert "在保 0.00 元，办理后 3,750,000.00 元" in found["single"].note
    assert "责任余额 在保 0.00 元，办理后 3,750,000.00 元" in found["leverage"].note


def test_the_ceiling_may_count_what_the_bank_leaves_to_the_company(line):
    # 600 万 with 20 % at the bank: 480 万 of the company's own.
    project = line.apply(amount=Decimal(6_000_000), small_kind="SMALL")
    project.bank_share_pct = Decimal(20)
    for basis, weighted in (("BEFORE_SHARE", "4,800,000.00"), ("AFTER_SHARE", "3,600,000.00")):
        _state(line, "weight.ceiling_basis", basis)
        found = {check.key: check for check in exposure.checks(line.session, project, ON)}
        assert f"办理后 {weighted} 元" in found["single"].note
        assert f"办理后 {weighted} 元" in found["leverage"].note


def test_a_house_rule_without_weights_is_checked_beside_the_law(line):
    project = line.apply(amount=Decimal(5_000_000), small_kind="SMALL")
    project.bank_share_pct = Decimal(0)
    assert "single_own" not in {check.key for check in exposure.checks(line.session, project, ON)}
    _state(line, "exposure.single_own_limit_pct", "4.99")
    found = {check.key: check for check in exposure.checks(line.session, project, ON)}
    assert (found["single"].after, found["single_own"].after) == (Decimal("3.75"), Decimal("5.00"))
    assert (found["single"].is_over, found["single_own"].is_over) == (False, True)


def test_only_financing_of_small_companies_and_farmers_raises_the_limit(line, portfolio):
    """Of three customers one is small: with non-financing counted as favoured it would be 15."""
    for position, project in enumerate(portfolio):
        project.is_farmer, project.small_kind = False, SmallKind.NONE
        is_first = position == 0
        project.guarantee_kind = GuaranteeKind.LOAN if is_first else GuaranteeKind.PERFORMANCE
        if not is_first:
            project.small_kind = SmallKind.SMALL
    line.session.flush()
    (leverage,) = (
        c for c in exposure.checks(line.session, portfolio[0], ON) if c.key == "leverage"
    )
    assert leverage.limit == 10


def test_bills_are_loans(line):
    kinds = line.session.scalars(select(Product.guarantee_kind).where(Product.code == "PJCD"))
    assert kinds.one() is GuaranteeKind.LOAN


def test_without_net_assets_it_says_what_to_enter(line, monkeypatch):
    """A figure of 9,999 times tells nobody what is wrong."""
    monkeypatch.setattr(exposure, "net_assets", lambda *_: Decimal(0))
    project = line.apply(amount=Decimal(1_000_000))
    found = [check for check in exposure.checks(line.session, project, ON) if check.is_over]
    assert {check.key for check in found} >= {"leverage", "single", "group"}
    for check in found:
        assert "9,999" not in check.text + check.figure
        assert "导入期初余额" in check.text
