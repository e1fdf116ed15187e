"""Bad input at both doors, the screens and REST: a clear Chinese word, the right status, and nothing changed.

The demonstration's people try on the demonstration's records; what a case needs beyond them is set up behind the doors.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalInstance, ApprovalTask, TaskState
from models.customer.customer import CorporateCustomer, Customer
from models.guarantee.project import Project, ProjectState, Stage
from models.ledger.account import Account, AccountingPeriod
from models.ledger.voucher import Voucher, VoucherState
from models.registry import metadata
from models.system.organization import Operator
from models.system.setup import SystemState
from tests.product import Product
from workflows.ledger.entries import AUXILIARIES
from workflows.verify import CHECKS

GOOD_USCC = "91320100MA1ABCDE3M"
DATA = Path(__file__).parents[1] / "data"
MESSAGE = re.compile(r"(?:error-block|alert)[^>]*>(.*?)</(?:span|div)>", re.DOTALL)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass
class Answer:
    """What came back through a door."""

    status: int
    text: str

    def says(self, status: int, *words: str) -> None:
        """The status and every one of these words."""
        said = MESSAGE.findall(self.text) or [self.text[-2000:]]
        assert self.status == status, said
        missing = [word for word in words if word not in self.text]
        assert not missing, (missing, said)
        assert CHINESE.search(self.text)


class Doors:
    """Both doors for one person at a time, and the proof that nothing came in."""

    def __init__(self, product: Product) -> None:
        """`product` is the application over the demonstration."""
        self.product = product

    def form(self, who: str, path: str, **fields: Any) -> Answer:
        """Send a form as the browser does."""
        answer = self.product.post(self.product.client_of(who), path, **fields)
        return Answer(answer.status_code, unescape(answer.get_data(as_text=True)))

    def rest(self, who: str, method: str, path: str, **values: Any) -> Answer:
        """Call REST with the browser's session and its token."""
        client = self.product.client_of(who)
        headers = {"X-CSRFToken": self.product.token(client), "Accept": "application/json"}
        answer = client.open(f"/api/v1/{path}", method=method, json=values or None, headers=headers)
        message = answer.get_json() if answer.is_json else {}
        return Answer(answer.status_code, str(message) or answer.get_data(as_text=True))

    @contextmanager
    def unchanged(self, *people: str) -> Iterator[None]:
        """Nothing in any table, and no file, is added, taken or saved again."""
        for who in people or ("zhoumin",):  # signing in leaves a trace of its own
            self.product.client_of(who)
        before = self._picture()
        yield
        assert self._picture() == before

    def _picture(self) -> dict[str, Any]:
        with self.product.session() as session:
            found: dict[str, Any] = {}
            for table in metadata.sorted_tables:
                columns = [func.count()]
                columns += [func.sum(table.c[name]) for name in ("version",) if name in table.c]
                columns += [func.max(table.c[name]) for name in ("updated_at",) if name in table.c]
                found[table.name] = tuple(
                    session.execute(select(*columns).select_from(table)).one()
                )
        files = self.product.app.config["SETTINGS"].data_dir.rglob("attachments/**/*")
        return {**found, "files": sorted(str(file) for file in files)}

    @contextmanager
    def behind(self) -> Iterator[Session]:
        """Set something up behind the doors."""
        with self.product.session() as session:
            yield session
            session.commit()


@pytest.fixture
def doors(demo: Product) -> Doors:
    """The doors of this module's demonstration."""
    return Doors(demo)


def login_of(session: Session, employee_id: int | None) -> str:
    """The sign-in name of an employee."""
    return session.scalars(
        select(Operator.username).where(Operator.employee_id == employee_id)
    ).one()


def project_at(
    session: Session, stage: Stage, state: ProjectState = ProjectState.RUNNING
) -> tuple[Project, str]:
    """A project standing at a stage, and the sign-in name of its A角."""
    query = (
        select(Project).where(Project.stage == stage, Project.state == state).order_by(Project.id)
    )
    found = session.scalars(query).first()
    assert found is not None, stage
    return found, login_of(session, found.manager_id)


