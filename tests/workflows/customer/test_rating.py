"""Ratings: 初评, 复评 by somebody else, the grade's term and what it is made of."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models.base.actor import ScopeLevel
from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
)
from models.customer.customer import CustomerStatus, Grade
from models.customer.rating import CustomerRating, RatingState
from models.customer.rating_model import RatingIndicator, RatingModel, RatingOption
from models.system.setup import Parameter
from tests.workflows.customer_world import CustomerWorld
from workflows.base import records
from workflows.customer import customer as verbs
from workflows.customer import rating as customer_rating

BEST = {"market": "1", "management": "1", "reputation": "1", "prospects": "1", "credit_record": "1"}
PERSONAL = {
    "marriage": "1",
    "health": "1",
    "education": "2",
    "household": "1",
    "job": "4",
    "title": "3",
    "credit_record": "1",
}


@pytest.fixture
def world(session) -> CustomerWorld:
    return CustomerWorld(session)


@pytest.fixture
def company(world):
    made = world.company()
    world.statement(made)
    return made


def confirm(world, rating, **options):
    return verbs.confirm_rating(world.ctx("同事"), rating, **options)


def test_a_company_is_rated_by_its_figures_and_the_raters_answers(world, company):
    rating = verbs.rate(world.ctx(), company, BEST, opinion="良好")
    scores = {a["indicator"]: (a["score"], a["figure"]) for a in rating.scores}
    assert scores["operation"] == ("8.00", "15")  # 15 years of business
    # the lower bound counts in, the upper does not
    assert scores["asset_liability"] == (
        "5.00",
        "40.00",
    )
    assert scores["current"] == ("6.00", "2.00")
    assert scores["net_margin"] == ("5.00", "8.33")
    assert scores["market"] == ("8.00", None)
    assert rating.total == sum(Decimal(a["score"]) for a in rating.scores)
    assert rating.total == Decimal("93.00")
    assert rating.grade is Grade.AAA
    assert rating.credit_line == Decimal("3000000.00")  # half of 净资产
    assert (company.grade, rating.state) == (None, RatingState.DRAFT)


def test_a_second_person_makes_the_grade_valid_for_a_year(world, company):
    rating = verbs.rate(world.ctx(), company, BEST)
    confirm(world, rating, opinion="同意", version=rating.version)
    assert (rating.state, rating.confirmed_by.name, rating.valid_until) == (
        RatingState.APPROVED,
        "同事",
        date(2027, 3, 2),
    )
    assert (company.grade, company.grade_valid_until, company.credit_line) == (
        Grade.AAA,
        date(2027, 3, 2),
        Decimal("3000000.00"),
    )
    with pytest.raises(IllegalTransition):
        confirm(world, rating)


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_a_customer_with_a_rating_is_not_deleted(world, company, is_confirmed):
    rating = verbs.rate(world.ctx(), company, BEST)
    if is_confirmed:
        confirm(world, rating)
    with pytest.raises(Conflict, match=rf"不能删除：等级评估“.* AAA 级”{rating.state.label}"):
        records.delete(world.ctx(), company, company.version)


def test_nobody_confirms_their_own_rating(world, company):
    rating = verbs.rate(world.ctx(), company, BEST)
    with pytest.raises(NotAllowed, match="不能与初评人相同"):
        verbs.confirm_rating(world.ctx(), rating)
    with pytest.raises(NotAllowed):
        verbs.confirm_rating(world.system(), rating)
    rating.confirmed_by_id = rating.rated_by_id
    with pytest.raises(IntegrityError):
        world.session.flush()


def test_permission_and_scope_are_checked(world, company):
    with pytest.raises(NotAllowed):
        verbs.rate(world.ctx(permissions=set()), company, BEST)
    with pytest.raises(NotFound):
        verbs.rate(world.ctx("外部门"), company, BEST)
    with pytest.raises(NotAllowed, match="员工"):
        verbs.rate(world.system(), company, BEST)
    rating = verbs.rate(world.ctx(), company, BEST)
    with pytest.raises(NotAllowed):
        verbs.confirm_rating(world.ctx("同事", permissions=set()), rating)
    with pytest.raises(NotFound):
        verbs.confirm_rating(world.ctx("外部门"), rating)


def test_a_refusal_says_why_and_leaves_the_customer_as_before(world, company):
    rating = verbs.rate(world.ctx(), company, BEST)
    with pytest.raises(BusinessError, match="请填写意见"):
        confirm(world, rating, agree=False)
    confirm(world, rating, agree=False, opinion="财务数据存疑")
    assert (rating.state, company.grade, rating.valid_until) == (RatingState.REFUSED, None, None)


def test_one_rating_waits_at_a_time(world, company):
    rating = verbs.rate(world.ctx(), company, BEST)
    with pytest.raises(Conflict, match="待复评"):
        verbs.rate(world.ctx(), company, BEST)
    twin = CustomerRating(
        customer_id=company.id,
        rating_model_id=rating.rating_model_id,
        scores=[],
        total=Decimal(1),
        grade=Grade.D,
        rated_by_id=rating.rated_by_id,
        rated_on=rating.rated_on,
    )
    world.session.add(twin)
    with pytest.raises(IntegrityError):
        world.session.flush()


def test_a_new_grade_ends_the_earlier_one(world, company):
    first = confirm(world, verbs.rate(world.ctx(), company, BEST))
    second = confirm(
        world, verbs.rate(world.ctx(), company, BEST | {"market": "4", "prospects": "4"})
    )
    assert (first.state, second.state) == (RatingState.EXPIRED, RatingState.APPROVED)
    assert company.grade is Grade.A


def test_a_grade_ends_with_its_term(world, company):
    rating = confirm(world, verbs.rate(world.ctx(), company, BEST))
    assert verbs.expire_ratings(world.system(date(2027, 3, 2))) == 0
    assert verbs.expire_ratings(world.system(date(2027, 3, 3))) == 1
    assert (rating.state, company.grade, company.credit_line) == (RatingState.EXPIRED, None, None)
    assert verbs.expire_ratings(world.system(date(2027, 3, 3))) == 0


def test_an_incomplete_file_is_not_rated(world):
    with pytest.raises(BusinessError, match="财务报表"):
        verbs.rate(world.ctx(), world.company(), BEST)
    with pytest.raises(BusinessError, match="职业信息、收支情况"):
        verbs.rate(world.ctx(), world.person(), PERSONAL)


def test_a_closed_customer_is_not_rated(world, company):
    company.status = CustomerStatus.CLOSED
    with pytest.raises(Conflict, match="已停用"):
        verbs.rate(world.ctx(), company, BEST)


def test_missing_and_unknown_answers_are_named(world, company):
    with pytest.raises(FieldErrors) as error:
        verbs.rate(
            world.ctx(),
            company,
            {"market": "9", "management": "1", "reputation": "1", "prospects": "1"},
        )
    assert error.value.field_errors == {
        "market": ["市场与行业前景：没有这个选项，请从列表中选择"],
        "credit_record": ["征信与纳税信用：请选择"],
    }


def test_what_is_sent_for_a_computed_indicator_counts_for_nothing(world, company):
    rating = verbs.rate(world.ctx(), company, BEST | {"asset_liability": "5", "operation": "5"})
    assert rating.total == Decimal("93.00")


def test_an_adjustment_is_small_and_has_a_reason(world, company):
    for wrong, field in (
        (Decimal(6), "adjustment"),
        (Decimal(-6), "adjustment"),
        (Decimal(1), "adjustment_reason"),
    ):
        with pytest.raises(FieldErrors) as error:
            verbs.rate(world.ctx(), company, BEST, adjustment=wrong)
        assert field in error.value.field_errors
    with pytest.raises(FieldErrors, match="负数"):
        verbs.rate(world.ctx(), company, BEST, credit_line=Decimal(-1))
    rating = verbs.rate(
        world.ctx(),
        company,
        BEST,
        adjustment=Decimal(-5),
        adjustment_reason="行业下行",
        credit_line=Decimal(100),
    )
    assert (rating.total, rating.credit_line) == (Decimal("88.00"), Decimal(100))


def test_a_total_never_leaves_0_to_100(world, company):
    for option in world.session.scalars(select(RatingOption)):
        option.score = Decimal(0)
    low = verbs.rate(world.ctx(), company, BEST, adjustment=Decimal(-5), adjustment_reason="x")
    assert (low.total, low.grade) == (Decimal(0), Grade.D)


def test_grade_bands_are_parameters_down_to_the_last(world, company):
    ctx = world.system()
    assert [customer_rating.grade_of(ctx, Decimal(t)) for t in ("90", "89.99", "10", "9.99")] == [
        Grade.AAA,
        Grade.AA,
        Grade.C,
        Grade.D,
    ]
    world.session.scalars(
        select(Parameter).where(Parameter.code == "rating.grade_min.D")
    ).one().value = "5"
    world.session.flush()
    assert customer_rating.grade_of(ctx, Decimal(1)) is Grade.D


def test_a_person_is_rated_by_age_income_and_debt(world):
    person = world.person()
    world.archive(person)
    rating = verbs.rate(world.ctx(), person, PERSONAL)
    figures = {a["indicator"]: a["figure"] for a in rating.scores}
    assert figures["age"] == "35"  # the birthday is five days off
    assert figures["tenure"] == "8"
    assert figures["debt_income"] == "10.00"
    assert figures["assets"] == "2500000.00"
    assert rating.credit_line == Decimal("480000.00")  # 24 monthly incomes


def test_figures_that_nobody_entered_are_judged_by_the_rater(world):
    person = world.person()
    world.archive(person)
    income = world.session.scalars(
        select(customer_rating.records.entity_of("income_expense"))
    ).one()
    income.household_assets = None
    with pytest.raises(FieldErrors) as error:
        verbs.rate(world.ctx(), person, PERSONAL)
    assert list(error.value.field_errors) == ["assets"]
    assert verbs.rate(world.ctx(), person, PERSONAL | {"assets": "3"}).state is RatingState.DRAFT


def test_the_customers_own_model_is_taken(world, company):
    model = RatingModel(code="MINI", label="简易", customer_kind=company.kind)
    world.session.add(model)
    world.session.flush()
    with pytest.raises(BusinessError, match="有多个启用的评分模型"):
        verbs.rate(world.ctx(), company, BEST)
    company.rating_model_id = model.id
    world.session.flush()
    world.session.refresh(company)
    with pytest.raises(BusinessError, match="没有指标"):
        verbs.rate(world.ctx(), company, {})
    world.session.add(
        RatingIndicator(
            rating_model_id=model.id,
            code="x",
            group_label="g",
            label="资产负债率",
            max_score=Decimal(100),
            figure="asset_liability_pct",
        )
    )
    world.session.flush()
    with pytest.raises(FieldErrors, match="不在任何选项范围内"):
        verbs.rate(world.ctx(), company, {})


def test_a_model_must_be_there_and_of_the_right_kind(world, company):
    personal = world.session.scalars(select(RatingModel).where(RatingModel.code == "PERS")).one()
    with pytest.raises(BusinessError, match="不适用于对公客户"):
        verbs.rate(world.ctx(), company, BEST, model=personal)
    world.session.scalars(
        select(RatingModel).where(RatingModel.code == "CORP")
    ).one().is_active = False
    with pytest.raises(BusinessError, match="没有启用的评分模型"):
        verbs.rate(world.ctx(scope=ScopeLevel.ALL), company, BEST)


def test_what_the_data_does_not_answer_is_left_to_the_rater(world):
    person = world.person()
    world.archive(person)
    answered = {row.code for row in customer_rating.open_indicators(world.ctx(), person)}
    assert answered == set(PERSONAL)
    income = world.session.scalars(
        select(customer_rating.records.entity_of("income_expense"))
    ).one()
    income.household_assets = None
    asked = [row.code for row in customer_rating.open_indicators(world.ctx(), person)]
    assert set(asked) == {*PERSONAL, "assets"}
