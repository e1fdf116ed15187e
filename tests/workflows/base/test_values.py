"""What came in becomes a column's value, or a Chinese message: for every kind of column and every kind of junk."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import models.registry  # noqa: F401 - maps every table
from models.base import columns as c
from models.base.entity import entities, fields_of
from models.base.fields import FieldFacts, facts_of
from models.system.organization import Theme
from workflows.base.values import coerce

HAN = re.compile("[\u4e00-\u9fff]")


def column(made) -> FieldFacts:
    return facts_of(made.column)


TEXT = column(c.text("名称", 10))
CODE = column(c.text("编码", 20, check="code"))
LONG = column(c.long_text("说明"))
NEEDED = column(c.text("名称", 10, required=True))
MONEY = column(c.money("金额"))
POSITIVE = column(c.money("金额", positive=True))
SIGNED = column(c.money("金额", signed=True, maximum=Decimal(1000)))
RATE = column(c.rate("利率", unit="%/年", maximum=Decimal(36)))
SIGNED_RATE = column(c.rate("增长率", scale=0, signed=True))
WHOLE = column(c.whole("份数", maximum=9999))
MONTHS = column(c.whole("期限", minimum=1))
DAY = column(c.day("日期"))
MOMENT = column(c.moment("时间"))
FLAG = column(c.flag("启用"))
THEME = column(c.enum("主题", Theme))
REFERENCE = column(c.reference("部门", "department"))
JSON = column(c.json("明细"))


def refusal(of: FieldFacts, value: object) -> str:
    with pytest.raises(ValueError, match=HAN.pattern) as caught:
        coerce(of, value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("of", "value", "found"),
    [
        (TEXT, "  张三 ", "张三"),
        (TEXT, "a\x00b \ud800", "ab"),
        (TEXT, "𠮷" * 10, "𠮷" * 10),
        (TEXT, 12, "12"),
        (TEXT, Decimal("1.50"), "1.50"),
        (TEXT, "", None),
        (TEXT, " \x00 ", None),
        (TEXT, None, None),
        (CODE, "DB-1", "DB-1"),
        (LONG, "一\n二", "一\n二"),
        (MONEY, "1,234.5", Decimal("1234.50")),
        (MONEY, "１２万元", Decimal("120000.00")),
        (MONEY, 0, Decimal("0.00")),
        (MONEY, Decimal("-0.00"), Decimal("0.00")),
        (MONEY, "9999999999.99", Decimal("9999999999.99")),
        (SIGNED, "-1000", Decimal("-1000.00")),
        (POSITIVE, "0.01", Decimal("0.01")),
        (RATE, "4.355", Decimal("4.355000")),
        (RATE, "4.35%", Decimal("4.350000")),
        (RATE, "４.３５％", Decimal("4.35")),
        (RATE, "0.000001", Decimal("0.000001")),
        (RATE, Decimal(36), Decimal("36.000000")),
        (RATE, 0, Decimal(0)),
        (SIGNED_RATE, "-100", Decimal(-100)),
        (WHOLE, "0", 0),
        (WHOLE, "1,000", 1000),
        (WHOLE, 9999, 9999),
        (MONTHS, "+12", 12),
        (DAY, "2024-02-29", date(2024, 2, 29)),
        (DAY, "2026年3月2日", date(2026, 3, 2)),
        (DAY, "2026/3/2", date(2026, 3, 2)),
        (DAY, date(2026, 3, 2), date(2026, 3, 2)),
        (DAY, datetime(2026, 3, 2, 8, tzinfo=UTC), date(2026, 3, 2)),
        (MOMENT, datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)),
        (FLAG, True, True),
        (FLAG, "是", True),
        (FLAG, "on", True),
        (FLAG, "否", False),
        (FLAG, "FALSE", False),
        (THEME, Theme.DARK, Theme.DARK),
        (THEME, "DARK", Theme.DARK),
        (THEME, "深色", Theme.DARK),
        (REFERENCE, "7", 7),
        (REFERENCE, 7, 7),
        (REFERENCE, SimpleNamespace(id=7), 7),
        (JSON, {"a": 1}, {"a": 1}),
        (JSON, [1], [1]),
    ],
)
def test_what_people_write_is_understood(of, value, found):
    got = coerce(of, value)
    assert got == found
    assert type(got) is type(found)


@pytest.mark.parametrize(
    ("of", "value", "message"),
    [
        (NEEDED, " ", "请填写名称"),
        (NEEDED, None, "请填写名称"),
        (FLAG, "", "请填写启用"),
        (TEXT, "x" * 11, "最多 10 个字，现有 11 个"),
        (TEXT, ["a"], "应为文字"),
        (TEXT, 1.5, "应为文字"),
        (TEXT, True, "应为文字"),
        (LONG, "x" * 100_001, "内容过长，最多 100,000 个字"),
        (CODE, "-x", "编码只能由"),
        (MONEY, "1e5", "不是有效的金额"),
        (MONEY, 1.5, "请用文字形式填写数字"),
        (MONEY, True, "请用文字形式填写数字"),
        (MONEY, [1], "请用文字形式填写数字"),
        (MONEY, {}, "请用文字形式填写数字"),
        (MONEY, (0, (1,), 0), "请用文字形式"),
        (MONEY, Decimal("NaN"), "不是有效的数字"),
        (MONEY, Decimal("sNaN"), "不是有效的数字"),
        (MONEY, 10**30, "不是有效的数字"),
        (MONEY, Decimal("0.001"), "金额最多两位小数"),
        (MONEY, "-1", "金额不能为负数"),
        (POSITIVE, "0", "金额必须大于 0"),
        (MONEY, "10000000000", "金额超过上限"),
        (MONEY, "1000000000000.00", "金额超过上限 9,999,999,999.99"),
        (SIGNED, "-1000.01", "金额超过上限 1,000.00 元"),
        (RATE, "abc", "请填写数字，例如 4.35"),
        (RATE, "1万", "请填写数字"),
        (RATE, "1,2", "请填写数字"),
        (RATE, "4.35%%", "请填写数字"),
        (RATE, 1e-3, "请用文字形式"),
        (RATE, "0.0000001", "最多 6 位小数"),
        (RATE, "-1", "不能为负数"),
        (RATE, "36.01", "不能大于 36%/年"),
        (RATE, Decimal("1E+30"), "不是有效的数字"),
        (SIGNED_RATE, "1.5", "最多 0 位小数"),
        (SIGNED_RATE, "-101", "不能大于 100%"),
        (WHOLE, "-1", "不能小于 0"),
        (WHOLE, "10000", "不能大于 9999"),
        (WHOLE, "1.0", "请填写整数"),
        (WHOLE, True, "请填写整数"),
        (WHOLE, 10**30, "请填写整数"),
        (MONTHS, 0, "不能小于 1"),
        (MONTHS, 2**31, "不能大于 2000000000"),
        (DAY, "2023-02-29", "没有 2023-02-29 这一天"),
        (DAY, "29/02/2024", "日期格式应为"),
        (DAY, "1899-12-31", "1900 至 2200"),
        (DAY, "2201-01-01", "1900 至 2200"),
        (DAY, 20240101, "日期格式应为"),
        (DAY, "0000-01-01", "没有 0000-01-01 这一天"),
        (MOMENT, datetime(2026, 3, 2, tzinfo=UTC).replace(tzinfo=None), "时间由系统记录"),
        (MOMENT, "2026-03-02", "时间由系统记录"),
        (FLAG, "maybe", "请填写是或否"),
        (FLAG, [], "请填写是或否"),
        (THEME, "dark", "可选：跟随系统、浅色、深色"),
        (THEME, [], "没有这个选项"),
        (REFERENCE, "abc", "请从列表中选择"),
        (REFERENCE, True, "请从列表中选择"),
        (REFERENCE, "2147483648", "请从列表中选择"),
        (REFERENCE, "-1", "请从列表中选择"),
        (REFERENCE, 1.0, "请从列表中选择"),
        (REFERENCE, {"id": 1}, "请从列表中选择"),
        (JSON, "{}", "格式不正确"),
        (JSON, 1, "格式不正确"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(of, value, message):
    assert message in refusal(of, value)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
ALL = [
    TEXT,
    CODE,
    LONG,
    MONEY,
    POSITIVE,
    SIGNED,
    RATE,
    SIGNED_RATE,
    WHOLE,
    MONTHS,
    DAY,
    MOMENT,
    FLAG,
    THEME,
    REFERENCE,
    JSON,
]
NUMBERS = st.from_regex(r"\A[-+ ¥0-9０-９.,万元%％()]{1,40}\Z")


@given(st.sampled_from(ALL), JUNK | NUMBERS)
def test_nothing_that_comes_in_breaks_the_reader(of, value):
    """Either a value the column can hold, or a message in Chinese; never another error."""
    try:
        found = coerce(of, value)
    except ValueError:
        assert HAN.search(refusal(of, value))
        return
    # what is stored can be saved again
    assert found is None or of.kind == "json" or coerce(of, found) == found


@given(
    st.sampled_from([MONEY, POSITIVE, SIGNED, RATE, SIGNED_RATE]),
    NUMBERS | st.decimals() | st.integers(),
)
def test_a_number_is_taken_exactly_and_within_its_limits(of, value):
    try:
        found = coerce(of, value)
    except ValueError:
        return
    if found is None:
        return
    low = -of.maximum if of.signed else 0
    assert low <= found <= of.maximum
    assert not (of.positive and found == 0)
    assert -found.as_tuple().exponent == of.scale
    assert not (found.is_zero() and found.is_signed())
    if not isinstance(value, str):
        assert found == value


@given(st.decimals(min_value=0, max_value=36, places=6))
def test_a_rate_comes_back_as_it_was_shown(value):
    assert coerce(RATE, f"{value:f}") == coerce(RATE, f"{value:f} %") == value


@given(
    st.dates(date(1900, 1, 1), date(2200, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"]),
)
def test_a_day_is_read_in_every_way_of_writing(day, form):
    assert coerce(DAY, day.strftime(form)) == day


def test_every_column_of_the_product_has_a_reader():
    for model in entities():
        for name, found in fields_of(model).items():
            if name != "id" and not found.required:
                assert coerce(found, None) is None
            if found.kind == "int":
                assert isinstance(found.minimum, int)
            assert refusal(found, object()), f"{model.__tablename__}.{name}"


def test_a_credit_code_in_groups_fits_its_column_and_is_kept_in_one_form():
    uscc = column(c.text("统一社会信用代码", 18, check="uscc"))
    assert coerce(uscc, "9133 0106-jwylf55t-03") == "91330106JWYLF55T03"
    assert (
        coerce(column(c.text("手机号码", 11, check="mobile")), "+86 138 0510 1234") == "13805101234"
    )
