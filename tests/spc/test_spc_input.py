"""Input that cannot be charted is refused with a stable code, a way out, and a pointer."""

import math
from typing import Any

import numpy as np
import pytest

from app.spc import MAX_POINTS, Series, Settings, SpcError, chart
from tests.spc.requests import labels

NAN, INF = math.nan, math.inf


def refused(series: Series, settings: Settings) -> tuple[str, str]:
    with pytest.raises(SpcError) as caught:
        chart(series, settings)
    assert caught.value.detail.endswith(".")
    assert isinstance(caught.value, ValueError)
    return caught.value.code, caught.value.pointer


def values(*numbers: Any) -> Series:
    return Series(labels(len(numbers)), numbers)


def ratios(*pairs: tuple[Any, Any]) -> Series:
    numerators, denominators = zip(*pairs, strict=True)
    return Series(labels(len(pairs)), numerators=numerators, denominators=denominators)


THREE = values(1, 2, 3)


@pytest.mark.parametrize(
    ("settings", "code", "pointer"),
    [
        (Settings("pie"), "unknown_chart", "/chart"),
        (Settings("i", rule_set="mine"), "unknown_rule_set", "/rule_set"),
        (Settings("i", direction="up"), "unknown_direction", "/direction"),  # type: ignore[arg-type]
        (Settings("i", multiplier=0), "multiplier_not_positive", "/multiplier"),
        (Settings("i", multiplier=-1), "multiplier_not_positive", "/multiplier"),
        (Settings("i", multiplier=INF), "multiplier_not_positive", "/multiplier"),
        (Settings("i", multiplier=NAN), "multiplier_not_positive", "/multiplier"),
        (Settings("i", phase_starts=[0]), "phase_start_out_of_range", "/phase_starts/0"),
        (Settings("i", phase_starts=[1, 3]), "phase_start_out_of_range", "/phase_starts/1"),
        (Settings("i", phase_starts=[2, 1]), "phase_starts_out_of_order", "/phase_starts/1"),
        (Settings("i", phase_starts=[1, 1]), "phase_starts_out_of_order", "/phase_starts/1"),
        (Settings("i", baseline_points=0), "baseline_points_too_few", "/baseline_points"),
        (Settings("i", baseline_points=[0]), "baseline_points_too_few", "/baseline_points/0"),
        (Settings("i", baseline_points=[2, 2]), "baseline_points_wrong_length", "/baseline_points"),
        (Settings("i", target=NAN), "target_not_finite", "/target"),
        (Settings("i", target=[1, None, INF]), "target_not_finite", "/target/2"),
        (Settings("i", target=[1, 2]), "target_wrong_length", "/target"),
        (Settings("i", phase_labels=["a", "b"]), "phase_texts_wrong_length", "/phase_labels"),
        (Settings("i", phase_reasons=[]), "phase_texts_wrong_length", "/phase_reasons"),
    ],
)
def test_settings(settings: Settings, code: str, pointer: str) -> None:
    assert refused(THREE, settings) == (code, pointer)


@pytest.mark.parametrize(
    ("series", "name", "code", "pointer"),
    [
        (values(1, NAN), "i", "not_finite", "/points/1/value"),
        (values(None, -INF), "run", "not_finite", "/points/1/value"),
        (Series(labels(2), np.array([1.0, NAN])), "i", "not_finite", "/points/1/value"),
        (values(1, "many"), "i", "not_a_number", "/points"),
        (values(1, 10**400), "i", "not_a_number", "/points"),
        (values([1], [2]), "i", "not_a_number", "/points"),
        (values(1, -1), "c", "negative_count", "/points/1/value"),
        (ratios((1, 2), (-1, 2)), "u", "negative_count", "/points/1/numerator"),
        (ratios((1, 2), (3, 2)), "p", "numerator_exceeds_denominator", "/points/1/numerator"),
        (ratios((1, 2), (1, -2)), "u", "negative_denominator", "/points/1/denominator"),
        (ratios((1, 2), (1, -2)), "run", "negative_denominator", "/points/1/denominator"),
        (ratios((1, 2), (1, INF)), "u", "not_finite", "/points/1/denominator"),
        (values(1, 2), "p", "data_do_not_fit_chart", "/points"),
        (values(1, 2), "u", "data_do_not_fit_chart", "/points"),
        (ratios((1, 2), (1, 2)), "c", "data_do_not_fit_chart", "/points"),
        (Series(labels(2)), "i", "values_missing", "/points"),
        (Series(labels(1), numerators=[1]), "u", "values_missing", "/points"),
        (Series(labels(1), [1], numerators=[1]), "i", "values_and_ratios", "/points"),
        (Series(labels(2), [1]), "i", "length_mismatch", "/points"),
        (Series(labels(1), [1], excluded=[]), "i", "length_mismatch", "/points"),
        (Series(labels(1), [1], notes=["a", "b"]), "i", "length_mismatch", "/points"),
        (values(*range(MAX_POINTS + 1)), "i", "too_many_points", "/points"),
    ],
)
def test_series(series: Series, name: str, code: str, pointer: str) -> None:
    assert refused(series, Settings(name)) == (code, pointer)


def test_the_largest_series_is_charted() -> None:
    assert chart(values(*range(MAX_POINTS)), Settings("i")).values.shape == (MAX_POINTS,)


@pytest.mark.parametrize(
    "x",
    [
        ["2024-02-01", "2024-01-01"],
        ["2024-01-01", "2024-01-01"],
        ["2024-01-01T10:00:00+01:00", "2024-01-01T09:00:00Z"],
    ],
)
def test_dates_that_do_not_rise(x: list[str]) -> None:
    assert refused(Series(x, [1, 2]), Settings("i")) == ("x_not_ascending", "/points/1/x")


@pytest.mark.parametrize(
    "x",
    [
        ["b", "a"],
        ["a", "a"],
        ["10", "9"],
        ["2024-02-01", "ward B"],
        ["2024-13-01", "2024-12-01"],  # not a date, so free text
        ["2024-01-02T00:00:00Z", "2024-01-01"],  # no order between them
        ["2024-01-01T10:00:00+02:00", "2024-01-01T09:00:00Z"],  # later, though not as text
    ],
)
def test_other_labels_are_free_text(x: list[str]) -> None:
    assert chart(Series(x, [1, 2]), Settings("i")).values.tolist() == [1.0, 2.0]


def test_a_zero_denominator_is_no_error_whatever_its_numerator() -> None:
    assert np.isnan(chart(ratios((1, 2), (5, 0)), Settings("p")).values[1])
