"""How quickly events reach their receivers; nothing is asserted about time."""

import asyncio
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.access.permissions import Role
from app.events.catalogue import Resource, Verb
from app.events.dispatching import dispatcher
from app.events.models import Event
from app.events.outbox import Origin, message_id, record
from app.jobs.models import Job
from app.jobs.working import Worker
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.ids import new_id
from app.kit.outbound import Outbound, Policy
from app.kit.sealing import Sealer
from app.kit.signing import make_secret
from app.webhooks import following
from app.webhooks.delivering import deliverer
from app.webhooks.models import WebhookEndpoint, sealed_for
from tests.builders import make_membership, make_programme, make_user

pytestmark = [
    pytest.mark.bench,
    pytest.mark.allow_hosts([f"127.0.0.{number}" for number in range(1, 14)]),
]

AT_ONCE, MESSAGES, ROUNDS = 50, 2_000, 5
ENDPOINTS = 13  # four of a lane at once: 52
ROOT = Path(__file__).parents[2]
POLICY = Policy(networks=(ip_network("127.0.0.0/8"),), allow_http=True)
SEALER = Sealer(b"a key of benchmarks, long enough", use="stored secrets")


@pytest.fixture(scope="module")
def sink() -> Iterator[str]:
    """The address of a receiver in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sink"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


@dataclass
class Office:
    """A database with a programme and its subscribers."""

    database: Database
    programme_id: uuid.UUID
    owner_id: uuid.UUID

    def subscribe(self, url: str) -> None:
        """One more endpoint."""
        with self.database.transaction() as session:
            endpoint = WebhookEndpoint(
                programme_id=self.programme_id, owner_id=self.owner_id, url=url, secret=""
            )
            endpoint.secret = SEALER.seal(make_secret(), bound_to=sealed_for(endpoint.id))
            session.add(endpoint)

    def unsubscribe(self) -> None:
        """Nobody listens, nothing waits."""
        with self.database.transaction() as session:
            session.execute(sa.delete(Job))
            session.execute(sa.update(WebhookEndpoint).values(archived_at=utc_now()))

    def emit(self, count: int) -> list[str]:
        """Events in one transaction; their message ids."""
        with self.database.transaction() as session:
            events = [
                record(
                    session,
                    noun=Resource.TEAM,
                    verb=Verb.UPDATED,
                    resource_id=new_id(),
                    revision=2,
                    programme_id=self.programme_id,
                    origin=Origin(),
                    now=utc_now(),
                )
                for _ in range(count)
            ]
            return [message_id(event.id) for event in events]

    def waiting(self, kind: str | None = None) -> int:
        """Jobs that are not finished, of one kind or of all."""
        with self.database.reading() as session:
            jobs = sa.select(sa.func.count()).select_from(Job)
            counted = session.execute(jobs.where(col(Job.kind) == kind) if kind else jobs)
            number: int = counted.scalar_one()
            return number

    @contextmanager
    def working(self, *, seconds: float = 15.0) -> Iterator[None]:
        """A worker beside, in a thread with a loop of its own."""
        ready, ended = Flag(), Flag()
        stop: list[Callable[[], object]] = []

        async def work() -> None:
            outbound = Outbound(POLICY)
            delivers = deliverer(outbound=outbound, sealer=SEALER, waits=[3600], seconds=seconds)
            worker = Worker(self.database, [dispatcher([following.follow]), delivers])
            loop = asyncio.get_running_loop()
            stop.append(lambda: loop.call_soon_threadsafe(worker.stop))
            ready.set()
            await worker.run()
            await outbound.aclose()
            ended.set()

        thread = Thread(target=asyncio.run, args=[work()])
        thread.start()
        ready.wait()
        try:
            yield
        finally:
            stop[0]()
            thread.join()


@pytest.fixture
def office(backend: str, new_database_url: Callable[[str, str], str]) -> Iterator[Office]:
    url = new_database_url(backend, "deliveries")
    migrations.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        user = make_user(session)
        make_membership(session, user=user, role=Role.PLATFORM_ADMIN)
        programme = make_programme(session)
        office = Office(database, programme.id, user.id)
    yield office
    database.dispose()


def _until(done: Callable[[], bool], seconds: float = 120.0, every: float = 0.002) -> float:
    """When it is done; looking takes time from the worker, which shares the interpreter."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(every)
    return time.monotonic()


