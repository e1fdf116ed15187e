"""Documents: the sandbox of templates, what sanitising leaves, the seeded letters and the PDFs of all engines."""

import io
import re
import subprocess
import sys
import threading
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pypdf
import pytest

from models.base.errors import BusinessError
from reports.base import documents, documents_table, documents_template
from reports.base.documents import (
    DOCUMENT_KINDS,
    DocumentError,
    letter_pdf,
    long_pdf,
    missing_system_parts,
    render_letter,
    sanitise,
    table_pdf,
    template_source,
    verify_code,
)
from reports.base.documents_samples import SAMPLE_DATA
from reports.base.export import ExportColumn

KINDS = sorted(DOCUMENT_KINDS)


def pdf_pages(pdf: bytes) -> list[str]:
    """Text of each page, without blanks and with the radicals that Qt writes for some characters turned back."""
    import unicodedata

    return [
        re.sub(r"\s", "", unicodedata.normalize("NFKC", page.extract_text()))
        for page in pypdf.PdfReader(io.BytesIO(pdf)).pages
    ]


def plain(html: str) -> str:
    """Text of HTML without tags and blanks."""
    return re.sub(r"<[^>]*>|\s", "", html)


@pytest.fixture
def no_wkhtmltopdf(monkeypatch):
    """A machine without wkhtmltopdf."""
    monkeypatch.setattr(documents, "_wkhtmltopdf", lambda: None)


# ------------------------------------------------------------------------------------------------------- rendering
def test_filters_print_amounts_rates_and_dates_the_chinese_way():
    html = render_letter(
        "{{ m|money }}/{{ m|capital }}/{{ r|rate }}/{{ d|cn_date }}/{{ d|cn_date_formal }}/{{ d|iso_date }}",
        {"m": Decimal("1234567.85"), "r": Decimal("4.350000"), "d": date(2026, 11, 3)},
    )
    assert (
        html
        == "1,234,567.85/壹佰贰拾叁万肆仟伍佰陆拾柒元捌角伍分/4.35/2026年11月3日/二〇二六年十一月三日/2026-11-03"
    )


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 10, 10), "二〇二六年十月十日"),
        (date(2026, 12, 20), "二〇二六年十二月二十日"),
        (date(2027, 1, 31), "二〇二七年一月三十一日"),
        (date(2027, 2, 1), "二〇二七年二月一日"),
    ],
)
def test_formal_dates(day, text):
    assert render_letter("{{ d|cn_date_formal }}", {"d": day}) == text


def test_empty_values_print_as_nothing_and_truth_in_chinese():
    assert (
        render_letter("[{{ a }}][{{ a|money }}][{{ a|cn_date }}][{{ b }}]", {"a": None, "b": True})
        == "[][][][是]"
    )


def test_a_whole_rate_keeps_its_zeros():
    assert render_letter("{{ r|rate }}%", {"r": Decimal(100)}) == "100%"


def test_a_missing_variable_is_named_in_full():
    with pytest.raises(DocumentError, match=r"“customer\.licence”没有数据"):
        render_letter("{{ customer.licence }}", {"customer": {"name": "甲"}})
    with pytest.raises(DocumentError, match="“bank”没有数据"):
        render_letter("{{ bank.name }}", {"customer": {}})


def test_a_document_error_is_a_business_error_with_its_message():
    with pytest.raises(BusinessError) as caught:
        render_letter("{{ nothing }}", {})
    assert "nothing" in caught.value.message


def test_keys_win_over_methods_of_dictionaries():
    assert (
        render_letter("{% for i in r.items %}{{ i }}{% endfor %}", {"r": {"items": ["甲", "乙"]}})
        == "甲乙"
    )
    with pytest.raises(DocumentError, match=r"r\.keys"):
        render_letter("{{ r.keys }}", {"r": {}})


