"""What a process works off: every kind has its handler, the worker inside a server, its end."""

import asyncio
import importlib
import pkgutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session

import app
from app import worker
from app.access.permissions import Role
from app.events.catalogue import Resource, Verb
from app.events.outbox import Origin, record
from app.identity.models import LoginSession
from app.jobs.handlers import Outcome, Outgoing, Together, Work
from app.jobs.kinds import Kind
from app.jobs.pace import SLOTS
from app.jobs.working import Worker
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.ids import new_id
from app.kit.outbound import Outbound
from app.main import create_app
from app.parts import Parts, make_parts
from app.settings import Settings
from tests.builders import make_membership, make_programme, make_user
from tests.jobs.asking import ask, did, keep
from tests.serving import serving
from tests.test_cli import PATIENCE_SECONDS, environment, run

CROWD = 60


@pytest.fixture
def url(backend: str, new_database_url: Callable[[str, str], str]) -> str:
    url = new_database_url(backend, "worker")
    migrations.upgrade(url)
    return url


@pytest.fixture
def postgres_worker_url(new_database_url: Callable[[str, str], str]) -> str:
    url = new_database_url("postgres", "worker_alone")
    migrations.upgrade(url)
    return url


def _kinds() -> dict[str, Kind]:
    """Every kind that the application declares."""
    found = {}
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name != "app.__main__":
            for thing in vars(importlib.import_module(module.name)).values():
                if isinstance(thing, Kind):
                    found[thing.name] = thing
    return found


def test_every_kind_has_one_handler(settings: Settings) -> None:
    parts = make_parts(settings.model_copy(update={"database_url": "sqlite://"}))
    outbound = Outbound(parts.policy)
    handlers = worker.handlers_of(parts, outbound, lambda: False)
    names = [handler.kind.name for handler in handlers]
    assert sorted(names) == sorted(_kinds())
    assert {handler.kind.queue for handler in handlers} <= SLOTS.keys()
    assert {cron.kind.name for cron in worker.CRONS} <= set(names)
    assert len({cron.name for cron in worker.CRONS}) == len(worker.CRONS)
    asyncio.run(outbound.aclose())
    parts.database.dispose()


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def _process(
    folder: Path, url: str, *arguments: str, **more: str
) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until SIGTERM, which it must obey without a traceback."""
    port = _free_port()
    more |= {"OPENQI_DATABASE_URL": url, "PORT": port}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        cwd=folder,
        env=environment(folder, **more),
        stderr=subprocess.PIPE,
        text=True,
    )
    process.port = port  # type: ignore[attr-defined]
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert "Traceback" not in errors, errors
        assert process.returncode in (0, -signal.SIGTERM)  # uvicorn dies of it once all is done
    finally:
        process.kill()
        process.wait()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def _serves(process: Any) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{process.port}/health/live").status_code == 200
    except httpx.HTTPError:
        return False


def _happen(database: Database, count: int = 3) -> None:
    with database.transaction() as session:
        for _ in range(count):
            record(
                session,
                noun=Resource.ORGANISATION,
                verb=Verb.CREATED,
                resource_id=new_id(),
                revision=1,
                programme_id=None,
                origin=Origin(),
                now=utc_now(),
            )


def _numbered(database: Database) -> int:
    with database.reading() as session:
        return int(session.execute(sa.text("SELECT count(seq) FROM event")).scalar_one())


def test_a_server_works_too_and_ends_in_good_order(tmp_path: Path, url: str) -> None:
    database = Database(url)
    _happen(database)
    with _process(tmp_path, url, "serve") as process:
        _until(lambda: _serves(process))
        _until(lambda: _numbered(database) == 3)
    database.dispose()


def test_a_server_without_a_worker_and_a_worker_beside_it(
    tmp_path: Path, postgres_worker_url: str
) -> None:
    url = postgres_worker_url
    database = Database(url)
    _happen(database)
    with (
        _process(tmp_path, url, "serve", "--no-worker") as server,
        _process(tmp_path, url, "worker", "--queues", "mail,cron"),
    ):
        _until(lambda: _serves(server) and _schedules(database) > 0)
        assert _numbered(database) == 0  # neither of them works for the queue of events
        with _process(tmp_path, url, "worker", "--queues", "event"):
            _until(lambda: _numbered(database) == 3)
    database.dispose()


def _scrape(port: str, **headers: str) -> dict[tuple[str, ...], float]:
    """Every number by its name and the values of its labels; nothing where nobody answers."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", headers=headers)
    except httpx.TransportError:
        return {}
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text if answer.is_success else "")
        for sample in family.samples
    }


