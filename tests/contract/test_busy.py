"""A busy or broken database is 503 or 500 in the shape of every problem, and tells no secret."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.kit import db
from app.kit.db import make_engine
from app.kit.problems import MEDIA_TYPE
from app.main import create_app
from app.settings import Settings
from tests.calling import Caller
from tests.contract.conftest import Live
from tests.world import make_world


@pytest.fixture
def impatient(live_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The same application with one connection and waits of a fifth of a second."""
    monkeypatch.setattr(db, "POOL_SIZE", 1)
    monkeypatch.setattr(db, "POOL_OVERFLOW", 0)
    monkeypatch.setattr(db, "POOL_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(db, "SQLITE_PRAGMAS", db.SQLITE_PRAGMAS | {"busy_timeout": "200"})
    options = db.POSTGRES_OPTIONS.replace("lock_timeout=5000", "lock_timeout=200")
    monkeypatch.setattr(db, "POSTGRES_OPTIONS", options)
    app = create_app(settings.model_copy(update={"database_url": live_url}))
    with app.state.database.transaction() as session:
        world = make_world(session)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Live(app, client, app.state.database, world)


def _assert_busy(caller: Caller, method: str, path: str, **options: object) -> None:
    response = caller(method, path, **options)
    assert response.status_code == 503, response.text
    assert response.headers["Content-Type"] == MEDIA_TYPE
    assert int(response.headers["Retry-After"]) >= 1
    assert response.json()["code"] == "unavailable"
    for secret in ("sqlite", "psycopg", "SELECT", "QueuePool", "locked"):
        assert secret not in response.text


def test_a_read_without_a_free_connection(impatient: Live) -> None:
    admin = impatient.admin
    with impatient.database.read_engine.connect():
        _assert_busy(admin, "GET", "/organisations")
    assert admin.get("/organisations").status_code == 200


def test_a_write_without_a_free_connection(impatient: Live) -> None:
    admin, body = impatient.admin, {"name": "Elm", "kind": "gp_practice"}
    with impatient.database.write_engine.connect():
        _assert_busy(admin, "POST", "/organisations", json=body)
    assert admin.post("/organisations", body).status_code == 201


def test_a_row_that_another_transaction_holds(impatient: Live, live_url: str) -> None:
    admin = impatient.admin
    made = admin.create("/organisations", {"name": "Elm", "kind": "gp_practice"})
    path = f"/organisations/{made['id']}"
    other = make_engine(live_url)
    with other.connect() as connection, connection.begin():
        table = sa.table("organisation", sa.column("area"))
        connection.execute(sa.update(table).values(area="Held"))
        headers = {"If-Match": '"1"'}
        _assert_busy(admin, "PATCH", path, json={"area": "West"}, headers=headers)
        connection.rollback()
    other.dispose()
    assert admin.patch(path, {"area": "West"}, '"1"').status_code == 200


def test_a_database_that_is_away(impatient: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = impatient.admin

    def refuse() -> None:
        raise sa.exc.OperationalError(
            "SELECT 1", {}, OSError("connection to server at db.example failed: password hunter2")
        )

    monkeypatch.setattr(impatient.database, "reading", refuse)
    response = admin.get("/organisations")
    assert response.status_code == 503
    assert "hunter2" not in response.text
    assert "db.example" not in response.text
    ready = admin.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json() == {
        "status": "unavailable",
        "reasons": ["database_unreachable"],
        "warnings": [],
        "worker": {},
    }
    assert admin.get("/health/live").status_code == 200


def test_a_database_without_the_schema(bare_client: TestClient) -> None:
    ready = bare_client.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["reasons"] == ["schema_not_current"]
