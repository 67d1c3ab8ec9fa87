"""Imports of many measures: how a row names its measure, and what is no name of one."""

import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.errors import Archived, ReferenceNotFound
from app.measures.imports import matching
from app.measures.models import DataPoint, DataType, Measure
from app.operations.models import Operation
from tests.builders import make_measure
from tests.calling import Caller
from tests.exchange import make_reference
from tests.measures.bodies import refused
from tests.measures.importing import (
    RUNNERS,
    count_points,
    counted,
    csv_of,
    faults_of,
    lines_of,
    load,
    named,
    points,
    post,
)
from tests.operations.bodies import ended, work_off
from tests.world import World

Call = Callable[..., Caller]
Counting = Callable[[], AbstractContextManager[list[str]]]
DAY = "2018-01-01"
PAGE = Path(__file__).parents[2] / "docs" / "imports.md"


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


@pytest.mark.parametrize(("write", "kind"), [(csv_of, "text/csv"), (lines_of, "application/jsonl")])
def test_rows_go_to_the_measures_that_they_name(
    write: Callable[..., str],
    kind: str,
    member: Caller,
    answered: Measure,
    calls: Measure,
    world: World,
    database: Database,
    session: Session,
) -> None:
    ratio = {"measure": answered.name, "period_start": DAY, "numerator": 3, "denominator": 4}
    ratios = [ratio | {"stratum": f"s{number}"} for number in range(30)]
    numbers = [{"measure": calls.name, "period_start": DAY, "stratum": "x", "value": 12.0}]
    if kind == "text/csv":
        columns = ("measure", "stratum", "period_start", "value", "numerator", "denominator")
        text = csv_of({name: row.get(name, "") for name in columns} for row in ratios + numbers)
    else:
        text = lines_of(ratios + numbers)
    response = post(member, world.project, text, kind)
    assert response.json()["kind"] == "data_points.import"
    assert response.json()["project_id"] == str(world.project.id)
    work_off(database, RUNNERS)
    done = ended(member, response)
    assert (done["state"], done["error"]) == ("succeeded", None)
    assert done["progress"] == {"done": 31, "total": 31}
    assert done["result_url"] == f"/api/v1/projects/{world.project.id}/measures"
    assert counted(done["result"]) == {
        answered.name: [30, 0, 0, 0],
        calls.name: [1, 0, 0, 0],
        "": [31, 0, 0, 0],
    }
    assert done["result"]["measures"][1]["measure_id"] == str(calls.id)
    (row,) = session.exec(select(DataPoint).where(DataPoint.measure_id == calls.id)).all()
    assert (row.value, row.source, row.entered_by) == (12.0, "import", world.member.id)
    assert row.programme_id == world.programme.id
    assert count_points(session, answered) == 30


