"""The page and the inbox cannot disagree: whoever the page names has it in 待办 with a button, and the reverse."""

import re
from collections import defaultdict
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from app.security import actor_of_username
from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.entity import entity_of
from models.guarantee.appraisal import PaperState, RiskAssessment
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.signing import Fee, Receipt, ReceiptState
from models.ledger.voucher import BusinessEvent, EventState, Voucher
from models.system.organization import Operator
from models.system.setup import SystemState
from reports.figures.rights import Person
from reports.workbench.todo import steps_of, todos, waiting
from reports.workbench.todo_source import TodoKind
from views.kit.waits import who

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGES = (Project, Fee, BusinessEvent, Voucher)


@pytest.fixture(scope="module")
def inboxes(demo_app):
    """(kind, table, id) -> sign-in names of those in whose inbox it stands; approvals apart."""
    found = defaultdict(set)
    with demo_app.session() as session:
        today = session.get_one(SystemState, 1).business_date
        for username in session.scalars(
            select(Operator.username).where(Operator.is_disabled.is_(False))
        ):
            actor = actor_of_username(session, username)
            known = waiting(session, actor, NOW, today)
            for one in todos(session, actor, known, 100_000):
                if one.kind is not TodoKind.TASK:
                    found[one.kind, one.table, one.record_id].add(username)
    return found


def _named(session, step):
    ids = [one.actor.employee_id for one in step.people]
    return set(session.scalars(select(Operator.username).where(Operator.employee_id.in_(ids))))


def test_whoever_has_it_in_the_inbox_is_named_on_its_page(demo_app, inboxes):
    assert {kind for kind, *_ in inboxes} >= {
        TodoKind.NEXT,
        TodoKind.BOOK,
        TodoKind.REVIEW,
        TodoKind.COLLECT,
    }
    with demo_app.session() as session:
        today = session.get_one(SystemState, 1).business_date
        wrong = []
        for (kind, table, pk), names in inboxes.items():
            steps = steps_of(session, session.get_one(entity_of(table), pk), today)
            named = [
                _named(session, s)
                for s in steps
                if (s.kind, s.table, s.record_id) == (kind, table, pk)
            ]
            if named != [names]:
                wrong.append((kind, table, pk, names, named))
        assert wrong == []


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__tablename__)
def test_whoever_the_page_names_has_it_in_the_inbox(demo_app, inboxes, model):
    with demo_app.session() as session:
        today = session.get_one(SystemState, 1).business_date
        wrong = []
        for record in session.scalars(select(model)):
            for step in steps_of(session, record, today):
                names = _named(session, step)
                if names != inboxes.get((step.kind, step.table, step.record_id), set()):
                    wrong.append((str(record), step.kind, names))
        assert wrong == []


def test_who_has_it_finds_the_button_on_the_page(demo, inboxes):
    """One of each kind, by everybody in whose inbox it stands."""
    seen = set()
    for (kind, table, pk), names in inboxes.items():
        if kind in seen:
            continue
        seen.add(kind)
        for username in sorted(names)[:3]:
            page = demo.client_of(username).get(f"/{table}/show/{pk}").text
            assert 'class="mine"' in page, (kind, username)
            # the step, or the words of what comes first: photographs, rows to correct; votes have a page of their own
            is_told = any(
                mark in page for mark in ("btn-primary", 'data-why="', '<span class="off"')
            )
            assert is_told or kind is TodoKind.ANNOUNCE, (kind, username)


def test_a_project_on_its_way_always_names_somebody(demo_app):
    with demo_app.session() as session:
        today = session.get_one(SystemState, 1).business_date
        running = select(ApprovalInstance.project_id).where(
            ApprovalInstance.state == ApprovalState.RUNNING,
            ApprovalInstance.project_id.is_not(None),
        )
        on_the_way = Project.state.in_((ProjectState.DRAFT, ProjectState.RUNNING))
        query = select(Project).where(on_the_way, Project.id.not_in(running))
        for project in session.scalars(query):
            assert any(step.people for step in steps_of(session, project, today)), project


def test_each_role_is_said_once():
    """In the order of its first person, however people of several roles are mixed."""
    people = (("财务主管", "唐霞"), ("会计", "吴洁"), ("财务主管", "石慧"))
    people = tuple(Person(SimpleNamespace(name=name), role) for role, name in people)
    assert who(people) == "财务主管 唐霞、石慧、会计 吴洁"
    assert who(()) == "没有人有这项权限"


