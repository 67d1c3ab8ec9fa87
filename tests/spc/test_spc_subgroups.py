"""Subgroups: several measurements a point, drawn as means, standard deviations or ranges."""

import math
from typing import Any

import numpy as np
import pytest

from app.spc import MAX_SUBGROUP, Chart, Series, Settings, SpcError, chart, document
from app.spc.constants import c4, d2_d3
from tests.spc.requests import labels

GROUPS: list[Any] = [[1, 3], [2, 6], [4, 4], [5, 8]]
UNEQUAL: list[Any] = [[1, 3], [2, 6, 7], None, [4, 4, 5, 9], [5]]


def draw(groups: Any, name: str, **settings: Any) -> Chart:
    excluded = settings.pop("excluded", None)
    series = Series(labels(len(groups)), subgroups=groups, excluded=excluded)
    return chart(series, Settings(name, rule_set="limits_only", **settings))


def test_means() -> None:
    judged = draw(GROUPS, "xbar")
    mean_spread = sum(math.sqrt(square / 2) for square in (4, 16, 0, 9)) / 4
    assert judged.values.tolist() == [2.0, 4.0, 4.0, 6.5]
    assert judged.centre[0] == 4.125
    half = 3 * mean_spread / (math.sqrt(2 / math.pi) * math.sqrt(2))
    assert judged.upper_limit[0] == pytest.approx(4.125 + half)


def test_means_of_unequal_subgroups_are_weighted_and_pool_their_variances() -> None:
    judged = draw(UNEQUAL, "xbar")
    values = [value for group in UNEQUAL for value in group or ()]
    assert judged.centre[0] == pytest.approx(sum(values) / len(values))
    spreads = [np.std(group, ddof=1) for group in UNEQUAL if group and len(group) > 1]
    pooled = math.sqrt(sum(n * s * s for n, s in zip((1, 2, 3), spreads, strict=True)) / 6)
    for row, size in ((0, 2), (1, 3), (3, 4)):
        half = 3 * pooled / (float(c4(np.array([float(size)]))[0]) * math.sqrt(size))
        assert judged.upper_limit[row] == pytest.approx(judged.centre[0] + half)
    # No value is a gap; a single one is shown, and has no spread to be judged by.
    assert np.isnan(judged.values).tolist() == [False, False, True, False, False]
    assert np.isnan(judged.upper_limit).tolist() == [False, False, True, False, True]


def test_missing_values_inside_a_subgroup_are_left_out() -> None:
    holes = [[1, None, 3], [None, 2, 6], [4, 4, None], [5, 8]]
    for name in ("xbar", "s", "r"):
        assert draw(holes, name).lines.tolist() == draw(GROUPS, name).lines.tolist()
    assert np.isnan(draw([*GROUPS, [None, None], []], "xbar").values[4:]).all()


def test_spreads() -> None:
    judged = draw(GROUPS, "s")
    spreads = [math.sqrt(square / 2) for square in (4, 16, 0, 9)]
    assert judged.values.tolist() == pytest.approx(spreads)
    mean = sum(spreads) / 4
    assert judged.centre[0] == pytest.approx(mean)
    assert judged.upper_limit[0] == pytest.approx(mean * 3.267, rel=1e-3)  # B4 of two
    assert judged.lower_limit.tolist() == [0.0] * 4


def test_ranges() -> None:
    judged = draw(GROUPS, "r")
    assert judged.values.tolist() == [2.0, 4.0, 0.0, 3.0]
    assert judged.centre.tolist() == [2.25] * 4
    assert judged.upper_limit[0] == pytest.approx(2.25 * 3.267, rel=1e-3)  # D4 of two
    assert judged.phases[0].centre == 2.25


def test_ranges_of_unequal_subgroups_are_compared_with_their_own_d2() -> None:
    judged = draw(UNEQUAL, "r")
    d2, d3 = d2_d3(np.array([2.0, 3.0, 4.0]))
    unit = sum(np.array([2, 5, 5]) / d2) / 3
    assert judged.centre[[0, 1, 3]].tolist() == pytest.approx((unit * d2).tolist())
    assert judged.upper_limit[[0, 1, 3]].tolist() == pytest.approx((unit * (d2 + 3 * d3)).tolist())
    assert judged.phases[0].centre is None
    assert np.isnan(judged.values[[2, 4]]).all()


