"""Cells as a form would send them (X3): days, amounts, yes and no, words, names of records."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.fields import FieldFacts
from models.guarantee.project import Project
from models.system.organization import Department, Employee
from models.system.setup import DictionaryItem, DictionaryType
from tests.workflows.office import EVERYTHING
from workflows.system.import_cells import Names, Reader, Unknown, named, shown, told_words
from workflows.system.import_columns import ImportColumn

DAY, MOMENT = datetime.fromisoformat("2028-02-29"), datetime.fromisoformat("2028-02-29 08:05")


def column(kind, **facts):
    found = FieldFacts(kind=kind, name="x", label="某列", **facts)
    return ImportColumn("x", "某列", found, ("某列",), Department)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (None, ""),
        (True, "是"),
        (False, "否"),
        (Decimal("1E+2"), "100"),
        (DAY, "2028-02-29"),
        (MOMENT, "2028-02-29 08:05:00"),
        ("甲", "甲"),
    ],
)
def test_a_cell_is_shown_as_people_read_it(cell, words):
    assert shown(cell) == words


@pytest.mark.parametrize(
    ("of", "cell", "read"),
    [
        (column("bool"), True, True),
        (column("bool"), "√", True),
        (column("bool"), "×", False),
        (column("bool"), "否", False),
        (column("int", unit="个月"), Decimal(12), "12"),
        (column("int", unit="个月"), "12个月", "12"),
        (column("rate", unit="%", scale=4), "4.35%", "4.35"),
        (column("date"), DAY, "2028-02-29"),
        (column("money"), "1,200.50", "1200.50"),
        (column("text", length=9), Decimal(12), "12"),
        (column("text", length=9), " 𠮷 ", "𠮷"),
        (column("date"), "——", None),
        (column("text", length=9), "——", "——"),
    ],
)
def test_a_cell_is_read_as_the_form_takes_it(ctx, of, cell, read):
    assert Reader(ctx, {}, {}).read(of, cell) == read


def test_an_amount_has_the_unit_of_its_head(ctx):
    reader = Reader(ctx, {"x": Decimal(10000)}, {})
    assert reader.read(column("money"), Decimal(750)) == "7500000.00"


def test_a_word_that_somebody_has_explained_is_known(ctx):
    of = column("dictionary", dictionary="industry")
    assert Reader(ctx, {}, {}).read(of, "制造业") == "C"
    with pytest.raises(Unknown) as asked:
        Reader(ctx, {}, {}).read(of, "做东西的")
    assert told_words(iter([asked.value.word] * 2)) == {"industry": {"做东西的": 2}}
    assert Reader(ctx, {}, {("industry", "做东西的"): "C"}).read(of, "做东西的") == "C"


def test_a_record_is_meant_by_its_number_its_name_or_with_what_it_is_part_of(ctx, office):
    industry = ctx.session.scalars(
        select(DictionaryItem).join(DictionaryType).where(DictionaryType.code == "industry")
    ).first()
    assert named(ctx, Employee, "E2") == office.people["乙"]
    assert named(ctx, Employee, "乙") == office.people["乙"]
    assert named(ctx, DictionaryItem, f"industry/{industry.code}") == industry.id
    assert named(ctx, DictionaryItem, f"industry / {industry.label}") == industry.id
    for text in ("industry/没有这一项", "没有这本字典/A", "没有斜线"):
        with pytest.raises(ValueError, match="没有"):
            named(ctx, DictionaryItem, text)


def test_two_of_one_name_are_not_guessed_between(ctx, office):
    department = office.departments["业务一部"]
    for number in ("E8", "E9"):
        ctx.session.add(Employee(number=number, name="重名", department_id=department))
    ctx.session.flush()
    with pytest.raises(ValueError, match="请改填其编号"):
        named(ctx, Employee, "重名")
    names = Names(ctx, {})
    first = names.find("employee", "E8")
    ctx.session.get_one(Employee, first).number = "E88"
    assert names.find("employee", "E8") == first, "asked once for a file"


def test_who_may_not_look_at_records_cannot_find_them_by_naming_them(ctx):
    blind = {(verb, table) for verb, table in EVERYTHING if table != "project"}
    ctx.actor = replace(ctx.actor, permissions=frozenset(blind))
    with pytest.raises(ValueError, match="没有查看担保项目的权限"):
        named(ctx, Project, "DB1")