@pytest.fixture
def application(doors: Doors) -> tuple[str, dict[str, Any]]:
    """What somebody would type for a good application, and who."""
    with doors.product.session() as session:
        model, who = project_at(session, Stage.IN_FORCE, ProjectState.IN_FORCE)
        values = {
            name: getattr(model, name)
            for name in (
                "customer_id",
                "product_id",
                "bank_id",
                "term_months",
                "purpose",
                "assistant_id",
            )
        }
        values |= {
            "amount": str(model.amount),
            "rate_annual_pct": "4.35",
            "repayment_method": model.repayment_method.name,
            "fee_rate_pct": "1.5",
            "bank_share_pct": "20",
            "counter_offer": "厂房抵押",
            "small_kind": model.small_kind.name,
            "issuer_grade": model.issuer_grade.name,
        }
    return who, values


def both(
    doors: Doors, who: str, table: str, values: dict[str, Any], status: int, *words: str
) -> None:
    """Adding is refused at the screen, which keeps what was typed, and at REST."""
    with doors.unchanged(who):
        shown = doors.form(who, f"/{table}/add", **values)
        shown.says(status, *words)
        for typed in (str(v) for v in values.values()):
            assert typed in shown.text
        doors.rest(who, "POST", f"{table}/", **values).says(status, *words)


# ---------------------------------------------------------------------------------------------------- numbers and dates
def test_a_wrong_check_digit_is_named_at_its_field(doors):
    both(
        doors,
        "zhoumin",
        "corporate_customer",
        {"name": "校验有限公司", "uscc": GOOD_USCC[:-1] + "0"},
        400,
        "统一社会信用代码校验码不符",
    )
    both(
        doors,
        "zhoumin",
        "personal_customer",
        {"name": "校验", "id_type": "ID_CARD", "id_number": "320102199001011234"},
        400,
        "校验码",
    )


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "须大于 0"),
        ("-1", "金额不能为负数"),
        ("99999999.99", "的担保金额应在"),
        ("9999999999999", "金额超过上限"),
        ("一百万", "金额"),
    ],
)
def test_an_amount_that_no_product_takes(doors, application, amount, words):
    who, values = application
    both(doors, who, "project", {**values, "amount": amount}, 400, words)


def test_a_contract_that_ends_before_it_starts(doors):
    with doors.product.session() as session:
        project, who = project_at(session, Stage.CONTRACT)
        today = session.get_one(SystemState, 1).business_date
    values = {
        "project_id": project.id,
        "kind": "ENTRUSTMENT",
        "counterparty": "某某公司",
        "amount": str(project.amount),
        "signed_on": today.isoformat(),
        "starts_on": today.isoformat(),
        "ends_on": (today - timedelta(days=1)).isoformat(),
    }
    both(doors, who, "contract", values, 400, "到期日期")


# ---------------------------------------------------------------------------------------------------- repayment plans
def loan_form(doors: Doors) -> tuple[Project, str, dict[str, Any]]:
    """What somebody would type at 放款确认, without a plan."""
    with doors.product.session() as session:
        project, who = project_at(session, Stage.CONFIRM)
        today = session.get_one(SystemState, 1).business_date
    return (
        project,
        who,
        {
            "version": project.version,
            "bank_note_no": "JJ-1",
            "drawn_on": today.isoformat(),
            "due_on": (today + timedelta(days=365)).isoformat(),
            "amount": str(project.amount),
            "rate_annual_pct": "4.35",
            "repayment_method": "EQUAL_INSTALMENT",
            "day_count": "THIRTY_360",
        },
    )


