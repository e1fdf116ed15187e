"""Every page of the demonstration as people see it: served from here alone, in Chinese, small, and with few queries."""

import re
from html.parser import HTMLParser
from typing import Any, NamedTuple

import pytest
from sqlalchemy import func, select

from models.base.entity import columns_of, entities
from models.base.fields import facts_of
from models.guarantee.project import Project
from models.system.organization import Operator
from tests.structure.routes import PUBLIC, address, records, representatives, rules

READERS = ("admin", "zhoumin")
# What reading leaves behind: who looked, at what, signed in since when.
NOTED = {"audit_log", "known_place", "chain_lane", "record_look", "sign_in_session"}
LIST_MAX_BYTES = 100 * 1024
LIST_MAX_QUERIES = 30
# 42, the row of the session, who holds the work with those who may, and whether the reader may act on what he reads:
# what he reads for having been asked opens no deed (A7), which one question a page finds out.
# One each for the former and the next project of a renewal, its shares, what stands under its scheme, 最高额合同
# that it is or might be under, what was registered of its documents, and whether a correction or a copy (抄送) waits.
# Three for the quota of its department: which hold today, who draws on it, and what of it is used.
PROJECT_MAX_QUERIES = 59
HEADERS = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
)
OUTSIDE = re.compile(
    r"""(?:src|href|action|formaction|poster|data)\s*=\s*["']?\s*(?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//""",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z]{3,}")
# Codes and names that are the same in Chinese, and the sign-in names of the demonstration.
ALLOWED = re.compile(
    r"""^(?:PDF|Excel|CSV|xlsx|xls|csv|mail|IP|BZ|LPR|VIP|SHA|REST|Ctrl|Esc|Enter|docx|png|jpg|jpeg|zip|MB|KB|AAA|BBB|CCC
    |UTC|ID|Alt|HTML)$""",
    re.VERBOSE,
)


class Page(NamedTuple):
    """A page as somebody got it, and how many statements it took."""

    path: str
    answer: Any
    statements: int


