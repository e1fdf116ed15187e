"""6.3 追偿: split by the order that was agreed, shared to the fen, written off and recovered after; the books agree."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models.after.case_money import (
    CostKind,
    MoneyState,
    RecoverySource,
    ShareSettlement,
)
from models.after.recovery import ActionKind, CaseState, RecoveryAction, RecoveryPlan
from models.after.write_off import WriteOff
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.base.paper import PaperState
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import Stage
from models.guarantee.release import Release
from models.guarantee.scheme import SharingParty
from models.ledger.voucher import EventState
from models.system.setup import Parameter
from reports.figures import recovery as figures
from reports.figures.business_ledger import balance_of, pairs, stands
from reports.figures.compensation import Amounts
from reports.figures.fees import deposit_held
from reports.figures.recovery import ORDERS, Claims
from tests.workflows.after.test_compensation import DUE, loan_of, overdue, paid
from tests.workflows.guarantee.factories import ACCOUNTANT, CASHIER, MANAGER, MILLION, OUTSIDER
from tests.workflows.guarantee.sharing_world import in_use
from tests.workflows.guarantee.test_release import is_clean
from workflows.after import recovery, settlement, write_off
from workflows.after.recovery import Received
from workflows.base import records
from workflows.guarantee import release, repayment

STAGES = (Stage.CONFIRM,)
OWED = Claims(
    cost=Decimal(100),
    surcharge=Decimal(50),
    principal=Decimal(1000),
    interest=Decimal(200),
    penalty=Decimal(30),
    other=Decimal(20),
)


@pytest.fixture
def project(line):
    """Paid for on 12 May: 4,000,000.00 of principal, 33,833.33 of interest, 131.41 of penalty."""
    found = line.at(Stage.CONFIRM)
    line.confirm(found, repayment_method=RepaymentMethod.INTEREST_FIRST)
    paid(line, overdue(line, found))
    line.book(found)
    return found


@pytest.fixture
def case(line, project):
    return recovery.latest_case(line.ctx(), project)


@pytest.fixture
def shared(line):
    """The same claim borne by the company and two above it, two to one to one."""
    found = line.project_at(Stage.CONFIRM, scheme_id=in_use(line).id)
    line.confirm(found, repayment_method=RepaymentMethod.INTEREST_FIRST)
    paid(line, overdue(line, found))
    line.book(found)
    return recovery.latest_case(line.ctx(), found)


def came(line, case, amount, source=RecoverySource.CUSTOMER, **facts):
    money = Received(source, Decimal(amount), line.today, case.project.customer.name, **facts)
    return recovery.receive(line.ctx(CASHIER), case, money)


def books(line):
    """Whether every account that the business answers for agrees with it."""
    assert [pair for pair in pairs(line.session) if pair.differs] == []
    return True


def accounts(line, *codes):
    return [balance_of(line.session, code) for code in codes]


def planned(line, case):
    """A plan that was approved."""
    facts = {
        "project_id": case.project_id,
        "recovery_case_id": case.id,
        "way": "LITIGATE",
        "target_amount": "1000000",
        "due_on": date(2026, 12, 31),
        "leader_id": line.id(MANAGER),
        "measures": "诉讼保全厂房",
    }
    made = records.create(line.ctx(MANAGER), RecoveryPlan, facts)
    recovery.PLAN.submit(line.ctx(MANAGER), made)
    line.approve(made)
    return made


def given_up(line, case):
    facts = {
        "project_id": case.project_id,
        "recovery_case_id": case.id,
        "cause": "NO_ASSETS",
        "reason": "终结执行",
    }
    return records.create(line.ctx(MANAGER), WriteOff, facts)


def written_off(line, case):
    made = given_up(line, case)
    write_off.PAPER.submit(line.ctx(MANAGER), made)
    line.approve(made)
    line.book(case.project)
    return made


@pytest.mark.parametrize(
    ("order", "amount", "settled"),
    [
        ("LEGAL", 60, {"cost": 60}),
        ("LEGAL", 130, {"cost": 100, "other": 20, "surcharge": 10}),
        ("LEGAL", 500, {"cost": 100, "other": 20, "surcharge": 50, "interest": 200, "penalty": 30,
                        "principal": 100}),
        ("PRINCIPAL", 1050, {"principal": 1000, "cost": 50}),
        ("LEGAL", 1500, {"cost": 100, "other": 20, "surcharge": 50, "interest": 200, "penalty": 30,
                         "principal": 1000, "excess": 100}),
    ],
)  # fmt: skip
def test_an_amount_settles_one_kind_after_the_other(order, amount, settled):
    found = figures.settle(Decimal(amount), OWED, ORDERS[order])
    assert found == Claims(**{key: Decimal(one) for key, one in settled.items()})


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**11), min_size=6, max_size=6))
def test_whatever_comes_in_is_settled_to_the_fen(fen, owed):
    claims = Claims(*(Decimal(one).scaleb(-2) for one in owed))
    amount = Decimal(fen).scaleb(-2)
    for order in ORDERS.values():
        found = figures.settle(amount, claims, order)
        assert found.total == amount
        assert all(0 <= getattr(found, kind) <= getattr(claims, kind) for kind in order)
        assert found.excess == max(amount - claims.total, Decimal(0))


def test_the_surcharge_runs_on_what_is_not_back():
    # 1,000,000 for 30 days at 18 %: 15,000.00; after 400,000 came back 600,000 for another 30: 9,000.00
    moves = [(date(2026, 5, 12), MILLION), (date(2026, 6, 11), Decimal(-400_000))]
    rate = Decimal(18)
    assert figures.occupancy(moves, rate, date(2026, 5, 12)) == 0
    assert figures.occupancy(moves, rate, date(2026, 6, 11)) == Decimal("15000.00")
    assert figures.occupancy(moves, rate, date(2026, 7, 11)) == Decimal("24000.00")


def test_a_case_begins_with_the_books(line, project, case):
    assert (case.state, case.opened_on, case.balance, case.paid_amount) == (
        CaseState.OPEN,
        date(2026, 5, 12),
        Decimal("4033964.74"),
        Decimal("4033964.74"),
    )
    assert books(line)
    assert is_clean(line)


def test_what_comes_in_is_split_by_law_and_booked(line, project, case):
    line.later(days=30)
    recovery.pay_cost(
        line.ctx(CASHIER), case, kind=CostKind.COURT, amount=Decimal(18000), moved_on=line.today
    )
    # 30 days at 18 % on 4,033,964.74: 60,509.47
    owed = figures.owed(line.session, case, line.today)
    assert (owed.surcharge, owed.total) == (Decimal("60509.47"), Decimal("4112474.21"))
    made = came(line, case, "500000")
    line.book(project)
    split = {
        "cost": "18000.00",
        "surcharge": "60509.47",
        "interest": "33833.33",
        "penalty": "131.41",
        "principal": "387525.79",
    }
    assert {key: str(getattr(made, key)) for key in split} == split
    assert (made.state, made.shared, made.excess) == (MoneyState.BOOKED, 0, 0)
    assert case.balance == Decimal("3612474.21")
    assert accounts(line, "1201.01", "1201.02", "1201.03", "1221", "6051.02") == [
        Decimal("3612474.21"),
        0,
        0,
        0,
        Decimal("-60509.47"),
    ]
    assert books(line)
    assert is_clean(line)


def test_principal_comes_first_where_that_was_agreed(line, case):
    rule = select(Parameter).where(Parameter.code == "recovery.order")
    line.session.scalars(rule).one().value = "PRINCIPAL"
    line.session.flush()
    line.later(days=30)
    made = came(line, case, "500000")
    assert (made.principal, made.surcharge) == (Decimal(500_000), 0)


def test_what_exceeds_all_claims_goes_back(line, project, case):
    made = came(line, case, "4034000")
    assert (made.excess, case.state) == (Decimal("35.26"), CaseState.RECOVERED)
    line.book(project)
    assert accounts(line, "1201", "2241.01") == [0, Decimal("-35.26")]
    with pytest.raises(FieldErrors):
        recovery.return_excess(line.ctx(CASHIER), made, date(2026, 5, 1))
    recovery.return_excess(line.ctx(CASHIER), made, line.today)
    with pytest.raises(Conflict):
        recovery.return_excess(line.ctx(CASHIER), made, line.today)
    (event,) = line.events(project, EventState.PENDING)
    line.refuse(event, "户名不符")
    recovery.return_excess(line.ctx(CASHIER), made, line.today)
    line.book(project)
    assert accounts(line, "2241.01") == [0]
    with pytest.raises(Conflict, match="已收回，不能登记回款"):
        came(line, case, "1")
    assert books(line)


def test_the_deposit_settles_no_more_than_there_is(line, project, case):
    assert deposit_held(line.session, project) == 250_000
    with pytest.raises(FieldErrors):
        came(line, case, "250000.01", RecoverySource.DEPOSIT)
    made = came(line, case, "250000", RecoverySource.DEPOSIT)
    line.book(project)
    assert (made.interest, made.penalty, made.principal) == (
        Decimal("33833.33"),
        Decimal("131.41"),
        Decimal("216035.26"),
    )
    assert (deposit_held(line.session, project), *accounts(line, "2002")) == (0, 0)
    assert books(line)


def test_sent_back_a_receipt_stands_for_nothing(line, project, case):
    before = (case.balance, case.recovered_amount)
    made = came(line, case, "100000")
    (event,) = line.events(project, EventState.PENDING)
    line.refuse(event, "未到账")
    assert (made.state, made.returned_reason) == (MoneyState.RETURNED, "未到账")
    assert (case.balance, case.recovered_amount) == before
    assert is_clean(line)
    again = came(line, case, "100000")
    line.book(project)
    line.unbook(line.events(project, EventState.BOOKED, code="recovery.received")[0])
    assert again.state is MoneyState.SUBMITTED
    (paid_event,) = line.events(project, code="compensation.paid")
    with pytest.raises(Conflict, match="已有追偿回款"), line.session.begin_nested():
        line.unbook(paid_event)
    line.book(project)
    assert books(line)


def test_costs_that_were_paid_back_are_not_sent_back(line, project, case):
    recovery.pay_cost(
        line.ctx(CASHIER), case, kind=CostKind.LAWYER, amount=Decimal(5000), moved_on=line.today
    )
    (event,) = line.events(project, EventState.PENDING)
    came(line, case, "3000")
    with pytest.raises(Conflict, match="已由回款抵充"):
        line.refuse(event, "无发票")


def test_measures_need_a_day_a_number_and_a_plan(line, case):
    def done(kind, **facts):
        known = {"recovery_case_id": case.id, "kind": kind, "done_on": line.today, "party": "明达"}
        return records.create(line.ctx(MANAGER), RecoveryAction, {**known, **facts})

    done("CALL", result="承诺月底还款")
    court = {"court": "江州市中级人民法院", "case_no": "（2026）江民初 12 号"}
    for kind, facts, field in (
        ("LAWSUIT", {}, "court"),
        ("LAWSUIT", court, "kind"),
        ("LETTER", {}, "kind"),
        ("CALL", {"done_on": date(2026, 5, 13)}, "done_on"),
        ("CALL", {"done_on": date(2026, 5, 11)}, "done_on"),
        ("PRESERVATION", court, "valid_until"),
    ):
        with pytest.raises(FieldErrors) as caught:
            done(kind, **facts)
        assert field in caught.value.field_errors, kind
    plan = planned(line, case)
    assert (plan.state, plan.approved_on) == (PaperState.APPROVED, line.today)
    made = done("PRESERVATION", **court, valid_until=date(2027, 5, 11), amount="3000000")
    assert made.kind is ActionKind.PRESERVATION


def test_a_plan_aims_at_what_is_owed(line, project, case):
    known = {
        "project_id": project.id,
        "recovery_case_id": case.id,
        "way": "NEGOTIATE",
        "leader_id": line.id(MANAGER),
        "measures": "分期",
    }
    for facts, field in (
        ({"target_amount": "9000000", "due_on": date(2026, 6, 30)}, "target_amount"),
        ({"target_amount": "1", "due_on": date(2026, 5, 11)}, "due_on"),
    ):
        with pytest.raises(FieldErrors) as caught:
            records.create(line.ctx(MANAGER), RecoveryPlan, {**known, **facts})
        assert list(caught.value.field_errors) == [field]


def test_a_letter_says_what_is_owed_and_until_when(line, case):
    line.later(days=30)
    letter = recovery.issue_letter(line.ctx(MANAGER), case, "江州明达机械有限公司", 15)
    for words in ("4,094,474.21", "60,509.47", "2026年6月26日", case.number):
        assert words in letter.body
    query = select(RecoveryAction).where(RecoveryAction.document_id == letter.id)
    action = line.session.scalars(query).one()
    assert (action.kind, action.amount) == (ActionKind.LETTER, Decimal("4094474.21"))
    with pytest.raises(Conflict, match="已出具"):
        records.delete(line.ctx(MANAGER), action, action.version)
    for party, days, field in ((" ", 15, "party"), ("明达", 0, "days"), ("明达", 91, "days")):
        with pytest.raises(FieldErrors) as caught:
            recovery.issue_letter(line.ctx(MANAGER), case, party, days)
        assert list(caught.value.field_errors) == [field]


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity", "1e30"])
def test_an_amount_that_cannot_be_changes_nothing(line, case, amount):
    before = case.balance
    with pytest.raises(FieldErrors) as caught:
        came(line, case, amount)
    assert list(caught.value.field_errors) == ["amount"]
    assert case.balance == before


def test_the_cashier_receives_and_nobody_else(line, case):
    for who in (MANAGER, OUTSIDER, ACCOUNTANT):
        money = Received(RecoverySource.CUSTOMER, Decimal(1), line.today, "明达")
        with pytest.raises(NotAllowed):
            recovery.receive(line.ctx(who), case, money)
    with pytest.raises(NotAllowed):
        given_up_by(line, case, CASHIER)


def given_up_by(line, case, who):
    return records.create(line.ctx(who), WriteOff, {"project_id": case.project_id})


def test_others_pay_their_part_and_get_theirs_back(line, shared):
    rows = {one.party: one for one in figures.shares_of(line.session, shared)}
    province, own = rows[SharingParty.PROVINCE], rows[SharingParty.OWN]
    assert (shared.balance, shared.other_open) == (Decimal("2016982.38"), Decimal("2016982.36"))
    with pytest.raises(Conflict):
        settlement.collect(line.ctx(CASHIER), own, Decimal(1), line.today)
    with pytest.raises(FieldErrors):
        settlement.collect(line.ctx(CASHIER), province, Decimal("1008491.19"), line.today)
    settlement.collect(line.ctx(CASHIER), province, Decimal("1008491.18"), line.today)
    line.book(shared.project)
    assert stands(line.session, "1261") == Decimal("1008491.18")
    with pytest.raises(Conflict, match="没有待办的收到分担款"):
        settlement.collect(line.ctx(CASHIER), province, Decimal(1), line.today)
    made = came(line, shared, "1000000.01")
    # what came in is shared two to one to one, to the last fen
    line.book(shared.project)
    back = {party: one.due_back for party, one in rows.items()}
    assert made.shared == back[SharingParty.PROVINCE] + back[SharingParty.NATIONAL]
    assert abs(made.shared - Decimal("500000.005")) <= Decimal("0.015")
    assert books(line)
    with pytest.raises(FieldErrors):
        settlement.give_back(line.ctx(CASHIER), province, Decimal(300000), line.today)
    settlement.give_back(line.ctx(CASHIER), province, province.due_back, line.today)
    (event,) = line.events(shared.project, EventState.PENDING, code="share.returned")
    line.refuse(event, "账号有误")
    assert province.returned_amount == 0
    settlement.give_back(line.ctx(CASHIER), province, province.due_back, line.today)
    line.book(shared.project)
    states = line.session.scalars(select(ShareSettlement.state).order_by(ShareSettlement.id))
    assert [one.name for one in states] == ["BOOKED", "RETURNED", "BOOKED"]
    assert stands(line.session, "2261") == -back[SharingParty.NATIONAL]
    # all that is left comes in: every share is closed at the same fen
    rest = figures.owed(line.session, shared, line.today).total
    came(line, shared, rest)
    line.book(shared.project)
    assert (shared.state, shared.balance, shared.other_open) == (CaseState.RECOVERED, 0, 0)
    assert {one.open_amount for one in rows.values()} == {0}
    assert {party: one.due_back for party, one in rows.items()} == {
        SharingParty.OWN: 0,
        SharingParty.PROVINCE: Decimal("1008491.18"),
        SharingParty.NATIONAL: Decimal("1008491.18"),
    }
    assert books(line)
    assert is_clean(line)


def test_a_loss_is_borne_by_the_provision_and_the_rest_is_an_expense(line, project, case):
    made = given_up(line, case)
    with pytest.raises(BusinessError, match=r"客户保证金 250,000\.00 元未抵扣"):
        write_off.PAPER.submit(line.ctx(MANAGER), made)
    came(line, case, "250000", RecoverySource.DEPOSIT)
    with pytest.raises(BusinessError, match="尚有待复核的追偿回款"):
        write_off.PAPER.submit(line.ctx(MANAGER), made)
    line.book(project)
    write_off.PAPER.submit(line.ctx(MANAGER), made)
    line.approve(made)
    assert (case.state, made.loss) == (CaseState.OPEN, Decimal("3783964.74")), "not booked yet"
    (event,) = line.events(project, EventState.PENDING)
    line.refuse(event, "证据不全")
    assert made.returned_reason == "证据不全"
    write_off.hand_in(line.ctx(MANAGER), made)
    with pytest.raises(Conflict):
        write_off.hand_in(line.ctx(MANAGER), made)
    line.book(project)
    assert (case.state, case.balance, case.written_off_amount) == (
        CaseState.WRITTEN_OFF,
        0,
        Decimal("3783964.74"),
    )
    assert accounts(line, "1201", "6511") == [0, Decimal("3783964.74")]
    line.unbook(event)
    assert (case.state, case.balance) == (CaseState.OPEN, Decimal("3783964.74"))
    line.book(project)
    assert books(line)
    assert is_clean(line)


def test_what_changes_after_the_write_off_was_put_up_stops_it(line, project, case):
    came(line, case, "250000", RecoverySource.DEPOSIT)
    line.book(project)
    made = given_up(line, case)
    write_off.PAPER.submit(line.ctx(MANAGER), made)
    came(line, case, "1000")
    line.book(project)
    with pytest.raises(BusinessError, match=r"又有变动，账面余额和垫付费用为 3,782,964\.74 元"):
        line.approve(made)


def test_what_is_recovered_after_the_loss_is_income(line, shared):
    came(line, shared, "250000", RecoverySource.DEPOSIT)
    line.book(shared.project)
    before = shared.recovered_amount
    lost = written_off(line, shared)
    assert lost.other_amount == shared.other_open > 0
    line.later(days=10)
    owed = figures.owed(line.session, shared, line.today)
    made = came(line, shared, "100000")
    line.book(shared.project)
    assert (made.is_off_book, shared.state, shared.balance) == (True, CaseState.WRITTEN_OFF, 0)
    own = made.amount - made.surcharge - made.shared
    assert owed.surcharge == made.surcharge
    assert shared.recovered_amount - before == own + made.shared
    assert accounts(line, "1201", "6051.01") == [0, -own]
    assert books(line)
    (event,) = line.events(shared.project, EventState.BOOKED, code="writeoff.booked")
    with pytest.raises(Conflict, match="核销后已收回"):
        line.unbook(event)
    assert is_clean(line)


def test_a_guarantee_is_not_released_while_something_is_claimed(line):
    found = line.at(Stage.CONFIRM)
    line.confirm(found, repayment_method=RepaymentMethod.INTEREST_FIRST)
    paid(line, overdue(line, found), DUE)
    line.book(found)
    loan = loan_of(line, found)
    line.today = loan.due_on
    early = repayment.Paid(line.today, loan.balance, Decimal(200_000), is_final=True, note="结清")
    repayment.register(line.ctx(MANAGER), loan, early)
    made = records.create(line.ctx(MANAGER), Release, {"project_id": found.id})
    case = recovery.latest_case(line.ctx(), found)
    with pytest.raises(BusinessError, match=f"追偿案件 {case.number} 尚未收回"):
        release.submit(line.ctx(MANAGER), made, made.version)
    assert Amounts(*figures.open_of(figures.shares_of(line.session, case)[0])).total == case.balance
