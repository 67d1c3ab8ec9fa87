"""Imports of many measures: what is counted and told of each, in which order, and when it ends."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import chain

import pytest
from sqlmodel import Session, select

from app.events.models import Event
from app.kit.clock import utc_now
from app.kit.db import Database
from app.measures.models import DataType, Measure
from app.operations.models import Operation
from app.operations.running import operator
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.jobs.draining import drain
from tests.measures.bodies import data_of
from tests.measures.importing import (
    RUNNERS,
    count_points,
    counted,
    csv_of,
    faults_of,
    load,
    named,
    point,
    points,
    post,
)
from tests.operations.bodies import ended, work_off
from tests.world import World

Call = Callable[..., Caller]
Counting = Callable[[], AbstractContextManager[list[str]]]
DAY = "2018-01-01"


@pytest.fixture
def member(call: Call, world: World) -> Caller:
    return call(world.member)


@pytest.fixture
def answered(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project, name="Réponses Answered")


@pytest.fixture
def calls(session: Session, world: World) -> Measure:
    return make_measure(
        session, project=world.project, name="Calls", data_type=DataType.COUNT, unit=None
    )


def test_each_measure_has_its_counts_its_faults_and_its_modes(
    member: Caller,
    answered: Measure,
    calls: Measure,
    world: World,
    database: Database,
    session: Session,
) -> None:
    make_data_point(session, measure=answered, numerator=8.0, denominator=20.0)
    text = (
        "measure,period_start,value,numerator,denominator\n"
        f"Calls,{DAY},7,,\n"
        f"{answered.name},{DAY},,9,20\n"
        f"{answered.name},2018-01-08,,21,20\n"
        f"Calls,{DAY},8,,\n"
        "Calls,soon,8,,\n"
    )
    faults = [
        (4, "numerator", "numerator_exceeds_denominator"),
        (5, "period_start", "duplicate_row"),
        (6, "period_start", "date_type"),
    ]
    failed = load(member, database, world.project, text)
    assert faults_of(failed) == faults
    assert failed["error"]["errors"][1]["pointer"] == "#/items/3/period_start"
    assert count_points(session, calls) == 0
    tried = load(member, database, world.project, text, on_error="skip", dry_run=True)["result"]
    assert (tried["dry_run"], count_points(session, calls)) == (True, 0)
    done = load(member, database, world.project, text, on_error="skip")
    assert faults_of(done) == faults
    assert counted(done["result"]) == {
        "Calls": [1, 0, 0, 1],
        answered.name: [0, 1, 0, 1],
        "": [1, 1, 0, 3],
    }
    assert counted(tried) == counted(done["result"])
    inserted = load(member, database, world.project, text, on_error="skip", mode="insert")
    assert counted(inserted["result"])[""] == [0, 0, 0, 5]


def test_rows_of_a_measure_are_written_together(
    member: Caller,
    world: World,
    database: Database,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file in the order of its days: few events of each measure, not one for every batch."""
    monkeypatch.setattr("app.measures.imports.rows.BATCH_ROWS", 10)
    monkeypatch.setattr("app.measures.imports.rows.WINDOW_ROWS", 40)
    measures = [make_measure(session, project=world.project) for _ in range(4)]
    rows = list(chain(*zip(*(named(measure, points(20)) for measure in measures), strict=True)))
    rows[6] |= {"numerator": 21}
    rows[1] |= {"denominator": "many"}
    done = load(member, database, world.project, csv_of(rows), on_error="skip")
    assert done["result"]["created"] == 78
    # By their rows, although that of the second measure comes first.
    assert [fault[0] for fault in faults_of(done)] == [3, 8]
    told = session.exec(select(Event).where(Event.type == "data_point.recorded")).all()
    assert len(told) == 8
    assert {event.resource_id for event in told} == {measure.id for measure in measures}
    assert {data_of(event)["created"] for event in told} == {9, 10}
    for measure in measures:
        assert member.ok(f"/measures/{measure.id}")["series_revision"] == 2


