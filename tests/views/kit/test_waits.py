"""The page and the inbox cannot disagree: whoever the page names has it in 待办 with a button, and the reverse."""

from collections import defaultdict
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.security import actor_of_username
from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.entity import entity_of
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import Fee, Receipt, ReceiptState
from models.ledger.voucher import BusinessEvent, EventState, Voucher
from models.system.organization import Operator
from models.system.setup import SystemState
from reports.workbench.todo import steps_of, todos, waiting
from reports.workbench.todo_sources import TodoKind

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
            assert "btn-primary" in page or kind is TodoKind.ANNOUNCE, (kind, username)


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
    page = demo.client_of("luona").get(f"/fee/show/{fee_id}").text
    assert f"复核记账 {number}" in page
    assert ("/collect" in page) is not is_all
