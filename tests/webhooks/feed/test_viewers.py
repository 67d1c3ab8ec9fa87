"""A viewer beside the feed: what was read for it under rights that ended does not go out."""

import asyncio
import json
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from app.access.actor import Actor, Grant
from app.access.permissions import Role
from app.webhooks.feed.queries import Found
from app.webhooks.feed.schemas import EventFilter
from app.webhooks.feed.viewers import Limits, Viewer, Viewers

PROGRAMME, OTHER = uuid.uuid4(), uuid.uuid4()


def _actor(*programmes: uuid.UUID) -> Actor:
    """Who may read these."""
    grants = tuple(Grant(Role.OBSERVER, programme, None) for programme in programmes)
    return Actor(user_id=PROGRAMME, email="", display_name="", grants=grants)


def _row(seq: int, programme: uuid.UUID) -> Any:
    told = {"type": "team.created", "timestamp": "2018-01-08T09:30:00Z", "data": {}}
    return SimpleNamespace(
        id=uuid.uuid4(), seq=seq, programme_id=programme, payload=json.dumps(told)
    )


class _Feed(Viewers):
    """Its feed is a list of rows; `asked` says from where and with which rights it was read."""

    rows: tuple[Any, ...] = ()

    async def read_feed(self, viewer: Viewer) -> Found:
        spans = [span for span, _ in viewer.sight.groups]
        rows = [
            row
            for row in self.rows
            if row.seq > viewer.position
            and any(row.programme_id in span.programmes for span in spans)
        ]
        return Found(rows, self.rows[-1].seq, False)


def _no_database() -> Any:
    raise AssertionError("nobody follows here")


async def _heard(rights: Iterator[Actor], count: int) -> list[int]:
    """Of four events, two in each programme by turns, the first `count` that go out."""
    viewers = _Feed(_no_database, Limits(renewal=0.0))
    viewers.rows = tuple(_row(seq, OTHER if seq % 2 else PROGRAMME) for seq in (1, 2, 3, 4))
    seat = viewers.seat(
        actor=next(rights), wanted=EventFilter(), position=0, renew=lambda: next(rights)
    )
    heard: list[int] = []
    async with seat as viewer:
        async for event in viewer:
            heard.append(event.seq)
            if len(heard) == count:
                break
    return heard


def test_what_was_read_under_rights_that_ended_does_not_go_out() -> None:
    def rights() -> Iterator[Actor]:
        yield _actor(PROGRAMME, OTHER)  # as it comes
        yield _actor(PROGRAMME, OTHER)  # before it reads
        yield _actor(PROGRAMME, OTHER)  # before the first event
        while True:
            yield _actor(PROGRAMME)

    assert asyncio.run(_heard(rights(), 3)) == [1, 2, 4]


def test_rights_that_grow_lose_nothing() -> None:
    def rights() -> Iterator[Actor]:
        yield _actor(PROGRAMME)
        yield _actor(PROGRAMME)
        yield _actor(PROGRAMME)
        while True:
            yield _actor(PROGRAMME, OTHER)

    assert asyncio.run(_heard(rights(), 3)) == [2, 3, 4]
