"""Looks names up in daemon threads of their own: name servers that hang hold up nobody else.

The system's resolver knows no deadline, and in an executor of few threads eight names that hang
are enough to stop all. So a name is asked for once at a time, however many wait for it, and nobody
waits longer than some seconds; the thread that hangs ends when the resolver gives up.
"""

import asyncio
import socket
import threading
from concurrent.futures import Future

from app.kit.threads import start

SECONDS = 5.0
AT_ONCE = 100
_UNDER_WAY: dict[str, Future[list[str]]] = {}
_LOCK = threading.Lock()


async def resolve(host: str, _port: int) -> list[str]:
    """Every address of a name. Raises OSError, TimeoutError among it, or UnicodeError."""
    async with asyncio.timeout(SECONDS):
        return await asyncio.wrap_future(_ask(host))


def look_up(host: str) -> list[str]:
    """The same for a thread that may wait."""
    return _ask(host).result(SECONDS)


def under_way() -> int:
    """How many names are being looked up."""
    return len(_UNDER_WAY)


def _ask(host: str) -> Future[list[str]]:
    with _LOCK:
        asked = _UNDER_WAY.get(host)
        if asked is not None:
            return asked
        if len(_UNDER_WAY) >= AT_ONCE:
            raise OSError("Too many names are being looked up.")
        asked = _UNDER_WAY[host] = Future()
        asked.set_running_or_notify_cancel()  # or who gives up would cancel it for all
    try:
        start(lambda: _answer(host, asked))
    except RuntimeError as fault:  # no more threads
        _forget(host)
        asked.set_exception(OSError(str(fault)))
    return asked


def _answer(host: str, asked: Future[list[str]]) -> None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        answer = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    except Exception as fault:
        _forget(host)
        asked.set_exception(fault)
    else:
        _forget(host)
        asked.set_result(answer)


def _forget(host: str) -> None:
    with _LOCK:
        del _UNDER_WAY[host]
