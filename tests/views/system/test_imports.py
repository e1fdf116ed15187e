"""Rows from files (X3): the samples, what is wrong with a file, who may, and what comes of it."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from sqlalchemy import func, select, update

from app import jobs as clock
from models.base.masks import mask
from models.customer.customer import CorporateCustomer
from models.customer.detail import IncomeExpense
from models.system.custom_field import CustomField, CustomKind
from models.system.imports import ImportRow, ImportState, ImportTask, Verdict
from models.system.organization import Department, Operator
from models.system.setup import JobRun, JobStatus, Parameter
from tests.sheets import book
from workflows.system import import_jobs, import_load, imports

DATA = Path(__file__).resolve().parents[2] / "data"


def send(demo, table, data, by="zhoumin", name="客户.xlsx", **more):
    """Upload a file to a list; the answer."""
    files = {"file": (io.BytesIO(data), name)}
    return demo.post(demo.client_of(by), f"/import/of/{table}", **more, **files)


def task_of(demo):
    """The file that was sent last."""
    with demo.session() as session:
        return session.scalars(select(ImportTask).order_by(ImportTask.id.desc()).limit(1)).one()


def looked(demo, table, data, **more):
    """A file that was looked through."""
    answer = send(demo, table, data, **more)
    assert answer.status_code == 302, answer.get_data(as_text=True)[:3000]
    return task_of(demo)


def rows_of(demo, task, *verdicts):
    """What was kept of its rows."""
    with demo.session() as session:
        query = select(ImportRow).where(ImportRow.import_task_id == task.id)
        query = query.where(ImportRow.verdict.in_(verdicts)) if verdicts else query
        return session.scalars(query.order_by(ImportRow.row_no)).all()


def confirm(demo, task, by="zhoumin"):
    """Take it; the answer."""
    return demo.post(demo.client_of(by), f"/import/confirm/{task.id}")


def count(demo, model):
    with demo.session() as session:
        return session.scalar(select(func.count(model.id)))


def test_the_companies_load_whole_and_the_same_file_again_changes_nothing(demo):
    data, before = (DATA / "corporate_customers.xlsx").read_bytes(), count(demo, CorporateCustomer)
    task = looked(demo, "corporate_customer", data)
    wrong = [(row.row_no, row.errors) for row in rows_of(demo, task, Verdict.WRONG)]
    assert (wrong, task.counts["NEW"]) == ([], 200)
    answer = confirm(demo, task)
    assert (answer.status_code, answer.location) == (302, "/corporate_customer/list/")
    assert count(demo, CorporateCustomer) == before + 200
    with demo.session() as session:
        one = session.scalars(
            select(CorporateCustomer).where(CorporateCustomer.uscc == "91330106JWYLF55T03")
        ).one()
        assert (one.registered_capital, one.industry) == (Decimal("42000000.00"), "A")
    assert rows_of(demo, task) == []
    again = looked(demo, "corporate_customer", data)
    assert again.counts == {"SAME": 200, "alike": 0}
    assert confirm(demo, again).status_code == 409
    page = demo.client_of("zhoumin").get(f"/import/task/{again.id}").get_data(as_text=True)
    assert "文件中的内容都已登记" in page


def test_the_persons_load_whole_with_what_they_earn(demo):
    task = looked(demo, "personal_customer", (DATA / "personal_customers.xlsx").read_bytes())
    wrong = [(row.row_no, row.errors) for row in rows_of(demo, task, Verdict.WRONG)]
    assert (wrong, task.counts["NEW"]) == ([], 120)
    before = count(demo, IncomeExpense)
    assert confirm(demo, task).status_code == 302
    assert count(demo, IncomeExpense) == before + 120
    again = looked(demo, "personal_customer", (DATA / "personal_customers.xlsx").read_bytes())
    assert again.counts == {"SAME": 120, "alike": 0}


def test_each_wrong_cell_is_shown_and_nothing_loads(demo):
    data = (DATA / "corporate_customers_with_errors.xlsx").read_bytes()
    before = count(demo, CorporateCustomer)
    task = looked(demo, "corporate_customer", data)
    wrong = {row.row_no: sorted(row.errors) for row in rows_of(demo, task, Verdict.WRONG)}
    assert wrong == {
        5: ["uscc"],
        12: ["name"],
        19: ["established_on"],
        27: ["registered_capital"],
        42: ["phone"],
    }
    assert confirm(demo, task).status_code == 409
    assert count(demo, CorporateCustomer) == before


# ------------------------------------------------------------------------------------------------------ wrong files
HEAD = ["客户名称", "统一社会信用代码", "注册资本(万元)", "成立日期", "所属行业"]
CODES = ["91320104R0QDF3102N", "91320104881EF31090"]


def row(at=0, **changes):
    """A good row, changed; what is left out is like the others."""
    known = {"name": f"江州好得很{at}有限公司", "uscc": CODES[at], "capital": 750}
    known |= {"on": date(2015, 7, 13), "industry": "制造业"} | changes
    return list(known.values())


def csv(text):
    return "\n".join(",".join(map(str, line)) for line in text)


def edited(edit, *rows):
    """A workbook that somebody has edited."""
    made = openpyxl.load_workbook(io.BytesIO(book(HEAD, *rows)))
    edit(made)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def hide(made):
    made.create_sheet("旧表", 0).append(HEAD)
    made.worksheets[0].append(row(1))
    made.worksheets[0].sheet_state = "hidden"
    made.active = 1


def merge(made):
    made.active.merge_cells("E2:E3")


def date1904(made):
    made.epoch = CALENDAR_MAC_1904


TABLE = [HEAD, row(), row(1)]
READ = {
    "columns moved": book([*reversed(HEAD)], [*reversed(row())], [*reversed(row(1))]),
    "a title above and empty rows between": book(["2026 年客户"], [], HEAD, row(), [], row(1)),
    "a head in two rows": book(["客户", "", "资本", "", ""], HEAD, row(), row(1)),
    "the head repeated": book(HEAD, row(), HEAD, row(1)),
    "a hidden sheet before it": edited(hide, row(), row(1)),
    "days counted from 1904": edited(date1904, row(), row(1)),
    "words for days and amounts": book(HEAD, row(on="2015年7月13日"), row(1, capital="750万元")),
    "the unit above": book(
        ["单位：万元"], ["客户名称", "统一社会信用代码", "注册资本"], *(r[:3] for r in TABLE[1:])
    ),
    "signs beyond the first plane": book(HEAD, row(name="𠮷祥公司"), row(1)),
    "UTF-8 with a mark": csv(TABLE).encode("utf-8-sig"),
    "GB18030": csv(TABLE).encode("gb18030"),
    "UTF-16": csv(TABLE).encode("utf-16"),
}


@pytest.mark.parametrize("name", READ)
def test_however_the_file_is_written_its_rows_are_read(demo, name):
    file = "客户.xlsx" if READ[name].startswith(b"PK") else "客户.csv"
    task = looked(demo, "corporate_customer", READ[name], name=file)
    rows = rows_of(demo, task)
    assert [(r.verdict, r.errors) for r in rows] == [(Verdict.NEW, {})] * 2
    assert {r.given["registered_capital"] for r in rows} == {"7500000.00"}
    assert demo.post(demo.client_of("zhoumin"), f"/import/cancel/{task.id}").status_code == 302


WRONG = {
    "capital": ({"capital": "七百五十"}, "“七百五十”不是有效的金额"),
    "on": ({"on": "2015-02-29"}, "不存在"),
    "industry": ({"industry": "星际旅行业"}, "没有“星际旅行业”这个选项"),
    "name": ({"name": "长" * 300}, "最多 100 个字"),
    "uscc": ({"uscc": 913201040000000123}, "数字超过 15 位"),
    "key": ({"uscc": CODES[0]}, "与第 2 行重复"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_cell_is_said_there(demo, name):
    changes, words = WRONG[name]
    task = looked(demo, "corporate_customer", book(HEAD, row(), row(1, **changes)))
    (wrong,) = rows_of(demo, task, Verdict.WRONG)
    assert wrong.row_no == 3
    assert words in "".join(message for messages in wrong.errors.values() for message in messages)


def test_the_one_wrong_row_among_many_is_found_and_given_back(demo):
    rows = [[f"部门{at}", f"W{at:04}"] for at in range(400)]
    rows[353][1] = rows[7][1]
    task = looked(demo, "department", book(["部门名称", "部门编码"], *rows), by="admin")
    (wrong,) = rows_of(demo, task, Verdict.WRONG)
    assert (wrong.row_no, wrong.errors) == (355, {"code": ["与第 9 行重复"]})
    with demo.client_of("admin").get(f"/import/wrong/{task.id}") as answer:
        given = openpyxl.load_workbook(io.BytesIO(answer.get_data())).active
    assert [cell.value for cell in given[2]][2] == "第 355 行：部门编码：与第 9 行重复"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "文件是空的"),
        (b"PK\x03\x04 nothing", "已损坏"),
        (book([*HEAD, "客户名称"], [*row(), "又一个"]), "出现了两次"),
        (book(HEAD), "没有数据"),
        (
            book(
                ["完全", "不相干"],
                ["的", "表"],
                sheets=[("另一张", [HEAD, row()]), ("再一张", [HEAD, row()])],
            ),
            "都有",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(demo, data, words):
    answer = send(demo, "corporate_customer", data)
    assert (answer.status_code, words in answer.get_data(as_text=True)) == (400, True)


# -------------------------------------------------------------------------------------------- columns, words, whose
def test_columns_that_nobody_knows_are_said_once(demo):
    strange = ["抬头", "税号", "本钱(万元)"]
    data = book(strange, row()[:3], row(1)[:3])
    task, client = looked(demo, "corporate_customer", data), demo.client_of("zhoumin")
    assert task.status is ImportState.UNREAD
    page = client.get(f"/import/task/{task.id}", follow_redirects=True).get_data(as_text=True)
    assert "A 列 抬头" in page
    wrong = demo.post(client, f"/import/columns/{task.id}", c0="name", c1="name", c2="")
    assert (wrong.status_code, "对应了两列" in wrong.get_data(as_text=True)) == (400, True)
    said = {"c0": "name", "c1": "uscc", "c2": "registered_capital"}
    assert demo.post(client, f"/import/columns/{task.id}", **said).status_code == 302
    assert task_of(demo).counts["NEW"] == 2
    again = looked(demo, "corporate_customer", data)
    assert (again.status, again.counts["NEW"]) == (ImportState.READY, 2)
    other = looked(demo, "corporate_customer", data, by="chenli")
    assert other.status is ImportState.UNREAD, "what one has said is not for others"


def test_words_that_no_dictionary_knows_are_said_once(demo):
    data, client = book(HEAD, row(industry="制造行当")), demo.client_of("zhoumin")
    task = looked(demo, "corporate_customer", data)
    assert task.words == {"industry": {"制造行当": 1}}
    page = client.get(f"/import/task/{task.id}").get_data(as_text=True)
    assert "所属行业“制造行当”" in page
    assert demo.post(client, f"/import/words/{task.id}", w0="没有").status_code == 400
    assert demo.post(client, f"/import/words/{task.id}", w0="C").status_code == 302
    assert (task_of(demo).counts["NEW"], task_of(demo).words) == (1, {})
    assert looked(demo, "corporate_customer", data).counts["NEW"] == 1


def test_what_is_registered_is_updated_or_left_and_a_mask_is_no_change(demo):
    with demo.session() as session:
        query = select(CorporateCustomer).where(CorporateCustomer.phone.is_not(None))
        query = query.join(Operator, Operator.employee_id == CorporateCustomer.manager_id)
        one = session.scalars(query.where(Operator.username == "zhoumin").limit(1)).one()
    shown = mask(one.phone, "mobile")
    head = ["客户名称", "统一社会信用代码", "联系人", "联系电话"]
    data = book(head, [one.name, one.uscc.lower(), "新联系人", shown])
    task = looked(demo, "corporate_customer", data)
    (line,) = rows_of(demo, task)
    changes = {"contact": [one.contact or "", "新联系人"]}
    assert (line.errors, line.changes) == ({}, changes)
    client = demo.client_of("zhoumin")
    demo.post(client, f"/import/mode/{task.id}")
    assert task_of(demo).counts["SKIPPED"] == 1
    demo.post(client, f"/import/mode/{task.id}")
    with demo.session() as session:
        session.get_one(CorporateCustomer, one.id).note = "别人改过"
        session.commit()
    assert confirm(demo, task).location == f"/import/task/{task.id}", (
        "changed by somebody meanwhile"
    )
    (line,) = rows_of(demo, task)
    assert "已被他人修改" in line.errors[""][0]
    task = looked(demo, "corporate_customer", data)
    assert confirm(demo, task).status_code == 302
    with demo.session() as session:
        now = session.get_one(CorporateCustomer, one.id)
        assert (now.contact, now.phone) == ("新联系人", one.phone)
    stars = book(head, ["新公司", CODES[1], "某", "138****0000"])
    (line,) = rows_of(demo, looked(demo, "corporate_customer", stars))
    assert "星号" in line.errors["phone"][0]


def test_who_is_somebody_elses_customer_is_not_shown(demo):
    with demo.session() as session:
        query = select(CorporateCustomer).join(
            Operator, Operator.employee_id == CorporateCustomer.manager_id
        )
        one = session.scalars(query.where(Operator.username != "zhoumin").limit(1)).one()
    data = book(["客户名称", "统一社会信用代码"], ["任何名称", one.uscc])
    (line,) = rows_of(demo, looked(demo, "corporate_customer", data))
    assert (line.verdict, line.record_id) == (Verdict.WRONG, None)
    assert one.name not in line.errors["uscc"][0]
    assert "登记" in line.errors["uscc"][0]


def test_a_name_that_is_there_is_pointed_out(demo):
    with demo.session() as session:
        query = select(CorporateCustomer).join(
            Operator, Operator.employee_id == CorporateCustomer.manager_id
        )
        one = session.scalars(query.where(Operator.username == "zhoumin").limit(1)).one()
    task = looked(demo, "corporate_customer", book(HEAD, row(1, name=one.name)))
    (line,) = rows_of(demo, task)
    assert (line.verdict, line.alike) == (Verdict.NEW, f"客户名称与已有“{one.name}”相同")
    page = demo.client_of("zhoumin").get(f"/import/task/{task.id}").get_data(as_text=True)
    assert "可能重复" in page
    for left in (1, 0):
        demo.post(demo.client_of("zhoumin"), f"/import/choose/{task.id}/{line.id}")
        assert task_of(demo).counts.get("SKIPPED") == left
        if left:
            assert confirm(demo, task).status_code == 409, "nothing is left to be taken"


def test_who_may_not_import_and_whose_file_it_is(demo):
    data = book(HEAD, row())
    assert send(demo, "corporate_customer", data, by="auditor").status_code == 403
    assert send(demo, "operator", data, by="admin").status_code == 404
    assert send(demo, "project", data).status_code == 404
    task = looked(demo, "corporate_customer", data)
    for act in ("confirm", "cancel", "mode", "words", "columns"):
        answer = demo.post(demo.client_of("admin"), f"/import/{act}/{task.id}")
        assert answer.status_code == 404, act
    assert demo.client_of("admin").get(f"/import/task/{task.id}").status_code == 404


def test_a_field_that_an_administrator_has_added_comes_in_too(demo):
    with demo.session() as session:
        facts = {"table_name": "corporate_customer", "code": "park", "label": "所在园区"}
        session.add(CustomField(**facts, kind=CustomKind.TEXT, length=20, is_active=True))
        session.commit()
    task = looked(demo, "corporate_customer", book([*HEAD, "所在园区"], [*row(), "高新区"]))
    (line,) = rows_of(demo, task)
    assert line.given["park"] == "高新区"
    assert confirm(demo, task).status_code == 302
    with demo.session() as session:
        query = select(CorporateCustomer.extra).where(CorporateCustomer.uscc == CODES[0])
        assert session.scalar(query) == {"park": "高新区"}


# --------------------------------------------------------------------------------------------------- beside the page
@pytest.fixture
def beside(demo, monkeypatch):
    """Above three rows a file is looked through beside the page, when the test says so."""
    with demo.session() as session:
        code = Parameter.code == "import.direct_rows"
        session.execute(update(Parameter).where(code).values(value="3"))
        session.commit()
    monkeypatch.setitem(demo.app.extensions, "start_imports", lambda: None)
    monkeypatch.setattr(imports, "CHUNK", 2)
    yield
    with demo.session() as session:
        session.execute(update(Parameter).where(code).values(value="500"))
        session.commit()


def departments(prefix, rows=7):
    """A file of departments, each below the one before."""
    head = ["部门名称", "部门编码", "上级部门"]
    above = ["", *(f"{prefix}{at}" for at in range(rows))]
    return book(head, *([f"{prefix}部{at}", f"{prefix}{at}", above[at]] for at in range(rows)))


def test_many_rows_are_looked_through_and_taken_beside_the_page(demo, beside):
    data = book(["部门名称", "部门编码"], *([f"甲部{at}", f"JB{at}"] for at in range(7)))
    task = looked(demo, "department", data, by="admin")
    client = demo.client_of("admin")
    assert task.status is ImportState.CHECKING
    page = client.get(f"/import/task/{task.id}").get_data(as_text=True)
    assert f'data-job-url="/import/state/{task.id}"' in page
    assert f"/import/state/{task.id}" in client.get("/department/list/").get_data(as_text=True)
    assert clock.run_imports(demo.app) == 1
    assert client.get(f"/import/state/{task.id}").get_json()["state"] == "done"
    assert task_of(demo).counts["NEW"] == 7
    assert confirm(demo, task, "admin").location == f"/import/task/{task.id}"
    assert clock.run_imports(demo.app) == 1
    assert (task_of(demo).status, task_of(demo).message) == (ImportState.SUCCEEDED, "新增 7 条")
    assert rows_of(demo, task) == []


def test_broken_off_half_way_it_begins_anew_and_takes_all_once(demo, beside, monkeypatch):
    data = book(["部门名称", "部门编码"], *([f"乙部{at}", f"YB{at}"] for at in range(7)))
    task = looked(demo, "department", data, by="admin")
    real, seen = imports.keep_lines, []

    def killed(*args):
        real(*args)
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(imports, "keep_lines", killed)
    with pytest.raises(KeyboardInterrupt):
        clock.run_imports(demo.app)
    monkeypatch.setattr(imports, "keep_lines", real)
    assert (task_of(demo).status, len(rows_of(demo, task))) == (ImportState.CHECKING, 4)
    _let_go(demo)
    assert clock.run_imports(demo.app) == 1
    assert len(rows_of(demo, task)) == 7
    confirm(demo, task, "admin")
    finish = import_load.finish
    monkeypatch.setattr(import_load, "finish", killed_at_the_end)
    with pytest.raises(KeyboardInterrupt):
        clock.run_imports(demo.app)
    monkeypatch.setattr(import_load, "finish", finish)
    assert named(demo, "乙部") == 0
    _let_go(demo)
    assert clock.run_imports(demo.app) == 1
    assert named(demo, "乙部") == 7


def killed_at_the_end(*_):
    raise KeyboardInterrupt


def _let_go(demo):
    """The process that held the run is gone."""
    with demo.session() as session:
        session.execute(update(JobRun).values(lease_until=datetime(2000, 1, 1, tzinfo=UTC)))
        session.commit()


def named(demo, prefix):
    """How many departments bear such a name."""
    with demo.session() as session:
        query = select(func.count(Department.id)).where(Department.name.startswith(prefix))
        return session.scalar(query)


def test_who_lost_the_right_meanwhile_takes_nothing(demo, beside, monkeypatch):
    data = book(["部门名称", "部门编码"], *([f"丙部{at}", f"BB{at}"] for at in range(7)))
    task = looked(demo, "department", data, by="admin")
    clock.run_imports(demo.app)
    confirm(demo, task, "admin")
    real = clock.security.build_actor

    def without(*args, **facts):
        found = real(*args, **facts)
        return replace(found, permissions=found.permissions - {("can_import", "department")})

    monkeypatch.setattr(clock.security, "build_actor", without)
    clock.run_imports(demo.app)
    assert (task_of(demo).status, named(demo, "丙部")) == (ImportState.FAILED, 0)


def test_a_row_may_name_what_an_earlier_one_has_made(demo):
    task = looked(demo, "department", departments("DD"), by="admin")
    assert task.counts["NEW"] == 7
    assert confirm(demo, task, "admin").status_code == 302
    with demo.session() as session:
        last = session.scalars(select(Department).where(Department.code == "DD6")).one()
        assert last.path.count("/") == 8


def test_two_files_with_the_same_rows_at_once_take_them_once(demo):
    first, second = (looked(demo, "corporate_customer", book(HEAD, row(1))) for _ in range(2))
    clients = [demo.sign_in("zhoumin") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        sent = pool.map(
            lambda pair: demo.post(pair[0], f"/import/confirm/{pair[1].id}").location,
            zip(clients, (first, second), strict=True),
        )
        where = sorted(str(location) for location in sent)
    assert where[0] == "/corporate_customer/list/", where
    assert where[1] != where[0]
    with demo.session() as session:
        query = select(func.count(CorporateCustomer.id)).where(CorporateCustomer.uscc == CODES[1])
        assert session.scalar(query) == 1


def test_what_nobody_confirms_in_time_is_let_go(demo):
    task = looked(demo, "corporate_customer", book(HEAD, row(1)))
    with demo.session() as session:
        session.get_one(ImportTask, task.id).expires_at = datetime(2000, 1, 1, tzinfo=UTC)
        session.commit()
    clock.run_imports(demo.app)
    assert (task_of(demo).status, rows_of(demo, task)) == (ImportState.CANCELLED, [])


# ------------------------------------------------------------------------------------------------ what comes between
def of_zhoumin(session):
    """A company that she looks after."""
    query = select(CorporateCustomer).join(
        Operator, Operator.employee_id == CorporateCustomer.manager_id
    )
    return session.scalars(query.where(Operator.username == "zhoumin").limit(1)).one()


def test_a_part_of_what_is_registered_is_a_change_and_comes_in_once(demo):
    with demo.session() as session:
        one = of_zhoumin(session)
    head = ["统一社会信用代码", "客户名称", "高管人员·姓名", "高管人员·职务"]
    data = book(head, [one.uscc, one.name, "欧阳补录", "总经理"])
    task = looked(demo, "corporate_customer", data)
    (line,) = rows_of(demo, task)
    assert (line.errors, line.verdict) == ({}, Verdict.CHANGED)
    assert list(line.changes.values()) == [["", "新增高管人员"]]
    assert confirm(demo, task).status_code == 302
    assert looked(demo, "corporate_customer", data).counts["SAME"] == 1
    wrong = book(head, [one.uscc, one.name, "长" * 200, "总经理"])
    (line,) = rows_of(demo, looked(demo, "corporate_customer", wrong))
    assert [name.partition(".")[2] for name in line.errors] == ["name"]


def test_a_row_that_is_wrong_hears_all_of_it_at_once(demo):
    task = looked(
        demo,
        "department",
        book(["部门名称", "部门编码", "上级部门"], ["", "Q1", "没有这个部门"]),
        by="admin",
    )
    (line,) = rows_of(demo, task)
    assert set(line.errors) == {"name", "parent_id"}
    assert "没有“没有这个部门”这个部门" in line.errors["parent_id"][0]


def test_what_was_dropped_or_tried_too_often_takes_nothing(demo, beside):
    data = book(["部门名称", "部门编码"], *([f"丁部{at}", f"EB{at}"] for at in range(7)))
    task = looked(demo, "department", data, by="admin")
    assert demo.post(demo.client_of("admin"), f"/import/cancel/{task.id}").status_code == 302
    assert clock.run_imports(demo.app) == 0
    assert (task_of(demo).status, named(demo, "丁部")) == (ImportState.CANCELLED, 0)
    task = looked(demo, "department", data, by="admin")
    with demo.session() as session:
        facts = {"business_date": task.business_date, "result": {}}
        session.add(
            JobRun(
                job=import_jobs.job_of(task),
                status=JobStatus.FAILED,
                attempts=import_jobs.MOST_TRIES,
                **facts,
            )
        )
        session.commit()
    assert clock.run_imports(demo.app) == 0
    assert task_of(demo).status is ImportState.FAILED
    assert "请拆分文件" in task_of(demo).message


def test_dropped_half_way_what_was_looked_through_goes(demo, beside, monkeypatch):
    data = book(["部门名称", "部门编码"], *([f"戊部{at}", f"FB{at}"] for at in range(7)))
    task, real = looked(demo, "department", data, by="admin"), imports.keep_lines

    def then_dropped(*args):
        real(*args)
        monkeypatch.setattr(imports, "keep_lines", real)
        args[0].session.commit()
        assert demo.post(demo.client_of("admin"), f"/import/cancel/{task.id}").status_code == 302

    monkeypatch.setattr(imports, "keep_lines", then_dropped)
    assert clock.run_imports(demo.app) == 0
    assert (task_of(demo).status, rows_of(demo, task)) == (ImportState.CANCELLED, [])


def test_what_became_wrong_meanwhile_is_said_at_its_row_and_nothing_comes_in(demo, beside):
    data = book(["部门名称", "部门编码"], *([f"己部{at}", f"GB{at}"] for at in range(7)))
    task = looked(demo, "department", data, by="admin")
    clock.run_imports(demo.app)
    confirm(demo, task, "admin")
    with demo.session() as session:
        session.add(Department(code="GB3", name="抢先一步", path="/"))
        session.commit()
    assert clock.run_imports(demo.app) == 0
    assert (task_of(demo).status, named(demo, "己部")) == (ImportState.READY, 0)
    (line,) = rows_of(demo, task, Verdict.WRONG)
    assert line.given["code"] == "GB3"


def test_a_file_that_nobody_waits_for_is_removed(demo):
    folder = demo.app.config["SETTINGS"].data_dir / "import_files"
    folder.mkdir(parents=True, exist_ok=True)
    old, fresh = folder / "old", folder / "fresh"
    for path in (old, fresh):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    clock.run_imports(demo.app)
    assert (old.exists(), fresh.exists()) == (False, True)
    fresh.unlink()
