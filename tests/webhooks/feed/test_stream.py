"""The stream behind a real server: nothing missed, nothing told to whom it is not for."""

import threading
from collections.abc import Collection
from contextlib import ExitStack
from typing import Any

import httpx2 as httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.access.permissions import Role
from app.events.catalogue import Resource
from app.jobs.waking import bell_of
from app.kit.db import Database
from tests.webhooks.feed.conftest import Stage
from tests.webhooks.feed.happening import dispatch, happen
from tests.webhooks.feed.streaming import all_told, listening, newest, stop, streaming, tell, until
from tests.webhooks.feed.watching import watching

__all__ = ["all_told"]  # fixtures


def test_what_happens_is_told(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    with streaming(stage) as address, watching(address, token) as watcher:
        start = newest(stage)
        tell(stage)
        event = watcher.next()
        assert event["seq"] == start + 1
        headers = {"Authorization": f"Bearer {token}"}
        feed = httpx.get(f"{address}/api/v1/events?after={start}", headers=headers).json()
        assert feed["items"] == [event]
        stop(stage)
        assert watcher.next() == {"end": "shutdown", "seq": start + 1}


def test_a_scrape_counts_those_who_watch(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)

    def counted() -> float:
        told = httpx.get(f"{address}/metrics").text
        families = {family.name: family for family in text_string_to_metric_families(told)}
        return families["openqi_stream_viewers"].samples[0].value

    with streaming(stage) as address:
        assert counted() == 0
        with watching(address, token), watching(address, token):
            assert counted() == 2
            stop(stage)
        until(lambda: counted() == 0)


def test_going_on_after_a_break_misses_nothing(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    start = newest(stage)
    for _ in range(3):
        tell(stage)
    with streaming(stage, batch=2) as address:
        with watching(address, token, last=start + 1) as watcher:
            assert [watcher.next()["seq"] for _ in range(2)] == [start + 2, start + 3]
            tell(stage)
            assert watcher.next()["seq"] == start + 4
        tell(stage)
        with watching(address, token, last=start + 4) as watcher:
            assert watcher.next()["seq"] == start + 5


def test_nothing_is_missed_while_it_is_joined(stage: Stage) -> None:
    """Others write all the while that viewers come: each hears of each event once, in order."""
    token = stage.token(stage.world.facilitator)
    start, count = newest(stage), 60
    done = threading.Event()

    def write() -> None:
        for _ in range(count):
            tell(stage)
        done.set()

    with streaming(stage, batch=3, tick=0.01) as address, ExitStack() as stack:
        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(6):
            watcher = stack.enter_context(watching(address, token, last=start))
            while len(watcher.ids) < count:
                watcher.next()
            assert watcher.ids == list(range(start + 1, start + count + 1))
            if done.is_set():
                break
        writer.join(30)


def test_each_hears_what_he_may_read_and_asked_for(stage: Stage) -> None:
    people = stage.world.people
    with streaming(stage) as address, ExitStack() as stack:

        def watch(role: Role, **params: Any) -> Any:
            token = stage.token(people[role])
            return stack.enter_context(watching(address, token, **params))

        admin, member = watch(Role.PLATFORM_ADMIN), watch(Role.MEMBER)
        measures = watch(Role.FACILITATOR, type="measure.*")
        start = newest(stage)
        tell(stage, foreign=True)
        tell(stage)
        tell(stage, noun=Resource.MEASURE)
        assert [admin.next()["seq"] for _ in range(3)] == [start + 1, start + 2, start + 3]
        assert [member.next()["seq"] for _ in range(2)] == [start + 2, start + 3]
        assert measures.next()["seq"] == start + 3


def test_what_another_process_dispatches_is_told_at_once(
    stage: Stage, stage_url: str, backend: str
) -> None:
    if backend == "sqlite":
        pytest.skip("SQLite has one process")
    token, other = stage.token(stage.world.facilitator), Database(stage_url)
    rung: list[Collection[str]] = []
    bell_of(stage.database.write_engine).listen(rung.append)
    with streaming(stage, tick=3_600) as address, watching(address, token) as watcher:
        until(lambda: len(stage.app.state.viewers._following) == 1)
        until(lambda: () in rung)  # it is connected
        start = newest(stage)
        for number in (1, 2, 3):  # the poller may come upon the first by itself
            with other.writing() as session:
                happen(session, Resource.PROJECT, project=stage.world.project)
            dispatch(other)
            assert watcher.next()["seq"] == start + number
        stop(stage)
        assert watcher.next()["end"] == "shutdown"
    other.dispose()


def test_one_statement_serves_all_who_watch(stage: Stage) -> None:
    tokens = [stage.token(stage.world.people[role]) for role in Role]
    with streaming(stage, tick=30) as address, ExitStack() as stack:
        watchers = [stack.enter_context(watching(address, token)) for token in tokens]
        until(lambda: len(stage.app.state.viewers._following) == len(tokens))
        with listening(stage) as statements:
            with stage.database.writing() as session:
                happen(session, Resource.SESSION, programme=stage.world.programme)
            dispatch(stage.database)  # its commit wakes the poller
            assert {watcher.next()["type"] for watcher in watchers} == {"session.updated"}
            told = [text for text in statements if "payload" in text]
            del statements[:]
            stage.app.state.viewers.wake()
            until(lambda: len(statements) > 0)
            idle = list(statements)
    assert len(told) == 1  # the events, with the rights of all viewers
    assert len(idle) == 1


def test_a_browser_of_another_origin_may_watch(stage: Stage) -> None:
    origin = "https://front.example"
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,last-event-id",
    }
    token = stage.token(stage.world.facilitator)
    with streaming(stage) as address:
        flight = httpx.request("OPTIONS", f"{address}/api/v1/events/stream", headers=asked)
        assert flight.status_code == 200, flight.text
        headers = {"Authorization": f"Bearer {token}", "Origin": origin}
        with httpx.stream("GET", f"{address}/api/v1/events/stream", headers=headers) as answer:
            assert answer.headers["access-control-allow-origin"] == origin
            assert answer.headers["cache-control"] == "no-cache"


def test_head_does_not_watch(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    headers = {"Authorization": f"Bearer {token}"}
    with streaming(stage) as address, httpx.Client(base_url=address) as client:
        answer = client.head("/api/v1/events/stream", headers=headers)
        assert answer.status_code == 200
        assert client.get("/api/v1/me", headers=headers).status_code == 200  # same connection
        until(lambda: stage.app.state.viewers.count == 0)


@pytest.mark.parametrize("value", ["-1", "last", str(2**63)])
def test_a_place_that_is_no_number_is_refused(stage: Stage, value: str) -> None:
    token = stage.token(stage.world.facilitator)
    headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": value}
    with streaming(stage) as address:
        answer = httpx.get(f"{address}/api/v1/events/stream", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["header"] == "Last-Event-ID"
