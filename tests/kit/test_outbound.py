"""Outgoing HTTP against a real local server; public names by an injected resolver and dialler."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import httpcore2
import pytest

from app.kit.addresses import networks
from app.kit.outbound import Answer, Outbound, Policy, Refused, check_target, check_url
from tests.kit.certificates import make_tls
from tests.looping import run_to_end

LOOPBACK = Policy(networks=tuple(networks(["127.0.0.0/8", "::1/128"])), allow_http=True)
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Dialler(httpcore2.AsyncNetworkBackend):
    """Notes what is dialled and reaches the local server instead."""

    def __init__(self, port: int, broken: frozenset[str] = frozenset()) -> None:
        self.port, self.broken = port, broken
        self.dialled: list[str] = []
        self._real = httpcore2.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> Any:
        self.dialled.append(host)
        if host in self.broken:
            raise httpcore2.ConnectError("refused")
        return await self._real.connect_tcp("127.0.0.1", self.port, *rest, **more)


def answering(content: bytes) -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(content)
        await writer.drain()

    return handle


def send(
    handle: Handle,
    url: str = "http://127.0.0.1:{port}/",
    policy: Policy = LOOPBACK,
    *,
    answers: list[list[str]] | None = None,
    broken: frozenset[str] = frozenset(),
    tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None,
    **more: Any,
) -> tuple[Answer, list[str]]:
    """The answer of a server of ours, and the addresses that were dialled."""

    async def run() -> tuple[Answer, list[str]]:
        served: list[asyncio.Task[Any]] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.append(cast(asyncio.Task[Any], asyncio.current_task()))
            with suppress(OSError, EOFError):
                await handle(reader, writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls[0] if tls else None)
        port = server.sockets[0].getsockname()[1]
        dialler = Dialler(port, broken)
        said = iter(answers or [])

        async def resolver(_host: str, _port: int) -> list[str]:
            return next(said)

        options: dict[str, Any] = {"resolver": resolver} if answers else {}
        client = Outbound(policy, dialler=dialler, tls=tls[1] if tls else None, **options)
        try:
            asked: dict[str, Any] = {"headers": {}, "seconds": 2.0} | more
            answer = await client.send("POST", url.format(port=port), body=b"{}", **asked)
            return answer, dialler.dialled
        finally:
            await client.aclose()
            server.close()
            await asyncio.gather(*served)

    return run_to_end(run())


def test_an_answer() -> None:
    answer, dialled = send(answering(OK))
    assert (answer.status, answer.body, answer.failure) == (200, b"ok", None)
    assert answer.address == "127.0.0.1"
    assert dialled == ["127.0.0.1"]


@pytest.mark.parametrize(
    "host",
    ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost", "127.0.0.1", "[::1]", "[::]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "0"],
)  # fmt: skip
def test_spellings_of_this_machine_are_not_dialled(host: str) -> None:
    answer, dialled = send(answering(OK), f"http://{host}:{{port}}/", Policy(allow_http=True))
    assert answer.failure in ("not_allowed", "connection")  # a spelling may not resolve at all
    assert answer.status is None
    assert dialled == []


@pytest.mark.parametrize("private", ["10.0.0.7", "169.254.169.254", "::1", "fe80::1", "fd00::1"])
def test_one_private_answer_refuses_the_name(private: str) -> None:
    for order in (["1.1.1.1", private], [private, "2606:4700::1111"]):
        answer, dialled = send(
            answering(OK), "http://app.example/", Policy(allow_http=True), answers=[order]
        )
        assert (answer.failure, answer.detail) == ("not_allowed", "The address is not allowed.")
        assert dialled == []


def test_a_name_that_changes_its_mind_is_dialled_at_the_checked_address() -> None:
    answer, dialled = send(
        answering(OK),
        "http://app.example/",
        Policy(allow_http=True),
        answers=[["1.1.1.1"], ["127.0.0.1"]],
    )
    assert answer.status == 200
    assert dialled == ["1.1.1.1"]


def test_the_next_address_is_tried_four_at_most() -> None:
    given = [f"1.1.1.{n}" for n in range(1, 7)]
    broken = frozenset(given[:2])
    answer, dialled = send(
        answering(OK), "http://a.example/", Policy(allow_http=True), answers=[given], broken=broken
    )
    assert (answer.status, dialled) == (200, given[:3])
    answer, dialled = send(
        answering(OK),
        "http://a.example/",
        Policy(allow_http=True),
        answers=[given],
        broken=frozenset(given),
    )
    assert (answer.failure, dialled) == ("connection", given[:4])


def test_a_named_host_and_a_named_network_may_be_private() -> None:
    named = Policy(hosts=frozenset({"intranet.example"}), allow_http=True)
    answer, _ = send(answering(OK), "http://intranet.example/", named, answers=[["10.1.1.1"]])
    assert answer.status == 200
    inside = Policy(networks=tuple(networks(["10.1.0.0/16"])), allow_http=True)
    answer, _ = send(answering(OK), "http://other.example/", inside, answers=[["10.1.1.1"]])
    assert answer.status == 200


def test_redirects_are_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    answer, dialled = send(answering(moved))
    assert (answer.status, dialled) == (302, ["127.0.0.1"])


def test_a_cookie_is_never_sent_back() -> None:
    """Neither to who set it nor to another: what one receiver says is no other's business."""
    asked: list[bytes] = []
    served: list[asyncio.Task[Any]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(cast(asyncio.Task[Any], asyncio.current_task()))
        with suppress(EOFError):
            while True:
                asked.append(await reader.readuntil(b"{}"))
                writer.write(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: seen=yes\r\n\r\n"))
                await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def run() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Outbound(LOOPBACK)
        for host in ("127.0.0.1", "127.0.0.1", "localhost"):
            url = f"http://{host}:{port}/"
            answer = await client.send("POST", url, headers={}, body=b"{}", seconds=2.0)
            assert answer.headers["set-cookie"] == "seen=yes"
        await client.aclose()
        server.close()
        await asyncio.gather(*served)

    run_to_end(run())
    assert len(asked) == 3
    assert [request for request in asked if b"cookie" in request.lower()] == []


def test_a_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    answer, dialled = send(answering(OK))
    assert (answer.status, dialled) == (200, ["127.0.0.1"])


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("handle", [_hang, _drip])
def test_a_deadline_for_all_of_it(handle: Handle) -> None:
    answer, _ = send(handle, seconds=0.5)
    assert answer.failure == "timeout"
    assert 400 <= answer.milliseconds < 1_900


@pytest.mark.parametrize("content", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_what_is_not_http(content: bytes) -> None:
    answer, _ = send(answering(content))
    assert answer.failure == "protocol"


def test_a_long_answer_is_cut() -> None:
    long = b"HTTP/1.1 500 No\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90_000
    answer, _ = send(answering(long))
    assert (answer.status, answer.is_cut, answer.body) == (500, True, b"x" * 1024)
    answer, _ = send(answering(long), read_at_most=100_000, keep=100_000)
    assert (answer.is_cut, len(answer.body)) == (False, 90_000)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server that is app.example, and of a client that trusts it."""
    return make_tls(tmp_path_factory.mktemp("tls"), "app.example")


def test_the_certificate_is_that_of_the_name(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    public = [["1.1.1.1"]]
    answer, dialled = send(answering(OK), "https://app.example/", Policy(), answers=public, tls=tls)
    assert (answer.status, dialled) == (200, ["1.1.1.1"])
    answer, _ = send(answering(OK), "https://other.example/", Policy(), answers=public, tls=tls)
    assert (answer.status, answer.failure) == (None, "connection")


def test_a_closed_port() -> None:
    answer, _ = send(answering(OK), answers=[["127.0.0.2"]], broken=frozenset({"127.0.0.2"}))
    assert answer.failure == "connection"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://a.example/", "https"),
        ("ftp://a.example/", "https"),
        ("//a.example/", "https"),
        ("nonsense", "https"),
        ("https:///path", "host"),
        ("https://user:word@a.example/", "user"),
        ("https://user@a.example/", "user"),
        ("https://a.example/#part", "fragment"),
        ("https://a.example:22/", "port"),
        ("https://a.example:99999/", "port"),
        ("https://[::1/", "address of the web"),
        ("https://a\x00b/", "address of the web"),
    ],
)
def test_targets_that_are_refused_when_entered(url: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_url(url, Policy())


def test_targets_are_resolved_when_entered() -> None:
    with pytest.raises(Refused, match="not allowed"):
        check_target("https://127.0.0.1/", Policy())
    with pytest.raises(Refused, match="cannot be resolved"):
        check_target("https://nowhere.invalid/", Policy())
    check_target("https://127.0.0.1/", LOOPBACK)
    check_target("https://nowhere.invalid/", Policy(hosts=frozenset({"nowhere.invalid"})))
    assert (
        str(check_url("https://a.example:8443/x?y=1", Policy())) == "https://a.example:8443/x?y=1"
    )
