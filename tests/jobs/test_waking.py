"""A commit that made work wakes workers at once, in every process; nothing else does."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from app.jobs.actions import enqueue
from app.jobs.handlers import Outcome, Work
from app.jobs.pace import Pace
from app.jobs.waking import bell_of, hearing
from app.kit.db import Database
from tests.jobs.asking import PLAIN, ask, did, effects
from tests.jobs.running import in_loop, until, working
from tests.jobs.test_working import CALL, outgoing

UNHURRIED = Pace(poll=3600.0, patience=5.0, back_off=0.05, tick=3600.0)  # so only a wake-up helps


@pytest.fixture
def rung(live: Database) -> list[set[str]]:
    heard: list[set[str]] = []
    bell_of(live.write_engine).listen(lambda queues: heard.append(set(queues)))
    return heard


def test_after_the_commit_and_for_the_queues(live: Database, rung: list[set[str]]) -> None:
    with live.transaction() as session:
        enqueue(session, PLAIN, {})
        enqueue(session, PLAIN, {})
        session.flush()
        assert rung == []
    assert rung == [{"webhook"}]


def test_nothing_where_nothing_was_asked(live: Database, rung: list[set[str]]) -> None:
    with live.transaction() as session:
        session.execute(sa.text("DELETE FROM effect"))
    with live.writing() as session:
        enqueue(session, PLAIN, {})
        session.rollback()
        session.execute(sa.text("DELETE FROM effect"))
        session.commit()
    assert rung == []


def test_not_before_the_outer_commit(live: Database, rung: list[set[str]]) -> None:
    with live.transaction() as session:
        with session.begin_nested():
            enqueue(session, PLAIN, {})
        assert rung == []
    assert rung == [{"webhook"}]


def test_nothing_inside_the_open_transaction_of_another(
    live: Database, rung: list[set[str]]
) -> None:
    with live.write_engine.connect() as connection, connection.begin():
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            enqueue(session, PLAIN, {})
            session.commit()
        assert rung == []


def test_who_has_stopped_listening_hears_nothing(live: Database, rung: list[set[str]]) -> None:
    heard: list[Collection[str]] = []
    unlisten = bell_of(live.write_engine).listen(heard.append)
    unlisten()
    ask(live)
    assert (heard, rung) == ([], [{"webhook"}])


@in_loop
async def test_a_worker_of_this_process_need_not_wait(live: Database) -> None:
    async def call(work: Work, _loaded: Any) -> Outcome:
        return did("woken")

    async with working(live, outgoing(call), pace=UNHURRIED):
        await asyncio.sleep(0.3)  # it has looked, and sleeps
        ask(live, CALL, at=None)
        await until(lambda: effects(live) == ["woken"])


@in_loop
async def test_other_processes_hear_of_it(postgres_live: Database, postgres_live_url: str) -> None:
    """A database object of its own has a bell of its own, as another process has."""
    live, other = postgres_live, Database(postgres_live_url)

    async def call(work: Work, _loaded: Any) -> Outcome:
        return did("woken")

    async with working(live, outgoing(call), pace=UNHURRIED):
        await until(lambda: _listeners(other) == 1)
        await asyncio.sleep(0.3)
        ask(other, CALL, 3, at=None)
        await until(lambda: effects(live) == ["woken"] * 3)
    await until(lambda: _listeners(other) == 0)
    other.dispose()


@in_loop
async def test_who_else_listens_here_hears_of_it_too(
    postgres_live: Database, postgres_live_url: str
) -> None:
    """One connection serves a server and the worker inside it."""
    live, other = postgres_live, Database(postgres_live_url)
    heard: list[Collection[str]] = []

    async def call(work: Work, _loaded: Any) -> Outcome:
        return did("woken")

    bell_of(live.write_engine).listen(heard.append)
    async with hearing(live.write_engine), working(live, outgoing(call), pace=UNHURRIED):
        await until(lambda: heard == [()])
        assert _listeners(other) == 1
        ask(other, CALL, at=None)
        await until(lambda: effects(live) == ["woken"])
        assert heard == [(), ["webhook"]]  # nothing is told on, or it would go round for ever
    await until(lambda: _listeners(other) == 0)
    other.dispose()


@in_loop
async def test_what_is_said_here_is_heard_here_once(
    postgres_live: Database, postgres_live_url: str
) -> None:
    live, other = postgres_live, Database(postgres_live_url)
    heard: list[Collection[str]] = []
    bell_of(live.write_engine).listen(heard.append)
    async with hearing(live.write_engine):
        await until(lambda: heard == [()])
        ask(live)
        await asyncio.sleep(0.1)  # its own announcement has come back and is passed over
        ask(other)  # and what comes after it is heard
        await until(lambda: heard == [(), {"webhook"}, ["webhook"]])
    other.dispose()


@in_loop
async def test_a_lost_ear_is_made_anew_and_rings_once(
    postgres_live: Database, postgres_live_url: str
) -> None:
    live, other = postgres_live, Database(postgres_live_url)
    heard: list[Collection[str]] = []
    bell_of(live.write_engine).listen(heard.append)
    async with hearing(live.write_engine):
        await until(lambda: heard == [()])
        with other.transaction() as session:
            session.execute(sa.text(f"SELECT pg_terminate_backend(pid) {_LISTENING}"))
        await until(lambda: heard == [(), ()])
        ask(other)
        await until(lambda: heard[2:] == [["webhook"]])
    other.dispose()


@in_loop
async def test_many_commits_are_told_once(postgres_live: Database, postgres_live_url: str) -> None:
    live, other = postgres_live, Database(postgres_live_url)
    heard: list[Collection[str]] = []
    bell_of(live.write_engine).listen(heard.append)
    async with hearing(live.write_engine):
        await until(lambda: heard)
        bell = bell_of(other.write_engine)
        for number in range(200):
            bell.ring(other.write_engine, [f"queue {number}"])
        await until(lambda: len({queue for queues in heard for queue in queues}) == 200)
        assert len(heard) <= 20
    other.dispose()


_LISTENING = (
    "FROM pg_stat_activity WHERE query = 'LISTEN openqi_job' AND datname = current_database()"
)


def _listeners(database: Database) -> int:
    with database.reading() as session:
        return int(session.execute(sa.text(f"SELECT count(*) {_LISTENING}")).scalar_one())
