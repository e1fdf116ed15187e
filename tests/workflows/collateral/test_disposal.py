"""7.4: an asset is sold after approval; its price goes down the order, the pledges end and nobody is short by it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
)
from models.base.paper import PaperState
from models.collateral.asset import PriorClaim
from models.collateral.change import PledgeChange, PledgeChangeKind
from models.collateral.custody import CustodyKind, CustodyPaper
from models.collateral.disposal import (
    CollateralDisposal,
    DisposalCause,
    DisposalRound,
    DisposalShare,
    DisposalWay,
)
from models.guarantee.project import Stage
from models.guarantee.signing import CounterGuarantee, CounterKind
from reports.base.asked import Asked
from reports.collateral import book
from reports.figures import collateral
from reports.workbench.todo_source import TodoKind
from tests.workflows.collateral.test_custody import (
    KEEPER,
    place,
    standing,
    through,
    title,
    waits,
)
from tests.workflows.collateral.test_pledge import building, kind, mortgage, valued
from tests.workflows.guarantee.factories import MANAGER, MILLION
from workflows.base import records
from workflows.collateral import change, disposal, pledge, registration, revaluation

STAGES = (Stage.COUNTER, Stage.IN_FORCE)


def paper(line, project, asset, price, **facts):
    values = {
        "project_id": project.id,
        "collateral_id": asset.id,
        "cause": DisposalCause.REPAY,
        "way": DisposalWay.AUCTION,
        "reserve_price": price,
        "reason": "客户出售厂房归还借款",
        **facts,
    }
    return records.create(line.ctx(MANAGER), CollateralDisposal, values)


def approved(line, project, asset, price, **facts):
    made = paper(line, project, asset, price, **facts)
    disposal.PAPER.submit(line.ctx(MANAGER), made)
    line.approve(made)
    return made


def sold(line, made, price, costs=Decimal(0), **facts):
    given = {"buyer": "江州恒通公司", "on": line.today, "evidence": "成交确认书 7 号", **facts}
    return disposal.sell(line.ctx(KEEPER), made, price=price, costs=costs, **given)


def uncovered(project):
    """A product that asks for no cover: what is sold is not missed."""
    project.product.coverage_min_pct = Decimal(0)


def another(line, project, asset, amount):
    """A second mortgage of the project in force on the same asset, as a renewal or a change would have made it."""
    item = CounterGuarantee(
        project=project,
        kind=CounterKind.MORTGAGE,
        asset_kind="PLANT",
        name="二押",
        appraised_value=asset.value,
        rate_pct=asset.rate_pct,
        recognised_value=amount,
        state=PaperState.APPROVED,
    )
    line.session.add(item)
    line.session.flush()
    return pledge.take(line.ctx(KEEPER), item, asset, amount, None)


def test_the_price_goes_down_the_order_and_every_pledge_ends(line):
    project, asset, made = standing(line)
    title(line, asset)
    through(line, asset, CustodyKind.IN, place(line))
    valued(line, asset, 20 * MILLION, line.today)
    first = {
        "collateral_id": asset.id,
        "creditor": "江州银行",
        "rank": 1,
        "amount": MILLION,
        "registered_on": line.today - timedelta(400),
    }
    records.create(line.ctx(KEEPER), PriorClaim, first)
    uncovered(project)
    registered = registration.register(line.ctx(KEEPER), made, "D1", made.amount, line.today)
    sale = approved(line, project, asset, 14 * MILLION)
    assert project.number in sale.effect
    assert waits(line, KEEPER, TodoKind.DISPOSE) == [sale.id]
    with pytest.raises(NotAllowed):
        disposal.sell(
            line.ctx(MANAGER),
            sale,
            buyer="某",
            price=15 * MILLION,
            costs=Decimal(0),
            on=line.today,
            evidence="x",
        )
    disposal.pass_over(line.ctx(KEEPER), sale, 18 * MILLION, line.today, "无人报名")
    sold(line, sale, 15 * MILLION, 200_000 * Decimal(1), version=sale.version)
    parts = line.session.scalars(select(DisposalShare).order_by(DisposalShare.seq)).all()
    owed = min(made.amount, project.balance)
    assert [(one.payee, one.amount) for one in parts] == [
        ("处置费用", Decimal(200_000)),
        ("江州银行", MILLION),
        (f"本公司 · {project.number}", owed),
        ("所有权人", 15 * MILLION - 200_000 - MILLION - owed),
    ]
    rounds = line.session.scalars(select(DisposalRound).order_by(DisposalRound.no)).all()
    assert [(one.no, one.is_sold) for one in rounds] == [(1, False), (2, True)]
    assert (asset.disposed_on, made.released_reason) == (
        line.today,
        f"押品处置 {sale.number} 成交",
    )
    assert made.counter_guarantee.released_on == line.today
    assert collateral.claims(line.session, [asset.id]) == {asset.id: []}
    assert waits(line, KEEPER, TodoKind.DISPOSE) == []
    assert waits(line, KEEPER, TodoKind.STRIKE_OUT) == [registered.id]
    (leaving,) = line.session.scalars(select(CustodyPaper).where(CustodyPaper.is_follow_up)).all()
    assert (leaving.kind, leaving.collateral_id) == (CustodyKind.OUT, asset.id)
    told = book.standings(Asked(line.session, line.ctx().actor, line.today, {}))
    assert {one.asset.id: one.state.label for one in told}[asset.id] == "已处置"


def test_what_was_sold_is_neither_pledged_nor_valued_nor_changed(line):
    project, asset, _ = standing(line)
    uncovered(project)
    sale = approved(line, project, asset, asset.value)
    counter = line.at(Stage.COUNTER)
    with pytest.raises(BusinessError, match=f"正在处置（{sale.number}）"):
        pledge.pledge_to(line.ctx(MANAGER), asset, counter, CounterKind.MORTGAGE)
    sold(line, sale, asset.value)
    with pytest.raises(BusinessError, match=f"已于 {line.today} 处置"):
        pledge.pledge_to(line.ctx(MANAGER), asset, counter, CounterKind.MORTGAGE)
    with pytest.raises(FieldErrors, match="不再估值"):
        valued(line, asset, MILLION, line.today)
    line.later(days=1)
    assert revaluation.by_index(line.ctx(KEEPER), kind(line), Decimal(5), "指数") == 0
    records.update(line.ctx(KEEPER), asset, {"note": "已过户"}, asset.version)
    with pytest.raises(Conflict, match="只能修改备注"):
        records.update(line.ctx(KEEPER), asset, {"location": "他处"}, asset.version)


def test_nothing_is_sold_that_leaves_a_project_short(line):
    project, asset, made = standing(line)
    value = asset.value
    records.create(
        line.ctx(KEEPER),
        PriorClaim,
        {"collateral_id": asset.id, "creditor": "他行", "rank": 1, "amount": value},
    )
    sale = paper(line, project, asset, value)
    with pytest.raises(BusinessError, match=r"分得 0\.00 元，还款后在保 .*低于产品要求的 70%"):
        disposal.PAPER.submit(line.ctx(MANAGER), sale)
    after = paper(line, project, asset, value, cause=DisposalCause.COMPENSATED)
    disposal.PAPER.submit(line.ctx(MANAGER), after)  # what it lacks is what it is sold for
    assert "低于产品要求" in after.effect
    with pytest.raises(BusinessError, match=f"押品处置 {after.number} 尚未办结"):
        disposal.PAPER.submit(line.ctx(MANAGER), sale)
    assert made.released_on is None


def test_the_price_is_measured_by_a_present_value(line):
    project, asset, _ = standing(line)
    uncovered(project)
    least = asset.value * Decimal("0.7")
    cheap = paper(line, project, asset, (least - 1).quantize(Decimal("0.01")))
    with pytest.raises(BusinessError, match="处置底价低于评估价值的规定比例"):
        disposal.PAPER.submit(line.ctx(MANAGER), cheap)
    line.today = asset.next_value_on + timedelta(1)
    late = paper(line, project, asset, asset.value)
    with pytest.raises(BusinessError, match="没有有效的估值，请先评估"):
        disposal.PAPER.submit(line.ctx(MANAGER), late)


def test_an_application_that_stands_on_the_asset_comes_first(line):
    project, asset, made = standing(line)
    valued(line, asset, asset.value * 3, line.today)
    uncovered(project)
    early = line.at(Stage.COUNTER)
    item = mortgage(line, early)
    pledge.link(line.ctx(KEEPER), item, asset, MILLION)
    with pytest.raises(FieldErrors, match="尚未放款"):
        paper(line, early, asset, asset.value)
    with pytest.raises(FieldErrors, match="为本项目设押的押品"):
        paper(line, project, building(line), MILLION)
    sale = paper(line, project, asset, asset.value)
    with pytest.raises(BusinessError, match=f"尚未放款的项目 {early.number}"):
        disposal.PAPER.submit(line.ctx(MANAGER), sale)
    pledge.unlink(line.ctx(MANAGER), item, "押品将出售")
    values = {
        "project_id": project.id,
        "kind": PledgeChangeKind.REDUCE,
        "pledge_id": made.id,
        "kept_amount": made.amount - 1,
        "reason": "减少占用",
    }
    lesser = records.create(line.ctx(MANAGER), PledgeChange, values)
    change.PAPER.submit(line.ctx(MANAGER), lesser)
    with pytest.raises(BusinessError, match=f"押品变更 {lesser.number} 正在审批"):
        disposal.PAPER.submit(line.ctx(MANAGER), sale)


def test_a_sale_keeps_to_what_was_approved_and_may_be_given_up(line):
    project, asset, made = standing(line)
    uncovered(project)
    price, keeper = asset.value, line.ctx(KEEPER)
    draft = paper(line, project, asset, price)
    with pytest.raises(Conflict, match="已办结或未批准"):
        disposal.pass_over(keeper, draft, price, line.today, "无人报名")
    disposal.PAPER.submit(line.ctx(MANAGER), draft)
    line.approve(draft)
    with pytest.raises(FieldErrors) as error:
        disposal.pass_over(keeper, draft, price - 1, line.today + timedelta(1), "无人报名")
    assert error.value.field_errors.keys() == {"asked_price", "on"}
    with pytest.raises(FieldErrors) as error:
        sold(line, draft, price - 1, price, on=line.today + timedelta(1))
    assert error.value.field_errors.keys() == {"price", "costs", "on"}
    disposal.drop(keeper, draft, "两次流拍，改为协商", draft.version)
    assert (draft.state, made.released_on) == (PaperState.VOID, None)
    assert "终止：两次流拍" in draft.reason
    with pytest.raises(IllegalTransition, match="已作废"):
        disposal.drop(keeper, draft, "再来一次")
    done = approved(line, project, asset, price)
    sold(line, done, price)
    with pytest.raises(Conflict, match="已办结"):
        disposal.drop(keeper, done, "反悔")


def test_what_was_set_free_meanwhile_is_not_sold_by_us(line):
    project, asset, made = standing(line)
    uncovered(project)
    sale = approved(line, project, asset, asset.value)
    pledge.release(line.ctx(KEEPER), made, "测试")
    line.session.flush()
    with pytest.raises(BusinessError, match="设押已全部解除"):
        sold(line, sale, asset.value)


def test_what_was_pledged_at_the_very_moment_of_the_submission_is_not_sold_unseen(line):
    project, asset, _ = standing(line)
    valued(line, asset, asset.value * 3, line.today)
    uncovered(project)
    sale = approved(line, project, asset, asset.value)
    item = mortgage(line, line.at(Stage.COUNTER))
    pledge.take(line.ctx(KEEPER), item, asset, MILLION, None)
    with pytest.raises(BusinessError, match="还用于尚未放款的项目"):
        sold(line, sale, asset.value)
    assert asset.disposed_on is None


def test_each_of_two_projects_is_looked_at_and_served_by_rank(line):
    project, asset, made = standing(line)
    valued(line, asset, asset.value * 4, line.today)
    second = line.project_at(Stage.IN_FORCE)
    late = another(line, second, asset, 2 * MILLION)
    sale = approved(line, project, asset, asset.value)
    own, other = disposal.effects(line.ctx(), sale)
    assert (own.project, other.project) == (project, second)
    assert other.amount == min(late.amount, second.balance)
    assert other.cover.owed == second.balance - other.amount
    assert not own.is_short
    sold(line, sale, asset.value)
    assert {made.released_on, late.released_on} == {line.today}
    assert disposal.effects(line.ctx(), sale) == []
    assert disposal.assets_of(line.ctx(), project) == set()
