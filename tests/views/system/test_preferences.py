"""What is set up: own preferences, departments as a tree, flows as a drawing, logs in words."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.approval.approval import (
    ApprovalFlow,
    ApprovalNode,
    ApprovalPosition,
    ApprovalPositionMember,
    FlowCustomerKind,
    NodeChooser,
    NodeMode,
)
from models.ledger.account import AccountingPeriod
from models.ledger.closing import MonthEndLog
from models.system.organization import Company, Department, Employee, Operator, Theme
from models.system.setup import AuditLog, JobRun, JobStatus, Parameter, SystemState
from tests.views.conftest import send
from views.approval.drawing import defined


def read(client, path, status=200):
    """The text of a page."""
    response = client.get(path)
    assert response.status_code == status, path
    return response.get_data(as_text=True)


def operator(product, username):
    with product.session() as session:
        return session.scalars(select(Operator).where(Operator.username == username)).one()


# -------------------------------------------------------------------------------------------------------- own settings
def test_rows_and_theme_are_everybodys_own(product):
    head = product.browser("head")
    page = read(head, "/settings/")
    assert 'name="rows"' in page
    assert "跟随系统" in page
    assert send(head, "/settings/", rows="50", look="DARK").status_code == 302
    found = operator(product, "head")
    assert (found.rows_per_page, found.theme) == (50, Theme.DARK)
    assert operator(product, "other").rows_per_page == 20
    page = read(head, "/customer/list/")
    assert 'data-theme="dark"' in page
    assert "/settings/" in page


def heads_of(client, address):
    """The columns that a list shows, in their order, as its chooser has them."""
    return re.findall(r'name="cols" value="([^"]+)" checked', read(client, address))


def test_the_columns_of_a_list_are_ones_own_and_are_found_again(product):
    usual = heads_of(product.browser("other"), "/customer/list/")
    wanted = ["grade", "name", "number"]
    first = product.browser("head")
    answer = send(
        first, "/settings/columns/customer", cols=wanted, next="/customer/list/?q=%E5%B7%9E"
    )
    assert (answer.status_code, answer.location) == (302, "/customer/list/?q=%E5%B7%9E")
    again = product.sign_in("head")
    assert heads_of(again, "/customer/list/") == wanted
    assert heads_of(product.browser("other"), "/customer/list/") == usual
    assert heads_of(again, "/customer/list/?cols=name,region") == ["name", "region"], (
        "an address may say otherwise"
    )
    assert heads_of(again, "/employee/list/") != wanted
    assert send(again, "/settings/columns/customer", reset="1").status_code == 302
    assert heads_of(again, "/customer/list/") == usual


@pytest.mark.parametrize(
    ("table", "columns", "status"),
    [
        ("customer", [], 400),
        ("customer", ["name", "nothing"], 400),
        ("customer", ["name;drop"], 400),
        ("nothing", ["name"], 404),
        ("audit_log", ["note"], 403),
    ],
)
def test_columns_that_are_none_are_refused_and_change_nothing(product, table, columns, status):
    manager = product.browser("other")
    before = operator(product, "other").list_columns
    assert send(manager, f"/settings/columns/{table}", cols=columns).status_code == status
    assert operator(product, "other").list_columns == before


@pytest.mark.parametrize(
    ("rows", "look"), [("3", "DARK"), ("9999", "DARK"), ("٣٠", "DARK"), ("20", "PINK"), ("", "")]
)
def test_what_makes_no_sense_is_said_at_its_field(product, rows, look):
    before = operator(product, "other").rows_per_page
    answer = send(product.browser("other"), "/settings/", rows=rows, look=look)
    assert answer.status_code == 400
    assert "error-block" in answer.get_data(as_text=True)
    assert operator(product, "other").rows_per_page == before


def test_the_button_of_the_top_bar_keeps_the_theme(product):
    client = product.browser("cashier")
    answer = send(client, "/settings/theme", theme="DARK")
    assert answer.get_json() == {"theme": "dark"}
    assert operator(product, "cashier").theme is Theme.DARK
    assert send(client, "/settings/theme", theme="PINK").status_code == 400
    assert operator(product, "cashier").rows_per_page == 20


# --------------------------------------------------------------------------------------------------------- organisation
def test_departments_stand_below_each_other(product):
    with product.session() as session:
        top = session.scalars(select(Department).where(Department.code == "D1")).one()
        below = Department(code="D101", name="业务一部一组", parent_id=top.id, path="/")
        session.add(below)
        session.flush()
        below.path = f"{top.path}{below.id}/"
        session.commit()
    admin = product.browser("admin")
    row = re.search(
        r'<td class="l1"><a href="/department/show/\d+">业务一部一组',
        read(admin, "/department/list/"),
    )
    assert row
    assert 'class="l1"' not in read(admin, "/department/list/?order=-name")
    accounts = read(product.browser("chief"), "/account/list/?size=200")
    assert re.search(r'<td class="l2"><a[^>]*>2221\.01\.02<', accounts)


def test_the_company_is_one_page(product):
    admin = product.browser("admin")
    with product.session() as session:
        key = session.scalars(select(Company.id)).one()
    answer = admin.get("/company/list/")
    assert (answer.status_code, answer.location) == (302, f"/company/show/{key}")
    assert "公司信息" in read(admin, "/company/list/?size=20")
    assert admin.get("/company/export?format=csv").status_code == 200


def test_operators_show_their_roles_and_whether_they_may_sign_in(product):
    with product.session() as session:
        later = datetime(2099, 1, 1, tzinfo=UTC)
        for username, changes in (
            ("other", {"is_disabled": True}),
            ("head", {"locked_until": later}),
        ):
            found = session.scalars(select(Operator).where(Operator.username == username)).one()
            for name, value in changes.items():
                setattr(found, name, value)
        session.commit()
    page = read(product.browser("safe"), "/operator/list/?size=50")
    rows = {
        re.search(r">(\w+)</a>", row)[1]: row
        for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)[1:]
    }
    assert "会计" in rows["clerk"]
    assert "正常" in rows["clerk"]
    assert "停用" in rows["other"]
    assert "已锁定" in rows["head"]


# ---------------------------------------------------------------------------------------------------------------- flows
@pytest.fixture(scope="module")
def flow(product):
    """A flow with a manager, a vote of a position, a role, and a position that nobody holds."""
    with product.session() as session:
        type_id = session.scalars(select(ApprovalFlow.business_type_id)).first()
        filled, empty = (
            ApprovalPosition(code="t1", label="评审小组"),
            ApprovalPosition(code="t2", label="空岗"),
        )
        session.add_all([filled, empty])
        session.flush()
        people = list(session.scalars(select(Employee).order_by(Employee.number).limit(6)))
        session.add_all(
            ApprovalPositionMember(position_id=filled.id, employee_id=p.id) for p in people
        )
        made = ApprovalFlow(
            code="drawn",
            name="图示流程",
            business_type_id=type_id,
            amount_from=Decimal(10),
            amount_to=Decimal(100),
            customer_kind=FlowCustomerKind.CORPORATE,
            department_id=people[0].department_id,
        )
        made.nodes = [
            ApprovalNode(seq=10, name="经理审核", chooser=NodeChooser.MANAGER, hours_limit=48),
            ApprovalNode(
                seq=20,
                name="评审",
                position_id=filled.id,
                mode=NodeMode.VOTE,
                quorum_pct=Decimal(60),
                pass_pct=Decimal("66.67"),
                approve_limit=Decimal(50),
            ),
            ApprovalNode(seq=30, name="财务", chooser=NodeChooser.ROLE, role_name="财务主管"),
            ApprovalNode(seq=40, name="终审", position_id=empty.id, skip_below=Decimal(80)),
        ]
        session.add(made)
        session.commit()
        return made.id


def test_a_flow_is_drawn_from_the_applicant_to_the_end(product, flow):
    with product.session() as session:
        steps = defined(product.ctx(session), session.get_one(ApprovalFlow, flow))
    assert [step.label for step in steps] == ["提交", "经理审核", "评审", "财务", "终审", "办结"]
    assert steps[1].who == "申请人部门负责人"
    assert steps[1].facts == ("任一 · 48 工作小时",)
    assert steps[2].people.endswith(" 等 6 人")
    assert steps[2].facts == ("票决，参与 ≥ 60%，同意 ≥ 66.67%", "不超过 50.00 元到此为止")
    assert (steps[3].who, steps[3].people) == ("角色 财务主管", "")
    assert (steps[4].people, steps[4].is_missing, steps[4].facts[1]) == (
        "未设置人员",
        True,
        "低于 80.00 元跳过",
    )
    page = read(product.browser("admin"), f"/approval_flow/show/{flow}")
    assert "适用：对公客户、10.00 元及以上、低于 100.00 元、" in page
    assert 'class="flow"' in page


def test_a_flow_for_all_says_so(product):
    with product.session() as session:
        plain = session.scalars(
            select(ApprovalFlow.id).where(ApprovalFlow.code == "contract")
        ).one()
    assert "适用：该业务的全部申请" in read(
        product.browser("admin"), f"/approval_flow/show/{plain}"
    )


# ----------------------------------------------------------------------------------------------------------------- logs
def test_the_trail_shows_old_and_new_values_in_words(product):
    admin = product.browser("admin")
    with product.session() as session:
        known = session.scalars(
            select(Parameter).where(Parameter.code == "login.lock_minutes")
        ).one()
        today = session.get_one(SystemState, 1).business_date
    sent = {
        "code": known.code,
        "label": known.label,
        "value": "45",
        "value_kind": "NUMBER",
        "unit": "分钟",
        "effective_on": str(today),
        "module": "SYSTEM",
        "version": str(known.version),
    }
    assert send(admin, f"/parameter/edit/{known.id}", **sent).status_code == 302
    with product.session() as session:
        query = select(AuditLog.id).where(
            AuditLog.table_name == "parameter", AuditLog.record_id == known.id
        )
        row = session.scalars(query.order_by(AuditLog.id.desc())).first()
        sign_in = session.scalars(
            select(AuditLog.id).where(AuditLog.table_name == "operator")
        ).first()
    page = read(product.browser("safe"), f"/audit_log/show/{row}")
    for words in ("变更内容", "参数值", ">30<", ">45<"):
        assert words in page
    assert product.browser("safe").get(f"/audit_log/show/{sign_in}").status_code == 200


def test_a_row_of_the_trail_without_changes_is_plain(product):
    with product.session() as session:
        row = AuditLog(
            at=datetime.now(UTC), actor_name="甲", action="EXPORT", changes={}, table_name="nowhere"
        )
        session.add(row)
        session.commit()
        key = row.id
    assert "变更内容" not in read(product.browser("safe"), f"/audit_log/show/{key}")


def test_a_closing_keeps_its_checks(product):
    with product.session() as session:
        day = date(2026, 1, 31)
        period = AccountingPeriod(
            code="2026-01", year=2026, month=1, starts_on=date(2026, 1, 1), ends_on=day
        )
        session.add(period)
        session.flush()
        facts = {
            "period_id": period.id,
            "closed_at": datetime.now(UTC),
            "closed_by_id": product.employees["chief"],
            "net_profit": Decimal(1),
            "total_assets": Decimal(2),
            "posting_no": 1,
            "chain_hash": "x",
        }
        checks = [{"label": "凭证无断号", "is_met": True, "evidence": "凭证编号连续"}]
        kept, bare = (
            MonthEndLog(round=1, checks=checks, **facts),
            MonthEndLog(round=2, checks=[], **facts),
        )
        session.add_all([kept, bare])
        session.commit()
        ids = kept.id, bare.id
    page = read(product.browser("chief"), f"/month_end_log/show/{ids[0]}")
    for words in ("2026-01 第 1 次结账", "凭证无断号", "凭证编号连续"):
        assert words in page
    assert "凭证无断号" not in read(product.browser("chief"), f"/month_end_log/show/{ids[1]}")


def test_a_job_shows_what_each_step_did(product):
    with product.session() as session:
        facts = {"started_at": datetime.now(UTC), "attempts": 1, "progress_pct": 40}
        failed = JobRun(
            job="day_end",
            business_date=date(2026, 3, 1),
            status=JobStatus.FAILED,
            step="日终快照",
            message="磁盘满了",
            result={"done": {"overdue": "新增逾期 3 期", "expire": ""}},
            **facts,
        )
        month = JobRun(job="month_end:2026-02", business_date=date(2026, 2, 28), result={}, **facts)
        other = JobRun(job="export:7", business_date=date(2026, 2, 28), result={}, **facts)
        session.add_all([failed, month, other])
        session.commit()
        ids = failed.id, month.id, other.id
    admin = product.browser("admin")
    page = read(admin, f"/job_run/show/{ids[0]}")
    for words in ("新增逾期 3 期", "磁盘满了", "未办理", "日终处理 2026-03-01"):
        assert words in page
    assert "结转损益" in read(admin, f"/job_run/show/{ids[1]}")
    assert "步骤" not in read(admin, f"/job_run/show/{ids[2]}").partition("<main")[2].replace(
        "当前步骤", ""
    )
