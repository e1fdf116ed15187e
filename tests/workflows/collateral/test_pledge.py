"""7.1, 7.4: an asset from its registration to the projects that it stands behind, and free again with them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition
from models.base.paper import PaperState
from models.collateral.asset import (
    Collateral,
    CollateralCertificate,
    CollateralOwner,
    PriorClaim,
    Valuation,
)
from models.collateral.kind import CollateralType
from models.collateral.pledge import CollateralPledge
from models.guarantee.project import ProjectState, Stage
from models.guarantee.resolution import VoteChoice
from models.guarantee.signing import CounterGuarantee, CounterKind
from models.guarantee.termination import Termination
from models.system.custom_field import CustomKind
from models.system.setup import DictionaryItem
from reports.figures import collateral
from tests.workflows.guarantee.factories import MANAGER, MILLION
from workflows.base import records
from workflows.collateral import asset as _rules  # noqa: F401 - its rules hold at every save
from workflows.collateral import kind as kinds
from workflows.collateral import pledge
from workflows.guarantee import counters, resubmission, termination

STAGES = (Stage.CONTRACT, Stage.COUNTER)
KEEPER = "卫东"


def kind(line, code="PLANT"):
    return line.session.scalars(select(CollateralType).where(CollateralType.code == code)).one()


def building(line, value=10 * MILLION, who=KEEPER, **facts):
    """A plant of the standing project's customer, owned by one, valued a month ago."""
    line.made += 1
    values = {
        "name": f"滨江路 {line.made} 号厂房",
        "type_id": kind(line).id,
        "customer_id": line.at(Stage.COUNTER).customer_id,
        "location": "滨江路",
        "region": "330100",
        **facts,
    }
    asset = records.create(line.ctx(who), Collateral, values)
    owner = {"collateral_id": asset.id, "name": "李晓明", "share_pct": Decimal(100)}
    records.create(line.ctx(who), CollateralOwner, owner)
    if value:
        valued(line, asset, value, line.today - timedelta(30))
    return asset


def valued(line, asset, value, on):
    facts = {"collateral_id": asset.id, "valued_on": on, "value": Decimal(value)}
    return records.create(line.ctx(KEEPER), Valuation, facts)


def room(line, asset):
    return collateral.room(asset, collateral.claims(line.session, [asset.id])[asset.id])


def mortgage(line, project, **facts):
    values = {
        "kind": CounterKind.MORTGAGE,
        "asset_kind": "PLANT",
        "name": "厂房",
        "appraised_value": MILLION,
        **facts,
    }
    return records.create(line.ctx(MANAGER), CounterGuarantee, {"project_id": project.id, **values})


def test_an_asset_takes_rate_and_value_from_its_kind_and_its_latest_valuation(line):
    asset = building(line)
    assert (asset.rate_pct, asset.value, asset.number[:2]) == (Decimal(60), 10 * MILLION, "YP")
    assert asset.next_value_on == date(2027, 1, 31)
    valued(line, asset, 9 * MILLION, line.today)
    valued(line, asset, 12 * MILLION, line.today - timedelta(300))  # of an earlier day: history
    assert (asset.value, asset.valued_on) == (9 * MILLION, line.today)
    assert room(line, asset).lendable == Decimal("5400000.00")


@pytest.mark.parametrize(
    ("facts", "field", "words"),
    [
        ({"rate_pct": Decimal(61)}, "rate_pct", "厂房的抵押率不能超过 60%"),
        ({"rate_pct": Decimal(0)}, "rate_pct", "大于 0"),
    ],
)
def test_an_asset_keeps_to_the_cap_of_its_kind(line, facts, field, words):
    with pytest.raises(FieldErrors, match=words) as error:
        building(line, **facts)
    assert list(error.value.field_errors) == [field]


