"""What holds at a hundred thousand projects, said in plans and numbers of questions: seconds are for benchmarks/."""

import html
import re

import pytest
from sqlalchemy import func, select

from app.security import actor_of_username
from models.base.entity import entities, entity_of
from models.system.setup import SystemState
from reports.base.scope import condition, scoped, scoped_by_join
from reports.workbench import desktop
from reports.workbench.todo_source import TodoKind
from reports.workbench.todo_sources import sources
from tests import plans
from views.kit import lists

READERS = ("heping", "zhoumin", "zhenglan", "xujing")


@pytest.fixture
def world(demo):
    with demo.session() as session:
        yield session, session.get_one(SystemState, 1).business_date


def test_a_set_of_readable_records_is_the_same_scope_as_one_asked_about_each(world):
    session, _ = world
    wrong = []
    for reader in READERS:
        actor = actor_of_username(session, reader)
        for model in entities():
            scope = model.spec.scope
            if not (scope.through or scope.hangs_on) or condition(model, actor) is None:
                continue
            one_by_one = set(session.scalars(scoped(select(model.id), model, actor)))
            as_set = set(session.scalars(scoped(select(model.id), model, actor, as_set=True)))
            joined = list(session.scalars(scoped_by_join(select(model.id), model, actor)))
            if one_by_one != as_set or sorted(one_by_one) != sorted(joined):
                wrong.append((reader, model.__tablename__))
    assert wrong == []


@pytest.mark.parametrize("reader", ["heping", "zhoumin"])
def test_the_desk_begins_with_an_index_and_sums_without_looking_at_rows(demo_app, reader):
    """SQLite plans without statistics, so here it does what it does at full size."""
    with demo_app.session() as session:
        actor, today = (
            actor_of_username(session, reader),
            session.get_one(SystemState, 1).business_date,
        )
        connection = session.connection()
        for ask, begins in (
            (
                lambda: desktop.in_force(session, actor),
                "SEARCH project USING COVERING INDEX ix_project_desk",
            ),
            (
                lambda: desktop.in_force_by_product(session, actor),
                "project USING COVERING INDEX ix_project_desk",
            ),
            (
                lambda: desktop.instalments_due(session, actor, today, today),
                "ix_instalment_open (due_on>? AND",
            ),
            (
                lambda: desktop.instalments_due(session, actor, None, today),
                "ix_instalment_open (due_on>? AND",
            ),
            (lambda: desktop.fees_due(session, actor, today), "ix_fee_due_open (due_on>? AND"),
            (lambda: desktop.open_warnings(session, actor), "ix_risk_warning_urgent (level=?)"),
        ):
            with plans.asked(connection) as sent:
                ask()
            first = next(one for one in sent if begins.split("ix_")[1].split("_")[0] in one[0])
            assert begins in plans.plan(connection, *first), plans.plan(connection, *first)


def test_a_card_counts_so_far_and_says_that_there_are_more(demo, monkeypatch):
    client = demo.client_of("heping")
    exact = client.get("/desktop/due").text.split('data-key="DUE"')[1].split("</section>")[0]
    whole = client.get("/desktop/card/due").text
    assert "+</b>" not in whole
    monkeypatch.setattr(desktop, "MANY", 3)
    some = client.get("/desktop/card/due").text
    assert '<b class="n">3+</b>' in some
    assert "超过 3 笔" in some
    assert 'push num strong"></b>' in some, "no sum that is not the whole"
    assert exact in client.get("/desktop/due").text, "the page behind is exact"


@pytest.mark.parametrize("table", ["instalment", "fee_due", "fee", "receipt", "repayment"])
def test_a_list_of_parts_counts_and_sums_in_one_question(demo, table):
    client = demo.client_of("zhoumin")
    client.get(f"/{table}/list/")
    with demo.statements() as sent:
        assert client.get(f"/{table}/list/").status_code == 200
    whole = [
        words
        for words in sent
        # the bell of the page counts papers too, inside a question of its own
        if re.search(r"FROM (\w+)", words + "FROM nothing")[1] == table
        and ("count(*)" in words or "sum(" in words)
    ]
    assert len(whole) == 1, whole
    assert " IN (SELECT" in whole[0], "the readable records are worked out once"


