"""The document as CSV: all columns, safe cells, and the same numbers when it is read again."""

import csv
import io

import pytest

from app.analytics.pictures.table import COLUMNS, EXAMPLE, table
from tests.analytics.pictures.series import LEVEL, RISEN, document, note


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_what_is_written_is_read_again() -> None:
    made = document(
        [*LEVEL[:4], None, *LEVEL[5:], *RISEN],
        direction="increase",
        target=90,
        excluded=[2],
        notes={1: 'Snow, "heavy"\r\nand late'},
        annotations={7: note("New rota", "change", "2018-02-19")},
    )
    rows = read(table(made))
    assert len(rows) == len(made["points"])
    for row, point in zip(rows, made["points"], strict=True):
        assert row["x"] == point["x"]
        assert row["excluded"] == str(point["excluded"]).lower()
        for name in ("value", "centre", "lower_limit", "upper_warning", "target"):
            assert (float(row[name]) if row[name] else None) == point[name]
        assert row["signals"].split("; ") == point["signals"] or row["signals"] == ""
        assert len(row["signals"].split("; ")) == len(row["signal_rules"].split("; "))
    assert rows[1]["note"] == 'Snow, "heavy"\r\nand late'
    assert rows[7]["annotations"] == "change 2018-02-19: New rota"
    assert "shift" in rows[-1]["signal_rules"]


def test_every_column_of_the_document_is_there() -> None:
    made = document(LEVEL)
    made["points"] = [point | {"weight": 2.5, "links": {"self": 1}} for point in made["points"]]
    header = table(made).split("\r\n", 1)[0].split(",")
    assert header == [*COLUMNS, "weight", "links"]
    assert set(document(LEVEL)["points"][0]) < set(COLUMNS)
    assert read(table(made))[0]["weight"] == "2.5"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "'=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    made = document(LEVEL, x=[text, *map(str, range(11))], notes={0: text})
    row = read(table(made))[0]
    assert row["x"].startswith("'")
    assert row["note"].startswith("'")


def test_lines_end_as_the_standard_says() -> None:
    text = table(document(LEVEL))
    assert text.count("\r\n") == 13
    assert "\n" not in text.replace("\r\n", "")


def test_a_series_without_points_has_a_header() -> None:
    assert table(document([], chart="run")) == f"{','.join(COLUMNS)}\r\n"


def test_the_example_has_the_columns() -> None:
    assert [len(row) for row in csv.reader(io.StringIO(EXAMPLE))] == [len(COLUMNS)] * 2
