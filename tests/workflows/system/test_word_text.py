"""A Word file becomes the text of a template: its titles, tables and alignment stay, what is dangerous does not."""

import io
import zipfile

import pytest

from models.base.errors import BusinessError
from reports.base.documents_offer import offered
from reports.base.documents_samples import SAMPLE_DATA
from workflows.system import word_text

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{OFFICE}" Target="word/document.xml"/></Relationships>'
)


def paragraph(text, align="", style=""):
    props = f'<w:pStyle w:val="{style}"/>' * bool(style) + f'<w:jc w:val="{align}"/>' * bool(align)
    return f"<w:p><w:pPr>{props}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def word(body, **more):
    """The bytes of a .docx."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("_rels/.rels", RELS)
        archive.writestr(
            "word/document.xml", f"<w:document {W}><w:body>{body}</w:body></w:document>"
        )
        for name, text in more.items():
            archive.writestr(f"word/{name}.xml", text)
    return target.getvalue()


def take(ctx, data, name="意向函.docx"):
    return word_text.take(ctx, name, data, offered(SAMPLE_DATA["intent_letter"]))


def test_a_letter_written_in_word_is_taken_over(ctx):
    cells = "".join(f"<w:tc>{paragraph(one)}</w:tc>" for one in ("金额", "【担保金额】"))
    body = (
        paragraph("担保意向函𠮷", "center")
        + paragraph("致【总行名称】【编号】：")
        + paragraph("&lt;script&gt;alert(1)&lt;/script&gt; {{ customer.name }}", "both")
        + f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"
        + paragraph("盖章处", "center")
        + paragraph("【文书·日期】", "right")
    )
    found = take(ctx, word(body))
    assert found.html.startswith("<h1>担保意向函𠮷</h1>")
    assert "致{{ bank.name }}【编号】" in found.html
    assert "&lt;script&gt;" in found.html
    assert "{{ customer.name }}" in found.html
    assert "<td><p>{{ project.amount|money }}</p>" in found.html
    assert '<p class="center">盖章处</p>' in found.html
    assert '<p class="right">{{ doc.date|cn_date }}</p>' in found.html
    assert list(found.notes) == ["3 处【名称】已换成占位符", "没有认出：【编号】，请从右侧选择"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("函.doc", b"x", "另存为 .docx"),
        ("函.docx", b"", "是空的"),
        ("函.docx", b"no archive", "损坏"),
        ("函.docx", word("<w:p>"), "损坏"),
        ("函.docx", word(paragraph("")), "没有文字"),
        ("函.docx", word(paragraph("一"), more='<!DOCTYPE x [<!ENTITY a "b">]><x/>'), "损坏"),
        ("函.docx", word(paragraph("一" * 200_001)), "最多 20 万字"),
        ("函.docx", word(paragraph("一"), vbaProject=""), "宏"),
    ],
)
def test_what_is_no_sound_word_file_is_refused_in_words(ctx, name, data, words):
    with pytest.raises(BusinessError, match=words) as caught:
        take(ctx, data, name)
    assert set(caught.value.field_errors) == {"file"}


def test_a_document_that_unfolds_is_refused(ctx, monkeypatch):
    monkeypatch.setattr(word_text, "_XML_MAX", 1000)
    with pytest.raises(BusinessError, match="内容过大"):
        take(ctx, word(paragraph("一" * 1000)))
