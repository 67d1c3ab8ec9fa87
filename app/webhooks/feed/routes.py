"""Routes of the feed of events."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.access.dependencies import CurrentActor
from app.kit.dependencies import ReadSession
from app.kit.openapi import problems
from app.kit.routing import Router
from app.webhooks.feed import queries
from app.webhooks.feed.dependencies import CurrentViewer, StreamRoute
from app.webhooks.feed.schemas import EventFeed, EventMessage, EventQuery
from app.webhooks.feed.viewers import TooManyStreams, TooManyViewers

RETRY_MILLISECONDS = 3_000
_LINES = """retry: 3000

id: 4711
data: {"id":"evt_0193a0c27d7e7bd09c7b0f6a3b1c2d3e","type":"project.updated",...}

event: end
id: 4711
data: {"reason":"lifetime"}
"""
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The stream.", "content": {"text/event-stream": {"example": _LINES}}}
}
router = Router()


@router.get("/events", tags=["events"], summary="Read the feed of events")
def list_events(
    query: Annotated[EventQuery, Query()], actor: CurrentActor, session: ReadSession
) -> EventFeed:
    """What happened after event number `after`, oldest first, as far as you may read it.

    The way to follow changes without a server of your own, and to catch up after an outage: keep
    `next_after`, ask with it again later. With nothing new, `items` is empty. No event is ever put
    in below a number that was told, so none is missed. Your rights are those of the moment,
    narrowed by the scopes of a personal token.

    Other lists have an opaque `cursor` that ends with the list. A feed has no end, and one number
    that is the same for all callers and filters can be stored, compared and started over from.
    """
    found = queries.list_events(
        session,
        sight=queries.Sight.of(actor),
        wanted=query,
        after=query.after,
        limit=min(query.limit, query.max_limit),
    )
    items = [EventMessage.model_validate(queries.message_of(row)) for row in found.rows]
    return EventFeed(items=items, next_after=found.until, has_more=found.has_more)


stream = Router(route_class=StreamRoute)  # a route class of its own needs a router of its own


@stream.get(
    "/events/stream",
    tags=["events"],
    summary="Watch events as they happen",
    response_class=EventSourceResponse,
    responses={**_STREAM, **problems(TooManyViewers, TooManyStreams)},
)
async def stream_events(viewer: CurrentViewer) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: each `data` is one event as in the feed, each `id` its `seq`.

    To go on after a break, send the last `id` as `Last-Event-ID`: nothing is missed. Your rights
    are looked at again each minute. The server ends a stream with `event: end`, whose data say
    why: `token` (log in anew), `lagging` (you read too slowly), `lifetime` (an hour is over),
    `shutdown`, `unavailable`; come back with that event's `id`. Lines that begin with a colon keep
    the connection.

    A browser's `EventSource` cannot send an Authorization header and tokens do not belong into
    addresses: read the body of a `fetch` instead, as docs/webhooks.md shows.
    """
    yield ServerSentEvent(comment="open", retry=RETRY_MILLISECONDS)
    async for event in viewer:
        yield ServerSentEvent(raw_data=event.text, id=str(event.seq))
    yield ServerSentEvent(event="end", data={"reason": viewer.ending}, id=str(viewer.position))
