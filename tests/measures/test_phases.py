"""Phases over HTTP: who may decide, what is refused, which events, and what moves the series."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.measures.models import Measure, PhaseStatus
from tests.builders import make_cycle, make_data_point, make_measure, make_phase
from tests.calling import Caller
from tests.measures.bodies import data_of, events_of, refused, series_of
from tests.world import World

Call = Callable[..., Caller]
BODY: dict[str, Any] = {"starts_on": "2018-03-05", "reason": "change_adopted"}


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project)


@pytest.fixture
def lead(call: Call, world: World) -> Caller:
    return call(world.team_lead)


@pytest.fixture
def path(measure: Measure) -> str:
    return f"/measures/{measure.id}/phases"


def _move(caller: Caller, phase: dict[str, Any], to: str, **more: Any) -> Any:
    return caller.post(f"/phases/{phase['id']}/transitions", {"to": to, **more})


def test_create(lead: Caller, world: World, session: Session, measure: Measure, path: str) -> None:
    cycle = make_cycle(session, project=world.project)
    checklist = {
        "cause_known": True,
        "linked_to_adopted_change": False,
        "sustained": True,
        "expected_to_persist": True,
        "old_limits_no_longer_useful": False,
    }
    body = BODY | {
        "label": "Guarded slot",
        "reason_text": "Held for a month",
        "baseline_points": 12,
        "checklist": checklist,
        "pdsa_cycle_ids": [str(cycle.id), str(cycle.id)],
    }
    response = lead.post(path, body)
    assert response.status_code == 201, response.text
    made = response.json()
    assert response.headers["Location"] == f"/api/v1/phases/{made['id']}"
    assert {name: made[name] for name in body} == body | {"pdsa_cycle_ids": [str(cycle.id)]}
    assert made["status"] == "approved"
    assert made["decided_by"] == made["created_by"] == str(world.team_lead.id)
    assert made["decided_at"] is not None
    assert (made["detector"], made["candidate_id"]) == (None, None)
    assert lead.ok(f"/phases/{made['id']}") == made
    assert series_of(lead, measure) == (1, 1)
    event = events_of(session, measure.id)[0]
    assert event.type == "phase.created"
    told = {name: data_of(event)[name] for name in ("measure_id", "status", "starts_on")}
    assert told == {
        "measure_id": str(measure.id),
        "status": "approved",
        "starts_on": "2018-03-05",
    }
    assert "Guarded" not in event.payload
    history = lead.ok(f"/measures/{measure.id}/history")["items"]
    assert [item["type"] for item in history] == ["phase.created"]


def test_a_member_puts_forward_and_a_lead_decides(
    call: Call, world: World, lead: Caller, session: Session, measure: Measure, path: str
) -> None:
    member = call(world.member)
    assert member.post(path, BODY).status_code == 403
    proposed = member.create(path, BODY | {"status": "proposed"})
    assert (proposed["status"], proposed["decided_by"]) == ("proposed", None)
    assert series_of(lead, measure) == (1, 0), "what is not drawn moves nothing"
    assert member.patch(f"/phases/{proposed['id']}", {"label": "Slot"}).json()["label"] == "Slot"
    assert _move(member, proposed, "approved").status_code == 403
    approved = _move(lead, proposed, "approved")
    assert approved.json()["status"] == "approved"
    assert approved.headers["ETag"] == '"3"'
    assert series_of(lead, measure) == (1, 1)
    assert member.patch(f"/phases/{proposed['id']}", {"label": "Other"}).status_code == 403
    assert member.delete(f"/phases/{proposed['id']}").status_code == 403
    types = [event.type for event in events_of(session, measure.id)]
    assert types == ["phase.proposed", "phase.updated", "phase.approved"]
    last = data_of(events_of(session, measure.id)[-1])
    assert (last["from"], last["to"], last["status"]) == ("proposed", "approved", "approved")


def test_decisions_can_be_undone(
    lead: Caller, session: Session, measure: Measure, path: str
) -> None:
    made = lead.create(path, BODY)
    refused(_move(lead, made, "revoked"), 422, "reason_required", "#/reason")
    refused(_move(lead, made, "revoked", reason=" "), 422, "reason_required", "#/reason")
    revoked = _move(lead, made, "revoked", reason="The locum left").json()
    assert (revoked["status"], revoked["decision_reason"]) == ("revoked", "The locum left")
    assert series_of(lead, measure) == (1, 2)
    illegal = _move(lead, made, "declined", reason="x")
    refused(illegal, 409, "invalid_state_transition")
    assert illegal.json()["allowed"] == ["approved"]
    again = _move(lead, made, "approved", checklist=None).json()
    assert (again["status"], again["decision_reason"]) == ("approved", None)
    types = [event.type for event in events_of(session, measure.id)]
    assert types == ["phase.created", "phase.state_changed", "phase.approved"]


def test_declined_and_approved_after_all(lead: Caller, path: str) -> None:
    made = lead.create(path, BODY | {"status": "proposed"})
    assert _move(lead, made, "declined", reason="Too early").json()["status"] == "declined"
    assert _move(lead, made, "approved").json()["status"] == "approved"


@pytest.mark.parametrize(
    ("over", "pointer", "code"),
    [
        ({"reason": "other"}, "#/reason_text", "reason_text_required"),
        ({"reason": "other", "reason_text": "  "}, "#/reason_text", "reason_text_required"),
        ({"starts_on": "2017-11-30"}, "#/starts_on", "phase_out_of_range"),
        ({"starts_on": "9999-12-31"}, "#/starts_on", "phase_out_of_range"),
        ({"baseline_points": 0}, "#/baseline_points", "greater_than_equal"),
        ({"baseline_points": 2**70}, "#/baseline_points", "less_than_equal"),
        ({"label": ""}, "#/label", "string_too_short"),
        ({"label": "a\x00"}, "#/label", "unstorable_text"),
        ({"status": "revoked"}, "#/status", "literal_error"),
        ({"pdsa_cycle_ids": ["x"]}, "#/pdsa_cycle_ids/0", "uuid_parsing"),
        ({"pdsa_cycle_ids": [7]}, "#/pdsa_cycle_ids/0", "string_type"),
        ({"checklist": {"cause_known": True}}, "#/checklist/sustained", "missing"),
        ({"surprise": 1}, "#/surprise", "extra_forbidden"),
    ],
)
def test_what_is_refused(
    lead: Caller, path: str, over: dict[str, Any], pointer: str, code: str
) -> None:
    refused(lead.post(path, BODY | over), 422, code, pointer)


def test_the_range_takes_in_older_data(
    lead: Caller, session: Session, measure: Measure, path: str
) -> None:
    make_data_point(session, measure=measure, period_start=date(2016, 5, 2))
    assert lead.post(path, BODY | {"starts_on": "2016-05-02"}).status_code == 201
    refused(
        lead.post(path, BODY | {"starts_on": "2016-05-01"}),
        422,
        "phase_out_of_range",
        "#/starts_on",
    )


def test_a_phase_whose_data_went_can_be_told_otherwise(
    lead: Caller, session: Session, measure: Measure, path: str
) -> None:
    point = make_data_point(session, measure=measure, period_start=date(2016, 5, 2))
    made = lead.create(path, BODY | {"starts_on": "2016-05-02"})
    lead.delete(f"/data-points/{point.id}")
    changed = lead.patch(f"/phases/{made['id']}", {"label": "Before the flood"})
    assert (changed.status_code, changed.json()["label"]) == (200, "Before the flood")
    moved = lead.patch(f"/phases/{made['id']}", {"starts_on": "2016-05-03"})
    refused(moved, 422, "phase_out_of_range", "#/starts_on")


def test_one_approved_phase_a_day(
    lead: Caller, session: Session, measure: Measure, path: str
) -> None:
    first = lead.create(path, BODY)
    refused(lead.post(path, BODY), 409, "phase_overlap")
    proposed = lead.create(path, BODY | {"status": "proposed"})
    refused(_move(lead, proposed, "approved"), 409, "phase_overlap")
    later = lead.create(path, BODY | {"starts_on": "2018-03-12"})
    moved = lead.patch(f"/phases/{later['id']}", {"starts_on": "2018-03-05"})
    refused(moved, 409, "phase_overlap")
    lead.delete(f"/phases/{first['id']}")
    assert _move(lead, proposed, "approved").status_code == 200
    refused(lead.post(f"/phases/{first['id']}/restore"), 409, "phase_overlap")
    elsewhere = make_measure(
        session, project_id=measure.project_id, programme_id=measure.programme_id
    )
    assert lead.post(f"/measures/{elsewhere.id}/phases", BODY).status_code == 201


def test_cycles_of_the_project_only(
    lead: Caller, world: World, session: Session, path: str
) -> None:
    own = make_cycle(session, project=world.project)
    for other in (
        make_cycle(session, project=world.other_project),
        make_cycle(session, project=world.foreign_project),
        make_cycle(session, project=world.project, archived_at=own.created_at),
    ):
        body = BODY | {"pdsa_cycle_ids": [str(own.id), str(other.id)]}
        refused(lead.post(path, body), 422, "reference_not_found", "#/pdsa_cycle_ids/1")
    made = lead.create(path, BODY | {"pdsa_cycle_ids": [str(own.id)]})
    lead.delete(f"/pdsa-cycles/{own.id}")
    kept = {"label": "Still", "pdsa_cycle_ids": [str(own.id)]}
    assert lead.patch(f"/phases/{made['id']}", kept).status_code == 200
    foreign = {"pdsa_cycle_ids": [str(other.id)]}
    refused(
        lead.patch(f"/phases/{made['id']}", foreign),
        422,
        "reference_not_found",
        "#/pdsa_cycle_ids/0",
    )


def test_a_token_without_cycles_names_none(
    lead: Caller, world: World, session: Session, path: str
) -> None:
    cycle = make_cycle(session, project=world.project)
    token = lead.with_token("measure:read", "measure:write")
    assert token.post(path, BODY).status_code == 201
    body = {"starts_on": "2018-03-12", "reason": "initial", "pdsa_cycle_ids": [str(cycle.id)]}
    refused(token.post(path, body), 403, "scope_insufficient")


def test_change_archive_restore(
    lead: Caller, session: Session, measure: Measure, path: str
) -> None:
    made = lead.create(path, BODY)
    one = f"/phases/{made['id']}"
    refused(lead.patch(one, {"label": "x"}, if_match='"9"'), 412, "revision_mismatch")
    refused(lead("PATCH", one, json={"label": "x"}), 428, "precondition_required")
    assert lead.patch(one, {"label": "New"}).json()["revision"] == 2
    assert lead.patch(one, {"label": "New"}).json()["revision"] == 2, "nothing differs"
    refused(lead.patch(one, {"starts_on": None}), 422, "date_type", "#/starts_on")
    assert series_of(lead, measure) == (1, 2)
    assert lead.delete(one).status_code == 204
    assert lead.delete(one).status_code == 204
    refused(lead.patch(one, {"label": "x"}), 409, "archived")
    refused(_move(lead, made, "revoked", reason="x"), 409, "archived")
    assert lead.ok(path)["items"] == []
    assert series_of(lead, measure) == (1, 3)
    assert lead.post(f"{one}/restore").json()["archived_at"] is None
    assert lead.post(f"{one}/restore").status_code == 200
    assert series_of(lead, measure) == (1, 4)
    types = [event.type for event in events_of(session, measure.id)]
    assert types == ["phase.created", "phase.updated", "phase.archived", "phase.restored"]


def test_nothing_under_an_archived_parent(
    call: Call, world: World, lead: Caller, path: str, measure: Measure
) -> None:
    made = lead.create(path, BODY)
    lead.delete(f"/measures/{measure.id}")
    refused(lead.post(path, BODY), 409, "archived")
    refused(lead.patch(f"/phases/{made['id']}", {"label": "x"}), 409, "archived")
    refused(lead.delete(f"/phases/{made['id']}"), 409, "archived")


def test_list(lead: Caller, session: Session, measure: Measure, path: str) -> None:
    make_phase(session, measure=measure, starts_on=date(2018, 4, 2))
    make_phase(session, measure=measure, status=PhaseStatus.PROPOSED, starts_on=date(2018, 2, 5))
    make_phase(session)

    def starts(**params: Any) -> list[str]:
        return [item["starts_on"] for item in lead.ok(path, **params)["items"]]

    assert starts() == ["2018-02-05", "2018-04-02"]
    assert starts(sort="-starts_on") == ["2018-04-02", "2018-02-05"]
    assert starts(status="proposed") == ["2018-02-05"]
    assert starts(reason="environment") == []
    first = lead.ok(path, limit=1)
    assert lead.ok(path, limit=1, cursor=first["next_cursor"])["next_cursor"] is None
    assert lead.get(path, sort="label").status_code == 422


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.FACILITATOR, 201), (Role.COACH, 201), (Role.OBSERVER, 403), (Role.COMMISSIONER, 404)],
)
def test_who_may(call: Call, world: World, path: str, role: Role, status: int) -> None:
    assert call(world.people[role]).post(path, BODY).status_code == status
