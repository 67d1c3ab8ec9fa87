"""The layers around the application, as bare ASGI: what is no HTTP passes, contexts end."""

import asyncio
from typing import Any

import pytest
import structlog
from starlette.types import Message, Receive, Scope, Send

from app.kit.middleware import surround


class Inner:
    """Notes the scope it gets and the request id that is in the log's context."""

    def __init__(self, *, fails: bool = False) -> None:
        self.scope: Scope = {}
        self.context: dict[str, Any] = {}
        self.fails = fails

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.context = scope, structlog.contextvars.get_contextvars()
        if self.fails:
            raise RuntimeError
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"Elm", "more_body": False})


def _call(inner: Inner, **scope: Any) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    whole = {"type": "http", "method": "GET", "path": "/", "headers": []} | scope
    layers = surround(inner, cors_origins=["https://front.example"])

    async def run() -> None:
        await layers(whole, receive, send)

    asyncio.run(run())
    return sent


def _headers(sent: list[Message]) -> dict[bytes, bytes]:
    return dict(sent[0]["headers"])


def test_the_request_id_stands_in_scope_context_and_answer() -> None:
    inner = Inner()
    sent = _call(inner, headers=[(b"x-request-id", b"front-end-42")])
    assert inner.scope["request_id"] == "front-end-42"
    assert inner.context["request_id"] == "front-end-42"
    assert _headers(sent)[b"x-request-id"] == b"front-end-42"
    assert "request_id" not in structlog.contextvars.get_contextvars()


def test_the_context_ends_with_a_failing_request_too() -> None:
    with pytest.raises(RuntimeError):
        _call(Inner(fails=True))
    assert "request_id" not in structlog.contextvars.get_contextvars()


def test_head_is_asked_as_get_and_loses_its_body() -> None:
    inner = Inner()
    sent = _call(inner, method="HEAD")
    assert inner.scope["method"] == "GET"
    assert sent[1]["body"] == b""


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_http_passes(kind: str) -> None:
    inner = Inner()
    assert _call(inner, type=kind) == []
    assert inner.scope["type"] == kind
    assert "request_id" not in inner.scope
