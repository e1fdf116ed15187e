"""What adds up and what does not: totals, subtotals and comparisons by the measure of each column."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

import reports.registry  # noqa: F401 - every report registers itself
from models.base.kinds import Module
from reports.base.params import Compare, date_range, day, moved, period, period_range
from reports.base.report import (
    REPORTS,
    Found,
    Line,
    Report,
    ReportColumn,
    additive,
    average,
    balance,
    beside,
    by_label,
    count,
    distinct,
    drill,
    file_rows,
    ratio,
    register,
    stated,
    table,
    totals,
    words,
)
from workflows.base.report_rights import give

COLUMNS = (
    words("group", "组"),
    words("name", "名称"),
    additive("moved", "发生额"),
    balance("stands", "余额"),
    count("number", "笔数"),
    distinct("who", "客户"),
    ratio("share", "占比", "stands"),
    ratio("rate", "周转", "moved", "stands"),
    average("mean", "笔均", "moved", "number"),
    stated("limit", "上限"),
)


def line(group, name, moved_, stands, number, who, **facts):
    values = {"group": group, "name": name, "moved": Decimal(moved_), "stands": Decimal(stands)}
    more = {"number": number, "who": frozenset(who), "limit": Decimal(1000)}
    return Line({**values, **more}, **facts)


LINES = [
    line("甲", "一", 10, 100, 1, {1, 2}),
    line("甲", "二", 30, 100, 2, {2, 3}),
    line("甲", "其中", 5, 50, 1, {2}, counts=False),
    line("乙", "三", 0, 200, 1, {1}),
]


def report(**facts):
    given = {"columns": COLUMNS, "lines": lambda _: Found(LINES), "group_by": "group", **facts}
    return Report("test", "试", Module.STATISTICS, permission=("list", "project"), **given)


def test_each_measure_adds_up_as_it_may():
    found = totals(COLUMNS, LINES)
    assert (found["moved"], found["stands"], found["number"]) == (40, 400, 4)
    assert found["who"] == {1, 2, 3}, "a customer of two lines is one customer"
    assert found["rate"] == Decimal("10.00"), "40 of 400, not the sum of 10, 30 and 0 %"
    assert found["mean"] == Decimal("10.00"), "40 in 4"
    assert found["share"] == 100
    assert "limit" not in found
    assert "name" not in found


def test_a_balance_is_not_summed_over_time():
    found = totals(COLUMNS, LINES, over_time=True)
    assert (found["stands"], found["moved"]) == (200, 40)
    assert found["rate"] == Decimal("20.00"), "of what stands at the end"


def test_nothing_to_take_a_share_of_is_no_share():
    found = totals(COLUMNS, [])
    assert (found["moved"], found["rate"], found["mean"]) == (0, None, None)
    assert totals(COLUMNS, [], over_time=True)["stands"] is None


def test_groups_have_subtotals_where_there_are_several():
    shown = table(report(), Found(LINES))
    names = [each.values["name"] for each in shown.lines]
    assert names == ["一", "二", "其中", "小计", "三"]
    sub = shown.lines[3].values
    assert (sub["moved"], sub["stands"], sub["rate"], sub["share"]) == (40, 200, 20, 50)
    assert len(sub["who"]) == 3
    assert shown.totals["stands"] == 400, "subtotals are added to nothing"
    assert shown.lines[0].values["share"] == 25
    alone = table(report(), Found(LINES[:3]))
    assert [each.values["name"] for each in alone.lines] == ["一", "二", "其中"]


def test_files_carry_lines_totals_and_what_follows():
    shown = table(report(total_at="name"), Found(LINES))
    rows = file_rows(report(total_at="name"), shown, [Line({"name": "附"})])
    assert [row[1] for row in rows] == ["一", "二", "其中", "小计", "三", "合计", "附"]
    assert rows[0][5] == 2, "of a set, how many"
    tree = (words("name", "名称", is_tree=True),)
    flat = report(columns=tree, group_by="", has_totals=False)
    rows = file_rows(flat, table(flat, Found([Line({"name": "下级"}, level=2)])))
    assert rows == [["　　下级"]]


def test_a_comparison_shows_what_is_gone_too():
    known = report(group_by="", compared=("moved",))
    now = Found(LINES[:1])
    shown = beside(known, now, Found(LINES[1:2]), Compare.LAST_YEAR)
    assert [c.label for c in shown.columns[2:5]] == ["发生额", "发生额（上年同期）", "增减"]
    values = [(v["name"], v["moved_then"], v["moved_change"]) for v in _values(shown)]
    # Lines are matched by their first column, which is the group here.
    assert values == [("一", 30, -20)]
    keyed = [Line(LINES[1].values, key="二")]
    shown = beside(known, now, Found(keyed), Compare.PREVIOUS)
    assert [(v["name"], v["moved_then"], v["moved_change"]) for v in _values(shown)] == [
        ("一", 0, 10),
        ("二", 30, -30),
    ]
    assert (shown.totals["moved_then"], shown.totals["moved_change"]) == (30, -20)
    blank = beside(known, now, None, Compare.PREVIOUS)
    assert "moved_then" not in blank.lines[0].values, "the books know nothing of it"


def test_a_comparison_keeps_its_groups():
    """A group of two lines now and one then: its subtotal of then is that line; what is gone stands in its group."""
    known = report(compared=("moved", "rate"))
    now = [replace(each, key=each.values["name"]) for each in LINES]
    gone = line("乙", "四", 7, 70, 1, {4}, key="四")
    then = [line("甲", "一", 4, 80, 1, {1}, key="一"), gone]
    shown = beside(known, Found(now), Found(then), Compare.PREVIOUS)
    names = ("name", "moved", "moved_then", "moved_change", "rate_then")
    assert [tuple(v.get(name) for name in names) for v in _values(shown)] == [
        ("一", 10, 4, 6, 5),
        ("二", 30, 0, 30, 0),
        ("其中", 5, 0, 5, 0),
        ("小计", 40, 4, 36, 5),  # 4 of 80
        ("三", 0, 0, 0, 0),
        ("四", None, 7, -7, 10),
        ("小计", 0, 7, -7, 10),  # 7 of 70
    ]
    assert shown.totals["moved_then"] == 11


def test_lines_of_one_name_are_one_bar():
    known = report()
    bars = by_label(known, table(known, Found(LINES)), "group")
    assert list(bars) == ["甲", "乙"]
    assert [values["moved"] for values, _ in bars.values()] == [40, 0]
    assert bars["甲"][0]["rate"] == 20, "of the sums, not the sum of the rates"
    assert [one.values["name"] if one else None for _, one in bars.values()] == [None, "三"]


def _values(shown):
    return [each.values for each in shown.lines]


def test_a_figure_says_how_it_adds_up():
    with pytest.raises(ValueError, match="how it adds up"):
        ReportColumn("x", "额", "money")
    with pytest.raises(ValueError, match="no column"):
        report(total_at="nothing")
    with pytest.raises(ValueError, match="no parameter"):
        report(params={"first": period(not_after="last")})


def test_two_reports_never_share_an_address():
    known = next(iter(REPORTS.values()))
    with pytest.raises(ValueError, match="two reports"):
        register(replace(known, label="另一张"))
    assert REPORTS[known.code] is known


@pytest.mark.parametrize(
    ("params", "values", "by", "wanted"),
    [
        (period_range(), ("2026-03", "2026-05"), Compare.PREVIOUS, ("2025-12", "2026-02")),
        (period_range(), ("2026-01", "2026-01"), Compare.LAST_YEAR, ("2025-01", "2025-01")),
        (
            date_range(),
            (date(2026, 3, 1), date(2026, 3, 31)),
            Compare.PREVIOUS,
            (date(2026, 2, 1), date(2026, 2, 28)),
        ),
        (
            date_range(),
            (date(2026, 3, 2), date(2026, 3, 31)),
            Compare.PREVIOUS,
            (date(2026, 1, 31), date(2026, 3, 1)),
        ),
        (
            date_range(),
            (date(2024, 2, 1), date(2024, 2, 29)),
            Compare.LAST_YEAR,
            (date(2023, 2, 1), date(2023, 2, 28)),
        ),
    ],
)
def test_time_moves_back_by_its_own_length_or_a_year(params, values, by, wanted):
    found = moved(params, dict(zip(("first", "last"), values, strict=True)), by)
    assert (found["first"], found["last"]) == wanted


def test_a_day_beside_a_range_moves_by_the_range():
    params = {**date_range(), "as_of": day("截至日期")}
    values = {"first": date(2026, 9, 1), "last": date(2026, 9, 30), "as_of": date(2026, 11, 28)}
    found = moved(params, values, Compare.PREVIOUS)
    assert tuple(found.values()) == (date(2026, 8, 1), date(2026, 8, 31), date(2026, 10, 28))


def test_a_right_of_two_reports_is_given_to_the_same_roles():
    known = next(one for one in REPORTS.values() if one.has_own_right)
    give(replace(known, code="detail"))
    with pytest.raises(ValueError, match="already"):
        give(replace(known, code="detail", given_to=("出纳",)))


def test_a_link_to_a_report_names_its_parameters():
    with pytest.raises(ValueError, match="no parameter"):
        drill(None, next(iter(REPORTS)), nothing=1)
