"""Reads of registers and attendance, each in a fixed number of statements."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import visible_to
from app.learning_sessions.attendance.schemas import (
    AttendanceLine,
    AttendanceRate,
    AttendanceSummary,
    ParticipantAttendance,
    ParticipantRate,
    RegisterLine,
    RegisterRead,
    TeamRate,
)
from app.learning_sessions.models import (
    Attendance,
    AttendanceStatus,
    LearningSession,
    SessionStatus,
)
from app.learning_sessions.queries import get_session
from app.learning_sessions.register import (
    PARTIAL_WEIGHT,
    Occasion,
    Rate,
    Stay,
    attendance_rate,
    day_of,
    derived_status,
)
from app.participants.models import Enrolment, Person
from app.participants.queries import get_participant
from app.programmes.models import Programme
from app.programmes.queries import get_programme

_READ = Permission.ATTENDANCE_READ
_WHO: tuple[Any, ...] = (
    col(Enrolment.id).label("participant_id"),
    col(Enrolment.team_id).label("team_id"),
    col(Enrolment.joined_on).label("joined_on"),
    col(Enrolment.left_on).label("left_on"),
    col(Person.given_name).label("given_name"),
    col(Person.family_name).label("family_name"),
)
_BY_NAME = (col(Person.family_name), col(Person.given_name), col(Enrolment.id))
_DETAILS = ("minutes_attended", "method", "make_up_of")


@dataclass(frozen=True, slots=True)
class Register:
    """A session with what the rules need of it."""

    session: LearningSession
    programme: Programme

    @property
    def occasion(self) -> Occasion:
        """The session as the rules see it."""
        return occasion_of(self.session.starts_at, self.session.status, self.programme)


def occasion_of(starts_at: Any, status: SessionStatus, programme: Programme) -> Occasion:
    """A session as the rules see it."""
    return Occasion(day_of(starts_at, programme.timezone), status)


def _enrolled(actor: Actor, programme_id: uuid.UUID, *columns: Any) -> sa.Select[Any]:
    """The live enrolments whose attendance the actor may see."""
    statement = (
        sa.select(*_WHO, *columns)
        .select_from(Enrolment)
        .join(Person, col(Person.id) == col(Enrolment.person_id))
        .where(col(Enrolment.programme_id) == programme_id, col(Enrolment.archived_at).is_(None))
        .order_by(*_BY_NAME)
    )
    return visible_to(statement, actor, Enrolment, _READ)


def find_register(session: Session, *, actor: Actor, session_id: uuid.UUID) -> Register:
    """The session and its programme. Raises `NotFound`."""
    row = get_session(session, actor=actor, session_id=session_id)
    programme = get_programme(session, actor=actor, programme_id=row.programme_id)
    return Register(row, programme)


def get_register(session: Session, *, actor: Actor, session_id: uuid.UUID) -> RegisterRead:
    """The whole register; a member of a team sees the team's lines."""
    register = find_register(session, actor=actor, session_id=session_id)
    actor.require(_READ)
    return read_register(session, actor=actor, register=register)


def read_register(session: Session, *, actor: Actor, register: Register) -> RegisterRead:
    """The lines of a register that was found already."""
    row, occasion = register.session, register.occasion
    rows = session.execute(
        _enrolled(
            actor,
            row.programme_id,
            col(Attendance.status).label("stored"),
            *(col(getattr(Attendance, name)).label(name) for name in _DETAILS),
            col(Attendance.updated_at).label("recorded_at"),
        ).outerjoin(
            Attendance,
            sa.and_(
                col(Attendance.enrolment_id) == col(Enrolment.id),
                col(Attendance.session_id) == row.id,
            ),
        )
    ).all()
    return RegisterRead(
        session_id=row.id,
        programme_id=row.programme_id,
        session_on=occasion.session_on,
        register_revision=row.register_revision,
        items=[_register_line(occasion, line) for line in rows],
    )


def _register_line(occasion: Occasion, line: Any) -> RegisterLine:
    status = derived_status(occasion, Stay(line.joined_on, line.left_on), line.stored)
    return RegisterLine(
        participant_id=line.participant_id,
        given_name=line.given_name,
        family_name=line.family_name,
        team_id=line.team_id,
        status=status,
        **_recorded(status, line),
    )


def _recorded(status: AttendanceStatus, line: Any) -> dict[str, Any]:
    """What goes with a status that was recorded; nothing goes with one that is derived."""
    is_recorded = line is not None and status not in {
        AttendanceStatus.NOT_RECORDED,
        AttendanceStatus.NOT_APPLICABLE,
    }
    names = (*_DETAILS, "recorded_at")
    return {name: getattr(line, name) if is_recorded else None for name in names}


