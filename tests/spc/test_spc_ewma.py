"""EWMA charts: published examples, a slow oracle, and what gaps, exclusions and phases do."""

import json
import math
from collections.abc import Sequence
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import Series, SpcError
from app.spc.ewma import EwmaSettings, ewma
from tests.spc.montgomery import POINTS
from tests.spc.requests import labels

pytestmark = pytest.mark.filterwarnings("error")

eighths = st.integers(-800, 800).map(lambda number: number / 8)
series_of_values = st.lists(st.none() | eighths, min_size=1, max_size=40)


def draw(values: Sequence[float | None], **chosen: Any) -> dict[str, Any]:
    return ewma(Series(labels(len(values)), values=values), EwmaSettings(**chosen))


def column(document: dict[str, Any], name: str) -> list[Any]:
    return [point[name] for point in document["points"]]


def test_the_example_of_montgomery() -> None:
    """Example 9.2: weight 0.1, width 2.7; limits of the first, the second and of late points."""
    chart = draw(POINTS, centre=10, sigma=1, weight=0.1, limit_width=2.7, direction="increase")
    assert column(chart, "statistic")[:5] == pytest.approx(
        [9.945, 9.7495, 9.70355, 9.8992, 10.1253], abs=5e-5
    )
    lower, upper = column(chart, "lower_limit"), column(chart, "upper_limit")
    assert [round(number, 2) for number in (lower[0], upper[0])] == [9.73, 10.27]
    assert [round(number, 2) for number in (lower[1], upper[1])] == [9.64, 10.36]
    assert [round(number, 2) for number in (lower[-1], upper[-1])] == [9.38, 10.62]
    [signal] = chart["signals"]
    assert signal["members"] == [28, 29]
    assert (signal["completed_at"], signal["direction"]) == (28, "high")
    assert signal["meaning"] == "improvement"


def test_the_example_of_nist() -> None:
    """NIST/SEMATECH e-Handbook 6.3.2.4: historical mean 50, sigma 2.0539, weight 0.3."""
    values = [
        *(52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5),
        *(49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1),
    ]
    expected = [
        *(50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33),
        *(50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99),
    ]
    chart = draw(values, centre=50, sigma=2.0539, weight=0.3, limits="asymptotic")
    assert [round(number, 2) for number in column(chart, "statistic")] == expected
    assert column(chart, "upper_limit")[0] == pytest.approx(52.5884, abs=1e-4)
    assert column(chart, "lower_limit")[0] == pytest.approx(47.4115, abs=1e-4)
    assert chart["signals"] == []


def slow(values: Sequence[float | None], sigmas: list[float], centre: float, weight: float) -> Any:
    """Statistic and its standard error as explicit sums over everything before each point."""
    answers: list[tuple[float, float] | None] = []
    seen: list[tuple[float, float]] = []
    for value, sigma in zip(values, sigmas, strict=True):
        if value is None:
            answers.append(None)
            continue
        seen.insert(0, (value, sigma))
        shares = [weight * (1 - weight) ** age for age in range(len(seen))]
        first = centre * (1 - weight) ** len(seen)
        mean = first + sum(share * item[0] for share, item in zip(shares, seen, strict=True))
        spread = sum((share * item[1]) ** 2 for share, item in zip(shares, seen, strict=True))
        answers.append((mean, math.sqrt(spread)))
    return answers


@given(series_of_values, st.sampled_from([0.05, 0.2, 0.4, 1.0]))
def test_it_is_the_weighted_sum(values: list[float | None], weight: float) -> None:
    chart = draw(values, centre=3.0, sigma=2.0, weight=weight)
    for point, answer in zip(
        chart["points"], slow(values, [2.0] * len(values), 3.0, weight), strict=True
    ):
        if answer is None:
            assert point["statistic"] is None
            continue
        assert point["statistic"] == pytest.approx(answer[0], abs=1e-9)
        assert point["upper_limit"] == pytest.approx(3.0 + 3 * answer[1], abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 90)), min_size=2, max_size=25))
