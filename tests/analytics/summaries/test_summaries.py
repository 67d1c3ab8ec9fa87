"""Stored summaries: they say what the chart says, and only what changed is computed again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlmodel import Session, col, delete, select

from app import spc
from app.analytics.summaries import actions, dependencies, queries
from app.analytics.summaries.figures import fingerprint
from app.analytics.summaries.models import MeasureSummary
from app.measures.models import DataType, Family, Measure
from tests.analytics.test_measure_spc import BASELINE, SHIFTED, fill
from tests.builders import make_data_point, make_measure, make_project
from tests.calling import Caller
from tests.world import World


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    measure = make_measure(
        session,
        project=world.project,
        baseline_points=12,
        targets=[{"from": None, "value": 80}],
    )
    fill(session, measure, BASELINE + SHIFTED)
    return measure


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.facilitator)


@pytest.fixture
def path(world: World) -> str:
    return f"/programmes/{world.programme.id}/spc"


def _line(caller: Caller, path: str, project: Any) -> dict[str, Any]:
    lines = caller.ok(path)["items"]
    found: dict[str, Any] = next(line for line in lines if line["project_id"] == str(project.id))
    return found


def _stored(session: Session) -> list[MeasureSummary]:
    session.expire_all()
    return list(session.exec(select(MeasureSummary)))


def test_it_says_what_the_chart_says(
    caller: Caller, session: Session, world: World, measure: Measure, path: str
) -> None:
    line = _line(caller, path, world.project)
    chart = caller.ok(f"/measures/{measure.id}/spc")
    last = chart["points"][-1]
    assert line["measure_id"] == str(measure.id)
    for name in ("variation", "assurance", "chart"):
        assert line[name] == chart[name]
    for name in ("centre", "lower_limit", "upper_limit", "target"):
        assert line[name] == last[name] is not None
    assert line["rule_set"] == chart["settings"]["rule_set"]
    assert line["latest"] == {"x": last["x"], "value": last["value"]}
    assert line["points"] == 20
    meanings = [signal["meaning"] for signal in chart["signals"]]
    assert line["signals"] == len(meanings) > 3
    assert line["improvement_signals"] == meanings.count("improvement") > 0
    assert line["concern_signals"] == meanings.count("concern") == 0
    by_id = {signal["id"]: signal for signal in chart["signals"]}
    assert len(line["latest_signals"]) == 3
    ends = [signal["end"] for signal in chart["signals"]]
    told = [by_id[signal["id"]]["end"] for signal in line["latest_signals"]]
    assert told == sorted(ends, reverse=True)[:3]
    (row,) = _stored(session)
    assert row.series_revision == measure.series_revision
    assert row.engine_version == spc.ENGINE_VERSION


def test_only_what_has_changed_is_computed_again(
    caller: Caller,
    session: Session,
    world: World,
    measure: Measure,
    path: str,
    charted: list[int],
) -> None:
    other = make_measure(session, project=world.other_project)
    make_measure(session, project=world.project, family=Family.PROCESS)  # no headline
    caller.ok(path)
    assert charted == [2]
    before = caller.ok(path)
    assert charted == [2]
    point = {"period_start": "2018-07-02", "numerator": 40, "denominator": 50}
    assert caller.post(f"/measures/{other.id}/data-points", point).status_code == 201
    after = caller.ok(path)
    assert charted == [2, 1]
    changed = [line for line in after["items"] if line not in before["items"]]
    assert [line["measure_id"] for line in changed] == [str(other.id)]


def test_the_programme_s_rule_set_and_the_engine_make_all_anew(
    caller: Caller,
    world: World,
    measure: Measure,
    path: str,
    charted: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caller.ok(path)
    changed = caller.patch(f"/programmes/{world.programme.id}", {"rule_set": "limits_only"})
    assert changed.status_code == 200
    assert _line(caller, path, world.project)["rule_set"] == "limits_only"
    assert charted == [1, 1]
    fingerprint.cache_clear()
    monkeypatch.setattr(spc, "ENGINE_VERSION", "next")
    caller.ok(path)
    caller.ok(path)
    assert charted == [1, 1, 1]
    fingerprint.cache_clear()


def test_another_headline_is_another_line(
    caller: Caller, session: Session, world: World, measure: Measure, path: str
) -> None:
    assert _line(caller, path, world.project)["points"] == 20
    second = make_measure(session, project=world.project, family=Family.BALANCING)
    assert caller.patch(f"/measures/{second.id}", {"is_headline": True}).status_code == 200
    assert _line(caller, path, world.project)["measure_id"] == str(second.id)
    assert caller.delete(f"/measures/{second.id}").status_code == 204
    assert _line(caller, path, world.project)["measure_id"] == str(measure.id)
    assert caller.delete(f"/measures/{measure.id}").status_code == 204
    assert _line(caller, path, world.project)["measure_id"] is None


def test_a_series_that_cannot_be_charted_says_why_and_stops_no_other(
    caller: Caller, session: Session, world: World, measure: Measure, path: str
) -> None:
    wrong = make_measure(
        session, project=world.other_project, data_type=DataType.COUNT, multiplier=1.0
    )
    make_data_point(session, measure=wrong, value=-1.0)
    line = _line(caller, path, world.other_project)
    assert line["fault"]["code"] == "negative_count"
    assert (line["variation"], line["points"], line["chart"]) == (None, 0, "c")
    assert _line(caller, path, world.project)["variation"] == "improvement_high"
    point = caller.ok(f"/measures/{wrong.id}/data-points")["items"][0]
    assert caller.patch(f"/data-points/{point['id']}", {"value": 3}).status_code == 200
    mended = _line(caller, path, world.other_project)
    assert (mended["fault"], mended["variation"]) == (None, "common_cause")


def test_a_gap_at_the_end_leaves_the_latest_value_before_it(
    caller: Caller, session: Session, world: World, measure: Measure, path: str
) -> None:
    day = date(2018, 1, 1) + timedelta(weeks=20)
    make_data_point(session, measure=measure, period_start=day, numerator=None, denominator=None)
    line = _line(caller, path, world.project)
    assert (line["points"], line["latest"]["x"]) == (21, "2018-05-14")
    assert line["variation"] == "common_cause"


@contextmanager
def _read_only(connection: Connection) -> Iterator[None]:
    """The database refuses every write from here on."""
    is_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("PRAGMA query_only=ON" if is_sqlite else "SET TRANSACTION READ ONLY")
    try:
        yield
    finally:
        if is_sqlite:  # the other is undone with the test's transaction
            connection.exec_driver_sql("PRAGMA query_only=OFF")


def test_a_database_that_refuses_writes_is_answered_from_all_the_same(
    caller: Caller, session: Session, connection: Connection, measure: Measure, path: str
) -> None:
    expected = caller.ok(path)
    session.exec(delete(MeasureSummary))
    session.commit()
    with _read_only(connection):
        assert caller.ok(path) == expected
        assert caller.ok(path) == expected
    assert _stored(session) == []


def test_while_somebody_stores_nobody_waits(
    caller: Caller, session: Session, measure: Measure, path: str
) -> None:
    with dependencies._storing:
        caller.ok(path)
        assert _stored(session) == []
    caller.ok(path)
    assert len(_stored(session)) == 1


def test_of_two_readers_the_one_that_saw_more_data_wins(
    caller: Caller, session: Session, measure: Measure, path: str
) -> None:
    caller.ok(path)
    (row,) = _stored(session)
    newer = row.model_dump() | {"series_revision": 7, "points": 70}
    actions.keep_summaries(session, [newer])
    actions.keep_summaries(session, [newer | {"series_revision": 6, "points": 60}])
    session.commit()
    (row,) = _stored(session)
    assert (row.series_revision, row.points) == (7, 70)


def test_measures_are_computed_in_portions_where_they_are_too_many_for_a_statement(
    caller: Caller,
    session: Session,
    world: World,
    path: str,
    charted: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "_AT_ONCE", 2)
    for _ in range(5):
        project = make_project(session, team=world.team)
        fill(session, make_measure(session, project=project), BASELINE)
    lines = caller.ok(path)["items"]
    assert charted == [2, 2, 1]
    assert sum(line["points"] for line in lines) == 60
    count = select(MeasureSummary).where(col(MeasureSummary.points) == 12)
    assert len(session.exec(count).all()) == 5


def test_strata_are_not_the_whole(
    caller: Caller, session: Session, world: World, measure: Measure, path: str
) -> None:
    make_data_point(session, measure=measure, period_start=date(2018, 9, 3), stratum="evening")
    assert _line(caller, path, world.project)["points"] == 20
