"""Servers and workers are killed about once a second: nothing is lost, nothing is invented.

`OPENQI_CHAOS_SECONDS` makes it longer (`make chaos`), `OPENQI_CHAOS_SEED` another one.
"""

import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from app.access.permissions import Role
from app.events.models import Event
from app.identity.models import LoginSession
from app.identity.tokens import AccessTokens
from app.jobs.models import DeadJob, Job
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.db import Database
from app.parts import make_parts
from app.settings import Settings
from app.teams.models import Team
from app.webhooks.models import DeliveryState, WebhookDelivery
from tests.builders import make_membership, make_programme, make_user
from tests.chaos.cluster import Cluster
from tests.chaos.receiver import FailingReceiver

SECONDS = float(os.environ.get("OPENQI_CHAOS_SECONDS", "15"))
SEED = int(os.environ.get("OPENQI_CHAOS_SEED", "2017"))
WRITERS = 3
SETTLE_SECONDS = 90.0
IN_FLIGHT = 50  # deliveries that one process may have begun when it is killed


@dataclass
class Writer:
    """A client that retries each request with its Idempotency-Key until it is answered."""

    address: str
    token: str
    path: str
    stop: threading.Event
    made: dict[str, uuid.UUID] = field(default_factory=dict)

    def run(self, name: str) -> None:
        """Make teams until told to stop; the last one is brought to its end."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.address, headers=headers, timeout=10) as client:
            number = 0
            while not self.stop.wait(0.03):
                number += 1
                self._make(client, f"Team {name}-{number}")

    def _make(self, client: httpx.Client, name: str) -> None:
        while True:
            try:
                answer = client.post(
                    self.path, json={"name": name}, headers={"Idempotency-Key": f"key-{name}"}
                )
            except httpx.TransportError:
                time.sleep(0.05)  # the server is being started again
                continue
            if answer.status_code == 201:
                self.made[name] = uuid.UUID(answer.json()["id"])
                return
            assert answer.status_code in (409, 503), answer.text
            time.sleep(0.05)


@pytest.fixture
def port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
        return number


@dataclass
class Scene:
    """What the test needs to know of the servers."""

    database: Database
    cluster: Cluster
    address: str
    token: str
    programme_id: uuid.UUID


@pytest.fixture
def scene(
    backend: str, new_database_url: Callable[[str, str], str], tmp_path: Path, port: int
) -> Iterator[Scene]:
    url = new_database_url(backend, "chaos")
    migrations.upgrade(url)
    settings = Settings(database_url=url, signing_key_file=tmp_path / "key.pem")
    parts = make_parts(settings)
    now = utc_now()
    with parts.database.writing() as session:
        admin = make_user(session)
        make_membership(session, user=admin, role=Role.PLATFORM_ADMIN)
        programme_id = make_programme(session).id
        login = LoginSession(user_id=admin.id, expires_at=now + timedelta(hours=1))
        session.add(login)
        session.commit()
        tokens = AccessTokens(
            private_key=parts.signing_key,
            issuer=f"http://127.0.0.1:{port}",
            lifetime=timedelta(hours=1),
        )
        token = tokens.issue(user_id=admin.id, session_id=login.id, now=now)
    environment = {
        "OPENQI_DATABASE_URL": url,
        "OPENQI_SIGNING_KEY_FILE": str(settings.signing_key_file),
        "OPENQI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "OPENQI_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
        "OPENQI_WEBHOOK_ALLOW_HTTP": "true",
        "OPENQI_WEBHOOK_RETRY_SECONDS": "0.1,0.1,0.2,0.2,0.5,0.5,1,1,1,1",
        "OPENQI_JOB_LEASE_SECONDS": "3",
        "OPENQI_MAIL_FOLDER": str(tmp_path / "mail"),
        "OPENQI_LOG_LEVEL": "WARNING",
    }
    if backend == "sqlite":
        parts.database.dispose()  # the server is the one process of its database
    cluster = Cluster(tmp_path, environment, port, workers=0 if backend == "sqlite" else 2)
    yield Scene(parts.database, cluster, f"http://127.0.0.1:{port}", token, programme_id)
    cluster.end()
    parts.database.dispose()


def test_nothing_is_lost_and_nothing_is_invented(
    scene: Scene, backend: str, record_property: Callable[[str, object], None]
) -> None:
    receiver, draw = FailingReceiver(failing=0.3), random.Random(SEED)
    cluster, stop = scene.cluster, threading.Event()
    path = f"/api/v1/programmes/{scene.programme_id}/teams"
    for name in cluster.names:
        cluster.start(name)
    cluster.wait_until_ready()
    with receiver.serving() as hook, ThreadPoolExecutor(WRITERS) as threads:
        _subscribe(scene, hook)
        writers = [Writer(scene.address, scene.token, path, stop) for _ in range(WRITERS)]
        running = [threads.submit(writer.run, str(n)) for n, writer in enumerate(writers)]
        try:
            _kill_for(SECONDS, cluster, draw)
        finally:
            stop.set()
        for future in running:
            future.result()
        _wait_until_settled(scene, backend)
        assert set(cluster.stop().values()) <= {0, -15}
    made = {name: team_id for writer in writers for name, team_id in writer.made.items()}
    _check(scene, receiver, made)
    record_property("kills", cluster.kills)
    print(
        f"\n{backend}: {len(made)} writes, {len(receiver.accepted)} messages, "
        f"{sum(receiver.attempts.values())} attempts, {cluster.kills} kills, "
        f"{receiver.duplicates} duplicates"
    )
    assert cluster.kills >= 2
    assert receiver.duplicates <= cluster.kills * IN_FLIGHT


def _subscribe(scene: Scene, hook: str) -> None:
    answer = httpx.post(
        f"{scene.address}/api/v1/webhook-endpoints",
        headers={"Authorization": f"Bearer {scene.token}"},
        json={
            "programme_id": str(scene.programme_id),
            "url": hook,
            "event_types": ["team.*"],
        },
    )
    assert answer.status_code == 201, answer.text


def _kill_for(seconds: float, cluster: Cluster, draw: random.Random) -> None:
    """Kill one process after the other, each about a second after the last one was started."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(draw.uniform(0.4, 1.4))  # the point is to kill at any moment
        name = draw.choice(cluster.names)
        cluster.kill(name)
        cluster.start(name)
        if name == "api":
            cluster.wait_until_ready()


