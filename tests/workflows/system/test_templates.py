"""文书模板: saved is rendered once with sample data; each change of the text counts as a version."""

import pytest
from sqlalchemy import select

from models.base.errors import FieldErrors
from models.system.records import DocumentTemplate
from reports.base.documents import letter_pdf, render_letter
from workflows.base import records
from workflows.base.documents import load_templates
from workflows.system import templates


@pytest.fixture
def template(ctx):
    load_templates(ctx.session)
    return ctx.session.scalars(
        select(DocumentTemplate).where(DocumentTemplate.code == "intent_letter")
    ).one()


def save(ctx, template, **values):
    return records.update(ctx, template, values, template.version)


def test_a_changed_text_is_a_version_and_anything_else_is_not(ctx, template):
    assert templates.check_template
    save(ctx, template, note="新格式")
    assert template.version_no == 1
    save(ctx, template, body=template.body + "<p>特此函告</p>")
    save(ctx, template, body=template.body + "<p>此致</p>")
    assert template.version_no == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<p>{{ customer.nmae }}</p>", "customer.nmae"),
        ("<p>{% if %}</p>", "占位符写法有误"),
        ("<p>{{ bank|money }}</p>", "不是数字"),
    ],
)
def test_a_broken_text_is_refused_at_the_field_when_it_is_saved(ctx, template, body, words):
    with pytest.raises(FieldErrors, match=words) as caught:
        save(ctx, template, body=body)
    assert set(caught.value.field_errors) == {"body"}


def test_a_letter_of_endless_size_is_printed_at_its_usual_one():
    letter = render_letter('<p style="font-size:99999999px;text-align:center">函</p>', {})
    assert "99999999" not in letter
    assert letter_pdf(letter, title="函", number="").startswith(b"%PDF")
