"""Routes of attendance."""

import uuid

from fastapi import Response

from app.access.dependencies import CurrentActor
from app.kit.dependencies import IfMatch, NoStore, Now, ReadSession, WriteSession
from app.kit.errors import Archived, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.preconditions import etag
from app.kit.routing import Router
from app.learning_sessions.attendance import actions, queries
from app.learning_sessions.attendance.actions import (
    AbsentTooEarly,
    AttendanceNotApplicable,
    DuplicateParticipant,
    SessionNotDated,
)
from app.learning_sessions.attendance.schemas import (
    AttendanceSummary,
    ParticipantAttendance,
    RegisterRead,
    RegisterReplace,
)

router = Router(dependencies=[NoStore])


def _tagged(response: Response, register: RegisterRead) -> RegisterRead:
    response.headers["ETag"] = etag(register.register_revision)
    return register


@router.get("/sessions/{session_id}/attendance", summary="Get the register of a session")
def get_register(
    session_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> RegisterRead:
    """One line for each participant whose attendance you may see, recorded or not."""
    return _tagged(response, queries.get_register(session, actor=actor, session_id=session_id))


@router.put(
    "/sessions/{session_id}/attendance",
    summary="Record the register of a session",
    responses=problems(
        Archived,
        SessionNotDated,
        AbsentTooEarly,
        AttendanceNotApplicable,
        DuplicateParticipant,
        ReferenceNotFound,
    ),
)
def replace_register(
    session_id: uuid.UUID,
    data: RegisterReplace,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> RegisterRead:
    """Replaces the whole register. Send If-Match once it has been recorded."""
    register = actions.replace_register(
        session, actor=actor, session_id=session_id, data=data, condition=condition, now=now
    )
    return _tagged(response, register)


@router.get("/programmes/{programme_id}/attendance", summary="Summarise attendance")
def summarise_attendance(
    programme_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> AttendanceSummary:
    """Rates of participants, teams and programme; sessions before somebody joined do not count."""
    return queries.summarise_attendance(session, actor=actor, programme_id=programme_id)


@router.get("/participants/{participant_id}/attendance", summary="Get a participant's attendance")
def get_participant_attendance(
    participant_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> ParticipantAttendance:
    """One participant's lines, session by session, and their rate."""
    return queries.get_participant_attendance(session, actor=actor, participant_id=participant_id)
