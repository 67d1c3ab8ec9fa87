"""Runs what is asynchronous in a loop of its own, and lets what it has closed go."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")
_TURNS = 10


def run_to_end(work: Awaitable[T], *, seconds: float = 0.0) -> T:
    """As `asyncio.run`, which ends the loop before a connection that was closed is gone.

    A server's loop goes on; here the connection would be called unclosed, in some later test.
    seconds: how long the other side may take to end TLS; nothing tells when it has.
    """

    async def run() -> T:
        try:
            return await work
        finally:
            for _ in range(_TURNS):
                await asyncio.sleep(seconds / _TURNS)

    return asyncio.run(run())
