"""Who watches the stream. One poller in the process reads for all, and no thread waits for any.

A viewer first reads the feed from where it stands; then the poller hands it what comes. Whenever
the two might not meet (its rights have changed, it came while the poller read), it reads again.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, TypeVar

import anyio.to_thread
import structlog
from anyio import CapacityLimiter
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.access.actor import Actor
from app.kit.db import Database
from app.kit.errors import OpenQIError, TooManyRequests, Unavailable
from app.webhooks.feed import queries
from app.webhooks.feed.queries import Found, Sight
from app.webhooks.feed.schemas import EventFilter
from app.webhooks.subscriptions import TOLD, types_of

T = TypeVar("T")
_AWAY = (DBAPIError, PoolTimeout, OSError)  # the database is: it may be back soon
_LATER = {"Retry-After": "30"}
log = structlog.get_logger()


class TooManyViewers(Unavailable):
    """503: the stream has as many viewers as this process serves; the feed is always there."""

    code = "too_many_viewers"
    title = "Too many are watching; try again later, or read the feed."


class TooManyStreams(TooManyRequests):
    """429: one user has as many open streams as it may have, and leaves the others their places."""

    code = "too_many_streams"
    title = "You watch too often at once; close a stream, or read the feed."


class Ending(StrEnum):
    """Why a stream was ended from our side."""

    TOKEN = "token"  # noqa: S105 - the reason
    LAGGING = "lagging"
    LIFETIME = "lifetime"
    SHUTDOWN = "shutdown"
    UNAVAILABLE = "unavailable"


class Told(NamedTuple):
    """An event as it goes out."""

    seq: int
    text: str


class Limits(NamedTuple):
    """What bounds the stream; seconds where a time is meant. Tests choose others."""

    viewers: int = 500
    per_user: int = 20
    buffer: int = 1_000  # events that wait for one viewer
    batch: int = 200  # events that the poller reads at once
    tick: float = 1.0
    renewal: float = 60.0  # at the latest then, rights are looked at again
    lifetime: float = 3_600.0
    grace: float = 10.0  # for the last words to a viewer that does not read
    threads: int = 2


def told(row: Any) -> Told:
    """The line of an event, made once for all who hear of it."""
    return Told(row.seq, json.dumps(queries.message_of(row), separators=(",", ":")))


class Viewer:
    """One who watches; iterating gives what happens until `ending` says why no more does."""

    def __init__(
        self,
        viewers: "Viewers",
        *,
        actor: Actor,
        wanted: EventFilter,
        position: int,
        renew: Callable[[], Actor],
    ) -> None:
        self._viewers, self._renew, self.wanted = viewers, renew, wanted
        self._types = types_of(wanted.type, among=TOLD)
        self.user_id, self.sight = actor.user_id, Sight.of(actor)
        self.position = position
        self.ending: Ending | None = None
        self.severed = asyncio.Event()  # set where nothing else ends it: the caller must cut
        self._buffer: deque[Told] = deque()
        self._news = asyncio.Event()
        self._renew_at, self._end_at = self._next_renewal(), self._now() + viewers.limits.lifetime

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _next_renewal(self) -> float:
        # Not all at once, where many came at once.
        return self._now() + self._viewers.limits.renewal * random.uniform(0.7, 1.0)  # noqa: S311

    def wants(self, row: Any) -> bool:
        """Whether the viewer's own filter lets the event through."""
        wanted = self.wanted
        return (
            (not wanted.type or row.type in self._types)
            and wanted.programme_id in (None, row.programme_id)
            and wanted.resource_id in (None, row.resource_id)
        )

    def hear(self, event: Told) -> None:
        """Take an event from the poller. One who does not keep up is told to come again."""
        if self.ending is not None or event.seq <= self.position:
            return
        if len(self._buffer) >= self._viewers.limits.buffer:
            self.end(Ending.LAGGING)
            return
        self._buffer.append(event)
        self._news.set()

    def end(self, ending: Ending) -> None:
        """End the stream with a last word. It is cut off if even that is not taken in time."""
        if self.ending is None:
            self.ending = ending
            if self._viewers.is_following(self) and not self._buffer:
                self.position = self._viewers.position  # what was not for it need not be read again
            self._viewers.leave(self)
            self._buffer.clear()
            self._news.set()
            loop = asyncio.get_running_loop()
            loop.call_later(self._viewers.limits.grace, self.severed.set)

    def read_again(self) -> None:
        """Forget what was handed over, and read the feed from the last event that went out."""
        self._viewers.leave(self)
        self._buffer.clear()
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Told]:
        while await self._may_go_on():
            if not self._viewers.is_following(self):
                async for event in self._missed():
                    yield event
            elif self._buffer:
                event = self._buffer.popleft()
                self.position = event.seq
                yield event
            else:
                await self._wait()

    async def _may_go_on(self) -> bool:
        """Whether nothing has ended it; looks at the caller's rights again when it is time."""
        if self.ending is None and self._now() >= self._end_at:
            self.end(Ending.LIFETIME)
        if self.ending is None and self._now() >= self._renew_at:
            await self._renew_rights()
        return self.ending is None

    async def _renew_rights(self) -> None:
        try:
            sight = Sight.of(await self._viewers.in_thread(self._renew))
        except Unavailable:
            self.end(Ending.UNAVAILABLE)
        except OpenQIError:
            self.end(Ending.TOKEN)
        except _AWAY:
            self.end(Ending.UNAVAILABLE)  # what cannot be checked is not let through
        else:
            self._renew_at = self._next_renewal()
            if sight != self.sight:
                self.sight = sight
                self.read_again()

    async def _missed(self) -> AsyncIterator[Told]:
        """What the feed has beyond the position; at its end the poller takes over."""
        sight = self.sight
        try:
            found = await self._viewers.read_feed(self)
        except _AWAY:
            self.end(Ending.UNAVAILABLE)
            return
        for row in found.rows:
            if not await self._may_go_on() or self.sight is not sight:
                return  # the rest was read under other rights
            self.position = row.seq
            yield told(row)
        self.position = found.until
        if not found.has_more and self.ending is None:
            self._viewers.follow(self)

    async def _wait(self) -> None:
        self._news.clear()
        until = min(self._renew_at, self._end_at) - self._now()
        try:
            await asyncio.wait_for(self._news.wait(), max(until, 0))
        except TimeoutError:
            return


