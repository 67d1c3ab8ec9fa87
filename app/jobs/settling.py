"""Stores what became of jobs: many outcomes in one transaction, and none of a job that was lost.

The fence: a row that no longer bears the lease of the claim is somebody else's, and is left alone.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from traceback import extract_tb
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from app.jobs.claiming import Held, instant
from app.jobs.handlers import Dead, Death, Done, OnDead, Outcome, Retry, Together
from app.jobs.kinds import Kind
from app.jobs.models import DeadJob, Job
from app.kit.database_errors import is_away
from app.kit.db import Database
from app.kit.ids import new_id

AT_ONCE = 200  # outcomes of one transaction
_ERROR_LENGTH = 2_000
_SPREAD = 0.2
_JOB: sa.Table = Job.__table__  # type: ignore[attr-defined]
_DEAD: sa.Table = DeadJob.__table__  # type: ignore[attr-defined]
_FENCED = (
    sa.select(_JOB.c.id, _JOB.c.lease)
    .where(_JOB.c.id.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(_JOB.c.id)
    .with_for_update()
)
_FINISH = sa.delete(_JOB).where(_JOB.c.id.in_(sa.bindparam("numbers", expanding=True)))
_MOVED = ["queue", "kind", "lane", "key", "args", "programme_id", "attempt", "created_at"]

log = structlog.get_logger()


class Result(NamedTuple):
    """A job, what became of it, and what follows if that is its end."""

    held: Held
    outcome: Outcome
    on_dead: OnDead | None = None


def given_up(held: Held) -> Dead | None:
    """The end of a job that has taken its worker with it each time."""
    if held.work.attempt <= held.kind.attempts:
        return None
    return Dead(f"Given up after {held.kind.attempts} attempts.")


def is_outage(fault: BaseException) -> bool:
    """Whether the database is away, busy or full: the same is tried again, and nothing is lost."""
    if isinstance(fault, DBAPIError):
        return is_away(fault)
    return isinstance(fault, PoolTimeout | OSError)


def describe(fault: BaseException) -> str:
    """The kind of error and where it arose; its words may hold names of people."""
    frames = extract_tb(fault.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(fault).__name__ + place


def delay_ms(kind: Kind, attempt: int) -> int:
    """The wait after this attempt, by the kind's schedule, 20 % more or less."""
    seconds = kind.retry_seconds[min(attempt, len(kind.retry_seconds)) - 1]
    return int(seconds * 1000 * random.uniform(1 - _SPREAD, 1 + _SPREAD))  # noqa: S311 - no secret


def settle(database: Database, results: Sequence[Result], *, now: int | None = None) -> None:
    """Store the outcomes with their effects; one by one where together they cannot be stored.

    An effect that fails by itself too turns its outcome into a `Retry`; a death that cannot be told
    of is buried in silence. Raises on an outage alone; then all can be settled again, for what was
    stored already is fenced off.
    """
    try:
        _settle(database, results, now)
    except Exception as fault:
        if is_outage(fault):
            raise
        for result in results:
            _settle_alone(database, result, now)


def _settle_alone(database: Database, result: Result, now: int | None) -> None:
    fault = _fault_of(database, result, now)
    if fault is not None:
        again = result._replace(outcome=Retry(describe(fault)))
        if _fault_of(database, again, now) is not None:
            _settle(database, [again._replace(on_dead=None)], now)


def _fault_of(database: Database, result: Result, now: int | None) -> Exception | None:
    """Why it cannot be stored; None once it is."""
    try:
        _settle(database, [result], now)
    except Exception as fault:
        if is_outage(fault):
            raise
        log.exception("job_effect_failed", **result.held.work.told)
        return fault
    return None


def _settle(database: Database, results: Sequence[Result], now: int | None) -> None:
    with database.transaction() as session:
        kept = _fence(session, [result.held for result in results])
        _store(session, [one for one in results if one.held.row in kept], instant(database, now))