def test_a_worker_alone_tells_its_metrics(tmp_path: Path, postgres_worker_url: str) -> None:
    url, port = postgres_worker_url, _free_port()
    database = Database(url)
    _happen(database)
    ask(database, Kind("mail.send", queue="mail"), at=None)
    settings = {"OPENQI_METRICS_PORT": port, "OPENQI_METRICS_TOKEN": "s3cret"}
    bearer = {"Authorization": "Bearer s3cret"}
    with _process(tmp_path, url, "worker", "--queues", "event", **settings):
        _until(
            lambda: (
                _scrape(port, **bearer).get(("openqi_job_seconds_count", "event.dispatch", "done"))
                == 3
            )
        )
        _until(lambda: _scrape(port, **bearer)["openqi_events_undispatched",] == 0)
        found = _scrape(port, **bearer)
        assert found["openqi_jobs_claimed_total", "event.dispatch"] == 3
        assert found["openqi_jobs_due", "mail"] == 1  # it is not for this worker, and yet told
        assert found["openqi_database_up",] == 1
        assert _scrape(port) == {}
    database.dispose()


def test_a_port_of_metrics_that_is_taken(tmp_path: Path, postgres_worker_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        more = {"OPENQI_DATABASE_URL": postgres_worker_url, "OPENQI_METRICS_PORT": port}
        result = run(tmp_path, "worker", **more)
    assert result.returncode == 1, result.stderr
    assert f"127.0.0.1:{port} cannot be listened on" in result.stderr
    assert "choose another OPENQI_METRICS_PORT" in result.stderr
    assert "Traceback" not in result.stderr


def _schedules(database: Database) -> int:
    with database.reading() as session:
        return int(session.execute(sa.text("SELECT count(*) FROM schedule")).scalar_one())


@pytest.mark.parametrize(
    ("database", "arguments", "sentence"),
    [
        ("sqlite", (), "worker inside `openqi serve`"),
        ("postgresql://x@127.0.0.1:1/x", ("--queues", "mail,letters"), "no queue 'letters'"),
        ("postgresql://x@127.0.0.1:1/x", (), "cannot be used"),
    ],
)
def test_a_worker_that_is_refused(
    tmp_path: Path, database: str, arguments: tuple[str, ...], sentence: str
) -> None:
    more = {"OPENQI_DATABASE_URL": database} if database != "sqlite" else {}
    result = run(tmp_path, "worker", *arguments, **more)
    assert result.returncode == 1, result.stderr
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


CALL = Kind("test.call", queue="webhook")
BATCH = Kind("test.batch", queue="event")


def _busy_handlers() -> list[Any]:
    def load(session: Session, works: Sequence[Work]) -> Mapping[int, Any]:
        return {}

    async def call(work: Work, _loaded: Any) -> Outcome:
        await asyncio.sleep(0.005)
        return did("call")

    def apply(session: Session, works: Sequence[Work]) -> None:
        keep(session, ["batch" for _ in works])

    return [Outgoing(CALL, load, call), Together(BATCH, apply)]


def test_a_crowd_that_writes_while_the_worker_is_busy(url: str, settings: Settings) -> None:
    """On SQLite there is one writer: neither the requests nor the worker may starve the other."""

    @asynccontextmanager
    async def busy(parts: Parts) -> AsyncIterator[None]:
        working = Worker(parts.database, _busy_handlers())
        task = asyncio.create_task(working.run())
        yield
        working.stop()
        await task

    served = create_app(settings.model_copy(update={"database_url": url}), background=busy)
    database = served.state.database
    path, token = _prepare(served)
    ask(database, CALL, 2_000, at=None)
    ask(database, BATCH, 2_000, at=None)
    with (
        serving(served) as address,
        httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {token}"},
            limits=httpx.Limits(max_connections=CROWD),
            timeout=30,
        ) as client,
        ThreadPoolExecutor(CROWD) as crowd,
    ):
        before = _left(url)
        create = crowd.map(
            lambda number: client.post(path, json={"title": f"Session {number}"}), range(CROWD)
        )
        answers = list(create)
        during = before - _left(url)
        assert {answer.status_code for answer in answers} == {201}
        assert during > 0  # the worker went on meanwhile
        _until(lambda: _left(url) == 0)
    looking = Database(url)
    with looking.reading() as session:
        counted = session.execute(sa.text("SELECT what, count(*) FROM effect GROUP BY what"))
        assert dict(tuple(row) for row in counted) == {"batch": 2_000, "call": 2_000}
    looking.dispose()


def _prepare(served: Any) -> tuple[str, str]:
    now = utc_now()
    with served.state.database.writing() as session:
        session.execute(sa.text("CREATE TABLE effect (what TEXT NOT NULL)"))
        admin = make_user(session)
        make_membership(session, user=admin, role=Role.PLATFORM_ADMIN)
        programme = make_programme(session)
        login = LoginSession(user_id=admin.id, expires_at=now + timedelta(hours=1))
        session.add(login)
        session.commit()
        token = served.state.tokens.issue(user_id=admin.id, session_id=login.id, now=now)
        return f"/api/v1/programmes/{programme.id}/sessions", token


def _left(url: str) -> int:
    """How many of the busy worker's jobs wait."""
    database = Database(url)
    with database.reading() as session:
        count = session.execute(sa.text("SELECT count(*) FROM job WHERE kind LIKE 'test.%'"))
        left = int(count.scalar_one())
    database.dispose()
    return left
