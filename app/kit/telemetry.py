"""What is told of each request: its duration by route, one line of the log, its trace.

Never a path, a query or a body: they may name persons.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.metrics import Metrics

UNMATCHED = "unmatched"
_QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})  # asked every few seconds
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# W3C Trace Context, version 00; of a later version the same fields come first.
_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
log = structlog.get_logger()


def trace_id_of(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The trace that a well-formed `traceparent` names."""
    for name, value in headers:
        if name == b"traceparent" and (match := _TRACEPARENT.fullmatch(value)):
            return match[1].decode()
    return None


class Observed:
    """Measures and logs each request. Pure ASGI, around everything that makes an answer.

    templates: the path template of each endpoint; the router leaves the endpoint in the scope.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, templates: Mapping[Callable[..., Any], str]
    ) -> None:
        self.app, self._metrics, self._templates = app, metrics, templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status, seconds = 500, None

        async def send_observed(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - started
            await send(message)

        trace_id = trace_id_of(scope["headers"])
        if trace_id:
            structlog.contextvars.bind_contextvars(trace_id=trace_id)
        try:
            await self.app(scope, receive, send_observed)
        finally:
            self._tell(scope, status, seconds or time.perf_counter() - started)
            if trace_id:
                structlog.contextvars.unbind_contextvars("trace_id")

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        principal = scope.get("state", {}).get("principal_id")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = self._templates.get(scope.get("endpoint"), UNMATCHED)  # type: ignore[arg-type]
        self._metrics.request(method, route, status, seconds)
        tell = log.debug if route in _QUIET else log.info
        tell(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            principal_id=str(principal) if principal else None,
        )


def tracing(*, is_on: bool) -> TelemetryConfig:
    """FastAPI's own telemetry: spans of requests alone. What they cost without an SDK is nothing.

    Metrics are ours, and its logs would hold the exceptions' own words.
    """
    return {
        "tracing": is_on,
        "auto_configure": is_on,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "exclude": lambda scope: scope.get("path") in _QUIET,
    }
