"""Signals become events: what asks for a look at a measure, and what a look tells."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlmodel import Session, col, select

from app.analytics.detections.models import DetectedSignal, SignalWatch
from app.analytics.detections.watching import follow
from app.events.dispatching import dispatcher
from app.events.models import Event
from app.jobs.models import Job
from app.kit.db import Database
from app.kit.ids import new_id
from app.measures.models import Measure
from app.sharing.models import ReceivedProject
from tests.analytics.detecting import (
    NOW,
    STEADY,
    add,
    caller,
    day,
    events,
    look,
    measure,
    told,
    work_off,
)
from tests.analytics.test_measure_spc import BASELINE, SHIFTED, fill
from tests.builders import make_measure
from tests.calling import Caller
from tests.exchange import make_openqi_integration
from tests.jobs.draining import drain, waiting
from tests.world import World

__all__ = ["caller", "measure", "work_off"]  # fixtures


def test_recording_a_shift_is_told_with_where_to_look(
    caller: Caller, session: Session, world: World, measure: Measure, work_off: Callable[[], None]
) -> None:
    rows = [
        {"period_start": day(week), "numerator": numerator, "denominator": 50}
        for week, numerator in enumerate(BASELINE + SHIFTED)
    ]
    assert caller.post(f"/measures/{measure.id}/data-points/bulk", {"items": rows}).is_success
    work_off()
    chart = caller.ok(f"/measures/{measure.id}/spc")
    told = {data["signal_id"]: data for verb, data in events(session) if verb == "detected"}
    assert set(told) == {signal["id"] for signal in chart["signals"]}
    shift = next(data for data in told.values() if data["rule"] == "shift")
    row = session.exec(select(DetectedSignal).where(DetectedSignal.rule == "shift")).one()
    assert shift == {
        "id": str(measure.id),
        "url": f"/api/v1/measures/{measure.id}",
        "programme_id": str(world.programme.id),
        "revision": 1,
        "measure_id": str(measure.id),
        "project_id": str(world.project.id),
        "detection_id": str(row.id),
        "signal_id": row.signal_id,
        "rule": "shift",
        "rule_set": "mdc",
        "direction": "high",
        "meaning": "improvement",
        "starts_on": day(11),
        "ends_on": day(19),
        "completed_on": day(17),
        "series_revision": 1,
        "chart_url": f"/api/v1/measures/{measure.id}/spc",
    }
    event = session.exec(select(Event).where(col(Event.type) == "measure.signal_detected")).first()
    assert event is not None
    assert (event.project_id, event.actor_id, event.origin) == (world.project.id, None, None)
    caller.ok(shift["chart_url"])


def test_many_changes_of_a_measure_are_one_look(
    caller: Caller, database: Database, session: Session, measure: Measure
) -> None:
    for week in range(3):
        body = {"period_start": day(week), "numerator": 30, "denominator": 50}
        caller.create(f"/measures/{measure.id}/data-points", body)
    drain(database, [dispatcher([follow])])
    (job,) = session.exec(select(Job).where(Job.kind == "series.signals")).all()
    assert job.queue == "series"
    assert job.lane == f"measure:{measure.id.hex}"
    assert job.key == f"signals:{measure.id.hex}"
    assert job.programme_id == str(measure.programme_id)


def test_what_moves_no_chart_asks_for_no_look(
    call: Callable[..., Caller], database: Database, world: World, measure: Measure
) -> None:
    caller = call(world.facilitator)
    note = {"happened_on": "2018-01-08", "text": "Snow"}
    caller.create(f"/measures/{measure.id}/annotations", note)
    assert caller.patch(f"/projects/{world.project.id}", {"title": "Renamed"}).status_code == 200
    assert caller.patch(f"/programmes/{world.programme.id}", {"capacity": 20}).status_code == 200
    assert caller.delete(f"/measures/{measure.id}").status_code == 204
    drain(database, [dispatcher([follow])])
    assert waiting(database, "series.signals") == 0


def test_signals_ask_for_no_further_look(
    session: Session, database: Database, measure: Measure, work_off: Callable[[], None]
) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    look(session, measure)
    assert told(session) != []
    work_off()
    assert waiting(database, "series.signals") == 0


def test_the_first_look_at_old_data_tells_nobody(session: Session, measure: Measure) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    session.add(SignalWatch(measure_id=measure.id))  # as the migration leaves it
    session.commit()
    look(session, measure)
    assert told(session) == []
    assert len(session.exec(select(DetectedSignal)).all()) > 1
    add(session, measure, 20, 2)
    look(session, measure)
    assert ("detected", "outside_limits", day(20)) in told(session)


def test_a_new_measure_with_a_batch_of_data_is_told_whole(
    call: Callable[..., Caller], session: Session, world: World, work_off: Callable[[], None]
) -> None:
    caller = call(world.facilitator)
    body = {"name": "New", "family": "outcome", "data_type": "count", "direction": "decrease"}
    made = caller.create(f"/projects/{world.project.id}/measures", body)
    rows = [{"period_start": day(week), "value": 10 + week % 3} for week in range(20)]
    rows.append({"period_start": day(20), "value": 60})
    assert caller.post(f"/measures/{made['id']}/data-points/bulk", {"items": rows}).is_success
    work_off()
    assert ("detected", "outside_limits", day(20)) in told(session)


def test_an_archived_measure_says_nothing(session: Session, measure: Measure) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    measure.archived_at = NOW
    session.commit()
    look(session, measure)
    assert told(session) == []
    assert session.get(SignalWatch, measure.id) is None


def test_other_rules_of_the_programme_are_a_look_at_all_its_measures(
    call: Callable[..., Caller], session: Session, world: World, work_off: Callable[[], None]
) -> None:
    measures = [
        make_measure(session, project=project, baseline_points=12)
        for project in (world.project, world.other_project, world.foreign_project)
    ]
    for each in measures:
        fill(session, each, [*BASELINE, 34, 35, 34, 35, 34, 35, 34])
    look(session, *measures)
    assert told(session) == [("detected", "shift", day(11))] * 3
    path = f"/programmes/{world.programme.id}"
    assert call(world.facilitator).patch(path, {"rule_set": "limits_only"}).status_code == 200
    work_off()
    retracted = [data["measure_id"] for verb, data in events(session) if verb == "retracted"]
    assert sorted(retracted) == sorted(str(measure.id) for measure in measures[:2])


def test_a_batch_of_measures_costs_no_more_reads_than_one(
    session: Session,
    world: World,
    measure: Measure,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    others = [make_measure(session, project=world.project) for _ in range(4)]
    for each in (measure, *others):
        fill(session, each, STEADY)
    look(session, measure)
    with count_queries() as for_one:
        look(session, measure)
    with count_queries() as for_many:
        look(session, measure, *others)
    reads = [statement for statement in for_many if statement.startswith("SELECT")]
    assert len(reads) == len([text for text in for_one if text.startswith("SELECT")]) <= 7


def test_signals_in_a_project_of_another_server_bear_where_it_came_from(
    session: Session, measure: Measure, world: World
) -> None:
    """That server draws the same chart: what is told to it leaves them out as its own."""
    integration = make_openqi_integration(
        session, programme=world.programme, owner_id=world.facilitator.id
    )
    session.add(
        ReceivedProject(
            project_id=world.project.id,
            integration_id=integration.id,
            programme_id=world.programme.id,
            source="https://other.example",
            source_project_id=new_id(),
            source_release_id=new_id(),
            source_revision="1-0",
            license="CC-BY-4.0",
            received_at=NOW,
            fetched_at=NOW,
        )
    )
    own = make_measure(session, project=world.other_project, baseline_points=12)
    for each in (measure, own):
        fill(session, each, BASELINE + SHIFTED)
    look(session, measure, own)
    origins: dict[str, set[str | None]] = defaultdict(set)
    for _, data in events(session):
        origins[data["measure_id"]].add(data.get("origin"))
    assert origins == {str(measure.id): {"https://other.example"}, str(own.id): {None}}
