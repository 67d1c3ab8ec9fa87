"""Outgoing HTTP: the only place that opens it, and it calls no address that it has not checked.

A name is resolved once, every answer is checked, and a checked address is dialled: a name that
changes its mind between check and call gains nothing. The URL stays as it is, so Host, SNI and
certificate are those of the name. No redirects, no proxies from the environment, no unix sockets.
"""

import select
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple

import anyio
import httpcore2
import httpx2

from app.kit.addresses import Network, is_allowed
from app.kit.lookups import look_up, resolve

CONNECT_SECONDS = 5.0
DIALLED_AT_MOST = 4
READ_AT_MOST = 16 * 1024
RECEIVERS_KEPT = 100  # whose connections are kept open for a while
IDLE_SECONDS = 5.0
KEPT = 1024
_SENT = ((b"accept", b"*/*"), (b"accept-encoding", b"identity"), (b"user-agent", b"OpenQI"))
_TIMEOUTS = {"timeout": {"connect": CONNECT_SECONDS}}

Resolve = Callable[[str, int], Awaitable[list[str]]]
Failure = Literal["not_allowed", "invalid_url", "timeout", "connection", "protocol"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows beside public https addresses."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()  # names whose addresses are not checked
    allow_http: bool = False
    proxy: str | None = None  # it must check addresses by itself


class Refused(Exception):
    """The target may not be called. The sentence names no address that a name resolved to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: a status with the beginning of the body, or a failure."""

    milliseconds: int
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False  # more was sent than is read
    address: str | None = None
    failure: Failure | None = None
    detail: str | None = None


def check_url(url: str, policy: Policy) -> httpx2.URL:
    """The target as it will be called. Raises `Refused` with a sentence for whoever entered it."""
    try:
        target = httpx2.URL(url)
        port = target.port or {"https": 443, "http": 80}.get(target.scheme, 0)
    except (httpx2.InvalidURL, ValueError, TypeError) as fault:
        raise Refused("This is not an address of the web.") from fault
    if target.scheme != "https" and not (target.scheme == "http" and policy.allow_http):
        raise Refused("Give an https address.")
    if not target.host or target.userinfo or target.fragment:
        raise Refused("Give a host, and no user, password or fragment.")
    if port not in (80, 443) and not 1024 <= port <= 65535:
        raise Refused("Give port 443, 80 or one from 1024.")
    return target


class _Target(NamedTuple):
    """An address as the pools want it."""

    url: httpcore2.URL
    host: bytes  # as the header says it: with brackets around an IPv6 address

    @property
    def receiver(self) -> tuple[bytes, bytes, int | None]:
        """What its connections are shared by."""
        return self.url.scheme, self.url.host, self.url.port


@lru_cache(maxsize=1024)  # receivers are few, and taking an address to pieces is not cheap
def _target(url: str, policy: Policy) -> _Target:
    target = check_url(url, policy)
    parts = httpcore2.URL(
        scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
    )
    return _Target(parts, target.netloc)


def check_target(url: str, policy: Policy) -> None:
    """Also resolve the name, when the target is entered; each call checks it again."""
    target = check_url(url, policy)
    if policy.proxy is not None or target.host in policy.hosts:
        return
    try:
        found = look_up(target.raw_host.decode())
    except (OSError, UnicodeError) as fault:
        raise Refused("The name of the host cannot be resolved.") from fault
    if not all(is_allowed(address, policy.networks) for address in found):
        raise Refused("The address of the host is not allowed.")


class _Stream(httpcore2.AsyncNetworkStream):
    """A connection that knows its address, and how to see whether the other end has closed it.

    A pool asks several times for each request; the library's own stream then collects all that is
    known of the socket, a twelfth of the processor time of a delivery.
    """

    def __init__(self, stream: httpcore2.AsyncNetworkStream, address: str) -> None:
        self._stream, self._address = stream, address
        self._poll = select.poll()
        self._poll.register(stream.get_extra_info("socket"), select.POLLIN)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "_Stream":
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _Stream(stream, self._address)

    def get_extra_info(self, info: str) -> Any:
        if info == "server_addr":
            return (self._address,)
        if info == "is_readable":
            return bool(self._poll.poll(0))
        return self._stream.get_extra_info(info)


class _Guarded(httpcore2.AsyncNetworkBackend):
    """Dials checked addresses only."""

    def __init__(
        self, policy: Policy, resolver: Resolve, dialler: httpcore2.AsyncNetworkBackend
    ) -> None:
        self._policy, self._resolve, self._dialler = policy, resolver, dialler

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        with anyio.fail_after(timeout):
            addresses = await self._resolve(host, port)
            if host not in self._policy.hosts and not all(
                is_allowed(address, self._policy.networks) for address in addresses
            ):
                raise Refused("The address of the host is not allowed.")
            fault: Exception = OSError("The name of the host has no address.")
            for address in addresses[:DIALLED_AT_MOST]:
                try:
                    stream = await self._dialler.connect_tcp(
                        address, port, timeout, local_address, socket_options
                    )
                    return _Stream(stream, address)
                except (httpcore2.NetworkError, OSError) as failed:
                    fault = failed
            raise fault

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise Refused("Unix sockets are not called.")

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


def _is_idle(pool: httpcore2.AsyncConnectionPool) -> bool:
    return all(connection.is_idle() for connection in pool.connections)


class _Kept(NamedTuple):
    pool: httpcore2.AsyncConnectionPool
    used: float  # when it was asked for


class _Pools:
    """Connections that are kept open for a while: a pool for each receiver.

    A pool looks at every connection it holds, twice for each request, so one for all would make a
    delivery cost as much as there are receivers (measured: half of it). And it closes what is idle
    for too long only when it is asked again; so pools that nobody asks are closed here.
    """

    def __init__(
        self, make_pool: Callable[[], httpcore2.AsyncConnectionPool], clock: Callable[[], float]
    ) -> None:
        self._make_pool, self._clock = make_pool, clock
        self._kept: dict[tuple[bytes, bytes, int | None], _Kept] = {}  # the last used stands last

    async def choose(self, target: _Target) -> httpcore2.AsyncConnectionPool:
        """The pool of a receiver."""
        await self._thin_out()
        # Nothing is awaited from here until the caller's request stands in the pool, so that
        # nobody finds it idle in between and closes it.
        kept = self._kept.pop(target.receiver, None)
        pool = kept.pool if kept else self._make_pool()
        self._kept[target.receiver] = _Kept(pool, self._clock())
        return pool

    async def _thin_out(self) -> None:
        for receiver, kept in list(self._kept.items()):
            is_recent = self._clock() - kept.used < IDLE_SECONDS
            if is_recent and len(self._kept) < RECEIVERS_KEPT:
                return
            if self._kept.get(receiver) is kept and _is_idle(kept.pool):
                del self._kept[receiver]
                await kept.pool.aclose()

    async def aclose(self) -> None:
        for kept in self._kept.values():
            await kept.pool.aclose()


_FAILURES: list[tuple[type[Exception], Failure, str]] = [
    (Refused, "not_allowed", "The address is not allowed."),
    (httpx2.InvalidURL, "invalid_url", "The address cannot be called."),
    (TimeoutError, "timeout", "No complete answer came in time."),
    (httpcore2.TimeoutException, "timeout", "No complete answer came in time."),
    (httpcore2.ProtocolError, "protocol", "The answer was not HTTP."),
    (httpcore2.NetworkError, "connection", "The connection failed."),
    (OSError, "connection", "The connection failed."),
    (httpx2.HTTPError, "protocol", "The answer was not HTTP."),
    (UnicodeError, "invalid_url", "The address cannot be called."),
]
_CAUGHT = tuple(kind for kind, _, _ in _FAILURES)


class Outbound:
    """A client that calls allowed targets only. Close it with `aclose`.

    resolver, dialler, tls, clock: other ones, for tests.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        connections: int = 100,
        resolver: Resolve = resolve,
        dialler: httpcore2.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy
        dialler = dialler or httpcore2.AnyIOBackend()
        guarded = _Guarded(policy, resolver, dialler)
        make_pool = partial(
            httpcore2.AsyncConnectionPool,
            ssl_context=tls or ssl.create_default_context(),
            proxy=httpcore2.Proxy(policy.proxy) if policy.proxy else None,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=dialler if policy.proxy else guarded,
        )
        self._pools = _Pools(make_pool, clock)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        seconds: float = 15.0,
        read_at_most: int = READ_AT_MOST,
        keep: int = KEPT,
    ) -> Answer:
        """One request within so many seconds in all; a failure is an answer too, never an error."""
        started = time.monotonic()
        try:
            target = _target(url, self.policy)
            with anyio.fail_after(seconds):
                return await self._send(method, target, headers, body, read_at_most, keep, started)
        except _CAUGHT as fault:
            failure, detail = next(
                (name, said) for kind, name, said in _FAILURES if isinstance(fault, kind)
            )
            return Answer(_elapsed(started), failure=failure, detail=detail)

    async def _send(
        self,
        method: str,
        target: _Target,
        headers: Mapping[str, str],
        body: bytes | None,
        read_at_most: int,
        keep: int,
        started: float,
    ) -> Answer:
        pool = await self._pools.choose(target)
        sent = [
            (b"host", target.host),
            *_SENT,
            *((k.encode(), v.encode()) for k, v in headers.items()),
        ]
        request = pool.stream(method, target.url, headers=sent, content=body, extensions=_TIMEOUTS)
        async with request as response, aclosing(response.aiter_stream()) as chunks:
            stream = response.extensions.get("network_stream")
            peer = stream.get_extra_info("server_addr") if stream is not None else None
            content, is_cut = b"", False
            async for chunk in chunks:
                content += chunk
                if len(content) > read_at_most:
                    is_cut = True
                    break
            return Answer(
                _elapsed(started),
                status=response.status,
                headers=httpx2.Headers(response.headers),
                body=content[:keep],
                is_cut=is_cut,
                address=str(peer[0]) if peer else None,
            )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pools.aclose()


def _elapsed(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