def test_shares_days_and_certificates_are_checked(line):
    asset = building(line)
    ctx, mine = line.ctx(KEEPER), {"collateral_id": asset.id}
    with pytest.raises(FieldErrors, match=r"合计为 100\.5%"):
        records.create(ctx, CollateralOwner, {**mine, "name": "他人", "share_pct": Decimal("0.5")})
    with pytest.raises(FieldErrors, match="估值日期不能晚于营业日期"):
        valued(line, asset, MILLION, line.today + timedelta(1))
    records.create(ctx, CollateralCertificate, {**mine, "kind": "TITLE", "number": "证1"})
    values = {"collateral_id": building(line).id, "kind": "TITLE", "number": "证1"}
    with pytest.raises(FieldErrors, match="已存在，不能重复"):
        records.create(ctx, CollateralCertificate, values)
    values = {
        "creditor": "他行",
        "amount": MILLION,
        "registered_on": line.today,
        "ended_on": line.today - timedelta(1),
    }
    with pytest.raises(FieldErrors, match="注销日期不能早于登记日期"):
        records.create(ctx, PriorClaim, {**mine, **values})


def test_what_is_typed_of_shares_certificates_and_claims_must_make_sense(line):
    asset, ctx = building(line), line.ctx(KEEPER)
    mine, soon = {"collateral_id": asset.id}, line.today + timedelta(1)
    owner = {**mine, "name": "王芳", "share_pct": Decimal(0)}
    with pytest.raises(FieldErrors, match="份额应大于 0"):
        records.create(ctx, CollateralOwner, owner)
    one = line.session.scalars(
        select(CollateralOwner).where(CollateralOwner.collateral_id == asset.id)
    ).one()
    with pytest.raises(FieldErrors, match="同意抵押日期不能晚于营业日期"):
        records.update(ctx, one, {"agreed_on": soon}, one.version)
    deed = {**mine, "kind": "TITLE", "number": "证9", "issued_on": soon, "expires_on": line.today}
    with pytest.raises(FieldErrors) as error:
        records.create(ctx, CollateralCertificate, deed)
    assert error.value.field_errors.keys() == {"issued_on", "expires_on"}
    claim = {**mine, "creditor": "他行", "amount": MILLION, "registered_on": soon}
    with pytest.raises(FieldErrors, match="不能晚于营业日期"):
        records.create(ctx, PriorClaim, claim)
    loose = records.create(ctx, CollateralCertificate, {**deed, "issued_on": None})
    records.delete(ctx, loose, loose.version)  # never in the vault: nothing to be read of it
    left = select(CollateralCertificate.id).where(CollateralCertificate.id == loose.id)
    assert line.session.scalar(left) is None


def test_a_rate_is_changed_while_what_stands_on_the_asset_still_fits(line):
    asset, ctx = building(line), line.ctx(KEEPER)
    records.update(ctx, asset, {"rate_pct": Decimal(55)}, asset.version)
    assert room(line, asset).lendable == Decimal("5500000.00")
    pledge.pledge_to(
        line.ctx(MANAGER), asset, line.at(Stage.COUNTER), CounterKind.MORTGAGE, amount=MILLION
    )
    records.update(ctx, asset, {"rate_pct": Decimal(40)}, asset.version)
    assert room(line, asset).left == 3 * MILLION


def test_a_kind_that_is_given_up_takes_no_new_asset_and_is_offered_no_more(line):
    ctx = line.ctx()
    facts = {"code": "YACHT", "name": "游艇", "rate_pct": Decimal(30), "valuation_months": 6}
    made = records.create(ctx, CollateralType, facts)
    records.update(ctx, made, {"is_active": False}, made.version)
    with pytest.raises(FieldErrors, match="押品种类“游艇”已停用"):
        building(line, type_id=made.id)
    with pytest.raises(FieldErrors, match="请在“自定义字段”中设置"):
        kinds.add_field(ctx, made, "船籍", CustomKind.DICTIONARY)
    field = kinds.add_field(ctx, made, "船长", CustomKind.RATE, unit="米")
    with pytest.raises(BusinessError, match="已定义要素"):
        records.delete(ctx, made, made.version)
    records.delete(ctx, field, field.version)
    query = select(DictionaryItem).where(DictionaryItem.code == "YACHT")
    item = line.session.scalars(query).one()
    records.update(ctx, item, {"is_active": True}, item.version)
    records.delete(ctx, made, made.version)
    assert not item.is_active
    records.delete(ctx, item, item.version)
    again = records.create(ctx, CollateralType, {**facts, "rate_pct": Decimal(25)})
    assert collateral.cap(line.session, "YACHT", line.today) == 30  # the cap that was set stays
    brought = line.session.scalars(query).one()
    records.delete(ctx, brought, brought.version)
    records.delete(ctx, again, again.version)  # nothing is left to be switched off
    assert line.session.scalars(query).all() == []


