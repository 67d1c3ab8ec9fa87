"""The small world of the access tests: two programmes, three teams, somebody in every role."""

from dataclasses import dataclass, field

from sqlmodel import Session

from app.access.permissions import TEAM_ROLES, Role
from app.identity.models import User
from app.programmes.models import Programme
from app.projects.models import Project
from app.teams.models import Team
from tests.builders import (
    make_membership,
    make_programme,
    make_project,
    make_team,
    make_user,
    together,
)


@dataclass
class World:
    """`programme` has `team` and `other_team`; the `people` have their roles there."""

    programme: Programme
    team: Team
    other_team: Team
    project: Project
    other_project: Project
    other_programme: Programme
    foreign_team: Team
    foreign_project: Project
    people: dict[Role, User] = field(default_factory=dict)
    stranger: User | None = None

    @property
    def admin(self) -> User:
        return self.people[Role.PLATFORM_ADMIN]

    @property
    def facilitator(self) -> User:
        return self.people[Role.FACILITATOR]

    @property
    def team_lead(self) -> User:
        return self.people[Role.TEAM_LEAD]

    @property
    def member(self) -> User:
        return self.people[Role.MEMBER]


def make_world(session: Session) -> World:
    """Build it."""
    with together(session):
        return _made(session)


def _made(session: Session) -> World:
    programme, other = make_programme(session), make_programme(session)
    team, other_team = (
        make_team(session, programme=programme),
        make_team(session, programme=programme),
    )
    foreign_team = make_team(session, programme=other)
    world = World(
        programme=programme,
        team=team,
        other_team=other_team,
        project=make_project(session, team=team),
        other_project=make_project(session, team=other_team),
        other_programme=other,
        foreign_team=foreign_team,
        foreign_project=make_project(session, team=foreign_team),
        stranger=make_user(session),
    )
    for role in Role:
        user = make_user(session, display_name=role.value)
        where = {"team": team} if role in TEAM_ROLES else {"programme": programme}
        make_membership(
            session, user=user, role=role, **({} if role is Role.PLATFORM_ADMIN else where)
        )
        world.people[role] = user
    return world