def _bare(sink: str, bodies: Sequence[bytes]) -> float:
    """Seconds of a loop that posts the same bodies, 50 at a time."""

    async def run() -> float:
        queue = list(bodies)
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=AT_ONCE)) as client:

            async def post() -> None:
                while queue:
                    body = queue.pop()
                    headers = {"content-type": "application/json", "webhook-id": "bare"}
                    await client.post(sink, content=body, headers=headers)

            started = time.monotonic()
            await asyncio.gather(*(post() for _ in range(AT_ONCE)))
            return time.monotonic() - started

    return asyncio.run(run())


def test_deliveries_per_second(office: Office, sink: str, backend: str) -> None:
    """How many deliveries a second, against a bare httpx loop to the same receiver?

    Size: 2,000 deliveries to 13 endpoints, 50 at a time on both sides, in turns, best of five. The
    jobs are there when the clock starts; "from the event" counts their making too. Goal: half of
    what the bare loop does.
    """
    for number in range(1, ENDPOINTS + 1):
        office.subscribe(f"{sink.replace('127.0.0.1', f'127.0.0.{number}')}/hook")
    events = MESSAGES // ENDPOINTS
    ours, whole, bare = [], [], []
    for _ in range(ROUNDS):
        office.emit(events)
        with office.database.transaction() as session:
            payload = session.execute(sa.select(col(Event.payload)).limit(1)).scalar_one().encode()
            taken = session.execute(sa.select(Event).where(col(Event.seq).is_(None))).scalars()
            for number, event in enumerate(taken, int(time.time() * 1000)):
                event.seq = number
                session.flush()
            session.execute(sa.delete(Job))
            following.follow(
                session,
                session.execute(sa.select(Event).order_by(col(Event.seq).desc()).limit(events))
                .scalars()
                .all(),
            )
        bare.append(_bare(sink, [payload] * events * ENDPOINTS))
        started = time.monotonic()
        with office.working():
            ours.append(_until(lambda: office.waiting() == 0, every=0.02) - started)
            started = time.monotonic()
            office.emit(events)
            whole.append(_until(lambda: office.waiting() == 0, every=0.02) - started)
    count = events * ENDPOINTS
    best = {"bare loop": min(bare), "ours": min(ours), "from the event": min(whole)}
    print(f"\n{backend}: {count} deliveries")
    for name, seconds in best.items():
        print(f"  {name:15} {count / seconds:7.0f} a second   {min(bare) / seconds:.2f}")


def test_latency_of_an_idle_worker(office: Office, sink: str, backend: str) -> None:
    """How long from the commit of an event until its receiver has it, when nothing else is done?

    Size: 100 events, one after the other. Goal: 95 % within 100 ms.
    """
    office.subscribe(f"{sink}/hook")
    delays = []
    with office.working():
        for _ in range(100):
            (message,) = office.emit(1)
            committed = time.time()
            _until(lambda: office.waiting() == 0)
            delays.append(httpx.get(f"{sink}/heard").json()[message] - committed)
    tail = statistics.quantiles(delays, n=20)[-1]
    print(
        f"\n{backend}: median {statistics.median(delays) * 1000:.1f} ms, p95 {tail * 1000:.1f} ms"
    )


def test_a_healthy_endpoint_beside_a_black_hole(office: Office, sink: str, backend: str) -> None:
    """How much later does a healthy endpoint hear because another one never answers?

    Size: 400 events to the hole queued first, then 200 to both; time-out 3 s, against the same 200
    to the healthy one alone. Goal: less than a second later.
    """
    finished = {}
    for name in ("alone", "beside"):
        if name == "beside":
            office.subscribe(f"{sink}/hole")
            office.emit(400)
            with office.working(seconds=3.0):
                _until(lambda: office.waiting("event.dispatch") == 0)
        office.subscribe(f"{sink}/hook")
        httpx.get(f"{sink}/heard")
        started = time.time()
        messages = set(office.emit(200))
        with office.working(seconds=3.0):
            heard: dict[str, float] = {}

            def is_told(heard: dict[str, float] = heard, messages: set[str] = messages) -> bool:
                time.sleep(0.1)
                heard.update(httpx.get(f"{sink}/heard").json())
                return messages <= heard.keys()

            _until(is_told)
        finished[name] = max(heard[message] for message in messages) - started
        office.unsubscribe()
    delay = finished["beside"] - finished["alone"]
    print(f"\n{backend}: alone {finished['alone']:.2f} s, {delay:+.2f} s beside a black hole")
