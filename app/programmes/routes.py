"""Routes of programmes."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, IfMatch, Now, ReadSession, WriteSession
from app.kit.errors import Archived, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.programmes import actions, queries
from app.programmes.schemas import (
    ProgrammeCreate,
    ProgrammePatch,
    ProgrammeQuery,
    ProgrammeRead,
)

router = Router(prefix="/programmes", tags=["programmes"])
_read = ProgrammeRead.model_validate


@router.get("", summary="List programmes")
def list_programmes(
    query: Annotated[ProgrammeQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[ProgrammeRead]:
    """The programmes that you have a role in; administrators see all."""
    return queries.list_programmes(session, actor=actor, query=query, pager=pager).map(_read)


@router.post(
    "", status_code=201, summary="Create a programme", responses=problems(ReferenceNotFound)
)
def create_programme(
    data: ProgrammeCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ProgrammeRead:
    """Create a programme in draft. For administrators of the platform."""
    row = actions.create_programme(session, actor=actor, data=data, now=now)
    return created(response, _read(row), "programmes")


@router.get("/{programme_id}", summary="Get a programme")
def get_programme(
    programme_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> ProgrammeRead:
    """One programme, archived or not."""
    row = queries.get_programme(session, actor=actor, programme_id=programme_id)
    return tagged(response, _read(row))


@router.patch(
    "/{programme_id}",
    summary="Change a programme",
    responses=problems(Archived, ReferenceNotFound, actions.TimezoneFixed),
)
def update_programme(
    programme_id: uuid.UUID,
    patch: ProgrammePatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> ProgrammeRead:
    """JSON Merge Patch. The state is changed by a transition instead."""
    row = actions.update_programme(
        session, actor=actor, programme_id=programme_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, _read(row))


@router.delete("/{programme_id}", status_code=204, summary="Archive a programme")
def archive_programme(
    programme_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Hide it from lists and freeze what is in it; it can be restored."""
    actions.archive_programme(
        session, actor=actor, programme_id=programme_id, condition=condition, now=now
    )


@router.post("/{programme_id}/restore", summary="Restore a programme")
def restore_programme(
    programme_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ProgrammeRead:
    """Bring an archived programme back."""
    row = actions.restore_programme(session, actor=actor, programme_id=programme_id, now=now)
    return tagged(response, _read(row))
