"""Reads of teams and their members.

A membership is live while it has no end of its own, its enrolment is live, and that enrolment names
this team; so whoever leaves the programme leaves the team without a write here.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible, visible_to
from app.kit.errors import NotFound
from app.kit.filters import archived_filter, one_of, text_contains
from app.kit.pagination import Page, Pager, order_by
from app.organisations.models import Organisation
from app.participants.models import CLINICAL, Appointment, Enrolment, Person
from app.participants.queries import count_places_taken
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.references.queries import refers_to
from app.references.resources import ResourceType
from app.teams.balance import MemberFacts, TeamFacts, measure_balance
from app.teams.models import Team, TeamMembership
from app.teams.schemas import TeamBalance, TeamMemberQuery, TeamQuery

_TEAM_SORTS: dict[str, Any] = {
    "name": Team.name,
    "area": Team.area,
    "updated_at": Team.updated_at,
}
_MEMBER_SORTS: dict[str, Any] = {
    "family_name": Person.family_name,
    "starts_on": TeamMembership.starts_on,
}
IS_LIVE = sa.and_(
    col(TeamMembership.ends_on).is_(None),
    col(Enrolment.team_id) == col(TeamMembership.team_id),
    col(Enrolment.left_on).is_(None),
    col(Enrolment.archived_at).is_(None),
)
_ENROLMENT = col(Enrolment.id) == col(TeamMembership.enrolment_id)
_MEMBERS = (
    sa.select(TeamMembership, Enrolment, Person, Appointment)
    .join(Enrolment, _ENROLMENT)
    .join(Person, col(Person.id) == col(Enrolment.person_id))
    .join(Appointment, col(Appointment.id) == col(Enrolment.appointment_id))
)


@dataclass(slots=True)
class MakeUp:
    """Who is in a team now."""

    member_count: int = 0
    clinician_count: int = 0
    non_clinician_count: int = 0
    lead_participant_ids: list[uuid.UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Member:
    """A membership with the rows that it shows."""

    membership: TeamMembership
    enrolment: Enrolment
    person: Person
    appointment: Appointment

    @property
    def ends_on(self) -> date | None:
        """The first day without it: the earlier of its own end and the enrolment's."""
        return effective_end(self.membership, self.enrolment)

    @property
    def is_live(self) -> bool:
        """The same as `IS_LIVE`, on rows."""
        return (
            self.ends_on is None
            and self.enrolment.team_id == self.membership.team_id
            and self.enrolment.archived_at is None
        )


def effective_end(membership: TeamMembership, enrolment: Enrolment) -> date | None:
    """The earlier of the membership's end and the day after the participant left."""
    left = enrolment.left_on and enrolment.left_on + timedelta(days=1)
    return min((day for day in (membership.ends_on, left) if day is not None), default=None)


def get_team(session: Session, *, actor: Actor, team_id: uuid.UUID) -> Team:
    """One team. Raises `NotFound`."""
    return get_visible(
        session, actor=actor, entity=Team, permission=Permission.TEAM_READ, row_id=team_id
    )


