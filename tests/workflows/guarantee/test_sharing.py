"""4.10 分险: schemes whose shares make 100 %, projects that keep those of their drawdown, 代偿率 of a bank."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.guarantee.project import Project, Stage
from models.guarantee.scheme import (
    BreakerBasis,
    RuleUse,
    SchemeShare,
    SchemeState,
    SharingParty,
)
from models.guarantee.sharing import ProjectShare
from reports.figures import sharing
from reports.figures.gate import gate
from tests.workflows.guarantee.factories import MANAGER, MILLION
from tests.workflows.guarantee.sharing_world import USUAL, company, drawn_up, in_use, rule
from tests.workflows.guarantee.test_renewal import facts_of
from workflows.base import records
from workflows.guarantee import application, renewal, resolution
from workflows.guarantee import scheme as schemes
from workflows.ledger import posting


def test_shares_sum_to_100_percent_to_the_last_place(line):
    short = drawn_up(line, shares=(*USUAL[:3], (SharingParty.NATIONAL, "19.9999", "20.0001")))
    said = "分担比例合计为 99.9999%，应为 100%；保费分成比例合计为 100.0001%，应为 100%"
    with pytest.raises(BusinessError, match=said):
        schemes.enable(line.ctx(), short)
    for share in line.session.scalars(
        select(SchemeShare).where(SchemeShare.party == SharingParty.NATIONAL)
    ):
        records.update(line.ctx(), share, {"share_pct": "20", "fee_share_pct": "20"}, share.version)
    assert schemes.enable(line.ctx(), short).state is SchemeState.ACTIVE
    with pytest.raises(Conflict, match="启用，不能修改"):
        records.update(line.ctx(), share, {"share_pct": "30"}, share.version)
    with pytest.raises(NotAllowed):
        schemes.retire(line.ctx(MANAGER), short)


def test_what_a_scheme_may_not_say_is_told_at_its_field(line):
    made = drawn_up(line, shares=((SharingParty.BANK, "10", "0"),))
    said = "缺少“原担保（本公司）”的比例.*合计为 10%.*银行分担比例不得低于 20%"
    with pytest.raises(BusinessError, match=said):
        schemes.enable(line.ctx(), made)
    for values, field in (
        ({"party": "PROVINCE", "share_pct": "20"}, "company_id"),
        ({"party": "FUND", "share_pct": "20", "company_id": "*"}, "company_id"),
    ):
        given = {"scheme_id": made.id, **values}
        if "company_id" in values:
            given["company_id"] = company(line).id
        with pytest.raises(FieldErrors) as caught:
            records.create(line.ctx(), SchemeShare, given)
        assert list(caught.value.field_errors) == [field]
    with pytest.raises(FieldErrors, match="已存在"):
        drawn_up(line, code="FX4222")


def test_a_project_under_a_scheme_is_admitted_by_it_and_keeps_the_shares_of_its_drawdown(line):
    made = drawn_up(line)
    rule(line, made, "单户 500 万以下", "担保金额 <= 5000000", RuleUse.ADMISSION)
    schemes.enable(line.ctx(), made)
    with pytest.raises(FieldErrors, match="不适用这个产品"):
        line.apply(scheme_id=made.id, product_id=line.product("GDZC").id)
    with pytest.raises(FieldErrors, match="不适用杭州银行"):
        line.apply(scheme_id=made.id, bank_id=line.bank("杭州银行").id)
    big = line.apply(scheme_id=made.id, amount=6 * MILLION, bank_share_pct=Decimal(50))
    assert big.bank_share_pct == 20  # the scheme's, whatever was typed
    with pytest.raises(BusinessError, match=r"担保金额 6,000,000.00 ≤ 5,000,000.00：否"):
        application.submit(line.ctx(MANAGER), big)
    project = line.project_at(Stage.IN_FORCE, scheme_id=made.id, amount=Decimal("1000000.01"))
    fixed = list(line.session.scalars(select(ProjectShare).order_by(ProjectShare.id)))
    assert [(one.party, one.share_pct) for one in fixed] == [
        (party, Decimal(share)) for party, share, _ in USUAL
    ]
    later = schemes.new_version(line.ctx(), made)
    own = next(share for share in later.shares if share.party is SharingParty.OWN)
    bank = next(share for share in later.shares if share.party is SharingParty.BANK)
    records.update(line.ctx(), own, {"share_pct": "30"}, own.version)
    records.update(line.ctx(), bank, {"share_pct": "30"}, bank.version)
    schemes.enable(line.ctx(), later)
    assert (made.state, later.version_no) == (SchemeState.RETIRED, 2)
    shared = sharing.portions(line.session, project)
    assert [one.share_pct for one in shared] == [20, 40, 20, 20]
    parts = sharing.split(shared, project.balance)
    assert sum(parts) == project.balance == Decimal("1000000.01")
    assert sum(sharing.split_fee(shared, Decimal("333.33"))) == Decimal("333.33")
    with pytest.raises(FieldErrors, match="停用或不在有效期内"):
        line.apply(scheme_id=made.id)
    assert sharing.now_valid(line.session, made.id, line.today) == later.id
    (group,) = sharing.borne(line.session, select(Project.id))
    assert (group.total, sum(amount for _, amount in group.parts)) == (project.balance,) * 2
    assert group.of(SharingParty.OWN) == parts[1]


def test_a_version_that_starts_later_leaves_the_one_in_use_until_then(line):
    made = in_use(line)
    later = schemes.new_version(line.ctx(), made)
    first_day = line.today + timedelta(days=60)
    records.update(line.ctx(), later, {"valid_from": first_day}, later.version)
    with pytest.raises(BusinessError, match=f"有效期自 {first_day} 起，提前启用会停用在用的版本 1"):
        schemes.enable(line.ctx(), later)
    assert sharing.offered(line.session, line.product().id, line.bank(), line.today) == [made]
    line.today = first_day
    schemes.enable(line.ctx(), later)
    assert (made.state, later.state) == (SchemeState.RETIRED, SchemeState.ACTIVE)
    ahead = drawn_up(line, code="FX82", valid_from=first_day + timedelta(days=1))
    assert schemes.enable(line.ctx(), ahead).state is SchemeState.ACTIVE  # nothing ends by it


def test_a_customer_has_no_more_under_a_scheme_than_its_cap_whoever_applied_first(line):
    """6 million of 10: a second application is not signed, one side by side not submitted, a rollover is."""
    made = drawn_up(line)
    line.session.expire(made)
    (entry,) = made.banks
    records.update(line.ctx(), entry, {"customer_cap": "10000000"}, entry.version)
    schemes.enable(line.ctx(), made)
    facts = {"scheme_id": made.id, "customer_id": line.customer().id, "amount": 6 * MILLION}
    first, second = (line.project_at(Stage.RESOLVE, **facts) for _ in range(2))
    for project in (first, second):
        line.resolve(project)
    line.approve(line.resolution(first))
    over = r"分险方案单户办理后为 12,000,000\.00元，限额 10,000,000\.00元"
    with pytest.raises(BusinessError, match=over), line.session.begin_nested():
        line.approve(line.resolution(second))
    resolution.issue_confirmation(line.ctx(MANAGER), first)
    while first.stage is not Stage.IN_FORCE:
        line.step(first)
    checks = {one.key: one for one in gate(line.session, second, line.today)}
    assert (checks["scheme"].is_met, checks["scheme"].record_id) == (False, made.id)

    beside = renewal.renew(line.ctx(MANAGER), first, renewing(first, "ALONGSIDE"))
    with pytest.raises(BusinessError, match=over), line.session.begin_nested():
        application.submit(line.ctx(MANAGER), beside)
    line.session.refresh(beside)
    instead = renewal.renew(line.ctx(MANAGER), first, renewing(first, "ROLLOVER"))
    application.submit(line.ctx(MANAGER), instead)
    instead.reserved_amount = instead.amount  # as its resolution does
    line.session.flush()
    for project, figures in ((second, (6, 6, 12)), (instead, (6, 6, 6))):
        found = sharing.on_customer(line.session, made, project, project.amount)
        assert found == tuple(one * MILLION for one in figures)


def renewing(former, kind):
    return facts_of(former, renewal_kind=kind, scheme_id=former.scheme_id)


def test_compensation_of_a_bank_is_set_against_what_was_released_under_the_scheme(line):
    made = drawn_up(line)
    line.session.expire(made)
    (entry,) = made.banks
    records.update(
        line.ctx(),
        entry,
        {
            "opening_on": "2026-02-28",
            "opening_compensated": "200000",
            "opening_released": "9800000",
        },
        entry.version,
    )
    schemes.enable(line.ctx(), made)
    found = sharing.breaker(line.session, made, entry, line.today)
    assert (found.rate_pct, found.is_broken) == (Decimal("2.0408"), False)
    project = line.apply(scheme_id=made.id)
    paid = {"principal": Decimal(100000), "bank_paid": Decimal(100000)}
    posting.raise_event(
        line.ctx(), "compensation.paid", record=project, project=project, amounts=paid
    )
    found = sharing.breaker(line.session, made, entry, line.today)
    assert (found.compensated, found.released) == (Decimal(300000), Decimal(9900000))
    assert found.is_broken
    assert "代偿率 3.0303%" in found.text
    next_year = line.today.replace(year=2027)
    found = sharing.breaker(line.session, made, entry, next_year)
    assert (found.compensated, found.is_broken) == (0, False)


def test_a_year_alone_counts_unless_the_scheme_says_otherwise(line):
    made = in_use(line, breaker_basis=BreakerBasis.EVER)
    (entry,) = made.banks
    assert sharing.breaker(line.session, made, entry, line.today).rate_pct == 0
    branch = line.bank("测试银行高新支行东门分理处", parent_id=line.bank().id, credit_line=None)
    assert sharing.entry_of(line.session, made, branch) is entry
    assert sharing.offered(line.session, line.product().id, branch, line.today) == [made]
    assert sharing.offered(line.session, line.product("GDZC").id, branch, line.today) == []
