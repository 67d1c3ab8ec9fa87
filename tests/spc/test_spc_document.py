"""The document: its shape, its plain numbers, and its printed settings."""

import json
from typing import Any

import numpy as np
import pytest

from app.spc import (
    CHARTS,
    ENGINE_VERSION,
    RULE_SETS,
    Series,
    Settings,
    chart,
    default_rule_set,
    document,
    recommend_chart,
    settings_hash,
)
from tests.spc.requests import labels

NUMERATORS = [8, 9, 7, None, 8, 9, 7, 8, 2, 2]
DENOMINATORS = [20, 21, 19, 20, 0, 20, 20, 20, 20, 20]
NOTES = [None, "new form", *[None] * 8]


def printed(settings: Settings | None = None, **options: Any) -> dict[str, Any]:
    settings = settings or Settings(
        "p",
        rule_set="limits_only",
        direction="decrease",
        phase_starts=[6],
        baseline_points=[3, None],
        target=[30] * 9 + [None],
        multiplier=100,
        title="Late letters",
        unit="%",
        phase_labels=["before", "after"],
        phase_reasons=["initial", "change_adopted"],
    )
    excluded = [False, True, *[False] * 8]
    series = Series(
        labels(10),
        numerators=NUMERATORS,
        denominators=DENOMINATORS,
        excluded=excluded,
        notes=NOTES,
    )
    return document(chart(series, settings), **options)


def test_head() -> None:
    page = printed(as_of="2018-02-01T09:00:00Z")
    assert list(page) == [
        *("chart", "title", "unit", "engine_version", "settings", "settings_hash", "as_of"),
        *("points", "phases", "signals", "variation", "assurance", "quality"),
    ]
    assert (page["chart"], page["title"], page["unit"]) == ("p", "Late letters", "%")
    assert page["engine_version"] == ENGINE_VERSION == "2"
    assert page["settings"] == {
        "rule_set": "limits_only",
        "rule_set_version": "1",
        "direction": "decrease",
        "phases": [6],
        "baseline_points": [3, None],
        "screen_moving_ranges": True,
        "multiplier": 100,
        "target": [30] * 9 + [None],
        "constants": "standard",
    }
    assert "as_of" not in printed()


def test_a_point() -> None:
    centre = 100 * 15 / 39  # rows 0 and 2; row 1 is excluded
    point = printed()["points"][1]
    limits = [point.pop(name) for name in ("lower_limit", "upper_limit")]
    warnings = [point.pop(name) for name in ("lower_warning", "upper_warning")]
    assert point.pop("centre") == pytest.approx(centre)
    assert point.pop("value") == pytest.approx(100 * 9 / 21)
    assert limits[0] < warnings[0] < centre < warnings[1] < limits[1]
    assert point == {
        "x": "00001",
        "numerator": 9,
        "denominator": 21,
        "phase": 0,
        "excluded": True,
        "in_baseline": False,
        "target": 30.0,
        "outside_limits": False,
        "signals": [],
        "note": "new form",
        "annotations": [],
    }


def test_gaps_are_null_and_numbers_stay_as_stated() -> None:
    missing, zero = printed()["points"][3:5]
    assert (missing["value"], missing["numerator"], missing["denominator"]) == (None, None, 20)
    assert (zero["value"], zero["numerator"], zero["denominator"]) == (None, 8, 0)
    assert zero["upper_limit"] is None
    assert printed()["points"][9]["target"] is None


def test_phases() -> None:
    before, after = printed()["phases"]
    assert (before["starts_at"], after["starts_at"]) == ("00000", "00006")
    assert (before["index"], before["points"]) == (0, 6)
    assert (after["index"], after["points"]) == (1, 4)
    assert list(before) == [
        *("index", "starts_at", "points", "useful_points", "centre", "sigma", "sigma_z"),
        *("longest_run", "longest_run_max", "crossings", "crossings_min", "runs_signal"),
        *("label", "reason"),
    ]
    assert (before["label"], after["reason"]) == ("before", "change_adopted")
    assert after["centre"] == pytest.approx(100 * 19 / 80)
    assert after["sigma"] is None  # it varies with the denominators
    assert after["sigma_z"] is None  # only Laney's charts have one
    assert after["runs_signal"] is False


