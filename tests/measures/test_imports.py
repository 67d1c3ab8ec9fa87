"""Imports: files in, rows and counts out; what is refused at once, and what fails later."""

import zlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.kit.db import Database
from app.measures.imports.schemas import FAULTS_AT_MOST
from app.measures.models import DataPoint, Measure
from app.operations.models import Operation, OperationInput
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.measures.bodies import data_of, events_of, refused, series_of
from tests.measures.importing import (
    RUNNERS,
    count_points,
    csv_of,
    lines_of,
    load,
    point,
    points,
    post,
)
from tests.operations.bodies import ended, work_off
from tests.world import World

Call = Callable[..., Caller]
NOTHING: dict[str, Any] = {
    "created": 0,
    "updated": 0,
    "unchanged": 0,
    "skipped": 0,
    "excluded": 0,
    "exclusions_ended": 0,
    "dry_run": False,
    "faults": [],
}


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project)


@pytest.fixture
def member(call: Call, world: World) -> Caller:
    return call(world.member)


def test_a_file_is_accepted_with_its_operation(
    member: Caller, measure: Measure, world: World, session: Session
) -> None:
    response = post(member, measure, csv_of(points(3)))
    assert response.status_code == 202, response.text
    document = response.json()
    assert response.headers["Location"] == f"/api/v1/operations/{document['id']}"
    assert int(response.headers["Retry-After"]) >= 1
    assert response.headers["ETag"] == '"1"'
    assert (document["kind"], document["state"]) == ("data_points.import", "pending")
    assert document["progress"] == {"done": 0, "total": 3}
    assert document["owner_id"] == str(world.member.id)
    assert document["project_id"] == str(measure.project_id)
    given = session.exec(select(OperationInput)).one()
    assert given.media_type == "text/csv"
    assert zlib.decompress(given.content).decode() == csv_of(points(3))
    assert count_points(session, measure) == 0


@pytest.mark.parametrize(("write", "kind"), [(csv_of, "text/csv"), (lines_of, "application/jsonl")])
def test_both_media_types(
    write: Callable[..., str],
    kind: str,
    member: Caller,
    measure: Measure,
    database: Database,
    session: Session,
    world: World,
) -> None:
    done = load(member, database, measure, write(points(1_201)), kind)
    assert (done["state"], done["error"]) == ("succeeded", None)
    assert done["result"] == NOTHING | {"created": 1_201}
    assert done["progress"] == {"done": 1_201, "total": 1_201}
    assert done["result_url"] == f"/api/v1/measures/{measure.id}/data-points"
    assert count_points(session, measure) == 1_201
    row = session.exec(select(DataPoint).where(DataPoint.stratum == "s7").limit(1)).one()
    assert (row.value, row.source, row.entered_by) == (7 / 20, "import", world.member.id)
    assert session.exec(select(OperationInput)).all() == []


@pytest.mark.parametrize(
    "text",
    [
        csv_of(points(3)).encode("utf-8-sig"),
        csv_of(points(3), end="\r\n"),
        csv_of(points(3)).replace(",", ";"),
        csv_of(points(3)) + "\n\n",
        'period_start,value,note\n2018-01-01,,"Snow, ""deep""\nand wind"\n'
        "2018-01-02,,\n2018-01-03,,\n",
    ],
    ids=["BOM", "CRLF", "semicolons", "blank lines", "quotes over lines"],
)
def test_ways_to_write_a_file(
    text: str | bytes, member: Caller, measure: Measure, database: Database
) -> None:
    done = load(member, database, measure, text)
    assert done["error"] is None
    assert done["result"] == NOTHING | {"created": 3}


def test_what_is_there_is_changed_or_left_alone(
    member: Caller, measure: Measure, database: Database, session: Session
) -> None:
    load(member, database, measure, csv_of(points(600)))
    rows = [point(number, numerator=19 if number < 10 else number % 20) for number in range(650)]
    done = load(member, database, measure, csv_of(rows))
    assert done["result"] == NOTHING | {"created": 50, "updated": 10, "unchanged": 590}
    assert count_points(session, measure) == 650


def test_one_event_and_one_series_revision_a_chunk(
    member: Caller, measure: Measure, database: Database, session: Session
) -> None:
    _, before = series_of(member, measure)
    load(member, database, measure, csv_of(points(1_100)))
    recorded = events_of(session, measure.id)
    assert [event.type for event in recorded] == ["data_point.recorded"] * 3
    assert [data_of(event)["created"] for event in recorded] == [500, 500, 100]
    assert all(event.project_id == measure.project_id for event in recorded)
    assert series_of(member, measure)[1] == before + 3
    load(member, database, measure, csv_of(points(1_100)))
    assert series_of(member, measure)[1] == before + 3