def test_a_new_kind_brings_its_cap_its_choice_and_its_own_fields(line):
    ctx = line.ctx()
    made = records.create(
        ctx,
        CollateralType,
        {"code": "AIRCRAFT", "name": "通用航空器", "rate_pct": Decimal(45), "valuation_months": 6},
    )
    assert collateral.cap(line.session, "AIRCRAFT", line.today) == 45
    field = kinds.add_field(ctx, made, "国籍登记号", CustomKind.TEXT, is_required=True)
    plane = {"type_id": made.id, "value": None}
    with pytest.raises(FieldErrors, match="请填写国籍登记号"):
        building(line, who="", **{k: v for k, v in plane.items() if v})
    asset = building(line, who="", value=None, type_id=made.id, **{field.code: "B-1001"})
    assert asset.extra[field.code] == "B-1001"
    assert field.code not in building(line, value=None).extra  # a plant is not asked
    item = mortgage(line, line.at(Stage.COUNTER), asset_kind="AIRCRAFT")
    assert item.rate_pct == 45
    with pytest.raises(FieldErrors, match="不能超过抵押率上限 45%"):
        records.update(ctx, made, {"rate_pct": Decimal(46)}, made.version)
    made.rate_pct = Decimal(45)
    with pytest.raises(FieldErrors, match="保存后不能修改"):
        records.update(ctx, made, {"code": "PLANE"}, made.version)


def test_what_is_missing_stands_in_the_way_of_a_pledge(line):
    asset = building(line, value=None, seizure="被江州法院查封")
    owner = line.session.scalars(
        select(CollateralOwner).where(CollateralOwner.collateral_id == asset.id)
    ).one()
    records.update(line.ctx(KEEPER), owner, {"share_pct": Decimal(60)}, owner.version)
    words = pledge.obstacles(line.ctx(KEEPER), asset)
    assert [one[:4] for one in words] == ["有查封或", "没有估值", "权属份额"]
    other = {"collateral_id": asset.id, "name": "王芳", "share_pct": Decimal(40)}
    records.create(line.ctx(KEEPER), CollateralOwner, other)
    assert "共有人 李晓明、王芳 尚未同意抵押" in pledge.obstacles(line.ctx(KEEPER), asset)
    with pytest.raises(BusinessError, match="还不能设押：有查封或涉诉情况"):
        pledge.pledge_to(line.ctx(MANAGER), asset, line.at(Stage.COUNTER), CounterKind.MORTGAGE)


def test_an_old_value_is_not_pledged(line):
    asset = building(line, value=None)
    valued(line, asset, MILLION, date(2024, 1, 1))
    assert "估值已过周期，应于 2025-01-01 前重估" in pledge.obstacles(line.ctx(KEEPER), asset)


def test_one_asset_stands_behind_projects_by_rank_and_never_above_value_times_rate(line):
    project, asset = line.at(Stage.COUNTER), building(line)
    claim = {"collateral_id": asset.id, "creditor": "江州银行", "rank": 1, "amount": MILLION}
    records.create(line.ctx(KEEPER), PriorClaim, claim)
    assert room(line, asset).left == 5 * MILLION
    second = pledge.pledge_to(
        line.ctx(MANAGER), asset, project, CounterKind.MORTGAGE, amount=3 * MILLION
    )
    item = second.counter_guarantee
    assert (second.rank, item.recognised_value, item.rate_pct) == (2, 3 * MILLION, Decimal(60))
    assert item.appraised_value == 10 * MILLION
    bare = mortgage(line, line.at(Stage.CONTRACT))
    with pytest.raises(FieldErrors, match="第 2 顺位已有登记，可用第 3 顺位"):
        pledge.link(line.ctx(MANAGER), bare, asset, MILLION, rank=2)
    with pytest.raises(FieldErrors, match=r"最多还能占用 2,000,000.00 元"):
        pledge.link(line.ctx(MANAGER), bare, asset, 2 * MILLION + Decimal("0.01"))
    third = pledge.link(line.ctx(MANAGER), bare, asset)
    assert (third.rank, third.amount, room(line, asset).left) == (3, 2 * MILLION, 0)
    with pytest.raises(Conflict, match="已关联押品"):
        pledge.link(line.ctx(MANAGER), bare, asset)
    with pytest.raises(FieldErrors, match="超过评估价值 × 抵押率"):
        records.update(line.ctx(KEEPER), asset, {"rate_pct": Decimal(50)}, asset.version)
    asset.rate_pct = Decimal(60)  # as the edge would roll it back
    with pytest.raises(FieldErrors, match="不能修改"):
        records.update(line.ctx(KEEPER), asset, {"type_id": kind(line, "LAND").id}, asset.version)
    asset.type_id = kind(line).id
    pledge.unlink(line.ctx(MANAGER), bare, "改用其他押品", bare.version)
    assert room(line, asset).left == 2 * MILLION
    assert (third.released_on, bare.recognised_value) == (line.today, None)


