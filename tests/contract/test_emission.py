"""Every write tells of itself: which events, each with its job, and none where nothing was written.

`emissions.py` lists what each operation tells; a route that it does not list fails here.
"""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlmodel import SQLModel, col

from app.access import bootstrap
from app.demo import barnet
from app.events.models import Event
from app.events.outbox import DISPATCH
from app.jobs.models import Job
from app.kit.db import Database
from app.main import OpenQI
from tests.calling import Caller
from tests.contract.emissions import EMITS
from tests.contract.operations import SIGNED, Operation, documented
from tests.contract.setups import SETUPS, Stage
from tests.contract.test_role_matrix import _ids, _request
from tests.world import World

# Their rows change with a participant, whose event tells of it.
PARTS = frozenset({"person", "appointment"})
# One event may tell of many of these at once; then it bears the id of what they belong to.
BATCHED = {"attendance": "session_id", "data_point": "measure_id"}
ENDS_ITS_LOGIN = "log_out"  # so nobody can ask a second time
Row = tuple[str, uuid.UUID, uuid.UUID | None]


@dataclass
class Told:
    """What was told while the block ran, and what of it lacks a job."""

    types: list[str] = field(default_factory=list)
    without_job: int = 0
    jobs: int = 0
    untold: list[str] = field(default_factory=list)


def _revisions(connection: Connection) -> dict[Row, int]:
    """Every row of every entity and what it belongs to, with its revision."""
    found: dict[Row, int] = {}
    for table in SQLModel.metadata.sorted_tables:
        if {"id", "revision", "updated_at"} <= set(table.columns.keys()):
            whole = table.columns.get(BATCHED.get(table.name, ""), sa.null())
            rows = connection.execute(sa.select(table.c.id, whole, table.c.revision))
            found |= {(table.name, row[0], row[1]): row[2] for row in rows}
    return found


def _events(connection: Connection) -> list[Any]:
    columns = (Event.id, Event.type, Event.resource_type, Event.resource_id)
    return list(connection.execute(sa.select(*(col(column) for column in columns))))


def _jobs(connection: Connection) -> set[str | None]:
    statement = sa.select(col(Job.key)).where(col(Job.kind) == DISPATCH.name)
    return {key for (key,) in connection.execute(statement)}


@contextmanager
def _listening(connection: Connection) -> Iterator[Told]:
    told, events = Told(), {event.id for event in _events(connection)}
    jobs, rows = _jobs(connection), _revisions(connection)
    yield told
    new = [event for event in _events(connection) if event.id not in events]
    asked = _jobs(connection) - jobs
    told.types = sorted(event.type for event in new)
    told.jobs = len(asked)
    told.without_job = len({f"event:{event.id.hex}" for event in new} - asked)
    ids = {event.resource_id for event in new}
    batches = {(event.resource_type, event.resource_id) for event in new}
    changed = {row for row, revision in _revisions(connection).items() if rows.get(row) != revision}
    told.untold = sorted(
        name
        for name, row_id, whole in changed
        if name not in PARTS and row_id not in ids and (name, whole) not in batches
    )


@dataclass
class Sender:
    """Sends each write in a savepoint of its own that is rolled back afterwards."""

    app: OpenQI
    database: Database
    connection: Connection
    world: World
    admin: Caller
    ids: dict[str, Any]

    @contextmanager
    def prepared(
        self, operation: Operation, document: dict[str, Any]
    ) -> Iterator[Callable[..., httpx.Response]]:
        savepoint = self.connection.begin_nested()
        try:
            with self.database.writing() as session:
                stage = Stage(self.app, self.admin, session, self.world, dict(self.ids))
                setup = SETUPS.get(operation.name)
                options = (setup(stage) if setup else {}) or _request(document)
                session.commit()
            path = operation.template.format_map(stage.ids)
            if path.endswith("/restore"):
                archived = self.admin.delete(path.removesuffix("/restore"))
                assert archived.status_code == 204, archived.text

            def send(**headers: str) -> httpx.Response:
                own = {"If-Match": "*", **options.get("headers", {}), **headers}
                return self.admin(operation.method, path, **(options | {"headers": own}))

            yield send
        finally:
            savepoint.rollback()


@pytest.fixture
def sender(
    app: OpenQI,
    database: Database,
    connection: Connection,
    world: World,
    call: Callable[..., Caller],
    session: Any,
) -> Sender:
    ids = _ids(session, world)["own"]
    return Sender(app, database, connection, world, call(world.admin), ids)


def _writes(app: OpenQI) -> list[tuple[Operation, dict[str, Any]]]:
    return [pair for pair in documented(app) if pair[0].method != "GET"]


def test_every_write_is_listed(bare_app: OpenQI) -> None:
    assert {operation.name for operation, _ in _writes(bare_app)} == set(EMITS)


def test_each_write_tells_what_is_listed(sender: Sender) -> None:
    found, wrong = {}, []
    for operation, document in _writes(sender.app):
        with sender.prepared(operation, document) as send:
            with _listening(sender.connection) as told:
                response = send()
            if not response.is_success:
                wrong.append(f"{operation}: {response.text}")
            if told.without_job or told.jobs != len(told.types):
                wrong.append(f"{operation}: {told.jobs} jobs for {told.types}")
            if told.untold:
                wrong.append(f"{operation}: nothing tells of {told.untold}")
        found[operation.name] = tuple(told.types)
    assert not wrong, "\n".join(wrong)
    assert found == EMITS, "\n".join(
        f"{name}: told {types}, listed {EMITS.get(name)}"
        for name, types in found.items()
        if types != EMITS.get(name)
    )


