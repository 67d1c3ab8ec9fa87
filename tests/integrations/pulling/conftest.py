"""A connection of the world's programme to another server, and the server."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlmodel import Session
from starlette.types import Receive, Scope, Send

from app.integrations.actions import ask_for_pulls
from app.integrations.models import Integration
from app.integrations.secrets import seal_token
from app.jobs.handlers import Outcome
from app.kit.db import Database
from tests.exchange import make_openqi_integration
from tests.integrations.pulling.fetching import SEALER, fetch
from tests.integrations.pulling.other import Other
from tests.serving import serving
from tests.world import World

TOKEN = "qipat_of-the-other-server"
Pull = Callable[[], list[Outcome]]


@dataclass
class _Stage:
    """One server for all tests: starting and stopping one takes half a second."""

    other: Other = field(default_factory=Other)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.other(scope, receive, send)


@pytest.fixture(scope="session")
def staged() -> Iterator[tuple[_Stage, str]]:
    stage = _Stage()
    with serving(stage) as address:
        yield stage, address


@pytest.fixture
def other(staged: tuple[_Stage, str]) -> Other:
    stage, _ = staged
    stage.other = Other()
    return stage.other


@pytest.fixture
def address(staged: tuple[_Stage, str], other: Other) -> str:
    return staged[1]


@pytest.fixture
def integration(session: Session, world: World, address: str) -> Integration:
    row = make_openqi_integration(
        session, programme=world.programme, owner_id=world.facilitator.id, base_url=address
    )
    row.token = seal_token(SEALER, row.id, TOKEN)
    session.add(row)
    session.commit()
    return row


@pytest.fixture
def pull(session: Session, database: Database, integration: Integration, other: Other) -> Pull:
    """Ask for the other server's project, and let it be fetched."""

    def run() -> list[Outcome]:
        ask_for_pulls(session, integration, [other.project_id])
        session.commit()
        outcomes = fetch(database)
        session.expire_all()
        return outcomes

    return run
