"""What surrounds the whole application, 500s included: request id, CORS, security headers, HEAD.

Pure ASGI and wrapped by hand: Starlette puts `add_middleware` inside its error handler, so a 500
would leave without a request id and without the CORS headers that let a browser read it (measured).
"""

import re
from collections.abc import Callable
from typing import Any

import structlog
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit import problems
from app.kit.ids import new_id

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,128}")
_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
_DEFAULT_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_DEFAULT_CACHE = (b"cache-control", b"private, no-cache")
_ERROR_CACHE = (b"cache-control", b"no-store")
_VARY = (b"vary", b"Accept, Authorization")
CORS_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CORS_REQUEST_HEADERS = [
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Idempotency-Key",
    "Prefer",
    "X-Request-ID",
    "traceparent",
]
CORS_RESPONSE_HEADERS = [
    "ETag",
    "Location",
    "Link",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "X-Request-ID",
    "Deprecation",
    "Sunset",
    "Idempotency-Replayed",
    "Content-Disposition",
    "Accept-Patch",
]


class RequestId:
    """Takes a well-formed X-Request-ID or makes one, for logs, problems and every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id().hex.encode()
        scope["request_id"] = request_id.decode()
        structlog.contextvars.bind_contextvars(request_id=scope["request_id"])

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id),
                    (b"x-correlation-id", request_id),
                ]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")


class SecurityHeaders:
    """The headers of every answer; a route's own Cache-Control, Vary and policy win."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                present = {name for name, _ in headers}
                cache = _ERROR_CACHE if message["status"] >= 400 else _DEFAULT_CACHE
                headers += _SECURITY_HEADERS
                headers += [pair for pair in (cache, _DEFAULT_CSP, _VARY) if pair[0] not in present]
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_secured)


class Head:
    """Answers HEAD on every GET: the same answer without its body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        is_complete = False

        async def send_without_body(message: Message) -> None:
            nonlocal is_complete
            if message["type"] != "http.response.body":
                await send(message)
            elif not is_complete:  # the first part is the end: a stream may have no other
                is_complete = True
                await send({**message, "body": b"", "more_body": False})

        await self.app({**scope, "method": "GET"}, receive, send_without_body)


class TooLarge:
    """Starlette refuses a body over the limit in plain text, past our handlers; not so here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_replaced = False

        async def send_problem(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                is_replaced = True
                response = problems.plain_response(Request(scope), 413)
                await response(scope, receive, send)
            elif not is_replaced:
                await send(message)

        await self.app(scope, receive, send_problem)


def surround(
    app: ASGIApp, *, cors_origins: list[str], observe: Callable[[ASGIApp], ASGIApp] | None = None
) -> ASGIApp:
    """The application inside its layers, outermost first: request id, CORS, the rest.

    observe: the layer that measures; it sees what the router notes, and the request id.
    """
    answering: ASGIApp = TooLarge(app)
    wrapped: ASGIApp = SecurityHeaders(Head(observe(answering) if observe else answering))
    if cors_origins:
        options: dict[str, Any] = {
            "allow_origins": cors_origins,
            "allow_credentials": False,  # bearer tokens, no cookies
            "allow_methods": CORS_METHODS,
            "allow_headers": CORS_REQUEST_HEADERS,
            "expose_headers": CORS_RESPONSE_HEADERS,
            "max_age": 600,
        }
        wrapped = CORSMiddleware(wrapped, **options)
    return RequestId(wrapped)
