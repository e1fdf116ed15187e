"""Numbers: without gap, without double, starting anew when their rule says so."""

from collections import Counter
from datetime import date

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError
from models.system.setup import NumberCounter, NumberReset, NumberRule
from tests.workflows.at_once import outcomes
from workflows.base.numbering import next_count, next_number


@pytest.fixture
def ctx(session, office):
    return office.ctx(session)


def rule(ctx, pattern, reset=NumberReset.YEAR, code="test"):
    ctx.session.add(NumberRule(code=code, label="测试", pattern=pattern, reset=reset))
    ctx.session.flush()


def test_numbers_count_up_within_their_year(ctx):
    rule(ctx, "DB{yyyy}-{no:04d}")
    days = (date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1), date(2026, 6, 1))
    assert [next_number(ctx, "test", on=day) for day in days] == [
        "DB2026-0001",
        "DB2026-0002",
        "DB2027-0001",
        "DB2026-0003",
    ]


def test_numbers_of_a_month_start_anew_with_it_and_those_of_never_go_on(ctx):
    rule(ctx, "{yyyy}{mm}-{no}", NumberReset.MONTH)
    rule(ctx, "K{no:03d}", NumberReset.NEVER, code="kept")
    days = (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2027, 2, 1))
    assert [next_number(ctx, "test", on=day) for day in days] == [
        "202601-1",
        "202602-1",
        "202602-2",
        "202702-1",
    ]
    assert [next_number(ctx, "kept", on=day) for day in days] == ["K001", "K002", "K003", "K004"]


def test_without_a_day_the_business_date_counts(ctx):
    rule(ctx, "{yyyy}-{mm}-{dd}/{no}")
    assert next_number(ctx, "test") == "2026-03-02/1"


def test_series_of_different_scopes_do_not_meet_and_parts_fill_the_pattern(ctx):
    rule(ctx, "{word}{no:04d}")
    for word in ("记", "转"):
        assert [next_number(ctx, "test", scope=word, word=word) for _ in range(2)] == [
            f"{word}0001",
            f"{word}0002",
        ]
    assert next_number(ctx, "test", word="无") == "无0001"


def test_a_number_grows_beyond_its_width(ctx):
    rule(ctx, "N{no:02d}")
    next_count(ctx, "test", "2026")
    ctx.session.execute(NumberCounter.__table__.update().values(last_no=99))
    assert next_number(ctx, "test") == "N100"


@pytest.mark.parametrize("pattern", ["{word}{no}", "{", "{no", "{}", "{yyyy:d}{no}"])
def test_a_pattern_that_cannot_be_filled_is_named(ctx, pattern):
    rule(ctx, pattern)
    with pytest.raises(BusinessError, match=r"编号规则“测试”的格式“.*”有误"):
        next_number(ctx, "test")


def test_a_missing_rule_is_named(ctx):
    with pytest.raises(BusinessError, match="编号规则“nothing”未设置"):
        next_number(ctx, "nothing")


def test_what_was_taken_back_is_given_again(engine, office):
    with Session(engine) as session:
        ctx = office.ctx(session)
        assert next_count(ctx, "gap") == 1
        session.commit()
        assert next_count(ctx, "gap") == 2
        session.rollback()
        assert next_count(ctx, "gap") == 2
        session.commit()
    with Session(engine) as session:
        assert (
            session.scalar(select(NumberCounter.last_no).where(NumberCounter.rule_code == "gap"))
            == 2
        )


@pytest.mark.parametrize("turn", range(3))
def test_eight_at_once_get_eight_numbers_also_when_they_are_the_first(engine, office, turn):
    with Session(engine) as session:
        session.execute(delete(NumberCounter).where(NumberCounter.rule_code == "race"))
        session.commit()
    results = outcomes(
        engine, [lambda session: next_count(office.ctx(session), "race", "2026")] * 8
    )
    assert sorted(results) == list(range(1, 9)), Counter(map(str, results))


def test_the_loser_of_the_first_number_goes_on_with_the_winners_row(ctx, monkeypatch):
    """The same without luck: another connection makes the counter between the look and the insert."""
    real, asked = ctx.session.scalar, []

    def scalar(statement, *args, **kwargs):
        if not asked:
            asked.append(statement)
            ctx.session.add(NumberCounter(rule_code="late", scope="", last_no=41))
            ctx.session.flush()
            return None
        return real(statement, *args, **kwargs)

    monkeypatch.setattr(ctx.session, "scalar", scalar)
    assert next_count(ctx, "late") == 42
