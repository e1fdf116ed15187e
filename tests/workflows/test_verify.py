"""`flask verify`: what is kept equals what it was kept from; a row touched behind the product's back is named."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalInstance, ApprovalTask
from models.base.actor import SYSTEM
from models.base.entity import entity_of
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Project, Stage
from models.guarantee.signing import Fee
from tests.workflows.guarantee.factories import Line, prepare
from workflows import verify
from workflows.base.context import Ctx
from workflows.ledger.guards import install_guards
from workflows.system.proofs import take_in_all

STAGES = (Stage.CONTRACT, Stage.IN_FORCE)
CHECKS = {check.label: check for check in verify.CHECKS}


@pytest.fixture(scope="module")
def standing(engine):
    with engine.begin() as connection:
        install_guards(connection)
    standing = prepare(engine, STAGES)
    with Session(engine) as session:
        take_in_all(Ctx(session, SYSTEM, date(2026, 3, 2), datetime(2026, 3, 2, tzinfo=UTC)))
        session.commit()
    return standing


@pytest.fixture
def line(standing, session):
    return Line(session, standing=standing)


def tamper(line, statement, **values):
    assert line.session.execute(text(statement), values).rowcount >= 1
    line.session.expire_all()


def findings(line, left_out="操作日志链与受保护的记录"):
    """What each recomputation says, those that find nothing left out; test_tampering.py is about what trails prove."""
    found = {
        check.label: check.run(line.session) for check in verify.CHECKS if check.label != left_out
    }
    return {name: messages for name, messages in found.items() if messages}


def loan(line):
    return line.session.scalars(select(Drawdown)).one()


def test_a_company_at_work_stands_every_check(line):
    assert len(CHECKS) == len(verify.CHECKS)
    assert findings(line, left_out="") == {}


def test_a_balance_of_a_project_that_its_loans_do_not_bear_out(line):
    project = line.at(Stage.IN_FORCE)
    tamper(line, "UPDATE project SET balance = 0 WHERE id = :id", id=project.id)
    assert findings(line)["在保余额与决议占用"] == [
        f"项目 {project.number} 在保余额 0.00 与借据余额 5,000,000.00 不符"
    ]


@pytest.mark.parametrize("place", STAGES)
def test_a_reservation_that_no_valid_resolution_bears_out(line, place):
    project = line.at(place)
    tamper(
        line,
        "UPDATE project SET reserved_amount = reserved_amount + 1 WHERE id = :id",
        id=project.id,
    )
    (message,) = findings(line)["在保余额与决议占用"]
    assert message.startswith(f"项目 {project.number} 决议占用额")


def test_a_resolution_that_was_made_invalid_leaves_its_reservation_unborne(line):
    project = line.at(Stage.CONTRACT)
    tamper(line, "UPDATE resolution SET state = 'EXPIRED' WHERE project_id = :id", id=project.id)
    assert set(findings(line)) == {"在保余额与决议占用"}


def test_the_first_of_several_wrong_rows_is_named(line):
    first = min((line.at(stage) for stage in STAGES), key=lambda project: project.id)
    tamper(line, "UPDATE project SET reserved_amount = reserved_amount + 1")
    (message,) = findings(line)["在保余额与决议占用"]
    assert first.number in message


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE drawdown SET balance = balance - 1",
        "UPDATE drawdown SET amount = amount + 1",
        "UPDATE instalment SET principal = principal + 1 WHERE seq = 1",
        "UPDATE instalment SET principal_paid = 1 WHERE seq = 1",
    ],
)
def test_a_plan_that_does_not_add_up_to_its_loan(line, statement):
    tamper(line, statement)
    assert findings(line)["借据与还款计划"] == [
        f"借据 {loan(line).number} 的还款计划本金与放款金额或余额不符"
    ]


@pytest.mark.parametrize("column", ["principal", "interest"])
def test_an_instalment_marked_as_paid_that_nobody_registered(line, column):
    tamper(line, f"UPDATE instalment SET {column}_paid = 1 WHERE seq = 1")
    assert findings(line)["还款登记与还款计划"] == [
        f"借据 {loan(line).number} 还款计划的已还本息与还款登记不符"
    ]


def test_a_plan_of_the_past_counts_no_more(line):
    """What an earlier plan said is history: only the current one must add up."""
    tamper(line, "UPDATE repayment_plan SET is_current = :no", no=False)
    tamper(line, "UPDATE instalment SET principal = principal + 1 WHERE seq = 1")
    assert findings(line) == {}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE fee_due SET amount = amount + 1 WHERE fee_id = :id AND seq = 1",
            "应收计划与金额不符",
        ),
        ("UPDATE fee SET amount = amount + 1 WHERE id = :id", "应收计划与金额不符"),
        (
            "UPDATE fee SET collected_amount = collected_amount - 1 WHERE id = :id",
            "已收金额与收据不符",
        ),
        ("UPDATE receipt SET amount = amount + 1 WHERE fee_id = :id", "已收金额与收据不符"),
    ],
)
def test_a_fee_that_its_plan_or_its_receipts_do_not_bear_out(line, statement, message):
    paid = select(Fee).where(Fee.collected_amount > 0, Fee.project_id == line.at(Stage.IN_FORCE).id)
    fee = line.session.scalars(paid.order_by(Fee.id)).first()
    tamper(line, statement, id=fee.id)
    (found,) = findings(line)["费用、应收计划与收款"]
    assert found == f"费用 {fee.id}（{fee.kind.label}）的{message}"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE project SET stage = 'RISK' WHERE id = :id",
        "UPDATE project_stage SET left_on = entered_on WHERE project_id = :id AND left_on IS NULL",
        "UPDATE project_stage SET left_on = NULL WHERE project_id = :id",
    ],
)
def test_a_project_that_stands_elsewhere_than_its_stages_say(line, statement):
    project = line.at(Stage.CONTRACT)
    tamper(line, statement, id=project.id)
    assert findings(line)["项目阶段"] == [f"项目 {project.number} 的阶段记录与当前阶段不符"]


def test_a_project_that_has_ended_has_no_open_stage(line):
    project = line.session.get_one(Project, line.at(Stage.CONTRACT).id)
    tamper(line, "UPDATE project SET state = 'CANCELLED' WHERE id = :id", id=project.id)
    assert "项目阶段" in findings(line)


def test_an_approval_whose_record_is_gone(line):
    first = line.session.scalars(select(ApprovalInstance).order_by(ApprovalInstance.id)).first()
    tamper(line, "UPDATE approval_instance SET record_id = 0 WHERE id = :id", id=first.id)
    label = entity_of(first.table_name).spec.label
    assert findings(line)["审批单与业务记录"] == [
        f"审批单“{first.title}”的{label}已不存在，请由系统管理员结束该审批"
    ]


def test_an_approval_that_has_ended_and_still_asks_somebody(line):
    task = line.session.scalars(select(ApprovalTask).order_by(ApprovalTask.id)).first()
    undecided = "state = 'PENDING', decided_at = NULL, decided_by_id = NULL, opinion = NULL"
    tamper(line, f"UPDATE approval_task SET {undecided} WHERE id = :id", id=task.id)
    assert findings(line)["审批单与业务记录"] == [
        f"审批单“{task.instance.title}”已办结，仍有待办的审批任务"
    ]
