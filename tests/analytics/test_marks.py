"""What people decided, as the charts print it: phases, annotations, explanations, cycles."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session

from app.analytics.schemas import SpcChart
from app.measures.models import Measure, PhaseStatus
from tests.analytics.test_measure_spc import BASELINE, SHIFTED, fill
from tests.builders import make_annotation, make_cycle, make_measure, make_phase, make_project
from tests.calling import Caller
from tests.world import World

Call = Callable[..., Caller]
LATER = date(2018, 3, 26)  # the thirteenth week


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    measure = make_measure(session, project=world.project, baseline_points=12)
    fill(session, measure, BASELINE + SHIFTED)
    return measure


@pytest.fixture
def lead(call: Call, world: World) -> Caller:
    return call(world.team_lead)


@pytest.fixture
def chart(lead: Caller, measure: Measure) -> Callable[..., Any]:
    def read(**params: Any) -> Any:
        response = lead.get(f"/measures/{measure.id}/spc", **params)
        assert response.status_code == 200, response.text
        SpcChart.model_validate_json(response.content)
        return response.json()

    return read


def test_an_approved_phase_splits_the_chart(
    lead: Caller, measure: Measure, chart: Callable[..., Any]
) -> None:
    before = chart()
    path = f"/measures/{measure.id}/phases"
    body = {"starts_on": "2018-03-20", "reason": "change_adopted", "label": "Both practices"}
    proposed = lead.create(path, body | {"status": "proposed"})
    assert chart() == before
    steps = f"/phases/{proposed['id']}/transitions"
    assert lead.post(steps, {"to": "approved"}).status_code == 200
    split = chart()
    assert split["settings"]["phases"] == [12]
    assert split["settings"]["baseline_points"] == [12, None]
    assert [phase["label"] for phase in split["phases"]] == [None, "Both practices"]
    assert split["phases"][1]["reason"] == "change_adopted"
    assert split["points"][12]["centre"] == pytest.approx(100 * sum(SHIFTED) / 400)
    assert split["points"][0]["centre"] == before["points"][0]["centre"]
    assert split["variation"] == "common_cause"
    assert chart(phase_starts="2018-02-05")["settings"]["phases"] == [5]
    lead.post(steps, {"to": "revoked", "reason": "Too early"})
    again = chart()
    assert again.pop("as_of") != before.pop("as_of")
    assert again == before


def test_phases_outside_the_data_break_nothing(
    session: Session, measure: Measure, chart: Callable[..., Any]
) -> None:
    for start in (date(2016, 1, 1), date(2018, 9, 1)):
        make_phase(session, measure=measure, starts_on=start, label=str(start.year))
    drawn = chart()
    assert [phase["label"] for phase in drawn["phases"]] == ["2016"]
    assert len(drawn["points"]) == 20


def test_only_live_approved_phases_are_drawn(
    session: Session, measure: Measure, chart: Callable[..., Any]
) -> None:
    for status in set(PhaseStatus) - {PhaseStatus.APPROVED}:
        make_phase(session, measure=measure, starts_on=LATER, status=status)
    make_phase(session, measure=measure, starts_on=LATER, archived_at=datetime.now(UTC))
    make_phase(session, starts_on=LATER)
    assert chart()["settings"]["phases"] == []


def test_the_entity_tag_moves_with_every_mark(lead: Caller, measure: Measure) -> None:
    path = f"/measures/{measure.id}"
    tags = [lead.get(f"{path}/spc").headers["ETag"]]

    def moved() -> bool:
        tags.append(lead.get(f"{path}/spc").headers["ETag"])
        return tags[-1] not in tags[:-1]

    phase = lead.create(f"{path}/phases", {"starts_on": "2018-03-26", "reason": "initial"})
    assert moved()
    lead.patch(f"/phases/{phase['id']}", {"label": "New"})
    assert moved()
    note = lead.create(f"{path}/annotations", {"happened_on": "2018-03-26", "text": "Snow"})
    assert moved()
    lead.patch(f"/annotations/{note['id']}", {"explains": ["3f6c1a9be27d4c05"]})
    assert moved()
    lead.delete(f"/annotations/{note['id']}")
    assert moved()


def test_annotations_and_explanations(
    lead: Caller, world: World, session: Session, measure: Measure, chart: Callable[..., Any]
) -> None:
    shift = next(signal for signal in chart()["signals"] if signal["rule"] == "shift")
    cycle = make_cycle(session, project=world.project)
    body = {
        "happened_on": "2018-03-28",
        "kind": "change",
        "text": "Guarded slot",
        "explains": [shift["id"], "0123456789abcdef"],
        "pdsa_cycle_ids": [str(cycle.id)],
    }
    note = lead.create(f"/measures/{measure.id}/annotations", body)
    make_annotation(session, measure=measure, archived_at=datetime.now(UTC))
    make_annotation(session)
    drawn = chart()
    printed = {
        "id": note["id"],
        "kind": "change",
        "text": "Guarded slot",
        "happened_on": "2018-03-28",
    }
    marked = {row: point["annotations"] for row, point in enumerate(drawn["points"])}
    assert {row: found for row, found in marked.items() if found} == {12: [printed]}
    explained = [signal for signal in drawn["signals"] if signal["explained_by"]]
    assert [signal["id"] for signal in explained] == [shift["id"]]
    assert explained[0]["explained_by"] == [printed | {"pdsa_cycle_ids": [str(cycle.id)]}]


def test_cycles_that_began_are_marked(
    session: Session, world: World, measure: Measure, chart: Callable[..., Any]
) -> None:
    begun = datetime(2018, 4, 12, 9, tzinfo=UTC)
    done = make_cycle(
        session,
        project=world.project,
        started_at=begun,
        do={"actual_start": "2018-02-07"},
        plan={"when_start": "2018-02-01"},
    )
    planned = make_cycle(
        session, project=world.project, started_at=begun, plan={"when_start": "2018-03-05"}
    )
    undated = make_cycle(
        session, project=world.project, started_at=begun, do={"actual_start": None}
    )
    make_cycle(session, project=world.project, plan={"when_start": "2018-02-01"})
    make_cycle(session, project=world.project, started_at=begun, archived_at=begun)
    make_cycle(session, project=make_project(session), started_at=begun)
    found = [entry for point in chart()["points"] for entry in point["annotations"]]
    assert [(entry["id"], entry["happened_on"]) for entry in found] == [
        (str(done.id), "2018-02-07"),
        (str(planned.id), "2018-03-05"),
        (str(undated.id), "2018-04-12"),
    ]
    assert {entry["kind"] for entry in found} == {"pdsa_start"}
    assert found[0]["text"] == done.title


def test_the_charts_of_a_project_and_of_a_programme_have_them(
    call: Call,
    lead: Caller,
    session: Session,
    world: World,
    measure: Measure,
    chart: Callable[..., Any],
    count_queries: Callable[[], Any],
) -> None:
    paths = (f"/projects/{world.project.id}/spc", f"/programmes/{world.programme.id}/spc")
    facilitator = call(world.facilitator)

    def counted() -> list[int]:
        numbers = []
        for path in (*paths, f"/measures/{measure.id}/spc"):
            with count_queries() as statements:
                facilitator.ok(path)
            numbers.append(len(statements))
        return numbers

    counted()
    few = counted()
    body = {"starts_on": LATER.isoformat(), "reason": "environment"}
    lead.create(f"/measures/{measure.id}/phases", body)
    make_cycle(session, project=world.project, started_at=datetime(2018, 4, 1, tzinfo=UTC))
    for _ in range(5):
        make_annotation(session, measure=measure)
        make_annotation(session, measure=make_measure(session, project=world.project))
    counted()  # the summary of the programme follows the new phase once
    assert counted() == few
    items = facilitator.ok(paths[0])["items"]
    one = next(item["spc"] for item in items if item["measure_id"] == str(measure.id))
    assert one == chart()
    headline = facilitator.ok(paths[1])["items"][0]
    assert headline["variation"] == one["variation"] == "common_cause"
