"""Sends a request byte by byte as it stands in a table, and reads the answer."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """The code of a problem; None for what is none."""
        if self.headers.get("content-type") != "application/problem+json":
            return None
        code: str = json.loads(self.body)["code"]
        return code


@dataclass(frozen=True)
class Hostile:
    """One request that no honest client sends, and how it may be answered."""

    label: str
    statuses: frozenset[int]
    code: str | None
    method: str
    target: str
    body: bytes | None = None
    headers: Headers = field(default=())

    def named(self, names: dict[str, Any]) -> "Hostile":
        """The same request with the names of the table filled in."""
        target, body = self.target, self.body
        headers = self.headers
        for name, value in names.items():
            target = target.replace("{" + name + "}", str(value))
            body = body and body.replace(f"<{name}>".encode(), str(value).encode())
            headers = tuple(
                (key, text.replace("{" + name + "}", str(value))) for key, text in headers
            )
        return replace(self, target=target, body=body, headers=headers)

    def lines(self, defaults: dict[str, str]) -> Iterator[str]:
        """The request line and the headers; a header of the row replaces the default."""
        yield f"{self.method} {self.target} HTTP/1.1"
        own = {name.lower() for name, _ in self.headers}
        if self.body is not None and not {"content-length", "transfer-encoding"} & own:
            yield f"Content-Length: {len(self.body)}"
        for name, value in defaults.items():
            if name.lower() not in own:
                yield f"{name}: {value}"
        for name, value in self.headers:
            if value != ABSENT:
                yield f"{name}: {value}"


ABSENT = "\x00absent"


def send(base: str, request: Hostile, *, token: str, names: dict[str, Any]) -> Answer:
    """Send it over a connection of its own."""
    request = request.named(names)
    place = urlsplit(base)
    defaults = {
        "Host": place.netloc,
        "Connection": "close",
        "Authorization": f"Bearer {token}",
    }
    if request.body is not None:
        defaults["Content-Type"] = "application/json"
    head = "\r\n".join((*request.lines(defaults), "", "")).encode("latin-1")
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        # It may be refused before it is read to the end; the answer is there all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(head + (request.body or b""))
        response = HTTPResponse(connection, method=request.method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