class Words(HTMLParser):
    """Text that people read: no scripts, no styles, no values that they typed themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self._hidden += tag in {"script", "style", "code", "template"}
        for name in ("title", "placeholder", "aria-label", "alt", "data-confirm"):
            self.words.append(facts.get(name) or "")

    def handle_endtag(self, tag):
        self._hidden -= tag in {"script", "style", "code", "template"}

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)


def english(page: str) -> set[str]:
    """English words in what people read."""
    found = Words()
    found.feed(page)
    text = " ".join(found.words)
    # Numbers of records, e-mail addresses and templates of numbers hold letters.
    text = re.sub(r"\S*[\w.-]+@[\w.-]+\S*|\{[^}]*\}|[\w.:/_-]*[\d_./][\w.:/_-]*", " ", text)
    return {word for word in WORD.findall(text) if not ALLOWED.match(word)}


def data_words(product):
    """Words that stand in texts of the data, which are not ours; and codes of dictionaries, which no page may show."""
    typed, codes = set(), set()
    with product.session() as session:
        for model in entities():
            for name, column in columns_of(model).items():
                if facts_of(column).kind in {"text", "long_text"}:
                    target = (
                        codes
                        if (model.__tablename__, name) == ("dictionary_item", "code")
                        else typed
                    )
                    for value in session.scalars(select(getattr(model, name)).distinct()):
                        target |= set(WORD.findall(value or ""))
    return typed, codes


@pytest.fixture(scope="module")
def pages(demo_app, todays):
    """Every list and record once, every page written by hand, and of the rest some of today.

    The administrator asks for all of them, the account manager for those of today.
    """
    with demo_app.session() as session:
        ids = {model.__tablename__: found for model, found in records(session)}
        before = _counts(session)
    some = {rule.rule for rule in representatives(demo_app.app, "GET", todays)}
    found = []
    for reader in READERS:
        client = demo_app.client_of(reader)
        for rule in rules(demo_app.app, "GET"):
            is_left_out = rule.endpoint in PUBLIC or "/api/" in rule.rule
            is_read = reader == "admin" and rule.rule.endswith(("/list/", "/show/<pk>"))
            if is_left_out or rule.rule.endswith(("/lookup", "/export")):
                continue
            if rule.rule not in some and not is_read:
                continue
            table = rule.rule.split("/")[1]
            path = address(
                rule, {"pk": str(ids.get(table, 1)), "table": "project", "name": "submit"}
            )
            with demo_app.statements() as sent:
                answer = client.get(path)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                found.append(Page(path, answer, len(sent)))
    assert len(found) > 150
    with demo_app.session() as session:
        after = _counts(session)
    made = {table for table, rows in after.items() if rows != before[table]}
    assert made <= NOTED, "a page that is looked at does nothing: what does is sent"
    return found


def _counts(session):
    """Rows of every table."""
    tables = {str(model.__tablename__): model.__table__ for model in entities()}
    query = select(
        *(select(func.count()).select_from(t).scalar_subquery() for t in tables.values())
    )
    return dict(zip(tables, session.execute(query).one(), strict=True))


def test_no_page_asks_another_machine_for_anything(pages):
    assert [
        (path, m.group()) for path, answer, _ in pages if (m := OUTSIDE.search(answer.text))
    ] == []


def test_no_english_is_left(pages, demo_app):
    typed, codes = data_words(demo_app)
    wrong = {}
    for path, answer, _ in pages:
        if (
            left := english(answer.text)
            - typed
            - (codes if path.startswith("/dictionary_item/") else set())
        ):
            wrong[path] = sorted(left)[:8]
    assert wrong == {}


def test_lists_are_small(pages):
    lists = [(path, len(answer.data)) for path, answer, _ in pages if path.endswith("/list/")]
    assert [(path, size) for path, size in lists if size > LIST_MAX_BYTES] == []


def test_every_answer_carries_the_security_headers(pages, demo_app):
    bare = [
        path for path, answer, _ in pages if any(name not in answer.headers for name in HEADERS)
    ]
    assert bare == []
    stranger = demo_app.app.test_client()
    for path in ("/login/", "/nowhere", "/api/v1/project/", "/static/favicon.svg"):
        answer = stranger.get(path)
        assert all(name in answer.headers for name in HEADERS), path
        answer.close()


def test_nothing_is_said_twice_by_id(pages):
    wrong = {}
    for path, answer, _ in pages:
        ids = re.findall(r'\sid="([^"]+)"', answer.text)
        if twice := {one for one in ids if ids.count(one) > 1}:
            wrong[path] = sorted(twice)
    assert wrong == {}


def test_a_list_asks_few_questions(pages):
    lists = [(path, count) for path, _, count in pages if path.endswith("/list/")]
    assert len(lists) > 50
    assert [(path, count) for path, count in lists if count > LIST_MAX_QUERIES] == []


def test_a_list_asks_few_questions_however_long_it_is(demo_app, todays):
    screens = {m.__tablename__: m for m in entities() if m.spec.kind.has_screen}
    client, tried = demo_app.client_of("admin"), 0
    for table in todays(screens):
        model, path = screens[table], f"/{table}/list/"
        if client.get(path).status_code == 403:  # administrators do not read this
            continue
        counts = {}
        for size in (5, 50):
            with demo_app.statements() as sent:
                client.get(f"{path}?size={size}")
            counts[size] = len(sent)
        assert counts[50] <= LIST_MAX_QUERIES, (table, counts)
        with demo_app.session() as session:
            rows = session.scalar(select(func.count(model.id)))
        if rows > 5:
            kinds = {facts_of(c).target for c in columns_of(model).values() if facts_of(c).target}
            # Longer pages may meet one more kind of reference, never one more query per row.
            assert counts[50] - counts[5] <= len(kinds), (table, counts)
        tried += 1
    assert tried


def test_a_project_page_asks_few_questions_and_none_about_the_limits_twice(demo_app):
    with demo_app.session() as session:
        newest = select(func.max(Project.id)).group_by(Project.stage, Project.state)
        manager = Operator.employee_id == Project.manager_id
        query = select(Project.id, Project.stage, Operator.username).join(Operator, manager)
        found = session.execute(query.where(Project.id.in_(newest))).all()
    assert len({stage for _, stage, _ in found}) >= 12
    counts = {}
    for project_id, stage, username in found:
        client, path = demo_app.client_of(username), f"/project/show/{project_id}"
        client.get(path)  # what is read once per process
        with demo_app.statements() as sent:
            assert client.get(path).status_code == 200
        assert sum("FROM customer_relation" in words for words in sent) <= 3, (
            "the group is followed once"
        )
        exposure = [words for words in sent if "sum(project.reserved_amount)" in words]
        assert len(exposure) == len(set(exposure)) <= 6, (
            "the customer's, all, the bank's, the department's"
        )
        counts[stage.name, project_id] = len(sent)
    assert max(counts.values()) <= PROJECT_MAX_QUERIES, counts


def test_what_is_counted_and_summed_over_all_projects_is_answered_by_indexes(demo_app):
    client = demo_app.client_of("admin")
    with demo_app.statements() as sent:
        assert client.get("/project/list/").status_code == 200
    of_all = re.compile(r"SELECT (\(SELECT )?(count|sum)\(.*FROM project\b", re.DOTALL)
    asked = [words for words in sent if of_all.match(words)]
    assert len(asked) >= 3, "the tabs, the total and the sums"
    with demo_app.session() as session:
        run = session.connection().exec_driver_sql
        plans = [
            run(f"EXPLAIN QUERY PLAN {words}", (None,) * words.count("?")).all() for words in asked
        ]
    steps = [step for plan in plans for *_, step in plan if "project" in step]
    assert [
        step for step in steps if step.startswith("SCAN project") and "COVERING INDEX" not in step
    ] == []
