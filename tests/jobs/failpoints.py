"""Ends a process at every point of what jobs do to the database, and looks at what is left.

`python -m tests.jobs.failpoints URL` prints a JSON object: for each story how many points there
were, and what was wrong after which. It forks, so it runs by itself and without threads.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from app.jobs.actions import enqueue, retry_dead_job
from app.jobs.claiming import extend, release
from app.jobs.handlers import Dead, Outcome, Retry, Together
from app.jobs.models import DeadJob
from app.jobs.schedules import fire_due, keep_schedules
from app.jobs.settling import Result, settle, settle_together
from app.kit.db import Database
from tests.jobs.asking import NOW, PLAIN, ask, dead_jobs, did, effects, jobs, keep, mourn, take
from tests.jobs.test_schedules import HOUR, HOURLY

LATER = NOW + 1_000_000  # every lease has run out, every wait is over
OUTCOMES: tuple[Outcome, ...] = (did("0"), Retry("again", at=LATER * 2), Dead("dead"))
_CRASHED = 9


class Story(NamedTuple):
    """What is there before, what may be cut short at any point, and what must hold after."""

    before: Callable[[Database], None]
    act: Callable[[Database], None]
    faults: Callable[[Database], Iterator[str]]


def _die_at(database: Database, point: int) -> None:
    """End this process for good at the nth begin, statement or commit."""
    seen = 0

    def pass_by(*_: Any) -> None:
        nonlocal seen
        if seen == point:
            os._exit(_CRASHED)
        seen += 1

    engine = database.write_engine
    for name in ("begin", "before_cursor_execute", "after_cursor_execute", "commit"):
        sa.event.listen(engine, name, pass_by)
    sa.event.listen(Session, "after_commit", pass_by)


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


def _emit(database: Database) -> None:
    with database.transaction() as session:
        keep(session, ["change"])
        enqueue(session, PLAIN, {"number": 0}, key="event:1")


def _emit_faults(database: Database) -> Iterator[str]:
    if len(effects(database)) != len(jobs(database)):
        yield "a change without its job, or a job without its change"
    _emit(database)  # the caller tries again, and the key holds
    if len(jobs(database)) != 1:
        yield "not one job"


def _finish(database: Database) -> None:
    """What a second worker does once the leases have run out: 0 done, 1 retried, 2 dead."""
    for held in take(database, now=LATER):
        number = held.work.args["number"]
        settle(database, [Result(held, OUTCOMES[number], mourn)], now=LATER)


def _finished_faults(database: Database) -> Iterator[str]:
    _finish(database)
    if effects(database) != ["0", "mourned 2"]:
        yield f"effects {effects(database)}"
    if [row.args["number"] for row in jobs(database)] != [1]:
        yield f"waiting {[row.args for row in jobs(database)]}"
    if [row.args["number"] for row in dead_jobs(database)] != [2]:
        yield f"dead {[row.args for row in dead_jobs(database)]}"


def _claim(database: Database) -> None:
    take(database, now=NOW + 5)


def _settle(database: Database) -> None:
    held = take(database, now=NOW + 5)
    results = [Result(*pair, mourn) for pair in zip(held, OUTCOMES, strict=True)]
    settle(database, results, now=NOW + 6)


def _together(database: Database) -> None:
    def apply(session: Session, works: Any) -> Any:
        keep(session, ["0"])
        return {works[1].id: Retry("again", at=LATER * 2), works[2].id: Dead("dead")}

    held = take(database, now=NOW + 5)
    settle_together(database, Together(PLAIN, apply, mourn), held, now=NOW + 6)


def _hold_and_give_back(database: Database) -> None:
    held = take(database, now=NOW + 5)
    extend(database, held, now=NOW + 6)
    release(database, held, now=NOW + 7)


def _fire(database: Database) -> None:
    fire_due(database, [HOURLY], now=NOW + HOUR)


def _fired_faults(database: Database) -> Iterator[str]:
    _fire(database)
    if len(jobs(database)) != 1:
        yield f"{len(jobs(database))} jobs of one due time"


def _die_of_it(database: Database) -> None:
    ask(database)
    settle(database, [Result(take(database)[0], Dead("dead"))], now=NOW)


def _retry(database: Database) -> None:
    with database.transaction() as session:
        for dead in session.query(DeadJob).all():
            retry_dead_job(session, dead)


def _retried_faults(database: Database) -> Iterator[str]:
    if len(jobs(database)) + len(dead_jobs(database)) != 1:
        yield "lost or doubled"
    _retry(database)
    if (len(jobs(database)), len(dead_jobs(database))) != (1, 0):
        yield "not put back"


def _ask_three(database: Database) -> None:
    ask(database, count=3)


STORIES = {
    "emit": Story(lambda database: None, _emit, _emit_faults),
    "claim": Story(_ask_three, _claim, _finished_faults),
    "settle": Story(_ask_three, _settle, _finished_faults),
    "together": Story(_ask_three, _together, _finished_faults),
    "hold and give back": Story(_ask_three, _hold_and_give_back, _finished_faults),
    "cron": Story(lambda db: keep_schedules(db, [HOURLY], now=NOW), _fire, _fired_faults),
    "retry of the dead": Story(_die_of_it, _retry, _retried_faults),
}


def _crashes(url: str, story: Story, point: int) -> bool:
    """Act in a child that ends at this point; whether it got there."""
    child = os.fork()
    if child == 0:
        database = Database(url)
        _die_at(database, point)
        story.act(database)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, _CRASHED), status
    return status == _CRASHED


def _told(url: str, story: Story) -> dict[str, Any]:
    faults, point, crashed = [], 0, True
    while crashed:
        with _opened(url) as database:
            with database.transaction() as session:
                for table in ("job", "job_dead", "schedule", "effect"):
                    session.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608
            story.before(database)
        crashed = _crashes(url, story, point)
        with _opened(url) as database:
            faults += [f"after point {point}: {fault}" for fault in story.faults(database)]
        point += 1
    return {"points": point - 1, "faults": faults}


if __name__ == "__main__":
    print(json.dumps({name: _told(sys.argv[1], story) for name, story in STORIES.items()}))  # noqa: T201
