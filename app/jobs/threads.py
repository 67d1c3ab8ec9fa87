"""Runs a blocking call in a daemon thread of its own: none that hangs keeps a process from ending.

A pool would be joined at exit. A thread takes 0.1 ms to make, less than what is done in it.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """What the call returns or raises. A waiter that is cancelled leaves the thread running."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(value: T | None, fault: Exception | None) -> None:
        if future.cancelled():
            return
        if fault is None:
            future.set_result(value)  # type: ignore[arg-type]
        else:
            future.set_exception(fault)

    def run() -> None:
        value: T | None = None
        fault: Exception | None = None
        try:
            value = call(*arguments, **named)
        except Exception as raised:
            fault = raised
        except BaseException as raised:  # it would end the loop
            fault = RuntimeError(f"{type(raised).__name__} in a thread")
        with contextlib.suppress(RuntimeError):  # nobody waits: the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, value, fault)

    threading.Thread(target=run, name="job", daemon=True).start()
    return await future
