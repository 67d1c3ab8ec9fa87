"""Records a register: all of it or nothing, and every fault at once."""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events import outbox
from app.events.catalogue import Resource, Verb
from app.kit.errors import Conflict, FieldError, Invalid, ReferenceNotFound, pointer
from app.kit.patching import change
from app.kit.preconditions import Precondition
from app.learning_sessions.attendance import queries
from app.learning_sessions.attendance.queries import Register
from app.learning_sessions.attendance.schemas import RegisterItem, RegisterRead, RegisterReplace
from app.learning_sessions.models import Attendance, AttendanceStatus
from app.learning_sessions.register import Stay, is_applicable

ABSENT_AFTER = timedelta(hours=24)
_FIELDS = ("status", "minutes_attended", "method", "make_up_of")


class SessionNotDated(Conflict):
    """409: who was there can be said only of a session that has a time; date it first."""

    code = "session_not_dated"
    title = "The session has no date yet."


class AttendanceNotApplicable(Invalid):
    """422: the status is derived from dates, so a body that sets it, or overrides it, is wrong."""

    code = "attendance_not_applicable"
    title = "The session was not one for this participant; that is derived and cannot be set."


class AbsentTooEarly(Invalid):
    """422: a day must pass before silence is read as absence; the body says it too soon."""

    code = "absent_too_early"
    title = "Absent can be recorded from 24 hours after the session's end."


class DuplicateParticipant(Invalid):
    """422: two lines of one body speak of the same participant."""

    code = "duplicate_participant"
    title = "The participant is named twice."


_KINDS: dict[str, type[Invalid]] = {
    kind.code: kind
    for kind in (AttendanceNotApplicable, AbsentTooEarly, DuplicateParticipant, ReferenceNotFound)
}


def replace_register(
    session: Session,
    *,
    actor: Actor,
    session_id: uuid.UUID,
    data: RegisterReplace,
    condition: Precondition,
    now: datetime,
) -> RegisterRead:
    """Record who attended. Whoever is not named becomes not recorded."""
    register = queries.find_register(session, actor=actor, session_id=session_id)
    row = register.session
    actor.require(Permission.ATTENDANCE_RECORD, Place(row.programme_id))
    condition.check(row.register_revision, required=row.register_revision > 0)
    refuse_archived(row, register.programme)
    if row.ends_at is None:
        raise SessionNotDated
    stays = queries.list_stays(session, programme_id=row.programme_id)
    _refuse_faults(session, register=register, stays=stays, items=data.items, now=now)
    changes = _write(
        session, actor=actor, register=register, live=frozenset(stays), items=data.items, now=now
    )
    if changes:
        # The ETag of the session rises too: it shows the register's revision.
        change(row, {"register_revision": row.register_revision + 1, "updated_at": now})
        session.flush()
        _record(session, actor=actor, register=register, items=data.items, changes=changes, now=now)
    return queries.read_register(session, actor=actor, register=register)


def _refuse_faults(
    session: Session,
    *,
    register: Register,
    stays: Mapping[uuid.UUID, Stay],
    items: list[RegisterItem],
    now: datetime,
) -> None:
    row = register.session
    others = queries.list_session_ids(session, programme_id=row.programme_id) - {row.id}
    faults = [
        fault
        for index, item in enumerate(items)
        for fault in _faults(register, item, index, stays=stays, others=others, now=now)
    ]
    faults += _duplicates(items)
    codes = {fault.code for fault in faults}
    if faults:
        kind = _KINDS[codes.pop()] if len(codes) == 1 else Invalid
        raise kind(errors=faults)


def _faults(
    register: Register,
    item: RegisterItem,
    index: int,
    *,
    stays: Mapping[uuid.UUID, Stay],
    others: Set[uuid.UUID],
    now: datetime,
) -> Iterator[FieldError]:
    ends_at, stay = register.session.ends_at, stays.get(item.participant_id)
    is_too_early = ends_at is not None and now < ends_at + ABSENT_AFTER
    if stay is None:
        yield _fault(ReferenceNotFound, index, "participant_id")
    elif item.status is AttendanceStatus.NOT_APPLICABLE or not is_applicable(
        register.occasion, stay
    ):
        yield _fault(AttendanceNotApplicable, index, "status")
    elif item.status is AttendanceStatus.ABSENT and is_too_early:
        yield _fault(AbsentTooEarly, index, "status")
    if item.make_up_of is not None and item.make_up_of not in others:
        yield _fault(ReferenceNotFound, index, "make_up_of")


def _duplicates(items: list[RegisterItem]) -> Iterator[FieldError]:
    seen: set[uuid.UUID] = set()
    for index, item in enumerate(items):
        if item.participant_id in seen:
            yield _fault(DuplicateParticipant, index, "participant_id")
        seen.add(item.participant_id)


def _fault(kind: type[Invalid], index: int, field: str) -> FieldError:
    return FieldError(code=kind.code, detail=kind.title, pointer=pointer("items", index, field))


def _write(
    session: Session,
    *,
    actor: Actor,
    register: Register,
    live: Set[uuid.UUID],
    items: list[RegisterItem],
    now: datetime,
) -> dict[str, tuple[Any, Any]]:
    """Make the stored register what the body says; what differs, by participant.

    Lines of archived participants stay: nobody can name them, and a restore brings them back.
    """
    stored = queries.list_recorded(session, session_id=register.session.id)
    wanted = {
        item.participant_id: item
        for item in items
        if item.status is not AttendanceStatus.NOT_RECORDED
    }
    changes: dict[str, tuple[Any, Any]] = {}
    for participant_id, item in wanted.items():
        kept = stored.get(participant_id) or _new_line(register, participant_id)
        former = _stated(kept) if participant_id in stored else None
        if change(kept, _stated(item)):
            change(kept, {"recorded_by": actor.user_id, "updated_at": now})
            session.add(kept)
            changes[str(participant_id)] = (former, _stated(item))
    for participant_id in (stored.keys() & live) - wanted.keys():
        changes[str(participant_id)] = (_stated(stored[participant_id]), None)
        session.delete(stored[participant_id])
    return changes


def _new_line(register: Register, participant_id: uuid.UUID) -> Attendance:
    row = register.session
    return Attendance(
        programme_id=row.programme_id,
        session_id=row.id,
        enrolment_id=participant_id,
        status=AttendanceStatus.NOT_RECORDED,
    )


def _stated(line: Attendance | RegisterItem) -> dict[str, Any]:
    return {name: getattr(line, name) for name in _FIELDS}


def _record(
    session: Session,
    *,
    actor: Actor,
    register: Register,
    items: list[RegisterItem],
    changes: dict[str, tuple[Any, Any]],
    now: datetime,
) -> None:
    row = register.session
    counts = Counter(item.status.value for item in items)
    outbox.record(
        session,
        noun=Resource.ATTENDANCE,
        verb=Verb.RECORDED,
        resource_id=row.id,
        revision=row.register_revision,
        programme_id=row.programme_id,
        origin=actor.origin,
        now=now,
        changes=changes,
        data={"counts": dict(sorted(counts.items()))},
    )
