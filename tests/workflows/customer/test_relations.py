"""3.3 关联关系: what the system finds and somebody confirms, who belongs to a group, and rings of guarantees."""

import itertools
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.actor import ScopeLevel
from models.base.errors import BusinessError, FieldErrors, IllegalTransition, NotAllowed, NotFound
from models.customer.customer import Customer, CustomerStatus, PersonalCustomer
from models.customer.detail import FamilyMember, Shareholder
from models.customer.relation import CustomerRelation, RelationState
from models.guarantee.project import Stage
from models.guarantee.signing import CounterGuarantee, CounterKind
from models.system.setup import DictionaryItem, DictionaryType, Parameter
from reports.base.scope import is_visible
from reports.customer.around import HIDDEN, around, ring_words
from reports.figures import dictionaries, exposure, parameters
from reports.figures.relation_clues import core_of, hints
from reports.figures.relations import group_of, rings_of
from reports.workbench import todo
from reports.workbench.todo_source import TodoKind
from tests.workflows.guarantee.factories import (
    CASHIER,
    DEPARTMENT_HEAD,
    MANAGER,
    OUTSIDER,
    RISK,
)
from workflows.base import records
from workflows.customer import relations

STAGES = (Stage.COUNTER,)
LI = "110101199003074514"


def company(line, name, manager=MANAGER, **facts):
    """A company that shares neither address nor phone with any other."""
    place = f"江州市某路{line.made}号"
    return line.customer(
        name, manager, **{"registered_address": place, "address": None, "phone": None, **facts}
    )


def person(line, name, number=LI, manager=MANAGER):
    made = PersonalCustomer(
        number=f"GR{line.made:06}{name}",
        name=name,
        id_type="ID_CARD",
        id_number=number,
        manager_id=line.id(manager),
        department_id=line.people[manager].department_id,
    )
    line.session.add(made)
    line.session.flush()
    return made


def guarantee(line, a, b, **facts):
    values = {"customer_id": a.id, "to_customer_id": b.id, "kind": "GUARANTEE", **facts}
    return records.create(line.ctx(MANAGER), CustomerRelation, values)


def found(line, customer, who=MANAGER):
    return relations.find(line.ctx(who), customer, customer.version)


def waiting(line, who):
    ctx = line.ctx(who)
    known = todo.waiting(ctx.session, ctx.actor, ctx.now, ctx.today)
    mine = todo.todos(ctx.session, ctx.actor, known)
    return [one.about for one in mine if one.kind is TodoKind.RELATION]


# ------------------------------------------------------------------------------------------------ what the system finds
def test_one_controller_of_two_companies_is_found_and_confirmed(line):
    first = company(line, "江州甲食品有限公司", actual_controller_id_number=LI)
    second = company(line, "滨海乙物流有限公司", actual_controller_id_number=LI)
    assert group_of(line.session, first.id, line.today) == {first.id}
    (proposed,) = found(line, first)
    assert (proposed.kind, proposed.state, proposed.evidence) == (
        "COMMON_CONTROLLER",
        RelationState.PROPOSED,
        "实际控制人相同",
    )
    assert LI not in (proposed.evidence or "")
    assert group_of(line.session, first.id, line.today) == {first.id}, "it waits for somebody"
    assert waiting(line, MANAGER) == ["江州甲食品有限公司 · 滨海乙物流有限公司"]
    relations.confirm(
        line.ctx(MANAGER),
        proposed,
        kind="COMMON_CONTROLLER",
        note="工商登记",
        version=proposed.version,
    )
    assert (proposed.confirmed_by_id, proposed.confirmed_on) == (line.id(MANAGER), line.today)
    assert group_of(line.session, second.id, line.today) == {first.id, second.id}
    assert waiting(line, MANAGER) == []
    assert found(line, second) == [], "a group is not proposed anew"


