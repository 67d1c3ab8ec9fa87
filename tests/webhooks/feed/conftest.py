"""A database of its own, with real commits: for transactions that overlap, and for a server."""

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


@dataclass
class Stage:
    """The application on committed data, and a world in it."""

    app: OpenQI
    database: Database
    world: World

    def token(self, user: User) -> str:
        """An access token of a login of that person."""
        with self.database.writing() as session:
            caller = Caller.logged_in(TestClient(self.app), self.app, session, user)
        assert caller.token is not None
        return caller.token


@pytest.fixture(scope="module")
def stage_url(
    backend: str, new_database_url: Callable[[str, str], str], request: pytest.FixtureRequest
) -> str:
    """A database of the module's own."""
    url = new_database_url(backend, request.module.__name__.rsplit(".", 1)[-1])
    migrations.upgrade(url)
    return url


@pytest.fixture
def stage(stage_url: str, settings: Settings) -> Iterator[Stage]:
    """It keeps what the tests of a module write."""
    app = create_app(settings.model_copy(update={"database_url": stage_url}))
    database: Database = app.state.database
    with database.transaction() as session:
        world = make_world(session)
    yield Stage(app, database, world)
    database.dispose()