class Viewers:
    """All who watch in this process, and the poller that there is while anybody does."""

    default: ClassVar[Limits] = Limits()

    def __init__(self, database: Callable[[], Database], limits: Limits = default) -> None:
        self._database = database
        self.limits = limits
        self._seated: set[Viewer] = set()
        self._following: set[Viewer] = set()
        self.position = 0  # what the poller has read up to, while anybody follows
        self._poller: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event
        self._limiter: CapacityLimiter
        self._is_stopping = False

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._seated)

    @asynccontextmanager
    async def seat(
        self,
        *,
        actor: Actor,
        wanted: EventFilter,
        position: int | None,
        renew: Callable[[], Actor],
    ) -> AsyncIterator[Viewer]:
        """A place among the viewers, from an event on or from now on.

        Raises `TooManyViewers`, `TooManyStreams`.
        """
        self._require_place(actor)
        if not self._seated:
            self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
            self._limiter = CapacityLimiter(self.limits.threads)
        viewer = Viewer(self, actor=actor, wanted=wanted, position=position or 0, renew=renew)
        self._seated.add(viewer)
        try:
            if position is None:  # looked up before the first word: whoever reads that misses none
                viewer.position = await self.read(queries.newest)
            yield viewer
        finally:
            self.leave(viewer)
            self._seated.discard(viewer)

    def _require_place(self, actor: Actor) -> None:
        if self._is_stopping or len(self._seated) >= self.limits.viewers:
            raise TooManyViewers(headers=_LATER)
        if sum(one.user_id == actor.user_id for one in self._seated) >= self.limits.per_user:
            raise TooManyStreams(headers=_LATER)

    def is_following(self, viewer: Viewer) -> bool:
        """Whether the poller hands the viewer what comes."""
        return viewer in self._following

    def follow(self, viewer: Viewer) -> None:
        """Hand the viewer what comes from now on, unless the poller has read past its place."""
        if not self._following:
            self.position = viewer.position
            self._poller = asyncio.create_task(self._poll(), name="event stream")
        if self.position <= viewer.position:
            self._following.add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """No longer hand it anything; with the last one the poller goes."""
        self._following.discard(viewer)
        if not self._following and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    def wake(self) -> None:
        """Look for news at once. Any thread may call it; a call that is lost costs one tick."""
        loop = self._loop
        if self._seated and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._news.set)

    def stop(self) -> None:
        """End every stream, before the server waits for its answers to end; take no more."""
        self._is_stopping = True
        self.limits = self.limits._replace(grace=min(self.limits.grace, 1.0))
        for viewer in list(self._seated):
            viewer.end(Ending.SHUTDOWN)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run what asks the database, in one of the few threads that all viewers share."""
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    async def read(self, question: Callable[..., T], **options: Any) -> T:
        """The answer of the database; the session is given back before anybody waits."""

        def ask() -> T:
            with self._database().reading() as session:
                return question(session, **options)

        return await self.in_thread(ask)

    async def read_feed(self, viewer: Viewer) -> Found:
        """What the feed has for a viewer beyond its position."""
        return await self.read(
            queries.list_events,
            sight=viewer.sight,
            wanted=viewer.wanted,
            after=viewer.position,
            limit=self.limits.batch,
        )

    async def _poll(self) -> None:
        while True:
            self._news.clear()
            try:
                has_more = await self._tick()
            except _AWAY as fault:
                log.warning("event_stream_waits", error=type(fault).__name__)
                has_more = False
            except Exception:
                log.exception("event_stream_failed")
                for viewer in list(self._following):
                    viewer.end(Ending.UNAVAILABLE)
                return
            if not has_more:
                await self._next_tick()

    async def _next_tick(self) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), self.limits.tick)
        except TimeoutError:
            return

    async def _tick(self) -> bool:
        """Read what is new for all and hand it out. Whether there is more."""
        heard = [(viewer, viewer.sight) for viewer in self._following]
        sights = list(dict.fromkeys(sight for _, sight in heard))
        found = await self.read(
            queries.list_shared, sights=sights, after=self.position, limit=self.limits.batch
        )
        for viewer in self._following - {viewer for viewer, _ in heard}:
            viewer.read_again()  # it came while the thread read
        number_of = {sight: number for number, sight in enumerate(sights)}
        here = [
            (viewer, number_of[sight])
            for viewer, sight in heard
            if viewer in self._following and viewer.sight is sight
        ]
        self.position = found.until
        for row in found.rows:
            self._hand_out(row, here)
        return found.has_more

    def _hand_out(self, row: Any, viewers: list[tuple[Viewer, int]]) -> None:
        event: Told | None = None
        for viewer, number in viewers:
            if getattr(row, f"sight_{number}") and viewer.wants(row):
                event = event or told(row)
                viewer.hear(event)
