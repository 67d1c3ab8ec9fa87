"""What runs a job: three shapes of handler, and the outcome that each returns."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlmodel import Session

from app.jobs.kinds import Kind


class Work(NamedTuple):
    """A claimed job."""

    id: int
    kind: str
    lane: str
    args: Mapping[str, Any]
    attempt: int  # 1 at the first claim
    created_at: int  # Unix milliseconds

    @property
    def told(self) -> dict[str, Any]:
        """What a log may say of it; of its arguments the ids alone, as the API writes them."""
        ids = {name: _id_of(value) for name, value in self.args.items() if name.endswith("_id")}
        stated = {name: told for name, told in ids.items() if told is not None}
        return stated | {"job_id": self.id, "kind": self.kind, "attempt": self.attempt}


def _id_of(value: Any) -> str | None:
    try:
        return str(uuid.UUID(value))
    except (AttributeError, TypeError, ValueError):
        return None


class Effect(NamedTuple):
    """What is to be stored with the outcome, in the same transaction.

    `keep` gets the values of all outcomes that were settled together, so it can write them at once.
    """

    keep: Callable[[Session, Sequence[Any]], None]
    value: Any


@dataclass(frozen=True, slots=True)
class Done:
    """The job is finished and its row goes."""

    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again: at `at` (Unix milliseconds), or by the kind's own schedule with jitter.

    counts: whether the attempt is used up (it is not where nothing was tried).
    """

    error: str
    at: int | None = None
    effect: Effect | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Dead:
    """Give up: the job is kept among the dead."""

    error: str
    effect: Effect | None = None


Outcome = Done | Retry | Dead


class Death(NamedTuple):
    """A job that was buried: it gave up, used up its attempts, or took each worker with it."""

    work: Work
    error: str


# What follows from deaths, in the transaction that buries the jobs; of all of a kind at once.
OnDead = Callable[[Session, Sequence[Death]], None]


@dataclass(frozen=True, slots=True)
class Together:
    """Work on this database alone: a whole batch in one transaction, with its settling.

    `apply` returns the outcomes that are not `Done()`. If it raises, each job is tried by itself.
    """

    kind: Kind
    apply: Callable[[Session, Sequence[Work]], Mapping[int, Outcome] | None]
    on_dead: OnDead | None = None


@dataclass(frozen=True, slots=True)
class InThread:
    """Slow work, one job in a thread; it opens and commits its own transactions.

    An exception counts as `Retry`.
    """

    kind: Kind
    run: Callable[[Work], Outcome]
    on_dead: OnDead | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Outgoing calls: `load` reads what a batch needs by few statements, then each job runs.

    No transaction is open while `run` waits; what it learned goes back as the outcome's effect.
    `run` gets None where `load` had nothing for the job.
    """

    kind: Kind
    load: Callable[[Session, Sequence[Work]], Mapping[int, Any]]
    run: Callable[[Work, Any], Awaitable[Outcome]]
    on_dead: OnDead | None = None


Handler = Together | InThread | Outgoing