def test_others_behind_us_take_nothing_from_us(line):
    asset = building(line)
    made = pledge.pledge_to(
        line.ctx(MANAGER), asset, line.at(Stage.COUNTER), CounterKind.MORTGAGE, rank=1
    )
    assert made.amount == 6 * MILLION
    claim = {"collateral_id": asset.id, "creditor": "后来的债权人", "rank": 2, "amount": MILLION}
    records.create(line.ctx(KEEPER), PriorClaim, claim)
    assert room(line, asset).left == 0
    assert collateral.covered(asset, collateral.claims(line.session, [asset.id])[asset.id]) == {
        made.id: 6 * MILLION
    }


def test_a_form_cannot_say_otherwise_than_the_asset(line):
    project, asset = line.at(Stage.COUNTER), building(line)
    made = pledge.pledge_to(line.ctx(MANAGER), asset, project, CounterKind.MORTGAGE, amount=MILLION)
    item = made.counter_guarantee
    records.update(line.ctx(MANAGER), item, {"appraised_value": 90 * MILLION}, item.version)
    assert (item.appraised_value, item.recognised_value) == (10 * MILLION, MILLION)
    values = {"kind": CounterKind.DEPOSIT}
    with pytest.raises(FieldErrors, match="只能是抵押或质押"):
        records.update(line.ctx(MANAGER), item, values, item.version)


def test_the_cover_of_a_project_follows_the_asset_and_ends_with_the_counter_guarantee(line):
    project, asset = line.at(Stage.COUNTER), building(line, value=20 * MILLION)
    made = pledge.pledge_to(
        line.ctx(MANAGER), asset, project, CounterKind.MORTGAGE, amount=8 * MILLION
    )
    item = made.counter_guarantee
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    assert item.state is PaperState.APPROVED
    assert collateral.worth(line.session, [item])[item.id] == 8 * MILLION
    valued(line, asset, 10 * MILLION, line.today)
    assert collateral.worth(line.session, [item])[item.id] == 6 * MILLION
    cover = collateral.cover(line.session, project)
    assert (cover.worth, cover.pct) == (6 * MILLION, Decimal(120))
    with pytest.raises(IllegalTransition, match="草稿时才能取消关联"):
        pledge.unlink(line.ctx(MANAGER), item, "换押")
    counters.void(line.ctx(MANAGER), item, "客户另行提供", item.version)
    assert (made.released_reason, room(line, asset).left) == ("撤销反担保", 6 * MILLION)


