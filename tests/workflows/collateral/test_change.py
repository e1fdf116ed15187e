"""7.2, 7.4: values fall and the shortfall is told; parts go free and assets change places only while cover holds."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, FieldErrors
from models.base.paper import PaperState
from models.collateral.asset import Valuation, ValuationMethod
from models.collateral.change import PledgeChange, PledgeChangeKind
from models.collateral.custody import CustodyKind, CustodyPaper
from models.collateral.watch import AssetCondition, CollateralWatch, WatchState
from models.guarantee.project import Stage
from reports.base.asked import Asked
from reports.collateral import book, shortfall
from reports.figures import collateral
from reports.workbench.todo import steps_of
from reports.workbench.todo_source import TodoKind
from tests.workflows.collateral.test_custody import (
    KEEPER,
    place,
    standing,
    through,
    title,
    waits,
)
from tests.workflows.collateral.test_pledge import building, kind, mortgage, room
from tests.workflows.guarantee.factories import MANAGER, MILLION
from workflows.base import records
from workflows.collateral import change, custody, pledge, revaluation, watch

STAGES = (Stage.COUNTER, Stage.IN_FORCE)
Kind = PledgeChangeKind


def paper(line, made, kind_, **facts):
    values = {
        "project_id": made.project_id,
        "kind": kind_,
        "pledge_id": made.id,
        "reason": "客户申请",
        **facts,
    }
    return records.create(line.ctx(MANAGER), PledgeChange, values)


def passed(line, made):
    change.PAPER.submit(line.ctx(MANAGER), made)
    line.approve(made)


def asked(line, **values):
    return Asked(line.session, line.ctx().actor, line.today, values)


def test_a_fall_by_index_gives_the_shortfall_to_the_fen(line):
    project, asset, made = standing(line)
    others = [building(line, value=(n + 1) * MILLION) for n in range(5)]
    assert not list(shortfall.shortages(asked(line)))
    before = asset.value
    count = revaluation.by_index(line.ctx(KEEPER), kind(line), Decimal(-30), "江州房价指数")
    assert count == len(others) + 1
    assert asset.value == (before * Decimal("0.7")).quantize(Decimal("0.01"))
    lost = made.amount - (asset.value * Decimal("0.6")).quantize(Decimal("0.01"))
    (short,) = shortfall.shortages(asked(line))
    assert (short.project, short.lost) == (project, lost)
    line_ = shortfall.lines(asked(line)).lines[0]
    assert line_.values["lost"] == lost
    told = select(Valuation).where(Valuation.method == ValuationMethod.INDEX)
    assert {one.basis for one in line.session.scalars(told)} == {"江州房价指数（-30%）"}
    assert revaluation.by_index(line.ctx(KEEPER), kind(line), Decimal(-30), "再来一次") == 0
    with pytest.raises(FieldErrors, match="不能达到 100%"):
        revaluation.by_index(line.ctx(KEEPER), kind(line), Decimal(-100), "指数")


def test_the_book_tells_how_each_asset_stands(line):
    _, asset, _ = standing(line)
    free = building(line)
    told = {one.asset.id: one.state.label for one in book.standings(asked(line))}
    assert (told[asset.id], told[free.id]) == ("在押", "未设押")
    revaluation.by_index(line.ctx(KEEPER), kind(line), Decimal(-50), "指数")
    told = {one.asset.id: one.state.label for one in book.standings(asked(line))}
    assert told[asset.id] == "价值不足"
    found = book.shares(asked(line, by="owner"))
    assert [one.values["name"] for one in found.lines] == ["李晓明"]
    assert found.lines[0].values["ours"] == sum(
        one.room.ours for one in book.standings(asked(line))
    )


def test_a_part_goes_free_while_cover_holds(line):
    project, asset, made = standing(line)
    left = room(line, asset).left
    with pytest.raises(FieldErrors, match="小于现占用价值"):
        paper(line, made, Kind.REDUCE, kept_amount=made.amount)
    cover = collateral.cover(line.session, project)
    spare = cover.worth - (cover.owed * cover.least_pct / 100).quantize(Decimal("0.01"))
    tight = paper(line, made, Kind.REDUCE, kept_amount=made.amount - spare - Decimal("0.01"))
    if spare + Decimal("0.01") < made.amount:
        with pytest.raises(BusinessError, match=r"差 0\.01 元"):
            change.PAPER.submit(line.ctx(MANAGER), tight)
    given = min(spare, made.amount / 2).quantize(Decimal("0.01"))
    fine = paper(line, made, Kind.REDUCE, kept_amount=made.amount - given)
    passed(line, fine)
    assert (fine.state, room(line, asset).left) == (PaperState.APPROVED, left + given)
    assert made.counter_guarantee.recognised_value == made.amount


def test_a_change_says_what_its_kind_needs_and_nothing_else(line):
    _, _, made = standing(line)
    for kind_, facts, field in (
        (Kind.RELEASE, {"kept_amount": MILLION}, "kept_amount"),
        (Kind.REPLACE, {}, "new_collateral_id"),
        (Kind.REPLACE, {"new_collateral_id": building(line).id}, "new_amount"),
    ):
        with pytest.raises(FieldErrors) as error:
            paper(line, made, kind_, **facts)
        assert field in error.value.field_errors
    counter = line.at(Stage.COUNTER)
    early = pledge.link(line.ctx(MANAGER), mortgage(line, counter), building(line), MILLION)
    with pytest.raises(BusinessError, match=f"项目 {counter.number} 不在保"):
        paper(line, early, Kind.RELEASE)


def test_what_is_not_needed_goes_free_as_a_whole_and_its_originals_may_leave(line):
    project, asset, made = standing(line)
    title(line, asset)
    through(line, asset, CustodyKind.IN, place(line))
    whole = paper(line, made, Kind.RELEASE)
    with pytest.raises(BusinessError, match="变更后覆盖率"):
        change.PAPER.submit(line.ctx(MANAGER), whole)
    project.product.coverage_min_pct = Decimal(0)
    passed(line, whole)
    assert (made.released_reason, room(line, asset).ours) == (
        f"押品变更 {whole.number}：全部解除",
        0,
    )
    (leaving,) = line.session.scalars(select(CustodyPaper).where(CustodyPaper.is_follow_up)).all()
    assert (leaving.collateral_id, leaving.kind) == (asset.id, CustodyKind.OUT)
    assert custody.draft_out(line.ctx(), project, "再来一次") == []  # one paper is enough


def test_another_asset_takes_the_place(line):
    project, asset, made = standing(line)
    amount = made.amount
    other = building(line, value=20 * MILLION, customer_id=project.customer_id)
    with pytest.raises(FieldErrors, match="另一项押品"):
        paper(line, made, Kind.REPLACE, new_collateral_id=asset.id, new_amount=amount)
    with pytest.raises(FieldErrors, match="只有置换填写"):
        paper(line, made, Kind.RELEASE, new_amount=amount)
    too_much = paper(line, made, Kind.REPLACE, new_collateral_id=other.id, new_amount=13 * MILLION)
    with pytest.raises(BusinessError, match=r"剩余可用 12,000,000\.00 元"):
        change.PAPER.submit(line.ctx(MANAGER), too_much)
    swap = paper(line, made, Kind.REPLACE, new_collateral_id=other.id, new_amount=amount)
    passed(line, swap)
    (new,) = collateral.pledges(line.session, [other.id])
    assert (new.amount, new.project, new.rank) == (amount, project, 1)
    assert made.released_reason == f"押品变更 {swap.number}：置换"
    assert collateral.pledges(line.session, [asset.id]) == []
    assert new.counter_guarantee.is_settled


def spare_of(line, project):
    cover = collateral.cover(line.session, project)
    return cover.worth - (cover.owed * cover.least_pct / 100).quantize(Decimal("0.01"))


def test_a_pledge_is_changed_by_one_paper_at_a_time(line):
    project, asset, made = standing(line)
    big = (min(spare_of(line, project), made.amount) / 2).quantize(Decimal("0.01"))
    whole = made.amount
    one = paper(line, made, Kind.REDUCE, kept_amount=whole - big)
    two = paper(line, made, Kind.REDUCE, kept_amount=whole - big / 4)
    other = building(line, value=20 * MILLION, customer_id=project.customer_id)
    swap = paper(line, made, Kind.REPLACE, new_collateral_id=other.id, new_amount=whole)
    change.PAPER.submit(line.ctx(MANAGER), one)
    for late in (two, swap):
        with pytest.raises(BusinessError, match=f"同一设押的押品变更 {one.number} 正在审批"):
            change.PAPER.submit(line.ctx(MANAGER), late)
    line.approve(one)
    pledge.link(line.ctx(KEEPER), mortgage(line, line.at(Stage.COUNTER)), asset)  # all that is left
    with pytest.raises(FieldErrors, match="小于现占用价值"):
        change.PAPER.submit(line.ctx(MANAGER), two)
    assert (made.amount, room(line, asset).left) == (whole - big, 0)


def test_a_change_asks_once_more_when_it_takes_effect(line):
    project, _, made = standing(line)
    other = building(line, value=20 * MILLION, customer_id=project.customer_id)
    swap = paper(line, made, Kind.REPLACE, new_collateral_id=other.id, new_amount=made.amount)
    change.PAPER.submit(line.ctx(MANAGER), swap)
    other.seizure = "法院查封"
    with (
        pytest.raises(BusinessError, match="不能生效：有查封或涉诉情况"),
        line.session.begin_nested(),
    ):
        line.approve(swap)
    other.seizure = None
    pledge.release(line.ctx(KEEPER), made, "测试")
    with (
        pytest.raises(BusinessError, match="不能生效：请选择本项目有效的设押记录"),
        line.session.begin_nested(),
    ):
        line.approve(swap)
    line.session.refresh(swap)
    assert (swap.state, collateral.pledges(line.session, [other.id])) == (
        PaperState.IN_APPROVAL,
        [],
    )


def test_visits_are_planned_reported_with_photos_and_fall_away(line):
    project, asset, made = standing(line)
    records.update(line.ctx(KEEPER), asset, {"keeper_id": line.id(KEEPER)}, asset.version)
    assert watch.plan(line.ctx()) == 0
    line.later(days=80)
    assert (watch.plan(line.ctx()), watch.plan(line.ctx())) == (1, 0)
    (found,) = waits(line, KEEPER, TodoKind.WATCH)
    visit = line.session.get_one(CollateralWatch, found)
    assert visit.due_on == project.start_on + timedelta(90)
    told = steps_of(line.session, project, line.today)
    (step,) = [one for one in told if one.kind is TodoKind.WATCH]
    assert (step.number, [one.actor.name for one in step.people]) == (str(visit.due_on), [KEEPER])
    facts = (AssetCondition.CONCERN, "机器部分停用", line.today)
    with pytest.raises(BusinessError, match="现场照片"):
        watch.report(line.ctx(KEEPER), visit, *facts)
    line.attach("collateral_watch", visit.id, None)
    with pytest.raises(FieldErrors, match="不能晚于营业日期"):
        watch.report(line.ctx(KEEPER), visit, *facts[:2], line.today + timedelta(1))
    watch.report(line.ctx(KEEPER), visit, *facts, visit.version)
    assert (visit.state, visit.visited_by_id) == (WatchState.DONE, line.id(KEEPER))
    assert waits(line, KEEPER, TodoKind.WATCH) == []
    line.later(days=85)
    assert watch.plan(line.ctx()) == 1
    pledge.release(line.ctx(KEEPER), made, "测试")
    line.session.flush()
    watch.plan(line.ctx())
    states = select(CollateralWatch.state).order_by(CollateralWatch.id)
    assert line.session.scalars(states).all() == [WatchState.DONE, WatchState.LAPSED]
