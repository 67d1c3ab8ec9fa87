"""The stream behind a real server: nothing missed, nothing told to whom it is not for."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError
from sqlmodel import col

from app.access.models import Membership
from app.access.permissions import Role
from app.events.catalogue import Resource
from app.identity.models import LoginSession
from app.jobs.waking import bell_of
from app.kit.clock import utc_now
from app.kit.db import Database
from app.main import create_app
from app.settings import Settings
from app.webhooks.feed import queries
from app.webhooks.feed.viewers import Limits
from tests.serving import serving
from tests.webhooks.feed.conftest import Stage
from tests.webhooks.feed.happening import dispatch, happen
from tests.webhooks.feed.watching import watching

QUICK = Limits(tick=0.05)


@contextmanager
def _served(stage: Stage, **limits: Any) -> Iterator[str]:
    stage.app.state.viewers.limits = QUICK._replace(**limits)
    with serving(stage.app) as address:
        yield address


def _happen(stage: Stage, *, foreign: bool = False, noun: Resource = Resource.PROJECT) -> None:
    project = stage.world.foreign_project if foreign else stage.world.project
    with stage.database.writing() as session:
        happen(session, noun, project=project)
    dispatch(stage.database)


def _stop(stage: Stage) -> None:
    """As the server does it before it stops: in its event loop."""
    viewers = stage.app.state.viewers
    viewers._loop.call_soon_threadsafe(viewers.stop)


def _newest(stage: Stage) -> int:
    with stage.database.reading() as session:
        return queries.newest(session)


@pytest.fixture(autouse=True)
def _all_told(stage: Stage) -> None:
    dispatch(stage.database)


def test_what_happens_is_told(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    with _served(stage) as address, watching(address, token) as watcher:
        start = _newest(stage)
        _happen(stage)
        event = watcher.next()
        assert event["seq"] == start + 1
        headers = {"Authorization": f"Bearer {token}"}
        feed = httpx.get(f"{address}/api/v1/events?after={start}", headers=headers).json()
        assert feed["items"] == [event]
        _stop(stage)
        assert watcher.next() == {"end": "shutdown", "seq": start + 1}


def test_a_scrape_counts_those_who_watch(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)

    def counted() -> float:
        told = httpx.get(f"{address}/metrics").text
        families = {family.name: family for family in text_string_to_metric_families(told)}
        return families["openqi_stream_viewers"].samples[0].value

    with _served(stage) as address:
        assert counted() == 0
        with watching(address, token), watching(address, token):
            assert counted() == 2
            _stop(stage)
        _until(lambda: counted() == 0)


def test_going_on_after_a_break_misses_nothing(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    start = _newest(stage)
    for _ in range(3):
        _happen(stage)
    with _served(stage, batch=2) as address:
        with watching(address, token, last=start + 1) as watcher:
            assert [watcher.next()["seq"] for _ in range(2)] == [start + 2, start + 3]
            _happen(stage)
            assert watcher.next()["seq"] == start + 4
        _happen(stage)
        with watching(address, token, last=start + 4) as watcher:
            assert watcher.next()["seq"] == start + 5


def test_nothing_is_missed_while_it_is_joined(stage: Stage) -> None:
    """Others write all the while that viewers come: each hears of each event once, in order."""
    token = stage.token(stage.world.facilitator)
    start, count = _newest(stage), 60
    done = threading.Event()

    def write() -> None:
        for _ in range(count):
            _happen(stage)
        done.set()

    with _served(stage, batch=3, tick=0.01) as address, ExitStack() as stack:
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
    with _served(stage) as address, ExitStack() as stack:

        def watch(role: Role, **params: Any) -> Any:
            token = stage.token(people[role])
            return stack.enter_context(watching(address, token, **params))

        admin, member = watch(Role.PLATFORM_ADMIN), watch(Role.MEMBER)
        measures = watch(Role.FACILITATOR, type="measure.*")
        start = _newest(stage)
        _happen(stage, foreign=True)
        _happen(stage)
        _happen(stage, noun=Resource.MEASURE)
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
    with _served(stage, tick=3_600) as address, watching(address, token) as watcher:
        _until(lambda: len(stage.app.state.viewers._following) == 1)
        _until(lambda: () in rung)  # it is connected
        start = _newest(stage)
        for number in (1, 2, 3):  # the poller may come upon the first by itself
            with other.writing() as session:
                happen(session, Resource.PROJECT, project=stage.world.project)
            dispatch(other)
            assert watcher.next()["seq"] == start + number
        _stop(stage)
        assert watcher.next()["end"] == "shutdown"
    other.dispose()


def test_one_statement_serves_all_who_watch(stage: Stage) -> None:
    tokens = [stage.token(stage.world.people[role]) for role in Role]
    with _served(stage, tick=30) as address, ExitStack() as stack:
        watchers = [stack.enter_context(watching(address, token)) for token in tokens]
        _until(lambda: len(stage.app.state.viewers._following) == len(tokens))
        with _statements(stage) as statements:
            with stage.database.writing() as session:
                happen(session, Resource.SESSION, programme=stage.world.programme)
            dispatch(stage.database)  # its commit wakes the poller
            assert {watcher.next()["type"] for watcher in watchers} == {"session.updated"}
            told = [text for text in statements if "payload" in text]
            del statements[:]
            stage.app.state.viewers.wake()
            _until(lambda: len(statements) > 0)
            idle = list(statements)
    assert len(told) == 1  # the events, with the rights of all viewers
    assert len(idle) == 1


@contextmanager
def _statements(stage: Stage) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = stage.database.read_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it never held"
        time.sleep(0.01)  # another thread's state, which no event tells of


def test_an_ended_login_ends_the_stream(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    with _served(stage, renewal=0.1) as address, watching(address, token) as watcher:
        with stage.database.transaction() as session:
            session.execute(sa.update(LoginSession).values(ended_at=utc_now()))
        assert watcher.next()["end"] == "token"


def test_a_revoked_token_ends_the_stream(stage: Stage) -> None:
    login = stage.token(stage.world.facilitator)
    headers = {"Authorization": f"Bearer {login}"}
    body = {"name": "Watcher", "scopes": ["project:read"], "expires_in_days": 1}
    with (
        _served(stage, renewal=0.1) as address,
        httpx.Client(base_url=f"{address}/api/v1", headers=headers) as client,
    ):
        made = client.post("/auth/tokens", json=body).json()
        with watching(address, made["secret"]) as watcher:
            assert client.delete(f"/auth/tokens/{made['id']}").status_code == 204
            assert watcher.next()["end"] == "token"


def test_a_role_that_ends_is_felt_and_one_that_begins_too(stage: Stage) -> None:
    stranger = stage.world.stranger
    assert stranger is not None
    token = stage.token(stranger)
    with _served(stage, renewal=0.1) as address, watching(address, token) as watcher:
        _until(lambda: _sees(stage, False))
        before = _newest(stage)
        _happen(stage)
        with stage.database.transaction() as session:
            session.add(
                Membership(
                    user_id=stranger.id,
                    role=Role.OBSERVER,
                    programme_id=stage.world.programme.id,
                    starts_on=utc_now().date() - timedelta(days=1),
                )
            )
        # Nothing is lost between the grant and the look at it: it reads again from where it stood.
        assert watcher.next()["seq"] == before + 1
        _happen(stage)
        assert watcher.next()["seq"] == before + 2
        with stage.database.transaction() as session:
            mine = col(Membership.user_id) == stranger.id
            session.execute(sa.update(Membership).where(mine).values(ends_on=utc_now().date()))
        _until(lambda: _sees(stage, False))
        _happen(stage)
        _stop(stage)
        assert watcher.next()["end"] == "shutdown"


def _sees(stage: Stage, something: bool) -> bool:
    viewers = stage.app.state.viewers
    return all(
        any(span for span, _ in viewer.sight.groups) is something and viewers.is_following(viewer)
        for viewer in list(viewers._seated)
    )


def test_a_life_is_limited(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    with _served(stage, lifetime=0.2) as address, watching(address, token) as watcher:
        assert watcher.next()["end"] == "lifetime"


def test_places_are_limited(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    headers = {"Authorization": f"Bearer {token}"}
    with _served(stage, viewers=1) as address, watching(address, token):
        refused = httpx.get(f"{address}/api/v1/events/stream", headers=headers)
        assert refused.status_code == 503
        assert refused.json()["code"] == "too_many_viewers"
        assert refused.headers["Retry-After"] == "30"
    assert stage.app.state.viewers.count == 0


def test_nobody_takes_all_places(stage: Stage) -> None:
    """Of one user, however many logins it has; others still find a place, and it does again."""
    people = stage.world.people
    token, again = (stage.token(people[Role.FACILITATOR]) for _ in range(2))
    with _served(stage, per_user=2) as address:
        with watching(address, token), watching(address, again):
            headers = {"Authorization": f"Bearer {token}"}
            refused = httpx.get(f"{address}/api/v1/events/stream", headers=headers)
            assert refused.status_code == 429
            assert refused.json()["code"] == "too_many_streams"
            assert refused.headers["Retry-After"] == "30"
            with watching(address, stage.token(people[Role.MEMBER])):
                assert stage.app.state.viewers.count == 3
        _until(lambda: stage.app.state.viewers.count == 0)
        with watching(address, token):
            assert stage.app.state.viewers.count == 1


def test_an_operator_says_how_many(settings: Settings) -> None:
    stated = {"stream_viewers": 7, "stream_viewers_per_user": 3, "database_url": "sqlite://"}
    limits = create_app(settings.model_copy(update=stated)).state.viewers.limits
    assert limits == Limits(viewers=7, per_user=3)
    defaults = create_app(settings.model_copy(update={"database_url": "sqlite://"}))
    assert defaults.state.viewers.limits == Limits()
    for name in ("stream_viewers", "stream_viewers_per_user"):
        for value in (0, 10_001):
            with pytest.raises(ValidationError):
                Settings.model_validate({name: value})


def test_a_viewer_who_reads_too_slowly_is_sent_away(stage: Stage) -> None:
    """It reads nothing: its connection fills, its buffer fills, and in the end it is cut off."""
    token = stage.token(stage.world.facilitator)
    with _served(stage, buffer=3, grace=0.3) as address, watching(address, token):
        (viewer,) = stage.app.state.viewers._seated
        _until(lambda: stage.app.state.viewers.is_following(viewer))
        padding = "x" * 1_000_000
        with stage.database.writing() as session:
            for _ in range(30):
                event = happen(session, Resource.PROJECT, project=stage.world.project)
                event.payload = event.payload.replace(
                    '"data":{', f'"data":{{"padding":"{padding}",'
                )
                session.commit()
                dispatch(stage.database)
        _until(lambda: viewer.ending is not None)
        assert viewer.ending == "lagging"
        _until(lambda: stage.app.state.viewers.count == 0)


def test_many_viewers_hold_no_threads(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)

    async def watch_all(address: str) -> int:
        limits = httpx.Limits(max_connections=None)
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(base_url=address, limits=limits, timeout=30) as client,
            AsyncExitStack() as stack,
        ):
            streams = []
            for _ in range(200):
                request = client.stream("GET", "/api/v1/events/stream", headers=headers)
                streams.append(await stack.enter_async_context(request))
            lines = [stream.aiter_lines() for stream in streams]
            for line in lines:
                assert await anext(line) == ": open"
            threads = threading.active_count()
            await asyncio.to_thread(_happen, stage)
            await asyncio.gather(*(_first_event(line) for line in lines))
            return threads

    with _served(stage, per_user=200) as address:
        before = threading.active_count()
        threads = asyncio.run(watch_all(address))
    # The pool of the requests' own threads, which grew while they came; none per viewer.
    assert threads - before < 30


async def _first_event(lines: Any) -> None:
    async for line in lines:
        if line.startswith("data: "):
            return


def test_the_server_stops_at_once_while_somebody_watches(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    with ExitStack() as stack:
        with _served(stage) as address:
            watcher = stack.enter_context(watching(address, token))
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
        assert watcher.next()["end"] == "shutdown"


def test_a_browser_of_another_origin_may_watch(stage: Stage) -> None:
    origin = "https://front.example"
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,last-event-id",
    }
    token = stage.token(stage.world.facilitator)
    with _served(stage) as address:
        flight = httpx.request("OPTIONS", f"{address}/api/v1/events/stream", headers=asked)
        assert flight.status_code == 200, flight.text
        headers = {"Authorization": f"Bearer {token}", "Origin": origin}
        with httpx.stream("GET", f"{address}/api/v1/events/stream", headers=headers) as answer:
            assert answer.headers["access-control-allow-origin"] == origin
            assert answer.headers["cache-control"] == "no-cache"


def test_head_does_not_watch(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    headers = {"Authorization": f"Bearer {token}"}
    with _served(stage) as address, httpx.Client(base_url=address) as client:
        answer = client.head("/api/v1/events/stream", headers=headers)
        assert answer.status_code == 200
        assert client.get("/api/v1/me", headers=headers).status_code == 200  # same connection
        _until(lambda: stage.app.state.viewers.count == 0)


@pytest.mark.parametrize("value", ["-1", "last", str(2**63)])
def test_a_place_that_is_no_number_is_refused(stage: Stage, value: str) -> None:
    token = stage.token(stage.world.facilitator)
    headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": value}
    with _served(stage) as address:
        answer = httpx.get(f"{address}/api/v1/events/stream", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["header"] == "Last-Event-ID"


def test_a_database_that_is_away_for_a_moment_ends_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = stage.token(stage.world.facilitator)
    with _served(stage) as address, watching(address, token) as watcher:
        viewers = stage.app.state.viewers
        _until(lambda: len(viewers._following) == 1)
        start = _newest(stage)
        read = viewers.read
        faults: list[int] = []

        async def fail_once(*args: Any, **options: Any) -> Any:
            if not faults:
                faults.append(1)
                raise sa.exc.OperationalError("SELECT", {}, Exception("away"))
            return await read(*args, **options)

        monkeypatch.setattr(viewers, "read", fail_once)
        _until(lambda: bool(faults))
        _happen(stage)
        assert watcher.next()["seq"] == start + 1
