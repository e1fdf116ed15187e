"""5 业务查询: each figure is that of the rows behind it, and of the reader's own projects alone."""

import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.security import actor_of_username
from models.approval.approval import ApprovalNode, ApprovalTask, ApprovalType, TaskState
from models.base.actor import SYSTEM
from models.base.money import round_to
from models.guarantee.drawdown import Drawdown, DrawdownState, Instalment, RepaymentPlan
from models.guarantee.project import UNDER_WAY, Project, ProjectStage, ProjectState, Stage
from models.guarantee.signing import Contract
from models.system.organization import Employee
from models.system.setup import SystemState
from reports.base.asked import Asked
from reports.base.report import REPORTS
from reports.figures import business_ledger
from reports.figures.spreads import spreads
from reports.guarantee.contracts import ContractStanding
from reports.guarantee.falling_due import Due


class Reader:
    """Somebody asks reports, as the screen would with what was chosen."""

    def __init__(self, session, username=""):
        self.session = session
        self.actor = actor_of_username(session, username) if username else SYSTEM
        self.today = session.get_one(SystemState, 1).business_date

    def ask(self, code, **chosen):
        report = REPORTS[code]
        asked = Asked(self.session, self.actor, self.today, limit=report.page_size)
        for name, param in report.params.items():
            asked.values[name] = chosen.get(name, param.default(asked))
        return report.lines(asked)


@pytest.fixture(scope="module")
def books(demo):
    with demo.session() as session:
        yield session


@pytest.fixture(scope="module")
def chief(books):
    return Reader(books)


def test_projects_are_found_by_stage_state_customer_manager_day_and_amount(books, chief):
    every = list(books.scalars(select(Project)))
    one = next(p for p in every if p.stage is Stage.IN_FORCE and p.amount >= 1_000_000)
    ways = {
        "stage": (one.stage, lambda p: p.stage is one.stage),
        "state": (one.state, lambda p: p.state is one.state),
        "customer": (one.customer, lambda p: p.customer_id == one.customer_id),
        "product": (one.product, lambda p: p.product_id == one.product_id),
        "bank": (one.bank, lambda p: p.bank_id == one.bank_id),
        "manager": (one.manager, lambda p: p.manager_id == one.manager_id),
        "department": (one.department, lambda p: p.department_id == one.department_id),
        "applied_from": (one.applied_on, lambda p: p.applied_on and p.applied_on >= one.applied_on),
        "applied_to": (one.applied_on, lambda p: p.applied_on and p.applied_on <= one.applied_on),
        "least": (200, lambda p: p.amount >= 2_000_000),
        "most": (200, lambda p: p.amount <= 2_000_000),
    }
    for name, (value, holds) in {"": (None, lambda _: True), **ways}.items():
        found = chief.ask("guarantee-handling", **({name: value} if name else {}))
        expected = [p for p in every if holds(p)]
        assert expected
        assert found.count == len(expected), name
        assert found.totals["amount"] == sum(p.amount for p in expected), name
        assert found.totals["balance"] == sum(p.balance for p in expected), name


def test_a_project_tells_when_it_came_to_each_milestone(books, chief):
    project = books.scalars(select(Project).where(Project.state == ProjectState.IN_FORCE)).first()
    found = chief.ask("guarantee-handling", customer=project.customer)
    values = next(one.values for one in found.lines if one.values["number"] == project.number)
    for stage in (Stage.REVIEW, Stage.CONTRACT, Stage.IN_FORCE):
        entered = select(func.min(ProjectStage.entered_on)).where(
            ProjectStage.project_id == project.id, ProjectStage.stage == stage
        )
        assert values[stage.name] == books.scalar(entered), stage
    assert values["days"] is None, "what a loan runs is no waiting"


def test_a_manager_finds_own_projects_alone(demo, books):
    reader = Reader(books, "zhoumin")
    whole, own = Reader(books), reader.ask("guarantee-handling")
    assert 0 < own.count < whole.ask("guarantee-handling").count
    numbers = {line.values["number"] for line in own.lines}
    for code, column in (
        ("contract-query", "project"),
        ("drawdown-query", "project"),
        ("time-spent-passes", "project"),
    ):
        seen = {line.values[column] for line in reader.ask(code).lines}
        assert seen, code
        assert seen <= numbers, code
    page = demo.client_of("zhoumin").get("/report/project-board").text
    shown = set(re.findall(r"DB\d{4}-\d+", page.split('class="lanes"')[1].split("</table>")[0]))
    assert shown <= numbers


