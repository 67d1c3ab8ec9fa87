"""Writes of teams, and of the coach's role that goes with them."""

import uuid
from datetime import datetime

from sqlmodel import Session, col

from app.access import records
from app.access.actor import Actor, Place
from app.access.memberships.actions import RoleNotGrantable
from app.access.models import Membership
from app.access.permissions import Permission, Role
from app.access.scope import refuse_archived
from app.events.catalogue import Resource
from app.identity.models import User
from app.kit.errors import Conflict, Invalid, ReferenceNotFound
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.participants.roles import end_roles, give_role
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.teams import queries
from app.teams.models import Team
from app.teams.schemas import TeamBase, TeamCreate, TeamPatch


class TeamHasMembers(Conflict):
    """409: archiving would leave people in a team that nobody sees; the request is fine later."""

    code = "team_has_members"
    title = "End the memberships of the team first."


def create_team(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, data: TeamCreate, now: datetime
) -> Team:
    """A new team of the programme; its coach gets that role."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.TEAM_WRITE, Place(programme.id))
    refuse_archived(programme)
    _check_area(programme, data.area)
    if data.coach_id is not None:
        _require_coaching(actor, Place(programme.id))
        _check_coach(session, data.coach_id)
    row = Team(programme_id=programme.id, **column_values(data))
    records.keep_new(session, actor=actor, noun=Resource.TEAM, row=row, now=now)
    if row.coach_id is not None:
        _give_coach_role(session, actor=actor, team=row, now=now)
    return row


def _check_area(programme: Programme, area: str | None) -> None:
    if area is not None and programme.areas and area not in programme.areas:
        detail = f"The programme has the areas {', '.join(programme.areas)}."
        raise Invalid.at("area", code="unknown_area", detail=detail)


def _require_coaching(actor: Actor, place: Place) -> None:
    """To name a coach is to give a role, so a team's own lead cannot do it."""
    actor.require(Permission.MEMBERSHIP_GRANT, place)
    if Role.COACH not in actor.grantable(place):
        raise RoleNotGrantable


def _check_coach(session: Session, coach_id: uuid.UUID) -> None:
    user = session.get(User, coach_id)
    if user is None or not user.is_active:
        raise ReferenceNotFound.in_field("coach_id")


def _give_coach_role(session: Session, *, actor: Actor, team: Team, now: datetime) -> None:
    if team.coach_id is not None:
        give_role(
            session,
            actor=actor,
            user_id=team.coach_id,
            role=Role.COACH,
            programme_id=team.programme_id,
            team_id=team.id,
            starts_on=now.date(),
            now=now,
        )


def _end_coach_role(
    session: Session, *, actor: Actor, team: Team, user_id: uuid.UUID | None, now: datetime
) -> None:
    if user_id is not None:
        clauses = [
            col(Membership.team_id) == team.id,
            col(Membership.user_id) == user_id,
            col(Membership.role) == Role.COACH,
        ]
        end_roles(session, actor=actor, clauses=clauses, ends_on=now.date(), now=now)


def update_team(
    session: Session,
    *,
    actor: Actor,
    team_id: uuid.UUID,
    patch: TeamPatch,
    condition: Precondition,
    now: datetime,
) -> Team:
    """Merge the patch; another coach takes the role over from the former."""
    row = queries.get_team(session, actor=actor, team_id=team_id)
    place = Place(row.programme_id, row.id)
    actor.require(Permission.TEAM_WRITE, place)
    condition.check(row.revision)
    programme = get_programme(session, actor=actor, programme_id=row.programme_id)
    refuse_archived(row, programme)
    values = patched_values(TeamBase, row, patch)
    # What stands already is left alone: the programme's areas may have changed since.
    if values["area"] != row.area:
        _check_area(programme, values["area"])
    former, coach_id = row.coach_id, values["coach_id"]
    if coach_id != former:
        _require_coaching(actor, place)
        if coach_id is not None:
            _check_coach(session, coach_id)
    records.keep_changes(session, actor=actor, noun=Resource.TEAM, row=row, values=values, now=now)
    if coach_id != former:
        _end_coach_role(session, actor=actor, team=row, user_id=former, now=now)
        _give_coach_role(session, actor=actor, team=row, now=now)
    return row


def archive_team(
    session: Session,
    *,
    actor: Actor,
    team_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Hide an empty team. For those who run the programme: a lead cannot do away with the team."""
    row = _get_for_programme(session, actor=actor, team_id=team_id)
    condition.check(row.revision, required=False)
    if queries.make_ups(session, team_ids=[row.id])[row.id].member_count:
        raise TeamHasMembers
    records.archive(session, actor=actor, noun=Resource.TEAM, row=row, now=now)


def restore_team(session: Session, *, actor: Actor, team_id: uuid.UUID, now: datetime) -> Team:
    """Bring it back; 409 where its name has been given to another meanwhile."""
    row = _get_for_programme(session, actor=actor, team_id=team_id)
    return records.restore(session, actor=actor, noun=Resource.TEAM, row=row, now=now)


def _get_for_programme(session: Session, *, actor: Actor, team_id: uuid.UUID) -> Team:
    row = queries.get_team(session, actor=actor, team_id=team_id)
    actor.require(Permission.TEAM_WRITE, Place(row.programme_id))
    refuse_archived(get_programme(session, actor=actor, programme_id=row.programme_id))
    return row
