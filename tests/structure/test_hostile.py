"""No address and no argument gives a crash: every GET of the url map, sent what nobody should send, on both kinds."""

from urllib.parse import quote, urlencode

import pytest

from tests.structure.routes import address, by_function

FILES = {"static", "appbuilder.static", "SignInView.logout"}
SHARE = 2
IDS = (
    "0",
    "-1",
    "99999999999999999999",
    "abc",
    "%00",
    quote("' OR 1=1 --"),
    quote("𠮷"),
    "1.5",
    "%F0%28%8C%28",
    "²",
)
GARBAGE = (
    "",
    "0",
    "-1",
    "9" * 30,
    "x",
    "\x00",
    "' OR 1=1 --",
    "𠮷",
    "%",
    "a:b:c",
    "²",
    "[]",
    "../../etc/passwd",
    "NaN",
    "1e400",
)
NAMES = (
    "page",
    "size",
    "psize",
    "order",
    "f",
    "q",
    "search",
    "cols",
    "tab",
    "owner",
    "field",
    "format",
    "next",
    "from",
    "to",
    "period",
    "account",
    "customer_id",
    "version",
    "after",
    "columns",
    "date",
    "start",
    "end",
    "all",
    "view",
)
FILTERS = (
    "id:eq:x",
    "state:in:NOPE",
    "state:eq:",
    "amount:ge:abc",
    "amount:eq:1e999",
    "amount:ge:NaN",
    "created_at:ge:2026-13-45",
    "created_at:le:99999-01-01",
    "customer_id:eq:99999999999999999999",
    "nope:eq:1",
    "name:like:%",
    "name:contains:\x00",
    "version:eq:1",
    "extra:eq:1",
    "manager_id:in:1,2,x",
    "is_active:eq:perhaps",
    "name:nope:1",
    ":::",
)
RISON = (
    "((",
    "!(…)",
    "(page:-1)",
    "(page_size:99999999)",
    "(order_column:nope)",
    "(filters:!((col:id,opr:eq,value:!n)))",
    "(filters:!((col:name,opr:nope,value:x)))",
    "{",
    '{"page": "x"}',
    "(columns:!(nope))",
    "(page:9999999999999999999)",
    '{"filters": [{"col": "id"}]}',
    "!n",
    "(search:'')",
    '{"page": 1e400}',
    "[]",
    "(filters:5)",
    "(order_column:!())",
)


def _arguments(rule) -> list[str]:
    """Query strings worth sending to a rule."""
    if "/api/" in rule.rule:
        odd = [urlencode({"q": word}) for word in RISON] + [
            urlencode({"f": word}) for word in FILTERS
        ]
        return odd + _each(("page", "size", "order", "search", "after"))
    if rule.rule.endswith(("/list/", "/export", "/sums")):
        return [urlencode({"f": word}) for word in FILTERS] + _each(
            ("page", "size", "order", "q", "cols", "view")
        )
    if rule.rule.endswith("/lookup"):
        return _each(("field", "q", "page"))
    if rule.rule.endswith("/rule"):
        return _each(("field",))
    return _each(NAMES)


def _each(names) -> list[str]:
    """Every name with one sort of garbage, and every sort of garbage in all names."""
    turns = [urlencode(dict.fromkeys(names, word)) for word in GARBAGE]
    return turns + [
        f"{name}={quote(GARBAGE[n % len(GARBAGE)])}&{name}=2" for n, name in enumerate(names)
    ]


def _paths(rule):
    if not rule.arguments:
        return [address(rule, {})]
    return [address(rule, dict.fromkeys(rule.arguments, word)) for word in IDS]


def _endpoints():
    """Routes by what answers them: the generated ones share their code, so one test takes all of a kind."""
    return (
        "list",
        "show",
        "add",
        "edit",
        "lookup",
        "rule_words",
        "export",
        "sums",
        "filters",
        "print_record",
        "quick",
        "grid",
        "rows",
        "get_list",
        "get",
        "related",
        "info",
        "other",
    )


def _kind(rule, function) -> str:
    tail = rule.endpoint.rpartition(".")[2]
    return tail if function.startswith("views.kit.") and tail in _endpoints() else "other"


@pytest.mark.parametrize("kind", _endpoints())
def test_nothing_that_is_sent_makes_a_crash(demo, kind, todays):
    client, wrong = demo.client_of("admin"), []
    routes = {
        rule.rule: rule
        for function, of in by_function(demo.app, "GET").items()
        for rule in of
        if _kind(rule, function) == kind and rule.endpoint not in FILES
    }
    # Of those that share their code some of today; one that is written by hand is always sent something.
    taken = set(routes if kind == "other" else todays(routes))
    whole = set(todays(routes, -(-len(routes) // 3)))
    for number, (name, rule) in enumerate(routes.items()):
        if name not in taken:
            continue
        for path in _sent(rule, kind, number, is_whole=name in whole):
            answer = client.get(path)
            answer.close()
            if answer.status_code >= 500:
                wrong.append((path, repr(demo.crashes[-1])[:300] if demo.crashes else "?"))
                break  # one finding of a route is enough
    assert taken
    assert wrong == []


def _sent(rule, kind, number, *, is_whole):
    """What a route is sent: all of it (its arguments on its day), or of those that share their code a few, in turn."""
    paths = _paths(rule)
    queries = [f"{address(rule, {})}?{query}" for query in _arguments(rule)]
    if kind == "other":
        if not is_whole:
            return [*paths, queries[number % len(queries)]]
        return [*paths, *queries[: len(GARBAGE)], *queries[len(GARBAGE) + number % 7 :: 7]]
    turn = [(number * SHARE + step) for step in range(SHARE)]
    return [*{paths[n % len(paths)] for n in turn}, *(queries[n % len(queries)] for n in turn)]
