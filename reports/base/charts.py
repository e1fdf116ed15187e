"""Charts as inline SVG, drawn offline: one idea each, direct labels, limits as lines with words.

A chart is drawn once per width of a box, for its text must never scale; the page shows the one that fits. Colours are
custom properties of the page, so that one drawing serves light, dark and paper. The engine is
loaded when first used, and the same data is drawn once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

# Boxes of a card on a phone or a desk, and on a wide screen, in pixels.
WIDTHS = (316, 520)
# A drawing stands for each colour of the page by one of its own: the engine knows no custom properties.
_COLOURS = {
    "ink": "#19222e",
    "ink-2": "#465160",
    "ink-3": "#5f6a78",
    "line": "#e5e8ec",
    "surface": "#fefefe",
    "c1": "#2156ae",
    "c2": "#5596cf",
    "c3": "#c17d16",
    "c4": "#87919d",
    "c-fill": "#e9eff8",
    "warn": "#855000",
    "bad": "#b02318",
}
_NAMES = {colour: name for name, colour in _COLOURS.items()}
_SERIES = ("c1", "c2", "c3", "c4")
_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_MARKS = (f"{{{_SVG}}}path", f"{{{_SVG}}}line")
# Addresses of our own are relative, which the engine would hang on its maker's site.
_HERE = "https://here.invalid"
# Widths of text are measured in these; the page sets its own font.
_FONTS = "Noto Sans CJK SC, Source Han Sans SC, WenQuanYi Micro Hei, Microsoft YaHei, sans-serif"


@dataclass(frozen=True)
class Point:
    """A value of a trend or a bar: `text` is the value in words, `url` opens its rows, `tone` is '', warn or bad."""

    label: str
    value: float
    text: str
    url: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Limit:
    """A limit as a line with words; a warning is dashed."""

    value: float
    text: str
    is_warning: bool = False


def _month_axis(alt: Any) -> Any:
    scale = alt.Scale(type="point", padding=0.2)
    return alt.X("label:O", sort=None, title=None, scale=scale).axis(
        labelExpr="slice(datum.label, 5)",
        labelAngle=0,
        ticks=False,
        domain=False,
        grid=False,
        labelOverlap=True,
    )


def _value_axis(alt: Any, room: Any) -> Any:
    """From 0, or over the `room` that the values take."""
    scale = alt.Scale(zero=True) if room is None else alt.Scale(domain=room, nice=False)
    axis = alt.Axis(tickCount=4, ticks=False, domain=False)
    return alt.Y("value:Q", stack=False, title=None, scale=scale, axis=axis)


@lru_cache(maxsize=256)
def trend(
    points: tuple[Point, ...], limits: tuple[Limit, ...] = (), *, width: int, height: int = 168
) -> str:
    """A line over time with its last value written out; from 0 where a limit is shown, else from near the least."""
    import altair as alt

    room = None if limits else _room([point.value for point in points])
    y = _value_axis(alt, room)
    base = _chart(points).encode(x=_month_axis(alt), y=y)
    last = base.transform_filter(alt.datum.is_last)
    # then the words stand clear of the line below it
    falls = len(points) > 1 and points[-1].value < points[-2].value
    layers = [
        base.mark_area(color=_COLOURS["c-fill"], aria=False).encode(y2=alt.value("height")),
        base.mark_line(color=_COLOURS["c1"], strokeWidth=2, strokeJoin="round", aria=False),
        *_lines(limits, y=y),
        last.mark_point(
            filled=True,
            size=44,
            fill=_COLOURS["surface"],
            stroke=_COLOURS["c1"],
            opacity=1,
            aria=False,
        ),
        last.mark_text(
            align="right", dy=15 if falls else -11, dx=4, fontWeight="bold", color=_COLOURS["ink"]
        ).encode(text="text:N"),
        # What a pointer finds over each month: its words and its rows.
        base.mark_rule(color=_COLOURS["ink-3"], strokeWidth=22, opacity=0, aria=True).encode(
            y=alt.value(0), y2=alt.value("height"), href="url:N", description="words:N"
        ),
    ]
    return _draw(
        alt.layer(*layers),
        width,
        height,
        f"{points[0].label} 至 {points[-1].label}" if points else "",
    )


@lru_cache(maxsize=256)
def bars(
    points: tuple[Point, ...], limits: tuple[Limit, ...] = (), *, width: int, step: int = 30
) -> str:
    """Horizontal bars from 0, each with its name at the left and its value at its end."""
    import altair as alt

    most = max([point.value for point in points] + [limit.value for limit in limits] + [0.01])
    name_width = min(max((_ems(point.label) for point in points), default=0) * 12 + 8, width * 0.4)
    names = alt.Axis(
        ticks=False,
        domain=False,
        labelLimit=name_width,
        labelFontSize=12,
        labelPadding=8,
        minExtent=40,
    )
    y = alt.Y(
        "label:N",
        sort=None,
        title=None,
        axis=names,
        scale=alt.Scale(paddingInner=0.55, paddingOuter=0.3),
    )
    # Values stand in a column at the end, clear of bars and limits; the bars share what is left.
    room = max((_ems(point.text) for point in points), default=0) * 12 + 12
    span = most * (width - name_width) / max(width - name_width - room, width * 0.2)
    x = alt.X("value:Q", title=None, axis=None, scale=alt.Scale(domain=[0, span], nice=False))
    base = _chart(points).encode(y=y)
    tones = alt.Color(
        "tone:N",
        legend=None,
        scale=alt.Scale(
            domain=["", "warn", "bad"], range=[_COLOURS["c1"], _COLOURS["c3"], _COLOURS["bad"]]
        ),
    )
    bar = base.mark_bar(cornerRadius=1.5, aria=True).encode(
        x=x, color=tones, href="url:N", description="words:N"
    )
    text = base.mark_text(
        align="right", fontSize=12, fontWeight="bold", color=_COLOURS["ink"], aria=False
    )
    layers = [bar, *_lines(limits, x=x), text.encode(x=alt.value("width"), text="text:N")]
    height = len(points) * step + (18 if limits else 0)
    return _draw(
        alt.layer(*layers),
        width,
        height,
        "；".join(f"{point.label} {point.text}" for point in points),
    )


@lru_cache(maxsize=256)
def donut(parts: tuple[Point, ...], total: str, unit: str, *, size: int = 132) -> str:
    """A whole in at most four parts with the total in its middle; the legend stands beside it, in the page."""
    import altair as alt

    colours = alt.Scale(
        domain=[part.label for part in parts],
        range=[_COLOURS[name] for name in _SERIES[: len(parts)]],
    )
    ring = _chart(parts).mark_arc(
        outerRadius=size / 2 - 2,
        innerRadius=size / 2 - 22,
        stroke=_COLOURS["surface"],
        strokeWidth=2,
        aria=True,
    )
    ring = ring.encode(
        theta=alt.Theta("value:Q", stack=True),
        order="rank:Q",
        href="url:N",
        description="words:N",
        color=alt.Color("label:N", legend=None, scale=colours),
    )
    middle = alt.Chart(alt.InlineData([{}]))
    font = 18 if len(total) <= 6 else 14 if len(total) <= 9 else 12
    figure = middle.mark_text(
        fontSize=font, fontWeight="bold", dy=-5, color=_COLOURS["ink"], aria=False
    )
    words = middle.mark_text(fontSize=11, dy=13, color=_COLOURS["ink-3"], aria=False)
    layers = alt.layer(
        ring, figure.encode(text=alt.value(total)), words.encode(text=alt.value(unit))
    )
    said = "，".join(f"{part.label} {part.text}" for part in parts)
    return _draw(layers, size, size, f"共 {total} {unit}：{said}")


def _chart(points: Sequence[Point]) -> Any:
    import altair as alt

    rows = [
        {
            "label": point.label,
            "value": point.value,
            "text": point.text,
            "tone": point.tone,
            "rank": rank,
            "words": f"{point.label}：{point.text}",
            "url": _HERE + point.url if point.url else None,
            "is_last": rank == len(points),
        }
        for rank, point in enumerate(points, start=1)
    ]
    return alt.Chart(alt.InlineData(rows))


def _lines(limits: Sequence[Limit], **across: Any) -> list[Any]:
    """Each limit as a line across the channel `x` or `y`, its words at the line's end."""
    import altair as alt

    found = []
    place: dict[str, Any] = {"x": alt.value(0)} if "y" in across else {"y": alt.value(0)}
    for limit in limits:
        colour = _COLOURS["warn" if limit.is_warning else "bad"]
        dash = [4, 3] if limit.is_warning else [1, 0]
        base = alt.Chart(alt.InlineData([{"value": limit.value, "text": limit.text}])).encode(
            **across
        )
        found.append(base.mark_rule(color=colour, strokeWidth=1.2, strokeDash=dash, aria=False))
        # Words of a warning end at its line and those of a limit begin there, for the two often lie close.
        side: Any = (
            ("right", 6)
            if limit.is_warning and "x" in across
            else ("left", -6 if "x" in across else 0)
        )
        words = base.mark_text(align=side[0], dx=side[1], dy=-7, color=colour, aria=False)
        found.append(words.encode(text="text:N", **place))
    return found