def summarise_attendance(
    session: Session, *, actor: Actor, programme_id: uuid.UUID
) -> AttendanceSummary:
    """Everybody's rate, with the totals of teams and programme; of those whom the actor may see."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(_READ)
    occasions = {
        row.id: occasion_of(row.starts_at, row.status, programme)
        for row in session.execute(
            _sessions(programme).where(col(LearningSession.status) == SessionStatus.HELD)
        )
    }
    stored = _stored(session, programme, occasions)
    lines = [
        (
            who,
            attendance_rate(
                Stay(who.joined_on, who.left_on),
                (
                    (occasion, stored[who.participant_id].get(session_id))
                    for session_id, occasion in occasions.items()
                ),
            ),
        )
        for who in session.execute(_enrolled(actor, programme.id))
    ]
    return AttendanceSummary(
        programme_id=programme.id,
        partial_weight=PARTIAL_WEIGHT,
        sessions_held=len(occasions),
        total=AttendanceRate(**_figures(sum((rate for _, rate in lines), Rate()))),
        teams=_by_team(lines),
        items=[_participant_rate(who, rate) for who, rate in lines],
    )


def _sessions(programme: Programme) -> sa.Select[Any]:
    names = ("id", "number", "title", "starts_at", "status")
    columns: list[Any] = [col(getattr(LearningSession, name)).label(name) for name in names]
    return (
        sa.select(*columns)
        .where(
            col(LearningSession.programme_id) == programme.id,
            col(LearningSession.archived_at).is_(None),
        )
        .order_by(col(LearningSession.number), col(LearningSession.id))
    )


def _stored(
    session: Session, programme: Programme, occasions: Iterable[uuid.UUID]
) -> dict[uuid.UUID, dict[uuid.UUID, AttendanceStatus]]:
    found: dict[uuid.UUID, dict[uuid.UUID, AttendanceStatus]] = defaultdict(dict)
    rows = session.execute(
        sa.select(
            col(Attendance.enrolment_id), col(Attendance.session_id), col(Attendance.status)
        ).where(
            col(Attendance.programme_id) == programme.id,
            col(Attendance.session_id).in_(list(occasions)),
        )
    )
    for enrolment_id, session_id, status in rows:
        found[enrolment_id][session_id] = status
    return found


def _figures(rate: Rate) -> dict[str, Any]:
    return {"eligible": rate.eligible, "attended": rate.attended, "rate": rate.rate}


def _participant_rate(who: Any, rate: Rate) -> ParticipantRate:
    return ParticipantRate(
        participant_id=who.participant_id,
        given_name=who.given_name,
        family_name=who.family_name,
        team_id=who.team_id,
        **_figures(rate),
    )


def _by_team(lines: list[tuple[Any, Rate]]) -> list[TeamRate]:
    totals: dict[uuid.UUID | None, Rate] = {}
    for who, rate in lines:
        totals[who.team_id] = totals.get(who.team_id, Rate()) + rate
    ordered = sorted(totals.items(), key=lambda item: (item[0] is None, str(item[0])))
    return [TeamRate(team_id=team_id, **_figures(rate)) for team_id, rate in ordered]


def get_participant_attendance(
    session: Session, *, actor: Actor, participant_id: uuid.UUID
) -> ParticipantAttendance:
    """One participant's attendance, session by session."""
    participant = get_participant(session, actor=actor, participant_id=participant_id)
    actor.require(_READ, participant.place)
    enrolment, programme = participant.enrolment, participant.programme
    stay = Stay(enrolment.joined_on, enrolment.left_on)
    statement = select(Attendance).where(Attendance.enrolment_id == enrolment.id)
    stored = {row.session_id: row for row in session.exec(statement)}
    sessions = [
        (row, occasion_of(row.starts_at, row.status, programme), stored.get(row.id))
        for row in session.execute(_sessions(programme))
    ]
    rate = attendance_rate(
        stay, ((occasion, kept.status if kept else None) for _, occasion, kept in sessions)
    )
    return ParticipantAttendance(
        participant_id=enrolment.id,
        partial_weight=PARTIAL_WEIGHT,
        **_figures(rate),
        items=[_line(row, occasion, stay, kept) for row, occasion, kept in sessions],
    )


@dataclass(frozen=True, slots=True)
class _Details:
    minutes_attended: int | None
    method: str
    make_up_of: uuid.UUID | None
    recorded_at: Any


def _line(row: Any, occasion: Occasion, stay: Stay, kept: Attendance | None) -> AttendanceLine:
    status = derived_status(occasion, stay, kept.status if kept else None)
    details = kept and _Details(
        kept.minutes_attended, kept.method, kept.make_up_of, kept.updated_at
    )
    return AttendanceLine(
        session_id=row.id,
        number=row.number,
        title=row.title,
        session_on=occasion.session_on,
        session_status=row.status,
        status=status,
        **_recorded(status, details),
    )


def list_stays(session: Session, *, programme_id: uuid.UUID) -> dict[uuid.UUID, Stay]:
    """The stay of every live enrolment of a programme, for the check of a whole register."""
    rows = session.execute(
        sa.select(col(Enrolment.id), col(Enrolment.joined_on), col(Enrolment.left_on)).where(
            col(Enrolment.programme_id) == programme_id, col(Enrolment.archived_at).is_(None)
        )
    )
    return {row_id: Stay(joined_on, left_on) for row_id, joined_on, left_on in rows}


def list_session_ids(session: Session, *, programme_id: uuid.UUID) -> set[uuid.UUID]:
    """The live sessions of a programme."""
    return set(
        session.exec(
            select(LearningSession.id).where(
                LearningSession.programme_id == programme_id,
                col(LearningSession.archived_at).is_(None),
            )
        )
    )


def list_recorded(session: Session, *, session_id: uuid.UUID) -> dict[uuid.UUID, Attendance]:
    """What a register holds, by enrolment."""
    statement = select(Attendance).where(Attendance.session_id == session_id)
    return {row.enrolment_id: row for row in session.exec(statement)}