def test_unequal_denominators_are_exact(pairs: list[tuple[int, int]]) -> None:
    pairs = [(min(pair), max(pair)) for pair in pairs]
    series = Series(
        labels(len(pairs)),
        numerators=[pair[0] for pair in pairs],
        denominators=[pair[1] for pair in pairs],
    )
    chart = ewma(series, EwmaSettings(data="proportion", centre=0.3))
    sigmas = [math.sqrt(0.3 * 0.7 / pair[1]) for pair in pairs]
    answers = slow([pair[0] / pair[1] for pair in pairs], sigmas, 0.3, 0.2)
    for point, answer in zip(chart["points"], answers, strict=True):
        assert point["statistic"] == pytest.approx(answer[0], abs=1e-9)
        assert point["upper_limit"] == pytest.approx(min(1, 0.3 + 3 * answer[1]), abs=1e-9)
        assert point["lower_limit"] == pytest.approx(max(0, 0.3 - 3 * answer[1]), abs=1e-9)


def test_equal_denominators_give_the_textbook_s_limits() -> None:
    series = Series(labels(30), numerators=[4.0, 6.0] * 15, denominators=[20.0] * 30)
    chart = ewma(series, EwmaSettings(data="rate", weight=0.2, multiplier=1000))
    sigma = math.sqrt(0.25 / 20)
    for row, upper in enumerate(column(chart, "upper_limit"), 1):
        half = 3 * sigma * math.sqrt(0.2 / 1.8 * (1 - 0.8 ** (2 * row)))
        assert upper == pytest.approx(1000 * (0.25 + half))
    settled = ewma(series, EwmaSettings(data="rate", limits="asymptotic"))
    assert column(settled, "upper_limit")[0] == pytest.approx(0.25 + 3 * sigma / 3)


def test_gaps_and_exclusions_add_nothing() -> None:
    values = [5.0, 7.0, None, 900.0, 6.0]
    excluded = [False, False, False, True, False]
    chart = ewma(
        Series(labels(5), values=values, excluded=excluded), EwmaSettings(centre=5, sigma=1)
    )
    bare = draw([5.0, 7.0, 6.0], centre=5, sigma=1)
    statistics = column(chart, "statistic")
    assert statistics[2] is statistics[3] is None
    assert [statistics[row] for row in (0, 1, 4)] == column(bare, "statistic")
    assert column(chart, "upper_limit")[3] == column(chart, "upper_limit")[1]
    assert not chart["points"][3]["outside_limits"]
    assert column(chart, "in_baseline") == [True, True, False, False, True]


def test_sigma_and_centre_come_from_the_base_points() -> None:
    chart = draw([1.0, 2.0, 3.0, 50.0], baseline_points=3)
    assert chart["phases"][0] | {"label": None} == {
        "index": 0,
        "starts_at": labels(4)[0],
        "points": 4,
        "base_points": 3,
        "centre": 2.0,
        "sigma": pytest.approx(1 / 1.128),
        "label": None,
        "reason": None,
    }
    assert chart["points"][3]["outside_limits"]
    assert chart["quality"]["limits"] == "trial"


def test_each_phase_starts_afresh() -> None:
    both = draw([1.0, 2.0, 1.0, 2.0, 11.0, 12.0, 11.0], phase_starts=[4])
    second = draw([11.0, 12.0, 11.0])
    assert column(both, "statistic")[4:] == column(second, "statistic")
    assert column(both, "phase") == [0, 0, 0, 0, 1, 1, 1]


def test_a_flat_series_has_no_limits() -> None:
    chart = draw([4.0] * 6)
    assert column(chart, "upper_limit") == [None] * 6
    assert column(chart, "statistic") == [4.0] * 6
    assert chart["quality"]["limits"] == "none"
    assert [warning["code"] for warning in chart["quality"]["warnings"]] == ["no_variation"]


