"""The caller of a request, with everything that decides what it may do."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from app.access.permissions import (
    GRANTABLE,
    PLATFORM_ONLY,
    READ_WORK,
    ROLES,
    Permission,
    Reach,
    Role,
    scope_of,
)
from app.events.outbox import Origin
from app.kit.errors import Forbidden


class ScopeInsufficient(Forbidden):
    """403: the token was made without the scope that this needs."""

    code = "scope_insufficient"
    title = "The token does not have the scope that this needs."


class LoginRequired(Forbidden):
    """403: a personal token calls where only somebody who has logged in may: a token that leaks

    must not outlive its revocation by making further ones or by changing passwords.
    """

    code = "login_required"
    title = "Log in for this; a personal token cannot do it."


class Place(NamedTuple):
    """Where a thing belongs."""

    programme_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None


class Grant(NamedTuple):
    """A role that the caller has today, and where."""

    role: Role
    programme_id: uuid.UUID | None
    team_id: uuid.UUID | None


_NOWHERE: frozenset[uuid.UUID] = frozenset()


def _known(ids: Iterable[uuid.UUID | None]) -> frozenset[uuid.UUID]:
    return frozenset(place_id for place_id in ids if place_id is not None)


@dataclass(frozen=True, slots=True)
class Span:
    """How far a permission of the caller goes.

    `sharing` holds the programmes whose released projects it covers besides.
    """

    everywhere: bool = False
    programmes: frozenset[uuid.UUID] = frozenset()
    teams: frozenset[uuid.UUID] = frozenset()
    sharing: frozenset[uuid.UUID] = frozenset()

    def covers(self, place: Place, *, is_released: bool = False) -> bool:
        """Whether the place lies within; `is_released` says so of the project that it is of."""
        return (
            self.everywhere
            or place.programme_id in self.programmes
            or (place.team_id is not None and place.team_id in self.teams)
            or (is_released and place.programme_id in self.sharing)
        )

    def __bool__(self) -> bool:
        return bool(self.everywhere or self.programmes or self.teams)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls, with which grants; a personal token narrows them to its scopes and programme."""

    user_id: uuid.UUID
    email: str
    display_name: str
    grants: tuple[Grant, ...]
    login_session_id: uuid.UUID | None = None
    token_id: uuid.UUID | None = None
    scopes: frozenset[str] | None = None
    bound_programme_id: uuid.UUID | None = None
    request_id: str | None = None
    source: str | None = None  # the other system on whose behalf it acts
    # Not of `__init__`: a copy with another scope or programme must measure anew.
    _spans: dict[Permission, Span] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def origin(self) -> Origin:
        """How the caller stands in events."""
        return Origin(self.user_id, self.token_id, self.request_id, self.source)

    def span(self, permission: Permission) -> Span:
        """How far the permission goes. Raises `ScopeInsufficient` where the token leaves it out."""
        if self.scopes is not None and (scope := scope_of(permission)) not in self.scopes:
            raise ScopeInsufficient(f"This needs the scope {scope}.")
        if permission not in self._spans:
            self._spans[permission] = self._measure(permission)
        return self._spans[permission]

    def _measure(self, permission: Permission) -> Span:
        bound = self.bound_programme_id
        if bound is not None and permission in PLATFORM_ONLY:
            return Span()
        reaches = [(ROLES[grant.role].get(permission), grant) for grant in self.grants]
        if any(reach is Reach.PLATFORM for reach, _ in reaches):
            return Span(everywhere=True) if bound is None else Span(programmes=frozenset({bound}))
        here = [(reach, at) for reach, at in reaches if bound in (None, at.programme_id)]
        programmes = _known(at.programme_id for reach, at in here if reach is Reach.PROGRAMME)
        teams = _known(at.team_id for reach, at in here if reach is Reach.TEAM)
        # Whatever somebody's role in a programme is, what it releases may be read there.
        joined = _known(at.programme_id for _, at in here) if permission in READ_WORK else _NOWHERE
        return Span(programmes=programmes, teams=teams, sharing=joined - programmes)

    def can(self, permission: Permission, place: Place) -> bool:
        """Whether the permission holds at the place."""
        if self.scopes is not None and scope_of(permission) not in self.scopes:
            return False
        return self.span(permission).covers(place)

    def require(self, permission: Permission, place: Place | None = None) -> None:
        """Raise `Forbidden` unless the permission holds at the place (without one: anywhere)."""
        span = self.span(permission)
        if not (span if place is None else span.covers(place)):
            raise Forbidden(f"This needs the permission {permission}.")

    def require_login(self) -> None:
        """Raise `LoginRequired` where a personal token calls."""
        if self.token_id is not None:
            raise LoginRequired

    def grantable(self, place: Place) -> frozenset[Role]:
        """The roles that the caller may give to others at the place."""
        roles: frozenset[Role] = frozenset()
        for grant in self.grants:
            is_here = grant.programme_id in (None, place.programme_id)
            roles |= GRANTABLE.get(grant.role, frozenset()) if is_here else frozenset()
        return roles
