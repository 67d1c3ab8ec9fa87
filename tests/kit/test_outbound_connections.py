"""What outgoing calls keep open, for how long, and what they say of themselves; a real server."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from app.kit import outbound
from app.kit.outbound import Outbound, Policy
from tests.kit.test_outbound import LOOPBACK, Dialler
from tests.looping import run_to_end

HOSTS = [f"receiver-{number}.example" for number in range(4)]


class Receiver:
    """Answers everything; knows its open connections and what was sent over each."""

    def __init__(self) -> None:
        self.open = 0
        self.requests: list[bytes] = []
        self.closed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with suppress(OSError, EOFError):
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                await reader.readexactly(2)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        self.open -= 1
        self.closed.set()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def is_down_to(self, count: int) -> None:
        """Wait until so many connections are open."""
        while self.open > count:
            self.closed.clear()
            await asyncio.wait_for(self.closed.wait(), 5)


Call = Callable[[str], Awaitable[Any]]


def with_receiver(
    story: Callable[[Receiver, Call], Awaitable[None]], clock: Callable[[], float] = time.monotonic
) -> None:
    """Tell the story with a receiver that every name leads to."""

    async def run() -> None:
        receiver = Receiver()
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def resolver(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1"]

        client = Outbound(LOOPBACK, resolver=resolver, dialler=Dialler(port), clock=clock)

        async def call(host: str) -> Any:
            answer = await client.send("POST", f"http://{host}/hook?x=1", headers={}, body=b"{}")
            assert answer.status == 204
            return answer

        try:
            await story(receiver, call)
        finally:
            await client.aclose()
            await receiver.is_down_to(0)
            server.close()

    run_to_end(run())


def test_a_connection_is_used_again() -> None:
    async def story(receiver: Receiver, call: Call) -> None:
        for _ in range(3):
            await call(HOSTS[0])
        assert (receiver.open, len(receiver.requests)) == (1, 3)

    with_receiver(story)


def test_what_nobody_asks_any_more_is_closed_with_the_next_call() -> None:
    shown = 1000.0

    async def story(receiver: Receiver, call: Call) -> None:
        nonlocal shown
        for host in HOSTS[:3]:
            await call(host)
        assert receiver.open == 3
        shown += outbound.IDLE_SECONDS / 2
        await call(HOSTS[0])
        assert receiver.open == 3
        shown += outbound.IDLE_SECONDS / 2
        await call(HOSTS[3])
        await receiver.is_down_to(2)
        await call(HOSTS[0])
        assert receiver.open == 2

    with_receiver(story, clock=lambda: shown)


def test_no_more_receivers_are_kept_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "RECEIVERS_KEPT", 2)

    async def story(receiver: Receiver, call: Call) -> None:
        for host in HOSTS:
            await call(host)
        await receiver.is_down_to(2)
        await asyncio.gather(*(call(host) for host in HOSTS * 5))  # none is closed under a call

    with_receiver(story)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("receiver.example", b"receiver.example"),
        ("receiver.example:8080", b"receiver.example:8080"),
        ("receiver.example:80", b"receiver.example"),
        ("[::1]:8080", b"[::1]:8080"),
        ("b\u00fccher.example", b"xn--bcher-kva.example"),
    ],
)
def test_what_a_receiver_hears_of_us(host: str, said: bytes) -> None:
    async def story(receiver: Receiver, call: Call) -> None:
        await call(host)
        first, *lines = receiver.requests[0].strip().split(b"\r\n")
        headers = {name.lower(): value for name, value in (line.split(b": ") for line in lines)}
        assert first == b"POST /hook?x=1 HTTP/1.1"
        assert headers == {
            b"host": said,
            b"accept": b"*/*",
            b"accept-encoding": b"identity",
            b"user-agent": b"OpenQI",
            b"content-length": b"2",
        }

    with_receiver(story)


def test_a_policy_of_another_client_is_not_remembered() -> None:
    async def story(receiver: Receiver, call: Call) -> None:
        await call(HOSTS[0])
        strict = Outbound(Policy())
        answer = await strict.send("POST", f"http://{HOSTS[0]}/hook?x=1", headers={}, body=b"{}")
        await strict.aclose()
        assert (answer.failure, len(receiver.requests)) == ("not_allowed", 1)

    with_receiver(story)
