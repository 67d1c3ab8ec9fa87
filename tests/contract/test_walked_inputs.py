"""Every operation with values that a database chokes on, in every place it reads: never a 500.

The hostile table knows a few routes well; this walks all of them, also those of tomorrow.
"""

import copy
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest
from sqlmodel import Session

from app.main import OpenQI
from app.sharing.models import Audience
from tests.builders import (
    make_annotation,
    make_cycle,
    make_data_point,
    make_measure,
    make_organisation,
    make_participant,
    make_phase,
    make_session,
)
from tests.calling import Caller
from tests.contract.operations import SIGNED, Operation, documented
from tests.exchange import (
    make_dead_job,
    make_inbound_event,
    make_integration,
    make_operation,
    make_reference,
    make_release,
    make_webhook_delivery,
    make_webhook_endpoint,
)
from tests.world import World

VALUES: list[Any] = [
    "a\x00b",
    "\ud800",
    "x" * 20_000,
    2**31,
    2**63,
    -1,
    1e300,
    True,
    None,
    [],
    [None],
    {},
    {"\x00": "\udfff"},
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+14:00",
    "0000-00-00",
    str(uuid.UUID(int=0)),
]
TEXTS = ["a%00b", "%ED%A0%80", str(2**31), str(2**63), "-1", "1e400", "x" * 5_000, "%", "a'%20--"]
TIMES = ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B14:00", "2018-01-01", "0000-00-00"]


@pytest.fixture
def admin(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.admin)


@pytest.fixture
def ids(session: Session, world: World) -> dict[str, object]:
    """A resource that exists for the parameters that name one."""
    participant = make_participant(session, programme=world.programme, team=world.team)
    measure = make_measure(session, project=world.project)
    integration = make_integration(session, programme=world.programme)
    endpoint = make_webhook_endpoint(session, programme=world.programme)
    return {
        "organisation_id": make_organisation(session).id,
        "programme_id": world.programme.id,
        "team_id": world.team.id,
        "participant_id": participant.id,
        "session_id": make_session(session, programme=world.programme).id,
        "project_id": world.project.id,
        "measure_id": measure.id,
        "data_point_id": make_data_point(session, measure=measure).id,
        "phase_id": make_phase(session, measure=measure).id,
        "annotation_id": make_annotation(session, measure=measure).id,
        "operation_id": make_operation(session, programme=world.programme).id,
        "candidate_id": "7d1f0c52a94be803",
        "cycle_id": make_cycle(session, project=world.project).id,
        "user_id": world.member.id,
        "reference_id": make_reference(session, project=world.project).id,
        "integration_id": integration.id,
        "endpoint_id": endpoint.id,
        "delivery_id": make_webhook_delivery(session, endpoint=endpoint).id,
        "dead_job_id": make_dead_job(session).id,
        "inbound_event_id": make_inbound_event(session, integration=integration).id,
        "period_start": "2018-01-08",
        "release_id": make_release(session, project=world.project, audience=Audience.PUBLIC).id,
    }


def _path(operation: Operation, ids: Mapping[str, object]) -> str:
    path = operation.template
    for name in operation.context.param_convertors:
        path = path.replace("{" + name + "}", str(ids.get(name, uuid.UUID(int=1))))
    return path


def _is_answer(response: httpx.Response, what: str) -> None:
    assert response.status_code < 500, f"{what}: {response.text[:300]}"
    if response.status_code >= 400:
        assert response.headers["Content-Type"].startswith("application/"), what


def _example(document: Mapping[str, Any]) -> Any:
    media = document.get("requestBody", {}).get("content", {}).get("application/json", {})
    return media.get("example") or next(
        (shown["value"] for shown in media.get("examples", {}).values()), None
    )


def _places(example: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place of a body where a value stands, the body itself left out."""
    members = example.items() if isinstance(example, dict) else enumerate(example)
    for key, value in members:
        yield (*steps, key)
        if isinstance(value, (dict, list)):
            yield from _places(value, (*steps, key))


def _with(example: Any, steps: tuple[str | int, ...], value: Any) -> Any:
    changed = copy.deepcopy(example)
    at = changed
    for step in steps[:-1]:
        at = at[step]
    at[steps[-1]] = value
    return changed


def test_every_field_of_every_body(app: OpenQI, admin: Caller, ids: dict[str, object]) -> None:
    headers = {"Content-Type": "application/json", "If-Match": "*"}
    sent = 0
    for operation, document in documented(app):
        example = _example(document)
        if not isinstance(example, dict):
            continue
        path = _path(operation, ids)
        for steps in _places(example):
            for value in VALUES:
                body = json.dumps(_with(example, steps, value))
                response = admin(operation.method, path, content=body, headers=headers)
                _is_answer(response, f"{operation} {steps} = {value!r:.40}")
                sent += 1
    assert sent > 500


def test_every_parameter_of_every_query(app: OpenQI, admin: Caller, ids: dict[str, object]) -> None:
    sent = 0
    for operation, document in documented(app):
        path = _path(operation, ids)
        names = [item["name"] for item in document.get("parameters", ()) if item["in"] == "query"]
        for name in names if operation.method == "GET" else ():
            for text in (*TEXTS, *TIMES):
                response = admin(operation.method, f"{path}?{name}={text}")
                _is_answer(response, f"{operation} {name}={text:.40}")
                sent += 1
    assert sent > 500


def test_every_parameter_of_every_path(app: OpenQI, admin: Caller, ids: dict[str, object]) -> None:
    for operation, _ in documented(app):
        for name in operation.context.param_convertors:
            for text in (*TEXTS, quote("☃"), "0" * 32, "..%2f..", str(uuid.UUID(int=2**128 - 1))):
                path = _path(operation, ids | {name: text})
                response = admin(operation.method, path, headers={"If-Match": "*"})
                _is_answer(response, f"{operation} {name}={text:.40}")
                unsigned = {401} if operation.name in SIGNED else set()
                refusals = {400, 404, 405, 412, 415, 422, 428, 204} | unsigned
                assert response.status_code in refusals, operation
