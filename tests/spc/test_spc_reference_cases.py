"""Every reference case: lines, phases, flagged points and icons as other engines computed them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.spc import Chart, Signal, chart
from app.spc.signals import signals_of_points
from tests.spc.requests import series_of, settings_of

Case = dict[str, Any]

COLLECTED: list[Case] = [
    case
    for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
    for case in json.loads(path.read_text())["cases"]
]
LINES = ("centre", "lower_limit", "upper_limit", "lower_warning", "upper_warning")

# What the engines do and this one does not, by decision: they judge excluded points against the
# limits, and an excluded point is never flagged here. Rows by case.
EXCLUDED_YET_FLAGGED = {
    "dev-i-anhoej-027": {19, 20, 23},
    "dev-i-anhoej-028": {13, 14},
    "dev-i-anhoej-029": {4, 21, 23},
    "dev-mixed-limits_only-004": {3},
    "dev-p-anhoej-006": {14, 42},
    "dev-p-anhoej-012": {12, 15},
    "dev-p_prime-anhoej-010": {38},
    "dev-u-anhoej-016": {28},
}
_LABELS = {
    ("outside_limits", "high"): "above_limit",
    ("outside_limits", "low"): "below_limit",
    ("trend", "high"): "trend_up",
    ("trend", "low"): "trend_down",
}


def each(cases: list[Case]) -> pytest.MarkDecorator:
    """One test a case, named by its id."""
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def asserting(field: str) -> list[Case]:
    """The cases that say anything about a field."""
    return [case for case in COLLECTED if field in case["expected"]]


def flagged(judged: Chart, rule: str) -> list[int]:
    """Every member row of a rule's signals."""
    return sorted(
        {row for signal in judged.signals if signal.rule == rule for row in signal.members}
    )


def label(signals: list[Signal]) -> str:
    """The one label of a point, in the words of NHSRplotthedots."""
    if not signals:
        return "common_cause"
    (signal,) = signals
    default = f"{signal.rule}_{signal.direction}"
    return _LABELS.get((signal.rule, str(signal.direction)), default)


def judge(case: Case) -> Chart:
    """The chart of a case."""
    request = case["request"]
    return chart(series_of(request["points"]), settings_of(request))


def leave_out(case: Case, rows: list[int]) -> list[int]:
    """Flagged rows without those that differ by decision."""
    left_out = EXCLUDED_YET_FLAGGED.get(case["id"], set())
    assert all(case["request"]["points"][row]["excluded"] for row in left_out)
    return [row for row in rows if row not in left_out]


def test_all_files_are_here() -> None:
    assert len(COLLECTED) == 300
    assert {case["id"] for case in COLLECTED} >= EXCLUDED_YET_FLAGGED.keys()


@each(COLLECTED)
def test_values_and_lines(case: Case) -> None:
    judged, expected = judge(case), case["expected"]["points"]
    computed = {"value": judged.values} | {name: getattr(judged, name) for name in LINES}
    for name in computed.keys() & expected.keys():
        wanted = np.array(expected[name], dtype=np.float64)
        np.testing.assert_allclose(computed[name], wanted, rtol=1e-9, atol=1e-11, err_msg=name)


@each(COLLECTED)
def test_flagged_points(case: Case) -> None:
    judged = judge(case)
    for rule, rows in case["expected"]["flagged"].items():
        assert flagged(judged, rule) == leave_out(case, rows), rule
    outside = case["expected"]["points"]["outside_limits"]
    rows = leave_out(case, [row for row, is_outside in enumerate(outside) if is_outside])
    assert np.flatnonzero(judged.outside_limits).tolist() == rows


@each(asserting("phases"))
def test_runs_of_phases(case: Case) -> None:
    judged = judge(case)
    assert len(judged.phases) == len(case["expected"]["phases"])
    for phase, expected in zip(judged.phases, case["expected"]["phases"], strict=True):
        is_signal = phase.runs.is_long or phase.runs.is_rarely_crossing
        assert phase.runs._asdict() | {"runs_signal": is_signal} == expected


@each(asserting("labels"))
def test_labels(case: Case) -> None:
    judged = judge(case)
    listed = signals_of_points(judged.signals, len(judged.values), judged.rules)
    assert [label(signals) for signals in listed] == case["expected"]["labels"]


@each(asserting("variation"))
def test_variation(case: Case) -> None:
    assert judge(case).variation == case["expected"]["variation"]


@each(asserting("assurance"))
def test_assurance(case: Case) -> None:
    assert judge(case).assurance == case["expected"]["assurance"]
