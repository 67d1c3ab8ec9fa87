"""Which signal is which: kept while it grows, retracted when data say otherwise."""

from collections.abc import Callable
from datetime import date, timedelta

from sqlmodel import Session, select

from app.analytics.detections.models import DetectedSignal, SignalWatch
from app.measures.models import DataPoint, DataType, Measure, PhaseStatus
from tests.analytics.detecting import (
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
from tests.analytics.test_measure_spc import BASELINE, FIRST, SHIFTED, fill
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.world import World

__all__ = ["caller", "measure", "work_off"]  # fixtures


def test_a_run_that_grows_is_the_same_signal(session: Session, measure: Measure) -> None:
    fill(session, measure, BASELINE + SHIFTED[:7])
    look(session, measure)
    before = told(session)
    assert ("detected", "shift", day(11)) in before
    add(session, measure, 19, 36)
    look(session, measure)
    assert told(session) == before
    shift = session.exec(select(DetectedSignal).where(DetectedSignal.rule == "shift")).one()
    assert (shift.starts_on.isoformat(), shift.ends_on.isoformat()) == (day(11), day(19))


def test_a_run_that_begins_earlier_now_is_the_same_signal(
    session: Session, measure: Measure
) -> None:
    fill(session, measure, [*BASELINE[:11], 30, *SHIFTED])
    points = sorted(_points(session, measure), key=lambda point: point.period_start)
    points[11].excluded = True
    session.commit()
    look(session, measure)
    shift = session.exec(select(DetectedSignal).where(DetectedSignal.rule == "shift")).one()
    found, fingerprint = shift.starts_on, shift.fingerprint
    points[11].excluded, points[11].numerator, points[11].value = False, 33.0, 33 / 50
    session.commit()
    look(session, measure)
    session.expire_all()
    assert (shift.fingerprint, shift.retracted_at) == (fingerprint, None)
    assert shift.starts_on < found
    assert [told for told in told(session) if told[1] == "shift"] == [
        ("detected", "shift", found.isoformat())
    ]


def _points(session: Session, measure: Measure) -> list[DataPoint]:
    return list(session.exec(select(DataPoint).where(DataPoint.measure_id == measure.id)))


def test_older_data_leave_what_they_do_not_change(session: Session, measure: Measure) -> None:
    """The chart's own ids change with its first point, what the process did does not."""
    fill(session, measure, BASELINE + STEADY)
    add(session, measure, 25, 50)
    look(session, measure)
    before, ids = told(session), _ids(session)
    assert ("detected", "outside_limits", day(25)) in before
    add(session, measure, -1, 30)
    look(session, measure)
    assert told(session) == before
    assert _ids(session).isdisjoint(ids)


def _ids(session: Session) -> set[str]:
    session.expire_all()
    return {signal.signal_id for signal in session.exec(select(DetectedSignal))}


def test_a_corrected_point_takes_its_signal_back_and_another_is_another(
    caller: Caller, session: Session, measure: Measure, work_off: Callable[[], None]
) -> None:
    fill(session, measure, BASELINE)
    body = {"period_start": day(12), "numerator": 50, "denominator": 50}
    point = caller.create(f"/measures/{measure.id}/data-points", body)
    path = f"/data-points/{point['id']}"
    work_off()
    assert caller.patch(path, {"numerator": 5}).status_code == 200
    work_off()
    assert caller.patch(path, {"numerator": 50}).status_code == 200
    work_off()
    found = [
        (verb, data["direction"])
        for verb, data in events(session)
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
    add(session, measure, 12, 50)
    look(session, measure)
    for point in _points(session, measure):
        if point.numerator == 50:
            point.excluded = True
    session.commit()
    look(session, measure)
    named = dict(each for each in events(session) if each[1]["rule"] == "outside_limits")
    assert named["retracted"]["detection_id"] == named["detected"]["detection_id"]
    assert named["retracted"]["signal_id"] == named["detected"]["signal_id"]


def test_a_repeated_look_tells_nothing(session: Session, measure: Measure) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    look(session, measure)
    before = told(session)
    look(session, measure)
    look(session, measure)
    assert told(session) == before != []


def test_what_is_older_than_what_was_seen_changes_nothing(
    session: Session, measure: Measure
) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    session.add(SignalWatch(measure_id=measure.id, series_revision=7))
    session.commit()
    look(session, measure)
    assert told(session) == []
    assert session.exec(select(DetectedSignal)).all() == []
    assert session.get_one(SignalWatch, measure.id).series_revision == 7


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
    look(session, counts)
    before = told(session)
    assert before != []
    make_data_point(session, measure=counts, period_start=date(2019, 1, 7), value=-1.0)
    look(session, counts, measure)
    after = told(session)
    assert [told for told in after if told[0] == "retracted"] == []
    assert len(after) > len(before)  # it spoils no other


def test_a_phase_takes_back_what_it_explains(
    call: Callable[..., Caller],
    session: Session,
    world: World,
    measure: Measure,
    work_off: Callable[[], None],
) -> None:
    fill(session, measure, BASELINE + SHIFTED)
    look(session, measure)
    body = {"starts_on": day(12), "reason": "change_adopted", "status": PhaseStatus.APPROVED}
    call(world.facilitator).create(f"/measures/{measure.id}/phases", body)
    work_off()
    assert ("retracted", "shift", day(11)) in told(session)