def plan(*rows: tuple[Any, ...]) -> bytes:
    """A bank's plan file."""
    book = openpyxl.Workbook()
    book.active.append(["期数", "应还日期", "应还本金", "应还利息"])
    for row in rows:
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(1, "2027-01-15", "1000.00", "10.00")], ("本金合计",)),
        (
            [(1, "2027-01-15", "1000.00", "10.00"), (2, "下个月", "1000.00", "10.00")],
            ("第 3 行", "下个月"),
        ),
        ([(1, "2027-01-15", "一千", "10.00")], ("第 2 行", "一千")),
    ],
)
def test_a_plan_that_does_not_fit_its_loan_names_the_row(doors, rows, words):
    project, who, values = loan_form(doors)
    with doors.unchanged(who):
        answer = doors.form(
            who,
            f"/do/project/{project.id}/confirm",
            **values,
            plan=(io.BytesIO(plan(*rows)), "计划.xlsx"),
        )
        answer.says(400, *words)
        assert "JJ-1" in answer.text, "what was typed is kept"


def test_a_loan_that_is_due_before_it_is_paid_out(doors):
    project, who, values = loan_form(doors)
    with doors.unchanged(who):
        doors.form(
            who, f"/do/project/{project.id}/confirm", **{**values, "due_on": "2020-01-01"}
        ).says(400, "到期")


# ------------------------------------------------------------------------------------------------------- out of order
def test_a_step_out_of_order_by_address_and_by_rest(doors):
    with doors.product.session() as session:
        project, who = project_at(session, Stage.EVALUATE)
    with doors.unchanged(who):
        for verb in (
            "issue_intent",
            "submit_review",
            "issue_confirmation",
            "submit_fees",
            "issue_notice",
        ):
            answer = doors.form(who, f"/do/project/{project.id}/{verb}", version=project.version)
            answer.says(409, "受理评估")
        rest = doors.rest(
            who, "PUT", f"project/{project.id}", version=project.version, stage="IN_FORCE"
        )
        assert rest.status in (400, 409)
        rest = doors.rest(
            who, "PUT", f"project/{project.id}", version=project.version, state="IN_FORCE"
        )
        assert rest.status in (400, 409)
        assert doors.rest(who, "POST", "drawdown/", project_id=project.id, amount="1").status in (
            404,
            405,
        )


def test_nobody_decides_what_they_submitted_themselves(doors):
    with doors.behind() as session:
        task = session.scalars(
            select(ApprovalTask).where(ApprovalTask.state == TaskState.PENDING)
        ).first()
        instance = session.get_one(ApprovalInstance, task.instance_id)
        applicant = login_of(session, instance.applicant_id)
        values = {"decision": "APPROVE", "opinion": "同意", "version": task.version}
    with doors.unchanged(applicant):
        answer = doors.form(applicant, f"/approvals/{task.id}/decide", **values)
        assert answer.status in (403, 404)
    with doors.behind() as session:  # even where the flow has come to ask the applicant
        session.execute(
            update(ApprovalTask)
            .where(ApprovalTask.id == task.id)
            .values(assignee_id=instance.applicant_id)
        )
    with doors.unchanged(applicant):
        doors.form(applicant, f"/approvals/{task.id}/decide", **values).says(
            403, "不能审批自己提交的业务"
        )
    with doors.behind() as session:
        session.execute(
            update(ApprovalTask)
            .where(ApprovalTask.id == task.id)
            .values(assignee_id=task.assignee_id)
        )


def test_who_prepared_a_voucher_does_not_review_it(doors):
    assert (
        doors.form("wujie", "/voucher/add", **voucher_form(doors, "100.00", "100.00")).status == 302
    )
    with doors.behind() as session:
        draft = session.scalars(select(Voucher).where(Voucher.state == VoucherState.DRAFT)).first()
        me = session.scalars(
            select(Operator.employee_id).where(Operator.username == "shihui")
        ).one()
        before = draft.prepared_by_id
        session.execute(update(Voucher).where(Voucher.id == draft.id).values(prepared_by_id=me))
    with doors.unchanged("shihui"):
        answer = doors.form("shihui", f"/do/voucher/{draft.id}/review", version=draft.version)
        assert answer.status in (403, 409)
        assert "制单" in answer.text
    with doors.behind() as session:
        session.execute(update(Voucher).where(Voucher.id == draft.id).values(prepared_by_id=before))


