"""Signals become events: found once, kept while they grow, retracted when data say otherwise."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.analytics.detections.actions import detect_signals
from app.analytics.detections.models import DetectedSignal, SignalWatch
from app.analytics.detections.watching import detector, follow
from app.events.dispatching import dispatcher
from app.events.models import Event
from app.jobs.models import Job
from app.kit.db import Database
from app.kit.ids import new_id
from app.measures.models import DataPoint, DataType, Measure, PhaseStatus
from app.sharing.models import ReceivedProject
from tests.analytics.test_measure_spc import BASELINE, FIRST, SHIFTED, fill
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.contract.messages import breaches
from tests.exchange import make_openqi_integration
from tests.jobs.draining import drain, waiting
from tests.world import World

NOW = datetime(2018, 7, 2, 9, 30, tzinfo=UTC)
STEADY = [30, 29, 31, 30, 28, 32, 30, 31]
Told = tuple[str, str, str]


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project, baseline_points=12)


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


@pytest.fixture
def work_off(database: Database) -> Callable[[], None]:
    """Everything that is due: events are dispatched, then the measures looked at."""

    def work() -> None:
        drain(database, [dispatcher([follow])])
        drain(database, [detector(lambda: NOW)])

    return work


def _look(session: Session, *measures: Measure) -> None:
    detect_signals(session, measures=[measure.id for measure in measures], now=NOW)
    session.commit()


def _events(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    session.expire_all()
    statement = select(Event).where(col(Event.type).startswith("measure.signal_"))
    for event in session.exec(statement.order_by(col(Event.created_at), col(Event.id))):
        assert breaches([event]) == []
        yield event.type.removeprefix("measure.signal_"), json.loads(event.payload)["data"]


def _told(session: Session) -> list[Told]:
    return sorted((verb, data["rule"], data["starts_on"]) for verb, data in _events(session))


def _day(week: int) -> str:
    return (FIRST + timedelta(weeks=week)).isoformat()


def _add(session: Session, measure: Measure, week: int, numerator: int, **over: Any) -> None:
    day = FIRST + timedelta(weeks=week)
    numbers: dict[str, Any] = {"numerator": float(numerator), "denominator": 50.0}
    make_data_point(session, measure=measure, period_start=day, **(numbers | over))


def test_recording_a_shift_is_told_with_where_to_look(
    caller: Caller, session: Session, world: World, measure: Measure, work_off: Callable[[], None]
) -> None:
    rows = [
        {"period_start": _day(week), "numerator": numerator, "denominator": 50}
        for week, numerator in enumerate(BASELINE + SHIFTED)
    ]
    assert caller.post(f"/measures/{measure.id}/data-points/bulk", {"items": rows}).is_success
    work_off()
    chart = caller.ok(f"/measures/{measure.id}/spc")
    told = {data["signal_id"]: data for verb, data in _events(session) if verb == "detected"}
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
        "starts_on": _day(11),
        "ends_on": _day(19),
        "completed_on": _day(17),
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
        body = {"period_start": _day(week), "numerator": 30, "denominator": 50}
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
    _look(session, measure)
    assert _told(session) != []
    work_off()
    assert waiting(database, "series.signals") == 0


def test_a_run_that_grows_is_the_same_signal(session: Session, measure: Measure) -> None:
    fill(session, measure, BASELINE + SHIFTED[:7])
    _look(session, measure)
    before = _told(session)
    assert ("detected", "shift", _day(11)) in before
    _add(session, measure, 19, 36)
    _look(session, measure)
    assert _told(session) == before
    shift = session.exec(select(DetectedSignal).where(DetectedSignal.rule == "shift")).one()
    assert (shift.starts_on.isoformat(), shift.ends_on.isoformat()) == (_day(11), _day(19))


def test_a_run_that_begins_earlier_now_is_the_same_signal(
    session: Session, measure: Measure
) -> None:
    fill(session, measure, [*BASELINE[:11], 30, *SHIFTED])
    points = sorted(_points(session, measure), key=lambda point: point.period_start)
    points[11].excluded = True
    session.commit()
    _look(session, measure)
    shift = session.exec(select(DetectedSignal).where(DetectedSignal.rule == "shift")).one()
    found, fingerprint = shift.starts_on, shift.fingerprint
    points[11].excluded, points[11].numerator, points[11].value = False, 33.0, 33 / 50
    session.commit()
    _look(session, measure)
    session.expire_all()
    assert (shift.fingerprint, shift.retracted_at) == (fingerprint, None)
    assert shift.starts_on < found
    assert [told for told in _told(session) if told[1] == "shift"] == [
        ("detected", "shift", found.isoformat())
    ]


def _points(session: Session, measure: Measure) -> list[DataPoint]:
    return list(session.exec(select(DataPoint).where(DataPoint.measure_id == measure.id)))


def test_older_data_leave_what_they_do_not_change(session: Session, measure: Measure) -> None:
    """The chart's own ids change with its first point, what the process did does not."""
    fill(session, measure, BASELINE + STEADY)
    _add(session, measure, 25, 50)
    _look(session, measure)
    before, ids = _told(session), _ids(session)
    assert ("detected", "outside_limits", _day(25)) in before
    _add(session, measure, -1, 30)
    _look(session, measure)
    assert _told(session) == before
    assert _ids(session).isdisjoint(ids)


