"""The banks' own files through 导入还款, and plans whose columns nobody knows through 放款确认."""

import io
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.base.moments import add_months
from models.guarantee.drawdown import Drawdown, Instalment, RepaymentPlan
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.repayment import Repayment
from models.system.organization import Operator
from models.system.setup import SheetMapping, SystemState
from tests.sheets import book
from tests.views.guarantee.test_plan_files import HIDDEN
from views.kit.once import FIELD
from workflows.guarantee import repayment

REAL = Path(__file__).resolve().parents[2] / "data" / "real"
WITH_TIME, PER_PAGE, PER_SORT = (
    "R2_GBK_交易时间.csv",
    "R4_序列号_本页小计.xls",
    "R5_本金利息分行.xlsx",
)
NOTES = ("JJ202604230006", "JJ202607200011")
PAID = [
    ("JJ202604230006", Decimal("120833.33"), Decimal("3942.19")),
    ("JJ202607200011", Decimal(0), Decimal("2900.00")),
]


@pytest.fixture(scope="module")
def cashier(demo):
    """A cashier's browser; two running loans bear the numbers that the files name."""
    with demo.session() as session:
        query = (
            select(Drawdown)
            .join(Project)
            .where(
                Project.state == ProjectState.IN_FORCE,
                Drawdown.balance > 200_000,
                Drawdown.drawn_on < date(2026, 11, 1),
            )
        )
        loans = session.scalars(query.order_by(Drawdown.id)).all()
        loans = [
            loans[0],
            next(loan for loan in loans[1:] if loan.project.bank_id == loans[0].project.bank_id),
        ]
        for other in session.scalars(select(Drawdown).where(Drawdown.bank_note_no.in_(NOTES))):
            other.bank_note_no += "-1"
        session.flush()
        for loan, note_no in zip(loans, NOTES, strict=True):
            loan.bank_note_no = note_no
        due = next(row for row in repayment.plan_rows(session, loans[0]) if row.is_open)
        due.principal, due.due_on = (
            due.principal_paid + PAID[0][1],
            min(due.due_on, date(2026, 11, 18)),
        )
        state = session.get_one(SystemState, 1)
        state.business_date = max(state.business_date, date(2026, 11, 20))
        session.commit()
    return demo.client_of("luona")


def upload(demo, client, name, data=None):
    data = (REAL / name).read_bytes() if data is None else data
    fields = {
        "csrf_token": demo.token(client),
        FIELD: "the-key-of-a-file",
        "file": (io.BytesIO(data), name),
    }
    return client.post("/repayment_import/", data=fields, content_type="multipart/form-data")


def confirm(demo, client, page, name, **more):
    key = re.search(r"[0-9a-f]{64}", page).group(0)
    return demo.post(client, "/repayment_import/confirm", key=key, name=name, **more)


def registered(demo):
    with demo.session() as session:
        query = (
            select(Drawdown.bank_note_no, Repayment.principal, Repayment.interest)
            .join(Repayment, Repayment.drawdown_id == Drawdown.id)
            .where(Drawdown.bank_note_no.in_(NOTES), Repayment.paid_on == date(2026, 11, 20))
        )
        return sorted(tuple(row) for row in session.execute(query))


def test_the_files_of_three_banks_load_and_say_the_same(demo, cashier):
    shown = upload(demo, cashier, WITH_TIME)
    assert (shown.status_code, "确认导入 2 笔" in shown.text) == (200, True)
    assert registered(demo) == []
    assert confirm(demo, cashier, shown.text, WITH_TIME).status_code == 302
    assert registered(demo) == PAID
    for name, rows in ((WITH_TIME, 2), (PER_PAGE, 2), (PER_SORT, 1)):
        known = upload(demo, cashier, name)
        assert (known.status_code, f"已登记 {rows} 行" in known.text, "确认导入" in known.text) == (
            200,
            True,
            False,
        )
        assert confirm(demo, cashier, known.text, name).status_code == 302
        assert registered(demo) == PAID