def test_data_cannot_bring_markup():
    html = render_letter("<p>{{ name }}</p>", {"name": "<script>alert(1)</script><b>x</b>&"})
    assert html == "<p>&lt;script&gt;alert(1)&lt;/script&gt;&lt;b&gt;x&lt;/b&gt;&amp;</p>"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ name.upper() }}",
        "{{ self }}",
        "{{ range(10) }}",
        "{% for i in range(100000) %}x{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9 ** 999999999 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ name ~ name }}",
        "{% set a = name %}{{ a }}",
        "{% set a %}x{% endset %}{{ a }}",
        "{% macro m() %}{{ m() }}{% endmacro %}",
        "{% include 'x.html' %}",
        "{% import 'x.html' as x %}",
        "{% extends 'x.html' %}",
        "{% block a %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{{ name|safe }}",
        "{{ name|attr('x') }}",
        "{{ name|center(1000000000) }}",
        "{{ name|metered }}",
        "{{ name is sameas name }}",
        "{{ name + name }}",
        "{{ name",
        "{% for x in %}",
        "{% endif %}",
        "{{ name|money }}",
        "{{ name|cn_date }}",
        "{% for x in amount %}{% endfor %}",
        "{{ amount + name }}",
        "{{ -name }}",
        "{{ huge|capital }}",
        "{{ part_of_a_fen|capital }}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{% if 1 %}" * 500 + "{% endif %}" * 500,
    ],
)
def test_dangerous_or_broken_templates_are_refused_in_chinese(template):
    data = {
        "name": "甲",
        "amount": Decimal(1),
        "huge": Decimal(10) ** 20,
        "part_of_a_fen": Decimal("0.001"),
    }
    with pytest.raises(DocumentError, match=r"[\u4e00-\u9fff]"):
        render_letter(template, data)


def test_private_attributes_of_values_are_out_of_reach():
    with pytest.raises(DocumentError):
        render_letter("{{ name.__class__ }}", {"name": "甲"})


def test_entities_never_reach_a_template():
    class Customer:
        name = "甲"

    with pytest.raises(TypeError, match="customer"):
        render_letter("{{ customer.name }}", {"customer": Customer()})


def test_nested_loops_over_data_stop():
    data = {"rows": list(range(1000))}
    with pytest.raises(DocumentError, match="循环次数过多"):
        render_letter(
            "{% for a in rows %}{% for b in rows %}{% for c in rows %}{% endfor %}{% endfor %}{% endfor %}",
            data,
        )


def test_output_is_limited():
    with pytest.raises(DocumentError, match="过大"):
        render_letter(
            "{% for a in rows %}{{ text }}{% endfor %}",
            {"rows": list(range(300)), "text": "字" * 1000},
        )


def test_loop_numbers_and_conditions_work():
    html = render_letter(
        "{% for x in xs %}{{ loop.index + 1 }}{{ x }}{% if not loop.last %}；{% endif %}{% endfor %}",
        {"xs": ["甲", "乙"]},
    )
    assert html == "2甲；3乙"


# ------------------------------------------------------------------------------------------------------ sanitising
@pytest.mark.parametrize(
    "dirty",
    [
        "<script>alert(1)</script>",
        '<img src="http://example.com/a.png">',
        '<img src="file:///etc/passwd">',
        '<iframe src="file:///etc/passwd"></iframe>',
        '<link rel="stylesheet" href="http://example.com/a.css">',
        '<meta name="pdfkit-post-file" content="/etc/passwd">',
        "<style>@import url(http://example.com/a.css)</style>",
        '<a href="http://example.com">x</a>',
        '<object data="file:///etc/passwd"></object>',
        "<svg><script>alert(1)</script></svg>",
        '<p style="background: url(http://example.com/a.png)">x</p>',
        '<p style="width: expression(alert(1))">x</p>',
        '<p style="border: 1px solid u\\72l(http://example.com)">x</p>',
        '<p onclick="alert(1)">x</p>',
        '<form action="http://example.com"><input name="a"></form>',
        "<!-- http://example.com -->",
        '<base href="http://example.com">',
    ],
)
def test_nothing_that_runs_or_reaches_out_survives(dirty):
    clean = sanitise(f"<p>正文</p>{dirty}")
    assert "正文" in clean
    assert not re.search(
        r"script|http|file:|<(iframe|img|link|meta|style|a|object|svg|form|base|!--)\b|<!--|url\(|expression|onclick|\\",
        clean,
    )


