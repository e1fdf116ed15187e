"""Screens after the drawdown: repayments by hand and by file, notices, warnings, release, and the day-end page."""

import io
import re
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import func, select

from app import cli, jobs
from models.after.warning import RiskWarning, WarningState
from models.base.actor import SYSTEM
from models.base.money import format_money
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Project, ProjectState
from models.guarantee.release import Release
from models.guarantee.repayment import Repayment, RepaymentState
from models.system.organization import Operator
from models.system.setup import JobRun, SystemState
from tests.sheets import book
from views.kit.once import FIELD
from workflows.guarantee import repayment

LOANS = 4


@pytest.fixture(scope="module")
def loans(demo):
    """Ids of (project, loan, user name of its manager) in force, oldest first."""
    with demo.session() as session:
        query = (
            select(Project.id, Drawdown.id, Operator.username)
            .join(Drawdown, Drawdown.project_id == Project.id)
            .join(Operator, Operator.employee_id == Project.manager_id)
            .where(Project.state == ProjectState.IN_FORCE, Drawdown.balance > 10000)
            .order_by(Project.id)
        )
        found = [tuple(row) for row in session.execute(query)]
    assert len(found) >= LOANS
    return found


def version_of(demo, model, record_id):
    with demo.session() as session:
        return session.get_one(model, record_id).version


def owed(demo, loan_id):
    """The first instalment's principal and interest."""
    with demo.session() as session:
        loan = session.get_one(Drawdown, loan_id)
        row = next(r for r in repayment.plan_rows(session, loan) if r.is_open)
        return (
            row.principal - row.principal_paid,
            row.interest - row.interest_paid,
            loan.bank_note_no,
        )


def business_date(demo):
    with demo.session() as session:
        return session.get_one(SystemState, 1).business_date


def test_a_repayment_by_hand_and_its_reversal(demo, loans):
    project_id, loan_id, who = loans[0]
    client = demo.client_of(who)
    page = client.get(f"/project/show/{project_id}").text
    assert f"/do/project/{project_id}/register_repayment" in page
    form = client.get(f"/do/drawdown/{loan_id}/register").text
    assert "还本金额" in form
    principal, interest, _ = owed(demo, loan_id)
    sent = {"paid_on": business_date(demo), "principal": "-1", "interest": interest, "note": ""}
    url = f"/do/project/{project_id}/register_repayment"
    refused = demo.post(client, url, version=version_of(demo, Project, project_id), **sent)
    assert (refused.status_code, "不能" in refused.text) == (400, True)
    done = demo.post(
        client,
        url,
        version=version_of(demo, Project, project_id),
        **{**sent, "principal": principal},
    )
    assert done.status_code == 302, done.text
    page = client.get(done.location).text
    assert "已登记" in page
    repayment_id = int(done.location.rpartition("/")[2])
    undone = demo.post(
        client,
        f"/do/repayment/{repayment_id}/reverse",
        reason="登记有误",
        version=version_of(demo, Repayment, repayment_id),
    )
    assert undone.status_code == 302
    with demo.session() as session:
        assert session.get_one(Repayment, repayment_id).state is RepaymentState.REVERSED


def payments(*rows):
    return book(["借据号", "还款日期", "还本金额", "还息金额"], *rows)


def upload(demo, client, data, name="还款.xlsx"):
    fields = {
        "csrf_token": demo.token(client),
        FIELD: "the-key-of-an-upload",
        "file": (io.BytesIO(data), name),
    }
    return client.post("/repayment_import/", data=fields, content_type="multipart/form-data")


def sums_of(page):
    """The amounts of 可导入合计 under the preview."""
    row = page[page.index("可导入合计") :].partition("</tr>")[0]
    return re.findall(r"-?[\d,]+\.\d\d", row)


def count(demo):
    with demo.session() as session:
        return session.scalar(
            select(func.count(Repayment.id)).where(Repayment.state == RepaymentState.BOOKED)
        )