def test_what_waits_for_the_accountant_names_who_sent_it_and_is_booked_together(demo):
    page = demo.client_of("wujie").get("/approvals/").text
    count = len(re.findall(r">复核记账</a>", page))
    assert count > 1, "the demo has several events that wait"
    assert re.search(rf'href="/review/"[^>]*>复核记账 {count} 笔</a>', page)
    assert "罗娜" in page


def test_a_loan_that_was_paid_out_adds_nothing_to_the_limits(demo):
    """An approval about a project on its way shows the company's limits with it, one about a loan in force does not."""
    with demo.session() as session:
        one = session.scalars(
            select(ApprovalInstance)
            .join(Project, Project.id == ApprovalInstance.project_id)
            .where(
                ApprovalInstance.state == ApprovalState.RUNNING,
                Project.state == ProjectState.RUNNING,
            )
        ).first()
        assert one is not None, "the demo has approvals that run"
        url, project = f"/approvals/instance/{one.id}", one.project_id
    assert "系统检查" in demo.client_of("heping").get(url).text
    with demo.session() as session:
        repaid = {"state": ProjectState.IN_FORCE, "stage": Stage.IN_FORCE, "balance": 0}
        repaid |= {"start_on": date(2026, 1, 5), "end_on": date(2026, 7, 5)}
        session.execute(update(Project).where(Project.id == project).values(repaid))
        session.commit()
    assert "系统检查" not in demo.client_of("heping").get(url).text


def test_collected_fees_wait_for_the_accountant_and_are_not_offered_again(demo):
    with demo.session() as session:
        receipt = session.scalars(
            select(Receipt).where(Receipt.state == ReceiptState.SUBMITTED)
        ).first()
        assert receipt is not None, "the demo has money on its way"
        event = session.scalars(
            select(BusinessEvent).where(
                BusinessEvent.record_table == "receipt",
                BusinessEvent.record_id == receipt.id,
                BusinessEvent.state == EventState.PENDING,
            )
        ).one()
        number, fee_id, is_all = (
            event.number,
            receipt.fee_id,
            receipt.fee.open_amount == receipt.amount,
        )
    luona = demo.client_of("luona")
    page = luona.get(f"/fee/show/{fee_id}").text
    assert f"复核记账 {number}" in page
    assert ("/collect" in page) is not is_all
    assert is_all, "the demo has a fee of which all is on its way"
    assert f'"/fee/show/{fee_id}"' not in luona.get("/approvals/").text


def test_what_was_issued_is_a_link_in_the_message(demo):
    """出具担保意向函: the notice leads to its PDF; the project's page can be printed."""
    with demo.session() as session:
        query = select(Project).where(Project.stage == Stage.INTENT)
        project = session.scalars(query.where(Project.state == ProjectState.RUNNING)).first()
        assert project is not None, "the demo has a project before its letter of intent"
        owner = select(Operator.username).where(Operator.employee_id == project.manager_id)
        key, version, username = project.id, project.version, session.scalar(owner)
    client = demo.client_of(username)
    answer = demo.post(client, f"/do/project/{key}/issue_intent", version=version)
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).text
    notice = re.search(r"data-toast>(.*?)</div>", page).group(1)
    assert "已出具担保意向函" in notice
    url = re.search(r'<a href="(/issued_document/\d+/pdf)"[^>]*>打开', notice).group(1)
    assert client.get(url).mimetype == "application/pdf"
    assert 'href="#print"' in page


def test_a_report_that_is_begun_is_gone_on_with(demo):
    """The task leads to the project, whose first button then says that the draft is to be finished."""
    with demo.session() as session:
        query = select(RiskAssessment).where(RiskAssessment.state == PaperState.DRAFT)
        paper = session.scalars(query.order_by(RiskAssessment.id.desc())).first()
        assert paper is not None, "the demo has a report that is begun"
        project, key, author = paper.project_id, paper.id, paper.created_by_id
        username = session.scalar(select(Operator.username).where(Operator.employee_id == author))
    page = demo.client_of(username).get(f"/project/show/{project}").text
    assert re.search(rf'href="/risk_assessment/show/{key}"[^>]*>\s*继续填写风险评估报告', page)
