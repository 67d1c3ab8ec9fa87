"""A disk that is full refuses writes with a problem, keeps what it has, and recovers by itself."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import col, select
from starlette.testclient import TestClient

from app.events.models import Event
from app.kit import migrations
from app.kit.database_errors import is_full
from app.kit.db import Database
from app.main import OpenQI, create_app
from app.organisations.models import Organisation
from app.settings import Settings
from tests.calling import Caller
from tests.disks import fill, small_disk
from tests.world import make_world

SCOPE = "organisation:read"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=6) as folder:
        yield folder


def _application(url: str, settings: Settings) -> tuple[OpenQI, Caller, TestClient]:
    migrations.upgrade(url)
    app = create_app(settings.model_copy(update={"database_url": url}))
    with app.state.database.writing() as session:
        world = make_world(session)
        client = TestClient(app, raise_server_exceptions=False)
        return app, Caller.logged_in(client, app, session, world.admin), client


def _assert_full(caller: Caller, reader: Caller) -> None:
    response = caller.post("/organisations", {"name": "Full", "kind": "gp_practice"})
    assert response.status_code == 503, response.text
    assert response.json()["code"] == "storage_full"
    assert int(response.headers["Retry-After"]) >= 30
    assert caller.get("/organisations").status_code == 200
    assert reader.get("/organisations").status_code == 200  # its first use cannot be noted
    assert caller.get("/health/ready").json()["warnings"] == ["storage_full"]


def _assert_whole(database: Database, made: list[str]) -> None:
    """Every organisation that was answered for is there with its event, and no other."""
    with database.reading() as session:
        kept = session.exec(select(Organisation.id).where(col(Organisation.name) == "Full")).all()
        told = session.exec(
            select(Event.resource_id).where(
                Event.type == "organisation.created", col(Event.resource_id).in_(kept)
            )
        ).all()
        assert session.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
    assert sorted(map(str, kept)) == sorted(map(str, told)) == sorted(made)


def test_a_small_file_system(disk: Path, settings: Settings) -> None:
    app, caller, client = _application(f"sqlite:///{disk}/openqi.db", settings)
    with client:
        body = {"name": "Full", "kind": "gp_practice"}
        made, reader = [caller.create("/organisations", body)["id"]], caller.with_token(SCOPE)
        filler = fill(disk)
        _assert_full(caller, reader)
        filler.unlink()
        made.append(caller.create("/organisations", body)["id"])
        _assert_whole(app.state.database, made)


def test_a_limit_of_the_size(tmp_path: Path, settings: Settings) -> None:
    app, caller, client = _application(f"sqlite:///{tmp_path}/openqi.db", settings)
    engine = app.state.database.write_engine

    def limit(pages: int) -> None:
        """Of the one connection that writes."""
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    with client:
        body = {"name": "Full", "kind": "gp_practice"}
        made, reader = [], caller.with_token(SCOPE)
        limit(1)  # as large as it is now
        while (response := caller.post("/organisations", body)).status_code == 201:
            made.append(response.json()["id"])
            assert len(made) < 500
        _assert_full(caller, reader)
        limit(1_000_000)
        made.append(caller.create("/organisations", body)["id"])
        _assert_whole(app.state.database, made)


def test_a_full_disk_of_postgresql_is_told_from_other_faults() -> None:
    def wrapped(fault: Exception) -> sa.exc.DBAPIError:
        return sa.exc.OperationalError("INSERT", {}, fault)

    assert is_full(wrapped(psycopg.errors.DiskFull("could not extend file")))
    told = "connection failed: FATAL:  could not write init file: No space left on device"
    assert is_full(wrapped(psycopg.OperationalError(told)))
    assert not is_full(wrapped(psycopg.OperationalError("connection refused")))
    assert not is_full(wrapped(psycopg.errors.LockNotAvailable("canceling statement")))
