"""Runs a blocking call in a daemon thread: none that hangs keeps a process from ending.

An executor's threads would be joined at exit. Threads that are free wait for the next call: while
the machine is busy, starting one holds up the loop for several milliseconds (measured).
"""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Call = Callable[[], None]
KEPT = 8  # threads that wait for the next call
_FREE: list[SimpleQueue[Call]] = []


async def in_thread(call: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """What the call returns or raises. A waiter that is cancelled leaves the thread running."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

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
            value = context.run(call, *arguments, **named)
        except Exception as raised:
            fault = raised
        except BaseException as raised:  # it would end the loop
            fault = RuntimeError(f"{type(raised).__name__} in a thread")
        with contextlib.suppress(RuntimeError):  # nobody waits: the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, value, fault)

    start(run)
    return await future


def start(call: Call) -> None:
    """Run what raises nothing, and do not wait for it."""
    try:
        _FREE.pop().put(call)
    except IndexError:
        calls: SimpleQueue[Call] = SimpleQueue()
        calls.put(call)
        threading.Thread(target=_work, args=[calls], name="call", daemon=True).start()


def _work(calls: SimpleQueue[Call]) -> None:
    while True:
        calls.get()()
        if len(_FREE) >= KEPT:
            return
        _FREE.append(calls)
