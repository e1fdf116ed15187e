"""期末处理 and statements on the screen: opening, month-end by button and command, drill-down, 反结账."""

import html
import io
import json
import re
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select

from models.ledger.account import Account, AccountingPeriod, PeriodState
from models.ledger.closing import MonthEndLog, OpeningImport
from models.system.setup import JobRun, JobStatus, SystemState
from tests.views.conftest import send, token
from workflows.ledger import voucher
from workflows.ledger.entries import Line

DATA = Path(__file__).resolve().parents[2] / "data"
FILES = {"balances": "opening_balances.xlsx", "auxiliaries": "opening_auxiliaries.xlsx"}
MONTH_END = date(2026, 1, 31)


@pytest.fixture(scope="module")
def company(product):
    """The product on the last day of January 2026."""
    with product.session() as session:
        session.get_one(SystemState, 1).business_date = MONTH_END
        session.commit()
    return product


def upload(client, **more):
    files = {name: (io.BytesIO((DATA / file).read_bytes()), file) for name, file in FILES.items()}
    data = {"csrf_token": token(client, "/password/"), **files, **more}
    return client.post("/opening/", data=data, content_type="multipart/form-data")


def fields_of(page: str, action: str) -> dict[str, str]:
    """What the button that posts to an address sends along."""
    button = re.search(rf'<button[^>]*formaction="{re.escape(action)}"[^>]*>', page)
    assert button, "no such button"
    found = re.search(r"data-fields='([^']*)'|data-fields=\"([^\"]*)\"", button.group(0))
    return dict(json.loads(html.unescape(found.group(1) or found.group(2))))


@pytest.fixture(scope="module")
def opened(company):
    """The sample opening, loaded through the screen."""
    chief = company.browser("chief")
    refused = upload(chief).get_data(as_text=True)
    assert "不存在，请先登记客户" in refused
    assert "确认装入" not in refused
    page = upload(chief, create_customers="1").get_data(as_text=True)
    assert "借贷平衡，可以装入" in page
    assert "新增科目" in page
    answer = send(chief, "/opening/confirm", **fields_of(page, "/opening/confirm"))
    assert answer.status_code == 302
    assert "/report/trial-balance?first=2025-12" in answer.location
    return company


def post_depreciation(company) -> None:
    with company.session() as session:
        ctx = company.ctx(session)
        ids = dict(session.execute(select(Account.code, Account.id).where(Account.is_leaf)).all())
        amount = Decimal(50000)
        lines = [
            Line(ids["6601.06"], debit=amount, department_id=1),
            Line(ids["1602"], credit=amount),
        ]
        made = voucher.write_draft(
            ctx, date=MONTH_END, word="transfer", memo="计提折旧", entries=lines
        )
        for verb, name in (("review", "chief"), ("post", "boss")):
            acting = company.ctx(session)
            acting.actor = acting.actor.__class__(company.employees[name], name, is_system=True)
            getattr(voucher, verb)(acting, made)
        session.commit()


def run(company, *args: str):
    """`flask --app run month-end`."""
    with company.app.app_context():
        return company.app.test_cli_runner().invoke(args=["month-end", *args])


def wait_for(company, *states: JobStatus, attempts: int = 1) -> JobRun:
    """The latest run once it has ended so, at this attempt or a later one: an earlier end is not what is waited for."""
    for _ in range(600):
        with company.session() as session:
            run = session.scalars(select(JobRun).order_by(JobRun.id.desc())).first()
            if run is not None and run.status in states and run.attempts >= attempts:
                return run
        time.sleep(0.1)
    raise AssertionError("the job did not end")


def test_what_is_loaded_is_shown_and_may_not_be_seen_by_others(opened):
    page = opened.browser("chief").get("/opening/").get_data(as_text=True)
    assert "254,539,976.17" in page
    assert opened.browser("manager").get("/opening/").status_code == 403
    with opened.session() as session:
        assert session.scalars(select(OpeningImport)).one().period.code == "2025-12"


