"""A client of the stream that reads it line by line, over a real connection."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx


@dataclass
class Watcher:
    """An open stream: events one by one, and the last word."""

    response: httpx.Response
    ids: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = self.response.iter_lines()

    def blocks(self) -> Iterator[dict[str, str]]:
        """Each block of lines, comments included (under an empty name)."""
        block: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(":")
                block[name] = value.removeprefix(" ")
            elif block:
                yield block
                block = {}

    def open(self) -> "Watcher":
        """Wait for the first words, which say that the place is taken."""
        assert next(self.blocks()) == {"": "open", "retry": "3000"}
        return self

    def next(self) -> dict[str, Any]:
        """The next event, or the last word as `{"end": reason}`; pings are passed over."""
        for block in self.blocks():
            if block.get("event") == "end":
                return {"end": json.loads(block["data"])["reason"], "seq": int(block["id"])}
            if "data" in block:
                event: dict[str, Any] = json.loads(block["data"])
                assert event["seq"] == int(block["id"])
                self.ids.append(event["seq"])
                return event
        raise AssertionError("the stream ended without a last word")


@contextmanager
def watching(
    address: str, token: str, *, last: int | None = None, **params: Any
) -> Iterator[Watcher]:
    """Open the stream as the bearer of the token."""
    headers = {"Authorization": f"Bearer {token}"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    with (
        httpx.Client(base_url=address, timeout=15) as client,
        client.stream("GET", "/api/v1/events/stream", headers=headers, params=params) as response,
    ):
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        watcher = Watcher(response).open()  # a name, or the connection would go with the object
        yield watcher
