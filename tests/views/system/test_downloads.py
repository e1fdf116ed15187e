"""Exports in the background (X2): who gets them, what they hold, and what is left when they do not end."""

import csv
import io
import tracemalloc
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import openpyxl
import pypdf
import pytest
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import delete, func, insert, select, update

from app import jobs as clock
from models.guarantee.project import Project
from models.system.custom_field import CustomField
from models.system.exports import ExportState, ExportTask
from models.system.organization import Department, Employee, Operator
from models.system.setup import AuditLog, JobRun, JobStatus, Parameter
from views.kit import exports as lists
from workflows.system import exports

WHAT = "/project/export_later?format={}&cols=number,stage,amount&order=-number&f=number:starts:DB"


@pytest.fixture(autouse=True)
def queue(demo, monkeypatch):
    """Above three rows a file is written beside the page, when the test says so."""
    with demo.session() as session:
        code = Parameter.code == "export.background_rows"
        session.execute(update(Parameter).where(code).values(value="3"))
        session.commit()
    monkeypatch.setitem(demo.app.extensions, "start_exports", lambda: None)
    monkeypatch.setattr(exports, "TELL_SECONDS", 0)
    yield
    with demo.session() as session:
        session.execute(delete(ExportTask))
        session.execute(delete(JobRun))
        session.commit()


def ask(demo, kind="csv", by="admin", what=WHAT):
    """Ask for a file from the list; the task."""
    answer = demo.post(demo.client_of(by), what.format(kind))
    assert (answer.status_code, answer.location) == (302, "/downloads/"), answer.text[:500]
    with demo.session() as session:
        return session.scalars(select(ExportTask).order_by(ExportTask.id.desc())).first()


def now(demo, task):
    """The task as it stands."""
    with demo.session() as session:
        return session.get_one(ExportTask, task.id)


def done(demo, kind="csv", by="admin", what=WHAT):
    """A file asked for and written."""
    task = ask(demo, kind, by, what)
    assert clock.run_exports(demo.app) == 1, now(demo, task).message
    return now(demo, task)


def fetch(demo, task, by="admin"):
    """Download it."""
    with demo.client_of(by).get(f"/downloads/file/{task.id}") as answer:
        return answer.status_code, answer.get_data()


def left(demo):
    """Files that lie in the data directory."""
    room = Path(demo.app.config["SETTINGS"].data_dir) / "exports"
    return sorted(path.name for path in room.rglob("*") if path.is_file()) if room.exists() else []


def test_a_long_list_is_written_beside_the_page_and_told_everywhere(demo):
    client = demo.client_of("admin")
    page = client.get("/project/list/").text
    assert "/project/export_later?format=xlsx" in page
    refused = client.get("/project/export?format=csv")
    assert (refused.status_code, "须在后台导出" in refused.text) == (409, True)
    task = ask(demo)
    assert (task.status, task.title) == (ExportState.PENDING, "担保项目")
    assert task.conditions.endswith("DB")
    waiting = client.get("/downloads/").text
    assert f'data-job-url="/downloads/state/{task.id}"' in waiting
    assert f"/downloads/cancel/{task.id}" in waiting
    assert f'data-job-url="/downloads/state/{task.id}"' in client.get("/customer/list/").text
    state = client.get(f"/downloads/state/{task.id}").get_json()
    assert (state["state"], state["percent"]) == ("running", 0)
    assert clock.run_exports(demo.app) == 1
    state = client.get(f"/downloads/state/{task.id}").get_json()
    assert (state["state"], state["percent"]) == ("done", 100)
    assert "导出担保项目：完成" in client.get("/customer/list/").text, "it waits to be fetched"
    status, data = fetch(demo, task)
    assert status == 200
    assert "导出担保项目：完成" not in client.get("/customer/list/").text
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    with demo.session() as session:
        wanted = session.execute(
            select(Project.number, Project.amount)
            .where(Project.number.like("DB%"))
            .order_by(Project.number.desc())
        ).all()
    finished = now(demo, task)
    assert finished.rows == len(wanted)
    assert [row[0] for row in rows[1 : len(wanted) + 1]] == [row.number for row in wanted]
    said = "\n".join(row[0] for row in rows[len(wanted) + 1 :])
    assert f"行数：{len(wanted)}" in said
    assert "导出人：方志远" in said
    assert "筛选条件：" in said
    total = rows[len(wanted) + 1]
    assert total[0] == "合计"
    assert total[2] == f"{sum(row.amount for row in wanted):.2f}"


def test_excel_and_pdf_say_what_they_are_of(demo):
    _, data = fetch(demo, done(demo, "xlsx"))
    book = openpyxl.load_workbook(io.BytesIO(data))
    facts = dict(row[:2] for row in book["说明"].iter_rows(values_only=True))
    *_, total = book.active.iter_rows(values_only=True)
    assert facts["导出人"] == "方志远"
    assert total[0] == "合计"
    assert int(facts["行数"].replace(",", "")) == book.active.max_row - 2
    _, data = fetch(demo, done(demo, "pdf"))
    words = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    assert "合计" in words
    assert "方志远" in words


