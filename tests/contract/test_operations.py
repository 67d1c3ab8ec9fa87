"""Every operation is documented alike, and nobody gets in without a token unless listed public."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.testclient import TestClient

from app.api import TAGS
from app.kit.problems import MEDIA_TYPE
from app.main import OpenQI
from tests.calling import Caller
from tests.contract.operations import PUBLIC, SIGNED, UNDOCUMENTED, documented, operations


def _resolved(app: OpenQI, node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        found: Any = app.openapi()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def test_names_are_unique_and_are_the_operation_ids(bare_app: OpenQI) -> None:
    names = Counter(operation.name for operation in operations(bare_app))
    assert [name for name, count in names.items() if count > 1] == []
    for operation, document in documented(bare_app):
        assert document["operationId"] == operation.name, operation
        assert getattr(operation.context.endpoint, "__name__", None) == operation.name, operation


def test_no_two_models_share_a_name(bare_app: OpenQI) -> None:
    """FastAPI would put their modules into the names, and generated clients break on some."""
    names = bare_app.openapi()["components"]["schemas"]
    assert not [name for name in names if "__" in name]


def test_the_tables_name_only_operations_that_exist(bare_app: OpenQI) -> None:
    assert {operation.name for operation in operations(bare_app)} >= PUBLIC | SIGNED | UNDOCUMENTED


def test_each_has_summary_description_and_one_known_tag(bare_app: OpenQI) -> None:
    known = {name for name, _ in TAGS}
    for operation, document in documented(bare_app):
        assert 5 <= len(document["summary"]) <= 80, operation
        assert not document["summary"].endswith("."), operation
        assert document.get("description"), operation
        assert len(document["tags"]) == 1, operation
        assert document["tags"][0] in known, operation


def test_each_says_whether_it_is_public(bare_app: OpenQI) -> None:
    for operation, document in documented(bare_app):
        assert bool(document.get("security")) is (operation.name not in PUBLIC), operation


def test_each_documents_its_problems(bare_app: OpenQI) -> None:
    for operation, document in documented(bare_app):
        statuses = {int(status) for status in document["responses"]}
        assert {500, 503} <= statuses, operation
        if operation.name not in PUBLIC:
            assert {401, 403} <= statuses, operation
        if "{" in operation.template:
            assert 404 in statuses, operation
        for status in sorted(statuses):
            response = _resolved(bare_app, document["responses"][str(status)])
            assert response["description"], f"{operation} {status}"
            if status >= 400 and operation.name not in PUBLIC:
                assert list(response["content"]) == [MEDIA_TYPE], f"{operation} {status}"


def _assert_example(app: OpenQI, media: Mapping[str, Any], where: str) -> None:
    assert "example" in media or "examples" in media, f"{where} has no example"
    schema = _resolved(app, media["schema"])
    example = media.get("example")
    if not isinstance(example, dict) or "properties" not in schema:
        return
    absent = set(schema.get("required", ())) - set(example)
    assert absent == set(), f"{where}: the example lacks {absent}"
    for name, value in example.items():
        if value is None:
            assert "null" in str(schema["properties"][name]), f"{where}: {name} may not be null"


def test_each_body_has_an_example_that_is_whole(bare_app: OpenQI) -> None:
    for operation, document in documented(bare_app):
        for media in document.get("requestBody", {}).get("content", {}).values():
            _assert_example(bare_app, media, f"the body of {operation}")
        for status, response in document["responses"].items():
            if status.startswith("2"):
                for media in _resolved(bare_app, response).get("content", {}).values():
                    _assert_example(bare_app, media, f"{status} of {operation}")


def test_each_body_and_list_is_bounded(bare_app: OpenQI) -> None:
    for name, schema in bare_app.openapi()["components"]["schemas"].items():
        if not name.endswith(("Create", "Patch", "Input", "Replace")):
            continue
        assert schema.get("additionalProperties") is False, name
        for field, part in schema["properties"].items():
            _assert_bounded(bare_app, part, f"{name}.{field}")


def _assert_bounded(app: OpenQI, part: Mapping[str, Any], where: str) -> None:
    part = _resolved(app, part)
    if "enum" in part or "const" in part:
        return
    for inner in part.get("anyOf", ()):
        _assert_bounded(app, inner, where)
    match part.get("type"):
        case "string":
            bounds = {"maxLength", "pattern", "format"}
        case "integer" | "number":
            bounds = {"maximum", "exclusiveMaximum"}
        case "array":
            bounds = {"maxItems"}
            _assert_bounded(app, part["items"], f"{where}[]")
        case _:
            return
    assert bounds & set(part), f"{where} has no bound"


def test_nobody_gets_in_without_a_token(bare_app: OpenQI, bare_client: TestClient) -> None:
    anonymous = Caller(bare_client)
    for operation in operations(bare_app):
        if operation.name in PUBLIC | SIGNED:
            continue
        response = anonymous(operation.method, operation.path)
        assert response.status_code == 401, f"{operation}: {response.status_code}"
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.json()["code"] == "unauthenticated"


def test_what_is_signed_takes_no_token(bare_app: OpenQI) -> None:
    ways = {
        operation.name: document["security"]
        for operation, document in documented(bare_app)
        if {"signature": []} in document.get("security", ())
    }
    assert ways == {name: [{"signature": []}] for name in SIGNED}


def test_what_is_public_answers_without_a_token(app: OpenQI, client: TestClient) -> None:
    anonymous = Caller(client)
    for operation in operations(app):
        if operation.name in PUBLIC:
            response = anonymous(operation.method, operation.path, follow_redirects=False)
            assert response.status_code not in {401, 403, 500}, operation
