"""Gives and ends roles."""

import uuid
from datetime import date, datetime

from sqlmodel import Session, col, select

from app.access import records
from app.access.actor import Actor, Place
from app.access.memberships import queries
from app.access.memberships.schemas import MembershipCreate
from app.access.models import Membership
from app.access.permissions import TEAM_ROLES, Permission, Role
from app.access.places import get_place_reference
from app.events.catalogue import Resource, Verb
from app.identity.models import User
from app.identity.queries import find_user_by_email
from app.kit.errors import (
    AlreadyExists,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    ReferenceNotFound,
    pointer,
)


class LastPlatformAdmin(Conflict):
    """409: without an active platform_admin nobody could give that role to anybody again."""

    code = "last_platform_admin"
    title = "This is the last active platform_admin; give the role to somebody else first."


class RoleNotGrantable(Forbidden):
    """403: the caller may give and end roles here, but not this one."""

    code = "role_not_grantable"
    title = "Your role does not allow you to give or end that role."


def refuse_last_admin(session: Session, *, user_id: uuid.UUID, today: date) -> None:
    """Raise `LastPlatformAdmin` if the person is the only one left."""
    if queries.lock_platform_admins(session, day=today) == {user_id}:
        raise LastPlatformAdmin


def _check_shape(role: Role, place: Place) -> None:
    """Where a role points: nowhere, to a programme, or to a team of a programme."""
    wanted = {
        "programme_id": role is not Role.PLATFORM_ADMIN,
        "team_id": role in TEAM_ROLES,
    }
    faults = []
    for name, is_wanted in wanted.items():
        if (getattr(place, name) is not None) != is_wanted:
            code = "missing" if is_wanted else "not_for_this_role"
            detail = f"A {role} {'needs' if is_wanted else 'has no'} {name}."
            faults.append(FieldError(code=code, detail=detail, pointer=pointer(name)))
    if faults:
        raise Invalid(errors=faults)


def _require_grant(actor: Actor, role: Role, place: Place) -> None:
    """The permission at the place, and the role among those that the caller may hand on."""
    actor.require(Permission.MEMBERSHIP_GRANT, place)
    if role not in actor.grantable(place):
        raise RoleNotGrantable
    if role is Role.PLATFORM_ADMIN:
        actor.require_login()


def _lock_user(session: Session, data: MembershipCreate) -> User:
    """The person, locked: the same role must not be given twice at once."""
    user_id, field = data.user_id, "user_id"
    if data.email is not None:
        named = find_user_by_email(session, data.email)
        user_id, field = named.id if named else None, "email"
    statement = select(User).where(col(User.id) == user_id).with_for_update(key_share=True)
    user = session.exec(statement).one_or_none()
    if user is None:
        raise ReferenceNotFound.in_field(field)
    return user


def create_membership(
    session: Session, *, actor: Actor, data: MembershipCreate, now: datetime
) -> Membership:
    """Give a role. The same role at the same place cannot be held twice on one day."""
    actor.require(Permission.MEMBERSHIP_GRANT)
    place = Place(data.programme_id, data.team_id)
    _check_shape(data.role, place)
    get_place_reference(session, actor=actor, place=place)
    _require_grant(actor, data.role, place)
    starts_on = data.starts_on or now.date()
    if data.ends_on is not None and data.ends_on <= starts_on:
        raise Invalid.at("ends_on", code="ends_before_start", detail="End it after its start.")
    row = Membership(
        user_id=_lock_user(session, data).id,
        role=data.role,
        programme_id=place.programme_id,
        team_id=place.team_id,
        starts_on=starts_on,
        ends_on=data.ends_on,
    )
    stated = row.model_dump(
        include={"user_id", "role", "programme_id", "team_id", "starts_on", "ends_on"}
    )
    if queries.overlaps(session, **stated):
        fault = FieldError(
            code=AlreadyExists.code, detail="The person has this role.", pointer=pointer("role")
        )
        raise AlreadyExists("The person has this role here on these days.", errors=[fault])
    return records.keep_new(
        session, actor=actor, noun=Resource.MEMBERSHIP, row=row, now=now, data=_data(row)
    )


def end_membership(
    session: Session,
    *,
    actor: Actor,
    membership_id: uuid.UUID,
    ends_on: date | None,
    now: datetime,
) -> Membership:
    """End a role on a day to come or at once; what has ended stays as it is.

    It works in an archived programme too: taking a role away must always be possible.
    """
    row = queries.get_membership(session, actor=actor, membership_id=membership_id)
    _require_grant(actor, row.role, Place(row.programme_id, row.team_id))
    today = now.date()
    if row.ends_on is not None and row.ends_on <= max(today, row.starts_on):
        return row
    ends_on = ends_on or max(today, row.starts_on)
    _check_end(row, ends_on, today)
    if row.role is Role.PLATFORM_ADMIN:
        refuse_last_admin(session, user_id=row.user_id, today=today)
    return records.keep_changes(
        session,
        actor=actor,
        noun=Resource.MEMBERSHIP,
        row=row,
        values={"ends_on": ends_on},
        now=now,
        verb=Verb.ENDED,
        data=_data(row),
    )


def _check_end(row: Membership, ends_on: date, today: date) -> None:
    if ends_on < max(today, row.starts_on):
        detail = "A role cannot end in the past, nor before its start."
        raise Invalid.at("ends_on", code="ends_too_early", detail=detail)
    if row.ends_on is not None and ends_on > row.ends_on:
        detail = f"It ends on {row.ends_on} already; give the role anew to prolong it."
        raise Invalid.at("ends_on", code="ends_too_late", detail=detail)


def _data(row: Membership) -> dict[str, object]:
    return {"user_id": row.user_id, "role": row.role, "team_id": row.team_id}
