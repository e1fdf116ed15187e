"""How values look: masks keep what identifies out, rates keep their places, and nothing is shown as nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from models.base.masks import mask
from models.system.setup import JobStatus
from views.kit.cells import NONE, format_value


@pytest.mark.parametrize(
    ("how", "text", "shown"),
    [
        ("mobile", "13812345678", "138****5678"),
        ("mobile", "1234567", "****"),
        ("mobile", "87654321", "****21"),
        ("mobile", "0510-88886666", "051****6666"),
        ("id_number", "11010519491231002X", "110***********002X"),
        ("id_number", "12345", "****"),
        ("account", "6222021234567890123", "**** 0123"),
        ("account", "1234567", "****"),
        ("address", "江州市城东区人民路 1 号", "江州市城东区****"),
        ("address", "城东区", "****"),
    ],
)
def test_masks(how, text, shown):
    assert mask(text, how) == shown


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (Decimal("1234567.80"), "money", "1,234,567.80"),
        (Decimal("-0.50"), "money", "-0.50"),
        (Decimal("4.350000"), "rate", "4.35"),
        (Decimal("12.000000"), "rate", "12.00"),
        (Decimal("0.012000"), "rate", "0.012"),
        (None, "money", NONE),
        ("", "text", NONE),
        (0, "int", "0"),
        (False, "bool", "否"),
        (True, "bool", "是"),
        (date(2026, 11, 23), "date", "2026-11-23"),
        (datetime(2026, 11, 23, 17, 30, tzinfo=UTC), "datetime", "2026-11-24 01:30"),
        (JobStatus.FAILED, "enum", "失败"),
    ],
)
def test_values(value, kind, shown):
    assert format_value(value, kind) == shown