def test_a_batch_has_few_measures(
    member: Caller,
    world: World,
    database: Database,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each measure costs statements of its own, and meanwhile nobody else writes to SQLite."""
    monkeypatch.setattr("app.measures.imports.rows.BATCH_NAMES", 3)
    measures = [make_measure(session, project=world.project) for _ in range(8)]
    text = csv_of(row for measure in measures for row in named(measure, points(2)))
    response = post(member, world.project, text)
    seen: list[int] = []

    def pause(_seconds: float) -> None:
        session.expire_all()
        seen.append(session.exec(select(Operation.done)).one())

    drain(database, [operator(RUNNERS, database=database, pause=pause)])
    assert ended(member, response)["result"]["created"] == 16
    assert seen == [0, 6, 12, 16]


def test_statements_do_not_grow_with_the_measures_or_rows(
    member: Caller, world: World, database: Database, session: Session, count_queries: Counting
) -> None:
    """Besides what writes and tells of each measure; measures and points are read at once."""
    reads = []
    for count, days in ((2, 2), (9, 30)):
        measures = [make_measure(session, project=world.project) for _ in range(count)]
        text = csv_of(row for measure in measures for row in named(measure, points(days)))
        assert post(member, world.project, text).status_code == 202
        with count_queries() as statements:
            work_off(database, RUNNERS)
        tables = ("FROM measure", "FROM data_point", "FROM project")
        reads.append([text for text in statements if any(table in text for table in tables)])
    assert count_points(session, measures[-1]) == 30
    assert len(reads[0]) == len(reads[1])
    assert sum("FROM data_point" in text for text in reads[1]) == 2  # looked through, then written


def test_points_far_apart_are_found(
    member: Caller, world: World, database: Database, session: Session
) -> None:
    """Each measure with days and strata of its own: no one statement looks them all up."""
    measures = [make_measure(session, project=world.project) for _ in range(6)]
    rows = [
        {"measure": measure.name, **point(60 * (10 * number + each))}
        for number, measure in enumerate(measures)
        for each in range(6)
    ]
    text = csv_of(rows)
    assert load(member, database, world.project, text)["result"]["created"] == 36
    result = load(member, database, world.project, text)["result"]
    assert counted(result)[""] == [0, 0, 36, 0]


def _between(database: Database, number: int, act: Callable[[], object]) -> None:
    """Work it off; `act` comes after that chunk, of which the first checks the permission."""
    pauses = iter(range(1, 100))

    def pause(_seconds: float) -> None:
        if next(pauses) == number:
            act()

    drain(database, [operator(RUNNERS, database=database, pause=pause)])


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_a_measure_that_is_archived_meanwhile(
    on_error: str,
    member: Caller,
    answered: Measure,
    world: World,
    database: Database,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.measures.imports.rows.BATCH_ROWS", 10)
    other = make_measure(session, project=world.project)
    text = csv_of([*named(answered, points(10)), *named(other, points(20))])
    response = post(member, world.project, text, on_error=on_error)

    def archive() -> None:
        session.get_one(Measure, other.id).archived_at = utc_now()
        session.commit()

    _between(database, 3, archive)
    done = ended(member, response)
    assert count_points(session, other) == 10
    assert {fault[2] for fault in faults_of(done)} == {"archived"}
    if on_error == "fail":
        assert (done["state"], done["progress"]["done"]) == ("failed", 20)
        assert done["error"]["detail"] == "Faults: 10; the 20 rows before them are written."
    else:
        assert counted(done["result"])[other.name] == [10, 0, 0, 10]


def test_it_can_be_cancelled(
    member: Caller,
    answered: Measure,
    world: World,
    database: Database,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.measures.imports.rows.BATCH_ROWS", 10)
    response = post(member, world.project, csv_of(named(answered, points(40))))
    path = f"{response.headers['Location']}/cancel"
    _between(database, 3, lambda: member.post(path))
    done = ended(member, response)
    assert (done["state"], done["progress"]) == ("cancelled", {"done": 20, "total": 40})
    assert count_points(session, answered) == 20