def test_the_banks_file_is_previewed_confirmed_and_known_again(demo, loans):
    _, loan_id, who = loans[1]
    client = demo.client_of(who)
    principal, interest, note_no = owed(demo, loan_id)
    data = payments([note_no, business_date(demo), float(principal), float(interest + 12)])
    before = count(demo)
    page = upload(demo, client, data).text
    assert "确认导入 1 笔" in page
    assert "超出计划利息" in page
    assert "确认导入 1 笔" in upload(demo, client, data).text, (
        "a preview may be asked for again with the same form"
    )
    assert count(demo) == before, "a preview keeps nothing"
    assert sums_of(page) == [format_money(principal), format_money(interest + 12)]
    key = re.search(r"[0-9a-f]{64}", page).group(0)
    done = demo.post(client, "/repayment_import/confirm", key=key, name="还款.xlsx")
    assert (done.status_code, count(demo)) == (302, before + 1)
    strange = payments(
        ["没有的借据", business_date(demo), 7, 0],
        [note_no, business_date(demo), float(principal), float(interest + 12)],
    )
    assert sums_of(upload(demo, client, strange).text) == ["0.00", "0.00"], (
        "what is registered already or in no way ours is not to be imported"
    )
    assert "确认导入" not in upload(demo, client, data).text
    again = demo.post(client, "/repayment_import/confirm", key=key, name="还款.xlsx")
    assert (again.status_code, count(demo)) == (302, before + 1)


def test_a_bad_file_says_what_is_wrong(demo, loans):
    client = demo.client_of(loans[1][2])
    assert client.get("/repayment_import/").status_code == 200
    nothing = demo.post(client, "/repayment_import/")
    assert (nothing.status_code, "请选择银行还款明细文件" in nothing.text) == (400, True)
    assert "未找到还款明细表" in upload(demo, client, b"a,b\n1,2\n", "还款.csv").text
    assert "日期为空" in upload(demo, client, payments(["JJ1", None, 1, 0])).text
    page = upload(demo, client, payments(["没有的借据", business_date(demo), 1, 0])).text
    assert "没有这个借据号" in page
    assert "确认导入" not in page
    for sent in ({"key": "../x", "name": "a.xlsx"}, {"key": "0" * 64, "name": "a.xlsx"}):
        assert demo.post(client, "/repayment_import/confirm", **sent).status_code == 404


def test_columns_are_mapped_by_hand_once_and_remembered_for_their_source(demo, loans):
    _, loan_id, who = loans[1]
    client = demo.client_of(who)
    _, _, note_no = owed(demo, loan_id)

    def odd(amount):
        workbook = openpyxl.Workbook()
        for row in [
            ["某行流水"],
            ["合约", "记账", "收本", "收息"],
            [note_no, business_date(demo), amount, 0],
        ]:
            workbook.active.append(row)
        stream = io.BytesIO()
        workbook.save(stream)
        return stream.getvalue()

    asked = upload(demo, client, odd(3))
    assert (
        asked.status_code,
        "列对应：还款明细表" in asked.text,
        "第 2 行为表头" in asked.text,
    ) == (400, True, True)
    sent = {
        "key": re.search(r'name="key" value="([0-9a-f]{64})', asked.text)[1],
        "name": "流水.xlsx",
    }
    columns = {
        "c0": "note_no",
        "c1": "paid_on",
        "c2": "principal",
        "c3": "principal",
        "source": " ",
    }
    refused = demo.post(client, "/repayment_import/columns", **sent, **columns)
    assert (refused.status_code, "对应了两列" in refused.text, "请填写来源" in refused.text) == (
        400,
        True,
        True,
    )
    columns |= {"c3": "interest", "source": "江南银行"}
    done = demo.post(client, "/repayment_import/columns", **sent, **columns)
    assert done.status_code == 302
    page = client.get(done.location).text
    assert "按“江南银行”的列对应读取" in page
    assert note_no in page
    assert "按“江南银行”的列对应读取" in upload(demo, client, odd(4)).text, (
        "the next file of the source"
    )
    assert client.get(f"/repayment_import/columns?key={'0' * 64}&name=a.xlsx").status_code == 404


def test_a_confirmation_of_a_file_that_no_longer_fits_is_refused(demo, loans):
    _, loan_id, who = loans[0]
    client = demo.client_of(who)
    _, _, note_no = owed(demo, loan_id)
    page = upload(demo, client, payments([note_no, business_date(demo), 1, 0])).text
    key = re.search(r"[0-9a-f]{64}", page).group(0)
    with demo.session() as session:
        session.get_one(Drawdown, loan_id).drawn_on = business_date(demo) + timedelta(days=1)
        session.commit()
    refused = demo.post(client, "/repayment_import/confirm", key=key, name="还款.xlsx")
    assert (refused.status_code, "还款日期应在放款日期" in refused.text) == (400, True)