def test_layout_survives_sanitising():
    html = '<table class="seal"><tr><td colspan="2" style="text-align:right;width:20%">甲</td></tr></table>'
    clean = sanitise(html)
    assert 'class="seal"' in clean
    assert 'colspan="2"' in clean
    assert "text-align:right" in clean
    assert "width:20%" in clean


def test_a_span_that_would_blow_the_table_up_is_dropped():
    assert "colspan" not in sanitise('<table><tr><td colspan="99999">x</td></tr></table>')


# ------------------------------------------------------------------------------------------------ seeded templates
def test_every_kind_has_a_template_and_sample_data():
    files = {
        path.stem
        for path in (Path(documents.__file__).parents[2] / "models/seeds/templates").glob("*.html")
    }
    assert set(KINDS) == set(SAMPLE_DATA)
    assert set(KINDS) <= files


def test_an_unknown_kind_is_refused():
    with pytest.raises(DocumentError, match="没有名为"):
        template_source("../../etc/passwd")


@pytest.mark.parametrize("kind", KINDS)
def test_seeded_template_names_every_variable_in_its_comment(kind):
    source = template_source(kind)
    comment, body = re.match(r"<!--(.*?)-->(.*)", source, re.DOTALL).groups()
    loops = set(re.findall(r"{% for (\w+) in", body)) | {"loop"}
    used = {
        name
        for name in re.findall(
            r"\b([a-z_]+\.[a-z_]+)\b", " ".join(re.findall(r"{[{%](.*?)[%}]}", body))
        )
        if name.split(".")[0] not in loops
    }
    assert used
    assert not {name for name in used if name not in comment}


@pytest.mark.parametrize("kind", KINDS)
def test_seeded_letter_renders_completely_and_survives_sanitising(kind):
    data = SAMPLE_DATA[kind]
    html = render_letter(template_source(kind), data)
    assert data["company"]["name"] in html
    assert not re.search(r"{{|}}|{%|None|Undefined", html)
    assert sanitise(html) == html


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in {"approval_sheet", "voucher", "fee_receipt"}]
)
def test_letters_carry_amount_in_figures_and_capitals_and_the_seal(kind):
    html = plain(render_letter(template_source(kind), SAMPLE_DATA[kind]))
    assert "5,000,000.00" in html
    assert "伍佰万元整" in html
    assert re.search(r"盖章", html)


def test_a_guarantor_without_collateral_gets_the_clauses_of_a_guarantee():
    data = SAMPLE_DATA["counter_contract"] | {
        "counter": {"kind": "保证", "method": "连带责任保证", "amount": Decimal("5000000.00")},
        "collateral": [],
    }
    html = plain(render_letter(template_source("counter_contract"), data))
    assert "反担保（保证）合同" in html
    assert "连带责任保证反担保" in html
    assert "抵押财产" not in html


# ------------------------------------------------------------------------------------------------------------ PDFs
def test_verify_code_is_short_stable_and_depends_on_number_and_content():
    code = verify_code("<p>甲</p>", "A-1")
    assert re.fullmatch(r"([0-9A-F]{4}-){3}[0-9A-F]{4}", code)
    assert code == verify_code("<p>甲</p>", "A-1")
    assert len({code, verify_code("<p>乙</p>", "A-1"), verify_code("<p>甲</p>", "A-2")}) == 3


def engine_name():
    """The engine that single-page letters come out of on this machine."""
    return "wkhtmltopdf" if documents._wkhtmltopdf() else "WeasyPrint"


