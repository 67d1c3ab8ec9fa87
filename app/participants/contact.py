"""The one place that decides whether a caller sees a participant's contact fields."""

from app.access.actor import Actor
from app.access.permissions import Permission, scope_of
from app.participants.models import CLINICAL
from app.participants.queries import Participant
from app.participants.schemas import ParticipantRead


def is_contact_visible(actor: Actor, participant: Participant) -> bool:
    """For those with the permission at the participant's place, and for the person themself.

    A personal token needs the scope even for its owner: it must not show more than it was made for.
    """
    permission = Permission.PARTICIPANT_CONTACT
    if actor.scopes is not None and scope_of(permission) not in actor.scopes:
        return False
    is_self = participant.person.user_id == actor.user_id
    return is_self or actor.can(permission, participant.place)


def read_participant(actor: Actor, participant: Participant) -> ParticipantRead:
    """The participant as this caller may see it. Why somebody withdrew is as private as contact."""
    enrolment, person = participant.enrolment, participant.person
    is_visible = is_contact_visible(actor, participant)
    return ParticipantRead(
        **enrolment.model_dump(include=_ENROLMENT),
        **person.model_dump(include=_PERSON),
        email=person.email if is_visible else None,
        professional_id=person.professional_id if is_visible else None,
        withdrawal_reason=enrolment.withdrawal_reason if is_visible else None,
        contact_visible=is_visible,
        role=participant.appointment.role,
        clinical=CLINICAL[participant.appointment.role],
        organisation_id=participant.appointment.organisation_id,
        organisation_name=participant.organisation_name,
        entry=participant.entry,
    )


_SAID_BELOW = {"email", "professional_id", "withdrawal_reason", "role", "organisation_id"}
_DERIVED = {"contact_visible", "clinical", "organisation_name", "entry", "external_refs"}
_PERSON = {
    "given_name",
    "family_name",
    "first_registered_on",
    "gp_qualified_on",
    "primary_care_start_on",
    "user_id",
}
_ENROLMENT = set(ParticipantRead.model_fields) - _PERSON - _SAID_BELOW - _DERIVED