def test_every_contract_stands_in_one_state(books, chief):
    whole = chief.ask("contract-query")
    assert whole.count == books.scalar(select(func.count(Contract.id)))
    assert whole.totals["amount"] == books.scalar(select(func.sum(Contract.amount)))
    parts = {one: chief.ask("contract-query", standing=one) for one in ContractStanding}
    assert sum(part.count for part in parts.values()) == whole.count
    for one, part in parts.items():
        assert {line.values["standing"] for line in part.lines} <= {one.label}
    running = parts[ContractStanding.RUNNING]
    assert running.count
    assert all(line.values["ends_on"] >= chief.today for line in running.lines)
    kind = books.scalars(select(Contract)).first().kind
    assert {line.values["kind"] for line in chief.ask("contract-query", kind=kind).lines} == {
        kind.label
    }


def test_loans_are_found_by_state_and_day(books, chief):
    every = list(books.scalars(select(Drawdown)))
    for state in DrawdownState:
        found = chief.ask("drawdown-query", state=state)
        mine = [loan for loan in every if loan.state is state]
        assert (found.count, found.totals["balance"]) == (
            len(mine),
            sum((loan.balance for loan in mine), Decimal(0)),
        )
    soon = chief.today + timedelta(days=200)
    found = chief.ask("drawdown-query", due_to=soon, due_from=chief.today)
    assert found.count == sum(chief.today <= loan.due_on <= soon for loan in every)


def test_decisions_say_who_when_and_how_long(books, chief):
    tasks = list(books.scalars(select(ApprovalTask)))
    found = chief.ask("approval-decisions")
    shown = [t for t in tasks if t.state not in (TaskState.CANCELLED, TaskState.WITHDRAWN)]
    assert found.count == len(shown)
    person = next(t.assignee for t in tasks if t.state is TaskState.APPROVED)
    mine = chief.ask("approval-decisions", person=person, state=TaskState.APPROVED)
    assert {line.values["person"] for line in mine.lines} == {person.name}
    assert mine.count == sum(
        t.assignee_id == person.id and t.state is TaskState.APPROVED for t in tasks
    )
    assert not chief.ask("approval-decisions", first=chief.today + timedelta(days=1)).count
    assert not chief.ask(
        "approval-decisions", last=min(t.created_at for t in tasks).date() - timedelta(days=2)
    ).count


_ABOUT = {"node": ApprovalNode, "type": ApprovalType, "person": Employee}


@pytest.mark.parametrize("by", _ABOUT)
def test_how_long_approvals_take_leads_to_each_of_them(books, chief, by):
    found = chief.ask("approval-time", by=by, first=chief.today - timedelta(days=900))
    decided = select(ApprovalTask).where(
        ApprovalTask.decided_by_id.is_not(None), ApprovalTask.is_automatic.is_(False)
    )
    times = defaultdict(list)
    for task in books.scalars(decided):
        key = {
            "node": f"{task.instance.business_type.label} · {task.node.name}",
            "type": task.instance.business_type.label,
            "person": task.assignee.name,
        }[by]
        times[key].append(round((task.decided_at - task.created_at).total_seconds() / 60))
    shown: Counter[str] = Counter()
    for line in found.lines:
        shown[line.values["name"]] += line.values["count"]
    assert shown == {name: len(found) for name, found in times.items()}
    for line in found.lines:
        if by == "person":
            middle = round_to(Decimal(str(median(times[line.values["name"]]))) / 60, 1)
            assert abs(line.values["median"] - middle) <= Decimal("0.1")
        args = dict(parse_qsl(urlsplit(line.url).query))
        asked = {name: date.fromisoformat(args[name]) for name in ("first", "last")}
        asked |= {by: books.get_one(_ABOUT[by], int(args[by])), "timed": args["timed"] == "1"}
        assert chief.ask("approval-decisions", **asked).count == line.values["count"]


@pytest.mark.parametrize("by", ["stage", "done_by", "bank", "product", "manager", "department"])
def test_where_time_goes_is_the_middle_of_the_days(books, chief, by):
    first = chief.today - timedelta(days=900)
    passes = books.execute(
        select(ProjectStage, Project)
        .join(Project, Project.id == ProjectStage.project_id)
        .where(ProjectStage.left_on.between(first, chief.today))
        .where(ProjectStage.stage != Stage.IN_FORCE)
    )
    days = defaultdict(list)
    for one, project in passes:
        record = one if by in {"stage", "done_by"} else project
        days[str(getattr(record, by))].append((one.left_on - one.entered_on).days)
    days.pop("None", None)
    found = chief.ask("time-spent", by=by, first=first)
    assert {line.values["name"]: line.values["count"] for line in found.lines} == {
        name: len(one) for name, one in days.items()
    }
    for line in found.lines:
        mine = days[line.values["name"]]
        assert line.values["median"] == Decimal(str(median(mine))).quantize(Decimal("0.1"))
        assert (line.values["days"], line.values["longest"]) == (sum(mine), max(mine))


