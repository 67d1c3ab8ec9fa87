"""What ends a stream, and how many there may be: logins, rights, lives, places, slow readers."""

import asyncio
import threading
import time
from contextlib import AsyncExitStack, ExitStack
from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from pydantic import ValidationError
from sqlmodel import col

from app.access.models import Membership
from app.access.permissions import Role
from app.events.catalogue import Resource
from app.identity.models import LoginSession
from app.kit.clock import utc_now
from app.main import create_app
from app.settings import Settings
from app.webhooks.feed.viewers import Limits
from tests.webhooks.feed.conftest import Stage
from tests.webhooks.feed.happening import dispatch, happen
from tests.webhooks.feed.streaming import (
    all_told,
    newest,
    stop,
    streaming,
    tell,
    until,
)
from tests.webhooks.feed.watching import watching

__all__ = ["all_told"]  # fixtures


def test_an_ended_login_ends_the_stream(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    with streaming(stage, renewal=0.1) as address, watching(address, token) as watcher:
        with stage.database.transaction() as session:
            session.execute(sa.update(LoginSession).values(ended_at=utc_now()))
        assert watcher.next()["end"] == "token"


def test_a_revoked_token_ends_the_stream(stage: Stage) -> None:
    login = stage.token(stage.world.facilitator)
    headers = {"Authorization": f"Bearer {login}"}
    body = {"name": "Watcher", "scopes": ["project:read"], "expires_in_days": 1}
    with (
        streaming(stage, renewal=0.1) as address,
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
    with streaming(stage, renewal=0.1) as address, watching(address, token) as watcher:
        until(lambda: _sees(stage, False))
        before = newest(stage)
        tell(stage)
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
        tell(stage)
        assert watcher.next()["seq"] == before + 2
        with stage.database.transaction() as session:
            mine = col(Membership.user_id) == stranger.id
            session.execute(sa.update(Membership).where(mine).values(ends_on=utc_now().date()))
        until(lambda: _sees(stage, False))
        tell(stage)
        stop(stage)
        assert watcher.next()["end"] == "shutdown"


def _sees(stage: Stage, something: bool) -> bool:
    viewers = stage.app.state.viewers
    return all(
        any(span for span, _ in viewer.sight.groups) is something and viewers.is_following(viewer)
        for viewer in list(viewers._seated)
    )


def test_a_life_is_limited(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    with streaming(stage, lifetime=0.2) as address, watching(address, token) as watcher:
        assert watcher.next()["end"] == "lifetime"


def test_places_are_limited(stage: Stage) -> None:
    token = stage.token(stage.world.facilitator)
    headers = {"Authorization": f"Bearer {token}"}
    with streaming(stage, viewers=1) as address, watching(address, token):
        refused = httpx.get(f"{address}/api/v1/events/stream", headers=headers)
        assert refused.status_code == 503
        assert refused.json()["code"] == "too_many_viewers"
        assert refused.headers["Retry-After"] == "30"
    assert stage.app.state.viewers.count == 0


def test_nobody_takes_all_places(stage: Stage) -> None:
    """Of one user, however many logins it has; others still find a place, and it does again."""
    people = stage.world.people
    token, again = (stage.token(people[Role.FACILITATOR]) for _ in range(2))
    with streaming(stage, per_user=2) as address:
        with watching(address, token), watching(address, again):
            headers = {"Authorization": f"Bearer {token}"}
            refused = httpx.get(f"{address}/api/v1/events/stream", headers=headers)
            assert refused.status_code == 429
            assert refused.json()["code"] == "too_many_streams"
            assert refused.headers["Retry-After"] == "30"
            with watching(address, stage.token(people[Role.MEMBER])):
                assert stage.app.state.viewers.count == 3
        until(lambda: stage.app.state.viewers.count == 0)
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
    with streaming(stage, buffer=3, grace=0.3) as address, watching(address, token):
        (viewer,) = stage.app.state.viewers._seated
        until(lambda: stage.app.state.viewers.is_following(viewer))
        padding = "x" * 1_000_000
        with stage.database.writing() as session:
            for _ in range(30):
                event = happen(session, Resource.PROJECT, project=stage.world.project)
                event.payload = event.payload.replace(
                    '"data":{', f'"data":{{"padding":"{padding}",'
                )
                session.commit()
                dispatch(stage.database)
        until(lambda: viewer.ending is not None)
        assert viewer.ending == "lagging"
        until(lambda: stage.app.state.viewers.count == 0)


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
            await asyncio.to_thread(tell, stage)
            await asyncio.gather(*(_first_event(line) for line in lines))
            return threads

    with streaming(stage, per_user=200) as address:
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
        with streaming(stage) as address:
            watcher = stack.enter_context(watching(address, token))
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
        assert watcher.next()["end"] == "shutdown"


def test_a_database_that_is_away_for_a_moment_ends_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = stage.token(stage.world.facilitator)
    with streaming(stage) as address, watching(address, token) as watcher:
        viewers = stage.app.state.viewers
        until(lambda: len(viewers._following) == 1)
        start = newest(stage)
        read = viewers.read
        faults: list[int] = []

        async def fail_once(*args: Any, **options: Any) -> Any:
            if not faults:
                faults.append(1)
                raise sa.exc.OperationalError("SELECT", {}, Exception("away"))
            return await read(*args, **options)

        monkeypatch.setattr(viewers, "read", fail_once)
        until(lambda: bool(faults))
        tell(stage)
        assert watcher.next()["seq"] == start + 1