def test_signals_annotations_and_explanations() -> None:
    series = Series(labels(7), [9, 9, 9, 9, 9, 40, 9])
    judged = chart(series, Settings("c", rule_set="limits_only", baseline_points=5))
    (signal,) = judged.signals
    page = document(judged, annotations={5: ["flood"]}, explained_by={signal.id: ["a-change"]})
    assert page["signals"] == [
        {
            "id": signal.id,
            "rule": "outside_limits",
            "parameters": {"sigma": 3},
            "direction": "high",
            "meaning": "neither",
            "start": 5,
            "end": 5,
            "members": [5],
            "completed_at": 5,
            "phase": 0,
            "explained_by": ["a-change"],
        }
    ]
    assert page["points"][5]["signals"] == [signal.id]
    assert page["points"][5]["outside_limits"] is True
    assert page["points"][5]["annotations"] == ["flood"]
    assert page["points"][4]["annotations"] == []


def test_quality() -> None:
    quality = printed()["quality"]
    first, *others = quality.pop("warnings")
    assert first == {
        "code": "denominator_zero",
        "detail": "A zero denominator is shown as a gap: 00004.",
    }
    assert [warning["code"] for warning in others] == ["few_base_points", "small_counts"]
    assert quality == {
        "points": 10,
        "baseline_points": 4,
        "limits": "trial",
        "false_signal_rate": None,
        "minimum_detectable_shift": None,
    }


def test_arrays_print_as_lists_do() -> None:
    lists = Series(labels(3), [1.5, 2.5, 3.0], excluded=[False, True, False])
    arrays = Series(labels(3), np.array([1.5, 2.5, 3.0]), excluded=np.array([False, True, False]))
    pages = [
        json.dumps(document(chart(series, Settings("i", target=target))), allow_nan=False)
        for series, target in ((lists, [1.0, 2.0, 3.0]), (arrays, np.array([1.0, 2.0, 3.0])))
    ]
    assert pages[0] == pages[1]


def test_settings_hash_covers_what_decides_the_numbers_and_nothing_printed() -> None:
    plain = Settings("i")
    assert settings_hash(plain) == settings_hash(Settings("i", rule_set="mdc"))
    assert settings_hash(plain) == settings_hash(Settings("i", title="Waits", unit="days"))
    changed = [
        Settings("c"),
        Settings("i", rule_set="anhoej"),
        Settings("i", direction="increase"),
        Settings("i", phase_starts=[4]),
        Settings("i", baseline_points=4),
        Settings("i", target=4),
        Settings("i", screen_moving_ranges=False),
        Settings("i", multiplier=4),
    ]
    assert len({settings_hash(settings) for settings in [plain, *changed]}) == 9


def test_registries_describe_themselves() -> None:
    assert list(CHARTS) == [
        *("run", "i", "i_median", "i_prime", "mr", "xbar", "s", "r", "c"),
        *("u", "u_prime", "p", "p_prime", "np", "t", "g"),
    ]
    assert list(RULE_SETS) == [
        *("anhoej", "mdc", "plotthedots", "lifeqi", "ihi_run", "ihi_spc"),
        *("western_electric", "nelson", "wahealth", "limits_only"),
    ]
    for rule_set in RULE_SETS.values():
        assert rule_set.description
        assert rule_set.version == "1"
        names = [rule.name for rule in rule_set.rules]
        assert len(set(names)) == len(names)
        assert names[0] == ("shift" if rule_set.name == "ihi_run" else "outside_limits")


@pytest.mark.parametrize(
    ("data_type", "name"),
    [
        ("proportion", "p"),
        ("yes_no", "p"),
        ("rate", "u"),
        ("count", "c"),
        ("continuous", "i"),
        ("time_between", "t"),
        ("count_between", "g"),
        ("something_else", "run"),
    ],
)
def test_recommended_chart(data_type: str, name: str) -> None:
    assert recommend_chart(data_type) == name


@pytest.mark.parametrize("data_type", ["time_between", "count_between"])
def test_recommended_charts_exist(data_type: str) -> None:
    assert recommend_chart(data_type) in CHARTS


def test_default_rule_sets() -> None:
    defaults = {name: default_rule_set(name) for name in CHARTS}
    assert defaults.pop("run") == "anhoej"
    assert defaults.pop("mr") == "limits_only"
    assert set(defaults.values()) == {"mdc"}
