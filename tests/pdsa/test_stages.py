"""Stages, gates and states: what each step asks for, what is locked, what is recorded."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from app.pdsa import queries
from app.pdsa.models import CycleState
from tests.builders import make_cycle, make_data_point, make_measure
from tests.calling import Caller
from tests.pdsa.bodies import ACT, NEW, PLAN, carry
from tests.world import World

Call = Callable[..., Caller]
AMENDMENT = {"stage": "plan", "field": "where", "text": "Elsewhere", "reason": "Wrong place."}


@pytest.fixture
def member(call: Call, world: World) -> Caller:
    return call(world.member)


@pytest.fixture
def cycle(member: Caller, world: World) -> dict[str, Any]:
    return member.create(f"/projects/{world.project.id}/pdsa-cycles", NEW)


@pytest.fixture
def path(cycle: dict[str, Any]) -> str:
    return f"/pdsa-cycles/{cycle['id']}"


def test_the_whole_way(member: Caller, cycle: dict[str, Any], path: str) -> None:
    closed = carry(member, cycle, "closed")
    for mark in ("started_at", "studied_at", "closed_at"):
        assert closed[mark] is not None
    events = member.ok(f"{path}/history", sort="created_at")["items"]
    moves = [event for event in events if event["type"] == "pdsa_cycle.state_changed"]
    assert [event["changes"]["state"] for event in moves] == [
        ["planned", "doing"],
        ["doing", "studying"],
        ["studying", "acting"],
        ["acting", "closed"],
    ]


def test_the_hash_is_that_of_the_predictions(member: Caller, cycle: dict[str, Any]) -> None:
    assert cycle["predictions_hash"] is None
    started = carry(member, cycle, "doing")
    text = json.dumps(
        started["plan"]["predictions"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert started["predictions_hash"] == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"objective": ""}, ["#/plan/objective"]),
        ({"questions": []}, ["#/plan/questions"]),
        ({"predictions": []}, ["#/plan/predictions"]),
        ({"predictions": [{"text": "x"}]}, ["#/plan/predictions/0/because"]),
        ({"questions": ["a", "b"]}, ["#/plan/predictions/1"]),
        ({"test_scale": None}, ["#/plan/test_scale"]),
        ({"where": None, "who": []}, ["#/plan/where", "#/plan/who"]),
        ({"when_start": None, "when_end": None}, ["#/plan/when_start", "#/plan/when_end"]),
        (
            {"data_plan": None},
            [f"#/plan/data_plan/{name}" for name in ("observation", "who", "how", "when")],
        ),
        ({"data_plan": {"how": None}}, ["#/plan/data_plan/how"]),
    ],
)
def test_starting_needs_a_whole_plan(
    member: Caller, path: str, change: dict[str, Any], missing: list[str]
) -> None:
    assert member.patch(path, {"plan": change}).status_code == 200
    refused = member.post(f"{path}/transitions", {"to": "doing"})
    assert (refused.status_code, refused.json()["code"]) == (409, "pdsa_stage_gate")
    assert refused.json()["missing"] == missing
    body = {"to": "doing", "override_reason": "We start small."}
    assert member.post(f"{path}/transitions", body).json()["state"] == "doing"
    event = member.ok(f"{path}/history")["items"][0]
    assert event["changes"]["override_reason"] == [None, "We start small."]
    assert event["changes"]["missing"] == [None, missing]


@pytest.mark.parametrize(
    ("state", "stage", "to", "change", "missing"),
    [
        ("doing", "do", "studying", {"observations": []}, ["#/do/observations"]),
        ("doing", "do", "studying", {"carried_out": None}, ["#/do/carried_out"]),
        ("doing", "do", "studying", {"actual_start": None}, ["#/do/actual_start"]),
        ("studying", "study", "acting", {"results": []}, ["#/study/results/0"]),
        ("studying", "study", "acting", {"learning": ""}, ["#/study/learning"]),
        ("studying", "study", "acting", {"analysis": None}, ["#/study/analysis"]),
        ("acting", "act", "closed", {"decision": None}, ["#/act/decision"]),
        ("acting", "act", "closed", {"rationale": None}, ["#/act/rationale"]),
        ("acting", "act", "closed", {"no_next_reason": None}, ["#/act/next_cycle_id"]),
        ("acting", "act", "closed", {"decision": "adopt"}, ["#/act/effective_on"]),
    ],
)
def test_later_gates(
    member: Caller,
    cycle: dict[str, Any],
    path: str,
    state: str,
    stage: str,
    to: str,
    change: dict[str, Any],
    missing: list[str],
) -> None:
    carry(member, cycle, state)
    assert member.patch(path, {stage: change}).status_code == 200
    refused = member.post(f"{path}/transitions", {"to": to})
    assert (refused.status_code, refused.json()["code"]) == (409, "pdsa_stage_gate")
    assert refused.json()["missing"] == missing
    assert refused.json()["can_override"] is True


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("planned", ["cancelled", "doing"]),
        ("doing", ["cancelled", "studying"]),
        ("studying", ["acting"]),
        ("acting", ["closed"]),
        ("closed", []),
    ],
)
def test_never_backward_and_never_too_far(
    member: Caller, cycle: dict[str, Any], path: str, state: str, allowed: list[str]
) -> None:
    carry(member, cycle, state)
    states = ["planned", "doing", "studying", "acting", "closed", "cancelled"]
    for to in set(states) - set(allowed):
        body = {"to": to, "override_reason": "x", "reason": "x"}
        refused = member.post(f"{path}/transitions", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "invalid_state_transition")
        assert refused.json()["allowed"] == allowed


@pytest.mark.parametrize("state", ["planned", "doing"])
def test_cancelling_needs_a_reason(
    member: Caller, cycle: dict[str, Any], path: str, state: str
) -> None:
    carry(member, cycle, state)
    refused = member.post(f"{path}/transitions", {"to": "cancelled", "override_reason": "x"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/reason"
    done = member.post(f"{path}/transitions", {"to": "cancelled", "reason": "Staff ill."}).json()
    assert (done["state"], done["cancel_reason"]) == ("cancelled", "Staff ill.")
    assert member.post(f"{path}/transitions", {"to": "doing"}).json()["allowed"] == []
    assert member.patch(path, {"plan": {"where": "x"}}).json()["code"] == "stage_closed"


@pytest.mark.parametrize(
    ("state", "opened"),
    [("planned", "plan"), ("doing", "do"), ("studying", "study"), ("acting", "act")],
)
def test_only_the_open_stage_can_be_changed(
    member: Caller, cycle: dict[str, Any], path: str, state: str, opened: str
) -> None:
    before = carry(member, cycle, state)
    samples = {
        "plan": {"where": "Here"},
        "do": {"problems": ["One"]},
        "study": {"learning": "Much"},
        "act": {"rationale": "Why"},
    }
    for stage, change in samples.items():
        if stage == opened:
            continue
        refused = member.patch(path, {"title": "x", stage: change})
        assert (refused.status_code, refused.json()["code"]) == (409, "stage_closed")
        assert refused.json()["open"] == opened
    assert member.ok(path) == before
    assert member.patch(path, {opened: samples[opened], "title": "New"}).status_code == 200


def test_a_closed_cycle_cannot_be_changed(member: Caller, cycle: dict[str, Any], path: str) -> None:
    carry(member, cycle, "closed")
    for body in ({"title": "x"}, {"act": {"rationale": "x"}}):
        assert member.patch(path, body).json()["code"] == "stage_closed"


def test_predictions_are_locked(member: Caller, cycle: dict[str, Any], path: str) -> None:
    carry(member, cycle, "doing")
    tries: list[list[dict[str, Any]]] = [[], PLAN["predictions"], cycle["plan"]["predictions"]]
    for predictions in tries:
        refused = member.patch(path, {"plan": {"predictions": predictions}})
        assert (refused.status_code, refused.json()["code"]) == (409, "prediction_locked")


def test_predictions_keep_their_ids(member: Caller, cycle: dict[str, Any], path: str) -> None:
    kept = cycle["plan"]["predictions"][0]
    both = [{"text": "Another"}, kept | {"confidence": 0.5}]
    changed = member.patch(path, {"plan": {"predictions": both}}).json()["plan"]["predictions"]
    assert changed[1]["id"] == kept["id"]
    assert changed[0]["id"] != kept["id"]
    twice = member.patch(path, {"plan": {"predictions": [kept, kept]}})
    assert twice.status_code == 422
    assert twice.json()["errors"][0]["pointer"] == "#/plan/predictions/1/id"


def test_results_judge_predictions_of_the_plan(
    member: Caller, cycle: dict[str, Any], path: str
) -> None:
    studying = carry(member, cycle, "studying")
    result = studying["study"]["results"][0]
    for results in ([result, result], [result, result | {"prediction_id": cycle["id"]}]):
        refused = member.patch(path, {"study": {"results": results}})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "#/study/results/1/prediction_id"


def test_references_lead_into_the_project(
    member: Caller, session: Session, world: World, cycle: dict[str, Any], path: str
) -> None:
    own = make_measure(session, project=world.project)
    foreign = make_measure(session, project=world.other_project)
    prediction = cycle["plan"]["predictions"][0]
    good = {
        "predictions": [prediction | {"measure_id": str(own.id)}],
        "data_plan": {"measure_id": str(own.id)},
    }
    assert member.patch(path, {"plan": good}).status_code == 200
    for plan, pointer in (
        ({"predictions": [prediction | {"measure_id": str(foreign.id)}]}, "predictions/0"),
        ({"data_plan": {"measure_id": str(foreign.id)}}, "data_plan"),
    ):
        refused = member.patch(path, {"plan": plan})
        assert refused.json()["code"] == "reference_not_found"
        assert refused.json()["errors"][0]["pointer"] == f"#/plan/{pointer}/measure_id"
    # What was referred to may be archived later without making the plan unwritable.
    own.archived_at = own.created_at
    session.add(own)
    session.commit()
    assert member.patch(path, {"plan": {"where": "There"}}).status_code == 200
    carry(member, cycle, "studying")
    point = make_data_point(session, measure=own)
    assert member.patch(path, {"study": {"data_point_ids": [str(point.id)]}}).status_code == 200
    other = make_data_point(session, measure=foreign)
    refused = member.patch(path, {"study": {"data_point_ids": [str(point.id), str(other.id)]}})
    assert refused.json()["errors"][0]["pointer"] == "#/study/data_point_ids/1"


def test_the_next_cycle_is_another_of_the_project(
    member: Caller, session: Session, world: World, cycle: dict[str, Any], path: str
) -> None:
    carry(member, cycle, "acting")
    foreign = make_cycle(session, project=world.other_project)
    for wrong in (cycle["id"], str(foreign.id)):
        refused = member.patch(path, {"act": {"next_cycle_id": wrong}})
        assert refused.json()["errors"][0]["pointer"] == "#/act/next_cycle_id"
    body = NEW | {"previous_cycle_id": cycle["id"]}
    following = member.create(f"/projects/{world.project.id}/pdsa-cycles", body)
    act = ACT | {"decision": "adapt", "no_next_reason": None, "next_cycle_id": following["id"]}
    assert member.patch(path, {"act": act}).status_code == 200
    assert member.post(f"{path}/transitions", {"to": "closed"}).status_code == 200


def test_amendments_add_to_what_has_ended(
    member: Caller, world: World, cycle: dict[str, Any], path: str
) -> None:
    early = member.post(f"{path}/amendments", AMENDMENT)
    assert (early.status_code, early.json()["code"]) == (409, "stage_open")
    carry(member, cycle, "doing")
    unknown = member.post(f"{path}/amendments", AMENDMENT | {"field": "mood"})
    assert unknown.json()["errors"][0]["pointer"] == "#/field"
    done = member.post(f"{path}/amendments", AMENDMENT)
    assert done.status_code == 201
    (amendment,) = done.json()["amendments"]
    assert amendment["author_id"] == str(world.member.id)
    assert amendment["at"] is not None
    assert AMENDMENT.items() <= amendment.items()
    assert done.json()["plan"]["where"] == PLAN["where"]
    again = member.post(f"{path}/amendments", AMENDMENT | {"text": "Or there"})
    assert [item["text"] for item in again.json()["amendments"]] == ["Elsewhere", "Or there"]


@pytest.mark.parametrize(
    ("state", "instant", "is_stalled"),
    [
        (CycleState.DOING, datetime(2018, 7, 16, 22, 30, tzinfo=UTC), False),
        # The programme's own midnight counts: in London it is the 17th already.
        (CycleState.DOING, datetime(2018, 7, 16, 23, 30, tzinfo=UTC), True),
        (CycleState.PLANNED, datetime(2018, 7, 18, tzinfo=UTC), False),
        (CycleState.STUDYING, datetime(2018, 7, 18, tzinfo=UTC), False),
    ],
)
def test_stalled_is_doing_after_the_end(
    session: Session, world: World, state: CycleState, instant: datetime, is_stalled: bool
) -> None:
    plan = {"when_end": "2018-07-16"}
    row = make_cycle(session, project=world.project, state=state, plan=plan)
    assert queries.read_cycle(session, row, now=instant).is_stalled is is_stalled


def test_a_stalled_cycle_says_so(member: Caller, session: Session, world: World) -> None:
    plan = {"when_end": "2018-03-16"}
    row = make_cycle(session, project=world.project, state=CycleState.DOING, plan=plan)
    assert member.ok(f"/pdsa-cycles/{row.id}")["is_stalled"] is True