def test_what_does_not_hold_is_refused_with_a_reason_and_not_proposed_again(line):
    first = company(line, "江州丙商贸有限公司", contact_phone="13900001111")
    company(line, "江州丁建材有限公司", contact_phone="13900001111")
    (proposed,) = found(line, first)
    assert (proposed.kind, proposed.evidence) == ("SUSPECTED", "联系电话相同")
    with pytest.raises(BusinessError, match="请填写不成立的原因"):
        relations.refuse(line.ctx(MANAGER), proposed, "  ")
    relations.refuse(line.ctx(MANAGER), proposed, "同一代办机构的电话", proposed.version)
    assert (proposed.state, proposed.note) == (RelationState.REFUSED, "同一代办机构的电话")
    assert found(line, first) == []
    with pytest.raises(IllegalTransition):
        relations.refuse(line.ctx(MANAGER), proposed, "再次")
    # a mistake is put right: it is confirmed after all, of the kind it turned out to be
    with pytest.raises(FieldErrors, match="查明的关系"):
        relations.confirm(line.ctx(MANAGER), proposed, kind="SUSPECTED")
    with pytest.raises(FieldErrors, match="没有这个选项"):
        relations.confirm(line.ctx(MANAGER), proposed, kind="'; drop table customer; --")
    relations.confirm(line.ctx(MANAGER), proposed, kind="KINSHIP")
    assert proposed.state is RelationState.CONFIRMED


def test_people_are_found_behind_companies_with_their_shares(line):
    li = person(line, "李晓")
    mother = person(line, "王芳", "11010119600307002X")
    firm = company(line, "江州戊科技有限公司", legal_person_id_number=LI)
    line.session.add_all(
        [
            Shareholder(
                corporate_customer=firm,
                name="李晓",
                id_number=LI,
                share_pct=Decimal(60),
                is_controller=True,
            ),
            Shareholder(
                corporate_customer=firm, name="王芳", id_number=mother.id_number, share_pct=40
            ),
            FamilyMember(
                personal_customer=li, relation="MOTHER", name="王芳", id_number=mother.id_number
            ),
        ]
    )
    line.session.flush()
    made = {(one.customer_id, one.to_customer_id): one for one in found(line, firm)}
    assert {pair: one.kind for pair, one in made.items()} == {
        (li.id, firm.id): "CONTROL",
        (mother.id, firm.id): "SHARE",
    }
    assert made[li.id, firm.id].share_pct == Decimal(60)
    assert "法定代表人证件号码相同" in made[li.id, firm.id].evidence
    (kin,) = found(line, li)
    assert {kin.customer_id, kin.to_customer_id} == {li.id, mother.id}
    assert kin.kind == "KINSHIP"


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("江州市明达食品有限公司", "明达食品"),
        ("浙江省杭州市滨江区明达食品股份有限公司", "明达食品"),
        ("明达食品（集团）有限公司", "明达食品"),
        ("市有限公司", "市"),
        ("100%_有限公司", "100%_"),
    ],
)
def test_names_differ_in_place_and_legal_form_alone(name, core):
    assert core_of(name) == core


def test_alike_names_are_found_and_wild_cards_are_not_wild(line):
    first = company(line, "江州市明远食品有限公司")
    other = company(line, "滨海市明远食品股份有限公司")
    company(line, "江州市明远物流有限公司")
    odd = company(line, "江州市%%_%有限公司")
    (proposed,) = found(line, first)
    assert {proposed.customer_id, proposed.to_customer_id} == {first.id, other.id}
    assert found(line, odd) == []


def test_a_number_that_many_share_says_nothing(line):
    park = [company(line, f"园区{n}号有限公司", address="江州市软件园 1 号") for n in range(11)]
    assert found(line, park[0]) == []


def test_across_departments_risk_is_asked_and_the_manager_learns_no_name(line):
    mine = company(line, "江州己贸易有限公司", actual_controller_id_number=LI)
    theirs = company(line, "秘密庚投资有限公司", manager=OUTSIDER, actual_controller_id_number=LI)
    (proposed,) = found(line, mine)
    for who in (MANAGER, OUTSIDER):
        assert not is_visible(line.session, line.actor(who), proposed)
        assert waiting(line, who) == []
        with pytest.raises(NotFound):
            relations.confirm(line.ctx(who), proposed, kind="COMMON_CONTROLLER")
    assert waiting(line, RISK) == [f"{mine.name} · {theirs.name}"]
    relations.confirm(line.ctx(RISK), proposed, kind="COMMON_CONTROLLER")
    seen = around(line.session, line.actor(MANAGER), mine.id, line.today)
    assert [node.name for node in seen.nodes] == [mine.name, HIDDEN]
    assert seen.nodes[1].table == ""


