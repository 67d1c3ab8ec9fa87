"""Routes of webhook endpoints."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.kit.answers import API_PREFIX, created, tagged
from app.kit.dependencies import (
    CurrentPager,
    CurrentSealer,
    IfMatch,
    NoIdempotency,
    NoStore,
    Now,
    ReadSession,
    WriteSession,
)
from app.kit.errors import Archived, Invalid, InvalidStateTransition, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.webhooks import actions, queries
from app.webhooks.actions import EndpointDisabled, EventTypeForbidden, TooManyEndpoints
from app.webhooks.deliveries import routes as deliveries
from app.webhooks.deliveries.schemas import WebhookDeliveryRead
from app.webhooks.dependencies import CheckedCreate, CheckedPatch
from app.webhooks.schemas import (
    WebhookEndpointCreated,
    WebhookEndpointQuery,
    WebhookEndpointRead,
    WebhookEndpointTransition,
    WebhookSecretRotation,
)

router = Router(tags=["webhooks"])
_read = WebhookEndpointRead.model_validate
_ONE = "/webhook-endpoints/{endpoint_id}"
_SECRET = [NoStore, NoIdempotency]


@router.get("/webhook-endpoints", summary="List webhook endpoints")
def list_webhook_endpoints(
    query: Annotated[WebhookEndpointQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[WebhookEndpointRead]:
    """The endpoints of your programmes, latest first; never their secrets."""
    page = queries.list_webhook_endpoints(session, actor=actor, query=query, pager=pager)
    return page.map(_read)


@router.post(
    "/webhook-endpoints",
    status_code=201,
    summary="Subscribe to events of a programme",
    dependencies=_SECRET,
    responses=problems(Archived, TooManyEndpoints, EventTypeForbidden, Invalid, ReferenceNotFound),
)
def create_webhook_endpoint(
    data: CheckedCreate,
    actor: CurrentActor,
    sealer: CurrentSealer,
    session: WriteSession,
    now: Now,
    response: Response,
) -> WebhookEndpointCreated:
    """Events are sent by POST as Standard Webhooks describe, for as long as you may read them in

    the whole programme. The secret is shown this once. A personal token narrows for good what the
    endpoint hears to its scopes; once it is revoked, nothing is sent any more.
    """
    row, secret = actions.create_webhook_endpoint(
        session, actor=actor, data=data, sealer=sealer, now=now
    )
    shown = WebhookEndpointCreated(**_read(row).model_dump(), secret=secret)
    return created(response, shown, "webhook-endpoints")


@router.get(_ONE, summary="Get a webhook endpoint")
def get_webhook_endpoint(
    endpoint_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> WebhookEndpointRead:
    """One endpoint, archived or not, and how it fares."""
    row = queries.get_webhook_endpoint(session, actor=actor, endpoint_id=endpoint_id)
    return tagged(response, _read(row))


@router.patch(
    _ONE,
    summary="Change a webhook endpoint",
    responses=problems(Archived, EventTypeForbidden, Invalid),
)
def update_webhook_endpoint(
    endpoint_id: uuid.UUID,
    patch: CheckedPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> WebhookEndpointRead:
    """JSON Merge Patch. Who changes the address or the types becomes the owner, whose rights

    decide what is heard. The state changes by `transitions`.
    """
    row = actions.update_webhook_endpoint(
        session, actor=actor, endpoint_id=endpoint_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, _read(row))


@router.delete(_ONE, status_code=204, summary="Archive a webhook endpoint")
def archive_webhook_endpoint(
    endpoint_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Nothing is sent any more; what is pending is cancelled. Its deliveries can still be read."""
    actions.archive_webhook_endpoint(
        session, actor=actor, endpoint_id=endpoint_id, condition=condition, now=now
    )


@router.post(
    _ONE + "/transitions",
    summary="Pause or enable a webhook endpoint",
    responses=problems(Archived, InvalidStateTransition),
)
def transition_webhook_endpoint(
    endpoint_id: uuid.UUID,
    data: WebhookEndpointTransition,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> WebhookEndpointRead:
    """`enabled > paused > enabled`, `disabled > enabled`. Paused, its deliveries wait and none is

    lost. Once it is enabled again, ask for `replays` from `failing_since` on.
    """
    row = actions.transition_webhook_endpoint(
        session, actor=actor, endpoint_id=endpoint_id, data=data, now=now
    )
    return tagged(response, _read(row))


@router.post(
    _ONE + "/rotate-secret",
    summary="Change the secret of a webhook endpoint",
    dependencies=_SECRET,
    responses=problems(Archived),
)
def rotate_webhook_secret(
    endpoint_id: uuid.UUID,
    data: WebhookSecretRotation,
    actor: CurrentActor,
    sealer: CurrentSealer,
    session: WriteSession,
    now: Now,
    response: Response,
) -> WebhookEndpointCreated:
    """The new secret is shown this once. The old one also signs for 24 hours, so that receivers

    can change without a gap; with `expire_old` it ends at once.
    """
    row, secret = actions.rotate_webhook_secret(
        session, actor=actor, endpoint_id=endpoint_id, data=data, sealer=sealer, now=now
    )
    return tagged(response, WebhookEndpointCreated(**_read(row).model_dump(), secret=secret))


@router.delete(
    _ONE + "/old-secret",
    status_code=204,
    summary="End the old secret of a webhook endpoint",
    responses=problems(Archived),
)
def expire_old_webhook_secret(
    endpoint_id: uuid.UUID, actor: CurrentActor, session: WriteSession, now: Now
) -> None:
    """Once every receiver has the new one: the old secret signs no more, before its 24 hours."""
    actions.expire_old_webhook_secret(session, actor=actor, endpoint_id=endpoint_id, now=now)


@router.post(
    _ONE + "/ping",
    status_code=202,
    summary="Send a test message to a webhook endpoint",
    responses=problems(Archived, EndpointDisabled),
)
def ping_webhook_endpoint(
    endpoint_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> WebhookDeliveryRead:
    """A `webhook_endpoint.pinged` to this endpoint alone, signed and retried like every other

    message. The answer is its delivery; ask for it again to see what came of it.
    """
    row = actions.ping_webhook_endpoint(session, actor=actor, endpoint_id=endpoint_id, now=now)
    response.headers["Location"] = f"{API_PREFIX}/webhook-deliveries/{row.id}"
    return WebhookDeliveryRead.model_validate(row)


router.include_router(deliveries.router)
