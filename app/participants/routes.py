"""Routes of participants."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Response
from sqlmodel import Session

from app.access.actor import Actor, ScopeInsufficient
from app.access.dependencies import CurrentActor
from app.kit.answers import created, tagged
from app.kit.dependencies import (
    CurrentPager,
    IfMatch,
    NoStore,
    Now,
    ReadSession,
    WriteSession,
)
from app.kit.errors import AlreadyExists, Archived, InvalidStateTransition, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.participants import actions, queries
from app.participants.actions import CapacityReached
from app.participants.contact import read_participant
from app.participants.people import SharedPerson
from app.participants.queries import Participant
from app.participants.schemas import (
    ParticipantCreate,
    ParticipantPatch,
    ParticipantQuery,
    ParticipantRead,
    ParticipantSummary,
    ParticipantTransition,
)
from app.references.queries import with_references
from app.references.resources import ResourceType

router = Router(tags=["participants"], dependencies=[NoStore])


def _read_all(session: Session, actor: Actor, rows: Sequence[Participant]) -> list[ParticipantRead]:
    reads = [read_participant(actor, row) for row in rows]
    return with_references(session, ResourceType.PARTICIPANT, reads)


def _read(session: Session, actor: Actor, row: Participant) -> ParticipantRead:
    return _read_all(session, actor, [row])[0]


@router.get("/programmes/{programme_id}/participants", summary="List participants")
def list_participants(
    programme_id: uuid.UUID,
    query: Annotated[ParticipantQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[ParticipantRead]:
    """Participants of a programme by family name. Not for commissioners, who see the summary."""
    page = queries.list_participants(
        session, actor=actor, programme_id=programme_id, query=query, pager=pager
    )
    return page.of(_read_all(session, actor, page.items))


@router.get("/programmes/{programme_id}/participants/summary", summary="Count participants")
def summarise_participants(
    programme_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> ParticipantSummary:
    """How many there are by role, profession, area, team, entry and status; no names."""
    return queries.summarise_participants(session, actor=actor, programme_id=programme_id)


@router.post(
    "/programmes/{programme_id}/participants",
    status_code=201,
    summary="Enrol a participant",
    responses=problems(
        AlreadyExists, Archived, CapacityReached, ReferenceNotFound, ScopeInsufficient
    ),
)
def enrol_participant(
    programme_id: uuid.UUID,
    data: ParticipantCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ParticipantRead:
    """Enrol a person. Who has this e-mail address already is enrolled as they stand there."""
    row = actions.enrol_participant(
        session, actor=actor, programme_id=programme_id, data=data, now=now
    )
    return created(response, _read(session, actor, row), "participants")


@router.get("/participants/{participant_id}", summary="Get a participant")
def get_participant(
    participant_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> ParticipantRead:
    """One participant, archived or not."""
    row = queries.get_participant(session, actor=actor, participant_id=participant_id)
    return tagged(response, _read(session, actor, row))


@router.patch(
    "/participants/{participant_id}",
    summary="Change a participant",
    responses=problems(AlreadyExists, Archived, ReferenceNotFound, SharedPerson),
)
def update_participant(
    participant_id: uuid.UUID,
    patch: ParticipantPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> ParticipantRead:
    """JSON Merge Patch. Another role or organisation opens a new appointment; the old one stays."""
    row = actions.update_participant(
        session,
        actor=actor,
        participant_id=participant_id,
        patch=patch,
        condition=condition,
        now=now,
    )
    return tagged(response, _read(session, actor, row))


@router.post(
    "/participants/{participant_id}/transitions",
    summary="Move a participant to another status",
    responses=problems(Archived, InvalidStateTransition),
)
def transition_participant(
    participant_id: uuid.UUID,
    data: ParticipantTransition,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> ParticipantRead:
    """Start, complete, transfer or withdraw. Whoever leaves loses the team and its roles."""
    row = actions.transition_participant(
        session,
        actor=actor,
        participant_id=participant_id,
        data=data,
        condition=condition,
        now=now,
    )
    return tagged(response, _read(session, actor, row))


@router.delete(
    "/participants/{participant_id}",
    status_code=204,
    summary="Archive a participant",
    responses=problems(Archived),
)
def archive_participant(
    participant_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """For an enrolment made by mistake; its roles end. Who leaves is moved by a transition."""
    actions.archive_participant(
        session, actor=actor, participant_id=participant_id, condition=condition, now=now
    )


@router.post(
    "/participants/{participant_id}/restore",
    summary="Restore a participant",
    responses=problems(AlreadyExists, Archived, CapacityReached),
)
def restore_participant(
    participant_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ParticipantRead:
    """Bring an archived participant back, with the role in the team."""
    row = actions.restore_participant(session, actor=actor, participant_id=participant_id, now=now)
    return tagged(response, _read(session, actor, row))
