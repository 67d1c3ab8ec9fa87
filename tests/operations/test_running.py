"""How long work is run: taken over, stopped, crashed, refused, and never done twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, select

from app.events.models import Event
from app.identity.models import PersonalToken, User
from app.jobs.handlers import Dead, Done, Outcome, Retry, Work
from app.jobs.models import DeadJob, Job
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.errors import FieldError, Invalid, Unavailable
from app.operations.actions import OPERATION, start_operation
from app.operations.models import Operation, OperationState
from app.operations.running import operator
from app.operations.steps import Chunk, Turn, look_up
from tests.exchange import acting, make_operation, make_personal_token
from tests.jobs.draining import drain, waiting
from tests.operations.bodies import KIND, counting, quick, work_off
from tests.world import World


@pytest.fixture
def operation(session: Session, world: World) -> Operation:
    return make_operation(session, programme=world.programme, owner=world.member)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Crashes are meant here; their log is not what is looked at."""
    with structlog.testing.capture_logs():
        yield


def fresh(session: Session, operation: Operation) -> Operation:
    session.expire_all()
    return session.get_one(Operation, operation.id)


def raising(fault: Exception, *, at: int = 2) -> Callable[[Turn, int], None]:
    def before(_turn: Turn, number: int) -> None:
        if number == at:
            raise fault

    return before


def test_a_crash_is_tried_again_from_the_last_chunk(
    operation: Operation, database: Database, session: Session
) -> None:
    done: list[int] = []

    def before(_turn: Turn, number: int) -> None:
        if number == 3 and done == [1, 2]:
            done.append(0)
            raise ValueError("secret words")
        done.append(number)

    runners = {KIND: counting(4, before=before)}
    (outcome,) = _once(database, runners)
    assert isinstance(outcome, Retry)
    assert outcome.counts
    assert "secret" not in outcome.error
    row = fresh(session, operation)
    assert (row.state, row.done) == (OperationState.RUNNING, 2)
    _later(database, runners)
    assert done == [1, 2, 0, 3, 4]
    assert fresh(session, operation).state is OperationState.SUCCEEDED


def _once(database: Database, runners: Any, **over: Any) -> list[Outcome]:
    """One try of each job that is due."""
    return drain(database, [quick(runners, database, **over)])


def _later(database: Database, runners: Any) -> list[Outcome]:
    later = utc_now() + timedelta(days=2)
    return drain(database, [quick(runners, database)], now=int(later.timestamp() * 1000))


def test_with_the_last_try_it_fails(
    operation: Operation, database: Database, session: Session
) -> None:
    session.execute(
        Job.__table__.update().values(attempt=OPERATION.attempts - 1)  # type: ignore[attr-defined]
    )
    session.commit()
    (outcome,) = _once(database, {KIND: counting(3, before=raising(ValueError("secret words")))})
    assert isinstance(outcome, Dead)
    row = fresh(session, operation)
    assert (row.state, row.done) == (OperationState.FAILED, 1)
    assert row.error == {
        "type": "/problems/internal_error",
        "title": "Something went wrong on our side.",
        "status": 500,
        "code": "internal_error",
    }
    assert [dead.kind for dead in session.exec(select(DeadJob))] == ["operation.run"]


def test_what_kills_its_worker_each_time_fails_with_its_job(
    operation: Operation, database: Database, session: Session
) -> None:
    session.execute(
        Job.__table__.update().values(attempt=OPERATION.attempts)  # type: ignore[attr-defined]
    )
    session.commit()
    done: list[int] = []
    runners = {KIND: counting(3, before=lambda _turn, number: done.append(number))}
    (outcome,) = _once(database, runners)
    assert (outcome, done) == (Dead(f"Given up after {OPERATION.attempts} attempts."), [])
    row = fresh(session, operation)
    assert (row.state, row.finished_at is None) == (OperationState.FAILED, False)
    assert row.error is not None
    assert row.error["code"] == "internal_error"
    told = session.exec(select(Event).where(Event.type == "operation.finished")).all()
    assert [event.resource_id for event in told] == [operation.id]