def test_a_month_is_closed_by_button_and_command_and_opened_again(opened):
    chief = opened.browser("chief")
    page = chief.get("/closing/?period=2026-01").get_data(as_text=True)
    assert "固定资产已计提折旧" in page
    assert "/voucher/add" in page
    assert "月末处理并结账" in page
    assert send(opened.browser("clerk"), "/closing/run", period="2026-01").status_code == 403
    # Refused by the missing depreciation, on the command line with status 1 and the check's message.
    result = run(opened, "--period", "2026-01")
    assert result.exit_code == 1
    assert "固定资产已计提折旧未通过" in result.output
    assert send(chief, "/closing/run", period="2026-01").status_code == 302
    assert "固定资产已计提折旧" in (wait_for(opened, JobStatus.FAILED, attempts=2).message or "")
    page = chief.get("/closing/?period=2026-01").get_data(as_text=True)
    assert "继续月末处理" in page
    post_depreciation(opened)
    assert send(chief, "/closing/run", period="2026-01").status_code == 302
    done = wait_for(opened, JobStatus.SUCCEEDED)
    assert chief.get(f"/jobs/{done.id}").json["state"] == "done"
    page = chief.get("/closing/?period=2026-01").get_data(as_text=True)
    assert "最近十二个月担保费收入" in page
    assert "反结账" in page
    with opened.session() as session:
        period = session.scalars(
            select(AccountingPeriod).where(AccountingPeriod.code == "2026-01")
        ).one()
        assert period.state is PeriodState.CLOSED
        assert period.closed_by_id == opened.employees["chief"]
        key, version = period.id, period.version
    again = send(chief, "/closing/run", period="2026-01")
    assert again.status_code == 302
    answer = send(
        chief, f"/do/accounting_period/{key}/reopen", version=str(version), reason="补记费用"
    )
    assert answer.status_code == 302
    assert answer.location.endswith("/closing/?period=2026-01")
    assert "已反结账" in chief.get("/closing/?period=2026-01").get_data(as_text=True)
    result = run(opened, "--period", "2026-01", "--by", "boss")
    assert result.exit_code == 0, result.output
    assert "✓ 检查并结账：已结账" in result.output
    assert "没有变化" in run(opened, "--period", "2026-01").output
    with opened.session() as session:
        first, second = session.scalars(select(MonthEndLog).order_by(MonthEndLog.round)).all()
        assert (first.net_profit, first.total_assets) == (second.net_profit, second.total_assets)


@pytest.mark.parametrize("path", ["/report/balance-sheet", "/report/income-statement"])
def test_statements_lead_to_accounts_and_to_files(opened, path):
    chief = opened.browser("chief")
    page = chief.get(f"{path}?period=2025-12").get_data(as_text=True)
    assert ("资产 = 负债 + 所有者权益" in page) == (path == "/report/balance-sheet")
    sheet = openpyxl.load_workbook(
        io.BytesIO(chief.get(f"{path}?period=2025-12&format=xlsx").data)
    ).active
    assert sheet.max_row > 10
    assert chief.get(f"{path}?period=2025-12&format=pdf").data.startswith(b"%PDF")
    assert chief.get(f"{path}?period=1999-01").status_code == 400
    refused = chief.get(f"{path}?period=2025-12&as=issued")
    assert refused.status_code == 400
    assert "没有已出的" in refused.get_data(as_text=True)
    assert opened.browser("manager").get(path).status_code == 403


def test_a_row_opens_its_accounts_and_they_open_their_ledger(opened):
    chief = opened.browser("chief")
    page = chief.get("/report/balance-sheet?period=2025-12").get_data(as_text=True)
    # 累计折旧 is a deduction: assets and claims are 252,389,976.17
    assert page.count("254,539,976.17") == 0
    assert "252,389,976.17" in page
    link = re.search(r'href="(/report/statement-row/\d+\?period=2025-12)"', page).group(1)
    behind = chief.get(link).get_data(as_text=True)
    assert "工商银行基本户" in behind
    assert "/report/detail-ledger?account=" in behind
    assert chief.get("/report/statement-row/999999").status_code == 404
    assert chief.get("/report/statement-row/x").status_code == 404


@pytest.mark.parametrize("period", ["", "2026-13", "abc", "2031-01", "2026-02"])
def test_an_impossible_period_is_refused_in_words(opened, period):
    answer = send(opened.browser("chief"), "/closing/run", period=period)
    assert answer.status_code in (400, 404)


def test_unknown_periods_and_stale_uploads_are_not_found(opened):
    chief = opened.browser("chief")
    assert chief.get("/closing/?period=1999-01").status_code == 404
    assert (
        send(chief, "/opening/confirm", balances="0" * 64, balances_name="a.xlsx").status_code
        == 404
    )
