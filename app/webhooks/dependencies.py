"""What the routes of webhooks ask for: bodies whose address is checked."""

from typing import Annotated, Any

from fastapi import Depends, Request

from app.access.actor import Actor
from app.access.dependencies import CurrentActor, check_address
from app.access.permissions import Permission
from app.webhooks.schemas import WebhookEndpointCreate, WebhookEndpointPatch


def _check(request: Request, actor: Actor, url: Any) -> None:
    check_address(request, actor, url, permission=Permission.WEBHOOK_WRITE, field="url")


def _checked_create(
    request: Request, data: WebhookEndpointCreate, actor: CurrentActor
) -> WebhookEndpointCreate:
    _check(request, actor, data.url)
    return data


def _checked_patch(
    request: Request, patch: WebhookEndpointPatch, actor: CurrentActor
) -> WebhookEndpointPatch:
    _check(request, actor, patch.url)
    return patch


# They stand before the session in a route: its turn begins after the address has been looked up.
CheckedCreate = Annotated[WebhookEndpointCreate, Depends(_checked_create)]
CheckedPatch = Annotated[WebhookEndpointPatch, Depends(_checked_patch)]
