"""Routes of deliveries."""

import uuid
from typing import Annotated

from fastapi import Query, Request, Response

from app.access.dependencies import CurrentActor
from app.kit.answers import API_PREFIX
from app.kit.dependencies import CurrentPager, Now, ReadSession, WriteSession
from app.kit.errors import Archived, Invalid
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.operations.dependencies import accepted
from app.operations.schemas import OperationRead
from app.webhooks.actions import EndpointDisabled
from app.webhooks.deliveries import actions, queries
from app.webhooks.deliveries.actions import DeliveryPending
from app.webhooks.deliveries.schemas import (
    WebhookAttemptQuery,
    WebhookAttemptRead,
    WebhookDeliveryQuery,
    WebhookDeliveryRead,
    WebhookReplayCreate,
)

router = Router()
_read = WebhookDeliveryRead.model_validate


@router.get("/webhook-deliveries", summary="List webhook deliveries")
def list_webhook_deliveries(
    query: Annotated[WebhookDeliveryQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[WebhookDeliveryRead]:
    """What was sent, is waiting or was given up, latest first; kept for `OPENQI_DELIVERY_DAYS`."""
    page = queries.list_webhook_deliveries(session, actor=actor, query=query, pager=pager)
    return page.map(_read)


@router.get("/webhook-deliveries/{delivery_id}", summary="Get a webhook delivery")
def get_webhook_delivery(
    delivery_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> WebhookDeliveryRead:
    """One delivery, and what its last attempt came to."""
    return _read(queries.get_webhook_delivery(session, actor=actor, delivery_id=delivery_id))


@router.get("/webhook-deliveries/{delivery_id}/attempts", summary="List the attempts of a delivery")
def list_webhook_attempts(
    delivery_id: uuid.UUID,
    query: Annotated[WebhookAttemptQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[WebhookAttemptRead]:
    """Each call in its order: the answer with its beginning, or why there was none."""
    page = queries.list_webhook_attempts(
        session, actor=actor, delivery_id=delivery_id, query=query, pager=pager
    )
    return page.map(WebhookAttemptRead.model_validate)


@router.post(
    "/webhook-deliveries/{delivery_id}/redeliver",
    status_code=201,
    summary="Send a delivery again",
    responses=problems(Archived, DeliveryPending, EndpointDisabled),
)
def redeliver_webhook(
    delivery_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> WebhookDeliveryRead:
    """A new delivery with the next `replay` number and the same `webhook-id`, by which a receiver

    knows that it may have seen it.
    """
    row = actions.redeliver_webhook(session, actor=actor, delivery_id=delivery_id, now=now)
    response.headers["Location"] = f"{API_PREFIX}/webhook-deliveries/{row.id}"
    return _read(row)


@router.post(
    "/webhook-endpoints/{endpoint_id}/replays",
    status_code=202,
    summary="Send many events again to an endpoint",
    responses=problems(Archived, EndpointDisabled, Invalid),
)
def replay_webhook_deliveries(
    endpoint_id: uuid.UUID,
    data: WebhookReplayCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    request: Request,
    response: Response,
) -> OperationRead:
    """What the endpoint missed since an instant (`failed_since`: failed, cancelled or never sent),

    or all events of a span (`from`, `to`), also from before it existed. The operation makes the
    deliveries; its `result` says how many.
    """
    row = actions.replay_webhook_deliveries(
        session,
        actor=actor,
        endpoint_id=endpoint_id,
        data=data,
        days=request.app.state.settings.delivery_days,
        now=now,
    )
    return accepted(response, row)
