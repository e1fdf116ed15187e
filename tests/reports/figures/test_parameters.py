"""Parameters and dictionaries: what holds on a day, and that a write is seen at once."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from models.base.errors import BusinessError
from models.system.setup import DictionaryItem, DictionaryType, Parameter, ValueKind
from reports.figures import dictionaries, parameters

DAY = date(2026, 3, 2)


def put(session, code, value, on=date(2026, 1, 1)):
    made = Parameter(
        code=code, label=code, value=value, value_kind=ValueKind.NUMBER, effective_on=on
    )
    session.add(made)
    session.flush()
    return made


def test_the_latest_row_in_effect_holds(session):
    put(session, "x.limit", "10", date(2025, 1, 1))
    put(session, "x.limit", "1,200.5", date(2026, 3, 2))
    assert parameters.number(session, "x.limit", date(2026, 3, 1)) == Decimal(10)
    assert parameters.number(session, "x.limit", DAY) == Decimal("1200.5")


def test_before_the_first_row_nothing_is_in_effect(session):
    put(session, "x.limit", "10", date(2026, 3, 3))
    with pytest.raises(BusinessError, match="尚未生效"):
        parameters.value(session, "x.limit", DAY)


def test_an_unknown_parameter_is_named(session):
    with pytest.raises(BusinessError, match=r"x\.unknown.*未设置"):
        parameters.value(session, "x.unknown", DAY)


@pytest.mark.parametrize("text", ["abc", "", "NaN", "Infinity", None])
def test_what_is_no_number_is_refused(session, text):
    put(session, "x.limit", text)
    with pytest.raises(BusinessError, match="不是数字"):
        parameters.number(session, "x.limit", DAY)


def test_whole_flag_and_ratio(session):
    put(session, "x.days", "30")
    put(session, "x.part", "1.5")
    put(session, "x.share", "2/3")
    put(session, "x.yes", "是")
    put(session, "x.no", "否")
    assert parameters.whole(session, "x.days", DAY) == 30
    assert parameters.ratio(session, "x.share", DAY) == Fraction(2, 3)
    assert parameters.flag(session, "x.yes", DAY)
    assert not parameters.flag(session, "x.no", DAY)
    with pytest.raises(BusinessError, match="不是整数"):
        parameters.whole(session, "x.part", DAY)


def test_a_changed_parameter_is_seen_at_once_and_not_after_a_rollback(session):
    row = put(session, "x.limit", "10")
    assert parameters.value(session, "x.limit", DAY) == "10"
    session.commit()
    row.value = "11"
    session.flush()
    assert parameters.value(session, "x.limit", DAY) == "11"
    session.rollback()
    assert parameters.value(session, "x.limit", DAY) == "10"
    session.delete(row)
    session.flush()
    with pytest.raises(BusinessError):
        parameters.value(session, "x.limit", DAY)


@pytest.fixture
def colours(session):
    kind = DictionaryType(code="colour", label="颜色")
    session.add(kind)
    session.flush()
    rows = [
        ("R", "红", None, 20, True, "朱|赤"),
        ("B", "蓝", "R", 10, True, None),
        ("G", "绿", None, 30, False, "青"),
    ]
    for code, label, parent, rank, is_active, aliases in rows:
        session.add(
            DictionaryItem(
                dictionary_type_id=kind.id,
                code=code,
                label=label,
                parent_code=parent,
                rank=rank,
                is_active=is_active,
                aliases=aliases,
            )
        )
    session.flush()
    return kind


def test_items_in_use_in_their_order(session, colours):
    assert dictionaries.items(session, "colour") == [("B", "蓝"), ("R", "红")]
    assert dictionaries.items(session, "nothing") == []


def test_labels_include_items_out_of_use(session, colours):
    assert dictionaries.label(session, "colour", "G") == "绿"
    assert dictionaries.label(session, "colour", "?") == "?"
    assert dictionaries.label(session, "colour", None) == ""
    assert dictionaries.parents(session, "colour") == {"R": None, "B": "R", "G": None}


@pytest.mark.parametrize(
    ("text", "code"),
    [("R", "R"), (" 红 ", "R"), ("赤", "R"), ("青", None), ("紫", None), ("", None)],
)
def test_a_cell_names_an_item_by_code_label_or_alias(session, colours, text, code):
    assert dictionaries.code_of(session, "colour", text) == code


def test_a_new_item_is_seen_at_once(session, colours):
    assert len(dictionaries.items(session, "colour")) == 2
    session.add(DictionaryItem(dictionary_type_id=colours.id, code="W", label="白", rank=1))
    session.flush()
    assert dictionaries.items(session, "colour")[0] == ("W", "白")
