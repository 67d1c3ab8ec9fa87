"""The actor: how far each role's permissions go, and that a token only ever narrows them."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.actor import Actor, Grant, LoginRequired, Place, ScopeInsufficient, Span
from app.access.permissions import (
    GRANTABLE,
    PLATFORM_ONLY,
    READ_WORK,
    ROLES,
    SCOPES,
    TEAM_ROLES,
    Permission,
    Reach,
    Role,
    scope_of,
)
from app.kit.errors import Forbidden

HOME, AWAY = uuid.uuid4(), uuid.uuid4()
TEAM, SIBLING, FOREIGN = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
PLACES = [
    Place(),
    Place(HOME),
    Place(HOME, TEAM),
    Place(HOME, SIBLING),
    Place(AWAY),
    Place(AWAY, FOREIGN),
]
WITHIN = {
    Reach.TEAM: {Place(HOME, TEAM)},
    Reach.PROGRAMME: {Place(HOME), Place(HOME, TEAM), Place(HOME, SIBLING)},
    Reach.PLATFORM: set(PLACES),
    None: set(),
}


def make_actor(
    *grants: Grant,
    scopes: frozenset[str] | None = None,
    bound_programme_id: uuid.UUID | None = None,
) -> Actor:
    return Actor(
        uuid.uuid4(),
        "ada@example.org",
        "Ada Example",
        grants,
        token_id=None if scopes is None else uuid.uuid4(),
        scopes=scopes,
        bound_programme_id=bound_programme_id,
    )


def grant(role: Role) -> Grant:
    if role is Role.PLATFORM_ADMIN:
        return Grant(role, None, None)
    return Grant(role, HOME, TEAM if role in TEAM_ROLES else None)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_reaches_as_far_as_the_table_says(role: Role, permission: Permission) -> None:
    actor = make_actor(grant(role))
    allowed = {place for place in PLACES if actor.can(permission, place)}
    assert allowed == WITHIN[ROLES[role].get(permission)]


def test_without_a_grant_nothing_is_allowed() -> None:
    nobody = make_actor()
    for permission in Permission:
        assert not nobody.span(permission)
        with pytest.raises(Forbidden):
            nobody.require(permission)


def test_grants_add_up() -> None:
    actor = make_actor(
        Grant(Role.OBSERVER, AWAY, None), grant(Role.MEMBER), Grant(Role.MEMBER, HOME, SIBLING)
    )
    span = actor.span(Permission.PROJECT_READ)
    assert span == Span(
        programmes=frozenset({AWAY}),
        teams=frozenset({TEAM, SIBLING}),
        sharing=frozenset({HOME}),
    )
    assert actor.can(Permission.PDSA_CYCLE_WRITE, Place(HOME, SIBLING))
    assert not actor.can(Permission.PDSA_CYCLE_WRITE, Place(AWAY, FOREIGN))


def test_require_names_the_permission() -> None:
    actor = make_actor(grant(Role.MEMBER))
    actor.require(Permission.DATA_POINT_RECORD, Place(HOME, TEAM))
    with pytest.raises(Forbidden, match="data_point:record"):
        actor.require(Permission.DATA_POINT_RECORD, Place(HOME, SIBLING))


def test_a_missing_scope_is_told_of() -> None:
    actor = make_actor(grant(Role.FACILITATOR), scopes=frozenset({"project:read"}))
    actor.require(Permission.PROJECT_READ, Place(HOME))
    with pytest.raises(ScopeInsufficient, match="project:write"):
        actor.require(Permission.PROJECT_WRITE, Place(HOME))
    assert not actor.can(Permission.PROJECT_WRITE, Place(HOME))


def test_a_bound_administrator_sees_one_programme_and_no_people() -> None:
    actor = make_actor(grant(Role.PLATFORM_ADMIN), scopes=SCOPES, bound_programme_id=HOME)
    assert actor.span(Permission.PROGRAMME_READ) == Span(programmes=frozenset({HOME}))
    for permission in PLATFORM_ONLY:
        assert not actor.span(permission)


def test_only_a_login_is_a_login() -> None:
    make_actor().require_login()
    with pytest.raises(LoginRequired):
        make_actor(scopes=SCOPES).require_login()


def test_what_can_be_granted_stays_at_its_place() -> None:
    facilitator = make_actor(grant(Role.FACILITATOR))
    assert facilitator.grantable(Place(HOME, TEAM)) == GRANTABLE[Role.FACILITATOR]
    assert facilitator.grantable(Place(AWAY)) == frozenset()
    assert facilitator.grantable(Place()) == frozenset()
    assert make_actor(grant(Role.TEAM_LEAD)).grantable(Place(HOME, TEAM)) == frozenset()
    assert make_actor(grant(Role.PLATFORM_ADMIN)).grantable(Place(AWAY)) == frozenset(Role)


def test_nobody_can_grant_more_than_they_have() -> None:
    """Each permission of a role that can be given is one that the giver has, as far or further."""
    for giver, given_roles in GRANTABLE.items():
        for role in given_roles - {Role.PLATFORM_ADMIN, giver}:
            for permission, reach in ROLES[role].items():
                assert ROLES[giver].get(permission, 0) >= reach, (giver, role, permission)


grants = st.sampled_from(
    [
        *(grant(role) for role in Role),
        Grant(Role.FACILITATOR, AWAY, None),
        Grant(Role.MEMBER, AWAY, FOREIGN),
        Grant(Role.COACH, HOME, SIBLING),
    ]
)


@given(
    held=st.lists(grants, max_size=4),
    scopes=st.frozensets(st.sampled_from(sorted(SCOPES))),
    bound=st.sampled_from([None, HOME, AWAY, uuid.uuid4()]),
    permission=st.sampled_from(Permission),
    place=st.sampled_from(PLACES),
)
def test_a_token_never_exceeds_its_grant(
    held: list[Grant],
    scopes: frozenset[str],
    bound: uuid.UUID | None,
    permission: Permission,
    place: Place,
) -> None:
    """domain.md 16.13: what a token may do, its owner may do, its scope names, its binding has."""
    owner = make_actor(*held)
    token = make_actor(*held, scopes=scopes, bound_programme_id=bound)
    if token.can(permission, place):
        assert owner.can(permission, place)
        assert scope_of(permission) in scopes
        assert bound in (None, place.programme_id)
    elif scope_of(permission) in scopes and bound is None:
        assert not owner.can(permission, place)


@pytest.mark.parametrize("role", Role)
def test_what_is_released_in_a_programme_may_be_read_in_any_role_there(role: Role) -> None:
    actor = make_actor(grant(role))
    for permission in READ_WORK:
        assert actor.span(permission).covers(Place(HOME, SIBLING), is_released=True)
        is_everywhere = role is Role.PLATFORM_ADMIN
        span = actor.span(permission)
        assert span.covers(Place(AWAY, FOREIGN), is_released=True) is is_everywhere
    assert actor.span(Permission.RELEASE_READ).sharing == frozenset()
    assert actor.span(Permission.PROJECT_WRITE).sharing == frozenset()


def test_a_bound_token_reads_what_is_released_in_its_programme_alone() -> None:
    grants = (grant(Role.MEMBER), Grant(Role.COMMISSIONER, AWAY, None))
    actor = make_actor(*grants, bound_programme_id=AWAY, scopes=frozenset({"project:read"}))
    assert actor.span(Permission.PROJECT_READ) == Span(sharing=frozenset({AWAY}))
