"""Every masked column keeps the rules of masks (X9), whoever adds it: nothing here names one."""

import re

import pytest

from app.roles import ROLES, all_permissions, permissions_of
from models.base.entity import entities, fields_of
from models.base.masks import for_paper, mask
from reports.base import search
from tests.masks import masked_columns, plain_of
from tests.structure.each import each
from views.kit import filters, list_args, lookup
from views.kit.interface import shape
from workflows.base.plain_papers import owners_of_plain_text
from workflows.base.values import coerce

MASKED = masked_columns()
each_mask = each("model, name", MASKED)
STARRED = (
    "********",
    "320***********8879",
    "**** 5678",
    "江州市滨江区****",
    "＊＊＊＊",
    "1380013800*",
)


# What tells of a person or an account is masked; these tell of places of work, and of machines and banks.
TELLING = re.compile("身份证|证件号|手机|账号|住址|联系方式|联系电话")
OPEN_ONES = {
    "company.phone",
    "guarantee_company.phone",
    "operator.user_id",
    "partner_bank.phone",
    "shop.account_bank",
}


def test_what_tells_of_a_person_or_an_account_is_masked():
    found = {
        f"{model.__tablename__}.{name}"
        for model in entities()
        for name, facts in fields_of(model).items()
        if TELLING.search(facts.label or "") and not facts.mask
    }
    assert found == OPEN_ONES


def test_there_are_masked_columns():
    assert len(MASKED) > 15


@each("model, name, text", [(*one, text) for one in MASKED for text in STARRED])
def test_stars_are_no_value(model, name, text):
    with pytest.raises(ValueError, match="星号"):
        coerce(fields_of(model)[name], text)


@each_mask
def test_the_plain_value_is_one(model, name):
    facts = fields_of(model)[name]
    if name == "account_no":
        assert coerce(facts, "6222 0212 3456 7890 123")
    assert coerce(facts, plain_of(model, name)) == plain_of(model, name)
    assert mask(plain_of(model, name), facts.mask) != plain_of(model, name)


@each_mask
def test_it_is_filtered_by_the_whole_value_only(model, name):
    assert filters.operators(fields_of(model)[name]) == ("eq", "empty", "filled")


@each_mask
def test_nothing_is_ordered_named_or_summed_by_it(model, name):
    spec = model.spec
    assert name not in {part.removeprefix("-") for part in spec.order.split(",")}
    assert name not in (spec.title, spec.tree, *spec.sums)


@each_mask
def test_the_index_holds_no_part_of_it(model, name):
    """One token beside those of the record without the value, and not made of it."""
    values = dict.fromkeys(("id", *model.spec.searched, model.spec.title))
    without = search._words(model, values).split()
    if name not in model.spec.searched:
        assert name not in search._searched(model)
        return
    plain = plain_of(model, name)
    added = search._words(model, values | {name: plain}).split()[len(without) :]
    assert len(added) == 1
    assert not any(token in added[0] for token in (plain.casefold(), plain[:4], plain[-4:]))
    assert search.is_whole(model, name)


def test_the_search_box_says_what_must_be_whole():
    for model in {m for m, n in MASKED if n in m.spec.searched}:
        assert "（须完整）" in list_args.search_hint(model)


def test_somebody_may_see_what_every_table_masks():
    known = all_permissions()
    held = {
        table for role in ROLES for verb, table in permissions_of(role, known) if verb == "reveal"
    }
    assert {str(model.__tablename__) for model, _ in MASKED} <= held


def test_a_paper_follows_every_masked_column():
    for model, name in MASKED:
        value = for_paper(model(**{name: plain_of(model, name)}), name)
        assert (
            owners_of_plain_text({"parts": [{"text": value}]}, f"<p>{value}</p>")
            == model.__tablename__
        )


def test_no_look_up_notes_a_masked_column():
    assert [
        (m, n) for m in entities() for n in lookup._note_names(m) if shape(m).facts(n).mask
    ] == []
