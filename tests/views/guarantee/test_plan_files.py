"""放款确认 with a file: what was chosen is kept when it is refused, nothing counts unseen, a wrong plan is replaced."""

import io
import re
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import func, select

from models.base.moments import add_months
from models.guarantee.drawdown import Drawdown, PlanSource, RepaymentPlan
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.repayment import Repayment
from models.system.organization import Operator
from models.system.setup import SystemState

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


def plan_file(*rows):
    book = openpyxl.Workbook()
    book.active.append(["期数", "应还日期", "应还本金", "应还利息"])
    for row in rows:
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    made.seek(0)
    return made


@pytest.fixture(scope="module")
def loan(demo):
    with demo.session() as session:
        query = select(Project).where(
            Project.stage == Stage.CONFIRM, Project.state == ProjectState.RUNNING
        )
        project = session.scalars(query.order_by(Project.id)).first()
        who = session.scalars(
            select(Operator.username).where(Operator.employee_id == project.manager_id)
        ).one()
        today = session.get_one(SystemState, 1).business_date
        end = add_months(today, 6)
        facts = {
            "version": str(project.version),
            "bank_note_no": "JJ-K6",
            "drawn_on": today.isoformat(),
            "due_on": end.isoformat(),
            "amount": str(project.amount),
            "rate_annual_pct": "4.35",
            "repayment_method": "BULLET",
            "day_count": "THIRTY_360",
        }
        return project.id, project.amount, who, facts, end


def hidden(answer):
    found = dict(HIDDEN.findall(answer.text))
    return {name: found[name] for name in ("plan_kept", "plan_name", "seen") if name in found}


def test_a_plan_is_kept_when_refused_and_counts_only_once_seen(demo, loan):
    project_id, amount, who, facts, end = loan
    client, url = demo.client_of(who), f"/do/project/{project_id}/confirm"
    good = plan_file((1, end.isoformat(), str(amount), "100.00"))
    refused = demo.post(client, url, **{**facts, "bank_note_no": "", "plan": (good, "计划甲.xlsx")})
    assert refused.status_code == 400
    assert "已选“计划甲.xlsx”" in refused.text
    shown = demo.post(client, url, **{**facts, **hidden(refused)})
    assert shown.status_code == 200
    assert "还款计划预览" in shown.text
    assert "银行文件“计划甲.xlsx”，共 1 期" in shown.text
    with demo.session() as session:
        assert session.get_one(Project, project_id).stage is Stage.CONFIRM, "looked at, not counted"
    changed = demo.post(client, url, **{**facts, **hidden(shown), "rate_annual_pct": "4.55"})
    assert changed.status_code == 200, "other values are looked at anew"
    lost = demo.post(client, url, **{**facts, **hidden(shown), "plan_kept": "0" * 64})
    assert lost.status_code == 400, "never a generated plan in the place of a file that was chosen"
    assert "文件已过期，请重新选择" in lost.text
    stranger = demo.post(demo.client_of("luona"), url, **{**facts, **hidden(shown)})
    assert stranger.status_code == 403
    done = demo.post(client, url, **{**facts, **hidden(shown)})
    assert done.status_code == 302, done.text
    with demo.session() as session:
        plan = session.scalars(
            select(RepaymentPlan).join(Drawdown).where(Drawdown.project_id == project_id)
        ).one()
        assert (plan.source, plan.file_name) == (PlanSource.IMPORTED, "计划甲.xlsx")


def test_a_wrong_plan_is_replaced_with_a_reason_until_the_first_repayment(demo, loan):
    project_id, amount, who, _, end = loan
    client = demo.client_of(who)
    with demo.session() as session:
        found = session.scalars(select(Drawdown).where(Drawdown.project_id == project_id)).one()
        drawdown_id, version = found.id, str(found.version)
    url, half = f"/do/drawdown/{drawdown_id}/replan", amount / 2
    rows = (
        (1, (end - timedelta(days=60)).isoformat(), str(half), "80"),
        (2, end.isoformat(), str(half), "20"),
    )
    wrong = demo.post(
        client, url, version=version, reason="错", plan=(plan_file(rows[0]), "乙.xlsx")
    )
    assert wrong.status_code == 400
    no_reason = demo.post(
        client, url, version=version, reason="", plan=(plan_file(*rows), "乙.xlsx")
    )
    assert no_reason.status_code == 400
    shown = demo.post(client, url, version=version, reason="用错了文件", **hidden(no_reason))
    done = demo.post(client, url, version=version, reason="用错了文件", **hidden(shown))
    assert done.status_code == 302, done.text
    with demo.session() as session:
        plans = session.scalars(
            select(RepaymentPlan)
            .where(RepaymentPlan.drawdown_id == drawdown_id)
            .order_by(RepaymentPlan.plan_no)
        ).all()
        assert [(p.plan_no, p.is_current, p.file_name) for p in plans] == [
            (1, False, "计划甲.xlsx"),
            (2, True, "乙.xlsx"),
        ]
        paid = session.scalars(
            select(Drawdown).where(
                select(Repayment.id).where(Repayment.drawdown_id == Drawdown.id).exists()
            )
        ).first()
        paid_id, paid_version, before = (
            paid.id,
            str(paid.version),
            session.scalar(select(func.count(RepaymentPlan.id))),
        )
        manager = session.scalars(
            select(Operator.username).where(Operator.employee_id == paid.project.manager_id)
        ).one()
    page = demo.client_of(manager).get(f"/drawdown/show/{paid_id}").text
    assert f"/do/drawdown/{paid_id}/replan" not in page, "repaid already"
    late = demo.post(
        demo.client_of(manager),
        f"/do/drawdown/{paid_id}/replan",
        version=paid_version,
        reason="晚了",
        plan=(plan_file(*rows), "丙.xlsx"),
    )
    assert late.status_code == 400
    with demo.session() as session:
        assert session.scalar(select(func.count(RepaymentPlan.id))) == before