FOOT = re.compile(r'<td class="num"[^>]*>([-\d,.…]+)</td>')
LONG_LISTS = (
    "/instalment/list/",
    "/fee_due/list/?size=10",
    "/fee/list/?f=state:eq:BOOKED",
    "/project/list/?q=%E5%85%AC%E5%8F%B8&page=2",
)


def total_row(page):
    """What stands in the row of 全部合计."""
    return FOOT.findall(page.split("全部合计")[1].split("</tr>")[0])


@pytest.mark.parametrize("reader", ["heping", "zhoumin"])
@pytest.mark.parametrize("path", LONG_LISTS)
def test_the_page_of_a_long_list_waits_for_no_sum(demo, monkeypatch, path, reader):
    client = demo.client_of(reader)
    with_page = total_row(client.get(path).text)
    assert with_page
    monkeypatch.setattr(lists, "LONG", 1)
    with demo.statements() as sent:
        page = client.get(path).text
    # A handful of definitions is counted with the business date; nothing of the list is.
    assert [words for words in sent if "sum(" in words and "custom_field" not in words] == []
    assert total_row(page) == ["…"] * len(with_page)
    assert "本页合计" in page
    url = html.unescape(re.search(r'data-sums-url="([^"]+)"', page)[1])
    found = client.get(url).get_json()["sums"]
    assert [found[key] for key in re.findall(r'data-sum-of="(\w+)"', page)] == with_page
    by_link = html.unescape(re.search(r'href="([^"]+)">计算合计<', page)[1])
    behind = client.get(by_link).text
    assert total_row(behind) == with_page
    assert "计算合计" not in behind


def test_sums_by_a_request_of_their_own_ask_right_and_scope(demo):
    own, all_ = (
        demo.client_of(name).get("/instalment/sums").get_json()["sums"]
        for name in ("zhoumin", "heping")
    )
    assert own.keys() == all_.keys()
    assert own != all_
    for outsider in ("security", "luona"):
        asked = {
            f"/instalment/{what}": demo.client_of(outsider).get(f"/instalment/{what}").status_code
            for what in ("list/", "sums")
        }
        assert len(set(asked.values())) == 1, asked
    assert demo.client_of("security").get("/instalment/sums").status_code == 403


def shown(page):
    """What the foot of a list says of its length."""
    return re.search(r"共 (?:<a[^>]*>)?([\d,+]+)(?:</a>)? 条", page)[1]


def next_page(page):
    """Where the arrow leads."""
    found = re.search(r'<a href="([^"]+)" rel="next"', page)
    return html.unescape(found[1]) if found else ""


@pytest.mark.parametrize("reader", ["heping", "zhoumin"])
@pytest.mark.parametrize(
    "path", ["/instalment/list/?size=10", "/fee_due/list/?size=10", "/project/list/?size=10"]
)
def test_a_count_that_ends_loses_no_row(demo, monkeypatch, path, reader):
    client, table = demo.client_of(reader), path.split("/")[1]
    whole = client.get(f"/{table}/list/?size=200").text
    exact = int(shown(whole))
    many = exact // 2
    assert many > 5
    monkeypatch.setattr(lists, "MANY", many)
    monkeypatch.setattr(lists, "LONG", 1)
    with demo.statements() as sent:
        page = client.get(path).text
    counts = [
        words for words in sent if words.startswith("SELECT count(*)") and f"{table}.id" in words
    ]
    assert len(counts) == 1, counts
    assert "LIMIT" in counts[0], counts
    seen, where = [], path
    while where:
        page = client.get(where).text
        seen += re.findall(rf'href="/{table}/show/(\d+)"', page)
        where = next_page(page)
        assert shown(page) == (f"{many}+" if where else f"{exact}")
    assert len(seen) == len(set(seen)) == exact
    beyond = client.get(f"{path}&page=99").text
    assert f"共 {-(-exact // 10)} 页，已显示最后一页" in beyond
    assert shown(beyond) == f"{exact}"


