"""Reads of sessions."""

import uuid
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.kit.filters import archived_filter, one_of, text_contains
from app.kit.pagination import Page, Pager, order_by
from app.learning_sessions.models import LearningSession, SessionStatus
from app.learning_sessions.schemas import SessionQuery
from app.programmes.queries import get_programme
from app.references.queries import refers_to
from app.references.resources import ResourceType

_SORTS: dict[str, Any] = {
    "number": LearningSession.number,
    "starts_at": LearningSession.starts_at,
    "updated_at": LearningSession.updated_at,
}


def get_session(session: Session, *, actor: Actor, session_id: uuid.UUID) -> LearningSession:
    """One session. Raises `NotFound`."""
    return get_visible(
        session,
        actor=actor,
        entity=LearningSession,
        permission=Permission.SESSION_READ,
        row_id=session_id,
    )


def list_sessions(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, query: SessionQuery, pager: Pager
) -> Page[LearningSession]:
    """A page of a programme's sessions, by number."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.SESSION_READ, Place(programme.id))
    starts_at = col(LearningSession.starts_at)
    statement = select_visible(actor, LearningSession, Permission.SESSION_READ).where(
        col(LearningSession.programme_id) == programme.id,
        *archived_filter(LearningSession, query),
        *text_contains(LearningSession.title, query.q),
        *one_of(LearningSession.status, query.status),
        *one_of(LearningSession.kind, query.kind),
        *refers_to(LearningSession, ResourceType.SESSION, query.external_ref),
    )
    if query.starts_from is not None:
        statement = statement.where(starts_at >= query.starts_from)
    if query.starts_to is not None:
        statement = statement.where(starts_at < query.starts_to)
    order = order_by(query.sort, _SORTS, default="number", last=LearningSession.id)
    return pager.page(session, statement, query=query, order=order)


def _live(programme_id: uuid.UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(LearningSession.programme_id) == programme_id,
        col(LearningSession.archived_at).is_(None),
    )


def next_number(session: Session, *, programme_id: uuid.UUID) -> int:
    """One more than the highest number in use."""
    highest = session.exec(select(sa.func.max(LearningSession.number)).where(*_live(programme_id)))
    return (highest.one() or 0) + 1


def find_overlapping(session: Session, *, row: LearningSession) -> LearningSession | None:
    """A live session of the programme, not cancelled, that shares time with this one."""
    return session.exec(
        select(LearningSession)
        .where(
            *_live(row.programme_id),
            LearningSession.id != row.id,
            LearningSession.status != SessionStatus.CANCELLED,
            col(LearningSession.starts_at) < row.ends_at,
            col(LearningSession.ends_at) > row.starts_at,
        )
        .order_by(col(LearningSession.number))
        .limit(1)
    ).one_or_none()


def find_first_start(session: Session, *, programme_id: uuid.UUID) -> Any:
    """When the earliest live session, not cancelled, starts; None where none is dated."""
    return session.exec(
        select(LearningSession.starts_at)
        .where(
            *_live(programme_id),
            LearningSession.status != SessionStatus.CANCELLED,
            col(LearningSession.starts_at).is_not(None),
        )
        .order_by(col(LearningSession.starts_at))
        .limit(1)
    ).one_or_none()
