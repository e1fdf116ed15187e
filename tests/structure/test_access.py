"""Every route is guarded: nobody without signing in, nobody without the permission, no post without the token.

That a route has the guard, and for which permission, is read off every function of the url map. That the guard guards
is asked by requests: of every function written by hand, and of those that all tables share on some tables of today.
"""

import pytest
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import select

from app.roles import all_permissions
from models.base.entity import entities
from models.system.organization import Department, Employee
from tests.structure.routes import (
    PUBLIC,
    SIGNED_IN,
    address,
    by_function,
    function_of,
    representatives,
    rules,
    table_of,
)
from views.kit import edge
from views.kit.buttons import REGISTRY
from workflows.base.transition import VERBS
from workflows.system import operators

WRITING = ("POST", "PUT", "DELETE")
METHODS = ("GET", *WRITING)
# Their addresses name the table or the verb; `test_who_lacks_the_permission_is_refused_every_verb` fills them in.
NAMED_IN_ADDRESS = {
    "VerbView.act",
    "RuleExamplesView.form",
    "RuleExamplesView.delete",
    "ImportsView.upload",
    "ImportsView.template",
}
NOBODY, PASSWORD = "nobody", "Danbao@2026"


@pytest.fixture(scope="module")
def powerless(demo_app):
    """The browser of an operator without any role."""
    with demo_app.app.test_request_context():
        ctx = edge.system_ctx("test")
        edge.begin_write(ctx.session)
        department = ctx.session.scalars(select(Department)).first()
        employee = Employee(number="X001", name="无权限者", department_id=department.id)
        ctx.session.add(employee)
        ctx.session.flush()
        operators.create_operator(
            ctx, employee, NOBODY, PASSWORD, ["审计管理员"], must_change=False
        )
        user = ctx.session.scalars(select(User).where(User.username == NOBODY)).one()
        user.roles = []
        ctx.session.commit()
    return demo_app.sign_in(NOBODY, PASSWORD)


def _outcome(client, rule, method, **more):
    return client.open(address(rule, {"version": "v1"}), method=method, **more)


@pytest.fixture(scope="module")
def asked(demo_app, todays):
    """The rules of a method that requests are sent to."""
    return lambda method: representatives(demo_app.app, method, todays)


def test_every_route_has_the_guard_of_its_permission(demo_app):
    """Holding one of the named permissions on the view's own table; open ones stand in the lists.

    A single route may ask by itself instead: the tests below send requests to each.
    """
    known, wrong, tried = all_permissions(), [], 0
    for of in (of for m in METHODS for of in by_function(demo_app.app, m).values()):
        for rule in (rule for rule in of if rule.endpoint not in PUBLIC | SIGNED_IN):
            function = demo_app.app.view_functions[rule.endpoint]
            verbs, view = getattr(function, "asks_for", ()), getattr(function, "__self__", None)
            if not verbs and len(of) == 1:
                continue
            tried += 1
            if view is None or not set(verbs) & known[view.class_permission_name]:
                wrong.append((rule.rule, verbs))
            elif table_of(rule) not in {"", view.class_permission_name}:
                wrong.append((rule.rule, view.class_permission_name))
    assert tried > 1000
    assert wrong == []


def test_each_permission_is_the_one_of_its_routes(demo_app):
    """What writes asks for the right to write, whatever table it is generated for."""
    asks = {"add": ("add",), "edit": ("edit",), "delete": ("delete",), "bulk_delete": ("delete",)}
    asks |= {"post": ("add",), "put": ("edit",), "reveal": ("reveal",), "export": ("export",)}
    for rule in demo_app.app.url_map.iter_rules():
        function, tail = demo_app.app.view_functions[rule.endpoint], rule.endpoint.split(".")[-1]
        places = ("views.kit.entity_", "views.kit.list_view")
        if function_of(demo_app.app, rule).startswith(places) and tail in asks:
            assert function.asks_for == asks[tail], rule.rule


def test_a_stranger_is_sent_to_sign_in(demo_app, asked):
    client, wrong = demo_app.app.test_client(), []
    for rule in asked("GET"):
        if rule.endpoint in PUBLIC:
            continue
        answer = _outcome(client, rule, "GET")
        fine = answer.status_code == 401 or (
            answer.status_code == 302 and "/login/" in answer.headers["Location"]
        )
        if not fine:
            wrong.append((rule.rule, answer.status_code))
    assert wrong == []


@pytest.fixture
def no_tokens(demo_app):
    """The guards alone are asked, without the token that stands before them."""
    methods = demo_app.app.config["WTF_CSRF_METHODS"]
    demo_app.app.config["WTF_CSRF_METHODS"] = set()
    yield
    demo_app.app.config["WTF_CSRF_METHODS"] = methods