def test_a_field_that_an_administrator_has_added_is_written_too(demo):
    with demo.session() as session:
        session.add(CustomField(table_name="project", code="shelf", label="档案盒号"))
        for row in session.scalars(select(Project).where(Project.number.like("DB%"))):
            row.extra = {"shelf": f"甲-{row.id}"}
        session.commit()
        wanted = select(Project.id).where(Project.number.like("DB%")).order_by(Project.number)
        keys = session.scalars(wanted).all()
    what = "/project/export_later?format={}&cols=number,shelf&order=number&f=shelf:filled:"
    task = done(demo, what=what)
    rows = list(csv.reader(io.StringIO(fetch(demo, task)[1].decode("utf-8-sig"))))
    assert rows[0][1] == "档案盒号"
    assert [row[1] for row in rows[1 : len(keys) + 1]] == [f"甲-{key}" for key in keys]
    with demo.session() as session:
        session.execute(delete(CustomField).where(CustomField.code == "shelf"))
        session.commit()


def test_asked_written_and_downloaded_stand_in_the_trail(demo):
    task = done(demo)
    fetch(demo, task)
    with demo.session() as session:
        query = select(AuditLog.note).where(AuditLog.action == "EXPORT")
        notes = session.scalars(query.order_by(AuditLog.id)).all()
    assert [note.partition("：")[0] for note in notes if f"第 {task.id} 号" in note] == [
        "申请导出",
        "导出",
        "下载导出文件",
    ]


def test_nobody_else_sees_fetches_cancels_or_repeats_it(demo):
    task, other = done(demo), demo.client_of("zhoumin")
    assert fetch(demo, task, "zhoumin")[0] == 404
    assert other.get(f"/downloads/state/{task.id}").status_code == 404
    for act in ("cancel", "again"):
        assert demo.post(other, f"/downloads/{act}/{task.id}").status_code == 404
    assert f"/downloads/file/{task.id}" not in other.get("/downloads/").text


def test_the_scope_is_that_of_the_asker_when_it_is_written(demo):
    every = done(demo).rows
    mine = done(demo, by="zhoumin")
    assert 0 < mine.rows < every


def test_whose_account_is_closed_meanwhile_gets_nothing(demo):
    task = ask(demo, by="zhoumin")
    with demo.session() as session:
        user = select(Operator.user_id).where(Operator.username == "zhoumin").scalar_subquery()
        session.execute(update(User).where(User.id == user).values(active=False))
        session.commit()
    try:
        assert clock.run_exports(demo.app) == 0
    finally:
        with demo.session() as session:
            session.execute(update(User).where(User.id == user).values(active=True))
            session.commit()
    found = now(demo, task)
    assert (found.status, found.message) == (ExportState.FAILED, "账号已停用，没有办理")
    assert left(demo) == []


def test_the_right_is_asked_anew_when_it_is_written_and_when_it_is_fetched(demo, monkeypatch):
    finished = done(demo)
    second = ask(demo)
    real = clock.security.build_actor

    def without(*args, **facts):
        found = real(*args, **facts)
        return replace(found, permissions=found.permissions - {("can_export", "project")})

    monkeypatch.setattr(clock.security, "build_actor", without)
    clock.run_exports(demo.app)
    assert now(demo, second).status is ExportState.FAILED
    assert fetch(demo, finished)[0] == 403


def test_who_sees_otherwise_now_does_not_get_the_file(demo):
    task = done(demo, by="zhoumin")
    with demo.session() as session:
        who = select(Operator.employee_id).where(Operator.username == "zhoumin").scalar_subquery()
        before = session.scalar(select(Employee.department_id).where(Employee.id == who))
        other = session.scalar(select(Department.id).where(Department.id != before).limit(1))
        session.execute(update(Employee).where(Employee.id == who).values(department_id=other))
        session.commit()
    try:
        assert fetch(demo, task, "zhoumin")[0] == 403
    finally:
        with demo.session() as session:
            session.execute(update(Employee).where(Employee.id == who).values(department_id=before))
            session.commit()
    assert fetch(demo, task, "zhoumin")[0] == 200


def test_a_cancelled_one_leaves_no_file_however_far_it_is(demo, monkeypatch):
    client, first = demo.client_of("admin"), ask(demo)
    assert demo.post(client, f"/downloads/cancel/{first.id}").status_code == 302
    assert demo.post(client, f"/downloads/cancel/{first.id}").status_code == 409
    assert clock.run_exports(demo.app) == 0
    second, real = ask(demo, "xlsx"), lists.files.write

    def cancelled_behind(*args, **facts):
        rows = real(*args, **facts)
        with demo.session() as session:
            values = {"status": ExportState.CANCELLED}
            session.execute(update(ExportTask).where(ExportTask.id == second.id).values(values))
            session.commit()
        return rows

    monkeypatch.setattr(lists.files, "write", cancelled_behind)
    assert clock.run_exports(demo.app) == 0
    assert now(demo, second).status is ExportState.CANCELLED
    assert left(demo) == []
    assert fetch(demo, second)[0] == 409