def _room(values: Sequence[float]) -> list[float]:
    """Ends of an axis that begins near the least value, but never below 0."""
    if not values:
        return [0, 1]
    least, most = min(values), max(values)
    margin = (most - least) * 0.35 or abs(most) * 0.1 or 1
    return [max(least - margin, 0) if least >= 0 else least - margin, most + margin]


def _ems(text: str) -> float:
    return sum(1 if ord(char) > 0x2E7F else 0.58 for char in text)


def _draw(chart: Any, width: int, height: int, words: str) -> str:
    import vl_convert

    label = {
        "labelColor": _COLOURS["ink-3"],
        "labelFontSize": 11,
        "gridColor": _COLOURS["line"],
        "labelPadding": 6,
    }
    chart = chart.properties(
        width=width,
        height=height,
        padding={"left": 0, "right": 4, "top": 6, "bottom": 0},
        autosize={"type": "fit", "contains": "padding"},
    )
    chart = (
        chart.configure(font=_FONTS, background=_COLOURS["surface"])
        .configure_axis(**label)
        .configure_view(stroke=None)
        .configure_text(fontSize=11)
    )
    return _dress(vl_convert.vegalite_to_svg(chart.to_dict(validate=False)), words)


def _dress(drawn: str, words: str) -> str:
    """The engine's drawing as a part of a page: its colours, its font, its addresses, and a sentence for readers."""
    root = ET.fromstring(drawn)  # noqa: S314 - reads what the engine has just drawn
    has_links = False
    for node in root.iter():
        for name in ("fill", "stroke"):
            if (colour := _NAMES.get(node.get(name, "").lower())) is not None:
                node.set(name, f"var(--{colour})")
        for name in ("font-family", "class", "role", "aria-roledescription", "aria-hidden"):
            node.attrib.pop(name, None)
        if (said := node.attrib.pop("aria-label", None)) is not None and node.tag in _MARKS:
            ET.SubElement(node, f"{{{_SVG}}}title").text = said
        if (url := node.attrib.pop(f"{{{_LINK}}}href", None)) is not None:
            # The engine gives an address of its own to what has none.
            is_ours = url.startswith(_HERE)
            node.tag, has_links = (node.tag if is_ours else f"{{{_SVG}}}g"), has_links or is_ours
            if is_ours:
                node.set("href", url.removeprefix(_HERE))
    root.set("class", "chart")
    # Links inside an image are lost to readers: then it is a group of them.
    root.set("role", "group" if has_links else "img")
    root.set("aria-label", words)
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode")