def test_a_release_by_the_banks_letter(demo, loans):
    project_id, _, who = loans[2]
    client = demo.client_of(who)
    url = f"/do/project/{project_id}/release"
    assert "解保依据" in client.get(url).text
    sent = {
        "basis": "BANK_LETTER",
        "letter_no": "函 1 号",
        "letter_on": business_date(demo),
        "note": "置换",
    }
    without = demo.post(client, url, version=version_of(demo, Project, project_id), **sent)
    assert (without.status_code, "请上传银行解除担保函" in without.text) == (400, True)
    letter = (
        io.BytesIO(b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"),
        "解除担保函.pdf",
    )
    fields = {**sent, "letter": letter, "version": version_of(demo, Project, project_id)}
    fields["csrf_token"] = demo.token(client)
    done = client.post(url, data=fields, content_type="multipart/form-data")
    assert done.status_code == 302, done.text
    assert "审批中" in client.get(done.location).text
    assert f"/do/project/{project_id}/release" not in client.get(f"/project/show/{project_id}").text
    with demo.session() as session:
        assert (
            session.scalar(select(func.count(Release.id)).where(Release.project_id == project_id))
            == 1
        )


@pytest.fixture(scope="module")
def closed(demo):
    """Thirty-five days have passed and every one of them was closed."""
    start = business_date(demo)
    with demo.app.app_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "local_today", lambda: start + timedelta(days=70))
        runs = jobs.run_day_end(demo.app, until=start + timedelta(days=35), actor=SYSTEM)
    assert len(runs) == 35
    return start


def test_day_end_shows_what_each_day_did(demo, closed):
    page = demo.client_of("admin").get("/day-end/").text
    for words in (
        "系统日终日志",
        "已完成",
        "新增预警",
        "变动项目",
        f"营业日期 {closed + timedelta(days=35)}",
    ):
        assert words in page
    with demo.session() as session:
        run = session.scalars(select(JobRun).order_by(JobRun.id.desc())).first()
    state = demo.client_of("admin").get(f"/jobs/{run.id}").get_json()
    assert (state["percent"], state["state"]) == (100, "done")
    assert demo.client_of("zhoumin").get(f"/jobs/{run.id}").status_code == 403
    assert demo.client_of("admin").get("/jobs/999999").status_code == 404


def test_the_button_starts_nothing_before_the_day_is_over(demo, closed):
    client = demo.client_of("admin")
    assert demo.post(client, "/day-end/run").status_code == 302
    page = client.get("/day-end/").text
    assert f"营业日期 {business_date(demo)} 尚未结束，没有需要办理的日终" in page, (
        "it is ahead of the calendar here"
    )
    assert "data-job-url" not in page


def test_overdue_loans_get_a_notice_and_warnings_are_handled(demo, closed, loans):
    _, loan_id, who = loans[3]
    client = demo.client_of(who)
    answer = demo.post(
        client, f"/do/drawdown/{loan_id}/issue_overdue", version=version_of(demo, Drawdown, loan_id)
    )
    assert answer.status_code == 302
    assert "欠款通知单" in client.get(answer.location).text
    with demo.session() as session:
        query = select(RiskWarning).join(Project).where(RiskWarning.state == WarningState.PENDING)
        warning = session.scalars(query.where(Project.id == loans[3][0]).limit(1)).one()
    assert "待处理预警" in client.get("/").text
    url = f"/do/risk_warning/{warning.id}"
    done = demo.post(client, f"{url}/handle", version=warning.version, handling="上门催收")
    assert done.status_code == 302
    done = demo.post(client, f"{url}/lift", version=warning.version + 1, reason="客户已还款")
    assert done.status_code == 302
    assert "已解除" in client.get(f"/risk_warning/show/{warning.id}").text
    assert demo.post(demo.client_of("admin"), "/day-end/warnings").status_code == 302


def test_the_thread_of_the_button_does_the_work(demo, closed, monkeypatch):
    """What the button starts closes the days and says nothing when it cannot."""
    start = business_date(demo)
    monkeypatch.setattr(jobs, "local_today", lambda: start + timedelta(days=1))
    with demo.app.app_context():
        thread = jobs.start_day_end(demo.app, SYSTEM)
    thread.join(30)
    assert business_date(demo) == start + timedelta(days=1)


def test_the_command_closes_days_and_refuses_the_future(demo, closed, monkeypatch):
    start = business_date(demo)
    for module in (jobs, cli):
        monkeypatch.setattr(module, "local_today", lambda: start + timedelta(days=2))
    runner = demo.app.test_cli_runner()
    with demo.app.app_context():  # the `flask` command brings one along
        done = runner.invoke(args=["day-end", "--date", start.isoformat()])
        future = runner.invoke(args=["day-end", "--date", (start + timedelta(days=9)).isoformat()])
    assert (done.exit_code, f"{start} 日终完成" in done.output) == (0, True), done.output
    assert (future.exit_code, "尚未结束" in future.output) == (1, True)