def test_a_replayed_key_tells_nothing_again(sender: Sender) -> None:
    replayed = 0
    for operation, document in _writes(sender.app):
        if operation.method != "POST" or not EMITS[operation.name]:
            continue
        with sender.prepared(operation, document) as send:
            key = {"Idempotency-Key": str(uuid.uuid4())}
            first = send(**key)
            if first.status_code == 400:  # what answers with a secret takes no key
                assert first.json()["code"] == "idempotency_key_refused", operation
                continue
            assert first.is_success, f"{operation}: {first.text}"
            with _listening(sender.connection) as told:
                again = send(**key)
            assert (told.types, told.jobs, told.untold) == ([], 0, []), operation
            if operation.name == ENDS_ITS_LOGIN:
                assert again.status_code == 401
                continue
            assert again.status_code == first.status_code, operation
            assert again.headers["Idempotency-Replayed"] == "true", operation
            replayed += 1
    assert replayed > 30


def test_a_stale_tag_leaves_no_event_and_no_job(sender: Sender) -> None:
    refused = 0
    for operation, document in _writes(sender.app):
        names = {item["name"] for item in document.get("parameters", ())}
        if "If-Match" not in names:
            continue
        with sender.prepared(operation, document) as send:
            with _listening(sender.connection) as told:
                response = send(**{"If-Match": '"999999"'})
            assert response.status_code == 412, f"{operation}: {response.text}"
            assert (told.types, told.jobs, told.untold) == ([], 0, []), operation
            refused += 1
    assert refused > 20


def test_an_invalid_body_leaves_no_event_and_no_job(sender: Sender) -> None:
    refused = 0
    for operation, document in _writes(sender.app):
        body = _request(document).get("json")
        if not isinstance(body, dict) or operation.name in SIGNED:
            continue
        path = operation.template.format_map(sender.ids)
        with _listening(sender.connection) as told:
            response = sender.admin(
                operation.method, path, json=body | {"typo": 1}, headers={"If-Match": "*"}
            )
        assert response.status_code == 422, f"{operation}: {response.text}"
        assert (told.types, told.jobs, told.untold) == ([], 0, []), operation
        refused += 1
    assert refused > 30


def test_what_fails_after_its_event_was_written_leaves_neither(sender: Sender) -> None:
    """The unique indexes refuse at the flush, the last row of a batch after the first ones."""
    admin, ids = sender.admin, sender.ids
    organisation = {"name": "Elm", "kind": "gp_practice", "ods_code": "X12345"}
    admin.create("/organisations", organisation)
    point = {"period_start": "2018-01-01", "numerator": 1, "denominator": 2}
    fresh = {"period_start": "2018-05-07", "numerator": 1, "denominator": 2}
    points = f"/measures/{ids['measure_id']}/data-points"
    conflicts: list[tuple[str, dict[str, Any], int]] = [
        ("/organisations", organisation, 409),
        (points, point, 409),
        (f"{points}/bulk", {"mode": "insert", "items": [fresh, point]}, 422),
        (f"{points}/bulk", {"items": [fresh, point | {"numerator": 3}]}, 422),
        (f"/measures/{ids['measure_id']}/exclusions",
         {"periods": ["2018-01-01", "2018-05-07"], "reason": "Flood"}, 422),
        (f"/pdsa-cycles/{ids['cycle_id']}/transitions", {"to": "doing"}, 409),
    ]  # fmt: skip
    for path, body, status in conflicts:
        with _listening(sender.connection) as told:
            response = admin.post(path, body)
        assert response.status_code == status, f"{path}: {response.text}"
        assert (told.types, told.jobs, told.untold) == ([], 0, []), path


def test_a_batch_is_one_event_with_its_counts(sender: Sender) -> None:
    path = f"/measures/{sender.ids['measure_id']}/data-points/bulk"
    rows = [
        {"period_start": f"2018-01-{day:02}", "numerator": 1, "denominator": 2}
        for day in range(1, 29)
    ]
    with _listening(sender.connection) as told:
        assert sender.admin.post(path, {"items": rows}).status_code == 200
    assert (told.types, told.jobs) == (["data_point.recorded"], 1)
    statement = sa.select(col(Event.payload)).where(col(Event.type) == "data_point.recorded")
    (payload,) = sender.connection.execute(statement).scalars()
    data = json.loads(payload)["data"]
    assert {name: data[name] for name in ("created", "updated", "archived")} == {
        "created": 27,
        "updated": 1,
        "archived": 0,
    }
    with _listening(sender.connection) as told:
        assert sender.admin.post(path, {"items": rows}).json()["unchanged"] == 28
    assert (told.types, told.jobs) == ([], 0)


def test_the_command_line_tells_too(
    app: OpenQI, database: Database, connection: Connection
) -> None:
    with _listening(connection) as told, database.transaction() as session:
        bootstrap.create_administrator(
            session,
            passwords=app.state.passwords,
            email="first@example.org",
            display_name="First",
            password="four quiet herons wading",
        )
    assert (told.types, told.jobs) == (["membership.created", "user.created"], 2)
    assert (told.without_job, told.untold) == (0, [])


def test_the_demonstration_tells_of_all_that_it_makes(
    app: OpenQI, database: Database, connection: Connection
) -> None:
    with _listening(connection) as told:
        barnet.load(database, app.state.passwords, password="four quiet herons wading")
    kinds = Counter(name.split(".")[0] for name in told.types)
    assert {"programme", "participant", "team", "project", "measure", "data_point"} <= set(kinds)
    assert told.jobs == len(told.types) > 100
    assert (told.without_job, told.untold) == (0, [])
