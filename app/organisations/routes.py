"""Routes of organisations."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, IfMatch, Now, ReadSession, WriteSession
from app.kit.errors import AlreadyExists, Archived, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.organisations import actions, queries
from app.organisations.schemas import (
    OrganisationCreate,
    OrganisationPatch,
    OrganisationQuery,
    OrganisationRead,
)

router = Router(prefix="/organisations", tags=["organisations"])
_read = OrganisationRead.model_validate


@router.get("", summary="List organisations")
def list_organisations(
    query: Annotated[OrganisationQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[OrganisationRead]:
    """Organisations by name. Whoever has a role anywhere can see them."""
    return queries.list_organisations(session, actor=actor, query=query, pager=pager).map(_read)


@router.post(
    "",
    status_code=201,
    summary="Add an organisation",
    responses=problems(AlreadyExists, ReferenceNotFound),
)
def create_organisation(
    data: OrganisationCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> OrganisationRead:
    """Add a practice, trust or hub. An ODS code can be live only once."""
    row = actions.create_organisation(session, actor=actor, data=data, now=now)
    return created(response, _read(row), "organisations")


@router.get("/{organisation_id}", summary="Get an organisation")
def get_organisation(
    organisation_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> OrganisationRead:
    """One organisation, archived or not."""
    row = queries.get_organisation(session, actor=actor, organisation_id=organisation_id)
    return tagged(response, _read(row))


@router.patch(
    "/{organisation_id}",
    summary="Change an organisation",
    responses=problems(AlreadyExists, Archived, ReferenceNotFound),
)
def update_organisation(
    organisation_id: uuid.UUID,
    patch: OrganisationPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> OrganisationRead:
    """JSON Merge Patch. For administrators: other programmes may use it too."""
    row = actions.update_organisation(
        session,
        actor=actor,
        organisation_id=organisation_id,
        patch=patch,
        condition=condition,
        now=now,
    )
    return tagged(response, _read(row))


@router.delete("/{organisation_id}", status_code=204, summary="Archive an organisation")
def archive_organisation(
    organisation_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Hide it from lists; it can be restored."""
    actions.archive_organisation(
        session, actor=actor, organisation_id=organisation_id, condition=condition, now=now
    )


@router.post(
    "/{organisation_id}/restore",
    summary="Restore an organisation",
    responses=problems(AlreadyExists),
)
def restore_organisation(
    organisation_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> OrganisationRead:
    """Bring an archived organisation back."""
    row = actions.restore_organisation(
        session, actor=actor, organisation_id=organisation_id, now=now
    )
    return tagged(response, _read(row))
