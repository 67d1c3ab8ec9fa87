"""Short ways that the tests of operations and imports share."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx

from app.jobs.handlers import InThread, Outcome
from app.kit.db import Database
from app.operations.models import Operation
from app.operations.running import operator
from app.operations.steps import Chunk, LastStep, Step, Turn
from tests.calling import Caller
from tests.jobs.draining import drain

KIND = "test.count"


def counting(
    to: int, *, before: Callable[[Turn, int], None] = lambda _turn, _number: None
) -> Callable[[Database, Operation], Iterator[Chunk]]:
    """A kind of work that counts; `before` runs in each chunk, with its number."""

    def run(_database: Database, operation: Operation) -> Iterator[Chunk]:
        for number in range(operation.done + 1, to + 1):
            yield step_of(number)

    def step_of(number: int) -> Chunk:
        def step(turn: Turn) -> Step:
            before(turn, number)
            kind = LastStep if number == to else Step
            return kind(done=number, total=to, checkpoint={"number": number})

        return step

    return run


def quick(runners: Any, database: Database, **over: Any) -> InThread:
    """The handler without its pauses."""
    return operator(runners, database=database, pause=lambda _seconds: None, **over)


def work_off(database: Database, runners: Any, **over: Any) -> list[Outcome]:
    """Run every operation that waits, to its end."""
    return drain(database, [quick(runners, database, **over)])


def ended(caller: Caller, response: httpx.Response) -> dict[str, Any]:
    """The operation of a 202, as it is now; its state is a final one."""
    assert response.status_code == 202, response.text
    document = caller.ok(response.headers["Location"])
    assert document["finished_at"] is not None, document
    return document
