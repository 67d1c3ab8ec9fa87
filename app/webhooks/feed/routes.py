"""Routes of the feed of events."""

from typing import Annotated

from fastapi import Query

from app.access.dependencies import CurrentActor
from app.kit.dependencies import ReadSession
from app.kit.routing import Router
from app.webhooks.feed import queries
from app.webhooks.feed.schemas import EventMessage, EventPage, EventQuery

router = Router()


@router.get("/events", tags=["events"], summary="Read the feed of events")
def list_events(
    query: Annotated[EventQuery, Query()], actor: CurrentActor, session: ReadSession
) -> EventPage:
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
    return EventPage(items=items, next_after=found.until, has_more=found.has_more)
