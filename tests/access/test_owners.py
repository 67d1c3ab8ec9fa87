"""Whom endpoints, operations and connections act for: until person or token may act no more."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from app.access.actor import Place, ScopeInsufficient
from app.access.owners import find_owners
from app.access.permissions import Permission, Role
from app.identity.models import User
from app.kit.ids import new_id
from tests.builders import make_membership, make_programme, make_user
from tests.exchange import Belonging, make_personal_token

NOW = datetime(2018, 1, 8, 9, 30, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def ada(session: Session) -> User:
    return make_user(session)


@pytest.mark.parametrize(
    ("over", "acts"),
    [
        ({"expires_at": NOW + INSTANT}, True),
        ({"expires_at": NOW}, False),
        ({"expires_at": NOW - INSTANT}, False),
        ({"expires_at": NOW + INSTANT, "revoked_at": NOW}, False),
    ],
)
def test_a_token_acts_until_it_is_revoked_or_expires(
    session: Session, ada: User, over: dict[str, Any], acts: bool
) -> None:
    token = make_personal_token(session, user_id=ada.id, **over)
    row = Belonging(ada.id, token.id, token.scopes)
    found = find_owners(session, [row], now=NOW)
    assert (row.id in found) is acts


def test_a_token_that_nobody_knows_does_not_act(session: Session, ada: User) -> None:
    assert find_owners(session, [Belonging(ada.id, new_id(), [])], now=NOW) == {}


def test_of_many_each_has_its_own_owner_and_scopes(session: Session, ada: User) -> None:
    programme = make_programme(session)
    make_membership(session, user=ada, role=Role.FACILITATOR, programme=programme)
    make_membership(session, user=ada, role=Role.OBSERVER, programme=make_programme(session))
    past: dict[str, Any] = {"starts_on": NOW.date() - timedelta(days=9), "ends_on": NOW.date()}
    make_membership(session, user=ada, role=Role.COMMISSIONER, programme=programme, **past)
    bob, gone = make_user(session), make_user(session, disabled_at=NOW)
    token = make_personal_token(session, user_id=ada.id, expires_at=NOW + INSTANT)
    by_login, by_bob, by_gone = (Belonging(user.id) for user in (ada, bob, gone))
    by_token = Belonging(ada.id, token.id, token.scopes)
    found = find_owners(session, [by_login, by_token, by_bob, by_gone], now=NOW)
    assert found.keys() == {by_login.id, by_token.id, by_bob.id}
    assert {grant.role for grant in found[by_login.id].grants} == {Role.FACILITATOR, Role.OBSERVER}
    assert found[by_login.id].email == ada.email
    assert (found[by_login.id].token_id, found[by_login.id].scopes) == (None, None)
    assert found[by_token.id].origin.token_id == token.id
    assert found[by_token.id].can(Permission.WEBHOOK_WRITE, Place(programme.id))
    with pytest.raises(ScopeInsufficient):
        found[by_token.id].require(Permission.TEAM_READ)
    assert found[by_bob.id].grants == ()


def test_any_number_costs_one_statement_or_two_with_tokens(
    session: Session, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    people = [make_user(session) for _ in range(20)]
    rows = [Belonging(user.id) for user in people]
    tokens = [make_personal_token(session, user_id=user.id) for user in people]
    made = [
        Belonging(user.id, token.id, token.scopes)
        for user, token in zip(people, tokens, strict=True)
    ]
    for given, statements in (([], 0), (rows * 3, 1), (rows + made, 2)):
        with count_queries() as counted:
            found = find_owners(session, given, now=NOW)
        assert len(counted) == statements
        assert found.keys() == {row.id for row in given}


def test_a_copy_for_one_programme_measures_its_permissions_anew(
    session: Session, ada: User
) -> None:
    """What an actor may do is remembered in it; a narrower copy must not inherit that."""
    here, there = make_programme(session), make_programme(session)
    for programme in (here, there):
        make_membership(session, user=ada, role=Role.FACILITATOR, programme=programme)
    row = Belonging(ada.id)
    wide = find_owners(session, [row], now=NOW)[row.id]
    assert wide.can(Permission.PROJECT_WRITE, Place(there.id))
    narrow = replace(wide, bound_programme_id=here.id)
    assert narrow.can(Permission.PROJECT_WRITE, Place(here.id))
    assert not narrow.can(Permission.PROJECT_WRITE, Place(there.id))
