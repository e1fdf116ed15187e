"""The set-up in the words of those who do it: amounts of a rule by their event, values of a parameter by their day."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from models.base.kinds import FIXED
from models.customer.rating_model import CompletenessItem, RatingIndicator
from models.ledger.event import AMOUNT_LABELS, EVENTS
from models.ledger.rule import PostingRule
from models.system.setup import NumberRule, Parameter, number_sample
from reports.figures import parameters
from tests.views.conftest import send


def read(client, path, status=200):
    """The text of a page."""
    response = client.get(path)
    assert response.status_code == status, path
    return response.get_data(as_text=True)


def options(page, name):
    """(code, label) of a select."""
    select_ = re.search(rf'<select[^>]*name="{name}".*?</select>', page, re.DOTALL)
    assert select_, name
    return re.findall(r'<option[^>]*value="([^"]*)"[^>]*>([^<]*)<', select_.group())


def rule_of(product, code):
    with product.session() as session:
        return session.scalars(select(PostingRule).where(PostingRule.event_code == code)).one().id


def test_one_amount_key_means_one_thing_whichever_event_brings_it():
    for kind in EVENTS.values():
        assert {key: AMOUNT_LABELS[key] for key in kind.amounts} == kind.amounts


def test_a_rule_shows_events_and_amounts_in_words(product):
    page = read(product.browser("chief"), "/posting_rule/list/?size=100")
    assert "计提应收代偿款减值" in page
    assert ">impairment.booked<" not in page
    rule = rule_of(product, "fee.registered")
    lines = read(product.browser("chief"), f"/posting_rule/show/{rule}?tab=posting_rule_line")
    assert "担保费（不含税）" in lines
    assert ">deferred<" not in lines


def test_a_line_of_a_rule_takes_the_amounts_of_its_event_alone(product):
    chief, rule = product.browser("chief"), rule_of(product, "fee.registered")
    form = read(chief, f"/posting_rule_line/add?owner={rule}")
    assert options(form, "amount_key") == [
        ("", "请选择"),
        ("gross", "含税金额"),
        ("deferred", "担保费（不含税）"),
        ("earned", "其他费用（不含税）"),
        ("tax", "销项税额"),
        ("tax_pending", "待转销项税额"),
    ]
    assert re.search(r'name="line_no"[^>]*value="6"', form)
    sent = {"posting_rule_id": str(rule), "line_no": "6", "side": "DEBIT", "amount_key": "proceeds"}
    answer = send(chief, f"/posting_rule_line/add?owner={rule}", **sent)
    assert answer.status_code == 400
    refused = answer.get_data(as_text=True)
    # what came in stays to be seen
    assert ("proceeds", "proceeds") in options(refused, "amount_key")
    with_account = {**sent, "account_id": "6"}
    refused = send(chief, f"/posting_rule_line/add?owner={rule}", **with_account).get_data(
        as_text=True
    )
    assert (
        "“费用登记”可用的金额项：含税金额、担保费（不含税）、其他费用（不含税）、销项税额"
        in refused
    )


def test_a_line_without_a_rule_is_refused_and_not_a_crash(product):
    assert product.browser("chief").get("/posting_rule_line/add").status_code == 200


def test_a_parameter_is_changed_from_a_day_on(product):
    admin = product.browser("admin")
    with product.session() as session:
        known = session.scalars(
            select(Parameter).where(Parameter.code == "exposure.leverage_warning")
        ).one()
        today = product.ctx(session).today
    page = read(admin, f"/parameter/show/{known.id}")
    assert f"/parameter/add?of={known.id}" in page
    assert "现行" in page
    form = read(admin, f"/parameter/add?of={known.id}")
    assert re.search(r'name="code"[^>]*value="exposure.leverage_warning"', form)
    assert re.search(rf'name="effective_on"[^>]*value="{today}"', form)
    later = date(today.year + 1, 1, 1)
    facts = {
        "code": known.code,
        "label": known.label,
        "value": "7.5",
        "value_kind": "NUMBER",
        "unit": "倍",
        "module": "GUARANTEE_SETUP",
        "effective_on": later.isoformat(),
        "note": known.note,
    }
    assert send(admin, "/parameter/add", **facts).status_code == 302
    page = read(admin, f"/parameter/show/{known.id}")
    assert "7.5 倍" in page
    assert "未生效" in page
    with product.session() as session:
        assert parameters.value(session, known.code, today) == "8"
        assert parameters.value(session, known.code, later) == "7.5"


@pytest.mark.parametrize(
    ("code", "offered", "shown"),
    [
        (
            "income.recognition_mode",
            [
                ("AT_DRAWDOWN", "放款时确认当年保费"),
                ("MONTHLY", "按月均摊"),
                ("EVENLY", "按日均摊"),
            ],
            "放款时确认当年保费",
        ),
        ("closing.backup_required", [("是", "是"), ("否", "否")], "否"),
    ],
)
def test_a_parameter_with_few_values_is_chosen(product, code, offered, shown):
    admin = product.browser("admin")
    with product.session() as session:
        known = session.scalars(select(Parameter).where(Parameter.code == code)).one()
    assert options(read(admin, f"/parameter/edit/{known.id}"), "value") == [
        ("", "请选择"),
        *offered,
    ]
    assert shown in read(admin, f"/parameter/list/?f=code:eq:{code}")
    wrong = {
        "code": code,
        "label": known.label,
        "value": "也许",
        "value_kind": known.value_kind.name,
        "module": known.module.name,
        "effective_on": "2000-01-01",
        "version": str(known.version),
    }
    answer = send(admin, f"/parameter/edit/{known.id}", **wrong)
    assert answer.status_code == 400
    assert ("也许", "也许") in options(answer.get_data(as_text=True), "value")


def test_every_parameter_says_what_it_does(product):
    with product.session() as session:
        assert [row.code for row in session.scalars(select(Parameter)) if not row.note] == []


def test_what_files_and_ratings_look_at_has_names(product):
    with product.session() as session:
        facts = FIXED["customer_fact"]()
        assert [
            item.source
            for item in session.scalars(select(CompletenessItem))
            if item.source not in facts
        ] == []
        figures = FIXED["rating_figure"]
        used = {item.figure for item in session.scalars(select(RatingIndicator)) if item.figure}
        assert used - figures.keys() == set()
    page = read(product.browser("admin"), "/completeness_item/list/?size=100")
    assert ">born_on<" not in page
    assert facts["born_on"] == "出生日期"
    assert facts["name"] == "客户名称"


def test_a_pattern_shows_the_number_it_makes(product):
    with product.session() as session:
        for rule in session.scalars(select(NumberRule)):
            assert re.search(r"0*1", number_sample(rule.pattern).partition("（")[0]), rule.code
    assert number_sample("DB{yyyy}-{no:04d}") == "DB2026-0001（DB{yyyy}-{no:04d}）"
    assert number_sample("{word}-{no:04d}") == "□-0001（{word}-{no:04d}）"
    assert number_sample("{no") == "{no"
    assert "KH000001" in read(product.browser("admin"), "/number_rule/list/?size=100")
