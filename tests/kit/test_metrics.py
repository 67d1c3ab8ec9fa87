"""`/metrics`: who may read it, what it counts, what it reads, and that no database can break it."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.to_thread
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlmodel import Session
from starlette.testclient import TestClient

from app.events.models import Event
from app.jobs import figures as jobs
from app.jobs.models import DeadJob, Job
from app.kit import metrics
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.metrics import DatabaseGauges, Metrics
from app.main import OpenQI
from app.webhooks.models import EndpointState, WebhookEndpoint
from tests.calling import Caller
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
Numbers = dict[tuple[str, ...], float]


@contextmanager
def _client(app: OpenQI, host: str) -> Iterator[TestClient]:
    with TestClient(app, client=(host, 50_000), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def local(app: OpenQI) -> Iterator[TestClient]:
    """A client on this machine; what an earlier test read is forgotten."""
    app.state.database_gauges._read_at = float("-inf")
    with _client(app, "127.0.0.1") as client:
        yield client


def _scrape(client: TestClient, **headers: str) -> Numbers:
    """Every number by its name and the values of its labels."""
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def _of(registry: Metrics) -> Numbers:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.registry.collect()
        for sample in family.samples
    }


def test_without_a_token_this_machine_alone_may_read(app: OpenQI, local: TestClient) -> None:
    assert _scrape(local)["openqi_database_up",] == 1
    for host in ("10.1.2.3", "testclient", "::ffff:10.1.2.3"):
        with _client(app, host) as client:
            assert client.get("/metrics").json()["code"] == "not_found"
    with _client(app, "::1") as client:
        assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_what_a_proxy_forwards_is_not_local(local: TestClient, header: str) -> None:
    assert local.get("/metrics", headers={header: "127.0.0.1"}).status_code == 404


def test_with_a_token_only_who_knows_it_may_read(app: OpenQI, local: TestClient) -> None:
    settings = app.state.settings.model_copy(update={"metrics_token": SecretStr("s3cret")})
    app.state.settings = settings
    assert local.get("/metrics").status_code == 404
    for wrong in ("Bearer s3cre", "Bearer", "s3cret", "Bearer s3cret2"):
        assert local.get("/metrics", headers={"Authorization": wrong}).status_code == 404
    with _client(app, "10.1.2.3") as client:
        assert ("openqi_database_up",) in _scrape(client, Authorization="Bearer s3cret")


def test_an_empty_token_opens_nothing(app: OpenQI, local: TestClient) -> None:
    settings = app.state.settings.model_copy(update={"metrics_token": SecretStr("")})
    app.state.settings = settings
    assert _scrape(local)["openqi_database_up",] == 1
    with _client(app, "10.1.2.3") as client:
        for header in ("Bearer ", "Bearer"):
            answer = client.get("/metrics", headers={"Authorization": header})
            assert answer.status_code == 404


def test_requests_are_counted_by_route_and_never_by_path(
    app: OpenQI, local: TestClient, call: Callable[..., Caller], world: World
) -> None:
    before = _scrape(local)
    caller = call(world.facilitator)
    path = f"/programmes/{world.programme.id}"
    caller.ok(path)
    assert caller("HEAD", path).status_code == 200
    assert call().get(path).status_code == 401
    assert caller.get("/nowhere/ada@example.org").status_code == 404
    after = _scrape(local)

    def more(method: str, route: str, status: str) -> float:
        key = ("openqi_http_request_seconds_count", method, route, status)
        return after.get(key, 0) - before.get(key, 0)

    assert more("GET", "/api/v1/programmes/{programme_id}", "2xx") == 2
    assert more("GET", "/api/v1/programmes/{programme_id}", "4xx") == 1
    assert more("GET", "unmatched", "4xx") == 1
    assert str(world.programme.id) not in str(after)
    assert "ada@example.org" not in str(after)


def _job(session: Session, queue: str, due_in: float, **over: Any) -> None:
    instant = int((utc_now().timestamp() + due_in) * 1000)
    values: dict[str, Any] = {
        "queue": queue,
        "kind": "test.kind",
        "run_at": instant,
        "created_at": instant,
    }
    session.add(Job(**(values | over)))
    session.commit()


def test_jobs_are_told_by_queue(session: Session, local: TestClient) -> None:
    _job(session, "webhook", -90)
    _job(session, "webhook", -5)
    _job(session, "webhook", +30, lease="held", worker="one")
    _job(session, "webhook", +300)
    _job(session, "mail", +300)
    session.add(DeadJob(job_id=1, queue="mail", kind="mail.send", created_at=0, died_at=0))
    session.commit()
    found = _scrape(local)
    assert found["openqi_jobs_due", "webhook"] == 2
    assert found["openqi_jobs_oldest_due_seconds", "webhook"] == pytest.approx(90, abs=10)
    assert found["openqi_jobs_running", "webhook"] == 1
    assert found["openqi_jobs_waiting", "webhook"] == 1
    assert found["openqi_jobs_due", "mail"] == found["openqi_jobs_oldest_due_seconds", "mail"] == 0
    assert found["openqi_jobs_dead", "mail"] == 1


def _endpoint(session: Session, world: World, **over: Any) -> None:
    values: dict[str, Any] = {
        "programme_id": world.programme.id,
        "owner_id": world.admin.id,
        "url": "https://receiver.example",
        "secret": "sealed",
    }
    session.add(WebhookEndpoint(**(values | over)))


def test_trouble_with_endpoints_and_events_is_told(
    session: Session, world: World, local: TestClient
) -> None:
    later, before = utc_now() + timedelta(minutes=5), utc_now() - timedelta(minutes=5)
    _endpoint(session, world)
    _endpoint(session, world, open_until=later)
    _endpoint(session, world, open_until=before)
    _endpoint(session, world, open_until=later, state=EndpointState.PAUSED)
    _endpoint(session, world, state=EndpointState.DISABLED)
    _endpoint(session, world, state=EndpointState.DISABLED, archived_at=before)
    event: dict[str, Any] = {
        "type": "team.created",
        "resource_type": "team",
        "resource_id": world.team.id,
        "revision": 1,
        "payload": "{}",
        "created_at": before,
    }
    session.add_all([Event(**event), Event(**event, seq=1)])
    session.commit()
    found = _scrape(local)
    assert found["openqi_webhook_breakers_open",] == 1
    assert found["openqi_webhook_endpoints_disabled",] == 1
    assert found["openqi_events_undispatched",] == 1
    assert found["openqi_events_oldest_undispatched_seconds",] == pytest.approx(300, abs=30)


def test_a_scrape_costs_few_statements_and_a_second_one_none(
    local: TestClient, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with count_queries() as first:
        _scrape(local)
    with count_queries() as second:
        _scrape(local)
    assert (len(first), len(second)) == (4, 0)


def test_a_database_that_is_away_breaks_no_scrape(
    app: OpenQI, local: TestClient, session: Session
) -> None:
    _job(session, "webhook", -90)
    assert _scrape(local)["openqi_jobs_due", "webhook"] == 1
    app.state.database_gauges._read_at = float("-inf")
    app.state.database = Database("postgresql://nobody@127.0.0.1:1/none")
    found = _scrape(local)
    assert found["openqi_database_up",] == 0
    assert ("openqi_jobs_due", "webhook") not in found  # an old figure would say that all is well
    app.state.database.dispose()


class _Stuck:
    """A database that does not answer until it is let go."""

    def __init__(self, database: Database) -> None:
        self.read_engine, self.write_engine = database.read_engine, database.write_engine
        self.asked, self.may_go = 0, threading.Event()

    def reading(self) -> Session:
        self.asked += 1
        self.may_go.wait(30)
        raise OSError


def test_a_database_that_hangs_delays_no_scrape(
    app: OpenQI, local: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "PATIENCE_SECONDS", 0.05)
    app.state.database = stuck = _Stuck(database)
    try:
        assert _scrape(local)["openqi_database_up",] == 0
        assert _scrape(local)["openqi_database_up",] == 0
        assert stuck.asked == 1  # no thread after the other is lost
    finally:
        stuck.may_go.set()
        app.state.database = database


class _Slow:
    """A database that answers once it is let go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.read_engine, self.write_engine = database.read_engine, database.write_engine
        self.asked = 0
        self.is_asked, self.may_go = threading.Event(), threading.Event()

    def reading(self) -> Session:
        self.asked += 1
        self.is_asked.set()
        assert self.may_go.wait(30)
        return self._database.reading()


