"""Reads of participants: an enrolment with its person, appointment, organisation and programme."""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.scope import select_visible, visible_to
from app.kit.errors import NotFound
from app.kit.filters import Clauses, archived_filter, one_of
from app.kit.pagination import Page, Pager, order_by
from app.organisations.models import Organisation
from app.participants.models import CLINICAL, Appointment, Enrolment, Person, ProfessionalRole
from app.participants.schemas import Entry, ParticipantQuery, ParticipantSummary, SummaryCount
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.references.queries import refers_to
from app.references.resources import ResourceType

_SORTS: dict[str, Any] = {
    "family_name": Person.family_name,
    "joined_on": Enrolment.joined_on,
    "updated_at": Enrolment.updated_at,
}
_CLINICAL_FILTER = {"true": True, "false": False, "null": None}
_CLINICAL_WORD = {True: "clinician", False: "non_clinician", None: "neither"}
_DETAILS = (
    sa.select(Enrolment, Person, Appointment, Programme, col(Organisation.name))
    .join(Person, col(Person.id) == col(Enrolment.person_id))
    .join(Appointment, col(Appointment.id) == col(Enrolment.appointment_id))
    .join(Organisation, col(Organisation.id) == col(Appointment.organisation_id))
    .join(Programme, col(Programme.id) == col(Enrolment.programme_id))
)


def entry_of(joined_on: date, first_session_on: date | None) -> Entry:
    """Late only after a first session: before one is dated, everybody is there from the launch."""
    is_late = first_session_on is not None and joined_on > first_session_on
    return Entry.LATE if is_late else Entry.LAUNCH


def programme_day(programme: Programme, now: datetime) -> date:
    """The calendar day of an instant where the programme is."""
    return now.astimezone(ZoneInfo(programme.timezone)).date()


@dataclass(slots=True)
class Participant:
    """The rows that make up one participant."""

    enrolment: Enrolment
    person: Person
    appointment: Appointment
    programme: Programme
    organisation_name: str

    @property
    def place(self) -> Place:
        """Where the participant belongs."""
        return Place(self.enrolment.programme_id, self.enrolment.team_id)

    @property
    def entry(self) -> Entry:
        """Whether they joined late."""
        return entry_of(self.enrolment.joined_on, self.programme.first_session_on)


def get_participant(session: Session, *, actor: Actor, participant_id: uuid.UUID) -> Participant:
    """One participant. Raises `NotFound`."""
    visible = visible_to(_DETAILS, actor, Enrolment, Permission.PARTICIPANT_READ)
    found = session.execute(visible.where(col(Enrolment.id) == participant_id)).one_or_none()
    if found is None:
        raise NotFound
    return Participant(*found)


def list_participants(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    query: ParticipantQuery,
    pager: Pager,
) -> Page[Participant]:
    """A page of a programme's participants, by family name."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.PARTICIPANT_READ, Place(programme.id))
    statement = (
        select_visible(actor, Enrolment, Permission.PARTICIPANT_READ)
        .join(Person, col(Person.id) == col(Enrolment.person_id))
        .join(Appointment, col(Appointment.id) == col(Enrolment.appointment_id))
        .where(col(Enrolment.programme_id) == programme.id, *_filters(query, programme))
    )
    order = order_by(query.sort, _SORTS, default="family_name", last=Enrolment.id)
    page: Page[Enrolment] = pager.page(session, statement, query=query, order=order)
    found = session.execute(_DETAILS.where(col(Enrolment.id).in_([row.id for row in page.items])))
    details = {row[0].id: Participant(*row) for row in found}
    return page.map(lambda row: details[row.id])


def _filters(query: ParticipantQuery, programme: Programme) -> Clauses:
    full_name = col(Person.given_name) + " " + col(Person.family_name)
    clauses = [
        *archived_filter(Enrolment, query),
        *one_of(Appointment.role, query.role),
        *one_of(Enrolment.team_id, query.team_id),
        *one_of(Enrolment.status, query.status),
        *refers_to(Enrolment, ResourceType.PARTICIPANT, query.external_ref),
        *_entry_filter(query.entry, programme.first_session_on),
    ]
    if query.q is not None:
        clauses.append(full_name.icontains(query.q, autoescape=True))
    if query.has_team is not None:
        team = col(Enrolment.team_id)
        clauses.append(team.is_not(None) if query.has_team else team.is_(None))
    if query.clinical is not None:
        wanted = _CLINICAL_FILTER[query.clinical]
        clauses.append(col(Appointment.role).in_([r for r in CLINICAL if CLINICAL[r] is wanted]))
    return clauses


def _entry_filter(entry: Entry | None, first_session_on: date | None) -> Clauses:
    if entry is None:
        return []
    if first_session_on is None:
        return [sa.true() if entry is Entry.LAUNCH else sa.false()]
    joined = col(Enrolment.joined_on)
    return [joined > first_session_on if entry is Entry.LATE else joined <= first_session_on]


def summarise_participants(
    session: Session, *, actor: Actor, programme_id: uuid.UUID
) -> ParticipantSummary:
    """Counts for whoever sees the programme, a commissioner too: no row of a person leaves here."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    rows = session.execute(
        sa.select(
            col(Appointment.role),
            col(Organisation.area),
            col(Enrolment.team_id),
            col(Enrolment.joined_on),
            col(Enrolment.status),
        )
        .select_from(Enrolment)
        .join(Appointment, col(Appointment.id) == col(Enrolment.appointment_id))
        .join(Organisation, col(Organisation.id) == col(Appointment.organisation_id))
        .where(col(Enrolment.programme_id) == programme.id, col(Enrolment.archived_at).is_(None))
    ).all()
    return ParticipantSummary(
        programme_id=programme.id,
        total=len(rows),
        by_role=_counts(row.role for row in rows),
        by_clinical=_counts(_CLINICAL_WORD[CLINICAL[ProfessionalRole(row.role)]] for row in rows),
        by_area=_counts(row.area for row in rows),
        by_team=_counts(row.team_id for row in rows),
        by_entry=_counts(entry_of(row.joined_on, programme.first_session_on) for row in rows),
        by_status=_counts(row.status for row in rows),
    )


def _counts(values: Iterable[object]) -> list[SummaryCount]:
    counted = Counter(None if value is None else str(value) for value in values)
    ordered = sorted(counted.items(), key=lambda item: (item[0] is None, item[0] or ""))
    return [SummaryCount(value=value, count=count) for value, count in ordered]


def find_person_by_email(session: Session, *, email: str) -> Person | None:
    """The person with this address (in lower case), in whatever programme."""
    return session.exec(select(Person).where(Person.email == email)).one_or_none()


def list_enrolments_of_person(session: Session, *, person_id: uuid.UUID) -> list[Enrolment]:
    """All live enrolments of a person, in whatever programme; only for writes that follow them."""
    statement = select(Enrolment).where(
        Enrolment.person_id == person_id, col(Enrolment.archived_at).is_(None)
    )
    return list(session.exec(statement.order_by(col(Enrolment.id))))


def count_places_taken(session: Session, *, programme_id: uuid.UUID) -> int:
    """How many live enrolments have not left."""
    return session.exec(
        select(sa.func.count())
        .select_from(Enrolment)
        .where(
            Enrolment.programme_id == programme_id,
            col(Enrolment.archived_at).is_(None),
            col(Enrolment.left_on).is_(None),
        )
    ).one()
