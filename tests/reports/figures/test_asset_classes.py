"""资产分级: the law's classes and caps, and the four ratios at their very edge."""

from decimal import Decimal

import pytest

from models.ledger.account import AssetClass
from models.ledger.asset_split import AssetRule
from reports.figures.asset_classes import CLASS_OF, Caps, Holding, Part, Ratio, lines_of, totals

ONE, TWO, THREE = AssetClass
CAPS = Caps(own_property=Decimal(30), client_equity=Decimal(20), client_loan=Decimal(40))
MILLION = Decimal(1_000_000)


def m(amount):
    return Decimal(amount) * MILLION


def sums(*holdings, net_assets=200):
    return list(totals(lines_of(holdings, CAPS, m(net_assets))).values())


def held(code, balance, default=THREE, *parts, ratio=100):
    return Holding(
        code,
        code,
        m(balance),
        default=default,
        ratio=Decimal(ratio),
        parts=tuple(Part(rule, m(a)) for rule, a in parts),
    )


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (AssetRule.MONEY_FUND, [10, 0, 0]),
        (AssetRule.GOVERNMENT_BOND, [10, 0, 0]),
        (AssetRule.AAA_BOND, [10, 0, 0]),
        (AssetRule.SHORT_PRODUCT, [10, 0, 0]),
        (AssetRule.BANK_PRODUCT, [0, 10, 0]),
        (AssetRule.AA_BOND, [0, 10, 0]),
        (AssetRule.GUARANTOR_EQUITY, [0, 10, 0]),
        (AssetRule.CLIENT_EQUITY, [0, 2, 8]),
        (AssetRule.CLIENT_LOAN, [0, 4, 6]),
        (AssetRule.OWN_PROPERTY, [0, 10, 0]),
        (AssetRule.OTHER, [0, 0, 10]),
    ],
)
def test_every_rule_has_the_class_of_the_law(rule, wanted):
    assert sums(held("1501", 10, THREE, (rule, 10))) == [m(each) for each in wanted]
    assert set(CLASS_OF) == set(AssetRule)


def test_what_has_no_evidence_is_in_the_class_of_its_account():
    assert sums(held("1501", 10, THREE, (AssetRule.AAA_BOND, 4))) == [m(4), 0, m(6)]
    assert sums(held("1002", 10, ONE)) == [m(10), 0, 0]
    assert sums(held("1303", 10, TWO, ratio=40)) == [0, m(4), m(6)], "计入比例 of the account"
    assert sums(held("1999", 10, None)) == [0, 0, m(10)], "an account without a class is Ⅲ"


@pytest.mark.parametrize(
    ("net_assets", "gross", "worn", "wanted"),
    [
        (200, 60, 0, [60, 0]),
        (200, 75, 0, [60, 15]),
        (200, 80, 5, [60, 15]),
        (200, 65, 5, [60, 0]),
        (-5, 20, 5, [0, 15]),
    ],
)
def test_self_used_property_is_two_up_to_its_share_of_net_assets(net_assets, gross, worn, wanted):
    house = held("1601", gross, THREE, (AssetRule.OWN_PROPERTY, gross))
    depreciation = held("1602", -worn, THREE, (AssetRule.OWN_PROPERTY, -worn))
    assert sums(house, depreciation, net_assets=net_assets)[1:] == [m(each) for each in wanted]
    assert sums(depreciation, house, net_assets=net_assets)[1:] == [m(each) for each in wanted]


def test_two_houses_share_one_ceiling():
    first, second = (
        held(code, 40, THREE, (AssetRule.OWN_PROPERTY, 40)) for code in ("1601.01", "1601.02")
    )
    assert sums(first, second) == [0, m(60), m(20)]


def test_a_whole_company_by_hand():
    found = sums(
        held("1002", 60, ONE),
        held("1031", 20, ONE),
        held("1101", 10, THREE, (AssetRule.MONEY_FUND, 10)),
        held("1303", 10, THREE, (AssetRule.CLIENT_LOAN, 10)),
        held("1501", 40, THREE, (AssetRule.AAA_BOND, 20), (AssetRule.AA_BOND, 15)),
        held("1511", 20, THREE, (AssetRule.GUARANTOR_EQUITY, 10), (AssetRule.CLIENT_EQUITY, 10)),
        held("1601", 80, THREE, (AssetRule.OWN_PROPERTY, 80)),
        held("1602", -5, THREE, (AssetRule.OWN_PROPERTY, -5)),
        held("1221", 5, THREE),
    )
    assert found == [m(110), m(91), m(39)]


@pytest.mark.parametrize(
    ("numerator", "limit", "is_least", "share", "met"),
    [
        ("20.00", 20, True, "20.00", True),
        ("19.99", 20, True, "19.99", False),
        ("30.00", 30, False, "30.00", True),
        ("30.01", 30, False, "30.01", False),
        ("19.999999", 20, True, "20.00", False),
        ("30.000001", 30, False, "30.00", False),
    ],
)
def test_a_ratio_is_held_at_its_very_edge(numerator, limit, is_least, share, met):
    ratio = Ratio(
        "比例",
        "条",
        Decimal(numerator) * MILLION,
        denominator=m(100),
        limit=Decimal(limit),
        is_least=is_least,
    )
    assert (ratio.share, ratio.is_met) == (Decimal(share), met)
    assert Ratio("比例", "条", Decimal(0), Decimal(0), Decimal(20)).share is None
