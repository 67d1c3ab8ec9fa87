"""Tabular CUSUM charts: published examples, a slow oracle, reflection, head start, restarts."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import Series, SpcError
from app.spc.cusum import CusumSettings, cusum
from tests.spc.montgomery import POINTS
from tests.spc.requests import labels

pytestmark = pytest.mark.filterwarnings("error")

eighths = st.integers(-80, 80).map(lambda number: number / 8)
series_of_values = st.lists(st.none() | eighths, min_size=1, max_size=40)


def draw(values: Sequence[float | None], **chosen: Any) -> dict[str, Any]:
    return cusum(Series(labels(len(values)), values=values), CusumSettings(**chosen))


def column(document: dict[str, Any], name: str) -> list[Any]:
    return [point[name] for point in document["points"]]


def rounded(document: dict[str, Any], name: str, unit: float = 1) -> list[float]:
    return [round(number * unit, 2) for number in column(document, name)]


def test_the_example_of_montgomery() -> None:
    """Table 9.2: k 0.5, h 5; beyond h at 29, seven points after the last zero, mean 11.25."""
    chart = draw(POINTS, centre=10, sigma=1, direction="decrease")
    high = rounded(chart, "high")
    assert high[:9] == [0, 0, 0, 1.16, 2.82, 2.50, 0.04, 1.00, 0]
    assert high[21:] == [0, 1.79, 2.79, 2.89, 3.47, 3.35, 4.47, 5.28, 5.30]
    assert rounded(chart, "low")[:7] == [0.05, 1.56, 1.77, 0, 0, 0, 1.46]
    [signal] = chart["signals"]
    assert (signal["start"], signal["completed_at"], signal["end"]) == (22, 28, 29)
    assert signal["changed_at"] == labels(30)[22]
    assert signal["level"] == pytest.approx(10 + 0.5 + 5.28 / 7, abs=1e-9)
    assert (signal["direction"], signal["meaning"]) == ("high", "concern")
    assert [row for row, out in enumerate(column(chart, "outside_limits")) if out] == [28, 29]


def test_the_example_of_montgomery_and_runger() -> None:
    """Applied Statistics and Probability for Engineers, table 16-8: centre 99, K 1, H 10."""
    values = [
        *(102.0, 94.8, 98.3, 98.4, 102.0, 98.5, 99.0, 97.7, 100.0, 98.1),
        *(101.3, 98.7, 101.1, 98.4, 97.0, 96.7, 100.3, 101.4, 97.2, 101.0),
    ]
    chart = draw(values, centre=99, sigma=2)
    assert rounded(chart, "high", 2) == [
        *(2.0, 0, 0, 0, 2.0, 0.5, 0, 0, 0, 0),
        *(1.3, 0, 1.1, 0, 0, 0, 0.3, 1.7, 0, 1.0),
    ]
    assert rounded(chart, "low", 2) == [
        *(0, 3.2, 2.9, 2.5, 0, 0, 0, 0.3, 0, 0),
        *(0, 0, 0, 0, 1.0, 2.3, 0, 0, 0.8, 0),
    ]
    assert chart["signals"] == []


def test_the_head_start_of_montgomery() -> None:
    """Table 9.5: centre 100, K 3, H 12, both sides starting from 6; the process is on centre."""
    values = [102.0, 97, 104, 93, 100, 105, 96, 98, 105, 99]
    chart = draw(values, centre=100, sigma=6, decision_interval=2, head_start=0.5)
    assert rounded(chart, "high", 6) == [5, 0, 1, 0, 0, 2, 0, 0, 2, 0]
    assert rounded(chart, "low", 6) == [1, 1, 0, 4, 1, 0, 1, 0, 0, 0]
    shifted = [value + 5 for value in values]  # table 9.6: the signal comes at the third point
    early = draw(shifted, centre=100, sigma=6, decision_interval=2, head_start=0.5)
    assert rounded(early, "high", 6)[:3] == [10, 9, 15]
    assert early["signals"][0]["completed_at"] == 2
    assert early["signals"][0]["start"] == 0
    later = draw(shifted, centre=100, sigma=6, decision_interval=2)
    assert later["signals"][0]["completed_at"] == 5


def test_false_signals_come_as_often_as_published() -> None:
    """k 0.5 and h 5: one in 465 points on both sides together (Montgomery, section 9.1.3)."""
    chance = random.Random(20181)
    signals = points = 0
    for _ in range(20):
        values: list[float | None] = [chance.gauss(0, 1) for _ in range(10_000)]
        chart = draw(values, centre=0, sigma=1, restart_after_signal=True)
        signals += len(chart["signals"])
        points += len(values)
    assert points / signals == pytest.approx(465, rel=0.12)


def slow(
    steps: Sequence[float | None], allowance: float, limit: float
) -> list[tuple[int, int, int]]:
    """First row, crossing and last row of each signal, from sums over every possible start."""
    rows = [row for row, step in enumerate(steps) if step is not None]
    kept = [step - allowance for step in steps if step is not None]
    sums = [
        max(0.0, *(sum(kept[start : stop + 1]) for start in range(stop + 1)))
        for stop in range(len(kept))
    ]
    found: dict[int, list[int]] = {}
    for at, total in enumerate(sums):
        if total > limit:
            start = max((back + 1 for back in range(at) if sums[back] == 0), default=0)
            found.setdefault(start, []).append(at)
    return [(rows[start], rows[at[0]], rows[at[-1]]) for start, at in found.items()]


@given(series_of_values)
def test_it_is_the_largest_sum_of_late_points(values: list[float | None]) -> None:
    """Eighths are exact in binary, so that the oracle and the chart must agree to the bit."""
    chart = draw(values, centre=0.25, sigma=1, decision_interval=4)
    for name, sign in (("high", 1), ("low", -1)):
        steps = [None if value is None else sign * (value - 0.25) for value in values]
        found = [
            (signal["start"], signal["completed_at"], signal["end"])
            for signal in chart["signals"]
            if signal["direction"] == name
        ]
        assert found == slow(steps, 0.5, 4)


@given(series_of_values, st.booleans(), st.sampled_from([0.0, 0.5]))
def test_reflection_swaps_the_sides(
    values: list[float | None], restart: bool, head_start: float
) -> None:
    mirrored: list[float | None] = [None if value is None else -value for value in values]
    chosen: dict[str, Any] = {"restart_after_signal": restart, "head_start": head_start}
    one = draw(values, direction="increase", **chosen)
    other = draw(mirrored, direction="decrease", **chosen)
    assert column(one, "high") == column(other, "low")
    assert column(one, "low") == column(other, "high")
    kept = ("members", "completed_at", "meaning")
    assert sorted([[str(signal[name]) for name in kept] for signal in one["signals"]]) == sorted(
        [[str(signal[name]) for name in kept] for signal in other["signals"]]
    )


@given(series_of_values, st.integers(-3, 3))
def test_the_sums_are_free_of_the_unit(values: list[float | None], power: int) -> None:
    scaled: list[float | None] = [None if v is None else v * 2.0**power for v in values]
    one, other = draw(values), draw(scaled)
    assert column(one, "high") == column(other, "high")
    assert [signal["id"] for signal in one["signals"]] == [
        signal["id"] for signal in other["signals"]
    ]


@given(series_of_values)
def test_it_is_a_pure_function_of_plain_values(values: list[float | None]) -> None:
    one, other = draw(values), draw(list(values))
    assert json.dumps(one, allow_nan=False) == json.dumps(other, allow_nan=False)
    ids = [signal["id"] for signal in one["signals"]]
    assert len(set(ids)) == len(ids)


def test_without_a_restart_one_climb_is_one_signal() -> None:
    values = [0.0, 4.0, 4.0, -3.0, 4.0, 0.0]
    chart = draw(values, centre=0, sigma=1)
    assert [signal["members"] for signal in chart["signals"]] == [[1, 2, 3, 4, 5]]
    assert column(chart, "outside_limits") == [False, False, True, False, True, True]
    again = draw(values, centre=0, sigma=1, restart_after_signal=True)
    assert [signal["members"] for signal in again["signals"]] == [[1, 2]]
    assert column(again, "high")[2:5] == [7.0, 0.0, 3.5]


def test_a_restart_takes_its_head_start_again() -> None:
    chart = draw([0.0, 6.0, 1.0], centre=0, sigma=1, head_start=0.5, restart_after_signal=True)
    assert column(chart, "high") == [2.0, 7.5, 3.0]


def test_the_level_of_a_proportion_is_pooled() -> None:
    series = Series(
        labels(6), numerators=[2.0, 2, 2, 9, 9, 30], denominators=[20.0, 20, 20, 20, 20, 50]
    )
    settings = CusumSettings(data="proportion", baseline_points=3, multiplier=100)
    [signal] = cusum(series, settings)["signals"]
    assert (signal["start"], signal["completed_at"]) == (3, 4)
    assert signal["level"] == pytest.approx(100 * 18 / 40)


def test_gaps_and_exclusions_add_nothing() -> None:
    values = [3.0, None, 900.0, 3.0]
    excluded = [False, False, True, False]
    chart = cusum(
        Series(labels(4), values=values, excluded=excluded), CusumSettings(centre=0, sigma=1)
    )
    assert column(chart, "high") == [2.5, None, None, 5.0]
    assert chart["signals"] == []  # on the limit is inside


def test_a_zero_denominator_is_a_gap_with_a_warning() -> None:
    series = Series(labels(3), numerators=[1.0, 0, 3], denominators=[9.0, 0, 9])
    chart = cusum(series, CusumSettings(data="proportion"))
    assert chart["points"][1]["high"] is None
    assert [warning["code"] for warning in chart["quality"]["warnings"]] == ["denominator_zero"]


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ({"allowance": -0.1}, "allowance_out_of_range"),
        ({"decision_interval": 0}, "decision_interval_out_of_range"),
        ({"head_start": 1}, "head_start_out_of_range"),
        ({"direction": "up"}, "unknown_direction"),
    ],
)
def test_refusals(chosen: dict[str, Any], code: str) -> None:
    with pytest.raises(SpcError) as refused:
        draw([1.0, 2.0], **chosen)
    assert refused.value.code == code
