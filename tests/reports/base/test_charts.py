"""Charts are drawings of the data they were given: proportions, words, addresses and colours of the page."""

import re
import subprocess
import sys

import pytest
import vl_convert

from reports.base import charts
from reports.base.charts import Limit, Point, bars, donut, trend

MONTHS = tuple(
    Point(
        f"2026-{month:02d}",
        70.0 + month,
        f"{70 + month}.00",
        f"/project/list/?f=end_on:eq:2026-{month:02d}-01&a=1",
    )
    for month in range(1, 12)
)


@pytest.fixture(autouse=True)
def nothing_drawn_before():
    for drawing in (trend, bars, donut):
        drawing.cache_clear()


def words(drawing):
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawing)


def test_a_trend_says_its_last_value_and_names_its_months():
    said = words(trend(MONTHS, width=316))
    assert said.count("81.00") == 1
    assert "80.00" not in said
    assert [word for word in said if word in {f"{m:02d}" for m in range(1, 13)}] == [
        f"{m:02d}" for m in range(1, 12)
    ]


def test_each_month_opens_its_rows_with_its_words():
    drawing = trend(MONTHS, width=316)
    assert drawing.count("<a ") == len(MONTHS)
    assert 'href="/project/list/?f=end_on:eq:2026-03-01&amp;a=1"' in drawing
    assert "<title>2026-03：73.00</title>" in drawing


def test_a_trend_begins_at_nothing_where_a_limit_is_shown():
    without = trend(MONTHS, width=316)
    limited = trend(
        MONTHS, (Limit(100, "上限 100"), Limit(80, "预警 80", is_warning=True)), width=316
    )
    assert "0" not in words(without)
    assert {"0", "上限 100", "预警 80"} <= set(words(limited))
    assert 'stroke-dasharray="4,3"' in limited


@pytest.mark.parametrize("width", charts.WIDTHS)
def test_a_drawing_is_as_wide_as_its_box(width):
    for drawing in (trend(MONTHS, width=width), bars(MONTHS[:3], width=width)):
        assert f'width="{width}"' in drawing.split(">")[0]


def test_bars_are_as_long_as_their_values():
    rows = (Point("远航", 8.0, "8.00"), Point("中泰", 4.0, "4.00"), Point("江北", 0.0, "0.00"))
    drawing = bars(rows, width=520)
    lengths = {
        title: float(re.search(r"h([\d.]+)", path).group(1)) if "h" in path else 0.0
        for path, title in re.findall(r'<path d="([^"]+)"[^>]*><title>([^<]+)</title>', drawing)
    }
    # The corners are round, which takes the same from both ends.
    assert lengths["远航：8.00"] + 3 == pytest.approx(2 * (lengths["中泰：4.00"] + 3), rel=0.01)
    assert {"远航", "8.00", "江北", "0.00"} <= set(words(drawing))


def test_a_bar_beyond_its_limit_has_the_colour_of_its_state():
    drawing = bars((Point("远航", 11.0, "11.00", tone="bad"),), (Limit(10, "上限 10"),), width=316)
    assert re.search(r'fill="var\(--bad\)"[^>]*><title>远航', drawing)
    assert "上限 10" in words(drawing)


def test_a_donut_shares_the_ring_and_says_the_whole():
    drawing = donut((Point("保函", 75.0, "75%", "/a"), Point("贷款", 25.0, "25%")), "100", "户")
    assert re.findall(r"<title>([^<]+)</title>", drawing) == ["保函：75%", "贷款：25%"]
    assert words(drawing) == ["100", "户"]
    assert 'aria-label="共 100 户：保函 75%，贷款 25%"' in drawing
    arcs = dict(re.findall(r"A(64,64,0,[01]),[^>]*><title>(..)", drawing))
    assert arcs == {"64,64,0,1": "保函", "64,64,0,0": "贷款"}, (
        "three quarters go the long way round"
    )


def test_colours_and_font_are_those_of_the_page():
    for drawing in (
        trend(MONTHS, (Limit(9, "上限"),), width=316),
        bars(MONTHS[:2], width=316),
        donut(MONTHS[:3], "1", "户"),
    ):
        assert not re.search(r'(fill|stroke)="(#|rgb|white|black)', drawing)
        assert "font-family" not in drawing
        assert "var(--c1)" in drawing


def test_no_drawing_names_another_place():
    some = (MONTHS[0], Point("2026-02", 3.0, "3.00"))
    drawing = trend(some, width=316) + bars(some, width=316) + donut(some, "1", "户")
    assert drawing.count("<a ") == 3, "what has no rows to open is no link"
    assert set(re.findall(r"https?://[^\"<]+", drawing)) == {"http://www.w3.org/2000/svg"}


def test_names_are_text_and_never_markup():
    evil = "<script>alert(1)</script>\"'"
    for drawing in (
        bars((Point(evil, 1.0, evil, '/a"onclick="'),), width=520),
        donut((Point(evil, 1.0, evil),), evil, evil),
    ):
        assert "<script" not in drawing
        assert 'onclick="' not in drawing
        assert "&lt;script&gt;" in drawing


def test_nothing_to_draw_is_drawn_too():
    assert trend((), width=316).startswith("<svg")
    assert bars((), width=316).startswith("<svg")


def test_the_same_data_is_drawn_once(monkeypatch):
    drawn = []
    real = vl_convert.vegalite_to_svg
    monkeypatch.setattr(
        vl_convert, "vegalite_to_svg", lambda spec: drawn.append(spec) or real(spec)
    )
    first = trend(MONTHS, width=316)
    assert trend(tuple(MONTHS), width=316) is first
    trend(MONTHS[:-1], width=316)
    assert len(drawn) == 2


def test_the_engine_is_loaded_when_first_used():
    script = (
        "import sys, reports.base.charts; assert not {'altair', 'vl_convert'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