@pytest.mark.parametrize("engine", ["wkhtmltopdf", "WeasyPrint"])
@pytest.mark.parametrize("kind", ["intent_letter", "fee_receipt"])
def test_a_letter_is_one_page_with_its_number_and_code(kind, engine, request):
    if engine == "WeasyPrint":
        request.getfixturevalue("no_wkhtmltopdf")
    elif engine_name() != engine:
        pytest.skip("wkhtmltopdf is not installed")
    assert engine_name() == engine
    spec = DOCUMENT_KINDS[kind]
    html = render_letter(template_source(kind), SAMPLE_DATA[kind])
    number = SAMPLE_DATA[kind]["doc"]["number"]
    pdf = letter_pdf(
        html,
        title=spec.title,
        number=number,
        page_size=spec.page_size,
        orientation=spec.orientation,
    )
    (text,) = pdf_pages(pdf)
    assert f"本文件编号{number},校验码{verify_code(html, number)},可在系统" in text
    box = pypdf.PdfReader(io.BytesIO(pdf)).pages[0].mediabox
    assert (round(box.width), round(box.height)) == (
        (595, 842) if spec.page_size == "A4" else (595, 420)
    )


@pytest.mark.parametrize(
    "kind", ["confirmation_letter", "disbursement_notice", "drawdown_voucher", "voucher"]
)
def test_the_other_seeded_letters_fit_one_page(kind):
    spec = DOCUMENT_KINDS[kind]
    html = render_letter(template_source(kind), SAMPLE_DATA[kind])
    pdf = letter_pdf(
        html, title=spec.title, number="A-1", page_size=spec.page_size, orientation=spec.orientation
    )
    assert len(pdf_pages(pdf)) == 1


def test_a_letter_that_runs_over_its_page_gets_page_numbers():
    pages = pdf_pages(letter_pdf("<p>正文一段。</p>" * 120, title="函", number="A-1"))
    assert len(pages) > 1
    assert f"第1/{len(pages)}页" in pages[0]


def test_a_contract_is_numbered_on_every_page():
    html = render_letter(template_source("guarantee_contract"), SAMPLE_DATA["guarantee_contract"])
    pages = pdf_pages(long_pdf(html, title="保证合同", number="BZ-2026-0128"))
    assert len(pages) > 1
    for number, text in enumerate(pages, 1):
        assert f"第{number}/{len(pages)}页" in text


class _Witness(BaseHTTPRequestHandler):
    """Remembers that somebody came."""

    seen: list[str]

    def do_GET(self):
        self.seen.append(self.path)
        self.send_response(404)
        self.end_headers()


@pytest.mark.parametrize("engine", ["wkhtmltopdf", "WeasyPrint"])
def test_engines_fetch_nothing_even_from_html_that_was_not_sanitised(
    engine, request, monkeypatch, tmp_path
):
    if engine == "WeasyPrint":
        request.getfixturevalue("no_wkhtmltopdf")
    elif engine_name() != engine:
        pytest.skip("wkhtmltopdf is not installed")
    secret = tmp_path / "secret.html"
    secret.write_text("TOPSECRET", encoding="utf-8")
    _Witness.seen = []
    server = HTTPServer(("127.0.0.1", 0), _Witness)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(documents, "sanitise", lambda html: html)
    html = (
        f'<meta name="pdfkit-post-file" content="x {secret}"><p>正文</p><img src="{url}/a.png">'
        f'<link rel="stylesheet" href="{url}/a.css"><script>document.write("RAN")</script>'
        f'<iframe src="{secret.as_uri()}"></iframe><p style="background: url({url}/b.png)">x</p>'
    )
    try:
        text = "".join(pdf_pages(letter_pdf(html, title="函", number="A-1")))
    finally:
        server.shutdown()
        server.server_close()
    assert "正文" in text
    assert "TOPSECRET" not in text
    assert "RAN" not in text
    assert _Witness.seen == []


def test_options_in_the_page_do_not_reach_the_command_line():
    import pdfkit

    kit = documents._kit_class()(
        '<meta name="pdfkit-post-file" content="x /etc/passwd">',
        "string",
        configuration=pdfkit.configuration(wkhtmltopdf=sys.executable),
    )
    assert not [part for part in kit.command() if "post-file" in part or "passwd" in part]


def test_an_engine_that_hangs_is_stopped(monkeypatch, tmp_path):
    sleeper = tmp_path / "wkhtmltopdf"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    sleeper.chmod(0o755)
    monkeypatch.setattr(documents, "_wkhtmltopdf", lambda: str(sleeper))
    monkeypatch.setattr(documents, "ENGINE_SECONDS", 0.2)
    with pytest.raises(DocumentError, match="超时"):
        letter_pdf("<p>x</p>", title="函", number="A-1")


