"""Signals: identity, meaning, phases, exclusions, gaps, and the two icons made from them."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import RULE_SETS, Chart, Series, Settings, Signal, chart, document
from app.spc.signals import signal_id
from tests.spc.requests import labels

STABLE: list[float | None] = [9, 11, 10.5, 9.5, 11, 9, 10.5, 9.5]  # mean 10, used as a baseline


def judge(later: Sequence[float | None], rule_set: str = "mdc", **settings: Any) -> Chart:
    """The stable baseline followed by later points."""
    values = [*STABLE, *later]
    excluded = settings.pop("excluded", None)
    series = Series(settings.pop("x", labels(len(values))), values, excluded=excluded)
    return chart(series, Settings("i", rule_set=rule_set, baseline_points=8, **settings))


def only(judged: Chart, rule: str) -> Signal:
    (signal,) = [signal for signal in judged.signals if signal.rule == rule]
    return signal


def rows(judged: Chart, rule: str) -> list[tuple[int, ...]]:
    return [signal.members for signal in judged.signals if signal.rule == rule]


def test_a_shift_in_full() -> None:
    judged = judge([11, 10.5, 11, 10.5, 11, 10.5, 11, 10.5], direction="decrease")
    signal = only(judged, "shift")
    assert signal.members == tuple(range(8, 16))
    assert (signal.start, signal.end, signal.completed_at) == (8, 15, 14)
    assert (signal.direction, signal.meaning, signal.phase) == ("high", "concern", 0)
    assert signal.parameters == {"length": 7}
    assert judged.variation == "concern_high"


@pytest.mark.parametrize("broken_by", [10.0, None, 9.0])
def test_a_point_on_the_centre_a_gap_or_the_other_side_breaks_a_shift(
    broken_by: float | None,
) -> None:
    judged = judge([11, 10.5, 11, broken_by, 11, 10.5, 11, 10.5])
    assert rows(judged, "shift") == []


@pytest.mark.parametrize("broken_by", [10.4, None])
def test_an_equal_neighbour_or_a_gap_breaks_a_trend(broken_by: float | None) -> None:
    rising = [10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 10.7]
    assert rows(judge([9, *rising]), "trend") == [tuple(range(8, 16))]
    assert rows(judge([9, *rising[:4], broken_by, *rising[4:6]]), "trend") == []


def test_an_excluded_point_joins_its_neighbours_and_is_never_flagged() -> None:
    later = [11, 10.5, 11, 99, 10.5, 11, 10.5, 11]
    judged = judge(later, excluded=[row == 11 for row in range(16)])
    signal = only(judged, "shift")
    assert signal.members == (8, 9, 10, 12, 13, 14, 15)
    assert signal.completed_at == 15
    assert not judged.outside_limits[11]
    assert rows(judged, "outside_limits") == []


def test_rules_do_not_run_across_phases() -> None:
    rising = [10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 10.7]
    assert rows(judge(rising, phase_starts=[11]), "trend") == []
    assert rows(judge(rising, phase_starts=[11]), "shift") == []
    six_then_a_higher_phase = judge([9, *rising], phase_starts=[14])
    assert rows(six_then_a_higher_phase, "trend") == []


def test_each_point_outside_is_a_signal_of_its_own() -> None:
    judged = judge([30, 31], "limits_only", direction="increase")
    assert rows(judged, "outside_limits") == [(8,), (9,)]
    assert len({signal.id for signal in judged.signals}) == 2
    assert judged.variation == "improvement_high"


def test_runs_signals_leave_variation_to_the_latest_point() -> None:
    shifted = [11.0] * 12
    assert judge(shifted, "anhoej").variation == "neither_high"
    judged = judge([*shifted, 9.0], "anhoej")
    assert rows(judged, "long_run") == [tuple(range(8, 20))]
    assert judged.variation == "common_cause"


def test_few_crossings_is_a_signal_about_its_phase() -> None:
    series = Series(labels(20), [1] * 5 + [3] * 5 + [1] * 5 + [3] * 5)
    judged = chart(series, Settings("run", direction="increase"))
    signal = only(judged, "few_crossings")
    assert judged.variation == "common_cause"
    assert (signal.direction, signal.meaning) == (None, "neither")
    assert (signal.start, signal.end, signal.members) == (0, 19, ())
    assert signal.completed_at is None
    assert signal.parameters == {"crossings_min": 6}


def test_improvement_wins_and_both_signals_are_reported() -> None:
    falling = [10.9, 10.8, 10.7, 10.6, 10.5, 10.4, 10.3]  # above the centre, and falling
    for direction, expected in ("increase", "improvement_high"), ("decrease", "improvement_low"):
        judged = judge(falling, direction=direction)
        assert {signal.rule: signal.direction for signal in judged.signals} == {
            "trend": "low",
            "shift": "high",
        }
        assert judged.variation == expected
    assert judge(falling).variation == "neither_low"  # neutral: the rules' own order decides


def test_conflicting_signals_are_a_warning() -> None:
    falling = [10.9, 10.8, 10.7, 10.6, 10.5, 10.4, 10.3]  # above the centre, and falling
    *_, warning = judge(falling, direction="increase").quality.warnings
    assert warning.code == "conflicting_signals"
    assert "improvement (shift)" in warning.detail
    assert "concern (trend)" in warning.detail
    for other in (
        judge(falling),  # neutral: neither is better
        judge([*falling, 9], direction="increase"),  # no longer the latest
    ):
        assert "conflicting_signals" not in {each.code for each in other.quality.warnings}


def test_one_label_a_point_by_precedence() -> None:
    falling = [10.9, 10.8, 10.7, 10.6, 10.5, 10.4, 10.3]
    judged = judge([*falling, 11], "plotthedots")
    (trend,), (shift,) = ([s for s in judged.signals if s.rule == r] for r in ("trend", "shift"))
    points = document(judged)["points"]
    assert trend.members == tuple(range(8, 15))
    assert shift.members == tuple(range(8, 16))
    assert [point["signals"] for point in points[8:]] == [[trend.id]] * 7 + [[shift.id]]
    assert judge(falling, "plotthedots", direction="increase").variation == "concern_low"
    listed = document(judge(falling))["points"]  # mdc
    assert all(len(point["signals"]) == 2 for point in listed[8:15])


def test_a_signal_of_spread_has_no_side_and_no_icon() -> None:
    judged = judge([10.1, 9.9] * 8, "nelson", direction="increase")
    signal = only(judged, "fourteen_alternating")
    assert (signal.direction, signal.meaning) == (None, "neither")
    assert signal.end == 23
    assert judged.variation == "common_cause"


def test_too_many_runs_is_a_signal_about_its_phase() -> None:
    series = Series(labels(20), [1, 3] * 10)
    signal = only(chart(series, Settings("run", rule_set="ihi_run")), "too_many_runs")
    assert signal.parameters == {"runs_max": 15}
    assert (signal.direction, signal.members, signal.start, signal.end) == (None, (), 0, 19)


@given(
    st.lists(st.none() | st.integers(-9, 9), min_size=1, max_size=60),
    st.sampled_from(list(RULE_SETS)),
)
def test_the_other_direction_swaps_the_meanings(values: list[int | None], rule_set: str) -> None:
    series = Series(labels(len(values)), values)
    up = chart(series, Settings("i", rule_set=rule_set, direction="increase")).signals
    down = chart(series, Settings("i", rule_set=rule_set, direction="decrease")).signals
    swapped = {"improvement": "concern", "concern": "improvement", "neither": "neither"}
    assert [swapped[signal.meaning] for signal in up] == [signal.meaning for signal in down]
    assert [s._replace(meaning="neither") for s in up] == [
        s._replace(meaning="neither") for s in down
    ]


@pytest.mark.parametrize("excluded", [None, [*[False] * 8, True]])
def test_a_latest_row_without_a_judged_value_is_common_cause(excluded: list[bool] | None) -> None:
    latest = None if excluded is None else 99.0
    judged = judge([latest], excluded=excluded, direction="increase")
    assert judged.variation == "common_cause"
    assert judge([99.0, None], direction="increase").variation == "common_cause"


@pytest.mark.parametrize(
    ("direction", "target", "assurance"),
    [
        ("increase", 1, "pass"),
        ("increase", 99, "fail"),
        ("decrease", 1, "fail"),
        ("decrease", 99, "pass"),
        ("increase", 10, "hit_or_miss"),
        ("neutral", 1, "none"),
        ("increase", None, "none"),
        ("increase", [1] * 7 + [99], "fail"),  # the latest target counts
        ("increase", [1] * 7 + [None], "none"),
    ],
)
def test_assurance(direction: str, target: Any, assurance: str) -> None:
    assert judge([], direction=direction, target=target).assurance == assurance


def test_a_target_on_a_limit_is_hit_or_miss() -> None:
    series = Series(labels(4), [9, 9, 9, 9])  # a c chart: limits 0 and 18
    for target, expected in (18, "hit_or_miss"), (18.001, "fail"), (0, "hit_or_miss"):
        judged = chart(series, Settings("c", direction="increase", target=target))
        assert judged.assurance == expected


@pytest.mark.parametrize(
    ("values", "target", "expected"),
    [
        ([5, 5, 5], 4, "pass"),  # flat: the centre stands for the limits
        ([5, 5, 5], 6, "fail"),
        ([5, 5, 5], 5, "hit_or_miss"),
        ([5], 4, "hit_or_miss"),  # one point has no limits, but is not a flat series
    ],
)
def test_assurance_without_limits(values: list[float], target: float, expected: str) -> None:
    series = Series(labels(len(values)), values)
    assert chart(series, Settings("i", direction="increase", target=target)).assurance == expected


def test_identity_is_stable_when_points_are_appended() -> None:
    shifted = [11, 10.5, 11, 10.5, 11, 10.5, 11]
    before, after = judge(shifted), judge([*shifted, 11, 10.5, 99])
    assert only(after, "shift").id == only(before, "shift").id
    assert only(after, "shift").end > only(before, "shift").end


def test_identity_follows_rule_version_phase_and_first_member() -> None:
    ids = {
        signal_id(*parts)
        for parts in [
            ("shift", "mdc/1", "a", "b"),
            ("trend", "mdc/1", "a", "b"),
            ("shift", "mdc/2", "a", "b"),
            ("shift", "mdc/1", "b", "b"),
            ("shift", "mdc/1", "a", "a"),
        ]
    }
    assert len(ids) == 5


def test_identity_tells_repeated_labels_apart() -> None:
    judged = judge([30, 31], "limits_only", x=["baseline"] * 8 + ["later", "later"])
    assert len({signal.id for signal in judged.signals}) == 2
