"""Routes of phases."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, IfMatch, Now, ReadSession, WriteSession
from app.kit.errors import Archived, Invalid, InvalidStateTransition, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.measures.phases import actions, queries
from app.measures.phases.actions import PhaseOverlap
from app.measures.phases.schemas import (
    PhaseCreate,
    PhasePatch,
    PhaseQuery,
    PhaseRead,
    PhaseTransition,
)
from app.projects.queries import ReceivedReadOnly

router = Router()
_read = PhaseRead.model_validate


@router.get("/measures/{measure_id}/phases", summary="List a measure's phases")
def list_phases(
    measure_id: uuid.UUID,
    query: Annotated[PhaseQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[PhaseRead]:
    """The phases of a measure, the earliest first, with those that are proposed or revoked."""
    return queries.list_phases(
        session, actor=actor, measure_id=measure_id, query=query, pager=pager
    ).map(_read)


@router.post(
    "/measures/{measure_id}/phases",
    status_code=201,
    summary="Start a phase of a measure",
    responses=problems(Archived, ReceivedReadOnly, PhaseOverlap, Invalid, ReferenceNotFound),
)
def create_phase(
    measure_id: uuid.UUID,
    data: PhaseCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> PhaseRead:
    """From its day on the chart takes its lines anew. The first phase begins at the first point

    by itself; one that starts before the first point describes it. Whoever records data may put a
    phase forward (`status` proposed); it is drawn once somebody approves it.
    """
    row = actions.create_phase(session, actor=actor, measure_id=measure_id, data=data, now=now)
    return created(response, _read(row), "phases")


@router.get("/phases/{phase_id}", summary="Get a phase")
def get_phase(
    phase_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> PhaseRead:
    """One phase, archived or not."""
    return tagged(response, _read(queries.get_phase(session, actor=actor, phase_id=phase_id)))


@router.patch(
    "/phases/{phase_id}",
    summary="Change a phase",
    responses=problems(Archived, ReceivedReadOnly, PhaseOverlap, Invalid, ReferenceNotFound),
)
def update_phase(
    phase_id: uuid.UUID,
    patch: PhasePatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> PhaseRead:
    """JSON Merge Patch. The status changes by `transitions`."""
    row = actions.update_phase(
        session, actor=actor, phase_id=phase_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, _read(row))


@router.delete(
    "/phases/{phase_id}",
    status_code=204,
    summary="Archive a phase",
    responses=problems(Archived, ReceivedReadOnly),
)
def archive_phase(
    phase_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """For a slip of the hand. To take back a decision, revoke it with a reason instead."""
    actions.archive_phase(session, actor=actor, phase_id=phase_id, condition=condition, now=now)


@router.post(
    "/phases/{phase_id}/restore",
    summary="Restore a phase",
    responses=problems(Archived, ReceivedReadOnly, PhaseOverlap),
)
def restore_phase(
    phase_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> PhaseRead:
    """Bring an archived phase back, unless another one took its day meanwhile."""
    row = actions.restore_phase(session, actor=actor, phase_id=phase_id, now=now)
    return tagged(response, _read(row))


@router.post(
    "/phases/{phase_id}/transitions",
    summary="Approve, decline or revoke a phase",
    responses=problems(Archived, ReceivedReadOnly, InvalidStateTransition, PhaseOverlap, Invalid),
)
def transition_phase(
    phase_id: uuid.UUID,
    data: PhaseTransition,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> PhaseRead:
    """`proposed > approved | declined`, `approved > revoked`; both ends can be approved again."""
    row = actions.transition_phase(session, actor=actor, phase_id=phase_id, data=data, now=now)
    return tagged(response, _read(row))