def test_an_engine_that_fails_is_replaced(monkeypatch, tmp_path):
    broken = tmp_path / "wkhtmltopdf"
    broken.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setattr(documents, "_wkhtmltopdf", lambda: str(broken))
    assert "正文" in "".join(pdf_pages(letter_pdf("<p>正文</p>", title="函", number="A-1")))


def test_the_engine_sees_no_secrets_of_the_process(monkeypatch, tmp_path):
    spy = tmp_path / "wkhtmltopdf"
    spy.write_text(f"#!/bin/sh\nenv > {tmp_path}/env\nexit 1\n", encoding="utf-8")
    spy.chmod(0o755)
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("http_proxy", "http://proxy")
    monkeypatch.setattr(documents, "_wkhtmltopdf", lambda: str(spy))
    letter_pdf("<p>x</p>", title="函", number="A-1")
    seen = (tmp_path / "env").read_text(encoding="utf-8")
    assert "PATH=" in seen
    assert "secret" not in seen
    assert "proxy" not in seen


def test_deep_nesting_and_oversize_are_refused_before_layout():
    with pytest.raises(DocumentError, match="嵌套"):
        long_pdf("<table><tr><td>" * 6 + "x" + "</td></tr></table>" * 6)
    with pytest.raises(DocumentError, match="过大"):
        long_pdf("字" * (documents_template.MAX_OUTPUT_CHARS + 1))


def test_missing_parts_are_named(monkeypatch):
    monkeypatch.setattr(documents, "_wkhtmltopdf", lambda: None)
    monkeypatch.setattr(documents, "_installed_fonts", lambda: ())
    parts = missing_system_parts()
    assert any("wkhtmltopdf" in part for part in parts)
    assert any("中文字体" in part for part in parts)
    assert documents.chinese_fonts(serif=True) == ()


def test_fonts_fall_back_to_what_the_machine_has(monkeypatch):
    monkeypatch.setattr(
        documents, "_installed_fonts", lambda: ("AR PL UMing CN", "WenQuanYi Zen Hei")
    )
    assert documents.chinese_fonts(serif=True) == ("WenQuanYi Zen Hei",)
    monkeypatch.setattr(documents, "_installed_fonts", lambda: ("AR PL UMing CN",))
    assert documents.chinese_fonts(serif=False) == ("AR PL UMing CN",)
    assert any("Noto" in part for part in missing_system_parts())


def test_a_machine_that_has_everything_misses_nothing(monkeypatch):
    monkeypatch.setattr(documents, "_wkhtmltopdf", lambda: "/usr/bin/wkhtmltopdf")
    monkeypatch.setattr(documents, "_installed_fonts", lambda: ("Noto Serif CJK SC",))
    assert missing_system_parts() == []


