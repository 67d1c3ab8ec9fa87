"""Names are looked up beside everything else: what hangs is given up, and holds up nobody."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from app.kit import lookups
from app.kit.lookups import look_up, resolve
from app.kit.outbound import Policy, Refused, check_target
from tests.kit.test_outbound import OK, answering, send

REAL = socket.getaddrinfo


class Servers:
    """Name servers that do not answer for names under `hangs.example`, until they are let go."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.may_go = threading.Event()

    def getaddrinfo(self, host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        self.asked[name] += 1
        if not name.endswith("hangs.example"):
            return REAL(host, *arguments, **named)
        assert self.may_go.wait(30)
        return REAL("192.0.2.7", *arguments, **named)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    servers = Servers()
    monkeypatch.setattr(socket, "getaddrinfo", servers.getaddrinfo)
    yield servers
    servers.may_go.set()
    deadline = time.monotonic() + 10
    while lookups.under_way():
        assert time.monotonic() < deadline
        time.sleep(0.005)  # threads that nobody waits for


def test_names_that_hang_hold_up_no_other_receiver(servers: Servers) -> None:
    async def run() -> list[str]:
        tasks = [asyncio.create_task(resolve(f"{n}.hangs.example", 443)) for n in range(40)]
        while not servers.asked:
            await asyncio.sleep(0.001)
        try:
            return await asyncio.wait_for(resolve("localhost", 443), 3)
        finally:
            servers.may_go.set()
            await asyncio.gather(*tasks)

    assert set(asyncio.run(run())) <= {"127.0.0.1", "::1"}


def test_a_call_ends_in_time_though_the_name_hangs(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "SECONDS", 0.05)
    answer, dialled = send(answering(OK), "http://a.hangs.example/", Policy(allow_http=True))
    assert (answer.failure, dialled) == ("timeout", [])
    assert answer.milliseconds < 1_500


def test_a_target_that_is_entered_is_refused_in_time(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "SECONDS", 0.05)
    with pytest.raises(Refused, match="cannot be resolved"):
        check_target("https://a.hangs.example/", Policy())


def test_a_name_is_asked_for_once_at_a_time(servers: Servers) -> None:
    async def run() -> list[list[str]]:
        tasks = [asyncio.create_task(resolve("a.hangs.example", port)) for port in (443, 80, 8443)]
        while not servers.asked:
            await asyncio.sleep(0.001)
        tasks[0].cancel()  # who gives up takes nothing away from the others
        servers.may_go.set()
        return await asyncio.gather(*tasks[1:])

    assert asyncio.run(run()) == [["192.0.2.7"]] * 2
    assert servers.asked["a.hangs.example"] == 1
    assert look_up("a.hangs.example") == ["192.0.2.7"]
    assert servers.asked["a.hangs.example"] == 2  # nothing is kept


def test_so_many_at_once_and_no_more(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "AT_ONCE", 2)
    monkeypatch.setattr(lookups, "SECONDS", 0.01)
    for name in ("a", "b"):
        with pytest.raises(TimeoutError):
            look_up(f"{name}.hangs.example")
    with pytest.raises(OSError, match="Too many"):
        look_up("c.hangs.example")
    assert "c.hangs.example" not in servers.asked


def test_a_name_that_there_is_not(servers: Servers) -> None:
    for name in ("nowhere.invalid", f"{'a' * 64}.example"):
        with pytest.raises((OSError, UnicodeError)):
            look_up(name)
    assert lookups.under_way() == 0