def test_faults_come_all_at_once_and_nothing_is_written(
    member: Caller, measure: Measure, database: Database, session: Session
) -> None:
    rows = list(points(1_300))
    rows[2]["numerator"] = 21
    rows[700]["denominator"] = "many"
    rows[1_200] |= {"stratum": rows[0]["stratum"], "period_start": rows[0]["period_start"]}
    done = load(member, database, measure, csv_of(rows))
    assert (done["state"], done["result"]) == ("failed", None)
    error = done["error"]
    assert (error["code"], error["status"]) == ("validation_failed", 422)
    assert "Faults: 3;" in error["detail"]
    assert [(fault["row"], fault["column"], fault["code"]) for fault in error["errors"]] == [
        (4, "numerator", "numerator_exceeds_denominator"),
        (702, "denominator", "float_type"),
        (1_202, "period_start", "duplicate_row"),
    ]
    assert error["errors"][1]["pointer"] == "#/items/700/denominator"
    assert count_points(session, measure) == 0
    assert events_of(session, measure.id) == []


def test_at_most_a_hundred_faults_are_listed(
    member: Caller, measure: Measure, database: Database
) -> None:
    bad = csv_of(point(number, numerator=21) for number in range(900))
    error = load(member, database, measure, bad)["error"]
    assert len(error["errors"]) == FAULTS_AT_MOST
    assert error["detail"].startswith("Faults: 900;")
    result = load(member, database, measure, bad, on_error="skip")["result"]
    assert (result["skipped"], len(result["faults"])) == (900, FAULTS_AT_MOST)


def test_bad_rows_are_left_out_and_listed(
    member: Caller, measure: Measure, database: Database, session: Session
) -> None:
    rows = list(points(1_000))
    rows[3]["numerator"] = 21
    rows[501]["period_start"] = "soon"
    text = csv_of([*rows, rows[0]]) + "2018-01-01,west\n"
    done = load(member, database, measure, text, on_error="skip")
    assert done["state"] == "succeeded"
    result = done["result"]
    assert (result["created"], result["updated"], result["skipped"]) == (998, 0, 4)
    assert [(fault["row"], fault["code"]) for fault in result["faults"]] == [
        (5, "numerator_exceeds_denominator"),
        (503, "date_type"),
        (1_002, "duplicate_row"),
        (1_003, "wrong_number_of_cells"),
    ]
    assert done["progress"] == {"done": 1_002, "total": 1_002}
    assert count_points(session, measure) == 998


def test_a_row_is_judged_with_what_is_stored(
    member: Caller, measure: Measure, database: Database, session: Session
) -> None:
    make_data_point(session, measure=measure, numerator=8.0, denominator=20.0)
    text = "period_start,numerator\n2018-01-01,21\n"
    error = load(member, database, measure, text)["error"]
    assert error["errors"][0]["code"] == "numerator_exceeds_denominator"
    text = "period_start,numerator\n2018-01-01,20\n"
    assert load(member, database, measure, text)["result"]["updated"] == 1


def test_insert_refuses_what_exists(
    member: Caller, measure: Measure, database: Database, session: Session
) -> None:
    load(member, database, measure, csv_of(points(2)))
    done = load(member, database, measure, csv_of(points(4)), mode="insert")
    assert [fault["code"] for fault in done["error"]["errors"]] == ["already_exists"] * 2
    done = load(member, database, measure, csv_of(points(4)), mode="insert", on_error="skip")
    assert (done["result"]["created"], done["result"]["skipped"]) == (2, 2)
    assert count_points(session, measure) == 4


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_a_dry_run_writes_nothing(
    on_error: str, member: Caller, measure: Measure, database: Database, session: Session
) -> None:
    load(member, database, measure, csv_of(points(5)))
    rows = [point(number, numerator=1) for number in range(700)]
    done = load(member, database, measure, csv_of(rows), dry_run=True, on_error=on_error)
    assert done["result"] == NOTHING | {
        "created": 695,
        "updated": 4,
        "unchanged": 1,
        "dry_run": True,
    }
    assert count_points(session, measure) == 5
    assert len(events_of(session, measure.id)) == 1


