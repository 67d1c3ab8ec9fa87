"""What is told of a request: one line of the log, its trace; nothing that may name a person."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.trace import TracerProvider
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from app.kit import telemetry
from app.kit.metrics import Metrics
from app.kit.telemetry import Observed, trace_id_of, tracing
from app.main import OpenQI, create_app
from app.settings import Settings
from tests.calling import Caller
from tests.world import World

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def every_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite logs errors only; these lines are of less import."""
    bound = structlog.make_filtering_bound_logger(logging.DEBUG)
    monkeypatch.setattr(telemetry, "log", structlog.wrap_logger(None, wrapper_class=bound))


Lines = list[Any]


@pytest.fixture
def lines(every_level: None) -> Iterator[Lines]:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
        yield logged


def test_a_request_is_one_line_without_path_or_query(
    call: Callable[..., Caller], world: World, lines: Lines
) -> None:
    call(world.facilitator).ok(f"/programmes/{world.programme.id}/teams", limit=7)
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line.pop("ms") >= 0
    assert len(line.pop("request_id")) == 32
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": "/api/v1/programmes/{programme_id}/teams",
        "status": 200,
        "principal_id": str(world.facilitator.id),
    }


def test_what_nobody_serves_is_logged_without_its_path(
    call: Callable[..., Caller], lines: Lines
) -> None:
    call().get("/people/ada@example.org", q="ada")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["route"], line["status"], line["principal_id"]) == ("unmatched", 404, None)
    assert "ada@" not in str(line)  # an identifier can have "ada" in it
    assert "people" not in str(line)


def test_health_checks_fill_no_log(call: Callable[..., Caller], lines: Lines) -> None:
    call().get("/health/live")
    assert [line["log_level"] for line in lines if line["event"] == "request"] == ["debug"]


def test_a_trace_of_the_caller_stands_in_every_line_of_the_request(
    call: Callable[..., Caller], lines: Lines
) -> None:
    caller = call()
    caller("GET", "/meta", headers={"traceparent": PARENT})
    caller("GET", "/meta", headers={"traceparent": "nonsense"})
    traced, untraced = [line for line in lines if line["event"] == "request"]
    assert traced["trace_id"] == TRACE
    assert "trace_id" not in untraced


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (PARENT, TRACE),
        (f"01-{TRACE}-{SPAN}-01-what-a-later-version-adds", TRACE),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}", None),
        (f"00-{TRACE}\n-{SPAN}-01", None),
        ("", None),
    ],
)
def test_only_a_well_formed_traceparent_counts(value: str, found: str | None) -> None:
    assert trace_id_of([(b"accept", b"*/*"), (b"traceparent", value.encode())]) == found
    assert trace_id_of([]) is None


def _observe(app: Any, **scope: Any) -> Metrics:
    counted = Metrics()

    async def send(message: Message) -> None:
        pass

    async def receive() -> Message:
        return {"type": "http.request"}

    whole: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []} | scope
    observed = Observed(app, metrics=counted, templates={})

    async def run() -> None:
        await observed(whole, receive, send)

    asyncio.run(run())
    return counted


def _requests(counted: Metrics) -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value
        for family in counted.registry.collect()
        for sample in family.samples
        if sample.name == "openqi_http_request_seconds_count"
    }


def test_a_method_that_nobody_knows_makes_no_series_of_its_own() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 405, "headers": []})

    assert _requests(_observe(app, method="BREW")) == {("OTHER", "unmatched", "4xx"): 1}


def test_a_request_that_crashes_is_counted_as_such_and_its_context_ends() -> None:
    counted = Metrics()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert structlog.contextvars.get_contextvars()["trace_id"] == TRACE
        raise RuntimeError

    async def run() -> None:
        headers = [(b"traceparent", PARENT.encode())]
        scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
        await Observed(app, metrics=counted, templates={})(scope, None, None)  # type: ignore[arg-type]

    with pytest.raises(RuntimeError):
        asyncio.run(run())
    assert _requests(counted) == {("GET", "unmatched", "5xx"): 1}
    assert "trace_id" not in structlog.contextvars.get_contextvars()


def test_what_is_no_request_is_not_counted() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"

    assert _requests(_observe(app, type="lifespan")) == {}


class _Spans(TracerProvider):
    """Notes the names of tracers that are asked for."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def get_tracer(self, *names: Any, **options: Any) -> trace.Tracer:
        self.started.append(names[0])
        return trace.NoOpTracer()


@pytest.mark.parametrize("is_on", [True, False])
def test_spans_are_made_only_where_they_are_switched_on(settings: Settings, is_on: bool) -> None:
    update = {"database_url": "sqlite://", "traces": is_on}
    app = create_app(settings.model_copy(update=update))
    provider = _Spans()
    app._telemetry["tracer_provider"] = provider  # as an SDK would be the global one
    _get(app, "/api/v1/meta")
    assert provider.started == (["fastapi"] if is_on else [])
    _get(app, "/health/live")
    assert len(provider.started) == is_on


def _get(app: OpenQI, path: str) -> None:
    with TestClient(app) as client:
        assert client.get(path).status_code == 200


def test_nothing_but_spans_of_requests_is_told() -> None:
    settings = dict(tracing(is_on=True))
    assert settings.pop("exclude")({"path": "/metrics"}) is True  # type: ignore[operator]
    assert settings == {
        "tracing": True,
        "auto_configure": True,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
    }
