"""Real checks: what is right passes, each kind of mistake is told apart."""

from datetime import date

import pytest

from models.base.checks import birth_of, check_value, is_male, normal

GOOD = {
    "id_number": [
        "360426199101010071",
        "110101199405017977",
        "44010320001215270X",
        "44010320001215270x",
    ],
    "uscc": [
        "91330106JWYLF55T03",
        "91440305AEMA1Y1Q00",
        "91110000600037341L",
        " 91330106JWYLF55T03 ",
    ],
    "mobile": ["13800138000", "19237206012", "+86 13800138000"],
    "phone": ["0571-87654321", "010-65432100-8001", "4008001234", "95588", "13800138000"],
    "email": ["a.b+c@example.com.cn"],
    "bank_card": ["4111 1111 1111 1111", "6222021234567894"],
    "postcode": ["310000", "065001"],
    "code": ["DB2026-01", "fee.registered", "浙A12345", "E001"],
}
BAD = [
    ("id_number", "360426199101010072", "校验码"),
    ("id_number", "11010119900307451", "18 位"),
    ("id_number", "1101011990030745X4", "数字或 X"),
    ("id_number", "110101199002300014", "出生日期"),
    ("id_number", "990101199001010019", "地区"),
    ("id_number", "110101180001010015", "出生日期"),
    ("id_number", "１１０１０１１９９４０５０１７９７７", "半角"),
    ("uscc", "91330106MA0000000X", "校验码"),
    ("id_number", "110101-19900307-4514", "18 位"),
    ("uscc", "9133010", "18 位"),
    ("uscc", "９１３３０１０６ＪＷＹＬＦ５５Ｔ０３", "半角"),
    ("mobile", "１３８００１３８０００", "11 位"),
    ("uscc", "91330106JWYLF55TO3", "不允许的字符"),
    ("uscc", "N2330106MF1234567X", "校验码"),
    ("mobile", "12800138000", "11 位"),
    ("mobile", "1380013800", "11 位"),
    ("phone", "12", "格式"),
    ("email", "a@b", "格式"),
    ("email", "a..b@c.cn", "格式"),
    ("bank_card", "4111111111111112", "校验码"),
    ("bank_card", "41111", "12 至 19 位"),
    ("postcode", "31000", "6 位"),
    ("code", "-x", "编码"),
    ("code", "a b", "编码"),
]


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in GOOD.items() for value in values]
)
def test_right_values_pass(kind, value):
    assert check_value(kind, value) is None


@pytest.mark.parametrize(("kind", "value", "words"), BAD)
def test_wrong_values_are_explained(kind, value, words):
    assert words in (check_value(kind, value) or "")


def test_a_new_district_of_a_known_province_is_accepted():
    # 119901 is in no table of districts, its province is.
    number = next(
        n
        for d in "0123456789X"
        if (n := f"11990119900101001{d}") and check_value("id_number", n) is None
    )
    assert birth_of(number) == date(1990, 1, 1)


def test_letters_of_other_registrars_are_accepted():
    found = [
        d
        for d in "0123456789ABCDEFGHJKLMNPQRTUWXY"
        if check_value("uscc", f"N1330106MF1234567{d}") is None
    ]
    assert len(found) == 1


def test_an_identity_card_tells_birthday_and_sex():
    assert birth_of("110101199405017977") == date(1994, 5, 1)
    assert is_male("110101199405017977")
    assert not is_male("310101197510072407")


def test_an_unknown_kind_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        check_value("passport", "X")


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("mobile", "+86 138 0510 1234", "13805101234"),
        ("mobile", "0086-138-0510-1234", "13805101234"),
        ("mobile", "１３８ ０５１０ １２３４", "13805101234"),
        ("phone", "(86)13805101234", "13805101234"),
        ("phone", "0571-87654321", "0571-87654321"),
        ("mobile", "138051012345", "138051012345"),
        ("uscc", "91330106-JWYLF55T-03", "91330106JWYLF55T03"),
        ("uscc", "9133 0106 jwylf55t03", "91330106JWYLF55T03"),
        ("uscc", "9133-0106", "9133-0106"),
        ("code", "a-b c", "a-b c"),
    ],
)
def test_what_people_write_in_groups_is_kept_in_one_form(kind, typed, kept):
    assert normal(kind, typed) == kept
    assert normal(kind, kept) == kept


@pytest.mark.parametrize("value", ["0" * 18, "913201000000000000", "91320100000000000X"])
def test_a_credit_code_of_zeros_is_refused(value):
    assert "不能全为 0" in check_value("uscc", value)
