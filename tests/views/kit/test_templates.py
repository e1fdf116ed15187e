"""Templates against their contract: light, escaped, reachable by keyboard and reader, and nothing from outside."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template
from markupsafe import Markup
from wtforms import Form, StringField

from views.kit.pages import (
    Action,
    ApprovalPage,
    Cell,
    Chip,
    Column,
    Decision,
    Donut,
    Fact,
    FeedItem,
    Field,
    FieldGroup,
    FormPage,
    GateItem,
    HomePage,
    Job,
    ListPage,
    MenuItem,
    MenuModule,
    Meter,
    Paging,
    RecordPage,
    ReportPage,
    Row,
    Section,
    Shell,
    Slice,
    Stage,
    Stat,
    Tab,
    TimelineItem,
)

APP = Path(__file__).resolve().parents[3] / "app"
EVIL = "<script>alert('1')</script>\"&"
MODULES = (
    MenuModule(
        "担保办理",
        "shield",
        (MenuItem("担保项目", "/project/list/", is_active=True, count=4),),
        is_active=True,
    ),
)
SHELL = Shell(
    "华衡融资担保",
    "衡",
    (("", MODULES), ("后台设置", MODULES)),
    business_date="2026-11-23",
    weekday="周一",
    user_name="陈立",
    user_role="业务一部",
    unread=7,
    help_url="/help",
    search_url="/search",
    inbox_url="/inbox",
    jobs=(Job("导出台账", "/jobs/1", "/jobs", 64),),
)
COLUMNS = [
    Column("number", "项目编号"),
    Column("customer", "客户", "reference"),
    Column("amount", "担保金额", "money", "元", "desc", "?o"),
    Column("stage", "阶段", "enum"),
    Column("end_on", "到期日", "date"),
    Column("updated_at", "更新时间", "datetime"),
    Column("note", "备注"),
    Column("manager", "A 角"),
]


class Seen(HTMLParser):
    """All elements of a page with their attributes, and all of its text."""

    def __init__(self, html: str) -> None:
        """Read the page."""
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Remember a text."""
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """Elements of a kind whose attributes have these values (`_` stands for `-`)."""
        return [
            attrs
            for t, attrs in self.found
            if t == tag and all(attrs.get(k.replace("_", "-")) == v for k, v in wanted.items())
        ]


@pytest.fixture(scope="module")
def app() -> Flask:
    """Templates alone, without models or framework."""
    found = Flask("app", root_path=str(APP))
    found.secret_key = "k" * 40
    found.jinja_env.globals["asset"] = lambda name: f"/static/{name}"
    found.jinja_env.globals["csrf_token"] = lambda: "token"
    found.jinja_env.globals["form_key"] = lambda: ""
    return found


def render(app: Flask, template: str, shell: Shell | None = SHELL, **context: Any) -> str:
    """A page as its reader gets it."""
    with app.test_request_context("/"):
        return render_template(template, shell=shell, **context)


def row(number: int) -> Row:
    """A typical row."""
    cells = (
        Cell(f"DB2026-{number:04}"),
        Cell("江州明达精密机械有限公司", "link", url="/corporate_customer/show/12345"),
        Cell("12,345,678.90", "money"),
        Cell("放款通知", "enum", tone="doing"),
        Cell("2026-12-02", "date"),
        Cell("2026-11-23 10:42", "datetime"),
        Cell("—"),
        Cell("周敏"),
    )
    return Row(str(number), f"/project/show/{number}", cells)


def list_page(rows: int) -> ListPage:
    """A list with everything a list can have."""
    return ListPage(
        "担保项目",
        "数据范围：本部门",
        COLUMNS,
        [row(n) for n in range(rows)],
        Paging(
            1,
            rows,
            128,
            page=1,
            pages=7,
            size=20,
            sizes=((20, "?size=20"),),
            links=(("1", "?page=1", True), ("2", "?page=2", False)),
        ),
        actions=[Action("新增担保项目", "/project/add", style="primary", icon="plus")],
        exports=[Action("Excel", "?x")],
        bulk=[Action("催办", "/bulk", "POST", confirm=EVIL)],
        tabs=[Tab("全部", "?", True, 128)],
        chips=[Chip("状态", "属于", "在保", "?")],
        clear_url="?",
        url="/project/list/",
        search_hint="编号",
        filters_url="/project/filters",
        sums=[("本页合计", {"amount": "1.00"}), ("全部合计", {"amount": "2.00"})],
        all_columns=[(c.key, c.label, True) for c in COLUMNS],
        problems=["列不存在"],
    )


