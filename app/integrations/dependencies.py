"""What the routes of integrations ask for: bodies whose address is checked."""

from typing import Annotated, Any

from fastapi import Depends, Request

from app.access.actor import Actor
from app.access.dependencies import CurrentActor, check_address
from app.access.permissions import Permission
from app.integrations.schemas import IntegrationCreate, IntegrationPatch


def _check(request: Request, actor: Actor, url: Any) -> None:
    check_address(request, actor, url, permission=Permission.INTEGRATION_WRITE, field="base_url")


def _checked_create(
    request: Request, data: IntegrationCreate, actor: CurrentActor
) -> IntegrationCreate:
    _check(request, actor, data.base_url)
    return data


def _checked_patch(
    request: Request, patch: IntegrationPatch, actor: CurrentActor
) -> IntegrationPatch:
    _check(request, actor, patch.base_url)
    return patch


# They stand before the session in a route: its turn begins after the address has been looked up.
CheckedCreate = Annotated[IntegrationCreate, Depends(_checked_create)]
CheckedPatch = Annotated[IntegrationPatch, Depends(_checked_patch)]
