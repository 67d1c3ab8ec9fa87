"""Routes of external references."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.kit.answers import API_PREFIX
from app.kit.dependencies import CurrentPager, Now, ReadSession, WriteSession
from app.kit.errors import AlreadyExists, Archived, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.references import actions, queries
from app.references.actions import ReferencesRefused
from app.references.resources import ReceivedReadOnly
from app.references.schemas import (
    ExternalReferenceBatch,
    ExternalReferenceBatchResult,
    ExternalReferenceCreate,
    ExternalReferenceQuery,
    ExternalReferenceRead,
)

router = Router(tags=["external-references"])
_read = ExternalReferenceRead.model_validate


@router.get("/external-references", summary="Look up external references")
def list_external_references(
    query: Annotated[ExternalReferenceQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[ExternalReferenceRead]:
    """By what another system says, or by our resource; of resources that you can see.

    Lists of projects, measures, teams, participants, sessions and cycles take
    `external_ref=system:id` too, and every one of those shows its `external_refs`.
    """
    return queries.list_external_references(session, actor=actor, query=query, pager=pager).map(
        _read
    )


@router.post(
    "/programmes/{programme_id}/external-references",
    status_code=201,
    summary="Say what another system calls a resource",
    responses=problems(AlreadyExists, Archived, ReceivedReadOnly, ReferenceNotFound),
)
def create_external_reference(
    programme_id: uuid.UUID,
    data: ExternalReferenceCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ExternalReferenceRead:
    """You need the permission to write the resource.

    In a programme an id of a system means one resource of a type, and a resource has one id in a
    system. It is told as `updated` of the resource, whose revision stays.
    """
    row = actions.create_external_reference(
        session, actor=actor, programme_id=programme_id, data=data, now=now
    )
    response.headers["Location"] = f"{API_PREFIX}/external-references/{row.id}"
    return _read(row)


@router.post(
    "/programmes/{programme_id}/external-references/bulk",
    summary="Say what another system calls many resources",
    responses=problems(Archived, ReceivedReadOnly, ReferencesRefused),
)
def upsert_external_references(
    programme_id: uuid.UUID,
    data: ExternalReferenceBatch,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
) -> ExternalReferenceBatchResult:
    """Up to 1000 at once: all of them or none, and every fault is listed with its pointer.

    A resource's id in a system is created or replaced; sending the same again changes nothing.
    """
    return actions.upsert_external_references(
        session, actor=actor, programme_id=programme_id, data=data, now=now
    )


@router.get("/external-references/{reference_id}", summary="Get an external reference")
def get_external_reference(
    reference_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> ExternalReferenceRead:
    """One reference; it never changes, it is replaced by another one."""
    return _read(queries.get_external_reference(session, actor=actor, reference_id=reference_id))


@router.delete(
    "/external-references/{reference_id}",
    status_code=204,
    summary="Delete an external reference",
    responses=problems(Archived, ReceivedReadOnly),
)
def delete_external_reference(
    reference_id: uuid.UUID, actor: CurrentActor, session: WriteSession, now: Now
) -> None:
    """It is gone for good, so a second time is 404; the history of the resource still tells."""
    actions.delete_external_reference(session, actor=actor, reference_id=reference_id, now=now)
