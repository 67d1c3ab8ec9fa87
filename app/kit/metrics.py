"""What a process counts of itself, and what it reads of the database at a scrape: `GET /metrics`.

In Prometheus' text format. A registry a process, made by whoever starts it: nothing is global.
"""

import hmac
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from platform import python_version
from typing import NamedTuple

import anyio.to_thread
import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import QueuePool
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app import __version__
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.errors import NotFound

FRESH_SECONDS = 2.0  # two scrapers, or an impatient one, read the database once
PATIENCE_SECONDS = 2.0  # then the database counts as down; a scrape never waits for it
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WORK_SECONDS = (0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800)
_LAG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
log = structlog.get_logger()


class Stated(NamedTuple):
    """A gauge that is read of the database: its name, what it says, and its labels."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """A number that was read, with the values of its gauge's labels."""

    name: str
    labels: tuple[str, ...]
    value: float


Reader = Callable[[Session, datetime], Iterable[Sample]]


class Metrics:
    """What this process counts. Every method is cheap and may be called from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "openqi_http_request_seconds",
            "Time until an answer begins, by route; its count is the number of requests.",
            ("method", "route", "status"),
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        # Finding the child of a histogram costs as much as observing (measured).
        self._request = lru_cache(maxsize=4_096)(self._requests.labels)
        self._claimed = Counter(
            "openqi_jobs_claimed", "Jobs that were claimed.", ("kind",), registry=self.registry
        )
        self._settled = Histogram(
            "openqi_job_seconds",
            "Time a job took from its claim; its count is the number of outcomes.",
            ("kind", "outcome"),
            buckets=_WORK_SECONDS,
            registry=self.registry,
        )
        self._attempts = Counter(
            "openqi_webhook_attempts",
            "Calls of webhook endpoints, by class of answer.",
            ("status",),
            registry=self.registry,
        )
        self._lag = Histogram(
            "openqi_webhook_lag_seconds",
            "Time from an event to the first call that tells of it.",
            buckets=_LAG_SECONDS,
            registry=self.registry,
        )
        self.viewers = Gauge(
            "openqi_stream_viewers", "Open streams of events.", registry=self.registry
        )
        Gauge(
            "openqi_build_info", "Always 1.", ("version", "python"), registry=self.registry
        ).labels(__version__, python_version()).set(1)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """An answer that was begun; `route` is the template of its path, never the path."""
        self._request(method, route, f"{status // 100}xx").observe(seconds)

    def jobs_claimed(self, kind: str, count: int = 1) -> None:
        """Jobs that a worker took."""
        self._claimed.labels(kind).inc(count)

    def jobs_settled(self, kind: str, outcome: str, seconds: float) -> None:
        """A job that ended so: `done`, `retry`, `dead` or `lost`, so long after its claim."""
        self._settled.labels(kind, outcome).observe(seconds)

    def attempts(self, status_class: str) -> None:
        """A call of an endpoint: `2xx` to `5xx`, or `error` where nothing was answered."""
        self._attempts.labels(status_class).inc()

    def commit_to_first_attempt(self, seconds: float) -> None:
        """How long an event waited for the first call that told of it."""
        self._lag.observe(seconds)


class DatabaseGauges(Collector):
    """Gauges of the shared database, read by few statements and kept for two seconds."""

    def __init__(
        self, find: Callable[[], Database], stated: Sequence[Stated], readers: Sequence[Reader]
    ) -> None:
        self._find, self._stated, self._readers = find, stated, readers
        self._reading = threading.Lock()
        self._samples: list[Sample] = []
        self._is_up = False
        self._read_at = float("-inf")

    async def refresh(self) -> None:
        """Read anew what is old. A database that does not answer in time is down."""
        if self._is_fresh():
            return
        is_read = False
        with anyio.move_on_after(PATIENCE_SECONDS):
            is_read = await anyio.to_thread.run_sync(
                self._read, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
            )
        if not is_read:
            self._is_up, self._samples = False, []

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._read_at < FRESH_SECONDS

    def _read(self) -> bool:
        """Read, or wait for whoever does it already; whether the database answered."""
        if not self._reading.acquire(timeout=PATIENCE_SECONDS):
            return False
        try:
            if self._is_fresh():
                return True
            with self._find().reading() as session:
                now = utc_now()
                samples = [sample for read in self._readers for sample in read(session, now)]
            self._samples, self._is_up, self._read_at = samples, True, time.monotonic()
        except (SQLAlchemyError, OSError) as fault:
            log.warning("metrics_without_database", reason=type(fault).__name__)
            return False
        else:
            return True
        finally:
            self._reading.release()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What was read last, and what the pools say of themselves."""
        yield GaugeMetricFamily(
            "openqi_database_up", "Whether the database answered.", value=float(self._is_up)
        )
        pools = GaugeMetricFamily(
            "openqi_database_connections", "Connections in use.", labels=("pool",)
        )
        database = self._find()
        for name, engine in (("read", database.read_engine), ("write", database.write_engine)):
            if isinstance(engine.pool, QueuePool):
                pools.add_metric((name,), engine.pool.checkedout())
        yield pools
        for stated in self._stated:
            family = GaugeMetricFamily(stated.name, stated.help, labels=stated.labels)
            for sample in self._samples:
                if sample.name == stated.name:
                    family.add_metric(sample.labels, sample.value)
            yield family

    def describe(self) -> list[GaugeMetricFamily]:
        """The names, so that registering asks no database."""
        names = ("openqi_database_up", "openqi_database_connections")
        return [GaugeMetricFamily(name, "") for name in (*names, *(s.name for s in self._stated))]


router = APIRouter(redirect_slashes=False)


@router.get("/metrics", include_in_schema=False)
async def get_metrics(request: Request) -> Response:
    """What this process counted and what the database holds, for Prometheus."""
    state = request.app.state
    stated, client = state.settings.metrics_token, request.client
    token = stated.get_secret_value() if stated else None  # an empty one is none
    if not may_read(token, host=client.host if client else None, headers=request.headers):
        raise NotFound  # whoever may not, learns not even that they are there
    await state.database_gauges.refresh()
    return Response(
        generate_latest(state.parts.metrics.registry),
        media_type=CONTENT_TYPE_LATEST,
        headers={"Cache-Control": "no-store"},
    )


def may_read(token: str | None, *, host: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a caller may: by the token, or where there is none, on this machine.

    A proxy on this machine would make the whole world local, so what was forwarded is not.
    """
    if token is not None:
        given = headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    return _is_local(host) and not any(name in headers for name in _FORWARDED)


def _is_local(host: str | None) -> bool:
    try:
        return host is not None and ip_address(host).is_loopback
    except ValueError:
        return False