def test_a_kind_that_nobody_knows(operation: Operation, database: Database) -> None:
    (outcome,) = _once(database, {})
    assert isinstance(outcome, Retry)


def test_work_that_stops_without_an_end(operation: Operation, database: Database) -> None:
    def run(_database: Database, _operation: Operation) -> Iterator[Chunk]:
        yield look_up

    (outcome,) = _once(database, {KIND: run})
    assert isinstance(outcome, Retry)
    assert "RuntimeError" in outcome.error


def test_a_refusal_ends_it_with_its_problem(
    operation: Operation, database: Database, session: Session
) -> None:
    faults = [FieldError(code="odd", detail=f"Row {row}", row=row) for row in range(150)]
    outcomes = _once(database, {KIND: counting(3, before=raising(Invalid("No.", errors=faults)))})
    assert outcomes == [Done()]
    row = fresh(session, operation)
    assert (row.state, row.done) == (OperationState.FAILED, 1)
    assert row.error is not None
    assert (row.error["code"], row.error["status"], row.error["detail"]) == (
        "validation_failed",
        422,
        "No.",
    )
    assert [fault["row"] for fault in row.error["errors"]] == list(range(100))


def test_a_taken_value_is_a_conflict(
    operation: Operation, database: Database, session: Session
) -> None:
    fault = IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed: data_point.stratum"))
    assert _once(database, {KIND: counting(3, before=raising(fault))}) == [Done()]
    error = fresh(session, operation).error
    assert error is not None
    assert error["status"] == 409


@pytest.mark.parametrize(
    "fault",
    [
        Unavailable(),
        OperationalError("UPDATE", {}, Exception("database is locked")),
        OperationalError("UPDATE", {}, Exception("database or disk is full")),
    ],
)
def test_a_busy_database_costs_no_try(
    fault: Exception, operation: Operation, database: Database, session: Session
) -> None:
    (outcome,) = _once(database, {KIND: counting(3, before=raising(fault))})
    assert outcome == Retry("The database is busy.", counts=False)
    assert fresh(session, operation).state is OperationState.RUNNING


def test_a_worker_that_stops_hands_it_back(
    operation: Operation, database: Database, session: Session
) -> None:
    stops = iter([False, True])
    (outcome,) = _once(database, {KIND: counting(5)}, is_stopping=lambda: next(stops))
    assert isinstance(outcome, Retry)
    assert not outcome.counts
    assert fresh(session, operation).done == 2
    _later(database, {KIND: counting(5)})
    assert fresh(session, operation).state is OperationState.SUCCEEDED


def test_who_loses_the_lease_writes_nothing_more(
    operation: Operation, database: Database, session: Session
) -> None:
    """A worker stalls between two chunks; another one takes over and goes on for two chunks."""
    done: list[tuple[str, int]] = []

    def runner(name: str) -> Any:
        return {KIND: counting(6, before=lambda _turn, number: done.append((name, number)))}

    other_outcomes: list[Outcome] = []
    (job,) = session.exec(select(Job)).all()
    work = Work(job.id or 0, job.kind, job.lane, job.args, 2, job.created_at)
    pauses = iter(range(1, 100))

    def stall(_seconds: float) -> None:
        if next(pauses) == 2:
            stops = iter([False, True])
            other = quick(runner("other"), database, is_stopping=lambda: next(stops))
            other_outcomes.append(other.run(work))

    first = operator(runner("first"), database=database, pause=stall)
    assert first.run(work) == Retry("Another worker has taken it over.", counts=False)
    assert done == [("first", 1), ("first", 2), ("other", 3), ("other", 4)]
    assert isinstance(other_outcomes[0], Retry)
    work_off(database, runner("third"))
    assert done[4:] == [("third", 5), ("third", 6)]
    assert fresh(session, operation).state is OperationState.SUCCEEDED


