"""The Vega-Lite chart: its parts, its marks, its look, and that nothing in it is hostile."""

import json
import random
from itertools import pairwise
from typing import Any

import pytest

from app.analytics.pictures.chart import SCHEMA, chart
from app.analytics.pictures.style import (
    CANVASES,
    INK,
    KINDS,
    LIMIT,
    SOFT,
    TARGET,
    Canvas,
)
from tests.analytics.pictures.series import LEVEL, RISEN, document, layer, note, texts

PAGE = CANVASES["page"]
HOSTILE = "</text><script>alert(1)</script> {{datum}} ' + datum.x + '"


def risen(**settings: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "direction": "increase",
        "target": 50,
        "baseline_points": 12,
        "title": "Ready",
    }
    return document([*LEVEL[:5], None, *LEVEL[6:], *RISEN], **given | settings)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(colour: str) -> float:
    return 1.05 / (luminance(colour) + 0.05)


def test_the_document_is_vega_lite_six_of_the_size_asked_for() -> None:
    for canvas in (*CANVASES.values(), Canvas(1000, 500, 1.1)):
        made = chart(risen(), canvas)
        padding = made["padding"]
        assert made["$schema"] == SCHEMA
        assert made["width"] + padding["left"] + padding["right"] == pytest.approx(canvas.width)
        assert made["height"] + padding["top"] + padding["bottom"] == pytest.approx(canvas.height)
        assert made["autosize"] == {"type": "none"}
        json.dumps(made, allow_nan=False)


def test_the_points_carry_value_kind_and_signals() -> None:
    made = chart(risen(), PAGE)
    values = made["data"]["values"]
    assert len(values) == 20
    assert values[0]["x"] == values[0]["label"] == "2018-01-01"
    assert values[5]["value"] is None
    assert values[-1]["kind"] == "improvement"
    assert "shift" in values[-1]["signals"]
    assert made["usermeta"]["openqi"]["points"] == 20
    assert made["description"].startswith("Ready. I chart (XmR) of 20 points")


def test_lines_values_and_points_are_layers_in_this_order() -> None:
    names = [item["name"] for item in chart(risen(), PAGE)["layer"]]
    assert names == ["boxes", "lines", "values", "points", "symbols", "texts"]


def test_lines_are_named_at_their_end() -> None:
    shown = texts(chart(risen(unit="%"), PAGE))
    assert {"Target 50\u00a0%", "Mean 30.1\u00a0%"} <= set(shown)
    assert any(text.startswith("Upper limit ") for text in shown)
    run = texts(chart(document(LEVEL, chart="run"), PAGE))
    assert "Median 30" in run
    assert not any("limit" in text for text in run)


def test_the_heading_says_verdict_and_trust() -> None:
    shown = " ".join(texts(chart(risen(), PAGE)))
    assert "Special cause: improvement (higher is better). Target 50: will be missed" in shown
    assert "Latest 44 (14 May 2018). Trial limits: 11 points." in shown
    assert "special cause: improvement" in shown  # the key
    assert "baseline (11 points)" in shown
    assert "I chart (XmR) · Making Data Count rules v1 · 20 points" in shown


def test_phases_are_parted_and_named() -> None:
    made = chart(
        risen(phase_starts=[12], baseline_points=None, phase_labels=[None, "New rota"]), PAGE
    )
    shown = texts(made)
    assert "Phase 1, mean 30.1" in shown
    assert "New rota, mean 42.5" in shown
    assert len(layer(made, "strokes")["data"]["values"]) == 1


def test_labels_of_lines_do_not_overlap() -> None:
    flat = [50 + row % 3 / 100 for row in range(20)]
    made = chart(document([*flat, 95.0], target=50.02, baseline_points=20), PAGE)
    heights = sorted(
        item["y"]
        for item in layer(made, "texts")["data"]["values"]
        if item["text"].startswith(("Target", "Mean", "Upper limit", "Lower limit"))
        and item["x"] > made["width"]
    )
    assert len(heights) == 4
    assert all(b - a >= 11 for a, b in pairwise(heights))


