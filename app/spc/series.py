"""A series as callers state it, and the arrays of numbers that the charts compute from."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from app.spc.errors import SpcError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Numbers = Sequence[float | None] | FloatArray
Form = Literal["values", "ratios", "subgroups"]

MAX_POINTS = 10_000
MAX_SUBGROUP = 100  # values of one subgroup
MAX_SUBGROUP_VALUES = 100_000  # of one series
_MANY = 1_000  # numbers
ZERO, ONE = np.array(0.0), np.array(1.0)  # no plain numbers, which numpy would convert each time
_NO_NUMBERS: FloatArray = np.empty((0, 0))


@dataclass(frozen=True, slots=True)
class Series:
    """Points in time order; every sequence has one entry per point.

    x: labels as shown; where all of them are ISO 8601 dates they must rise strictly.
    values: raw measurements or counts; or numerators with denominators; or subgroups, the single
        measurements of each point. None is a gap (missing); NaN and infinities are refused.
    excluded: True is a ghosted point, out of lines and rules but still shown.
    """

    x: Sequence[str]
    values: Numbers | None = None
    numerators: Numbers | None = None
    denominators: Numbers | None = None
    excluded: Sequence[bool] | BoolArray | None = None
    notes: Sequence[str | None] | None = None
    subgroups: Sequence[Numbers | None] | None = None


def all_hold(flags: BoolArray) -> bool:
    """Whether every flag is set: flags.all(), which has several times the cost for a few points."""
    return b"\0" not in flags.tobytes()


def any_holds(flags: BoolArray) -> bool:
    """Whether any flag is set."""
    return b"\1" in flags.tobytes()


def are_finite(numbers: FloatArray, others: FloatArray) -> bool:
    """Whether no number of either is NaN or infinite; of few, huge ones may be taken for it."""
    if len(numbers) > _MANY:
        return all_hold(np.isfinite(numbers)) and all_hold(np.isfinite(others))
    # The cheapest look at a few; of very many, a dot product doubled the time of a whole batch.
    return math.isfinite(numbers.dot(others))


class Observations(NamedTuple):
    """Series of one form end to end, as arrays of one length; NaN is a gap, before any multiplier.

    Of subgroups, `values` are the means, `numerators` the totals and `denominators` the sizes.
    """

    form: Form
    values: FloatArray
    numerators: FloatArray | None = None  # None where the series state plain values
    denominators: FloatArray | None = None  # NaN at every gap
    spreads: FloatArray | None = None  # standard deviations of subgroups; NaN below two values
    ranges: FloatArray | None = None  # of subgroups; NaN below two values
    zero_denominators: Sequence[int] = ()  # rows
    excluded: BoolArray | None = None  # None where nothing is excluded

    def part(self, rows: slice) -> "Observations":
        """The observations of some rows."""
        start, stop = rows.start, rows.stop
        zero = [row - start for row in self.zero_denominators if start <= row < stop]
        columns: dict[str, Any] = {
            name: column[rows]
            for name, column in self._asdict().items()
            if isinstance(column, np.ndarray)
        }
        return self._replace(zero_denominators=zero, **columns)


def form_of(series: Series) -> Form:
    """What a series states; SpcError if it is nothing, or more than one thing."""
    has_ratios = series.numerators is not None or series.denominators is not None
    if (series.values is not None) + has_ratios + (series.subgroups is not None) > 1:
        detail = "Give values, or numerators with denominators, or subgroups; not more than one."
        raise SpcError("values_and_ratios", detail, "/points")
    if series.values is not None:
        return "values"
    if series.subgroups is not None:
        return "subgroups"
    if series.numerators is None or series.denominators is None:
        detail = "Give a value, or a numerator with a denominator, for the points."
        raise SpcError("values_missing", detail, "/points")
    return "ratios"


def check_sizes(series: Series) -> None:
    """Refuse too many points, and flags or notes that are not one a point."""
    size = len(series.x)
    if size > MAX_POINTS:
        detail = f"At most {MAX_POINTS} points are charted at once; send a shorter period."
        raise SpcError("too_many_points", detail, "/points")
    if series.notes is not None:
        check_length(series.notes, size, "note")
    if series.excluded is not None:
        check_length(series.excluded, size, "excluded")


def check_length(given: Sequence[object] | npt.NDArray[np.generic], size: int, field: str) -> None:
    """Refuse a sequence that has not one entry a point."""
    if len(given) != size:
        detail = f"There are {size} points but {len(given)} entries of {field}; give one a point."
        raise SpcError("length_mismatch", detail, "/points")


def observe_values(batch: Sequence[Series]) -> Observations:
    """The values of series that state values."""
    given = [series.values for series in batch]
    values = _joined(batch, given, "value")
    _check_finite(values, given, "value")
    return Observations("values", values, excluded=excluded_rows(batch))


def observe_ratios(batch: Sequence[Series]) -> Observations:
    """The ratios of series that state them; a zero denominator is a gap."""
    above = [series.numerators for series in batch]
    below = [series.denominators for series in batch]
    numerators, denominators = (
        _joined(batch, above, "numerator"),
        _joined(batch, below, "denominator"),
    )
    values = numerators / denominators
    zero: Sequence[int] = ()
    if not (are_finite(values, denominators) and all_hold(denominators > ZERO)):
        _check_finite(numerators, above, "numerator")
        _check_finite(denominators, below, "denominator")
        refuse_rows(denominators < 0, "negative_denominator", "denominator", "zero or more")
        zero = np.flatnonzero(denominators == 0).tolist()
        gaps = ~np.isfinite(values)  # half a ratio must not leak into the sums
        values[gaps] = numerators[gaps] = denominators[gaps] = np.nan
    return Observations(
        "ratios",
        values,
        numerators,
        denominators,
        zero_denominators=zero,
        excluded=excluded_rows(batch),
    )


def excluded_rows(batch: Sequence[Series]) -> BoolArray | None:
    """One flag a row of the joined series; None where nothing is excluded."""
    for series in batch:
        if series.excluded is not None and True in series.excluded:
            break
    else:
        return None
    flags = [
        np.zeros(len(series.x), dtype=np.bool_)
        if series.excluded is None
        else np.array(series.excluded, dtype=np.bool_)
        for series in batch
    ]
    return flags[0] if len(flags) == 1 else np.concatenate(flags)


def refuse_rows(wrong: BoolArray, code: str, field: str, wanted: str) -> None:
    """Raise SpcError at the first row marked wrong."""
    if any_holds(wrong):
        row = int(np.flatnonzero(wrong)[0])
        detail = f"The {field} must be {wanted}; correct it, or send null for a missing one."
        raise SpcError(code, detail, f"/points/{row}/{field}")


def _joined(batch: Sequence[Series], given: Sequence[Any], field: str) -> FloatArray:
    """One column of all series; a gap is NaN."""
    if len(batch) == 1:
        return _numbers(given[0], len(batch[0].x), field)
    sizes = [len(series.x) for series in batch]
    for numbers, size in zip(given, sizes, strict=True):
        if len(numbers) != size:
            check_length(numbers, size, field)
    with suppress(TypeError, ValueError):  # None among the numbers, or what are no numbers
        joined: FloatArray = np.concatenate(given, dtype=np.float64)
        if joined.ndim == 1:
            return joined
    each = zip(given, sizes, strict=True)
    return np.concatenate([_numbers(numbers, size, field) for numbers, size in each])


def _check_finite(numbers: FloatArray, given: Sequence[Any], field: str) -> None:
    """Refuse what was stated and is no finite number; None is a gap."""
    if not are_finite(numbers, numbers):
        stated = [number is not None for number in chain.from_iterable(given)]
        wrong = ~np.isfinite(numbers) & np.array(stated, dtype=np.bool_)
        refuse_rows(wrong, "not_finite", field, "a finite number")


def _numbers(given: Numbers, size: int, field: str) -> FloatArray:
    if len(given) != size:
        check_length(given, size, field)
    try:
        numbers = np.array(given, dtype=np.float64)  # None becomes NaN
    except (TypeError, ValueError, OverflowError):
        numbers = _NO_NUMBERS
    if numbers.ndim != 1:
        detail = f"Each {field} must be one number that fits a double, or null."
        raise SpcError("not_a_number", detail, "/points")
    return numbers
