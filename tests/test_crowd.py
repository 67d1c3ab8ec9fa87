"""Many requests at once: none may wait for a thread that waits for it, on either database."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2 as httpx
import pytest

from app.access.permissions import Role
from app.identity.models import LoginSession
from app.kit import migrations
from app.kit.clock import utc_now
from app.main import create_app
from app.settings import Settings
from tests.builders import make_membership, make_programme, make_user
from tests.serving import serving

CROWD = 60  # several times the threads and the connections of the server


@pytest.fixture
def served(
    backend: str, new_database_url: Callable[[str, str], str], settings: Settings
) -> Iterator[tuple[httpx.Client, str]]:
    """A served application of its own, and the path of a programme's sessions."""
    url = new_database_url(backend, "crowd")
    migrations.upgrade(url)
    app = create_app(settings.model_copy(update={"database_url": url}))
    now = utc_now()
    with app.state.database.writing() as session:
        admin = make_user(session)
        make_membership(session, user=admin, role=Role.PLATFORM_ADMIN)
        programme = make_programme(session)
        login = LoginSession(user_id=admin.id, expires_at=now + timedelta(hours=1))
        session.add(login)
        session.commit()
        token = app.state.tokens.issue(user_id=admin.id, session_id=login.id, now=now)
        path = f"/api/v1/programmes/{programme.id}/sessions"
    with (
        serving(app) as address,
        httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {token}"},
            limits=httpx.Limits(max_connections=CROWD),
            timeout=30,
        ) as client,
    ):
        yield client, path


def _at_once(request: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(CROWD) as crowd:
        return list(crowd.map(request, range(CROWD)))


@pytest.mark.parametrize("is_keyed", [False, True])
def test_a_crowd_that_writes_under_one_lock(
    served: tuple[httpx.Client, str], is_keyed: bool
) -> None:
    client, path = served

    def create(number: int) -> httpx.Response:
        headers = {"Idempotency-Key": f"session-{number}"} if is_keyed else {}
        return client.post(path, json={"title": f"Session {number}"}, headers=headers)

    answers = _at_once(create)
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["number"] for answer in answers) == list(range(1, CROWD + 1))


def test_a_crowd_that_reads(served: tuple[httpx.Client, str]) -> None:
    client, path = served
    answers = _at_once(lambda _: client.get(path))
    assert {answer.status_code for answer in answers} == {200}
