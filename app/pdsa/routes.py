"""Routes of PDSA cycles."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.events.schemas import EventRead, HistoryQuery
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, IfMatch, Now, ReadSession, WriteSession
from app.kit.errors import Archived, InvalidStateTransition, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.pdsa import actions, queries
from app.pdsa.actions import PDSAStageGate, PredictionLocked, StageClosed, StageOpen
from app.pdsa.schemas import (
    AmendmentCreate,
    PDSACycleCreate,
    PDSACyclePatch,
    PDSACycleQuery,
    PDSACycleRead,
    PDSACycleTransition,
)
from app.projects.queries import ReceivedReadOnly

router = Router(tags=["pdsa-cycles"])


@router.get("/projects/{project_id}/pdsa-cycles", summary="List the PDSA cycles of a project")
def list_pdsa_cycles(
    project_id: uuid.UUID,
    query: Annotated[PDSACycleQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
    now: Now,
) -> Page[PDSACycleRead]:
    """The cycles of a project, the oldest first. `ramp_id` narrows to one series."""
    return queries.list_pdsa_cycles(
        session, actor=actor, project_id=project_id, query=query, pager=pager, now=now
    )


@router.post(
    "/projects/{project_id}/pdsa-cycles",
    status_code=201,
    summary="Plan a PDSA cycle",
    responses=problems(Archived, ReceivedReadOnly, ReferenceNotFound),
)
def create_pdsa_cycle(
    project_id: uuid.UUID,
    data: PDSACycleCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> PDSACycleRead:
    """Start a ramp, or go on with that of `previous_cycle_id`, whose plan is copied where you

    leave it out (not its dates). The plan may be incomplete until the cycle starts.
    """
    row = actions.create_pdsa_cycle(session, actor=actor, project_id=project_id, data=data, now=now)
    return created(response, queries.read_cycle(session, row, now=now), "pdsa-cycles")


@router.get("/pdsa-cycles/{cycle_id}", summary="Get a PDSA cycle")
def get_pdsa_cycle(
    cycle_id: uuid.UUID, actor: CurrentActor, session: ReadSession, now: Now, response: Response
) -> PDSACycleRead:
    """One cycle with its four stages, archived or not."""
    row = queries.get_pdsa_cycle(session, actor=actor, cycle_id=cycle_id)
    return tagged(response, queries.read_cycle(session, row, now=now))


@router.patch(
    "/pdsa-cycles/{cycle_id}",
    summary="Change a PDSA cycle",
    responses=problems(
        Archived, ReceivedReadOnly, StageClosed, PredictionLocked, ReferenceNotFound
    ),
)
def update_pdsa_cycle(
    cycle_id: uuid.UUID,
    patch: PDSACyclePatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> PDSACycleRead:
    """JSON Merge Patch of the stage that is open: plan, do, study, act in turn."""
    row = actions.update_pdsa_cycle(
        session, actor=actor, cycle_id=cycle_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, queries.read_cycle(session, row, now=now))


@router.delete(
    "/pdsa-cycles/{cycle_id}",
    status_code=204,
    summary="Archive a PDSA cycle",
    responses=problems(Archived, ReceivedReadOnly),
)
def archive_pdsa_cycle(
    cycle_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Hide it from lists; it keeps its number and can be restored."""
    actions.archive_pdsa_cycle(
        session, actor=actor, cycle_id=cycle_id, condition=condition, now=now
    )


@router.post(
    "/pdsa-cycles/{cycle_id}/restore",
    summary="Restore a PDSA cycle",
    responses=problems(Archived, ReceivedReadOnly),
)
def restore_pdsa_cycle(
    cycle_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> PDSACycleRead:
    """Bring an archived cycle back."""
    row = actions.restore_pdsa_cycle(session, actor=actor, cycle_id=cycle_id, now=now)
    return tagged(response, queries.read_cycle(session, row, now=now))


@router.post(
    "/pdsa-cycles/{cycle_id}/transitions",
    summary="Take a PDSA cycle to its next stage",
    responses=problems(Archived, ReceivedReadOnly, InvalidStateTransition, PDSAStageGate),
)
def transition_pdsa_cycle(
    cycle_id: uuid.UUID,
    data: PDSACycleTransition,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> PDSACycleRead:
    """`planned > doing > studying > acting > closed`, never back; `cancelled` before studying.

    Where the stage lacks something, the answer lists it in `missing`.
    """
    row = actions.transition_pdsa_cycle(session, actor=actor, cycle_id=cycle_id, data=data, now=now)
    return tagged(response, queries.read_cycle(session, row, now=now))


@router.post(
    "/pdsa-cycles/{cycle_id}/amendments",
    status_code=201,
    summary="Amend a closed stage of a PDSA cycle",
    responses=problems(Archived, ReceivedReadOnly, StageOpen),
)
def amend_pdsa_cycle(
    cycle_id: uuid.UUID,
    data: AmendmentCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> PDSACycleRead:
    """A correction with your name and reason, beside what stood there. Answers the cycle."""
    row = actions.amend_pdsa_cycle(session, actor=actor, cycle_id=cycle_id, data=data, now=now)
    return created(response, queries.read_cycle(session, row, now=now), "pdsa-cycles")


@router.get("/pdsa-cycles/{cycle_id}/history", summary="List the history of a PDSA cycle")
def list_pdsa_cycle_history(
    cycle_id: uuid.UUID,
    query: Annotated[HistoryQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[EventRead]:
    """Who changed what of it, the latest first."""
    return queries.list_pdsa_cycle_history(
        session, actor=actor, cycle_id=cycle_id, query=query, pager=pager
    ).map(EventRead.model_validate)
