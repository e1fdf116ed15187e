"""我的报表: a choice is kept by name, per person; what was not changed follows the calendar."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from models.system.organization import Operator
from models.system.setup import SystemState

URL = "/report/trial-balance"


def kept_by(demo, username):
    with demo.session() as session:
        query = select(Operator.saved_reports).where(Operator.username == username)
        return session.scalar(query) or {}


def test_a_choice_is_kept_by_name_and_opens_again(demo):
    chief = demo.client_of("tangxia")
    assert "存为我的报表" in chief.get(URL).text
    answer = demo.post(chief, f"{URL}/keep?level=1&idle=1&nothing=x", reason=" 只看一级 ")
    assert answer.status_code == 302
    address = urlsplit(answer.location)
    assert (address.path, parse_qs(address.query)) == (URL, {"level": ["1"], "idle": ["1"]})
    page = chief.get(answer.location).text
    assert "只看一级" in page
    mine = chief.get("/reports/").text
    assert f'href="{URL}?level=1&amp;idle=1"' in mine
    assert "只看一级" not in demo.client_of("shihui").get("/reports/").text, "it is one's own"
    assert demo.post(chief, f"{URL}/drop", name="只看一级").status_code == 302
    assert "只看一级" not in chief.get("/reports/").text


def test_what_was_not_changed_follows_the_calendar(demo):
    chief = demo.client_of("tangxia")
    with demo.session() as session:
        month = f"{session.get_one(SystemState, 1).business_date:%Y-%m}"
    demo.post(chief, f"{URL}/keep?first={month}&last={month}&level=2", reason="两级")
    assert kept_by(demo, "tangxia")["trial-balance"] == {"两级": "level=2"}
    demo.post(chief, f"{URL}/drop", name="两级")


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [
        (f"{URL}/keep", "", 400),
        (f"{URL}/keep", "　", 400),
        (f"{URL}/keep", "长" * 21, 400),
        (f"{URL}/keep?first=2999-01", "坏期间", 400),
        (f"{URL}/drop", "没有的", 404),
        ("/report/nothing/keep", "无", 404),
    ],
)
def test_what_makes_no_sense_is_refused_and_keeps_nothing(demo, path, name, status):
    chief, before = demo.client_of("tangxia"), kept_by(demo, "tangxia")
    assert demo.post(chief, path, reason=name, name=name).status_code == status
    assert kept_by(demo, "tangxia") == before


def test_a_report_takes_no_more_than_fit_above_it(demo):
    chief = demo.client_of("shihui")
    for number in range(12):
        path = f"{URL}/keep?level={number % 5 + 1}"
        assert demo.post(chief, path, reason=f"方案{number}").status_code == 302
    refused = demo.post(chief, f"{URL}/keep?level=1", reason="第十三个")
    assert (refused.status_code, "最多保存 12 个" in refused.text) == (400, True)
    assert demo.post(chief, f"{URL}/keep?level=3", reason="方案0").status_code == 302
    assert kept_by(demo, "shihui")["trial-balance"]["方案0"] == "level=3"


def test_who_may_not_open_a_report_keeps_nothing_of_it(demo):
    manager = demo.client_of("zhoumin")
    assert demo.post(manager, f"{URL}/keep?level=1", reason="无权").status_code == 403
    assert "科目余额表" not in manager.get("/reports/").text
    assert "在保余额按银行" in manager.get("/reports/").text
