"""The roles that follow from an enrolment: given with a team, ended with the enrolment."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access import records
from app.access.actor import Actor
from app.access.models import Membership
from app.access.permissions import Role
from app.events.catalogue import Resource, Verb
from app.participants.models import Enrolment, Person
from app.participants.queries import list_enrolments_of_person

# The columns of the team membership that say which role it gives; its package stands above.
_TEAM_MEMBERSHIP = sa.table(
    "team_membership",
    sa.column("enrolment_id", sa.Uuid()),
    sa.column("team_id", sa.Uuid()),
    sa.column("is_lead", sa.Boolean()),
    sa.column("starts_on", sa.Date()),
    sa.column("ends_on", sa.Date()),
)


def team_role(*, is_lead: bool) -> Role:
    """The role that a team membership gives."""
    return Role.TEAM_LEAD if is_lead else Role.MEMBER


def give_role(
    session: Session,
    *,
    actor: Actor,
    user_id: uuid.UUID,
    role: Role,
    programme_id: uuid.UUID,
    team_id: uuid.UUID,
    starts_on: date,
    now: datetime,
    enrolment_id: uuid.UUID | None = None,
) -> Membership:
    """A role in a team. The caller has checked that the actor may do what gives it."""
    row = Membership(
        user_id=user_id,
        role=role,
        programme_id=programme_id,
        team_id=team_id,
        enrolment_id=enrolment_id,
        starts_on=starts_on,
    )
    return records.keep_new(session, actor=actor, noun=Resource.MEMBERSHIP, row=row, now=now)


def end_roles(
    session: Session,
    *,
    actor: Actor,
    clauses: list[sa.ColumnElement[bool]],
    ends_on: date,
    now: datetime,
) -> None:
    """End the memberships that the clauses name; `ends_on` is the first day without the role."""
    ends = col(Membership.ends_on)
    open_then = sa.or_(ends.is_(None), ends > ends_on)
    for row in session.exec(select(Membership).where(*clauses, open_then)).all():
        records.keep_changes(
            session,
            actor=actor,
            noun=Resource.MEMBERSHIP,
            row=row,
            values={"ends_on": ends_on},
            now=now,
            verb=Verb.ENDED,
        )


def end_roles_of(
    session: Session, *, actor: Actor, enrolment: Enrolment, ends_on: date, now: datetime
) -> None:
    """End every role that follows from the enrolment."""
    clauses = [col(Membership.enrolment_id) == enrolment.id]
    end_roles(session, actor=actor, clauses=clauses, ends_on=ends_on, now=now)


def give_team_role(
    session: Session, *, actor: Actor, enrolment: Enrolment, person: Person, now: datetime
) -> None:
    """The role of the live team, where the participant has one and can log in."""
    if enrolment.team_id is None or person.user_id is None:
        return
    columns = _TEAM_MEMBERSHIP.c
    live = session.execute(
        sa.select(columns.is_lead, columns.starts_on).where(
            columns.enrolment_id == enrolment.id,
            columns.team_id == enrolment.team_id,
            columns.ends_on.is_(None),
        )
    ).one_or_none()
    give_role(
        session,
        actor=actor,
        user_id=person.user_id,
        role=team_role(is_lead=live is not None and live.is_lead),
        programme_id=enrolment.programme_id,
        team_id=enrolment.team_id,
        enrolment_id=enrolment.id,
        starts_on=max(now.date(), live.starts_on) if live else now.date(),
        now=now,
    )


def move_roles(session: Session, *, actor: Actor, person: Person, now: datetime) -> None:
    """After another account was linked: it gets the team roles that the former one loses."""
    for enrolment in list_enrolments_of_person(session, person_id=person.id):
        end_roles_of(session, actor=actor, enrolment=enrolment, ends_on=now.date(), now=now)
        give_team_role(session, actor=actor, enrolment=enrolment, person=person, now=now)