def list_teams(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, query: TeamQuery, pager: Pager
) -> Page[Team]:
    """A page of a programme's teams, by name."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.TEAM_READ, Place(programme.id))
    statement = select_visible(actor, Team, Permission.TEAM_READ).where(
        col(Team.programme_id) == programme.id,
        *archived_filter(Team, query),
        *text_contains(Team.name, query.q),
        *one_of(Team.area, query.area),
        *refers_to(Team, ResourceType.TEAM, query.external_ref),
    )
    order = order_by(query.sort, _TEAM_SORTS, default="name", last=Team.id)
    return pager.page(session, statement, query=query, order=order)


def make_ups(session: Session, *, team_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, MakeUp]:
    """The make-up of several teams, in one query."""
    found = {team_id: MakeUp() for team_id in team_ids}
    rows = session.execute(
        sa.select(
            col(TeamMembership.team_id),
            col(TeamMembership.is_lead),
            col(Enrolment.id),
            col(Appointment.role),
        )
        .select_from(TeamMembership)
        .join(Enrolment, _ENROLMENT)
        .join(Appointment, col(Appointment.id) == col(Enrolment.appointment_id))
        .where(col(TeamMembership.team_id).in_(team_ids), IS_LIVE)
        .order_by(col(Enrolment.id))
    )
    for team_id, is_lead, participant_id, role in rows:
        make_up = found[team_id]
        make_up.member_count += 1
        make_up.clinician_count += CLINICAL[role] is True
        make_up.non_clinician_count += CLINICAL[role] is False
        if is_lead:
            make_up.lead_participant_ids.append(participant_id)
    return found


def get_team_member(session: Session, *, actor: Actor, member_id: uuid.UUID) -> Member:
    """One membership. Raises `NotFound`; it names a participant, so it asks for that permission."""
    visible = visible_to(_MEMBERS, actor, TeamMembership, Permission.PARTICIPANT_READ)
    found = session.execute(visible.where(col(TeamMembership.id) == member_id)).one_or_none()
    if found is None:
        raise NotFound
    return Member(*found)


def list_team_members(
    session: Session, *, actor: Actor, team_id: uuid.UUID, query: TeamMemberQuery, pager: Pager
) -> Page[Member]:
    """A page of a team's members, by family name."""
    team = get_team(session, actor=actor, team_id=team_id)
    actor.require(Permission.PARTICIPANT_READ, Place(team.programme_id, team.id))
    statement = (
        select_visible(actor, TeamMembership, Permission.PARTICIPANT_READ)
        .join(Enrolment, _ENROLMENT)
        .join(Person, col(Person.id) == col(Enrolment.person_id))
        .where(col(TeamMembership.team_id) == team.id)
    )
    if query.live != "any":
        # Written out: a NULL team of the enrolment must count as "not live" and not as unknown.
        is_live = sa.func.coalesce(IS_LIVE, sa.false())
        statement = statement.where(is_live if query.live == "true" else sa.not_(is_live))
    order = order_by(query.sort, _MEMBER_SORTS, default="family_name", last=TeamMembership.id)
    page: Page[TeamMembership] = pager.page(session, statement, query=query, order=order)
    wanted = [row.id for row in page.items]
    rows = session.execute(_MEMBERS.where(col(TeamMembership.id).in_(wanted)))
    found = {row[0].id: Member(*row) for row in rows}
    return page.map(lambda row: found[row.id])


def list_memberships_of(session: Session, *, enrolment_id: uuid.UUID) -> Sequence[TeamMembership]:
    """Every time in a team that an enrolment has had, for the check that none overlap."""
    statement = select(TeamMembership).where(TeamMembership.enrolment_id == enrolment_id)
    return session.exec(statement.order_by(col(TeamMembership.starts_on))).all()


def get_team_balance(session: Session, *, actor: Actor, programme_id: uuid.UUID) -> TeamBalance:
    """The metrics of the present allocation; counts only, so a commissioner may see them."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.TEAM_READ, Place(programme.id))
    teams = session.execute(
        sa.select(col(Team.id), col(Team.name), col(Team.area))
        .where(col(Team.programme_id) == programme.id, col(Team.archived_at).is_(None))
        .order_by(col(Team.name), col(Team.id))
    )
    facts = [TeamFacts(*row) for row in teams]
    metrics = measure_balance(facts, _members(session, programme))
    participants = count_places_taken(session, programme_id=programme.id)
    return TeamBalance(
        programme_id=programme.id,
        unassigned_count=participants - metrics["assigned_count"],
        **metrics,
    )


def _members(session: Session, programme: Programme) -> list[MemberFacts]:
    rows = session.execute(
        sa.select(
            col(TeamMembership.team_id),
            col(Appointment.role),
            col(Appointment.organisation_id),
            col(Organisation.area),
        )
        .select_from(TeamMembership)
        .join(Team, col(Team.id) == col(TeamMembership.team_id))
        .join(Enrolment, _ENROLMENT)
        .join(Appointment, col(Appointment.id) == col(Enrolment.appointment_id))
        .join(Organisation, col(Organisation.id) == col(Appointment.organisation_id))
        .where(
            col(TeamMembership.programme_id) == programme.id,
            col(Team.archived_at).is_(None),
            IS_LIVE,
        )
    )
    return [MemberFacts(*row) for row in rows]