@pytest.mark.parametrize("name", ["xbar", "s", "r"])
def test_subgroups_without_any_spread_have_no_limits(name: str) -> None:
    judged = draw([[0.1, 0.1, 0.1], [0.1, 0.1], [0.1, 0.1, 0.1]], name)
    assert np.isnan(judged.upper_limit).all()
    assert judged.signals == ()
    assert judged.phases[0].runs.useful_points == 0  # all lie on the centre


def test_an_excluded_subgroup_stays_out_of_the_lines() -> None:
    judged = draw([*GROUPS, [90, 99]], "xbar", excluded=[False] * 4 + [True])
    assert judged.centre[0] == 4.125
    assert not judged.outside_limits[4]


def test_phases_and_baselines_of_subgroups() -> None:
    judged = draw(GROUPS * 2, "xbar", phase_starts=[4], baseline_points=2)
    assert judged.centre.tolist() == [3.0] * 8
    assert [phase.base_points for phase in judged.phases] == [2, 2]
    row = document(judged)["points"][0]
    assert (row["value"], row["numerator"], row["denominator"]) == (2.0, None, None)


@pytest.mark.parametrize(
    ("groups", "code", "pointer"),
    [
        ([[1], [2], [None, 3]], "subgroups_of_one", "/points"),
        ([[1, 2], [1.0] * (MAX_SUBGROUP + 1)], "too_many_values", "/points/1/values"),
        ([[1.0] * MAX_SUBGROUP] * 1_001, "too_many_values", "/points"),
        ([[1, 2], [1, math.inf]], "not_finite", "/points/1/values"),
        ([[1, 2], [1, math.nan]], "not_finite", "/points/1/values"),
        ([[1, 2], [1, "two"]], "not_a_number", "/points/1/values"),
        ([[1, 2], [1, 10**400]], "not_a_number", "/points/1/values"),
        ([[1, 2], [1, [2]]], "not_a_number", "/points/1/values"),
    ],
)
def test_subgroups_that_cannot_be_charted(groups: Any, code: str, pointer: str) -> None:
    with pytest.raises(SpcError) as caught:
        draw(groups, "xbar")
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert caught.value.detail.endswith(".")


def test_values_for_a_chart_of_subgroups_are_refused_with_a_way_out() -> None:
    with pytest.raises(SpcError, match="choose one of run, i") as caught:
        chart(Series(labels(2), [1, 2]), Settings("xbar"))
    assert caught.value.code == "data_do_not_fit_chart"


def test_one_subgroup_a_point() -> None:
    with pytest.raises(SpcError) as caught:
        chart(Series(labels(3), subgroups=GROUPS), Settings("xbar"))
    assert caught.value.code == "length_mismatch"


def test_huge_values_are_gaps_or_undefined_and_never_infinite() -> None:
    judged = draw([[1e308, -1e308], [1e308, 1e307], [1, 2]], "s")
    assert not np.isinf(judged.values).any()
    assert not np.isinf(judged.lines).any()


def test_totals_of_subgroups_that_are_too_large_on_both_sides_are_no_fault() -> None:
    huge = 1.7e308
    judged = chart(Series(["a", "b"], subgroups=[[-huge, -huge], [huge, huge]]), Settings("xbar"))
    assert np.isnan(judged.centre).all()
    assert "overflow" in [warning.code for warning in judged.quality.warnings]


@pytest.mark.parametrize("chart_name", ["xbar", "s", "r"])
def test_a_spread_too_large_for_a_double_is_undefined(chart_name: str) -> None:
    groups = [[0.0, 1.9e154], [1.0, 2.0], [2.0, 3.0]]
    series = Series(x=["1", "2", "3"], subgroups=groups)
    drawn = chart(series, Settings(chart_name))
    document(drawn)
    assert np.isfinite(drawn.values[1:]).all()
    if chart_name != "r":
        assert "overflow" in {warning.code for warning in drawn.quality.warnings}