def test_who_may_not_cannot_look_confirm_or_refuse(line):
    first = company(line, "江州辛有限公司", actual_controller_id_number=LI)
    company(line, "江州壬有限公司", actual_controller_id_number=LI)
    with pytest.raises(NotAllowed):
        found(line, first, CASHIER)
    with pytest.raises(NotFound):
        found(line, first, OUTSIDER)
    (proposed,) = found(line, first, DEPARTMENT_HEAD)
    with pytest.raises(NotAllowed):
        relations.confirm(line.ctx(CASHIER), proposed, kind="COMMON_CONTROLLER")
    with pytest.raises(NotAllowed):
        relations.refuse(line.ctx(CASHIER), proposed, "不是")


def test_the_day_end_looks_among_all_and_leaves_merged_ones_alone(line):
    first = company(line, "江州癸有限公司", actual_controller_id_number=LI)
    second = company(line, "江州子有限公司", actual_controller_id_number=LI)
    gone = company(line, "江州丑有限公司", actual_controller_id_number=LI)
    gone.status, gone.merged_into_id = CustomerStatus.MERGED, first.id
    line.session.flush()
    before = len(hints(line.session))
    assert relations.find_all(line.ctx()) == before >= 1
    assert relations.find_all(line.ctx()) == 0
    proposed = line.session.scalars(
        select(CustomerRelation).where(CustomerRelation.customer_id.in_([first.id, second.id]))
    ).all()
    assert [(one.customer_id, one.to_customer_id) for one in proposed] == [(first.id, second.id)]


# ----------------------------------------------------------------------------------------------------- terms and groups
def test_a_relation_counts_within_its_term_alone(line):
    first, second = company(line, "江州寅有限公司"), company(line, "江州卯有限公司")
    tie = guarantee(line, first, second, kind="CONTROL", valid_until=line.today)
    assert tie.confirmed_by_id == line.id(MANAGER), "who enters it answers for it"
    assert len(group_of(line.session, first.id, line.today)) == 2
    assert len(group_of(line.session, first.id, line.today + timedelta(days=1))) == 1
    with pytest.raises(FieldErrors, match="截止日期不能早于起始日期"):
        guarantee(line, second, first, valid_from=line.today, valid_until="2020-01-01")
    with pytest.raises(FieldErrors, match="“系统发现”由排查填写"):
        guarantee(line, second, first, source="SYSTEM")


def test_an_own_kind_binds_a_group_once_the_parameter_names_it(line):
    kinds = select(DictionaryType).where(DictionaryType.code == "relation_kind")
    line.session.add(
        DictionaryItem(
            dictionary_type=line.session.scalars(kinds).one(), code="CONCERT", label="一致行动人"
        )
    )
    line.session.flush()
    dictionaries.forget(line.session)
    first, second = company(line, "江州辰有限公司"), company(line, "江州巳有限公司")
    guarantee(line, first, second, kind="CONCERT")
    assert len(group_of(line.session, first.id, line.today)) == 1
    row = line.session.scalars(
        select(Parameter).where(Parameter.code == "relation.group_kinds")
    ).one()
    row.value = f"{row.value}，CONCERT"
    line.session.flush()
    parameters.forget(line.session)
    assert len(group_of(line.session, first.id, line.today)) == 2


def test_only_confirmed_relations_count_in_the_concentration(line):
    project = line.at(Stage.COUNTER)
    other = company(line, "江州午有限公司")
    tie = CustomerRelation(
        customer_id=project.customer_id,
        to_customer_id=other.id,
        kind="CONTROL",
        state=RelationState.PROPOSED,
    )
    line.session.add(tie)
    line.session.flush()

    def parties():
        checks = exposure.checks(line.session, project, line.today)
        return next(one.note for one in checks if one.key == "group")

    assert parties().startswith("1 户")
    relations.confirm(line.ctx(RISK), tie, kind="CONTROL")
    assert parties().startswith("2 户")


