"""Bulk recording from CSV and JSON Lines, and what a list gives as a file."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from app.measures.data_points.cells import read_cells, write_cell
from app.measures.models import Measure
from tests.builders import make_measure
from tests.calling import Caller
from tests.measures.bodies import bulk, refused, series_of, upload
from tests.world import World

Call = Callable[..., Caller]
JSON_LINES = "application/jsonl"
HEADER = "period_start,numerator,denominator,note\n"
SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "ae_attendances_sample.csv"


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project, code="answered")


@pytest.fixture
def member(call: Call, world: World) -> Caller:
    return call(world.member)


def points(member: Caller, measure: Measure, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = member.ok(f"/measures/{measure.id}/data-points", **params)[
        "items"
    ]
    return items


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "2018-01-01,8,20,Snow\n2018-01-08,,,\n",
        "\ufeff" + HEADER + "2018-01-01,8,20,Snow\r\n2018-01-08,,,\r\n",
        "Period_Start; numerator;denominator;note\n2018-01-01; 8.0;+2e1;Snow\n;;;\n\n2018-01-08;;;",
        'note,period_start,denominator,numerator\n"Snow",2018-01-01,20,8\n"",2018-01-08,,',
    ],
)
def test_csv_dialects(member: Caller, measure: Measure, text: str) -> None:
    response = upload(member, measure, text)
    assert response.status_code == 200, response.text
    assert response.json()["created"] == 2
    first, second = points(member, measure)
    assert (first["value"], first["note"]) == (0.4, "Snow")
    assert (second["value"], second["note"]) == (None, None)


def test_csv_options_are_parameters(member: Caller, measure: Measure) -> None:
    text = HEADER + "2018-01-01,8,20,\n2018-01-08,9,20,\n"
    assert upload(member, measure, text, dry_run="true").json()["dry_run"] is True
    assert points(member, measure) == []
    upload(member, measure, text, "text/csv; charset=utf-8")
    refused(
        upload(member, measure, text, mode="insert"),
        422,
        "already_exists",
        "#/items/0/period_start",
    )
    span = {"mode": "replace_range", "from": "2018-01-01", "to": "2018-01-31"}
    replaced = upload(member, measure, HEADER + "2018-01-01,8,20,\n", **span)
    assert replaced.json()["archived"] == 1
    refused(upload(member, measure, text, mode="replace_range"), 422, "validation_failed")
    refused(upload(member, measure, text, moed="insert"), 422, "unknown_parameter")


def test_an_empty_cell_empties_and_an_absent_column_does_not(
    member: Caller, measure: Measure
) -> None:
    whole = "period_start,numerator,denominator,excluded,excluded_reason,status,note\n"
    upload(member, measure, whole + "2018-01-01,8,20,TRUE,Closed,provisional,Snow\n")
    upload(member, measure, "period_start,numerator,denominator\n2018-01-01,9,20\n")
    point = points(member, measure)[0]
    assert (point["note"], point["excluded"], point["status"]) == ("Snow", True, "provisional")
    upload(member, measure, whole + "2018-01-01,9,20,0,,,\n")
    point = points(member, measure)[0]
    assert (point["note"], point["excluded"], point["status"]) == (None, False, "provisional")


def test_csv_faults_have_row_and_column(member: Caller, measure: Measure) -> None:
    text = (
        HEADER
        + "2018-01-01,8,20,\n"
        + '2018-01-08,"1,5",20,"two\nlines"\n'
        + "2018-01-15,NaN,inf,\n"
        + "2018-01-22,8\n"
        + "\n"
        + "2018-01-01,8,20,\n"
        + "01/02/2018,21,20,\n"
        + ",1,2,\n"
        + "2018-03-05,21,20,\n"
    )
    response = upload(member, measure, text)
    assert response.status_code == 422, response.text
    found = [
        (fault["row"], fault.get("column"), fault["pointer"], fault["code"])
        for fault in response.json()["errors"]
    ]
    assert sorted(found, key=str) == sorted(
        [
            (3, "numerator", "#/items/1/numerator", "float_type"),
            (5, "numerator", "#/items/2/numerator", "float_type"),
            (5, "denominator", "#/items/2/denominator", "float_type"),
            (6, None, "#/items/3", "wrong_number_of_cells"),
            (8, "period_start", "#/items/4/period_start", "duplicate_row"),
            (9, "period_start", "#/items/5/period_start", "date_type"),
            (10, "period_start", "#/items/6/period_start", "missing"),
            (11, "numerator", "#/items/7/numerator", "numerator_exceeds_denominator"),
        ],
        key=str,
    )
    assert points(member, measure) == []
    assert series_of(member, measure) == (1, 0)


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("", "missing_column", "period_start"),
        ("2018-01-01,8,20\n", "missing_column", "period_start"),
        ("period_start,breaches\n2018-01-01,8\n", "unknown_column", "breaches"),
        ("period_start,note,Note\n2018-01-01,,\n", "duplicate_column", "note"),
        ("numerator,denominator\n8,20\n", "missing_column", "period_start"),
    ],
)
def test_headers_that_cannot_be_read(
    member: Caller, measure: Measure, text: str, code: str, column: str
) -> None:
    response = upload(member, measure, text)
    assert response.status_code == 422, response.text
    assert (1, column, code) in {
        (fault["row"], fault["column"], fault["code"]) for fault in response.json()["errors"]
    }


@pytest.mark.parametrize(
    "text", [HEADER + '2018-01-01,8,20,"open\n', HEADER + '2018-01-01,8,20,"a"b\n', '"open']
)
def test_quotes_out_of_place(member: Caller, measure: Measure, text: str) -> None:
    response = upload(member, measure, text)
    assert response.status_code == 422, response.text
    assert {fault["code"] for fault in response.json()["errors"]} == {"malformed_csv"}
    assert points(member, measure) == []


@pytest.mark.parametrize("kind", ["text/csv", JSON_LINES])
def test_bytes_that_are_no_text(member: Caller, measure: Measure, kind: str) -> None:
    response = upload(member, measure, HEADER.encode() + b"2018-01-01,8,20,Caf\xe9\n", kind)
    refused(response, 400, "unreadable_file")
    assert response.json()["errors"][0]["row"] == 2


def test_nul_and_control_characters(member: Caller, measure: Measure) -> None:
    response = upload(member, measure, HEADER + "2018-01-01,8,20,a\x00b\n")
    refused(response, 422, "unstorable_text", "#/items/0/note")


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/xml", "text/csv; charset=iso-8859-1", "application/x-ndjson"],
)
def test_other_media_types(member: Caller, measure: Measure, kind: str) -> None:
    response = upload(member, measure, HEADER, kind)
    refused(response, 415, "unsupported_media_type")
    assert response.headers["Accept-Post"] == "application/json, text/csv, application/jsonl"


def test_json_lines(member: Caller, measure: Measure) -> None:
    text = (
        '{"period_start": "2018-01-01", "numerator": 8, "denominator": 20}\r\n'
        "\n"
        '{"period_start": "2018-01-08", "note": "Snow\u2028drift"}'
    )
    response = upload(member, measure, text, JSON_LINES)
    assert response.json()["created"] == 2, response.text
    assert points(member, measure)[1]["note"] == "Snow\u2028drift"


def test_json_lines_faults(member: Caller, measure: Measure) -> None:
    text = (
        '{"period_start": "2018-01-01", "numerator": 21, "denominator": 20}\n'
        '{"period_start": "2018-01-08"\n'
        "\n"
        "[1]\n"
        '{"period_start": "2018-01-15", "numerator": "8"}\n'
        '{"period_start": "2018-01-22", "numerator": NaN, "denominator": 3}\n' + "[" * 5_000
    )
    response = upload(member, measure, text, JSON_LINES)
    assert response.status_code == 422, response.text
    found = {
        (fault["row"], fault.get("column"), fault["code"]) for fault in response.json()["errors"]
    }
    assert found == {
        (1, "numerator", "numerator_exceeds_denominator"),
        (2, None, "json_invalid"),
        (4, None, "model_type"),
        (5, "numerator", "float_type"),
        (6, "numerator", "finite_number"),
        (7, None, "json_invalid"),
    }


@pytest.mark.parametrize("kind", ["text/csv", JSON_LINES])
def test_more_lines_than_one_transaction_takes(member: Caller, measure: Measure, kind: str) -> None:
    line = "2018-01-01\n" if kind == "text/csv" else '{"period_start": "2018-01-01"}\n'
    response = upload(member, measure, "period_start\n" * (kind == "text/csv") + line * 5_001, kind)
    refused(response, 422, "too_many_rows")


def test_a_list_as_csv(member: Caller, measure: Measure) -> None:
    bulk(
        member,
        measure,
        [
            {"period_start": "2018-01-08", "numerator": 1, "denominator": 3, "note": "=1+1"},
            {"period_start": "2018-01-01", "numerator": 8, "denominator": 20, "stratum": "west"},
        ],
    )
    response = member("GET", f"/measures/{measure.id}/data-points", headers={"Accept": "text/csv"})
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert (
        response.headers["Content-Disposition"] == 'attachment; filename="answered-data-points.csv"'
    )
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["period_start"] for row in rows] == ["2018-01-01", "2018-01-08"]
    assert rows[0]["stratum"] == "west"
    assert (rows[1]["numerator"], rows[1]["note"]) == ("1", "'=1+1")
    assert float(rows[1]["value"]) == 1 / 3
    west = member.get(f"/measures/{measure.id}/data-points", format="csv", stratum="west")
    assert len(west.text.splitlines()) == 2


def test_a_list_as_json_lines_holds_all_rows(member: Caller, measure: Measure) -> None:
    rows = [{"period_start": f"{2000 + n // 12}-{n % 12 + 1:02}-01"} for n in range(1_201)]
    bulk(member, measure, rows)
    response = member.get(f"/measures/{measure.id}/data-points", format="jsonl", limit=1)
    assert response.headers["Content-Type"] == JSON_LINES
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert [line["period_start"] for line in lines] == [row["period_start"] for row in rows]
    page = member.ok(f"/measures/{measure.id}/data-points", limit=5_000)
    assert len(page["items"]) == 1_000
    assert page["next_cursor"] is not None


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_what_was_written_can_be_read_again(member: Caller, measure: Measure, format_: str) -> None:
    rows = [
        {"period_start": "2018-01-01", "numerator": 1, "denominator": 3, "note": '=SUM("a", b)\n'},
        {"period_start": "2018-01-08", "numerator": 0, "denominator": 0, "note": "'=x"},
        {"period_start": "2018-01-15", "excluded": True, "excluded_reason": "-1"},
        {"period_start": "2018-01-15", "stratum": "west", "period_end": "2018-01-21"},
    ]
    assert bulk(member, measure, rows).json()["created"] == 4
    text = member.get(f"/measures/{measure.id}/data-points", format=format_).content
    kind = {"csv": "text/csv", "jsonl": JSON_LINES}[format_]
    again = upload(member, measure, text, kind)
    assert again.status_code == 200, again.text
    assert again.json()["unchanged"] == 4


def test_a_format_that_is_not_there(member: Caller, measure: Measure) -> None:
    path = f"/measures/{measure.id}/data-points"
    response = member("GET", path, headers={"Accept": "image/png"})
    refused(response, 406, "not_acceptable")
    assert response.json()["offers"] == ["application/json", "text/csv", JSON_LINES]
    wins = member("GET", path, params={"format": "json"}, headers={"Accept": "text/csv"})
    assert wins.json()["items"] == []
    refused(member.get(path, format="xlsx"), 422, "validation_failed")


def test_list_filters(member: Caller, measure: Measure) -> None:
    bulk(
        member,
        measure,
        [
            {"period_start": "2018-01-01", "status": "provisional"},
            {"period_start": "2018-01-08", "stratum": "west"},
            {"period_start": "2018-01-15", "excluded": True, "excluded_reason": "Closed"},
        ],
    )

    def found(**params: Any) -> list[str]:
        return [item["period_start"][-2:] for item in points(member, measure, **params)]

    assert found() == ["01", "08", "15"]
    assert found(sort="-period_start") == ["15", "08", "01"]
    assert found(period_start_from="2018-01-08") == ["08", "15"]
    assert found(period_start_to="2018-01-08") == ["01", "08"]
    assert found(stratum="west") == ["08"]
    assert found(stratum="") == ["01", "15"]
    assert found(status="provisional") == ["01"]
    assert found(excluded="true") == ["15"]
    assert found(archived="true") == []
    page = member.ok(f"/measures/{measure.id}/data-points", limit=2, with_total="true")
    assert (len(page["items"]), page["total"]) == (2, 3)
    rest = points(member, measure, limit=2, cursor=page["next_cursor"])
    assert [item["period_start"] for item in rest] == ["2018-01-15"]


@given(st.text().map(str.strip))
def test_text_survives_a_cell(text: str) -> None:
    cell = write_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert read_cells({"note": cell})["note"] == (text or None)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_a_cell(number: float) -> None:
    assert read_cells({"value": write_cell(number)})["value"] == number


@pytest.mark.parametrize(
    "cell", ["1,5", "1 000", "NaN", "inf", "1_000", "0x10", "1e", ".", "½", "٣"]
)
def test_cells_that_are_no_numbers(cell: str) -> None:
    assert read_cells({"value": cell})["value"] == cell


@pytest.mark.skipif(not SAMPLE.exists(), reason="the published sample lies beside the project only")
def test_published_data(member: Caller, world: World, session: Session) -> None:
    """One provider's accident and emergency attendances within four hours of arrival."""
    measure = make_measure(session, project=world.project, data_type="proportion")
    with SAMPLE.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["org_code"] == "R1H"]
    lines = [f"{row['period']},{row['breaches']},{row['attendances']}" for row in rows]
    text = "\n".join(["period_start,numerator,denominator", *lines])
    assert upload(member, measure, text).json()["created"] == len(rows) == 36
    stored = points(member, measure, limit=100)
    assert [point["value"] for point in stored] == [
        int(row["breaches"]) / int(row["attendances"]) for row in rows
    ]
