"""The REST interface does what its description says, and answers nothing with a crash."""

import json

import pytest
from openapi_spec_validator import validate

from models.base.entity import columns_of, editable_columns, entities

# One of each kind that is written: master data, its child, a document, and one that only reads.
RESOURCES = ("department", "personal_customer", "project", "fee")
BODIES = (
    "",
    "null",
    "[]",
    "5",
    '"x"',
    "{}",
    "{",
    '{"name": 5}',
    '{"name": null}',
    '{"id": 1}',
    '{"state": "APPROVED"}',
    '{"version": "x"}',
    '{"version": -1}',
    '{"amount": "NaN"}',
    '{"amount": 1e999}',
    '{"amount": 0.1}',
    '{"nope": 1}',
    '{"name": "\\u0000"}',
    '{"customer_id": 99999999999999999999}',
    '{"customer_id": []}',
    '{"extra": {"a": 1}}',
)


@pytest.fixture(scope="module")
def description(demo_app):
    answer = demo_app.client_of("zhoumin").get("/api/v1/_openapi")
    assert answer.status_code == 200
    return answer.get_json()


def test_the_description_is_valid_and_whole(description):
    validate(description)
    for model in entities():
        assert (
            f"/api/v1/{model.__tablename__}/" in description["paths"]
        ) == model.spec.kind.has_screen


def test_what_code_writes_is_in_no_body(description):
    schemas = description["components"]["schemas"]
    for model in entities():
        for method in ("post", "put"):
            schema = schemas.get(f"{model.__name__}Api.{method}")
            if schema is not None:
                closed = set(columns_of(model)) - set(editable_columns(model)) - {"version"}
                assert not closed & set(schema["properties"]), model.__tablename__


def test_a_deletion_needs_the_version_that_was_read(description):
    deletions = [one["delete"] for one in description["paths"].values() if "delete" in one]
    assert len(deletions) > 30
    for one in deletions:
        assert {
            "in": "query",
            "name": "version",
            "required": True,
            "schema": {"type": "integer"},
        } in one["parameters"]
        assert "400" in one["responses"]


@pytest.mark.parametrize("table", RESOURCES)
def test_no_body_makes_a_crash_or_a_record(demo, table):
    client = demo.client_of("zhoumin")
    token = {"X-CSRFToken": demo.token(client)}
    before = client.get(f"/api/v1/{table}/").get_json().get("count")
    for method, path in (
        ("POST", f"/api/v1/{table}/"),
        ("PUT", f"/api/v1/{table}/1"),
        ("PUT", f"/api/v1/{table}/x"),
    ):
        for body in BODIES:
            answer = client.open(
                path, method=method, data=body, content_type="application/json", headers=token
            )
            assert 400 <= answer.status_code < 500, (
                method,
                path,
                body,
                answer.text[:300],
                demo.crashes[-1:],
            )
            assert answer.get_json()["message"], body
    assert client.get(f"/api/v1/{table}/").get_json().get("count") == before


def test_a_state_cannot_be_written_by_rest(demo):
    client = demo.client_of("zhoumin")
    project = client.get("/api/v1/project/?size=1").get_json()["result"][0]
    for name in ("state", "stage", "balance", "number", "created_by_id"):
        body = json.dumps({"version": project["version"], name: project[name]})
        answer = client.put(
            f"/api/v1/project/{project['id']}",
            data=body,
            content_type="application/json",
            headers={"X-CSRFToken": demo.token(client)},
        )
        assert answer.status_code in {400, 403, 409}, name
    assert (
        client.get(f"/api/v1/project/{project['id']}").get_json()["result"]["version"]
        == project["version"]
    )