# ---------------------------------------------------------------------------------------------------------------- rings
def test_a_ring_is_found_when_its_last_guarantee_is_saved(line):
    a, b, c = (company(line, f"江州{name}有限公司") for name in ("环一", "环二", "环三"))
    guarantee(line, a, b)
    guarantee(line, b, c)
    assert rings_of(line.session, a.id, line.today) == []
    closing = guarantee(line, c, a)
    assert rings_of(line.session, a.id, line.today) == [(a.id, b.id, c.id)]
    assert rings_of(line.session, c.id, line.today) == [(c.id, a.id, b.id)]
    words = ring_words(line.session, line.actor(MANAGER), rings_of(line.session, a.id, line.today))
    assert words == f"互保圈：{a.name} → {b.name} → {c.name} → {a.name}（圈内在保合计 0.00 元）"
    seen = around(line.session, line.actor(MANAGER), a.id, line.today)
    assert {node.id for node in seen.nodes if node.is_in_ring} == {a.id, b.id, c.id}
    records.update(
        line.ctx(MANAGER), closing, {"valid_until": line.today - timedelta(days=1)}, closing.version
    )
    assert rings_of(line.session, a.id, line.today) == []


def test_a_guarantor_of_a_project_closes_a_ring_and_its_release_opens_it(line):
    project = line.at(Stage.COUNTER)
    other = company(line, "江州对保有限公司")
    guarantee(line, project.customer, other)
    surety = CounterGuarantee(
        project=project, kind=CounterKind.SURETY, name=other.name, guarantor_id=other.id
    )
    line.session.add(surety)
    line.session.flush()
    ring = (project.customer_id, other.id)
    assert rings_of(line.session, project.customer_id, line.today) == [ring]
    line.session.delete(surety)
    line.session.flush()
    assert rings_of(line.session, project.customer_id, line.today) == []


def test_two_rings_of_one_customer_and_one_chain_without_an_end(line):
    a, b, c, d = (company(line, f"江州{name}有限公司") for name in ("圈一", "圈二", "圈三", "链四"))
    for pair in ((a, b), (b, a), (a, c), (c, a), (a, d)):
        guarantee(line, *pair)
    assert rings_of(line.session, a.id, line.today) == [(a.id, b.id), (a.id, c.id)]
    assert rings_of(line.session, d.id, line.today) == []


def test_a_short_ring_does_not_hide_the_long_one_behind_it(line):
    a, b, c = (company(line, f"江州{name}有限公司") for name in ("圈甲", "圈乙", "圈丙"))
    for pair in ((a, b), (b, a), (b, c), (c, a)):
        guarantee(line, *pair)
    assert rings_of(line.session, a.id, line.today) == [(a.id, b.id), (a.id, b.id, c.id)]


def test_a_ring_shows_no_name_beyond_the_scope(line):
    a = company(line, "江州内圈有限公司")
    b = company(line, "秘密外圈有限公司", manager=OUTSIDER)
    line.session.add_all(
        [
            CustomerRelation(
                customer_id=one.id,
                to_customer_id=two.id,
                kind="GUARANTEE",
                state=RelationState.CONFIRMED,
            )
            for one, two in ((a, b), (b, a))
        ]
    )
    line.session.flush()
    rings = rings_of(line.session, a.id, line.today)
    assert line.actor(MANAGER).scope is not ScopeLevel.ALL
    words = ring_words(line.session, line.actor(MANAGER), rings)
    assert b.name not in words
    assert HIDDEN in words
    assert b.name in ring_words(line.session, line.actor(RISK), rings)


def test_the_picture_ends_two_steps_out(line):
    chain = [company(line, f"江州链{n}有限公司") for n in range(5)]
    for one, two in itertools.pairwise(chain):
        guarantee(line, one, two, kind="SUPPLY_CHAIN")
    seen = around(line.session, line.actor(MANAGER), chain[0].id, line.today)
    assert [(node.id, node.steps) for node in seen.nodes] == [
        (one.id, n) for n, one in enumerate(chain[:3])
    ]
    assert len(line.session.scalars(select(Customer.id)).all()) > 3
