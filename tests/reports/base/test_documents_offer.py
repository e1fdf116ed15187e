"""What templates may say: every placeholder has a Chinese name and an example, every fault its line."""

import re

import pytest

from reports.base.documents import (
    DOCUMENT_KINDS,
    Chapter,
    DocumentError,
    book_pdf,
    render_letter,
    template_source,
)
from reports.base.documents_offer import faults, names, offered, require_sound
from reports.base.documents_samples import SAMPLE_DATA

HAN = re.compile(r"[一-鿿]")


@pytest.mark.parametrize("code", sorted(DOCUMENT_KINDS))
def test_everything_a_kind_offers_has_a_name_and_renders_as_its_example(code):
    data = SAMPLE_DATA[code]
    assert faults(template_source(code), {**data, "custom": {}}) == []
    groups = offered(data)
    assert all(HAN.search(one.label) for group in groups for one in group.items)
    flat = [one for group in groups if not group.each for one in group.items]
    text = "|".join(one.text for one in flat)
    assert render_letter(text, data).count("|") == len(flat) - 1
    for group in groups:
        if group.each:
            rows = "".join(one.text for one in group.items)
            require_sound(f"{{% for row in {group.each} %}}{rows}{{% endfor %}}", data)
    assert all(HAN.search(label) for label in names(data, {}).values())


DATA = {
    "customer": {"name": "甲公司"},
    "plan": [{"seq": 1}, {"seq": 2, "interest": None}],
    "conditions": ["一"],
    "custom": {"project": {"rent": 12}},
}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "<p>{{ customer.nmae }}</p>",
            r"第 1 行：没有名为“customer.nmae”的占位符，是否想写“customer.name”（客户·名称）",
        ),
        (
            "\n{% if customer.name %}{% else %}{{ nothing }}{% endif %}",
            "第 2 行：没有名为“nothing”的占位符",
        ),
        ("{% for row in plan %}{{ row.sqe }}{% endfor %}", "row.sqe"),
        ("{{ plan[0].sqe }}{{ (plan|first).x }}", "sqe"),
        (
            "{{ custom.project.rnet }}",
            "custom.project.rnet”的占位符，是否想写“custom.project.rent”",
        ),
        ("{% for row in customer.name %}{% endfor %}", "循环只能用于清单"),
        ("<p>一</p>\n<script>alert(1)</script>", "第 2 行：文书中不能使用 <script>"),
        ('<p onclick="x()">一</p>', "<p> 不能使用属性 onclick=“x"),
        ('<p style="background:url(http://x)">一</p>', "不能使用属性 style"),
        ("<p>一\n<table><tr><td>二</td></tr></p>", "第 2 行：<table> 没有结束标签"),
        ("<p>一</p></div>", "</div> 没有对应的开始标签"),
        ("<!DOCTYPE html><?php x ?><p/>", "不能使用 <!DOCTYPE html>"),
        ("<b><i>一</b>", "<i> 没有结束标签"),
    ],
)
def test_a_fault_is_told_by_its_line_in_every_branch(text, words):
    assert words in "；".join(faults(text, DATA))


def test_what_a_template_itself_provides_for_is_no_fault():
    text = (
        "<p>{{ customer.pet|default('') }}{% if bird is defined %}有{% endif %}{{ custom.project.rent }}<br/></p>"
        "{% for row in plan %}{{ loop.index }}{{ row.interest }}{{ row['seq'] }}{% endfor %}"
        "{% for one in conditions %}{{ one }}{% else %}{{ (plan|last).seq }}{% endfor %}{{ plan[0].seq }}"
    )
    assert faults(text, DATA) == []
    assert faults("{{ anything }}<p>一</p>", None) == [], "a kind that the product does not know"
    many = "".join(f"{{{{ x{n} }}}}" for n in range(9))
    assert len(faults(many, DATA)) == 5
    with pytest.raises(DocumentError, match="成对"):
        faults("<p>{% if customer.name %}</p>", DATA)
    with pytest.raises(DocumentError, match="最多 20 万字"):
        faults("一" * 10_000_000, DATA)


def test_custom_fields_are_offered_by_their_names():
    (group,) = (
        one
        for one in offered(DATA, {"project": {"rent": "担保项目 · 月租金"}})
        if one.label == "自定义字段"
    )
    (item,) = group.items
    assert (item.label, item.text, item.example) == (
        "担保项目 · 月租金",
        "{{ custom.project.rent }}",
        "12",
    )
    assert names(DATA, {"project": {"rent": "月租金"}})["custom.project.rent"] == "月租金"


def test_a_book_has_contents_bookmarks_and_running_page_numbers(monkeypatch):
    import io

    from pypdf import PdfReader

    monkeypatch.setattr("reports.base.documents._BATCH", 100)
    parts = [Chapter(f"第{n}部分<𠮷>", f"<p>{'文' * 40}</p><script>x</script>") for n in (1, 2, 3)]
    made = PdfReader(
        io.BytesIO(book_pdf(parts, title="全卷", head='甲"公司', front=[("客户", "乙")]))
    )
    texts = ["".join(page.extract_text().split()) for page in made.pages]
    assert len(texts) == 4
    assert "正文共3页" in texts[0]
    assert [text[-3:] for text in texts[1:]] == ["第1页", "第2页", "第3页"]
    assert [made.get_destination_page_number(one) for one in made.outline] == [1, 2, 3]
    assert "script" not in "".join(texts)
