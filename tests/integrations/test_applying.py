"""What each action of a mapping does: create, change, leave alone, refuse."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.models import Membership
from app.access.permissions import Role
from app.identity.models import PersonalToken
from app.kit.clock import utc_now
from tests.builders import make_measure, make_membership, make_user
from tests.calling import Caller
from tests.exchange import make_reference
from tests.integrations.sending import (
    MAPPING,
    Platform,
    connect,
    measure,
    points,
    project,
)
from tests.world import World

POINT = {"date": "2018-01-01", "n": 8, "d": 20}


@pytest.fixture
def one(platform: Platform, facilitator: Caller) -> Callable[[str], dict[str, Any]]:
    """The one resource of a list that the platform calls so."""

    def find(path: str, ref: str = "lifeqi:7") -> dict[str, Any]:
        items: list[dict[str, Any]] = facilitator.ok(path, external_ref=ref)["items"]
        assert len(items) == 1
        return items[0]

    return find


def test_a_project_is_created_changed_and_left_alone(
    platform: Platform, one: Callable[..., dict[str, Any]]
) -> None:
    assert platform.outcome(project()) == ("applied", None)
    assert platform.outcome(project()) == ("unchanged", None)
    assert one("/projects")["revision"] == 1
    assert platform.outcome(project(name="Access today")) == ("applied", None)
    changed = one("/projects")
    assert (changed["title"], changed["problem"]) == ("Access today", "People wait.")
    assert changed["revision"] == 2
    without = {"event": "project.saved", "project": {"id": "7", "name": "Access"}}
    assert platform.outcome(without) == ("applied", None)
    assert one("/projects")["problem"] == "People wait."
    assert platform.outcome(project(why=None)) == ("applied", None)
    assert one("/projects")["problem"] is None


def test_a_project_of_a_team(
    platform: Platform, facilitator: Caller, world: World, one: Callable[..., dict[str, Any]]
) -> None:
    assert platform.outcome(project(team=5)) == ("refused", "reference_not_found")
    facilitator.create(
        f"/programmes/{world.programme.id}/external-references",
        {
            "system": "lifeqi",
            "resource_type": "team",
            "resource_id": str(world.team.id),
            "external_id": "5",
        },
    )
    assert platform.outcome(project(team=5)) == ("applied", None)
    assert one("/projects")["team_id"] == str(world.team.id)
    assert platform.outcome(project(team=None)) == ("unchanged", None)


def test_a_measure_is_created_changed_and_left_alone(
    platform: Platform, one: Callable[..., dict[str, Any]]
) -> None:
    assert platform.outcome(measure()) == ("refused", "reference_not_found")
    platform.send(project())
    assert platform.outcome(measure()) == ("applied", None)
    assert platform.outcome(measure()) == ("unchanged", None)
    assert platform.outcome(measure(kind="Process")) == ("applied", None)
    path = f"/projects/{one('/projects')['id']}/measures"
    assert one(path, "lifeqi:70")["family"] == "process"
    assert platform.outcome(measure(kind="Cost")) == ("refused", "untranslatable")


def test_points_are_recorded_corrected_and_left_alone(
    platform: Platform, one: Callable[..., dict[str, Any]], facilitator: Caller
) -> None:
    platform.send(project())
    platform.send(measure())
    assert platform.outcome(points(POINT)) == ("applied", None)
    assert platform.outcome(points(POINT)) == ("unchanged", None)
    assert platform.outcome(points()) == ("unchanged", None)
    measure_id = one(f"/projects/{one('/projects')['id']}/measures", "lifeqi:70")["id"]
    excluded = POINT | {"out": True, "why": "Snow"}
    assert platform.outcome(points(excluded)) == ("applied", None)
    (stored,) = facilitator.ok(f"/measures/{measure_id}/data-points")["items"]
    assert (stored["excluded"], stored["excluded_reason"]) == (True, "Snow")


REFUSED: list[tuple[dict[str, Any], str]] = [
    (project(name=None), "validation_failed"),
    (project(name="x" * 201), "validation_failed"),
    (project(name="a\x00b"), "validation_failed"),
    (project(name=["a"]), "validation_failed"),
    ({"event": "project.saved", "project": {"id": 9}}, "validation_failed"),
    (project(None), "external_id_missing"),
    (project(True), "external_id_missing"),
    (project({}), "external_id_missing"),
    (project(""), "external_id_missing"),
    (project("x" * 201), "external_id_missing"),
    (project("a\x00b"), "external_id_missing"),
    ({"event": "project.saved"}, "external_id_missing"),
    (measure(definition="NHS 943 476 5919"), "validation_failed"),
    (points({"date": "2018-01-01", "n": 30, "d": 20}), "validation_failed"),
    (points({"date": "soon", "n": 1, "d": 2}), "validation_failed"),
    (points({"date": "2018-01-01", "n": "1", "d": 2}), "validation_failed"),
    (points(POINT, POINT), "validation_failed"),
    (points(*[POINT] * 5_001), "validation_failed"),
    ({"event": "data.saved", "measure": 70, "points": {}}, "items_missing"),
    ({"event": "data.saved", "measure": 70}, "items_missing"),
    (points(POINT, of=71), "reference_not_found"),
]


@pytest.mark.parametrize(("message", "code"), REFUSED)
def test_what_is_refused_writes_nothing(
    platform: Platform, facilitator: Caller, message: dict[str, Any], code: str
) -> None:
    platform.send(project())
    platform.send(measure(name="a"))
    before = facilitator.ok("/projects", with_total=True)["total"]
    response = platform.send(message)
    assert response.status_code == 202
    assert (response.json()["outcome"], response.json()["code"]) == ("refused", code)
    detail = response.json()["detail"]
    assert 0 < len(detail) <= 500
    assert "943" not in detail
    assert detail.isprintable()
    assert facilitator.ok("/projects", with_total=True)["total"] == before
    line = facilitator.ok(f"/inbound-events/{response.json()['id']}")
    assert line["detail"] == detail
    assert line["resource_id"] is None


def test_several_faults_are_told(platform: Platform) -> None:
    platform.send(project())
    platform.send(measure())
    bad = [{"date": f"2018-01-0{day}", "n": 30, "d": 20} for day in range(1, 6)]
    detail = platform.send(points(*bad)).json()["detail"]
    assert "#/items/0/numerator" in detail
    assert detail.endswith("2 further faults.")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"event": "project.deleted", "project": {"id": 7}}, "by_rule"),
        ({"event": "user.created"}, "no_rule"),
        ({"event": ["project.saved"]}, "no_rule"),
        ({"event": "x" * 101}, "no_rule"),
        ({"event": "a\x00b"}, "no_rule"),
        ({}, "no_rule"),
    ],
)
def test_what_is_ignored(platform: Platform, message: dict[str, Any], code: str) -> None:
    assert platform.outcome(message) == ("ignored", code)


def test_a_message_without_a_type_can_have_a_rule(
    call: Callable[..., Caller], facilitator: Caller, world: World
) -> None:
    rules = [{**MAPPING["rules"][1], "event_type": "*"}]
    platform = connect(facilitator, call(None), world.programme.id, mapping={"rules": rules})
    assert platform.outcome({"project": {"id": 1, "name": "Access"}}) == ("applied", None)


def test_a_point_may_be_the_message_itself(
    call: Callable[..., Caller], facilitator: Caller, world: World, session: Session
) -> None:
    row = make_measure(session, project=world.project)
    make_reference(
        session,
        project=world.project,
        resource_type="measure",
        resource_id=row.id,
        external_id="m",
    )
    fields = {
        "period_start": {"pointer": "/rows/0/a~1b"},
        "numerator": {"pointer": "/rows/0/c~0d"},
        "denominator": {"constant": 20},
    }
    rule = {"event_type": "*", "action": "record_data_points", "external_id": "/m"}
    mapping = {"rules": [rule | {"fields": fields}]}
    platform = connect(facilitator, call(None), world.programme.id, mapping=mapping)
    message = {"m": "m", "rows": [{"a/b": "2018-01-01", "c~d": 5}]}
    assert platform.outcome(message) == ("applied", None)
    assert platform.outcome({"m": "m", "rows": {"0": {"a/b": "2018-01-08", "c~d": 5}}}) == (
        "applied",
        None,
    )
    assert platform.outcome({"m": "m", "rows": []}) == ("refused", "validation_failed")


def test_what_is_archived_is_refused(
    platform: Platform,
    facilitator: Caller,
    call: Callable[..., Caller],
    world: World,
    one: Callable[..., dict[str, Any]],
) -> None:
    platform.send(project())
    project_id = one("/projects")["id"]
    facilitator.delete(f"/projects/{project_id}")
    assert platform.outcome(project(name="New")) == ("refused", "archived")
    facilitator.post(f"/projects/{project_id}/restore")
    assert call(world.admin).delete(f"/programmes/{world.programme.id}").status_code == 204
    assert platform.outcome(project(name="New")) == ("refused", "archived")
    assert platform.outcome(project(8)) == ("refused", "archived")


def test_it_may_do_what_its_owner_may_today(
    platform: Platform, session: Session, world: World
) -> None:
    platform.send(project())
    held = session.exec(
        select(Membership).where(col(Membership.user_id) == world.facilitator.id)
    ).one()
    held.role = Role.OBSERVER
    session.commit()
    assert platform.outcome(project(name="New")) == ("refused", "forbidden")
    held.ends_on = utc_now().date()
    session.commit()
    assert platform.outcome(project(name="New")) == ("refused", "not_found")
    world.facilitator.disabled_at = utc_now()
    session.add(world.facilitator)
    session.commit()
    assert platform.outcome(project(name="New")) == ("refused", "owner_gone")


def _revoke(token: PersonalToken) -> None:
    token.revoked_at = utc_now()


def _expire(token: PersonalToken) -> None:
    token.expires_at = utc_now()


@pytest.mark.parametrize("end", [_revoke, _expire])
def test_it_acts_as_long_as_the_token_that_made_it(
    end: Callable[[PersonalToken], None],
    facilitator: Caller,
    call: Callable[..., Caller],
    world: World,
    session: Session,
) -> None:
    """And is answered then as if its owner might no longer log in: the sender learns no more."""
    scopes = ("integration:write", "programme:read", "project:read", "project:write")
    holder = facilitator.with_token(*scopes)
    platform = connect(holder, call(None), world.programme.id)
    assert platform.outcome(project()) == ("applied", None)
    end(session.exec(select(PersonalToken)).one())
    session.commit()
    silenced = platform.send(project(name="New"), message_id="msg_1")
    assert (silenced.status_code, silenced.json()["code"]) == (202, "owner_gone")

    # By a login, a new secret makes it act again; it then lasts as long as the person.
    path = f"{platform.path}/rotate-secret"
    platform.integration = facilitator.post(path, {}).json()
    assert platform.outcome(project(name="New"), message_id="msg_1") == ("applied", None)
    world.facilitator.disabled_at = utc_now()
    session.add(world.facilitator)
    session.commit()
    gone = platform.send(project(name="Newer"), message_id="msg_2")
    told = {"outcome", "code", "detail"}
    assert {name: gone.json().get(name) for name in told} == {
        name: silenced.json().get(name) for name in told
    }


def test_it_acts_in_its_programme_only(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    """Even for an administrator, whose roles reach everywhere; a team of another is not found."""
    platform = connect(call(world.admin), call(None), world.programme.id)
    make_reference(
        session,
        project=world.project,
        resource_type="team",
        resource_id=world.foreign_team.id,
        external_id="5",
    )
    assert platform.outcome(project()) == ("applied", None)
    assert platform.outcome(project(8, team=5)) == ("refused", "reference_not_found")


def test_the_scopes_of_the_token_that_made_it_narrow_it(
    call: Callable[..., Caller], facilitator: Caller, world: World
) -> None:
    scopes = ("integration:read", "integration:write", "programme:read", "project:write")
    platform = connect(facilitator.with_token(*scopes), call(None), world.programme.id)
    assert platform.integration["scopes"] == sorted(scopes)
    refused = platform.send(project()).json()
    assert (refused["outcome"], refused["code"]) == ("refused", "scope_insufficient")
    more = facilitator.with_token(*scopes, "project:read")
    wider = connect(more, call(None), world.programme.id, system="wider")
    assert wider.outcome(project()) == ("applied", None)
    assert wider.outcome(measure()) == ("refused", "scope_insufficient")


def test_whoever_changes_what_it_does_answers_for_it(
    platform: Platform, facilitator: Caller, session: Session, world: World, call: Any
) -> None:
    """A narrow token must not make a wide connection do its will, nor learn its secret."""
    scopes = ("integration:read", "integration:write", "programme:read")
    narrow = facilitator.with_token(*scopes)
    assert narrow.patch(platform.path, {"name": "Renamed"}).json()["scopes"] is None
    changed = narrow.patch(platform.path, {"mapping": {"type": "/event", "rules": []}})
    assert changed.json()["scopes"] == sorted(scopes)
    colleague = make_user(session)
    make_membership(
        session,
        user=colleague,
        role=Role.FACILITATOR,
        programme=world.programme,
        starts_on=date(2017, 1, 1),
    )
    rotated = call(colleague).post(f"{platform.path}/rotate-secret", {}).json()
    assert rotated["owner_id"] == str(colleague.id)
    assert rotated["scopes"] is None


def test_an_id_of_the_platform_stands_for_what_it_was_given_to(
    platform: Platform, facilitator: Caller, world: World, session: Session
) -> None:
    make_reference(session, project=world.other_project, external_id="7")
    assert platform.outcome(project(name="Ours before")) == ("applied", None)
    assert facilitator.ok(f"/projects/{world.other_project.id}")["title"] == "Ours before"
