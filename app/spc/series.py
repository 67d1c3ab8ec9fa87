"""A series as callers state it, and the arrays of numbers that the charts compute from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.spc.errors import SpcError
from app.spc.labels import label_keys

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Numbers = Sequence[float | None] | FloatArray

MAX_POINTS = 10_000
_NO_NUMBERS: FloatArray = np.empty((0, 0))


@dataclass(frozen=True, slots=True)
class Series:
    """Points in time order; every sequence has one entry per point.

    x: labels as shown; where all of them are ISO 8601 dates they must rise strictly.
    values: raw measurements or counts; or numerators with denominators. None is a gap (missing);
        NaN and infinities are refused.
    excluded: True is a ghosted point, out of lines and rules but still shown.
    """

    x: Sequence[str]
    values: Numbers | None = None
    numerators: Numbers | None = None
    denominators: Numbers | None = None
    excluded: Sequence[bool] | BoolArray | None = None
    notes: Sequence[str | None] | None = None


class Observations(NamedTuple):
    """A series as arrays of one length; NaN is a gap, before any multiplier."""

    keys: Sequence[str]  # distinct, one a point
    values: FloatArray
    numerators: FloatArray | None  # None unless the series states ratios
    denominators: FloatArray | None  # NaN at every gap
    excluded: BoolArray | None  # None where nothing is excluded
    zero_denominators: list[int]  # rows


def observe(series: Series) -> Observations:
    """Convert and check a series; SpcError for anything that is not one."""
    size = len(series.x)
    if size > MAX_POINTS:
        detail = f"At most {MAX_POINTS} points are charted at once; send a shorter period."
        raise SpcError("too_many_points", detail, "/points")
    if series.notes is not None:
        _check_length(series.notes, size, "note")
    excluded = _excluded(series, size)
    if series.values is None:
        return _ratios(series, size, excluded)
    if series.numerators is not None or series.denominators is not None:
        detail = "Give either values or numerators with denominators, not both."
        raise SpcError("values_and_ratios", detail, "/points")
    values = _numbers(series.values, size, "value")
    return Observations(label_keys(series.x), values, None, None, excluded, [])


def _ratios(series: Series, size: int, excluded: BoolArray | None) -> Observations:
    if series.numerators is None or series.denominators is None:
        detail = "Give a value, or a numerator with a denominator, for the points."
        raise SpcError("values_missing", detail, "/points")
    numerators = _numbers(series.numerators, size, "numerator")
    denominators = _numbers(series.denominators, size, "denominator")
    refuse_rows(denominators < 0, "negative_denominator", "denominator", "zero or more")
    zero = np.flatnonzero(denominators == 0).tolist()
    if zero:
        denominators[zero] = np.nan
    values = numerators / denominators
    gaps = ~np.isfinite(values)
    if np.count_nonzero(gaps):  # half a ratio must not leak into the sums
        values[gaps] = numerators[gaps] = denominators[gaps] = np.nan
    return Observations(label_keys(series.x), values, numerators, denominators, excluded, zero)


def refuse_rows(wrong: BoolArray, code: str, field: str, wanted: str) -> None:
    """Raise SpcError at the first row marked wrong."""
    if np.count_nonzero(wrong):
        row = int(np.flatnonzero(wrong)[0])
        detail = f"The {field} must be {wanted}; correct it, or send null for a missing one."
        raise SpcError(code, detail, f"/points/{row}/{field}")


def _excluded(series: Series, size: int) -> BoolArray | None:
    if series.excluded is None:
        return None
    _check_length(series.excluded, size, "excluded")
    excluded = np.array(series.excluded, dtype=np.bool_)
    return excluded if np.count_nonzero(excluded) else None


def _check_length(given: Sequence[object] | npt.NDArray[np.generic], size: int, field: str) -> None:
    if len(given) != size:
        detail = f"There are {size} points but {len(given)} entries of {field}; give one a point."
        raise SpcError("length_mismatch", detail, "/points")


def _numbers(given: Numbers, size: int, field: str) -> FloatArray:
    _check_length(given, size, field)
    try:
        numbers = np.array(given, dtype=np.float64)  # None becomes NaN
    except (TypeError, ValueError, OverflowError):
        numbers = _NO_NUMBERS
    if numbers.shape != (size,):
        detail = f"Each {field} must be one number that fits a double, or null."
        raise SpcError("not_a_number", detail, "/points")
    finite = np.isfinite(numbers)
    if np.count_nonzero(finite) != size:
        stated = np.array([number is not None for number in given], dtype=np.bool_)
        refuse_rows(~finite & stated, "not_finite", field, "a finite number")
    return numbers
