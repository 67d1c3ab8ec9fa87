"""Writes of participants: enrol, change, move on, archive."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.places import refuse_archived_team
from app.access.scope import refuse_archived
from app.events.catalogue import Resource, Verb
from app.kit.errors import Conflict, Invalid, InvalidStateTransition
from app.kit.patching import change, column_values, patched_values
from app.kit.preconditions import Precondition
from app.organisations.queries import get_organisation_reference
from app.participants import people, queries, roles
from app.participants.models import Appointment, Enrolment, EnrolmentStatus
from app.participants.people import APPOINTMENT_FIELDS, ENROLMENT_FIELDS, PERSON_FIELDS, picked
from app.participants.queries import Participant
from app.participants.schemas import (
    ParticipantBase,
    ParticipantCreate,
    ParticipantPatch,
    ParticipantTransition,
)
from app.programmes.models import Programme
from app.programmes.queries import get_programme

# Somebody can withdraw before they begin; completing asks that they took part.
STEPS: dict[EnrolmentStatus, tuple[EnrolmentStatus, ...]] = {
    EnrolmentStatus.ENROLLED: (
        EnrolmentStatus.ACTIVE,
        EnrolmentStatus.WITHDRAWN,
        EnrolmentStatus.TRANSFERRED,
    ),
    EnrolmentStatus.ACTIVE: (
        EnrolmentStatus.COMPLETED,
        EnrolmentStatus.TRANSFERRED,
        EnrolmentStatus.WITHDRAWN,
    ),
    EnrolmentStatus.COMPLETED: (),
    EnrolmentStatus.TRANSFERRED: (),
    EnrolmentStatus.WITHDRAWN: (),
}


class CapacityReached(Conflict):
    """409: the request is fine, but the programme has no place left; it may have one later."""

    code = "capacity_reached"
    title = "The programme has no place left."


def enrol_participant(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    data: ParticipantCreate,
    now: datetime,
) -> Participant:
    """Enrol a person, who is found by e-mail or made."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.PARTICIPANT_WRITE, Place(programme.id))
    refuse_archived(programme)
    values = column_values(data)
    _check_joined_on(programme, data.joined_on)
    organisation = get_organisation_reference(
        session, actor=actor, organisation_id=data.organisation_id, field="organisation_id"
    )
    _check_capacity(session, programme)
    person = people.person_to_enrol(
        session, actor=actor, programme=programme, values=values, now=now
    )
    appointment = Appointment(
        person_id=person.id, created_by=actor.user_id, **picked(values, APPOINTMENT_FIELDS)
    )
    session.add(appointment)
    session.flush()
    enrolment = Enrolment(
        programme_id=programme.id,
        person_id=person.id,
        appointment_id=appointment.id,
        **picked(values, ENROLMENT_FIELDS),
    )
    records.keep_new(session, actor=actor, noun=Resource.PARTICIPANT, row=enrolment, now=now)
    return Participant(enrolment, person, appointment, programme, organisation.name)


def _check_joined_on(programme: Programme, joined_on: date) -> None:
    if not programme.starts_on <= joined_on <= programme.ends_on:
        detail = f"The programme runs from {programme.starts_on} to {programme.ends_on}."
        raise Invalid.at("joined_on", code="outside_programme", detail=detail)


def _check_capacity(session: Session, programme: Programme) -> None:
    # Locked, so that two who come at once cannot both take the last place (PostgreSQL).
    session.refresh(programme, with_for_update=True)
    if programme.capacity is None:
        return
    taken = queries.count_places_taken(session, programme_id=programme.id)
    if taken >= programme.capacity:
        raise CapacityReached(f"All {programme.capacity} places are taken.")


def update_participant(
    session: Session,
    *,
    actor: Actor,
    participant_id: uuid.UUID,
    patch: ParticipantPatch,
    condition: Precondition,
    now: datetime,
) -> Participant:
    """Merge the patch over the person, the appointment and the enrolment."""
    participant = _get_writable(
        session, actor=actor, participant_id=participant_id, condition=condition, required=True
    )
    enrolment, person = participant.enrolment, participant.person
    values = patched_values(ParticipantBase, people.stated_values(participant), patch)
    _check_enrolment(participant, values)
    also = people.change_person(
        session,
        actor=actor,
        participant=participant,
        values=picked(values, PERSON_FIELDS),
        now=now,
    )
    also |= _change_appointment(
        session, actor=actor, participant=participant, values=values, now=now
    )
    values = picked(values, ENROLMENT_FIELDS) | {"appointment_id": participant.appointment.id}
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.PARTICIPANT,
        row=enrolment,
        values=values,
        now=now,
        also=also,
    )
    if "user_id" in also:
        roles.move_roles(session, actor=actor, person=person, now=now)
    return participant


def _get_writable(
    session: Session,
    *,
    actor: Actor,
    participant_id: uuid.UUID,
    condition: Precondition,
    required: bool,
) -> Participant:
    participant = queries.get_participant(session, actor=actor, participant_id=participant_id)
    actor.require(Permission.PARTICIPANT_WRITE, participant.place)
    condition.check(participant.enrolment.revision, required=required)
    refuse_archived(participant.enrolment, participant.programme)
    return participant


