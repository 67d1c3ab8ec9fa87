"""Many charts in one picture: panels, verdicts, what is not on it."""

import json
from typing import Any

import pytest

from app.analytics.pictures.panel import Panel
from app.analytics.pictures.sheet import Sheet, sheet
from tests.analytics.pictures.series import LEVEL, RISEN, document, layer, texts


def panels(number: int) -> list[Panel]:
    risen = document(LEVEL + RISEN, direction="increase", baseline_points=12, target=50)
    level = document(LEVEL, direction="decrease")
    return [
        Panel(f"Project {row}", "Outcome", risen if row % 2 else level) for row in range(number)
    ]


@pytest.mark.parametrize(
    ("number", "columns", "across", "down"),
    [
        (1, None, 1, 1),
        (2, None, 2, 1),
        (3, None, 3, 1),
        (4, None, 2, 2),
        (24, None, 3, 8),
        (5, 1, 1, 5),
    ],
)
def test_panels_stand_in_rows(number: int, columns: int | None, across: int, down: int) -> None:
    made = sheet(Sheet("Programme", panels(number)), columns)
    assert made["usermeta"]["openqi"]["charts"] == number
    titles = [
        item
        for item in layer(made, "texts")["data"]["values"]
        if item["text"].startswith("Project")
    ]
    assert len({item["x"] for item in titles}) == across
    assert len({item["y"] for item in titles}) == down
    assert len({point["panel"] for point in made["data"]["values"]}) == number


def test_each_panel_has_its_verdict_and_the_sheet_their_count() -> None:
    made = sheet(Sheet("Programme", panels(3), "More projects follow on the next page."))
    shown = texts(made)
    assert shown.count("Improvement · target 50 missed by the baseline") == 1
    assert shown.count("Common cause") == 2
    said = "3 charts: 1 improving, 2 with common cause at present."
    said += " More projects follow on the next page."
    assert said in shown
    assert "latest 44" in shown
    assert (
        "Project 1, Outcome: Improvement · target 50 missed by the baseline." in made["description"]
    )


def test_a_project_without_a_measure_has_its_place() -> None:
    made = sheet(Sheet("Programme", [Panel("New project", "", None), *panels(1)]))
    assert "No measure yet" in texts(made)
    assert "2 charts: 1 with common cause at present, 1 without data." in texts(made)


def test_without_charts_the_sheet_says_so() -> None:
    made = sheet(Sheet("Programme", []))
    assert texts(made) == ["Programme", "No charts to show."]


AWKWARD: list[dict[str, Any]] = [
    {"values": [], "chart": "run"},
    {"values": [None, None]},
    {"values": [3.0]},
    {"values": [1e15, -1e15, 3e-9]},
    {"values": [5.0] * 9, "excluded": range(9)},
    {"values": list(range(5_000)), "x": [str(row) for row in range(5_000)]},
]


def test_awkward_series_stand_beside_others() -> None:
    made = [document(case.pop("values"), **case) for case in map(dict, AWKWARD)]
    found = sheet(Sheet("Odd", [Panel("Odd", "word " * 50, each) for each in made]))
    assert len(json.dumps(found, allow_nan=False)) < 500_000
    assert all(
        0 <= value["px"] <= found["width"] and (value["py"] is None or value["py"] >= 0)
        for value in found["data"]["values"]
    )