def record_page() -> RecordPage:
    """A record with a stage line, conditions, limits and a trail."""
    facts = [
        Fact("客户", Cell(EVIL)),
        Fact("证件号码", Cell("320***1234", reveal_url="/customer/reveal/1/id_number")),
    ]
    gate = [
        GateItem("费用已收讫", True, "3 份", "/x"),
        GateItem("反担保已落实", False, "权证未入库", "/y", "去登记"),
    ]
    meters = [
        Meter(
            "单户",
            "2.23",
            "5.02%",
            limit="10%",
            share_before="22.3",
            share_added="27.9",
            share_warning="80",
            note="预警 8%",
        )
    ]
    trail = [TimelineItem("11-23", "周敏", "修改", (("金额", "1.00", "2.00"),))]
    return RecordPage(
        "明达精密",
        [("担保项目", "/project/list/")],
        facts=facts,
        state=Cell("放款通知", "enum", tone="doing"),
        actions=[
            Action("通知放款", "/do", "POST", "primary"),
            Action("出具函件", "#", why_not="还差 1 项"),
            Action(
                "撤销",
                "/void",
                "POST",
                "danger",
                confirm=EVIL,
                ask="原因",
                ask_required=True,
                fields=(("version", EVIL),),
            ),
        ],
        sections=[
            Section("facts", "基本信息", facts=[("", facts)]),
            Section(
                "children",
                "反担保",
                columns=COLUMNS,
                rows=[row(1)],
                sums=[("合计", {"amount": "3.00"})],
                count=1,
            ),
        ],
        active="children",
        stages=[
            Stage("申请", "done", "10-08", "周敏"),
            Stage("放款", "current", "11-20", "周敏", 3),
        ],
        aside=[
            Section("g", "条件", template="parts/gate.html", data=gate),
            Section("m", "额度", template="parts/meters.html", data=meters),
        ],
        below=[Section("t", "最近动态", template="parts/timeline.html", data=trail)],
    )


class Sample(Form):
    """One control."""

    name = StringField("名称")


def form_page() -> FormPage:
    """A refused form."""
    control = Sample(data={"name": EVIL}).name
    fields = [
        Field("name", "名称", control, required=True, errors=("名称太长",)),
        Field(
            "amount",
            "金额",
            Markup('<input id="amount" name="amount" type="text">'),
            "money",
            unit="元",
            help="不含税",
        ),
    ]
    return FormPage(
        "新增客户",
        [FieldGroup("基本信息", fields)],
        "/customer/add",
        "/customer/list/",
        errors=[("name", "名称", "名称太长")],
        stale=[("金额", "1.00", "2.00")],
    )


def pages() -> Iterator[tuple[str, Any]]:
    """A sample of every page."""
    yield "list.html", list_page(20)
    yield (
        "list.html",
        replace(list_page(0), chips=[], search="", bulk=[], empty_action=Action("新增", "/add")),
    )
    yield "record.html", record_page()
    yield "form.html", form_page()
    donut = Donut("50", "户", (Slice("担保办理", "16 户", 32), Slice("保后管理", "34 户", 68)))
    cards = [
        Section("d", "我的客户", template="parts/legend.html", data=donut),
        Section(
            "f",
            "预警",
            template="parts/feed.html",
            data=[FeedItem(EVIL, mark=Cell("重大", "enum", tone="bad"))],
        ),
        Section("e", "日程", empty="今天没有日程"),
    ]
    yield (
        "home.html",
        HomePage(
            "上午好，陈立",
            stats=[Stat("日内放款", "2", "笔", url="/x")],
            sections=cards,
            arrange_url="/desk",
        ),
    )
    yield (
        "approval.html",
        ApprovalPage(
            "评估审批",
            [],
            "青禾农产品有限公司",
            "/approvals/1",
            [Decision("REFUSE", "否决", "danger", True), Decision("AGREE", "同意", "primary")],
            checks=[GateItem("黑名单未命中", True, "")],
            steps=[Stage("待审", "current", who="陈立")],
            phrases=("同意",),
            errors=[("opinion", "审批意见", "请填写意见")],
        ),
    )
    grouped = [
        Row(
            "1",
            "",
            (Cell("最大单户"), Cell("8.26", "money", tone="warn")),
            tone="warn",
            group="集中度",
            span=1,
        )
    ]
    yield (
        "report.html",
        ReportPage(
            "监管指标", [Column("n", "指标"), Column("a", "本期", "money")], grouped, foot="口径"
        ),
    )


SAMPLES = list(pages())