@pytest.mark.parametrize("method", WRITING)
def test_a_stranger_writes_nothing(demo_app, asked, no_tokens, method):
    client, wrong = demo_app.app.test_client(), []
    for rule in asked(method):
        if rule.endpoint in PUBLIC:
            continue
        code = _outcome(client, rule, method).status_code
        if code not in {302, 401, 403}:
            wrong.append((rule.rule, code))
    assert wrong == []


@pytest.mark.parametrize("method", METHODS)
def test_who_lacks_the_permission_is_refused(asked, powerless, no_tokens, method):
    wrong = []
    for rule in asked(method):
        if rule.endpoint in PUBLIC | SIGNED_IN:
            continue
        code = _outcome(powerless, rule, method).status_code
        # A place of the address that names no verb or table is looked up before anybody can be asked for it.
        if code != 403 and not (code == 404 and rule.endpoint in NAMED_IN_ADDRESS):
            wrong.append((rule.rule, code))
    assert wrong == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_lacks_the_permission_is_refused_every_verb(demo_app, powerless, no_tokens, method):
    wrong = []
    for table, name in REGISTRY:
        code = powerless.open(f"/do/{table}/1/{name}", method=method).status_code
        if code != 403:
            wrong.append((table, name, code))
    assert wrong == []


@pytest.mark.parametrize("method", WRITING)
def test_nothing_is_written_without_the_token(demo_app, asked, method):
    client, wrong = demo_app.client_of("admin"), []
    for rule in asked(method):
        if rule.endpoint == "SecurityApi.login":
            continue
        answer = _outcome(client, rule, method)
        message = answer.get_json()["message"] if answer.is_json else answer.text
        if answer.status_code != 400 or "页面已过期" not in message:
            wrong.append((rule.rule, answer.status_code))
    assert wrong == []


def test_a_stranger_is_told_what_is_wrong(demo_app):
    client = demo_app.app.test_client()
    assert client.get("/nowhere").status_code == 404
    refused = client.post("/project/add")
    assert refused.status_code == 400
    assert "页面已过期" in refused.text


def test_every_route_of_an_entity_asks_for_a_permission_that_exists(demo_app):
    known = all_permissions()
    for rule in rules(demo_app.app, "GET") + rules(demo_app.app, "POST"):
        view = demo_app.app.view_functions[rule.endpoint]
        verbs, table = getattr(view, "asks_for", ()), table_of(rule)
        if verbs and table:
            assert known[table] & set(verbs), rule.rule  # one of them opens it


def test_each_kind_has_its_routes_and_no_other(demo_app):
    found = {(m, r.rule) for m in ("GET", "POST", "PUT", "DELETE") for r in rules(demo_app.app, m)}
    for model in entities():
        spec, table = model.spec, model.__tablename__
        own = {verb for t, verb in VERBS if t == table}
        reading = {
            ("GET", f"/{table}/list/"),
            ("GET", f"/{table}/show/<pk>"),
            ("GET", f"/api/v1/{table}/"),
            ("GET", f"/api/v1/{table}/<pk>"),
            ("GET", f"/api/v1/{table}/_info"),
        }
        assert reading <= found if spec.kind.has_screen else not reading & found, table
        for verb, writing in _writing(table).items():
            offered = spec.kind.has_screen and spec.kind.is_writable and verb in spec.saved_by
            if offered:
                assert writing <= found, table
            elif verb not in own:  # a verb of its own may have a screen of its own
                assert not writing & found, table


def _writing(table):
    return {
        "add": {("GET", f"/{table}/add"), ("POST", f"/{table}/add"), ("POST", f"/api/v1/{table}/")},
        "edit": {("POST", f"/{table}/edit/<pk>"), ("PUT", f"/api/v1/{table}/<pk>")},
        "delete": {("POST", f"/{table}/delete/<pk>"), ("DELETE", f"/api/v1/{table}/<pk>")},
    }


def test_the_lists_of_open_routes_name_routes_that_exist(demo_app):
    assert {rule.endpoint for rule in demo_app.app.url_map.iter_rules()} >= PUBLIC | SIGNED_IN


def test_every_route_that_writes_answers_a_repeated_submission_once(demo_app):
    """A route without the guard of `screen` or `rest` answers a second click with 500 (X17)."""
    functions = demo_app.app.view_functions
    writing = {rule.endpoint for method in WRITING for rule in rules(demo_app.app, method)}
    assert len(writing) > 100
    assert {
        name for name in writing - PUBLIC if not getattr(functions[name], "answers_once", False)
    } == set()
