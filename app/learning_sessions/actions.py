"""Writes of sessions. Each keeps the programme's first day in step."""

import uuid
from datetime import datetime

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource, Verb
from app.kit.errors import Conflict, Invalid, InvalidStateTransition, TransitionBlocked
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.learning_sessions import queries
from app.learning_sessions.models import LearningSession, SessionStatus
from app.learning_sessions.register import day_of
from app.learning_sessions.schemas import (
    SessionBase,
    SessionCreate,
    SessionPatch,
    SessionTransition,
)
from app.programmes.models import Programme
from app.programmes.queries import get_programme

_S = SessionStatus
STEPS: dict[SessionStatus, tuple[SessionStatus, ...]] = {
    _S.PLANNED: (_S.CONFIRMED, _S.RESCHEDULED, _S.CANCELLED),
    _S.CONFIRMED: (_S.HELD, _S.RESCHEDULED, _S.CANCELLED),
    _S.RESCHEDULED: (_S.CONFIRMED, _S.HELD, _S.CANCELLED),
    _S.HELD: (),
    _S.CANCELLED: (),
}


class SessionOverlap(Conflict):
    """409: the times are possible, but another session of the programme has them."""

    code = "session_overlap"
    title = "Another session of the programme takes place at that time."


def create_session(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, data: SessionCreate, now: datetime
) -> LearningSession:
    """A planned session, with the next number unless one is given."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.SESSION_WRITE, Place(programme.id))
    _lock(session, programme)
    refuse_archived(programme)
    values = column_values(data)
    if data.number is None:
        values["number"] = queries.next_number(session, programme_id=programme.id)
    row = LearningSession(programme_id=programme.id, **values)
    _refuse_overlap(session, row)
    records.keep_new(session, actor=actor, noun=Resource.SESSION, row=row, now=now)
    _keep_first_day(session, actor=actor, programme=programme, now=now)
    return row


def _lock(session: Session, programme: Programme) -> None:
    """One write of a programme's sessions at a time: overlaps span rows (PostgreSQL)."""
    session.refresh(programme, with_for_update=True)


def _refuse_overlap(session: Session, row: LearningSession) -> None:
    if row.starts_at is None or row.status is SessionStatus.CANCELLED:
        return
    with session.no_autoflush:
        other = queries.find_overlapping(session, row=row)
    if other is not None:
        raise SessionOverlap(f"Session {other.number} overlaps.")


def _keep_first_day(session: Session, *, actor: Actor, programme: Programme, now: datetime) -> None:
    """The programme shows its first day, so its revision rises with it: an ETag that stayed would

    let clients keep a stale programme. It happens seldom, when the first session gets another day.
    """
    first = queries.find_first_start(session, programme_id=programme.id)
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.PROGRAMME,
        row=programme,
        values={"first_session_on": day_of(first, programme.timezone)},
        now=now,
    )


def _get_writable(
    session: Session,
    *,
    actor: Actor,
    session_id: uuid.UUID,
    condition: Precondition | None,
    required: bool = False,
) -> tuple[LearningSession, Programme]:
    row = queries.get_session(session, actor=actor, session_id=session_id)
    actor.require(Permission.SESSION_WRITE, Place(row.programme_id))
    if condition is not None:
        condition.check(row.revision, required=required)
    programme = get_programme(session, actor=actor, programme_id=row.programme_id)
    _lock(session, programme)
    refuse_archived(programme)
    return row, programme


def update_session(
    session: Session,
    *,
    actor: Actor,
    session_id: uuid.UUID,
    patch: SessionPatch,
    condition: Precondition,
    now: datetime,
) -> LearningSession:
    """Merge the patch."""
    row, programme = _get_writable(
        session, actor=actor, session_id=session_id, condition=condition, required=True
    )
    refuse_archived(row)
    values = patched_values(SessionBase, row, patch)
    if row.status is SessionStatus.HELD and not _has_started(values["starts_at"], now):
        detail = "A session that was held started in the past."
        raise Invalid.at("starts_at", code="held_in_future", detail=detail)
    if (values["starts_at"], values["ends_at"]) != (row.starts_at, row.ends_at):
        about = row.model_dump(include={"id", "programme_id", "status"})
        _refuse_overlap(session, LearningSession(**about, **values))
    records.keep_changes(
        session, actor=actor, noun=Resource.SESSION, row=row, values=values, now=now
    )
    _keep_first_day(session, actor=actor, programme=programme, now=now)
    return row


def _has_started(starts_at: datetime | None, now: datetime) -> bool:
    return starts_at is not None and starts_at <= now


def transition_session(
    session: Session,
    *,
    actor: Actor,
    session_id: uuid.UUID,
    data: SessionTransition,
    condition: Precondition,
    now: datetime,
) -> LearningSession:
    """Take a step."""
    row, programme = _get_writable(session, actor=actor, session_id=session_id, condition=condition)
    refuse_archived(row)
    former = row.status
    if data.to not in STEPS[former]:
        raise InvalidStateTransition(state=former, to=data.to, allowed=STEPS[former])
    is_cancelled = data.to is SessionStatus.CANCELLED
    if is_cancelled and data.reason is None:
        raise Invalid.at("reason", code="missing", detail="cancelled needs reason.")
    if data.to is SessionStatus.HELD and not _has_started(row.starts_at, now):
        missing = ["starts_at" if row.starts_at is None else "starts_at in the past"]
        raise TransitionBlocked(to=data.to, missing=missing, can_override=False)
    about = {"from": former, "to": data.to}
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.SESSION,
        row=row,
        values={"status": data.to, "cancel_reason": data.reason if is_cancelled else None},
        now=now,
        verb=Verb.STATE_CHANGED,
        data=about,
        also={} if data.reason is None or is_cancelled else {"reason": (None, data.reason)},
    )
    _keep_first_day(session, actor=actor, programme=programme, now=now)
    return row


def archive_session(
    session: Session,
    *,
    actor: Actor,
    session_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Hide it; its register then counts nowhere."""
    row, programme = _get_writable(session, actor=actor, session_id=session_id, condition=condition)
    records.archive(session, actor=actor, noun=Resource.SESSION, row=row, now=now)
    _keep_first_day(session, actor=actor, programme=programme, now=now)


def restore_session(
    session: Session, *, actor: Actor, session_id: uuid.UUID, now: datetime
) -> LearningSession:
    """Bring it back; 409 where its number or its time has been given to another meanwhile."""
    row, programme = _get_writable(session, actor=actor, session_id=session_id, condition=None)
    _refuse_overlap(session, row)
    records.restore(session, actor=actor, noun=Resource.SESSION, row=row, now=now)
    _keep_first_day(session, actor=actor, programme=programme, now=now)
    return row
