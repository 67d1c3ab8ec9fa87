"""Annotations over HTTP: what is kept, who may, what is refused, and that each moves the series."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.measures.models import AnnotationKind, Measure
from tests.builders import make_annotation, make_cycle, make_measure
from tests.calling import Caller
from tests.measures.bodies import data_of, events_of, refused, series_of
from tests.world import World

Call = Callable[..., Caller]
SIGNAL = "3f6c1a9be27d4c05"
BODY: dict[str, Any] = {"happened_on": "2018-03-05", "text": "Half-term"}


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project)


@pytest.fixture
def member(call: Call, world: World) -> Caller:
    return call(world.member)


@pytest.fixture
def path(measure: Measure) -> str:
    return f"/measures/{measure.id}/annotations"


def test_create(
    member: Caller, world: World, session: Session, measure: Measure, path: str
) -> None:
    cycle = make_cycle(session, project=world.project)
    body = BODY | {
        "kind": "pdsa",
        "explains": [SIGNAL, SIGNAL],
        "pdsa_cycle_ids": [str(cycle.id).upper()],
    }
    response = member.post(path, body)
    assert response.status_code == 201, response.text
    made = response.json()
    assert response.headers["Location"] == f"/api/v1/annotations/{made['id']}"
    assert (made["happened_on"], made["kind"], made["text"]) == (
        "2018-03-05",
        "pdsa",
        "Half-term",
    )
    assert (made["explains"], made["pdsa_cycle_ids"]) == ([SIGNAL], [str(cycle.id)])
    assert made["created_by"] == str(world.member.id)
    assert member.ok(f"/annotations/{made['id']}") == made
    assert series_of(member, measure) == (1, 1)
    event = events_of(session, measure.id)[0]
    assert (event.type, data_of(event)["measure_id"]) == ("annotation.created", str(measure.id))
    assert "Half-term" not in event.payload


def test_defaults(member: Caller, path: str) -> None:
    made = member.create(path, BODY)
    assert (made["kind"], made["explains"], made["pdsa_cycle_ids"]) == ("note", [], [])


@pytest.mark.parametrize(
    ("over", "pointer", "code"),
    [
        ({"text": "  "}, "#/text", "string_too_short"),
        ({"text": "x" * 2_001}, "#/text", "string_too_long"),
        ({"text": "NHS number 943 476 5919"}, "#/text", "patient_identifier_suspected"),
        ({"text": "a\x00"}, "#/text", "unstorable_text"),
        ({"kind": "pdsa_start"}, "#/kind", "enum"),
        ({"happened_on": "2018-02-30"}, "#/happened_on", "date_from_datetime_parsing"),
        ({"explains": ["shift"]}, "#/explains/0", "string_pattern_mismatch"),
        ({"explains": [SIGNAL] * 51}, "#/explains", "too_long"),
        ({"surprise": 1}, "#/surprise", "extra_forbidden"),
    ],
)
def test_what_is_refused(
    member: Caller, path: str, over: dict[str, Any], pointer: str, code: str
) -> None:
    refused(member.post(path, BODY | over), 422, code, pointer)


def test_cycles_of_the_project_only(
    member: Caller, world: World, session: Session, path: str
) -> None:
    other = make_cycle(session, project=world.other_project)
    body = {"pdsa_cycle_ids": [str(other.id)]}
    pointer = "#/pdsa_cycle_ids/0"
    refused(member.post(path, BODY | body), 422, "reference_not_found", pointer)
    made = member.create(path, BODY)
    refused(member.patch(f"/annotations/{made['id']}", body), 422, "reference_not_found", pointer)


def test_change_archive_restore(
    member: Caller, session: Session, measure: Measure, path: str
) -> None:
    made = member.create(path, BODY | {"explains": [SIGNAL]})
    one = f"/annotations/{made['id']}"
    refused(member.patch(one, {"text": "x"}, if_match='"9"'), 412, "revision_mismatch")
    refused(member("PATCH", one, json={"text": "x"}), 428, "precondition_required")
    refused(member.patch(one, {"text": None}), 422, "string_type", "#/text")
    changed = member.patch(one, {"explains": [], "kind": "event"}).json()
    assert (changed["explains"], changed["kind"], changed["text"]) == ([], "event", "Half-term")
    assert member.patch(one, {"kind": "event"}).json()["revision"] == 2
    assert series_of(member, measure) == (1, 2)
    assert member.delete(one).status_code == 204
    assert member.delete(one).status_code == 204
    refused(member.patch(one, {"text": "x"}), 409, "archived")
    assert member.ok(path)["items"] == []
    assert [item["id"] for item in member.ok(path, archived="any")["items"]] == [made["id"]]
    assert member.post(f"{one}/restore").json()["archived_at"] is None
    assert member.post(f"{one}/restore").status_code == 200
    assert series_of(member, measure) == (1, 4)
    types = [event.type for event in events_of(session, measure.id)]
    verbs = ["created", "updated", "archived", "restored"]
    assert types == [f"annotation.{verb}" for verb in verbs]


def test_nothing_under_an_archived_parent(
    call: Call, world: World, member: Caller, path: str, measure: Measure
) -> None:
    made = member.create(path, BODY)
    call(world.team_lead).delete(f"/measures/{measure.id}")
    refused(member.post(path, BODY), 409, "archived")
    refused(member.patch(f"/annotations/{made['id']}", {"text": "x"}), 409, "archived")
    refused(member.post(f"/annotations/{made['id']}/restore"), 409, "archived")


def test_list(member: Caller, session: Session, measure: Measure, path: str) -> None:
    for day, kind in ((9, AnnotationKind.NOTE), (2, AnnotationKind.CHANGE)):
        make_annotation(session, measure=measure, happened_on=date(2018, 4, day), kind=kind)
    make_annotation(session)

    def days(**params: Any) -> list[str]:
        return [item["happened_on"] for item in member.ok(path, **params)["items"]]

    assert days() == ["2018-04-02", "2018-04-09"]
    assert days(sort="-happened_on") == ["2018-04-09", "2018-04-02"]
    assert days(kind="change") == ["2018-04-02"]
    assert days(happened_on_from="2018-04-03") == ["2018-04-09"]
    assert days(happened_on_to="2018-04-02") == ["2018-04-02"]


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.FACILITATOR, 201), (Role.MEMBER, 201), (Role.OBSERVER, 403), (Role.COMMISSIONER, 404)],
)
def test_who_may(call: Call, world: World, path: str, role: Role, status: int) -> None:
    assert call(world.people[role]).post(path, BODY).status_code == status
