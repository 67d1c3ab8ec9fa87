"""A hundred thousand rows, while others go on to write."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx2 as httpx
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.events.models import Event
from app.identity.models import LoginSession
from app.jobs.handlers import Done, Work
from app.jobs.models import Job
from app.kit import migrations
from app.kit.clock import utc_now
from app.main import OpenQI, create_app
from app.measures.models import Measure
from app.operations.actions import OPERATION
from app.operations.running import operator
from app.settings import Settings
from tests.builders import make_measure, make_membership, make_project, make_team, make_user
from tests.measures.bodies import data_of
from tests.measures.importing import RUNNERS, count_points, csv_of, points
from tests.serving import serving

# SQLite is where everybody waits for one writer; PostgreSQL has locks of rows only.
ROWS = {"sqlite": 100_001, "postgres": 20_001}
WRITERS = 2
PATIENCE_SECONDS = 5.0  # after that, the server itself answers 503


def _facilitator(app: OpenQI, session: Session, measure: Measure) -> str:
    user, now = make_user(session), utc_now()
    make_membership(session, user=user, role=Role.FACILITATOR, programme_id=measure.programme_id)
    login = LoginSession(user_id=user.id, expires_at=now + timedelta(hours=1))
    session.add(login)
    session.commit()
    token: str = app.state.tokens.issue(user_id=user.id, session_id=login.id, now=now)
    return token


def test_others_write_meanwhile(
    backend: str, new_database_url: Callable[[str, str], str], settings: Settings
) -> None:
    rows, url = ROWS[backend], new_database_url(backend, "large")
    migrations.upgrade(url)
    app = create_app(settings.model_copy(update={"database_url": url}))
    database = app.state.database
    with database.writing() as session:
        measure = make_measure(session, project=make_project(session, team=make_team(session)))
        token = _facilitator(app, session, measure)
    with serving(app) as address, _client(address, token) as client:
        path = f"/api/v1/measures/{measure.id}/imports"
        headers = {"Content-Type": "text/csv"}
        answer = client.post(path, content=csv_of(points(rows)), headers=headers)
        assert answer.status_code == 202, answer.text
        with database.reading() as session:
            (job,) = session.exec(select(Job).where(col(Job.kind) == OPERATION.name)).all()
        work = Work(job.id, job.kind, job.lane, job.args, 1, job.created_at)
        with ThreadPoolExecutor(1 + WRITERS) as threads:
            load = threads.submit(operator(RUNNERS, database=database).run, work)
            written = [
                threads.submit(_write, client, f"/api/v1/measures/{measure.id}/annotations", load)
                for _ in range(WRITERS)
            ]
            assert load.result() == Done()
            waits = [wait for future in written for wait in future.result()]
        done = client.get(answer.headers["Location"]).json()
    assert (done["state"], done["result"]["created"]) == ("succeeded", rows)
    assert done["progress"] == {"done": rows, "total": rows}
    assert len(waits) >= 50
    assert max(waits) < PATIENCE_SECONDS
    with database.reading() as session:
        assert count_points(session, measure) == rows
        told = session.exec(select(Event).where(Event.type == "data_point.recorded")).all()
        assert sum(data_of(event)["created"] for event in told) == rows
    database.dispose()


def _client(address: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def _write(client: httpx.Client, path: str, load: Any) -> list[float]:
    """Write one row after the other until the import is through; how long each took."""
    waits = []
    while not load.done():
        started = time.monotonic()
        body = {"happened_on": "2018-03-05", "kind": "note", "text": "Meanwhile"}
        answer = client.post(path, json=body)
        waits.append(time.monotonic() - started)
        assert answer.status_code == 201, answer.text
    return waits
