"""Charts beyond run, i, c, u and p: what each estimates, at the boundaries of its formula."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app.spc import Chart, Series, Settings, SpcError, chart, document
from tests.spc.requests import labels

Numbers = Sequence[float | None]
TIMES = [3.0, 14.0, 9.0, 1.0, 40.0, 6.0, 11.0, 2.0, 25.0, 8.0]


def draw(values: Numbers, name: str, **settings: Any) -> Chart:
    excluded = settings.pop("excluded", None)
    series = Series(labels(len(values)), values, excluded=excluded)
    return chart(series, Settings(name, rule_set="limits_only", **settings))


def draw_ratios(numerators: Numbers, denominators: Numbers, name: str, **settings: Any) -> Chart:
    series = Series(labels(len(numerators)), numerators=numerators, denominators=denominators)
    return chart(series, Settings(name, rule_set="limits_only", **settings))


def test_an_i_chart_about_the_median_keeps_the_mean_moving_range() -> None:
    judged = draw([10, 12, 11, 15], "i_median")
    assert judged.centre[0] == 11.5
    assert judged.upper_limit[0] == pytest.approx(11.5 + 3 * (7 / 3) / 1.128)
    assert judged.phases[0].sigma == pytest.approx(7 / 3 / 1.128)


def test_moving_ranges_restart_in_each_phase_and_an_exclusion_loses_its_own_range() -> None:
    excluded = [row == 2 for row in range(8)]
    judged = draw([1, 3, 9, 4, None, 5, 6, 8], "mr", excluded=excluded, phase_starts=[5])
    nan = math.nan
    np.testing.assert_array_equal(judged.values, [nan, 2, 6, 5, nan, nan, 1, 2])
    assert judged.centre.tolist() == [3.5] * 5 + [1.5] * 3
    assert judged.upper_limit[0] == pytest.approx(3.267 * 3.5)
    assert judged.upper_warning[0] == pytest.approx(3.267 * 3.5 * 2 / 3)
    assert set(judged.lower_limit.tolist()) == {0.0}


def test_moving_ranges_take_no_run_rules() -> None:
    with pytest.raises(SpcError, match="limits_only") as caught:
        chart(Series(labels(3), [1, 2, 3]), Settings("mr", rule_set="mdc"))
    assert (caught.value.code, caught.value.pointer) == ("rules_do_not_fit_chart", "/rule_set")
    assert chart(Series(labels(3), [1, 2, 3]), Settings("mr")).rules.name == "limits_only"


def test_a_t_chart_is_an_i_chart_of_roots() -> None:
    judged = draw(TIMES, "t")
    roots = draw([time ** (1 / 3.6) for time in TIMES], "i")
    assert judged.centre[0] == pytest.approx(roots.centre[0] ** 3.6)
    assert judged.upper_limit[0] == pytest.approx(roots.upper_limit[0] ** 3.6)
    assert judged.lower_limit.tolist() == [0.0] * 10  # a root below zero
    assert judged.values.tolist() == TIMES
    assert judged.phases[0].centre == judged.centre[0]
    assert judged.phases[0].sigma is None  # of the roots: it would mislead beside days


@pytest.mark.parametrize("time", [0, -1])
def test_a_t_chart_refuses_events_at_one_time(time: float) -> None:
    with pytest.raises(SpcError, match="choose g") as caught:
        draw([3, time], "t")
    assert (caught.value.code, caught.value.pointer) == ("time_not_positive", "/points/1/value")


def test_a_t_chart_of_huge_times_is_undefined_where_it_overflows() -> None:
    judged = draw([1e308, 1e300, 1e290], "t")
    assert judged.values.tolist() == [1e308, 1e300, 1e290]
    assert not np.isinf(judged.lines).any()
    assert "overflow" in {warning.code for warning in judged.quality.warnings}


def test_a_g_chart_draws_the_median_and_takes_limits_from_the_mean() -> None:
    judged = draw([2, 4, 6, 60], "g")
    assert judged.centre.tolist() == [5.0] * 4
    assert judged.upper_limit[0] == pytest.approx(18 + 3 * math.sqrt(18 * 19))
    assert judged.lower_limit[0] == 0.0
    assert judged.phases[0].sigma == pytest.approx(math.sqrt(18 * 19))


def test_a_g_chart_refuses_negative_counts() -> None:
    with pytest.raises(SpcError, match="zero or more"):
        draw([2, -1], "g")


LATE, SEEN = [40, 70, 30, 90, 52], [400, 500, 450, 600, 520]


@pytest.mark.parametrize("name", ["p", "u"])
def test_limits_of_laney_are_those_of_the_plain_chart_times_sigma_z(name: str) -> None:
    plain, prime = (
        draw_ratios(LATE, SEEN, chosen, screen_moving_ranges=False)
        for chosen in (name, f"{name}_prime")
    )
    sigma = (plain.upper_limit - plain.centre) / 3
    scores = (plain.values - plain.centre) / sigma
    sigma_z = np.abs(np.diff(scores)).mean() / 1.128
    assert prime.centre.tolist() == plain.centre.tolist()
    np.testing.assert_allclose(prime.upper_limit, plain.centre + 3 * sigma * sigma_z)
    assert prime.phases[0].sigma_z == pytest.approx(sigma_z)
    assert sigma_z > 1
    printed = document(prime)["phases"][0]
    assert (printed["sigma"], printed["sigma_z"]) == (None, prime.phases[0].sigma_z)


def test_sigma_z_is_no_floor_and_does_not_follow_the_multiplier() -> None:
    calm = draw_ratios([50, 51, 50, 51], [100] * 4, "p_prime", multiplier=100)
    assert calm.phases[0].sigma_z == pytest.approx(0.01 / 0.05 / 1.128, rel=1e-3)
    assert calm.upper_limit[0] < 60


def test_sigma_z_is_undefined_where_nothing_varies() -> None:
    flat = draw_ratios([5, 5, 5], [10, 10, 10], "p_prime")
    assert flat.phases[0].sigma_z is None
    assert np.isnan(flat.upper_limit).all()


def test_an_i_prime_chart_by_its_published_formula() -> None:
    judged = draw_ratios(LATE, SEEN, "i_prime", screen_moving_ranges=False)
    values, sizes = np.array(LATE) / SEEN, np.array(SEEN)
    ranges = np.abs(np.diff(values)) / np.sqrt(1 / sizes[1:] + 1 / sizes[:-1])
    sigma = math.sqrt(math.pi / 2) * ranges.mean() / np.sqrt(sizes)
    assert judged.centre[0] == pytest.approx(sum(LATE) / sum(SEEN))
    np.testing.assert_allclose(judged.upper_limit, judged.centre + 3 * sigma)


def test_an_i_prime_chart_of_equal_sizes_is_an_i_chart() -> None:
    prime, plain = (draw_ratios(LATE, [500] * 5, name) for name in ("i_prime", "i"))
    np.testing.assert_allclose(prime.lines, plain.lines, rtol=2e-3)


def test_an_i_prime_chart_loses_the_ranges_of_gaps_and_joins_those_of_exclusions() -> None:
    with_gap = draw_ratios([4, 7, None, 9, 5], [40, 50, 45, 60, 52], "i_prime")
    without = draw_ratios([4, 7], [40, 50], "i_prime"), draw_ratios([9, 5], [60, 52], "i_prime")
    units = [
        (each.upper_limit[0] - each.centre[0]) * math.sqrt(n)
        for each, n in zip(without, (40, 60), strict=True)
    ]
    assert (with_gap.upper_limit[0] - with_gap.centre[0]) * math.sqrt(40) == pytest.approx(
        sum(units) / 2
    )
    ghosts = Series(
        labels(3),
        numerators=[4, 40, 7],
        denominators=[40, 41, 50],
        excluded=[False, True, False],
    )
    joined = chart(ghosts, Settings("i_prime", rule_set="limits_only"))
    assert joined.upper_limit[0] == pytest.approx(without[0].upper_limit[0])


def test_samples_of_varying_size_on_an_np_chart() -> None:
    judged = draw_ratios([4, 10, None, 30], [40, 50, 50, 100], "np")
    share = draw_ratios([4, 10, None, 30], [40, 50, 50, 100], "p")
    sizes = np.array([40, 50, math.nan, 100])
    np.testing.assert_allclose(judged.centre, share.centre * sizes)
    np.testing.assert_allclose(judged.upper_limit, share.upper_limit * sizes)
    assert judged.phases[0].centre is None  # it varies with the samples
    assert judged.outside_limits.tolist() == share.outside_limits.tolist()


def test_growing_samples_are_no_trend_on_an_np_chart() -> None:
    sizes = [20, 30, 40, 50, 60, 70, 80, 90]
    series = Series(labels(8), numerators=[size / 10 for size in sizes], denominators=sizes)
    assert chart(series, Settings("np")).signals == ()


@pytest.mark.parametrize("name", ["i", "i_median", "mr", "t", "g", "c"])
def test_charts_of_values_refuse_subgroups_with_a_way_out(name: str) -> None:
    series = Series(labels(2), subgroups=[[1, 2], [2, 3]])
    with pytest.raises(SpcError, match="xbar") as caught:
        chart(series, Settings(name))
    assert (caught.value.code, caught.value.pointer) == ("data_do_not_fit_chart", "/points")
