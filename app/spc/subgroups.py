"""Subgroups: several measurements at each point, summed up by mean, spread and range."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.spc.errors import SpcError
from app.spc.means import mean
from app.spc.series import (
    MAX_SUBGROUP,
    MAX_SUBGROUP_VALUES,
    Observations,
    Series,
    check_length,
    excluded_rows,
)

_Summary = tuple[float, float, float, float]  # mean, size, standard deviation, range
_GAP: _Summary = (math.nan, math.nan, math.nan, math.nan)


def observe_subgroups(batch: Sequence[Series]) -> Observations:
    """What the subgroups of series come to; a subgroup without any value is a gap."""
    rows = [row for series in batch for row in _summaries(series)]
    values, sizes, spreads, ranges = np.array(rows, dtype=np.float64).reshape(-1, 4).T.copy()
    excluded = excluded_rows(batch)
    return Observations(
        "subgroups", values, values * sizes, sizes, spreads, ranges, excluded=excluded
    )


def _summaries(series: Series) -> list[_Summary]:
    groups: Sequence[Any] = series.subgroups or ()
    check_length(groups, len(series.x), "values")
    _check_amounts([0 if group is None else len(group) for group in groups])
    rows = [_summary(_plain(group, row)) for row, group in enumerate(groups)]
    if max((size for _, size, _, _ in rows if size == size), default=0) == 1:
        detail = (
            "Every subgroup has a single value, which says nothing about spread inside them; "
            "send it as `value` and choose an i chart."
        )
        raise SpcError("subgroups_of_one", detail, "/points")
    return rows


def _check_amounts(amounts: Sequence[int]) -> None:
    row = next((row for row, amount in enumerate(amounts) if amount > MAX_SUBGROUP), None)
    if row is not None:
        detail = f"A subgroup holds at most {MAX_SUBGROUP} values; sample fewer of them."
        raise SpcError("too_many_values", detail, f"/points/{row}/values")
    if sum(amounts) > MAX_SUBGROUP_VALUES:
        detail = (
            f"At most {MAX_SUBGROUP_VALUES} values are charted at once; send a shorter period, "
            "or smaller subgroups."
        )
        raise SpcError("too_many_values", detail, "/points")


def _plain(group: Any, row: int) -> list[float]:
    """The values of one subgroup without its missing ones."""
    try:
        values = [float(value) for value in group or () if value is not None]
    except (TypeError, ValueError, OverflowError):
        detail = "Each of the values must be a number that fits a double, or null."
        raise SpcError("not_a_number", detail, f"/points/{row}/values") from None
    if not all(map(math.isfinite, values)):
        detail = "The values must be finite numbers; correct them, or send null for a missing one."
        raise SpcError("not_finite", detail, f"/points/{row}/values")
    return values


def _summary(values: list[float]) -> _Summary:
    size = len(values)
    if not size:
        return _GAP
    centre = mean(values)
    if not math.isfinite(centre) or size == 1:
        return centre, size, math.nan, math.nan
    squares = _sum([(value - centre) * (value - centre) for value in values])
    return centre, size, math.sqrt(squares / (size - 1)), max(values) - min(values)


def _sum(squares: list[float]) -> float:
    try:
        return math.fsum(squares)
    except OverflowError:  # a spread that no double holds is infinite, as one square may be
        return math.inf
