"""Which chart suits a type of data, and what the data say against it."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from app.spc import CHARTS, ChartAdvice, Series, advise_chart, recommend_chart
from tests.spc.requests import labels

DAYS = [(date(2018, 1, 1) + timedelta(weeks=week)).isoformat() for week in range(40)]


def seeded() -> np.random.Generator:
    """The same numbers in every test, whatever order they run in."""
    return np.random.default_rng(1)


def ratios(numerators: Any, denominators: Any, x: list[str] | None = None) -> Series:
    above, below = list(map(int, numerators)), list(map(int, denominators))
    return Series(x or labels(len(above)), numerators=above, denominators=below)


def values(*numbers: Any) -> Series:
    return Series(labels(len(numbers)), numbers)


def codes(advice: ChartAdvice) -> list[str]:
    return [objection.code for objection in advice.against]


@pytest.mark.parametrize(
    ("data_type", "chart"),
    [
        ("proportion", "p"),
        ("yes_no", "p"),
        ("rate", "u"),
        ("count", "c"),
        ("continuous", "i"),
        ("time_between", "t"),
        ("count_between", "g"),
        ("something else", "run"),
    ],
)
def test_by_type_alone(data_type: str, chart: str) -> None:
    advice = advise_chart(data_type)
    assert advice.chart == recommend_chart(data_type) == chart
    assert advice.reason.endswith(".")
    assert advice.against == ()
    named = [alternative.chart for alternative in advice.alternatives]
    assert set(named) <= set(CHARTS) - {chart}
    assert len(named) == len(set(named))
    assert "run" in named or chart == "run"


def test_ordinary_data_keep_the_usual_chart() -> None:
    sizes = seeded().integers(50, 80, 24)
    advice = advise_chart("proportion", ratios(seeded().binomial(sizes, 0.4), sizes))
    assert (advice.chart, codes(advice)) == ("p", [])
    assert advise_chart("count", values(*seeded().poisson(20, 24).tolist())).chart == "c"
    assert advise_chart("continuous", values(*seeded().normal(size=24).tolist())).chart == "i"
    assert advise_chart("time_between", values(*seeded().exponential(9, 24).tolist())).chart == "t"


@pytest.mark.parametrize(
    ("data_type", "chart"), [("proportion", "p_prime"), ("rate", "u_prime"), ("count", "i")]
)
def test_over_dispersed_data_want_wider_limits(data_type: str, chart: str) -> None:
    counts = [400 + 80 * (-1) ** row + row % 5 for row in range(24)]
    sizes = [9_000 + 100 * (row % 7) for row in range(24)]
    series = values(*counts) if data_type == "count" else ratios(counts, sizes)
    advice = advise_chart(data_type, series)
    assert (advice.chart, codes(advice)) == (chart, ["over_dispersed"])
    assert "times as much as their counts explain" in advice.reason
    assert recommend_chart(data_type) in [each.chart for each in advice.alternatives]
    assert advise_chart(data_type, series, among=["i", "run"]).chart == "i"
    assert advise_chart(data_type, series, among=["run"]).chart == recommend_chart(data_type)


def test_rare_events_want_the_time_between_them() -> None:
    advice = advise_chart("count", values(*[0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 0, 1]))
    assert (advice.chart, codes(advice)) == ("run", ["many_zeros"])
    assert "(t chart)" in advice.reason
    assert {"t", "g"} <= {each.chart for each in advice.alternatives}


def test_small_counts_want_a_run_chart() -> None:
    advice = advise_chart("proportion", ratios([2, 3, 1, 4, 2, 3, 2, 1, 3, 2, 3, 2], [9] * 12))
    assert advice.chart == "run"
    assert codes(advice) == ["small_counts", "constant_denominators"]
    assert advice.reason.startswith("A point counts only 2.3 cases of the rarer outcome")


def test_few_points_want_a_run_chart() -> None:
    advice = advise_chart("continuous", values(*range(5, 16)))
    assert (advice.chart, codes(advice)) == ("run", ["few_points"])
    assert advise_chart("continuous", values(1, 2)).chart == "i"  # too few to say anything
    assert advise_chart("continuous", Series([], [])).against == ()


def test_equal_denominators_are_mentioned_but_change_nothing() -> None:
    advice = advise_chart("proportion", ratios(seeded().binomial(60, 0.4, 24), [60] * 24))
    assert (advice.chart, codes(advice)) == ("p", ["constant_denominators"])
    assert "np" in [each.chart for each in advice.alternatives]
    single = advise_chart("yes_no", ratios([0, 1] * 12, [1] * 24))
    assert "constant_denominators" not in codes(single)


def test_a_time_of_zero_has_no_root() -> None:
    advice = advise_chart("time_between", values(*[3, 0, 8, 1] * 4), among=["t", "i", "run"])
    assert (advice.chart, codes(advice)[0]) == ("i", "not_positive")


def test_neighbours_that_are_alike() -> None:
    drift = values(*(np.arange(30) + seeded().normal(size=30)).tolist())
    assert codes(advise_chart("continuous", drift)) == ["autocorrelated"]


def test_periods_that_are_missing_without_a_gap() -> None:
    usual = Series(DAYS[:24], seeded().normal(size=24).tolist())
    assert codes(advise_chart("continuous", usual)) == []
    dropped = [day for row, day in enumerate(DAYS) if row % 4 != 1][:24]
    series = Series(dropped, seeded().normal(size=24).tolist())
    assert codes(advise_chart("continuous", series)) == ["uneven_spacing"]


def test_gaps_exclusions_and_huge_numbers_do_no_harm() -> None:
    counts: list[Any] = [400 + 80 * (-1) ** row for row in range(24)]
    counts[3], sizes = None, [9_000] * 24
    sizes[5] = 0
    series = Series(
        labels(24),
        numerators=counts,
        denominators=sizes,
        excluded=[row == 9 for row in range(24)],
    )
    assert codes(advise_chart("proportion", series))[0] == "over_dispersed"
    assert advise_chart("continuous", values(*[1e308, -1e308] * 12)).chart == "i"
    assert advise_chart("count", values(*[1e308, 1e307] * 12)).chart in CHARTS
    assert advise_chart("rate", ratios([0] * 24, [5] * 24)).chart == "run"
