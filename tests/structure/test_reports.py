"""Every registered report, picked up by itself: who opens it, what it refuses, adds up and leads to, and its files."""

import csv
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from urllib.parse import urlencode

import openpyxl
import pytest
from flask import g
from sqlalchemy import select

import views.screens  # noqa: F401 - every report registers itself, with what the screen adds to it
from app.demo.people import PEOPLE
from app.roles import ROLES, all_permissions, permissions_of
from app.security import actor_of_username
from models.base.entity import entity_of
from models.base.money import round_to
from models.system.setup import SystemState
from reports.base.asked import Asked
from reports.base.params import Compare
from reports.base.report import REPORTS, Measure, cell, table
from reports.base.scope import scoped
from views.kit import edge
from views.kit.report_params import COMPARE, ParamForm
from workflows.base.context import Ctx

ALL = sorted(REPORTS.values(), key=lambda report: report.code)
BAD = ("不存在的", "-1", "2026-13-40", "9" * 40, "\x00'\"%_\\", "1.5", "<b>")
# What a report is asked where any record would do but few have figures.
EXAMPLES = {
    "detail-ledger": {"account": "1002"},
    "cash-journal": {"account": "1002"},
    "column-ledger": {"account": "6601"},
    "voucher-summary-entries": {"account": "1002"},
}
VALUE = re.compile(r"\d+|=[^&]*")  # what tells two targets of one kind apart
OPEN_ENDS = {"date": ("2026-01-02", "2026-01-01"), "int": ("2", "1")}  # a range in the wrong order
LINKS = 2  # of each kind of target that a report leads to so many are opened
every = pytest.mark.parametrize("report", ALL, ids=lambda report: report.code)


def holders(report) -> tuple[list[str], list[str]]:
    """The people of the demonstration who may open it, and those who may not: one of each role."""
    may: dict[tuple[str, ...], str] = {}
    may_not: dict[tuple[str, ...], str] = {}
    for username, *_, names in PEOPLE:
        (may if may_open(username, report) else may_not).setdefault(names, username)
    assert may, "nobody of the demonstration opens it: see its given_to"
    return list(may.values()), list(may_not.values())


def example(demo_app, username, report) -> dict[str, str]:
    """Parameters that the report takes: the records that it is about and asks for, within the reader's scope."""
    given = dict(EXAMPLES.get(report.code, {}))
    with AsReader(demo_app, username) as asked:
        for name, param in report.params.items():
            if name == report.about:
                model = entity_of(param.facts.target)
                query = scoped(select(model.id), model, asked.actor).order_by(model.id)
                given[name] = str(asked.session.scalars(query).first())
    return given


def may_open(username, report) -> bool:
    """Whether the roles of a person of the demonstration open it."""
    names = next(roles for name, *_, roles in PEOPLE if name == username)
    known = all_permissions()
    return any(report.permission in permissions_of(r, known) for r in ROLES if r.name in names)


class AsReader:
    """A question of somebody of the demonstration, outside any page."""

    def __init__(self, demo_app, username):
        self.product, self.username = demo_app, username

    def __enter__(self) -> Asked:
        self.session_of = self.product.session()
        session = self.session_of.__enter__()
        today = session.get_one(SystemState, 1).business_date
        return Asked(session, actor_of_username(session, self.username), today)

    def __exit__(self, *args):
        self.session_of.__exit__(*args)


def address(report, given, **more) -> str:
    """Where the report stands with these parameters."""
    args = {**given, **more}
    path = f"{report.url}/{args.pop(report.about)}" if report.about else report.url
    return f"{path}?{urlencode(args)}"


def of_sheet(answer) -> list[tuple]:
    """Rows of a workbook's first sheet below its head."""
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames[-1] == "说明", "who, when, of which choice"
    return list(book.worksheets[0].values)[1:]


@every
def test_it_has_its_right_its_place_in_the_menu_and_its_guard(demo_app, todays, report):
    verb, table_name = report.permission
    assert verb in all_permissions()[table_name]
    may, may_not = (
        todays(names, 3) for names in holders(report)
    )  # a role a day: one right for all
    for username in may:
        client, given = demo_app.client_of(username), example(demo_app, username, report)
        answer = client.get(address(report, given))
        assert (answer.status_code, report.module.label in answer.text) == (200, True), username
        assert (f'href="{report.url}"' in answer.text) == report.in_menu, username
    about = {report.about: "1"} if report.about else {}
    for username in may_not:
        client = demo_app.client_of(username)
        for more in ({}, {"format": "xlsx"}):
            path = address(report, about, **more)
            assert client.get(path).status_code == 403, (username, path)
        assert f'href="{report.url}"' not in client.get("/reports/").text, username
    for kind in ("pdf", "csv") if may_not else ():
        path = address(report, about, format=kind)
        assert demo_app.client_of(may_not[0]).get(path).status_code == 403