def _wait_until_settled(scene: Scene, backend: str) -> None:
    """Until no work is left, seen over HTTP: the database of SQLite belongs to the server."""
    deadline = time.monotonic() + SETTLE_SECONDS
    with httpx.Client(
        base_url=f"{scene.address}/api/v1", headers={"Authorization": f"Bearer {scene.token}"}
    ) as client:
        while time.monotonic() < deadline:
            pending = client.get(
                "/webhook-deliveries",
                params={"programme_id": str(scene.programme_id), "state": "pending", "limit": 1},
            )
            jobs = client.get("/jobs", params={"kind": "event.dispatch", "limit": 1})
            if pending.json()["items"] == [] and jobs.json()["items"] == []:
                return
            time.sleep(0.2)  # nothing tells when the last delivery is settled
    raise AssertionError({name: scene.cluster.log(name) for name in scene.cluster.names})


def _check(scene: Scene, receiver: FailingReceiver, made: dict[str, uuid.UUID]) -> None:
    with scene.database.reading() as session:
        teams = {
            team.name: team.id
            for team in session.exec(select(Team).where(Team.programme_id == scene.programme_id))
        }
        events = session.exec(
            select(Event).where(
                Event.type == "team.created", Event.programme_id == scene.programme_id
            )
        ).all()
        deliveries = session.exec(select(WebhookDelivery)).all()
        left = session.exec(
            select(Job).where(col(Job.kind).in_(["event.dispatch", "webhook.deliver"]))
        ).all()
        dead = session.exec(select(sa.func.count()).select_from(DeadJob)).one()
    assert teams == made, "every answer of 201 is a row, and every row was answered for"
    told = {event.resource_id: event for event in events}
    assert len(told) == len(events), "a repeated request tells of nothing twice"
    assert set(told) == set(made.values())
    messages = {f"evt_{event.id.hex}" for event in events}
    assert messages - set(receiver.accepted) == set(), "lost"
    assert set(receiver.attempts) - messages == set(), "invented"
    assert {delivery.event_id for delivery in deliveries} == {event.id for event in events}
    assert {delivery.state for delivery in deliveries} == {DeliveryState.SUCCEEDED}
    assert left == []
    assert dead == 0