def settle_together(
    database: Database, handler: Together, held: Sequence[Held], *, now: int | None = None
) -> list[Result]:
    """Apply a batch in the transaction that settles it; each job by itself if that fails."""
    try:
        with database.transaction() as session:
            kept = _fence(session, held)
            ours = [one for one in held if one.row in kept]
            outcomes = handler.apply(session, [one.work for one in ours]) if ours else {}
            found = outcomes or {}
            results = [Result(one, found.get(one.work.id, Done()), handler.on_dead) for one in ours]
            _store(session, results, instant(database, now))
        return results
    except Exception as fault:
        if is_outage(fault):
            raise
        if len(held) > 1:
            return [
                result
                for one in held
                for result in settle_together(database, handler, [one], now=now)
            ]
        log.exception("job_failed", **held[0].work.told)
        failed = Result(held[0], Retry(describe(fault)), handler.on_dead)
        settle(database, [failed], now=now)
        return [failed]


def _fence(session: Session, held: Iterable[Held]) -> set[tuple[int, str]]:
    """The rows that are still ours, locked until the transaction ends."""
    ours = {one.row for one in held}
    rows = session.connection().execute(_FENCED, {"numbers": [number for number, _ in ours]})
    return {(row.id, row.lease) for row in rows} & ours


def _store(session: Session, results: Sequence[Result], now: sa.ColumnElement[int]) -> None:
    finished, again = [], []
    effects: dict[Any, list[Any]] = defaultdict(list)
    deaths: dict[OnDead | None, list[Death]] = defaultdict(list)
    for held, outcome, on_dead in results:
        if outcome.effect is not None:
            effects[outcome.effect.keep].append(outcome.effect.value)
        if isinstance(outcome, Retry) and not _is_exhausted(held, outcome):
            again.append(_waiting(held, outcome))
            continue
        finished.append(held.work.id)
        if not isinstance(outcome, Done):
            deaths[on_dead].append(Death(held.work, _storable(outcome.error)))
    _bury(session, chain(*deaths.values()), now)
    if finished:
        session.connection().execute(_FINISH, {"numbers": finished})
    if again:
        session.connection().execute(_try_again(now), again)
    for keep, values in effects.items():  # last: they may ask for the same work anew
        keep(session, values)
    _mourn(session, deaths)


def _mourn(session: Session, deaths: Mapping[OnDead | None, Sequence[Death]]) -> None:
    for on_dead, those in deaths.items():
        if on_dead is not None:
            on_dead(session, those)


def _is_exhausted(held: Held, outcome: Retry) -> bool:
    return outcome.counts and held.work.attempt >= held.kind.attempts


def _storable(error: str) -> str:
    return error.replace("\x00", "")[:_ERROR_LENGTH]


def _waiting(held: Held, outcome: Retry) -> dict[str, Any]:
    return {
        "number": held.work.id,
        "due": outcome.at,
        "delay": delay_ms(held.kind, held.work.attempt),
        "uncounted": int(not outcome.counts),
        "said": _storable(outcome.error),
    }


def _try_again(now: sa.ColumnElement[int]) -> sa.Update:
    due = sa.bindparam("due", type_=sa.BigInteger)
    return (
        sa.update(_JOB)
        .where(_JOB.c.id == sa.bindparam("number"))
        .values(
            run_at=sa.func.coalesce(due, now + sa.bindparam("delay", type_=sa.BigInteger)),
            attempt=_JOB.c.attempt - sa.bindparam("uncounted", type_=sa.Integer),
            lease=None,
            error=sa.bindparam("said"),
        )
    )


def _bury(session: Session, deaths: Iterable[Death], now: sa.ColumnElement[int]) -> None:
    for work, error in deaths:
        added = (sa.literal(new_id()), _JOB.c.id, sa.literal(error), now)
        moved = sa.select(*(_JOB.c[name] for name in _MOVED), *added).where(_JOB.c.id == work.id)
        names = [*_MOVED, "id", "job_id", "error", "died_at"]
        session.execute(sa.insert(_DEAD).from_select(names, moved))