def test_a_second_click_changes_nothing(doors):
    with doors.product.session() as session:
        task = session.scalars(
            select(ApprovalTask)
            .where(ApprovalTask.state == TaskState.PENDING)
            .order_by(ApprovalTask.id.desc())
        ).first()
        who = login_of(session, task.assignee_id)
    values = {"decision": "APPROVE", "opinion": "同意，按制度办理", "version": task.version}
    assert doors.form(who, f"/approvals/{task.id}/decide", **values).status == 302
    with doors.unchanged(who):
        doors.form(who, f"/approvals/{task.id}/decide", **values).says(409, "已")


# ------------------------------------------------------------------------------------------------------------ editing
def test_a_submitted_application_is_not_edited(doors, application):
    _, values = application
    with doors.product.session() as session:
        project, who = project_at(session, Stage.REVIEW)
    with doors.unchanged(who):
        answer = doors.form(who, f"/project/edit/{project.id}", **values, version=project.version)
        answer.says(409, "不能")
        answer = doors.rest(
            who, "PUT", f"project/{project.id}", version=project.version, term_months=3
        )
        answer.says(409, "不能")


def test_a_stale_edit_shows_what_changed_and_saves_nothing(doors):
    with doors.product.session() as session:
        customer = session.scalars(select(CorporateCustomer).order_by(CorporateCustomer.id)).first()
        who, version = login_of(session, customer.manager_id), customer.version
    path = f"corporate_customer/{customer.id}"
    assert doors.rest(who, "PUT", path, version=version, short_name="先到的").status == 200
    with doors.unchanged(who):
        late = doors.form(
            who,
            f"/corporate_customer/edit/{customer.id}",
            **form_of(doors, customer.id),
            version=version,
            short_name="后到的",
        )
        late.says(409, "先到的", "后到的")
        doors.rest(who, "PUT", path, version=version, short_name="后到的").says(409, "修改")
        doors.rest(who, "PUT", path, short_name="没有版本").says(400, "版本")


def form_of(doors: Doors, customer_id: int) -> dict[str, str]:
    """The required fields of a customer as its form has them."""
    with doors.product.session() as session:
        found = session.get_one(CorporateCustomer, customer_id)
        return {"name": found.name, "uscc": found.uscc}


def test_a_customer_with_projects_is_not_deleted(doors):
    with doors.product.session() as session:
        project, who = project_at(session, Stage.IN_FORCE, ProjectState.IN_FORCE)
        customer = session.get_one(Customer, project.customer_id)
        table, version = customer.__tablename__, customer.version
    with doors.unchanged(who):
        doors.form(who, f"/{table}/delete/{customer.id}", version=version).says(409, "担保项目")
        doors.rest(who, "DELETE", f"{table}/{customer.id}?version={version}").says(409, "担保项目")


def test_a_blacklisted_customer_gets_no_guarantee(doors, application):
    who, values = application
    flag = update(Customer).where(Customer.id == values["customer_id"])
    with doors.behind() as session:
        session.execute(flag.values(is_blacklisted=True))
    try:
        both(doors, who, "project", values, 400, "在黑名单中，不能申请担保")
    finally:
        with doors.behind() as session:
            session.execute(flag.values(is_blacklisted=False))