def test_a_file_half_of_which_is_another_banks_is_said_and_asked(demo, cashier):
    with demo.session() as session:
        day = session.get_one(SystemState, 1).business_date
        own = session.scalars(select(Drawdown).where(Drawdown.bank_note_no == NOTES[0])).one()
        query = (
            select(Drawdown)
            .join(Project)
            .where(
                Project.state == ProjectState.IN_FORCE,
                Project.bank_id != own.project.bank_id,
                Drawdown.balance > 1000,
            )
        )
        other = session.scalars(query.order_by(Drawdown.id)).first()
        other_no, names = other.bank_note_no, [x.project.bank.name for x in (own, other)]
        before = session.scalar(select(func.count(Repayment.id)))
    data = book(
        ["借据号", "还款日期", "还本金额", "还息金额"],
        [NOTES[0], day, 0, 1],
        [other_no, day, 0, 2],
        ["别的担保公司的借据", day, 3, 0],
    )
    shown = upload(demo, cashier, "混合.xlsx", data)
    assert shown.status_code == 200
    assert all(name in shown.text for name in names)
    assert "文件中有几家银行的借据" in shown.text
    assert "1 行的借据号系统中没有" in shown.text
    unanswered = confirm(demo, cashier, shown.text, "混合.xlsx")
    assert unanswered.status_code >= 400
    with demo.session() as session:
        assert session.scalar(select(func.count(Repayment.id))) == before
    assert confirm(demo, cashier, shown.text, "混合.xlsx", answered="1").status_code == 302
    with demo.session() as session:
        assert session.scalar(select(func.count(Repayment.id))) == before + 2


def test_a_plan_with_unknown_columns_is_mapped_where_it_is_uploaded(demo):
    with demo.session() as session:
        query = select(Project).where(
            Project.stage == Stage.CONFIRM, Project.state == ProjectState.RUNNING
        )
        project = session.scalars(query.order_by(Project.id)).first()
        who = session.scalars(
            select(Operator.username).where(Operator.employee_id == project.manager_id)
        ).one()
        today = session.get_one(SystemState, 1).business_date
        end, half = add_months(today, 6), project.amount / 2
        facts = {
            "version": str(project.version),
            "bank_note_no": "JJ-K9",
            "drawn_on": today,
            "due_on": end,
            "amount": str(project.amount),
            "rate_annual_pct": "4.35",
            "repayment_method": "BULLET",
            "day_count": "THIRTY_360",
        }
        project_id = project.id
    client, url = demo.client_of(who), f"/do/project/{project_id}/confirm"
    middle = end - timedelta(days=60)
    rows = [
        ["某行还款安排"],
        ["批次", "扣收日", "收本", "收息"],
        [1, middle, half, 80],
        [2, end, half, 20],
    ]

    def kept(answer):
        found = dict(HIDDEN.findall(answer.text))
        return {name: found[name] for name in ("plan_kept", "plan_name", "seen") if name in found}

    asked = demo.post(client, url, **facts, plan=(io.BytesIO(book(*rows)), "安排.xlsx"))
    assert asked.status_code == 400
    assert "列对应：还款计划表（工作表“Sheet”第 2 行为表头）" in asked.text
    assert "A 列 批次" in asked.text
    columns = {
        "c0": "seq",
        "c1": "due_on",
        "c2": "principal",
        "c3": "principal",
        "source": "江南银行",
    }
    wrong = demo.post(client, url, **facts, **kept(asked), **columns)
    assert (wrong.status_code, "对应了两列" in wrong.text, "JJ-K9" in wrong.text) == (
        400,
        True,
        True,
    )
    shown = demo.post(client, url, **facts, **kept(wrong), **{**columns, "c3": "interest"})
    assert (shown.status_code, "还款计划预览" in shown.text, "共 2 期" in shown.text) == (
        200,
        True,
        True,
    )
    assert "按“江南银行”的列对应读取" in shown.text
    anew = demo.post(client, url, **facts, **kept(shown), remap="1")
    assert (anew.status_code, "C 列 收本" in anew.text, "还款计划预览" in anew.text) == (
        200,
        True,
        False,
    )
    with demo.session() as session:
        assert session.get_one(Project, project_id).stage is Stage.CONFIRM, "looked at, not counted"
        assert session.scalars(
            select(SheetMapping.source).where(SheetMapping.kind == "repayment_plan")
        ).all() == ["江南银行"]
    done = demo.post(client, url, **facts, **kept(shown))
    assert done.status_code == 302, done.text
    with demo.session() as session:
        loan = session.scalars(select(Drawdown).where(Drawdown.project_id == project_id)).one()
        loan_id, version = loan.id, str(loan.version)
        rows_of = select(Instalment).join(RepaymentPlan).where(RepaymentPlan.drawdown_id == loan_id)
        found = session.scalars(rows_of.order_by(Instalment.seq)).all()
        assert [(row.due_on, row.principal) for row in found] == [(middle, half), (end, half)]
    replan = demo.post(
        client,
        f"/do/drawdown/{loan_id}/replan",
        version=version,
        reason="银行重发",
        plan=(io.BytesIO(book(rows[0], ["轮次", *rows[1][1:]], *rows[2:])), "重发.xlsx"),
    )
    assert (replan.status_code, "列对应：还款计划表" in replan.text) == (400, True), (
        "other heads, other columns"
    )
