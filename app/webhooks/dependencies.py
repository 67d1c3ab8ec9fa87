"""What the routes of webhooks ask for: bodies whose address is checked, and the sealer."""

from typing import Annotated, Any

from fastapi import Depends, Request

from app.access.actor import Actor
from app.access.dependencies import CurrentActor
from app.access.permissions import Permission
from app.kit.errors import Invalid
from app.kit.outbound import Refused, check_target
from app.kit.sealing import Sealer
from app.webhooks.schemas import WebhookEndpointCreate, WebhookEndpointPatch

ADDRESS_NOT_ALLOWED = "address_not_allowed"


def _check_address(request: Request, actor: Actor, url: Any) -> None:
    """Raise `Invalid` where it may not be called. Looks the name up, so no transaction may wait.

    For whoever can have no endpoint nothing is looked up; the action refuses.
    """
    if not actor.span(Permission.WEBHOOK_WRITE) or not isinstance(url, str):
        return
    try:
        check_target(url, request.app.state.parts.policy)
    except Refused as fault:
        raise Invalid.at("url", code=ADDRESS_NOT_ALLOWED, detail=str(fault)) from fault


def _checked_create(
    request: Request, data: WebhookEndpointCreate, actor: CurrentActor
) -> WebhookEndpointCreate:
    _check_address(request, actor, data.url)
    return data


def _checked_patch(
    request: Request, patch: WebhookEndpointPatch, actor: CurrentActor
) -> WebhookEndpointPatch:
    _check_address(request, actor, patch.url)
    return patch


async def _sealer(request: Request) -> Sealer:
    sealer: Sealer = request.app.state.parts.sealer
    return sealer


# They stand before the session in a route: its turn begins after the address has been looked up.
CheckedCreate = Annotated[WebhookEndpointCreate, Depends(_checked_create)]
CheckedPatch = Annotated[WebhookEndpointPatch, Depends(_checked_patch)]
CurrentSealer = Annotated[Sealer, Depends(_sealer)]
