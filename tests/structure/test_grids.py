"""Every grid of child rows, whoever adds it: what is sent stands, and a wrong cell is named and changes nothing."""

import json
import re

import pytest
from sqlalchemy import select

import views.screens  # noqa: F401 - every view is known
from models.base.entity import entities, parts_of
from models.base.fields import facts_of
from tests.screen_forms import _Fields
from views.kit.grid_cells import text_of
from views.kit.grids import COLUMNS_MAX, columns
from views.kit.interface import shape
from views.kit.record import why_frozen
from views.kit.small import OWN

# (owner, part) of all that may be filled in as a grid; kinds of a customer share what both have.
GRIDS = {
    f"{owner.__tablename__}.{one.model.__tablename__}": (owner, one)
    for owner in entities()
    if owner.spec.kind.is_writable and owner.spec.saved_by
    for one in parts_of(owner).values()
    if facts_of(one.model.__table__.c[one.link]).is_owner
    and one.model.spec.kind.is_writable
    and {"add", "edit", "delete"} <= {*one.model.spec.saved_by}
    and one.model.__tablename__ not in OWN
    and len(columns(one.model)) <= COLUMNS_MAX
}
# What their own rules do not let go: a row in use is switched off, nobody is left out who alone can decide.
KEPT = {
    "dictionary_type.dictionary_item",
    "review_meeting.meeting_item",
    "approval_position.approval_position_member",
}


def sent(page):
    """What a browser would send back of a page, as it came."""
    fields = _Fields()
    fields.feed(page)
    return {name: texts[-1] for name, texts in fields.values.items()}


def open_rows(demo, owner, one):
    """The grid of a record that has such rows, at the browser of somebody who may fill it in: person, address, page."""
    with demo.session() as session:
        found = session.scalars(
            select(owner).join(one.model, getattr(one.model, one.link) == owner.id).limit(50)
        )
        keys = [row.id for row in found.unique() if not why_frozen(row)][:3]
    for key in keys:
        for username in ("zhoumin", "admin", "chenli", "wujie", "yangfan", "heping", "security"):
            path = f"/{owner.__tablename__}/rows/{key}/{one.model.__tablename__}"
            answer = demo.client_of(username).get(path)
            page = answer.get_data(as_text=True)
            if answer.status_code == 200 and re.search(r'-_id" value="\d', page):
                return demo.client_of(username), path, page
    return None


def stored(demo, one, path):
    """The rows of the record of an address: what people fill in of each, and its version."""
    names = columns(one.model)
    with demo.session() as session:
        of = getattr(one.model, one.link) == int(path.split("/")[3])
        rows = session.scalars(select(one.model).where(of).order_by(one.model.id)).all()
        return {row.id: ({n: getattr(row, n) for n in names}, row.version) for row in rows}


def wrong_text(facts):
    """A text that this cell cannot hold; '' where it can hold everything."""
    if facts.kind in {"money", "rate", "int", "date", "enum", "dictionary", "bool"}:
        return "三月来的𠮷"
    return "=没有这一条𠮷" if facts.kind == "reference" else ""


@pytest.mark.share(5)
@pytest.mark.parametrize("name", GRIDS)
def test_rows_sent_are_rows_stored_and_a_wrong_cell_is_named(demo, name):
    owner, one = GRIDS[name]
    table = str(one.model.__tablename__)
    found = open_rows(demo, owner, one)
    if found is None:
        pytest.skip("nothing of it in the demonstration that may be changed")
    client, path, page = found
    before, fields = stored(demo, one, path), sent(page)
    # sent back as it came, nothing changes
    assert client.post(path, data=fields).status_code == 302
    assert stored(demo, one, path) == before
    # one wrong cell: words at that cell, what was typed stays, nothing is written
    number = re.search(rf'name="{table}-(\d+)-_id"', page)[1]
    known = shape(one.model).fields
    names = [n for n in columns(one.model) if n != one.link]
    cell = next(n for n in names if wrong_text(known[n]))
    typed = wrong_text(known[cell])
    answer = client.post(
        path,
        data={**sent(client.get(path).get_data(as_text=True)), f"{table}-{number}-{cell}": typed},
    )
    refused = answer.get_data(as_text=True)
    assert answer.status_code == 400, refused[:2000]
    place = re.search(rf'<td[^>]*id="{table}-{number}-{cell}-g"[^>]*>.*?</td>', refused, re.DOTALL)[
        0
    ]
    assert "has-error" in place
    assert "error-block" in place
    assert typed in place
    assert stored(demo, one, path) == before
    if name not in KEPT:
        put_back(demo, one, found, number)


def put_back(demo, one, found, number):
    """One row out, the same in again: equal, in one transaction."""
    client, path, page = found
    table, before = str(one.model.__tablename__), stored(demo, one, path)
    known = shape(one.model).fields
    names = [n for n in columns(one.model) if n != one.link]
    key = int(re.search(rf'name="{table}-{number}-_id" value="(\d+)"', page)[1])
    values, _ = before[key]
    with demo.session() as session:
        row = session.get(one.model, key)
        texts = {
            n: text_of(known[n], None) if known[n].mask else text_of(known[n], known[n].get(row))
            for n in names
        }
        texts |= {n: str(known[n].get(row) or "") for n in names if known[n].mask}
    fields = sent(client.get(path).get_data(as_text=True))
    fields |= {f"{table}-900-{n}": text for n, text in texts.items()} | {
        f"{table}-{number}-_drop": "1"
    }
    answer = client.post(path, data=fields)
    if answer.status_code == 409:  # what is in use stays
        assert "不能删除" in answer.get_data(as_text=True)
        assert stored(demo, one, path) == before
        return
    assert answer.status_code == 302, re.findall(
        r"error-block[^<]*<?[^<]*", answer.get_data(as_text=True)
    )
    after = stored(demo, one, path)
    assert key not in after
    assert len(after) == len(before)
    assert after[max(after)][0] == values


def test_a_form_of_its_own_is_no_row():
    assert "posting_rule_line" in OWN
    assert len(GRIDS) > 20


ROW = {"grid": "shareholder", "shareholder-0-name": "陈秋水", "shareholder-0-share_pct": "很多"}


def test_rows_that_are_not_saved_are_not_lost(demo):
    zhou = demo.client_of("zhoumin")
    refused = demo.post(zhou, "/corporate_customer/add", name="江州草稿公司", uscc="", **ROW)
    assert refused.status_code == 400
    kept = {
        "place": "/corporate_customer/add",
        "title": "新增",
        "fields": json.dumps([*ROW.items()]),
    }
    assert demo.post(zhou, "/drafts/keep", **kept).status_code == 200
    again = zhou.get("/corporate_customer/add?draft=1").get_data(as_text=True)
    for page in (refused.get_data(as_text=True), again):
        assert 'value="陈秋水"' in page
        assert 'value="很多"' in page
    words = refused.get_data(as_text=True)
    assert "请填写统一社会信用代码" in words
    assert "请填写数字" in words  # at the cell, though the company itself was refused first
