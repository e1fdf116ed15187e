"""Money is exact to the fen, whatever people type and whatever Excel hands over."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.money import (
    MONEY_MAX,
    UNITS,
    apportion,
    capital,
    excel_decimal,
    format_money,
    from_fen,
    parse_amount,
    round_money,
    round_to,
    to_fen,
)

AMOUNTS = st.decimals(
    min_value=-MONEY_MAX, max_value=MONEY_MAX, places=2, allow_nan=False, allow_infinity=False
)
DIGITS = {c: i for i, c in enumerate("零壹贰叁肆伍陆柒捌玖")}
STEPS = {"拾": 10, "佰": 100, "仟": 1000}


def value_of(text: str) -> Decimal:
    """Read 人民币大写 back, written apart from the library under test."""
    negative = text.startswith("负")
    text = text.removeprefix("负").removesuffix("整")
    total = section = digit = 0
    fen = 0
    for char in text:
        if char in DIGITS:
            digit = DIGITS[char]
        elif char in STEPS:
            section, digit = section + digit * STEPS[char], 0
        elif char == "万":
            section, digit = (section + digit) * 10_000, 0
            total, section = total + section, 0
        elif char == "亿":
            total, section, digit = (total + section + digit) * 100_000_000, 0, 0
        elif char == "元":
            total, section, digit = total + section + digit, 0, 0
        else:
            fen, digit = fen + digit * {"角": 10, "分": 1}[char], 0
    amount = Decimal(total) + Decimal(fen) / 100
    return -amount if negative else amount


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.005", "0.01"),
        ("0.0049999", "0.00"),
        ("2.675", "2.68"),
        ("-2.675", "-2.68"),
        ("1.115", "1.12"),
        ("9999999999.994", "9999999999.99"),
        ("12", "12.00"),
    ],
)
def test_money_rounds_half_up_to_the_fen(value, expected):
    assert str(round_money(Decimal(value))) == expected


def test_rounding_never_gives_a_negative_zero():
    assert str(round_money(Decimal("-0.001"))) == "0.00"
    assert format_money(Decimal("-0.001")) == "0.00"


def test_rates_round_to_their_own_places():
    assert str(round_to(Decimal("0.0123455"), 6)) == "0.012346"
    assert round_to(Decimal(1250), 0) == 1250


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="不是有效的数字"):
        round_money(Decimal(value))
    with pytest.raises(ValueError, match="不是有效的数字"):
        parse_amount(Decimal(value))
    with pytest.raises(ValueError, match="不是有效的数字"):
        excel_decimal(float(value))


@given(AMOUNTS)
def test_fen_and_yuan_are_the_same_amount(amount):
    assert from_fen(to_fen(amount)) == amount
    assert isinstance(to_fen(amount), int)


def test_a_fraction_of_a_fen_is_never_stored_in_silence():
    with pytest.raises(ValueError, match="四舍五入"):
        to_fen(Decimal("0.005"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("408,424.50", "408424.50"),
        ("¥1,200", "1200.00"),
        ("￥1,200.5", "1200.50"),
        ("5,000,000.00元", "5000000.00"),
        ("500万元", "5000000.00"),
        ("500万", "5000000.00"),
        ("1.5 亿元", "150000000.00"),
        ("人民币 300 万元整", "3000000.00"),
        ("RMB 20.10", "20.10"),
        ("１２，３４５．６７", "12345.67"),
        ("(1,200.00)", "-1200.00"),
        ("（1,200.00）", "-1200.00"),
        ("-1,200.00", "-1200.00"),
        ("－12", "-12.00"),
        ("−12", "-12.00"),
        ("¥-12", "-12.00"),
        ("+12", "12.00"),
        (" 12 ", "12.00"),
        (".5", "0.50"),
        ("0", "0.00"),
        ("0.00000001亿元", "1.00"),
        ("9,999,999,999.99", "9999999999.99"),
    ],
)
def test_amounts_as_people_write_them(text, expected):
    assert str(parse_amount(text)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1200, "1200.00"),
        (353487.66, "353487.66"),
        (326284.14999999997, "326284.15"),
        (0.1 + 0.2, "0.30"),
        (38500.0, "38500.00"),
        (Decimal("1E+3"), "1000.00"),
        (Decimal("7.10"), "7.10"),
    ],
)
def test_numbers_from_excel_carry_no_binary_noise(value, expected):
    assert str(parse_amount(value)) == expected


def test_a_stated_unit_applies_to_bare_numbers_and_yields_to_a_written_one():
    assert parse_amount("40.842455", unit=UNITS["万元"]) == Decimal("408424.55")
    assert parse_amount(1.5, unit=UNITS["亿元"]) == 150_000_000
    assert parse_amount("500元", unit=UNITS["万元"]) == 500
    assert parse_amount("500万元", unit=UNITS["万元"]) == 5_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "-",
        "abc",
        "12元3",
        "1 200",
        "1.2.3",
        "1e6",
        "(12",
        "12)",
        "(-12)",
        "--1",
        "5%",
        "元",
        "¥",
        "٣",
        "12" * 40,
    ],
)
def test_what_is_no_amount_is_refused_in_chinese(text):
    with pytest.raises(ValueError, match="金额"):
        parse_amount(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12,00", "1,200.00"),
        ("1,2345", "12,345.00"),
        ("1234,567.80", "1,234,567.80"),
        ("1,,200", "1,200.00"),
    ],
)
def test_a_wrong_grouping_is_refused_with_a_suggestion(text, meant):
    with pytest.raises(ValueError, match="千分位") as error:
        parse_amount(text)
    assert f"是否为 {meant}？" in str(error.value)


@pytest.mark.parametrize(
    "value", ["10,000,000,000.00", "-10000000000", "100亿", 1e300, 10**40, Decimal("1E+400")]
)
def test_amounts_beyond_the_limit_are_refused(value):
    with pytest.raises(ValueError, match=r"超过上限 9,999,999,999\.99"):
        parse_amount(value)


@pytest.mark.parametrize("value", ["12.345", 0.001, Decimal("1E-400"), "0.0000001万元"])
def test_amounts_finer_than_a_fen_are_refused(value):
    with pytest.raises(ValueError, match="分以下"):
        parse_amount(value)


def test_a_tick_is_no_amount():
    with pytest.raises(ValueError, match="是/否"):
        parse_amount(True)


@given(AMOUNTS)
def test_what_is_printed_reads_back(amount):
    assert parse_amount(format_money(amount)) == amount
    assert parse_amount(float(amount)) == amount


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text):
    try:
        amount = parse_amount(text)
    except ValueError:
        return
    assert to_fen(amount) == amount * 100


def test_money_is_printed_with_thousands_separators():
    assert format_money(Decimal("1234567.8")) == "1,234,567.80"
    assert format_money(Decimal("-1234.5"), 0) == "-1,235"
    assert format_money(Decimal(0)) == "0.00"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角"),
        ("10.00", "壹拾元整"),
        ("100.50", "壹佰元伍角"),
        ("100.05", "壹佰元零伍分"),
        ("1001.00", "壹仟零壹元整"),
        ("10010.01", "壹万零壹拾元零壹分"),
        ("100000000.00", "壹亿元整"),
        ("100010000.00", "壹亿零壹万元整"),
        ("20000005.00", "贰仟万零伍元整"),
        ("9999999999.99", "玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        ("-1234.56", "负壹仟贰佰叁拾肆元伍角陆分"),
        ("-0.05", "负伍分"),
    ],
)
def test_amounts_in_capitals(amount, text):
    assert capital(Decimal(amount)) == text


@given(AMOUNTS)
def test_capitals_read_back_to_the_same_amount(amount):
    assert value_of(capital(amount)) == amount


def test_capitals_refuse_what_cannot_be_written():
    with pytest.raises(ValueError, match="四舍五入"):
        capital(Decimal("0.001"))
    with pytest.raises(ValueError, match="过大"):
        capital(Decimal(10) ** 15)


@given(AMOUNTS, st.lists(st.decimals(0, 100, places=4), min_size=1, max_size=6))
def test_a_split_loses_no_fen_and_favours_nobody_by_more_than_one(amount, shares):
    if not any(shares):
        with pytest.raises(ValueError, match="大于 0"):
            apportion(amount, shares)
        return
    parts = apportion(amount, shares)
    assert sum(parts) == amount
    whole = sum(shares)
    for part, share in zip(parts, shares, strict=True):
        assert part == round_to(part, 2)
        assert abs(part - amount * share / whole) < Decimal("0.01")
        assert share or not part


def test_what_is_left_of_a_split_goes_to_the_largest_remainders():
    thirds = apportion(Decimal("100.00"), [Decimal(1)] * 3)
    assert thirds == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    assert apportion(Decimal("-0.01"), [Decimal(20), Decimal(80)]) == [0, Decimal("-0.01")]
