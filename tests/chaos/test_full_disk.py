"""PostgreSQL on a full disk: writes are refused whole, reads go on, work waits and is done once."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from starlette.testclient import TestClient

from app.events.models import Event
from app.jobs import working as working_module
from app.jobs.claiming import claim, extend
from app.jobs.models import DeadJob, Job
from app.jobs.settling import settle, settle_together
from app.kit import migrations
from app.kit.database_errors import is_full
from app.kit.db import make_engine
from app.main import OpenQI, create_app
from app.settings import Settings
from app.teams.models import Team
from app.webhooks.models import DeliveryState, WebhookDelivery
from app.worker import working
from tests.calling import Caller
from tests.disks import fill, small_disk
from tests.jobs.running import QUICK, in_loop, is_idle, until
from tests.webhooks.receiving import Receiver, receiving
from tests.world import make_world

MEGABYTES = 64
DISPATCHED, WAITING = 150, 150
KEY = {"Idempotency-Key": "a write that is tried until there is room"}
WRITES = (claim, extend, settle, settle_together)
KINDS = ("event.dispatch", "webhook.deliver")


@pytest.fixture
def disk(postgres_url: str) -> Iterator[Path]:
    """A small file system that belongs to the user of the server, who is another one than ours."""
    engine = make_engine(postgres_url)
    with engine.connect() as connection:
        data = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
    engine.dispose()
    if not data.exists():
        pytest.skip("the server of PostgreSQL is not on this machine")
    owner = data.stat()
    with tempfile.TemporaryDirectory(prefix="openqi-disk-") as folder:
        Path(folder).chmod(0o755)
        with small_disk(Path(folder) / "disk", megabytes=MEGABYTES) as mounted:
            os.chown(mounted, owner.st_uid, owner.st_gid)
            yield mounted


@pytest.fixture
def url(
    disk: Path, postgres_url: str, new_database_url: Callable[[str, str], str]
) -> Iterator[str]:
    """A database that lies there; the server's log of writes lies elsewhere."""
    place = disk / "tablespace"
    place.mkdir()
    os.chown(place, disk.stat().st_uid, disk.stat().st_gid)
    url = new_database_url("postgres", "full_disk")
    database = sa.make_url(url).database
    engine = make_engine(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLESPACE openqi_small LOCATION '{place}'")
        connection.exec_driver_sql(f'ALTER DATABASE "{database}" SET TABLESPACE openqi_small')
        migrations.upgrade(url)
        yield url
        connection.exec_driver_sql(f'DROP DATABASE "{database}" WITH (FORCE)')
        connection.exec_driver_sql("DROP TABLESPACE openqi_small")
    engine.dispose()


@dataclass
class Scene:
    """An application on that database, an endpoint, and what was answered with 201."""

    app: OpenQI
    caller: Caller
    path: str
    made: list[str] = field(default_factory=list)

    def write(self, **headers: str) -> Any:
        """Make a team; whatever was answered."""
        answer = self.caller.post(self.path, {"name": f"Ward {len(self.made)}"}, **headers)
        if answer.status_code == 201:
            self.made.append(answer.json()["id"])
        return answer

    def count(self, *wanted: Any) -> int:
        with self.app.state.database.reading() as session:
            return int(session.exec(select(sa.func.count()).where(*wanted)).one())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def scene(url: str, settings: Settings, receiver: Receiver) -> Iterator[Scene]:
    local = {"webhook_allow_nets": ["127.0.0.0/8"], "webhook_allow_http": True}
    app = create_app(settings.model_copy(update={"database_url": url, **local}))
    with app.state.database.writing() as session:
        world = make_world(session)
        client = TestClient(app, raise_server_exceptions=False)
        caller = Caller.logged_in(client, app, session, world.admin)
        programme_id = str(world.programme.id)
    with client:
        body = {"programme_id": programme_id, "url": receiver.url, "event_types": ["team.created"]}
        caller.create("/webhook-endpoints", body)
        yield Scene(app, caller, f"/programmes/{programme_id}/teams")


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of the worker's writes found no room."""
    found: list[str] = []

    def noting(write: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **named: Any) -> Any:
            try:
                return write(*arguments, **named)
            except DBAPIError as fault:
                found.append(write.__name__ if is_full(fault) else str(fault))
                raise

        return noted

    for write in WRITES:
        monkeypatch.setattr(working_module, write.__name__, noting(write))
    return found


def _fill(scene: Scene, disk: Path) -> Path:
    """Until a write is refused: the pages that are there have room for some more."""
    filler = fill(disk)
    for _ in range(2_000):
        if scene.write().status_code != 201:
            return filler
    raise AssertionError("there was always room")


def _is_dispatched(scene: Scene) -> bool:
    return scene.count(col(Job.kind) == "event.dispatch") == 0


@in_loop
async def test_a_disk_that_fills_and_is_made_room_on(
    scene: Scene, disk: Path, receiver: Receiver, refused: list[str]
) -> None:
    reader = scene.caller.with_token("programme:read")  # its first use is noted: a write
    parts = scene.app.state.parts
    for _ in range(DISPATCHED):
        assert scene.write().status_code == 201
    async with working(parts, queues=["event"], pace=QUICK):
        await until(lambda: _is_dispatched(scene))
    for _ in range(WAITING):
        assert scene.write().status_code == 201
    filler = _fill(scene, disk)
    _assert_refused(scene, reader)
    async with working(parts, pace=QUICK):
        await until(lambda: len(refused) >= 5)
        assert set(refused) <= {write.__name__ for write in WRITES}
        assert scene.count(DeadJob.id != None) == 0  # noqa: E711
        _assert_refused(scene, reader)
        filler.unlink()
        assert scene.write(**KEY).status_code == 201
        await until(lambda: scene.count(col(Job.kind).in_(KINDS)) == 0, seconds=60)
    await until(lambda: is_idle(scene.app.state.database))
    _assert_whole(scene, receiver)


def _assert_refused(scene: Scene, reader: Caller) -> None:
    answer = scene.write(**KEY)
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "storage_full"
    assert int(answer.headers["Retry-After"]) >= 30
    assert scene.caller.get(scene.path).status_code == 200
    assert reader.get("/programmes").status_code == 200
    ready = scene.caller.get("/health/ready")
    assert (ready.status_code, ready.json()["reasons"]) == (200, [])
    assert "storage_full" in ready.json()["warnings"]


def _assert_whole(scene: Scene, receiver: Receiver) -> None:
    """What was answered for is there, with its event and its one delivery, and nothing else."""
    with scene.app.state.database.reading() as session:
        teams = session.exec(select(Team.id).where(col(Team.name).like("Ward %"))).all()
        events = session.exec(
            select(Event.id, Event.resource_id).where(Event.type == "team.created")
        ).all()
        states = session.exec(select(WebhookDelivery.state)).all()
    made = Counter(scene.made)
    assert Counter(str(each) for _, each in events) == made
    assert Counter(map(str, teams)) == made
    assert Counter(one.headers["webhook-id"] for one in receiver.received) == Counter(
        f"evt_{each.hex}" for each, _ in events
    )
    assert Counter(states) == {DeliveryState.SUCCEEDED: len(events)}
    assert scene.count(DeadJob.id != None) == 0  # noqa: E711