def test_engines_load_when_first_used():
    code = (
        "import sys, reports.base.documents; "
        "print([m for m in ('weasyprint', 'typst', 'pdfkit', 'pypdf', 'xlsxwriter', 'cn2an') if m in sys.modules])"
    )
    root = Path(documents.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------------------------------------------------- tables
COLUMNS = [
    ExportColumn("number", "项目编号"),
    ExportColumn("customer", "客户名称"),
    ExportColumn("amount", "担保金额", "money", "元"),
    ExportColumn("rate", "年费率", "rate", "%"),
    ExportColumn("end", "到期日", "date"),
]


def project(number: int, customer: str = "示例有限公司") -> tuple:
    return (
        f"DB{number:05d}",
        customer,
        Decimal(1000 + number),
        Decimal("1.500000"),
        date(2027, 11, 30),
    )


def test_a_table_prints_values_as_people_read_them():
    pages = pdf_pages(
        table_pdf(
            "在保台账",
            COLUMNS,
            [project(1)],
            subtitle="截至2026-11-23",
            totals=["合计", "", 1001, None, None],
        )
    )
    assert len(pages) == 1
    for text in (
        "在保台账",
        "截至2026-11-23",
        "担保金额(元)",
        "1,001.00",
        "1.5",
        "2027-11-30",
        "合计",
        "第1/1页",
    ):
        assert text in pages[0]


def test_indents_bold_rows_and_places_to_sign_are_printed():
    rows = [project(1, "一、收入"), project(2, "\u3000担保费\u3000收入")]
    pages = pdf_pages(table_pdf("利润表", COLUMNS, rows, strong={0}, signs=("复核：", "制表：甲")))
    assert "复核:制表:甲" in pages[0]
    plain = table_pdf("利润表", COLUMNS, rows)
    assert table_pdf("利润表", COLUMNS, rows, strong={0}) != plain
    assert documents_table.cell_text("\u3000担保费 \n 收入", "text") == "\u3000担保费 收入"


def test_markup_in_data_stays_text():
    evil = '#panic("x") *b* $y$ @a <b> \\ // #read("/etc/passwd") ]'
    (text,) = pdf_pages(table_pdf(evil, COLUMNS, [project(1, evil)], subtitle=evil, foot=evil))
    assert text.count(re.sub(r"\s", "", evil)) >= 1
    assert "root:" not in text


def test_every_row_prints_once_and_in_order_across_slices(monkeypatch):
    monkeypatch.setattr(documents_table, "_SLICE_ROWS", 60)
    rows = [project(n, "很长的客户名称" * (n % 7 + 1)) for n in range(1, 251)]
    pages = pdf_pages(
        table_pdf("台账", COLUMNS, rows, orientation="portrait", totals=["合计"] + [None] * 4)
    )
    assert re.findall(r"DB\d{5}", "".join(pages)) == [row[0] for row in rows]
    for number, text in enumerate(pages, 1):
        assert "项目编号" in text
        assert f"第{number}/{len(pages)}页" in text
    assert "合计" in pages[-1]
    counts = [len(re.findall(r"DB\d{5}", text)) for text in pages[:-1]]
    assert min(counts) > max(counts) / 2, "no page ends early where one slice meets the next"


def test_an_empty_table_says_so():
    (text,) = pdf_pages(table_pdf("台账", COLUMNS, []))
    assert "没有符合条件的数据" in text


def test_a_table_has_limits(monkeypatch):
    monkeypatch.setattr(documents_table, "MAX_TABLE_ROWS", 3)
    with pytest.raises(DocumentError, match="最多输出 3 行"):
        table_pdf("台账", COLUMNS, (project(n) for n in range(4)))
    with pytest.raises(DocumentError, match="列"):
        table_pdf("台账", [], [])
    with pytest.raises(DocumentError, match="列"):
        table_pdf("台账", COLUMNS * 10, [])


def test_the_limit_is_what_the_product_promises():
    assert documents.MAX_TABLE_ROWS == 20_000


def test_control_characters_and_very_long_words_print():
    pages = pdf_pages(table_pdf("台账", COLUMNS, [project(1, "甲\x00\x0b\ud800𠮷" + "9" * 100)]))
    assert "9" * 100 in "".join(pages).replace("\u200b", "")


def test_a_printed_page_takes_over_where_the_one_before_ended():
    rows = [project(number, f"第{number}家") for number in range(1, 461)]
    blank = [None] * (len(COLUMNS) - 1)
    carried = [([f"承前页{n}", *blank], [f"过次页{n}", *blank]) for n in range(1, 461)]
    pages = pdf_pages(table_pdf("明细账", COLUMNS, rows, carried=carried))
    assert len(pages) > 4, "more than a slice"
    ends = [re.findall(r"过次页(\d+)", page) for page in pages]
    begins = [re.findall(r"承前页(\d+)", page) for page in pages]
    assert begins[0] == ends[-1] == []
    assert begins[1:] == ends[:-1]
    last_rows = [max(map(int, re.findall(r"第(\d+)家", page))) for page in pages]
    assert [int(end) for (end,) in ends[:-1]] == last_rows[:-1]
    assert last_rows[-1] == 460
    plain = pdf_pages(table_pdf("明细账", COLUMNS, rows))
    assert "承前页" not in "".join(plain)
