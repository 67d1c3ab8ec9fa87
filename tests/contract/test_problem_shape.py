"""One shape of error on every status, and never a word of the input, an exception or a query."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest

from app.kit import dependencies
from app.kit.problems import MEDIA_TYPE
from app.main import OpenQI
from tests.calling import Caller
from tests.contract.operations import SOME_ID
from tests.world import World

SECRET = "hunter2"
BODY = {"name": "Elmtree Surgery", "kind": "gp_practice", "ods_code": "Y00001"}
JSON = {"Content-Type": "application/json"}


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is this problem in the one shape that all have."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == MEDIA_TYPE
    problem: dict[str, Any] = response.json()
    assert problem["code"] == code, problem
    assert problem["type"] == f"/problems/{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert problem["instance"] == response.request.url.path
    assert response.headers["Cache-Control"] == "no-store"
    assert set(problem) <= {
        *("type", "title", "status", "code", "detail", "instance", "request_id", "errors"),
        *("allowed", "missing", "can_override", "offers"),
    }
    for fault in problem.get("errors", ()):
        assert {"code", "detail"} <= set(fault)
        assert {"pointer", "parameter", "header"} & set(fault)
        assert not {"input", "ctx", "url", "loc", "msg"} & set(fault)
    assert SECRET not in response.text
    assert "Traceback" not in response.text
    return problem


@pytest.fixture
def admin(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.admin)


@pytest.fixture
def path(admin: Caller) -> str:
    return f"/organisations/{admin.create('/organisations', BODY)['id']}"


def test_400_of_broken_json(admin: Caller) -> None:
    body = '{"name": "hunter2", '
    response = admin("POST", "/organisations", content=body, headers=JSON)
    assert_problem(response, 400, "bad_request")


def test_400_of_a_cursor(admin: Caller) -> None:
    problem = assert_problem(admin.get("/organisations", cursor=SECRET), 400, "invalid_cursor")
    assert problem["errors"][0]["parameter"] == "cursor"


def test_401(call: Callable[..., Caller], world: World) -> None:
    response = call(None).get("/organisations")
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    bad = call(None)("GET", "/organisations", headers={"Authorization": f"Bearer {SECRET}"})
    assert_problem(bad, 401, "invalid_token")
    assert bad.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_403(call: Callable[..., Caller], world: World) -> None:
    response = call(world.member).post("/organisations", BODY)
    assert_problem(response, 403, "forbidden")


def test_404_of_an_unknown_path_and_of_an_unknown_row(admin: Caller) -> None:
    assert_problem(admin.get("/nowhere"), 404, "not_found")
    assert_problem(admin.get(f"/organisations/{SOME_ID}"), 404, "not_found")


def test_405_names_every_method_of_the_path(admin: Caller, path: str) -> None:
    response = admin("PUT", path, json={})
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    assert admin("DELETE", "/organisations").headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert admin("TRACE", "/organisations").status_code == 405
    assert admin("FROB", "/organisations").status_code == 405


def test_409_of_a_taken_value(admin: Caller, path: str) -> None:
    problem = assert_problem(admin.post("/organisations", BODY), 409, "already_exists")
    assert [fault["pointer"] for fault in problem["errors"]] == ["#/ods_code"]


def test_412_and_428(admin: Caller, path: str) -> None:
    stale = admin.patch(path, {"area": "West"}, '"99"')
    assert_problem(stale, 412, "revision_mismatch")
    assert stale.headers["ETag"] == '"1"'
    without = admin("PATCH", path, json={"area": "West"})
    assert_problem(without, 428, "precondition_required")
    assert without.headers["ETag"] == '"1"'


def test_413(admin: Caller) -> None:
    body = json.dumps(BODY | {"name": "x" * 2_000_000})
    response = admin("POST", "/organisations", content=body, headers=JSON)
    assert_problem(response, 413, "body_too_large")


def test_415(admin: Caller, path: str) -> None:
    headers = {"Content-Type": "text/plain", "If-Match": "*"}
    response = admin("PATCH", path, content="hunter2", headers=headers)
    assert_problem(response, 415, "unsupported_media_type")
    assert response.headers["Accept-Patch"] == "application/json, application/merge-patch+json"


def test_422_lists_every_fault_with_its_place(admin: Caller) -> None:
    body = {"name": [SECRET], "kind": SECRET, "ods_code": f"{SECRET}!", "valid_to": SECRET}
    surplus = {"surplus": SECRET, "x" * 5_000: SECRET, "a/b~c": SECRET}
    problem = assert_problem(admin.post("/organisations", body | surplus), 422, "validation_failed")
    assert {fault["pointer"] for fault in problem["errors"]} == {
        *("#/name", "#/kind", "#/ods_code", "#/valid_to"),
        *("#/surplus", "#/" + "x" * 100, "#/a~1b~0c"),
    }


def test_422_of_the_query_and_of_the_path(admin: Caller) -> None:
    query = admin.get("/organisations", limit=SECRET, sort=SECRET)
    problem = assert_problem(query, 422, "validation_failed")
    assert {fault["parameter"] for fault in problem["errors"]} == {"limit", "sort"}
    problem = assert_problem(admin.get("/organisations/7"), 422, "validation_failed")
    assert problem["errors"][0]["parameter"] == "organisation_id"


def test_422_of_an_unknown_parameter(admin: Caller) -> None:
    assert_problem(admin.get("/organisations", knd="gp_practice"), 422, "unknown_parameter")


@pytest.fixture
def broken(app: OpenQI) -> Iterator[None]:
    def fail() -> None:
        raise RuntimeError("postgresql://openqi:hunter2@db/openqi")

    app.dependency_overrides[dependencies.pager] = fail
    yield
    app.dependency_overrides.clear()


@pytest.mark.usefixtures("broken")
def test_500_keeps_the_exception_to_itself(admin: Caller) -> None:
    response = admin.get("/organisations")
    problem = assert_problem(response, 500, "internal_error")
    assert "detail" not in problem
    assert response.headers["X-Content-Type-Options"] == "nosniff"
