"""Settling: the fence, the three outcomes, effects in the same transaction, failures one by one."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from app.jobs.actions import enqueue, purge_dead_jobs, retry_dead_job
from app.jobs.claiming import Held
from app.jobs.handlers import Dead, Death, Done, Effect, Outcome, Retry, Together, Work
from app.jobs.purging import PURGE, purger
from app.jobs.settling import Result, delay_ms, settle, settle_together
from app.kit.db import Database
from tests.jobs.asking import (
    NOW,
    PLAIN,
    ask,
    dead_jobs,
    did,
    effects,
    jobs,
    keep,
    mourn,
    numbers,
    take,
)


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.jobs.settling.random.uniform", lambda low, high: (low + high) / 2)


@pytest.fixture
def held(live: Database) -> list[Held]:
    ask(live, count=4)
    taken: list[Held] = take(live, now=NOW + 10)
    return taken


def _settle(live: Database, held: Sequence[Held], *outcomes: Outcome, now: int = NOW) -> None:
    settle(live, [Result(*pair) for pair in zip(held, outcomes, strict=True)], now=now)


def test_each_outcome(live: Database, held: list[Held]) -> None:
    later = Retry("not yet", at=NOW + 777)
    _settle(live, held, Done(), Retry("failed"), later, Dead("gone\x00"))
    waiting = jobs(live)
    assert [(row.run_at, row.error, row.lease) for row in waiting] == [
        (NOW + 10_000, "failed", None),
        (NOW + 777, "not yet", None),
    ]
    dead = dead_jobs(live)[0]
    assert (dead.args, dead.error, dead.attempt) == ({"number": 3}, "gone", 1)
    assert dead.died_at == NOW


def test_the_schedule_of_a_kind_and_its_last_attempt(live: Database) -> None:
    ask(live)
    now = NOW
    for wait in (10_000, 60_000):
        _settle(live, take(live, now=now), Retry("failed"), now=now)
        assert jobs(live)[0].run_at == now + wait
        now += wait
    _settle(live, take(live, now=now), Retry("failed for good"), now=now)
    assert jobs(live) == []
    assert (dead_jobs(live)[0].attempt, dead_jobs(live)[0].error) == (3, "failed for good")


def test_a_retry_that_does_not_count_never_kills(live: Database) -> None:
    ask(live)
    for round_ in range(9):
        now = NOW + round_ * 100_000
        _settle(live, take(live, now=now), Retry("paused", counts=False), now=now)
    assert [row.attempt for row in jobs(live)] == [0]


def test_jitter_is_a_fifth_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    waits = {delay_ms(PLAIN, 1) for _ in range(200)}
    assert min(waits) >= 8_000
    assert max(waits) <= 12_000
    assert len(waits) > 50
    assert 48_000 <= delay_ms(PLAIN, 9) <= 72_000


def test_the_fence_keeps_out_who_lost_the_lease(live: Database) -> None:
    ask(live)
    slow = take(live)
    quick = take(live, now=NOW + 60_000)
    _settle(live, slow, did("slow"))
    assert effects(live) == []
    _settle(live, quick, did("quick"))
    _settle(live, quick, did("quick again"))
    assert effects(live) == ["quick"]
    assert jobs(live) == []


def test_effects_are_kept_together(live: Database, held: list[Held]) -> None:
    calls: list[list[Any]] = []

    def gather(session: Session, values: Sequence[Any]) -> None:
        calls.append(list(values))
        keep(session, values)

    outcomes: list[Outcome] = [
        Done(Effect(gather, "a")),
        Retry("b", effect=Effect(gather, "b")),
        did("c"),
        Done(),
    ]
    _settle(live, held, *outcomes)
    assert calls == [["a", "b"]]
    assert effects(live) == ["a", "b", "c"]


def test_what_follows_from_a_death_is_kept_with_it(live: Database, held: list[Held]) -> None:
    outcomes: list[Outcome] = [Done(), Retry("not yet"), Dead("no use"), Dead("gone")]
    settle(live, [Result(*pair, mourn) for pair in zip(held, outcomes, strict=True)], now=NOW)
    assert effects(live) == ["mourned 2", "mourned 3"]


def test_the_last_attempt_is_a_death_too(live: Database) -> None:
    said: list[str] = []

    def hear(session: Session, deaths: Sequence[Death]) -> None:
        said.extend(each.error for each in deaths)

    ask(live)
    for round_ in range(3):
        now = NOW + round_ * 100_000
        assert said == []
        settle(live, [Result(take(live, now=now)[0], Retry("failed\x00"), hear)], now=now)
    assert said == ["failed"]
    assert [row.error for row in dead_jobs(live)] == ["failed"]


def test_a_batch_tells_of_its_dead(live: Database, held: list[Held]) -> None:
    def apply(session: Session, works: Sequence[Work]) -> Mapping[int, Outcome]:
        return {works[0].id: Dead("no use")}

    settle_together(live, Together(PLAIN, apply, mourn), held, now=NOW)
    assert effects(live) == ["mourned 0"]


def test_a_death_that_cannot_be_told_of_is_one_all_the_same(live: Database) -> None:
    """Or the job would be settled for ever."""

    def fail(session: Session, deaths: Sequence[Death]) -> None:
        keep(session, ["half"])
        session.execute(sa.text("SELECT nonsense"))

    ask(live)
    for round_ in range(3):
        now = NOW + round_ * 100_000
        settle(live, [Result(take(live, now=now)[0], Retry("failed"), fail)], now=now)
    assert (jobs(live), effects(live)) == ([], [])
    assert len(dead_jobs(live)) == 1


def test_an_effect_may_ask_for_the_same_work_anew(live: Database) -> None:
    ask(live, key="again")

    def once_more(session: Session, values: Sequence[Any]) -> None:
        enqueue(session, PLAIN, {"number": 9}, key="again")

    _settle(live, take(live), Done(Effect(once_more, None)))
    assert [row.args for row in jobs(live)] == [{"number": 9}]


def test_one_bad_effect_spoils_no_other(live: Database, held: list[Held]) -> None:
    def keep_or_fail(session: Session, values: Sequence[Any]) -> None:
        keep(session, values)
        if None in values:
            raise ValueError("a name that no log may hold")

    good = [Done(Effect(keep_or_fail, str(number))) for number in range(3)]
    _settle(live, held, *good, Done(Effect(keep_or_fail, None)))
    assert effects(live) == ["0", "1", "2"]
    left = jobs(live)
    assert numbers(held)[3:] == [row.args["number"] for row in left]
    assert left[0].error is not None
    assert left[0].error.startswith(("ValueError", "IntegrityError"))
    assert "name" not in left[0].error


def test_a_batch_is_applied_in_the_transaction_that_settles_it(
    live: Database, held: list[Held]
) -> None:
    def apply(session: Session, works: Sequence[Work]) -> Mapping[int, Outcome]:
        keep(session, [f"did {work.args['number']}" for work in works])
        return {works[0].id: Dead("no use"), works[1].id: Retry("later")}

    settle_together(live, Together(PLAIN, apply), held, now=NOW)
    assert effects(live) == ["did 0", "did 1", "did 2", "did 3"]
    assert [row.args["number"] for row in jobs(live)] == [1]
    assert [row.args["number"] for row in dead_jobs(live)] == [0]


def test_a_batch_that_fails_is_applied_one_by_one(live: Database, held: list[Held]) -> None:
    def apply(session: Session, works: Sequence[Work]) -> None:
        keep(session, [f"did {work.args['number']}" for work in works])
        if 2 in [work.args["number"] for work in works]:
            session.execute(sa.text("SELECT nonsense"))

    settle_together(live, Together(PLAIN, apply), held, now=NOW)
    assert effects(live) == ["did 0", "did 1", "did 3"]
    assert [(row.args["number"], row.run_at) for row in jobs(live)] == [(2, NOW + 10_000)]


def test_a_batch_leaves_out_what_was_lost(live: Database, held: list[Held]) -> None:
    seen: list[int] = []

    def apply(session: Session, works: Sequence[Work]) -> None:
        seen.extend(work.args["number"] for work in works)

    others = take(live, now=NOW + 60_010, limit=2)
    settle_together(live, Together(PLAIN, apply), held, now=NOW)
    assert seen == [2, 3]
    settle_together(live, Together(PLAIN, apply), others, now=NOW)
    settle_together(live, Together(PLAIN, apply), others, now=NOW)
    assert seen == [2, 3, 0, 1]
    assert jobs(live) == []


def test_a_dead_job_is_tried_again(live: Database) -> None:
    ask(live, key="mine")
    _settle(live, take(live), Dead("no use"))
    with live.transaction() as session:
        retry_dead_job(session, session.merge(dead_jobs(live)[0]))
    assert dead_jobs(live) == []
    row = jobs(live)[0]
    assert (row.key, row.attempt, row.error) == ("mine", 0, "no use")
    assert row.run_at > 0


def test_old_dead_jobs_are_forgotten(live: Database) -> None:
    ask(live, count=3)
    held = take(live, now=NOW + 10)
    for age, one in enumerate(held):
        _settle(live, [one], Dead("no use"), now=NOW + age)
    with live.transaction() as session:
        assert purge_dead_jobs(session, before=NOW + 2, at_most=1) == 1
    assert len(dead_jobs(live)) == 2
    with live.transaction() as session:
        session.execute(
            sa.text("UPDATE job_dead SET died_at = 0 WHERE died_at = :at"), {"at": NOW + 1}
        )
    assert purger(live).run(Work(1, PURGE.name, "", {}, 1, 0)) == Done()
    assert [row.died_at for row in dead_jobs(live)] == [NOW + 2]