def test_who_asks_while_another_reads_gets_what_that_one_read(
    app: OpenQI, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "PATIENCE_SECONDS", 20)
    slow = _Slow(database)
    gauges = DatabaseGauges(lambda: cast(Database, slow), jobs.GAUGES, [jobs.read_jobs])

    seen: list[float] = []

    async def scrape() -> None:
        await gauges.refresh()
        found = {family.name: family.samples for family in gauges.collect()}
        seen.append(found["openqi_database_up"][0].value)

    async def scrape_at_once() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(scrape)
            await anyio.to_thread.run_sync(slow.is_asked.wait, 20)
            await anyio.wait_all_tasks_blocked()
            slow.may_go.set()

    anyio.run(scrape_at_once)
    assert (seen, slow.asked) == ([1, 1, 1], 1)


def test_what_workers_and_streams_tell() -> None:
    counted = Metrics()
    counted.jobs_claimed("webhook.deliver", 3)
    counted.jobs_settled("webhook.deliver", "done", 0.2)
    counted.jobs_settled("webhook.deliver", "retry", 15)
    counted.attempts("2xx")
    counted.commit_to_first_attempt(0.3)
    counted.viewers.inc()
    found = _of(counted)
    assert found["openqi_jobs_claimed_total", "webhook.deliver"] == 3
    assert found["openqi_job_seconds_count", "webhook.deliver", "done"] == 1
    assert found["openqi_job_seconds_sum", "webhook.deliver", "retry"] == 15
    assert found["openqi_webhook_attempts_total", "2xx"] == 1
    assert found["openqi_webhook_lag_seconds_bucket", "0.5"] == 1
    assert found["openqi_stream_viewers",] == 1
    assert _of(Metrics())["openqi_stream_viewers",] == 0  # nothing is global


def test_the_guide_lists_every_metric_with_its_labels(app: OpenQI) -> None:
    families = app.state.parts.metrics.registry.collect()
    found = {family.name for family in families if family.name.startswith("openqi_")}
    whole = (ROOT / "docs" / "operating.md").read_text()
    guide = whole[whole.index("| Metric |") :].split("\n\n")[0]
    listed = re.findall(r"^\| `(openqi_\w+?)(?:_total)?`", guide, re.MULTILINE)
    assert sorted(listed) == sorted(found)
    stated: Mapping[str, tuple[str, ...]] = {
        gauge.name: gauge.labels for gauge in app.state.database_gauges._stated
    }
    for name, labels in stated.items():
        (row,) = re.findall(rf"^\| `{name}` \| (.*?) \|", guide, re.MULTILINE)
        assert row == ", ".join(f"`{label}`" for label in labels), name