# ----------------------------------------------------------------------------------------------------------- vouchers
def voucher_form(doors: Doors, debit: str, credit: str) -> dict[str, Any]:
    """A voucher of two lines."""
    with doors.product.session() as session:
        plain = [~getattr(Account, flag) for _, flag, _ in AUXILIARIES.values()]
        query = select(Account.id).where(Account.is_leaf, ~Account.code.startswith("100"), *plain)
        accounts = list(session.scalars(query.order_by(Account.code)))[:2]
        today = session.get_one(SystemState, 1).business_date
        word = (
            session.execute(text("SELECT code FROM voucher_word ORDER BY rank")).scalars().first()
        )
    return {
        "word": word,
        "date": today.isoformat(),
        "memo": "办公用品",
        "attachments": "1",
        "line_account_id": [str(a) for a in accounts],
        "line_memo": ["办公用品"] * 2,
        "line_debit": [debit, ""],
        "line_credit": ["", credit],
        **{f"line_{name}": ["", ""] for name in (*AUXILIARIES, "cash_flow")},
    }


def test_an_unbalanced_voucher(doors):
    with doors.unchanged("wujie"):
        doors.form("wujie", "/voucher/add", **voucher_form(doors, "100.00", "99.99")).says(
            400, "借贷不平"
        )
        assert doors.rest("wujie", "POST", "voucher/", memo="办公用品").status in (404, 405)


def test_a_voucher_into_a_closed_period(doors):
    values = voucher_form(doors, "100.00", "100.00")
    with doors.behind() as session:
        period = session.scalars(select(AccountingPeriod).order_by(AccountingPeriod.id)).first()
        closer = session.scalars(
            select(Operator.employee_id).where(Operator.username == "tangxia")
        ).one()
        table = update(AccountingPeriod).where(AccountingPeriod.id == period.id)
        before = {name: getattr(period, name) for name in ("state", "closed_at", "closed_by_id")}
        session.execute(
            table.values(state="CLOSED", closed_at=datetime.now(UTC), closed_by_id=closer)
        )
    with doors.unchanged("wujie"):
        answer = doors.form(
            "wujie", "/voucher/add", **{**values, "date": period.starts_on.isoformat()}
        )
        answer.says(409, "已结账", "办公用品")
    with doors.behind() as session:
        session.execute(table.values(before))


# -------------------------------------------------------------------------------------------------------------- files
def bomb() -> bytes:
    """A workbook of some kilobytes that unpacks into a gigabyte."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/workbook.xml", "w", force_zip64=True) as part:
            for _ in range(256):
                part.write(bytes(1024 * 1024))
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "make", "word"),
    [
        ("空.pdf", lambda: b"", "是空的"),
        ("程序.exe", lambda: b"MZ" + bytes(64), "不支持"),
        ("伪装.pdf", lambda: b"MZ" + bytes(64), "不符"),
        ("炸弹.xlsx", bomb, "压缩炸弹"),
    ],
)
def test_a_file_that_is_none(doors: Doors, name: str, make: Callable[[], bytes], word: str):
    with doors.product.session() as session:
        project, who = project_at(session, Stage.EVALUATE)
    data = make()
    path = f"/attachment/upload/project/{project.id}"
    with doors.unchanged(who):
        doors.form(who, path, category="LICENCE", file=(io.BytesIO(data), name)).says(400, word)
        client = doors.product.client_of(who)
        answer = client.post(
            path,
            data={"category": "LICENCE", "file": (io.BytesIO(data), name)},
            headers={"Accept": "application/json", "X-CSRFToken": doors.product.token(client)},
        )
        assert answer.status_code == 400
        assert word in answer.get_json()["message"]


def test_a_plan_file_that_is_none(doors):
    project, who, values = loan_form(doors)
    for name, data in (("计划.xlsx", b"not a workbook"), ("计划.xlsx", b""), ("计划.xlsx", bomb())):
        with doors.unchanged(who):
            answer = doors.form(
                who, f"/do/project/{project.id}/confirm", **values, plan=(io.BytesIO(data), name)
            )
            answer.says(400, "文件")


def test_after_all_of_it_the_books_still_agree(doors):
    assert doors.product.crashes == []
    with doors.product.session() as session:
        problems = {check.label: check.run(session) for check in CHECKS}
    assert not {label: found for label, found in problems.items() if found}
