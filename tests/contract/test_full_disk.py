"""A disk that is full refuses writes with a problem, keeps what it has, and recovers by itself."""

import os
import subprocess
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
from tests.world import make_world

MEGABYTES = 6


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "openqi-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here; the size limit below is tested")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def _application(url: str, settings: Settings) -> tuple[OpenQI, Caller, TestClient]:
    migrations.upgrade(url)
    app = create_app(settings.model_copy(update={"database_url": url}))
    with app.state.database.writing() as session:
        world = make_world(session)
        client = TestClient(app, raise_server_exceptions=False)
        return app, Caller.logged_in(client, app, session, world.admin), client


def _assert_full(caller: Caller) -> None:
    response = caller.post("/organisations", {"name": "Full", "kind": "gp_practice"})
    assert response.status_code == 503, response.text
    assert response.json()["code"] == "storage_full"
    assert int(response.headers["Retry-After"]) >= 30
    assert caller.get("/organisations").status_code == 200


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


def test_a_small_file_system(small_disk: Path, settings: Settings) -> None:
    app, caller, client = _application(f"sqlite:///{small_disk}/openqi.db", settings)
    with client:
        body = {"name": "Full", "kind": "gp_practice"}
        made = [caller.create("/organisations", body)["id"]]
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (65_536, 512):
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue
        _assert_full(caller)
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
        made = []
        limit(1)  # as large as it is now
        while (response := caller.post("/organisations", body)).status_code == 201:
            made.append(response.json()["id"])
            assert len(made) < 500
        _assert_full(caller)
        limit(1_000_000)
        made.append(caller.create("/organisations", body)["id"])
        _assert_whole(app.state.database, made)


def test_a_full_disk_of_postgresql_is_told_from_other_faults() -> None:
    def wrapped(fault: Exception) -> sa.exc.DBAPIError:
        return sa.exc.OperationalError("INSERT", {}, fault)

    assert is_full(wrapped(psycopg.errors.DiskFull("could not extend file")))
    assert not is_full(wrapped(psycopg.errors.LockNotAvailable("canceling statement")))