def test_the_page_does_what_it_says(
    member: Caller, calls: Measure, world: World, database: Database, session: Session
) -> None:
    """Its file is loaded, and its codes are those of the code."""
    page = PAGE.read_text()
    make_measure(session, project=world.project, name="ready in time")
    (text,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    done = load(member, database, world.project, text)
    assert counted(done["result"])[""] == [3, 0, 0, 0]
    told = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    source = Path(matching.__file__).read_text()
    codes = set(re.findall(r'"(measure_m\w+|\w+_measure|\w+_missing)"', source))
    assert told == codes | {Archived.code, ReferenceNotFound.code}
    assert calls.name in text


def test_a_name_in_any_case_an_id_or_what_a_system_calls_it(
    member: Caller,
    answered: Measure,
    calls: Measure,
    world: World,
    database: Database,
    session: Session,
) -> None:
    known = {"resource_type": "measure", "resource_id": answered.id}
    make_reference(session, project=world.project, external_id="A1", system="sus", **known)
    make_reference(session, project=world.project, external_id="A2", system="other", **known)
    ways = [
        ("  réponses ANSWERED ", "", ""),
        ("Re\u0301ponses Answered", "", ""),
        ("", str(answered.id).upper(), ""),
        ("", "", " A1 "),
        (answered.name, str(answered.id), "A1"),
    ]
    lines = [f"{','.join(way)},2018-01-{day:02},1,2" for day, way in enumerate(ways, start=1)]
    text = "\n".join(["measure,measure_id,external_id,period_start,numerator,denominator", *lines])
    done = load(member, database, world.project, text, system="sus")
    assert done["error"] is None
    assert counted(done["result"]) == {answered.name: [5, 0, 0, 0], "": [5, 0, 0, 0]}
    assert count_points(session, calls) == 0


def test_rows_that_name_no_measure_of_the_project(
    member: Caller,
    call: Call,
    answered: Measure,
    calls: Measure,
    world: World,
    database: Database,
    session: Session,
) -> None:
    """What there is elsewhere looks as what is nowhere, even for somebody who may write it."""
    elsewhere = make_measure(session, project=world.other_project, name="Elsewhere")
    foreign = make_measure(session, project=world.foreign_project, name="Foreign")
    for measure, external_id in ((elsewhere, "E1"), (answered, "A1")):
        make_reference(
            session,
            project=world.project,
            resource_type="measure",
            resource_id=measure.id,
            external_id=external_id,
            system="sus",
        )
    for _ in range(2):
        make_measure(session, project=world.project, name="Twin")
    old = make_measure(session, project=world.project, name="Old", archived_at=utc_now())
    rows = [
        ("Nowhere", "", "", "measure", "reference_not_found"),
        ("Elsewhere", "", "", "measure", "reference_not_found"),
        ("", uuid.uuid4(), "", "measure_id", "reference_not_found"),
        ("", elsewhere.id, "", "measure_id", "reference_not_found"),
        ("", foreign.id, "", "measure_id", "reference_not_found"),
        ("", "", "E0", "external_id", "reference_not_found"),
        ("", "", "E1", "external_id", "reference_not_found"),
        ("", "", "a1", "external_id", "reference_not_found"),
        ("", "nonsense", "", "measure_id", "uuid_parsing"),
        ("", "", "", "measure", "measure_missing"),
        ("twin", "", "", "measure", "ambiguous_measure"),
        ("old", "", "", "measure", "archived"),
        ("", old.id, "", "measure_id", "archived"),
        (calls.name, answered.id, "", "measure", "measure_mismatch"),
        (calls.name, "", "A1", "measure", "measure_mismatch"),
    ]
    lines = [",".join(map(str, row[:3])) + f",{DAY}" for row in rows]
    text = "\n".join(["measure,measure_id,external_id,period_start", *lines])
    expected = [(line, *row[3:]) for line, row in enumerate(rows, start=2)]
    for caller in (member, call(world.facilitator), call(world.admin)):
        done = load(caller, database, world.project, text, system="sus")
        assert (done["state"], done["error"]["code"]) == ("failed", "validation_failed")
        assert faults_of(done) == expected
        details = [fault["detail"] for fault in done["error"]["errors"]]
        assert (details[0], details[2], details[5]) == (details[1], details[4], details[6])
    done = load(member, database, world.project, text, system="sus", on_error="skip")
    assert faults_of(done) == expected
    assert counted(done["result"]) == {"": [0, 0, 0, len(rows)]}
    assert session.exec(select(DataPoint)).all() == []


def test_a_live_measure_goes_before_an_archived_one_of_its_name(
    member: Caller, world: World, database: Database, session: Session
) -> None:
    make_measure(session, project=world.project, name="Ready", archived_at=utc_now())
    live = make_measure(session, project=world.project, name="READY")
    done = load(member, database, world.project, f"measure,period_start\nready,{DAY}\n")
    assert done["result"]["measures"][0]["measure_id"] == str(live.id)


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        (b"", "text/csv", "missing_column"),
        (b"period_start,value\n2018-01-01,1\n", "text/csv", "missing_column"),
        (b"measure,value\nCalls,1\n", "text/csv", "missing_column"),
        (b"measure,period_start,weight\nCalls,2018-01-01,1\n", "text/csv", "unknown_column"),
        (b"measure,measure,period_start\nA,B,2018-01-01\n", "text/csv", "duplicate_column"),
        (b"external_id,period_start\nA1,2018-01-01\n", "text/csv", "system_missing"),
        (b"measure,period_start\n", "text/csv", "no_rows"),
        (b"", "application/jsonl", "no_rows"),
        (b"measure,period_start\n\xfcber,2018-01-01\n", "text/csv", "unreadable_file"),
        ("measure,period_start\n".encode("utf-16"), "text/csv", "unreadable_file"),
        (b'measure,period_start\n"Calls,2018-01-01\n', "text/csv", "malformed_csv"),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(
    text: bytes, kind: str, code: str, member: Caller, world: World, session: Session
) -> None:
    response = post(member, world.project, text, kind)
    assert response.status_code == (400 if code == "unreadable_file" else 422), response.text
    assert code in {fault["code"] for fault in response.json()["errors"]}
    assert session.exec(select(Operation)).all() == []


def test_a_wrong_option_is_told_once(member: Caller, world: World) -> None:
    response = post(member, world.project, f"measure,period_start\nA,{DAY}\n", system="Life QI")
    assert [fault["parameter"] for fault in response.json()["errors"]] == ["system"]
    assert post(member, world.project, "x", "application/json").status_code == 415


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ({"measure": "Calls", "external_id": "A1"}, "external_id", "system_missing"),
        ({"measure": 12}, "measure", "string_type"),
        ({"measure": ["Calls"]}, "measure", "string_type"),
        ({"measure": "a\x00b"}, "measure", "unstorable_text"),
        ({"measure": "x" * 201}, "measure", "string_too_long"),
        ({"measure": "Calls", "measures": "Calls"}, "measures", "extra_forbidden"),
        ({"measure": None}, "measure", "measure_missing"),
    ],
)
def test_lines_that_are_wrong(
    line: dict[str, Any],
    column: str,
    code: str,
    member: Caller,
    calls: Measure,
    world: World,
    database: Database,
) -> None:
    text = lines_of([{"period_start": DAY} | line])
    done = load(member, database, world.project, text, "application/jsonl")
    assert faults_of(done) == [(1, column, code)]


def test_the_archived_project_and_the_role_that_ends(
    member: Caller, call: Call, answered: Measure, world: World, database: Database
) -> None:
    text = csv_of(named(answered, points(3)))
    response = post(member, world.project, text)
    assert call(world.facilitator).delete(f"/projects/{world.project.id}").status_code == 204
    refused(post(member, world.project, text), 409, "archived")
    work_off(database, RUNNERS)
    done = ended(member, response)
    assert (done["state"], done["error"]["code"]) == ("failed", "archived")


def test_a_token_needs_its_scopes(
    call: Call, answered: Measure, world: World, database: Database
) -> None:
    login, text = call(world.member), csv_of(named(answered, points(2)))
    reader = login.with_token("measure:read", "project:read")
    refused(post(reader, world.project, text), 403, "scope_insufficient")
    writer = login.with_token("measure:read", "data_point:write")
    assert load(writer, database, world.project, text)["result"]["created"] == 2