def test_who_wakes_up_after_the_end_finds_nothing_to_do(
    operation: Operation, database: Database, session: Session
) -> None:
    work_off(database, {KIND: counting(2)})
    before = fresh(session, operation).revision
    args = {"operation_id": operation.id.hex}
    late = quick({KIND: counting(2)}, database)
    assert late.run(Work(1, OPERATION.name, "", args, 3, 0)) == Done()
    assert late.run(Work(1, OPERATION.name, "", {"operation_id": "0" * 32}, 3, 0)) == Done()
    assert fresh(session, operation).revision == before


def test_a_crash_of_one_that_was_taken_over(
    operation: Operation, database: Database, session: Session
) -> None:
    """It must not fail what the new owner is working on."""

    def run(_database: Database, _operation: Operation) -> Iterator[Chunk]:
        yield look_up
        with database.transaction() as writing:
            writing.get_one(Operation, operation.id).runner = "other"
        raise Invalid

    (outcome,) = _once(database, {KIND: run})
    assert outcome == Retry("Another worker has taken it over.", counts=False)
    row = fresh(session, operation)
    assert (row.state, row.runner) == (OperationState.RUNNING, "other")
    assert waiting(database, OPERATION.name) == 1


def test_a_cancellation_that_the_worker_did_not_live_to_see(
    operation: Operation, database: Database, session: Session
) -> None:
    row = fresh(session, operation)
    row.state, row.cancel_asked_at = OperationState.RUNNING, utc_now()
    session.commit()
    assert work_off(database, {}) == [Done()]
    assert fresh(session, operation).state is OperationState.CANCELLED


def test_it_acts_with_the_roles_of_its_owner(
    operation: Operation, database: Database, world: World
) -> None:
    actors = []
    work_off(database, {KIND: counting(1, before=lambda turn, _: actors.append(turn.actor))})
    (actor,) = actors
    assert actor.user_id == world.member.id
    assert {grant.role.value for grant in actor.grants} == {"member"}
    assert actor.bound_programme_id == world.programme.id
    assert actor.scopes is None


def _disable(session: Session, world: World, _token: PersonalToken) -> None:
    session.get_one(User, world.member.id).disabled_at = utc_now()


def _revoke(session: Session, _world: World, token: PersonalToken) -> None:
    session.merge(token).revoked_at = utc_now()


def _expire(session: Session, _world: World, token: PersonalToken) -> None:
    session.merge(token).expires_at = utc_now()


@pytest.mark.parametrize("end", [_disable, _revoke, _expire])
def test_it_stops_where_its_owner_may_no_longer_call(
    end: Callable[..., None], database: Database, session: Session, world: World
) -> None:
    token = make_personal_token(session, user_id=world.member.id, scopes=["measure:read"])
    operation = make_operation(
        session,
        programme=world.programme,
        owner=world.member,
        token_id=token.id,
        scopes=token.scopes,
    )
    actors = []

    def before(turn: Turn, number: int) -> None:
        actors.append(turn.actor)

    def run(given: Database, row: Operation) -> Iterator[Chunk]:
        for number, chunk in enumerate(counting(4, before=before)(given, row), start=1):
            if number == 3:
                end(session, world, token)
                session.commit()
            yield chunk

    assert work_off(database, {KIND: run}) == [Done()]
    assert {(actor.token_id, actor.scopes) for actor in actors} == {
        (token.id, frozenset({"measure:read"}))
    }
    row = fresh(session, operation)
    assert (row.state, row.done) == (OperationState.FAILED, 2)
    assert row.error is not None
    assert (row.error["code"], row.error["status"]) == ("forbidden", 403)


def test_operations_of_one_programme_wait_for_each_other(session: Session, world: World) -> None:
    """The lane is the programme's, and a process runs one of a lane."""
    actor = acting(session, user_id=world.member.id, programme_id=world.programme.id)
    for programme in (world.programme, world.programme, world.other_programme):
        start_operation(
            session, actor=actor, kind=KIND, programme_id=programme.id, params={}, now=utc_now()
        )
    lanes = session.exec(select(Job.lane).where(col(Job.kind) == OPERATION.name)).all()
    assert len(lanes) == 3
    assert len(set(lanes)) == 2
    assert OPERATION.lane_cap == 1
