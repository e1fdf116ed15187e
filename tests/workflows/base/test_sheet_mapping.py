"""Columns that no reader knows are mapped by hand once, and remembered for the source that writes them."""

import pytest
from sqlalchemy import func, select

from models.base.errors import FieldErrors
from models.system.setup import SheetMapping
from tests.sheets import book
from tests.workflows.ledger.year import begin
from workflows.base.sheet_mapping import guess, is_unknown, remember, remembered
from workflows.base.workbook import WorkbookError
from workflows.ledger import opening
from workflows.ledger.opening_sheets import BALANCES, read_balances

HEAD = [["序", "代号", "称谓", "年末数", None], [None, None, None, "借方", "贷方"]]
ROWS = [[1, "1001", "现金", 5, None], [2, "4001", "资本", None, 5]]
KEYS = ["", "code", "name", "debit", "credit"]
NAME = "余额.xlsx"


@pytest.fixture
def year(session):
    return begin(session, with_opening=False)


ODD = book(["余额"], ["2025年12月"], *HEAD, *ROWS)


def test_what_is_mapped_once_is_read_ever_after(year, session):
    with pytest.raises(WorkbookError, match="没有找到表头"):
        opening.preview_opening(year.ctx(), (NAME, ODD))
    assert is_unknown(BALANCES, ODD, NAME, session)
    found = guess(BALANCES, ODD, NAME, session)
    assert (found.row_no, found.heads) == (3, ("序", "代号", "称谓", "年末数借方", "年末数贷方"))
    assert found.samples[1] == ("1001", "4001")
    remember(year.ctx(), BALANCES, ODD, filename=NAME, source=" 某软件 ", keys=KEYS)
    assert not is_unknown(BALANCES, ODD, NAME, session)
    plan = opening.preview_opening(year.ctx(), (NAME, ODD))
    assert [(line.code, line.name, line.amount) for line in plan.sheet.lines] == [
        ("1001", "现金", 5),
        ("4001", "资本", -5),
    ]
    assert guess(BALANCES, ODD, NAME, session).keys == tuple(KEYS)
    remember(year.ctx(), BALANCES, ODD, filename=NAME, source="某软件", keys=KEYS)
    assert session.scalar(select(func.count(SheetMapping.id))) == 1, (
        "the source's earlier mapping is replaced"
    )


def test_a_mapping_says_what_a_known_name_holds_too(year, session):
    data = book(
        ["2025年12月"],
        ["科目编码", "余额", "备用", "方向"],
        ["1001", 1, 5, "借"],
        ["4001", 2, 5, "贷"],
    )
    assert [line.amount for line in read_balances(data, NAME)[0].lines] == [1, -2]
    remember(
        year.ctx(),
        BALANCES,
        data,
        filename=NAME,
        source="某软件",
        keys=["code", "", "amount", "side"],
    )
    sheet, _ = read_balances(data, NAME, remembered(session, BALANCES))
    assert [line.amount for line in sheet.lines] == [5, -5]


@pytest.mark.parametrize(
    ("source", "keys", "place", "words"),
    [
        ("", KEYS, "source", "请填写来源"),
        ("甲", ["", "code", "code", "debit", "credit"], "c2", "对应了两列"),
        ("甲", ["", "x", "name", "debit", "credit"], "c1", "请从列表中选择"),
        ("甲", ["", "code", "name", "debit", ""], "", "科目余额表须有：科目编码"),
        ("甲", ["code"], "", "没有找到可以对应的表头"),
    ],
)
def test_a_mapping_that_makes_no_table_is_refused_at_its_column(
    year, session, source, keys, place, words
):
    with pytest.raises(FieldErrors) as refused:
        remember(year.ctx(), BALANCES, ODD, filename=NAME, source=source, keys=keys)
    assert any(words in text for text in refused.value.field_errors[place])
    assert session.scalar(select(func.count(SheetMapping.id))) == 0


def test_what_has_no_head_offers_none(session):
    assert guess(BALANCES, book([1, 2], [3, 4]), NAME, session) is None
