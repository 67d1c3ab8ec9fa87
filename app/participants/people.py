"""The person behind a participant: found by e-mail, linked to an account, shared by programmes."""

import uuid
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.events.catalogue import Resource
from app.identity.models import User
from app.kit.errors import AlreadyExists, FieldError, Forbidden, ReferenceNotFound, pointer
from app.kit.patching import change
from app.participants import queries, roles
from app.participants.models import Person
from app.participants.queries import Participant
from app.programmes.models import Programme

PERSON_FIELDS = (
    "given_name",
    "family_name",
    "email",
    "professional_id",
    "first_registered_on",
    "gp_qualified_on",
    "primary_care_start_on",
    "user_id",
)
APPOINTMENT_FIELDS = ("role", "organisation_id")
ENROLMENT_FIELDS = ("joined_on", "unassigned_reason")


class SharedPerson(Forbidden):
    """403: the person takes part in a programme where the caller has no right to change people."""

    code = "shared_person"
    title = "The person also takes part in a programme that you do not run."


def picked(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Some of the values."""
    return {name: values[name] for name in names}


def stated_values(participant: Participant) -> dict[str, Any]:
    """What a client may state, as it stands in the three rows."""
    sources = (
        (participant.person, PERSON_FIELDS),
        (participant.appointment, APPOINTMENT_FIELDS),
        (participant.enrolment, ENROLMENT_FIELDS),
    )
    return {name: getattr(row, name) for row, names in sources for name in names}


def person_to_enrol(
    session: Session,
    *,
    actor: Actor,
    programme: Programme,
    values: dict[str, Any],
    now: datetime,
) -> Person:
    """The person with this address, unchanged but for a first link to an account; or a new one."""
    user_id = values["user_id"]
    _check_account(session, actor=actor, user_id=user_id)
    person = queries.find_person_by_email(session, email=values["email"])
    if person is None:
        person = Person(
            created_at=now,
            updated_at=now,
            created_by=actor.user_id,
            **picked(values, PERSON_FIELDS),
        )
        session.add(person)
        session.flush()
        return person
    enrolments = queries.list_enrolments_of_person(session, person_id=person.id)
    if any(enrolment.programme_id == programme.id for enrolment in enrolments):
        raise _taken("email", "This person is enrolled already.")
    if user_id not in (None, person.user_id):
        _link(session, actor=actor, person=person, user_id=user_id, now=now)
    return person


def _taken(field: str, detail: str) -> AlreadyExists:
    fault = FieldError(code=AlreadyExists.code, detail=detail, pointer=pointer(field))
    return AlreadyExists(detail, errors=[fault])


def _link(
    session: Session, *, actor: Actor, person: Person, user_id: uuid.UUID, now: datetime
) -> None:
    if person.user_id is not None:
        raise _taken("user_id", "This person has another account.")
    change(person, {"user_id": user_id, "updated_at": now})
    session.flush()
    roles.move_roles(session, actor=actor, person=person, now=now)


def _check_account(session: Session, *, actor: Actor, user_id: uuid.UUID | None) -> None:
    if user_id is None:
        return
    actor.require(Permission.USER_READ)
    if session.get(User, user_id) is None:
        raise ReferenceNotFound.in_field("user_id")


def change_person(
    session: Session,
    *,
    actor: Actor,
    participant: Participant,
    values: dict[str, Any],
    now: datetime,
) -> dict[str, tuple[Any, Any]]:
    """The changed fields of the person.

    A person is one row in however many programmes. So whoever changes it must run all of them, and
    the revision of every enrolment rises, because every one of them shows the change.
    """
    person = participant.person
    if values["user_id"] != person.user_id:
        # Unlinking takes roles away, so it asks for as much as linking.
        actor.require(Permission.USER_READ)
        _check_account(session, actor=actor, user_id=values["user_id"])
    changes = change(person, values)
    if not changes:
        return {}
    person.updated_at = now
    others = [
        enrolment
        for enrolment in queries.list_enrolments_of_person(session, person_id=person.id)
        if enrolment.id != participant.enrolment.id
    ]
    for other in others:
        place = Place(other.programme_id, other.team_id)
        if not actor.can(Permission.PARTICIPANT_WRITE, place):
            raise SharedPerson
    session.flush()
    for other in others:
        records.keep_changes(
            session,
            actor=actor,
            noun=Resource.PARTICIPANT,
            row=other,
            values={},
            now=now,
            also=changes,
        )
    return changes
