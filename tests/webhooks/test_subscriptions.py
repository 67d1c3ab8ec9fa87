"""Patterns of event types: what they stand for, and what their owner may not hear."""

import uuid

from app.access.actor import Actor, Grant, Place
from app.access.permissions import Permission, Role
from app.webhooks.subscriptions import (
    PATTERNS,
    PING,
    TYPES,
    audible,
    inaudible,
    near_misses,
    types_of,
)

PROGRAMME = uuid.uuid4()
HERE = Place(PROGRAMME)


def _with_role(role: Role, scopes: frozenset[str] | None = None) -> Actor:
    team = uuid.uuid4() if role is Role.TEAM_LEAD else None
    grants = (Grant(role, PROGRAMME, team),)
    return Actor(uuid.uuid4(), "", "", grants, scopes=scopes)


def test_wildcards_stand_for_what_they_say() -> None:
    assert types_of([]) == types_of(["*"]) == TYPES
    assert types_of(["team.*"]) == {
        "team.created",
        "team.updated",
        "team.archived",
        "team.restored",
    }
    assert types_of(["team.created", "measure.updated"]) == {"team.created", "measure.updated"}


def test_what_is_told_of_people_who_log_in_stays_in_the_house() -> None:
    assert not [name for name in PATTERNS if name.startswith(("user.", "login_", "personal_"))]
    assert PING not in PATTERNS


def test_a_slip_of_the_hand_is_answered_with_what_was_meant() -> None:
    assert near_misses("measure.update")[0] == "measure.updated"
    assert "data_point.recorded" in near_misses("datapoint.recorded")
    assert near_misses("\U0001f600") == []


def test_a_wildcard_means_what_the_owner_may_read() -> None:
    heard = audible(["*"], owner=_with_role(Role.INTEGRATION), place=HERE)
    assert "measure.updated" in heard
    assert "participant.created" not in heard
    assert "membership.created" not in heard
    assert audible(["*"], owner=_with_role(Role.FACILITATOR), place=HERE) == TYPES


def test_the_reach_of_a_team_is_not_enough() -> None:
    lead = _with_role(Role.TEAM_LEAD)
    assert audible(["measure.*", "team.created"], owner=lead, place=HERE) == {"team.created"}


def test_the_scopes_of_a_token_narrow_it() -> None:
    narrow = _with_role(Role.FACILITATOR, frozenset({"webhook:write", "measure:read"}))
    assert audible(["*"], owner=narrow, place=HERE) == types_of(
        ["measure.*", "data_point.*", "phase.*", "annotation.*"]
    )


def test_elsewhere_nothing_is_heard() -> None:
    owner = _with_role(Role.FACILITATOR)
    assert audible([], owner=owner, place=Place(uuid.uuid4())) == frozenset()


def test_what_may_not_be_heard_is_named_by_its_place() -> None:
    patterns = ["*", "measure.*", "participant.*", "membership.created"]
    found = list(inaudible(patterns, owner=_with_role(Role.INTEGRATION), place=HERE))
    assert found == [(2, Permission.PARTICIPANT_READ), (3, Permission.MEMBERSHIP_READ)]