@pytest.mark.share(8)
@every
def test_each_bad_parameter_is_refused_at_its_field_and_stays_as_typed(demo_app, todays, report):
    reader = holders(report)[0][0]
    client, given = demo_app.client_of(reader), example(demo_app, reader, report)
    names = [*report.params, *([COMPARE] if report.compared else [])]
    asked = [name for name in names if name != report.about]
    # All are wrong at once, as each is told at once; then each alone.
    words = todays([word for word in BAD if word != BAD[0]], 2)
    for bad in [*(dict.fromkeys(asked, word) for word in words), *({n: BAD[0]} for n in asked)]:
        answer = client.get(address(report, {**given, **bad}))
        page = unescape(answer.text)
        assert answer.status_code == (400 if bad else 200), bad
        for name, word in bad.items():
            assert f'id="{name}-e"' in page, (name, word)
            assert page.count(word.replace("\x00", "")) >= len(bad), (name, word)
    for kind in ("xlsx", "pdf", "csv") if asked else ():
        refused = client.get(address(report, {**given, asked[0]: BAD[0]}, format=kind))
        assert (refused.status_code, refused.mimetype) == (400, "text/html")
    for word in words if report.about else ():
        assert client.get(address(report, {**given, report.about: word})).status_code in {308, 404}
    for more in ({"format": "exe"}, {"page": "x"}, {"page": "9" * 30}, {"nothing": "1"}):
        assert client.get(address(report, given, **more)).status_code == 200


@every
def test_a_range_that_ends_before_it_begins_is_refused(demo_app, report):
    reader = holders(report)[0][0]
    client, given = demo_app.client_of(reader), example(demo_app, reader, report)
    with AsReader(demo_app, reader) as asked:
        for name, param in report.params.items():
            if param.not_after:
                value = report.params[param.not_after].default(asked)
                earlier = date(2000, 1, 1) if isinstance(value, date) else asked.periods[-1]
                if value is None:  # open at either end
                    value, earlier = OPEN_ENDS[param.facts.kind]
                if earlier == value:
                    continue
                answer = client.get(
                    address(report, {**given, name: value, param.not_after: earlier})
                )
                assert answer.status_code == 400
                assert re.search("不能(晚|大)于", answer.text)


def found_by(demo_app, username, report, given):
    """What the report answers to this reader, with the parameters typed as the screen types them."""
    page = demo_app.app.test_request_context(address(report, given))
    with page, AsReader(demo_app, username) as reader:
        g.ctx = ctx = Ctx(reader.session, reader.actor, reader.today, datetime.now(UTC))
        asked = Asked(ctx.session, ctx.actor, ctx.today, {}, 0, report.page_size)
        ParamForm(ctx, report, given, asked).read()
        found = report.lines(asked)
        return found, table(report, found)


@every
def test_totals_agree_with_the_lines_by_the_measure_of_each_column(demo_app, report):
    for username in holders(report)[0][:3]:
        given = example(demo_app, username, report)
        found, shown = found_by(demo_app, username, report, given)
        assert found.lines, "the demonstration shows nothing of it"
        counting = [line.values for line in shown.lines if line.counts]
        if shown.totals is None:
            continue
        for column in shown.columns:
            given_ = [v for line in counting if (v := line.get(column.key)) is not None]
            total = shown.totals.get(column.key)
            if column.measure is None or column.measure is Measure.STATED:
                assert total is None, column.key
            elif column.measure is Measure.RATIO:
                part = shown.totals[column.part]
                whole = shown.totals[column.whole or column.part]
                times = Decimal(100 if column.kind == "rate" else 1)
                assert total == round_to(part * times / whole, 2), column.key
                for line in counting:
                    base = line[column.whole] if column.whole else whole
                    assert line[column.key] == round_to(line[column.part] * times / base, 2)
            elif column.measure is Measure.DISTINCT:
                sizes = [cell(value) for value in given_]
                assert max(sizes) <= cell(total) <= sum(sizes), column.key
            elif column.measure is Measure.BALANCE and report.over_time:
                assert total == given_[-1], column.key
            elif found.count is None or found.count <= report.page_size:
                assert total == sum(given_), column.key


