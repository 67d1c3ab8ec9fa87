"""Writes of team memberships: the enrolment's team and the person's role follow in one go."""

import uuid
from datetime import date, datetime, timedelta

from sqlmodel import Session, col

from app.access import records
from app.access.actor import Actor, Place
from app.access.models import Membership
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource, Verb
from app.kit.errors import Conflict, Invalid, NotFound, ReferenceNotFound
from app.kit.preconditions import Precondition
from app.participants.models import Enrolment, Person
from app.participants.queries import Participant, get_participant, programme_day
from app.participants.roles import end_roles, end_roles_of, give_role, team_role
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.teams import queries
from app.teams.models import Team, TeamMembership
from app.teams.queries import Member
from app.teams.schemas import TeamMemberCreate, TeamMemberEnd, TeamMemberPatch


class TeamOverlap(Conflict):
    """409: nothing is wrong with the request, but the participant is in a team on those days."""

    code = "team_overlap"
    title = "The participant is in a team on those days."


class EnrolmentNotActive(Conflict):
    """409: the participant has left the programme, which is a state and not a fault of the body."""

    code = "enrolment_not_active"
    title = "The participant has left the programme."


class MembershipEnded(Conflict):
    """409: a membership that has ended is history; the request would have been fine before."""

    code = "membership_ended"
    title = "The membership has ended."


def add_team_member(
    session: Session, *, actor: Actor, team_id: uuid.UUID, data: TeamMemberCreate, now: datetime
) -> Member:
    """Put a participant into the team."""
    team = queries.get_team(session, actor=actor, team_id=team_id)
    actor.require(Permission.TEAM_WRITE, Place(team.programme_id, team.id))
    programme = get_programme(session, actor=actor, programme_id=team.programme_id)
    refuse_archived(team, programme)
    participant = _get_participant(session, actor=actor, team=team, data=data)
    enrolment = participant.enrolment
    _check_days(programme, enrolment, data.starts_on)
    _check_overlap(session, enrolment, data.starts_on)
    row = TeamMembership(
        programme_id=team.programme_id,
        team_id=team.id,
        enrolment_id=enrolment.id,
        is_lead=data.is_lead,
        starts_on=data.starts_on,
    )
    about = {"team_id": team.id, "participant_id": enrolment.id}
    records.keep_new(session, actor=actor, noun=Resource.TEAM_MEMBER, row=row, now=now, data=about)
    _move_enrolment(session, actor=actor, enrolment=enrolment, team_id=team.id, now=now)
    _note_in_team(session, actor=actor, team=team, now=now, members=(None, enrolment.id))
    _give_member_role(
        session, actor=actor, row=row, person=participant.person, starts_on=row.starts_on, now=now
    )
    return Member(row, enrolment, participant.person, participant.appointment)


def _get_participant(
    session: Session, *, actor: Actor, team: Team, data: TeamMemberCreate
) -> Participant:
    try:
        found = get_participant(session, actor=actor, participant_id=data.participant_id)
    except NotFound as fault:
        raise ReferenceNotFound.in_field("participant_id") from fault
    if found.enrolment.programme_id != team.programme_id:
        raise ReferenceNotFound.in_field("participant_id")
    refuse_archived(found.enrolment)
    if found.enrolment.left_on is not None:
        raise EnrolmentNotActive
    return found


def _check_days(programme: Programme, enrolment: Enrolment, starts_on: date) -> None:
    if not enrolment.joined_on <= starts_on <= programme.ends_on:
        detail = "Start between the participant's joined_on and the programme's end."
        raise Invalid.at("starts_on", code="outside_enrolment", detail=detail)


def _check_overlap(session: Session, enrolment: Enrolment, starts_on: date) -> None:
    if enrolment.team_id is not None:
        raise TeamOverlap
    for row in queries.list_memberships_of(session, enrolment_id=enrolment.id):
        ends_on = queries.effective_end(row, enrolment)
        if ends_on is not None and ends_on > max(starts_on, row.starts_on):
            raise TeamOverlap(f"The last membership ends on {ends_on}.")