@pytest.mark.parametrize(
    ("text", "kind", "status", "code"),
    [
        (b"", "text/csv", 422, "missing_column"),
        (b"", "application/jsonl", 422, "no_rows"),
        (b"period_start,value\n", "text/csv", 422, "no_rows"),
        (b"\n\n", "application/jsonl", 422, "no_rows"),
        (b"period_start,weight\n2018-01-01,1\n", "text/csv", 422, "unknown_column"),
        (b"period_start,value\n2018-01-01,\xff\n", "text/csv", 400, "unreadable_file"),
        (b'{"period_start": "2018-01-01\xff"}\n', "application/jsonl", 400, "unreadable_file"),
        (b'period_start,note\n2018-01-01,"a" b\n', "text/csv", 422, "malformed_csv"),
        (b'period_start,note\n2018-01-01,"a\n', "text/csv", 422, "malformed_csv"),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(
    text: bytes,
    kind: str,
    status: int,
    code: str,
    member: Caller,
    measure: Measure,
    session: Session,
) -> None:
    response = post(member, measure, text, kind)
    assert response.status_code == status, response.text
    assert code in {fault["code"] for fault in response.json()["errors"]}
    assert session.exec(select(Operation)).all() == []


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "text/csv; charset=latin1", "application/zip"]
)
def test_other_media_types(kind: str, member: Caller, measure: Measure) -> None:
    response = post(member, measure, "period_start\n2018-01-01\n", kind)
    refused(response, 415, "unsupported_media_type")
    assert response.headers["Accept-Post"] == "text/csv, application/jsonl"


def test_too_much(
    member: Caller, measure: Measure, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(post(member, measure, b"x" * 20_000_001), 413, "body_too_large")
    monkeypatch.setattr("app.measures.imports.rows.MAX_ROWS", 3)
    assert post(member, measure, csv_of(points(3))).status_code == 202
    refused(post(member, measure, csv_of(points(4))), 422, "too_many_rows")
    assert len(session.exec(select(Operation)).all()) == 1


@pytest.mark.parametrize("params", [{"mode": "replace_range"}, {"on_error": "stop"}, {"from": "x"}])
def test_other_options(params: dict[str, str], member: Caller, measure: Measure) -> None:
    assert post(member, measure, csv_of(points(1)), **params).status_code == 422


def test_the_same_key_gives_the_same_operation(
    member: Caller, measure: Measure, database: Database, session: Session
) -> None:
    headers = {"Idempotency-Key": "file-7"}
    first = post(member, measure, csv_of(points(3)), headers=headers)
    again = post(member, measure, csv_of(points(3)), headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
    other = post(member, measure, csv_of(points(4)), headers=headers)
    refused(other, 422, "idempotency_key_reused")
    work_off(database, RUNNERS)
    assert ended(member, again)["result"]["created"] == 3
    assert len(session.exec(select(Operation)).all()) == 1


def test_an_archived_project_refuses_or_stops_it(
    member: Caller, call: Call, world: World, measure: Measure, database: Database, session: Session
) -> None:
    response = post(member, measure, csv_of(points(3)))
    assert call(world.facilitator).delete(f"/projects/{world.project.id}").status_code == 204
    refused(post(member, measure, csv_of(points(3))), 409, "archived")
    work_off(database, RUNNERS)
    done = ended(member, response)
    assert (done["state"], done["error"]["code"], done["error"]["status"]) == (
        "failed",
        "archived",
        409,
    )
    assert count_points(session, measure) == 0


def test_rows_that_others_exclude_stay_so(
    member: Caller, measure: Measure, database: Database, session: Session
) -> None:
    make_data_point(session, measure=measure, excluded=True, excluded_reason="Flood")
    text = "period_start,numerator,denominator\n2018-01-01,9,20\n"
    assert load(member, database, measure, text)["result"]["updated"] == 1
    session.expire_all()
    row = session.exec(select(DataPoint).where(col(DataPoint.measure_id) == measure.id)).one()
    assert (row.excluded, row.excluded_reason, row.numerator) == (True, "Flood", 9.0)


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("period_start,note\n2018-01-01,a\x00b\n", "text/csv", "unstorable_text"),
        ("period_start,note\n2018-01-01,4505577104\n", "text/csv", "patient_identifier_suspected"),
        ("period_start,value\n2018-01-01,1e999\n", "text/csv", "finite_number"),
        ("[" * 10_000, "application/jsonl", "json_invalid"),
        ("null\n", "application/jsonl", "model_type"),
        ('{"period_start": "2018-01-01", "a\\u0000b": 1}', "application/jsonl", "extra_forbidden"),
        ('{"period_start": "2018-01-01", "a\\ud800": 1}', "application/jsonl", "json_invalid"),
    ],
)
def test_what_no_honest_file_holds(
    text: str, kind: str, code: str, member: Caller, measure: Measure, database: Database
) -> None:
    done = load(member, database, measure, text, kind)
    assert done["state"] == "failed"
    assert code in {fault["code"] for fault in done["error"]["errors"]}
    assert load(member, database, measure, text, kind, on_error="skip")["result"]["skipped"] == 1
