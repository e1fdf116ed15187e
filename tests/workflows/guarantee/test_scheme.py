"""4.10 分险方案 as an administrator keeps it: what it may say, when it is put into use, and its former versions."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition
from models.customer.partner import GuaranteeCompany, PartnerRole
from models.guarantee.scheme import (
    RuleUse,
    SchemeBank,
    SchemeShare,
    SchemeState,
    SharingParty,
    SharingScheme,
)
from models.system.configuration import ConfigProposal, ConfigVersion, VersionAct
from models.system.setup import Parameter
from reports.figures import sharing
from tests.workflows.guarantee.factories import DEPARTMENT_HEAD, MANAGER, MILLION
from tests.workflows.guarantee.sharing_world import USUAL, drawn_up, in_use, rule
from tests.workflows.office import EVERYTHING, audited
from workflows.base import records
from workflows.guarantee import scheme as schemes
from workflows.system import configuration, proposals


def changed(line, record, **values):
    return records.update(line.ctx(), record, values, record.version)


def share_of(scheme, party):
    return next(one for one in scheme.shares if one.party is party)


def refused(line, record, **values):
    """At which fields a change is refused, with what is said there."""
    with pytest.raises(FieldErrors) as caught, line.session.begin_nested():
        changed(line, record, **values)
    line.session.refresh(record)
    return {name: "；".join(said) for name, said in caught.value.field_errors.items()}


def history(line, code="FX4222"):
    query = select(ConfigVersion).where(
        ConfigVersion.table_name == "sharing_scheme", ConfigVersion.object_key == code
    )
    return line.session.scalars(query.order_by(ConfigVersion.number)).all()


def active(line, code="FX4222"):
    query = select(SharingScheme).where(
        SharingScheme.code == code, SharingScheme.state == SchemeState.ACTIVE
    )
    return line.session.scalars(query).one_or_none()


# ------------------------------------------------------------------------------------------------ what it may say
def test_a_scheme_ends_after_it_has_begun(line):
    made = drawn_up(line)
    said = refused(line, made, valid_to="2025-12-31")
    assert said == {"valid_to": "有效期至不能早于 2026-01-01"}
    assert changed(line, made, valid_to="2026-01-01").valid_to == made.valid_from


def test_a_code_is_that_of_one_scheme_whether_it_is_new_or_renamed(line):
    """A draft under the code of another scheme would close that one, when it is put into use."""
    first = in_use(line)
    with pytest.raises(FieldErrors) as caught:
        drawn_up(line)
    assert caught.value.field_errors == {"code": ["方案编码已存在，不能重复"]}
    other = in_use(line, code="FX82")
    draft = schemes.new_version(line.ctx(), other)
    said = refused(line, draft, code="FX4222")
    assert "修改已有方案请用“建立新版本”" in said["code"]
    changed(line, draft, code="FX73", name="另一个方案")
    schemes.enable(line.ctx(), draft)
    assert (first.state, other.state, draft.state) == (SchemeState.ACTIVE,) * 3
    with pytest.raises(FieldErrors, match="请用“建立新版本”"):  # its first version is number 2
        drawn_up(line, code="FX73")


def test_shares_name_their_re_guarantor_and_the_bank_gets_no_fee(line):
    made = drawn_up(line)
    province, own, bank = (
        share_of(made, party)
        for party in (SharingParty.PROVINCE, SharingParty.OWN, SharingParty.BANK)
    )
    assert "请选择省再担保的公司" in refused(line, province, company_id=None)["company_id"]
    insurer = GuaranteeCompany(
        name="江州科技担保有限公司",
        uscc="91320100MA1P0CQT2R",
        role=PartnerRole.CO_GUARANTEE,
        share_pct=Decimal(50),
    )
    line.session.add(insurer)
    line.session.flush()
    for share, company_id in ((province, insurer.id), (own, province.company_id)):
        said = refused(line, share, company_id=company_id)
        assert said == {"company_id": "只有省再担保、国担填写，且应为合作方式是“再担保”的公司"}
    assert list(refused(line, bank, fee_share_pct="10")) == ["fee_share_pct"]
    assert bank.fee_share_pct == 0


def test_what_a_bank_brings_from_before_the_system_agrees_with_itself(line):
    made = drawn_up(line)
    (entry,) = made.banks
    tomorrow = line.today + timedelta(days=1)
    before = {"opening_compensated": "300000", "opening_released": "9000000"}
    for values, fields in (
        ({"breaker_pct": "0"}, {"breaker_pct": "代偿率上限应大于 0"}),
        (before, {"opening_on": "请填写期初数截至哪一天"}),
        ({**before, "opening_on": tomorrow}, {"opening_on": "期初截止日不能晚于营业日期"}),
        (
            {"opening_on": line.today, "opening_compensated": "0.01"},
            {"opening_released": "期初解除含代偿，不能小于期初代偿"},
        ),
    ):
        assert refused(line, entry, **values) == fields
    changed(line, entry, **before, opening_on=line.today)
    found = sharing.breaker(line.session, made, entry, line.today)
    assert (found.compensated, found.released) == (300000, 9 * MILLION)


# ------------------------------------------------------------------------------------- put into use and taken out
def test_all_that_is_missing_is_said_at_once_and_a_full_scheme_is_put_into_use(line):
    made = drawn_up(line, shares=USUAL[:3], valid_to=line.today - timedelta(days=1))
    (entry,), (product,) = made.banks, made.products
    for part in (entry, product):
        records.delete(line.ctx(), part, part.version)
    line.session.expire(made)
    said = schemes.why_not(line.ctx(), made).split("；")
    assert said == [
        "分担比例合计为 80%，应为 100%",
        "保费分成比例合计为 80%，应为 100%",
        "没有适用银行",
        "没有适用产品",
        f"有效期至 {made.valid_to} 已过",
    ]
    with pytest.raises(BusinessError, match="银担分险 FX4222”不能启用：分担比例合计为 80%"):
        schemes.enable(line.ctx(), made)
    assert (made.state, made.enabled_on) == (SchemeState.DRAFT, None)
    full = drawn_up(line, code="FX82")
    assert schemes.why_not(line.ctx(), full) == ""
    schemes.enable(line.ctx(), full)
    assert (full.state, full.enabled_on) == (SchemeState.ACTIVE, line.today)


def test_what_is_taken_out_of_use_is_offered_no_more_and_stays_with_its_projects(line):
    made = in_use(line)
    project = line.apply(scheme_id=made.id)
    schemes.retire(line.ctx(), made)
    assert sharing.offered(line.session, line.product().id, line.bank(), line.today) == []
    assert project.scheme is made
    with pytest.raises(FieldErrors, match="停用或不在有效期内"):
        line.apply(scheme_id=made.id)
    with pytest.raises(IllegalTransition):
        schemes.retire(line.ctx(), made)


def test_a_new_version_copies_all_of_the_former_once(line):
    draft = drawn_up(line)
    rule(line, draft, "期限一年以内", "期限 <= 12", RuleUse.FILING)
    made = schemes.enable(line.ctx(), draft)
    copy = schemes.new_version(line.ctx(), made)
    assert (copy.version_no, copy.state, copy.enabled_on) == (2, SchemeState.DRAFT, None)
    assert str(copy) == "银担分险 FX4222（第 2 版）"
    assert said_by(copy) == said_by(made)
    with pytest.raises(Conflict, match="已有草稿版本 2，请先启用或删除"):
        schemes.new_version(line.ctx(), made)
    line.session.expire(copy)  # as in another request
    records.delete(line.ctx(), copy, copy.version)
    assert schemes.new_version(line.ctx(), made).version_no == 2


def said_by(scheme):
    """What a version says with all its parts."""
    shares = [
        (one.party, one.company_id, one.share_pct, one.fee_share_pct) for one in scheme.shares
    ]
    return (
        (
            scheme.name,
            scheme.valid_from,
            sorted(shares, key=lambda one: list(SharingParty).index(one[0])),
        ),
        sorted((one.bank_id, one.breaker_pct, one.customer_cap) for one in scheme.banks),
        sorted(one.product_id for one in scheme.products),
        sorted((one.name, one.condition, one.use.name) for one in scheme.rules),
    )


# ----------------------------------------------------------------------------------------- versions of the set-up
@pytest.fixture
def kept(line):
    """The company with the history of its configuration written down."""
    audited(line.session)
    return line


def test_a_former_version_is_in_use_again_as_a_new_one_with_all_its_parts(kept):
    line = kept
    first = drawn_up(line)
    rule(line, first, "期限一年以内", "期限 <= 12", RuleUse.FILING)
    schemes.enable(line.ctx(), first)
    line.session.commit()
    second = schemes.new_version(line.ctx(), first)
    changed(line, share_of(second, SharingParty.OWN), share_pct="30")
    changed(line, share_of(second, SharingParty.BANK), share_pct="30")
    (condition,) = second.rules
    records.delete(line.ctx(), condition, condition.version)
    more = {"scheme_id": second.id, "bank_id": line.bank("杭州银行").id, "breaker_pct": "2"}
    records.create(line.ctx(), SchemeBank, more)
    changed(line, second, name="银担分险 3322")
    schemes.enable(line.ctx(), second)
    line.session.commit()

    begun = history(line)[0]
    configuration.restore(line.ctx(), begun, "协议恢复原比例")
    line.session.commit()
    now = active(line)
    assert (now.version_no, first.state, second.state) == (3, *(SchemeState.RETIRED,) * 2)
    assert said_by(now) == said_by(first)
    assert [one.act for one in history(line)] == [
        VersionAct.CREATE,
        VersionAct.UPDATE,
        VersionAct.RESTORE,
    ]
    assert history(line)[-1].reason == "协议恢复原比例"
    with pytest.raises(Conflict, match="与第 1 版相同"):  # only its number is another
        configuration.restore(line.ctx(), begun)


def test_what_was_taken_out_of_use_comes_back_and_goes_again(kept):
    line = kept
    made = in_use(line)
    line.session.commit()
    schemes.retire(line.ctx(), made)
    line.session.commit()
    begun, ended = history(line)
    assert (ended.act, ended.content) == (VersionAct.DELETE, [])
    configuration.restore(line.ctx(), begun)
    line.session.commit()
    assert (active(line).version_no, said_by(active(line))) == (2, said_by(made))
    configuration.restore(line.ctx(), ended)
    line.session.commit()
    assert active(line) is None
    with pytest.raises(Conflict, match="与第 2 版相同"):
        configuration.restore(line.ctx(), ended)


def test_a_draft_that_somebody_works_on_is_not_overwritten(kept):
    line = kept
    first = in_use(line)
    line.session.commit()
    second = schemes.new_version(line.ctx(), first)
    changed(line, second, name="改了名的方案")
    schemes.enable(line.ctx(), second)
    line.session.commit()
    draft = schemes.new_version(line.ctx(), second)
    with pytest.raises(Conflict, match="改了名的方案”有草稿版本 3，请先启用或删除"):
        configuration.restore(line.ctx(), history(line)[0])
    assert active(line) is second
    changed(line, draft, name=first.name)  # now it says just that
    configuration.restore(line.ctx(), history(line)[0])
    assert (active(line), draft.version_no) == (draft, 3)


# --------------------------------------------------------------------------------------------------- by two people
def admin(line, who):
    ctx = line.ctx(who)
    return replace(ctx, actor=replace(ctx.actor, permissions=EVERYTHING))


@contextmanager
def four_eyes(ctx):
    """What the edge does at the end of a request."""
    try:
        yield
        proposals.hold(ctx)
    except proposals.Held as held:
        ctx.session.rollback()
        proposals.propose(ctx, held.found)
    ctx.session.commit()


@pytest.fixture
def proposed(kept):
    """A draft that one administrator wants in use, and a second one is to publish."""
    line = kept
    for code, value in ((proposals.IS_ON, "是"), (proposals.KINDS, "分险方案")):
        for row in line.session.scalars(select(Parameter).where(Parameter.code == code)):
            row.value = value
    draft = drawn_up(line)
    line.session.commit()
    one = admin(line, MANAGER)
    with four_eyes(one):
        schemes.enable(one, draft)
    assert draft.state is SchemeState.DRAFT
    return draft, line.session.scalars(select(ConfigProposal)).one()


def test_who_publishes_a_proposal_puts_the_very_draft_into_use(kept, proposed):
    draft, waits = proposed
    two = admin(kept, DEPARTMENT_HEAD)
    with four_eyes(two):
        proposals.publish(two, waits)
    assert active(kept) is draft
    (made,) = history(kept)
    assert (made.author.name, made.published_by.name) == (MANAGER, DEPARTMENT_HEAD)


def test_a_proposal_whose_draft_was_changed_or_deleted_is_not_published(kept, proposed):
    draft, waits = proposed
    one, two = admin(kept, MANAGER), admin(kept, DEPARTMENT_HEAD)
    national = share_of(draft, SharingParty.NATIONAL)
    records.update(one, national, {"share_pct": "10"}, national.version)
    kept.session.commit()
    with pytest.raises(Conflict, match="有草稿版本 1，请先启用或删除"):
        proposals.publish(two, waits)
    records.delete(one, draft, draft.version)
    kept.session.commit()
    with pytest.raises(Conflict, match="已全部删除，不能恢复；请新建方案"):
        proposals.publish(two, waits)
    assert active(kept) is None
    assert kept.session.scalars(select(SchemeShare)).all() == []