def test_an_asset_stands_only_behind_a_mortgage_or_pledge_that_may_still_change(line):
    project, asset = line.at(Stage.COUNTER), building(line, value=20 * MILLION)
    ctx = line.ctx(MANAGER)
    money = mortgage(line, project, kind=CounterKind.DEPOSIT, asset_kind=None, name="保证金")
    with pytest.raises(IllegalTransition, match="方式是保证金，只有抵押、质押能关联押品"):
        pledge.link(ctx, money, asset)
    with pytest.raises(FieldErrors, match="方式只能是抵押或质押"):
        pledge.pledge_to(ctx, asset, project, CounterKind.DEPOSIT)
    item = mortgage(line, project, appraised_value=10 * MILLION)
    assert [pledge.is_open(one) for one in (money, item)] == [False, True]
    with pytest.raises(Conflict, match="没有关联押品"):
        pledge.unlink(ctx, item, "换押")
    asset.seizure = "法院查封"
    line.session.flush()
    with pytest.raises(BusinessError, match="还不能设押：有查封或涉诉情况"):
        pledge.link(ctx, item, asset)
    asset.seizure = None
    line.session.flush()
    pledge.link(ctx, item, asset, 6 * MILLION)
    with pytest.raises(BusinessError, match="请填写原因"):
        pledge.unlink(ctx, item, "  ")
    pledge.unlink(ctx, item, "暂不用")
    records.update(ctx, item, {"appraised_value": 10 * MILLION}, item.version)
    counters.submit(ctx, project)
    with pytest.raises(IllegalTransition, match="审批中，不能关联押品"):
        pledge.link(ctx, item, asset)
    line.approve(project)
    assert (pledge.is_open(item), pledge.is_draft(item)) == (True, False)
    counters.void(ctx, item, "客户撤回")  # nothing stands on it: nothing to set free
    with pytest.raises(IllegalTransition, match="已作废，不能关联押品"):
        pledge.link(ctx, item, asset)
    assert collateral.pledges(line.session, [asset.id]) == []


def secured(line, asset, amount=6 * MILLION):
    """The standing project with its mortgage of the asset approved."""
    project = line.at(Stage.COUNTER)
    item = mortgage(line, project, appraised_value=asset.value)
    made = pledge.link(line.ctx(MANAGER), item, asset, amount)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    return project, item, made


def test_a_terminated_project_lets_go_of_its_asset(line):
    asset = building(line, value=20 * MILLION)
    project, item, made = secured(line, asset)
    facts = {"project_id": project.id, "cause": "CUSTOMER", "reason": "客户改向他行借款"}
    paper = records.create(line.ctx(MANAGER), Termination, facts)
    termination.submit(line.ctx(MANAGER), paper)
    line.approve(paper)
    assert made.released_reason == f"项目已终止（{paper.number}）"
    assert room(line, asset).left == 12 * MILLION
    with pytest.raises(IllegalTransition, match="已解除，不能关联押品"):
        pledge.link(line.ctx(MANAGER), item, asset)


def test_a_project_that_is_refused_when_it_comes_before_the_board_again_lets_go_of_its_asset(line):
    asset = building(line, value=20 * MILLION)
    project, item, made = secured(line, asset)
    line.today = line.resolution(project).valid_until
    line.later(days=1)
    resubmission.resubmit(line.ctx(MANAGER), project, "决议已到期", project.version)
    assert made.released_on is None
    line.resolve(project, *(VoteChoice.OPPOSE,) * 5)
    assert (project.state, made.released_reason) == (ProjectState.REFUSED, "审保会未通过")
    assert room(line, asset).left == 12 * MILLION
    valued(line, asset, 20 * MILLION, line.today)
    with pytest.raises(IllegalTransition, match="已否决，不能关联押品"):
        pledge.link(line.ctx(MANAGER), item, asset)
    resubmission.reconsider(line.ctx(MANAGER), project, "新增抵押物")
    again = pledge.link(line.ctx(MANAGER), item, asset)
    assert (again.amount, room(line, asset).left) == (6 * MILLION, 6 * MILLION)


def test_an_approved_counter_guarantee_is_linked_for_what_it_counts_for(line):
    project, asset = line.at(Stage.COUNTER), building(line, value=20 * MILLION)
    item = mortgage(line, project, appraised_value=10 * MILLION)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    with pytest.raises(FieldErrors, match=r"只能是其认定值 6,000,000\.00 元"):
        pledge.link(line.ctx(KEEPER), item, asset, MILLION)
    made = pledge.link(line.ctx(KEEPER), item, asset)
    assert (made.amount, item.appraised_value) == (6 * MILLION, 10 * MILLION)
    query = select(CollateralPledge.id).where(CollateralPledge.counter_guarantee_id == item.id)
    assert line.session.scalars(query).all() == [made.id]
