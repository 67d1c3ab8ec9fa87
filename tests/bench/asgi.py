"""Calls an ASGI application in this process, to count the processor time of a request."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Scope


@dataclass
class Answer:
    """What the application sent."""

    status: int
    headers: dict[str, str]
    body: bytes


def _scope(path: str, headers: Mapping[str, str]) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8_000),
        "state": {},
    }


async def get(app: ASGIApp, path: str, headers: Mapping[str, str]) -> Answer:
    """One GET."""
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    await app(_scope(path, headers), receive, send)
    return Answer(
        messages[0]["status"],
        {name.decode(): value.decode() for name, value in messages[0]["headers"]},
        b"".join(message.get("body", b"") for message in messages[1:]),
    )


def processor_seconds(
    app: ASGIApp, path: str, headers: Mapping[str, str], *, requests: int, status: int
) -> float:
    """Processor time of this process (all its threads) per request, over so many requests."""

    async def run() -> float:
        await get(app, path, headers)
        started = time.process_time()
        for _ in range(requests):
            answer = await get(app, path, headers)
            assert answer.status == status, answer.body
        return (time.process_time() - started) / requests

    return asyncio.run(run())


def describe(label: str, value: Any) -> None:
    """One line of a benchmark's report."""
    print(f"{label:<60} {value}")
