"""Routes of teams and their members."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Response
from sqlmodel import Session

from app.access.dependencies import CurrentActor
from app.access.memberships.actions import RoleNotGrantable
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, IfMatch, Now, ReadSession, WriteSession
from app.kit.errors import AlreadyExists, Archived, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.participants.models import CLINICAL
from app.references.queries import with_references
from app.references.resources import ResourceType
from app.teams import actions, members, queries
from app.teams.actions import TeamHasMembers
from app.teams.members import EnrolmentNotActive, MembershipEnded, TeamOverlap
from app.teams.models import Team
from app.teams.queries import Member
from app.teams.schemas import (
    TeamBalance,
    TeamCreate,
    TeamMemberCreate,
    TeamMemberEnd,
    TeamMemberPatch,
    TeamMemberQuery,
    TeamMemberRead,
    TeamPatch,
    TeamQuery,
    TeamRead,
)

router = Router(tags=["teams"])


def _read_all(session: Session, teams: Sequence[Team]) -> list[TeamRead]:
    make_ups = queries.make_ups(session, team_ids=[team.id for team in teams])
    reads = [
        TeamRead.model_validate(
            team.model_dump() | {name: getattr(make_ups[team.id], name) for name in _MAKE_UP}
        )
        for team in teams
    ]
    return with_references(session, ResourceType.TEAM, reads)


def _read(session: Session, team: Team) -> TeamRead:
    return _read_all(session, [team])[0]


def _read_member(member: Member) -> TeamMemberRead:
    return TeamMemberRead.model_validate(
        member.membership.model_dump()
        | {
            "participant_id": member.enrolment.id,
            "given_name": member.person.given_name,
            "family_name": member.person.family_name,
            "role": member.appointment.role,
            "clinical": CLINICAL[member.appointment.role],
            "ends_on": member.ends_on,
            "is_live": member.is_live,
        }
    )


_MAKE_UP = ("member_count", "clinician_count", "non_clinician_count", "lead_participant_ids")


@router.get("/programmes/{programme_id}/teams", summary="List teams")
def list_teams(
    programme_id: uuid.UUID,
    query: Annotated[TeamQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[TeamRead]:
    """Teams of a programme by name, with their size and make-up."""
    page = queries.list_teams(
        session, actor=actor, programme_id=programme_id, query=query, pager=pager
    )
    return page.of(_read_all(session, page.items))


@router.get("/programmes/{programme_id}/teams/balance", summary="Measure the balance of teams")
def get_team_balance(
    programme_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> TeamBalance:
    """How evenly sizes, professions, roles, practices and areas are spread now."""
    return queries.get_team_balance(session, actor=actor, programme_id=programme_id)


@router.post(
    "/programmes/{programme_id}/teams",
    status_code=201,
    summary="Create a team",
    responses=problems(AlreadyExists, Archived, ReferenceNotFound, RoleNotGrantable),
)
def create_team(
    programme_id: uuid.UUID,
    data: TeamCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> TeamRead:
    """Create a team. A name can be live only once in a programme."""
    row = actions.create_team(session, actor=actor, programme_id=programme_id, data=data, now=now)
    return created(response, _read(session, row), "teams")


@router.get("/teams/{team_id}", summary="Get a team")
def get_team(
    team_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> TeamRead:
    """One team, archived or not."""
    row = queries.get_team(session, actor=actor, team_id=team_id)
    return tagged(response, _read(session, row))


@router.patch(
    "/teams/{team_id}",
    summary="Change a team",
    responses=problems(AlreadyExists, Archived, ReferenceNotFound, RoleNotGrantable),
)
def update_team(
    team_id: uuid.UUID,
    patch: TeamPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> TeamRead:
    """JSON Merge Patch. Another coach takes the role over from the former one."""
    row = actions.update_team(
        session, actor=actor, team_id=team_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, _read(session, row))


@router.delete(
    "/teams/{team_id}",
    status_code=204,
    summary="Archive a team",
    responses=problems(Archived, TeamHasMembers),
)
def archive_team(
    team_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Hide a team that has no members; it can be restored."""
    actions.archive_team(session, actor=actor, team_id=team_id, condition=condition, now=now)


@router.post(
    "/teams/{team_id}/restore",
    summary="Restore a team",
    responses=problems(AlreadyExists, Archived),
)
def restore_team(
    team_id: uuid.UUID, actor: CurrentActor, session: WriteSession, now: Now, response: Response
) -> TeamRead:
    """Bring an archived team back."""
    row = actions.restore_team(session, actor=actor, team_id=team_id, now=now)
    return tagged(response, _read(session, row))


@router.get("/teams/{team_id}/members", summary="List team members")
def list_team_members(
    team_id: uuid.UUID,
    query: Annotated[TeamMemberQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[TeamMemberRead]:
    """Members of a team by family name. Not for commissioners, who see no names."""
    page = queries.list_team_members(
        session, actor=actor, team_id=team_id, query=query, pager=pager
    )
    return page.map(_read_member)


@router.post(
    "/teams/{team_id}/members",
    status_code=201,
    summary="Add a team member",
    responses=problems(Archived, EnrolmentNotActive, ReferenceNotFound, TeamOverlap),
)
def add_team_member(
    team_id: uuid.UUID,
    data: TeamMemberCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> TeamMemberRead:
    """Put a participant into the team; whoever can log in gets the role of member or lead."""
    member = members.add_team_member(session, actor=actor, team_id=team_id, data=data, now=now)
    return created(response, _read_member(member), "team-members")


@router.get("/team-members/{member_id}", summary="Get a team member")
def get_team_member(
    member_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> TeamMemberRead:
    """One membership, live or ended."""
    member = queries.get_team_member(session, actor=actor, member_id=member_id)
    return tagged(response, _read_member(member))


@router.patch(
    "/team-members/{member_id}",
    summary="Change a team member",
    responses=problems(Archived, MembershipEnded),
)
def update_team_member(
    member_id: uuid.UUID,
    patch: TeamMemberPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> TeamMemberRead:
    """JSON Merge Patch. Who becomes lead, or stops being it, has the other role from today."""
    member = members.update_team_member(
        session, actor=actor, member_id=member_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, _read_member(member))


@router.post(
    "/team-members/{member_id}/end",
    summary="End a team membership",
    responses=problems(Archived, MembershipEnded),
)
def end_team_member(
    member_id: uuid.UUID,
    data: TeamMemberEnd,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> TeamMemberRead:
    """Take a participant out of the team; the role ends with it."""
    member = members.end_team_member(
        session, actor=actor, member_id=member_id, data=data, condition=condition, now=now
    )
    return tagged(response, _read_member(member))