@pytest.mark.parametrize(
    ("template", "page"), SAMPLES, ids=[f"{i}-{t}" for i, (t, _) in enumerate(SAMPLES)]
)
def test_page_is_safe_and_needs_nothing_from_outside(app: Flask, template: str, page: Any) -> None:
    """No inline script or style, no foreign address, nothing unescaped; icons and files exist."""
    html = render(app, template, page=page)
    seen = Seen(html)
    assert "alert('1')</script>" not in html
    assert all(attrs.get("src") for attrs in seen.all("script"))
    assert not [
        attrs
        for _, attrs in seen.found
        if "style" in attrs or any(name.startswith("on") for name in attrs)
    ]
    addresses = [
        v
        for _, a in seen.found
        for k, v in a.items()
        if k in {"src", "href", "action", "formaction"} and v
    ]
    assert not [address for address in addresses if "//" in address]
    symbols = set(
        re.findall(r'symbol id="(\w+)"', (APP / "static/icons.svg").read_text(encoding="utf-8"))
    )
    for address in addresses:
        path, _, mark = address.partition("#")
        if path.startswith("/static/"):
            assert (APP / path.removeprefix("/")).is_file(), path
        if path.endswith("icons.svg"):
            assert mark in symbols, mark
    assert len({a["id"] for _, a in seen.found if a.get("id")}) == len(
        [a for _, a in seen.found if a.get("id")]
    )


def test_list_of_fifty_rows_is_light(app: Flask) -> None:
    """A page of 50 rows stays under 100 KiB of html (X1)."""
    html = render(app, "list.html", page=list_page(50))
    assert html.count("/project/show/") == 50
    assert len(html.encode()) < 100 * 1024


def test_list_sums_stand_under_their_columns(app: Flask) -> None:
    """The label spans what stands before the first summed column, so sums stay aligned."""
    html = render(app, "list.html", page=list_page(1))
    foot = html[html.index("<tfoot>") : html.index("</tfoot>")]
    first = foot[: foot.index("</tr>")]
    spans = [int(n) for n in re.findall(r'colspan="(\d+)"', first)]
    assert spans == [2]
    assert len(re.findall("<td", first)) + spans[0] - 1 == len(COLUMNS) + 1  # and the check box


def test_dangerous_action_carries_question_reason_and_fields(app: Flask) -> None:
    """Buttons post through the page's one form, with the token, the version and what is asked first."""
    seen = Seen(render(app, "record.html", page=record_page()))
    button = seen.all("button", formaction="/void")[0]
    assert button["form"] == "post"
    assert button["data-confirm"] == EVIL
    assert button["data-ask"] == "原因"
    assert "data-ask-required" in button
    assert json.loads(str(button["data-fields"])) == [["version", EVIL]]
    assert seen.all("form", id="post", method="post")
    assert seen.all("input", name="csrf_token", value="token")


def test_disabled_action_says_why(app: Flask) -> None:
    """It keeps its place, cannot be sent, and names what is missing."""
    seen = Seen(render(app, "record.html", page=record_page()))
    button = seen.all("button", data_why="还差 1 项")[0]
    assert button["aria-disabled"] == "true"
    assert "formaction" not in button


def test_refused_form_ties_message_to_field(app: Flask) -> None:
    """Summary links to the field; the control is invalid and described by its message; what was typed stays."""
    seen = Seen(render(app, "form.html", page=form_page()))
    control = seen.all("input", id="name")[0]
    assert control["value"] == EVIL
    assert (control["aria-invalid"], control["aria-describedby"]) == ("true", "name-e")
    assert seen.all("span", id="name-e")
    assert seen.all("a", href="#name-g")
    assert seen.all("div", id="name-g")
    assert "名称太长" in seen.text


def test_empty_list_offers_a_way_on(app: Flask) -> None:
    """A filtered list offers to clear, an empty one to add."""
    bare = replace(list_page(0), empty_action=Action("新增担保项目", "/project/add"))
    assert "清空条件" in render(app, "list.html", page=bare)
    html = render(app, "list.html", page=replace(bare, chips=[], search=""))
    assert "清空条件" not in html
    assert html.count("新增担保项目") == 2  # in the head and in the middle


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 409, 413, 429, 500, 502])
def test_error_pages_speak_chinese_and_lead_out(app: Flask, code: int) -> None:
    """Also for codes that nobody thought of, signed in or not."""
    for shell in (SHELL, None):
        seen = Seen(render(app, "error.html", shell, code=code, brand_name="融资担保业务系统"))
        said = seen.text[seen.text.index("错误代码") - 200 :]
        assert not re.search(r"[A-Za-z]{3,}", said)
        assert seen.all("a", href="/")


def test_login_shows_demo_accounts_only_when_given(app: Flask) -> None:
    """And keeps the typed name after a refusal, never the password."""
    template = "appbuilder/general/security/login_db.html"
    plain = render(app, template, None, brand_name="担保", message="密码错误", username=EVIL)
    seen = Seen(plain)
    assert "演示账号" not in plain
    assert seen.all("input", name="username")[0]["value"] == EVIL
    assert not seen.all("input", name="password")[0]["value"]
    assert "密码错误" in seen.text
    demo = Seen(
        render(
            app,
            template,
            None,
            brand_name="担保",
            demo_accounts=[("zhoumin", "周敏", "客户经理", "Demo")],
        )
    )
    assert demo.all("button", data_fill_user="zhoumin", data_fill_password="Demo")
