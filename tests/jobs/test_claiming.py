"""Claims: the oldest first, no lane beyond its cap, nothing twice, only what a handler knows."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.jobs.actions import enqueue
from app.jobs.claiming import due_queues, extend, release
from app.jobs.kinds import Kind
from app.kit.db import Database
from tests.jobs.asking import COALESCING, NOW, OTHER, PLAIN, ask, jobs, numbers, take


def test_the_oldest_are_taken_first_and_under_a_lease(database: Database) -> None:
    ask(database, count=5)
    held = take(database, limit=3, now=NOW + 10)
    assert numbers(held) == [0, 1, 2]
    assert len({one.lease for one in held}) == 1
    assert [one.work.attempt for one in held] == [1, 1, 1]
    rows = jobs(database)
    assert [row.run_at for row in rows[:3]] == [NOW + 10 + 60_000] * 3
    assert [(row.lease, row.worker) for row in rows[:3]] == [(held[0].lease, "w")] * 3
    assert numbers(take(database, now=NOW + 10)) == [3, 4]


def test_what_is_not_due_waits(database: Database) -> None:
    ask(database, at=NOW + 1)
    assert due_queues(database, {"webhook": [PLAIN]}, now=NOW) == set()
    assert take(database) == []
    assert due_queues(database, {"webhook": [PLAIN]}, now=NOW + 1) == {"webhook"}
    assert numbers(take(database, now=NOW + 1)) == [0]


def test_a_lease_that_ran_out_comes_back_and_counts(database: Database) -> None:
    ask(database)
    first = take(database)
    assert take(database, now=NOW + 59_999) == []
    second = take(database, now=NOW + 60_000)
    assert second[0].work.attempt == 2
    assert second[0].lease != first[0].lease


def test_a_kind_that_nobody_serves_is_left_alone(database: Database) -> None:
    ask(database, Kind("test.unknown", queue="webhook"), count=300)
    ask(database, PLAIN, at=NOW + 1_000)
    held = take(database, now=NOW + 1_000)
    assert [one.work.kind for one in held] == ["test.plain"]
    assert {row.attempt for row in jobs(database) if row.kind == "test.unknown"} == {0}


def test_no_lane_beyond_its_cap(database: Database) -> None:
    ask(database, OTHER, 5, lane="slow")
    ask(database, OTHER, 1, at=NOW + 100, lane="quick")
    ask(database, PLAIN, 6, at=NOW + 200, lane="third")
    held = take(database, PLAIN, OTHER, now=NOW + 999)
    assert sorted(one.work.lane for one in held) == ["quick", "slow", "slow"] + ["third"] * 4


def test_jobs_without_a_lane_have_no_cap(database: Database) -> None:
    ask(database, OTHER, 9)
    assert len(take(database, OTHER, now=NOW + 99)) == 9


def test_what_runs_already_counts(database: Database) -> None:
    ask(database, OTHER, 5, lane="a")
    ask(database, OTHER, 5, at=NOW + 50, lane="b")
    ask(database, OTHER, 5, at=NOW + 90, lane="c")
    held = take(database, OTHER, now=NOW + 999, busy={"a": 1, "b": 2})
    assert sorted(one.work.lane for one in held) == ["a", "c", "c"]


def test_a_lane_at_its_cap_hides_nobody(database: Database) -> None:
    """Four thousand jobs of one lane stand before a job of another."""
    ask(database, OTHER, 4_000, lane="black hole")
    ask(database, OTHER, at=NOW + 5_000, lane="healthy")
    held = take(database, OTHER, limit=10, now=NOW + 9_000, busy={"black hole": 2})
    assert [one.work.lane for one in held] == ["healthy"]


def test_two_that_claim_at_once_never_share(live: Database) -> None:
    ask(live, count=200)

    def greedy(name: int) -> list[int]:
        taken: list[int] = []
        for _ in range(40):
            taken += numbers(take(live, limit=10, now=NOW + 999, worker=str(name)))
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [number for part in pool.map(greedy, range(4)) for number in part]
    assert sorted(taken) == list(range(200))


def test_a_lease_is_prolonged_while_it_is_held(database: Database) -> None:
    ask(database, count=2)
    held = take(database, now=NOW + 1)
    assert extend(database, held, now=NOW + 30_000) == []
    assert take(database, now=NOW + 89_999) == []
    again = take(database, now=NOW + 90_000, limit=1)
    lost = extend(database, held, now=NOW + 90_001)
    assert [one.row for one in lost] == [held[0].row]
    assert extend(database, again, now=NOW + 90_001) == []


def test_what_is_given_back_is_due_at_once_and_has_lost_no_attempt(database: Database) -> None:
    ask(database, count=2)
    held = take(database, now=NOW + 1)
    release(database, held[:1], now=NOW + 5)
    release(database, [], now=NOW + 5)
    assert numbers(take(database, now=NOW + 5)) == [0]
    release(database, held[:1], now=NOW + 6)  # it is somebody else's by now
    assert [(row.run_at, row.attempt) for row in jobs(database)] == [
        (NOW + 5 + 60_000, 1),
        (NOW + 1 + 60_000, 1),
    ]


def test_a_key_makes_one_job(database: Database) -> None:
    for _ in range(3):
        ask(database, key="once")
    ask(database, key="twice")
    assert [row.key for row in jobs(database)] == ["once", "twice"]
    take(database, now=NOW)
    ask(database, key="once")
    assert len(jobs(database)) == 2


def test_a_coalescing_kind_makes_another_job_while_one_runs(database: Database) -> None:
    for _ in range(2):
        ask(database, COALESCING, key="series:1", lane="series:1")
    assert len(jobs(database)) == 1
    held = take(database, COALESCING)
    for _ in range(2):
        ask(database, COALESCING, key="series:1", lane="series:1")
    assert [row.key for row in jobs(database)] == [None, "series:1"]
    assert take(database, COALESCING, busy={"series:1": 1}) == []
    assert len(held) == 1


def test_what_is_rolled_back_leaves_no_job(live: Database) -> None:
    class Change(Exception):
        pass

    def change() -> None:
        with live.transaction() as session:
            enqueue(session, PLAIN, {"number": 1})
            raise Change

    with pytest.raises(Change):
        change()
    assert jobs(live) == []


def test_the_present_comes_from_the_database(live: Database) -> None:
    ask(live, at=None)
    held = take(live, now=None)
    assert numbers(held) == [0]
    assert extend(live, held) == []
    assert take(live, now=None) == []
    release(live, held)
    assert numbers(take(live, now=None)) == [0]


def test_no_number_is_given_twice(live: Database) -> None:
    """A dead job keeps the number of its job; SQLite would give the largest one again."""
    ask(live)
    first = jobs(live)[0].id
    with live.transaction() as session:
        session.delete(session.merge(jobs(live)[0]))
    ask(live)
    assert jobs(live)[0].id != first
