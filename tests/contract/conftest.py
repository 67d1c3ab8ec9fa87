"""Two further applications: one without a database of its own, one whose writes are committed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from app.identity.models import User
from app.kit import migrations
from app.kit.db import Database
from app.main import OpenQI, create_app
from app.settings import Settings
from tests.calling import Caller
from tests.world import World, make_world


@pytest.fixture
def bare_app(built_app: OpenQI) -> OpenQI:
    """For what the routes and the document say; its database is empty."""
    return built_app


@pytest.fixture
def bare_client(bare_app: OpenQI) -> Iterator[TestClient]:
    with TestClient(bare_app, raise_server_exceptions=False) as client:
        yield client


@dataclass
class Live:
    """The application as it is served: pooled connections and real commits."""

    app: OpenQI
    client: TestClient
    database: Database
    world: World

    def call(self, user: User) -> Caller:
        """A client that is logged in as this person."""
        with self.database.writing() as session:
            caller = Caller.logged_in(self.client, self.app, session, user)
            session.commit()
        return caller

    @property
    def admin(self) -> Caller:
        return self.call(self.world.admin)


@pytest.fixture(scope="module")
def live_url(
    backend: str, new_database_url: Callable[[str, str], str], request: pytest.FixtureRequest
) -> str:
    """A database of the module's own: pytest may leave a module and come back to it."""
    url = new_database_url(backend, request.module.__name__.rsplit(".", 1)[-1])
    migrations.upgrade(url)
    return url


@pytest.fixture
def live(live_url: str, settings: Settings) -> Iterator[Live]:
    """On a database of its own, which keeps what the tests of a module write."""
    app = create_app(settings.model_copy(update={"database_url": live_url}))
    database: Database = app.state.database
    with database.transaction() as session:
        world = make_world(session)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Live(app, client, database, world)
