"""Runs long work: one chunk a transaction, together with its progress, until it is complete.

A process that dies loses the chunk that it was at, and nothing else.
"""

import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from app.jobs.handlers import Dead, Death, Done, InThread, Outcome, Retry, Work
from app.kit.clock import unix_ms, utc_now
from app.kit.database_errors import conflict_of, is_away
from app.kit.db import Database
from app.kit.errors import OpenQIError, Unavailable
from app.kit.problems import PLAIN_STATUS, document_of
from app.operations.actions import OPERATION, fail_all
from app.operations.holding import Hold, TakenOver
from app.operations.steps import Runner

FAULTS_AT_MOST = 100
# Whoever waits for the one writer of SQLite gets it between two chunks; without a pause the thread
# that gives it back mostly takes it again.
PAUSE_SECONDS = 0.002

log = structlog.get_logger()


def operator(
    runners: Mapping[str, Runner],
    *,
    database: Database,
    clock: Callable[[], datetime] = utc_now,
    pause: Callable[[float], None] = time.sleep,
    is_stopping: Callable[[], bool] = lambda: False,
) -> InThread:
    """The handler of `operation.run`. `runners` says by kind of operation how its work goes.

    is_stopping: asked between chunks, so that a worker that is to end hands its work back.
    """

    def mourn(session: Session, deaths: Sequence[Death]) -> None:
        """Those that took each worker with them could not say so themselves."""
        ids = [uuid.UUID(each.work.args["operation_id"]) for each in deaths]
        fail_all(session, ids, now=clock(), error=broken())

    run = _Operator(runners, database, clock, pause, is_stopping).run
    return InThread(OPERATION, run, mourn)


@dataclass(frozen=True, slots=True)
class _Operator:
    runners: Mapping[str, Runner]
    database: Database
    clock: Callable[[], datetime]
    pause: Callable[[float], None]
    is_stopping: Callable[[], bool]

    def run(self, work: Work) -> Outcome:
        """Work on the operation of a job until it ends, or somebody else has it."""
        operation_id = uuid.UUID(work.args["operation_id"])
        hold = Hold(self.database, operation_id, secrets.token_hex(8), self.clock)
        try:
            try:
                return self._go_through(hold)
            except (DBAPIError, OpenQIError) as fault:
                return _failed(hold, work, fault)
            except TakenOver:
                raise
            except Exception as fault:
                return _crashed(hold, work, fault)
        except TakenOver:
            return Retry("Another worker has taken it over.", counts=False)

    def _go_through(self, hold: Hold) -> Outcome:
        operation = hold.take()
        if operation is None:
            return Done()
        for chunk in self.runners[operation.kind](self.database, operation):
            if hold.work(chunk):
                return Done()
            if self.is_stopping():
                return Retry("The worker is stopping.", at=unix_ms(self.clock()), counts=False)
            self.pause(PAUSE_SECONDS)
        raise RuntimeError(f"{operation.kind} ended without a last step")


def _failed(hold: Hold, work: Work, fault: DBAPIError | OpenQIError) -> Outcome:
    """What a request would have been refused for ends the work; the rest is tried again."""
    if isinstance(fault, IntegrityError):
        fault = conflict_of(fault)
    if isinstance(fault, OpenQIError) and not isinstance(fault, Unavailable):
        hold.fail(document_of(fault, faults_at_most=FAULTS_AT_MOST))
        return Done()
    if isinstance(fault, Unavailable) or is_away(fault):
        return Retry("The database is busy.", counts=False)
    return _crashed(hold, work, fault)


def _crashed(hold: Hold, work: Work, fault: Exception) -> Outcome:
    """Tried again by the job's schedule; failed with the last try. Its words stay in the log."""
    log.error("operation_crashed", operation_id=str(hold.operation_id), exc_info=fault)
    sentence = f"It failed unexpectedly ({type(fault).__name__})."
    if work.attempt < OPERATION.attempts:
        return Retry(sentence)
    hold.fail(broken())
    return Dead(sentence)


def broken() -> dict[str, Any]:
    """The problem of work that went wrong on our side."""
    code, title = PLAIN_STATUS[500]
    return {"type": f"/problems/{code}", "title": title, "status": 500, "code": code}
