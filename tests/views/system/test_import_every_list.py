"""Every list whose rows may come from files (X3): a record, written into its template, is the same record."""

import io
from decimal import Decimal

import openpyxl
import pytest
from sqlalchemy import select

from models.base.entity import entities, entity_of, fields_of
from models.system.imports import ImportMode, Verdict
from reports.figures import dictionaries
from views.kit import edge, importing
from views.kit.interface import shape
from workflows.system import import_load, imports
from workflows.system.import_cells import Names, Reader, ways_of
from workflows.system.import_files import open_file
from workflows.system.import_rows import Checker

LISTS = [model for model in entities() if model.spec.takes_files]
_MOST = 4
# A key that nobody has, by the check of its column.
_FREE = {"": "ZZ9", "code": "ZZ9", "uscc": "91320104R0QDF3102N"}
# A copy under another key breaks a rule of these: names are taken, shares and scores add up to more than all, and what
# was accepted or is in use takes no more rows.
_ONE_OF_A_KIND = {
    "account",
    "batch_loan",
    "collateral_owner",
    "collateral_type",
    "custom_field",
    "partner_bank",
    "personal_customer",
    "rating_indicator",
    "scheme_rule",
    "shareholder",
    "voucher_word",
}


@pytest.fixture(scope="module")
def ctx(demo):
    """The system at work in the demonstration; nothing of it is kept."""
    with demo.app.test_request_context():
        found = edge.system_ctx("test")
        yield found
        found.session.rollback()


def told(ctx, facts, value):
    """A value as somebody would type it into a cell."""
    if value is None:
        return None
    if facts.kind == "reference":
        return name_of(ctx, entity_of(facts.target), value)
    if facts.kind == "dictionary":
        return dictionaries.label(ctx.session, facts.dictionary, value)
    if facts.kind == "enum":
        return value.label
    if facts.kind == "bool":
        return "是" if value else "否"
    return float(value) if isinstance(value, Decimal) and abs(value) < 10**9 else value


def name_of(ctx, target, key):
    """A name that means this record and no other: by itself, or with what it is part of."""
    for model, name in ways_of(target):
        record = ctx.session.get(model, key)
        text = getattr(record, name, None) if record is not None else None
        try:
            if text and Names(ctx, {}).find(target.__tablename__, text) == key:
                return text
        except ValueError:
            continue
    record, known = ctx.session.get(target, key), fields_of(target)
    above = next(f for n, f in known.items() if f.target and (f.is_owner or n in target.spec.key))
    own = next(n for n in (*target.spec.key, target.spec.title) if known[n].kind == "text")
    return f"{name_of(ctx, entity_of(above.target), above.get(record))}/{getattr(record, own)}"


def filled(ctx, door, rows):
    """The template with these rows under its head, as a file."""
    columns, _ = imports.layout(ctx, door)
    template = openpyxl.load_workbook(io.BytesIO(importing.template(ctx, door)))
    sheet = template.worksheets[0]
    own = [column for column in columns if not column.part]
    assert [cell.value.strip("*").split("（")[0] for cell in sheet[1]] == [
        column.label.split("（")[0] for column in own
    ]
    for at, row in enumerate(rows, 3):
        for place, column in enumerate(own, 1):
            sheet.cell(at, place).number_format = "General"
            sheet.cell(at, place).value = told(ctx, column.facts, row[column.key])
    stream = io.BytesIO()
    template.save(stream)
    return stream.getvalue()


def looked(ctx, door, data):
    """What the rows of a file would do."""
    columns, kind = imports.layout(ctx, door)
    examples = {column.key: imports.example_of(ctx.session, column) for column in columns}
    found = open_file(kind, columns, ("x.xlsx", data), mapped=(), examples=examples, max_rows=999)
    checker = Checker(door, found.columns, ImportMode.UPDATE)
    return found, checker.check(Reader(ctx, found.units, {}), list(found.rows()))


def rows_of(ctx, model):
    """A few records with the values of their forms."""
    query = select(model).order_by(model.id.desc()).limit(_MOST)
    return [
        {name: facts.get(record) for name, facts in shape(model).fields.items()}
        for record in ctx.session.scalars(query)
    ]


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__tablename__)
def test_what_is_there_comes_back_as_it_is(ctx, model):
    """Template, filled with records by the names of what they refer to: every row is known again and unchanged."""
    door, rows = importing.door_of(ctx, model.__tablename__), rows_of(ctx, model)
    if not rows:
        pytest.skip("the demonstration has none")
    _, lines = looked(ctx, door, filled(ctx, door, rows))
    wrong = [
        (line.cells, line.errors, line.changes)
        for line in lines
        if line.verdict is not Verdict.SAME
    ]
    assert (wrong, len(lines)) == ([], len(rows)), wrong


def renamed(ctx, model, row):
    """The same row under a key that nobody has; None where the key is no text that may be anything."""
    known = shape(model).fields
    name = model.spec.key[-1] if model.spec.key else ""
    if name not in known or known[name].kind != "text" or known[name].check not in _FREE:
        return None
    return {**row, name: _FREE[known[name].check]}


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__tablename__)
def test_a_new_row_comes_in_as_it_is_written_and_once(ctx, model):
    """A record under another key is new, is saved with what its row says, and the file again changes nothing."""
    door, rows = importing.door_of(ctx, model.__tablename__), rows_of(ctx, model)[-1:]
    made = [found for row in rows if (found := renamed(ctx, model, row)) is not None]
    if not made or model.__tablename__ in _ONE_OF_A_KIND:
        pytest.skip("a rule lets no second one be like the first, or its key is no word")
    trial = ctx.session.begin_nested()
    try:
        data = filled(ctx, door, made)
        found, lines = looked(ctx, door, data)
        wrong = [(line.verdict, line.errors) for line in lines]
        assert wrong == [(Verdict.NEW, {})], wrong
        taker = import_load.Taker(ctx, door, found.columns)
        taker.take(lines)
        assert taker.wrong == {}
        _, again = looked(ctx, door, data)
        left = [(line.verdict, line.errors, line.changes) for line in again]
        assert left == [(Verdict.SAME, {}, {})], left
    finally:
        trial.rollback()
        ctx.session.expire_all()
