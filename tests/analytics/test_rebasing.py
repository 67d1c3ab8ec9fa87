"""Rebase candidates over HTTP: what is proposed, who decides, what each decision leaves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.analytics.rebasing.schemas import RebaseCandidates
from app.measures.models import DataType, Measure
from app.measures.phases.schemas import PhaseChecklist
from tests.analytics.test_measure_spc import BASELINE, FIRST, SHIFTED, fill
from tests.builders import make_cycle, make_data_point, make_measure
from tests.calling import Caller
from tests.measures.bodies import data_of, events_of, refused, series_of
from tests.world import World

Call = Callable[..., Caller]
LASTING = [*BASELINE, *SHIFTED, *SHIFTED]
CHECKLIST = dict.fromkeys(PhaseChecklist.model_fields, True)
ACCEPT: dict[str, Any] = {
    "decision": "accept",
    "reason": "Both practices work so now",
    "label": "Both practices",
    "checklist": CHECKLIST,
}
DECLINE = {"decision": "decline", "reason": "A locum, who leaves in May"}
PROPOSE = {"decision": "propose", "reason": "Looks settled"}


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    measure = make_measure(session, project=world.project, baseline_points=12)
    fill(session, measure, LASTING)
    return measure


@pytest.fixture
def lead(call: Call, world: World) -> Caller:
    return call(world.team_lead)


@pytest.fixture
def path(measure: Measure) -> str:
    return f"/measures/{measure.id}/rebase-candidates"


def candidate(caller: Caller, path: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = caller.ok(path)["items"]
    assert len(found) == 1
    return found[0]


def decide(caller: Caller, path: str, body: Any, found: dict[str, Any] | None = None) -> Any:
    found = found or candidate(caller, path)
    return caller.post(f"{path}/{found['id']}/decision", body)


def test_a_lasting_shift_is_proposed_and_nothing_applied(
    lead: Caller, session: Session, measure: Measure, path: str
) -> None:
    before = lead.ok(f"/measures/{measure.id}/spc")
    response = lead.get(path)
    RebaseCandidates.model_validate_json(response.content)
    document = response.json()
    assert (document["detector"], document["run_length"]) == ("stable_shift/1", 8)
    found = document["items"][0]
    assert (found["starts_on"], found["direction"], found["meaning"]) == (
        "2018-03-26",
        "high",
        "improvement",
    )
    last = FIRST + timedelta(weeks=27)
    assert found["run"] == {
        "starts_on": "2018-03-26",
        "ends_on": last.isoformat(),
        "points": 16,
    }
    assert found["limits_from"]["points"] == found["baseline_points"] == 12
    assert found["before"]["centre"] == pytest.approx(before["points"][12]["centre"])
    assert found["before"]["upper_limit"] == pytest.approx(before["points"][12]["upper_limit"])
    assert found["after"]["centre"] == pytest.approx(100 * sum(LASTING[12:24]) / 600)
    assert found["phase_id"] is None
    answers = {question["code"]: question["answer"] for question in found["questions"]}
    assert answers == dict.fromkeys(CHECKLIST, None) | {"sustained": True}
    assert lead.ok(f"/measures/{measure.id}/spc") == before
    assert events_of(session, measure.id) == []


def test_appending_points_keeps_its_identity(
    lead: Caller, session: Session, measure: Measure, path: str
) -> None:
    before = candidate(lead, path)
    day = FIRST + timedelta(weeks=28)
    make_data_point(session, measure=measure, period_start=day, numerator=20.0, denominator=50.0)
    after = candidate(lead, path)
    assert {name: after[name] for name in ("id", "starts_on", "before", "after")} == {
        name: before[name] for name in ("id", "starts_on", "before", "after")
    }


def test_accept(lead: Caller, world: World, session: Session, measure: Measure, path: str) -> None:
    found = candidate(lead, path)
    cycle = make_cycle(session, project=world.project)
    response = decide(lead, path, ACCEPT | {"pdsa_cycle_ids": [str(cycle.id)]})
    assert response.status_code == 201, response.text
    phase = response.json()
    assert response.headers["Location"] == f"/api/v1/phases/{phase['id']}"
    assert (phase["status"], phase["starts_on"]) == ("approved", "2018-03-26")
    assert (phase["detector"], phase["candidate_id"]) == ("stable_shift/1", found["id"])
    assert (phase["checklist"], phase["baseline_points"]) == (CHECKLIST, 12)
    assert (phase["reason"], phase["reason_text"]) == ("change_adopted", ACCEPT["reason"])
    assert (phase["decision_reason"], phase["decided_by"]) == (
        ACCEPT["reason"],
        str(world.team_lead.id),
    )
    assert phase["pdsa_cycle_ids"] == [str(cycle.id)]
    assert lead.ok(path)["items"] == []
    drawn = lead.ok(f"/measures/{measure.id}/spc")
    assert drawn["points"][12]["centre"] == pytest.approx(found["after"]["centre"])
    assert series_of(lead, measure) == (1, 1)
    event = events_of(session, measure.id)[0]
    assert (event.type, data_of(event)["starts_on"]) == ("phase.approved", "2018-03-26")
    refused(decide(lead, path, ACCEPT, found), 404, "not_found")
    steps = f"/phases/{phase['id']}/transitions"
    assert lead.post(steps, {"to": "revoked", "reason": "It went back"}).status_code == 200
    assert candidate(lead, path) == found, "as if nobody had decided"


def test_decline_is_remembered(lead: Caller, session: Session, measure: Measure, path: str) -> None:
    found = candidate(lead, path)
    phase = decide(lead, path, DECLINE).json()
    assert (phase["status"], phase["decision_reason"]) == ("declined", DECLINE["reason"])
    assert lead.ok(path)["items"] == []
    assert series_of(lead, measure) == (1, 0)
    assert [event.type for event in events_of(session, measure.id)] == ["phase.created"]
    day = FIRST + timedelta(weeks=28)
    make_data_point(session, measure=measure, period_start=day, numerator=45.0, denominator=50.0)
    assert lead.ok(path)["items"] == [], "one point more is no other shift"
    assert lead.delete(f"/phases/{phase['id']}").status_code == 204
    assert candidate(lead, path)["id"] == found["id"]


def test_propose_and_decide(
    call: Call, world: World, lead: Caller, session: Session, measure: Measure, path: str
) -> None:
    member = call(world.member)
    for body in (ACCEPT, DECLINE):
        assert decide(member, path, body).status_code == 403
    proposed = decide(member, path, PROPOSE).json()
    assert (proposed["status"], proposed["decided_by"]) == ("proposed", None)
    assert candidate(lead, path)["phase_id"] == proposed["id"]
    refused(decide(member, path, PROPOSE), 409, "candidate_pending")
    accepted = decide(lead, path, ACCEPT).json()
    assert (accepted["id"], accepted["status"]) == (proposed["id"], "approved")
    assert (accepted["checklist"], accepted["decision_reason"]) == (CHECKLIST, ACCEPT["reason"])
    assert lead.ok(path)["items"] == []
    types = [event.type for event in events_of(session, measure.id)]
    assert types == ["phase.proposed", "phase.approved"]


def test_a_proposal_declined(call: Call, world: World, lead: Caller, path: str) -> None:
    proposed = decide(call(world.member), path, PROPOSE).json()
    declined = decide(lead, path, DECLINE).json()
    assert (declined["id"], declined["status"]) == (proposed["id"], "declined")
    assert lead.ok(path)["items"] == []


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (ACCEPT | {"checklist": None}, "#/checklist", "checklist_required"),
        (ACCEPT | {"checklist": {}}, "#/checklist/cause_known", "missing"),
        (ACCEPT | {"reason": " "}, "#/reason", "string_too_short"),
        (ACCEPT | {"decision": "maybe"}, "#/decision", "enum"),
        (ACCEPT | {"baseline_points": 0}, "#/baseline_points", "greater_than_equal"),
        (
            ACCEPT | {"pdsa_cycle_ids": ["0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"]},
            "#/pdsa_cycle_ids/0",
            "reference_not_found",
        ),
    ],
)
def test_what_is_refused(lead: Caller, path: str, body: Any, pointer: str, code: str) -> None:
    refused(decide(lead, path, body), 422, code, pointer)
    assert len(lead.ok(path)["items"]) == 1


def test_what_is_no_candidate(lead: Caller, path: str, measure: Measure) -> None:
    refused(lead.post(f"{path}/0123456789abcdef/decision", ACCEPT), 404, "not_found")
    assert lead.post(f"{path}/none/decision", ACCEPT).status_code == 422
    found = candidate(lead, path)
    lead.delete(f"/measures/{measure.id}")
    assert candidate(lead, path) == found
    refused(decide(lead, path, ACCEPT), 409, "archived")


@pytest.mark.parametrize(
    "numerators", [[], BASELINE, [*BASELINE, *SHIFTED], [*BASELINE, *BASELINE, *BASELINE]]
)
def test_short_and_stable_series_have_none(
    lead: Caller, world: World, session: Session, numerators: list[int]
) -> None:
    measure = make_measure(session, project=world.project, baseline_points=12)
    fill(session, measure, numerators)
    assert lead.ok(f"/measures/{measure.id}/rebase-candidates")["items"] == []


def test_a_chart_that_does_not_fit_is_refused_with_advice(
    lead: Caller, world: World, session: Session
) -> None:
    measure = make_measure(session, project=world.project, data_type=DataType.COUNT, chart="p")
    for week in range(30):
        day = FIRST + timedelta(weeks=week)
        make_data_point(session, measure=measure, period_start=day, value=float(week))
    refused(lead.get(f"/measures/{measure.id}/rebase-candidates"), 422, "unchartable")


def test_the_number_of_queries_is_fixed(
    lead: Caller,
    world: World,
    session: Session,
    measure: Measure,
    path: str,
    count_queries: Callable[[], Any],
) -> None:
    short = make_measure(session, project=world.project)
    lead.ok(path)
    with count_queries() as for_many:
        lead.ok(path)
    with count_queries() as for_none:
        lead.ok(f"/measures/{short.id}/rebase-candidates")
    assert len(for_many) == len(for_none)


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.FACILITATOR, 201), (Role.COACH, 201), (Role.OBSERVER, 403), (Role.COMMISSIONER, 404)],
)
def test_who_may(
    call: Call, world: World, lead: Caller, path: str, role: Role, status: int
) -> None:
    found = candidate(lead, path)
    assert decide(call(world.people[role]), path, DECLINE, found).status_code == status