def test_a_stage_leads_to_its_passes_which_add_up_to_it(books, chief):
    stage = Stage.REVIEW
    person = books.scalars(
        select(Employee).join(ProjectStage, ProjectStage.done_by_id == Employee.id)
    ).first()
    first = chief.today - timedelta(days=900)
    (line,) = chief.ask("time-spent", by="stage", stage=stage, first=first).lines
    passes = chief.ask("time-spent-passes", stage=stage, first=first)
    assert (passes.count, passes.totals["days"]) == (line.values["count"], line.values["days"])
    narrow = chief.ask("time-spent", by="stage", stage=stage, first=first, done_by=person)
    for one in narrow.lines:
        assert f"done_by={person.id}" in one.url
        assert "stage=REVIEW" in one.url


def test_the_board_counts_what_is_under_way_whatever_its_size(demo, books, chief):
    asked = []
    event.listen(books.get_bind(), "before_cursor_execute", lambda *a: asked.append(a[2]))
    found = chief.ask("project-board")
    assert len(asked) <= 4, "three questions and the parameters, however many projects"
    under_way = list(books.scalars(select(Project).where(Project.state.in_(UNDER_WAY))))
    counted = [line for line in found.lines if line.counts]
    assert sum(line.values["count"] for line in counted) == len(under_way)
    assert sum(line.values["amount"] for line in counted) == sum(p.amount for p in under_way)
    longest = max((chief.today - p.stage_since).days for p in under_way)
    assert max(line.values["longest"] for line in counted) == longest
    client = demo.client_of("heping")
    page = client.get("/report/project-board").text
    lane = page.split('class="lane"')[1]
    url = re.search(r'href="([^"]+)"', lane).group(1).replace("&amp;", "&")
    number = int(re.search(r"(\d+) 个", lane).group(1))
    assert re.search(rf"，共 (?:<a[^>]*>)?{number}\D", client.get(url).text)


def test_what_falls_due_is_what_is_still_owed_and_still_holds(demo, books, chief):
    first, last = chief.today - timedelta(days=30), chief.today + timedelta(days=400)
    found = {due: chief.ask("falling-due", due=due, first=first, last=last) for due in Due}
    current = select(Instalment).join(RepaymentPlan).where(RepaymentPlan.is_current)
    owed = [
        one
        for one in books.scalars(current.where(Instalment.due_on.between(first, last)))
        if one.is_open and one.repayment_plan.drawdown.is_running
    ]
    left = sum(
        one.principal + one.interest - one.principal_paid - one.interest_paid for one in owed
    )
    assert found[Due.INSTALMENT].count == len(owed)
    shown = [line.values["amount"] for line in found[Due.INSTALMENT].lines]
    assert len(shown) < len(owed) or sum(shown) == left
    in_force = books.scalars(select(Project).where(Project.state == ProjectState.IN_FORCE))
    ends = {p.number for p in in_force if first <= p.end_on <= last}
    assert {line.values["project"] for line in found[Due.GUARANTEE].lines} == ends
    assert all(found[due].count for due in Due), "the demonstration shows one of each"
    whole = chief.ask("falling-due", first=first, last=last)
    assert whole.count == sum(part.count for part in found.values())
    days = [line.values["on"] for line in whole.lines]
    assert days == sorted(days)
    mine = Reader(books, "zhoumin").ask("falling-due", first=first, last=last)
    assert 0 < mine.count < whole.count
    assert Reader(books, "admin").ask("falling-due", first=last, last=first).lines == []


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 400)), min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_medians_are_those_of_the_figures(rows):
    groups = defaultdict(list)
    for key, value in rows:
        groups[key].append(value)
    query = union_all(
        *(select(literal(key).label("key"), literal(value).label("value")) for key, value in rows)
    ).subquery()
    with Session(create_engine("sqlite://")) as session:
        found = spreads(session, select(query.c.key, query.c.value))
    for key, values in groups.items():
        one = found[key]
        assert (one.count, one.total, one.largest) == (len(values), sum(values), max(values))
        assert one.median == Decimal(str(median(values))).quantize(Decimal("0.1"))


def test_deposits_held_are_what_came_less_what_went_and_what_the_books_say(books, chief):
    found = chief.ask("deposit-ledger")
    assert found.count
    for line in found.lines:
        figures = line.values
        assert figures["held"] == figures["received"] - figures["returned"] - figures["used"] >= 0
    assert found.totals["held"] == sum(line.values["held"] for line in found.lines)
    assert found.totals["held"] == business_ledger.deposits(books)
    held = chief.ask("deposit-ledger", held=True)
    assert 0 < held.count < found.count
    assert held.totals["held"] == found.totals["held"]
    zhou = Reader(books, "zhoumin").ask("deposit-ledger")
    assert {line.values["manager"] for line in zhou.lines} <= {"周敏"} | {
        line.values["manager"] for line in found.lines
    }
    assert 0 < zhou.count < found.count
