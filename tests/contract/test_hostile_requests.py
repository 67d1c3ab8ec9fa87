"""Every row of the hostile table over the wire to a real server on both databases: never a 500."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.builders import make_measure, make_organisation, make_session
from tests.calling import Caller
from tests.contract.conftest import Live
from tests.contract.hostile_table import ROWS
from tests.contract.wire import Hostile, send
from tests.exchange import make_integration
from tests.serving import serving
from tests.world import make_world


@pytest.fixture(scope="module")
def server(live_url: str, settings: Settings) -> Iterator[tuple[str, Live]]:
    app = create_app(settings.model_copy(update={"database_url": live_url}))
    with app.state.database.transaction() as session:
        world = make_world(session)
    with serving(app) as base:
        yield base, Live(app, TestClient(app), app.state.database, world)


def _turned(cursor: str) -> str:
    """The cursor with one bit of its last value turned."""
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[-5] ^= 1
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _cursor(caller: Caller) -> str:
    cursor: str = caller.ok("/organisations", limit=1)["next_cursor"]
    return cursor


@pytest.fixture(scope="module")
def names(server: tuple[str, Live]) -> dict[str, Any]:
    """What the names in the table stand for."""
    _, live = server
    world, admin = live.world, live.admin
    with live.database.transaction() as session:
        organisation = make_organisation(session)
        measure = make_measure(session, project=world.project)
        learning_session = make_session(session, programme=world.programme)
        integration = make_integration(session, programme=world.programme)
    cursor = _cursor(admin)
    body = {"name": "Elm", "kind": "gp_practice"}
    assert admin.post("/organisations", body, **{"Idempotency-Key": "fixed"}).status_code == 201
    return {
        "organisation": organisation.id,
        "programme": world.programme.id,
        "measure": measure.id,
        "project": world.project.id,
        "session": learning_session.id,
        "integration": integration.id,
        "token": admin.token,
        "cursor": cursor,
        "turned": _turned(cursor),
        "short": cursor[:-7],
        "foreign": _cursor(live.call(world.facilitator)),
    }


@pytest.fixture
def ask(server: tuple[str, Live], names: dict[str, Any]) -> Callable[[Hostile], Any]:
    return lambda row: send(server[0], row, token=names["token"], names=names)


@pytest.mark.parametrize("row", ROWS, ids=[row.label for row in ROWS])
def test_a_hostile_request(ask: Callable[[Hostile], Any], row: Hostile) -> None:
    answer = ask(row)
    assert answer.status in row.statuses, answer.body[:500]
    if row.code is not None:
        assert answer.code == row.code
    if answer.status >= 400 and answer.code is None:
        # Refused before the application saw it, or by the rules of OAuth.
        assert answer.body.startswith((b"Invalid HTTP request", b'{"error":'))
    assert len(answer.body) < 1_000_000
    assert b"Traceback" not in answer.body
    assert b"hunter2" not in answer.body


def test_the_table_is_large_and_its_labels_are_unique() -> None:
    assert len(ROWS) >= 150
    assert len({row.label for row in ROWS}) == len(ROWS)


def test_the_server_is_well_after_all_that(server: tuple[str, Live]) -> None:
    _, live = server
    ready = live.admin.get("/health/ready").json()
    assert (ready["status"], ready["reasons"]) == ("ok", [])