@given(series_of_values, st.integers(-3, 3))
def test_it_scales(values: list[float | None], power: int) -> None:
    """Powers of two are exact, so that every number and every judgement must scale."""
    factor = 2.0**power
    scaled: list[float | None] = [None if v is None else v * factor for v in values]
    one, other = draw(values), draw(scaled)
    for before, after in zip(one["points"], other["points"], strict=True):
        for name in ("statistic", "centre", "lower_limit", "upper_limit"):
            assert after[name] == (None if before[name] is None else before[name] * factor)
        assert after["outside_limits"] == before["outside_limits"]
    assert one["signals"] == other["signals"]


@given(series_of_values)
def test_it_is_a_pure_function_of_plain_values(values: list[float | None]) -> None:
    one, other = draw(values), draw(list(values))
    assert json.dumps(one, allow_nan=False) == json.dumps(other, allow_nan=False)


@given(series_of_values, series_of_values)
def test_appending_changes_nothing_before(
    values: list[float | None], more: list[float | None]
) -> None:
    one = draw(values, baseline_points=len(values))
    longer = draw(values + more, baseline_points=len(values))
    for before, after in zip(one["points"], longer["points"], strict=False):
        kept = ("value", "statistic", "centre", "lower_limit", "upper_limit", "outside_limits")
        assert [before[name] for name in kept] == [after[name] for name in kept]
    ids = [signal["id"] for signal in longer["signals"]]
    assert [signal["id"] for signal in one["signals"]] == ids[: len(one["signals"])]


def test_huge_numbers_are_undefined_not_wrong() -> None:
    chart = draw([1.7e308, -1.7e308, 1.7e308, 1.0], multiplier=100)
    text = json.dumps(chart, allow_nan=False)
    assert "overflow" in text


@pytest.mark.parametrize(
    ("chosen", "code", "pointer"),
    [
        ({"weight": 0}, "weight_out_of_range", "/weight"),
        ({"weight": 1.1}, "weight_out_of_range", "/weight"),
        ({"limit_width": 0}, "limit_width_out_of_range", "/limit_width"),
        ({"limits": "wide"}, "unknown_limits", "/limits"),
        ({"data": "counts"}, "unknown_data", "/data"),
        ({"data": "rate"}, "data_do_not_fit_chart", "/points"),
        ({"sigma": 0}, "sigma_out_of_range", "/sigma"),
        ({"data": "rate", "sigma": 1}, "sigma_not_wanted", "/sigma"),
        ({"data": "rate", "centre": 0}, "centre_out_of_range", "/centre"),
        ({"data": "proportion", "centre": 1}, "centre_out_of_range", "/centre"),
        ({"centre": math.inf}, "centre_out_of_range", "/centre"),
        ({"phase_starts": [9]}, "phase_start_out_of_range", "/phase_starts/0"),
        ({"multiplier": 0}, "multiplier_not_positive", "/multiplier"),
    ],
)
def test_refusals(chosen: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(SpcError) as refused:
        draw([1.0, 2.0, 4.0], **chosen)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_refusals_of_ratios() -> None:
    def refusal(numerators: list[float], **chosen: Any) -> str:
        series = Series(labels(2), numerators=numerators, denominators=[4.0, 6.0])
        with pytest.raises(SpcError) as refused:
            ewma(series, EwmaSettings(**chosen))
        return refused.value.code

    assert refusal([5.0, 1.0], data="proportion") == "numerator_exceeds_denominator"
    assert refusal([-1.0, 1.0], data="rate") == "negative_count"
    assert refusal([2.0, 1.0], data="rate", limits="asymptotic") == "limits_do_not_settle"


def test_counts_that_vary_too_much_are_told() -> None:
    def warnings(data: Literal["proportion", "rate", "values"], *numerators: float) -> list[str]:
        size = len(numerators)
        series = Series(labels(size), numerators=numerators, denominators=[1000.0] * size)
        chart = ewma(series, EwmaSettings(data=data, multiplier=100))
        return [warning["code"] for warning in chart["quality"]["warnings"]]

    wild, calm = [100.0, 300.0] * 10, [195.0, 205.0] * 10
    assert warnings("proportion", *wild) == warnings("rate", *wild) == ["over_dispersed"]
    assert warnings("proportion", *calm) == warnings("values", *wild) == []
