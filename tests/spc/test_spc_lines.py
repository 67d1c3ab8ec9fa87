"""Lines: what each chart is estimated from, at the boundaries that formulas leave open."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app.spc import Chart, Series, Settings, chart, document
from app.spc.means import mean_ranges
from app.spc.ragged import Ragged
from tests.spc.requests import labels

Numbers = Sequence[float | None]


def draw(values: Numbers, name: str = "i", rule_set: str = "anhoej", **settings: Any) -> Chart:
    excluded = settings.pop("excluded", None)
    series = Series(labels(len(values)), values, excluded=excluded)
    return chart(series, Settings(name, rule_set=rule_set, **settings))


def draw_ratios(numerators: Numbers, denominators: Numbers, name: str, **settings: Any) -> Chart:
    series = Series(labels(len(numerators)), numerators=numerators, denominators=denominators)
    return chart(series, Settings(name, **settings))


def test_i_chart_by_hand() -> None:
    judged = draw([10, 12, 11, 15])  # mean 12, ranges 2, 1, 4
    assert judged.centre.tolist() == [12.0] * 4
    assert judged.upper_limit[0] == pytest.approx(12 + 3 * (7 / 3) / 1.128)
    assert judged.lower_warning[0] == pytest.approx(12 - 2 * (7 / 3) / 1.128)
    mdc = draw([10, 12, 11, 15], rule_set="mdc")
    assert mdc.upper_limit[0] == pytest.approx(12 + 2.66 * 7 / 3)
    assert mdc.phases[0].sigma == pytest.approx(2.66 * 7 / 9)


def test_run_chart_has_a_median_and_no_limits() -> None:
    judged = draw([5, 1, None, 2, 8], "run")
    assert judged.centre.tolist() == [3.5] * 5
    assert np.isnan(judged.lines[1:]).all()
    assert judged.quality.limits == "none"


@pytest.mark.parametrize(
    ("values", "excluded", "mean_range"),
    [
        ([1, 2, 9, 4, 8], None, (1 + 7 + 5 + 4) / 4),
        ([1, 2, None, 4, 8], None, (1 + 4) / 2),  # a gap loses both of its ranges
        ([1, 2, 9, 4, 8], [False, False, True, False, False], (1 + 2 + 4) / 3),  # neighbours join
        ([1, 2, None, 4, 8], [False, False, True, False, False], (1 + 2 + 4) / 3),
    ],
)
def test_gaps_and_exclusions_in_moving_ranges(
    values: Numbers, excluded: Sequence[bool] | None, mean_range: float
) -> None:
    judged = draw(values, excluded=excluded, screen_moving_ranges=False)
    assert judged.phases[0].sigma == pytest.approx(mean_range / 1.128)


def test_screening_drops_large_ranges_once_and_keeps_every_point_in_the_mean() -> None:
    values = [0, 1, 0, 1, 0, 1, 0, 1, 0, 20]  # ranges: eight of 1, one of 20; mean 28/9
    judged = draw(values)
    assert judged.phases[0].sigma == pytest.approx(1 / 1.128)
    assert judged.phases[0].centre == pytest.approx(2.4)
    unscreened = draw(values, screen_moving_ranges=False)
    assert unscreened.phases[0].sigma == pytest.approx(28 / 9 / 1.128)


def test_a_range_at_the_cut_is_screened() -> None:
    ranges = [3267, 233, 250, 250]  # mean 1000
    values = np.cumsum([0, *ranges]).tolist()
    assert draw(values).phases[0].sigma == pytest.approx(733 / 3 / 1.128)


def test_ranges_of_zero_and_no_ranges_say_nothing_about_spread() -> None:
    flat_short_empty = Ragged(np.array([5.0, 5.0, 5.0, 1.0]), [0, 3, 4, 4])
    assert (
        np.isnan(mean_ranges(flat_short_empty.moving_ranges(), screen=True)).tolist() == [True] * 3
    )


def test_screening_guard_keeps_limits_where_all_other_ranges_are_zero() -> None:
    judged = draw([5, 5, 5, 5, 5, 5, 5, 9])  # screening would leave only zeros
    assert judged.phases[0].sigma == pytest.approx(4 / 7 / 1.128)
    assert judged.outside_limits.tolist() == [False] * 7 + [True]


@pytest.mark.parametrize("value", [0.1, 1e308, 5e-324, -7.3, 0.0])
@pytest.mark.parametrize("rule_set", ["anhoej", "mdc", "limits_only"])
def test_a_flat_series_has_no_limits_and_no_signals(value: float, rule_set: str) -> None:
    judged = draw([value] * 24, rule_set=rule_set)
    assert judged.centre.tolist() == [value] * 24
    assert np.isnan(judged.lines[1:]).all()
    assert judged.signals == ()
    assert [warning.code for warning in judged.quality.warnings] == ["no_variation"]


@pytest.mark.parametrize("name", ["u", "p"])
def test_a_flat_ratio_lies_on_its_centre(name: str) -> None:
    judged = draw_ratios([0.1] * 3, [0.3] * 3, name)  # the sums alone give another last digit
    assert judged.centre.tolist() == judged.values.tolist() == [0.1 / 0.3] * 3


def test_c_chart_by_hand() -> None:
    judged = draw([4, 2, 6], "c")
    assert judged.lines[:, 0].tolist() == [4.0, 0.0, 10.0, 0.0, 8.0]
    assert draw([10, 0, 2], "c").outside_limits.tolist() == [False, False, False]


def test_a_value_on_a_limit_is_inside() -> None:
    judged = draw([9, 9, 9, 9, 18, 0, 19], "c", baseline_points=4)  # limits 0 and 18
    assert judged.upper_limit[0] == 18
    assert judged.outside_limits.tolist() == [False] * 6 + [True]


def test_p_chart_by_hand_with_percentages() -> None:
    judged = draw_ratios([2, 6], [10, 10], "p", multiplier=100, target=90)
    assert judged.values.tolist() == [20.0, 60.0]
    assert judged.centre.tolist() == [40.0, 40.0]
    assert judged.upper_limit[0] == pytest.approx(40 + 300 * math.sqrt(0.024))
    assert judged.lower_limit[0] == 0.0
    assert judged.target is not None
    assert judged.target.tolist() == [90.0, 90.0]  # the target is stated in the displayed unit


def test_limits_of_proportions_stay_within_nought_and_one() -> None:
    judged = draw_ratios([9, 10], [10, 10], "p")
    assert judged.upper_limit.tolist() == [1.0, 1.0]


def test_a_zero_denominator_is_a_gap_with_a_warning() -> None:
    judged = draw_ratios([3, 7, 2], [10, 0, 10], "u")
    assert judged.centre.tolist() == [0.25] * 3  # its numerator stays out of the sums
    assert np.isnan(judged.values).tolist() == [False, True, False]
    assert np.isnan(judged.upper_limit).tolist() == [False, True, False]
    warning, *_ = judged.quality.warnings
    assert warning.code == "denominator_zero"
    assert "00001" in warning.detail


def test_half_a_ratio_stays_out_of_the_sums() -> None:
    judged = draw_ratios([3, None, 900, 2], [10, 500, None, 10], "p")
    assert judged.centre.tolist() == [0.25] * 4


def test_baseline_counts_rows_and_restarts_in_each_phase() -> None:
    values = [1, None, 99, 3, 50, 10, 20, 60]
    excluded = [False, False, True, False, False, False, False, False]
    judged = draw(values, excluded=excluded, phase_starts=[5], baseline_points=[4, 2])
    assert judged.centre.tolist() == [2.0] * 5 + [15.0] * 3
    assert [phase.base_points for phase in judged.phases] == [2, 2]
    rows = document(judged)["points"]
    assert [row["in_baseline"] for row in rows] == [
        *(True, False, False, True, False),
        *(True, True, False),
    ]


def test_a_baseline_longer_than_its_phase_is_the_phase() -> None:
    whole, longer = draw([1, 2, 4]), draw([1, 2, 4], baseline_points=30)
    assert whole.lines.tolist() == longer.lines.tolist()


@pytest.mark.parametrize("name", ["i", "c"])
def test_limits_take_two_points(name: str) -> None:
    one, two = draw([4], name), draw([4, 6], name)
    assert one.centre.tolist() == [4.0]
    assert np.isnan(one.lines[1:]).all()
    assert np.isfinite(two.lines).all()


def test_a_phase_without_base_points_has_no_lines() -> None:
    judged = draw([None, 3, 4, 5], baseline_points=1)
    assert np.isnan(judged.lines).all()
    assert judged.phases[0].centre is None
    assert judged.phases[0].runs.longest_run is None
    assert judged.signals == ()


@pytest.mark.parametrize(
    ("points", "limits"),
    [(2, "trial"), (11, "trial"), (12, "provisional"), (19, "provisional"), (20, "firm")],
)
def test_trust_in_limits_grows_with_base_points(points: int, limits: str) -> None:
    assert draw([1, 2] * 15, baseline_points=points).quality.limits == limits


def test_numbers_too_large_are_undefined_and_reported() -> None:
    judged = draw([1e308, -1e308, 1e308, 1.0])
    assert not np.isinf(judged.lines).any()
    assert np.isnan(judged.upper_limit).all()
    assert np.isnan(draw([1e308, -1e308, 1.0, 2.0, 1.0, 2.0]).upper_limit).all()
    assert np.isnan(draw([1e307, 2e307], multiplier=1000).values).all()
    assert [warning.code for warning in judged.quality.warnings] == ["overflow"]


def test_a_mean_that_fits_is_given_although_its_sum_does_not() -> None:
    assert draw([1.5e308, 1.7e308, 1.6e308]).centre[0] == pytest.approx(1.6e308)
    judged = draw_ratios([1e308, 1.2e308], [1e308, 1.2e308], "u")
    assert judged.centre[0] == 1.0


def test_no_points_are_an_empty_chart() -> None:
    judged = draw([], target=3, direction="increase")
    assert judged.lines.shape == (5, 0)
    assert (judged.variation, judged.assurance) == ("common_cause", "none")
    assert document(judged)["phases"][0]["starts_at"] is None
