"""X19: what was typed and not saved is found again by its author, and by nobody else."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from models.ledger.voucher import VoucherWord
from models.system.draft import FormDraft
from tests.views.conftest import send
from workflows.system import drafts

PLACE = "/voucher_word/add"
TYPED = [("code", "TE"), ("name", "特"), ("label", "写到一半的<b>凭证字𠮷"), ("rank", "7")]


def keep(client, place=PLACE, fields=TYPED, title="新增凭证字"):
    return send(
        client,
        "/drafts/keep",
        place=place,
        title=title,
        fields=json.dumps(fields, ensure_ascii=False),
    )


def drop(client, place=PLACE):
    return send(client, "/drafts/drop", place=place)


def text(client, path):
    return client.get(path).get_data(as_text=True)


@pytest.fixture
def chief(product):
    """Somebody with a draft of a generated form, which goes with the test."""
    client = product.browser("chief")
    assert keep(client).status_code == 200
    yield client
    drop(client)


def test_the_form_tells_of_it_and_goes_on_with_it(chief):
    page = text(chief, PLACE)
    assert "在这里填过内容，没有保存" in page
    assert "写到一半的" not in page
    page = text(chief, f"{PLACE}?draft=1")
    assert "写到一半的&lt;b&gt;凭证字𠮷" in page
    assert 'name="draft" value="1"' in page
    assert "data-draft-note" not in page


def test_the_list_of_drafts_leads_back(chief):
    page = text(chief, "/drafts/")
    assert f"{PLACE}?draft=1" in page
    assert "新增凭证字" in page
    assert drop(chief).headers["Location"] == "/drafts/"
    assert PLACE not in text(chief, "/drafts/")


def test_the_save_takes_it_away_and_a_refused_one_does_not(chief, product):
    refused = send(chief, PLACE, PLACE, draft="1", code="", name="", label="")
    assert refused.status_code == 400
    assert 'name="draft" value="1"' in refused.get_data(as_text=True)
    assert f"{PLACE}?draft=1" in text(chief, "/drafts/")
    saved = send(
        chief, PLACE, PLACE, draft="1", code="TE", name="特", label="特种", rank="7", is_active="y"
    )
    assert saved.status_code == 302, saved.get_data(as_text=True)
    assert PLACE not in text(chief, "/drafts/")
    with product.session() as session:
        assert session.scalar(select(func.count()).where(VoucherWord.name == "特")) == 1


def test_a_save_beside_an_undecided_draft_leaves_it(chief):
    saved = send(
        chief, PLACE, PLACE, draft="", code="BIE", name="别", label="别的", rank="8", is_active="y"
    )
    assert saved.status_code == 302, saved.get_data(as_text=True)
    assert f"{PLACE}?draft=1" in text(chief, "/drafts/")


def test_the_latest_counts_once(chief, product):
    assert keep(chief, fields=[("name", "后")]).status_code == 200
    with product.session() as session:
        kept = session.scalars(select(FormDraft).where(FormDraft.place == PLACE)).one()
        assert kept.fields == [["name", "后"]]


def test_nobody_else_reads_or_drops_it(chief, product):
    other = product.browser("boss")
    assert "填过内容" not in text(other, PLACE)
    assert "写到一半的" not in text(other, f"{PLACE}?draft=1")
    assert "新增凭证字" not in text(other, "/drafts/")
    assert drop(other).status_code == 302
    assert "写到一半的" in text(chief, f"{PLACE}?draft=1")


def test_who_may_not_open_the_form_reads_no_draft_of_it(product):
    client = product.browser("manager")
    assert keep(client).status_code == 200
    assert client.get(f"{PLACE}?draft=1").status_code == 403
    drop(client)


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        ("https://example.com/voucher/add", "[]"),
        ("//example.com/add", "[]"),
        ("/login/", "[]"),
        ("/voucher/add?" + "x" * 500, "[]"),
        (PLACE, ""),
        (PLACE, "{"),
        (PLACE, "[" * 100_000),
        (PLACE, "[1]"),
        (PLACE, json.dumps([["name", "长" * 300_001]])),
        (PLACE, json.dumps([["name", ""]] * 3001)),
    ],
)
def test_what_is_no_draft_is_refused(product, place, fields):
    client = product.browser("chief")
    refused = send(client, "/drafts/keep", place=place, title="", fields=fields)
    assert refused.status_code == 400
    with product.session() as session:
        mine = FormDraft.employee_id == product.employees["chief"]
        assert session.scalar(select(func.count()).where(mine)) == 0


def test_a_stranger_keeps_nothing(product):
    client = product.app.test_client()
    sent = {"place": PLACE, "title": "", "fields": "[]"}
    assert client.post("/drafts/keep", data=sent).status_code in {302, 400, 401}


def test_beyond_fifty_the_oldest_go(product):
    client = product.browser("boss")
    with product.session() as session:
        ctx = product.ctx(session)
        ctx.actor = type(ctx.actor)(**{**vars(ctx.actor), "employee_id": product.employees["boss"]})
        for number in range(1, drafts.KEPT_MAX + 3):
            ctx.now = datetime.now(UTC) - timedelta(minutes=100 - number)
            drafts.keep(ctx, f"/voucher/edit/{number}", "修改", [("memo", "x")])
        session.commit()
        assert len(drafts.mine(ctx)) == drafts.KEPT_MAX
        assert drafts.find(ctx, "/voucher/edit/1") is None
        for found in drafts.mine(ctx):
            session.delete(found)
        session.commit()
    assert "没有填了一半的表单" in text(client, "/drafts/")


def test_day_end_clears_what_nobody_came_back_to(chief, product):
    with product.session() as session:
        ctx = product.ctx(session)
        assert drafts.forget(ctx, ctx.now) == 0
        session.execute(update(FormDraft).values(at=ctx.now - timedelta(days=31)))
        assert drafts.forget(ctx, ctx.now) == 1
        session.commit()


@pytest.mark.browser
def test_a_voucher_is_found_again_after_the_browser_was_killed(product, address, window):
    context = window("clerk")
    page = context.new_page()
    page.goto(f"{address}/voucher/add")
    page.fill("#memo", "写到一半的摘要")
    page.locator("[name=line_debit]").nth(0).fill("1,234.56")
    page.wait_for_selector("[data-draft-state]:has-text('草稿已存')")
    context.close()  # no unload handler runs to its end

    page = window("clerk").new_page()
    page.goto(f"{address}/voucher/add")
    page.click("text=接着填写")
    assert page.input_value("#memo") == "写到一半的摘要"
    assert page.locator("[name=line_debit]").nth(0).input_value() == "1,234.56"
    page.fill("#memo", "接着写的摘要")
    page.wait_for_selector("[data-draft-state]:has-text('草稿已存')")
    page.goto(f"{address}/drafts/")
    page.click("text=填制凭证")
    assert page.input_value("#memo") == "接着写的摘要"
    page.goto(f"{address}/voucher/add")
    page.click("[data-draft-drop]")
    page.wait_for_selector("[data-draft-note]", state="detached")
    page.goto(f"{address}/drafts/")
    assert page.locator("text=没有填了一半的表单").is_visible()