def _ids(session: Session) -> set[str]:
    session.expire_all()
    return {signal.signal_id for signal in session.exec(select(DetectedSignal))}


def test_a_corrected_point_takes_its_signal_back_and_another_is_another(
    caller: Caller, session: Session, measure: Measure, work_off: Callable[[], None]
) -> None:
    fill(session, measure, BASELINE)
    body = {"period_start": _day(12), "numerator": 50, "denominator": 50}
    point = caller.create(f"/measures/{measure.id}/data-points", body)
    path = f"/data-points/{point['id']}"
    work_off()
    assert caller.patch(path, {"numerator": 5}).status_code == 200
    work_off()
    assert caller.patch(path, {"numerator": 50}).status_code == 200
    work_off()
    found = [
        (verb, data["direction"])
        for verb, data in _events(session)
        if data["rule"] == "outside_limits"
    ]
    assert sorted(found) == [
        ("detected", "high"),
        ("detected", "high"),
        ("detected", "low"),
        ("retracted", "high"),
        ("retracted", "low"),
    ]
    rows = session.exec(select(DetectedSignal).where(DetectedSignal.rule == "outside_limits")).all()
    assert len(rows) == 3
    assert [row.direction for row in rows if row.retracted_at is None] == ["high"]


def test_a_retraction_names_the_signal_that_was_told(session: Session, measure: Measure) -> None:
    fill(session, measure, BASELINE)
    _add(session, measure, 12, 50)
    _look(session, measure)
    for point in _points(session, measure):
        if point.numerator == 50:
            point.excluded = True
    session.commit()
    _look(session, measure)
    events = [(verb, data) for verb, data in _events(session) if data["rule"] == "outside_limits"]
    told = dict(events)
    assert told["retracted"]["detection_id"] == told["detected"]["detection_id"]
    assert told["retracted"]["signal_id"] == told["detected"]["signal_id"]


def test_a_repeated_look_tells_nothing(session: Session, measure: Measure) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    _look(session, measure)
    before = _told(session)
    _look(session, measure)
    _look(session, measure)
    assert _told(session) == before != []


def test_what_is_older_than_what_was_seen_changes_nothing(
    session: Session, measure: Measure
) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    session.add(SignalWatch(measure_id=measure.id, series_revision=7))
    session.commit()
    _look(session, measure)
    assert _told(session) == []
    assert session.exec(select(DetectedSignal)).all() == []
    assert session.get_one(SignalWatch, measure.id).series_revision == 7


def test_the_first_look_at_old_data_tells_nobody(session: Session, measure: Measure) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    session.add(SignalWatch(measure_id=measure.id))  # as the migration leaves it
    session.commit()
    _look(session, measure)
    assert _told(session) == []
    assert len(session.exec(select(DetectedSignal)).all()) > 1
    _add(session, measure, 20, 2)
    _look(session, measure)
    assert ("detected", "outside_limits", _day(20)) in _told(session)


