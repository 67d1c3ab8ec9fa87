"""Routes of integrations; those of their messages are included from `inbound`."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.integrations import actions, queries
from app.integrations.actions import InvalidMapping
from app.integrations.dependencies import CheckedCreate, CheckedPatch
from app.integrations.inbound import routes as inbound
from app.integrations.models import Integration
from app.integrations.schemas import (
    IntegrationQuery,
    IntegrationRead,
    IntegrationSecretRead,
    IntegrationTransition,
    SecretRotation,
)
from app.kit.answers import created, tagged
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

router = Router(tags=["integrations"])


def _read(row: Integration) -> IntegrationRead:
    shown = {"mapping": row.mapping or None, "has_token": row.token is not None}
    return IntegrationRead.model_validate(row.model_dump() | shown)


def _with_secret(row: Integration, secret: str) -> IntegrationSecretRead:
    return IntegrationSecretRead(**_read(row).model_dump(), secret=secret)


@router.get("/integrations", summary="List integrations")
def list_integrations(
    query: Annotated[IntegrationQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[IntegrationRead]:
    """Connections to other platforms, by name; never their secrets."""
    return queries.list_integrations(session, actor=actor, query=query, pager=pager).map(_read)


@router.post(
    "/integrations",
    status_code=201,
    summary="Connect a platform",
    dependencies=[NoIdempotency, NoStore],
    responses=problems(Archived, Invalid, InvalidMapping, ReferenceNotFound),
)
def create_integration(
    data: CheckedCreate,
    actor: CurrentActor,
    sealer: CurrentSealer,
    session: WriteSession,
    now: Now,
    response: Response,
) -> IntegrationSecretRead:
    """The secret is shown this once. The platform sends its messages, signed, to `/events` of it.

    What it does is done as you, with your permissions of the moment, in this programme only, and
    never more than the scopes of the token that you use now.
    """
    row, secret = actions.create_integration(
        session, actor=actor, data=data, sealer=sealer, now=now
    )
    return created(response, _with_secret(row, secret), "integrations")


@router.get("/integrations/{integration_id}", summary="Get an integration")
def get_integration(
    integration_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> IntegrationRead:
    """One connection, archived or not; never its secrets."""
    row = queries.get_integration(session, actor=actor, integration_id=integration_id)
    return tagged(response, _read(row))


@router.patch(
    "/integrations/{integration_id}",
    summary="Change an integration",
    responses=problems(Archived, Invalid, InvalidMapping),
)
def update_integration(
    integration_id: uuid.UUID,
    patch: CheckedPatch,
    actor: CurrentActor,
    sealer: CurrentSealer,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> IntegrationRead:
    """JSON Merge Patch. Whoever changes more than the name becomes its owner.

    A token was given for one address: with another `base_url` state the `token` again, or null.
    """
    row = actions.update_integration(
        session,
        actor=actor,
        integration_id=integration_id,
        patch=patch,
        condition=condition,
        sealer=sealer,
        now=now,
    )
    return tagged(response, _read(row))


@router.delete("/integrations/{integration_id}", status_code=204, summary="End an integration")
def archive_integration(
    integration_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Its secret is void at once and for good. Its log and its external references stay."""
    actions.archive_integration(
        session, actor=actor, integration_id=integration_id, condition=condition, now=now
    )


@router.post(
    "/integrations/{integration_id}/transitions",
    summary="Pause an integration or go on",
    responses=problems(Archived, InvalidStateTransition),
)
def transition_integration(
    integration_id: uuid.UUID,
    data: IntegrationTransition,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> IntegrationRead:
    """While it is paused its messages are answered with 503, so that they come again later.

    When it goes on, what another OpenQI shares is fetched: some of them may not come again.
    """
    row = actions.transition_integration(
        session, actor=actor, integration_id=integration_id, to=data.to, now=now
    )
    return tagged(response, _read(row))


@router.post(
    "/integrations/{integration_id}/rotate-secret",
    summary="Change the secret of an integration",
    dependencies=[NoIdempotency, NoStore],
    responses=problems(Archived),
)
def rotate_integration_secret(
    integration_id: uuid.UUID,
    data: SecretRotation,
    actor: CurrentActor,
    sealer: CurrentSealer,
    session: WriteSession,
    now: Now,
    response: Response,
) -> IntegrationSecretRead:
    """The new secret is shown this once; the old one holds for 24 hours, unless it has leaked.

    Whoever takes a new secret becomes the owner.
    """
    row, secret = actions.rotate_integration_secret(
        session,
        actor=actor,
        integration_id=integration_id,
        data=data,
        sealer=sealer,
        now=now,
    )
    return tagged(response, _with_secret(row, secret))


router.include_router(inbound.router)