@pytest.mark.share(8)
@every
def test_its_files_hold_the_figures_of_the_page(demo_app, todays, report):
    reader = holders(report)[0][0]
    client, given = demo_app.client_of(reader), example(demo_app, reader, report)
    page = client.get(address(report, given)).text
    sheet = of_sheet(client.get(address(report, given, format="xlsx")))
    answer = client.get(address(report, given, format="csv"))
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))[1:]
    assert [len(row) for row in rows] == [len(rows[0])] * len(rows)
    _, shown = found_by(demo_app, reader, report, given)
    assert len(sheet) >= len(shown.lines)
    for mine, theirs in zip(sheet, rows, strict=False):
        for column, value, text in zip(shown.columns, mine, theirs, strict=True):
            if isinstance(value, int | float) and column.kind in {"money", "rate", "int"}:
                assert Decimal(str(value)) == Decimal(text), column.key
    texts = {f"{Decimal(str(v)):,.2f}" for row in sheet[:20] for v in row if isinstance(v, float)}
    assert {text for text in texts if text not in page} == set(), "the page has other figures"
    if report.code in todays(REPORTS, 6):  # a program of its own draws it, the same for all
        pdf = client.get(address(report, given, format="pdf"))
        assert (pdf.status_code, pdf.data[:4]) == (200, b"%PDF")


@pytest.mark.share(8)
@every
def test_what_it_leads_to_opens_for_its_reader(demo_app, report):
    """Those who see least and most: a target that answers anything but 200 is a dead link."""
    opened = 0
    for username in (holders(report)[0][0], holders(report)[0][-1], "zhoumin"):
        client = demo_app.client_of(username)
        if not may_open(username, report):
            continue
        given = example(demo_app, username, report)
        found, _ = found_by(demo_app, username, report, given)
        targets = [line.url for line in found.lines]
        targets += [url for line in found.lines for url in line.urls.values()]
        kinds: dict[str, list[str]] = {}
        for url in filter(None, dict.fromkeys(targets)):
            kinds.setdefault(VALUE.sub("", url), []).append(url)
        for url in (url for same in kinds.values() for url in same[:LINKS]):
            answer = client.get(url, follow_redirects=True)
            assert answer.status_code == 200, (username, url)
            opened += 1
    assert opened, "no figure leads anywhere"


@pytest.mark.parametrize(
    "report", [report for report in ALL if report.compared], ids=lambda report: report.code
)
def test_a_comparison_sets_the_earlier_figures_beside(demo_app, report):
    reader = holders(report)[0][0]
    client, given = demo_app.client_of(reader), example(demo_app, reader, report)
    for by in Compare:
        answer = client.get(address(report, given, compare=by.name))
        assert answer.status_code == 200
        assert f"{by.label}" in answer.text
        assert "增减" in answer.text
        assert client.get(address(report, given, compare=by.name, format="xlsx")).data[:2] == b"PK"


@pytest.mark.parametrize(
    "report", [report for report in ALL if report.page_size], ids=lambda report: report.code
)
def test_a_long_report_is_told_by_pages_and_its_file_is_whole(demo_app, report):
    reader = holders(report)[0][0]
    client, given = demo_app.client_of(reader), example(demo_app, reader, report)
    found, _ = found_by(demo_app, reader, report, given)
    first = client.get(address(report, given)).text
    assert re.search(r"共 ?<?[^<]*\d", first)
    assert client.get(address(report, given, page=2)).status_code == 200
    sheet = of_sheet(client.get(address(report, given, format="xlsx")))
    assert len(sheet) >= found.count


def test_edge_knows_each_report_by_its_class(demo_app):
    """One screen class serves them all; each has routes of its own, so that its permission is asked there."""
    endpoints = {rule.endpoint for rule in demo_app.app.url_map.iter_rules()}
    made = [view for view in demo_app.app.appbuilder.baseviews if hasattr(view, "report")]
    assert {view.report.code for view in made} == set(REPORTS)
    assert {f"{type(view).__name__}.show" for view in made} <= endpoints
    assert edge.TITLES[403]