def _check_enrolment(participant: Participant, values: dict[str, Any]) -> None:
    enrolment, joined_on = participant.enrolment, values["joined_on"]
    # What stands already is left alone: the programme's dates may have moved since.
    if joined_on == enrolment.joined_on:
        return
    _check_joined_on(participant.programme, joined_on)
    if enrolment.left_on is not None and joined_on > enrolment.left_on:
        detail = "joined_on must not lie after left_on."
        raise Invalid.at("joined_on", code="joined_after_leaving", detail=detail)


def _change_appointment(
    session: Session,
    *,
    actor: Actor,
    participant: Participant,
    values: dict[str, Any],
    now: datetime,
) -> dict[str, tuple[Any, Any]]:
    """Close the old appointment and open a new one, so that the history stays."""
    old, wanted = participant.appointment, picked(values, APPOINTMENT_FIELDS)
    changes = {
        name: (getattr(old, name), value)
        for name, value in wanted.items()
        if getattr(old, name) != value
    }
    if not changes:
        return {}
    organisation = get_organisation_reference(
        session, actor=actor, organisation_id=wanted["organisation_id"], field="organisation_id"
    )
    today = queries.programme_day(participant.programme, now)
    change(old, {"ends_on": today, "updated_at": now})
    new = Appointment(person_id=old.person_id, starts_on=today, created_by=actor.user_id, **wanted)
    session.add(new)
    session.flush()
    participant.appointment, participant.organisation_name = new, organisation.name
    return changes


def transition_participant(
    session: Session,
    *,
    actor: Actor,
    participant_id: uuid.UUID,
    data: ParticipantTransition,
    condition: Precondition,
    now: datetime,
) -> Participant:
    """Take a step. Whoever leaves loses the team and the roles that came with it."""
    participant = _get_writable(
        session, actor=actor, participant_id=participant_id, condition=condition, required=False
    )
    enrolment = participant.enrolment
    former = enrolment.status
    if data.to not in STEPS[former]:
        raise InvalidStateTransition(state=former, to=data.to, allowed=STEPS[former])
    values: dict[str, Any] = {"status": data.to}
    if data.to is not EnrolmentStatus.ACTIVE:
        values |= _leaving(participant, data, queries.programme_day(participant.programme, now))
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.PARTICIPANT,
        row=enrolment,
        values=values,
        now=now,
        verb=Verb.STATE_CHANGED,
        data={"from": former, "to": data.to},
    )
    if enrolment.left_on is not None:
        first_day_without = enrolment.left_on + timedelta(days=1)
        roles.end_roles_of(
            session, actor=actor, enrolment=enrolment, ends_on=first_day_without, now=now
        )
    return participant


def _leaving(participant: Participant, data: ParticipantTransition, today: date) -> dict[str, Any]:
    left_on = data.left_on
    if left_on is None:
        raise Invalid.at("left_on", code="missing", detail=f"{data.to} needs left_on.")
    if not participant.enrolment.joined_on <= left_on <= today:
        detail = "left_on must lie between joined_on and today."
        raise Invalid.at("left_on", code="left_on_out_of_range", detail=detail)
    if data.to is EnrolmentStatus.WITHDRAWN and data.withdrawal_reason is None:
        detail = "withdrawn needs withdrawal_reason."
        raise Invalid.at("withdrawal_reason", code="missing", detail=detail)
    return {
        "left_on": left_on,
        "withdrawal_reason": data.withdrawal_reason,
        "team_id": None,
    }


def archive_participant(
    session: Session,
    *,
    actor: Actor,
    participant_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Hide an enrolment and end its roles at once; the team is kept for a restore."""
    participant = queries.get_participant(session, actor=actor, participant_id=participant_id)
    actor.require(Permission.PARTICIPANT_WRITE, participant.place)
    condition.check(participant.enrolment.revision, required=False)
    refuse_archived(participant.programme)
    enrolment = participant.enrolment
    records.archive(session, actor=actor, noun=Resource.PARTICIPANT, row=enrolment, now=now)
    roles.end_roles_of(session, actor=actor, enrolment=enrolment, ends_on=now.date(), now=now)


def restore_participant(
    session: Session, *, actor: Actor, participant_id: uuid.UUID, now: datetime
) -> Participant:
    """Bring an enrolment and its team role back; 409 where its place or its person is taken."""
    participant = queries.get_participant(session, actor=actor, participant_id=participant_id)
    actor.require(Permission.PARTICIPANT_WRITE, participant.place)
    refuse_archived(participant.programme)
    enrolment = participant.enrolment
    if enrolment.archived_at is None:
        return participant
    if enrolment.team_id is not None:
        refuse_archived_team(session, enrolment.team_id)
    if enrolment.left_on is None:
        _check_capacity(session, participant.programme)
    records.restore(session, actor=actor, noun=Resource.PARTICIPANT, row=enrolment, now=now)
    roles.give_team_role(
        session, actor=actor, enrolment=enrolment, person=participant.person, now=now
    )
    return participant