def test_a_thumbnail_has_icons_and_no_texts_but_their_letters() -> None:
    made = chart(risen(), CANVASES["thumbnail"], is_thumbnail=True)
    assert texts(made) == ["H", "F"]
    wave = chart(document(LEVEL), CANVASES["thumbnail"], is_thumbnail=True)
    assert [item["name"] for item in wave["layer"]][-1] == "symbols"


def test_everything_that_means_something_can_be_told_apart() -> None:
    filled = [kind for name, kind in KINDS.items() if name != "excluded"]
    assert len({kind.shape for kind in filled}) == len(filled)
    assert all(contrast(kind.fill) >= 3 for kind in filled)
    assert contrast(KINDS["excluded"].stroke) >= 2.9
    assert all(contrast(colour) >= 4.5 for colour in (INK, SOFT, LIMIT, TARGET))


def expressions(node: Any, path: str = "") -> list[str]:
    """Every string of the document that Vega evaluates."""
    if isinstance(node, dict):
        own = [node[key] for key in ("expr", "filter", "signal", "labelExpr") if key in node]
        inner = [e for k, v in node.items() if k != "values" for e in expressions(v, k)]
        return [*own, *inner]
    return [e for item in node for e in expressions(item)] if isinstance(node, list) else []


def test_what_people_write_is_data_and_never_an_expression() -> None:
    made = chart(
        document(
            LEVEL,
            x=[f"{HOSTILE}{row}" for row in range(12)],
            title=HOSTILE,
            unit=HOSTILE[:60],
            notes={2: HOSTILE},
            annotations={5: note(HOSTILE)},
            phase_starts=[6],
            phase_labels=[HOSTILE, HOSTILE],
        ),
        PAGE,
    )
    evaluated = expressions(made["layer"]) + expressions(made["config"])
    assert evaluated
    assert not any("script" in str(text) or "alert" in str(text) for text in evaluated)
    assert "href" not in json.dumps(made["layer"])
    assert "url" not in made["data"]


AWKWARD: dict[str, dict[str, Any]] = {
    "nothing": {"values": [], "chart": "run"},
    "one": {"values": [3.0]},
    "three": {"values": [3, 5, 4]},
    "huge": {"values": [1e15, 2e14, -1e15]},
    "tiny": {"values": [1e-9, 2e-9, 1e-12]},
    "null": {"values": [None] * 9, "target": 4, "direction": "increase"},
    "excluded": {"values": LEVEL, "excluded": range(12)},
    "flat": {"values": [0.0] * 12, "target": 0, "direction": "decrease"},
    "phases": {"values": LEVEL * 6, "phase_starts": list(range(6, 72, 6))},
    "every phase": {"values": LEVEL, "phase_starts": list(range(1, 12))},
    "equal labels": {"values": LEVEL, "x": ["same"] * 12},
    "long": {"values": LEVEL, "title": "word " * 100, "unit": "unit " * 12},
    "world": {"values": LEVEL, "x": [f"الأسبوع {row}" for row in range(12)], "title": "处方💊"},
    "far apart": {"values": [1, 2, 3], "x": ["0001-01-01", "2018-01-01", "9999-12-31"]},
    "close": {"values": [1, 2], "x": ["2018-01-01T00:00:00.001", "2018-01-01T00:00:00.002"]},
}


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("size", CANVASES)
def test_awkward_series_have_a_finite_chart(name: str, size: str) -> None:
    case = dict(AWKWARD[name])
    made = chart(
        document(case.pop("values"), **case), CANVASES[size], is_thumbnail=size == "thumbnail"
    )
    json.dumps(made, allow_nan=False)
    assert made["width"] > 0
    assert made["height"] > 0
    for item in made["layer"]:
        for value in item.get("data", {}).get("values", ()):
            if "size" in value:
                assert -made["padding"]["left"] <= value["x"]
                assert value["x"] <= made["width"] + made["padding"]["right"]


def test_ten_thousand_points_make_a_small_document() -> None:
    chance = random.Random(2)
    values, labels = [chance.gauss(9, 2) for _ in range(10_000)], map(str, range(10_000))
    made = chart(document(values, x=list(labels)), PAGE)
    about = made["usermeta"]["openqi"]
    assert about["points"] == 10_000
    assert about["drawn"] == len(made["data"]["values"]) < 3_000
    assert any("extremes of each pixel" in text for text in texts(made))