def test_broken_off_it_begins_clean_and_ends_right(demo):
    task = ask(demo)
    folder = Path(demo.app.config["SETTINGS"].data_dir) / "exports" / f"{task.id}-0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "list.csv").write_text("half")
    past = datetime.now(UTC) - timedelta(minutes=1)
    with demo.session() as session:
        session.execute(
            update(ExportTask).where(ExportTask.id == task.id).values(status=ExportState.RUNNING)
        )
        session.add(
            JobRun(
                job=exports.job_of(task.id),
                business_date=task.business_date,
                status=JobStatus.RUNNING,
                attempts=1,
                lease_until=past,
                owner="elsewhere:1:1a2b3c4d",
                requested_by_id=task.employee_id,
                started_at=past,
                result={"done": {}},
            )
        )
        session.commit()
    assert clock.run_exports(demo.app) == 1
    found = now(demo, task)
    assert found.status is ExportState.SUCCEEDED
    assert not folder.exists()
    assert left(demo) == ["list.csv"]
    status, data = fetch(demo, task)
    assert (status, b"half" in data) == (200, False)


def test_what_breaks_off_every_time_is_given_up(demo):
    task = ask(demo)
    with demo.session() as session:
        session.add(
            JobRun(
                job=exports.job_of(task.id),
                business_date=task.business_date,
                status=JobStatus.FAILED,
                attempts=exports.MOST_TRIES,
                result={"done": {}},
            )
        )
        session.commit()
    assert clock.run_exports(demo.app) == 0
    assert now(demo, task).status is ExportState.FAILED


def test_an_expired_file_is_gone_and_can_be_asked_for_again(demo):
    task = done(demo)
    with demo.session() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(update(ExportTask).values(expires_at=past))
        session.commit()
    assert fetch(demo, task)[0] == 409
    clock.run_exports(demo.app)
    assert left(demo) == []
    page = demo.client_of("admin").get("/downloads/").text
    assert "已到期" in page
    assert demo.post(demo.client_of("admin"), f"/downloads/again/{task.id}").status_code == 302
    assert clock.run_exports(demo.app) == 1
    with demo.session() as session:
        first, second = session.scalars(select(ExportTask).order_by(ExportTask.id)).all()
    assert (second.query, second.rows) == (first.query, first.rows)


def test_a_file_that_was_changed_on_the_disk_is_not_handed_out(demo):
    task = done(demo)
    room = Path(demo.app.config["SETTINGS"].data_dir) / "exports"
    (room / task.folder / "list.csv").write_text("=1+1")
    assert fetch(demo, task)[0] == 409


@pytest.mark.parametrize("what", ["format=exe", "format=csv&f=garbage", "format=csv&f=number:x:1"])
def test_what_makes_no_sense_is_refused_and_queues_nothing(demo, what):
    answer = demo.post(demo.client_of("admin"), f"/project/export_later?{what}")
    assert answer.status_code == 400
    with demo.session() as session:
        assert session.scalar(select(func.count()).select_from(ExportTask)) == 0


@pytest.mark.parametrize("key", ["0", "abc", "99999999999", "%00"])
def test_keys_of_nothing_are_not_found(demo, key):
    assert demo.client_of("admin").get(f"/downloads/file/{key}").status_code == 404


def test_nobody_queues_without_end(demo):
    for _ in range(exports.MOST_OPEN):
        ask(demo)
    answer = demo.post(demo.client_of("admin"), WHAT.format("csv"))
    assert (answer.status_code, "尚未完成" in answer.text) == (409, True)


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_memory_does_not_grow_with_the_rows(demo, kind, tmp_path):
    """Read through the real query: four times the rows take hardly more memory."""
    task = ExportTask(
        source="audit_log",
        query="cols=at,actor_name,note",
        title="操作日志",
        file_format=kind,
        business_date=date(2026, 11, 26),
    )
    actor = replace(demo.actor_of("admin"), is_system=True)
    peaks = []
    for number in (2_000, 6_000):
        _more_lines(demo, number)
        folder = tmp_path / str(number)
        folder.mkdir()
        with demo.app.app_context():
            tracemalloc.start()
            try:
                write = partial(lists.write, clock.job_edge())
                made = write(task, actor, folder, lambda _: None)
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
    assert made.rows > 8_000
    assert peaks[1] < peaks[0] + 1_600_000


def _more_lines(demo, number):
    with demo.session() as session:
        facts = {"at": datetime.now(UTC), "actor_name": "甲", "action": "OPEN", "changes": {}}
        rows = [{**facts, "note": f"第 {n} 行", "log_kind": "ACCESS"} for n in range(number)]
        session.execute(insert(AuditLog), rows)
        session.commit()