def _move_enrolment(
    session: Session,
    *,
    actor: Actor,
    enrolment: Enrolment,
    team_id: uuid.UUID | None,
    now: datetime,
) -> None:
    values: dict[str, object] = {"team_id": team_id}
    if team_id is not None:
        values["unassigned_reason"] = None
    records.keep_changes(
        session, actor=actor, noun=Resource.PARTICIPANT, row=enrolment, values=values, now=now
    )


def _note_in_team(
    session: Session,
    *,
    actor: Actor,
    team: Team,
    now: datetime,
    **changes: tuple[object, object],
) -> None:
    """A team shows its size and leads, so its revision rises with its members'."""
    records.keep_changes(
        session, actor=actor, noun=Resource.TEAM, row=team, values={}, now=now, also=changes
    )


def _give_member_role(
    session: Session,
    *,
    actor: Actor,
    row: TeamMembership,
    person: Person,
    starts_on: date,
    now: datetime,
) -> None:
    if person.user_id is not None:
        give_role(
            session,
            actor=actor,
            user_id=person.user_id,
            role=team_role(is_lead=row.is_lead),
            programme_id=row.programme_id,
            team_id=row.team_id,
            enrolment_id=row.enrolment_id,
            starts_on=starts_on,
            now=now,
        )


def update_team_member(
    session: Session,
    *,
    actor: Actor,
    member_id: uuid.UUID,
    patch: TeamMemberPatch,
    condition: Precondition,
    now: datetime,
) -> Member:
    """Make a member lead, or no longer; the role follows from today."""
    member, team = _get_live(
        session, actor=actor, member_id=member_id, condition=condition, required=True
    )
    refuse_archived(team)
    row = member.membership
    former = row.is_lead
    values = patch.model_dump()
    records.keep_changes(
        session, actor=actor, noun=Resource.TEAM_MEMBER, row=row, values=values, now=now
    )
    if row.is_lead != former:
        _note_in_team(session, actor=actor, team=team, now=now, lead=(former, row.is_lead))
        clauses = [
            col(Membership.enrolment_id) == row.enrolment_id,
            col(Membership.team_id) == row.team_id,
        ]
        starts_on = max(now.date(), row.starts_on)
        end_roles(session, actor=actor, clauses=clauses, ends_on=starts_on, now=now)
        _give_member_role(
            session, actor=actor, row=row, person=member.person, starts_on=starts_on, now=now
        )
    return member


def _get_live(
    session: Session,
    *,
    actor: Actor,
    member_id: uuid.UUID,
    condition: Precondition,
    required: bool,
) -> tuple[Member, Team]:
    member = queries.get_team_member(session, actor=actor, member_id=member_id)
    row = member.membership
    actor.require(Permission.TEAM_WRITE, Place(row.programme_id, row.team_id))
    condition.check(row.revision, required=required)
    refuse_archived(get_programme(session, actor=actor, programme_id=row.programme_id))
    refuse_archived(member.enrolment)
    if not member.is_live:
        raise MembershipEnded
    return member, queries.get_team(session, actor=actor, team_id=row.team_id)


def end_team_member(
    session: Session,
    *,
    actor: Actor,
    member_id: uuid.UUID,
    data: TeamMemberEnd,
    condition: Precondition,
    now: datetime,
) -> Member:
    """Take a participant out of the team, also of one that is archived."""
    member, team = _get_live(
        session, actor=actor, member_id=member_id, condition=condition, required=False
    )
    row, enrolment = member.membership, member.enrolment
    programme = get_programme(session, actor=actor, programme_id=row.programme_id)
    tomorrow = programme_day(programme, now) + timedelta(days=1)
    # At the latest tomorrow, because the enrolment has no team from this moment on.
    if not row.starts_on <= data.ends_on <= tomorrow:
        detail = f"End between {row.starts_on} and {tomorrow}, the first day without it."
        raise Invalid.at("ends_on", code="ends_on_out_of_range", detail=detail)
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.TEAM_MEMBER,
        row=row,
        values={"ends_on": data.ends_on},
        now=now,
        verb=Verb.ENDED,
        data={"team_id": row.team_id, "participant_id": enrolment.id},
    )
    _move_enrolment(session, actor=actor, enrolment=enrolment, team_id=None, now=now)
    _note_in_team(session, actor=actor, team=team, now=now, members=(enrolment.id, None))
    end_roles_of(session, actor=actor, enrolment=enrolment, ends_on=data.ends_on, now=now)
    return member