def test_the_exact_number_is_behind_a_link_and_for_files_and_programs(demo, monkeypatch):
    client = demo.client_of("zhoumin")
    exact = int(shown(client.get("/instalment/list/").text))
    monkeypatch.setattr(lists, "MANY", 15)
    monkeypatch.setattr(lists, "LONG", 1)
    page = client.get("/instalment/list/").text
    assert "（15+ 行）" in page
    by_link = html.unescape(re.search(r'href="([^"]+)" data-count', page)[1])
    assert shown(client.get(by_link).text) == f"{exact}"
    assert client.get("/instalment/sums").get_json()["count"] == exact
    assert client.get("/api/v1/instalment/?size=10").get_json()["count"] == exact
    assert len(client.get("/instalment/export?format=csv").text.splitlines()) == exact + 1


def test_papers_that_came_back_are_found_without_a_look_at_all_of_ones_projects(demo_app):
    """The bell of every page asks for them."""
    with demo_app.session() as session:
        actor, connection = actor_of_username(session, "zhoumin"), session.connection()
        today = session.get_one(SystemState, 1).business_date
        for source in (
            one for one in sources() if one.kind in (TodoKind.UNSENT, TodoKind.RETURNED)
        ):
            with plans.asked(connection) as sent:
                session.execute(source.rows_for(actor, today).limit(1)).all()
            plan = plans.plan(connection, *sent[-1])
            is_of_project = re.search(r"\bproject\b", plan) is not None
            assert "SEARCH project USING INTEGER PRIMARY KEY" in plan or not is_of_project, plan
            assert "SCAN" not in plan, plan


def test_counting_begins_with_the_readers_own_records(demo_app):
    """From the project on, level by level by an index, and no further than the page says."""
    with demo_app.session() as session:
        actor, connection = actor_of_username(session, "zhoumin"), session.connection()
        for table in ("instalment", "fee_due", "fee", "receipt", "repayment"):
            model = entity_of(table)
            query = select(func.count()).select_from(
                scoped_by_join(select(model.id), model, actor).limit(1).subquery()
            )
            with plans.asked(connection) as sent:
                session.scalar(query)
            plan = plans.plan(connection, *sent[-1])
            assert plan.index("SEARCH project USING INDEX ix_project_manager_id") < plan.index(
                f"SEARCH {table} USING"
            )
            assert f"SCAN {table}" not in plan, plan


@pytest.mark.parametrize("table", ["issued_document", "approval_instance", "comment", "attachment"])
def test_what_hangs_on_records_is_asked_about_row_by_row(demo_app, table):
    """A few hundred documents ask for no set of a hundred thousand projects."""
    with demo_app.session() as session:
        actor, model, connection = (
            actor_of_username(session, "zhoumin"),
            entity_of(table),
            session.connection(),
        )
        with plans.asked(connection) as sent:
            session.scalars(scoped(select(model.id), model, actor).limit(20)).all()
        assert f"WHERE project.id = {table}.{model.spec.scope.hangs_on[1]} AND" in sent[-1][0]
        assert "SEARCH project USING INTEGER PRIMARY KEY" in plans.plan(connection, *sent[-1])


@pytest.mark.parametrize(
    ("path", "table"), [("/voucher/list/", "voucher"), ("/review/", "business_event")]
)
def test_tabs_count_so_far_and_say_that_there_are_more(demo, monkeypatch, path, table):
    client = demo.client_of("wujie")
    exact = tabs(client.get(path).text)
    monkeypatch.setattr(desktop, "MANY", 3)
    with demo.statements() as sent:
        some = tabs(client.get(path).text)
    assert some == ["3+" if int(count) > 3 else count for count in exact]
    assert "3+" in some
    each = f"(SELECT {table}.id AS id \nFROM {table}"
    (question,) = [
        words for words in sent if words.startswith("SELECT (SELECT count(*)") and each in words
    ]
    assert question.count("LIMIT") == len(exact), "no view is counted to its end"


def tabs(page):
    """The numbers on the tabs of a list."""
    return re.findall(
        r'<b class="n">([\d+]+)</b></a></li>', page.split('<ul class="tabs">')[1].split("</ul>")[0]
    )
