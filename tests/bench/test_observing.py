"""What it costs to measure and to log every request."""

import asyncio
import time
from collections.abc import Iterator
from io import StringIO
from uuid import UUID

import pytest
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit import telemetry
from app.kit.logging import configure
from app.kit.metrics import Metrics
from app.kit.telemetry import Observed
from app.main import OpenQI
from tests.bench.asgi import describe, processor_seconds
from tests.bench.test_spc_request import served

__all__ = ["served"]  # its fixture
CALLS, ROUNDS, REQUESTS = 2_000, 15, 100


@pytest.fixture
def _log_is_put_back() -> Iterator[None]:
    kept, log = structlog.get_config(), telemetry.log
    yield
    structlog.configure(**kept)
    telemetry.log = log


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    scope["endpoint"] = _answer
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _seconds(app: ASGIApp, more: dict[str, str]) -> float:
    """Processor time of a call, the best of several rounds."""
    headers = [(name.encode(), value.encode()) for name, value in more.items()]

    async def send(_: object) -> None:
        return None

    async def run() -> float:
        started = time.process_time()
        for _ in range(CALLS):
            scope = {"type": "http", "method": "GET", "headers": headers, "state": {}}
            await app(scope, None, send)  # type: ignore[arg-type]
        return (time.process_time() - started) / CALLS

    return min(asyncio.run(run()) for _ in range(ROUNDS))


@pytest.mark.bench
@pytest.mark.usefixtures("_log_is_put_back")
def test_processor_time_of_observing_a_request(
    served: tuple[OpenQI, str, dict[str, str], UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How much processor time do the histogram and the log line of a request take?

    Compared with the whole of GET .../spc, 36 points on PostgreSQL, in the same run. The layer is
    timed by itself around an empty application, because its cost drowns in the noise of requests.
    """
    app, _, headers, measure_id = served
    path = f"/api/v1/measures/{measure_id}/spc"
    request = min(
        processor_seconds(app, path, headers, requests=REQUESTS, status=200) for _ in range(ROUNDS)
    )
    least = _seconds(_answer, headers)
    for level in ("WARNING", "INFO"):
        monkeypatch.setattr("sys.stderr", StringIO())
        configure(level=level, log_format="json")
        monkeypatch.setattr(telemetry, "log", structlog.get_logger())
        observed = Observed(_answer, metrics=Metrics(), templates={_answer: "/spc"})
        cost = _seconds(observed, headers) - least
        describe(f"a request observed, log level {level}, us", f"{cost * 1e6:.1f}")
        describe(f"the same, of GET spc ({request * 1e6:.0f} us)", f"{cost / request:.1%}")