def test_a_new_measure_with_a_batch_of_data_is_told_whole(
    call: Callable[..., Caller], session: Session, world: World, work_off: Callable[[], None]
) -> None:
    caller = call(world.facilitator)
    body = {"name": "New", "family": "outcome", "data_type": "count", "direction": "decrease"}
    made = caller.create(f"/projects/{world.project.id}/measures", body)
    rows = [{"period_start": _day(week), "value": 10 + week % 3} for week in range(20)]
    rows.append({"period_start": _day(20), "value": 60})
    assert caller.post(f"/measures/{made['id']}/data-points/bulk", {"items": rows}).is_success
    work_off()
    assert ("detected", "outside_limits", _day(20)) in _told(session)


def test_a_chart_that_cannot_be_drawn_takes_nothing_back(
    session: Session, world: World, measure: Measure
) -> None:
    counts = make_measure(
        session, project=world.project, data_type=DataType.COUNT, multiplier=1.0, unit=None
    )
    for week, value in enumerate([9, 10, 11] * 5 + [60]):
        day = FIRST + timedelta(weeks=week)
        make_data_point(session, measure=counts, period_start=day, value=float(value))
    fill(session, measure, BASELINE + SHIFTED)
    _look(session, counts)
    before = _told(session)
    assert before != []
    make_data_point(session, measure=counts, period_start=date(2019, 1, 7), value=-1.0)
    _look(session, counts, measure)
    after = _told(session)
    assert [told for told in after if told[0] == "retracted"] == []
    assert len(after) > len(before)  # it spoils no other


def test_an_archived_measure_says_nothing(session: Session, measure: Measure) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    measure.archived_at = NOW
    session.commit()
    _look(session, measure)
    assert _told(session) == []
    assert session.get(SignalWatch, measure.id) is None


def test_other_rules_of_the_programme_are_a_look_at_all_its_measures(
    call: Callable[..., Caller], session: Session, world: World, work_off: Callable[[], None]
) -> None:
    measures = [
        make_measure(session, project=project, baseline_points=12)
        for project in (world.project, world.other_project, world.foreign_project)
    ]
    for measure in measures:
        fill(session, measure, [*BASELINE, 34, 35, 34, 35, 34, 35, 34])
    _look(session, *measures)
    assert _told(session) == [("detected", "shift", _day(11))] * 3
    path = f"/programmes/{world.programme.id}"
    assert call(world.facilitator).patch(path, {"rule_set": "limits_only"}).status_code == 200
    work_off()
    retracted = [data["measure_id"] for verb, data in _events(session) if verb == "retracted"]
    assert sorted(retracted) == sorted(str(measure.id) for measure in measures[:2])


def test_a_phase_takes_back_what_it_explains(
    call: Callable[..., Caller],
    session: Session,
    world: World,
    measure: Measure,
    work_off: Callable[[], None],
) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    _look(session, measure)
    body = {"starts_on": _day(12), "reason": "change_adopted", "status": PhaseStatus.APPROVED}
    call(world.facilitator).create(f"/measures/{measure.id}/phases", body)
    work_off()
    assert ("retracted", "shift", _day(11)) in _told(session)


def test_a_batch_of_measures_costs_no_more_reads_than_one(
    session: Session,
    world: World,
    measure: Measure,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    others = [make_measure(session, project=world.project) for _ in range(4)]
    for each in (measure, *others):
        fill(session, each, STEADY)
    _look(session, measure)
    with count_queries() as for_one:
        _look(session, measure)
    with count_queries() as for_many:
        _look(session, measure, *others)
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
    _look(session, measure, own)
    origins: dict[str, set[str | None]] = defaultdict(set)
    for _, data in _events(session):
        origins[data["measure_id"]].add(data.get("origin"))
    assert origins == {str(measure.id): {"https://other.example"}, str(own.id): {None}}
