"""Routes of sessions; those of their registers are included from `attendance`."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Response
from sqlmodel import Session

from app.access.dependencies import CurrentActor
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, IfMatch, Now, ReadSession, WriteSession
from app.kit.errors import AlreadyExists, Archived, InvalidStateTransition, TransitionBlocked
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.learning_sessions import actions, queries
from app.learning_sessions.actions import SessionOverlap
from app.learning_sessions.attendance.routes import router as attendance
from app.learning_sessions.models import LearningSession
from app.learning_sessions.schemas import (
    SessionCreate,
    SessionPatch,
    SessionQuery,
    SessionRead,
    SessionTransition,
)
from app.references.queries import with_references
from app.references.resources import ResourceType

router = Router(tags=["sessions"])
router.include_router(attendance)


def _minutes(row: LearningSession) -> int | None:
    if row.starts_at is None or row.ends_at is None:
        return None
    return int((row.ends_at - row.starts_at).total_seconds() // 60)


def _read_all(session: Session, rows: Sequence[LearningSession]) -> list[SessionRead]:
    reads = [
        SessionRead.model_validate(row.model_dump() | {"duration_minutes": _minutes(row)})
        for row in rows
    ]
    return with_references(session, ResourceType.SESSION, reads)


def _read(session: Session, row: LearningSession) -> SessionRead:
    return _read_all(session, [row])[0]


@router.get("/programmes/{programme_id}/sessions", summary="List sessions")
def list_sessions(
    programme_id: uuid.UUID,
    query: Annotated[SessionQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[SessionRead]:
    """Sessions of a programme by number."""
    page = queries.list_sessions(
        session, actor=actor, programme_id=programme_id, query=query, pager=pager
    )
    return page.of(_read_all(session, page.items))


@router.post(
    "/programmes/{programme_id}/sessions",
    status_code=201,
    summary="Plan a session",
    responses=problems(AlreadyExists, Archived, SessionOverlap),
)
def create_session(
    programme_id: uuid.UUID,
    data: SessionCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> SessionRead:
    """Plan a session, dated or not. The earliest one says who joins the programme late."""
    row = actions.create_session(
        session, actor=actor, programme_id=programme_id, data=data, now=now
    )
    return created(response, _read(session, row), "sessions")


@router.get("/sessions/{session_id}", summary="Get a session")
def get_session(
    session_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> SessionRead:
    """One session, archived or not."""
    row = queries.get_session(session, actor=actor, session_id=session_id)
    return tagged(response, _read(session, row))


@router.patch(
    "/sessions/{session_id}",
    summary="Change a session",
    responses=problems(AlreadyExists, Archived, SessionOverlap),
)
def update_session(
    session_id: uuid.UUID,
    patch: SessionPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> SessionRead:
    """JSON Merge Patch. The status is changed by a transition instead."""
    row = actions.update_session(
        session, actor=actor, session_id=session_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, _read(session, row))


@router.post(
    "/sessions/{session_id}/transitions",
    summary="Move a session to another status",
    responses=problems(Archived, InvalidStateTransition, TransitionBlocked),
)
def transition_session(
    session_id: uuid.UUID,
    data: SessionTransition,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> SessionRead:
    """Confirm, hold, reschedule or cancel. Only a session that has begun can have been held."""
    row = actions.transition_session(
        session, actor=actor, session_id=session_id, data=data, condition=condition, now=now
    )
    return tagged(response, _read(session, row))


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    summary="Archive a session",
    responses=problems(Archived),
)
def archive_session(
    session_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """For a session made by mistake; one that does not take place is cancelled instead."""
    actions.archive_session(
        session, actor=actor, session_id=session_id, condition=condition, now=now
    )


@router.post(
    "/sessions/{session_id}/restore",
    summary="Restore a session",
    responses=problems(AlreadyExists, Archived, SessionOverlap),
)
def restore_session(
    session_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> SessionRead:
    """Bring an archived session back."""
    row = actions.restore_session(session, actor=actor, session_id=session_id, now=now)
    return tagged(response, _read(session, row))
