"""What a kind of long work consists of: chunks, each of them one transaction."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.access.actor import Actor
from app.kit.db import Database
from app.operations.models import Operation


@dataclass(frozen=True, slots=True)
class Turn:
    """The transaction of one chunk, and on whose behalf it writes, with today's roles."""

    session: Session
    actor: Actor
    operation: Operation
    now: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """How far a chunk has brought the work; kept in the chunk's own transaction.

    checkpoint: all that a later run needs to go on behind this chunk, as JSON; None leaves it.
    """

    done: int | None = None
    total: int | None = None
    checkpoint: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class LastStep(Step):
    """The work is complete. `result_url` is where to read what came of it."""

    result: Mapping[str, Any] | None = None
    result_url: str | None = None


Chunk = Callable[[Turn], Step]
# Yields chunks from the operation's checkpoint on; the last one gives a `LastStep`. What it does
# between two chunks (reading, parsing, comparing) happens while no transaction is open.
Runner = Callable[[Database, Operation], Iterator[Chunk]]


def look_up(_turn: Turn) -> Step:
    """A chunk that does nothing: between long preparations it asks whether to go on."""
    return Step()
