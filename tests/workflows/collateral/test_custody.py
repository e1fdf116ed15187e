"""7.1, 7.4: registered, insured, in the vault, lent and back; out once nothing stands on it, and the project ends."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.after.warning import RiskWarning, WarningRule, WarningState
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.base.paper import PaperState
from models.collateral.asset import CollateralCertificate, CustodyState, PriorClaim
from models.collateral.change import PledgeChange, PledgeChangeKind
from models.collateral.custody import CustodyKind, CustodyMove, CustodyPaper
from models.collateral.kind import Registry, StoragePlace
from models.collateral.pledge import CollateralPledge
from models.collateral.registration import CollateralInsurance, RegistrationState
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import ProjectState, Stage
from models.guarantee.release import Release
from models.guarantee.signing import CounterGuarantee, CounterKind
from models.system.setup import Parameter
from reports.figures import collateral
from reports.workbench.todo import todos, waiting
from reports.workbench.todo_source import TodoKind
from tests.workflows.collateral.test_pledge import (
    KEEPER,
    building,
    kind,
    mortgage,
    room,
    valued,
)
from tests.workflows.guarantee.factories import ACCOUNTANT, MANAGER, MILLION, RISK_HEAD
from tests.workflows.guarantee.test_renewal import facts_of
from workflows.after import warning
from workflows.base import records
from workflows.collateral import change, custody, pledge, registration
from workflows.collateral import warning as _checks  # noqa: F401 - its checks are looked at by rule
from workflows.guarantee import application, counters, release, renewal, repayment
from workflows.guarantee.repayment import Paid

STAGES = (Stage.COUNTER, Stage.IN_FORCE)


def place(line):
    values = {"name": "一号保险柜", "keeper_id": line.id(KEEPER)}
    return records.create(line.ctx(KEEPER), StoragePlace, values)


def title(line, asset, number="浙（2026）不动产权第1号", **facts):
    values = {"collateral_id": asset.id, "kind": "TITLE", "number": number, **facts}
    return records.create(line.ctx(KEEPER), CollateralCertificate, values)


def paper(line, asset, kind, **facts):
    values = {"collateral_id": asset.id, "kind": kind, "reason": "按制度办理", **facts}
    return records.create(line.ctx(MANAGER), CustodyPaper, values)


def through(line, asset, kind, where=None, **facts):
    """A paper from its draft to the ledger."""
    made = paper(line, asset, kind, **facts)
    custody.submit(line.ctx(MANAGER), made)
    line.approve(made)
    return custody.carry_out(line.ctx(KEEPER), made, "王磊", where, version=made.version)


def standing(line):
    """An asset behind the standing project in force: linked to its approved mortgage."""
    project = line.at(Stage.IN_FORCE)
    query = select(CounterGuarantee).where(
        CounterGuarantee.project_id == project.id, CounterGuarantee.appraised_value.is_not(None)
    )
    item = line.session.scalars(query.order_by(CounterGuarantee.id)).first()
    value = (item.recognised_value / Decimal("0.6")).quantize(Decimal("0.01")) + 1
    asset = building(line, value=value, customer_id=project.customer_id)
    return project, asset, pledge.link(line.ctx(KEEPER), item, asset)


def repaid(line, project):
    """The release of a project that is repaid early."""
    allowed = select(Parameter).where(Parameter.code == "repayment.early_allowed")
    line.session.scalars(allowed).one().value = "是"
    line.session.flush()
    line.later(days=31)
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    paid = Paid(line.today, loan.balance, Decimal(0), is_final=True)
    repayment.register(line.ctx(MANAGER), loan, paid)
    return records.create(line.ctx(MANAGER), Release, {"project_id": project.id})


def waits(line, who, kind):
    ctx = line.ctx(who)
    found = todos(line.session, ctx.actor, waiting(line.session, ctx.actor, ctx.now, ctx.today))
    return [one.record_id for one in found if one.kind is kind]


def test_originals_come_in_are_lent_and_come_back_by_papers_that_are_approved(line):
    asset, vault = building(line), place(line)
    deed = title(line, asset)
    made = paper(line, asset, CustodyKind.IN)
    with pytest.raises(NotAllowed):
        custody.carry_out(line.ctx(MANAGER), made, "王磊", vault)
    with pytest.raises(Conflict, match="现在不能办理"):
        custody.carry_out(line.ctx(KEEPER), made, "王磊", vault)
    custody.submit(line.ctx(MANAGER), made)
    line.give_back(made)
    assert made.state is PaperState.DRAFT
    custody.submit(line.ctx(MANAGER), made)
    line.approve(made)
    assert waits(line, KEEPER, TodoKind.CUSTODY) == [made.id]
    with pytest.raises(FieldErrors, match="请选择库位"):
        custody.carry_out(line.ctx(KEEPER), made, "王磊")
    (first,) = custody.carry_out(line.ctx(KEEPER), made, "王磊", vault, version=made.version)
    assert (deed.state, deed.place, deed.holder_id) == (
        CustodyState.STORED,
        vault,
        line.id(KEEPER),
    )
    with pytest.raises(BusinessError, match="没有“未入库”的权证可以入库"):
        custody.submit(line.ctx(MANAGER), paper(line, asset, CustodyKind.IN))
    until = line.today + timedelta(5)
    loan = {"borrower_id": line.id(RISK_HEAD), "due_on": until}
    (second,) = through(line, asset, CustodyKind.LEND, **loan)
    assert (deed.state, deed.holder_id, deed.due_on) == (
        CustodyState.LENT,
        line.id(RISK_HEAD),
        until,
    )
    line.later(days=2)
    (third,) = through(line, asset, CustodyKind.BACK, vault, certificate_id=deed.id)
    assert (deed.state, deed.held_since, deed.due_on) == (CustodyState.STORED, line.today, None)
    told = line.session.scalars(select(CustodyMove).order_by(CustodyMove.id)).all()
    assert told == [first, second, third]
    with pytest.raises(Conflict, match="在库，不能删除"):
        records.delete(line.ctx(KEEPER), deed, deed.version)
    with pytest.raises(FieldErrors, match="在库，不能修改"):
        records.update(line.ctx(KEEPER), deed, {"number": "另一号"}, deed.version)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"kind": CustodyKind.LEND, "due_on": None}, "borrower_id"),
        ({"kind": CustodyKind.LEND, "borrower_id": 1, "due_on": -1}, "due_on"),
        ({"kind": CustodyKind.IN, "borrower_id": 1}, "kind"),
    ],
)
def test_a_paper_says_who_takes_what_and_until_when(line, facts, field):
    asset = building(line)
    if facts.get("due_on"):
        facts = {**facts, "due_on": line.today + timedelta(facts["due_on"])}
    with pytest.raises(FieldErrors) as error:
        paper(line, asset, **facts)
    assert field in error.value.field_errors
    other = title(line, building(line))
    with pytest.raises(FieldErrors, match="权证不属于这个押品"):
        paper(line, asset, CustodyKind.IN, certificate_id=other.id)


def test_a_draft_is_corrected_and_nothing_is_lent_to_who_has_left(line):
    asset = building(line)
    made = paper(line, asset, CustodyKind.IN)
    number = made.number
    records.update(line.ctx(MANAGER), made, {"reason": "客户送交"}, made.version)
    assert (made.number, made.reason) == (number, "客户送交")
    assert custody.why_not(line.ctx(MANAGER), made) == "没有“未入库”的权证可以入库"
    line.people[RISK_HEAD].is_active = False
    loan = {"borrower_id": line.id(RISK_HEAD), "due_on": line.today}
    with pytest.raises(FieldErrors, match="借用人已离职"):
        paper(line, asset, CustodyKind.LEND, **loan)


def test_the_keeper_says_where_and_when_and_not_before_the_last_move(line):
    asset, vault = building(line), place(line)
    title(line, asset)
    closed = records.create(line.ctx(KEEPER), StoragePlace, {"name": "旧库", "is_active": False})
    coming = paper(line, asset, CustodyKind.IN)
    custody.submit(line.ctx(MANAGER), coming)
    line.approve(coming)
    with pytest.raises(FieldErrors) as error:
        custody.carry_out(line.ctx(KEEPER), coming, "王磊", closed, line.today + timedelta(1))
    assert error.value.field_errors == {
        "place_id": ["库位“旧库”已停用"],
        "on": ["办理日期不能晚于营业日期"],
    }
    custody.carry_out(line.ctx(KEEPER), coming, "王磊", vault)
    loan = {"borrower_id": line.id(RISK_HEAD), "due_on": line.today + timedelta(9)}
    lent = paper(line, asset, CustodyKind.LEND, **loan)
    custody.submit(line.ctx(MANAGER), lent)
    line.approve(lent)
    with pytest.raises(FieldErrors, match="不能早于上一次出入库的日期"):
        custody.carry_out(line.ctx(KEEPER), lent, "孙涛", None, line.today - timedelta(1))
    with pytest.raises(FieldErrors, match="借出不填库位"):
        custody.carry_out(line.ctx(KEEPER), lent, "孙涛", vault)
    custody.carry_out(line.ctx(KEEPER), lent, "孙涛")
    with pytest.raises(Conflict, match="已办理，不能作废"):
        custody.drop(line.ctx(KEEPER), lent, "不借了")


def test_what_is_pledged_again_before_it_has_left_stays(line):
    asset = building(line)
    title(line, asset)
    through(line, asset, CustodyKind.IN, place(line))
    leaving = paper(line, asset, CustodyKind.OUT)
    custody.submit(line.ctx(MANAGER), leaving)
    line.approve(leaving)
    project = line.at(Stage.COUNTER)
    pledge.pledge_to(line.ctx(MANAGER), asset, project, CounterKind.MORTGAGE, amount=MILLION)
    with pytest.raises(BusinessError, match=f"还不能办理：押品仍为项目 {project.number} 设押"):
        custody.carry_out(line.ctx(KEEPER), leaving, "李晓明")


def test_what_was_approved_and_is_not_wanted_any_more_is_dropped(line):
    asset = building(line)
    title(line, asset)
    made = paper(line, asset, CustodyKind.IN)
    custody.submit(line.ctx(MANAGER), made)
    line.approve(made)
    with pytest.raises(BusinessError, match=f"单据 {made.number} 尚未办结"):
        custody.submit(line.ctx(MANAGER), paper(line, asset, CustodyKind.IN))
    custody.drop(line.ctx(KEEPER), made, "重复申请", made.version)
    assert made.state is PaperState.VOID


def test_originals_leave_only_after_the_release_and_the_project_ends_when_they_have(line):
    project, asset, made = standing(line)
    deed, vault = title(line, asset), place(line)
    through(line, asset, CustodyKind.IN, vault)
    early = paper(line, asset, CustodyKind.OUT)
    with pytest.raises(BusinessError, match=f"仍为项目 {project.number} 设押"):
        custody.submit(line.ctx(MANAGER), early)
    registered = registration.register(line.ctx(KEEPER), made, "浙证明1号", made.amount, line.today)
    with pytest.raises(BusinessError, match="之后才能注销登记"):
        registration.cancel(line.ctx(KEEPER), registered, "凭证", line.today)
    records.delete(line.ctx(MANAGER), early, early.version)
    paper_ = repaid(line, project)
    release.submit(line.ctx(MANAGER), paper_)
    line.approve(paper_)
    line.book(project)
    assert (made.released_on, project.state) == (line.today, ProjectState.IN_FORCE)
    assert release.waits_for(line.ctx(KEEPER), paper_) == [f"权证 {deed.number} 在库，待出库"]
    (out,) = waits(line, KEEPER, TodoKind.UNSENT)
    leaving = line.session.get_one(CustodyPaper, out)
    assert leaving.kind is CustodyKind.OUT
    custody.submit(line.ctx(MANAGER), leaving)  # the keeper's own department has no head here
    line.approve(leaving)
    custody.carry_out(line.ctx(KEEPER), leaving, "李晓明", version=leaving.version)
    assert (deed.state, project.state) == (CustodyState.GONE, ProjectState.RELEASED)
    assert waits(line, KEEPER, TodoKind.STRIKE_OUT) == [registered.id]
    registration.cancel(line.ctx(KEEPER), registered, "注销回执 7 号", line.today)
    assert registered.state is RegistrationState.CANCELLED
    assert waits(line, KEEPER, TodoKind.STRIKE_OUT) == []


def test_a_registration_has_number_amount_and_term_and_settles_what_was_approved(line):
    project, asset = line.at(Stage.COUNTER), building(line, value=20 * MILLION)
    item = mortgage(line, project, appraised_value=10 * MILLION)
    made = pledge.link(line.ctx(MANAGER), item, asset, 6 * MILLION)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    ctx = line.ctx(KEEPER)
    with pytest.raises(FieldErrors) as error:
        registration.register(
            ctx,
            made,
            "A1",
            MILLION,
            line.today + timedelta(1),
            office=Registry.MOVABLES,
        )
    assert error.value.field_errors.keys() == {"amount", "registered_on", "expires_on"}
    first = registration.register(ctx, made, "A1", 6 * MILLION, line.today)
    assert (first.office, item.is_settled) == (Registry.REAL_ESTATE, True)
    assert item.settled_evidence == "不动产登记机构登记 A1"
    with pytest.raises(FieldErrors, match="A1 已登记"):
        registration.register(ctx, made, "A1", 6 * MILLION, line.today)
    until = line.today + timedelta(400)
    registration.renew(ctx, first, until, "A2", first.version)
    assert (first.number, first.expires_on, first.renewals) == ("A2", until, 1)
    with pytest.raises(FieldErrors, match="晚于原到期日"):
        registration.renew(ctx, first, until)
    with pytest.raises(NotAllowed):
        registration.renew(line.ctx(ACCOUNTANT), first, until + timedelta(1))


def test_a_registration_is_refused_where_it_cannot_hold(line):
    project, asset = line.at(Stage.COUNTER), building(line, value=20 * MILLION)
    item = mortgage(line, project)
    made = pledge.link(line.ctx(MANAGER), item, asset, MILLION)
    keeper, today = line.ctx(KEEPER), line.today
    with pytest.raises(FieldErrors, match="登记到期日应晚于登记日期"):
        registration.register(keeper, made, "C1", MILLION, today, expires_on=today)
    with pytest.raises(FieldErrors, match="厂房不办理登记"):
        registration.register(keeper, made, "C1", MILLION, today, office=Registry.NONE)
    first = registration.register(keeper, made, "C1", MILLION, today)
    second = registration.register(keeper, made, "C2", MILLION, today)
    until = today + timedelta(90)
    with pytest.raises(FieldErrors, match="登记证明 C2 已登记"):
        registration.renew(keeper, first, until, "C2")
    pledge.unlink(line.ctx(MANAGER), item, "换押")
    for on in (today - timedelta(1), today + timedelta(1)):
        with pytest.raises(FieldErrors, match="注销日期不能早于登记日期"):
            registration.cancel(keeper, second, "回执", on)
    registration.cancel(keeper, second, "回执", today)
    with pytest.raises(BusinessError, match="已注销，不能展期"):
        registration.renew(keeper, second, until)
    with pytest.raises(BusinessError, match="设押已解除，不能登记"):
        registration.register(keeper, made, "C3", MILLION, today)


def test_what_is_registered_by_law_is_settled_by_its_registration_alone(line):
    """反担保落实: no word of a clerk stands for the registration; a deposit receipt needs none."""
    asked = select(Parameter).where(Parameter.code == registration.REQUIRED)
    line.session.scalars(asked).one().value = "是"
    line.session.flush()
    project, asset = line.at(Stage.COUNTER), building(line, value=20 * MILLION)
    item = mortgage(line, project, appraised_value=10 * MILLION)
    receipt = mortgage(line, project, kind=CounterKind.PLEDGE, asset_kind="DEPOSIT_RECEIPT")
    deposit = mortgage(line, project, kind=CounterKind.DEPOSIT, asset_kind=None, name="保证金")
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    keeper, said = line.ctx(KEEPER), ("登记证明 1 号", line.today)
    for free in (receipt, deposit):
        counters.settle(keeper, free, *said)
    with pytest.raises(BusinessError, match="厂房须办理抵质押登记，请先关联押品"):
        counters.settle(keeper, item, *said)
    made = pledge.link(keeper, item, asset)
    with pytest.raises(BusinessError, match="没有有效的抵质押登记"):
        counters.settle(keeper, item, *said)
    until = line.today + timedelta(1)
    registration.register(keeper, made, "E1", made.amount, line.today, expires_on=until)
    assert (item.is_settled, item.settled_evidence) == (True, "不动产登记机构登记 E1")
    item.is_settled = False
    assert counters.why_not_settle(keeper, item) == ""
    line.later(days=2)
    assert "没有有效的抵质押登记" in counters.why_not_settle(line.ctx(KEEPER), item)
    records.update(line.ctx(), kind(line), {"office": Registry.NONE}, kind(line).version)
    assert counters.why_not_settle(line.ctx(KEEPER), item) == ""


def test_what_takes_the_place_of_another_asset_is_settled_by_its_registration(line):
    asked = select(Parameter).where(Parameter.code == registration.REQUIRED)
    line.session.scalars(asked).one().value = "是"
    line.session.flush()
    project, _, made = standing(line)
    other = building(line, value=20 * MILLION, customer_id=project.customer_id)
    values = {
        "project_id": project.id,
        "kind": PledgeChangeKind.REPLACE,
        "pledge_id": made.id,
        "new_collateral_id": other.id,
        "new_amount": made.amount,
        "reason": "置换",
    }
    swap = records.create(line.ctx(MANAGER), PledgeChange, values)
    change.PAPER.submit(line.ctx(MANAGER), swap)
    line.approve(swap)
    (new,) = collateral.pledges(line.session, [other.id])
    assert not new.counter_guarantee.is_settled
    registration.register(line.ctx(KEEPER), new, "F1", new.amount, line.today)
    assert new.counter_guarantee.settled_evidence == "不动产登记机构登记 F1"


def test_a_renewal_takes_over_only_what_still_holds(line):
    """An asset that is disputed or used up does not come along; what stands on no asset comes as it is."""
    project, asset, made = standing(line)
    pledge.release(line.ctx(KEEPER), made, "测试")
    line.session.flush()
    loose = renewed(line, project, "ROLLOVER")
    (item,) = renewal.take_over(line.ctx(MANAGER), loose)
    assert pledge.of(line.ctx(), item) is None
    made.released_on = made.released_reason = None
    records.delete(line.ctx(MANAGER), item, item.version)
    records.update(line.ctx(KEEPER), asset, {"seizure": "江州法院查封"}, asset.version)
    with pytest.raises(BusinessError, match="还不能设押：有查封"), line.session.begin_nested():
        renewal.take_over(line.ctx(MANAGER), loose)
    records.update(line.ctx(KEEPER), asset, {"seizure": None}, asset.version)
    claim = {"collateral_id": asset.id, "creditor": "他行", "rank": 1, "amount": asset.value}
    records.create(line.ctx(KEEPER), PriorClaim, claim)
    with pytest.raises(BusinessError, match="价值已被占用"), line.session.begin_nested():
        renewal.take_over(line.ctx(MANAGER), loose)


def test_warnings_say_what_is_lost_late_or_about_to_end(line):
    project, asset, made = standing(line)
    title(line, asset, expires_on=line.today + timedelta(20))
    registration.register(
        line.ctx(KEEPER),
        made,
        "B1",
        made.amount,
        line.today,
        expires_on=line.today + timedelta(10),
    )
    valued(line, asset, (asset.value * Decimal("0.75")).quantize(Decimal("0.01")), line.today)
    records.update(line.ctx(KEEPER), asset, {"seizure": "江州法院查封"}, asset.version)
    line.later(days=16)
    warning.evaluate(line.ctx())
    query = (
        select(WarningRule.code)
        .join(RiskWarning, RiskWarning.rule_id == WarningRule.id)
        .where(
            RiskWarning.project_id == project.id,
            RiskWarning.state != WarningState.LIFTED,
            WarningRule.rank >= 200,
        )
    )
    assert sorted(line.session.scalars(query)) == [
        "certificate_due",
        "certificate_out",
        "collateral_drop",
        "collateral_seized",
        "collateral_short",
        "insurance_due",
        "registration_due",
    ]
    policy = {
        "collateral_id": asset.id,
        "insurer": "人保",
        "policy_no": "P1",
        "insured_amount": MILLION,
        "starts_on": line.today,
        "ends_on": line.today + timedelta(365),
        "is_first": True,
    }
    short = {**policy, "ends_on": line.today - timedelta(1)}
    with pytest.raises(FieldErrors, match="不能早于起始日"):
        records.create(line.ctx(KEEPER), CollateralInsurance, short)
    records.create(line.ctx(KEEPER), CollateralInsurance, policy)
    warning.evaluate(line.ctx())
    assert "insurance_due" not in set(line.session.scalars(query))
    assert line.session.scalars(select(CollateralPledge)).one() is made


def renewed(line, project, kind, stage=Stage.COUNTER):
    """An application that renews the project, brought on to a stage."""
    made = renewal.renew(line.ctx(MANAGER), project, facts_of(project, renewal_kind=kind))
    application.submit(line.ctx(MANAGER), made)
    while made.stage is not stage:
        line.step(made)
    return made


def test_a_renewal_takes_the_asset_over_and_the_old_release_does_not_free_it(line):
    """无还本续贷: both stand on the plant, counted once; the release of the former leaves it where it is."""
    project, asset, made = standing(line)
    title(line, asset)
    through(line, asset, CustodyKind.IN, place(line))
    amount, left = made.amount, room(line, asset).left
    line.later(days=20)
    new = renewed(line, project, "ROLLOVER")
    renewal.take_over(line.ctx(MANAGER), new)
    (mine,) = [one for one in collateral.pledges(line.session, [asset.id]) if one is not made]
    assert (mine.project, mine.amount, room(line, asset).left) == (new, amount, left)
    item = mine.counter_guarantee
    worth = collateral.worth(line.session, [item, made.counter_guarantee])
    assert set(worth.values()) == {amount}
    with pytest.raises(FieldErrors, match="最多还能占用"):
        pledge.link(line.ctx(KEEPER), mortgage(line, new), asset, left + Decimal("0.01"))
    while new.stage is not Stage.CONFIRM:
        line.step(new)
    line.confirm(new)
    paper_ = line.session.scalars(select(Release)).one()
    release.submit(line.ctx(MANAGER), paper_)
    line.approve(paper_)
    assert (made.released_on, mine.released_on) == (line.today, None)
    assert room(line, asset).left == left
    outs = select(CustodyPaper).where(CustodyPaper.kind == CustodyKind.OUT)
    assert line.session.scalars(outs).all() == []
    assert custody.standing(line.ctx(), asset.id) == [new.number]


def test_a_loan_beside_the_old_one_takes_over_no_value(line):
    """另行新增: what the former project holds by its value counts there, and is not counted twice."""
    project, asset, made = standing(line)
    new = renewed(line, project, "ALONGSIDE")
    offered = renewal.offered(line.session, new)
    assert not [item for item in offered if item.kind.needs_value]
    free = pledge.link(line.ctx(KEEPER), mortgage(line, new), asset)
    assert free.amount + made.amount == room(line, asset).lendable


def test_of_a_renewed_asset_each_gets_what_it_stands_on(line):
    """After a fall of value both are short by the same, and nobody else is served out of it."""
    project, asset, made = standing(line)
    new = renewed(line, project, "ROLLOVER")
    renewal.take_over(line.ctx(MANAGER), new)
    valued(line, asset, asset.value / 2, line.today)
    found = collateral.claims(line.session, [asset.id])[asset.id]
    assert set(collateral.covered(asset, found).values()) == {room(line, asset).lendable}
    assert len(found) == 2
    assert made.amount > room(line, asset).lendable
